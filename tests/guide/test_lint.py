"""The guide's own contradictions: each is found, and goes once the facts are mended."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from trunkline.finding import told
from trunkline.guide.facts import ASK, Fact, Facts, FactValue, known_around, shipped
from trunkline.guide.lint import LINTS, lint

FACTS, PKI = shipped()["business-talk-oxo-6.x"], known_around()["pki"]
EXAMPLE = Facts.parse((Path(__file__).parent / "example_telecom" / "facts.toml").read_text("utf-8"))

# What a mended guide would say instead, and the other findings that go with it.
MENDED: dict[str, tuple[dict[str, FactValue], set[str]]] = {
    "LINT-1": ({"cloud_connect.ports": ("udp/500", "udp/4500")}, set()),
    "LINT-2": ({"remote.media_site": "remote"}, set()),
    "LINT-3": (
        {"sizing.offnet_rs_transferred": MappingProxyType({"ipbx": 2, "wan_rs": 2, "carrier_rs": 2})},
        set(),
    ),
    "LINT-4": ({"certificates.carrier_root": "DigiCert Global Root G3"}, set()),
    "LINT-5": ({"text.footnotes": "or what the installer of the SBC agreed on"}, set()),
    "LINT-6": ({"internet.name_interface": "eth1"}, set()),
    "LINT-7": ({"internet.dns_records": ("A",)}, set()),
    "LINT-8": ({"tls.versions_oce": ("1.2", "1.3")}, set()),
    "LINT-9": ({"tls.suites_oce": (0xC030, 0xC02F)}, set()),
    "LINT-10": (
        {
            "endpoints.mediatrix_4102": "none",
            "endpoints.audiocodes_mp11x": "none",
            "endpoints.third_party_sbc": "on demand",
            "text.doubtful_rows": ASK,
        },
        set(),
    ),
    "LINT-11": ({"internet.reached_by": "address"}, set()),
    "LINT-12": ({"certificates.subject_ou": ""}, set()),
    "LINT-13": ({"tls.mutual": False}, set()),
    "LINT-14": ({"internet.dtls_encryption": False}, set()),
    "LINT-15": ({"internet.udp_to_tcp": False}, set()),
    "LINT-16": ({"bulletins.versions": ("6.0", "6.1")}, set()),
    "LINT-17": ({"sizing.channel_kbps": 84}, set()),
}


def changed(changes: dict[str, FactValue]) -> Facts:
    """The shipped guide with other values."""
    held = dict(FACTS.by_key)
    for key, value in changes.items():
        held[key] = replace(held[key], value=value)
    return replace(FACTS, by_key=MappingProxyType(held))


def ids(facts: Facts) -> set[str]:
    return {found.rule for found in lint(facts, PKI)}


def test_the_shipped_guide_has_every_contradiction_that_can_be_found_in_one() -> None:
    assert ids(FACTS) == set(MENDED)
    assert set(MENDED) | {"LINT-18"} == {one.id for one in LINTS}


@pytest.mark.parametrize("rule", MENDED)
def test_a_mended_guide_loses_that_finding_and_keeps_the_others(rule: str) -> None:
    changes, others = MENDED[rule]
    assert ids(FACTS) - ids(changed(changes)) == {rule} | others


def test_each_finding_names_its_sections_and_reads_in_both_languages() -> None:
    for found in lint(FACTS, PKI):
        assert re.match(r"guide [1-5](\.[0-9])*", found.source), found
        sections = {FACTS[key].section for key in found.path.split(", ")}
        assert sections <= set(re.split("[ ,;]+", found.source)), found
        for words in (found.says, found.mend):
            assert told(words, "fr") != words
            assert not re.search("[{}]", words + told(words, "fr")), found


def test_both_places_of_a_contradiction_between_sections_are_told() -> None:
    (found,) = (one for one in lint(FACTS, PKI) if one.rule == "LINT-7")
    assert "(2.4.3)" in found.says
    assert "(5.2.4)" in found.says
    assert found.source == "guide 2.4.3, 5.2.4; RFC 3263 §4"


def test_a_guide_that_says_little_has_little_to_contradict() -> None:
    assert lint(Facts("n", "t", "c", "e"), PKI) == ()
    assert ids(EXAMPLE) == {"LINT-6", "LINT-11"}


def test_a_fact_that_nobody_reads_is_told_with_what_was_meant() -> None:
    typo = Fact("internet.media_port", (1, 2), "9")
    odd = replace(
        FACTS, by_key=MappingProxyType({typo.key: typo, "endpoints.x": Fact("endpoints.x", "all", "9")})
    )
    (found,) = lint(odd, PKI)
    assert (found.rule, found.path) == ("LINT-18", "internet.media_port")
    assert "did you mean internet.media_ports?" in found.says
