"""The bound on simultaneous channels of the trunk (CAC-1), and each gateway's own bandwidth.

A call holds one channel from the moment it is let in until it is over, whatever gateway
carries it. An emergency call is let in beyond every bound, and counts while it lasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from trunkline.site.model import Trunk


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel held: by which call, on which gateway (index), since when (monotonic seconds)."""

    call: str
    gateway: int
    since: float
    emergency: bool = False


class Channels:
    """The channels of one trunk.

    `bound` is the number of calls at once; `bandwidth` the number per gateway index (a
    gateway without an entry has no bound of its own, and 0 lets none through).
    `refused` counts what was turned away, `peak` is the most that were held at once.
    """

    __slots__ = ("_bandwidth", "_held", "_on_gateway", "bound", "peak", "refused")

    def __init__(self, bound: int, bandwidth: Mapping[int, int] | None = None) -> None:
        self.bound = bound
        self._bandwidth = dict(bandwidth or {})
        self._held: dict[str, Channel] = {}
        self._on_gateway: dict[int, int] = {}
        self.refused = 0
        self.peak = 0

    @classmethod
    def of(cls, trunk: Trunk) -> Channels:
        """The bounds of a site file's trunk."""
        return cls(trunk.channels, _bandwidth(trunk))

    @property
    def used(self) -> int:
        return len(self._held)

    @property
    def emergency(self) -> int:
        """How many of the channels in use carry emergency calls."""
        return sum(channel.emergency for channel in self._held.values())

    def on_gateway(self, gateway: int) -> int:
        """How many calls this gateway carries."""
        return self._on_gateway.get(gateway, 0)

    def fits(self, gateway: int) -> bool:
        """Whether this gateway has bandwidth for one more call."""
        bandwidth = self._bandwidth.get(gateway)
        return bandwidth is None or self.on_gateway(gateway) < bandwidth

    def take(self, call: str, gateway: int, now: float, *, emergency: bool = False) -> bool:
        """Hold a channel for `call`; False, and counted, when the trunk or the gateway is full.

        Raises ValueError if the call holds one already.
        """
        if call in self._held:
            raise ValueError(f"call {call} holds a channel already")
        if not emergency and (self.used >= self.bound or not self.fits(gateway)):
            self.refused += 1
            return False
        self._held[call] = Channel(call, gateway, now, emergency)
        self._on_gateway[gateway] = self.on_gateway(gateway) + 1
        self.peak = max(self.peak, self.used)
        return True

    def move(self, call: str, gateway: int) -> bool:
        """The call tries another gateway and keeps its channel; False if that gateway is full.

        Raises ValueError if the call holds none.
        """
        channel = self._channel(call)
        if gateway == channel.gateway:
            return True
        if not channel.emergency and not self.fits(gateway):
            return False
        self._leave(channel.gateway)
        self._on_gateway[gateway] = self.on_gateway(gateway) + 1
        self._held[call] = replace(channel, gateway=gateway)
        return True

    def free(self, call: str) -> None:
        """The call is over. Raises ValueError if it holds no channel: freeing twice is a bug."""
        channel = self._channel(call)
        del self._held[call]
        self._leave(channel.gateway)

    def holds(self, call: str) -> bool:
        return call in self._held

    def stuck(self, now: float, longer_than: float) -> tuple[Channel, ...]:
        """Channels held for more than `longer_than` seconds, oldest first, for the operator."""
        old = (channel for channel in self._held.values() if now - channel.since > longer_than)
        return tuple(sorted(old, key=lambda channel: channel.since))

    def rebound(self, trunk: Trunk) -> None:
        """A reloaded site's bounds: they rule new calls; running ones keep their channels."""
        self.bound = trunk.channels
        self._bandwidth = _bandwidth(trunk)

    def _channel(self, call: str) -> Channel:
        channel = self._held.get(call)
        if channel is None:
            raise ValueError(f"call {call} holds no channel")
        return channel

    def _leave(self, gateway: int) -> None:
        left = self._on_gateway[gateway] - 1
        if left:
            self._on_gateway[gateway] = left
        else:
            del self._on_gateway[gateway]


def _bandwidth(trunk: Trunk) -> dict[int, int]:
    return {gateway.general.index: gateway.media.bandwidth for gateway in trunk.gateways}
