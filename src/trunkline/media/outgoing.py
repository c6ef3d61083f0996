"""What one end sends: a packet each 20 ms on absolute times, be it tone, silence, DTMF or echo (RFC 3551)."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from trunkline.media import dtmf, tone
from trunkline.media.g711 import A_LAW, LAWS, RATE, Law
from trunkline.media.rtp import HEADER, Packet

if TYPE_CHECKING:
    from trunkline.sdp.offer_answer import Stream

CATCH_UP = 3  # packets sent at once after a delay; older ones stay unsent, their time passes
SHORTEST, LONGEST = 10, 200  # milliseconds of audio in a packet that are believed


@lru_cache(maxsize=1024)
def reachable(address: str) -> bool:
    """Whether this may be sent to: an IP literal (a name would be looked up) but 0.0.0.0 and :: (hold)."""
    try:
        return not ip_address(address).is_unspecified
    except ValueError:
        return False


class Outgoing:
    """Paces one RTP stream; `ssrc`, `sequence`, `timestamp` are its random start values (RFC 3550 §5.1)."""

    __slots__ = (
        "_base_at",
        "_count",
        "_dtmf_type",
        "_echo_last",
        "_echo_offset",
        "_event_timestamp",
        "_law",
        "_marker",
        "_paused_at",
        "_samples",
        "_seconds",
        "_steps",
        "_table",
        "_timestamp",
        "_tones",
        "_type",
        "echoes",
        "next_at",
        "octets",
        "sent",
        "sequence",
        "ssrc",
    )

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        self.ssrc, self.sequence = ssrc, sequence
        self.sent = self.octets = 0  # packets, and payload octets (RFC 3550 §6.4.1)
        self.echoes = False
        self.next_at: float | None = None  # when `expire` is due
        self._timestamp = timestamp  # of the packet of `next_at`
        self._base_at, self._count = 0.0, 0  # next_at = base + count · seconds: nothing adds up
        self._samples, self._seconds = 160, 0.02
        self._paused_at: float | None = None  # the time `_timestamp` stands for while nothing is sent
        self._type, self._dtmf_type = 8, -1
        self._law: Law | None = None
        self._tones: tuple[int, ...] = ()
        self._table = tone.second(())
        self._marker = True  # the next packet begins a talkspurt (RFC 3551 §4.1)
        self._steps: list[dtmf.Step | None] = []  # DTMF still to send, the next one last
        self._event_timestamp = 0
        self._echo_offset: int | None = None  # ours minus theirs
        self._echo_last = 0

    def agree(self, stream: Stream, now: float) -> None:
        """Send as `stream` says from now on; a running stream keeps its pace, numbers and times."""
        self._law = LAWS.get(stream.codec) if stream.clock_rate == RATE else None
        self._type = stream.payload_type
        self._dtmf_type = -1 if stream.dtmf_payload_type is None else stream.dtmf_payload_type
        samples = min(max(stream.ptime, SHORTEST), LONGEST) * RATE // 1000
        there = 0 < stream.port < 65536 and reachable(stream.address)
        sends = stream.sends and there and self._law is not None
        if self.next_at is not None and (not sends or samples != self._samples):
            self._paused_at, self.next_at = self.next_at, None
            self._steps.clear()
        self._samples, self._seconds = samples, samples / RATE
        self._table = tone.second(self._tones, self._law or A_LAW)
        if sends and self.next_at is None:
            start = now
            if self._paused_at is not None:  # the timestamp counts time, sent or not (RFC 3551 §4.1)
                start = max(now, self._paused_at)
                self._skip(round((start - self._paused_at) * RATE))
            self._base_at, self._count, self.next_at, self._paused_at = start, 0, start, None
            self._marker, self._echo_offset = True, None

    def play(self, tones: tuple[int, ...], echoes: bool) -> None:
        """Send these tones, silence, or what `echo` is given."""
        if self.echoes and not echoes and self._echo_offset is not None:
            behind = (self._echo_last + self._samples - self._timestamp) & 0xFFFFFFFF
            if behind < 0x80000000:  # their clock ran ahead of ours: never send a timestamp twice
                self._skip(behind)
            self._marker = True
        self._tones, self.echoes, self._echo_offset = tones, echoes, None
        self._table = tone.second(tones, self._law or A_LAW)

    def press(self, digits: str) -> bool:
        """Send DTMF in place of audio from the next packet on; False if nobody there would take it.

        Raises ValueError for what is no DTMF digit.
        """
        steps = dtmf.encode(digits, self._samples)
        if self.next_at is None or self._dtmf_type < 0:
            return False
        self._steps[:0] = reversed(steps)
        return True

    @property
    def pressing(self) -> bool:
        """Whether DTMF is still to be sent."""
        return bool(self._steps)

    def echo(self, packet: Packet, event: bool) -> bytes | None:
        """Their packet as ours, at once; `event` if it is DTMF."""
        if self.next_at is None or self._steps or (event and self._dtmf_type < 0):
            return None
        if self._echo_offset is None:
            self._echo_offset = self._timestamp - packet.timestamp
        timestamp = (packet.timestamp + self._echo_offset) & 0xFFFFFFFF
        self._echo_last = timestamp
        kind = self._dtmf_type if event else self._type
        return self._packet(kind, packet.payload, timestamp, packet.marker)

    def timestamp(self, now: float) -> int:
        """The RTP time of this moment, for a sender report (RFC 3550 §6.4.1)."""
        at = self._paused_at if self.next_at is None else self.next_at
        ahead = 0 if at is None else round((at - now) * RATE)
        return (self._timestamp - ahead) & 0xFFFFFFFF

    def expire(self, now: float) -> list[bytes]:
        """The packets due by now."""
        packets = []
        while self.next_at is not None and self.next_at <= now:
            late = int((now - self.next_at) / self._seconds)
            if late >= CATCH_UP:
                self._count += late - CATCH_UP + 1
                self._skip((late - CATCH_UP + 1) * self._samples)
            packet = self._due()
            if packet is not None:
                packets.append(packet)
            self._skip(self._samples)
            self._count += 1
            self.next_at = self._base_at + self._count * self._seconds
        return packets

    def _due(self) -> bytes | None:
        if self._steps:
            step = self._steps.pop()
            if step is not None:
                if step.first:
                    self._event_timestamp = self._timestamp  # kept by all packets of the event
                self._marker = False
                return self._packet(self._dtmf_type, step.payload, self._event_timestamp, step.first)
        if self.echoes:
            return None
        marker, self._marker = self._marker, False
        payload = tone.cut(self._table, self._count * self._samples, self._samples)
        return self._packet(self._type, payload, self._timestamp, marker)

    def _packet(self, kind: int, payload: bytes, timestamp: int, marker: bool) -> bytes:
        sequence = self.sequence
        self.sequence = (sequence + 1) & 0xFFFF
        self.sent += 1
        self.octets += len(payload)
        return HEADER.pack(0x80, kind | 0x80 if marker else kind, sequence, timestamp, self.ssrc) + payload

    def _skip(self, samples: int) -> None:
        self._timestamp = (self._timestamp + samples) & 0xFFFFFFFF
