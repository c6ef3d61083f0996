"""The certificate signing request (PKCS #10, RFC 2986) that a public CA is sent (CERT-1)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from trunkline.finding import ParseError
from trunkline.pki.key import RSA_BITS, Key

_OIDS: dict[str, ObjectIdentifier] = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
_WORDS = {oid: word for word, oid in _OIDS.items()}


@dataclass(frozen=True, slots=True)
class Request:
    """What a request says: the subject's parts in their order, and the names asked for.

    `subject` is pairs such as ("L", "Generic"), ("CN", "pbx.example.com"); `dns` are the
    dNSNames of the subjectAltName. `bits` is the size of the RSA key, 0 for another kind.
    """

    subject: tuple[tuple[str, str], ...]
    dns: tuple[str, ...]
    bits: int = RSA_BITS

    @classmethod
    def of(cls, *subject: tuple[str, str]) -> Request:
        """The request for one name: the subjectAltName repeats the CN. Raises ParseError."""
        common = [value for word, value in subject if word == "CN"]
        if len(common) != 1 or not common[0]:
            raise ParseError("subject", str(len(common)), "expected one CN")
        return cls(tuple(subject), (common[0],))

    @classmethod
    def parse(cls, pem: bytes) -> Request:
        """Read a request back, its own signature verified. Raises ParseError."""
        try:
            read = x509.load_pem_x509_csr(pem)
            key, extensions = read.public_key(), read.extensions
            signed = read.is_signature_valid
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ParseError("request", "", f"expected a PEM certificate request ({error})") from None
        if not signed:
            raise ParseError("request", "", "expected a request signed by its own key")
        try:
            names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            dns = tuple(names.get_values_for_type(x509.DNSName))
        except x509.ExtensionNotFound:
            dns = ()
        subject = tuple(
            (_WORDS.get(part.oid, part.oid.dotted_string), str(part.value)) for part in read.subject
        )
        return cls(subject, dns, key.key_size if isinstance(key, rsa.RSAPublicKey) else 0)

    def signed(self, key: Key) -> bytes:
        """PEM of this request, signed with SHA-256 by the key it is for. Raises ParseError."""
        if key.kind != "RSA" or key.bits < self.bits:
            raise ParseError("private key", repr(key), f"expected RSA of {self.bits} bits or more")
        try:
            subject = x509.Name([x509.NameAttribute(_OIDS[word], value) for word, value in self.subject])
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in self.dns])
        except KeyError as error:
            raise ParseError("subject", str(error.args[0]), f"expected one of {', '.join(_OIDS)}") from None
        except ValueError as error:
            raise ParseError("subject", "", f"expected parts that fit a certificate ({error})") from None
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        made = builder.add_extension(names, critical=False).sign(key.private, hashes.SHA256())
        return made.public_bytes(Encoding.PEM)
