"""Root and intermediates of your CA in one file, for the carrier's trust store (CERT-4).

The private key and your own certificate are not in it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from trunkline.cli.cert_files import EXIT_CERTIFICATE, Ground, at, new_file, options, secret
from trunkline.cli.cert_pile import installed, judged, piled
from trunkline.cli.cert_roots import public_roots
from trunkline.cli.sitefile import EXIT_GOOD
from trunkline.finding import said, told
from trunkline.pki.assembly import Assembly
from trunkline.pki.certificate import Certificate, called, fingerprint, pem_of
from trunkline.pki.path import signed_by


def arguments(parser: ArgumentParser) -> None:
    """What this part takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="what the CA sent; default: what is installed"
    )
    parser.add_argument("--for-carrier", action="store_true", required=True, help="what the carrier needs")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; default: standard output")
    sealed = "its first line opens P12 files and encrypted keys"
    parser.add_argument("--password-file", metavar="FILE", help=sealed)
    options(parser)


def main(given: Namespace) -> int:
    """Run this part; returns the exit code."""
    ground = Ground.of(given.site)
    pile = piled(given.files, secret(given)) if given.files else installed(ground, "public_server")
    made = judged(pile, ground, at(given), "")
    authorities = above(made)
    if not authorities or made.leaf is None or authorities[-1].subject != authorities[-1].issuer:
        missing = said(
            "the chain does not reach its root: {why}",
            "la chaîne n'atteint pas sa racine : {why}",
            why="; ".join(str(fault) for fault in made.every_fault) or "root",
        )
        print(told(missing, given.lang), file=sys.stderr)
        return EXIT_CERTIFICATE
    text = pem_of(authorities)
    if given.output:
        new_file(Path(given.output), text, 0o644)
    elif not given.json:
        sys.stdout.write(text.decode())
    told_of = [{"name": called(one), "sha256": fingerprint(one)} for one in authorities]
    if given.json:
        print(json.dumps({"file": given.output, "certificates": told_of}, indent=2))
    elif given.output:
        print("\n".join(f"{one['name']}  SHA-256 {one['sha256']}" for one in told_of))
    return EXIT_GOOD


def above(made: Assembly) -> tuple[Certificate, ...]:
    """The CAs above our certificate, the root last: found among the public ones where the pile has none."""
    held = made.chain[1:]
    if made.root is not None:
        return (*held, made.root)
    top = made.chain[-1] if made.chain else None
    if top is None:
        return ()
    roots = (one.certificate for one in public_roots() if one.certificate.subject == top.issuer)
    root = next((one for one in roots if signed_by(top, one)), None)
    return (*held, root) if root else held
