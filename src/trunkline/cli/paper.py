"""What the verbs print on: colour where a person looks, none where a program reads."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Final, TextIO

WIDTH: Final = 100  # columns that nothing printed exceeds, fewer on a narrower terminal
NARROWEST: Final = 60


class Paper:
    """Words with colour, or without: on no terminal, under NO_COLOR (no-color.org), TERM=dumb, --no-color.

    `ascii_only` where the output cannot carry the lines that ladders are drawn with;
    `width` in columns.
    """

    def __init__(self, colour: bool, ascii_only: bool = False, width: int = WIDTH) -> None:
        self.colour, self.ascii_only, self.width = colour, ascii_only, width

    @staticmethod
    def arguments(parser: ArgumentParser) -> None:
        """The option of every verb that prints in colour."""
        parser.add_argument("--no-color", action="store_true", help="print without colour (also: NO_COLOR)")

    @classmethod
    def of(
        cls, given: Namespace, stream: TextIO | None = None, environ: Mapping[str, str] | None = None
    ) -> Paper:
        """As the user, the environment and standard output want it."""
        out, environment = stream or sys.stdout, os.environ if environ is None else environ
        plain = given.no_color or environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
        utf = (out.encoding or "").lower().replace("-", "").startswith("utf")
        person = out.isatty()
        width = max(NARROWEST, min(WIDTH, shutil.get_terminal_size().columns)) if person else WIDTH
        return cls(person and not plain, not utf, width)

    def plain(self, text: str) -> str:
        return text

    def bold(self, text: str) -> str:
        return self._in("1", text)

    def dim(self, text: str) -> str:
        return self._in("2", text)

    def good(self, text: str) -> str:
        return self._in("32", text)

    def bad(self, text: str) -> str:
        return self._in("31;1", text)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def clean(text: str) -> str:
    """What a foreign party said as one printable line: a terminal obeys control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def duration(seconds: float) -> str:
    """Seconds as a person says them: `3 s`, `12 min`, `2 h 5 min`, `3 d 4 h`."""
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
