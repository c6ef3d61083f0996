"""A private key as a value: read from PEM, bound to its certificate, never shown.

Keys are drawn in `aio`: nothing here rolls dice.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from trunkline.finding import ParseError
from trunkline.pki.certificate import Certificate

RSA_BITS = 2048  # CERT-1; the least this house takes anywhere


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """An RSA or elliptic-curve private key. Its `repr` says kind and size only."""

    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @classmethod
    def parse(cls, pem: bytes, password: bytes = b"") -> Key:
        """Read PEM text (PKCS #8 or older), decrypted with `password`. Raises ParseError without its text."""
        try:
            private = load_pem_private_key(pem, password or None)
        except TypeError:  # what cryptography raises for a password too few or too many
            needs = "without a password" if password else "with its password"
            raise ParseError("private key", "", f"expected the key {needs}") from None
        except (ValueError, UnsupportedAlgorithm):
            raise ParseError("private key", "", "expected a PEM private key and its password") from None
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ParseError("private key", type(private).__name__, "expected an RSA or an EC key")
        return cls(private)

    @property
    def kind(self) -> str:
        return "RSA" if isinstance(self.private, rsa.RSAPrivateKey) else "EC"

    @property
    def bits(self) -> int:
        return self.private.key_size

    def pem(self) -> bytes:
        """PKCS #8 PEM, not encrypted: for a file only its owner may read."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def fits(self, certificate: Certificate) -> bool:
        """Whether the certificate is of this key."""
        spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        try:
            theirs = certificate.public_key().public_bytes(*spki)
        except (ValueError, UnsupportedAlgorithm):
            return False
        return theirs == self.private.public_key().public_bytes(*spki)

    def __repr__(self) -> str:
        return f"Key({self.kind} {self.bits})"
