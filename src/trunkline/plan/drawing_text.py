"""How wide a text is, and where it breaks, so that it fits its box whatever font the reader's machine has.

No font is asked: the widths are those of DejaVu Sans, the widest of the fonts that
"sans-serif" stands for on a usual machine, so that a text takes less room than it is given.
"""

from __future__ import annotations

import unicodedata
from typing import Final

ELLIPSIS: Final = "…"

# Width in units of the font size, by groups of characters.
_GROUPS: Final = (
    ("ijl.,:;'| !·\u00a0", 0.34),
    ("fIJtr()[]{}-/\\`", 0.42),
    ("sckvxyz_Lz", 0.60),
    ('abdeghnopquEFSTYZP+<>=~^0123456789$?*"#', 0.66),
    ("ABCDGHKNORUVX&", 0.79),
    ("mwMQ%@×", 1.0),
    ("W…—", 1.02),
)
_WIDTHS: Final = {character: width for group, width in _GROUPS for character in group}
_BOLD: Final = 1.12
_BREAKS: Final = ".-:@,"  # a long name may go on in the next line after one of these


def visible(text: str) -> str:
    """A text from outside as it may be shown: no control characters, nothing that turns the reading order."""
    return "".join("�" if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co") else one for one in text)


def width(text: str, size: float, bold: bool = False) -> float:
    """The room a text takes at most, in the unit of `size`."""
    return sum(map(_width, text)) * size * (_BOLD if bold else 1.0)


def wrapped(text: str, room: float, size: float, bold: bool = False, most: int = 3) -> list[str]:
    """The text in at most `most` lines, none wider than `room`; what does not fit ends with an ellipsis."""
    lines: list[str] = [""]
    for piece in _pieces(text):
        if width((lines[-1] + piece).rstrip(), size, bold) <= room:
            lines[-1] += piece
            continue
        if lines[-1].strip():
            lines.append("")
        for character in piece.lstrip():
            if width(lines[-1] + character, size, bold) > room and lines[-1]:
                lines.append("")
            lines[-1] += character
    lines = [line.strip() for line in lines if line.strip()]
    if len(lines) > most:
        lines = [*lines[: most - 1], _cut(lines[most - 1], room, size, bold)]
    return lines


def _cut(line: str, room: float, size: float, bold: bool) -> str:
    while line and width(line + ELLIPSIS, size, bold) > room:
        line = line[:-1]
    return line + ELLIPSIS


def _pieces(text: str) -> list[str]:
    """A text cut where a line may end; the cut character stays with what stands before it."""
    pieces = [""]
    for character in text:
        pieces[-1] += character
        if character == " " or character in _BREAKS:
            pieces.append("")
    return pieces


def _width(character: str) -> float:
    known = _WIDTHS.get(character)
    if known is not None:
        return known
    if unicodedata.combining(character):
        return 0.0
    plain = unicodedata.normalize("NFD", character)[0]
    if plain != character:
        return _width(plain)
    return 1.05 if character.isascii() or unicodedata.category(character)[0] == "L" else 1.4
