"""From a pile to what is installed: which certificate is ours, its chain in order, what is wrong with it.

What public CAs deliver differs from what was asked for: another subject (they vouch for no O and OU), an
intermediate in a file of its own, the root among them. None of that is an error; a missing
intermediate, another name, another key are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from trunkline.finding import said
from trunkline.pki.certificate import Certificate, called, self_signed
from trunkline.pki.chain import POLICY, judge
from trunkline.pki.judgement import Check, Fault, Judgement, Policy, Role
from trunkline.pki.key import Key
from trunkline.pki.names import domain, names_of
from trunkline.pki.path import paths
from trunkline.pki.pile import Pile
from trunkline.pki.store import TrustStore

_NOTHING: Final = Judgement()


@dataclass(frozen=True, slots=True)
class Assembly:
    """Our certificate with its chain, leaf first, the root (where it is at hand) last, judged both ways.

    `server` and `client` are the judgements as either role (the EKU tells them apart); `faults` are those of
    the pile: no key, a key that does not fit, nothing that could be ours.
    """

    chain: tuple[Certificate, ...] = ()
    root: Certificate | None = None
    key: Key | None = None
    server: Judgement = _NOTHING
    client: Judgement = _NOTHING
    faults: tuple[Fault, ...] = ()

    @property
    def leaf(self) -> Certificate | None:
        return self.chain[0] if self.chain else None

    @property
    def every_fault(self) -> tuple[Fault, ...]:
        """All faults, each once, the pile's first."""
        return tuple(dict.fromkeys((*self.faults, *self.server.faults, *self.client.faults)))


def assemble(
    pile: Pile,
    store: TrustStore,
    at: datetime,
    name: str,
    *,
    keys: Sequence[Key] = (),
    policy: Policy = POLICY,
    believe_roots: bool = False,
) -> Assembly:
    """Build the chain of the certificate for `name` and judge it at the civil time `at` (aware).

    `keys` are those that wait for their certificate, beside the pile's own. `believe_roots` takes the
    pile's self-signed CAs for trusted: of our own chain it is the other side that must believe the root.
    """
    held = (*keys, *pile.keys)
    leaf, key = _ours(pile.certificates, held, name)
    if leaf is None:
        says = said("no certificate that could be this system's is in the files",
                    "aucun certificat des fichiers ne peut être celui de ce système")  # fmt: skip
        mend = said("add the certificate that the CA issued", "ajoutez le certificat que l'AC a délivré")
        return Assembly(faults=(Fault(Check.PRESENT, "", says, mend),))
    others = [one for one in pile.certificates if one is not leaf]
    if believe_roots:
        roots = tuple(one for one in others if self_signed(one))
        store = TrustStore((*store.roots, *roots), store.intermediates)
    sent = (leaf, *others)
    found = paths(sent, store)[0].certificates
    names = (name,) if name else None
    server = judge(sent, store, at, role=Role.SERVER, names=names, policy=policy)
    client = judge(sent, store, at, role=Role.CLIENT, names=names, policy=policy)
    root = found[-1] if len(found) > 1 and self_signed(found[-1]) else None
    chain = found[:-1] if root is not None else found
    return Assembly(chain, root, key, server, client, tuple(_about_key(leaf, key, held)))


def _ours(
    certificates: Sequence[Certificate], keys: Sequence[Key], name: str
) -> tuple[Certificate | None, Key | None]:
    """The certificate that a key is for; else the one that names us, else the only one that is no CA."""
    for key in keys:
        fitting = [one for one in certificates if key.fits(one)]
        if fitting:
            return max(fitting, key=lambda one: one.not_valid_after_utc), key
    leaves = [one for one in certificates if not is_authority(one)]
    held = [one for one in certificates if name and domain(name) in _domains(one)]
    named = [one for one in held if not is_authority(one)] or held  # one that signed itself counts as a CA
    if named:
        return max(named, key=lambda one: one.not_valid_after_utc), None
    return (leaves[0], None) if len(leaves) == 1 else (None, None)


def _domains(certificate: Certificate) -> tuple[str, ...]:
    try:
        names = names_of(certificate)
    except ValueError:
        return ()
    return (*names.dns, names.common_name)


def _about_key(leaf: Certificate, key: Key | None, keys: Sequence[Key]) -> list[Fault]:
    if key is not None or not keys:
        return []
    says = said("is of another key than the one at hand", "correspond à une autre clé que celle en place")
    mend = said(
        "have it issued for the request that is pending; a key that was made anew orphans its certificate",
        "faites-le délivrer pour la demande en cours ; une clé régénérée rend son certificat orphelin",
    )
    return [Fault(Check.KEY, called(leaf), says, mend)]


def is_authority(certificate: Certificate) -> bool:
    """Whether a certificate may sign others (RFC 5280 §4.2.1.9); a self-signed one without extensions may."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return self_signed(certificate)


def as_issued(leaf: Certificate, asked: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The parts of the subject that were asked for and not issued, as "O=OmniPCX Office"."""
    issued = {str(part.value) for part in leaf.subject}
    return tuple(f"{word}={value}" for word, value in asked if value not in issued)
