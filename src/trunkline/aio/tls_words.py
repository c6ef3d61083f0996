"""What OpenSSL's reasons for a broken handshake mean, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# OpenSSL's reason strings (include/openssl/sslerr.h), by what we say of them.
_MEANINGS: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (
        frozenset({"peer did not return a certificate"}),
        "the peer presented no certificate: have it present its own",
    ),
    (
        frozenset({"no shared cipher", "wrong cipher returned", "no ciphers available"}),
        "there is no suite in common, ours are {suites}: compare both sides' settings",
    ),
    (
        frozenset(
            {"unsupported protocol", "version too low", "version too high", "wrong ssl version"}
            | {"unknown protocol", "no protocols available", "no suitable protocol"}
        ),
        "there is no TLS version in common, ours are {versions}: compare both sides' settings",
    ),
    (
        frozenset(
            {"no suitable signature algorithm", "wrong signature type", "no shared signature algorithms"}
        ),
        "there is no way of signing in common: have both sides use RSA certificates signed with SHA-256",
    ),
    (
        frozenset(
            {"wrong version number", "http request", "https proxy request", "packet length too long"}
            | {"record layer failure", "unexpected record"}
        ),
        "what the peer sent is no TLS: see that it sends TLS to this port, and not SIP over TCP",
    ),
)

_NO_ALERT: Final = (
    "the peer closed the connection right after the handshake, without a word: a TLS 1.3 server may do so"
    " that does not take our certificate ({ours}); its own log says why"
)
_CUT: Final = "the peer closed the connection during the handshake, without an alert: its own log says why"


def broken_by(reasons: Iterable[str], suites: str, versions: str) -> str:
    """The sentence for OpenSSL's reasons; they themselves, where there is none."""
    told = tuple(reasons)
    for known, meaning in _MEANINGS:
        if known.intersection(told):
            return meaning.format(suites=suites, versions=versions)
    return f"the handshake broke ({', '.join(told) or 'no reason given'}): the peer's log may say why"


def refused(alert: str, why: str) -> str:
    """The sentence for a refusal of ours."""
    return f"this side refused{f' ({alert})' if alert else ''}: {why}"


def broken(alert: str, reasons: Iterable[str], *, by_peer: bool) -> str:
    """The sentence for the end of a connection that stood."""
    if by_peer:
        return f"the peer broke the connection off ({alert})"
    return f"the connection broke ({alert or ', '.join(reasons)}): what the peer sent is not TLS any more"


def cut(*, after_handshake: bool, ours: str) -> str:
    """The sentence for a stream that ended where nothing had been said yet."""
    return (_NO_ALERT if after_handshake else _CUT).format(ours=ours or "none")


def too_slow(seconds: float) -> str:
    """The sentence for a handshake that took too long."""
    return f"no TLS handshake within {seconds:g} s: see that the peer speaks TLS on this port"
