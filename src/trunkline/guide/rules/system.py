"""The IPBX around the trunk: its SIP ports, its registrar, its timers."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.site.model import Site


def _base_timers(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.timers.t1 > site.timers.t2:
        says = f"t1 ({site.timers.t1:g} s) is over t2 ({site.timers.t2:g} s)"
        yield Seen(("timers", "t1"), says)


def _registration_times(site: Site, facts: Facts) -> Iterator[Seen]:
    phones = site.phones
    if not phones.expires_min <= phones.expires_default <= phones.expires_max:
        says = (
            f"expires_default ({phones.expires_default:g} s) lies outside "
            f"{phones.expires_min:g} to {phones.expires_max:g} s"
        )
        yield Seen(("phones", "expires_default"), says)


def _ports_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    phones, trunk = site.phones.listen, site.trunk.listen
    if phones.interface != trunk.interface:
        return
    for transport, port, taken in (("udp", phones.udp, trunk.udp), ("tcp", phones.tcp, trunk.tcp)):
        if port and port == taken:
            says = (
                f"phones and trunk would both listen on {transport.upper()} port {port} of {trunk.interface}"
            )
            yield Seen(("phones", "listen", transport), says)


def _phones_interface(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.phones.listen.interface == "eth1" and site.interfaces.eth1 is None:
        yield Seen(("phones", "listen", "interface"), "the phones use eth1, but the file describes no eth1")


RULES = (
    Rule(
        id="SITE-12",
        title="T1 is at most T2",
        level=Level.MUST,
        source="RFC 3261 §17.1.2.2",
        mend="set t1 to 0.5 and t2 to 4, the RFC's own values",
        look=_base_timers,
        needs=("timers.t2",),
    ),
    Rule(
        id="SITE-13",
        title="The registrar's times agree",
        level=Level.MUST,
        source="RFC 3261 §10.3",
        mend="set expires_min, expires_default and expires_max in rising order",
        look=_registration_times,
        needs=("phones.expires_min", "phones.expires_max"),
    ),
    Rule(
        id="SITE-14",
        title="Phones and trunk have SIP ports of their own",
        level=Level.MUST,
        source="OMC",
        mend="let phones register on port 5059, as on OXO Connect",
        look=_ports_differ,
        needs=("phones.listen.interface", "trunk.listen.interface", "trunk.listen.udp", "trunk.listen.tcp"),
    ),
    Rule(
        id="SITE-15",
        title="The interface of the phones is described",
        level=Level.MUST,
        source="OMC",
        mend="choose eth0, or describe eth1 under interfaces",
        look=_phones_interface,
        needs=("interfaces.eth1",),
    ),
)
