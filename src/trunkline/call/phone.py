"""A built-in phone: registers at the IPBX, calls, answers, and hears what it should.

It is a node like the others. The lab's phones, `trunkline call` and the simulation
use it; what it does when called is a `Behaviour`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trunkline.call import events
from trunkline.call.cause import Cause
from trunkline.call.credentials import authorizer
from trunkline.call.leg import Leg, Terms
from trunkline.call.node import Drain, Input, Output, Received, TlsRefused, TlsUp, Unreachable
from trunkline.call.party import NORMAL, SILENCE, Behaviour, Party
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.sdp.offer_answer import PCMA, Capabilities, Codec, Stream
from trunkline.sip.endpoint import Endpoint, EndpointSettings, RequestReceived, ResponseReceived
from trunkline.sip.flow import Flow, Ids
from trunkline.sip.locate import Answers
from trunkline.sip.registration import Account, Registration, RegistrationChanged, SendRegister, State
from trunkline.sip.session import SessionPolicy
from trunkline.sip.syntax import quote
from trunkline.sip.transaction import ServerInvite, TimerValues
from trunkline.sip.uri import escape_user
from trunkline.sip.usage_events import Outgoing

POLICY = SessionPolicy(reliable="off")
STOPPING = Cause(16, 0, "the phone is switched off")
MEDIA_LOST = Cause(41, 0, "the media engine is gone")


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """One phone: its account at `registrar`, and the addresses it uses.

    `flow` is the path to the IPBX; `media` the IP literal its RTP leaves from; `codecs` what it
    speaks, best first; with `suites` that is SRTP (RFC 4568) and nothing else.
    """

    extension: str
    password: str
    domain: str
    flow: Flow
    media: str
    name: str = ""
    expires: int = 300
    codecs: tuple[Codec, ...] = (PCMA,)
    suites: tuple[str, ...] = ()
    timers: TimerValues = field(default_factory=TimerValues)


@dataclass(slots=True)
class PhoneCall:
    """What a phone knows of one of its calls; `cause` is set when it is over."""

    leg: Leg
    party: Party
    outgoing: bool
    number: str
    invited_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    cause: Cause | None = None
    ended_by: str = ""
    stream: Stream | None = None
    silent: bool = False
    heard: set[int] = field(default_factory=set)
    report: anchor.Report | None = None
    gone: bool = False


class Phone:
    """One phone; a node. `calls` keeps every call it had, the newest last."""

    def __init__(
        self, settings: PhoneSettings, ids: Ids, now: float, behaviour: Behaviour | None = None
    ) -> None:
        self.settings = settings
        self.behaviour = behaviour or Behaviour()
        self.endpoint = Endpoint(ids, EndpointSettings("Trunkline-Phone", timers=settings.timers))
        account = Account(0, settings.domain, settings.extension, settings.password, settings.expires)
        self.registration = Registration(account, ids, now)
        self.calls: list[PhoneCall] = []
        self.registered = False
        self.draining = False
        self._by_leg: dict[str, PhoneCall] = {}

    # --- the node ---------------------------------------------------------------------

    def start(self, now: float) -> list[Output]:
        """Register."""
        return self.expire(now)

    def receive(self, event: Input, now: float) -> list[Output]:
        """Take one event of the world."""
        match event:
            case Received():
                return self._taken(self.endpoint.receive(event.data, event.flow, now), now)
            case Unreachable():
                return self._taken(self.endpoint.unreachable(event.flow, now), now)
            case Drain():
                return self._drain(now)
            case Answers() | TlsUp() | TlsRefused():  # it asks for no names; Unreachable says what matters
                return []
            case anchor.Lost():
                lost = [call for call in self.calls if call.leg.id in event.medias and not call.gone]
                return [output for call in lost for output in self._leaves(call, MEDIA_LOST, now)]
        call = self._by_leg.get(event.leg)
        return [] if call is None else self._media(call, event, now)

    def deadline(self) -> float | None:
        times = (self.endpoint.deadline(), self.registration.deadline())
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> list[Output]:
        out = self._taken(self.endpoint.expire(now), now)
        due = self.registration.deadline()
        if due is not None and due <= now:
            out += self._taken(self.registration.expire(now), now)
        return out

    @property
    def drained(self) -> bool:
        """Switched off, no call left, and off the registrar."""
        over = self.registration.state is State.OVER
        return self.draining and over and all(call.gone for call in self.calls)

    # --- what its user does ---------------------------------------------------------------

    def call(self, number: str, behaviour: Behaviour, now: float) -> tuple[PhoneCall, list[Output]]:
        """Dial `number`; what the caller plays, hears and does is `behaviour`."""
        settings = self.settings
        leg = self._leg()
        call = self._known(leg, Party(leg, behaviour), True, number, now)
        target = f"sip:{escape_user(number)}@{settings.domain}"
        shown = f"{quote(settings.name)} " if settings.name else ""
        own = f"{shown}<sip:{settings.extension}@{settings.domain}>"
        authorize = authorizer(settings.extension, settings.password, self.endpoint.ids)
        outgoing = Outgoing(
            target, own, f"<{target}>", settings.flow, settings.extension, authorize=authorize
        )
        return call, self._taken(leg.invite(outgoing, None, now), now)

    def hang_up(self, call: PhoneCall, now: float) -> list[Output]:
        """Put the receiver down."""
        return self._leaves(call, NORMAL, now)

    def hold(self, call: PhoneCall, held: bool, now: float) -> list[Output]:
        """Hold the call, or take it back."""
        return self._taken(call.leg.hold(held, now), now)

    def inform(self, call: PhoneCall, body: bytes, content_type: str, now: float) -> list[Output]:
        """Send an INFO in the call."""
        return self._taken(call.leg.inform(body, content_type, now), now)

    # --- inside ----------------------------------------------------------------------------

    def _taken(self, items: list[Any], now: float) -> list[Output]:
        out: list[Any] = []
        for item in items:
            if type(item) is RequestReceived:
                out += self._taken(self._request(item, now), now)
            elif type(item) in events.EVENTS:
                out += self._taken(self._hear(item, now), now)
            elif isinstance(item, SendRegister):
                out += self._taken(self._send_register(item, now), now)
            elif isinstance(item, RegistrationChanged):
                self.registered = item.registered
            else:
                out.append(item)
        return out

    def _request(self, received: RequestReceived, now: float) -> list[Any]:
        transaction, request, _ = received
        if not isinstance(transaction, ServerInvite):
            status = 200 if request.method == "OPTIONS" else 405
            return self.endpoint.reply(transaction, status, now, [("Allow", self.endpoint.allow)])
        if self.draining:
            return self.endpoint.reply(transaction, 480, now)
        leg = self._leg()
        self._known(leg, Party(leg, self.behaviour), False, request.from_.uri.user, now)
        try:
            return leg.incoming(transaction, request, now)
        except ParseError as error:
            del self._by_leg[leg.id]
            self.calls.pop()
            return self.endpoint.reply(transaction, error.status, now)

    def _hear(self, event: events.CallEvent, now: float) -> list[Any]:
        call = self._by_leg[event.leg.id]
        match event:
            case events.Rang():
                call.rang_at = now if call.rang_at is None else call.rang_at
            case events.Answered() | events.Acknowledged():
                call.answered_at = now if call.answered_at is None else call.answered_at
            case events.Agreed():
                call.stream = event.stream
            case events.Refused():
                call.cause, call.ended_at, call.ended_by = event.cause, now, "remote"
            case events.Ended():
                if call.ended_at is None:
                    call.cause, call.ended_at, call.ended_by = event.cause, now, event.by
            case events.Gone():
                call.gone = True
                if call.ended_at is None:  # as its own behaviour had it
                    call.cause, call.ended_at, call.ended_by = NORMAL, now, "local"
        return call.party.hear(event, now)

    def _leaves(self, call: PhoneCall, cause: Cause, now: float) -> list[Output]:
        if call.ended_at is None:
            call.cause, call.ended_at, call.ended_by = cause, now, "local"
        return self._taken(call.party.hang_up(now, cause), now)

    def _media(self, call: PhoneCall, event: anchor.Event, now: float) -> list[Output]:
        match event:
            case anchor.Heard():
                call.heard.add(event.tone)
            case anchor.Silent():
                call.silent = True
                if call.party.leaves(event) and call.ended_at is None:
                    call.cause, call.ended_at, call.ended_by = SILENCE, now, "local"
            case anchor.Report():
                call.report = event
        out = call.leg.hear_media(event, now)
        return self._taken([*out, *call.party.hear_media(event, now)], now)

    def _leg(self) -> Leg:
        id = self.endpoint.ids.token()
        return Leg(
            self.endpoint,
            id,
            POLICY,
            Terms(id, self.settings.media, Capabilities(self.settings.codecs, suites=self.settings.suites)),
            self,
        )

    def _known(self, leg: Leg, party: Party, outgoing: bool, number: str, now: float) -> PhoneCall:
        call = PhoneCall(leg, party, outgoing, number, now)
        self.calls.append(call)
        self._by_leg[leg.id] = call
        return call

    def _send_register(self, wanted: SendRegister, now: float) -> list[Any]:
        flow = self.settings.flow
        headers = [
            ("Max-Forwards", "70"),
            ("From", f"<{wanted.aor}>;tag={self.endpoint.ids.token()}"),
            ("To", f"<{wanted.aor}>"),
            ("Call-ID", wanted.call_id),
            ("CSeq", f"{wanted.cseq} REGISTER"),
            ("Contact", self.endpoint.contact(flow, self.settings.extension)),
            *wanted.headers,
        ]
        return self.endpoint.request(
            "REGISTER", wanted.uri, headers, flow, _Registering(self.registration), now
        )[1]

    def _drain(self, now: float) -> list[Output]:
        self.draining = True
        out: list[Any] = []
        for call in self.calls:
            if not call.gone:
                out += call.leg.hang_up(STOPPING, now)
        return self._taken([*out, *self.registration.stop(now)], now)


class _Registering:
    """Who hears what became of a REGISTER."""

    __slots__ = ("registration",)

    def __init__(self, registration: Registration) -> None:
        self.registration = registration

    def hear(self, event: ResponseReceived, now: float) -> list[Any]:
        request = event.transaction.request
        if event.response is None:
            return self.registration.failed(request, "REGISTER was not answered", now)
        if event.status < 200:
            return []
        return self.registration.answered(event.response, request, now)
