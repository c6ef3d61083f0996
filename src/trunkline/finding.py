"""What every judge returns, its words in two languages, and the exception that wrong input raises (floor 0).

Everything that judges (rules, the parser's verdicts, a call's verdict) speaks in
`Finding`s; everything that reads foreign input raises `ParseError`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

Language = Literal["en", "fr"]


class Level(StrEnum):
    """How binding a finding is; the words of RFC 2119 as the guide uses them."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    NOTE = "NOTE"


class Wording(str):
    """A sentence: English as the `str` itself, its French beside it.

    Whoever knows nothing of languages takes it for the English text it is.
    """

    __slots__ = ("french",)

    def __new__(cls, english: str, french: str) -> Wording:
        made = super().__new__(cls, english)
        made.french = french
        return made

    def __reduce__(self) -> tuple[type[Wording], tuple[str, str]]:  # copies and pickles keep both
        return Wording, (str(self), self.french)

    french: str


def said(english: str, french: str, /, **values: object) -> Wording:
    """One sentence in both languages; `values` fill the braces of both, each in its language."""
    there = {name: told(value, "fr") if isinstance(value, str) else value for name, value in values.items()}
    return Wording(english.format(**values), french.format(**there))


def told(text: str, language: Language) -> str:
    """A text in a language; what has no French stays as it is."""
    return text.french if language == "fr" and isinstance(text, Wording) else str(text)


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

    def told(self, language: Language) -> Finding:
        """The same finding with its words in one language."""
        words = {name: told(getattr(self, name), language) for name in ("says", "mend", "source")}
        return replace(self, **words)  # type: ignore[arg-type]


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
