"""Chapters 2.4.4 and 5.2.4 of the guide: transport and ports over the internet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import INTERNET, gateways, sip_port
from trunkline.site.model import Site

LEG_PORTS: Final = 2  # RTP and RTCP (RFC 3550 §11)


def _signalling_port(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("internet.signalling_port")
    transport = facts.text("internet.transport", "tls")
    listens = getattr(site.trunk.listen, transport)
    if listens != wanted:
        says = said(
            "the trunk listens for SIP over {transport} on port {listens}, the carrier calls {wanted}",
            "le trunk écoute SIP sur {transport} au port {listens}, l'opérateur appelle {wanted}",
            transport=transport.upper(),
            listens=listens or said("0 (off)", "0 (désactivé)"),
            wanted=wanted,
        )
        mend = said(
            "VoIP Parameters > eth1: set the trunk signal port (SIP TLS trunk signal port) to {wanted}",
            "VoIP Parameters > eth1 : réglez le port du trunk (SIP TLS trunk signal port) à {wanted}",
            wanted=wanted,
        )
        yield Seen(("trunk", "listen", transport), says, mend)
    for path, gateway in gateways(site):
        port = sip_port(gateway)
        if port not in (None, wanted):
            says = said(
                "gateway {label} calls port {port}, the carrier listens on {wanted}",
                "la passerelle {label} appelle le port {port}, l'opérateur écoute sur {wanted}",
                label=gateway.label,
                port=port,
                wanted=wanted,
            )
            mend = said(
                "SIP Gateways > Domain Proxy: write {wanted}",
                "SIP Gateways > Domain Proxy : écrivez {wanted}",
                wanted=wanted,
            )
            yield Seen((*path, "domain_proxy", "port"), says, mend)


def _over_tls(facts: Facts) -> bool:
    return facts.known("internet.transport") and facts.text("internet.transport") == "tls"


def _transport(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.text("internet.transport")
    for path, gateway in gateways(site):
        if gateway.domain_proxy.transport != wanted:
            says = said(
                "gateway {label} uses {has}, the carrier takes {wanted} only",
                "la passerelle {label} utilise {has}, l'opérateur ne prend que {wanted}",
                label=gateway.label,
                has=gateway.domain_proxy.transport.upper(),
                wanted=wanted.upper(),
            )
            mend = said(
                "SIP Gateways > Domain Proxy: choose {wanted}",
                "SIP Gateways > Domain Proxy : choisissez {wanted}",
                wanted=wanted,
            )
            yield Seen((*path, "domain_proxy", "transport"), says, mend)


def _nothing_clear(site: Site, facts: Facts) -> Iterator[Seen]:
    if not _over_tls(facts):
        return
    for transport, port in (("udp", site.trunk.listen.udp), ("tcp", site.trunk.listen.tcp)):
        if port:
            says = said(
                "the trunk also listens on {transport} port {port}, where nothing is encrypted",
                "le trunk écoute aussi sur le port {transport} {port}, où rien n'est chiffré",
                transport=transport.upper(),
                port=port,
            )
            yield Seen(("trunk", "listen", transport), says)
    phones = site.phones.listen
    if phones.interface == facts.text("internet.trunk_interface") and (
        phones.udp or phones.tcp or phones.tls
    ):
        says = said(
            "the phones' ports are open on {interface}, the side toward the internet",
            "les ports des postes sont ouverts sur {interface}, le côté internet",
            interface=phones.interface,
        )
        mend = said(
            "let the phones register on the LAN's interface; those elsewhere come in by the VPN",
            "faites enregistrer les postes sur l'interface du LAN ; ceux d'ailleurs entrent par le VPN",
        )
        yield Seen(("phones", "listen", "interface"), says, mend)


def _media_ports(site: Site, facts: Facts) -> Iterator[Seen]:
    first, last = facts.numbers("internet.media_ports")
    given = site.media.trunk_ports
    if given is None:
        says = said(
            "the trunk has no media ports; the firewall table opens {first} to {last}",
            "le trunk n'a pas de ports média ; la table du pare-feu ouvre {first} à {last}",
            first=first,
            last=last,
        )
        yield Seen(("media", "trunk_ports"), says)
    elif given.first > given.last:
        says = said(
            "the range begins at {first} and ends before that, at {last}",
            "la plage commence à {first} et finit avant, à {last}",
            first=given.first,
            last=given.last,
        )
        yield Seen(("media", "trunk_ports"), says)
    elif not first <= given.first <= given.last <= last:
        says = said(
            "ports {has_first} to {has_last} do not lie within {first} to {last}, which the firewall opens",
            "les ports {has_first} à {has_last} ne sont pas compris dans {first} à {last}, ouverts par le "
            "pare-feu",
            has_first=given.first,
            has_last=given.last,
            first=first,
            last=last,
        )
        yield Seen(("media", "trunk_ports"), says)


def _enough_ports(site: Site, facts: Facts) -> Iterator[Seen]:
    needed = LEG_PORTS * site.trunk.channels
    for key in ("trunk_ports", "phone_ports"):
        given = getattr(site.media, key)
        if given is None:
            continue  # FW-2a
        has = given.last - given.first - given.first % 2 + 1  # RTP begins on an even port
        if given.first <= given.last and has < needed:
            says = said(
                "{has} ports are too few for {channels} calls: {needed} are needed",
                "{has} ports ne suffisent pas pour {channels} appels : il en faut {needed}",
                has=has,
                channels=site.trunk.channels,
                needed=needed,
            )
            yield Seen(("media", key), says)


RULES = (
    Rule(
        id="SEC-2a",
        title=said("SIP uses the carrier's port", "SIP utilise le port de l'opérateur"),
        why=said(
            "Firewall and access SBC open one port only. On another one nothing comes through: the gateways "
            "stay down, or incoming calls are lost.",
            "Le pare-feu et le SBC d'accès n'ouvrent qu'un port. Sur un autre, rien ne passe : les "
            "passerelles ne montent pas, ou les appels entrants sont perdus.",
        ),
        level=Level.MUST,
        source="guide 2.4.4, 5.2.4",
        mend=said(
            "VoIP Parameters > eth1: set the SIP TLS trunk signal port as the guide's firewall table has it",
            "VoIP Parameters > eth1 : réglez « SIP TLS trunk signal port » comme dans la table de pare-feu "
            "du guide",
        ),
        look=_signalling_port,
        fact="internet.signalling_port",
        needs=("trunk.gateways.*.domain_proxy.transport", "trunk.gateways.*.dns.mode"),
        architectures=INTERNET,
    ),
    Rule(
        id="SEC-2b",
        title=said(
            "The gateways use the carrier's transport", "Les passerelles utilisent le transport prévu"
        ),
        why=said(
            "Over the internet the carrier takes encrypted signalling only. Another transport is not "
            "answered: the gateway stays down.",
            "Par internet, l'opérateur ne prend qu'une signalisation chiffrée. Un autre transport reste sans "
            "réponse : la passerelle ne monte pas.",
        ),
        level=Level.MUST,
        source="guide 2.4.4, 5.2.4",
        mend=said(
            "SIP Gateways > Domain Proxy: choose the carrier's transport",
            "SIP Gateways > Domain Proxy : choisissez le transport de l'opérateur",
        ),
        look=_transport,
        fact="internet.transport",
        architectures=INTERNET,
    ),
    Rule(
        id="FW-4",
        title=said(
            "Toward the internet nothing listens but encrypted SIP",
            "Côté internet, rien n'écoute que le SIP chiffré",
        ),
        why=said(
            "Robots scan the internet for open SIP ports day and night and place calls at the customer's "
            "expense. The carrier never uses these ports.",
            "Des robots cherchent jour et nuit des ports SIP ouverts sur internet et passent des appels aux "
            "frais du client. L'opérateur n'utilise jamais ces ports.",
        ),
        level=Level.SHOULD,
        source="guide 2.4.4",
        mend=said(
            "set it to 0: the guide's firewall table opens nothing else",
            "mettez-le à 0 : la table de pare-feu du guide n'ouvre rien d'autre",
        ),
        look=_nothing_clear,
        fact="internet.transport",
        architectures=INTERNET,
    ),
    Rule(
        id="FW-2a",
        title=said(
            "The trunk's media ports are those the firewall opens",
            "Les ports média du trunk sont ceux que le pare-feu ouvre",
        ),
        why=said(
            "Voice on a port that the firewall keeps shut is lost: the call is set up, and one side or both "
            "hear nothing.",
            "La voix sur un port que le pare-feu garde fermé est perdue : l'appel s'établit, et l'un des "
            "deux ou les deux n'entendent rien.",
        ),
        level=Level.MUST,
        source="guide 2.4.4",
        mend=said(
            "give media.trunk_ports a first and a last port within the range of the guide's firewall table",
            "donnez à media.trunk_ports un premier et un dernier port compris dans la plage de la table de "
            "pare-feu du guide",
        ),
        look=_media_ports,
        fact="internet.media_ports",
        architectures=INTERNET,
    ),
    Rule(
        id="FW-2b",
        title=said("There are media ports for every channel", "Il y a des ports média pour chaque canal"),
        why=said(
            "Each call takes two ports on each side. When they run out, calls fail at the busiest hour "
            "though channels are free.",
            "Chaque appel prend deux ports de chaque côté. Quand il n'en reste plus, des appels échouent à "
            "l'heure la plus chargée alors que des canaux sont libres.",
        ),
        level=Level.MUST,
        source="guide 2.4.4",
        mend=said(
            "widen the range: two ports for each call on each side",
            "élargissez la plage : deux ports par appel de chaque côté",
        ),
        look=_enough_ports,
        needs=("trunk.channels",),
        architectures=INTERNET,
    ),
)
