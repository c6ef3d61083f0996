"""Hands for the media seam: built-in ends on real UDP sockets, for phones and subscribers.

Two sockets a leg, RTP and RTCP, read by `loop.add_reader` and written directly. They
stay unconnected and without IP_RECVERR, so an ICMP error never comes back on them: RTP
into the void is lost, as on any wire, and SIP decides when the call ends. One timer
moves all legs.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from math import ceil

from trunkline.aio import clock
from trunkline.media.anchor import (
    Anchored,
    Answer,
    Command,
    Event,
    Listen,
    Mix,
    Offer,
    Play,
    Press,
    Refused,
    Release,
    Report,
)
from trunkline.media.end import End, Output, SendRtcp, SendRtp
from trunkline.sip.flow import Ids

TICK = 0.005  # seconds; a packet time is a multiple, so a leg keeps its place between ticks
EF = 46  # the DSCP of voice (RFC 3246)
_LARGEST = 2048  # octets read of a datagram; the largest G.711 packet, 200 ms, has 1612


class _Leg:
    """One leg's end and its two sockets."""

    __slots__ = ("address", "end", "leg", "media", "port", "rtcp", "rtp", "tick", "unsent")

    def __init__(self, offer: Offer, end: End) -> None:
        self.media, self.leg, self.end = offer.media, offer.leg, end
        self.address, self.port = "", 0
        self.rtp: socket.socket | None = None
        self.rtcp: socket.socket | None = None
        self.tick: int | None = None  # where the wheel holds it
        self.unsent = 0  # RTP packets that the kernel refused


class _Wheel:
    """The legs by the tick at which they are due, and the one timer that turns it."""

    __slots__ = ("_clock", "_due", "_past", "_slots", "_ticks", "_timer", "_timer_tick")

    def __init__(self, now: Callable[[], float], due: Callable[[_Leg, float], None]) -> None:
        self._clock, self._due = now, due
        self._slots: dict[int, list[_Leg]] = {}
        self._ticks: list[int] = []  # a heap of the slots' keys
        self._timer: asyncio.TimerHandle | None = None
        self._timer_tick = 0
        self._past = 0  # the tick turned last: nothing is filed there again

    def file(self, leg: _Leg) -> None:
        """Put a leg where its deadline says; where it stood before, it is no more looked at."""
        due = leg.end.deadline()
        if due is None:
            leg.tick = None
            return
        tick = max(ceil(due / TICK), self._past + 1)
        if leg.tick == tick:
            return
        leg.tick = tick
        self._put(tick, leg)
        if self._timer is None or tick < self._timer_tick:
            self._arm()

    def _put(self, tick: int, leg: _Leg) -> None:
        slot = self._slots.get(tick)
        if slot is None:
            self._slots[tick] = [leg]
            heappush(self._ticks, tick)
        else:
            slot.append(leg)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ticks:
            self._timer_tick = self._ticks[0]
            delay = max(0.0, self._timer_tick * TICK - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._turn)

    def _turn(self) -> None:
        now = self._clock()
        self._timer = None
        try:
            while self._ticks and self._ticks[0] * TICK <= now:
                tick = self._past = self._ticks[0]
                slot = self._slots[tick]
                while slot:
                    leg = slot.pop()
                    if leg.tick == tick:  # else it was filed anew since, or released
                        leg.tick = None
                        self._due(leg, now)
                heappop(self._ticks)
                del self._slots[tick]
        finally:  # whatever one leg raises, the others go on
            self._arm()

    def stop(self) -> None:
        """Forget all."""
        self._slots.clear()
        self._ticks.clear()
        self._arm()


class MediaEnds:
    """Carries out the seam's commands by ends of its own; `tell` gets each event, never inside `submit`.

    `ports` is the range (both ends included) that RTP takes even ports of and RTCP the
    next; `dscp` 0-63 marks both (QOS). `silence_after` seconds without RTP are Silent.
    All of it must happen in one event loop.
    """

    def __init__(
        self,
        tell: Callable[[Event], None],
        ids: Ids,
        *,
        now: Callable[[], float] = clock.now,
        ports: tuple[int, int] = (16384, 32767),
        dscp: int = EF,
        silence_after: float = 2.0,
    ) -> None:
        self._tell, self._ids, self._now = tell, ids, now
        self._tos, self._silence_after = dscp << 2, silence_after
        self._cname = ids.token()  # one endpoint, named without telling who it is (RFC 7022 §4.2)
        self._pairs = range(ports[0] + ports[0] % 2, ports[1], 2)
        self._next = ids.number(max(1, len(self._pairs)))  # a port given back is used again last
        self._taken: set[tuple[str, int]] = set()
        self._sessions: dict[str, dict[str, _Leg]] = {}
        self._wheel = _Wheel(now, self._due)

    @property
    def ports(self) -> int:
        """RTP ports open now."""
        return len(self._taken)

    def submit(self, *commands: Command) -> None:
        """Carry these out, in order; those for a session that was released are ignored."""
        for command in commands:
            self._submit(command)

    def _submit(self, command: Command) -> None:
        match command:
            case Offer():
                self._offer(command)
            case Mix(media, legs):
                self._later(Refused(media, legs[0] if legs else "", "these media ends do not mix"))
            case Release(media, name):
                for leg in list(self._sessions.get(media, {}).values()):
                    if name in ("", leg.leg):
                        self._release(leg)
            case Answer(media, name) | Play(media, name) | Listen(media, name) | Press(media, name):
                found = self._sessions.get(media, {}).get(name)
                if found is not None:
                    self._command(found, command)

    def close(self) -> None:
        """Release everything; the reports are still told."""
        for media in list(self._sessions):
            self.submit(Release(media))
        self._wheel.stop()

    # --- commands -------------------------------------------------------------

    def _command(self, leg: _Leg, command: Answer | Play | Listen | Press) -> None:
        end = leg.end
        match command:
            case Answer(stream=stream) if "SAVP" in stream.profile:
                self._later(Refused(leg.media, leg.leg, "these media ends have no SRTP"))
            case Answer(stream=stream):
                now = self._now()
                end.agree(stream, now)
                self._due(leg, now)  # the first packet does not wait for a tick
            case Play(tones=tones, echo=echo):
                end.play(tones, echo)
            case Listen(tones=tones):
                end.listen(tones)
            case Press(digits=digits):
                end.dtmf(digits)

    def _offer(self, offer: Offer) -> None:
        if offer.join:
            self._later(Refused(offer.media, offer.leg, "these media ends do not relay"))
            return
        leg = self._sessions.get(offer.media, {}).get(offer.leg)
        if leg is None:
            number = self._ids.number
            end = End(
                offer.media,
                offer.leg,
                ssrc=number(1 << 32),
                sequence=number(1 << 15),  # below half: SRTP's rollover must not come early (RFC 3711 §3.3.1)
                timestamp=number(1 << 32),
                cname=self._cname,
                silence_after=self._silence_after,
            )
            leg = _Leg(offer, end)
        if leg.address != offer.address:  # else a re-INVITE, and the port stays
            try:
                rtp, rtcp, port = self._open(offer.address)
            except OSError as error:
                self._later(Refused(offer.media, offer.leg, str(error)))
                return
            self._shut(leg)
            leg.rtp, leg.rtcp, leg.address, leg.port = rtp, rtcp, offer.address, port
            loop = asyncio.get_running_loop()
            loop.add_reader(rtp.fileno(), self._rtp_came, leg, rtp)
            loop.add_reader(rtcp.fileno(), self._rtcp_came, leg, rtcp)
            self._sessions.setdefault(offer.media, {})[offer.leg] = leg
        self._later(Anchored(offer.media, offer.leg, leg.address, leg.port, leg.port + 1))

    def _release(self, leg: _Leg) -> None:
        for output in leg.end.release(self._now()):
            if isinstance(output, Report):
                self._later(output._replace(sent=output.sent - leg.unsent))
            else:
                self._carry_out(leg, output)
        self._shut(leg)
        leg.tick = None
        session = self._sessions[leg.media]
        del session[leg.leg]
        if not session:
            del self._sessions[leg.media]

    def _later(self, event: Event) -> None:
        asyncio.get_running_loop().call_soon(self._tell, event)

    # --- ports ----------------------------------------------------------------

    def _open(self, address: str) -> tuple[socket.socket, socket.socket, int]:
        """Two sockets on the next free pair; raises OSError with the reason in words."""
        for port in self._free(address):
            try:
                rtp = self._bind(address, port)
                try:
                    rtcp = self._bind(address, port + 1)
                except OSError:
                    rtp.close()
                    raise
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
                raise OSError(f"cannot open media port {address} {port}: {reason}") from error
            self._taken.add((address, port))
            return rtp, rtcp, port
        pairs = self._pairs
        raise OSError(f"no free media port on {address} in {pairs.start}-{pairs.stop}")

    def _free(self, address: str) -> Iterator[int]:
        pairs = self._pairs
        for _ in pairs:
            port = pairs[self._next]
            self._next = (self._next + 1) % len(pairs)
            if (address, port) not in self._taken:
                yield port

    def _bind(self, address: str, port: int) -> socket.socket:
        six = ":" in address
        bound = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            bound.setblocking(False)
            if six:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self._tos)
            else:
                bound.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self._tos)
            bound.bind((address, port))
        except OSError:
            bound.close()
            raise
        return bound

    def _shut(self, leg: _Leg) -> None:
        loop = asyncio.get_running_loop()
        for bound in (leg.rtp, leg.rtcp):
            if bound is not None:
                loop.remove_reader(bound.fileno())
                bound.close()
        self._taken.discard((leg.address, leg.port))
        leg.rtp = leg.rtcp = None

    # --- packets and time -----------------------------------------------------

    def _rtp_came(self, leg: _Leg, rtp: socket.socket) -> None:
        # One a wake-up: there seldom is a second, and the loop comes back for it.
        try:
            data, source = rtp.recvfrom(_LARGEST)
        except OSError:
            return
        end = leg.end
        for output in end.receive(data, source[:2], self._now()):
            self._carry_out(leg, output)
        self._wheel.file(leg)

    def _rtcp_came(self, leg: _Leg, rtcp: socket.socket) -> None:
        try:
            data = rtcp.recv(_LARGEST)
        except OSError:
            return
        leg.end.receive_rtcp(data, self._now())

    def _due(self, leg: _Leg, now: float) -> None:
        for output in leg.end.expire(now):
            self._carry_out(leg, output)
        self._wheel.file(leg)

    def _carry_out(self, leg: _Leg, output: Output) -> None:
        if isinstance(output, SendRtp | SendRtcp):
            rtp = isinstance(output, SendRtp)
            bound = leg.rtp if rtp else leg.rtcp
            if bound is None:
                return
            try:
                bound.sendto(output.data, (output.address, output.port))
            except OSError:  # no route, no buffer, wrong family: lost, and not counted as sent
                leg.unsent += rtp
        else:
            self._later(output)
