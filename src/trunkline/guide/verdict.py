"""What `check` says of one site file, and the sum of what it says of many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from trunkline.finding import Finding, Level
from trunkline.guide.select import order
from trunkline.guide.suppress import Suppressed

CLEAN = 0
TO_MEND = 1
UNREADABLE = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """One file: what is wrong, what was suppressed, which rules were put to it.

    `code` is the exit code: CLEAN, TO_MEND (a finding that counts) or UNREADABLE.
    `judged` are the ids of the rules that had sound words to judge.
    """

    file: str
    code: int
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    judged: tuple[str, ...] = ()

    def count(self, level: Level) -> int:
        """How many findings are of a level."""
        return sum(found.level is level for found in self.findings)


@dataclass(slots=True)
class Totals:
    """Counts over many files; they grow with the number of rules, not of files."""

    sites: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    levels: Counter[Level] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one file; each rule once a file, however often it fires there."""
        self.sites += 1
        self.codes[verdict.code] += 1
        self.levels.update(found.level for found in verdict.findings)
        self.rules.update({found.rule for found in verdict.findings})
        self.suppressed += len(verdict.suppressed)

    def join(self, other: Totals) -> None:
        """Count what others counted."""
        self.sites += other.sites
        self.codes.update(other.codes)
        self.levels.update(other.levels)
        self.rules.update(other.rules)
        self.suppressed += other.suppressed

    def frequent(self) -> list[tuple[str, int]]:
        """Each rule that fired with the number of files it fired in, the most frequent first."""
        return sorted(self.rules.items(), key=lambda counted: (-counted[1], order(counted[0])))

    @property
    def code(self) -> int:
        """The worst exit code."""
        return max(self.codes, default=CLEAN)


def code(findings: tuple[Finding, ...], strict: bool) -> int:
    """The exit code of a file that could be read; NOTEs count where `strict`."""
    counts = any(strict or found.level is not Level.NOTE for found in findings)
    return TO_MEND if counts else CLEAN
