"""What an end sends: when, with which numbers, and what is in it."""

from __future__ import annotations

import pytest

from trunkline.media.dtmf import TelephoneEvent
from trunkline.media.outgoing import Outgoing, reachable
from trunkline.media.rtp import Packet
from trunkline.media.tone import cut, second
from trunkline.sdp.offer_answer import Stream

STREAM = Stream("192.0.2.7", 4000, 4001, 8, dtmf_payload_type=101)
HOLD = STREAM._replace(direction="recvonly")


def agreed(
    stream: Stream = STREAM, now: float = 0.0, *, sequence: int = 65535, timestamp: int = 1000
) -> Outgoing:
    outgoing = Outgoing(7, sequence, timestamp)
    outgoing.agree(stream, now)
    return outgoing


def sent(outgoing: Outgoing, until: float) -> list[tuple[float, Packet]]:
    """Run on virtual time; each packet with the time it went."""
    out = []
    while outgoing.next_at is not None and outgoing.next_at <= until:
        now = outgoing.next_at
        out += [(now, Packet.parse(data)) for data in outgoing.expire(now)]
    return out


@pytest.mark.rfc("3551#4.1")
def test_silence_goes_every_20_ms_with_a_marker_on_the_first() -> None:
    out = sent(agreed(now=5.0), 5.07)
    assert [now for now, _ in out] == pytest.approx([5.0, 5.02, 5.04, 5.06])
    assert [packet for _, packet in out] == [
        Packet(8, (65535 + n) & 0xFFFF, 1000 + 160 * n, 7, b"\xd5" * 160, marker=n == 0) for n in range(4)
    ]


def test_the_pace_does_not_drift() -> None:
    out = sent(agreed(now=0.1), 600.1)
    assert len(out) == 30001
    assert out[-1][0] == pytest.approx(600.1, abs=1e-9)
    assert out[-1][1].timestamp == 1000 + 160 * 30000


def test_the_tone_goes_on_in_phase_from_packet_to_packet() -> None:
    outgoing = agreed()
    outgoing.play((440, 620), False)
    wave = b"".join(packet.payload for _, packet in sent(outgoing, 1.5))
    assert wave == (second((440, 620)) * 2)[: len(wave)]


def test_the_agreed_codec_packet_time_and_numbers_are_used() -> None:
    ((_, packet), (then, _)) = sent(agreed(STREAM._replace(codec="PCMU", payload_type=0, ptime=30)), 0.05)
    assert (packet.payload_type, packet.payload) == (0, b"\xff" * 240)
    assert then == pytest.approx(0.03)


@pytest.mark.parametrize(
    "stream",
    [
        STREAM._replace(direction="recvonly"),
        STREAM._replace(direction="inactive"),
        STREAM._replace(address="0.0.0.0"),
        STREAM._replace(address="media.example.com"),
        STREAM._replace(port=0),
        STREAM._replace(codec="G729", payload_type=18),
        STREAM._replace(clock_rate=16000),
    ],
)
def test_nothing_is_sent_where_nothing_may_or_can_go(stream: Stream) -> None:
    assert agreed(stream).next_at is None


@pytest.mark.parametrize(
    ("address", "yes"),
    [("192.0.2.1", True), ("2001:db8::1", True), ("::", False), ("0.0.0.0", False), ("", False)],
)
def test_only_a_literal_address_can_be_reached(address: str, yes: bool) -> None:
    assert reachable(address) is yes


def test_after_a_delay_a_few_packets_catch_up_and_the_rest_is_left_out() -> None:
    outgoing = agreed()
    assert len(outgoing.expire(0.0)) == 1
    late = [Packet.parse(data) for data in outgoing.expire(10.005)]
    assert [packet.timestamp for packet in late] == [1000 + 160 * n for n in (498, 499, 500)]
    assert [packet.sequence for packet in late] == [0, 1, 2]  # nothing looks lost
    assert outgoing.next_at == pytest.approx(10.02)


def test_a_small_delay_is_caught_up_whole() -> None:
    outgoing = agreed()
    assert len(outgoing.expire(0.045)) == 3


def test_a_hold_keeps_the_numbers_and_lets_the_time_pass() -> None:
    outgoing = agreed()
    before = sent(outgoing, 1.0)[-1][1]
    outgoing.agree(HOLD, 1.01)
    assert outgoing.next_at is None
    assert outgoing.timestamp(2.02) == before.timestamp + 8160
    outgoing.agree(HOLD, 2.0)
    outgoing.agree(STREAM, 11.02)
    after = sent(outgoing, 11.02)[0][1]
    assert after.sequence == (before.sequence + 1) & 0xFFFF
    assert after.timestamp == before.timestamp + 10 * 8000 + 160
    assert after.marker


def test_an_unchanged_stream_keeps_its_pace_through_a_re_invite() -> None:
    outgoing = agreed()
    sent(outgoing, 1.0)
    due = outgoing.next_at
    outgoing.agree(STREAM._replace(address="192.0.2.8"), 1.011)
    assert outgoing.next_at == due
    assert not sent(outgoing, 1.02)[0][1].marker


def test_another_packet_time_starts_at_the_next_packet() -> None:
    outgoing = agreed()
    before = sent(outgoing, 1.0)[-1][1]
    outgoing.agree(STREAM._replace(ptime=40), 1.01)
    now, packet = sent(outgoing, 1.02)[0]
    assert now == pytest.approx(1.02)
    assert packet.timestamp == before.timestamp + 160
    assert len(packet.payload) == 320


@pytest.mark.parametrize(("ptime", "octets"), [(0, 80), (5, 80), (1000, 1600)])
def test_a_packet_time_out_of_reason_is_bounded(ptime: int, octets: int) -> None:
    assert len(sent(agreed(STREAM._replace(ptime=ptime)), 0.0)[0][1].payload) == octets


@pytest.mark.rfc("4733#2.5.1")
def test_dtmf_takes_the_place_of_audio_under_one_timestamp() -> None:
    outgoing = agreed()
    sent(outgoing, 0.0)
    assert outgoing.press("5")
    out = [packet for _, packet in sent(outgoing, 0.18)]
    events = [packet for packet in out if packet.payload_type == 101]
    assert [packet.marker for packet in events] == [True] + [False] * 6
    assert {packet.timestamp for packet in events} == {1160}
    durations = [TelephoneEvent.parse(packet.payload).duration for packet in events]
    assert durations == [160, 320, 480, 640, 800, 800, 800]
    assert [packet.sequence for packet in out] == list(range(9))
    assert [(packet.timestamp, packet.marker) for packet in out[7:]] == [(2280, False), (2440, False)]


def test_digits_pressed_in_turn_are_sent_in_turn() -> None:
    outgoing = agreed()
    outgoing.press("1")
    outgoing.press("23")
    events = [packet for _, packet in sent(outgoing, 1.0) if packet.payload_type == 101]
    assert [packet.payload[0] for packet in events if packet.marker] == [1, 2, 3]


def test_dtmf_that_was_not_agreed_is_refused() -> None:
    assert not agreed(STREAM._replace(dtmf_payload_type=None)).press("1")
    assert not agreed(HOLD).press("1")
    with pytest.raises(ValueError, match="not found"):
        agreed().press("x")


def theirs(n: int, kind: int = 8, marker: bool = False) -> Packet:
    return Packet(kind, n, 0xFFFFFFF0 + 160 * n & 0xFFFFFFFF, 99, bytes((n,)) * 160, marker)


def test_an_echo_returns_payloads_and_keeps_their_distances() -> None:
    outgoing = agreed()
    sent(outgoing, 0.1)
    outgoing.play((), True)
    assert sent(outgoing, 0.2) == []
    echoed = [outgoing.echo(theirs(n), False) for n in (1, 2, 5)]
    back = [Packet.parse(data) for data in echoed if data is not None]
    assert [packet.payload for packet in back] == [bytes((n,)) * 160 for n in (1, 2, 5)]
    assert [packet.sequence for packet in back] == [5, 6, 7]
    assert [packet.timestamp - back[0].timestamp for packet in back] == [0, 160, 640]
    assert back[0].timestamp >= 1000 + 160 * 6


def test_dtmf_is_echoed_under_our_own_number() -> None:
    outgoing = agreed(STREAM._replace(dtmf_payload_type=96))
    outgoing.play((), True)
    data = outgoing.echo(theirs(1, kind=101, marker=True), True)
    assert data is not None
    assert (Packet.parse(data).payload_type, Packet.parse(data).marker) == (96, True)
    outgoing.agree(STREAM._replace(dtmf_payload_type=None), 0.0)
    assert outgoing.echo(theirs(2), True) is None


def test_nothing_is_echoed_on_hold_or_under_a_key_press() -> None:
    outgoing = agreed()
    outgoing.play((), True)
    outgoing.press("1")
    assert outgoing.echo(theirs(1), False) is None
    outgoing.agree(HOLD, 0.0)
    assert outgoing.echo(theirs(2), False) is None


def test_after_an_echo_no_timestamp_is_used_again() -> None:
    outgoing = agreed()
    outgoing.play((), True)
    echoed = [outgoing.echo(theirs(n), False) for n in range(20)]  # their clock runs far ahead of ours
    last = Packet.parse(echoed[-1] or b"")
    outgoing.play((440,), False)
    packet = sent(outgoing, 0.0)[0][1]
    assert packet.timestamp == last.timestamp + 160
    assert packet.marker
    assert packet.payload == cut(second((440,)), 0, 160)


def test_after_an_echo_that_ran_behind_time_goes_on() -> None:
    outgoing = agreed()
    outgoing.play((), True)
    outgoing.echo(theirs(1), False)
    sent(outgoing, 1.0)
    outgoing.play((), False)
    assert sent(outgoing, 1.02)[0][1].timestamp == 1000 + 51 * 160


def test_counts_are_of_packets_and_payload_octets() -> None:
    outgoing = agreed()
    sent(outgoing, 0.1)
    assert (outgoing.sent, outgoing.octets) == (6, 960)
    assert outgoing.timestamp(0.11) == 1000 + 880
