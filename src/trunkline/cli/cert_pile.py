"""A pile of files judged for a site: what `cert check`, `install` and `bundle` begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from trunkline.cli.cert_csr import wanted
from trunkline.cli.cert_files import Ground, Unusable, contents, named
from trunkline.cli.cert_roots import public_roots
from trunkline.finding import ParseError, Wording, said
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.foresight_papers import ahead
from trunkline.guide.foresight_view import Side
from trunkline.pki.assembly import Assembly, as_issued, assemble
from trunkline.pki.key import Key
from trunkline.pki.pile import Pile, read_pile
from trunkline.pki.store import TrustStore


def piled(files: Iterable[str | Path], password: bytes = b"") -> Pile:
    """The pile of some files: words of the command line, or the site's own paths. Raises Unusable."""
    try:
        return read_pile(named(files), password)
    except ParseError as error:
        mend = said(
            "name certificate files, and --password-file where they are sealed",
            "nommez des fichiers de certificats, et --password-file s'ils sont scellés",
        )
        raise Unusable(str(error), mend) from None


def installed(ground: Ground, which: str) -> Pile:
    """What the site's own files hold. Raises Unusable."""
    places = ground.places(which)
    return piled(file for file in (places.certificate, places.key) if file != places.key or file.exists())


def judged(
    pile: Pile,
    ground: Ground | None,
    when: datetime,
    name: str,
    which: str = "public_server",
    *,
    believe_roots: bool = True,
) -> Assembly:
    """The pile assembled for a site, or for a name alone, against its trust store and the public roots.

    A self-signed CA of the pile counts as a root: of our own chain it is the carrier who must believe it.
    """
    roots = tuple(root.certificate for root in public_roots())
    if ground is None:
        return assemble(pile, TrustStore(roots), when, name, believe_roots=believe_roots)
    held = ground.trust()
    store = TrustStore((*held.roots, *roots), held.intermediates)
    keys = waiting(ground, which)
    return assemble(pile, store, when, name or ground.name, keys=keys, believe_roots=believe_roots)


def waiting(ground: Ground, which: str) -> tuple[Key, ...]:
    """The keys a certificate may be for: the pending request's, then the one in place. Raises Unusable."""
    places = ground.places(which)
    held = (contents(file, absent=True) for file in (places.pending_key, places.key))
    try:
        return tuple(Key.parse(data) for data in held if b"PRIVATE KEY" in data)
    except ParseError as error:
        mend = said("check what the key's file holds", "vérifiez ce que contient le fichier de la clé")
        raise Unusable(str(error), mend) from None


def notes(made: Assembly, ground: Ground | None, which: str, when: datetime) -> Iterator[Wording]:
    """What is good to know about an assembly, and no fault; what comes is judged as `check` does."""
    if made.leaf is None:
        return
    if ground is not None:
        missing = as_issued(made.leaf, wanted(ground.name, ground.facts, "", 2048).subject)
        if missing:
            yield said(
                "the CA left out of the subject: {parts}; public CAs vouch for the name alone, that is fine",
                "l'AC a retiré du sujet : {parts} ; les AC publiques ne répondent que du nom, c'est normal",
                parts=", ".join(missing),
            )
    trunk = which == "public_server" and (ground is None or ground.site.over_internet)
    if made.root is None and trunk:
        yield said(
            "the root is not among the files; the carrier needs it (`cert bundle`)",
            "la racine n'est pas parmi les fichiers ; l'opérateur en a besoin (`cert bundle`)",
        )
    facts = ground.facts if ground is not None else Facts("", "", "", "")
    side = Side(("certificates", which), made.chain, ())
    for rule, seen in ahead(side, facts, known_around()["pki"], when.date(), trunk=trunk):
        yield said("{says} [{rule}]", "{says} [{rule}]", says=seen.says, rule=rule.id)
