"""strongSwan for the tunnels: a connection for each remote site, in swanctl.conf of both ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trunkline.finding import said
from trunkline.plan.document import File
from trunkline.plan.figures import MAIN_SITE
from trunkline.plan.firewall_words import plain
from trunkline.plan.tunnel_ends import Tunnel, comments, lines
from trunkline.site.model import Site

FOLDER: Final = "/etc/swanctl/trunkline"
# RFC 8247 and RFC 8221: what every IKEv2 implementation of today has.
IKE_PROPOSALS: Final = "aes256gcm16-prfsha384-ecp384,aes128gcm16-prfsha256-ecp256"
ESP_PROPOSALS: Final = "aes256gcm16-ecp384,aes128gcm16-ecp256"


def secret_file(tunnel: Tunnel) -> str:
    """Where the secret's line lies on both routers."""
    return f"{FOLDER}/{tunnel.slug}.psk"


def files(site: Site, tunnels: Sequence[Tunnel]) -> list[File]:
    """One swanctl.conf at the main site, with all connections, and one at each remote site."""
    assert site.vpn is not None  # tunnels_of has seen to it
    title = said(
        "{site}: IPsec to the remote sites",
        "{site} : IPsec vers les sites distants",
        site=plain(site.customer),
    )
    main = [*comments(title), "connections {"]
    secrets = ["secrets {"]
    files = []
    for tunnel in tunnels:
        far = tunnel.remote.link.router
        here, there = f"{tunnel.slug}.main", f"{tunnel.slug}.remote"
        psk = secret_file(tunnel)
        main += _connection(tunnel, (here, there), ("", far), (tunnel.here, tunnel.there), begins=False)
        secrets += _secret(tunnel.slug, (here, there), psk)
        title = said("{label}: IPsec to the main site", "{label} : IPsec vers le site principal",
                     label=plain(tunnel.remote.label))  # fmt: skip
        remote = [
            *comments(title),
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
        files.append(File(path, lines(remote), _swan_says(tunnel.remote.label)))
    main += ["}", *secrets, "}"]
    return [File("vpn/strongswan/main-site/swanctl.conf", lines(main), _swan_says(MAIN_SITE)), *files]


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


def _swan_says(where: str) -> str:
    return said(
        "{where}: /etc/swanctl/conf.d/trunkline.conf, for swanctl --load-all",
        "{where} : /etc/swanctl/conf.d/trunkline.conf, pour swanctl --load-all",
        where=where,
    )
