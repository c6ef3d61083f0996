"""Chapter 2.2 of the guide: the one bound on the trunk's simultaneous calls (CAC-1)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.remote import remote_sites
from trunkline.guide.rules.walk import gateways
from trunkline.site.model import Site


def _bound_carried(site: Site, facts: Facts) -> Iterator[Seen]:
    calls = [gateway.media.bandwidth for gateway in site.trunk.gateways]
    for path, gateway in gateways(site):
        if not gateway.media.bandwidth:
            says = said(
                "gateway {label} has a bandwidth of 0: it refuses every outgoing call",
                "la passerelle {label} a une bande passante de 0 : elle refuse tout appel sortant",
                label=gateway.label,
            )
            yield Seen((*path, "media", "bandwidth"), says)
    if 0 < sum(calls) < site.trunk.channels:
        says = said(
            "the trunk has {channels} channels, but its gateways together carry only {calls} calls",
            "le trunk a {channels} canaux, mais ses passerelles n'écoulent ensemble que {calls} appels",
            channels=site.trunk.channels,
            calls=sum(calls),
        )
        yield Seen(("trunk", "channels"), says)


def _bound_carried_alone(site: Site, facts: Facts) -> Iterator[Seen]:
    channels = site.trunk.channels
    if sum(gateway.media.bandwidth for gateway in site.trunk.gateways) < channels:
        return  # CAC-1a says so
    for path, gateway in gateways(site):
        if 0 < gateway.media.bandwidth < channels:
            says = said(
                "gateway {label} carries {calls} calls of {channels} channels: too few when it is the only "
                "one left",
                "la passerelle {label} écoule {calls} appels pour {channels} canaux : trop peu quand elle "
                "reste seule",
                label=gateway.label,
                calls=gateway.media.bandwidth,
                channels=channels,
            )
            yield Seen((*path, "media", "bandwidth"), says)


def _remote_within(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, remote in remote_sites(site):
        if remote.channels > site.trunk.channels:
            says = said(
                "{label} counts on {has} channels, the whole trunk has {channels}",
                "{label} compte sur {has} canaux, le trunk entier en a {channels}",
                label=remote.label,
                has=remote.channels,
                channels=site.trunk.channels,
            )
            yield Seen((*path, "channels"), says)


def _channels_bought(site: Site, facts: Facts) -> Iterator[Seen]:
    bought = site.carrier.channels
    if bought is not None and bought < site.trunk.channels:
        says = said(
            "{bought} channels are bought, but the IPBX admits {channels} calls",
            "{bought} canaux sont achetés, mais l'IPBX admet {channels} appels",
            bought=bought,
            channels=site.trunk.channels,
        )
        yield Seen(("carrier", "channels"), says)


RULES = (
    Rule(
        id="CAC-1d",
        title=said(
            "No remote site counts on more channels than the trunk has",
            "Aucun site distant ne compte sur plus de canaux que n'en a le trunk",
        ),
        why=said(
            "A remote site's calls pass through the main site's trunk and count there. Beyond its bound they "
            "are refused, however wide the site's own link is.",
            "Les appels d'un site distant passent par le trunk du site principal et y comptent. Au-delà de "
            "sa limite ils sont refusés, même si le lien du site est large.",
        ),
        level=Level.SHOULD,
        source="guide 2.2",
        mend=said(
            "lower the site's channels, or buy more for the trunk",
            "réduisez les canaux du site, ou achetez-en davantage pour le trunk",
        ),
        look=_remote_within,
        needs=("trunk.channels",),
    ),
    Rule(
        id="CAC-1a",
        title=said(
            "The gateways together carry the trunk's channels",
            "Les passerelles écoulent ensemble les canaux du trunk",
        ),
        why=said(
            "A gateway's bandwidth is the number of calls it may carry. Below the channels, calls are "
            "refused though they are paid for; 0 refuses all of them.",
            "La bande passante d'une passerelle est le nombre d'appels qu'elle peut écouler. En dessous du "
            "nombre de canaux, des appels payés sont refusés ; 0 les refuse tous.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said(
            "SIP Gateways > Media: set the bandwidth of each gateway to at least trunk.channels",
            "SIP Gateways > Media : réglez la bande passante de chaque passerelle à trunk.channels au moins",
        ),
        look=_bound_carried,
        needs=("trunk.gateways.*", "trunk.gateways.*.media.bandwidth"),
    ),
    Rule(
        id="CAC-1b",
        title=said(
            "Each gateway alone carries the trunk's channels",
            "Chaque passerelle écoule à elle seule les canaux du trunk",
        ),
        why=said(
            "When one access SBC is lost, the other gateway takes all calls. Set for a part of them, it "
            "refuses the rest on just the day the backup is needed.",
            "Quand un SBC d'accès est perdu, l'autre passerelle prend tous les appels. Réglée pour une "
            "partie seulement, elle refuse les autres le jour même où le secours sert.",
        ),
        level=Level.SHOULD,
        source="guide 2.2",
        mend=said(
            "SIP Gateways > Media: set the bandwidth to at least trunk.channels",
            "SIP Gateways > Media : réglez la bande passante à trunk.channels au moins",
        ),
        look=_bound_carried_alone,
        needs=("trunk.channels", "trunk.gateways.*", "trunk.gateways.*.media.bandwidth"),
    ),
    Rule(
        id="CAC-1c",
        title=said(
            "The IPBX admits no more calls than are bought",
            "L'IPBX n'admet pas plus d'appels que de canaux achetés",
        ),
        why=said(
            "The carrier refuses the calls above the channels bought. Callers then hear its tone, not the "
            "one that the IPBX would give, and the record does not say why.",
            "L'opérateur refuse les appels au-delà des canaux achetés. L'appelant entend alors sa tonalité "
            "et non celle de l'IPBX, et la trace d'appel ne dit pas pourquoi.",
        ),
        level=Level.SHOULD,
        source="guide 2.2",
        mend=said(
            "lower trunk.channels, or correct carrier.channels",
            "baissez trunk.channels, ou corrigez carrier.channels",
        ),
        look=_channels_bought,
        needs=("trunk.channels",),
    ),
)
