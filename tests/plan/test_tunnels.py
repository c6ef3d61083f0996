"""What stands in the tunnels' files, and what is said where none is written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.plan.sites import (
    EVERY,
    FACTS,
    REMOTE,
    REMOTE_INTERNET,
    answered,
    one_language,
    read,
    site,
    tables,
)

from packages import find
from trunkline.plan import tunnels
from trunkline.plan.document import Chapter, Paragraph


def texts(chapter: Chapter) -> dict[str, str]:
    return {file.name: file.text for file in chapter.files}


def words(chapter: Chapter) -> str:
    return " ".join(block.words for block in chapter.blocks if isinstance(block, Paragraph))


@pytest.mark.guide("BVPN-3")
def test_over_bvpn_a_remote_site_reaches_the_lan_the_sbcs_media_and_its_neighbours() -> None:
    told = answered(bvpn__sbc__nominal__media="198.18.0.11", bvpn__sbc__backup__media="198.18.0.21")
    remote = texts(tunnels.chapter(site(REMOTE), told))["vpn/strongswan/arras/swanctl.conf"]
    assert "remote_ts = 192.0.2.0/24,198.18.0.11/32,198.18.0.21/32,192.168.21.0/24" in remote
    assert "copy_dscp = out" in remote


@pytest.mark.guide("INET-5")
def test_over_the_internet_a_remote_site_reaches_the_lan_alone() -> None:
    remote = texts(tunnels.chapter(site(REMOTE_INTERNET), FACTS))["vpn/wireguard/beaune/tl-beaune.conf"]
    assert "allowed-ips 10.255.0.1/32,192.0.2.0/24\n" in remote
    assert "endpoint vpn.customer.example:51820" in remote


def test_no_key_stands_in_any_file() -> None:
    for of in (REMOTE, REMOTE_INTERNET):
        for text in texts(tunnels.chapter(site(of), FACTS)).values():
            assert "PrivateKey" not in text
            assert "PublicKey" not in text
            assert "secret =" not in text


def test_phones_with_their_own_client_get_a_note_and_no_file() -> None:
    chapter = tunnels.chapter(site(REMOTE_INTERNET), FACTS)
    assert not any("teletravail" in name for name in texts(chapter))
    assert "Télétravail: the phones' own VPN client" in words(chapter)


def test_what_is_missing_for_a_file_is_named() -> None:
    chapter = tunnels.chapter(site(REMOTE_INTERNET, remote_sites__0__network=None, vpn__key=None), FACTS)
    assert chapter.files == ()
    assert "No file for Beaune: remote_sites.0.network, vpn.key must be given first." in words(chapter)
    alone = tunnels.chapter(site(REMOTE_INTERNET, vpn=None), FACTS)
    assert "vpn, vpn.address, vpn.key" in words(alone)
    full = tunnels.chapter(site(REMOTE_INTERNET, vpn__network="10.255.0.0/31"), FACTS)
    assert "vpn.network must be given first" in words(full)


def test_a_prefix_that_cannot_be_leads_to_the_ipbx_alone() -> None:
    made = texts(tunnels.chapter(site(REMOTE_INTERNET, interfaces__eth0__prefix="64"), FACTS))
    assert ",192.0.2.10/32\n" in made["vpn/wireguard/beaune/tl-beaune.conf"]


def test_a_secret_of_its_own_is_all_that_ipsec_needs() -> None:
    made = texts(tunnels.chapter(site(REMOTE, vpn__key=None), FACTS))
    assert sorted(made) == ["vpn/strongswan/arras/swanctl.conf", "vpn/strongswan/main-site/swanctl.conf"]


def test_labels_that_are_alike_and_one_like_the_main_sites_folder_have_files_of_their_own() -> None:
    link = {"kind": "internet", "kbps": "100", "vpn": "ipsec", "vpn_key": "k"}
    labels = ("Main site", "Main-site", "Zone industrielle nord", "Zone industrielle sud")
    sites = [
        {"label": label, "channels": "1", "network": f"192.168.{30 + number}.0/24", "link": dict(link)}
        for number, label in enumerate(labels)
    ]
    chapter = tunnels.chapter(site(REMOTE_INTERNET, remote_sites=sites, users=[], endpoints=[]), FACTS)
    assert len({file.name for file in chapter.files}) == len(chapter.files) == 5


def test_a_router_without_address_dials_in() -> None:
    wireguard = site(REMOTE_INTERNET, remote_sites__0__link__router=None)
    assert "endpoint" not in texts(tunnels.chapter(wireguard, FACTS))["vpn/wireguard/main-site/tl-voice.conf"]
    ipsec = texts(tunnels.chapter(site(REMOTE, remote_sites__0__link__router=None), FACTS))
    assert "remote_addrs = %any" in ipsec["vpn/strongswan/main-site/swanctl.conf"]
    assert "start_action = none" in ipsec["vpn/strongswan/main-site/swanctl.conf"]


def test_ipv6_ends_are_written_as_such() -> None:
    here = site(REMOTE_INTERNET, vpn__address="2001:db8::1", vpn__network="fd00:1::/64")
    remote = texts(tunnels.chapter(here, FACTS))["vpn/wireguard/beaune/tl-beaune.conf"]
    assert "endpoint [2001:db8::1]:51820" in remote
    assert "allowed-ips fd00:1::1/128" in remote


@pytest.mark.network  # wg-quick wants to be root, and is inside
def test_hostile_labels_and_key_names_stay_words(tmp_path: Path) -> None:
    names = ("Aix; rm -rf /", "Aix $(reboot)", "à côté de la très longue gare")
    link = {"kind": "internet", "kbps": "100", "vpn": "wireguard", "vpn_key": "secrets/x;$(reboot).p ub"}
    sites = [
        {"label": label, "channels": "1", "network": f"192.168.{20 + number}.0/24", "link": dict(link)}
        for number, label in enumerate(names)
    ]
    changes = {"remote_sites": sites, "users": [], "endpoints": []}
    made = texts(tunnels.chapter(site(REMOTE_INTERNET, **changes), FACTS))
    assert len({name for name in made if "main-site" not in name}) == 3
    for name, text in made.items():
        assert "reboot)" not in text
        assert "; rm" not in text
        (tmp_path / Path(name).name).write_text(text)
        command = [str(find("wg-quick")), "strip", str(tmp_path / Path(name).name)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "ListenPort = 51820" in done.stdout


@pytest.mark.guide("QOS-1")
def test_wireguard_must_be_marked_again_and_ipsec_copies() -> None:
    assert "marks" not in words(tunnels.chapter(site(), FACTS))
    told = words(tunnels.chapter(site(REMOTE), FACTS))
    assert "copy_dscp" in told
    assert "the tunnel must then carry voice alone" in told


def test_unknown_media_addresses_are_the_carriers_to_tell() -> None:
    chapter = tunnels.chapter(site(REMOTE), FACTS)
    assert "ask the carrier" in words(chapter)
    assert not [text for text in texts(chapter).values() if "198.51.100.11" in text]  # the virtual carrier's


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_every_example_has_the_chapter_in_two_languages_and_with_sources(file: Path) -> None:
    here = read(file.read_text("utf-8"))
    chapter = tunnels.chapter(here, FACTS)
    assert chapter == tunnels.chapter(here, FACTS)
    labels = {remote.label for remote in here.remote_sites}
    assert not [one for one in one_language(chapter) if one not in labels]
    for table in tables(chapter):
        assert {len(row.cells) for row in table.rows} == {len(table.head)}
        assert all(row.source.key and row.source.requirement for row in table.rows)
