"""Hands for the media seam: worker processes that relay, one call in one of them.

Signalling and media do not wait for each other: a worker that dies ends its own calls
(`Lost`) and is started again; when signalling ends, the workers do.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import trunkline
from trunkline.aio import clock
from trunkline.aio.seam import Inbox, Ready, encode
from trunkline.aio.worker import Terms
from trunkline.media.anchor import Anchored, Command, Event, Lost, Offer, Refused, Release
from trunkline.sip.flow import Ids

EF = 46  # the DSCP of voice (RFC 3246)
_READ = 1 << 16  # octets read of the socket pair at once
_A_MOMENT = 0.02  # seconds, a packet time: under load another call's command comes before
_STUCK = 1 << 22  # octets a worker may leave unread before it is ended
_SOURCE = str(Path(trunkline.__file__).parents[1])


class _Seat:
    """One worker's place: its ports, and the process that has them now."""

    __slots__ = (
        "began",
        "child",
        "full",
        "held",
        "inbox",
        "legs",
        "medias",
        "name",
        "pipe",
        "terms",
        "timer",
        "unsent",
        "waiting",
        "watch",
    )

    def __init__(self, name: str, terms: Terms) -> None:
        self.name, self.terms = name, terms
        self.child: subprocess.Popen[bytes] | None = None
        self.watch = -1  # readable once the process has ended
        self.pipe: socket.socket | None = None
        self.inbox = Inbox()
        self.waiting: list[Command] = []  # that are to be written next
        self.timer: asyncio.TimerHandle | None = None  # they wait until then at most
        self.unsent = bytearray()  # what was written and the pipe did not take
        self.full = False  # the pipe took no more: it is watched for room
        self.medias: dict[str, dict[str, bool]] = {}  # its sessions: each leg, and whether it is anchored
        self.held = 0  # legs of all these
        self.legs = 0  # that the process said it can carry
        self.began = 0.0

    @property
    def left(self) -> int:
        """Legs that its ports have room for."""
        return len(range(self.terms.first, self.terms.last, 2)) - self.held


class Workers:
    """Carries out the seam's commands in `count` processes; `tell` gets each event, never inside `submit`.

    Made inside the running event loop, which it stays with. `ports` is the range (both ends
    included) that the workers share out: RTP takes even ports, RTCP the next. `at` are
    ranges that local addresses have of their own, for all workers alike (each begins
    elsewhere in it, and skips what another has); other addresses then have none. `dscp` 0-63
    marks every packet (QOS-1). `silence_after` seconds without RTP are Silent. A worker that
    ran less than `settled` seconds is started again only after as long. `say` gets a line for
    the operator. End it with `close`, and wait for `closed`.
    """

    def __init__(
        self,
        tell: Callable[[Event], None],
        ids: Ids,
        count: int,
        ports: tuple[int, int],
        *,
        at: Mapping[str, tuple[int, int]] | None = None,
        dscp: int = EF,
        silence_after: float = 2.0,
        settled: float = 1.0,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._tell, self._say, self._settled = tell, say, settled
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._dying = 0  # processes not reaped yet
        self._sessions: dict[str, _Seat] = {}
        cname = ids.token()  # one endpoint, named without telling who it is (RFC 7022 §4.2)
        self._seats = []
        for n in range(count):
            own = " ".join(f"{address}={first}-{last}" for address, (first, last) in (at or {}).items())
            terms = Terms(*_share(ports, n, count), dscp, silence_after, cname, own, n / count)
            self._seats.append(_Seat(f"worker-{n + 1}", terms))
        self._most = sum((last - first + 1) // 2 for first, last in (at or {"": ports}).values())
        for seat in self._seats:
            self._start(seat)

    @property
    def pids(self) -> dict[str, int]:
        """The living workers and their process ids."""
        return {seat.name: seat.child.pid for seat in self._seats if seat.child is not None}

    @property
    def legs(self) -> int:
        """Legs the workers said they can carry at once: 0 until they have."""
        return min(self._most, sum(seat.legs for seat in self._seats))

    def submit(self, *commands: Command) -> None:
        """Carry these out, in order; those for a session that is not there are ignored.

        They leave in one piece: one by one, each would wake the worker, which then takes
        the processor from signalling where the two share one. Where there is nothing but
        Releases, which nobody waits for, they leave with what comes next, or in a moment.
        """
        seats: list[_Seat] = []
        hurried = False
        for command in commands:
            seat = self._note_down(command)
            hurried |= type(command) is not Release
            if seat is not None and seat not in seats:
                seats.append(seat)
        for seat in seats:
            if hurried:
                self._flush(seat)
            elif seat.timer is None:
                seat.timer = self._loop.call_later(_A_MOMENT, self._flush, seat)

    def _note_down(self, command: Command) -> _Seat | None:
        """Put a command where the pipe takes it from; the worker it is for."""
        seat = self._sessions.get(command.media)
        if isinstance(command, Offer):
            if seat is None:
                seat = self._seat()
                if seat is None:
                    self._later(Refused(command.media, command.leg, "no media worker runs"))
                    return None
                self._sessions[command.media] = seat
            legs = seat.medias.setdefault(command.media, {})
            if command.leg not in legs:
                legs[command.leg] = False
                seat.held += 1
        if seat is None or seat.pipe is None:
            return None
        seat.waiting.append(command)
        if isinstance(command, Release):
            self._forget(seat, command.media, command.leg)
        return seat

    def close(self) -> None:
        """Release everything; the reports are still told, and then the workers end (`closed`)."""
        if self._closing:
            return
        self.submit(*map(Release, list(self._sessions)))
        self._closing = True
        for seat in self._seats:
            self._flush(seat)
        self._finish()

    async def closed(self) -> None:
        """Wait until all workers have ended."""
        await asyncio.shield(self._ended)

    # --- processes ------------------------------------------------------------

    def _seat(self) -> _Seat | None:
        """The worker with the most ports left."""
        alive = [seat for seat in self._seats if seat.pipe is not None]
        return max(alive, key=lambda seat: seat.left, default=None)

    def _start(self, seat: _Seat) -> None:
        if self._closing:
            return
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        path = os.pathsep.join(filter(None, (_SOURCE, os.environ.get("PYTHONPATH"))))
        words = [sys.executable, "-P", "-m", "trunkline.aio.worker", str(theirs.fileno())]
        with theirs:
            seat.child = subprocess.Popen(
                [*words, *map(str, seat.terms)],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=os.environ | {"PYTHONPATH": path},
            )
        seat.watch = os.pidfd_open(seat.child.pid)
        seat.pipe, seat.inbox, seat.unsent, seat.full = ours, Inbox(), bytearray(), False
        seat.waiting.clear()
        seat.began = clock.now()
        self._loop.add_reader(ours.fileno(), self._came, seat)

    def _came(self, seat: _Seat) -> None:
        assert seat.pipe is not None
        try:
            data = seat.pipe.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._gone(seat)
            return
        for message in seat.inbox.feed(data):
            if isinstance(message, Ready):
                seat.legs = message.legs
                if message.bound_by:
                    self._say(f"{seat.name} carries {message.legs} legs at most: {message.bound_by}")
                continue
            self._note(seat, message)  # type: ignore[arg-type]
            self._tell(message)  # type: ignore[arg-type]

    def _note(self, seat: _Seat, event: Event) -> None:
        """A leg that got its port has it until it is released; one that got none was never there."""
        if isinstance(event, Anchored) and event.leg in seat.medias.get(event.media, ()):
            seat.medias[event.media][event.leg] = True
        elif isinstance(event, Refused) and not seat.medias.get(event.media, {}).get(event.leg, True):
            self._forget(seat, event.media, event.leg)

    def _forget(self, seat: _Seat, media: str, leg: str) -> None:
        legs = seat.medias.get(media, {})
        before = len(legs)
        if leg:
            legs.pop(leg, None)
        else:
            legs.clear()
        seat.held -= before - len(legs)
        if not legs:
            seat.medias.pop(media, None)
            self._sessions.pop(media, None)

    def _gone(self, seat: _Seat) -> None:
        """The worker's socket is closed: the process is ending, or is made to."""
        child, pipe = seat.child, seat.pipe
        assert child is not None
        assert pipe is not None
        self._loop.remove_reader(pipe.fileno())
        self._loop.remove_writer(pipe.fileno())
        pipe.close()
        seat.child = seat.pipe = None
        self._dying += 1
        child.kill()
        self._loop.add_reader(seat.watch, self._reap, child, seat.watch)
        medias = tuple(seat.medias)
        for media in medias:
            self._forget(seat, media, "")
        if self._closing:
            return
        self._say(f"{seat.name} died, and {len(medias)} calls with it")
        if medias:
            self._tell(Lost(seat.name, medias))
        wait = 0.0 if clock.now() - seat.began >= self._settled else self._settled
        self._loop.call_later(wait, self._start, seat)

    def _reap(self, child: subprocess.Popen[bytes], watch: int) -> None:
        self._loop.remove_reader(watch)
        os.close(watch)
        child.wait()
        self._dying -= 1
        self._finish()

    def _finish(self) -> None:
        none = not self._dying and all(seat.child is None for seat in self._seats)
        if self._closing and none and not self._ended.done():
            self._ended.set_result(None)

    # --- the socket pair ------------------------------------------------------

    def _flush(self, seat: _Seat) -> None:
        """Write what there is, or as much as the pipe takes."""
        if seat.timer is not None:
            seat.timer.cancel()
            seat.timer = None
        pipe = seat.pipe
        if pipe is None:
            return
        if seat.waiting:
            seat.unsent += encode(seat.waiting)
            seat.waiting.clear()
        try:
            while seat.unsent:
                del seat.unsent[: pipe.send(seat.unsent)]
        except BlockingIOError:
            if not seat.full:
                seat.full = True
                self._loop.add_writer(pipe.fileno(), self._flush, seat)
            elif len(seat.unsent) > _STUCK and seat.child is not None:
                seat.child.kill()
            return
        except OSError:  # it is gone; that will be read
            seat.unsent.clear()
        if seat.full:
            seat.full = False
            self._loop.remove_writer(pipe.fileno())
        if self._closing:
            with suppress(OSError):  # it died a moment ago
                pipe.shutdown(socket.SHUT_WR)

    def _later(self, event: Event) -> None:
        self._loop.call_soon(self._tell, event)


def _share(ports: tuple[int, int], n: int, count: int) -> tuple[int, int]:
    """The part of a range that the worker `n` of `count` has."""
    first, last = ports[0] + ports[0] % 2, ports[1]
    share = (last - first + 1) // count // 2 * 2
    return first + n * share, last if n == count - 1 else first + (n + 1) * share - 1
