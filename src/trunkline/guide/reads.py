"""Which facts a rule reads, found in its code: for its page, where they stand with their values.

A rule reads facts by their keys, so the keys are constants of its function or of the
functions that it calls. A key that is put together (`internet.sbc.{place}.name`) is
found by what of it is written out.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache, partial
from types import CodeType, FunctionType
from typing import Any, Final

from trunkline.guide.facts import Fact, Facts, known_around

_DEPTH: Final = 4  # calls below the rule's own function
_HOME: Final = "trunkline.guide"
_DOTTED: Final = re.compile(r"\w\.|\.\w")
_MADE: Final = "\0"  # before the pattern of a word that is put together


def facts_read(look: Any, fact: str, guide: Facts) -> tuple[Fact, ...]:
    """The facts that a rule's function reads, of the guide and of what is known around it, in their order."""
    words, made = set[str](), set[str]()
    for word in _words(look, _DEPTH, set()):
        (made if word.startswith(_MADE) else words).add(word)
    around: Mapping[str, Facts] = known_around() if "known_around" in words else {}
    subjects = [guide, *(facts for name, facts in around.items() if name in words)]
    keys = re.compile("|".join(word.removeprefix(_MADE) for word in made) or "(?!)")
    found = [known for facts in subjects for known in _of(facts, words, keys)]
    named = [guide[fact]] if fact in guide.by_key and guide[fact] not in found else []
    return (*named, *found)


def _of(facts: Facts, words: set[str], made: re.Pattern[str]) -> Iterator[Fact]:
    for key, fact in facts.by_key.items():
        asked = "of" in words and not words.isdisjoint(fact.requirements)
        listed = "under" in words and key.startswith(tuple(f"{word}." for word in words))
        if key in words or asked or listed or made.fullmatch(key):
            yield fact


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
        yield from _made(of)
        named = [of.__globals__[name] for name in _names(of.__code__) if name in of.__globals__]
        held = [cell.cell_contents for cell in of.__closure__ or ()]
        for inner in (*named, *held, of.__defaults__ or ()):
            yield from _words(inner, depth - 1, seen)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


@cache
def _made(of: FunctionType) -> tuple[str, ...]:
    """The pattern of each word that a function puts together, where a dotted part is written out."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(of)))
    except (OSError, SyntaxError):  # no source at hand, or a function within an expression
        return ()
    return tuple(
        _MADE
        + "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in word.values
        )
        for word in ast.walk(tree)
        if isinstance(word, ast.JoinedStr)
        and any(isinstance(part, ast.Constant) and _DOTTED.search(str(part.value)) for part in word.values)
    )
