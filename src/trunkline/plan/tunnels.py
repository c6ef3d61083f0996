"""The secured links to remote sites: WireGuard and strongSwan files for both ends (BVPN-3, INET-5).

No key stands in any file: each names the file that holds it on its own machine. What each end sends
into the tunnel is voice: the phones' networks, and over BVPN the access SBCs' media.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.plan import tunnel_strongswan, tunnel_wireguard
from trunkline.plan.bandwidth import tunnel_mtu
from trunkline.plan.document import Block, Chapter, File, Paragraph, Row, Source, Table
from trunkline.plan.figures import MAIN_SITE
from trunkline.plan.load import remote_voice
from trunkline.plan.sbc_addresses import media_addresses
from trunkline.plan.tunnel_ends import Tunnel, tunnels_of
from trunkline.plan.tunnel_wireguard import SMALL_LINK
from trunkline.site.model import Site


def chapter(site: Site, facts: Facts) -> Chapter:
    """A paragraph alone where no site needs a tunnel."""
    tunnels, refused = tunnels_of(site, facts)
    requirement = "INET-5" if site.over_internet else "BVPN-3"
    blocks: list[Block] = []
    files: list[File] = []
    if not site.remote_sites:
        words = said("No remote sites.", "Pas de site distant.")
        blocks.append(Paragraph(words, Source("remote_sites", requirement)))
    else:
        blocks.append(_overview(site, tunnels, requirement))
        blocks += refused
        blocks += _advice(site, facts, tunnels, requirement)
    wireguard = [tunnel for tunnel in tunnels if tunnel.remote.link.vpn == "wireguard"]
    ipsec = [tunnel for tunnel in tunnels if tunnel.remote.link.vpn == "ipsec"]
    if wireguard:
        files += tunnel_wireguard.files(site, wireguard)
    if ipsec:
        files += tunnel_strongswan.files(site, ipsec)
    if tunnels:
        blocks.append(_keys(site, tunnels))
    reader = said("network team", "équipe réseau")
    title = said("Links of remote sites", "Liens des sites distants")
    return Chapter("tunnels", title, tuple(blocks), tuple(files), reader)


_KIND: Final = {
    "none": said("none", "aucun"),
    "ipsec": "IPsec (strongSwan)",
    "wireguard": "WireGuard",
    "phone": said("the phones' own VPN client", "client VPN des postes"),
}
_ACCESS: Final = {"bvpn": "BVPN", "internet": said("internet", "internet")}


def _overview(site: Site, tunnels: Sequence[Tunnel], requirement: str) -> Table:
    of = {tunnel.place: tunnel for tunnel in tunnels}
    rows = []
    for index, remote in enumerate(site.remote_sites):
        tunnel = of.get(index)
        cells = (
            remote.label, _ACCESS[remote.link.kind], _KIND[remote.link.vpn],
            ", ".join(tunnel.there) if tunnel else remote.network or "-",
            ", ".join(tunnel.here) if tunnel else "-",
            str(remote_voice(site, remote).packet),
        )  # fmt: skip
        rows.append(Row(cells, Source(f"remote_sites.{index}.link", requirement)))
    head = (
        said("site", "site"),
        said("access", "accès"),
        said("tunnel", "tunnel"),
        said("its networks", "ses réseaux"),
        said("reached through the main site", "joints par le site principal"),
        said("voice packet (bytes)", "paquet de voix (octets)"),
    )
    note = said(
        "The main site's LAN needs a route to these networks by the router that holds the tunnels.",
        "Le LAN du site principal doit avoir une route vers ces réseaux par le routeur qui porte les "
        "tunnels.",
    )
    return Table(head, tuple(rows), said("Links", "Liens"), note if tunnels else "", (5,))


def _advice(site: Site, facts: Facts, tunnels: Sequence[Tunnel], requirement: str) -> list[Block]:
    blocks: list[Block] = []
    phones = [
        (index, remote.label) for index, remote in enumerate(site.remote_sites) if remote.link.vpn == "phone"
    ]
    for index, label in phones:
        words = said(
            "{label}: the phones' own VPN client makes the tunnel. It is set up on each phone and on the "
            "main site's VPN server, whose maker says how: no file is written.",
            "{label} : le client VPN des postes établit le tunnel. Il se configure sur chaque poste et sur "
            "le serveur VPN du site principal, selon son constructeur : aucun fichier n'est écrit.",
            label=label,
        )
        blocks.append(Paragraph(words, Source(f"remote_sites.{index}.link.vpn", requirement)))
    kinds = {tunnel.remote.link.vpn for tunnel in tunnels}
    if kinds:
        words = said(
            "MTU: {wireguard} inside WireGuard, {ipsec} inside ESP with AES-GCM behind NAT, on an access of "
            "{link} bytes (PPPoE). Voice packets are far below; certificates in TLS and large SIP messages "
            "are not: never block ICMP \"packet too big\", and clamp the TCP MSS to the MTU less 40.",
            "MTU : {wireguard} dans WireGuard, {ipsec} dans ESP avec AES-GCM derrière un NAT, sur un accès "
            "de {link} octets (PPPoE). Les paquets de voix sont bien plus petits ; les certificats de TLS et "
            "les grands messages SIP ne le sont pas : ne jamais bloquer l'ICMP « packet too big », et "
            "limiter le MSS TCP à la MTU moins 40.",
            wireguard=tunnel_mtu("wireguard", SMALL_LINK), ipsec=tunnel_mtu("ipsec-gcm", SMALL_LINK),
            link=SMALL_LINK,
        )  # fmt: skip
        blocks.append(Paragraph(words, Source("vpn", requirement)))
    if "ipsec" in kinds:
        words = said(
            "strongSwan copies the DSCP of each packet to the outside (copy_dscp).",
            "strongSwan recopie le DSCP de chaque paquet à l'extérieur (copy_dscp).",
        )
        blocks.append(Paragraph(words, Source("vpn", "QOS-1")))
    if "wireguard" in kinds:
        words = said(
            "WireGuard sends everything with DSCP 0: the files mark the tunnel's packets EF again, and the "
            "tunnel must then carry voice alone.",
            "WireGuard émet tout avec DSCP 0 : les fichiers remettent EF sur les paquets du tunnel, qui ne "
            "doit alors transporter que la voix.",
        )
        blocks.append(Paragraph(words, Source("vpn", "QOS-1"), "warning"))
    if kinds and not site.over_internet and not media_addresses(site, facts):
        words = said(
            "The access SBCs' media addresses are not known: ask the carrier, and add them to the networks "
            "that the remote sites reach.",
            "Les adresses média des SBC d'accès ne sont pas connues : les demander à l'opérateur et les "
            "ajouter aux réseaux joints par les sites distants.",
        )
        blocks.append(Paragraph(words, Source("trunk.gateways", "BVPN-3"), "warning"))
    return blocks


def _keys(site: Site, tunnels: Sequence[Tunnel]) -> Table:
    assert site.vpn is not None  # tunnels_of has seen to it
    requirement = "INET-5" if site.over_internet else "BVPN-3"
    private, public = said("private key", "clé privée"), said("public key", "clé publique")
    shared = said('a line: secret = "..."', 'une ligne : secret = "..."')
    there = said("made there", "créé sur place")
    rows: list[Row] = []

    def add(where: str, file: str, holds: str, source: str, key: str) -> None:
        rows.append(Row((where, file, holds, source), Source(key, requirement)))

    if any(tunnel.remote.link.vpn == "wireguard" for tunnel in tunnels):
        add(MAIN_SITE, tunnel_wireguard.MAIN_KEY, private, site.vpn.key, "vpn.key")
    for tunnel in tunnels:
        label, given, key = tunnel.remote.label, tunnel.remote.link.vpn_key, f"{tunnel.key}.link.vpn_key"
        if tunnel.remote.link.vpn == "wireguard":
            of_site = said("{key} of {label}", "{key} de {label}", key=public, label=label)
            of_main = said("{key} of the main site", "{key} du site principal", key=public)
            add(MAIN_SITE, tunnel_wireguard.public_file(tunnel), of_site, given, key)
            add(label, tunnel_wireguard.private_file(tunnel), private, there, key)
            add(label, tunnel_wireguard.MAIN_PUBLIC, of_main, "-", "vpn.key")
        else:
            for where in (MAIN_SITE, label):
                add(where, tunnel_strongswan.secret_file(tunnel), shared, given, key)
    head = (
        said("on the router of", "sur le routeur de"),
        said("file", "fichier"),
        said("holds", "contient"),
        said("in the site file", "dans le fichier de site"),
    )
    note = said(
        "Mode 0600, owner root. `wg genkey` makes a private key on the router itself, `wg pubkey` its public "
        "key; only public keys travel.",
        "Mode 0600, propriétaire root. `wg genkey` crée la clé privée sur le routeur même, `wg pubkey` sa "
        "clé publique ; seules les clés publiques voyagent.",
    )
    return Table(head, tuple(rows), said("Key files", "Fichiers de clés"), note)
