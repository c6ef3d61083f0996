"""What a walk showed, in words: every failure has its sentence, in both languages, and who mends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trunkline.aio.probe import Shaken
from trunkline.aio.tls_session import Refusal, Up
from trunkline.finding import told
from trunkline.pki.judgement import Check, Fault, Judgement
from trunkline.pki.store import TrustStore
from trunkline.prove.doctor import CARRIER, FIREWALL, YOU, Diagnosis, Expected, diagnose
from trunkline.prove.peer import Observation, Walk, Wanted
from trunkline.sip.locate import Answers, Question, Srv

NAME, AT = "sbc1.carrier.example", "192.0.2.1"
SUITES = (0xC030, 0x1302)
WANTED = Wanted(NAME, 5061, NAME, None, TrustStore(), (0x1302,), (0xC030,))
OCE = Expected(("1.2",), (0xC030,))
GOOD = Judgement()
UP = Shaken(up=Up("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", "CN=ipbx", (NAME,), (NAME,)), judgement=GOOD)
REFUSED = Shaken(refusal=Refusal("handshake_failure", "it found nothing in common"))
LATE = replace(UP, refusal=Refusal("certificate_required", "it asks for a certificate"))
WALK = Walk(AT, 5061, {"1.2": UP, "1.3": UP}, {"1.2": LATE, "1.3": LATE}, {0xC030: UP, 0x1302: UP})


def found(walk: Walk, expected: Expected = OCE) -> dict[str, list[Diagnosis]]:
    made = diagnose(Observation(WANTED, (), (walk,)), expected)
    for one in made:
        assert told(one.says, "fr") != one.says
        assert bool(one.who) == one.bad or not one.bad
    return {check: [one for one in made if one.check == check] for check in {one.check for one in made}}


def test_a_good_walk_has_nothing_bad() -> None:
    assert not [one for group in found(WALK).values() for one in group if one.bad]


def test_names_that_do_not_resolve_are_ours_or_the_carriers_to_mend() -> None:
    question = Question(NAME, "A")
    silent = Observation(WANTED, (Answers(question, (), 0.0, "192.0.2.53 did not answer in 2 s"),), ())
    unknown = Observation(WANTED, (Answers(question, (), 60.0),), ())
    (ours,), (theirs,) = diagnose(silent, OCE), diagnose(unknown, OCE)
    assert (ours.bad, ours.who) == (True, YOU)
    assert "did not answer" in ours.says
    assert (theirs.bad, theirs.who) == (True, CARRIER)
    known = diagnose(Observation(WANTED, (Answers(question, (AT,), 60.0),), (WALK,)), OCE)
    assert known[0].says == f"{NAME} is {AT}"


def test_a_port_that_does_not_answer_is_the_firewalls_one_that_refuses_the_carriers() -> None:
    for why, who in (("timeout", FIREWALL), ("refused", CARRIER), ("No route to host", YOU)):
        (tcp,) = found(Walk(AT, 5061, {"1.2": Shaken(unreached=why)}, {}, {}))["tcp"]
        assert (tcp.bad, tcp.who) == (True, who)


def test_a_refusal_after_the_handshake_says_that_it_is_one() -> None:
    made = found(replace(WALK, presented={"1.2": REFUSED, "1.3": LATE}), Expected(("1.2", "1.3"), SUITES))
    assert "learns it only now" in made["refusal"][0].says
    assert made["refusal"][0].bad
    assert "nothing in common" in made["version"][0].says


def test_a_version_that_the_product_does_not_speak_is_told_and_not_held_against_the_peer() -> None:
    (version,) = found(replace(WALK, presented={"1.2": UP, "1.3": REFUSED}))["version"]
    assert not version.bad


def test_each_fault_of_the_peers_certificate_is_told_and_a_missing_ca_is_ours_to_import() -> None:
    faults = (
        Fault(Check.ISSUER, "CN=x", "is signed by y", "import y"),
        Fault(Check.EXPIRED, "CN=x", "expired", "renew"),
    )
    bad = Shaken(refusal=Refusal("unknown_ca", "why"), judgement=Judgement(faults=faults))
    made = found(replace(WALK, presented={"1.2": bad, "1.3": UP}))["certificate"]
    assert [one.who for one in made] == [YOU, CARRIER]


def test_a_peer_that_takes_anybody_does_not_authenticate() -> None:
    (mutual,) = found(replace(WALK, bare={"1.2": UP, "1.3": LATE}))["mutual"]
    assert (mutual.bad, mutual.who) == (True, CARRIER)


def test_suites_that_are_not_taken_are_listed_by_name_and_number() -> None:
    lacking = found(replace(WALK, suites={0xC030: REFUSED, 0x1302: UP}))["suite"]
    assert [one.bad for one in lacking] == [False, False]
    assert "ECDHE-RSA-AES256-GCM-SHA384 (0xc030)" in lacking[1].says
    (none,) = found(replace(WALK, suites={0xC030: REFUSED}))["suite"]
    assert none.bad


SRV = Answers(Question(f"_sips._tcp.{NAME}", "SRV"), (Srv(0, 0, 5071, "a.carrier.example"),), 60.0)
NONE = Answers(Question(NAME, "A"), (), 60.0)


@pytest.mark.guide("DNS-1")
def test_service_records_are_told_with_where_they_lead() -> None:
    both = diagnose(Observation(WANTED, (Answers(Question(NAME, "A"), (AT,), 60.0), SRV), (WALK,)), OCE)
    assert [one.bad for one in both if one.check == "dns"] == [False, False]
    assert f"_sips._tcp.{NAME} (SRV) leads to a.carrier.example:5071" in both[1].says


@pytest.mark.guide("SEC-3")
def test_service_records_alone_are_found_by_gateways_that_ask_for_them_alone() -> None:
    seen = Observation(WANTED, (NONE, SRV), (replace(WALK, port=5071),))
    asks_a, asks_srv = diagnose(seen, OCE), diagnose(seen, replace(OCE, service=True))
    assert (asks_a[0].bad, asks_a[0].who) == (True, YOU)
    assert "set that tab to SRV" in asks_a[0].says
    assert not asks_srv[0].bad
    assert asks_srv[1].says == "TCP port 5071 answers"
    nowhere = diagnose(Observation(WANTED, (NONE, SRV), ()), replace(OCE, service=True))
    assert ["has an address" in one.says for one in nowhere if one.bad] == [True]


def test_an_ipv6_address_that_is_not_reached_is_not_held_against_a_peer_with_an_a_record() -> None:
    six = Walk("2001:db8::1", 5061, {"1.2": Shaken(unreached="timeout")}, {}, {})
    names = (Answers(Question(NAME, "A"), (AT,), 60.0), Answers(Question(NAME, "AAAA"), (six.address,), 60.0))
    made = diagnose(Observation(WANTED, names, (WALK, six)), OCE)
    assert made[0].says == f"{NAME} is {AT}, {six.address}"
    assert not [one for one in made if one.bad]
    alone = diagnose(Observation(WANTED, (NONE, names[1]), (six,)), OCE)
    assert [one.who for one in alone if one.bad] == [FIREWALL]
