"""Every requirement marked **out** has its place in a dossier, with its value, and no place elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Final

import pytest
from tests.example_site import EXAMPLES
from tests.guide.requirements import LIST
from tests.plan.sites import FACTS, read

from trunkline.plan.document import Chapter, Paragraph, Steps, Table
from trunkline.plan.dossier import dossier

BVPN: Final = ("bvpn", "bvpn-drom", "bvpn-rainbow-oce", "bvpn-rainbow-powercpu", "bvpn-remote-sites")
INTERNET: Final = ("internet-a", "internet-a-remote-sites", "internet-b")
EVERY: Final = (*BVPN, *INTERNET)
REMOTE: Final = ("bvpn-remote-sites", "internet-a-remote-sites")
SBC1: Final = FACTS.text("internet.sbc.nominal.name")
SIGNALLING, MEDIA = FACTS.text("internet.sbc.nominal.signalling"), FACTS.text("internet.sbc.backup.media")

# Each requirement: the examples it holds for, the chapter, and what stands in one of the items that cite it.
PLACES: Final[dict[str, tuple[tuple[str, ...], str, str]]] = {
    "BVPN-3": (("bvpn-remote-sites",), "tunnels", "IPsec (strongSwan)"),
    "CAC-2": (EVERY, "sizing", "80"),
    "CAC-3": (EVERY, "sizing", "(1 × "),
    "INET-5": (("internet-a-remote-sites",), "tunnels", "WireGuard"),
    "FW-1": (INTERNET, "firewall", SIGNALLING),
    "FW-2": (INTERNET, "firewall", MEDIA),
    "FW-3": (INTERNET, "firewall", "198.51.100.53"),
    "FW-4": (INTERNET, "firewall", "nothing else"),
    "FORM-1": (BVPN, "carrier-form", "192.0.2.10"),
    "FORM-2": (INTERNET, "carrier-form", "ipbx.customer.example, DNS type A"),
    "FORM-3": (REMOTE, "carrier-form", "N/A"),
    "CFG-1": (EVERY, "checklist", FACTS.text("bulletins.profile")),
    "CFG-2": (EVERY, "checklist", "udp/4500"),
    "CFG-3": (("internet-a", "internet-a-remote-sites"), "checklist", "ipbx.customer.example"),
    "CFG-4": (("internet-b",), "checklist", "Static NAT on / 198.51.100.130:5061"),
    "CERT-1": (INTERNET, "checklist", "CN = SAN = ipbx.customer.example, RSA 2048"),
    "CERT-4": (INTERNET, "chain-exchange", "for-carrier.pem"),
    "SEC-1": (INTERNET, "checklist", "DTLS Encryption = on"),
    "SEC-2": (INTERNET, "checklist", "UDP to TCP switching = on"),
    "SEC-3": (INTERNET, "checklist", "DNS A: 198.51.100.53"),
    "SEC-4": (INTERNET, "checklist", "on / on / on / AES_CM_128_HMAC_SHA1_80"),
    "SEC-5": (INTERNET, "checklist", f"{SBC1} / {SBC1} / {SBC1}"),
}


@cache
def chapters(name: str) -> tuple[Chapter, ...]:
    return dossier(read((EXAMPLES / f"{name}.yaml").read_text("utf-8")), FACTS, date(2026, 12, 1))


def items(chapter: Chapter) -> Iterator[tuple[str, str]]:
    """The requirements that each item cites, and what it says."""
    for block in chapter.blocks:
        match block:
            case Paragraph():
                yield block.source.requirement, block.words
            case Table():
                yield from ((row.source.requirement, " | ".join(row.cells)) for row in block.rows)
            case Steps():
                yield from (
                    (step.source.requirement, f"{step.does} | {step.value} | {step.verify}")
                    for step in block.steps
                )


def cited(name: str) -> set[str]:
    return {
        one
        for chapter in chapters(name)
        for ids, _ in items(chapter)
        for one in re.findall(r"[A-Z]+-\d+", ids)
    }


@pytest.mark.parametrize("requirement", PLACES)
def test_a_requirement_stands_with_its_value_in_each_dossier_that_it_holds_for(requirement: str) -> None:
    examples, id, value = PLACES[requirement]
    for name in examples:
        [chapter] = [chapter for chapter in chapters(name) if chapter.id == id]
        told = [says for ids, says in items(chapter) if requirement in re.findall(r"[A-Z]+-\d+", ids)]
        assert any(value in says for says in told), (name, told)


@pytest.mark.parametrize("requirement", PLACES)
def test_a_requirement_is_cited_in_no_dossier_that_it_does_not_hold_for(requirement: str) -> None:
    assert {name for name in EVERY if requirement in cited(name)} == set(PLACES[requirement][0])


def test_no_requirement_of_the_list_is_left_without_a_place() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.yaml")} == set(EVERY)
    if LIST.exists():  # the workplace's list; it is no part of the repository
        rows = re.findall(r"^\| ([A-Z]+-\d+) \|.*\|([^|]*)\|\s*$", LIST.read_text("utf-8"), re.MULTILINE)
        assert {id for id, how in rows if re.search(r"\bout\b", how)} == set(PLACES)
