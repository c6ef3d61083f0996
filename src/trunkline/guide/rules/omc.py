"""Switches of OMC that the trunk over the internet needs, and access to Cloud Connect (5.1, 5.2.4)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import INTERNET
from trunkline.site.model import Site


def _encryption(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.flag("internet.dtls_encryption") and not site.security.dtls_encryption:
        yield Seen(
            ("security", "dtls_encryption"), said("DTLS Encryption is off", "DTLS Encryption est désactivé")
        )


def _udp_to_tcp(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.flag("internet.udp_to_tcp") and not site.trunk.udp_to_tcp_switching:
        says = said("UDP to TCP switching is off", "UDP to TCP switching est désactivé")
        yield Seen(("trunk", "udp_to_tcp_switching"), says)


def _cloud_apart(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.cloud_connect.access == "trunk" and facts.text("cloud_connect.access") == "separate":
        says = said("Cloud Connect uses the trunk's access", "Cloud Connect passe par l'accès du trunk")
        yield Seen(("cloud_connect", "access"), says)


def _cloud_for_rainbow(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.cloud_connect.access == "none":
        says = said(
            "Rainbow needs the internet, and Cloud Connect has no access",
            "Rainbow a besoin d'internet, et Cloud Connect n'a pas d'accès",
        )
        yield Seen(("cloud_connect", "access"), says)


RULES = (
    Rule(
        id="SEC-1",
        title=said("DTLS Encryption is on", "DTLS Encryption est activé"),
        why=said(
            "It switches on the system's encryption as a whole: without it there is no SIP TLS.",
            "Cela active tout le chiffrement du système : sans lui, pas de SIP TLS.",
        ),
        level=Level.MUST,
        source="guide 5.2.4",
        mend=said("OMC > Security: switch DTLS Encryption on", "OMC > Security : activez DTLS Encryption"),
        look=_encryption,
        fact="internet.dtls_encryption",
        architectures=INTERNET,
    ),
    Rule(
        id="SEC-2c",
        title=said("UDP to TCP switching is on", "UDP to TCP switching est activé"),
        why=said(
            "TLS runs over TCP, and a message too long for one datagram must change to it too.",
            "TLS passe sur TCP, et un message trop long pour un datagramme doit y passer aussi.",
        ),
        level=Level.MUST,
        source="guide 5.2.4; RFC 3261 §18.1.1",
        mend=said(
            "OMC > Voice Over IP > VoIP Parameters > eth1: switch UDP to TCP switching on",
            "OMC > Voice Over IP > VoIP Parameters > eth1 : activez UDP to TCP switching",
        ),
        look=_udp_to_tcp,
        fact="internet.udp_to_tcp",
        architectures=INTERNET,
    ),
    Rule(
        id="CFG-2a",
        title=said(
            "Cloud Connect has an internet access of its own",
            "Cloud Connect a son propre accès internet",
        ),
        why=said(
            "When the trunk's access is lost, so is the way to mend it from afar.",
            "Quand l'accès du trunk est perdu, le moyen de le réparer à distance l'est aussi.",
        ),
        level=Level.SHOULD,
        source="guide 5.1",
        mend=said(
            "order an access apart, open the guide's ports on its firewall, and write access: separate",
            "commandez un accès à part, ouvrez les ports du guide sur son pare-feu, et écrivez access: "
            "separate",
        ),
        look=_cloud_apart,
        fact="cloud_connect.access",
    ),
    Rule(
        id="CFG-2b",
        title=said("Rainbow can reach its cloud", "Rainbow peut joindre son cloud"),
        why=said(
            "IPBX and WebRTC gateway are registered in the cloud: without access there is no Rainbow.",
            "IPBX et passerelle WebRTC sont enregistrés dans le cloud : sans accès, pas de Rainbow.",
        ),
        level=Level.SHOULD,
        source="guide 2.3, 5.1",
        mend=said(
            "order an internet access and write access: separate",
            "commandez un accès internet et écrivez access: separate",
        ),
        look=_cloud_for_rainbow,
        architectures=("bvpn-rainbow",),
    ),
)
