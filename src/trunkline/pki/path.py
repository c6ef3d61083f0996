"""From a peer's certificate to a root: every way there is, tried in the order of trust (RFC 5280 §6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from trunkline.pki.certificate import Certificate, issuer_key_id, key_id, self_signed
from trunkline.pki.store import TrustStore

LONGEST = 10  # certificates from the leaf to the root
SENT = 16  # certificates of a peer that are looked at
_TRIES = 64  # signatures checked for one peer: it may send a maze

WEAK_HASHES = frozenset({"md5", "sha1"})


@dataclass(frozen=True, slots=True)
class Path:
    """Leaf first. `anchored`: it ends in a trusted root. `forged`: the last one's issuer did not sign it."""

    certificates: tuple[Certificate, ...]
    anchored: bool
    forged: bool = False


@dataclass(slots=True)
class _Search:
    sent: tuple[Certificate, ...]
    store: TrustStore
    tries: int = _TRIES
    ends: list[Path] = field(default_factory=list)

    def walk(self, path: tuple[Certificate, ...]) -> Iterator[Path]:
        """Depth first: paths that reach a root are yielded, dead ends kept in `ends`."""
        tip = path[-1]
        if self.store.trusts(tip):
            yield Path(path, True)
            return
        issuers = [c for c in self._candidates(tip) if c not in path]
        signers = []
        for issuer in issuers:
            if self.tries > 0 and len(path) < LONGEST:
                self.tries -= 1
                if signed_by(tip, issuer):
                    signers.append(issuer)
        if not signers:
            forged = bool(issuers) and self.tries > 0 and len(path) < LONGEST
            self.ends.append(Path(path, False, forged))
        for issuer in signers:
            yield from self.walk((*path, issuer))

    def _candidates(self, tip: Certificate) -> list[Certificate]:
        if self_signed(tip):
            return []
        name, wanted = tip.issuer, issuer_key_id(tip)
        everywhere = (
            *self.store.roots_called(name),
            *(c for c in self.sent if c.subject == name),
            *self.store.intermediates_called(name),
        )
        held = ((c, key_id(c)) for c in dict.fromkeys(everywhere))
        return [c for c, key in held if not wanted or not key or key == wanted]


def paths(sent: Sequence[Certificate], store: TrustStore) -> list[Path]:
    """Every path from `sent[0]` to a root, those by the store's own certificates first.

    Without any, one path that does not arrive: the longest. Raises ValueError where an
    extension cannot be read.
    """
    search = _Search(tuple(sent[1:SENT]), store)
    found = list(search.walk((sent[0],)))
    return found or [max(search.ends, key=lambda path: len(path.certificates))]


def signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether the issuer's key signed it.

    A signature by a hash nobody should believe (SHA-1, MD5) counts as one, unread: the
    judge refuses the certificate for its hash, which is what there is to mend.
    """
    try:
        digest = certificate.signature_hash_algorithm
        if digest is not None and digest.name in WEAK_HASHES:
            return True
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
