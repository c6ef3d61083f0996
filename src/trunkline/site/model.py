"""The site file as typed values: one customer, in the words of OMC.

Every key of `site.yaml` is a field here; `site.load` reads text into it and places
each error at its line and column. Values come in as text (see `load`), so numbers and
booleans are parsed here, from their YAML text, and phone numbers stay strings. What
two keys must agree on is not checked here but by the rules of `guide.rules.site`, so
that every error of a file is told at once. Durations are seconds throughout.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from trunkline.site.scalar import (
    Address,
    CountryCode,
    DomainName,
    Extension,
    FeaturePrefix,
    Filled,
    Host,
    InternationalPrefix,
    NationalPrefix,
    Number,
    NumberRange,
    OptionalHost,
    OptionalNumber,
    OptionalServer,
    OutsidePrefix,
    Port,
    PortOrOff,
    Seconds,
    Secret,
    Server,
    ShortNumber,
    ShortPattern,
    Status,
    SubscriberNumber,
    Text,
    digits,
)

Suite = Literal["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80"]
FullStatus = Annotated[Literal[486, 503], BeforeValidator(digits)]


class Section(BaseModel):
    """A mapping of the site file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Guide(Section):
    """Which carrier's guide, in which edition, this site is built to."""

    name: Filled
    edition: Filled


class Product(Section):
    """The IPBX: model and certified load (VER-1)."""

    model: Literal["PowerCPU", "OCE"]
    version: Annotated[str, Field(pattern=r"^[0-9]{1,2}\.[0-9]{1,2}$")]
    load: Annotated[str, Field(pattern=r"^[A-Z]{3}[0-9]{3}/[0-9]{3}\.[0-9]{3}$")]


class Interface(Section):
    """Hardware and Limits > LAN/IP Configuration: one Ethernet interface, IPv4 or IPv6."""

    address: Address
    domain_name: DomainName = ""


class Interfaces(Section):
    """The Ethernet interfaces; a BVPN site needs eth0 only."""

    eth0: Interface
    eth1: Interface | None = None


class Timers(Section):
    """RFC 3261 §17 base timers; T1 may be lowered in a private network."""

    t1: Annotated[float, Field(ge=0.01, le=10)] = 0.5
    t2: Annotated[float, Field(ge=0.1, le=60)] = 4.0
    t4: Annotated[float, Field(ge=0.1, le=60)] = 5.0


class SipListen(Section):
    """Where the IPBX listens for SIP; 0 switches a transport off."""

    interface: Literal["eth0", "eth1"] = "eth0"
    udp: PortOrOff = 5060
    tcp: PortOrOff = 5060
    tls: PortOrOff = 0


class Phones(Section):
    """The phone side: the registrar and its digest (RFC 3261 §10, §22; RFC 8760)."""

    listen: SipListen = SipListen(udp=5059, tcp=5059)
    realm: Filled = "trunkline"
    digest: Annotated[tuple[Literal["SHA-256", "MD5"], ...], Field(min_length=1)] = ("SHA-256", "MD5")
    nonce_lifetime: Seconds = 300
    expires_min: Seconds = 60
    expires_default: Seconds = 3600
    expires_max: Seconds = 7200
    contacts_max: Annotated[int, Field(ge=1, le=10)] = 3
    srtp: bool = False


class GatewayGeneral(Section):
    """Tab General."""

    index: Annotated[int, Field(ge=1, le=99)]
    numbers_format: Literal["canonical", "national"] = "canonical"


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
    """Tab Topology: the interface the trunk uses."""

    interface: Literal["eth0", "eth1"] = "eth0"


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


class Trunk(Section):
    """The trunk: its bound on simultaneous calls (CAC-1) and its gateways in order."""

    listen: SipListen = SipListen()
    channels: Annotated[int, Field(ge=1, le=1000)]
    inbound_full_status: FullStatus = 503
    gateways: Annotated[tuple[Gateway, ...], Field(min_length=1)]


class Numbering(Section):
    """Numbering: installation number, prefixes, and the numbers matched before any rule.

    `country` is the E.164 country code without "+". `emergency` and `short` are
    dialled with or without the outside prefix and sent as they are; X in `short` is
    any digit. `national_length` counts the digits after the national prefix.
    """

    country: CountryCode = "33"
    installation_number: Number
    outside_prefix: OutsidePrefix = "0"
    national_prefix: NationalPrefix = "0"
    international_prefix: InternationalPrefix = "00"
    national_length: Annotated[int, Field(ge=3, le=15)] = 9
    international_allowed: bool = True
    emergency: tuple[ShortNumber, ...] = (
        *("15", "17", "18", "112", "114", "115", "119"),
        *("116000", "191", "196", "197"),
    )
    short: tuple[ShortPattern, ...] = ("10XX", "118XXX", "3XXX", "116XXX")
    clir_prefix: FeaturePrefix = "*31"
    caller_number: Literal["ddi", "installation"] = "ddi"


class User(Section):
    """A user: extension, DDI, and the password its phone registers with (none: no phone may)."""

    extension: Extension
    name: Text = ""
    ddi: OptionalNumber = ""
    password: Secret = ""
    clir: bool = False


class CertificateFiles(Section):
    """A certificate with its chain and its key, PEM files beside the site file (CERT-2).

    `key` may be left out where the certificate's file holds it too.
    """

    certificate: Filled
    key: Text = ""


class Certificates(Section):
    """Web Monitor > Certificates: what this IPBX presents, and whom it trusts (CERT-2, CERT-3).

    `public_server` is presented on the trunk, as client and as server; `phones` on the
    phones' TLS listener, empty: the same. `trust` are PEM files of roots and
    intermediates.
    """

    public_server: CertificateFiles
    phones: CertificateFiles | None = None
    trust: tuple[Filled, ...] = ()


class PortRange(Section):
    """UDP ports, first and last; RTP takes the even ones, RTCP the odd ones (RFC 3550 §11)."""

    first: Port
    last: Port


class Media(Section):
    """Where media is anchored on the IPBX (INET-4): its ports on each side, and its workers.

    `trunk_ports` is the range the guide's firewall table opens (FW-2); an IPBX that
    anchors nothing needs none. `workers` 0 takes one for each processor but one.
    """

    trunk_ports: PortRange | None = None
    phone_ports: PortRange = PortRange(first=16384, last=32767)
    workers: Annotated[int, Field(ge=0, le=64)] = 0


class Calls(Section):
    """Bounds on every call of the IPBX."""

    ringing_max: Annotated[float, Field(ge=1, le=600)] = 60.0
    duration_max: Annotated[float, Field(ge=1, le=86400)] = 43200.0
    drain_max: Annotated[float, Field(ge=0, le=3600)] = 5.0


class Records(Section):
    """Call records: where they go, how long they stay, how much of a number they show."""

    file: Text = ""
    retention_days: Annotated[int, Field(ge=0, le=3650)] = 365
    mask_digits: Annotated[int, Field(ge=0, le=15)] = 0


class CarrierSubscriber(Section):
    """A subscriber of the virtual public network, by number, and what it does when called.

    `after` is the time to its answer, `seconds` the time to its hanging up (`does:
    hang-up` only), `tone` what it plays, in Hz. `does: external` sends the call to a
    SIP peer at `at` (address:port).
    """

    number: SubscriberNumber
    does: Literal["answer", "echo", "busy", "ring", "early", "hang-up", "external"] = "answer"
    after: Annotated[float, Field(ge=0, le=600)] = 0.2
    seconds: Annotated[float, Field(ge=0, le=86400)] = 5.0
    tone: Annotated[int, Field(ge=300, le=3400)] = 425
    at: OptionalServer = ""


class CarrierSbc(Section):
    """One access SBC of the virtual carrier: signalling and media addresses differ (SBC-1).

    `port` is the customer's side. Over the internet that is TLS with the SBC's own
    `certificate`, and external subscribers are spoken to by UDP from `public_port`.
    """

    label: Filled
    signalling: Address
    media: Address
    port: Port = 5060
    public_port: Port = 5060
    certificate: CertificateFiles | None = None


class CarrierKnobs(Section):
    """What the virtual carrier is and insists on; the guide leaves most of it open.

    `number_ranges` are the numbers bought, each FIRST-LAST or one number; a public
    number without a subscriber is unallocated (404). A description must hold one of
    `codecs` (CODEC-1; none: any will do). `trusted` are further addresses the customer's
    signalling may come from, such as a proxy between IPBX and carrier.
    """

    sbcs: tuple[CarrierSbc, ...] = ()
    number_ranges: tuple[NumberRange, ...] = ()
    refuse_foreign_caller: bool = True
    channels: Annotated[int, Field(ge=1, le=1000)] | None = None
    full_status: FullStatus = 503
    codecs: tuple[Literal["PCMA", "PCMU", "G729"], ...] = ("PCMA",)
    registration_required: bool = False
    trusted: tuple[Address, ...] = ()
    supervision: Supervision = Supervision()
    trust: tuple[Filled, ...] = ()
    subscribers: tuple[CarrierSubscriber, ...] = ()


class Site(Section):
    """A whole site file, schema 1."""

    schema_: Annotated[Literal[1], BeforeValidator(digits), Field(alias="schema")]
    customer: Filled
    guide: Guide
    architecture: Literal["bvpn", "internet-a"]
    product: Product
    interfaces: Interfaces
    dns: tuple[Server, ...] = ()
    timers: Timers = Timers()
    phones: Phones = Phones()
    trunk: Trunk
    numbering: Numbering
    users: tuple[User, ...] = ()
    certificates: Certificates | None = None
    media: Media = Media()
    calls: Calls = Calls()
    records: Records = Records()
    carrier: CarrierKnobs = CarrierKnobs()
