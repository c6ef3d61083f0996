"""Changes of a session while it lasts, by either side: re-INVITE, UPDATE, PRACK (RFC 3261 §14, RFC 3311)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from trunkline.sip.acceptance import Acceptance
from trunkline.sip.dialog import Dialog, DialogState
from trunkline.sip.endpoint import ClientTransaction, Relaunched, ResponseReceived, ServerTransaction
from trunkline.sip.message import Request, Response, respond
from trunkline.sip.transaction import ClientInvite, ServerInvite
from trunkline.sip.usage_events import (
    Headers,
    ReofferAccepted,
    ReofferDue,
    Reoffered,
    ReofferPostponed,
    ReofferRejected,
    State,
)

if TYPE_CHECKING:
    from trunkline.sip.usage import InviteUsage

_ATTEMPTS_MAX = 4
_NEVER = math.inf


class Ask(NamedTuple):
    """A change we ask for; `refresh` when it changes nothing and only the session timer wants it.

    `insists`: a 491 is waited out here; without it is a refusal like others.
    """

    method: str
    body: bytes
    headers: Headers
    refresh: bool
    insists: bool = True


class Reoffering:
    """One change at a time, ours or the peer's. `at` is when `expire` wants to be called."""

    __slots__ = ("_attempts", "_mine", "_refreshes", "_theirs", "_transaction", "_usage", "at")

    def __init__(self, usage: InviteUsage) -> None:
        self._usage = usage
        self._mine: Ask | None = None  # asked, not answered
        self._transaction: ClientTransaction | None = None  # what `_mine` was asked in
        self._attempts = 0  # refused ones that are to be asked again
        self._refreshes = False  # what waits out a 491 is a refresh
        self._theirs: ServerTransaction | None = None  # the peer's, not answered
        self.at = _NEVER

    @property
    def busy(self) -> bool:
        """Whether a change is open, ours or the peer's, or ours waits to be asked again."""
        return self._mine is not None or self._attempts > 0 or self._theirs is not None

    # --- ours -------------------------------------------------------------------------

    def ask(self, body: bytes, headers: Headers, now: float, *, insists: bool) -> list[Any]:
        """Ask by re-INVITE, or by UPDATE while the dialog is early (§14.1, RFC 3311 §5.1)."""
        usage = self._usage
        status = self.refusal(offers=bool(body))
        if status:
            return usage.tell(ReofferRejected(usage, status), now)
        early = usage.dialog is not None and usage.dialog.state is DialogState.EARLY
        return self._send(Ask("UPDATE" if early else "INVITE", body, headers, False, insists), now)

    def refusal(self, *, offers: bool) -> int:
        """Why nothing can be asked now: 481 no dialog, 491 glare, 504 no way to; 0 if it can."""
        usage = self._usage
        dialog = usage.dialog
        if dialog is None or usage.state in (State.CANCELLING, State.ENDING, State.OVER):
            return 481
        # §14.1: no INVITE either while another waits for its ACK.
        if self.busy or usage.accepted is not None:
            return 491
        if dialog.state is DialogState.EARLY and not (offers and dialog.allows("UPDATE")):
            return 504  # RFC 3311 §5.1
        return 0

    def refresh(self, now: float) -> list[Any]:
        """RFC 4028 §7.4: UPDATE if the peer takes it, else a re-INVITE with the same description."""
        usage = self._usage
        if self.busy or usage.dialog is None or usage.accepted is not None:
            usage.timer.failed(now)
            return []
        if usage.dialog.allows("UPDATE"):
            return self._send(Ask("UPDATE", b"", (), True), now)
        return self._send(Ask("INVITE", usage.said, (), True), now)

    def relaunched(self, event: Relaunched) -> None:
        """The request went over UDP after all."""
        if event.transaction is self._transaction:
            self._transaction = event.instead

    def hear(self, event: ResponseReceived, now: float) -> list[Any]:
        """Take a response to a re-INVITE or UPDATE of ours."""
        usage, (transaction, status, response) = self._usage, event
        if status < 200:
            return [] if transaction is self._transaction else self._call_back(transaction, now)
        ask = self._mine
        if ask is None or transaction is not self._transaction:
            return self._late(transaction, status, response)
        self._mine = self._transaction = None
        if status < 300 and response is not None:
            return self._granted(ask, transaction, response, now)
        self._attempts += 1
        if status == 491 and ask.insists and self._attempts < _ATTEMPTS_MAX:
            self.at = now + self._glare_wait()
            self._refreshes = ask.refresh
            return [] if ask.refresh else usage.tell(ReofferPostponed(usage), now)
        if response is not None and self._attempts < _ATTEMPTS_MAX:
            extra = usage.mended(status, response, transaction.request)
            if extra is not None:
                return self._send(ask, now, extra)
        self._attempts = 0
        if status in (408, 481) and usage.state is State.CONFIRMED:  # §12.2.1.2: the dialog is gone
            return usage.give_up(f"{ask.method} in the dialog got {status}", now)
        if ask.refresh:
            usage.timer.failed(now)
            return []
        return usage.tell(ReofferRejected(usage, status), now)

    def expire(self, now: float) -> list[Any]:
        """The wait after a 491 is over."""
        usage = self._usage
        self.at = _NEVER
        if self._theirs is not None or usage.accepted is not None:
            self.at = now + self._glare_wait()
            return []
        attempts, self._attempts = self._attempts, 0
        out = self.refresh(now) if self._refreshes else usage.tell(ReofferDue(usage), now)
        self._attempts = attempts if self._mine is not None else 0
        return out

    def _send(self, ask: Ask, now: float, extra: Headers = ()) -> list[Any]:
        usage = self._usage
        assert usage.dialog is not None
        usage.said = ask.body or usage.said
        headers = list(usage.own_headers(usage.dialog.flow, "User-Agent", usage.policy.supported_later))
        if usage.timer.expires_at is not None:  # RFC 4028 §7.4: whoever refreshes goes on doing so
            headers += usage.timer.request_headers("uac" if usage.timer.we_refresh else "uas")
        headers += (*ask.headers, *extra)
        self._mine = ask
        self._transaction, out = usage.ask(usage.dialog, ask.method, headers, now, ask.body)
        return out

    def _granted(self, ask: Ask, transaction: ClientTransaction, response: Response, now: float) -> list[Any]:
        usage, self._attempts = self._usage, 0
        assert usage.dialog is not None
        usage.dialog.retarget(response)
        if usage.state is State.CONFIRMED:
            usage.timer.accepted(response, now)
        out: list[Any] = []
        if ask.method == "INVITE":
            seq = transaction.request.cseq.number
            if not ask.body and response.body and not ask.refresh:
                usage.owe_answer(usage.dialog, seq)
                return usage.tell(ReofferAccepted(usage, response, False), now)
            out = usage.ack(usage.dialog, seq)
        return out if ask.refresh else [*out, *usage.tell(ReofferAccepted(usage, response, True), now)]

    def _late(self, transaction: ClientTransaction, status: int, response: Response | None) -> list[Any]:
        """What comes when nobody waits: a repeated 2xx of a re-INVITE, or one that a BYE overtook."""
        usage = self._usage
        if transaction.request.method != "INVITE" or response is None or status >= 300:
            return []
        sent = usage.acks.of(response)
        if sent is not None:
            return [sent]
        if usage.dialog is None or usage.waits_for_answer(response):
            return []
        return usage.ack(usage.dialog, response.cseq.number)  # §13.2.2.4: a 2xx is always acknowledged

    def _glare_wait(self) -> float:
        """§14.1: the owner of the Call-ID waits 2.1-4 s, the other 0-2 s, in steps of 10 ms."""
        ids = self._usage.endpoint.ids
        return (210 + ids.number(191)) / 100 if self._usage.calls else ids.number(201) / 100

    # --- the peer's ---------------------------------------------------------------------

    def asked(
        self, transaction: ServerTransaction, request: Request, dialog: Dialog, now: float
    ) -> list[Any]:
        """A re-INVITE or UPDATE: glare and overlap first (§14.2, RFC 3311 §5.2)."""
        usage = self._usage
        endpoint, state, invite = usage.endpoint, usage.state, request.method == "INVITE"
        if state in (State.CANCELLING, State.ENDING, State.OVER):
            return endpoint.reply(transaction, 481, now)
        if self._theirs is not None or (invite and state in (State.RECEIVED, State.CALLING)):
            wait = str(endpoint.ids.number(11))
            return endpoint.reply(transaction, 500, now, [("Retry-After", wait)])
        if self._mine is not None and (invite or request.body):
            return endpoint.reply(transaction, 491, now)
        accepted = usage.accepted
        if invite and accepted is not None and accepted.offers:
            return endpoint.reply(transaction, 491, now)  # the answer to our offer is to come first
        if usage.timer.refuses(request):
            return endpoint.reply(transaction, 422, now, [("Min-SE", str(usage.policy.min_se))])
        dialog.retarget(request)
        self._theirs = transaction
        if not invite and not request.body:
            return self.accept(b"", now)  # a refresh or a new target, nothing to judge
        out: list[Any] = []
        if isinstance(transaction, ServerInvite):
            transaction.owner = usage
            if accepted is not None:  # who re-INVITEs has had our 2xx: its ACK is late or lost
                out += usage.acknowledged(None, now)
                if self._theirs is None:  # a BYE of ours had waited for that: this is refused already
                    return out
            out += endpoint.trying(transaction, now)
        return [*out, *usage.tell(Reoffered(usage, request), now)]

    def taken(self, transaction: ServerTransaction, event: Reoffered, now: float) -> list[Any]:
        """A PRACK with an offer (RFC 3262 §5)."""
        if self._theirs is not None:
            return self._usage.endpoint.reply(transaction, 491, now)
        self._theirs = transaction
        return self._usage.tell(event, now)

    def accept(self, body: bytes, now: float) -> list[Any]:
        """Answer the peer with 200."""
        usage, transaction = self._usage, self._theirs
        self._theirs = None
        if transaction is None:
            return []
        request = transaction.request
        usage.said = body or usage.said
        headers = list(usage.own_headers(transaction.flow, "Server", usage.policy.supported_later))
        if request.method != "PRACK" and usage.state is State.CONFIRMED:
            headers += usage.timer.accept(request, now)
        response = respond(request, 200, headers=headers, body=body)
        if request.method == "INVITE":
            offers = bool(body) and not request.body
            flow = transaction.flow
            usage.accepted = Acceptance(response, flow, usage.endpoint.timers, now, offers=offers)
        return usage.endpoint.respond(transaction, response, now)

    def reject(self, status: int, now: float, headers: Headers = ()) -> list[Any]:
        """Refuse what the peer asked; the session stays as it was."""
        transaction, self._theirs = self._theirs, None
        return [] if transaction is None else self._usage.endpoint.reply(transaction, status, now, headers)

    def close(self, now: float) -> list[Any]:
        """A BYE overtakes: ours is called back, what the peer still waits for gets its answer (§15.1.2)."""
        transaction, self._transaction = self._transaction, None
        self._mine, self._attempts = None, 0
        self.at = _NEVER
        out = [] if transaction is None else self._call_back(transaction, now)
        return [*out, *self.reject(487, now)]

    def _call_back(self, transaction: ClientTransaction, now: float) -> list[Any]:
        """The peer, who knows the dialog no more, may never repeat a lost final response: 64*T1 bound it."""
        return self._usage.endpoint.cancel(transaction, now) if isinstance(transaction, ClientInvite) else []
