"""One media session of the seam: its legs, who hears whom, and what is due when.

Whoever has the sockets opens a port for each Offer, carries out the outputs, hands each
packet to its leg (`relay.Leg.receive`) and calls `expire` at `deadline`. The same code
runs in the media workers and on virtual time in the simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from trunkline.media.anchor import Event, Silent
from trunkline.media.g711 import LAWS
from trunkline.media.mixer import FRAME, PERIOD, Mixer
from trunkline.media.outgoing import Outgoing
from trunkline.media.relay import Leg
from trunkline.media.rtp import Packet
from trunkline.media.srtp import Buffer
from trunkline.media.tone import Detector
from trunkline.sip.flow import Ids

if TYPE_CHECKING:
    from trunkline.sdp.offer_answer import Stream


class SendRtp(NamedTuple):
    """Send this from the leg's RTP port to `leg.latch.target`."""

    leg: Leg
    data: bytes


class SendRtcp(NamedTuple):
    """Send this from the leg's RTCP port to `leg.rtcp_to`."""

    leg: Leg
    data: bytes


Output = SendRtp | SendRtcp | Event


class _Party:
    """What a session keeps of a leg beside the leg itself."""

    __slots__ = ("echo", "far", "join", "leg", "silence_at", "silent", "since", "stream", "tones")

    def __init__(self, leg: Leg) -> None:
        self.leg = leg
        self.join: str | None = None  # what the last Offer asked for, until the Answer
        self.far: str | None = None  # the leg it is relayed to; "": the end is here; None: nobody yet
        self.stream: Stream | None = None
        self.tones: tuple[int, ...] | None = None  # what is played instead of the far leg
        self.echo = False
        self.silence_at: float | None = None  # when to look whether it is silent
        self.silent = False  # and was told to be
        self.since = 0.0  # RTP should come, from then on


class Session:
    """`offer` and `answer` each leg, then the other commands of `media.anchor`; `release` ends it.

    `buffer` may be shared by all sessions of a process. `tell` gets what packets bring:
    Heard and Pressed. `silence_after` seconds without RTP are told as Silent.
    """

    __slots__ = (
        "_buffer",
        "_cname",
        "_ids",
        "_mix_at",
        "_mixed",
        "_mixer",
        "_parties",
        "_silence_after",
        "_spent",
        "_tell",
        "media",
    )

    def __init__(
        self,
        media: str,
        buffer: Buffer,
        ids: Ids,
        tell: Callable[[Event], None],
        *,
        cname: str = "",
        silence_after: float = 2.0,
    ) -> None:
        self.media, self._buffer, self._ids, self._tell = media, buffer, ids, tell
        self._cname, self._silence_after = cname, silence_after
        self._parties: dict[str, _Party] = {}
        self._spent: set[tuple[bytes, int]] = set()
        self._mixer: Mixer | None = None
        self._mix_at, self._mixed = 0.0, 0

    @property
    def legs(self) -> dict[str, Leg]:
        """The legs by name."""
        return {name: party.leg for name, party in self._parties.items()}

    # --- commands -------------------------------------------------------------

    def offer(self, name: str, join: str) -> Leg:
        """A port is opened for this leg, or it is about to agree anew."""
        party = self._parties.get(name)
        if party is None:
            number = self._ids.number
            leg = Leg(self.media, name, self._buffer, self._tell, number, self._spent, self._cname)
            party = self._parties[name] = _Party(leg)
        party.join = join
        return party.leg

    def answer(self, name: str, stream: Stream, now: float) -> None:
        """Carry what was agreed; raises ParseError (488) if the keys cannot be."""
        party = self._parties.get(name)
        if party is None:
            return
        leg = party.leg
        leg.agree(stream, now)
        party.stream = stream
        if party.join is not None:
            self._join(name, party)
        if not leg.hears:
            party.silence_at = None
        elif party.silence_at is None:
            party.since, party.silence_at, party.silent = now, now + self._silence_after, False
        if self._mixer is not None and name in self._mixer.names:
            self._mixer.join(name, LAWS.get(stream.codec, LAWS["PCMA"]))
        self._wire(now)

    def _join(self, name: str, party: _Party) -> None:
        """A new pair; who was in one with either of them is alone.

        A caller's leg is offered before the called one is there, and answered after it: it
        stays in the pair that the called leg made.
        """
        join, party.join = party.join, None
        if not join and party.far:
            return
        for other, alone in self._parties.items():
            if alone.far and other not in (name, join) and alone.far in (name, join):
                alone.far = None
        if party.far and party.far != join and (left := self._parties.get(party.far)) is not None:
            left.far = None if left.far == name else left.far
        party.far = join
        if join and (other_party := self._parties.get(join)) is not None:
            other_party.far = name

    def play(self, name: str, tones: tuple[int, ...], echo: bool, now: float) -> None:
        """Send a tone to this leg instead of what comes for it, or its own audio back; () ends both."""
        party = self._parties.get(name)
        if party is not None:
            party.tones, party.echo = tones or None, echo
            self._wire(now)

    def listen(self, name: str, tones: tuple[int, ...]) -> None:
        """Tell each of these tones once."""
        party = self._parties.get(name)
        if party is not None:
            party.leg.detector = Detector(tones) if tones else None
            party.leg.unsettle()

    def press(self, name: str, digits: str, now: float) -> None:
        """Send DTMF to this leg in place of audio."""
        party = self._parties.get(name)
        if party is None or party.stream is None:
            return
        player = party.leg.player or self._player(party, now)
        if player.press(digits):
            party.leg.player = player
            self._wire(now)

    def mix(self, names: tuple[str, ...], now: float) -> None:
        """Let these legs hear each other; () ends the conference."""
        parties = {name: party for name in names if (party := self._parties.get(name)) is not None}
        self._mixer = mixer = Mixer() if parties else None
        for party in self._parties.values():
            party.leg.mixes = None
        if mixer is not None:
            self._mix_at, self._mixed = now + PERIOD, 0
            for name, party in parties.items():
                codec = "" if party.stream is None else party.stream.codec
                mixer.join(name, LAWS.get(codec, LAWS["PCMA"]))
                party.leg.mixes = mixer.put
        self._wire(now)

    def release(self, name: str, now: float) -> list[Output]:
        """Take a leg out: BYE where anything was sent (RFC 3550 §6.3.7), and its report."""
        party = self._parties.pop(name, None)
        if party is None:
            return []
        leg = party.leg
        outputs: list[Output] = []
        if leg.rtcp_to is not None and (leg.control.spoken or leg.sent):
            outputs.append(SendRtcp(leg, leg.rtcp(now, bye=True)))
        outputs.append(leg.report())
        for other in self._parties.values():
            if other.far == name:
                other.far = None
        if self._mixer is not None:
            self._mixer.leave(name)
        leg.feed(None)
        leg.player = leg.mixes = leg.path.out = leg.path.send = None
        self._wire(now)
        return outputs

    # --- who hears whom -------------------------------------------------------

    def _wire(self, now: float) -> None:
        mixing = () if self._mixer is None else self._mixer.names
        for name, party in self._parties.items():
            leg = party.leg
            plays = name not in mixing and not party.echo and (party.tones or party.far == "")
            if not plays and not (leg.player is not None and leg.player.pressing):
                leg.player = None
            elif plays and party.stream is not None:
                if leg.player is None:
                    leg.player = self._player(party, now)
                leg.player.play(party.tones or (), False)
        for name, party in self._parties.items():
            leg, far = party.leg, self._parties.get(party.far or "")
            if party.echo and leg.player is None:
                leg.feed(leg)
            elif name not in mixing and far is not None and self._free(far, mixing):
                leg.feed(far.leg)
            else:
                leg.feed(None)

    @staticmethod
    def _free(party: _Party, mixing: tuple[str, ...]) -> bool:
        return party.leg.player is None and not party.echo and party.leg.name not in mixing

    def _player(self, party: _Party, now: float) -> Outgoing:
        """Makes packets for this leg; their numbers are overwritten, their times count on."""
        player = Outgoing(0, 0, 0)
        if party.stream is not None:
            player.agree(party.stream, now)
        return player

    # --- time -----------------------------------------------------------------

    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        due = [self._mix_at] if self._mixer is not None else []
        for party in self._parties.values():
            leg = party.leg
            player = leg.player
            for at in (party.silence_at, leg.control.at, None if player is None else player.next_at):
                if at is not None:
                    due.append(at)
        return min(due, default=None)

    def expire(self, now: float) -> list[Output]:
        """What is due by now: tones, conference, reports, the news that it is silent."""
        outputs: list[Output] = []
        if self._mixer is not None and self._mix_at <= now:
            self._mix(self._mixer, now, outputs)
        stopped = False
        for party in self._parties.values():
            leg = party.leg
            if leg.player is not None:
                stopped |= self._play(leg, leg.player, now, outputs)
            if leg.control.at is not None and leg.control.at <= now:
                outputs.append(SendRtcp(leg, leg.rtcp(now)))
            if party.silence_at is not None and party.silence_at <= now and self._silent(party, now):
                outputs.append(Silent(self.media, leg.name, self._silence_after))
        if stopped:
            self._wire(now)
        return outputs

    def _silent(self, party: _Party, now: float) -> bool:
        """Whether it is silent as from now; packets do not move the time to look, they are too many."""
        last = party.leg.last_at
        if party.silent and last <= party.since:
            party.silence_at = now + self._silence_after
            return False
        party.silence_at = max(party.since, last) + self._silence_after
        party.silent = party.silence_at <= now
        if party.silent:
            party.since, party.silence_at = now, now + self._silence_after
            party.leg.latch.loosen()
        return party.silent

    def _play(self, leg: Leg, player: Outgoing, now: float, outputs: list[Output]) -> bool:
        """Send what the player has; True once its digits are all sent."""
        pressing = player.pressing
        for packet in player.expire(now):
            data = leg.emit(packet, now, player)
            if data:
                outputs.append(SendRtp(leg, data))
        return pressing and not player.pressing

    def _mix(self, mixer: Mixer, now: float, outputs: list[Output]) -> None:
        late = int((now - self._mix_at) / PERIOD)
        self._mixed += late  # what could not be said in time is not said
        self._mix_at += (late + 1) * PERIOD
        for name, payload in mixer.mix().items():
            party = self._parties[name]
            if party.stream is not None:
                packet = Packet(party.stream.payload_type, 0, self._mixed * FRAME & 0xFFFFFFFF, 0, payload)
                data = party.leg.emit(bytes(packet), now, mixer)
                if data:
                    outputs.append(SendRtp(party.leg, data))
        self._mixed += 1
