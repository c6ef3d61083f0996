"""Topologies A and B over the internet: who has the public address, and what the firewall does (2.4, 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.places import TOPOLOGY_A, TOPOLOGY_B, reachable
from trunkline.guide.rules.walk import BVPN, INTERNET, gateways, interface, private
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


def _stand_alone(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.product.front_end and not facts.flag("products.front_end_internet"):
        says = said(
            "a Front End is not supported on a trunk over the internet",
            "un Front End n'est pas supporté sur un trunk par internet",
        )
        yield Seen(("product", "front_end"), says)


# --- topology A -----------------------------------------------------------------------


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


# --- topology B -----------------------------------------------------------------------


def _translates(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.flag("internet.nat_b"):
        return
    if site.firewall is None:
        says = said(
            "the file does not describe the firewall, which has the public address in topology B",
            "le fichier ne décrit pas le pare-feu, qui porte l'adresse publique en topologie B",
        )
        yield Seen(("architecture",), says)
    elif site.firewall.mode != "nat":
        says = said(
            "the firewall is transparent; in topology B it translates",
            "le pare-feu est transparent ; en topologie B il fait du NAT",
        )
        yield Seen(("firewall", "mode"), says)


def _firewall_address(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.firewall is None:
        return
    address = site.firewall.public_address
    if not address:
        says = said("the firewall's public address is missing", "l'adresse publique du pare-feu manque")
        yield Seen(("firewall", "public_address"), says)
    elif private(address):
        says = said(
            "{address} is a private address: the carrier cannot reach it",
            "{address} est une adresse privée : l'opérateur ne peut pas la joindre",
            address=address,
        )
        yield Seen(("firewall", "public_address"), says)


def _dmz(site: Site, facts: Facts) -> Iterator[Seen]:
    name = facts.text("internet.trunk_interface")
    found = interface(site, name)
    if found is None:
        says = said(
            "the file describes no {name}, which has the private address in the DMZ",
            "le fichier ne décrit pas {name}, qui porte l'adresse privée de la DMZ",
            name=name,
        )
        yield Seen(("interfaces",), says)
    elif reachable(found.address):
        says = said(
            "{address} on {name} is a public address; behind the firewall's NAT it is a private one",
            "{address} sur {name} est une adresse publique ; derrière le NAT du pare-feu elle est privée",
            address=found.address,
            name=name,
        )
        yield Seen(("interfaces", name, "address"), says)


def _static_nat(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        if not gateway.topology.static_nat:
            says = said(
                "gateway {label} has Static NAT off: SIP and SDP would name the private address",
                "la passerelle {label} a Static NAT désactivé : SIP et SDP citeraient l'adresse privée",
                label=gateway.label,
            )
            yield Seen((*path, "topology", "static_nat"), says)


def _static_address(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = site.firewall.public_address if site.firewall else ""
    for path, gateway in gateways(site):
        topology = gateway.topology
        if topology.static_nat and reachable(wanted) and topology.public_address != wanted:  # else INET-3b
            says = said(
                "gateway {label} says {address}, the firewall has {wanted}",
                "la passerelle {label} annonce {address}, le pare-feu a {wanted}",
                label=gateway.label,
                address=topology.public_address or said("no address", "aucune adresse"),
                wanted=wanted,
            )
            yield Seen((*path, "topology", "public_address"), says)


def _static_port(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("internet.signalling_port")
    for path, gateway in gateways(site):
        if gateway.topology.static_nat and gateway.topology.port != wanted:
            says = said(
                "gateway {label} says port {port}; the carrier calls port {wanted}",
                "la passerelle {label} annonce le port {port} ; l'opérateur appelle le port {wanted}",
                label=gateway.label,
                port=gateway.topology.port or 0,
                wanted=wanted,
            )
            yield Seen((*path, "topology", "port"), says)


def _routed(site: Site, facts: Facts) -> Iterator[Seen]:
    name = facts.text("internet.trunk_interface")
    found = interface(site, name)
    if found is not None and not found.router:
        says = said(
            "{name} has no router: packets to the carrier may leave by the LAN",
            "{name} n'a pas de routeur : les paquets vers l'opérateur peuvent partir par le LAN",
            name=name,
        )
        yield Seen(("interfaces", name, "router"), says)


def _router_near(site: Site, facts: Facts) -> Iterator[Seen]:
    for name in ("eth0", "eth1"):
        found = interface(site, name)
        if found is None or not found.router or found.prefix is None:
            continue
        router = ip_address(found.router)
        if found.prefix > ip_address(found.address).max_prefixlen:
            continue
        network = ip_network(f"{found.address}/{found.prefix}", strict=False)
        if router not in network:
            says = said(
                "router {router} is not in {network}, the network of {name}",
                "le routeur {router} n'est pas dans {network}, le réseau d'{name}",
                router=found.router,
                network=str(network),
                name=name,
            )
            yield Seen(("interfaces", name, "router"), says)


# --- the firewall of both -------------------------------------------------------------


def _no_alg(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.firewall is not None and site.firewall.sip_alg:
        says = said("the firewall rewrites SIP (SIP ALG)", "le pare-feu réécrit le SIP (SIP ALG)")
        yield Seen(("firewall", "sip_alg"), says)


def _opened(site: Site, facts: Facts) -> tuple[int, int, int, int]:
    """First and last media port that the firewall opens, and those the guide wants."""
    first, last = facts.numbers("internet.media_ports")
    firewall = site.firewall
    opens_first = firewall.media_first if firewall and firewall.media_first is not None else first
    opens_last = firewall.media_last if firewall and firewall.media_last is not None else last
    return opens_first, opens_last, first, last


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


_NO_WAY_BACK = said(
    "The carrier answers to an address that leads nowhere: no call comes in, and calls out have no sound.",
    "L'opérateur répond à une adresse qui ne mène nulle part : aucun appel n'entre, et les sortants sont "
    "muets.",
)
_TOPOLOGY = "OMC > External Lines > SIP > SIP Gateways > Topology"

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
        why=_NO_WAY_BACK,
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
        why=_NO_WAY_BACK,
        level=Level.MUST,
        source="guide 2.2, 2.4",
        mend=said("{tab}: switch Static NAT off", "{tab} : désactivez Static NAT", tab=_TOPOLOGY),
        look=_no_static_nat,
        architectures=(*BVPN, *TOPOLOGY_A),
    ),
    Rule(
        id="INET-3a",
        title=said("In topology B the firewall translates", "En topologie B, le pare-feu fait du NAT"),
        why=_NO_WAY_BACK,
        level=Level.MUST,
        source="guide 2.4, 5.2.2",
        mend=said(
            "describe the firewall, its mode nat, or choose internet-a",
            "décrivez le pare-feu, mode nat, ou choisissez internet-a",
        ),
        look=_translates,
        fact="internet.nat_b",
        needs=("firewall",),
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="INET-3b",
        title=said(
            "In topology B the firewall has a public address",
            "En topologie B, le pare-feu a une adresse publique",
        ),
        why=_NO_WAY_BACK,
        level=Level.MUST,
        source="guide 2.4, 5.2.2",
        mend=said(
            "write the public address that the firewall translates",
            "écrivez l'adresse publique que le pare-feu traduit",
        ),
        look=_firewall_address,
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="INET-3c",
        title=said("In topology B eth1 has a private address", "En topologie B, eth1 a une adresse privée"),
        why=said(
            "An address that is public already needs no NAT: this is topology A, or a wrong address.",
            "Une adresse déjà publique n'a pas besoin de NAT : c'est la topologie A, ou une mauvaise "
            "adresse.",
        ),
        level=Level.MUST,
        source="guide 5.2.2",
        mend=said(
            "OMC > Hardware and limits > LAN/IP Configuration > eth1: write the private DMZ address",
            "OMC > Hardware and limits > LAN/IP Configuration > eth1 : écrivez l'adresse privée de la DMZ",
        ),
        look=_dmz,
        fact="internet.trunk_interface",
        needs=("interfaces.eth1", "interfaces.eth1.address"),
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="CFG-4a",
        title=said("Behind NAT, Static NAT is on", "Derrière un NAT, Static NAT est activé"),
        why=_NO_WAY_BACK,
        level=Level.MUST,
        source="guide 5.2.2",
        mend=said("{tab}: switch Static NAT on", "{tab} : activez Static NAT", tab=_TOPOLOGY),
        look=_static_nat,
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="CFG-4b",
        title=said(
            "Static NAT says the firewall's public address",
            "Static NAT annonce l'adresse publique du pare-feu",
        ),
        why=_NO_WAY_BACK,
        level=Level.MUST,
        source="guide 5.2.2",
        mend=said(
            "{tab}: write the firewall's public address",
            "{tab} : écrivez l'adresse publique du pare-feu",
            tab=_TOPOLOGY,
        ),
        look=_static_address,
        needs=("firewall.public_address",),
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="CFG-4c",
        title=said("Static NAT says the carrier's port", "Static NAT annonce le port de l'opérateur"),
        why=_NO_WAY_BACK,
        level=Level.MUST,
        source="guide 5.2.2",
        mend=said(
            "{tab}: set the SIP/SIP TLS port to the guide's",
            "{tab} : mettez le port SIP/SIP TLS à celui du guide",
            tab=_TOPOLOGY,
        ),
        look=_static_port,
        fact="internet.signalling_port",
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="CFG-4d",
        title=said("The DMZ's router is written down", "Le routeur de la DMZ est indiqué"),
        why=said(
            "The guide has the routing table updated where the system requires it.",
            "Le guide fait compléter la table de routage si le système le demande.",
        ),
        level=Level.NOTE,
        source="guide 5.2.2",
        mend=said(
            "write the DMZ's router, and set the route in the IPBX",
            "écrivez le routeur de la DMZ, et posez la route dans l'IPBX",
        ),
        look=_routed,
        fact="internet.trunk_interface",
        needs=("interfaces.eth1", "interfaces.eth1.router"),
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="SITE-57",
        title=said(
            "An interface's router is in its network", "Le routeur d'une interface est dans son réseau"
        ),
        why=said(
            "A router that is not on the same network cannot be reached, and nothing leaves.",
            "Un routeur hors du réseau est injoignable, et rien ne sort.",
        ),
        level=Level.MUST,
        source="RFC 1122 §3.3.1",
        mend=said(
            "correct the address, the prefix or the router", "corrigez l'adresse, le préfixe ou le routeur"
        ),
        look=_router_near,
        needs=(
            *("interfaces.eth0.address", "interfaces.eth0.prefix"),
            *("interfaces.eth1.address", "interfaces.eth1.prefix"),
        ),
    ),
    Rule(
        id="FW-1",
        title=said("The firewall rewrites no SIP", "Le pare-feu ne réécrit pas le SIP"),
        why=said(
            "A SIP ALG changes addresses that are right already: one-way sound, and calls that drop.",
            "Un SIP ALG change des adresses déjà justes : son dans un seul sens, appels coupés.",
        ),
        level=Level.SHOULD,
        source="guide 2.4, 5.2.2; trade knowledge",
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
