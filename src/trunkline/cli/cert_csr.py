"""Make a key and the certificate signing request for your public CA (CERT-1).

The key is written with mode 0600 beside the place of the running one; nothing is overwritten. While a
request is pending, a second one is refused: its certificate would fit no key any more."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from itertools import count
from pathlib import Path
from typing import Final

from trunkline.aio.keys import new_key
from trunkline.cli.cert_files import Ground, Unusable, new_file, options, whose
from trunkline.cli.sitefile import EXIT_GOOD
from trunkline.finding import ParseError, said, told
from trunkline.guide.facts import Facts
from trunkline.pki.csr import Request

COMMON_NAME_MAX: Final = 64  # characters, ub-common-name (RFC 5280 appendix A.1)


def arguments(parser: ArgumentParser) -> None:
    """What this part takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    whose(parser)
    other = "another subject before the CN, where your CA asks for it"
    parser.add_argument("--subject", metavar="L=..,O=..,OU=..", default="", help=other)
    aside = "give a pending request up: its files are moved aside"
    parser.add_argument("--abandon", action="store_true", help=aside)
    options(parser, dated=False)


def main(given: Namespace) -> int:
    """Run this part; returns the exit code."""
    ground = Ground.of(given.site)
    places, name = ground.places(given.which), ground.name
    if given.abandon:
        return _abandoned(places.pending_key, places.request)
    for held in (places.pending_key, places.request):
        if held.exists():
            says = said("a request is pending: {file}", "une demande est en cours : {file}", file=held)
            mend = said(
                "install its certificate with `cert install`, or give it up with `cert csr --abandon`",
                "installez son certificat par `cert install`, ou abandonnez-la par `cert csr --abandon`",
            )
            raise Unusable(says, mend)
    request = wanted(name, ground.facts, given.subject, ground.key_bits)
    key = new_key(request.bits)
    try:
        text = request.signed(key)
    except ParseError as error:
        raise Unusable(str(error), said("correct the subject", "corrigez le sujet")) from None
    new_file(places.pending_key, key.pem(), 0o600)
    new_file(places.request, text, 0o644)
    subject = ", ".join(f"{word}={value}" for word, value in request.subject)
    if given.json:
        made = {"request": str(places.request), "key": str(places.pending_key), "subject": subject}
        print(json.dumps({**made, "names": list(request.dns), "bits": request.bits}, indent=2))
        return EXIT_GOOD
    values = {"request": places.request, "key": places.pending_key, "subject": subject, "name": name}
    print(told(said(_ENGLISH, _FRENCH, **values, bits=request.bits, site=given.site), given.lang))
    return EXIT_GOOD


_ENGLISH: Final = """\
{request}: send it to your public CA
  {subject}
  SAN {name}, RSA {bits}
{key}: keep it, it never leaves this machine
The CA may leave O and OU out: that is fine. Then: trunkline cert install {site} FILES..."""

_FRENCH: Final = """\
{request} : à envoyer à votre AC publique
  {subject}
  SAN {name}, RSA {bits}
{key} : gardez-la, elle ne quitte jamais cette machine
L'AC peut retirer O et OU : c'est sans conséquence. Puis : trunkline cert install {site} FICHIERS..."""


def wanted(name: str, facts: Facts, subject: str, bits: int) -> Request:
    """The request for a name: the guide's subject in its order, then the CN; SAN = CN. Raises Unusable."""
    if len(name) > COMMON_NAME_MAX:
        says = said(
            "{name} is {many} characters long; a CN holds {most}",
            "{name} a {many} caractères ; un CN en contient {most}",
            name=name,
            many=len(name),
            most=COMMON_NAME_MAX,
        )
        raise Unusable(says, said("choose a shorter FQDN", "choisissez un FQDN plus court"))
    parts = [part.partition("=") for part in subject.split(",")] if subject else _of_the_guide(facts)
    asked = tuple((word.strip(), value.strip()) for word, _, value in parts)
    return Request((*asked, ("CN", name)), (name,), bits)


def _of_the_guide(facts: Facts) -> list[tuple[str, str, str]]:
    words = (
        ("L", "certificates.subject_l"),
        ("O", "certificates.subject_o"),
        ("OU", "certificates.subject_ou"),
    )
    return [(word, "=", facts.text(fact)) for word, fact in words if facts.known(fact)]


def _abandoned(*files: Path) -> int:
    """Move what is pending aside, never over anything."""
    moved = []
    for file in files:
        if file.exists():
            asides = (file.with_name(f"{file.name}.abandoned.{number}") for number in count(1))
            aside = next(place for place in asides if not place.exists())
            file.rename(aside)
            moved.append(str(aside))
    if not moved:
        says = said("no request is pending", "aucune demande n'est en cours")
        raise Unusable(says, said("make one with `cert csr`", "faites-en une par `cert csr`"))
    print("\n".join(moved))
    return EXIT_GOOD
