"""Legs on a line: phones with media of their own, and an exchange that bridges two passing legs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.line import A, B, Line, SeededIds

from trunkline.call import events
from trunkline.call.bridge import Bridge
from trunkline.call.leg import Leg, Terms
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.sdp.description import Description
from trunkline.sip.endpoint import Endpoint, RequestReceived
from trunkline.sip.flow import Flow
from trunkline.sip.session import SessionPolicy
from trunkline.sip.usage import Outgoing

X = ("192.0.2.3", 5060)
NO_RELIABLE = SessionPolicy(reliable="off")


class Node:
    """What a phone and an exchange share: an endpoint, its legs, and events taken as they come."""

    def __init__(
        self, line: Line, name: str, address: tuple[str, int], seed: int, policy: SessionPolicy
    ) -> None:
        self.line, self.name, self.address, self.policy = line, name, address, policy
        self.endpoint = Endpoint(SeededIds(seed))
        self.heard: list[Any] = []
        self.on: dict[type, Callable[[Any], list[Any]]] = {}
        self.commands: list[Any] = []
        self.anchors = True  # whether the media hands answer
        self.port = 20000
        line.agents.append(self)

    @property
    def now(self) -> float:
        return self.line.now

    def flow_to(self, other: tuple[str, int]) -> Flow:
        return Flow("UDP", self.address, other)

    def outgoing(self, other: tuple[str, int]) -> Outgoing:
        to = f"sip:{other[0]}:{other[1]}"
        return Outgoing(to, f"<sip:{self.name}@{self.address[0]}>", f"<{to}>", self.flow_to(other), self.name)

    def does(self, outputs: list[Any]) -> None:
        """What a command put out: events are taken, the rest goes on the line."""
        self.line.carry(self, self.taken(outputs))

    def taken(self, outputs: list[Any]) -> list[Any]:
        out: list[Any] = []
        for item in outputs:
            if isinstance(item, RequestReceived):
                out += self.taken(self.requested(item))
            elif isinstance(item, events.CallEvent):
                self.heard.append(item)
                react = self.on.get(type(item))
                out += self.taken(self.hear(item) if react is None else react(item))
            elif isinstance(item, anchor.Command):
                self.commands.append(item)
                out += self.taken(self.media(item))
            else:
                out.append(item)
        return out

    def media(self, command: anchor.Command) -> list[Any]:
        """The media hands: a port at once, if `anchors`."""
        if not isinstance(command, anchor.Offer) or not self.anchors:
            return []
        return self.anchored(command)

    def anchored(self, command: anchor.Offer) -> list[Any]:
        self.port += 2
        event = anchor.Anchored(command.media, command.leg, command.address, self.port, self.port + 1)
        return self.hear_media(event)

    def hear_media(self, event: anchor.Event) -> list[Any]:
        raise NotImplementedError

    def requested(self, event: RequestReceived) -> list[Any]:
        raise NotImplementedError

    def hear(self, event: Any) -> list[Any]:
        return []

    def kinds(self, leg: Leg | None = None) -> list[str]:
        """The names of what was heard, of one leg or all."""
        return [type(event).__name__ for event in self.heard if leg is None or event.leg is leg]

    def released(self) -> int:
        return len([command for command in self.commands if isinstance(command, anchor.Release)])

    def receive(self, data: bytes, flow: Flow, now: float) -> list[Any]:
        return self.taken(self.endpoint.receive(data, flow, now))

    def unreachable(self, flow: Flow, now: float) -> list[Any]:
        return self.taken(self.endpoint.unreachable(flow, now))

    def deadline(self) -> float | None:
        return self.endpoint.deadline()

    def expire(self, now: float) -> list[Any]:
        return self.taken(self.endpoint.expire(now))


class Phone(Node):
    """One ending leg at a time (or a passing one without `terms`)."""

    leg: Leg

    def __init__(
        self,
        line: Line,
        name: str,
        address: tuple[str, int],
        seed: int = 1,
        policy: SessionPolicy = NO_RELIABLE,
        *,
        ends: bool = True,
    ) -> None:
        super().__init__(line, name, address, seed, policy)
        self.terms = Terms("media", address[0]) if ends else None

    def new_leg(self) -> Leg:
        self.leg = Leg(self.endpoint, self.name, self.policy, self.terms)
        return self.leg

    def call(self, other: tuple[str, int], sdp: bytes = b"") -> None:
        description = Description.parse(sdp) if sdp else None
        self.does(self.new_leg().invite(self.outgoing(other), description, self.now))

    def requested(self, event: RequestReceived) -> list[Any]:
        try:
            return self.new_leg().incoming(event.transaction, event.request, self.now)  # type: ignore[arg-type]
        except ParseError as error:
            return self.endpoint.reply(event.transaction, error.status, self.now)

    def hear_media(self, event: anchor.Event) -> list[Any]:
        return self.leg.hear_media(event, self.now)

    @property
    def stream(self) -> Any:
        """The stream agreed on last."""
        return [event.stream for event in self.heard if isinstance(event, events.Agreed)][-1]


class Exchange(Node):
    """Calls `called` for whoever calls it, and bridges the two."""

    bridge: Bridge

    def __init__(
        self,
        line: Line,
        called: tuple[str, int],
        policy: SessionPolicy = NO_RELIABLE,
        far: SessionPolicy | None = None,
    ) -> None:
        super().__init__(line, "x", X, 3, policy)
        self.called, self.far = called, far or policy

    def requested(self, event: RequestReceived) -> list[Any]:
        a, b = (Leg(self.endpoint, name, p) for name, p in (("near", self.policy), ("far", self.far)))
        self.bridge = Bridge(a, b)
        return a.incoming(event.transaction, event.request, self.now)  # type: ignore[arg-type]

    def hear(self, event: Any) -> list[Any]:
        if isinstance(event, events.Invited):
            return self.bridge.b.invite(self.outgoing(self.called), event.sdp, self.now)
        return self.bridge.carry(event, self.now)

    def hear_media(self, event: anchor.Event) -> list[Any]:
        return []


def answering(phone: Phone) -> None:
    """From now on the phone answers at once."""
    phone.on[events.Invited] = lambda event: event.leg.answer(phone.now)


def two(
    a_policy: SessionPolicy = NO_RELIABLE, b_policy: SessionPolicy = NO_RELIABLE
) -> tuple[Line, Phone, Phone]:
    """A line with two phones."""
    line = Line()
    return line, Phone(line, "a", A, 1, a_policy), Phone(line, "b", B, 2, b_policy)


def bridged(
    policy: SessionPolicy = NO_RELIABLE, *, talking: bool = True, ends: bool = True
) -> tuple[Line, Phone, Exchange, Phone]:
    """Two phones with an exchange between them; `talking`: in a call, and what was said is forgotten."""
    line = Line()
    a = Phone(line, "a", A, 1, policy, ends=ends)
    x = Exchange(line, B, policy)
    b = Phone(line, "b", B, 2, policy, ends=ends)
    if talking:
        answering(b)
        a.call(X)
        line.run(1)
        assert a.leg.state == b.leg.state == x.bridge.a.state == x.bridge.b.state == "talking"
        line.clear()
        for node in (a, x, b):
            node.heard.clear()
    return line, a, x, b


def over(line: Line, *nodes: Node) -> None:
    """Let every timer run out; nothing may be left, and each leg was gone once."""
    line.run(150)
    for node in nodes:
        assert node.endpoint.idle, node.endpoint.remains()
        assert node.deadline() is None
        legs = {event.leg for event in node.heard}
        for leg in legs:
            assert leg.state == "over"
            assert node.kinds(leg).count("Gone") == 1
        offers = [c for c in node.commands if isinstance(c, anchor.Offer)]
        assert node.released() == len(offers)


def sdp_of(message: Any) -> Description:
    return Description.parse(message.body)
