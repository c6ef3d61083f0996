"""The IPBX around the trunk: its SIP ports, its registrar, its timers."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.site.model import Site


def _t1_and_t2(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.timers.t1 > site.timers.t2:
        says = said(
            "t1 ({t1:g} s) is longer than t2 ({t2:g} s)",
            "t1 ({t1:g} s) est plus long que t2 ({t2:g} s)",
            t1=site.timers.t1,
            t2=site.timers.t2,
        )
        yield Seen(("timers", "t1"), says)


def _registration_times(site: Site, facts: Facts) -> Iterator[Seen]:
    phones = site.phones
    if not phones.expires_min <= phones.expires_default <= phones.expires_max:
        says = said(
            "expires_default ({has:g} s) lies outside {least:g} to {most:g} s",
            "expires_default ({has:g} s) n'est pas compris entre {least:g} et {most:g} s",
            has=phones.expires_default,
            least=phones.expires_min,
            most=phones.expires_max,
        )
        yield Seen(("phones", "expires_default"), says)


def _ports_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    phones, trunk = site.phones.listen, site.trunk.listen
    if phones.interface != trunk.interface:
        return
    pairs = (("udp", phones.udp, trunk.udp), ("tcp", phones.tcp, trunk.tcp), ("tls", phones.tls, trunk.tls))
    for transport, port, taken in pairs:
        if port and port == taken:
            says = said(
                "phones and trunk would both listen on {transport} port {port} of {interface}",
                "les postes et le trunk écouteraient tous deux sur le port {transport} {port} de {interface}",
                transport=transport.upper(),
                port=port,
                interface=trunk.interface,
            )
            yield Seen(("phones", "listen", transport), says)


def _phones_interface(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.phones.listen.interface == "eth1" and site.interfaces.eth1 is None:
        says = said(
            "the phones use eth1, but the file describes no eth1",
            "les postes utilisent eth1, mais le fichier ne décrit pas eth1",
        )
        yield Seen(("phones", "listen", "interface"), says)


def _streams_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    taken: dict[tuple[str, int], str] = {}
    for side, listen in (("trunk", site.trunk.listen), ("phones", site.phones.listen)):
        for transport, port in (("tcp", listen.tcp), ("tls", listen.tls)):
            other = taken.setdefault((listen.interface, port), f"{side}.listen.{transport}")
            if port and not other.endswith(f".{transport}"):
                says = said(
                    "port {port} of {interface} belongs to {other} already, and both are TCP ports",
                    "le port {port} de {interface} est déjà celui de {other}, et les deux sont des ports TCP",
                    port=port,
                    interface=listen.interface,
                    other=other,
                )
                yield Seen((side, "listen", transport), says)


def _secure_phones(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.phones.srtp and not site.phones.listen.tls:
        says = said(
            "the phones encrypt voice (srtp), but have no TLS port to exchange the keys over",
            "les postes chiffrent la voix (srtp), mais n'ont pas de port TLS pour échanger les clés",
        )
        yield Seen(("phones", "srtp"), says)
    elif site.phones.srtp and not site.over_internet:
        says = said(
            "the phones encrypt voice (srtp), but over BVPN it goes straight to the access SBC, which takes "
            "it in the clear only",
            "les postes chiffrent la voix (srtp), mais en BVPN elle va directement au SBC d'accès, qui ne la "
            "prend qu'en clair",
        )
        yield Seen(("phones", "srtp"), says)


def _identified(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.certificates is not None:
        return
    for side, listen in (("phones", site.phones.listen), ("trunk", site.trunk.listen)):
        if listen.tls and (side == "phones" or not site.over_internet):  # else CERT-2
            says = said(
                "a TLS port is open, but the file names no certificate to show there",
                "un port TLS est ouvert, mais le fichier ne nomme aucun certificat à y présenter",
            )
            yield Seen((side, "listen", "tls"), says)


_CHOOSE_INTERFACE = said(
    "choose eth0, or describe eth1 under interfaces",
    "choisissez eth0, ou décrivez eth1 sous interfaces",
)

RULES = (
    Rule(
        id="SITE-12",
        title=said("T1 is at most T2", "T1 ne dépasse pas T2"),
        why=said(
            "T1 is the first wait before a message is sent again, T2 the longest. The wrong way round, lost "
            "messages are repeated too late and calls hang.",
            "T1 est la première attente avant de répéter un message, T2 la plus longue. À l'envers, les "
            "messages perdus sont répétés trop tard et les appels restent bloqués.",
        ),
        level=Level.MUST,
        source="RFC 3261 §17.1.2.2",
        mend=said(
            "set t1 to 0.5 and t2 to 4, the standard's own values",
            "réglez t1 à 0.5 et t2 à 4, les valeurs de la norme",
        ),
        look=_t1_and_t2,
        needs=("timers.t2",),
    ),
    Rule(
        id="SITE-13",
        title=said("The registrar's times agree", "Les durées d'enregistrement des postes concordent"),
        why=said(
            "A phone that asks for no time of its own gets the default. Outside the bounds it is refused, "
            "and the phone cannot be called.",
            "Un poste qui ne demande pas de durée reçoit celle par défaut. Hors des bornes, il est refusé et "
            "reste injoignable.",
        ),
        level=Level.MUST,
        source="RFC 3261 §10.3",
        mend=said(
            "set expires_min, expires_default and expires_max in rising order",
            "réglez expires_min, expires_default et expires_max dans l'ordre croissant",
        ),
        look=_registration_times,
        needs=("phones.expires_min", "phones.expires_max"),
    ),
    Rule(
        id="SITE-14",
        title=said(
            "Phones and trunk have SIP ports of their own",
            "Les postes et le trunk ont chacun leurs ports SIP",
        ),
        why=said(
            "Two listeners cannot share a port: the second does not start, and either the phones or the "
            "carrier find nobody.",
            "Deux services ne peuvent pas partager un port : le second ne démarre pas, et les postes ou "
            "l'opérateur ne trouvent personne.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said(
            "give the phones another port than the trunk; on OXO Connect they register on 5059",
            "donnez aux postes un autre port qu'au trunk ; sur OXO Connect, ils s'enregistrent sur 5059",
        ),
        look=_ports_differ,
        needs=("phones.listen.interface", "trunk.listen.*"),
    ),
    Rule(
        id="SITE-15",
        title=said("The interface of the phones is described", "L'interface des postes est décrite"),
        why=said(
            "Without an address on their interface the IPBX does not listen for the phones: none registers.",
            "Sans adresse sur leur interface, l'IPBX n'écoute pas les postes : aucun ne s'enregistre.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=_CHOOSE_INTERFACE,
        look=_phones_interface,
        needs=("interfaces.eth1",),
    ),
    Rule(
        id="SITE-16",
        title=said(
            "SIP over TCP and over TLS have ports of their own",
            "SIP sur TCP et SIP sur TLS ont chacun leur port",
        ),
        why=said(
            "TLS runs on TCP. On one port the second listener does not start, and those who use it find "
            "nobody.",
            "TLS s'appuie sur TCP. Sur un même port, le second service ne démarre pas, et ceux qui "
            "l'utilisent ne trouvent personne.",
        ),
        level=Level.MUST,
        source="RFC 3261 §18",
        mend=said(
            "give SIP over TLS port 5061, the standard's own",
            "donnez à SIP sur TLS le port 5061, celui de la norme",
        ),
        look=_streams_differ,
        needs=("phones.listen.*", "trunk.listen.*"),
    ),
    Rule(
        id="SITE-17",
        title=said(
            "Phones encrypt voice only over TLS, and only where it passes through the IPBX",
            "Les postes ne chiffrent la voix qu'avec TLS, et seulement si elle passe par l'IPBX",
        ),
        why=said(
            "The keys of encrypted voice travel in the signalling. In the clear anybody can read them, and "
            "over BVPN the carrier refuses encrypted voice: calls fail.",
            "Les clés de la voix chiffrée voyagent dans la signalisation. En clair, chacun peut les lire ; "
            "et en BVPN l'opérateur refuse la voix chiffrée : les appels échouent.",
        ),
        level=Level.MUST,
        source="RFC 4568 §7",
        mend=said(
            "set srtp to false, or give phones.listen.tls a port on a site whose trunk is over the internet",
            "mettez srtp à false, ou donnez un port à phones.listen.tls sur un site dont le trunk passe par "
            "internet",
        ),
        look=_secure_phones,
        needs=("phones.listen.tls", "architecture"),
    ),
    Rule(
        id="SITE-18",
        title=said("A TLS port has a certificate to show", "Un port TLS a un certificat à présenter"),
        why=said(
            "Whoever connects with TLS is shown a certificate first. Without one every connection fails.",
            "Celui qui se connecte en TLS reçoit d'abord un certificat. Sans certificat, toute connexion "
            "échoue.",
        ),
        level=Level.MUST,
        source="RFC 8446 §4.4.2",
        mend=said(
            "Web Monitor > Certificates: name the files under certificates; or set the port to 0",
            "Web Monitor > Certificates : nommez les fichiers sous certificates ; ou mettez le port à 0",
        ),
        look=_identified,
        needs=("certificates", "architecture"),
    ),
)
