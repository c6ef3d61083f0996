"""The text of a site file becomes a `Site`, or findings with line and column.

All errors are told at once: `load` never stops at the first. What two keys must agree
on is judged by `guide.catalogue.judge`, which takes what is returned here, also where
`site` is None: `draft` is then the sound part of the file.

Findings made here: SITE-1 not readable as YAML, SITE-2 duplicate key, SITE-3 unknown
key, SITE-4 missing key, SITE-5 wrong value, SITE-6 YAML that a site file does without,
SITE-7 password inline, SITE-8 byte order mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import ValidationError

from trunkline.finding import Finding, Level, said
from trunkline.site.comments import Ignore, ignores
from trunkline.site.draft import Draft, draft
from trunkline.site.explain import explained
from trunkline.site.model import Site
from trunkline.site.secret import Reference, references, secrets
from trunkline.site.text import SOURCE, Path, Place, Tree, UnreadableYaml, decode, dotted, inside, read

__all__ = ["Loaded", "Path", "Place", "Reference", "UnreadableYaml", "load"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A site file, read. `site` is None as soon as one finding is a MUST.

    `places` maps a path to where its value and its key stand; `references` are the
    passwords still to be fetched; `file` is the name that findings are shown under;
    `ignores` are the comments that ask `check` to pass over a finding.
    """

    file: str
    site: Site | None
    draft: Draft | None = None
    findings: tuple[Finding, ...] = ()
    places: Mapping[Path, Place] = field(default_factory=lambda: MappingProxyType({}))
    references: tuple[Reference, ...] = ()
    ignores: tuple[Ignore, ...] = ()

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column of a value, or of the nearest section around it that the file has."""
        at = _nearest(self.places, path)
        return at.line, at.column

    def finding(self, rule: str, level: Level, path: Path, says: str, mend: str, source: str) -> Finding:
        """A finding about the value at a path, placed."""
        return Finding(rule, level, dotted(path), says, mend, source, *self.place(path))


def load(text: str | bytes, file: str) -> Loaded:
    """Read a site file; `file` is only its name. Raises UnreadableYaml for what is no YAML."""
    text = decode(text) if isinstance(text, bytes) else text
    tree = read(text)
    if not isinstance(tree.root, dict):
        says = (
            said("no `key: value` lines stand here", "il n'y a pas de lignes `clé: valeur` ici")
            if tree.root
            else said("the file is empty", "le fichier est vide")
        )
        mend = said(
            "begin with `schema: 1`; examples/bvpn.yaml shows the rest",
            "commencez par `schema: 1` ; examples/bvpn.yaml montre la suite",
        )
        tree.find("SITE-5", (), says, mend, (1, 1))
        return Loaded(file, None, findings=tuple(tree.findings))
    site: Site | None = None
    try:
        site = Site.model_validate(tree.root)
    except ValidationError as error:
        for rule, path, says, mend in explained(error.errors(include_url=False), tree.root):
            if not inside(path, tree.broken):
                tree.find(rule, path, says, mend, _at(tree.places, rule, path))
    sound = Draft(site, frozenset(tree.broken)) if site else draft(tree.root, tree.broken)
    if sound:
        tree.findings.extend(_inline(sound, tree))
    return Loaded(
        file,
        None if any(finding.level is Level.MUST for finding in tree.findings) else site,
        sound,
        tuple(sorted(tree.findings, key=lambda finding: (finding.line, finding.column))),
        MappingProxyType(tree.places),
        references(sound.site) if sound else (),
        ignores(text),
    )


def _nearest(places: Mapping[Path, Place], path: Path) -> Place:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, Place(1, 1, 1, 1))


def _at(places: Mapping[Path, Place], rule: str, path: Path) -> tuple[int, int]:
    """An unknown or missing key is placed at a key, a wrong value where it stands."""
    place = _nearest(places, path)
    return (place.line, place.column) if rule == "SITE-5" else (place.key_line, place.key_column)


def _inline(sound: Draft, tree: Tree) -> Iterator[Finding]:
    """A NOTE for each password that is no reference: allowed, and told."""
    fetched = {reference.path for reference in references(sound.site)}
    for path, _ in secrets(sound.site):
        if path not in fetched:
            place, name = _nearest(tree.places, sound.in_file(path)), dotted(sound.in_file(path))
            says = said("a password stands in the file", "un mot de passe figure dans le fichier")
            mend = said(
                "keep it in a file of its own or in the environment: ${{file:PATH}} or ${{env:NAME}}",
                "gardez-le dans un fichier à part ou dans l'environnement : ${{file:CHEMIN}} ou ${{env:NOM}}",
            )
            yield Finding("SITE-7", Level.NOTE, name, says, mend, SOURCE, place.line, place.column)
