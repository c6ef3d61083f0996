"""Compares the systems under the same calls by turns, prints a table and writes bench/results.json."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from bench.ipbx import IPBX
from bench.load import Load, Sample, interleaved
from bench.peers import DIRECT, SIPPY

from bench import memory, results

SYSTEMS = (SIPPY, IPBX, DIRECT)  # by turns, in this order


def figures(samples: dict[str, list[Sample]]) -> list[results.Result]:
    """The figures of the comparison, from the sound runs of each system."""
    floor = statistics.median(sample.percentile(0.99) for sample in samples["direct"])
    cost = {name: [sample.milliseconds for sample in runs] for name, runs in samples.items()}
    late = {name: [(run.percentile(0.99) - floor) * 1000 for run in runs] for name, runs in samples.items()}
    found = [
        results.result("sippy_cpu_per_call", "ms", cost["sippy"]),
        results.result("sippy_invite_to_180_added_p99", "ms", late["sippy"]),
    ]
    for name in samples.keys() - {"sippy", "direct"}:
        found.append(
            results.result(f"{name}_cpu_per_call_vs_sippy", "ms", cost[name], "sippy", cost["sippy"])
        )
        found.append(
            results.result(f"{name}_invite_to_180_added_p99", "ms", late[name], "sippy", late["sippy"])
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each system (default 5)")
    parser.add_argument("--calls", type=int, default=Load().calls, help="calls of a run")
    parser.add_argument("--rate", type=float, default=Load().rate, help="calls a second")
    parser.add_argument("--no-memory", action="store_true", help="leave out the memory figures (5 minutes)")
    parser.add_argument(
        "--memory-only", action="store_true", help="only these, for a look: nothing is written"
    )
    asked = parser.parse_args()
    if asked.memory_only:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            print(f"\n{results.table(memory.measure(Path(directory), tell))}")
        return 0
    load = Load(calls=asked.calls, rate=asked.rate)
    print(f"{asked.runs} runs by turns of {load.calls} calls at {load.rate:g}/s", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        samples = interleaved(SYSTEMS, load, asked.runs, Path(directory), tell)
    unsound = [name for name, runs in samples.items() if len(runs) < asked.runs]
    if unsound:
        print(f"FAIL  too few sound runs of {', '.join(unsound)}: is the machine busy?")
        return 1
    found = figures(dict(samples))
    if asked.no_memory:
        print(f"\n{results.table(found)}")
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        found += memory.measure(Path(directory), tell)
    results.write(found)
    print(f"\n{results.table(found)}\n\nPASS  written to {results.FILE.name}")
    return 0


def tell(said: str) -> None:
    """One line of what is going on."""
    print(said, flush=True)


if __name__ == "__main__":
    sys.exit(main())
