"""Days in the life of a secured trunk, each chosen by its seed.

SECURED_SEED=4711 python -m pytest tests/simulation/secured/test_seeds.py      one seed, also beyond the usual
python -m tests.simulation.secured.play 4711                                   the same with its log
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulation.secured.plan import THEMES, secure_plan_of
from tests.simulation.secured.play import secure_play

ROOT = Path(__file__).parents[3]
SEEDS = 600
TELL = """
import sys
from tests.simulation.secured.play import secure_play
print(*(secure_play(int(seed)).fingerprint for seed in sys.argv[1:]))
"""


def seeds() -> list[int]:
    """The usual seeds, or the one that SECURED_SEED names."""
    named = os.environ.get("SECURED_SEED")
    return [int(named)] if named else list(range(SEEDS))


@pytest.mark.parametrize("seed", seeds())
def test_whatever_goes_wrong_with_tls_and_media_every_law_holds_and_nothing_is_left(seed: int) -> None:
    outcome = secure_play(seed)
    assert len(outcome.plan.rings) >= 6
    if outcome.broken:
        again = secure_play(seed, log=True)
        same = (
            ""
            if again.fingerprint == outcome.fingerprint
            else "\nIT DID NOT REPLAY: the same seed went otherwise"
        )
        command = f"SECURED_SEED={seed} python -m pytest tests/simulation/secured/test_seeds.py"
        pytest.fail(f"{again.report()}{same}\n\nreplay: {command}", pytrace=False)


def test_a_seed_replays_to_the_byte_whatever_the_process() -> None:
    """Certificates are made anew in each process, and nothing of a run may depend on it."""
    seeds = [next(n for n in range(SEEDS) if secure_plan_of(n).theme == theme) for theme in THEMES]
    here = [secure_play(seed).fingerprint for seed in seeds]
    for salt in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
        command = [sys.executable, "-c", TELL, *map(str, seeds)]
        there = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert there.stdout.split() == here
