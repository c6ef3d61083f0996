"""The fleet that the benchmark checks: all different, broken where it says so, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.check import BREAKS, BROKEN_EACH, EXAMPLES, SEED, fleet, run, written

from bench import results
from trunkline.cli.verdicts import Asked, parts
from trunkline.guide.verdict import CLEAN


def test_no_two_sites_are_equal_and_a_seed_makes_the_same_ones() -> None:
    made = list(fleet(300, SEED))
    assert len({text for text, _ in made}) == 300
    assert made == list(fleet(300, SEED))
    assert made != list(fleet(300, SEED + 1))


def test_one_in_ten_is_broken_and_check_finds_exactly_those(tmp_path: Path) -> None:
    assert written(tmp_path, 120, SEED) == 120 // BROKEN_EACH
    files = sorted(tmp_path.rglob("*.yaml"))
    codes = [part.totals.code for part in parts(map(str, files), Asked())]
    assert [code != CLEAN for code in codes] == [index % BROKEN_EACH == 0 for index in range(120)]


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_each_way_to_break_breaks_each_example(file: Path, tmp_path: Path) -> None:
    for right, wrong in BREAKS:
        site = tmp_path / "site.yaml"
        site.write_text(file.read_text("utf-8").replace(right, wrong, 1), "utf-8")
        (part,) = parts([str(site)], Asked())
        assert part.totals.code != CLEAN, wrong


def test_a_run_tells_time_processor_and_memory() -> None:
    cost, out = run(EXAMPLES / "bvpn.yaml", cores=1)
    assert out.endswith(": clean\n")
    assert cost.seconds > 0
    assert cost.cpu > 0
    assert cost.memory > 10_000


def test_a_figure_may_have_a_limit_of_its_own() -> None:
    good, slow = (results.result("check_one_site", "s", [value]) for value in (0.3, 0.5))
    assert (results.holds(good), results.holds(slow)) == (True, False)
    assert results.verdicts([good, slow]) == [
        "PASS  check_one_site: 0.30 s, at most 0.4",
        "FAIL  check_one_site: 0.50 s, at most 0.4",
    ]
