"""The site on a page: the drawing, and what every reader must know, each value with its key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.plan.document import Block, Chapter, Row, Source, Table
from trunkline.plan.drawing import drawing
from trunkline.plan.drawing_words import architecture, fax, secured, zone
from trunkline.plan.figures import ASK_CARRIER
from trunkline.plan.sbc_addresses import addresses
from trunkline.site.model import Site

_HEAD: Final = (said("what", "quoi"), said("value", "valeur"))
_PLACEMENTS: Final = {
    "embedded": said("embedded in OCE", "intégrée à l'OCE"),
    "front-end": said("OCE Front End", "OCE Front End"),
    "stand-alone": said("stand-alone", "autonome"),
}
_ACCESSES: Final = {
    "none": said("none", "aucun"),
    "separate": said(
        "an internet access apart from the trunk's", "un accès internet distinct de celui du trunk"
    ),
    "trunk": said("the trunk's internet access", "l'accès internet du trunk"),
}
_LINKS: Final = {"bvpn": "BVPN", "internet": "Internet"}
_PATHS: Final = {
    "main-site": said("by the main site", "par le site principal"),
    "direct": said("straight to the SBC", "directement vers le SBC"),
}


def chapter(site: Site, facts: Facts) -> Chapter:
    """The chapter that opens the dossier."""
    blocks: list[Block] = [
        drawing(site, facts),
        Table(_HEAD, tuple(_site(site, facts)), said("The site", "Le site")),
        Table(
            _HEAD, tuple(_addresses(site)), said("Addresses of the main site", "Adresses du site principal")
        ),
        _gateways(site, facts),
        Table(_HEAD, tuple(_numbering(site)), said("Numbering", "Numérotation")),
    ]
    return Chapter(
        "overview",
        said("The site on a page", "Le site en une page"),
        (*blocks, *_endpoints(site), *_remotes(site)),
        reader=said("everybody", "tous"),
    )


def _site(site: Site, facts: Facts) -> Iterator[Row]:
    yield _row("customer", said("customer", "client"), site.customer)
    yield _row("architecture", said("architecture", "architecture"), architecture(site), _of(facts, site))
    guide = f"{facts.title}, {facts.edition}" if facts.title else site.guide.name
    yield _row("guide.name", said("guide", "guide"), guide)
    product = f"{site.product.model} {site.product.version}, {site.product.load}"
    yield _row("product.load", said("IPBX", "IPBX"), product, "VER-1")
    yield _row(
        "trunk.channels", said("trunk channels", "canaux opérateur"), str(site.trunk.channels), "CAC-1"
    )
    if site.wan is not None:
        rate = f"{site.wan.kbps} kb/s"
        yield _row("wan.kbps", said("WAN rate for voice", "débit WAN pour la voix"), rate, "CAC-2")
    gateway = site.webrtc_gateway
    if gateway is not None:
        placed = _PLACEMENTS[gateway.placement]
        yield _row("webrtc_gateway.placement", said("WebRTC gateway", "passerelle WebRTC"), placed, "WEB-1")
        users = said("WebRTC users", "utilisateurs WebRTC")
        yield _row("webrtc_gateway.users", users, str(gateway.users), "WEB-1")
    for number, machine in enumerate(site.fax):
        label = said("fax {label}", "fax {label}", label=machine.label)
        yield _row(f"fax.{number}.attached", label, fax(machine), "FAX-1, FAX-2")
    yield _row("cloud_connect.access", "ALE Cloud Connect", _ACCESSES[site.cloud_connect.access], "CFG-2")


def _of(facts: Facts, site: Site) -> str:
    """The requirements that the architecture rests on."""
    key = f"architectures.{site.architecture}"
    return ", ".join(facts[key].requirements) if facts.known(key) else ""


def _addresses(site: Site) -> Iterator[Row]:
    setting = {"internet-a": "CFG-3", "internet-b": "CFG-4"}.get(site.architecture, "")
    for name in ("eth0", "eth1"):
        interface = site.interfaces.eth0 if name == "eth0" else site.interfaces.eth1
        if interface is None:
            continue
        length = "" if interface.prefix is None else f"/{interface.prefix}"
        given = "FORM-1" if name == "eth0" and not site.over_internet else setting
        yield _row(f"interfaces.{name}.address", name, f"{interface.address}{length}", given)
        if interface.domain_name:
            label = said("{name}, domain name", "{name}, nom de domaine", name=name)
            yield _row(f"interfaces.{name}.domain_name", label, interface.domain_name, setting)
        if interface.router:
            label = said("{name}, default router", "{name}, routeur par défaut", name=name)
            yield _row(f"interfaces.{name}.router", label, interface.router)
    if site.firewall is not None and site.firewall.public_address:
        label = said("public address (NAT)", "adresse publique (NAT)")
        yield _row("firewall.public_address", label, site.firewall.public_address, "INET-3")
    for number, server in enumerate(site.dns):
        yield _row(
            f"dns.{number}",
            said("DNS server", "serveur DNS"),
            str(server),
            "FW-3" * site.over_internet,
            str(server),
        )
    for number, host in enumerate(site.ntp):
        yield _row(f"ntp.{number}", said("NTP server", "serveur NTP"), str(host), "", str(host))


def _gateways(site: Site, facts: Facts) -> Table:
    """The access SBCs, with the addresses that the guide names."""
    rows = []
    for number, gateway in enumerate(site.trunk.gateways):
        signalling, media = addresses(site, facts, gateway)
        proxy = gateway.domain_proxy
        cells = (
            str(gateway.general.index),
            gateway.label,
            str(proxy.target_domain),
            signalling or ASK_CARRIER,
            media or ASK_CARRIER,
            f"{proxy.transport.upper()} {proxy.port or ''}".strip(),
            zone(gateway),
        )
        key = f"trunk.gateways.{number}.domain_proxy.target_domain"
        asked = "SEC-5, SBC-1" if site.over_internet else "BVPN-1"
        rows.append(Row(cells, Source(key, asked), gateway.label))
    head = (
        said("index", "index"),
        said("gateway", "passerelle"),
        said("name", "nom"),
        said("signalling", "signalisation"),
        said("media", "média"),
        said("transport", "transport"),
        said("zone", "zone"),
    )
    return Table(head, tuple(rows), said("Access SBCs of the carrier", "SBC d'accès de l'opérateur"))


def _numbering(site: Site) -> Iterator[Row]:
    numbering = site.numbering
    label = said("installation number", "numéro d'installation")
    yield _row("numbering.installation_number", label, numbering.installation_number)
    ranges = site.carrier.number_ranges
    for number, bought in enumerate(ranges):
        yield _row(
            f"carrier.number_ranges.{number}", said("number range", "tranche"), str(bought), "", str(bought)
        )
    label = said("outside prefix", "préfixe de prise de ligne")
    yield _row("numbering.outside_prefix", label, numbering.outside_prefix)
    label = said("emergency numbers", "numéros d'urgence")
    yield _row("numbering.emergency", label, ", ".join(numbering.emergency))
    many = len(site.users)
    yield _row("users", said("users", "utilisateurs"), str(many))


def _endpoints(site: Site) -> tuple[Table, ...]:
    if not site.endpoints:
        return ()
    main = said("main site", "site principal")
    told = any(one.software for one in site.endpoints)
    rows = tuple(
        Row(
            (one.model, str(one.count), one.site or main, *([one.software] if told else ())),
            Source(f"endpoints.{number}.model", "VER-2"),
            f"{one.model} @ {one.site}",
        )
        for number, one in enumerate(site.endpoints)
    )
    head = (
        said("model", "modèle"),
        said("count", "nombre"),
        said("site", "site"),
        *([said("software", "logiciel")] if told else ()),
    )
    return (Table(head, rows, said("Phones", "Postes"), numeric=(1,)),)


def _remotes(site: Site) -> tuple[Table, ...]:
    if not site.remote_sites:
        return ()
    rows = tuple(
        Row(
            (
                one.label,
                one.network,
                str(one.channels),
                f"{_LINKS[one.link.kind]}, {one.link.kbps} kb/s",
                secured(one),
                _PATHS[one.media_path] if not site.over_internet else _PATHS["main-site"],
            ),
            Source(f"remote_sites.{number}.link", "INET-5" if site.over_internet else "BVPN-3"),
            one.label,
        )
        for number, one in enumerate(site.remote_sites)
    )
    head = (
        said("site", "site"),
        said("network", "réseau"),
        said("channels", "canaux"),
        said("access", "accès"),
        said("secured by", "sécurisé par"),
        said("media", "média"),
    )
    return (Table(head, rows, said("Remote sites", "Sites distants"), numeric=(2,)),)


def _row(key: str, label: str, value: str, requirement: str = "", what: str = "") -> Row:
    """A line of a table of two columns; `what` tells lines of one list apart."""
    return Row((label, value), Source(key, requirement), f"{label} {what}".strip())
