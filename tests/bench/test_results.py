"""The figures that make bench writes."""

from __future__ import annotations

import json
from pathlib import Path

from bench import results


def test_figures_are_written_with_ratio_and_runs(tmp_path: Path) -> None:
    ours = results.result("b2bua_cpu_per_call_vs_sippy", "ms", [1.0, 3.0, 2.0], "sippy", [4.0, 4.0, 9.0])
    results.write([ours], tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text()) == [
        {
            "name": "b2bua_cpu_per_call_vs_sippy",
            "value": 2.0,
            "unit": "ms",
            "ratio": 0.5,
            "against": "sippy",
            "runs": [1.0, 3.0, 2.0],
        }
    ]


def test_the_table_shows_median_spread_and_ratio() -> None:
    shown = results.table([results.result("cost", "ms", [1.0, 3.0, 2.0], "sippy", [4.0])]).splitlines()[1]
    assert shown.split() == ["cost", "2.000", "1.000", "3.000", "ms", "0.50", "of", "sippy"]


def test_what_stands_against_nothing_has_no_ratio() -> None:
    assert results.result("cost", "ms", [1.0]).ratio is None
