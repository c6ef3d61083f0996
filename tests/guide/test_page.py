"""A rule's page: complete, in both languages, and true about the facts that the rule reads."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from tests.example_site import EXAMPLES
from tests.guide.cases import every as cases

from trunkline.finding import Level, said
from trunkline.guide.catalogue import RULES, judge
from trunkline.guide.facts import ASK, Fact, Facts, shipped
from trunkline.guide.page import index, listed, markdown, page, plain
from trunkline.guide.reads import facts_read
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.select import every
from trunkline.site.load import Loaded, UnreadableYaml, load
from trunkline.site.model import Site

GUIDE = Facts.parse(
    'schema = 1\nname = "n"\ntitle = "t"\ncarrier = "c"\nedition = "e"\n'
    '[trunk]\nport = { value = 5071, section = "2.1", requirements = ["X-1"], note = "TLS" }\n'
    f'codecs = {{ value = ["PCMA", "PCMU"], section = "-" }}\nanchored = {{ value = true, section = "3" }}\n'
    f'open = {{ value = "{ASK}", section = "4" }}\nrow = {{ value = {{ hq = 1, rs = 2 }}, section = "5" }}\n'
)


def _helped(facts: Facts) -> int:
    return facts.number("trunk.port")


def _look(site: Site, facts: Facts) -> Iterator[Seen]:
    for name in ("codecs", "open"):
        if facts.known(f"trunk.{name}") and _helped(facts):
            yield Seen((), said("a", "b"))


RULE = Rule(
    "X-1a", said("One thing", "Une chose"), Level.SHOULD, "guide 2", said("do it", "faites-le"), _look,
    needs=("trunk.channels",), architectures=("bvpn",), why=said("Else it breaks.", "Sinon cela casse."),
)  # fmt: skip


def test_a_page_says_all_that_a_rule_has_to_say() -> None:
    text = plain(page(RULE, "en", {"n": GUIDE}))
    wanted = ("X-1a  One thing", "Else it breaks.", "do it", "guide 2", "requirement X-1")
    for words in (*wanted, "architectures: bvpn", "trunk.channels", "# trunkline: ignore X-1a --"):
        assert words in text
    french = plain(page(RULE, "fr", {"n": GUIDE}))
    for words in ("Une chose", "Sinon cela casse.", "faites-le", "CONSEILLÉ", "exigence X-1"):
        assert words in french


WORD = said("t", "t")


def test_a_rule_without_a_why_has_a_page_without_that_part() -> None:
    bare = Rule("X-2", said("One thing", "Une chose"), Level.MUST, "OMC", said("do it", "faites-le"), _look)
    assert "Why" not in plain(page(bare, "en", {"n": GUIDE}))


def test_facts_are_shown_with_value_section_and_note_whatever_their_type() -> None:
    def look(site: Site, facts: Facts) -> Iterator[Seen]:
        for key in ("trunk.port", "trunk.codecs", "trunk.anchored", "trunk.open", "trunk.row"):
            if facts.known(key):
                yield Seen((), said("{key}", "{key}", key=key))

    # a function of this module is none of a rule's: name the facts as the rule's own
    shown = {
        key: page(Rule("X-3", WORD, Level.MUST, "s", WORD, look, fact=key), "fr", {"n": GUIDE})
        for key in GUIDE.by_key
    }
    lines = {
        key: next(part.lines for part in one.parts if part.heading == "Faits qu'elle lit")
        for key, one in shown.items()
    }
    assert lines["trunk.port"] == ("trunk.port = 5071 (§ 2.1; TLS)",)
    assert lines["trunk.codecs"] == ("trunk.codecs = PCMA, PCMU (-)",)
    assert lines["trunk.anchored"] == ("trunk.anchored = oui (§ 3)",)
    assert lines["trunk.open"] == ("trunk.open = demandez à l'opérateur (§ 4)",)
    assert lines["trunk.row"] == ("trunk.row = hq 1, rs 2 (§ 5)",)


class Noted(Mapping[str, Fact]):
    """A guide's facts that note which of them are read."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self._facts, self.read = facts, set[str]()

    def __getitem__(self, key: str) -> Fact:
        found = self._facts[key]
        self.read.add(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def items(self) -> ItemsView[str, Fact]:
        """To look through all of them is not to read each."""
        return self._facts.items()


class Asked(Facts):
    """A guide that notes as well what is asked of it by group or by requirement."""

    def under(self, prefix: str) -> tuple[Fact, ...]:
        return self.noted(Facts.under(self, prefix))

    def of(self, requirement: str) -> tuple[Fact, ...]:
        return self.noted(Facts.of(self, requirement))

    def noted(self, found: tuple[Fact, ...]) -> tuple[Fact, ...]:
        assert isinstance(self.by_key, Noted)
        self.by_key.read.update(fact.key for fact in found)
        return found


def sites() -> list[Loaded]:
    texts = [file.read_text("utf-8") for file in sorted(EXAMPLES.glob("*.yaml"))]
    texts += [case.site(case.fails) for case in cases()]
    found = []
    for text in texts:
        with suppress(UnreadableYaml):  # what cannot be read is put to no rule
            found.append(load(text, "x"))
    return found


def test_every_fact_that_a_rule_reads_is_on_its_page() -> None:
    loaded = sites()
    (guide,) = shipped().values()
    seen = 0
    for rule in RULES:
        noted = Noted(guide.by_key)
        facts = Asked(guide.name, guide.title, guide.carrier, guide.edition, noted)
        for site in loaded:
            judge(site, (rule,), {guide.name: facts})
        told = {fact.key for fact in facts_read(rule.look, rule.fact, guide)}
        assert noted.read <= told, rule.id
        seen += len(noted.read)
    assert seen > 10


def test_a_page_names_no_more_facts_than_a_handful_beside_those_read() -> None:
    """Keys put together are found by their ends; that must not name half the guide."""
    (guide,) = shipped().values()
    for rule in RULES:
        assert len(facts_read(rule.look, rule.fact, guide)) <= len(guide.by_key) // 4, rule.id


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_can_be_shown_and_written(language: Any) -> None:
    pages = [page(rule, language) for rule in every().values()]
    for one in pages:
        assert one.title
        assert f"# {one.id} · " in markdown(one)
        assert all(len(line) <= 100 for line in plain(one).splitlines())
    assert listed(pages, language).count("\n") == len(pages)
    assert all(f"({one.id}.md)" in index(pages, language) for one in pages)
