"""One call through the IPBX: its caller's leg, the legs it tries, and how it ends.

An outgoing call tries the trunk's gateways one after another, never a second one once
something rang; an internal or incoming call rings all of a user's phones at once. The
trunk's channel is taken before the first attempt and given back when the last trunk
leg is gone, so that the bound counts what the carrier counts (CAC-1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from trunkline.call import events
from trunkline.call.bridge import Bridge
from trunkline.call.cause import Cause, from_status
from trunkline.call.leg import Leg
from trunkline.call.watch import Failure, Outcome
from trunkline.pbx.dialplan import Barred, External, Internal, Kind, Unknown
from trunkline.pbx.exchange import PHONE_POLICY, Exchange, trunk_policy
from trunkline.pbx.gateway import TrunkGateway
from trunkline.pbx.record import CallRecord
from trunkline.pbx.trunk import Attempt
from trunkline.sdp.description import Description
from trunkline.sip.endpoint import RequestReceived
from trunkline.sip.locate import Target
from trunkline.sip.message import Request
from trunkline.sip.session import SessionPolicy
from trunkline.sip.uri import escape_user
from trunkline.sip.usage import Outgoing
from trunkline.sip.values import Address
from trunkline.site.model import User

NO_ANSWER = Cause(19, 480, "no answer within the ringing time")
TOO_LONG = Cause(31, 0, "maximum call time reached")
STOPPING = Cause(41, 0, "the IPBX is stopping")
ELSEWHERE = Cause(26, 0, "answered by another phone")
# What a caller's phone gets of refusals that only mean something between IPBX and carrier.
_TO_PHONE = {401: 403, 407: 403, 408: 504, 481: 500, 482: 500, 483: 500, 487: 480, 491: 500}


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


class Call:
    """One call; `hear` takes the events of all its legs."""

    __slots__ = (
        "_at",
        "_attempts",
        "_bridge",
        "_due",
        "_emergency",
        "_external",
        "_failed",
        "_gateway",
        "_on_trunk",
        "_open",
        "_outcome",
        "_over",
        "_rang",
        "_target",
        "a",
        "branches",
        "direction",
        "exchange",
        "id",
        "record",
        "sdp",
        "state",
        "user",
    )

    def __init__(self, exchange: Exchange, over: Callable[[Call], None], now: float) -> None:
        self.exchange = exchange
        self.id = exchange.ids.token()
        self.state = State.NEW
        self.direction = "internal"
        self.user: User | None = None
        self.a: Leg
        self.branches: dict[str, Leg] = {}  # legs that may still answer
        self.sdp: Description | None = None
        self.record = CallRecord(self.id, now, mask_digits=exchange.site.records.mask_digits)
        self._over = over
        self._open: set[str] = set()  # legs that are not gone
        self._on_trunk: dict[str, TrunkGateway] = {}
        self._attempts: list[Attempt] = []
        self._gateway: TrunkGateway | None = None
        self._target: Target | None = None
        self._external: External | None = None
        self._emergency = False
        self._rang = False
        self._outcome: Cause | None = None
        self._failed: dict[str, Cause] = {}
        self._bridge: Bridge | None = None
        self._at: float | None = None
        self._due = ""

    # --- its beginning -----------------------------------------------------------------

    def from_phone(self, user: User, received: RequestReceived, now: float) -> list[Any]:
        """A user's phone calls. Raises ParseError for an INVITE that cannot be a call."""
        self.user, self.direction = user, "internal"
        return self._begin(PHONE_POLICY, received, "", now)

    def from_trunk(self, gateway: TrunkGateway, received: RequestReceived, now: float) -> list[Any]:
        """The carrier calls in, through any of its SBCs. Raises ParseError likewise."""
        self.direction, self._gateway = "incoming", gateway
        return self._begin(trunk_policy(gateway.settings), received, gateway.label, now)

    def _begin(self, policy: SessionPolicy, received: RequestReceived, gateway: str, now: float) -> list[Any]:
        exchange, request = self.exchange, received.request
        self.a = exchange.leg(self, policy)
        self._open.add(self.a.id)
        out = self.a.incoming(received.transaction, request, now)  # type: ignore[arg-type]
        self.record.leg(self.a.id, "caller", request.call_id, now, gateway=gateway)
        return self._heard(out, now)

    def _invited(self, event: events.Invited, now: float) -> list[Any]:
        self.sdp = event.sdp
        request = event.request
        if self.exchange.draining:
            return self._refuse(Cause(41, 503, "the IPBX is stopping"), now, (("Retry-After", "10"),))
        if self.direction == "incoming":
            return self._incoming(request, now)
        assert self.user is not None
        dialled = request.uri.number or request.uri.user
        self.record.parties(self.user.extension, dialled, direction="internal")
        route = self.exchange.dialplan.route(request.uri_text, self.user)
        match route:
            case Internal(user):
                return self._ring_user(
                    user, f'"{self.user.name or self.user.extension}"', self.user.extension, now
                )
            case External():
                return self._outgoing(route, now)
            case Barred(status, why) | Unknown(status, why):
                return self._refuse(from_status(status, why), now)

    # --- outgoing ------------------------------------------------------------------------

    def _outgoing(self, route: External, now: float) -> list[Any]:
        exchange = self.exchange
        self.direction, self._external = "outgoing", route
        self._emergency = route.kind is Kind.EMERGENCY
        self.record.parties(
            self.user.extension if self.user else "", route.number, direction="outgoing", kind=str(route.kind)
        )
        self._attempts = list(exchange.trunk.attempts(now, emergency=self._emergency))
        if not self._attempts:
            return self._refuse(Cause(38, 503, "no gateway is in service"), now)
        out = self._try_next(now)
        if self.state is State.NEW:
            return [*out, *self._refuse(Cause(34, 503, "all channels are in use"), now)]
        return out

    def _try_next(self, now: float) -> list[Any]:
        """The next attempt that has a channel and a path; nothing when there is none."""
        exchange, channels = self.exchange, self.exchange.channels
        assert self._external is not None
        while self._attempts:
            attempt = self._attempts.pop(0)
            gateway = attempt.gateway
            if channels.holds(self.id):
                if not channels.move(self.id, gateway.index):
                    continue
            elif not channels.take(self.id, gateway.index, now, emergency=not self._external.bounded):
                continue
            flow = exchange.flow_to(attempt.target)
            if flow is None:
                continue
            self._gateway, self._target = gateway, attempt.target
            self._go("try")
            leg = self._branch(trunk_policy(gateway.settings), gateway)
            self._plan("silent", now + gateway.settings.protocol.initial_timeout)
            outgoing = self._to_carrier(gateway, flow)
            return self._heard(self._call_leg(leg, outgoing, gateway.label, now), now)
        return []

    def _to_carrier(self, gateway: TrunkGateway, flow: Any) -> Outgoing:
        assert self._external is not None
        assert self.user is not None
        settings, exchange = gateway.settings, self.exchange
        number = exchange.dialplan.as_sent(self._external.number, settings.general.numbers_format)
        host, own = settings.domain_proxy.target_domain, exchange.domain(settings)
        phone = ";user=phone" if number.startswith("+") else ""
        target = f"sip:{number}@{host}{phone}"
        caller = exchange.dialplan.caller(self.user, self._external.clir)
        if caller.number_from:
            shown = f'"{_quoted(caller.name)}" ' if caller.name else ""
            from_ = f"{shown}<sip:{caller.number_from}@{own};user=phone>"
        else:
            from_ = '"Anonymous" <sip:anonymous@anonymous.invalid>'  # RFC 3323 §4.1.1.3
        headers: list[tuple[str, str]] = []
        if settings.identity.rfc3325:
            headers.append(("P-Asserted-Identity", f"<sip:{caller.number_pai}@{own};user=phone>"))
        if caller.privacy:
            headers.append(("Privacy", caller.privacy))
        forwards = self._forwards()
        return Outgoing(target, from_, f"<{target}>", flow, caller.number_pai, tuple(headers), forwards)

    # --- incoming and internal --------------------------------------------------------------

    def _incoming(self, request: Request, now: float) -> list[Any]:
        exchange, gateway = self.exchange, self._gateway
        assert gateway is not None
        caller = _identity(request)
        number = exchange.dialplan.shown(str(caller.uri)) if caller is not None else ""
        self.record.parties(number, request.uri.number or request.uri.user, direction="incoming")
        user = exchange.dialplan.inbound(request.uri_text)
        if user is None:
            return self._refuse(Cause(1, 404, "no user has this DDI"), now)
        if not exchange.channels.take(self.id, gateway.index, now):
            status = exchange.site.trunk.inbound_full_status
            return self._refuse(Cause(34, status, "all channels are in use"), now)
        self._on_trunk[self.a.id] = gateway
        if caller is None or not number:
            return self._ring_user(user, '"Anonymous"', "anonymous", now)
        name = f'"{_quoted(caller.display)}"' if caller.display else ""
        return self._ring_user(user, name, number, now)

    def _ring_user(self, user: User, name: str, number: str, now: float) -> list[Any]:
        """Ring all phones of a user at once; the first to answer has the call."""
        exchange = self.exchange
        bindings = exchange.registrar.contacts(user.extension, now)
        if not bindings:
            return self._refuse(Cause(20, 480, "no phone of this user is registered"), now)
        realm = exchange.site.phones.realm
        from_ = f"{name} <sip:{escape_user(number)}@{realm}>".strip()
        out: list[Any] = []
        self._go("try")
        self._plan("unanswered", now + exchange.site.calls.ringing_max)
        for binding in bindings:
            outgoing = Outgoing(
                str(binding.uri), from_, f"<sip:{user.extension}@{realm}>", binding.flow, escape_user(number),
                (), self._forwards(),
            )  # fmt: skip
            leg = self._branch(PHONE_POLICY, None)
            out += self._call_leg(leg, outgoing, "", now)
        return self._heard(out, now)

    # --- what the legs tell -----------------------------------------------------------------

    def hear(self, event: Any, now: float) -> list[Any]:
        """Take a call event of one of the legs."""
        leg: Leg = event.leg
        match event:
            case events.Invited():
                return self._invited(event, now)
            case events.Proceeding():
                return self._proceeding(leg, now)
            case events.Rang():
                return self._ringing(event, now)
            case events.Answered():
                return self._answered(event, now)
            case events.Refused():
                return self._refused(event, now)
            case events.Ended():
                return self._ended(event, now)
            case events.Gone():
                return self._gone(leg, now)
        if self._bridge is None:
            if isinstance(event, events.Reoffered):  # a change before there is an answer to change
                return leg.refuse_reoffer(491, now)
            if isinstance(event, events.Informed):
                return leg.answer_info(event.transaction, 405, now)
            return []
        return self._heard(self._bridge.carry(event, now), now)

    def _proceeding(self, leg: Leg, now: float) -> list[Any]:
        gateway = self._on_trunk.get(leg.id)
        if leg.id in self.branches and gateway is not None and self._due == "silent":
            self._plan("stalled", now + gateway.settings.protocol.trying_timeout)
        return []

    def _ringing(self, event: events.Rang, now: float) -> list[Any]:
        leg = event.leg
        if leg.id not in self.branches:
            return []
        out: list[Any] = []
        if not self._rang:
            self._rang = True
            self.record.rang(leg.id, now)
            gateway = self._on_trunk.get(leg.id)
            if gateway is not None:
                self._plan("unanswered", now + self.exchange.site.calls.ringing_max)
                out += gateway.call_answered(now)
        self._go("ring")
        early = event.sdp if len(self.branches) == 1 else None
        return [*out, *self._heard(self.a.ring(now, event.status, early), now)]

    def _answered(self, event: events.Answered, now: float) -> list[Any]:
        leg = event.leg
        if leg.id not in self.branches:  # two phones at once: the second was too late
            return self._heard(leg.hang_up(ELSEWHERE, now), now)
        self._go("answer")
        del self.branches[leg.id]
        out = self._drop_branches(ELSEWHERE, now)
        self._bridge = Bridge(self.a, leg)
        self._plan("too long", now + self.exchange.site.calls.duration_max)
        self.record.answered(leg.id, now)
        self.record.media(leg.id, event.sdp)
        gateway = self._on_trunk.get(leg.id)
        if gateway is not None and not self._rang:
            out += gateway.call_answered(now)
        return [*out, *self._heard(self._bridge.carry(event, now), now)]

    def _refused(self, event: events.Refused, now: float) -> list[Any]:
        leg, cause = event.leg, event.cause
        self.record.ended(leg.id, cause, "remote", now)
        if self.branches.pop(leg.id, None) is None:
            return []
        gateway = self._on_trunk.get(leg.id)
        if gateway is None:
            self._failed[leg.id] = cause
            return [] if self.branches else self._refuse(_best(self._failed.values()), now)
        outcome: Outcome = cause.status
        if event.response is None:
            outcome = Failure.TIMEOUT if cause.status == 408 else Failure.UNREACHABLE
        return self._attempt_failed(gateway, outcome, cause, event.retry_after, now)

    def _attempt_failed(
        self, gateway: TrunkGateway, outcome: Outcome, cause: Cause, retry_after: float, now: float
    ) -> list[Any]:
        """Go on to the next gateway, or tell the caller."""
        out: list[Any] = []
        if not self._rang:
            out += gateway.call_failed(outcome, retry_after, now, self._target)
            if gateway.reroutes(outcome, self._rang):
                tried = self._try_next(now)
                if tried:
                    return [*out, *tried]
        return [*out, *self._refuse(cause, now)]

    def _ended(self, event: events.Ended, now: float) -> list[Any]:
        leg = event.leg
        self.record.ended(leg.id, event.cause, event.by, now)
        if self.state in (State.ENDING, State.OVER):
            return []
        self._finish(event.cause, "caller" if leg is self.a else "called", now)
        out = self._drop_branches(event.cause, now)
        if self._bridge is not None:
            self.record.ended(self._bridge.other(leg).id, event.cause, "local", now)
            out += self._heard(self._bridge.carry(event, now), now)
        return out

    def _gone(self, leg: Leg, now: float) -> list[Any]:
        self._open.discard(leg.id)
        self.exchange.legs.pop(leg.id, None)
        if self._on_trunk.pop(leg.id, None) is not None and not self._on_trunk and not self.branches:
            self._free_channel()
        if self._open or self.state is not State.ENDING:
            return []
        self._go("over")
        self._at = None
        self.exchange.endpoint.agenda.forget(self)
        self._free_channel()
        self._over(self)
        return list(self.record.writes(now))

    # --- what comes due -----------------------------------------------------------------

    def deadline(self) -> float | None:
        return self._at

    def expire(self, now: float) -> list[Any]:
        """Silence before and after 100, unanswered ringing, too long a call."""
        if self._at is None or now < self._at:
            return []
        due, self._at = self._due, None
        if due in ("silent", "stalled"):
            return self._abandon(due, now)
        if due == "unanswered":
            return self.end(NO_ANSWER, now)
        return self.end(TOO_LONG, now)

    def _abandon(self, due: str, now: float) -> list[Any]:
        """The gateway says nothing: leave the attempt behind, its late answers are cleaned up."""
        leg = next(iter(self.branches.values()))
        gateway = self._on_trunk[leg.id]
        words = "no answer to INVITE" if due == "silent" else "100 and then silence"
        cause = Cause(102, 408, words)
        del self.branches[leg.id]
        self.record.ended(leg.id, cause, "local", now)
        out = self._heard(leg.hang_up(Cause(102, 0, words), now), now)
        return [*out, *self._attempt_failed(gateway, Failure.TIMEOUT, cause, 0.0, now)]

    def end(self, cause: Cause, now: float) -> list[Any]:
        """End the call from here: drained, unanswered, too long."""
        if self.state in (State.ENDING, State.OVER):
            return []
        self._finish(cause, "ipbx", now)
        out = self._drop_branches(cause, now)
        if self._bridge is not None:
            self.record.ended(self._bridge.b.id, cause, "local", now)
            out += self._heard(self._bridge.b.hang_up(cause, now), now)
        self.record.ended(self.a.id, cause, "local", now)
        return [*out, *self._heard(self.a.hang_up(cause, now, cause.status or 480), now)]

    def status(self, now: float) -> dict[str, Any]:
        """For `trunkline status`."""
        return {
            "call": self.id,
            "direction": self.direction,
            "state": str(self.state),
            "gateway": self._gateway.label if self._gateway is not None else "",
            **self.record.status(now),
        }

    # --- small things ---------------------------------------------------------------------

    def _refuse(self, cause: Cause, now: float, headers: Any = ()) -> list[Any]:
        """Tell the caller there is no call."""
        if self.state in (State.ENDING, State.OVER):
            return []
        self._finish(cause, "called", now)
        status = cause.status or 500
        if self.direction != "incoming":
            status = _TO_PHONE.get(status, status)
        if 300 <= status < 400:
            status = 480  # nothing here follows a redirection
        reason = (
            "Reason",
            f"Q.850;cause={cause.q850}" + (f';text="{_quoted(cause.text)}"' if cause.text else ""),
        )
        self.record.ended(self.a.id, cause, "local", now)
        return self._heard(self.a.refuse(status, now, (reason, *headers)), now)

    def _finish(self, cause: Cause, by: str, now: float) -> None:
        self._go("end")
        self._at = None
        self._outcome = cause
        self._attempts.clear()
        self.record.over(cause, by, now)

    def _drop_branches(self, cause: Cause, now: float) -> list[Any]:
        out: list[Any] = []
        for leg in list(self.branches.values()):
            self.record.ended(leg.id, cause, "local", now)
            out += leg.hang_up(cause, now)
        self.branches.clear()
        return self._heard(out, now)

    def _branch(self, policy: SessionPolicy, gateway: TrunkGateway | None) -> Leg:
        leg = self.exchange.leg(self, policy)
        self.branches[leg.id] = leg
        self._open.add(leg.id)
        if gateway is not None:
            self._on_trunk[leg.id] = gateway
        return leg

    def _call_leg(self, leg: Leg, outgoing: Outgoing, gateway: str, now: float) -> list[Any]:
        out = leg.invite(outgoing, self.sdp, now)
        self.record.leg(leg.id, "called", leg.usage.call_id, now, gateway=gateway)
        return out

    def _free_channel(self) -> None:
        if self.exchange.channels.holds(self.id):
            self.exchange.channels.free(self.id)

    def _forwards(self) -> int:
        """RFC 3261 §16.6 step 3, as a B2BUA does it (RFC 7332): one less than what came."""
        request = self.a.request
        came = None if request is None else request.max_forwards
        return 70 if came is None else max(came - 1, 0)

    def _heard(self, out: list[Any], now: float) -> list[Any]:
        """Take the call events among a leg's outputs at once; what is left is for `aio`."""
        rest: list[Any] = []
        for item in out:
            if isinstance(item, events.CallEvent):
                rest += self.hear(item, now)
            else:
                rest.append(item)
        return rest

    def _plan(self, what: str, at: float) -> None:
        self._due, self._at = what, at
        self.exchange.endpoint.wake(self)

    def _go(self, event: str) -> None:
        self.state = NEXT[(self.state, event)]


def _best(causes: Iterable[Cause]) -> Cause:
    """What the caller hears when every phone refused: a person's word before a machine's (§16.7 step 6)."""
    return min(causes, key=lambda cause: (cause.status < 600, cause.status != 486, cause.status or 999))


def _identity(request: Request) -> Address | None:
    """Who calls, as the trusted carrier asserts it: P-Asserted-Identity, else From (RFC 3325 §9.1)."""
    privacy = (request.get("privacy") or "").lower()
    if "id" in privacy.replace(" ", "").split(";"):
        return None
    asserted = request.value("p-asserted-identity")
    return asserted if isinstance(asserted, Address) else request.from_


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
