"""Media workers as they ship: processes of their own, real sockets, and every wait for an event."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.media.wire import Far, key, material, plain, secure
from tests.own_srtp import Srtp

from trunkline.aio.clock import SystemIds
from trunkline.aio.workers import Workers
from trunkline.media import rtcp
from trunkline.media.anchor import (
    Anchored,
    Answer,
    Event,
    Heard,
    Listen,
    Lost,
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
from trunkline.media.latch import Address
from trunkline.media.rtp import Packet

PID = os.getpid()
OWN = f"127.{PID >> 16 & 63 | 192}.{PID >> 8 & 255}.{PID & 255}"  # no other test process has it
PHONE, CARRIER = key(1), key(2)  # the key the carrier closes with, and ours toward it

OnLoop = Callable[[Coroutine[Any, Any, None]], None]


class Seam:
    """Workers and what they tell, in order."""

    def __init__(self, count: int = 1, ports: tuple[int, int] = (20000, 20999), **more: Any) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.lines: list[str] = []
        self.workers = Workers(
            self.events.put_nowait, SystemIds(), count, ports, say=self.lines.append, **more
        )

    async def __aenter__(self) -> Seam:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.workers.close()
        await self.workers.closed()
        assert self.workers.pids == {}

    async def anchored(self, media: str, leg: str, join: str = "", address: str = OWN) -> Anchored:
        self.workers.submit(Offer(media, leg, address, join))
        event = await self.next(Anchored, Refused)
        assert isinstance(event, Anchored), event
        assert (event.media, event.leg, event.address) == (media, leg, address)
        assert event.rtcp_port == event.port + 1
        return event

    async def next(self, *kinds: type) -> Event:
        """The next event of these kinds; others are passed over."""
        while True:
            event = await self.events.get()
            if isinstance(event, kinds):
                return event

    async def report(self, media: str, leg: str) -> Report:
        """Release a leg, and what it reports."""
        self.workers.submit(Release(media, leg))
        report = await self.next(Report)
        assert isinstance(report, Report)
        assert (report.media, report.leg) == (media, leg)
        return report


class Party(Far):
    """A far side on sockets of its own: RTP, and RTCP on the next port."""

    def __init__(self, ssrc: int) -> None:
        self.rtp, self.rtcp = pair()
        super().__init__(self.rtp.getsockname(), ssrc)
        for one in (self.rtp, self.rtcp):
            one.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)

    def __enter__(self) -> Party:
        return self

    def __exit__(self, *_: object) -> None:
        self.rtp.close()
        self.rtcp.close()

    def secured(self) -> Party:
        self.closes, self.opens = Srtp(material(PHONE)), Srtp(material(CARRIER))
        return self

    def says(self, port: int, payload: bytes = b"\xd5" * 160, kind: int = 8) -> Packet:
        packet = self.packet(payload, kind)
        self.rtp.sendto(self.close(packet), (OWN, port))
        return packet

    async def hears(self, port: int) -> Packet:
        data, source, tos = await came(self.rtp)
        assert (source, tos) == ((OWN, port), 0xB8)
        return self.open(data)


def pair() -> tuple[socket.socket, socket.socket]:
    """Two sockets on neighbouring ports of the address that is ours alone."""
    while True:
        one, two = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        one.bind((OWN, 0))
        try:
            two.bind((OWN, one.getsockname()[1] + 1))
        except OSError:
            one.close()
            two.close()
            continue
        for each in (one, two):
            each.setblocking(False)
        return one, two


async def readable(file: int | socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(file, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(file)


async def came(one: socket.socket) -> tuple[bytes, Address, int]:
    """The next datagram, where it came from, and its TOS octet."""
    await readable(one)
    data, ancillary, _, source = one.recvmsg(2048, 64)
    return data, source, ancillary[0][2][0]


async def ended(pid: int) -> None:
    """Wait until a process, of whomever, has ended."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await readable(watch)
    finally:
        os.close(watch)


async def call(seam: Seam, phone: Party, carrier: Party, media: str = "m") -> tuple[int, int]:
    """A phone on RTP joined to a carrier on SRTP; the relay's port toward each."""
    a, b = await seam.anchored(media, "a", "b"), await seam.anchored(media, "b", "a")
    seam.workers.submit(Answer(media, "a", plain(phone.address[1], OWN, phone.address[1] + 1)))
    stream = secure(PHONE, carrier.address[1], OWN, carrier.address[1] + 1)
    seam.workers.submit(Answer(media, "b", stream._replace(own_crypto=CARRIER)))
    carrier.secured()
    return a.port, b.port


async def talk(phone: Party, carrier: Party, ports: tuple[int, int], packets: int = 5) -> None:
    """Packets both ways, each heard before the next is said."""
    for n in range(packets):
        said = phone.says(ports[0], bytes([n]) * 160)
        assert (await carrier.hears(ports[1])).payload == said.payload
        said = carrier.says(ports[1], bytes([100 + n]) * 160)
        assert (await phone.hears(ports[0])).payload == said.payload


def connected(port: int) -> list[bool]:
    """For each UDP socket of the machine on our address and this port: whether it is connected."""
    here = f"{int.from_bytes(socket.inet_aton(OWN), 'little'):08X}:{port:04X}"
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sorted(words[2] != "00000000:0000" for words in lines if words[1] == here)


def test_a_call_is_carried_both_ways_closed_and_marked(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam() as seam:
            with Party(1) as phone, Party(2) as carrier:
                ports = await call(seam, phone, carrier)
                await talk(phone, carrier, ports)
                report = await seam.report("m", "b")
                assert (report.sent, report.received, report.lost, report.refused) == (5, 5, 0, 0)
                assert report.suite == "AES_CM_128_HMAC_SHA1_80"
                assert report.mos > 4
                data, source, tos = await came(carrier.rtcp)
                assert (source, tos) == ((OWN, ports[1] + 1), 0xB8)
                assert carrier.opens is not None
                assert isinstance(rtcp.parse(carrier.opens.open_rtcp(data)[0])[-1], rtcp.Goodbye)
                report = await seam.report("m", "a")
                assert (report.sent, report.received, report.suite) == (5, 5, "")

    play(main())


def test_a_latched_leg_is_connected_and_hears_strays_beside(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam() as seam:
            with Party(1) as phone, Party(2) as carrier, Party(3) as other:
                ports = await call(seam, phone, carrier)
                assert connected(ports[0]) == [False]
                other.rtp.sendto(b"no RTP", (OWN, ports[0]))
                other.says(ports[1])  # RTP, but not authentic
                await talk(phone, carrier, ports)
                assert connected(ports[0]) == connected(ports[1]) == [False, True]
                other.says(ports[0])
                other.says(ports[1])
                await talk(phone, carrier, ports)
                for leg, refused in (("a", 0), ("b", 1)):
                    report = await seam.report("m", leg)
                    assert (report.strays, report.refused, report.received) == (2, refused, 10)

    play(main())


def test_a_re_invite_reopens_the_latch(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam() as seam:
            with Party(1) as phone, Party(2) as carrier, Party(1) as moved:
                ports = await call(seam, phone, carrier)
                await talk(phone, carrier, ports)
                again = await seam.anchored("m", "a", "b")
                assert again.port == ports[0]
                seam.workers.submit(Answer("m", "a", plain(moved.address[1], OWN, moved.address[1] + 1)))
                said = carrier.says(ports[1])
                assert (await moved.hears(ports[0])).payload == said.payload  # before it said anything
                moved.sequence, moved.timestamp = phone.sequence, phone.timestamp
                await talk(moved, carrier, ports)
                assert connected(ports[0]) == [False, True]
                phone.says(ports[0])
                await talk(moved, carrier, ports)
                report = await seam.report("m", "a")
                assert (report.strays, report.received) == (1, 15)

    play(main())


def test_a_source_that_fell_silent_may_come_back_from_elsewhere(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam(silence_after=0.3) as seam:
            with Party(1) as phone, Party(2) as carrier, Party(1) as moved:
                ports = await call(seam, phone, carrier)
                await talk(phone, carrier, ports)
                silent = {await seam.next(Silent), await seam.next(Silent)}
                assert silent == {Silent("m", "a", 0.3), Silent("m", "b", 0.3)}
                moved.sequence, moved.timestamp = phone.sequence, phone.timestamp
                await talk(moved, carrier, ports)

    play(main())


def test_the_whole_seam_is_spoken(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam() as seam:
            submit = seam.workers.submit
            one, two = await seam.anchored("one", "x"), await seam.anchored("two", "y")
            submit(Answer("one", "x", plain(two.port, OWN, two.rtcp_port)))
            submit(Answer("two", "y", plain(one.port, OWN, one.rtcp_port)))
            submit(Play("one", "x", (440,)))
            submit(Listen("two", "y", (440, 600)))
            assert await seam.next(Heard) == Heard("two", "y", 440)
            submit(Press("one", "x", "7"))
            assert await seam.next(Pressed) == Pressed("two", "y", "7")
            submit(Listen("one", "x", (600,)))
            submit(Play("two", "y", (600,)))
            assert await seam.next(Heard) == Heard("one", "x", 600)
            submit(Play("one", "x", (), echo=True))
            submit(Listen("two", "y", (600,)))
            assert await seam.next(Heard) == Heard("two", "y", 600)
            report = await seam.report("one", "x")
            assert report.sent >= 10
            assert report.heard == (600,)

    play(main())


def test_three_legs_of_a_conference_hear_each_other(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam() as seam:
            submit = seam.workers.submit
            tones = {"a": 440, "b": 600, "c": 880}
            room = {leg: await seam.anchored("room", leg) for leg in tones}
            for leg, tone in tones.items():
                far = await seam.anchored(leg, "far")
                submit(Answer("room", leg, plain(far.port, OWN)))
                submit(Answer(leg, "far", plain(room[leg].port, OWN)))
                submit(Play(leg, "far", (tone,)))
                submit(Listen(leg, "far", tuple(tones.values())))
            submit(Mix("room", tuple(tones)))
            heard = {await seam.next(Heard) for _ in range(6)}
            assert heard == {
                Heard(leg, "far", tone)
                for leg, own in tones.items()
                for tone in tones.values()
                if tone != own
            }

    play(main())


def test_what_cannot_be_is_refused_in_words_and_the_worker_goes_on(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam() as seam:
            with Party(1) as phone, Party(2) as carrier:
                ports = await call(seam, phone, carrier)
                seam.workers.submit(Answer("m", "b", secure(PHONE, 9, OWN)))  # no key of ours
                refused = await seam.next(Refused)
                assert isinstance(refused, Refused)
                assert (refused.leg, "keys of both sides" in refused.why) == ("b", True)
                seam.workers.submit(Press("m", "b", "x"))
                assert isinstance(await seam.next(Refused), Refused)
                seam.workers.submit(Listen("m", "b", (9000,)))
                assert isinstance(await seam.next(Refused), Refused)
                seam.workers.submit(Play("nobody", "b", (440,)))
                seam.workers.submit(Release("nobody"))
                await talk(phone, carrier, ports)

    play(main())


def test_a_taken_port_is_passed_over_and_the_end_of_them_is_told(play: OnLoop) -> None:
    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((OWN, 21003))
            async with Seam(ports=(21001, 21007)) as seam:
                found = [(await seam.anchored(media, "x")).port for media in "ab"]
                assert sorted(found) == [21004, 21006]
                seam.workers.submit(Offer("c", "x", OWN))
                refused = await seam.next(Refused)
                assert refused == Refused("c", "x", f"no free media port on {OWN} in 21002-21007")
                assert (await seam.report("a", "x")).sent == 0
                assert (await seam.anchored("c", "x")).port == found[0]
                seam.workers.submit(Offer("d", "x", "192.0.2.1"))
                refused = await seam.next(Refused)
                assert isinstance(refused, Refused)
                assert "Cannot assign requested address" in refused.why
                assert seam.workers.legs == 3
                assert seam.lines == []

    play(main())


def test_the_workers_share_the_ports_out(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam(3, (21000, 21013)) as seam:
            found = [(await seam.anchored(str(n), "x")).port for n in range(7)]
            assert sorted(found) == list(range(21000, 21013, 2))
            seam.workers.submit(Offer("more", "x", OWN))
            assert isinstance(await seam.next(Refused), Refused)
            assert seam.workers.legs == 7

    play(main())


def test_a_new_address_opens_another_port(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam() as seam:
            with Party(1) as phone, Party(2) as carrier:
                ports = await call(seam, phone, carrier)
                await talk(phone, carrier, ports)
                elsewhere = await seam.anchored("m", "a", "b", address="127.0.0.1")
                assert connected(ports[0]) == []
                stream = plain(phone.address[1], OWN)
                seam.workers.submit(Answer("m", "a", stream))
                packet = phone.packet()
                phone.rtp.sendto(bytes(packet), ("127.0.0.1", elsewhere.port))
                assert (await carrier.hears(ports[1])).payload == packet.payload
                seam.workers.submit(Offer("m", "a", "192.0.2.1", "b"))
                assert isinstance(await seam.next(Refused), Refused)  # what there was stays
                packet = phone.packet()
                phone.rtp.sendto(bytes(packet), ("127.0.0.1", elsewhere.port))
                assert (await carrier.hears(ports[1])).payload == packet.payload

    play(main())


def test_a_worker_that_dies_takes_its_calls_alone_and_is_started_again(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam(2, settled=0.0) as seam:
            with Party(1) as phone, Party(2) as carrier, Party(3) as phone2, Party(4) as carrier2:
                await call(seam, phone, carrier, "one")
                ports = await call(seam, phone2, carrier2, "two")
                await talk(phone2, carrier2, ports)
                before = seam.workers.pids
                os.kill(before["worker-1"], signal.SIGKILL)
                lost = await seam.next(Lost)
                assert isinstance(lost, Lost)
                assert (lost.worker, lost.medias) == ("worker-1", ("one",))
                await talk(phone2, carrier2, ports)
                ports = await call(seam, phone, carrier, "three")
                await talk(phone, carrier, ports)
                after = seam.workers.pids
                assert after["worker-2"] == before["worker-2"]
                assert after["worker-1"] != before["worker-1"]
                assert seam.lines == ["worker-1 died, and 1 calls with it"]
                seam.workers.submit(Release("one"))  # nobody's any more

    play(main())


def test_a_worker_that_dies_at_once_is_not_started_in_a_circle(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam(settled=1000.0) as seam:
            await seam.anchored("m", "a")
            os.kill(seam.workers.pids["worker-1"], signal.SIGKILL)
            assert await seam.next(Lost) == Lost("worker-1", ("m",))
            seam.workers.submit(Offer("n", "a", OWN))
            assert await seam.next(Refused) == Refused("n", "a", "no media worker runs")

    play(main())


def test_signals_to_all_are_left_to_signalling(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam() as seam:
            with Party(1) as phone, Party(2) as carrier:
                ports = await call(seam, phone, carrier)
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    os.kill(seam.workers.pids["worker-1"], number)
                await talk(phone, carrier, ports)

    play(main())


def test_calls_go_on_while_signalling_stands_still(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam(silence_after=0.05) as seam:
            with Party(1) as phone, Party(2) as carrier:
                ports = await call(seam, phone, carrier)
                await talk(phone, carrier, ports)
                for one in (phone.rtp, carrier.rtp):
                    one.settimeout(20.0)
                for _ in range(20):  # no await from here on: the loop is not served
                    phone.says(ports[0])
                    assert carrier.open(carrier.rtp.recv(2048)).payload == b"\xd5" * 160

    play(main())


def test_a_release_waits_for_company_and_is_carried_out_first(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam(ports=(20000, 20001)) as seam:
            first = await seam.anchored("first", "a")
            seam.workers.submit(Release("first", "a"))
            seam.workers.submit(Offer("second", "a", OWN))  # the only port there is
            assert isinstance(await seam.next(Report, Refused), Report)
            again = await seam.next(Anchored, Refused)
            assert again == Anchored("second", "a", OWN, first.port, first.rtcp_port)
            seam.workers.submit(Release("second", "a"))  # nothing follows: it leaves by itself
            assert await seam.next(Report) == Report("second", "a", 0, 0, 0)

    play(main())


def test_closing_tells_the_reports_of_all_calls(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam(2) as seam:
            for n in range(4):
                await seam.anchored(f"m{n}", "a")
        told = [seam.events.get_nowait() for _ in range(seam.events.qsize())]
        assert {event.media for event in told if isinstance(event, Report)} == {"m0", "m1", "m2", "m3"}
        seam.workers.close()  # a second time is harmless

    play(main())


def test_workers_end_when_signalling_is_killed(play: OnLoop) -> None:
    script = (
        "import asyncio, sys\n"
        "from trunkline.aio.clock import SystemIds\n"
        "from trunkline.aio.workers import Workers\n"
        "async def main():\n"
        "    workers = Workers(print, SystemIds(), 2, (20000, 20999))\n"
        "    print(*workers.pids.values(), flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )

    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as signalling:
        assert signalling.stdout is not None
        pids = list(map(int, signalling.stdout.readline().split()))
        assert len(pids) == 2
        signalling.kill()

    async def main() -> None:
        for pid in pids:
            await ended(pid)

    play(main())


def test_too_few_files_for_the_ports_are_told() -> None:
    script = (
        "import resource\n"
        "from trunkline.aio.worker import reach\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))\n"
        "assert reach(100) == (100, '') or hard < 364, reach(100)\n"
        "legs, why = reach(10**9)\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "assert (soft, legs, why) == (hard, (hard - 64) // 3, f'{hard} open files'), (legs, why)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_start_with_too_few_files_says_how_many_calls_can_be_carried() -> None:
    """Told by the worker when it starts, which raises its limit first: so it runs where it may not."""
    script = (
        "import asyncio, ctypes, resource\n"
        "from trunkline.aio.clock import SystemIds\n"
        "from trunkline.aio.workers import Workers\n"
        "PR_CAPBSET_DROP, CAP_SYS_RESOURCE = 24, 24\n"
        "ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0)\n"  # root's children, too
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n"
        "async def main():\n"
        "    said = asyncio.Queue()\n"
        "    workers = Workers(print, SystemIds(), 1, (10000, 19999), say=said.put_nowait)\n"
        "    print(await asyncio.wait_for(said.get(), 30), workers.legs)\n"
        "    workers.close()\n"
        "    await workers.closed()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("worker-1 carries 64 legs at most: 256 open files 64\n", "")


def test_workers_share_the_range_of_an_address_to_its_last_port(play: OnLoop) -> None:
    async def main() -> None:
        async with Seam(2, at={OWN: (7000, 7007)}) as seam:
            ports = [await seam.anchored(f"m{n}", "a") for n in range(4)]
            assert sorted(port.port for port in ports) == [7000, 7002, 7004, 7006]
            assert seam.workers.legs == 4
            seam.workers.submit(Offer("m5", "a", OWN))
            assert isinstance(await seam.next(Refused), Refused)

    play(main())


def test_a_worker_has_no_event_loop() -> None:
    """Media passes by epoll alone: asyncio costs more for a packet than the packet does."""
    script = "import sys, trunkline.aio.worker; sys.exit(bool({'asyncio', 'uvloop'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
