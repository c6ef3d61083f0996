"""The dossier's page as a real browser lays it out: nothing runs over, at any width and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bench.plan import site as site_of_many
from tests.interop.chromium import Chromium
from tests.plan.hostile import NAMES
from tests.plan.hostile import site as hostile_site

import golden
from trunkline.finding import Language
from trunkline.guide.facts import shipped
from trunkline.plan.dossier import PAGE, dossier, files
from trunkline.site.load import load
from trunkline.site.model import Site

EXAMPLES = sorted((golden.ROOT / "examples").glob("*.yaml"))
WIDTHS = (360, 794, 1280)  # CSS pixels: a phone, A4, a desktop
PAPER = 688  # CSS pixels of A4 within its margins

# What runs over: the page itself, or a text of the drawing over the frame of its box.
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"
OUTSIDE = """
[...document.querySelectorAll("svg.tl g.box")].flatMap(group => {
  const rect = group.querySelector("rect").getBBox();
  return [...group.querySelectorAll("text")].filter(text => {
    const box = text.getBBox();
    return box.x < rect.x || box.x + box.width > rect.x + rect.width
        || box.y < rect.y || box.y + box.height > rect.y + rect.height;
  }).map(text => text.textContent);
})
"""
CUT = """
[...document.querySelectorAll("svg.tl")].flatMap(svg => {
  const box = svg.viewBox.baseVal;
  return [...svg.querySelectorAll("text")].filter(text => {
    const at = text.getBBox();
    return at.x < 0 || at.x + at.width > box.width || at.y + at.height > box.height;
  }).map(text => text.textContent);
})
"""
# On paper nothing scrolls: what is wider than its frame is lost.
LOST = """
[...document.querySelectorAll("table,pre,svg")].filter(
  one => one.getBoundingClientRect().right > window.innerWidth + 1
).map(one => one.textContent.slice(0, 60))
"""
CONTRAST = """
(() => {
  const light = one => {
    const [r, g, b] = getComputedStyle(one[0])[one[1]].match(/[0-9.]+/g).map(n => n / 255)
      .map(n => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const box = document.querySelector("svg.tl g.box rect"), area = document.querySelector("svg.tl .area");
  const stroke = kind => ratio([document.querySelector("svg.tl path." + kind), "stroke"], [area, "fill"]);
  return {
    text: ratio([document.body, "color"], [document.body, "backgroundColor"]),
    source: ratio([document.querySelector(".source"), "color"], [document.body, "backgroundColor"]),
    box: ratio([document.querySelector("svg.tl g.box text"), "fill"], [box, "fill"]),
    signalling: stroke("signalling"), media: stroke("media"),
  };
})()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


def write(site: Site, language: Language, folder: Path) -> Path:
    facts = shipped()[site.guide.name]
    chapters = dossier(site, facts, date(2026, 12, 1), 12)
    held = {file.name: file.text for file in files(site, facts, chapters, language)}
    (folder / PAGE).write_text(held[PAGE], "utf-8")
    return folder / PAGE


def fits(browser: Chromium, page: Path) -> None:
    for width in WIDTHS:
        browser.open(page, width)
        assert browser.value("window.innerWidth") == width
        assert browser.value(OVERFLOW) <= 0, width
    assert browser.value(OUTSIDE) == []
    assert browser.value(CUT) == []
    browser.open(page, PAPER, media="print")
    assert browser.value(LOST) == []
    assert browser.value(OVERFLOW) <= 0


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_each_example_fits_phone_paper_and_desktop(
    file: Path, language: Language, browser: Chromium, tmp_path: Path
) -> None:
    site = load(file.read_bytes(), file.name).site
    assert site is not None
    fits(browser, write(site, language, tmp_path))


def test_fifty_remote_sites_fit(browser: Chromium, tmp_path: Path) -> None:
    site = load(site_of_many(), "site.yaml").site
    assert site is not None
    fits(browser, write(site, "fr", tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_fit_and_run_nothing(name: str, browser: Chromium, tmp_path: Path) -> None:
    page = write(hostile_site(name), "en", tmp_path)
    fits(browser, page)
    assert browser.value("document.scripts.length") == 0
    assert browser.value("document.images.length") == 0
    # The browser read as many elements as were written: no name became one.
    assert browser.value('document.querySelectorAll("section").length') == page.read_text("utf-8").count(
        "<section "
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_lines_stand_out_in_light_and_dark(scheme: Any, browser: Chromium) -> None:
    browser.open(golden.FOLDER / "internet-a" / PAGE, 1280, scheme=scheme)
    ratios = browser.value(CONTRAST)
    assert min(ratios[kind] for kind in ("text", "source", "box")) >= 4.5, ratios  # WCAG 2.2, 1.4.3
    assert min(ratios[kind] for kind in ("signalling", "media")) >= 3, ratios  # 1.4.11


def test_paper_is_white_in_a_dark_browser_too(browser: Chromium) -> None:
    browser.open(golden.FOLDER / "internet-a" / PAGE, PAPER, scheme="dark", media="print")
    assert (
        browser.value("getComputedStyle(document.querySelector('svg.tl .paper')).fill")
        == "rgb(255, 255, 255)"
    )
    assert browser.value("getComputedStyle(document.body).color") == "rgb(22, 32, 43)"


def test_the_page_prints_on_a4_with_numbered_pages(browser: Chromium, tmp_path: Path) -> None:
    browser.open(golden.FOLDER / "internet-a-remote-sites" / PAGE, 1280)
    browser.printed(tmp_path / "dossier.pdf")
    printed = (tmp_path / "dossier.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert (
        printed.count(b"/MediaBox [0 0 594") + printed.count(b"/MediaBox [0 0 595") >= 2
    )  # 210 mm in points
