"""The dossier as Markdown (CommonMark with GitHub's tables), drawings as links to the files beside it.

Everything that comes from the site is escaped, so that a name can neither mark up the text
nor bring HTML into it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from trunkline.finding import Language, told
from trunkline.plan.document import Block, Chapter, Figure, Listing, Paragraph, Source, Step, Steps, Table
from trunkline.plan.drawing_text import visible
from trunkline.plan.page import COLON, CONTENTS, FILES, FOR, REBOOT, SOURCE, VERIFY, WARNING, Cover

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_SPAN: Final = re.compile("`([^`]+)`")
_START: Final = re.compile(r"^(\s*\d*)([-+.)=](?=[-=]*(\s|$)))")  # begins a list, underlines a heading


def markdown(cover: Cover, chapters: Sequence[Chapter], language: Language) -> str:
    """The whole text."""
    return _Writer(language).text(cover, chapters)


class _Writer:
    """Writes values as Markdown in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def text(self, cover: Cover, chapters: Sequence[Chapter]) -> str:
        parts = [f"# {self.words(cover.title)}", *map(self.words, cover.lines), f"## {self.words(CONTENTS)}"]
        parts.append("\n".join(f"{n}. {self.words(chapter.title)}" for n, chapter in enumerate(chapters, 1)))
        for chapter in chapters:
            parts.append(f"## {self.words(chapter.title)}")
            if chapter.reader:
                parts.append(f"*{self.words(FOR)} {self.words(chapter.reader)}*")
            parts += map(self.block, chapter.blocks)
            if chapter.files:
                parts.append(f"### {self.words(FILES)}")
                parts.append(
                    "\n".join(
                        f"- [{self.words(file.name)}]({file.name}){self.words(COLON)}{self.words(file.says)}"
                        for file in chapter.files
                    )
                )
        return "\n\n".join(part for part in parts if part) + "\n"

    def block(self, block: Block) -> str:
        match block:
            case Paragraph():
                mark = f"**{self.words(WARNING)}** " if block.level == "warning" else ""
                return f"{mark}{self.words(block.words)}{self.source(block.source)}"
            case Table():
                return self.table(block)
            case Steps():
                steps = "\n".join(self.step(number, step) for number, step in enumerate(block.steps, 1))
                return self.titled(block.title, steps)
            case Figure():
                shown = f"![{self.words(block.alt)}]({block.file})"
                return f"{shown}\n\n{self.words(block.caption)}" if block.caption else shown
            case Listing():
                return self.titled(block.title, _fenced(told(block.text, self.language)))

    def table(self, block: Table) -> str:
        sourced = any(any(row.source) for row in block.rows)
        head = [*map(self.words, block.head), *([self.words(SOURCE)] if sourced else [])]
        rule = ["---:" if number in block.numeric else "---" for number in range(len(head))]
        lines = [head, rule]
        for row in block.rows:
            cells = list(map(self.words, row.cells))
            lines.append([*cells, *([self.source(row.source).strip(" ()")] if sourced else [])])
        shown = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return self.titled(block.title, f"{shown}\n\n{self.words(block.note)}" if block.note else shown)

    def step(self, number: int, step: Step) -> str:
        reboot = f" **({self.words(REBOOT)})**" if step.reboot else ""
        value = f" {_code(told(step.value, self.language))}" if step.value else ""
        where = f"{self.words(step.where)}: " if step.where else ""
        line = f"- [ ] {number}. {where}{self.words(step.does)}{value}{reboot}"
        if step.verify:
            line += f"  \n  {self.words(VERIFY)} {self.words(step.verify)}"
        return line + (f"  \n  {self.source(step.source).strip()}" if any(step.source) else "")

    def source(self, source: Source) -> str:
        shown = ([_code(source.key)] if source.key else []) + (
            [self.words(source.requirement)] if source.requirement else []
        )
        return f" ({', '.join(shown)})" if shown else ""

    def titled(self, title: str, text: str) -> str:
        return f"### {self.words(title)}\n\n{text}" if title else text

    def words(self, text: str) -> str:
        """A text in the language, on one line, that marks nothing up but what stands between backticks."""
        parts = _SPAN.split(visible(told(text, self.language)))
        shown = [
            _code(part) if number % 2 else _MARKUP.sub(r"\\\1", part) for number, part in enumerate(parts)
        ]
        return _START.sub(r"\1\\\2", "".join(shown))


def _code(text: str) -> str:
    """A code span; in a table too, where a bar would end the cell."""
    shown = visible(text).replace("`", "'").replace("|", "\\|")
    return f"`{shown}`"


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text.rstrip()}\n{fence}"
