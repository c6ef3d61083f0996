"""The case files of the rules, read: a passing and a failing site each, which differ in one key or line.

An entry begins with an example (`of`), changed as `given` says. Then `key` holds `pass`
in a site without any finding, and `fail` in one where this rule and no other fires, at
`at` (left out: at the key). null deletes a key; paths are dotted. What is about the
file's text itself has `line` in place of `key`: a line of the example as it stands,
replaced by `pass` or `fail`. `facts` are facts that another carrier's guide would say:
both sites are judged by the shipped guide with these in place (null: it says nothing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from tests.example_site import EXAMPLES, edited

from trunkline.guide.facts import Fact, Facts, shipped

FOLDER = Path(__file__).parent / "cases"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS = {"of", "given", "facts", "key", "line", "pass", "fail", "at"}


@dataclass(frozen=True)
class Case:
    """One case: the example it begins with, what both sites share, and the one key or line that differs."""

    rule: str
    of: str
    key: str
    passes: Any
    fails: Any
    at: str
    given: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    line: str = ""

    def site(self, value: Any) -> str:
        """The site file's text with `value` at the key or in the line's place; None deletes the key."""
        if not self.line:
            return edited({**self.given, self.key: value}, EXAMPLES / self.of)
        text = (EXAMPLES / self.of).read_text("utf-8")
        assert text.count(self.line) == 1, self.line
        return text.replace(self.line, value)

    def guides(self) -> Mapping[str, Facts]:
        """The guides that a site may name, with the case's facts in place."""
        return {name: amended(facts, self.facts) for name, facts in guides().items()}

    def __str__(self) -> str:
        shown = repr(self.fails)
        return f"{self.rule} {self.key or 'line'}={shown if len(shown) < 40 else shown[:37] + '...'}"


@lru_cache(maxsize=1)
def guides() -> Mapping[str, Facts]:
    """The guides that a case's `guide.name` may name: those shipped, and the made-up ones of `guides/`."""
    files = sorted((FOLDER.parent / "guides").glob("*.toml"))
    made_up = [Facts.parse(file.read_text("utf-8")) for file in files]
    return {**shipped(), **{facts.name: facts for facts in made_up}}


def amended(facts: Facts, changes: Mapping[str, Any]) -> Facts:
    """A guide that says something else: values by key, None for what it does not speak of."""
    by_key = dict(facts.by_key)
    for key, value in changes.items():
        by_key.pop(key, None)
        if value is not None:
            held = tuple(value) if isinstance(value, list) else value
            by_key[key] = Fact(key, MappingProxyType(held) if isinstance(held, dict) else held, "-")
    return replace(facts, by_key=MappingProxyType(by_key))


@lru_cache(maxsize=1)
def every() -> tuple[Case, ...]:
    """All cases, in the order of the file names."""
    return tuple(
        _case(file, entry)
        for file in sorted(FOLDER.glob("*.yaml"))
        for entry in yaml.load(file.read_text("utf-8"), Loader=_LOADER)
    )


def _case(file: Path, entry: dict[str, Any]) -> Case:
    assert not set(entry) - _KEYS, f"{file.name}: {set(entry) - _KEYS}"
    key, line = entry.get("key", ""), entry.get("line", "")
    assert bool(key) != bool(line), f"{file.name}: one of key and line belongs in an entry"
    assert entry["pass"] != entry["fail"], f"{file.name}: both sites are the same"
    return Case(
        file.stem,
        entry["of"],
        key,
        entry["pass"],
        entry["fail"],
        entry.get("at", key),
        entry.get("given", {}),
        entry.get("facts", {}),
        line,
    )
