"""One access SBC of the virtual carrier, with the public network behind it.

Toward the customer it behaves as the guide and the knobs say: it knows the IPBX by
its address, counts channels, looks at numbers and codecs, and calls in. Built-in
subscribers are ends on the SBC's media address; an external one is a SIP peer, and
then descriptions pass through.
"""

from __future__ import annotations

from typing import Any

from trunkline.call import events
from trunkline.call.cause import Cause, from_status
from trunkline.call.leg import Leg, Terms, unclaimed
from trunkline.call.node import Drain, Input, Log, Output, Received, TlsRefused, TlsUp, Unreachable
from trunkline.call.party import Behaviour, Party
from trunkline.call.watch import Changed, SendOptions
from trunkline.carrier.customer import AWAY, Customer, Path
from trunkline.carrier.faults import Fault, opens_dialog
from trunkline.carrier.screening import (
    Refusal,
    called_of,
    caller_of,
    screen_called,
    screen_caller,
    screen_media,
)
from trunkline.carrier.subscribers import Subscribers, capabilities
from trunkline.carrier.talk import KEPT, Talk
from trunkline.carrier.through import Through
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.sdp.description import Description
from trunkline.sip.endpoint import Endpoint, EndpointSettings, RequestReceived
from trunkline.sip.flow import Flow, Ids
from trunkline.sip.locate import Answers
from trunkline.sip.message import Request
from trunkline.sip.session import SessionPolicy
from trunkline.sip.transaction import ServerInvite, TimerValues
from trunkline.sip.uri import format_host
from trunkline.sip.usage_events import Headers, Outgoing
from trunkline.site.model import CarrierSbc, Site

POLICY = SessionPolicy()
STOPPING = Cause(41, 503, "the access SBC is stopping")
MEDIA_LOST = Cause(41, 0, "the media engine is gone")
DRAIN_SHARE = 0.8  # of `calls.drain_max`: what is left of calls then is given up, before the end comes
METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO")


class Sbc:
    """One access SBC; a node."""

    def __init__(self, site: Site, sbc: CarrierSbc, ids: Ids, now: float) -> None:
        knobs = site.carrier
        self.site, self.settings, self.knobs = site, sbc, knobs
        self.local = (sbc.signalling, sbc.port)
        self.secure = site.over_internet
        self._outside = Flow("UDP", (sbc.signalling, sbc.public_port) if self.secure else self.local, ("", 0))
        self.suites = _suites(site) if self.secure else ()
        timers = TimerValues(site.timers.t1, site.timers.t2, site.timers.t4)
        shown = {("TLS", self.local): f"{name}:{sbc.port}"} if (name := fqdn(site, sbc)) else {}
        self.endpoint = Endpoint(
            ids, EndpointSettings("Trunkline-SBC", METHODS, timers=timers, advertise=shown)
        )
        self.subscribers = Subscribers(knobs.subscribers)
        self.customer = Customer(site, sbc, ids, now)
        self.fault = Fault.NONE
        self._retry_after = 0
        self._stalled: list[RequestReceived] = []  # INVITEs that got 100 and nothing more
        self.draining = False
        self.calls: dict[str, Leg] = {}  # the leg toward the customer, by leg id
        self._legs: dict[str, Leg] = {}
        self._ends: dict[str, Party | Through] = {}  # who hears a leg
        self.talks: dict[str, Talk] = {}  # of built-in subscribers by leg, the newest last
        self._drain_by: float | None = None
        self.refused_handshakes = 0  # by either side

    # --- the node ---------------------------------------------------------------------

    def start(self, now: float) -> list[Output]:
        return self.expire(now)

    def receive(self, event: Input, now: float) -> list[Output]:
        """Take one event of the world."""
        match event:
            case Received():
                if self.fault is Fault.DEAF and opens_dialog(event.data):
                    return []
                return self._taken(self.endpoint.receive(event.data, event.flow, now), now)
            case Unreachable():
                self.customer.unreachable(event.flow)
                home = self.customer.home(event.flow, now)
                return self._taken(self.endpoint.unreachable(event.flow, now, home), now)
            case Drain():
                return self._drain(now)
            case TlsUp() | TlsRefused():
                return self._handshake(event)
            case Answers():  # it asks for no names
                return []
        return self._taken(self._media(event, now), now)

    def deadline(self) -> float | None:
        if self._recovered:
            return 0.0
        watching = None if self.draining else self.customer.deadline()
        times = (self.endpoint.deadline(), watching, self._drain_by)
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> list[Output]:
        late: list[RequestReceived] = []
        if self._recovered:
            late, self._stalled = self._stalled, late
        out = self._taken([*late, *self.endpoint.expire(now)], now)
        if not self.draining:
            out += self._taken(self.customer.expire(now), now)
        elif self._drain_by is not None and now >= self._drain_by:
            out += self._close()
        return out

    @property
    def drained(self) -> bool:
        """Draining, and no call is left, or its time is up."""
        return self.draining and not self._legs

    def _media(self, event: anchor.Event, now: float) -> list[Any]:
        if isinstance(event, anchor.Lost):
            lost = [end for id in event.medias if (end := self._ends.get(id)) is not None]
            said = Log("warning", f"the media engine {event.worker} is gone, and {len(lost)} calls with it")
            return [said, *(output for end in lost for output in end.hang_up(now, MEDIA_LOST))]
        talk = self.talks.get(event.leg)
        if talk is not None:
            talk.hear(event)
        leg, end = self._legs.get(event.leg), self._ends.get(event.leg)
        if leg is None:
            return unclaimed(event) if isinstance(event, anchor.Anchored) else []
        out = leg.hear_media(event, now)
        return [*out, *end.hear_media(event, now)] if isinstance(end, Party) else out

    def _handshake(self, event: TlsUp | TlsRefused) -> list[Output]:
        """TLS with the customer is told and kept; of others only what was refused."""
        refused = isinstance(event, TlsRefused)
        self.refused_handshakes += refused
        if self.customer.at(event.flow):
            return [Log("warning" if refused else "info", f"customer: {self.customer.seal.heard(event)}")]
        if not isinstance(event, TlsRefused):
            return []
        return [Log("warning", f"TLS from {event.flow.remote[0]} refused: {event.why}")]

    # --- what can be asked of it ----------------------------------------------------------

    def place(self, caller: str, number: str, behaviour: Behaviour, now: float) -> tuple[str, list[Output]]:
        """A subscriber calls the customer's `number`; the leg's id, and the first outputs."""
        leg = self._leg(ends_here=True)
        self._seat(leg, behaviour, caller, number)
        self.calls[leg.id] = leg
        path = self.customer.path(now)
        if path is None:
            return leg.id, self._taken([events.Refused(leg, AWAY, 0, None), *leg.hang_up(AWAY, now)], now)
        return leg.id, self._taken(leg.invite(self._to_customer(path, caller, number), None, now), now)

    def hang_up(self, leg: str, now: float) -> list[Output]:
        """A built-in subscriber puts the receiver down."""
        end = self._ends.get(leg)
        return self._taken(end.hang_up(now), now) if isinstance(end, Party) else []

    def hold(self, leg: str, held: bool, now: float) -> list[Output]:
        """A built-in subscriber holds the call, or takes it back."""
        found = self._legs.get(leg)
        return [] if found is None else self._taken(found.hold(held, now), now)

    def inform(self, leg: str, body: bytes, content_type: str, now: float) -> list[Output]:
        """A built-in subscriber sends an INFO, as a key pressed where no telephone-event was agreed."""
        found = self._legs.get(leg)
        return [] if found is None else self._taken(found.inform(body, content_type, now), now)

    def listen(self, tones: tuple[int, ...]) -> list[Output]:
        """Let all subscribers in calls listen anew: what they heard before no longer counts."""
        out: list[Output] = []
        for id, talk in self.talks.items():
            if id in self._legs and talk.leg.terms is not None:
                talk.heard.clear()
                out.append(anchor.Listen(talk.leg.terms.media, id, tones))
        return out

    def suffer(self, fault: Fault, retry_after: int = 0) -> None:
        """Misbehave from now on, or recover; an UNAVAILABLE one may ask for so many seconds of rest."""
        self.fault, self._retry_after = fault, retry_after

    def status(self, now: float) -> dict[str, Any]:
        """For `trunkline status` and the lab."""
        return {
            "sbc": self.settings.label,
            "fault": str(self.fault),
            "customer": self.customer.status(now),
            "calls": len(self.calls),
            "channels": {"bound": self._bought, "used": len(self.calls)},
            "running": [self._running(leg) for leg in self.calls.values()],
            "draining": self.draining,
            "talks": [talk.status() for talk in self.talks.values()],
            "refused_handshakes": self.refused_handshakes,
            "remains": self.endpoint.remains(),
        }

    def _running(self, leg: Leg) -> dict[str, Any]:
        """One call that takes a channel; a call of a built-in subscriber is among the talks as well."""
        through = isinstance(self._ends[leg.id], Through)
        return {"leg": leg.id, "state": str(leg.state), "through": through}

    # --- requests ---------------------------------------------------------------------------

    def _taken(self, items: list[Any], now: float) -> list[Output]:
        out: list[Any] = []
        for item in items:
            if type(item) is RequestReceived:
                out += self._taken(self._request(item, now), now)
            elif type(item) in events.EVENTS:
                out += self._taken(self._hear(item, now), now)
            elif isinstance(item, SendOptions):
                out += self._taken(self.customer.probe(self.endpoint, item.probe, now), now)
            elif isinstance(item, Changed):
                level = "info" if item.health.value == "up" else "warning"
                out.append(Log(level, f"customer {item.health}: {item.why}"))
            else:
                out.append(item)
        return out

    def _request(self, received: RequestReceived, now: float) -> list[Any]:
        transaction, request, _ = received
        flow, customer = transaction.flow, self.customer
        if self.fault is Fault.UNAVAILABLE or self.draining:
            rest = (("Retry-After", str(self._retry_after)),) if self._retry_after else ()
            return self.endpoint.reply(transaction, 503, now, rest)
        if request.method == "REGISTER" and customer.registers:
            return self.endpoint.respond(transaction, customer.register(request, flow, now), now)
        outside = self.subscribers.at(flow.remote, caller_of(request))
        refusal = None if outside else customer.refuses(flow, now)
        if refusal is not None:
            return self._refuse(received, refusal, now)
        if request.method == "OPTIONS":
            headers = [("Allow", self.endpoint.allow), ("Accept", "application/sdp")]
            return self.endpoint.reply(transaction, 200, now, headers)
        if not isinstance(transaction, ServerInvite):
            return self.endpoint.reply(transaction, 403, now, reason="Nobody Registers Here")
        if self.fault is Fault.STALLED:
            self._stalled.append(received)
            return self.endpoint.trying(transaction, now)
        refusal = self._admit(request, outside, now)
        if refusal is not None:
            return self._refuse(received, refusal, now)
        return self._call(transaction, request, outside, now)

    def _refuse(self, received: RequestReceived, refusal: Refusal, now: float) -> list[Any]:
        reply = self.endpoint.reply(received.transaction, refusal.status, now)
        return [
            *reply,
            Log("info", f"{received.request.method} refused with {refusal.status}: {refusal.why}"),
        ]

    def _admit(self, request: Request, outside: str, now: float) -> Refusal | None:
        """Registration first, then channels, the number, the codec; an emergency goes before the bounds."""
        number = self._called(request)
        emergency = not outside and number in self.site.numbering.emergency
        if not outside and (unknown := self.customer.refuses_call(now)) is not None:
            return unknown
        if outside and self.customer.path(now) is None:
            return Refusal(AWAY.status, AWAY.text)
        if len(self.calls) >= self._bought and not emergency:
            return Refusal(self.knobs.full_status, f"all {self._bought} channels are in use")
        if outside:
            return screen_called(number, self.knobs)
        refusal = None if emergency else screen_caller(request, self.knobs)
        if refusal is None and request.body:
            try:
                refusal = screen_media(Description.parse(request.body), self.knobs, self.secure)
            except ParseError as error:
                refusal = Refusal(400, str(error))
        return refusal

    def _call(self, transaction: ServerInvite, request: Request, outside: str, now: float) -> list[Any]:
        """A call from the customer, or to it from the subscriber whose number is `outside`."""
        number = self._called(request)
        path = self.customer.path(now)
        if outside and path is not None:
            withheld = any(str(value).lower() == "id" for value in request.values("privacy"))
            leg, customers = self._through(self._to_customer(path, "" if withheld else outside, number))
        elif (at := self.subscribers.external(number)) is not None:
            leg, _ = self._through(self._to_subscriber(request, number, at))
            customers = leg
        else:
            leg = customers = self._leg(ends_here=True)
            self._seat(leg, self.subscribers.behaviour(number), number, caller_of(request))
        self.calls[customers.id] = customers
        try:
            return leg.incoming(transaction, request, now)
        except ParseError as error:
            end = self._ends[leg.id]
            for mine in (end.bridge.a, end.bridge.b) if isinstance(end, Through) else (leg,):
                self._forget(mine.id)
            return self.endpoint.reply(transaction, error.status, now)

    def _hear(self, event: events.CallEvent, now: float) -> list[Any]:
        leg = event.leg
        end = self._ends.get(leg.id)
        talk = self.talks.get(leg.id)
        if talk is not None:
            talk.hear(event)
        out = [] if end is None else end.hear(event, now)
        if isinstance(event, events.Gone):
            self._forget(leg.id)
        elif isinstance(event, events.Acknowledged) and event.sdp is not None and end is not None:
            out += self._judge_answer(leg, end, event.sdp, now)
        return out

    def _judge_answer(self, leg: Leg, end: Party | Through, sdp: Description, now: float) -> list[Any]:
        """The customer let us offer: its answer came in the ACK, and is judged as an offer would be."""
        refusal = screen_media(sdp, self.knobs, self.secure) if leg.id in self.calls else None
        if refusal is None:
            return []
        cause = Cause(from_status(refusal.status).q850, refusal.status, refusal.why)
        return [*end.hang_up(now, cause), Log("info", f"call ended: {refusal.why}")]

    def _through(self, onward: Outgoing) -> tuple[Leg, Leg]:
        """Two legs for a call that goes through, the caller's first; the other is called by `onward`.

        On a secured trunk media is relayed here, SRTP toward the customer; else it goes straight.
        """
        leg = self._leg(ends_here=self.secure, toward_customer=onward.flow.transport == "UDP")
        far = self._leg(ends_here=self.secure, toward_customer=onward.flow.transport == "TLS", join=leg.id)
        self._ends[leg.id] = self._ends[far.id] = Through(leg, far, onward)
        return leg, far

    def _to_subscriber(self, request: Request, number: str, at: tuple[str, int]) -> Outgoing:
        """The customer's call on to an external subscriber."""
        caller = caller_of(request)
        uri = f"sip:{number}@{format_host(at[0])}:{at[1]}"
        shown = f"<sip:{caller or 'anonymous'}@{format_host(at[0])}>"
        return Outgoing(uri, shown, f"<{uri}>", self._outside._replace(remote=at), caller)

    def _to_customer(self, path: Path, caller: str, number: str) -> Outgoing:
        """A call to one of the customer's numbers; a `caller` of "" withholds its own."""
        flow, host = path
        shown = '"Anonymous" <sip:anonymous@anonymous.invalid>'
        headers: Headers = (("Privacy", "id"),)
        if caller:
            shown = f"<sip:{caller}@{self.endpoint.host(flow)};user=phone>"
            headers = (("P-Asserted-Identity", shown),)
        target = f"sip:{number}@{host};user=phone"
        return Outgoing(target, shown, f"<{target}>", flow, caller, headers)

    # --- small things ---------------------------------------------------------------------

    @property
    def _recovered(self) -> bool:
        """Whether calls that stalled can go on."""
        return bool(self._stalled) and self.fault is not Fault.STALLED

    @property
    def _bought(self) -> int:
        """How many channels the customer has."""
        return self.knobs.channels or self.site.trunk.channels

    def _called(self, request: Request) -> str:
        return called_of(request, self.site.numbering.emergency)

    def _leg(self, *, ends_here: bool, toward_customer: bool = True, join: str = "") -> Leg:
        id = self.endpoint.ids.token()
        terms: Terms | None = None
        if ends_here:
            able = capabilities(self.knobs, self.suites if toward_customer else ())
            terms = Terms(join or id, self.settings.media, able, join)
        leg = Leg(self.endpoint, id, POLICY, terms, self)
        self._legs[id] = leg
        return leg

    def _seat(self, leg: Leg, behaviour: Behaviour, number: str, other: str) -> None:
        """A built-in subscriber takes this leg."""
        party = self._ends[leg.id] = Party(leg, behaviour)
        self.talks[leg.id] = Talk(leg, party, number, other)
        if len(self.talks) > KEPT:
            del self.talks[next(iter(self.talks))]

    def _forget(self, id: str) -> None:
        self._legs.pop(id, None)
        self.calls.pop(id, None)
        end = self._ends.pop(id, None)
        if end is not None:
            self.endpoint.agenda.forget(end)

    def _drain(self, now: float) -> list[Output]:
        self.draining = True
        self._drain_by = now + DRAIN_SHARE * self.site.calls.drain_max
        out: list[Any] = []
        for leg in list(self._legs.values()):
            out += leg.hang_up(STOPPING, now, STOPPING.status)
        return self._taken(out, now)

    def _close(self) -> list[Output]:
        """Time is up: calls whose far side does not answer are given up."""
        self._drain_by = None
        given_up = list(self._legs)
        for id in given_up:
            self._forget(id)
        said = f"{len(given_up)} legs whose far side did not answer are given up"
        return [Log("warning", said)] if given_up else []


def fqdn(site: Site, sbc: CarrierSbc) -> str:
    """The name of an SBC on a secured trunk: what the customer's gateway calls it; "" over BVPN."""
    if not site.over_internet:
        return ""
    proxies = [gateway.domain_proxy for gateway in site.trunk.gateways]
    pairs = zip(site.carrier.sbcs, proxies, strict=False)
    return next((proxy.outbound_proxy or proxy.target_domain for known, proxy in pairs if known == sbc), "")


def _suites(site: Site) -> tuple[str, ...]:
    """The SRTP suites of the carrier: what the guide names, as the site's gateways have it (SRTP-1)."""
    return tuple(dict.fromkeys(suite for known in site.trunk.gateways for suite in known.security.suites))
