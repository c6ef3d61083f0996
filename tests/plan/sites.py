"""Sites for the chapters' tests: the examples, and one with keys changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.example_site import EXAMPLES, FILE, edited

from trunkline.finding import Wording, told
from trunkline.guide.facts import Fact, Facts, shipped
from trunkline.plan.document import Chapter, Figure, Paragraph, Steps, Table
from trunkline.site.load import load
from trunkline.site.model import Site

FACTS = shipped()["business-talk-oxo-6.x"]
REMOTE, REMOTE_INTERNET = EXAMPLES / "bvpn-remote-sites.yaml", EXAMPLES / "internet-a-remote-sites.yaml"
INTERNET_A, INTERNET_B = EXAMPLES / "internet-a.yaml", EXAMPLES / "internet-b.yaml"
EVERY = tuple(sorted(EXAMPLES.glob("*.yaml")))


def site(of: Path = FILE, **changes: Any) -> Site:
    """An example, with values replaced at paths written with __ for the dot; None deletes."""
    changed = {path.replace("__", "."): value for path, value in changes.items()}
    return read(edited(changed, of))


def read(text: str) -> Site:
    loaded = load(text, "site.yaml")
    assert loaded.site is not None, loaded.findings
    return loaded.site


def without(*keys: str, facts: Facts = FACTS) -> Facts:
    """Another carrier's guide, which says nothing of these keys."""
    kept = {key: fact for key, fact in facts.by_key.items() if not key.startswith(keys)}
    return Facts(facts.name, facts.title, facts.carrier, facts.edition, kept)


def answered(facts: Facts = FACTS, **values: Any) -> Facts:
    """The guide with what the carrier answered, at keys written with __ for the dot."""
    told = {key: Fact(key, value, "-") for path, value in values.items() if (key := path.replace("__", "."))}
    return Facts(facts.name, facts.title, facts.carrier, facts.edition, {**facts.by_key, **told})


def tables(chapter: Chapter) -> list[Table]:
    return [block for block in chapter.blocks if isinstance(block, Table)]


def one_language(chapter: Chapter) -> list[str]:
    """Sentences of a chapter that have no French beside them."""
    found = []
    for words in _words(chapter):
        plain = words and not isinstance(words, Wording) and " " in words.strip()
        if plain and any(letter.islower() for letter in words):
            found.append(words)
        if told(words, "fr").count("{"):
            found.append(words)
    return found


def _words(chapter: Chapter) -> list[str]:
    words = [chapter.title, chapter.reader, *(file.says for file in chapter.files)]
    for block in chapter.blocks:
        match block:
            case Paragraph():
                words.append(block.words)
            case Table():
                words += [block.title, block.note, *block.head]
                words += [row.cells[0] for row in block.rows]
            case Figure():
                words += [block.alt, block.caption]
            case Steps():
                words += [block.title]
    return words
