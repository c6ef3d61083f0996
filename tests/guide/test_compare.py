"""Two editions side by side: what came, went and changed, and what rests on it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from trunkline.guide.catalogue import RULES
from trunkline.guide.compare import Change, Kind, compare
from trunkline.guide.facts import Fact, Facts, shipped

FACTS = shipped()["business-talk-oxo-6.x"]


def edition(changes: dict[str, Fact | None]) -> Facts:
    """The shipped guide in another edition; None takes a fact out."""
    held = {**FACTS.by_key, **{key: fact for key, fact in changes.items() if fact}}
    gone = {key for key, fact in changes.items() if fact is None}
    kept = {key: fact for key, fact in held.items() if key not in gone}
    return replace(FACTS, edition="01/01/2027", by_key=MappingProxyType(kept))


def test_the_same_guide_has_no_changes() -> None:
    assert compare(FACTS, FACTS, RULES) == ()


def test_what_came_went_changed_and_moved_is_told_with_what_rests_on_it() -> None:
    port, codecs = FACTS["internet.signalling_port"], FACTS["internet.codecs"]
    new = Fact("internet.jitter", 40, "2.4.8", ("CODEC-1",))
    later = edition(
        {
            port.key: replace(port, value=5071),
            codecs.key: replace(codecs, section="2.5"),
            "internet.ptime": None,
            new.key: new,
        }
    )
    found = {change.key: change for change in compare(FACTS, later, RULES)}
    assert {key: change.kind for key, change in found.items()} == {
        "internet.signalling_port": Kind.CHANGED,
        "internet.codecs": Kind.MOVED,
        "internet.ptime": Kind.REMOVED,
        "internet.jitter": Kind.ADDED,
    }
    changed = found["internet.signalling_port"]
    assert changed.before is not None
    assert changed.after is not None
    assert (changed.before.value, changed.after.value) == (5061, 5071)
    assert changed.requirements == port.requirements
    assert {"SEC-2a", "INET-3"} & set(changed.rules)
    assert {"CODEC-1a", "CODEC-1b"} <= set(found["internet.jitter"].rules)
    assert found["internet.ptime"] == Change(
        "internet.ptime",
        Kind.REMOVED,
        FACTS["internet.ptime"],
        None,
        ("CODEC-1",),
        found["internet.ptime"].rules,
    )


def test_true_is_not_the_number_one() -> None:
    flag = FACTS["internet.anchored"]
    (found,) = compare(FACTS, edition({flag.key: replace(flag, value=1)}), RULES)
    assert found.kind is Kind.CHANGED
