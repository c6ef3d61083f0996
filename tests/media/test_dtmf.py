"""DTMF digits as telephone-event and back."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.media.dtmf import DIGITS, Decoder, Step, TelephoneEvent, encode

EVENTS = st.builds(
    TelephoneEvent, st.integers(0, 255), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF)
)


@pytest.mark.rfc("4733#2.3")
@given(EVENTS)
def test_what_is_built_is_parsed_back(event: TelephoneEvent) -> None:
    assert TelephoneEvent.parse(bytes(event)) == event


def test_a_short_payload_is_an_error() -> None:
    with pytest.raises(ParseError):
        TelephoneEvent.parse(b"\x01\x0a\x00")


@pytest.mark.rfc("4733#2.5.1")
def test_one_digit_is_an_event_that_grows_and_ends_three_times() -> None:
    *steps, rest = encode("#", 160)
    assert rest is None
    assert steps == [
        Step(bytes(TelephoneEvent(11, False, 10, 160)), True),
        Step(bytes(TelephoneEvent(11, False, 10, 320)), False),
        Step(bytes(TelephoneEvent(11, False, 10, 480)), False),
        Step(bytes(TelephoneEvent(11, False, 10, 640)), False),
        *[Step(bytes(TelephoneEvent(11, True, 10, 800)), False)] * 3,
    ]


def test_a_press_shorter_than_a_packet_begins_with_its_end() -> None:
    steps = encode("1", 160, tone=100)
    assert [step and step.first for step in steps] == [True, False, False, None]


@pytest.mark.parametrize("digits", ["x", "1 2", "12,"])
def test_what_is_no_digit_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match="not found"):
        encode(digits, 160)


def test_a_press_too_long_for_one_event_is_refused() -> None:
    with pytest.raises(ValueError, match="65535"):
        encode("1", 160, tone=65536)


def packets(digits: str, samples: int = 160) -> list[tuple[int, bytes]]:
    sent, begun = [], 0
    for n, step in enumerate(encode(digits, samples)):
        if step is not None:
            begun = n * samples if step.first else begun
            sent.append((0xFFFFFF00 + begun & 0xFFFFFFFF, step.payload))
    return sent


@given(st.text(alphabet=DIGITS, max_size=12), st.sampled_from([80, 160, 240, 480]))
def test_digits_come_back_as_they_were_sent(digits: str, samples: int) -> None:
    decoder = Decoder()
    assert "".join(decoder.feed(*packet) for packet in packets(digits, samples)) == digits


@given(st.text(alphabet=DIGITS, max_size=12), st.randoms(use_true_random=False))
def test_any_one_packet_of_a_digit_is_enough(digits: str, dice: Random) -> None:
    by_digit: dict[int, list[tuple[int, bytes]]] = {}
    for packet in packets(digits):
        by_digit.setdefault(packet[0], []).append(packet)
    decoder = Decoder()
    kept = [dice.choice(group) for group in by_digit.values()]
    doubled = [packet for packet in kept for _ in range(2)]
    assert "".join(decoder.feed(*packet) for packet in doubled) == digits


def test_a_packet_of_an_earlier_digit_is_no_new_one() -> None:
    decoder = Decoder()
    one, two = packets("12")[0], packets("12")[-1]
    assert [decoder.feed(*one), decoder.feed(*two), decoder.feed(*one)] == ["1", "2", ""]


@pytest.mark.rfc("4733#2.5.1.3")
def test_a_long_press_goes_on_under_a_new_timestamp() -> None:
    held = bytes(TelephoneEvent(5, False, 10, 0xFFFF))
    decoder = Decoder()
    assert [decoder.feed(1000, held), decoder.feed(1000 + 0xFFFF, held)] == ["5", ""]


def test_events_that_are_no_digits_and_broken_ones_say_nothing() -> None:
    decoder = Decoder()
    assert decoder.feed(1, bytes(TelephoneEvent(16, False, 0, 160))) == ""  # flash
    assert decoder.feed(2, b"\x01") == ""


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.binary(max_size=8))))
def test_any_payload_is_survived(payloads: list[tuple[int, bytes]]) -> None:
    decoder = Decoder()
    assert all(decoder.feed(*payload) in {"", *DIGITS} for payload in payloads)
