"""Reliable provisional responses (RFC 3262), each side a small machine."""

from __future__ import annotations

import math

from trunkline.sip.message import Request, Response
from trunkline.sip.values import RAck

_NEVER = math.inf


def reliable_number(response: Response) -> int | None:
    """The RSeq of a provisional that wants a PRACK, else None (§4)."""
    if not 100 < response.status < 200 or "100rel" not in map(str, response.values("require")):
        return None
    rseq = response.value("rseq")
    return rseq if isinstance(rseq, int) else None


class ReliableSequence:
    """The UAC's view of reliable provisionals in one early dialog (§4)."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: int | None = None

    def takes(self, rseq: int) -> bool:
        """True for the next one in order; repetitions and gaps are not acknowledged."""
        if self.last is not None and rseq != self.last + 1:
            return False
        self.last = rseq
        return True


class ReliableAnswer:
    """The UAS's reliable provisionals of one INVITE, one at a time, each repeated until its PRACK (§3).

    `at` is when `due` wants to be called, infinity while nothing is repeated. `waiting` is the
    provisional whose PRACK has not come.
    """

    __slots__ = ("_gap", "_lost_at", "_rseq", "_t1", "at", "waiting")

    def __init__(self, first: int, t1: float) -> None:
        self._rseq = first - 1  # 1 to 2**31 - 1 (§3)
        self._t1 = t1
        self._gap = t1
        self._lost_at = _NEVER
        self.at = _NEVER
        self.waiting: Response | None = None

    @property
    def holds_final(self) -> bool:
        """§3: no 2xx while a description in a provisional is not acknowledged."""
        return self.waiting is not None and bool(self.waiting.body)

    def next_headers(self) -> tuple[tuple[str, str], ...]:
        """What makes the next provisional a reliable one."""
        self._rseq += 1
        return (("Require", "100rel"), ("RSeq", str(self._rseq)))

    def sent(self, response: Response, now: float) -> None:
        """This provisional went out with `next_headers`."""
        self.waiting = response
        self._gap = self._t1
        self._lost_at = now + 64 * self._t1
        self.at = now + self._gap

    def acknowledged(self, prack: Request) -> bool:
        """True if the PRACK names the provisional that waits, which then waits no more."""
        rack, waiting = prack.value("rack"), self.waiting
        if waiting is None or not isinstance(rack, RAck):
            return False
        cseq = waiting.cseq
        if (rack.rseq, rack.cseq, rack.method) != (self._rseq, cseq.number, cseq.method):
            return False
        self.waiting, self.at = None, _NEVER
        return True

    def stop(self) -> None:
        """Repeat no more; the PRACK of what went out is still taken (§3, after a final response)."""
        self.at = _NEVER

    def due(self, now: float) -> Response | None:
        """What to send again; None when 64*T1 are over and the INVITE is to be refused."""
        if now >= self._lost_at:
            self.waiting, self.at = None, _NEVER
            return None
        self._gap *= 2  # §3: doubling without T2's bound
        self.at = min(now + self._gap, self._lost_at)
        return self.waiting
