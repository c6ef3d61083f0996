"""Chapters 2.4 and 5.2 of the guide: the trunk over the internet, topology A."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Final

from trunkline.finding import Level
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.site.gateway import Gateway
from trunkline.site.model import Interface, Site
from trunkline.site.scalar import is_address

ARCHITECTURES: Final = ("internet-a",)
LEG_PORTS: Final = 2  # RTP and RTCP (RFC 3550 §11)

# RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291: nobody on the internet can reach these. Loopback
# addresses are a lab's, and told by nobody.
_PRIVATE: Final = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    )
)


def _gateways(site: Site) -> Iterator[tuple[Path, Gateway]]:
    for index, gateway in enumerate(site.trunk.gateways):
        yield ("trunk", "gateways", index), gateway


def _interface(site: Site, name: str) -> Interface | None:
    return site.interfaces.eth1 if name == "eth1" else site.interfaces.eth0


def _private(address: str) -> bool:
    return is_address(address) and any(ip_address(address) in network for network in _PRIVATE)


# --- 2.4.1 to 2.4.3: product, address, names ------------------------------------------


def _product(site: Site, facts: Facts) -> Iterator[Seen]:
    certified = facts.words("products.internet")
    if site.product.model not in certified:
        says = f"{site.product.model} is not certified for a trunk over the internet"
        yield Seen(("product", "model"), says, f"it takes {' or '.join(certified)}, alone and no Front End")


def _trunk_interface(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("internet.trunk_interface")
    if site.trunk.listen.interface != wanted:
        says = f"the trunk uses {site.trunk.listen.interface}; the public address is on {wanted}"
        yield Seen(("trunk", "listen", "interface"), says, f"choose {wanted}")
    for path, gateway in _gateways(site):
        if gateway.topology.interface != wanted:
            says = f"gateway {gateway.label} uses {gateway.topology.interface}, not {wanted}"
            yield Seen((*path, "topology", "interface"), says, f"SIP Gateways > Topology: choose {wanted}")


def _public_address(site: Site, facts: Facts) -> Iterator[Seen]:
    name = facts.text("internet.trunk_interface")
    interface = _interface(site, name)
    if interface is None:
        yield Seen(("interfaces",), f"the file describes no {name}, which carries the public address")
    elif _private(interface.address):
        says = f"{interface.address} on {name} is a private address: the carrier cannot reach it"
        yield Seen(("interfaces", name, "address"), says)


def _anchored(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.flag("internet.anchored"):
        return
    for path, gateway in _gateways(site):
        if gateway.media.rtp_direct:
            says = f"gateway {gateway.label} has RTP Direct; over the internet the IPBX anchors all media"
            yield Seen((*path, "media", "rtp_direct"), says)


def _by_name(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in _gateways(site):
        proxy = gateway.domain_proxy
        for key in ("target_domain", "outbound_proxy"):
            if is_address(getattr(proxy, key)):
                says = f"gateway {gateway.label} is reached by the address {getattr(proxy, key)}"
                yield Seen((*path, "domain_proxy", key), says)


def _resolved(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("internet.gateway_dns")
    for path, gateway in _gateways(site):
        if gateway.dns.mode not in (wanted, "none"):  # SITE-24 tells of "none"
            says = f"gateway {gateway.label} is found by {gateway.dns.mode}"
            yield Seen((*path, "dns", "mode"), says, f"SIP Gateways > DNS: choose {wanted}")


def _public_name(site: Site, facts: Facts) -> Iterator[Seen]:
    name = facts.text("internet.name_interface")
    interface = _interface(site, name)
    if interface is not None and not interface.domain_name:
        says = f"{name} has no domain name: the certificate bears the public FQDN"
        yield Seen(("interfaces", name, "domain_name"), says)


def _public_dns(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, server in enumerate(site.dns):
        if _private(server.rpartition(":")[0] if server.count(":") == 1 else server):
            yield Seen(
                ("dns", index), f"{server} is a private address; the guide asks for public DNS servers"
            )


# --- 2.4.4: ports ---------------------------------------------------------------------


def _tls_port(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("internet.signalling_port")
    if site.trunk.listen.tls != wanted:
        yield Seen(("trunk", "listen", "tls"), f"SIP TLS trunk signal port is {site.trunk.listen.tls}")
    for path, gateway in _gateways(site):
        port = gateway.domain_proxy.port
        if port not in (None, wanted):
            says = f"gateway {gateway.label} is called on port {port}"
            yield Seen((*path, "domain_proxy", "port"), says)


def _tls_transport(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("internet.transport")
    for path, gateway in _gateways(site):
        if gateway.domain_proxy.transport != wanted:
            says = f"gateway {gateway.label} speaks {gateway.domain_proxy.transport.upper()}"
            mend = f"SIP Gateways > Domain Proxy: choose {wanted}"
            yield Seen((*path, "domain_proxy", "transport"), says, mend)


def _nothing_clear(site: Site, facts: Facts) -> Iterator[Seen]:
    for transport, port in (("udp", site.trunk.listen.udp), ("tcp", site.trunk.listen.tcp)):
        if port:
            says = f"the trunk also listens on {transport.upper()} port {port}, in the clear"
            yield Seen(("trunk", "listen", transport), says)


def _media_ports(site: Site, facts: Facts) -> Iterator[Seen]:
    first, last = facts.numbers("internet.media_ports")
    given = site.media.trunk_ports
    if given is None:
        says = f"no media ports for the trunk; the firewall table opens {first} to {last}"
        yield Seen(("media", "trunk_ports"), says)
    elif not first <= given.first <= given.last <= last:
        says = (
            f"ports {given.first} to {given.last} are not within {first} to {last}, which the firewall opens"
        )
        yield Seen(("media", "trunk_ports"), says)


def _enough_ports(site: Site, facts: Facts) -> Iterator[Seen]:
    needed = LEG_PORTS * site.trunk.channels
    for key in ("trunk_ports", "phone_ports"):
        given = getattr(site.media, key)
        if given is None:
            continue  # FW-2a
        has = given.last - given.first - given.first % 2 + 1
        if given.first <= given.last and has < needed:  # RTP begins on an even port
            says = f"{has} ports are too few for {site.trunk.channels} calls: {needed} are needed"
            yield Seen(("media", key), says)


# --- 2.4.5 to 2.4.8, 5.2.4: certificates, TLS, SRTP, codec ---------------------------


def _certificates(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.certificates is None:
        yield Seen(("certificates",), "the file names no certificate of this IPBX")


def _trust(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.certificates is not None and not site.certificates.trust:
        yield Seen(("certificates", "trust"), "no root is trusted: every access SBC would be refused")


def _tls_version(site: Site, facts: Facts) -> Iterator[Seen]:
    spoken = facts.words("tls.versions_oce")
    for path, gateway in _gateways(site):
        if site.product.model == "OCE" and gateway.security.tls_max not in ("", *spoken):
            says = (
                f"gateway {gateway.label} would use TLS {gateway.security.tls_max}; OCE speaks {spoken[-1]}"
            )
            yield Seen((*path, "security", "tls_max"), says)


def _switches(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.flag("internet.encrypted"):
        return
    for path, gateway in _gateways(site):
        for key in ("sip_tls", "mutual_authentication", "srtp"):
            if not getattr(gateway.security, key):
                says = f"gateway {gateway.label} has {key} off"
                yield Seen((*path, "security", key), says, f"SIP Gateways > Security: set {key} to true")


def _suite(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("srtp.suite")
    for path, gateway in _gateways(site):
        if wanted not in gateway.security.suites:
            says = f"gateway {gateway.label} does not have {wanted} in the selected list"
            yield Seen((*path, "security", "suites"), says, f"SIP Gateways > Security: add {wanted}")


def _one_name(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in _gateways(site):
        proxy = gateway.domain_proxy
        for key in ("realm", "outbound_proxy"):
            if getattr(proxy, key).lower() != proxy.target_domain.lower():
                says = f"gateway {gateway.label} has {key} {getattr(proxy, key)!r}, not {proxy.target_domain}"
                yield Seen((*path, "domain_proxy", key), says)


def _the_carriers_names(site: Site, facts: Facts) -> Iterator[Seen]:
    names = [facts.text(f"internet.sbc.{which}.name") for which in ("nominal", "backup")]
    order = sorted(enumerate(site.trunk.gateways), key=lambda entry: entry[1].general.index)
    for (index, gateway), name in zip(order, names, strict=False):
        target = gateway.domain_proxy.target_domain
        if target.lower() != name and not is_address(target):  # DNS-1 tells of an address
            says = f"gateway {gateway.label} leads to {target}; the guide's access SBC is {name}"
            yield Seen(("trunk", "gateways", index, "domain_proxy", "target_domain"), says)


def _codec(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.words("internet.codecs")
    for path, gateway in _gateways(site):
        if gateway.media.codecs != wanted:
            says = f"gateway {gateway.label} offers {', '.join(gateway.media.codecs)}"
            mend = f"SIP Gateways > Media: offer {', '.join(wanted)} alone"
            yield Seen((*path, "media", "codecs"), says, mend)


def _packet_time(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("internet.ptime")
    for path, gateway in _gateways(site):
        if gateway.media.ptime != wanted:
            says = f"gateway {gateway.label} puts {gateway.media.ptime} ms of speech into a packet"
            yield Seen((*path, "media", "ptime"), says, f"SIP Gateways > Media: set ptime to {wanted}")


_TAB = "SIP Gateways"

RULES = (
    Rule(
        id="INET-1",
        title="Over the internet the IPBX is a stand-alone OCE",
        level=Level.MUST,
        source="guide 2.4",
        mend="choose the certified product",
        look=_product,
        fact="products.internet",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="INET-2a",
        title="The trunk is on the interface with the public address",
        level=Level.MUST,
        source="guide 2.4, 5.2.1",
        mend="choose the interface of the public address",
        look=_trunk_interface,
        fact="internet.trunk_interface",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="INET-2b",
        title="The IPBX itself has the public address",
        level=Level.MUST,
        source="guide 2.4, 5.2.1",
        mend="Hardware and Limits > LAN/IP Configuration > eth1: write the public address; the firewall "
        "does no NAT",
        look=_public_address,
        fact="internet.trunk_interface",
        needs=("interfaces.eth1",),
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="INET-4",
        title="Media is anchored on the IPBX",
        level=Level.MUST,
        source="guide 2.4",
        mend=f"{_TAB} > Media: set rtp_direct to false",
        look=_anchored,
        fact="internet.anchored",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="DNS-1",
        title="The access SBCs are reached by name",
        level=Level.MUST,
        source="guide 2.4.3",
        mend=f"{_TAB} > Domain Proxy: write the access SBC's FQDN; its certificate names nothing else",
        look=_by_name,
        fact="internet.reached_by",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="CFG-3a",
        title="The IPBX's public FQDN is written down",
        level=Level.MUST,
        source="guide 5.2.1",
        mend="Hardware and Limits > LAN/IP Configuration > eth0: write the FQDN of the public A record",
        look=_public_name,
        fact="internet.name_interface",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="CFG-3b",
        title="The DNS servers are public ones",
        level=Level.SHOULD,
        source="guide 5.2.1",
        mend="Hardware and Limits > DNS: write public DNS servers",
        look=_public_dns,
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="SEC-2a",
        title="SIP TLS uses the carrier's port",
        level=Level.MUST,
        source="guide 2.4.4, 5.2.4",
        mend="VoIP Parameters > eth1: SIP TLS trunk signal port as the guide's firewall table has it",
        look=_tls_port,
        fact="internet.signalling_port",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="SEC-2b",
        title="The trunk speaks TLS",
        level=Level.MUST,
        source="guide 2.4.4, 5.2.4",
        mend=f"{_TAB} > Domain Proxy: choose tls",
        look=_tls_transport,
        fact="internet.transport",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="FW-4",
        title="Toward the internet nothing listens but SIP over TLS",
        level=Level.SHOULD,
        source="guide 2.4.4",
        mend="set it to 0: the firewall opens nothing else",
        look=_nothing_clear,
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="FW-2a",
        title="The trunk's media ports are those the firewall opens",
        level=Level.MUST,
        source="guide 2.4.4",
        mend="give media.trunk_ports first and last within the range of the guide's firewall table",
        look=_media_ports,
        fact="internet.media_ports",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="FW-2b",
        title="There are media ports for every channel",
        level=Level.MUST,
        source="guide 2.4.4",
        mend="widen the range: two ports for each call on each side",
        look=_enough_ports,
        needs=("trunk.channels",),
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="CERT-2",
        title="The IPBX has a certificate",
        level=Level.MUST,
        source="guide 5.2.3",
        mend="Web Monitor > Certificates: name the files under certificates.public_server",
        look=_certificates,
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="CERT-3",
        title="The trust store holds the carrier's CA",
        level=Level.MUST,
        source="guide 5.2.3",
        mend="Web Monitor > Trust store: name the PEM files of roots and intermediates",
        look=_trust,
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="TLS-2",
        title="TLS goes no further than the product does",
        level=Level.SHOULD,
        source="guide 2.4.6",
        mend="leave tls_max out; the certified versions of OCE stop there",
        look=_tls_version,
        fact="tls.versions_oce",
        needs=("product.model",),
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="SEC-3",
        title="The gateways are found by the DNS records of the guide",
        level=Level.SHOULD,
        source="guide 5.2.4",
        mend=f"{_TAB} > DNS: choose A",
        look=_resolved,
        fact="internet.gateway_dns",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="SEC-4a",
        title="SIP TLS, mutual authentication and SRTP are on",
        level=Level.MUST,
        source="guide 5.2.4",
        mend=f"{_TAB} > Security: switch it on",
        look=_switches,
        fact="internet.encrypted",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="SEC-4b",
        title="The carrier's SRTP suite is in the selected list",
        level=Level.MUST,
        source="guide 2.4.7, 5.2.4",
        mend=f"{_TAB} > Security: add the suite",
        look=_suite,
        fact="srtp.suite",
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="SEC-5a",
        title="Target domain, realm and outbound proxy are one name",
        level=Level.MUST,
        source="guide 5.2.4",
        mend=f"{_TAB} > Domain Proxy: write the access SBC's FQDN in all three",
        look=_one_name,
        needs=("trunk.gateways.*.domain_proxy.target_domain",),
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="SEC-5b",
        title="The gateways lead to the carrier's nominal and backup access SBC",
        level=Level.SHOULD,
        source="guide 2.4.4, 5.2.4",
        mend=f"{_TAB} > Domain Proxy: write the names of the guide, unless the carrier gave you others",
        look=_the_carriers_names,
        fact="internet.sbc.nominal.name",
        needs=("trunk.gateways.*", "trunk.gateways.*.general.index"),
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="CODEC-1a",
        title="The trunk uses the carrier's codec over the internet, and no other",
        level=Level.MUST,
        source="guide 2.4.8",
        mend=f"{_TAB} > Media: choose the codec",
        look=_codec,
        fact="internet.codecs",
        needs=("trunk.gateways.*.media.codecs.*",),
        architectures=ARCHITECTURES,
    ),
    Rule(
        id="CODEC-1b",
        title="A packet holds as much speech as the carrier asks for",
        level=Level.MUST,
        source="guide 2.4.8",
        mend=f"{_TAB} > Media: set ptime",
        look=_packet_time,
        fact="internet.ptime",
        architectures=ARCHITECTURES,
    ),
)
