"""A failing case for every rule: one change of the clean example, and exactly that rule fires, there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.example_site import FILE, INTERNET, edited

from trunkline.guide.catalogue import RULES, judge
from trunkline.guide.facts import Facts
from trunkline.site.load import load

GATEWAY = "trunk.gateways.1"
PROXY = f"{GATEWAY}.domain_proxy"
REGISTRATION = f"{GATEWAY}.registration"
PROTOCOL = f"{GATEWAY}.protocol"

CERTIFIED = {"certificates": {"public_server": {"certificate": "ipbx.pem"}}}

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("BVPN-1a", {f"{GATEWAY}.topology": {"interface": "eth1"}}, f"{GATEWAY}.topology.interface"),
    ("BVPN-1c", {f"{PROXY}.transport": "tcp", "trunk.listen.tcp": "0"}, f"{PROXY}.transport"),
    ("BVPN-1d", {f"{GATEWAY}.security": {"sip_tls": "true"}}, f"{GATEWAY}.security.sip_tls"),
    ("BVPN-1d", {f"{GATEWAY}.security": {"srtp": "true"}}, f"{GATEWAY}.security.srtp"),
    ("BVPN-2", {f"{GATEWAY}.media.rtp_direct": "false"}, f"{GATEWAY}.media.rtp_direct"),
    ("BVPN-1d", {f"{PROXY}.transport": "tls", "trunk.listen.tls": "5061", **CERTIFIED}, f"{PROXY}.transport"),
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
    ("SITE-14", {"phones.listen.tls": "5061", "trunk.listen.tls": "5061", **CERTIFIED}, "phones.listen.tls"),
    ("SITE-15", {"phones.listen.interface": "eth1"}, "phones.listen.interface"),
    ("SITE-16", {"phones.listen.tls": "5060", **CERTIFIED}, "phones.listen.tls"),
    ("SITE-16", {"phones.listen.tls": "5059", **CERTIFIED}, "phones.listen.tls"),
    ("SITE-17", {"phones.srtp": "true"}, "phones.srtp"),
    ("SITE-17", {"phones.srtp": "true", "phones.listen.tls": "5061", **CERTIFIED}, "phones.srtp"),
    ("SITE-18", {"phones.listen.tls": "5061"}, "phones.listen.tls"),
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

SECURITY = f"{GATEWAY}.security"
SBC = "sbc.carrier.example"
RENAMED = {f"{PROXY}.{key}": SBC for key in ("target_domain", "realm", "outbound_proxy")}
ADDRESSED = {f"{PROXY}.{key}": "198.51.100.7" for key in ("target_domain", "realm", "outbound_proxy")}

OVER_THE_INTERNET: list[tuple[str, dict[str, Any], str]] = [
    ("INET-1", {"product.model": "PowerCPU"}, "product.model"),
    ("INET-2a", {"trunk.listen.interface": "eth0", "trunk.listen.tls": "5061", "phones.listen.tls": "0",
                 "phones.srtp": "false"}, "trunk.listen.interface"),
    ("INET-2a", {f"{GATEWAY}.topology.interface": "eth0"}, f"{GATEWAY}.topology.interface"),
    ("INET-2b", {"interfaces.eth1.address": "192.168.1.10"}, "interfaces.eth1.address"),
    ("INET-2b", {"interfaces.eth1.address": "fd00::10"}, "interfaces.eth1.address"),
    ("INET-4", {f"{GATEWAY}.media.rtp_direct": "true"}, f"{GATEWAY}.media.rtp_direct"),
    ("CFG-3a", {"interfaces.eth0.domain_name": None}, "interfaces.eth0.domain_name"),
    ("CFG-3b", {"dns": ["198.51.100.53", "10.0.0.53"]}, "dns.1"),
    ("CFG-3b", {"dns": ["10.0.0.53:5353"]}, "dns.0"),
    ("SEC-2a", {"trunk.listen.tls": "5062"}, "trunk.listen.tls"),
    ("SEC-2a", {f"{PROXY}.port": "5062"}, f"{PROXY}.port"),
    ("SEC-2b", {f"{PROXY}.transport": "tcp"}, f"{PROXY}.transport"),
    ("FW-4", {"trunk.listen.udp": "5060"}, "trunk.listen.udp"),
    ("FW-4", {"trunk.listen.tcp": "5060"}, "trunk.listen.tcp"),
    ("FW-2a", {"media.trunk_ports": None}, "media.trunk_ports"),
    ("FW-2a", {"media.trunk_ports.first": "5000"}, "media.trunk_ports"),
    ("FW-2a", {"media.trunk_ports.last": "38001"}, "media.trunk_ports"),
    ("FW-2a", {"media.trunk_ports": {"first": "7000", "last": "6000"}}, "media.trunk_ports"),
    ("FW-2b", {"media.trunk_ports.last": "6022"}, "media.trunk_ports"),
    ("FW-2b", {"media.trunk_ports": {"first": "6001", "last": "6024"}}, "media.trunk_ports"),
    ("FW-2b", {"media.phone_ports": {"first": "20000", "last": "20022"}}, "media.phone_ports"),
    ("CERT-3", {"certificates.trust": []}, "certificates.trust"),
    ("TLS-2", {f"{SECURITY}.tls_max": "1.3"}, f"{SECURITY}.tls_max"),
    ("SEC-3", {f"{GATEWAY}.dns": {"mode": "SRV"}, f"{PROXY}.port": None}, f"{GATEWAY}.dns.mode"),
    ("SEC-4a", {f"{SECURITY}.sip_tls": "false"}, f"{SECURITY}.sip_tls"),
    ("SEC-4a", {f"{SECURITY}.mutual_authentication": "false"}, f"{SECURITY}.mutual_authentication"),
    ("SEC-4a", {f"{SECURITY}.srtp": "false"}, f"{SECURITY}.srtp"),
    ("SEC-4b", {f"{SECURITY}.suites": ["AES_CM_128_HMAC_SHA1_32"]}, f"{SECURITY}.suites"),
    ("SEC-5a", {f"{PROXY}.realm": SBC}, f"{PROXY}.realm"),
    ("SEC-5a", {f"{PROXY}.outbound_proxy": SBC}, f"{PROXY}.outbound_proxy"),
    ("SEC-5b", RENAMED, f"{PROXY}.target_domain"),
    ("CODEC-1a", {f"{GATEWAY}.media.codecs": ["PCMA", "G729"]}, f"{GATEWAY}.media.codecs"),
    ("CODEC-1b", {f"{GATEWAY}.media.ptime": "30"}, f"{GATEWAY}.media.ptime"),
]  # fmt: skip

EVERY = [(FILE, *case) for case in CASES] + [(INTERNET, *case) for case in OVER_THE_INTERNET]


@pytest.mark.parametrize(("of", "rule", "changes", "path"), EVERY)
def test_the_rule_and_no_other_fires_at_its_place(
    of: Path, rule: str, changes: dict[str, Any], path: str
) -> None:
    loaded = load(edited(changes, of), "site.yaml")
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


@pytest.mark.guide("DNS-1")
def test_an_sbc_that_is_reached_by_its_address_is_told_for_each_key() -> None:
    found = judge(load(edited(ADDRESSED, INTERNET), "x"))
    assert [(finding.rule, finding.path) for finding in found] == [
        ("DNS-1", f"{PROXY}.{key}") for key in ("target_domain", "outbound_proxy")
    ]


@pytest.mark.guide("CERT-2")
def test_a_site_over_the_internet_without_certificates_is_told_where_tls_listens() -> None:
    found = judge(load(edited({"certificates": None}, INTERNET), "x"))
    assert {finding.rule for finding in found} == {"CERT-2", "SITE-18"}


@pytest.mark.guide("INET-2")
def test_a_site_over_the_internet_without_eth1_is_told() -> None:
    (found,) = judge(load(edited({"interfaces.eth1": None}, INTERNET), "x"))
    assert (found.rule, found.path) == ("INET-2b", "interfaces")


def test_the_shipped_sites_are_clean() -> None:
    for file in (FILE, INTERNET):
        loaded = load(file.read_text("utf-8"), file.name)
        assert (loaded.findings, judge(loaded)) == ((), ())


def test_a_lab_on_loopback_addresses_is_not_told_off() -> None:
    lab = {"interfaces.eth1.address": "127.1.1.11", "dns": ["127.1.1.53:5353"]}
    assert judge(load(edited(lab, INTERNET), "x")) == ()


def test_rules_of_an_architecture_keep_silent_where_the_file_names_none() -> None:
    for of in (FILE, INTERNET):
        loaded = load(edited({"architecture": "moon"}, of), "x")
        assert [finding.path for finding in loaded.findings] == ["architecture"]
        assert [found.rule for found in judge(loaded)] == []


def test_a_carrier_that_neither_anchors_nor_encrypts_is_not_given_the_guides_reasons() -> None:
    head = 'schema = 1\nname = "n"\ntitle = "t"\ncarrier = "c"\nedition = "e"\n[internet]\n'
    flags = "".join(f'{key} = {{ value = false, section = "1" }}\n' for key in ("anchored", "encrypted"))
    plain = {f"{SECURITY}.srtp": "false", f"{GATEWAY}.media.rtp_direct": "true"}
    text = edited({"guide.name": "n", "guide.edition": "e", **plain}, INTERNET)
    assert judge(load(text, "x"), guides={"n": Facts.parse(head + flags)}) == ()


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
    elsewhere = {"BVPN-1b", "SITE-44", "CERT-2", "DNS-1"}
    looking = {
        rule.id for rule in RULES if rule.look is not None
    }  # the others: tests/guide/test_foresight.py
    assert looking == {rule for _, rule, _, _ in EVERY} | elsewhere


def test_a_carrier_that_encrypts_its_private_network_is_not_told_off() -> None:
    head = 'schema = 1\nname = "n"\ntitle = "t"\ncarrier = "c"\nedition = "e"\n'
    facts = Facts.parse(head + '[bvpn]\nencrypted = { value = true, section = "1" }\n')
    text = edited({"guide.name": "n", "guide.edition": "e", f"{GATEWAY}.security": {"srtp": "true"}})
    assert judge(load(text, "x"), guides={"n": facts}) == ()
