"""One UDP socket per listening address: many datagrams a wake-up, and whom ICMP says is not there.

The socket is read by `loop.add_reader` and written directly: as cheap as uvloop's
datagram transport, half the CPU of asyncio's, and it leaves us the socket's error
queue. With IP_RECVERR (ip(7)) an unconnected socket learns which destination an ICMP
error speaks of, which a transport's `error_received` does not say.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Callable

from trunkline.sip.flow import Flow

_IP_RECVERR, _IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h; absent from Python's socket module
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h; asks CAP_NET_ADMIN
_RECVERR = ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR))
_SOCK_EXTENDED_ERR = struct.Struct("=IBBBBII")  # linux/errqueue.h: errno, origin, type, code, pad, info, data
_A_WAKE_UP = 64  # datagrams read before other sockets and timers have their turn
_KNOWN = 4096  # peers remembered, and destinations as checked

# A datagram too large for the path (the kernel cuts the next one), or no room to send now: a retransmission
# answers these, the destination is not at fault.
_PASSING = frozenset({errno.EMSGSIZE, errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
# Source quench and time exceeded, as (origin, ICMP type): RFC 3261 §18.4 has them ignored.
_IGNORED = ((2, 4), (2, 11), (3, 3))

Arrived = Callable[[bytes, Flow], None]
Failed = Callable[[Flow, str], None]


class UdpPort:
    """A bound UDP socket: `local` says the port that was drawn for port 0; `listen` once the node stands.

    `tos` is the IP TOS byte (DSCP shifted left by two) of everything sent; `buffer`
    asks the kernel for that many bytes of receive queue. `lost` counts datagrams that
    the kernel took no room for.
    """

    __slots__ = ("_arrived", "_failed", "_flows", "_known", "_loop", "_socket", "local", "lost")

    def __init__(self, address: str, port: int, *, tos: int = 0, buffer: int = 8 << 20) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._queue(buffer)
            if family == socket.AF_INET:
                self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
            else:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
            self._socket.bind((address, port))
        except OSError as error:
            self._socket.close()
            raise OSError(
                error.errno, f"UDP {address} port {port}: {os.strerror(error.errno or 0)}"
            ) from error
        self.local: tuple[str, int] = (address, self._socket.getsockname()[1])
        self.lost = 0
        self._known: set[tuple[str, int]] = set()
        self._flows: dict[tuple[str, int], Flow] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def _queue(self, size: int) -> None:
        """Ask for a receive queue: the whole of it as root, else what net.core.rmem_max allows."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
        except OSError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def listen(self, arrived: Arrived, failed: Failed) -> None:
        """Hand each datagram to `arrived`, and each destination that cannot be reached to `failed`."""
        self._arrived, self._failed = arrived, failed
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """Stop reading and give the port back; closing twice is closing once."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None
        self._socket.close()

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one datagram to `flow.remote`; failures are told to `failed`, never raised."""
        remote = flow.remote
        if remote not in self._known and not self._learn(flow):
            return
        try:
            self._socket.sendto(data, remote)
        except OSError:
            # The error may be an earlier datagram's: the queue tells whose, then this one is tried again.
            self._read_errors()
            self._soon_watch()
            try:
                self._socket.sendto(data, remote)
            except OSError as error:
                self._not_sent(flow, error)

    def _learn(self, flow: Flow) -> bool:
        """Let only address literals pass: sendto() would look a name up, and stand still meanwhile."""
        host, port = flow.remote
        try:
            ipaddress.ip_address(host)
        except ValueError:
            self._failed(flow, f"{host!r} is not an IP address")
            return False
        if not 0 < port < 65536:
            self._failed(flow, f"{port} is not a port")
            return False
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known.add(flow.remote)
        return True

    def _not_sent(self, flow: Flow, error: OSError) -> None:
        if error.errno == errno.EMSGSIZE:
            self._failed(flow, "message too long for UDP")
        elif error.errno in _PASSING or error.errno == errno.ECONNREFUSED:  # the latter is another's, again
            self.lost += 1
        else:
            self._failed(flow, os.strerror(error.errno or 0))

    def _readable(self) -> None:
        receive, arrived, flows = self._socket.recvfrom, self._arrived, self._flows
        for turn in range(_A_WAKE_UP):
            try:
                data, remote = receive(65535)
            except BlockingIOError:
                if not turn:
                    self._watch_again()
                return
            except OSError:
                self._read_errors()
                self._watch_again()
                return
            flow = flows.get(remote)
            arrived(data, self._flow(remote) if flow is None else flow)

    def _flow(self, remote: tuple[str, int]) -> Flow:
        """One Flow for all datagrams of a peer: calls and registrations keep it."""
        if len(self._flows) >= _KNOWN:
            self._flows.clear()
        flow = self._flows[remote] = Flow("UDP", self.local, remote[:2])
        return flow

    def _watch_again(self) -> None:
        """Register the socket anew: libuv stops watching a descriptor once it has shown an error."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def _soon_watch(self) -> None:
        # Not at once: the same wake-up may already hold the error event that stops the watch.
        if self._loop is not None:
            self._loop.call_soon(self._watch_again)

    def _read_errors(self) -> None:
        """Empty the socket's error queue and tell which destinations ICMP found unreachable (ip(7))."""
        for _ in range(_A_WAKE_UP):
            try:
                _, ancillary, _, remote = self._socket.recvmsg(64, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            for level, kind, value in ancillary:
                if (level, kind) in _RECVERR:
                    number, origin, icmp_type = _SOCK_EXTENDED_ERR.unpack_from(value)[:3]
                    if number not in _PASSING and (origin, icmp_type) not in _IGNORED:
                        self._failed(Flow("UDP", self.local, (remote[0], remote[1])), os.strerror(number))
