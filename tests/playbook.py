"""Tests that read as a dialogue: what a machine gets, and all that it puts out.

    play = Playbook(ClientInvite(INVITE, UDP, TimerValues(), now=0.0))
    play.starts(Send(bytes(INVITE), UDP))
    play.receives(BUSY, Send(ACK, UDP), Passed(play.machine, BUSY))
    play.after(32.0)
    play.ends()

Each step names every output; what is not named must not come. Time is virtual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar


class Machine(Protocol):
    """What every machine of the house has: one deadline, and `expire` when it has come."""

    def deadline(self) -> float | None: ...

    def expire(self, now: float) -> Sequence[Any]: ...


M = TypeVar("M", bound=Machine)


class Playbook(Generic[M]):
    """Plays one machine on virtual time from `now` seconds on."""

    def __init__(self, machine: M, now: float = 0.0) -> None:
        self.machine = machine
        self.now = now

    def starts(self, *expected: Any) -> None:
        """The machine begins, and puts out exactly this."""
        self.does(self._verb("start"), (), *expected)

    def receives(self, message: Any, *expected: Any) -> None:
        """A message comes in, now."""
        self.does(self._verb("receive"), (message, self.now), *expected)

    def responds(self, response: Any, *expected: Any) -> None:
        """The user of a server transaction answers, now."""
        self.does(self._verb("respond"), (response, self.now), *expected)

    def fails(self, *expected: Any) -> None:
        """The transport breaks, now."""
        self.does(self._verb("failed"), (self.now,), *expected)

    def does(self, verb: Callable[..., Sequence[Any]], arguments: Iterable[Any], *expected: Any) -> None:
        """Any other command of the machine, e.g. `play.does(machine.trying, (play.now,), Send(...))`."""
        said = verb(*arguments)
        assert list(said) == list(expected), f"at {self.now} s"

    def after(self, seconds: float, *expected: Any) -> None:
        """Time passes; the machine is woken exactly when it wants to be."""
        end = self.now + seconds
        said: list[Any] = []
        while True:
            due = self.machine.deadline()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            said += self.machine.expire(self.now)
            left = self.machine.deadline()
            assert left is None or left > due, f"woken at {due} s, it wants to be woken at {left} s"
        self.now = end
        assert said == list(expected), f"until {end} s"

    def stands(self, state: Any) -> None:
        """The machine is in this state and not over."""
        assert self.machine.state is state  # type: ignore[attr-defined]
        assert not self.machine.over  # type: ignore[attr-defined]

    def ends(self) -> None:
        """The machine is over and wants nothing any more."""
        assert self.machine.over  # type: ignore[attr-defined]
        assert self.machine.deadline() is None

    def _verb(self, name: str) -> Callable[..., Sequence[Any]]:
        verb: Callable[..., Sequence[Any]] = getattr(self.machine, name)
        return verb


class Watched(dict[Any, Any]):
    """A state table that remembers which of its edges were taken."""

    def __init__(self, table: Mapping[Any, Any]) -> None:
        super().__init__(table)
        self.taken: set[Any] = set()

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            self.taken.add(key)
        return super().get(key, default)

    def __getitem__(self, key: Any) -> Any:
        value = super().__getitem__(key)
        self.taken.add(key)
        return value

    @property
    def untaken(self) -> set[Any]:
        return set(self) - self.taken


@contextmanager
def watched(machines: Iterable[type]) -> Iterator[dict[str, Watched]]:
    """Watch the `NEXT` of these machines inside the block; gives the tables by the machine's name."""
    kept = {machine: machine.NEXT for machine in machines}  # type: ignore[attr-defined]
    tables = {machine.__name__: Watched(table) for machine, table in kept.items()}
    try:
        for machine in kept:
            machine.NEXT = tables[machine.__name__]  # type: ignore[attr-defined]
        yield tables
    finally:
        for machine, table in kept.items():
            machine.NEXT = table  # type: ignore[attr-defined]
            if isinstance(table, Watched):  # somebody watches the whole run
                table.taken |= tables[machine.__name__].taken


def report(tables: Mapping[str, Watched]) -> str:
    """Each edge of each table on a line of its own, with a mark for those that were taken."""
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"{name}: {len(table.taken)} of {len(table)} edges taken")
        lines += [
            f"  {'x' if (before, event) in table.taken else ' '} {before} --[{event}]--> {after}"
            for (before, event), after in table.items()
        ]
    return "\n".join(lines)
