"""One seed of the secured town, played."""

from __future__ import annotations

import sys
from functools import partial

from tests.simulation.laws import broken_laws
from tests.simulation.play import Outcome, Play
from tests.simulation.secured.laws import broken_secured_laws
from tests.simulation.secured.plan import SecurePlan, secure_plan_of
from tests.simulation.secured.town import SecureTown
from tests.simulation.world import CALM


class SecurePlay(Play):
    """A plan of the secured town on its way."""

    plan: SecurePlan
    town: SecureTown

    def _judge(self) -> list[str]:
        return [*broken_laws(self), *broken_secured_laws(self)]

    def _play(self) -> None:
        world, net = self.world, self.town.net
        self.town.prepare()
        for spell in self.plan.media:
            world.at(spell.at, partial(setattr, net, "weather", spell.weather))
            world.at(spell.until, partial(setattr, net, "weather", CALM))
        super()._play()

    def _heal(self) -> None:
        self.town.workers.late, self.town.workers.pairs = 0.0, 400
        super()._heal()


def secure_play(seed: int, *, log: bool = False) -> Outcome:
    """Play a seed."""
    plan = secure_plan_of(seed)
    return SecurePlay(plan, SecureTown(plan, log=log)).run()


if __name__ == "__main__":
    print(secure_play(int(sys.argv[1]), log=True).report())
