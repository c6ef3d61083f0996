"""Chapter 2.4.8 of the guide: how speech is coded on the trunk (CODEC-1)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, Wording, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import BVPN, INTERNET, gateways
from trunkline.site.model import Site


def _usual(site: Site, facts: Facts) -> Iterator[Seen]:
    if not facts.open("bvpn.codecs"):
        return
    for path, gateway in gateways(site):
        for codec in facts.words("internet.codecs"):
            if codec not in gateway.media.codecs:
                says = said(
                    "gateway {label} does not offer {codec}, which the carrier requires over the internet; "
                    "for BVPN the guide names no codec",
                    "la passerelle {label} ne propose pas {codec}, que l'opérateur exige par internet ; pour "
                    "BVPN, le guide ne nomme aucun codec",
                    label=gateway.label,
                    codec=_named((codec,)),
                )
                mend = said(
                    "ask the carrier which codecs it takes; without an answer, SIP Gateways > Media: add "
                    "{codec}",
                    "demandez à l'opérateur quels codecs il prend ; sans réponse, SIP Gateways > Media : "
                    "ajoutez {codec}",
                    codec=_named((codec,)),
                )
                yield Seen((*path, "media", "codecs"), says, mend)


def _over_bvpn(site: Site, facts: Facts) -> Iterator[Seen]:
    return _codecs(site, facts.words("bvpn.codecs"))


def _over_the_internet(site: Site, facts: Facts) -> Iterator[Seen]:
    return _codecs(site, facts.words("internet.codecs"))


def _named(codecs: tuple[str, ...]) -> Wording:
    """Codecs as OMC and the trade call them, beside their names in the file."""
    usual = {"PCMA": "G.711 A-law (PCMA)", "PCMU": "G.711 mu-law (PCMU)", "G729": "G.729 (G729)"}
    named = [usual.get(codec, codec) for codec in codecs]
    return Wording(" + ".join(named), " + ".join(named).replace("A-law", "loi A").replace("mu-law", "loi mu"))


def _codecs(site: Site, wanted: tuple[str, ...]) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        if gateway.media.codecs != wanted:
            says = said(
                "gateway {label} offers {has}, the carrier takes {wanted}",
                "la passerelle {label} propose {has}, l'opérateur prend {wanted}",
                label=gateway.label,
                has=_named(gateway.media.codecs),
                wanted=_named(wanted),
            )
            mend = said(
                "SIP Gateways > Media: offer {wanted} and nothing else",
                "SIP Gateways > Media : proposez {wanted} et rien d'autre",
                wanted=_named(wanted),
            )
            yield Seen((*path, "media", "codecs"), says, mend)


def _packet_time(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("internet.ptime")
    for path, gateway in gateways(site):
        if gateway.media.ptime != wanted:
            says = said(
                "gateway {label} puts {has} ms of speech into a packet, the carrier wants {wanted}",
                "la passerelle {label} met {has} ms de parole par paquet, l'opérateur en veut {wanted}",
                label=gateway.label,
                has=gateway.media.ptime,
                wanted=wanted,
            )
            mend = said(
                "SIP Gateways > Media: set ptime to {wanted}",
                "SIP Gateways > Media : réglez ptime à {wanted}",
                wanted=wanted,
            )
            yield Seen((*path, "media", "ptime"), says, mend)


_REFUSED = said(
    "A codec is the way speech is coded. A call whose codecs the carrier does not take is refused the moment "
    "it is placed, and one that it did not expect may be silent or garbled.",
    "Un codec est la façon de coder la parole. Un appel dont l'opérateur ne prend aucun codec est refusé "
    "dès son émission, et un codec inattendu peut rendre l'appel muet ou inaudible.",
)

RULES = (
    Rule(
        id="CODEC-1",
        title=said(
            "Over BVPN the trunk offers the codec that the carrier takes elsewhere",
            "En BVPN, le trunk propose le codec que l'opérateur prend ailleurs",
        ),
        why=_REFUSED,
        level=Level.NOTE,
        source="guide 2.4.8",
        mend=said(
            "ask the carrier which codecs it takes; without an answer, SIP Gateways > Media: add the codec",
            "demandez à l'opérateur quels codecs il prend ; sans réponse, SIP Gateways > Media : ajoutez le "
            "codec",
        ),
        look=_usual,
        fact="internet.codecs",
        needs=("trunk.gateways.*.media.codecs.*",),
        architectures=BVPN,
    ),
    Rule(
        id="CODEC-1a",
        title=said(
            "Over the internet the trunk offers the carrier's codecs, and no other",
            "Par internet, le trunk propose les codecs de l'opérateur, et aucun autre",
        ),
        why=_REFUSED,
        level=Level.MUST,
        source="guide 2.4.8",
        mend=said("SIP Gateways > Media: choose the codec", "SIP Gateways > Media : choisissez le codec"),
        look=_over_the_internet,
        fact="internet.codecs",
        needs=("trunk.gateways.*.media.codecs.*",),
        architectures=INTERNET,
    ),
    Rule(
        id="CODEC-1b",
        title=said(
            "A packet holds as much speech as the carrier asks for",
            "Un paquet contient la durée de parole que l'opérateur demande",
        ),
        why=said(
            "With other packets the calls take another bandwidth than the link was sized for, and some "
            "equipment drops them: the voice is chopped.",
            "Avec d'autres paquets, les appels prennent une autre bande passante que celle du "
            "dimensionnement, et certains équipements les rejettent : la voix est hachée.",
        ),
        level=Level.MUST,
        source="guide 2.4.8",
        mend=said("SIP Gateways > Media: set ptime", "SIP Gateways > Media : réglez ptime"),
        look=_packet_time,
        fact="internet.ptime",
        architectures=INTERNET,
    ),
    Rule(
        id="CODEC-1c",
        title=said(
            "Over BVPN the trunk offers the carrier's codecs, and no other",
            "En BVPN, le trunk propose les codecs de l'opérateur, et aucun autre",
        ),
        why=_REFUSED,
        level=Level.MUST,
        source="guide 2.2",
        mend=said("SIP Gateways > Media: choose the codec", "SIP Gateways > Media : choisissez le codec"),
        look=_over_bvpn,
        fact="bvpn.codecs",
        needs=("trunk.gateways.*.media.codecs.*",),
        architectures=BVPN,
    ),
)
