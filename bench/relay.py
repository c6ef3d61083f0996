"""Media through our workers and through rtpengine: the cost of a packet, and the most calls without loss.

The same generator (`media_load.c`, built here) puts the same calls through both by turns:
RTP on one side, SRTP on the other, 50 packets a second each way. Every relayed packet is
authenticated and counted at the far end. Ours is the shipped worker: statistics, RTCP,
latching and replay window are on. As root, relay and generator run under SCHED_RR, so that
what else the machine does is not measured with them.
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
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bench.load import cores
from tests.interop.program import loopback
from tests.interop.rtpengine import Rtpengine

from bench import results
from trunkline.aio.clock import SystemIds
from trunkline.aio.workers import Workers
from trunkline.media.anchor import Anchored, Answer, Event, Offer
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.offer_answer import Stream

SOURCE = Path(__file__).parent / "media_load.c"
SUITE = "AES_CM_128_HMAC_SHA1_80"
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
    p99: float  # microseconds from the generator to itself
    share: float  # of its processor that the generator used
    load: float  # of its processor that the relay used

    @property
    def clean(self) -> bool:
        """Everything came, and everything was authentic."""
        return self.sent == self.received and not self.refused


def line(key: bytes) -> Crypto:
    return Crypto(1, SUITE, (f"inline:{b64encode(key).decode()}",))


class Relay(NamedTuple):
    """A relay with calls set up in it: the process that is measured, the calls, its address."""

    pid: int
    address: str
    calls: Sequence[Call]


@asynccontextmanager
async def ours(count: int, secure: bool, far: str, core: int | None, near: str) -> AsyncIterator[Relay]:
    """One shipped worker, its calls set up over the media seam."""
    events: asyncio.Queue[Event] = asyncio.Queue()
    workers = Workers(events.put_nowait, SystemIds(), 1, (10000, 10000 + 4 * count + 20))
    try:
        (pid,) = workers.pids.values()
        if core is not None:
            os.sched_setaffinity(pid, {core})
        calls = []
        for n in range(count):
            media = f"call-{n}"
            found = {}
            for leg, join in (("a", "b"), ("b", "a")):
                workers.submit(Offer(media, leg, near, join))
                anchored = await events.get()
                assert isinstance(anchored, Anchored), anchored
                found[leg] = anchored.port
            out, back = (secrets.token_bytes(30) if secure else b"" for _ in range(2))
            workers.submit(Answer(media, "a", Stream(far, FAR, FAR + 1, 8)))
            if secure:
                stream = Stream(far, FAR + 2, FAR + 3, 8, profile="RTP/SAVP", crypto=line(out))
                workers.submit(Answer(media, "b", stream, line(back)))
            else:
                workers.submit(Answer(media, "b", Stream(far, FAR + 2, FAR + 3, 8)))
            calls.append(Call((found["a"], found["b"]), out, back))
        yield Relay(pid, near, calls)
    finally:
        workers.close()
        await workers.closed()


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
            yield Relay(peer.pid, near, calls)


SYSTEMS = {"trunkline": ours, "rtpengine": rtpengine}


def processor_seconds(pid: int) -> float:
    """What the threads of a process used so far, to the nanosecond: a run here is short."""
    used = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


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
    system: str, program: Path, count: int, secure: bool, seconds: float, warm_up: float = 2.0
) -> Sample:
    """One run of one system, started for it alone."""
    core, other = cores()
    near, far = loopback(), loopback()
    async with SYSTEMS[system](count, secure, far, core, near) as relay:
        words = [str(program), far, str(FAR), str(seconds), str(warm_up)]
        if other is not None:
            words = ["taskset", "--cpu-list", str(other), *words]
        # The relay's address and the generator's differ: packets go to the one the calls were set up on.
        load = await asyncio.create_subprocess_exec(
            *words, relay.address, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        undisturbed(relay.pid)
        undisturbed(load.pid)
        assert load.stdin is not None
        assert load.stdout is not None
        load.stdin.write("".join(f"{call}\n" for call in relay.calls).encode())
        load.stdin.close()
        at: dict[str, float] = {}
        said = b""
        while line_ := await load.stdout.readline():
            at[line_.decode().strip()] = processor_seconds(relay.pid)
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
        tally["p99"],
        tally["share"],
        used / seconds,
    )


def told(system: str, count: int, sample: Sample) -> str:
    lost = sample.sent - sample.received
    return (
        f"{system:10}{count:5} calls {sample.microseconds:6.2f} us/packet, load {sample.load:.2f}, "
        f"lost {lost} of {sample.sent}, refused {sample.refused}, p99 {sample.p99:.0f} us, "
        f"generator {sample.share:.2f}"
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
    parser.add_argument("--steps", type=int, nargs="*", default=[500, 600, 700, 800, 900, 1000, 1100, 1200])
    asked = parser.parse_args()
    found = asyncio.run(compare(asked.calls, asked.runs, asked.seconds, asked.steps))
    print(f"\n{results.table(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
