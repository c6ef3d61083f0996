"""All rows as CSV, the trunk's and those of other services, for a firewall team that has tools of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from trunkline.finding import said
from trunkline.plan.document import File
from trunkline.plan.firewall_words import Ground, plain
from trunkline.plan.openings import EVERYWHERE, End, Opening

HEAD = (
    "id", "section", "protocol", "source", "source_addresses", "source_name", "source_ports", "destination",
    "destination_addresses", "destination_name", "first_port", "last_port", "direction", "trunk_interface",
    "site_key", "requirement",
)  # fmt: skip
ASK = "ask the carrier"


def files(rows: Sequence[Opening]) -> tuple[File, ...]:
    """One file. What is not known reads "ask the carrier"; several addresses are parted by spaces."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(HEAD)
    for row in rows:
        ports = ("", "") if row.protocol == "esp" else (_port(row.first), _port(row.last))
        ends = (*_end(row.source), "any", *_end(row.destination), *ports)
        way = ("out" if row.outward else "in", "yes" if row.crosses else "no")
        lines.writerow((plain(row.id), row.section, row.protocol, *ends, *way, row.key, row.requirement))
    says = said("every opening, for other firewalls", "toutes les ouvertures, pour d'autres pare-feu")
    return (File("firewall/openings.csv", written.getvalue(), says),)


def translations(where: Ground) -> tuple[File, ...]:
    """Behind NAT, what is translated: one line for each way in, one for the way out. No port changes."""
    if not where.public:
        return ()
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(
        ("translation", "protocol", "for", "before", "after", "first_port", "last_port", "requirement")
    )
    for row in where.rows:
        if not row.outward and row.whole:
            for far, near in row.pairs():
                ports = (_port(row.first), _port(row.last))
                lines.writerow(("destination", row.protocol, far, where.public, near, *ports, "INET-3"))
    lines.writerow(("source", "any", where.ipbx, where.ipbx, where.public, "kept", "kept", "INET-3"))
    says = said("every translation, for other firewalls", "toutes les traductions, pour d'autres pare-feu")
    return (File("firewall/translations.csv", written.getvalue(), says),)


def _end(end: End) -> tuple[str, str, str]:
    if end.addresses == EVERYWHERE:
        return plain(end.title), "any", end.name
    return (
        plain(end.title),
        " ".join(end.addresses) or ("" if end.name else plain(end.lacks) or ASK),
        end.name,
    )


def _port(port: int | None) -> str:
    return str(port) if port is not None else ASK
