"""The public name and address of a site, as its topology has them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Path
from trunkline.guide.rules.walk import interface, private
from trunkline.site.model import Site
from trunkline.site.scalar import is_address

TOPOLOGY_A: Final = ("internet-a",)
TOPOLOGY_B: Final = ("internet-b",)
TOPOLOGY_TAB: Final = "OMC > External Lines > SIP > SIP Gateways > Topology"
NO_WAY_BACK: Final = said(
    "The carrier answers to an address that leads nowhere: no call comes in, and calls out have no sound.",
    "L'opérateur répond à une adresse qui ne mène nulle part : aucun appel n'entre, et les sortants sont "
    "muets.",
)


def reachable(address: str) -> bool:
    """True for an address that the internet can reach, as far as its network tells."""
    return is_address(address) and not private(address) and not ip_address(address).is_loopback


def public_name(site: Site, facts: Facts) -> tuple[Path, str]:
    """The site's public FQDN in small letters, and the key that says it; "" where it says none."""
    key = facts.text("internet.name_interface", "eth0")
    found = interface(site, key)
    return ("interfaces", key, "domain_name"), "" if found is None else found.domain_name.lower()


def public_address(site: Site, facts: Facts) -> str:
    """The address the carrier sends to: the firewall's in topology B, else the trunk interface's; or ""."""
    if site.architecture in TOPOLOGY_B:
        return site.firewall.public_address if site.firewall else ""
    key = facts.text("internet.trunk_interface", "eth1")
    found = interface(site, key)
    return "" if found is None else found.address
