"""The meter of the benchmarks: it must see the whole tree, or a system that forks would look cheap."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.interop.program import Program, until

from bench import cost

BURN = "sum(i * i for i in range(5_000_000))"


def _used(directory: Path, work: str) -> float:
    """What the meter says of a process that has done ``work`` and still lives."""
    done = directory / "done"
    script = f"import os, pathlib, signal\n{work}\npathlib.Path({str(done)!r}).touch()\nsignal.pause()"
    with Program([sys.executable, "-c", script], directory) as program:
        until(done.exists, 60, "the script's work", program)
        used = cost.processor_seconds(program.pid)
        for pid in cost.tree(program.pid)[1:]:
            os.kill(pid, signal.SIGKILL)
        return used


def test_time_of_a_living_child_counts(tmp_path: Path) -> None:
    alone = _used(tmp_path / "alone", BURN)
    child = f"    {BURN}\n    os.write(w, b'x')\n    signal.pause()"
    assert (
        _used(tmp_path / "child", f"r, w = os.pipe()\nif os.fork() == 0:\n{child}\nos.read(r, 1)") > alone / 2
    )


def test_time_of_a_dead_child_counts(tmp_path: Path) -> None:
    alone = _used(tmp_path / "alone", BURN)
    assert _used(tmp_path / "dead", f"if os.fork() == 0:\n    {BURN}\n    os._exit(0)\nos.wait()") > alone / 2


def test_a_tree_holds_grandchildren_and_their_memory(tmp_path: Path) -> None:
    with Program(["sh", "-c", "sh -c 'sleep 60; true'; true"], tmp_path) as program:
        tree = until(
            lambda: found if len(found := cost.tree(program.pid)) == 3 else None, 5, "three processes"
        )
        assert cost.resident_bytes(program.pid) > cost.resident_bytes(tree[-1]) > 0
        for pid in tree[1:]:
            os.kill(pid, signal.SIGKILL)
