"""How long `trunkline check` takes: one site from the start of the process, and a fleet of ten thousand.

The fleet is made from a seed: the examples of every architecture, each with a customer,
numbers and users of its own, so that no two files are equal; one in ten is broken in one
place. A run whose verdicts are not exactly those is no measurement.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.interop.program import PeerError

from bench import results

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
COMMAND = (sys.executable, "-m", "trunkline", "check")
SITES = 10_000
BROKEN_EACH = 10  # one in this many
SEED = 20261126
ALONE = 15  # runs of one site, after one that warms the machine's caches
EXTRA_USERS = 30  # at most

# One place each, as installers get it wrong.
BREAKS: tuple[tuple[str, str], ...] = (
    ("  channels: ", "  chanels: "),  # SITE-3
    ("        bandwidth: ", "        bandwidth: x"),  # SITE-5
    ("    address: ", "    address: 300."),  # SITE-5
    ("  installation_number: +33 ", "  installation_number: 0"),  # SITE-5
    ("  edition: ", "  edition: 1"),  # SITE-11
    ("  outside_prefix: 0", "  outside_prefix: *0"),  # SITE-6
    ("users:\n", "users:\n  - extension: 201\n"),  # SITE-30
    ("trunk:\n", "\ttrunk:\n"),  # SITE-1
    ("customer: ", "# customer: "),  # SITE-4
)


class Run(NamedTuple):
    """What one run of the command cost: seconds on the clock and of processors, and KiB of memory."""

    seconds: float
    cpu: float
    memory: int


def fleet(count: int, seed: int) -> Iterator[tuple[str, bool]]:
    """The text of each site, and whether it is broken."""
    dice = random.Random(seed)
    bases = [file.read_text("utf-8") for file in sorted(EXAMPLES.glob("*.yaml"))]
    numbers = dice.sample([number for number in range(10_000 + count) if number != 90], count)
    for index, number in enumerate(numbers):
        text = dice.choice(bases)
        text = text.replace(
            "+33 1 99 00 10", f"+33 1 {number // 10_000 + 80} {number // 100 % 100:02} {number % 100:02}"
        )
        head, users, tail = text.partition("users:\n")
        extra = "".join(
            f"  - extension: {extension}\n    name: Poste {dice.randrange(10**6)}\n"
            f"    password: ${{file:secrets/{extension}}}\n"
            for extension in range(400, 400 + dice.randint(0, EXTRA_USERS))
        )
        text = head.replace("customer: ", f"customer: Client {number} ", 1) + users + extra + tail
        broken = index % BROKEN_EACH == 0
        if broken:
            right, wrong = dice.choice(BREAKS)
            text = text.replace(right, wrong, 1)
        yield text, broken


def written(folder: Path, count: int = SITES, seed: int = SEED) -> int:
    """Write the fleet, a hundred files a folder; returns how many are broken."""
    wrong = 0
    for index, (text, broken) in enumerate(fleet(count, seed)):
        place = folder / f"{index // 100:03}"
        place.mkdir(exist_ok=True)
        (place / f"site{index:05}.yaml").write_text(text, "utf-8")
        wrong += broken
    return wrong


def run(*words: str | Path, cores: int) -> tuple[Run, str]:
    """Run the command to its end on so many processors."""
    chosen = set(sorted(os.sched_getaffinity(0))[:cores])
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, chosen),
    )
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.stderr:
        raise PeerError(done.stderr[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, cpu, after.ru_maxrss), done.stdout


def measure(tell: Callable[[str], None]) -> list[results.Result]:
    """Both figures. Raises PeerError for a run that did not find exactly what was broken."""
    site = EXAMPLES / "internet-a.yaml"
    run(site, cores=2)
    alone = [run(site, cores=2)[0] for _ in range(ALONE)]
    tell(f"one site, {ALONE} times: {min(one.seconds for one in alone):.3f} s at least")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        broken = written(Path(name))
        cost, out = run("--fleet", name, "--json", cores=2)
    summary = json.loads(out.splitlines()[-1])["summary"]
    clean = summary["exits"].get("0", 0)
    if (summary["sites"], clean) != (SITES, SITES - broken):
        raise PeerError(
            f"{SITES - broken} of {SITES} sites are good, but {clean} of {summary['sites']} were clean"
        )
    tell(f"{SITES} sites, {broken} broken: {cost.seconds:.1f} s, {cost.memory / 1024:.0f} MiB a process")
    return [
        results.result("check_one_site", "s", [one.seconds for one in alone]),
        results.result("check_one_site_cpu", "s", [one.cpu for one in alone]),
        results.result("check_10000_sites", "s", [cost.seconds]),
        results.result("check_cpu_per_site", "ms", [cost.cpu / SITES * 1000]),
        results.result("check_fleet_rss", "MiB", [cost.memory / 1024]),
    ]
