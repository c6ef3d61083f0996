"""The site file as typed values: one customer, in the words of OMC.

Every key of `site.yaml` is a field here; `site.load` reads text into it and places
each error at its line and column. Values come in as text (see `load`), so numbers and
booleans are parsed here, from their YAML text, and phone numbers stay strings. What
two keys must agree on is not checked here but by the rules of `guide.rules.site`, so
that every error of a file is told at once. Durations are seconds throughout.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from trunkline.site.gateway import Gateway, Supervision
from trunkline.site.premises import (
    CloudConnect,
    DnsRecord,
    Endpoint,
    FaxMachine,
    Firewall,
    RemoteSite,
    Security,
    Traffic,
    Vpn,
    Wan,
    WebRtcGateway,
)
from trunkline.site.scalar import (
    Address,
    BarredPrefix,
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
    OptionalAddress,
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
    SubscriberNumber,
    Text,
    digits,
)
from trunkline.site.section import Section

FullStatus = Annotated[Literal[486, 503], BeforeValidator(digits)]
Architecture = Literal["bvpn", "bvpn-rainbow", "internet-a", "internet-b"]


class Guide(Section):
    """Which carrier's guide, in which edition, this site is built to."""

    name: Filled
    """The guide's name, that of its facts file."""
    edition: Filled
    """The date on the guide's first page."""
    facts: Text = ""
    """A facts file of your own, beside the site file, for a carrier whose guide is not shipped."""


class Product(Section):
    """The IPBX: model and certified load (VER-1)."""

    model: Literal["PowerCPU", "OCE"]
    version: Annotated[str, Field(pattern=r"^[0-9]{1,2}\.[0-9]{1,2}$")]
    load: Annotated[str, Field(pattern=r"^[A-Z]{3}[0-9]{3}/[0-9]{3}\.[0-9]{3}$")]
    front_end: bool = False
    """Whether an OCE stands as Front End before a PowerCPU."""
    analog_ports: Annotated[int, Field(ge=0, le=500)] = 0
    """Z ports of PowerCPU's own boards (Z, SLI, MIX)."""


class Interface(Section):
    """Hardware and Limits > LAN/IP Configuration: one Ethernet interface, IPv4 or IPv6."""

    address: Address
    """Router IP address: the interface's own address."""
    domain_name: DomainName = ""
    """Router IP address/Domain name, where a name stands there: on eth0 the public FQDN (CFG-3)."""
    prefix: Annotated[int, Field(ge=0, le=128)] | None = None
    """The length of the network's prefix, as 24."""
    router: OptionalAddress = ""
    """The default router on this interface."""


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


class Trunk(Section):
    """The trunk: its bound on simultaneous calls (CAC-1) and its gateways in order."""

    listen: SipListen = SipListen()
    channels: Annotated[int, Field(ge=1, le=1000)]
    inbound_full_status: FullStatus = 503
    udp_to_tcp_switching: bool = False
    """VoIP Parameters > eth1: UDP to TCP switching (SEC-2)."""
    zone_fallback: bool = True
    """Whether an overseas zone's local calls go to the metropolitan SBCs while none of its own is up."""
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
    international_barred: tuple[BarredPrefix, ...] = ()
    """Beginnings of international numbers that are barred, as +882; toll fraud goes there."""
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
    site: Text = ""
    """The label of the remote site the user sits at; empty: the main site."""


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
    key_bits: Annotated[Literal[2048, 3072, 4096], BeforeValidator(digits)] = 2048
    """The size of the RSA key that a request is made with (CERT-1)."""
    authority: Text = ""
    """The public CA that signs, as it calls itself."""


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
    dscp: Annotated[int, Field(ge=0, le=63)] = 46
    """DSCP of every media packet; 46 is EF (QOS-1)."""


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
    architecture: Architecture
    product: Product
    interfaces: Interfaces
    dns: tuple[Server, ...] = ()
    ntp: tuple[Host, ...] = ()
    security: Security = Security()
    timers: Timers = Timers()
    phones: Phones = Phones()
    trunk: Trunk
    numbering: Numbering
    users: tuple[User, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    fax: tuple[FaxMachine, ...] = ()
    webrtc_gateway: WebRtcGateway | None = None
    remote_sites: tuple[RemoteSite, ...] = ()
    traffic: Traffic = Traffic()
    wan: Wan | None = None
    firewall: Firewall | None = None
    vpn: Vpn | None = None
    dns_records: tuple[DnsRecord, ...] = ()
    cloud_connect: CloudConnect = CloudConnect()
    certificates: Certificates | None = None
    media: Media = Media()
    calls: Calls = Calls()
    records: Records = Records()
    carrier: CarrierKnobs = CarrierKnobs()

    @property
    def over_internet(self) -> bool:
        """Whether the trunk is mutual TLS with SRTP, media anchored here (2.4), not BVPN in the clear."""
        return self.architecture in ("internet-a", "internet-b")
