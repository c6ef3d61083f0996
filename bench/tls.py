"""What TLS costs: the same calls from a phone to the carrier, over mutual TLS and over UDP by turns.

SIPp is the phone (UDP, a digest challenge each call) and the public subscriber behind our
carrier. Between them `trunkline run` and `trunkline carrier` are processes of their own
on loopback, the carrier on the generators' processor and not counted. What differs is the site:

- TLS: the example over the internet, certificates of a lab's two authorities, SRTP, and
  media anchored on a worker that the IPBX runs;
- UDP: the example over BVPN, media direct.

Both stand at the same time, and the calls go through each by turns of half a second: what
slows the machine (another guest of its host, most often) then slows both of a turn, of
which the ratio is taken. One system at a time and ten seconds each, the ratio of two
runs was anything from 0.97 to 1.68 on one machine. Both are started anew many times:
where its memory comes to lie makes a process faster or slower for as long as it lives.

Counted is the IPBX's signalling process, over the whole turn: also what it clears away of
its calls while the other's are made, and all that it does to have media anchored. One TLS
connection carries the calls, as in the product. What the media worker used is a figure of its own.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.load import Load, cores
from tests.example_site import FILE, INTERNET, edited, tree
from tests.interop.program import PeerError, Program, until
from tests.interop.sipp import Sipp

from bench import cost, results
from trunkline.aio import control
from trunkline.lab.addresses import PHONE_PORT, Block, Places, as_yaml, lab_site
from trunkline.lab.names import NameServer, make_zone
from trunkline.lab.papers import certified
from trunkline.lab.scenarios import dialled
from trunkline.lab.stage import zone_of
from trunkline.site.load import load
from trunkline.site.model import Site

SITES = {"tls": INTERNET, "udp": FILE}  # by turns
LOAD = Load(calls=40, rate=80.0, warm_up=100)  # of a turn; carriers and SIPps share a processor
TURNS = 18  # of a start
STARTS = 3  # for each run that is asked for
USER, PASSWORD = "201", "bench-secret"
SUBSCRIBER = "+33199009100"
_SUBSCRIBER_HOST = 200  # last part of its address, beyond the lab's phones
_PORTS = {"first": 6000, "last": 19999}  # no call waits for a media port


class Used(NamedTuple):
    """What one system used in a turn, in processor milliseconds for a call."""

    signalling: float  # of the IPBX's own process
    workers: float  # of its media workers


class Stage(NamedTuple):
    """A site on loopback addresses of its own, and who stands where in it."""

    file: Path
    site: Site
    places: Places


@contextmanager
def staged(example: Path, directory: Path, does: str = "external") -> Iterator[Stage]:
    """The example made this machine's; the timers are the shipped ones, not a lab's.

    The subscriber is SIPp's ("external"), or one that the carrier has ("answer", at once).
    """
    directory.mkdir(parents=True, exist_ok=True)
    block = Block.reserve(secrets.randbelow(1 << 16))
    try:
        known = tree(example)
        at = {"at": f"{block.network}.{_SUBSCRIBER_HOST}:{PHONE_PORT}"} if does == "external" else {}
        gateways = known["trunk"]["gateways"]
        changes: dict[str, Any] = {
            "phones.digest": ["MD5"],  # all that SIPp 3.6 knows
            "trunk.channels": "1000",
            "carrier.channels": "1000",
            **{f"trunk.gateways.{n}.media.bandwidth": "1000" for n in range(len(gateways))},
            "carrier.subscribers": [
                *known["carrier"]["subscribers"],
                {"number": SUBSCRIBER, "does": does, "after": "0", **at},
            ],
        }
        if "media" in known:
            changes |= {"media.workers": "1", "media.trunk_ports": _PORTS}
        loaded = load(edited(changes, example), example.name)
        if loaded.site is None:
            raise ValueError(f"{example.name}: {'; '.join(map(str, loaded.findings))}")
        passwords = {user.extension: PASSWORD for user in loaded.site.users}
        site, places = lab_site(loaded.site, block.network, passwords, str(directory / "records.jsonl"))
        site = site.model_copy(update={"timers": loaded.site.timers})
        if site.architecture != "bvpn":
            site = certified(site, directory)
        file = directory / "site.yaml"
        file.write_text(as_yaml(site), "utf-8")
        yield Stage(file, site, places)
    finally:
        block.close()


class System:
    """A stage with all that runs on it, from `start` until `running` ends."""

    def __init__(self, stage: Stage, load: Load, directory: Path) -> None:
        self._stage, self._load, self._directory = stage, load, directory

    def start(self, running: ExitStack) -> None:
        """Carrier, IPBX and subscriber, the phone registered; raises PeerError where one does not come up."""
        stage, directory = self._stage, self._directory
        core, other = cores()
        # A Unix socket's name must be short; a directory of ours may not be.
        private = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="trunkline-")))
        _started(running, stage, "carrier", directory, private, other)
        self._socket = private / "run"
        self._ipbx = _started(running, stage, "run", directory, private, core)
        until(lambda: _up(self._status()), 30.0, "the gateways to be up", self._ipbx)
        far = (f"{stage.places.network}.{_SUBSCRIBER_HOST}", PHONE_PORT)
        pause = self._load.ring
        self._far = running.enter_context(Sipp("answer", directory / "far", far, pause=pause, core=other))
        account = f"[authentication username={USER} password={PASSWORD}]"
        with Sipp("register", directory / "register", *self._ends, calls=1, rows=[(USER, account)]) as phone:
            if (tally := phone.finished(10)).fault:
                raise PeerError(f"the phone could not register: {tally.fault}")

    @property
    def _ends(self) -> tuple[tuple[str, int], tuple[str, int]]:
        places = self._stage.places
        return (places.phones[USER], PHONE_PORT), (places.ipbx, self._stage.site.phones.listen.udp)

    def call(self, name: str, calls: int) -> str:
        """Make these calls, to the last answer; what went wrong, or ""."""
        load = self._load
        with Sipp(
            "call",
            self._directory / name,
            *self._ends,
            calls=calls,
            rate=load.rate,
            pause=load.talk,
            service=dialled(self._stage.site.numbering, SUBSCRIBER),
            keys={"caller": USER},
            user=USER,
            password=PASSWORD,
            core=cores()[1],
        ) as phone:
            made = phone.finished(calls / load.rate + 60)
        faults = [f"phone: {made.fault}"] if made.fault else []
        faults += [f"{made.successful} of {calls} calls"] if made.successful != calls else []
        return "; ".join(faults)

    def seconds(self) -> tuple[float, float]:
        """What the IPBX and its workers used until now."""
        ipbx, *workers = map(cost.thread_seconds, cost.tree(self._ipbx.pid))
        return ipbx, sum(workers)

    def left(self) -> str:
        """What is not as it should be after all calls, or ""."""
        until(lambda: not self._status()["channels"]["used"], 30.0, "the calls to end", self._ipbx)
        taken = self._far.drained(30)
        faults = [f"subscriber: {taken.fault}"] if taken.fault else []
        faults += [] if _up(self._status()) else ["not every gateway is up"]
        return "; ".join(faults)

    def _status(self) -> dict[str, Any]:
        return asyncio.run(control.ask(self._socket, {"ask": "status"}))


async def run(load: Load, turns: int, directory: Path) -> list[dict[str, Used]]:
    """What each system used in each turn; started for this run alone, with name servers in this process.

    Raises PeerError where the run proves nothing.
    """
    with ExitStack() as staging:
        stages = {
            name: staging.enter_context(staged(example, directory / name)) for name, example in SITES.items()
        }
        for stage in stages.values():
            names = NameServer(make_zone(*zone_of(stage.places.names)))
            await names.open(*stage.places.dns)
            staging.callback(names.close)
        systems = {name: System(stage, load, directory / name) for name, stage in stages.items()}
        return await asyncio.to_thread(_measured, systems, load, turns)


def _measured(systems: dict[str, System], load: Load, turns: int) -> list[dict[str, Used]]:
    found: list[dict[str, Used]] = []
    faults: list[tuple[str, str]] = []
    with ExitStack() as running:
        for system in systems.values():
            system.start(running)
        faults += [(name, system.call("warm-up", load.warm_up)) for name, system in systems.items()]
        before = {name: system.seconds() for name, system in systems.items()}
        for turn in range(turns):
            # Each first by turns: what the first finds cold, the second may find warm.
            for name in list(systems)[:: 1 if turn % 2 == 0 else -1]:
                faults.append((name, systems[name].call(f"turn-{turn}", load.calls)))
            after = {name: system.seconds() for name, system in systems.items()}
            found.append({name: _each(before[name], after[name], load.calls) for name in systems})
            before = after
        faults += [(name, system.left()) for name, system in systems.items()]
    if wrong := [f"{name}: {fault}" for name, fault in faults if fault]:
        raise PeerError("; ".join(wrong))
    return found


def _each(before: tuple[float, float], after: tuple[float, float], calls: int) -> Used:
    return Used(*((late - early) * 1000 / calls for early, late in zip(before, after, strict=True)))


def _started(
    running: ExitStack, stage: Stage, verb: str, directory: Path, private: Path, core: int | None
) -> Program:
    words: list[str | Path] = [sys.executable, "-m", "trunkline", verb, stage.file, "--json"]
    program = running.enter_context(
        Program([*words, "--socket", private / verb], directory / verb, core=core)
    )
    until(lambda: '"ready"' in program.tail(4000), 20.0, f"{verb} to be ready", program)
    return program


def _up(status: dict[str, Any]) -> bool:
    return all(gateway["health"] == "up" for gateway in status["gateways"])


async def compare(load: Load, runs: int, tell: Callable[[str], None]) -> list[results.Result]:
    """The figures; a start whose turns prove nothing is told, and made once more."""
    found: list[dict[str, Used]] = []
    starts, spare = STARTS * runs, runs
    with tempfile.TemporaryDirectory(prefix="bench-tls-") as directory:
        for number in range(starts):
            while True:
                try:
                    turns = await run(load, TURNS, Path(directory) / f"{number}-{spare}")
                    break
                except PeerError as error:
                    tell(f"{number + 1}/{starts} NOT SOUND: {error}")
                    if not spare:
                        raise PeerError("too few sound runs: is the machine busy?") from None
                    spare -= 1
            found += turns
            tls, udp = ([turn[name] for turn in turns] for name in ("tls", "udp"))
            of_udp, own, media, _ = figures(tls, udp)
            said = f"{own.value:.2f} ms/call over UDP, {of_udp.value:.2f} over TLS ({of_udp.ratio:.2f})"
            tell(f"{number + 1}/{starts} {said}, media worker {media.value:.2f}")
    return figures([turn["tls"] for turn in found], [turn["udp"] for turn in found])


def figures(tls: list[Used], udp: list[Used]) -> list[results.Result]:
    """The figures of these turns."""
    over_udp = [turn.signalling for turn in udp]
    whole = [sum(turn) for turn in tls]
    return [
        results.by_pairs(
            "ipbx_tls_cpu_per_call_vs_udp", "ms", [turn.signalling for turn in tls], "udp", over_udp
        ),
        results.result("ipbx_udp_cpu_per_call", "ms", over_udp),
        results.result("ipbx_tls_media_set_up_cpu_per_call", "ms", [turn.workers for turn in tls]),
        results.by_pairs("ipbx_tls_and_media_cpu_per_call_vs_udp", "ms", whole, "udp", over_udp),
    ]
