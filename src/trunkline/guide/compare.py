"""Two editions of a guide, or two guides, side by side: what came, what went, what says another thing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from trunkline.guide.facts import Fact, Facts
from trunkline.guide.rule import Rule


class Kind(StrEnum):
    """What became of a fact."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"  # the same value in another section


class Change(NamedTuple):
    """One fact that differs; `before` and `after` are None where the guide says nothing of it.

    `requirements` rest on it in either edition, `rules` read it or judge one of these.
    """

    key: str
    kind: Kind
    before: Fact | None
    after: Fact | None
    requirements: tuple[str, ...]
    rules: tuple[str, ...]


def compare(one: Facts, other: Facts, rules: Iterable[Rule]) -> tuple[Change, ...]:
    """All that differs, in the order of `one`, what `other` adds behind it."""
    known, found = tuple(rules), []
    for key in dict.fromkeys((*one.by_key, *other.by_key)):
        before, after = one.by_key.get(key), other.by_key.get(key)
        kind = _kind(before, after)
        if kind is not None:
            resting = tuple(
                dict.fromkeys(word for fact in (before, after) if fact for word in fact.requirements)
            )
            reading = tuple(rule.id for rule in known if rule.fact == key or _requirement(rule.id) in resting)
            found.append(Change(key, kind, before, after, resting, reading))
    return tuple(found)


def _kind(before: Fact | None, after: Fact | None) -> Kind | None:
    if before is None:
        return Kind.ADDED
    if after is None:
        return Kind.REMOVED
    if before.value != after.value or type(before.value) is not type(after.value):
        return Kind.CHANGED
    return Kind.MOVED if before.section != after.section else None


def _requirement(rule: str) -> str:
    """The requirement of a rule: its id without the letter behind it."""
    return rule.rstrip("abcdefghijklmnopqrstuvwxyz")
