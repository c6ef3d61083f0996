"""What one end makes of the RTP that comes: whose it is, what is in it, how it passed (RFC 3550 A.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trunkline.finding import ParseError
from trunkline.media import dtmf, quality
from trunkline.media.g711 import A_LAW, LAWS, STATIC
from trunkline.media.rtp import Packet, Receiver
from trunkline.media.tone import Detector

if TYPE_CHECKING:
    from trunkline.sdp.offer_answer import Stream

TAKE_OVER = 0.1  # seconds of silence after which anybody may take the source's place


class Taken(NamedTuple):
    """What one packet brought; `event` if it is a telephone-event."""

    packet: Packet
    event: bool
    digit: str
    tones: tuple[int, ...]


class Incoming:
    """Follows one source at a time, so that a stray packet neither counts nor is heard."""

    __slots__ = (
        "_agreed",
        "_audio",
        "_decoder",
        "_detector",
        "_dtmf",
        "_free",
        "_law",
        "_listening",
        "_past",
        "_source",
        "codec",
        "heard",
        "last_at",
        "receiver",
        "ssrc",
        "strays",
    )

    def __init__(self) -> None:
        self.receiver: Receiver | None = None
        self.ssrc = 0  # of the present source
        self.last_at = float("-inf")  # when its last packet came
        self.heard: tuple[int, ...] = ()
        self.strays = 0  # packets of others, and what is no RTP
        self.codec = "PCMA"
        self._source = ("", 0)
        self._agreed: tuple[str, int] | None = None
        self._audio: int | None = None  # payload types that we declared; None before an agreement
        self._dtmf: int | None = None
        self._law = A_LAW
        self._listening = True
        self._free = False  # the present source said BYE
        self._past = (0, 0, 0)  # received, lost and gaps of former sources
        self._detector: Detector | None = None
        self._decoder = dtmf.Decoder()

    def agree(self, stream: Stream) -> None:
        """Expect what `stream` says."""
        own, own_dtmf = stream.receive_payload_type, stream.receive_dtmf_payload_type
        self._audio = stream.payload_type if own is None else own
        self._dtmf = stream.dtmf_payload_type if own_dtmf is None else own_dtmf
        self._agreed = (stream.address, stream.port)
        self._listening = stream.receives
        self.codec = stream.codec
        self._law = LAWS.get(stream.codec, A_LAW)

    def listen(self, tones: tuple[int, ...]) -> None:
        """Tell each of these tones (Hz) once from now on."""
        self._detector = Detector(tones) if tones else None

    def gone(self, sources: tuple[int, ...]) -> None:
        """These SSRCs said BYE: another may take their place at once."""
        self._free |= self.ssrc in sources

    def receive(self, data: bytes, source: tuple[str, int], now: float) -> Taken | None:
        """Count a packet and look into it; None for a stray, a duplicate and what is no RTP."""
        try:
            packet = Packet.parse(data)
        except ParseError:
            self.strays += 1
            return None
        kind = packet.payload_type
        if 64 <= kind <= 95 or not self._follow(packet, source, now):  # the former is RTCP (RFC 5761 §4)
            self.strays += 1
            return None
        receiver = self.receiver
        assert receiver is not None  # _follow() sees to it
        self.last_at = now
        if not receiver.receive(packet.sequence):
            return None
        law = STATIC.get(kind) if self._audio is None else self._law if kind == self._audio else None
        if law is not None:
            receiver.time(packet.timestamp, now)
            tones: tuple[int, ...] = ()
            if self._detector is not None and self._listening:
                tones = self._detector.feed(packet.payload, law)
                self.heard += tuple(tone for tone in tones if tone not in self.heard)
            return Taken(packet, False, "", tones)
        if kind == self._dtmf:
            digit = self._decoder.feed(packet.timestamp, packet.payload) if self._listening else ""
            return Taken(packet, True, digit, ())
        return None  # comfort noise and the like: counted, not used

    def _follow(self, packet: Packet, source: tuple[str, int], now: float) -> bool:
        if self.receiver is not None:
            same_ssrc, same_source = packet.ssrc == self.ssrc, source == self._source
            if same_ssrc and same_source:
                return True
            moved = same_ssrc or same_source  # to another port, or it began anew
            rightful = source == self._agreed != self._source
            if not (moved or rightful or self._free or now - self.last_at >= TAKE_OVER):
                return False
        if self.receiver is None or packet.ssrc != self.ssrc:
            self._past = self.totals()
            self.receiver, self.ssrc = Receiver(packet.sequence), packet.ssrc
            self._decoder = dtmf.Decoder()
        self._source, self._free = source, False
        return True

    def totals(self) -> tuple[int, int, int]:
        """Packets received and lost, and the gaps they left, of all sources that were followed."""
        received, lost, gaps = self._past
        now = self.receiver
        return (received + now.received, lost + now.lost, gaps + now.gaps) if now else self._past

    def jitter(self) -> float:
        """Milliseconds, of the present source."""
        return self.receiver.jitter if self.receiver else 0.0

    def mos(self, delay: float) -> float:
        """How it sounded, 1.0-4.5, given the one-way delay in ms; 0.0 if nothing came."""
        received, lost, gaps = self.totals()
        if not received:
            return 0.0
        expected = received + lost
        burst = quality.burst_ratio(expected, lost, gaps)
        impairment = quality.IMPAIRMENT.get(self.codec, quality.IMPAIRMENT["PCMA"])
        return quality.mos(quality.rating(delay, 100 * lost / expected, burst, impairment))
