"""A line between user agents in memory: it loses or holds back exactly what a test says.

Every message gets a word, `INVITE` or `200 INVITE`, and the line writes down who sent it:

    line.lose("ACK")
    line.run(5)
    assert line.said() == ["a INVITE", "b 200 INVITE", "a ACK", "b 200 INVITE", "a ACK"]

`line.arrived` has only what got through. Time is virtual; a message takes `DELAY` seconds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol

from trunkline.sip.endpoint import Endpoint, EndpointSettings, RequestReceived
from trunkline.sip.flow import Flow, Send
from trunkline.sip.message import Request, Response, parse
from trunkline.sip.session import SessionPolicy
from trunkline.sip.transaction import ServerInvite
from trunkline.sip.usage import InviteUsage, Outgoing

DELAY = 0.01
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
ANSWER = SDP.replace(b"192.0.2.1", b"192.0.2.2")


class SeededIds:
    """The `Ids` of a test: the same seed gives the same tags and branches."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def token(self) -> str:
        return f"{self._dice.getrandbits(64):016x}"

    def number(self, below: int) -> int:
        return self._dice.randrange(below)


class Agent(Protocol):
    """Whoever sits at the end of a line."""

    name: str
    address: tuple[str, int]

    def receive(self, data: bytes, flow: Flow, now: float) -> list[Any]: ...

    def unreachable(self, flow: Flow, now: float) -> list[Any]: ...

    def deadline(self) -> float | None: ...

    def expire(self, now: float) -> list[Any]: ...


def word(message: Request | Response) -> str:
    """What a message is, in a word or two."""
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {(message.get('CSeq') or '').rpartition(' ')[2]}"


class Line:
    """The messages under way, the clock, and the log."""

    def __init__(self) -> None:
        self.now = 0.0
        self.agents: list[Agent] = []
        self.log: list[tuple[str, Request | Response]] = []
        self.arrived: list[str] = []
        self.times: list[float] = []
        self.dead: set[str] = set()  # transports nobody listens on
        self.rest: list[Any] = []  # outputs that are not messages
        self._lost: list[tuple[str, int]] = []
        self._held: dict[str, list[tuple[Send, str]]] = {}
        self._flights: list[tuple[float, int, Send, str]] = []
        self._serial = 0

    def lose(self, words: str, times: int = 1) -> None:
        """Lose the next messages of this kind (with the sender's name before it, only theirs)."""
        self._lost.append((words, times))

    def hold(self, words: str) -> None:
        """Keep messages of this kind back until `release`."""
        self._held[words] = []

    def release(self, words: str) -> None:
        """Let what was held back go on, now."""
        for send, sender in self._held.pop(words):
            self._fly(send, sender)

    def carry(self, agent: Agent, outputs: list[Any]) -> None:
        """Put an agent's messages on the line."""
        for output in outputs:
            if isinstance(output, Send):
                self._send(output, agent)
            else:
                self.rest.append(output)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while True:
            due = [(at, agent) for agent in self.agents if (at := agent.deadline()) is not None]
            at, agent = min(due, key=lambda pair: pair[0], default=(None, None))
            flight = self._flights[0][0] if self._flights else None
            soonest = min((t for t in (at, flight) if t is not None), default=None)
            if soonest is None or soonest > end:
                self.now = end
                return
            self.now = max(self.now, soonest)
            if flight is not None and flight <= self.now:
                _, _, send, sender = heappop(self._flights)
                self._arrive(send, sender)
            elif agent is not None:
                self.carry(agent, agent.expire(self.now))

    def said(self, *kinds: str) -> list[str]:
        """Who said what, in order; only these kinds, if any are named."""
        words = [f"{name} {word(message)}" for name, message in self.log]
        return [w for w in words if not kinds or w.split(" ", 1)[1] in kinds or w in kinds]

    def last(self, words: str) -> Any:
        """The last message of this kind, with or without its sender's name."""
        return self.all(words)[-1]

    def all(self, words: str) -> list[Any]:
        """Every message of this kind."""
        return [m for name, m in self.log if words in (word(m), f"{name} {word(m)}")]

    def clear(self) -> None:
        """Forget what was said."""
        self.log.clear()
        self.arrived.clear()
        self.times.clear()

    def _send(self, send: Send, agent: Agent) -> None:
        message = parse(send.data)
        kind, named = word(message), f"{agent.name} {word(message)}"
        self.log.append((agent.name, message))
        self.times.append(self.now)
        for index, (words, times) in enumerate(self._lost):
            if words in (kind, named):
                self._lost[index : index + 1] = [(words, times - 1)] if times > 1 else []
                return
        for words, kept in self._held.items():
            if words in (kind, named):
                kept.append((send, agent.name))
                return
        self._fly(send, agent.name)

    def _fly(self, send: Send, sender: str) -> None:
        self._serial += 1
        heappush(self._flights, (self.now + DELAY, self._serial, send, sender))

    def _arrive(self, send: Send, sender: str) -> None:
        flow = send.flow
        receiver = next((a for a in self.agents if a.address[0] == flow.remote[0]), None)
        if receiver is None or flow.transport in self.dead:
            back = next(a for a in self.agents if a.name == sender)
            self.carry(back, back.unreachable(flow, self.now))
            return
        self.arrived.append(f"{sender} {word(parse(send.data))}")
        came = Flow(flow.transport, flow.remote, flow.local, flow.peer)
        self.carry(receiver, receiver.receive(send.data, came, self.now))


class UserAgent:
    """An endpoint with INVITE usages; `on` says what it does when it hears an event."""

    def __init__(
        self,
        line: Line,
        name: str,
        address: tuple[str, int],
        settings: EndpointSettings | None = None,
        policy: SessionPolicy | None = None,
        seed: int = 1,
    ) -> None:
        self.line = line
        self.name = name
        self.address = address
        self.policy = policy or SessionPolicy()
        self.endpoint = Endpoint(SeededIds(seed), settings)
        self.heard: list[Any] = []
        self.on: dict[type, Callable[[Any], list[Any]]] = {}
        self.usage: InviteUsage
        self.asked: list[RequestReceived] = []
        line.agents.append(self)

    def flow_to(self, other: Agent, transport: str = "UDP") -> Flow:
        return Flow(transport, self.address, other.address)

    def call(self, other: Agent, body: bytes = SDP, **changes: Any) -> None:
        """Call the other one."""
        to = f"sip:b@{other.address[0]}:{other.address[1]}"
        flow = changes.pop("flow", self.flow_to(other))
        outgoing = Outgoing(to, f"<sip:a@{self.address[0]}>", f"<{to}>", flow, "a")._replace(**changes)
        self.usage = InviteUsage(self.endpoint, self, self.policy)
        self.does(self.usage.invite(outgoing, body, self.line.now))

    def does(self, outputs: list[Any]) -> None:
        """What a command put out goes on the line."""
        self.line.carry(self, outputs)

    @property
    def now(self) -> float:
        return self.line.now

    def hear(self, event: Any, now: float) -> list[Any]:
        self.heard.append(event)
        react = self.on.get(type(event))
        return [] if react is None else react(event)

    def kinds(self) -> list[str]:
        """The names of what was heard."""
        return [type(event).__name__ for event in self.heard]

    def receive(self, data: bytes, flow: Flow, now: float) -> list[Any]:
        return self._taken(self.endpoint.receive(data, flow, now))

    def unreachable(self, flow: Flow, now: float) -> list[Any]:
        return self._taken(self.endpoint.unreachable(flow, now))

    def deadline(self) -> float | None:
        return self.endpoint.deadline()

    def expire(self, now: float) -> list[Any]:
        return self._taken(self.endpoint.expire(now))

    def _taken(self, outputs: list[Any]) -> list[Any]:
        out: list[Any] = []
        for item in outputs:
            if isinstance(item, RequestReceived):
                out += self._taken(self.requested(item))
            else:
                out.append(item)
        return out

    def requested(self, event: RequestReceived) -> list[Any]:
        """A request from outside any dialog."""
        self.asked.append(event)
        if not isinstance(event.transaction, ServerInvite):
            return []
        self.usage = InviteUsage(self.endpoint, self, self.policy)
        return self.usage.invited(event.transaction, event.request, self.now)


class Puppet:
    """Somebody who says only what the test makes them say; `got` is what came."""

    def __init__(self, line: Line, name: str, address: tuple[str, int]) -> None:
        self.line = line
        self.name = name
        self.address = address
        self.got: list[Request | Response] = []
        self.flows: list[Flow] = []
        line.agents.append(self)

    def says(self, message: Request | Response | bytes, flow: Flow | None = None) -> None:
        """Send a message, to where the last one came from unless told."""
        self.line.carry(self, [Send(bytes(message), flow or self.back)])

    @property
    def back(self) -> Flow:
        """The way back to whoever spoke last."""
        last = self.flows[-1]
        return Flow(last.transport, last.local, last.remote, last.peer)

    def heard(self, words: str) -> list[Any]:
        """What came of this kind."""
        return [message for message in self.got if word(message) == words]

    def receive(self, data: bytes, flow: Flow, now: float) -> list[Any]:
        self.got.append(parse(data))
        self.flows.append(flow)
        return []

    def unreachable(self, flow: Flow, now: float) -> list[Any]:
        return []

    def deadline(self) -> float | None:
        return None

    def expire(self, now: float) -> list[Any]:
        return []


A, B = ("192.0.2.1", 5060), ("192.0.2.2", 5060)


def pair(**policies: SessionPolicy) -> tuple[Line, UserAgent, UserAgent]:
    """A line with the caller `a` and the called `b` on it."""
    line = Line()
    a = UserAgent(line, "a", A, policy=policies.get("a"), seed=1)
    b = UserAgent(line, "b", B, policy=policies.get("b"), seed=2)
    return line, a, b


def talking(**policies: SessionPolicy) -> tuple[Line, UserAgent, UserAgent]:
    """A call that stands; its messages are forgotten."""
    line, a, b = pair(**policies)
    a.call(b)
    line.run(1)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(1)
    line.clear()
    a.heard.clear()
    b.heard.clear()
    return line, a, b


def puppet_called() -> tuple[Line, UserAgent, Puppet]:
    """`a` has called a puppet, which has the INVITE."""
    line = Line()
    a = UserAgent(line, "a", A)
    b = Puppet(line, "b", B)
    a.call(b)
    line.run(0.1)
    return line, a, b


def all_over(line: Line, *agents: UserAgent) -> None:
    """Let every timer run out; nothing may be left anywhere."""
    line.run(120)
    for agent in agents:
        assert agent.endpoint.idle, agent.endpoint.remains()
        assert agent.deadline() is None
