"""The figures of a run of the benchmarks: a table for people, bench/results.json for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "results.json"
LIMITS = {  # what the ratio of a figure may be at most
    "b2bua_cpu_per_call_vs_sippy": 0.6,
    "ipbx_tls_cpu_per_call_vs_udp": 1.25,
    "relay_cpu_per_packet_vs_rtpengine": 1.2,
    "plan_50_remote_sites": 1.0,  # of 2 s
}

MOST = {  # what a figure itself may be at most, in its unit, on two cores
    "check_one_site": 0.4,
    "check_10000_sites": 60.0,
}


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


def by_pairs(name: str, unit: str, runs: Sequence[float], against: str, other: Sequence[float]) -> Result:
    """As `result`, but the ratio is the median of each run's to the `other` system's run beside it.

    What slows the machine for a while slows both runs of a pair; it need not slow both medians.
    """
    ratio = statistics.median(one / beside for one, beside in zip(runs, other, strict=True))
    return Result(name, statistics.median(runs), unit, ratio, against, tuple(runs))


def table(results: Iterable[Result]) -> str:
    """One line a figure: median, spread over the runs, ratio."""
    lines = [f"{'':40}{'median':>10} {'least':>9}{'most':>10}  unit"]
    for row in results:
        ratio = "" if row.ratio is None else f"  {row.ratio:.2f} of {row.against}"
        least, most = min(row.runs), max(row.runs)
        lines.append(f"{row.name:40}{row.value:10.3f} {least:9.3f}{most:10.3f}  {row.unit}{ratio}")
    return "\n".join(lines)


def holds(row: Result) -> bool | None:
    """Whether the figure keeps its limit; None: it has none."""
    if row.name in MOST:
        return row.value <= MOST[row.name]
    limit = LIMITS.get(row.name)
    return None if limit is None else row.ratio is not None and row.ratio <= limit


def verdicts(results: Iterable[Result]) -> list[str]:
    """One line for each figure that has a limit."""
    return [
        f"{'PASS' if holds(row) else 'FAIL'}  {row.name}: {_told(row)}"
        for row in results
        if holds(row) is not None
    ]


def _told(row: Result) -> str:
    if row.name in MOST:
        return f"{row.value:.2f} {row.unit}, at most {MOST[row.name]:g}"
    ratio = "no ratio" if row.ratio is None else f"{row.ratio:.2f} of {row.against}"
    return f"{ratio}, at most {LIMITS[row.name]:g}"


def write(results: Iterable[Result], file: Path = FILE) -> None:
    """Writes the list of {name, value, unit, ratio, against, runs}.

    A figure takes the place of its former self, and those that were not measured stay: so
    the parts of the benchmark can be run one by one.
    """
    rows = json.loads(file.read_text()) if file.exists() else []
    kept = {row["name"]: row for row in rows} | {row.name: row._asdict() for row in results}
    file.write_text(json.dumps(list(kept.values()), indent=1) + "\n")
