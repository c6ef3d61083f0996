"""The trust store: which roots are believed, and the intermediates that help to reach them (CERT-3).

A carrier changes its CA: a store holds several chains at a time, and a peer is
judged by whichever leads to a root of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509

from trunkline.pki.certificate import Certificate, read_certificates, self_signed


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Roots are trusted; intermediates are not, they only stand in for what a peer does not send."""

    roots: tuple[Certificate, ...] = ()
    intermediates: tuple[Certificate, ...] = ()
    _roots: dict[x509.Name, list[Certificate]] = field(init=False, repr=False, compare=False)
    _intermediates: dict[x509.Name, list[Certificate]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_roots", _by_subject(self.roots))
        object.__setattr__(self, "_intermediates", _by_subject(self.intermediates))

    @classmethod
    def parse(cls, *files: bytes) -> TrustStore:
        """Read PEM (or DER) files: what signed itself is a root. Raises ParseError."""
        found = dict.fromkeys(c for data in files for c in read_certificates(data, "trust store"))
        roots = tuple(certificate for certificate in found if self_signed(certificate))
        return cls(roots, tuple(certificate for certificate in found if not self_signed(certificate)))

    def __len__(self) -> int:
        return len(self.roots) + len(self.intermediates)

    def trusts(self, certificate: Certificate) -> bool:
        """Whether this very certificate is one of the roots."""
        return certificate in self._roots.get(certificate.subject, ())

    def roots_called(self, subject: x509.Name) -> list[Certificate]:
        """The roots of that name; CAs renew their roots under the old one."""
        return self._roots.get(subject, [])

    def intermediates_called(self, subject: x509.Name) -> list[Certificate]:
        """The intermediates of that name."""
        return self._intermediates.get(subject, [])


def _by_subject(certificates: Iterable[Certificate]) -> dict[x509.Name, list[Certificate]]:
    found: dict[x509.Name, list[Certificate]] = {}
    for certificate in certificates:
        found.setdefault(certificate.subject, []).append(certificate)
    return found
