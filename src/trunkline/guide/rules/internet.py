"""Chapters 2.4 and 5.2 of the guide: the trunk over the internet, its product, addresses and names."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import INTERNET, gateways, interface, private, private_server
from trunkline.site.model import Site
from trunkline.site.scalar import is_address


def _product(site: Site, facts: Facts) -> Iterator[Seen]:
    certified = facts.words("products.internet")
    if site.product.model not in certified:
        says = said(
            "{model} is not certified for a trunk over the internet",
            "{model} n'est pas certifié pour un trunk par internet",
            model=site.product.model,
        )
        mend = said(
            "it takes {certified}, alone and with no Front End",
            "il faut {certified}, seul et sans Front End",
            certified=" / ".join(certified),
        )
        yield Seen(("product", "model"), says, mend)


def _trunk_interface(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("internet.trunk_interface")
    if site.trunk.listen.interface != wanted:
        says = said(
            "the trunk is on {has}; the side toward the internet is {wanted}",
            "le trunk est sur {has} ; le côté internet est {wanted}",
            has=site.trunk.listen.interface,
            wanted=wanted,
        )
        mend = said("choose {wanted}", "choisissez {wanted}", wanted=wanted)
        yield Seen(("trunk", "listen", "interface"), says, mend)
    for path, gateway in gateways(site):
        if gateway.topology.interface != wanted:
            says = said(
                "gateway {label} uses {has}, not {wanted}",
                "la passerelle {label} utilise {has} et non {wanted}",
                label=gateway.label,
                has=gateway.topology.interface,
                wanted=wanted,
            )
            mend = said(
                "SIP Gateways > Topology: choose {wanted}",
                "SIP Gateways > Topology : choisissez {wanted}",
                wanted=wanted,
            )
            yield Seen((*path, "topology", "interface"), says, mend)


def _public_address(site: Site, facts: Facts) -> Iterator[Seen]:
    name = facts.text("internet.trunk_interface")
    outside = interface(site, name)
    if outside is None:
        says = said(
            "the file describes no {name}, which carries the public address",
            "le fichier ne décrit pas {name}, qui porte l'adresse publique",
            name=name,
        )
        yield Seen(("interfaces",), says)
    elif private(outside.address):
        says = said(
            "{address} on {name} is a private address: the carrier cannot reach it",
            "{address} sur {name} est une adresse privée : l'opérateur ne peut pas la joindre",
            address=outside.address,
            name=name,
        )
        yield Seen(("interfaces", name, "address"), says)


def _anchored(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.flag("internet.anchored"):
        return
    for path, gateway in gateways(site):
        if gateway.media.rtp_direct:
            says = said(
                "gateway {label} has RTP Direct on; over the internet all voice passes through the IPBX",
                "la passerelle {label} a RTP Direct activé ; par internet, toute la voix passe par l'IPBX",
                label=gateway.label,
            )
            yield Seen((*path, "media", "rtp_direct"), says)


def _by_name(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        proxy = gateway.domain_proxy
        for key in ("target_domain", "outbound_proxy"):
            if is_address(getattr(proxy, key)):
                says = said(
                    "gateway {label} is reached by the address {address} instead of a name",
                    "la passerelle {label} est jointe par l'adresse {address} au lieu d'un nom",
                    label=gateway.label,
                    address=getattr(proxy, key),
                )
                yield Seen((*path, "domain_proxy", key), says)


def _resolved(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("internet.gateway_dns")
    for path, gateway in gateways(site):
        if gateway.dns.mode not in (wanted, "none"):  # SITE-24 tells of "none"
            says = said(
                "gateway {label} asks DNS for {has} records, the guide wants {wanted}",
                "la passerelle {label} demande au DNS des enregistrements {has}, le guide veut {wanted}",
                label=gateway.label,
                has=gateway.dns.mode,
                wanted=wanted,
            )
            mend = said(
                "SIP Gateways > DNS: choose {wanted}",
                "SIP Gateways > DNS : choisissez {wanted}",
                wanted=wanted,
            )
            yield Seen((*path, "dns", "mode"), says, mend)


def _public_name(site: Site, facts: Facts) -> Iterator[Seen]:
    name = facts.text("internet.name_interface")
    named = interface(site, name)
    if facts.known("form.fqdn_mandatory") and not facts.flag("form.fqdn_mandatory"):
        return
    if named is not None and not named.domain_name:
        says = said(
            "{name} has no domain name, and the certificate is made out to that name",
            "{name} n'a pas de nom de domaine, et le certificat est établi à ce nom",
            name=name,
        )
        yield Seen(("interfaces", name, "domain_name"), says)


def _public_dns(site: Site, facts: Facts) -> Iterator[Seen]:
    for index, server in enumerate(site.dns):
        if private_server(server):
            says = said(
                "{server} is a private address; the guide asks for public DNS servers",
                "{server} est une adresse privée ; le guide demande des serveurs DNS publics",
                server=server,
            )
            yield Seen(("dns", index), says)


RULES = (
    Rule(
        id="INET-1",
        title=said(
            "Over the internet the IPBX is one that the guide certifies for it",
            "Par internet, l'IPBX est un modèle que le guide certifie pour cela",
        ),
        why=said(
            "Only a stand-alone OCE encrypts the trunk the way the carrier asks for. Another product gets no "
            "connection, and neither carrier nor vendor supports it.",
            "Seul un OCE autonome chiffre le trunk comme l'opérateur le demande. Un autre produit n'obtient "
            "aucune connexion, et ni l'opérateur ni le constructeur ne l'assistent.",
        ),
        level=Level.MUST,
        source="guide 2.4",
        mend=said("choose the certified product", "choisissez le produit certifié"),
        look=_product,
        fact="products.internet",
        architectures=INTERNET,
    ),
    Rule(
        id="INET-2a",
        title=said(
            "The trunk is on the interface toward the internet", "Le trunk est sur l'interface côté internet"
        ),
        why=said(
            "The carrier's calls arrive on the interface toward the internet, and the IPBX's must leave by "
            "it. On the other one the gateways stay down.",
            "Les appels de l'opérateur arrivent sur l'interface côté internet, et ceux de l'IPBX doivent en "
            "partir. Sur l'autre, les passerelles ne montent pas.",
        ),
        level=Level.MUST,
        source="guide 2.4, 5.2.1",
        mend=said(
            "choose the interface toward the internet",
            "choisissez l'interface côté internet",
        ),
        look=_trunk_interface,
        fact="internet.trunk_interface",
        architectures=INTERNET,
    ),
    Rule(
        id="INET-2b",
        title=said(
            "In topology A the IPBX itself has the public address",
            "En topologie A, l'IPBX porte lui-même l'adresse publique",
        ),
        why=said(
            "The IPBX tells the carrier where to send the voice: to its own address. A private one leads "
            "nowhere on the internet, so calls are set up and stay silent.",
            "L'IPBX indique à l'opérateur où envoyer la voix : à sa propre adresse. Une adresse privée ne "
            "mène nulle part sur internet : les appels s'établissent et restent muets.",
        ),
        level=Level.MUST,
        source="guide 2.4, 5.2.1",
        mend=said(
            "Hardware and Limits > LAN/IP Configuration > eth1: write the public address; behind a firewall "
            "that translates, choose architecture internet-b",
            "Hardware and Limits > LAN/IP Configuration > eth1 : écrivez l'adresse publique ; derrière un "
            "pare-feu qui fait du NAT, choisissez l'architecture internet-b",
        ),
        look=_public_address,
        fact="internet.trunk_interface",
        needs=("interfaces.eth1",),
        architectures=("internet-a",),
    ),
    Rule(
        id="INET-4",
        title=said("All voice passes through the IPBX", "Toute la voix passe par l'IPBX"),
        why=said(
            "Phones have private addresses and do not encrypt as the carrier asks. With RTP Direct the "
            "carrier would have to reach each phone, and calls stay silent.",
            "Les postes ont des adresses privées et ne chiffrent pas comme l'opérateur le demande. Avec RTP "
            "Direct, l'opérateur devrait joindre chaque poste : les appels restent muets.",
        ),
        level=Level.MUST,
        source="guide 2.4",
        mend=said(
            "SIP Gateways > Media: untick RTP Direct (rtp_direct: false)",
            "SIP Gateways > Media : décochez RTP Direct (rtp_direct: false)",
        ),
        look=_anchored,
        fact="internet.anchored",
        architectures=INTERNET,
    ),
    Rule(
        id="DNS-1",
        title=said("The access SBCs are reached by name", "Les SBC d'accès sont joints par leur nom"),
        why=said(
            "The carrier's certificate bears its name, not its address, so an IPBX that calls an address "
            "refuses the certificate. And the carrier may move its addresses without notice.",
            "Le certificat de l'opérateur porte son nom et non son adresse : un IPBX qui appelle une adresse "
            "refuse le certificat. De plus, l'opérateur peut changer d'adresses sans prévenir.",
        ),
        level=Level.MUST,
        source="guide 2.4.3",
        mend=said(
            "SIP Gateways > Domain Proxy: write the access SBC's full name (FQDN)",
            "SIP Gateways > Domain Proxy : écrivez le nom complet (FQDN) du SBC d'accès",
        ),
        look=_by_name,
        fact="internet.reached_by",
        architectures=INTERNET,
    ),
    Rule(
        id="CFG-3a",
        title=said(
            "The IPBX's public name (FQDN) is written down", "Le nom public (FQDN) de l'IPBX est renseigné"
        ),
        why=said(
            "The name becomes that of the certificate. Without it the request for the certificate is made "
            "out to nothing, and the carrier refuses the connection.",
            "Ce nom devient celui du certificat. Sans lui, la demande de certificat n'est établie au nom de "
            "personne, et l'opérateur refuse la connexion.",
        ),
        level=Level.MUST,
        source="guide 5.2.1",
        mend=said(
            "Hardware and Limits > LAN/IP Configuration > eth0: write the name that public DNS knows this "
            "IPBX by",
            "Hardware and Limits > LAN/IP Configuration > eth0 : écrivez le nom sous lequel le DNS public "
            "connaît cet IPBX",
        ),
        look=_public_name,
        fact="internet.name_interface",
        architectures=INTERNET,
    ),
    Rule(
        id="CFG-3b",
        title=said("The DNS servers are public ones", "Les serveurs DNS sont publics"),
        why=said(
            "A DNS server inside the company may not know the carrier's names, or may answer late. Then the "
            "gateways stay down although the internet access works.",
            "Un serveur DNS interne peut ne pas connaître les noms de l'opérateur, ou répondre trop tard. "
            "Les passerelles ne montent alors pas, bien que l'accès internet fonctionne.",
        ),
        level=Level.SHOULD,
        source="guide 5.2.1",
        mend=said(
            "Hardware and Limits > DNS: write public DNS servers",
            "Hardware and Limits > DNS : écrivez des serveurs DNS publics",
        ),
        look=_public_dns,
        fact="internet.gateway_dns",
        architectures=INTERNET,
    ),
    Rule(
        id="SEC-3",
        title=said(
            "The gateways are found by the DNS records of the guide",
            "Les passerelles sont trouvées par les enregistrements DNS du guide",
        ),
        why=said(
            "The carrier publishes certain records for this IPBX. With other ones asked for, the name may "
            "lead nowhere, or both gateways to one access SBC.",
            "L'opérateur publie certains enregistrements pour cet IPBX. Si l'on en demande d'autres, le nom "
            "peut ne mener nulle part, ou les deux passerelles au même SBC d'accès.",
        ),
        level=Level.SHOULD,
        source="guide 5.2.4",
        mend=said(
            "SIP Gateways > DNS: choose the guide's record type",
            "SIP Gateways > DNS : choisissez le type d'enregistrement du guide",
        ),
        look=_resolved,
        fact="internet.gateway_dns",
        architectures=INTERNET,
    ),
)
