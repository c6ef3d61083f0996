"""The certificates of a lab: two throwaway authorities, the carrier's and the customer's, as PEM files.

Each side trusts the other's root and its own (CERT-3); the files stand in the lab's
own folder and go with it.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from trunkline.aio import clock
from trunkline.carrier.sbc import fqdn
from trunkline.lab.authority import Authority
from trunkline.pki.certificate import pem_of
from trunkline.pki.identity import Identity
from trunkline.site.model import CertificateFiles, Certificates, Site


def certified(site: Site, folder: Path) -> Site:
    """The same site with certificates of its own: its FQDN's, and one for each access SBC."""
    at = datetime.fromtimestamp(clock.civil_ns() / 1e9, UTC)
    customer, carrier = Authority.make("Lab Customer", at), Authority.make("Lab Carrier", at)
    trust = tuple(str(_written(folder / f"{name}-ca.pem", authority.pem)) for name, authority in
                  (("customer", customer), ("carrier", carrier)))  # fmt: skip
    ours = _files(folder, "ipbx", customer.issue(site.interfaces.eth0.domain_name))
    sbcs = tuple(
        sbc.model_copy(update={"certificate": _files(folder, f"sbc{place}", carrier.issue(fqdn(site, sbc)))})
        for place, sbc in enumerate(site.carrier.sbcs[: len(site.trunk.gateways)], start=1)
    )
    return site.model_copy(
        update={
            "certificates": Certificates(public_server=ours, trust=trust),
            "carrier": site.carrier.model_copy(update={"sbcs": sbcs, "trust": trust}),
        }
    )


def _files(folder: Path, name: str, identity: Identity) -> CertificateFiles:
    chain = _written(folder / f"{name}.pem", pem_of(identity.chain))
    return CertificateFiles(
        certificate=str(chain), key=str(_written(folder / f"{name}.key", identity.key.pem()))
    )


def _written(path: Path, data: bytes) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return path
