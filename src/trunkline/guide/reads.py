"""Which facts a rule reads, found in its code: for its page, where they stand with their values.

A rule reads facts by their keys, so the keys are constants of its function or of the
functions that it calls. A key that is put together (`internet.sbc.{place}.name`) is
found by its beginning and its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import CodeType, FunctionType
from typing import Any, Final

from trunkline.guide.facts import Fact, Facts, known_around

_DEPTH: Final = 4  # calls below the rule's own function
_HOME: Final = "trunkline.guide"


def facts_read(look: Any, fact: str, guide: Facts) -> tuple[Fact, ...]:
    """The facts that a rule's function reads, of the guide and of what is known around it, in their order."""
    words = set(_words(look, _DEPTH, set()))
    found = dict.fromkeys([*([fact] if fact in guide.by_key else []), *_keys(words, guide)])
    around = [known for subject in _subjects(words) for known in _of(words, subject)]
    return (*(guide[key] for key in found), *around)


def _subjects(words: set[str]) -> Iterator[Facts]:
    """The subjects of what is known around the guides that a rule names."""
    subjects: Mapping[str, Facts] = known_around() if "known_around" in words else {}
    for name, facts in subjects.items():
        if name in words:
            yield facts


def _of(words: set[str], facts: Facts) -> Iterator[Fact]:
    for key in _keys(words, facts):
        yield facts[key]


def _keys(words: set[str], facts: Facts) -> Iterator[str]:
    begins = tuple(word for word in words if word.endswith((".", "_")) and "." in word[1:])
    ends = tuple(word for word in words if word.startswith(".") and len(word) > 2)
    groups = tuple(f"{word}." for word in words if "." in word)
    for key, fact in facts.by_key.items():
        made = key.startswith(begins) and (not ends or key.endswith(ends))
        ended = bool(ends) and key.startswith(groups) and key.endswith(ends)
        asked = "of" in words and not words.isdisjoint(fact.requirements)
        listed = "under" in words and key.startswith(tuple(f"{word}." for word in words))
        if key in words or made or ended or asked or listed:
            yield key


def _words(of: Any, depth: int, seen: set[int]) -> Iterator[str]:
    """Every word that a function's code holds or names, and those of the functions it calls."""
    if depth < 0 or id(of) in seen:
        return
    seen.add(id(of))
    if isinstance(of, str):
        yield of
    elif isinstance(of, tuple | list | frozenset | set):
        for part in of:
            yield from _words(part, depth, seen)
    elif isinstance(of, dict):
        yield from _words([*of, *of.values()], depth, seen)
    elif isinstance(of, partial):
        yield from _words((of.func, of.args, of.keywords), depth, seen)
    elif isinstance(of, CodeType):
        yield from of.co_names
        yield from _words(of.co_consts, depth, seen)
    elif isinstance(of, FunctionType) and of.__module__.startswith(_HOME):
        yield from _words(of.__code__, depth, seen)
        named = [of.__globals__[name] for name in _names(of.__code__) if name in of.__globals__]
        held = [cell.cell_contents for cell in of.__closure__ or ()]
        for inner in (*named, *held, of.__defaults__ or ()):
            yield from _words(inner, depth - 1, seen)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
