"""iptables-restore and ip6tables-restore, with --noflush: chains of our own, and a jump to each."""

from __future__ import annotations

from trunkline.finding import said
from trunkline.plan.document import File
from trunkline.plan.firewall_nftables import INSIDE, OUTSIDE
from trunkline.plan.firewall_words import Ground, comment, heading, kernel_name, missing
from trunkline.plan.openings import EVERYWHERE, Opening

TO, FROM = "TRUNK-TO-INTERNET", "TRUNK-FROM-INTERNET"
INTO, OUT_OF = "TRUNK-DNAT", "TRUNK-SNAT"


def files(where: Ground) -> tuple[File, ...]:
    """The one file of the trunk's IP version."""
    command = "ip6tables-restore" if where.version == 6 else "iptables-restore"
    name = "firewall/ip6tables.rules" if where.version == 6 else "firewall/iptables.rules"
    says = said(
        "iptables: {command} --noflush, once", "iptables : {command} --noflush, une fois", command=command
    )
    return (File(name, _text(where), says),)


def _text(where: Ground) -> str:
    inside, outside = kernel_name(where.inside, INSIDE), kernel_name(where.outside, OUTSIDE)
    lines = [f"# {line}" for line in (*heading(where), *missing(where))]
    lines += ["*filter", f":{TO} - [0:0]", f":{FROM} - [0:0]"]
    lines += [
        f"-I FORWARD -i {inside} -o {outside} -j {TO}",
        f"-I FORWARD -i {outside} -o {inside} -j {FROM}",
    ]
    icmp = "ipv6-icmp" if where.version == 6 else "icmp"
    for outward, chain in ((True, TO), (False, FROM)):
        lines.append(f"-A {chain} -m conntrack --ctstate ESTABLISHED {_said('answers')} -j ACCEPT")
        lines.append(f"-A {chain} -p {icmp} -m conntrack --ctstate RELATED {_said('path MTU')} -j ACCEPT")
        lines += [
            f"-A {chain} {_match(row, *pair)} -m conntrack --ctstate NEW {_said(comment(row))} -j ACCEPT"
            for row in where.rows
            if row.outward is outward and row.whole
            for pair in row.pairs()
        ]
        lines.append(f"-A {chain} {_said('FW-4 nothing else')} -j DROP")
    lines.append("COMMIT")
    if where.public:
        lines += _translation(where, outside)
    return "\n".join(lines) + "\n"


def _match(row: Opening, source: str, destination: str) -> str:
    ends = [
        f"{flag} {address}"
        for flag, address in (("-s", source), ("-d", destination))
        if address not in EVERYWHERE
    ]
    return " ".join([*ends, f"-p {row.protocol} --dport {_ports(row)}"])


def _ports(row: Opening) -> str:
    return f"{row.first}" if row.first == row.last else f"{row.first}:{row.last}"


def _said(words: str) -> str:
    return f'-m comment --comment "{words}"'


def _translation(where: Ground, outside: str) -> list[str]:
    lines = ["*nat", f":{INTO} - [0:0]", f":{OUT_OF} - [0:0]"]
    lines += [f"-I PREROUTING -i {outside} -d {where.public} -j {INTO}"]
    lines += [f"-I POSTROUTING -o {outside} -s {where.ipbx} -j {OUT_OF}"]
    lines += [
        f"-A {INTO} -s {source} -p {row.protocol} --dport {_ports(row)} {_said(comment(row))}"
        f" -j DNAT --to-destination {destination}"
        for row in where.rows
        if not row.outward and row.whole
        for source, destination in row.pairs()
    ]
    kept = _said("INET-3 firewall.public_address, ports kept")
    return [*lines, f"-A {OUT_OF} {kept} -j SNAT --to-source {where.public}", "COMMIT"]
