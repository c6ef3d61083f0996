"""Nominal and backup: which gateway is tried first, and how the IPBX learns that one is lost (5.2.4)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import gateways
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site


def _in_order(site: Site, facts: Facts) -> Iterator[Seen]:
    last: dict[str, Gateway] = {}
    for path, gateway in gateways(site):
        before = last.get(gateway.general.zone)
        if before is not None and gateway.general.index < before.general.index:
            says = said(
                "gateway {label} has index {index} and stands behind gateway {other}, index {before}: calls "
                "try {other} first",
                "la passerelle {label} a l'index {index} et vient après la passerelle {other}, index "
                "{before} : les appels essaient d'abord {other}",
                label=gateway.label,
                index=gateway.general.index,
                other=before.label,
                before=before.general.index,
            )
            yield Seen((*path, "general", "index"), says)
        last[gateway.general.zone] = gateway


def _supervised(site: Site, facts: Facts) -> Iterator[Seen]:
    if len(site.trunk.gateways) < 2:
        return
    for path, gateway in gateways(site):
        if not gateway.protocol.supervision.options and not gateway.registration.requested:
            says = said(
                "nothing tells whether gateway {label} is there: SIP Option is off",
                "rien n'indique si la passerelle {label} répond : SIP Option est désactivé",
                label=gateway.label,
            )
            yield Seen((*path, "protocol", "supervision", "options"), says)


RULES = (
    Rule(
        id="SITE-45",
        title=said(
            "Gateways stand in the order of their indexes",
            "Les passerelles sont dans l'ordre de leurs index",
        ),
        why=said(
            "Calls try the gateways in the order in which they stand. In the wrong order every call goes to "
            "the backup access SBC first, and nobody notices until that one is lost.",
            "Les appels essaient les passerelles dans l'ordre où elles figurent. Dans le mauvais ordre, tout "
            "appel va d'abord au SBC d'accès de secours, et personne ne le remarque avant sa perte.",
        ),
        level=Level.SHOULD,
        source="guide 5.2.4",
        mend=said(
            "put the nominal gateway first, with the lower index",
            "placez la passerelle nominale en premier, avec l'index le plus bas",
        ),
        look=_in_order,
        needs=("trunk.gateways.*",),
    ),
    Rule(
        id="SITE-46",
        title=said("The access SBCs are supervised", "Les SBC d'accès sont surveillés"),
        why=said(
            "When an access SBC is lost, each call waits for it in silence before the other one is tried, "
            "and callers hang up.",
            "Quand un SBC d'accès est perdu, chaque appel l'attend en silence avant d'essayer l'autre, et "
            "les appelants raccrochent.",
        ),
        level=Level.SHOULD,
        source=said("the vendor's courses (second-hand)", "cours du constructeur (de seconde main)"),
        mend=said(
            "SIP Gateways > Protocol: switch SIP Option on (supervision.options: true)",
            "SIP Gateways > Protocol : activez SIP Option (supervision.options: true)",
        ),
        look=_supervised,
        needs=("trunk.gateways.*",),
    ),
)
