"""How long each certificate of a site holds, and which is the next to go.

`--nagios` prints one line and its exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from trunkline.cli.cert_files import EXIT_CERTIFICATE, Ground, Unusable, at, options
from trunkline.cli.cert_pile import piled
from trunkline.cli.sitefile import EXIT_GOOD, Refused
from trunkline.finding import said, told
from trunkline.pki.certificate import Certificate, called

_NAGIOS: Final = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


class Life(NamedTuple):
    """A certificate of the site: the key that names its file, and whole days left (negative: over)."""

    key: str
    certificate: Certificate
    days: int


def arguments(parser: ArgumentParser) -> None:
    """What this part takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument(
        "--warning", type=int, default=30, metavar="DAYS", help="warn from so many days; default 30"
    )
    parser.add_argument(
        "--critical", type=int, default=7, metavar="DAYS", help="critical from so many; default 7"
    )
    parser.add_argument("--nagios", action="store_true", help="one line and exit code for monitoring")
    options(parser)


def main(given: Namespace) -> int:
    """Run this part; returns the exit code."""
    try:
        ground = Ground.of(given.site)
        held = sorted(lives(ground, at(given)), key=lambda life: life.days)
    except (Refused, Unusable) as error:
        if not given.nagios:
            raise
        print(f"UNKNOWN - {str(error).splitlines()[0]}")
        return _NAGIOS.index("UNKNOWN")
    state = _state(held, given.warning, given.critical)
    if given.nagios:
        print(_line(held, state, given))
        return state
    if given.json:
        print(json.dumps([_json(life) for life in held], indent=2))
    else:
        for life in held:
            day = f"{life.certificate.not_valid_after_utc:%Y-%m-%d}"
            left = said("{days} days, until {day}", "{days} jours, jusqu'au {day}", days=life.days, day=day)
            print(f"{told(left, given.lang):34} {called(life.certificate)}  ({life.key})")
    return EXIT_CERTIFICATE if state else EXIT_GOOD


def lives(ground: Ground, when: datetime) -> Iterator[Life]:
    """Every certificate that the site names, in its files. Raises Unusable."""
    certificates = ground.site.certificates
    assert certificates is not None
    files = {"certificates.public_server": ground.places("public_server").certificate}
    if certificates.phones is not None:
        files["certificates.phones"] = ground.places("phones").certificate
    files |= {f"certificates.trust.{place}": file for place, file in enumerate(ground.trust_files())}
    for key, file in files.items():
        for one in piled([file]).certificates:
            yield Life(key, one, (one.not_valid_after_utc - when).days)


def _state(held: list[Life], warning: int, critical: int) -> int:
    if not held:
        return _NAGIOS.index("UNKNOWN")
    least = held[0].days
    return 2 if least <= critical else 1 if least <= warning else 0


def _line(held: list[Life], state: int, given: Namespace) -> str:
    if not held:
        return "UNKNOWN - no certificate"
    life = held[0]
    until = f"{life.certificate.not_valid_after_utc:%Y-%m-%d}"
    word = "expired" if life.days < 0 else "expires"
    return (
        f"{_NAGIOS[state]} - {called(life.certificate)} {word} on {until} ({life.days} days)"
        f" | days={life.days};{given.warning};{given.critical}"
    )


def _json(life: Life) -> dict[str, Any]:
    until = life.certificate.not_valid_after_utc.isoformat()
    return {"key": life.key, "certificate": called(life.certificate), "days": life.days, "until": until}
