"""What one listener or one gateway asks of TLS, and the context OpenSSL keeps of it (RFC 8446, 5246).

Nothing is resumed, renegotiated or compressed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from OpenSSL import SSL

from trunkline.aio.openssl import Verifier
from trunkline.finding import ParseError
from trunkline.pki.chain import POLICY
from trunkline.pki.identity import Identity
from trunkline.pki.judgement import Policy
from trunkline.pki.store import TrustStore

# The registry's numbers (IANA, TLS Cipher Suites) and OpenSSL's names for them.
SUITES: Final[dict[int, str]] = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0xC027: "ECDHE-RSA-AES128-SHA256",
    0xC028: "ECDHE-RSA-AES256-SHA384",
    0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256",
    0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384",
    0xC02F: "ECDHE-RSA-AES128-GCM-SHA256",
    0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
    0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305",
}
VERSIONS: Final = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}

_OPTIONS: Final = (
    SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
)
_LONGEST: Final = 10  # certificates of a peer's chain


@dataclass(frozen=True, slots=True)
class Terms:
    """What one side of a handshake asks for and presents.

    Suites are the registry's numbers, in the order of preference, for TLS 1.3 and 1.2;
    `least` and `most` are versions ("1.2", "1.3"). Without an `identity` a client
    presents no certificate; a server needs one. `mutual` off: a server asks its clients
    for none (the listener of phones). `policy` are the knobs of the judge.
    """

    identity: Identity | None
    trust: TrustStore
    suites_1_3: tuple[int, ...]
    suites_1_2: tuple[int, ...]
    least: str = "1.2"
    most: str = "1.3"
    mutual: bool = True
    policy: Policy = POLICY

    @property
    def suites(self) -> tuple[str, ...]:
        """The suites by OpenSSL's names, those of versions that are off left out. Raises ParseError."""
        numbers = (self.suites_1_3 if self.most == "1.3" else ()) + (
            self.suites_1_2 if self.least == "1.2" else ()
        )
        unknown = [number for number in numbers if number not in SUITES]
        if unknown or not numbers:
            raise ParseError(
                "tls.suites", f"{unknown[0]:#06x}" if unknown else "", "expected known TLS suites"
            )
        return tuple(SUITES[number] for number in numbers)


class TlsContext:
    """The settings of one listener (`server`) or one gateway as OpenSSL has them.

    Raises ParseError for terms that cannot be kept (an unknown suite, a key too small).
    """

    def __init__(self, terms: Terms, *, server: bool, keylog: Callable[[bytes], None] | None = None) -> None:
        self.terms, self.server = terms, server
        self.openssl = SSL.Context(SSL.TLS_METHOD)
        self.openssl.set_min_proto_version(_version(terms.least))
        self.openssl.set_max_proto_version(_version(terms.most))
        names = terms.suites
        newer = [name for name in names if name.startswith("TLS_")]
        older = [name for name in names if not name.startswith("TLS_")]
        self.openssl.set_tls13_ciphersuites(":".join(newer).encode())
        if older:
            self.openssl.set_cipher_list(":".join(older).encode())
        self.openssl.set_options(_OPTIONS)
        self.openssl.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self.openssl.set_verify_depth(_LONGEST)
        self.openssl.set_info_callback(_informed)
        self._present(terms.identity)
        self._verifier: Verifier | None = None
        if not server or terms.mutual:
            mode = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT | SSL.VERIFY_CLIENT_ONCE
            self._verifier = Verifier(self.openssl, mode)
        if keylog is not None:
            self.openssl.set_keylog_callback(lambda _, line: keylog(line))

    @property
    def verifies(self) -> bool:
        """Whether the peer must show a certificate."""
        return self._verifier is not None

    @property
    def ours(self) -> str:
        """What our certificate is called, "" without one."""
        return self.terms.identity.called if self.terms.identity else ""

    @property
    def suites(self) -> str:
        """Our suites, for a sentence."""
        return ", ".join(self.terms.suites)

    @property
    def versions(self) -> str:
        """Our versions, for a sentence."""
        return " and ".join(dict.fromkeys((self.terms.least, self.terms.most)))

    def _present(self, identity: Identity | None) -> None:
        if identity is None:
            if self.server:
                raise ParseError("tls.certificate", "", "expected one: a TLS server presents a certificate")
            return
        try:
            self.openssl.use_certificate(identity.leaf)
            self.openssl.use_privatekey(identity.key.private)
            for certificate in identity.chain[1:]:
                self.openssl.add_extra_chain_cert(certificate)
        except SSL.Error as error:
            why = ", ".join(reasons(error))
            raise ParseError("tls.certificate", identity.called, f"expected one to present ({why})") from None


def reasons(error: SSL.Error) -> list[str]:
    """OpenSSL's own words for an error."""
    return [str(part[2]) for part in error.args[0]] if error.args else []


def _version(word: str) -> int:
    try:
        return VERSIONS[word]
    except KeyError:
        raise ParseError("tls.version", word, f"expected one of {', '.join(VERSIONS)}") from None


def _informed(connection: SSL.Connection, where: int, value: int) -> None:
    if where & SSL.SSL_CB_ALERT:
        connection.get_app_data().informed(bool(where & SSL.SSL_CB_READ), value >> 8, value & 0xFF)
