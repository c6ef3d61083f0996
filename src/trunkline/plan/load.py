"""How many calls each site is planned for, and the channels they take where (CAC-3).

The guide's table counts, for one call of a scenario, the channels on the IPBX, on both WAN routers
and at the carrier. A plan is a number of calls of each scenario; the rest is multiplication.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

from trunkline.guide.facts import Facts
from trunkline.plan import erlang
from trunkline.plan.bandwidth import Tunnel, Voice
from trunkline.site.model import Site
from trunkline.site.premises import RemoteSite
from trunkline.site.scalar import is_address

PLACES: Final = ("ipbx", "wan_hq", "wan_rs", "carrier_hq", "carrier_rs")
SCENARIOS: Final = (
    "offnet_hq",
    "offnet_rs",
    "offnet_rs_on_hold",
    "offnet_rs_transferred",
    "forced_onnet_hq_rs",
)


class Planned(NamedTuple):
    """Calls of one scenario at once, and the channels of each of PLACES that one of them takes."""

    scenario: str
    calls: int
    each: tuple[int, ...]

    @property
    def taken(self) -> tuple[int, ...]:
        return tuple(self.calls * count for count in self.each)


@dataclass(frozen=True, slots=True)
class Load:
    """What the whole site is planned for. Traffic in Erlang; None: the site file gives none.

    `traffic` is of the whole trunk, remote sites included: it is one trunk with one bound (CAC-1).
    """

    traffic: float | None
    offnet: int
    planned: tuple[Planned, ...]

    def at(self, place: str) -> int:
        """Channels at one of PLACES, all sites together."""
        index = PLACES.index(place)
        return sum(row.taken[index] for row in self.planned)


def users_of(site: Site, remote: str | None = None) -> int:
    """Who telephones: users or phones, whichever list is longer; of one remote site ("": the main one)."""
    users = sum(1 for user in site.users if remote is None or user.site == remote)
    phones = sum(endpoint.count for endpoint in site.endpoints if remote is None or endpoint.site == remote)
    return max(users, phones)


def traffic_with(site: Site, more_users: int) -> float | None:
    """The trunk's busy-hour traffic once `more_users` telephone as the others do; None: not given."""
    traffic, users = site.traffic.busy_hour_erlang, users_of(site)
    if traffic is None or not users:
        return traffic
    return min(traffic * max(users + more_users, 0) / users, erlang.TRAFFIC_MAX)


def needed(traffic: float | None, most: float) -> int | None:
    """Channels for a traffic; None where the traffic is not known."""
    if traffic is None:
        return None
    return erlang.channels(traffic, within_bounds(most)) if traffic else 0


def within_bounds(most: float) -> float:
    """A blocking of the site file, of which any share will do, within what can be computed."""
    return min(max(most, erlang.BLOCKING_MIN), erlang.BLOCKING_MAX)


def load(site: Site, facts: Facts, more_users: int = 0) -> Load:
    """The calls the site is planned for, sorted by the guide's scenarios."""
    traffic = traffic_with(site, more_users)
    by_traffic = needed(traffic, site.traffic.blocking)
    remote = sum(each.channels for each in site.remote_sites)
    offnet = by_traffic if by_traffic is not None else site.trunk.channels
    hold = min(site.traffic.on_hold, remote)
    calls = {
        "offnet_hq": max(offnet - remote, 0),
        "offnet_rs": remote - hold,
        "offnet_rs_on_hold": hold,
        "offnet_rs_transferred": 0,
        "forced_onnet_hq_rs": site.traffic.forced_onnet if site.remote_sites else 0,
    }
    return Load(
        traffic, offnet, tuple(Planned(name, calls[name], _counts(facts, name)) for name in SCENARIOS)
    )


def tabled(facts: Facts) -> bool:
    """Whether the guide has the table at all; without it nothing is counted by it."""
    return all(facts.known(f"sizing.{scenario}") for scenario in SCENARIOS)


def _counts(facts: Facts, scenario: str) -> tuple[int, ...]:
    key = f"sizing.{scenario}"
    row = facts.counts(key) if facts.known(key) else {}
    return tuple(row.get(place, 0) for place in PLACES)


class Link(NamedTuple):
    """One link: the channels on it, what one of them takes (kb/s at IP level), its rate (None: unknown)."""

    remote: RemoteSite | None
    channels: int
    voice: Voice
    rate: int | None
    key: str

    @property
    def true_kbps(self) -> int:
        return ceil(self.channels * self.voice.ip)


def links(site: Site, facts: Facts, plan: Load) -> tuple[Link, ...]:
    """The main site's link, then each remote site's.

    A remote site's forced on-net calls are not told apart in the site file unless it has its own
    figure: each link is then counted for all of them.
    """
    voice = trunk_voice(site)
    main = Link(None, plan.at("wan_hq"), voice, site.wan.kbps if site.wan else None, "wan.kbps")
    onnet = _counts(facts, "forced_onnet_hq_rs")[PLACES.index("wan_rs")]
    offnet = _counts(facts, "offnet_rs")[PLACES.index("wan_rs")]
    found = [main]
    for index, remote in enumerate(site.remote_sites):
        forced = remote.traffic.forced_onnet or site.traffic.forced_onnet
        channels = remote.channels * offnet + forced * onnet
        key = f"remote_sites.{index}.link.kbps"
        found.append(Link(remote, channels, remote_voice(site, remote), remote.link.kbps, key))
    return tuple(found)


def through_main(site: Site) -> tuple[RemoteSite, ...]:
    """The remote sites whose media runs through the main site: all over the internet, else as they say."""
    return tuple(
        remote for remote in site.remote_sites if site.over_internet or remote.media_path == "main-site"
    )


def trunk_voice(site: Site) -> Voice:
    """A channel of the trunk on the main site's link: the first gateway's codec, ptime and SRTP suite."""
    gateway = site.trunk.gateways[0]
    interface = site.interfaces.eth1 if gateway.topology.interface == "eth1" else None
    address = (interface or site.interfaces.eth0).address
    suite = gateway.security.suites[0] if gateway.security.srtp else ""
    return Voice(gateway.media.codecs[0], gateway.media.ptime, suite, ":" in address)


def remote_voice(site: Site, remote: RemoteSite) -> Voice:
    """A channel on a remote site's link: a phone's packets, in the tunnel that the link has."""
    gateway = site.trunk.gateways[0]
    suite = gateway.security.suites[0] if site.phones.srtp else ""
    tunnel: Tunnel = ""
    match remote.link.vpn:
        case "wireguard":
            tunnel = "wireguard"
        case "ipsec":
            tunnel = "ipsec-gcm"
        case "phone":
            tunnel = "ipsec-cbc"  # the client's own suite is not ours to know: the dearer one
    outer = remote.link.router or (site.vpn.address if site.vpn else "")
    ipv6 = ":" in site.interfaces.eth0.address
    return Voice(
        gateway.media.codecs[0], gateway.media.ptime, suite, ipv6, tunnel, is_address(outer) and ":" in outer
    )
