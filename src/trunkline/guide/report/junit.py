"""JUnit's XML, as CI servers read it: a suite for each file, a case for each rule that was put to it.

A finding that counts is a failure, a file that cannot be read an error. NOTEs that do
not count are told in the case's output; a rule whose findings are all suppressed is
skipped, with the reason.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from trunkline.finding import Finding, Language, Level, told
from trunkline.guide.foresight_rules import RULES as FORESIGHT
from trunkline.guide.report import Style, text
from trunkline.guide.select import every, order
from trunkline.guide.verdict import UNREADABLE, Totals, Verdict

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2

BETWEEN = ""


def head(style: Style) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="trunkline check">\n'


def site(verdict: Verdict, style: Style) -> str:
    ids = dict.fromkeys([*_read(verdict), *verdict.judged])
    ids.update(dict.fromkeys(found.rule for found in verdict.findings))
    ids.update(dict.fromkeys(found.rule for found, _ in verdict.suppressed))
    cases = [_case(id, verdict, style) for id in sorted(ids, key=order)]
    failures, errors, skipped = (
        sum(f"<{kind} " in case for case in cases) for kind in ("failure", "error", "skipped")
    )
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    return f'  <testsuite name={_quoted(verdict.file)} {counts} time="0">\n{"".join(cases)}  </testsuite>\n'


def foot(totals: Totals, style: Style) -> str:
    return "</testsuites>\n"


def _read(verdict: Verdict) -> list[str]:
    """The judgements on the form that every readable file passes through."""
    spoken = ("SITE-9", "SITE-10", "SITE-19")  # of `run`, and of a guide that is unknown
    if verdict.code == UNREADABLE:
        return ["SITE-1"]
    papers = {rule.id for rule in FORESIGHT}  # judged where the certificate files are there
    return [id for id, rule in every().items() if rule.look is None and id not in spoken and id not in papers]


def _case(id: str, verdict: Verdict, style: Style) -> str:
    found = [finding for finding in verdict.findings if finding.rule == id]
    reasons = [reason for finding, reason in verdict.suppressed if finding.rule == id]
    rule = every().get(id)
    title = f"{id} {told(rule.title, style.language)}" if rule else id
    counting = [finding for finding in found if style.strict or finding.level is not Level.NOTE]
    noted = [finding for finding in found if finding not in counting]
    inner = []
    if counting:
        kind = "error" if verdict.code == UNREADABLE else "failure"
        says = told(counting[0].says, style.language)
        more = f" (+{len(counting) - 1})" if len(counting) > 1 else ""
        body = _escaped(_told(verdict.file, counting, style.language))
        level = counting[0].level
        inner.append(f'<{kind} message={_quoted(says + more)} type="{level}">{body}</{kind}>')
    elif reasons and not noted:
        inner.append(f"<skipped message={_quoted('; '.join(reasons))}/>")
    if noted:
        inner.append(f"<system-out>{_escaped(_told(verdict.file, noted, style.language))}</system-out>")
    if reasons and (counting or noted):
        inner.append(f"<system-err>{_escaped('; '.join(reasons))}</system-err>")
    name = f'classname="trunkline.{id.partition("-")[0]}" name={_quoted(title)} time="0"'
    return f"    <testcase {name}/>\n" if not inner else f"    <testcase {name}>{''.join(inner)}</testcase>\n"


def _told(file: str, found: list[Finding], language: Language) -> str:
    return "\n".join(line for finding in found for line in text.lines(file, finding, language))


def _escaped(words: str) -> str:
    return escape(_FORBIDDEN.sub("?", words))


def _quoted(words: str) -> str:
    return f'"{_escaped(words)}"'
