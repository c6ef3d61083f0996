"""The 2xx of an INVITE and its ACK, each repeated end to end (RFC 3261 §13.2.2.4 and §13.3.1.4)."""

from __future__ import annotations

from trunkline.sip.flow import Flow, Send
from trunkline.sip.message import Request, Response
from trunkline.sip.transaction import TimerValues

ACKS_MAX = 16  # ACKs one usage remembers; forks beyond it are acknowledged once


class Acceptance:
    """Our 2xx until its ACK comes: again after T1, doubling to T2, given up after 64*T1.

    `at` is when `due` wants to be called. `offers` says that the 2xx held the offer, so
    that the ACK holds the answer.
    """

    __slots__ = ("_data", "_flow", "_gap", "_lost_at", "_seq", "_t2", "at", "offers")

    def __init__(
        self, response: Response, flow: Flow, timers: TimerValues, now: float, *, offers: bool
    ) -> None:
        self._data = bytes(response)
        self._flow = flow
        self._seq = response.cseq.number
        self._t2 = timers.t2
        self._gap = timers.t1
        self._lost_at = now + timers.timeout
        self.at = now + timers.t1
        self.offers = offers

    def acknowledged(self, ack: Request) -> bool:
        """True if this ACK is the one that was waited for."""
        return ack.cseq.number == self._seq

    def due(self, now: float) -> list[Send] | None:
        """The 2xx again, over every transport (§13.3.1.4); None when no ACK will come any more."""
        if now >= self._lost_at:
            return None
        self._gap = min(2 * self._gap, self._t2)
        self.at = min(now + self._gap, self._lost_at)
        return [Send(self._data, self._flow)]


class Acknowledgements:
    """The ACKs we sent, by remote tag and CSeq number, to repeat for each repeated 2xx."""

    __slots__ = ("_sent",)

    def __init__(self) -> None:
        self._sent: dict[tuple[str, int], Send] = {}

    def keep(self, tag: str, seq: int, ack: Send) -> None:
        """Remember an ACK; the oldest gives way when there are too many."""
        self._sent[(tag, seq)] = ack
        if len(self._sent) > ACKS_MAX:
            self._sent.pop(next(iter(self._sent)))

    def of(self, response: Response) -> Send | None:
        """The ACK that this 2xx had already, if it had one."""
        return self._sent.get((response.to_tag, response.cseq.number))
