"""The same seed is the same day, to the byte, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.simulation.plan import Mood, plan_of
from tests.simulation.play import play

ROOT = Path(__file__).parents[2]
EACH = 2  # seeds of each mood
TELL = """
import sys
from tests.simulation.play import play
print(*(play(int(seed)).fingerprint for seed in sys.argv[1:]))
"""


def sample() -> list[int]:
    """The first seeds of each mood."""
    found: dict[Mood, list[int]] = {mood: [] for mood in Mood}
    seed = 0
    while any(len(seeds) < EACH for seeds in found.values()):
        found[plan_of(seed).mood].append(seed)
        seed += 1
    return sorted(seed for seeds in found.values() for seed in seeds[:EACH])


def test_a_seed_replays_to_the_byte_whatever_the_process() -> None:
    """Sets and dictionaries of words are in another order in each process; nothing may depend on it."""
    seeds = sample()
    here = [play(seed).fingerprint for seed in seeds]
    for salt in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
        command = [sys.executable, "-c", TELL, *map(str, seeds)]
        there = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert there.stdout.split() == here


def test_seeds_differ() -> None:
    assert len({play(seed).fingerprint for seed in range(6)}) == 6


def test_the_log_of_a_seed_tells_its_plan_and_every_message() -> None:
    outcome = play(3, log=True)
    assert play(3).fingerprint == outcome.fingerprint
    report = outcome.report()
    assert report.startswith("seed 3: ")
    assert sum(" -> " in line for line in outcome.log) == outcome.sent
