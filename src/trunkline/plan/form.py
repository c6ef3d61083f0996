"""What the customer gives the carrier (guide chapter 3, FORM-1 to FORM-3), filled in from the site.

The guide's table has three columns: the architecture with its sites, the level of service, and the
address that the service uses. What the carrier needs besides it to open the trunk stands below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trunkline.finding import Wording, said
from trunkline.guide.facts import Facts
from trunkline.plan.document import Chapter, Paragraph, Row, Source, Table
from trunkline.plan.drawing_words import architecture
from trunkline.plan.openings import public_address
from trunkline.site.model import Site


class Field(NamedTuple):
    """One line of the form. `id` is the same for every site, so that two forms can be compared."""

    id: str
    label: Wording
    value: str
    source: Source


def fields(site: Site, facts: Facts) -> tuple[Field, ...]:
    """Every line that the carrier is given, in the form's order."""
    return (*_site(site), *_main_site(site, facts), *_remote_sites(site), *_service(site))


def chapter(site: Site, facts: Facts) -> Chapter:
    """The carrier form as a chapter: the guide's table first, then what opens the trunk."""
    head = (
        said("Site", "Site"),
        said("Level of service", "Niveau de service"),
        said("Address used by the service", "Adresse utilisée par le service"),
    )
    rows = [Row((_main_label(site), _redundancy(facts), _address(site, facts)), _address_source(site, facts))]
    for index, remote in enumerate(site.remote_sites):
        label = said(
            "Remote site {label}, without survivability (IP phones only)",
            "Site distant {label}, sans survie (téléphones IP seuls)",
            label=remote.label,
        )
        rows.append(
            Row(
                (label, _redundancy(facts), _of_a_remote_site(facts)),
                Source(f"remote_sites.{index}", "FORM-3"),
            )
        )
    guide = Table(head, tuple(rows), title=said("The guide's table", "Le tableau du guide"))
    given = Table(
        (said("Item", "Élément"), said("Value", "Valeur")),
        tuple(Row((field.label, field.value), field.source) for field in fields(site, facts)),
        title=said("What opens the trunk", "Ce qui ouvre le trunk"),
    )
    return Chapter(
        "carrier-form",
        said("Form for the carrier", "Fiche pour l'opérateur"),
        (
            Paragraph(
                said(
                    "Send this to {carrier} with the order. It is what the guide asks the customer for"
                    " (chapter 3), and what the trunk cannot be opened without.",
                    "À envoyer à {carrier} avec la commande : ce que le guide demande au client"
                    " (chapitre 3), et ce sans quoi le trunk ne peut pas être ouvert.",
                    carrier=facts.carrier,
                ),
                Source("", _asked(site)),
            ),
            guide,
            given,
        ),
        reader=said("the carrier", "l'opérateur"),
    )


def _asked(site: Site) -> str:
    """What the guide asks of this site."""
    main = "FORM-2" if site.over_internet else "FORM-1"
    return f"{main}, FORM-3" if site.remote_sites else main


def _main_label(site: Site) -> Wording:
    product = "OXO Connect Evolution" if site.product.model == "OCE" else "OXO Connect"
    return said("Main site, single {product}", "Site principal, un seul {product}", product=product)


def _redundancy(facts: Facts) -> Wording:
    """The level of service, as the guide has it for a single IPBX."""
    if facts.known("trunk.redundancy") and (has := facts.text("trunk.redundancy")) != "none":
        return said("Trunk redundancy: {has}", "Redondance du trunk : {has}", has=has)
    return said("No trunk redundancy", "Pas de redondance du trunk")


def _of_a_remote_site(facts: Facts) -> str:
    """What the carrier is given for a remote site: the guide's word, where it is not "nothing"."""
    wanted = facts.text("form.remote", "nothing")
    return said("N/A", "sans objet") if wanted == "nothing" else wanted


def _by_name(site: Site, facts: Facts) -> bool:
    """Whether the carrier is given the main site's name, and not its address (FORM-1, FORM-2)."""
    key = "form.internet_main" if site.over_internet else "form.bvpn_main"
    return facts.text(key) == "FQDN" if facts.known(key) else site.over_internet


def _address(site: Site, facts: Facts) -> str:
    if not _by_name(site, facts):
        interface = site.trunk.listen.interface
        held = site.interfaces.eth1 if interface == "eth1" else site.interfaces.eth0
        return held.address if held else ""
    record = facts.text("internet.customer_record", "A")
    return said(
        "{name}, DNS type {record}",
        "{name}, enregistrement DNS de type {record}",
        name=site.interfaces.eth0.domain_name,
        record=record,
    )


def _address_source(site: Site, facts: Facts) -> Source:
    requirement = "FORM-2" if site.over_internet else "FORM-1"
    if _by_name(site, facts):
        return Source("interfaces.eth0.domain_name", requirement)
    return Source(f"interfaces.{site.trunk.listen.interface}.address", requirement)


def _site(site: Site) -> Iterator[Field]:
    yield Field("customer", said("Customer", "Client"), site.customer, Source("customer"))
    label = said("Architecture", "Architecture")
    yield Field("architecture", label, architecture(site), Source("architecture"))
    product = site.product
    says = f"{product.model} {product.version}, {product.load}"
    yield Field(
        "product", said("IPBX, version, load", "IPBX, version, charge"), says, Source("product", "VER-1")
    )


def _main_site(site: Site, facts: Facts) -> Iterator[Field]:
    address = _address(site, facts)
    label = said("Main site: address used by the service", "Site principal : adresse utilisée par le service")
    yield Field("main.address", label, address, _address_source(site, facts))
    if site.over_internet:
        address, key = public_address(site)
        label = said("Public address that the name leads to", "Adresse publique à laquelle mène ce nom")
        yield Field("main.public_address", label, address, Source(key, "DNS-1, FORM-2"))


def _remote_sites(site: Site) -> Iterator[Field]:
    for remote in site.remote_sites:
        label = said("Remote site {label}", "Site distant {label}", label=remote.label)
        says = said(
            "nothing to give; {channels} channels through the main site",
            "rien à fournir ; {channels} canaux par le site principal",
            channels=remote.channels,
        )
        yield Field(f"remote.{remote.label}", label, says, Source(f"remote_sites.{remote.label}", "FORM-3"))


def _service(site: Site) -> Iterator[Field]:
    label = said("Simultaneous voice channels", "Canaux vocaux simultanés")
    yield Field("channels", label, str(site.trunk.channels), Source("trunk.channels", "CAC-1"))
    label = said("Installation number", "Numéro d'installation")
    number = site.numbering.installation_number
    yield Field("installation_number", label, number, Source("numbering.installation_number"))
    for index, numbers in enumerate(site.carrier.number_ranges):
        label = said("Numbers, range {place}", "Numéros, tranche {place}", place=index + 1)
        yield Field(f"range.{index + 1}", label, numbers, Source(f"carrier.number_ranges.{index}"))
    for index, remote in enumerate(site.remote_sites):
        if remote.number:
            label = said(
                "Number that emergency calls from {label} show",
                "Numéro présenté par les appels d'urgence de {label}",
                label=remote.label,
            )
            yield Field(
                f"emergency.{remote.label}", label, remote.number, Source(f"remote_sites.{index}.number")
            )
    zones = sorted({gateway.general.zone for gateway in site.trunk.gateways} - {"metropole"})
    if zones:
        label = said("Overseas zones with local calls", "Zones d'outre-mer avec appels locaux")
        yield Field("zones", label, ", ".join(zones), Source("trunk.gateways", "DROM-1"))
