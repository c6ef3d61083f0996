"""The carrier's guide as software: its facts, its contradictions, its editions side by side.

  trunkline guide facts                     every value with its section
  trunkline guide facts --prefix internet   those of a group
  trunkline guide lint --lang fr            where the guide contradicts itself or the standards
  trunkline guide compare OLD.toml NEW.toml what a new edition changes, and which rules rest on it

GUIDE is the name of a shipped guide or the path of a facts file; left out it is the one
that is shipped.

Exit codes: 0 nothing to tell (notes allowed), or facts listed; 1 lint has findings that are
SHOULD, or the two guides differ; 2 wrong use, or a facts file that cannot be used."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from trunkline.cli.guides import NoFacts, read_facts
from trunkline.cli.language import lang_argument
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, EXIT_UNREADABLE
from trunkline.finding import Language, Level, said, told
from trunkline.guide.compare import Change, Kind, compare
from trunkline.guide.facts import ASK, Fact, Facts, known_around, shipped
from trunkline.guide.lint import lint
from trunkline.guide.report.text import LEVELS

_TAKES: Final = {"facts": (0, 1), "lint": (0, 1), "compare": (2, 2)}  # guides: at least, at most

_KINDS: Final = {
    Kind.ADDED: said("added", "ajouté"),
    Kind.REMOVED: said("removed", "supprimé"),
    Kind.CHANGED: said("changed", "modifié"),
    Kind.MOVED: said("moved", "déplacé"),
}
_OPEN: Final = said(ASK, "demandez à l'opérateur")


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("what", choices=tuple(_TAKES), help="what to do")
    parser.add_argument("guides", nargs="*", metavar="GUIDE", help="a shipped guide's name or a facts file")
    parser.add_argument("--prefix", default="", metavar="KEY", help="facts: only those whose key begins so")
    parser.add_argument("--toml", action="store_true", help="facts: as the shipped facts file itself")
    lang_argument(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    least, most = _TAKES[given.what]
    if not least <= len(given.guides) <= most:
        wanted = str(least) if least == most else f"{most} at most"
        print(f"trunkline guide {given.what}: name {wanted} guides, not {len(given.guides)}", file=sys.stderr)
        return EXIT_UNREADABLE
    try:
        guides = [_guide(word) for word in given.guides] or [next(iter(shipped().values()))]
    except NoFacts as error:
        print(f"{told(error.says, given.lang)}\n    mend: {told(error.mend, given.lang)}", file=sys.stderr)
        return EXIT_UNREADABLE
    match given.what:
        case "facts":
            return _facts(given, guides[0])
        case "lint":
            return _lint(given, guides[0])
    return _compare(given, guides[0], guides[1])


def _guide(word: str) -> Facts:
    """A shipped guide by its name, any other from its file. Raises NoFacts."""
    return shipped().get(word) or read_facts(Path(word))


# --- facts --------------------------------------------------------------------------------


def _facts(given: Namespace, guide: Facts) -> int:
    if given.toml:
        print(as_toml(guide, given.prefix), end="")
        return EXIT_GOOD
    found = [fact for fact in guide.by_key.values() if fact.key.startswith(given.prefix)]
    if given.json:
        print(_json(guide, [_plain(fact) for fact in found]))
        return EXIT_GOOD
    language: Language = given.lang
    print(f"{guide.name}: {guide.title} ({guide.carrier}, {guide.edition})")
    for fact in found:
        resting = f"; {', '.join(fact.requirements)}" if fact.requirements else ""
        print(f"  {fact.key} = {_shown(fact, language)}  [{fact.section}{resting}]")
        if fact.note:
            print(f"      {fact.note}")
    return EXIT_GOOD


def as_toml(guide: Facts, prefix: str = "") -> str:
    """A facts file that says what this guide says, one fact a line: the form for a carrier's own."""
    head = {"name": guide.name, "title": guide.title, "carrier": guide.carrier, "edition": guide.edition}
    lines = ["schema = 1", *(f"{key} = {_toml(value)}" for key, value in head.items()), ""]
    for fact in guide.by_key.values():
        if not fact.key.startswith(prefix):
            continue
        parts = {"value": fact.value, "section": fact.section}
        if fact.requirements:
            parts["requirements"] = fact.requirements
        if fact.note:
            parts["note"] = fact.note
        key = ".".join(part if part.replace("_", "a").replace("-", "a").isalnum() else _toml(part)
                       for part in _parts(fact.key))  # fmt: skip
        lines.append(f"{key} = {_toml(parts)}")
    return "\n".join(lines) + "\n"


def _parts(key: str) -> list[str]:
    """The parts of a dotted key; a version such as 6.1 at its end is one part."""
    group, dot, last = key.rpartition(".")
    before, _, first = group.rpartition(".")
    if dot and last.isdigit() and first.isdigit():
        return [*before.split("."), f"{first}.{last}"]
    return key.split(".")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return str(value)


def _shown(fact: Fact | None, language: Language) -> str:
    if fact is None:
        return "-"
    if not fact.known:
        return told(_OPEN, language)
    if isinstance(fact.value, tuple):
        return ", ".join(map(str, fact.value))
    if isinstance(fact.value, Mapping):
        return ", ".join(f"{key} {count}" for key, count in fact.value.items())
    return str(fact.value).lower() if isinstance(fact.value, bool) else str(fact.value)


def _plain(fact: Fact | None) -> dict[str, Any] | None:
    if fact is None:
        return None
    value = dict(fact.value) if isinstance(fact.value, Mapping) else fact.value
    return {
        "key": fact.key, "value": value, "known": fact.known, "section": fact.section,
        "requirements": list(fact.requirements), "note": fact.note,
    }  # fmt: skip


# --- lint and compare ---------------------------------------------------------------------


def _lint(given: Namespace, guide: Facts) -> int:
    language: Language = given.lang
    findings = [found.told(language) for found in lint(guide, known_around()["pki"])]
    code = EXIT_FINDINGS if any(found.level is not Level.NOTE for found in findings) else EXIT_GOOD
    if given.json:
        print(_json(guide, list(map(asdict, findings))))
        return code
    mend, colon = told(said("mend", "à faire"), language), told(said(":", " :"), language)
    for found in findings:
        print(f"{found.rule} {told(LEVELS[found.level], language)} {found.path}{colon} {found.says}")
        print(f"    {mend}{colon} {found.mend}  [{found.source}]")
    counts = [(level, sum(found.level is level for found in findings)) for level in Level]
    told_of = ", ".join(f"{count} {told(LEVELS[level], language)}" for level, count in counts if count)
    clean = told(said("nothing found", "rien trouvé"), language)
    print(f"{guide.name} ({guide.edition}){colon} {told_of or clean}")
    return code


def _compare(given: Namespace, one: Facts, other: Facts) -> int:
    from trunkline.guide.catalogue import RULES

    language: Language = given.lang
    changes = compare(one, other, RULES)
    if given.json:
        print(_json(one, [_change(change) for change in changes], other=other.name))
    else:
        print(f"{one.name} ({one.edition}) -> {other.name} ({other.edition})")
        for change in changes:
            print("\n".join(_lines(change, language)))
        counts = [(kind, sum(change.kind is kind for change in changes)) for kind in Kind]
        print(
            ", ".join(f"{count} {told(_KINDS[kind], language)}" for kind, count in counts if count)
            or told(said("the same", "identiques"), language)
        )
    return EXIT_FINDINGS if changes else EXIT_GOOD


def _lines(change: Change, language: Language) -> list[str]:
    before, after = (_shown(fact, language) for fact in (change.before, change.after))
    value = {
        Kind.ADDED: after,
        Kind.REMOVED: before,
        Kind.CHANGED: f"{before} -> {after}",
        Kind.MOVED: after,
    }[change.kind]
    sections = dict.fromkeys(fact.section for fact in (change.before, change.after) if fact is not None)
    lines = [f"  {told(_KINDS[change.kind], language)} {change.key}: {value}  [{' -> '.join(sections)}]"]
    if change.requirements or change.rules:
        rests = told(said("rests on it", "en dépendent"), language)
        lines.append(f"      {rests}: {', '.join(dict.fromkeys((*change.requirements, *change.rules)))}")
    return lines


def _change(change: Change) -> dict[str, Any]:
    return {
        "key": change.key, "kind": str(change.kind), "before": _plain(change.before),
        "after": _plain(change.after), "requirements": list(change.requirements), "rules": list(change.rules),
    }  # fmt: skip


def _json(guide: Facts, entries: list[Any], **more: str) -> str:
    told_of = {"guide": guide.name, "edition": guide.edition, **more, "entries": entries}
    return json.dumps(told_of, indent=2, ensure_ascii=False)
