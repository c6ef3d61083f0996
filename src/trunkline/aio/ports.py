"""The sockets of one relayed leg: RTP and RTCP, and a second RTP socket for strays.

Until the leg has latched, its RTP socket is unconnected and hears everybody. Then it is
connected to the source, which saves the kernel a route lookup for each packet, and from
then on the kernel gives it that source's packets only. A second, unconnected socket on
the same port gets the others: they are counted there, and after a re-INVITE one of them
may be the far side at its new place.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from trunkline.media.latch import Address
from trunkline.media.relay import Leg

FILES = 3  # sockets a latched leg has


class Port:
    """One leg's sockets. `send` sends what lies in a view to the far side, over whichever is right."""

    __slots__ = (
        "address",
        "leg",
        "number",
        "rtcp",
        "rtp",
        "send",
        "source",
        "strays",
    )

    def __init__(self, leg: Leg, address: str, number: int, rtp: socket.socket, rtcp: socket.socket) -> None:
        self.leg, self.address, self.number = leg, address, number
        self.rtp, self.rtcp = rtp, rtcp
        self.strays: socket.socket | None = None
        self.source: Address | None = None  # where `rtp` is connected to
        self.send: Callable[[Any], int] = self._send_to

    @property
    def hot(self) -> bool:
        """Whether each packet of `rtp` is the source's, and nothing is to be learned from it."""
        return self.source is not None and not self.leg.latch.open

    def aim(self) -> None:
        """Send where the latch says, from now on."""
        connected = self.source is not None and self.leg.latch.target == self.source
        self.send = self.rtp.send if connected else self._send_to
        self.leg.unsettle()  # whoever sends here looks for `send` again

    def _send_to(self, data: Any) -> int:
        unconnected = self.rtp if self.strays is None else self.strays
        return unconnected.sendto(data, self.leg.latch.target)

    def latch(self, opened: Callable[[str, int], socket.socket]) -> socket.socket | None:
        """Connect to what the leg learned; returns a socket that is used no more, to be closed.

        `opened` makes another socket on this port. Raises OSError where the source cannot be
        connected to; everything is then as it was.
        """
        source = self.leg.latch.source
        assert source is not None
        former = None
        if self.strays is not None:  # the source moved, and the stray one is it
            self.strays.connect(source)
            former, self.rtp, self.strays = self.rtp, self.strays, None
            _share(former, True)
        elif self.source is None:
            self.rtp.connect(source)
        else:
            return None  # no second socket could be had: stay with the old one
        self.source = source
        with suppress(OSError):  # no file left for it: then strays are neither heard nor counted
            self.strays = self._second(opened)
        return former

    def _second(self, opened: Callable[[str, int], socket.socket]) -> socket.socket:
        """Two may share a port that both allow: for the moment it takes, so that nobody else comes in."""
        _share(self.rtp, True)
        try:
            second = opened(self.address, self.number)
            _share(second, False)
            return second
        finally:
            _share(self.rtp, False)

    def sockets(self) -> tuple[socket.socket, ...]:
        """All that are open."""
        return tuple(one for one in (self.rtp, self.rtcp, self.strays) if one is not None)


def _share(one: socket.socket, allowed: bool) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, allowed)


class Ports:
    """The range that ports are taken from: RTP the even one, RTCP the next; both ends included.

    `at` are ranges of their own that local addresses have; then no other has any. They are
    begun at `begin` (0-1), so that others who share them seldom try the same port.
    """

    def __init__(
        self,
        first: int,
        last: int,
        tos: int,
        at: Mapping[str, tuple[int, int]] | None = None,
        begin: float = 0.0,
    ) -> None:
        self._tos = tos
        self._at = {address: _evens(*ends) for address, ends in (at or {}).items()}
        self._any = range(0) if at else _evens(first, last)
        # A port given back is used again last.
        self._next = {address: int(len(pairs) * begin) for address, pairs in self._at.items()}
        self._taken: set[Address] = set()

    @property
    def pairs(self) -> int:
        """Legs that the ranges hold at most."""
        return len(self._any) + sum(map(len, self._at.values()))

    def open(self, leg: Leg, address: str) -> Port:
        """The next free pair; raises OSError with the reason in words."""
        for number in self._free(address):
            try:
                rtp = self._bind(address, number)
                try:
                    rtcp = self._bind(address, number + 1)
                except OSError:
                    rtp.close()
                    raise
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
                raise OSError(f"cannot open media port {address} {number}: {reason}") from error
            self._taken.add((address, number))
            return Port(leg, address, number, rtp, rtcp)
        pairs = self._at.get(address, self._any)
        raise OSError(f"no free media port on {address} in {pairs.start}-{pairs.stop}")

    def again(self, address: str, number: int) -> socket.socket:
        """A second socket on a port of ours; raises OSError."""
        return self._bind(address, number, shared=True)

    def close(self, port: Port) -> None:
        """Give the pair back."""
        for one in port.sockets():
            one.close()
        self._taken.discard((port.address, port.number))

    def _free(self, address: str) -> Iterator[int]:
        pairs = self._at.get(address, self._any)
        for _ in pairs:
            turn = self._next.get(address, 0)
            number = pairs[turn]
            self._next[address] = (turn + 1) % len(pairs)
            if (address, number) not in self._taken:
                yield number

    def _bind(self, address: str, number: int, shared: bool = False) -> socket.socket:
        six = ":" in address
        bound = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            bound.setblocking(False)
            if six:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self._tos)
            else:
                bound.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self._tos)
            if shared:
                _share(bound, True)
            bound.bind((address, number))
        except OSError:
            bound.close()
            raise
        return bound


def _evens(first: int, last: int) -> range:
    return range(first + first % 2, last, 2)
