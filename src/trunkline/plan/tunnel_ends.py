"""The tunnels of a site as values, and what the files of both kinds are written with."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final, NamedTuple

from trunkline.finding import said, told
from trunkline.guide.facts import Facts
from trunkline.plan.document import Block, Paragraph, Source
from trunkline.plan.firewall_words import plain, slug
from trunkline.plan.openings import lan
from trunkline.plan.sbc_addresses import media_addresses
from trunkline.site.model import Site
from trunkline.site.premises import RemoteSite

MAIN: Final = "main-site"  # the folder of the main site's files, and what others call its key


class Tunnel(NamedTuple):
    """One site's tunnel: its place in the site file, its slug, the networks at each end, its own address."""

    place: int
    remote: RemoteSite
    slug: str
    here: tuple[str, ...]
    there: tuple[str, ...]
    address: str

    @property
    def key(self) -> str:
        return f"remote_sites.{self.place}"


def tunnels_of(site: Site, facts: Facts) -> tuple[list[Tunnel], list[Block]]:
    """The tunnels that files are written for, and a warning for each that something is missing for."""
    tunnels: list[Tunnel] = []
    refused: list[Block] = []
    main = _main_networks(site, facts)
    wanted = [
        (index, remote) for index, remote in enumerate(site.remote_sites)
        if remote.link.vpn in ("wireguard", "ipsec")
    ]  # fmt: skip
    taken = {MAIN: 1}
    for index, remote in wanted:
        lacks = [
            key
            for key, there in (
                (f"remote_sites.{index}.network", bool(remote.network)),
                ("vpn", site.vpn is not None),
                ("vpn.address", bool(site.vpn and site.vpn.address)),
                ("vpn.key", remote.link.vpn == "ipsec" or bool(site.vpn and site.vpn.key)),
                (f"remote_sites.{index}.link.vpn_key", bool(remote.link.vpn_key)),
            )
            if not there
        ]
        address = tunnel_address(site, len(tunnels) + 2)
        if lacks or not address:
            words = said(
                "No file for {label}: {keys} must be given first.",
                "Pas de fichier pour {label} : indiquer d'abord {keys}.",
                label=remote.label, keys=", ".join(lacks) or "vpn.network",
            )  # fmt: skip
            refused.append(Paragraph(words, Source(f"remote_sites.{index}", "BVPN-3, INET-5"), "warning"))
            continue
        others = tuple(other.network for _, other in wanted if other is not remote and other.network)
        name = slug(remote.label)[:11]  # "tl-" and this must fit in an interface's name
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name[:8]}-{index + 1}"
        tunnels.append(Tunnel(index, remote, name, (*main, *others), (remote.network,), address))
    return tunnels, refused


def _main_networks(site: Site, facts: Facts) -> tuple[str, ...]:
    """What a remote site reaches through the main one: its LAN, and over BVPN the SBCs' media."""
    networks = [*(lan(site) or (str(ip_network(site.interfaces.eth0.address)),))]
    if not site.over_internet and any(remote.media_path == "main-site" for remote in site.remote_sites):
        networks += [str(ip_network(address)) for address in media_addresses(site, facts)]
    return tuple(dict.fromkeys(networks))


def tunnel_address(site: Site, number: int) -> str:
    """The numbered address of the tunnels' network, 1 being the main site's; empty where it is full."""
    if site.vpn is None:
        return ""
    network = ip_network(site.vpn.network)
    return str(network[number]) if number < network.num_addresses - 1 else ""


def comments(words: str) -> list[str]:
    by = said("Written by trunkline plan: keys stay in files of their own.",
              "Ecrit par trunkline plan : les cles restent dans leurs fichiers.")  # fmt: skip
    return [f"# {plain(line)}" for one in (words, by) for line in (one, told(one, "fr"))]


def lines(written: Sequence[str]) -> str:
    return "\n".join(written) + "\n"
