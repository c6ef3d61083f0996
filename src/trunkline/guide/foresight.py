"""Certificate foresight: what a site's certificates mean for its trunk, judged at a date.

Pure: the files' bytes and the date come in. What the certificates themselves say is
judged in `foresight_papers`, which is imported, and `cryptography` with it, only where
a file is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from trunkline.finding import Wording, said
from trunkline.guide import foresight_dates as dates
from trunkline.guide import foresight_rules as rules
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.site.model import Site

RULES: Final = rules.RULES

Verdict = tuple[Rule, Seen]


class Paper(NamedTuple):
    """One certificate or key file that a site names: at which key, which file, what it holds.

    `data` None: it is not there, or cannot be read, and then `trouble` says why.
    """

    path: Path
    file: str
    data: bytes | None
    trouble: str = ""


def named(site: Site) -> tuple[tuple[Path, str], ...]:
    """The key and the name of every certificate and key file of a site, in the file's order."""
    own = site.certificates
    if own is None:
        return ()
    found: list[tuple[Path, str]] = []
    for side in ("public_server", "phones"):
        files = getattr(own, side)
        if files is not None:
            found += [
                (("certificates", side, key), getattr(files, key))
                for key in ("certificate", "key")
                if getattr(files, key)
            ]
    return (*found, *((("certificates", "trust", n), file) for n, file in enumerate(own.trust)))


def foresee(site: Site, papers: Sequence[Paper], facts: Facts, around: Facts, at: date) -> Iterator[Verdict]:
    """Everything to be said of a site's certificates on that day.

    `papers` are the files of `named`; `around` is `knowledge/pki.toml`.
    """
    yield from _absent(papers)
    if site.over_internet:
        yield from _policy(site, around, at)
    if any(paper.data is not None for paper in papers):
        from trunkline.guide.foresight_papers import judged

        yield from judged(site, papers, facts, around, at)
    elif site.over_internet and facts.known("certificates.carrier_root"):
        yield from carrier_root(facts.text("certificates.carrier_root"), (), facts, around, at)


def carrier_root(root: str, held: Sequence[str], facts: Facts, around: Facts, at: date) -> Iterator[Verdict]:
    """The carrier's root, by its name, has a day from which it is distrusted, and `held` no successor."""
    row = dates.distrust_of(around, (root,))
    if row is None or (row.successor and row.successor in held):
        return
    if (row.since - at).days > dates.horizon(around):
        return
    what = said("{root} of the trust store", "{root}, du magasin de confiance,", root=row.root)
    if facts.known("certificates.carrier_root") and facts.text("certificates.carrier_root") == root:
        what = said(
            "{root}, which the guide ({section}) names as the carrier's root,",
            "{root}, que le guide ({section}) nomme comme racine de l'opérateur,",
            root=row.root,
            section=facts["certificates.carrier_root"].section,
        )
    words = {"what": what, "who": row.programmes, "since": row.since.isoformat()}
    if at >= row.since:
        says = said(
            "{what} is no longer trusted by {who} since {since}: the access SBCs may present another chain"
            " any day, or already do",
            "{what} n'est plus reconnue par {who} depuis le {since} : les SBC d'accès peuvent présenter"
            " une autre chaîne d'un jour à l'autre, ou le font déjà",
            **words,
        )
    else:
        says = said(
            "{what} will no longer be trusted by {who} from {since} on: by then the access SBCs present"
            " another chain",
            "{what} ne sera plus reconnue par {who} à partir du {since} : d'ici là les SBC d'accès"
            " présenteront une autre chaîne",
            **words,
        )
    yield rules.ROOT_CARRIER, Seen(("certificates", "trust"), says, _successor(row))


def _successor(row: dates.Distrust) -> Wording | str:
    """What to import, where the CA has said what it issues from instead."""
    if not row.successor:
        return ""
    return said(
        "ask the carrier which root and intermediate its access SBCs present today; import {successor},"
        " from which that CA issues now, and its intermediate beside the old ones (the import reboots the"
        " IPBX)",
        "demandez à l'opérateur quelle racine et quel intermédiaire ses SBC d'accès présentent aujourd'hui"
        " ; importez {successor}, sous laquelle cette AC délivre désormais, et son intermédiaire à côté"
        " des anciens (l'import redémarre l'IPBX)",
        successor=row.successor,
    )


def _absent(papers: Sequence[Paper]) -> Iterator[Verdict]:
    missing = [paper.file for paper in papers if paper.data is None and not paper.trouble]
    if missing:
        says = said(
            "not there yet: {files}; what they say is judged once they are",
            "pas encore présents : {files} ; leur contenu sera jugé une fois là",
            files=", ".join(missing),
        )
        yield rules.ABSENT, Seen(("certificates",), says)


def _policy(site: Site, around: Facts, at: date) -> Iterator[Verdict]:
    """Gateways that insist on clientAuth, which the carrier's next certificate will not have."""
    rows = dates.client_auth(around)
    if not rows:
        return
    last = rows[-1]
    for index, gateway in enumerate(site.trunk.gateways):
        if gateway.security.peer_client_eku != "require":
            continue
        words = {"label": gateway.label, "who": last.who, "ends": last.ends.isoformat()}
        if at < last.ends:
            says = said(
                "gateway {label} takes the carrier's calls only with a clientAuth certificate; public CAs"
                " leave that out unless asked, and from {ends} on ({who}) none may issue it: calls in stop"
                " when the carrier next renews its certificate",
                "la passerelle {label} n'accepte les appels de l'opérateur qu'avec un certificat"
                " clientAuth ; les AC publiques l'omettent sauf demande et, à partir du {ends} ({who}),"
                " aucune ne peut le délivrer : les appels entrants s'arrêtent quand l'opérateur renouvelle"
                " son certificat",
                **words,
            )
        else:
            says = said(
                "gateway {label} takes the carrier's calls only with a clientAuth certificate, and since"
                " {ends} ({who}) no public CA may issue one: calls in stop at the carrier's next renewal",
                "la passerelle {label} n'accepte les appels de l'opérateur qu'avec un certificat"
                " clientAuth et, depuis le {ends} ({who}), aucune AC publique ne peut en délivrer : les"
                " appels entrants s'arrêtent au prochain renouvellement de l'opérateur",
                **words,
            )
        yield rules.CLIENT_PEER, Seen(("trunk", "gateways", index, "security", "peer_client_eku"), says)
