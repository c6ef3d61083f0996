"""The one customer of an access SBC, as the SBC knows it: where it is, whether it may call, how it is.

A static customer is known by the address it gave the carrier (FORM-1). Where the trunk
registers, its REGISTER proves it by digest, and calls in go to where that came from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from trunkline.call.cause import Cause
from trunkline.call.registrar import Binding, Registrar
from trunkline.call.seal import Seal
from trunkline.call.watch import Changed, PeerWatch, SendOptions
from trunkline.carrier.screening import Refusal
from trunkline.sip.endpoint import Endpoint, ResponseReceived
from trunkline.sip.flow import Flow, Ids
from trunkline.sip.message import Request, Response
from trunkline.sip.uri import format_host
from trunkline.sip.values import RetryAfter
from trunkline.site.gateway import Gateway
from trunkline.site.model import CarrierSbc, Phones, Site, User

AWAY = Cause(20, 480, "the customer is not registered")


class Path(NamedTuple):
    """How to reach the customer: the flow, and host[:port] for the Request-URI."""

    flow: Flow
    host: str


class Customer:
    """A machine: `deadline`, and `expire` with SendOptions and Changed as they are due."""

    __slots__ = (
        *("_account", "_host", "_local", "_registrar", "_required", "_static", "_trusted"),
        *("seal", "watch"),
    )

    def __init__(self, site: Site, sbc: CarrierSbc, ids: Ids, now: float) -> None:
        knobs = site.carrier
        self._local = (sbc.signalling, sbc.port)
        self._static = _static(site, self._local)
        self._host = self._static.peer or format_host(self._static.remote[0])
        self._trusted = frozenset({self._static.remote[0], *knobs.trusted})
        self._required = knobs.registration_required
        gateway = _gateway(site, sbc)
        wanted = gateway is not None and (gateway.registration.requested or self._required)
        self._account = gateway.registration.user if gateway is not None and wanted else ""
        self._registrar = _registrar(gateway, ids) if gateway is not None and wanted else None
        self.watch = PeerWatch(0, knobs.supervision, now)
        self.seal = Seal()  # over TLS

    # --- who it is ----------------------------------------------------------------------

    @property
    def registers(self) -> bool:
        """Whether this customer's trunk registers."""
        return self._registrar is not None

    def register(self, request: Request, flow: Flow, now: float) -> Response:
        """The answer to a REGISTER; only for a customer that `registers`."""
        assert self._registrar is not None
        return self._registrar.register(request, flow, now)

    def registered(self, now: float) -> bool:
        return bool(self._bindings(now))

    def at(self, flow: Flow) -> bool:
        """Whether a handshake, good or bad, is the customer's: by name, else by address."""
        if flow.peer:
            return flow.peer.lower() == self._static.peer.lower()
        return flow.remote[0] == self._static.remote[0]

    def refuses(self, flow: Flow, now: float) -> Refusal | None:
        """Why what comes on this flow is not taken from the customer; None if it is.

        Over TLS the customer is who its certificate names, wherever it calls from.
        """
        if self._static.transport == "TLS":
            known = flow.transport == "TLS" and flow.peer.lower() == self._static.peer.lower()
            return None if known else Refusal(403, "Unknown Customer")
        bound = any(flow.remote[0] == known.flow.remote[0] for known in self._bindings(now))
        if not bound and flow.remote[0] not in self._trusted:
            return Refusal(403, "Unknown Customer")
        return None

    def refuses_call(self, now: float) -> Refusal | None:
        """Why the customer may not call now; None if it may."""
        if self._required and not self.registered(now):
            return Refusal(403, "Not Registered")
        return None

    # --- where and how it is ----------------------------------------------------------------

    def path(self, now: float) -> Path | None:
        """Where calls in and OPTIONS go: the latest registered contact, else the address that was given."""
        bindings = self._bindings(now)
        if bindings:
            latest = bindings[0]
            port = "" if latest.uri.port is None else f":{latest.uri.port}"
            return Path(latest.flow, format_host(latest.uri.host) + port)
        if self._required:
            return None
        return Path(self._static, f"{self._host}:{self._static.remote[1]}")

    def home(self, flow: Flow, now: float) -> Flow | None:
        """The way to the customer that this side opens, where a connection of the customer's is lost."""
        path = self.path(now)
        known = path is not None and flow.reliable and self.at(flow)
        return path.flow if known and path is not None and path.flow.transport == flow.transport else None

    def unreachable(self, flow: Flow) -> None:
        """A connection it registered over is gone."""
        if self._registrar is not None:
            self._registrar.unreachable(flow)

    def deadline(self) -> float | None:
        times = [self.watch.deadline()]
        if self._registrar is not None:
            times.append(self._registrar.deadline())
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> list[SendOptions | Changed]:
        if self._registrar is not None:
            self._registrar.expire(now)
        return list(self.watch.expire(now))

    def probe(self, endpoint: Endpoint, probe: int, now: float) -> list[Any]:
        """Send an OPTIONS (knob carrier.supervision)."""
        path = self.path(now)
        if path is None:
            return list(self.watch.unreachable(AWAY.text, now, probe))
        headers = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{endpoint.host(path.flow)}>;tag={endpoint.ids.token()}"),
            ("To", f"<sip:{path.host}>"),
            ("Call-ID", endpoint.ids.token()),
            ("CSeq", "1 OPTIONS"),
            ("Contact", endpoint.contact(path.flow)),
            ("User-Agent", endpoint.settings.user_agent),
        ]
        owner = _Probe(self.watch, probe)
        return endpoint.request("OPTIONS", f"sip:{path.host}", headers, path.flow, owner, now)[1]

    def status(self, now: float) -> dict[str, Any]:
        """For `trunkline status`: where it is, and how."""
        path = self.path(now)
        flow = None if path is None else path.flow
        return {
            "at": "" if flow is None else f"{flow.transport} {flow.remote[0]} {flow.remote[1]}",
            "registered": self.registered(now) if self.registers else None,
            "tls": self.seal.status(),
            **self.watch.status(now),
        }

    def _bindings(self, now: float) -> tuple[Binding, ...]:
        return () if self._registrar is None else self._registrar.contacts(self._account, now)


class _Probe:
    """Who hears what became of an OPTIONS."""

    __slots__ = ("_probe", "_watch")

    def __init__(self, watch: PeerWatch, probe: int) -> None:
        self._watch = watch
        self._probe = probe

    def hear(self, event: ResponseReceived, now: float) -> list[Any]:
        watch, probe = self._watch, self._probe
        if event.response is None:
            if event.status == 408:
                return list(watch.unanswered(now, probe))
            return list(watch.unreachable("nothing can be sent there", now, probe))
        if event.status < 200:
            return []
        after = event.response.value("retry-after")
        wait = after.seconds if isinstance(after, RetryAfter) else 0
        return list(watch.answered(event.status, wait, now, probe))


def _static(site: Site, local: tuple[str, int]) -> Flow:
    """Where the IPBX listens for the trunk, as the customer told the carrier."""
    listen = site.trunk.listen
    interface = site.interfaces.eth1 if listen.interface == "eth1" else site.interfaces.eth0
    address = (interface or site.interfaces.eth0).address
    if site.over_internet:  # FORM-2: the customer gave its FQDN, and its certificate bears it
        return Flow("TLS", local, (address, listen.tls), site.interfaces.eth0.domain_name)
    transport, port = ("UDP", listen.udp) if listen.udp else ("TCP", listen.tcp)
    return Flow(transport, local, (address, port))


def _gateway(site: Site, sbc: CarrierSbc) -> Gateway | None:
    """The customer's gateway for this SBC: there is one for each, in their order."""
    pairs = zip(site.carrier.sbcs, site.trunk.gateways, strict=False)
    return next((gateway for known, gateway in pairs if known == sbc), None)


def _registrar(gateway: Gateway, ids: Ids) -> Registrar:
    """The carrier's registrar, with the customer's account in it."""
    settings, proxy = gateway.registration, gateway.domain_proxy
    account = User.model_construct(extension=settings.user, password=settings.password)
    return Registrar(Phones(realm=proxy.realm or proxy.target_domain), (account,), ids)
