"""The secured links to remote sites: WireGuard and strongSwan files for both ends (BVPN-3, INET-5).

No key stands in any file: each names the file that holds it on its own machine. The main end of
WireGuard is one interface with a peer for each site; IPsec is a connection a site. What each end sends
into the tunnel is voice: the phones' networks, and over BVPN the access SBCs' media.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from trunkline.finding import said, told
from trunkline.guide.facts import Facts
from trunkline.plan.bandwidth import tunnel_mtu
from trunkline.plan.document import Block, Chapter, File, Paragraph, Row, Source, Table
from trunkline.plan.figures import MAIN_SITE
from trunkline.plan.firewall_words import plain, slug
from trunkline.plan.load import remote_voice
from trunkline.plan.openings import lan
from trunkline.site.model import Site
from trunkline.site.premises import RemoteSite
from trunkline.site.scalar import is_address

WIREGUARD_FOLDER: Final = "/etc/wireguard"
IPSEC_FOLDER: Final = "/etc/swanctl/trunkline"
KEEPALIVE: Final = 25  # s: shorter than any NAT forgets a UDP flow
SMALL_LINK: Final = 1492  # MTU of PPPoE, the narrowest usual access (RFC 2516 §7)
# RFC 8247 and RFC 8221: what every IKEv2 implementation of today has.
IKE_PROPOSALS: Final = "aes256gcm16-prfsha384-ecp384,aes128gcm16-prfsha256-ecp256"
ESP_PROPOSALS: Final = "aes256gcm16-ecp384,aes128gcm16-ecp256"


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


def chapter(site: Site, facts: Facts) -> Chapter:
    """A paragraph alone where no site needs a tunnel."""
    tunnels, refused = _tunnels(site)
    requirement = "INET-5" if site.over_internet else "BVPN-3"
    blocks: list[Block] = []
    files: list[File] = []
    if not site.remote_sites:
        words = said("No remote sites.", "Pas de site distant.")
        blocks.append(Paragraph(words, Source("remote_sites", requirement)))
    else:
        blocks.append(_overview(site, tunnels, requirement))
        blocks += refused
        blocks += _advice(site, tunnels, requirement)
    wireguard = [tunnel for tunnel in tunnels if tunnel.remote.link.vpn == "wireguard"]
    ipsec = [tunnel for tunnel in tunnels if tunnel.remote.link.vpn == "ipsec"]
    if wireguard:
        files += _wireguard(site, wireguard)
    if ipsec:
        files += _ipsec(site, ipsec)
    if tunnels:
        blocks.append(_keys(site, tunnels))
    reader = said("network team", "équipe réseau")
    title = said("Links of remote sites", "Liens des sites distants")
    return Chapter("tunnels", title, tuple(blocks), tuple(files), reader)


# --- who needs one --------------------------------------------------------------------


def _tunnels(site: Site) -> tuple[list[Tunnel], list[Block]]:
    """The tunnels that files are written for, and a warning for each that something is missing for."""
    tunnels: list[Tunnel] = []
    refused: list[Block] = []
    main = _main_networks(site)
    wanted = [
        (index, remote) for index, remote in enumerate(site.remote_sites)
        if remote.link.vpn in ("wireguard", "ipsec")
    ]  # fmt: skip
    taken: dict[str, int] = {}
    for index, remote in wanted:
        lacks = [
            key
            for key, there in (
                (f"remote_sites.{index}.network", bool(remote.network)),
                ("vpn", site.vpn is not None),
                ("vpn.address", bool(site.vpn and site.vpn.address)),
                ("vpn.key", bool(site.vpn and site.vpn.key)),
                (f"remote_sites.{index}.link.vpn_key", bool(remote.link.vpn_key)),
            )
            if not there
        ]
        address = _tunnel_address(site, len(tunnels) + 2)
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


def _main_networks(site: Site) -> tuple[str, ...]:
    """What a remote site reaches through the main one: its LAN, and over BVPN the SBCs' media."""
    networks = [*(lan(site) or (str(ip_network(site.interfaces.eth0.address)),))]
    if not site.over_internet and any(remote.media_path == "main-site" for remote in site.remote_sites):
        networks += [str(ip_network(sbc.media)) for sbc in site.carrier.sbcs]
    return tuple(dict.fromkeys(networks))


def _tunnel_address(site: Site, number: int) -> str:
    """The numbered address of the tunnels' network, 1 being the main site's; empty where it is full."""
    if site.vpn is None:
        return ""
    network = ip_network(site.vpn.network)
    return str(network[number]) if number < network.num_addresses - 1 else ""


# --- WireGuard ------------------------------------------------------------------------


def _wireguard(site: Site, tunnels: Sequence[Tunnel]) -> list[File]:
    assert site.vpn is not None  # _tunnels has seen to it
    port, mtu = site.vpn.port, tunnel_mtu("wireguard", SMALL_LINK)
    length = ip_network(site.vpn.network).prefixlen
    main = [
        *_comments(said("{site}: WireGuard to the remote sites", "{site} : WireGuard vers les sites distants",
                        site=plain(site.customer))),
        "[Interface]",
        f"Address = {_tunnel_address(site, 1)}/{length}",
        f"ListenPort = {port}",
        f"MTU = {mtu}",
        f"PostUp = wg set %i private-key {_key_file(WIREGUARD_FOLDER, site.vpn.key)}",
    ]  # fmt: skip
    for tunnel in tunnels:
        main.append(f"# {plain(tunnel.remote.label)} ({tunnel.key})")
        peer = _key_file(WIREGUARD_FOLDER, tunnel.remote.link.vpn_key)
        far = tunnel.remote.link.router
        main += _peer(peer, (f"{tunnel.address}/{_host_bits(tunnel.address)}", *tunnel.there), far, port)
    main += _marking(port)
    files = [File("vpn/wireguard/main-site/tl-voice.conf", _lines(main), _file_says(MAIN_SITE, "tl-voice"))]
    for tunnel in tunnels:
        name, label = f"tl-{tunnel.slug}", plain(tunnel.remote.label)
        title = said(
            "{label}: WireGuard to the main site", "{label} : WireGuard vers le site principal", label=label
        )
        main_end = f"{_tunnel_address(site, 1)}/{_host_bits(tunnel.address)}"
        remote = [
            *_comments(title),
            "[Interface]",
            f"Address = {tunnel.address}/{length}",
            f"ListenPort = {port}",
            f"MTU = {mtu}",
            f"PostUp = wg set %i private-key {WIREGUARD_FOLDER}/{name}.key",
            *_peer(f"{WIREGUARD_FOLDER}/main-site.pub", (main_end, *tunnel.here), site.vpn.address, port),
            *_marking(port),
        ]
        path = f"vpn/wireguard/{tunnel.slug}/{name}.conf"
        files.append(File(path, _lines(remote), _file_says(tunnel.remote.label, name)))
    return files


def _peer(key_file: str, networks: Sequence[str], router: str, port: int) -> list[str]:
    """A peer by `wg set`, since a [Peer] section would hold its key; then its routes."""
    endpoint = f" endpoint {_endpoint(router, port)}" if router else ""
    lines = [
        f'PostUp = wg set %i peer "$(cat {key_file})"{endpoint} persistent-keepalive {KEEPALIVE} '
        f"allowed-ips {','.join(networks)}"
    ]
    return [*lines, *(f"PostUp = ip route replace {network} dev %i" for network in networks)]


def _marking(port: int) -> list[str]:
    """WireGuard sends with DSCP zero: mark it again as media is (QOS-1), on this port alone."""
    table = "trunkline-%i"
    return [
        f"# DSCP EF on the tunnel's own packets: it must carry voice alone (QOS-1) - {_MARKED_FR}",
        f"PostUp = nft add table inet {table}",
        f"PostUp = nft 'add chain inet {table} out {{ type filter hook output priority mangle; }}'",
        f"PostUp = nft add rule inet {table} out meta nfproto ipv4 udp sport {port} ip dscp set ef",
        f"PostUp = nft add rule inet {table} out meta nfproto ipv6 udp sport {port} ip6 dscp set ef",
        f"PostDown = nft delete table inet {table}",
    ]


_MARKED_FR: Final = "DSCP EF sur le tunnel : voix seule"


def _endpoint(host: str, port: int) -> str:
    return f"[{host}]:{port}" if is_address(host) and ":" in host else f"{host}:{port}"


def _host_bits(address: str) -> int:
    return 128 if ":" in address else 32


# --- strongSwan -----------------------------------------------------------------------


def _ipsec(site: Site, tunnels: Sequence[Tunnel]) -> list[File]:
    assert site.vpn is not None
    title = said(
        "{site}: IPsec to the remote sites",
        "{site} : IPsec vers les sites distants",
        site=plain(site.customer),
    )
    main = [*_comments(title), "connections {"]
    secrets = ["secrets {"]
    files = []
    for tunnel in tunnels:
        far = tunnel.remote.link.router
        here, there = f"{tunnel.slug}.main", f"{tunnel.slug}.remote"
        psk = _key_file(IPSEC_FOLDER, tunnel.remote.link.vpn_key)
        main += _connection(tunnel, (here, there), ("", far), (tunnel.here, tunnel.there), begins=False)
        secrets += _secret(tunnel.slug, (here, there), psk)
        title = said("{label}: IPsec to the main site", "{label} : IPsec vers le site principal",
                     label=plain(tunnel.remote.label))  # fmt: skip
        remote = [
            *_comments(title),
            "connections {",
            *_connection(
                tunnel, (there, here), ("", site.vpn.address), (tunnel.there, tunnel.here), begins=True
            ),
            "}",
            "secrets {",
            *_secret(tunnel.slug, (there, here), psk),
            "}",
        ]
        path = f"vpn/strongswan/{tunnel.slug}/swanctl.conf"
        files.append(File(path, _lines(remote), _swan_says(tunnel.remote.label)))
    main += ["}", *secrets, "}"]
    return [File("vpn/strongswan/main-site/swanctl.conf", _lines(main), _swan_says(MAIN_SITE)), *files]


def _connection(
    tunnel: Tunnel,
    ids: tuple[str, str],
    addresses: tuple[str, str],
    networks: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    begins: bool,
) -> list[str]:
    local = [f"    local_addrs = {addresses[0]}"] if addresses[0] else []
    return [
        f"  {tunnel.slug} {{",
        f"    # {plain(tunnel.remote.label)} ({tunnel.key})",
        "    version = 2",
        *local,
        f"    remote_addrs = {addresses[1] or '%any'}",
        f"    proposals = {IKE_PROPOSALS}",
        "    dpd_delay = 30s",
        "    keyingtries = 0",
        f"    local {{\n      auth = psk\n      id = {ids[0]}\n    }}",
        f"    remote {{\n      auth = psk\n      id = {ids[1]}\n    }}",
        "    children {",
        "      voice {",
        f"        local_ts = {','.join(networks[0])}",
        f"        remote_ts = {','.join(networks[1])}",
        f"        esp_proposals = {ESP_PROPOSALS}",
        "        # QOS-1: the outer packet bears the DSCP of the inner one",
        "        copy_dscp = out",
        "        dpd_action = restart",
        f"        start_action = {'start' if begins else 'trap' if addresses[1] else 'none'}",
        "      }",
        "    }",
        "  }",
    ]


def _secret(name: str, ids: tuple[str, str], file: str) -> list[str]:
    """The file holds one line, `secret = "..."`: swanctl reads it in this place."""
    ends = [f"    id-{end} = {word}" for end, word in zip(("here", "there"), ids, strict=True)]
    return [f"  ike-{name} {{", *ends, f"    include {file}", "  }"]


# --- words ----------------------------------------------------------------------------


def _key_file(folder: str, path: str) -> str:
    """Where the key lies on the router: its file's name, in letters harmless to a shell."""
    name = PurePosixPath(path).name
    stem, dot, ending = name.partition(".")
    return f"{folder}/{slug(stem)}{dot}{slug(ending)}" if dot else f"{folder}/{slug(stem)}"


def _comments(words: str) -> list[str]:
    by = said("Written by trunkline plan: keys stay in files of their own.",
              "Ecrit par trunkline plan : les cles restent dans leurs fichiers.")  # fmt: skip
    return [f"# {plain(line)}" for one in (words, by) for line in (one, told(one, "fr"))]


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _file_says(where: str, name: str) -> str:
    return said(
        "{where}: {folder}/{name}.conf, for wg-quick up {name}",
        "{where} : {folder}/{name}.conf, pour wg-quick up {name}",
        where=where, folder=WIREGUARD_FOLDER, name=name,
    )  # fmt: skip


def _swan_says(where: str) -> str:
    return said(
        "{where}: /etc/swanctl/conf.d/trunkline.conf, for swanctl --load-all",
        "{where} : /etc/swanctl/conf.d/trunkline.conf, pour swanctl --load-all",
        where=where,
    )


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


def _advice(site: Site, tunnels: Sequence[Tunnel], requirement: str) -> list[Block]:
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
    if kinds and not site.over_internet and not site.carrier.sbcs:
        words = said(
            "The access SBCs' media addresses are not known: ask the carrier, and add them to the networks "
            "that the remote sites reach.",
            "Les adresses média des SBC d'accès ne sont pas connues : les demander à l'opérateur et les "
            "ajouter aux réseaux joints par les sites distants.",
        )
        blocks.append(Paragraph(words, Source("carrier.sbcs", "BVPN-3"), "warning"))
    return blocks


def _keys(site: Site, tunnels: Sequence[Tunnel]) -> Table:
    assert site.vpn is not None
    rows = []
    private, public = said("private key", "clé privée"), said("public key", "clé publique")
    shared = said('a line: secret = "..."', 'une ligne : secret = "..."')
    if any(tunnel.remote.link.vpn == "wireguard" for tunnel in tunnels):
        here = _key_file(WIREGUARD_FOLDER, site.vpn.key)
        rows.append(Row((MAIN_SITE, here, private), Source("vpn.key", "")))
    for tunnel in tunnels:
        label, key = tunnel.remote.label, f"{tunnel.key}.link.vpn_key"
        if tunnel.remote.link.vpn == "wireguard":
            far = _key_file(WIREGUARD_FOLDER, tunnel.remote.link.vpn_key)
            of_site = said("{key} of {label}", "{key} de {label}", key=public, label=label)
            of_main = said("{key} of the main site", "{key} du site principal", key=public)
            rows += [
                Row((MAIN_SITE, far, of_site), Source(key)),
                Row((label, f"{WIREGUARD_FOLDER}/tl-{tunnel.slug}.key", private), Source(key)),
                Row((label, f"{WIREGUARD_FOLDER}/main-site.pub", of_main), Source("vpn.key")),
            ]
        else:
            file = _key_file(IPSEC_FOLDER, tunnel.remote.link.vpn_key)
            rows += [Row((where, file, shared), Source(key, "")) for where in (MAIN_SITE, label)]
    requirement = "INET-5" if site.over_internet else "BVPN-3"
    rows = [Row(row.cells, row.source._replace(requirement=requirement)) for row in rows]
    head = (said("on the router of", "sur le routeur de"), said("file", "fichier"), said("holds", "contient"))
    note = said(
        "Mode 0600, owner root. `wg genkey` makes a private key on the router itself; only public keys "
        "travel.",
        "Mode 0600, propriétaire root. `wg genkey` crée la clé privée sur le routeur même ; seules les clés "
        "publiques voyagent.",
    )
    return Table(head, tuple(rows), said("Key files", "Fichiers de clés"), note)
