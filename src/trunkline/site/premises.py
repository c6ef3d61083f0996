"""What stands around the IPBX: remote sites and their links, routers, firewall, endpoints, fax, WebRTC.

The running IPBX needs little of it; the rules check it, and the dossier is made of it.
Rates are kb/s at IP level, traffic is in Erlang.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trunkline.site.scalar import (
    DomainName,
    Filled,
    Network,
    OptionalAddress,
    OptionalHost,
    OptionalNetwork,
    OptionalNumber,
    Port,
    Text,
)
from trunkline.site.section import Section

Rate = Annotated[int, Field(ge=0, le=100_000_000)]
Count = Annotated[int, Field(ge=0, le=10_000)]
InterfaceName = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._/-]{0,39})?$")]


class Endpoint(Section):
    """Users / Base stations: phones of one model (VER-2)."""

    model: Filled
    """The model as the guide or its label writes it: 8058s, 80x8s, ALE-300, xBS8378."""
    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How many of them."""
    site: Text = ""
    """The label of the remote site they stand at; empty: the main site."""
    software: Text = ""
    """Their software version, where the guide certifies from one."""


class FaxMachine(Section):
    """A fax machine or fax server, and how it is attached (FAX-1 to FAX-3)."""

    label: Filled
    """What it is called in forms and findings."""
    attached: Literal["analog-port", "gateway", "server"]
    """analog-port: a Z port of the IPBX itself; gateway: an analog gateway; server: a fax server."""
    device: Text = ""
    """The gateway's or server's product."""
    transport: Literal["t38", "g711"] = "t38"
    """How its calls cross the trunk."""
    dial_plan: Literal["shared", "own"] = "shared"
    """A server's numbers: of the IPBX's dial plan, or a plan of its own."""


class WebRtcGateway(Section):
    """The Rainbow WebRTC gateway (WEB-1)."""

    placement: Literal["embedded", "front-end", "stand-alone"]
    """embedded in OCE; a Front End beside PowerCPU; stand-alone on the LAN."""
    users: Count = 0
    """Clients that may call through it."""
    address: OptionalAddress = ""
    """Its address on the LAN where it is a machine of its own."""


class Traffic(Section):
    """What the channels are sized for; without it, one channel for each call that is planned."""

    busy_hour_erlang: Annotated[float, Field(ge=0, le=1000)] | None = None
    """External calls in the busy hour, in Erlang: calls an hour times their mean length in hours."""
    blocking: Annotated[float, Field(gt=0, lt=1)] = 0.01
    """The share of calls that may find all channels busy."""
    forced_onnet: Count = 0
    """Calls at once between sites that go through the carrier (CAC-3, forced on-net)."""
    on_hold: Count = 0
    """Calls of remote sites that may be on hold at once (CAC-3)."""


class Link(Section):
    """How a remote site reaches the main site, and how wide that is (BVPN-3, INET-5)."""

    kind: Literal["bvpn", "internet"]
    """The site's access: the carrier's private network, or an internet access."""
    kbps: Rate
    """Its rate for voice in the narrower direction."""
    vpn: Literal["none", "ipsec", "wireguard", "phone"] = "none"
    """What secures the way to the main site: IPsec, WireGuard, or the phones' own VPN client."""
    router: OptionalHost = ""
    """The public address or name of the site's router, the tunnel's far end."""
    vpn_key: Text = ""
    """The file of the site's public WireGuard key, or of the IPsec secret: a path, never the key."""


class RemoteSite(Section):
    """A remote site without survivability: IP phones that are the main site's own (FORM-3)."""

    label: Filled
    """What it is called; users and endpoints name it by this."""
    channels: Annotated[int, Field(ge=0, le=1000)]
    """Calls of this site with the public network at once."""
    link: Link
    """Its way to the main site."""
    network: OptionalNetwork = ""
    """Its LAN, as 192.168.20.0/24."""
    media_path: Literal["main-site", "direct"] = "main-site"
    """Where its media runs over BVPN: by the main site, or straight to the SBC. The guide says both."""
    survivability: bool = False
    """Whether it keeps telephony when the link is lost: the guide certifies sites without."""
    number: OptionalNumber = ""
    """The number that an emergency call from this site shows, as the carrier knows its address."""
    traffic: Traffic = Traffic()
    """What this site's channels are sized for."""


class Wan(Section):
    """The WAN router of the main site."""

    kbps: Rate
    """Its rate for voice in the narrower direction."""
    address: OptionalAddress = ""
    """Its address on the LAN."""
    trusts_dscp: bool = True
    """Whether it keeps the DSCP of the voice equipment (QOS-1)."""


class Firewall(Section):
    """The firewall between the IPBX and the internet (INET-2, INET-3, FW-1 to FW-4)."""

    mode: Literal["transparent", "nat"]
    """transparent: a bridge or router that translates nothing; nat: layer-3 NAT of the public address."""
    public_address: OptionalAddress = ""
    """nat: the public address that it translates to the IPBX's."""
    sip_alg: bool = False
    """Whether it rewrites SIP by itself: it must not."""
    media_first: Port | None = None
    """The media ports it opens, where they differ from the guide's: first."""
    media_last: Port | None = None
    """And last."""
    inside: InterfaceName = ""
    """The firewall's own name of the interface toward the IPBX; empty: what its maker usually calls it."""
    outside: InterfaceName = ""
    """The firewall's own name of the interface toward the internet."""


class CloudConnect(Section):
    """ALE Cloud Connect: maintenance and Rainbow, over an internet access apart from the trunk (CFG-2)."""

    access: Literal["none", "separate", "trunk"] = "none"
    """Its internet access: none, one of its own, or the trunk's."""


class Vpn(Section):
    """The main site's end of the tunnels to remote sites (BVPN-3, INET-5)."""

    address: OptionalHost = ""
    """Its public address or name."""
    port: Port = 51820
    """WireGuard's UDP port."""
    network: Network = "10.255.0.0/24"
    """The tunnels' own addresses."""
    key: Text = ""
    """The file of the main site's private WireGuard key, or of the IPsec secret: a path, never the key."""


class DnsRecord(Section):
    """A record that the customer publishes in public DNS (DNS-1)."""

    name: DomainName
    """The name, in full."""
    type: Literal["A", "AAAA", "CNAME", "SRV"] = "A"
    """Its type."""
    value: Filled
    """What it says: an address, a name, or an SRV record's four parts."""
    ttl: Annotated[int, Field(ge=30, le=604_800)] = 3600
    """Seconds that others may keep it."""


class Security(Section):
    """OMC > Security."""

    dtls_encryption: bool = False
    """DTLS Encryption: the system's encryption as a whole; without it there is no SIP TLS (SEC-1)."""
