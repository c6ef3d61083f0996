"""A call that goes through an access SBC: to or from a subscriber that is a SIP peer of its own.

The SBC passes descriptions on, so that media goes straight between the two ends.
"""

from __future__ import annotations

from typing import Any

from trunkline.call import events
from trunkline.call.bridge import Bridge
from trunkline.call.cause import Cause
from trunkline.call.leg import Leg
from trunkline.call.party import NO_ANSWER, PATIENCE
from trunkline.sip.usage_events import Outgoing


class Through:
    """Two passing legs, bridged: `a` is called, `b` calls on by `onward`."""

    __slots__ = ("_at", "bridge", "onward")

    def __init__(self, a: Leg, b: Leg, onward: Outgoing) -> None:
        self.bridge = Bridge(a, b)
        self.onward = onward
        self._at: float | None = None

    def hear(self, event: events.CallEvent, now: float) -> list[Any]:
        """Take a call event of either leg."""
        match event:
            case events.Invited():
                self._at = now + PATIENCE
                self.bridge.a.endpoint.wake(self)
                return self.bridge.b.invite(self.onward, event.sdp, now)
            case events.Answered() | events.Gone():
                self._at = None
        return self.bridge.carry(event, now)

    def hang_up(self, now: float, cause: Cause) -> list[Any]:
        """End both sides; a caller without an answer yet hears the cause's status."""
        self._at, (a, b) = None, (self.bridge.a, self.bridge.b)
        return [*b.hang_up(cause, now), *a.hang_up(cause, now, cause.status or 480)]

    def deadline(self) -> float | None:
        return self._at

    def expire(self, now: float) -> list[Any]:
        """It rang for too long."""
        return [] if self._at is None or now < self._at else self.hang_up(now, NO_ANSWER)
