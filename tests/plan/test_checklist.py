"""The checklist follows the guide's chapter 5, with the site's values; ticks stay true to what was typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.plan.test_form import EVERY, FACTS, site

from trunkline.finding import ParseError, told
from trunkline.plan.checklist import chapter, steps
from trunkline.plan.document import Step
from trunkline.plan.progress import Progress, State

NINE = (
    *("general", "dns", "domain_proxy", "registration", "media"),
    *("identity", "protocol", "topology", "security"),
)
AT = "2026-11-26T10:00:00+00:00"


def by_id(name: str, changes: dict[str, Any] | None = None) -> dict[str, Step]:
    return {step.id: step for step in steps(site(name, changes), FACTS)}


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_steps_have_ids_of_their_own_and_a_source(file: Path) -> None:
    made = steps(site(file.name), FACTS)
    assert len({step.id for step in made}) == len(made)
    for step in made:
        assert step.source.key
        assert told(step.where, "fr")
        assert step.does
        assert hasattr(step.verify, "french"), f"{step.id}: nobody can verify it"


@pytest.mark.guide("CFG-3")
def test_topology_a_types_the_name_on_eth0_and_the_public_address_on_eth1_then_reboots() -> None:
    made = [step for step in steps(site("internet-a.yaml"), FACTS) if step.id.startswith("address.")]
    assert [(step.id, str(step.value)) for step in made] == [
        ("address.eth0", "ipbx.customer.example"),
        ("address.eth1", "192.0.2.130"),
        ("address.dns", "198.51.100.53"),
        ("address.reboot", ""),
    ]
    assert made[-1].reboot
    assert made[0].where == FACTS.text("omc.eth0")


@pytest.mark.guide("CFG-4")
def test_topology_b_types_the_private_address_the_routes_and_static_nat() -> None:
    made = by_id("internet-b.yaml")
    assert made["address.eth1"].value == "10.20.0.10"
    assert "address.routes" in made
    for gateway in (1, 2):
        assert made[f"gateway.{gateway}.topology"].value == "eth1 / Static NAT on / 198.51.100.130:5061"


@pytest.mark.guide("CFG-1")
def test_bulletins_and_profile_are_named_in_the_readers_language() -> None:
    step = by_id("bvpn.yaml")["before.interoperability"]
    number, english, french = FACTS.words("bulletins.interoperability")
    assert (step.value, told(step.value, "fr")) == (english, french)
    assert number in step.does
    assert by_id("bvpn.yaml")["before.profile_import"].value == FACTS.text("bulletins.profile")


@pytest.mark.guide("SEC-5")
def test_the_nine_tabs_come_in_omcs_order_dns_before_domain_proxy() -> None:
    tabs = [step.id for step in steps(site("internet-a.yaml"), FACTS) if step.id.startswith("gateway.2.")]
    assert tabs == [f"gateway.2.{name}" for name in NINE]
    backup = FACTS.text("internet.sbc.backup.name")
    assert backup in by_id("internet-a.yaml")["gateway.2.domain_proxy"].value


@pytest.mark.guide("CERT-1")
def test_certificates_are_a_stage_only_over_the_internet_and_each_import_reboots() -> None:
    assert not [step for step in by_id("bvpn.yaml") if step.startswith(("certificate.", "encryption."))]
    made = by_id("internet-a.yaml")
    reboots = [step.id for step in made.values() if step.reboot]
    assert reboots == [
        "address.reboot",
        "certificate.install",
        "certificate.trust.root",
        "certificate.trust.intermediate",
        "certificate.trust.own",
    ]
    assert made["certificate.csr"].value == (
        "L = Generic, O = OmniPCX Office, OU = OmniPCX Office, CN = SAN = ipbx.customer.example, RSA 2048"
    )


def test_over_bvpn_no_step_cites_what_the_guide_asks_over_the_internet_alone() -> None:
    cited = {one for step in by_id("bvpn.yaml").values() for one in step.source.requirement.split(", ")}
    assert not [one for one in cited if one.startswith(("SEC-", "CERT-", "FW-", "CODEC-", "INET-"))]


def test_a_tick_holds_until_the_value_changes() -> None:
    before, after = by_id("bvpn.yaml"), by_id("bvpn.yaml", {"trunk.channels": "10"})
    done = Progress().ticked([before["lines.access"], before["lines.group"]], AT, "Anne")
    assert done.state(before["lines.access"]) is State.DONE
    assert done.state(after["lines.access"]) is State.CHANGED
    assert done.state(after["lines.group"]) is State.DONE
    assert done.state(after["proof.in"]) is State.OPEN
    assert done.cleared(["lines.access"]).state(before["lines.access"]) is State.OPEN


def test_progress_reads_back_what_it_wrote() -> None:
    done = Progress().ticked(steps(site("internet-b.yaml"), FACTS), AT, "é")
    assert Progress.parse(str(done)) == done


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "ticks": {}}',
        '{"format": 1, "ticks": []}',
        '{"format": 1, "ticks": {"a": {"at": 1}}}',
        "[" * 100_000,
        '{"format": 1, "ticks": {"a": {"at": "", "value": "' + "x" * 2000 + '", "note": ""}}}',
    ],
    ids=range(8),
)
def test_what_is_no_progress_file_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        Progress.parse(text)


def test_the_chapter_holds_every_stage() -> None:
    titles = [getattr(block, "title", "") for block in chapter(site("internet-b.yaml"), FACTS).blocks]
    assert "Certificates" in titles
    assert "SIP gateway 2: backup" in titles
