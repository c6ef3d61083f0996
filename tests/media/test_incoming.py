"""Whose packets an end follows, and what it makes of them."""

from __future__ import annotations

import pytest

from trunkline.media.dtmf import encode
from trunkline.media.incoming import Incoming, Taken
from trunkline.media.rtp import Packet
from trunkline.media.tone import cut, second
from trunkline.sdp.offer_answer import Stream

PEER = ("192.0.2.7", 4000)
STRANGER = ("203.0.113.66", 6666)
STREAM = Stream(*PEER, 4001, 8, dtmf_payload_type=101)


def packet(n: int, ssrc: int = 5, kind: int = 8, tone: int = 440) -> Packet:
    return Packet(kind, n & 0xFFFF, 160 * n, ssrc, cut(second((tone,)), 160 * n, 160))


def gets(
    incoming: Incoming, packets: list[Packet], source: tuple[str, int] = PEER, at: float = 0.0
) -> list[Taken]:
    taken = [incoming.receive(bytes(one), source, at + 0.02 * n) for n, one in enumerate(packets)]
    return [one for one in taken if one is not None]


def agreed(stream: Stream = STREAM) -> Incoming:
    incoming = Incoming()
    incoming.agree(stream)
    return incoming


def test_packets_are_counted_and_their_tones_heard() -> None:
    incoming = agreed()
    incoming.listen((440, 480))
    taken = gets(incoming, [packet(n) for n in range(20) if n != 7])
    assert [tone for one in taken for tone in one.tones] == [440]
    assert incoming.heard == (440,)
    assert incoming.totals() == (19, 1, 1)
    assert incoming.mos(20) == pytest.approx(2.2, abs=0.3)  # one in twenty lost, unconcealed


def test_asked_again_a_tone_is_told_again_but_listed_once() -> None:
    incoming = agreed()
    told = []
    for first in (0, 10):
        incoming.listen((440,))
        told += [
            tone
            for one in gets(incoming, [packet(n) for n in range(first, first + 10)])
            for tone in one.tones
        ]
    incoming.listen(())
    gets(incoming, [packet(n) for n in range(20, 30)])
    assert (told, incoming.heard) == ([440, 440], (440,))


def test_before_an_agreement_the_static_types_are_understood() -> None:
    incoming = Incoming()
    incoming.listen((440,))
    assert len(gets(incoming, [packet(n) for n in range(10)])) == 10
    assert gets(incoming, [packet(n, kind=96) for n in range(10, 20)]) == []
    assert incoming.heard == (440,)
    assert incoming.totals() == (20, 0, 0)


def test_on_hold_packets_are_counted_but_not_heard() -> None:
    incoming = agreed(STREAM._replace(direction="sendonly"))
    incoming.listen((440,))
    gets(incoming, [packet(n) for n in range(10)])
    step = encode("5", 160)[0]
    assert step is not None
    (taken,) = gets(incoming, [Packet(101, 10, 1600, 5, step.payload)])
    assert (incoming.heard, taken.digit, incoming.totals()) == ((), "", (11, 0, 0))


def test_the_numbers_we_declared_are_those_that_come() -> None:
    incoming = agreed(STREAM._replace(payload_type=96, receive_payload_type=8, receive_dtmf_payload_type=97))
    step = encode("5", 160)[0]
    assert step is not None
    audio, event = gets(incoming, [packet(1), Packet(97, 2, 320, 5, step.payload), packet(3, kind=96)])
    assert (audio.event, event.event, event.digit) == (False, True, "5")


def test_what_is_no_rtp_is_a_stray() -> None:
    incoming = agreed()
    assert incoming.receive(b"\x16\x03\x01", PEER, 0.0) is None
    assert incoming.receive(bytes.fromhex("80c9000100000001") + bytes(4), PEER, 0.0) is None  # RTCP
    assert (incoming.strays, incoming.totals(), incoming.mos(0)) == (2, (0, 0, 0), 0.0)
    assert incoming.jitter() == 0.0


def test_a_double_is_taken_once() -> None:
    assert len(gets(agreed(), [packet(1), packet(1), packet(2)])) == 2


def test_a_stranger_is_not_followed_while_the_source_speaks() -> None:
    incoming = agreed()
    incoming.listen((1000,))
    for n in range(20):
        incoming.receive(bytes(packet(n)), PEER, 0.02 * n)
        incoming.receive(bytes(packet(n, ssrc=66, tone=1000)), STRANGER, 0.02 * n + 0.001)
    assert (incoming.totals(), incoming.strays, incoming.heard) == ((20, 0, 0), 20, ())


def test_a_stranger_that_came_first_gives_way_to_the_agreed_address_at_once() -> None:
    incoming = agreed()
    gets(incoming, [packet(1, ssrc=66)], STRANGER)
    gets(incoming, [packet(n) for n in range(5)], PEER, at=0.01)
    gets(incoming, [packet(2, ssrc=66)], STRANGER, at=0.1)
    assert (incoming.ssrc, incoming.totals(), incoming.strays) == (5, (6, 0, 0), 1)


def test_another_source_may_follow_one_that_fell_silent() -> None:
    incoming = agreed()
    gets(incoming, [packet(n) for n in range(5)])
    gets(incoming, [packet(n, ssrc=9) for n in (500, 501, 503)], ("198.51.100.1", 7000), at=1.0)
    assert (incoming.ssrc, incoming.totals()) == (9, (8, 1, 1))


def test_another_source_may_follow_at_once_after_a_bye() -> None:
    incoming = agreed()
    gets(incoming, [packet(1)])
    incoming.gone((4,))
    assert gets(incoming, [packet(1, ssrc=9)], STRANGER, at=0.02) == []
    incoming.gone((4, 5))
    assert len(gets(incoming, [packet(1, ssrc=9)], STRANGER, at=0.04)) == 1


def test_a_source_may_move_and_may_begin_anew() -> None:
    incoming = agreed()
    gets(incoming, [packet(1)])
    assert len(gets(incoming, [packet(2)], ("192.0.2.7", 4002), at=0.02)) == 1
    assert len(gets(incoming, [packet(900, ssrc=6)], ("192.0.2.7", 4002), at=0.04)) == 1
    assert incoming.totals() == (3, 0, 0)
