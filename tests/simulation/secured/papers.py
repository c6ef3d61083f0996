"""Certificates of the secured town: real ones, from keys that are the same in every process.

A seed must replay to the byte, and what is said of a refused certificate names keys; so
nothing is drawn here. Elliptic-curve keys cost no time to make.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

from trunkline.lab.authority import Authority, Bad
from trunkline.pki.identity import Identity
from trunkline.pki.key import Key

EPOCH = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)  # the civil time of virtual time 0
RUNS_OUT = 45.0  # seconds after which a certificate of kind "runs out" expires
KINDS = ("expired", "early", "wrong name", "wrong CA", "no intermediate", "none")  # what a peer refuses
CARRIER, CUSTOMER, STRANGER = "Carrier", "Customer", "Stranger"
_BAD = {
    "expired": Bad.EXPIRED,
    "early": Bad.EARLY,
    "wrong name": Bad.WRONG_NAME,
    "no intermediate": Bad.NO_INTERMEDIATE,
}


class _Keys:
    """Keys in turn, of an owner."""

    def __init__(self, owner: str) -> None:
        self.owner, self.turn = owner, 0

    def __call__(self, bits: int) -> Key:
        self.turn += 1
        number = int.from_bytes(sha256(f"{self.owner} {self.turn}".encode()).digest()) >> 1
        return Key(ec.derive_private_key(number, ec.SECP256R1()))


@cache
def authority(name: str) -> Authority:
    """The CA of that name, the same in every process."""
    return Authority.make(name, EPOCH, _Keys(name))


@cache
def identity(signer: str, name: str, kind: str = "good") -> Identity | None:
    """A certificate for `name`: "good", "renewed", "runs out", or one of KINDS; None where none is shown."""
    if kind == "none":
        return None
    if kind == "wrong CA":
        return authority(STRANGER).issue(name)
    if kind in _BAD:
        return authority(signer).issue_bad(_BAD[kind], name)
    until = EPOCH + timedelta(seconds=RUNS_OUT) if kind == "runs out" else None
    return authority(signer).issue(name, until=until)


def civil(now: float) -> datetime:
    """The civil time of a virtual one."""
    return EPOCH + timedelta(seconds=now)
