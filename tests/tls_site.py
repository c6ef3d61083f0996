"""Two authorities, the names they sign for, and the guide's terms: what every TLS test needs, made once."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from trunkline.aio.keys import new_key
from trunkline.aio.tls import Terms
from trunkline.guide.facts import shipped
from trunkline.lab.authority import Authority, Bad
from trunkline.pki.certificate import pem_of
from trunkline.pki.identity import Identity
from trunkline.pki.key import Key

SBC, PBX = "sbc1.carrier.example", "pbx.customer.example"
NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - openssl judges by the machine's clock too

_facts = shipped()["business-talk-oxo-6.x"]
NEWER, OLDER = _facts.numbers("tls.suites_1_3"), _facts.numbers("tls.suites_1_2")


@cache
def _leaf_key(bits: int) -> Key:
    return new_key(bits)


@cache
def authority(name: str) -> Authority:
    """A CA by its name: Carrier, Customer, or any other."""
    return Authority.make(name, NOW)


@cache
def identity(name: str, bad: Bad | None = None) -> Identity:
    """The certificate of the SBC (by the carrier's CA) or the IPBX (by the customer's), good or bad."""
    signer = authority("Carrier" if name == SBC else "Customer")
    if bad is Bad.WRONG_CA:
        return authority("Stranger").issue(name, key=_leaf_key(2048))
    return signer.issue(name, key=_leaf_key(2048)) if bad is None else signer.issue_bad(bad, name)


def terms(name: str, bad: Bad | None = None, **changed: Any) -> Terms:
    """The terms of the SBC or the IPBX: its own certificate, and trust in the other's CA alone."""
    trust = authority("Customer" if name == SBC else "Carrier").store
    knobs: dict[str, Any] = {"identity": identity(name, bad), "trust": trust}
    knobs |= {"suites_1_3": NEWER, "suites_1_2": OLDER}
    return Terms(**(knobs | changed))


def files(directory: Path, held: Identity, stem: str) -> tuple[Path, Path, Path]:
    """The identity's leaf, the rest of its chain and its key as PEM files."""
    leaf, chain, key = (directory / f"{stem}-{part}.pem" for part in ("leaf", "chain", "key"))
    leaf.write_bytes(pem_of(held.chain[:1]))
    chain.write_bytes(pem_of(held.chain[1:]))
    key.write_bytes(held.key.pem())
    return leaf, chain, key
