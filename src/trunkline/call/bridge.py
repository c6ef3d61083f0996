"""Two legs joined: what one side says, the other hears (a B2BUA's middle, RFC 7092).

The bridge decides nothing about routing: who calls whom, and what a refusal means, is
its owner's. It carries ringing, answers, changes of the session, INFO and the end
across. Where media is anchored both legs make their own descriptions, and only the
direction crosses: a party that is held hears so.
"""

from __future__ import annotations

from typing import Any

from trunkline.call import events
from trunkline.call.leg import Leg


class Bridge:
    """`a` is the caller's leg, `b` the called one's; `b` changes when a call is tried again."""

    __slots__ = ("_held", "_info", "a", "b")

    def __init__(self, a: Leg, b: Leg) -> None:
        self.a = a
        self.b = b
        self._held: set[Leg] = set()  # the anchored legs that were told to hold: each side may, or both
        self._info: Any = None  # the INFO transaction that waits for the far answer

    def other(self, leg: Leg) -> Leg:
        return self.b if leg is self.a else self.a

    def carry(self, event: Any, now: float) -> list[Any]:
        """Take a call event of one leg to the other; what the bridge does not know is dropped."""
        leg: Leg = event.leg
        far = self.other(leg)
        match event:
            case events.Rang():
                return far.ring(now, event.status, event.sdp)
            case events.Answered():
                return far.answer(now, event.sdp)
            case events.Acknowledged():
                return far.acknowledge(event.sdp, now)
            case events.Refused():
                return far.refuse(event.cause.status or 500, now)
            case events.Ended():
                return far.hang_up(event.cause, now)
            case events.Reoffered():
                return far.reoffer(event.sdp, now)
            case events.Reanswered():
                return far.reanswer(event.sdp, now)
            case events.ReofferRefused():
                return far.refuse_reoffer(event.status, now)
            case events.Agreed():
                return self._turned(event, far, now)
            case events.Informed():
                return self._inform(event, far, now)
            case events.InfoAnswered():
                waiting, self._info = self._info, None
                return [] if waiting is None else far.answer_info(waiting, event.status, now)
        return []

    def _turned(self, event: events.Agreed, far: Leg, now: float) -> list[Any]:
        """Anchored legs answer a hold by themselves; what it means for the far party is told there."""
        held = not event.stream.sends
        if held == (far in self._held):
            return []
        self._held ^= {far}
        return far.hold(held, now)

    def _inform(self, event: events.Informed, far: Leg, now: float) -> list[Any]:
        if self._info is not None:
            return event.leg.answer_info(event.transaction, 491, now)  # one at a time is enough for INFO
        self._info = event.transaction
        kind = event.request.get("content-type") or "application/octet-stream"
        return far.inform(event.request.body, kind, now)
