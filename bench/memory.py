"""The memory of the IPBX: for an idle registration, for a call, and after many calls.

Each figure is a difference within one run of one process, so that the interpreter's own
size does not count.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.ipbx import DDI, IPBX, USER, register, serving
from bench.load import SCENARIOS, cores
from bench.peers import Place
from tests.interop.program import PeerError, Program, loopback, until
from tests.interop.sipp import Sipp

from bench import cost, results

PHONES = 2000  # idle registrations
TALKING = 500  # calls up at once
MANY = 20_000  # calls in a row, of which the first quarter fills the allocator's pools
RATE = 150  # of them a second
PATIENCE = 240.0  # s


def measure(directory: Path, tell: Callable[[str], None]) -> list[results.Result]:
    """All figures, from two processes."""
    return [_registration(directory / "phones", tell), *_calls(directory / "calls", tell)]


def _place(directory: Path) -> tuple[Place, int | None]:
    core, other = cores()
    caller, callee, own = ((loopback(), 5060) for _ in range(3))
    return Place(directory, own, caller, callee, core), other


def _registration(directory: Path, tell: Callable[[str], None]) -> results.Result:
    place, _ = _place(directory)
    users = [f"{20000 + number}" for number in range(PHONES + 100)]
    with serving(place, users) as program:
        register(place, users[:100])
        before = cost.resident_bytes(program.pid)
        register(place, users[100:], rate=200)
        each = (cost.resident_bytes(program.pid) - before) / PHONES / 1024
    tell(f"{PHONES} idle registrations: {each:.1f} KiB each")
    return results.result("ipbx_rss_per_registration", "KiB", [each])


def _calls(directory: Path, tell: Callable[[str], None]) -> list[results.Result]:
    place, other = _place(directory)
    with ExitStack() as running:
        program = running.enter_context(serving(place, [USER]))
        register(place, [USER])
        running.enter_context(
            Sipp(SCENARIOS / "answer.xml", directory / "callee", place.callee, pause=0.02, core=other)
        )

        def calling(name: str, calls: int, rate: float, talk: float) -> Sipp:
            return running.enter_context(
                Sipp(
                    SCENARIOS / "call.xml",
                    directory / name,
                    place.caller,
                    place.address,
                    calls=calls,
                    rate=rate,
                    at_once=2 * TALKING,
                    pause=talk,
                    service=DDI,
                    keys={"caller": IPBX.caller},
                    core=other,
                )
            )

        calling("warm-up", 500, 100, 0.05).finished(60)
        _rests(program, directory)
        before = cost.resident_bytes(program.pid)
        held = calling("held", TALKING, 100, 12.0)
        until(lambda: _asked(directory)["channels"]["used"] >= TALKING, 60, "the calls to be up", program)
        each = (cost.resident_bytes(program.pid) - before) / TALKING / 1024
        held.finished(PATIENCE)
        tell(f"{TALKING} calls up: {each:.1f} KiB each")
        calling("first", MANY // 4, RATE, 0.05).finished(MANY / 4 / RATE + PATIENCE)
        _rests(program, directory)
        early = cost.resident_bytes(program.pid)
        tally = calling("many", MANY - MANY // 4, RATE, 0.05).finished(MANY / RATE + PATIENCE)
        _rests(program, directory)
        late = cost.resident_bytes(program.pid)
        if tally.successful < MANY - MANY // 4:  # repetitions are no fault: they cost memory as well
            raise PeerError(f"calls failed: {tally}")
    grown = (late - early) / 1024 / 1024
    tell(f"after {MANY} calls: {late / 1024 / 1024:.1f} MiB, {grown:+.1f} MiB since {MANY // 4}")
    return [
        results.result("ipbx_rss_per_call", "KiB", [each]),
        results.result("ipbx_rss_after_20000_calls", "MiB", [late / 1024 / 1024]),
        results.result("ipbx_rss_growth_over_15000_calls", "MiB", [grown]),
    ]


def _rests(program: Program, directory: Path) -> None:
    """Wait until nothing of a call is left: half a minute of timers, more where the machine is busy."""
    what = "the transactions' timers to end"
    until(lambda: not sum(_asked(directory)["remains"].values()), PATIENCE, what, program)


def _asked(directory: Path) -> dict[str, Any]:
    """What the IPBX says of itself on its control socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
        talk.settimeout(60)
        talk.connect(str(directory / "ask"))
        talk.sendall(b'{"ask": "status"}\n')
        with talk.makefile("rb") as lines:
            answer: dict[str, Any] = json.loads(lines.readline())
            return answer
