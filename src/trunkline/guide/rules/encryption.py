"""Encrypted, but more loosely than it need be: the order of SRTP suites, the check of the SBC's name."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import INTERNET, gateways
from trunkline.site.model import Site


def _suite_first(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("srtp.suite")
    for path, gateway in gateways(site):
        suites = gateway.security.suites
        if wanted in suites[1:]:
            says = said(
                "gateway {label} prefers {first} to {wanted}, the only suite that the guide names",
                "la passerelle {label} préfère {first} à {wanted}, seule suite que le guide nomme",
                label=gateway.label,
                first=suites[0],
                wanted=wanted,
            )
            yield Seen((*path, "security", "suites"), says)


def _name_check(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.flag("tls.mutual"):
        return
    for path, gateway in gateways(site):
        security = gateway.security
        loose = (
            ("peer_client_eku", security.peer_client_eku == "ignore"),
            ("wildcard_names", security.wildcard_names),
            ("common_name", security.common_name),
        )
        for key, on in loose:
            if on:
                says = said(
                    "gateway {label} checks the access SBC's certificate less strictly than the standard "
                    "asks ({key})",
                    "la passerelle {label} contrôle le certificat du SBC d'accès moins strictement que la "
                    "norme ({key})",
                    label=gateway.label,
                    key=key,
                )
                yield Seen((*path, "security", key), says)


RULES = (
    Rule(
        id="SEC-4c",
        title=said(
            "The carrier's SRTP suite stands first in the selected list",
            "La suite SRTP de l'opérateur est la première de la liste sélectionnée",
        ),
        why=said(
            "The other side takes the first suite that it knows. With another one in front, the voice is "
            "encrypted otherwise than the carrier has certified, or not understood at all.",
            "L'autre côté prend la première suite qu'il connaît. Si une autre la précède, la voix est "
            "chiffrée autrement que ce que l'opérateur a certifié, ou n'est pas comprise.",
        ),
        level=Level.SHOULD,
        source="guide 2.4.7, 5.2.4; RFC 4568 §5.1.2",
        mend=said(
            "SIP Gateways > Security: move the guide's suite to the top, or leave it alone in the list",
            "SIP Gateways > Security : placez la suite du guide en tête, ou seule dans la liste",
        ),
        look=_suite_first,
        fact="srtp.suite",
        architectures=INTERNET,
        also=("SRTP-1",),
    ),
    Rule(
        id="TLS-3",
        title=said(
            "The access SBC's certificate is checked as strictly as the standard asks",
            "Le certificat du SBC d'accès est contrôlé aussi strictement que la norme le demande",
        ),
        why=said(
            "Both sides must be sure whom they speak to. Each of these switches lets in certificates that "
            "were not made out to the access SBC; they are meant for a carrier whose certificate is odd.",
            "Chaque côté doit savoir à qui il parle. Chacun de ces réglages laisse entrer des certificats "
            "qui n'ont pas été établis pour le SBC d'accès ; ils servent si celui de l'opérateur est "
            "atypique.",
        ),
        level=Level.NOTE,
        source="guide 5.2.3; RFC 5922 §7.2",
        mend=said(
            "leave the key out, unless the carrier's certificate is refused without it",
            "supprimez la clé, sauf si le certificat de l'opérateur est refusé sans elle",
        ),
        look=_name_check,
        fact="tls.mutual",
        architectures=INTERNET,
    ),
)
