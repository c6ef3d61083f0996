"""Chapter 4 of the guide: the versions and loads of the IPBX, and the telephones, that are certified."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Fact, Facts, known_around
from trunkline.guide.rule import Rule, Seen
from trunkline.site.model import Site

_VERSION = re.compile(r"[0-9]+\.[0-9]+")


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _certified(facts: Facts) -> list[str]:
    """The versions that the guide certifies, oldest first: the last majors of its table."""
    listed = [fact.key.removeprefix("products.loads.") for fact in facts.under("products.loads")]
    versions = sorted(filter(_VERSION.fullmatch, listed), key=_number)
    kept = facts.number("products.loads.majors_supported")
    return versions[-kept:]


def _version(site: Site, facts: Facts) -> Iterator[Seen]:
    certified = _certified(facts)
    version = site.product.version
    if version not in certified and _number(version) < _number(certified[-1]):
        says = said(
            "version {version} is not certified; {certified} are",
            "la version {version} n'est pas certifiée ; {certified} le sont",
            version=version,
            certified=", ".join(certified),
        )
        yield Seen(("product", "version"), says)


def _newer(site: Site, facts: Facts) -> Iterator[Seen]:
    last, version = _certified(facts)[-1], site.product.version
    if _number(version) > _number(last):
        says = said(
            "version {version} is newer than {last}, the last one that this edition of the guide knows",
            "la version {version} est plus récente que {last}, la dernière que connaît cette édition du "
            "guide",
            version=version,
            last=last,
        )
        yield Seen(("product", "version"), says)


def _load_of_version(site: Site, facts: Facts) -> str:
    """The least load of the site's version; "" where the guide names none."""
    key = f"products.loads.{site.product.version}"
    return facts.text(key, "")


def _least_load(site: Site, facts: Facts) -> Iterator[Seen]:
    least, load = _load_of_version(site, facts), site.product.load
    if least and load.partition("/")[0] == least.partition("/")[0] and load < least:
        says = said(
            "load {load} is older than {least}, the first one certified",
            "la version logicielle {load} est antérieure à {least}, la première certifiée",
            load=load,
            least=least,
        )
        yield Seen(("product", "load"), says)


def _load_fits(site: Site, facts: Facts) -> Iterator[Seen]:
    least, load = _load_of_version(site, facts), site.product.load
    wanted = least.partition("/")[0]
    if least and load.partition("/")[0] != wanted:
        says = said(
            "load {load} is none of version {version}: its loads begin with {wanted}",
            "la version logicielle {load} n'est pas une {version} : celles-ci commencent par {wanted}",
            load=load,
            version=site.product.version,
            wanted=wanted,
        )
        yield Seen(("product", "load"), says)


# --- telephones -----------------------------------------------------------------------


def row(model: str, facts: Facts) -> Fact | None:
    """The row of the guide's table that a model belongs to; None for one that the table does not name.

    The table's x between digits is any digit: 80x8 holds the 8018 and the 8068. Series
    (Essential, Business) and other spellings of a model are in `knowledge/endpoints.toml`.
    """
    spelt = re.sub(r"[\s_-]", "", model).upper()
    around = known_around()["endpoints"]
    for fact in facts.under("endpoints"):
        key = fact.key.removeprefix("endpoints.")
        maker, _, device = key.upper().rpartition("_")  # MEDIATRIX_4102: the maker may be left out
        digits = re.sub(r"(?<=\d)X(?=\d|$)", "[0-9X]", device)
        if re.fullmatch(f"({maker.replace('_', '')})?{digits}" if maker else digits, spelt):
            return fact
        alias = f"series.{key}"
        if around.known(alias) and spelt in around.words(alias):
            return fact
    return None


def _endpoint_version(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, endpoint in enumerate(site.endpoints):
        found = row(endpoint.model, facts)
        least = str(found.value) if found else ""
        if _VERSION.fullmatch(least) and _number(site.product.version) < _number(least):
            says = said(
                "{model} is certified from version {least} of the IPBX, which has {version}",
                "{model} est certifié à partir de la version {least} de l'IPBX, qui est en {version}",
                model=endpoint.model,
                least=least,
                version=site.product.version,
            )
            yield Seen(("endpoints", index, "model"), says)


def _endpoint_doubtful(site: Site, facts: Facts) -> Iterator[Seen]:
    doubtful = facts.words("text.doubtful_rows", ())
    for index, endpoint in enumerate(site.endpoints):
        found = row(endpoint.model, facts)
        if found and (not found.known or found.key.removeprefix("endpoints.") in doubtful):
            says = said(
                "the guide's table is damaged at {model}: which version it is certified with is uncertain",
                "le tableau du guide est abîmé pour {model} : on ne sait pas avec quelle version il est "
                "certifié",
                model=endpoint.model,
            )
            yield Seen(("endpoints", index, "model"), says)


def _endpoint_unknown(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.under("endpoints"):
        return
    for index, endpoint in enumerate(site.endpoints):
        if row(endpoint.model, facts) is None:
            says = said(
                "the guide does not name {model}: it counts as a third-party endpoint, certified on demand",
                "le guide ne nomme pas {model} : il compte comme un poste tiers, certifié à la demande",
                model=endpoint.model,
            )
            yield Seen(("endpoints", index, "model"), says)


_UPGRADE = said(
    "upgrade the IPBX to a certified version and load before the trunk is ordered",
    "mettez l'IPBX à une version certifiée avant de commander le trunk",
)
_ASK = said("ask the carrier before the order", "demandez à l'opérateur avant la commande")
_SUPPORT = said(
    "The carrier helps with certified versions only, and may change its network without regard to others.",
    "L'opérateur n'assiste que les versions certifiées et peut faire évoluer son réseau sans égard aux "
    "autres.",
)

RULES = (
    Rule(
        id="VER-1a",
        title=said(
            "The IPBX has one of the supported versions", "L'IPBX est dans une des versions supportées"
        ),
        why=_SUPPORT,
        level=Level.MUST,
        source="guide 4.1, 4.2",
        mend=_UPGRADE,
        look=_version,
        fact="products.loads.majors_supported",
    ),
    Rule(
        id="VER-1b",
        title=said(
            "The load is at least the certified one",
            "La version logicielle est au moins celle qui est certifiée",
        ),
        why=_SUPPORT,
        level=Level.MUST,
        source="guide 4.2",
        mend=_UPGRADE,
        look=_least_load,
        needs=("product.version",),
    ),
    Rule(
        id="VER-1c",
        title=said("The load belongs to the version", "La version logicielle est bien de cette version"),
        why=said(
            "One of the two is mistyped, so nobody knows what is installed.",
            "Une des deux valeurs est mal saisie : personne ne sait ce qui est installé.",
        ),
        level=Level.MUST,
        source="guide 4.2",
        mend=said(
            "read both in OMC > System Miscellaneous > Software version",
            "lisez les deux dans OMC > System Miscellaneous > Software version",
        ),
        look=_load_fits,
        needs=("product.version",),
    ),
    Rule(
        id="VER-1d",
        title=said(
            "The version is known to this edition of the guide",
            "La version est connue de cette édition du guide",
        ),
        why=_SUPPORT,
        level=Level.SHOULD,
        source="guide 4.1, 4.2",
        mend=said(
            "ask the carrier for the guide's current edition, and whether it certifies this version",
            "demandez à l'opérateur l'édition courante du guide, et si elle certifie cette version",
        ),
        look=_newer,
        fact="products.loads.majors_supported",
    ),
    Rule(
        id="VER-2a",
        title=said(
            "The telephones are certified with the IPBX's version",
            "Les postes sont certifiés avec la version de l'IPBX",
        ),
        why=_SUPPORT,
        level=Level.MUST,
        source="guide 4.3",
        mend=said(
            "choose another model, or upgrade the IPBX",
            "choisissez un autre modèle, ou mettez l'IPBX à niveau",
        ),
        look=_endpoint_version,
        needs=("product.version",),
    ),
    Rule(
        id="VER-2b",
        title=said(
            "The guide's row of the telephone is legible", "La ligne du guide pour ce poste est lisible"
        ),
        why=said(
            "The rows of the guide's table lost their order: whoever guesses may order what is not "
            "certified.",
            "Les lignes du tableau ont perdu leur ordre : deviner, c'est risquer du matériel non certifié.",
        ),
        level=Level.NOTE,
        source="guide 4.3",
        mend=_ASK,
        look=_endpoint_doubtful,
    ),
    Rule(
        id="VER-2c",
        title=said("The guide names the telephone", "Le guide nomme ce poste"),
        why=said(
            "Third-party endpoints are certified on demand only.",
            "Les postes tiers ne sont certifiés qu'à la demande.",
        ),
        level=Level.NOTE,
        source="guide 4.3",
        mend=_ASK,
        look=_endpoint_unknown,
    ),
)
