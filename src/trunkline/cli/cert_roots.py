"""The public roots of this machine: certifi's, and those that only Debian's ca-certificates still has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from trunkline.cli.bounded import Unread, contents
from trunkline.finding import ParseError
from trunkline.pki.certificate import Certificate, called, read_certificates
from trunkline.pki.pile import FILE_MAX

_DEBIAN: Final = Path("/usr/share/ca-certificates/mozilla")


class PublicRoot(NamedTuple):
    """A root, and where it was found."""

    certificate: Certificate
    source: str


def public_roots() -> Iterator[PublicRoot]:
    """Every root at hand, certifi's first. Files that cannot be read are passed over."""
    import certifi

    debian = ((file, str(file)) for file in sorted(_DEBIAN.glob("*.crt")))
    for file, source in ((Path(certifi.where()), "certifi"), *debian):
        try:
            held = read_certificates(contents(file, FILE_MAX), str(file))
        except (Unread, ParseError):
            continue
        yield from (PublicRoot(one, source) for one in held)


def root_called(name: str) -> PublicRoot | None:
    """The public root whose CN is `name`."""
    return next((root for root in public_roots() if called(root.certificate) == f"CN={name}"), None)
