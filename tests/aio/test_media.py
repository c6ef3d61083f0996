"""The built-in media ends on real sockets of the loopback; every wait is for an event, none for a time."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from trunkline.aio.clock import SystemIds
from trunkline.aio.media import MediaEnds
from trunkline.media.anchor import (
    Anchored,
    Answer,
    Event,
    Heard,
    Listen,
    Mix,
    Offer,
    Play,
    Press,
    Pressed,
    Refused,
    Release,
    Report,
    Silent,
)
from trunkline.sdp.offer_answer import Stream

HERE = "127.0.0.1"
PID = os.getpid()
OWN = f"127.{PID >> 16 & 63 | 64}.{PID >> 8 & 255}.{PID & 255}"  # no other test process has it
GENEROUS = 20.0  # seconds a blocking read waits for what was sent already

OnLoop = Callable[[Coroutine[Any, Any, None]], None]


class Seam:
    """Media ends and what they tell, in order."""

    def __init__(
        self, ports: tuple[int, int] = (21000, 21998), silence_after: float = 2.0, dscp: int = 46
    ) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.ends = MediaEnds(
            self.events.put_nowait, SystemIds(), ports=ports, silence_after=silence_after, dscp=dscp
        )

    async def offered(self, media: str, leg: str = "phone", address: str = HERE) -> Anchored:
        self.ends.submit(Offer(media, leg, address))
        event = await self.events.get()
        assert isinstance(event, Anchored)
        assert (event.media, event.leg, event.address) == (media, leg, address)
        return event

    async def next(self, *kinds: type) -> Event:
        """The next event of these kinds; others are passed over."""
        while True:
            event = await self.events.get()
            if isinstance(event, kinds):
                return event


def towards(anchored: Anchored) -> Stream:
    return Stream(anchored.address, anchored.port, anchored.rtcp_port, 8, dtmf_payload_type=101)


async def call(seam: Seam) -> tuple[Anchored, Anchored]:
    """Two legs of two sessions that send to each other."""
    one, two = await seam.offered("one"), await seam.offered("two")
    seam.ends.submit(Answer("one", "phone", towards(two)))
    seam.ends.submit(Answer("two", "phone", towards(one)))
    return one, two


def test_two_ends_hear_each_others_tone_and_digit(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam()
        await call(seam)
        seam.ends.submit(Play("one", "phone", (440,)))
        seam.ends.submit(Play("two", "phone", (), echo=True))
        seam.ends.submit(Listen("one", "phone", (440, 600)))
        seam.ends.submit(Listen("two", "phone", (440, 600)))
        heard = {await seam.next(Heard), await seam.next(Heard)}
        assert heard == {Heard("one", "phone", 440), Heard("two", "phone", 440)}
        seam.ends.submit(Press("one", "phone", "7"))
        assert await seam.next(Pressed) == Pressed("two", "phone", "7")
        for media in ("one", "two"):
            seam.ends.submit(Release(media))
            report = await seam.next(Report)
            assert isinstance(report, Report)
            assert report.media == media
            assert report.sent >= 6
            assert report.received >= 6
            assert report.heard == (440,)
        assert seam.ends.ports == 0

    play(main())


def test_ports_come_in_pairs_and_one_in_use_is_passed_over(play: OnLoop) -> None:
    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((OWN, 22003))  # the RTCP port of a pair
            seam = Seam(ports=(22001, 22007))
            ports = sorted([(await seam.offered(media, address=OWN)).port for media in ("a", "b")])
            assert ports == [22004, 22006]
            seam.ends.submit(Offer("c", "phone", OWN))
            assert await seam.events.get() == Refused(
                "c", "phone", f"no free media port on {OWN} in 22002-22007"
            )
            seam.ends.submit(Release("a"))
            assert isinstance(await seam.events.get(), Report)
            assert (await seam.offered("c", address=OWN)).port in ports
            seam.ends.close()
            assert {type(await seam.events.get()) for _ in "bc"} == {Report}
            assert seam.ends.ports == 0

    play(main())


def test_an_empty_range_refuses(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam(ports=(22001, 22001))
        seam.ends.submit(Offer("a", "phone", HERE))
        assert isinstance(await seam.events.get(), Refused)

    play(main())


def test_an_address_that_is_not_ours_is_refused_in_words(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam()
        seam.ends.submit(Offer("a", "phone", "192.0.2.1"))
        refused = await seam.events.get()
        assert isinstance(refused, Refused)
        assert "192.0.2.1" in refused.why
        assert "Cannot assign requested address" in refused.why

    play(main())


def test_what_these_ends_cannot_do_is_refused(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam()
        seam.ends.submit(Mix("a", ("x", "y")))
        assert await seam.events.get() == Refused("a", "x", "these media ends do not mix")
        seam.ends.submit(Offer("a", "x", HERE, join="y"))
        assert await seam.events.get() == Refused("a", "x", "these media ends do not relay")
        await seam.offered("a", "x")
        seam.ends.submit(Answer("a", "x", Stream(HERE, 9, 0, 8, profile="RTP/SAVP")))
        assert await seam.events.get() == Refused("a", "x", "these media ends have no SRTP")
        seam.ends.close()

    play(main())


def test_a_new_offer_keeps_the_port_and_a_new_address_opens_another(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam()
        first = await seam.offered("a")
        assert await seam.offered("a") == first
        moved = await seam.offered("a", address="127.0.0.2")
        assert moved.address == "127.0.0.2"
        assert seam.ends.ports == 1
        seam.ends.submit(Offer("a", "phone", "192.0.2.1"))  # refused: what there was stays
        assert isinstance(await seam.events.get(), Refused)
        assert await seam.offered("a", address="127.0.0.2") == moved
        seam.ends.close()

    play(main())


def test_commands_for_what_is_not_there_are_ignored(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam()
        anchored = await seam.offered("a")
        seam.ends.submit(Release("a", "nobody"))
        seam.ends.submit(Release("a", "phone"))
        assert isinstance(await seam.events.get(), Report)
        seam.ends.submit(Answer("a", "phone", towards(anchored)))
        seam.ends.submit(Play("a", "phone", (440,)))
        seam.ends.submit(Listen("a", "phone", (440,)))
        seam.ends.submit(Press("a", "phone", "1"))
        seam.ends.submit(Release("a"))
        assert await seam.offered("b") is not None
        assert seam.events.empty()
        seam.ends.close()

    play(main())


def test_packets_are_marked_and_come_from_the_anchored_ports(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam(dscp=46)
        anchored = await seam.offered("a")
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp,
        ):
            rtp.bind(("127.0.0.3", 0))
            rtcp.bind(("127.0.0.3", 0))
            rtp.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
            rtcp.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
            stream = Stream("127.0.0.3", rtp.getsockname()[1], rtcp.getsockname()[1], 8)
            seam.ends.submit(Answer("a", "phone", stream))
            seam.ends.submit(Release("a"))  # one packet and the BYE went at once
            for received, port in ((rtp, anchored.port), (rtcp, anchored.rtcp_port)):
                received.settimeout(GENEROUS)
                _, ancillary, _, source = received.recvmsg(2048, 64)
                assert source == (HERE, port)
                assert [value[0] for _, _, value in ancillary] == [0xB8]

    play(main())


def test_nobody_at_the_far_port_does_not_end_the_stream(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam(silence_after=0.2)
        await seam.offered("a")
        seam.ends.submit(Answer("a", "phone", Stream(HERE, 9, 10, 8)))  # ICMP port unreachable, each time
        assert await seam.next(Silent) == Silent("a", "phone", 0.2)
        two = await seam.offered("two")
        seam.ends.submit(Listen("two", "phone", (500,)))
        seam.ends.submit(Play("a", "phone", (500,)))
        seam.ends.submit(Answer("a", "phone", towards(two)))
        assert await seam.next(Heard) == Heard("two", "phone", 500)
        seam.ends.close()

    play(main())


def test_what_cannot_be_sent_is_not_counted_as_sent(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam()
        await seam.offered("a")
        seam.ends.submit(
            Answer("a", "phone", Stream("2001:db8::1", 4000, 4001, 8))
        )  # not from an IPv4 socket
        seam.ends.submit(Release("a"))
        assert await seam.events.get() == Report("a", "phone", 0, 0, 0)

    play(main())


def test_any_bytes_on_the_ports_change_nothing(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam()
        one, _ = await call(seam)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            for junk in (
                b"",
                b"\x80",
                b"\xff" * 2000,
                b"OPTIONS sip:x SIP/2.0\r\n\r\n",
                b"\x81\xc9\x00\x01" + bytes(4),
            ):
                other.sendto(junk, (HERE, one.port))
                other.sendto(junk, (HERE, one.rtcp_port))
        seam.ends.submit(Play("two", "phone", (880,)))
        seam.ends.submit(Listen("one", "phone", (880,)))
        assert await seam.next(Heard) == Heard("one", "phone", 880)
        seam.ends.close()

    play(main())


def test_many_legs_share_one_timer(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam(ports=(23000, 23999))
        anchored = [await seam.offered(str(n)) for n in range(40)]
        for n, far in enumerate(reversed(anchored)):
            seam.ends.submit(Play(str(n), "phone", (400 + 50 * n,)))
            seam.ends.submit(Listen(str(n), "phone", (400 + 50 * (39 - n),)))
            seam.ends.submit(Answer(str(n), "phone", towards(far)))
        heard = {await seam.next(Heard) for _ in anchored}
        assert heard == {Heard(str(n), "phone", 400 + 50 * (39 - n)) for n in range(40)}
        seam.ends.close()
        assert seam.ends.ports == 0

    play(main())


def test_ipv6_ends_talk_too_where_the_machine_has_ipv6(play: OnLoop) -> None:
    async def main() -> None:
        seam = Seam()
        seam.ends.submit(Offer("a", "phone", "::1"))
        near = await seam.events.get()
        if isinstance(near, Refused):
            assert near.why.startswith("cannot open media port ::1")
            return
        assert isinstance(near, Anchored)
        far = await seam.offered("b", address="::1")
        seam.ends.submit(Listen("b", "phone", (700,)))
        seam.ends.submit(Play("a", "phone", (700,)))
        seam.ends.submit(Answer("a", "phone", towards(far)))
        seam.ends.submit(Answer("b", "phone", towards(near)))
        assert await seam.next(Heard) == Heard("b", "phone", 700)
        seam.ends.close()

    play(main())
