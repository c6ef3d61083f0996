"""The clocks and the dice of a running product; the simulation brings its own.

Two clocks: monotonic seconds move every timer (`now`), civil time stands in records,
logs and traces. A monotonic instant becomes civil only here, at the moment it is
written, so that a step of the civil clock never moves a timer.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

now = time.monotonic
"""Monotonic seconds: the `now` of every machine."""

_WORDS = 512  # tokens cut from one reading of the kernel's random source
_DIGITS = 16  # hex digits of a token: 64 random bits


def civil_ns(at: float | None = None) -> int:
    """Nanoseconds since 1970 (UTC) of the monotonic instant `at`, or of this moment."""
    here = time.time_ns()
    return here if at is None else here - int((time.monotonic() - at) * 1e9)


def civil_text(at: float | None = None) -> str:
    """RFC 3339 text in UTC, to the millisecond, of the monotonic instant `at`, or of this moment."""
    second, rest = divmod(civil_ns(at), 10**9)
    return f"{_second_text(second)}.{rest // 10**6:03d}Z"


@lru_cache(maxsize=64)  # a record's times fall into few seconds, and strftime is slow
def _second_text(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


class SystemIds:
    """`sip.flow.Ids` from the operating system's random source.

    Tokens are guessed by nobody (RFC 3261 §19.3 asks 32 bits, here 64) and cheap,
    because they are cut in advance from one large reading.
    """

    __slots__ = ("_words",)

    def __init__(self) -> None:
        self._words: list[str] = []
        os.register_at_fork(after_in_child=self._words.clear)  # two processes never hand out the same words

    def token(self) -> str:
        """Sixteen hex digits, 64 random bits."""
        try:
            return self._words.pop()
        except IndexError:
            drawn = os.urandom(_WORDS * _DIGITS // 2).hex()
            self._words.extend(drawn[at : at + _DIGITS] for at in range(0, len(drawn), _DIGITS))
            return self._words.pop()

    def number(self, below: int) -> int:
        """A uniform integer in 0 <= n < `below`."""
        while True:  # what lies above the last whole multiple would favour small numbers
            drawn, room = int(self.token(), 16), 1 << 64
            while room < below:
                drawn, room = drawn << 64 | int(self.token(), 16), room << 64
            if drawn < room - room % below:
                return drawn % below
