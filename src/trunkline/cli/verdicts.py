"""One site file judged, its part of the report written: what `check` does for each file, in any process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from trunkline.cli.days import today
from trunkline.cli.foresight import foreseen
from trunkline.cli.guides import guides_for
from trunkline.cli.sitefile import read, sifted
from trunkline.finding import Finding
from trunkline.guide.catalogue import applied
from trunkline.guide.foresight_rules import ABSENT
from trunkline.guide.form import unavoidable
from trunkline.guide.report import Style, report
from trunkline.guide.select import chosen
from trunkline.guide.verdict import UNREADABLE, Totals, Verdict, code
from trunkline.site.load import UnreadableYaml


class Asked(NamedTuple):
    """What the user wants of each file; certificates are judged on the day `at`, today where it is None."""

    format: str = "text"
    style: Style = Style()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    at: date | None = None


class Part(NamedTuple):
    """One file's part of the report, and its counts."""

    text: str
    totals: Totals


def verdict(file: str, asked: Asked) -> Verdict:
    """What is said of one file, with the rules that are asked for."""
    try:
        loaded = read(file)
    except UnreadableYaml as error:
        return Verdict(file, UNREADABLE, (error.finding,))

    def counts(found: Finding) -> bool:
        return unavoidable(found) or chosen(found.rule, asked.select, asked.ignore)

    told, suppressed = sifted(loaded, foreseen(loaded, Path(file).parent, asked.at or today()))
    findings = tuple(filter(counts, told))
    judged: tuple[str, ...] = ()
    if asked.format == "junit":  # no other report names what holds
        papers = loaded.draft is not None and loaded.draft.site.certificates is not None
        there = papers and not any(found.rule == ABSENT.id for found in told)
        judged = applied(loaded, guides_for(loaded)[0], papers=there)
    return Verdict(
        file,
        code(findings, asked.style.strict),
        findings,
        tuple(passed for passed in suppressed if counts(passed.finding)),
        tuple(id for id in judged if chosen(id, asked.select, asked.ignore)),
    )


def parts(files: Iterable[str], asked: Asked) -> Iterator[Part]:
    """The part of each file, one by one."""
    writer = report(asked.format)
    for file in files:
        said, totals = verdict(file, asked), Totals()
        totals.add(said)
        yield Part(writer.site(said, asked.style), totals)
