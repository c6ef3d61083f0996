"""One seed, played: the plan carried out, time to heal, a last call each way, and what the laws say of it."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.simulation.hands import Hands, Temper
from tests.simulation.laws import broken_laws
from tests.simulation.plan import ANSWERS, DDIS, EXTENSIONS, Plan, Ring, Trouble, plan_of
from tests.simulation.stranger import Stranger
from tests.simulation.town import Town
from tests.simulation.world import CALM, Broken, Host, World

from trunkline.call.leg import Leg
from trunkline.call.party import Behaviour
from trunkline.pbx.ipbx import Ipbx

STEP = 3.0  # seconds between two looks whether everything has ended
SETTLE = 2600.0  # seconds in which it must have: a session interval of 1800 s, and its end
HEAL = 900.0  # seconds in which phones and gateways must be back after the troubles


@dataclass(slots=True)
class Placed:
    """A call that was placed: its ring, the caller's host and leg."""

    ring: Ring
    host: Host
    leg: Leg
    last: bool = False  # one of those that prove that all is well again


@dataclass(slots=True)
class Outcome:
    """What came of a seed. `broken` is empty when every law held."""

    plan: Plan
    fingerprint: str
    broken: list[str]
    log: list[str] = field(default_factory=list)
    sent: int = 0

    def report(self) -> str:
        """The plan, the log and what was broken, for a person."""
        return "\n".join(
            [*self.plan.describe(), "", *self.log, "", *(f"BROKEN: {law}" for law in self.broken)]
        )


class _Bounds:
    """Looks at each message whether the IPBX holds more channels than were bought (CAC-1)."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def sent(self, host: Host, data: bytes, flow: Any, now: float) -> None:
        if isinstance(host.node, Ipbx):
            channels = host.node.exchange.channels
            if channels.used - channels.emergency > channels.bound:
                raise Broken(f"{channels.used} channels of {channels.bound} at {now}")

    def taken(self, host: Host, data: bytes, flow: Any, now: float) -> None:
        pass


class Play:
    """A plan on its way."""

    def __init__(self, plan: Plan, town: Town) -> None:
        self.plan, self.town = plan, town
        self.placed: list[Placed] = []

    @property
    def world(self) -> World:
        return self.town.world

    def run(self) -> Outcome:
        """To the end; what escapes a node is a broken law like any other."""
        broken: list[str] = []
        try:
            self._play()
        except Exception as error:
            broken.append("".join(traceback.format_exception(error)))
        else:
            broken += self._judge()
        world = self.world
        return Outcome(self.plan, world.fingerprint(), broken, world.log or [], world.sent)

    def _judge(self) -> list[str]:
        return broken_laws(self)

    def _play(self) -> None:
        plan, world = self.plan, self.world
        world.taps.append(_Bounds(self.town))
        for ring in plan.rings:
            world.at(ring.at, partial(self._place, ring))
        for act in plan.acts:
            world.at(act.at, partial(self.town.act, act.who, act.what))
        for trouble in plan.troubles:
            world.at(trouble.at, partial(self._go_wrong, trouble))
        for spell in plan.spells:
            world.at(spell.at, partial(setattr, world, "weather", spell.weather))
            world.at(spell.until, partial(setattr, world, "weather", CALM))
        self.town.begin()
        world.run(plan.ends + 0.5)
        self._settle()
        self._heal()
        self._prove()
        self._settle()

    def _place(self, ring: Ring, last: bool = False) -> None:
        town, leg = self.town, None
        self.world.note(f"{ring.who} calls {ring.number}")
        if ring.who == self.plan.stranger:
            town.odd_call(ring.caller, ring.number)
            return
        if ring.kind == "in":
            host = town.sbc_hosts[ring.who]
            leg = town.call_in(ring.who, ring.caller, ring.number, ring.behaviour)
        else:
            host = town.phone_hosts[ring.who]
            call = town.dial(ring.who, ring.number, ring.behaviour)
            leg = None if call is None else call.leg
        if leg is None:
            return
        self.placed.append(Placed(ring, host, leg, last))
        if ring.gives_up:
            self.world.after(ring.gives_up, partial(town.tell, host, leg, "hang up"))

    def _go_wrong(self, trouble: Trouble) -> None:
        mend = self.town.fail(trouble)
        self.world.at(max(trouble.until, self.world.now), mend)

    # --- afterwards -----------------------------------------------------------------------

    def _settle(self) -> None:
        """Wait until each node was seen with nothing left."""
        world, waiting = self.world, set(self.town.remains())
        until = world.now + SETTLE
        while waiting and world.now < until:
            world.run(world.now + STEP)
            remains = self.town.remains()
            waiting = {name for name in waiting if remains[name]}
        if waiting:
            left = "; ".join(f"{name}: {', '.join(remains[name])}" for name in sorted(waiting))
            raise Broken(f"left after {SETTLE:g} s: {left}")

    def _heal(self) -> None:
        """Wait until the phones are registered and the gateways take calls."""
        town, world = self.town, self.world
        until = world.now + HEAL
        for host in world.hosts:
            if isinstance(host.hands, Hands):
                host.hands.temper = Temper()
            if isinstance(host.node, Stranger):
                host.node.scripts = ("plain",)
        while True:
            registrar, trunk = town.ipbx.exchange.registrar, town.ipbx.exchange.trunk
            away = [desk for desk in town.phone_hosts if not town.phone(desk).registered]
            away += [e for e in EXTENSIONS if not registrar.contacts(e, world.now)]
            if self.plan.knobs.registers:  # a registrar that was lost has forgotten the trunk
                away += [
                    label for label in town.sbc_hosts if not town.sbc(label).customer.registered(world.now)
                ]
            away += [f"{gateway.label} ({gateway.why})" for gateway in trunk.gateways if not gateway.usable]
            if not away:
                return
            if world.now >= until:
                raise Broken(f"not back {HEAL:g} s after the troubles: {', '.join(away)}")
            world.run(world.now + STEP)

    def _prove(self) -> None:
        """A call out and one in by each SBC: all is well again."""
        town, world = self.town, self.world
        for desk in town.phone_hosts:
            town.phone(desk).behaviour = Behaviour()
        talk = Behaviour(seconds=1.0)
        now = world.now
        last = [Ring(now + 0.1, "out", "201", ANSWERS, talk)]
        last += [Ring(now + 0.2, "in", sbc, DDIS["202"], talk, ANSWERS) for sbc in town.sbc_hosts]
        for ring in last:
            world.at(ring.at, partial(self._place, ring, True))
        world.run(now + 3.0)


def play(seed: int, *, log: bool = False) -> Outcome:
    """Play a seed."""
    plan = plan_of(seed)
    return Play(plan, Town(plan, log=log)).run()


if __name__ == "__main__":
    print(play(int(sys.argv[1]), log=True).report())
