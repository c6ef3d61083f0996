"""Media through our workers and through rtpengine: the cost of a packet, and the most calls without loss.

The same generator (`media_load.c`, built here) puts the same calls through both by turns:
RTP on one side, SRTP on the other, 50 packets a second each way, and RTCP from both. Every
relayed packet is authenticated and counted at the far end. Ours is the running IPBX with its
shipped worker, the calls set up over SIP (`bench.anchored`): statistics, RTCP, latching and
replay window are on. Counted are the IPBX's signalling and its worker together. As root,
relay and generator run under SCHED_RR, so that what else the machine does is not measured
with them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bench.load import cores
from tests.interop.program import loopback
from tests.interop.rtpengine import Rtpengine

from bench import anchored, cost, results

SOURCE = Path(__file__).parent / "media_load.c"
REPORT = 5.0  # seconds between two RTCP packets of an end (RFC 3550 §6.2)
LATE = 50_000.0  # microseconds at p99 from which on a relay only piles up what it will lose
FAR = 5000  # the generator's first port, on an address of its own


class Call(NamedTuple):
    """What the generator must know of a call: the relay's port toward each side, and the keys of side B."""

    ports: tuple[int, int]
    out: bytes  # what the generator closes with
    back: bytes  # what the relay closes with

    def __str__(self) -> str:
        return " ".join((*map(str, self.ports), *(key.hex() for key in (self.out, self.back) if key)))


class Sample(NamedTuple):
    """What one run gave."""

    microseconds: float  # of processor time for a forwarded packet
    sent: int
    received: int
    refused: int
    reports: int  # RTCP packets that came back; the relay's own, or the far end's
    reports_refused: int  # that were none, or not authentic
    p99: float  # microseconds from the generator to itself
    share: float  # of its processor that the generator used
    load: float  # of its processor that the relay used

    @property
    def clean(self) -> bool:
        """Everything came, and everything was authentic."""
        return self.sent == self.received and not self.refused and not self.reports_refused


class Relay(NamedTuple):
    """A relay with calls set up in it: the processes that are measured, its addresses toward A and B."""

    pids: tuple[int, ...]
    addresses: tuple[str, str]
    calls: Sequence[Call]

    def used(self) -> float:
        """Processor seconds until now."""
        return sum(map(cost.thread_seconds, self.pids))


@asynccontextmanager
async def ours(count: int, secure: bool, far: str, core: int | None, near: str) -> AsyncIterator[Relay]:
    """The IPBX and its one worker; it has addresses of its own, not `near`."""
    async with anchored.standing(count, secure, (far, FAR), (far, FAR + 2), core) as ipbx:
        first = ipbx.calls[0]
        yield Relay(ipbx.pids, (first.calling.address, first.called.address), [*map(_known, ipbx.calls)])


def _known(pair: anchored.Pair) -> Call:
    """A call of the IPBX as the generator takes it, which sends RTCP to the port after RTP's."""
    assert all(stream.rtcp_port == stream.port + 1 for stream in pair), pair
    out, back = (
        b"" if line is None else line.keys[0].material
        for line in (pair.called.own_crypto, pair.called.crypto)
    )
    return Call((pair.calling.port, pair.called.port), out, back)


@asynccontextmanager
async def rtpengine(count: int, secure: bool, far: str, core: int | None, near: str) -> AsyncIterator[Relay]:
    """rtpengine in user space with one thread, its calls set up over NG."""
    with tempfile.TemporaryDirectory(prefix="rtpengine-") as directory:
        ports = (10000, 10000 + 4 * count + 400)
        with Rtpengine(Path(directory), near, ports, core=core) as peer:
            calls = []
            for n in range(count):
                back = secrets.token_bytes(30) if secure else b""
                side_b, side_a, out = peer.call(f"call-{n}", (far, FAR), (far, FAR + 2), back)
                calls.append(Call((side_a, side_b), back, out))
            yield Relay((peer.pid,), (near, near), calls)


SYSTEMS = {"trunkline": ours, "rtpengine": rtpengine}


def undisturbed(pid: int) -> None:
    """Let nothing else take the processor from this process's threads, where this user may ask for that."""
    with suppress(PermissionError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(5))


def build(directory: Path) -> Path:
    """The generator."""
    program = directory / "media_load"
    subprocess.run(["cc", "-O2", "-o", str(program), str(SOURCE)], check=True)
    return program


async def run(
    system: str,
    program: Path,
    count: int,
    secure: bool,
    seconds: float,
    warm_up: float = 2.0,
    report: float = REPORT,
) -> Sample:
    """One run of one system, started for it alone."""
    core, other = cores()
    near, far = loopback(), loopback()
    async with SYSTEMS[system](count, secure, far, core, near) as relay:
        words = [str(program), far, *map(str, (FAR, seconds, warm_up, report)), *relay.addresses]
        if other is not None:
            words = ["taskset", "--cpu-list", str(other), *words]
        load = await asyncio.create_subprocess_exec(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for pid in (*relay.pids, load.pid):
            undisturbed(pid)
        assert load.stdin is not None
        assert load.stdout is not None
        load.stdin.write("".join(f"{call}\n" for call in relay.calls).encode())
        load.stdin.close()
        at: dict[str, float] = {}
        said = b""
        while line_ := await load.stdout.readline():
            at[line_.decode().strip()] = relay.used()
            said = line_
        if await load.wait() != 0:
            raise RuntimeError("the generator failed")
    tally = json.loads(said)
    used = at["sent"] - at["measuring"]
    forwarded = max(1, tally["received"])
    return Sample(
        used / forwarded * 1e6,
        tally["sent"],
        tally["received"],
        tally["refused"],
        tally["reports"],
        tally["reports_refused"],
        tally["p99"],
        tally["share"],
        used / seconds,
    )


def told(system: str, count: int, sample: Sample) -> str:
    lost = sample.sent - sample.received
    return (
        f"{system:10}{count:5} calls {sample.microseconds:6.2f} us/packet, load {sample.load:.2f}, "
        f"lost {lost} of {sample.sent}, refused {sample.refused}, RTCP {sample.reports}, "
        f"p99 {sample.p99:.0f} us, generator {sample.share:.2f}"
    )


async def most(system: str, program: Path, steps: Sequence[int], seconds: float) -> int:
    """The most calls of `steps` that lost nothing and held nothing up, each tried twice at most."""
    best = 0
    for count in steps:
        for _ in range(2):
            sample = await run(system, program, count, True, seconds)
            print(told(system, count, sample), flush=True)
            if sample.clean and sample.p99 < LATE:
                best = count
                break
        else:
            break
    return best


async def compare(calls: int, runs: int, seconds: float, steps: Sequence[int]) -> list[results.Result]:
    """The figures, the systems by turns."""
    with tempfile.TemporaryDirectory(prefix="relay-") as directory:
        program = build(Path(directory))
        found: dict[str, list[float]] = {system: [] for system in SYSTEMS}
        for _ in range(runs):
            for system in SYSTEMS:
                sample = await run(system, program, calls, True, seconds)
                print(told(system, calls, sample), flush=True)
                if not sample.reports:
                    raise RuntimeError(f"no RTCP came from {system}")
                found[system].append(sample.microseconds)
        lossless = {system: float(await most(system, program, steps, seconds)) for system in SYSTEMS}
    ours_, theirs = found["trunkline"], found["rtpengine"]
    return [
        results.result("relay_cpu_per_packet_vs_rtpengine", "us", ours_, "rtpengine", theirs),
        results.result("rtpengine_cpu_per_packet", "us", theirs),
        results.result(
            "relay_calls_without_loss",
            "calls",
            [lossless["trunkline"]],
            "rtpengine",
            [lossless["rtpengine"]],
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each system (default 3)")
    parser.add_argument("--calls", type=int, default=400, help="calls of the comparison (default 400)")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of a run (default 6)")
    parser.add_argument("--steps", type=int, nargs="*", default=[500, 600, 700, 800, 900, 1000])
    asked = parser.parse_args()
    found = asyncio.run(compare(asked.calls, asked.runs, asked.seconds, asked.steps))
    print(f"\n{results.table(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
