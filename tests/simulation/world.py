"""A whole telephone world in one process: nodes, a network that misbehaves by seed, virtual time.

Everything random comes from one seeded generator and every event has its place in one
queue, so a run is a function of its seed and replays to the byte.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from typing import Any

from trunkline.call.node import Node, Received, Unreachable
from trunkline.media import anchor
from trunkline.sip.flow import Flow, Send
from trunkline.sip.locate import Answers, Question


class SeededIds:
    """The `Ids` of a simulation: the same seed gives the same tags and branches."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def token(self) -> str:
        return f"{self._dice.getrandbits(64):016x}"

    def number(self, below: int) -> int:
        return self._dice.randrange(below)


@dataclass(frozen=True)
class Weather:
    """What the network does to a datagram: chances 0-1, delays in seconds."""

    loss: float = 0.0
    duplicate: float = 0.0
    delay: tuple[float, float] = (0.001, 0.005)


@dataclass
class Host:
    """A node with its addresses; a crashed host is silent."""

    node: Any
    addresses: frozenset[tuple[str, int]]
    alive: bool = True
    outputs: list[Any] = field(default_factory=list)
    hands: Callable[[Any, float], list[Any]] | None = None


class World:
    """The queue, the clock and the network between hosts."""

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        self.dice = random.Random(seed)
        self.ids = SeededIds(self.dice)
        self.weather = weather or Weather()
        self.now = 0.0
        self.hosts: list[Host] = []
        self.names: dict[Question, tuple[Any, ...]] = {}
        self.sent = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0

    def add(self, node: Node, *addresses: tuple[str, int], hands: Any = None) -> Host:
        host = Host(node, frozenset(addresses), hands=hands)
        self.hosts.append(host)
        return host

    def at(self, when: float, act: Callable[[], None]) -> None:
        self._serial += 1
        heappush(self._queue, (when, self._serial, act))

    def give(self, host: Host, event: Any) -> None:
        """Let a node take an event now, and carry out what it asks."""
        if host.alive:
            self.carry(host, host.node.receive(event, self.now))

    def carry(self, host: Host, outputs: list[Any]) -> None:
        """The hands of `aio`, on virtual time."""
        for output in outputs:
            if isinstance(output, Send):
                self._send(host, output)
            elif isinstance(output, Question):
                answers = Answers(output, self.names.get(output, ()), 300.0)
                self.at(self.now + 0.002, partial(self.give, host, answers))
            elif host.hands is not None and isinstance(output, anchor.Command):
                for event in host.hands(output, self.now):
                    self.at(self.now + 0.001, partial(self.give, host, event))
            else:
                host.outputs.append(output)

    def run(self, until: float) -> None:
        """Let time pass until then."""
        while True:
            due = [d for h in self.hosts if h.alive and (d := h.node.deadline()) is not None]
            wake = min(due, default=None)
            event = self._queue[0][0] if self._queue else None
            soonest = min((t for t in (wake, event) if t is not None), default=None)
            if soonest is None or soonest > until:
                self.now = until
                return
            self.now = max(self.now, soonest)
            if event is not None and event <= self.now:
                heappop(self._queue)[2]()
                continue
            for host in self.hosts:
                deadline = host.node.deadline() if host.alive else None
                if deadline is not None and deadline <= self.now:
                    self.carry(host, host.node.expire(self.now))

    def _send(self, host: Host, send: Send) -> None:
        self.sent += 1
        flow, dice, weather = send.flow, self.dice, self.weather
        lossy = flow.transport == "UDP"
        copies = 1
        if lossy and dice.random() < weather.loss:
            copies = 0
        elif lossy and dice.random() < weather.duplicate:
            copies = 2
        for _ in range(copies):
            self.at(self.now + dice.uniform(*weather.delay), lambda: self._arrive(host, send.data, flow))

    def _arrive(self, sender: Host, data: bytes, flow: Flow) -> None:
        for host in self.hosts:
            if flow.remote in host.addresses:
                if host.alive:
                    self.give(host, Received(data, Flow(flow.transport, flow.remote, flow.local, flow.peer)))
                return
        self.give(sender, Unreachable(flow, "nobody listens there"))


class QuietMedia:
    """Media hands that open ports at once and carry nothing."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, str], int] = {}
        self.commands: list[Any] = []
        self._next = 20000

    def __call__(self, command: Any, now: float) -> list[Any]:
        self.commands.append(command)
        match command:
            case anchor.Offer(media, leg, address):
                self._next += 2
                self.open[(media, leg)] = self._next
                return [anchor.Anchored(media, leg, address, self._next, self._next + 1)]
            case anchor.Release(media, leg):
                gone = [key for key in self.open if key[0] == media and leg in ("", key[1])]
                for key in gone:
                    del self.open[key]
                return [anchor.Report(media, key[1], 0, 0, 0) for key in gone]
        return []
