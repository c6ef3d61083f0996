"""What is still open: what the rules advise, and what only the carrier can say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from trunkline.finding import Finding, said
from trunkline.guide.facts import Fact, Facts
from trunkline.plan.document import Block, Chapter, Paragraph, Row, Source, Table
from trunkline.plan.figures import LEVELS
from trunkline.site.model import Site

# What a question of the guide is about, in words; a key that is not here is shown as it is.
_ABOUT: Final = {
    "qos.dscp_signalling": said(
        "DSCP of signalling (the guide speaks of media)", "DSCP de la signalisation (le guide parle du média)"
    ),
    "drom.sbc_names": said("names of the zone's access SBCs", "noms des SBC d'accès de la zone"),
    "drom.sbc_addresses": said("addresses of the zone's access SBCs", "adresses des SBC d'accès de la zone"),
    "drom.local_prefixes": said(
        "which numbers count as the zone's local calls",
        "quels numéros comptent comme appels locaux de la zone",
    ),
    "trunk.supervision_period": said("how often OPTIONS are sent", "fréquence des OPTIONS"),
    "trunk.reroute_statuses": said(
        "SIP codes that lead a call to the backup SBC",
        "codes SIP qui basculent un appel vers le SBC de secours",
    ),
    "trunk.full_status": said(
        "SIP code when all channels are busy", "code SIP quand tous les canaux sont occupés"
    ),
    "trunk.session_expires": said(
        "session timer (Session-Expires)", "temporisateur de session (Session-Expires)"
    ),
    "trunk.emergency_format": said("how emergency numbers are sent", "format d'envoi des numéros d'urgence"),
    "trunk.dtmf_payload_type": said(
        "payload type of DTMF (RFC 4733)", "type de charge utile des DTMF (RFC 4733)"
    ),
    "bvpn.transport": said("SIP transport over BVPN", "transport SIP sur BVPN"),
    "bvpn.signalling_port": said("SIP port over BVPN", "port SIP sur BVPN"),
    "bvpn.media_ports": said("media ports over BVPN", "ports média sur BVPN"),
    "bvpn.codecs": said("codecs over BVPN", "codecs sur BVPN"),
    "tls.suites_oce": said("cipher suites that OCE uses", "suites cryptographiques utilisées par l'OCE"),
    "endpoints.mediatrix_4102": said("fax gateway Mediatrix 4102", "passerelle fax Mediatrix 4102"),
    "endpoints.audiocodes_mp11x": said("fax gateway AudioCodes MP11x", "passerelle fax AudioCodes MP11x"),
    "endpoints.third_party_sbc": said("third-party SBC", "SBC tiers"),
}
_ROLES: Final = {
    "nominal": said("nominal SBC", "SBC nominal"),
    "backup": said("backup SBC", "SBC de secours"),
}
_WHAT: Final = {
    "name": said("name", "nom"),
    "signalling": said("signalling address", "adresse de signalisation"),
    "media": said("media address", "adresse média"),
}


def chapter(site: Site, facts: Facts, findings: Iterable[Finding] = ()) -> Chapter:
    """The chapter that closes the dossier."""
    questions, advised = tuple(_questions(site, facts)), tuple(map(_advice, findings))
    blocks: list[Block] = []
    if questions:
        head = (said("question", "question"), said("answer", "réponse"))
        title = said("To ask the carrier", "À demander à l'opérateur")
        blocks.append(Table(head, questions, title, note=_note(facts)))
    if advised:
        columns = (said("level", "niveau"), said("finding", "constat"), said("mend", "remède"))
        title = said("Findings of trunkline check", "Constats de trunkline check")
        blocks.append(Table(columns, advised, title))
    empty = Paragraph(said("Nothing is open.", "Rien n'est en suspens."))
    return Chapter(
        "open",
        said("Open points", "Points en suspens"),
        tuple(blocks) or (empty,),
        reader=said("carrier, installer", "opérateur, installateur"),
    )


def _note(facts: Facts) -> str:
    return said(
        "The guide of {edition} says nothing of these, or its text is damaged there.",
        "Le guide du {edition} n'en dit rien, ou son texte y est abîmé.",
        edition=facts.edition,
    )


def _questions(site: Site, facts: Facts) -> Iterator[Row]:
    for fact in facts.by_key.values():
        if not fact.known and _matters(site, fact):
            section = () if fact.section == "-" else (f"§{fact.section}",)
            yield Row((_about(fact.key), ""), Source("", ", ".join((*fact.requirements, *section))), fact.key)


def _matters(site: Site, fact: Fact) -> bool:
    """Whether the answer changes anything for a site of this architecture."""
    group, _, rest = fact.key.partition(".")
    zones = any(gateway.general.zone != "metropole" for gateway in site.trunk.gateways)
    if group in ("qos", "trunk"):
        return True
    if group == "drom":
        return zones
    if group in ("tls", "internet", "certificates"):
        return site.over_internet
    if group in ("bvpn", "remote"):
        return not site.over_internet
    if group == "endpoints":
        devices = " ".join(machine.device for machine in site.fax).casefold()
        return rest != "third_party_sbc" and rest.split("_")[0] in devices
    return group in ("fax",) and bool(site.fax)


def _about(key: str) -> str:
    if key in _ABOUT:
        return _ABOUT[key]
    words = ["", *key.split(".")]
    role, what = words[-2], words[-1]
    if role in _ROLES and what in _WHAT:
        return said("{role}: {what}", "{role} : {what}", role=_ROLES[role], what=_WHAT[what])
    return key


def _advice(found: Finding) -> Row:
    source = Source(found.path, found.rule)
    return Row((LEVELS[found.level], found.says, found.mend), source, f"{found.rule} {found.path}")
