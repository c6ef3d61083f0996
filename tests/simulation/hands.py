"""Media hands on virtual time: quiet ones that only know who speaks to whom, and real ones that carry RTP.

Both open ports in one `Studio`, so that a port left open shows, and so that a leg whose
far end is dead, on hold or elsewhere hears silence as it would on a wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.simulation.world import Host, Mode, Place, World

from trunkline.media import anchor
from trunkline.media.end import End, SendRtcp, SendRtp
from trunkline.sdp.offer_answer import Stream

SILENCE = 2.0  # seconds without RTP until a leg is told so
LOOK = 0.5  # seconds between two looks of a quiet end at its far end


@dataclass(frozen=True, slots=True)
class Temper:
    """How a host's media engine does: chances 0-1 of refusing a port, of being late, of never answering."""

    refuses: float = 0.0
    late: float = 0.0
    lateness: tuple[float, float] = (0.05, 3.0)  # seconds
    mute: float = 0.0


@dataclass(eq=False, slots=True)
class Port:
    """One leg's open port; a quiet end knows its stream, a real one has an `End`."""

    host: Host
    media: str
    leg: str
    place: Place
    stream: Stream | None = None
    heard_at: float = 0.0
    told: bool = False
    end: End | None = None
    wake_at: float = float("inf")

    def speaks_to(self, place: Place) -> bool:
        """Whether media leaves here for there."""
        stream = self.stream
        return (
            self.host.mode is Mode.UP
            and stream is not None
            and stream.sends
            and (stream.address, stream.port) == place
        )


class Studio:
    """Every media port of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ports: dict[Place, Port] = {}
        self.opened = 0
        self._next = 20_000

    def open(self, host: Host, media: str, leg: str, address: str) -> Port:
        self._next += 2
        port = Port(host, media, leg, (address, self._next))
        self.ports[port.place] = port
        self.opened += 1
        return port

    def close(self, port: Port) -> None:
        self.ports.pop(port.place, None)

    def of(self, host: Host) -> list[Port]:
        """The ports this host has open."""
        return [port for port in self.ports.values() if port.host is host]


class Hands:
    """What both kinds share: opening as the host's temper is, closing, being lost."""

    def __init__(self, studio: Studio, host: Host, temper: Temper | None = None) -> None:
        self.studio, self.host, self.temper = studio, host, temper or Temper()
        self.world = studio.world
        self._legs: dict[tuple[str, str], Port] = {}
        self._life = 0  # which process of the host this is

    def submit(self, command: anchor.Command) -> None:
        """Carry out one command; those for a session that is not open are ignored."""
        world = self.world
        match command:
            case anchor.Offer():
                self._offer(command)
            case anchor.Release(media, leg):
                for key in [key for key in self._legs if key[0] == media and leg in ("", key[1])]:
                    port = self._legs.pop(key)
                    for event in self.released(port):
                        world.after(0.0, partial(world.give, self.host, event))
                    self.studio.close(port)
            case anchor.Answer() | anchor.Play() | anchor.Listen() | anchor.Press():
                found = self._legs.get((command.media, command.leg))
                if found is not None:
                    self.command(found, command)

    def lost(self) -> None:
        """The process is gone, and its ports with it."""
        self._life += 1
        for port in self._legs.values():
            self.studio.close(port)
        self._legs.clear()

    def command(self, port: Port, command: Any) -> None:
        raise NotImplementedError

    def released(self, port: Port) -> Iterable[anchor.Event]:
        raise NotImplementedError

    def opened(self, port: Port) -> None:
        """A port was opened."""

    def _offer(self, offer: anchor.Offer) -> None:
        world, temper, dice = self.world, self.temper, self.world.dice
        delay = 0.0005
        if temper.refuses and dice.random() < temper.refuses:
            refused = anchor.Refused(offer.media, offer.leg, "no free media port")
            world.after(delay, partial(world.give, self.host, refused))
            return
        if temper.mute and dice.random() < temper.mute:
            return
        if temper.late and dice.random() < temper.late:
            delay = dice.uniform(*temper.lateness)
        world.after(delay, partial(self._open, offer, self._life))

    def _open(self, offer: anchor.Offer, life: int) -> None:
        if life != self._life:
            return
        port = self.studio.open(self.host, offer.media, offer.leg, offer.address)
        self._legs[offer.media, offer.leg] = port
        self.opened(port)
        address, number = port.place
        self.world.give(self.host, anchor.Anchored(offer.media, offer.leg, address, number, number + 1))


class QuietHands(Hands):
    """No packets: a leg hears its far end as long as that one is there and speaks to it."""

    def command(self, port: Port, command: Any) -> None:
        if not isinstance(command, anchor.Answer):
            return
        fresh = port.stream is None
        port.stream, port.heard_at = command.stream, self.world.now
        if fresh:
            self.world.after(LOOK, partial(self._look, port))

    def released(self, port: Port) -> Iterable[anchor.Event]:
        return (anchor.Report(port.media, port.leg, 0, 0, 0),) if port.stream is not None else ()

    def _look(self, port: Port) -> None:
        """Whether the far end speaks now; three missed looks and more are a silence."""
        stream, studio, world = port.stream, self.studio, self.world
        if studio.ports.get(port.place) is not port or stream is None:
            return
        world.after(LOOK, partial(self._look, port))
        if self.host.mode is Mode.STOPPED:
            port.heard_at = world.now  # SIGSTOP: it will see what waits in its socket
            return
        far = studio.ports.get((stream.address, stream.port))
        if not stream.receives:
            port.heard_at = world.now
        elif self.host.mode is Mode.UP and far is not None and far.speaks_to(port.place):
            port.heard_at, port.told = world.now, False
        elif not port.told and world.now - port.heard_at >= SILENCE:
            port.told = True
            world.note(f"{self.host.name} hears nothing on {port.place[1]}")
            world.give(self.host, anchor.Silent(port.media, port.leg, SILENCE))


class RtpHands(Hands):
    """Real media ends: packets, RTCP, tones found again, on the world's network."""

    def opened(self, port: Port) -> None:
        number = self.world.ids.number
        port.end = End(
            port.media, port.leg, ssrc=number(1 << 32), sequence=number(1 << 15), timestamp=number(1 << 32),
            cname=self.host.name, silence_after=SILENCE,
        )  # fmt: skip

    def command(self, port: Port, command: Any) -> None:
        end = port.end
        assert end is not None
        match command:
            case anchor.Answer(stream=stream):
                port.stream = stream
                end.agree(stream, self.world.now)
            case anchor.Play(tones=tones, echo=echo):
                end.play(tones, echo)
            case anchor.Listen(tones=tones):
                end.listen(tones)
            case anchor.Press(digits=digits):
                end.dtmf(digits)
        self._look(port)

    def released(self, port: Port) -> Iterable[anchor.Event]:
        assert port.end is not None
        port.wake_at = float("inf")
        return self._carry(port, port.end.release(self.world.now))

    def _look(self, port: Port) -> None:
        assert port.end is not None
        due = port.end.deadline()
        if due is not None and due < port.wake_at:
            port.wake_at = due
            self.world.at(due, partial(self._due, port, due))

    def _due(self, port: Port, due: float) -> None:
        if port.wake_at != due or self.studio.ports.get(port.place) is not port:
            return
        port.wake_at = float("inf")
        if self.host.mode is Mode.STOPPED:
            port.wake_at = self.world.now + LOOK
            self.world.at(port.wake_at, partial(self._due, port, port.wake_at))
            return
        assert port.end is not None
        for event in self._carry(port, port.end.expire(self.world.now)):
            self.world.give(self.host, event)
        self._look(port)

    def _carry(self, port: Port, outputs: Iterable[Any]) -> list[anchor.Event]:
        """Put the packets on the wire; what is left are events."""
        events: list[anchor.Event] = []
        world = self.world
        for output in outputs:
            if not isinstance(output, SendRtp | SendRtcp):
                events.append(output)
            elif self.host.mode is Mode.UP and world.dice.random() >= world.weather.loss:
                low, high = world.weather.delay
                delay = low + (high - low) * world.dice.random()
                world.after(delay, partial(self._arrive, output, port.place))
        return events

    def _arrive(self, packet: SendRtp | SendRtcp, source: Place) -> None:
        rtcp = isinstance(packet, SendRtcp)
        port = self.studio.ports.get((packet.address, packet.port - rtcp))
        if port is None or port.end is None or port.host.mode is not Mode.UP:
            return
        hands = port.host.hands
        assert isinstance(hands, RtpHands)
        if rtcp:
            port.end.receive_rtcp(packet.data, self.world.now)
        else:
            hands.take(port, packet.data, source)

    def take(self, port: Port, data: bytes, source: Place) -> None:
        """A packet came to this port."""
        assert port.end is not None
        for event in self._carry(port, port.end.receive(data, source, self.world.now)):
            self.world.give(self.host, event)
        self._look(port)
