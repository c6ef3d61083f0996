"""The files for Cisco, Fortinet and OPNsense read back, and asked of each packet whether it passes.

Cisco's lists are read by cisco_acl, an independent parser; nobody on PyPI reads FortiOS today, so a strict
reader stands here; OPNsense's are JSON and CSV. What may pass is written here by hand from the guide's table.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cisco_acl import Ace, Acl
from tests.plan.sites import FACTS, INTERNET_A, INTERNET_B, site

from trunkline.plan import firewall
from trunkline.plan.firewall_words import comment, plain, slug
from trunkline.plan.openings import openings

SIGNALLING, MEDIA = ("194.250.129.194", "194.250.129.196"), ("194.250.129.193", "194.250.129.195")
DNS, STRANGER = "198.51.100.53", "203.0.113.99"
FAR = (*SIGNALLING, *MEDIA, DNS, STRANGER)
PORTS = (22, 53, 443, 5060, 5061, 5062, 5999, 6000, 20000, 38000, 38001)
TOPOLOGY = {"a": (INTERNET_A, "192.0.2.130", ""), "b": (INTERNET_B, "10.20.0.10", "198.51.100.130")}
EACH = pytest.mark.parametrize("topology", ["a", "b"])

Asked = Callable[[str, str, int, str, int], bool]


def files(of: Path, **changes: Any) -> dict[str, str]:
    return {
        file.name.removeprefix("firewall/"): file.text
        for file in firewall.chapter(site(of, **changes), FACTS).files
    }


def allowed(protocol: str, far: str, port: int, *, outward: bool) -> bool:
    """The guide's table."""
    if protocol == "tcp":
        return far in SIGNALLING and port == 5061
    return (far in MEDIA and 6000 <= port <= 38000) or (outward and far == DNS and port == 53)


def judged(passes: Asked, near: str, *, outward: bool) -> None:
    """Every far end, protocol and port asked of a rule set for one direction."""
    for far in FAR:
        for protocol in ("tcp", "udp"):
            for port in PORTS:
                source, destination = (near, far) if outward else (far, near)
                verdict = passes(protocol, source, 40000, destination, port)
                assert verdict == allowed(protocol, far, port, outward=outward), (
                    protocol,
                    far,
                    port,
                    outward,
                )


# --- Cisco ----------------------------------------------------------------------------


def lists(text: str) -> dict[str, Acl]:
    """The access lists of an IOS configuration, each read by cisco_acl."""
    found = re.findall(r"^ip access-list extended (\S+)\n((?: .*\n)+)", text, re.M)
    return {name: Acl(f"ip access-list extended {name}\n{body}", platform="ios") for name, body in found}


def cisco(acl: Acl, *, established: bool = False) -> Asked:
    """First entry that matches decides."""

    def passes(protocol: str, source: str, source_port: int, destination: str, port: int) -> bool:
        for ace in acl:
            if not isinstance(ace, Ace):
                continue  # a remark
            spoken = ace.protocol.name in ("ip", protocol)
            ends = all(
                end.line in ("any", f"host {address}")
                for end, address in ((ace.srcaddr, source), (ace.dstaddr, destination))
            )
            ports = all(
                not end.line or value in end.ports
                for end, value in ((ace.srcport, source_port), (ace.dstport, port))
            )
            begun = established or "established" not in ace.option.line
            if spoken and ends and ports and begun:
                return str(ace.action) == "permit"
        return False

    return passes


@EACH
@pytest.mark.guide("FW-4")
def test_cisco_lets_pass_what_the_guide_opens(topology: str) -> None:
    of, near, public = TOPOLOGY[topology]
    text = files(of)["cisco-ios.txt"]
    acls = lists(text)
    assert set(acls) == {"TRUNK-TO-INTERNET", "TRUNK-FROM-INTERNET"}
    judged(cisco(acls["TRUNK-TO-INTERNET"]), near, outward=True)
    judged(cisco(acls["TRUNK-FROM-INTERNET"]), near, outward=False)
    answers = cisco(acls["TRUNK-FROM-INTERNET"], established=True)
    assert answers("tcp", SIGNALLING[0], 5061, near, 40000)
    assert answers("udp", DNS, 53, near, 40000)
    assert not answers("tcp", STRANGER, 5061, near, 40000)
    assert not cisco(acls["TRUNK-FROM-INTERNET"])("tcp", SIGNALLING[0], 5061, near, 40000)
    static = f"ip nat inside source static {near} {public}"
    assert (static in text.splitlines()) is bool(public)
    assert all(len(line) < 110 and line.isascii() for line in text.splitlines() if "remark" in line)


# --- Fortinet -------------------------------------------------------------------------

Objects = dict[str, list[dict[str, list[str]]]]


def fortios(text: str) -> Objects:
    """config / edit / set / next / end, strictly; each edit's settings with its name under ``""``."""
    found: Objects = {}
    section = ""
    entry: dict[str, list[str]] | None = None
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        word, *rest = shlex.split(line)
        if word == "config" and not section:
            section = " ".join(rest)
            found.setdefault(section, [])
        elif word == "edit" and section and entry is None:
            entry = {"": rest}
        elif word == "set" and entry is not None and len(rest) >= 2 and rest[0] not in entry:
            entry[rest[0]] = rest[1:]
        elif word == "next" and entry is not None:
            found[section].append(entry)
            entry = None
        elif word == "end" and section and entry is None:
            section = ""
        else:
            raise AssertionError(f"not FortiOS here: {line}")
    assert not section
    return found


def fortinet(objects: Objects, inside: str, outside: str, *, outward: bool) -> Asked:
    """First policy of the pair of interfaces that matches decides; without one, no packet passes."""

    def named(section: str) -> dict[str, dict[str, list[str]]]:
        return {entry[""][0]: entry for entry in objects.get(section, [])}

    addresses, groups, services = (
        named(f"firewall {what}") for what in ("address", "addrgrp", "service custom")
    )
    vips = named("firewall vip")

    def holds(name: str, address: str) -> bool:
        if name == "all":
            return True
        if name in groups:
            return any(holds(member, address) for member in groups[name]["member"])
        if name in vips:
            return vips[name]["mappedip"] == [address]
        return addresses[name].get("subnet") == [address, "255.255.255.255"]

    def serves(name: str, protocol: str, port: int) -> bool:
        if name == "ALL":
            return True
        first, _, last = services[name].get(f"{protocol}-portrange", ["0"])[0].partition("-")
        return int(first) <= port <= int(last or first)

    def passes(protocol: str, source: str, source_port: int, destination: str, port: int) -> bool:
        pair = ([inside], [outside]) if outward else ([outside], [inside])
        for policy in objects["firewall policy"]:
            if (policy["srcintf"], policy["dstintf"]) != pair:
                continue
            ends = holds(policy["srcaddr"][0], source) and holds(policy["dstaddr"][0], destination)
            if ends and serves(policy["service"][0], protocol, port):
                return policy["action"] == ["accept"]
        return False

    return passes


@EACH
@pytest.mark.guide("FW-4")
def test_fortinet_lets_pass_what_the_guide_opens(topology: str) -> None:
    of, near, public = TOPOLOGY[topology]
    objects = fortios(files(of, firewall__inside="port3", firewall__outside="port1")["fortinet.txt"])
    for outward in (True, False):
        judged(fortinet(objects, "port3", "port1", outward=outward), near, outward=outward)
    names = {entry["fqdn"][0] for entry in objects["firewall address"] if "fqdn" in entry}
    assert names == {f"sbc{number}.business-talk-ip.orange-business.com" for number in (1, 2)}
    translated = [policy for policy in objects["firewall policy"] if policy.get("nat") == ["enable"]]
    if not public:
        assert not translated
        assert "firewall vip" not in objects
        return
    (pool,) = objects["firewall ippool"]
    assert pool["startip"] == pool["endip"] == [public]
    assert len(translated) == 5  # all that go out
    denied = [policy for policy in objects["firewall policy"] if policy["action"] == ["deny"]]
    assert [policy["match-vip"] for policy in denied] == [["enable"], ["enable"]]
    assert all(policy["fixedport"] == ["enable"] for policy in translated)
    for vip in objects["firewall vip"]:
        assert (vip["extip"], vip["mappedip"]) == ([public], [near])
        assert vip["extport"] == vip["mappedport"]
    assert {vip["extport"][0] for vip in objects["firewall vip"]} == {"5061", "6000-38000"}


# --- OPNsense -------------------------------------------------------------------------


def opnsense(texts: dict[str, str], interface: str) -> Asked:
    """The rules of one interface, first match first, as `quick` makes them; else no packet passes."""
    stored = json.loads(texts["opnsense/aliases.json"])["aliases"]["alias"].values()
    aliases = {alias["name"]: alias["content"].split("\n") for alias in stored}
    rules = sorted(
        csv.DictReader(texts["opnsense/rules.csv"].splitlines()), key=lambda rule: int(rule["sequence"])
    )

    def holds(name: str, address: str) -> bool:
        return name == "any" or address in aliases[name]

    def passes(protocol: str, source: str, source_port: int, destination: str, port: int) -> bool:
        for rule in rules:
            first, _, last = rule["destination_port"].partition("-")
            if (
                rule["interface"] == interface
                and rule["direction"] == "in"
                and rule["protocol"] in ("any", protocol.upper())
                and holds(rule["source_net"], source)
                and holds(rule["destination_net"], destination)
                and (not first or int(first) <= port <= int(last or first))
            ):
                assert rule["quick"] == rule["enabled"] == "1"
                return rule["action"] == "pass"
        return False

    return passes


@EACH
@pytest.mark.guide("FW-4")
def test_opnsense_lets_pass_what_the_guide_opens(topology: str) -> None:
    of, near, public = TOPOLOGY[topology]
    texts = files(of)
    judged(opnsense(texts, "opt1"), near, outward=True)
    judged(opnsense(texts, "wan"), near, outward=False)
    assert texts == files(of)  # the ids too
    assert {
        UUID(name).version for name in json.loads(texts["opnsense/aliases.json"])["aliases"]["alias"]
    } == {5}
    aliases = {a["name"] for a in json.loads(texts["opnsense/aliases.json"])["aliases"]["alias"].values()}
    assert all(re.fullmatch(r"[a-zA-Z0-9_]{1,31}", name) for name in aliases)
    if not public:
        assert "opnsense/destination-nat.csv" not in texts
        return
    inward = list(csv.DictReader(texts["opnsense/destination-nat.csv"].splitlines()))
    assert {(rule["destination.network"], rule["target"]) for rule in inward} == {
        ("trunk_public", "trunk_ipbx")
    }
    ports = {(rule["destination.port"], rule["local-port"]) for rule in inward}
    assert ports == {("5061", "5061"), ("6000-38000", "6000")}
    (outward,) = csv.DictReader(texts["opnsense/source-nat.csv"].splitlines())
    assert (outward["source_net"], outward["target"], outward["staticnatport"]) == (
        "trunk_ipbx",
        "trunk_public",
        "1",
    )


# --- all ------------------------------------------------------------------------------


HOSTILE = [
    'x"; nft flush ruleset; echo "',
    "x' $(reboot) `reboot` \\ \" <b>&amp; =cmd|' /C calc'!A0",
    "Société à l'été",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_the_site_file_cannot_become_rules(words: str) -> None:
    for of, _, _ in TOPOLOGY.values():
        plainly, hurt = files(of, customer="x"), files(of, customer=words)
        assert plainly.keys() == hurt.keys()
        for name, text in hurt.items():
            lines = [line for line in text.splitlines() if not line.startswith(("#", "!"))]
            assert lines == [line for line in plainly[name].splitlines() if not line.startswith(("#", "!"))]
            assert text.isascii()


def test_every_rule_says_its_requirement_and_its_key() -> None:
    texts = files(INTERNET_B)
    for row in openings(site(INTERNET_B), FACTS):
        if row.crosses:
            for name in (
                "nftables.nft",
                "iptables.rules",
                "cisco-ios.txt",
                "fortinet.txt",
                "opnsense/rules.csv",
            ):
                assert comment(row) in texts[name], name
                assert row.requirement in comment(row)


def test_the_firewalls_own_interfaces_are_named_where_its_maker_takes_such_names() -> None:
    texts = files(INTERNET_A, firewall__inside="GigabitEthernet0/0/7", firewall__outside="eth7")
    assert "interface GigabitEthernet0/0/7" in texts["cisco-ios.txt"]
    assert 'define inside = "dmz"' in texts["nftables.nft"]  # Linux has no such name
    assert 'define outside = "eth7"' in texts["nftables.nft"]
    assert "-i dmz -o eth7" in texts["iptables.rules"]


def test_an_ipv6_trunk_has_ipv6_rules() -> None:
    changes = {"interfaces__eth1": {"address": "2001:db8:1::10"}, "dns": ["2001:db8:53::53"]}
    texts = files(INTERNET_A, **changes)
    assert "permit udp host 2001:db8:1::10 host 2001:db8:53::53 eq 53" in texts["cisco-ios.txt"]
    assert "set ip6 2001:db8:53::53/128" in texts["fortinet.txt"]
    assert ",inet6,UDP,trunk_ipbx,,trunk_dns_server_1,53," in texts["opnsense/rules.csv"]
    assert "ip6tables.rules" in texts
    assert "iptables.rules" not in texts


def test_plain_words_and_slugs() -> None:
    assert plain("à la gare\n") == "a la gare"
    assert plain("日本") == ""
    assert slug("日本") == "x"
    assert slug("Télétravail / 2") == "teletravail-2"
