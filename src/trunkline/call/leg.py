"""One side of a call: its SIP usage, its SDP and, where it has one, its media end.

A leg is used in one of two ways. A *passing* leg belongs to a bridge: descriptions
come from the far leg and leave with this leg's own `o=` line; media goes straight
between the two ends (BVPN-2). An *ending* leg (a phone, a subscriber) has `terms`: it
opens a port over the media seam, waits PREPARING until it is there, and makes offers
and answers by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trunkline.call import events
from trunkline.call.cause import NORMAL_CLEARING, Cause, from_status
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.sdp.description import Description, Direction, Origin
from trunkline.sdp.negotiation import Negotiation
from trunkline.sdp.offer_answer import Capabilities, agreed, answer, offer, re_offer
from trunkline.sdp.relay import follow, relabelled
from trunkline.sip import usage as sip
from trunkline.sip.endpoint import Endpoint
from trunkline.sip.headers import Reason, RetryAfter
from trunkline.sip.message import Message, Request
from trunkline.sip.session import SessionPolicy
from trunkline.sip.transaction import ServerInvite

ANCHOR_WAIT = 2.0  # seconds a leg stays PREPARING before it answers 503


class State(StrEnum):
    """A leg's life; PREPARING waits for the media seam, OFFERED for its owner's word."""

    IDLE = "idle"
    PREPARING = "preparing"
    CALLING = "calling"
    OFFERED = "offered"
    RINGING = "ringing"
    TALKING = "talking"
    ENDING = "ending"
    OVER = "over"


NEXT: dict[tuple[State, str], State] = {
    (State.IDLE, "prepare"): State.PREPARING,
    (State.IDLE, "call"): State.CALLING,
    (State.IDLE, "offer"): State.OFFERED,
    (State.IDLE, "gone"): State.OVER,
    (State.PREPARING, "call"): State.CALLING,
    (State.PREPARING, "offer"): State.OFFERED,
    (State.PREPARING, "gone"): State.OVER,
    (State.CALLING, "ring"): State.RINGING,
    (State.CALLING, "answer"): State.TALKING,
    (State.CALLING, "end"): State.ENDING,
    (State.CALLING, "gone"): State.OVER,
    (State.OFFERED, "ring"): State.RINGING,
    (State.OFFERED, "answer"): State.TALKING,
    (State.OFFERED, "gone"): State.OVER,
    (State.RINGING, "ring"): State.RINGING,
    (State.RINGING, "answer"): State.TALKING,
    (State.RINGING, "end"): State.ENDING,
    (State.RINGING, "gone"): State.OVER,
    (State.TALKING, "end"): State.ENDING,
    (State.TALKING, "gone"): State.OVER,
    (State.ENDING, "gone"): State.OVER,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What an ending leg's media is: session id at the seam, address to bind, codecs."""

    media: str
    address: str
    capabilities: Capabilities = field(default_factory=Capabilities)


class Leg:
    """One leg; commands and `hear` return outputs for `aio` and call events for the owner."""

    __slots__ = (
        "_answer_due",
        "_at",
        "_called",
        "_prack",
        "_reoffer_pending",
        "_said",
        "endpoint",
        "id",
        "negotiation",
        "owner",
        "port",
        "reply_direction",
        "request",
        "state",
        "terms",
        "usage",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        id: str,
        policy: SessionPolicy,
        terms: Terms | None = None,
        owner: Any = None,
    ) -> None:
        self.endpoint = endpoint
        self.id = id
        self.terms = terms
        self.owner = owner
        self.state = State.IDLE
        self.request: Request | None = None
        self.negotiation = Negotiation()
        self.port: anchor.Anchored | None = None
        self.reply_direction: Direction = "sendrecv"
        self.usage = sip.InviteUsage(endpoint, self, policy, uac=True)
        self._said: Description | None = None
        self._called: sip.Outgoing | None = None
        self._answer_due = False  # the peer's 2xx held an offer
        self._prack: Any = None  # a reliable provisional whose offer waits for our answer
        self._reoffer_pending = False
        self._at: float | None = None

    # --- commands -------------------------------------------------------------------

    def invite(self, outgoing: sip.Outgoing, sdp: Description | None, now: float) -> list[Any]:
        """Call. A passing leg sends `sdp` (None: the far side offers); an ending leg makes its own."""
        self._called = outgoing
        if self.terms is not None:
            return self._prepare(now)
        self._go("call")
        return self._call(sdp, now)

    def incoming(self, transaction: ServerInvite, request: Request, now: float) -> list[Any]:
        """Take an INVITE. The owner hears Invited, for an ending leg once its port is open.

        Raises ParseError for an INVITE that cannot be a call.
        """
        self.request = request
        self.usage.uac = False
        sdp = _sdp(request)
        out = self.usage.invited(transaction, request, now)
        if self.usage.state is not sip.State.RECEIVED:  # refused on sight (422)
            return [*out, *self._gone(now)]
        if sdp is not None:
            self.negotiation.offer_received(sdp)
        if self.terms is not None:
            return [*out, *self._prepare(now)]
        self._go("offer")
        return [*out, events.Invited(self, request, sdp)]

    def ring(
        self, now: float, status: int = 180, sdp: Description | None = None, headers: sip.Headers = ()
    ) -> list[Any]:
        """Say 18x to the caller; an ending leg sends its answer along with 183 (early media)."""
        if self.state not in (State.OFFERED, State.RINGING):
            return []
        self._go("ring")
        out: list[Any] = []
        body = b""
        if self.terms is not None:
            if status == 183 and self.negotiation.open is not None:
                body, out = self._answer_to_offer(now)
        elif sdp is not None:
            body = self._say(sdp)
        return [*out, *self.usage.provisional(status, now, body, headers)]

    def answer(self, now: float, sdp: Description | None = None, headers: sip.Headers = ()) -> list[Any]:
        """Answer the call with 200."""
        if self.state not in (State.OFFERED, State.RINGING):
            return []
        self._go("answer")
        out: list[Any] = []
        if self.terms is not None:
            if self.negotiation.open is not None:
                body, out = self._answer_to_offer(now)
            elif self._said is not None:
                body = bytes(self._said)  # what the 183 promised
            else:
                body = self._own_offer()
        else:
            body = b"" if sdp is None else self._say(sdp)
            self._note_said(sdp)
        return [*out, *self.usage.accept(body, now, headers)]

    def acknowledge(self, sdp: Description | None, now: float) -> list[Any]:
        """Send the ACK that a far offer in a 2xx waits for, with our answer."""
        if not self._answer_due:
            return []
        self._answer_due = False
        body = b"" if sdp is None else self._say(sdp)
        if sdp is not None:
            self.negotiation.answer_sent(sdp)
        return self.usage.acknowledge(body, now)

    def refuse(
        self, status: int, now: float, headers: sip.Headers = (), reason: str | None = None
    ) -> list[Any]:
        """Refuse the call with 300-699."""
        if self.state not in (State.OFFERED, State.RINGING, State.PREPARING):
            return []
        return [*self.usage.reject(status, now, headers, reason), *self._gone(now)]

    def hang_up(self, cause: Cause, now: float, status: int = 480) -> list[Any]:
        """End the call as its moment asks: CANCEL, BYE, or a refusal with `status`."""
        if self.state in (State.ENDING, State.OVER):
            return []
        if self.usage.state is sip.State.IDLE:  # not even called yet
            return self._gone(now)
        reason: sip.Headers = (("Reason", str(Reason("Q.850", cause.q850, cause.text or None))),)
        if self.usage.state is sip.State.RECEIVED:
            return [*self.usage.reject(status, now, reason), *self._gone(now)]
        self._go("end")
        out: list[Any] = []
        if self._answer_due:
            self._answer_due = False
            out = self.usage.acknowledge(b"", now)  # §13.2.2.4: a 2xx is always acknowledged
        return [*out, *self._release(), *self.usage.hang_up(now, reason)]

    def reoffer(self, sdp: Description | None, now: float) -> list[Any]:
        """Ask the far side to change the session (re-INVITE, or UPDATE before the answer)."""
        try:
            if sdp is not None:
                self.negotiation.offer_sent(sdp)
        except ParseError as error:
            return [events.ReofferRefused(self, error.status)]
        return self.usage.reoffer(b"" if sdp is None else self._say(sdp), now)

    def hold(self, held: bool, now: float) -> list[Any]:
        """An ending leg puts the call on hold (sendonly) or takes it back (RFC 3264 §8.4)."""
        if self._said is None or self.state is not State.TALKING:
            return []
        wanted = re_offer(self._said, "sendonly" if held else "sendrecv")
        return self.reoffer(wanted, now)

    def reanswer(self, sdp: Description | None, now: float) -> list[Any]:
        """Take the change the far side asked for."""
        if not self._reoffer_pending:
            return []
        self._reoffer_pending = False
        body = b"" if sdp is None else self._say(sdp)
        self._note_said(sdp)
        return self.usage.accept_again(body, now)

    def refuse_reoffer(self, status: int, now: float) -> list[Any]:
        """Refuse the change; the session stays as it was."""
        if not self._reoffer_pending:
            return []
        self._reoffer_pending = False
        self.negotiation.refused()
        return self.usage.reject_again(status, now)

    def inform(self, body: bytes, content_type: str, now: float) -> list[Any]:
        return self.usage.inform(body, content_type, now)

    def answer_info(self, transaction: Any, status: int, now: float) -> list[Any]:
        return self.usage.answer_info(transaction, status, now)

    # --- the media seam ----------------------------------------------------------------

    def hear_media(self, event: anchor.Event, now: float) -> list[Any]:
        """Take an event of this leg's media session."""
        if isinstance(event, anchor.Anchored):
            return self._anchored(event, now)
        if isinstance(event, anchor.Refused):
            return self._unanchored(event.why, now) if self.state is State.PREPARING else []
        return []

    def deadline(self) -> float | None:
        return self._at

    def expire(self, now: float) -> list[Any]:
        if self._at is None or now < self._at:
            return []
        self._at = None
        return (
            self._unanchored("the media engine did not answer", now) if self.state is State.PREPARING else []
        )

    def _prepare(self, now: float) -> list[Any]:
        assert self.terms is not None
        self._go("prepare")
        self._at = now + ANCHOR_WAIT
        self.endpoint.wake(self)
        return [anchor.Offer(self.terms.media, self.id, self.terms.address)]

    def _anchored(self, port: anchor.Anchored, now: float) -> list[Any]:
        if self.state is not State.PREPARING:
            late = self.state is State.OVER
            return [anchor.Release(port.media, port.leg)] if late else []
        self.port, self._at = port, None
        if self._called is not None:
            self._go("call")
            return self._call(None, now)
        assert self.request is not None
        self._go("offer")
        return [events.Invited(self, self.request, self.negotiation.open)]

    def _unanchored(self, why: str, now: float) -> list[Any]:
        """No port: 503, whichever way the call went."""
        if self._called is None:
            return [*self.usage.reject(503, now, reason="No Media Port"), *self._gone(now)]
        return [
            events.Refused(self, Cause(from_status(503).q850, 503, why), 0, None),
            *self._gone(now),
        ]

    def _release(self) -> list[Any]:
        if self.terms is None or self.port is None:
            return []
        self.port = None
        return [anchor.Release(self.terms.media, self.id)]

    # --- what the usage tells -------------------------------------------------------------

    def hear(self, event: Any, now: float) -> list[Any]:
        """Take an event of this leg's SIP usage."""
        return _HEARD[type(event)](self, event, now)

    def _trying(self, event: sip.Trying, now: float) -> list[Any]:
        return [events.Proceeding(self)]

    def _progressed(self, event: sip.Progressed, now: float) -> list[Any]:
        if self.state not in (State.CALLING, State.RINGING):
            return []
        self._go("ring")
        response = event.response
        try:
            sdp = _sdp(response)
        except ParseError:
            sdp = None  # a provisional is only a preview: the answer will be judged
        out: list[Any] = []
        if sdp is not None:
            if event.answer_in_prack:
                out += self._offered_in_provisional(event, sdp, now)
            elif self.terms is not None:
                reliable = response.get("rseq") is not None
                out += self._far_answer(sdp, final=reliable)
            else:
                self.negotiation.answer_received(sdp, final=response.get("rseq") is not None)
        return [*out, events.Rang(self, response.status, sdp, response)]

    def _offered_in_provisional(self, event: sip.Progressed, sdp: Description, now: float) -> list[Any]:
        """RFC 3262 §5: the PRACK must answer. A passing leg has no answer yet, so it refuses to stall."""
        self.negotiation.offer_received(sdp)
        if self.terms is None:
            self._prack = event.response
            return []
        body, out = self._answer_to_offer(now)
        return [*out, *self.usage.answer_prack(event.response, body, now)]

    def _accepted(self, event: sip.Accepted, now: float) -> list[Any]:
        self._answer_due = not event.ack_sent
        if self.state not in (State.CALLING, State.RINGING):
            return []
        try:
            sdp = _sdp(event.response)
            self._go("answer")
            if self.terms is not None:
                return [*self._ending_answer(sdp, now), events.Answered(self, sdp, event.response)]
            if sdp is not None:
                if self._answer_due:
                    self.negotiation.offer_received(sdp)
                else:
                    self.negotiation.answer_received(sdp)
        except ParseError as error:
            return self._bad_answer(error, now)
        return [events.Answered(self, sdp, event.response)]

    def _ending_answer(self, sdp: Description | None, now: float) -> list[Any]:
        """An ending leg settles its stream from the 2xx; raises ParseError where nothing fits."""
        if sdp is None and self.negotiation.local is None:
            raise ParseError("SDP", "", "an answer in the 2xx (RFC 3264 §4)", status=488)
        return [] if sdp is None else self._far_answer(sdp, final=True)

    def _bad_answer(self, error: ParseError, now: float) -> list[Any]:
        """The 2xx is useless: acknowledged already or now, then BYE."""
        cause = Cause(from_status(error.status).q850, error.status, str(error))
        if self.state is not State.TALKING:
            self._go("answer")
        return [events.Refused(self, cause, 0, None), *self.hang_up(cause, now)]

    def _acknowledged(self, event: sip.Acknowledged, now: float) -> list[Any]:
        try:
            sdp = _sdp(event.request)
            if sdp is not None and self.negotiation.open is not None and self.terms is not None:
                return [*self._far_answer(sdp, final=True), events.Acknowledged(self, sdp)]
            if sdp is not None and self.negotiation.open is not None:
                self.negotiation.answer_received(sdp)
        except ParseError as error:
            cause = Cause(from_status(error.status).q850, error.status, str(error))
            return [events.Ended(self, cause, "remote"), *self.hang_up(cause, now)]
        return [events.Acknowledged(self, sdp)]

    def _rejected(self, event: sip.Rejected, now: float) -> list[Any]:
        out: list[Any] = []
        if self.state in (State.CALLING, State.RINGING):
            response = event.response
            after = None if response is None else response.value("retry-after")
            wait = after.seconds if isinstance(after, RetryAfter) else 0
            reason = response.reason if response is not None else _SILENCES.get(event.status, "")
            cause = from_status(event.status, reason)
            if response is not None and (given := _q850(response)):
                cause = cause._replace(q850=given)
            out.append(events.Refused(self, cause, wait, response))
        return [*out, *self._gone(now)]

    def _abandoned(self, event: sip.Abandoned, now: float) -> list[Any]:
        if self.state is State.OVER:
            return []
        cause = Cause(_q850(event.request) or NORMAL_CLEARING, 487, "the caller gave up")
        return [events.Ended(self, cause, "remote"), *self._gone(now)]

    def _ended(self, event: sip.Ended, now: float) -> list[Any]:
        if self.state in (State.ENDING, State.OVER):
            return []
        self._go("end")
        given = _q850(event.request) if event.request is not None else 0
        cause = Cause(given or (NORMAL_CLEARING if event.by == "remote" else 102), 0, event.why)
        return [*self._release(), events.Ended(self, cause, event.by)]

    def _usage_gone(self, event: sip.Gone, now: float) -> list[Any]:
        return self._gone(now)

    def _reoffered(self, event: sip.Reoffered, now: float) -> list[Any]:
        try:
            sdp = _sdp(event.request)
            if sdp is not None:
                self.negotiation.offer_received(sdp)
        except ParseError as error:
            wait = str(self.endpoint.ids.number(11))
            after = (("Retry-After", wait),) if error.status == 500 else ()
            return self.usage.reject_again(error.status, now, after)
        if self.terms is None:
            self._reoffer_pending = True
            return [events.Reoffered(self, sdp)]
        try:
            body, out = (self._own_offer(), []) if sdp is None else self._answer_to_offer(now)
        except ParseError as error:
            self.negotiation.refused()
            return self.usage.reject_again(error.status, now)
        return [*out, *self.usage.accept_again(body, now)]

    def _reanswered(self, event: sip.ReofferAccepted, now: float) -> list[Any]:
        self._answer_due = not event.ack_sent
        try:
            sdp = _sdp(event.response)
            if self.terms is not None:
                return [] if sdp is None else self._far_answer(sdp, final=True)
            if sdp is not None:
                if self._answer_due:
                    self.negotiation.offer_received(sdp)
                else:
                    self.negotiation.answer_received(sdp)
        except ParseError as error:
            self.negotiation.refused()
            out = self.usage.acknowledge(b"", now) if self._answer_due else []
            self._answer_due = False
            return [*out, events.ReofferRefused(self, error.status)]
        return [events.Reanswered(self, sdp)]

    def _reoffer_refused(self, event: sip.ReofferRejected, now: float) -> list[Any]:
        self.negotiation.refused()
        return [events.ReofferRefused(self, event.status)]

    def _informed(self, event: sip.Informed, now: float) -> list[Any]:
        return [events.Informed(self, event.request, event.transaction)]

    def _info_answered(self, event: sip.InfoAnswered, now: float) -> list[Any]:
        return [events.InfoAnswered(self, event.status)]

    # --- descriptions ---------------------------------------------------------------------

    def _call(self, sdp: Description | None, now: float) -> list[Any]:
        assert self._called is not None
        if self.terms is not None:
            body = self._own_offer()
        elif sdp is not None:
            self.negotiation.offer_sent(sdp)
            body = self._say(sdp)
        else:
            body = b""
        return self.usage.invite(self._called, body, now)

    def _say(self, sdp: Description) -> bytes:
        """A far description as this leg's own: its o= line, one version up for each change (RFC 3264 §8)."""
        if self._said is None:
            self._said = relabelled(sdp, self._origin())
        else:
            self._said = follow(self._said, sdp)
        return bytes(self._said)

    def _note_said(self, sdp: Description | None) -> None:
        if sdp is None:
            return
        if self.negotiation.open is not None:
            self.negotiation.answer_sent(sdp)
        elif self.negotiation.local is None or self.request is None or not self.request.body:
            self.negotiation.offer_sent(sdp)

    def _origin(self) -> Origin:
        number = self.endpoint.ids.number(2**31)
        address = self.port.address if self.port is not None else self._local_address()
        return Origin("-", number, number, address)

    def _local_address(self) -> str:
        if self._called is not None:
            return self._called.flow.local[0]
        return self.usage.transaction.flow.local[0]  # type: ignore[no-any-return]

    def _own_offer(self) -> bytes:
        assert self.terms is not None
        assert self.port is not None
        if self._said is None:
            self._said = offer(
                self.terms.capabilities,
                self.port.address,
                self.port.port,
                self._origin(),
                self.reply_direction,
                rtcp_port=self.port.rtcp_port,
            )
        self.negotiation.offer_sent(self._said)
        return bytes(self._said)

    def _answer_to_offer(self, now: float) -> tuple[bytes, list[Any]]:
        """An ending leg's answer to the open offer; raises ParseError (488) where nothing fits."""
        assert self.terms is not None
        assert self.port is not None
        assert self.negotiation.open is not None
        origin = self._origin() if self._said is None else self._said.origin
        ours, stream = answer(
            self.negotiation.open,
            self.terms.capabilities,
            self.port.address,
            self.port.port,
            origin,
            self.reply_direction,
            rtcp_port=self.port.rtcp_port,
        )
        self._said = ours if self._said is None else follow(self._said, ours)
        self.negotiation.answer_sent(self._said)
        return bytes(self._said), self._settle_stream(stream)

    def _far_answer(self, sdp: Description, *, final: bool) -> list[Any]:
        """The far side's answer to our own offer; raises ParseError where the two do not match."""
        if self.negotiation.open is None:
            return []
        stream = agreed(self.negotiation.open, sdp)
        self._said = self.negotiation.open
        self.negotiation.answer_received(sdp, final=final)
        return self._settle_stream(stream)

    def _settle_stream(self, stream: Any) -> list[Any]:
        assert self.terms is not None
        return [anchor.Answer(self.terms.media, self.id, stream), events.Agreed(self, stream)]

    # --- small things ------------------------------------------------------------------

    def _gone(self, now: float) -> list[Any]:
        if self.state is State.OVER:
            return []
        pending = self.state is State.PREPARING
        self._go("gone")
        self.endpoint.agenda.forget(self)
        self._at = None
        # An Offer still open is released when its Anchored comes (`_anchored`).
        return [events.Gone(self)] if pending else [*self._release(), events.Gone(self)]

    def _go(self, event: str) -> None:
        self.state = NEXT[(self.state, event)]


def _sdp(message: Message) -> Description | None:
    """The description a message carries; raises ParseError 415 for another body, 400 for a bad one."""
    if not message.body:
        return None
    kind = (message.get("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/sdp":
        raise ParseError("Content-Type", kind, "application/sdp (RFC 3261 §20.15)", status=415)
    return Description.parse(message.body)


def _q850(message: Message) -> int:
    """The Q.850 cause a message names (RFC 3326), 0 if none."""
    try:
        reasons = message.values("reason")
    except ParseError:
        return 0
    for reason in reasons:
        if isinstance(reason, Reason) and reason.protocol.upper() == "Q.850" and reason.cause:
            return reason.cause
    return 0


_SILENCES = {408: "no answer from the next hop", 503: "the next hop cannot be reached"}

_HEARD: dict[type, Callable[[Leg, Any, float], list[Any]]] = {
    sip.Trying: Leg._trying,
    sip.Progressed: Leg._progressed,
    sip.Accepted: Leg._accepted,
    sip.Rejected: Leg._rejected,
    sip.Acknowledged: Leg._acknowledged,
    sip.Abandoned: Leg._abandoned,
    sip.Ended: Leg._ended,
    sip.Gone: Leg._usage_gone,
    sip.Reoffered: Leg._reoffered,
    sip.ReofferAccepted: Leg._reanswered,
    sip.ReofferRejected: Leg._reoffer_refused,
    sip.Informed: Leg._informed,
    sip.InfoAnswered: Leg._info_answered,
}
