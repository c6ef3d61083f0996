"""Colour only where a person looks, and durations as people say them."""

from __future__ import annotations

import io
from argparse import Namespace

import pytest

from trunkline.cli.paper import Paper, clean, duration


class Terminal(io.TextIOWrapper):
    """An output that says it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True


PLAIN, COLOURED = Namespace(no_color=True), Namespace(no_color=False)


def test_a_terminal_gets_colour_unless_somebody_minds() -> None:
    assert Paper.of(COLOURED, Terminal(), {}).colour
    assert not Paper.of(PLAIN, Terminal(), {}).colour
    assert not Paper.of(COLOURED, Terminal(), {"NO_COLOR": "1"}).colour
    assert not Paper.of(COLOURED, Terminal(), {"TERM": "dumb"}).colour
    assert Paper.of(COLOURED, Terminal(), {"NO_COLOR": ""}).colour  # no-color.org: when not empty


def test_a_file_or_a_pipe_gets_none() -> None:
    paper = Paper.of(COLOURED, io.StringIO(), {})
    assert not paper.colour
    assert paper.bad("FAIL") == "FAIL"


def test_an_output_that_cannot_carry_the_lines_of_a_ladder_gets_ascii() -> None:
    assert Paper.of(COLOURED, Terminal("ascii"), {}).ascii_only
    assert not Paper.of(COLOURED, Terminal("utf-8"), {}).ascii_only


def test_coloured_words_end_their_colour() -> None:
    assert Paper(colour=True).good("PASS") == "\x1b[32mPASS\x1b[0m"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7260, "2 h 1 min"), (200_000, "2 d 7 h")],
)
def test_durations_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_what_a_stranger_says_moves_no_cursor() -> None:
    assert clean("Busy\x1b[2J\r\nHere") == "Busy?[2J??Here"
