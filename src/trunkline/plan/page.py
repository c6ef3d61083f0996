"""The dossier as one HTML page: no script, nothing fetched, all that comes from the site escaped.

Wide tables scroll in their own frame, tables of words become cards on a phone; on paper
each chapter begins a page and table heads repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from trunkline.finding import Language, said, told
from trunkline.plan.document import (
    Block,
    Chapter,
    Figure,
    File,
    Listing,
    Paragraph,
    Row,
    Source,
    Step,
    Steps,
    Table,
)
from trunkline.plan.drawing_text import visible
from trunkline.plan.style import sheet

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
STACKED_MAX: Final = 7  # columns of a table that becomes cards on a phone; wider ones scroll
SOURCED_MAX: Final = 5  # columns beside which the source has one of its own; else it stands in the widest
BROAD: Final = 9  # columns over which a table is printed smaller
LONG: Final = 24  # characters of a word that may be broken anywhere
COLON: Final = said(": ", " : ")
_TIED: Final = re.compile(r" (?=[:;!?»](?:\s|$))|(?<=«) ")  # French: these never begin or end a line
SHORT_MAX: Final = 9  # rows of a table that is printed on one page, not torn

_CODE: Final = re.compile("`([^`]+)`")
CONTENTS = said("Contents", "Sommaire")
FILES = said("Files beside this page", "Fichiers joints")
SOURCE = said("site key, requirement", "clé du site, exigence")
WARNING = said("Note:", "Attention :")
REBOOT = said("reboot", "redémarrage")
VERIFY = said("Check:", "Vérifier :")
FOR = said("For:", "Pour :")


@dataclass(frozen=True, slots=True)
class Cover:
    """What stands above all chapters: a title, lines under it, and a line for each page's foot."""

    title: str
    lines: tuple[str, ...]
    foot: str


def page(cover: Cover, chapters: Sequence[Chapter], language: Language) -> str:
    """The whole page."""
    return _Writer(language).page(cover, chapters)


class _Writer:
    """Writes values as HTML in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def page(self, cover: Cover, chapters: Sequence[Chapter]) -> str:
        printed = [visible(told(words, self.language)) for words in (cover.title, cover.foot)]
        lines = "".join(f'<p class="facts">{self.words(line)}</p>\n' for line in cover.lines)
        contents = "".join(
            f'<li><a href="#{_id(chapter)}">{self.words(chapter.title)}</a></li>\n' for chapter in chapters
        )
        body = "".join(self.chapter(chapter, first=number == 0) for number, chapter in enumerate(chapters))
        return (
            f'<!DOCTYPE html>\n<html lang="{self.language}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
            f"<title>{self.label(cover.title)}</title>\n<style>{sheet(*printed)}</style>\n"
            f"</head>\n<body>\n<header>\n<h1>{self.words(cover.title)}</h1>\n{lines}</header>\n"
            f'<nav aria-labelledby="contents"><h2 id="contents">{self.words(CONTENTS)}</h2>\n'
            f"<ol>\n{contents}</ol></nav>\n<main>\n{body}</main>\n"
            f"<footer><p>{self.words(cover.foot)}</p></footer>\n</body>\n</html>\n"
        )

    def chapter(self, chapter: Chapter, *, first: bool) -> str:
        kind = "chapter first" if first else "chapter"
        reader = (
            f'<p class="reader">{self.words(FOR)} {self.words(chapter.reader)}</p>\n'
            if chapter.reader
            else ""
        )
        blocks = "".join(map(self.block, chapter.blocks))
        return (
            f'<section class="{kind}" id="{_id(chapter)}">\n<h2>{self.words(chapter.title)}</h2>\n'
            f"{reader}{blocks}{self.files(_listed(chapter))}</section>\n"
        )

    def block(self, block: Block) -> str:
        match block:
            case Paragraph():
                return self.paragraph(block)
            case Table():
                return self.table(block)
            case Steps():
                return self.steps(block)
            case Figure():
                return self.figure(block)
            case Listing():
                return f"{self.title(block.title)}<pre>{self.plain(block.text)}</pre>\n"

    def paragraph(self, block: Paragraph) -> str:
        mark = f"<b>{self.words(WARNING)}</b> " if block.level == "warning" else ""
        kind = ' class="warning"' if mark else ""
        source = f" {self.source(block.source)}" if any(block.source) else ""
        return f"<p{kind}>{mark}{self.words(block.words)}{source}</p>\n"

    def table(self, block: Table) -> str:
        sourced = len(block.head) <= SOURCED_MAX and any(any(row.source) for row in block.rows)
        head = "".join(
            f'<th scope="col"{self.side(block, number)}>{self.words(word)}</th>'
            for number, word in enumerate(block.head)
        )
        if sourced:
            head += f'<th scope="col" class="source">{self.words(SOURCE)}</th>'
        rows = "".join(self.row(block, row, sourced) for row in block.rows)
        kind = _kind(block)
        region = "scroll short" if len(block.rows) <= SHORT_MAX else "scroll"
        note = f'<p class="note">{self.words(block.note)}</p>\n' if block.note else ""
        label = self.label(block.title or block.head[0])
        return (
            f'{self.title(block.title)}<div class="{region}" role="region" tabindex="0" aria-label="{label}">'
            f"<table{kind}>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n{note}"
        )

    def row(self, block: Table, row: Row, sourced: bool) -> str:
        under = f"<br>{self.source(row.source)}" if any(row.source) and not sourced else ""
        at = _widest(block)
        cells = "".join(
            self.cell(block, number, cell, under if number == at else "")
            for number, cell in enumerate(row.cells)
        )
        source = f'<td class="source">{self.source(row.source)}</td>' if sourced else ""
        return f"<tr>{cells}{source}</tr>\n"

    def cell(self, block: Table, column: int, cell: str, under: str) -> str:
        if cell == under == "":
            return "<td></td>"
        head, long = self.label(block.head[column]), any(len(word) > LONG for word in cell.split())
        side = ' class="long"' if long else _DAY if _is_day(cell) else self.side(block, column)
        return f'<td data-head="{head}"{side}>{self.words(cell)}{under}</td>'

    def steps(self, block: Steps) -> str:
        items = "".join(self.step(number, step) for number, step in enumerate(block.steps, 1))
        return f'{self.title(block.title)}<ul class="steps">\n{items}</ul>\n'

    def step(self, number: int, step: Step) -> str:
        box = escape(f"step-{step.id}", quote=True)
        reboot = f' <span class="reboot">{self.words(REBOOT)}</span>' if step.reboot else ""
        value = f' <code class="value">{self.words(step.value)}</code>' if step.value else ""
        verify = f"<br>{self.words(VERIFY)} {self.words(step.verify)}" if step.verify else ""
        source = f"<br>{self.source(step.source)}" if any(step.source) else ""
        where = f'<span class="where">{self.words(step.where)}</span><br>' if step.where else ""
        return (
            f'<li><input type="checkbox" id="{box}"><label for="{box}">{where}'
            f"{number}. {self.words(step.does)}{value}{reboot}{verify}{source}</label></li>\n"
        )

    def figure(self, block: Figure) -> str:
        drawn = block.french if self.language == "fr" else block.english
        link = f'<a href="{escape(block.file)}">{escape(block.file)}</a>' if block.file else ""
        told_of = self.words(COLON).join(part for part in (self.words(block.caption), link) if part)
        caption = f"<figcaption>{told_of}</figcaption>" if told_of else ""
        label = self.label(block.alt)
        return f'<figure tabindex="0" aria-label="{label}">\n{drawn}{caption}</figure>\n'

    def files(self, files: Iterable[File]) -> str:
        colon = self.words(COLON)
        items = "".join(
            f'<li><a href="{escape(file.name)}">{escape(file.name)}</a>{colon}{self.words(file.says)}</li>\n'
            for file in files
        )
        return f'<h3>{self.words(FILES)}</h3>\n<ul class="files">\n{items}</ul>\n' if items else ""

    def source(self, source: Source) -> str:
        key = f"<code>{self.words(source.key)}</code>" if source.key else ""
        between = " · " if source.key and source.requirement else ""
        return f'<span class="source">{key}{between}{self.words(source.requirement)}</span>'

    def title(self, title: str) -> str:
        return f"<h3>{self.words(title)}</h3>\n" if title else ""

    def side(self, block: Table, column: int) -> str:
        return ' class="n"' if column in block.numeric else ""

    def words(self, text: str) -> str:
        """A text in the language, safe between tags; what stands between backticks is code."""
        return _CODE.sub(r"<code>\1</code>", self.label(text))

    def label(self, text: str) -> str:
        """The same without code, safe in an attribute too."""
        shown = visible(told(text, self.language))
        return escape(_TIED.sub("\u00a0", shown) if self.language == "fr" else shown, quote=True)

    def plain(self, text: str) -> str:
        """A text of several lines, as it is."""
        lines = told(text, self.language).split("\n")
        return "\n".join(escape(visible(line.replace("\t", "    "))) for line in lines)


def _listed(chapter: Chapter) -> list[File]:
    """The files that no figure links to."""
    drawn = {block.file for block in chapter.blocks if isinstance(block, Figure)}
    return [file for file in chapter.files if file.name not in drawn]


_DAY: Final = ' class="day"'


def _is_day(cell: str) -> bool:
    """A date as 2027-03-15, which no line may break."""
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell) is not None


def _widest(block: Table) -> int:
    """The column with the most to say, where a source under it takes no further room."""
    said_in = [
        sum(len(row.cells[number]) for row in block.rows if number < len(row.cells))
        for number in range(len(block.head))
    ]
    return said_in.index(max(said_in))


def _kind(block: Table) -> str:
    """What a table becomes on a phone: pairs of name and value, cards, or a frame to scroll in."""
    if len(block.head) == 2:
        return ' class="stack pairs"'
    if len(block.head) > BROAD:
        return ' class="broad"'
    return ' class="stack"' if len(block.head) <= STACKED_MAX and len(block.numeric) <= 2 else ""


def _id(chapter: Chapter) -> str:
    return escape(chapter.id, quote=True)
