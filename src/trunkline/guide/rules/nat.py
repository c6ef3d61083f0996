"""Topology B: the firewall translates, and SIP NAT on the IPBX says the public address (2.4, 5.2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.places import NO_WAY_BACK, TOPOLOGY_B, TOPOLOGY_TAB, reachable
from trunkline.guide.rules.walk import gateways, interface, private
from trunkline.site.model import Site


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
                "gateway {label} says {port}; the carrier calls port {wanted}",
                "la passerelle {label} annonce {port} ; l'opérateur appelle le port {wanted}",
                label=gateway.label,
                port=said("port {port}", "le port {port}", port=gateway.topology.port)
                if gateway.topology.port
                else said("no port", "aucun port"),
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


def _prefix_fits(site: Site, facts: Facts) -> Iterator[Seen]:
    for name in ("eth0", "eth1"):
        found = interface(site, name)
        if found is None or found.prefix is None:
            continue
        most = ip_address(found.address).max_prefixlen
        if not 0 < found.prefix <= most:
            says = said(
                "{prefix} is no prefix of {address}: it goes from 1 to {most}",
                "{prefix} n'est pas un préfixe de {address} : il va de 1 à {most}",
                prefix=found.prefix,
                address=found.address,
                most=most,
            )
            yield Seen(("interfaces", name, "prefix"), says)


def _router_near(site: Site, facts: Facts) -> Iterator[Seen]:
    for name in ("eth0", "eth1"):
        found = interface(site, name)
        if found is None or not found.router or found.prefix is None:
            continue
        router, own = ip_address(found.router), ip_address(found.address)
        if own.is_loopback or found.prefix > own.max_prefixlen:
            continue  # a lab's interface has no router; SITE-57a
        if router == own:
            says = said(
                "{name} names itself, {router}, as its router",
                "{name} se désigne lui-même, {router}, comme routeur",
                router=found.router,
                name=name,
            )
            yield Seen(("interfaces", name, "router"), says)
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


RULES = (
    Rule(
        id="INET-3a",
        title=said("In topology B the firewall translates", "En topologie B, le pare-feu fait du NAT"),
        why=NO_WAY_BACK,
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
        why=NO_WAY_BACK,
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
        why=NO_WAY_BACK,
        level=Level.MUST,
        source="guide 5.2.2",
        mend=said("{tab}: switch Static NAT on", "{tab} : activez Static NAT", tab=TOPOLOGY_TAB),
        look=_static_nat,
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="CFG-4b",
        title=said(
            "Static NAT says the firewall's public address",
            "Static NAT annonce l'adresse publique du pare-feu",
        ),
        why=NO_WAY_BACK,
        level=Level.MUST,
        source="guide 5.2.2",
        mend=said(
            "{tab}: write the firewall's public address",
            "{tab} : écrivez l'adresse publique du pare-feu",
            tab=TOPOLOGY_TAB,
        ),
        look=_static_address,
        needs=("firewall.public_address",),
        architectures=TOPOLOGY_B,
    ),
    Rule(
        id="CFG-4c",
        title=said("Static NAT says the carrier's port", "Static NAT annonce le port de l'opérateur"),
        why=NO_WAY_BACK,
        level=Level.MUST,
        source="guide 5.2.2",
        mend=said(
            "{tab}: set the SIP/SIP TLS port to the guide's",
            "{tab} : mettez le port SIP/SIP TLS à celui du guide",
            tab=TOPOLOGY_TAB,
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
        id="SITE-57a",
        title=said("An interface's prefix fits its address", "Le préfixe d'une interface va à son adresse"),
        why=said(
            "With a wrong length the IPBX takes strangers for neighbours, or neighbours for strangers.",
            "Avec une longueur fausse, l'IPBX prend des inconnus pour des voisins, ou l'inverse.",
        ),
        level=Level.MUST,
        source="RFC 4632 §3.1",
        mend=said(
            "write the length of the network's prefix; 255.255.255.0 is 24",
            "écrivez la longueur du préfixe du réseau ; 255.255.255.0 est 24",
        ),
        look=_prefix_fits,
        needs=("interfaces.eth0.address", "interfaces.eth1.address"),
    ),
)
