"""Report every error of a site file at once, each with its line and column.

Passwords that the file refers to need not be there. The certificate files that it names are read
where they are, and judged on the day --at.

Exit codes: 0 clean (notes allowed); 1 findings that are MUST or SHOULD;
2 the file cannot be read as YAML."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from trunkline.cli import foresight
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, EXIT_UNREADABLE, judged, lines, read
from trunkline.finding import Finding, Level
from trunkline.site.load import UnreadableYaml


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    foresight.arguments(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        loaded = read(given.site)
        findings = foresight.with_foreseen(judged(loaded), loaded, given.at)
        code = EXIT_FINDINGS if any(found.level is not Level.NOTE for found in findings) else EXIT_GOOD
    except UnreadableYaml as error:
        findings, code = (error.finding,), EXIT_UNREADABLE
    print(_json(given.site, findings, code) if given.json else _text(given.site, findings, code))
    return code


def _json(file: str, findings: tuple[Finding, ...], code: int) -> str:
    report = {"file": file, "clean": code == EXIT_GOOD, "exit": code, "findings": list(map(asdict, findings))}
    return json.dumps(report, indent=2, ensure_ascii=False)


def _text(file: str, findings: tuple[Finding, ...], code: int) -> str:
    counts = {level: sum(found.level is level for found in findings) for level in Level}
    told = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    verdict = {EXIT_GOOD: "clean", EXIT_FINDINGS: "to be mended", EXIT_UNREADABLE: "not readable"}[code]
    return "\n".join([*lines(file, findings), f"{file}: {verdict}{f' ({told})' if told else ''}"])
