"""The tries of one outgoing call: gateway after gateway, each with a channel held and a path to it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from trunkline.call.cause import Cause
from trunkline.call.credentials import authorizer
from trunkline.pbx.dialplan import External, Kind
from trunkline.pbx.exchange import Exchange
from trunkline.pbx.gateway import TrunkGateway
from trunkline.pbx.identity import on_trunk
from trunkline.pbx.refusal import FULL, NO_GATEWAY
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Target
from trunkline.sip.uri import format_host
from trunkline.sip.usage_events import Outgoing
from trunkline.site.model import User


class Path(NamedTuple):
    """One try: this gateway, at this target, by this flow."""

    gateway: TrunkGateway
    target: Target
    flow: Flow


class Attempts:
    """What is left to try for the call `call` of `user` to `route`; `path` is the current try.

    The channel is taken with the first try and moves along with the others; a call that
    no bound may refuse (emergency and short numbers) takes one always. All that a try
    says is settled here, at the start: a reload is for other calls. `forwards` is the
    Max-Forwards of each INVITE.
    """

    __slots__ = (
        "_call",
        "_caller",
        "_dialplan",
        "_exchange",
        "_forwards",
        "_full",
        "_left",
        "_route",
        "path",
    )

    def __init__(
        self, exchange: Exchange, call: str, user: User, route: External, forwards: int, now: float
    ) -> None:
        self._exchange = exchange
        self._call = call
        self._route = route
        self._forwards = forwards
        self._dialplan = exchange.dialplan
        self._caller = exchange.dialplan.caller(user, route.clir, emergency=self.emergency)
        self._full = False
        self._left = deque(exchange.trunk.attempts(now, route.number, emergency=self.emergency))
        self.path: Path | None = None

    @property
    def emergency(self) -> bool:
        return self._route.kind is Kind.EMERGENCY

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

    def outgoing(self, path: Path) -> Outgoing:
        """The INVITE of this try."""
        exchange, settings = self._exchange, path.gateway.settings
        number = self._dialplan.as_sent(self._route.number, settings.general.numbers_format)
        phone = ";user=phone" if number.startswith("+") else ""
        scheme = "sips" if settings.security.sips else "sip"
        target = f"{scheme}:{number}@{format_host(settings.domain_proxy.target_domain)}{phone}"
        account = settings.registration
        shown = on_trunk(
            self._caller,
            exchange.domain(settings),
            rfc3325=settings.identity.rfc3325,
            account=account.user if account.requested else "",
            scheme=scheme,
        )
        authorize = authorizer(account.user, account.password, exchange.ids) if account.requested else None
        return Outgoing(
            target, shown.from_, f"<{target}>", path.flow, shown.contact, shown.headers, self._forwards,
            authorize,
        )  # fmt: skip

    def stop(self) -> None:
        """Nothing more is tried."""
        self._left.clear()

    def _holds(self, gateway: int, now: float) -> bool:
        channels, call, bounded = self._exchange.channels, self._call, self._route.bounded
        if channels.holds(call):
            return channels.move(call, gateway)
        if bounded and not channels.fits(gateway) and self._left:
            self._full = True
            return False  # the next gateway may have room: an overflow is no refusal
        self._full = not channels.take(call, gateway, now, emergency=not bounded)
        if self._full:
            self._left.clear()  # so is every other gateway
        return not self._full
