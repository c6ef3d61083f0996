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


def test_a_figure_takes_the_place_of_its_former_self_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    results.write([results.result("cost", "ms", [1.0]), results.result("size", "KiB", [7.0])], file)
    results.write([results.result("cost", "ms", [2.0])], file)
    assert [(row["name"], row["value"]) for row in json.loads(file.read_text())] == [
        ("cost", 2.0),
        ("size", 7.0),
    ]


def test_a_figure_with_a_limit_is_judged_by_its_ratio() -> None:
    name = "ipbx_tls_cpu_per_call_vs_udp"
    at, over = (results.result(name, "ms", [cost], "udp", [4.0]) for cost in (5.0, 5.1))
    assert (results.holds(at), results.holds(over)) == (True, False)
    assert results.verdicts([at, results.result("cost", "ms", [1.0])]) == [
        f"PASS  {name}: 1.25 of udp, at most 1.25"
    ]


def test_a_limit_without_the_ratio_it_is_on_does_not_hold() -> None:
    alone = results.result("relay_cpu_per_packet_vs_rtpengine", "us", [1.0])
    assert results.holds(alone) is False
    assert "no ratio" in results.verdicts([alone])[0]


def test_a_figure_without_a_limit_has_no_verdict() -> None:
    assert results.holds(results.result("cost", "ms", [1.0])) is None
