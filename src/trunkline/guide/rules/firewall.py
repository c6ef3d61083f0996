"""The firewall of both topologies: it rewrites nothing, and opens the guide's ports (2.4.4)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import INTERNET
from trunkline.site.model import Site


def _opened(site: Site, facts: Facts) -> tuple[int, int, int, int]:
    """First and last media port that the firewall opens, and those the guide wants."""
    first, last = facts.numbers("internet.media_ports")
    firewall = site.firewall
    opens_first = firewall.media_first if firewall and firewall.media_first is not None else first
    opens_last = firewall.media_last if firewall and firewall.media_last is not None else last
    return opens_first, opens_last, first, last


def _no_alg(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.firewall is not None and site.firewall.sip_alg:
        says = said("the firewall rewrites SIP (SIP ALG)", "le pare-feu réécrit le SIP (SIP ALG)")
        yield Seen(("firewall", "sip_alg"), says)


def _ports_opened(site: Site, facts: Facts) -> Iterator[Seen]:
    opens_first, opens_last, first, last = _opened(site, facts)
    for key, short in (("media_first", opens_first > first), ("media_last", opens_last < last)):
        if short:
            says = said(
                "the firewall opens ports {opens_first} to {opens_last}; the guide's table has {first} "
                "to {last}",
                "le pare-feu ouvre les ports {opens_first} à {opens_last} ; le tableau du guide a "
                "{first} à {last}",
                opens_first=opens_first,
                opens_last=opens_last,
                first=first,
                last=last,
            )
            yield Seen(("firewall", key), says)
            return


def _ports_closed(site: Site, facts: Facts) -> Iterator[Seen]:
    opens_first, opens_last, first, last = _opened(site, facts)
    for key, wide in (("media_first", opens_first < first), ("media_last", opens_last > last)):
        if wide:
            says = said(
                "the firewall opens ports {opens_first} to {opens_last}, more than {first} to {last}",
                "le pare-feu ouvre les ports {opens_first} à {opens_last}, plus que {first} à {last}",
                opens_first=opens_first,
                opens_last=opens_last,
                first=first,
                last=last,
            )
            yield Seen(("firewall", key), says)


RULES = (
    Rule(
        id="FW-1",
        title=said("The firewall rewrites no SIP", "Le pare-feu ne réécrit pas le SIP"),
        why=said(
            "A SIP ALG changes addresses that are right already: one-way sound, and calls that drop.",
            "Un SIP ALG change des adresses déjà justes : son dans un seul sens, appels coupés.",
        ),
        level=Level.SHOULD,
        source=said("guide 2.4, 5.2.2; trade knowledge", "guide 2.4, 5.2.2 ; usage du métier"),
        mend=said("switch SIP ALG off on the firewall", "désactivez SIP ALG sur le pare-feu"),
        look=_no_alg,
    ),
    Rule(
        id="FW-2c",
        title=said("The firewall opens the guide's media ports", "Le pare-feu ouvre les ports voix du guide"),
        why=said(
            "Calls on the ports that stay closed have no sound, a few of them and never the same.",
            "Les appels sur les ports fermés sont muets : quelques-uns, jamais les mêmes.",
        ),
        level=Level.MUST,
        source="guide 2.4.4",
        mend=said(
            "open the range of the guide's firewall table",
            "ouvrez la plage du tableau pare-feu du guide",
        ),
        look=_ports_opened,
        fact="internet.media_ports",
        needs=("firewall.media_first", "firewall.media_last"),
        architectures=INTERNET,
    ),
    Rule(
        id="FW-4b",
        title=said(
            "The firewall opens no more media ports than the guide's",
            "Le pare-feu n'ouvre pas plus de ports voix que le guide",
        ),
        why=said(
            "Each port more is one more for strangers to try.",
            "Chaque port de plus est une porte de plus pour des inconnus.",
        ),
        level=Level.SHOULD,
        source="guide 2.4.4",
        mend=said(
            "open the range of the guide's firewall table, no more",
            "ouvrez la plage du tableau pare-feu du guide, pas plus",
        ),
        look=_ports_closed,
        fact="internet.media_ports",
        needs=("firewall.media_first", "firewall.media_last"),
        architectures=INTERNET,
    ),
)
