"""nftables: for a firewall that routes, with connection tracking, and for one that is a bridge, without."""

from __future__ import annotations

from trunkline.finding import said
from trunkline.plan.document import File
from trunkline.plan.firewall_words import Ground, comment, heading, kernel_name, missing
from trunkline.plan.openings import EVERYWHERE, Opening

INSIDE, OUTSIDE = "dmz", "wan"


def files(where: Ground) -> tuple[File, ...]:
    """The router's file; without NAT the bridge's too (topology A, where the firewall may be transparent)."""
    routed = File(
        "firewall/nftables.nft",
        _routed(where),
        said("nftables, for a firewall that routes: nft -f", "nftables, pour un pare-feu routeur : nft -f"),
    )
    if where.public:
        return (routed,)
    bridged = said(
        "nftables, for a firewall that is a bridge: nft -f", "nftables, pour un pare-feu en pont : nft -f"
    )
    return routed, File("firewall/nftables-bridge.nft", _bridged(where), bridged)


def _routed(where: Ground) -> str:
    chains = [
        "\tchain forward {",
        "\t\ttype filter hook forward priority filter; policy accept;",
        "\t\tiifname $inside oifname $outside jump to_internet",
        "\t\tiifname $outside oifname $inside jump from_internet",
        "\t}",
    ]
    for outward, name in ((True, "to_internet"), (False, "from_internet")):
        chains += ["", f"\tchain {name} {{", '\t\tct state established accept comment "answers"']
        chains.append('\t\tct state related meta l4proto { icmp, ipv6-icmp } accept comment "path MTU"')
        chains += [f"\t\t{rule}" for rule in _rules(where, outward=outward)]
        chains += ['\t\tcounter drop comment "FW-4 nothing else"', "\t}"]
    if where.public:
        chains += ["", *_translation(where)]
    return _file(where, "inet", chains)


def _rules(where: Ground, *, outward: bool) -> list[str]:
    rules = []
    for row in where.rows:
        if row.outward is outward and row.whole:
            state = "ct state new"
            rules += [
                f'{match} {state} accept comment "{comment(row)}"'
                for match in (_match(row, *pair) for pair in row.pairs())
            ]
    return rules


def _match(row: Opening, source: str, destination: str) -> str:
    family = "ip6" if ":" in source else "ip"
    ends = [
        f"{family} {which} {address}"
        for which, address in (("saddr", source), ("daddr", destination))
        if address not in EVERYWHERE
    ]
    return " ".join([*ends, f"{row.protocol} dport {_ports(row)}"])


def _ports(row: Opening) -> str:
    return f"{row.first}" if row.first == row.last else f"{row.first}-{row.last}"


def _translation(where: Ground) -> list[str]:
    family = "ip6" if where.version == 6 else "ip"
    into = [
        f'\t\tiifname $outside {family} saddr {source} {family} daddr {where.public} {row.protocol} dport '
        f'{_ports(row)} dnat {family} to {destination} comment "{comment(row)}"'
        for row in where.rows
        if not row.outward and row.whole
        for source, destination in row.pairs()
    ]  # fmt: skip
    return [
        "\tchain destination {",
        "\t\ttype nat hook prerouting priority dstnat; policy accept;",
        *into,
        "\t}",
        "",
        "\tchain source {",
        "\t\ttype nat hook postrouting priority srcnat; policy accept;",
        f"\t\toifname $outside {family} saddr {where.ipbx} snat {family} to {where.public}"
        ' comment "INET-3 firewall.public_address, ports kept"',
        "\t}",
    ]


def _bridged(where: Ground) -> str:
    """Without connection tracking, which a bridge has on few kernels: answers are let in by their ports."""
    family, icmp = ("ip6", "icmpv6") if where.version == 6 else ("ip", "icmp")
    version = "ip6" if where.version == 6 else "ip"
    chains = [
        "\tchain forward {",
        "\t\ttype filter hook forward priority filter; policy accept;",
        f"\t\tiifname $inside oifname $outside ether type {version} jump to_internet",
        f"\t\tiifname $outside oifname $inside ether type {version} jump from_internet",
        "\t}",
    ]
    error = (
        "icmpv6 type packet-too-big"
        if where.version == 6
        else "icmp type destination-unreachable icmp code 4"
    )
    for outward, name in ((True, "to_internet"), (False, "from_internet")):
        chains += ["", f"\tchain {name} {{"]
        if where.version == 6:
            chains.append(
                f"\t\t{icmp} type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert }} accept"
            )
        ends = f"{family} {'saddr' if outward else 'daddr'} {where.ipbx}"
        chains.append(f'\t\t{ends} {error} accept comment "path MTU"')
        for row in where.rows:
            if not row.whole:
                continue
            for source, destination in row.pairs():
                if row.outward is outward:
                    rule = _match(row, source, destination)
                elif row.first == row.last:  # media has a row each way, whatever the source port
                    rule = _answer(row, source, destination)
                else:
                    continue
                chains.append(f'\t\t{rule} accept comment "{comment(row)}"')
        chains += ['\t\tcounter drop comment "FW-4 nothing else"', "\t}"]
    return _file(where, "bridge", chains)


def _answer(row: Opening, source: str, destination: str) -> str:
    family = "ip6" if ":" in source else "ip"
    ends = [
        f"{family} {which} {address}"
        for which, address in (("saddr", destination), ("daddr", source))
        if address not in EVERYWHERE
    ]
    begun = " tcp flags & (syn | ack) != syn" if row.protocol == "tcp" else ""
    return " ".join([*ends, f"{row.protocol} sport {_ports(row)}{begun}"])


def _file(where: Ground, family: str, chains: list[str]) -> str:
    inside, outside = kernel_name(where.inside, INSIDE), kernel_name(where.outside, OUTSIDE)
    lines = [f"# {line}" for line in (*heading(where), *missing(where))]
    lines += [
        "",
        "# The firewall's own interfaces - les interfaces du pare-feu",
        f'define inside = "{inside}"',
        f'define outside = "{outside}"',
        "",
        # Loaded again, it takes the place of what it loaded before.
        f"table {family} trunkline",
        f"delete table {family} trunkline",
        f"table {family} trunkline {{",
        *chains,
        "}",
    ]
    return "\n".join(lines) + "\n"
