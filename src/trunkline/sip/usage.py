"""The INVITE usage: one call as SIP sees it, from its INVITE to its BYE (RFC 3261 §13-15, RFC 5057).

Below it are transactions and dialogs, above it a leg that knows SDP and media. A usage
keeps the promises of the RFCs by itself: it acknowledges every 2xx, ends the forks
nobody wants, repeats a 2xx until its ACK, PRACKs, refreshes the session, backs off
after 491, and turns a hang-up into CANCEL, BYE or a refusal as the moment asks.

Its rooms: `calling` has the UAC's first INVITE, `answering` the UAS's, `reoffering` every
change after them, `acceptance` the 2xx and ACKs of all; here is what they share, and the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from trunkline.sip.acceptance import Acceptance, Acknowledgements
from trunkline.sip.answering import Answering
from trunkline.sip.calling import DEAF, FORKS_MAX, Calling
from trunkline.sip.dialog import Dialog
from trunkline.sip.endpoint import (
    AckReceived,
    Cancelled,
    ClientTransaction,
    Endpoint,
    Owner,
    Relaunched,
    RequestReceived,
    ResponseReceived,
    ServerTransaction,
)
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request, Response
from trunkline.sip.reoffering import Reoffering
from trunkline.sip.session import SessionPolicy, SessionTimer
from trunkline.sip.transaction import ServerInvite, ServerRequest
from trunkline.sip.usage_events import (
    NEXT,
    Abandoned,
    Accepted,
    Acknowledged,
    Authorize,
    Ended,
    Gone,
    Headers,
    InfoAnswered,
    Informed,
    Outgoing,
    Progressed,
    Rejected,
    ReofferAccepted,
    ReofferDue,
    Reoffered,
    ReofferPostponed,
    ReofferRejected,
    State,
    Trying,
)

__all__ = [
    "FORKS_MAX",
    "NEXT",
    "Abandoned",
    "Accepted",
    "Acknowledged",
    "Authorize",
    "Ended",
    "Gone",
    "Headers",
    "InfoAnswered",
    "Informed",
    "InviteUsage",
    "Outgoing",
    "Progressed",
    "Rejected",
    "ReofferAccepted",
    "ReofferDue",
    "ReofferPostponed",
    "ReofferRejected",
    "Reoffered",
    "State",
    "Trying",
]
_NEVER = math.inf


class InviteUsage:
    """One INVITE usage, UAC or UAS; every public command returns outputs.

    What stands under "for the rooms" is not for legs.
    """

    __slots__ = (
        "_answer_owed",
        "_answering",
        "_bye_waits",
        "_calling",
        "_change",
        "_informs",
        "accepted",
        "acks",
        "call_id",
        "dialog",
        "endpoint",
        "farewell",
        "local_tag",
        "owner",
        "policy",
        "said",
        "state",
        "timer",
    )

    def __init__(self, endpoint: Endpoint, owner: Owner, policy: SessionPolicy) -> None:
        self.endpoint = endpoint
        self.owner = owner
        self.policy = policy
        self.state = State.IDLE
        self.timer = SessionTimer(policy)
        self.call_id = ""
        self.local_tag = ""
        self.dialog: Dialog | None = None  # the early one that spoke last, then the call's
        self.said = b""  # the last description we sent
        self.acks = Acknowledgements()
        self.accepted: Acceptance | None = None  # our 2xx until its ACK
        self._change: Reoffering | None = None
        self.farewell: Headers = ()  # what CANCEL and BYE carry
        self._calling: Calling | None = None
        self._answering: Answering | None = None
        self._answer_owed: tuple[Dialog, int] | None = None  # a 2xx held an offer: whose ACK waits
        self._bye_waits = False  # for the ACK of our 2xx
        self._informs = 0  # INFO of ours that are not answered

    # --- the UAC's commands ---------------------------------------------------------

    def invite(self, outgoing: Outgoing, body: bytes, now: float) -> list[Any]:
        """Call (§13.2.1)."""
        self.go("invite")
        self.call_id, self.local_tag = self.endpoint.ids.token(), self.endpoint.ids.token()
        self.said = body
        self._calling = Calling(self, outgoing, body)
        return self._calling.send((), now)

    def acknowledge(self, body: bytes, now: float) -> list[Any]:
        """ACK a 2xx that held the offer, with our answer (first INVITE or re-INVITE)."""
        owed, self._answer_owed = self._answer_owed, None
        if owed is None:
            return []
        self.said = body or self.said
        return self.ack(*owed, body)

    # --- the UAS's commands ---------------------------------------------------------

    def invited(self, transaction: ServerInvite, request: Request, now: float) -> list[Any]:
        """Take an INVITE: 100 goes out at once, the dialog is known from here on (§13.3.1).

        Raises ParseError for an INVITE that cannot make a dialog.
        """
        endpoint = self.endpoint
        local_tag = endpoint.ids.token()
        seq = endpoint.ids.number(1_000_000)
        self.dialog = Dialog.of_request(request, local_tag, transaction.flow, seq, self)
        self.go("invited")
        self.local_tag, self.call_id = local_tag, request.call_id
        self._answering = Answering(self, transaction, request)
        transaction.owner = self
        endpoint.keep(self.dialog)
        if self.timer.refuses(request):
            return self.reject(422, now, (("Min-SE", str(self.policy.min_se)),))
        return endpoint.trying(transaction, now)

    @property
    def speaks_reliably(self) -> bool:
        """Whether a description in our provisional counts as told (RFC 3262)."""
        return self._answering is not None and self._answering.reliable

    def provisional(self, status: int, now: float, body: bytes = b"", headers: Headers = ()) -> list[Any]:
        """Send a 101-199, reliably where the peer can and the policy says so (RFC 3262 §3)."""
        if self.state is not State.RECEIVED or self._answering is None:
            return []
        return self._settled(self._answering.provisional(status, now, body, headers))

    def accept(self, body: bytes, now: float, headers: Headers = ()) -> list[Any]:
        """Answer with 200; it is repeated until the ACK comes (§13.3.1.4)."""
        if self.state is not State.RECEIVED or self._answering is None:
            return []
        return self._settled(self._answering.accept(body, now, headers))

    def reject(self, status: int, now: float, headers: Headers = (), reason: str | None = None) -> list[Any]:
        """Refuse with 300-699."""
        if self.state is not State.RECEIVED or self._answering is None:
            return []
        return self._answering.reject(status, now, headers, reason)

    # --- both sides' commands ---------------------------------------------------------

    def hang_up(self, now: float, headers: Headers = (), status: int = 487) -> list[Any]:
        """End the call as the moment asks: CANCEL, a refusal with `status`, or BYE (§9, §15)."""
        self.farewell = headers
        if self.state is State.CALLING and self._calling is not None:
            self.go("cancel")
            out = self._close_change(now)
            return self._settled([*out, *self._calling.cancel(headers, now)])
        if self.state is State.RECEIVED:
            return self.reject(status, now, headers)
        if self.state is State.ACCEPTED:
            self._bye_waits = True  # §15: the callee's BYE waits for the ACK
            return []
        if self.state is State.CONFIRMED:
            return self._settled(self._bye(now))
        return []

    def reoffer_refusal(self, *, offers: bool) -> int:
        """The status a `reoffer` would come back with at once, 0 if it can be sent now."""
        return self.change.refusal(offers=offers)

    def reoffer(self, body: bytes, now: float, headers: Headers = (), *, insists: bool = True) -> list[Any]:
        """Send a re-INVITE, or an UPDATE while the dialog is early (§14.1, RFC 3311 §5.1).

        The peer's refusal comes back as ReofferRejected. A 491 is waited out (ReofferPostponed,
        ReofferDue), unless who wants the change does that himself and does not `insist` here.
        """
        return self._settled(self.change.ask(body, headers, now, insists=insists))

    def accept_again(self, body: bytes, now: float) -> list[Any]:
        """Answer the peer's re-INVITE, UPDATE or PRACK with 200."""
        return self._settled(self.change.accept(body, now))

    def reject_again(self, status: int, now: float, headers: Headers = ()) -> list[Any]:
        """Refuse the peer's re-INVITE or UPDATE; the session stays as it was."""
        return self.change.reject(status, now, headers)

    def inform(self, body: bytes, content_type: str, now: float) -> list[Any]:
        """Send an INFO (RFC 6086)."""
        if self.dialog is None or self.state is not State.CONFIRMED:
            return self.tell(InfoAnswered(self, 481), now)
        self._informs += 1
        return self.ask(self.dialog, "INFO", (), now, body, content_type)[1]

    def answer_info(self, transaction: ServerRequest, status: int, now: float) -> list[Any]:
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
            out = self._hear_relaunched(event)
        else:
            raise TypeError(f"{kind.__name__} is no event of an INVITE usage")
        return self._settled(out)

    def deadline(self) -> float | None:
        at = _NEVER if self._change is None else self._change.at
        if self.accepted is not None and self.accepted.at < at:
            at = self.accepted.at
        if self.state is State.RECEIVED and self._answering is not None:
            at = min(at, self._answering.at)
        elif self.state is State.CONFIRMED:
            refresh = self.timer.deadline()
            at = at if refresh is None else min(at, refresh)
        return at if at != _NEVER else None

    def expire(self, now: float) -> list[Any]:
        """Carry out what has come due."""
        out: list[Any] = []
        if self.state is State.RECEIVED and self._answering is not None and self._answering.at <= now:
            out += self._answering.expire(now)
        if self.accepted is not None and self.accepted.at <= now:
            again = self.accepted.due(now)
            # §13.3.1.4: no ACK in 64*T1 ends the dialog with BYE.
            out += self.give_up("no ACK for the 2xx", now) if again is None else again
        if self._change is not None and self._change.at <= now:
            out += self._change.expire(now)
        if self.state is State.CONFIRMED:
            due = self.timer.due(now)
            if due == "refresh":
                out += self.change.refresh(now)
            elif due == "expired":
                out += self.give_up("session timer expired (RFC 4028)", now)
        return self._settled(out)

    def _hear_response(self, event: ResponseReceived, now: float) -> list[Any]:
        request, calling = event.transaction.request, self._calling
        method = request.method
        if method == "INVITE" and calling is not None and request.cseq.number == calling.seq:
            return calling.hear(event, now)
        if method in ("INVITE", "UPDATE"):
            return self.change.hear(event, now)
        if method == "BYE" and event.status >= 200:
            return self._hear_bye_answered(event, now)
        if method == "INFO" and event.status >= 200 and self._informs:
            self._informs -= 1
            return self.tell(InfoAnswered(self, event.status), now)
        return []  # PRACK: its loss shows in the INVITE's own fate

    def _hear_request(self, event: RequestReceived, now: float) -> list[Any]:
        transaction, request, dialog = event
        method = request.method
        assert dialog is not None
        if method == "BYE":
            return self._hear_bye(transaction, request, dialog, now)
        if method in ("INVITE", "UPDATE"):
            return self.change.asked(transaction, request, dialog, now)
        if method == "PRACK":
            if self._answering is None or not isinstance(transaction, ServerRequest):
                return self.endpoint.reply(transaction, 481, now)
            return self._answering.prack(transaction, request, now)
        if method == "INFO":
            return self.tell(Informed(self, request, transaction), now)
        if method == "OPTIONS":
            headers = [("Allow", self.endpoint.allow), ("Supported", self.endpoint.supported)]
            return self.endpoint.reply(transaction, 200, now, headers)
        return self.endpoint.reply(transaction, 405, now, [("Allow", self.endpoint.allow)])

    def _hear_bye(
        self, transaction: ServerTransaction, request: Request, dialog: Dialog, now: float
    ) -> list[Any]:
        out = self.endpoint.reply(transaction, 200, now)
        if self.state is State.RECEIVED and self._answering is not None:
            return [*out, *self._answering.abandoned(request, now)]
        if self.state in (State.CALLING, State.CANCELLING) and self._calling is not None:
            return [*out, *self._calling.left(dialog, request, now)]
        told = self.state is State.ENDING
        self.go("bye received")
        out += self.finish(now)
        if not told:
            out += self.tell(Ended(self, "remote", "", request), now)
        return [*out, *self.tell(Gone(self), now)]

    def _hear_cancel(self, event: Cancelled, now: float) -> list[Any]:
        if self.state is State.RECEIVED and self._answering is not None:
            return self._answering.abandoned(event.request, now)
        return []  # §9.2: answered already; and a change passed on cannot be called back

    def _hear_ack(self, request: Request, now: float) -> list[Any]:
        if self.accepted is None or not self.accepted.acknowledged(request):
            return []
        return self.acknowledged(request, now)

    def _hear_relaunched(self, event: Relaunched) -> list[Any]:
        if self._calling is not None:
            self._calling.relaunched(event)
        if self._change is not None:
            self._change.relaunched(event)
        return []

    # --- for the rooms ------------------------------------------------------------------

    @property
    def change(self) -> Reoffering:
        """Changes after the first offer and answer; most calls see none."""
        if self._change is None:
            self._change = Reoffering(self)
        return self._change

    def _close_change(self, now: float) -> list[Any]:
        return [] if self._change is None else self._change.close(now)

    @property
    def calls(self) -> bool:
        """Whether we are the caller, who owns the Call-ID."""
        return self._calling is not None

    def go(self, event: str) -> None:
        self.state = NEXT[(self.state, event)]

    def tell(self, event: Any, now: float) -> list[Any]:
        return self.owner.hear(event, now)

    def own_headers(self, flow: Flow, product: str, supported: str) -> Headers:
        """What every message of ours says of this side; `product` is "User-Agent" or "Server"."""
        side = self._calling or self._answering
        user, scheme = ("", "sip") if side is None else (side.user, side.scheme)
        return (
            ("Contact", self.endpoint.contact(flow, user, scheme)),
            ("Allow", self.endpoint.allow),
            ("Supported", supported),
            (product, self.endpoint.settings.user_agent),
        )

    def ask(
        self,
        dialog: Dialog,
        method: str,
        extra: Iterable[tuple[str, str]],
        now: float,
        body: bytes = b"",
        content_type: str = "application/sdp",
        owner: Owner | None = None,
    ) -> tuple[ClientTransaction, list[Any]]:
        """Send a request inside a dialog."""
        uri, headers = dialog.addressing(method)
        headers += extra
        return self.endpoint.request(
            method, uri, headers, dialog.next_flow(), owner or self, now, body, content_type, dialog.instead()
        )

    def ack(self, dialog: Dialog, seq: int, body: bytes = b"") -> list[Any]:
        """Acknowledge a 2xx, and remember how, for when it comes again (§13.2.2.4)."""
        uri, headers = dialog.addressing("ACK", seq)
        headers.append(("User-Agent", self.endpoint.settings.user_agent))
        sent = self.endpoint.acknowledge(uri, headers, dialog.next_flow(), body)
        self.acks.keep(dialog.remote_tag, seq, sent)
        return [sent]

    def owe_answer(self, dialog: Dialog, seq: int) -> None:
        """A 2xx held an offer: its ACK waits for the leg."""
        self._answer_owed = (dialog, seq)

    def waits_for_answer(self, response: Response) -> bool:
        """Whether this 2xx is one whose ACK waits for the leg."""
        owed = self._answer_owed
        return owed is not None and (owed[0].remote_tag, owed[1]) == (response.to_tag, response.cseq.number)

    def acknowledged(self, request: Request | None, now: float) -> list[Any]:
        """Our 2xx arrived."""
        accepted, self.accepted = self.accepted, None
        if self.state is State.ACCEPTED:
            self.go("acknowledged")
        answers = accepted is not None and accepted.offers
        out = self.tell(Acknowledged(self, request, answers), now)
        if self._bye_waits and self.state is State.CONFIRMED:
            out += self._bye(now)
        return out

    def mended(self, status: int, response: Response, request: Request) -> Headers | None:
        """What to ask again with: a larger interval (RFC 4028 §7.3), credentials (§22.2); None for a no."""
        if status == 422:
            return () if self.timer.too_small(response) else None
        if status in (401, 407) and self._calling is not None and self._calling.authorize is not None:
            return self._calling.authorize(response, request)
        return None

    def give_up(self, why: str, now: float) -> list[Any]:
        """The RFC ends the call for us."""
        out = self._bye(now)
        return [*out, *self.tell(Ended(self, "timer", why, None), now)]

    def send_bye(self, now: float, extra: Headers = ()) -> list[Any]:
        """The BYE of our hang-up, or again with credentials."""
        assert self.dialog is not None
        return self.ask(self.dialog, "BYE", (*self.farewell, *extra), now)[1]

    def finish(self, now: float) -> list[Any]:
        """Nothing is waited for any more; the dialogs are over."""
        out = self._close_change(now)
        while self._informs:  # whoever waits for the answer has it now
            self._informs -= 1
            out += self.tell(InfoAnswered(self, 481), now)
        self.accepted = None
        self.timer.stop()
        if self._calling is not None:
            self._calling.drop_early()
            self._calling.part()
        self._calling = self._answering = None
        if self.dialog is not None:
            self.endpoint.drop(self.dialog)
            if self._change is None:  # a late 2xx of a re-INVITE would be acknowledged in it
                self.dialog = None
        self.endpoint.agenda.forget(self)
        return out

    def leave(self) -> None:
        """The owner is over and hears nothing more; the circle of the two ends here."""
        self.owner = DEAF

    # --- the end ----------------------------------------------------------------------

    def _bye(self, now: float) -> list[Any]:
        self.go("bye")
        out = self._close_change(now)
        out += self.acknowledge(b"", now)  # §13.2.2.4: a 2xx is always acknowledged
        self.accepted = None
        self.timer.stop()
        return [*out, *self.send_bye(now)]

    def _hear_bye_answered(self, event: ResponseReceived, now: float) -> list[Any]:
        """Any final response ends it (§15.1.1), but a challenge is met once."""
        if self.state is not State.ENDING:
            return []
        request = event.transaction.request
        if event.response is not None and request.get("authorization") is request.get("proxy-authorization"):
            extra = self.mended(event.status, event.response, request)
            if extra:
                return self.send_bye(now, extra)
        self.go("gone")
        return [*self.finish(now), *self.tell(Gone(self), now)]

    def _settled(self, out: list[Any]) -> list[Any]:
        if self.state is not State.OVER:
            self.endpoint.agenda.settle(self)
        return out
