"""One leg's media end: what a phone or a subscriber sends and makes of what comes, without a socket.

The same code runs over real sockets (`aio.media`) and on virtual time in the
simulation. Packets come in with their source and go out with their destination; who
carries them calls `expire` at `deadline`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trunkline.finding import ParseError
from trunkline.media import rtcp
from trunkline.media.anchor import Event, Heard, Pressed, Report, Silent
from trunkline.media.incoming import Incoming
from trunkline.media.outgoing import Outgoing, reachable

if TYPE_CHECKING:
    from trunkline.sdp.offer_answer import Stream

REPORT_EVERY = 5.0  # seconds between RTCP reports, on average (RFC 3550 §6.2)
_NTP = 1 << 32  # fixed point seconds of a sender report
_SHORT = 1 << 16  # and of a report block


class SendRtp(NamedTuple):
    """Send this from the leg's RTP port."""

    data: bytes
    address: str
    port: int


class SendRtcp(NamedTuple):
    """Send this from the leg's RTCP port."""

    data: bytes
    address: str
    port: int


Output = SendRtp | SendRtcp | Event


class End:
    """`agree` starts it and follows each re-INVITE, `receive` and `expire` keep it going, `release` ends it.

    `ssrc` (32 bits), `sequence` (16) and `timestamp` (32) are random start values
    (RFC 3550 §5.1). `cname` names this endpoint in RTCP (§6.5.1). `silence_after`
    seconds without RTP are told as Silent.
    """

    __slots__ = (
        "_cname",
        "_expects",
        "_incoming",
        "_leg",
        "_media",
        "_outgoing",
        "_ptime",
        "_report_at",
        "_reported",
        "_round_trip",
        "_rtcp_to",
        "_rtp_to",
        "_sender_report",
        "_silence_after",
        "_silence_at",
        "_since",
        "_spoken",
        "_spread",
    )

    def __init__(
        self,
        media: str,
        leg: str,
        *,
        ssrc: int,
        sequence: int,
        timestamp: int,
        cname: str = "",
        silence_after: float = 2.0,
    ) -> None:
        self._media, self._leg, self._cname = media, leg, cname
        self._outgoing, self._incoming = Outgoing(ssrc, sequence, timestamp), Incoming()
        self._rtp_to = ("", 0)
        self._rtcp_to: tuple[str, int] | None = None
        self._ptime = 20
        self._silence_after = silence_after
        self._silence_at: float | None = None
        self._expects = False  # RTP should come,
        self._since = 0.0  # from then on
        self._report_at: float | None = None
        self._reported = (0, 0)  # packets sent at the last report and the one before
        self._spoken = False  # RTCP was sent: a BYE is due in the end (§6.3.7)
        self._spread = ssrc  # spreads the reports of many ends over time without dice
        self._sender_report = (0, 0, 0.0)  # their last one: whose, middle of its NTP time, when it came
        self._round_trip = 0.0  # seconds

    @property
    def strays(self) -> int:
        """Packets that came and were not of the call: other sources, no RTP."""
        return self._incoming.strays

    # --- commands -------------------------------------------------------------

    def agree(self, stream: Stream, now: float) -> None:
        """Send and expect what was agreed; the first packet is due at once."""
        self._outgoing.agree(stream, now)
        self._incoming.agree(stream)
        self._rtp_to, self._ptime = (stream.address, stream.port), stream.ptime
        there = reachable(stream.address) and 0 < stream.rtcp_port < 65536
        self._rtcp_to = (stream.address, stream.rtcp_port) if there else None
        if self._rtcp_to is None:
            self._report_at = None
        elif self._report_at is None:
            self._report_at = now + self._interval() / 2  # §6.2: the first comes sooner
        self._expects = stream.receives and stream.port != 0
        if not self._expects:
            self._silence_at = None
        elif self._silence_at is None:
            self._since = now
            self._silence_at = now + self._silence_after

    def play(self, tones: tuple[int, ...], echo: bool = False) -> None:
        """Send these tones (Hz) from the next packet on, () silence; or send back what comes."""
        self._outgoing.play(tones, echo)

    def listen(self, tones: tuple[int, ...]) -> None:
        """Tell each of these tones (Hz) as Heard once."""
        self._incoming.listen(tones)

    def dtmf(self, digits: str) -> bool:
        """Send these digits as telephone-event; False if none was agreed or nothing may be sent now."""
        return self._outgoing.press(digits)

    def release(self, now: float) -> list[Output]:
        """Say BYE, if anything was sent at all (RFC 3550 §6.3.7), and report; the end is then over."""
        report = self.report()
        self._report_at = self._silence_at = self._outgoing.next_at = None
        if self._rtcp_to is None or not (self._spoken or report.sent):
            return [report]
        return [SendRtcp(self._rtcp(now, bye=True), *self._rtcp_to), report]

    # --- what comes -----------------------------------------------------------

    def receive(self, packet: bytes, source: tuple[str, int], now: float) -> list[Output]:
        """Take what came to the RTP port; whatever it is, nothing is raised."""
        incoming = self._incoming
        taken = incoming.receive(packet, source, now)
        if self._silence_at is None and self._expects and incoming.last_at == now:
            self._silence_at = now + self._silence_after  # it speaks again
        if taken is None:
            return []
        outputs: list[Output] = [Heard(self._media, self._leg, tone) for tone in taken.tones]
        if taken.digit:
            outputs.append(Pressed(self._media, self._leg, taken.digit))
        if self._outgoing.echoes:
            data = self._outgoing.echo(taken.packet, taken.event)
            if data is not None:
                outputs.append(SendRtp(data, *self._rtp_to))
        return outputs

    def receive_rtcp(self, packet: bytes, now: float) -> None:
        """Take what came to the RTCP port; whatever it is, nothing is raised."""
        try:
            parts = rtcp.parse(packet)
        except ParseError:
            self._incoming.strays += 1
            return
        for part in parts:
            if isinstance(part, rtcp.SenderReport | rtcp.ReceiverReport):
                if isinstance(part, rtcp.SenderReport):
                    self._sender_report = (part.ssrc, part.ntp >> 16 & 0xFFFFFFFF, now)
                self._time_round_trip(part.blocks, now)
            elif isinstance(part, rtcp.Goodbye):
                self._incoming.gone(part.sources)

    def _time_round_trip(self, blocks: tuple[rtcp.Block, ...], now: float) -> None:
        for block in blocks:  # §6.4.1: arrival - LSR - DLSR
            if block.ssrc == self._outgoing.ssrc and block.last_report:
                units = (int(now * _SHORT) - block.last_report - block.delay) & 0xFFFFFFFF
                if units < 60 * _SHORT:  # more, or less than nothing, was never measured
                    self._round_trip = units / _SHORT

    # --- time -----------------------------------------------------------------

    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        due = self._outgoing.next_at
        if self._report_at is not None and (due is None or self._report_at < due):
            due = self._report_at
        if self._silence_at is not None and (due is None or self._silence_at < due):
            due = self._silence_at
        return due

    def expire(self, now: float) -> list[Output]:
        """What is due by now: packets, a report, the news that it is silent."""
        outputs: list[Output] = [SendRtp(data, *self._rtp_to) for data in self._outgoing.expire(now)]
        if self._report_at is not None and self._report_at <= now and self._rtcp_to is not None:
            outputs.append(SendRtcp(self._rtcp(now), *self._rtcp_to))
            self._report_at = now + self._interval()
        if self._silence_at is not None and self._silence_at <= now:
            self._silence_at = max(self._since, self._incoming.last_at) + self._silence_after
            if self._silence_at <= now:
                outputs.append(Silent(self._media, self._leg, self._silence_after))
                self._silence_at = None
        return outputs

    def _interval(self) -> float:
        """§6.2 and §6.3.1: five seconds, times 0.5 to 1.5, so that ends do not fall into step."""
        self._spread = (self._spread * 1664525 + 1013904223) & 0xFFFFFFFF
        return REPORT_EVERY * (0.5 + self._spread / 0x100000000)

    # --- what is known --------------------------------------------------------

    def report(self) -> Report:
        """What passed until now."""
        incoming = self._incoming
        received, lost, _ = incoming.totals()
        jitter = incoming.jitter()
        # One way: half the round trip, one packet's audio, and a jitter buffer of twice the jitter.
        delay = self._round_trip * 500 + self._ptime + 2 * jitter
        mos, sent = incoming.mos(delay), self._outgoing.sent
        return Report(self._media, self._leg, sent, received, lost, jitter, incoming.heard, mos)

    def _rtcp(self, now: float, bye: bool = False) -> bytes:
        out = self._outgoing
        blocks = self._blocks(now)
        head: rtcp.Rtcp
        if out.sent > self._reported[1]:  # §6.4: a sender since the second last report
            ntp = int(now * _NTP) & 0xFFFFFFFFFFFFFFFF
            octets = out.octets & 0xFFFFFFFF
            head = rtcp.SenderReport(out.ssrc, ntp, out.timestamp(now), out.sent & 0xFFFFFFFF, octets, blocks)
        else:
            head = rtcp.ReceiverReport(out.ssrc, blocks)
        self._reported = (out.sent, self._reported[0])
        self._spoken = True
        parts: list[rtcp.Rtcp] = [head, rtcp.describe(out.ssrc, self._cname)]
        return rtcp.build([*parts, rtcp.Goodbye((out.ssrc,))] if bye else parts)

    def _blocks(self, now: float) -> tuple[rtcp.Block, ...]:
        receiver, ssrc = self._incoming.receiver, self._incoming.ssrc
        if receiver is None or not receiver.fresh:
            return ()
        fraction, lost = receiver.interval()
        whose, last, came_at = self._sender_report
        delay = int((now - came_at) * _SHORT) & 0xFFFFFFFF if whose == ssrc and last else 0
        last = last if whose == ssrc else 0
        return (rtcp.Block(ssrc, fraction, lost, receiver.highest, receiver.jitter_units, last, delay),)
