"""Measures Trunkline beside others and beside itself, prints a table and writes bench/results.json.

Sections: check (one site, and a fleet of ten thousand), plan (a dossier with 50 remote sites),
signalling (the IPBX beside Sippy's B2BUA, over UDP), memory, tls (the same calls over mutual TLS
and over UDP), media (the workers beside rtpengine). Exit code 1 when a figure with a limit does
not keep it, or a section gave none.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from bench.ipbx import IPBX
from bench.load import Load, Sample, interleaved
from bench.peers import DIRECT, SIPPY
from tests.interop.program import PeerError

from bench import check, memory, plan, relay, results, tls

SYSTEMS = (SIPPY, IPBX, DIRECT)  # by turns, in this order
RELAYED = 400  # calls at once of the media figure
STEPS = (600, 800, 1000)  # calls at once that are tried for the most without loss; a trunk has no more
RELAY_SECONDS = 6.0  # of a run of media


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


def signalling(load: Load, runs: int) -> list[results.Result]:
    """The IPBX as a UDP B2BUA beside Sippy's. Raises PeerError when too few runs were sound."""
    tell(f"{runs} runs by turns of {load.calls} calls at {load.rate:g}/s")
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        samples = interleaved(SYSTEMS, load, runs, Path(directory), tell)
    unsound = [name for name, sound in samples.items() if len(sound) < runs]
    if unsound:
        raise PeerError(f"too few sound runs of {', '.join(unsound)}: is the machine busy?")
    return figures(dict(samples))


def remembered() -> list[results.Result]:
    """The memory figures."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        return memory.measure(Path(directory), tell)


def planned(runs: int) -> list[results.Result]:
    """The figures of the dossier."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        return plan.measure(Path(directory), runs, tell)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each system (default 3)")
    parser.add_argument("--calls", type=int, default=Load().calls, help="calls of a signalling run")
    parser.add_argument("--rate", type=float, default=Load().rate, help="its calls a second")
    asked_for = {
        "check": "one site and a fleet of 10,000 (1 minute)",
        "signalling": "the IPBX beside Sippy's B2BUA (2 minutes)",
        "memory": "of registrations and calls (5 minutes)",
        "tls": "the same calls over mutual TLS and over UDP (5 minutes)",
        "media": "the workers beside rtpengine (2 minutes)",
        "plan": "a dossier with 50 remote sites (seconds)",
    }
    for section, what in asked_for.items():
        parser.add_argument(
            f"--{section}", action="store_true", help=f"only: {what}; more than one may be named"
        )
    asked = parser.parse_args()
    sections = {
        "check": lambda: check.measure(tell),
        "signalling": lambda: signalling(Load(calls=asked.calls, rate=asked.rate), asked.runs),
        "tls": lambda: asyncio.run(tls.compare(tls.LOAD, asked.runs, tell)),
        "media": lambda: asyncio.run(relay.compare(RELAYED, asked.runs, RELAY_SECONDS, STEPS)),
        "plan": lambda: planned(asked.runs),
        "memory": remembered,  # last, for it takes the longest
    }
    chosen = [section for section in sections if getattr(asked, section)] or list(sections)
    found: list[results.Result] = []
    failed = []
    for section in chosen:
        tell(f"--- {section}")
        try:
            rows = sections[section]()
        except (PeerError, RuntimeError) as error:
            failed.append(f"FAIL  {section}: {error}")
            continue
        results.write(rows)  # what follows takes its time, and may fail
        found += rows
    verdicts = [*results.verdicts(found), *failed]
    if found:
        tell(f"\n{results.table(found)}")
    if verdicts:
        tell("\n" + "\n".join(verdicts))
    if found:
        tell(f"\nwritten to {results.FILE.name}")
    return 1 if failed or any(results.holds(row) is False for row in found) else 0


def tell(said: str) -> None:
    """One line of what is going on."""
    print(said, flush=True)


if __name__ == "__main__":
    sys.exit(main())
