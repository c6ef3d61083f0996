"""A pile of files judged for a site: what `cert check`, `install` and `bundle` begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from trunkline.cli.cert_csr import wanted
from trunkline.cli.cert_files import Ground, Unusable, contents, named
from trunkline.cli.cert_roots import public_roots
from trunkline.finding import ParseError, Wording, said
from trunkline.pki.assembly import Assembly, as_issued, assemble
from trunkline.pki.checks import purpose
from trunkline.pki.judgement import ClientEku, Policy, Role
from trunkline.pki.key import Key
from trunkline.pki.pile import Pile, read_pile
from trunkline.pki.store import TrustStore

_STRICT = Policy(client_eku=ClientEku.REQUIRE)


def piled(files: Iterable[str], password: bytes = b"") -> Pile:
    """The pile of some files. Raises Unusable."""
    try:
        return read_pile(named(files), password)
    except ParseError as error:
        mend = said(
            "name certificate files, and --password-file where they are sealed",
            "nommez des fichiers de certificats, et --password-file s'ils sont scellés",
        )
        raise Unusable(str(error), mend) from None


def installed(ground: Ground) -> Pile:
    """What the site's own files hold. Raises Unusable."""
    places = ground.places("public_server")
    return piled(
        str(file) for file in (places.certificate, places.key) if file != places.key or file.exists()
    )


def judged(
    pile: Pile, ground: Ground | None, when: datetime, name: str, *, believe_roots: bool = True
) -> Assembly:
    """The pile assembled for a site, or for a name alone, against its trust store and the public roots.

    A self-signed CA of the pile counts as a root: of our own chain it is the carrier who must believe it.
    """
    roots = tuple(root.certificate for root in public_roots())
    if ground is None:
        return assemble(pile, TrustStore(roots), when, name, believe_roots=believe_roots)
    held = ground.trust()
    store = TrustStore((*held.roots, *roots), held.intermediates)
    keys = waiting(ground)
    return assemble(pile, store, when, name or ground.name, keys=keys, believe_roots=believe_roots)


def waiting(ground: Ground, which: str = "public_server") -> tuple[Key, ...]:
    """The keys a certificate may be for: the pending request's, then the one in place. Raises Unusable."""
    places = ground.places(which)
    held = (contents(file, absent=True) for file in (places.pending_key, places.key))
    try:
        return tuple(Key.parse(data) for data in held if b"PRIVATE KEY" in data)
    except ParseError as error:
        mend = said("check what the key's file holds", "vérifiez ce que contient le fichier de la clé")
        raise Unusable(str(error), mend) from None


def notes(made: Assembly, ground: Ground | None) -> Iterator[Wording]:
    """What is good to know about an assembly, and no fault."""
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
    if made.root is None:
        yield said(
            "the root is not among the files; the carrier needs it (`cert bundle`)",
            "la racine n'est pas parmi les fichiers ; l'opérateur en a besoin (`cert bundle`)",
        )
    if any(True for _ in purpose(made.leaf, Role.CLIENT, _STRICT)):
        yield said(
            "its extended key usage has no clientAuth, as public CAs issue by now: ask the carrier whether"
            " its access SBCs take it when you call",
            "son usage étendu de clé n'a pas clientAuth, comme les AC publiques délivrent désormais :"
            " demandez à l'opérateur si ses SBC d'accès l'acceptent quand vous appelez",
        )
