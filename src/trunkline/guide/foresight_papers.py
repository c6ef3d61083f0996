"""What certificate files say, judged on a day: whose they are, what they are made of, how long they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from trunkline.finding import Wording, said
from trunkline.guide import foresight_dates as dates
from trunkline.guide import foresight_rules as rules
from trunkline.guide.facts import Facts
from trunkline.guide.foresight import Paper, Verdict
from trunkline.guide.foresight_trust import carrier_trust, client, own_trust, root, trust_expiry
from trunkline.guide.foresight_view import (
    Side,
    View,
    flag,
    last_day,
    reboot,
    side_of,
    signer,
    store_of,
    unusable,
)
from trunkline.guide.rule import Seen
from trunkline.pki.certificate import (
    Certificate,
    called,
    plain,
    self_signed,
    words,
)
from trunkline.pki.names import domain, names_of
from trunkline.pki.path import WEAK_HASHES
from trunkline.site.model import Site


def judged(site: Site, papers: Sequence[Paper], facts: Facts, around: Facts, at: date) -> Iterator[Verdict]:
    """Everything the files say; those that are not there are passed over."""
    by_path = {paper.path: paper for paper in papers}
    for paper in papers:
        if paper.trouble:
            yield unusable(paper.path, paper.file, paper.trouble)
    unread: list[Verdict] = []
    store = store_of([paper for path, paper in by_path.items() if "trust" in path], unread)
    view = View(site, facts, around, at, store)
    sides = [side for name in ("public_server", "phones") if (side := side_of(name, by_path, unread))]
    yield from unread
    for side in sides:
        yield from _names(view, side)
        yield from _strength(view, side)
        yield from _subject(view, side)
        yield from _chain(view, side)
        yield from _expiry(view, side)
        trunk = side.path[-1] == "public_server" and site.over_internet
        yield from ahead(side, facts, around, at, trunk=trunk)
        if trunk:
            yield from own_trust(view, side)
    if site.over_internet:
        yield from carrier_trust(view, sides)
    yield from trust_expiry(view)


def ahead(side: Side, facts: Facts, around: Facts, at: date, *, trunk: bool) -> Iterator[Verdict]:
    """What becomes of a chain by what others announced: its lifetime; on the trunk its usage and its root."""
    yield from _lifetime(side, facts, around, at)
    if trunk:
        yield from client(side, around)
        yield from root(side, around, at)


def _names(view: View, side: Side) -> Iterator[Verdict]:
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
    elif own.common_name and own.common_name != wanted and flag(view.facts, "certificates.cn_is_san"):
        says = said(
            "the CN is {name} and the SAN {wanted}: both are to be the FQDN of eth0",
            "le CN est {name} et le SAN {wanted} : les deux doivent être le FQDN d'eth0",
            name=own.common_name,
            wanted=wanted,
        )
        yield rules.NAMES, Seen(side.at, says)


def _strength(view: View, side: Side) -> Iterator[Verdict]:
    least = view.facts.number("certificates.key_bits", 2048)
    kind = view.facts.text("certificates.key", "")
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


def _subject(view: View, side: Side) -> Iterator[Verdict]:
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
            "l'AC a délivré un autre sujet que celui de la CSR : {differing} ; c'est courant, et accepté",
            differing="; ".join(differing),
        )
        yield rules.SUBJECT, Seen(side.at, says)


def _chain(view: View, side: Side) -> Iterator[Verdict]:
    top = side.chain[-1]
    if self_signed(top):
        says = said(
            "{name} signed itself: no CA vouches for it, and no access SBC will believe it",
            "{name} s'est signé lui-même : aucune AC ne le garantit, et aucun SBC d'accès ne le croira",
            name=called(top),
        )
        yield rules.CHAIN, Seen(side.at, says)
        return
    store = view.store
    if store is None or signer(top, (*store.roots, *(one for one in side.held if self_signed(one)))):
        return
    if below := signer(top, store.intermediates):
        says = said(
            "the file lacks the intermediate {name}; it stands in the trust store, but the access SBC is"
            " not sent it from there",
            "il manque l'intermédiaire {name} dans le fichier ; il est dans le magasin de confiance, mais"
            " le SBC d'accès ne le reçoit pas de là",
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


def _expiry(view: View, side: Side) -> Iterator[Verdict]:
    first, soon, now, _ = (*dates.steps(view.around), 0, 0, 0, 0)[:4]
    for certificate in side.chain:
        begins, left = certificate.not_valid_before_utc.date(), (last_day(certificate) - view.today).days
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
        trunk = view.site.over_internet and side.path[-1] == "public_server"
        says = _expires(certificate, left, reboot(view.facts, "reboot_identity"), trunk)
        yield rule, Seen(side.at, says, _renewal(view.facts))


def _renewal(facts: Facts) -> Wording | str:
    """How to renew, by the guide's own menus; "" where it names none."""
    if not facts.known("web_monitor.csr") or not facts.known("web_monitor.install"):
        return ""
    return said(
        "{csr}; have the CA sign it; agree on an hour with the customer; {install}; reboot",
        "{csr} ; faites signer par l'AC ; convenez d'une heure avec le client ; {install} ; redémarrez",
        csr=facts.text("web_monitor.csr"),
        install=facts.text("web_monitor.install"),
    )


def _expires(certificate: Certificate, left: int, cost: Wording | str, trunk: bool) -> Wording:
    who = (
        said("no access SBC takes the IPBX any more", "plus aucun SBC d'accès n'accepte l'IPBX")
        if trunk
        else said("no phone registers over TLS any more", "plus aucun poste ne s'enregistre en TLS")
    )
    words = {"name": called(certificate), "day": last_day(certificate).isoformat(), "cost": cost, "who": who}
    if left < 0:
        return said(
            "{name} expired on {day}: {who} until it is renewed{cost}",
            "{name} a expiré le {day} : {who} tant qu'il n'est pas renouvelé{cost}",
            **words,
        )
    return said(
        "{name} expires on {day} (days left: {left}); from then on {who}{cost}",
        "{name} expire le {day} (jours restants : {left}) ; à partir de là, {who}{cost}",
        left=left,
        **words,
    )


def _lifetime(side: Side, facts: Facts, around: Facts, at: date) -> Iterator[Verdict]:
    leaf, last = side.leaf, last_day(side.leaf)
    days = (last - leaf.not_valid_before_utc.date()).days
    next_one = dates.lifetime_on(around, max(last, at))
    if next_one is None or days <= next_one.days:
        return
    ahead = [step for step in dates.lifetimes(around) if step.since > max(last, at)]
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
        "{name} lives {days} days; its successor, due on {day}, lives {most} at most: {renewals} renewals"
        " a year{later}{cost}",
        "{name} vit {days} jours ; son successeur, attendu le {day}, en vivra {most} au plus : {renewals}"
        " renouvellements par an{later}{cost}",
        name=called(leaf),
        days=days,
        day=max(last, at).isoformat(),
        most=next_one.days,
        renewals=next_one.renewals,
        later=later,
        cost=said(", each with a reboot", ", chacun avec un redémarrage")
        if reboot(facts, "reboot_identity")
        else "",
    )
    yield rules.LIFETIME, Seen(side.at, says)
