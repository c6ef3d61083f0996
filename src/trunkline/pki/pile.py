"""A pile of files as CAs and installers hand them over: certificates, keys, requests in any form and order.

PEM (any number of blocks), DER, PKCS #7 (.p7b) and PKCS #12 (.p12, .pfx) are told apart by their
contents, never by their names. Bounds: 1 MB a file, 1,000 certificates in all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, pkcs7, pkcs12

from trunkline.finding import ParseError
from trunkline.pki.certificate import MOST, Certificate
from trunkline.pki.key import Key

FILE_MAX: Final = 1 << 20  # bytes

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 #]{1,40})-----[^-]{0,1048576}-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pile:
    """What was found, each once, in the order of the files; `requests` are PEM or DER texts as they came."""

    certificates: tuple[Certificate, ...] = ()
    keys: tuple[Key, ...] = ()
    requests: tuple[bytes, ...] = ()

    def key_of(self, certificate: Certificate) -> Key | None:
        """The key of the pile that a certificate is for."""
        return next((key for key in self.keys if key.fits(certificate)), None)


def read_pile(files: Iterable[tuple[str, bytes]], password: bytes = b"") -> Pile:
    """Read files, each a name (for the error) and its bytes; `password` opens PKCS #12 and encrypted keys.

    Raises ParseError for a file in which nothing is found, or that cannot be opened.
    """
    certificates: dict[Certificate, None] = {}
    keys: list[Key] = []
    requests: list[bytes] = []
    for name, data in files:
        if len(data) > FILE_MAX:
            raise ParseError(name, str(len(data)), f"expected a file of {FILE_MAX} bytes at most")
        held = _blocks(name, data, password) if b"-----BEGIN" in data else _binary(name, data, password)
        certificates.update(dict.fromkeys(held.certificates))
        keys += [key for key in held.keys if not any(_same(key, other) for other in keys)]
        requests += [request for request in held.requests if request not in requests]
        if len(certificates) > MOST:
            raise ParseError(name, str(len(certificates)), f"expected {MOST} certificates at most")
    return Pile(tuple(certificates), tuple(keys), tuple(requests))


def _same(one: Key, other: Key) -> bool:
    return one.private.public_key() == other.private.public_key()


def _blocks(name: str, data: bytes, password: bytes) -> Pile:
    """Every block of a PEM file."""
    certificates: list[Certificate] = []
    keys: list[Key] = []
    requests: list[bytes] = []
    blocks = list(_BLOCK.finditer(data))
    if len(blocks) != data.count(b"-----BEGIN "):
        raise ParseError(name, "", "expected PEM blocks, each with its END line: one is cut off")
    for block in blocks:
        label, text = block[1], block[0] + b"\n"
        try:
            if label in (b"CERTIFICATE", b"X509 CERTIFICATE"):
                plain = text.replace(label, b"CERTIFICATE")
                certificates.append(_read(x509.load_pem_x509_certificate(plain)))
            elif label in (b"PKCS7", b"CMS"):
                certificates += map(_read, pkcs7.load_pem_pkcs7_certificates(text.replace(b"CMS", b"PKCS7")))
            elif label.endswith(b"CERTIFICATE REQUEST"):
                requests.append(text)
            elif label.endswith(b"PRIVATE KEY"):
                keys.append(Key.parse(text, password if _sealed(text) else b""))
        except (ValueError, UnsupportedAlgorithm) as error:
            if isinstance(error, ParseError):
                raise ParseError(name, "", f"{error.where}: {error.expected}") from None
            raise ParseError(name, label.decode(), f"expected one that can be read ({error})") from None
    if not (certificates or keys or requests):
        raise ParseError(name, "", "expected certificates, keys or requests")
    return Pile(tuple(certificates), tuple(keys), tuple(requests))


def _sealed(text: bytes) -> bool:
    return b"ENCRYPTED" in text


def _binary(name: str, data: bytes, password: bytes) -> Pile:
    """A file without PEM armour: whichever of the forms it is."""
    certificate = _tried(x509.load_der_x509_certificate, data)
    if certificate is not None:
        return Pile((_read(certificate),))
    seven = _tried(pkcs7.load_der_pkcs7_certificates, data)
    if seven:
        return Pile(tuple(map(_read, seven)))
    key = _tried(lambda raw: load_der_private_key(raw, password or None), data)
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return Pile(keys=(Key(key),))
    request = _tried(x509.load_der_x509_csr, data)
    if request is not None:
        return Pile(requests=(data,))
    return _twelve(name, data, password)


def _twelve(name: str, data: bytes, password: bytes) -> Pile:
    """PKCS #12 (RFC 7292), the last guess: it cannot be told from noise without its password."""
    try:
        held = pkcs12.load_pkcs12(data, password or None)
    except ValueError as error:
        if "password" in str(error).lower():
            raise ParseError(name, "", "expected the right password for this PKCS #12 file") from None
        raise ParseError(
            name, "", "expected a certificate, key, request, PKCS #7 or PKCS #12, as PEM or DER"
        ) from None
    first = [held.cert.certificate] if held.cert else []
    private = held.key
    keys = (Key(private),) if isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else ()
    return Pile((*map(_read, first), *(_read(one.certificate) for one in held.additional_certs)), keys)


def _tried(read: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return read(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _read(certificate: Certificate) -> Certificate:
    """The certificate, its extensions read: they are read late otherwise, and raise then."""
    certificate.extensions  # noqa: B018
    return certificate
