"""RTCP: sender and receiver reports, source descriptions and BYE in compound packets (RFC 3550 §6)."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from trunkline.finding import ParseError

SR, RR, SDES, BYE = 200, 201, 202, 203
CNAME = 1

_HEAD = Struct("!BBH")
_WORD = Struct("!I")
_SENDER = Struct("!IQIII")
_BLOCK = Struct("!IIIIII")


class Block(NamedTuple):
    """What a receiver says of one source (§6.4.1); `lost` is signed, `delay` counts 1/65536 s."""

    ssrc: int
    fraction: int  # lost since the last report, 1/256
    lost: int  # in all, 24 bits signed
    highest: int  # extended sequence number
    jitter: int  # timestamp units
    last_report: int  # middle 32 bits of the last sender report's NTP time, 0 none
    delay: int  # since that report

    @classmethod
    def parse(cls, data: bytes) -> Block:
        """From 24 octets."""
        ssrc, both, highest, jitter, last_report, delay = _BLOCK.unpack(data)
        lost = both & 0xFFFFFF
        return cls(ssrc, both >> 24, lost - (lost >> 23 << 24), highest, jitter, last_report, delay)

    def __bytes__(self) -> bytes:
        both = self.fraction << 24 | self.lost & 0xFFFFFF
        return _BLOCK.pack(self.ssrc, both, self.highest, self.jitter, self.last_report, self.delay)


class SenderReport(NamedTuple):
    """§6.4.1; `ntp` is 32.32 fixed point seconds, which may count from anywhere (no wall clock needed)."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[Block, ...] = ()
    extension: bytes = b""

    def __bytes__(self) -> bytes:
        words = _SENDER.pack(self.ssrc, self.ntp, self.timestamp, self.packets, self.octets)
        return _packet(SR, len(self.blocks), words + b"".join(map(bytes, self.blocks)) + self.extension)


class ReceiverReport(NamedTuple):
    """§6.4.2."""

    ssrc: int
    blocks: tuple[Block, ...] = ()
    extension: bytes = b""

    def __bytes__(self) -> bytes:
        words = _WORD.pack(self.ssrc)
        return _packet(RR, len(self.blocks), words + b"".join(map(bytes, self.blocks)) + self.extension)


class Chunk(NamedTuple):
    """One source's items, each (type 1-255, octets)."""

    ssrc: int
    items: tuple[tuple[int, bytes], ...]

    def __bytes__(self) -> bytes:
        words = _WORD.pack(self.ssrc) + b"".join(bytes((kind, len(text))) + text for kind, text in self.items)
        return words + bytes(4 - len(words) % 4)  # ended by one null octet at least, to the next word


class Description(NamedTuple):
    """SDES (§6.5)."""

    chunks: tuple[Chunk, ...]

    def __bytes__(self) -> bytes:
        return _packet(SDES, len(self.chunks), b"".join(map(bytes, self.chunks)))


class Goodbye(NamedTuple):
    """BYE (§6.6)."""

    sources: tuple[int, ...]
    reason: bytes = b""

    def __bytes__(self) -> bytes:
        words = b"".join(map(_WORD.pack, self.sources))
        if self.reason:
            words += bytes((len(self.reason),)) + self.reason
            words += bytes(-len(words) % 4)
        return _packet(BYE, len(self.sources), words)


class Other(NamedTuple):
    """A packet of another type (APP, feedback, extended reports), kept as it is."""

    kind: int
    subtype: int  # the count of a type that counts
    body: bytes

    def __bytes__(self) -> bytes:
        return _packet(self.kind, self.subtype, self.body)


Rtcp = SenderReport | ReceiverReport | Description | Goodbye | Other


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def describe(ssrc: int, cname: str) -> Description:
    """The source description every compound packet must carry (§6.1)."""
    return Description((Chunk(ssrc, ((CNAME, cname.encode()[:255]),)),))


def build(packets: Sequence[Rtcp]) -> bytes:
    """One compound packet; the caller puts a report first (§6.1)."""
    return b"".join(map(bytes, packets))


def parse(data: bytes) -> tuple[Rtcp, ...]:
    """Cut a compound packet; raises ParseError for what fails the checks of RFC 3550 A.2."""
    if len(data) < 8 or data[1] not in (SR, RR):
        raise ParseError("RTCP", data[:8].hex(), "expected a report first (RFC 3550 §6.1)")
    packets: list[Rtcp] = []
    at = 0
    while at < len(data):
        if len(data) < at + 4:
            raise ParseError("RTCP", f"{len(data)} octets", "expected whole packets (RFC 3550 A.2)")
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            raise ParseError("RTCP", data[at : at + 4].hex(), "expected version 2, whole (RFC 3550 A.2)")
        body = data[at + 4 : end]
        if first & 0x20:  # only the last one may be padded, to a multiple of four
            padding = body[-1] if body else 0
            if end != len(data) or not padding or padding % 4 or padding > len(body):
                raise ParseError("RTCP padding", str(padding), "expected in the last packet (RFC 3550 A.2)")
            body = body[: len(body) - padding]
        packets.append(_read(kind, first & 31, body))
        at = end
    return tuple(packets)


def _read(kind: int, count: int, body: bytes) -> Rtcp:
    if kind == SR:
        ssrc, ntp, timestamp, packets, octets = _SENDER.unpack(_part(body, 0, _SENDER.size))
        blocks, rest = _blocks(body, _SENDER.size, count)
        return SenderReport(ssrc, ntp, timestamp, packets, octets, blocks, rest)
    if kind == RR:
        (ssrc,) = _WORD.unpack(_part(body, 0, 4))
        return ReceiverReport(ssrc, *_blocks(body, 4, count))
    if kind == SDES:
        return _description(count, body)
    if kind == BYE:
        sources = tuple(_WORD.unpack(_part(body, 4 * n, 4))[0] for n in range(count))
        rest = body[4 * count :]
        return Goodbye(sources, _part(rest, 1, rest[0]) if rest else b"")
    return Other(kind, count, body)


def _part(body: bytes, at: int, length: int) -> bytes:
    piece = body[at : at + length]
    if len(piece) < length:
        raise ParseError("RTCP", f"{len(body)} octets", "expected what its header announces (RFC 3550 §6)")
    return piece


def _blocks(body: bytes, at: int, count: int) -> tuple[tuple[Block, ...], bytes]:
    size = _BLOCK.size
    blocks = tuple(Block.parse(_part(body, at + size * n, size)) for n in range(count))
    return blocks, body[at + size * count :]


def _description(count: int, body: bytes) -> Description:
    chunks = []
    at = 0
    for _ in range(count):
        (ssrc,) = _WORD.unpack(_part(body, at, 4))
        at += 4
        items = []
        while _part(body, at, 1) != b"\0":
            kind, length = _part(body, at, 2)
            items.append((kind, _part(body, at + 2, length)))
            at += 2 + length
        at += 4 - at % 4
        chunks.append(Chunk(ssrc, tuple(items)))
    return Description(tuple(chunks))
