"""Who must be woken when: a heap over machines that each know their one deadline.

A machine's deadline moves with nearly every message, and mostly away from `now`. So
the heap keeps for each machine the earliest time it was ever put down for, looks
again when that time comes, and puts the machine back at its true deadline. A machine
that is over leaves its entry empty, so that nothing is kept alive by an old deadline.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, Protocol


class Sleeper(Protocol):
    """Anything with one deadline, in monotonic seconds; None sleeps forever."""

    def deadline(self) -> float | None: ...


Entry = list[Any]
"""When (seconds), a serial number that no other entry has, and the machine or None."""


class Agenda:
    """Deadlines of many machines as one; `settle` after every touch of a machine."""

    __slots__ = ("_entries", "_heap", "_serial")

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._entries: dict[Sleeper, Entry] = {}
        self._serial = 0

    def __len__(self) -> int:
        return len(self._entries)

    def settle(self, machine: Sleeper) -> None:
        """Take note of the machine's deadline as it is now."""
        when = machine.deadline()
        if when is None:
            return  # an older entry, if any, finds nothing to do when its time comes
        known = self._entries.get(machine)
        if known is not None:
            if known[0] <= when:
                return
            known[2] = None
        self._serial += 1
        entry = self._entries[machine] = [when, self._serial, machine]
        heappush(self._heap, entry)

    def forget(self, machine: Sleeper) -> None:
        """The machine is over; its heap entry is empty when it comes up."""
        entry = self._entries.pop(machine, None)
        if entry is not None:
            entry[2] = None

    def deadline(self) -> float | None:
        """The next time to call `due`; None when nobody waits."""
        heap = self._heap
        while heap and heap[0][2] is None:
            heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now: float) -> list[Sleeper]:
        """The machines whose deadline has come, earliest first; settle each again after its turn."""
        ready: list[Sleeper] = []
        heap = self._heap
        while heap and heap[0][0] <= now:
            machine = heappop(heap)[2]
            if machine is None:
                continue
            del self._entries[machine]
            true = machine.deadline()
            if true is None:
                continue
            if true <= now:
                ready.append(machine)
            else:
                self.settle(machine)
        return ready
