"""Chapter 2.2 of the guide: the trunk over the carrier's private network, and the bound on its calls."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.site.model import Site


def _one_connection(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = site.trunk.listen.interface
    for index, gateway in enumerate(site.trunk.gateways):
        if gateway.topology.interface != wanted:
            says = f"gateway {gateway.label} uses {gateway.topology.interface}, the trunk {wanted}"
            yield Seen(("trunk", "gateways", index, "topology", "interface"), says)


def _interface_described(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.trunk.listen.interface == "eth1" and site.interfaces.eth1 is None:
        yield Seen(("trunk", "listen", "interface"), "the trunk uses eth1, but the file describes no eth1")


def _transport_listened_to(site: Site, facts: Facts) -> Iterator[Seen]:
    ports = {"udp": site.trunk.listen.udp, "tcp": site.trunk.listen.tcp, "tls": site.trunk.listen.tls}
    for index, gateway in enumerate(site.trunk.gateways):
        transport = gateway.domain_proxy.transport
        if not ports[transport]:
            says = (
                f"gateway {gateway.label} speaks {transport.upper()}, but trunk.listen.{transport} is 0 (off)"
            )
            mend = f"give trunk.listen.{transport} its port, or choose another transport"
            yield Seen(("trunk", "gateways", index, "domain_proxy", "transport"), says, mend)


def _media_direct(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, gateway in enumerate(site.trunk.gateways):
        if not gateway.media.rtp_direct and not facts.flag("bvpn.anchored"):
            says = f"gateway {gateway.label} would lead media through the IPBX"
            yield Seen(("trunk", "gateways", index, "media", "rtp_direct"), says)


def _clear(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.flag("bvpn.encrypted"):
        return
    for index, gateway in enumerate(site.trunk.gateways):
        for key, on in (("sip_tls", gateway.security.sip_tls), ("srtp", gateway.security.srtp)):
            if on:
                says = f"gateway {gateway.label} has {key} on; over BVPN signalling and media are clear"
                yield Seen(("trunk", "gateways", index, "security", key), says)
        if gateway.domain_proxy.transport == "tls" and not gateway.security.sip_tls:
            says = f"gateway {gateway.label} speaks TLS; over BVPN signalling is clear"
            yield Seen(("trunk", "gateways", index, "domain_proxy", "transport"), says)


def _bound_carried(site: Site, facts: Facts) -> Iterator[Seen]:
    calls = [gateway.media.bandwidth for gateway in site.trunk.gateways]
    for index, gateway in enumerate(site.trunk.gateways):
        if not gateway.media.bandwidth:
            says = f"gateway {gateway.label} has a bandwidth of 0: it refuses every outgoing call"
            yield Seen(("trunk", "gateways", index, "media", "bandwidth"), says)
    if 0 < sum(calls) < site.trunk.channels:
        says = f"{site.trunk.channels} channels, but the gateways together carry only {sum(calls)} calls"
        yield Seen(("trunk", "channels"), says)


def _bound_carried_alone(site: Site, facts: Facts) -> Iterator[Seen]:
    channels = site.trunk.channels
    if sum(gateway.media.bandwidth for gateway in site.trunk.gateways) < channels:
        return  # CAC-1a says so
    for index, gateway in enumerate(site.trunk.gateways):
        if 0 < gateway.media.bandwidth < channels:
            says = (
                f"gateway {gateway.label} carries {gateway.media.bandwidth} calls of {channels} channels: "
                "too few when it is the only one left"
            )
            yield Seen(("trunk", "gateways", index, "media", "bandwidth"), says)


RULES = (
    Rule(
        id="BVPN-1a",
        title="All gateways use the main site's one BVPN connection",
        level=Level.MUST,
        source="guide 2.2",
        mend="SIP Gateways > Topology: choose the interface of trunk.listen",
        look=_one_connection,
        needs=("trunk.listen.interface",),
        architectures=("bvpn",),
    ),
    Rule(
        id="BVPN-1b",
        title="The interface of the trunk is described",
        level=Level.MUST,
        source="guide 2.2",
        mend="choose eth0, or describe eth1 under interfaces",
        look=_interface_described,
        needs=("interfaces.eth1",),
        architectures=("bvpn",),
    ),
    Rule(
        id="BVPN-1c",
        title="The IPBX listens on the transport its gateways speak",
        level=Level.MUST,
        source="guide 2.2",
        mend="listen on the gateway's transport",
        look=_transport_listened_to,
        needs=("trunk.listen.udp", "trunk.listen.tcp", "trunk.listen.tls"),
        architectures=("bvpn",),
    ),
    Rule(
        id="BVPN-1d",
        title="Over BVPN signalling and media are clear",
        level=Level.MUST,
        source="guide 2.2, 2.4",
        mend="SIP Gateways > Security: switch it off; encryption belongs to the trunk over the internet",
        look=_clear,
        fact="bvpn.encrypted",
        architectures=("bvpn",),
    ),
    Rule(
        id="BVPN-2",
        title="Media goes straight between endpoint and access SBC",
        level=Level.MUST,
        source="guide 2.2",
        mend="SIP Gateways > Media: set RTP Direct",
        look=_media_direct,
        fact="bvpn.anchored",
        architectures=("bvpn",),
    ),
    Rule(
        id="CAC-1a",
        title="The gateways carry the trunk's channels",
        level=Level.MUST,
        source="guide 2.2",
        mend="SIP Gateways > Media: set the bandwidth of each gateway to at least trunk.channels",
        look=_bound_carried,
        needs=("trunk.gateways.*", "trunk.gateways.*.media.bandwidth"),
    ),
    Rule(
        id="CAC-1b",
        title="Each gateway alone carries the trunk's channels",
        level=Level.SHOULD,
        source="guide 2.2",
        mend="SIP Gateways > Media: set the bandwidth to at least trunk.channels",
        look=_bound_carried_alone,
        needs=("trunk.channels", "trunk.gateways.*", "trunk.gateways.*.media.bandwidth"),
    ),
)
