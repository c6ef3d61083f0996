"""The IPBX as a node: registrar, calls and trunk behind one endpoint.

Everything that arrives comes through `receive`; what the endpoint cannot answer by
itself is judged here: who may register, who may call, and from which side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from trunkline.call import events
from trunkline.call.leg import reasons, unclaimed
from trunkline.call.node import Drain, Input, Log, Output, Received, TlsRefused, TlsUp, Unreachable
from trunkline.call.registrar import Lapsed
from trunkline.call.watch import Changed, SendOptions
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.pbx.call import Call
from trunkline.pbx.exchange import Exchange, Listen
from trunkline.pbx.gateway import TrunkGateway
from trunkline.pbx.refusal import STOPPING, WORKER_LOST
from trunkline.sip.endpoint import Endpoint, EndpointSettings, RequestReceived, ResponseReceived
from trunkline.sip.flow import Flow, Ids, Send
from trunkline.sip.headers import RetryAfter
from trunkline.sip.locate import Answers
from trunkline.sip.message import Request, Response
from trunkline.sip.registration import RegistrationChanged, SendRegister, State
from trunkline.sip.transaction import TimerValues
from trunkline.sip.uri import format_host
from trunkline.site.model import Site

DRAIN_SHARE = 0.8  # of `calls.drain_max`: what is left of calls then is written down, before the end comes
SETUP = 64.0  # seconds a call may take beyond ringing and talking, to be set up and to end
_MEDIA = frozenset(get_args(anchor.Event)) - {anchor.Lost}  # each of one call's session
METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO")


@dataclass(frozen=True, slots=True)
class Reload:
    """SIGHUP: a new site file, already checked."""

    site: Site


class Ipbx:
    """One site's IPBX; `start` first, then events and time."""

    def __init__(self, site: Site, ids: Ids, now: float, advertise: Mapping[Any, str] | None = None) -> None:
        timers = TimerValues(site.timers.t1, site.timers.t2, site.timers.t4)
        shown = {**_shown(site), **(advertise or {})}
        settings = EndpointSettings(methods=METHODS, timers=timers, advertise=shown)
        self.endpoint = Endpoint(ids, settings)
        self.exchange = Exchange(site, self.endpoint, now)
        self.calls: dict[str, Call] = {}
        self.started = now
        self.served = 0
        self.strangers = 0  # requests on the trunk's side from addresses of no gateway
        self.refused_handshakes = 0  # TLS with somebody who is, or shows himself to be, no gateway
        self._drain_by: float | None = None

    # --- the node ---------------------------------------------------------------------

    def start(self, now: float) -> list[Output]:
        """Look the gateways up and begin to supervise them."""
        return self.expire(now)

    def receive(self, event: Input | Reload, now: float) -> list[Output]:
        """Take one event of the world."""
        if type(event) in _MEDIA:
            return self._media(event, now)
        match event:
            case Received():
                return self._taken(self.endpoint.receive(event.data, event.flow, now), now)
            case Unreachable():
                if (gateway := self._trunk_peer(event.flow)) is not None:
                    gateway.trouble = event.why
                home = None if gateway is None else self._home(gateway, event.flow, now)
                lost = self.exchange.registrar.unreachable(event.flow) if event.flow.reliable else []
                failed = self.endpoint.unreachable(event.flow, now, home)
                return _lapsed(lost, event.why) + self._taken(failed, now)
            case Answers():
                return self._taken(self.exchange.trunk.resolved(event, now), now)
            case Drain():
                return self._drain(now)
            case Reload():
                return self._taken(self.exchange.reload(event.site, now), now)
            case anchor.Lost():
                return self._worker_lost(event, now)
            case TlsUp() | TlsRefused():
                return self._handshake(event)
        raise TypeError(event)

    def _media(self, event: Any, now: float) -> list[Output]:
        """An event of the media seam, for the call whose session it is."""
        call = self.calls.get(event.media)
        if call is not None:
            return self._taken(call.hear_media(event, now), now)
        return unclaimed(event) if isinstance(event, anchor.Anchored) else []

    def _worker_lost(self, lost: anchor.Lost, now: float) -> list[Output]:
        """A media worker died: its calls end, the others go on."""
        calls = [call for call in map(self.calls.get, lost.medias) if call is not None]
        out: list[Any] = [Log("error", f"media worker {lost.worker} died; {len(calls)} calls end with it")]
        for call in calls:
            out += call.end(WORKER_LOST._replace(status=0), now, WORKER_LOST.status)
        return self._taken(out, now)

    def _trunk_peer(self, flow: Flow) -> TrunkGateway | None:
        """The gateway at the other end of a flow, if it is one of the trunk's side."""
        return self.exchange.trunk.whose(flow) if self.exchange.listen.is_trunk(flow) else None

    def _home(self, gateway: TrunkGateway, flow: Flow, now: float) -> Flow | None:
        """The connection of a gateway that this side opens, for calls that came in on one that is lost."""
        flows = map(self.exchange.flow_to, gateway.targets(now))
        return next((home for home in flows if home and home.transport == flow.transport), None)

    def _handshake(self, event: TlsUp | TlsRefused) -> list[Output]:
        """TLS with a gateway is told and kept; of others only what was refused."""
        gateway, refused = self._trunk_peer(event.flow), isinstance(event, TlsRefused)
        if gateway is not None:
            return [
                Log("warning" if refused else "info", f"gateway {gateway.label}: {gateway.seal.heard(event)}")
            ]
        if not isinstance(event, TlsRefused):
            return []
        self.refused_handshakes += 1
        return [Log("warning", f"TLS from {event.flow.remote[0]} refused: {event.why}")]

    def deadline(self) -> float | None:
        exchange = self.exchange
        soonest = self.endpoint.deadline()
        for due in (exchange.trunk.deadline(), exchange.registrar.deadline(), self._drain_by):
            if due is not None and (soonest is None or due < soonest):
                soonest = due
        return soonest

    def expire(self, now: float) -> list[Output]:
        """Do what is due."""
        out = self._taken(self.endpoint.expire(now), now)
        exchange = self.exchange
        due = exchange.trunk.deadline()
        if due is not None and due <= now:
            out += self._taken(exchange.trunk.expire(now), now)
        due = exchange.registrar.deadline()
        if due is not None and due <= now:
            out += _lapsed(exchange.registrar.expire(now), "not refreshed in time")
        if self._drain_by is not None and now >= self._drain_by:
            out += self._close(now)
        return out

    @property
    def drained(self) -> bool:
        """Draining, and neither a call nor a registration at the carrier is left, or their time is up."""
        if not self.exchange.draining:
            return False
        leaving = any(
            gateway.registration is not None and gateway.registration.state is State.LEAVING
            for gateway in self.exchange.trunk.gateways
        )
        return self._drain_by is None or not (self.calls or leaving)

    # --- requests -----------------------------------------------------------------------

    def _taken(self, items: list[Any], now: float) -> list[Output]:
        """Sort what the layers below put out: work of ours, or outputs for `aio`."""
        out: list[Any] = []
        for item in items:
            kind = type(item)
            if kind is Send:
                out.append(item)
            elif kind is RequestReceived:
                out += self._taken(self._request(item, now), now)
            elif kind in events.EVENTS:
                out += self._taken(item.leg.owner.hear(item, now), now)
            elif kind is SendOptions:
                out += self._taken(self._probe(item, now), now)
            elif kind is SendRegister:
                out += self._taken(self._register_at(item, now), now)
            elif kind is Changed:
                level = "info" if item.health.value == "up" else "warning"
                out.append(Log(level, f"gateway {self._label(item.peer)} {item.health}: {item.why}"))
            elif kind is RegistrationChanged:
                level = "info" if item.registered else "warning"
                out.append(Log(level, f"gateway {self._label(item.account)}: {item.why}"))
            else:
                out.append(item)
        return out

    def _request(self, received: RequestReceived, now: float) -> list[Any]:
        request, transaction = received.request, received.transaction
        flow = transaction.flow
        gateway = None
        if self.exchange.listen.is_trunk(flow):
            gateway = self.exchange.trunk.whose(flow)
            if gateway is None and not self.exchange.listen.is_phones(flow):
                self.strangers += 1
                return self.endpoint.reply(transaction, 403, now, reason="Not A Known Gateway")
        if request.method == "OPTIONS":
            return self._options(received, now)
        if request.method == "REGISTER":
            if gateway is not None:
                return self.endpoint.reply(transaction, 403, now)
            return self.endpoint.respond(
                transaction, self.exchange.registrar.register(request, flow, now), now
            )
        caller = None if gateway is not None else self.exchange.registrar.authenticate(request, now)
        if isinstance(caller, Response):
            return self.endpoint.respond(transaction, caller, now)
        if self.exchange.draining:
            return self.endpoint.reply(transaction, 503, now, [("Retry-After", "10"), *reasons(STOPPING)])
        call = Call(self.exchange, self._over, now)
        self.calls[call.id] = call
        try:
            if caller is not None:
                return call.from_phone(caller, received, now)
            assert gateway is not None
            return call.from_trunk(gateway, received, now)
        except ParseError as error:  # no Contact, or a body that is no SDP
            self.calls.pop(call.id, None)
            return self.endpoint.reply(transaction, error.status, now, reason=f"Bad {error.where}")

    def _options(self, received: RequestReceived, now: float) -> list[Any]:
        """Answered as an INVITE would be (RFC 3261 §11.2): 503 while draining."""
        if self.exchange.draining:
            return self.endpoint.reply(received.transaction, 503, now, [("Retry-After", "10")])
        headers = [
            ("Allow", self.endpoint.allow),
            ("Supported", self.endpoint.supported),
            ("Accept", "application/sdp"),
        ]
        return self.endpoint.reply(received.transaction, 200, now, headers)

    # --- the trunk's own requests ---------------------------------------------------------

    def _probe(self, probe: SendOptions, now: float) -> list[Any]:
        """OPTIONS to an access SBC (tab Protocol, "SIP Option")."""
        gateway = self.exchange.trunk.gateway(probe.peer)
        flow = None if probe.target is None else self.exchange.flow_to(probe.target)
        assert gateway is not None  # only those in service ask for it
        if flow is None:
            return gateway.unreachable("this IPBX does not listen on that transport", now, probe.probe)
        own = self.exchange.domain(gateway.settings)
        domain = format_host(gateway.settings.domain_proxy.target_domain)
        scheme = "sips" if gateway.settings.security.sips else "sip"
        uri = f"{scheme}:{domain}"
        headers = self._headers(
            f"<{scheme}:{own}>", f"<{uri}>", self.endpoint.ids.token(), 1, "OPTIONS", flow, scheme=scheme
        )
        owner = _Probe(gateway, probe.probe)
        return self.endpoint.request("OPTIONS", uri, headers, flow, owner, now)[1]

    def _register_at(self, wanted: SendRegister, now: float) -> list[Any]:
        """REGISTER at the carrier, where its facts or knobs say so (tab Registration)."""
        owner = _Register(self.exchange.trunk.gateway(wanted.account))
        flow = None if wanted.target is None else self.exchange.flow_to(wanted.target)
        if flow is None:
            unsent = (("Call-ID", wanted.call_id), ("CSeq", f"{wanted.cseq} REGISTER"))
            return owner.failed(Request.build("REGISTER", wanted.uri, unsent), "there is no path to it", now)
        user = wanted.aor.partition(":")[2].partition("@")[0]
        aor = f"<{wanted.aor}>"
        headers = self._headers(aor, aor, wanted.call_id, wanted.cseq, "REGISTER", flow, user)
        return self.endpoint.request("REGISTER", wanted.uri, [*headers, *wanted.headers], flow, owner, now)[1]

    def _headers(
        self,
        from_: str,
        to: str,
        call_id: str,
        cseq: int,
        method: str,
        flow: Flow,
        user: str = "",
        scheme: str = "sip",
    ) -> list[tuple[str, str]]:
        return [
            ("Max-Forwards", "70"),
            ("From", f"{from_};tag={self.endpoint.ids.token()}"),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", self.endpoint.contact(flow, user, scheme)),
            ("User-Agent", self.endpoint.settings.user_agent),
        ]

    def _label(self, index: int) -> str:
        gateway = self.exchange.trunk.gateway(index)
        return gateway.label if gateway is not None else str(index)

    # --- the end ------------------------------------------------------------------------

    def _drain(self, now: float) -> list[Output]:
        """No new calls, BYE to the rest, leave the registrars."""
        if self.exchange.draining:
            return []
        self.exchange.draining = True
        self._drain_by = now + DRAIN_SHARE * self.exchange.site.calls.drain_max
        out: list[Any] = []
        for call in list(self.calls.values()):
            out += call.end(STOPPING._replace(status=0), now, STOPPING.status)
        return self._taken([*out, *self.exchange.trunk.close(now)], now)

    def _close(self, now: float) -> list[Output]:
        """Time is up: what waits for a peer that is gone is over, and on record."""
        self._drain_by = None
        out: list[Output] = []
        if self.calls:
            out.append(Log("warning", f"{len(self.calls)} calls whose far side did not answer are closed"))
        for call in list(self.calls.values()):
            out += call.close(now)
        return out

    def _over(self, call: Call) -> None:
        self.served += 1
        del self.calls[call.id]

    # --- what `trunkline status` shows -----------------------------------------------------

    def status(self, now: float) -> dict[str, Any]:
        """Gateways and why one is down, registrations, channels, calls; a JSON object."""
        exchange = self.exchange
        channels, bounds = exchange.channels, exchange.site.calls
        longest = bounds.ringing_max + bounds.duration_max + SETUP
        return {
            "customer": exchange.site.customer,
            "architecture": exchange.site.architecture,
            "name": exchange.site.interfaces.eth0.domain_name,
            "up": round(now - self.started, 1),
            "draining": exchange.draining,
            "gateways": exchange.trunk.status(now),
            "registrations": exchange.registrar.status(now),
            "channels": {
                "bound": channels.bound,
                "used": channels.used,
                "peak": channels.peak,
                "emergency": channels.emergency,
                "refused": channels.refused,
                "stuck": [channel.call for channel in channels.stuck(now, longest)],
            },
            "calls": [call.status(now) for call in self.calls.values()],
            "served": self.served,
            "strangers": self.strangers,
            "refused_handshakes": self.refused_handshakes,
            "remains": self.endpoint.remains(),
        }


class _Probe:
    """Who hears what became of an OPTIONS."""

    __slots__ = ("gateway", "probe")

    def __init__(self, gateway: TrunkGateway, probe: int) -> None:
        self.gateway = gateway
        self.probe = probe

    def hear(self, event: ResponseReceived, now: float) -> list[Any]:
        if event.response is None:
            if event.status == 408:
                return self.gateway.unanswered(now, self.probe)
            why = self.gateway.trouble or "nothing can be sent there"
            return self.gateway.unreachable(why, now, self.probe)
        if event.status < 200:
            return []
        after = event.response.value("retry-after")
        wait = after.seconds if isinstance(after, RetryAfter) else 0
        return self.gateway.answered(event.status, wait, now, self.probe)


class _Register:
    """Who hears what became of a REGISTER; None for a gateway that a reload dropped."""

    __slots__ = ("gateway",)

    def __init__(self, gateway: TrunkGateway | None) -> None:
        self.gateway = gateway

    def hear(self, event: ResponseReceived, now: float) -> list[Any]:
        request = event.transaction.request
        if event.response is None:
            silent = event.status == 408
            why = "REGISTER was not answered" if silent else "the registrar cannot be reached"
            return self.failed(request, why, now)
        if event.status < 200 or self.gateway is None:
            return []
        return self.gateway.register_answered(event.response, request, now)

    def failed(self, request: Request, why: str, now: float) -> list[Any]:
        return [] if self.gateway is None else self.gateway.register_failed(request, why, now)


def _shown(site: Site) -> dict[tuple[str, tuple[str, int]], str]:
    """On the trunk's TLS, Via and Contact name what the certificate names (CFG-3: eth0's domain name).

    The DNS leads that name to the trunk's side alone: a phone that followed it would not come back here.
    """
    name, local = site.interfaces.eth0.domain_name, Listen(site).trunk.get("TLS")
    return {("TLS", local): f"{name}:{local[1]}"} if local and name else {}


def _lapsed(lost: list[Lapsed], why: str) -> list[Output]:
    """Phones that can no longer be reached, for the operator."""
    return [Log("info", f"phone {phone.extension} at {phone.binding.uri}: {why}") for phone in lost]
