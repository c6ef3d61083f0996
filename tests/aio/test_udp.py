"""UDP ports on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from trunkline.aio.udp import UdpPort
from trunkline.sip.flow import Flow

Play = Callable[[Coroutine[Any, Any, None]], None]


class Ears:
    """Collects what a port tells."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[bytes, Flow]] = asyncio.Queue()
        self.failed: asyncio.Queue[tuple[Flow, str]] = asyncio.Queue()

    def open(self, address: str = "127.0.0.1", *, tos: int = 0) -> UdpPort:
        port = UdpPort(address, 0, tos=tos)
        port.listen(
            lambda data, flow: self.arrived.put_nowait((data, flow)),
            lambda flow, why: self.failed.put_nowait((flow, why)),
        )
        return port


def unused(address: str = "127.0.0.1") -> tuple[str, int]:
    """An address where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((address, 0))
        return (address, free.getsockname()[1])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_datagram_arrives_with_both_addresses(play: Play, address: str) -> None:
    async def main() -> None:
        one, two = Ears(), Ears()
        a, b = one.open(address), two.open(address, tos=0xB8)
        a.send(b"hello", Flow("UDP", a.local, b.local))
        assert await two.arrived.get() == (b"hello", Flow("UDP", b.local, a.local))
        b.send(b"x" * 60000, Flow("UDP", b.local, a.local))
        data, flow = await one.arrived.get()
        assert len(data) == 60000
        assert flow.local == a.local
        assert flow.remote == b.local
        a.close()
        b.close()

    play(main())


def test_more_datagrams_than_one_wake_up_reads_all_arrive_in_order(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        port = ears.open()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            for number in range(200):
                peer.sendto(b"%d" % number, port.local)
            flow = Flow("UDP", port.local, peer.getsockname())
            assert [await ears.arrived.get() for _ in range(200)] == [(b"%d" % n, flow) for n in range(200)]
        port.close()

    play(main())


@pytest.mark.rfc("3261#18.4")
def test_icmp_names_the_destination_that_is_not_there_and_reading_goes_on(play: Play) -> None:
    async def main() -> None:
        ears, other = Ears(), Ears()
        port, peer = ears.open(), other.open()
        for _ in range(5):  # each error must leave the port watched (libuv stops watching at an error)
            nobody = unused()
            port.send(b"anyone?", Flow("UDP", port.local, nobody))
            flow, why = await ears.failed.get()
            assert flow == Flow("UDP", port.local, nobody)
            assert why == "Connection refused"
            peer.send(b"here", Flow("UDP", peer.local, port.local))
            assert (await ears.arrived.get())[0] == b"here"
        port.close()
        peer.close()

    play(main())


@pytest.mark.rfc("3261#18.4")
def test_one_dead_destination_does_not_spoil_the_datagram_to_the_next(play: Play) -> None:
    async def main() -> None:
        ears, other = Ears(), Ears()
        port, peer = ears.open(), other.open()
        dead = [unused(), unused("127.0.0.2")]
        for _ in range(20):
            for nobody in dead:
                port.send(b"anyone?", Flow("UDP", port.local, nobody))
            port.send(b"to you", Flow("UDP", port.local, peer.local))
            assert (await other.arrived.get())[0] == b"to you"
            for _nobody in dead:
                assert (await ears.failed.get())[0].remote in dead
            peer.send(b"and back", Flow("UDP", peer.local, port.local))
            assert (await ears.arrived.get())[0] == b"and back"
        assert ears.failed.empty()
        assert other.failed.empty()
        port.close()
        peer.close()

    play(main())


@pytest.mark.parametrize(
    ("remote", "why"),
    [
        (("sbc.example.com", 5060), "not an IP address"),
        (("192.0.2.1", 0), "not a port"),
        (("192.0.2.1", 65536), "not a port"),
        (("2001:db8::1", 5060), ""),
    ],
)
def test_what_no_datagram_can_be_sent_to_is_told_not_raised(
    play: Play, remote: tuple[str, int], why: str
) -> None:
    async def main() -> None:
        ears = Ears()
        port = ears.open()
        port.send(b"x", Flow("UDP", port.local, remote))
        flow, told = await ears.failed.get()
        assert flow.remote == remote
        assert why in told
        port.close()

    play(main())


def test_a_message_too_long_for_udp_is_told(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        port = ears.open()
        port.send(b"x" * 70000, Flow("UDP", port.local, port.local))
        assert (await ears.failed.get())[1] == "message too long for UDP"
        port.close()

    play(main())


def test_the_memory_of_checked_destinations_is_bounded(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        port = ears.open()
        for number in range(5000):
            port.send(b"x", Flow("UDP", port.local, (f"127.1.{number // 250}.{number % 250}", 9)))
        assert len(port._known) <= 4096
        port.close()

    play(main())


def test_closing_ends_reading_and_frees_the_port(play: Play) -> None:
    async def main() -> None:
        ears = Ears()
        port = ears.open()
        address, number = port.local
        port.close()
        port.close()
        port.send(b"x", Flow("UDP", port.local, ("127.0.0.1", 9)))  # a late timer may still try
        again = UdpPort(address, number)
        again.close()

    play(main())


def test_an_address_that_is_not_ours_says_which_in_the_error() -> None:
    with pytest.raises(OSError, match=r"UDP 192\.0\.2\.1 port 5060: "):
        UdpPort("192.0.2.1", 5060)
