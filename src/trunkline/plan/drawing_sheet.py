"""The sheet a drawing is put on: areas, pipes, lines, boxes and tags, written as one SVG text.

Colours are CSS variables, for light and dark screens and for print; signalling and media
differ by their stroke too, never by colour alone. Units are CSS pixels at full size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, NamedTuple

from trunkline.plan.drawing_text import visible, width, wrapped

SIZE: Final = 13.0
TITLE_SIZE: Final = 14.0
SMALL: Final = 12.0
_LEADING: Final = 17.0
_PAD: Final = 10.0
_CORNER: Final = 7.0
_LINES_MAX: Final = 3

_LIGHT: Final = (
    "--tl-paper:#fff;--tl-ink:#16202b;--tl-soft:#4a5866;--tl-area:#f3f5f8;--tl-rim:#9aa8b6;--tl-box:#fff;"
    "--tl-private:#dcebfb;--tl-internet:#ece4f8;--tl-signalling:#0b57d0;--tl-media:#b84a00;"
    "--tl-pipe:#ccd6e0;--tl-pipe-rim:#64748b;--tl-web:#80279d;--tl-other:#5c6975;--tl-strong:#e9f1fd"
)
_DARK: Final = (
    "--tl-paper:#12171d;--tl-ink:#e8edf2;--tl-soft:#aab6c2;--tl-area:#1a212a;--tl-rim:#56636f;--tl-box:#232c36;"
    "--tl-private:#16304d;--tl-internet:#32244a;--tl-signalling:#7db1ff;--tl-media:#ffa25c;"
    "--tl-pipe:#3b4855;--tl-pipe-rim:#94a3b3;--tl-web:#dc9bf2;--tl-other:#a3afbb;--tl-strong:#1d3350"
)
STYLE: Final = f"""
.tl{{{_LIGHT};font-family:system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}}
@media (prefers-color-scheme:dark){{.tl{{{_DARK}}}}}
@media print{{.tl{{{_LIGHT}}}}}
.tl text{{font-size:{SIZE:g}px;fill:var(--tl-ink)}}
.tl .paper{{fill:var(--tl-paper)}}
.tl .heading{{font-size:18px;font-weight:700}}
.tl .area{{fill:var(--tl-area);stroke:var(--tl-rim);stroke-width:1}}
.tl .private{{fill:var(--tl-private)}}
.tl .internet{{fill:var(--tl-internet)}}
.tl .box rect{{fill:var(--tl-box);stroke:var(--tl-rim);stroke-width:1.25}}
.tl .box.strong rect{{fill:var(--tl-strong);stroke:var(--tl-signalling);stroke-width:2}}
.tl .box .title,.tl .name{{font-size:{TITLE_SIZE:g}px;font-weight:700}}
.tl .legend text{{font-size:{SMALL:g}px}}
.tl path{{fill:none;stroke-linejoin:round}}
.tl .halo{{stroke:var(--tl-paper);stroke-width:6;opacity:.75}}
.tl .signalling{{stroke:var(--tl-signalling);stroke-width:2.25}}
.tl .media{{stroke:var(--tl-media);stroke-width:3;stroke-dasharray:8 4}}
.tl .web{{stroke:var(--tl-web);stroke-width:2.25;stroke-dasharray:10 3 2 3}}
.tl .other{{stroke:var(--tl-other);stroke-width:1.5;stroke-dasharray:2 3}}
.tl .analog{{stroke:var(--tl-ink);stroke-width:1.25}}
.tl .joint{{fill:var(--tl-media)}}
.tl .backup{{opacity:.55}}
.tl .pipe-rim{{stroke:var(--tl-pipe-rim);stroke-width:17}}
.tl .pipe{{stroke:var(--tl-pipe);stroke-width:14.5}}
"""

Point = tuple[float, float]


class Words(NamedTuple):
    """What stands in a box: a title in bold, and lines; each may take up to three lines of the box."""

    title: str
    lines: tuple[str, ...] = ()


class Box(NamedTuple):
    """A rectangle; x and y are its upper left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def middle(self) -> Point:
        return self.x + self.w / 2, self.y + self.h / 2


def height(words: Words, w: float) -> float:
    """How high a box of that width must be for its words."""
    return 2 * _PAD + _LEADING * len(_rows(words, w)) - 3


def _rows(words: Words, w: float) -> list[tuple[str, bool]]:
    room = w - 2 * _PAD
    rows = [(row, True) for row in wrapped(words.title, room, TITLE_SIZE, bold=True, most=_LINES_MAX)]
    for line in words.lines:
        rows += [(row, False) for row in wrapped(line, room, SIZE, most=_LINES_MAX)]
    return rows


@dataclass
class Sheet:
    """What has been put on the sheet, by layer; `svg` writes it."""

    areas: list[str] = field(default_factory=list)
    pipes: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)

    def area(self, at: Box, kind: str = "area", name: str = "") -> None:
        """A region of the drawing, named in its upper left corner."""
        self.areas.append(_rect(at, f' class="{kind}" rx="8"'))
        if name:
            self.name(at.x + 12, at.y + 19, name, at.w - 24)

    def box(self, at: Box, words: Words, kind: str = "") -> Box:
        """A box with its words, which `height` made it fit."""
        rows = []
        for number, (text, bold) in enumerate(_rows(words, at.w)):
            y = at.y + _PAD + 11 + number * _LEADING
            rows.append(_text(at.x + _PAD, y, text, "title" if bold else ""))
        full = _shown("; ".join((words.title, *words.lines)))
        marked, outline = f"box {kind}".strip(), _rect(at, ' rx="5"')
        self.boxes.append(f'<g class="{marked}"><title>{full}</title>{outline}{"".join(rows)}</g>')
        return at

    def line(self, points: Sequence[Point], kind: str, backup: bool = False) -> None:
        """A path of right angles; where it crosses another, it passes over it."""
        path = _path(points)
        shown = f"{kind} backup" if backup else kind
        self.lines.append(f'<path class="halo" d="{path}"/><path class="{shown}" d="{path}"/>')

    def pipe(self, points: Sequence[Point]) -> None:
        """A tunnel: what is drawn over the same points runs inside it."""
        path = _path(points)
        self.pipes.append(f'<path class="pipe-rim" d="{path}"/>')
        self.pipes.sort(key=lambda one: "pipe-rim" not in one)  # rims first: pipes that join are one
        self.pipes.append(f'<path class="pipe" d="{path}"/>')

    def text(self, x: float, y: float, rows: Sequence[str], kind: str) -> None:
        """Free text, line under line."""
        self.boxes.extend(_text(x, y + number * _LEADING, row, kind) for number, row in enumerate(rows))

    def paragraph(self, x: float, y: float, text: str, room: float) -> None:
        """A name that may take several lines."""
        self.text(x, y, wrapped(text, room, TITLE_SIZE, bold=True), "name")

    def dot(self, x: float, y: float) -> None:
        """Where a media line joins another."""
        self.lines.append(f'<circle class="joint" cx="{x:g}" cy="{y:g}" r="4"/>')

    def name(self, x: float, y: float, text: str, room: float) -> None:
        """A region's name, cut to its room."""
        self.text(x, y, wrapped(text, room, TITLE_SIZE, bold=True, most=1), "name")

    def legend(self, x: float, y: float, room: float, entries: Sequence[tuple[str, str]]) -> float:
        """The kinds of line and what they mean, in as many lines as they need; returns where it ends."""
        at = x
        parts = []
        for kind, words in entries:
            needed = 58 + width(words, SMALL) + 22
            if at > x and at + needed > x + room:
                at, y = x, y + 24
            sample = _path([(at, y - 4), (at + 48, y - 4)])
            if kind == "pipe":
                parts.append(f'<path class="pipe-rim" d="{sample}"/><path class="pipe" d="{sample}"/>')
            else:
                parts.append(f'<path class="{kind}" d="{sample}"/>')
            parts.append(_text(at + 58, y, words, ""))
            at += needed
        self.boxes.append(f'<g class="legend">{"".join(parts)}</g>')
        return y + 8

    def svg(self, w: float, h: float, title: str, says: str, language: str) -> str:
        """The whole drawing as SVG 1.1 text that needs nothing from elsewhere."""
        layers = "\n".join((*self.areas, *self.pipes, *self.lines, *self.boxes))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="tl" role="img" lang="{language}" '
            f'viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" aria-labelledby="tl-title tl-says">\n'
            f'<title id="tl-title">{_shown(title)}</title>\n<desc id="tl-says">{_shown(says)}</desc>\n'
            f"<style>{STYLE}</style>\n"
            f'<rect class="paper" width="{w:g}" height="{h:g}"/>\n{layers}\n</svg>\n'
        )


def _rect(at: Box, more: str) -> str:
    return f'<rect x="{at.x:g}" y="{at.y:g}" width="{at.w:g}" height="{at.h:g}"{more}/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    marked = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{marked}>{_shown(text)}</text>'


def _shown(text: str) -> str:
    return escape(visible(text), quote=True)


def _path(points: Sequence[Point]) -> str:
    """Straight pieces with rounded corners; points that repeat are left out."""
    kept = [point for number, point in enumerate(points) if number == 0 or point != points[number - 1]]
    out = [f"M{kept[0][0]:g} {kept[0][1]:g}"]
    for before, corner, after in zip(kept, kept[1:], kept[2:], strict=False):
        near, far = _toward(corner, before), _toward(corner, after)
        out.append(f"L{near[0]:g} {near[1]:g}Q{corner[0]:g} {corner[1]:g} {far[0]:g} {far[1]:g}")
    out.append(f"L{kept[-1][0]:g} {kept[-1][1]:g}")
    return "".join(out)


def _toward(start: Point, end: Point) -> Point:
    """A point a corner's radius away from `start`, or half-way where the piece is short."""
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    share = min(_CORNER, length / 2) / length if length else 0.0
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
