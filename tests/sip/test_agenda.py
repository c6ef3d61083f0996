"""Many deadlines as one: whoever is due is woken, nobody is woken for nothing, nothing is kept."""

from __future__ import annotations

import weakref

from hypothesis import given
from hypothesis import strategies as st

from trunkline.sip.agenda import Agenda


class Machine:
    """Something with a deadline that a test sets."""

    def __init__(self, at: float | None = None) -> None:
        self.at = at

    def deadline(self) -> float | None:
        return self.at


def test_earliest_machine_comes_first() -> None:
    agenda = Agenda()
    late, soon, never = Machine(5), Machine(2), Machine()
    for machine in (late, soon, never):
        agenda.settle(machine)
    assert agenda.deadline() == 2
    assert len(agenda) == 2
    assert agenda.due(1) == []
    assert agenda.due(5) == [soon, late]
    assert agenda.deadline() is None


def test_deadline_that_moved_away_wakes_nobody_early() -> None:
    agenda, machine = Agenda(), Machine(1)
    agenda.settle(machine)
    machine.at = 9
    agenda.settle(machine)
    assert agenda.due(1) == []  # looked again, and put back
    assert agenda.deadline() == 9
    assert agenda.due(9) == [machine]


def test_forgotten_machine_is_kept_by_no_deadline() -> None:
    agenda, machine = Agenda(), Machine(9)
    agenda.settle(machine)
    agenda.forget(machine)
    left = weakref.ref(machine)
    del machine
    assert left() is None
    assert agenda.due(9) == []
    assert agenda.deadline() is None


def test_deadline_that_came_nearer_is_kept_once() -> None:
    agenda, machine = Agenda(), Machine(9)
    agenda.settle(machine)
    machine.at = 1
    agenda.settle(machine)
    assert agenda.due(1) == [machine]
    assert agenda.due(9) == []
    assert agenda.deadline() is None


def test_machine_that_wants_nothing_any_more_is_dropped_when_its_time_comes() -> None:
    agenda, machine = Agenda(), Machine(1)
    agenda.settle(machine)
    machine.at = None
    agenda.settle(machine)
    assert agenda.due(1) == []
    assert len(agenda) == 0


def test_forgotten_machine_is_never_woken() -> None:
    agenda, machine = Agenda(), Machine(1)
    agenda.settle(machine)
    agenda.forget(machine)
    agenda.forget(machine)
    assert agenda.deadline() is None
    assert agenda.due(1) == []
    agenda.settle(machine)  # it may come back
    assert agenda.due(1) == [machine]


TIMES = st.one_of(st.none(), st.integers(0, 20))


@given(st.lists(st.tuples(st.integers(0, 4), TIMES, st.booleans()), max_size=60))
def test_any_moves_wake_each_machine_at_its_deadline_and_no_other(
    moves: list[tuple[int, int | None, bool]],
) -> None:
    agenda, machines = Agenda(), [Machine() for _ in range(5)]
    known: dict[int, float] = {}
    for now, (index, at, forget) in enumerate(moves):
        machine = machines[index]
        machine.at = None if at is None else now + at
        if forget:
            agenda.forget(machine)
            machine.at = None
        agenda.settle(machine)
        known = {i: m.at for i, m in enumerate(machines) if m.at is not None}
        woken = agenda.due(now)
        assert sorted(map(machines.index, woken)) == sorted(i for i, t in known.items() if t <= now)  # type: ignore[arg-type]
        for each in woken:
            each.at = None  # type: ignore[attr-defined]
        waiting = [m.at for m in machines if m.at is not None]
        asked = agenda.deadline()
        assert (asked is None and not waiting) or (asked is not None and asked <= min(waiting, default=asked))
