"""The architecture drawing: what it shows, that all of it fits, and that it is well-formed SVG."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench.plan import site as site_of_many
from tests.example_site import EXAMPLES, edited
from tests.plan.hostile import NAMES
from tests.plan.hostile import site as hostile_site

from trunkline.guide.facts import shipped
from trunkline.plan.drawing import drawing
from trunkline.plan.drawing_sheet import Box
from trunkline.plan.drawing_text import width
from trunkline.site.load import load
from trunkline.site.model import Site

SVG = "{http://www.w3.org/2000/svg}"
FACTS = shipped()["business-talk-oxo-6.x"]
FILES = sorted(EXAMPLES.glob("*.yaml"))
BOTH = pytest.mark.parametrize("language", ["english", "french"])


def site_of(text: str) -> Site:
    loaded = load(text, "site.yaml")
    assert loaded.site is not None, loaded.findings
    return loaded.site


def drawn(site: Site, language: str = "english") -> ElementTree.Element:
    """The drawing, as any XML reader takes it."""
    return ElementTree.fromstring(getattr(drawing(site, FACTS), language))


def boxes(root: ElementTree.Element) -> dict[str, Box]:
    """Each box by its title line."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("class", "").startswith("box"):
            rect, title = group.find(f"{SVG}rect"), group.find(f"{SVG}title")
            assert rect is not None
            assert title is not None
            sizes = (float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
            found[str(title.text)] = Box(*sizes)
    return found


def named(root: ElementTree.Element, start: str) -> Box:
    [box] = [box for name, box in boxes(root).items() if name.startswith(start)]
    return box


def words(root: ElementTree.Element) -> str:
    return " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))


def lines(root: ElementTree.Element, kind: str) -> Iterator[list[tuple[float, float]]]:
    """The corner points of each line of a kind."""
    for path in root.iter(f"{SVG}path"):
        if path.get("class") == kind:
            numbers = [float(number) for number in re.findall(r"-?[0-9.]+", path.get("d", ""))]
            yield list(zip(numbers[::2], numbers[1::2], strict=True))


def touches(line: list[tuple[float, float]], box: Box) -> bool:
    """Whether one of a line's pieces enters or meets a box."""
    for (x0, y0), (x1, y1) in pairwise(line):
        low, high = sorted((x0, x1)), sorted((y0, y1))
        if low[0] <= box.right and low[1] >= box.x and high[0] <= box.bottom and high[1] >= box.y:
            return True
    return False


@BOTH
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_text_fits_its_box_and_no_box_lies_on_another(file: Path, language: str) -> None:
    root = drawn(site_of(file.read_text("utf-8")), language)
    check_layout(root)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_text_within_their_boxes(name: str) -> None:
    root = drawn(hostile_site(name))
    check_layout(root)
    assert not list(root.iter(f"{SVG}script"))
    assert not list(root.iter(f"{SVG}img"))
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on")]


def check_layout(root: ElementTree.Element) -> None:
    _, _, wide, high = map(float, root.get("viewBox", "").split())
    placed = boxes(root)
    assert len(placed) >= 5
    for name, box in placed.items():
        assert min(box.x, box.y, wide - box.right, high - box.bottom) >= 0, name
        for other, there in placed.items():
            apart = (
                box.right <= there.x or there.right <= box.x or box.bottom <= there.y or there.bottom <= box.y
            )
            assert apart or other == name, (name, other)
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is None:
            continue
        right = float(rect.get("x", "")) + float(rect.get("width", ""))
        bottom = float(rect.get("y", "")) + float(rect.get("height", ""))
        for text in group.iter(f"{SVG}text"):
            bold = text.get("class") == "title"
            shown = str(text.text)
            assert float(text.get("x", "")) + width(shown, 14 if bold else 13, bold) <= right, shown
            assert float(text.get("y", "")) + 4 <= bottom, shown


@pytest.mark.guide("BVPN-2")
def test_over_bvpn_media_goes_from_phone_to_sbc_past_the_ipbx() -> None:
    root = drawn(site_of((EXAMPLES / "bvpn.yaml").read_text("utf-8")))
    ipbx, phones, router = (named(root, start) for start in ("IPBX", "Phones", "WAN router"))
    media = list(lines(root, "media"))
    assert any(touches(line, phones) and touches(line, router) for line in media)
    assert not any(touches(line, ipbx) for line in media)
    assert any(touches(line, ipbx) and touches(line, phones) for line in lines(root, "signalling"))


@pytest.mark.guide("INET-4")
@pytest.mark.parametrize("name", ["internet-a", "internet-b", "internet-a-remote-sites"])
def test_over_the_internet_all_media_ends_at_the_ipbx(name: str) -> None:
    root = drawn(site_of((EXAMPLES / f"{name}.yaml").read_text("utf-8")))
    ipbx, phones, firewall = (named(root, start) for start in ("IPBX", "Phones", "Firewall"))
    media = list(lines(root, "media"))
    assert any(touches(line, phones) and touches(line, ipbx) for line in media)
    assert any(touches(line, ipbx) and touches(line, firewall) for line in media)
    assert not any(touches(line, phones) and touches(line, firewall) for line in media)


@pytest.mark.guide("SBC-1")
def test_the_sbcs_of_the_guide_bear_both_their_addresses() -> None:
    shown = words(drawn(site_of((EXAMPLES / "internet-a.yaml").read_text("utf-8"))))
    for role in ("nominal", "backup"):
        for what in ("signalling", "media"):
            assert FACTS.text(f"internet.sbc.{role}.{what}") in shown


def test_what_the_guide_leaves_open_is_to_be_asked() -> None:
    site = site_of((EXAMPLES / "bvpn.yaml").read_text("utf-8"))
    assert "address: to be asked" in words(drawn(site))
    assert "adresse : à demander" in words(drawn(site, "french"))


@pytest.mark.guide("DROM-1")
def test_an_overseas_pair_is_drawn_with_its_zone() -> None:
    root = drawn(site_of((EXAMPLES / "bvpn-drom.yaml").read_text("utf-8")))
    assert [name.startswith("SBC") for name in boxes(root)].count(True) == 4
    assert words(root).count("Caribbean zone") == 2
    assert (
        words(drawn(site_of((EXAMPLES / "bvpn-drom.yaml").read_text("utf-8")), "french")).count("Caraïbes")
        == 2
    )


@pytest.mark.guide("INET-3")
def test_topology_b_shows_what_the_firewall_translates() -> None:
    shown = words(drawn(site_of((EXAMPLES / "internet-b.yaml").read_text("utf-8"))))
    assert "NAT: 198.51.100.130 ⇄ 10.20.0.10" in shown


@pytest.mark.guide("WEB-1")
def test_a_front_end_and_an_embedded_gateway_are_told_apart() -> None:
    front = boxes(drawn(site_of((EXAMPLES / "bvpn-rainbow-powercpu.yaml").read_text("utf-8"))))
    embedded = drawn(site_of((EXAMPLES / "bvpn-rainbow-oce.yaml").read_text("utf-8")))
    assert "WebRTC gateway; OCE Front End; 192.0.2.11" in front
    assert not any(name.startswith("WebRTC gateway") for name in boxes(embedded))
    assert "WebRTC gateway inside" in words(embedded)
    assert list(lines(embedded, "web"))


@pytest.mark.guide("BVPN-3")
def test_each_remote_site_has_a_tunnel_to_the_main_site_in_its_own_network() -> None:
    root = drawn(site_of((EXAMPLES / "bvpn-remote-sites.yaml").read_text("utf-8")))
    pipes = list(lines(root, "pipe"))
    for start, end in (("Arras", "WAN router"), ("Douai", "Internet access")):
        assert any(touches(pipe, named(root, start)) and touches(pipe, named(root, end)) for pipe in pipes)


def test_media_that_goes_straight_to_the_sbc_stays_out_of_the_tunnel() -> None:
    changes = {"remote_sites.0.media_path": "direct"}
    root = drawn(site_of(edited(changes, EXAMPLES / "bvpn-remote-sites.yaml")))
    arras, sbc = named(root, "Arras"), named(root, "SBC nominal")
    assert any(touches(line, arras) and touches(line, sbc) for line in lines(root, "media"))


def test_fifty_remote_sites_are_grouped_and_counted() -> None:
    root = drawn(site_of(site_of_many()))
    check_layout(root)
    groups = [name for name in boxes(root) if "remote sites" in name]
    assert sum(int(name.split()[0]) for name in groups) == 50
    assert float(root.get("height", "")) < 1500
    described = root.find(f"{SVG}desc")
    assert described is not None
    assert "42 more remote sites" in str(described.text)


def test_many_access_sbcs_share_a_box_for_each_zone() -> None:
    site = site_of((EXAMPLES / "bvpn-drom.yaml").read_text("utf-8"))
    gateways = [gateway for gateway in site.trunk.gateways for _ in range(3)]
    many = site.model_copy(update={"trunk": site.trunk.model_copy(update={"gateways": tuple(gateways)})})
    root = drawn(many)
    check_layout(root)
    assert len([name for name in boxes(root) if name.startswith("SBC")]) == 2


def test_a_bare_site_is_drawn_too() -> None:
    site = site_of((EXAMPLES / "bvpn.yaml").read_text("utf-8")).model_copy(update={"dns": (), "users": ()})
    root = drawn(site)
    check_layout(root)
    assert "DNS" not in [name.split(";")[0] for name in boxes(root)]


def test_everything_at_once_still_fits() -> None:
    changes = {
        "webrtc_gateway": {"placement": "stand-alone", "users": 3, "address": "192.0.2.12"},
        "fax": [
            {"label": "A", "attached": "server", "device": "FaxBox"},
            {"label": "B", "attached": "gateway", "transport": "g711"},
            {"label": "C", "attached": "analog-port"},
        ],
        "product.model": "PowerCPU",
        "product.analog_ports": 2,
    }
    site = site_of(edited(changes, EXAMPLES / "bvpn-remote-sites.yaml"))
    check_layout(drawn(site))
    check_layout(drawn(site, "french"))
    inside = site.model_copy(update={"architecture": "internet-a"})
    check_layout(drawn(inside))


def test_the_drawing_is_named_and_described_for_those_who_cannot_see_it() -> None:
    for language, word in (("english", "Signalling passes"), ("french", "La signalisation passe")):
        root = drawn(site_of((EXAMPLES / "bvpn.yaml").read_text("utf-8")), language)
        assert root.get("role") == "img"
        [title], [says] = root.findall(f"{SVG}title"), root.findall(f"{SVG}desc")
        assert root.get("aria-labelledby") == f"{title.get('id')} {says.get('id')}"
        assert word in str(says.text)


def test_signalling_and_media_differ_by_their_stroke_and_nothing_is_fetched() -> None:
    svg = drawing(site_of((EXAMPLES / "bvpn.yaml").read_text("utf-8")), FACTS).english
    [signalling] = re.findall(r"\.tl \.signalling\{([^}]*)\}", svg)
    [media] = re.findall(r"\.tl \.media\{([^}]*)\}", svg)
    assert "stroke-dasharray" in media
    assert "stroke-dasharray" not in signalling
    assert "prefers-color-scheme:dark" in svg
    assert "@media print" in svg
    assert not re.search(r"url\(|href|@import|@font-face", svg)
