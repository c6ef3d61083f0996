"""Built-in phones that a lab or a test call holds: a node, its driver, its media, and waiting for it.

Nothing here sleeps: `Attended` looks after each move of the node whether what somebody
waits for has come true.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from trunkline.aio import clock
from trunkline.aio.clock import SystemIds
from trunkline.aio.driver import Driver, Trace
from trunkline.aio.media import MediaEnds
from trunkline.call.node import Input, Log, Output
from trunkline.call.party import Behaviour
from trunkline.call.phone import Phone, PhoneCall, PhoneSettings
from trunkline.lab.judge import Side
from trunkline.media import anchor
from trunkline.sdp.offer_answer import PCMA, Codec
from trunkline.sip.flow import Flow
from trunkline.sip.transaction import TimerValues
from trunkline.site.model import User

DRAIN = 1.0  # seconds a phone has to leave its registrar


class Attended:
    """A phone whose next state can be awaited; a node itself."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def receive(self, event: Input, now: float) -> list[Output]:
        out = self.phone.receive(event, now)
        self.look()
        return out

    def deadline(self) -> float | None:
        return self.phone.deadline()

    def expire(self, now: float) -> list[Output]:
        out = self.phone.expire(now)
        self.look()
        return out

    @property
    def drained(self) -> bool:
        return self.phone.drained

    def look(self) -> None:
        """Tell those whose condition has come true."""
        still = []
        for holds, told in self._waiting:
            if told.done():
                continue
            if holds():
                told.set_result(None)
            else:
                still.append((holds, told))
        self._waiting = still

    async def until(self, holds: Callable[[], bool], within: float) -> bool:
        """Wait until `holds()`; False if it did not come true in time."""
        if holds():
            return True
        told = asyncio.get_running_loop().create_future()
        self._waiting.append((holds, told))
        try:
            async with asyncio.timeout(within):
                await told
        except TimeoutError:
            return False
        return True


class LabPhone:
    """One phone on real sockets. `start` registers it, `stop` takes it off."""

    def __init__(
        self,
        user: User,
        domain: str,
        registrar: tuple[str, int],
        address: str,
        *,
        port: int = 0,
        timers: TimerValues | None = None,
        trace: Trace | None = None,
        log: Callable[[Log], None] | None = None,
        behaviour: Behaviour | None = None,
        codecs: tuple[Codec, ...] = (PCMA,),
    ) -> None:
        """`address` is the local one for SIP and RTP. Raises OSError when it cannot be used."""
        ids = SystemIds()
        self.user = user
        self.driver = Driver(trace=trace, log=log or _quiet)
        local = self.driver.udp(address, port)
        settings = PhoneSettings(
            user.extension, user.password, domain, Flow("UDP", local, registrar), address, user.name,
            timers=timers or TimerValues(), codecs=codecs,
        )  # fmt: skip
        self.node = Attended(Phone(settings, ids, clock.now(), behaviour))
        self.media = MediaEnds(self.driver.feed, ids)
        self.driver.media = self.media

    @property
    def phone(self) -> Phone:
        return self.node.phone

    def start(self) -> None:
        """Let the world in and register."""
        self.driver.start(self.node, self.phone.start(clock.now()))

    async def registered(self, within: float) -> bool:
        """Wait until the IPBX has taken the registration."""
        return await self.node.until(lambda: self.phone.registered, within)

    def call(self, number: str, behaviour: Behaviour) -> PhoneCall:
        """Dial."""
        call, out = self.phone.call(number, behaviour, clock.now())
        self.driver.perform(out)
        return call

    async def called(self, within: float) -> PhoneCall | None:
        """Wait for the next call that comes in; None if none does."""
        known = len(self.phone.calls)
        if not await self.node.until(lambda: len(self.phone.calls) > known, within):
            return None
        return self.phone.calls[known]

    def hang_up(self, call: PhoneCall) -> None:
        """Put the receiver down."""
        self.driver.perform(self.phone.hang_up(call, clock.now()))
        self.node.look()

    def listen(self, call: PhoneCall, tones: tuple[int, ...]) -> None:
        """Begin to listen anew: what was heard before no longer counts."""
        call.heard.clear()
        if call.leg.terms is not None:
            self.driver.perform([anchor.Listen(call.leg.terms.media, call.leg.id, tones)])

    def play(self, call: PhoneCall, tone: int) -> None:
        """Play another tone from now on."""
        if call.leg.terms is not None:
            self.driver.perform([anchor.Play(call.leg.terms.media, call.leg.id, (tone,))])

    async def stop(self) -> None:
        """Hang up, leave the registrar, close the sockets."""
        self.driver.drain(DRAIN)
        calls = self.phone.calls
        await self.node.until(lambda: not self.phone.registered and all(call.gone for call in calls), DRAIN)
        self.media.close()
        self.driver.close()


def side_of(call: PhoneCall, who: str) -> Side:
    """What this end saw of its call; the packets are counted once it is over."""
    report, stream = call.report, call.stream
    codec, ptime = (stream.codec, stream.ptime) if stream is not None else ("", 0)
    if report is None:
        return Side(who, heard=frozenset(call.heard), codec=codec, ptime=ptime)
    return Side(
        who, report.sent, report.received, report.lost, frozenset(call.heard) | frozenset(report.heard),
        codec, ptime, report.jitter, report.mos,
    )  # fmt: skip


def _quiet(log: Log) -> None:
    """What a phone logs is for nobody."""
