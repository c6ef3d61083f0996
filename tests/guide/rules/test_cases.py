"""A failing case for every rule: one change of the clean example, and exactly that rule fires, there."""

from __future__ import annotations

from typing import Any

import pytest
from tests.example_site import edited

from trunkline.guide.catalogue import RULES, judge
from trunkline.guide.facts import Facts
from trunkline.site.load import load

GATEWAY = "trunk.gateways.1"
PROXY = f"{GATEWAY}.domain_proxy"
REGISTRATION = f"{GATEWAY}.registration"
PROTOCOL = f"{GATEWAY}.protocol"

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("BVPN-1a", {f"{GATEWAY}.topology": {"interface": "eth1"}}, f"{GATEWAY}.topology.interface"),
    ("BVPN-1c", {f"{PROXY}.transport": "tcp", "trunk.listen.tcp": "0"}, f"{PROXY}.transport"),
    ("BVPN-1d", {f"{GATEWAY}.security": {"sip_tls": "true"}}, f"{GATEWAY}.security.sip_tls"),
    ("BVPN-1d", {f"{GATEWAY}.security": {"srtp": "true"}}, f"{GATEWAY}.security.srtp"),
    ("BVPN-2", {f"{GATEWAY}.media.rtp_direct": "false"}, f"{GATEWAY}.media.rtp_direct"),
    ("CAC-1a", {f"{GATEWAY}.media.bandwidth": "0"}, f"{GATEWAY}.media.bandwidth"),
    ("CAC-1a", {"trunk.channels": "25", "carrier.channels": "25"}, "trunk.channels"),
    ("CAC-1b", {f"{GATEWAY}.media.bandwidth": "11"}, f"{GATEWAY}.media.bandwidth"),
    ("CAC-1c", {"carrier.channels": "11"}, "carrier.channels"),
    ("CODEC-1", {f"{GATEWAY}.media.codecs": ["G729"]}, f"{GATEWAY}.media.codecs"),
    ("SBC-1", {"carrier.sbcs.1.media": "203.0.113.10"}, "carrier.sbcs.1.media"),
    ("SITE-12", {"timers": {"t1": "5"}}, "timers.t1"),
    ("SITE-13", {"phones.expires_default": "59"}, "phones.expires_default"),
    ("SITE-13", {"phones.expires_max": "3599"}, "phones.expires_default"),
    ("SITE-14", {"phones.listen.udp": "5060"}, "phones.listen.udp"),
    ("SITE-14", {"phones.listen.tcp": "5060"}, "phones.listen.tcp"),
    ("SITE-15", {"phones.listen.interface": "eth1"}, "phones.listen.interface"),
    ("SITE-20", {GATEWAY: None, "carrier.sbcs.1": None}, "trunk.gateways"),
    ("SITE-21", {f"{GATEWAY}.general.index": "1"}, f"{GATEWAY}.general.index"),
    ("SITE-22", {f"{GATEWAY}.label": "nominal"}, f"{GATEWAY}.label"),
    ("SITE-23", {f"{PROXY}.outbound_proxy": "SBC1.carrier.example"}, f"{PROXY}.outbound_proxy"),
    ("SITE-24", {f"{GATEWAY}.dns": {"mode": "none"}}, f"{GATEWAY}.dns.mode"),
    ("SITE-25", {f"{GATEWAY}.dns": {"mode": "SRV"}}, f"{PROXY}.port"),
    ("SITE-26", {REGISTRATION: {"requested": "true", "user": "u"}}, f"{REGISTRATION}.password"),
    ("SITE-26", {REGISTRATION: {"requested": "true", "password": "${env:P}"}}, f"{REGISTRATION}.user"),
    ("SITE-27", {PROTOCOL: {"min_se": "1801"}}, f"{PROTOCOL}.session_expires"),
    ("SITE-28", {PROTOCOL: {"initial_timeout": "32"}}, f"{PROTOCOL}.initial_timeout"),
    ("SITE-29", {PROTOCOL: {"supervision": {"timeout": "31"}}}, f"{PROTOCOL}.supervision.timeout"),
    ("SITE-30", {"users.1.extension": "201"}, "users.1.extension"),
    ("SITE-31", {"users.1.ddi": "+33199001001"}, "users.1.ddi"),
    ("SITE-32", {"users.1.extension": "112"}, "users.1.extension"),
    ("SITE-33", {"users.1.extension": "151"}, "users.1.extension"),
    ("SITE-34", {"users.1.extension": "021"}, "users.1.extension"),
    ("SITE-35", {"users.1.extension": "3001"}, "users.1.extension"),
    ("SITE-36", {"users.1.password": ""}, "users.1.password"),
    ("SITE-37", {"numbering.country": "32"}, "numbering.installation_number"),
    ("SITE-38", {"users.1.ddi": "+33199001050"}, "users.1.ddi"),
    ("SITE-38", {"numbering.installation_number": "+33199001050"}, "numbering.installation_number"),
    ("SITE-40", {"carrier.sbcs.1.label": "nominal"}, "carrier.sbcs.1.label"),
    ("SITE-40", {"carrier.sbcs.1.signalling": "198.51.100.10"}, "carrier.sbcs.1.signalling"),
    ("SITE-41", {"carrier.sbcs.1": None}, "carrier.sbcs"),
    ("SITE-42", {"carrier.subscribers.1.number": "+33199009001"}, "carrier.subscribers.1.number"),
    ("SITE-42", {"carrier.subscribers.1.number": "+33199001001"}, "carrier.subscribers.1.number"),
    ("SITE-43", {"carrier.subscribers.1.does": "external"}, "carrier.subscribers.1.at"),
    ("SITE-43", {"carrier.subscribers.1.at": "198.51.100.20:5060"}, "carrier.subscribers.1.at"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "changes", "path"), CASES)
def test_the_rule_and_no_other_fires_at_its_place(rule: str, changes: dict[str, Any], path: str) -> None:
    loaded = load(edited(changes), "site.yaml")
    assert loaded.findings == ()
    (found,) = judge(loaded)
    assert (found.rule, found.path) == (rule, path)
    assert (found.line, found.column) != (1, 1)
    assert found.says
    assert found.mend


def test_a_missing_eth1_is_told_for_the_trunk() -> None:
    changes = {f"trunk.gateways.{index}.topology": {"interface": "eth1"} for index in (0, 1)}
    loaded = load(edited({**changes, "trunk.listen.interface": "eth1"}), "x")
    assert [found.rule for found in judge(loaded)] == ["BVPN-1b"]
    described = {**changes, "trunk.listen.interface": "eth1", "interfaces.eth1": {"address": "192.0.2.20"}}
    assert judge(load(edited(described), "x")) == ()


def test_names_without_a_dns_server_are_told_for_each_gateway() -> None:
    found = judge(load(edited({"dns": []}), "x"))
    assert [finding.rule for finding in found] == ["SITE-24", "SITE-24"]
    addresses = {f"trunk.gateways.{i}.domain_proxy.outbound_proxy": f"198.51.100.{i}" for i in (0, 1)}
    assert judge(load(edited({"dns": [], **addresses}), "x")) == ()
    assert judge(load(edited({"dns": [], **addresses, f"{GATEWAY}.dns": {"mode": "none"}}), "x")) == ()


def test_a_carrier_that_insists_on_registration_is_told_for_each_gateway() -> None:
    found = judge(load(edited({"carrier.registration_required": "true"}), "x"))
    assert [finding.rule for finding in found] == ["SITE-44", "SITE-44"]


def test_a_gateway_without_outbound_proxy_is_judged_by_its_target_domain() -> None:
    proxies = {f"trunk.gateways.{index}.domain_proxy.outbound_proxy": "" for index in (0, 1)}
    assert judge(load(edited(proxies), "x")) == ()
    same = {**proxies, f"{PROXY}.target_domain": "sbc1.carrier.example"}
    (found,) = judge(load(edited(same), "x"))
    assert (found.rule, found.path) == ("SITE-23", f"{PROXY}.target_domain")


def test_what_is_switched_off_is_not_judged() -> None:
    quiet: list[dict[str, Any]] = [
        {"carrier.number_ranges": []},
        {"carrier.channels": None},
        {"carrier": {}},
        {"numbering.outside_prefix": "", "users.1.extension": "0211"},
        {PROTOCOL: {"supervision": {"options": "false", "timeout": "32"}}},
        {"phones.listen.udp": "0", "trunk.listen.tcp": "0"},
        {"trunk.listen.udp": "5070", "trunk.listen.tcp": "0"},
        {"phones.listen": {"interface": "eth1"}, "interfaces.eth1": {"address": "192.0.2.20"}},
    ]
    for changes in quiet:
        assert judge(load(edited(changes), "x")) == (), changes


def test_every_rule_has_a_failing_case() -> None:
    elsewhere = {"BVPN-1b", "SITE-44"}
    assert {rule.id for rule in RULES} == {rule for rule, _, _ in CASES} | elsewhere


def test_a_carrier_that_encrypts_its_private_network_is_not_told_off() -> None:
    head = 'schema = 1\nname = "n"\ntitle = "t"\ncarrier = "c"\nedition = "e"\n'
    facts = Facts.parse(head + '[bvpn]\nencrypted = { value = true, section = "1" }\n')
    text = edited({"guide.name": "n", "guide.edition": "e", f"{GATEWAY}.security": {"srtp": "true"}})
    assert judge(load(text, "x"), guides={"n": facts}) == ()
