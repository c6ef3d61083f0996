"""The hot path of the relay: the next packet of a stream that goes on as it did.

A telephone's packets follow each other: the same head, the number one more, the timestamp
160 more. As long as they do, all there is to know of both sides of the relay is here,
in one small object: on a machine with hundreds of calls each packet finds the caches cold,
and what a packet costs is the memory it touches. Anything else goes to `Leg.look`, which
brings both legs up to date and settles the path anew.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from pylibsrtp._binding import lib  # type: ignore[import-not-found]

from trunkline.media.g711 import RATE

if TYPE_CHECKING:
    from trunkline.media.relay import Leg
    from trunkline.media.srtp import Buffer

_HEADER = Struct("!QI")  # head, number and timestamp as one; SSRC
ONE = 1 << 32  # what the number counts in it
NEVER = -1  # what no header is
_unpack, _pack = _HEADER.unpack_from, _HEADER.pack_into
_unprotect, _protect = lib.srtp_unprotect, lib.srtp_protect


class Path:
    """What a leg expects next. `take` gives the length of the packet that `send` is to send, 0: none.

    `opener` and `closer` are libsrtp's contexts of both sides, None where there is no SRTP.
    """

    __slots__ = (
        "cdata",
        "closer",
        "end",
        "expected",
        "jitter",
        "last_at",
        "leg",
        "opener",
        "out",
        "room",
        "samples",
        "send",
        "shift",
        "size",
        "ssrc",
        "ssrc_out",
        "start",
        "step",
        "view",
    )

    def __init__(self, leg: Leg, buffer: Buffer) -> None:
        self.leg = leg
        self.cdata, self.room, self.view = buffer.cdata, buffer.length, buffer.view
        self.opener: Any = None
        self.closer: Any = None
        self.send: Any = None
        self.out: Leg | None = None
        self.expected = self.start = self.end = (
            NEVER  # the header of the next packet; of the first; of the last
        )
        self.step, self.samples = ONE, 0  # from one header to the next; of timestamp
        self.shift = 0  # the header that is sent minus the one that came
        self.ssrc = self.ssrc_out = 0
        self.size = 0  # octets of each packet, once it is open
        self.jitter = 0.0  # timestamp units (RFC 3550 A.8)
        self.last_at = float("-inf")  # when the last valid packet came

    def take(self, length: int, now: float) -> int:
        """The packet lies in the buffer, `length` octets that came from the latched source."""
        opener = self.opener
        if opener is not None:
            room = self.room
            room[0] = length
            status = _unprotect(opener, self.cdata, room)
            if status:
                return self.leg.unopened(length, status, now)
            length = room[0]
        view = self.view
        header, ssrc = _unpack(view)
        if header != self.expected or ssrc != self.ssrc or length != self.size or header > self.end:
            return self.leg.look(length, now)
        self.expected = header + self.step
        moved = (now - self.last_at) * RATE - self.samples
        self.last_at = now
        jitter = self.jitter
        if moved < 0:
            moved = -moved
        if moved < RATE:
            self.jitter = jitter + (moved - jitter) / 16
        _pack(view, 0, header + self.shift, self.ssrc_out)
        closer = self.closer
        if closer is None:
            return length
        room = self.room
        room[0] = length
        if _protect(closer, self.cdata, room):
            return 0
        return room[0]  # type: ignore[no-any-return]

    def unsent(self) -> None:
        """The packet that was taken last could not be sent."""
        if self.out is not None:
            self.out.unsent += 1

    @property
    def run(self) -> int:
        """Packets that passed since it was settled or brought up to date."""
        return (self.expected - self.start) // self.step

    def settle(self, came: int, sent: int, ssrc: int, ssrc_out: int, size: int, samples: int) -> None:
        """Expect what follows the packet whose header was `came`, and `sent` when it went out.

        It ends where one of the four counters would carry into its neighbour.
        """
        left = min(
            *(0xFFFF - (one >> 32 & 0xFFFF) for one in (came, sent)),
            *((0xFFFFFFFF - (one & 0xFFFFFFFF)) // samples for one in (came, sent)),
        )
        self.step, self.samples = ONE | samples, samples
        self.expected = self.start = came + self.step
        self.end = came + left * self.step
        self.shift, self.size = sent - came, size
        self.ssrc, self.ssrc_out = ssrc, ssrc_out
