"""The trunk's part of a first site file: gateways, certificates, media ports, what was bought."""

from __future__ import annotations

from trunkline.guide.facts import Facts
from trunkline.guide.starter.lines import Lines, scalar
from trunkline.guide.starter.questions import Answers, over_internet

EXAMPLE_SBCS = (("198.51.100.10", "198.51.100.11"), ("203.0.113.10", "203.0.113.11"))  # RFC 5737


def trunk(lines: Lines, answers: Answers, facts: Facts) -> None:
    lines.title("External Lines", "External Lines")
    secure = over_internet(answers)
    lines.put("trunk:")
    lines.put("  listen:")
    lines.put(f"    interface: {'eth1' if secure else 'eth0'}")
    if secure:
        lines.put("    udp: 0", "nothing in the clear toward the internet", "rien en clair vers internet")
        lines.put("    tcp: 0")
        lines.put(
            f"    tls: {facts.number('internet.signalling_port')}",
            "VoIP Parameters > eth1: SIP TLS trunk signal port",
            "VoIP Parameters > eth1 : SIP TLS trunk signal port",
        )
    else:
        lines.put("    udp: 5060", "ask the carrier for its port", "demandez le port à l'opérateur")
        lines.put("    tcp: 5060")
    lines.put(
        f"  channels: {answers['channels']}",
        "calls at once on the whole trunk, as bought",
        "appels simultanés sur tout le trunk, comme achetés",
    )
    if secure:
        lines.put("  udp_to_tcp_switching: true", "VoIP Parameters > eth1", "VoIP Parameters > eth1")
    lines.blank()
    lines.note(
        "External Lines > SIP > SIP Gateways. Calls go to the first that is up, in this order.",
        "External Lines > SIP > SIP Gateways. Les appels passent par la première en service.",
        indent=2,
    )
    lines.put("  gateways:")
    for index, (label, name) in enumerate((("nominal", answers["sbc1"]), ("backup", answers["sbc2"])), 1):
        _gateway(lines, answers, facts, index, label, name)


def _gateway(lines: Lines, answers: Answers, facts: Facts, index: int, label: str, name: str) -> None:
    secure = over_internet(answers)
    lines.put(f"    - label: {label}")
    lines.put("      general:")
    lines.put(
        f"        index: {index}",
        "fill it in at List of Accesses > VoIP too",
        "à reporter dans List of Accesses > VoIP",
    )
    lines.put(
        "      domain_proxy:", "the access SBC's name, three times", "le nom du SBC d'accès, trois fois"
    )
    for key in ("target_domain", "outbound_proxy", "realm"):
        lines.put(f"        {key}: {name}")
    lines.put(f"        transport: {'tls' if secure else 'udp'}")
    lines.put(f"        port: {facts.number('internet.signalling_port') if secure else 5060}")
    lines.put("      media:")
    if secure:
        lines.put(
            "        rtp_direct: false", "the IPBX anchors all media", "l'IPBX ancre tous les flux média"
        )
    else:
        lines.put(
            "        rtp_direct: true",
            "media goes straight from phone to SBC",
            "le média va directement du poste au SBC",
        )
    lines.put(
        f"        bandwidth: {answers['channels']}",
        "calls at once by this gateway, at least trunk.channels",
        "appels simultanés, au moins trunk.channels",
    )
    if not secure:
        return
    lines.put("      topology:")
    lines.put("        interface: eth1")
    if answers["architecture"] == "internet-b":
        lines.put(
            "        static_nat: true",
            "SIP and SDP name the public address",
            "SIP et SDP portent l'adresse publique",
        )
        lines.put(f"        public_address: {answers['public_address']}")
        lines.put(f"        port: {facts.number('internet.signalling_port')}")
    lines.put("      security:")
    lines.put("        sip_tls: true")
    lines.put(
        "        mutual_authentication: true",
        "both sides show a certificate",
        "chaque côté montre un certificat",
    )
    lines.put("        srtp: true")
    lines.put(f"        suites: [{facts.text('srtp.suite')}]")


def certificates(lines: Lines, answers: Answers, facts: Facts) -> None:
    if not over_internet(answers):
        return
    lines.title("Web Monitor > Certificates", "Web Monitor > Certificates")
    lines.note(
        "PEM files, in folders beside this file.", "Fichiers PEM, dans des dossiers à côté de ce fichier."
    )
    lines.put("certificates:")
    lines.put("  public_server:")
    lines.put(
        "    certificate: certificates/ipbx.pem",
        "with every intermediate below the root",
        "avec tous les intermédiaires sous la racine",
    )
    lines.put("    key: certificates/ipbx.key")
    lines.put(
        "  trust:",
        "roots and intermediates: the carrier's, your CA's",
        "racines et intermédiaires : de l'opérateur, de votre AC",
    )
    lines.put("    - certificates/carrier-ca.pem")
    lines.put("    - certificates/customer-ca.pem")


def media(lines: Lines, answers: Answers, facts: Facts) -> None:
    if not over_internet(answers):
        return
    first, last = facts.numbers("internet.media_ports")
    wanted = max(1000, 4 * int(answers["channels"]))
    lines.title("Media on the IPBX", "Média sur l'IPBX")
    lines.put("media:")
    lines.put(
        "  trunk_ports:",
        "within what the guide's firewall table opens",
        "dans ce qu'ouvre la table de pare-feu du guide",
    )
    lines.put(f"    first: {first}")
    lines.put(
        f"    last: {min(last, first + wanted - 1)}",
        "two for each call on the trunk",
        "deux par appel sur le trunk",
    )


def carrier(lines: Lines, answers: Answers, facts: Facts) -> None:
    lines.title("The carrier: what you bought", "L'opérateur : ce que vous avez acheté")
    lines.note(
        "`trunkline carrier` plays this one for tests; check compares its numbers and channels "
        "with the rest.",
        "`trunkline carrier` joue celui-ci pour les essais ; check compare ses numéros et ses "
        "canaux au reste.",
    )
    lines.put("carrier:")
    lines.put("  number_ranges:")
    for span in answers["ranges"].split(","):
        lines.put(f"    - {scalar(span.strip())}")
    lines.put(f"  channels: {answers['channels']}")
    lines.put("  sbcs:", "one for each gateway, in their order", "un par passerelle, dans leur ordre")
    for place, example in zip(("nominal", "backup"), EXAMPLE_SBCS, strict=True):
        signalling, media = (
            [facts.text(f"internet.sbc.{place}.{key}") for key in ("signalling", "media")]
            if over_internet(answers)
            else example
        )
        lines.put(f"    - label: {place}")
        lines.put(f"      signalling: {signalling}")
        lines.put(f"      media: {media}")
        lines.put(
            f"      port: {facts.number('internet.signalling_port') if over_internet(answers) else 5060}"
        )
