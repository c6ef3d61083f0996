"""How far the installer is: which steps of a checklist are ticked, kept as JSON beside the site file.

A tick remembers the value that was typed. When the site file changes since, the step is to be
done again, and says what it was: nothing stays ticked that no longer holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from trunkline.finding import ParseError
from trunkline.plan.document import Step

FORMAT: Final = 1
TICKS_MAX: Final = 10_000
TEXT_MAX: Final = 1_000


class State(StrEnum):
    """Where a step stands."""

    OPEN = "open"
    DONE = "done"
    CHANGED = "changed"


class Tick(NamedTuple):
    """When a step was ticked (civil time, ISO 8601), the value it had then, and a remark."""

    at: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The ticks by the steps' ids. Ticks of steps that the site no longer has stay, unseen."""

    ticks: Mapping[str, Tick] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, text: str) -> Progress:
        """Read a progress file. Raises ParseError."""
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            raise ParseError("progress file", text[:40], "expected JSON, as this verb wrote it") from None
        held = read.get("ticks") if isinstance(read, dict) else None
        if not isinstance(held, dict) or read.get("format") != FORMAT or len(held) > TICKS_MAX:
            raise ParseError("progress file", text[:40], f"expected a progress file of format {FORMAT}")
        return cls(MappingProxyType({str(step): _tick(str(step), tick) for step, tick in held.items()}))

    def __str__(self) -> str:
        ticks = {step: tick._asdict() for step, tick in sorted(self.ticks.items())}
        return json.dumps({"format": FORMAT, "ticks": ticks}, indent=1, ensure_ascii=False) + "\n"

    def ticked(self, steps: Iterable[Step], at: str, note: str = "") -> Progress:
        """With these steps done."""
        new = {step.id: Tick(at, str(step.value), note) for step in steps}
        return Progress(MappingProxyType({**self.ticks, **new}))

    def cleared(self, ids: Iterable[str]) -> Progress:
        """With these steps open again."""
        gone = frozenset(ids)
        return Progress(
            MappingProxyType({step: tick for step, tick in self.ticks.items() if step not in gone})
        )

    def state(self, step: Step) -> State:
        """Where a step of the site as it is now stands."""
        tick = self.ticks.get(step.id)
        if tick is None:
            return State.OPEN
        return State.DONE if tick.value == str(step.value) else State.CHANGED


def _tick(step: str, read: object) -> Tick:
    words = [read.get(key) for key in ("at", "value", "note")] if isinstance(read, dict) else [None]
    if not all(isinstance(word, str) and len(word) <= TEXT_MAX for word in words):
        raise ParseError(f"progress file, {step}", str(read), "expected at, value and note")
    at, value, note = (str(word) for word in words)
    return Tick(at, value, note)
