"""A conference in G.711: every 20 ms each leg gets the sum of the others."""

from __future__ import annotations

from functools import lru_cache
from itertools import repeat
from operator import add, sub

from trunkline.media.g711 import A_LAW, Law

FRAME = 160  # samples mixed at once
PERIOD = 0.02  # seconds they last
DEPTH = 3 * FRAME  # samples kept of a leg that is ahead; older ones are dropped
START = 2 * FRAME  # samples there must be before a leg is heard, so that its jitter is not
_PEAK = 32767


@lru_cache(maxsize=2)
def _codes(law: Law) -> bytes:
    """The code of each 16-bit sample, by its upper 14 bits as an unsigned number."""
    return bytes(law.code((n << 2) - 0x10000 if n & 0x2000 else n << 2) for n in range(0x4000))


class Mixer:
    """The legs by name; `put` what each sends as it comes, `mix` every 20 ms."""

    __slots__ = ("_ahead", "_heard", "_laws")

    def __init__(self) -> None:
        self._laws: dict[str, Law] = {}
        self._ahead: dict[str, list[int]] = {}  # samples that wait, the oldest first
        self._heard: dict[str, bool] = {}  # enough came to start

    @property
    def names(self) -> tuple[str, ...]:
        """The legs that take part."""
        return tuple(self._laws)

    def join(self, name: str, law: Law = A_LAW) -> None:
        """A leg takes part, or speaks another law from now on."""
        self._laws[name] = law
        self._ahead.setdefault(name, [])
        self._heard.setdefault(name, False)

    def leave(self, name: str) -> None:
        """A leg takes part no more."""
        for kept in (self._laws, self._ahead, self._heard):
            kept.pop(name, None)

    def put(self, name: str, payload: bytes) -> None:
        """What a leg sent."""
        ahead = self._ahead.get(name)
        if ahead is None:
            return
        ahead += map(self._laws[name].samples.__getitem__, payload[:DEPTH])
        del ahead[: max(0, len(ahead) - DEPTH)]
        self._heard[name] |= len(ahead) >= START

    def mix(self) -> dict[str, bytes]:
        """The next 20 ms for each leg, in its own law."""
        frames = {name: frame for name in self._laws if (frame := self._frame(name))}
        total = list(repeat(0, FRAME))
        for frame in frames.values():
            total = list(map(add, total, frame))
        return {
            name: self._code(law, map(sub, total, frames[name]) if name in frames else total)
            for name, law in self._laws.items()
        }

    def _frame(self, name: str) -> list[int]:
        ahead = self._ahead[name]
        if len(ahead) < FRAME:  # it ran dry, or has not begun: nothing until there is enough again
            self._heard[name] = False
        if not self._heard[name]:
            return []
        frame = ahead[:FRAME]
        del ahead[:FRAME]
        return frame

    @staticmethod
    def _code(law: Law, samples: map[int] | list[int]) -> bytes:
        codes = _codes(law)
        return bytes(
            [codes[(_PEAK if s > _PEAK else -_PEAK if s < -_PEAK else s) >> 2 & 0x3FFF] for s in samples]
        )
