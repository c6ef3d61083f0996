"""The dossier's page and its Markdown: whole, safe from what the site file says, in two languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from tests.plan.hostile import NAMES
from tests.plan.hostile import site as hostile_site

from trunkline.finding import said
from trunkline.guide.facts import shipped
from trunkline.plan.document import (
    Chapter,
    Figure,
    File,
    Listing,
    Paragraph,
    Row,
    Source,
    Step,
    Steps,
    Table,
)
from trunkline.plan.markdown import markdown
from trunkline.plan.overview import chapter as overview
from trunkline.plan.page import Cover, page

FACTS = shipped()["business-talk-oxo-6.x"]
VOID = {"meta", "br", "input", "img", "hr", "link", "wbr"}
SVG_EMPTY = {"rect", "path", "circle"}
COVER = Cover(said("Trunk of A", "Trunk de A"), (said("over BVPN", "sur BVPN"),), "A")
EVERYTHING = Chapter(
    "all",
    said("All kinds", "Toutes sortes"),
    (
        Paragraph(said("A sentence.", "Une phrase."), Source("customer", "CFG-3")),
        Paragraph(said("Mind this.", "Attention à ceci."), level="warning"),
        Table(
            (said("port", "port"), said("calls", "appels"), "what"),
            (
                Row(("tcp/5061", "12", said("out", "sortant")), Source("trunk.listen.tls", "FW-1")),
                Row(("udp/53", "", "a | b")),
            ),
            said("Ports", "Ports"),
            said("in kb/s", "en kb/s"),
            (1,),
        ),
        Steps(
            (
                Step("dtls", "OMC > Security", said("Switch on", "Activer"), "true", said("see", "voir"),
                     reboot=True, source=Source("security.dtls_encryption", "SEC-1")),
                Step("x", "", said("Wait", "Attendre")),
            ),
            said("Steps", "Étapes"),
        ),
        Figure("<svg>english</svg>", "<svg>français</svg>", said("a curve", "une courbe"), file="curve.svg"),
        Listing(said("a < b\n```\nend", "la fin"), said("Text", "Texte")),
    ),
    (File("rules.nft", "table", said("for nftables", "pour nftables")),),
    said("firewall team", "équipe pare-feu"),
)  # fmt: skip


class Reader(HTMLParser):
    """A reader of HTML that insists on tags being closed in order, and notes what it meets."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SVG_EMPTY
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def test_each_kind_of_block_is_shown_with_its_site_key_and_requirement() -> None:
    read = Reader(page(COVER, [EVERYTHING], "en"))
    shown = read.words()
    for wanted in (
        *(
            "A sentence.",
            "customer · CFG-3",
            "Note: Mind this.",
            "tcp/5061",
            "trunk.listen.tls · FW-1",
            "in kb/s",
        ),
        *("OMC > Security", "1. Switch on true reboot Check: see", "security.dtls_encryption · SEC-1"),
        *("english", "a < b", "rules.nft : for nftables", "For: firewall team", "All kinds"),
    ):
        assert wanted in shown, wanted
    assert ("a", {"href": "rules.nft"}) in read.tags
    assert ("a", {"href": "#all"}) in read.tags
    assert [tag for tag, _ in read.tags].count("input") == 2
    assert len(set(read.ids)) == len(read.ids)


def test_in_french_no_english_is_left() -> None:
    shown = Reader(page(COVER, [EVERYTHING], "fr")).words()
    for wanted in (
        "Une phrase.",
        "Sommaire",
        "Attention : Attention à ceci.",
        "Activer",
        "redémarrage",
        "français",
    ):
        assert wanted in shown
    for left in ("sentence", "Contents", "Switch", "reboot", "english", "Check", "For:"):
        assert left not in shown
    assert '<html lang="fr">' in page(COVER, [EVERYTHING], "fr")


def test_the_page_runs_no_script_and_fetches_nothing() -> None:
    html = page(COVER, [EVERYTHING], "en")
    read = Reader(html)
    assert not [tag for tag, _ in read.tags if tag in ("script", "link", "iframe", "img", "object", "form")]
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", html)
    policy = next(attrs for _, attrs in read.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert str(policy["content"]).startswith("default-src 'none'")


def test_what_stands_between_backticks_is_code_but_in_no_attribute() -> None:
    table = Table(("`a`", "b"), (Row(("run `x <y>`", "c`")),), "`t`")
    html = page(COVER, [Chapter("t", "T", (table,))], "en")
    assert '<td data-head="`a`">run <code>x &lt;y&gt;</code></td><td data-head="b">c`</td>' in html
    assert 'aria-label="`t`"' in html
    assert "| run `x <y>` | c\\` |" in markdown(COVER, [Chapter("t", "T", (table,))], "en")


def test_a_listing_keeps_its_lines_and_may_have_a_language() -> None:
    assert "<pre>a &lt; b\n```\nend</pre>" in page(COVER, [EVERYTHING], "en")
    assert "<pre>la fin</pre>" in page(COVER, [EVERYTHING], "fr")


def test_beside_many_columns_the_source_stands_in_the_widest() -> None:
    rows = (Row(("1", "12", *"3456"), Source("wan.kbps", "CAC-2")),)
    html = page(COVER, [Chapter("t", "T", (Table(("x", *"12345"), rows),))], "en")
    assert '12<br><span class="source"><code>wan.kbps</code> · CAC-2</span></td>' in html
    assert "site key, requirement" not in html


def test_a_wide_table_scrolls_and_a_table_of_words_becomes_cards_on_a_phone() -> None:
    wide = Table(tuple(f"c{n}" for n in range(9)), (Row(("1",) * 9),), numeric=tuple(range(1, 9)))
    broad = Table(tuple(f"c{n}" for n in range(12)), (Row(("1",) * 12),))
    words = Table(("a", "b", "c"), (Row(("1", "2", "3")),))
    pairs = Table(("what", "value"), (Row(("1", "2")),))
    html = page(COVER, [Chapter("t", "T", (wide, words, pairs, broad))], "en")
    assert re.findall(r"<table( class=\"[^\"]*\")?>", html) == [
        "",
        ' class="stack"',
        ' class="stack pairs"',
        ' class="broad"',
    ]
    assert html.count('<div class="scroll short"') == 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_hostile_names_are_shown_and_do_nothing(name: str, language: str) -> None:
    site = hostile_site(name)
    plain = Reader(page(Cover("A", (), "A"), [overview(hostile_site("plain"), FACTS)], "en"))
    cover = Cover(said("Trunk of {n}", "Trunk de {n}", n=name), (name,), name)
    html = page(cover, [overview(site, FACTS)], "fr" if language == "fr" else "en")
    read = Reader(html)
    assert {tag for tag, _ in read.tags} <= {tag for tag, _ in plain.tags} | {"p", "circle"}
    assert not [key for _, attrs in read.tags for key in attrs if key.startswith("on")]
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert len(styles) == 2
    assert name.isalnum() or not [style for style in styles if name in style]


@pytest.mark.parametrize("text", ['"; } body{display:none} /*', "\\", "a\nb", "</style>", "é"])
def test_what_stands_in_the_printed_margin_cannot_leave_its_string(text: str) -> None:
    html = page(Cover(text, (), text), [], "en")
    [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    strings = re.findall(r'content:"((?:[A-Za-z0-9]|\\[0-9a-f]{6})*)";', style)
    assert len(strings) == 2


def test_markdown_holds_the_same_with_links_to_the_drawings() -> None:
    text = markdown(COVER, [EVERYTHING], "en")
    for wanted in (
        "# Trunk of A",
        "1. All kinds",
        "A sentence. (`customer`, CFG-3)",
        "**Note:** Mind this.",
        "| port | calls | what | site key, requirement |\n| --- | ---: | --- | --- |",
        "| tcp/5061 | 12 | out | `trunk.listen.tls`, FW-1 |",
        "| udp/53 |  | a \\| b |  |",
        "- [ ] 1. OMC \\> Security: Switch on `true` **(reboot)**",
        "![a curve](curve.svg)",
        "````\na < b\n```\nend\n````",
        "- [rules.nft](rules.nft): for nftables",
    ):
        assert wanted in text, wanted
    assert "Étapes" in markdown(COVER, [EVERYTHING], "fr")


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_mark_nothing_up_in_markdown(name: str) -> None:
    text = markdown(Cover(name, (name,), name), [overview(hostile_site(name), FACTS)], "en")
    assert not re.search(r"(?<!\\)<", text)
    assert not re.search(r"(?<!\\)\]\((?!drawing\.svg)", text)
    heads = [line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("| ")]
    rows = [line for line in text.splitlines() if line.startswith("| ---")]
    assert rows
    assert set(heads) <= {line.count("|") for line in rows}


@pytest.mark.parametrize(
    ("words", "shown"),
    [("- a", "\\- a"), ("1. a", "1\\. a"), ("===", "\\==="), ("+33 1", "+33 1"), ("192.0.2.1", "192.0.2.1")],
)
def test_a_text_begins_no_list_and_no_heading(words: str, shown: str) -> None:
    assert shown in markdown(Cover("t", (words,), ""), [], "en").splitlines()


def test_no_line_of_french_begins_with_a_colon_and_no_figures_file_is_listed_twice() -> None:
    figure = Figure("<svg></svg>", "<svg></svg>", "alt", said("a curve", "une courbe"), "t-1.svg")
    drawn, other = File("t-1.svg", "x", "curve"), File("other.txt", "x", said("another", "un autre"))
    words = Paragraph(said("why: so", "pourquoi : « ainsi » ; par ::1"))
    chapter = Chapter("t", "T", (words, figure), (drawn, other))
    html = page(COVER, [chapter], "fr")
    assert "pourquoi\u00a0: «\u00a0ainsi\u00a0»\u00a0; par ::1" in html
    assert "pourquoi : " not in html
    assert html.count('href="t-1.svg"') == 1
    assert 'une courbe\u00a0: <a href="t-1.svg">t-1.svg</a>' in html
    assert '<a href="other.txt">other.txt</a>\u00a0: un autre' in html
    assert "why: so" in page(COVER, [chapter], "en")


def test_days_are_never_broken_and_a_short_table_is_not_torn() -> None:
    rows = tuple(Row(("2027-03-15", "x")) for _ in range(9))
    html = page(COVER, [Chapter("t", "T", (Table(("day", "what"), rows),))], "en")
    assert html.count('class="day">2027-03-15') == 9
    assert '<div class="scroll short"' in html
    long = page(COVER, [Chapter("t", "T", (Table(("day", "what"), (*rows, *rows)),))], "en")
    assert '<div class="scroll"' in long
