"""IP packets around signalling: made up when a trace is written, taken off when a capture is read.

A trace is written from what our endpoint saw, above the kernel; the headers that tshark
and other readers need (IPv4 or IPv6, UDP or TCP) are made here, with right checksums,
and with TCP sequence numbers that run on, so that messages are put together again.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from trunkline.capture.pcap import Packet

Address = tuple[str, int]

_TCP, _UDP = 6, 17
_SEGMENT = 1400  # bytes of a message in one TCP segment
_DATAGRAM = 65507  # the most an IPv4 datagram holds; a longer message never went over UDP
_FLOWS = 16384
_EXTENSIONS = (0, 43, 60)  # IPv6 hop-by-hop options, routing, destination options (RFC 8200 §4)
_FRAGMENT = 44
_PSH_ACK = 0x18
# Link types (tcpdump.org/linktypes.html) whose header has a fixed length -> where the ether type stands.
_ETHER_TYPE = {1: 12, 113: 14, 276: 0}
_LINK_HEADER = {0: 4, 108: 4, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0, 1: 14, 113: 16, 276: 20}
_VLAN, _IP = (0x8100, 0x88A8), (0x0800, 0x86DD)


class Segment(NamedTuple):
    """One UDP datagram or TCP segment; `sequence` is TCP's number of the first byte, 0 for UDP."""

    at_ns: int
    transport: str
    source: Address
    destination: Address
    sequence: int
    payload: bytes


@lru_cache(maxsize=1024)
def _packed(host: str) -> bytes:
    return ip_address(host).packed


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = int(sum(struct.unpack_from(f"!{len(data) // 2}H", data)))
    if len(data) % 2:
        total += data[-1] << 8
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def _ip(source: bytes, destination: bytes, protocol: int, body: bytes) -> bytes:
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + source + destination + body
    # 0x4000: do not fragment; then 64 hops, protocol, checksum
    start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0)
    summed = _checksum(start + source + destination)
    return start[:10] + struct.pack("!H", summed) + source + destination + body


def _summed(source: bytes, destination: bytes, protocol: int, body: bytes, place: int) -> bytes:
    """`body` with its checksum over the pseudo-header written at `place` (RFC 768, RFC 9293 §3.1)."""
    pseudo = source + destination + struct.pack("!II", len(body), protocol)
    total = _checksum(pseudo + body)
    if protocol == _UDP and not total:
        total = 0xFFFF  # RFC 768: zero would say that there is no checksum
    return body[:place] + struct.pack("!H", total) + body[place + 2 :]


class Wrapper:
    """Wraps messages into IP packets, and remembers how far each TCP direction has got."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next: dict[tuple[Address, Address], int] = {}

    def wrap(self, data: bytes, transport: str, source: Address, destination: Address) -> list[bytes]:
        """The packets that would carry `data`. Raises ValueError but for literals of one IP version."""
        here, there = _packed(source[0]), _packed(destination[0])
        if len(here) != len(there):
            raise ValueError(f"{source[0]} and {destination[0]} are not of one IP version")
        if transport == "UDP":
            body = struct.pack("!HHHH", source[1], destination[1], 8 + len(data[:_DATAGRAM]), 0)
            body = _summed(here, there, _UDP, body + data[:_DATAGRAM], 6)
            return [_ip(here, there, _UDP, body)]
        if len(self._next) >= _FLOWS:
            self._next.clear()
        sequence = self._next.get((source, destination), 1)
        acknowledged = self._next.setdefault((destination, source), 1)
        packets = []
        for at in range(0, len(data), _SEGMENT):
            part = data[at : at + _SEGMENT]
            # 5 << 4: a header of five words, without options
            ports = (source[1], destination[1])
            head = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledged, 5 << 4, _PSH_ACK, 65535, 0, 0)
            packets.append(_ip(here, there, _TCP, _summed(here, there, _TCP, head + part, 16)))
            sequence = sequence + len(part) & 0xFFFFFFFF
        self._next[source, destination] = sequence
        return packets


def unwrap(packet: Packet) -> Segment | None:
    """The UDP datagram or TCP segment in a packet; None for anything else, a fragment or a cut packet too."""
    start = _LINK_HEADER.get(packet.link)
    if start is None:
        return None
    data = packet.data
    if (place := _ETHER_TYPE.get(packet.link)) is not None:
        ether_type = int.from_bytes(data[place : place + 2], "big")
        while packet.link == 1 and ether_type in _VLAN:
            ether_type = int.from_bytes(data[start + 2 : start + 4], "big")
            start += 4
        if ether_type not in _IP:
            return None
    if len(data) < start + 20:
        return None
    version = data[start] >> 4
    if version == 4:
        return _unwrap_4(packet.at_ns, data[start:])
    return _unwrap_6(packet.at_ns, data[start:]) if version == 6 else None


def _unwrap_4(at_ns: int, data: bytes) -> Segment | None:
    header = (data[0] & 15) * 4
    length, fragment = int.from_bytes(data[2:4], "big"), int.from_bytes(data[6:8], "big")
    if fragment & 0x3FFF or not 20 <= header <= length <= len(data):
        return None
    source, destination = str(ip_address(data[12:16])), str(ip_address(data[16:20]))
    return _unwrap_transport(at_ns, data[9], source, destination, data[header:length])


def _unwrap_6(at_ns: int, data: bytes) -> Segment | None:
    if len(data) < 40:
        return None
    length = 40 + int.from_bytes(data[4:6], "big")
    protocol, start = data[6], 40
    if length > len(data):
        return None
    while protocol in _EXTENSIONS and start + 8 <= length:
        protocol, start = data[start], start + 8 + data[start + 1] * 8
    if (
        protocol == _FRAGMENT
        and start + 8 <= length
        and not int.from_bytes(data[start + 2 : start + 4], "big") & 0xFFF9
    ):
        protocol, start = data[start], start + 8  # an "atomic" fragment (RFC 6946)
    source, destination = str(ip_address(data[8:24])), str(ip_address(data[24:40]))
    return _unwrap_transport(at_ns, protocol, source, destination, data[start:length])


def _unwrap_transport(
    at_ns: int, protocol: int, source: str, destination: str, body: bytes
) -> Segment | None:
    if protocol not in (_TCP, _UDP) or len(body) < 8:
        return None
    source_port, destination_port, length = struct.unpack_from("!HHH", body)
    here, there = (source, source_port), (destination, destination_port)
    if protocol == _UDP:
        if not 8 <= length <= len(body):
            return None
        return Segment(at_ns, "UDP", here, there, 0, body[8:length])
    if len(body) < 20 or not 20 <= (header := (body[12] >> 4) * 4) <= len(body):
        return None
    return Segment(at_ns, "TCP", here, there, int.from_bytes(body[4:8], "big"), body[header:])
