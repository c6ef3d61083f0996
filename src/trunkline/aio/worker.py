"""A media worker: a process of its own that carries calls between sockets, by epoll and nothing else.

Started by `aio.workers` with one end of a socket pair: commands of the media seam come in
there, events go back. The worker ends when that socket does, so it never outlives
signalling; signals to its group are signalling's to act on.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import ceil
from typing import NamedTuple

from trunkline.aio import clock
from trunkline.aio.ports import FILES, Port, Ports
from trunkline.aio.seam import Inbox, Message, Ready, encode
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.media.latch import Address
from trunkline.media.path import Path
from trunkline.media.session import Output, SendRtcp, SendRtp, Session
from trunkline.media.srtp import Buffer

TICK = 0.005  # seconds; a packet time is a multiple, so what is paced keeps its place between ticks
_ELSE = 64  # files a worker has open beside its ports
_READ = 1 << 16  # octets read of the socket pair at once
_QUEUED = 64  # datagrams that may have come from anybody before a socket was connected


_Hot = tuple[Callable[[memoryview], int], Path]


class _Call:
    """A session with its ports, and when it is looked at next."""

    __slots__ = ("filed", "ports", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.ports: dict[str, Port] = {}
        self.filed: float | None = None


class Terms(NamedTuple):
    """What a worker is told when it starts: the ports that are its own, and how to use them."""

    first: int
    last: int
    dscp: int  # 0-63, on every packet
    silence_after: float  # seconds
    cname: str
    at: str = ""  # ranges that addresses have of their own: "192.0.2.1=20000-20999 ..."
    begin: float = 0.0  # 0-1: where in such a range the first port is taken

    @classmethod
    def parse(cls, words: Sequence[str]) -> Terms:
        """From a command line; `str` of each field is the way back."""
        first, last, dscp, silence_after, cname, at, begin = words
        return cls(int(first), int(last), int(dscp), float(silence_after), cname, at, float(begin))

    @property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """`at` by address."""
        found = {}
        for word in self.at.split():
            address, _, ports = word.partition("=")
            first, _, last = ports.partition("-")
            found[address] = (int(first), int(last))
        return found


class Worker:
    """Serves the commands that come on `control` until it is closed."""

    def __init__(self, control: socket.socket, terms: Terms) -> None:
        self._control, self._terms = control, terms
        self._inbox = Inbox()
        self._events: list[Message] = []  # told in this turn
        self._unsent, self._writing = bytearray(), False
        self._ports = Ports(terms.first, terms.last, terms.dscp << 2, terms.ranges, terms.begin)
        self._ids = clock.SystemIds()
        self._buffer = Buffer()
        self._calls: dict[str, _Call] = {}
        self._due: list[tuple[float, int, _Call]] = []
        self._turn = count()
        self._epoll = select.epoll()
        self._hot: dict[int, _Hot] = {}  # connected and latched: the packet path
        self._wakes: dict[int, Callable[[float], None]] = {}  # every other file
        self._open = True
        control.setblocking(False)
        self._epoll.register(control, select.EPOLLIN)
        self._wakes[control.fileno()] = self._commands

    def run(self) -> None:
        """Until signalling ends."""
        self._tell(Ready(*reach(self._ports.pairs)))
        gc.collect()
        gc.freeze()  # what was imported is not looked through again
        while self._open:
            try:
                self._serve()
            except Exception:  # a bug of ours, told with its trace; the other calls go on
                traceback.print_exc()

    def _serve(self) -> None:
        poll, hot, wakes = self._epoll.poll, self._hot, self._wakes
        room, views, due = self._buffer.room, self._buffer.views, self._due
        monotonic = clock.now
        events = self._events
        now = monotonic()
        while self._open:
            if events and not self._writing:
                self._flush()  # the events of a turn in one piece: each would wake signalling
            ready = poll(max(0.0, due[0][0] - now) if due else None)
            now = monotonic()
            for file, _ in ready:
                try:
                    recv_into, path = hot[file]
                except KeyError:
                    wake = wakes.get(file)
                    if wake is not None:  # else it was closed a moment ago
                        wake(now)
                    continue
                try:
                    length = path.take(recv_into(room), now)
                except OSError:  # ICMP's word on what was sent before, or nothing there after all
                    continue
                if length:
                    send = path.send
                    try:
                        send(views[length])
                    except OSError:  # no route, no buffer, nobody there: lost
                        path.unsent()
            if due and due[0][0] <= now:
                self._expire(now)

    # --- the socket pair ------------------------------------------------------

    def _commands(self, now: float) -> None:
        self._flush()
        try:
            data = self._control.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._open = False
            return
        for message in self._inbox.feed(data):
            self._carry_out(message, now)
        self._prune()

    def _tell(self, message: Message) -> None:
        self._events.append(message)

    def _flush(self) -> None:
        """Write what there is; while signalling does not read, the rest waits and calls go on."""
        if self._events:
            self._unsent += encode(self._events)
            self._events.clear()
        while self._unsent:
            try:
                written = self._control.send(self._unsent)
            except BlockingIOError:
                break
            except OSError:  # signalling is gone: its end will be read
                self._unsent.clear()
                break
            del self._unsent[:written]
        if self._writing != bool(self._unsent):
            self._writing = bool(self._unsent)
            self._epoll.modify(self._control, select.EPOLLIN | (select.EPOLLOUT if self._writing else 0))

    # --- commands -------------------------------------------------------------

    def _carry_out(self, command: Message, now: float) -> None:
        if isinstance(command, anchor.Offer):
            self._offer(command, now)
            return
        call = self._calls.get(getattr(command, "media", ""))
        if call is None:
            return
        session = call.session
        try:
            match command:
                case anchor.Answer(leg=name, stream=stream):
                    session.answer(name, stream, now)
                    if name in call.ports:
                        self._watch(call.ports[name])
                case anchor.Play(leg=name, tones=tones, echo=echo):
                    session.play(name, tones, echo, now)
                case anchor.Listen(leg=name, tones=tones):
                    session.listen(name, tones)
                case anchor.Press(leg=name, digits=digits):
                    session.press(name, digits, now)
                case anchor.Mix(legs=names):
                    session.mix(names, now)
                case anchor.Release(leg=name):
                    for each in list(call.ports) if not name else [name]:
                        self._release(call, each, now)
        except (ParseError, ValueError) as error:  # keys, digits or tones that cannot be
            self._tell(anchor.Refused(session.media, getattr(command, "leg", ""), str(error)))
        self._file(call, now)

    def _offer(self, offer: anchor.Offer, now: float) -> None:
        call = self._calls.get(offer.media)
        if call is None:
            session = Session(
                offer.media,
                self._buffer,
                self._ids,
                self._tell,
                cname=self._terms.cname,
                silence_after=self._terms.silence_after,
            )
            call = self._calls[offer.media] = _Call(session)
        port = call.ports.get(offer.leg)
        leg = call.session.offer(offer.leg, offer.join)
        if port is None or port.address != offer.address:  # else a re-INVITE, and the port stays
            try:
                opened = self._ports.open(leg, offer.address)
            except OSError as error:
                if port is None:
                    call.session.release(offer.leg, now)
                if not call.ports:
                    del self._calls[offer.media]
                self._tell(anchor.Refused(offer.media, offer.leg, str(error)))
                return
            if port is not None:
                self._close(port)
                leg.latch.forget()
            call.ports[offer.leg] = port = leg.carrier = opened
            for one in (port.rtp, port.rtcp):
                self._epoll.register(one, select.EPOLLIN)
            self._wakes[port.rtcp.fileno()] = partial(self._rtcp_came, port)
            self._watch(port)
        self._tell(anchor.Anchored(offer.media, offer.leg, port.address, port.number, port.number + 1))

    def _release(self, call: _Call, name: str, now: float) -> None:
        self._outputs(call, call.session.release(name, now))
        port = call.ports.pop(name, None)
        if port is not None:
            self._close(port)
            port.leg.carrier = None
        if not call.ports:
            self._calls.pop(call.session.media, None)
            call.filed = None

    def _close(self, port: Port) -> None:
        for one in port.sockets():
            self._forget(one)
        self._ports.close(port)

    def _forget(self, one: socket.socket) -> None:
        file = one.fileno()
        self._epoll.unregister(file)
        self._hot.pop(file, None)
        self._wakes.pop(file, None)

    # --- packets --------------------------------------------------------------

    def _watch(self, port: Port) -> None:
        """Let each of the leg's RTP sockets be read as its latch asks now."""
        port.aim()
        file = port.rtp.fileno()
        if port.hot:
            self._wakes.pop(file, None)
            self._hot[file] = (port.rtp.recv_into, port.leg.path)
        else:
            self._hot.pop(file, None)
            self._wakes[file] = partial(self._any_came, port, port.rtp)

    def _any_came(self, port: Port, on: socket.socket, now: float) -> None:
        """A packet that may be anybody's: before the leg latched, or beside its source."""
        try:
            length, source = on.recvfrom_into(self._buffer.room)
        except OSError:
            return
        self._take(port, length, source[:2], now)
        latch = port.leg.latch
        if latch.source is not None and latch.source != port.source:
            self._latch(port, now)
        elif port.hot and port.rtp.fileno() not in self._hot:
            self._watch(port)

    def _take(self, port: Port, length: int, source: Address, now: float) -> None:
        length = port.leg.receive_from(length, source, now)
        path = port.leg.path
        if length:
            try:
                path.send(self._buffer.views[length])
            except OSError:
                path.unsent()

    def _latch(self, port: Port, now: float) -> None:
        """Connect the socket to the source, and hear what others send on a second one."""
        try:
            former = port.latch(self._ports.again)
        except OSError:
            return  # tried again with the next packet
        if former is not None:
            self._forget(former)
            former.close()
        strays = port.strays
        if strays is not None:
            self._epoll.register(strays, select.EPOLLIN)
            self._wakes[strays.fileno()] = partial(self._any_came, port, strays)
        self._watch(port)
        for _ in range(_QUEUED):  # what came before the connection may be anybody's
            try:
                length, source = port.rtp.recvfrom_into(self._buffer.room)
            except OSError:
                break
            self._take(port, length, source[:2], now)

    def _rtcp_came(self, port: Port, now: float) -> None:
        try:
            length, source = port.rtcp.recvfrom_into(self._buffer.room)
        except OSError:
            return
        port.leg.receive_rtcp(length, source[:2], now)

    # --- time and outputs -----------------------------------------------------

    def _file(self, call: _Call, now: float) -> None:
        """Look at this call again when it wants."""
        due = call.session.deadline() if call.ports else None
        if due is None:
            call.filed = None
            return
        due = ceil(max(due, now) / TICK) * TICK
        if call.filed is None or due < call.filed:
            call.filed = due
            heappush(self._due, (due, next(self._turn), call))

    def _expire(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            at, _, call = heappop(self._due)
            if call.filed != at:  # filed earlier since, or over
                continue
            call.filed = None
            self._outputs(call, call.session.expire(now))
            for port in call.ports.values():
                if port.rtp.fileno() in self._hot and not port.hot:  # it fell silent
                    self._watch(port)
            self._file(call, now)
        self._prune()

    def _prune(self) -> None:
        """Who comes next is somebody who waits: a call that is over wakes nobody."""
        due = self._due
        while due and due[0][2].filed != due[0][0]:
            heappop(due)

    def _outputs(self, call: _Call, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, SendRtp):
                port = call.ports[output.leg.name]
                try:
                    port.send(output.data)
                except OSError:
                    output.leg.unsent += 1
            elif isinstance(output, SendRtcp):
                port = call.ports[output.leg.name]
                if output.leg.rtcp_to is not None:
                    with suppress(OSError):
                        port.rtcp.sendto(output.data, output.leg.rtcp_to)
            else:
                self._tell(output)


def reach(pairs: int) -> tuple[int, str]:
    """Legs that can be carried at once, and what else than the ports bounds them; raises the file limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = pairs * FILES + _ELSE
    if soft < need:
        for ceiling in (max(hard, need), hard):  # root may go above the hard limit
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (min(need, ceiling), ceiling))
                break
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft >= need:
        return pairs, ""
    return max(0, soft - _ELSE) // FILES, f"{soft} open files"


def main() -> None:
    """`python -m trunkline.aio.worker FILE TERMS...`: the socket pair's end is that file."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    Worker(socket.socket(fileno=int(sys.argv[1])), Terms.parse(sys.argv[2:])).run()
    os._exit(0)  # at once: signalling waits, and nothing is left to be put in order


if __name__ == "__main__":
    main()
