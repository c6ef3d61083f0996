"""Certificate files read for a judgement: what the IPBX presents on each side, and whom it trusts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cryptography import x509

from trunkline.finding import ParseError, Wording, said
from trunkline.guide import foresight_rules as rules
from trunkline.guide.facts import Facts
from trunkline.guide.foresight import Paper, Verdict
from trunkline.guide.rule import Path, Seen
from trunkline.pki.certificate import (
    Certificate,
    called,
    fingerprint,
    read_certificates,
    words,
)
from trunkline.pki.identity import chain_of
from trunkline.pki.key import Key
from trunkline.pki.path import signed_by
from trunkline.pki.store import TrustStore
from trunkline.site.model import Site


@dataclass(frozen=True, slots=True)
class Side:
    """What the IPBX presents on one side; `chain` is leaf first and has no root."""

    path: Path
    chain: tuple[Certificate, ...]
    held: tuple[Certificate, ...]

    @property
    def leaf(self) -> Certificate:
        return self.chain[0]

    @property
    def at(self) -> Path:
        return (*self.path, "certificate")


@dataclass(frozen=True, slots=True)
class View:
    """All that a judgement looks at; `store` is None where not every trust file is there."""

    site: Site
    facts: Facts
    around: Facts
    today: date
    store: TrustStore | None


_NO_CERTIFICATE = said(
    "it holds no certificate in PEM or DER that can be read",
    "il ne contient aucun certificat PEM ou DER lisible",
)
_NO_KEY = said(
    "it holds no RSA or EC key in PEM, or one that asks for a password",
    "il ne contient aucune clé RSA ou EC en PEM, ou une clé protégée par mot de passe",
)


def unusable(path: Path, file: str, why: Wording | str) -> Verdict:
    says = said("{file} cannot be used: {why}", "{file} est inutilisable : {why}", file=file, why=why)
    return rules.USABLE, Seen(path, says)


def store_of(papers: Sequence[Paper], unread: list[Verdict]) -> TrustStore | None:
    whole, files = True, []
    for paper in papers:
        if paper.data is None:
            whole = False
            continue
        try:
            read_certificates(paper.data)
        except ParseError:
            unread.append(unusable(paper.path, paper.file, _NO_CERTIFICATE))
            whole = False
        else:
            files.append(paper.data)
    return TrustStore.parse(*files) if whole and files else None


def side_of(name: str, papers: dict[Path, Paper], unread: list[Verdict]) -> Side | None:
    """The identity of one side; its leaf is the certificate of the key, the first one without a key."""
    path: Path = ("certificates", name)
    paper, key_paper = papers.get((*path, "certificate")), papers.get((*path, "key"))
    if paper is None or paper.data is None:
        return None
    try:
        held = read_certificates(paper.data)
    except ParseError:
        unread.append(unusable(paper.path, paper.file, _NO_CERTIFICATE))
        return None
    key_data = (
        key_paper.data if key_paper is not None else paper.data if b"PRIVATE KEY" in paper.data else None
    )
    leaf = held[0]
    if key_data is not None:
        place = key_paper or paper
        try:
            key = Key.parse(key_data)
        except ParseError:
            unread.append(unusable(place.path, place.file, _NO_KEY))
        else:
            fitting = [one for one in held if key.fits(one)]
            leaf = (*fitting, leaf)[0]
            if not fitting:
                says = said(
                    "{key} is the key of none of the certificates in {file} ({called})",
                    "{key} n'est la clé d'aucun des certificats de {file} ({called})",
                    key=place.file,
                    file=paper.file,
                    called=", ".join(map(called, held[:3])),
                )
                unread.append((rules.USABLE, Seen(place.path, says)))
    return Side(path, chain_of(leaf, held), held)


def signer(certificate: Certificate, among: Sequence[Certificate]) -> Certificate | None:
    named = (one for one in among if one.subject == certificate.issuer)
    return next((one for one in named if signed_by(certificate, one)), None)


def last_day(certificate: Certificate) -> date:
    return certificate.not_valid_after_utc.date()


def common(name: x509.Name) -> str:
    return words(name).removeprefix("CN=")


def flag(facts: Facts, key: str) -> bool:
    return facts.known(key) and facts.flag(key)


def reboot(facts: Facts, key: str) -> Wording | str:
    """What a renewal costs besides the certificate."""
    if not flag(facts, f"certificates.{key}"):
        return ""
    return said(
        "; the renewal costs a reboot of the IPBX",
        " ; le renouvellement coûte un redémarrage de l'IPBX",
    )


def expiries(papers: Sequence[Paper]) -> Iterator[tuple[str, str, date, bool]]:
    """Each certificate once: a key of its own, its name, its last day, and whether the IPBX presents it."""
    seen = set()
    for paper in papers:
        if paper.data is None or paper.path[-1] == "key":
            continue
        try:
            held = read_certificates(paper.data)
        except ParseError:  # CERT-2b tells of it
            continue
        for certificate in held:
            key = fingerprint(certificate)
            if key not in seen:
                seen.add(key)
                yield key, called(certificate), last_day(certificate), "trust" not in paper.path
