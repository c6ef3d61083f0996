"""Each case file: the site with the passing value is clean, with the failing one its rule fires alone."""

from __future__ import annotations

import pytest
from tests.guide.cases import Case, every

from trunkline.finding import Finding, Level
from trunkline.guide.catalogue import RULES, judge
from trunkline.site.load import load


def findings(case: Case, text: str) -> tuple[Finding, ...]:
    """All that is told of a site, the notes aside that its text alone brings."""
    loaded = load(text, "site.yaml")
    told = (found for found in loaded.findings if found.level is not Level.NOTE)
    return (*told, *judge(loaded, guides=case.guides()))


@pytest.mark.parametrize("case", every(), ids=str)
def test_a_case_passes_and_fails_in_one_key(case: Case) -> None:
    passing = findings(case, case.site(case.passes))
    assert [found for found in passing if found.level is not Level.NOTE] == []
    noted = {(found.rule, found.path) for found in passing}  # what is asked of the carrier either way
    (found,) = (new for new in findings(case, case.site(case.fails)) if (new.rule, new.path) not in noted)
    assert (found.rule, found.path) == (case.rule, case.at)
    assert (found.line, found.column) != (1, 1)
    assert found.says
    assert found.mend


def test_every_case_file_is_a_rules() -> None:
    assert {case.rule for case in every()} <= {rule.id for rule in RULES}
