"""Sizing: the guide's five scenarios counted, each link held against its rate, Erlang both ways, what-if."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.plan.sites import EVERY, FACTS, REMOTE, REMOTE_INTERNET, one_language, read, site, tables, without

from trunkline.finding import told
from trunkline.plan import erlang, sizing
from trunkline.plan.curve import figure as curve
from trunkline.plan.document import Chapter, Figure, Paragraph, Table
from trunkline.plan.figures import percent
from trunkline.plan.load import links, load, users_of

KNOWN = ("traffic", "remote_sites", "trunk.", "wan")


def text_of(chapter: Chapter) -> str:
    return " ".join(block.words for block in chapter.blocks if isinstance(block, Paragraph))


def bandwidth(chapter: Chapter) -> Table:
    (found,) = (table for table in tables(chapter) if table.title == "Bandwidth of each link")
    return found


@pytest.mark.guide("CAC-3")
def test_channels_by_scenario_of_a_site_with_two_remote_ones() -> None:
    here = site(REMOTE)  # 13 E at 1 %: 22 calls, of which 6 and 4 remote; 2 on hold, 2 forced on-net
    plan = load(here, FACTS)
    assert [row.calls for row in plan.planned] == [12, 8, 2, 0, 2]
    assert plan.at("ipbx") == 12 + 8 + 2 * 2 + 2 * 2
    assert plan.at("wan_hq") == 12 + 2 + 2
    assert plan.at("wan_rs") == 8 + 2 + 2
    assert plan.at("carrier_hq") == 12
    assert plan.at("carrier_rs") == 8 + 2


@pytest.mark.guide("CAC-2")
def test_each_link_is_held_against_its_rate() -> None:
    main, arras, douai = links(site(REMOTE), FACTS, load(site(REMOTE), FACTS))
    assert (main.channels, arras.channels, douai.channels) == (16, 8, 6)
    assert main.true_kbps == 1283  # 16 x (80.0 + 0.17)
    assert arras.voice.tunnel == "ipsec-gcm"
    assert douai.voice.tunnel == "wireguard"
    assert arras.true_kbps > 8 * 102.4
    verdicts = {row.cells[0]: row.cells[-1] for row in bandwidth(sizing.chapter(site(REMOTE), FACTS)).rows}
    assert set(verdicts.values()) == {"enough"}
    changed = site(REMOTE, wan__kbps="1200", remote_sites__0__link__kbps="300")
    rows = {row.cells[0]: row for row in bandwidth(sizing.chapter(changed, FACTS)).rows}
    assert rows["main site"].cells[-1] == "too narrow by 83 kb/s"
    assert told(rows["main site"].cells[-1], "fr") == "trop étroit de 83 kbit/s"
    assert rows["Arras"].cells[-1].startswith("too narrow")
    assert rows["Arras"].source.key == "remote_sites.0.link.kbps"


@pytest.mark.guide("INET-4")
def test_over_the_internet_remote_media_is_counted_at_the_main_site_too() -> None:
    chapter = sizing.chapter(site(REMOTE_INTERNET), FACTS)
    by_table, carried, *_ = bandwidth(chapter).rows
    assert int(carried.cells[1]) == int(by_table.cells[1]) + 4 + 2
    assert "crosses the main site's access twice" in text_of(chapter)


def test_an_ipbx_that_is_planned_over_its_bound_is_told() -> None:
    assert "order 28" in text_of(sizing.chapter(site(REMOTE), FACTS))
    roomy = sizing.chapter(site(REMOTE, trunk__channels="30"), FACTS)
    assert "takes 28 of the trunk's 30 channels" in text_of(roomy)


def test_what_if_keeps_the_traffic_of_a_user() -> None:
    here = site(REMOTE)
    users = users_of(here)
    assert users == 53
    (table,) = (
        table for table in tables(sizing.chapter(here, FACTS, 12)) if table.title == "What if +12 users"
    )
    figures = {row.cells[0]: row.cells[1:] for row in table.rows}
    more = 13 * 65 / 53
    assert figures["traffic (E)"] == ("13.00", f"{more:.2f}")
    assert figures["calls at once with the public network"] == ("22", str(erlang.channels(more, 0.01)))
    assert figures["users"] == ("53", "65")
    fewer = load(here, FACTS, -60)
    assert fewer.traffic == 0
    assert fewer.offnet == 0


def test_what_if_without_traffic_says_what_it_needs() -> None:
    chapter = sizing.chapter(site(), FACTS, 12)
    assert "give traffic.busy_hour_erlang" in text_of(chapter)
    assert not [block for block in chapter.blocks if isinstance(block, Figure)]


@pytest.mark.parametrize("share", ["1e-300", "0.9999999999999"])
def test_any_blocking_of_a_site_file_can_be_computed(share: str) -> None:
    traffic = {"busy_hour_erlang": "1000", "blocking": share}
    chapter = sizing.chapter(site(REMOTE, traffic=traffic, trunk__channels="1000"), FACTS, 10_000)
    assert len(tables(chapter)) == 5


def test_percent_never_says_nothing_of_something() -> None:
    assert percent(1e-7) == "< 0.01 %"
    assert told(percent(1e-7), "fr") == "< 0,01 %"
    assert percent(0.0) == "0.00 %"
    assert told(percent(0.25), "fr") == "25,0 %"


def test_without_traffic_the_channels_of_the_trunk_are_the_plan() -> None:
    plan = load(site(), FACTS)
    assert plan.traffic is None
    assert plan.at("ipbx") == 12


def test_another_carriers_guide_may_say_nothing_of_sizing() -> None:
    chapter = sizing.chapter(site(REMOTE), without("sizing"), 12)
    assert [table.title for table in tables(chapter)] == [
        "What one channel takes", "Channels and blocking", "What if +12 users",
    ]  # fmt: skip
    assert "ask the carrier" in text_of(chapter)
    unpriced = sizing.chapter(site(REMOTE), without("sizing.channel_kbps"))
    assert {row.cells[2] for row in bandwidth(unpriced).rows} == {"ask the carrier"}


def test_the_curve_is_well_formed_in_both_languages_and_shows_the_point() -> None:
    (figure,) = (
        block for block in sizing.chapter(site(REMOTE), FACTS, 0).blocks if isinstance(block, Figure)
    )
    for svg, word in ((figure.english, "channels"), (figure.french, "canaux")):
        root = ElementTree.fromstring(svg)
        texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        assert word in texts
        share = f"{erlang.blocking(13, 24) * 100:.2f}"
        assert any((share if word == "channels" else share.replace(".", ",")) in str(text) for text in texts)
        assert "prefers-color-scheme:dark" in svg


def test_the_curve_draws_from_very_little_to_very_much_traffic() -> None:
    for traffic, channels, most in ((0.01, 1, 0.5), (900.0, 1000, 0.001), (5.0, 1, 0.01), (1.0, 400, 1e-9)):
        drawn = curve(traffic, channels, most)
        for node in ElementTree.fromstring(drawn.english).iter():
            for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy"):
                assert 0 <= float(node.get(name, "0")) <= 720


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_every_example_is_sized_in_two_languages_and_with_sources(file: Path) -> None:
    here = read(file.read_text("utf-8"))
    chapter = sizing.chapter(here, FACTS, 12)
    assert chapter == sizing.chapter(here, FACTS, 12)
    labels = {remote.label for remote in here.remote_sites}
    assert not [words for words in one_language(chapter) if words not in labels and "ms" not in words]
    for table in tables(chapter):
        assert {len(row.cells) for row in table.rows} == {len(table.head)}
        assert all(row.source.requirement and row.source.key.startswith(KNOWN) for row in table.rows)
