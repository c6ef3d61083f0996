"""DNS: what the customer publishes, and which names must resolve (DNS-1, FORM-2).

The zone file holds the records alone, to be imported or copied into the zone that the customer's DNS
provider keeps; beside it stands a file that adds an SOA and NS of its own, so that named-checkzone
can read it.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.plan.document import Block, Chapter, File, Paragraph, Row, Source, Table
from trunkline.plan.figures import ASK_CARRIER
from trunkline.plan.firewall_words import plain
from trunkline.plan.openings import public_address
from trunkline.site.model import Site
from trunkline.site.scalar import is_address

TTL: Final = 3600  # s: an hour, as long as a stale answer may live
TTL_BEFORE_CHANGE: Final = 300
SERVICE: Final = {"tls": "_sips._tcp", "tcp": "_sip._tcp", "udp": "_sip._udp"}  # RFC 3263 §4.1


class Published(NamedTuple):
    """A record to publish. `id` is its identity for `plan --diff`; `ttl` in seconds."""

    id: str
    name: str
    type: str
    value: str
    ttl: int
    key: str
    requirement: str


class Resolved(NamedTuple):
    """A name that must resolve: by which type, to what (empty: not known), who asks."""

    id: str
    name: str
    type: str
    expected: str
    who: str
    key: str
    requirement: str


def published(site: Site, facts: Facts) -> tuple[Published, ...]:
    """The records of the site file, and the FQDN's own where the file leaves it out."""
    records: list[Published] = []
    seen: Counter[str] = Counter()
    for index, record in enumerate(site.dns_records):
        identity = f"{record.name.lower()}/{record.type}"
        seen[identity] += 1
        identity += f"/{seen[identity]}" if seen[identity] > 1 else ""
        key = f"dns_records.{index}"
        records.append(Published(identity, record.name, record.type, record.value, record.ttl, key, "DNS-1"))
    name, (address, _) = site.interfaces.eth0.domain_name, public_address(site)
    there = any(
        record.name.lower() == name.lower() and record.type in ("A", "AAAA", "CNAME") for record in records
    )
    if site.over_internet and name and address and not there:
        wanted = "AAAA" if ":" in address else "A"
        identity = f"{name.lower()}/{wanted}/{address}"
        own = Published(identity, name, wanted, address, TTL, "interfaces.eth0.domain_name", "DNS-1, FORM-2")
        records.insert(0, own)
    return tuple(records)


def resolved(site: Site, facts: Facts) -> tuple[Resolved, ...]:
    """The names that the IPBX, its firewall and its tunnels look up."""
    found: list[Resolved] = []
    ranks = ("nominal", "backup")
    for index, gateway in enumerate(site.trunk.gateways):
        proxy = gateway.domain_proxy
        name = proxy.outbound_proxy or proxy.target_domain
        if is_address(name) or gateway.dns.mode == "none":
            continue
        key = f"trunk.gateways.{index}.domain_proxy.outbound_proxy"
        expected = _expected(site, facts, ranks[index] if index < 2 else "", name)
        requirement = "DNS-1, SEC-3" if site.over_internet else "BVPN-1"
        if gateway.dns.mode == "SRV":
            service = f"{SERVICE[proxy.transport]}.{name}"
            found.append(
                Resolved(
                    f"{service}/SRV", service, "SRV", "", "IPBX", f"trunk.gateways.{index}.dns", requirement
                )
            )
        found.append(Resolved(f"{name.lower()}/A", name, "A", expected, "IPBX", key, requirement))
    for index, host in enumerate(site.ntp):
        if not is_address(host):
            found.append(Resolved(f"{host.lower()}/A", host, "A", "", "IPBX", f"ntp.{index}", "FW-4"))
    if site.vpn is not None and site.vpn.address and not is_address(site.vpn.address):
        name, who = site.vpn.address, said("remote sites' routers", "routeurs des sites distants")
        requirement = "INET-5" if site.over_internet else "BVPN-3"
        found.append(Resolved(f"{name.lower()}/A", name, "A", "", who, "vpn.address", requirement))
    for index, remote in enumerate(site.remote_sites):
        host = remote.link.router
        if host and not is_address(host):
            who = said("main site's router", "routeur du site principal")
            key = f"remote_sites.{index}.link.router"
            found.append(Resolved(f"{host.lower()}/A", host, "A", "", who, key, "BVPN-3, INET-5"))
    return tuple(dict.fromkeys(found))


def _expected(site: Site, facts: Facts, rank: str, name: str) -> str:
    base = f"internet.sbc.{rank}"
    same = facts.known(f"{base}.name") and facts.text(f"{base}.name").lower() == name.lower()
    return facts.text(f"{base}.signalling") if same and facts.known(f"{base}.signalling") else ""


def chapter(site: Site, facts: Facts) -> Chapter:
    """Over BVPN there is as a rule nothing to publish, and the chapter says so."""
    records, names = published(site, facts), resolved(site, facts)
    blocks: list[Block] = []
    files: list[File] = []
    if records:
        blocks += [_records(records), *_advice(site)]
        files += _zones(records)
    else:
        words = said("Nothing to publish in public DNS.", "Rien à publier dans le DNS public.")
        blocks.append(Paragraph(words, Source("dns_records", "FORM-1")))
    if names:
        blocks.append(_names(names))
    reader = said("DNS provider", "hébergeur DNS")
    return Chapter("dns", said("DNS", "DNS"), tuple(blocks), tuple(files), reader)


def _records(records: tuple[Published, ...]) -> Table:
    head = (said("name", "nom"), said("type", "type"), said("value", "valeur"), said("TTL (s)", "TTL (s)"))
    rows = tuple(
        Row((one.name, one.type, one.value, str(one.ttl)), Source(one.key, one.requirement))
        for one in records
    )
    return Table(head, rows, said("Records to publish", "Enregistrements à publier"), numeric=(3,))


def _advice(site: Site) -> tuple[Paragraph, ...]:
    words = said(
        "The carrier finds the IPBX by this name, and the certificate bears it: no wildcard, no CNAME, one "
        "address. A day before the address changes set its TTL to {short} s, and back to {usual} s "
        "afterwards.",
        "L'opérateur trouve l'IPBX par ce nom, et le certificat le porte : pas de joker, pas de CNAME, une "
        "seule adresse. La veille d'un changement d'adresse, mettre le TTL à {short} s, puis le remettre à "
        "{usual} s.",
        short=TTL_BEFORE_CHANGE, usual=TTL,
    )  # fmt: skip
    return (
        (Paragraph(words, Source("interfaces.eth0.domain_name", "DNS-1, FORM-2")),)
        if site.over_internet
        else ()
    )


def _names(names: tuple[Resolved, ...]) -> Table:
    head = (
        said("name", "nom"),
        said("type", "type"),
        said("leads to", "mène à"),
        said("asked by", "demandé par"),
    )
    unknown = {True: ASK_CARRIER, False: "-"}
    rows = tuple(
        Row(
            (one.name, one.type, one.expected or unknown["gateways" in one.key], one.who),
            Source(one.key, one.requirement),
        )
        for one in names
    )
    note = said(
        "Check each from the IPBX's own DNS servers. Another answer than the guide's means that the carrier "
        "moved: the firewall must follow.",
        "Vérifier chacun depuis les serveurs DNS de l'IPBX. Une autre réponse que celle du guide signifie "
        "que l'opérateur a changé d'adresse : le pare-feu doit suivre.",
    )
    return Table(head, rows, said("Names that must resolve", "Noms à résoudre"), note)


def _zones(records: tuple[Published, ...]) -> list[File]:
    files = []
    for origin in _origins(records):
        own = [one for one in records if _origin(one.name, (origin,))]
        lines = [f"{one.name}. {one.ttl} IN {one.type} {_written(one)} ; {plain(one.key)}" for one in own]
        zone = f"dns/{origin[-80:].lstrip('.-')}.zone"  # a name may be longer than a file's should
        says = said(
            "the records for the zone {origin}", "les enregistrements de la zone {origin}", origin=origin
        )
        files.append(File(zone, "\n".join(lines) + "\n", says))
        check = (
            f"; named-checkzone {origin} {zone}.check\n"
            f"$TTL {TTL}\n"
            "@ IN SOA ns.invalid. hostmaster.invalid. 1 7200 3600 1209600 300\n"
            "@ IN NS ns.invalid.\n"
            f"$INCLUDE {zone}\n"
        )
        reads = said(
            "to check them with named-checkzone, not to publish",
            "pour les vérifier avec named-checkzone, à ne pas publier",
        )
        files.append(File(f"{zone}.check", check, reads))
    return files


def _written(record: Published) -> str:
    """The value in zone file syntax: names end with a dot, so that no origin is added to them."""
    if record.type in ("A", "AAAA"):
        return record.value
    *before, target = record.value.split()
    return " ".join([*before, target.rstrip(".") + "."])


def _origins(records: tuple[Published, ...]) -> tuple[str, ...]:
    """The zones: each name without its first label, and none that lies within another."""
    parents = {_parent(record.name) for record in records}
    outer = [
        one for one in parents if not any(one != other and one.endswith("." + other) for other in parents)
    ]
    return tuple(sorted(outer))


def _parent(name: str) -> str:
    labels = name.lower().split(".")
    return ".".join(labels[1:] if len(labels) > 2 else labels)


def _origin(name: str, origins: tuple[str, ...]) -> bool:
    return any(name.lower() == origin or name.lower().endswith("." + origin) for origin in origins)
