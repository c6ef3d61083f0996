"""The media seam between processes: what is written is read, however the socket cuts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.aio.seam import Inbox, Message, Ready, encode
from trunkline.media.anchor import (
    Anchored,
    Answer,
    Heard,
    Listen,
    Mix,
    Offer,
    Play,
    Press,
    Pressed,
    Refused,
    Release,
    Report,
    Silent,
)
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.offer_answer import Stream

LINE = Crypto(1, "AES_CM_128_HMAC_SHA1_80", ("inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20",))
MESSAGES: tuple[Message, ...] = (
    Ready(100, "1024 open files"),
    Offer("m", "a", "192.0.2.1", "b"),
    Answer("m", "a", Stream("192.0.2.2", 4000, 4001, 8, dtmf_payload_type=101)),
    Answer("m", "a", Stream("2001:db8::1", 4000, 0, 8, profile="RTP/SAVP", crypto=LINE)),
    Answer("m", "a", Stream("192.0.2.2", 4000, 0, 8, crypto=LINE, own_crypto=LINE)),
    Play("m", "a", (440, 600), True),
    Listen("m", "a", ()),
    Press("m", "a", "1#"),
    Mix("m", ("a", "b", "c")),
    Release("m"),
    Anchored("m", "a", "192.0.2.1", 6000, 6001),
    Refused("m", "a", "no free media port é"),
    Silent("m", "a", 2.0),
    Heard("m", "a", 440),
    Pressed("m", "a", "7"),
    Report("m", "a", 1, 2, 3, 0.5, (440,), 4.4, 5, 6, "AES_CM_128_HMAC_SHA1_80"),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_is_written_is_read(message: Message) -> None:
    assert list(Inbox().feed(encode([message]))) == [message]


PIECES = st.lists(st.lists(st.sampled_from(MESSAGES), max_size=4), max_size=4)


@given(PIECES, st.lists(st.integers(1, 40), max_size=30))
def test_any_split_gives_the_same_messages(pieces: list[list[Message]], sizes: list[int]) -> None:
    data = b"".join(map(encode, pieces))
    inbox, read = Inbox(), list[Message]()
    for size in sizes:
        read += inbox.feed(data[:size])
        data = data[size:]
    read += inbox.feed(data)
    assert read == [message for piece in pieces for message in piece]
