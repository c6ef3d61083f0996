"""Nothing is left out: a rule for each requirement, cases for each rule, French for each, facts once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.guide import requirements
from tests.guide.cases import every, guides

import trunkline
from trunkline.finding import Wording
from trunkline.guide import foresight
from trunkline.guide.catalogue import RULES

SOURCES = Path(trunkline.__file__).parent
# Told while a verb runs, so no site file alone can show it: the test that shows a pass and a failure.
ELSEWHERE = {
    "SITE-9": "cli/test_sitefile.py",
    "SITE-19": "cli/test_sitefile.py",
    "SUP-1": "guide/test_suppress.py",
    "SUP-2": "guide/test_suppress.py",
    "FACTS-1": "cli/test_lab_example_telecom.py",
    **{rule.id: "guide/test_foresight.py" for rule in foresight.RULES},
}


def test_every_rule_has_a_passing_and_a_failing_case() -> None:
    without = {rule.id for rule in RULES} - {case.rule for case in every()} - set(ELSEWHERE)
    assert not without, f"no case file: {sorted(without)}"
    for rule, file in ELSEWHERE.items():
        assert rule in (Path(__file__).parents[1] / file).read_text("utf-8"), rule


def test_every_requirement_marked_rule_has_a_rule() -> None:
    held = {requirement for rule in RULES for requirement in rule.requirements}
    without = [requirement for requirement in requirements.RULED if requirement not in held]
    assert not without, f"no rule holds a site to: {without}"


def test_the_requirements_here_are_those_of_the_list() -> None:
    sample = "| FAX-1 | a | b | rule, run |\n| FAX-2 | a | out |\n| FAX-3 | a | overrule |\n"
    assert requirements.marked(sample) == ("FAX-1",)
    if requirements.LIST.exists():  # the list stands beside the repository; a clone elsewhere has none
        assert requirements.marked(requirements.LIST.read_text("utf-8")) == requirements.RULED


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_all_it_has_to_in_both_languages(rule: object) -> None:
    for name in ("title", "why", "mend"):
        words = getattr(rule, name)
        assert isinstance(words, Wording), f"{name} has no French"
        assert words.strip(), name
        assert words.french.strip(), name
        assert words.french != str(words), name
        assert not re.search(r"\{\w*\}", re.sub(r"\$\{\w+:\w+\}", "", words + words.french)), name


# --- what the guide says stands in its facts file and nowhere else --------------------------

# Names, the profile and bulletins by file name, loads, bulletins by number, addresses.
ONCE = re.compile(r"^sbc\d?\.|_|OXO\d|TC\d{4}|^\d+\.\d+\.\d+\.\d+$")


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        yield from (word for part in value for word in _words(part))


def the_guides_own() -> set[str]:
    """Names, addresses, loads, bulletin references of the guides, read from their facts."""
    own = set()
    for facts in guides().values():
        for fact in facts.by_key.values():
            group = fact.key.partition(".")[0]
            named = group in ("bulletins",) or ".sbc." in fact.key or fact.key.startswith("products.loads.")
            if named and fact.key != "bulletins.versions":
                own |= {word for word in _words(fact.value) if fact.known and ONCE.search(word)}
    return own


def the_guides_ports() -> set[int]:
    """The first and last media port of the guides."""
    return {
        port
        for facts in guides().values()
        if facts.known("internet.media_ports")
        for port in facts.numbers("internet.media_ports")
    }


def test_the_guides_words_are_found_in_the_facts() -> None:
    own = the_guides_own()
    assert {"194.250.129.194", "sbc1.business-talk-ip.orange-business.com", "OXO061/015.001", "TC1284"} <= own
    assert {6000, 38000} <= the_guides_ports()


def test_what_the_guide_says_stands_in_no_module() -> None:
    own, ports = the_guides_own(), the_guides_ports()
    for file in sorted(SOURCES.rglob("*.py")):
        text = file.read_text("utf-8")
        found = [word for word in own if word in text]
        found += [
            str(node.value)
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant) and type(node.value) is int and node.value in ports
        ]
        found += re.findall("|".join(rf"\b{port}\b" for port in sorted(ports)), text)
        assert not found, f"{file.relative_to(SOURCES)}: {found}"
