"""Numbering's prefixes: none takes away what another one, a short number or an extension needs."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.emergency import eats, french
from trunkline.site.model import Site


def _eats_short(site: Site, facts: Facts) -> Iterator[Seen]:
    prefix = site.numbering.outside_prefix
    eaten = [pattern for pattern in site.numbering.short if prefix and pattern.startswith(prefix)]
    if eaten and not any(number.startswith(prefix) for number in site.numbering.emergency):  # else SITE-62
        yield eats(prefix, eaten)


def _told_apart(site: Site, facts: Facts) -> Iterator[Seen]:
    national, international = site.numbering.national_prefix, site.numbering.international_prefix
    if national and national.startswith(international):
        says = said(
            "a number that begins with {national} counts as international: no national number is reached",
            "un numéro qui commence par {national} compte comme international : aucun numéro national "
            "n'est joint",
            national=national,
        )
        yield Seen(("numbering", "international_prefix"), says)


def _as_in_france(site: Site, facts: Facts) -> Iterator[Seen]:
    if not french(site):
        return
    france, numbering = known_around()["france"], site.numbering
    wanted = {
        "national_prefix": france.text("country.national_prefix"),
        "international_prefix": france.text("country.international_prefix"),
        "national_length": france.number("country.national_length"),
    }
    for key, value in wanted.items():
        has = getattr(numbering, key)
        if has != value and not (key == "international_prefix" and any(_told_apart(site, facts))):
            says = said(
                "{key} is {has}; in France it is {value}",
                "{key} vaut {has} ; en France c'est {value}",
                key=key,
                has=str(has) or said("empty", "vide"),
                value=value,
            )
            yield Seen(("numbering", key), says, said("write {value}", "écrivez {value}", value=value))


def _hides(site: Site, facts: Facts) -> Iterator[Seen]:
    prefix, outside = site.numbering.clir_prefix, site.numbering.outside_prefix
    if not prefix:
        return
    taken = [number for number in site.numbering.emergency if number.startswith(prefix)]
    taken += [pattern for pattern in site.numbering.short if pattern.startswith(prefix)]
    taken += [user.extension for user in site.users if user.extension.startswith(prefix)]
    if outside and (outside.startswith(prefix) or (prefix.startswith(outside) and prefix.isdigit())):
        taken.append(outside)
    if taken:
        says = said(
            "the prefix that hides the caller, {prefix}, is also the beginning of {taken}",
            "le préfixe qui masque l'appelant, {prefix}, est aussi le début de {taken}",
            prefix=prefix,
            taken=", ".join(dict.fromkeys(taken)),
        )
        yield Seen(("numbering", "clir_prefix"), says)


RULES = (
    Rule(
        id="SITE-68",
        title=said(
            "The outside prefix eats no short number",
            "Le préfixe de prise de ligne ne mange aucun numéro court",
        ),
        why=said(
            "Whoever dials such a number without the prefix gets a wrong number or a tone.",
            "Celui qui compose un tel numéro sans le préfixe obtient un faux numéro ou une tonalité.",
        ),
        level=Level.SHOULD,
        source="OMC",
        mend=said(
            "choose another outside prefix; 0 is usual",
            "choisissez un autre préfixe de prise de ligne ; 0 est l'usage",
        ),
        look=_eats_short,
        needs=("numbering.short", "numbering.emergency"),
    ),
    Rule(
        id="SITE-69",
        title=said(
            "National and international numbers can be told apart",
            "Les numéros nationaux et internationaux se distinguent",
        ),
        why=said(
            "Calls inside the country are sent abroad: a stranger answers, or nobody.",
            "Les appels nationaux partent à l'étranger : un inconnu répond, ou personne.",
        ),
        level=Level.MUST,
        source="ITU-T E.164 §6",
        mend=said(
            "give the international prefix a beginning of its own; in France 00",
            "donnez au préfixe international un début qui lui soit propre ; en France 00",
        ),
        look=_told_apart,
        needs=("numbering.national_prefix",),
    ),
    Rule(
        id="SITE-69a",
        title=said("Prefixes are those of the country", "Les préfixes sont ceux du pays"),
        why=said(
            "Users dial as they do at home. With another prefix or length their calls are refused.",
            "Les utilisateurs composent comme chez eux. Avec un autre préfixe ou une autre longueur, leurs "
            "appels sont refusés.",
        ),
        level=Level.SHOULD,
        source=said("ARCEP decision 2018-0881", "décision ARCEP 2018-0881"),
        mend=said("write the country's own", "écrivez ceux du pays"),
        look=_as_in_france,
        needs=("numbering.country", "numbering.national_prefix"),
    ),
    Rule(
        id="SITE-70",
        title=said(
            "The prefix that hides the caller is nothing else",
            "Le préfixe qui masque l'appelant ne sert à rien d'autre",
        ),
        why=said(
            "Dialling one means the other: the number is hidden unasked, or the call goes nowhere.",
            "Composer l'un, c'est composer l'autre : le numéro est masqué sans le vouloir, ou l'appel "
            "n'aboutit pas.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said("choose another one; *31 is usual", "choisissez-en un autre ; *31 est l'usage"),
        look=_hides,
        needs=("numbering.emergency", "numbering.short", "numbering.outside_prefix", "users.*"),
    ),
)
