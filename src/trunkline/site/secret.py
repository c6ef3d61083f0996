"""The passwords of a site: which are references, which stand inline, and the site with all filled in.

A reference reads `${file:PATH}`, relative to the site file's folder, or `${env:NAME}`.
Reading files and environment is the command line's (`cli.secrets`); this only says what
is wanted and puts it in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel

from trunkline.site.explain import section_of
from trunkline.site.model import Site
from trunkline.site.scalar import SecretMark, reference
from trunkline.site.section import Section
from trunkline.site.text import Path


class Reference(NamedTuple):
    """A password to fetch: its place in the site, and `kind` "file" (`name` a path) or "env"."""

    path: Path
    kind: str
    name: str


def secrets(section: Section, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every password that is not empty, with its path, as the file writes it."""
    for name, key in _holders(type(section)):
        value, here = getattr(section, name), (*path, key)
        if isinstance(value, Section):
            yield from secrets(value, here)
        elif isinstance(value, tuple):
            for index, entry in enumerate(value):
                yield from secrets(entry, (*here, index))
        elif value:
            yield here, value


@cache
def _holders(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """The fields of a section that are passwords or hold sections with some, each with its key."""
    return tuple(
        (name, field.alias or name)
        for name, field in model.model_fields.items()
        if any(isinstance(mark, SecretMark) for mark in field.metadata)
        or ((inner := section_of(field.annotation)) and _holders(inner))
    )


def references(site: Site) -> tuple[Reference, ...]:
    """The passwords of a site that are references."""
    found = ((path, reference(text)) for path, text in secrets(site))
    return tuple(Reference(path, *kind_and_name) for path, kind_and_name in found if kind_and_name)


def filled(site: Site, values: Mapping[Path, str]) -> Site:
    """The site with these passwords in place of what stands at their paths."""
    result: Site = _with(site, values)
    return result


def _with(value: Any, values: Mapping[Path, str]) -> Any:
    if () in values:
        return values[()]
    inner: dict[Any, dict[Path, str]] = {}
    for path, text in values.items():
        inner.setdefault(path[0], {})[path[1:]] = text
    if isinstance(value, tuple):
        return tuple(_with(entry, inner[i]) if i in inner else entry for i, entry in enumerate(value))
    return value.model_copy(update={key: _with(getattr(value, key), below) for key, below in inner.items()})
