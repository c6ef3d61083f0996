"""The site's public name: its DNS record, its interface, what a certificate can bear (2.4.3, 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.guide.rules.places import public_address, public_name, reachable
from trunkline.guide.rules.walk import INTERNET
from trunkline.site.model import Site
from trunkline.site.premises import DnsRecord
from trunkline.site.scalar import is_address

COMMON_NAME_MAX: Final = 64  # ub-common-name, RFC 5280 appendix A.1

# Names that no public CA signs and no public DNS knows: RFC 6761, RFC 6762, RFC 7686, RFC 8375,
# ICANN's resolution of 2024 on .internal, and what home and office routers make up.
_INTERNAL: Final = (
    *(".local", ".localhost", ".localdomain", ".invalid", ".test", ".onion", ".home.arpa", ".internal"),
    *(".lan", ".intranet", ".intra", ".corp", ".home", ".private"),
)


def _records(site: Site, name: str) -> Iterator[tuple[Path, DnsRecord]]:
    for index, record in enumerate(site.dns_records):
        if record.name.lower() == name:
            yield ("dns_records", index), record


def _record(site: Site, facts: Facts) -> Iterator[Seen]:
    own, name = public_name(site, facts)
    wanted, address = facts.text("internet.customer_record"), public_address(site, facts)
    records = list(_records(site, name))
    if not name or any(record.type == "CNAME" for _, record in records):
        return  # CFG-3a, DNS-1c
    right = [(path, record) for path, record in records if record.type == wanted]
    if not records:
        says = said(
            "no {wanted} record for {name} is written down",
            "aucun enregistrement {wanted} pour {name} n'est indiqué",
            wanted=wanted,
            name=name,
        )
        yield Seen(own, says)
    for path, record in right:  # two records are taken in turn, so that each must be right
        if not reachable(address) or record.value == address:
            continue
        says = said(
            "{name} leads to {value}; the carrier reaches this site at {address}",
            "{name} mène à {value} ; l'opérateur joint ce site à {address}",
            name=name,
            value=record.value,
            address=address,
        )
        yield Seen((*path, "value"), says)


def _record_type(site: Site, facts: Facts) -> Iterator[Seen]:
    _, name = public_name(site, facts)
    wanted = facts.text("internet.customer_record")
    records = list(_records(site, name))
    has = any(record.type == wanted for _, record in records)
    for path, record in records:
        if record.type == "CNAME" or (record.type != wanted and not has):
            says = said(
                "{name} has a {type} record; the carrier asks for {wanted}",
                "{name} a un enregistrement {type} ; l'opérateur demande {wanted}",
                name=name,
                type=record.type,
                wanted=wanted,
            )
            yield Seen((*path, "type"), says)


def _address_record(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, record in enumerate(site.dns_records):
        version = {"A": ".", "AAAA": ":"}.get(record.type)
        if version is not None and not (is_address(record.value) and version in record.value):
            says = said(
                "{value} is no value of a record of type {type}",
                "{value} n'est pas une valeur d'enregistrement de type {type}",
                value=record.value,
                type=record.type,
            )
            yield Seen(("dns_records", index, "value"), says)


def _not_the_carriers(site: Site, facts: Facts) -> Iterator[Seen]:
    path, name = public_name(site, facts)
    keys = [f"internet.sbc.{which}.name" for which in ("nominal", "backup")]
    if name and name in [facts.text(key).lower() for key in keys if facts.known(key)]:
        says = said(
            "{name} is the carrier's access SBC, not this site",
            "{name} est le SBC d'accès de l'opérateur, pas ce site",
            name=name,
        )
        yield Seen(path, says)


def _right_interface(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.text("internet.name_interface") == "eth0" and site.interfaces.eth1 is not None:
        name = site.interfaces.eth1.domain_name
        if name:
            says = said(
                "eth1 bears the name {name}; certificates take the one on eth0",
                "eth1 porte le nom {name} ; les certificats prennent celui d'eth0",
                name=name,
            )
            yield Seen(("interfaces", "eth1", "domain_name"), says)


def _fits(site: Site, facts: Facts) -> Iterator[Seen]:
    path, name = public_name(site, facts)
    if len(name) > COMMON_NAME_MAX:
        says = said(
            "{name} has {length} characters; a certificate's CN holds {most}",
            "{name} a {length} caractères ; le CN d'un certificat en contient {most}",
            name=name,
            length=len(name),
            most=COMMON_NAME_MAX,
        )
        yield Seen(path, says)


def _public(site: Site, facts: Facts) -> Iterator[Seen]:
    path, name = public_name(site, facts)
    if name.endswith(_INTERNAL):
        says = said(
            "{name} is a name for inside: no public CA signs it, no public DNS knows it",
            "{name} est un nom interne : aucune AC publique ne le signe, aucun DNS public ne le connaît",
            name=name,
        )
        yield Seen(path, says)


def _key(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("certificates.key_bits")
    if site.certificates is not None and site.certificates.key_bits != wanted:
        says = said(
            "a key of {bits} bits; the IPBX makes its request with {wanted}",
            "une clé de {bits} bits ; l'IPBX fait sa demande avec {wanted}",
            bits=site.certificates.key_bits,
            wanted=wanted,
        )
        yield Seen(("certificates", "key_bits"), says)


_FQDN = "OMC > Hardware and limits > LAN/IP Configuration > eth0 > Router IP address/Domain name"
_UNREACHED = said(
    "The carrier reaches the site by its public name only: calls in fail.",
    "L'opérateur ne joint le site que par son nom public : les appels entrants échouent.",
)

RULES = (
    Rule(
        id="DNS-1b",
        title=said(
            "The public name has a record that leads to the site",
            "Le nom public a un enregistrement qui mène au site",
        ),
        why=_UNREACHED,
        level=Level.MUST,
        source="guide 2.4.3, 3",
        mend=said(
            "have the A record published, and write it under dns_records",
            "faites publier l'enregistrement A, et écrivez-le sous dns_records",
        ),
        look=_record,
        fact="internet.customer_record",
        needs=(
            *("interfaces.eth0.domain_name", "interfaces.eth1", "interfaces.eth1.address"),
            *("firewall.public_address", "dns_records.*", "dns_records.*.name", "dns_records.*.type"),
        ),
        architectures=INTERNET,
    ),
    Rule(
        id="DNS-1c",
        title=said(
            "The public name's record is of the type the carrier asks for",
            "L'enregistrement du nom public est du type demandé",
        ),
        why=_UNREACHED,
        level=Level.MUST,
        source="guide 2.4.3, 3; RFC 1034 §3.6.2",
        mend=said(
            "publish an A record with the public address",
            "publiez un enregistrement A avec l'adresse publique",
        ),
        look=_record_type,
        fact="internet.customer_record",
        needs=("interfaces.eth0.domain_name", "dns_records.*", "dns_records.*.name", "dns_records.*.type"),
        architectures=INTERNET,
    ),
    Rule(
        id="SITE-58",
        title=said("A record's value is of its type", "La valeur d'un enregistrement est de son type"),
        why=said(
            "A DNS provider refuses it, or publishes something else.",
            "Un fournisseur DNS le refuse, ou publie autre chose.",
        ),
        level=Level.MUST,
        source="RFC 1035 §3.4.1, RFC 3596 §2",
        mend=said(
            "write an IPv4 address for A, IPv6 for AAAA", "écrivez une adresse IPv4 pour A, IPv6 pour AAAA"
        ),
        look=_address_record,
        needs=("dns_records.*.type",),
    ),
    Rule(
        id="DNS-1d",
        title=said("The public name is the site's own", "Le nom public est celui du site"),
        why=said(
            "The certificate would bear the carrier's name, which no CA signs for a customer.",
            "Le certificat porterait le nom de l'opérateur, qu'aucune AC ne signe pour un client.",
        ),
        level=Level.MUST,
        source="guide 2.4.3, 5.2.1",
        mend=said("{field}: write the site's own FQDN", "{field} : écrivez le FQDN du site", field=_FQDN),
        look=_not_the_carriers,
        architectures=INTERNET,
    ),
    Rule(
        id="CFG-3c",
        title=said("The public name stands on eth0", "Le nom public est sur eth0"),
        why=said(
            "A request made from it has the wrong CN and SAN, and the certificate must be bought again.",
            "Une demande faite ainsi a un mauvais CN et SAN, et le certificat est à racheter.",
        ),
        level=Level.MUST,
        source="guide 5.2.1, 5.2.2",
        mend=said(
            "{field}: write the FQDN there; eth1 takes an address",
            "{field} : écrivez-y le FQDN ; eth1 prend une adresse",
            field=_FQDN,
        ),
        look=_right_interface,
        fact="internet.name_interface",
        architectures=INTERNET,
    ),
    Rule(
        id="CERT-1a",
        title=said("The public name fits into a certificate", "Le nom public tient dans un certificat"),
        why=said(
            "CN and SAN are the same here, and the CN cannot hold it: the request fails.",
            "CN et SAN sont identiques ici, et le CN ne peut pas le contenir : la demande échoue.",
        ),
        level=Level.MUST,
        source="guide 5.2.3; RFC 5280 A.1",
        mend=said("choose a shorter name", "choisissez un nom plus court"),
        look=_fits,
        architectures=INTERNET,
    ),
    Rule(
        id="CERT-1b",
        title=said("The public name is a public one", "Le nom public est bien public"),
        why=said(
            "No public CA signs a name for inside, and the carrier trusts public CAs only.",
            "Aucune AC publique ne signe un nom interne, et l'opérateur ne se fie qu'aux AC publiques.",
        ),
        level=Level.MUST,
        source="guide 2.4.5, 5.2.3; RFC 6761, RFC 6762",
        mend=said(
            "choose a name in a domain of the customer's, as voix.customer.fr",
            "choisissez un nom dans un domaine du client, comme voix.client.fr",
        ),
        look=_public,
        architectures=INTERNET,
    ),
    Rule(
        id="CERT-1c",
        title=said("The key has the size that the IPBX makes", "La clé a la taille que fait l'IPBX"),
        why=said(
            "Size and type are fixed in its request; a larger key comes with later versions only.",
            "Taille et type sont fixés dans sa demande ; une clé plus grande demande une version plus "
            "récente.",
        ),
        level=Level.SHOULD,
        source="guide 5.2.3",
        mend=said("set key_bits to the guide's value", "mettez key_bits à la valeur du guide"),
        look=_key,
        fact="certificates.key_bits",
        architectures=INTERNET,
    ),
)
