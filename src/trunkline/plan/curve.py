"""The curve of blocking against channels, as SVG in both languages, light and dark."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import Final
from xml.sax.saxutils import escape

from trunkline.finding import Language, said, told
from trunkline.plan import erlang
from trunkline.plan.document import Figure
from trunkline.plan.figures import decimal, percent

WIDTH, HEIGHT = 720, 392
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 40, 56
FLOOR: Final = 1e-5  # the scale ends here: one call in 100 000
TICKS_MAX: Final = 10
POINTS_MAX: Final = 240

_STYLE = """
.tl-curve{font:14px system-ui,sans-serif;--ink:#1d2733;--faint:#d7dde4;--line:#0b63ce;--goal:#8a5300}
.tl-curve{--point:#b3261e}
@media (prefers-color-scheme:dark){
.tl-curve{--ink:#e6ebf0;--faint:#38424d;--line:#7ab8ff;--goal:#f0b35c;--point:#ff8a80}}
.tl-curve text{fill:var(--ink)}.tl-curve .grid{stroke:var(--faint);stroke-width:1}
.tl-curve .axis{stroke:var(--ink);stroke-width:1.5}
.tl-curve .line{fill:none;stroke:var(--line);stroke-width:2.5}
.tl-curve .goal{stroke:var(--goal);stroke-width:1.5;stroke-dasharray:6 4}
.tl-curve text.of-goal{fill:var(--goal)}
.tl-curve .point{fill:var(--point)}.tl-curve text.of-point{fill:var(--point);font-weight:600}
"""


def figure(traffic: float, channels: int, most: float) -> Figure:
    """Blocking by number of channels at one traffic (Erlang); the site's own point; the goal as a line."""
    alt = said(
        "Blocking against channels at {traffic} E: {channels} channels lose {share} of the calls",
        "Taux de refus selon le nombre de canaux pour {traffic} E : {channels} canaux perdent {share} des "
        "appels",
        traffic=decimal(traffic), channels=channels, share=percent(erlang.blocking(traffic, channels)),
    )  # fmt: skip
    caption = said(
        "Erlang B at {traffic} E in the busy hour; the scale of blocking is logarithmic",
        "Erlang B pour {traffic} E à l'heure chargée ; l'échelle du taux de refus est logarithmique",
        traffic=decimal(traffic),
    )
    english, french = (_svg(traffic, channels, most, told(alt, one), one) for one in _LANGUAGES)
    return Figure(english, french, alt, caption)


_LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")


def _svg(traffic: float, channels: int, most: float, alt: str, language: Language) -> str:
    end = max(channels, erlang.channels(traffic, max(FLOOR, erlang.BLOCKING_MIN)), 4)
    lowest = floor(log10(FLOOR))

    def across(count: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * count / end

    def down(share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * log10(max(share, FLOOR)) / lowest

    def text(x: float, y: float, words: str, more: str = "") -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(words)}</text>'

    share = erlang.blocking(traffic, channels)
    bottom, step = HEIGHT - BOTTOM, max(1, ceil(end / TICKS_MAX))
    drawn = []
    for power in range(0, lowest - 1, -1):
        y = down(10.0**power)
        label = _share(power, language)
        drawn.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(text(LEFT - 8, y + 5, label, ' text-anchor="end"'))
    for count in range(0, end + 1, step):
        x = across(count)
        drawn.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>')
        drawn.append(text(x, bottom + 20, str(count), ' text-anchor="middle"'))
    shares = erlang.curve(traffic, end)
    shown = sorted({*range(0, end, max(1, end // POINTS_MAX)), channels, end})
    points = " ".join(f"{across(count):.1f},{down(shares[count]):.1f}" for count in shown)
    goal = said("goal {share}", "objectif {share}", share=percent(most))
    here = said(
        "{channels} channels: {share}", "{channels} canaux : {share}", channels=channels, share=percent(share)
    )
    x, y = across(channels), down(share)
    left_of = x > WIDTH - RIGHT - 190  # the label's width; the curve falls from left to right
    below = left_of and y < bottom - 40  # on its left the curve is above; at the axis only there is room
    side = f' class="of-point" text-anchor="{"end" if left_of else "start"}"'
    drawn += [
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>',
        f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{bottom}"/>',
        f'<line class="goal" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down(most):.1f}" y2="{down(most):.1f}"/>',
        text(LEFT + 8, down(most) - 6, told(goal, language), ' class="of-goal"'),
        f'<polyline class="line" points="{points}"/>',
        f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="6"/>',
        text(x + (-12 if left_of else 12), y + (22 if below else -10), told(here, language), side),
        text(
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, told(said("channels", "canaux"), language),
            ' text-anchor="middle"',
        ),
        text(LEFT - 60, TOP - 18, told(said("blocking", "taux de refus"), language)),
    ]  # fmt: skip
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tl-curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' lang="{language}"><title>{escape(alt)}</title><style>{_STYLE}</style>{"".join(drawn)}</svg>\n'
    )


def _share(power: int, language: Language) -> str:
    percentage = f"{100 * 10.0**power:g}"
    return f"{percentage.replace('.', ',') if language == 'fr' else percentage} %"
