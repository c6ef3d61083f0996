"""The four transaction machines of RFC 3261 §17, corrected by RFC 6026, as tables.

`NEXT` of each machine is its diagram: what is not in it is silence, by decision. A
client transaction gives its user one verdict: a final response, `TimedOut` (to be
taken as 408) or `TransportFailed` (503), RFC 3261 §8.1.3.1; an INVITE that was
accepted goes on passing each 2xx up, because a fork may answer late. The machines keep
the bytes they sent last, so that a retransmission costs one `Send`.

Decided silences: a final response after the first (absorbed); anything after the end;
a transport error while a client INVITE only waits for a final response, since nothing
was being sent (its user bounds the ringing with `cancel`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple

from trunkline.sip.flow import Flow, Send
from trunkline.sip.matching import build_ack, build_cancel
from trunkline.sip.message import Request, Response, respond

_NEVER = math.inf


class State(StrEnum):
    """Where a transaction stands; the words are the RFC's."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"  # RFC 6026 §7
    TERMINATED = "terminated"


class Event(StrEnum):
    """What can happen to a transaction: received, told by its user, or a timer by its letter."""

    GOT_1XX = "got 1xx"
    GOT_2XX = "got 2xx"
    GOT_REFUSAL = "got 300-699"
    GOT_FINAL = "got 200-699"
    GOT_REQUEST = "got the request again"
    GOT_ACK = "got ACK"
    SENT_1XX = "told to send 1xx"
    SENT_2XX = "told to send 2xx"
    SENT_REFUSAL = "told to send 300-699"
    SENT_FINAL = "told to send 200-699"
    CANCELLED = "told to cancel"
    FAILED = "transport failed"
    TIMER_A = "A: send INVITE again"
    TIMER_B = "B: INVITE not answered"
    TIMER_D = "D: no more refusals expected"
    TIMER_E = "E: send request again"
    TIMER_F = "F: request not answered"
    TIMER_G = "G: send refusal again"
    TIMER_H = "H: refusal not acknowledged"
    TIMER_I = "I: no more ACKs expected"
    TIMER_J = "J: no more requests expected"
    TIMER_K = "K: no more responses expected"
    TIMER_L = "L: no more INVITEs expected"
    TIMER_M = "M: no more 2xx expected"
    TIMER_CANCEL = "64*T1 after CANCEL"  # RFC 3261 §9.1, which gives it no letter


Table = Mapping[tuple[State, Event], State]


@dataclass(frozen=True, slots=True)
class TimerValues:
    """In seconds (§17.1.1.1, table 4): T1 round trip, T2 longest pause between sendings, T4 message life."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def timeout(self) -> float:
        """64*T1: timers B, F, H, J, L and M."""
        return 64 * self.t1

    @property
    def d(self) -> float:
        """Timer D over UDP: the server's T1 is not known here, so never below 32 s (§17.1.1.2)."""
        return max(32.0, 64 * self.t1)


class Passed(NamedTuple):
    """A message for the transaction user; retransmissions are not among them."""

    transaction: Transaction
    message: Request | Response


class TimedOut(NamedTuple):
    """A client got no final response (as if 408); a server INVITE's refusal got no ACK."""

    transaction: Transaction


class TransportFailed(NamedTuple):
    """The flow is broken: a client is over (as if 503), a server stays where it is (RFC 6026 §8.8)."""

    transaction: Transaction


Output = Send | Passed | TimedOut | TransportFailed


class ClientInvite:
    """An INVITE we sent (§17.1.1, figure 5; RFC 6026 §7.2)."""

    NEXT: ClassVar[Table] = {
        (State.CALLING, Event.TIMER_A): State.CALLING,
        (State.CALLING, Event.TIMER_B): State.TERMINATED,
        (State.CALLING, Event.FAILED): State.TERMINATED,
        (State.CALLING, Event.GOT_1XX): State.PROCEEDING,
        (State.CALLING, Event.GOT_2XX): State.ACCEPTED,
        (State.CALLING, Event.GOT_REFUSAL): State.COMPLETED,
        (State.PROCEEDING, Event.GOT_1XX): State.PROCEEDING,
        (State.PROCEEDING, Event.GOT_2XX): State.ACCEPTED,
        (State.PROCEEDING, Event.GOT_REFUSAL): State.COMPLETED,
        (State.PROCEEDING, Event.CANCELLED): State.PROCEEDING,
        (State.PROCEEDING, Event.TIMER_CANCEL): State.TERMINATED,
        (State.COMPLETED, Event.GOT_REFUSAL): State.COMPLETED,
        (State.COMPLETED, Event.TIMER_D): State.TERMINATED,
        (State.COMPLETED, Event.FAILED): State.TERMINATED,
        (State.ACCEPTED, Event.GOT_2XX): State.ACCEPTED,
        (State.ACCEPTED, Event.TIMER_M): State.TERMINATED,
    }

    __slots__ = (
        "_data",
        "_end",
        "_end_at",
        "_pause",
        "_resend_at",
        "_timers",
        "cancelled",
        "flow",
        "key",
        "over",
        "owner",
        "request",
        "state",
    )

    def __init__(
        self, request: Request, flow: Flow, timers: TimerValues, now: float, data: bytes = b""
    ) -> None:
        self.request = request
        self.flow = flow
        self.owner: object = None
        self.key: tuple[object, ...] = ()  # where its endpoint filed it
        self.over = False
        self.cancelled = False
        self.state = State.CALLING
        self._timers = timers
        self._data = data or bytes(request)  # later the ACK: what is sent again
        self._pause = timers.t1
        self._resend_at = _NEVER if flow.reliable else now + timers.t1
        self._end, self._end_at = Event.TIMER_B, now + timers.timeout

    def start(self) -> list[Output]:
        """Send the INVITE."""
        return [Send(self._data, self.flow)]

    def receive(self, response: Response, now: float) -> list[Output]:
        """A response that matched: passed up, and a 300-699 acknowledged each time but passed up once."""
        status = response.status
        if status < 200:
            event = Event.GOT_1XX
        elif status < 300:
            event = Event.GOT_2XX
        else:
            event = Event.GOT_REFUSAL
        before = self.state
        state = self.NEXT.get((before, event))
        if state is None:
            return []
        self.state = state
        self._resend_at = _NEVER
        if state is State.PROCEEDING:
            if before is State.CALLING:
                self._end_at = _NEVER  # §17.1.1.2: the user bounds the ringing
        elif state is State.ACCEPTED:
            if before is not State.ACCEPTED:
                self._data = b""
                self._end, self._end_at = Event.TIMER_M, now + self._timers.timeout
        elif before is State.COMPLETED:
            return [Send(self._data, self.flow)]
        else:
            self._data = bytes(build_ack(self.request, response))
            self._end = Event.TIMER_D
            if self.flow.reliable:
                self._take(Event.TIMER_D)  # §17.1.1.2: D is zero over TCP and TLS
            else:
                self._end_at = now + self._timers.d
            return [Send(self._data, self.flow), Passed(self, response)]
        return [Passed(self, response)]

    def cancel(self, now: float, headers: Iterable[tuple[str, object]] = ()) -> Request | None:
        """The CANCEL to send in a transaction of its own (ClientRequest, same flow), or None (§9.1).

        It is None before a provisional response, after a final one, and the second time.
        Without a final response this transaction times out 64*T1 later.
        """
        if self.cancelled or not self._take(Event.CANCELLED):
            return None
        self.cancelled = True
        self._end, self._end_at = Event.TIMER_CANCEL, now + self._timers.timeout
        return build_cancel(self.request, headers)

    def deadline(self) -> float | None:
        """When `expire` wants to be called; None: only a message can move this transaction."""
        at = min(self._resend_at, self._end_at)
        return None if at == _NEVER else at

    def expire(self, now: float) -> list[Output]:
        """Timers A, B, D and M, and the one after a CANCEL."""
        if now >= self._end_at:
            silent = self._end is Event.TIMER_D or self._end is Event.TIMER_M
            self._take(self._end)
            return [] if silent else [TimedOut(self)]
        if now < self._resend_at or not self._take(Event.TIMER_A):
            return []
        self._pause *= 2  # §17.1.1.2: A doubles without bound, B ends it
        self._resend_at = now + self._pause
        return [Send(self._data, self.flow)]

    def failed(self, now: float) -> list[Output]:
        """The flow is broken; the user is told only while it has no final response (§17.1.4)."""
        told = self.state is State.COMPLETED
        return [TransportFailed(self)] if self._take(Event.FAILED) and not told else []

    def _take(self, event: Event) -> bool:
        state = self.NEXT.get((self.state, event))
        if state is None:
            return False
        self.state = state
        if state is State.TERMINATED:
            self.over = True
            self._resend_at = self._end_at = _NEVER
        return True


class ClientRequest:
    """Any other request we sent, but ACK (§17.1.2, figure 6)."""

    NEXT: ClassVar[Table] = {
        (State.TRYING, Event.TIMER_E): State.TRYING,
        (State.TRYING, Event.TIMER_F): State.TERMINATED,
        (State.TRYING, Event.FAILED): State.TERMINATED,
        (State.TRYING, Event.GOT_1XX): State.PROCEEDING,
        (State.TRYING, Event.GOT_FINAL): State.COMPLETED,
        (State.PROCEEDING, Event.TIMER_E): State.PROCEEDING,
        (State.PROCEEDING, Event.TIMER_F): State.TERMINATED,
        (State.PROCEEDING, Event.FAILED): State.TERMINATED,
        (State.PROCEEDING, Event.GOT_1XX): State.PROCEEDING,
        (State.PROCEEDING, Event.GOT_FINAL): State.COMPLETED,
        (State.COMPLETED, Event.TIMER_K): State.TERMINATED,
    }

    __slots__ = (
        "_data",
        "_end",
        "_end_at",
        "_pause",
        "_resend_at",
        "_timers",
        "flow",
        "key",
        "over",
        "owner",
        "request",
        "state",
    )

    def __init__(
        self, request: Request, flow: Flow, timers: TimerValues, now: float, data: bytes = b""
    ) -> None:
        self.request = request
        self.flow = flow
        self.owner: object = None
        self.key: tuple[object, ...] = ()  # where its endpoint filed it
        self.over = False
        self.state = State.TRYING
        self._timers = timers
        self._data = data or bytes(request)
        self._pause = timers.t1
        self._resend_at = _NEVER if flow.reliable else now + timers.t1
        self._end, self._end_at = Event.TIMER_F, now + timers.timeout

    def start(self) -> list[Output]:
        """Send the request."""
        return [Send(self._data, self.flow)]

    def receive(self, response: Response, now: float) -> list[Output]:
        """A response that matched: provisionals are passed up, and the first final one."""
        event = Event.GOT_1XX if response.status < 200 else Event.GOT_FINAL
        if not self._take(event):
            return []
        if event is Event.GOT_FINAL:
            self._data = b""
            self._resend_at = _NEVER
            self._end = Event.TIMER_K
            if self.flow.reliable:
                self._take(Event.TIMER_K)  # §17.1.2.2: K is zero over TCP and TLS
            else:
                self._end_at = now + self._timers.t4
        return [Passed(self, response)]

    def deadline(self) -> float | None:
        """When `expire` wants to be called; None only at the end."""
        at = min(self._resend_at, self._end_at)
        return None if at == _NEVER else at

    def expire(self, now: float) -> list[Output]:
        """Timers E, F and K."""
        if now >= self._end_at:
            silent = self._end is Event.TIMER_K
            self._take(self._end)
            return [] if silent else [TimedOut(self)]
        if now < self._resend_at or not self._take(Event.TIMER_E):
            return []
        if self.state is State.PROCEEDING:
            self._pause = self._timers.t2  # §17.1.2.2
        else:
            self._pause = min(2 * self._pause, self._timers.t2)
        self._resend_at = now + self._pause
        return [Send(self._data, self.flow)]

    def failed(self, now: float) -> list[Output]:
        """The flow is broken (§17.1.4)."""
        return [TransportFailed(self)] if self._take(Event.FAILED) else []

    def _take(self, event: Event) -> bool:
        state = self.NEXT.get((self.state, event))
        if state is None:
            return False
        self.state = state
        if state is State.TERMINATED:
            self.over = True
            self._resend_at = self._end_at = _NEVER
        return True


class ServerInvite:
    """An INVITE we got (§17.2.1, figure 7; RFC 6026 §7.1). The 2xx is repeated by its user, not here."""

    NEXT: ClassVar[Table] = {
        (State.PROCEEDING, Event.GOT_REQUEST): State.PROCEEDING,
        (State.PROCEEDING, Event.SENT_1XX): State.PROCEEDING,
        (State.PROCEEDING, Event.SENT_2XX): State.ACCEPTED,
        (State.PROCEEDING, Event.SENT_REFUSAL): State.COMPLETED,
        (State.PROCEEDING, Event.FAILED): State.PROCEEDING,
        (State.COMPLETED, Event.GOT_REQUEST): State.COMPLETED,
        (State.COMPLETED, Event.TIMER_G): State.COMPLETED,
        (State.COMPLETED, Event.FAILED): State.COMPLETED,
        (State.COMPLETED, Event.TIMER_H): State.TERMINATED,
        (State.COMPLETED, Event.GOT_ACK): State.CONFIRMED,
        (State.CONFIRMED, Event.TIMER_I): State.TERMINATED,
        (State.ACCEPTED, Event.GOT_REQUEST): State.ACCEPTED,
        (State.ACCEPTED, Event.GOT_ACK): State.ACCEPTED,
        (State.ACCEPTED, Event.SENT_2XX): State.ACCEPTED,
        (State.ACCEPTED, Event.FAILED): State.ACCEPTED,
        (State.ACCEPTED, Event.TIMER_L): State.TERMINATED,
    }

    __slots__ = (
        "_data",
        "_end",
        "_end_at",
        "_pause",
        "_resend_at",
        "_timers",
        "flow",
        "key",
        "merged",
        "over",
        "owner",
        "request",
        "state",
    )

    def __init__(self, request: Request, flow: Flow, timers: TimerValues, now: float) -> None:
        self.request = request
        self.flow = flow
        self.owner: object = None
        self.key: tuple[object, ...] = ()  # where its endpoint filed it
        self.merged: tuple[object, ...] = ()  # and under what it knows the request on another path
        self.over = False
        self.state = State.PROCEEDING
        self._timers = timers
        self._data = b""
        self._pause = timers.t1
        self._resend_at = self._end_at = _NEVER
        self._end = Event.TIMER_H

    def start(self) -> list[Output]:
        """Pass the INVITE up."""
        return [Passed(self, self.request)]

    def receive(self, request: Request, now: float) -> list[Output]:
        """The INVITE again, or an ACK on its branch: only the ACK of a 2xx is passed up (RFC 6026 §7.1)."""
        if request.method != "ACK":
            again = self._take(Event.GOT_REQUEST) and self._data
            return [Send(self._data, self.flow)] if again else []
        if not self._take(Event.GOT_ACK):
            return []
        if self.state is State.ACCEPTED:
            return [Passed(self, request)]
        self._resend_at = _NEVER
        self._end = Event.TIMER_I
        if self.flow.reliable:
            self._take(Event.TIMER_I)  # §17.2.1: I is zero over TCP and TLS
        else:
            self._end_at = now + self._timers.t4
        return []

    def trying(self, now: float) -> list[Output]:
        """Send 100 (§17.2.1: when no answer is to be had in 200 ms), unless something was sent already."""
        unsaid = self.state is State.PROCEEDING and not self._data
        return self.respond(respond(self.request, 100), now) if unsaid else []

    def respond(self, response: Response, now: float) -> list[Output]:
        """Send a response of the user; what comes too late (a 1xx after the final one) is not sent."""
        status = response.status
        before = self.state
        if status < 200:
            event = Event.SENT_1XX
        elif status < 300:
            event = Event.SENT_2XX
        else:
            event = Event.SENT_REFUSAL
        if not self._take(event):
            return []
        data = bytes(response)
        if self.state is State.ACCEPTED:
            self._data = b""  # its user repeats the 2xx
            if before is State.PROCEEDING:
                self._end, self._end_at = Event.TIMER_L, now + self._timers.timeout
            return [Send(data, self.flow)]
        self._data = data
        if self.state is State.COMPLETED:
            self._end, self._end_at = Event.TIMER_H, now + self._timers.timeout
            self._resend_at = _NEVER if self.flow.reliable else now + self._pause
        return [Send(data, self.flow)]

    def deadline(self) -> float | None:
        """When `expire` wants to be called; None: only a message or the user can move this transaction."""
        at = min(self._resend_at, self._end_at)
        return None if at == _NEVER else at

    def expire(self, now: float) -> list[Output]:
        """Timers G, H, I and L."""
        if now >= self._end_at:
            unheard = self._end is Event.TIMER_H
            self._take(self._end)
            return [TimedOut(self)] if unheard else []
        if now < self._resend_at or not self._take(Event.TIMER_G):
            return []
        self._pause = min(2 * self._pause, self._timers.t2)
        self._resend_at = now + self._pause
        return [Send(self._data, self.flow)]

    def failed(self, now: float) -> list[Output]:
        """A response could not be sent: the user is told, and the state stays (RFC 6026 §8.8)."""
        return [TransportFailed(self)] if self._take(Event.FAILED) else []

    def _take(self, event: Event) -> bool:
        state = self.NEXT.get((self.state, event))
        if state is None:
            return False
        self.state = state
        if state is State.TERMINATED:
            self.over = True
            self._resend_at = self._end_at = _NEVER
        return True


class ServerRequest:
    """Any other request we got, but ACK (§17.2.2, figure 8)."""

    NEXT: ClassVar[Table] = {
        (State.TRYING, Event.SENT_1XX): State.PROCEEDING,
        (State.TRYING, Event.SENT_FINAL): State.COMPLETED,
        (State.PROCEEDING, Event.GOT_REQUEST): State.PROCEEDING,
        (State.PROCEEDING, Event.SENT_1XX): State.PROCEEDING,
        (State.PROCEEDING, Event.SENT_FINAL): State.COMPLETED,
        (State.PROCEEDING, Event.FAILED): State.PROCEEDING,
        (State.COMPLETED, Event.GOT_REQUEST): State.COMPLETED,
        (State.COMPLETED, Event.FAILED): State.COMPLETED,
        (State.COMPLETED, Event.TIMER_J): State.TERMINATED,
    }

    __slots__ = ("_data", "_end_at", "_timers", "flow", "key", "merged", "over", "owner", "request", "state")

    def __init__(self, request: Request, flow: Flow, timers: TimerValues, now: float) -> None:
        self.request = request
        self.flow = flow
        self.owner: object = None
        self.key: tuple[object, ...] = ()  # where its endpoint filed it
        self.merged: tuple[object, ...] = ()  # and under what it knows the request on another path
        self.over = False
        self.state = State.TRYING
        self._timers = timers
        self._data = b""
        self._end_at = _NEVER

    def start(self) -> list[Output]:
        """Pass the request up."""
        return [Passed(self, self.request)]

    def receive(self, request: Request, now: float) -> list[Output]:
        """The request again: the last response again, if there is one."""
        return [Send(self._data, self.flow)] if self._take(Event.GOT_REQUEST) else []

    def respond(self, response: Response, now: float) -> list[Output]:
        """Send a response of the user; nothing follows the first final one."""
        event = Event.SENT_1XX if response.status < 200 else Event.SENT_FINAL
        if not self._take(event):
            return []
        self._data = bytes(response)
        if event is Event.SENT_FINAL:
            if self.flow.reliable:
                self._take(Event.TIMER_J)  # §17.2.2: J is zero over TCP and TLS
            else:
                self._end_at = now + self._timers.timeout
        return [Send(self._data, self.flow)]

    def deadline(self) -> float | None:
        """When `expire` wants to be called; None: only a message or the user can move this transaction."""
        return None if self._end_at == _NEVER else self._end_at

    def expire(self, now: float) -> list[Output]:
        """Timer J."""
        if now >= self._end_at:
            self._take(Event.TIMER_J)
        return []

    def failed(self, now: float) -> list[Output]:
        """A response could not be sent: the user is told, and the state stays (RFC 6026 §8.8)."""
        return [TransportFailed(self)] if self._take(Event.FAILED) else []

    def _take(self, event: Event) -> bool:
        state = self.NEXT.get((self.state, event))
        if state is None:
            return False
        self.state = state
        if state is State.TERMINATED:
            self.over = True
            self._end_at = _NEVER
        return True


ClientTransaction = ClientInvite | ClientRequest
ServerTransaction = ServerInvite | ServerRequest
Transaction = ClientTransaction | ServerTransaction

MACHINES: tuple[type[Transaction], ...] = (ClientInvite, ClientRequest, ServerInvite, ServerRequest)
EDGES = sum(len(machine.NEXT) for machine in MACHINES)  # what the report of taken edges must reach
