"""Runs one node: bytes and time in, outputs carried out, one timer.

The driver is the only place where a machine meets the world. It feeds what arrives
(datagrams, framed messages, DNS answers, media events) to the node, carries out what
the node returns, and keeps a single timer for `node.deadline()`.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, get_args

from trunkline.aio import clock
from trunkline.aio.allowance import Allowance
from trunkline.aio.stream import LIMITS, UPKEEP, Limits, StreamPort, Upkeep
from trunkline.aio.tls_stream import HANDSHAKE, Parties, TlsPort
from trunkline.aio.udp import UdpPort
from trunkline.call.node import Drain, Input, Log, Node, Output, Received, Unreachable, Write
from trunkline.media import anchor
from trunkline.sip.flow import Close, Flow, Send
from trunkline.sip.locate import Answers, Question

_AT_ONCE = 1000  # inputs worked through before the loop has its turn
_TICK = 0.001  # the loop's timers count milliseconds (uvloop): a shorter wait would spin
_AFTER_FAULT = 1.0  # seconds without timers after an expiry that raised
_COMMANDS = frozenset(get_args(anchor.Command))
_KEEP_ALIVE = 4  # bytes; datagrams of CR, LF and NUL up to this length are keep-alives, not messages


class DrainedNode(Node, Protocol):
    """A node that says when nothing is left to end after Drain."""

    @property
    def drained(self) -> bool: ...


class MediaHands(Protocol):
    """Whoever carries media: takes commands, and tells its events to `Driver.feed`."""

    def submit(self, *commands: anchor.Command) -> None: ...


class Names(Protocol):
    """Whoever asks the DNS: each question is answered once, at once or later."""

    def ask(self, question: Question, tell: Callable[[Answers], None]) -> None: ...


class Trace(Protocol):
    """Whoever keeps what passed: `sent` is False for what arrived."""

    def saw(self, data: bytes, flow: Flow, sent: bool) -> None: ...


class Records(Protocol):
    """Whoever keeps records."""

    def write(self, record: Mapping[str, Any]) -> None: ...


def log_line(log: Log) -> None:
    """Write one log line with its civil time on standard error."""
    sys.stderr.write(f"{clock.civil_text()} {log.level}: {log.text}\n")


class Driver:
    """Open the ports, then `run(node)`; or `start(node)`, and `drain()` and `close()` when it is time.

    `allowance` bounds what one source may send before it is parsed (None: no bound).
    Without `names` every question fails, without `media` every Offer is refused;
    both, and `records`, may be set until `start`. `media` tells its events to `feed`.

    An exception that escapes the node is a bug of ours: it is logged with its trace and
    counted in `faults`, and the calls of everybody else go on.
    """

    def __init__(
        self,
        *,
        media: MediaHands | None = None,
        names: Names | None = None,
        records: Records | None = None,
        trace: Trace | None = None,
        log: Callable[[Log], None] = log_line,
        allowance: Allowance | None = None,
    ) -> None:
        self.media, self.names, self.records, self.trace = media, names, records, trace
        self.log, self._allowance = log, allowance
        self.received = self.sent = self.refused = self.faults = 0
        self._udp: dict[tuple[str, int], UdpPort] = {}
        self._streams: dict[tuple[str, int], StreamPort] = {}
        self._inbox: deque[Input] = deque()
        self._open = self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._bound: asyncio.TimerHandle | None = None
        self._draining = False
        self._early: float | None = None  # the bound of a drain asked for before the start

    # --- ports ----------------------------------------------------------------

    def udp(self, address: str, port: int, *, tos: int = 0) -> tuple[str, int]:
        """Open a UDP port and say which one it is; port 0 lets the system choose. Raises OSError."""
        opened = UdpPort(address, port, tos=tos)
        self._udp[opened.local] = opened
        return opened.local

    def tcp(
        self, address: str, port: int, *, tos: int = 0, limits: Limits = LIMITS, upkeep: Upkeep = UPKEEP
    ) -> tuple[str, int]:
        """Open a TCP port, likewise. Raises OSError."""
        opened = StreamPort(address, port, tos=tos, limits=limits, upkeep=upkeep)
        self._streams[opened.local] = opened
        return opened.local

    def tls(
        self,
        address: str,
        port: int,
        parties: Parties,
        *,
        tos: int = 0,
        limits: Limits = LIMITS,
        upkeep: Upkeep = UPKEEP,
        handshake: float = HANDSHAKE,
        keylog: str = "",
    ) -> tuple[str, int]:
        """Open a TLS port, likewise; the node is told TlsUp and TlsRefused. Raises OSError and ParseError."""
        opened = TlsPort(
            address,
            port,
            parties,
            self.feed,
            tos=tos,
            limits=limits,
            upkeep=upkeep,
            handshake=handshake,
            keylog=keylog,
        )
        self._streams[opened.local] = opened
        return opened.local

    def renew_tls(self, local: tuple[str, int], parties: Parties) -> None:
        """Take other certificates and terms on that TLS port; its connections go on. Raises ParseError."""
        opened = self._streams[local]
        assert isinstance(opened, TlsPort)
        opened.renew(parties)

    def _ports(self) -> list[UdpPort | StreamPort]:
        return [*self._udp.values(), *self._streams.values()]

    # --- life -----------------------------------------------------------------

    def start(self, node: DrainedNode, outputs: Iterable[Output] = ()) -> None:
        """Carry out the node's first outputs and let the world in."""
        self._node, self._open = node, True
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[bool] = self._loop.create_future()
        for port in self._ports():
            port.listen(self._arrived, self._failed)
        self.perform(outputs)
        if self._early is not None:
            self.drain(self._early)

    async def run(self, node: DrainedNode, outputs: Iterable[Output] = ()) -> bool:
        """`start`, wait until the node has drained (True) or the bound passed (False), `close`."""
        self.start(node, outputs)
        try:
            return await self._ended
        finally:
            self.close()

    async def ended(self) -> bool:
        """Wait until the node has drained (True) or the bound of `drain` has passed (False)."""
        return await asyncio.shield(self._ended)

    def drain(self, bound: float = 5.0) -> None:
        """Let the node end its calls and stop, in `bound` seconds at most. A second call ends it now."""
        if not self._open:
            self._early = bound
            return
        if self._draining:
            self._give_up()
            return
        self._draining = True
        self._bound = self._loop.call_later(bound, self._give_up)
        self.feed(Drain())

    def close(self) -> None:
        """Close all ports and stop the timer; what is fed afterwards is dropped."""
        self._open = False
        for port in self._ports():
            port.close()
        self._udp.clear()
        self._streams.clear()
        self._inbox.clear()
        for timer in (self._timer, self._bound):
            if timer is not None:
                timer.cancel()
        self._timer = self._bound = None

    def counters(self) -> dict[str, int]:
        """Messages received, sent, refused by the allowance, and faults: for `trunkline status`."""
        return {
            "received": self.received,
            "sent": self.sent,
            "refused": self.refused,
            "faults": self.faults,
        }

    # --- in -------------------------------------------------------------------

    def feed(self, event: Input) -> None:
        """Give the node one event; safe to call while it works on another."""
        if not self._open:
            return
        self._inbox.append(event)
        if not self._busy:
            self._work()

    def perform(self, outputs: Iterable[Output]) -> None:
        """Carry out what a command to the node returned (a phone told to call, say)."""
        if self._busy:
            self._carry_out(outputs)
            return
        self._busy = True
        try:
            self._carry_out(outputs)
        finally:
            self._busy = False
        self._work()

    def _arrived(self, data: bytes, flow: Flow) -> None:
        if len(data) <= _KEEP_ALIVE and not data.strip(b"\r\n\0"):
            return  # RFC 5626 §4.4: keeps a NAT binding open, says nothing
        if self._allowance is not None and not self._allowance.takes(flow.remote[0], clock.now()):
            self.refused += 1
            return
        self.received += 1
        if self.trace is not None:
            self.trace.saw(data, flow, False)
        self._inbox.append(Received(data, flow))
        if not self._busy:
            self._work()

    def _failed(self, flow: Flow, why: str) -> None:
        self.feed(Unreachable(flow, why))

    def _work(self) -> None:
        if not self._open:
            return
        inbox, receive = self._inbox, self._node.receive
        self._busy = True
        try:
            for _ in range(_AT_ONCE):
                if not inbox:
                    break
                event = inbox.popleft()
                try:
                    self._carry_out(receive(event, clock.now()))
                except Exception as error:
                    self._fault(error)
        finally:
            self._busy = False
        if not self._open:
            return
        if inbox:
            self._loop.call_soon(self._work)
        self._arm()
        if self._draining and self._node.drained and not self._ended.done():
            self._ended.set_result(True)

    def _fault(self, error: Exception) -> None:
        self.faults += 1
        trace = "".join(traceback.format_exception(error)).rstrip()
        self.log(Log("error", f"a bug, please report it: {trace}"))

    def _give_up(self) -> None:
        if not self._ended.done():
            self._ended.set_result(False)

    # --- time -----------------------------------------------------------------

    def _arm(self) -> None:
        """Move the timer only when the deadline came nearer; a later one is found out when it fires."""
        due = self._node.deadline()
        if due is None or due >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._loop.call_later(max(due - clock.now(), 0.0) + _TICK, self._due)

    def _due(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        due, now = self._node.deadline(), clock.now()
        if due is not None and due <= now:
            self._busy = True
            try:
                self._carry_out(self._node.expire(now))
            except Exception as error:
                self._fault(error)
                # The same deadline would be due again at once, and the fault with it.
                self._timer_at = float("-inf")
                self._timer = self._loop.call_later(_AFTER_FAULT, self._due)
            finally:
                self._busy = False
        self._work()

    # --- out ------------------------------------------------------------------

    def _carry_out(self, outputs: Iterable[Output]) -> None:
        commands: list[Any] = []
        for output in outputs:
            kind = type(output)
            if kind is Send:
                self._send(output)  # type: ignore[arg-type]
            elif kind in _COMMANDS:
                commands.append(output)
            elif isinstance(output, Question):
                self._ask(output)
            elif isinstance(output, Write):
                if self.records is not None:
                    self.records.write(output.record)
            elif isinstance(output, Log):
                self.log(output)
            elif isinstance(output, Close) and (stream := self._streams.get(output.flow.local)) is not None:
                stream.end(output.flow, output.why)
        if commands:
            self._command(commands)

    def _command(self, commands: list[Any]) -> None:
        """What media's hands are to do: in one piece, and behind what is sent.

        It wakes a worker, which takes the processor from this process where the two share one.
        """
        if self.media is not None:
            self.media.submit(*commands)
            return
        offers = [command for command in commands if isinstance(command, anchor.Offer)]
        self._inbox += [anchor.Refused(offer.media, offer.leg, "no media here") for offer in offers]

    def _send(self, send: Send) -> None:
        flow = send.flow
        port: UdpPort | StreamPort | None
        if flow.transport == "UDP":
            port = self._udp.get(flow.local)
        else:
            port = self._streams.get(flow.local)
        if port is None:
            self._inbox.append(
                Unreachable(flow, f"{flow.transport} {flow.local[0]}:{flow.local[1]} is not open")
            )
            return
        self.sent += 1
        if self.trace is not None:
            self.trace.saw(send.data, flow, True)
        port.send(send.data, flow)

    def _ask(self, question: Question) -> None:
        if self.names is None:
            self._inbox.append(Answers(question, (), 0.0, "no DNS server"))
        else:
            self.names.ask(question, self.feed)
