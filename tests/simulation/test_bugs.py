"""Would the simulation notice? Bugs planted on purpose, each of which a seed must find."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation.planted import ROOT, Bug, DoesNotApply, bugs

BUGS = bugs()


def test_there_are_at_least_twelve_and_four_for_the_secured_town() -> None:
    assert len([bug for bug in BUGS if not bug.secured]) >= 12
    assert len([bug for bug in BUGS if bug.secured]) >= 4


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug, tmp_path: Path) -> None:
    found = bug.hunt(tmp_path)
    assert found.startswith("seed "), found or f"seeds {bug.first}-{bug.last} did not notice: {bug.what}"


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_patch_applies_to_the_source_as_it_is(bug: Bug, tmp_path: Path) -> None:
    for file, _, _ in bug.edits:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    bug.apply(tmp_path)


def test_a_patch_that_no_longer_applies_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\n", "utf-8")
    moved = Bug("moved", "what", 0, 0, (("a.py", "three\n", ""),))
    with pytest.raises(DoesNotApply, match=r"moved\.patch: a\.py has this 0 times"):
        moved.apply(tmp_path)
