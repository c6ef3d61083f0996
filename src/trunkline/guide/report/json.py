"""The report for programs: one document of one file; of several, a line a file and a last line of totals."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from trunkline.finding import Finding, Language
from trunkline.guide.report import Style
from trunkline.guide.verdict import CLEAN, Totals, Verdict

BETWEEN = ""


def head(style: Style) -> str:
    return ""


def site(verdict: Verdict, style: Style) -> str:
    report: dict[str, Any] = {
        "file": verdict.file,
        "clean": verdict.code == CLEAN,
        "exit": verdict.code,
        "findings": [_plain(found, style.language) for found in verdict.findings],
        "suppressed": [
            {**_plain(found, style.language), "reason": reason} for found, reason in verdict.suppressed
        ],
    }
    return json.dumps(report, indent=None if style.many else 2, ensure_ascii=False) + "\n"


def foot(totals: Totals, style: Style) -> str:
    if not style.many:
        return ""
    summary = {
        "sites": totals.sites,
        "exit": totals.code,
        "exits": {str(code): count for code, count in sorted(totals.codes.items())},
        "levels": {str(level): count for level, count in totals.levels.items()},
        "suppressed": totals.suppressed,
        "rules": dict(totals.frequent()),
    }
    return json.dumps({"summary": summary}, ensure_ascii=False) + "\n"


def _plain(found: Finding, language: Language) -> dict[str, Any]:
    return asdict(found.told(language))
