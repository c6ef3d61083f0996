"""Who will refuse whom: usages and roots that public certificates lose, and what the trust store lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from trunkline.finding import Wording, said
from trunkline.guide import foresight_dates as dates
from trunkline.guide import foresight_rules as rules
from trunkline.guide.facts import Facts
from trunkline.guide.foresight import Verdict, carrier_root
from trunkline.guide.foresight_view import Side, View, common, last_day, reboot, signer
from trunkline.guide.rule import Seen
from trunkline.pki.certificate import (
    Certificate,
    called,
    self_signed,
    words,
)


def client(side: Side, around: Facts) -> Iterator[Verdict]:
    """What becomes of clientAuth in its leaf."""
    leaf = side.leaf
    row = dates.client_auth_of(around, leaf.issuer.rfc4514_string())
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
            "{name} is for servers only (no clientAuth): an access SBC that insists on it refuses every"
            " call out; {who} ends it on {ends}{moved}",
            "{name} n'est que pour serveurs (sans clientAuth) : un SBC d'accès qui l'exige refuse tous les"
            " appels sortants ; {who} l'arrête le {ends}{moved}",
            **words,
        )
        yield rules.CLIENT_NOW, Seen(side.at, says)
    elif last_day(leaf) >= row.ends:
        says = said(
            "{name} still has clientAuth; when it is renewed on {day} that can no longer be had: {who}"
            " ends it on {ends}{moved}",
            "{name} a encore clientAuth ; à son renouvellement le {day}, il ne s'obtiendra plus : {who}"
            " l'arrête le {ends}{moved}",
            day=last_day(leaf).isoformat(),
            **words,
        )
        yield rules.CLIENT_NEXT, Seen(side.at, says)


def _for_clients(leaf: Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}.isdisjoint(usage)


def root(side: Side, around: Facts, at: date) -> Iterator[Verdict]:
    """Browsers' programmes drop the root it comes from, or have dropped it."""
    row = dates.distrust_of(around, (common(one.issuer) for one in side.chain))
    if row is None:
        return
    words = {"root": row.root, "who": row.programmes, "since": row.since.isoformat()}
    if at >= row.since:
        says = said(
            "its root {root} is no longer trusted by {who} since {since}: an access SBC that follows them"
            " refuses the IPBX",
            "sa racine {root} n'est plus reconnue par {who} depuis le {since} : un SBC d'accès qui les"
            " suit refuse l'IPBX",
            **words,
        )
        yield rules.ROOT_NOW, Seen(side.at, says)
    elif row.since <= last_day(side.leaf) or (row.since - at).days <= dates.horizon(around):
        says = said(
            "its root {root} will no longer be trusted by {who} from {since} on: an access SBC that"
            " follows them then refuses the IPBX",
            "sa racine {root} ne sera plus reconnue par {who} à partir du {since} : un SBC d'accès qui les"
            " suit refusera alors l'IPBX",
            **words,
        )
        yield rules.ROOT_NEXT, Seen(side.at, says)


def own_trust(view: View, side: Side) -> Iterator[Verdict]:
    """The root and the intermediates of our own certificate stand in the trust store."""
    store = view.store
    if store is None or self_signed(side.chain[-1]):
        return
    missing = [called(one) for one in side.chain[1:] if one not in store.intermediates]
    top = side.chain[-1]
    if signer(top, store.roots) is None and signer(top, store.intermediates) is None:
        missing.append(words(top.issuer))
    if missing:
        says = said(
            "the trust store lacks {missing}, of the own certificate's CA",
            "il manque dans le magasin de confiance {missing}, de l'AC du certificat propre",
            missing=", ".join(missing),
        )
        yield rules.TRUST_OWN, Seen(("certificates", "trust"), says, _import(view.facts))


def carrier_trust(view: View, sides: Sequence[Side]) -> Iterator[Verdict]:
    """What the guide names for the carrier is there, and what is there for the carrier stays trusted."""
    facts, store = view.facts, view.store
    named = [key for key in ("carrier_root", "carrier_intermediate") if facts.known(f"certificates.{key}")]
    roots = [facts.text("certificates.carrier_root")] if "carrier_root" in named else []
    if store is None:
        for root in roots:
            yield from carrier_root(root, (), facts, view.around, view.today)
        return
    held = {common(one.subject) for one in (*store.roots, *store.intermediates)}
    missing = [facts.text(f"certificates.{key}") for key in named]
    missing = [name for name in missing if name not in held]
    if missing:
        says = said(
            "the trust store lacks {missing}, which the guide names for the carrier's access SBCs: the"
            " IPBX refuses an SBC that shows a certificate from there",
            "il manque dans le magasin de confiance {missing}, que le guide nomme pour les SBC d'accès de"
            " l'opérateur : l'IPBX refuse un SBC qui présente un certificat de là",
            missing=", ".join(missing),
        )
        mend = _import(facts, "certificates.carrier_page")
        yield rules.TRUST_CARRIER, Seen(("certificates", "trust"), says, mend)
    own = {common(one.issuer) for side in sides for one in side.chain}
    others = (name for root in store.roots if (name := common(root.subject)) not in own)
    for root in dict.fromkeys((*roots, *others)):
        yield from carrier_root(root, tuple(held), facts, view.around, view.today)


def _import(facts: Facts, page: str = "") -> Wording | str:
    """How to fill the trust store, by the guide's own menu; "" where it names none."""
    if not facts.known("web_monitor.trust"):
        return ""
    if page and facts.known(page):
        return said(
            "get them from {page}, or from the carrier if it has others by now; {trust}; the IPBX reboots"
            " by itself",
            "récupérez-les sur {page}, ou auprès de l'opérateur s'il en a d'autres désormais ; {trust} ;"
            " l'IPBX redémarre de lui-même",
            page=facts.text(page),
            trust=facts.text("web_monitor.trust"),
        )
    return said(
        "{trust}; name them under certificates.trust, and send the carrier the same files",
        "{trust} ; nommez-les sous certificates.trust et envoyez les mêmes fichiers à l'opérateur",
        trust=facts.text("web_monitor.trust"),
    )


def trust_expiry(view: View) -> Iterator[Verdict]:
    if view.store is None:
        return
    first = (*dates.steps(view.around), 0)[0]
    for certificate in (*view.store.roots, *view.store.intermediates):
        left = (last_day(certificate) - view.today).days
        if left > first:
            continue
        words = {"name": called(certificate), "day": last_day(certificate).isoformat()}
        cost = reboot(view.facts, "reboot_trust")
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
