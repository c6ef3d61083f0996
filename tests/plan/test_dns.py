"""The records to publish, judged by named-checkzone; the names that must resolve."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.plan.sites import (
    EVERY,
    FACTS,
    INTERNET_A,
    INTERNET_B,
    REMOTE_INTERNET,
    one_language,
    read,
    site,
    without,
)

from packages import find
from trunkline.plan import dns
from trunkline.plan.document import Chapter

RECORD = {"name": "ipbx.customer.example", "type": "A", "value": "192.0.2.130"}


def checked(chapter: Chapter, folder: Path) -> list[str]:
    """named-checkzone on each zone of a chapter, run where the files lie; what it loaded."""
    for file in chapter.files:
        (folder / file.name).parent.mkdir(exist_ok=True, parents=True)
        (folder / file.name).write_text(file.text)
    told = []
    for file in chapter.files:
        if file.name.endswith(".check"):
            origin = file.name.removeprefix("dns/").removesuffix(".zone.check")
            command = [str(find("named-checkzone")), "-i", "local", "-D", origin, file.name]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            told += [" ".join(line.split()) for line in done.stdout.splitlines()]
    return told


@pytest.mark.interop
@pytest.mark.guide("DNS-1")
@pytest.mark.parametrize(
    ("of", "address"), [(INTERNET_A, "192.0.2.130"), (INTERNET_B, "198.51.100.130")], ids=("a", "b")
)
def test_the_fqdn_leads_to_the_public_address(of: Path, address: str, tmp_path: Path) -> None:
    told = checked(dns.chapter(site(of), FACTS), tmp_path)
    assert f"ipbx.customer.example. 3600 IN A {address}" in told


@pytest.mark.interop
@pytest.mark.guide("FORM-2")
def test_a_record_that_the_file_leaves_out_is_made_from_the_address(tmp_path: Path) -> None:
    here = site(INTERNET_B, dns_records=None)
    assert [one[1:5] for one in dns.published(here, FACTS)] == [
        ("ipbx.customer.example", "A", "198.51.100.130", 3600)
    ]
    assert "ipbx.customer.example. 3600 IN A 198.51.100.130" in checked(dns.chapter(here, FACTS), tmp_path)


@pytest.mark.interop
def test_every_type_and_several_zones_are_read(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        RECORD,
        {"name": "voice.customer.example", "type": "CNAME", "value": "ipbx.customer.example", "ttl": "300"},
        {"name": "sip.other.example", "type": "SRV", "value": "10 20 5061 ipbx.customer.example"},
        {"name": "ipbx6.customer.example", "type": "AAAA", "value": "2001:db8::10"},
        {"name": "a.b.customer.example", "type": "A", "value": "192.0.2.131"},
    ]
    chapter = dns.chapter(site(INTERNET_A, dns_records=records), FACTS)
    assert [file.name for file in chapter.files if file.name.endswith(".zone")] == [
        "dns/customer.example.zone", "dns/other.example.zone",
    ]  # fmt: skip
    told = checked(chapter, tmp_path)
    assert "voice.customer.example. 300 IN CNAME ipbx.customer.example." in told
    assert "sip.other.example. 3600 IN SRV 10 20 5061 ipbx.customer.example." in told
    assert "a.b.customer.example. 3600 IN A 192.0.2.131" in told


@pytest.mark.interop
def test_a_wrong_record_is_seen_by_the_judge(tmp_path: Path) -> None:
    wrong = [RECORD, {"name": "x.customer.example", "type": "A", "value": "no-address"}]
    with pytest.raises(AssertionError, match="bad dotted quad"):
        checked(dns.chapter(site(INTERNET_A, dns_records=wrong), FACTS), tmp_path)


def test_a_records_identity_stays_while_its_value_changes() -> None:
    old, new = (
        dns.published(
            site(INTERNET_A, dns_records=[dict(RECORD, value=value), dict(RECORD, value="192.0.2.9")]), FACTS
        )
        for value in ("192.0.2.130", "192.0.2.131")
    )
    assert [one.id for one in old] == [one.id for one in new]
    assert [one.id for one in old] == ["ipbx.customer.example/A", "ipbx.customer.example/A/2"]
    assert old[0] != new[0]


def test_what_is_reached_by_address_is_not_looked_up() -> None:
    changes = {
        "trunk__gateways__0__dns": {"mode": "none"},
        "trunk__gateways__1__domain_proxy__outbound_proxy": "198.51.100.9",
        "vpn__address": "203.0.113.1",
        "ntp": ["198.51.100.7"],
        "remote_sites__0__link__router": "beaune.customer.example",
    }
    names = dns.resolved(site(REMOTE_INTERNET, **changes), FACTS)
    assert [(one.name, one.key) for one in names] == [
        ("beaune.customer.example", "remote_sites.0.link.router")
    ]


@pytest.mark.guide("SBC-1")
def test_the_names_to_resolve_and_what_they_lead_to() -> None:
    names = {one.name: one for one in dns.resolved(site(REMOTE_INTERNET), FACTS)}
    assert names["sbc1.business-talk-ip.orange-business.com"].expected == "194.250.129.194"
    assert names["sbc2.business-talk-ip.orange-business.com"].expected == "194.250.129.196"
    assert names["ntp.customer.example"].key == "ntp.0"
    assert names["vpn.customer.example"].key == "vpn.address"


def test_srv_asks_for_the_service_too() -> None:
    here = site(INTERNET_A, trunk__gateways__0__dns__mode="SRV")
    first = dns.resolved(here, FACTS)[0]
    assert (first.name, first.type) == ("_sips._tcp.sbc1.business-talk-ip.orange-business.com", "SRV")


def test_another_carriers_names_lead_where_only_it_knows() -> None:
    (table,) = (block for block in dns.chapter(site(INTERNET_A), without("internet.sbc")).blocks[-1:])
    assert "ask the carrier" in str(table)


def test_over_bvpn_nothing_is_published() -> None:
    chapter = dns.chapter(site(), FACTS)
    assert chapter.files == ()
    assert "Nothing to publish" in str(chapter.blocks[0])


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_every_example_has_the_chapter_in_two_languages(file: Path) -> None:
    here = read(file.read_text("utf-8"))
    chapter = dns.chapter(here, FACTS)
    assert chapter == dns.chapter(here, FACTS)
    assert not one_language(chapter)
