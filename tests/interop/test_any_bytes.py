"""Any bytes on any port: the IPBX and the SBC take thousands of spoilt messages and go on as if nothing was.

They come from strangers, and from addresses that are trusted: an access SBC's at the IPBX, the IPBX's at the
SBC. Some stand in the dialog of a call that is up, so that they get as deep as they can.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.interop import mutation
from tests.interop.mutation import Dice
from tests.interop.program import Address, loopback, until
from tests.interop.sipp import Sipp
from tests.interop.trunk import PASSWORD, Node, eventually, standing

SEED = 475
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST
TALKERS, DATAGRAMS, STREAMS = 5, 1000, 200  # datagrams of each, streams of all
PACKETS = 1000  # at the media ports of a call
AT_ONCE = 25  # datagrams sent before it is looked whether they were read
GROWTH = 30 << 20  # bytes that a process may keep of it all
NEAR, BUILT_IN, DIALLED = "+33199001001", "+33199009001", "00199009001"


class Target(NamedTuple):
    """A port of the product: of which process, under which label, and what number can be called there."""

    node: Node
    label: str
    address: Address
    called: str

    def wire(self) -> dict[str, int]:
        told: dict[str, int] = self.node.ask("status", self.label)["wire"]
        return told


class Talker:
    """Sends spoilt messages from one address, most of them within a call that it made before."""

    def __init__(self, seed: int, source: str, target: Target) -> None:
        self.target, self.dice = target, Dice(seed)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self._socket.connect(target.address)
        self._socket.setblocking(False)
        self._number = 0
        self._dialog: dict[str, object] = {}
        self.media: Address | None = None  # where the other side of the call wants RTP

    def close(self) -> None:
        self._socket.close()

    def fields(self, dice: Dice, transport: str = "UDP") -> dict[str, object]:
        """What a new message says; in three of four it stands in the dialog."""
        host, port = self._socket.getsockname()
        self._number += 1
        fields: dict[str, object] = {
            "transport": transport,
            "host": host,
            "port": port,
            "target": self.target.address[0],
            "caller": BUILT_IN if self.target.called == NEAR else NEAR,
            "called": self.target.called,
            "branch": f"{dice.getrandbits(64):x}",
            "from_tag": f"{dice.getrandbits(32):x}",
            "to_tag": "",
            "call_id": f"{dice.getrandbits(64):x}",
            "cseq": self._number,
        }
        return fields | self._dialog if dice.random() < 0.75 else fields

    def hangs_up(self) -> None:
        """Ends the call, if a spoilt message did not."""
        if self._dialog:
            self._socket.send(mutation.request("BYE", self.fields(self.dice) | self._dialog))
            self._dialog = {}

    def calls(self) -> bool:
        """Makes a call and keeps to its dialog; whether it was answered."""
        self.hangs_up()
        fields = self.fields(self.dice)
        self._socket.send(mutation.request("INVITE", fields, sdp=True))
        ok = self._answer(fields)
        if ok is None:
            return False
        tag = re.search(rb"^To:.*;tag=(\w+)", ok, re.MULTILINE)
        assert tag is not None, ok
        self._dialog = {name: fields[name] for name in ("from_tag", "call_id")}
        self._dialog["to_tag"] = f";tag={tag[1].decode()}"
        self._socket.send(mutation.request("ACK", fields | self._dialog))
        address, port = (
            re.search(line, ok, re.MULTILINE) for line in (rb"^c=IN IP4 (\S+)", rb"^m=audio (\d+)")
        )
        assert address is not None, ok
        assert port is not None, ok
        self.media = address[1].decode(), int(port[1])
        return True

    def _answer(self, fields: mutation.Fields) -> bytes | None:
        """The final answer to an INVITE, None if it is a refusal."""
        wanted = f"Call-ID: {fields['call_id']}".encode()

        def final() -> bytes | None:
            with suppress(BlockingIOError, ConnectionRefusedError):
                while data := self._socket.recv(65535):
                    if wanted in data and not data.startswith(b"SIP/2.0 1"):
                        return data
            return None

        answer = until(final, 5.0, "a final answer")
        return answer if answer.startswith(b"SIP/2.0 200") else None

    def throws(self, count: int) -> None:
        """Sends so many messages, no faster than they are read; nothing may fault."""
        before, read = self.target.wire()["received"], 0
        for number, message in enumerate(islice(mutation.stream(self.dice, self.fields), count), start=1):
            with suppress(ConnectionRefusedError, BlockingIOError):
                self._socket.send(message)
                read += len(message) > 4  # what is shorter may be a keep-alive, which is not counted
            if number % AT_ONCE == 0:
                eventually("all of it read", lambda: self.target.wire()["received"] >= before + read)  # noqa: B023
                faults = self.target.wire()["faults"]
                assert faults == 0, f"within {number} messages\n{self.target.node.tail(5000)}"


def opens_stream(dice: Dice, source: str, target: Target, talker: Talker) -> socket.socket:
    """Sends a few spoilt messages over TCP in pieces; the connection is still open, if it was left open."""
    stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    stream.settimeout(5.0)
    stream.bind((source, 0))
    with suppress(OSError):  # it may hang up on us
        stream.connect(target.address)
        fields = talker.fields(dice, "TCP")
        data = b"".join(mutation.spoilt(dice, fields) for _ in range(dice.randrange(1, 5)))
        while data:
            size = dice.choice((1, 10, 1000, 100000))
            stream.send(data[:size])
            data = data[size:]
    return stream


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_spoilt_messages_harm_nobody(tmp_path: Path, running: ExitStack) -> None:
    places, ipbx, carrier = running.enter_context(standing(tmp_path))
    phone = (loopback(), 5060)
    row = ["201", f"[authentication username=201 password={PASSWORD}]"]
    with Sipp("register", tmp_path / "register", phone, places.phones, calls=1, rows=[row]) as registering:
        assert registering.finished(10).fault == "", registering.errors()
    running.enter_context(Sipp("answer", tmp_path / "answering", phone))

    stranger = loopback()
    trunk, phones = (Target(ipbx, "", at, NEAR) for at in (places.trunk, places.phones))
    sbc = Target(carrier, "nominal", (places.nominal, 5060), BUILT_IN)
    sides = (
        (places.nominal, trunk),
        (places.ipbx, sbc),
        (stranger, phones),
        (stranger, trunk),
        (stranger, sbc),
    )
    talkers = [Talker(SEED + number, *side) for number, side in enumerate(sides)]
    assert len(talkers) == TALKERS
    for talker in talkers:
        running.callback(talker.close)
    for talker in talkers:  # what is imported and cached for good, is so before it is weighed
        talker.throws(AT_ONCE)
    weights = [node.resident() for node in (ipbx, carrier)]

    answered = [0] * TALKERS
    for _ in range(DATAGRAMS // (2 * AT_ONCE)):
        for number, talker in enumerate(talkers):
            answered[number] += talker.calls()
            talker.throws(2 * AT_ONCE)
    assert all(answered[:2]), "no call was up"
    assert not any(answered[2:]), "a stranger's call was answered"

    dice = Dice(SEED)
    assert talkers[1].calls()
    assert talkers[1].media is not None
    assert talkers[1].media[0] == places.nominal_media
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        noise.bind((places.ipbx, 0))
        for number in range(PACKETS):
            ip, port = talkers[1].media
            with suppress(ConnectionRefusedError):
                noise.sendto(mutation.packet(dice), (ip, port + number % 2))  # RTP, and RTCP beside it

    for number in range(STREAMS):
        (source, target), talker = sides[number % TALKERS], talkers[number % TALKERS]
        stream = running.enter_context(opens_stream(dice, source, target, talker))
        if dice.random() < 0.8:
            if dice.random() < 0.5:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            stream.close()

    grown = [node.resident() - weight for node, weight in zip((ipbx, carrier), weights, strict=True)]
    assert max(grown) < GROWTH, [f"{size >> 20} MB" for size in grown]
    with Sipp(
        "call",
        tmp_path / "phone",
        (loopback(), 5060),
        places.phones,
        calls=5,
        service=DIALLED,
        keys={"caller": "202"},
        user="202",
        password=PASSWORD,
        pause=0.2,
    ) as calling:
        assert calling.finished(20).fault == "", calling.errors()
    for target in (trunk, sbc):
        assert target.wire()["faults"] == 0, target.node.tail(5000)
        assert "Traceback" not in target.node.log.read_text()
    for talker in talkers:
        talker.hangs_up()
    ipbx.free()
    assert ipbx.gateway("nominal")["health"] == "up"
