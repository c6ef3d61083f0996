"""The formats that `check` reports in, one module each: `head`, then `site` for each file, then `foot`.

Every part is text to be written as it comes, so that a report of ten thousand sites is
never held whole. All tell what was suppressed, with its reason.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, NamedTuple, Protocol, cast

from trunkline.finding import Language
from trunkline.guide.verdict import Totals, Verdict

FORMATS: Final = ("text", "json", "sarif", "junit", "github")


class Style(NamedTuple):
    """How a report is written: language, whether NOTEs count, whether it is of several files.

    `brief` leaves the findings out of a report that people read: one line a file.
    """

    language: Language = "en"
    strict: bool = False
    many: bool = False
    brief: bool = False


class Format(Protocol):
    """What each module of this package is; `BETWEEN` stands between two parts that are not empty."""

    BETWEEN: str

    def head(self, style: Style) -> str:
        """What stands before the first file."""

    def site(self, verdict: Verdict, style: Style) -> str:
        """One file's part."""

    def foot(self, totals: Totals, style: Style) -> str:
        """What stands behind the last file."""


def report(name: str) -> Format:
    """The format of a name among FORMATS; imported only now."""
    return cast(Format, import_module(f"{__name__}.{name}"))
