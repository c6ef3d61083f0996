"""What every judge returns, and the one exception that wrong input raises (floor 0).

Everything that judges (rules, the parser's verdicts, a call's verdict) speaks in
`Finding`s; everything that reads foreign input raises `ParseError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How binding a finding is; the words of RFC 2119 as the guide uses them."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    NOTE = "NOTE"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where, and how to mend it.

    `path` is a dotted key of the site file (or a header of a message); `line` and
    `column` count from 1 and are 0 where no text was read. `source` names the
    guide's section, the requirement id or the RFC section the judgement rests on.
    """

    rule: str
    level: Level
    path: str
    says: str
    mend: str
    source: str
    line: int = 0
    column: int = 0


class ParseError(ValueError):
    """Wrong input: which field, what stood there, what was expected, what to answer.

    `status` is the SIP status code a peer deserves for it (RFC 3261 §21.4).
    """

    def __init__(self, where: str, got: str, expected: str, *, status: int = 400) -> None:
        self.where = where
        self.got = got if len(got) <= 80 else got[:77] + "..."
        self.expected = expected
        self.status = status
        super().__init__(f"{where}: {expected}; got {self.got!r}")
