"""What rules say and leave unsaid where one key cannot show it: several findings, silence, other carriers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.example_site import EXAMPLES, FILE, INTERNET, edited
from tests.guide.cases import amended

from trunkline.finding import Level
from trunkline.guide.catalogue import judge
from trunkline.guide.facts import Facts, shipped
from trunkline.site.load import load

GATEWAY = "trunk.gateways.1"
PROXY = f"{GATEWAY}.domain_proxy"
PROTOCOL = f"{GATEWAY}.protocol"

SECURITY = f"{GATEWAY}.security"
ADDRESSED = {f"{PROXY}.{key}": "198.51.100.7" for key in ("target_domain", "realm", "outbound_proxy")}


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
    for file in EXAMPLES.glob("*.yaml"):
        loaded = load(file.read_text("utf-8"), file.name)
        assert loaded.findings == ()
        assert [found for found in judge(loaded) if found.level is not Level.NOTE] == [], file.name


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
        found = {one.rule for one in judge(load(edited(changes), "x"))}
        assert found <= {"SITE-46"}, changes  # that the supervision is off is told itself


def test_a_carrier_that_encrypts_its_private_network_is_not_told_off() -> None:
    head = 'schema = 1\nname = "n"\ntitle = "t"\ncarrier = "c"\nedition = "e"\n'
    facts = Facts.parse(head + '[bvpn]\nencrypted = { value = true, section = "1" }\n')
    text = edited({"guide.name": "n", "guide.edition": "e", f"{GATEWAY}.security": {"srtp": "true"}})
    assert judge(load(text, "x"), guides={"n": facts}) == ()


def test_a_carrier_found_by_srv_over_bvpn_says_the_port_itself() -> None:
    found_by_srv = {"trunk.gateways.0.dns.mode": "SRV", "trunk.gateways.0.domain_proxy.port": None}
    assert judge(load(edited(found_by_srv), "x")) == ()


def test_a_carrier_in_the_clear_over_the_internet_wants_neither_certificates_nor_tls() -> None:
    clear = {"internet.encrypted": False, "internet.transport": "tcp", "internet.signalling_port": 5070}
    shipped_guide = shipped()["business-talk-oxo-6.x"]
    guides = {shipped_guide.name: amended(shipped_guide, {**clear, "tls.mutual": None})}
    both = (f"trunk.gateways.{index}" for index in (0, 1))
    changes: dict[str, Any] = {
        "trunk.listen.tcp": "5070",
        "trunk.listen.tls": "0",
        "phones.listen.tls": "0",
        "phones.srtp": "false",
        "certificates": None,
    }
    for gateway in both:
        changes |= {f"{gateway}.domain_proxy.transport": "tcp", f"{gateway}.domain_proxy.port": "5070"}
        changes |= {f"{gateway}.security.{key}": "false" for key in ("sip_tls", "srtp")}
    assert [found.rule for found in judge(load(edited(changes, INTERNET), "x"), guides=guides)] == []


def test_a_carrier_that_wants_encryption_but_no_certificate_of_the_ipbx_is_not_given_the_guides_reason() -> (
    None
):
    shipped_guide = shipped()["business-talk-oxo-6.x"]
    guides = {shipped_guide.name: amended(shipped_guide, {"tls.mutual": False})}
    text = edited({f"{SECURITY}.mutual_authentication": "false"}, INTERNET)
    assert judge(load(text, "x"), guides=guides) == ()
