"""A head as lines, and its limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sip.lines import (
    MAX_HEADERS,
    MAX_LINE,
    OverLimit,
    content_length,
    has_bare_line_end,
    read_lines,
    unfold,
)


def test_lines_are_kept_as_they_came() -> None:
    start, fields, error = read_lines(b"start\r\nv :  x\r\n\ty\r\nX-Odd: z")
    assert (start, error) == ("start", None)
    assert fields == [("via", "v :  x\r\n\ty"), ("x-odd", "X-Odd: z")]


@pytest.mark.parametrize("line", [b"no colon", b": x", b"a b: x", b"Via", b" fold: x", b"\xc3\xa9: x", b""])
def test_a_wrong_line_is_left_out_and_told(line: bytes) -> None:
    _, fields, error = read_lines(b"start\r\n" + line + b"\r\nTo: a")
    assert fields == [("to", "To: a")]
    assert isinstance(error, ParseError)


def test_the_first_wrong_line_is_told() -> None:
    _, _, error = read_lines(b"start\r\n\tx\r\nfirst\r\nsecond\r\n\ty")
    assert error is not None
    assert error.got == "\tx"


def test_more_headers_than_the_limit_are_over_it() -> None:
    most = b"start" + b"\r\nX: y" * MAX_HEADERS
    assert read_lines(most)[2] is None
    _, fields, error = read_lines(most + b"\r\nX: y")
    assert isinstance(error, OverLimit)
    assert (error.status, len(fields)) == (400, MAX_HEADERS)


@pytest.mark.parametrize("letter", ["a", "é"])
def test_longer_lines_than_the_limit_are_over_it_folds_included(letter: str) -> None:
    room = MAX_LINE - len(b"X: \r\n ")
    fits = "a" + letter * (room // len(letter.encode()) - 1)
    most = f"start\r\nTo: a\r\nX: \r\n {fits}".encode()
    assert read_lines(most)[2] is None
    _, fields, error = read_lines(most + b"aa")
    assert isinstance(error, OverLimit)
    assert fields == [("to", "To: a")]
    assert isinstance(read_lines(b"s" * (MAX_LINE + 1))[2], OverLimit)


def test_folds_beyond_the_limit_are_not_even_kept() -> None:
    _, fields, error = read_lines(b"start\r\nTo: a\r\nX: y" + b"\r\n " * 20000)
    assert isinstance(error, OverLimit)
    assert fields == [("to", "To: a")]


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a"]), max_size=8).map(b"".join))
def test_line_ends_are_crlf_alone(head: bytes) -> None:
    rest = head.replace(b"\r\n", b"")
    assert has_bare_line_end(head) == (b"\r" in rest or b"\n" in rest)


@pytest.mark.rfc("3261#7.3.1")
def test_folds_become_one_space() -> None:
    assert unfold("Subject:  I know \r\n\t  you\r\n are there ") == "I know you are there"
    assert unfold("Subject:") == ""
    assert unfold("Subject:\r\n x:y\r\n ") == "x:y"


@pytest.mark.rfc("3261#20.14")
def test_content_length_is_digits_once() -> None:
    assert content_length([("to", "To: a")]) is None
    assert content_length([("content-length", "l: 0042")]) == 42
    assert content_length([("content-length", f"l: {'0' * 50}7")]) == 7
    assert content_length([("content-length", f"l: {'9' * 50}")]) == 9999999999
    for wrong in ("l: -1", "l:", "l: 1 2", "l: \u0661"):
        with pytest.raises(ParseError, match="Content-Length"):
            content_length([("content-length", wrong)])
    with pytest.raises(ParseError, match="once"):
        content_length([("content-length", "l: 5"), ("content-length", "l: 5")])
