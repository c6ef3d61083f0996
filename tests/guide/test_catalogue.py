"""Rules applied to a site file: placed, in order, silent where the file is unsound."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.example_site import TEXT, edited

from trunkline.finding import Level
from trunkline.guide.catalogue import RULES, judge
from trunkline.guide.facts import Facts
from trunkline.site.load import load


def test_the_example_is_clean() -> None:
    assert judge(load(TEXT, "bvpn.yaml")) == ()


def test_ids_are_unique_and_every_rule_says_all_it_has_to() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.title
        assert rule.mend
        assert rule.source


def test_an_unknown_guide_and_another_edition_are_told() -> None:
    (unknown,) = judge(load(edited({"guide.name": "example-telecom"}), "x"))
    assert (unknown.rule, unknown.level, unknown.path) == ("SITE-10", Level.MUST, "guide.name")
    assert "business-talk-oxo-6.x" in unknown.mend
    (other,) = judge(load(edited({"guide.edition": "01/01/2023"}), "x"))
    assert (other.rule, other.level, other.path) == ("SITE-11", Level.SHOULD, "guide.edition")


def test_a_rule_that_reads_a_fact_is_silent_where_the_guide_leaves_it_open() -> None:
    text = edited({"guide.name": "n", "guide.edition": "e", "trunk.gateways.0.media.rtp_direct": "false"})
    head = 'schema = 1\nname = "n"\ntitle = "t"\ncarrier = "c"\nedition = "e"\n'
    for value, rules in (("false", ["BVPN-2"]), ("true", []), ('"ask the carrier"', [])):
        facts = Facts.parse(head + f'[bvpn]\nanchored = {{ value = {value}, section = "1" }}\n')
        assert [found.rule for found in judge(load(text, "x"), guides={"n": facts})] == rules
    assert judge(load(text, "x"), guides={"n": Facts.parse(head)}) == ()


def test_a_wrong_value_does_not_hide_what_other_values_contradict() -> None:
    loaded = load(edited({"users.0.ddi": "201", "users.3.extension": "202", "customer": None}), "x")
    assert loaded.site is None
    (found,) = judge(loaded)
    assert (found.rule, found.path) == ("SITE-30", "users.3.extension")
    assert (found.line, found.column) == loaded.place(("users", 3, "extension"))


def test_entries_left_out_do_not_shift_the_places_of_the_others() -> None:
    (found,) = judge(load(edited({"users.0.extension": "x", "users.2.extension": "202"}), "x"))
    assert (found.rule, found.path) == ("SITE-30", "users.2.extension")


def test_one_wrong_key_is_one_finding_and_no_rule_repeats_it() -> None:
    changes: list[dict[str, Any]] = [
        {"guide.name": None},
        {"guide.edition": ""},
        {"trunk.channels": "x"},
        {"trunk.channels": None, "trunk.chanels": "12"},
        {"trunk.gateways.0.media.bandwidth": "x"},
        {"trunk.gateways.0.media.bandwidth": None, "trunk.gateways.0.media.bandwith": "12"},
        {"trunk.gateways.1.label": ""},
        {"trunk.gateways.1.domain_proxy.target_domain": "x"},
        {"trunk.listen.udp": "-1"},
        {"dns": ["192.0.2.300"]},
        {"dns": "192.0.2.53"},
        {"numbering.country": "france"},
        {"numbering.installation_number": "0199001000"},
        {"carrier.number_ranges": ["x"]},
        {"carrier.sbcs.0.media": "x"},
        {"carrier.subscribers.0.does": "x"},
        {"users.0.password": ["x"]},
        {"phones.expires_max": "x"},
        {"timers": {"t2": "x"}},
    ]
    for change in changes:
        loaded = load(edited(change), "x")
        assert len(loaded.findings) == 1, change
        assert judge(loaded) == (), change


def test_a_file_without_keys_has_nothing_to_judge() -> None:
    assert judge(load("", "x")) == ()
    assert judge(load("a: 1\n", "x")) == ()


WORDS = st.sampled_from(["", "x", "0", "7", "eth1", "true", "+33199001001", "112", "192.0.2.1", "a.example"])
VALUES = WORDS | st.lists(WORDS, max_size=2) | st.dictionaries(st.sampled_from(["label", "x"]), WORDS)
KEYS = [
    *("trunk.gateways.0", "trunk.gateways.1.media", "trunk.gateways", "trunk.channels", "trunk.listen"),
    *("users.0.extension", "users.1", "users.2.ddi", "dns", "interfaces", "numbering.outside_prefix"),
    *("numbering.emergency", "carrier.sbcs.0", "carrier.subscribers.1.number", "guide.name", "phones.listen"),
]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_rules_judge_any_site_file_and_only_what_it_soundly_says(changes: dict[str, Any]) -> None:
    loaded = load(edited(dict(sorted(changes.items(), reverse=True))), "x")
    wrong = {finding.path for finding in loaded.findings if finding.level is Level.MUST}
    assert not wrong & {finding.path for finding in judge(loaded)}
