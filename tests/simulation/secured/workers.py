"""Media workers on virtual time: a stand-in for `aio.workers` and `aio.worker` around the real sessions.

Sockets, processes and the socket pair are events here; sessions, legs, latches and SRTP
are the product's own. A worker takes its commands in order and may be slow; it may die,
and another one takes its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tests.simulation.secured.speaker import Net, Place
from tests.simulation.world import Host

from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.media.relay import Leg
from trunkline.media.session import Output, SendRtcp, SendRtp, Session
from trunkline.media.srtp import Buffer
from trunkline.sdp.crypto import Crypto

RESTART = 1.0  # seconds until a worker that lived a moment is started again
SILENCE = 2.0
BUFFER = Buffer()  # one packet at a time lies in it


class Port:
    """One leg's pair of ports, as `aio.ports` has it: connected once it has latched."""

    __slots__ = ("key", "leg", "place", "source", "worker")

    def __init__(self, worker: Worker, leg: Leg, place: Place) -> None:
        self.worker, self.leg, self.place = worker, leg, place
        self.source: Place | None = None
        self.key: Crypto | None = None  # what is sent from here is closed under

    @property
    def send(self) -> Callable[[Any], int]:
        return self._send

    def _send(self, data: Any) -> int:
        packet = bytes(data)
        self.worker.hands.net.send(self, self.place, self.leg.latch.target, packet)
        return len(packet)

    def take(self, data: bytes, source: Place, rtcp: bool) -> None:
        """A datagram came."""
        worker = self.worker
        if worker.stalled or not worker.alive:
            return  # what its sockets hold meanwhile is not played late
        now, leg = worker.hands.world.now, self.leg
        length = BUFFER.load(data)
        if rtcp:
            leg.receive_rtcp(length, source, now)
            return
        latch = leg.latch
        if self.source is not None and not latch.open and source == self.source:
            length = leg.path.take(length, now)
        else:
            length = leg.receive_from(length, source, now)
            if latch.source is not None and latch.source != self.source:
                self.source = latch.source
        if length:
            send = leg.path.send
            assert send is not None
            send(BUFFER.views[length])


class _Call:
    __slots__ = ("filed", "ports", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.ports: dict[str, Port] = {}
        self.filed = float("inf")


class Worker:
    """One process: its sessions, and the commands that wait for it."""

    def __init__(self, hands: WorkerHands, name: str) -> None:
        self.hands, self.name = hands, name
        self.alive, self.stalled = True, False
        self.calls: dict[str, _Call] = {}
        self._inbox: deque[anchor.Command] = deque()
        self._busy = False

    # --- the socket pair ----------------------------------------------------------------

    def write(self, command: anchor.Command) -> None:
        self._inbox.append(command)
        if not self._busy:
            self._next()

    def stall(self, stalled: bool) -> None:
        """SIGSTOP, or SIGCONT."""
        self.stalled = stalled
        if not stalled and self.alive and not self._busy:
            self._next()
        if not stalled and self.alive:
            for call in list(self.calls.values()):
                self._file(call)

    def _next(self) -> None:
        if not self._inbox or self.stalled or not self.alive:
            self._busy = False
            return
        self._busy = True
        command = self._inbox[0]
        late = self.hands.delay() if isinstance(command, anchor.Offer) else 0.0
        self.hands.world.after(0.0003 + late, self._work)

    def _work(self) -> None:
        if not self.alive or self.stalled:
            self._busy = False
            return
        command = self._inbox.popleft()
        self._carry_out(command)
        self._next()

    def tell(self, event: anchor.Event) -> None:
        """Write to signalling."""
        self.hands.world.after(0.0003, partial(self.hands.tell, self, event))

    # --- commands, as aio.worker has them -------------------------------------------------

    def _carry_out(self, command: Any) -> None:
        now = self.hands.world.now
        if isinstance(command, anchor.Offer):
            self._offer(command)
            return
        call = self.calls.get(command.media)
        if call is None:
            return
        session = call.session
        try:
            match command:
                case anchor.Answer(leg=name, stream=stream):
                    session.answer(name, stream, now)
                    if name in call.ports:
                        call.ports[name].key = stream.own_crypto
                        call.ports[name].leg.unsettle()
                case anchor.Play(leg=name, tones=tones, echo=echo):
                    session.play(name, tones, echo, now)
                case anchor.Listen(leg=name, tones=tones):
                    session.listen(name, tones)
                case anchor.Press(leg=name, digits=digits):
                    session.press(name, digits, now)
                case anchor.Release(leg=name):
                    for each in list(call.ports) if not name else [name]:
                        self._release(call, each)
        except (ParseError, ValueError) as error:
            self.tell(anchor.Refused(session.media, getattr(command, "leg", ""), str(error)))
        self._file(call)

    def _offer(self, offer: anchor.Offer) -> None:
        hands = self.hands
        call = self.calls.get(offer.media)
        if call is None:
            session = Session(
                offer.media, BUFFER, hands.world.ids, self.tell, cname="relay", silence_after=SILENCE
            )
            call = self.calls[offer.media] = _Call(session)
        port = call.ports.get(offer.leg)
        leg = call.session.offer(offer.leg, offer.join)
        if port is None:
            place = hands.free(offer.address)
            if place is None:
                call.session.release(offer.leg, hands.world.now)
                if not call.ports:
                    del self.calls[offer.media]
                self.tell(anchor.Refused(offer.media, offer.leg, f"no free media port on {offer.address}"))
                return
            port = call.ports[offer.leg] = Port(self, leg, place)
            leg.carrier = port
            hands.net.open(place, port)
        address, number = port.place
        self.tell(anchor.Anchored(offer.media, offer.leg, address, number, number + 1))

    def _release(self, call: _Call, name: str) -> None:
        self._outputs(call, call.session.release(name, self.hands.world.now))
        port = call.ports.pop(name, None)
        if port is not None:
            self.hands.net.close(port.place)
            port.leg.carrier = None
        if not call.ports:
            self.calls.pop(call.session.media, None)

    # --- time -----------------------------------------------------------------------------

    def _file(self, call: _Call) -> None:
        due = call.session.deadline() if call.ports else None
        if due is not None and due < call.filed:
            call.filed = due
            self.hands.world.at(max(due, self.hands.world.now), partial(self._due, call, due))

    def _due(self, call: _Call, due: float) -> None:
        if call.filed != due or not self.alive:
            return
        call.filed = float("inf")
        if self.stalled or self.calls.get(call.session.media) is not call:
            return
        self._outputs(call, call.session.expire(self.hands.world.now))
        self._file(call)

    def _outputs(self, call: _Call, outputs: Iterable[Output]) -> None:
        for output in outputs:
            if isinstance(output, SendRtp):
                port = call.ports[output.leg.name]
                port.send(output.data)
            elif isinstance(output, SendRtcp):
                port = call.ports[output.leg.name]
                if output.leg.rtcp_to is not None:
                    self.hands.net.send(port, port.place, output.leg.rtcp_to, output.data, rtcp=True)
            else:
                self.tell(output)

    def die(self) -> None:
        """SIGKILL: ports and sessions are gone."""
        self.alive = False
        for call in self.calls.values():
            for port in call.ports.values():
                self.hands.net.close(port.place)
        self.calls.clear()
        self._inbox.clear()


class WorkerHands:
    """The workers of one host. Each address has `pairs` ports, from `firsts` on.

    `late` is the chance, 0-1, that an Offer takes long, and `lateness` how long, in seconds.
    """

    def __init__(
        self, net: Net, host: Host, count: int, firsts: dict[str, int], *, pairs: int, late: float = 0.0
    ) -> None:
        self.net, self.host, self.world = net, host, net.world
        self.late, self.lateness = late, (0.05, 4.0)
        self.unanswered: dict[tuple[str, str], float] = {}  # Offers without an answer, and since when
        self.answered: list[tuple[str, str, float, float]] = []  # session, leg, asked, answered
        self.dead: list[tuple[float, tuple[str, ...]]] = []  # when a worker died, and what it carried
        self.stalls: list[tuple[float, tuple[str, ...]]] = []  # when one was stopped, and what it carried
        self._firsts, self.pairs = firsts, pairs
        self._turn = dict.fromkeys(firsts, 0)
        self._medias: dict[str, dict[str, Worker]] = {}  # of each session its legs, as aio.workers has them
        self.workers: list[Worker | None] = []
        for n in range(count):
            self.workers.append(Worker(self, f"worker-{n + 1}"))

    @property
    def sessions(self) -> list[str]:
        """What is left of sessions: at signalling, and at the workers themselves."""
        there = [media for worker in self.workers if worker is not None for media in worker.calls]
        return sorted({*self._medias, *there})

    # --- signalling's side ----------------------------------------------------------------

    def submit(self, command: anchor.Command) -> None:
        """Give it to the worker that has the session, or gets it."""
        legs = self._medias.get(command.media)
        worker = None if legs is None else next(iter(legs.values()))
        if isinstance(command, anchor.Offer):
            if worker is None:
                worker = self._least()
            if worker is None:
                refused = anchor.Refused(command.media, command.leg, "no media worker runs")
                self.world.after(0.0, partial(self.world.give, self.host, refused))
                return
            self._medias.setdefault(command.media, {})[command.leg] = worker
            self.unanswered.setdefault((command.media, command.leg), self.world.now)
        if worker is None:
            return
        worker.write(command)
        if isinstance(command, anchor.Release):
            self._forget(command.media, command.leg)

    def _least(self) -> Worker | None:
        alive = [worker for worker in self.workers if worker is not None]
        load = dict.fromkeys(alive, 0)
        for legs in self._medias.values():
            for worker in legs.values():
                load[worker] += 1
        return min(alive, key=lambda worker: load[worker], default=None)

    def _forget(self, media: str, leg: str) -> None:
        legs = self._medias.get(media, {})
        legs.pop(leg, None)
        if not leg or not legs:
            self._medias.pop(media, None)

    def tell(self, worker: Worker, event: anchor.Event) -> None:
        """An event of a worker reaches signalling."""
        if not worker.alive:
            return
        if isinstance(event, anchor.Anchored | anchor.Refused):
            asked = self.unanswered.pop((event.media, event.leg), None)
            if asked is not None:
                self.answered.append((event.media, event.leg, asked, self.world.now))
                if isinstance(event, anchor.Refused):
                    self._forget(event.media, event.leg)
        self.world.give(self.host, event)

    # --- what goes wrong ------------------------------------------------------------------

    def kill(self, turn: int) -> None:
        """A worker dies: its calls are lost, and another one takes its place."""
        turn %= len(self.workers)
        worker = self.workers[turn]
        if worker is None:
            return
        worker.die()
        self.workers[turn] = None
        medias = tuple(media for media, legs in self._medias.items() if worker in legs.values())
        self.world.note(f"{self.host.name}: {worker.name} died with {len(medias)} sessions")
        self.dead.append((self.world.now, medias))
        for media in medias:
            self._medias.pop(media)
            for key in [key for key in self.unanswered if key[0] == media]:
                del self.unanswered[key]
        if medias:
            lost = anchor.Lost(worker.name, medias)
            self.world.after(0.001, partial(self.world.give, self.host, lost))
        self.world.after(RESTART, partial(self._start, turn, worker.name))

    def stall(self, turn: int) -> Callable[[], None]:
        """A worker is stopped; what is returned lets it go on."""
        worker = self.workers[turn % len(self.workers)]
        if worker is None:
            return lambda: None
        medias = tuple(media for media, legs in self._medias.items() if worker in legs.values())
        self.stalls.append((self.world.now, medias))
        self.world.note(f"{self.host.name}: {worker.name} stopped")
        worker.stall(True)
        return partial(worker.stall, False)

    def lost(self) -> None:
        """Signalling ends, and the workers with it."""
        names = [f"worker-{n + 1}" for n in range(len(self.workers))]
        for worker in self.workers:
            if worker is not None:
                worker.die()
        self._medias.clear()
        self.unanswered.clear()
        self.workers = [Worker(self, name) for name in names]

    def _start(self, turn: int, name: str) -> None:
        if self.workers[turn] is None:
            self.workers[turn] = Worker(self, name)

    # --- for workers ------------------------------------------------------------------------

    def delay(self) -> float:
        """How long a worker takes for an Offer beyond the usual."""
        dice = self.world.dice
        return dice.uniform(*self.lateness) if self.late and dice.random() < self.late else 0.0

    def free(self, address: str) -> Place | None:
        """The next port of the range that nobody has."""
        for _ in range(self.pairs):
            number = self._firsts[address] + 2 * self._turn[address]
            self._turn[address] = (self._turn[address] + 1) % self.pairs
            if (address, number) not in self.net.ports:
                return address, number
        return None
