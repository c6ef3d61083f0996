"""OPNsense: what its pages import, and what importing merges with the rules that are there.

Aliases as JSON (Firewall > Aliases), rules as CSV (Firewall > Rules), and with NAT the CSV of
Destination NAT and Source NAT. A restored config.xml would have replaced all rules of the firewall.
The ids are made from names, so that a second import mends the first. pf lets answers pass by itself.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Final

from trunkline.finding import said
from trunkline.plan.document import File
from trunkline.plan.firewall_words import Ground, comment, missing, plain, slug
from trunkline.plan.openings import EVERYWHERE, End, Opening

INSIDE, OUTSIDE = "opt1", "wan"
IPBX, PUBLIC = "trunk_ipbx", "trunk_public"
FIRST: Final = 100  # of the rules' sequence: before what is usually there
FOLDER: Final = "firewall/opnsense"

RULE_HEAD: Final = (
    "@uuid", "enabled", "sequence", "action", "quick", "interface", "direction", "ipprotocol", "protocol",
    "source_net", "source_port", "destination_net", "destination_port", "log", "description",
)  # fmt: skip
DNAT_HEAD: Final = (
    "@uuid", "sequence", "interface", "ipprotocol", "protocol", "source.network", "destination.network",
    "destination.port", "target", "local-port", "descr",
)  # fmt: skip
SNAT_HEAD: Final = (
    "@uuid", "enabled", "sequence", "interface", "ipprotocol", "protocol", "source_net", "destination_net",
    "target", "staticnatport", "description",
)  # fmt: skip


def files(where: Ground) -> tuple[File, ...]:
    """Aliases, rules and, behind NAT, both translations."""
    rows = [row for row in where.rows if row.whole]
    imported = "OPNsense: {page}, import ({lost})", "OPNsense : {page}, importer ({lost})"
    lost = list(missing(where))
    count = said("complete", "complet") if not lost else said(
        "{count} rows not known are left out", "{count} lignes inconnues omises", count=len(lost)
    )  # fmt: skip
    made = [
        File(
            f"{FOLDER}/aliases.json",
            _aliases(where, rows),
            said(*imported, page="Firewall > Aliases", lost=count),
        ),
        File(
            f"{FOLDER}/rules.csv", _rules(where, rows), said(*imported, page="Firewall > Rules", lost=count)
        ),
    ]
    if where.public:
        pages = (("destination-nat", "Destination NAT", _dnat), ("source-nat", "Source NAT", _snat))
        made += [
            File(f"{FOLDER}/{name}.csv", write(where, rows),
                 said(*imported, page=f"Firewall > NAT > {page}", lost=count))
            for name, page, write in pages
        ]  # fmt: skip
    return tuple(made)


def _id(*words: str) -> str:
    """A UUID made from a name, version 5 (RFC 9562 §5.5)."""
    digest = hashlib.sha1("/".join(("trunkline", *words)).encode(), usedforsecurity=False).digest()
    octets = bytearray(digest[:16])
    octets[6] = octets[6] & 0x0F | 0x50
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _alias(where: Ground, end: End) -> str:
    if end.addresses == (where.ipbx,):
        return IPBX
    if end.addresses == EVERYWHERE:
        return "any"
    return f"trunk_{slug(end.title).replace('-', '_')}"[:31]  # pf names tables so


def _aliases(where: Ground, rows: list[Opening]) -> str:
    content = {IPBX: [where.ipbx]} | ({PUBLIC: [where.public]} if where.public else {})
    titles = {IPBX: "IPBX", PUBLIC: "INET-3 firewall.public_address"}
    for row in rows:
        for end in (row.source, row.destination):
            name = _alias(where, end)
            if name not in (IPBX, "any"):
                content[name] = [*end.addresses, *([end.name] if end.name else [])]
                titles[name] = plain(f"{row.key} {end.title}")
    aliases = {
        _id("alias", name): {
            "enabled": "1", "name": name, "type": "host", "proto": "", "content": "\n".join(hosts),
            "description": titles[name],
        }
        for name, hosts in content.items()
    }  # fmt: skip
    return json.dumps({"aliases": {"alias": aliases}}, indent=2) + "\n"


def _ports(row: Opening) -> str:
    return f"{row.first}" if row.first == row.last else f"{row.first}-{row.last}"


def _inet(where: Ground) -> str:
    return "inet6" if where.version == 6 else "inet"


def _rules(where: Ground, rows: list[Opening]) -> str:
    lines: list[tuple[str, ...]] = []
    inside, outside = where.inside or INSIDE, where.outside or OUTSIDE

    def add(
        name: str, action: str, interface: str, protocol: str, ends: tuple[str, str], port: str, says: str
    ) -> None:
        sequence = str(FIRST + len(lines))
        lines.append(
            (_id("rule", name), "1", sequence, action, "1", interface, "in", _inet(where), protocol, ends[0],
             "", ends[1], port, "1" if action == "block" else "0", says)
        )  # fmt: skip

    for row in rows:
        ends = (_alias(where, row.source), _alias(where, row.destination))
        interface = inside if row.outward else outside
        add(row.id, "pass", interface, row.protocol.upper(), ends, _ports(row), comment(row, 200))
    add("block-out", "block", inside, "any", (IPBX, "any"), "", "FW-4 nothing else")
    add("block-in", "block", outside, "any", ("any", IPBX), "", "FW-4 nothing else")
    return _csv(RULE_HEAD, lines)


def _dnat(where: Ground, rows: list[Opening]) -> str:
    inward = [row for row in rows if not row.outward]
    return _csv(
        DNAT_HEAD,
        [
            (_id("dnat", row.id), str(FIRST + index), where.outside or OUTSIDE, _inet(where), row.protocol,
             _alias(where, row.source), PUBLIC, _ports(row), IPBX, str(row.first), comment(row, 200))
            for index, row in enumerate(inward)
        ],
    )  # fmt: skip


def _snat(where: Ground, rows: list[Opening]) -> str:
    says = "INET-3 firewall.public_address, ports kept"
    one = (
        _id("snat"),
        "1",
        str(FIRST),
        where.outside or OUTSIDE,
        _inet(where),
        "any",
        IPBX,
        "any",
        PUBLIC,
        "1",
        says,
    )
    return _csv(SNAT_HEAD, [one])


def _csv(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([head, *lines])
    return written.getvalue()
