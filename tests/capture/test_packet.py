"""IP packets around messages."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.capture.packet import Segment, Wrapper, unwrap
from trunkline.capture.pcap import RAW, Packet

FOUR = (("192.0.2.1", 5060), ("198.51.100.2", 5070))
SIX = (("2001:db8::1", 5060), ("2001:db8::2", 5061))


def ones_complement(data: bytes) -> int:
    """RFC 1071, written once more: a right packet's checksum sums to 0xffff."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


def unwrapped(data: bytes, link: int = RAW) -> Segment | None:
    return unwrap(Packet(7, link, data))


@given(st.binary(max_size=3000), st.sampled_from([FOUR, SIX]), st.sampled_from(["UDP", "TCP"]))
def test_what_is_wrapped_is_unwrapped_with_right_checksums(
    data: bytes, ends: tuple[tuple[str, int], tuple[str, int]], transport: str
) -> None:
    found = b""
    for raw in Wrapper().wrap(data, transport, *ends):
        segment = unwrapped(raw)
        assert segment is not None
        assert segment[:4] == (7, transport, *ends)
        assert segment.sequence == (0 if transport == "UDP" else 1 + len(found))
        found += segment.payload
        four = raw[0] >> 4 == 4
        addresses, body = (raw[12:20], raw[20:]) if four else (raw[8:40], raw[40:])
        if four:
            assert ones_complement(raw[:20]) == 0xFFFF
        protocol = 17 if transport == "UDP" else 6
        assert ones_complement(addresses + struct.pack("!II", len(body), protocol) + body) == 0xFFFF
    assert found == data


def test_no_udp_checksum_is_sent_as_zero() -> None:
    # RFC 768: a computed checksum of zero goes out as all ones, zero would mean that there is none
    bodies = (struct.pack("!H", number) for number in range(65536))
    found = {Wrapper().wrap(body, "UDP", *FOUR)[0][26:28] for body in bodies}
    assert b"\0\0" not in found
    assert b"\xff\xff" in found


@pytest.mark.rfc("9293#3.4")
def test_tcp_numbers_run_on_in_each_direction_and_acknowledge_the_other() -> None:
    wrapper = Wrapper()
    one, two = wrapper.wrap(b"x" * 2000, "TCP", *FOUR)
    (back,) = wrapper.wrap(b"answer", "TCP", FOUR[1], FOUR[0])
    (on,) = wrapper.wrap(b"more", "TCP", *FOUR)
    numbers = [struct.unpack("!II", raw[24:32]) for raw in (one, two, back, on)]
    assert numbers == [(1, 1), (1401, 1), (1, 2001), (2001, 7)]


def test_the_memory_of_flows_is_bounded_and_the_numbers_wrap() -> None:
    wrapper = Wrapper()
    for port in range(1, 20000):
        wrapper.wrap(b"x", "TCP", ("192.0.2.1", port), FOUR[1])
    assert len(wrapper._next) <= 16384 + 2
    wrapper._next[FOUR] = 0xFFFFFFFF
    wrapper.wrap(b"xy", "TCP", *FOUR)
    assert wrapper._next[FOUR] == 1


def test_a_message_no_datagram_holds_is_cut() -> None:
    (raw,) = Wrapper().wrap(b"x" * 70000, "UDP", *FOUR)
    segment = unwrapped(raw)
    assert segment is not None
    assert len(raw) == 65535
    assert len(segment.payload) == 65507


@pytest.mark.parametrize("ends", [(FOUR[0], SIX[1]), (("sbc.example.com", 5060), FOUR[1])])
def test_only_literals_of_one_version_can_be_wrapped(ends: tuple[tuple[str, int], tuple[str, int]]) -> None:
    with pytest.raises(ValueError):
        Wrapper().wrap(b"x", "UDP", *ends)


RAW_4, RAW_6 = Wrapper().wrap(b"hello", "UDP", *FOUR)[0], Wrapper().wrap(b"hello", "UDP", *SIX)[0]


@pytest.mark.parametrize(
    ("link", "head"),
    [
        (101, b""),
        (12, b""),
        (228, b""),
        (0, b"\x02\0\0\0"),
        (108, b"\0\0\0\x02"),
        (1, bytes(12) + b"\x08\x00"),
        (1, bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
        (1, bytes(12) + b"\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00"),
        (113, bytes(14) + b"\x08\x00"),
        (276, b"\x08\x00" + bytes(18)),
    ],
)
def test_the_usual_links_are_taken_off(link: int, head: bytes) -> None:
    segment = unwrapped(head + RAW_4 + b"trailer", link)
    assert segment == Segment(7, "UDP", *FOUR, 0, b"hello")


def six(next_header: int, between: bytes) -> bytes:
    raw = RAW_6[:6] + bytes([next_header]) + RAW_6[7:40] + between + RAW_6[40:]
    return raw[:4] + struct.pack("!H", len(raw) - 40) + raw[6:]


@pytest.mark.parametrize(
    ("raw", "whole"),
    [
        (six(17, b""), True),
        (six(0, b"\x11\x00" + bytes(6)), True),
        (six(0, b"\x3c\x01" + bytes(14) + b"\x11\x00" + bytes(6)), True),
        (six(44, b"\x11\x00\x00\x00" + bytes(4)), True),  # RFC 6946: an atomic fragment
        (six(44, b"\x11\x00\x00\x01" + bytes(4)), False),  # more follow
        (six(44, b"\x11\x00\x01\x00" + bytes(4)), False),  # not the first
        (six(59, b""), False),
        (six(0, b"\x00\xff" + bytes(6)), False),  # runs past the end
    ],
)
def test_ipv6_extension_headers_are_passed_over(raw: bytes, whole: bool) -> None:
    assert (unwrapped(raw) == Segment(7, "UDP", *SIX, 0, b"hello")) is whole


TCP = Wrapper().wrap(b"hello", "TCP", *FOUR)[0]


def patched(raw: bytes, at: int, value: bytes) -> bytes:
    return raw[:at] + value + raw[at + len(value) :]


@pytest.mark.parametrize(
    ("raw", "link"),
    [
        (RAW_4, 147),  # a link we do not know
        (bytes(12) + b"\x08\x06" + RAW_4, 1),  # ARP
        (RAW_4[:19], RAW),
        (RAW_6[:39], RAW),
        (RAW_6[:-1], RAW),
        (RAW_4[:-1], RAW),  # cut by the capture
        (patched(RAW_4, 0, b"\x55"), RAW),  # no such version
        (patched(RAW_4, 0, b"\x44"), RAW),  # a header of 16 bytes
        (patched(RAW_4, 6, b"\x20\x00"), RAW),  # more fragments
        (patched(RAW_4, 6, b"\x00\x01"), RAW),  # a later fragment
        (patched(RAW_4, 9, b"\x01"), RAW),  # ICMP
        (patched(RAW_4, 24, b"\x00\x07"), RAW),  # a UDP length below its header
        (patched(RAW_4, 24, b"\x00\xff"), RAW),  # and one past the packet
        (patched(RAW_4, 2, b"\x00\x1b"), RAW),  # no room for a UDP header
        (patched(TCP, 32, b"\x40"), RAW),  # a TCP header of 16 bytes
        (patched(TCP, 32, b"\xf0"), RAW),  # and one past the packet
        (patched(TCP, 2, b"\x00\x27"), RAW),  # no room for a TCP header
    ],
)
def test_what_is_no_whole_udp_or_tcp_is_nothing(raw: bytes, link: int) -> None:
    assert unwrapped(raw, link) is None


@given(st.binary(max_size=120), st.sampled_from([0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 999]))
def test_any_bytes_are_a_segment_or_nothing(data: bytes, link: int) -> None:
    unwrapped(data, link)


@given(st.integers(0, 70), st.binary(min_size=1, max_size=6), st.sampled_from([RAW_4, RAW_6, TCP]))
def test_any_damage_is_a_segment_or_nothing(at: int, noise: bytes, raw: bytes) -> None:
    unwrapped(patched(raw, at, noise))
