"""What becomes of public certificates, by date: `knowledge/pki.toml` as questions and answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from trunkline.guide.facts import Facts

YEAR = 365  # days


class ClientAuth(NamedTuple):
    """Who takes clientAuth out of public certificates, and when.

    `default` since when it is left out unless asked for, None where nothing is said;
    `ends` from when on it cannot be had; `formerly` the date that was to be before, None if
    it did not move.
    """

    who: str
    default: date | None
    ends: date
    formerly: date | None
    source: str


class Distrust(NamedTuple):
    """A root that browsers' programmes stop trusting; `successor` is what its CA issues from then, or ""."""

    root: str
    since: date
    programmes: str
    successor: str
    source: str


class Lifetime(NamedTuple):
    """How many days a public certificate issued from this day on may live."""

    since: date
    days: int
    source: str

    @property
    def renewals(self) -> int:
        """Renewals a year, at least."""
        return -(-YEAR // self.days)


def lifetimes(around: Facts) -> tuple[Lifetime, ...]:
    """Every step, the oldest first."""
    found = (
        Lifetime(date.fromisoformat(fact.key.rpartition(".")[2]), around.number(fact.key), fact.section)
        for fact in around.under("lifetime")
    )
    return tuple(sorted(found))


def lifetime_on(around: Facts, day: date) -> Lifetime | None:
    """What holds for a certificate issued on that day; None before the first step."""
    held = [step for step in lifetimes(around) if step.since <= day]
    return held[-1] if held else None


def client_auth(around: Facts) -> tuple[ClientAuth, ...]:
    """Everyone who takes it out, the earliest end first."""
    found = []
    for fact in around.under("client_auth"):
        who, default, ends, formerly = around.words(fact.key)
        found.append(ClientAuth(who, _day(default), date.fromisoformat(ends), _day(formerly), fact.section))
    return tuple(sorted(found, key=lambda row: (row.ends, row.who)))


def client_auth_of(around: Facts, issuer: str) -> ClientAuth | None:
    """The row of the CA whose name an issuer bears; the one that binds all of them where none does."""
    rows = client_auth(around)
    plain = issuer.lower().replace("’", "'")
    named = next((row for row in rows if row.who.lower() in plain), None)
    return named or (rows[-1] if rows else None)


def distrusts(around: Facts) -> Iterator[Distrust]:
    """Every root with a date."""
    for fact in around.under("distrust"):
        root, since, programmes, successor = around.words(fact.key)
        yield Distrust(root, date.fromisoformat(since), programmes, successor, fact.section)


def distrust_of(around: Facts, names: Iterable[str]) -> Distrust | None:
    """The first of these names that has a date."""
    rows = {row.root: row for row in distrusts(around)}
    return next((rows[name] for name in names if name in rows), None)


def steps(around: Facts) -> tuple[int, ...]:
    """Days before an expiry at which it is told, the furthest first."""
    return tuple(sorted(around.numbers("expiry.steps"), reverse=True))


def horizon(around: Facts) -> int:
    """How many days ahead a change is told; further ones stand in the calendar alone."""
    return around.number("expiry.horizon")


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
