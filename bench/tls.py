"""What TLS costs: the same calls from a phone to the carrier, over mutual TLS and over UDP by turns.

SIPp is the phone (UDP, a digest challenge each call) and the public subscriber behind our
carrier. Between them `trunkline run` and `trunkline carrier` are processes of their own
on loopback, the carrier on the generators' processor and not counted. What differs is the site:

- TLS: the example over the internet, certificates of a lab's two authorities, SRTP, and
  media anchored on a worker that the IPBX runs;
- UDP: the example over BVPN, media direct.

Counted is the IPBX's signalling process, from the first INVITE to the last BYE's answer,
with all that it does to have media anchored; one TLS connection carries the calls, as in
the product. What the media worker used is a figure of its own.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
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
LOAD = Load(calls=800, rate=80.0, warm_up=200)  # carrier and both SIPps share a processor
PAIRS = 2  # pairs of runs for each that is asked for, less one: one may be disturbed, the median is not
USER, PASSWORD = "201", "bench-secret"
SUBSCRIBER = "+33199009100"
_SUBSCRIBER_HOST = 200  # last part of its address, beyond the lab's phones
_PORTS = {"first": 6000, "last": 19999}  # no call waits for a media port


class Sample(NamedTuple):
    """What one run gave, in processor milliseconds for a call."""

    signalling: float  # of the IPBX's own process
    workers: float  # of its media workers
    fault: str  # why this run proves nothing, "" when it is sound


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


async def run(system: str, load: Load, directory: Path) -> Sample:
    """One run of one system, started for it alone, with a name server in this process."""
    with staged(SITES[system], directory) as stage:
        names = NameServer(make_zone(*zone_of(stage.places.names)))
        await names.open(*stage.places.dns)
        try:
            return await asyncio.to_thread(_measured, stage, load, directory)
        finally:
            names.close()


def _measured(stage: Stage, load: Load, directory: Path) -> Sample:
    site, places = stage.site, stage.places
    core, other = cores()
    phone = (places.phones[USER], PHONE_PORT)
    registrar = (places.ipbx, site.phones.listen.udp)
    far = (f"{places.network}.{_SUBSCRIBER_HOST}", PHONE_PORT)
    account = f"[authentication username={USER} password={PASSWORD}]"
    with ExitStack() as running:
        # A Unix socket's name must be short; a directory of ours may not be.
        private = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="trunkline-")))
        _started(running, stage, "carrier", directory, private, other)
        ipbx = _started(running, stage, "run", directory, private, core)
        asked = partial(_asked, private / "run")
        until(lambda: _up(asked()), 30.0, "the gateways to be up", ipbx)
        answering = running.enter_context(Sipp("answer", directory / "far", far, pause=load.ring, core=other))
        rows = [(USER, account)]
        registering = Sipp("register", directory / "register", phone, registrar, calls=1, rows=rows)
        with registering:
            if (tally := registering.finished(10)).fault:
                raise PeerError(f"the phone could not register: {tally.fault}")

        def calling(name: str, calls: int) -> Sipp:
            sipp = Sipp(
                "call",
                directory / name,
                phone,
                registrar,
                calls=calls,
                rate=load.rate,
                pause=load.talk,
                service=dialled(site.numbering, SUBSCRIBER),
                keys={"caller": USER},
                user=USER,
                password=PASSWORD,
                core=other,
            )
            return running.enter_context(sipp)

        calling("warm-up", load.warm_up).finished(load.warm_up / load.rate + 60)
        until(lambda: not asked()["channels"]["used"], 30.0, "the first calls to end", ipbx)
        main = calling("phone", load.calls)
        signalling, workers = cost.thread_seconds(ipbx.pid), _workers(ipbx.pid)
        main.wait(load.calls / load.rate + 60)
        signalling, workers = cost.thread_seconds(ipbx.pid) - signalling, _workers(ipbx.pid) - workers
        made, taken, status = main.tally(), answering.drained(30), asked()
    faults = [f"phone: {made.fault}"] if made.fault else []
    faults += [f"subscriber: {taken.fault}"] if taken.fault else []
    faults += [f"{made.successful} of {load.calls} calls"] if made.successful != load.calls else []
    faults += [f"{left} calls did not end"] if (left := status["channels"]["used"]) else []
    faults += ["not every gateway is up"] if not _up(status) else []
    each = 1000 / load.calls
    return Sample(signalling * each, workers * each, "; ".join(faults))


def _started(
    running: ExitStack, stage: Stage, verb: str, directory: Path, private: Path, core: int | None
) -> Program:
    words: list[str | Path] = [sys.executable, "-m", "trunkline", verb, stage.file, "--json"]
    program = running.enter_context(
        Program([*words, "--socket", private / verb], directory / verb, core=core)
    )
    until(lambda: '"ready"' in program.tail(4000), 20.0, f"{verb} to be ready", program)
    return program


def _asked(socket: Path) -> dict[str, Any]:
    return asyncio.run(control.ask(socket, {"ask": "status"}))


def _up(status: dict[str, Any]) -> bool:
    return all(gateway["health"] == "up" for gateway in status["gateways"])


def _workers(pid: int) -> float:
    return sum(cost.thread_seconds(child) for child in cost.tree(pid)[1:])


async def compare(load: Load, runs: int, tell: Callable[[str], None]) -> list[results.Result]:
    """The figures, the systems by turns; a run that proves nothing is told, and made once more."""
    found: dict[str, list[Sample]] = {system: [] for system in SITES}
    spare, pairs = runs, PAIRS * runs - 1
    with tempfile.TemporaryDirectory(prefix="bench-tls-") as directory:
        for number in range(pairs):
            # Each first by turns: what the first run of a pair finds cold, the second may find warm.
            for system in list(SITES)[:: 1 if number % 2 == 0 else -1]:
                while True:
                    sample = await run(system, load, Path(directory) / f"{number}-{system}-{spare}")
                    said = f"{system:5}{sample.signalling:8.2f} ms/call, media worker {sample.workers:.2f}"
                    tell(f"{number + 1}/{pairs} {said}{sample.fault and ', NOT SOUND: '}{sample.fault}")
                    if not sample.fault:
                        found[system].append(sample)
                        break
                    if not spare:
                        raise PeerError(f"too few sound runs over {system}: is the machine busy?")
                    spare -= 1
    return figures(found["tls"], found["udp"])


def figures(tls: list[Sample], udp: list[Sample]) -> list[results.Result]:
    """The figures of these sound runs."""
    over_udp = [sample.signalling for sample in udp]
    whole = [sample.signalling + sample.workers for sample in tls]
    return [
        results.by_pairs(
            "ipbx_tls_cpu_per_call_vs_udp", "ms", [run.signalling for run in tls], "udp", over_udp
        ),
        results.result("ipbx_udp_cpu_per_call", "ms", over_udp),
        results.result("ipbx_tls_media_set_up_cpu_per_call", "ms", [run.workers for run in tls]),
        results.by_pairs("ipbx_tls_and_media_cpu_per_call_vs_udp", "ms", whole, "udp", over_udp),
    ]
