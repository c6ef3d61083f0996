"""Users and numbers: nobody unreachable, nothing that a prefix or an emergency number eats."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.site.model import Site
from trunkline.site.scalar import within


def _extensions_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    seen: set[str] = set()
    for index, user in enumerate(site.users):
        if user.extension in seen:
            says = f"extension {user.extension} is taken by another user"
            yield Seen(("users", index, "extension"), says)
        seen.add(user.extension)


def _ddis_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    first: dict[str, str] = {}
    for index, user in enumerate(site.users):
        if user.ddi in first:
            yield Seen(("users", index, "ddi"), f"{user.ddi} already rings extension {first[user.ddi]}")
        elif user.ddi:
            first[user.ddi] = user.extension


def _extension_is_emergency(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, user in enumerate(site.users):
        if user.extension in site.numbering.emergency:
            says = f"extension {user.extension} is an emergency number: whoever dials it reaches the centre"
            yield Seen(("users", index, "extension"), says)


def _extension_begins_as_emergency(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, user in enumerate(site.users):
        for number in site.numbering.emergency:
            if user.extension.startswith(number) and user.extension != number:
                says = f"extension {user.extension} begins with {number}: digit by digit, {number} answers"
                yield Seen(("users", index, "extension"), says)
                break


def _extension_begins_with_prefix(site: Site, facts: Facts) -> Iterator[Seen]:
    prefix = site.numbering.outside_prefix
    for index, user in enumerate(site.users):
        if prefix and user.extension.startswith(prefix):
            says = f"extension {user.extension} begins with the outside prefix {prefix}: it leads outside"
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
                says = f"extension {user.extension} is a short number ({pattern}) of the public network"
                yield Seen(("users", index, "extension"), says)
                break


def _password(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, user in enumerate(site.users):
        if not user.password:
            yield Seen(
                ("users", index, "password"),
                f"extension {user.extension} has no password: no phone may be it",
            )


def _country(site: Site, facts: Facts) -> Iterator[Seen]:
    country, number = site.numbering.country, site.numbering.installation_number
    if not number.startswith("+" + country):
        yield Seen(("numbering", "installation_number"), f"{number} is not a number of country {country}")


def _ranges(site: Site, facts: Facts) -> Iterator[Seen]:
    ranges = site.carrier.number_ranges
    if not ranges:
        return
    says = "{} lies outside the numbers bought from the carrier: it is refused as caller and never called"
    if not within(site.numbering.installation_number, ranges):
        yield Seen(("numbering", "installation_number"), says.format(site.numbering.installation_number))
    for index, user in enumerate(site.users):
        if user.ddi and not within(user.ddi, ranges):
            yield Seen(("users", index, "ddi"), says.format(user.ddi))


_OTHER = "choose another extension"

RULES = (
    Rule(
        id="SITE-30",
        title="Each user has an extension of its own",
        level=Level.MUST,
        source="OMC",
        mend=_OTHER,
        look=_extensions_differ,
    ),
    Rule(
        id="SITE-31",
        title="Each DDI rings one user",
        level=Level.MUST,
        source="OMC",
        mend="give the user another DDI, or none",
        look=_ddis_differ,
    ),
    Rule(
        id="SITE-32",
        title="No extension is an emergency number",
        level=Level.MUST,
        source="OMC",
        mend=f"{_OTHER}; emergency numbers are matched first and never altered",
        look=_extension_is_emergency,
        needs=("numbering.emergency",),
    ),
    Rule(
        id="SITE-33",
        title="No extension begins with an emergency number",
        level=Level.SHOULD,
        source="OMC",
        mend=_OTHER,
        look=_extension_begins_as_emergency,
        needs=("numbering.emergency",),
    ),
    Rule(
        id="SITE-34",
        title="No extension begins with the outside prefix",
        level=Level.MUST,
        source="OMC",
        mend=f"{_OTHER}, or another outside prefix",
        look=_extension_begins_with_prefix,
        needs=("numbering.outside_prefix",),
    ),
    Rule(
        id="SITE-35",
        title="No extension is a short number of the public network",
        level=Level.MUST,
        source="OMC",
        mend=f"{_OTHER}, or delete the pattern from numbering.short; short numbers are matched first",
        look=_extension_is_short_number,
        needs=("numbering.short",),
    ),
    Rule(
        id="SITE-36",
        title="Each user's phone has a password to register with",
        level=Level.SHOULD,
        source="RFC 3261 §22",
        mend="give one: ${file:PATH} or ${env:NAME}",
        look=_password,
    ),
    Rule(
        id="SITE-37",
        title="The installation number belongs to the country",
        level=Level.MUST,
        source="OMC",
        mend="Numbering > Installation Numbers: agree numbering.country and installation_number",
        look=_country,
        needs=("numbering.country",),
    ),
    Rule(
        id="SITE-38",
        title="The numbers in use are bought",
        level=Level.MUST,
        source="carrier.number_ranges",
        mend="correct the number, or the ranges in carrier.number_ranges",
        look=_ranges,
        needs=("carrier.number_ranges.*",),
    ),
)
