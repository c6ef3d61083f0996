"""The site file as every verb takes it: read, judged, its passwords fetched."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trunkline.cli.bounded import Unread, contents
from trunkline.cli.guides import facts_of, guides_for
from trunkline.finding import Finding, Language, Level, said
from trunkline.site.load import Loaded, UnreadableYaml, load
from trunkline.site.model import Site
from trunkline.site.text import BYTES_MAX, SOURCE

if TYPE_CHECKING:
    from trunkline.guide.facts import Facts
    from trunkline.guide.suppress import Sifted

EXIT_GOOD: Final = 0
EXIT_FINDINGS: Final = 1
EXIT_UNREADABLE: Final = 2
RUNS: Final = ("bvpn", "bvpn-rainbow", "internet-a")  # behind a NAT comes with the real networks


class Refused(Exception):
    """A site file with errors; `findings` says which. A verb prints them and exits with 2."""

    def __init__(self, file: str, findings: tuple[Finding, ...]) -> None:
        self.file, self.findings = file, findings
        super().__init__("\n".join(lines(file, findings)))


def read(file: str) -> Loaded:
    """Read a site file. Raises UnreadableYaml, also for a file that cannot be opened."""
    try:
        return load(contents(Path(file), BYTES_MAX, waits=True, whole=False), file)
    except Unread as error:
        says = said(
            "the file cannot be opened: {why}",
            "le fichier ne peut pas être ouvert : {why}",
            why=error.why,
        )
        mend = said("check its name and rights", "vérifiez son nom et ses droits")
        missing = Finding("SITE-1", Level.MUST, "", says, mend, SOURCE, 1, 1)
        raise UnreadableYaml(missing) from None


def judged(loaded: Loaded) -> tuple[Finding, ...]:
    """The findings of a file that count: of its text and of its rules, without what it suppresses."""
    return sifted(loaded).findings


def sifted(loaded: Loaded, further: Iterable[Finding] = ()) -> Sifted:
    """All findings of a file, in its order: of its text, of its rules, and `further` ones that a verb made.

    Those that the file's comments suppress stand apart.
    """
    from trunkline.guide.catalogue import judge
    from trunkline.guide.suppress import sift

    guides, unread = guides_for(loaded)
    found = (*loaded.findings, *unread, *judge(loaded, guides=guides), *further)
    every = sorted(found, key=lambda found: (found.line, found.column))
    return sift(loaded, every)


def ready(
    file: str, wanted: Iterable[str] = ("trunk", "users"), environ: Mapping[str, str] | None = None
) -> Site:
    """The site a verb works with: no MUST finding, passwords in place. Raises Refused.

    `wanted` names the top-level keys whose passwords the verb needs; those of other keys
    stay references. The path of a facts file of its own becomes absolute: a lab runs a
    copy of the site that stands elsewhere.
    """
    from trunkline.cli.secrets import fetched

    try:
        loaded = read(file)
    except UnreadableYaml as error:
        raise Refused(file, (error.finding,)) from None
    errors = [finding for finding in judged(loaded) if finding.level is Level.MUST]
    if errors or loaded.site is None:
        raise Refused(file, tuple(errors))
    if loaded.site.architecture not in RUNS:
        says = said(
            "{architecture} is checked and planned, but not run yet",
            "{architecture} est vérifiée et planifiée, mais pas encore exécutée",
            architecture=loaded.site.architecture,
        )
        mend = said("try the site as internet-a", "essayez le site en internet-a")
        refusal = loaded.finding("SITE-19", Level.MUST, ("architecture",), says, mend, "trunkline")
        raise Refused(file, (refusal,))
    site, missing = fetched(loaded, Path(file).parent, frozenset(wanted), environ)
    if missing:
        raise Refused(file, missing)
    if site.guide.facts:
        facts = str((Path(file).parent / site.guide.facts).resolve())
        site = site.model_copy(update={"guide": site.guide.model_copy(update={"facts": facts})})
    return site


def planned(file: str) -> tuple[Site, Facts]:
    """A site to be planned and its guide's facts: no MUST finding, passwords not fetched. Raises Refused."""
    try:
        loaded = read(file)
    except UnreadableYaml as error:
        raise Refused(file, (error.finding,)) from None
    errors = [finding for finding in judged(loaded) if finding.level is Level.MUST]
    if errors or loaded.site is None:
        raise Refused(file, tuple(errors))
    return loaded.site, facts_of(loaded.site, Path(file).parent)


def placed(file: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings about keys of a site file, each at its line and column; as they are if it cannot be read."""
    told = tuple(findings)
    try:
        loaded = read(file)
    except UnreadableYaml:
        return told
    return tuple(
        loaded.finding(found.rule, found.level, _path(found.path), found.says, found.mend, found.source)
        for found in told
    )


def _path(dotted: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in dotted.split("."))


def lines(file: str, findings: Iterable[Finding], language: Language = "en") -> list[str]:
    """Findings as people read them: `site.yaml:5:9: MUST trunk.chanels: unknown key; ...`, then the mend."""
    from trunkline.guide.report import text

    return [line for found in findings for line in text.lines(file, found, language)]


def complain(refused: Refused, language: Language = "en") -> int:
    """Print why a site file was refused, on standard error; returns the exit code."""
    findings = [found.told(language) for found in refused.findings]
    print("\n".join(lines(refused.file, findings, language)), file=sys.stderr)
    return EXIT_UNREADABLE
