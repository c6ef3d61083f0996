"""A whole telephone world in one process: nodes, a network that misbehaves by seed, virtual time.

Everything random comes from one seeded generator and every event has its place in one
queue, so a run is a function of its seed and replays to the byte. What `aio` does with
sockets is done here with events: datagrams, connections, ICMP, one timer a node.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any, Protocol

from trunkline.call.node import Log, Node, Received, Unreachable, Write
from trunkline.media import anchor
from trunkline.sip.flow import Close, Flow, Send
from trunkline.sip.locate import Answers, Question

Place = tuple[str, int]  # an IP literal and a port

CONNECT = 2.0  # seconds until a connection that nobody answers is given up, as in aio.stream
UNACKNOWLEDGED = 30.0  # seconds until one that stands but leads nowhere is given up, likewise
RETRY = 0.7  # seconds between two tries of a stream to get through
MOST_TURNS = 200  # turns of one node at one instant; more is a machine that spins


class Broken(AssertionError):
    """Something happened that must never happen."""


class Mode(Enum):
    """How a host does. GONE: its ports are closed. SILENT: its cable is cut. STOPPED: it got SIGSTOP."""

    UP = "up"
    GONE = "gone"
    SILENT = "silent"
    STOPPED = "stopped"


class SeededIds:
    """The `Ids` of a simulation: the same seed gives the same tags and branches."""

    __slots__ = ("_below", "_bits")

    def __init__(self, dice: random.Random) -> None:
        self._bits = dice.getrandbits
        self._below = dice.randrange

    def token(self) -> str:
        return f"{self._bits(64):016x}"

    def number(self, below: int) -> int:
        return self._below(below)


@dataclass(frozen=True, slots=True)
class Weather:
    """What the network does to a datagram: chances 0-1, delays in seconds, uniform between two bounds.

    A wide spread of delays is what reorders.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    delay: tuple[float, float] = (0.001, 0.005)


CALM = Weather()


class Hands(Protocol):
    """Who carries out the media seam's commands of one host."""

    def submit(self, command: anchor.Command) -> None: ...

    def lost(self) -> None:
        """The process is gone, and its ports with it."""


class Tap(Protocol):
    """Who sees what passes: each message as it leaves a host and as a host takes it."""

    def sent(self, host: Host, data: bytes, flow: Flow, now: float) -> None: ...

    def taken(self, host: Host, data: bytes, flow: Flow, now: float) -> None: ...


@dataclass(eq=False, slots=True)
class Host:
    """A node with its addresses; `records` and `logs` are what it wrote and said, with the time."""

    name: str
    node: Node
    udp: frozenset[Place]
    tcp: frozenset[Place]
    tls: frozenset[Place] = frozenset()
    hands: Hands | None = None
    mode: Mode = Mode.UP
    records: list[dict[str, Any]] = field(default_factory=list)
    logs: list[tuple[float, Log]] = field(default_factory=list)
    wake_at: float = float("inf")
    turns: tuple[float, int] = (0.0, 0)
    backlog: list[Any] = field(default_factory=list)  # what waits for a STOPPED host

    @property
    def address(self) -> str:
        return next(iter(sorted(self.udp | self.tcp | self.tls)))[0]

    def listens(self, flow: Flow) -> bool:
        """Whether the port this flow leaves from is open."""
        return flow.local in {"UDP": self.udp, "TCP": self.tcp, "TLS": self.tls}[flow.transport]


class _Pipe:
    """One direction of a connection: what was written and has not arrived, in order."""

    __slots__ = ("busy", "data", "since")

    def __init__(self) -> None:
        self.data: deque[bytes] = deque()
        self.busy = False
        self.since = 0.0


class Connection:
    """A stream between two hosts; `a` opened it."""

    __slots__ = ("a", "a_flow", "b", "b_flow", "open", "pipes")

    def __init__(self, a: Host, a_flow: Flow, b: Host, b_flow: Flow) -> None:
        self.a, self.a_flow, self.b, self.b_flow = a, a_flow, b, b_flow
        self.open = True
        self.pipes = {id(a): _Pipe(), id(b): _Pipe()}  # by who writes

    def far(self, host: Host) -> tuple[Host, Flow]:
        return (self.b, self.b_flow) if host is self.a else (self.a, self.a_flow)

    def flow(self, host: Host) -> Flow:
        return self.a_flow if host is self.a else self.b_flow


class World:
    """The queue, the clock and the network between hosts."""

    def __init__(self, seed: int, weather: Weather = CALM, *, log: bool = False) -> None:
        self.dice = random.Random(seed)
        self.ids = SeededIds(self.dice)
        self.weather = weather
        self.now = 0.0
        self.hosts: list[Host] = []
        self.taps: list[Tap] = []
        self.names: dict[Question, tuple[Any, ...]] = {}
        self.ttl = 300.0
        self.dns_error = ""  # what the DNS answers instead
        self.dns_silent = False
        self.sent = 0
        self.log: list[str] | None = [] if log else None
        self._digest = blake2b(digest_size=16)
        self._places: dict[tuple[str, Place], Host] = {}
        self._streams: dict[tuple[Place, Place], Connection] = {}
        self._opening: dict[tuple[Place, Place], list[bytes]] = {}
        self._ports = 40000
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0

    # --- hosts ----------------------------------------------------------------------

    def add(
        self,
        name: str,
        node: Node,
        udp: Iterable[Place],
        tcp: Iterable[Place] = (),
        tls: Iterable[Place] = (),
    ) -> Host:
        """A host on the network; its media hands are set afterwards."""
        host = Host(name, node, frozenset(udp), frozenset(tcp), frozenset(tls))
        self.hosts.append(host)
        for transport, places in (("UDP", host.udp), ("TCP", host.tcp), ("TLS", host.tls)):
            for place in places:
                self._places[transport, place] = host
        return host

    def take_off(self, host: Host) -> None:
        """Its process ends: connections are reset, media ports closed. Its addresses stay unused."""
        self.note(f"{host.name} gone")
        host.mode = Mode.GONE
        for connection in self._connections_of(host):
            self._reset(connection, but=host)
        if host.hands is not None:
            host.hands.lost()

    def put_on(self, host: Host, node: Node) -> None:
        """A fresh process takes the addresses."""
        self.note(f"{host.name} back")
        host.node, host.mode, host.wake_at, host.backlog = node, Mode.UP, float("inf"), []
        self._look(host)

    def silence(self, host: Host, silent: bool) -> None:
        """Cut the cable, or mend it."""
        self.note(f"{host.name} {'cut off' if silent else 'reachable'}")
        host.mode = Mode.SILENT if silent else Mode.UP
        self._look(host)

    def stop(self, host: Host) -> None:
        """SIGSTOP: it does nothing, and what is sent to it waits."""
        self.note(f"{host.name} stopped")
        host.mode = Mode.STOPPED

    def go_on(self, host: Host) -> None:
        """SIGCONT: time has passed; what waited comes at once."""
        self.note(f"{host.name} continued")
        host.mode, waiting = Mode.UP, host.backlog
        host.backlog = []
        self._wake(host)
        for event in waiting:
            self.give(host, event)

    def break_streams(self, host: Host) -> None:
        """Every connection of this host is reset (a NAT that forgets)."""
        for connection in self._connections_of(host):
            self._reset(connection)

    # --- what happens ---------------------------------------------------------------

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Do this at that time."""
        self._serial += 1
        heappush(self._queue, (when, self._serial, act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.now + seconds, act)

    def note(self, line: str) -> None:
        """Put a line into the log; every line is part of what must replay."""
        self._digest.update(f"{self.now:.6f} {line}\n".encode())
        if self.log is not None:
            self.log.append(f"{self.now:12.6f}  {line}")

    def fingerprint(self) -> str:
        """One word for all that happened until now."""
        return self._digest.hexdigest()

    def give(self, host: Host, event: Any) -> None:
        """Let a node take an event now, and carry out what it asks."""
        if host.mode is Mode.STOPPED:
            host.backlog.append(event)
        elif host.mode is not Mode.GONE:
            if type(event) is Received:
                for tap in self.taps:
                    tap.taken(host, event.data, event.flow, self.now)
            self.carry(host, host.node.receive(event, self.now))

    def carry(self, host: Host, outputs: Iterable[Any]) -> None:
        """The hands of `aio`, on virtual time."""
        for output in outputs:
            kind = type(output)
            if kind is Send:
                self._send(host, output)
            elif kind is Question:
                self._ask(host, output)
            elif kind is Write:
                self.note(f"{host.name} writes {sorted(output.record.items())}")
                host.records.append(dict(output.record))
            elif kind is Log:
                self.note(f"{host.name} says {output.level}: {output.text}")
                host.logs.append((self.now, output))
            elif kind is Close:
                self._close(host, output.flow)
            elif isinstance(output, anchor.Command):
                assert host.hands is not None
                host.hands.submit(output)
            else:
                raise Broken(f"{host.name} put out {output!r}, which aio does not know")
        self._look(host)

    def run(self, until: float) -> None:
        """Let time pass until then."""
        queue = self._queue
        while queue and queue[0][0] <= until:
            when, _, act = heappop(queue)
            if when > self.now:
                self.now = when
            act()
        self.now = until

    def _look(self, host: Host) -> None:
        """Note when the node wants to be woken, if that is sooner than known."""
        due = host.node.deadline()
        if due is not None and due < host.wake_at:
            host.wake_at = due
            self.at(due, partial(self._due, host, due))

    def _due(self, host: Host, due: float) -> None:
        if host.wake_at == due:  # else it was woken for something sooner, and looked again
            self._wake(host)

    def _wake(self, host: Host) -> None:
        host.wake_at = float("inf")
        if host.mode in (Mode.GONE, Mode.STOPPED):
            return
        due = host.node.deadline()
        if due is not None and due <= self.now:
            at, turns = host.turns
            host.turns = (self.now, turns + 1 if at == self.now else 1)
            if turns > MOST_TURNS:
                raise Broken(f"{host.name} spins: due again and again at {due}")
            self.carry(host, host.node.expire(self.now))
        else:
            self._look(host)

    # --- names ----------------------------------------------------------------------

    def _ask(self, host: Host, question: Question) -> None:
        if self.dns_silent:
            return
        if self.dns_error:
            answers = Answers(question, (), 0.0, self.dns_error)
        else:
            answers = Answers(question, self.names.get(question, ()), self.ttl)
        self.after(0.002, partial(self.give, host, answers))

    # --- messages -------------------------------------------------------------------

    def _send(self, host: Host, send: Send) -> None:
        data, flow = send.data, send.flow
        self.sent += 1
        for tap in self.taps:
            tap.sent(host, data, flow, self.now)
        self._note_message(host, data, flow)
        if not host.listens(flow):
            self._unreachable(host, flow, "that port is not open")
        elif flow.transport == "UDP":
            self._send_datagram(host, data, flow)
        else:
            self._write(host, data, flow)

    def _note_message(self, host: Host, data: bytes, flow: Flow) -> None:
        digest = self._digest
        digest.update(f"{self.now:.6f} {host.name} {flow}\n".encode())
        digest.update(data)
        if self.log is not None:
            to = self._places.get((flow.transport, flow.remote))
            name = to.name if to is not None else f"{flow.remote[0]}:{flow.remote[1]}"
            self.log.append(f"{self.now:12.6f}  {host.name} -> {name}  {summary(data)}")

    def _unreachable(self, host: Host, flow: Flow, why: str, delay: float = 0.0) -> None:
        self.after(delay, partial(self._tell_unreachable, host, flow, why))

    def _tell_unreachable(self, host: Host, flow: Flow, why: str) -> None:
        if host.mode is not Mode.SILENT:
            self.note(f"{host.name} told: {flow.remote[0]}:{flow.remote[1]} {why}")
            self.give(host, Unreachable(flow, why))

    def _send_datagram(self, host: Host, data: bytes, flow: Flow) -> None:
        weather, dice = self.weather, self.dice
        copies = 1
        if weather.loss and dice.random() < weather.loss:
            self.note("lost")
            copies = 0
        elif weather.duplicate and dice.random() < weather.duplicate:
            copies = 2
        if host.mode is Mode.SILENT:
            return
        low, high = weather.delay
        for _ in range(copies):
            self.after(low + (high - low) * dice.random(), partial(self._arrive, host, data, flow))

    def _arrive(self, sender: Host, data: bytes, flow: Flow) -> None:
        host = self._places.get(("UDP", flow.remote))
        if host is None or host.mode is Mode.GONE:
            self._unreachable(sender, flow, "connection refused", 0.001)
        elif host.mode is not Mode.SILENT:
            self.give(host, Received(data, Flow("UDP", flow.remote, flow.local)))

    # --- streams --------------------------------------------------------------------

    def _connections_of(self, host: Host) -> list[Connection]:
        return [c for c in dict.fromkeys(self._streams.values()) if host in (c.a, c.b)]

    def _write(self, host: Host, data: bytes, flow: Flow) -> None:
        key = (flow.local, flow.remote)
        connection = self._streams.get(key)
        if connection is not None:
            self._fill(connection, host, data)
        elif key in self._opening:
            self._opening[key].append(data)
        else:
            self._opening[key] = [data]
            self._connect(host, flow)

    def _connect(self, host: Host, flow: Flow) -> None:
        far = self._places.get((flow.transport, flow.remote))
        if host.mode is Mode.SILENT or (far is not None and far.mode is Mode.SILENT):
            self.after(CONNECT, partial(self._not_opened, host, flow, "no connection within 5 s"))
        elif far is None or far.mode is Mode.GONE:
            self.after(0.002, partial(self._not_opened, host, flow, "connection refused"))
        else:
            self.after(0.004, partial(self._opened, host, flow, far))

    def _not_opened(self, host: Host, flow: Flow, why: str) -> None:
        self._opening.pop((flow.local, flow.remote), None)
        self._tell_unreachable(host, flow, why)

    def _opened(self, host: Host, flow: Flow, far: Host) -> None:
        waiting = self._opening.pop((flow.local, flow.remote), [])
        if host.mode is Mode.GONE or far.mode is Mode.GONE:
            self._tell_unreachable(host, flow, "connection refused")
            return
        self._ports += 1
        b_flow = Flow(flow.transport, flow.remote, (flow.local[0], self._ports))
        self._join(Connection(host, flow, far, b_flow), waiting)

    def _join(self, connection: Connection, waiting: Iterable[bytes]) -> None:
        """A connection stands; what waited for it goes out."""
        for flow in (connection.a_flow, connection.b_flow):
            self._streams[flow.local, flow.remote] = connection
        for data in waiting:
            self._fill(connection, connection.a, data)

    def _fill(self, connection: Connection, writer: Host, data: bytes) -> None:
        pipe = connection.pipes[id(writer)]
        pipe.data.append(data)
        if not pipe.busy:
            pipe.busy, pipe.since = True, self.now
            self.after(self._stream_delay(), partial(self._drain, connection, writer))

    def _stream_delay(self) -> float:
        """A segment that is lost comes later: TCP repeats it."""
        low, high = self.weather.delay
        late = RETRY if self.weather.loss and self.dice.random() < self.weather.loss else 0.0
        return low + (high - low) * self.dice.random() + late

    def _drain(self, connection: Connection, writer: Host) -> None:
        if not connection.open:
            return
        pipe, (reader, flow) = connection.pipes[id(writer)], connection.far(writer)
        if Mode.SILENT in (writer.mode, reader.mode):
            if self.now - pipe.since >= UNACKNOWLEDGED:
                self._forget(connection)
                self._tell_unreachable(writer, connection.flow(writer), "connection timed out")
            else:
                self.after(RETRY, partial(self._drain, connection, writer))
            return
        data = pipe.data.popleft()
        if pipe.data:
            pipe.since = self.now
            self.after(self._stream_delay(), partial(self._drain, connection, writer))
        else:
            pipe.busy = False
        self._arrived(connection, reader)
        self.give(reader, Received(data, flow))

    def _arrived(self, connection: Connection, reader: Host) -> None:
        """Something came to `reader` over this connection."""

    def _reset(self, connection: Connection, but: Host | None = None) -> None:
        """Both ends find the connection gone."""
        self._forget(connection)
        for host in (connection.a, connection.b):
            if host is not but:
                self._unreachable(host, connection.flow(host), "connection reset", 0.003)

    def _close(self, host: Host, flow: Flow) -> None:
        connection = self._streams.get((flow.local, flow.remote))
        if connection is not None:
            self._reset(connection, but=host)

    def _forget(self, connection: Connection) -> None:
        connection.open = False
        for flow in (connection.a_flow, connection.b_flow):
            if self._streams.get((flow.local, flow.remote)) is connection:
                del self._streams[flow.local, flow.remote]


def summary(data: bytes) -> str:
    """A message in one line: its start, Call-ID and CSeq, and whether it has a body."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    said = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    return f"{lines[0]}  [{said.get('call-id', '')[:8]} {said.get('cseq', '')}{' +sdp' if body else ''}]"
