"""One gateway of the trunk with all that is known of it: where it is, how it is, whether it knows us."""

from __future__ import annotations

from typing import Any

from trunkline.call.seal import Seal
from trunkline.call.watch import Failure, Outcome, PeerWatch, SendOptions
from trunkline.pbx.addresses import Addresses
from trunkline.sip.flow import Ids
from trunkline.sip.locate import Answers, Target
from trunkline.sip.message import Request, Response
from trunkline.sip.registration import Account, Registration, SendRegister
from trunkline.site.gateway import Gateway

_BY_A_PERSON = frozenset({486, 600, 603})


class TrunkGateway:
    """A machine of three: `addresses`, `watch`, and `registration` where the carrier wants one.

    Whoever sends its OPTIONS, REGISTER and calls keeps this object and tells it what
    became of them; `index` may mean another gateway after a reload.
    """

    __slots__ = (
        "_due",
        "_failed_at",
        "_probed",
        "_stirred",
        "addresses",
        "index",
        "registration",
        "seal",
        "settings",
        "trouble",
        "watch",
    )

    def __init__(
        self, settings: Gateway, ids: Ids, now: float, registration: Registration | None = None
    ) -> None:
        self.settings = settings
        self.index = settings.general.index
        self.addresses = Addresses(settings, ids, now)
        self.watch = PeerWatch(self.index, settings.protocol.supervision, now)
        if settings.registration.requested and registration is None:
            registration = Registration(_account(settings), ids, now)
        self.registration = registration
        self.seal = Seal()
        self.trouble = ""  # why nothing could be sent to it last
        self._due: float | None = None
        self._stirred = True  # since `_due` was worked out
        self._probed: Target | None = None  # where the last OPTIONS went
        self._failed_at: dict[tuple[str, int], float] = {}

    @property
    def label(self) -> str:
        return self.settings.label

    @property
    def name(self) -> str:
        """The SBC's FQDN: what is resolved, and what its certificate must name."""
        proxy = self.settings.domain_proxy
        return proxy.outbound_proxy or proxy.target_domain

    def targets(self, now: float) -> tuple[Target, ...]:
        """Where to try it, in turn; () if its address is unknown.

        The order of RFC 3263, but a target that failed within the hold-down comes last.
        """
        recent = now - self.settings.protocol.supervision.hold_down
        failed = {place for place, at in self._failed_at.items() if at >= recent}
        found = self.addresses.targets
        if not failed:
            return found
        return tuple(sorted(found, key=lambda target: (target.host_ip, target.port) in failed))

    @property
    def registered(self) -> bool:
        """Whether the carrier knows us; always so on a static trunk."""
        return self.registration is None or self.registration.registered

    @property
    def usable(self) -> bool:
        """Whether a new call may take it: an address, not down, registered where that is asked for."""
        return self.watch.usable and bool(self.addresses.targets) and self.registered

    @property
    def why(self) -> str:
        """In words, why it takes calls or does not."""
        if not self.addresses.targets:
            return self.addresses.error or "its address is being looked up"
        if self.registration is not None and not self.registered:
            return self.registration.why
        stale = f" (old addresses in use: {self.addresses.error})" if self.addresses.error else ""
        return self.watch.why + stale

    def reroutes(self, outcome: Outcome, rang: bool, *, emergency: bool = False) -> bool:
        """Whether a call that failed here goes on to the next attempt.

        Never once it rang (any 18x): no phone may ring twice for one call. A timeout is
        silence within initial_timeout, or 100 and then silence for trying_timeout. An
        emergency call takes no gateway's no for an answer, only a person's.
        """
        if rang:
            return False
        if emergency:
            return outcome not in _BY_A_PERSON
        return isinstance(outcome, Failure) or outcome in self.settings.protocol.reroute_statuses

    # --- what became of OPTIONS, calls and REGISTER ---------------------------------------

    def answered(self, status: int, retry_after: float, now: float, probe: int = 0) -> list[Any]:
        """OPTIONS got this final status; `retry_after` in seconds, 0 for none."""
        self._stirred = True
        failures = self.watch.failures
        return self._counted(self.watch.answered(status, retry_after, now, probe), failures, now)

    def unanswered(self, now: float, probe: int = 0) -> list[Any]:
        """OPTIONS got no answer."""
        self._stirred = True
        failures = self.watch.failures
        return self._counted(self.watch.unanswered(now, probe), failures, now)

    def unreachable(self, why: str, now: float, probe: int = 0) -> list[Any]:
        """OPTIONS could not be sent."""
        self._stirred = True
        failures = self.watch.failures
        return self._counted(self.watch.unreachable(why, now, probe), failures, now)

    def call_failed(
        self, outcome: Outcome, retry_after: float, now: float, target: Target | None = None
    ) -> list[Any]:
        """An attempt at a call failed at this target before it rang."""
        self._stirred = True
        if target is not None and isinstance(outcome, Failure):
            self._failed_at[target.host_ip, target.port] = now
        why = self.trouble if outcome is Failure.UNREACHABLE else ""
        return list(self.watch.call_failed(outcome, retry_after, now, why))

    def call_answered(self, now: float) -> list[Any]:
        """A call rang or was answered through it."""
        self._stirred = True
        return list(self.watch.call_answered(now))

    def register_answered(self, response: Response, request: Request, now: float) -> list[Any]:
        """`request`, a REGISTER, got this final response."""
        self._stirred = True
        if self.registration is None:
            return []
        return self._aimed(self.registration.answered(response, request, now), now)

    def register_failed(self, request: Request, why: str, now: float) -> list[Any]:
        """`request`, a REGISTER, got no answer or could not be sent."""
        self._stirred = True
        if self.registration is None:
            return []
        return self._aimed(self.registration.failed(request, why, now), now)

    def resolved(self, answers: Answers, now: float) -> list[Any]:
        """One answer of the DNS, ours or not; more questions, if any."""
        self._stirred = True
        out = self.addresses.resolved(answers, now)
        places = {(target.host_ip, target.port) for target in self.addresses.targets}
        self._failed_at = {place: at for place, at in self._failed_at.items() if place in places}
        return list(out)

    # --- time ----------------------------------------------------------------------------

    def deadline(self) -> float | None:
        """Asked after every message of the IPBX, and worked out anew only after something happened here."""
        if self._stirred:
            self._due, self._stirred = self._soonest(), False
        return self._due

    def _soonest(self) -> float | None:
        times = [self.addresses.deadline()]
        if self._known:
            times.append(self.watch.deadline())
            if self.registration is not None and self.addresses.targets:
                times.append(self.registration.deadline())
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> list[Any]:
        """Questions, OPTIONS and REGISTER that are due, and changes of health."""
        self._stirred = True
        out: list[Any] = list(self.addresses.expire(now))
        if not self._known:
            return out
        failures = self.watch.failures
        out += self._counted(self.watch.expire(now), failures, now)
        if not self.addresses.targets:
            return [event for found in out for event in self._unsent(found, now)]
        if self.registration is not None:
            out += self.registration.expire(now)
        return self._aimed(out, now)

    def close(self, now: float) -> list[Any]:
        """The IPBX stops, or a reload dropped this gateway: leave the registrar."""
        self._stirred = True
        return [] if self.registration is None else self._aimed(self.registration.stop(now), now)

    def status(self, now: float) -> dict[str, Any]:
        """For `trunkline status`."""
        return {
            "index": self.index,
            "label": self.label,
            **self.watch.status(now),
            "why": self.why,
            "usable": self.usable,
            "targets": [f"{t.transport} {t.host_ip} {t.port}" for t in self.targets(now)],
            "registration": None if self.registration is None else str(self.registration.state),
            "tls": self.seal.status(),
        }

    # --- within --------------------------------------------------------------------------

    @property
    def _known(self) -> bool:
        """The name was resolved, or could not be: until then there is nothing to supervise."""
        return bool(self.addresses.targets or self.addresses.error)

    def _counted(self, out: list[Any], failures: int, now: float) -> list[Any]:
        """A failed OPTIONS speaks against the target it went to."""
        if self.watch.failures > failures and self._probed is not None:
            self._failed_at[self._probed.host_ip, self._probed.port] = now
        return out

    def _unsent(self, event: Any, now: float) -> list[Any]:
        """OPTIONS without an address to send it to has failed."""
        if not isinstance(event, SendOptions):
            return [event]
        return list(self.watch.unreachable(self.addresses.error, now, event.probe))

    def _aimed(self, out: list[Any], now: float) -> list[Any]:
        """Tell OPTIONS and REGISTER where to go."""
        return [self._aim(event, now) for event in out]

    def _aim(self, event: Any, now: float) -> Any:
        targets = self.targets(now)
        if not isinstance(event, SendOptions | SendRegister) or not targets:
            return event
        if isinstance(event, SendOptions):
            self._probed = targets[0]
        return event._replace(target=targets[0])


def _account(gateway: Gateway) -> Account:
    """Tab Registration as an account at the carrier's registrar."""
    settings = gateway.registration
    domain = settings.registrar or gateway.domain_proxy.target_domain
    return Account(gateway.general.index, domain, settings.user, settings.password, int(settings.expires))
