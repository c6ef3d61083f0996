"""SIP over TCP on loopback, with bare streams as the peer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from trunkline.aio.stream import LIMITS, UPKEEP, Limits, StreamPort, Upkeep
from trunkline.sip.flow import Flow

Play = Callable[[Coroutine[Any, Any, None]], None]

OPTIONS = (
    b"OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
    b"From: <sip:a@example.com>;tag=1\r\n"
    b"To: <sip:b@example.com>\r\n"
    b"Call-ID: %d\r\n"
    b"CSeq: 1 OPTIONS\r\n"
    b"Max-Forwards: 70\r\n"
    b"Content-Length: 4\r\n\r\nbody"
)


class Ears:
    """A listening stream port and what it tells."""

    def __init__(
        self, *, limits: Limits = LIMITS, upkeep: Upkeep = UPKEEP, address: str = "127.0.0.1"
    ) -> None:
        self.arrived: asyncio.Queue[tuple[bytes, Flow]] = asyncio.Queue()
        self.failed: asyncio.Queue[tuple[Flow, str]] = asyncio.Queue()
        self.port = StreamPort(address, 0, limits=limits, upkeep=upkeep)
        self.port.listen(
            lambda data, flow: self.arrived.put_nowait((data, flow)),
            lambda flow, why: self.failed.put_nowait((flow, why)),
        )

    async def peer(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.port.local)


async def shut(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.rfc("3261#18.3")
def test_messages_are_cut_from_the_stream_and_answers_go_back_on_it(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        reader, writer = await ears.peer()
        stream = OPTIONS % 1 + b"\r\n" + OPTIONS % 2
        for cut in range(0, len(stream), 97):
            writer.write(stream[cut : cut + 97])
            await writer.drain()
        one, flow = await ears.arrived.get()
        two, again = await ears.arrived.get()
        assert (one, two) == (OPTIONS % 1, OPTIONS % 2)
        assert flow == again == Flow("TCP", ears.port.local, writer.get_extra_info("sockname"))
        ears.port.send(b"answer", flow)
        assert await reader.readexactly(6) == b"answer"
        ears.port.close()
        assert await reader.read() == b""
        await shut(writer)
        assert ears.failed.empty()

    play(main())


@pytest.mark.rfc("5626#4.4.1")
def test_a_ping_is_answered_with_a_pong(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        reader, writer = await ears.peer()
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        ears.port.close()
        await shut(writer)

    play(main())


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_send_without_a_connection_opens_one_and_keeps_it(play: Play, address: str) -> None:
    async def main() -> None:
        here, there = Ears(address=address), Ears(address=address)
        flow = Flow("TCP", here.port.local, there.port.local)
        for number in range(3):  # the second and third wait for the same connection
            here.port.send(OPTIONS % number, flow)
        back = set()
        for number in range(3):
            data, source = await there.arrived.get()
            assert data == OPTIONS % number
            back.add(source)
        assert len(back) == 1
        assert len(here.port) == len(there.port) == 1
        there.port.send(OPTIONS % 9, back.pop())
        assert await here.arrived.get() == (OPTIONS % 9, flow)
        here.port.send(OPTIONS % 10, flow)
        assert (await there.arrived.get())[0] == OPTIONS % 10
        here.port.close()
        there.port.close()

    play(main())


@pytest.mark.rfc("3261#18.4")
def test_a_flow_nobody_listens_at_is_told(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nobody = Flow("TCP", ears.port.local, free.getsockname())
            ears.port.send(b"x", nobody)
            assert await ears.failed.get() == (nobody, "Connection refused")
        for remote in (("sbc.example.com", 5060), ("127.0.0.1", 70000)):
            ears.port.send(b"x", Flow("TCP", ears.port.local, remote))
            flow, why = await ears.failed.get()
            assert flow.remote == remote
            assert why.endswith("is not an address")
        ears.port.close()

    play(main())


def test_a_connection_that_does_not_come_about_has_its_time(play: Play) -> None:
    async def main() -> None:
        ears = Ears(limits=Limits(connect=0.05))
        with socket.socket() as full:  # a backlog of one, taken: the kernel drops what comes after
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            taken = [socket.socket() for _ in range(2)]
            for one in taken:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            flow = Flow("TCP", ears.port.local, full.getsockname())
            ears.port.send(b"x", flow)
            assert await ears.failed.get() == (flow, "no connection within 0.05 s")
            for one in taken:
                one.close()
        ears.port.close()

    play(main())


def test_what_waits_for_a_connection_is_bounded(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(limits=Limits(unread=10)), Ears()
        flow = Flow("TCP", here.port.local, there.port.local)
        for _ in range(3):
            here.port.send(b"x" * 8, flow)
        assert await here.failed.get() == (flow, "too much waits for the connection")
        here.port.close()
        there.port.close()

    play(main())


@pytest.mark.rfc("3261#18.4")
def test_a_lost_connection_is_told_and_a_new_send_opens_another(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(), Ears()
        flow = Flow("TCP", here.port.local, there.port.local)
        here.port.send(OPTIONS % 1, flow)
        _, back = await there.arrived.get()
        there.port.end(back, "enough")
        assert await here.failed.get() == (flow, "closed by the peer")
        assert len(there.port) == 0
        here.port.send(OPTIONS % 2, flow)
        assert (await there.arrived.get())[0] == OPTIONS % 2
        assert there.failed.empty()  # its own close is not told
        there.port.end(back, "twice")
        here.port.close()
        there.port.close()

    play(main())


class Peers:
    """A server whose connections the test reads and writes, one after the other."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def __aenter__(self) -> Peers:
        self._server = await asyncio.start_server(
            lambda reader, writer: self.opened.put_nowait((reader, writer)), "127.0.0.1", 0
        )
        self.at: tuple[str, int] = self._server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *ended: object) -> None:
        self._server.close()
        await self._server.wait_closed()


@pytest.mark.rfc("5626#3.5.1")
def test_a_silent_connection_of_ours_is_pinged_and_lives_by_the_pong(play: Play) -> None:
    async def main() -> None:
        ears = Ears(upkeep=Upkeep(ping=0.02, pong=0.02))
        async with Peers() as peers:
            flow = Flow("TCP", ears.port.local, peers.at)
            ears.port.send(OPTIONS % 1, flow)
            reader, writer = await peers.opened.get()
            assert await reader.readexactly(len(OPTIONS % 1)) == OPTIONS % 1
            for _ in range(3):
                assert await reader.readexactly(4) == b"\r\n\r\n"
                assert ears.failed.empty()
                writer.write(b"\r\n")
            assert await reader.readexactly(4) == b"\r\n\r\n"
            assert await ears.failed.get() == (flow, "no answer to a keep-alive within 0.02 s")
            await shut(writer)
        ears.port.close()

    play(main())


def test_pongs_need_not_come_where_nobody_waits_for_them(play: Play) -> None:
    async def main() -> None:
        ears = Ears(upkeep=Upkeep(ping=0.01, pong=0.0))
        async with Peers() as peers:
            ears.port.send(b"", Flow("TCP", ears.port.local, peers.at))
            reader, writer = await peers.opened.get()
            for _ in range(4):
                assert await reader.readexactly(4) == b"\r\n\r\n"
            assert ears.failed.empty()
            ears.port.close()
            await shut(writer)

    play(main())


def test_a_lost_connection_that_served_is_opened_again_and_one_that_never_did_is_not(play: Play) -> None:
    async def main() -> None:
        ears = Ears(upkeep=Upkeep(reopen=0.01))
        async with Peers() as peers:
            flow = Flow("TCP", ears.port.local, peers.at)
            ears.port.send(b"one", flow)
            _, writer = await peers.opened.get()
            writer.write(OPTIONS % 1)
            await ears.arrived.get()
            await shut(writer)
            assert await ears.failed.get() == (flow, "closed by the peer")
            reader, writer = await peers.opened.get()  # again, and nobody asked
            ears.port.send(b"two", flow)
            assert await reader.readexactly(3) == b"two"
            await shut(writer)
            assert await ears.failed.get() == (flow, "closed by the peer")
            ears.port.send(b"three", flow)  # a Send opens it in any case
            reader, writer = await peers.opened.get()
            writer.write(OPTIONS % 1)
            await ears.arrived.get()
            await shut(writer)
            await ears.failed.get()
            ears.port.send(b"four", flow)  # before its time came
            reader, writer = await peers.opened.get()
            assert await reader.readexactly(4) == b"four"
            writer.write(OPTIONS % 1)
            await ears.arrived.get()
            await shut(writer)
            await ears.failed.get()
            ears.port.close()  # and no timer outlives it
            assert peers.opened.empty()

    play(main())


@pytest.mark.rfc("3261#18.3")
def test_a_message_without_content_length_is_answered_and_the_connection_closed(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        reader, writer = await ears.peer()
        writer.write((OPTIONS % 1).replace(b"Content-Length: 4\r\n", b""))
        answer = await reader.read()
        assert answer.startswith(b"SIP/2.0 400 Bad Content-Length\r\n")
        assert b"\r\nCall-ID: 1\r\n" in answer
        assert b";tag=" in answer.split(b"\r\nTo:")[1].split(b"\r\n")[0]
        assert (await ears.failed.get())[1].startswith("broken stream: Content-Length")
        assert ears.arrived.empty()
        assert len(ears.port) == 0
        ears.port.close()
        await shut(writer)

    play(main())


def test_a_bad_message_whose_end_is_known_is_answered_and_the_next_one_served(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        reader, writer = await ears.peer()
        writer.write((OPTIONS % 1).replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia") + OPTIONS % 2)
        data, _ = await ears.arrived.get()
        if data == OPTIONS % 2:
            assert (await reader.readline()).startswith(b"SIP/2.0 505 ")
        else:  # the version is the endpoint's business: the framer let it pass
            assert (await ears.arrived.get())[0] == OPTIONS % 2
        assert len(ears.port) == 1
        ears.port.close()
        await shut(writer)

    play(main())


def test_noise_ends_the_connection_without_an_answer(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        reader, writer = await ears.peer()
        writer.write(b"\x16\x03\x01\x02\x00 not SIP at all\r\n\r\n")
        assert await reader.read() == b""
        assert (await ears.failed.get())[1].startswith("broken stream")
        ears.port.close()
        await shut(writer)

    play(main())


def test_a_message_that_never_ends_loses_its_connection_in_time(play: Play) -> None:
    async def main() -> None:
        ears = Ears(limits=Limits(patience=0.05))
        reader, writer = await ears.peer()
        writer.write(OPTIONS % 1 + (OPTIONS % 2)[:-1])
        assert (await ears.arrived.get())[0] == OPTIONS % 1
        assert (await reader.read()).startswith(b"SIP/2.0 408 ")
        assert "within 0.05 s" in (await ears.failed.get())[1]
        ears.port.close()
        await shut(writer)

    play(main())


def test_an_idle_connection_between_messages_is_left_alone(play: Play) -> None:
    async def main() -> None:
        ears = Ears(limits=Limits(patience=0.02))
        _, writer = await ears.peer()
        for number in range(3):
            writer.write((OPTIONS % number)[:40])
            await writer.drain()
            writer.write((OPTIONS % number)[40:])
            assert (await ears.arrived.get())[0] == OPTIONS % number
            idle = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.05, idle.set_result, None)
            await idle
        assert len(ears.port) == 1
        assert ears.failed.empty()
        ears.port.close()
        await shut(writer)

    play(main())


@pytest.mark.parametrize("limits", [Limits(per_source=2), Limits(connections=2)])
def test_connections_over_the_limit_are_dropped_and_the_others_live(play: Play, limits: Limits) -> None:
    async def main() -> None:
        ears = Ears(limits=limits)
        peers = [await ears.peer() for _ in range(2)]
        for number, (_, writer) in enumerate(peers):
            writer.write(OPTIONS % number)
            await ears.arrived.get()
        reader, writer = await ears.peer()
        with suppress(ConnectionError):
            assert await reader.read() == b""
        await shut(writer)
        for number, (_, writer) in enumerate(peers):
            writer.write(OPTIONS % number)
            assert (await ears.arrived.get())[0] == OPTIONS % number
        nobody = Flow("TCP", ears.port.local, ("127.0.0.1", 1))
        assert len(ears.port) == 2
        await shut(peers[0][1])
        await ears.failed.get()
        assert len(ears.port) == 1
        assert ears.failed.empty()
        ears.port.end(nobody, "no such connection")
        ears.port.close()
        await shut(peers[1][1])

    play(main())


def test_an_outgoing_connection_over_the_limit_is_told(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(limits=Limits(connections=0)), Ears()
        flow = Flow("TCP", here.port.local, there.port.local)
        here.port.send(b"x", flow)
        assert await here.failed.get() == (flow, "too many connections")
        assert here.failed.empty()
        here.port.close()
        there.port.close()

    play(main())


def test_a_peer_that_does_not_read_loses_its_connection(play: Play) -> None:
    async def main() -> None:
        ears = Ears(limits=Limits(unread=1000))
        reader, writer = await ears.peer()  # a StreamReader stops reading at 64 KiB of its own
        writer.write(OPTIONS % 1)
        _, flow = await ears.arrived.get()
        while ears.failed.empty():
            ears.port.send(b"x" * 1_000_000, flow)
        assert await ears.failed.get() == (flow, "the peer does not read")
        assert len(ears.port) == 0
        with suppress(ConnectionError):
            await reader.read()
        ears.port.close()
        await shut(writer)

    play(main())


def test_after_close_nothing_opens_any_more(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(), Ears()
        flow = Flow("TCP", here.port.local, there.port.local)
        here.port.send(b"x", flow)
        here.port.close()  # while it connects
        here.port.close()
        here.port.send(b"x", flow)
        again = StreamPort(*here.port.local)
        again.close()
        there.port.close()
        await asyncio.sleep(0)
        assert here.failed.empty()
        assert len(here.port) == 0

    play(main())


def test_an_address_that_is_not_ours_says_which_in_the_error() -> None:
    with pytest.raises(OSError, match=r"TCP 192\.0\.2\.1 port 5060: "):
        StreamPort("192.0.2.1", 5060)
