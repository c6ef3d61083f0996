"""Toll fraud: what makes it easy to call abroad at the customer's expense."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trunkline.finding import Level, Wording, said
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.guide.rules.walk import gateways
from trunkline.site.model import Site
from trunkline.site.scalar import reference

_PADDING: Final = "0123456789-_.!@#$%&*?+= "  # what people put around a word
_RUNS: Final = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "azertyuiop", "qwertyuiop")


def _no_bar(site: Site, facts: Facts) -> Iterator[Seen]:
    numbering = site.numbering
    abroad = [bar for bar in numbering.international_barred if not bar.startswith("+" + numbering.country)]
    if numbering.international_allowed and not abroad:
        says = said(
            "every user may call every country, satellites and premium numbers too",
            "chaque utilisateur peut appeler tous les pays, satellites et numéros surtaxés compris",
        )
        yield Seen(("numbering", "international_barred"), says)


def weakness(secret: str, user: str, *names: str) -> Wording | None:
    """Why a password is easily guessed by who knows the user's extension or names; None for a fair one."""
    around, low = known_around()["passwords"], secret.lower()
    if len(secret) < around.number("shortest"):
        return said("it has {length} characters", "il a {length} caractères", length=len(secret))
    if low in around.words("common"):
        return said("it is one of those tried first", "c'est un de ceux qu'on essaie en premier")
    words = around.words("words")
    if low.strip(_PADDING) in words:
        return said(
            "it is a common word with figures or signs",
            "c'est un mot courant avec des chiffres ou des signes",
        )
    for name in (name.lower() for name in (user, *names) if name):
        # 20 may stand in a random number; a name with letters does not stand anywhere by chance.
        rest = low.replace(name, "").strip("-_." if name.isdigit() else _PADDING)
        if name in low and rest in ("", *words):
            return said("it is made of the user's own name", "il est fait du nom de l'utilisateur")
    if any(secret == secret[:width] * (len(secret) // width) for width in (1, 2, 3)):
        return said("it repeats itself", "il se répète")
    if any(low in run or low in run[::-1] for run in _RUNS):
        return said("it is a run of neighbours", "c'est une suite de voisins")
    return None


def _inline(site: Site) -> Iterator[tuple[Path, str, str, tuple[str, ...]]]:
    """Every password that stands in the file itself: its place, whose it is, the password, further names."""
    customer = _names(site.customer)
    for index, user in enumerate(site.users):
        if user.password and not reference(user.password):
            yield ("users", index, "password"), user.extension, user.password, (*_names(user.name), *customer)
    for path, gateway in gateways(site):
        registration = gateway.registration
        if registration.password and not reference(registration.password):
            yield (*path, "registration", "password"), registration.user, registration.password, customer


def _names(text: str) -> tuple[str, ...]:
    """The words of a name that are long enough to be told from chance."""
    return tuple(word for word in re.findall(r"\w+", text) if len(word) >= 4 and not word.isdigit())


def _weak(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, user, secret, names in _inline(site):
        why = weakness(secret, user, *names)
        if why is not None:
            says = said(
                "the password of {user} is easily guessed: {why}",
                "le mot de passe de {user} se devine : {why}",
                user=user,
                why=why,
            )
            yield Seen(path, says)


def _shared(site: Site, facts: Facts) -> Iterator[Seen]:
    first: dict[str, str] = {}
    for index, user in enumerate(site.users):
        if user.password in first:
            says = said(
                "extensions {first} and {second} have the same password",
                "les postes {first} et {second} ont le même mot de passe",
                first=first[user.password],
                second=user.extension,
            )
            yield Seen(("users", index, "password"), says)
        elif user.password:
            first[user.password] = user.extension


_ABROAD = said(
    "Who gets hold of one phone calls paid numbers abroad all weekend, and the customer pays.",
    "Qui prend la main sur un poste appelle des numéros payants à l'étranger tout le week-end, aux frais "
    "du client.",
)

RULES = (
    Rule(
        id="SITE-65",
        title=said("International calls have a bar", "L'international a un barrage"),
        why=_ABROAD,
        level=Level.SHOULD,
        source=said(
            "the vendor's courses (second-hand): international is barred by default",
            "cours du constructeur (de seconde main) : l'international est barré par défaut",
        ),
        mend=said(
            "Traffic sharing & barring: set international_allowed to false, or list what stays barred, "
            "as +882",
            "Traffic sharing & barring : mettez international_allowed à false, ou listez ce qui reste barré, "
            "comme +882",
        ),
        look=_no_bar,
        needs=("numbering.international_allowed", "numbering.international_barred.*"),
    ),
    Rule(
        id="SITE-66",
        title=said("Passwords are not easily guessed", "Les mots de passe ne se devinent pas"),
        why=_ABROAD,
        level=Level.SHOULD,
        source="NIST SP 800-63B §3.1.1.2",
        mend=said(
            "take sixteen random characters, best in a file: ${{file:PATH}}",
            "prenez seize caractères au hasard, de préférence dans un fichier : ${{file:CHEMIN}}",
        ),
        look=_weak,
    ),
    Rule(
        id="SITE-67",
        title=said("Each phone has a password of its own", "Chaque poste a son mot de passe"),
        why=said(
            "One lost phone opens every extension that shares its password.",
            "Un poste perdu ouvre tous ceux qui partagent son mot de passe.",
        ),
        level=Level.SHOULD,
        source="RFC 3261 §22",
        mend=said("give each user another one", "donnez-en un autre à chaque utilisateur"),
        look=_shared,
    ),
)
