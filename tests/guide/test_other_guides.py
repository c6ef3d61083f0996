"""Another carrier's guide may say anything in the form of this one: whatever it says, nothing falls over."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest
from tests.example_site import EXAMPLES
from tests.guide.test_foresight import GOOD

from trunkline.finding import ParseError
from trunkline.guide.catalogue import RULES, judge
from trunkline.guide.compare import compare
from trunkline.guide.facts import ASK, Fact, Facts, FactValue, known_around, shipped
from trunkline.guide.foresight import foresee
from trunkline.guide.foresight_calendar import dues
from trunkline.guide.lint import lint
from trunkline.site.load import Loaded, load

FACTS, PKI = shipped()["business-talk-oxo-6.x"], known_around()["pki"]


@cache
def sites() -> tuple[Loaded, ...]:
    return tuple(load(file.read_text("utf-8"), file.name) for file in sorted(EXAMPLES.glob("*.yaml")))


def others(value: FactValue) -> list[Any]:
    """Other values of the same form."""
    match value:
        case bool():
            return [not value]
        case int():
            return [0, -1, 65536]
        case str():
            return ["", "x", "192.0.2.1"]
        case tuple():
            first = value[0]
            return [(first,), (first, first), ("",) if isinstance(first, str) else (0, 0)]
        case _:
            return [MappingProxyType(dict.fromkeys(value, n)) for n in (0, -1)]


@pytest.mark.parametrize("key", FACTS.by_key)
def test_every_fact_may_be_another_left_open_or_not_there(key: str) -> None:
    fact = FACTS.by_key[key]
    changed: list[Fact | None] = [replace(fact, value=value) for value in (*others(fact.value), ASK)]
    for now in (*changed, None):
        held = {other: known for other, known in FACTS.by_key.items() if other != key}
        if now is not None:
            held[key] = now
        facts: Facts = replace(FACTS, by_key=MappingProxyType(held))
        try:
            facts.check_kinds(FACTS)
        except ParseError:  # no verb reads such a file (FACTS-1)
            continue
        for loaded in sites():
            site = loaded.site
            assert site is not None
            assert all(found.says and found.mend for found in judge(loaded, guides={FACTS.name: facts}))
            assert all(seen.says for _, seen in foresee(site, (), facts, PKI, GOOD.at))
            assert all(due.on >= GOOD.at for due in dues(site, (), facts, PKI, GOOD.at))
        assert all(found.source.startswith("guide ") for found in lint(facts, PKI))
        assert {change.key for change in compare(FACTS, facts, RULES)} <= {key}
