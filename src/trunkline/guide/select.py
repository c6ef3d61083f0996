"""Rules chosen by id: a whole id, a requirement that several rules share, or a prefix."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

from trunkline.guide.catalogue import RULES
from trunkline.guide.rule import Rule


@lru_cache(maxsize=1)
def every() -> dict[str, Rule]:
    """All rules by id, in the order of their pages."""
    return {rule.id: rule for rule in sorted(RULES, key=lambda rule: order(rule.id))}


def order(id: str) -> tuple[str, int, str]:
    """A sort key that counts: SITE-9 before SITE-10."""
    match = re.fullmatch(r"([A-Za-z]*)-?([0-9]*)(.*)", id)
    prefix, number, letter = match.groups() if match else (id, "", "")
    return prefix, int(number or 0), letter


def matches(selector: str, id: str) -> bool:
    """Whether `SEC`, `SEC-4` or `SEC-4a` chooses the rule of this id; case does not count."""
    selector, id = selector.casefold(), id.casefold()
    if not id.startswith(selector):
        return False
    rest = id[len(selector) :]
    return not rest or rest[0] == "-" or (selector[-1:].isdigit() and rest.isalpha())


def chosen(id: str, select: Iterable[str], ignore: Iterable[str]) -> bool:
    """Whether a rule counts: selected (all are where none is), and not ignored."""
    select = tuple(select)
    wanted = not select or any(matches(selector, id) for selector in select)
    return wanted and not any(matches(selector, id) for selector in ignore)


def known(selector: str) -> bool:
    """Whether a selector chooses any rule at all."""
    return any(matches(selector, id) for id in every())


def meant(selector: str) -> str:
    """The id that was most likely meant by one that is unknown; "" for none."""
    requirement = re.sub(r"(?<=[0-9])[A-Za-z]+$", "", selector)
    if requirement != selector and known(requirement):
        return requirement
    ids = [*every(), *dict.fromkeys(id.partition("-")[0] for id in every())]
    close = difflib.get_close_matches(selector.upper(), [id.upper() for id in ids], n=1, cutoff=0.5)
    return next((id for id in ids if close and id.upper() == close[0]), "")
