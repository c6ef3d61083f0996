"""The tries of one outgoing call: gateway after gateway, each with a channel held and a path to it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from trunkline.call.cause import Cause
from trunkline.pbx.exchange import Exchange
from trunkline.pbx.gateway import TrunkGateway
from trunkline.pbx.refusal import FULL, NO_GATEWAY
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Target


class Path(NamedTuple):
    """One try: this gateway, at this target, by this flow."""

    gateway: TrunkGateway
    target: Target
    flow: Flow


class Attempts:
    """What is left to try for `call`; `path` is the current try.

    The channel is taken with the first try and moves along with the others. `bounded`
    is False for calls that no bound may refuse (emergency and short numbers).
    """

    __slots__ = ("_bounded", "_call", "_exchange", "_full", "_left", "path")

    def __init__(
        self, exchange: Exchange, call: str, now: float, *, emergency: bool = False, bounded: bool = True
    ) -> None:
        self._exchange = exchange
        self._call = call
        self._bounded = bounded
        self._full = False
        self._left = deque(exchange.trunk.attempts(now, emergency=emergency))
        self.path: Path | None = None

    @property
    def refusal(self) -> Cause:
        """Why there was nothing to try."""
        return FULL if self._full else NO_GATEWAY

    def next(self, now: float) -> Path | None:
        """Go on to the next try that has a channel and a path; None when there is none left."""
        while self._left:
            gateway, target = self._left.popleft()
            flow = self._exchange.flow_to(target)
            if flow is not None and self._holds(gateway.index, now):
                self.path = Path(gateway, target, flow)
                return self.path
        return None

    def stop(self) -> None:
        """Nothing more is tried."""
        self._left.clear()

    def _holds(self, gateway: int, now: float) -> bool:
        channels, call = self._exchange.channels, self._call
        if channels.holds(call):
            return channels.move(call, gateway)
        if self._bounded and not channels.fits(gateway) and self._left:
            self._full = True
            return False  # the next gateway may have room: an overflow is no refusal
        self._full = not channels.take(call, gateway, now, emergency=not self._bounded)
        if self._full:
            self._left.clear()  # so is every other gateway
        return not self._full
