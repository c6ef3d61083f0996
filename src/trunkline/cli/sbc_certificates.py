"""The certificate files of a virtual access SBC, and what they make of TLS with its customer."""

from __future__ import annotations

from pathlib import Path

from trunkline.aio.tls import Terms
from trunkline.aio.tls_stream import Parties
from trunkline.cli.certificates import identity_of, suites_of, trust_of
from trunkline.cli.sitefile import Refused, placed
from trunkline.finding import Finding, Level
from trunkline.guide.facts import Facts
from trunkline.pki.names import domain
from trunkline.site.model import CarrierSbc, Site

_MEND = "name the PEM files in carrier.sbcs and carrier.trust; `trunkline lab` makes its own"


def parties(file: str, site: Site, sbc: CarrierSbc, facts: Facts) -> Parties:
    """TLS with the one customer: both show certificates, whoever connects, and its FQDN is asked for.

    TLS 1.2 and 1.3 with the guide's suites (TLS-1). Paths count from the site file's
    folder. Raises Refused for what is missing or cannot be used.
    """
    place, folder = f"carrier.sbcs.{site.carrier.sbcs.index(sbc)}", Path(file).parent
    findings: list[Finding] = []
    identity = trust = None
    if sbc.certificate is None:
        findings.append(_missing(place, f"the access SBC {sbc.label} has no certificate"))
    else:
        identity = identity_of(f"{place}.certificate", sbc.certificate, folder, findings)
    if site.carrier.trust:
        trust = trust_of("carrier.trust", site.carrier.trust, folder, findings)
    else:
        findings.append(_missing("carrier", "no root is trusted: every customer would be refused"))
    if identity is None or trust is None:
        raise Refused(file, placed(file, findings))
    name = site.interfaces.eth0.domain_name
    terms = Terms(identity, trust, *suites_of(facts))
    return Parties(terms, (name,), {domain(name): terms})


def _missing(place: str, says: str) -> Finding:
    return Finding("PKI-1", Level.MUST, place, says, _MEND, "certificate files")
