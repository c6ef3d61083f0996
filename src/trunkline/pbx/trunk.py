"""The trunk: its gateways in order, and which of them a new call tries.

The first gateway is the nominal, the next its backup. Calls in progress stay with the
gateway that carries them; all that is decided here concerns new ones. Where an overseas
zone has access SBCs of its own, they take its local calls and no others (DROM-1).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from trunkline.call.watch import Health
from trunkline.pbx.gateway import TrunkGateway
from trunkline.pbx.zones import Zones
from trunkline.sip.flow import Flow, Ids
from trunkline.sip.locate import Answers, Target
from trunkline.site import gateway as tabs
from trunkline.site import model

__all__ = ["Attempt", "Trunk", "TrunkGateway"]


class Attempt(NamedTuple):
    """One try of a call: through this gateway, at this target."""

    gateway: TrunkGateway
    target: Target


class Trunk:
    """The gateways of a site, in the order of their index."""

    __slots__ = ("_ids", "_zones", "gateways", "settings")

    def __init__(self, settings: model.Trunk, ids: Ids, now: float) -> None:
        self._ids = ids
        self.settings = settings
        self._zones = Zones(settings.gateways, fallback=settings.zone_fallback)
        self.gateways: tuple[TrunkGateway, ...] = tuple(
            TrunkGateway(wanted, ids, now) for wanted in _in_order(settings)
        )

    def gateway(self, index: int) -> TrunkGateway | None:
        """The gateway with this index; None if a reload dropped it."""
        return next((gateway for gateway in self.gateways if gateway.index == index), None)

    # --- new calls ------------------------------------------------------------------------

    def order(self, number: str = "", /, *, emergency: bool = False) -> tuple[TrunkGateway, ...]:
        """The gateways a new call to `number` (canonical) tries, in turn; () means congestion.

        Those that are up or not heard of yet, by index; then, as a last resort, those
        that wait out their hold-down. An emergency call tries every gateway that has an
        address, down ones last: supervision may be wrong, and nothing is lost by it.
        A number of an overseas zone goes to the zone's gateways before the others.
        """
        reachable = [gateway for gateway in self.gateways if gateway.addresses.targets]
        if self._zones:
            reachable = self._by_zone(reachable, number, emergency)
        tiers = sorted(((_tier(gateway), gateway) for gateway in reachable), key=lambda pair: pair[0])
        return tuple(gateway for tier, gateway in tiers if tier < _DOWN or emergency)

    def attempts(self, now: float, number: str = "", /, *, emergency: bool = False) -> tuple[Attempt, ...]:
        """Every try of a new call, in turn: each gateway of `order` at each of its targets."""
        order = self.order(number, emergency=emergency)
        return tuple(Attempt(gateway, target) for gateway in order for target in gateway.targets(now))

    def _by_zone(self, gateways: list[TrunkGateway], number: str, emergency: bool) -> list[TrunkGateway]:
        """Those that may take this number, its own zone's first; by index within each."""
        zone = self._zones.of(number)
        ranks = [(self._zones.rank(found.settings, zone, emergency=emergency), found) for found in gateways]
        taking = [(rank, found) for rank, found in ranks if rank is not None]
        return [found for _, found in sorted(taking, key=lambda pair: pair[0])]

    def whose(self, flow: Flow) -> TrunkGateway | None:
        """The gateway that sends by this flow, whatever its health; None for a stranger.

        Over TLS it is known by the name in its certificate, else by its address. The
        carrier may call in through any of its SBCs at any time.
        """
        if flow.transport == "TLS":
            named = flow.peer.lower()
            owner = (gateway for gateway in self.gateways if gateway.name.lower() == named)
            return next(owner, None)
        address = flow.remote[0]
        for gateway in self.gateways:
            if any(target.host_ip == address for target in gateway.addresses.targets):
                return gateway
        return None

    # --- time and names -------------------------------------------------------------------

    def resolved(self, answers: Answers, now: float) -> list[Any]:
        """One answer of the DNS, for whichever gateway asked it."""
        return [event for gateway in self.gateways for event in gateway.resolved(answers, now)]

    def deadline(self) -> float | None:
        soonest: float | None = None
        for gateway in self.gateways:  # asked after every message: no generators here
            due = gateway.deadline()
            if due is not None and (soonest is None or due < soonest):
                soonest = due
        return soonest

    def expire(self, now: float) -> list[Any]:
        """Question, SendOptions, SendRegister, Changed, RegistrationChanged, as they are due."""
        return [event for gateway in self.gateways for event in gateway.expire(now)]

    def reloaded(self, settings: model.Trunk, now: float) -> list[Any]:
        """Take a reloaded site file, keeping what is known of every gateway that did not change.

        A gateway that did change begins anew, but keeps its registration if the same
        account registers there. What was dropped leaves its registrar.
        """
        before = {gateway.index: gateway for gateway in self.gateways}
        self.settings = settings
        self._zones = Zones(settings.gateways, fallback=settings.zone_fallback)
        gateways: list[TrunkGateway] = []
        for wanted in _in_order(settings):
            known = before.pop(wanted.general.index, None)
            if known is not None and known.settings == wanted:
                gateways.append(known)
                continue
            gateway = TrunkGateway(wanted, self._ids, now, _inherited(known, wanted))
            gateways.append(gateway)
            if known is not None and not _same_account(known, gateway):
                before[known.index] = known
        self.gateways = tuple(gateways)
        return [event for gateway in before.values() for event in gateway.close(now)]

    def close(self, now: float) -> list[Any]:
        """The IPBX stops: leave the registrars."""
        return [event for gateway in self.gateways for event in gateway.close(now)]

    def status(self, now: float) -> list[dict[str, Any]]:
        """For `trunkline status`: one entry a gateway, in order."""
        return [gateway.status(now) for gateway in self.gateways]


_UP, _RETURNING, _DOWN = range(3)


def _tier(gateway: TrunkGateway) -> int:
    if gateway.usable:
        return _UP
    return _RETURNING if gateway.watch.health is Health.RETURNING and gateway.registered else _DOWN


def _in_order(settings: model.Trunk) -> list[tabs.Gateway]:
    return sorted(settings.gateways, key=lambda gateway: gateway.general.index)


def _inherited(known: TrunkGateway | None, wanted: tabs.Gateway) -> Any:
    """The old registration, if nothing that it rests on has changed."""
    if known is None or known.settings.registration != wanted.registration:
        return None
    same = known.settings.domain_proxy == wanted.domain_proxy and known.settings.topology == wanted.topology
    return known.registration if same else None


def _same_account(old: TrunkGateway, new: TrunkGateway) -> bool:
    """Leaving the registrar would undo what the new gateway registers there."""
    if old.registration is None or new.registration is None:
        return False
    return old.registration.account == new.registration.account
