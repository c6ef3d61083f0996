"""External Lines > SIP > SIP Gateways: one access SBC of the carrier, with its nine tabs in OMC's order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trunkline.site.scalar import (
    Filled,
    Host,
    OptionalAddress,
    OptionalHost,
    Port,
    Seconds,
    Secret,
    Status,
    Text,
)
from trunkline.site.section import Section

Suite = Literal["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80"]
Zone = Literal["metropole", "caribbean", "indian-ocean"]


class GatewayGeneral(Section):
    """Tab General."""

    index: Annotated[int, Field(ge=1, le=99)]
    """The gateway's index; List of Accesses > VoIP wants it too, once the gateway exists."""
    numbers_format: Literal["canonical", "national"] = "canonical"
    """How numbers are written on the trunk: canonical is +, country code, number."""
    zone: Zone = "metropole"
    """The zone that this access SBC serves; an overseas one takes its zone's local calls (DROM-1)."""


class GatewayDns(Section):
    """Tab DNS: how the carrier's name becomes addresses (RFC 3263)."""

    mode: Literal["none", "A", "SRV"] = "A"


class GatewayDomainProxy(Section):
    """Tab Domain Proxy; `port` empty means the transport's default or SRV's."""

    target_domain: Host
    local_domain: OptionalHost = ""
    realm: Text = ""
    outbound_proxy: OptionalHost = ""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    port: Port | None = None


class GatewayRegistration(Section):
    """Tab Registration; off on a static trunk (the carrier knows the IPBX's address)."""

    requested: bool = False
    registrar: OptionalHost = ""
    user: Text = ""
    password: Secret = ""
    expires: Annotated[float, Field(ge=30, le=86400)] = 3600


class GatewayMedia(Section):
    """Tab Media; `bandwidth` is the number of calls this gateway may carry at once (0: none)."""

    rtp_direct: bool = True
    bandwidth: Annotated[int, Field(ge=0, le=1000)] = 0
    codecs: Annotated[tuple[Literal["PCMA", "PCMU", "G729"], ...], Field(min_length=1)] = ("PCMA",)
    ptime: Annotated[int, Field(ge=10, le=60, multiple_of=10)] = 20


class GatewayIdentity(Section):
    """Tab Identity: RFC 3325 on sends P-Asserted-Identity and Privacy."""

    rfc3325: bool = True


class Supervision(Section):
    """Tab Protocol, "SIP Option": when a gateway counts as down and as back.

    The carrier's own figures are not public: these are the project's proposals, each
    a knob (OPTIONS every 60 s in service and 30 s out of service; `down_after`
    unanswered or refused ones make it down; it is back for new calls once `up_after`
    in a row were good and `hold_down` has passed).
    """

    options: bool = True
    every_up: Annotated[float, Field(ge=0.2, le=900)] = 60.0
    every_down: Annotated[float, Field(ge=0.2, le=900)] = 30.0
    timeout: Annotated[float, Field(ge=0.1, le=32)] = 4.0
    down_after: Annotated[int, Field(ge=1, le=10)] = 2
    up_after: Annotated[int, Field(ge=1, le=10)] = 2
    hold_down: Seconds = 30.0
    alive_statuses: tuple[Status, ...] = (401, 404, 405, 407, 483, 501)


class GatewayProtocol(Section):
    """Tab Protocol."""

    supervision: Supervision = Supervision()
    initial_timeout: Annotated[float, Field(ge=0.1, le=32)] = 4.0
    trying_timeout: Annotated[float, Field(ge=0.1, le=300)] = 20.0
    reroute_statuses: tuple[Annotated[int, Field(ge=300, le=699)], ...] = (408, 500, 502, 503, 504)
    session_timer: bool = True
    session_expires: Annotated[int, Field(ge=90, le=86400)] = 1800
    min_se: Annotated[int, Field(ge=90, le=86400)] = 90
    reliable_provisionals: Literal["off", "supported", "required"] = "supported"


class GatewayTopology(Section):
    """Tab Topology: the trunk's interface, and Static NAT behind a firewall that translates (INET-3)."""

    interface: Literal["eth0", "eth1"] = "eth0"
    static_nat: bool = False
    """Static NAT: SIP and SDP name the public address instead of the interface's own."""
    public_address: OptionalAddress = ""
    """Static NAT: the public address, the firewall's."""
    port: Port | None = None
    """Static NAT: SIP/SIP TLS port that the firewall passes on."""


class GatewaySecurity(Section):
    """Tab Security; clear over BVPN, SIP TLS with mutual authentication and SRTP over the internet (SEC-4).

    `suites` is the selected list, best first (SRTP-1). `peer_client_eku` says what the
    extended key usage of the SBC's certificate must be when it calls in: public CAs
    leave clientAuth out by now. `wildcard_names` and `common_name` loosen RFC 5922's
    name check, `sips` writes sips: URIs, `tls_max` bounds the version: empty is what
    the product speaks (TLS-2).
    """

    sip_tls: bool = False
    mutual_authentication: bool = True
    srtp: bool = False
    suites: Annotated[tuple[Suite, ...], Field(min_length=1)] = ("AES_CM_128_HMAC_SHA1_80",)
    tls_max: Literal["", "1.2", "1.3"] = ""
    peer_client_eku: Literal["require", "accept-server-auth", "ignore"] = "accept-server-auth"
    wildcard_names: bool = False
    common_name: bool = False
    sips: bool = False


class Gateway(Section):
    """External Lines > SIP > SIP Gateways: one access SBC, with its nine tabs (SEC-5)."""

    label: Filled
    general: GatewayGeneral
    dns: GatewayDns = GatewayDns()
    domain_proxy: GatewayDomainProxy
    registration: GatewayRegistration = GatewayRegistration()
    media: GatewayMedia = GatewayMedia()
    identity: GatewayIdentity = GatewayIdentity()
    protocol: GatewayProtocol = GatewayProtocol()
    topology: GatewayTopology = GatewayTopology()
    security: GatewaySecurity = GatewaySecurity()
