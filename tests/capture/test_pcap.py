"""Capture files, written and read."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trunkline.capture.pcap import RAW, Packet, header, packet, read
from trunkline.finding import ParseError

AT = 1_800_000_000_123_456_789


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(options: bytes = b"", order: str = "<", longest: int = 0) -> bytes:
    return block(1, struct.pack(order + "HHI", 1, 0, longest) + options, order)


def enhanced(stamp: int, data: bytes, number: int = 0, order: str = "<") -> bytes:
    fixed = struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
    return block(6, fixed + data + bytes(-len(data) % 4), order)


@given(
    st.lists(st.tuples(st.binary(max_size=70), st.integers(0, 2**63), st.sampled_from([None, True, False])))
)
def test_what_is_written_is_read(packets: list[tuple[bytes, int, bool | None]]) -> None:
    file = header() + b"".join(packet(data, at, sent=sent) for data, at, sent in packets)
    assert list(read(file)) == [Packet(at, RAW, data) for data, at, _ in packets]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("options", "stamp", "at"),
    [
        (b"", 5_000_001, 5_000_001_000),  # microseconds where nothing is said
        ("9:1:03", 5_001, 5_001_000_000),  # 10^-3
        ("9:1:8a", 1024 + 512, 1_500_000_000),  # 2^-10
        ("9:1:06 14:8:100", 1, 100_000_001_000),  # 100 s to add
        ("2:3:abc 0:0:", 1, 1000),
        ("9:2:0303", 1, 1000),  # not of its length: not believed
        ("14:4:7", 1, 1000),
        ("0:0: 9:1:03", 1, 1000),  # after the end of the options
        ("9:200:", 1, 1000),  # cut off
    ],
)
def test_the_resolution_of_an_interface_is_its_own(
    order: str, options: str | bytes, stamp: int, at: int
) -> None:
    made = b""
    for word in options.split() if isinstance(options, str) else ():
        code, length, value = word.split(":")
        raw = bytes.fromhex(value) if code == "9" else value.encode()
        if code == "14":
            raw = int(value).to_bytes(int(length), "big" if order == ">" else "little")
        made += struct.pack(order + "HH", int(code), int(length)) + raw + bytes(-len(raw) % 4)
    file = section(order) + interface(made, order) + enhanced(stamp, b"data", order=order)
    assert list(read(file)) == [Packet(at, 1, b"data")]


def test_sections_and_interfaces_follow_each_other_in_either_byte_order() -> None:
    unknown = block(0x0BAD, bytes(8))
    file = (
        section("<")
        + interface()
        + interface(struct.pack("<HHB3x", 9, 1, 0))
        + enhanced(7, b"two", 1)
        + unknown
        + section(">")
        + interface(order=">")
        + enhanced(7, b"three", order=">")
    )
    assert list(read(file)) == [Packet(7_000_000_000, 1, b"two"), Packet(7_000, 1, b"three")]


def test_simple_and_obsolete_packet_blocks_are_read() -> None:
    simple = block(3, struct.pack("<I", 9) + b"whole" + bytes(3))
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 3, 4, 4) + b"data")
    file = section() + interface(longest=5) + simple + old
    assert list(read(file)) == [Packet(0, 1, b"whole"), Packet(3000, 1, b"data")]


@pytest.mark.parametrize(
    ("magic", "order", "tick"),
    [(0xA1B2C3D4, "<", 1000), (0xA1B2C3D4, ">", 1000), (0xA1B23C4D, "<", 1), (0xA1B23C4D, ">", 1)],
)
def test_classic_files_of_both_orders_and_resolutions_are_read(magic: int, order: str, tick: int) -> None:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 0xF000_0071)
    body = struct.pack(order + "IIII", 10, 5, 4, 90) + b"data"
    assert list(read(head + body)) == [Packet(10 * 10**9 + 5 * tick, 113, b"data")]


CLASSIC = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
GOOD = section() + interface()


@pytest.mark.parametrize(
    ("file", "where"),
    [
        (b"", "capture file"),
        (b"GIF89a", "capture file"),
        (section()[:9], "byte 0"),
        (block(0x0A0D0D0A, b"\0" * 16), "byte 8"),
        (GOOD + struct.pack("<II", 6, 13), "byte 48"),
        (GOOD + struct.pack("<III", 6, 8, 0), "byte 48"),
        (GOOD + struct.pack("<III", 6, 4000, 0), "byte 48"),
        (GOOD + struct.pack("<III", 5, 12, 16), "byte 56"),
        (section() + block(1, b"\0" * 4), "byte 28"),
        (GOOD + block(6, b"\0" * 16), "byte 48"),
        (GOOD + enhanced(0, b"data", 1), "byte 48"),
        (section() + enhanced(0, b"data"), "byte 28"),
        (GOOD + block(6, struct.pack("<IIIII", 0, 0, 0, 5, 5) + b"data"), "byte 48"),
        (CLASSIC[:20], "byte 20"),
        (CLASSIC + b"\0" * 15, "byte 24"),
        (CLASSIC + struct.pack("<IIII", 0, 0, 5, 5) + b"data", "byte 40"),
    ],
)
def test_what_is_broken_says_where(file: bytes, where: str) -> None:
    with pytest.raises(ParseError) as told:
        list(read(file))
    assert told.value.where.endswith(where)


def test_packets_before_a_cut_are_not_lost() -> None:
    packets = read(header() + packet(b"one", AT) + packet(b"two", AT)[:-5])
    assert next(packets).data == b"one"
    with pytest.raises(ParseError):
        next(packets)


WHOLE = header() + packet(b"some bytes", AT, sent=True) + packet(b"more", AT)


@given(st.binary(max_size=200))
@example(section()[:12] + b"\xff" * 20)
def test_any_bytes_are_packets_or_a_parse_error(data: bytes) -> None:
    for start in (b"", GOOD, CLASSIC, section(">")):
        try:
            list(read(start + data))
        except ParseError:
            continue


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_any_damage_is_packets_or_a_parse_error(at: int, noise: bytes) -> None:
    try:
        list(read(WHOLE[:at] + noise + WHOLE[at + len(noise) :]))
    except ParseError:
        return
