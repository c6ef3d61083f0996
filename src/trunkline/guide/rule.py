"""A rule: one thing that a site file must, should or may well hold, as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from string import ascii_lowercase
from typing import NamedTuple

from trunkline.finding import Level, Wording
from trunkline.guide.facts import Facts
from trunkline.site.model import Site
from trunkline.site.text import Path

__all__ = ["Path", "Rule", "Seen"]


class Seen(NamedTuple):
    """One place where a rule does not hold; `mend` where the rule's own does not say enough."""

    path: Path
    says: Wording
    mend: Wording | str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """`id` is the requirement's where one governs (a letter behind it where it needs several).

    `look` yields every place of a site where the rule does not hold; None: the site file alone
    does not say, and somebody else judges (`guide.foresight`, by certificates and a date). `source` is where
    it comes from: a section of the guide, an RFC, our own proposal. `fact` is the key
    of the fact it reads ("" for none); where the guide leaves that open, the rule says
    nothing. `needs` are the parts of the site file that must be sound for a verdict
    ("numbering.emergency"; "trunk.gateways.*" for a rule that counts gateways): what
    stands below them may be wrong. The place of a finding need not be named.
    `architectures` are those it speaks of; () is every one. `why` is what goes wrong
    on the day the site goes live where the rule is broken. `look` is None for what is
    judged elsewhere, by who reads the text or fetches the passwords; it stands among the
    rules so that it can be explained. `also` are further requirements that it holds a site to.
    """

    id: str
    title: Wording
    level: Level
    source: str
    mend: Wording
    look: Callable[[Site, Facts], Iterable[Seen]] | None
    fact: str = ""
    needs: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    why: Wording | str = ""
    also: tuple[str, ...] = ()

    @property
    def requirements(self) -> tuple[str, ...]:
        """The ids of all requirements that it holds a site to, its own first: `SEC-4` of `SEC-4a`."""
        return (self.id.rstrip(ascii_lowercase), *self.also)
