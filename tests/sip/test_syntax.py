"""Tokens, quoted strings, parameters and lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sip.syntax import (
    check_value,
    end_of_quoted,
    find_param,
    format_params,
    is_token,
    parse_number,
    parse_params,
    parse_token,
    quote,
    split_commas,
    unquote,
)

LINE = st.text(st.characters(exclude_characters="\r\n"), max_size=40)


@given(LINE)
def test_quoting_can_be_undone(text: str) -> None:
    quoted = quote(text)
    assert unquote(quoted) == text
    assert end_of_quoted(quoted + '"', "x") == len(quoted)


def test_line_ends_cannot_be_quoted() -> None:
    assert quote("a\r\nVia: b") == '"a  Via: b"'


def test_unquote_leaves_other_text_alone() -> None:
    assert (unquote("word"), unquote(""), unquote('"'), unquote('"a\\')) == ("word", "", '"', "a")


@pytest.mark.parametrize("text", ['"open', '"open\\"', '"open\\', '"a\r\nb"'])
def test_quotes_must_close_on_their_line(text: str) -> None:
    with pytest.raises(ParseError):
        end_of_quoted(text, "To")


@pytest.mark.rfc("3261#25.1")
def test_tokens_are_ascii_words() -> None:
    assert is_token("a-.!%*_+`'~9")
    assert not is_token("")
    assert not is_token("a b")
    assert not is_token("é")
    assert parse_token("INVITE", "CSeq") == "INVITE"
    with pytest.raises(ParseError, match="CSeq"):
        parse_token("IN VITE", "CSeq")


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("0070", 70), ("4294967295", 4294967295), ("0" * 60 + "7", 7), ("0" * 60, 0)],
)
def test_digits_are_a_number(text: str, number: int) -> None:
    assert parse_number(text, "x") == number


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.5", "4294967296", "9" * 5000, "\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_other_text_is_no_number(text: str) -> None:
    with pytest.raises(ParseError):
        parse_number(text, "x")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        (" a ", ["a"]),
        ("a, b ,c", ["a", "b", "c"]),
        (",a,,", ["", "a", "", ""]),
        ('"a, b" <sip:x>, "c\\", d" <sip:y>', ['"a, b" <sip:x>', '"c\\", d" <sip:y>']),
        ("<sip:a,b@c>,<sip:d>", ["<sip:a,b@c>", "<sip:d>"]),
        ("<sip:a,b", ["<sip:a,b"]),
        ('x, "a,b', ["x", '"a,b']),
    ],
)
def test_commas_split_outside_quotes_and_brackets(text: str, parts: list[str]) -> None:
    assert split_commas(text) == parts


@given(LINE)
def test_splitting_loses_nothing_but_space(text: str) -> None:
    squeezed = ",".join(split_commas(text)).replace(" ", "").replace("\t", "")
    assert squeezed == text.replace(" ", "").replace("\t", "")


def test_parameters_are_read_as_written() -> None:
    params = parse_params(' ; a = 1 ;B;c="x;\\"y"; d=[::1]:5060', "Via")
    assert params == (("a", "1"), ("B", None), ("c", '"x;\\"y"'), ("d", "[::1]:5060"))
    assert parse_params(format_params(params), "Via") == params
    assert (find_param(params, "b"), find_param(params, "C"), find_param(params, "e")) == ("", 'x;"y', None)
    assert parse_params(" ", "Via") == ()


@pytest.mark.parametrize(
    "text",
    ["a=1", ";", ";;", ";a;", ";=1", ";a=", ";a=b c", ";a;A", ';a="x"y', ';a="x', ";a=b@c", ";a=é", ";é=a"],
)
def test_wrong_parameters_are_refused(text: str) -> None:
    with pytest.raises(ParseError, match="Contact"):
        parse_params(text, "Contact")


def test_values_are_tokens_hosts_or_quoted() -> None:
    check_value("abc", "x")
    check_value('"a b"', "x")
    with pytest.raises(ParseError):
        check_value("", "x")
