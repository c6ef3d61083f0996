"""Users and numbers: nobody unreachable, nothing that a prefix or an emergency number eats."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.guide.rules.emergency import french
from trunkline.guide.rules.overseas import as_overseas, numbers
from trunkline.site.model import Site
from trunkline.site.scalar import within


def _extensions_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    seen: set[str] = set()
    for index, user in enumerate(site.users):
        if user.extension in seen:
            says = said(
                "extension {extension} is taken by another user",
                "le poste {extension} est déjà celui d'un autre utilisateur",
                extension=user.extension,
            )
            yield Seen(("users", index, "extension"), says)
        seen.add(user.extension)


def _ddis_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    first: dict[str, str] = {}
    for index, user in enumerate(site.users):
        if user.ddi in first:
            says = said(
                "{ddi} already rings extension {other}",
                "{ddi} fait déjà sonner le poste {other}",
                ddi=user.ddi,
                other=first[user.ddi],
            )
            yield Seen(("users", index, "ddi"), says)
        elif user.ddi:
            first[user.ddi] = user.extension


def _extension_is_emergency(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, user in enumerate(site.users):
        if user.extension in site.numbering.emergency:
            says = said(
                "extension {extension} is an emergency number: whoever dials it reaches the emergency "
                "services",
                "le poste {extension} est un numéro d'urgence : celui qui le compose joint les secours",
                extension=user.extension,
            )
            yield Seen(("users", index, "extension"), says)


def _extension_begins_as_emergency(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, user in enumerate(site.users):
        for number in site.numbering.emergency:
            if user.extension.startswith(number) and user.extension != number:
                says = said(
                    "extension {extension} begins with {number}: dialled digit by digit, {number} answers",
                    "le poste {extension} commence par {number} : composé chiffre par chiffre, {number} "
                    "répond",
                    extension=user.extension,
                    number=number,
                )
                yield Seen(("users", index, "extension"), says)
                break


def _extension_begins_with_prefix(site: Site, facts: Facts) -> Iterator[Seen]:
    prefix = site.numbering.outside_prefix
    for index, user in enumerate(site.users):
        if prefix and user.extension.startswith(prefix):
            says = said(
                "extension {extension} begins with the outside prefix {prefix}: dialling it leads outside",
                "le poste {extension} commence par le préfixe de prise de ligne {prefix} : le composer mène "
                "à l'extérieur",
                extension=user.extension,
                prefix=prefix,
            )
            yield Seen(("users", index, "extension"), says)


def matches(pattern: str, number: str) -> bool:
    """True if a number has the digits of a pattern, in which X is any digit."""
    return len(pattern) == len(number) and all(
        want in ("X", digit) for want, digit in zip(pattern, number, strict=True)
    )


def _extension_is_short_number(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, user in enumerate(site.users):
        for pattern in site.numbering.short:
            if matches(pattern, user.extension):
                says = said(
                    "extension {extension} is a short number ({pattern}) of the public network",
                    "le poste {extension} est un numéro court ({pattern}) du réseau public",
                    extension=user.extension,
                    pattern=pattern,
                )
                yield Seen(("users", index, "extension"), says)
                break


def _password(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, user in enumerate(site.users):
        if not user.password:
            says = said(
                "extension {extension} has no password: no phone can log in as it",
                "le poste {extension} n'a pas de mot de passe : aucun appareil ne peut s'y enregistrer",
                extension=user.extension,
            )
            yield Seen(("users", index, "password"), says)


def _country(site: Site, facts: Facts) -> Iterator[Seen]:
    country, number = site.numbering.country, site.numbering.installation_number
    if not number.startswith("+" + country):
        says = said(
            "{number} is not a number of country {country}",
            "{number} n'est pas un numéro du pays {country}",
            number=number,
            country=country,
        )
        yield Seen(("numbering", "installation_number"), says)


def _ranges(site: Site, facts: Facts) -> Iterator[Seen]:
    ranges = site.carrier.number_ranges
    if not ranges:
        return
    if not within(site.numbering.installation_number, ranges):
        number = site.numbering.installation_number
        yield Seen(("numbering", "installation_number"), said(*_OUTSIDE, number=number))
    for index, user in enumerate(site.users):
        if user.ddi and not within(user.ddi, ranges):
            yield Seen(("users", index, "ddi"), said(*_OUTSIDE, number=user.ddi))


_OUTSIDE = (
    "{number} lies outside the numbers bought from the carrier: calls that show it are refused, and nobody "
    "reaches it",
    "{number} ne fait pas partie des numéros achetés à l'opérateur : les appels qui le présentent sont "
    "refusés, et personne ne le joint",
)
_OTHER = said("choose another extension", "choisissez un autre numéro de poste")


def _whole_number(site: Site, facts: Facts) -> Iterator[Seen]:
    plan = site.numbering
    home = "+" + plan.country
    length = known_around()["france"].number("country.national_length")
    if french(site) and plan.national_length != length:
        return  # SITE-69a
    told: set[Path] = set()
    for path, number in numbers(site):
        national = number.removeprefix(home)
        if national == number or number.endswith("X") or path in told or as_overseas(number):  # else DROM-1e
            continue
        if len(national) != plan.national_length or (
            plan.national_prefix and national[0] == plan.national_prefix
        ):
            told.add(path)
            says = said(
                "{number} has {has} digits after {home}; it takes {wanted}, without the {prefix} in front",
                "{number} a {has} chiffres après {home} ; il en faut {wanted}, sans le {prefix} devant",
                number=number,
                has=len(national),
                home=home,
                wanted=plan.national_length,
                prefix=plan.national_prefix,
            )
            yield Seen(path, says)


RULES = (
    Rule(
        id="SITE-39",
        title=said("The site's numbers are whole", "Les numéros du site sont complets"),
        why=said(
            "A digit too few or too many makes a number that nobody has: calls to it fail, and the carrier "
            "refuses calls that show it.",
            "Un chiffre en trop ou en moins donne un numéro qui n'est à personne : on ne le joint pas, et "
            "l'opérateur refuse les appels qui le présentent.",
        ),
        level=Level.MUST,
        source="ITU-T E.164 §6",
        mend=said(
            "write it as in the carrier's letter: +, country, and the number without its 0",
            "écrivez-le comme dans le courrier de l'opérateur : +, pays, et le numéro sans son 0",
        ),
        look=_whole_number,
        needs=("numbering.country", "numbering.national_length", "numbering.national_prefix"),
    ),
    Rule(
        id="SITE-30",
        title=said(
            "Each user has an extension of its own", "Chaque utilisateur a son propre numéro de poste"
        ),
        why=said(
            "Two users of one number get each other's calls, or only one of them any.",
            "Deux utilisateurs d'un même numéro reçoivent les appels l'un de l'autre, ou l'un d'eux n'en "
            "reçoit aucun.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=_OTHER,
        look=_extensions_differ,
    ),
    Rule(
        id="SITE-31",
        title=said(
            "Each direct number (DDI) rings one user", "Chaque numéro direct (SDA) fait sonner un poste"
        ),
        why=said(
            "A direct number given twice rings one of the two only: the other cannot be called from outside.",
            "Un numéro direct donné deux fois ne fait sonner que l'un des deux : l'autre est injoignable de "
            "l'extérieur.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said("give the user another DDI, or none", "donnez à l'utilisateur une autre SDA, ou aucune"),
        look=_ddis_differ,
    ),
    Rule(
        id="SITE-32",
        title=said("No extension is an emergency number", "Aucun poste ne porte un numéro d'urgence"),
        why=said(
            "Whoever calls this colleague reaches the emergency services instead, and false alarms are "
            "fined.",
            "Celui qui appelle ce collègue joint les secours à sa place, et les fausses alertes sont "
            "sanctionnées.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said(
            "choose another extension; emergency numbers always come first",
            "choisissez un autre numéro de poste ; les numéros d'urgence passent toujours d'abord",
        ),
        look=_extension_is_emergency,
        needs=("numbering.emergency",),
    ),
    Rule(
        id="SITE-33",
        title=said(
            "No extension begins with an emergency number", "Aucun poste ne commence par un numéro d'urgence"
        ),
        why=said(
            "A phone that sends digit by digit reaches the emergency services before the last digit is "
            "dialled.",
            "Un appareil qui envoie chiffre par chiffre joint les secours avant que le dernier chiffre soit "
            "composé.",
        ),
        level=Level.SHOULD,
        source="OMC",
        mend=_OTHER,
        look=_extension_begins_as_emergency,
        needs=("numbering.emergency",),
    ),
    Rule(
        id="SITE-34",
        title=said(
            "No extension begins with the outside prefix",
            "Aucun poste ne commence par le préfixe de prise de ligne",
        ),
        why=said(
            "The first digit already seizes an outside line: colleagues never reach this extension, and a "
            "stranger may be called.",
            "Le premier chiffre prend déjà une ligne extérieure : les collègues ne joignent jamais ce "
            "poste, et un inconnu peut être appelé.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said(
            "choose another extension, or another outside prefix",
            "choisissez un autre numéro de poste, ou un autre préfixe de prise de ligne",
        ),
        look=_extension_begins_with_prefix,
        needs=("numbering.outside_prefix",),
    ),
    Rule(
        id="SITE-35",
        title=said(
            "No extension is a short number of the public network",
            "Aucun poste ne porte un numéro court du réseau public",
        ),
        why=said(
            "Short numbers go to the carrier as dialled: whoever calls this colleague gets a public service, "
            "perhaps a paid one.",
            "Les numéros courts partent tels quels chez l'opérateur : celui qui appelle ce collègue obtient "
            "un service public, parfois payant.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said(
            "choose another extension, or delete the pattern from numbering.short",
            "choisissez un autre numéro de poste, ou supprimez le motif de numbering.short",
        ),
        look=_extension_is_short_number,
        needs=("numbering.short",),
    ),
    Rule(
        id="SITE-36",
        title=said(
            "Each user's phone has a password to log in with",
            "L'appareil de chaque utilisateur a un mot de passe pour s'enregistrer",
        ),
        why=said(
            "Without a password the IPBX lets no phone be this user: the phone stays dead on the desk.",
            "Sans mot de passe, l'IPBX n'accepte aucun appareil pour cet utilisateur : le téléphone reste "
            "muet sur le bureau.",
        ),
        level=Level.SHOULD,
        source="RFC 3261 §22",
        mend=said(
            "give it one: ${{file:PATH}} or ${{env:NAME}}",
            "donnez-en un : ${{file:CHEMIN}} ou ${{env:NOM}}",
        ),
        look=_password,
    ),
    Rule(
        id="SITE-37",
        title=said(
            "The installation number belongs to the country", "Le numéro d'installation est celui du pays"
        ),
        why=said(
            "The IPBX builds the numbers it shows and dials from the country code. With another country's, "
            "callers see a wrong number and calls go abroad.",
            "L'IPBX construit les numéros présentés et composés avec l'indicatif du pays. Avec celui d'un "
            "autre pays, un faux numéro s'affiche et des appels partent à l'étranger.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said(
            "Numbering > Installation Numbers: agree numbering.country and installation_number",
            "Numbering > Installation Numbers : accordez numbering.country et installation_number",
        ),
        look=_country,
        needs=("numbering.country",),
    ),
    Rule(
        id="SITE-38",
        title=said("The numbers in use are bought", "Les numéros utilisés ont été achetés"),
        why=said(
            "The carrier checks the number that a call shows. One that is not the customer's is refused or "
            "replaced, and calls to it go to somebody else.",
            "L'opérateur vérifie le numéro que présente un appel. S'il n'est pas au client, il est refusé ou "
            "remplacé, et les appels vers lui vont chez quelqu'un d'autre.",
        ),
        level=Level.MUST,
        source="carrier.number_ranges",
        mend=said(
            "correct the number, or the ranges in carrier.number_ranges",
            "corrigez le numéro, ou les plages de carrier.number_ranges",
        ),
        look=_ranges,
        needs=("carrier.number_ranges.*",),
    ),
)
