"""Both far sides of a relayed call, in memory: what tests of the relay send and make of what comes."""

from __future__ import annotations

from base64 import b64encode
from random import Random

from tests.own_srtp import Srtp

from trunkline.media.anchor import Event
from trunkline.media.latch import Address
from trunkline.media.rtp import Packet
from trunkline.media.session import SendRtcp, SendRtp, Session
from trunkline.media.srtp import Buffer
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.offer_answer import Stream

SUITE = "AES_CM_128_HMAC_SHA1_80"
BUFFER = Buffer()


def key(n: int) -> Crypto:
    """The n-th key of a test."""
    return Crypto(1, SUITE, (f"inline:{b64encode(n.to_bytes(30, 'big')).decode()}",))


def material(line: Crypto) -> bytes:
    return line.keys[0].material


class Dice:
    """`sip.flow.Ids` of a seed."""

    def __init__(self, seed: int = 1) -> None:
        self.random = Random(seed)

    def number(self, below: int) -> int:
        return self.random.randrange(below)

    def token(self) -> str:
        return f"{self.random.getrandbits(64):016x}"


class Sockets:
    """What a leg's carrier has to have: the packets themselves are in the buffer."""

    def send(self, data: object) -> int:
        raise AssertionError(data)


class Far:
    """The party behind one leg: numbers what it sends, closes and opens SRTP by the tests' own code."""

    def __init__(self, address: Address, ssrc: int, sequence: int = 1, timestamp: int = 0) -> None:
        self.address, self.ssrc, self.sequence, self.timestamp = address, ssrc, sequence, timestamp
        self.closes: Srtp | None = None
        self.opens: Srtp | None = None

    def packet(self, payload: bytes = b"\xd5" * 160, kind: int = 8, marker: bool = False) -> Packet:
        """Its next packet."""
        packet = Packet(kind, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc, payload, marker)
        self.sequence += 1
        self.timestamp += 160
        return packet

    def close(self, packet: Packet) -> bytes:
        return bytes(packet) if self.closes is None else self.closes.close(bytes(packet))

    def open(self, data: bytes) -> Packet:
        return Packet.parse(data if self.opens is None else self.opens.open(data)[0])


class Wire:
    """A session and who is behind its legs; `now` is moved by the test."""

    def __init__(self, seed: int = 1, silence_after: float = 2.0) -> None:
        self.events: list[Event] = []
        self.now = 100.0
        self.session = Session(
            "m", BUFFER, Dice(seed), self.events.append, cname="relay", silence_after=silence_after
        )
        self.far: dict[str, Far] = {}

    def add(self, name: str, join: str, stream: Stream, own: Crypto | None = None, timestamp: int = 0) -> Far:
        """Offer and answer a leg."""
        self.session.offer(name, join).carrier = Sockets()
        address = (stream.address, stream.port)
        far = self.far[name] = Far(address, 1000 + len(self.far), timestamp=timestamp)
        self.answer(name, stream, own)
        return far

    def answer(self, name: str, stream: Stream, own: Crypto | None = None) -> None:
        self.session.answer(name, stream if own is None else stream._replace(own_crypto=own), self.now)
        far = self.far[name]
        if stream.crypto is not None and own is not None:
            theirs, ours = material(stream.crypto), material(own)
            if far.closes is None or far.closes.material != theirs:
                far.closes = Srtp(theirs)
            if far.opens is None or far.opens.material != ours:
                far.opens = Srtp(ours)

    def came(self, name: str, data: bytes, source: Address | None = None) -> tuple[str, bytes] | None:
        """A datagram comes to a leg, from its latched source or from `source`; what goes to whom."""
        leg = self.session.legs[name]
        length = BUFFER.load(data)
        if source is None and not leg.latch.open:
            length = leg.path.take(length, self.now)
        else:
            length = leg.receive_from(length, source or self.far[name].address, self.now)
        if not length:
            return None
        out = leg.path.out
        assert out is not None
        return out.name, BUFFER.content(length)

    def says(self, name: str, packet: Packet | None = None, source: Address | None = None) -> Packet | None:
        """The party behind a leg sends a packet; what another party gets, opened there."""
        far = self.far[name]
        sent = self.came(name, far.close(packet or far.packet()), source)
        return None if sent is None else self.far[sent[0]].open(sent[1])

    def wait(self, seconds: float) -> list[SendRtp | SendRtcp | Event]:
        """Time passes, and what is due is done when it is."""
        end, outputs = self.now + seconds, []
        while (due := self.session.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            outputs += self.session.expire(self.now)
        self.now = end
        return outputs

    def opened(self, outputs: list[SendRtp | SendRtcp | Event], name: str) -> list[Packet]:
        """The RTP among them that goes to one party, opened there."""
        return [
            self.far[name].open(output.data)
            for output in outputs
            if isinstance(output, SendRtp) and output.leg.name == name
        ]


def plain(port: int = 4000, address: str = "192.0.2.1", rtcp: int = 0, **more: object) -> Stream:
    return Stream(address, port, rtcp, 8, dtmf_payload_type=101, **more)  # type: ignore[arg-type]


def secure(
    theirs: Crypto, port: int = 5000, address: str = "192.0.2.2", rtcp: int = 0, **more: object
) -> Stream:
    more = {"dtmf_payload_type": 96} | more
    return Stream(address, port, rtcp, 8, profile="RTP/SAVP", crypto=theirs, **more)  # type: ignore[arg-type]
