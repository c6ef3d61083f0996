"""rtpengine as the far media end: what our worker closes it opens, and what it closes our worker opens."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from pathlib import Path

import pytest
from tests.interop.program import loopback
from tests.interop.rtpengine import SUITE, Rtpengine
from tests.own_srtp import Srtp

from trunkline.aio.clock import SystemIds
from trunkline.aio.workers import Workers
from trunkline.media.anchor import Anchored, Answer, Event, Heard, Listen, Offer, Play, Release, Report
from trunkline.media.rtp import Packet
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.offer_answer import Stream

WITHIN = 30.0  # seconds; no test waits that long unless something is broken


def line(key: bytes) -> Crypto:
    return Crypto(1, SUITE, (f"inline:{b64encode(key).decode()}",))


def towards(port: Anchored) -> Stream:
    return Stream(port.address, port.port, port.rtcp_port, 8, dtmf_payload_type=101)


async def carried(peer: Rtpengine, here: str) -> tuple[Report, Report]:
    """A phone, our relay, rtpengine, and somebody behind it: tones both ways, then the relay's reports."""
    events: asyncio.Queue[Event] = asyncio.Queue()
    workers = Workers(events.put_nowait, SystemIds(), 1, (10000, 10099))

    async def anchored(media: str, leg: str, join: str = "") -> Anchored:
        workers.submit(Offer(media, leg, here, join))
        event = await events.get()
        assert isinstance(event, Anchored)
        return event

    try:
        phone, somebody = await anchored("phone", "x"), await anchored("somebody", "x")
        near, far = await anchored("relay", "near", "far"), await anchored("relay", "far", "near")
        key = bytes(range(30))
        toward_us, toward_them, theirs = peer.call("call", (here, somebody.port), (here, far.port), key)
        workers.submit(Answer("phone", "x", towards(near)))
        workers.submit(Answer("relay", "near", towards(phone)))
        stream = Stream(
            peer.address,
            toward_us,
            toward_us + 1,
            8,
            dtmf_payload_type=101,
            profile="RTP/SAVP",
            crypto=line(theirs),
            own_crypto=line(key),
        )
        workers.submit(Answer("relay", "far", stream))
        workers.submit(Answer("somebody", "x", Stream(peer.address, toward_them, toward_them + 1, 8)))
        for media, sent, wanted in (("phone", 640, 880), ("somebody", 880, 640)):
            workers.submit(Play(media, "x", (sent,)))
            workers.submit(Listen(media, "x", (wanted,)))
        heard: set[tuple[str, int]] = set()
        while len(heard) < 2:
            event = await events.get()
            if isinstance(event, Heard):
                heard.add((event.media, event.tone))
        assert heard == {("phone", 880), ("somebody", 640)}
        workers.submit(Release("relay"))
        reports: list[Report] = []
        while len(reports) < 2:
            event = await events.get()
            reports += [event] if isinstance(event, Report) else []
        return reports[0], reports[1]
    finally:
        workers.close()
        await workers.closed()


@pytest.mark.rfc("4568#7.1")
def test_tones_pass_both_ways_through_a_stream_that_both_close(tmp_path: Path) -> None:
    async def main() -> tuple[Report, Report]:
        async with asyncio.timeout(WITHIN):
            return await carried(peer, loopback())

    with Rtpengine(tmp_path, loopback(), (20000, 20099)) as peer:
        near, far = asyncio.run(main())
        totals = peer.end("call")["totals"]
    for report in (near, far):
        assert report.sent >= 6  # what a tone needs to be found
        assert report.received >= 6
        assert (report.lost, report.refused, report.strays) == (0, 0, 0)
        assert report.mos > 4
    assert (near.suite, far.suite) == ("", SUITE)
    assert totals["RTP"]["packets"] >= near.received
    assert (totals["RTP"]["errors"], totals["RTCP"]["errors"]) == (0, 0)


def test_the_tests_own_srtp_and_rtpengine_open_each_others_packets(tmp_path: Path) -> None:
    """Who judges our packets is judged itself by a stranger."""
    here = loopback()
    with (
        Rtpengine(tmp_path, loopback(), (20000, 20099)) as peer,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as secured,
    ):
        for one in (plain, secured):
            one.bind((here, 0))
            one.settimeout(WITHIN)
        key = bytes(range(30, 60))
        port, plain_port, theirs = peer.call("call", plain.getsockname(), secured.getsockname(), key)
        closes, opens = Srtp(key), Srtp(theirs)
        for n in range(20):
            packet = bytes(Packet(8, 65530 + n & 0xFFFF, 160 * n, 7, bytes([n]) * 160))  # over a rollover
            secured.sendto(closes.close(packet), (peer.address, port))
            assert Packet.parse(plain.recv(2048)).payload == bytes([n]) * 160
            plain.sendto(packet, (peer.address, plain_port))
            opened, index = opens.open(secured.recv(2048))
            assert Packet.parse(opened).payload == bytes([n]) * 160
            assert index == 65530 + n
