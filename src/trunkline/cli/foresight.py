"""The certificate files of a site, as far as they are there, for who judges them on a day (--at)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from trunkline.cli.bounded import Unread, contents
from trunkline.cli.guides import guides_for
from trunkline.finding import Finding
from trunkline.guide.catalogue import placed
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.foresight import Paper, foresee, named
from trunkline.site.load import Loaded
from trunkline.site.model import Site

FILE_MAX: Final = 1 << 20  # bytes of a PEM file
FILES_MAX: Final = 64  # files of one site that are read


def foreseen(loaded: Loaded, folder: Path, at: date) -> tuple[Finding, ...]:
    """What the certificate files of a site mean for it on that day; `folder` is the site file's."""
    if loaded.draft is None:
        return ()
    site, facts = loaded.draft.site, facts_for(loaded)
    found = foresee(site, papers_of(site, folder), facts, known_around()["pki"], at)
    return placed(loaded, found, facts)


def facts_for(loaded: Loaded) -> Facts:
    """The facts of a read file's guide; none where it names one that nobody knows (judge tells)."""
    assert loaded.draft is not None
    known, _ = guides_for(loaded)
    return known.get(loaded.draft.site.guide.name) or Facts("", "", "", "")


def papers_of(site: Site, folder: Path) -> tuple[Paper, ...]:
    """The files that a site names, as far as they are there."""
    found = []
    for path, file in named(site)[:FILES_MAX]:
        try:
            found.append(Paper(path, file, contents(folder / file, FILE_MAX)))
        except Unread as error:
            found.append(Paper(path, file, None, "" if error.absent else error.why))
    return tuple(found)
