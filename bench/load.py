"""Puts the same calls through each system, says what a call cost, and that the generator was no limit."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench.peers import Place, System
from tests.interop.program import Program, loopback
from tests.interop.sipp import Sipp

from bench import cost

SCENARIOS = Path(__file__).parent / "scenarios"
LIMIT = 0.7  # of one processor: a generator above it may have been what was measured


class Load(NamedTuple):
    """The calls of one run: INVITE 100 180 200 ACK, talk, BYE 200."""

    calls: int = 1200
    rate: float = 150.0  # a second
    ring: float = 0.02  # s from 180 to 200
    talk: float = 0.05  # s from ACK to BYE
    warm_up: int = 300  # calls made before, not measured


class Sample(NamedTuple):
    """What one run of one system gave."""

    milliseconds: float  # of processor time for a call, the whole process tree
    generator: float  # share of a processor that the busier SIPp used
    ringing: tuple[float, ...]  # s from INVITE to 180, each call, sorted
    resident: int  # bytes at the end
    fault: str  # why this run proves nothing, "" when it is sound

    def percentile(self, share: float) -> float:
        """The time to 180 that ``share`` (0-1) of the calls did not exceed, in seconds."""
        return (
            self.ringing[min(len(self.ringing) - 1, int(share * len(self.ringing)))] if self.ringing else 0.0
        )


def cores() -> tuple[int | None, int | None]:
    """The processors for the system and for the generators: two different ones where there are two."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def measure(root: int, calls: int, work: Callable[[], object]) -> float:
    """The processor milliseconds that the tree of ``root`` used for each of the calls that ``work`` made."""
    before = cost.processor_seconds(root)
    work()
    return (cost.processor_seconds(root) - before) * 1000 / calls


def run(system: System, load: Load, directory: Path) -> Sample:
    """One run of ``system``, started for it alone on addresses of its own."""
    core, other = cores()
    caller, callee, own = ((loopback(), 5060) for _ in range(3))
    with ExitStack() as running:
        program: Program | None = None
        if system.start is not None:  # first: a system may have to be told where the callee is
            place = Place(directory / system.name, own, caller, callee, core)
            program = running.enter_context(system.start(place))
        answering = running.enter_context(
            Sipp(SCENARIOS / "answer.xml", directory / "callee", callee, pause=load.ring, core=other)
        )
        target = callee if program is None else own
        program = program or answering

        def calling(name: str, calls: int) -> Sipp:
            sipp = Sipp(
                SCENARIOS / "call.xml",
                directory / name,
                caller,
                target,
                calls=calls,
                rate=load.rate,
                pause=load.talk,
                service=system.service,
                keys={"caller": system.caller},
                round_trips=True,
                core=other,
            )
            return running.enter_context(sipp)

        calling("warm-up", load.warm_up).finished(load.warm_up / load.rate + 60)
        begun, answered, called = time.monotonic(), cost.processor_seconds(answering.pid), _reaped_seconds()
        main = calling("caller", load.calls)
        milliseconds = measure(program.pid, load.calls, lambda: main.wait(load.calls / load.rate + 60))
        took = time.monotonic() - begun
        generators = (cost.processor_seconds(answering.pid) - answered, _reaped_seconds() - called)
        resident = cost.resident_bytes(program.pid)
        made, taken = main.tally(), answering.drained(30)
    share = max(generators) / took
    faults = [made.fault, taken.fault, "" if made.successful == load.calls else "calls are missing"]
    faults += [f"the generator used {share:.2f} of its processor"] if share > LIMIT else []
    ringing = tuple(sorted(main.response_times()))
    return Sample(milliseconds, share, ringing, resident, "; ".join(filter(None, faults)))


def _reaped_seconds() -> float:
    """The processor time of all children that have ended: of one, when only one did in between."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def interleaved(
    systems: Sequence[System], load: Load, runs: int, directory: Path, tell: Callable[[str], None]
) -> Mapping[str, list[Sample]]:
    """``runs`` runs of each system by turns, so that what disturbs the machine disturbs them all alike.

    Only sound runs are kept. A run that is not is told and made once more, at most ``runs`` times in all.
    """
    samples: dict[str, list[Sample]] = {system.name: [] for system in systems}
    spare = runs
    for number in range(runs):
        for system in systems:
            while True:
                at = directory / f"{number}-{system.name}-{spare}"
                sample = run(system, load, at)
                said = f"{system.name:12}{sample.milliseconds:8.2f} ms/call, generator {sample.generator:.2f}"
                tell(f"{number + 1}/{runs} {said}{', NOT SOUND: ' if sample.fault else ''}{sample.fault}")
                if not sample.fault:
                    samples[system.name].append(sample)
                    break
                if not spare:
                    break
                spare -= 1
    return samples
