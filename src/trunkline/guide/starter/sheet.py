"""The commented site file that answers make, in the order and the words of OMC."""

from __future__ import annotations

from trunkline.finding import Language
from trunkline.guide.facts import Facts
from trunkline.guide.starter.lines import Lines, scalar
from trunkline.guide.starter.people import numbering, rainbow, remote_sites, users
from trunkline.guide.starter.questions import Answers, over_internet
from trunkline.guide.starter.trunk import carrier, certificates, media, trunk


def written(answers: Answers, facts: Facts, language: Language) -> str:
    """The text of a site file from a full set of answers."""
    lines = Lines(language)
    for part in (
        _top,
        _interfaces,
        _security,
        _phones,
        trunk,
        certificates,
        media,
        numbering,
        users,
        rainbow,
        remote_sites,
        _records,
        carrier,
    ):
        part(lines, answers, facts)
    return lines.text()


def _top(lines: Lines, answers: Answers, facts: Facts) -> None:
    lines.note(
        "A site file of Trunkline. Check it after each change: trunkline check THIS-FILE. "
        "Times are in seconds, numbers are written +COUNTRY NUMBER. What is left out has its default: "
        "docs/reference/site.md, or `trunkline schema` for your editor.",
        "Un fichier de site Trunkline. Vérifiez-le après chaque modification : trunkline check CE-FICHIER. "
        "Les durées sont en secondes, les numéros s'écrivent +PAYS NUMÉRO. Ce qui est omis a sa valeur par "
        "défaut : docs/reference/site.md, ou `trunkline schema` pour votre éditeur.",
    )
    lines.blank()
    lines.put("schema: 1")
    lines.put(f"customer: {scalar(answers['customer'])}")
    lines.blank()
    lines.put("guide:", "whose rules the site is checked against", "celui dont les règles s'appliquent")
    lines.put(f"  name: {facts.name}")
    lines.put(
        f"  edition: {facts.edition}",
        "the date on the guide's first page",
        "la date en première page du guide",
    )
    lines.blank()
    lines.put(f"architecture: {answers['architecture']}")
    lines.blank()
    lines.put("product:")
    lines.put(
        f"  model: {answers['product']}",
        "PowerCPU, or OCE for OXO Connect Evolution",
        "PowerCPU, ou OCE pour OXO Connect Evolution",
    )
    load = answers["load"]
    lines.put(f"  version: {load[4:5]}.{load[5:6]}")
    lines.put(
        f"  load: {load}",
        "OMC > System Miscellaneous > Software version",
        "OMC > System Miscellaneous > Software version",
    )
    if answers.get("webrtc") == "front-end":
        lines.put("  front_end: true", "an OCE stands before it", "un OCE est placé devant")


def _interfaces(lines: Lines, answers: Answers, facts: Facts) -> None:
    lines.title("Hardware and Limits > LAN/IP Configuration", "Hardware and Limits > LAN/IP Configuration")
    lines.put("interfaces:")
    lines.put("  eth0:")
    lines.put(
        f"    address: {answers['address']}",
        "on your LAN, where the phones are",
        "sur votre LAN, avec les postes",
    )
    if over_internet(answers):
        lines.put(
            f"    domain_name: {answers['fqdn']}",
            "the public FQDN: the certificate bears it",
            "le FQDN public : le certificat le porte",
        )
        lines.put("  eth1:")
        if answers["architecture"] == "internet-a":
            lines.put(
                f"    address: {answers['public_address']}",
                "the public address, without NAT",
                "l'adresse publique, sans NAT",
            )
        else:
            lines.put(
                f"    address: {answers['dmz_address']}",
                "the private address in the DMZ",
                "l'adresse privée dans la DMZ",
            )
            lines.put(f"    router: {answers['dmz_router']}")
    lines.title("Hardware and Limits > DNS", "Hardware and Limits > DNS")
    lines.put("dns:")
    for server in answers["dns"].split(","):
        lines.put(
            f"  - {server.strip()}",
            "it must know the names of the access SBCs",
            "il doit connaître les noms des SBC d'accès",
        )


def _security(lines: Lines, answers: Answers, facts: Facts) -> None:
    if not over_internet(answers):
        return
    lines.title("Security, firewall, public DNS", "Sécurité, pare-feu, DNS public")
    lines.put("security:")
    lines.put(
        "  dtls_encryption: true",
        "OMC > Security: encryption as a whole",
        "OMC > Security : tout le chiffrement",
    )
    lines.blank()
    lines.put("firewall:")
    if answers["architecture"] == "internet-a":
        lines.put(
            "  mode: transparent",
            "it translates nothing between the carrier and eth1",
            "il ne traduit rien entre l'opérateur et eth1",
        )
    else:
        lines.put("  mode: nat")
        lines.put(
            f"  public_address: {answers['public_address']}",
            "translated to eth1's, ports unchanged",
            "traduite vers celle d'eth1, ports inchangés",
        )
    lines.put("  sip_alg: false", "it must not rewrite SIP", "il ne doit pas réécrire le SIP")
    lines.blank()
    lines.put("dns_records:", "what your DNS provider publishes", "ce que publie votre hébergeur DNS")
    lines.put(f"  - name: {answers['fqdn']}")
    lines.put("    type: A")
    lines.put(f"    value: {answers['public_address']}")
    lines.blank()
    lines.put("cloud_connect:")
    lines.put(
        "  access: separate",
        "an internet access apart from the trunk's",
        "un accès internet distinct de celui du trunk",
    )


def _phones(lines: Lines, answers: Answers, facts: Facts) -> None:
    lines.title("VoIP: SIP phones", "VoIP : postes SIP")
    lines.put("phones:")
    lines.put("  listen:")
    lines.put("    interface: eth0")
    lines.put("    udp: 5059", "0 switches a transport off", "0 désactive un transport")
    lines.put("    tcp: 5059")
    if over_internet(answers):
        lines.put("    tls: 5061")
        lines.put("  srtp: true", "to and from phones on TLS", "avec les postes en TLS")


def _records(lines: Lines, answers: Answers, facts: Facts) -> None:
    lines.title("Call records", "Journal des appels")
    lines.put("records:")
    lines.put(
        "  file: records.jsonl",
        "one JSON object a line; empty: none are kept",
        "un objet JSON par ligne ; vide : aucun",
    )
    lines.put("  retention_days: 365")
