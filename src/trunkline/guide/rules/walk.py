"""What several rule modules ask of a site: its gateways, an interface, an address nobody outside reaches."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Final

from trunkline.finding import said
from trunkline.guide.rule import Path
from trunkline.site.gateway import Gateway
from trunkline.site.model import Interface, Site
from trunkline.site.scalar import is_address, split_server

BVPN: Final = ("bvpn", "bvpn-rainbow")
INTERNET: Final = ("internet-a", "internet-b")

# RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291: nobody on the internet can reach these. Loopback
# addresses are a lab's, and told by nobody.
_PRIVATE: Final = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    )
)


# The switches of SIP Gateways > Security as OMC calls them, by the site file's keys.
SWITCHES: Final = {
    "sip_tls": said("SIP TLS", "SIP TLS"),
    "mutual_authentication": said("mutual authentication", "l'authentification mutuelle"),
    "srtp": said("SRTP", "SRTP"),
}


def gateways(site: Site) -> Iterator[tuple[Path, Gateway]]:
    """Every gateway of the trunk with its path."""
    for index, gateway in enumerate(site.trunk.gateways):
        yield ("trunk", "gateways", index), gateway


def next_hop(gateway: Gateway) -> tuple[str, Path]:
    """The host that a gateway's requests go to first, and the key below the gateway that says so."""
    proxy = gateway.domain_proxy
    key = "outbound_proxy" if proxy.outbound_proxy else "target_domain"
    return proxy.outbound_proxy or proxy.target_domain, ("domain_proxy", key)


def sip_port(gateway: Gateway) -> int | None:
    """The port that a gateway calls; None where SRV records say it."""
    proxy = gateway.domain_proxy
    if proxy.port is None and gateway.dns.mode == "SRV":
        return None
    return proxy.port or (5061 if proxy.transport == "tls" else 5060)  # RFC 3261 §19.1.2


def interface(site: Site, name: str) -> Interface | None:
    """An interface by its name in OMC; None where the file describes none."""
    return site.interfaces.eth1 if name == "eth1" else site.interfaces.eth0


def private(address: str) -> bool:
    """True for an address that nobody on the internet can reach."""
    return is_address(address) and any(ip_address(address) in network for network in _PRIVATE)


def private_server(server: str) -> bool:
    """The same for a server's address with an optional port."""
    return private(split_server(server, 53)[0])
