"""What the site file and the guide make of TLS: suites, versions, names and how strictly a peer is read."""

from __future__ import annotations

from typing import Any

import pytest
from tests.example_site import INTERNET, edited
from tests.guide.cases import amended
from tests.tls_site import NEWER, OLDER, PBX, authority, identity

from trunkline.aio.tls import SUITES
from trunkline.aio.tls_stream import Parties
from trunkline.cli.certificates import Papers, phone_parties, secured, suites_of, trunk_parties
from trunkline.guide.facts import shipped
from trunkline.pki.judgement import ClientEku, Policy
from trunkline.site.load import load
from trunkline.site.model import Site

SECURITY = "trunk.gateways.0.security"
OTHER = "trunk.gateways.1.security"
NAMES = tuple(f"sbc{n}.business-talk-ip.orange-business.com" for n in (1, 2))

FACTS = shipped()["business-talk-oxo-6.x"]


def site(changes: dict[str, Any]) -> Site:
    found = load(edited(changes, INTERNET), INTERNET.name)
    assert found.site is not None, found.findings
    return found.site


def papers() -> Papers:
    return Papers(identity(PBX), identity(PBX), authority("Carrier").store, FACTS)


def parties(changes: dict[str, Any] | None = None) -> Parties:
    return trunk_parties(site(changes or {}), papers())


@pytest.mark.guide("TLS-1")
@pytest.mark.guide("TLS-2")
def test_an_oce_speaks_tls_1_2_with_the_suites_of_the_guide_in_order_and_nothing_newer() -> None:
    found = parties()
    for terms in (found.server, *found.gateways.values()):
        assert (terms.least, terms.most) == ("1.2", "1.2")
        assert terms.suites == tuple(SUITES[number] for number in OLDER)
        assert (terms.suites_1_3, terms.suites_1_2) == (NEWER, OLDER)


@pytest.mark.guide("TLS-2")
def test_tls_1_3_is_a_knob_of_the_gateway_and_of_the_listener_if_any_gateway_has_it() -> None:
    found = parties({f"{SECURITY}.tls_max": "1.3"})
    assert [terms.most for terms in found.gateways.values()] == ["1.3", "1.2"]
    assert found.server.most == "1.3"
    assert found.gateways[NAMES[0]].suites == tuple(SUITES[number] for number in (*NEWER, *OLDER))


@pytest.mark.guide("TLS-3")
def test_only_the_names_of_the_gateways_may_connect_and_each_is_asked_for_its_own() -> None:
    found = parties()
    assert found.allowed == tuple(found.gateways) == NAMES
    assert found.others is None
    assert found.server.mutual
    assert {terms.identity for terms in (found.server, *found.gateways.values())} == {identity(PBX)}


def test_the_policy_is_the_houses_unless_the_site_says_otherwise() -> None:
    assert parties().gateways[NAMES[0]].policy == Policy(ClientEku.ACCEPT_SERVER_AUTH, False, False)
    knobs = {
        f"{SECURITY}.peer_client_eku": "ignore",
        f"{SECURITY}.wildcard_names": "true",
        f"{SECURITY}.common_name": "true",
    }
    found = parties(knobs)
    assert found.gateways[NAMES[0]].policy == Policy(ClientEku.IGNORE, True, True)
    assert found.gateways[NAMES[1]].policy == Policy()


@pytest.mark.parametrize(
    ("one", "other", "read"),
    [
        ("require", "accept-server-auth", ClientEku.REQUIRE),
        ("accept-server-auth", "ignore", ClientEku.ACCEPT_SERVER_AUTH),
        ("ignore", "ignore", ClientEku.IGNORE),
    ],
)
def test_who_calls_in_is_read_as_strictly_as_the_strictest_gateway(
    one: str, other: str, read: ClientEku
) -> None:
    """Whose certificate it is, is known only after it was read."""
    knobs = {f"{SECURITY}.peer_client_eku": one, f"{OTHER}.peer_client_eku": other}
    knobs |= {f"{SECURITY}.wildcard_names": "true", f"{SECURITY}.common_name": "true"}
    assert parties(knobs).server.policy == Policy(read, False, False)


def test_phones_are_asked_for_no_certificate_and_nobody_connects_to_them() -> None:
    found = phone_parties(site({}), papers())
    assert not found.server.mutual
    assert (found.allowed, dict(found.gateways), found.others) == ((), {}, None)


def test_each_tls_port_of_the_site_has_its_parties() -> None:
    here = site({})
    assert set(secured(here, papers())) == {("192.0.2.10", 5061), ("192.0.2.130", 5061)}
    assert secured(here, None) == {}


def test_the_suite_that_a_guide_prefers_goes_first_wherever_its_table_has_it() -> None:
    facts = amended(FACTS, {"tls.suite_preferred": 0xC027})
    _, older = suites_of(facts)
    assert (older[0], sorted(older)) == (0xC027, sorted(FACTS.numbers("tls.suites_1_2")))
