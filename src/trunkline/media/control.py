"""RTCP of one leg of a relay: each leg is an RTP session of its own (back-to-back, RFC 7667 §3.2.2).

Reports of one side say nothing true of the other, whose SSRC, numbers and losses differ:
they end here, and each side gets reports of what it sent and was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trunkline.media import rtcp
from trunkline.media.rtp import Receiver

EVERY = 5.0  # seconds between reports, on average (RFC 3550 §6.2)
_NTP = 1 << 32  # fixed point seconds of a sender report
_SHORT = 1 << 16  # and of a report block


class Sent(NamedTuple):
    """What a leg sent until now: for the sender's part of a report (§6.4.1)."""

    ssrc: int
    packets: int
    octets: int
    timestamp: int  # the RTP time of this moment


class Came(NamedTuple):
    """What a leg received until now: for its report block."""

    ssrc: int
    receiver: Receiver
    jitter: int  # timestamp units


class Control:
    """Says when a report is due and writes it; reads theirs for the round trip."""

    __slots__ = ("_cname", "_reported", "_sender_report", "_spread", "at", "round_trip", "spoken")

    def __init__(self, cname: str, spread: int) -> None:
        """`spread`, any number, sets the legs' reports apart."""
        self._cname, self._spread = cname, spread & 0xFFFFFFFF
        self.at: float | None = None  # when the next report is due
        self.round_trip = 0.0  # seconds
        self.spoken = False  # a BYE is due in the end (§6.3.7)
        self._reported = (0, 0)  # packets sent at the last report and the one before
        self._sender_report = (0, 0, 0.0)  # their last one: whose, middle of its NTP time, when it came

    def start(self, there: bool, now: float) -> None:
        """There is somebody to report to, or not."""
        if not there:
            self.at = None
        elif self.at is None:
            self.at = now + self._interval() / 2  # §6.2: the first comes sooner

    def take(self, parts: Sequence[rtcp.Rtcp], own: int, now: float) -> None:
        """Read what the far side reports; `own` is the SSRC of what it was sent."""
        for part in parts:
            if isinstance(part, rtcp.SenderReport):
                self._sender_report = (part.ssrc, part.ntp >> 16 & 0xFFFFFFFF, now)
            if isinstance(part, rtcp.SenderReport | rtcp.ReceiverReport):
                for block in part.blocks:  # §6.4.1: arrival - LSR - DLSR
                    units = (int(now * _SHORT) - block.last_report - block.delay) & 0xFFFFFFFF
                    if block.ssrc == own and block.last_report and units < 60 * _SHORT:
                        self.round_trip = units / _SHORT

    def report(self, sent: Sent, came: Came | None, now: float, bye: bool = False) -> bytes:
        """The compound packet that is due; the next one follows at `at`."""
        self.at = now + self._interval()
        blocks = () if came is None else self._blocks(came, now)
        head: rtcp.Rtcp
        if sent.packets > self._reported[1]:  # §6.4: a sender since the second last report
            ntp = int(now * _NTP) & 0xFFFFFFFFFFFFFFFF
            counts = (sent.packets & 0xFFFFFFFF, sent.octets & 0xFFFFFFFF)
            head = rtcp.SenderReport(sent.ssrc, ntp, sent.timestamp, *counts, blocks)
        else:
            head = rtcp.ReceiverReport(sent.ssrc, blocks)
        self._reported, self.spoken = (sent.packets, self._reported[0]), True
        parts: list[rtcp.Rtcp] = [head, rtcp.describe(sent.ssrc, self._cname)]
        return rtcp.build([*parts, rtcp.Goodbye((sent.ssrc,))] if bye else parts)

    def _blocks(self, came: Came, now: float) -> tuple[rtcp.Block, ...]:
        if not came.receiver.fresh:
            return ()
        fraction, lost = came.receiver.interval()
        whose, last, came_at = self._sender_report
        last = last if whose == came.ssrc else 0
        delay = int((now - came_at) * _SHORT) & 0xFFFFFFFF if last else 0
        return (rtcp.Block(came.ssrc, fraction, lost, came.receiver.highest, came.jitter, last, delay),)

    def _interval(self) -> float:
        """§6.2 and §6.3.1: five seconds, times 0.5 to 1.5, so that legs do not fall into step."""
        self._spread = (self._spread * 1664525 + 1013904223) & 0xFFFFFFFF
        return EVERY * (0.5 + self._spread / 0x100000000)
