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
    """A: address records; SRV: service records; none: an address stands in Domain Proxy."""


class GatewayDomainProxy(Section):
    """Tab Domain Proxy; `port` empty means the transport's default or SRV's."""

    target_domain: Host
    """Target domain name: what stands behind @ in requests."""
    local_domain: OptionalHost = ""
    """Local domain name: what stands behind @ in From; empty: the IPBX's address."""
    realm: Text = ""
    """The realm that the carrier challenges with, where it does."""
    outbound_proxy: OptionalHost = ""
    """Outbound proxy: where requests are sent; empty: the target domain."""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    """The transport: udp or tcp over BVPN, tls over the internet."""
    port: Port | None = None
    """The port; left out: SRV's, or the transport's default."""


class GatewayRegistration(Section):
    """Tab Registration; off on a static trunk (the carrier knows the IPBX's address)."""

    requested: bool = False
    """Whether the IPBX registers with the carrier."""
    registrar: OptionalHost = ""
    """The registrar; empty: the outbound proxy."""
    user: Text = ""
    """The user name to register with."""
    password: Secret = ""
    """The password to register with; best a reference, ${file:PATH} or ${env:NAME}."""
    expires: Annotated[float, Field(ge=30, le=86400)] = 3600
    """The registration time to ask for, in seconds."""


class GatewayMedia(Section):
    """Tab Media; `bandwidth` is the number of calls this gateway may carry at once (0: none)."""

    rtp_direct: bool = True
    """RTP Direct: media goes straight between phone and SBC; off: through the IPBX."""
    bandwidth: Annotated[int, Field(ge=0, le=1000)] = 0
    """Calls at once by this gateway; 0: none."""
    codecs: Annotated[tuple[Literal["PCMA", "PCMU", "G729"], ...], Field(min_length=1)] = ("PCMA",)
    """Codecs, best first; PCMA is G.711 A-law."""
    ptime: Annotated[int, Field(ge=10, le=60, multiple_of=10)] = 20
    """Milliseconds of speech in a packet."""


class GatewayIdentity(Section):
    """Tab Identity: RFC 3325 on sends P-Asserted-Identity and Privacy."""

    rfc3325: bool = True
    """RFC 3325: P-Asserted-Identity and Privacy are sent and read."""


class Supervision(Section):
    """Tab Protocol, "SIP Option": when a gateway counts as down and as back.

    The carrier's own figures are not public: these are the project's proposals, each
    a knob (OPTIONS every 60 s in service and 30 s out of service; `down_after`
    unanswered or refused ones make it down; it is back for new calls once `up_after`
    in a row were good and `hold_down` has passed).
    """

    options: bool = True
    """Whether OPTIONS are sent at all."""
    every_up: Annotated[float, Field(ge=0.2, le=900)] = 60.0
    """Seconds between two OPTIONS while the gateway is up."""
    every_down: Annotated[float, Field(ge=0.2, le=900)] = 30.0
    """Seconds between two OPTIONS while it is down."""
    timeout: Annotated[float, Field(ge=0.1, le=32)] = 4.0
    """Seconds until an OPTIONS without answer counts as lost."""
    down_after: Annotated[int, Field(ge=1, le=10)] = 2
    """OPTIONS lost in a row until the gateway is down."""
    up_after: Annotated[int, Field(ge=1, le=10)] = 2
    """Good ones in a row until it is up again."""
    hold_down: Seconds = 30.0
    """Seconds that it stays down at least."""
    alive_statuses: tuple[Status, ...] = (401, 404, 405, 407, 483, 501)
    """Refusals that show it is alive all the same."""


class GatewayProtocol(Section):
    """Tab Protocol."""

    supervision: Supervision = Supervision()
    """SIP Option: whether the access SBC is there."""
    initial_timeout: Annotated[float, Field(ge=0.1, le=32)] = 4.0
    """Seconds that an INVITE may stay without any answer until the next gateway is tried."""
    trying_timeout: Annotated[float, Field(ge=0.1, le=300)] = 20.0
    """Seconds that it may stay without more than a 100 until the next gateway is tried."""
    reroute_statuses: tuple[Annotated[int, Field(ge=300, le=699)], ...] = (408, 500, 502, 503, 504)
    """Refusals that send a call on to the next gateway."""
    session_timer: bool = True
    """Session timer (RFC 4028): a call whose far end is lost ends by itself."""
    session_expires: Annotated[int, Field(ge=90, le=86400)] = 1800
    """The session timer's time, in seconds."""
    min_se: Annotated[int, Field(ge=90, le=86400)] = 90
    """The shortest session timer that is taken, in seconds."""
    reliable_provisionals: Literal["off", "supported", "required"] = "supported"
    """Reliable provisional answers (RFC 3262, PRACK)."""


class GatewayTopology(Section):
    """Tab Topology: the trunk's interface, and Static NAT behind a firewall that translates (INET-3)."""

    interface: Literal["eth0", "eth1"] = "eth0"
    """The interface of the trunk."""
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
    """SIP TLS: signalling is encrypted."""
    mutual_authentication: bool = True
    """Both sides show a certificate."""
    srtp: bool = False
    """SRTP: media is encrypted."""
    suites: Annotated[tuple[Suite, ...], Field(min_length=1)] = ("AES_CM_128_HMAC_SHA1_80",)
    """The selected list of SRTP suites, best first."""
    tls_max: Literal["", "1.2", "1.3"] = ""
    """The highest TLS version; empty: what the product speaks."""
    peer_client_eku: Literal["require", "accept-server-auth", "ignore"] = "accept-server-auth"
    """What the extended key usage of the SBC's certificate must be when it calls in."""
    wildcard_names: bool = False
    """Whether *.carrier.example in its certificate is a name."""
    common_name: bool = False
    """Whether a name that stands in the CN alone counts."""
    sips: bool = False
    """Whether requests are written sips: instead of sip:;transport=tls."""


class Gateway(Section):
    """External Lines > SIP > SIP Gateways: one access SBC, with its nine tabs (SEC-5)."""

    label: Filled
    """What it is called in records, status and findings."""
    general: GatewayGeneral
    """Tab General."""
    dns: GatewayDns = GatewayDns()
    """Tab DNS."""
    domain_proxy: GatewayDomainProxy
    """Tab Domain Proxy."""
    registration: GatewayRegistration = GatewayRegistration()
    """Tab Registration."""
    media: GatewayMedia = GatewayMedia()
    """Tab Media."""
    identity: GatewayIdentity = GatewayIdentity()
    """Tab Identity."""
    protocol: GatewayProtocol = GatewayProtocol()
    """Tab Protocol."""
    topology: GatewayTopology = GatewayTopology()
    """Tab Topology."""
    security: GatewaySecurity = GatewaySecurity()
    """Tab Security."""
