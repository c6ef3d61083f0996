"""Each case file: the site with the passing value is clean, with the failing one its rule fires alone."""

from __future__ import annotations

import pytest
from tests.guide.cases import Case, every

from trunkline.finding import Finding, Level
from trunkline.guide.catalogue import judge
from trunkline.site.load import load


def findings(text: str) -> tuple[Finding, ...]:
    """All that is told of a site, the notes aside that its text alone brings."""
    loaded = load(text, "site.yaml")
    return (*(found for found in loaded.findings if found.level is not Level.NOTE), *judge(loaded))


@pytest.mark.parametrize("case", every(), ids=str)
def test_a_case_passes_and_fails_in_one_key(case: Case) -> None:
    assert findings(case.site(case.passes)) == ()
    (found,) = findings(case.site(case.fails))
    assert (found.rule, found.path) == (case.rule, case.at)
    assert (found.line, found.column) != (1, 1)
    assert found.says
    assert found.mend
