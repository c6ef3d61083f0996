"""Fortinet FortiOS: addresses, services, policies between the two interfaces, and NAT by VIP and IP pool.

An SBC's signalling is a group of its address and its name, so that the policy follows the carrier's
DNS as soon as the firewall resolves it. FortiOS lets answers pass by itself.
"""

from __future__ import annotations

from trunkline.finding import said
from trunkline.plan.document import File
from trunkline.plan.firewall_words import Ground, comment, heading, missing, plain, slug
from trunkline.plan.openings import EVERYWHERE, End, Opening

INSIDE, OUTSIDE = "dmz", "wan1"
IPBX = "trunk-ipbx"
POOL = "trunk-public"


def files(where: Ground) -> tuple[File, ...]:
    """One file, to paste in the CLI or run as a script."""
    says = said("Fortinet FortiOS, in the CLI", "Fortinet FortiOS, dans la CLI")
    return (File("firewall/fortinet.txt", _text(where), says),)


def _text(where: Ground) -> str:
    lines = [f"# {line}" for line in (*heading(where), *missing(where))]
    lines += ["# The SIP ALG must not touch this trunk (firewall.sip_alg) - pas d'ALG SIP sur ce trunk"]
    lines += [
        "# config system settings; set default-voip-alg-mode kernel-helper-based; set sip-helper disable; end"
    ]
    rows = [row for row in where.rows if row.whole]
    far = {_name(end): end for row in rows for end in (row.source, row.destination) if not _ours(where, end)}
    lines += _addresses(where, far)
    lines += _services(rows)
    if where.public:
        lines += _translation(where, [row for row in rows if not row.outward])
    return "\n".join([*lines, *_policies(where, rows)]) + "\n"


def _ours(where: Ground, end: End) -> bool:
    return end.addresses == (where.ipbx,)


def _name(end: End) -> str:
    return "all" if end.addresses == EVERYWHERE else f"trunk-{slug(end.title)}"


def _addresses(where: Ground, far: dict[str, End]) -> list[str]:
    six = where.version == 6
    lines = [f"config firewall address{'6' if six else ''}"]
    lines += _object(IPBX, _subnet(where.ipbx))
    for name, end in far.items():
        for index, address in enumerate(end.addresses):
            if end.addresses != EVERYWHERE and (":" in address) is six:
                lines += _object(f"{name}-{index + 1}", _subnet(address))
        if end.name:
            lines += _object(f"{name}-dns", ["set type fqdn", f'set fqdn "{end.name}"'])
    lines += ["end", f"config firewall addrgrp{'6' if six else ''}"]
    for name, end in far.items():
        if end.addresses != EVERYWHERE:
            numbered = [(index, one) for index, one in enumerate(end.addresses) if (":" in one) is six]
            members = [f'"{name}-{index + 1}"' for index, _ in numbered]
            members += [f'"{name}-dns"'] if end.name else []
            lines += _object(name, [f"set member {' '.join(members)}"])
    return [*lines, "end"]


def _subnet(address: str) -> list[str]:
    return [f"set ip6 {address}/128"] if ":" in address else [f"set subnet {address} 255.255.255.255"]


def _object(name: str, settings: list[str]) -> list[str]:
    return [f'edit "{name}"', *settings, "next"]


def _service(row: Opening) -> str:
    return f"trunk-{row.protocol}-{_ports(row)}"


def _ports(row: Opening) -> str:
    return f"{row.first}" if row.first == row.last else f"{row.first}-{row.last}"


def _services(rows: list[Opening]) -> list[str]:
    lines = ["config firewall service custom"]
    for name, row in {_service(row): row for row in rows}.items():
        lines += _object(name, [f"set {row.protocol}-portrange {_ports(row)}"])
    return [*lines, "end"]


def _vip(row: Opening) -> str:
    return f"trunk-in-{row.protocol}-{_ports(row)}"


def _translation(where: Ground, rows: list[Opening]) -> list[str]:
    outside = where.outside or OUTSIDE
    lines = ["config firewall vip"]
    for name, row in {_vip(row): row for row in rows}.items():
        ports = _ports(row)
        settings = [
            f'set comment "{comment(row)}"', f"set extip {where.public}", f'set extintf "{outside}"',
            "set portforward enable", f"set protocol {row.protocol}", f"set extport {ports}",
            f'set mappedip "{where.ipbx}"', f"set mappedport {ports}",
        ]  # fmt: skip
        lines += _object(name, settings)
    lines += ["end", "config firewall ippool"]
    pool = ["set type overload", f"set startip {where.public}", f"set endip {where.public}"]
    return [*lines, *_object(POOL, pool), "end"]


def _policies(where: Ground, rows: list[Opening]) -> list[str]:
    inside, outside = where.inside or INSIDE, where.outside or OUTSIDE
    lines = ["config firewall policy"]
    for number, row in enumerate(rows, 1):
        far = _name(row.destination if row.outward else row.source)
        near = _vip(row) if where.public and not row.outward else IPBX
        source, destination = (near, far) if row.outward else (far, near)
        ends = (inside, outside) if row.outward else (outside, inside)
        nat = where.public and row.outward
        lines += _policy(
            where,
            f"trunk-{number:02}",
            ends,
            source,
            destination,
            _service(row),
            comment(row, 200),
            nat=bool(nat),
        )
    for name, ends in (("trunk-deny-out", (inside, outside)), ("trunk-deny-in", (outside, inside))):
        lines += _policy(where, name, ends, "all", "all", "ALL", plain("FW-4 nothing else"), deny=True)
    return [*lines, "end"]


def _policy(
    where: Ground,
    name: str,
    ends: tuple[str, str],
    source: str,
    destination: str,
    service: str,
    words: str,
    *,
    nat: bool = False,
    deny: bool = False,
) -> list[str]:
    six = "6" if where.version == 6 else ""
    settings = [
        f'set name "{name}"', f'set srcintf "{ends[0]}"', f'set dstintf "{ends[1]}"',
        f'set srcaddr{six} "{source}"', f'set dstaddr{six} "{destination}"', f'set service "{service}"',
        'set schedule "always"', f"set action {'deny' if deny else 'accept'}", "set logtraffic all",
    ]  # fmt: skip
    if deny and where.public:  # a translated destination is not "all" before FortiOS 7.2.4
        settings.append("set match-vip enable")
    if nat:  # fixedport: the ports are those that SIP and SDP say (INET-3)
        settings += ["set nat enable", "set ippool enable", f'set poolname "{POOL}"', "set fixedport enable"]
    return ["edit 0", *settings, f'set comments "{words}"', "next"]
