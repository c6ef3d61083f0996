"""The addresses of the carrier's access SBCs: the guide's, or the site's own where it names one.

The site's `carrier.sbcs` is the virtual carrier's, for tests: it is never taken for the carrier's word.
"""

from __future__ import annotations

from trunkline.guide.facts import Facts
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site
from trunkline.site.scalar import is_address


def addresses(site: Site, facts: Facts, gateway: Gateway) -> tuple[str, str]:
    """Signalling and media address of an access SBC; each empty where only the carrier can tell it."""
    proxy = gateway.domain_proxy
    host = proxy.outbound_proxy or proxy.target_domain
    signalling, media = _of_the_guide(site, facts, gateway)
    return signalling or (host if is_address(host) else ""), media


def media_addresses(site: Site, facts: Facts) -> tuple[str, ...]:
    """The media addresses of all access SBCs, as far as they are known."""
    found = (addresses(site, facts, gateway)[1] for gateway in site.trunk.gateways)
    return tuple(dict.fromkeys(filter(None, found)))


def _of_the_guide(site: Site, facts: Facts, gateway: Gateway) -> tuple[str, str]:
    """By its name; where the guide leaves the name open, the first two of the mainland are its pair."""
    group = "internet.sbc" if site.over_internet else "bvpn.sbc"
    pair = [one for one in site.trunk.gateways if one.general.zone == "metropole"]
    for place, role in enumerate(("nominal", "backup")):
        at = f"{group}.{role}"
        if facts.known(f"{at}.name"):
            same = facts.text(f"{at}.name").casefold() == gateway.domain_proxy.target_domain.casefold()
        else:
            same = gateway in pair[place : place + 1]
        if same:
            signalling, media = (facts.text(f"{at}.{what}", "") for what in ("signalling", "media"))
            return signalling, media
    return "", ""
