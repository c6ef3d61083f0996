"""The exchange of certificate chains with the carrier (CERT-4): which files go to whom, and the letter."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from trunkline.finding import Wording, said
from trunkline.guide.facts import Facts
from trunkline.plan.document import Chapter, File, Listing, Paragraph, Row, Source, Table
from trunkline.site.model import Site

FOR_CARRIER: Final = "for-carrier.pem"  # what `trunkline cert bundle --for-carrier` writes


def chapter(site: Site, facts: Facts) -> Chapter | None:
    """Which files go to whom, and the letter; None where the architecture has no certificates."""
    if not site.over_internet:
        return None
    text = letter(site, facts)
    return Chapter(
        "chain-exchange",
        said("Exchange of certificate chains", "Échange des chaînes de certificats"),
        (
            Paragraph(
                said(
                    "Both sides present a certificate and verify the other's. Neither can, before it"
                    " holds the other's root and intermediates.",
                    "Chaque côté présente un certificat et vérifie celui de l'autre. Aucun ne le peut"
                    " avant d'avoir la racine et les intermédiaires de l'autre.",
                ),
                Source("certificates", "CERT-4, TLS-3"),
            ),
            _files(site, facts),
            Listing(text, title=said("Letter to the carrier", "Lettre à l'opérateur")),
        ),
        (File("chain-exchange.txt", text, said("the letter, to be sent", "la lettre, à envoyer")),),
        reader=said("the certificate team", "l'équipe des certificats"),
    )


def _files(site: Site, facts: Facts) -> Table:
    certificates = site.certificates
    ours = PurePosixPath(certificates.public_server.certificate).name if certificates else ""
    key = "certificates.public_server.certificate"
    rows = [
        Row(
            (
                said("root and intermediates of your CA", "racine et intermédiaires de votre AC"),
                FOR_CARRIER,
                said("you → carrier", "vous → opérateur"),
                said(
                    "made by `trunkline cert bundle --for-carrier`",
                    "produit par `trunkline cert bundle --for-carrier`",
                ),
            ),
            Source(key, "CERT-4"),
        ),
        Row(
            (
                said("your own certificate with its chain", "votre certificat avec sa chaîne"),
                ours,
                said("stays on the IPBX", "reste sur l'IPBX"),
                said("the private key leaves the IPBX never", "la clé privée ne quitte jamais l'IPBX"),
            ),
            Source(key, "CERT-2"),
        ),
    ]
    into = said(
        "into the trust store, after asking which chain is presented today",
        "dans le magasin de confiance, après avoir demandé quelle chaîne est présentée aujourd'hui",
    )
    way = said("carrier → you", "opérateur → vous")
    for fact, what in (
        ("certificates.carrier_root", said("the carrier's root", "la racine de l'opérateur")),
        (
            "certificates.carrier_intermediate",
            said("the carrier's intermediate", "l'intermédiaire de l'opérateur"),
        ),
    ):
        if facts.known(fact):
            rows.append(
                Row((what, facts.text(fact), way, into), Source("certificates.trust", "CERT-3, CERT-4"))
            )
    head = (
        said("What", "Quoi"),
        said("File or name", "Fichier ou nom"),
        said("Way", "Sens"),
        said("Note", "Remarque"),
    )
    return Table(head, tuple(rows), title=said("Which files go to whom", "Quels fichiers vont à qui"))


def letter(site: Site, facts: Facts) -> Wording:
    """The letter's text, to the carrier."""
    held = [
        key for key in ("certificates.carrier_root", "certificates.carrier_intermediate") if facts.known(key)
    ]
    named = said("Your guide names no chain.", "Votre guide ne nomme pas de chaîne.")
    if len(held) == 2:
        named = said(
            'Your guide names the root "{root}"\nand the intermediate "{inner}".',
            "Votre guide nomme la racine « {root} »\net l'intermédiaire « {inner} ».",
            root=facts.text(held[0]),
            inner=facts.text(held[1]),
        )
    own = site.certificates.authority if site.certificates else ""
    return said(
        _ENGLISH,
        _FRENCH,
        carrier=facts.carrier,
        customer=site.customer,
        name=site.interfaces.eth0.domain_name,
        authority=own or said("our certification authority", "notre autorité de certification"),
        file=FOR_CARRIER,
        sbcs="\n".join(f"  - {gateway.domain_proxy.target_domain}" for gateway in site.trunk.gateways),
        named=named,
    )


_ENGLISH: Final = """\
To: {carrier}
From: {customer}
Concerning: SIP trunk over the internet, exchange of certificate chains

Our IPBX presents itself as

  {name}

with a certificate issued by {authority}. Attached is the file
{file}, which holds the root and the intermediates of that CA in PEM
format. Please add them to the trust store of your access SBCs:

{sbcs}

and confirm when it is done, for calls in both directions: our certificate is
presented when we call you and when you call us.

{named}
Please confirm, before we go live:

  1. which root and intermediates your access SBCs present today;
  2. from which date another chain will be presented, and how you announce it;
  3. whether you require the clientAuth extended key usage in our certificate,
     which public CAs are ceasing to issue.
"""

_FRENCH: Final = """\
À : {carrier}
De : {customer}
Objet : trunk SIP par internet, échange des chaînes de certificats

Notre IPBX se présente comme

  {name}

avec un certificat délivré par {authority}. Le fichier joint
{file} contient la racine et les intermédiaires de cette AC au format
PEM. Merci de les ajouter au magasin de confiance de vos SBC d'accès :

{sbcs}

et de confirmer que c'est fait, pour les appels dans les deux sens : notre
certificat est présenté quand nous vous appelons et quand vous nous appelez.

{named}
Merci de confirmer avant la mise en service :

  1. quels racine et intermédiaires vos SBC d'accès présentent aujourd'hui ;
  2. à partir de quelle date une autre chaîne sera présentée, et comment vous
     l'annoncez ;
  3. si vous exigez l'usage étendu clientAuth dans notre certificat, que les AC
     publiques cessent de délivrer.
"""
