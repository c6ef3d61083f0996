"""Two thousand days in the life of a trunk, each chosen by its seed.

SEED=4711 python -m pytest tests/simulation/test_seeds.py      one seed, also beyond the usual ones
python -m tests.simulation.play 4711                           the same with its log, whether it fails or not
"""

from __future__ import annotations

import os

import pytest
from tests.simulation.play import play

SEEDS = 2000


def seeds() -> list[int]:
    """The usual seeds, or the one that SEED names."""
    named = os.environ.get("SEED")
    return [int(named)] if named else list(range(SEEDS))


@pytest.mark.parametrize("seed", seeds())
def test_whatever_goes_wrong_every_law_holds_and_nothing_is_left(seed: int) -> None:
    outcome = play(seed)
    assert len(outcome.plan.rings) >= 8
    if outcome.broken:
        again = play(seed, log=True)
        same = (
            ""
            if again.fingerprint == outcome.fingerprint
            else "\nIT DID NOT REPLAY: the same seed went otherwise"
        )
        command = f"SEED={seed} python -m pytest tests/simulation/test_seeds.py"
        pytest.fail(f"{again.report()}{same}\n\nreplay: {command}", pytrace=False)
