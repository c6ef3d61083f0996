"""What a firewall has to let pass, as values: the guide's table with the site's addresses (FW-1 to FW-4).

Every reader takes these rows: the chapter's tables, each firewall's file, `plan --diff`. A row whose
address or port is not known keeps them empty; nobody puts a guess there.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Final, Literal, NamedTuple

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.plan.sbc_addresses import addresses
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site
from trunkline.site.scalar import is_address, split_server

Section = Literal["trunk", "ntp", "cloud-connect", "site-vpn"]
EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
NTP_PORT: Final = 123  # RFC 5905 §7.2
IKE_PORT, IKE_NAT_PORT = 500, 4500  # RFC 7296 §2, RFC 3948


class End(NamedTuple):
    """One end of an opening: its title, its DNS name if it has one, its addresses (empty: not known).

    `lacks` says what the site file has to say before they are; left out, the carrier has to.
    """

    title: str
    name: str = ""
    addresses: tuple[str, ...] = ()
    lacks: str = ""


class Opening(NamedTuple):
    """Packets that may pass, begun by `source`; answers to them pass too.

    `id` stays the same while addresses and ports change. `first` and `last` are the destination's
    ports (None: not known, or a protocol without ports). `crosses` says whether it passes between
    the trunk's interface and the internet, and so belongs into the files.
    """

    id: str
    section: Section
    service: str
    protocol: Literal["tcp", "udp", "esp"]
    source: End
    destination: End
    first: int | None
    last: int | None
    outward: bool
    crosses: bool
    key: str
    requirement: str

    @property
    def whole(self) -> bool:
        """Whether a rule can be written of it."""
        return (self.protocol == "esp" or self.first is not None) and bool(list(self.pairs()))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Source and destination addresses of one IP version."""
        for source in self.source.addresses:
            for destination in self.destination.addresses:
                if (":" in source) == (":" in destination):
                    yield source, destination


SIGNALLING: Final = said("signalling, SIP over TLS", "signalisation, SIP sur TLS")
CLEAR_SIGNALLING: Final = said("signalling, SIP", "signalisation, SIP")
MEDIA: Final = said("media, SRTP and SRTCP", "flux média, SRTP et SRTCP")
CLEAR_MEDIA: Final = said("media, RTP and RTCP", "flux média, RTP et RTCP")
DNS: Final = said("DNS questions", "requêtes DNS")
_RANK: Final = (("nominal", said("nominal", "nominal")), ("backup", said("backup", "secours")))


def openings(site: Site, facts: Facts) -> tuple[Opening, ...]:
    """All rows, in the guide's order: the trunk's first, then those of other services."""
    trunk = _over_internet(site, facts) if site.over_internet else _over_bvpn(site, facts)
    return (*trunk, *_ntp(site), *_cloud_connect(site, facts), *_site_vpn(site))


def machine(site: Site, facts: Facts) -> tuple[Opening, ...]:
    """The rows that `plan --diff` compares: `id` is a row's identity, everything else its fields."""
    return openings(site, facts)


def ipbx(site: Site) -> End:
    """The IPBX on the trunk's interface: its own address, which behind layer-3 NAT is the private one."""
    interface = site.interfaces.eth1 if site.trunk.listen.interface == "eth1" else None
    chosen = interface or site.interfaces.eth0
    return End(said("IPBX", "IPBX"), site.interfaces.eth0.domain_name, (chosen.address,))


def public_address(site: Site) -> tuple[str, str]:
    """The address the internet knows the IPBX by, and the key that says it; the address empty if unknown."""
    if site.architecture == "internet-b":  # eth1 has a private one there
        if site.firewall is not None and site.firewall.public_address:
            return site.firewall.public_address, "firewall.public_address"
        for index, gateway in enumerate(site.trunk.gateways):
            if gateway.topology.public_address:
                return gateway.topology.public_address, f"trunk.gateways.{index}.topology.public_address"
        return "", "firewall.public_address"
    return (ipbx(site).addresses[0] if site.over_internet else "", ipbx_key(site))


def ipbx_key(site: Site) -> str:
    """The site key of the IPBX's address on the trunk."""
    there = site.trunk.listen.interface == "eth1" and site.interfaces.eth1 is not None
    return f"interfaces.{'eth1' if there else 'eth0'}.address"


# --- over the internet: the guide's own table -----------------------------------------


def _over_internet(site: Site, facts: Facts) -> Iterator[Opening]:
    services = {
        "internet.signalling_port": SIGNALLING,
        "internet.media_ports": MEDIA,
        "internet.dns_port": DNS,
    }
    for fact in facts.under("internet.firewall"):
        if not isinstance(fact.value, tuple) or len(fact.value) != 4:
            continue  # the row that tells of source ports
        protocol, source, destination, port = map(str, fact.value)
        here = fact.key.rpartition(".")[2]
        for rank, far, key in _far_ends(site, facts, source if destination == "ipbx" else destination):
            outward = source == "ipbx"
            first, last = _ports(site, facts, port, to_ipbx=not outward)
            near = ipbx(site)
            yield Opening(
                f"trunk/{here}/{rank}",
                "trunk",
                services.get(port, ""),
                "tcp" if protocol == "tcp" else "udp",
                near if outward else far,
                far if outward else near,
                first,
                last,
                outward,
                True,
                key,
                ", ".join(fact.requirements),
            )


def _ports(site: Site, facts: Facts, key: str, *, to_ipbx: bool) -> tuple[int | None, int | None]:
    if not facts.known(key):
        return None, None
    value = facts[key].value
    first, last = facts.numbers(key) if isinstance(value, tuple) else (facts.number(key),) * 2
    firewall = site.firewall
    if to_ipbx and first != last and firewall is not None:
        return firewall.media_first or first, firewall.media_last or last
    return first, last


def _far_ends(site: Site, facts: Facts, word: str) -> Iterator[tuple[str, End, str]]:
    if word == "dns":
        for index, server in enumerate(site.dns):
            title = said("DNS server {number}", "serveur DNS {number}", number=index + 1)
            yield str(index + 1), End(title, "", (split_server(server, 53)[0],)), f"dns.{index}"
        return
    what = word.removeprefix("sbc-")
    kind = said("signalling", "signalisation") if what == "signalling" else said("media", "média")
    for index, (rank, shown) in enumerate(_RANK):
        title = said("{rank} SBC, {kind}", "SBC {rank}, {kind}", rank=shown, kind=kind)
        gateway = site.trunk.gateways[index] if index < len(site.trunk.gateways) else None
        base = f"internet.sbc.{rank}"
        name = facts.text(f"{base}.name", _name(gateway))
        known = facts.known(f"{base}.{what}")
        addresses = (facts.text(f"{base}.{what}"),) if known else _literal(gateway, what)
        yield rank, End(title, name if what == "signalling" else "", addresses), f"trunk.gateways.{index}"


def _name(gateway: Gateway | None) -> str:
    proxy = gateway.domain_proxy if gateway else None
    name = (proxy.outbound_proxy or proxy.target_domain) if proxy else ""
    return "" if is_address(name) else name


def _literal(gateway: Gateway | None, what: str) -> tuple[str, ...]:
    proxy = gateway.domain_proxy if gateway else None
    host = (proxy.outbound_proxy or proxy.target_domain) if proxy else ""
    return (host,) if what == "signalling" and is_address(host) else ()


# --- over BVPN: what the site file says, for the guide says nothing --------------------


_LAN_UNKNOWN: Final = said("give interfaces.eth0.prefix", "indiquer interfaces.eth0.prefix")


def _over_bvpn(site: Site, facts: Facts) -> Iterator[Opening]:
    near = ipbx(site)
    remote = tuple(one.network for one in site.remote_sites if one.network)
    phones = End(said("phones", "postes"), "", (*lan(site), *remote), _LAN_UNKNOWN)
    media: tuple[int, ...] | tuple[None, None] = (None, None)
    if facts.known("bvpn.media_ports"):
        media = facts.numbers("bvpn.media_ports")[:2]
    for index, gateway in enumerate(site.trunk.gateways):
        rank, shown = _RANK[index] if index < len(_RANK) else (str(index + 1), gateway.label)
        signalling, media_address = addresses(site, facts, gateway)
        title = said("{rank} SBC", "SBC {rank}", rank=shown)
        host = gateway.domain_proxy.outbound_proxy or gateway.domain_proxy.target_domain
        far = End(title, "" if is_address(host) else host, (signalling,) if signalling else ())
        protocol: Literal["tcp", "udp"] = "udp" if gateway.domain_proxy.transport == "udp" else "tcp"
        in_port = site.trunk.listen.udp if protocol == "udp" else site.trunk.listen.tcp
        key = f"trunk.gateways.{index}.domain_proxy"
        far_media = End(title, "", (media_address,) if media_address else ())
        sent, into = _sbc_port(gateway, facts), in_port or None
        rows = (
            ("signalling_out", CLEAR_SIGNALLING, protocol, near, far, sent, sent, True, key, "BVPN-1"),
            (
                "signalling_in",
                CLEAR_SIGNALLING,
                protocol,
                far,
                near,
                into,
                into,
                False,
                "trunk.listen",
                "BVPN-1",
            ),
            ("media_out", CLEAR_MEDIA, "udp", phones, far_media, *media, True, key, "BVPN-2"),
            ("media_in", CLEAR_MEDIA, "udp", far_media, phones, *media, False, key, "BVPN-2"),
        )
        for here, service, spoken, source, destination, first, last, outward, at, requirement in rows:
            yield Opening(
                f"trunk/{here}/{rank}", "trunk", service, "tcp" if spoken == "tcp" else "udp", source,
                destination, first, last, outward, False, at, requirement,
            )  # fmt: skip


def _sbc_port(gateway: Gateway, facts: Facts) -> int | None:
    """The SBC's port: the guide's where it has one, else the site's own; None where neither says it."""
    if facts.known("bvpn.signalling_port"):
        return facts.number("bvpn.signalling_port")
    return gateway.domain_proxy.port


def lan(site: Site) -> tuple[str, ...]:
    """The network of eth0, where the phones are; none where the file gives no prefix that fits."""
    eth0 = site.interfaces.eth0
    if eth0.prefix is None or eth0.prefix > ip_address(eth0.address).max_prefixlen:
        return ()
    return (str(ip_network(f"{eth0.address}/{eth0.prefix}", strict=False)),)


# --- other services, apart from the trunk ---------------------------------------------


def _ntp(site: Site) -> Iterator[Opening]:
    own = [ip_network(network) for network in lan(site)]
    for index, host in enumerate(site.ntp):
        literal = is_address(host)
        if literal and any(ip_address(host) in network for network in own):
            continue  # it never leaves the site
        title = said("time server {number}", "serveur de temps {number}", number=index + 1)
        far = End(title, "" if literal else host, (host,) if literal else ())
        yield Opening(
            f"ntp/{index + 1}", "ntp", said("time, NTP", "heure, NTP"), "udp", ipbx(site), far, NTP_PORT,
            NTP_PORT, True, site.over_internet, f"ntp.{index}", "FW-4",
        )  # fmt: skip


def _cloud_connect(site: Site, facts: Facts) -> Iterator[Opening]:
    access = site.cloud_connect.access
    if access == "none" or not facts.known("cloud_connect.ports"):
        return
    inside = End(said("IPBX", "IPBX"), "", (site.interfaces.eth0.address,))
    near = ipbx(site) if access == "trunk" else inside
    far = End(said("Cloud Connect, on the internet", "Cloud Connect, sur internet"), "", EVERYWHERE)
    for word in facts.words("cloud_connect.ports"):
        protocol, _, port = word.partition("/")
        if protocol in ("tcp", "udp") and port.isdigit():
            yield Opening(
                f"cloud-connect/{word}", "cloud-connect", "ALE Cloud Connect",
                "tcp" if protocol == "tcp" else "udp", near, far, int(port), int(port), True,
                access == "trunk" and site.over_internet, "cloud_connect.access", "CFG-2",
            )  # fmt: skip


def _site_vpn(site: Site) -> Iterator[Opening]:
    if site.vpn is None:
        return
    main = _host(said("tunnel end of the main site", "extrémité du tunnel, site principal"), site.vpn.address)
    for index, remote in enumerate(site.remote_sites):
        link = remote.link
        if link.vpn not in ("wireguard", "ipsec"):
            continue
        far = _host(remote.label, link.router) if link.router else End(remote.label, "", EVERYWHERE)
        key, requirement = f"remote_sites.{index}.link", "INET-5" if site.over_internet else "BVPN-3"
        spoken: tuple[tuple[Literal["udp", "esp"], int | None, str], ...] = (
            (("udp", site.vpn.port, "WireGuard"),)
            if link.vpn == "wireguard"
            else (("udp", IKE_PORT, "IKE"), ("udp", IKE_NAT_PORT, "ESP, NAT-T"), ("esp", None, "ESP"))
        )
        for protocol, port, service in spoken:
            label = f"{protocol}/{port}" if port else protocol
            yield Opening(
                f"site-vpn/{remote.label}/{label}", "site-vpn", service, protocol, far, main, port, port,
                False, False, key, requirement,
            )  # fmt: skip


def _host(title: str, host: str) -> End:
    return End(title, "", (host,)) if is_address(host) else End(title, host)
