"""Who speaks at the far ends, and the wire between: RTP that says whose it is, SRTP of the tests' own.

Each voice puts its own label into every packet, so that what is heard tells who was heard,
without any listening for tones. What the workers send is written down at the wire: no
(key, SSRC, index) may be there twice, and nothing on the trunk in the clear.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from struct import Struct
from typing import Any, Protocol

from tests.own_srtp import NotAuthentic, Srtp, guess
from tests.simulation.hands import LOOK, SILENCE, Hands, Port, Studio, Temper
from tests.simulation.world import CALM, Host, Mode, Place, Weather, World

from trunkline.media import anchor
from trunkline.sdp.crypto import Crypto

__all__ = ["Net", "Place", "SpeakerHands", "Voice"]

_HEADER = Struct("!BBHII")
_MARK = b"voice"
_LABEL = 12  # octets
_PAYLOAD = 160


class Taker(Protocol):
    """Whoever has a port."""

    def take(self, data: bytes, source: Place, rtcp: bool) -> None: ...


class Sender(Protocol):
    """Whose key a packet of a worker is closed under."""

    @property
    def key(self) -> Crypto | None: ...


class Net:
    """The wire for RTP and RTCP, with a weather of its own."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.weather: Weather = CALM
        self.ports: dict[Place, Taker] = {}
        self.hosts: dict[str, Host] = {}  # by address
        self.secure: set[str] = set()  # addresses that nothing may pass in the clear between
        self.clear: list[str] = []  # what did all the same
        self.twice: list[str] = []
        self.sent = 0
        self._dice = random.Random(f"net {seed}")
        self._sources: dict[tuple[bytes, int], tuple[int, int]] = {}
        self._indices: dict[tuple[bytes, int], set[int]] = {}

    def open(self, place: Place, taker: Taker) -> None:
        assert place not in self.ports, place
        self.ports[place] = taker

    def close(self, place: Place) -> None:
        self.ports.pop(place, None)

    def send(self, sender: Sender, source: Place, to: Place, data: bytes, rtcp: bool = False) -> None:
        """A datagram leaves; RTCP leaves from the port above."""
        self.sent += 1
        if not rtcp:
            if sender.key is not None:
                self._write_down(sender.key.keys[0].material, data, source)
            if source[0] in self.secure and to[0] in self.secure and data[12:17] == _MARK:
                self.clear.append(f"{source} to {to} at {self.world.now:.3f}")
        host = self.hosts.get(source[0])
        if host is None or host.mode is Mode.SILENT:
            return
        weather, dice = self.weather, self._dice
        copies = 1
        if weather.loss and dice.random() < weather.loss:
            copies = 0
        elif weather.duplicate and dice.random() < weather.duplicate:
            copies = 2
        low, high = weather.delay
        for _ in range(copies):
            delay = low + (high - low) * dice.random()
            self.world.after(delay, partial(self._arrive, source, to, data, rtcp))

    def _arrive(self, source: Place, to: Place, data: bytes, rtcp: bool) -> None:
        taker = self.ports.get((to[0], to[1] - rtcp))
        host = self.hosts.get(to[0])
        if taker is not None and host is not None and host.mode is not Mode.SILENT:
            taker.take(data, (source[0], source[1] + rtcp), rtcp)

    def _write_down(self, key: bytes, data: bytes, source: Place) -> None:
        _, _, sequence, _, ssrc = _HEADER.unpack_from(data)
        rollover, highest = self._sources.get((key, ssrc), (0, sequence))
        index = guess(sequence, rollover, highest) << 16 | sequence
        if index >= rollover << 16 | highest:
            self._sources[key, ssrc] = index >> 16, index & 0xFFFF
        known = self._indices.setdefault((key, ssrc), set())
        if index in known:
            self.twice.append(f"SSRC {ssrc:08x} index {index} from {source} at {self.world.now:.3f}")
        known.add(index)


@dataclass(slots=True)
class Hearing:
    """When one other voice was heard: from, until, and the pauses in between that were long."""

    first: float
    last: float
    pauses: list[tuple[float, float]] = field(default_factory=list)


PAUSE = 0.3  # seconds; a longer one is kept


class Voice:
    """One far end with a port: sends its label, remembers whose came. SRTP where that was agreed."""

    __slots__ = (
        *("closes", "failed", "hands", "heard", "key", "label", "opens", "pace", "port", "received"),
        *("sent", "sequence", "ssrc", "timestamp"),
    )

    def __init__(self, hands: SpeakerHands, port: Port, pace: float) -> None:
        number = hands.world.ids.number
        self.hands, self.port, self.pace = hands, port, pace
        self.ssrc, self.sequence, self.timestamp = number(1 << 32), number(1 << 15), number(1 << 32)
        self.label = _MARK + f"{port.place[1]:07d}".encode()
        self.closes: Srtp | None = None
        self.opens: Srtp | None = None
        self.key: Crypto | None = None
        self.sent = self.received = 0
        self.heard: dict[bytes, Hearing] = {}
        self.failed: list[float] = []  # when something came that did not open

    def agree(self, stream: Any, own: Crypto | None) -> None:
        theirs = None if stream.crypto is None else stream.crypto.keys[0].material
        ours = None if own is None else own.keys[0].material
        self.closes = _kept(self.closes, ours)
        self.opens = _kept(self.opens, theirs)
        self.key = own

    def speak(self) -> None:
        """One packet."""
        stream = self.port.stream
        assert stream is not None
        packet = _HEADER.pack(0x80, stream.payload_type, self.sequence, self.timestamp, self.ssrc)
        packet += self.label.ljust(_PAYLOAD, b"\xd5")
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + round(self.pace * 8000)) & 0xFFFFFFFF
        if self.closes is not None:
            packet = self.closes.close(packet)
        self.sent += 1
        self.hands.net.send(self, self.port.place, (stream.address, stream.port), packet)

    def take(self, data: bytes, source: Place, rtcp: bool) -> None:
        """A packet came: open it as the tests' own SRTP does, and read the label."""
        now = self.hands.world.now
        if self.port.stream is None:
            return  # it overtook the answer, and nobody knows its key yet
        try:
            if rtcp:
                if self.opens is not None:
                    self.opens.open_rtcp(data)
                return
            packet = data if self.opens is None else self.opens.open(data)[0]
        except NotAuthentic:
            self.failed.append(now)
            return
        self.received += 1
        self.port.heard_at, self.port.told = now, False
        label = packet[12 : 12 + _LABEL]
        heard = self.heard.get(label)
        if heard is None:
            self.heard[label] = Hearing(now, now)
            return
        if now - heard.last > PAUSE:
            heard.pauses.append((heard.last, now))
        heard.last = now


def _kept(context: Srtp | None, material: bytes | None) -> Srtp | None:
    """The context as long as its key stays (RFC 4568 §7.1.4)."""
    if material is None or (context is not None and context.material == material):
        return None if material is None else context
    return Srtp(material)


class Voices(Studio):
    """The far ends' ports, and each voice there ever was, by session and leg."""

    def __init__(self, net: Net, pace: float) -> None:
        super().__init__(net.world)
        self.net, self.pace = net, pace
        self.voices: dict[tuple[str, str], Voice] = {}

    def close(self, port: Port) -> None:
        super().close(port)
        self.net.close(port.place)


class SpeakerHands(Hands):
    """The media hands of a phone or a subscriber."""

    def __init__(self, studio: Voices, host: Host, temper: Temper | None = None) -> None:
        super().__init__(studio, host, temper)
        self.net, self._voices = studio.net, studio

    def opened(self, port: Port) -> None:
        voice = Voice(self, port, self._voices.pace)
        self._voices.voices[port.media, port.leg] = voice
        self.net.open(port.place, voice)

    def command(self, port: Port, command: Any) -> None:
        if not isinstance(command, anchor.Answer):
            return
        fresh = port.stream is None
        port.stream, port.heard_at = command.stream, self.world.now
        voice = self._voices.voices[port.media, port.leg]
        voice.agree(command.stream, command.stream.own_crypto)
        if fresh:
            self._speak(port, voice)
            self.world.after(LOOK, partial(self._look, port))

    def released(self, port: Port) -> Iterable[anchor.Event]:
        voice = self._voices.voices[port.media, port.leg]
        return (anchor.Report(port.media, port.leg, voice.sent, voice.received, 0),)

    def _speak(self, port: Port, voice: Voice) -> None:
        if self.studio.ports.get(port.place) is not port or port.stream is None:
            return
        if port.stream.sends and port.stream.port:
            voice.speak()
        self.world.after(voice.pace, partial(self._speak, port, voice))

    def _look(self, port: Port) -> None:
        """Whether anything was heard for a while."""
        stream, world = port.stream, self.world
        if self.studio.ports.get(port.place) is not port or stream is None:
            return
        world.after(LOOK, partial(self._look, port))
        if not stream.receives:
            port.heard_at = world.now
        elif not port.told and world.now - port.heard_at >= SILENCE:
            port.told = True
            world.note(f"{self.host.name} hears nothing on {port.place[1]}")
            world.give(self.host, anchor.Silent(port.media, port.leg, SILENCE))
