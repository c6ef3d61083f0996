"""SIP over TCP: a listening address with the connections it accepted and those it opened (RFC 3261 §18).

`aio.tls_stream` puts TLS between the socket and the framer of these connections.

A connection belongs to the flow of its far address; a Send on a flow without one opens
it from a port of the system's choice. Everything is bounded: connections, what a
connection may leave unread, and how long a started message may take.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import socket
from collections import Counter
from collections.abc import Coroutine
from typing import NamedTuple, cast

from trunkline.aio import clock
from trunkline.aio.udp import Arrived, Failed
from trunkline.sip.flow import Flow
from trunkline.sip.framing import Framed, Framer, KeepAlive, Malformed, Whole
from trunkline.sip.message import Request, Response, respond

_NO_ACK = 30_000  # milliseconds unacknowledged until the kernel gives the connection up (TCP_USER_TIMEOUT)

_BACKLOG = 512


class Limits(NamedTuple):
    """What strangers may cost us.

    `patience`: seconds from a message's first byte to its last. `connect`: seconds until
    a connection must stand, well under a gateway's `initial_timeout` of 4, so that a large
    request still has time for UDP (RFC 3261 §18.1.1). `unread`: bytes that wait for a peer
    that does not read.
    """

    connections: int = 2048
    per_source: int = 256
    patience: float = 15.0
    connect: float = 2.0
    unread: int = 1 << 20


LIMITS = Limits()


class Upkeep(NamedTuple):
    """What connections that this side opened are kept alive by; 0 switches each off.

    `ping`: seconds of silence until a double CRLF is sent, `pong`: seconds until the
    peer must have said anything then (RFC 5626 §3.5.1, §4.4.1). `reopen`: seconds until
    a lost connection is opened again, once; after that a Send opens it.
    """

    ping: float = 0.0
    pong: float = 10.0
    reopen: float = 0.0


UPKEEP = Upkeep()


Place = tuple[tuple[str, int], str]  # the far address, and the name its certificate was matched to


class Connection(asyncio.Protocol):
    """One connection, accepted or opened; `flow` is known once it stands."""

    def __init__(self, port: StreamPort, flow: Flow | None = None) -> None:
        self._port, self._opened = port, flow is not None
        self.flow = flow or Flow(port.kind, port.local, ("", 0))
        self._framer = Framer(patience=port.limits.patience)
        self._timer: asyncio.TimerHandle | None = None
        self._keeping: asyncio.TimerHandle | None = None
        self._made_at = self._heard_at = clock.now()
        self.transport: asyncio.Transport | None = None
        self._told = False  # that nothing can be sent here any more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        if not self._opened:
            peer = transport.get_extra_info("peername")
            if peer is None:  # it was gone before it was accepted
                self.abandon()
                return
            self.flow = Flow(self._port.kind, self._port.local, (peer[0], peer[1]))
        self._port.prepare(transport.get_extra_info("socket"))
        if not self._port.admit(self):
            if self._opened:
                self._lost("too many connections")
            self.abandon()
        else:
            self.stand()

    def stand(self) -> None:
        """Messages may pass from here on."""
        if self._opened and self._port.upkeep.ping:
            self._keep(self._port.upkeep.ping)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._keeping):
            if timer is not None:
                timer.cancel()
        self._timer = self._keeping = None
        self._port.forget(self)
        if not self._told:
            why = os.strerror(exc.errno) if isinstance(exc, OSError) and exc.errno else "closed by the peer"
            self._lost(why)

    def data_received(self, data: bytes) -> None:
        self._heard_at = now = clock.now()
        framed = self._framer.feed(data, now)
        if self._framer.exact and not self._told:
            self._port.arrived(Whole.of(cast("Request | Response", framed[0]), data), self.flow)
        else:
            self._take(framed)
            self._watch(now)

    def write(self, data: bytes) -> None:
        """Send; a peer that leaves too much unread loses the connection."""
        transport = self.transport
        if transport is None or transport.is_closing():
            if not self._told:
                self._lost("the connection is closing")
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._port.limits.unread:
            self._lost("the peer does not read")
            self.abandon()

    def end(self) -> None:
        """Close once everything is sent; the node asked for it, so it is not told."""
        self._told = True
        self._port.forget(self)
        if self.transport is not None:
            self.transport.close()

    def abandon(self) -> None:
        """Drop the connection at once."""
        self._told = True
        self._port.forget(self)
        if self.transport is not None:
            self.transport.abort()

    def _lost(self, why: str) -> None:
        self._told = True
        self._port.failed(self.flow, why)
        if self._opened and self._heard_at > self._made_at:  # one that never served will not serve now
            self._port.reopen(self.flow)

    def _keep(self, wait: float) -> None:
        self._keeping = asyncio.get_running_loop().call_later(wait, self._ping)

    def _ping(self) -> None:
        """Ask a silent peer whether it is there; come back when it would be silent for long enough."""
        upkeep, silent = self._port.upkeep, clock.now() - self._heard_at
        if silent < upkeep.ping:
            self._keep(upkeep.ping - silent)
            return
        self.write(b"\r\n\r\n")
        if upkeep.pong and not self._told:
            asked_at = clock.now()
            self._keeping = asyncio.get_running_loop().call_later(upkeep.pong, self._ponged, asked_at)
        elif not self._told:
            self._keep(upkeep.ping)

    def _ponged(self, asked_at: float) -> None:
        if self._heard_at < asked_at:
            self._lost(f"no answer to a keep-alive within {self._port.upkeep.pong:g} s")
            self.abandon()
        else:
            self._keep(self._port.upkeep.ping)

    def _take(self, framed: list[Framed]) -> None:
        for item in framed:
            if isinstance(item, KeepAlive):
                self.write(b"\r\n")  # RFC 5626 §4.4.1: the pong
            elif isinstance(item, Malformed):
                self._refuse(item)
            elif not self._told:
                self._port.arrived(Whole.of(item, bytes(item)), self.flow)

    def _refuse(self, wrong: Malformed) -> None:
        """Answer what can be answered (RFC 3261 §21.4); close where the next message cannot be found."""
        request = wrong.error.message
        if request is not None and request.method != "ACK":
            answer = respond(
                request, wrong.error.status, f"Bad {wrong.error.where}", to_tag=secrets.token_hex(8)
            )
            self.write(bytes(answer))
        if wrong.fatal:
            if not self._told:
                self._lost(f"broken stream: {wrong.error}")
            self.end()

    def _watch(self, now: float) -> None:
        due = self._framer.deadline()
        if due is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due - now) + 0.001, self._due)

    def _due(self) -> None:
        self._timer, now = None, clock.now()
        self._take(self._framer.expire(now))
        self._watch(now)


class StreamPort:
    """A bound and listening TCP socket: `local` says the port that was drawn for port 0.

    Connections that come before `listen` wait in the kernel.
    """

    kind = "TCP"

    def __init__(
        self,
        address: str,
        port: int,
        *,
        tos: int = 0,
        limits: Limits = LIMITS,
        upkeep: Upkeep = UPKEEP,
    ) -> None:
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._address, self._tos, self.limits, self.upkeep = address, tos, limits, upkeep
        self._socket = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            self._socket.setblocking(False)
            if self._family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address, port))
            self._socket.listen(_BACKLOG)
        except OSError as error:
            self._socket.close()
            raise OSError(
                error.errno, f"{self.kind} {address} port {port}: {os.strerror(error.errno or 0)}"
            ) from error
        self.local: tuple[str, int] = (address, self._socket.getsockname()[1])
        self._connections: dict[Place, Connection] = {}
        self._waiting: dict[Place, list[bytes]] = {}  # data for connections that do not stand yet
        self._sources: Counter[str] = Counter()
        self._standing: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reopening: dict[Place, asyncio.TimerHandle] = {}
        self._server: asyncio.Server | None = None
        self._closed = False

    def __len__(self) -> int:
        """How many connections stand."""
        return len(self._standing)

    def listen(self, arrived: Arrived, failed: Failed) -> None:
        """Hand each message to `arrived`, and each flow that is lost or cannot be opened to `failed`."""
        self.arrived, self._failed = arrived, failed
        self._start(self._serve())

    def send(self, data: bytes, flow: Flow) -> None:
        """Send on the flow's connection, or open it first; failures are told to `failed`, never raised."""
        place = flow.remote, flow.peer
        connection = self._connections.get(place)
        if connection is not None:
            connection.write(data)
        elif self._closed:
            self.failed(flow, "this side is closed")
        elif (waiting := self._waiting.get(place)) is None:
            self._waiting[place] = [data]
            self._start(self._connect(flow))
        elif sum(map(len, waiting)) > self.limits.unread:
            self.failed(flow, "too much waits for the connection")
        else:
            waiting.append(data)

    def end(self, flow: Flow, why: str) -> None:
        """Close the flow's connection once everything is sent."""
        if (connection := self._connections.get((flow.remote, flow.peer))) is not None:
            connection.end()

    def close(self) -> None:
        """Stop listening and close every connection; closing twice is closing once."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for timer in self._reopening.values():
            timer.cancel()
        for connection in list(self._standing):
            connection.end()
        if self._server is None:
            self._socket.close()
        else:
            self._server.close()  # and the socket with it

    # --- for connections --------------------------------------------------------

    def failed(self, flow: Flow, why: str) -> None:
        """Tell that nothing can be sent on this flow."""
        if not self._closed:
            self._failed(flow, why)

    def admit(self, connection: Connection) -> bool:
        """Count a connection that stands; False if it is one too many."""
        source = connection.flow.remote[0]
        full = len(self) >= self.limits.connections or self._sources[source] >= self.limits.per_source
        if full or self._closed:
            return False
        self._standing.add(connection)
        self._sources[source] += 1
        self.book(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """Take a connection off the books, and out of the count, if it is in it."""
        if connection not in self._standing:
            return
        self.unbook(connection)
        self._standing.remove(connection)
        source = connection.flow.remote[0]
        self._sources[source] -= 1
        if not self._sources[source]:
            del self._sources[source]

    def book(self, connection: Connection) -> None:
        """What is sent on its flow goes out on this connection."""
        self._connections[connection.flow.remote, connection.flow.peer] = connection

    def unbook(self, connection: Connection) -> None:
        """Nothing is sent on this connection any more; a Send opens another."""
        place = connection.flow.remote, connection.flow.peer
        if self._connections.get(place) is connection:
            del self._connections[place]

    def reopen(self, flow: Flow) -> None:
        """Open a lost connection again after a while, unless a Send did so before."""
        place = flow.remote, flow.peer
        if self.upkeep.reopen and not self._closed and place not in self._reopening:
            loop = asyncio.get_running_loop()
            self._reopening[place] = loop.call_later(self.upkeep.reopen, self._open_again, flow)

    def _open_again(self, flow: Flow) -> None:
        place = flow.remote, flow.peer
        del self._reopening[place]
        if place not in self._connections and place not in self._waiting:
            self._waiting[place] = []
            self._start(self._connect(flow))

    # --- opening ----------------------------------------------------------------

    def prepare(self, made: socket.socket) -> None:
        """Mark what is sent, send at once, and notice a peer that has gone silent for good."""
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _NO_ACK)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._family == socket.AF_INET:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self._tos)
        else:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self._tos)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self.connection, sock=self._socket, backlog=_BACKLOG)

    def connection(self, flow: Flow | None = None) -> Connection:
        """A new connection, to be opened for `flow`, or accepted."""
        return Connection(self, flow)

    def check(self, flow: Flow) -> None:
        """Raises ValueError, saying why, for a flow that no connection can be opened for."""
        try:
            ipaddress.ip_address(flow.remote[0])  # a name would be looked up, and nobody asked for that
            if not 0 < flow.remote[1] < 65536:
                raise ValueError(flow.remote[1])  # uvloop would take it modulo 65536
        except ValueError:
            raise ValueError(f"{flow.remote[0]!r} port {flow.remote[1]} is not an address") from None

    async def _connect(self, flow: Flow) -> None:
        why = ""
        try:
            self.check(flow)
            made = self.connection(flow)
            loop, source = asyncio.get_running_loop(), (self._address, 0)
            async with asyncio.timeout(self.limits.connect):
                await loop.create_connection(lambda: made, *flow.remote, local_addr=source)
        except TimeoutError:
            why = f"no connection within {self.limits.connect:g} s"
        except OSError as error:
            why = os.strerror(error.errno or 0)
        except ValueError as error:
            why = str(error)
        finally:
            waiting = self._waiting.pop((flow.remote, flow.peer))
        if why:
            self.failed(flow, why)
            return
        for data in waiting:
            made.write(data)
