"""The command line: `trunkline VERB ...`, one module a verb, imported only when it is called.

Exit codes: 0 good; 1 findings that can be placed, or a failed call; 2 a site file that
cannot be read, or wrong use. A verb is a module `trunkline.cli.<verb>` with two
functions: `arguments(parser)` adds what it takes, `main(given)` runs it and returns the
exit code. It is registered by one line in VERBS.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from trunkline import __version__

VERBS: Final[tuple[tuple[str, str], ...]] = (
    ("init", "ask a few questions and write a commented site file"),
    ("check", "report every error of a site file, each with its line and column"),
    ("explain", "say what a rule checks, why, and how to mend what it finds"),
    ("plan", "write the dossier of a site: drawing, sizing, firewall, forms, checklist"),
    ("checklist", "the installer's checklist of a site, with what is ticked"),
    ("cert", "the certificates of a site: request, check, install, trust, hand over, watch"),
    ("calendar", "write the dates of a site's certificates as a calendar"),
    ("profile", "export and import the tabs of a site's SIP gateways"),
    ("schema", "print the JSON Schema of the site file, for editors"),
    ("guide", "list a carrier's facts, lint the guide, compare two editions"),
    ("run", "run the IPBX of a site file"),
    ("status", "ask the running IPBX: gateways, registrations, channels, calls"),
    ("carrier", "run the virtual carrier that a site needs"),
    ("call", "place a call with a built-in phone, and judge it"),
    ("lab", "keep a whole site and its carrier running on this machine"),
    ("demo", "calls out and in, and the nominal SBC lost three ways, on this machine"),
)

INTERRUPTED: Final = 130  # what a shell makes of SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code. Wrong use ends with SystemExit(2)."""
    words = list(sys.argv[1:] if argv is None else argv)
    names = [name for name, _ in VERBS]
    if not words or words[0] not in names:
        return _overview(words, names)
    verb = import_module(f"trunkline.cli.{words[0]}")
    parser = argparse.ArgumentParser(
        prog=f"trunkline {words[0]}", description=verb.__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    verb.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    try:
        given = parser.parse_args(words[1:])
        if "lang" in given:
            from trunkline.cli.language import language

            given.lang = language(given)
        code: int = verb.main(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has gone (| head): nothing more to say, and no complaint at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _overview(words: list[str], names: list[str]) -> int:
    """Help and version; a word that is no verb ends with SystemExit(2)."""
    width = max(map(len, names))
    lines = "\n".join(f"  {name:{width}}  {says}" for name, says in VERBS)
    parser = argparse.ArgumentParser(
        prog="trunkline",
        description="Designs, runs and proves a SIP trunk between an IPBX and its carrier.",
        epilog=f"verbs:\n{lines}\n\n`trunkline VERB --help` tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"trunkline {__version__}")
    parser.add_argument("verb", choices=names, metavar="VERB")
    parser.parse_args(words[:1])
    raise AssertionError("argparse ends for every word that is no verb")
