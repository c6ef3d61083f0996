"""The firewall's rows and chapter: the guide's table, other services apart, nothing guessed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.plan.sites import (
    EVERY,
    FACTS,
    INTERNET_A,
    INTERNET_B,
    REMOTE,
    REMOTE_INTERNET,
    answered,
    one_language,
    read,
    site,
    tables,
    without,
)

from trunkline.plan import dns, firewall, overview, tunnels
from trunkline.plan.document import Paragraph
from trunkline.plan.firewall_words import plain
from trunkline.plan.openings import Opening, openings


def shown(row: Opening) -> tuple[object, ...]:
    return (
        row.protocol,
        row.source.addresses,
        row.destination.addresses,
        row.first,
        row.last,
        row.requirement,
    )


@pytest.mark.guide("FW-1")
@pytest.mark.guide("FW-2")
@pytest.mark.guide("FW-3")
def test_the_guides_table_with_the_sites_addresses() -> None:
    rows = [row for row in openings(site(INTERNET_A), FACTS) if row.section == "trunk"]
    us, dns = ("192.0.2.130",), ("198.51.100.53",)
    sig1, sig2, med1, med2 = (
        ("194.250.129.194",),
        ("194.250.129.196",),
        ("194.250.129.193",),
        ("194.250.129.195",),
    )
    assert [shown(row) for row in rows] == [
        ("tcp", us, sig1, 5061, 5061, "FW-1"),
        ("tcp", us, sig2, 5061, 5061, "FW-1"),
        ("tcp", sig1, us, 5061, 5061, "FW-1"),
        ("tcp", sig2, us, 5061, 5061, "FW-1"),
        ("udp", us, med1, 6000, 38000, "FW-2"),
        ("udp", us, med2, 6000, 38000, "FW-2"),
        ("udp", med1, us, 6000, 38000, "FW-2"),
        ("udp", med2, us, 6000, 38000, "FW-2"),
        ("udp", us, dns, 53, 53, "FW-3"),
    ]
    assert all(row.crosses and row.whole for row in rows)
    assert rows[0].destination.name == "sbc1.business-talk-ip.orange-business.com"


@pytest.mark.guide("INET-3")
def test_topology_b_has_the_private_address_in_its_rows_and_the_public_one_in_its_translation() -> None:
    chapter = firewall.chapter(site(INTERNET_B), FACTS)
    (table,) = (table for table in tables(chapter) if table.title == "Address translation")
    assert [row.cells[2:4] for row in table.rows] == [
        ("198.51.100.130:5061", "10.20.0.10:5061"),
        ("198.51.100.130:6000-38000", "10.20.0.10:6000-38000"),
        ("10.20.0.10", "198.51.100.130"),
    ]
    assert not any("bridge" in file.name for file in chapter.files)
    (text,) = (file.text for file in chapter.files if file.name.endswith("translations.csv"))
    lines = [tuple(line.values())[:7] for line in csv.DictReader(text.splitlines())]
    us, we = "198.51.100.130", "10.20.0.10"
    assert lines == [
        ("destination", "tcp", "194.250.129.194", us, we, "5061", "5061"),
        ("destination", "tcp", "194.250.129.196", us, we, "5061", "5061"),
        ("destination", "udp", "194.250.129.193", us, we, "6000", "38000"),
        ("destination", "udp", "194.250.129.195", us, we, "6000", "38000"),
        ("source", "any", we, we, us, "kept", "kept"),
    ]


def test_media_ports_that_the_firewall_opens_otherwise_are_those_toward_the_ipbx() -> None:
    rows = openings(site(INTERNET_A, firewall__media_first="6000", firewall__media_last="6999"), FACTS)
    ports = {row.id: (row.first, row.last) for row in rows}
    assert ports["trunk/media_in/nominal"] == (6000, 6999)
    assert ports["trunk/media_out/nominal"] == (6000, 38000)


def test_over_bvpn_nothing_is_guessed() -> None:
    rows = {row.id: row for row in openings(site(), FACTS)}
    assert rows["trunk/media_in/nominal"].first is None
    assert not rows["trunk/media_in/nominal"].whole
    assert rows["trunk/signalling_out/backup"].first == 5060  # the site's own port
    chapter = firewall.chapter(site(), FACTS)
    assert [file.name for file in chapter.files] == ["firewall/openings.csv"]
    assert "ask the carrier" in chapter.files[0].text
    [media] = {row.cells[3] for row in tables(chapter)[0].rows if row.cells[2] == "phones"}
    assert media == "give interfaces.eth0.prefix"  # the carrier does not know the customer's LAN
    assert "give interfaces.eth0.prefix" in chapter.files[0].text
    assert rows["trunk/signalling_out/nominal"].destination.addresses == ()
    assert rows["trunk/signalling_out/nominal"].destination.name == "sbc1.carrier.example"


def test_the_virtual_carriers_addresses_are_never_told_as_the_carriers_over_bvpn() -> None:
    for file in EVERY:
        here = read(file.read_text("utf-8"))
        if here.over_internet:
            continue
        for_tests = {address for sbc in here.carrier.sbcs for address in (sbc.signalling, sbc.media)}
        assert for_tests
        for made in (firewall, overview, tunnels, dns):
            told = str(made.chapter(here, FACTS))
            assert not [address for address in for_tests if address in told], (file.stem, made.__name__)


def test_what_the_carrier_answered_over_bvpn_stands_everywhere_alike() -> None:
    told = answered(
        bvpn__sbc__nominal__signalling="198.18.0.10",
        bvpn__sbc__nominal__media="198.18.0.11",
        bvpn__sbc__backup__signalling="198.18.0.20",
    )
    rows = {row.id: row for row in openings(site(), told)}
    assert rows["trunk/signalling_out/nominal"].destination.addresses == ("198.18.0.10",)
    assert rows["trunk/media_in/nominal"].source.addresses == ("198.18.0.11",)
    assert rows["trunk/media_in/backup"].source.addresses == ()
    [table] = [table for table in tables(overview.chapter(site(), told)) if "Access SBCs" in table.title]
    assert [row.cells[3:5] for row in table.rows] == [
        ("198.18.0.10", "198.18.0.11"),
        ("198.18.0.20", "ask the carrier"),
    ]


def test_another_carrier_over_the_internet_may_leave_its_addresses_open() -> None:
    chapter = firewall.chapter(site(INTERNET_A), without("internet.sbc"))
    table = tables(chapter)[0]
    assert {row.cells[5] for row in table.rows} >= {
        "sbc1.business-talk-ip.orange-business.com",
        "ask the carrier",
    }
    files = {file.name: file.text for file in chapter.files}
    for name in ("nftables.nft", "iptables.rules", "cisco-ios.txt", "fortinet.txt"):
        assert files[f"firewall/{name}"].count("NOT OPEN") == 8
        assert "5061 " not in files[f"firewall/{name}"].replace("5061 accept", "")
    assert firewall.machine(site(INTERNET_A), without("internet")) == tuple(
        row for row in openings(site(INTERNET_A), FACTS) if row.section != "trunk"
    )


def test_other_services_have_sections_of_their_own() -> None:
    rows = openings(site(REMOTE_INTERNET), FACTS)
    sections = {row.section for row in rows}
    assert sections == {"trunk", "ntp", "cloud-connect", "site-vpn"}
    assert {row.section for row in rows if row.crosses} == {"trunk", "ntp"}
    titles = [table.title for table in tables(firewall.chapter(site(REMOTE_INTERNET), FACTS))]
    assert titles == ["The trunk", "Time (NTP)", "ALE Cloud Connect", "Tunnels to remote sites"]


@pytest.mark.guide("CFG-2")
def test_cloud_connect_by_the_trunks_access_is_in_the_files_and_a_time_server_on_the_lan_is_not() -> None:
    here = site(REMOTE_INTERNET, cloud_connect__access="trunk", ntp=["192.0.2.7", "198.51.100.7"])
    text = {file.name: file.text for file in firewall.chapter(here, FACTS).files}["firewall/nftables.nft"]
    assert "ip saddr 198.51.100.130 tcp dport 500 ct state new accept" in text
    assert "ip daddr 198.51.100.7 udp dport 123" in text
    assert "192.0.2.7" not in text


def test_a_tunnels_far_end_that_is_not_known_may_be_anywhere() -> None:
    rows = openings(site(REMOTE, remote_sites__0__link__router=None), FACTS)
    ipsec = [row for row in rows if row.id.startswith("site-vpn/Arras")]
    assert [(row.protocol, row.first) for row in ipsec] == [("udp", 500), ("udp", 4500), ("esp", None)]
    assert {row.source.addresses for row in ipsec} == {("0.0.0.0/0", "::/0")}


def test_a_sip_alg_is_a_warning() -> None:
    chapter = firewall.chapter(site(INTERNET_A, firewall__sip_alg="true"), FACTS)
    levels = {block.source.key: block.level for block in chapter.blocks if isinstance(block, Paragraph)}
    assert levels["firewall.sip_alg"] == "warning"


def test_a_rows_identity_stays_while_its_address_changes() -> None:
    old, new = (
        {row.id: row for row in firewall.machine(site(INTERNET_A, dns=[server]), FACTS)}
        for server in ("198.51.100.53", "198.51.100.54:5353")
    )
    assert old.keys() == new.keys()
    assert [key for key in old if old[key] != new[key]] == ["trunk/dns_out/1"]
    assert new["trunk/dns_out/1"].destination.addresses == ("198.51.100.54",)


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_every_example_has_the_chapter_in_two_languages_and_with_sources(file: Path) -> None:
    here = read(file.read_text("utf-8"))
    chapter = firewall.chapter(here, FACTS)
    assert chapter == firewall.chapter(here, FACTS)
    assert not [one for one in one_language(chapter) if one != "ESP, NAT-T" and one != "ALE Cloud Connect"]
    rows = openings(here, FACTS)
    assert len({row.id for row in rows}) == len(rows)
    for table in tables(chapter):
        assert {len(row.cells) for row in table.rows} == {len(table.head)}
        assert all(row.source.key and row.source.requirement for row in table.rows)
    (text,) = (one.text for one in chapter.files if one.name.endswith("openings.csv"))
    assert [line["id"] for line in csv.DictReader(text.splitlines())] == [plain(row.id) for row in rows]
