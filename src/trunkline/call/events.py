"""What a leg tells its owner: a call's life in the trade's words, without SIP's transactions.

Every leg ends with exactly one `Gone`, whatever came before; until then its channel
and its ports are in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from trunkline.call.cause import Cause
from trunkline.sdp.description import Description
from trunkline.sdp.offer_answer import Stream
from trunkline.sip.message import Request, Response

if TYPE_CHECKING:
    from trunkline.call.leg import Leg


class Invited(NamedTuple):
    """A call comes in; `sdp` is its offer, None when the caller lets us offer."""

    leg: Leg
    request: Request
    sdp: Description | None


class Proceeding(NamedTuple):
    """100: the far side has the call, and says no more yet."""

    leg: Leg


class Rang(NamedTuple):
    """A 18x; with `sdp` it is early media."""

    leg: Leg
    status: int
    sdp: Description | None
    response: Response


class Answered(NamedTuple):
    """The far side answered; `sdp` is its answer, or its offer when we made none."""

    leg: Leg
    sdp: Description | None
    response: Response


class Acknowledged(NamedTuple):
    """Our answer arrived; `sdp` is what the ACK held, for an offer of ours."""

    leg: Leg
    sdp: Description | None


class Refused(NamedTuple):
    """No call. `retry_after` in seconds as the far side asked, 0 if it did not."""

    leg: Leg
    cause: Cause
    retry_after: int
    response: Response | None


class Ended(NamedTuple):
    """The call is over; `by` is "remote", "timer", or "local" (what the far side said was of no use)."""

    leg: Leg
    cause: Cause
    by: str


class Gone(NamedTuple):
    """Nothing is left of the leg: its channel is free."""

    leg: Leg


class Reoffered(NamedTuple):
    """The far side wants the session changed: `reanswer` or `refuse_reoffer`."""

    leg: Leg
    sdp: Description | None


class Reanswered(NamedTuple):
    """The far side took our change; `sdp` is its answer, or its offer when we sent none."""

    leg: Leg
    sdp: Description | None


class ReofferRefused(NamedTuple):
    """The session stays as it was."""

    leg: Leg
    status: int


class Informed(NamedTuple):
    """An INFO, to be answered with `answer_info`."""

    leg: Leg
    request: Request
    transaction: Any


class InfoAnswered(NamedTuple):
    leg: Leg
    status: int


class Agreed(NamedTuple):
    """A leg with media of its own agreed on a stream (also after a re-INVITE)."""

    leg: Leg
    stream: Stream


CallEvent = (
    Invited
    | Proceeding
    | Rang
    | Answered
    | Acknowledged
    | Refused
    | Ended
    | Gone
    | Reoffered
    | Reanswered
    | ReofferRefused
    | Informed
    | InfoAnswered
    | Agreed
)
EVENTS = frozenset(get_args(CallEvent))
