"""The firewall chapter: what to open, in words and tables, and the files for each kind of firewall (FW)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.plan import (
    firewall_cisco,
    firewall_csv,
    firewall_fortinet,
    firewall_iptables,
    firewall_nftables,
    firewall_opnsense,
)
from trunkline.plan.document import Block, Chapter, File, Paragraph, Row, Source, Table
from trunkline.plan.figures import ASK_CARRIER
from trunkline.plan.firewall_words import ground
from trunkline.plan.openings import (
    EVERYWHERE,
    End,
    Opening,
    Section,
    ipbx_key,
    machine,
    openings,
    public_address,
)
from trunkline.site.model import Site

__all__ = ["Opening", "chapter", "machine"]

_TITLE: Final[dict[Section, str]] = {
    "trunk": said("The trunk", "Le trunk"),
    "ntp": said("Time (NTP)", "Heure (NTP)"),
    "cloud-connect": said("ALE Cloud Connect", "ALE Cloud Connect"),
    "site-vpn": said("Tunnels to remote sites", "Tunnels vers les sites distants"),
}
_FORMATS: Final = (
    firewall_nftables.files,
    firewall_iptables.files,
    firewall_cisco.files,
    firewall_fortinet.files,
    firewall_opnsense.files,
)


def chapter(site: Site, facts: Facts) -> Chapter:
    """Over BVPN the rows and their CSV alone: the guide names neither addresses nor ports there."""
    rows = openings(site, facts)
    where = ground(site, facts)
    blocks: list[Block] = [*_before(site), _table(rows, "trunk", _trunk_note(site))]
    files: list[File] = [*firewall_csv.files(rows), *firewall_csv.translations(where)]
    if site.over_internet:
        blocks += _stateful()
        if where.public:
            blocks.append(_translation(site, [row for row in rows if row.crosses]))
        files += [file for write in _FORMATS for file in write(where)]
        blocks += _files_words()
    notes: dict[Section, str] = {
        "ntp": _ntp_note(), "cloud-connect": _cloud_note(site), "site-vpn": _vpn_note(),
    }  # fmt: skip
    blocks += [
        _table(rows, section, note)
        for section, note in notes.items()
        if any(row.section == section for row in rows)
    ]
    return Chapter(
        "firewall", said("Firewall", "Pare-feu"), tuple(blocks), tuple(files),
        said("firewall team", "équipe pare-feu"),
    )  # fmt: skip


def _before(site: Site) -> list[Paragraph]:
    if not site.over_internet:
        words = said(
            "Over BVPN the guide names no address and no port of the access SBCs: ask the carrier. Names "
            "and ports below are those of the site's gateways. Where a firewall stands between the IPBX or "
            "the phones and the BVPN router, it must let these rows pass; no rule file is written of what is "
            "not known.",
            "Sur BVPN, le guide ne donne ni adresse ni port des SBC d'accès : à demander à l'opérateur. Les "
            "noms et ports ci-dessous sont ceux des passerelles du site. Si un pare-feu se trouve entre "
            "l'IPBX ou les postes et le routeur BVPN, il doit laisser passer ces lignes ; aucun fichier de "
            "règles n'est écrit à partir de ce qui n'est pas connu.",
        )
        return [Paragraph(words, Source("trunk.gateways", "BVPN-1, BVPN-2"))]
    words = said(
        "For this trunk, between the IPBX's {interface} and the internet, open the rows below and nothing "
        "else. Media does not come from the addresses that signalling uses.",
        "Pour ce trunk, entre {interface} de l'IPBX et internet, ouvrir les lignes ci-dessous et rien "
        "d'autre. Les flux média ne viennent pas des adresses de la signalisation.",
        interface=site.trunk.listen.interface,
    )
    found = [Paragraph(words, Source(ipbx_key(site), "FW-1, FW-2, FW-3, FW-4"))]
    alg = said(
        "Switch off every SIP ALG or SIP helper for this trunk: it cannot read TLS, and breaks what it "
        "touches.",
        "Désactiver tout ALG SIP (SIP helper) pour ce trunk : il ne peut pas lire TLS et casse ce qu'il "
        "touche.",
    )
    level = "warning" if site.firewall and site.firewall.sip_alg else ""
    found.append(Paragraph(alg, Source("firewall.sip_alg", "INET-2, INET-3"), level))
    follow = said(
        "The carrier is reached by name, firewalls filter by address: when a name leads elsewhere than the "
        "address in this table, the firewall must follow. Fortinet and OPNsense are given the names too.",
        "L'opérateur est joint par nom, les pare-feu filtrent par adresse : quand un nom mène à une autre "
        "adresse que celle du tableau, le pare-feu doit suivre. Fortinet et OPNsense reçoivent aussi les "
        "noms.",
    )
    found.append(Paragraph(follow, Source("trunk.gateways", "DNS-1, SBC-1")))
    return found


def _trunk_note(site: Site) -> str:
    if not site.over_internet:
        return said("Answers pass without a row of their own.", "Les réponses passent sans ligne à part.")
    if site.architecture == "internet-b":
        return said(
            "The IPBX is written with its private address; on the internet it is {public}. Source ports: "
            "all.",
            "L'IPBX est écrit avec son adresse privée ; sur internet, c'est {public}. Ports source : tous.",
            public=public_address(site)[0] or ASK_CARRIER,
        )
    return said(
        "Source ports: all. No address is translated.", "Ports source : tous. Aucune adresse n'est traduite."
    )


def _table(rows: Sequence[Opening], section: Section, note: str) -> Table:
    head = (
        said("service", "service"),
        said("protocol", "protocole"),
        said("from", "de"),
        said("its address", "son adresse"),
        said("to", "vers"),
        said("its address", "son adresse"),
        said("port", "port"),
    )
    lines = [
        Row(
            (row.service, row.protocol.upper(), row.source.title, _address(row.source), row.destination.title,
             _address(row.destination), _ports(row)),
            Source(row.key, row.requirement),
        )
        for row in rows
        if row.section == section
    ]  # fmt: skip
    return Table(head, tuple(lines), _TITLE[section], note)


def _address(end: End) -> str:
    if end.addresses == EVERYWHERE:
        return said("any", "toutes")
    known = ", ".join(end.addresses)
    if end.name and known:
        return f"{known} ({end.name})"
    return known or end.name or end.lacks or ASK_CARRIER


def _ports(row: Opening) -> str:
    if row.protocol == "esp":
        return "-"
    if row.first is None:
        return ASK_CARRIER
    return f"{row.first}" if row.first == row.last else f"{row.first}-{row.last}"


def _stateful() -> list[Paragraph]:
    state = said(
        "Each row is a direction in which a connection or flow may begin, since both sides begin some; "
        "answers pass by the firewall's connection tracking, and so do the ICMP errors about them (path "
        "MTU). Media has a row each way because either side may send first. DNS answers are answers: nobody "
        "may send from port 53 unasked. The Cisco lists and the nftables file for a bridge keep no state, "
        "and let answers in by their ports.",
        "Chaque ligne est un sens dans lequel une connexion ou un flux peut commencer, car les deux côtés en "
        "commencent ; les réponses passent par le suivi de connexions du pare-feu, de même que les erreurs "
        "ICMP qui s'y rapportent (MTU du chemin). Le média a une ligne par sens, car chacun peut émettre le "
        "premier. Les réponses DNS sont des réponses : personne ne peut émettre du port 53 sans question. "
        "Les listes Cisco et le fichier nftables pour un pont n'ont pas d'état et laissent entrer les "
        "réponses selon leurs ports.",
    )
    scope = said(
        "The files refuse all else between these two interfaces, in both directions, and touch no other "
        "traffic of the firewall; Cisco's lists stand on the interface toward the IPBX and OPNsense's on the "
        "IPBX's address.",
        "Les fichiers refusent tout le reste entre ces deux interfaces, dans les deux sens, et ne touchent à "
        "aucun autre trafic du pare-feu ; les listes Cisco sont sur l'interface vers l'IPBX, celles "
        "d'OPNsense sur l'adresse de l'IPBX.",
    )
    return [
        Paragraph(state, Source("firewall", "FW-1, FW-2, FW-3")),
        Paragraph(scope, Source("firewall", "FW-4")),
    ]


def _files_words() -> list[Paragraph]:
    words = said(
        "Each file names the firewall's interfaces as its maker usually does; write yours as firewall.inside "
        "and firewall.outside in the site file. Each rule's comment says its requirement and its site key.",
        "Chaque fichier nomme les interfaces du pare-feu comme le fait d'habitude son constructeur ; "
        "indiquer les vôtres dans firewall.inside et firewall.outside du fichier de site. Le commentaire de "
        "chaque règle dit son exigence et sa clé du fichier de site.",
    )
    return [Paragraph(words, Source("firewall.inside", "FW-4"))]


def _translation(site: Site, rows: Sequence[Opening]) -> Table:
    public, key = public_address(site)
    source = Source(key, "INET-3")
    inward = {(row.protocol, _ports(row)): row for row in rows if not row.outward}
    to_ipbx, from_ipbx = (
        said("destination (DNAT)", "destination (DNAT)"),
        said("source (SNAT)", "source (SNAT)"),
    )
    lines = []
    for (protocol, ports), row in inward.items():
        before, after = f"{public}:{ports}", f"{row.destination.addresses[0]}:{ports}"
        lines.append(Row((to_ipbx, protocol.upper(), before, after, _sources(rows, row)), source))
    near = next((row.source.addresses[0] for row in rows if row.outward), "")
    every = said("all, port kept", "tous, port conservé")
    lines.append(Row((from_ipbx, said("all", "tous"), near, public, every), source))
    head = (
        said("translation", "traduction"),
        said("protocol", "protocole"),
        said("before", "avant"),
        said("after", "après"),
        said("for packets of", "pour les paquets de"),
    )
    note = said(
        "Layer-3 NAT: no port changes, for SIP and SDP name the public address with these ports (Static "
        "NAT).",
        "NAT de niveau 3 : aucun port ne change, car SIP et SDP annoncent l'adresse publique avec ces ports "
        "(Static NAT).",
    )
    return Table(head, tuple(lines), said("Address translation", "Traduction d'adresses"), note)


def _sources(rows: Sequence[Opening], like: Opening) -> str:
    return ", ".join(
        dict.fromkeys(
            address
            for row in rows
            if not row.outward
            and (row.protocol, row.first, row.last) == (like.protocol, like.first, like.last)
            for address in row.source.addresses
        )
    )


def _ntp_note() -> str:
    return said(
        "Not of the trunk. A server known by name alone is left out of the files: add its address.",
        "Hors trunk. Un serveur connu par son seul nom est absent des fichiers : ajouter son adresse.",
    )


def _cloud_note(site: Site) -> str:
    oddity = said(
        "The guide writes 500/tcp; IKE is 500/udp (RFC 7296): ask the carrier before opening either.",
        "Le guide écrit 500/tcp ; IKE est 500/udp (RFC 7296) : demander à l'opérateur avant d'ouvrir l'un ou "
        "l'autre.",
    )
    if site.cloud_connect.access == "trunk":
        return said(
            "By the trunk's own access; the guide recommends another one. {oddity}",
            "Par l'accès du trunk ; le guide en recommande un autre. {oddity}",
            oddity=oddity,
        )
    return said(
        "On its own internet access, apart from the trunk: these rows are not in the trunk's files. {oddity}",
        "Sur son propre accès internet, distinct du trunk : ces lignes ne sont pas dans les fichiers du "
        "trunk. {oddity}",
        oddity=oddity,
    )


def _vpn_note() -> str:
    return said(
        "On the access where the tunnels end, not on the trunk's interface: these rows are not in the "
        "trunk's files. ESP itself passes only where no NAT stands between; else it travels in UDP 4500.",
        "Sur l'accès où se terminent les tunnels, pas sur l'interface du trunk : ces lignes ne sont pas dans "
        "les fichiers du trunk. ESP seul ne passe qu'en l'absence de NAT ; sinon il voyage dans UDP 4500.",
    )
