"""RTP packets (RFC 3550 §5) and what a receiver keeps of them (RFC 3550 A.1, A.3, A.8)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from trunkline.finding import ParseError

HEADER = Struct("!BBHII")
_EXTENSION = Struct("!HH")

MAX_DROPOUT = 3000  # A.1: a jump up to this is a gap
MAX_MISORDER = 100  # A.1: one back up to this is a late packet
SPAN = 64  # packets back in which a duplicate is known as one


class Packet(NamedTuple):
    """One RTP packet; `bytes(packet)` and `Packet.parse` are each other's inverse.

    `extension` is the profile's number and whole 32-bit words (§5.3.1); `padding` counts
    the octets that stood after the payload, 0-255 (§5.1).
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    padding: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Packet:
        """Raises ParseError for what is no RTP of version 2."""
        if len(data) < 12:
            raise ParseError("RTP", f"{len(data)} octets", "expected 12 octets or more (RFC 3550 §5.1)")
        first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
        if first == 0x80:  # what a telephone sends: no padding, extension or contributors
            return cls(second & 0x7F, sequence, timestamp, ssrc, data[12:], second > 0x7F)
        if first >> 6 != 2:
            raise ParseError("RTP version", str(first >> 6), "expected 2 (RFC 3550 §5.1)")
        at = 12 + 4 * (first & 15)
        csrc = tuple(int.from_bytes(data[n : n + 4], "big") for n in range(12, at, 4))
        extension = None
        if first & 0x10:
            if len(data) < at + 4:
                raise ParseError("RTP extension", "cut short", "expected its length (RFC 3550 §5.3.1)")
            profile, words = _EXTENSION.unpack_from(data, at)
            extension = (profile, data[at + 4 : at + 4 + 4 * words])
            at += 4 + 4 * words
        padding = data[-1] if first & 0x20 else 0
        if len(data) < at + padding or (first & 0x20 and not padding):
            raise ParseError(
                "RTP", f"{len(data)} octets", "expected what its header announces (RFC 3550 A.1)"
            )
        payload = data[at : len(data) - padding]
        return cls(second & 0x7F, sequence, timestamp, ssrc, payload, second > 0x7F, csrc, extension, padding)

    def __bytes__(self) -> bytes:
        first = 0x80 | len(self.csrc) | (0x10 if self.extension else 0) | (0x20 if self.padding else 0)
        second = self.payload_type | (0x80 if self.marker else 0)
        head = HEADER.pack(first, second, self.sequence, self.timestamp, self.ssrc)
        middle = b"".join(source.to_bytes(4, "big") for source in self.csrc)
        if self.extension:
            profile, words = self.extension
            middle += _EXTENSION.pack(profile, len(words) // 4) + words
        tail = bytes(self.padding - 1) + bytes((self.padding,)) if self.padding else b""
        return head + middle + self.payload + tail


class Receiver:
    """Counts one source's packets: received, lost, late, doubled, and their jitter."""

    __slots__ = (
        "_bad",
        "_base",
        "_before",
        "_highest",
        "_jitter",
        "_reported",
        "_seen",
        "_transit",
        "duplicates",
        "gaps",
        "late",
        "rate",
        "received",
    )

    def __init__(self, sequence: int, rate: int = 8000) -> None:
        self.rate = rate  # of the timestamp, Hz
        self.received = 0  # packets, each counted once
        self.duplicates = 0
        self.late = 0  # came after one with a higher number
        self.gaps = 0  # runs of missing numbers, when they were first missed
        self._before = 0  # expected before the sender jumped
        self._reported = (0, 0)  # expected and received at the last report block
        self._jitter = 0.0  # in timestamp units
        self._start(sequence)

    def _start(self, sequence: int) -> None:
        self._base = self._highest = sequence  # `_highest` runs on over 65535: the extended number
        self._seen = 0  # bit n: the packet n below the highest came
        self._bad = -1  # the number that would prove a jump (A.1: two in succession)
        self._transit: int | None = None

    @property
    def expected(self) -> int:
        """Packets that should have come, by their numbers."""
        return self._before + self._highest - self._base + 1

    @property
    def lost(self) -> int:
        """Packets that did not come; one that comes late is lost no more."""
        return max(0, self.expected - self.received)

    @property
    def jitter(self) -> float:
        """Interarrival jitter, milliseconds (A.8)."""
        return self._jitter * 1000 / self.rate

    @property
    def extended(self) -> int:
        """The highest sequence number, counted on over 65535 without end."""
        return self._highest

    @property
    def highest(self) -> int:
        """The extended highest sequence number, as a report block carries it (§6.4.1)."""
        return self._highest & 0xFFFFFFFF

    def receive(self, sequence: int) -> bool:
        """Count a packet; False for one that came before, or whose number makes no sense (yet)."""
        ahead = (sequence - self._highest) & 0xFFFF
        if 0 < ahead < MAX_DROPOUT:
            if ahead > 1:
                self.gaps += 1
            self._highest += ahead
            self._seen = (self._seen << ahead | 1) & ((1 << SPAN) - 1)
        elif ahead == 0 or ahead > 0xFFFF - MAX_MISORDER:
            behind = -ahead & 0xFFFF
            if behind >= SPAN or self._seen >> behind & 1:
                self.duplicates += 1  # or older than anybody can tell
                return False
            self._seen |= 1 << behind
            self._base = min(self._base, self._highest - behind)  # late already when the first one came
            self.late += behind > 0
        elif sequence == self._bad:  # A.1: the sender started anew without a new SSRC
            self._before = self.expected
            self._start(sequence)
            self._seen = 1
        else:
            self._bad = (sequence + 1) & 0xFFFF
            return False
        self.received += 1
        return True

    def advance(self, count: int) -> None:
        """Count `count` packets that came one after the other without a gap."""
        self._highest += count
        ones = (1 << min(count, SPAN)) - 1
        self._seen = (self._seen << min(count, SPAN) | ones) & ((1 << SPAN) - 1)
        self.received += count

    def time(self, timestamp: int, now: float) -> None:
        """Take one packet's timestamp into the jitter (A.8)."""
        transit = (int(now * self.rate) - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            moved = (transit - self._transit) & 0xFFFFFFFF
            moved = min(moved, 0x100000000 - moved)
            if moved < self.rate:  # more than a second: the sender's clock was set anew
                self._jitter += (moved - self._jitter) / 16
        self._transit = transit

    def interval(self) -> tuple[int, int]:
        """(fraction lost in 1/256, cumulative lost) since the last call, for a report block (A.3)."""
        expected, received = self.expected, self.received + self.duplicates
        due, came = expected - self._reported[0], received - self._reported[1]
        self._reported = (expected, received)
        fraction = min(255, ((due - came) << 8) // due) if due > came else 0
        return fraction, max(-0x800000, min(0x7FFFFF, expected - received))

    @property
    def fresh(self) -> bool:
        """Whether anything came since the last report block (§6.4 leaves out who was not heard)."""
        return self.received + self.duplicates > self._reported[1]

    @property
    def jitter_units(self) -> int:
        """Interarrival jitter in timestamp units, as a report block carries it."""
        return int(self._jitter)
