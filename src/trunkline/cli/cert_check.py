"""What a pile of certificate files is worth: PEM, DER, P7B, P12, in any order.

Finds the certificate of the site (or of --name), builds its chain, names the missing intermediate, and
checks names, key, extended key usage as server and as client, dates, strength. Notes tell what browsers and
CAs have announced: roots that lose their trust, the end of clientAuth, shorter lifetimes."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import Any

from trunkline.cli.cert_files import EXIT_CERTIFICATE, Ground, Unusable, at, options, secret, whose
from trunkline.cli.cert_pile import installed, judged, notes, piled
from trunkline.cli.paper import clean
from trunkline.cli.sitefile import EXIT_GOOD
from trunkline.finding import Language, said, told
from trunkline.pki.assembly import Assembly
from trunkline.pki.certificate import Certificate, called, fingerprint, words
from trunkline.pki.names import names_of


def arguments(parser: ArgumentParser) -> None:
    """What this part takes."""
    what = "a site file (.yaml), certificate files, or both; a site file alone: the files that it names"
    parser.add_argument("files", nargs="+", metavar="FILE", help=what)
    parser.add_argument("--name", default="", help="the name it must bear; default: the site's FQDN")
    sealed = "its first line opens P12 files and encrypted keys"
    parser.add_argument("--password-file", metavar="FILE", help=sealed)
    whose(parser)
    options(parser)


def main(given: Namespace) -> int:
    """Run this part; returns the exit code."""
    sites = [file for file in given.files if file.endswith((".yaml", ".yml"))]
    files = [file for file in given.files if file not in sites]
    if len(sites) > 1:
        says = said("two site files are named", "deux fichiers de site sont nommés")
        raise Unusable(says, said("name one", "nommez-en un"))
    ground = Ground.of(sites[0]) if sites else None
    when = at(given)
    pile = installed(ground, given.which) if ground and not files else piled(files, secret(given))
    made = judged(pile, ground, when, given.name, given.which)
    remarks = tuple(notes(made, ground, given.which, when))
    if given.json:
        print(json.dumps(as_json(made, remarks), indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines(made, remarks, given.lang)))
    return EXIT_CERTIFICATE if made.every_fault else EXIT_GOOD


def lines(made: Assembly, remarks: Sequence[str], language: Language) -> Iterator[str]:
    """The verdict as a person reads it."""

    def line(label: str, text: str) -> str:
        return f"{told(label, language):14}{clean(told(text, language))}"

    for place, certificate in enumerate((*made.chain, *((made.root,) if made.root else ()))):
        role = said("intermediate", "intermédiaire")
        if place == 0:
            role = said("certificate", "certificat")
        elif certificate is made.root:
            role = said("root", "racine")
        until = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        yield line(
            role,
            said("{name}, until {until}", "{name}, jusqu'au {until}", name=called(certificate), until=until),
        )
        if place == 0 and (names := ", ".join(names_of(certificate).shown)):
            yield line("", names)
    if made.leaf is not None:
        here = said("at hand", "présente") if made.key else said("not at hand", "absente")
        yield line(said("its key", "sa clé"), here)
    for fault in made.every_fault:
        yield line(said("WRONG", "FAUX"), fault.sentence)
    for note in remarks:
        yield line(said("note", "note"), note)
    yield told(said("to be mended", "à corriger") if made.every_fault else said("good", "bon"), language)


def as_json(made: Assembly, remarks: Sequence[str]) -> dict[str, Any]:
    """The verdict as a program reads it."""
    faults = [
        {
            "check": str(fault.check),
            "certificate": fault.certificate,
            "says": str(fault.says),
            "mend": str(fault.mend),
        }
        for fault in made.every_fault
    ]
    return {
        "good": not faults,
        "chain": [shown(one) for one in made.chain],
        "root": shown(made.root) if made.root else None,
        "key": made.key is not None,
        "faults": faults,
        "notes": [str(note) for note in remarks],
    }


def shown(certificate: Certificate) -> dict[str, Any]:
    """A certificate as a program reads it."""
    return {
        "subject": words(certificate.subject),
        "issuer": words(certificate.issuer),
        "names": list(names_of(certificate).shown),
        "from": certificate.not_valid_before_utc.isoformat(),
        "until": certificate.not_valid_after_utc.isoformat(),
        "sha256": fingerprint(certificate),
    }
