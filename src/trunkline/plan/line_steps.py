"""Steps of the checklist that every trunk has: accesses, numbering, and the proof by calls."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import said
from trunkline.plan.document import Source, Step
from trunkline.site.model import Site


def lines(site: Site) -> Iterator[Step]:
    """VoIP accesses and trunk groups, around the gateways."""
    yield Step(
        "lines.access",
        "OMC > External Lines > List of Accesses > VoIP",
        said("Number of channels", "Nombre de canaux"),
        str(site.trunk.channels),
        said("one call more than these hears busy", "un appel de plus entend l'occupation"),
        source=Source("trunk.channels", "CAC-1"),
    )
    for place, gateway in enumerate(site.trunk.gateways):
        yield Step(
            f"lines.index.{gateway.general.index}",
            "OMC > External Lines > List of Accesses > VoIP",
            said(
                "Fill the gateway's index in at its access: without it no call passes",
                "Reportez l'index de la passerelle à son accès : sans lui, aucun appel ne passe",
            ),
            str(gateway.general.index),
            said("the access shows the gateway's label", "l'accès affiche le libellé de la passerelle"),
            source=Source(f"trunk.gateways.{place}.general.index", _pair(site)),
        )
    yield Step(
        "lines.group",
        "OMC > External Lines > List of Trunk Groups",
        said(
            "One trunk group for each access, listed nominal first: the next one is the overflow",
            "Un faisceau par accès, le nominal en premier : le suivant sert de débordement",
        ),
        ", ".join(gateway.label for gateway in site.trunk.gateways),
        said(
            "calls leave by the first; the proof below shows the overflow",
            "les appels sortent par le premier ; la preuve ci-dessous montre le débordement",
        ),
        source=Source("trunk.gateways", _pair(site)),
    )


def _pair(site: Site) -> str:
    """The requirement that has calls leave by the second gateway when the first is gone."""
    return "SEC-5" if site.over_internet else "BVPN-1"


def numbering(site: Site) -> Iterator[Step]:
    """Numbers, routes and barring."""
    plan = site.numbering
    yield Step(
        "numbering.installation",
        "OMC > Numbering > Installation Numbers",
        said("Country code and installation number", "Indicatif et numéro d'installation"),
        f"{plan.country} / {plan.installation_number}",
        said(
            "a call out by a phone without DDI shows it",
            "un appel sortant d'un poste sans SDA le présente",
        ),
        source=Source("numbering.installation_number"),
    )
    ddis = sorted(user.ddi for user in site.users if user.ddi)
    if ddis:
        yield Step(
            "numbering.ddi",
            "OMC > Numbering > Public Numbering Plan",
            said(
                "DDI numbers, and the same in the restricted plan: at night it is that one that counts",
                "Numéros SDA, et les mêmes dans le plan restreint : la nuit, c'est lui qui compte",
            ),
            f"{ddis[0]} … {ddis[-1]} ({len(ddis)})" if len(ddis) > 2 else ", ".join(ddis),
            said(
                "a call from outside rings the phone, in normal and in restricted service",
                "un appel du dehors fait sonner le poste, en service normal et restreint",
            ),
            source=Source("users"),
        )
    rows = (f"{plan.outside_prefix}…", *plan.short, *plan.emergency)
    yield Step(
        "numbering.ars",
        "OMC > Numbering > Automatic Routing Selection",
        said(
            "ARS rows for the outside prefix, for short numbers and for every emergency number",
            "Lignes ARS pour le préfixe de sortie, les numéros courts et chaque numéro d'urgence",
        ),
        ", ".join(rows),
        said(
            "112 reaches the emergency centre, with and without the prefix",
            "le 112 aboutit, avec et sans le préfixe",
        ),
        source=Source("numbering.emergency"),
    )
    yield Step(
        "numbering.barring",
        "OMC > System Miscellaneous > Traffic Sharing and Barring",
        said("Bar what toll fraud calls", "Interdisez ce qu'appelle la fraude téléphonique"),
        ", ".join(plan.international_barred)
        if plan.international_allowed
        else said("all international numbers", "tous les numéros internationaux"),
        said("a phone that dials one is refused", "un poste qui en compose un est refusé"),
        source=Source("numbering.international_barred"),
    )
    for index, remote in enumerate(site.remote_sites):
        if remote.number:
            yield Step(
                f"numbering.emergency.{remote.label}",
                "OMC > Emergency",
                said(
                    "Emergency calls from {label} show this number: the carrier knows its address",
                    "Les appels d'urgence de {label} présentent ce numéro, connu de l'opérateur",
                    label=remote.label,
                ),
                remote.number,
                said(
                    "a call from there that the carrier lets you test shows it",
                    "un appel de là-bas, en essai convenu avec l'opérateur, le présente",
                ),
                source=Source(f"remote_sites.{index}.number"),
            )


def proof(site: Site) -> Iterator[Step]:
    """The calls that show it works."""
    yield Step(
        "proof.dscp",
        said("Capture", "Capture"),
        said(
            "Media packets carry the DSCP both ways", "Les paquets média portent le DSCP dans les deux sens"
        ),
        f"DSCP {site.media.dscp} (TOS 0x{site.media.dscp << 2:02X})",
        said(
            "in Wireshark, ip.dsfield.dscp of every RTP packet",
            "dans Wireshark, ip.dsfield.dscp de chaque paquet RTP",
        ),
        source=Source("media.dscp", "QOS-1"),
    )
    cases = (
        ("out", said("Call a mobile: audio both ways", "Appelez un mobile : audio dans les deux sens"), ""),
        (
            "in",
            said(
                "Call a DDI from outside: audio both ways",
                "Appelez une SDA du dehors : audio dans les deux sens",
            ),
            "",
        ),
        (
            "emergency",
            said(
                "Call the emergency numbers, after announcing the test to the centre",
                "Appelez les numéros d'urgence, après avoir annoncé l'essai au centre",
            ),
            "112",
        ),
    )
    for name, does, value in cases:
        yield Step(
            f"proof.{name}",
            said("Phone", "Téléphone"),
            does,
            value,
            said("the history table shows the call", "la table d'historique montre l'appel"),
            source=Source("trunk"),
        )
    if len(site.trunk.gateways) > 1:
        yield Step(
            "proof.failover",
            "OMC > External Lines > SIP > SIP Gateways",
            said(
                "With the first gateway blocked, a call leaves by the second",
                "Première passerelle bloquée, un appel sort par la seconde",
            ),
            site.trunk.gateways[1].label,
            said(
                "the call is heard both ways; unblock the first one afterwards",
                "l'appel s'entend dans les deux sens ; débloquez ensuite la première",
            ),
            source=Source("trunk.gateways.1", _pair(site)),
        )
