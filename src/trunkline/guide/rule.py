"""A rule: one thing that a site file must, should or may well hold, as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from trunkline.finding import Level, Wording
from trunkline.guide.facts import Facts
from trunkline.site.model import Site
from trunkline.site.text import Path

__all__ = ["Path", "Rule", "Seen"]


class Seen(NamedTuple):
    """One place where a rule does not hold; `mend` where the rule's own does not say enough."""

    path: Path
    says: Wording | str
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
    where the rule is broken, for its page.
    """

    id: str
    title: Wording | str
    level: Level
    source: str
    mend: Wording | str
    look: Callable[[Site, Facts], Iterable[Seen]] | None
    fact: str = ""
    needs: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    why: Wording | str = ""
