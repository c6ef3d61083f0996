"""The INVITE usage: one call as SIP sees it, from its INVITE to its BYE (RFC 3261 §13-15, RFC 5057).

Below it are transactions and dialogs, above it a leg that knows SDP and media. A usage
keeps the promises of the RFCs by itself: it acknowledges every 2xx, ends the forks
nobody wants, repeats a 2xx until its ACK, PRACKs, refreshes the session, backs off
after 491, and turns a hang-up into CANCEL, BYE or a refusal as the moment asks.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from trunkline.finding import ParseError
from trunkline.sip.dialog import Dialog, DialogState
from trunkline.sip.endpoint import (
    AckReceived,
    Cancelled,
    Endpoint,
    Owner,
    Relaunched,
    RequestReceived,
    ResponseReceived,
)
from trunkline.sip.flow import Flow, Send
from trunkline.sip.headers import RAck
from trunkline.sip.message import Request, Response, respond
from trunkline.sip.session import ReliableSequence, SessionPolicy, SessionTimer, reliable_number
from trunkline.sip.transaction import ServerInvite

FORKS_MAX = 16  # early dialogs one INVITE may open here; more are ignored
PROVISIONAL_EVERY = 60.0  # §13.3.1.1: a ringing UAS speaks once a minute
_RETRY_LIMIT = 3


class State(Enum):
    """Where a usage stands; RECEIVED and ACCEPTED are the UAS's, CALLING and CANCELLING the UAC's."""

    IDLE = "idle"
    CALLING = "calling"
    CANCELLING = "cancelling"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    ENDING = "ending"
    OVER = "over"


NEXT: dict[tuple[State, str], State] = {
    (State.IDLE, "invite"): State.CALLING,
    (State.IDLE, "invited"): State.RECEIVED,
    (State.CALLING, "cancel"): State.CANCELLING,
    (State.CALLING, "accepted"): State.CONFIRMED,
    (State.CALLING, "rejected"): State.OVER,
    (State.CANCELLING, "accepted"): State.ENDING,
    (State.CANCELLING, "rejected"): State.OVER,
    (State.RECEIVED, "accept"): State.ACCEPTED,
    (State.RECEIVED, "reject"): State.OVER,
    (State.ACCEPTED, "acknowledged"): State.CONFIRMED,
    (State.ACCEPTED, "bye"): State.ENDING,
    (State.ACCEPTED, "bye received"): State.OVER,
    (State.CONFIRMED, "bye"): State.ENDING,
    (State.CONFIRMED, "bye received"): State.OVER,
    (State.ENDING, "bye received"): State.OVER,
    (State.ENDING, "gone"): State.OVER,
}

Headers = tuple[tuple[str, str], ...]
Authorize = Callable[[Response, Request], Headers | None]


class Outgoing(NamedTuple):
    """An INVITE to send: addresses as header texts without tags, and what else it carries."""

    uri: str
    from_: str
    to: str
    flow: Flow
    user: str = ""  # of the Contact
    headers: Headers = ()
    max_forwards: int = 70
    authorize: Authorize | None = None


# --- what a usage tells its leg ----------------------------------------------------


class Trying(NamedTuple):
    """100: somebody has it."""

    usage: InviteUsage


class Progressed(NamedTuple):
    """A 101-199; `answer_in_prack` when it holds an offer that the PRACK must answer."""

    usage: InviteUsage
    response: Response
    answer_in_prack: bool


class Accepted(NamedTuple):
    """The 2xx that counts. Unless `ack_sent`, the leg must `acknowledge` with its answer."""

    usage: InviteUsage
    response: Response
    ack_sent: bool


class Rejected(NamedTuple):
    """No call: the final status (487 after a CANCEL, 408 and 503 also for silence and transport)."""

    usage: InviteUsage
    status: int
    response: Response | None


class Acknowledged(NamedTuple):
    """The ACK of our 2xx (first, or of a re-INVITE); its body answers a delayed offer."""

    usage: InviteUsage
    request: Request


class Abandoned(NamedTuple):
    """The caller cancelled before we answered; 487 has been sent."""

    usage: InviteUsage
    request: Request


class Ended(NamedTuple):
    """The call is over; `by` is "remote", "local" or "timer"; `request` the BYE, if one came."""

    usage: InviteUsage
    by: str
    why: str
    request: Request | None


class Gone(NamedTuple):
    """The last transaction of an ended call is answered or timed out: nothing of it is left."""

    usage: InviteUsage


class Reoffered(NamedTuple):
    """A re-INVITE, or an UPDATE or PRACK with a body: answer by accept_again or reject_again."""

    usage: InviteUsage
    request: Request


class ReofferAccepted(NamedTuple):
    """The peer's 2xx to our re-INVITE or UPDATE. Unless `ack_sent`, acknowledge with the answer."""

    usage: InviteUsage
    response: Response
    ack_sent: bool


class ReofferRejected(NamedTuple):
    """The session stays as it was (§14.1)."""

    usage: InviteUsage
    status: int


class Informed(NamedTuple):
    """An INFO; answer it with `answer_info`."""

    usage: InviteUsage
    request: Request
    transaction: Any


class InfoAnswered(NamedTuple):
    """The peer's answer to our INFO."""

    usage: InviteUsage
    status: int


class InviteUsage:
    """One INVITE usage, UAC or UAS; every public method returns outputs."""

    __slots__ = (
        "_again",
        "_answer_in_ack",
        "_at",
        "_early",
        "_final",
        "_hang_up_headers",
        "_last_provisional",
        "_mine",
        "_queued",
        "_reliable",
        "_resend_gap",
        "_retries",
        "_theirs",
        "_unacked",
        "call_id",
        "dialog",
        "endpoint",
        "invite_request",
        "last_body",
        "local_tag",
        "outgoing",
        "owner",
        "peer_reliable",
        "policy",
        "rseq",
        "seq",
        "state",
        "timer",
        "transaction",
        "uac",
    )

    def __init__(self, endpoint: Endpoint, owner: Owner, policy: SessionPolicy, *, uac: bool) -> None:
        self.endpoint = endpoint
        self.owner = owner
        self.policy = policy
        self.uac = uac
        self.state = State.IDLE
        self.timer = SessionTimer(policy)
        self.call_id = ""
        self.local_tag = ""
        self.seq = 0
        self.dialog: Dialog | None = None
        self.outgoing: Outgoing | None = None
        self.transaction: Any = None  # the INVITE in progress, first or later, client or server
        self.invite_request: Request | None = None
        self.last_body = b""
        self.peer_reliable = False
        self.rseq = 0
        self._early: dict[str, tuple[Dialog, ReliableSequence]] = {}
        self._at: dict[str, float] = {}
        self._unacked: dict[str, Send] = {}  # ACKs by remote tag, to repeat
        self._final: Response | None = None  # our 2xx until its ACK
        self._answer_in_ack = False  # that 2xx held the offer
        self._reliable: Response | None = None  # our 1xx until its PRACK
        self._queued: list[tuple[int, bytes, Headers]] = []
        self._last_provisional: Response | None = None
        self._resend_gap = 0.0
        self._mine: tuple[str, bytes, Headers] | None = None  # our open re-INVITE or UPDATE
        self._theirs: Any = None  # the peer's open re-INVITE, UPDATE or PRACK transaction
        self._again: tuple[str, bytes, Headers] | None = None  # waiting out a 491
        self._retries = 0
        self._hang_up_headers: Headers = ()

    # --- the UAC's commands ---------------------------------------------------------

    def invite(self, outgoing: Outgoing, body: bytes, now: float) -> list[Any]:
        """Call (§13.2.1)."""
        self._go("invite")
        ids = self.endpoint.ids
        self.call_id, self.local_tag = ids.token(), ids.token()
        self.seq = 1 + ids.number(1_000_000)
        self.outgoing, self.last_body = outgoing, body
        return self._send_invite((), now)

    def _send_invite(self, extra: Headers, now: float) -> list[Any]:
        endpoint, out = self.endpoint, self.outgoing
        assert out is not None
        headers: list[tuple[str, str]] = [
            ("Max-Forwards", str(out.max_forwards)),
            ("From", f"{out.from_};tag={self.local_tag}"),
            ("To", out.to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.seq} INVITE"),
            *self._own_headers(out.flow, out.user),
            *self.timer.request_headers(),
            *out.headers,
            *extra,
        ]
        if self.policy.reliable == "required":
            headers.append(("Require", "100rel"))
        self.transaction, sent = endpoint.request(
            "INVITE", out.uri, headers, out.flow, self, now, self.last_body
        )
        self.invite_request = self.transaction.request
        return sent

    def acknowledge(self, body: bytes, now: float) -> list[Any]:
        """ACK a 2xx that held the offer, with our answer (first INVITE or re-INVITE)."""
        assert self.dialog is not None
        self.last_body = body or self.last_body
        return self._ack(self.dialog, self._invite_seq(), body)

    def answer_prack(self, response: Response, body: bytes, now: float) -> list[Any]:
        """PRACK a reliable provisional that held the offer, with our answer (RFC 3262 §5)."""
        early = self._early.get(response.to_tag)
        return [] if early is None else self._prack(early[0], response, body, now)

    # --- the UAS's commands ---------------------------------------------------------

    def invited(self, transaction: ServerInvite, request: Request, now: float) -> list[Any]:
        """Take an INVITE: 100 goes out at once, the dialog is known from here on (§13.3.1).

        Raises ParseError for an INVITE that cannot make a dialog.
        """
        self.local_tag = self.endpoint.ids.token()
        self.call_id = request.call_id
        self.invite_request = request
        seq = self.endpoint.ids.number(1_000_000)
        dialog = Dialog.of_request(request, self.local_tag, transaction.flow, seq, self)
        dialog.allow = tuple(map(str, request.values("allow")))
        self._go("invited")
        self.dialog, self.transaction = dialog, transaction
        transaction.owner = self
        wants = set(map(str, request.values("supported"))) | set(map(str, request.values("require")))
        self.peer_reliable = "100rel" in wants
        self.endpoint.keep(dialog)
        if self.timer.refuses(request):
            return self.reject(422, now, (("Min-SE", str(self.policy.min_se)),))
        return self.endpoint.trying(transaction, now)

    def provisional(self, status: int, now: float, body: bytes = b"", headers: Headers = ()) -> list[Any]:
        """Send a 101-199, reliably where the peer can and the policy says so (RFC 3262 §3)."""
        if self.state is not State.RECEIVED:
            return []
        if self._reliable is not None:
            self._queued.append((status, body, headers))
            del self._queued[:-8]
            return []
        if body:
            self.last_body = body
        all_headers = [*self._own_headers(self.transaction.flow, ""), *headers]
        reliable = self._speaks_reliably()
        if reliable:
            self.rseq = self.rseq + 1 if self.rseq else 1 + self.endpoint.ids.number(2**31 - 1000)
            all_headers += [("Require", "100rel"), ("RSeq", str(self.rseq))]
        response = self._response(status, all_headers, body)
        if reliable:
            self._reliable, self._resend_gap = response, self.endpoint.timers.t1
            self._at["provisional resend"] = now + self._resend_gap
            self._at["provisional lost"] = now + 64 * self.endpoint.timers.t1
        self._last_provisional = response
        self._at["provisional repeat"] = now + PROVISIONAL_EVERY
        return self._settled(self.endpoint.respond(self.transaction, response, now))

    def accept(self, body: bytes, now: float, headers: Headers = ()) -> list[Any]:
        """Answer with 200; it is repeated until the ACK comes (§13.3.1.4)."""
        if self.state is not State.RECEIVED:
            return []
        assert self.invite_request is not None
        assert self.dialog is not None
        self._go("accept")
        self._stop_ringing()
        self.last_body = body or self.last_body
        self.dialog.confirm()
        session = self.timer.accept(self.invite_request, now)
        response = self._response(
            200, [*self._own_headers(self.transaction.flow, ""), *session, *headers], body
        )
        self._answer_in_ack = bool(body) and not self.invite_request.body
        return self._settled(self._send_final(response, now))

    def reject(self, status: int, now: float, headers: Headers = (), reason: str | None = None) -> list[Any]:
        """Refuse with 300-699."""
        if self.state is not State.RECEIVED:
            return []
        self._go("reject")
        self._stop_ringing()
        response = self._response(status, list(headers), b"", reason)
        out = self.endpoint.respond(self.transaction, response, now)
        return [*out, *self._finish(now)]

    # --- both sides' commands ---------------------------------------------------------

    def hang_up(self, now: float, headers: Headers = (), status: int = 487) -> list[Any]:
        """End the call as the moment asks: CANCEL, a refusal with `status`, or BYE (§9, §15)."""
        self._hang_up_headers = headers
        if self.state is State.CALLING:
            self._go("cancel")
            return self._settled(self._cancel(now))
        if self.state is State.RECEIVED:
            return self.reject(status, now, headers)
        if self.state is State.ACCEPTED:
            if self._final is not None:
                self._at["bye after ack"] = self._at.get("final lost", now)
                return []  # §15: the callee's BYE waits for the ACK
            return self._settled(self._bye(now))
        if self.state is State.CONFIRMED:
            return self._settled(self._bye(now))
        return []

    def reoffer(self, body: bytes, now: float, headers: Headers = ()) -> list[Any]:
        """Send a re-INVITE, or an UPDATE while the dialog is early (§14.1, RFC 3311 §5.1).

        The peer's refusal, or 491 when one of its own is open, comes back as ReofferRejected.
        """
        dialog = self.dialog
        if dialog is None or self.state in (State.ENDING, State.OVER):
            return self._tell(ReofferRejected(self, 481), now)
        if self._mine is not None or self._again is not None or self._theirs is not None:
            return self._tell(ReofferRejected(self, 491), now)
        if dialog.state is DialogState.EARLY:
            if not dialog.allows("UPDATE") or not body:
                return self._tell(ReofferRejected(self, 504), now)  # RFC 3311: no way to ask now
            return self._settled(self._ask("UPDATE", body, headers, now))
        if self.state is State.ACCEPTED:
            return self._tell(ReofferRejected(self, 491), now)
        return self._settled(self._ask("INVITE", body, headers, now))

    def accept_again(self, body: bytes, now: float) -> list[Any]:
        """Answer the peer's re-INVITE, UPDATE or PRACK with 200."""
        transaction, self._theirs = self._theirs, None
        if transaction is None or self.dialog is None:
            return []
        request: Request = transaction.request
        self.last_body = body or self.last_body
        headers = list(self._own_headers(transaction.flow, ""))
        if request.method != "PRACK":
            headers += self.timer.accept(request, now)
        response = respond(request, 200, headers=headers, body=body)
        if request.method == "INVITE":
            self.transaction = transaction
            self._answer_in_ack = bool(body) and not request.body
            return self._settled(self._send_final(response, now))
        return self._settled(self.endpoint.respond(transaction, response, now))

    def reject_again(self, status: int, now: float, headers: Headers = ()) -> list[Any]:
        """Refuse the peer's re-INVITE or UPDATE; the session stays as it was."""
        transaction, self._theirs = self._theirs, None
        if transaction is None:
            return []
        return self.endpoint.reply(transaction, status, now, headers)

    def inform(self, body: bytes, content_type: str, now: float) -> list[Any]:
        """Send an INFO (RFC 6086)."""
        if self.dialog is None or self.state is not State.CONFIRMED:
            return self._tell(InfoAnswered(self, 481), now)
        return self._request_inside("INFO", body, (), now, content_type)

    def answer_info(self, transaction: Any, status: int, now: float) -> list[Any]:
        """Answer the peer's INFO."""
        return self.endpoint.reply(transaction, status, now)

    # --- what is heard ------------------------------------------------------------

    def hear(self, event: Any, now: float) -> list[Any]:
        """Take an endpoint event of one of our transactions or dialogs."""
        kind = type(event)
        if kind is ResponseReceived:
            out = self._hear_response(event, now)
        elif kind is RequestReceived:
            out = self._hear_request(event, now)
        elif kind is AckReceived:
            out = self._hear_ack(event.request, now)
        elif kind is Cancelled:
            out = self._hear_cancel(event, now)
        elif kind is Relaunched:
            if self.transaction is event.transaction:
                self.transaction = event.instead
                self.invite_request = event.instead.request
            out = []
        else:
            raise TypeError(f"{kind.__name__} is no event of an INVITE usage")
        return self._settled(out)

    def deadline(self) -> float | None:
        timer = self.timer.deadline() if self.state is State.CONFIRMED else None
        if self._at:
            soonest = min(self._at.values())
            return soonest if timer is None else min(soonest, timer)
        return timer

    def expire(self, now: float) -> list[Any]:
        """Carry out what has come due."""
        out: list[Any] = []
        for name in [n for n, when in self._at.items() if when <= now]:
            if self._at.pop(name, None) is not None:
                out += _DUE[name](self, now)
        if self.state is State.CONFIRMED:
            due = self.timer.due(now)
            if due == "refresh":
                out += self._refresh(now)
            elif due == "expired":
                out += self._give_up("session timer expired (RFC 4028)", now)
        return self._settled(out)

    # --- responses ------------------------------------------------------------------

    def _hear_response(self, event: ResponseReceived, now: float) -> list[Any]:
        request = event.transaction.request
        method = request.method
        if method == "BYE":
            return self._gone(now) if event.status >= 200 else []
        if method == "INVITE" and self.uac and request.cseq.number == self.seq:
            return self._hear_first(event, now)
        if method == "INVITE" or method == "UPDATE":
            return self._hear_again(event, now)
        if method == "INFO" and event.status >= 200:
            return self._tell(InfoAnswered(self, event.status), now)
        return []  # PRACK: its loss shows in the INVITE's own fate

    def _hear_first(self, event: ResponseReceived, now: float) -> list[Any]:
        status, response = event.status, event.response
        if status < 200:
            assert response is not None
            return self._hear_provisional(status, response, now)
        if status < 300:
            assert response is not None
            return self._hear_2xx(response, now)
        if self.state not in (State.CALLING, State.CANCELLING):
            return []
        if response is not None and self.state is State.CALLING and self._retries < _RETRY_LIMIT:
            again = self._try_again(status, response, now)
            if again is not None:
                return again
        self._go("rejected")
        return [*self._finish(now), *self._tell(Rejected(self, status, response), now)]

    def _try_again(self, status: int, response: Response, now: float) -> list[Any] | None:
        """422 with a larger Min-SE (RFC 4028 §7.3), 401 and 407 with credentials (§22)."""
        extra: Headers | None = None
        if status == 422 and self.timer.too_small(response):
            extra = ()
        elif status in (401, 407) and self.outgoing is not None and self.outgoing.authorize is not None:
            assert self.invite_request is not None
            extra = self.outgoing.authorize(response, self.invite_request)
        if extra is None:
            return None
        self._retries += 1
        self._drop_early()
        self.seq += 1
        return self._send_invite(extra, now)

    def _hear_provisional(self, status: int, response: Response, now: float) -> list[Any]:
        if self.state is State.CANCELLING:
            return self._cancel(now)  # the first provisional lets the CANCEL go
        if self.state is not State.CALLING:
            return []
        if status == 100:
            return self._tell(Trying(self), now)
        out: list[Any] = []
        offer_waits = False
        if response.to_tag and response.contact is not None:
            early = self._early_dialog(response)
            if early is None:
                return []
            dialog, sequence = early
            rseq = reliable_number(response)
            if rseq is not None:
                if not sequence.takes(rseq):
                    return []
                offer_waits = bool(response.body) and not self.last_body
                if not offer_waits:
                    out += self._prack(dialog, response, b"", now)
        return [*out, *self._tell(Progressed(self, response, offer_waits), now)]

    def _early_dialog(self, response: Response) -> tuple[Dialog, ReliableSequence] | None:
        tag = response.to_tag
        known = self._early.get(tag)
        if known is not None:
            known[0].retarget(response)
            return known
        if len(self._early) >= FORKS_MAX:
            return None
        assert self.invite_request is not None
        dialog = Dialog.of_response(self.invite_request, response, self.transaction.flow, self)
        dialog.allow = tuple(map(str, response.values("allow")))
        self._early[tag] = (dialog, ReliableSequence())
        self.endpoint.keep(dialog)
        if self.dialog is None or self.dialog.state is DialogState.EARLY:
            self.dialog = dialog
        return self._early[tag]

    def _hear_2xx(self, response: Response, now: float) -> list[Any]:
        tag = response.to_tag
        repeated = self._unacked.get(tag)
        if repeated is not None:
            return [repeated]  # §13.2.2.4: the ACK was lost
        assert self.invite_request is not None
        mine = self.dialog
        if mine is not None and mine.state is not DialogState.EARLY and tag == mine.remote_tag:
            return []  # its ACK still waits for the answer
        known = self._early.pop(tag, None)
        try:
            if known is not None:
                dialog = known[0]
                dialog.confirm(response)
            else:
                dialog = Dialog.of_response(self.invite_request, response, self.transaction.flow, self)
                dialog.state = DialogState.CONFIRMED
        except ParseError:
            return []  # no Contact: no ACK can find its way (§12.1.2)
        dialog.allow = tuple(map(str, response.values("allow"))) or dialog.allow
        if self.state is not State.CALLING:
            return self._end_fork(dialog, response, now)
        self._go("accepted")
        self.dialog = dialog
        self.endpoint.keep(dialog)
        self._drop_early()
        self._at.clear()
        self.timer.accepted(response, now)
        out: list[Any] = []
        ack_sent = bool(self.last_body) or not response.body
        if ack_sent:
            out += self._ack(dialog, self.seq, b"")
        return [*out, *self._tell(Accepted(self, response, ack_sent), now)]

    def _end_fork(self, dialog: Dialog, response: Response, now: float) -> list[Any]:
        """A 2xx nobody waits for: after a CANCEL, or another fork's (§13.2.2.4): ACK and BYE."""
        out = self._ack(dialog, self.seq, b"")
        uri, headers = dialog.addressing("BYE")
        if self.state is State.CANCELLING:
            self._go("accepted")
            self._drop_early()
            self._at.clear()
            self.dialog = dialog
            self.endpoint.keep(dialog)
            headers += self._hang_up_headers
            owner: Owner = self
        else:
            owner = _Deaf()
        out += self.endpoint.request("BYE", uri, headers, dialog.next_flow(), owner, now)[1]
        return out

    def _hear_again(self, event: ResponseReceived, now: float) -> list[Any]:
        """The answer to our re-INVITE or UPDATE."""
        status, response = event.status, event.response
        method = event.transaction.request.method
        if status < 200:
            return []
        seq = event.transaction.request.cseq.number
        if self._mine is None or self._mine[0] != method or self.dialog is None:
            if method == "INVITE" and 200 <= status < 300 and self.dialog is not None:
                kept = self._unacked.get(str(seq))
                return [kept] if kept is not None else []
            return []
        _, body, headers = self._mine
        self._mine = None
        refresh = ("refresh", "") in headers
        if status < 300:
            assert response is not None
            self.dialog.retarget(response)
            self.timer.accepted(response, now)
            ack_sent = True
            out: list[Any] = []
            if method == "INVITE":
                ack_sent = bool(body) or not response.body
                if ack_sent:
                    out = self._ack(self.dialog, seq, b"")
            return out if refresh else [*out, *self._tell(ReofferAccepted(self, response, ack_sent), now)]
        if status == 491 and self._retries < _RETRY_LIMIT:
            self._retries += 1
            self._again = (method, body, headers)
            self._at["retry"] = now + self._glare_wait()
            return []
        if status == 422 and response is not None and self.timer.too_small(response):
            return self._ask(method, body, headers, now)
        if status in (408, 481):  # §12.2.1.2: the dialog is gone
            return self._give_up(f"{method} in the dialog got {status}", now)
        if refresh:
            self.timer.failed(now)
            return []
        return self._tell(ReofferRejected(self, status), now)

    # --- requests -------------------------------------------------------------------

    def _hear_request(self, event: RequestReceived, now: float) -> list[Any]:
        transaction, request = event.transaction, event.request
        method = request.method
        if method == "BYE":
            return self._hear_bye(transaction, request, now)
        if method in ("INVITE", "UPDATE"):
            assert event.dialog is not None
            return self._hear_reoffer(transaction, request, event.dialog, now)
        if method == "PRACK":
            return self._hear_prack(transaction, request, now)
        if method == "INFO":
            return self._tell(Informed(self, request, transaction), now)
        if method == "OPTIONS":
            headers = [("Allow", self.endpoint.allow), ("Supported", self.endpoint.supported)]
            return self.endpoint.reply(transaction, 200, now, headers)
        return self.endpoint.reply(transaction, 405, now, [("Allow", self.endpoint.allow)])

    def _hear_bye(self, transaction: Any, request: Request, now: float) -> list[Any]:
        out = self.endpoint.reply(transaction, 200, now)
        if self.state is State.RECEIVED:  # §15.1.2: the early dialog ends; so does the INVITE
            self._go("reject")
            self._stop_ringing()
            out += self.endpoint.respond(self.transaction, self._response(487, [], b""), now)
            return [*out, *self._finish(now), *self._tell(Abandoned(self, request), now)]
        if self.state is State.CALLING:  # the callee leaves its early dialog; the INVITE decides
            return out
        ending = self.state is State.ENDING
        if self.state in (State.OVER, State.CANCELLING):
            return out
        self._go("bye received")
        out += self._close_open_reoffers(now)
        out += self._finish(now)
        if not ending:
            out += self._tell(Ended(self, "remote", "", request), now)
        return [*out, *self._tell(Gone(self), now)]

    def _hear_cancel(self, event: Cancelled, now: float) -> list[Any]:
        if self.state is State.RECEIVED and event.transaction is self.transaction:
            self._go("reject")
            self._stop_ringing()
            out = self.endpoint.respond(self.transaction, self._response(487, [], b""), now)
            return [*out, *self._finish(now), *self._tell(Abandoned(self, event.request), now)]
        if self._theirs is event.transaction:  # a re-INVITE given up: the session stays
            return self.reject_again(487, now)
        return []

    def _hear_ack(self, request: Request, now: float) -> list[Any]:
        if self._final is None or request.cseq.number != self._final.cseq.number:
            return []
        return self._acked(request, now)

    def _acked(self, request: Request, now: float) -> list[Any]:
        self._final = None
        self._answer_in_ack = False
        self._at.pop("final resend", None)
        self._at.pop("final lost", None)
        if self.state is State.ACCEPTED:
            self._go("acknowledged")
        out = self._tell(Acknowledged(self, request), now)
        if self._at.pop("bye after ack", None) is not None and self.state is State.CONFIRMED:
            out += self._bye(now)
        return out

    def _hear_prack(self, transaction: Any, request: Request, now: float) -> list[Any]:
        """RFC 3262 §3: only the response it names is acknowledged; others get 481."""
        rack, waiting = request.value("rack"), self._reliable
        if waiting is None or not isinstance(rack, RAck) or self.invite_request is None:
            return self.endpoint.reply(transaction, 481, now)
        cseq = self.invite_request.cseq
        if (rack.rseq, rack.cseq, rack.method) != (self.rseq, cseq.number, cseq.method):
            return self.endpoint.reply(transaction, 481, now)
        self._reliable = None
        self._at.pop("provisional resend", None)
        self._at.pop("provisional lost", None)
        if request.body:
            self._theirs = transaction
            out = self._tell(Reoffered(self, request), now)
        else:
            out = self.endpoint.reply(transaction, 200, now)
        if self._queued and self.state is State.RECEIVED:
            status, body, headers = self._queued.pop(0)
            out += self.provisional(status, now, body, headers)
        return out

    def _hear_reoffer(self, transaction: Any, request: Request, dialog: Dialog, now: float) -> list[Any]:
        """A re-INVITE or UPDATE: glare and overlap first (§14.2, RFC 3311 §5.2)."""
        if self.state in (State.ENDING, State.OVER):
            return self.endpoint.reply(transaction, 481, now)
        invite = request.method == "INVITE"
        if self._theirs is not None or (invite and self.state in (State.RECEIVED, State.CALLING)):
            wait = str(self.endpoint.ids.number(11))
            return self.endpoint.reply(transaction, 500, now, [("Retry-After", wait)])
        if (self._mine is not None or self._again is not None) and (invite or request.body):
            return self.endpoint.reply(transaction, 491, now)
        if invite and self._answer_in_ack:
            return self.endpoint.reply(transaction, 491, now)
        if self.timer.refuses(request):
            return self.endpoint.reply(transaction, 422, now, [("Min-SE", str(self.policy.min_se))])
        dialog.retarget(request)
        self._theirs = transaction
        if not invite and not request.body:
            return self.accept_again(b"", now)  # a refresh or a new target, nothing to judge
        if invite:
            transaction.owner = self
        out: list[Any] = []
        if invite and self._final is not None:
            out += self._acked(request, now)  # who re-INVITEs has had our 2xx: its ACK is late or lost
        out += self.endpoint.trying(transaction, now) if invite else []
        return [*out, *self._tell(Reoffered(self, request), now)]

    # --- sending ----------------------------------------------------------------------

    def _own_headers(self, flow: Flow, user: str) -> Headers:
        user = user or (self.outgoing.user if self.outgoing is not None else self._called_user())
        return (
            ("Contact", self.endpoint.contact(flow, user)),
            ("Allow", self.endpoint.allow),
            ("Supported", self._extensions()),
            ("User-Agent" if self.uac else "Server", self.endpoint.settings.user_agent),
        )

    def _extensions(self) -> str:
        offered = [
            extension
            for extension, on in (("100rel", self.policy.reliable != "off"), ("timer", self.policy.timer))
            if on
        ]
        return ", ".join(offered)

    def _called_user(self) -> str:
        return "" if self.invite_request is None else self.invite_request.uri.user

    def _response(
        self, status: int, headers: list[tuple[str, str]], body: bytes, reason: str | None = None
    ) -> Response:
        assert self.invite_request is not None
        return respond(self.invite_request, status, reason, to_tag=self.local_tag, headers=headers, body=body)

    def _send_final(self, response: Response, now: float) -> list[Any]:
        self._final = response
        self._resend_gap = self.endpoint.timers.t1
        self._at["final resend"] = now + self._resend_gap
        self._at["final lost"] = now + 64 * self.endpoint.timers.t1
        return self.endpoint.respond(self.transaction, response, now)

    def _ack(self, dialog: Dialog, seq: int, body: bytes) -> list[Any]:
        uri, headers = dialog.addressing("ACK", seq)
        headers.append(("User-Agent", self.endpoint.settings.user_agent))
        sent = self.endpoint.acknowledge(uri, headers, dialog.next_flow(), body)
        self._unacked[dialog.remote_tag if seq == self.seq else str(seq)] = sent
        while len(self._unacked) > FORKS_MAX:
            self._unacked.pop(next(iter(self._unacked)))
        return [sent]

    def _prack(self, dialog: Dialog, response: Response, body: bytes, now: float) -> list[Any]:
        cseq = response.cseq
        uri, headers = dialog.addressing("PRACK")
        headers.append(("RAck", f"{response.value('rseq')} {cseq.number} {cseq.method}"))
        return self.endpoint.request("PRACK", uri, headers, dialog.next_flow(), self, now, body)[1]

    def _cancel(self, now: float) -> list[Any]:
        """§9.1: only after a provisional; 64*T1 after it the INVITE counts as cancelled."""
        return self.endpoint.cancel(self.transaction, now, self._hang_up_headers)

    def _bye(self, now: float) -> list[Any]:
        self._go("bye")
        assert self.dialog is not None
        out = self._close_open_reoffers(now)
        if self.uac and not self._unacked:
            out += self._ack(self.dialog, self.seq, b"")  # §13.2.2.4: a 2xx is always acknowledged
        self._at.clear()
        self._final = None
        self.timer.stop()
        return [*out, *self._request_inside("BYE", b"", self._hang_up_headers, now)]

    def _request_inside(
        self, method: str, body: bytes, extra: Headers, now: float, content_type: str = "application/sdp"
    ) -> list[Any]:
        assert self.dialog is not None
        uri, headers = self.dialog.addressing(method)
        headers += extra
        return self.endpoint.request(
            method, uri, headers, self.dialog.next_flow(), self, now, body, content_type
        )[1]

    def _ask(self, method: str, body: bytes, headers: Headers, now: float) -> list[Any]:
        assert self.dialog is not None
        self._mine = (method, body, headers)
        self.last_body = body or self.last_body
        real = tuple(h for h in headers if h != ("refresh", ""))
        own = self._own_headers(self.dialog.flow, "")
        session = self.timer.request_headers("uac") if self.timer.expires_at is not None else []
        uri, addressing = self.dialog.addressing(method)
        transaction, out = self.endpoint.request(
            method, uri, [*addressing, *own, *session, *real], self.dialog.next_flow(), self, now, body
        )
        if method == "INVITE":
            self.transaction = transaction
        return out

    def _refresh(self, now: float) -> list[Any]:
        """RFC 4028 §7.4: UPDATE if the peer takes it, else a re-INVITE with the same SDP."""
        assert self.dialog is not None
        if self._mine is not None or self._theirs is not None or self._again is not None:
            self.timer.failed(now)
            return []
        if self.dialog.allows("UPDATE"):
            return self._ask("UPDATE", b"", (("refresh", ""),), now)
        return self._ask("INVITE", self.last_body, (("refresh", ""),), now)

    # --- endings ----------------------------------------------------------------------

    def _give_up(self, why: str, now: float) -> list[Any]:
        """The RFC ends the call for us."""
        if self.state not in (State.ACCEPTED, State.CONFIRMED):
            return []
        out = self._bye(now)
        return [*out, *self._tell(Ended(self, "timer", why, None), now)]

    def _gone(self, now: float) -> list[Any]:
        if self.state is not State.ENDING:
            return []
        self._go("gone")
        return [*self._finish(now), *self._tell(Gone(self), now)]

    def _finish(self, now: float) -> list[Any]:
        self._at.clear()
        self._final = self._reliable = None
        self._queued.clear()
        self.timer.stop()
        self._drop_early()
        if self.dialog is not None:
            self.endpoint.drop(self.dialog)
        self.endpoint.agenda.forget(self)
        return []

    def _drop_early(self) -> None:
        for dialog, _ in self._early.values():
            if dialog is not self.dialog or dialog.state is DialogState.EARLY:
                self.endpoint.drop(dialog)
        self._early.clear()
        if self.dialog is not None and self.uac and self.dialog.state is DialogState.OVER:
            self.dialog = None

    def _close_open_reoffers(self, now: float) -> list[Any]:
        """A BYE overtakes: whatever the peer still waits for gets its answer (§15.1.2)."""
        self._mine = self._again = None
        self._at.pop("retry", None)
        return self.reject_again(487, now)

    def _stop_ringing(self) -> None:
        for name in ("provisional resend", "provisional lost", "provisional repeat"):
            self._at.pop(name, None)
        self._reliable = None
        self._queued.clear()

    # --- what comes due ----------------------------------------------------------------

    def _due_final_resend(self, now: float) -> list[Any]:
        if self._final is None:
            return []
        self._resend_gap = min(2 * self._resend_gap, self.endpoint.timers.t2)
        self._at["final resend"] = now + self._resend_gap
        return [Send(bytes(self._final), self.transaction.flow)]

    def _due_final_lost(self, now: float) -> list[Any]:
        """§13.3.1.4: no ACK in 64*T1 ends the dialog with BYE."""
        self._final = None
        return self._give_up("no ACK for the 2xx", now)

    def _due_bye_after_ack(self, now: float) -> list[Any]:
        return self._bye(now) if self.state is State.ACCEPTED else []

    def _due_provisional_resend(self, now: float) -> list[Any]:
        if self._reliable is None:
            return []
        self._resend_gap *= 2  # RFC 3262 §3: doubling without T2's bound
        self._at["provisional resend"] = now + self._resend_gap
        return [Send(bytes(self._reliable), self.transaction.flow)]

    def _due_provisional_lost(self, now: float) -> list[Any]:
        """RFC 3262 §3: no PRACK in 64*T1: refuse with 5xx, and tell the owner it is over."""
        self._reliable = None
        out = self.reject(504, now)
        assert self.invite_request is not None
        return [*out, *self._tell(Abandoned(self, self.invite_request), now)]

    def _due_provisional_repeat(self, now: float) -> list[Any]:
        if self._last_provisional is None or self.state is not State.RECEIVED:
            return []
        self._at["provisional repeat"] = now + PROVISIONAL_EVERY
        return [Send(bytes(self._last_provisional), self.transaction.flow)]

    def _due_retry(self, now: float) -> list[Any]:
        if self._again is None or self.state is not State.CONFIRMED:
            return []
        if self._theirs is not None:
            self._at["retry"] = now + self._glare_wait()
            return []
        (method, body, headers), self._again = self._again, None
        return self._ask(method, body, headers, now)

    def _glare_wait(self) -> float:
        """§14.1: the owner of the Call-ID waits 2.1-4 s, the other 0-2 s, in steps of 10 ms."""
        ids = self.endpoint.ids
        return (210 + ids.number(191)) / 100 if self.uac else ids.number(201) / 100

    # --- small things ------------------------------------------------------------------

    def _speaks_reliably(self) -> bool:
        assert self.invite_request is not None
        required = "100rel" in map(str, self.invite_request.values("require"))
        return required or (self.peer_reliable and self.policy.reliable != "off")

    def _invite_seq(self) -> int:
        return int(self.transaction.request.cseq.number)

    def _go(self, event: str) -> None:
        self.state = NEXT[(self.state, event)]

    def _tell(self, event: Any, now: float) -> list[Any]:
        return self.owner.hear(event, now)

    def _settled(self, out: list[Any]) -> list[Any]:
        if self.state is not State.OVER:
            self.endpoint.wake(self)
        return out


class _Deaf:
    """The owner of a BYE to a fork nobody wants: its answer changes nothing."""

    def hear(self, event: Any, now: float) -> list[Any]:
        return []


_DUE: dict[str, Callable[[InviteUsage, float], list[Any]]] = {
    "final resend": InviteUsage._due_final_resend,
    "final lost": InviteUsage._due_final_lost,
    "bye after ack": InviteUsage._due_bye_after_ack,
    "provisional resend": InviteUsage._due_provisional_resend,
    "provisional lost": InviteUsage._due_provisional_lost,
    "provisional repeat": InviteUsage._due_provisional_repeat,
    "retry": InviteUsage._due_retry,
}
