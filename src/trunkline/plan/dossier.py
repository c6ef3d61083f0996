"""The dossier: all chapters of a site in the order they are read, and all files they are written to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from trunkline.finding import Finding, Language, Wording, said, told
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.foresight import Paper
from trunkline.plan import (
    checklist,
    dates,
    dns,
    firewall,
    form,
    letter,
    overview,
    profile,
    questions,
    sizing,
    tunnels,
)
from trunkline.plan.document import Chapter, Figure, File
from trunkline.plan.drawing_words import architecture
from trunkline.plan.markdown import markdown
from trunkline.plan.page import Cover, page
from trunkline.site.model import Site

PAGE: Final = "index.html"
TEXT: Final = "dossier.md"


@dataclass(frozen=True, slots=True)
class Order:
    """What a dossier is ordered for: the site, its guide, the day that validity is judged at, the what-if.

    `papers` are the certificate files that the site names, as far as they are there.
    """

    site: Site
    facts: Facts
    at: date
    more_users: int = 0
    findings: tuple[Finding, ...] = ()
    papers: tuple[Paper, ...] = ()


# The chapters in the readers' order; one that has nothing to say of a site returns None.
CHAPTERS: Final[tuple[Callable[[Order], Chapter | None], ...]] = (
    lambda order: overview.chapter(order.site, order.facts),
    lambda order: sizing.chapter(order.site, order.facts, order.more_users),
    lambda order: firewall.chapter(order.site, order.facts),
    lambda order: dns.chapter(order.site, order.facts),
    lambda order: tunnels.chapter(order.site, order.facts) if order.site.remote_sites else None,
    lambda order: form.chapter(order.site, order.facts),
    lambda order: letter.chapter(order.site, order.facts),
    lambda order: dates.chapter(order.site, order.facts, known_around()["pki"], order.papers, order.at),
    lambda order: checklist.chapter(order.site, order.facts),
    lambda order: profile.chapter(order.site, order.facts),
    lambda order: questions.chapter(order.site, order.facts, order.findings),
)


def dossier(
    site: Site,
    facts: Facts,
    at: date,
    more_users: int = 0,
    findings: Iterable[Finding] = (),
    papers: Iterable[Paper] = (),
) -> tuple[Chapter, ...]:
    """The chapters of a site. The same arguments give the same chapters, always."""
    order = Order(site, facts, at, more_users, tuple(findings), tuple(papers))
    made = (write(order) for write in CHAPTERS)
    return tuple(_filed(chapter) for chapter in made if chapter is not None)


def files(site: Site, facts: Facts, chapters: Sequence[Chapter], language: Language) -> tuple[File, ...]:
    """Everything that is written: the page, its text, drawings and machine files.

    ValueError for two files of one name, or a name that would leave the folder.
    """
    cover = _cover(site, facts)
    written = [
        File(PAGE, page(cover, chapters, language), said("the dossier, to read and to print", "le dossier")),
        File(TEXT, markdown(cover, chapters, language), said("the same as text", "le même en texte")),
    ]
    written += [
        replace(file, text=told(file.text, language)) for chapter in chapters for file in chapter.files
    ]
    names = [file.name.casefold() for file in written]
    for name in names:
        if names.count(name) > 1 or not _tame(name):
            raise ValueError(
                f"{name!r}: a dossier's file needs a name of its own, in ASCII, inside the folder"
            )
    return tuple(written)


def _filed(chapter: Chapter) -> Chapter:
    """The chapter with each of its figures as a file too."""
    blocks, drawn = [], []
    for number, block in enumerate(chapter.blocks, 1):
        if isinstance(block, Figure):
            block = replace(block, file=block.file or f"{chapter.id}-{number}.svg")
            drawn.append(File(block.file, Wording(block.english, block.french), block.caption or block.alt))
        blocks.append(block)
    return replace(chapter, blocks=tuple(blocks), files=(*drawn, *chapter.files))


def _cover(site: Site, facts: Facts) -> Cover:
    title = said("SIP trunk of {customer}", "Trunk SIP de {customer}", customer=site.customer)
    kind = said(
        "{kind}; {carrier}, guide of {edition}",
        "{kind} ; {carrier}, guide du {edition}",
        kind=architecture(site),
        carrier=facts.carrier or site.guide.name,
        edition=site.guide.edition,
    )
    made = said(
        "Made by trunkline plan from the site file: change that, then plan again.",
        "Fait par trunkline plan à partir du fichier du site : modifiez celui-ci, puis refaites le plan.",
    )
    return Cover(title, (kind, made), kind)


def _tame(name: str) -> bool:
    parts = name.split("/")
    plain = all(part and part[0] != "." and part.isascii() and _WORD.issuperset(part) for part in parts)
    return plain and len(name) <= 120


_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
