"""Overseas departments: a pair of access SBCs for each zone, and numbers in their own country code (2.1)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.guide.rules.walk import gateways
from trunkline.site.model import Site

_METROPOLE = "metropole"


def _zones(site: Site) -> dict[str, list[Path]]:
    """The gateways of each overseas zone in use."""
    found: dict[str, list[Path]] = {}
    for path, gateway in gateways(site):
        if gateway.general.zone != _METROPOLE:
            found.setdefault(gateway.general.zone, []).append(path)
    return found


def _canonical(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("drom.numbers_format")
    for path, gateway in gateways(site):
        if _zones(site) and gateway.general.numbers_format != wanted:
            says = said(
                "gateway {label} sends {format} numbers; with an overseas zone the IPBX dials {wanted}",
                "la passerelle {label} envoie les numéros en format {format} ; avec une zone outre-mer, "
                "l'IPBX numérote en {wanted}",
                label=gateway.label,
                format=gateway.general.numbers_format,
                wanted=wanted,
            )
            yield Seen((*path, "general", "numbers_format"), says)


def _pair(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("drom.sbcs_per_zone")
    for zone, paths in _zones(site).items():
        if len(paths) < wanted:
            says = said(
                "zone {zone} has {has} gateway; its access SBCs are a pair",
                "la zone {zone} a {has} passerelle ; ses SBC d'accès vont par paire",
                zone=zone,
                has=len(paths),
            )
            yield Seen(("trunk", "gateways"), says)


def _metropole(site: Site, facts: Facts) -> Iterator[Seen]:
    zones = _zones(site)
    if sum(map(len, zones.values())) == len(site.trunk.gateways):
        says = said(
            "every gateway serves an overseas zone: calls to anywhere else have no way out",
            "chaque passerelle dessert une zone outre-mer : les autres appels n'ont pas d'issue",
        )
        yield Seen(("trunk", "gateways"), says)


def _own_zone(site: Site, facts: Facts) -> Iterator[Seen]:
    france, country = known_around()["france"], site.numbering.country
    for zone in facts.words("drom.zones"):
        key = f"overseas.{zone}"
        if france.known(key) and country in france.words(key) and zone not in _zones(site):
            says = said(
                "the site's numbers are of +{country}, but no gateway leads to the SBCs of zone {zone}",
                "le site est en +{country}, mais aucune passerelle ne mène aux SBC de la zone {zone}",
                country=country,
                zone=zone,
            )
            yield Seen(("numbering", "country"), says)


def _ask(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.known("drom.sbc_names"):
        return
    for zone, paths in _zones(site).items():
        says = said(
            "the guide names neither the access SBCs of zone {zone} nor what counts as local there",
            "le guide ne donne ni les SBC d'accès de la zone {zone} ni ce qui y compte comme local",
            zone=zone,
        )
        yield Seen((*paths[0], "general", "zone"), says)


def numbers(site: Site) -> Iterator[tuple[Path, str]]:
    """Every number of the file in +E.164, with its place; both ends of a range."""
    yield ("numbering", "installation_number"), site.numbering.installation_number
    for index, user in enumerate(site.users):
        yield ("users", index, "ddi"), user.ddi
    for index, remote in enumerate(site.remote_sites):
        yield ("remote_sites", index, "number"), remote.number
    for index, text in enumerate(site.carrier.number_ranges):
        for end in text.split("-"):
            yield ("carrier", "number_ranges", index), end
    for index, subscriber in enumerate(site.carrier.subscribers):
        yield ("carrier", "subscribers", index, "number"), subscriber.number


def as_overseas(number: str) -> str:
    """What a number that was built as +33590... is in truth; "" for one that is well built."""
    france = known_around()["france"]
    home = "+" + france.text("country.code")
    national = number.removeprefix(home)
    if national == number or len(national) != france.number("country.national_length"):
        return ""
    if national.startswith(france.words("overseas.metropolitan")):
        return ""
    code = str(france.counts("overseas.national").get(national[:3], ""))
    if not code:
        return ""
    own_plan = code in france.words("overseas.other")  # dialled as 0508 and six digits
    return f"+{code}{national.removeprefix(code) if own_plan else national}"


def _well_built(site: Site, facts: Facts) -> Iterator[Seen]:
    told: set[Path] = set()
    for path, number in numbers(site):
        right = as_overseas(number)
        if right and path not in told:
            told.add(path)
            says = said(
                "{number} does not exist: the territory's country code takes the place of 0 and of 33",
                "{number} n'existe pas : l'indicatif du territoire remplace le 0 et le 33",
                number=number,
            )
            yield Seen(path, says, said("write {right}", "écrivez {right}", right=right))


RULES = (
    Rule(
        id="DROM-1a",
        title=said(
            "With an overseas zone, all gateways dial in international format",
            "Avec une zone outre-mer, toutes les passerelles numérotent en format international",
        ),
        why=said(
            "A national number means another subscriber to a network of another country code.",
            "Un numéro national désigne un autre abonné dans un réseau d'un autre indicatif.",
        ),
        level=Level.MUST,
        source="guide 2.1",
        mend=said(
            "SIP Gateways > General: SIP numbers format canonical",
            "SIP Gateways > General : SIP numbers format canonique (canonical)",
        ),
        look=_canonical,
        fact="drom.numbers_format",
        needs=("trunk.gateways.*", "trunk.gateways.*.general.zone"),
    ),
    Rule(
        id="DROM-1b",
        title=said(
            "An overseas zone has a pair of gateways", "Une zone outre-mer a une paire de passerelles"
        ),
        why=said(
            "With one SBC alone, its loss sends every local call around by the metropole.",
            "Avec un seul SBC, sa perte fait passer chaque appel local par la métropole.",
        ),
        level=Level.SHOULD,
        source="guide 2.1",
        mend=said(
            "add the zone's second access SBC as a gateway",
            "ajoutez le second SBC d'accès de la zone comme passerelle",
        ),
        look=_pair,
        fact="drom.sbcs_per_zone",
        needs=("trunk.gateways.*", "trunk.gateways.*.general.zone"),
    ),
    Rule(
        id="DROM-1c",
        title=said(
            "Beside overseas gateways there are metropolitan ones",
            "À côté des passerelles outre-mer, il y en a de métropolitaines",
        ),
        why=said(
            "A zone's access SBCs take its local calls only.",
            "Les SBC d'accès d'une zone ne prennent que ses appels locaux.",
        ),
        level=Level.MUST,
        source="guide 2.1",
        mend=said(
            "add the metropolitan pair, zone metropole",
            "ajoutez la paire métropolitaine, zone metropole",
        ),
        look=_metropole,
        fact="drom.zones",
        needs=("trunk.gateways.*", "trunk.gateways.*.general.zone"),
    ),
    Rule(
        id="DROM-1d",
        title=said("The zone's access SBCs are known", "Les SBC d'accès de la zone sont connus"),
        why=said(
            "Names, addresses and local prefixes of the zones are in no public document.",
            "Noms, adresses et préfixes locaux des zones ne sont dans aucun document public.",
        ),
        level=Level.NOTE,
        source="guide 2.1",
        mend=said(
            "ask the carrier for their names, and which numbers are local there",
            "demandez à l'opérateur leurs noms, et quels numéros y sont locaux",
        ),
        look=_ask,
        fact="drom.zones",
    ),
    Rule(
        id="DROM-1f",
        title=said(
            "A site overseas uses its own zone's access SBCs", "Un site outre-mer utilise les SBC de sa zone"
        ),
        why=said(
            "Without them every call next door travels to the metropole and back.",
            "Sans eux, chaque appel au voisin fait l'aller et retour par la métropole.",
        ),
        level=Level.SHOULD,
        source="guide 2.1",
        mend=said(
            "ask the carrier for the zone's pair, and describe it as gateways with general.zone",
            "demandez la paire de la zone à l'opérateur, et décrivez-la en passerelles avec general.zone",
        ),
        look=_own_zone,
        fact="drom.zones",
        needs=("trunk.gateways.*", "trunk.gateways.*.general.zone"),
    ),
    Rule(
        id="DROM-1e",
        title=said(
            "Overseas numbers have their territory's country code",
            "Les numéros d'outre-mer ont l'indicatif de leur territoire",
        ),
        why=said(
            "A call to a number that does not exist fails, and as a caller it is refused.",
            "Un appel vers un numéro qui n'existe pas échoue, et comme appelant il est refusé.",
        ),
        level=Level.MUST,
        source=said("ARCEP decision 2018-0881", "décision ARCEP 2018-0881"),
        mend=said(
            "write the number as it is dialled from abroad", "écrivez le numéro comme depuis l'étranger"
        ),
        look=_well_built,
    ),
)
