"""Findings passed over at the customer's own word: `# trunkline: ignore ID -- reason` in the site file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from trunkline.finding import Finding, Level, Wording, said
from trunkline.guide.form import unavoidable
from trunkline.guide.select import known, matches, meant
from trunkline.site.comments import IDS_MAX, IGNORES_MAX, REASON_MAX, Ignore
from trunkline.site.load import Loaded, Path

_WRITE: Final = said(
    "write # trunkline: ignore ID -- the reason", "écrivez # trunkline: ignore ID -- la raison"
)


class Suppressed(NamedTuple):
    """A finding that a comment passes over, and the reason it gives."""

    finding: Finding
    reason: str


class Sifted(NamedTuple):
    """What is left to tell of a file, and what was suppressed."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()


def sift(loaded: Loaded, findings: Iterable[Finding]) -> Sifted:
    """Take out what the file's comments suppress; findings about the comments themselves come in."""
    if not loaded.ignores:
        return Sifted(tuple(findings))
    kept: list[Finding] = []
    suppressed: list[Suppressed] = []
    used: set[tuple[Ignore, str]] = set()
    refused: set[tuple[Ignore, str]] = set()
    for found in findings:
        lines = {found.line, _key_line(loaded, found)}
        asked = [
            (ignore, id)
            for ignore in loaded.ignores
            if not ignore.wrong and not lines.isdisjoint(ignore.covers)
            for id in ignore.ids
            if matches(id, found.rule)
        ]
        if asked and unavoidable(found):
            refused.update(asked)
        elif asked:
            used.update(asked)
            suppressed.append(Suppressed(found, asked[0][0].reason))
            continue
        kept.append(found)
    for ignore in loaded.ignores:
        kept.extend(
            _about(
                ignore, {id for at, id in used if at == ignore}, {id for at, id in refused if at == ignore}
            )
        )
    return Sifted(tuple(sorted(kept, key=lambda found: (found.line, found.column))), tuple(suppressed))


def _key_line(loaded: Loaded, found: Finding) -> int:
    """The line of the key that a finding speaks of, or of the nearest one around it that the file has."""
    path: Path = tuple(int(part) if part.isdigit() else part for part in found.path.split("."))
    while path and path not in loaded.places:
        path = path[:-1]
    return loaded.places[path].key_line if path in loaded.places else 0


def _about(ignore: Ignore, used: set[str], refused: set[str]) -> Iterator[Finding]:
    """The findings about one comment."""
    if ignore.wrong:
        yield _finding(ignore, "SUP-1", _WRONG[ignore.wrong], _WRITE)
        return
    for id in ignore.ids:
        if not known(id):
            says = said("no rule is called {id}", "aucune règle ne s'appelle {id}", id=id)
            close = meant(id)
            mend = (
                said("did you mean {close}?", "vouliez-vous dire {close} ?", close=close) if close else _WRITE
            )
            yield _finding(ignore, "SUP-1", says, mend)
        elif id in refused:
            says = said(
                "{id} is about the form of the file: it cannot be suppressed",
                "{id} porte sur la forme du fichier : on ne peut pas l'écarter",
                id=id,
            )
            yield _finding(ignore, "SUP-1", says, said("mend what it finds", "corrigez ce qu'elle signale"))
        elif id not in used:
            says = said("{id} finds nothing here to suppress", "{id} ne signale rien ici à écarter", id=id)
            mend = said(
                "delete the comment, or move it to the line of the finding or the line above",
                "supprimez le commentaire, ou mettez-le sur la ligne du constat ou sur celle du dessus",
            )
            yield _finding(ignore, "SUP-2", says, mend)


_WRONG: Final = {
    "form": said("this comment is not understood", "ce commentaire n'est pas compris"),
    "reason": said(
        "a finding is suppressed without a reason, so it is not",
        "un constat est écarté sans raison : il reste donc",
    ),
    "many": said(
        "beyond what is read: {ignores} such comments a file, {ids} ids, {letters} letters of reason",
        "au-delà de ce qui est lu : {ignores} commentaires de ce genre par fichier, {ids} règles, "
        "{letters} lettres de raison",
        ignores=IGNORES_MAX,
        ids=IDS_MAX,
        letters=REASON_MAX,
    ),
}


def _finding(ignore: Ignore, rule: str, says: Wording, mend: Wording) -> Finding:
    level = Level.NOTE if rule == "SUP-2" else Level.SHOULD
    return Finding(rule, level, "", says, mend, "site file", ignore.line, ignore.column)
