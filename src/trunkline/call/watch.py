"""Whether one peer of a trunk can carry calls: OPTIONS supervision, failed calls, Retry-After, hold-down.

The carrier's own figures are not public; each one here is a knob of the gateway's
Protocol tab. A gateway goes down quickly (`down_after` failures in a row) and comes
back slowly (`up_after` good answers and `hold_down` seconds without a failure), so a
flapping one cannot swing the trunk to and fro: between two returns lies a hold-down.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from trunkline.sip.locate import Target
from trunkline.site.gateway import Supervision

OPTIONS_SPACING = 10.0  # seconds between two OPTIONS in doubt; carriers refuse more (knobs below it rule)
RETRY_AFTER_MAX = 3600.0  # a gateway that asks for more rest than an hour is asked again then


class Health(StrEnum):
    """What is known of a gateway. RETURNING answers again and waits out its hold-down."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"
    RETURNING = "returning"


class Sign(StrEnum):
    """What moves a gateway from one health to another."""

    GOOD = "good"  # it answered
    LOST = "lost"  # enough failures, or 503 with Retry-After
    STEADY = "steady"  # hold-down over, enough good answers, no failure between
    RELEASED = "released"  # without OPTIONS nobody asks: after the hold-down calls try again


# What is not in it changes nothing, by decision: a good answer of one that is up, a failure
# of one that is down.
NEXT: dict[tuple[Health, Sign], Health] = {
    (Health.UNKNOWN, Sign.GOOD): Health.UP,
    (Health.UNKNOWN, Sign.LOST): Health.DOWN,
    (Health.UP, Sign.LOST): Health.DOWN,
    (Health.DOWN, Sign.GOOD): Health.RETURNING,
    (Health.DOWN, Sign.RELEASED): Health.UNKNOWN,
    (Health.RETURNING, Sign.LOST): Health.DOWN,
    (Health.RETURNING, Sign.STEADY): Health.UP,
}


class Failure(StrEnum):
    """An attempt that got no final answer; words as `status` and the records show them."""

    TIMEOUT = "no answer"  # nothing within initial_timeout, or 100 and then silence
    UNREACHABLE = "unreachable"  # transport error, connection refused


Outcome = int | Failure  # how an attempt at a call failed: a SIP status, or no answer at all


class SendOptions(NamedTuple):
    """Send OPTIONS to this peer (its index); hand back `probe` with what becomes of it."""

    peer: int
    probe: int
    target: Target | None = None  # filled in by the trunk


class Changed(NamedTuple):
    """A peer's health changed, for the operator's log and the alarm list."""

    peer: int
    health: Health
    why: str


class PeerWatch:
    """The health of the peer with this index. All times are monotonic seconds.

    `why` says in words what the health rests on, `since` when it began, `failures` how
    many attempts in a row failed.
    """

    NEXT: ClassVar = NEXT
    __slots__ = (
        "_answer_by",
        "_barred_until",
        "_doubted",
        "_good_since",
        "_goods",
        "_probe",
        "_released_at",
        "_sent_at",
        "_settings",
        "failures",
        "health",
        "peer",
        "since",
        "why",
    )

    def __init__(self, peer: int, settings: Supervision, now: float) -> None:
        self.peer = peer
        self._settings = settings
        self.health = Health.UNKNOWN
        self.why = "not heard of yet"
        self.since = now
        self.failures = 0
        self._goods = 0
        self._good_since = now
        self._doubted = False
        self._probe = 0
        self._sent_at: float | None = None
        self._answer_by: float | None = None  # an OPTIONS is out until then
        self._barred_until = now  # Retry-After
        self._released_at = now

    @property
    def usable(self) -> bool:
        """Whether new calls may take it; nobody has to wait for the first OPTIONS."""
        return self.health in (Health.UP, Health.UNKNOWN)

    # --- OPTIONS ----------------------------------------------------------------------

    def answered(self, status: int, retry_after: float, now: float, probe: int = 0) -> list[Changed]:
        """The OPTIONS `probe` (0: whichever is out) got this final status; `retry_after` in seconds, or 0."""
        good = 200 <= status < 300 or status in self._settings.alive_statuses
        if not self._closes(probe) and not good:
            return []  # it was given up before, and counted then
        if good:
            return self._good(f"{status} to OPTIONS", now)
        if status == 503 and retry_after > 0:
            return self._rest(retry_after, "OPTIONS", now)
        return self._failed(f"{status} to OPTIONS", now)

    def unanswered(self, now: float, probe: int = 0) -> list[Changed]:
        """Nobody answered the OPTIONS `probe`."""
        return self._failed("no answer to OPTIONS", now) if self._closes(probe) else []

    def unreachable(self, why: str, now: float, probe: int = 0) -> list[Changed]:
        """The OPTIONS `probe` could not be sent: no address, transport error."""
        return self._failed(f"unreachable: {why}", now) if self._closes(probe) else []

    # --- calls ------------------------------------------------------------------------

    def call_failed(self, outcome: Outcome, retry_after: float, now: float, why: str = "") -> list[Changed]:
        """An INVITE failed here before it rang; `why` in words, where more is known than the outcome.

        Silence counts against the gateway. A status does not: it may be the called
        party's doing, and 503 without Retry-After is to be taken as 500 (RFC 3261
        §21.5.4); but after a 503 the next OPTIONS is sent as soon as it may.
        """
        if isinstance(outcome, Failure):
            return self._failed(f"{outcome} to INVITE" + (f": {why}" if why else ""), now)
        if outcome == 503:
            if retry_after > 0:
                return self._rest(retry_after, "INVITE", now)
            self._doubted = True
        return []

    def call_answered(self, now: float) -> list[Changed]:
        """An INVITE rang or was answered through it: as good as an answer to OPTIONS."""
        return self._good("calls go through", now)

    # --- time -------------------------------------------------------------------------

    def deadline(self) -> float | None:
        times = [self._answer_by if self._answer_by is not None else self._options_at()]
        if self._waits_out_hold_down:
            times.append(self._good_since + self._settings.hold_down)
        if self.health is Health.DOWN and not self._settings.options:
            times.append(self._released_at)
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> list[Any]:
        """What is due: SendOptions, and Changed when silence or a hold-down moved the health."""
        out: list[Any] = []
        if self._answer_by is not None and now >= self._answer_by:
            out += self.unanswered(now)
        if self._waits_out_hold_down and now >= self._good_since + self._settings.hold_down:
            out += self._steady(now)
        if self.health is Health.DOWN and not self._settings.options and now >= self._released_at:
            self.failures = 0
            out += self._go(Sign.RELEASED, f"tried again after: {self.why}", now)
        at = self._options_at()
        if self._answer_by is None and at is not None and now >= at:
            self._probe += 1
            self._doubted = False
            self._sent_at, self._answer_by = now, now + self._settings.timeout
            out.append(SendOptions(self.peer, self._probe))
        return out

    def status(self, now: float) -> dict[str, Any]:
        """For `trunkline status`: health, why, and for how many seconds."""
        return {"health": str(self.health), "why": self.why, "for": round(now - self.since, 1)}

    # --- within -----------------------------------------------------------------------

    @property
    def _waits_out_hold_down(self) -> bool:
        if self.health is not Health.RETURNING:
            return False
        # Without OPTIONS no second good answer may ever come: calls only go to one that is up.
        return self._goods >= self._settings.up_after or not self._settings.options

    def _options_at(self) -> float | None:
        """When the next OPTIONS is due; at once at the start, never while it asked for rest."""
        knobs = self._settings
        if not knobs.options:
            return None
        if self._sent_at is None:
            return self._barred_until
        if not self.usable:
            wait = knobs.every_down
        elif self.failures or self._doubted:
            wait = min(OPTIONS_SPACING, knobs.every_up, knobs.every_down)
        else:
            wait = knobs.every_up
        return max(self._sent_at + wait, self._barred_until)

    def _closes(self, probe: int) -> bool:
        """Whether this is about the OPTIONS that is out, which then is out no more."""
        if self._answer_by is None or probe not in (0, self._probe):
            return False
        self._answer_by = None
        return True

    def _good(self, why: str, now: float) -> list[Changed]:
        self.failures = 0
        if self.health is Health.DOWN:
            if now < self._barred_until:
                return []
            self._goods, self._good_since = 1, now
            hold_down = f"{self._settings.hold_down:g} s and {self._settings.up_after} good answers"
            out = self._go(Sign.GOOD, f"{why}; takes calls after {hold_down}", now)
        elif self.health is Health.RETURNING:
            self._goods += 1
            out = []
        else:
            out = self._go(Sign.GOOD, why, now)
        if self._waits_out_hold_down and now >= self._good_since + self._settings.hold_down:
            out += self._steady(now)
        return out

    def _steady(self, now: float) -> list[Changed]:
        return self._go(Sign.STEADY, f"back: {self._settings.hold_down:g} s without a failure", now)

    def _failed(self, why: str, now: float) -> list[Changed]:
        self.failures += 1
        self._released_at = max(self._released_at, now + self._settings.hold_down)
        if self.usable and self.failures < self._settings.down_after:
            return []
        times = f", {self.failures} in a row" if self.failures > 1 else ""
        return self._go(Sign.LOST, why + times, now)

    def _rest(self, retry_after: float, method: str, now: float) -> list[Changed]:
        """503 with Retry-After: nothing more is sent to it for that time (RFC 3261 §21.5.4)."""
        self.failures += 1
        self._barred_until = max(self._barred_until, now + min(retry_after, RETRY_AFTER_MAX))
        self._released_at = max(self._released_at, self._barred_until)
        return self._go(Sign.LOST, f"503 to {method}, Retry-After {retry_after:g} s", now)

    def _go(self, sign: Sign, why: str, now: float) -> list[Changed]:
        self.why = why
        after = self.NEXT.get((self.health, sign))
        if after is None:
            return []
        self.health, self.since = after, now
        return [Changed(self.peer, after, why)]
