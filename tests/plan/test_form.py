"""The carrier form says what the guide asks for, from the site, and where each line comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.example_site import EXAMPLES, edited
from tests.guide.cases import amended

from trunkline.finding import Wording, told
from trunkline.guide.facts import shipped
from trunkline.plan import form, letter
from trunkline.plan.document import Table
from trunkline.site.load import load
from trunkline.site.model import Site

FACTS = shipped()["business-talk-oxo-6.x"]
EVERY = sorted(EXAMPLES.glob("*.yaml"))


def site(name: str, changes: dict[str, Any] | None = None) -> Site:
    read = load(edited(changes or {}, EXAMPLES / name), name).site
    assert read is not None
    return read


def given(name: str) -> dict[str, str]:
    return {field.id: str(field.value) for field in form.fields(site(name), FACTS)}


@pytest.mark.guide("FORM-1")
def test_over_bvpn_the_carrier_is_given_the_address_of_the_ipbx() -> None:
    assert given("bvpn.yaml")["main.address"] == "192.0.2.10"
    assert "main.public_address" not in given("bvpn.yaml")


@pytest.mark.guide("FORM-2")
@pytest.mark.parametrize(
    ("name", "address"), [("internet-a.yaml", "192.0.2.130"), ("internet-b.yaml", "198.51.100.130")]
)
def test_over_the_internet_it_is_given_the_fqdn_and_where_it_leads(name: str, address: str) -> None:
    assert given(name)["main.address"] == "ipbx.customer.example, DNS type A"
    assert given(name)["main.public_address"] == address


@pytest.mark.guide("FORM-3")
def test_remote_sites_have_nothing_to_give() -> None:
    blocks = form.chapter(site("bvpn-remote-sites.yaml"), FACTS).blocks
    table = next(block for block in blocks if isinstance(block, Table))
    assert [row.cells[2] for row in table.rows] == ["192.0.2.10", "N/A", "N/A"]
    assert [row.source.requirement for row in table.rows] == ["FORM-1", "FORM-3", "FORM-3"]
    assert "nothing to give" in given("bvpn-remote-sites.yaml")["remote.Arras"]


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_each_line_names_its_key_and_ids_are_unique(file: Path) -> None:
    lines = form.fields(site(file.name), FACTS)
    assert len({line.id for line in lines}) == len(lines)
    for line in lines:
        assert line.source.key
        assert isinstance(line.label, Wording)


@pytest.mark.guide("CERT-4")
def test_the_letter_names_who_we_are_and_what_is_asked() -> None:
    text = letter.letter(site("internet-a.yaml", {"certificates.authority": "Example CA"}), FACTS)
    backup, root = FACTS.text("internet.sbc.backup.name"), FACTS.text("certificates.carrier_root")
    for words in ("ipbx.customer.example", "Example CA", letter.FOR_CARRIER, backup, root):
        assert words in text
        assert words in told(text, "fr")


def test_a_site_without_certificates_has_no_letter() -> None:
    assert letter.chapter(site("bvpn.yaml"), FACTS) is None


def test_another_carriers_guide_asks_for_what_it_says() -> None:
    by_address = amended(FACTS, {"form.internet_main": "address", "trunk.redundancy": "two IPBX"})
    lines = {line.id: line for line in form.fields(site("internet-a.yaml"), by_address)}
    assert lines["main.address"].value == "192.0.2.130"
    assert lines["main.address"].source.key == "interfaces.eth1.address"
    asked = amended(FACTS, {"form.remote": "address", "trunk.redundancy": "two IPBX"})
    table = next(
        b for b in form.chapter(site("bvpn-remote-sites.yaml"), asked).blocks if isinstance(b, Table)
    )
    main, remote, *_ = table.rows
    assert (main.cells[1], remote.cells[2]) == ("Trunk redundancy: two IPBX", "address")


@pytest.mark.guide("FORM-2")
def test_behind_nat_the_private_address_is_never_given_as_the_public_one() -> None:
    told = {field.id: field for field in form.fields(site("internet-b.yaml", {"firewall": None}), FACTS)}
    assert told["main.public_address"].value == "198.51.100.130"  # as the gateways announce it
    assert told["main.public_address"].source.key == "trunk.gateways.0.topology.public_address"
