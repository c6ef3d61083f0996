"""SARIF 2.1.0 (OASIS), as code scanning reads it: results first, then the tool with all its rules."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from trunkline import __version__
from trunkline.finding import Finding, Language, Level, said, told
from trunkline.guide.report import Style
from trunkline.guide.select import every
from trunkline.guide.verdict import UNREADABLE, Totals, Verdict

_LEVELS: Final = {Level.MUST: "error", Level.SHOULD: "warning", Level.NOTE: "note"}
_MEND: Final = said("To mend:", "À faire :")
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"  # names the format; nothing is fetched


BETWEEN = ",\n"


def head(style: Style) -> str:
    return f'{{"$schema": "{_SCHEMA}", "version": "2.1.0", "runs": [{{"results": [\n'


def site(verdict: Verdict, style: Style) -> str:
    told = [_result(verdict.file, found, style.language) for found in verdict.findings]
    told += [_result(verdict.file, found, style.language, reason) for found, reason in verdict.suppressed]
    return BETWEEN.join(json.dumps(result, ensure_ascii=False) for result in told)


def foot(totals: Totals, style: Style) -> str:
    rules = [_rule(id, style.language) for id in every()]
    driver = {"name": "trunkline", "version": __version__, "rules": rules}
    rest = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not totals.codes[UNREADABLE]}],
    }
    return "\n], " + json.dumps(rest, ensure_ascii=False)[1:] + "]}\n"


@lru_cache(maxsize=1)
def _places() -> dict[str, int]:
    return {id: index for index, id in enumerate(every())}


def _result(file: str, found: Finding, language: Language, reason: str | None = None) -> dict[str, Any]:
    words = found.told(language)
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if found.line:
        place["region"] = {"startLine": found.line, "startColumn": max(found.column, 1)}
    location: dict[str, Any] = {"physicalLocation": place}
    if found.path:
        location["logicalLocations"] = [{"fullyQualifiedName": found.path, "kind": "member"}]
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "level": _LEVELS[found.level],
        "message": {"text": _message(words, language)},
        "locations": [location],
        "partialFingerprints": {"key/v1": f"{found.rule} {found.path}"},  # the alert stays when lines move
    }
    if found.rule in _places():
        result["ruleIndex"] = _places()[found.rule]
    if reason is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": reason}]
    return result


def _message(words: Finding, language: Language) -> str:
    where = f"{words.path}: " if words.path else ""
    return f"{where}{words.says}\n{told(_MEND, language)} {words.mend}"


def _rule(id: str, language: Language) -> dict[str, Any]:
    rule = every()[id]
    why, mend = told(rule.why, language), f"{told(_MEND, language)} {told(rule.mend, language)}"
    help = f"{why} {mend} ({told(rule.source, language)})".strip()
    return {
        "id": id,
        "shortDescription": {"text": told(rule.title, language)},
        "help": {"text": help},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
        "properties": {"source": told(rule.source, language)},
    }


def _uri(file: str) -> str:
    """A relative path as a relative reference, an absolute one as a file URI (RFC 3986)."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
