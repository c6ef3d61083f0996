"""Messages out of a stream: however it is cut, and within limits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.sip.framing import Framed, Framer, KeepAlive, Malformed, Whole
from trunkline.sip.message import Request, Response, parse

VIA = b"Via: SIP/2.0/TCP h;branch=z9hG4bK1\r\n"
BYE = b"BYE sip:a@b SIP/2.0\r\n" + VIA + b"Content-Length: 5\r\n\r\nhello"
OK = b"SIP/2.0 200 OK\r\nl : 0\r\n\r\n"
WRONG = b"BYE  sip:a@b SIP/2.0\r\n" + VIA + b"Content-Length: 5\r\n\r\nhello"
BAD_STATUS = b"SIP/2.0 99999 OK\r\nl: 2\r\n\r\nhi"
PING = b"\r\n\r\n"
PONG = b"\r\n"
HTTP = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
NO_LENGTH = b"BYE sip:a@b SIP/2.0\r\n" + VIA + b"\r\n"


def told(out: list[Framed]) -> list[object]:
    """What came out, as values that compare."""
    return [
        (item.error.where, item.error.status, item.error.message, item.fatal)
        if isinstance(item, Malformed)
        else item
        for item in out
    ]


STREAM = st.lists(
    st.sampled_from([BYE, OK, WRONG, BAD_STATUS, PING, PONG, HTTP, NO_LENGTH, b"\r", b"x"]), max_size=8
)


@given(STREAM.map(b"".join), st.data())
def test_any_split_gives_the_same_messages(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    whole, parts = Framer(limit=400), Framer(limit=400)
    out = [item for a, b in pairwise([0, *cuts, len(stream)]) for item in parts.feed(stream[a:b], 0.0)]
    assert told(out) == told(whole.feed(stream, 0.0))
    assert parts.broken == whole.broken
    assert parts.deadline() == whole.deadline()


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes_are_framed_or_refused(chunks: list[bytes]) -> None:
    framer = Framer(limit=100)
    for chunk in [BYE[:30], *chunks]:
        for item in framer.feed(chunk, 0.0):
            assert isinstance(item, Request | Response | Malformed | KeepAlive)


def test_messages_come_out_as_parse_reads_them() -> None:
    out = Framer().feed(BYE + OK + PONG + BYE, 0.0)
    assert out == [parse(BYE), parse(OK), parse(BYE)]
    assert [bytes(item) for item in out if isinstance(item, Request)] == [BYE, BYE]


@pytest.mark.rfc("5626#3.5.1")
def test_double_line_end_is_a_keep_alive_and_a_single_one_its_answer() -> None:
    framer = Framer()
    assert framer.feed(b"\r\n", 0.0) == []
    assert framer.feed(b"\r\n", 0.0) == [KeepAlive()]
    assert framer.feed(PING + PONG + OK, 0.0) == [KeepAlive(), parse(OK)]
    assert framer.deadline() is None


def test_a_wrong_message_in_its_frame_does_not_end_the_stream() -> None:
    wrong, bad, good = Framer().feed(WRONG + BAD_STATUS + BYE, 0.0)
    assert isinstance(wrong, Malformed)
    assert (wrong.fatal, wrong.error.status) == (False, 400)
    assert wrong.error.message is not None
    assert wrong.error.message.method == "BYE"
    assert isinstance(bad, Malformed)
    assert (bad.fatal, bad.error.message) == (False, None)
    assert good == parse(BYE)


@pytest.mark.parametrize(
    ("data", "status", "answerable"),
    [
        (HTTP, 400, False),
        (NO_LENGTH, 400, True),
        (BYE.replace(b": 5", b": x"), 400, True),
        (BYE.replace(b": 5", b": -5"), 400, True),
        (BYE.replace(b": 5", b": 65536"), 513, True),
        (BYE.replace(b": 5", b": 5\r\nl: 5"), 400, True),
        (WRONG.replace(b": 5", b": x"), 400, True),
        (BYE.replace(VIA, b"X: y\r\n" * 300), 400, True),
        (BYE.replace(VIA, b"X: " + b"y" * 9000 + b"\r\n"), 400, True),
        (BYE.replace(VIA, b"X: y\nZ: z\r\n"), 400, False),
        (OK.replace(b"OK", b"O\nK"), 400, False),
        (b"BYE sip:a@b SIP/2.0\r\nX: " + b"y" * 65536, 513, False),
    ],
)
def test_what_loses_the_frame_or_is_over_a_limit_ends_the_stream(
    data: bytes, status: int, answerable: bool
) -> None:
    framer = Framer()
    (item,) = framer.feed(data + BYE, 0.0)
    assert isinstance(item, Malformed)
    assert (item.fatal, item.error.status, item.error.message is not None) == (True, status, answerable)
    assert framer.broken
    assert framer.feed(BYE, 1.0) == []
    assert framer.deadline() is None


def test_the_limit_counts_head_and_body() -> None:
    assert Framer(limit=len(BYE)).feed(BYE, 0.0) == [parse(BYE)]
    (item,) = Framer(limit=len(BYE) - 1).feed(BYE, 0.0)
    assert isinstance(item, Malformed)
    assert item.error.status == 513


def test_a_slow_message_has_a_deadline() -> None:
    framer = Framer(patience=10.0)
    assert framer.deadline() is None
    assert framer.feed(BYE[:10], 5.0) == []
    assert framer.feed(BYE[10:20], 9.0) == []
    assert framer.deadline() == 15.0
    assert framer.expire(14.9) == []
    (item,) = framer.expire(15.0)
    assert isinstance(item, Malformed)
    assert (item.fatal, item.error.status, item.error.message) == (True, 408, None)
    assert framer.broken
    assert framer.expire(16.0) == []


def test_a_slow_body_is_answered() -> None:
    framer = Framer(patience=10.0)
    framer.feed(BYE[:-1], 0.0)
    (item,) = framer.expire(10.0)
    assert isinstance(item, Malformed)
    assert item.error.message is not None


def test_the_deadline_starts_anew_with_each_message() -> None:
    framer = Framer(patience=10.0)
    framer.feed(BYE[:-1], 0.0)
    assert framer.feed(BYE[-1:] + OK[:5], 7.0) == [parse(BYE)]
    assert framer.deadline() == 17.0
    assert framer.feed(OK[5:], 8.0) == [parse(OK)]
    assert framer.deadline() is None


def test_whole_octets_bring_what_was_read_of_them() -> None:
    (message,) = Framer().feed(BYE, 0.0)
    assert isinstance(message, Request)
    whole = Whole.of(message, bytes(message))
    assert whole == BYE
    assert whole.message is message


def test_the_framer_says_whether_what_came_was_one_message_exactly() -> None:
    folded = BYE.replace(b"Content-Length: 5", b"Subject :  a\r\n  b\r\nl:5")
    framer = Framer()
    for octets in (BYE, OK, folded):
        (message,) = framer.feed(octets, 0.0)
        assert not isinstance(message, KeepAlive | Malformed)
        assert (framer.exact, bytes(message)) == (True, octets)
    for octets, messages in ((BYE + OK, 2), (b"\r\n" + BYE, 1), (b"\r\n\r\n", 1), (OK[:-1], 0), (OK[-1:], 1)):
        assert len(framer.feed(octets, 0.0)) == messages
        assert not framer.exact
