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
            source=Source(f"trunk.gateways.{place}.general.index", "SEC-5"),
        )
    yield Step(
        "lines.group",
        "OMC > External Lines > List of Trunk Groups",
        said(
            "One trunk group for each access, listed nominal first: the next one is the overflow",
            "Un faisceau par accès, le nominal en premier : le suivant sert de débordement",
        ),
        ", ".join(gateway.label for gateway in site.trunk.gateways),
        source=Source("trunk.gateways", "SEC-5"),
    )


def numbering(site: Site) -> Iterator[Step]:
    """Numbers, routes and barring."""
    plan = site.numbering
    yield Step(
        "numbering.installation",
        "OMC > Numbering > Installation Numbers",
        said("Country code and installation number", "Indicatif et numéro d'installation"),
        f"{plan.country} / {plan.installation_number}",
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
            source=Source("trunk.gateways.1", "SEC-5"),
        )
