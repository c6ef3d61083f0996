"""Chapters 2.2 and 2.3 of the guide: the trunk over the carrier's private network."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import BVPN, SWITCHES, gateways, sip_port
from trunkline.site.model import Site


def _product(site: Site, facts: Facts) -> Iterator[Seen]:
    certified = facts.words("products.bvpn")
    if site.product.model not in certified:
        says = said(
            "{model} is not certified for a trunk over BVPN; the guide names {certified}",
            "{model} n'est pas certifié pour un trunk en BVPN ; le guide nomme {certified}",
            model=site.product.model,
            certified=", ".join(certified),
        )
        yield Seen(("product", "model"), says)


def _one_connection(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = site.trunk.listen.interface
    for path, gateway in gateways(site):
        if gateway.topology.interface != wanted:
            says = said(
                "gateway {label} uses {has}, but the trunk is on {wanted}",
                "la passerelle {label} utilise {has}, mais le trunk est sur {wanted}",
                label=gateway.label,
                has=gateway.topology.interface,
                wanted=wanted,
            )
            yield Seen((*path, "topology", "interface"), says)


def _interface_described(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.trunk.listen.interface == "eth1" and site.interfaces.eth1 is None:
        says = said(
            "the trunk uses eth1, but the file describes no eth1",
            "le trunk utilise eth1, mais le fichier ne décrit pas eth1",
        )
        yield Seen(("trunk", "listen", "interface"), says)


def _transport_listened_to(site: Site, facts: Facts) -> Iterator[Seen]:
    ports = {"udp": site.trunk.listen.udp, "tcp": site.trunk.listen.tcp, "tls": site.trunk.listen.tls}
    for path, gateway in gateways(site):
        transport = gateway.domain_proxy.transport
        if not ports[transport]:
            says = said(
                "gateway {label} uses {transport}, but trunk.listen.{key} is 0 (off)",
                "la passerelle {label} utilise {transport}, mais trunk.listen.{key} vaut 0 (désactivé)",
                label=gateway.label,
                transport=transport.upper(),
                key=transport,
            )
            mend = said(
                "give trunk.listen.{key} its port, or choose another transport for the gateway",
                "donnez son port à trunk.listen.{key}, ou choisissez un autre transport pour la passerelle",
                key=transport,
            )
            yield Seen((*path, "domain_proxy", "transport"), says, mend)


def _media_direct(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        if not gateway.media.rtp_direct and not facts.flag("bvpn.anchored"):
            says = said(
                "gateway {label} would lead the voice through the IPBX",
                "la passerelle {label} ferait passer la voix par l'IPBX",
                label=gateway.label,
            )
            yield Seen((*path, "media", "rtp_direct"), says)


def _clear(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.flag("bvpn.encrypted"):
        return
    for path, gateway in gateways(site):
        switches = (("sip_tls", gateway.security.sip_tls), ("srtp", gateway.security.srtp))
        for key, on in switches:
            if on:
                says = said(
                    "gateway {label} has {switch} on, but over BVPN nothing is encrypted",
                    "la passerelle {label} a activé {switch}, mais rien n'est chiffré en BVPN",
                    label=gateway.label,
                    switch=SWITCHES[key],
                )
                yield Seen((*path, "security", key), says)
        if gateway.domain_proxy.transport == "tls" and not gateway.security.sip_tls:
            says = said(
                "gateway {label} uses TLS, but over BVPN nothing is encrypted",
                "la passerelle {label} utilise TLS, mais rien n'est chiffré en BVPN",
                label=gateway.label,
            )
            mend = said(
                "SIP Gateways > Domain Proxy: choose the transport that the carrier gives, udp or tcp",
                "SIP Gateways > Domain Proxy : choisissez le transport que donne l'opérateur, udp ou tcp",
            )
            yield Seen((*path, "domain_proxy", "transport"), says, mend)


def _left_open(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        proxy = gateway.domain_proxy
        if facts.open("bvpn.transport") and proxy.transport == "tcp":
            says = said(
                "gateway {label} uses TCP; the guide names no transport for BVPN, and most trunks use UDP",
                "la passerelle {label} utilise TCP ; le guide ne nomme aucun transport en BVPN, et la "
                "plupart des trunks utilisent UDP",
                label=gateway.label,
            )
            yield Seen((*path, "domain_proxy", "transport"), says)
        if facts.open("bvpn.signalling_port") and proxy.transport != "tls" and sip_port(gateway) != 5060:
            if proxy.port is None:
                continue  # SRV: the carrier's own records say it
            says = said(
                "gateway {label} calls port {port}; the guide names none for BVPN, and SIP's own is 5060",
                "la passerelle {label} appelle le port {port} ; le guide n'en nomme aucun en BVPN, et celui "
                "de SIP est 5060",
                label=gateway.label,
                port=proxy.port,
            )
            yield Seen((*path, "domain_proxy", "port"), says)


def _carriers_transport(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("bvpn.transport")
    for path, gateway in gateways(site):
        if gateway.domain_proxy.transport != wanted:
            says = said(
                "gateway {label} uses {has}; the carrier takes {wanted}",
                "la passerelle {label} utilise {has} ; l'opérateur attend {wanted}",
                label=gateway.label,
                has=gateway.domain_proxy.transport.upper(),
                wanted=wanted.upper(),
            )
            yield Seen((*path, "domain_proxy", "transport"), says)


def _carriers_port(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("bvpn.signalling_port")
    for path, gateway in gateways(site):
        port = sip_port(gateway)
        if port not in (None, wanted):
            says = said(
                "gateway {label} calls port {port}; the carrier listens on {wanted}",
                "la passerelle {label} appelle le port {port} ; l'opérateur écoute sur {wanted}",
                label=gateway.label,
                port=port,
                wanted=wanted,
            )
            yield Seen((*path, "domain_proxy", "port"), says)


RULES = (
    Rule(
        id="BVPN-1h",
        title=said("The product is certified over BVPN", "Le produit est certifié en BVPN"),
        why=said(
            "The carrier tests the trunk with certain products, and helps with these alone.",
            "L'opérateur teste le trunk avec certains produits, et n'assiste que ceux-là.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said("take a certified product", "prenez un produit certifié"),
        look=_product,
        fact="products.bvpn",
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-1a",
        title=said(
            "All gateways use the main site's one BVPN connection",
            "Toutes les passerelles utilisent l'unique raccordement BVPN du site principal",
        ),
        why=said(
            "The carrier hands the trunk over on one connection. A gateway on another interface sends its "
            "calls where no carrier is: it never comes up.",
            "L'opérateur livre le trunk sur un seul raccordement. Une passerelle posée sur une autre "
            "interface envoie ses appels là où il n'y a pas d'opérateur : elle ne monte jamais.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said(
            "SIP Gateways > Topology: choose the interface of trunk.listen",
            "SIP Gateways > Topology : choisissez l'interface de trunk.listen",
        ),
        look=_one_connection,
        needs=("trunk.listen.interface",),
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-1b",
        title=said("The interface of the trunk is described", "L'interface du trunk est décrite"),
        why=said(
            "Without an address on its interface the IPBX does not listen for the carrier: no call comes in "
            "and none goes out.",
            "Sans adresse sur son interface, l'IPBX n'écoute pas l'opérateur : aucun appel n'entre ni ne "
            "sort.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said(
            "choose eth0, or describe eth1 under interfaces",
            "choisissez eth0, ou décrivez eth1 sous interfaces",
        ),
        look=_interface_described,
        needs=("interfaces.eth1",),
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-1c",
        title=said(
            "The IPBX listens on the transport its gateways use",
            "L'IPBX écoute sur le transport de ses passerelles",
        ),
        why=said(
            "The carrier calls back over the transport it is called on. If the IPBX does not listen there, "
            "outgoing calls may pass, but incoming ones and the carrier's requests within a call are lost.",
            "L'opérateur répond sur le transport par lequel on l'appelle. Si l'IPBX n'y écoute pas, les "
            "appels sortants passent peut-être, mais les appels entrants et les requêtes de l'opérateur en "
            "cours d'appel sont perdus.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said(
            "listen on the gateway's transport, or choose another one for the gateway",
            "écoutez sur le transport de la passerelle, ou donnez-lui un autre transport",
        ),
        look=_transport_listened_to,
        needs=("trunk.listen.udp", "trunk.listen.tcp", "trunk.listen.tls"),
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-1d",
        title=said(
            "Over BVPN signalling and voice are not encrypted",
            "En BVPN, ni la signalisation ni la voix ne sont chiffrées",
        ),
        why=said(
            "On its private network the carrier takes calls in the clear only. An IPBX that encrypts is "
            "refused, or its calls are silent.",
            "Sur son réseau privé, l'opérateur ne prend que des appels en clair. Un IPBX qui chiffre est "
            "refusé, ou ses appels sont muets.",
        ),
        level=Level.MUST,
        source="guide 2.2, 2.4",
        mend=said(
            "SIP Gateways > Security: switch it off; encryption belongs to the trunk over the internet",
            "SIP Gateways > Security : désactivez-le ; le chiffrement est réservé au trunk par internet",
        ),
        look=_clear,
        fact="bvpn.encrypted",
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-1e",
        title=said(
            "What the guide leaves open over BVPN is asked of the carrier",
            "Ce que le guide laisse ouvert en BVPN est demandé à l'opérateur",
        ),
        why=said(
            "The guide names neither transport nor port for BVPN. With a wrong one the gateway stays down, "
            "and nobody can tell from the guide why.",
            "Le guide ne nomme ni transport ni port en BVPN. Avec une valeur fausse, la passerelle ne monte "
            "pas, et le guide ne permet pas de savoir pourquoi.",
        ),
        level=Level.NOTE,
        source="guide 2.2",
        mend=said(
            "ask the carrier which transport and port its access SBCs take, and keep the answer with the "
            "site",
            "demandez à l'opérateur quels transport et port prennent ses SBC d'accès, et gardez la réponse "
            "avec le dossier du site",
        ),
        look=_left_open,
        needs=("trunk.gateways.*.domain_proxy.transport", "trunk.gateways.*.dns.mode"),
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-1f",
        title=said(
            "Over BVPN the gateways use the carrier's transport",
            "En BVPN, les passerelles utilisent le transport de l'opérateur",
        ),
        why=said(
            "An access SBC answers on the transport it was built for and on no other: the gateway stays "
            "down.",
            "Un SBC d'accès répond sur le transport prévu et sur aucun autre : la passerelle ne monte pas.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said(
            "SIP Gateways > Domain Proxy: choose the carrier's transport",
            "SIP Gateways > Domain Proxy : choisissez le transport de l'opérateur",
        ),
        look=_carriers_transport,
        fact="bvpn.transport",
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-1g",
        title=said(
            "Over BVPN the gateways call the carrier's port",
            "En BVPN, les passerelles appellent le port de l'opérateur",
        ),
        why=said(
            "Nothing listens on another port of the access SBC: the gateway stays down.",
            "Rien n'écoute sur un autre port du SBC d'accès : la passerelle ne monte pas.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said(
            "SIP Gateways > Domain Proxy: write the carrier's port",
            "SIP Gateways > Domain Proxy : écrivez le port de l'opérateur",
        ),
        look=_carriers_port,
        fact="bvpn.signalling_port",
        needs=("trunk.gateways.*.domain_proxy.transport", "trunk.gateways.*.dns.mode"),
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-2",
        title=said(
            "The voice goes straight between phone and access SBC",
            "La voix va directement du poste au SBC d'accès",
        ),
        why=said(
            "Voice that takes the way through the IPBX uses up its capacity and the main site's link twice; "
            "the carrier sizes the trunk for the direct way.",
            "Une voix qui passe par l'IPBX en consomme la capacité et charge deux fois le lien du site "
            "principal ; l'opérateur dimensionne le trunk pour le chemin direct.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said(
            "SIP Gateways > Media: tick RTP Direct (rtp_direct: true)",
            "SIP Gateways > Media : cochez RTP Direct (rtp_direct: true)",
        ),
        look=_media_direct,
        fact="bvpn.anchored",
        architectures=BVPN,
    ),
)
