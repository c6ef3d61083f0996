"""What a running system costs: the processor time and the memory of its whole process tree, from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # a second; the kernel's own grain is finer than the 10 ms it tells


def tree(root: int) -> list[int]:
    """The process ``root`` and every living descendant."""
    found, left = [], [root]
    while left:
        pid = left.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):  # a thread may end while we look
                left += map(int, children.read_text().split())
    return found


def processor_seconds(root: int) -> float:
    """User and system time used so far by the tree, its dead and reaped children included."""
    ticks = 0
    for pid in tree(root):
        with suppress(OSError):
            # The command's name, in brackets, may hold spaces: count the fields from after it.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))  # utime stime cutime cstime, proc(5)
    return ticks / TICKS


def thread_seconds(pid: int) -> float:
    """What the threads of one process used so far, to the nanosecond: for what is short."""
    used = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


def resident_bytes(root: int) -> int:
    """The memory of the tree that is in RAM, shared pages counted in each process that holds them."""
    pages = 0
    for pid in tree(root):
        with suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
