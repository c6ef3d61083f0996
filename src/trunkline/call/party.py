"""Who sits at an ending leg: answers, plays a tone, listens, holds out or hangs up.

Lab phones, test calls and the virtual carrier's subscribers are parties; they differ
only in their `Behaviour`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trunkline.call import events
from trunkline.call.cause import NORMAL_CLEARING, Cause
from trunkline.call.leg import Leg
from trunkline.call.leg import State as LegState
from trunkline.media import anchor

NORMAL = Cause(NORMAL_CLEARING)
# What test phones play (Hz), one of them a call; subscribers listen for all, so that the wrong one shows.
# Each stands 80 Hz and more from the next and from the tones of public networks.
TEST_TONES = (620, 700, 780, 930, 1010, 1150, 1330, 1490)
SILENCE = Cause(41, 0, "no RTP from the far side")  # Q.850 41: temporary failure
# Seconds of ringing, on either side, that nobody outstays; networks end it then at the latest.
PATIENCE = 180.0
NO_ANSWER = Cause(19, 480, "nobody answered")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a party does.

    `does` is "answer", "echo", "busy", "ring" (never answers), "early" (183 with media,
    then answers), "hang-up" (answers, and hangs up `seconds` after that) or
    "unallocated". `after` is the ringing time in seconds; `seconds` 0 never hangs up.
    `tone` and `listen` are in Hz, 0 and () are silence; `leaves_silence` hangs up when
    the far side's RTP stops.
    """

    does: str = "answer"
    after: float = 0.2
    seconds: float = 0.0
    tone: int = 0
    listen: tuple[int, ...] = ()
    leaves_silence: bool = True


class Party:
    """One party on one leg, calling or called."""

    __slots__ = ("_at", "_next", "behaviour", "leg", "talking")

    def __init__(self, leg: Leg, behaviour: Behaviour) -> None:
        self.leg = leg
        self.behaviour = behaviour
        self.talking = False
        self._next = ""
        self._at: float | None = None

    def hear(self, event: Any, now: float) -> list[Any]:
        """Take a call event of this party's leg."""
        match event:
            case events.Invited():
                return self._invited(now)
            case events.Agreed():
                return self._agreed()
            case events.Proceeding() | events.Rang():
                if self._at is None:  # what ended the call may be lost, and a 180 has no end of its own
                    self._plan("give up", now + PATIENCE)
            case events.Answered() | events.Acknowledged():
                return self._connected(now)
            case events.Informed(_, _, transaction):
                return self.leg.answer_info(transaction, 200, now)  # RFC 6086 §4.2.2: heard, and that is all
            case events.Ended() | events.Refused() | events.Gone():
                self._at = None
                self.leg.endpoint.agenda.forget(self)
        return []

    def hear_media(self, event: anchor.Event, now: float) -> list[Any]:
        """Take an event of this party's media end."""
        if self.leaves(event):
            return self.hang_up(now, SILENCE)
        return []

    def leaves(self, event: anchor.Event) -> bool:
        """Whether this silence is one to leave: before the answer nobody has to speak."""
        return isinstance(event, anchor.Silent) and self.talking and self.behaviour.leaves_silence

    def hang_up(self, now: float, cause: Cause = NORMAL) -> list[Any]:
        self._at = None
        return self.leg.hang_up(cause, now)

    def deadline(self) -> float | None:
        return self._at

    def expire(self, now: float) -> list[Any]:
        if self._at is None or now < self._at:
            return []
        self._at = None
        if self._next == "answer":
            return self.leg.answer(now)
        return self.hang_up(now, NO_ANSWER if self._next == "give up" else NORMAL)

    def _invited(self, now: float) -> list[Any]:
        match self.behaviour.does:
            case "busy":
                return self.leg.refuse(486, now)
            case "unallocated":
                return self.leg.refuse(404, now)
            case "ring":
                self._plan("give up", now + PATIENCE)
                return self.leg.ring(now)
            case "early":
                out = self.leg.ring(now, 183)
            case _:
                out = self.leg.ring(now)
        self._plan("answer", now + self.behaviour.after)
        return out

    def _agreed(self) -> list[Any]:
        terms, does = self.leg.terms, self.behaviour.does
        if self.talking or terms is None:
            return []
        media, leg = terms.media, self.leg.id
        out: list[Any] = []
        if does == "echo":
            out.append(anchor.Play(media, leg, (), echo=True))
        elif self.behaviour.tone:
            out.append(anchor.Play(media, leg, (self.behaviour.tone,)))
        if self.behaviour.listen:
            out.append(anchor.Listen(media, leg, self.behaviour.listen))
        return out

    def _connected(self, now: float) -> list[Any]:
        if not self.talking and self.leg.state is LegState.TALKING:
            self.talking, self._at = True, None
            if self.behaviour.seconds:
                self._plan("hang up", now + self.behaviour.seconds)
        return []

    def _plan(self, what: str, at: float) -> None:
        self._next, self._at = what, at
        self.leg.endpoint.wake(self)
