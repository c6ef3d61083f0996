"""RTP packets and the receiver's count of them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.media.rtp import Packet, Receiver

WORD = st.integers(0, 0xFFFFFFFF)
PACKETS = st.builds(
    Packet,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=WORD,
    ssrc=WORD,
    payload=st.binary(max_size=400),
    marker=st.booleans(),
    csrc=st.lists(WORD, max_size=15).map(tuple),
    extension=st.none()
    | st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=8).map(lambda words: words * 4)),
    padding=st.integers(0, 255),
)


@pytest.mark.rfc("3550#5.1")
@given(PACKETS)
def test_what_is_built_is_parsed_back(packet: Packet) -> None:
    assert Packet.parse(bytes(packet)) == packet


@given(st.binary(max_size=64))
def test_any_bytes_are_a_packet_or_an_error(data: bytes) -> None:
    try:
        packet = Packet.parse(data)
    except ParseError:
        return
    assert Packet.parse(bytes(packet)) == packet


@pytest.mark.rfc("3550#5.1")
def test_a_packet_on_the_wire() -> None:
    packet = Packet.parse(bytes.fromhex("80880102000000a0deadbeef") + b"\xd5" * 160)
    assert packet == Packet(8, 0x0102, 160, 0xDEADBEEF, b"\xd5" * 160, marker=True)


@pytest.mark.rfc("3550#A.1")
@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "8008000100000000deadbe",
        "4008000100000000deadbeef",  # version 1
        "8108000100000000deadbeef",  # a contributor that is not there
        "9008000100000000deadbeef",  # an extension that is not there
        "9008000100000000deadbeefbede0001",  # its words are not there
        "a008000100000000deadbeef00",  # padding of none
        "a008000100000000deadbeef0003",  # padding beyond the packet
    ],
)
def test_what_does_not_hold_what_it_announces_is_an_error(wrong: str) -> None:
    with pytest.raises(ParseError):
        Packet.parse(bytes.fromhex(wrong))


def counted(*sequences: int) -> Receiver:
    receiver = Receiver(sequences[0])
    for sequence in sequences:
        receiver.receive(sequence)
    return receiver


def test_all_that_came_in_order_is_counted_over_the_wrap() -> None:
    receiver = counted(*((65000 + n) & 0xFFFF for n in range(70000)))
    assert (receiver.received, receiver.lost, receiver.gaps) == (70000, 0, 0)
    assert receiver.highest == 65000 + 69999


def test_gaps_are_lost_and_counted_as_runs() -> None:
    receiver = counted(1, 2, 5, 6, 7, 9)
    assert (receiver.received, receiver.lost, receiver.gaps) == (6, 3, 2)


def test_late_packets_are_lost_no_more() -> None:
    receiver = counted(65534, 1, 65535, 0)
    assert (receiver.received, receiver.lost, receiver.late) == (4, 0, 2)


def test_a_packet_from_before_the_first_belongs_to_the_stream() -> None:
    receiver = counted(100, 99, 101, 97)
    assert (receiver.received, receiver.expected, receiver.lost) == (4, 5, 1)


def test_doubles_count_once() -> None:
    receiver = Receiver(5)
    assert [receiver.receive(n) for n in (5, 5, 6, 5, 7)] == [True, False, True, False, True]
    assert (receiver.received, receiver.duplicates, receiver.lost) == (3, 2, 0)


def test_what_is_too_old_to_tell_is_taken_for_a_double() -> None:
    receiver = counted(10, 1010, 945)
    assert (receiver.received, receiver.duplicates) == (2, 1)


@pytest.mark.rfc("3550#A.1")
def test_a_jump_counts_when_the_next_packet_confirms_it() -> None:
    receiver = Receiver(10)
    assert [receiver.receive(n) for n in (10, 11, 40000, 12, 40000, 40001, 40002)] == [
        *(True, True, False, True, False),
        *(True, True),
    ]
    assert (receiver.received, receiver.lost) == (5, 0)
    assert receiver.highest == 40002


@given(st.integers(0, 0xFFFF), st.integers(0))
def test_loss_duplication_and_reordering_never_miscount(first: int, seed: int) -> None:
    dice = Random(seed)
    sent = [(first + n) & 0xFFFF for n in range(300)]
    came = [n for n in sent[1:-1] if dice.random() > 0.1]
    came += [n for n in came if dice.random() < 0.1]
    order = {n: at for at, n in enumerate(sent)}
    came.sort(key=lambda n: order[n] + dice.uniform(0, 10))
    receiver = Receiver(first)
    for sequence in [first, *came, sent[-1]]:
        receiver.receive(sequence)
    distinct = len({first, sent[-1], *came})
    assert (receiver.received, receiver.lost) == (distinct, 300 - distinct)


@pytest.mark.rfc("3550#A.8")
def test_a_regular_stream_has_no_jitter_and_an_irregular_one_settles_at_its_deviation() -> None:
    regular, irregular = Receiver(0), Receiver(0)
    for n in range(1000):
        regular.time(160 * n, 5 + 0.02 * n)
        irregular.time(160 * n + 0xFFFFFF00 & 0xFFFFFFFF, 5 + 0.02 * n + (0.004 if n % 2 else 0))
    assert regular.jitter < 0.2
    assert irregular.jitter == pytest.approx(4, abs=0.2)
    assert irregular.jitter_units == pytest.approx(32, abs=2)


def test_a_clock_set_anew_is_no_jitter() -> None:
    receiver = Receiver(0)
    for n in range(100):
        receiver.time(160 * n + (0x40000000 if n > 50 else 0), 0.02 * n)
    assert receiver.jitter < 0.2


@pytest.mark.rfc("3550#A.3")
def test_report_blocks_tell_the_loss_since_the_last() -> None:
    receiver = counted(1, 2, 4)
    assert receiver.fresh
    assert receiver.interval() == (64, 1)  # a quarter of four
    assert not receiver.fresh
    assert receiver.interval() == (0, 1)
    for sequence in (5, 5, 6):
        receiver.receive(sequence)
    assert receiver.fresh
    assert receiver.interval() == (0, 0)  # a double hides a loss here, as the RFC says
