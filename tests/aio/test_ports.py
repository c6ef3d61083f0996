"""The sockets of a relayed leg, and what Linux does with two on one port."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest
from tests.media.wire import BUFFER, Dice, plain

from trunkline.aio.ports import Port, Ports
from trunkline.media.latch import Address
from trunkline.media.rtp import Packet
from trunkline.media.session import Session

PID = os.getpid()
OWN = f"127.{PID >> 16 & 63 | 128}.{PID >> 8 & 255}.{PID & 255}"  # no other test process has it


NUMBERS = count(1)
OPENED: list[tuple[Ports, Port]] = []


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    yield
    for ports, port in OPENED:
        ports.close(port)
    OPENED.clear()


@pytest.fixture
def far() -> Iterator[socket.socket]:
    with closing(udp()) as made:
        yield made


def udp(port: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((OWN, port))
    made.settimeout(20.0)
    return made


def opened(ports: Ports, far: socket.socket) -> Port:
    """The port of a leg that agreed on `far`."""
    session = Session("m", BUFFER, Dice(), lambda event: None)
    leg = session.offer("a", "")
    port = ports.open(leg, OWN)
    OPENED.append((ports, port))
    leg.carrier = port
    session.answer("a", plain(far.getsockname()[1], OWN), 0.0)
    port.aim()
    return port


def learn(port: Port, source: Address) -> None:
    packet = Packet(8, next(NUMBERS), 0, 5, bytes(160))
    port.leg.receive_from(BUFFER.load(bytes(packet)), source, 0.0)


def waiting(one: socket.socket | None) -> list[bytes]:
    assert one is not None
    found = []
    while True:
        try:
            found.append(one.recv(2048))
        except BlockingIOError:
            return found


def test_a_connected_socket_gets_its_peers_packets_and_the_second_one_the_rest(far: socket.socket) -> None:
    ports = Ports(6000, 6010, 184)
    port = opened(ports, far)
    with closing(udp()) as other:
        assert not port.hot
        learn(port, far.getsockname())
        assert port.latch(ports.again) is None
        assert port.hot
        for n in range(3):
            far.sendto(b"far %d" % n, (OWN, port.number))
            other.sendto(b"other %d" % n, (OWN, port.number))
        assert waiting(port.rtp) == [b"far 0", b"far 1", b"far 2"]
        assert waiting(port.strays) == [b"other 0", b"other 1", b"other 2"]


def test_packets_go_where_the_latch_says_before_and_after(far: socket.socket) -> None:
    ports = Ports(6000, 6010, 184)
    port = opened(ports, far)
    with closing(udp()) as nat:
        port.send(b"agreed")
        assert far.recvfrom(99) == (b"agreed", (OWN, port.number))
        learn(port, nat.getsockname())
        port.latch(ports.again)
        port.aim()
        port.send(b"learned")
        assert nat.recvfrom(99) == (b"learned", (OWN, port.number))
        port.leg.latch.reopen(OWN, far.getsockname()[1] + 1, 1.0)
        port.leg.latch.reopen(OWN, far.getsockname()[1], 1.0)
        port.aim()
        port.send(b"moved")
        assert far.recvfrom(99) == (b"moved", (OWN, port.number))
        learn(port, far.getsockname())
        former = port.latch(ports.again)
        assert former is not None
        former.close()
        port.aim()
        nat.sendto(b"stray", (OWN, port.number))
        far.sendto(b"far", (OWN, port.number))
        assert (waiting(port.strays), waiting(port.rtp)) == ([b"stray"], [b"far"])


def test_a_port_that_anybody_sits_on_is_passed_over(far: socket.socket) -> None:
    ports = Ports(6001, 6007, 184)
    assert ports.pairs == 3
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other, closing(udp(6005)):
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # even who would share
        other.bind((OWN, 6002))
        port = opened(ports, far)
        assert port.number == 6006
        with pytest.raises(OSError, match=f"no free media port on {OWN} in 6002-6007"):
            opened(ports, far)
    ports.close(OPENED.pop()[1])
    assert opened(ports, far).number == 6002


def test_nobody_else_gets_in_where_two_sockets_of_ours_are(far: socket.socket) -> None:
    ports = Ports(6000, 6010, 184)
    port = opened(ports, far)
    learn(port, far.getsockname())
    port.latch(ports.again)
    assert port.strays is not None
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="Address already in use"):
            other.bind((OWN, port.number))


def test_an_address_that_is_not_ours_is_told_in_words() -> None:
    session = Session("m", BUFFER, Dice(), lambda event: None)
    with pytest.raises(OSError, match=r"cannot open media port 192\.0\.2\.1 6000: Cannot assign"):
        Ports(6000, 6010, 184).open(session.offer("a", ""), "192.0.2.1")


def test_every_socket_is_marked(far: socket.socket) -> None:
    ports = Ports(6000, 6010, 184)
    port = opened(ports, far)
    learn(port, far.getsockname())
    port.latch(ports.again)
    assert len(port.sockets()) == 3
    assert {one.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) for one in port.sockets()} == {184}


def test_without_a_file_for_strays_the_leg_goes_on(far: socket.socket) -> None:
    def none(address: str, number: int) -> socket.socket:
        raise OSError("too many open files")

    ports = Ports(6000, 6010, 184)
    port = opened(ports, far)
    learn(port, far.getsockname())
    assert port.latch(none) is None
    assert port.strays is None
    assert port.hot
    port.leg.latch.loosen()
    learn(port, (OWN, 9))
    assert port.latch(none) is None  # it cannot be told who else sends: stay
    assert port.source == far.getsockname()


def test_an_address_may_have_a_range_of_its_own_and_then_no_other_has_any(far: socket.socket) -> None:
    ports = Ports(6000, 6010, 184, {OWN: (7000, 7005)}, 0.5)
    assert ports.pairs == 3
    assert [opened(ports, far).number for _ in range(3)] == [7002, 7004, 7000]
    session = Session("m", BUFFER, Dice(), lambda event: None)
    with pytest.raises(OSError, match=r"no free media port on 127\.0\.0\.1"):
        ports.open(session.offer("a", ""), "127.0.0.1")
