"""One leg of a relayed call: packet in, packet out, renumbered as ours (RFC 7667 §3.2.2, RFC 3711 §9.1).

Every packet that leaves a leg bears the leg's own SSRC and number, whoever it came from
(the far leg, another one after a transfer, a tone, a conference), and leaves under a key
of the leg. The numbers only grow, so no (key, SSRC, index) is ever used twice; what would
need an older number is not sent.

A packet lies in the buffer that all legs of a process share. `path.Path` takes those that
need no look; `look` takes every other, and what is counted there is only then added up.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Any, Protocol

from trunkline.finding import ParseError
from trunkline.media import dtmf, quality, rtcp
from trunkline.media.anchor import Event, Heard, Pressed, Report
from trunkline.media.control import Came, Control, Sent
from trunkline.media.g711 import A_LAW, LAWS, MU_LAW, RATE, Law
from trunkline.media.latch import Address, Latch
from trunkline.media.outgoing import LONGEST, SHORTEST, Outgoing, reachable
from trunkline.media.path import NEVER, Path
from trunkline.media.rtp import MAX_DROPOUT, Packet, Receiver
from trunkline.media.srtp import Buffer, Inbound, Outbound
from trunkline.media.tone import Detector

if TYPE_CHECKING:
    from trunkline.sdp.crypto import Crypto
    from trunkline.sdp.offer_answer import Stream

_HEADER = Struct("!HHII")  # version to payload type as one number, sequence, timestamp, SSRC
_MARKER = 0x80
_UNKNOWN = -1
GRACE = 2.0  # seconds in which packets under the former key are still opened
SOURCES = 64  # SSRCs a peer may have under one key
NEAR_END = 0xFC00  # a new key starts below it: were its first packets lost, nobody would see the rollover

# A-law and µ-law into each other, code by code
_TABLES = {
    (one.name, other.name): bytes(other.code(sample) for sample in one.samples)
    for one, other in ((A_LAW, MU_LAW), (MU_LAW, A_LAW))
}


class Carrier(Protocol):
    """Who owns a leg's sockets: `send` sends to the far side."""

    @property
    def send(self) -> Callable[[Any], int]: ...


class Leg:
    """One side of a relayed call.

    SSRC, first number (below half: SRTP's rollover must not come early, RFC 3711 §3.3.1) and
    timestamp are drawn from `number(below)`. `spent` holds each (key, SSRC) that was sent
    under; the legs of a session share it. `tell` gets what is heard and pressed.
    """

    __slots__ = (
        "_audio_in",
        "_audio_out",
        "_buffer",
        "_codec",
        "_decoder",
        "_dtmf_in",
        "_dtmf_out",
        "_fed_by",
        "_floor",
        "_former",
        "_former_until",
        "_inbound",
        "_index",
        "_known",
        "_law",
        "_number",
        "_octets",
        "_offset",
        "_outbound",
        "_past",
        "_receiver",
        "_refused",
        "_sent",
        "_sent_at",
        "_shift",
        "_source",
        "_spent",
        "_ssrc_in",
        "_stream",
        "_timestamp",
        "_token",
        "_transit",
        "_valid",
        "carrier",
        "control",
        "detector",
        "heard",
        "hears",
        "latch",
        "media",
        "mixes",
        "name",
        "path",
        "player",
        "rtcp_to",
        "sends",
        "ssrc",
        "strays",
        "target",
        "tell",
        "unsent",
    )

    def __init__(
        self,
        media: str,
        name: str,
        buffer: Buffer,
        tell: Callable[[Event], None],
        number: Callable[[int], int],
        spent: set[tuple[bytes, int]],
        cname: str = "",
    ) -> None:
        self.media, self.name, self.tell = media, name, tell
        self.carrier: Carrier | None = None
        self.target: Leg | None = None
        self.latch = Latch()
        self.path = Path(self, buffer)
        self._buffer, self._number = buffer, number
        self._stream: Stream | None = None
        # what comes
        self._audio_in = self._dtmf_in = _UNKNOWN
        self._ssrc_in = 0
        self._receiver: Receiver | None = None
        self._token: object = None  # changes when their numbering begins anew
        self._transit = 0.0  # timestamp units
        self._past = (0, 0, 0)  # received, lost and gaps of former sources
        self._inbound: Inbound | None = None
        self._former: Inbound | None = None
        self._former_until = 0.0
        self._refused = 0  # by the contexts before this one
        self._known: set[int] = set()  # SSRCs under this key
        self._valid = False
        self._decoder = dtmf.Decoder()
        self._law: Law | None = None
        self._codec = ""
        self.hears = False  # what comes is meant to come
        self.strays = 0
        self.detector: Detector | None = None
        self.heard: tuple[int, ...] = ()
        self.mixes: Callable[[str, bytes], None] | None = None
        # what goes
        self.ssrc = number(1 << 32)
        self._index = number(1 << 15) - 1  # the highest sent, counted on over 65535 as SRTP does
        self._floor = self._index  # nothing up to here is sent any more
        self._timestamp = number(1 << 32)
        self._offset = self._shift = 0  # our index and timestamp minus theirs
        self._source: object = None  # whose `_token` the two belong to
        self._fed_by: Leg | None = None  # whose path counts on for us
        self._sent_at = 0.0
        self._audio_out = self._dtmf_out = _UNKNOWN
        self._outbound: Outbound | None = None
        self._spent = spent
        self.sends = False
        self._sent = self._octets = 0
        self.unsent = 0  # packets the kernel refused
        self.player: Outgoing | None = None
        self.control = Control(cname, self.ssrc)
        self.rtcp_to: Address | None = None

    # --- what was agreed ------------------------------------------------------

    def agree(self, stream: Stream, now: float) -> None:
        """Send and expect what `stream` says, under its keys; again at each re-INVITE.

        A key that stays keeps its context, rollover counter and replay window included; a new
        one starts at zero (RFC 4568 §7.1.4). Raises ParseError (488) for what cannot be
        carried; then nothing changed.
        """
        secure, own = "SAVP" in stream.profile, stream.own_crypto
        if secure != (own is not None) or secure != (stream.crypto is not None):
            expected = "expected keys of both sides" if secure else "expected no keys"
            raise ParseError("SDP a=crypto", stream.profile, expected, status=488)
        inbound, outbound = self._inbound_for(stream.crypto), self._outbound_for(own)
        self.unsettle()
        self._adopt(inbound, outbound, now)
        self._stream = stream
        own_audio, own_dtmf = stream.receive_payload_type, stream.receive_dtmf_payload_type
        dtmf_type = stream.dtmf_payload_type
        self._audio_out, self._dtmf_out = stream.payload_type, _UNKNOWN if dtmf_type is None else dtmf_type
        self._audio_in = stream.payload_type if own_audio is None else own_audio
        self._dtmf_in = self._dtmf_out if own_dtmf is None else own_dtmf
        self._codec, self._law = stream.codec, LAWS.get(stream.codec)
        there = 0 < stream.port < 65536 and reachable(stream.address)
        self.sends, self.hears = stream.sends and there, stream.receives and stream.port != 0
        self.latch.reopen(stream.address, stream.port, now)
        reports = reachable(stream.address) and 0 < stream.rtcp_port < 65536
        self.rtcp_to = (stream.address, stream.rtcp_port) if reports else None
        self.control.start(reports, now)
        if self.player is not None:
            self.player.agree(stream, now)

    def _inbound_for(self, theirs: Crypto | None) -> Inbound | None:
        if theirs is None:
            return None
        if self._inbound is not None and self._inbound.same_key(theirs):
            return self._inbound
        return Inbound(theirs, self._buffer)

    def _outbound_for(self, own: Crypto | None) -> Outbound | None:
        if own is None:
            return None
        if self._outbound is not None and self._outbound.same_key(own):
            return self._outbound
        return Outbound(own, self._buffer)

    def _adopt(self, inbound: Inbound | None, outbound: Outbound | None, now: float) -> None:
        if inbound is not self._inbound:
            if self._inbound is not None:
                self._refused += self._inbound.refused
            self._former, self._former_until = self._inbound, now + GRACE
            self._inbound, self._known = inbound, set()
            self.path.opener = None if inbound is None else inbound.session
        if outbound is not self._outbound:
            self._outbound = outbound
            if outbound is not None:
                key = outbound.key.material
                while (key, self.ssrc) in self._spent:  # a key that comes back was used up to some index
                    self.ssrc = self._number(1 << 32)
                self._spent.add((key, self.ssrc))
            # A new context counts its rollovers from zero, and so do we; the sequence number goes on.
            low = self._index & 0xFFFF
            index = low if low < NEAR_END else -1
            self._offset -= self._index - index
            self._index = self._floor = index

    # --- what comes -----------------------------------------------------------

    def receive_from(self, length: int, source: Address, now: float) -> int:
        """`path.take` for a packet that may come from anywhere; a valid one may move the latch there."""
        if not self.latch.admits(source):
            self.strays += 1
            return 0
        self._unpath()
        strays, self._valid = self.strays, False
        length = self.path.take(length, now)
        if self._valid:
            self.latch.learn(source, now)
        elif source != self.latch.source:
            self.strays = strays + 1
        return length

    def unopened(self, length: int, status: int, now: float) -> int:
        """Take a packet that the present key did not open: it may have been under way when that changed."""
        if self._inbound is None:
            return 0
        former = self._former
        if former is not None and now >= self._former_until:
            former = self._former = None
        opened = 0 if former is None else former.unprotect(length)
        if not opened:
            self._inbound.count(status)
            return 0
        return self.look(opened, now)

    def look(self, length: int, now: float) -> int:
        """Take any packet: the first of a source, one after a gap, late, DTMF, or nothing at all.

        Whatever it is, nothing is raised.
        """
        data = self._buffer.content(length)
        try:
            packet = Packet.parse(data)
        except ParseError:
            self.strays += 1
            return 0
        kind = packet.payload_type
        if self._stream is None or 64 <= kind <= 95:  # the latter is RTCP (RFC 5761 §4)
            self.strays += 1
            return 0
        if not self._knows(packet.ssrc):
            return 0
        audio, event = kind == self._audio_in, kind == self._dtmf_in
        receiver = self._follow(packet)
        before = receiver.extended
        if not receiver.receive(packet.sequence):
            return 0
        if receiver.extended != before and not 0 < receiver.extended - before < MAX_DROPOUT:
            self._token = object()  # they began anew under the same SSRC
        self._valid = audio or event
        if audio:
            self._time(packet.timestamp, now)
        self.path.last_at = now
        self._understand(packet, audio, event)
        extended = receiver.extended - ((receiver.extended - packet.sequence) & 0xFFFF)
        return self._forward(packet, data, extended, audio, event, now)

    def _knows(self, ssrc: int) -> bool:
        """Whether this source may be followed: under SRTP each costs memory that its replay window needs."""
        if self._inbound is None or ssrc in self._known:
            return True
        if len(self._known) >= SOURCES:
            self._inbound.forget(ssrc)
            self._inbound.refused += 1
            return False
        self._known.add(ssrc)
        return True

    def _follow(self, packet: Packet) -> Receiver:
        """The count of this packet's source, up to date."""
        self._unpath()
        receiver = self._receiver
        if receiver is None or packet.ssrc != self._ssrc_in:
            self._past = self._totals()
            receiver = self._receiver = Receiver(packet.sequence)
            self._ssrc_in, self._token, self._decoder = packet.ssrc, object(), dtmf.Decoder()
            self._transit = 0.0
        return receiver

    def _time(self, timestamp: int, now: float) -> None:
        transit = now * RATE - timestamp
        moved = abs(transit - self._transit) if self._transit else 0.0
        self._transit = transit
        if moved < RATE:  # more than a second: the sender's clock was set anew
            self.path.jitter += (moved - self.path.jitter) / 16

    def _understand(self, packet: Packet, audio: bool, event: bool) -> None:
        """What the packet says to us, apart from being passed on."""
        if not self.hears:
            return
        if event:
            digit = self._decoder.feed(packet.timestamp, packet.payload)
            if digit:
                self.tell(Pressed(self.media, self.name, digit))
        elif audio and self._law is not None:
            if self.detector is not None:
                for tone in self.detector.feed(packet.payload, self._law):
                    self.heard += (tone,) if tone not in self.heard else ()
                    self.tell(Heard(self.media, self.name, tone))
            if self.mixes is not None:
                self.mixes(self.name, packet.payload)

    def _forward(
        self, packet: Packet, data: bytes, extended: int, audio: bool, event: bool, now: float
    ) -> int:
        out = self.target
        if out is None:
            return 0
        if not (self.hears and out.sends):
            if out._source is self._token:
                out._source = None  # their numbers go on, ours will where we stopped
            return 0
        kind = out._audio_out if audio else out._dtmf_out if event else _UNKNOWN
        if audio and out._codec != self._codec:
            table = _TABLES.get((self._codec, out._codec))
            kind = _UNKNOWN if table is None else kind
            if table is not None:
                self._buffer.load(bytes(packet._replace(payload=packet.payload.translate(table))))
        if kind == _UNKNOWN:  # nothing the other side takes: their next number is to be our next one
            if out._source is self._token and extended + out._offset > out._index:
                out._offset, out._floor = out._index - extended, out._index
            return 0
        marker = packet.marker
        if out._source is not self._token:
            out._align(self._token, packet.timestamp, now)
            out._offset, marker = out._index + 1 - extended, True
        index = extended + out._offset
        if index <= out._floor:
            return 0
        timestamp = (packet.timestamp + out._shift) & 0xFFFFFFFF
        newest = index > out._index
        if newest:
            out._index, out._timestamp, out._sent_at = index, timestamp, now
        head = data[0] << 8 | (_MARKER if marker else 0) | kind
        self.path.out, self.path.send = out, None if out.carrier is None else out.carrier.send
        sent = out._close(head, index, timestamp, len(data))
        if newest and audio and self._codec == out._codec and self.detector is None:
            self._settle(out, packet, data, extended, kind)
        return sent

    def _settle(self, out: Leg, packet: Packet, data: bytes, extended: int, kind: int) -> None:
        """Let the next packet pass without a look, if it follows this one, the newest, as it should."""
        samples = len(packet.payload)
        if self._law is None and self._stream is not None:
            samples = self._stream.ptime * RATE // 1000
        apt = SHORTEST * RATE // 1000 <= samples <= LONGEST * RATE // 1000
        if not apt or self._receiver is None or extended != self._receiver.extended:
            return
        if out._fed_by is not None and out._fed_by is not self:
            out._fed_by.unsettle()
        head, path = data[0] << 56, self.path
        came = head | self._audio_in << 48 | packet.sequence << 32 | packet.timestamp
        path.settle(
            came,
            head | kind << 48 | (out._index & 0xFFFF) << 32 | out._timestamp,
            packet.ssrc,
            out.ssrc,
            len(data),
            samples,
        )
        path.closer = None if out._outbound is None else out._outbound.session
        out._fed_by = self

    def _sync(self) -> None:
        """Add up what passed without a look, here and at the leg it went to."""
        path = self.path
        run, receiver, out = path.run, self._receiver, path.out
        if run and receiver is not None and out is not None:
            path.start = path.expected
            receiver.advance(run)
            self._transit = path.last_at * RATE - (path.expected - path.samples & 0xFFFFFFFF)
            out._index += run
            out._timestamp = (out._timestamp + run * path.samples) & 0xFFFFFFFF
            out._sent_at = path.last_at
            out._sent += run
            out._octets += run * (path.size - 12)

    def _unpath(self) -> None:
        self._sync()
        self.path.expected = self.path.start = NEVER

    def unsettle(self) -> None:
        """Something changes: look at the next packet that comes here, and at the next for the far side."""
        self._unpath()
        if self._fed_by is not None:
            self._fed_by._unpath()
            self._fed_by = None

    def feed(self, target: Leg | None) -> None:
        """What comes here goes to `target` from now on."""
        self.unsettle()
        if target is not self.target:
            self.target, self._token = target, object()

    @property
    def last_at(self) -> float:
        """When the last valid packet came; minus infinity: none did."""
        return self.path.last_at

    # --- what goes ------------------------------------------------------------

    @property
    def sent(self) -> int:
        """Packets sent."""
        if self._fed_by is not None:
            self._fed_by._sync()
        return self._sent - self.unsent

    def emit(self, packet: bytes, now: float, source: object) -> bytes:
        """A packet of our own making (a tone, DTMF, a conference) as it is to be sent; b"": it is not."""
        if not self.sends:
            return b""
        if self._fed_by is not None:
            self.unsettle()
        length = self._buffer.load(packet)
        head, _, timestamp, _ = _HEADER.unpack_from(self._buffer.view)
        if self._source is not source:
            self._align(source, timestamp, now)
            head |= _MARKER
        index = self._floor = self._index + 1
        timestamp = (timestamp + self._shift) & 0xFFFFFFFF
        self._index, self._timestamp, self._sent_at = index, timestamp, now
        return self._buffer.content(self._close(head, index, timestamp, length))

    def _align(self, source: object, timestamp: int, now: float) -> None:
        """Another source is sent from now on: our numbers go on, our clock runs on (RFC 3551 §4.1)."""
        self._source, self._floor = source, self._index
        passed = max(20, round((now - self._sent_at) * 1000)) if self._sent else 0
        self._shift = self._timestamp + passed * RATE // 1000 - timestamp

    def _close(self, head: int, index: int, timestamp: int, length: int) -> int:
        _HEADER.pack_into(self._buffer.view, 0, head, index & 0xFFFF, timestamp, self.ssrc)
        self._sent += 1
        self._octets += length - 12
        return length if self._outbound is None else self._outbound.protect(length)

    # --- RTCP -----------------------------------------------------------------

    def receive_rtcp(self, length: int, source: Address, now: float) -> None:
        """Take the packet in the buffer, which came to the RTCP port from `source`."""
        inbound = self._inbound
        if inbound is not None:
            came, length = length, inbound.unprotect_rtcp(length)
            if not length and self._former is not None and now < self._former_until:
                length = self._former.unprotect_rtcp(came)
                inbound.refused -= length > 0
            elif length and not self._knows(int.from_bytes(self._buffer.view[4:8], "big")):
                length = 0
        elif self._stream is None or source[0] not in (self.latch.target[0], self.latch.agreed[0]):
            length = 0
        try:
            parts = rtcp.parse(self._buffer.content(length))
        except ParseError:
            self.strays += 1
            return
        self.control.take(parts, self.ssrc, now)
        if self.rtcp_to is not None:
            self.rtcp_to = source  # symmetric, as RTP (RFC 4961)

    def rtcp(self, now: float, bye: bool = False) -> bytes:
        """The report that is due, closed where the stream is; b"": none."""
        packets = self.sent
        passed = round((now - self._sent_at) * RATE) if self._sent else 0
        sent = Sent(self.ssrc, packets, self._octets, (self._timestamp + passed) & 0xFFFFFFFF)
        self._sync()
        receiver = self._receiver
        came = None if receiver is None else Came(self._ssrc_in, receiver, int(self.path.jitter))
        data = self.control.report(sent, came, now, bye)
        if self._outbound is None:
            return data
        return self._buffer.content(self._outbound.protect_rtcp(self._buffer.load(data)))

    # --- what is known --------------------------------------------------------

    def report(self) -> Report:
        """What passed here until now."""
        received, lost, gaps = self._totals()
        jitter = self.path.jitter * 1000 / RATE
        stream = self._stream
        # One way: half the round trip, one packet's audio, and a jitter buffer of twice the jitter.
        delay = self.control.round_trip * 500 + (stream.ptime if stream else 20) + 2 * jitter
        opinion = 0.0
        if received:
            expected = received + lost
            burst = quality.burst_ratio(expected, lost, gaps)
            impairment = quality.IMPAIRMENT.get(self._codec, quality.IMPAIRMENT["PCMA"])
            opinion = quality.mos(quality.rating(delay, 100 * lost / expected, burst, impairment))
        refused = self._refused + (0 if self._inbound is None else self._inbound.refused)
        suite = "" if self._outbound is None else self._outbound.suite
        return Report(
            self.media,
            self.name,
            self.sent,
            received,
            lost,
            jitter,
            self.heard,
            opinion,
            self.strays,
            refused,
            suite,
        )

    def _totals(self) -> tuple[int, int, int]:
        self._sync()
        received, lost, gaps = self._past
        now = self._receiver
        return (received + now.received, lost + now.lost, gaps + now.gaps) if now else self._past
