"""Certificates to a test's measure: any extension, any date, signed by any key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from trunkline.aio.keys import new_key
from trunkline.pki.certificate import Certificate
from trunkline.pki.key import Key

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

_OFF = (
    *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("crl_sign", "encipher_only", "decipher_only"),
)

Extensions = Iterable[tuple[x509.ExtensionType, bool]]


@cache
def key(label: str) -> Key:
    """A key by its label: RSA 2048, RSA 1024 for "small", P-256 and P-192 for "ec" and "small ec"."""
    if label.endswith("ec"):
        return Key(ec.generate_private_key(ec.SECP192R1() if label.startswith("small") else ec.SECP256R1()))
    return new_key(1024 if label == "small" else 2048)


class Made(NamedTuple):
    """A certificate and the key it is for."""

    certificate: Certificate
    key: Key


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


def authority(below: int | None = None, *, ca: bool = True) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return ((x509.BasicConstraints(ca, below if ca else None), True),)


def alternatives(*names: x509.GeneralName) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return ((x509.SubjectAlternativeName(names), False),)


def usage(*, signs: bool = True, certifies: bool = False) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    off = dict.fromkeys(_OFF, False)
    return ((x509.KeyUsage(digital_signature=signs, key_cert_sign=certifies, **off), True),)


def made(
    subject: str,
    issuer: Made | None = None,
    extensions: Extensions = (),
    *,
    key_label: str = "",
    since: datetime = AT - DAY,
    until: datetime = AT + DAY,
    key_ids: bool = True,
    serial: int = 7,
    parts: Iterable[x509.NameAttribute[str]] = (),
) -> Made:
    """A certificate valid around AT; without an issuer it signs itself. `parts` stand before the CN."""
    own = key(key_label or subject)
    signer, by = (own, name(subject)) if issuer is None else (issuer.key, issuer.certificate.subject)
    full = x509.Name([*parts, *name(subject)])
    builder = x509.CertificateBuilder().subject_name(full).issuer_name(by)
    builder = builder.public_key(own.private.public_key()).serial_number(serial)
    builder = builder.not_valid_before(since).not_valid_after(until)
    if key_ids:
        held = x509.SubjectKeyIdentifier.from_public_key(own.private.public_key())
        of = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.private.public_key())
        extensions = (*extensions, (held, False), (of, False))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return Made(builder.sign(signer.private, hashes.SHA256()), own)


@cache
def root() -> Made:
    return made("Root", extensions=authority())


@cache
def intermediate() -> Made:
    return made("Intermediate", root(), authority(0))


def leaf(*extensions: tuple[x509.ExtensionType, bool], issuer: Made | None = None) -> Made:
    """The certificate of sbc1.carrier.example, by the intermediate."""
    named = alternatives(x509.DNSName("sbc1.carrier.example"))
    return made("sbc1.carrier.example", issuer or intermediate(), (*named, *extensions), key_label="leaf")
