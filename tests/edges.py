"""Which edges of which state tables a test run took: a pytest plugin, and a report.

    pytest tests -m "not interop and not network and not simulation" --edges

Before the first test is read, every table named `NEXT` in `trunkline` gives way to one that
remembers what was looked up in it, wherever it is known by that name or another. With `--edges`
the run ends with a table, and fails if an edge is left that nobody took; `--edges=show` only
shows. With pytest-xdist each process counts for itself and the controller adds up.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.playbook import Watched

import trunkline

SHOWN = 24  # untaken edges the report names at most, per table


class Edges:
    """The tables found, and the numbers of the edges taken in each."""

    def __init__(self) -> None:
        self.tables: dict[str, Watched] = {}
        self.others: dict[str, set[int]] = {}  # what other processes took

    def install(self) -> None:
        """Put a watched table in the place of each `NEXT`."""
        modules = list(_modules_with_tables())
        for module in modules:
            for owner, name in _tables_in(module):
                table = owner.__dict__[name]
                if not isinstance(table, Watched):
                    _replace(table, self._watched(module, owner, table))

    def _watched(self, module: ModuleType, owner: Any, table: dict[Any, Any]) -> Watched:
        label = module.__name__.removeprefix("trunkline.")
        if owner is not module:
            label += f".{owner.__name__}"
        self.tables[label] = Watched(table)
        return self.tables[label]

    def taken(self) -> dict[str, list[int]]:
        """The numbers of the edges taken here, in the order of each table."""
        return {
            label: [number for number, edge in enumerate(table) if edge in table.taken]
            for label, table in self.tables.items()
        }

    def add(self, taken: dict[str, list[int]]) -> None:
        """Count what another process took."""
        for label, numbers in taken.items():
            self.others.setdefault(label, set()).update(numbers)

    def untaken(self) -> dict[str, list[str]]:
        """The edges nobody took, in words, by table."""
        here = self.taken()
        left: dict[str, list[str]] = {}
        for label, table in self.tables.items():
            numbers = {*here[label], *self.others.get(label, ())}
            words = [
                f"{_word(state)} --[{_word(event)}]--> {_word(after)}"
                for number, ((state, event), after) in enumerate(table.items())
                if number not in numbers
            ]
            if words:
                left[label] = words
        return left

    def report(self) -> list[str]:
        """A line for each table, and one for each edge nobody took."""
        left, lines = self.untaken(), []
        for label, table in sorted(self.tables.items()):
            missing = left.get(label, [])
            lines.append(f"{label:32} {len(table) - len(missing):3} of {len(table):3} edges taken")
            lines += [f"    nobody took {words}" for words in missing[:SHOWN]]
        total = sum(map(len, self.tables.values()))
        lines.append(f"{'all':32} {total - sum(map(len, left.values())):3} of {total:3} edges taken")
        return lines


def _word(thing: Any) -> str:
    if isinstance(thing, type):
        return thing.__name__
    return str(getattr(thing, "value", thing))


def _modules_with_tables() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(trunkline.__path__, "trunkline."):
        spec = found.module_finder.find_spec(found.name, None)
        if spec is not None and spec.origin and "NEXT" in Path(spec.origin).read_text(encoding="utf-8"):
            yield importlib.import_module(found.name)


def _tables_in(module: ModuleType) -> Iterator[tuple[Any, str]]:
    """Where the module itself, or a class it defines, has a `NEXT`; the module's own comes first."""
    if isinstance(module.__dict__.get("NEXT"), dict):
        yield module, "NEXT"
    for thing in list(module.__dict__.values()):
        mine = isinstance(thing, type) and thing.__module__ == module.__name__
        if mine and isinstance(thing.__dict__.get("NEXT"), dict):
            yield thing, "NEXT"


def _replace(table: dict[Any, Any], watched: Watched) -> None:
    """In every module and class of trunkline, whatever they call it."""
    for name, module in list(sys.modules.items()):
        if name != "trunkline" and not name.startswith("trunkline."):
            continue
        for owner in (module, *(t for t in module.__dict__.values() if isinstance(t, type))):
            for known_as, value in list(owner.__dict__.items()):
                if value is table:
                    setattr(owner, known_as, watched)


# --- the plugin -----------------------------------------------------------------------------------

_KEY = pytest.StashKey[Edges]()


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "report the edges of the state tables that were taken; fail if one was not, or just `show` them"
    parser.addoption("--edges", nargs="?", const="all", choices=("all", "show"), help=words)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Before any test module is read, and after coverage began to measure."""
    edges = session.config.stash[_KEY] = Edges()
    if session.config.getoption("--edges"):
        edges.install()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    edges = config.stash.get(_KEY, None)
    if edges is None or not config.getoption("--edges"):
        return
    if hasattr(config, "workeroutput"):
        config.workeroutput["edges"] = edges.taken()
    elif (
        config.getoption("--edges") == "all" and edges.untaken() and session.exitstatus == pytest.ExitCode.OK
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """A process of pytest-xdist has ended."""
    node.config.stash[_KEY].add(getattr(node, "workeroutput", {}).get("edges", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    edges = config.stash.get(_KEY, None)
    if edges is None or not config.getoption("--edges"):
        return
    terminalreporter.section("edges of the state tables")
    for line in edges.report():
        terminalreporter.line(line)
