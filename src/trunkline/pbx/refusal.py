"""What one side's refusal is told as on the other: statuses that speak to a person pass, the rest do not.

A phone's own trouble must never look like the site's to the carrier (a 503 for one phone
that is switched off would send all calls elsewhere), and what only means something
between IPBX and carrier must not confuse a phone. The Q.850 cause goes along in Reason
(RFC 6432), whatever becomes of the status.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from trunkline.call.cause import Cause, from_status
from trunkline.call.watch import Failure, Outcome

FULL = Cause(34, 503, "all channels are in use")
NO_GATEWAY = Cause(38, 503, "no gateway is in service")
NO_SUCH_DDI = Cause(1, 404, "no user has this DDI")
NO_PHONE = Cause(20, 480, "no phone of this user is registered")
CALLS_ITSELF = Cause(17, 486, "the user calls itself from its only phone")
WORKER_LOST = Cause(41, 503, "the media worker of this call died")
STOPPING = Cause(41, 503, "the IPBX is stopping")

# What a called person, or that person's phone, may say to a caller.
_PERSONAL = frozenset({433, 480, 486, 488, 600, 603, 606, 607, 608})
# What the network may say to a phone; 503 is congestion to it.
_PUBLIC = _PERSONAL | {403, 404, 410, 484, 485, 500, 501, 502, 503, 504, 580, 604}
_TO_PHONE = {401: 403, 402: 403, 407: 403, 406: 488, 408: 480, 415: 488, 487: 480}


class Refused(NamedTuple):
    """A refusal as it was heard; not `answered` when no final response came, or a 2xx of no use."""

    cause: Cause
    answered: bool

    @property
    def silent(self) -> bool:
        """Whether nobody was there: no answer (408) or no path (503, RFC 3261 §8.1.3.1)."""
        return not self.answered and self.cause.status in (408, 503)

    @property
    def outcome(self) -> Outcome | None:
        """What it says of the gateway that was tried; None if the call had got through."""
        if self.answered:
            return self.cause.status
        return {408: Failure.TIMEOUT, 503: Failure.UNREACHABLE}.get(self.cause.status)


def to_phone(refused: Refused) -> Cause:
    """What the caller's phone hears of the trunk's refusal."""
    cause = refused.cause
    status = cause.status
    if refused.silent and status == 408:
        return cause._replace(status=504)
    if status not in _PUBLIC:  # nothing here follows a redirection; what is left is our own error
        status = _TO_PHONE.get(status, 480 if status < 400 else 500)
    return cause._replace(status=status)


def of_phones(refused: Iterable[Refused]) -> tuple[Cause, Cause]:
    """Every phone of a user refused: why, and what the caller hears of it.

    A 6xx speaks for the user, then "busy" for one phone; then the lowest status (RFC 3261
    §16.7 step 6).
    """
    best = min(refused, key=_rank)
    cause = best.cause
    if best.silent:
        return cause, Cause(20, 480, "the phone cannot be reached")
    if cause.status in _PERSONAL:
        return cause, cause
    return cause, from_status(488 if cause.status in (406, 415) else 480)


def _rank(refused: Refused) -> tuple[bool, bool, bool, int]:
    status = refused.cause.status
    return (refused.silent, status < 600, status != 486, status)
