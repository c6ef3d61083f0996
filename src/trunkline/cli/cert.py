"""The certificates of a site: request, check, install, trust, hand over, watch.

    trunkline cert csr SITE.yaml                     a key and the request for your public CA
    trunkline cert check [SITE.yaml] FILES...        what a pile of files is worth, in any form and order
    trunkline cert install SITE.yaml FILES...        what the CA issued, where the running IPBX takes it
    trunkline cert trust SITE.yaml [FILES...]        the trust store: what is there, what is missing
    trunkline cert bundle SITE.yaml --for-carrier    root and intermediates of your CA, for the carrier
    trunkline cert expiry SITE.yaml                  how long each certificate holds
    trunkline cert doctor HOST --site SITE.yaml      why TLS with a peer fails, step by step

Exit codes: 0 good; 1 something is wrong with a certificate or a peer; 2 a file that cannot be used.
`expiry --nagios` has that world's: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace, RawTextHelpFormatter
from importlib import import_module
from typing import Final

from trunkline.cli.sitefile import Refused
from trunkline.cli.sitefile import complain as refuse

PARTS: Final = ("csr", "check", "install", "trust", "bundle", "expiry", "doctor")


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes: a part, and the part's own."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for name in PARTS:
        part = import_module(f"trunkline.cli.cert_{name}")
        one = parts.add_parser(
            name,
            help=(part.__doc__ or "").partition("\n")[0],
            description=part.__doc__,
            formatter_class=RawTextHelpFormatter,
        )
        part.arguments(one)
        one.add_argument("--json", action="store_true", default=SUPPRESS, help="print JSON, for programs")


def main(given: Namespace) -> int:
    """Run the part that was asked for; returns the exit code."""
    from trunkline.cli.cert_files import Unusable, complain, unwritable

    part = import_module(f"trunkline.cli.cert_{given.part}")
    try:
        code: int = part.main(given)
    except Refused as refused:
        return refuse(refused, given.lang)
    except Unusable as error:
        return complain(error, given.lang)
    except OSError as error:
        return complain(unwritable(error), given.lang)
    return code
