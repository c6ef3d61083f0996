"""Export the tabs of a site's SIP gateways as a profile, or import one into a site file.

    trunkline profile export SITE.yaml [-o PROFILE.yaml]
    trunkline profile import SITE.yaml PROFILE.yaml -o NEW.yaml

The format is Trunkline's own and versioned; a vendor's .spf is imported in OMC itself. Importing
replaces the gateways and leaves every other line, comments included; nothing is overwritten.

Exit codes: 0 done; 2 a file that cannot be used."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from trunkline.cli.bounded import Unread, contents
from trunkline.cli.sitefile import EXIT_GOOD, EXIT_UNREADABLE, Refused, complain, planned, read
from trunkline.site.load import UnreadableYaml
from trunkline.site.profile import UnusableProfile, exported, imported, parse
from trunkline.site.text import BYTES_MAX, decode


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("way", choices=("export", "import"), help="the way")
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument("profile", nargs="?", metavar="PROFILE.yaml", help="the profile to import")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; default: standard output")


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    if given.way == "export" and given.profile:
        return _refused("export takes SITE.yaml alone; write the profile with -o")
    try:
        text = exported(planned(given.site)[0]) if given.way == "export" else _merged(given)
        if given.output:
            with Path(given.output).open("x", encoding="utf-8") as stream:
                stream.write(text)
        else:
            sys.stdout.write(text)
    except Refused as refused:
        return complain(refused)
    except FileExistsError:
        return _refused(f"{given.output}: the file is there already; name another")
    except Unread as error:
        return _refused(f"{given.profile}: {error}")
    except (OSError, ValueError) as error:
        return _refused(str(error))
    return EXIT_GOOD


def _merged(given: Namespace) -> str:
    if not given.profile:
        raise ValueError("import takes SITE.yaml and PROFILE.yaml")
    try:
        loaded = read(given.site)
    except UnreadableYaml as error:
        raise Refused(given.site, (error.finding,)) from None
    try:
        wanted = parse(_text(given.profile))
    except UnreadableYaml as error:
        raise Refused(given.profile, (error.finding,)) from None
    except UnusableProfile as error:
        raise Refused(given.profile, error.findings) from None
    if loaded.site is None:
        raise Refused(given.site, loaded.findings)
    if wanted.guide != loaded.site.guide.name:
        made = wanted.guide or "no guide"
        raise ValueError(f"{given.profile} is for {made}, the site for {loaded.site.guide.name}")
    merged = imported(_text(given.site), loaded.places, wanted)
    if wanted.edition != loaded.site.guide.edition:
        print(f"{given.profile}: made for edition {wanted.edition}", file=sys.stderr)
    return merged


def _text(file: str) -> str:
    try:
        return decode(contents(Path(file), BYTES_MAX, waits=True, whole=False))
    except Unread as error:
        raise ValueError(f"{file}: {error}") from None


def _refused(why: str) -> int:
    print(why, file=sys.stderr)
    return EXIT_UNREADABLE
