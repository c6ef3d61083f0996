"""The UAS's first INVITE: ringing, reliable or not, the answer or the refusal (RFC 3261 §13.3, RFC 3262)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trunkline.sip.acceptance import Acceptance
from trunkline.sip.flow import Send
from trunkline.sip.message import Request, Response, respond
from trunkline.sip.reliable import ReliableAnswer
from trunkline.sip.transaction import ServerInvite, ServerRequest
from trunkline.sip.usage_events import Abandoned, Headers, Reoffered, State

if TYPE_CHECKING:
    from trunkline.sip.usage import InviteUsage

PROVISIONAL_EVERY = 60.0  # §13.3.1.1: a ringing UAS speaks once a minute
_QUEUE_MAX = 8  # provisionals that wait for a PRACK
_NEVER = math.inf


class Answering:
    """One INVITE from its coming to our final response. `at` is when `expire` wants to be called."""

    __slots__ = (
        "_accept_waits",
        "_last",
        "_queue",
        "_reliable",
        "_repeat_at",
        "_usage",
        "request",
        "transaction",
    )

    def __init__(self, usage: InviteUsage, transaction: ServerInvite, request: Request) -> None:
        self._usage = usage
        self.transaction = transaction
        self.request = request
        self._reliable: ReliableAnswer | None = None
        if self._speaks_reliably():
            first = 1 + usage.endpoint.ids.number(2**31 - 1000)
            self._reliable = ReliableAnswer(first, usage.endpoint.timers.t1)
        self._queue: list[tuple[int, bytes, Headers]] = []
        self._last: tuple[int, bytes, Headers] | None = None
        self._repeat_at = _NEVER
        self._accept_waits: tuple[bytes, Headers] | None = None  # for a PRACK

    @property
    def at(self) -> float:
        return self._repeat_at if self._reliable is None else min(self._repeat_at, self._reliable.at)

    @property
    def user(self) -> str:
        """The user part of our Contact: who was called."""
        return self.request.uri.user

    @property
    def scheme(self) -> str:
        """That of our Contact: sips only where sips was called (§12.1.1)."""
        return "sips" if self.request.uri.scheme == "sips" else "sip"

    @property
    def reliable(self) -> bool:
        """Whether our provisionals are acknowledged, so that a description in one counts as told."""
        return self._reliable is not None

    def provisional(self, status: int, now: float, body: bytes, headers: Headers) -> list[Any]:
        """Send a 101-199; a reliable one waits until the one before it has its PRACK."""
        usage, reliable = self._usage, self._reliable
        if reliable is not None and reliable.waiting is not None:
            self._queue.append((status, body, headers))
            del self._queue[:-_QUEUE_MAX]
            return []
        all_headers = [*usage.own_headers(self.transaction.flow, "Server", usage.policy.supported), *headers]
        if reliable is not None:
            all_headers += reliable.next_headers()
        response = self._response(status, all_headers, body)
        if reliable is not None:
            reliable.sent(response, now)
        usage.said = body or usage.said
        # The peer has a reliable description for good; an unreliable one may have been lost.
        self._last = (status, body if reliable is None else b"", headers)
        self._repeat_at = now + PROVISIONAL_EVERY
        return usage.endpoint.respond(self.transaction, response, now)

    def accept(self, body: bytes, now: float, headers: Headers) -> list[Any]:
        """Answer with 200, at once or, while a description of ours waits for its PRACK, after that."""
        usage, reliable = self._usage, self._reliable
        if reliable is not None and reliable.holds_final:  # RFC 3262 §3
            self._accept_waits = (body, headers)
            self._queue.clear()
            return []
        usage.go("accept")
        self.stop()
        usage.said = body or usage.said
        assert usage.dialog is not None
        usage.dialog.confirm()
        flow = self.transaction.flow
        session = usage.timer.accept(self.request, now)
        all_headers = [*usage.own_headers(flow, "Server", usage.policy.supported), *session, *headers]
        response = self._response(200, all_headers, body)
        offers = bool(body) and not self.request.body
        usage.accepted = Acceptance(response, flow, usage.endpoint.timers, now, offers=offers)
        return usage.endpoint.respond(self.transaction, response, now)

    def reject(self, status: int, now: float, headers: Headers, reason: str | None) -> list[Any]:
        """Refuse with 300-699."""
        usage = self._usage
        usage.go("reject")
        self.stop()
        response = self._response(status, list(headers), b"", reason)
        return [*usage.endpoint.respond(self.transaction, response, now), *usage.finish(now)]

    def abandoned(self, request: Request, now: float) -> list[Any]:
        """CANCEL (§9.2), or BYE in the early dialog (§15.1.2): the INVITE ends with 487."""
        usage = self._usage
        return [*self.reject(487, now, (), None), *usage.tell(Abandoned(usage, request), now)]

    def stop(self) -> None:
        """The ringing is over."""
        self._repeat_at = _NEVER
        self._accept_waits = None
        self._queue.clear()
        if self._reliable is not None:
            self._reliable.stop()

    def prack(self, transaction: ServerRequest, request: Request, now: float) -> list[Any]:
        """RFC 3262 §3: a PRACK acknowledges the response it names and no other; what waited may go on."""
        usage = self._usage
        if self._reliable is None or not self._reliable.acknowledged(request):
            return usage.endpoint.reply(transaction, 481, now)
        if request.body:  # §5: it may hold an offer of its own
            out = usage.change.taken(transaction, Reoffered(usage, request), now)
        else:
            out = usage.endpoint.reply(transaction, 200, now)
        if usage.state is not State.RECEIVED:
            return out
        if self._accept_waits is not None:
            body, headers = self._accept_waits
            return [*out, *self.accept(body, now, headers)]
        if self._queue:
            status, body, headers = self._queue.pop(0)
            out += self.provisional(status, now, body, headers)
        return out

    def expire(self, now: float) -> list[Any]:
        """Repeat what is to be repeated; refuse when the PRACK does not come (RFC 3262 §3)."""
        usage, reliable = self._usage, self._reliable
        out: list[Any] = []
        if reliable is not None and reliable.at <= now:
            again = reliable.due(now)
            if again is None:
                return [*self.reject(504, now, (), None), *usage.tell(Abandoned(usage, None), now)]
            out.append(Send(bytes(again), self.transaction.flow))
        if self._repeat_at <= now and self._last is not None:
            status, body, headers = self._last
            self._repeat_at = now + PROVISIONAL_EVERY
            if reliable is None or reliable.waiting is None:
                out += self.provisional(status, now, body, headers)
        return out

    def _speaks_reliably(self) -> bool:
        """RFC 3262 §3: the peer requires it, or it can and our policy lets us."""
        if "100rel" in map(str, self.request.values("require")):
            return True
        can = "100rel" in map(str, self.request.values("supported"))
        return can and self._usage.policy.reliable != "off"

    def _response(
        self, status: int, headers: list[tuple[str, str]], body: bytes, reason: str | None = None
    ) -> Response:
        tag = self._usage.local_tag
        return respond(self.request, status, reason, to_tag=tag, headers=headers, body=body)
