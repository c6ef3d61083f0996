"""The sound part of a site file with errors, so that the rules still see it.

A file with one wrong value must not hide what its other values contradict: every error
is told at once. Wrong values are taken away, list entries that do not hold without them
too, and what is missing at the top is filled with a stand-in; `Draft.touched` says
which paths were, so that no rule judges what is not the customer's own word.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from trunkline.site.explain import fields, section_at
from trunkline.site.model import Site
from trunkline.site.text import Path, Value

ROUNDS: Final = 6  # removals reveal at most one error a level; the model is five levels deep

_STAND_IN: Final[dict[str, Any]] = {
    "schema": "1",
    "customer": "-",
    "guide": {"name": "-", "edition": "-"},
    "architecture": "bvpn",
    "product": {"model": "OCE", "version": "0.0", "load": "AAA000/000.000"},
    "interfaces": {"eth0": {"address": "192.0.2.1"}},
    "trunk": {
        "channels": "1",
        "gateways": [
            {"label": "-", "general": {"index": "1"}, "domain_proxy": {"target_domain": "stand.in.invalid"}}
        ],
    },
    "numbering": {"installation_number": "+1234"},
}


Entries = tuple[tuple[Path, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A site to judge. `touched`: paths of the file that it does not show as written.

    `entries` maps a list's path to the file's index of each entry kept, where some were
    left out.
    """

    site: Site
    touched: frozenset[Path] = frozenset()
    entries: Entries = ()

    def in_file(self, path: Path) -> Path:
        """The path in the file of a path in the draft."""
        return _in_file(path, self.entries)


def draft(root: Value | None, broken: set[Path]) -> Draft | None:
    """The sound part of a tree; None where no mapping stands at its root."""
    if not isinstance(root, dict):
        return None
    work = _Work(copy.deepcopy(root), set(broken))
    for _ in range(ROUNDS):
        entries = work.kept()
        try:
            site = Site.model_validate(work.pruned(work.tree, ()))
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False):
                if problem["type"] == "too_short" and problem["input"]:
                    continue  # pydantic counts sound entries only; whether any is left shows next round
                work.mend(_in_file(problem["loc"], entries), problem["type"])
        else:
            return Draft(site, frozenset(work.touched), entries)
    return None


class _Work:
    """A tree under repair: keys go at once, list entries are only marked, so that paths stay the file's."""

    def __init__(self, tree: dict[str, Value], touched: set[Path]) -> None:
        self.tree, self.touched, self.dropped = tree, touched, set[Path]()

    def mend(self, path: Path, problem: str) -> None:
        """Take away what stands wrong at `path`, or what cannot stand without it."""
        self.touched.add(path)
        parent = self.at(path[:-1])
        if problem == "extra_forbidden":
            del parent[path[-1]]
            model = section_at(path[:-1])  # the key was meant for one that now has its default
            self.touched.update((*path[:-1], key) for key in fields(model) if key not in parent)
        elif problem != "missing":
            self.drop(path)
        elif entries := [depth for depth, part in enumerate(path) if isinstance(part, int)]:
            self.drop(path[: entries[-1] + 1])
        else:
            self.dropped = {inner for inner in self.dropped if inner[: len(path)] != path}
            try:
                parent[path[-1]] = copy.deepcopy(_follow(_STAND_IN, path))
            except KeyError:  # of a section that may be left out
                self.drop(path[:-1])

    def drop(self, path: Path) -> None:
        self.touched.add(path)
        if isinstance(path[-1], int):
            self.dropped.add(path)
        else:
            self.at(path[:-1]).pop(path[-1], None)

    def at(self, path: Path) -> Any:
        return _follow(self.tree, path)

    def pruned(self, value: Value, path: Path) -> Value:
        """The tree without the dropped entries."""
        if isinstance(value, dict):
            return {key: self.pruned(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            kept = [i for i in range(len(value)) if (*path, i) not in self.dropped]
            return [self.pruned(value[i], (*path, i)) for i in kept]
        return value

    def kept(self) -> Entries:
        """Each list that lost entries, outer ones first, with what is left of it."""
        kept = []
        for where in sorted({path[:-1] for path in self.dropped}, key=len):
            entries = self.entries(where)
            kept.append((where, tuple(i for i in range(entries) if (*where, i) not in self.dropped)))
        return tuple(kept)

    def entries(self, where: Path) -> int:
        """How long a list of the tree is; 0 where it was taken away since."""
        try:
            return len(self.at(where))
        except KeyError:
            return 0


def _in_file(path: Path, entries: Entries) -> Path:
    for where, kept in entries:  # outer lists first
        depth = len(where)
        if len(path) > depth and path[:depth] == where:
            path = (*where, kept[int(path[depth])], *path[depth + 1 :])
    return path


def _follow(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value
