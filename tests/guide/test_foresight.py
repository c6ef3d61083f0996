"""Certificate foresight: each rule passes and fails on certificates that differ in one thing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.example_site import FILE, INTERNET, edited
from tests.made_certificates import Made, alternatives, authority, key, made

from trunkline.finding import Finding, Level, told
from trunkline.guide.catalogue import placed
from trunkline.guide.facts import Facts, known_around, shipped
from trunkline.guide.foresight import RULES, Paper, foresee, named
from trunkline.guide.foresight_dates import lifetime_on
from trunkline.lab.authority import by_sha1
from trunkline.pki.certificate import pem_of
from trunkline.site.load import load

FACTS, PKI = shipped()["business-talk-oxo-6.x"], known_around()["pki"]
ROOT, INTERMEDIATE = FACTS.text("certificates.carrier_root"), FACTS.text("certificates.carrier_intermediate")
G2 = "DigiCert Global Root G2"
FQDN = "ipbx.customer.example"
CSR = (
    ("L", NameOID.LOCALITY_NAME),
    ("O", NameOID.ORGANIZATION_NAME),
    ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
FOR_EVER = datetime(2049, 1, 1, tzinfo=UTC)
BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """A site's papers on a day. The values here are good ones: nothing is told of them."""

    at: date = date(2026, 6, 1)
    since: date = date(2026, 5, 1)
    days: int = 90
    names: tuple[str, ...] = (FQDN,)
    common_name: str = FQDN
    key: str = "foresight"
    key_file: str = "foresight"
    subject: tuple[str, ...] = ("L", "O", "OU")
    uses: tuple[Any, ...] = (SERVER, CLIENT)
    ca: str = "Some Public Root"
    below: bool = True  # the intermediate stands in the file
    sha1: bool = False
    trust: tuple[str, ...] = (ROOT, INTERMEDIATE, G2, "own root", "own intermediate")
    trust_until: datetime = FOR_EVER
    absent: tuple[str, ...] = ()
    site: dict[str, Any] = field(default_factory=dict)

    def papers(self) -> dict[str, bytes]:
        """What each file holds, by the key that names it."""
        root, below = own_ca(self.ca)
        last = datetime.combine(self.since + timedelta(days=self.days), datetime.min.time(), UTC)
        parts = [
            x509.NameAttribute(oid, FACTS.text(f"certificates.subject_{word.lower()}"))
            for word, oid in CSR
            if word in self.subject
        ]
        extensions = [
            *(alternatives(*map(x509.DNSName, self.names)) if self.names else ()),
            (x509.ExtendedKeyUsage(self.uses), False),
        ]
        first = datetime.combine(self.since, datetime.min.time(), UTC)
        leaf = made(
            self.common_name, below, extensions, key_label=self.key, since=first, until=last, parts=parts
        )
        certificate = by_sha1(leaf.certificate, below.key) if self.sha1 else leaf.certificate
        chain = (certificate, below.certificate) if self.below else (certificate,)
        held = {"own root": root.certificate, "own intermediate": below.certificate}
        trusted = [held.get(name) or carrier(name, self.trust_until).certificate for name in self.trust]
        return {
            "certificates.public_server.certificate": pem_of(chain),
            "certificates.public_server.key": key(self.key_file).pem(),
            "certificates.trust.0": pem_of(trusted),
            "certificates.trust.1": pem_of(trusted[-1:]),
        }

    def findings(self, facts: Facts = FACTS) -> tuple[Finding, ...]:
        """What is told, notes and all."""
        loaded = load(edited(self.site, INTERNET), "site.yaml")
        assert loaded.site is not None
        held = self.papers()
        papers = [
            Paper(path, file, None if (at := ".".join(map(str, path))) in self.absent else held[at])
            for path, file in named(loaded.site)
        ]
        return placed(loaded, foresee(loaded.site, papers, facts, PKI, self.at), facts)


@cache
def own_ca(name: str) -> tuple[Made, Made]:
    root = made(name, extensions=authority(), key_label="own root", since=BEFORE, until=FOR_EVER)
    below = made(
        f"{name} TLS", root, authority(0), key_label="own intermediate", since=BEFORE, until=FOR_EVER
    )
    return root, below


@cache
def carrier(name: str, until: datetime) -> Made:
    signer = None if name != INTERMEDIATE else carrier(ROOT, until)
    return made(name, signer, authority(), key_label=name, since=BEFORE, until=until)


GOOD = Scene()
KEYS = tuple(GOOD.papers())
OWN = ("certificates.public_server.certificate", "certificates.public_server.key")
REQUIRE = {"trunk.gateways.1.security": {"sip_tls": "true", "srtp": "true", "peer_client_eku": "require"}}

# Each rule: a scene of which nothing is told, and one that differs in one thing and makes it fire alone.
CASES: dict[str, list[tuple[Scene, Scene]]] = {
    "PKI-2": [(GOOD, replace(GOOD, absent=("certificates.public_server.key",)))],
    "CERT-2b": [(GOOD, replace(GOOD, key_file="another"))],
    "CERT-1d": [
        (GOOD, replace(GOOD, names=("other.customer.example",))),
        (GOOD, replace(GOOD, names=())),
        (replace(GOOD, common_name=""), replace(GOOD, common_name="192.0.2.130")),
    ],
    "CERT-1e": [
        (GOOD, replace(GOOD, key="small", key_file="small")),
        (GOOD, replace(GOOD, key="an ec", key_file="an ec")),
        (GOOD, replace(GOOD, sha1=True)),
    ],
    "CERT-1f": [(GOOD, replace(GOOD, subject=("L", "O")))],
    "CERT-2c": [(GOOD, replace(GOOD, below=False))],
    "CERT-3b": [(GOOD, replace(GOOD, trust=(ROOT, G2, "own root", "own intermediate")))],
    "CERT-3c": [
        (GOOD, replace(GOOD, trust=(ROOT, INTERMEDIATE, G2, "own root"))),
        (GOOD, replace(GOOD, trust=(ROOT, INTERMEDIATE, G2))),
    ],
    "PKI-3a": [(GOOD, replace(GOOD, at=date(2026, 6, 30))), (GOOD, replace(GOOD, at=date(2026, 7, 15)))],
    "PKI-3b": [(GOOD, replace(GOOD, at=date(2026, 7, 16))), (GOOD, replace(GOOD, at=date(2026, 7, 22)))],
    "PKI-3c": [
        (GOOD, replace(GOOD, at=date(2026, 7, 23))),
        (GOOD, replace(GOOD, at=date(2026, 7, 29))),
        (GOOD, replace(GOOD, at=date(2026, 7, 31))),
        (GOOD, replace(GOOD, at=date(2026, 4, 30))),
    ],
    "PKI-3d": [(GOOD, replace(GOOD, trust_until=datetime(2026, 6, 11, tzinfo=UTC)))],
    "PKI-4": [(replace(GOOD, days=200), replace(GOOD, days=201))],
    "PKI-5a": [(GOOD, replace(GOOD, uses=(SERVER,)))],
    "PKI-5b": [
        (
            replace(GOOD, at=date(2027, 1, 1), since=date(2026, 12, 15), days=89),
            replace(GOOD, at=date(2027, 1, 1), since=date(2026, 12, 15), days=90),
        )
    ],
    "PKI-6": [(GOOD, replace(GOOD, site=REQUIRE))],
    "PKI-7a": [(GOOD, replace(GOOD, ca="DigiCert High Assurance EV Root CA"))],
    "PKI-7b": [
        (
            replace(GOOD, at=date(2024, 12, 1), since=date(2024, 11, 1)),
            replace(GOOD, at=date(2025, 12, 1), since=date(2025, 11, 1), ca="DigiCert Assured ID Root CA"),
        )
    ],
    "PKI-8": [(GOOD, replace(GOOD, trust=(ROOT, INTERMEDIATE, "own root", "own intermediate")))],
}
PAIRS = [(rule, good, bad) for rule, pairs in CASES.items() for good, bad in pairs]


def test_every_rule_of_foresight_has_a_case() -> None:
    assert set(CASES) == {rule.id for rule in RULES}
    assert all(rule.look is None for rule in RULES)


@pytest.mark.parametrize(
    ("rule", "good", "bad"), PAIRS, ids=[f"{rule}-{n}" for n, (rule, *_) in enumerate(PAIRS)]
)
def test_a_case_passes_and_fails_in_one_thing(rule: str, good: Scene, bad: Scene) -> None:
    assert good.findings() == ()
    found = bad.findings()
    assert {one.rule for one in found} == {rule}, found
    for one in found:
        assert (one.line, one.column) != (1, 1)
        assert one.mend
        for words in (one.says, one.mend):
            assert told(words, "fr") != words  # said in both languages
            assert "{" not in words
            assert "{" not in told(words, "fr")


def test_levels_rise_as_the_expiry_comes_near() -> None:
    days = {at: GOOD.at.fromisoformat(at) for at in ("2026-06-30", "2026-07-20", "2026-07-29", "2026-08-20")}
    levels = [replace(GOOD, at=day).findings()[0].level for day in days.values()]
    assert levels == [Level.NOTE, Level.SHOULD, Level.MUST, Level.MUST]
    says = replace(GOOD, at=days["2026-07-29"]).findings()[0].says
    assert "(days left: 1)" in says
    assert "costs a reboot" in says


def test_the_falling_lifetimes_are_told_with_the_reboots_they_cost() -> None:
    found = next(
        one
        for one in replace(GOOD, at=date(2026, 12, 1), since=date(2026, 11, 1), days=199).findings()
        if one.rule == "PKI-4"
    )
    assert "lives 199 days" in found.says
    assert "lives 100 at most: 4 renewals a year" in found.says
    assert "and 47 from 2029-03-15 on (8 a year)" in found.says
    assert "each with a reboot" in found.says
    days = [(step.days, step.renewals) for day in ("2026-03-14", "2026-03-15", "2027-03-15", "2029-03-15")
            if (step := lifetime_on(PKI, date.fromisoformat(day)))]  # fmt: skip
    assert days == [(398, 1), (200, 2), (100, 4), (47, 8)]


def test_the_ca_that_signed_says_when_client_auth_ends_and_that_it_moved() -> None:
    digicert = replace(GOOD, ca="DigiCert Some Root", uses=(SERVER,))
    (found,) = digicert.findings()
    assert (
        "DigiCert ends it on 2027-03-01 (announced for 2026-05-01 before it moved: look again)" in found.says
    )
    (found,) = replace(GOOD, uses=(SERVER,)).findings()
    assert "Chrome Root Program ends it on 2027-03-15" in found.says


def test_without_any_file_the_carriers_root_and_the_policy_are_still_judged() -> None:
    for at, rules in ((date(2024, 1, 1), ["PKI-2"]), (date(2026, 6, 1), ["PKI-2", "PKI-8"])):
        assert [one.rule for one in replace(GOOD, absent=KEYS, at=at).findings()] == rules


def test_a_bvpn_site_is_told_of_its_phones_certificate_and_of_no_carrier() -> None:
    files = {"public_server": {"certificate": "a.pem"}, "trust": ["b.pem"]}
    loaded = load(edited({"certificates": files, "phones.listen.tls": "5061"}, FILE), "x")
    assert loaded.site is not None
    leaf = GOOD.papers()["certificates.public_server.certificate"]
    papers = [
        Paper(("certificates", "public_server", "certificate"), "a.pem", leaf),
        Paper(("certificates", "trust", 0), "b.pem", None),
    ]
    told_of = {rule.id for rule, _ in foresee(loaded.site, papers, FACTS, PKI, date(2026, 8, 1))}
    assert told_of == {"PKI-2", "PKI-3c"}


def test_files_that_hold_no_certificate_are_told_one_by_one() -> None:
    site = load(edited({}, INTERNET), "x").site
    assert site is not None
    papers = [Paper(path, file, b"-----BEGIN CERTIFICATE-----\nx\n") for path, file in named(site)]
    seen = [one for rule, one in foresee(site, papers, FACTS, PKI, GOOD.at) if rule.id == "CERT-2b"]
    certificates = [paper.path for paper in papers if paper.path[-1] != "key"]
    assert sorted(map(str, (one.path for one in seen))) == sorted(map(str, certificates))
    trouble = [Paper(path, file, None, "Permission denied") for path, file in named(site)]
    assert {rule.id for rule, _ in foresee(site, trouble, FACTS, PKI, GOOD.at)} == {"PKI-8"}


def test_a_guide_that_says_nothing_of_certificates_asks_for_nothing() -> None:
    nothing = Facts("n", "t", "c", "e")
    odd = replace(GOOD, subject=(), trust=("own root", "own intermediate"))
    assert odd.findings(nothing) == ()


@pytest.mark.parametrize("key", FACTS.by_key)
def test_no_fact_of_the_guide_is_one_that_foresight_cannot_do_without(key: str) -> None:
    less = replace(FACTS, by_key={other: fact for other, fact in FACTS.by_key.items() if other != key})
    poor = replace(GOOD, trust=("own root",), days=300, uses=(SERVER,), subject=())
    of_facts = {"CERT-1f", "CERT-3b", "CERT-3c", "PKI-8"}  # what the guide asks for
    assert {one.rule for one in poor.findings(less)} | of_facts == of_facts | {"PKI-4", "PKI-5a"}
