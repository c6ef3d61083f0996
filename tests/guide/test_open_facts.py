"""A guide that leaves a fact open or says nothing of it: rules keep silent or ask, and never guess."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from tests.example_site import EXAMPLES
from tests.guide.cases import Case, every

from trunkline.finding import Level
from trunkline.guide.catalogue import RULES, judge
from trunkline.guide.facts import ASK, Facts, shipped
from trunkline.site.load import Loaded, load

GUIDE = shipped()["business-talk-oxo-6.x"]
UNGUARDED = {"SEC-5b", "TLS-1a"}  # they still take an open name, or an open list of suites, for a fact
GUARDED = [rule for rule in RULES if rule.id not in UNGUARDED]
CASES = [case for case in every() if case.key and "guide.name" not in {*case.given, case.key}]
SITES = sorted(EXAMPLES.glob("*.yaml"))


def opened(prefix: str) -> Iterator[tuple[str, Facts]]:
    """The guide with one fact of a group left open, and with it left out, for each of them."""
    for key, fact in GUIDE.by_key.items():
        if key.partition(".")[0] == prefix:
            asked = {**GUIDE.by_key, key: replace(fact, value=ASK)}
            left_out = {other: kept for other, kept in GUIDE.by_key.items() if other != key}
            for how, facts in (("open", asked), ("absent", left_out)):
                yield f"{key} {how}", replace(GUIDE, by_key=MappingProxyType(facts))


@pytest.fixture(scope="module")
def sites() -> list[Loaded]:
    return [load(file.read_text("utf-8"), file.name) for file in SITES]


@pytest.mark.parametrize("group", sorted({key.partition(".")[0] for key in GUIDE.by_key}))
def test_a_fact_left_open_makes_no_clean_site_unclean(group: str, sites: list[Loaded]) -> None:
    for name, facts in opened(group):
        for site in sites:
            found = judge(site, GUARDED, {GUIDE.name: facts})
            told = [finding for finding in found if finding.level is not Level.NOTE]
            assert not told or name.startswith(CERTIFIES), (name, site.file, told)


# What is left out of a list of what the guide certifies is not certified.
CERTIFIES = ("architectures.", "products.loads.")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_guide_that_says_nothing_has_no_rule_that_rests_on_its_facts(case: Case) -> None:
    nothing = Facts(GUIDE.name, GUIDE.title, GUIDE.carrier, GUIDE.edition)
    reads = {rule.id for rule in RULES if rule.fact}
    found = judge(load(case.site(case.fails), "x"), GUARDED, {GUIDE.name: nothing})
    assert not {finding.rule for finding in found} & reads


def test_examples_are_clean(sites: list[Loaded]) -> None:
    for site in sites:
        told = [finding for finding in judge(site) if finding.level is not Level.NOTE]
        assert (site.findings, told) == ((), []), site.file


def test_each_example_is_looked_at() -> None:
    assert Path("internet-b.yaml") in {Path(file.name) for file in SITES}
    assert len(SITES) >= 8
