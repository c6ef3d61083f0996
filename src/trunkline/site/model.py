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
    """PowerCPU, or OCE for OXO Connect Evolution."""
    version: Annotated[str, Field(pattern=r"^[0-9]{1,2}\.[0-9]{1,2}$")]
    """The major version, as 6.1."""
    load: Annotated[str, Field(pattern=r"^[A-Z]{3}[0-9]{3}/[0-9]{3}\.[0-9]{3}$")]
    """The software load, as OMC > System Miscellaneous > Software version shows it."""
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
    """The interface on the LAN."""
    eth1: Interface | None = None
    """The second interface; over the internet the trunk's."""


class Timers(Section):
    """RFC 3261 §17 base timers; T1 may be lowered in a private network."""

    t1: Annotated[float, Field(ge=0.01, le=10)] = 0.5
    """T1: the round trip that retransmissions begin with, in seconds."""
    t2: Annotated[float, Field(ge=0.1, le=60)] = 4.0
    """T2: the longest pause between two retransmissions, in seconds."""
    t4: Annotated[float, Field(ge=0.1, le=60)] = 5.0
    """T4: how long a message may stay in the network, in seconds."""


class SipListen(Section):
    """Where the IPBX listens for SIP; 0 switches a transport off."""

    interface: Literal["eth0", "eth1"] = "eth0"
    """The interface whose address it listens on."""
    udp: PortOrOff = 5060
    """UDP port; 0 switches it off."""
    tcp: PortOrOff = 5060
    """TCP port; 0 switches it off."""
    tls: PortOrOff = 0
    """Port of SIP over TLS; 0 switches it off."""


class Phones(Section):
    """The phone side: the registrar and its digest (RFC 3261 §10, §22; RFC 8760)."""

    listen: SipListen = SipListen(udp=5059, tcp=5059)
    """Where phones register."""
    realm: Filled = "trunkline"
    """The realm that phones are asked to log in to."""
    digest: Annotated[tuple[Literal["SHA-256", "MD5"], ...], Field(min_length=1)] = ("SHA-256", "MD5")
    """The digest algorithms that phones may log in with, best first."""
    nonce_lifetime: Seconds = 300
    """How long a nonce may be used again, in seconds."""
    expires_min: Seconds = 60
    """The shortest registration that is taken, in seconds."""
    expires_default: Seconds = 3600
    """How long a registration lasts that asks for nothing, in seconds."""
    expires_max: Seconds = 7200
    """The longest registration that is given, in seconds."""
    contacts_max: Annotated[int, Field(ge=1, le=10)] = 3
    """Phones that one user may register at once."""
    srtp: bool = False
    """Whether phones on TLS get SRTP."""


class Trunk(Section):
    """The trunk: its bound on simultaneous calls (CAC-1) and its gateways in order."""

    listen: SipListen = SipListen()
    """VoIP Parameters: where the trunk listens."""
    channels: Annotated[int, Field(ge=1, le=1000)]
    """Calls at once on the whole trunk, as bought (CAC-1)."""
    inbound_full_status: FullStatus = 503
    """The SIP status that an incoming call over the bound is answered."""
    udp_to_tcp_switching: bool = False
    """VoIP Parameters > eth1: UDP to TCP switching (SEC-2)."""
    zone_fallback: bool = True
    """Whether an overseas zone's local calls go to the metropolitan SBCs while none of its own is up."""
    gateways: Annotated[tuple[Gateway, ...], Field(min_length=1)]
    """The carrier's access SBCs, in the order in which they are tried."""


class Numbering(Section):
    """Numbering: installation number, prefixes, and the numbers matched before any rule.

    `country` is the E.164 country code without "+". `emergency` and `short` are
    dialled with or without the outside prefix and sent as they are; X in `short` is
    any digit. `national_length` counts the digits after the national prefix.
    """

    country: CountryCode = "33"
    """The E.164 country code, without +."""
    installation_number: Number
    """Numbering > Installation Numbers: the site's main number, as +33 1 99 00 10 00."""
    outside_prefix: OutsidePrefix = "0"
    """What is dialled before a public number; empty: nothing."""
    national_prefix: NationalPrefix = "0"
    """What a national number begins with, 0 in France."""
    international_prefix: InternationalPrefix = "00"
    """What an international number begins with when dialled, 00 in France."""
    national_length: Annotated[int, Field(ge=3, le=15)] = 9
    """How many digits follow the national prefix."""
    international_allowed: bool = True
    """Whether users may call abroad."""
    international_barred: tuple[BarredPrefix, ...] = ()
    """Beginnings of international numbers that are barred, as +882; toll fraud goes there."""
    emergency: tuple[ShortNumber, ...] = (
        *("15", "17", "18", "112", "114", "115", "119"),
        *("116000", "191", "196", "197"),
    )
    """Emergency numbers: matched before anything else, sent as dialled."""
    short: tuple[ShortPattern, ...] = ("10XX", "118XXX", "3XXX", "116XXX")
    """Patterns of short numbers, sent as dialled; X is any digit."""
    clir_prefix: FeaturePrefix = "*31"
    """What a user dials before a number to hide the own one."""
    caller_number: Literal["ddi", "installation"] = "ddi"
    """What callees see: the user's own DDI, or the installation number."""


class User(Section):
    """A user: extension, DDI, and the password its phone registers with (none: no phone may)."""

    extension: Extension
    """The internal number."""
    name: Text = ""
    """The name that is shown."""
    ddi: OptionalNumber = ""
    """The public number that rings this user; empty: called from inside only."""
    password: Secret = ""
    """What the phone registers with; best a reference, ${file:PATH} or ${env:NAME}."""
    clir: bool = False
    """Whether this user's number is always hidden."""
    site: Text = ""
    """The label of the remote site the user sits at; empty: the main site."""


class CertificateFiles(Section):
    """A certificate with its chain and its key, PEM files beside the site file (CERT-2).

    `key` may be left out where the certificate's file holds it too.
    """

    certificate: Filled
    """The PEM file of the certificate, with every intermediate below the root."""
    key: Text = ""
    """The PEM file of its private key; empty: it stands in the certificate's file."""


class Certificates(Section):
    """Web Monitor > Certificates: what this IPBX presents, and whom it trusts (CERT-2, CERT-3).

    `public_server` is presented on the trunk, as client and as server; `phones` on the
    phones' TLS listener, empty: the same. `trust` are PEM files of roots and
    intermediates.
    """

    public_server: CertificateFiles
    """The certificate that the access SBCs see."""
    phones: CertificateFiles | None = None
    """Another one for the phones; left out: the same."""
    trust: tuple[Filled, ...] = ()
    """PEM files of the roots and intermediates that are trusted: the carrier's and your CA's."""
    key_bits: Annotated[Literal[2048, 3072, 4096], BeforeValidator(digits)] = 2048
    """The size of the RSA key that a request is made with (CERT-1)."""
    authority: Text = ""
    """The public CA that signs, as it calls itself."""


class PortRange(Section):
    """UDP ports, first and last; RTP takes the even ones, RTCP the odd ones (RFC 3550 §11)."""

    first: Port
    """The first port."""
    last: Port
    """The last port; it counts too."""


class Media(Section):
    """Where media is anchored on the IPBX (INET-4): its ports on each side, and its workers.

    `trunk_ports` is the range the guide's firewall table opens (FW-2); an IPBX that
    anchors nothing needs none. `workers` 0 takes one for each processor but one.
    """

    trunk_ports: PortRange | None = None
    """The media ports toward the carrier."""
    phone_ports: PortRange = PortRange(first=16384, last=32767)
    """The media ports toward the phones."""
    workers: Annotated[int, Field(ge=0, le=64)] = 0
    """Processes that carry media; 0: one for each processor but one."""
    dscp: Annotated[int, Field(ge=0, le=63)] = 46
    """DSCP of every media packet; 46 is EF (QOS-1)."""


class Calls(Section):
    """Bounds on every call of the IPBX."""

    ringing_max: Annotated[float, Field(ge=1, le=600)] = 60.0
    """How long a call may ring, in seconds."""
    duration_max: Annotated[float, Field(ge=1, le=86400)] = 43200.0
    """How long a call may last, in seconds."""
    drain_max: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """How long a shutdown waits for calls to end, in seconds."""


class Records(Section):
    """Call records: where they go, how long they stay, how much of a number they show."""

    file: Text = ""
    """The file of call records, one JSON object a line; empty: none are kept."""
    retention_days: Annotated[int, Field(ge=0, le=3650)] = 365
    """Days that a record stays."""
    mask_digits: Annotated[int, Field(ge=0, le=15)] = 0
    """How many of a far number's last digits are hidden."""


class CarrierSubscriber(Section):
    """A subscriber of the virtual public network, by number, and what it does when called.

    `after` is the time to its answer, `seconds` the time to its hanging up (`does:
    hang-up` only), `tone` what it plays, in Hz. `does: external` sends the call to a
    SIP peer at `at` (address:port).
    """

    number: SubscriberNumber
    """The subscriber's number, +E.164 or a short one."""
    does: Literal["answer", "echo", "busy", "ring", "early", "hang-up", "external"] = "answer"
    """What it does when it is called."""
    after: Annotated[float, Field(ge=0, le=600)] = 0.2
    """Seconds until it answers."""
    seconds: Annotated[float, Field(ge=0, le=86400)] = 5.0
    """does: hang-up: seconds until it hangs up."""
    tone: Annotated[int, Field(ge=300, le=3400)] = 425
    """The tone that it plays, in Hz."""
    at: OptionalServer = ""
    """does: external: the SIP peer, ADDRESS:PORT."""


class CarrierSbc(Section):
    """One access SBC of the virtual carrier: signalling and media addresses differ (SBC-1).

    `port` is the customer's side. Over the internet that is TLS with the SBC's own
    `certificate`, and external subscribers are spoken to by UDP from `public_port`.
    """

    label: Filled
    """What it is called in the log and in `trunkline status`."""
    signalling: Address
    """The address it speaks SIP on."""
    media: Address
    """The address its RTP comes from; another one (SBC-1)."""
    port: Port = 5060
    """The SIP port toward the customer."""
    public_port: Port = 5060
    """The SIP port toward external subscribers."""
    certificate: CertificateFiles | None = None
    """Its certificate and key, over the internet."""


class CarrierKnobs(Section):
    """What the virtual carrier is and insists on; the guide leaves most of it open.

    `number_ranges` are the numbers bought, each FIRST-LAST or one number; a public
    number without a subscriber is unallocated (404). A description must hold one of
    `codecs` (CODEC-1; none: any will do). `trusted` are further addresses the customer's
    signalling may come from, such as a proxy between IPBX and carrier.
    """

    sbcs: tuple[CarrierSbc, ...] = ()
    """The virtual carrier's access SBCs, one for each gateway."""
    number_ranges: tuple[NumberRange, ...] = ()
    """The numbers bought, each FIRST-LAST or one number."""
    refuse_foreign_caller: bool = True
    """Whether a caller number outside the ranges is refused."""
    channels: Annotated[int, Field(ge=1, le=1000)] | None = None
    """The channels bought; `check` holds trunk.channels against them."""
    full_status: FullStatus = 503
    """The SIP status that a call over the channels is answered."""
    codecs: tuple[Literal["PCMA", "PCMU", "G729"], ...] = ("PCMA",)
    """The codecs of which a call must offer one."""
    registration_required: bool = False
    """Whether calls are taken from a registered IPBX only."""
    trusted: tuple[Address, ...] = ()
    """Further addresses that calls may come from, as a proxy's."""
    supervision: Supervision = Supervision()
    """How the carrier watches the IPBX."""
    trust: tuple[Filled, ...] = ()
    """PEM files of the roots that the carrier trusts."""
    subscribers: tuple[CarrierSubscriber, ...] = ()
    """The subscribers of the virtual public network."""


class Site(Section):
    """A whole site file, schema 1."""

    schema_: Annotated[Literal[1], BeforeValidator(digits), Field(alias="schema")]
    """The version of this file's format: 1."""
    customer: Filled
    """The customer's name, as forms show it."""
    guide: Guide
    """The carrier's guide that the site is built to."""
    architecture: Architecture
    """bvpn: the carrier's private network; bvpn-rainbow: the same with a WebRTC gateway; internet-a: over
    the internet, public address on eth1; internet-b: over the internet behind a firewall that
    translates.
    """
    product: Product
    """The IPBX."""
    interfaces: Interfaces
    """Hardware and Limits > LAN/IP Configuration."""
    dns: tuple[Server, ...] = ()
    """Hardware and Limits > DNS: the DNS servers, each an address, with :PORT where it is not 53."""
    ntp: tuple[Host, ...] = ()
    """Hardware and Limits > NTP: the time servers."""
    security: Security = Security()
    """OMC > Security."""
    timers: Timers = Timers()
    """SIP timers; leave them out unless the network is private and quick."""
    phones: Phones = Phones()
    """VoIP: SIP phones."""
    trunk: Trunk
    """External Lines > SIP."""
    numbering: Numbering
    """Numbering."""
    users: tuple[User, ...] = ()
    """Users / Base stations, one by one."""
    endpoints: tuple[Endpoint, ...] = ()
    """The phones, counted by model (VER-2)."""
    fax: tuple[FaxMachine, ...] = ()
    """Fax machines and fax servers."""
    webrtc_gateway: WebRtcGateway | None = None
    """The Rainbow WebRTC gateway."""
    remote_sites: tuple[RemoteSite, ...] = ()
    """Sites whose phones are the main site's own."""
    traffic: Traffic = Traffic()
    """What the channels are sized for."""
    wan: Wan | None = None
    """The main site's WAN router."""
    firewall: Firewall | None = None
    """The firewall between the IPBX and the internet."""
    vpn: Vpn | None = None
    """The main site's end of the tunnels to remote sites."""
    dns_records: tuple[DnsRecord, ...] = ()
    """What the customer publishes in public DNS."""
    cloud_connect: CloudConnect = CloudConnect()
    """ALE Cloud Connect."""
    certificates: Certificates | None = None
    """Web Monitor > Certificates."""
    media: Media = Media()
    """Media ports and marking."""
    calls: Calls = Calls()
    """Bounds on every call."""
    records: Records = Records()
    """Call records."""
    carrier: CarrierKnobs = CarrierKnobs()
    """The carrier that `trunkline carrier` plays; `check` compares what you bought with the rest."""

    @property
    def over_internet(self) -> bool:
        """Whether the trunk is mutual TLS with SRTP, media anchored here (2.4), not BVPN in the clear."""
        return self.architecture in ("internet-a", "internet-b")
