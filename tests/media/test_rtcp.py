"""RTCP is read as strictly as RFC 3550 A.2 asks and written as it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.media.rtcp import (
    Block,
    Chunk,
    Description,
    Goodbye,
    Other,
    ReceiverReport,
    Rtcp,
    SenderReport,
    build,
    describe,
    parse,
)

WORD = st.integers(0, 0xFFFFFFFF)
BLOCKS = st.lists(
    st.builds(Block, WORD, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), WORD, WORD, WORD, WORD),
    max_size=31,
).map(tuple)
WORDS = st.binary(max_size=6).map(lambda octets: octets * 4)
SENDERS = st.builds(SenderReport, WORD, st.integers(0, 2**64 - 1), WORD, WORD, WORD, BLOCKS, WORDS)
RECEIVERS = st.builds(ReceiverReport, WORD, BLOCKS, WORDS)
ITEMS = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=255)), max_size=4).map(tuple)
DESCRIPTIONS = st.builds(Description, st.lists(st.builds(Chunk, WORD, ITEMS), max_size=4).map(tuple))
GOODBYES = st.builds(Goodbye, st.lists(WORD, max_size=31).map(tuple), st.binary(max_size=255))
OTHERS = st.builds(Other, st.integers(204, 255), st.integers(0, 31), WORDS)
COMPOUND = st.tuples(
    SENDERS | RECEIVERS, st.lists(SENDERS | RECEIVERS | DESCRIPTIONS | GOODBYES | OTHERS, max_size=4)
).map(lambda parts: (parts[0], *parts[1]))


@pytest.mark.rfc("3550#6.1")
@given(COMPOUND)
def test_what_is_built_is_parsed_back(packets: tuple[Rtcp, ...]) -> None:
    assert parse(build(packets)) == packets


@given(
    st.binary(max_size=100)
    | st.binary(max_size=60).map(lambda rest: b"\x80\xc9\x00\x01\x00\x00\x00\x01" + rest)
)
def test_any_bytes_are_a_compound_packet_or_an_error(data: bytes) -> None:
    try:
        packets = parse(data)
    except ParseError:
        return
    assert parse(build(packets)) == packets


@pytest.mark.rfc("3550#6.5.1")
def test_a_report_and_its_cname_on_the_wire() -> None:
    assert (
        build([ReceiverReport(1), describe(1, "ab"), Goodbye((1,))]).hex()
        == (
            "80c9000100000001"  # RR, one word
            "81ca000300000001" + "010261620000" + "0000"  # SDES, CNAME, ended and filled with null
            "81cb000100000001"  # BYE
        )
    )


@pytest.mark.rfc("3550#6.5")
def test_a_name_too_long_is_cut() -> None:
    ((_, text),) = describe(1, "x" * 300).chunks[0].items
    assert text == b"x" * 255


@pytest.mark.rfc("3550#A.2")
def test_padding_may_end_the_last_packet() -> None:
    assert parse(bytes.fromhex("80c9000100000001" + "a1cb00020000000700000004")) == (
        ReceiverReport(1),
        Goodbye((7,)),
    )


@pytest.mark.rfc("3550#A.2")
@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "80c90001",
        "81ca00010000000100",  # no report first
        "40c9000100000001",  # version 1
        "80c9000200000001",  # cut short
        "80c9000100000001" + "81cb",  # half a header
        "81c9000100000001",  # a block that is not there
        "80c9000000000000",  # no SSRC
        "a0c900020000000100000004" + "80c9000100000001",  # padding before the end
        "80c9000100000001" + "a0cb0000",  # padding in nothing
        "80c9000100000001" + "a0cb000100000003",  # padding of three
        "80c9000100000001" + "a0cb000100000008",  # padding beyond the packet
        "80c9000100000001" + "81ca000200000001" + "01ff6162",  # an item beyond the packet
        "80c9000100000001" + "81ca000200000001" + "01026162",  # items without an end
        "80c9000100000001" + "80cb0001" + "05616263",  # a reason beyond the packet
        "80c8000100000001",  # a sender report without its figures
    ],
)
def test_what_does_not_hold_what_it_announces_is_an_error(wrong: str) -> None:
    with pytest.raises(ParseError):
        parse(bytes.fromhex(wrong))
