"""Capture files: pcapng written and read, classic pcap read.

Formats: draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap. Pure: bytes in, packets
out, and back. What stands inside a packet is `capture.packet`'s.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from trunkline.finding import ParseError

RAW = 101  # LINKTYPE_RAW: the packet begins with its IPv4 or IPv6 header

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_SECTION_BYTES = _SECTION.to_bytes(4, "big")  # a palindrome: the same in both byte orders
_MAGIC = 0x1A2B3C4D
_TSRESOL, _TSOFFSET, _FLAGS = 9, 14, 2
_INBOUND, _OUTBOUND = 1, 2
_NANO = 10**9
# Classic pcap: the file's first four bytes -> byte order, nanoseconds a tick.
_CLASSIC = {
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}


class Packet(NamedTuple):
    """One captured packet: civil nanoseconds since 1970 (UTC), its link type and its bytes."""

    at_ns: int
    link: int
    data: bytes


class _Interface(NamedTuple):
    """What an interface block says of its packets: ticks a second, seconds to add, the longest one."""

    link: int
    ticks: int
    offset: int
    longest: int


def read(data: bytes) -> Iterator[Packet]:
    """The packets of a pcapng or classic pcap file, in its order.

    Raises ParseError at what is no such file, and, after the packets before it, at
    what is broken or cut off.
    """
    if data[:4] == _SECTION_BYTES:
        return _read_sections(data)
    if data[:4] in _CLASSIC:
        return _read_classic(data)
    raise ParseError("capture file", data[:8].hex(), "expected pcapng or pcap", status=0)


def _broken(at: int, got: str, expected: str) -> ParseError:
    return ParseError(f"capture file, byte {at}", got, expected, status=0)


def _read_classic(data: bytes) -> Iterator[Packet]:
    order, tick = _CLASSIC[data[:4]]
    if len(data) < 24:
        raise _broken(len(data), "end of file", "expected the file header of 24 bytes")
    link = int(struct.unpack_from(order + "I", data, 20)[0]) & 0xFFFF  # the upper half speaks of the FCS
    header = struct.Struct(order + "IIII")
    at = 24
    while at < len(data):
        if len(data) - at < header.size:
            raise _broken(at, f"{len(data) - at} bytes", "expected a packet header of 16 bytes")
        seconds, ticks, length, _ = header.unpack_from(data, at)
        at += header.size
        if length > len(data) - at:
            raise _broken(at, f"{len(data) - at} bytes", f"expected a packet of {length} bytes")
        yield Packet(seconds * _NANO + ticks * tick, link, data[at : at + length])
        at += length


def _read_sections(data: bytes) -> Iterator[Packet]:
    order, interfaces, at = "<", list[_Interface](), 0
    while at < len(data):
        if len(data) - at < 12:
            raise _broken(at, f"{len(data) - at} bytes", "expected a block of at least 12 bytes")
        if data[at : at + 4] == _SECTION_BYTES:
            order, interfaces = _byte_order(data, at), []
        kind, length = struct.unpack_from(order + "II", data, at)
        if length < 12 or length % 4 or length > len(data) - at:
            raise _broken(
                at, str(length), f"expected a block length of 12 to {len(data) - at}, a multiple of 4"
            )
        if struct.unpack_from(order + "I", data, at + length - 4)[0] != length:
            raise _broken(at + length - 4, "another length", f"expected the block length {length} again")
        body = data[at + 8 : at + length - 4]
        if kind == _INTERFACE:
            interfaces.append(_read_interface(body, order, at))
        elif kind in (_ENHANCED, _OLD_PACKET, _SIMPLE):
            yield _read_packet(kind, body, order, interfaces, at)
        at += length


def _byte_order(data: bytes, at: int) -> str:
    for order in "<>":
        if struct.unpack_from(order + "I", data, at + 8)[0] == _MAGIC:
            return order
    raise _broken(at + 8, data[at + 8 : at + 12].hex(), "expected the byte-order magic 1a2b3c4d")


def _read_interface(body: bytes, order: str, at: int) -> _Interface:
    if len(body) < 8:
        raise _broken(at, f"{len(body)} bytes", "expected an interface block of 8 bytes and more")
    link, _, longest = struct.unpack_from(order + "HHI", body)
    ticks, offset, place = 10**6, 0, 8
    while place + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, place)
        value = body[place + 4 : place + 4 + length]
        if code == 0 or len(value) < length:
            break
        if code == _TSRESOL and length == 1:
            ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == _TSOFFSET and length == 8:
            offset = struct.unpack(order + "q", value)[0]
        place += 4 + length + -length % 4
    return _Interface(link, ticks, offset, longest)


def _read_packet(kind: int, body: bytes, order: str, interfaces: list[_Interface], at: int) -> Packet:
    high = low = number = 0
    need = 4 if kind == _SIMPLE else 20
    if len(body) < need:
        raise _broken(at, f"{len(body)} bytes", f"expected a packet block of {need} bytes and more")
    if kind == _SIMPLE:
        (length,) = struct.unpack_from(order + "I", body)
    elif kind == _ENHANCED:
        number, high, low, length, _ = struct.unpack_from(order + "IIIII", body)
    else:
        number, _, high, low, length, _ = struct.unpack_from(order + "HHIIII", body)
    if number >= len(interfaces):
        raise _broken(at, str(number), f"expected an interface below {len(interfaces)}")
    interface = interfaces[number]
    if kind == _SIMPLE:  # its length is the original one, cut at the interface's longest (0: no bound)
        length = min(length, interface.longest or length)
    if length > len(body) - need:
        raise _broken(at, str(length), f"expected a captured length of at most {len(body) - need}")
    stamp = (high << 32 | low) * _NANO // interface.ticks + interface.offset * _NANO
    return Packet(stamp, interface.link, body[need : need + length])


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def header(link: int = RAW, name: str = "trunkline") -> bytes:
    """The beginning of a pcapng file: one section, one interface that counts nanoseconds."""
    section = struct.pack("<IHHq", _MAGIC, 1, 0, -1) + _option(4, name.encode()) + _option(0, b"")
    options = _option(2, name.encode()) + _option(_TSRESOL, b"\x09") + _option(0, b"")
    return _block(_SECTION, section) + _block(_INTERFACE, struct.pack("<HHI", link, 0, 0) + options)


def packet(data: bytes, at_ns: int, *, sent: bool | None = None) -> bytes:
    """One packet of a pcapng file: an enhanced packet block; `sent` marks its direction where it is known."""
    fixed = struct.pack("<IIIII", 0, at_ns >> 32 & 0xFFFFFFFF, at_ns & 0xFFFFFFFF, len(data), len(data))
    options = b""
    if sent is not None:
        options = _option(_FLAGS, struct.pack("<I", _OUTBOUND if sent else _INBOUND)) + _option(0, b"")
    return _block(_ENHANCED, fixed + data + bytes(-len(data) % 4) + options)
