"""How many messages a source may send before any of them is parsed: a token bucket for each address."""

from __future__ import annotations

_FORGET = 64  # sources dropped at once when the table is full


class Allowance:
    """`rate` messages a second and `burst` at once from each source; at most `sources` are remembered.

    When the table is full the sources that were seen first are forgotten, so that a
    flood from many forged addresses costs memory no more than a flood from one.
    """

    __slots__ = ("_buckets", "_burst", "_rate", "_sources")

    def __init__(self, rate: float, burst: float, *, sources: int = 4096) -> None:
        self._rate, self._burst, self._sources = rate, burst, sources
        self._buckets: dict[str, tuple[float, float]] = {}  # source -> (tokens left, at what time)

    def __len__(self) -> int:
        return len(self._buckets)

    def takes(self, source: str, now: float) -> bool:
        """True if this source may send one more message at `now`."""
        bucket = self._buckets.get(source)
        if bucket is None:
            if len(self._buckets) >= self._sources:
                for oldest in list(self._buckets)[:_FORGET]:
                    del self._buckets[oldest]
            left = self._burst
        else:
            left = min(self._burst, bucket[0] + (now - bucket[1]) * self._rate)
        allowed = left >= 1
        self._buckets[source] = (left - 1 if allowed else left, now)
        return allowed
