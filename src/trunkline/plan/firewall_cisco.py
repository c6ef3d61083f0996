"""Cisco IOS: two extended access lists on the interface toward the IPBX, and static NAT of its address.

Both lists stand on the inside interface, one each way: so the outside interface keeps the rules it
has, and both see the IPBX's own address (IOS translates before an outbound list and after an inbound
one there). The lists keep no state: answers have entries of their own.
"""

from __future__ import annotations

from trunkline.finding import said
from trunkline.plan.document import File
from trunkline.plan.firewall_words import Ground, comment, heading, missing
from trunkline.plan.openings import EVERYWHERE, Opening

INSIDE, OUTSIDE = "GigabitEthernet0/1", "GigabitEthernet0/0"
TO, FROM = "TRUNK-TO-INTERNET", "TRUNK-FROM-INTERNET"


def files(where: Ground) -> tuple[File, ...]:
    """One file, to paste in configuration mode."""
    says = said("Cisco IOS, in configuration mode", "Cisco IOS, en mode configuration")
    return (File("firewall/cisco-ios.txt", _text(where), says),)


def _text(where: Ground) -> str:
    inside, outside = where.inside or INSIDE, where.outside or OUTSIDE
    ip = "ipv6" if where.version == 6 else "ip"
    lines = [f"! {line}" for line in (*heading(where), *missing(where))]
    for outward, name in ((True, TO), (False, FROM)):
        lines.append(f"{ip} access-list {name}" if ip == "ipv6" else f"ip access-list extended {name}")
        lines += _entries(where, outward=outward)
        lines.append("!")
    lines.append(f"interface {inside}")
    if ip == "ipv6":
        lines += [f" ipv6 traffic-filter {TO} in", f" ipv6 traffic-filter {FROM} out"]
    else:
        lines += [f" ip access-group {TO} in", f" ip access-group {FROM} out"]
    if where.public and ip == "ip":
        lines += [" ip nat inside", "!", f"interface {outside}", " ip nat outside", "!"]
        lines += ["! INET-3 firewall.public_address: one address for one, so every port is kept"]
        lines += [f"ip nat inside source static {where.ipbx} {where.public}"]
        lines += ["! no SIP ALG: firewall.sip_alg"]
        lines += ["no ip nat service sip tcp port 5060", "no ip nat service sip udp port 5060"]
    return "\n".join([*lines, "!", "end"]) + "\n"


def _entries(where: Ground, *, outward: bool) -> list[str]:
    entries = []
    for row in where.rows:
        if not row.whole:
            continue
        for source, destination in row.pairs():
            if row.outward is outward:
                entry = f" permit {row.protocol} {_host(source)} {_host(destination)} {_ports(row)}"
            elif row.first == row.last:  # media has a row each way, whatever the source port
                begun = " established" if row.protocol == "tcp" else ""
                entry = f" permit {row.protocol} {_host(destination)} {_ports(row)} {_host(source)}{begun}"
            else:
                continue
            entries += [f" remark {comment(row, 90)}", entry]
    icmp = "packet-too-big"
    ends = f"{_host(where.ipbx)} any" if outward else f"any {_host(where.ipbx)}"
    entries += [" remark path MTU", f" permit icmp {ends} {icmp}"]
    if where.version == 6:
        entries += [" permit icmp any any nd-na", " permit icmp any any nd-ns"]
    return [
        *entries,
        " remark FW-4 nothing else",
        f" deny {'ipv6' if where.version == 6 else 'ip'} any any log",
    ]


def _host(address: str) -> str:
    return "any" if address in EVERYWHERE else f"host {address}"


def _ports(row: Opening) -> str:
    return f"eq {row.first}" if row.first == row.last else f"range {row.first} {row.last}"
