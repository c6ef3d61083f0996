"""Who a certificate speaks for, as SIP reads it (RFC 5922 §7): domains, compared whole.

Wildcards and the CN count only where a knob says so: the RFC forbids the first and
allows the second for certificates without any subjectAltName.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from trunkline.pki.certificate import Certificate, plain


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one certificate, lower-cased; `alternatives` says whether it has a subjectAltName."""

    dns: tuple[str, ...] = ()
    sip: tuple[str, ...] = ()
    common_name: str = ""
    alternatives: bool = False

    def domains(self, *, common_name: bool = False) -> tuple[str, ...]:
        """The SIP domains it speaks for: its sip: URIs, else its dNSNames, else (a knob) its CN.

        RFC 5922 §7.1: a dNSName counts if and only if no sip: URI is there, the CN only
        if there is no subjectAltName at all.
        """
        if self.alternatives:
            return self.sip or self.dns
        return (self.common_name,) if common_name and self.common_name else ()

    @property
    def shown(self) -> tuple[str, ...]:
        """Every name it bears, for the eye."""
        uris = tuple(f"sip:{domain}" for domain in self.sip)
        return (*self.dns, *uris) or ((f"CN={self.common_name}",) if self.common_name else ())


def names_of(certificate: Certificate) -> Names:
    """The names of a certificate. Raises ValueError where its extensions cannot be read."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    common_name = domain(plain(str(common[0].value))) if common else ""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Names(common_name=common_name)
    dns = tuple(domain(plain(name)) for name in names.get_values_for_type(x509.DNSName))
    uris = (sip_domain(plain(uri)) for uri in names.get_values_for_type(x509.UniformResourceIdentifier))
    return Names(dns, tuple(uri for uri in uris if uri), common_name, True)


def sip_domain(uri: str) -> str:
    """The domain of a `sip:` URI without a user part; "" for any other URI (RFC 5922 §7.1)."""
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme.lower() != "sip" or "@" in rest:
        return ""
    host = rest.partition("?")[0].partition(";")[0]
    return domain(host.partition(":")[0]) if not host.startswith("[") else ""


def domain(name: str) -> str:
    """A domain name as it is compared: lower case, A-labels, without the root's dot (RFC 5922 §7.2)."""
    name = name.removesuffix(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return name.lower()
    return name.lower()


def matching(
    names: Names, wanted: Iterable[str], *, wildcard: bool = False, common_name: bool = False
) -> tuple[str, ...]:
    """Those of `wanted` that the certificate speaks for, spelled as in `wanted`."""
    domains = names.domains(common_name=common_name)
    return tuple(name for name in wanted if any(_same(held, domain(name), wildcard) for held in domains))


def _same(held: str, wanted: str, wildcard: bool) -> bool:
    if held == wanted:
        return "*" not in held
    if not wildcard or not held.startswith("*."):
        return False
    first, dot, rest = wanted.partition(".")  # the star stands for one label, and for nothing less
    return bool(first and dot) and rest == held[2:] and "." in rest
