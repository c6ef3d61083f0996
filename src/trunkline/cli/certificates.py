"""The certificate files of a site, read and judged, and what they and tab Security make of TLS.

What cannot be used is a MUST finding. What a peer would refuse (expired, another name,
an issuer nobody knows) is told as a SHOULD: phones and everything else still work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from trunkline.aio.stream import Upkeep
from trunkline.aio.tls import Terms, TlsContext
from trunkline.aio.tls_stream import Parties
from trunkline.cli.bounded import Unread, contents
from trunkline.cli.guides import NoFacts, facts_of
from trunkline.finding import Finding, Level, ParseError
from trunkline.guide.facts import Facts
from trunkline.pbx.exchange import Listen
from trunkline.pki.chain import judge
from trunkline.pki.identity import Identity
from trunkline.pki.judgement import ClientEku, Policy, Role
from trunkline.pki.names import domain, names_of
from trunkline.pki.pile import FILE_MAX
from trunkline.pki.store import TrustStore
from trunkline.site.gateway import Gateway
from trunkline.site.model import CertificateFiles, Site

_NEWEST: Final = "1.3"
_SUITES_1_3: Final = (0x1302, 0x1301, 0x1303)  # RFC 8446 §9.1
_SUITES_1_2: Final = (0xC030, 0xC02F, 0xC02C, 0xC02B)  # RFC 9325 §4.2.1
# RFC 5626 §4.4.1 has us ping within 120 s, and give up without a pong only where that was negotiated:
# a peer that is gone is noticed by what TCP and OPTIONS no longer get through.
UPKEEP: Final = Upkeep(ping=95.0, pong=0.0, reopen=2.0)


@dataclass(frozen=True, slots=True)
class Papers:
    """Our certificates, whom we trust, and the guide's word on both."""

    trunk: Identity
    phones: Identity
    trust: TrustStore
    facts: Facts  # of the guide that says how they are used

    def shown(self) -> list[dict[str, Any]]:
        """For `trunkline status`."""
        said = []
        for side, identity in (("trunk", self.trunk), ("phones", self.phones)):
            leaf = identity.leaf
            names, until = list(names_of(leaf).shown), leaf.not_valid_after_utc.strftime("%Y-%m-%d")
            said.append({"side": side, "certificate": identity.called, "names": names, "until": until})
        return said


def read(site: Site, folder: Path, at: datetime) -> tuple[Papers | None, tuple[Finding, ...]]:
    """The papers of a site whose file stands in `folder`, judged at the civil time `at`, and all findings.

    None where the site names none, or a file cannot be used.
    """
    wanted = site.certificates
    if wanted is None:
        return None, ()
    findings: list[Finding] = []
    trunk = identity_of("certificates.public_server", wanted.public_server, folder, findings)
    phones = trunk
    if wanted.phones is not None:
        phones = identity_of("certificates.phones", wanted.phones, folder, findings)
    trust = trust_of("certificates.trust", wanted.trust, folder, findings)
    try:
        facts = facts_of(site, folder)
    except NoFacts as error:
        return None, (*findings, error.finding())
    if trunk is None or phones is None or trust is None:
        return None, tuple(findings)
    own = site.interfaces.eth0.domain_name
    for place, identity in {"certificates.public_server": trunk, "certificates.phones": phones}.items():
        if place == "certificates.phones" and phones is trunk:
            continue
        names = (own,) if own else None
        judged = judge(identity.chain, trust, at, role=Role.SERVER, names=names)
        findings += [replace(fault, level=Level.SHOULD) for fault in judged.findings(place)]
    return Papers(trunk, phones, trust, facts), tuple(findings)


def secured(site: Site, papers: Papers | None) -> dict[tuple[str, int], Parties]:
    """The TLS ports of a site's IPBX, and who may be spoken to over each."""
    listen, found = Listen(site), dict[tuple[str, int], Parties]()
    if papers is None:
        return found
    if (local := listen.phones.get("TLS")) is not None:
        found[local] = phone_parties(site, papers)
    if (local := listen.trunk.get("TLS")) is not None:
        found[local] = trunk_parties(site, papers)
    return found


def trunk_parties(site: Site, papers: Papers) -> Parties:
    """TLS with the access SBCs: each is asked for its own name, and known by it when it calls in."""
    facts = papers.facts
    gateways = {name_of(gateway): gateway for gateway in site.trunk.gateways}
    return Parties(
        _terms(site, papers.trunk, papers.trust, facts, site.trunk.gateways),
        tuple(gateways),
        {
            name: _terms(site, papers.trunk, papers.trust, facts, (gateway,))
            for name, gateway in gateways.items()
        },
    )


def phone_parties(site: Site, papers: Papers) -> Parties:
    """TLS with the phones: they check our certificate and log in with their password."""
    terms = _terms(site, papers.phones, papers.trust, papers.facts, site.trunk.gateways)
    return Parties(replace(terms, mutual=False))


def name_of(gateway: Gateway) -> str:
    """What the certificate of a gateway's SBC must name."""
    return domain(gateway.domain_proxy.outbound_proxy or gateway.domain_proxy.target_domain)


def _terms(
    site: Site, identity: Identity, trust: TrustStore, facts: Facts, gateways: Sequence[Gateway]
) -> Terms:
    """The terms that suit all these gateways: who calls in is judged before its name is known."""
    tabs = [gateway.security for gateway in gateways]
    policy = Policy(
        client_eku=min((ClientEku(tab.peer_client_eku) for tab in tabs), key=list(ClientEku).index),
        wildcard=all(tab.wildcard_names for tab in tabs),
        common_name=all(tab.common_name for tab in tabs),
    )
    bounded = site.product.model == "OCE" and facts.known("tls.versions_oce")
    spoken = facts.words("tls.versions_oce")[-1] if bounded else _NEWEST
    return Terms(
        identity,
        trust,
        *suites_of(facts),
        most=max(tab.tls_max or spoken for tab in tabs),
        mutual=any(tab.mutual_authentication for tab in tabs),
        policy=policy,
    )


def suites_of(facts: Facts) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The suites of TLS 1.3 and of TLS 1.2, best first: the guide's, or the RFCs' where it names none."""
    newer = facts.numbers("tls.suites_1_3", _SUITES_1_3)
    older = facts.numbers("tls.suites_1_2", _SUITES_1_2)
    if facts.known("tls.suite_preferred"):  # in front, wherever the guide's table has it
        older = tuple(sorted(older, key=lambda suite: suite != facts.number("tls.suite_preferred")))
    return newer, older


def identity_of(
    place: str, files: CertificateFiles, folder: Path, findings: list[Finding]
) -> Identity | None:
    """A certificate, its chain and its key, as named at the key `place`; None, and a finding, if unusable."""
    certificate = _contents(f"{place}.certificate", files.certificate, folder, findings)
    key = certificate
    if files.key:
        key = _contents(f"{place}.key", files.key, folder, findings)
    if certificate is None or key is None:
        return None
    try:
        identity = Identity.parse(certificate, key)
        TlsContext(Terms(identity, TrustStore(), (), _ANY_SUITE), server=True)  # OpenSSL takes it, too
        return identity
    except ParseError as error:
        findings.append(_finding(place, str(error), "name a certificate, its chain and its own key, as PEM"))
        return None


_ANY_SUITE: Final = (0xC030, 0xC02C)  # for RSA and for EC keys


def trust_of(key: str, files: Sequence[str], folder: Path, findings: list[Finding]) -> TrustStore | None:
    """The roots and intermediates named at `key`; None, and findings, where a file cannot be used."""
    held = []
    for index, file in enumerate(files):
        place = f"{key}.{index}"
        data = _contents(place, file, folder, findings)
        if data is None:
            continue
        try:
            TrustStore.parse(data)
        except ParseError as error:
            findings.append(_finding(place, f"{file}: {error}", "name a PEM file of roots and intermediates"))
        else:
            held.append(data)
    return TrustStore.parse(*held) if len(held) == len(files) else None


def _contents(place: str, file: str, folder: Path, findings: list[Finding]) -> bytes | None:
    mend = "check its name and rights; its path counts from the site file's folder"
    try:
        return contents(folder / file, FILE_MAX)
    except Unread as error:
        says = f"the file {file} is too long to be a certificate"
        if not error.long:
            says = f"the file {file} cannot be read: {error.why}"
        findings.append(_finding(place, says, mend))
        return None


def _finding(place: str, says: str, mend: str) -> Finding:
    return Finding("PKI-1", Level.MUST, place, says, mend, "certificate files")
