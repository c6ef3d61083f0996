"""Addresses that must differ, and a remote site's tunnel: where it ends, its keys kept apart (2.4, 5.2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from typing import Final

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.guide.rules.remote import remote_sites
from trunkline.guide.rules.walk import private
from trunkline.site.model import Interface, Site

_WIREGUARD_KEY: Final = re.compile(r"[A-Za-z0-9+/]{43}=")  # 32 octets in Base64


def _interfaces_apart(site: Site, facts: Facts) -> Iterator[Seen]:
    inside, outside = site.interfaces.eth0, site.interfaces.eth1
    if outside is None or ip_address(outside.address).is_loopback:  # a lab's interfaces share one network
        return
    if inside.address == outside.address:
        says = said(
            "eth0 and eth1 have the same address, {address}",
            "eth0 et eth1 ont la même adresse, {address}",
            address=outside.address,
        )
        yield Seen(("interfaces", "eth1", "address"), says)
    elif _in_one_network(inside, outside):
        says = said(
            "{address} of eth1 lies in the network of eth0: both interfaces are on one network",
            "{address} d'eth1 est dans le réseau d'eth0 : les deux interfaces sont sur un même réseau",
            address=outside.address,
        )
        yield Seen(("interfaces", "eth1", "address"), says)


def _in_one_network(one: Interface, other: Interface) -> bool:
    """Whether the networks of two interfaces overlap, as far as the file gives their prefixes."""
    networks = []
    for interface in (one, other):
        whole = ip_address(interface.address).max_prefixlen
        length = whole if interface.prefix is None else min(interface.prefix, whole)
        networks.append(ip_interface(f"{interface.address}/{length}").network)
    return networks[0].version == networks[1].version and networks[0].overlaps(networks[1])


def _tunnel_ends(site: Site, facts: Facts) -> Iterator[Seen]:
    over_internet = [
        (path, remote)
        for path, remote in remote_sites(site)
        if remote.link.kind == "internet" and remote.link.vpn in ("ipsec", "wireguard")
    ]
    ends: list[tuple[Path, str]] = [
        ((*path, "link", "router"), remote.link.router) for path, remote in over_internet
    ]
    if over_internet and site.vpn is not None:
        ends.append((("vpn", "address"), site.vpn.address))
    for path, address in ends:
        if private(address):
            says = said(
                "{address} is a private address: the tunnel's other end does not reach it over the internet",
                "{address} est une adresse privée : l'autre bout du tunnel ne la joint pas par internet",
                address=address,
            )
            yield Seen(path, says)


def _key_written_out(site: Site, facts: Facts) -> Iterator[Seen]:
    places: list[tuple[Path, str]] = [
        ((*path, "link", "vpn_key"), remote.link.vpn_key) for path, remote in remote_sites(site)
    ]
    if site.vpn is not None:
        places.append((("vpn", "key"), site.vpn.key))
    for path, text in places:
        if _WIREGUARD_KEY.fullmatch(text):
            says = said(
                "a WireGuard key stands here; the name of its file belongs here",
                "une clé WireGuard figure ici ; il faut le nom de son fichier",
            )
            yield Seen(path, says)


RULES = (
    Rule(
        id="SITE-71",
        title=said("No VPN key stands in the site file", "Aucune clé VPN ne figure dans le fichier de site"),
        why=said(
            "Site files are sent around and kept. Whoever reads the key can listen to the tunnel or enter by "
            "it, and the dossier looks for a file of that name in vain.",
            "Les fichiers de site circulent et restent. Qui lit la clé peut écouter le tunnel ou y "
            "entrer, et le dossier cherche en vain un fichier de ce nom.",
        ),
        level=Level.MUST,
        source=said("site file", "fichier de site"),
        mend=said(
            "put the key into a file of its own and write that file's name; make a new pair if it was sent",
            "mettez la clé dans un fichier à part et écrivez le nom de ce fichier ; refaites la paire si "
            "elle a été envoyée",
        ),
        look=_key_written_out,
    ),
    Rule(
        id="SITE-59",
        title=said("eth0 and eth1 are on two networks", "eth0 et eth1 sont sur deux réseaux"),
        why=said(
            "Two interfaces on one network answer for each other: packets to the carrier leave by the LAN, "
            "and calls have no sound.",
            "Deux interfaces sur un même réseau répondent l'une pour l'autre : les paquets vers l'opérateur "
            "partent par le LAN, et les appels sont muets.",
        ),
        level=Level.MUST,
        source="RFC 1122 §3.3.4.2",
        mend=said(
            "Hardware and Limits > LAN/IP Configuration: the LAN on eth0, the DMZ or the internet on eth1",
            "Hardware and Limits > LAN/IP Configuration : le LAN sur eth0, la DMZ ou internet sur eth1",
        ),
        look=_interfaces_apart,
        needs=("interfaces.eth0", "interfaces.eth1"),
    ),
    Rule(
        id="INET-5b",
        title=said(
            "A tunnel over the internet ends at public addresses",
            "Un tunnel par internet aboutit à des adresses publiques",
        ),
        why=said(
            "A tunnel to a private address is never set up, and the remote site has no telephone.",
            "Un tunnel vers une adresse privée ne s'établit jamais, et le site distant n'a pas de téléphone.",
        ),
        level=Level.SHOULD,
        source="guide 2.2, 2.4; RFC 1918 §3",
        mend=said(
            "write the public address, that of the router toward the internet",
            "écrivez l'adresse publique, celle du routeur côté internet",
        ),
        look=_tunnel_ends,
        also=("BVPN-3",),
    ),
)
