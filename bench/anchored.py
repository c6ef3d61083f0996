"""Calls anchored on a running IPBX, whose media comes from elsewhere: what the media benchmark stands on.

`trunkline run` is a process of its own with the example over the internet: one shipped
worker, records on. A phone (UDP, digest, RTP) and the carrier's access SBC (mutual TLS,
SRTP) are nodes of this process, as in a lab, and set each call up over SIP. Only their
media is not theirs: each end says that its packets go to the generator, and what was agreed
is the generator's to keep to.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from bench.tls import PASSWORD, SUBSCRIBER, USER, Stage, staged
from tests.example_site import INTERNET

from bench import cost
from trunkline.aio import clock
from trunkline.aio.clock import SystemIds
from trunkline.aio.driver import Driver
from trunkline.call.node import Log
from trunkline.call.party import Behaviour
from trunkline.carrier.sbc import Sbc
from trunkline.cli import certificates, sbc_certificates
from trunkline.guide.facts import shipped
from trunkline.lab.addresses import PHONE_PORT
from trunkline.lab.names import NameServer, make_zone
from trunkline.lab.phones import LabPhone
from trunkline.lab.processes import Child
from trunkline.lab.scenarios import dialled
from trunkline.lab.stage import zone_of
from trunkline.media.anchor import Anchored, Answer, Command, Event, Offer, Release, Report
from trunkline.sdp.offer_answer import Stream

OTHER = "202"  # the user that is called where no trunk is wanted
_BEHAVIOUR = Behaviour(after=0.0, leaves_silence=False)
_UP = 30.0  # seconds for gateways and registrations
_SET_UP = 10.0  # seconds a call may take to be answered


class Ends:
    """Media hands without media: every leg's is at one place, and what it agreed on is kept in order."""

    def __init__(self, tell: Callable[[Event], None], place: tuple[str, int]) -> None:
        self._tell, self._place = tell, place
        self.agreed: list[Stream] = []

    def submit(self, *commands: Command) -> None:
        address, port = self._place
        for command in commands:
            match command:
                case Offer(media, leg):
                    self._later(Anchored(media, leg, address, port, port + 1))
                case Answer(stream=stream):
                    self.agreed.append(stream)
                case Release(media, leg):
                    self._later(Report(media, leg, 0, 0, 0))

    def _later(self, event: Event) -> None:
        asyncio.get_running_loop().call_soon(self._tell, event)


class Pair(NamedTuple):
    """One call: what the calling and the called end agreed on with the IPBX."""

    calling: Stream
    called: Stream


class Standing(NamedTuple):
    """The IPBX with calls through it; `pids` are its signalling's and its workers'."""

    pids: tuple[int, ...]
    calls: list[Pair]


@asynccontextmanager
async def standing(
    count: int, secure: bool, calling: tuple[str, int], called: tuple[str, int], core: int | None
) -> AsyncIterator[Standing]:
    """`count` calls between two places; `secure` ones leave over the trunk, others stay between phones.

    The IPBX and its worker keep to the processor `core`.
    """
    async with AsyncExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        stage = running.enter_context(staged(INTERNET, directory, "answer"))
        names = NameServer(make_zone(*zone_of(stage.places.names)))
        await names.open(*stage.places.dns)
        running.callback(names.close)
        ipbx = Child("IPBX", ["run", str(stage.file)], directory / "ask", lambda label, line: None)
        running.push_async_callback(ipbx.end)
        await ipbx.start()
        pids = tuple(cost.tree(ipbx.pid))
        if core is not None:
            for pid in pids:
                os.sched_setaffinity(pid, {core})
        phone, near = await _phone(running, stage, USER, calling)
        if secure:
            far = _carrier(running, stage, called)
            number = dialled(stage.site.numbering, SUBSCRIBER)
            if await ipbx.until(_all_up, _UP) is None:
                raise RuntimeError("the gateways did not come up")
        else:
            _, far = await _phone(running, stage, OTHER, called)
            number = OTHER
        calls = [await _call(phone, number, near, far) for _ in range(count)]
        yield Standing(pids, calls)


async def _phone(
    running: AsyncExitStack, stage: Stage, extension: str, place: tuple[str, int]
) -> tuple[LabPhone, Ends]:
    site, places = stage.site, stage.places
    user = next(user for user in site.users if user.extension == extension)
    registrar = (places.ipbx, site.phones.listen.udp)
    address = places.phones[extension]
    user = user.model_copy(update={"password": PASSWORD})
    phone = LabPhone(user, site.phones.realm, registrar, address, port=PHONE_PORT, behaviour=_BEHAVIOUR)
    phone.driver.media = ends = Ends(phone.driver.feed, place)
    running.callback(phone.driver.close)
    phone.start()
    if not await phone.registered(_UP):
        raise RuntimeError(f"the phone of {extension} could not register")
    return phone, ends


def _carrier(running: AsyncExitStack, stage: Stage, place: tuple[str, int]) -> Ends:
    """The access SBCs; all subscribers' media is at that one place."""
    ends: Ends | None = None
    for settings in stage.site.carrier.sbcs:
        sbc = Sbc(stage.site, settings, SystemIds(), clock.now())
        driver = Driver(log=_quiet)
        running.callback(driver.close)
        facts = shipped()[stage.site.guide.name]
        parties = sbc_certificates.parties(str(stage.file), stage.site, settings, facts)
        driver.tls(settings.signalling, settings.port, parties, upkeep=certificates.UPKEEP)
        ends = ends or Ends(driver.feed, place)
        driver.media = Ends(driver.feed, place)
        driver.media.agreed = ends.agreed
        driver.start(sbc, sbc.start(clock.now()))
    assert ends is not None
    return ends


async def _call(phone: LabPhone, number: str, near: Ends, far: Ends) -> Pair:
    before = len(near.agreed), len(far.agreed)
    call = phone.call(number, _BEHAVIOUR)
    await phone.node.until(lambda: call.answered_at is not None or call.ended_at is not None, _SET_UP)
    if (len(near.agreed), len(far.agreed)) != (before[0] + 1, before[1] + 1) or call.ended_at is not None:
        raise RuntimeError(f"a call could not be set up: {call.cause}")
    return Pair(near.agreed[-1], far.agreed[-1])


def _all_up(status: dict[str, object]) -> bool:
    gateways = status["gateways"]
    assert isinstance(gateways, list)
    return all(gateway["health"] == "up" for gateway in gateways)


def _quiet(log: Log) -> None:
    """What the carrier logs is for nobody."""
