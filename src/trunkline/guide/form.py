"""Which findings are errors of the file's form: what stands behind them was not judged."""

from __future__ import annotations

from typing import Final

from trunkline.finding import Finding, Level

_OF_THE_FORM: Final = frozenset(f"SITE-{number}" for number in range(1, 9))


def unavoidable(finding: Finding) -> bool:
    """Whether a finding is an error of the file's form: it can be neither suppressed nor left out."""
    return binding(finding.rule, finding.level)


def binding(id: str, level: Level) -> bool:
    """The same of a rule, by its id and level."""
    return level is Level.MUST and id in _OF_THE_FORM
