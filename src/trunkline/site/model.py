"""The site file as typed values: one customer, in the words of OMC.

Every key of `site.yaml` is a field here; `site.load` reads text into it and places
each error at its line and column. Values come in as text (see `load`), so numbers and
booleans are parsed here, from their YAML text, and phone numbers stay strings.
Durations are seconds throughout.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Section(BaseModel):
    """A mapping of the site file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Guide(Section):
    """Which carrier's guide, in which edition, this site is built to."""

    name: str
    edition: str


class Product(Section):
    """The IPBX: model and certified load (VER-1)."""

    model: Literal["PowerCPU", "OCE"]
    version: str
    load: str


class Interface(Section):
    """Hardware and Limits > LAN/IP Configuration: one Ethernet interface."""

    address: str
    domain_name: str = ""


class Interfaces(Section):
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
    udp: Annotated[int, Field(ge=0, le=65535)] = 5060
    tcp: Annotated[int, Field(ge=0, le=65535)] = 5060


class Phones(Section):
    """The phone side: the registrar and its digest (RFC 3261 §10, §22; RFC 8760)."""

    listen: SipListen = SipListen(udp=5059, tcp=5059)
    realm: str = "trunkline"
    digest: tuple[Literal["SHA-256", "MD5"], ...] = ("SHA-256", "MD5")
    nonce_lifetime: Seconds = 300
    expires_min: Seconds = 60
    expires_default: Seconds = 3600
    expires_max: Seconds = 7200
    contacts_max: Annotated[int, Field(ge=1, le=10)] = 3


class GatewayGeneral(Section):
    """Tab General."""

    index: Annotated[int, Field(ge=1, le=99)]
    numbers_format: Literal["canonical", "national"] = "canonical"


class GatewayDns(Section):
    """Tab DNS: how the carrier's name becomes addresses (RFC 3263)."""

    mode: Literal["none", "A", "SRV"] = "A"


class GatewayDomainProxy(Section):
    """Tab Domain Proxy; `port` empty means the transport's default or SRV's."""

    target_domain: str
    local_domain: str = ""
    realm: str = ""
    outbound_proxy: str = ""
    transport: Literal["udp", "tcp"] = "udp"
    port: Port | None = None


class GatewayRegistration(Section):
    """Tab Registration; off on a static trunk (the carrier knows the IPBX's address)."""

    requested: bool = False
    registrar: str = ""
    user: str = ""
    password: str = ""
    expires: Seconds = 3600


class GatewayMedia(Section):
    """Tab Media; `bandwidth` is the number of calls this gateway may carry at once."""

    rtp_direct: bool = True
    bandwidth: Annotated[int, Field(ge=0, le=1000)] = 0
    codecs: tuple[str, ...] = ("PCMA",)
    ptime: Annotated[int, Field(ge=10, le=60)] = 20


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
    alive_statuses: tuple[int, ...] = (401, 404, 405, 407, 483, 501)


class GatewayProtocol(Section):
    """Tab Protocol."""

    supervision: Supervision = Supervision()
    initial_timeout: Annotated[float, Field(ge=0.1, le=32)] = 4.0
    trying_timeout: Annotated[float, Field(ge=0.1, le=300)] = 20.0
    reroute_statuses: tuple[int, ...] = (408, 500, 502, 503, 504)
    session_timer: bool = True
    session_expires: Annotated[int, Field(ge=90, le=86400)] = 1800
    min_se: Annotated[int, Field(ge=90, le=86400)] = 90
    reliable_provisionals: Literal["off", "supported", "required"] = "supported"


class GatewayTopology(Section):
    """Tab Topology: the interface the trunk uses."""

    interface: Literal["eth0", "eth1"] = "eth0"


class GatewaySecurity(Section):
    """Tab Security; clear over BVPN."""

    sip_tls: bool = False
    srtp: bool = False


class Gateway(Section):
    """External Lines > SIP > SIP Gateways: one access SBC, with its nine tabs (SEC-5)."""

    label: str
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
    inbound_full_status: Literal[486, 503] = 503
    gateways: Annotated[tuple[Gateway, ...], Field(min_length=1)]


class Numbering(Section):
    """Numbering: installation number, prefixes, and the numbers matched before any rule.

    `country` is the E.164 country code without "+". `emergency` and `short` are
    dialled with or without the outside prefix and sent as they are.
    """

    country: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}$")] = "33"
    installation_number: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{3,14}$")]
    outside_prefix: Annotated[str, Field(pattern=r"^[0-9*#]{0,3}$")] = "0"
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = "0"
    international_prefix: Annotated[str, Field(pattern=r"^[0-9]{1,4}$")] = "00"
    national_length: Annotated[int, Field(ge=3, le=15)] = 9
    international_allowed: bool = True
    emergency: tuple[str, ...] = ("15", "17", "18", "112", "114", "115", "119", "116000", "191", "196", "197")
    short: tuple[str, ...] = ("10XX", "118XXX", "3XXX", "116XXX")
    clir_prefix: str = "*31"
    caller_number: Literal["ddi", "installation"] = "ddi"


class User(Section):
    """A user: extension, DDI, and the password its phone registers with."""

    extension: Annotated[str, Field(pattern=r"^[0-9]{1,8}$")]
    name: str = ""
    ddi: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{3,14})?$")] = ""
    password: str = ""
    clir: bool = False


class Calls(Section):
    """Bounds on every call of the IPBX."""

    ringing_max: Annotated[float, Field(ge=1, le=600)] = 60.0
    duration_max: Annotated[float, Field(ge=1, le=86400)] = 43200.0
    drain_max: Annotated[float, Field(ge=0, le=3600)] = 5.0


class Records(Section):
    """Call records: where they go, how long they stay, how much of a number they show."""

    file: str = ""
    retention_days: Annotated[int, Field(ge=0, le=3650)] = 365
    mask_digits: Annotated[int, Field(ge=0, le=15)] = 0


class CarrierSubscriber(Section):
    """A subscriber of the virtual public network, by number, and what it does when called."""

    number: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{3,14}|[0-9]{2,8})$")]
    does: Literal["answer", "echo", "busy", "ring", "early", "hang-up", "external"] = "answer"
    after: Seconds = 0.2
    seconds: Seconds = 5.0
    tone: Annotated[int, Field(ge=300, le=3400)] = 425
    at: str = ""


class CarrierSbc(Section):
    """One access SBC of the virtual carrier: signalling and media addresses differ (SBC-1)."""

    label: str
    signalling: str
    media: str
    port: Port = 5060


class CarrierKnobs(Section):
    """What the virtual carrier is and insists on; the guide leaves most of it open."""

    sbcs: tuple[CarrierSbc, ...] = ()
    number_ranges: tuple[str, ...] = ()
    refuse_foreign_caller: bool = True
    channels: Annotated[int, Field(ge=1, le=1000)] | None = None
    full_status: Literal[486, 503] = 503
    register: bool = False
    supervision: Supervision = Supervision()
    subscribers: tuple[CarrierSubscriber, ...] = ()


class Site(Section):
    """A whole site file, schema 1."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    customer: str
    guide: Guide
    architecture: Literal["bvpn"]
    product: Product
    interfaces: Interfaces
    dns: tuple[str, ...] = ()
    timers: Timers = Timers()
    phones: Phones = Phones()
    trunk: Trunk
    numbering: Numbering
    users: tuple[User, ...] = ()
    calls: Calls = Calls()
    records: Records = Records()
    carrier: CarrierKnobs = CarrierKnobs()
