"""`trunkline explain`: a rule's page, the list of all, the id that was meant."""

from __future__ import annotations

import json

import pytest

from trunkline.cli.main import main
from trunkline.guide.select import every

Output = pytest.CaptureFixture[str]


def test_a_rule_is_explained_in_the_language_asked_for(capsys: Output) -> None:
    assert main(["explain", "CAC-1b", "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("CAC-1b  ")
    assert "How to mend" in out
    assert main(["explain", "CAC-1b", "--lang", "fr"]) == 0
    assert "À faire" in capsys.readouterr().out


def test_a_requirement_explains_all_its_rules(capsys: Output) -> None:
    assert main(["explain", "cac-1"]) == 0
    heads = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("CAC-")]
    assert heads == ["CAC-1a", "CAC-1b", "CAC-1c", "CAC-1d"]


def test_without_an_id_all_are_listed(capsys: Output) -> None:
    assert main(["explain"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(every())


def test_an_unknown_id_is_told_with_the_one_that_was_meant(capsys: Output) -> None:
    assert main(["explain", "CAC-1x", "--lang", "en"]) == 2
    assert capsys.readouterr().err == "no rule is called CAC-1x; did you mean CAC-1?\n"
    assert main(["explain", "???", "--lang", "fr"]) == 2
    assert "les liste toutes" in capsys.readouterr().err


def test_json_tells_programs_the_same(capsys: Output) -> None:
    assert main(["explain", "SITE-3", "--json", "--lang", "en"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["id"], told["level"]) == ("SITE-3", "MUST")
    assert told["parts"]["Why"]
