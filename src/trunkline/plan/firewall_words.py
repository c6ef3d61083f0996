"""What every firewall file is written with: its ground (interfaces, addresses, rows) and harmless text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from trunkline.finding import said, told
from trunkline.guide.facts import Facts
from trunkline.plan.openings import Opening, ipbx, openings, public_address
from trunkline.site.model import Site

_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:/_@+-]+")
KERNEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}")  # IFNAMSIZ less one


class Ground(NamedTuple):
    """What a file is made of. `public` is empty without NAT; interface names are empty where not given."""

    customer: str
    inside: str
    outside: str
    ipbx: str
    public: str
    rows: tuple[Opening, ...]

    @property
    def version(self) -> int:
        """4 or 6, the IP version of the trunk."""
        return 6 if ":" in self.ipbx else 4


def ground(site: Site, facts: Facts) -> Ground:
    """The trunk's rows and those of other services that pass the same pair of interfaces."""
    rows = tuple(row for row in openings(site, facts) if row.crosses)
    firewall = site.firewall
    translated = public_address(site)[0] if site.architecture == "internet-b" else ""
    inside, outside = (firewall.inside, firewall.outside) if firewall else ("", "")
    return Ground(site.customer, inside, outside, ipbx(site).addresses[0], translated, rows)


def plain(text: str, length: int = 100) -> str:
    """Text that no firewall takes for its own syntax: ASCII letters, digits, a few marks, one line."""
    folded = unicodedata.normalize("NFKD", told(text, "en")).encode("ascii", "ignore").decode()
    return " ".join(_UNSAFE.sub(" ", folded).split())[:length].strip()


def slug(text: str) -> str:
    """A word for names of objects and files: lower-case letters, digits and hyphens; never empty."""
    return re.sub(r"[^a-z0-9]+", "-", plain(text).lower()).strip("-") or "x"


def comment(row: Opening, length: int = 100) -> str:
    """A rule's comment: requirement, site key, which row it is."""
    return plain(f"{row.requirement.replace(', ', '+')} {row.key} {row.id}", length)


def heading(where: Ground) -> list[str]:
    """What stands at the top of a file, in both languages, without its comment sign."""
    words = said(
        "Trunk between {ipbx} (IPBX) and the carrier. Written by trunkline plan; do not mend it here, mend "
        "the site file.",
        "Trunk entre {ipbx} (IPBX) et l'operateur. Ecrit par trunkline plan ; ne pas corriger ici, mais dans "
        "le fichier de site.",
        ipbx=where.ipbx,
    )
    follow = said(
        "When the carrier changes an address, this file must follow: resolve the SBC names and compare.",
        "Quand l'operateur change une adresse, ce fichier doit suivre : resoudre les noms des SBC et "
        "comparer.",
    )
    lines = [plain(where.customer), *(text for one in (words, follow) for text in (one, told(one, "fr")))]
    return [str(line) for line in lines]


def missing(where: Ground) -> Iterator[str]:
    """One line for each row that no rule can be written of."""
    for row in where.rows:
        if not row.whole:
            ends = " to ".join(end.name or plain(end.title) for end in (row.source, row.destination))
            yield plain(f"NOT OPEN, address or port not known - non ouvert: {ends}, {comment(row)}", 200)


def kernel_name(given: str, otherwise: str) -> str:
    """An interface's name as Linux takes it."""
    return given if KERNEL_NAME.fullmatch(given) else otherwise
