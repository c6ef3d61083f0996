"""What an INVITE usage is asked and what it tells: its states, the INVITE to send, its events."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from trunkline.sip.flow import Flow
from trunkline.sip.message import Request, Response

if TYPE_CHECKING:
    from trunkline.sip.usage import InviteUsage

Headers = tuple[tuple[str, str], ...]
Authorize = Callable[[Response, Request], Headers | None]


class State(StrEnum):
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


class Outgoing(NamedTuple):
    """An INVITE to send: addresses as header texts without tags, and what else it carries.

    `authorize` makes the credentials for a 401 or 407, or None if it has none (§22).
    """

    uri: str
    from_: str
    to: str
    flow: Flow
    user: str = ""  # of the Contact
    headers: Headers = ()
    max_forwards: int = 70
    authorize: Authorize | None = None


class Trying(NamedTuple):
    """100: somebody has it."""

    usage: InviteUsage


class Progressed(NamedTuple):
    """A 101-199; `reliable` when it has been PRACKed, so that a description in it is the answer."""

    usage: InviteUsage
    response: Response
    reliable: bool


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
    """Our 2xx arrived; `request` is the ACK, None if it was lost; `answers` if our 2xx held the offer."""

    usage: InviteUsage
    request: Request | None
    answers: bool


class Abandoned(NamedTuple):
    """No call any more before we answered: CANCEL, BYE, or no PRACK (`request` None). It has been refused."""

    usage: InviteUsage
    request: Request | None


class Ended(NamedTuple):
    """The call is over; `by` is "remote" or "timer"; `request` the BYE, if one came."""

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


class ReofferPostponed(NamedTuple):
    """The peer was asking too (491): our offer is off the table until ReofferDue."""

    usage: InviteUsage


class ReofferDue(NamedTuple):
    """The wait after a 491 is over: offer again by `reoffer`, what is wanted now."""

    usage: InviteUsage


class Informed(NamedTuple):
    """An INFO; answer it with `answer_info`."""

    usage: InviteUsage
    request: Request
    transaction: Any


class InfoAnswered(NamedTuple):
    """The peer's answer to our INFO."""

    usage: InviteUsage
    status: int
