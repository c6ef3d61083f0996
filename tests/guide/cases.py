"""The case files of the rules, read: `cases/<RULE>.yaml` says a passing and a failing site in one key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from tests.example_site import EXAMPLES, edited

from trunkline.guide.facts import Facts, shipped

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """One case: the example it begins with, what both sites share, and the one key that differs."""

    rule: str
    of: str
    key: str
    passes: Any
    fails: Any
    at: str
    given: dict[str, Any] = field(default_factory=dict)

    def site(self, value: Any) -> str:
        """The site file's text with `value` at the key; None deletes it."""
        return edited({**self.given, self.key: value}, EXAMPLES / self.of)

    def __str__(self) -> str:
        shown = repr(self.fails)
        return f"{self.rule} {self.key}={shown if len(shown) < 40 else shown[:37] + '...'}"


def every() -> list[Case]:
    """All cases, in the order of the file names."""
    found = []
    for file in sorted(FOLDER.glob("*.yaml")):
        for entry in yaml.load(file.read_text("utf-8"), Loader=yaml.SafeLoader):
            unknown = set(entry) - {"of", "given", "key", "pass", "fail", "at"}
            assert not unknown, f"{file.name}: {unknown}"
            at = entry.get("at", entry["key"])
            case = Case(
                file.stem, entry["of"], entry["key"], entry["pass"], entry["fail"], at, entry.get("given", {})
            )
            found.append(case)
    return found


def guides() -> Mapping[str, Facts]:
    """The guides that a case's `guide.name` may name: those shipped, and the made-up ones of `guides/`."""
    files = sorted((FOLDER.parent / "guides").glob("*.toml"))
    made_up = [Facts.parse(file.read_text("utf-8")) for file in files]
    return {**shipped(), **{facts.name: facts for facts in made_up}}
