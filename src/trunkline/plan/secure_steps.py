"""Steps of the checklist that only a trunk over the internet has: certificates, and encryption at large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.pki.key import RSA_BITS
from trunkline.plan.document import Source, Step
from trunkline.plan.letter import FOR_CARRIER
from trunkline.site.model import Site

_PUBLIC_CERTIFICATES: Final = "Web Monitor > Certificates > Public Server Certificates"


def certificates(site: Site, facts: Facts) -> Iterator[Step]:
    """Request, signature, installation, trust store, exchange (5.2.3)."""
    name = site.interfaces.eth0.domain_name
    yield Step(
        "certificate.csr",
        facts.text("web_monitor.csr", f"{_PUBLIC_CERTIFICATES} > Generate CSR and Key"),
        said(
            "Generate the request once: a second one orphans the certificate that is on its way",
            "Générez la demande une seule fois : une seconde rend orphelin le certificat en cours",
        ),
        ", ".join(
            (*(f"{part} = {value}" for part, value in _subject(facts)), f"CN = SAN = {name}", _key(site))
        ),
        said(
            "`openssl req -text` shows the FQDN as CN and as SAN",
            "`openssl req -text` montre le FQDN en CN et en SAN",
        ),
        source=Source("interfaces.eth0.domain_name", "CERT-1"),
    )
    yield Step(
        "certificate.signed",
        said("Public CA", "AC publique"),
        said(
            "Have it signed; the CA may leave O and OU out of the subject, which is fine",
            "Faites-la signer ; l'AC peut retirer O et OU du sujet, c'est sans conséquence",
        ),
        site.certificates.authority if site.certificates else "",
        said(
            "`trunkline cert check` finds the chain complete",
            "`trunkline cert check` trouve la chaîne complète",
        ),
        source=Source("certificates.authority", "CERT-2"),
    )
    yield Step(
        "certificate.install",
        facts.text("web_monitor.install", f"{_PUBLIC_CERTIFICATES} > Install"),
        said(
            "Install the certificate with every intermediate",
            "Installez le certificat avec chaque intermédiaire",
        ),
        site.certificates.public_server.certificate if site.certificates else "",
        said(
            "after the reboot Web Monitor shows the CA and the last day",
            "après le redémarrage, Web Monitor montre l'AC et le dernier jour",
        ),
        reboot=True,
        source=Source("certificates.public_server.certificate", "CERT-2"),
    )
    trusted = [
        (fact.rpartition("_")[2], facts.text(fact))
        for fact in ("certificates.carrier_root", "certificates.carrier_intermediate")
        if facts.known(fact)
    ]
    for kind, called in trusted:
        yield Step(
            f"certificate.trust.{kind}",
            facts.text("web_monitor.trust", "Web Monitor > Certificates > Root Certificates Trust Store"),
            said(
                "Import the carrier's {kind}, after asking which chain its access SBCs present today",
                "Importez {kind} de l'opérateur, après avoir demandé quelle chaîne ses SBC présentent",
                kind=said(kind, "la racine" if kind == "root" else "l'intermédiaire"),
            ),
            called,
            _COMPARE,
            reboot=True,
            source=Source("certificates.trust", "CERT-3"),
        )
    yield Step(
        "certificate.trust.own",
        facts.text("web_monitor.trust", "Web Monitor > Certificates > Root Certificates Trust Store"),
        said(
            "Import root and intermediates of your own CA",
            "Importez racine et intermédiaires de votre propre AC",
        ),
        FOR_CARRIER,
        _COMPARE,
        reboot=True,
        source=Source("certificates.trust", "CERT-3"),
    )
    yield Step(
        "certificate.exchange",
        said("Carrier", "Opérateur"),
        said(
            "Send root and intermediates of your CA with the letter of the chapter on chains",
            "Envoyez racine et intermédiaires de votre AC avec la lettre du chapitre sur les chaînes",
        ),
        FOR_CARRIER,
        said("the carrier confirms, for both directions", "l'opérateur confirme, pour les deux sens"),
        source=Source("certificates", "CERT-4"),
    )


_COMPARE: Final = said(
    "the store lists it, and its SHA-256 fingerprint is the one on the CA's own page",
    "le magasin l'affiche, et son empreinte SHA-256 est celle de la page de l'AC",
)


def _subject(facts: Facts) -> Iterator[tuple[str, str]]:
    """What the guide puts before the CN, in its order (CERT-1)."""
    for part, fact in (("L", "subject_l"), ("O", "subject_o"), ("OU", "subject_ou")):
        if facts.known(f"certificates.{fact}"):
            yield part, facts.text(f"certificates.{fact}")


def _key(site: Site) -> str:
    return f"RSA {site.certificates.key_bits if site.certificates else RSA_BITS}"


def encryption(site: Site, facts: Facts) -> Iterator[Step]:
    """The switches of the system (5.2.4)."""
    yield Step(
        "encryption.dtls",
        facts.text("omc.security", "OMC > Security"),
        said(
            "Enable DTLS Encryption: it switches encryption on for the system",
            "Activez DTLS Encryption : c'est l'interrupteur du chiffrement du système",
        ),
        "DTLS Encryption = on",
        said("it shows on again after OMC reconnects", "il est toujours actif quand OMC se reconnecte"),
        source=Source("security.dtls_encryption", "SEC-1"),
    )
    where = facts.text("omc.voip_eth1", "VoIP Parameters > eth1")
    yield Step(
        "encryption.port",
        where,
        said("SIP TLS trunk Signal Port", "SIP TLS trunk Signal Port"),
        str(site.trunk.listen.tls),
        said(
            "the firewall's log shows the SBCs' connections to this port",
            "le journal du pare-feu montre les connexions des SBC vers ce port",
        ),
        source=Source("trunk.listen.tls", "SEC-2"),
    )
    yield Step(
        "encryption.switching",
        where,
        said("Enable UDP to TCP switching", "Activez UDP to TCP switching"),
        "UDP to TCP switching = on",
        said(
            "the trunk's signalling is TCP alone in the firewall's log",
            "la signalisation du trunk n'est que TCP dans le journal du pare-feu",
        ),
        source=Source("trunk.udp_to_tcp_switching", "SEC-2"),
    )
