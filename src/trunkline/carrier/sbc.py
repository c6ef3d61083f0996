"""One access SBC of the virtual carrier, with the public network behind it.

Toward the customer it behaves as the guide and the knobs say: it knows the IPBX by
its address, counts channels, looks at numbers and codecs, and calls in. Built-in
subscribers are ends on the SBC's media address; an external one is a SIP peer, and
then descriptions pass through.
"""

from __future__ import annotations

from typing import Any

from trunkline.call import events
from trunkline.call.bridge import Bridge
from trunkline.call.cause import Cause
from trunkline.call.leg import Leg, Terms, unclaimed
from trunkline.call.node import Drain, Input, Log, Output, Received, Unreachable
from trunkline.call.party import NO_ANSWER, PATIENCE, Behaviour, Party
from trunkline.carrier.faults import Fault, opens_dialog
from trunkline.carrier.screening import Refusal, caller_of, screen_called, screen_caller, screen_media
from trunkline.carrier.subscribers import Subscribers
from trunkline.carrier.talk import KEPT, Talk
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.sdp.description import Description
from trunkline.sip.endpoint import Endpoint, EndpointSettings, RequestReceived
from trunkline.sip.flow import Flow, Ids
from trunkline.sip.message import Request
from trunkline.sip.session import SessionPolicy
from trunkline.sip.transaction import TimerValues
from trunkline.sip.uri import format_host
from trunkline.sip.usage import Outgoing
from trunkline.site.model import CarrierSbc, Site

POLICY = SessionPolicy()
STOPPING = Cause(41, 0, "the access SBC is stopping")
METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO")


class _Through:
    """A call that goes through, to or from an external subscriber: two passing legs, bridged."""

    def __init__(self, a: Leg, b: Leg, onward: Outgoing) -> None:
        self.bridge = Bridge(a, b)
        self.onward = onward
        self._at: float | None = None

    def hear(self, event: Any, now: float) -> list[Any]:
        match event:
            case events.Invited():
                self._at = now + PATIENCE
                self.bridge.a.endpoint.wake(self)
                return self.bridge.b.invite(self.onward, event.sdp, now)
            case events.Answered() | events.Gone():
                self._at = None
        return self.bridge.carry(event, now)

    def deadline(self) -> float | None:
        return self._at

    def expire(self, now: float) -> list[Any]:
        """It rang for too long."""
        if self._at is None or now < self._at:
            return []
        self._at, (a, b) = None, (self.bridge.a, self.bridge.b)
        return [*b.hang_up(NO_ANSWER, now), *a.hang_up(NO_ANSWER, now, NO_ANSWER.status)]


class Sbc:
    """One access SBC; a node."""

    def __init__(self, site: Site, sbc: CarrierSbc, ids: Ids, now: float) -> None:
        knobs = site.carrier
        self.site, self.settings, self.knobs = site, sbc, knobs
        timers = TimerValues(site.timers.t1, site.timers.t2, site.timers.t4)
        self.endpoint = Endpoint(ids, EndpointSettings("Trunkline-SBC", METHODS, timers=timers))
        self.subscribers = Subscribers(knobs.subscribers)
        self.fault = Fault.NONE
        self._stalled: list[RequestReceived] = []  # INVITEs that got 100 and nothing more
        self.draining = False
        self.calls: dict[str, Leg] = {}  # the leg toward the customer, by leg id
        self._legs: dict[str, Leg] = {}
        self._ends: dict[str, Any] = {}  # who hears a leg: a Party or a _Through
        self.talks: dict[str, Talk] = {}  # of built-in subscribers by leg, the newest last
        self.local = (sbc.signalling, sbc.port)
        self.customer = _customer(site)

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
                return self._taken(self.endpoint.unreachable(event.flow, now), now)
            case Drain():
                return self._drain(now)
        talk = self.talks.get(getattr(event, "leg", ""))
        if talk is not None:
            talk.hear(event)
        leg = self._legs.get(getattr(event, "leg", ""))
        if leg is None:
            return list(unclaimed(event)) if isinstance(event, anchor.Anchored) else []
        out = leg.hear_media(event, now)  # type: ignore[arg-type]
        end = self._ends.get(leg.id)
        if isinstance(end, Party):
            out += end.hear_media(event, now)  # type: ignore[arg-type]
        return self._taken(out, now)

    def deadline(self) -> float | None:
        return 0.0 if self._recovered else self.endpoint.deadline()

    def expire(self, now: float) -> list[Output]:
        late: list[RequestReceived] = []
        if self._recovered:
            late, self._stalled = self._stalled, late
        return self._taken([*late, *self.endpoint.expire(now)], now)

    @property
    def drained(self) -> bool:
        return self.draining and not self._legs

    # --- what can be asked of it ----------------------------------------------------------

    def place(self, caller: str, number: str, behaviour: Behaviour, now: float) -> tuple[str, list[Output]]:
        """A subscriber calls the customer's `number`; the leg's id, and the first outputs."""
        leg = self._leg(ends_here=True)
        self._seat(leg, behaviour, caller, number)
        self.calls[leg.id] = leg
        outgoing = self._to_customer(caller, number)
        return leg.id, self._taken(leg.invite(outgoing, None, now), now)

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

    def suffer(self, fault: Fault) -> None:
        """Misbehave from now on, or recover."""
        self.fault = fault

    def status(self, now: float) -> dict[str, Any]:
        """For `trunkline status` and the lab."""
        return {
            "sbc": self.settings.label,
            "fault": str(self.fault),
            "calls": len(self.calls),
            "draining": self.draining,
            "talks": [talk.status() for talk in self.talks.values()],
            "remains": self.endpoint.remains(),
        }

    # --- requests ---------------------------------------------------------------------------

    def _taken(self, items: list[Any], now: float) -> list[Output]:
        out: list[Any] = []
        for item in items:
            if type(item) is RequestReceived:
                out += self._taken(self._request(item, now), now)
            elif isinstance(item, events.CallEvent):
                out += self._taken(self._hear(item, now), now)
            else:
                out.append(item)
        return out

    def _request(self, received: RequestReceived, now: float) -> list[Any]:
        request, transaction = received.request, received.transaction
        outside = self.subscribers.at(transaction.flow.remote, caller_of(request))
        if not outside and not self._trusted(transaction.flow):
            return self.endpoint.reply(transaction, 403, now, reason="Unknown Customer")
        if self.fault is Fault.UNAVAILABLE or self.draining:
            return self.endpoint.reply(transaction, 503, now)
        if request.method == "OPTIONS":
            headers = [("Allow", self.endpoint.allow), ("Accept", "application/sdp")]
            return self.endpoint.reply(transaction, 200, now, headers)
        if request.method == "REGISTER":
            return self.endpoint.reply(transaction, 403, now)
        if self.fault is Fault.STALLED:
            self._stalled.append(received)
            return self.endpoint.trying(transaction, now)  # type: ignore[arg-type]
        refusal = self._admit(request, outside)
        if refusal is not None:
            reply = self.endpoint.reply(transaction, refusal.status, now)
            return [*reply, Log("info", f"refused with {refusal.status}: {refusal.why}")]
        return self._call(received, outside, now)

    def _call(self, received: RequestReceived, outside: str, now: float) -> list[Any]:
        """A call from the customer, or to it from the subscriber whose number is `outside`."""
        request = received.request
        number = request.uri.number or request.uri.user
        if outside:
            withheld = "id" in (request.get("privacy") or "").lower().replace(" ", "").split(";")
            leg, customers = self._through(self._to_customer("" if withheld else outside, number))
        elif (at := self.subscribers.external(number)) is not None:
            leg, _ = self._through(self._to_subscriber(request, number, at))
            customers = leg
        else:
            leg = customers = self._leg(ends_here=True)
            self._seat(leg, self.subscribers.behaviour(number), number, caller_of(request))
        self.calls[customers.id] = customers
        try:
            return leg.incoming(received.transaction, request, now)  # type: ignore[arg-type]
        except ParseError as error:
            end = self._ends[leg.id]
            for mine in (end.bridge.a, end.bridge.b) if isinstance(end, _Through) else (leg,):
                self._forget(mine.id)
            return self.endpoint.reply(received.transaction, error.status, now)

    def _admit(self, request: Request, outside: str) -> Refusal | None:
        """Channels first, then the number, then the codec."""
        bought = self.knobs.channels or self.site.trunk.channels
        if len(self.calls) >= bought:
            return Refusal(self.knobs.full_status, f"all {bought} channels are in use")
        if outside:
            return screen_called(request, self.knobs)
        refusal = screen_caller(request, self.knobs)
        if refusal is None and request.body:
            try:
                refusal = screen_media(Description.parse(request.body))
            except ParseError as error:
                refusal = Refusal(400, str(error))
        return refusal

    def _hear(self, event: Any, now: float) -> list[Any]:
        leg: Leg = event.leg
        end = self._ends.get(leg.id)
        talk = self.talks.get(leg.id)
        if talk is not None:
            talk.hear(event)
        if isinstance(event, events.Gone):
            out = [] if end is None else end.hear(event, now)
            self._forget(leg.id)
            return list(out)
        return [] if end is None else end.hear(event, now)

    def _through(self, onward: Outgoing) -> tuple[Leg, Leg]:
        """Two legs for a call that goes through, the caller's first; the other is called by `onward`."""
        leg, far = self._leg(ends_here=False), self._leg(ends_here=False)
        self._ends[leg.id] = self._ends[far.id] = _Through(leg, far, onward)
        return leg, far

    def _to_subscriber(self, request: Request, number: str, at: tuple[str, int]) -> Outgoing:
        """The customer's call on to an external subscriber."""
        caller = caller_of(request)
        uri = f"sip:{number}@{format_host(at[0])}:{at[1]}"
        shown = f"<sip:{caller or 'anonymous'}@{format_host(at[0])}>"
        return Outgoing(uri, shown, f"<{uri}>", Flow("UDP", self.local, at), caller)

    def _to_customer(self, caller: str, number: str) -> Outgoing:
        """A call to one of the customer's numbers; a `caller` of "" withholds its own."""
        at = self.customer
        flow = Flow("UDP", self.local, at)
        shown, headers = '"Anonymous" <sip:anonymous@anonymous.invalid>', (("Privacy", "id"),)
        if caller:
            shown = f"<sip:{caller}@{self.endpoint.host(flow)};user=phone>"
            headers = (("P-Asserted-Identity", shown),)
        target = f"sip:{number}@{format_host(at[0])}:{at[1]};user=phone"
        return Outgoing(target, shown, f"<{target}>", flow, caller, headers)

    # --- small things ---------------------------------------------------------------------

    @property
    def _recovered(self) -> bool:
        """Whether calls that stalled can go on."""
        return bool(self._stalled) and self.fault is not Fault.STALLED

    def _trusted(self, flow: Flow) -> bool:
        return flow.remote[0] == self.customer[0] or flow.remote[0] in self.knobs.trusted

    def _leg(self, *, ends_here: bool) -> Leg:
        id = self.endpoint.ids.token()
        terms = Terms(id, self.settings.media) if ends_here else None
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
        out: list[Any] = []
        for leg in list(self._legs.values()):
            out += leg.hang_up(STOPPING, now, 503)
        return self._taken(out, now)


def _customer(site: Site) -> tuple[str, int]:
    """Where the IPBX listens for the trunk, as the customer told the carrier (FORM-1)."""
    listen = site.trunk.listen
    interface = site.interfaces.eth1 if listen.interface == "eth1" else site.interfaces.eth0
    return (interface or site.interfaces.eth0).address, listen.udp or listen.tcp
