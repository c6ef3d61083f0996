"""The gateways of the trunk: nominal and backup, names, registration, timers."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site
from trunkline.site.scalar import is_address


def _gateways(site: Site) -> Iterator[tuple[Path, Gateway]]:
    for index, gateway in enumerate(site.trunk.gateways):
        yield ("trunk", "gateways", index), gateway


def _next_hop(gateway: Gateway) -> tuple[str, Path]:
    """The host that requests go to first, and the key that says so."""
    proxy = gateway.domain_proxy
    key = "outbound_proxy" if proxy.outbound_proxy else "target_domain"
    return proxy.outbound_proxy or proxy.target_domain, ("domain_proxy", key)


def _nominal_and_backup(site: Site, facts: Facts) -> Iterator[Seen]:
    if len(site.trunk.gateways) < 2:
        yield Seen(("trunk", "gateways"), "one gateway only: no call passes when its access SBC is lost")


def _indexes_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    first: dict[int, str] = {}
    for path, gateway in _gateways(site):
        number = gateway.general.index
        if number in first:
            says = f"index {number} is taken by gateway {first[number]}"
            yield Seen((*path, "general", "index"), says)
        first.setdefault(number, gateway.label)


def _labels_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    seen: set[str] = set()
    for path, gateway in _gateways(site):
        if gateway.label in seen:
            yield Seen((*path, "label"), f"two gateways are called {gateway.label}")
        seen.add(gateway.label)


def _hosts_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    first: dict[tuple[str, int, str], str] = {}
    for path, gateway in _gateways(site):
        host, key = _next_hop(gateway)
        proxy = gateway.domain_proxy
        target = (host.lower(), proxy.port or 5060, proxy.transport)  # 5060: RFC 3261 19.1.2
        if target in first:
            says = f"gateway {gateway.label} leads to {host}, as gateway {first[target]} does: no backup"
            yield Seen((*path, *key), says)
        first.setdefault(target, gateway.label)


def _name_resolvable(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in _gateways(site):
        host, key = _next_hop(gateway)
        if gateway.dns.mode == "none" and not is_address(host):
            says = f"{host} is a name, but DNS mode none asks no server"
            yield Seen((*path, "dns", "mode"), says, "choose A or SRV, or write the SBC's address")
        elif gateway.dns.mode != "none" and not is_address(host) and not site.dns:
            yield Seen((*path, *key), f"{host} is a name, but the file gives no DNS server")


def _srv_without_port(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in _gateways(site):
        if gateway.dns.mode == "SRV" and gateway.domain_proxy.port is not None:
            says = f"port {gateway.domain_proxy.port} is written out, so no SRV record is asked for"
            yield Seen((*path, "domain_proxy", "port"), says)


def _registration_complete(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in _gateways(site):
        registration = gateway.registration
        for key, value in (("user", registration.user), ("password", registration.password)):
            if registration.requested and not value:
                says = f"gateway {gateway.label} asks for registration without a {key}"
                yield Seen((*path, "registration", key), says)


def _session_timer(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in _gateways(site):
        protocol = gateway.protocol
        if protocol.session_expires < protocol.min_se:
            says = f"session_expires {protocol.session_expires} s is under min_se {protocol.min_se} s"
            yield Seen((*path, "protocol", "session_expires"), says)


def _initial_timeout(site: Site, facts: Facts) -> Iterator[Seen]:
    bound = 64 * site.timers.t1  # timer B, RFC 3261 17.1.1.2
    for path, gateway in _gateways(site):
        if gateway.protocol.initial_timeout >= bound:
            says = f"after {bound:g} s (64 x T1) the call has failed before the other gateway is tried"
            yield Seen((*path, "protocol", "initial_timeout"), says)


def _supervision_period(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in _gateways(site):
        supervision = gateway.protocol.supervision
        shortest = min(supervision.every_up, supervision.every_down)
        if supervision.options and supervision.timeout > shortest:
            says = (
                f"an OPTIONS may wait {supervision.timeout:g} s, but the next goes out after {shortest:g} s"
            )
            yield Seen((*path, "protocol", "supervision", "timeout"), says)


def _codecs(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in _gateways(site):
        for codec in facts.words("internet.codecs"):
            if codec not in gateway.media.codecs:
                says = (
                    f"gateway {gateway.label} does not offer {codec}, the carrier's codec over the internet"
                )
                yield Seen((*path, "media", "codecs"), says, f"ask the carrier; else add {codec}")


_TAB = "SIP Gateways"

RULES = (
    Rule(
        id="SITE-20",
        title="The trunk has a nominal and a backup gateway",
        level=Level.SHOULD,
        source="guide 5.2.4",
        mend=f"{_TAB}: add a second gateway that leads to the carrier's backup access SBC",
        look=_nominal_and_backup,
        needs=("trunk.gateways.*",),
    ),
    Rule(
        id="SITE-21",
        title="Each gateway has its own index",
        level=Level.MUST,
        source="OMC",
        mend=f"{_TAB} > General: give each gateway an index of its own",
        look=_indexes_differ,
    ),
    Rule(
        id="SITE-22",
        title="Each gateway has its own label",
        level=Level.SHOULD,
        source="OMC",
        mend=f"{_TAB} > General: name them apart; records and status show the label",
        look=_labels_differ,
    ),
    Rule(
        id="SITE-23",
        title="Each gateway leads to an access SBC of its own",
        level=Level.MUST,
        source="guide 5.2.4",
        mend=f"{_TAB} > Domain Proxy: lead the second gateway to the backup access SBC",
        look=_hosts_differ,
        needs=("trunk.gateways.*.domain_proxy.outbound_proxy",),
    ),
    Rule(
        id="SITE-24",
        title="The gateways' names can be resolved",
        level=Level.MUST,
        source="RFC 3263 §4",
        mend="Hardware and Limits > DNS: give the DNS servers under dns",
        look=_name_resolvable,
        needs=("dns.*", "trunk.gateways.*.domain_proxy.outbound_proxy", "trunk.gateways.*.dns.mode"),
    ),
    Rule(
        id="SITE-25",
        title="A gateway found by SRV has no port of its own",
        level=Level.SHOULD,
        source="RFC 3263 §4.2",
        mend="delete the port, or choose DNS mode A",
        look=_srv_without_port,
        needs=("trunk.gateways.*.dns.mode",),
    ),
    Rule(
        id="SITE-26",
        title="A registration has a user and a password",
        level=Level.MUST,
        source="RFC 3261 §22",
        mend=f"{_TAB} > Registration: fill it in, or set requested to false",
        look=_registration_complete,
    ),
    Rule(
        id="SITE-27",
        title="The session timer is at least its own minimum",
        level=Level.MUST,
        source="RFC 4028 §5",
        mend=f"{_TAB} > Protocol: set session_expires to at least min_se",
        look=_session_timer,
        needs=("trunk.gateways.*.protocol.min_se",),
    ),
    Rule(
        id="SITE-28",
        title="The other gateway is tried before the call has failed",
        level=Level.SHOULD,
        source="RFC 3261 §17.1.1.2",
        mend=f"{_TAB} > Protocol: set initial_timeout well under 64 x T1; 4 s is usual",
        look=_initial_timeout,
        needs=("timers.t1",),
    ),
    Rule(
        id="SITE-29",
        title="A supervision OPTIONS is over before the next",
        level=Level.SHOULD,
        source="RFC 3261 §11",
        mend=f"{_TAB} > Protocol: set timeout under every_up and every_down",
        look=_supervision_period,
        needs=(
            "trunk.gateways.*.protocol.supervision.every_up",
            "trunk.gateways.*.protocol.supervision.every_down",
        ),
    ),
    Rule(
        id="CODEC-1",
        title="The trunk offers the codec that the carrier requires over the internet",
        level=Level.NOTE,
        source="guide 2.4.8",
        mend=f"{_TAB} > Media: add the codec",
        look=_codecs,
        fact="internet.codecs",
        needs=("trunk.gateways.*.media.codecs.*",),
        architectures=("bvpn",),
    ),
)
