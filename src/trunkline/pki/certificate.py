"""Certificates read from bytes, and the words that say which one is meant."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from trunkline.finding import ParseError

Certificate = x509.Certificate

MOST = 1000  # certificates of one file

_BEGINS = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----")

# What cryptography raises besides ValueError for a certificate that breaks RFC 5280.
_ODDITIES = (TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)

_SHORT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
}


def read_certificates(data: bytes, where: str = "certificates") -> tuple[Certificate, ...]:
    """All certificates of PEM text, or the one of a DER file, in their order, each once.

    Raises ParseError where there is none, where one cannot be read, and beyond `MOST`.
    """
    try:
        with warnings.catch_warnings():  # old roots have serial number 0; nobody here can mend that
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            unique = tuple(dict.fromkeys(_loaded(data)))
            for certificate in unique:  # read lazily, and what it raises belongs here
                _ = certificate.subject, certificate.issuer, certificate.extensions
                _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (ValueError, *_ODDITIES) as error:
        raise ParseError(where, "", f"expected X.509 certificates, PEM or DER ({error})") from None
    if len(unique) > MOST:
        raise ParseError(where, str(len(unique)), f"expected {MOST} certificates at most")
    return unique


def _loaded(data: bytes) -> list[Certificate]:
    if b"-----BEGIN" not in data:
        return [x509.load_der_x509_certificate(data)]
    found = x509.load_pem_x509_certificates(data)
    if len(found) != len(_BEGINS.findall(data)):
        raise ValueError("one is cut off")
    return found


def pem_of(certificates: Iterable[Certificate]) -> bytes:
    """The inverse: PEM text of certificates, in their order."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def words(name: x509.Name) -> str:
    """A distinguished name in one short piece: its CN, or all of it where there is none, or nothing."""
    common = [str(part.value) for part in name.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if common:
        return f"CN={plain(common[0])}"
    parts = (f"{_SHORT.get(part.oid, part.oid.dotted_string)}={plain(str(part.value))}" for part in name)
    return ", ".join(parts)


def called(certificate: Certificate) -> str:
    """What a certificate is called in a sentence; by its serial number where it has no sound name."""
    try:
        name = words(certificate.subject)
    except ValueError:
        name = ""
    return name or f"serial {certificate.serial_number:X}"


def plain(text: str) -> str:
    """A name a stranger wrote, fit for one line of a log: bounded, without control characters."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:200])
    return shown if len(text) <= 200 else shown + "..."


def fingerprint(certificate: Certificate) -> str:
    """SHA-256 of the certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def self_signed(certificate: Certificate) -> bool:
    """Whether it names itself, and its own key, as its issuer, as roots do (RFC 5280 §3.2)."""
    if certificate.subject != certificate.issuer:
        return False
    return issuer_key_id(certificate) in (b"", key_id(certificate))


def key_id(certificate: Certificate) -> bytes:
    """Its own key's identifier (RFC 5280 §4.2.1.2); b"" where it says none."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return b""


def issuer_key_id(certificate: Certificate) -> bytes:
    """The identifier of the key that signed it (RFC 5280 §4.2.1.1); b"" where it says none."""
    try:
        value = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except x509.ExtensionNotFound:
        return b""
    return value.key_identifier or b""
