"""Emergency and short numbers: all are reached, and the centre learns where the caller is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.remote import remote_sites
from trunkline.site.model import Site
from trunkline.site.scalar import within

_ARCEP = said("ARCEP decision 2018-0881; trade knowledge", "décision ARCEP 2018-0881 ; usage du métier")


def french(site: Site) -> bool:
    """Whether the site's numbering is France's, which overseas departments share."""
    france = known_around()["france"]
    overseas = (*france.words("overseas.caribbean"), *france.words("overseas.indian-ocean"))
    return site.numbering.country in (france.text("country.code"), *overseas)


def _all_emergency(site: Site, facts: Facts) -> Iterator[Seen]:
    if not french(site):
        return
    wanted = known_around()["france"].words("emergency.numbers")
    missing = [number for number in wanted if number not in site.numbering.emergency]
    if missing:
        says = said(
            "{missing}: emergency number(s) of France that this site does not reach",
            "{missing} : numéro(s) d'urgence que ce site n'atteint pas",
            missing=", ".join(missing),
        )
        yield Seen(("numbering", "emergency"), says)


def _holds(pattern: str, wanted: str) -> bool:
    """Whether every number of the pattern `wanted` fits `pattern`; X is any digit."""
    return len(pattern) == len(wanted) and all(
        have in ("X", want) for have, want in zip(pattern, wanted, strict=True)
    )


def _all_short(site: Site, facts: Facts) -> Iterator[Seen]:
    if not french(site):
        return
    wanted = known_around()["france"].words("short.patterns")
    missing = [want for want in wanted if not any(_holds(have, want) for have in site.numbering.short)]
    if missing:
        says = said(
            "{missing}: short numbers that no pattern of this site reaches",
            "{missing} : numéros courts qu'aucun motif de ce site n'atteint",
            missing=", ".join(missing),
        )
        yield Seen(("numbering", "short"), says)


def _prefix_eats(site: Site, facts: Facts) -> Iterator[Seen]:
    prefix = site.numbering.outside_prefix
    eaten = [number for number in site.numbering.emergency if prefix and number.startswith(prefix)]
    if eaten:
        yield eats(prefix, eaten)


def eats(prefix: str, eaten: Sequence[str]) -> Seen:
    """The outside prefix takes the first digits of these numbers."""
    says = said(
        "the outside prefix {prefix} eats the beginning of {eaten}",
        "le préfixe de prise de ligne {prefix} mange le début de {eaten}",
        prefix=prefix,
        eaten=", ".join(eaten),
    )
    return Seen(("numbering", "outside_prefix"), says)


def _remote_number(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, remote in remote_sites(site):
        if not remote.number:
            says = said(
                "an emergency call from {label} would show the user's number, whose address is the main "
                "site's",
                "{label} : un appel d'urgence montrerait le numéro de l'utilisateur, dont l'adresse est "
                "celle du site principal",
                label=remote.label,
            )
            yield Seen((*path, "number"), says)


def _remote_number_bought(site: Site, facts: Facts) -> Iterator[Seen]:
    ranges = site.carrier.number_ranges
    for path, remote in remote_sites(site):
        if ranges and remote.number and not within(remote.number, ranges):
            says = said(
                "{number} of {label} lies outside the numbers bought from the carrier",
                "{number} ({label}) est hors des numéros achetés à l'opérateur",
                number=remote.number,
                label=remote.label,
            )
            yield Seen((*path, "number"), says)


_WHERE = said(
    "Rescue is sent to the address that the carrier knows for the number shown.",
    "Les secours sont envoyés à l'adresse que l'opérateur connaît pour le numéro montré.",
)

RULES = (
    Rule(
        id="SITE-60",
        title=said(
            "All emergency numbers of the country are reached",
            "Tous les numéros d'urgence du pays sont atteints",
        ),
        why=said(
            "Who dials one that is missing hears that it does not exist.",
            "Qui compose un numéro absent s'entend dire qu'il n'existe pas.",
        ),
        level=Level.MUST,
        source=_ARCEP,
        mend=said(
            "OMC > Emergency: add them to numbering.emergency",
            "OMC > Emergency : ajoutez-les à numbering.emergency",
        ),
        look=_all_emergency,
        needs=("numbering.country", "numbering.emergency.*"),
    ),
    Rule(
        id="SITE-61",
        title=said("The country's short numbers are reached", "Les numéros courts du pays sont atteints"),
        why=said(
            "A directory, a doctor on call or a child's helpline cannot be called.",
            "Renseignements, médecin de garde ou enfance en danger ne peuvent pas être appelés.",
        ),
        level=Level.SHOULD,
        source=_ARCEP,
        mend=said("add the patterns to numbering.short", "ajoutez les motifs à numbering.short"),
        look=_all_short,
        needs=("numbering.country", "numbering.short.*"),
    ),
    Rule(
        id="SITE-62",
        title=said(
            "The outside prefix begins no emergency number",
            "Le préfixe de prise ne commence aucun numéro d'urgence",
        ),
        why=said(
            "With prefix 1, who dials 112 has an outside line and has dialled 12.",
            "Avec le préfixe 1, qui compose le 112 a pris une ligne et composé le 12.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said("choose another outside prefix; 0 is usual", "choisissez un autre préfixe ; 0 est l'usage"),
        look=_prefix_eats,
        needs=("numbering.emergency.*",),
    ),
    Rule(
        id="SITE-63",
        title=said(
            "A remote site has a number that emergency calls show",
            "Un site distant a un numéro que montrent les appels d'urgence",
        ),
        why=_WHERE,
        level=Level.SHOULD,
        source=said("trade knowledge", "usage du métier"),
        mend=said(
            "write a number whose address the carrier knows as this site's",
            "écrivez un numéro dont l'opérateur connaît l'adresse comme celle de ce site",
        ),
        look=_remote_number,
    ),
    Rule(
        id="SITE-64",
        title=said("A remote site's number is bought", "Le numéro d'un site distant est acheté"),
        why=said(
            "The carrier refuses a caller that is none of its numbers, or shows the main site's.",
            "L'opérateur refuse un appelant hors de ses numéros, ou montre celui du site principal.",
        ),
        level=Level.MUST,
        source="carrier.number_ranges",
        mend=said(
            "correct the number, or the ranges in carrier.number_ranges",
            "corrigez le numéro, ou les plages de carrier.number_ranges",
        ),
        look=_remote_number_bought,
        needs=("carrier.number_ranges.*",),
    ),
)
