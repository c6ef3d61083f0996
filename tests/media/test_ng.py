"""rtpengine's messages: bencode both ways, and answers by their cookie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.media import ng

VALUES = st.recursive(
    st.integers(-(10**18), 10**18) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab-", max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_encoded_is_read_back(value: ng.Value) -> None:
    assert ng.decode(ng.encode(value)) == value


@given(st.binary(max_size=60) | st.text("deil0123:-", max_size=40).map(str.encode))
def test_any_bytes_are_a_value_or_a_parse_error(data: bytes) -> None:
    try:
        value = ng.decode(data)
    except ParseError:
        return
    assert ng.decode(ng.encode(value)) == value


def test_a_request_is_a_cookie_and_a_dictionary_in_order() -> None:
    asked = ng.request("c1", "offer", sdp="v=0", call_id="x", flags=["trust-address"], port=1)
    assert asked == b"c1 d7:call-id1:x7:command5:offer5:flagsl13:trust-addresse4:porti1e3:sdp3:v=0e"


def test_an_answer_is_known_by_its_cookie() -> None:
    assert ng.answer(b"c1 d6:result4:ponge") == ("c1", {"result": "pong"})
    for wrong in (b"c1d6:result4:ponge", b"c1 i1e", b"", b"c1 d6:result4:pong"):
        with pytest.raises(ParseError):
            ng.answer(wrong)


@pytest.mark.parametrize(
    "wrong", [b"l" * 30 + b"e" * 30, b"i--1e", b"ie", b"5:abc", b"di1ei2ee", b"d1:ae", b"i1ei2e"]
)
def test_what_is_no_value_is_told(wrong: bytes) -> None:
    with pytest.raises(ParseError):
        ng.decode(wrong)


def test_what_bencode_has_not_cannot_be_sent() -> None:
    with pytest.raises(TypeError, match="float"):
        ng.encode(1.5)
