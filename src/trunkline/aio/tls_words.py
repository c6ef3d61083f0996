"""What OpenSSL's reasons for a broken handshake mean, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trunkline.finding import Wording, said

# OpenSSL's reason strings (include/openssl/sslerr.h), by what we say of them in both languages.
_MEANINGS: Final[tuple[tuple[frozenset[str], str, str], ...]] = (
    (
        frozenset({"peer did not return a certificate"}),
        "the peer presented no certificate: have it present its own",
        "le pair n'a pas présenté de certificat : faites-lui présenter le sien",
    ),
    (
        frozenset({"no shared cipher", "wrong cipher returned", "no ciphers available"}),
        "there is no suite in common, ours are {suites}: compare both sides' settings",
        "il n'y a pas de suite commune, les nôtres sont {suites} : comparez les réglages des deux côtés",
    ),
    (
        frozenset(
            {"unsupported protocol", "version too low", "version too high", "wrong ssl version"}
            | {"unknown protocol", "no protocols available", "no suitable protocol"}
        ),
        "there is no TLS version in common, ours are {versions}: compare both sides' settings",
        "il n'y a pas de version de TLS commune, les nôtres sont {versions} : comparez les réglages des deux"
        " côtés",
    ),
    (
        frozenset(
            {"no suitable signature algorithm", "wrong signature type", "no shared signature algorithms"}
        ),
        "there is no way of signing in common: have both sides use RSA certificates signed with SHA-256",
        "il n'y a pas de signature commune : utilisez des deux côtés des certificats RSA signés en SHA-256",
    ),
    (
        frozenset(
            {"wrong version number", "http request", "https proxy request", "packet length too long"}
            | {"record layer failure", "unexpected record"}
        ),
        "what the peer sent is no TLS: see that it sends TLS to this port, and not SIP over TCP",
        "ce que le pair a envoyé n'est pas du TLS : vérifiez qu'il envoie du TLS vers ce port, et non du SIP"
        " sur TCP",
    ),
)
_NO_REASON: Final = said("no reason given", "sans raison donnée")


def broken_by(reasons: Iterable[str], suites: str, versions: str) -> Wording:
    """The sentence for OpenSSL's reasons; they themselves, where there is none."""
    given = tuple(reasons)
    for known, english, french in _MEANINGS:
        if known.intersection(given):
            return said(english, french, suites=suites, versions=versions)
    return said(
        "the handshake broke ({reasons}): the peer's log may say why",
        "la négociation a échoué ({reasons}) : le journal du pair peut dire pourquoi",
        reasons=", ".join(given) or _NO_REASON,
    )


def refused(alert: str, why: str) -> Wording:
    """The sentence for a refusal of ours."""
    return said(
        "this side refused{alert}: {why}",
        "ce côté a refusé{alert} : {why}",
        alert=f" ({alert})" if alert else "",
        why=why,
    )


def broken(alert: str, reasons: Iterable[str], *, by_peer: bool) -> Wording:
    """The sentence for the end of a connection that stood."""
    if by_peer:
        return said(
            "the peer broke the connection off ({alert})",
            "le pair a rompu la connexion ({alert})",
            alert=alert,
        )
    return said(
        "the connection broke ({why}): what the peer sent is not TLS any more",
        "la connexion a été rompue ({why}) : ce que le pair a envoyé n'est plus du TLS",
        why=alert or ", ".join(reasons),
    )


def cut(*, after_handshake: bool, ours: str) -> Wording:
    """The sentence for a stream that ended where nothing had been said yet."""
    if not after_handshake:
        return said(
            "the peer closed the connection during the handshake, without an alert: its own log says why",
            "le pair a fermé la connexion pendant la négociation, sans alerte : son propre journal dit"
            " pourquoi",
        )
    return said(
        "the peer closed the connection right after the handshake, without a word: a TLS 1.3 server may do"
        " so that does not take our certificate ({ours}); its own log says why",
        "le pair a fermé la connexion juste après la négociation, sans un mot : un serveur TLS 1.3 peut le"
        " faire quand il refuse notre certificat ({ours}) ; son propre journal dit pourquoi",
        ours=ours or said("none", "aucun"),
    )


def too_slow(seconds: float) -> Wording:
    """The sentence for a handshake that took too long."""
    return said(
        "no TLS handshake within {seconds} s: see that the peer speaks TLS on this port",
        "pas de négociation TLS en {seconds} s : vérifiez que le pair parle TLS sur ce port",
        seconds=f"{seconds:g}",
    )
