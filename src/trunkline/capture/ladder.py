"""A text ladder: who said what to whom, a column for each party, an arrow for each message.

Works on values, so that a trace, a test and the simulation draw the same way. `step`
makes such a value of a SIP message, with the codec of its SDP as a note under the arrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap
from typing import NamedTuple, cast

from trunkline.finding import ParseError
from trunkline.sdp.description import Description
from trunkline.sip.headers import Reason
from trunkline.sip.message import Message, Request, Response

_CLOCK = 9  # columns of the time and the space after it
_NARROW, _WIDE = 12, 46  # columns between two lifelines
_SHORT = {"telephone-event": "DTMF"}
_NOTES = 4  # lines of notes under an arrow
_OTHERS = "others"
_ASK_FOR_SOMEBODY = frozenset({"INVITE", "REFER", "MESSAGE", "SUBSCRIBE"})
_PLAIN = str.maketrans("│─├┤▶◀┼×…→", "|-||><+x.>")
_GREEN, _YELLOW, _RED = "\x1b[32m", "\x1b[33m", "\x1b[31m"
_CYAN, _DIM, _END = "\x1b[36m", "\x1b[2m", "\x1b[0m"


class Step(NamedTuple):
    """One arrow: seconds on any clock, the parties' names, what stands on it and under it."""

    at: float
    source: str
    destination: str
    summary: str
    notes: tuple[str, ...] = ()


def draw(
    steps: Sequence[Step],
    *,
    parties: Sequence[str] = (),
    width: int = 100,
    ascii_only: bool = False,
    colour: bool = False,
) -> str:
    """The ladder of `steps` in their order, times in seconds since the first.

    `parties` are the columns from left to right; who is not in it follows in order of
    appearance, and who finds no room shares the last column. The same arrow again at
    once (a retransmission) is counted on the first. No line is longer than `width`
    (60 at least), colours not counted.
    """
    if not steps:
        return ""
    columns = _Columns(_named(steps, parties), max(width, 60))
    lines = [*columns.titles()]
    for _, same in groupby(steps, key=lambda one: one[1:]):
        again = list(same)
        count = f" ×{len(again)}" if len(again) > 1 else ""
        lines += columns.arrow(again[0], steps[0].at, count, colour)
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    return text.translate(_PLAIN).encode("ascii", "replace").decode() if ascii_only else text


def _named(steps: Sequence[Step], parties: Sequence[str]) -> list[str]:
    seen = (name for one in steps for name in (one.source, one.destination))
    return list(dict.fromkeys((*parties, *seen)))


def _clean(text: str) -> str:
    """Text of foreign messages as one printable line: a terminal obeys control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"[:room]


class _Columns:
    """Where each party's lifeline stands."""

    def __init__(self, names: list[str], width: int) -> None:
        self._width = width
        most = max(2, (width - _CLOCK) // _NARROW)
        shown = names if len(names) <= most else [*names[: most - 1], _OTHERS]
        left, right = (min(len(name), _NARROW) // 2 + 1 for name in (shown[0], shown[-1]))
        gap = min(_WIDE, (width - _CLOCK - left - right) // max(len(shown) - 1, 1))
        first = _CLOCK + left
        self._labels = {first + gap * place: _clean(name) for place, name in enumerate(shown)}
        self._gap = gap
        self._places = list(self._labels)
        self._at = {name: self._places[min(place, len(shown) - 1)] for place, name in enumerate(names)}

    def titles(self) -> list[str]:
        """The parties' names over their lifelines; a long one takes two lines."""
        rows = {place: wrap(name, self._gap - 2)[:2] or [""] for place, name in self._labels.items()}
        height = max(map(len, rows.values()))
        lines = []
        for row in range(height):
            line = [" "] * self._width
            for place, words in rows.items():
                word = words[row] if row < len(words) else ""
                self._put(line, place - len(word) // 2, word)
            lines.append("".join(line))
        return [*lines, "".join(self._lifelines())]

    def arrow(self, step: Step, begin: float, count: str, colour: bool) -> list[str]:
        """The lines of one step: the arrow, then its notes."""
        line = self._lifelines()
        here, there = self._at[step.source], self._at[step.destination]
        self._put(line, 0, f"{step.at - begin:8.3f}")
        left, right = min(here, there), max(here, there)
        label = _clean(step.summary)
        if left == right:  # to itself, or between two who share the last column
            on_the_left = self._width - right < self._gap
            room = (left - _CLOCK if on_the_left else self._width - right) - 3
            label = _cut(label, room - len(count)) + count
            start = left - 2 - len(label) if on_the_left else left + 3
            self._put(line, *((start, f"{label} ▶") if on_the_left else (left + 1, f"◀ {label}")))
        else:
            line[left + 1 : right] = "─" * (right - left - 1)
            line[here] = "├" if here < there else "┤"
            line[there - 1 if here < there else there + 1] = "▶" if here < there else "◀"
            label = _cut(label, right - left - 6 - len(count)) + count
            start = left + (right - left - len(label) + (here < there)) // 2 + (here > there)
            self._put(line, start - 1, f" {label} ")
        text = "".join(line)
        if colour:
            text = f"{text[:start]}{_colour(step.summary)}{label}{_END}{text[start + len(label) :]}"
        return [text, *(self._notes(step.notes, left, right, colour) if left < right else ())]

    def _notes(self, notes: Sequence[str], left: int, right: int, colour: bool) -> list[str]:
        lines = []
        for part in [part for note in notes for part in wrap(_clean(note), right - left - 4)][:_NOTES]:
            line, start = self._lifelines(), left + 3
            self._put(line, start, part)
            text = "".join(line)
            if colour:
                text = f"{text[:start]}{_DIM}{part}{_END}{text[start + len(part) :]}"
            lines.append(text)
        return lines

    def _lifelines(self) -> list[str]:
        line = [" "] * self._width
        for place in self._places:
            line[place] = "│"
        return line

    def _put(self, line: list[str], start: int, text: str) -> None:
        start = max(start, 0)
        line[start : start + len(text)] = text
        del line[self._width :]


def _colour(summary: str) -> str:
    first = summary[:1]
    if not first.isdigit():
        return _CYAN
    return _GREEN if first in "12" else _YELLOW if first == "3" else _RED


def step(message: Message, at: float, source: str, destination: str) -> Step:
    """The arrow of one SIP message."""
    return Step(at, source, destination, summary(message), notes(message))


def summary(message: Message) -> str:
    """What stands on the arrow: the method and whom it asks for, or the status and what it answers."""
    if isinstance(message, Response):
        method = (message.get("cseq") or "").rpartition(" ")[2]
        answers = f" [{method}]" if method not in ("", "INVITE") else ""
        return f"{message.status} {message.reason}{answers}"
    words = message.start.split(" ")
    whom = ""
    if isinstance(message, Request) and message.method in _ASK_FOR_SOMEBODY:
        try:
            whom = message.uri.user
        except ParseError:
            whom = message.uri_text
    return f"{words[0]}{' ' * bool(whom)}{whom}"


def notes(message: Message) -> tuple[str, ...]:
    """What stands under the arrow: what the SDP says of audio, and why a call ended or is to wait."""
    found = []
    description = _description(message)
    if description is not None:
        found += _audio(description)
    try:
        reasons = cast(tuple[Reason, ...], message.values("reason"))
    except ParseError:
        reasons = ()
    for reason in reasons:
        cause = "" if reason.cause is None else f" {reason.cause}"
        found.append(f"{reason.protocol}{cause} {reason.text or ''}".rstrip())
    if after := message.get("retry-after"):
        found.append(f"Retry-After: {after}")
    return tuple(found)


def _description(message: Message) -> Description | None:
    if not message.body or "application/sdp" not in (message.get("content-type") or "").lower():
        return None
    try:
        return Description.parse(message.body)
    except ParseError:
        return None


def _audio(description: Description) -> list[str]:
    """Codecs by name and packet time; then where to, and the direction where it is not both ways."""
    audio = description.audio
    if audio is None:
        return ["audio refused"] if any(media.kind == "audio" for media in description.media) else []
    names = []
    for payload_type in audio.formats:
        mapped = audio.rtpmap(payload_type)
        names.append(payload_type if mapped is None else _SHORT.get(mapped.name.lower(), mapped.name))
    what = "+".join(dict.fromkeys(names)) + (f" {audio.ptime} ms" if audio.ptime else "")
    if "SAVP" in audio.proto:
        what += " encrypted"
    try:
        place = f"{audio.connection}:{audio.port}"
    except ParseError:
        place = f"port {audio.port}"
    return [what, place if audio.direction == "sendrecv" else f"{place} {audio.direction}"]
