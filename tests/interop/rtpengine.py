"""rtpengine as a process of a test, spoken to by its NG protocol; and its half of an offer and answer."""

from __future__ import annotations

import socket
from base64 import b64decode, b64encode
from itertools import count
from pathlib import Path
from typing import Any

from tests.interop.program import Address, PeerError, Program, until

from trunkline.finding import ParseError
from trunkline.media import ng
from trunkline.sdp.description import Description

SUITE = "AES_CM_128_HMAC_SHA1_80"
_NG = 2223  # its control port, on its own address
_WAIT = 5.0  # s


class Rtpengine(Program):
    """In user space with one thread; `ports` is the range of its media, on `address`."""

    def __init__(
        self, directory: Path, address: str, ports: tuple[int, int], *, core: int | None = None
    ) -> None:
        words = [
            "rtpengine",
            "--foreground",
            "--table=-1",
            f"--interface={address}",
            f"--listen-ng={address}:{_NG}",
            f"--port-min={ports[0]}",
            f"--port-max={ports[1]}",
            "--num-threads=1",
            "--log-stderr",
            "--log-level=4",
            "--tos=184",
        ]
        self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._cookies = count(1)
        self.address = address
        super().__init__(words, directory, core=core)
        try:
            self._control.connect((address, _NG))
            self._control.settimeout(0.2)
            until(self._pongs, 15.0, "rtpengine's answer to a ping", self)
            self._control.settimeout(_WAIT)
        except BaseException:
            self.stop()
            raise

    def stop(self, seconds: float = 5.0) -> int:
        self._control.close()
        return super().stop(seconds)

    def _pongs(self) -> bool:
        try:
            return bool(self.ask("ping")["result"] == "pong")
        except OSError:
            return False

    def ask(self, command: str, **fields: object) -> dict[str, Any]:
        """One request and its answer; PeerError for an error."""
        cookie = f"c{next(self._cookies)}"
        self._control.send(ng.request(cookie, command, **fields))
        while True:
            try:
                answered, said = ng.answer(self._control.recv(65535))
            except ParseError as error:
                raise PeerError(f"rtpengine's answer: {error}") from error
            if answered == cookie:
                break
        if said.get("result") == "error":
            raise PeerError(f"rtpengine: {said}\n{self.tail()}")
        return said

    def call(self, name: str, side_a: Address, side_b: Address, key: bytes = b"") -> tuple[int, int, bytes]:
        """Set a call up: RTP at A, and at B SRTP under `key` (30 octets) or, without one, RTP.

        Returns its ports toward B and toward A, and the key of what it sends to B.
        """
        offered = self.ask(
            "offer",
            sdp=description(side_a),
            call_id=name,
            from_tag="a",
            ICE="remove",
            rtcp_mux=["demux"],
            transport_protocol="RTP/SAVP" if key else "RTP/AVP",
        )
        toward_b = Description.parse(offered["sdp"]).media[0]
        tag, theirs = 0, b""
        if key:
            chosen = next(line for line in toward_b.crypto if line.suite == SUITE)
            tag, theirs = chosen.tag, b64decode(chosen.key_params[0].removeprefix("inline:"))
        answered = self.ask(
            "answer",
            sdp=description(side_b, tag, key),
            call_id=name,
            from_tag="a",
            to_tag="b",
            ICE="remove",
            rtcp_mux=["demux"],
        )
        return toward_b.port, Description.parse(answered["sdp"]).media[0].port, theirs

    def end(self, name: str) -> dict[str, Any]:
        """End a call; what rtpengine counted of it."""
        return self.ask("delete", call_id=name, from_tag="a")


def description(place: Address, tag: int = 0, key: bytes = b"") -> str:
    """What an end at `place` says of itself: G.711 A-law, DTMF, and a key under RTP/SAVP."""
    address, port = place
    lines = [
        "v=0",
        f"o=- 1 1 IN IP4 {address}",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {port} {'RTP/SAVP' if key else 'RTP/AVP'} 8 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=ptime:20",
        "a=sendrecv",
    ]
    if key:
        lines.append(f"a=crypto:{tag} {SUITE} inline:{b64encode(key).decode()}")
    return "\r\n".join([*lines, ""])
