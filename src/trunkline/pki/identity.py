"""What we present: our certificate with its chain, and its key (CERT-2)."""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.finding import ParseError
from trunkline.pki.certificate import Certificate, called, read_certificates, self_signed
from trunkline.pki.key import Key
from trunkline.pki.path import LONGEST, signed_by


@dataclass(frozen=True, slots=True)
class Identity:
    """`chain` is leaf first, each next one the issuer of the one before; a root is not sent."""

    chain: tuple[Certificate, ...]
    key: Key

    @classmethod
    def parse(cls, certificates: bytes, key: bytes, password: bytes = b"") -> Identity:
        """Read PEM files, the certificates in any order. Raises ParseError where none is of the key."""
        held, private = read_certificates(certificates), Key.parse(key, password)
        leaf = next((one for one in held if private.fits(one)), None)
        if leaf is None:
            raise ParseError("certificate", called(held[0]), "expected the certificate of the private key")
        return cls(chain_of(leaf, held), private)

    @property
    def leaf(self) -> Certificate:
        return self.chain[0]

    @property
    def called(self) -> str:
        """What our certificate is called in a sentence."""
        return called(self.leaf)


def chain_of(leaf: Certificate, held: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
    """The leaf and what of `held` leads up from it, each the issuer of the one before, without a root."""
    chain = [leaf]
    while len(chain) < LONGEST and (issuer := _issuer(chain[-1], held)) is not None and issuer not in chain:
        chain.append(issuer)
    return tuple(one for one in chain if one is leaf or not self_signed(one))


def _issuer(certificate: Certificate, held: tuple[Certificate, ...]) -> Certificate | None:
    if self_signed(certificate):
        return None
    named = (one for one in held if one.subject == certificate.issuer)
    return next((one for one in named if signed_by(certificate, one)), None)
