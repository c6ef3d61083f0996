"""One call through the IPBX: its caller's leg, the legs it tries, and how it ends.

An outgoing call tries the trunk's gateways one after another, never a second one once
something rang; an internal or incoming call rings all of a user's phones at once. The
trunk's channel is taken before the first attempt and given back when the last trunk
leg is gone, so that the bound counts what the carrier counts (CAC-1).

Where media is anchored, it is decided whom to call while the caller's port opens, and the
called side's is asked for in the same turn; nobody is called before the caller's is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any, ClassVar

from trunkline.call import events
from trunkline.call.bridge import Bridge
from trunkline.call.cause import Cause, from_status
from trunkline.call.description import Terms
from trunkline.call.leg import Leg, reasons, unclaimed
from trunkline.call.node import Log
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.pbx import identity, refusal
from trunkline.pbx.attempts import Attempts, Path
from trunkline.pbx.dialplan import Barred, External, Internal, Kind, Unknown
from trunkline.pbx.exchange import PHONE_POLICY, Exchange, others, trunk_policy
from trunkline.pbx.gateway import TrunkGateway
from trunkline.pbx.record import CallRecord
from trunkline.pbx.refusal import Refused
from trunkline.sdp.description import Description
from trunkline.sip.endpoint import RequestReceived
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request
from trunkline.sip.session import SessionPolicy
from trunkline.sip.transaction import ServerInvite
from trunkline.sip.usage_events import Outgoing
from trunkline.site.model import User

NO_ANSWER = Cause(19, 480, "no answer within the ringing time")
TOO_LONG = Cause(31, 0, "maximum call time reached")
ELSEWHERE = Cause(26, 200, "Call completed elsewhere")
DECLINED = Cause(21, 0, "declined on another phone")
SILENT = Cause(102, 408, "no answer to INVITE")
STALLED = Cause(102, 408, "100 and then silence")
REPORT_WAIT = 2.0  # seconds after its last leg that a call waits for what its media was like
FORWARDS = 70  # hops, where the caller named none (RFC 3261 §8.1.1.6)


class State(StrEnum):
    """A call's life; TRYING waits for the first sign, RINGING for an answer."""

    NEW = "new"
    TRYING = "trying"
    RINGING = "ringing"
    TALKING = "talking"
    ENDING = "ending"
    OVER = "over"


NEXT: dict[tuple[State, str], State] = {
    (State.NEW, "try"): State.TRYING,
    (State.NEW, "end"): State.ENDING,
    (State.NEW, "over"): State.OVER,  # refused on sight (422): it will be asked again
    (State.TRYING, "try"): State.TRYING,
    (State.TRYING, "ring"): State.RINGING,
    (State.TRYING, "answer"): State.TALKING,
    (State.TRYING, "end"): State.ENDING,
    (State.RINGING, "ring"): State.RINGING,
    (State.RINGING, "answer"): State.TALKING,
    (State.RINGING, "end"): State.ENDING,
    (State.TALKING, "end"): State.ENDING,
    (State.ENDING, "over"): State.OVER,
}
_ENDED = frozenset({State.ENDING, State.OVER})


class Call:
    """One call; `hear` takes the events of all its legs.

    It keeps the site it began with: a reload is for the calls after it.
    """

    __slots__ = (
        "_at",
        "_attempts",
        "_bridge",
        "_due",
        "_early",
        "_failed",
        "_gateway",
        "_heard_of",
        "_legs",
        "_on_trunk",
        "_open",
        "_over",
        "_reporting",
        "_said",
        "_site",
        "_user",
        "a",
        "branches",
        "direction",
        "exchange",
        "id",
        "record",
        "sdp",
        "state",
    )

    NEXT: ClassVar = NEXT
    a: Leg

    def __init__(self, exchange: Exchange, over: Callable[[Call], None], now: float) -> None:
        self.exchange = exchange
        self.id = exchange.ids.token()
        self.state = State.NEW
        self.direction = "internal"
        self.branches: dict[str, Leg] = {}  # legs that may still answer
        self.sdp: Description | None = None  # the caller's offer
        self.record = CallRecord(self.id, now, mask_digits=exchange.site.records.mask_digits)
        self._site = exchange.site
        self._over = over
        self._user: User | None = None  # the caller, of an internal or outgoing call
        self._gateway: TrunkGateway | None = None  # the one it came by, or was last tried on
        self._attempts: Attempts | None = None
        self._legs: dict[str, Leg] = {}  # all there were, by id
        self._open: set[str] = set()  # legs that are not gone
        self._reporting: set[str] = set()  # legs whose media will still be reported
        self._early: list[anchor.Anchored] = []  # ports of called legs that opened before the caller's
        self._on_trunk: dict[str, TrunkGateway] = {}  # of them, those that use the channel
        self._failed: list[Refused] = []  # phones that refused
        self._heard_of = False  # something rang: no second attempt any more
        self._said: tuple[int, Description | None] = (0, None)  # the last 18x to the caller
        self._bridge: Bridge | None = None
        self._at: float | None = None
        self._due = ""

    # --- its beginning -----------------------------------------------------------------

    def from_phone(self, user: User, received: RequestReceived, now: float) -> list[Any]:
        """A user's phone calls. Raises ParseError for an INVITE that cannot be a call."""
        self._user = user
        return self._begin(PHONE_POLICY, received, "", now)

    def from_trunk(self, gateway: TrunkGateway, received: RequestReceived, now: float) -> list[Any]:
        """The carrier calls in, through any of its SBCs. Raises ParseError likewise."""
        self.direction, self._gateway = "incoming", gateway
        return self._begin(trunk_policy(gateway.settings), received, gateway.label, now)

    def _begin(self, policy: SessionPolicy, received: RequestReceived, gateway: str, now: float) -> list[Any]:
        transaction, request, _ = received
        assert isinstance(transaction, ServerInvite)
        self.a = self.exchange.leg(self, policy, self._caller_terms(transaction.flow, request))
        out = self.a.incoming(transaction, request, now)
        self._open.add(self.a.id)
        self._legs[self.a.id] = self.a
        caller = "" if self._user is None else self._user.extension
        self.record.parties(caller, request.uri.number or request.uri.user, direction=self.direction)
        self.record.leg(self.a.id, "caller", request.call_id, now, gateway=gateway)
        a = self.a
        if not a.preparing:
            return self._heard(out, now)
        decided = self._invited(events.Invited(a, request, a.descriptions.negotiation.open), now)
        if not a.preparing:  # it was refused: no port is wanted
            out = [item for item in out if not isinstance(item, anchor.Offer)]
        return [*out, *decided]

    def _caller_terms(self, flow: Flow, request: Request) -> Terms | None:
        """The media of the caller's leg, where it is anchored here."""
        if self._gateway is not None:
            return self.exchange.trunk_terms(self.id, self._gateway.settings)
        return self.exchange.phone_terms(self.id, flow, secure=b" RTP/SAVP " in request.body)

    def _invited(self, event: events.Invited, now: float) -> list[Any]:
        if self.state is not State.NEW:  # the caller's port is there, and all was decided before
            return []
        self.sdp = event.sdp
        if (wrong := self._unspeakable(event)) is not None:
            return self._refuse(from_status(wrong.status, str(wrong)), now)
        if self._user is None:
            return self._incoming(event.request, now)
        return self._dialled(event.request, self._user, now)

    def _unspeakable(self, event: events.Invited) -> ParseError | None:
        """An offer that can have no answer here is refused before anything rings."""
        try:
            event.leg.descriptions.check(event.sdp)
        except ParseError as error:
            return error
        return None

    def _dialled(self, request: Request, user: User, now: float) -> list[Any]:
        self.record.parties(user.extension, request.uri.number or request.uri.user, direction="internal")
        route = self.exchange.dialplan.route(request.uri_text, user)
        match route:
            case Internal(called):
                return self._ring_user(called, user.name or user.extension, user.extension, now)
            case External():
                return self._outgoing(route, request, user, now)
            case Barred(status, why) | Unknown(status, why):
                return self._refuse(from_status(status, why), now)

    # --- outgoing ------------------------------------------------------------------------

    def _outgoing(self, route: External, request: Request, user: User, now: float) -> list[Any]:
        if route.kind is not Kind.EMERGENCY and identity.wants_privacy(request):
            route = replace(route, clir=True)
        self.direction = "outgoing"
        self.record.parties(user.extension, route.number, direction="outgoing", kind=str(route.kind))
        self._attempts = attempts = Attempts(self.exchange, self.id, user, route, self._forwards(), now)
        path = attempts.next(now)
        return self._refuse(attempts.refusal, now) if path is None else self._try(attempts, path, now)

    def _try(self, attempts: Attempts, path: Path, now: float) -> list[Any]:
        """Call through this gateway."""
        self._go("try")
        gateway = self._gateway = path.gateway
        terms = self.exchange.trunk_terms(self.id, gateway.settings, self.a.id)
        leg = self.exchange.leg(self, trunk_policy(gateway.settings), terms)
        self._on_trunk[leg.id] = gateway
        self._plan("silent", now + gateway.settings.protocol.initial_timeout)
        return self._heard(self._call(leg, attempts.outgoing(path), gateway.label, now), now)

    # --- incoming and internal --------------------------------------------------------------

    def _incoming(self, request: Request, now: float) -> list[Any]:
        exchange, gateway = self.exchange, self._gateway
        assert gateway is not None
        caller = identity.caller_of(request)
        number = "" if caller is None else exchange.dialplan.shown(str(caller.uri))
        account = gateway.settings.registration
        called = identity.called_of(request, account.user if account.requested else "")
        self.record.parties(number, called.number or called.user, direction="incoming")
        user = exchange.dialplan.inbound(str(called))
        if user is None:
            return self._refuse(refusal.NO_SUCH_DDI, now)
        if not exchange.channels.take(self.id, gateway.index, now):
            return self._refuse(refusal.FULL._replace(status=self._site.trunk.inbound_full_status), now)
        self._on_trunk[self.a.id] = gateway
        return self._ring_user(user, "" if caller is None else caller.display, number, now)

    def _ring_user(self, user: User, name: str, number: str, now: float) -> list[Any]:
        """Ring all phones of a user at once; the first to answer has the call."""
        exchange, request = self.exchange, self.a.request
        bindings = exchange.registrar.contacts(user.extension, now)
        if not bindings:
            return self._refuse(refusal.NO_PHONE, now)
        if self._user is not None and user.extension == self._user.extension and request is not None:
            bindings = others(bindings, request)  # who calls itself reaches its other phones
            if not bindings:
                return self._refuse(refusal.CALLS_ITSELF, now)
        self._go("try")
        self._plan("unanswered", now + self._site.calls.ringing_max)
        domain, forwards = exchange.phones_domain, self._forwards()
        shown, to = identity.on_phone(name, number, domain), f"<sip:{user.extension}@{domain}>"
        out: list[Any] = []
        for binding in bindings:
            outgoing = Outgoing(str(binding.uri), shown.from_, to, binding.flow, shown.contact, (), forwards)
            terms = exchange.phone_terms(self.id, binding.flow, self.a.id)
            out += self._call(exchange.leg(self, PHONE_POLICY, terms), outgoing, "", now)
        return self._heard(out, now)

    # --- what the legs tell -----------------------------------------------------------------

    def hear(self, event: events.CallEvent, now: float) -> list[Any]:
        """Take a call event of one of the legs."""
        heard = _HEARD.get(type(event))
        return self._crosses(event, now) if heard is None else heard(self, event, now)

    def hear_media(self, event: Any, now: float) -> list[Any]:
        """Take an event of this call's media session."""
        leg = self._legs.get(event.leg)
        if isinstance(event, anchor.Anchored):
            if leg is None:
                return unclaimed(event)
            if event.leg in self._open:
                self._reporting.add(event.leg)
            if leg is not self.a and self.a.preparing:
                self._early.append(event)  # what rings there could not be told to the caller yet
                return []
        elif isinstance(event, anchor.Report):
            self._reporting.discard(event.leg)
            self.record.quality(event)
            return self.close(now) if self._is_over() else []
        elif isinstance(event, anchor.Silent):
            side = "caller" if leg is self.a else "called party"
            return [Log("warning", f"call {self.id}: no RTP from the {side} for {event.seconds:g} s")]
        elif leg is None or isinstance(event, anchor.Heard | anchor.Pressed):
            return []
        out = leg.hear_media(event, now)
        self.record.called(event.leg, leg.usage.call_id)
        out = self._heard(out, now)
        early, self._early = self._early, []
        for port in early:
            out += self.hear_media(port, now)
        return out

    def _agreed(self, event: events.Agreed, now: float) -> list[Any]:
        """An anchored leg's stream is settled: note it, and tell the other party of a hold."""
        self.record.stream(event.leg.id, event.stream)
        bridge = self._bridge
        if bridge is None or self.state is not State.TALKING:
            return []
        return self._heard(bridge.carry(event, now), now)

    def _proceeding(self, event: events.Proceeding, now: float) -> list[Any]:
        gateway = self._on_trunk.get(event.leg.id)
        if gateway is not None and self._due == "silent":
            self._plan("stalled", now + gateway.settings.protocol.trying_timeout)
        return []

    def _ringing(self, event: events.Rang, now: float) -> list[Any]:
        leg = event.leg
        out: list[Any] = []
        self.record.rang(leg.id, now)
        if not self._heard_of:
            self._heard_of = True
            gateway = self._on_trunk.get(leg.id)
            if gateway is not None:
                self._plan("unanswered", now + self._site.calls.ringing_max)
                out += gateway.call_answered(now)
        self._go("ring")
        early = event.sdp if len(self.branches) == 1 else None  # of several phones none is the call yet
        if self._said == (event.status, early):
            return out  # another phone rings as well, or the same one still does
        self._said = (event.status, early)
        return [*out, *self._heard(self.a.ring(now, event.status, early), now)]

    def _answered(self, event: events.Answered, now: float) -> list[Any]:
        leg = event.leg
        self._go("answer")
        del self.branches[leg.id]
        out = self._drop_branches(ELSEWHERE, now)
        if self._bridge is None:
            self._bridge = Bridge(self.a, leg)
        self._plan("too long", now + self._site.calls.duration_max)
        self.record.answered(leg.id, now)
        if leg.terms is None:  # an anchored leg's stream was noted when it was agreed
            self.record.media(leg.id, event.sdp)
        gateway = self._on_trunk.get(leg.id)
        if gateway is not None and not self._heard_of:
            out += gateway.call_answered(now)
        return [*out, *self._heard(self._bridge.carry(event, now), now)]

    def _refused(self, event: events.Refused, now: float) -> list[Any]:
        leg, cause = event.leg, event.cause
        if self.branches.pop(leg.id, None) is None:  # given up in the same moment, with the caller
            return []
        refused = Refused(cause, event.response is not None)
        ended_by = "remote" if refused.answered else "timer" if refused.silent else "local"
        self.record.ended(leg.id, cause, ended_by, now)
        return self._lost(leg, refused, event.retry_after, now)

    def _lost(self, leg: Leg, refused: Refused, retry_after: float, now: float) -> list[Any]:
        """A leg that might have answered will not."""
        gateway = self._on_trunk.get(leg.id)
        if gateway is not None:
            return self._attempt_failed(gateway, refused, retry_after, now)
        self._failed.append(refused)
        declined = refused.cause.status >= 600
        out = self._drop_branches(DECLINED, now) if declined else []  # §16.7 step 5
        if self.branches:
            return out
        why, told = refusal.of_phones(self._failed)
        by = "called" if any(refused.answered for refused in self._failed) else "ipbx"
        return [*out, *self._refuse(why, now, told=told, by=by)]

    def _attempt_failed(
        self, gateway: TrunkGateway, refused: Refused, retry_after: float, now: float
    ) -> list[Any]:
        """Go on to the next gateway, or tell the caller."""
        out: list[Any] = []
        attempts = self._attempts
        assert attempts is not None
        assert attempts.path is not None
        if not self._heard_of and (outcome := refused.outcome) is not None:
            out += gateway.call_failed(outcome, retry_after, now, attempts.path.target)
            reroutes = gateway.reroutes(outcome, rang=False, emergency=attempts.emergency)
            if reroutes and (path := attempts.next(now)):
                return [*out, *self._try(attempts, path, now)]
        by = "called" if refused.answered else "ipbx"
        return [*out, *self._refuse(refused.cause, now, told=refusal.to_phone(refused), by=by)]

    def _ended(self, event: events.Ended, now: float) -> list[Any]:
        leg, cause = event.leg, event.cause
        self.record.ended(leg.id, cause, event.by, now)
        if self.state in _ENDED:
            return []
        if self.branches.pop(leg.id, None) is not None:  # its BYE overtook its answer
            return self._lost(leg, Refused(cause._replace(status=480), True), 0, now)
        by = "caller" if leg is self.a else "called"
        self._finish(cause, by if event.by == "remote" else "ipbx", now)
        out = self._drop_branches(cause, now)
        if self._bridge is not None:
            self.record.ended(self._bridge.other(leg).id, cause, "local", now)
            out += self._heard(self._bridge.carry(event, now), now)
        return out

    def _gone(self, event: events.Gone, now: float) -> list[Any]:
        id = event.leg.id
        self._open.discard(id)
        self._on_trunk.pop(id, None)
        if self.state is State.NEW:
            self._go("over")
            self._legs.clear()
            self._over(self)
            return []
        out: list[Any] = []
        for port in [port for port in self._early if port.leg == id]:
            self._early.remove(port)
            out += unclaimed(port)
        if self.state is not State.ENDING:
            return out
        self._free_channel()
        if self._is_over():
            return [*out, *self.close(now)]
        if not self._open:  # only reports are waited for, and not for ever
            self._plan("reports", now + REPORT_WAIT)
        return out

    def _is_over(self) -> bool:
        """Whether nothing is left to come: no leg, and no report of its media."""
        return self.state is State.ENDING and not self._open and not self._reporting

    def _crosses(self, event: events.CallEvent, now: float) -> list[Any]:
        """A change of the session, or news inside it, goes to the other side."""
        bridge = self._bridge
        if bridge is None and self.state is State.RINGING and len(self.branches) == 1:
            bridge = self._bridge = Bridge(self.a, next(iter(self.branches.values())))
        if bridge is None:  # nobody yet to change it with
            if isinstance(event, events.Reoffered):
                return self._heard(event.leg.refuse_reoffer(491, now), now)
            assert isinstance(event, events.Informed)
            return event.leg.answer_info(event.transaction, 491, now)
        if isinstance(event, events.Acknowledged | events.Reanswered) and event.sdp is not None:
            self.record.media(bridge.b.id, event.sdp)
        return self._heard(bridge.carry(event, now), now)

    # --- what comes due -----------------------------------------------------------------

    def deadline(self) -> float | None:
        return self._at

    def expire(self, now: float) -> list[Any]:
        """Silence before and after 100, unanswered ringing, too long a call."""
        if self._at is None or now < self._at:
            return []
        due, self._at = self._due, None
        match due:
            case "silent" | "stalled":
                return self._abandon(due, now)
            case "unanswered":
                return self.end(NO_ANSWER, now)
            case "reports":
                return self.close(now)
        return self.end(TOO_LONG, now)

    def _abandon(self, due: str, now: float) -> list[Any]:
        """The gateway says nothing: leave the attempt behind, its late answers are cleaned up."""
        (leg,) = self.branches.values()
        self.branches.clear()
        gateway = self._on_trunk[leg.id]
        cause = SILENT if due == "silent" else STALLED
        if due == "silent":  # the carrier cannot count what it never saw
            del self._on_trunk[leg.id]
        self.record.ended(leg.id, cause, "local", now)
        out = self._heard(leg.hang_up(cause, now), now)
        return [*out, *self._attempt_failed(gateway, Refused(cause, False), 0.0, now)]

    # --- its end ----------------------------------------------------------------------

    def end(self, cause: Cause, now: float, status: int = 480) -> list[Any]:
        """End the call from here; `status` is for a caller that has had no answer yet."""
        if self.state in _ENDED:
            return []
        bridge, talking = self._bridge, self.state is State.TALKING
        self._finish(cause, "ipbx", now)
        out = self._drop_branches(cause, now)
        if bridge is not None and talking:
            self.record.ended(bridge.b.id, cause, "local", now)
            out += self._heard(bridge.b.hang_up(cause, now), now)
        self.record.ended(self.a.id, cause, "local", now)
        return [*out, *self._heard(self.a.hang_up(cause, now, status), now)]

    def close(self, now: float) -> list[Any]:
        """Nothing more is waited for: the channel is free, and the records are written."""
        self._go("over")
        self.exchange.endpoint.agenda.forget(self)
        self._on_trunk.clear()
        self._free_channel()
        self._over(self)
        # The legs know their call: nothing is to refer in a circle, so that it is freed now.
        self._bridge = None
        self.branches.clear()
        self._legs.clear()
        del self.a
        return list(self.record.writes(now))

    def status(self, now: float) -> dict[str, Any]:
        """For `trunkline status`."""
        return {
            "call": self.id,
            "direction": self.direction,
            "state": str(self.state),
            "gateway": self._gateway.label if self._gateway is not None else "",
            **self.record.status(now),
        }

    def _refuse(self, cause: Cause, now: float, *, told: Cause | None = None, by: str = "ipbx") -> list[Any]:
        """There is no call: `cause` is why, `told` what the caller hears of it."""
        told = told or cause
        self._finish(cause, by, now)
        self.record.ended(self.a.id, told, "local", now)
        return self._heard(self.a.refuse(told.status, now, reasons(told)), now)

    def _finish(self, cause: Cause, by: str, now: float) -> None:
        self._go("end")
        self._at = None
        if self._attempts is not None:
            self._attempts.stop()
        self.record.over(cause, by, now)
        self._free_channel()

    def _drop_branches(self, cause: Cause, now: float) -> list[Any]:
        out: list[Any] = []
        for leg in self.branches.values():
            self.record.ended(leg.id, cause, "local", now)
            out += leg.hang_up(cause, now)
        self.branches.clear()
        return self._heard(out, now)

    def _free_channel(self) -> None:
        """Give the channel back once no trunk leg uses it."""
        if not self._on_trunk and self.exchange.channels.holds(self.id):
            self.exchange.channels.free(self.id)

    # --- small things ---------------------------------------------------------------------

    def _call(self, leg: Leg, outgoing: Outgoing, gateway: str, now: float) -> list[Any]:
        self.branches[leg.id] = self._legs[leg.id] = leg
        self._open.add(leg.id)
        out = leg.invite(outgoing, self.sdp, now)
        self.record.leg(leg.id, "called", leg.usage.call_id, now, gateway=gateway)
        return out

    def _forwards(self) -> int:
        """RFC 3261 §16.6 step 3, as a B2BUA does it (RFC 7332): one less than what came."""
        came = None if self.a.request is None else self.a.request.max_forwards
        return FORWARDS if came is None else max(came - 1, 0)

    def _heard(self, out: list[Any], now: float) -> list[Any]:
        """Take the call events among a leg's outputs at once; what is left is for `aio`."""
        rest: list[Any] = []
        for item in out:
            if type(item) in events.EVENTS:
                rest += self.hear(item, now)
            else:
                rest.append(item)
        return rest

    def _plan(self, what: str, at: float) -> None:
        self._due, self._at = what, at
        self.exchange.endpoint.wake(self)

    def _go(self, event: str) -> None:
        self.state = self.NEXT[(self.state, event)]


_HEARD: dict[type, Callable[[Call, Any, float], list[Any]]] = {
    events.Invited: Call._invited,
    events.Proceeding: Call._proceeding,
    events.Rang: Call._ringing,
    events.Answered: Call._answered,
    events.Refused: Call._refused,
    events.Ended: Call._ended,
    events.Gone: Call._gone,
    events.Agreed: Call._agreed,
}
