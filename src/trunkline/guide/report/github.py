"""Workflow commands of GitHub Actions: each finding becomes an annotation at its line.

GitHub shows ten of a kind for each step; the text in the log has them all.
"""

from __future__ import annotations

from typing import Final

from trunkline.finding import Finding, Level, said, told
from trunkline.guide.report import Style
from trunkline.guide.report.text import LEVELS
from trunkline.guide.verdict import Totals, Verdict

_COMMANDS: Final = {Level.MUST: "error", Level.SHOULD: "warning", Level.NOTE: "notice"}
_SUPPRESSED: Final = said("suppressed", "écarté")

BETWEEN = ""


def head(style: Style) -> str:
    return ""


def site(verdict: Verdict, style: Style) -> str:
    out = []
    for found in verdict.findings:
        words = found.told(style.language)
        title = f"{found.rule} {told(LEVELS[found.level], style.language)}"
        out.append(
            _command(_COMMANDS[found.level], verdict.file, found, title, f"{words.says}\n{words.mend}")
        )
    for found, reason in verdict.suppressed:
        words = found.told(style.language)
        title = f"{found.rule} {told(_SUPPRESSED, style.language)}"
        out.append(_command("notice", verdict.file, found, title, f"{words.says}\n{reason}"))
    return "".join(out)


def foot(totals: Totals, style: Style) -> str:
    return ""


def _command(command: str, file: str, found: Finding, title: str, message: str) -> str:
    at = f",line={found.line},col={found.column}" if found.line else ""
    text = f"{found.path}: {message}" if found.path else message
    return f"::{command} file={_property(file)}{at},title={_property(title)}::{_message(text)}\n"


def _message(text: str) -> str:
    """A command ends with its line: the line breaks of its message are written as %0A."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property ends with a comma, and the last one with a colon."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")
