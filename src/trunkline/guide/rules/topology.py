"""The architecture, and topology A: nothing translates between OCE and the carrier (2.4, 5.2.1)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.places import NO_WAY_BACK, TOPOLOGY_A, TOPOLOGY_TAB
from trunkline.guide.rules.walk import BVPN, INTERNET, gateways
from trunkline.site.model import Site


def _architecture(site: Site, facts: Facts) -> Iterator[Seen]:
    certified = [fact.key.removeprefix("architectures.") for fact in facts.under("architectures")]
    names = [name for name in certified if name != "recommended"]
    if names and site.architecture not in names:
        says = said(
            "the guide certifies no architecture {architecture}; it names {names}",
            "le guide ne certifie pas l'architecture {architecture} ; il cite {names}",
            architecture=site.architecture,
            names=", ".join(names),
        )
        yield Seen(("architecture",), says)


def _stand_alone(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.product.front_end and not facts.flag("products.front_end_internet"):
        says = said(
            "a Front End is not supported on a trunk over the internet",
            "un Front End n'est pas supporté sur un trunk par internet",
        )
        yield Seen(("product", "front_end"), says)


def _transparent(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.firewall is not None and site.firewall.mode == "nat" and not facts.flag("internet.nat_a"):
        says = said(
            "the firewall translates; in topology A it is transparent",
            "le pare-feu fait du NAT ; en topologie A il est transparent",
        )
        yield Seen(("firewall", "mode"), says)


def _no_static_nat(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        if gateway.topology.static_nat:
            says = said(
                "gateway {label} has Static NAT on, and nothing translates here",
                "la passerelle {label} a Static NAT activé, et rien ne fait de NAT ici",
                label=gateway.label,
            )
            yield Seen((*path, "topology", "static_nat"), says)


def _recommended(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("architectures.recommended")
    if site.architecture != wanted:
        says = said(
            "the guide recommends {wanted}; {architecture} is its alternative",
            "le guide recommande {wanted} ; {architecture} est son alternative",
            wanted=wanted,
            architecture=site.architecture,
        )
        yield Seen(("architecture",), says)


RULES = (
    Rule(
        id="SITE-56",
        title=said("The guide certifies the architecture", "Le guide certifie l'architecture"),
        why=said(
            "The carrier helps with certified architectures only.",
            "L'opérateur n'assiste que les architectures certifiées.",
        ),
        level=Level.MUST,
        source="guide 2",
        mend=said(
            "choose a certified one, or ask the carrier",
            "choisissez-en une certifiée, ou demandez à l'opérateur",
        ),
        look=_architecture,
        needs=("architecture",),
    ),
    Rule(
        id="INET-1b",
        title=said("Over the internet OCE has no Front End", "Par internet, OCE n'a pas de Front End"),
        why=said(
            "Only a stand-alone OCE encrypts signalling and voice by itself.",
            "Seul un OCE autonome chiffre lui-même la signalisation et la voix.",
        ),
        level=Level.MUST,
        source="guide 2.4",
        mend=said("take a stand-alone OCE", "prenez un OCE autonome"),
        look=_stand_alone,
        fact="products.front_end_internet",
        architectures=INTERNET,
    ),
    Rule(
        id="INET-2c",
        title=said(
            "In topology A the firewall is transparent", "En topologie A, le pare-feu est transparent"
        ),
        why=NO_WAY_BACK,
        level=Level.MUST,
        source="guide 2.4, 5.2.1",
        mend=said(
            "set the firewall to bridge mode, or choose internet-b",
            "passez le pare-feu en mode pont, ou choisissez internet-b",
        ),
        look=_transparent,
        fact="internet.nat_a",
        architectures=TOPOLOGY_A,
    ),
    Rule(
        id="INET-2d",
        title=said(
            "Static NAT is off where nothing translates",
            "Static NAT est désactivé là où rien ne fait de NAT",
        ),
        why=NO_WAY_BACK,
        level=Level.MUST,
        source="guide 2.2, 2.4",
        mend=said("{tab}: switch Static NAT off", "{tab} : désactivez Static NAT", tab=TOPOLOGY_TAB),
        look=_no_static_nat,
        architectures=(*BVPN, *TOPOLOGY_A),
    ),
    Rule(
        id="INET-2e",
        title=said("The topology is the recommended one", "La topologie est celle qui est recommandée"),
        why=said(
            "Behind NAT, three addresses have to agree on firewall, interface and gateway.",
            "Derrière un NAT, trois adresses doivent concorder : pare-feu, interface et passerelle.",
        ),
        level=Level.NOTE,
        source="guide 2.4",
        mend=said(
            "give eth1 the public address and make the firewall transparent, if it can be",
            "donnez l'adresse publique à eth1 et rendez le pare-feu transparent, si c'est possible",
        ),
        look=_recommended,
        fact="architectures.recommended",
        architectures=INTERNET,
    ),
)
