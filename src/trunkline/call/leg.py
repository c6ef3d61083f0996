"""One side of a call: its SIP usage, its SDP and, where it has one, its media end.

A leg is used in one of two ways. A *passing* leg belongs to a bridge: descriptions
come from the far leg and leave with this leg's own `o=` line; media goes straight
between the two ends (BVPN-2). An *ending* leg (a phone, a subscriber) has `terms`: it
opens a port over the media seam, waits PREPARING until it is there, and makes offers
and answers by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from trunkline.call import events
from trunkline.call.cause import NORMAL_CLEARING, Cause, from_status
from trunkline.call.description import Descriptions, Terms, description_of
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.sdp.description import Description
from trunkline.sip import usage as sip
from trunkline.sip.endpoint import Endpoint
from trunkline.sip.headers import Reason, RetryAfter
from trunkline.sip.message import Message, Request
from trunkline.sip.session import SessionPolicy
from trunkline.sip.transaction import ServerInvite, ServerRequest

__all__ = ["NEXT", "Leg", "State", "Terms", "unclaimed"]

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


class Leg:
    """One leg; commands and `hear` return outputs for `aio` and call events for the owner."""

    __slots__ = (
        "_answer_due",
        "_at",
        "_called",
        "_reoffer_pending",
        "_turn_due",
        "descriptions",
        "endpoint",
        "id",
        "owner",
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
        self.usage = sip.InviteUsage(endpoint, self, policy)
        self.descriptions = Descriptions(self, endpoint.ids, terms)
        self._called: sip.Outgoing | None = None
        self._answer_due = False  # the peer's 2xx held an offer
        self._reoffer_pending = False
        self._turn_due = False  # the wish to hold changed while another change was under way
        self._at: float | None = None

    # --- commands -------------------------------------------------------------------

    def invite(self, outgoing: sip.Outgoing, sdp: Description | None, now: float) -> list[Any]:
        """Call. A passing leg sends `sdp` (None: the far side offers); an ending leg makes its own."""
        self._called = outgoing
        self.descriptions.address = outgoing.flow.local[0]
        if self.terms is not None:
            return self._prepare(now)
        self._go("call")
        body = b"" if sdp is None else self.descriptions.pass_offer(sdp)
        return self.usage.invite(outgoing, body, now)

    def incoming(self, transaction: ServerInvite, request: Request, now: float) -> list[Any]:
        """Take an INVITE. The owner hears Invited, for an ending leg once its port is open.

        Raises ParseError for an INVITE that cannot be a call.
        """
        self.request = request
        self.descriptions.address = transaction.flow.local[0]
        sdp = description_of(request)
        out = self.usage.invited(transaction, request, now)
        if self.usage.state is not sip.State.RECEIVED:  # refused on sight (422)
            return [*out, *self._gone()]
        if sdp is not None:
            self.descriptions.negotiation.offer_received(sdp)
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
        out: list[Any] = []
        body = b""
        if self.descriptions.answer_awaited:  # never an offer: it would want its answer in the PRACK
            if self.terms is None:
                reliable = self.usage.speaks_reliably
                body = b"" if sdp is None else self.descriptions.pass_answer(sdp, final=reliable)
            elif status == 183:
                try:
                    body, out = self.descriptions.own_answer()
                except ParseError as error:
                    return self.refuse(error.status, now)
        self._go("ring")
        return [*out, *self.usage.provisional(status, now, body, headers)]

    def answer(self, now: float, sdp: Description | None = None, headers: sip.Headers = ()) -> list[Any]:
        """Answer the call with 200."""
        if self.state not in (State.OFFERED, State.RINGING):
            return []
        try:
            body, out = self._reply(sdp)
        except ParseError as error:
            return self.refuse(error.status, now)
        self._go("answer")
        return [*out, *self.usage.accept(body, now, headers)]

    def acknowledge(self, sdp: Description | None, now: float) -> list[Any]:
        """Send the ACK that a far offer in a 2xx waits for, with our answer."""
        if not self._answer_due:
            return []
        self._answer_due = False
        body = b"" if sdp is None else self.descriptions.pass_answer(sdp)
        return self.usage.acknowledge(body, now)

    def refuse(
        self, status: int, now: float, headers: sip.Headers = (), reason: str | None = None
    ) -> list[Any]:
        """Refuse the call with 300-699."""
        if self.state not in (State.OFFERED, State.RINGING, State.PREPARING):
            return []
        return [*self.usage.reject(status, now, headers, reason), *self._gone()]

    def hang_up(self, cause: Cause, now: float, status: int = 480) -> list[Any]:
        """End the call as its moment asks: CANCEL, BYE, or a refusal with `status`."""
        if self.state in (State.ENDING, State.OVER):
            return []
        if self.usage.state is sip.State.IDLE:  # not even called yet
            return self._gone()
        if self.usage.state is sip.State.RECEIVED:
            return [*self.usage.reject(status, now, reasons(cause)), *self._gone()]
        self._go("end")
        self._answer_due = False  # the usage acknowledges by itself before its BYE
        return [*self.descriptions.release(), *self.usage.hang_up(now, reasons(cause))]

    def reoffer(self, sdp: Description | None, now: float) -> list[Any]:
        """Ask the far side to change the session (re-INVITE, or UPDATE before the answer)."""
        status = self.usage.reoffer_refusal(offers=sdp is not None)
        if status == 0 and self.descriptions.negotiation.open is not None:
            status = 491
        if status:
            return [events.ReofferRefused(self, status)]
        body = b"" if sdp is None else self.descriptions.pass_offer(sdp)
        # Behind a passing leg stands somebody who waits out a 491 himself (§14.1).
        return self.usage.reoffer(body, now, insists=self.terms is not None)

    def hold(self, held: bool, now: float) -> list[Any]:
        """An ending leg puts the call on hold (sendonly) or takes it back (RFC 3264 §8.4).

        While another change is under way, of either side, it waits for the end of that.
        """
        descriptions, usage = self.descriptions, self.usage
        descriptions.wish = "sendonly" if held else "sendrecv"
        turned = descriptions.turned(descriptions.wish)
        if turned is None or self.state is not State.TALKING:
            return []
        busy = descriptions.negotiation.open is not None or usage.reoffer_refusal(offers=True) == 491
        self._turn_due = busy
        return [] if busy else self.reoffer(turned, now)

    def reanswer(self, sdp: Description | None, now: float) -> list[Any]:
        """Take the change the far side asked for."""
        if not self._reoffer_pending:
            return []
        self._reoffer_pending = False
        return self.usage.accept_again(self._reply(sdp)[0], now)

    def refuse_reoffer(self, status: int, now: float) -> list[Any]:
        """Refuse the change; the session stays as it was."""
        if not self._reoffer_pending:
            return []
        self._reoffer_pending = False
        self.descriptions.negotiation.refused()
        return self.usage.reject_again(status, now)

    def inform(self, body: bytes, content_type: str, now: float) -> list[Any]:
        """Send an INFO; InfoAnswered comes back."""
        if self.state is State.OVER:  # its usage listens no more
            return [events.InfoAnswered(self, 481)]
        return self.usage.inform(body, content_type, now)

    def answer_info(self, transaction: ServerRequest, status: int, now: float) -> list[Any]:
        """Answer an INFO that came as Informed."""
        return self.usage.answer_info(transaction, status, now)

    def _turn(self, now: float) -> list[Any]:
        """A change is over: say the wish that came meanwhile, unless it was said along with that."""
        if not self._turn_due or self.state is not State.TALKING:
            return []
        held = self.descriptions.wish == "sendonly"
        self._turn_due = self.descriptions.holds != held
        return self.hold(held, now) if self._turn_due else []

    # --- the media seam ----------------------------------------------------------------

    def hear_media(self, event: anchor.Event, now: float) -> list[Any]:
        """Take an event of this leg's media session."""
        if isinstance(event, anchor.Anchored):
            return self._anchored(event, now)
        if isinstance(event, anchor.Refused):
            return self._unanchored(event.why, now) if self.state is State.PREPARING else []
        return []

    @property
    def preparing(self) -> bool:
        """Whether the port of an ending leg is still to open."""
        return self.state is State.PREPARING

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
        terms = self.terms
        return [anchor.Offer(terms.media, self.id, terms.address, terms.join)]

    def _anchored(self, port: anchor.Anchored, now: float) -> list[Any]:
        if self.state is not State.PREPARING:
            return unclaimed(port) if self.state is State.OVER else []
        self.descriptions.port, self._at = port, None
        if self._called is not None:
            self._go("call")
            return self.usage.invite(self._called, self.descriptions.own_offer(), now)
        assert self.request is not None
        self._go("offer")
        return [events.Invited(self, self.request, self.descriptions.negotiation.open)]

    def _unanchored(self, why: str, now: float) -> list[Any]:
        """No port: 503, whichever way the call went."""
        if self._called is None:
            refusal = self.usage.reject(503, now, reason="No Media Port")
            return [
                *refusal,
                events.Ended(self, Cause(from_status(503).q850, 503, why), "local"),
                *self._gone(),
            ]
        cause = Cause(from_status(503).q850, 503, why)
        return [events.Refused(self, cause, 0, None), *self._gone()]

    # --- what the usage tells -------------------------------------------------------------

    def hear(self, event: Any, now: float) -> list[Any]:
        """Take an event of this leg's SIP usage."""
        return _HEARD[type(event)](self, event, now)

    def _trying(self, event: sip.Trying, now: float) -> list[Any]:
        return [events.Proceeding(self)]

    def _progressed(self, event: sip.Progressed, now: float) -> list[Any]:
        response = event.response
        if self.state not in (State.CALLING, State.RINGING) or response.status == 199:  # RFC 6228: no news
            return []
        self._go("ring")
        out: list[Any] = []
        try:
            sdp = description_of(response)
            if sdp is not None:
                out = self.descriptions.take_answer(sdp, final=event.reliable)
        except ParseError:
            sdp = None  # a provisional is only a preview: the answer will be judged
        return [*out, events.Rang(self, response.status, sdp, response)]

    def _accepted(self, event: sip.Accepted, now: float) -> list[Any]:
        self._answer_due = not event.ack_sent
        self._go("answer")
        early = self.descriptions.stream
        try:
            sdp = description_of(event.response)
            out = self._far_reply(sdp)
            out = out if early is None else self.descriptions.claimed(early, out)
        except ParseError as error:
            cause = Cause(from_status(error.status).q850, error.status, str(error))
            return [events.Refused(self, cause, 0, None), *self.hang_up(cause, now)]
        # The answer may have come in a reliable provisional, and not again.
        return [*out, events.Answered(self, sdp or self.descriptions.negotiation.remote, event.response)]

    def _far_reply(self, sdp: Description | None) -> list[Any]:
        """What a 2xx says: the offer we let it make, or the answer. Raises ParseError if it is useless."""
        if self._answer_due:
            if sdp is not None:
                self.descriptions.check(sdp)
                self.descriptions.negotiation.offer_received(sdp)
            return []
        if sdp is not None:
            return self.descriptions.take_answer(sdp)
        if self.descriptions.offer_open:
            raise ParseError("SDP", "", "expected an answer in the 2xx (RFC 3264 §4)", status=488)
        return []

    def _acknowledged(self, event: sip.Acknowledged, now: float) -> list[Any]:
        sdp: Description | None = None
        out: list[Any] = []
        try:
            if event.answers and event.request is not None:
                sdp = description_of(event.request)
                if sdp is None:
                    expected = "expected an answer in the ACK (RFC 3261 §13.2.2.4)"
                    raise ParseError("SDP", "", expected, status=488)
                out = self.descriptions.take_answer(sdp)
        except ParseError as error:
            cause = Cause(from_status(error.status).q850, error.status, str(error))
            return [events.Ended(self, cause, "local"), *self.hang_up(cause, now)]
        return [*out, events.Acknowledged(self, sdp), *self._turn(now)]

    def _rejected(self, event: sip.Rejected, now: float) -> list[Any]:
        out: list[Any] = []
        if self.state in (State.CALLING, State.RINGING):
            response = event.response
            after = None if response is None else response.value("retry-after")
            wait = after.seconds if isinstance(after, RetryAfter) else 0
            reason = response.reason if response is not None else _SILENCES.get(event.status, "")
            cause = from_status(event.status, reason)
            if response is not None and (given := _q850(response)[0]):
                cause = cause._replace(q850=given)
            out.append(events.Refused(self, cause, wait, response))
        return [*out, *self._gone()]

    def _abandoned(self, event: sip.Abandoned, now: float) -> list[Any]:
        if event.request is None:
            cause = Cause(102, 504, "no PRACK came")  # Q.850 102: recovery on timer expiry
            return [events.Ended(self, cause, "timer"), *self._gone()]
        cause = Cause(_q850(event.request)[0] or NORMAL_CLEARING, 487, "the caller gave up")
        if any(isinstance(why, Reason) and _elsewhere(why) for why in event.request.values("reason")):
            cause = Cause(26, 200, "Call completed elsewhere")
        return [events.Ended(self, cause, "remote"), *self._gone()]

    def _ended(self, event: sip.Ended, now: float) -> list[Any]:
        if self.state is State.ENDING:
            return []
        self._go("end")
        given, text = _q850(event.request) if event.request is not None else (0, "")
        cause = Cause(given or (NORMAL_CLEARING if event.by == "remote" else 102), 0, text or event.why)
        return [*self.descriptions.release(), events.Ended(self, cause, event.by)]

    def _usage_gone(self, event: sip.Gone, now: float) -> list[Any]:
        return self._gone()

    def _reoffered(self, event: sip.Reoffered, now: float) -> list[Any]:
        descriptions = self.descriptions
        try:
            sdp = description_of(event.request)
            if sdp is not None:
                descriptions.check(sdp)
                descriptions.negotiation.offer_received(sdp)
            elif descriptions.negotiation.open is not None:
                return self.usage.reject_again(491, now)
        except ParseError as error:
            wait = str(self.endpoint.ids.number(11))
            after = (("Retry-After", wait),) if error.status == 500 else ()
            return self.usage.reject_again(error.status, now, after)
        if self.terms is None:
            self._reoffer_pending = True
            return [events.Reoffered(self, sdp)]
        try:
            body, out = self._reply(None)
        except ParseError as error:
            descriptions.negotiation.refused()
            return self.usage.reject_again(error.status, now)
        return [*out, *self.usage.accept_again(body, now)]

    def _reanswered(self, event: sip.ReofferAccepted, now: float) -> list[Any]:
        self._answer_due = not event.ack_sent
        try:
            sdp = description_of(event.response)
            out = self._far_reply(sdp)
        except ParseError as error:
            self.descriptions.negotiation.refused()
            out = self.usage.acknowledge(b"", now) if self._answer_due else []
            self._answer_due = False
            return [*out, events.ReofferRefused(self, error.status)]
        return [*out, events.Reanswered(self, sdp), *self._turn(now)]

    def _reoffer_refused(self, event: sip.ReofferRejected, now: float) -> list[Any]:
        self.descriptions.negotiation.refused()
        return [events.ReofferRefused(self, event.status), *self._turn(now)]

    def _reoffer_postponed(self, event: sip.ReofferPostponed, now: float) -> list[Any]:
        """The peer's offer may come first; ours is made anew after it."""
        self.descriptions.negotiation.refused()
        return []

    def _reoffer_due(self, event: sip.ReofferDue, now: float) -> list[Any]:
        return self.hold(self.descriptions.wish == "sendonly", now)

    def _informed(self, event: sip.Informed, now: float) -> list[Any]:
        return [events.Informed(self, event.request, event.transaction)]

    def _info_answered(self, event: sip.InfoAnswered, now: float) -> list[Any]:
        return [events.InfoAnswered(self, event.status)]

    # --- small things ------------------------------------------------------------------

    def _reply(self, sdp: Description | None) -> tuple[bytes, list[Any]]:
        """What a 200 of ours says: the answer to an open offer, the same again, or the offer we are left."""
        descriptions = self.descriptions
        if self.terms is None:
            if sdp is None:
                return b"", []
            if descriptions.answer_awaited:
                return descriptions.pass_answer(sdp), []
            if self.state is not State.TALKING and descriptions.negotiation.local is not None:
                return descriptions.again(), []
            return descriptions.pass_offer(sdp), []
        if descriptions.answer_awaited:
            return descriptions.own_answer()
        if self.state is not State.TALKING and descriptions.negotiation.local is not None:
            return descriptions.again(), []
        return descriptions.own_offer(), []

    def _gone(self) -> list[Any]:
        self._go("gone")
        self.endpoint.agenda.forget(self)
        self._at = None
        # An Offer still open is released when its Anchored comes (`_anchored`).
        out = self.descriptions.release()
        self.usage.leave()
        self.descriptions.leave()
        self.request = None
        return [*out, events.Gone(self)]

    def _go(self, event: str) -> None:
        self.state = NEXT[(self.state, event)]


def reasons(cause: Cause) -> sip.Headers:
    """Why, for the far side: Q.850 always (RFC 6432), SIP too where another phone answered (RFC 3326 §2)."""
    text = cause.text or None
    q850 = ("Reason", str(Reason("Q.850", cause.q850, text)))
    return (("Reason", str(Reason("SIP", 200, text))), q850) if cause.status == 200 else (q850,)


def unclaimed(port: anchor.Anchored) -> list[Any]:
    """What to do with a port that opens for a leg which is gone: its owner gives it back."""
    return [anchor.Release(port.media, port.leg)]


def _q850(message: Message) -> tuple[int, str]:
    """The Q.850 cause a message names, with its text (RFC 3326); 0 if none."""
    for reason in message.values("reason"):
        if isinstance(reason, Reason) and reason.protocol.upper() == "Q.850" and reason.cause:
            return reason.cause, reason.text or ""
    return 0, ""


def _elsewhere(reason: Reason) -> bool:
    """RFC 3326 §2: another phone answered, this one missed nothing."""
    return reason.protocol.upper() == "SIP" and reason.cause == 200


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
    sip.ReofferPostponed: Leg._reoffer_postponed,
    sip.ReofferDue: Leg._reoffer_due,
    sip.Informed: Leg._informed,
    sip.InfoAnswered: Leg._info_answered,
}
