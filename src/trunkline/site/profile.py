"""The SIP profile: the nine tabs of a site's gateways, exported and imported in a format of our own.

The vendor's .spf is another thing: its inside is not public, and nothing here reads or writes one. A
profile is YAML with the gateways as the site file has them, under a head that says which
format, guide and edition it was made for. Passwords are not exported unless they are references.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from trunkline.finding import Finding, Level, said
from trunkline.site.explain import explained, is_secret
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site
from trunkline.site.scalar import reference
from trunkline.site.section import Section
from trunkline.site.text import Path, Place, Tree, Value, dotted, read

FORMAT: Final = "trunkline-gateways/1"
_HOME: Final[Path] = ("trunk", "gateways")
_HEAD: Final = {"profile", "guide", "edition", "gateways"}


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that was read: the guide it was made for, and its gateways."""

    guide: str
    edition: str
    gateways: tuple[Gateway, ...]


class UnusableProfile(ValueError):
    """A profile that cannot be imported; `findings` say what is wrong, at its own lines."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__(findings[0].says if findings else "")


def exported(site: Site) -> str:
    """The profile of a site as YAML; `parse` is its inverse."""
    head = {"profile": FORMAT, "guide": site.guide.name, "edition": site.guide.edition}
    says = "# The SIP gateways of a site, by the tabs of OMC. Not the vendor's .spf.\n"
    return says + _written({**head, "gateways": _words(site.trunk.gateways)})


def _written(value: Any) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000))


def _words(gateways: tuple[Gateway, ...]) -> list[dict[str, Any]]:
    return [dict(_tabs(gateway, (*_HOME, place))) for place, gateway in enumerate(gateways)]


def _tabs(section: Section, path: Path) -> Iterator[tuple[str, Any]]:
    """All that stands in a section, defaults too; what is empty and an inline password are left out."""
    for name, field in type(section).model_fields.items():
        value, key = getattr(section, name), field.alias or name
        if value is None or value == "" or (is_secret((*path, key)) and not reference(value)):
            continue
        yield key, _plain(value, (*path, key))


def _plain(value: Any, path: Path) -> Any:
    if isinstance(value, Section):
        return dict(_tabs(value, path))
    return list(value) if isinstance(value, tuple) else value


def parse(text: str) -> Profile:
    """Read a profile. Raises UnusableProfile, and UnreadableYaml for what is no YAML."""
    tree = read(text)
    root = tree.root
    if not isinstance(root, dict) or root.get("profile") != FORMAT:
        raise UnusableProfile((_about(tree, (), _NO_PROFILE, _EXPORT),))
    findings = [found for found in tree.findings if found.level is Level.MUST]
    unknown, delete = said("unknown key", "clé inconnue"), said("delete it", "supprimez-la")
    findings += [_about(tree, (key,), unknown, delete) for key in root.keys() - _HEAD]
    gateways, written = tuple[Gateway, ...](), root.get("gateways")
    if not isinstance(written, list) or not written:
        none = said("no gateways stand here", "aucune passerelle ici")
        findings.append(_about(tree, ("gateways",), none, _EXPORT))
    else:
        try:
            gateways = TypeAdapter(tuple[Gateway, ...]).validate_python(written)
        except ValidationError as error:
            findings += _judged(tree, error, written)
    if findings:
        raise UnusableProfile(tuple(sorted(findings, key=lambda found: (found.line, found.column))))
    return Profile(str(root.get("guide", "")), str(root.get("edition", "")), gateways)


_NO_PROFILE: Final = said("this is no profile of Trunkline", "ce n'est pas un profil de Trunkline")
_EXPORT: Final = said(
    "make one with `trunkline profile export`; a vendor's .spf goes into OMC itself",
    "produisez-en un par `trunkline profile export` ; un .spf du constructeur s'importe dans OMC",
)


def _judged(tree: Tree, error: ValidationError, gateways: list[Value]) -> Iterator[Finding]:
    """The model's errors, as the site file would be told of them, at the profile's own lines."""
    errors = error.errors(include_url=False)
    for one in errors:
        one["loc"] = (*_HOME, *one["loc"])
    within: Value = {"trunk": {"gateways": gateways}}
    for rule, path, says, mend in explained(errors, within):
        yield _about(tree, path[1:], says, mend, rule)


def _about(tree: Tree, path: Path, says: str, mend: str, rule: str = "SITE-5") -> Finding:
    near = path
    while near and near not in tree.places:
        near = near[:-1]
    place = tree.places.get(near, Place(1, 1, 1, 1))
    return Finding(rule, Level.MUST, dotted(path), says, mend, "profile", place.key_line, place.key_column)


def imported(text: str, places: Mapping[Path, Place], profile: Profile) -> str:
    """A site file's text with its gateways replaced by the profile's; every other line as it was.

    ValueError where the site file does not write `gateways:` as a block of lines.
    """
    at = places.get(_HOME)
    lines = text.splitlines(keepends=True)
    if at is None or at.line == at.key_line:
        raise ValueError("trunk.gateways does not stand on lines of its own")
    indent = at.key_column - 1
    first = at.key_line  # the line after the key's, counted from 0
    last = first
    for number in range(first, len(lines)):
        bare = lines[number].strip()
        depth = len(lines[number]) - len(lines[number].lstrip(" "))
        if not bare or bare.startswith("#"):
            continue
        if depth > indent or (depth == indent and bare.startswith("- ")):
            last = number + 1
        else:
            break
    written = _written(_words(profile.gateways))
    block = [" " * (indent + 2) + line for line in written.splitlines(keepends=True)]
    return "".join((*lines[:first], *block, *lines[last:]))
