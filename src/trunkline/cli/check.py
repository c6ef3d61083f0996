"""Report every error of site files at once, each with its line and column.

Passwords that the file refers to need not be there. A finding is suppressed by a comment
on the line of its key or the line above, with a reason; the report lists it:
  # trunkline: ignore CAC-1b -- the backup is smaller on purpose
The certificate files that it names are read where they are, and judged on the day --at.

With --fleet every *.yaml and *.yml below DIR is checked: the text is then one line a site
and a summary, and JSON one object a line. `trunkline explain ID` tells more of a rule.

Exit codes: 0 clean (notes allowed, unless --strict); 1 findings that are MUST or SHOULD;
2 a file cannot be read as YAML, or wrong use. Of several files the worst counts."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from trunkline.cli import days
from trunkline.cli.language import lang_argument
from trunkline.cli.sitefile import EXIT_UNREADABLE
from trunkline.cli.verdicts import Asked, Part, parts
from trunkline.finding import Language, said, told
from trunkline.guide.report import FORMATS, Style, report
from trunkline.guide.select import known, meant
from trunkline.guide.verdict import Totals


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("sites", metavar="SITE.yaml", nargs="*", help="the site files")
    parser.add_argument("--fleet", metavar="DIR", help="check every site file below a folder")
    parser.add_argument("--format", choices=FORMATS, help="how to report (default text)")
    ids = "ids, requirements or prefixes: SEC-4a,SEC-4,SEC; may be repeated"
    parser.add_argument("--select", metavar="IDS", action="append", help=f"judge by these rules only: {ids}")
    parser.add_argument("--ignore", metavar="IDS", action="append", help="leave these rules out")
    parser.add_argument("--strict", action="store_true", help="notes count: clean means nothing at all")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the report to a file")
    lang_argument(parser)
    days.at_argument(parser, "certificates")


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code. Wrong use ends with SystemExit(2)."""
    spoken: Language = given.lang
    select, ignore = _ids(given.select), _ids(given.ignore)
    if wrong := _wrong_use(given, (*select, *ignore), spoken):
        print(
            f"usage: trunkline check SITE.yaml ...\n       trunkline check --fleet DIR\n{wrong}",
            file=sys.stderr,
        )
        raise SystemExit(EXIT_UNREADABLE)
    style = Style(spoken, given.strict, bool(given.fleet) or len(given.sites) > 1, bool(given.fleet))
    format_ = given.format or ("json" if given.json else "text")
    asked = Asked(format_, style, select, ignore, given.at or days.today())
    with ExitStack() as open_:
        try:
            out: TextIO = sys.stdout
            if given.output:
                out = open_.enter_context(Path(given.output).open("w", encoding="utf-8"))
            found = _fleet(given.fleet, asked, spoken) if given.fleet else parts(given.sites, asked)
            return _write(found, asked, out)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            print(f"{error.filename or given.output or given.fleet}: {error.strerror}", file=sys.stderr)
            return EXIT_UNREADABLE


def _ids(words: list[str] | None) -> tuple[str, ...]:
    return tuple(id.strip() for word in words or () for id in word.split(",") if id.strip())


def _wrong_use(given: Namespace, ids: Iterable[str], spoken: Language) -> str:
    """What is wrong with the words given, "" for nothing."""
    if bool(given.fleet) == bool(given.sites):
        return told(
            said(
                "name site files, or a folder with --fleet",
                "nommez des fichiers de site, ou un dossier avec --fleet",
            ),
            spoken,
        )
    if given.json and given.format not in (None, "json"):
        return told(
            said("--json is --format json: choose one", "--json est --format json : choisissez"), spoken
        )
    for id in ids:
        if not known(id):
            close = meant(id)
            hint = (
                said("; did you mean {close}?", " ; vouliez-vous dire {close} ?", close=close)
                if close
                else ""
            )
            return told(
                said("no rule is called {id}", "aucune règle ne s'appelle {id}", id=id), spoken
            ) + told(hint, spoken)
    return ""


def _fleet(folder: str, asked: Asked, spoken: Language) -> Iterable[Part]:
    """The parts of a folder's files, and progress where a terminal looks."""
    from trunkline.cli.fleet import Progress, checked, files

    number = sum(1 for _ in files(folder))  # names alone: quick, and no list of them is kept
    if not number:
        raise FileNotFoundError(
            2,
            told(said("no *.yaml or *.yml stands there", "aucun *.yaml ni *.yml ne s'y trouve"), spoken),
            folder,
        )
    progress = Progress(number, spoken)
    try:
        for part in checked(files(folder), asked, len(os.sched_getaffinity(0))):
            progress.add(part)
            yield part
    finally:
        progress.end()


def _write(found: Iterable[Part], asked: Asked, out: TextIO) -> int:
    """Write the report as its parts come; returns the worst exit code."""
    writer, totals, between = report(asked.format), Totals(), ""
    out.write(writer.head(asked.style))
    for text, counts in found:
        totals.join(counts)
        if text:
            out.write(between + text)
            between = writer.BETWEEN
    out.write(writer.foot(totals, asked.style))
    out.flush()
    return totals.code
