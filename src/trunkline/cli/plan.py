"""Write the dossier of a site: drawing, sizing, firewall, forms, checklist, for each who needs it.

One HTML page, the same as Markdown, and the machine files beside it. Files of others in the
folder are never touched. The same site, certificate files and --at give the same bytes.

--diff compares the dossiers of two site files instead, and tells each reader what changes.

Exit codes: 0 written (or compared); 1 the site has MUST findings; 2 a file cannot be read or
written, or wrong use."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from trunkline.cli import folder, foresight
from trunkline.cli.days import at_argument, today
from trunkline.cli.guides import facts_of
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, EXIT_UNREADABLE, judged, lines, read
from trunkline.finding import Finding, Language, Level, said, told
from trunkline.guide.facts import Facts
from trunkline.plan import diff
from trunkline.plan.document import Chapter
from trunkline.plan.dossier import dossier, files
from trunkline.site.load import UnreadableYaml
from trunkline.site.model import Site

USERS_MAX = 10_000


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", nargs="?", help="the site file")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="the folder to write to; made if missing"
    )
    parser.add_argument(
        "--lang", choices=("en", "fr"), default="en", help="the dossier's language (default en)"
    )
    at_argument(parser, "validity")
    parser.add_argument(
        "--users", metavar="+N", type=_more, default=0, help="what-if: N users more, sized beside"
    )
    parser.add_argument(
        "--diff", metavar=("OLD.yaml", "NEW.yaml"), nargs=2, help="compare two site files' dossiers"
    )


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    language: Language = given.lang
    if given.diff:
        if given.site or given.output:
            return _wrong("--diff takes two site files, and no other file nor -o")
        return _compare(given, language)
    if not given.site or not given.output:
        return _wrong("a site file and -o DIR are needed, or --diff OLD.yaml NEW.yaml")
    return _write(given, language)


def _write(given: Namespace, language: Language) -> int:
    planned = _planned(given.site, given, language)
    if isinstance(planned, int):
        return planned
    site, facts, chapters = planned
    made = files(site, facts, chapters, language)
    try:
        written = folder.write(given.output, {file.name: file.text for file in made})
    except folder.Foreign as error:
        for place in error.paths:
            print(f"{place}: stands there and was not written by trunkline plan", file=sys.stderr)
        print("    mend: move it away, or choose another folder; nothing was written", file=sys.stderr)
        return EXIT_UNREADABLE
    except OSError as error:
        print(f"{error.filename or given.output}: cannot be written: {error.strerror}", file=sys.stderr)
        return EXIT_UNREADABLE
    if given.json:
        report = {"site": given.site, "folder": str(given.output), "language": language, **written._asdict()}
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return EXIT_GOOD
    for file in made:
        state = "same " if file.name in written.same else "wrote"
        print(f"{state} {given.output / file.name}: {told(file.says, language)}")
    for name in written.left:
        print(f"left  {given.output / name}: {told(_LEFT, language)}")
    return EXIT_GOOD


_LEFT = said("from an earlier plan, no longer part of it", "d'un plan antérieur, n'en fait plus partie")


def _compare(given: Namespace, language: Language) -> int:
    compared: list[tuple[Chapter, ...]] = []
    for file in given.diff:
        planned = _planned(file, given, language)
        if isinstance(planned, int):
            return planned
        compared.append(planned[2])
    found = diff.changes(*compared)
    if given.json:
        old, new = given.diff
        report = {"old": old, "new": new, "readers": diff.as_values(found, language)}
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print(diff.as_text(found, language))
    return EXIT_GOOD


def _planned(
    file: str, given: Namespace, language: Language
) -> tuple[Site, Facts, tuple[Chapter, ...]] | int:
    """A site's dossier; an exit code where its file is refused, which is then told."""
    try:
        loaded = read(file)
    except UnreadableYaml as error:
        return _refused(file, (error.finding,), language, EXIT_UNREADABLE)
    findings = judged(loaded)
    errors = tuple(found for found in findings if found.level is Level.MUST)
    if errors or loaded.site is None:
        return _refused(file, errors, language, EXIT_FINDINGS)
    facts = facts_of(loaded.site, Path(file).parent)
    at = given.at or today()
    papers = foresight.papers_of(loaded.site, Path(file).parent)
    return loaded.site, facts, dossier(loaded.site, facts, at, given.users, findings, papers)


def _refused(file: str, findings: tuple[Finding, ...], language: Language, code: int) -> int:
    print("\n".join(lines(file, [found.told(language) for found in findings])), file=sys.stderr)
    return code


def _wrong(says: str) -> int:
    print(f"trunkline plan: {says}", file=sys.stderr)
    return EXIT_UNREADABLE


def _more(text: str) -> int:
    if not re.fullmatch(r"\+?[0-9]{1,5}", text) or int(text) > USERS_MAX:
        raise ArgumentTypeError(f"{text!r} is no number of users; write +1 to +{USERS_MAX}")
    return int(text)
