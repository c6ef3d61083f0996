"""The trust store of a site (CERT-3): what is in it, what is missing, and where to get it.

`--public` adds the guide's root, or the named one, from the public roots of this machine; FILES add
what you were given. A missing intermediate is told, never made up: the CA's page or the carrier has it."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from trunkline.aio.files import replace_bytes
from trunkline.cli.cert_files import EXIT_CERTIFICATE, Ground, Unusable, at, contents, options
from trunkline.cli.cert_pile import piled
from trunkline.cli.cert_roots import PublicRoot, root_called
from trunkline.cli.sitefile import EXIT_GOOD
from trunkline.finding import Language, Wording, said, told
from trunkline.guide.facts import known_around
from trunkline.guide.foresight_rules import TRUST_CARRIER
from trunkline.guide.foresight_trust import carrier_trust, trust_expiry
from trunkline.guide.foresight_view import View
from trunkline.pki.assembly import is_authority
from trunkline.pki.certificate import Certificate, called, fingerprint, pem_of, self_signed
from trunkline.pki.store import TrustStore


def arguments(parser: ArgumentParser) -> None:
    """What this part takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument("files", nargs="*", metavar="FILE", help="roots and intermediates to import")
    which = "add a public root by its name; without a name: the guide's"
    parser.add_argument("--public", nargs="?", const="", metavar="NAME", help=which)
    parser.add_argument(
        "--into", metavar="FILE", help="the file of certificates.trust to write; default: the first"
    )
    options(parser)


def main(given: Namespace) -> int:
    """Run this part; returns the exit code."""
    ground = Ground.of(given.site)
    new = list(_imported(given.files))
    source = ""
    if given.public is not None:
        root = _public(given.public, ground)
        new.append(root.certificate)
        source = root.source
    added = _added(ground, new, given.into) if new else []
    store = ground.trust()
    missing = list(lacking(store, ground))
    remarks = list(ahead(store, ground, at(given)))
    if given.json:
        print(json.dumps(_json(store, added, missing, remarks), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(store, added, missing, source, given.lang)))
        label = told(said("note", "note"), given.lang)
        print("\n".join(f"{label:14}{told(one, given.lang)}" for one in remarks), end="\n" * bool(remarks))
    return EXIT_CERTIFICATE if missing else EXIT_GOOD


def ahead(store: TrustStore, ground: Ground, when: datetime) -> Iterator[Wording]:
    """What becomes of the store's certificates: roots that lose their trust, and what expires."""
    view = View(ground.site, ground.facts, known_around()["pki"], when.date(), store if len(store) else None)
    found = [*(carrier_trust(view, ()) if ground.site.over_internet else ()), *trust_expiry(view)]
    for rule, seen in found:
        if rule is not TRUST_CARRIER:  # `lacking` says how this verb mends it
            mend = seen.mend or rule.mend
            yield said("{says}: {mend} [{rule}]", "{says} : {mend} [{rule}]",
                       says=seen.says, mend=mend, rule=rule.id)  # fmt: skip


def lacking(store: TrustStore, ground: Ground) -> Iterator[Wording]:
    """What the guide names and the store does not hold, with where to get it."""
    held = {called(one) for one in (*store.roots, *store.intermediates)}
    page = (
        ground.facts.text("certificates.carrier_page")
        if ground.facts.known("certificates.carrier_page")
        else ""
    )
    for fact, mend in (
        (
            "certificates.carrier_root",
            said("`cert trust --public` adds it", "`cert trust --public` l'ajoute"),
        ),
        (
            "certificates.carrier_intermediate",
            said("fetch it from {page} and import it", "récupérez-le sur {page} et importez-le", page=page),
        ),
    ):
        if ground.facts.known(fact) and f"CN={ground.facts.text(fact)}" not in held:
            yield said(
                "{name} is not in the trust store, and the guide names it: {mend}; ask the carrier which"
                " chain its access SBCs present today",
                "{name} n'est pas dans le magasin de confiance, et le guide le nomme : {mend} ; demandez à"
                " l'opérateur quelle chaîne ses SBC d'accès présentent aujourd'hui",
                name=ground.facts.text(fact),
                mend=mend,
            )


def _imported(files: Sequence[str]) -> Iterator[Certificate]:
    if not files:
        return
    pile = piled(files)
    for one in pile.certificates:
        if not is_authority(one):
            says = said(
                "{name} is no CA: it does not belong into a trust store",
                "{name} n'est pas une AC : sa place n'est pas dans un magasin de confiance",
                name=called(one),
            )
            raise Unusable(
                says, said("import roots and intermediates only", "n'importez que racines et intermédiaires")
            )
        yield one


def _public(name: str, ground: Ground) -> PublicRoot:
    if not name and ground.facts.known("certificates.carrier_root"):
        name = ground.facts.text("certificates.carrier_root")
    found = root_called(name)
    if found is None:
        says = said(
            "no public root called {name} is on this machine",
            "aucune racine publique {name} sur cette machine",
            name=name,
        )
        mend = said(
            "install Debian's ca-certificates, or import the file from the CA's own page",
            "installez ca-certificates de Debian, ou importez le fichier depuis la page de l'AC",
        )
        raise Unusable(says, mend)
    return found


def _added(ground: Ground, new: Sequence[Certificate], into: str | None) -> list[Certificate]:
    """Those that were not in the store, written to one of its files."""
    store = ground.trust()
    fresh = [one for one in dict.fromkeys(new) if one not in store.roots and one not in store.intermediates]
    own = ground.site.certificates
    files = dict(zip(own.trust if own else (), ground.trust_files(), strict=True))
    place = files.get(into) if into is not None else next(iter(files.values()), None)
    if place is None:
        says = said(
            "certificates.trust does not name {file}",
            "certificates.trust ne nomme pas {file}",
            file=into if into is not None else said("any file", "de fichier"),
        )
        raise Unusable(says, said("name it in the site file", "nommez-le dans le fichier de site"))
    if fresh:
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(place, contents(place, absent=True) + pem_of(fresh))
    return fresh


def _lines(
    store: TrustStore, added: Sequence[Certificate], missing: Sequence[str], source: str, language: Language
) -> Iterator[str]:
    for one in (*store.roots, *store.intermediates):
        kind = said("root", "racine") if self_signed(one) else said("intermediate", "intermédiaire")
        until = said("until {day}", "jusqu'au {day}", day=f"{one.not_valid_after_utc:%Y-%m-%d}")
        yield f"{told(kind, language):14}{called(one)}, {told(until, language)}"
    for one in added:
        label = told(said("added", "ajouté"), language)
        yield f"{label:14}{called(one)}  SHA-256 {fingerprint(one)}  {source}".rstrip()
    if added:
        compare = said(
            "compare the fingerprint with the CA's own page; a running IPBX takes it by SIGHUP",
            "comparez l'empreinte avec la page de l'AC ; un IPBX en marche le prend par SIGHUP",
        )
        yield told(compare, language)
    for one_missing in missing:
        yield f"{told(said('missing', 'manque'), language):14}{told(one_missing, language)}"


def _json(
    store: TrustStore, added: Sequence[Certificate], missing: Sequence[str], remarks: Sequence[str]
) -> dict[str, Any]:
    def shown(one: Certificate) -> dict[str, str]:
        return {"name": called(one), "sha256": fingerprint(one), "until": one.not_valid_after_utc.isoformat()}

    return {
        "roots": [shown(one) for one in store.roots],
        "intermediates": [shown(one) for one in store.intermediates],
        "added": [shown(one) for one in added],
        "missing": [str(one) for one in missing],
        "notes": [str(one) for one in remarks],
    }
