"""The judgement of a peer's certificate at a given civil time: who it is, and all that is wrong with it.

The same judge serves the TLS driver, the simulation's stand-in for it, the rules and
the live checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from trunkline.finding import said
from trunkline.pki.certificate import Certificate, called, plain
from trunkline.pki.checks import anchor, authority, critical, dates, named, purpose, signs, strength
from trunkline.pki.constraints import broken
from trunkline.pki.judgement import Check, Fault, Judgement, Policy, Role
from trunkline.pki.names import matching, names_of
from trunkline.pki.path import Path, paths
from trunkline.pki.store import TrustStore

POLICY = Policy()


def judge(
    sent: Sequence[Certificate],
    store: TrustStore,
    at: datetime,
    *,
    role: Role,
    names: Sequence[str] | None,
    policy: Policy = POLICY,
) -> Judgement:
    """Judge what a peer sent, its own certificate first, at the civil time `at` (aware).

    `names` are those of which it must bear one; None asks for none. Of several paths to
    a root one without fault is taken, whatever is wrong with the others.
    """
    if not sent:
        none = said("no certificate was presented", "aucun certificat n'a été présenté")
        missing = Fault(
            Check.PRESENT, "", none, said("have the peer present its own", "faites présenter le sien au pair")
        )
        return Judgement(faults=(missing,))
    leaf = sent[0]
    try:
        own = names_of(leaf)
        matched = (
            ()
            if names is None
            else matching(own, names, wildcard=policy.wildcard, common_name=policy.common_name)
        )
        about_leaf = [
            *signs(leaf),
            *purpose(leaf, role, policy),
            *named(leaf, own, names, matched, policy),
        ]
        judged = [(path, _along(path, at, role, policy)) for path in paths(sent, store)]
    except ValueError as error:  # cryptography reads extensions late
        says = said("cannot be read ({why})", "ne peut pas être lu ({why})", why=plain(str(error)))
        mend = said("have it issued anew", "faites-le délivrer à nouveau")
        return Judgement((leaf,), faults=(Fault(Check.READABLE, called(leaf), says, mend),))
    path, faults = min(judged, key=lambda one: len(one[1]))
    ordered = sorted([*faults, *about_leaf], key=lambda fault: _ORDER[fault.check])
    return Judgement(path.certificates, own, matched, tuple(ordered))


_ORDER = {check: place for place, check in enumerate(Check)}


def _along(path: Path, at: datetime, role: Role, policy: Policy) -> list[Fault]:
    """Everything wrong on one path, the leaf's purpose and names aside."""
    faults = [*anchor(path)]
    last = len(path.certificates) - 1
    for place, certificate in enumerate(path.certificates):
        root = path.anchored and place == last
        if place:
            faults += authority(certificate, place, root)
        faults += dates(certificate, at)
        faults += strength(certificate, root)
        faults += critical(certificate)
        if place and not root:  # a CA for servers only may not vouch for clients, and the reverse
            faults += purpose(certificate, role, policy)
    leaf = called(path.certificates[0])
    if limit := broken(path.certificates):
        faults.append(
            Fault(
                Check.AUTHORITY,
                leaf,
                limit,
                said("have another CA sign it", "faites-le signer par une autre AC"),
            )
        )
    return [
        fault
        if fault.certificate == leaf
        else replace(fault, certificate=f"{fault.certificate} above {leaf}")
        for fault in faults
    ]
