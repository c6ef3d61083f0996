"""What changes between two dossiers, for each reader: compared line by line and step by step, not as text.

A line of a table is known by its `id`, else by the few cells that tell the table's lines
apart in both dossiers and match most of them; a step by its id, a file by its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final, Literal, NamedTuple

from trunkline.finding import Language, Wording, said, told
from trunkline.plan.document import Chapter, File, Listing, Row, Source, Step, Steps, Table

Kind = Literal["added", "removed", "changed"]

READERS: Final[Mapping[str, Wording]] = {
    "firewall": said("For the firewall team:", "Pour l'équipe pare-feu :"),
    "carrier": said("For the carrier:", "Pour l'opérateur :"),
    "installer": said("For the installer:", "Pour l'installateur :"),
    "certificate": said("For the certificate team:", "Pour l'équipe certificats :"),
}
_EVERYBODY: Final = ("firewall", "carrier", "installer")
# Whom a line of the overview concerns, by the first part of its site key.
_CONCERNS: Final[Mapping[str, tuple[str, ...]]] = {
    "dns": ("firewall", "installer"),
    "ntp": ("firewall", "installer"),
    "firewall": ("firewall", "installer"),
    "cloud_connect": ("firewall", "installer"),
    "interfaces": _EVERYBODY,
    "remote_sites": _EVERYBODY,
    "architecture": _EVERYBODY,
    "customer": _EVERYBODY,
    "users": ("installer",),
    "endpoints": ("installer",),
}
# Readers of chapters that have no heading of their own here.
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {"DNS": ("installer",), "network": ("firewall", "installer")}
_NAMING_MAX: Final = 4  # columns that name a line
_SIGNS: Final[Mapping[Kind, str]] = {"added": "+", "removed": "-", "changed": "~"}
_NOTHING: Final = said("nothing", "rien")


class Change(NamedTuple):
    """One difference. `before` and `after` are the cells that differ, each as (head, cell)."""

    kind: Kind
    chapter: str
    part: str
    item: str
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]
    source: Source
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """A line, step or file, as it is compared: by `cells`, each with its head."""

    label: str
    head: tuple[str, ...]
    cells: tuple[str, ...]
    source: Source


_Part = tuple[Chapter, str, Sequence[tuple[tuple[str, ...], _Item]]]


def changes(old: Sequence[Chapter], new: Sequence[Chapter]) -> tuple[Change, ...]:
    """All differences, in the new dossier's order; what is gone comes after what stands there."""
    before, after = (
        {(part[0].id, str(part[1])): part for part in _parts(chapters)} for chapters in (old, new)
    )
    found: list[Change] = []
    for key in [*after, *(key for key in before if key not in after)]:
        chapter, title, _ = after.get(key) or before[key]
        was, now = _identified(before.get(key), after.get(key))
        found += _compared(chapter, title, was, now)
    return tuple(found)


def for_reader(found: Iterable[Change], reader: str) -> tuple[Change, ...]:
    """What a reader, by its key in READERS, must know."""
    return tuple(change for change in found if reader in change.readers)


def as_text(found: Sequence[Change], language: Language) -> str:
    """The differences as people read them, by reader; says so where there are none."""
    lines, colon = [], " :" if language == "fr" else ":"
    for reader, words in READERS.items():
        theirs = for_reader(found, reader)
        heading = told(words, language)
        if not theirs:
            lines.append(f"{heading} {told(_NOTHING, language)}")
            continue
        lines.append(heading)
        for change in theirs:
            place = f"{told(change.chapter, language)}, {told(change.part, language)}"
            lines.append(f"  {_SIGNS[change.kind]} {place}{colon} {told(change.item, language)}")
            lines += [f"      {cell}" for cell in _cells(change, language)]
    return "\n".join(lines)


def as_values(found: Sequence[Change], language: Language) -> dict[str, Any]:
    """The differences for programs: a list for each reader."""
    return {reader: [_value(change, language) for change in for_reader(found, reader)] for reader in READERS}


def _cells(change: Change, language: Language) -> Iterator[str]:
    colon = " :" if language == "fr" else ":"
    if change.kind == "changed":
        for (head, was), (_, now) in zip(change.before, change.after, strict=True):
            words = " -> ".join(told(cell, language) or "-" for cell in (was, now))
            yield f"{told(head, language)}{colon} {words}"
        return
    shown = change.after or change.before
    inner = "; ".join(f"{told(head, language)}{colon} {told(cell, language)}" for head, cell in shown if cell)
    if inner:
        yield inner


def _value(change: Change, language: Language) -> dict[str, Any]:
    return {
        "change": change.kind,
        "chapter": told(change.chapter, language),
        "part": told(change.part, language),
        "item": told(change.item, language),
        "before": {told(head, language): told(cell, language) for head, cell in change.before},
        "after": {told(head, language): told(cell, language) for head, cell in change.after},
        "key": change.source.key,
        "requirement": change.source.requirement,
    }


# --- what is compared -----------------------------------------------------------------


def _parts(chapters: Iterable[Chapter]) -> Iterator[_Part]:
    """The comparable parts of each chapter: tables, steps, listings, files."""
    for chapter in chapters:
        for number, block in enumerate(chapter.blocks, 1):
            match block:
                case Table():
                    title = block.title or f"{chapter.id} {number}"
                    yield chapter, title, [((row.id,), _row(block, row)) for row in block.rows]
                case Steps():
                    title = block.title or chapter.title
                    yield chapter, title, [((step.id,), _step(step)) for step in block.steps]
                case Listing():
                    title = block.title or f"{chapter.id} {number}"
                    yield chapter, title, [(("text",), _text(block.title, block.text))]
                case _:
                    pass
        kept = [file for file in chapter.files if not file.name.endswith(".svg")]
        yield chapter, said("files", "fichiers"), [((file.name,), _file(file)) for file in kept]


def _row(table: Table, row: Row) -> _Item:
    return _Item(row.cells[0] if row.cells else "", table.head, row.cells, row.source)


def _step(step: Step) -> _Item:
    head = (
        said("where", "où"),
        said("what", "quoi"),
        said("value", "valeur"),
        said("check", "vérification"),
        said("reboot", "redémarrage"),
    )
    reboot = said("yes", "oui") if step.reboot else ""
    return _Item(step.does, head, (step.where, step.does, step.value, step.verify, reboot), step.source)


def _text(name: str, text: str) -> _Item:
    return _Item(name, (said("text", "texte"),), (text,), Source())


def _file(file: File) -> _Item:
    return _text(file.name, file.text)


def _identified(
    before: _Part | None, after: _Part | None
) -> tuple[dict[tuple[str, ...], _Item], dict[tuple[str, ...], _Item]]:
    """The items of both by their identity, told in the same way on both sides."""
    sides = [list(part[2]) if part else [] for part in (before, after)]
    if not all(key[0] for side in sides for key, _ in side):
        columns = _naming(sides)
        sides = [
            [(_cells_at(item, columns), replace(item, label=_named(item, columns))) for _, item in side]
            for side in sides
        ]
    was, now = (dict(_numbered(side)) for side in sides)
    return was, now


def _naming(sides: Sequence[Sequence[tuple[tuple[str, ...], _Item]]]) -> tuple[int, ...]:
    """The columns that tell the lines apart on both sides and match most: the first, and few more."""
    width = min(len(item.cells) for side in sides for _, item in side)
    best, matched = tuple(range(width)), -1
    for more in range(min(width, _NAMING_MAX)):
        for chosen in combinations(range(1, width), more):
            columns = (0, *chosen)
            keys = [[_cells_at(item, columns) for _, item in side] for side in sides]
            if all(len(set(side)) == len(side) for side in keys) and len({*keys[0]} & {*keys[1]}) > matched:
                best, matched = columns, len({*keys[0]} & {*keys[1]})
    return best


def _named(item: _Item, columns: Sequence[int]) -> str:
    """The naming cells in one line, in both languages."""
    cells = [item.cells[column] for column in columns if item.cells[column]]
    return Wording(", ".join(map(str, cells)), ", ".join(told(cell, "fr") for cell in cells))


def _cells_at(item: _Item, columns: Sequence[int]) -> tuple[str, ...]:
    return tuple(str(item.cells[column]) for column in columns)


def _numbered(side: Sequence[tuple[tuple[str, ...], _Item]]) -> Iterator[tuple[tuple[str, ...], _Item]]:
    """Lines that are equal in all that names them are counted."""
    seen: dict[tuple[str, ...], int] = {}
    for key, item in side:
        seen[key] = seen.get(key, 0) + 1
        yield (*key, str(seen[key])), item


def _compared(
    chapter: Chapter, title: str, was: Mapping[tuple[str, ...], _Item], now: Mapping[tuple[str, ...], _Item]
) -> Iterator[Change]:
    for key, item in now.items():
        old = was.get(key)
        readers = _readers(chapter, item.source)
        if old is None:
            after = _shown(item)
            yield Change("added", chapter.title, title, item.label, (), after, item.source, readers)
        elif old.cells != item.cells:
            before, after = _differing(old, item)
            yield Change("changed", chapter.title, title, item.label, before, after, item.source, readers)
    for key, item in was.items():
        if key not in now:
            readers = _readers(chapter, item.source)
            yield Change("removed", chapter.title, title, item.label, _shown(item), (), item.source, readers)


def _differing(old: _Item, new: _Item) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """The cells that differ; a text of several lines is told by how many it has."""
    before, after = [], []
    width = max(len(old.cells), len(new.cells))
    for number in range(width):
        was, now = (item.cells[number] if number < len(item.cells) else "" for item in (old, new))
        if was != now:
            head = new.head[number] if number < len(new.head) else ""
            out, new_lines = _lines(was, now)
            before.append((head, out))
            after.append((head, new_lines))
    return tuple(before), tuple(after)


def _shown(item: _Item) -> tuple[tuple[str, str], ...]:
    return tuple(
        (head, _short(cell))
        for head, cell in zip(item.head[1:] or item.head, item.cells[1:] or item.cells, strict=True)
    )


def _short(cell: str) -> str:
    count = len(cell.splitlines())
    return said("{n} lines", "{n} lignes", n=count) if count > 1 else cell


def _lines(was: str, now: str) -> tuple[str, str]:
    """Two cells that differ; of texts of several lines only how many lines went and came."""
    if "\n" not in was + now:
        return was, now
    out, come = (Counter(text.splitlines()) for text in (was, now))
    gone, new = (out - come).total(), (come - out).total()
    return (
        said("{n} lines gone", "{n} lignes supprimées", n=gone),
        said("{n} lines new", "{n} lignes nouvelles", n=new),
    )


def _readers(chapter: Chapter, source: Source) -> tuple[str, ...]:
    """Whom a difference concerns: the chapter's readers; for everybody's chapters, by the site key."""
    words = str(chapter.reader)
    also = [reader for word, readers in _ALSO.items() if word in words for reader in readers]
    named = tuple(reader for reader in READERS if reader in words or reader in also)
    if named:
        return named
    return _CONCERNS.get(source.key.partition(".")[0], ("carrier", "installer"))
