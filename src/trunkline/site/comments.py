"""Comments of a site file that speak to `check`: `# trunkline: ignore CAC-1b -- the reason`.

YAML's events know no comments, so they are taken from the text between the tokens: a
`#` inside quotes, in a block of text or in the middle of a word is none. A comment
covers its own line and, where it stands alone, the next line that is no comment.
Bounds: 200 such comments a file, 20 ids and 200 letters of reason each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import yaml

IGNORES_MAX: Final = 200
IDS_MAX: Final = 20
REASON_MAX: Final = 200

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what libyaml counts as a line
_OURS = re.compile(r"#+[ \t]*trunkline:[ \t]*(.*)", re.DOTALL)
_ID = re.compile(r"[A-Za-z]+(?:-[0-9]+[a-z]?)?")
_DASH = re.compile(r"(?:^|[ \t]+)(?:--|—|–)(?:[ \t]+|$)")  # word processors make one dash of two
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment: the ids it names, its reason, where it stands, the lines it covers.

    `wrong` is set where the comment cannot be taken as written: "form" (it does not
    read `ignore ID -- reason`), "reason" (there is none) or "many" (beyond the bounds).
    """

    ids: tuple[str, ...]
    reason: str
    line: int
    column: int
    covers: tuple[int, ...]
    wrong: str = ""


def ignores(text: str) -> tuple[Ignore, ...]:
    """Every comment that speaks to `check`, in the text's order; text that is no YAML has none."""
    if "trunkline:" not in text:
        return ()
    lines = _BREAK.split(text.removeprefix("\ufeff"))
    wanted = [number for number, line in enumerate(lines) if "#" in line and "trunkline:" in line]
    if not wanted:
        return ()
    try:
        taken = _taken(text.removeprefix("\ufeff"), lines)
    except yaml.YAMLError:
        return ()
    found: list[Ignore] = []
    for number in wanted:
        column = _comment(lines[number], taken.get(number, ()))
        match = _OURS.match(lines[number], column) if column >= 0 else None
        if match is None:
            continue
        alone = not lines[number][:column].strip()
        covers = (number + 1, _next(lines, number) + 1) if alone else (number + 1,)
        found.append(_read(match[1].strip(), number + 1, column + 1, covers))
        if len(found) > IGNORES_MAX:
            found[-1] = Ignore((), "", number + 1, column + 1, (), "many")
            break
    return tuple(found)


def _taken(text: str, lines: list[str]) -> dict[int, list[tuple[int, int]]]:
    """For each line, the stretches of columns that tokens fill: no comment begins there."""
    taken: dict[int, list[tuple[int, int]]] = {}
    for token in yaml.scan(text, Loader=_LOADER):
        if not isinstance(token, (yaml.ScalarToken, yaml.TagToken, yaml.AnchorToken, yaml.AliasToken)):
            continue
        start, end = token.start_mark, token.end_mark
        block = isinstance(token, yaml.ScalarToken) and token.style in ("|", ">")
        for number in range(start.line, min(end.line, len(lines) - 1) + 1):
            first = start.column if number == start.line else 0
            last = end.column if number == end.line else len(lines[number])
            if block and number == start.line:  # behind `|` and `>` a comment may stand
                header = _BLOCK_HEADER.match(lines[number], first)
                last = header.end() if header else first + 1
            if last > first:
                taken.setdefault(number, []).append((first, last))
    return taken


def _comment(line: str, taken: Iterable[tuple[int, int]]) -> int:
    """The column of a line's comment; -1 for none."""
    gap = 0
    for first, last in (*taken, (len(line), len(line))):
        column = line.find("#", gap, first)
        while column >= 0:
            if column == 0 or line[column - 1] in " \t":
                return column
            column = line.find("#", column + 1, first)
        gap = last
    return -1


def _next(lines: list[str], number: int) -> int:
    """The line that a comment standing alone speaks of: the next that is none itself."""
    number += 1
    while number < len(lines) and lines[number].lstrip().startswith("#"):
        number += 1
    return number


def _read(words: str, line: int, column: int, covers: tuple[int, ...]) -> Ignore:
    """A comment from what stands behind `trunkline:`."""
    verb, _, rest = words.partition(" ")
    named, *reasons = _DASH.split(rest, maxsplit=1)
    ids, reason = tuple(named.replace(",", " ").split()), "".join(reasons).strip()
    if verb != "ignore" or not ids or not all(map(_ID.fullmatch, ids)):
        return Ignore((), "", line, column, covers, "form")
    if len(ids) > IDS_MAX or len(reason) > REASON_MAX:
        return Ignore((), "", line, column, covers, "many")
    return Ignore(ids, reason, line, column, covers, "" if reason else "reason")
