"""Every fact of the guide has a reader: what is read is recorded while all that reads facts is at work."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from pathlib import Path

from tests.example_site import EXAMPLES, INTERNET, edited
from tests.guide.test_foresight import CASES, GOOD

import trunkline
from trunkline.guide import catalogue
from trunkline.guide.facts import Fact, Facts, known_around, shipped
from trunkline.guide.foresight import Paper, foresee, named
from trunkline.guide.foresight_calendar import dues
from trunkline.guide.lint import lint
from trunkline.plan.dossier import dossier, files
from trunkline.site.load import load

NAME = "business-talk-oxo-6.x"
PKI = known_around()["pki"]


class Watched(Mapping[str, Fact]):
    """The facts of a guide by key; whose value is taken is kept in `read`."""

    def __init__(self, held: Mapping[str, Fact]) -> None:
        self.held, self.read = held, set[str]()

    def __getitem__(self, key: str) -> Fact:
        fact = self.held[key]
        self.read.add(key)
        return fact

    def __contains__(self, key: object) -> bool:
        return key in self.held

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def items(self) -> ItemsView[str, Fact]:
        """Listing all of them reads none."""
        return self.held.items()

    def values(self) -> ValuesView[Fact]:
        """The same."""
        return self.held.values()


class WatchedFacts(Facts):
    """A guide that knows which of its facts were read, groups included."""

    def under(self, prefix: str) -> tuple[Fact, ...]:
        found = super().under(prefix)
        assert isinstance(self.by_key, Watched)
        self.by_key.read.update(fact.key for fact in found)
        return found


def watched() -> tuple[WatchedFacts, set[str]]:
    """The shipped guide under observation, and the set that what is read of it comes into."""
    facts = shipped()[NAME]
    held = Watched(facts.by_key)
    return WatchedFacts(facts.name, facts.title, facts.carrier, facts.edition, held), held.read


def read_at_work() -> set[str]:
    """What is read while every example is judged and planned, its certificates foreseen, the guide linted."""
    facts, read = watched()
    texts = [file.read_text("utf-8") for file in sorted(EXAMPLES.glob("*.yaml"))]
    texts.append(edited({"webrtc_gateway.placement": "stand-alone"}, EXAMPLES / "bvpn-rainbow-powercpu.yaml"))
    for text in texts:
        loaded = load(text, "site.yaml")
        assert loaded.site is not None
        catalogue.judge(loaded, guides={NAME: facts})
        list(foresee(loaded.site, (), facts, PKI, GOOD.at))
        files(loaded.site, facts, dossier(loaded.site, facts, GOOD.at), "en")
    site = load(INTERNET.read_text("utf-8"), INTERNET.name).site
    assert site is not None
    for scene in (pairs[0][1] for pairs in CASES.values()):
        held = scene.papers()
        papers = [Paper(path, name, held[".".join(map(str, path))]) for path, name in named(site)]
        list(foresee(site, papers, facts, PKI, scene.at))
        dues(site, papers, facts, PKI, scene.at)
    lint(facts, PKI)
    return read


def test_every_fact_has_a_reader() -> None:
    """A key that stands in the code counts as read: not all readers can be set to work here."""
    code = "".join(file.read_text("utf-8") for file in Path(trunkline.__file__).parent.rglob("*.py"))
    named_in_code = {key for key in shipped()[NAME].by_key if f'"{key}"' in code}
    unread = set(shipped()[NAME].by_key) - read_at_work() - named_in_code
    assert not unread, f"nobody reads {sorted(unread)}: give each a reader, or take it out"


def test_a_fact_without_a_reader_would_be_seen() -> None:
    facts, read = watched()
    assert facts.text("srtp.suite")
    assert {fact.key for fact in facts.under("internet.sbc.nominal")} <= read
    assert len(list(facts.by_key.items())) > len(read) == 4
