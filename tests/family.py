"""Processes that another one started, and whether they have ended."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable
from pathlib import Path


def children(pid: int) -> list[int]:
    """The processes that this one started and that live."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


class Watch:
    """Knows these processes from now on, whoever gets their numbers later."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._files = [os.pidfd_open(pid) for pid in pids]

    def ended(self, within: float) -> bool:
        """Whether all of them end in so many seconds; asked once."""
        # Readable once it has ended, though nobody may have asked for its exit code yet.
        gone = [bool(select.select([file], [], [], within)[0]) for file in self._files]
        for file in self._files:
            os.close(file)
        return all(gone)
