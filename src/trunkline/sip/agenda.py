"""Who must be woken when: a heap over machines that each know their one deadline.

A machine's deadline moves with nearly every message, and mostly away from `now`. So
the heap keeps for each machine the earliest time it was ever put down for, looks
again when that time comes, and puts the machine back at its true deadline.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Protocol


class Sleeper(Protocol):
    """Anything with one deadline, in monotonic seconds; None sleeps forever."""

    def deadline(self) -> float | None: ...


class Agenda:
    """Deadlines of many machines as one; `settle` after every touch of a machine."""

    __slots__ = ("_heap", "_serial", "_when")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Sleeper]] = []
        self._when: dict[Sleeper, float] = {}
        self._serial = 0

    def __len__(self) -> int:
        return len(self._when)

    def settle(self, machine: Sleeper) -> None:
        """Take note of the machine's deadline as it is now."""
        when = machine.deadline()
        if when is None:
            return  # an older entry, if any, finds nothing to do when its time comes
        known = self._when.get(machine)
        if known is None or when < known:
            self._when[machine] = when
            self._serial += 1
            heappush(self._heap, (when, self._serial, machine))

    def forget(self, machine: Sleeper) -> None:
        """The machine is over; its heap entry dies when it comes up."""
        self._when.pop(machine, None)

    def deadline(self) -> float | None:
        """The next time to call `due`; None when nobody waits."""
        heap, known = self._heap, self._when
        while heap and known.get(heap[0][2]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now: float) -> list[Sleeper]:
        """The machines whose deadline has come, earliest first; settle each again after its turn."""
        ready: list[Sleeper] = []
        heap, known = self._heap, self._when
        while heap and heap[0][0] <= now:
            when, _, machine = heappop(heap)
            if known.get(machine) != when:
                continue
            del known[machine]
            true = machine.deadline()
            if true is None:
                continue
            if true <= now:
                ready.append(machine)
            else:
                self.settle(machine)
        return ready
