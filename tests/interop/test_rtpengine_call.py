"""rtpengine as the far media end of a call over SIP: the trunk's far side says on TLS what rtpengine says.

The IPBX is `trunkline run` with its workers, the phone a lab's over UDP with RTP. The
access SBC is this test's own: it answers INVITE with the description that rtpengine makes
of the offer, so that keys, ports and payload types of the trunk's leg are agreed between
the product and a stranger. Somebody behind rtpengine, in the clear, speaks with the phone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.interop.program import loopback
from tests.interop.rtpengine import SUITE, Rtpengine, description
from tests.interop.secured import FAR, placed
from tests.interop.trunk import Ipbx

from trunkline.aio.clock import SystemIds
from trunkline.aio.driver import Driver
from trunkline.aio.workers import Workers
from trunkline.call.node import Input, Log, Received
from trunkline.call.party import Behaviour
from trunkline.cli import sbc_certificates
from trunkline.guide.facts import shipped
from trunkline.lab.addresses import Places
from trunkline.lab.phones import LabPhone
from trunkline.media.anchor import Anchored, Answer, Event, Heard, Listen, Offer, Play
from trunkline.sdp.description import Description, Media
from trunkline.sdp.offer_answer import Stream
from trunkline.sip.flow import Send
from trunkline.sip.message import Request, parse, respond
from trunkline.site.model import Site

PHONE_SAYS, SOMEBODY_SAYS = 640, 880  # Hz
PATIENCE = 30.0  # s; nothing takes that long unless it is broken


def audio(sdp: bytes | str) -> Media:
    said = Description.parse(sdp).audio
    assert said is not None
    return said


class AccessSbc:
    """A node that takes calls for somebody at `place`, whose media is rtpengine's."""

    drained = True

    def __init__(self, peer: Rtpengine, contact: str, place: tuple[str, int]) -> None:
        self._peer, self._contact, self._place = peer, contact, place
        self.offers: list[Media] = []  # what the IPBX offered
        self.answers: list[Media] = []  # what rtpengine answered it
        self.behind: list[Media] = []  # what rtpengine offered somebody
        self.totals: dict[str, Any] = {}  # what rtpengine counted of the call
        self.over = asyncio.Event()

    def receive(self, event: Input, now: float) -> list[Any]:
        message = parse(event.data) if isinstance(event, Received) else None
        if not isinstance(message, Request) or message.method == "ACK":
            return []
        assert isinstance(event, Received)
        body = b""
        if message.method == "INVITE":
            body = self._answered(message)
        elif message.method == "BYE":
            self.totals = self._peer.end(message.call_id)["totals"]
            self.over.set()
        headers = [("Contact", self._contact)]
        return [Send(bytes(respond(message, 200, to_tag="far", headers=headers, body=body)), event.flow)]

    def _answered(self, invite: Request) -> bytes:
        """rtpengine has the offer go out in the clear, and somebody's answer come back under its key."""
        common: dict[str, Any] = {"call_id": invite.call_id, "ICE": "remove", "rtcp_mux": ["demux"]}
        self.offers.append(audio(invite.body))
        offered = self._peer.ask(
            "offer", sdp=invite.body.decode(), from_tag="a", transport_protocol="RTP/AVP", **common
        )
        self.behind.append(audio(offered["sdp"]))
        answered = self._peer.ask("answer", sdp=description(self._place), from_tag="a", to_tag="b", **common)
        self.answers.append(audio(answered["sdp"]))
        return str(answered["sdp"]).encode()

    def deadline(self) -> float | None:
        return None

    def expire(self, now: float) -> list[Any]:
        return []


class Somebody:
    """The far end behind rtpengine: one media end that plays and listens."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._workers = Workers(self._events.put_nowait, SystemIds(), 1, (10000, 10099))

    async def opens(self, here: str) -> tuple[str, int]:
        self._workers.submit(Offer("somebody", "x", here))
        port = await self._events.get()
        assert isinstance(port, Anchored)
        return port.address, port.port

    def speaks(self, toward: Media) -> None:
        stream = Stream(toward.connection, toward.port, toward.rtcp.port, 8)
        self._workers.submit(Answer("somebody", "x", stream), Play("somebody", "x", (SOMEBODY_SAYS,)))
        self._workers.submit(Listen("somebody", "x", (PHONE_SAYS,)))

    async def hears(self) -> int:
        while True:
            event = await self._events.get()
            if isinstance(event, Heard):
                return event.tone

    async def leaves(self) -> None:
        self._workers.close()
        await self._workers.closed()


def answering(site: Site, file: Path, nodes: dict[str, AccessSbc]) -> list[Driver]:
    """Both access SBCs, on the addresses and with the certificates of the site's carrier."""
    drivers = []
    for settings in site.carrier.sbcs:
        driver = Driver(log=_quiet)
        parties = sbc_certificates.parties(str(file), site, settings, shipped()[site.guide.name])
        driver.tls(settings.signalling, settings.port, parties)
        driver.start(nodes[settings.label])
        drivers.append(driver)
    return drivers


def _quiet(log: Log) -> None:
    """A fault is counted, and the test asks for it."""


async def spoken(site: Site, file: Path, places: Places, peer: Rtpengine, starts: Callable[[], Ipbx]) -> None:
    """A call from a phone to somebody behind rtpengine, in which each must hear the other."""
    somebody = Somebody()
    place = await somebody.opens(loopback())
    nodes = {
        sbc.label: AccessSbc(peer, f"<sip:{sbc.signalling}:{sbc.port};transport=tls>", place)
        for sbc in site.carrier.sbcs
    }
    drivers = answering(site, file, nodes)
    behaviour = Behaviour(tone=PHONE_SAYS, listen=(SOMEBODY_SAYS,))
    listen = (places.ipbx, site.phones.listen.udp)
    phone = LabPhone(
        site.users[0], site.phones.realm, listen, places.phones[site.users[0].extension], behaviour=behaviour
    )
    try:
        ipbx = starts()  # once the gateways listen: none is down at first
        await asyncio.to_thread(ipbx.ready, *(gateway.label for gateway in site.trunk.gateways))
        phone.start()
        assert await phone.registered(PATIENCE)
        call = phone.call("00" + FAR.removeprefix("+33"), behaviour)
        assert await phone.node.until(lambda: call.answered_at is not None or bool(call.cause), PATIENCE)
        (sbc,) = [node for node in nodes.values() if node.offers]
        somebody.speaks(sbc.behind[0])
        assert await somebody.hears() == PHONE_SAYS
        assert await phone.node.until(lambda: SOMEBODY_SAYS in call.heard, PATIENCE)
        phone.hang_up(call)
        await asyncio.wait_for(sbc.over.wait(), PATIENCE)
    finally:
        await phone.stop()
        for driver in drivers:
            driver.close()
        await somebody.leaves()
    assert [driver.faults for driver in drivers] == [0, 0]
    (offered,), (answered,) = sbc.offers, sbc.answers
    assert (offered.proto, answered.proto) == ("RTP/SAVP", "RTP/SAVP")
    assert [line.suite for line in offered.crypto] == [line.suite for line in answered.crypto] == [SUITE]
    assert offered.crypto[0].key_params != answered.crypto[0].key_params
    assert answered.connection == peer.address
    assert sbc.totals["RTP"]["packets"] >= 12  # six a direction: what a tone needs to be found
    assert (sbc.totals["RTP"]["errors"], sbc.totals["RTCP"]["errors"]) == (0, 0)


@pytest.mark.guide("SRTP-1")
@pytest.mark.guide("INET-4")
def test_a_call_over_the_secured_trunk_speaks_through_rtpengine_both_ways(tmp_path: Path) -> None:
    with (
        placed(tmp_path, changes=None) as (site, places, file),
        Rtpengine(tmp_path / "rtpengine", loopback(), (20000, 20099)) as peer,
        ExitStack() as running,
    ):
        started: list[Ipbx] = []

        def starts() -> Ipbx:
            started.append(running.enter_context(Ipbx(file, tmp_path / "ipbx")))
            return started[0]

        asyncio.run(asyncio.wait_for(spoken(site, file, places, peer, starts), 3 * PATIENCE))
        (ipbx,) = started
        ipbx.free()
        (record,) = ipbx.recorded(1)
        legs = {leg["side"]: leg for leg in ipbx.records("leg")}
        assert (record["direction"], record["cause"]) == ("outgoing", 16)
        assert (legs["caller"]["encryption"], legs["called"]["encryption"]) == ("none", f"SDES {SUITE}")
        for leg in legs.values():
            assert leg["lost"] == 0
            assert leg["mos"] > 4
        assert ipbx.status()["wire"]["faults"] == 0, ipbx.tail()
