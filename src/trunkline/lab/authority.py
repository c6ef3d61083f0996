"""Throwaway certificate authorities: the carrier's and the customer's, each with a root and an intermediate.

They sign good certificates and, on purpose, bad ones: whatever TLS must refuse can be
shown on one machine. Nobody else trusts them, and their keys live as long as the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from trunkline.aio.keys import new_key
from trunkline.pki.certificate import Certificate, pem_of
from trunkline.pki.identity import Identity
from trunkline.pki.key import Key
from trunkline.pki.store import TrustStore

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
_YEARS = timedelta(days=3650)
_LIFE = timedelta(days=90)
_SINCE = timedelta(days=1)  # before the moment of signing: clocks differ


class Bad(StrEnum):
    """What may be wrong with a certificate of the lab."""

    EXPIRED = "expired"
    EARLY = "not yet valid"
    WRONG_NAME = "wrong name"
    NO_NAME = "no subjectAltName"
    WRONG_CA = "wrong CA"
    NO_INTERMEDIATE = "missing intermediate"
    CLIENT_ONLY = "clientAuth only"
    SERVER_ONLY = "serverAuth only"
    SHA1 = "SHA-1"
    SMALL_KEY = "RSA 1024"


@dataclass(frozen=True, slots=True)
class Authority:
    """A root, an intermediate below it, and what they sign at the civil time `at`."""

    name: str
    at: datetime
    root: Certificate
    intermediate: Certificate
    _root_key: Key = field(repr=False)
    _key: Key = field(repr=False)
    draw: Callable[[int], Key] = field(default=new_key, repr=False)

    @classmethod
    def make(cls, name: str, at: datetime, draw: Callable[[int], Key] = new_key) -> Authority:
        """A new authority called `name`; `draw` gives the keys, by their bits."""
        root_key, key = draw(2048), draw(2048)
        top, below = f"{name} Root CA", f"{name} TLS CA"
        since, until = at - _YEARS, at + _YEARS
        root = _certificate(top, root_key, top, root_key, since, until, (*_ca(1),))
        intermediate = _certificate(below, key, top, root_key, since, until, (*_ca(0),))
        return cls(name, at, root, intermediate, root_key, key, draw)

    @property
    def store(self) -> TrustStore:
        """A trust store that holds the root alone."""
        return TrustStore((self.root,))

    @property
    def pem(self) -> bytes:
        """Root and intermediate, as a customer sends them to the carrier (CERT-4)."""
        return pem_of((self.root, self.intermediate))

    def issue(
        self,
        *names: str,
        uses: Sequence[ObjectIdentifier] = (SERVER, CLIENT),
        since: datetime | None = None,
        until: datetime | None = None,
        key: Key | None = None,
        common_name: str = "",
    ) -> Identity:
        """A certificate for these names (dNSNames, or sip: URIs), with its chain and key."""
        alternatives = [
            x509.UniformResourceIdentifier(name) if name.startswith("sip:") else x509.DNSName(name)
            for name in names
        ]
        key = key or self.draw(2048)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(False, None), True),
            (_usage(signs=False), True),
        ]
        if uses:
            extensions.append((x509.ExtendedKeyUsage(uses), False))
        if alternatives:
            extensions.append((x509.SubjectAlternativeName(alternatives), False))
        leaf = _certificate(
            common_name or (names[0] if names else "nobody"),
            key,
            f"{self.name} TLS CA",
            self._key,
            since or self.at - _SINCE,
            until or self.at + _LIFE,
            extensions,
        )
        return Identity((leaf, self.intermediate), key)

    def issue_bad(self, bad: Bad, name: str) -> Identity:
        """A certificate for `name` that is wrong in this one way."""
        match bad:
            case Bad.EXPIRED:
                return self.issue(name, since=self.at - _LIFE, until=self.at - _SINCE)
            case Bad.EARLY:
                return self.issue(name, since=self.at + _SINCE)
            case Bad.WRONG_NAME:
                return self.issue(f"other-{name}")
            case Bad.NO_NAME:
                return self.issue(common_name=name)
            case Bad.WRONG_CA:
                return Authority.make("Stranger", self.at, self.draw).issue(name)
            case Bad.NO_INTERMEDIATE:
                whole = self.issue(name)
                return Identity((whole.leaf,), whole.key)
            case Bad.CLIENT_ONLY:
                return self.issue(name, uses=(CLIENT,))
            case Bad.SERVER_ONLY:
                return self.issue(name, uses=(SERVER,))
            case Bad.SMALL_KEY:
                return self.issue(name, key=self.draw(1024))
            case Bad.SHA1:
                whole = self.issue(name)
                return Identity((by_sha1(whole.leaf, self._key), self.intermediate), whole.key)


def _certificate(
    subject: str,
    key: Key,
    issuer: str,
    issuer_key: Key,
    since: datetime,
    until: datetime,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> Certificate:
    public, signer = key.private.public_key(), issuer_key.private.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer_key.private, hashes.SHA256())


def _named(common_name: str) -> x509.Name:
    lab = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Trunkline lab")
    return x509.Name([lab, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _ca(below: int) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return ((x509.BasicConstraints(True, below), True), (_usage(signs=True), True))


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


# AlgorithmIdentifiers of RFC 8017 §A.2: pkcs-1 11 and 5, of the same length.
_SHA256_RSA, _SHA1_RSA = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05"))


def by_sha1(certificate: Certificate, key: Key) -> Certificate:
    """The same certificate signed with SHA-1, which no library signs any more."""
    assert isinstance(key.private, rsa.RSAPrivateKey)
    inner = certificate.tbs_certificate_bytes.replace(_SHA256_RSA, _SHA1_RSA)
    signature = key.private.sign(inner, padding.PKCS1v15(), hashes.SHA1())
    whole = certificate.public_bytes(Encoding.DER)
    whole = whole.replace(certificate.tbs_certificate_bytes, inner).replace(certificate.signature, signature)
    return x509.load_der_x509_certificate(whole.replace(_SHA256_RSA, _SHA1_RSA))
