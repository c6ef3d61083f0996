"""The relay packet by packet: a phone on RTP, a carrier on SRTP, and what each gets of the other."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.media.wire import BUFFER, Far, Sockets, Wire, key, material, plain, secure
from tests.own_srtp import Srtp

from trunkline.finding import ParseError
from trunkline.media import rtcp
from trunkline.media.anchor import Event, Heard, Pressed, Report, Silent
from trunkline.media.dtmf import TelephoneEvent
from trunkline.media.g711 import LAWS as LAW
from trunkline.media.rtp import Packet
from trunkline.media.session import SendRtcp, SendRtp
from trunkline.media.srtp import Inbound, Outbound
from trunkline.media.tone import Detector, cut, second
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.offer_answer import Stream

PHONE, CARRIER = key(1), key(2)  # the key the carrier closes with, and ours toward it


def call(seed: int = 1, timestamp: int = 0) -> Wire:
    """A phone on RTP (`a`) and a carrier on SRTP (`b`)."""
    wire = Wire(seed)
    wire.add("a", "b", plain(), timestamp=timestamp)
    wire.add("b", "a", secure(PHONE), CARRIER)
    return wire


def got(packet: Packet | None) -> Packet:
    assert packet is not None
    return packet


def speech(far: Far, tone: int, packets: int) -> list[Packet]:
    table = second((tone,))
    return [far.packet(cut(table, n * 160, 160)) for n in range(packets)]


# --- both ways --------------------------------------------------------------------


@pytest.mark.rfc("7667#3.2.2")
def test_what_is_relayed_bears_our_source_and_numbers_and_their_audio() -> None:
    wire = call()
    for name, other in (("a", "b"), ("b", "a")):
        sent = [wire.far[name].packet(bytes([n]) * 160) for n in range(50)]
        came = [got(wire.says(name, packet)) for packet in sent]
        assert [packet.payload for packet in came] == [packet.payload for packet in sent]
        ours = wire.session.legs[other].ssrc
        assert {packet.ssrc for packet in came} == {ours} != {wire.far[name].ssrc}
        first = came[0]
        assert [packet.marker for packet in came] == [True] + [False] * 49
        for n, packet in enumerate(came):
            assert packet.sequence == (first.sequence + n) & 0xFFFF
            assert packet.timestamp == (first.timestamp + 160 * n) & 0xFFFFFFFF


def test_two_secured_sides_are_closed_under_a_key_each() -> None:
    wire = Wire()
    wire.add("a", "b", secure(key(5), 4000), key(6))
    wire.add("b", "a", secure(PHONE), CARRIER)
    for _ in range(3):
        assert got(wire.says("a")).payload == got(wire.says("b")).payload == b"\xd5" * 160


def test_two_plain_sides_are_relayed_too() -> None:
    wire = Wire()
    wire.add("a", "b", plain())
    wire.add("b", "a", plain(5000))
    packet = wire.far["a"].packet(b"x" * 80)
    assert got(wire.says("a", packet)).payload == b"x" * 80
    assert got(wire.says("b")).payload == b"\xd5" * 160


def test_what_is_lost_late_or_doubled_is_so_on_the_other_side() -> None:
    wire = call()
    far = wire.far["a"]
    packets = [far.packet(bytes([n]) * 160) for n in range(10)]
    first = got(wire.says("a", packets[0])).sequence
    order = [1, 2, 5, 5, 4, 6, 4, 8, 7, 9]
    came = [wire.says("a", packets[n]) for n in order]
    numbers = [None if packet is None else (packet.sequence - first) & 0xFFFF for packet in came]
    assert numbers == [1, 2, 5, None, 4, 6, None, 8, 7, 9]
    report = wire.session.legs["a"].report()
    assert (report.received, report.lost) == (9, 1)


def test_header_extensions_and_contributors_pass_untouched() -> None:
    wire = call()
    far = wire.far["a"]
    for _ in range(3):
        packet = far.packet()._replace(csrc=(7, 8), extension=(0xBEDE, b"\x10\xff\0\0"))
        came = got(wire.says("a", packet))
        assert (came.csrc, came.extension, came.payload) == (packet.csrc, packet.extension, packet.payload)


# --- payload types ----------------------------------------------------------------


@pytest.mark.rfc("4733#2.1")
def test_dtmf_bears_the_number_that_each_side_gave_it() -> None:
    wire = call()
    wire.says("a")
    wire.says("b")
    press = bytes(TelephoneEvent(7, False, 10, 160))
    for name, theirs, ours in (("a", 101, 96), ("b", 96, 101)):
        packet = wire.far[name].packet(press, theirs, marker=True)
        came = got(wire.says(name, packet))
        assert (came.payload_type, came.payload, came.marker) == (ours, press, True)
        assert got(wire.says(name)).payload_type == 8
    assert wire.events == [Pressed("m", "a", "7"), Pressed("m", "b", "7")]


def test_our_own_numbers_are_those_that_come() -> None:
    wire = Wire()
    wire.add("a", "b", plain()._replace(receive_payload_type=98, receive_dtmf_payload_type=99))
    wire.add("b", "a", secure(PHONE), CARRIER)
    far = wire.far["a"]
    assert got(wire.says("a", far.packet(kind=98))).payload_type == 8
    assert got(wire.says("a", far.packet(kind=98))).payload_type == 8
    assert got(wire.says("a", far.packet(bytes(4), 99))).payload_type == 96
    assert wire.says("a", far.packet(kind=8)) is None


def test_what_the_other_side_did_not_agree_to_leaves_no_gap() -> None:
    wire = Wire()
    wire.add("a", "b", plain())
    wire.add("b", "a", secure(PHONE, dtmf_payload_type=None), CARRIER)
    far = wire.far["a"]
    one = got(wire.says("a"))
    assert wire.says("a", far.packet(bytes(4), 101)) is None  # no telephone-event there
    assert wire.says("a", far.packet(b"\x40", 13)) is None  # comfort noise was not agreed
    two = got(wire.says("a"))
    assert (two.sequence - one.sequence) & 0xFFFF == 1
    assert (two.timestamp - one.timestamp) & 0xFFFFFFFF == 480


def test_a_late_packet_from_before_such_a_one_is_not_sent_under_a_number_that_was() -> None:
    wire = Wire()
    wire.add("a", "b", plain())
    wire.add("b", "a", secure(PHONE, dtmf_payload_type=None), CARRIER)
    far = wire.far["a"]
    wire.says("a")
    late = far.packet()
    wire.says("a")
    wire.says("a", far.packet(bytes(4), 101))
    wire.says("a")
    assert wire.says("a", late) is None


def test_a_law_becomes_mu_law_where_the_sides_differ() -> None:
    wire = Wire()
    wire.add("a", "b", plain())
    wire.add("b", "a", secure(PHONE)._replace(payload_type=0, codec="PCMU"), CARRIER)
    detectors = {name: Detector((600,)) for name in "ab"}
    found: list[int] = []
    for _ in range(20):
        for name, codec in (("a", "PCMA"), ("b", "PCMU")):
            far = wire.far[name]
            table = second((600,), LAW[codec])
            kind = 8 if codec == "PCMA" else 0
            came = got(wire.says(name, far.packet(cut(table, far.sequence * 160, 160), kind)))
            other = "PCMU" if codec == "PCMA" else "PCMA"
            assert came.payload_type == 8 - kind
            found += detectors[name].feed(came.payload, LAW[other])
    assert found == [600, 600]


def test_a_codec_the_other_side_has_not_is_not_sent_to_it() -> None:
    wire = Wire()
    wire.add("a", "b", plain()._replace(payload_type=18, codec="G729"))
    wire.add("b", "a", secure(PHONE), CARRIER)
    assert wire.says("a", wire.far["a"].packet(bytes(20), 18)) is None


def test_a_codec_nobody_looks_into_passes_between_two_who_agreed_on_it() -> None:
    wire = Wire()
    wire.add("a", "b", plain()._replace(payload_type=18, codec="G729"))
    wire.add("b", "a", secure(PHONE)._replace(payload_type=96, codec="G729"), CARRIER)
    for n in range(5):
        came = got(wire.says("a", wire.far["a"].packet(bytes([n]) * 20, 18)))
        assert (came.payload_type, came.payload) == (96, bytes([n]) * 20)


# --- numbers that go on -----------------------------------------------------------


def test_a_new_source_goes_on_with_our_numbers_and_clock() -> None:
    wire = call()
    far = wire.far["a"]
    for _ in range(5):
        last = got(wire.says("a"))
        wire.now += 0.02
    wire.now += 0.98
    far.ssrc, far.sequence, far.timestamp = 77, 60000, 5_000_000
    came = got(wire.says("a"))
    assert (came.ssrc, came.marker) == (last.ssrc, True)
    assert (came.sequence - last.sequence) & 0xFFFF == 1
    assert (came.timestamp - last.timestamp) & 0xFFFFFFFF == 8000
    report = wire.session.legs["a"].report()
    assert (report.received, report.lost) == (6, 0)


@pytest.mark.rfc("3550#A.1")
def test_a_source_that_begins_anew_is_believed_at_its_second_packet() -> None:
    wire = call()
    far = wire.far["a"]
    last = got(wire.says("a"))
    far.sequence += 20000
    assert wire.says("a") is None
    came = got(wire.says("a"))
    assert (came.sequence - last.sequence) & 0xFFFF == 1
    assert got(wire.says("a")).sequence == (came.sequence + 1) & 0xFFFF


def test_hold_and_resume_leave_no_gap() -> None:
    wire = call()
    last = got(wire.says("a"))
    wire.answer("b", secure(PHONE, direction="inactive"), CARRIER)
    for _ in range(100):
        assert wire.says("a") is None
        wire.now += 0.02
    assert wire.says("b") is None  # nor is what the held side sends passed on
    wire.answer("b", secure(PHONE), CARRIER)
    came = got(wire.says("a"))
    assert came.ssrc == last.ssrc
    assert (came.sequence - last.sequence) & 0xFFFF == 1
    assert got(wire.says("b")).payload == b"\xd5" * 160
    assert wire.session.legs["b"].report().refused == 0


def test_a_held_address_of_all_zeros_is_not_sent_to() -> None:
    wire = call()
    wire.says("a")
    wire.answer("b", secure(PHONE, address="0.0.0.0"), CARRIER)
    assert wire.says("a") is None


def test_the_far_leg_may_be_replaced_and_the_numbers_go_on() -> None:
    wire = call()
    for _ in range(3):
        last = got(wire.says("b"))
    wire.session.offer("c", "a").carrier = Sockets()
    last = got(wire.says("b"))  # while `c` rings, `b` is still there
    wire.far["c"] = Far(("192.0.2.3", 6000), 3000, 500)
    wire.answer("c", secure(key(7), 6000, "192.0.2.3"), key(8))
    came = got(wire.says("c"))
    assert (came.ssrc, came.marker) == (last.ssrc, True)
    assert (came.sequence - last.sequence) & 0xFFFF == 1
    assert wire.says("b") is None
    outputs = wire.session.release("b", wire.now)
    assert [type(output) for output in outputs] == [Report]
    assert got(wire.says("a")).payload == b"\xd5" * 160
    sent = wire.came("a", bytes(wire.far["a"].packet()))
    assert sent is not None
    assert sent[0] == "c"


# --- keys -------------------------------------------------------------------------


@pytest.mark.rfc("4568#7.1.4")
def test_a_re_invite_with_the_same_keys_keeps_both_contexts() -> None:
    wire = call()
    far = wire.far["b"]
    for _ in range(3):
        wire.says("a")
        wire.says("b")
    replayed = far.close(far.packet())
    assert wire.came("b", replayed) is not None
    wire.answer("b", secure(PHONE), CARRIER)
    assert wire.came("b", replayed) is None
    assert wire.says("a") is not None
    assert wire.says("b") is not None
    assert wire.session.legs["b"].report().refused == 1


def test_a_new_key_takes_over_and_what_was_under_way_is_still_opened() -> None:
    wire = call()
    far = wire.far["b"]
    wire.says("b")
    under_way = [far.close(far.packet()) for _ in range(3)]
    wire.answer("b", secure(key(3)), key(4))
    assert wire.came("b", under_way[0]) is not None
    assert got(wire.says("b")).payload == b"\xd5" * 160
    assert wire.came("b", under_way[1]) is not None
    assert wire.session.legs["b"].report().refused == 0
    wire.now += 3.0
    assert wire.came("b", under_way[2]) is None
    assert wire.came("b", under_way[2]) is None
    assert wire.session.legs["b"].report().refused == 2
    came = [got(wire.says("a")) for _ in range(3)]
    assert len({packet.sequence for packet in came}) == 3


def test_a_key_that_comes_back_is_used_with_another_source() -> None:
    wire = call()
    first = got(wire.says("a"))
    wire.answer("b", secure(PHONE), key(4))
    assert got(wire.says("a")).ssrc == first.ssrc
    wire.answer("b", secure(PHONE), CARRIER)
    assert got(wire.says("a")).ssrc != first.ssrc


def test_a_leg_that_is_given_the_key_of_another_has_another_source() -> None:
    wire = call()
    wire.says("a")
    ssrc = wire.session.legs["b"].ssrc
    wire.session.offer("c", "a").carrier = Sockets()
    leg = wire.session.legs["c"]
    leg.ssrc = ssrc  # what one throw of the dice in 2^32 gives
    wire.far["c"] = Far(("192.0.2.3", 6000), 3000)
    wire.answer("c", secure(key(7), 6000, "192.0.2.3"), CARRIER)
    assert leg.ssrc != ssrc


def test_a_new_key_does_not_begin_right_before_a_rollover() -> None:
    wire = call()
    far = wire.far["a"]
    first = got(wire.says("a")).sequence
    far.sequence += 0xFFF0 - first - 2
    for _ in range(30):  # the relay follows the jump, in steps that it believes
        far.sequence -= 2000
    while True:
        far.sequence += 2000
        came = wire.says("a")
        if came is not None and came.sequence > 0xFC00:
            break
    wire.answer("b", secure(PHONE), key(4))
    assert got(wire.says("a")).sequence == 0


@pytest.mark.parametrize(
    ("stream", "own"),
    [
        (plain(), CARRIER),
        (secure(PHONE), None),
        (secure(PHONE)._replace(crypto=None), CARRIER),
        (secure(PHONE)._replace(crypto=PHONE._replace(suite="AEAD_AES_128_GCM")), CARRIER),
        (secure(PHONE), CARRIER._replace(suite="AES_256_CM_HMAC_SHA1_80")),
    ],
)
def test_keys_that_cannot_be_carried_are_refused_and_nothing_changes(
    stream: Stream, own: Crypto | None
) -> None:
    wire = call()
    wire.says("a")
    with pytest.raises(ParseError) as refused:
        wire.session.answer("b", stream._replace(own_crypto=own), wire.now)
    assert refused.value.status == 488
    assert got(wire.says("a")).payload == b"\xd5" * 160
    assert got(wire.says("b")).payload == b"\xd5" * 160


def test_a_leg_may_become_plain_and_secure_again() -> None:
    wire = call()
    first = got(wire.says("a"))
    far = wire.far["b"]
    far.closes = far.opens = None
    wire.answer("b", plain(5000, "192.0.2.2"))
    assert got(wire.says("a")).ssrc == first.ssrc
    assert got(wire.says("b")).payload == b"\xd5" * 160
    wire.answer("b", secure(PHONE), CARRIER)
    assert got(wire.says("a")).ssrc != first.ssrc


def test_a_peer_with_too_many_sources_is_heard_no_further() -> None:
    wire = call()
    far = wire.far["b"]
    heard = 0
    for n in range(80):
        far.ssrc = 5000 + n
        heard += wire.says("b") is not None
    assert heard == 64
    far.ssrc = 5000
    assert wire.says("b") is not None
    report = wire.session.legs["b"].report()
    assert (report.received, report.refused) == (65, 16)
    close = Srtp(material(PHONE)).close_rtcp(bytes((0x80, 201, 0, 1)) + (9999).to_bytes(4, "big"))
    wire.session.legs["b"].receive_rtcp(BUFFER.load(close), far.address, wire.now)
    assert wire.session.legs["b"].report().refused == 17


@pytest.mark.rfc("3711#9.1")
def test_a_call_over_two_rollovers_with_hold_and_new_keys_between() -> None:
    """21.8 minutes are one rollover at 50 packets a second: here they pass as fast as they are computed."""
    wire = call(seed=3)
    leg = wire.session.legs["b"]
    wire.says("a")
    wire.says("b")
    ours, theirs = Inbound(CARRIER, BUFFER), Outbound(PHONE, BUFFER)
    judges = {CARRIER: Srtp(material(CARRIER))}
    own, far_line = CARRIER, PHONE
    phone, carrier = wire.far["a"], wire.far["b"]
    opened = 0
    for n in range(140_000):
        if n in (20_000, 70_000):  # hold and resume
            wire.answer("b", secure(far_line, direction="inactive"), own)
            for _ in range(200):
                assert wire.came("a", bytes(phone.packet())) is None
            wire.answer("b", secure(far_line), own)
        if n == 80_000:
            own, far_line = key(14), key(13)
            wire.answer("b", secure(far_line), own)
            ours, theirs = Inbound(own, BUFFER), Outbound(far_line, BUFFER)
            judges[own] = Srtp(material(own))
        wire.now += 0.02
        sent = wire.came("a", bytes(phone.packet()))
        assert sent is not None
        opened += ours.unprotect(BUFFER.load(sent[1])) > 0
        if n % 997 == 0:
            judges[own].open(sent[1])
        closed = theirs.protect(BUFFER.load(bytes(carrier.packet())))
        assert wire.came("b", BUFFER.content(closed)) is not None
    assert opened == 140_000
    assert [judge.sources[leg.ssrc][0] for judge in judges.values()] == [1, 1]  # the second counted anew
    report = leg.report()
    assert (report.refused, report.lost, report.received) == (0, 0, opened + 1)


def test_timestamps_that_begin_anew_do_not_touch_the_numbers() -> None:
    wire = call(timestamp=0x100000000 - 160 * 5)
    came = [got(wire.says("a")) for _ in range(12)]
    for one, two in pairwise(came):
        assert two.sequence == (one.sequence + 1) & 0xFFFF
        assert (two.timestamp - one.timestamp) & 0xFFFFFFFF == 160


# --- where packets come from -------------------------------------------------------


def test_nothing_is_believed_before_the_answer() -> None:
    wire = Wire()
    leg = wire.session.offer("a", "b")
    far = Far(("192.0.2.1", 4000), 1)
    assert leg.receive_from(BUFFER.load(bytes(far.packet())), far.address, wire.now) == 0
    assert (leg.strays, leg.latch.source) == (1, None)


def test_the_source_is_learned_from_the_first_valid_packet() -> None:
    wire = call()
    leg = wire.session.legs["a"]
    assert leg.latch.target == ("192.0.2.1", 4000)
    nat = ("198.51.100.7", 61000)
    assert wire.came("a", b"\x80\x08", nat) is None
    assert wire.came("a", bytes(wire.far["a"].packet(kind=77)), nat) is None  # RTCP's range
    assert leg.latch.source is None
    assert wire.says("a", source=nat) is not None
    assert leg.latch.source == leg.latch.target == nat
    assert wire.says("a", source=("203.0.113.9", 4000)) is None
    assert leg.report().strays == 3


def test_over_srtp_only_who_holds_the_key_is_believed() -> None:
    wire = call()
    leg, far = wire.session.legs["b"], wire.far["b"]
    thief = ("203.0.113.9", 5000)
    assert wire.came("b", bytes(far.packet()), thief) is None
    assert wire.came("b", Srtp(bytes(30)).close(bytes(far.packet())), far.address) is None
    assert leg.latch.source is None
    moved = ("198.51.100.7", 61000)
    assert wire.says("b", source=moved) is not None
    assert leg.latch.source == moved
    assert (leg.report().strays, leg.report().refused) == (2, 2)


def test_who_sends_from_the_agreed_address_takes_the_place_of_another() -> None:
    wire = call()
    leg = wire.session.legs["a"]
    assert wire.says("a", source=("203.0.113.9", 4000)) is not None
    assert wire.says("a", source=("192.0.2.1", 4000)) is not None
    assert leg.latch.source == ("192.0.2.1", 4000)
    assert wire.says("a", source=("203.0.113.9", 4000)) is None


def test_a_re_invite_reopens_the_latch() -> None:
    wire = call()
    leg = wire.session.legs["a"]
    old, new = wire.far["a"].address, ("198.51.100.7", 4002)
    wire.says("a")
    wire.answer("a", plain(4002, "198.51.100.7"))
    assert leg.latch.target == new  # at once
    assert wire.says("a", source=old) is not None  # still under way
    assert leg.latch.open
    assert wire.says("a", source=new) is not None
    assert (leg.latch.source, leg.latch.open) == (new, False)
    assert wire.says("a", source=old) is None


def test_who_did_not_move_is_believed_again_at_once() -> None:
    wire = call()
    leg = wire.session.legs["a"]
    wire.says("a", source=("198.51.100.7", 61000))
    wire.answer("a", plain())
    assert leg.latch.target == ("198.51.100.7", 61000)
    wire.says("a", source=("198.51.100.7", 61000))
    assert (leg.latch.source, leg.latch.open) == (("198.51.100.7", 61000), False)


def test_who_says_to_move_and_does_not_is_believed_after_a_while() -> None:
    wire = call()
    leg = wire.session.legs["a"]
    wire.says("a")
    wire.answer("a", plain(4002))
    wire.now += 1.5
    assert wire.says("a", source=("192.0.2.1", 4000)) is not None
    assert leg.latch.target == ("192.0.2.1", 4000)


def test_who_fell_silent_may_come_back_from_elsewhere() -> None:
    wire = call()
    leg = wire.session.legs["a"]
    wire.says("a")
    assert Silent("m", "a", 2.0) in wire.wait(2.5)
    assert wire.says("a", source=("198.51.100.7", 61000)) is not None
    assert leg.latch.source == ("198.51.100.7", 61000)


def test_a_second_packet_of_the_same_number_moves_no_latch() -> None:
    wire = call()
    packet = wire.far["a"].packet()
    wire.says("a", packet)
    wire.answer("a", plain())
    assert wire.came("a", bytes(packet), ("203.0.113.9", 4000)) is None
    assert wire.session.legs["a"].latch.source == ("192.0.2.1", 4000)


# --- silence ----------------------------------------------------------------------


def test_silence_is_told_once_and_again_after_speech() -> None:
    wire = call()
    wire.answer("b", secure(PHONE, direction="sendonly"), CARRIER)  # nothing should come from there
    for _ in range(100):
        wire.says("a")
        assert not [event for event in wire.wait(0.02) if isinstance(event, Silent)]
    assert [event for event in wire.wait(20.0) if isinstance(event, Silent)] == [Silent("m", "a", 2.0)]
    wire.says("a")
    assert [event for event in wire.wait(1.9) if isinstance(event, Silent)] == []
    assert [event for event in wire.wait(20.0) if isinstance(event, Silent)] == [Silent("m", "a", 2.0)]


def test_a_leg_on_hold_is_not_silent_and_resumed_has_its_time() -> None:
    wire = call()
    wire.answer("a", plain(direction="sendonly"))
    wire.answer("b", secure(PHONE, direction="inactive"), CARRIER)
    assert not [event for event in wire.wait(10.0) if isinstance(event, Silent)]
    wire.answer("a", plain())
    assert not [event for event in wire.wait(1.9) if isinstance(event, Silent)]
    assert [event for event in wire.wait(0.2) if isinstance(event, Silent)] == [Silent("m", "a", 2.0)]


# --- RTCP -------------------------------------------------------------------------


def reports(outputs: list[SendRtp | SendRtcp | Event], name: str) -> list[bytes]:
    return [output.data for output in outputs if isinstance(output, SendRtcp) and output.leg.name == name]


@pytest.mark.rfc("3550#6.4")
def test_each_side_gets_reports_of_what_it_sent_and_was_sent() -> None:
    wire = Wire()
    wire.add("a", "b", plain(rtcp=4001))
    wire.add("b", "a", secure(PHONE, rtcp=5001), CARRIER)
    for _ in range(20):
        wire.says("a")
        wire.says("a")
        wire.says("b")
        wire.now += 0.02
    wire.far["a"].sequence += 5
    wire.says("a")
    outputs = wire.wait(7.5)
    (first, *_) = reports(outputs, "a")
    head, description = rtcp.parse(first)[:2]
    assert isinstance(head, rtcp.SenderReport)
    assert (head.ssrc, head.packets, head.octets) == (wire.session.legs["a"].ssrc, 20, 3200)
    (block,) = head.blocks
    assert (block.ssrc, block.lost) == (1000, 5)
    assert block.highest == wire.far["a"].sequence - 1
    assert isinstance(description, rtcp.Description)
    assert description.chunks[0].items == ((rtcp.CNAME, b"relay"),)
    opens = wire.far["b"].opens
    assert opens is not None
    numbers = []
    for closed in reports(outputs, "b"):
        opened, index = opens.open_rtcp(closed)
        head = rtcp.parse(opened)[0]
        assert isinstance(head, rtcp.SenderReport | rtcp.ReceiverReport)
        assert head.ssrc == wire.session.legs["b"].ssrc
        numbers.append(index)
    assert numbers == sorted(set(numbers)) != []


def test_their_reports_time_the_round_trip() -> None:
    wire = Wire()
    wire.add("a", "b", plain(rtcp=4001))
    wire.add("b", "a", secure(PHONE, rtcp=5001), CARRIER)
    wire.says("a")
    wire.says("b")
    far = wire.far["b"]
    assert far.opens is not None
    assert far.closes is not None
    due = wire.session.deadline()
    while not (closed := reports(wire.wait(0.1), "b")):
        wire.says("a")
    assert due is not None
    sent = rtcp.parse(far.opens.open_rtcp(closed[0])[0])[0]
    assert isinstance(sent, rtcp.SenderReport)
    wire.now += 0.5
    ours = wire.session.legs["b"].ssrc
    back = rtcp.ReceiverReport(far.ssrc, (rtcp.Block(ours, 0, 0, 1, 0, sent.ntp >> 16 & 0xFFFFFFFF, 0),))
    data = far.closes.close_rtcp(rtcp.build([back, rtcp.describe(far.ssrc, "far")]))
    leg = wire.session.legs["b"]
    leg.receive_rtcp(BUFFER.load(data), ("192.0.2.2", 5055), wire.now)
    assert 0.5 <= leg.control.round_trip <= 0.61
    assert leg.rtcp_to == ("192.0.2.2", 5055)
    assert leg.report().mos < wire.session.legs["a"].report().mos


def test_rtcp_of_strangers_is_counted_and_not_read() -> None:
    wire = Wire()
    wire.add("a", "b", plain(rtcp=4001))
    wire.add("b", "a", secure(PHONE, rtcp=5001), CARRIER)
    report = rtcp.build([rtcp.ReceiverReport(5), rtcp.describe(5, "x")])
    for name, source in (("a", ("203.0.113.9", 4001)), ("b", ("192.0.2.2", 5001))):
        leg = wire.session.legs[name]
        leg.receive_rtcp(BUFFER.load(report), source, wire.now)
        assert leg.strays == 1
        assert leg.rtcp_to != source or name == "b"
    wire.session.legs["a"].receive_rtcp(BUFFER.load(b"junk"), ("192.0.2.1", 4001), wire.now)
    assert wire.session.legs["a"].strays == 2


def test_rtcp_under_the_former_key_is_still_opened() -> None:
    wire = Wire()
    wire.add("a", "b", plain(rtcp=4001))
    wire.add("b", "a", secure(PHONE, rtcp=5001), CARRIER)
    under_way = Srtp(material(PHONE)).close_rtcp(rtcp.build([rtcp.ReceiverReport(5)]))
    wire.answer("b", secure(key(3), rtcp=5001), key(4))
    leg = wire.session.legs["b"]
    leg.receive_rtcp(BUFFER.load(under_way), ("192.0.2.2", 5001), wire.now)
    assert (leg.strays, leg.report().refused) == (0, 0)


def test_without_a_port_for_it_there_is_no_rtcp() -> None:
    wire = call()
    wire.says("a")
    assert reports(wire.wait(30.0), "a") == []
    report = rtcp.build([rtcp.ReceiverReport(5)])
    leg = wire.session.legs["a"]
    leg.receive_rtcp(BUFFER.load(report), ("192.0.2.1", 4001), wire.now)
    assert leg.rtcp_to is None


@pytest.mark.rfc("3550#6.3.7")
def test_a_released_leg_says_goodbye_and_reports() -> None:
    wire = Wire()
    wire.add("a", "b", plain(rtcp=4001))
    wire.add("b", "a", secure(PHONE, rtcp=5001), CARRIER)
    for _ in range(10):
        wire.says("a")
        wire.says("b")
        wire.now += 0.02
    goodbye, report = wire.session.release("b", wire.now)
    assert isinstance(goodbye, SendRtcp)
    opens = wire.far["b"].opens
    assert opens is not None
    parts = rtcp.parse(opens.open_rtcp(goodbye.data)[0])
    assert parts[-1] == rtcp.Goodbye((goodbye.leg.ssrc,))
    assert isinstance(report, Report)
    assert (report.sent, report.received, report.lost) == (10, 10, 0)
    assert report.mos > 4.2
    assert (report.suite, report.refused, report.strays) == ("AES_CM_128_HMAC_SHA1_80", 0, 0)
    assert wire.says("a") is None
    assert wire.session.release("b", wire.now) == []
    report = wire.session.release("a", wire.now)[-1]
    assert isinstance(report, Report)
    assert (report.sent, report.received, report.suite) == (10, 11, "")
    assert wire.session.legs == {}
    assert wire.session.deadline() is None


def test_a_leg_that_said_nothing_says_no_goodbye() -> None:
    wire = Wire()
    wire.session.offer("a", "b")
    (report,) = wire.session.release("a", wire.now)
    assert report == Report("m", "a", 0, 0, 0)


def test_loss_and_jitter_lower_the_opinion() -> None:
    wire = call()
    dice = Random(5)
    for n in range(500):
        wire.now = 100.0 + n * 0.02 + dice.random() * 0.01
        packet = wire.far["a"].packet()
        if dice.random() > 0.05:
            wire.says("a", packet)
        wire.says("b")
    bad, good = wire.session.legs["a"].report(), wire.session.legs["b"].report()
    assert good.lost == 0
    assert 10 < bad.lost < 50
    assert 1 < bad.jitter < 6
    assert 1.0 < bad.mos < good.mos < 4.5


# --- tones, digits, conference ------------------------------------------------------


def heard(packets: list[Packet], *tones: int) -> tuple[int, ...]:
    detector = Detector(tones)
    return tuple(tone for packet in packets for tone in detector.feed(packet.payload))


def test_a_tone_takes_the_place_of_the_far_side_until_it_ends() -> None:
    wire = call()
    last = got(wire.says("a"))
    wire.session.play("b", (425,), False, wire.now)
    assert wire.says("a") is None
    assert wire.says("b") is not None  # the other way goes on
    tone = wire.opened(wire.wait(0.4), "b")
    assert len(tone) >= 20
    assert heard(tone, 425, 600) == (425,)
    assert (tone[0].ssrc, tone[0].sequence) == (last.ssrc, (last.sequence + 1) & 0xFFFF)
    wire.session.play("b", (), False, wire.now)
    came = got(wire.says("a"))
    assert (came.sequence, came.marker) == ((tone[-1].sequence + 1) & 0xFFFF, True)
    assert wire.opened(wire.wait(1.0), "b") == []


def test_a_leg_that_ends_here_gets_silence_a_tone_or_its_echo() -> None:
    wire = Wire()
    far = wire.add("a", "", secure(PHONE, 4000, "192.0.2.1"), CARRIER)
    silence = wire.opened(wire.wait(0.2), "a")
    assert {packet.payload for packet in silence} == {b"\xd5" * 160}
    assert len(silence) == 11
    wire.session.play("a", (600,), False, wire.now)
    assert heard(wire.opened(wire.wait(0.4), "a"), 600) == (600,)
    wire.session.play("a", (), True, wire.now)
    packet = far.packet(b"e" * 160)
    assert got(wire.says("a", packet)).payload == b"e" * 160
    assert got(wire.says("a", far.packet(b"f" * 160))).payload == b"f" * 160
    assert wire.opened(wire.wait(0.4), "a") == []
    wire.session.play("a", (), False, wire.now)
    assert len(wire.opened(wire.wait(0.1), "a")) >= 5


def test_a_leg_that_plays_follows_a_re_invite() -> None:
    wire = Wire()
    wire.add("a", "", plain())
    wire.wait(0.1)
    wire.answer("a", plain(direction="recvonly"))
    assert wire.opened(wire.wait(0.2), "a") == []
    wire.answer("a", plain(4002))
    assert len(wire.opened(wire.wait(0.1), "a")) >= 5


def test_digits_are_sent_in_place_of_the_far_side_and_then_it_goes_on() -> None:
    wire = call()
    last = got(wire.says("a"))
    wire.session.press("b", "4", wire.now)
    assert wire.says("a") is None
    sent = wire.opened(wire.wait(0.5), "b")
    events = [packet for packet in sent if packet.payload_type == 96]
    assert {packet.payload[0] for packet in events} == {4}
    assert len({packet.timestamp for packet in events}) == 1
    assert sent[0].sequence == (last.sequence + 1) & 0xFFFF
    assert got(wire.says("a")).sequence == (sent[-1].sequence + 1) & 0xFFFF
    with pytest.raises(ValueError, match="substring"):
        wire.session.press("b", "x", wire.now)


def test_digits_are_not_sent_to_who_did_not_agree_to_any() -> None:
    wire = Wire()
    wire.add("a", "b", plain())
    wire.add("b", "a", secure(PHONE, dtmf_payload_type=None), CARRIER)
    wire.session.press("b", "4", wire.now)
    wire.session.press("nobody", "4", wire.now)
    assert wire.says("a") is not None
    wire.session.offer("c", "")
    wire.session.press("c", "4", wire.now)


def test_digits_interrupt_a_tone_that_then_goes_on() -> None:
    wire = call()
    wire.session.play("b", (425,), False, wire.now)
    wire.session.press("b", "1", wire.now)
    sent = wire.opened(wire.wait(1.0), "b")
    assert {packet.payload_type for packet in sent} == {8, 96}
    assert heard([packet for packet in sent[-25:] if packet.payload_type == 8], 425) == (425,)


def test_tones_that_are_listened_for_are_told_once() -> None:
    wire = call()
    wire.session.listen("a", (440, 600))
    for packet in speech(wire.far["a"], 440, 30):
        assert wire.says("a", packet) is not None
    assert wire.events == [Heard("m", "a", 440)]
    assert wire.session.legs["a"].report().heard == (440,)
    wire.session.listen("a", (440,))
    for packet in speech(wire.far["a"], 440, 30):
        wire.says("a", packet)
    assert wire.events == [Heard("m", "a", 440)] * 2
    wire.session.listen("a", ())
    wire.session.listen("nobody", (440,))
    assert wire.session.legs["a"].report().heard == (440,)


def test_a_leg_that_should_hear_nothing_hears_nothing() -> None:
    wire = call()
    wire.session.listen("a", (440,))
    wire.answer("a", plain(direction="sendonly"))
    for packet in speech(wire.far["a"], 440, 30):
        assert wire.says("a", packet) is None
    assert wire.events == []


def test_a_caller_that_is_offered_first_and_answered_last_stays_joined_to_whom_it_called() -> None:
    wire = Wire()
    wire.session.offer("a", "").carrier = Sockets()  # nobody is called yet
    wire.far["a"] = Far(("192.0.2.1", 4000), 1000)
    wire.add("b", "a", secure(PHONE), CARRIER)
    wire.answer("a", plain())
    assert wire.says("a") is not None
    assert wire.says("b") is not None


def test_in_a_conference_each_hears_the_others() -> None:
    wire = call()
    wire.add("c", "", plain(6000, "192.0.2.3"))
    tones = {"a": 440, "b": 600, "c": 880}
    tables = {name: second((tone,)) for name, tone in tones.items()}
    wire.session.mix(("a", "b", "c"), wire.now)
    detectors = {name: Detector(tuple(tones.values())) for name in tones}
    found: dict[str, set[int]] = {name: set() for name in tones}
    numbers: dict[str, list[int]] = {name: [] for name in tones}

    def talk(names: str, packets: int) -> None:
        for n in range(packets):
            for name in names:
                assert wire.says(name, wire.far[name].packet(cut(tables[name], n * 160, 160))) is None
            outputs = wire.wait(0.02)
            for name in names:
                for packet in wire.opened(outputs, name):
                    found[name].update(detectors[name].feed(packet.payload))
                    numbers[name].append(packet.sequence)

    talk("abc", 60)
    assert found == {"a": {600, 880}, "b": {440, 880}, "c": {440, 600}}
    for sequences in numbers.values():
        assert sequences == [(sequences[0] + n) & 0xFFFF for n in range(len(sequences))]
    wire.session.release("c", wire.now)
    talk("ab", 10)
    wire.session.mix((), wire.now)
    assert wire.says("a") is not None  # they are joined as before
    assert wire.says("b") is not None


def test_a_conference_follows_who_changes_the_law_and_who_came_before_the_answer() -> None:
    wire = call()
    wire.session.offer("c", "").carrier = Sockets()
    wire.session.mix(("a", "c", "nobody"), wire.now)
    wire.wait(0.1)
    wire.far["c"] = Far(("192.0.2.3", 6000), 3000)
    wire.answer("c", plain(6000, "192.0.2.3")._replace(payload_type=0, codec="PCMU"))
    table = second((600,))
    detector, found = Detector((600,)), set[int]()
    for n in range(40):
        wire.says("a", wire.far["a"].packet(cut(table, n * 160, 160)))
        for packet in wire.opened(wire.wait(0.02), "c"):
            assert packet.payload_type == 0
            found.update(detector.feed(packet.payload, LAW["PCMU"]))
    assert found == {600}
    wire.now += 1.0  # late by much: what could not be said in time is not said
    assert len(wire.opened(wire.session.expire(wire.now), "c")) == 1


def test_commands_for_nobody_change_nothing() -> None:
    wire = call()
    wire.session.play("nobody", (440,), False, wire.now)
    wire.session.answer("nobody", plain(), wire.now)
    wire.session.mix(("nobody",), wire.now)
    wire.session.play("a", (440,), False, wire.now)
    assert wire.says("a") is not None


# --- any bytes, any history ---------------------------------------------------------


JUNK = call(seed=9)
JUNK.says("a")
JUNK.says("b")


@given(
    st.sampled_from("ab"),
    st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda head, rest: bytes((0x80 | head,)) + rest, st.integers(0, 63), st.binary(max_size=200)
        ),
    ),
    st.booleans(),
)
@settings(max_examples=300)
def test_any_bytes_at_any_port_do_no_harm(name: str, data: bytes, known: bool) -> None:
    leg = JUNK.session.legs[name]
    JUNK.came(name, data, None if known else ("203.0.113.9", 9))
    leg.receive_rtcp(BUFFER.load(data), JUNK.far[name].address, JUNK.now)
    JUNK.now += 0.02
    far = JUNK.far["b"]
    far.sequence += 1
    assert JUNK.says("b") is not None


class Auditor:
    """Opens whatever goes to the secured legs, and sees each (key, SSRC, index) once, RTCP's too."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.seen: set[tuple[bytes, int, int]] = set()
        self.seen_rtcp: set[tuple[bytes, int, int]] = set()

    def rtp(self, name: str, data: bytes) -> None:
        opens = self.wire.far[name].opens
        if opens is None:
            return
        packet, index = opens.open(data)
        used = (opens.material, Packet.parse(packet).ssrc, index)
        assert used not in self.seen
        self.seen.add(used)

    def rtcp(self, name: str, data: bytes) -> None:
        opens = self.wire.far[name].opens
        if opens is None:
            return
        packet, index = opens.open_rtcp(data)
        used = (opens.material, int.from_bytes(packet[4:8], "big"), index)
        assert used not in self.seen_rtcp
        self.seen_rtcp.add(used)

    def outputs(self, outputs: list[SendRtp | SendRtcp | Event]) -> None:
        for output in outputs:
            if isinstance(output, SendRtp):
                self.rtp(output.leg.name, output.data)
            elif isinstance(output, SendRtcp):
                self.rtcp(output.leg.name, output.data)


@pytest.mark.rfc("3711#9.1")
@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_no_key_source_and_index_are_ever_used_twice(seed: int) -> None:
    """Long histories of everything that may happen to a call, in any order."""
    dice = Random(seed)
    wire = Wire(seed)
    audit = Auditor(wire)
    keys = [key(100 + n) for n in range(4)]
    ports = {"a": 4000, "b": 5000, "c": 6000}
    joins = {"a": "b", "b": "a", "c": "a"}
    history: dict[str, list[bytes]] = {name: [] for name in ports}
    own = {name: dice.choice(keys) for name in ports}
    theirs = {name: dice.choice(keys) for name in ports}

    def agree(name: str, direction: str = "sendrecv") -> None:
        if dice.random() < 0.2:
            wire.session.offer(name, dice.choice(["", joins[name], "b"]))
        stream = secure(theirs[name], ports[name], rtcp=ports[name] + 1, direction=direction)
        wire.answer(name, stream, own[name])

    def arrive(name: str) -> None:
        session = wire.session
        if name not in session.legs:
            wire.add(
                name, joins[name], secure(theirs[name], ports[name], rtcp=ports[name] + 1), own[name]
            ).sequence = dice.randrange(1 << 16)

    def sends(name: str) -> None:
        far = wire.far[name]
        what = dice.random()
        if what < 0.05:
            far.sequence += dice.choice([1, 5, 60, 2999, 3001, 40000, -30])
        elif what < 0.08:
            far.ssrc = dice.randrange(1 << 32)
        packet = far.packet(kind=dice.choice([8] * 20 + [96, 13, 0]), marker=dice.random() < 0.02)
        data = far.close(packet)
        late = history[name]
        late.append(data)
        if what > 0.9:  # late by a few
            data = late[max(0, len(late) - dice.randrange(1, 6))]
        sent = wire.came(name, data)
        if sent is not None:
            audit.rtp(*sent)

    arrive("a")
    arrive("b")
    for _ in range(600):
        name = dice.choice(list(wire.session.legs) or ["a"])
        arrive(name)
        what = dice.random()
        if what < 0.8:
            for _ in range(dice.randrange(1, 12)):
                wire.now += dice.choice([0.0, 0.02, 0.02, 0.021])
                sends(name)
        elif what < 0.83:
            agree(name, dice.choice(["sendrecv", "sendonly", "recvonly", "inactive"]))
        elif what < 0.86:
            own[name] = dice.choice(keys)
            agree(name)
        elif what < 0.88:
            theirs[name] = dice.choice(keys)
            agree(name)
        elif what < 0.90:
            wire.session.play(name, dice.choice([(), (440,)]), dice.random() < 0.3, wire.now)
        elif what < 0.92:
            wire.session.press(name, "12", wire.now)
        elif what < 0.93:
            wire.session.mix(dice.choice([(), ("a", "b"), ("a", "b", "c")]), wire.now)
        elif what < 0.95:
            arrive("c")
        elif what < 0.96:
            audit.outputs(wire.session.release(name, wire.now))
        else:
            audit.outputs(wire.wait(dice.choice([0.02, 0.3, 3.0])))
    assert audit.seen


def test_what_the_kernel_did_not_take_is_not_counted_as_sent() -> None:
    wire = call()
    for _ in range(3):
        wire.says("a")
    wire.session.legs["b"].path.unsent()  # nothing came from there yet: nobody to count it for
    path = wire.session.legs["a"].path
    path.unsent()
    assert wire.session.legs["b"].report().sent == 2


def test_a_number_that_was_sent_behind_our_back_is_not_sent_again() -> None:
    """The last fence: libsrtp itself would have to be asked twice for one index."""
    wire = call()
    wire.says("a")
    path, far = wire.session.legs["a"].path, wire.far["a"]
    header = path.expected
    assert wire.says("a") is not None
    path.expected = header
    far.sequence, far.timestamp = far.sequence - 1, far.timestamp - 160
    assert wire.says("a") is None


@pytest.mark.guide("SRTP-1")
def test_a_leg_carries_aes_with_256_bits_both_ways() -> None:
    theirs, ours = (Crypto.of(1, "AES_256_CM_HMAC_SHA1_80", n.to_bytes(46, "big")) for n in (1, 2))
    wire = Wire()
    wire.add("a", "b", plain())
    wire.add("b", "a", secure(theirs), ours)
    assert got(wire.says("a")).payload == got(wire.says("b")).payload == b"\xd5" * 160
    report = wire.session.legs["b"].report()
    assert (report.suite, report.received, report.refused) == ("AES_256_CM_HMAC_SHA1_80", 1, 0)
