"""What a dossier is made of, as values: chapters of text, tables, steps and figures, and files beside them.

A chapter knows nothing of HTML or Markdown; `plan.page` and `plan.markdown` write it. Words are in
both languages (`Wording`), and each item says which key of the site file and which
requirement it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple


class Source(NamedTuple):
    """Where an item comes from: a dotted key of the site file, and requirement ids or an RFC section."""

    key: str = ""
    requirement: str = ""


NOWHERE: Final = Source()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or a few; `level` "warning" for what must not be overlooked."""

    words: str
    source: Source = NOWHERE
    level: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table; a cell is a word in both languages, or a value that has no language.

    `id` names what the line is about and stays when its values change, so that two plans
    can be compared line by line; left out, the first cell does (`plan.diff`).
    """

    cells: tuple[str, ...]
    source: Source = NOWHERE
    id: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`numeric` are the columns (from 0) that hold figures, and are aligned as such."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    title: str = ""
    note: str = ""
    numeric: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the installer: where (OMC or Web Monitor path), what to type, how to verify it.

    `id` is stable across plans, so that a tick in the progress file stays with its step.
    """

    id: str
    where: str
    does: str
    value: str = ""
    verify: str = ""
    reboot: bool = False
    source: Source = NOWHERE


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps in their order."""

    steps: tuple[Step, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing: SVG text in each language, and what it shows for those who cannot see it.

    `file` is its name beside the page; left out, it is made of the chapter's id.
    """

    english: str
    french: str
    alt: str
    caption: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Text to be shown as it is, such as a configuration file's."""

    text: str
    title: str = ""


Block = Paragraph | Table | Steps | Figure | Listing


@dataclass(frozen=True, slots=True)
class File:
    """A file beside the page: `name` (ASCII) relative to the dossier's folder, `says` what it is for.

    `text` may be a `Wording` where the file itself has a language, such as a letter.
    """

    name: str
    text: str
    says: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of the dossier; `id` is its anchor, `reader` who it is for (one of `plan.diff.READERS`)."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    files: tuple[File, ...] = ()
    reader: str = ""
