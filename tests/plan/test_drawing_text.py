"""Widths and line breaks of the drawing's texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trunkline.plan.drawing_text import ELLIPSIS, visible, width, wrapped


@given(st.text(max_size=80), st.floats(40, 400), st.booleans(), st.integers(1, 4))
def test_no_line_is_wider_than_its_room_and_there_are_never_more_than_asked(
    text: str, room: float, bold: bool, most: int
) -> None:
    lines = wrapped(text, room, 13, bold, most)
    assert len(lines) <= most
    assert all(width(line, 13, bold) <= room for line in lines)


@given(st.text("abc. -:éß", max_size=60))
def test_wrapping_loses_no_letter(text: str) -> None:
    lines = wrapped(text, 70, 13, most=100)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_long_name_breaks_after_its_dots() -> None:
    assert wrapped("sbc1.carrier.example", 100, 13) == ["sbc1.carrier.", "example"]


def test_what_does_not_fit_ends_with_an_ellipsis() -> None:
    [line] = wrapped("a rather long sentence", 60, 13, most=1)
    assert line.endswith(ELLIPSIS)


def test_an_accent_takes_no_more_room_than_its_letter() -> None:
    assert width("é", 10) == width("e", 10) == width("e\u0301", 10)
    assert width("電", 10) > width("W", 10)


def test_controls_and_turners_of_the_reading_order_are_not_shown() -> None:
    assert visible("a\x00b\u202ec\ud800") == "a�b�c�"
