"""The UAC's first INVITE: sent, asked again, cancelled; its early dialogs, all its 2xx (RFC 3261 §13.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trunkline.sip.dialog import Dialog
from trunkline.sip.endpoint import Relaunched, ResponseReceived
from trunkline.sip.message import Request, Response
from trunkline.sip.reliable import ReliableSequence, reliable_number
from trunkline.sip.transaction import ClientInvite
from trunkline.sip.usage_events import (
    Accepted,
    Authorize,
    Ended,
    Headers,
    Outgoing,
    Progressed,
    Rejected,
    State,
    Trying,
)

if TYPE_CHECKING:
    from trunkline.sip.usage import InviteUsage

FORKS_MAX = 16  # early dialogs one INVITE may open here; more are ignored
_ATTEMPTS_MAX = 4


class Calling:
    """One INVITE from its sending to its last final response."""

    __slots__ = (
        "_attempts", "_body", "_early", "_left", "_outgoing", "_supported", "_usage", "seq", "transaction",
    )  # fmt: skip

    transaction: ClientInvite

    def __init__(self, usage: InviteUsage, outgoing: Outgoing, body: bytes) -> None:
        self._usage = usage
        self._outgoing = outgoing
        self._attempts = 0
        # An offer in a reliable provisional would want its answer in the PRACK, before the
        # far party has one: without an offer of ours we do not speak RFC 3262.
        self._supported = usage.policy.supported if body else usage.policy.supported_later
        self._early: dict[str, tuple[Dialog, ReliableSequence]] = {}
        self._left: set[str] = set()  # tags of callees that said BYE before their 2xx came
        self._body = body
        self.seq = usage.endpoint.ids.number(1_000_000)

    @property
    def user(self) -> str:
        """The user part of our Contact."""
        return self._outgoing.user

    @property
    def scheme(self) -> str:
        """That of our Contact: sips only where sips was called (§8.1.1.8)."""
        return "sips" if self._outgoing.uri.startswith("sips:") else "sip"

    @property
    def authorize(self) -> Authorize | None:
        """What answers a challenge."""
        return self._outgoing.authorize

    def send(self, extra: Headers, now: float) -> list[Any]:
        """Send the INVITE, the first time or again with what a refusal asked for (§8.1.3.5, §22.2)."""
        usage, outgoing = self._usage, self._outgoing
        self._attempts += 1
        self.seq += 1
        headers: list[tuple[str, str]] = [
            ("Max-Forwards", str(outgoing.max_forwards)),
            ("From", f"{outgoing.from_};tag={usage.local_tag}"),
            ("To", outgoing.to),
            ("Call-ID", usage.call_id),
            ("CSeq", f"{self.seq} INVITE"),
            *usage.own_headers(outgoing.flow, "User-Agent", self._supported),
            *usage.timer.request_headers(),
            *outgoing.headers,
            *extra,
        ]
        if usage.policy.reliable == "required" and self._body:
            headers.append(("Require", "100rel"))
        transaction, sent = usage.endpoint.request(
            "INVITE", outgoing.uri, headers, outgoing.flow, usage, now, self._body
        )
        assert isinstance(transaction, ClientInvite)
        self.transaction = transaction
        return sent

    def cancel(self, headers: Headers, now: float) -> list[Any]:
        """§9.1: only after a provisional; 64*T1 after the CANCEL the INVITE counts as cancelled."""
        return self._usage.endpoint.cancel(self.transaction, now, headers)

    def relaunched(self, event: Relaunched) -> None:
        """The INVITE went over UDP after all."""
        if event.transaction is self.transaction and isinstance(event.instead, ClientInvite):
            self.transaction = event.instead

    def drop_early(self) -> None:
        """The INVITE is decided: the early dialogs it did not take are over (§13.2.2.3, §13.2.2.4)."""
        usage = self._usage
        for dialog, _ in self._early.values():
            usage.endpoint.drop(dialog)
            if usage.dialog is dialog:
                usage.dialog = None
        self._early.clear()

    def part(self) -> None:
        """The usage is over: what still comes, late and repeated 2xx, comes here without it."""
        invite = self.transaction
        if invite.owner is not None:
            invite.owner = self
            # All that the dialog of a late fork is made of: target and number (§12.1.2).
            invite.request = Request(invite.request.start, [("cseq", f"CSeq: {self.seq} INVITE")])

    def left(self, dialog: Dialog, request: Request, now: float) -> list[Any]:
        """The callee sent BYE in an early dialog: its 2xx is late or lost. With it the last hope may go."""
        usage = self._usage
        self._left.add(dialog.remote_tag)
        self._early.pop(dialog.remote_tag, None)
        usage.endpoint.drop(dialog)
        if usage.dialog is dialog:
            usage.dialog = next((known for known, _ in self._early.values()), None)
        if self._early or usage.state is not State.CALLING:
            return []
        usage.go("cancel")
        return [*self.cancel((), now), *usage.tell(Ended(usage, "remote", "", request), now)]

    def hear(self, event: ResponseReceived, now: float) -> list[Any]:
        """Take a response to the INVITE."""
        usage, (_, status, response) = self._usage, event
        if response is not None and 200 <= status < 300:
            return self._accepted(response, now)
        if usage.state not in (State.CALLING, State.CANCELLING):
            return []  # the transaction keeps what comes after a 2xx to itself (RFC 6026 §7.2)
        if response is not None and status < 200:
            return self._provisional(status, response, now)
        if response is not None and usage.state is State.CALLING and self._attempts < _ATTEMPTS_MAX:
            extra = usage.mended(status, response, self.transaction.request)
            if extra is not None:
                self.drop_early()
                return self.send(extra, now)
        usage.go("rejected")
        return [*usage.finish(now), *usage.tell(Rejected(usage, status, response), now)]

    def _provisional(self, status: int, response: Response, now: float) -> list[Any]:
        usage = self._usage
        if usage.state is State.CANCELLING:
            return self.cancel(usage.farewell, now)  # the first provisional lets the CANCEL go
        if status == 100:
            return usage.tell(Trying(usage), now)
        out: list[Any] = []
        rseq = None
        if response.to_tag:
            early = self._early_dialog(response)
            if early is None:
                return []
            dialog, sequence = early
            rseq = reliable_number(response)
            if rseq is not None:
                if not sequence.takes(rseq):
                    return []
                out += self._prack(dialog, response, now)
        return [*out, *usage.tell(Progressed(usage, response, rseq is not None), now)]

    def _early_dialog(self, response: Response) -> tuple[Dialog, ReliableSequence] | None:
        usage, tag = self._usage, response.to_tag
        known = self._early.get(tag)
        if known is not None:
            known[0].retarget(response)
        elif len(self._early) >= FORKS_MAX:
            return None
        else:
            known = self._early[tag] = (self._dialog(response), ReliableSequence())
            usage.endpoint.keep(known[0])
        usage.dialog = known[0]
        return known

    def _accepted(self, response: Response, now: float) -> list[Any]:
        usage = self._usage
        repeated = usage.acks.of(response)
        if repeated is not None:
            return [repeated]  # §13.2.2.4: the ACK was lost
        if usage.waits_for_answer(response):
            return []
        known = self._early.pop(response.to_tag, None)
        dialog = self._dialog(response) if known is None else known[0]
        dialog.confirm(response)
        if usage.state is not State.CALLING or dialog.remote_tag in self._left:
            return self._end_fork(dialog, now)
        usage.go("accepted")
        self._settle(dialog)
        usage.timer.accepted(response, now)
        if self._body or not response.body:
            return [*usage.ack(dialog, self.seq), *usage.tell(Accepted(usage, response, True), now)]
        usage.owe_answer(dialog, self.seq)
        return usage.tell(Accepted(usage, response, False), now)

    def _end_fork(self, dialog: Dialog, now: float) -> list[Any]:
        """A 2xx nobody waits for: after a CANCEL or a BYE, or another fork's (§13.2.2.4): ACK and BYE."""
        usage = self._usage
        out = usage.ack(dialog, self.seq)
        if usage.state is State.CANCELLING:
            usage.go("accepted")
            self._settle(dialog)
            return [*out, *usage.send_bye(now)]
        return [*out, *usage.ask(dialog, "BYE", (), now, owner=DEAF)[1]]

    def _settle(self, dialog: Dialog) -> None:
        """This is the call's dialog, the others are none."""
        usage = self._usage
        self.drop_early()
        usage.dialog = dialog
        usage.endpoint.keep(dialog)

    def _dialog(self, response: Response) -> Dialog:
        """Made on the path we chose, even if the INVITE itself was too large for it (§18.1.1)."""
        request: Request = self.transaction.request
        return Dialog.of_response(request, response, self._outgoing.flow, self._usage)

    def _prack(self, dialog: Dialog, response: Response, now: float) -> list[Any]:
        cseq = response.cseq
        rack = ("RAck", f"{response.value('rseq')} {cseq.number} {cseq.method}")
        return self._usage.ask(dialog, "PRACK", (rack,), now)[1]


class _Deaf:
    """Who hears what changes nothing: answers to the BYE of an unwanted fork, news of a call that is over."""

    def hear(self, event: Any, now: float) -> list[Any]:
        return []


DEAF = _Deaf()
