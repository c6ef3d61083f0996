"""What certificate files say, judged at a date: whose they are, how long they hold, who will refuse them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trunkline.finding import ParseError, Wording, said
from trunkline.guide import foresight_dates as dates
from trunkline.guide import foresight_rules as rules
from trunkline.guide.facts import Facts
from trunkline.guide.foresight import Paper, Verdict, carrier_root
from trunkline.guide.rule import Path, Seen
from trunkline.pki.certificate import (
    Certificate,
    called,
    fingerprint,
    plain,
    read_certificates,
    self_signed,
    words,
)
from trunkline.pki.identity import chain_of
from trunkline.pki.key import Key
from trunkline.pki.names import domain, names_of
from trunkline.pki.path import WEAK_HASHES, signed_by
from trunkline.pki.store import TrustStore
from trunkline.site.model import Site


@dataclass(frozen=True, slots=True)
class _Side:
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
class _View:
    """All that a judgement looks at; `store` is None where not every trust file is there."""

    site: Site
    facts: Facts
    around: Facts
    today: date
    store: TrustStore | None


def judged(site: Site, papers: Sequence[Paper], facts: Facts, around: Facts, at: date) -> Iterator[Verdict]:
    """Everything the files say; those that are not there are passed over."""
    by_path = {paper.path: paper for paper in papers}
    for paper in papers:
        if paper.trouble:
            yield _unusable(paper.path, paper.file, paper.trouble)
    unread: list[Verdict] = []
    store = _store([paper for path, paper in by_path.items() if "trust" in path], unread)
    view = _View(site, facts, around, at, store)
    sides = [side for name in ("public_server", "phones") if (side := _side(name, by_path, unread))]
    yield from unread
    for side in sides:
        yield from _names(view, side)
        yield from _strength(view, side)
        yield from _subject(view, side)
        yield from _chain(view, side)
        yield from _expiry(view, side)
        yield from _lifetime(view, side)
        if side.path[-1] == "public_server" and site.over_internet:
            yield from _client(view, side)
            yield from _root(view, side)
            yield from _own_trust(view, side)
    if site.over_internet:
        yield from _carrier_trust(view, sides)
    yield from _trust_expiry(view)


# --- reading --------------------------------------------------------------------------


def _unusable(path: Path, file: str, why: str) -> Verdict:
    says = said("{file} cannot be used: {why}", "{file} est inutilisable : {why}", file=file, why=why)
    return rules.USABLE, Seen(path, says)


def _store(papers: Sequence[Paper], unread: list[Verdict]) -> TrustStore | None:
    whole, files = True, []
    for paper in papers:
        if paper.data is None:
            whole = False
            continue
        try:
            read_certificates(paper.data)
        except ParseError as error:
            unread.append(_unusable(paper.path, paper.file, error.expected))
            whole = False
        else:
            files.append(paper.data)
    return TrustStore.parse(*files) if whole and files else None


def _side(name: str, papers: dict[Path, Paper], unread: list[Verdict]) -> _Side | None:
    """The identity of one side; its leaf is the certificate of the key, the first one without a key."""
    path: Path = ("certificates", name)
    paper, key_paper = papers.get((*path, "certificate")), papers.get((*path, "key"))
    if paper is None or paper.data is None:
        return None
    try:
        held = read_certificates(paper.data)
    except ParseError as error:
        unread.append(_unusable(paper.path, paper.file, error.expected))
        return None
    key_data = (
        key_paper.data if key_paper is not None else paper.data if b"PRIVATE KEY" in paper.data else None
    )
    leaf = held[0]
    if key_data is not None:
        place = key_paper or paper
        try:
            key = Key.parse(key_data)
        except ParseError as error:
            unread.append(_unusable(place.path, place.file, error.expected))
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
    return _Side(path, chain_of(leaf, held), held)


# --- what it is ------------------------------------------------------------------------


def _names(view: _View, side: _Side) -> Iterator[Verdict]:
    wanted = domain(view.site.interfaces.eth0.domain_name)
    if not wanted:
        return  # CFG-3a tells of that
    own = names_of(side.leaf)
    borne = own.domains()
    if wanted not in borne:
        says = said(
            "the certificate is for {names}, not for {wanted}, the FQDN of eth0",
            "le certificat est pour {names}, pas pour {wanted}, le FQDN d'eth0",
            names=", ".join(borne) or said("no name (no SAN)", "aucun nom (pas de SAN)"),
            wanted=wanted,
        )
        yield rules.NAMES, Seen(side.at, says)
    elif own.common_name and own.common_name != wanted and _flag(view.facts, "certificates.cn_is_san"):
        says = said(
            "the CN is {name} and the SAN {wanted}: both are to be the FQDN of eth0",
            "le CN est {name} et le SAN {wanted} : les deux doivent être le FQDN d'eth0",
            name=own.common_name,
            wanted=wanted,
        )
        yield rules.NAMES, Seen(side.at, says)


def _flag(facts: Facts, key: str) -> bool:
    return facts.known(key) and facts.flag(key)


def _strength(view: _View, side: _Side) -> Iterator[Verdict]:
    least = view.facts.number("certificates.key_bits") if view.facts.known("certificates.key_bits") else 2048
    kind = view.facts.text("certificates.key") if view.facts.known("certificates.key") else ""
    for place, certificate in enumerate(side.chain):
        name = called(certificate)
        try:
            key, digest = certificate.public_key(), certificate.signature_hash_algorithm
        except (ValueError, UnsupportedAlgorithm):
            key, digest = None, None
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < least:
                says = said(
                    "{name} has an RSA key of {bits} bits; {least} are asked for",
                    "{name} a une clé RSA de {bits} bits ; {least} sont demandés",
                    name=name,
                    bits=key.key_size,
                    least=least,
                )
                yield rules.STRENGTH, Seen(side.at, says)
        elif not place and (kind == "rsaEncryption" or not isinstance(key, ec.EllipticCurvePublicKey)):
            says = said(
                "{name} has no RSA key, and the carrier's TLS 1.2 suites work with RSA alone",
                "{name} n'a pas de clé RSA, et les suites TLS 1.2 de l'opérateur ne fonctionnent qu'avec RSA",
                name=name,
            )
            yield rules.STRENGTH, Seen(side.at, says)
        if digest is not None and digest.name in WEAK_HASHES:
            says = said(
                "{name} is signed with {digest}",
                "{name} est signé en {digest}",
                name=name,
                digest="SHA-1" if digest.name == "sha1" else digest.name.upper(),
            )
            yield rules.STRENGTH, Seen(side.at, says)


def _subject(view: _View, side: _Side) -> Iterator[Verdict]:
    """L, O and OU against the CSR's: they may well differ, and should worry nobody."""
    oids = {
        "L": (NameOID.LOCALITY_NAME, "certificates.subject_l"),
        "O": (NameOID.ORGANIZATION_NAME, "certificates.subject_o"),
        "OU": (NameOID.ORGANIZATIONAL_UNIT_NAME, "certificates.subject_ou"),
    }
    differing = []
    for word, (oid, key) in oids.items():
        if not view.facts.known(key):
            continue
        asked = view.facts.text(key)
        issued = [plain(str(part.value)) for part in side.leaf.subject.get_attributes_for_oid(oid)]
        if issued != [asked]:
            differing.append(f"{word}={', '.join(issued) or '-'} ({asked})")
    if differing and side.path[-1] == "public_server":
        says = said(
            "the CA issued another subject than the CSR asked for: {differing}; that is usual, and accepted",
            "la CA a délivré un autre sujet que celui de la CSR : {differing} ; c'est courant, et accepté",
            differing="; ".join(differing),
        )
        yield rules.SUBJECT, Seen(side.at, says)


def _chain(view: _View, side: _Side) -> Iterator[Verdict]:
    top = side.chain[-1]
    if self_signed(top):
        says = said(
            "{name} signed itself: no CA vouches for it, and no access SBC will believe it",
            "{name} s'est signé lui-même : aucune CA ne le garantit, et aucun SBC d'accès ne le croira",
            name=called(top),
        )
        yield rules.CHAIN, Seen(side.at, says)
        return
    store = view.store
    if store is None or _signer(top, (*store.roots, *(one for one in side.held if self_signed(one)))):
        return
    if below := _signer(top, store.intermediates):
        says = said(
            "the file lacks the intermediate {name}; it stands in the trust store, but the access SBC is not"
            " sent it from there",
            "il manque l'intermédiaire {name} dans le fichier ; il est dans le magasin de confiance, mais le"
            " SBC d'accès ne le reçoit pas de là",
            name=called(below),
        )
        yield rules.CHAIN, Seen(side.at, says)
    elif len(side.chain) == 1:
        says = said(
            "{name} stands alone: its issuer {issuer} is neither in the file nor a root of the trust store",
            "{name} est seul : son émetteur {issuer} n'est ni dans le fichier ni une racine du magasin de"
            " confiance",
            name=called(top),
            issuer=words(top.issuer),
        )
        yield rules.CHAIN, Seen(side.at, says)


def _signer(certificate: Certificate, among: Sequence[Certificate]) -> Certificate | None:
    named = (one for one in among if one.subject == certificate.issuer)
    return next((one for one in named if signed_by(certificate, one)), None)


# --- until when -------------------------------------------------------------------------


def _last_day(certificate: Certificate) -> date:
    return certificate.not_valid_after_utc.date()


def _expiry(view: _View, side: _Side) -> Iterator[Verdict]:
    first, soon, now, _ = (*dates.steps(view.around), 0, 0, 0, 0)[:4]
    for certificate in side.chain:
        begins, left = certificate.not_valid_before_utc.date(), (_last_day(certificate) - view.today).days
        if begins > view.today:
            says = said(
                "{name} is not valid before {day}",
                "{name} n'est pas valable avant le {day}",
                name=called(certificate),
                day=begins.isoformat(),
            )
            yield rules.EXPIRY_NOW, Seen(side.at, says)
        if left > first:
            continue
        rule = rules.EXPIRY_NOW if left <= now else rules.EXPIRY_SOON if left <= soon else rules.EXPIRY_NOTE
        says = _expires(certificate, left, _reboot(view.facts, "reboot_identity"))
        yield rule, Seen(side.at, says, _renewal(view.facts))


def _renewal(facts: Facts) -> Wording | str:
    """How to renew, by the guide's own menus; "" where it names none."""
    if not facts.known("web_monitor.csr") or not facts.known("web_monitor.install"):
        return ""
    return said(
        "{csr}; have the CA sign it; agree on an hour with the customer; {install}; reboot",
        "{csr} ; faites signer par la CA ; convenez d'une heure avec le client ; {install} ; redémarrez",
        csr=facts.text("web_monitor.csr"),
        install=facts.text("web_monitor.install"),
    )


def _import(facts: Facts, page: str = "") -> Wording | str:
    """How to fill the trust store, by the guide's own menu; "" where it names none."""
    if not facts.known("web_monitor.trust"):
        return ""
    if page and facts.known(page):
        return said(
            "get them from {page}, or from the carrier if it has others by now; {trust}; the IPBX reboots by"
            " itself",
            "récupérez-les sur {page}, ou auprès de l'opérateur s'il en a d'autres désormais ; {trust} ;"
            " l'IPBX"
            " redémarre de lui-même",
            page=facts.text(page),
            trust=facts.text("web_monitor.trust"),
        )
    return said(
        "{trust}; name them under certificates.trust, and send the carrier the same files",
        "{trust} ; nommez-les sous certificates.trust et envoyez les mêmes fichiers à l'opérateur",
        trust=facts.text("web_monitor.trust"),
    )


def _expires(certificate: Certificate, left: int, cost: Wording | str) -> Wording:
    words = {"name": called(certificate), "day": _last_day(certificate).isoformat(), "cost": cost}
    if left < 0:
        return said(
            "{name} expired on {day}: every access SBC refuses the IPBX until it is renewed{cost}",
            "{name} a expiré le {day} : tous les SBC d'accès refusent l'IPBX tant qu'il n'est pas"
            " renouvelé{cost}",
            **words,
        )
    return said(
        "{name} expires on {day} (days left: {left}); from then on no call passes{cost}",
        "{name} expire le {day} (jours restants : {left}) ; à partir de là, aucun appel ne passe{cost}",
        left=left,
        **words,
    )


def _reboot(facts: Facts, key: str) -> Wording | str:
    """What a renewal costs besides the certificate."""
    if not _flag(facts, f"certificates.{key}"):
        return ""
    return said(
        "; the renewal costs a reboot of the IPBX",
        " ; le renouvellement coûte un redémarrage de l'IPBX",
    )


def _lifetime(view: _View, side: _Side) -> Iterator[Verdict]:
    leaf, last = side.leaf, _last_day(side.leaf)
    days = (last - leaf.not_valid_before_utc.date()).days
    next_one = dates.lifetime_on(view.around, max(last, view.today))
    if next_one is None or days <= next_one.days:
        return
    ahead = [step for step in dates.lifetimes(view.around) if step.since > max(last, view.today)]
    later = said("", "")
    if ahead:
        later = said(
            ", and {days} from {day} on ({renewals} a year)",
            ", puis {days} à partir du {day} ({renewals} par an)",
            days=ahead[-1].days,
            day=ahead[-1].since.isoformat(),
            renewals=ahead[-1].renewals,
        )
    says = said(
        "{name} lives {days} days; its successor, due on {day}, lives {most} at most: {renewals} renewals a"
        " year{later}{cost}",
        "{name} vit {days} jours ; son successeur, attendu le {day}, en vivra {most} au plus : {renewals}"
        " renouvellements par an{later}{cost}",
        name=called(leaf),
        days=days,
        day=max(last, view.today).isoformat(),
        most=next_one.days,
        renewals=next_one.renewals,
        later=later,
        cost=said(", each with a reboot", ", chacun avec un redémarrage")
        if _reboot(view.facts, "reboot_identity")
        else "",
    )
    yield rules.LIFETIME, Seen(side.at, says)


def _trust_expiry(view: _View) -> Iterator[Verdict]:
    if view.store is None:
        return
    first = (*dates.steps(view.around), 0)[0]
    for certificate in (*view.store.roots, *view.store.intermediates):
        left = (_last_day(certificate) - view.today).days
        if left > first:
            continue
        words = {"name": called(certificate), "day": _last_day(certificate).isoformat()}
        cost = _reboot(view.facts, "reboot_trust")
        says = (
            said(
                "{name} of the trust store expired on {day}; it vouches for nobody any more{cost}",
                "{name}, du magasin de confiance, a expiré le {day} ; il ne garantit plus personne{cost}",
                cost=cost,
                **words,
            )
            if left < 0
            else said(
                "{name} of the trust store expires on {day} (days left: {left}){cost}",
                "{name}, du magasin de confiance, expire le {day} (jours restants : {left}){cost}",
                left=left,
                cost=cost,
                **words,
            )
        )
        yield rules.EXPIRY_TRUST, Seen(("certificates", "trust"), says)


# --- who will refuse it -----------------------------------------------------------------


def _client(view: _View, side: _Side) -> Iterator[Verdict]:
    leaf = side.leaf
    row = dates.client_auth_of(view.around, leaf.issuer.rfc4514_string())
    if row is None:
        return
    moved = (
        said(
            " (announced for {formerly} before it moved: look again)",
            " (annoncé pour le {formerly} avant d'être déplacé : revérifiez)",
            formerly=row.formerly.isoformat(),
        )
        if row.formerly is not None
        else ""
    )
    words = {"name": called(leaf), "who": row.who, "ends": row.ends.isoformat(), "moved": moved}
    if not _for_clients(leaf):
        says = said(
            "{name} is for servers only (no clientAuth): an access SBC that insists on it refuses every call"
            " out; {who} ends it on {ends}{moved}",
            "{name} n'est que pour serveurs (sans clientAuth) : un SBC d'accès qui l'exige refuse tous les"
            " appels sortants ; {who} l'arrête le {ends}{moved}",
            **words,
        )
        yield rules.CLIENT_NOW, Seen(side.at, says)
    elif _last_day(leaf) >= row.ends:
        says = said(
            "{name} still has clientAuth; when it is renewed on {day} that can no longer be had: {who}"
            " ends it"
            " on {ends}{moved}",
            "{name} a encore clientAuth ; à son renouvellement le {day}, il ne s'obtiendra plus : {who}"
            " l'arrête le {ends}{moved}",
            day=_last_day(leaf).isoformat(),
            **words,
        )
        yield rules.CLIENT_NEXT, Seen(side.at, says)


def _for_clients(leaf: Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}.isdisjoint(usage)


def _root(view: _View, side: _Side) -> Iterator[Verdict]:
    row = dates.distrust_of(view.around, (_common(one.issuer) for one in side.chain))
    if row is None:
        return
    words = {"root": row.root, "who": row.programmes, "since": row.since.isoformat()}
    if view.today >= row.since:
        says = said(
            "its root {root} is no longer trusted by {who} since {since}",
            "sa racine {root} n'est plus reconnue par {who} depuis le {since}",
            **words,
        )
        yield rules.ROOT_NOW, Seen(side.at, says)
    elif row.since <= _last_day(side.leaf) or (row.since - view.today).days <= dates.horizon(view.around):
        says = said(
            "its root {root} will no longer be trusted by {who} from {since} on",
            "sa racine {root} ne sera plus reconnue par {who} à partir du {since}",
            **words,
        )
        yield rules.ROOT_NEXT, Seen(side.at, says)


def _common(name: x509.Name) -> str:
    return words(name).removeprefix("CN=")


def _own_trust(view: _View, side: _Side) -> Iterator[Verdict]:
    """The root and the intermediates of our own certificate stand in the trust store."""
    store = view.store
    if store is None or self_signed(side.chain[-1]):
        return
    missing = [called(one) for one in side.chain[1:] if one not in store.intermediates]
    top = side.chain[-1]
    if _signer(top, store.roots) is None and _signer(top, store.intermediates) is None:
        missing.append(words(top.issuer))
    if missing:
        says = said(
            "the trust store lacks {missing}, of the own certificate's CA",
            "il manque dans le magasin de confiance {missing}, de la CA du certificat propre",
            missing=", ".join(missing),
        )
        yield rules.TRUST_OWN, Seen(("certificates", "trust"), says, _import(view.facts))


def _carrier_trust(view: _View, sides: Sequence[_Side]) -> Iterator[Verdict]:
    """What the guide names for the carrier is there, and what is there for the carrier stays trusted."""
    facts, store = view.facts, view.store
    named = [key for key in ("carrier_root", "carrier_intermediate") if facts.known(f"certificates.{key}")]
    roots = [facts.text("certificates.carrier_root")] if "carrier_root" in named else []
    if store is None:
        for root in roots:
            yield from carrier_root(root, (), facts, view.around, view.today)
        return
    held = {_common(one.subject) for one in (*store.roots, *store.intermediates)}
    missing = [facts.text(f"certificates.{key}") for key in named]
    missing = [name for name in missing if name not in held]
    if missing:
        says = said(
            "the trust store lacks {missing}, which the guide names for the carrier's access SBCs",
            "il manque dans le magasin de confiance {missing}, que le guide nomme pour les SBC d'accès de"
            " l'opérateur",
            missing=", ".join(missing),
        )
        mend = _import(facts, "certificates.carrier_page")
        yield rules.TRUST_CARRIER, Seen(("certificates", "trust"), says, mend)
    own = {_common(one.issuer) for side in sides for one in side.chain}
    others = (name for root in store.roots if (name := _common(root.subject)) not in own)
    for root in dict.fromkeys((*roots, *others)):
        yield from carrier_root(root, tuple(held), facts, view.around, view.today)


# --- for the calendar -------------------------------------------------------------------


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
                yield key, called(certificate), _last_day(certificate), "trust" not in paper.path
