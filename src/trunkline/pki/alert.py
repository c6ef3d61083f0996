"""TLS alerts (RFC 8446 §6, RFC 5246 §7.2): which one a fault deserves, and what a peer's means for us."""

from __future__ import annotations

from typing import Final

from trunkline.finding import Wording, said
from trunkline.pki.judgement import Check, Judgement

NAMES: Final[dict[int, str]] = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}

OF_CHECK: Final[dict[Check, int]] = {
    Check.PRESENT: 116,
    Check.READABLE: 42,
    Check.KEY: 42,
    Check.ISSUER: 48,
    Check.SIGNATURE: 51,
    Check.AUTHORITY: 48,
    Check.EXPIRED: 45,
    Check.EARLY: 42,
    Check.STRENGTH: 42,
    Check.PURPOSE: 43,
    Check.NAMES: 42,
}

# What to do when the far side says it, in both languages: {ours} is our certificate, or "no certificate".
_MEANINGS: Final[dict[int, tuple[str, str]]] = {
    40: (
        "it found nothing in common: version, suite or kind of certificate, or it wants a certificate and got"
        " {ours}; compare both sides' settings",
        "il n'a rien trouvé en commun : version, suite ou type de certificat, ou il veut un certificat et a"
        " reçu {ours} ; comparez les réglages des deux côtés",
    ),
    42: (
        "it finds our certificate bad ({ours}): compare its names with what the peer expects, and its chain",
        "il juge notre certificat mauvais ({ours}) : comparez ses noms avec ce que le pair attend, et sa"
        " chaîne",
    ),
    43: (
        "it cannot use our certificate ({ours}): compare its extended key usage with what it asks",
        "il ne peut pas utiliser notre certificat ({ours}) : comparez son usage étendu de clé avec ce qu'il"
        " demande",
    ),
    44: (
        "it holds our certificate for revoked ({ours}): renew it",
        "il tient notre certificat pour révoqué ({ours}) : renouvelez-le",
    ),
    45: (
        "it holds our certificate for expired ({ours}): renew it, or have the peer set its clock",
        "il tient notre certificat pour expiré ({ours}) : renouvelez-le, ou faites régler l'horloge du pair",
    ),
    46: (
        "it does not take our certificate ({ours}) and does not say why: ask the peer",
        "il refuse notre certificat ({ours}) sans dire pourquoi : demandez au pair",
    ),
    48: (
        "it does not trust who signed our certificate ({ours}): install our whole chain, and send the peer"
        " our root and intermediates",
        "il ne reconnaît pas qui a signé notre certificat ({ours}) : installez notre chaîne entière, et"
        " envoyez au pair notre racine et nos intermédiaires",
    ),
    49: (
        "it knows our certificate ({ours}) and does not let us in: have the peer allow its name",
        "il connaît notre certificat ({ours}) et nous refuse l'entrée : faites autoriser ce nom par le pair",
    ),
    51: (
        "it could not verify a signature of ours ({ours}): see that key and certificate belong together",
        "il n'a pas pu vérifier une signature de notre part ({ours}) : vérifiez que clé et certificat vont"
        " ensemble",
    ),
    70: (
        "it speaks none of our TLS versions: compare both sides' settings",
        "il ne parle aucune de nos versions de TLS : comparez les réglages des deux côtés",
    ),
    71: (
        "it asks for stronger suites than ours: compare both sides' settings",
        "il demande des suites plus fortes que les nôtres : comparez les réglages des deux côtés",
    ),
    112: (
        "it does not know the name we asked for: compare the gateway's name with the peer's",
        "il ne connaît pas le nom demandé : comparez le nom de la passerelle avec celui du pair",
    ),
    116: (
        "it asks for a certificate and we presented {ours}: configure ours for this gateway",
        "il demande un certificat et nous avons présenté {ours} : configurez le nôtre pour cette passerelle",
    ),
}
_NO_MEANING: Final = (
    "it broke the handshake off; its own log says why",
    "il a interrompu la négociation ; son propre journal dit pourquoi",
)


def name(number: int) -> str:
    """The alert's name in the RFC, or its number."""
    return NAMES.get(number, f"alert {number}")


def deserved(judgement: Judgement) -> int:
    """The alert for the first fault of a judgement that is not good."""
    return OF_CHECK[judgement.faults[0].check]


def refused_by_peer(number: int, ours: str) -> Wording:
    """What a fatal alert from the peer means, in words; `ours` is what our certificate is called, or ""."""
    shown = ours or said("no certificate", "aucun certificat")
    return said(
        "the peer refused ({alert}): {meaning}",
        "le pair a refusé ({alert}) : {meaning}",
        alert=name(number),
        meaning=said(*_MEANINGS.get(number, _NO_MEANING), ours=shown),
    )
