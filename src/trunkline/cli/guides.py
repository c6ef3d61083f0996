"""Which guide a site is built to: one shipped with the product, or a facts file of the customer's own.

`guide.facts` names that file, beside the site file. Every verb asks here, so that
another carrier needs a file and no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from trunkline.cli.bounded import Unread, contents
from trunkline.finding import Finding, ParseError, Wording, said
from trunkline.guide.facts import Facts, shipped
from trunkline.guide.own_facts import FACTS_FILE
from trunkline.site.load import Loaded
from trunkline.site.model import Site

FACTS_MAX: Final = 1 << 20  # bytes of a facts file; the largest shipped has 20 kB
AT: Final = ("guide", "facts")


class NoFacts(Exception):
    """A guide's facts cannot be had: what is wrong, and how to mend it."""

    def __init__(self, says: Wording | str, mend: Wording | str) -> None:
        self.says, self.mend = says, mend
        super().__init__(says)

    def finding(self) -> Finding:
        """It as a finding about `guide.facts`, not placed."""
        return Finding(FACTS_FILE.id, FACTS_FILE.level, ".".join(AT), self.says, self.mend, FACTS_FILE.source)


def read_facts(path: Path) -> Facts:
    """A facts file. Raises NoFacts for one that cannot be read, or says a thing in a form no reader takes."""
    shown = path.name
    try:
        data = contents(path, FACTS_MAX)
    except Unread as error:
        says = said(
            "the facts file {file} cannot be read: {why}",
            "le fichier de faits {file} est illisible : {why}",
            file=shown,
            why=error.why,
        )
        mend = said(
            "check its name and rights; its path counts from the site file's folder",
            "vérifiez son nom et ses droits ; son chemin part du dossier du fichier de site",
        )
        raise NoFacts(says, mend) from None
    try:
        facts = Facts.parse(data.decode("utf-8"))
        for like in shipped().values():
            facts.check_kinds(like)
    except (ParseError, UnicodeDecodeError) as error:
        says = said(
            "the facts file {file} cannot be used: {why}",
            "le fichier de faits {file} est inutilisable : {why}",
            file=shown,
            why=str(error),
        )
        raise NoFacts(says, FACTS_FILE.mend) from None
    return facts


def guides_of(site: Site, folder: Path) -> Mapping[str, Facts]:
    """The guides a site may name: those shipped, or the one in its own facts file. Raises NoFacts."""
    if not site.guide.facts:
        return shipped()
    facts = read_facts(folder / site.guide.facts)
    return MappingProxyType({facts.name: facts})


def facts_of(site: Site, folder: Path) -> Facts:
    """The facts of a site's guide; `folder` is the site file's. Raises NoFacts."""
    known = guides_of(site, folder)
    if site.guide.name not in known:
        says = said(
            "no guide of the name {name} is known here",
            "aucun guide du nom de {name} n'est connu ici",
            name=site.guide.name,
        )
        names = ", ".join(sorted(known))
        raise NoFacts(says, said("write one of: {names}", "écrivez l'un de : {names}", names=names))
    return known[site.guide.name]


def guides_for(loaded: Loaded) -> tuple[Mapping[str, Facts], tuple[Finding, ...]]:
    """The guides to judge a read file by; where its own facts file is of no use, one that says nothing.

    That is then the one finding: no rule speaks of a guide that nobody could read.
    """
    draft = loaded.draft
    if draft is None:
        return shipped(), ()
    try:
        return guides_of(draft.site, Path(loaded.file).parent), ()
    except NoFacts as error:
        guide = draft.site.guide
        found = loaded.finding(FACTS_FILE.id, FACTS_FILE.level, AT, error.says, error.mend, FACTS_FILE.source)
        return {guide.name: Facts(guide.name, "", "", guide.edition)}, (found,)
