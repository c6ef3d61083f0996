"""WireGuard for the tunnels: one interface at the main site with a peer for each remote one; its far ends."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final

from trunkline.finding import said
from trunkline.plan.bandwidth import tunnel_mtu
from trunkline.plan.document import File
from trunkline.plan.figures import MAIN_SITE
from trunkline.plan.firewall_words import plain
from trunkline.plan.tunnel_ends import Tunnel, comments, lines, tunnel_address
from trunkline.site.model import Site
from trunkline.site.scalar import is_address

FOLDER: Final = "/etc/wireguard"
MAIN_KEY: Final = f"{FOLDER}/tl-voice.key"
MAIN_PUBLIC: Final = f"{FOLDER}/main-site.pub"
KEEPALIVE: Final = 25  # s: shorter than any NAT forgets a UDP flow
SMALL_LINK: Final = 1492  # MTU of PPPoE, the narrowest usual access (RFC 2516 §7)


def public_file(tunnel: Tunnel) -> str:
    """Where the main site's router has a remote site's public key."""
    return f"{FOLDER}/{tunnel.slug}.pub"


def private_file(tunnel: Tunnel) -> str:
    """Where a remote site's router has its own private key."""
    return f"{FOLDER}/tl-{tunnel.slug}.key"


def files(site: Site, tunnels: Sequence[Tunnel]) -> list[File]:
    """One file for wg-quick at the main site, and one at each remote site."""
    assert site.vpn is not None  # tunnels_of has seen to it
    port, mtu = site.vpn.port, tunnel_mtu("wireguard", SMALL_LINK)
    length = ip_network(site.vpn.network).prefixlen
    main = [
        *comments(said("{site}: WireGuard to the remote sites", "{site} : WireGuard vers les sites distants",
                        site=plain(site.customer))),
        "[Interface]",
        f"Address = {tunnel_address(site, 1)}/{length}",
        f"ListenPort = {port}",
        f"MTU = {mtu}",
        f"PostUp = wg set %i private-key {MAIN_KEY}",
    ]  # fmt: skip
    for tunnel in tunnels:
        main.append(f"# {plain(tunnel.remote.label)} ({tunnel.key})")
        peer = public_file(tunnel)
        far = tunnel.remote.link.router
        main += _peer(peer, (f"{tunnel.address}/{_host_bits(tunnel.address)}", *tunnel.there), far, port)
    main += _marking(port)
    files = [File("vpn/wireguard/main-site/tl-voice.conf", lines(main), _file_says(MAIN_SITE, "tl-voice"))]
    for tunnel in tunnels:
        name, label = f"tl-{tunnel.slug}", plain(tunnel.remote.label)
        title = said(
            "{label}: WireGuard to the main site", "{label} : WireGuard vers le site principal", label=label
        )
        main_end = f"{tunnel_address(site, 1)}/{_host_bits(tunnel.address)}"
        remote = [
            *comments(title),
            "[Interface]",
            f"Address = {tunnel.address}/{length}",
            f"ListenPort = {port}",
            f"MTU = {mtu}",
            f"PostUp = wg set %i private-key {private_file(tunnel)}",
            *_peer(MAIN_PUBLIC, (main_end, *tunnel.here), site.vpn.address, port),
            *_marking(port),
        ]
        path = f"vpn/wireguard/{tunnel.slug}/{name}.conf"
        files.append(File(path, lines(remote), _file_says(tunnel.remote.label, name)))
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


def _file_says(where: str, name: str) -> str:
    return said(
        "{where}: {folder}/{name}.conf, for wg-quick up {name}",
        "{where} : {folder}/{name}.conf, pour wg-quick up {name}",
        where=where, folder=FOLDER, name=name,
    )  # fmt: skip
