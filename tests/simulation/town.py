"""The whole trunk in a `World`: one IPBX, two access SBCs with their subscribers, phones and a DNS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from tests.simulation.hands import Hands, QuietHands, RtpHands, Studio
from tests.simulation.plan import EXTENSIONS, OUTSIDER, Knobs, Plan, Trouble
from tests.simulation.stranger import CALLING, Stranger
from tests.simulation.wire import Account
from tests.simulation.world import Host, Mode, Place, World

from trunkline.call.leg import Leg
from trunkline.call.node import Drain, Output
from trunkline.call.party import Behaviour
from trunkline.call.phone import Phone, PhoneCall, PhoneSettings
from trunkline.carrier.faults import Fault
from trunkline.carrier.sbc import Sbc
from trunkline.pbx.ipbx import Ipbx, Reload
from trunkline.sip.endpoint import Endpoint
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Question, Srv
from trunkline.sip.transaction import TimerValues
from trunkline.site.load import load
from trunkline.site.model import CarrierSubscriber, Site

YOUNG = (
    66.0  # seconds an OPTIONS or REGISTER may live: 64*T1 until its answer, as long again until it is over
)
OUTSIDE = "198.51.100.20"
EXAMPLES = Path(__file__).parents[2] / "examples"


@lru_cache(maxsize=2)
def example_site(name: str = "bvpn.yaml") -> Site:
    """A shipped example, with passwords that need no files."""
    site = load((EXAMPLES / name).read_bytes(), name).site
    assert site is not None
    users = tuple(user.model_copy(update={"password": f"pass-{user.extension}"}) for user in site.users)
    return site.model_copy(update={"users": users})


def site_of(knobs: Knobs, site: Site) -> Site:
    """The example `site` as this plan wants it."""
    gateways = []
    for gateway, sbc in zip(site.trunk.gateways, site.carrier.sbcs, strict=True):
        supervision = gateway.protocol.supervision.model_copy(update={"options": knobs.options})
        protocol = gateway.protocol.model_copy(
            update={
                "supervision": supervision,
                "session_expires": knobs.session_expires,
                "min_se": min(knobs.min_se, knobs.session_expires),
                "reliable_provisionals": knobs.reliable,
            }
        )
        proxy = {"transport": knobs.transport}
        if knobs.dns == "SRV":
            proxy["port"] = None  # type: ignore[assignment]
        elif knobs.dns == "none":
            proxy["outbound_proxy"] = sbc.signalling
        registration = {
            "requested": knobs.registers,
            "user": "+33199001000",
            "password": "trunk",
            "expires": 60.0,
        }
        gateways.append(
            gateway.model_copy(
                update={
                    "registration": gateway.registration.model_copy(update=registration),
                    "protocol": protocol,
                    "dns": gateway.dns.model_copy(update={"mode": knobs.dns}),
                    "domain_proxy": gateway.domain_proxy.model_copy(update=proxy),
                }
            )
        )
    users = tuple(user.model_copy(update={"name": knobs.name or user.name}) for user in site.users)
    outsider = CarrierSubscriber(number=OUTSIDER, does="external", at=f"{OUTSIDE}:5060")
    return site.model_copy(
        update={
            "trunk": site.trunk.model_copy(update={"channels": knobs.channels, "gateways": tuple(gateways)}),
            "users": users,
            "timers": site.timers.model_copy(update={"t1": knobs.t1}),
            "phones": site.phones.model_copy(update={"nonce_lifetime": knobs.nonce_lifetime}),
            "calls": site.calls.model_copy(
                update={"ringing_max": knobs.ringing_max, "duration_max": knobs.duration_max}
            ),
            "carrier": site.carrier.model_copy(
                update={
                    "full_status": knobs.full_status,
                    "registration_required": knobs.registers,
                    "subscribers": (*site.carrier.subscribers, outsider),
                }
            ),
        }
    )


class Town:
    """A site and its carrier, running on virtual time."""

    def __init__(self, plan: Plan, *, log: bool = False) -> None:
        self.plan = plan
        self.world = self._world(log)
        self.world.ttl = plan.knobs.ttl
        self.account = Account()
        self.world.taps.append(self.account)
        self.studio = self._studio()
        self.site = site_of(plan.knobs, self._example())
        self._seen: dict[Any, float] = {}  # transactions, and when they were first seen
        self.deaths: list[tuple[float, str]] = []  # when the process of which host ended
        self.crashes: list[float] = []  # when the IPBX's did so without draining
        self.ipbx_host = self._ipbx()
        self.sbc_hosts: dict[str, Host] = {}
        self.phone_hosts: dict[str, Host] = {}
        for index in range(len(self.site.carrier.sbcs)):
            self._sbc(index)
        if plan.stranger == "subscriber":
            nominal = next(iter(self.sbc_hosts.values()))
            odd = Stranger((OUTSIDE, 5060), next(iter(nominal.udp)), self.world.dice)
            self.world.add(plan.stranger, odd, [(OUTSIDE, 5060)])
        for extension in EXTENSIONS:
            self._phone(extension)
        for extension in sorted(plan.twins):
            self._phone(f"{extension}b")

    def _world(self, log: bool) -> World:
        return World(self.plan.seed, log=log)

    def _studio(self) -> Studio:
        return Studio(self.world)

    def _example(self) -> Site:
        return example_site()

    # --- who is there -------------------------------------------------------------------

    @property
    def ipbx(self) -> Ipbx:
        assert isinstance(self.ipbx_host.node, Ipbx)
        return self.ipbx_host.node

    def sbc(self, label: str) -> Sbc:
        node = self.sbc_hosts[label].node
        assert isinstance(node, Sbc)
        return node

    def phone(self, extension: str) -> Phone:
        node = self.phone_hosts[extension].node
        assert isinstance(node, Phone)
        return node

    def host(self, name: str) -> Host:
        return next(host for host in self.world.hosts if host.name == name)

    def _ipbx(self) -> Host:
        node = Ipbx(self.site, self.world.ids, self.world.now)
        every = node.exchange.listen.every()
        udp = [address for transport, address in every if transport == "UDP"]
        tcp = [address for transport, address in every if transport == "TCP"]
        tls = [address for transport, address in every if transport == "TLS"]
        return self.world.add("ipbx", node, udp, tcp, tls)

    def _sbc(self, index: int) -> None:
        settings, gateway = self.site.carrier.sbcs[index], self.site.trunk.gateways[index]
        place = (settings.signalling, settings.port)
        if settings.label == self.plan.stranger:
            listen = self.ipbx.exchange.listen.trunk["UDP"]
            self.world.add(settings.label, Stranger(place, listen, self.world.dice), [place], [place])
        else:
            host = self._sbc_at(place, settings.label)
            host.hands = self._hands(host)
            self.sbc_hosts[settings.label] = host
        domain = gateway.domain_proxy.target_domain
        names = self.world.names
        names[Question(domain, "A")] = (settings.signalling,)
        for transport in ("udp", "tcp"):
            question = Question(f"_sip._{transport}.{domain}", "SRV")
            names[question] = (Srv(10, 10, settings.port, domain),)

    def _sbc_at(self, place: Place, label: str) -> Host:
        return self.world.add(label, self._new_sbc(label), [place], [place])

    def _new_sbc(self, label: str) -> Sbc:
        settings = next(sbc for sbc in self.site.carrier.sbcs if sbc.label == label)
        return Sbc(self.site, settings, self.world.ids, self.world.now)

    def _phone(self, desk: str) -> None:
        place = (_address(desk), 5060)
        host = self._phone_at(place, desk)
        host.hands = self._hands(host)
        self.phone_hosts[desk] = host

    def _phone_at(self, place: Place, desk: str) -> Host:
        return self.world.add(f"phone {desk}", self._new_phone(desk), [place], [place])

    def _new_phone(self, desk: str) -> Phone:
        """The phone on that desk: `201`, or `201b` for a user's second one."""
        site, knobs = self.site, self.plan.knobs
        user = next(user for user in site.users if user.extension == desk[:3])
        transport = "TCP" if user.extension in self.plan.tcp_phones else "UDP"
        local, listen = (_address(desk), 5060), site.phones.listen
        ipbx = (site.interfaces.eth0.address, listen.tcp if transport == "TCP" else listen.udp)
        settings = PhoneSettings(
            user.extension,
            user.password,
            site.phones.realm,
            Flow(transport, local, ipbx),
            local[0],
            name=knobs.name,
            expires=knobs.phone_expires,
            timers=TimerValues(knobs.t1),
        )
        behaviour = self.plan.phones[EXTENSIONS.index(user.extension)]
        phone = Phone(self._as_wanted(settings), self.world.ids, self.world.now, behaviour)
        if knobs.without_update:
            endpoint = phone.endpoint
            methods = tuple(method for method in endpoint.settings.methods if method != "UPDATE")
            endpoint.settings = replace(endpoint.settings, methods=methods)
            endpoint.allow = ", ".join(methods)
        return phone

    def _as_wanted(self, settings: PhoneSettings) -> PhoneSettings:
        """How this town's phones are set up."""
        return settings

    def _hands(self, host: Host) -> Hands:
        kind = RtpHands if self.plan.rtp else QuietHands
        return kind(self.studio, host, self.plan.temper)

    # --- what people do -------------------------------------------------------------------

    def begin(self) -> None:
        """Start the nodes and let the phones register."""
        world = self.world
        world.carry(self.ipbx_host, self.ipbx.start(world.now))
        for label, host in self.sbc_hosts.items():
            world.carry(host, self.sbc(label).start(world.now))
        for desk, host in self.phone_hosts.items():
            world.carry(host, self.phone(desk).start(world.now))

    def dial(self, extension: str, number: str, behaviour: Behaviour) -> PhoneCall | None:
        """A phone dials; None if there is no phone to do it."""
        host = self.phone_hosts[extension]
        if host.mode in (Mode.GONE, Mode.STOPPED):
            return None
        call, out = self.phone(extension).call(number, behaviour, self.world.now)
        self.world.carry(host, out)
        return call

    @property
    def stranger(self) -> Stranger | None:
        """The odd SBC, if there is one."""
        node = self.host(self.plan.stranger).node if self.plan.stranger else None
        return node if isinstance(node, Stranger) else None

    def odd_call(self, caller: str, number: str) -> None:
        """The odd SBC calls in, in one of its ways."""
        stranger, world = self.stranger, self.world
        assert stranger is not None
        script = world.dice.choice(CALLING)
        world.note(f"{self.plan.stranger}: {script}")
        world.carry(self.host(self.plan.stranger), stranger.place(script, caller, number, world.now))

    def call_in(self, label: str, caller: str, number: str, behaviour: Behaviour) -> Leg | None:
        """A subscriber calls in through that SBC."""
        host, sbc = self.sbc_hosts[label], self.sbc(label)
        if host.mode in (Mode.GONE, Mode.STOPPED):
            return None
        id, out = sbc.place(caller, number, behaviour, self.world.now)
        leg = sbc.talks[id].leg
        self.world.carry(host, out)
        return leg

    def newest(self, who: str) -> Leg | None:
        """The newest living call of a phone or of an SBC's subscribers."""
        if who == self.plan.stranger:
            return None
        if who in self.phone_hosts:
            legs = [call.leg for call in self.phone(who).calls if not call.gone]
        else:
            legs = [talk.leg for talk in self.sbc(who).talks.values() if not talk.gone]
        return legs[-1] if legs else None

    def heard(self, call_id: str) -> set[int]:
        """The tones that whoever has this leg found in what came."""
        found: set[int] = set()
        for desk in self.phone_hosts:
            for call in self.phone(desk).calls:
                found |= call.heard if call.leg.usage.call_id == call_id else set()
        for label in self.sbc_hosts:
            for talk in self.sbc(label).talks.values():
                found |= talk.heard if talk.leg.usage.call_id == call_id else set()
        return found

    def act(self, who: str, what: str) -> None:
        """Somebody does something in the newest call there is."""
        leg = self.newest(who)
        if leg is not None:
            self.tell(self.phone_hosts.get(who) or self.sbc_hosts[who], leg, what)

    def tell(self, host: Host, leg: Leg, what: str) -> None:
        """Whoever has this leg does this with it, if the process that had it still runs."""
        node, now = host.node, self.world.now
        assert isinstance(node, Phone | Sbc)
        if host.mode in (Mode.GONE, Mode.STOPPED) or leg.endpoint is not node.endpoint:
            return
        self.world.note(f"{host.name}: {what}")
        words = b"Signal=5\r\nDuration=160\r\n", "application/dtmf-relay"
        out: list[Output]
        if isinstance(node, Sbc):
            if what == "inform":
                out = node.inform(leg.id, *words, now)
            else:
                out = (
                    node.hang_up(leg.id, now) if what == "hang up" else node.hold(leg.id, what == "hold", now)
                )
        else:
            call = next(call for call in node.calls if call.leg is leg)
            if what == "inform":
                out = node.inform(call, *words, now)
            else:
                out = node.hang_up(call, now) if what == "hang up" else node.hold(call, what == "hold", now)
        self.world.carry(host, out)

    # --- what goes wrong ------------------------------------------------------------------

    def fail(self, trouble: Trouble) -> Callable[[], None]:
        """Make it go wrong; what is returned makes it good again."""
        world, what = self.world, trouble.what
        if what.startswith("dns"):
            return self._fail_dns(what)
        if what == "drain":
            return self._drain()
        if what == "reload":
            world.note("ipbx: reload")
            world.give(self.ipbx_host, Reload(self.site.model_copy(update={"customer": "Other SARL"})))
            return _nothing
        host = self.phone_hosts.get(trouble.whom) or self.sbc_hosts.get(trouble.whom) or self.ipbx_host
        if host.mode is not Mode.UP:
            return _nothing  # one trouble at a time
        match what:
            case "kill":
                if host is self.ipbx_host:
                    self.crashes.append(world.now)
                self._end(host)
                return partial(self._again, host)
            case "cut":
                world.silence(host, True)
                return partial(self._mend, host, Mode.SILENT)
            case "stop":
                world.stop(host)
                return partial(self._mend, host, Mode.STOPPED)
            case "reset":
                world.break_streams(host)
                return _nothing
            case "503" | "100" | "silent":
                return self._fault(host, Fault(what), trouble.rest)
        raise ValueError(what)

    def _fault(self, host: Host, fault: Fault, rest: int) -> Callable[[], None]:
        sbc = host.node
        assert isinstance(sbc, Sbc)
        self.world.note(f"{host.name} suffers {fault}")
        sbc.suffer(fault, rest)

        def mend() -> None:
            sbc.suffer(Fault.NONE)
            self.world.carry(host, [])  # what stalled is due now

        return mend

    def _fail_dns(self, what: str) -> Callable[[], None]:
        world = self.world
        world.note(what)

        def mend() -> None:
            world.dns_error, world.dns_silent = "", False

        world.dns_silent = what == "dns silent"
        world.dns_error = "" if world.dns_silent else "SERVFAIL"
        return mend

    def _drain(self) -> Callable[[], None]:
        """SIGTERM, and a new IPBX once the old one has drained."""
        host, world = self.ipbx_host, self.world
        if host.mode is not Mode.UP:
            return _nothing
        world.note("ipbx: drain")
        world.give(host, Drain())
        self._look_drained(self.ipbx)
        return _nothing

    def _look_drained(self, draining: Ipbx) -> None:
        if self.ipbx_host.node is not draining:
            return  # it was killed meanwhile
        if draining.drained:
            self._end(self.ipbx_host)
            self.world.after(1.0, partial(self._again, self.ipbx_host))
        else:
            self.world.after(0.5, partial(self._look_drained, draining))

    def _end(self, host: Host) -> None:
        self.deaths.append((self.world.now, host.name))
        self.world.take_off(host)

    def _again(self, host: Host) -> None:
        """A fresh process takes the place of the one that ended."""
        world = self.world
        if host is self.ipbx_host:
            ipbx = Ipbx(self.site, world.ids, world.now)
            world.put_on(host, ipbx)
            world.carry(host, ipbx.start(world.now))
        elif host.name in self.sbc_hosts:
            sbc = self._new_sbc(host.name)
            world.put_on(host, sbc)
            world.carry(host, sbc.start(world.now))
        else:
            phone = self._new_phone(host.name.removeprefix("phone "))
            world.put_on(host, phone)
            world.carry(host, phone.start(world.now))

    def _mend(self, host: Host, mode: Mode) -> None:
        if host.mode is not mode:
            return
        if mode is Mode.SILENT:
            self.world.silence(host, False)
        else:
            self.world.go_on(host)

    # --- what is left ---------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """What the IPBX wrote, all its processes."""
        return self.ipbx_host.records

    def _transactions(self, endpoint: Endpoint) -> list[str]:
        """Transactions and timers that should be over; OPTIONS and REGISTER have young ones always."""
        now, keeping = self.world.now, 0
        seen: dict[Any, float] = {}
        left: list[str] = []
        for transaction in (*endpoint._clients.values(), *endpoint._servers.values()):
            since = seen[transaction] = self._seen.get(transaction, now)
            method = transaction.request.method  # "" once nothing but repetitions is expected
            if method in ("OPTIONS", "REGISTER", "") and now - since < YOUNG:
                keeping += 1
            else:
                left.append(f"{type(transaction).__name__} {method} {transaction.state}")
        self._seen = {t: at for t, at in self._seen.items() if t not in seen and at > now - 2 * YOUNG} | seen
        timers = len(endpoint.agenda) - keeping
        return [*left, f"{timers} timers, the next at {endpoint.deadline()}"] if timers > 0 else left

    def remains(self) -> dict[str, list[str]]:
        """What each node still has of calls, transactions, ports and timers."""
        found: dict[str, list[str]] = {}
        for host in self.world.hosts:
            node, left = host.node, []
            if isinstance(node, Stranger):
                continue  # it keeps no house
            assert isinstance(node, Ipbx | Sbc | Phone)
            endpoint = node.endpoint
            left += [f"dialog {dialog.call_id} {dialog.state.value}" for dialog in endpoint.dialogs.values()]
            left += self._transactions(endpoint)
            left += [f"port {port.place[1]} of leg {port.leg}" for port in self.studio.of(host)]
            if isinstance(node, Ipbx):
                left += [f"call {call.id} {call.state}" for call in node.calls.values()]
                if node.exchange.channels.used:
                    left.append(f"{node.exchange.channels.used} channels")
            elif isinstance(node, Sbc):
                left += [f"call {leg.id} {leg.state}" for leg in node.calls.values()]
                left += [f"talk {talk.leg.id}" for talk in node.talks.values() if not talk.gone]
            else:
                left += [f"call {call.leg.id} {call.leg.state}" for call in node.calls if not call.gone]
            found[host.name] = left
        return found


def _address(desk: str) -> str:
    return f"192.0.2.{100 + EXTENSIONS.index(desk[:3]) + (10 if len(desk) > 3 else 0)}"


def _nothing() -> None:
    """What is over by itself needs no mending."""
