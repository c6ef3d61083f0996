"""What a walk showed, in words: every failure has its sentence, in both languages, and who mends it."""

from __future__ import annotations

from dataclasses import replace

from trunkline.aio.probe import Shaken
from trunkline.aio.tls_session import Refusal, Up
from trunkline.finding import told
from trunkline.pki.judgement import Check, Fault, Judgement
from trunkline.pki.store import TrustStore
from trunkline.prove.doctor import CARRIER, FIREWALL, YOU, Diagnosis, Expected, diagnose
from trunkline.prove.peer import Observation, Walk, Wanted
from trunkline.sip.locate import Answers, Question

NAME, AT = "sbc1.carrier.example", "192.0.2.1"
SUITES = (0xC030, 0x1302)
WANTED = Wanted(NAME, 5061, None, TrustStore(), (0x1302,), (0xC030,))
OCE = Expected(("1.2",), (0xC030,))
GOOD = Judgement()
UP = Shaken(up=Up("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", "CN=ipbx", (NAME,), (NAME,)), judgement=GOOD)
REFUSED = Shaken(refusal=Refusal("handshake_failure", "it found nothing in common"))
LATE = replace(UP, refusal=Refusal("certificate_required", "it asks for a certificate"))
WALK = Walk(AT, {"1.2": UP, "1.3": UP}, {"1.2": LATE, "1.3": LATE}, {0xC030: UP, 0x1302: UP})


def found(walk: Walk, expected: Expected = OCE) -> dict[str, list[Diagnosis]]:
    made = diagnose(Observation(WANTED, None, (walk,)), expected)
    for one in made:
        assert told(one.says, "fr") != one.says
        assert bool(one.who) == one.bad or not one.bad
    return {check: [one for one in made if one.check == check] for check in {one.check for one in made}}


def test_a_good_walk_has_nothing_bad() -> None:
    assert not [one for group in found(WALK).values() for one in group if one.bad]


def test_names_that_do_not_resolve_are_ours_or_the_carriers_to_mend() -> None:
    question = Question(NAME, "A")
    silent = Observation(WANTED, Answers(question, (), 0.0, "192.0.2.53 did not answer in 2 s"), ())
    unknown = Observation(WANTED, Answers(question, (), 60.0), ())
    (ours,), (theirs,) = diagnose(silent, OCE), diagnose(unknown, OCE)
    assert (ours.bad, ours.who) == (True, YOU)
    assert "did not answer" in ours.says
    assert (theirs.bad, theirs.who) == (True, CARRIER)
    known = diagnose(Observation(WANTED, Answers(question, (AT,), 60.0), (WALK,)), OCE)
    assert known[0].says == f"{NAME} is {AT}"


def test_a_port_that_does_not_answer_is_the_firewalls_one_that_refuses_the_carriers() -> None:
    for why, who in (("timeout", FIREWALL), ("refused", CARRIER), ("No route to host", YOU)):
        (tcp,) = found(Walk(AT, {"1.2": Shaken(unreached=why)}, {}, {}))["tcp"]
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
