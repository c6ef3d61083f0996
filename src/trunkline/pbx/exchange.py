"""What a call needs of its IPBX: who is where, which gateways there are, channels, records.

`Exchange` is the state of the IPBX between calls; `pbx.call` is one call, `pbx.ipbx`
the node that owns both.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from trunkline.call.description import Terms
from trunkline.call.leg import Leg
from trunkline.call.registrar import Binding, Registrar
from trunkline.finding import ParseError
from trunkline.pbx.admission import Channels
from trunkline.pbx.dialplan import Dialplan
from trunkline.pbx.trunk import Trunk
from trunkline.sdp.offer_answer import G729, PCMA, PCMU, Capabilities
from trunkline.sip.endpoint import Endpoint, Owner
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Target
from trunkline.sip.message import Request
from trunkline.sip.session import SessionPolicy
from trunkline.sip.uri import Uri, format_host
from trunkline.site.gateway import Gateway
from trunkline.site.model import SipListen, Site

PHONE_POLICY = SessionPolicy(reliable="off")
_CODECS = {"PCMA": PCMA, "PCMU": PCMU, "G729": G729}


class Listen:
    """The local address of each side of the IPBX, by transport; what is switched off is not in it."""

    __slots__ = ("phones", "phones_address", "trunk", "trunk_address")

    def __init__(self, site: Site) -> None:
        self.phones_address = _address(site, site.phones.listen)
        self.trunk_address = _address(site, site.trunk.listen)
        self.phones = _sockets(site, site.phones.listen)
        self.trunk = _sockets(site, site.trunk.listen)

    def every(self) -> tuple[tuple[str, tuple[str, int]], ...]:
        """Each (transport, address) to open, once."""
        return tuple(dict.fromkeys([*self.phones.items(), *self.trunk.items()]))

    def is_trunk(self, flow: Flow) -> bool:
        """Whether a message came in on the trunk's side."""
        return self.trunk.get(flow.transport) == flow.local

    def is_phones(self, flow: Flow) -> bool:
        """Whether it came in on the phones' side; both may share a port."""
        return self.phones.get(flow.transport) == flow.local


class Exchange:
    """One site's switch between calls. Settings may be replaced (SIGHUP); calls keep what they took."""

    __slots__ = (
        "channels",
        "dialplan",
        "draining",
        "endpoint",
        "ids",
        "listen",
        "phones_domain",
        "registrar",
        "site",
        "trunk",
    )

    def __init__(self, site: Site, endpoint: Endpoint, now: float) -> None:
        self.site = site
        self.endpoint = endpoint
        self.ids = endpoint.ids
        self.listen = Listen(site)
        self.dialplan = Dialplan(site.numbering, site.users, site.remote_sites)
        self.phones_domain = self._phones_domain(site)
        self.registrar = Registrar(site.phones, site.users, self.ids)
        self.trunk = Trunk(site.trunk, self.ids, now)
        self.channels = Channels.of(site.trunk)
        self.draining = False

    def reload(self, site: Site, now: float) -> list[Any]:
        """New calls take the new site; listening addresses and timers stay until the next start."""
        self.site = site
        self.dialplan = Dialplan(site.numbering, site.users, site.remote_sites)
        self.phones_domain = self._phones_domain(site)
        self.registrar.reloaded(site.phones, site.users)
        self.channels.rebound(site.trunk)
        return self.trunk.reloaded(site.trunk, now)

    def leg(self, owner: Owner, policy: SessionPolicy, terms: Terms | None = None) -> Leg:
        """A new leg of a call."""
        return Leg(self.endpoint, self.ids.token(), policy, terms, owner)

    @property
    def anchors(self) -> bool:
        """Whether media goes through this IPBX (INET-4), or straight between phone and SBC (BVPN-2)."""
        return self.site.over_internet

    def trunk_terms(self, media: str, gateway: Gateway, join: str = "") -> Terms | None:
        """The media of a leg toward the carrier: its codec policy, and SRTP where tab Security says so."""
        if not self.anchors:
            return None
        tab = gateway.media
        suites = gateway.security.suites if gateway.security.srtp else ()
        return Terms(media, self.listen.trunk_address, _capabilities(tab.codecs, tab.ptime, suites), join)

    def phone_terms(
        self, media: str, flow: Flow, join: str = "", *, secure: bool | None = None
    ) -> Terms | None:
        """The media of a leg toward a phone: what the trunk carries, for nothing is transcoded.

        SRTP goes over TLS only, since its keys stand in the SDP (RFC 4568 §7): `secure`
        is what a calling phone offers, None lets the site say.
        """
        if not self.anchors:
            return None
        tab = self.site.trunk.gateways[0]
        wanted = self.site.phones.srtp if secure is None else secure
        suites = tab.security.suites if wanted and flow.transport == "TLS" else ()
        capabilities = _capabilities(tab.media.codecs, tab.media.ptime, suites)
        return Terms(media, self.listen.phones_address, capabilities, join)

    def flow_to(self, target: Target) -> Flow | None:
        """The path to an access SBC; None when this IPBX does not listen on that transport."""
        local = self.listen.trunk.get(target.transport)
        if local is None:
            return None
        peer = target.name if target.transport == "TLS" else ""  # whom the certificate must name (RFC 5922)
        return Flow(target.transport, local, (target.host_ip, target.port), peer)

    def domain(self, gateway: Gateway) -> str:
        """The domain this site's own numbers bear on that gateway; over TLS the one its certificate names."""
        proxy, eth0 = gateway.domain_proxy, self.site.interfaces.eth0
        named = eth0.domain_name if proxy.transport == "tls" else ""
        return format_host(proxy.local_domain or named or self.listen.trunk_address)

    def _phones_domain(self, site: Site) -> str:
        """The domain of the users: the realm where it could be one, else where phones register."""
        realm = site.phones.realm
        try:
            if Uri.parse(f"sip:{realm}").host == realm:
                return realm
        except ParseError:  # a realm may be any text
            pass
        return format_host(self.listen.phones_address)


@lru_cache(maxsize=64)  # few gateways, many calls
def _capabilities(codecs: tuple[str, ...], ptime: int, suites: tuple[str, ...]) -> Capabilities:
    return Capabilities(tuple(_CODECS[name] for name in codecs), ptime, suites=suites)


def others(bindings: tuple[Binding, ...], request: Request) -> tuple[Binding, ...]:
    """Those of a user's phones that did not send this request."""
    caller = request.contact
    return tuple(binding for binding in bindings if caller is None or not binding.uri.same(caller.uri))


def trunk_policy(gateway: Gateway) -> SessionPolicy:
    """Tab Protocol as the SIP core takes it."""
    protocol = gateway.protocol
    return SessionPolicy(
        timer=protocol.session_timer,
        expires=protocol.session_expires,
        min_se=protocol.min_se,
        reliable=protocol.reliable_provisionals,
    )


def _address(site: Site, listen: SipListen) -> str:
    interface = site.interfaces.eth1 if listen.interface == "eth1" else site.interfaces.eth0
    return (interface or site.interfaces.eth0).address


def _sockets(site: Site, listen: SipListen) -> dict[str, tuple[str, int]]:
    address = _address(site, listen)
    ports = {"UDP": listen.udp, "TCP": listen.tcp, "TLS": listen.tls}
    return {transport: (address, port) for transport, port in ports.items() if port}
