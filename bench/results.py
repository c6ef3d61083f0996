"""The figures of a run of the benchmarks: a table for people, bench/results.json for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "results.json"


class Result(NamedTuple):
    """One figure, and its ratio to what it stands ``against`` in the same run ("" and None: nothing)."""

    name: str
    value: float
    unit: str
    ratio: float | None
    against: str
    runs: tuple[float, ...]  # the values whose median ``value`` is


def result(
    name: str, unit: str, runs: Sequence[float], against: str = "", other: Sequence[float] = ()
) -> Result:
    """The median of ``runs``, and its ratio to the median of what the ``other`` system gave."""
    value = statistics.median(runs)
    reference = statistics.median(other) if other else 0.0
    ratio = value / reference if reference else None
    return Result(name, value, unit, ratio, against, tuple(runs))


def table(results: Iterable[Result]) -> str:
    """One line a figure: median, spread over the runs, ratio."""
    lines = [f"{'':34}{'median':>10} {'least':>9}{'most':>10}  unit"]
    for row in results:
        ratio = "" if row.ratio is None else f"  {row.ratio:.2f} of {row.against}"
        least, most = min(row.runs), max(row.runs)
        lines.append(f"{row.name:34}{row.value:10.3f} {least:9.3f}{most:10.3f}  {row.unit}{ratio}")
    return "\n".join(lines)


def write(results: Iterable[Result], file: Path = FILE) -> None:
    """Writes the list of {name, value, unit, ratio, against, runs}."""
    rows = [row._asdict() for row in results]
    file.write_text(json.dumps(rows, indent=1) + "\n")
