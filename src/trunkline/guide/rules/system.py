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
    pairs = (("udp", phones.udp, trunk.udp), ("tcp", phones.tcp, trunk.tcp), ("tls", phones.tls, trunk.tls))
    for transport, port, taken in pairs:
        if port and port == taken:
            says = (
                f"phones and trunk would both listen on {transport.upper()} port {port} of {trunk.interface}"
            )
            yield Seen(("phones", "listen", transport), says)


def _phones_interface(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.phones.listen.interface == "eth1" and site.interfaces.eth1 is None:
        yield Seen(("phones", "listen", "interface"), "the phones use eth1, but the file describes no eth1")


def _streams_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    taken: dict[tuple[str, int], str] = {}
    for side, listen in (("trunk", site.trunk.listen), ("phones", site.phones.listen)):
        for transport, port in (("tcp", listen.tcp), ("tls", listen.tls)):
            other = taken.setdefault((listen.interface, port), f"{side}.listen.{transport}")
            if port and not other.endswith(f".{transport}"):
                says = f"port {port} of {listen.interface} is {other}'s already: both are TCP ports"
                yield Seen((side, "listen", transport), says)


def _secure_phones(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.phones.srtp and not site.phones.listen.tls:
        yield Seen(("phones", "srtp"), "SRTP keys stand in the SDP, but phones have no TLS to send it over")
    elif site.phones.srtp and not site.over_internet:
        yield Seen(("phones", "srtp"), "over BVPN media goes straight to the access SBC, which takes no SRTP")


def _identified(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.certificates is not None:
        return
    for side, listen in (("phones", site.phones.listen), ("trunk", site.trunk.listen)):
        if listen.tls and (side == "phones" or not site.over_internet):  # else CERT-2
            yield Seen((side, "listen", "tls"), "TLS needs a certificate, and the file names none")


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
        needs=("phones.listen.interface", "trunk.listen.*"),
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
    Rule(
        id="SITE-16",
        title="SIP over TCP and over TLS have ports of their own",
        level=Level.MUST,
        source="RFC 3261 §18",
        mend="let SIP over TLS have port 5061, as RFC 3261 does",
        look=_streams_differ,
        needs=("phones.listen.*", "trunk.listen.*"),
    ),
    Rule(
        id="SITE-17",
        title="Phones use SRTP over TLS only, and where the IPBX anchors media",
        level=Level.MUST,
        source="RFC 4568 §7",
        mend="switch srtp off, or give phones.listen.tls a port on a site whose media is anchored",
        look=_secure_phones,
        needs=("phones.listen.tls", "architecture"),
    ),
    Rule(
        id="SITE-18",
        title="A TLS listener has a certificate",
        level=Level.MUST,
        source="RFC 8446 §4.4.2",
        mend="Web Monitor > Certificates: name the files under certificates",
        look=_identified,
        needs=("certificates", "architecture"),
    ),
)
