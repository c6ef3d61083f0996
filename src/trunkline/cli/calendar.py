"""Write the dates that a site's certificates are bound to as a calendar file (RFC 5545).

Expiries of the files that are there, the falling lifetimes of public certificates, the end
of clientAuth in them, roots that lose their trust: each an all-day event with alarms 30, 14,
7 and 1 days before. A file written anew moves the events of the one before it.

Exit codes: 0 written; 1 it cannot be written; 2 the site file has errors."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from datetime import date
from pathlib import Path

from trunkline.cli import days, foresight
from trunkline.cli.language import lang_argument
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, Refused, complain, read
from trunkline.finding import Language
from trunkline.guide.facts import known_around
from trunkline.guide.foresight_calendar import Due, calendar, dues
from trunkline.guide.foresight_dates import steps
from trunkline.site.load import UnreadableYaml
from trunkline.site.model import Site


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument("file", metavar="FILE.ics", help="the calendar to write; - is standard output")
    days.at_argument(parser, "certificates")
    lang_argument(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    at = given.at or days.today()
    try:
        site, found = _dues(given.site, at)
    except Refused as refused:
        return complain(refused)
    around = known_around()["pki"]
    language: Language = given.lang
    written = calendar(site, found, steps(around), at, language)
    if given.file == "-":
        sys.stdout.buffer.write(written)
        return EXIT_GOOD
    try:
        Path(given.file).write_bytes(written)
    except OSError as error:
        print(f"trunkline: {given.file} cannot be written: {error.strerror}", file=sys.stderr)
        return EXIT_FINDINGS
    said = {"file": given.file, "at": at.isoformat(), "events": [due.on.isoformat() for due in found]}
    print(json.dumps(said) if given.json else f"{given.file}: {len(found)} dates")
    return EXIT_GOOD


def _dues(file: str, at: date) -> tuple[Site, tuple[Due, ...]]:
    """The site and its dates. Raises Refused for a site file with errors."""
    try:
        loaded = read(file)
    except UnreadableYaml as error:
        raise Refused(file, (error.finding,)) from None
    if loaded.site is None:
        raise Refused(file, loaded.findings)
    papers = foresight.papers_of(loaded.site, Path(file).parent)
    facts = foresight.facts_for(loaded)
    return loaded.site, dues(loaded.site, papers, facts, known_around()["pki"], at)
