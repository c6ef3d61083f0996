"""`trunkline guide`: facts, lint and compare, for people and for programs, in two languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trunkline.cli.guide import as_toml
from trunkline.cli.main import main
from trunkline.guide.facts import Facts, shipped

FACTS = shipped()["business-talk-oxo-6.x"]
EXAMPLE = Path(__file__).parents[1] / "guide" / "example_telecom" / "facts.toml"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["guide", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_facts_are_listed_with_their_sections(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "facts", "--prefix", "internet.sbc.nominal")
    assert code == 0
    assert (
        out.splitlines()[1]
        == f"  internet.sbc.nominal.name = {FACTS.text('internet.sbc.nominal.name')}  [2.4.4; SBC-1, SEC-5]"
    )
    assert len(out.splitlines()) == 4
    _, out, _ = run(capsys, "facts", "--json")
    assert len(json.loads(out)["entries"]) == len(FACTS.by_key)
    _, out, _ = run(capsys, "facts", str(EXAMPLE), "--prefix", "tls", "--lang", "fr")
    assert out.splitlines()[1:] == ["  tls.suites_1_2 = demandez à l'opérateur  [2.5]"]


def test_facts_as_toml_read_back_as_the_same_guide(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "facts", "--toml")
    assert Facts.parse(out) == FACTS
    example = Facts.parse(EXAMPLE.read_text("utf-8"))
    assert Facts.parse(as_toml(example)) == example


def test_lint_tells_the_guides_contradictions(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "lint")
    assert code == 1
    assert out.startswith("LINT-1 SHOULD cloud_connect.ports: section 5.1 opens tcp/500")
    assert "[guide 5.1; RFC 7296 §2]" in out
    _, french, _ = run(capsys, "lint", FACTS.name, "--lang", "fr")
    assert french.startswith("LINT-1 CONSEILLÉ cloud_connect.ports : la section 5.1 ouvre tcp/500")
    code, out, _ = run(capsys, "lint", "--json")
    assert (code, len(json.loads(out)["entries"])) == (1, 17)


def test_compare_tells_what_differs_and_gives_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "compare", FACTS.name, FACTS.name)[0] == 0
    other = tmp_path / "next.toml"
    text = as_toml(FACTS).replace('edition = "22/10/2024"', 'edition = "01/01/2027"')
    other.write_text(
        text.replace(
            "internet.signalling_port = { value = 5061", "internet.signalling_port = { value = 5071"
        ),
        "utf-8",
    )
    code, out, _ = run(capsys, "compare", FACTS.name, str(other))
    assert code == 1
    assert out.splitlines()[:2] == [
        f"{FACTS.name} (22/10/2024) -> {FACTS.name} (01/01/2027)",
        "  changed internet.signalling_port: 5061 -> 5071  [2.4.4]",
    ]
    assert "rests on it: FW-1, SEC-2, INET-3" in out
    assert "SEC-2a" in out
    assert out.endswith("1 changed\n")
    _, out, _ = run(capsys, "compare", FACTS.name, str(other), "--json")
    (entry,) = json.loads(out)["entries"]
    assert (entry["kind"], entry["before"]["value"], entry["after"]["value"]) == ("changed", 5061, 5071)


@pytest.mark.parametrize("words", [("compare", "one"), ("lint", "one", "two"), ("facts", "no-such-file")])
def test_wrong_use_and_a_file_that_is_not_there_give_2(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err
