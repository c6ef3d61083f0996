"""Wide enough: links for their channels, the product for its calls and phones; and DSCP (2.1, 2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts, known_around
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.remote import remote_sites
from trunkline.site.model import Site


def _media_marked(site: Site, facts: Facts) -> Iterator[Seen]:
    wanted = facts.number("qos.dscp_media")
    if site.media.dscp != wanted:
        says = said(
            "media is marked DSCP {dscp}, not {wanted}",
            "la voix est marquée DSCP {dscp}, pas {wanted}",
            dscp=site.media.dscp,
            wanted=wanted,
        )
        mend = said("set media.dscp to {wanted}", "mettez media.dscp à {wanted}", wanted=wanted)
        yield Seen(("media", "dscp"), says, mend)


def _mark_kept(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.wan is not None and not site.wan.trusts_dscp:
        says = said(
            "the WAN router does not keep the DSCP of the voice equipment",
            "le routeur WAN ne garde pas le DSCP des équipements de voix",
        )
        yield Seen(("wan", "trusts_dscp"), says)


def _remote_link(site: Site, facts: Facts) -> Iterator[Seen]:
    each = facts.number("sizing.channel_kbps")
    for path, remote in remote_sites(site):
        needed = remote.channels * each
        if remote.link.kbps < needed:
            says = said(
                "{label}: {channels} channels need {needed} kb/s, the link has {kbps}",
                "{label} : {channels} canaux demandent {needed} kb/s, le lien en a {kbps}",
                label=remote.label,
                channels=remote.channels,
                needed=needed,
                kbps=remote.link.kbps,
            )
            yield Seen((*path, "link", "kbps"), says)


def _main_link(site: Site, facts: Facts) -> Iterator[Seen]:
    if site.wan is None:
        return
    elsewhere = sum(remote.channels for remote in site.remote_sites if remote.media_path == "direct")
    channels = max(0, site.trunk.channels - elsewhere)
    needed = channels * facts.number("sizing.channel_kbps")
    if site.wan.kbps < needed:
        says = said(
            "{channels} channels need {needed} kb/s on the main site's WAN router, which has {kbps}",
            "{channels} canaux demandent {needed} kb/s au routeur WAN du site principal, qui en a {kbps}",
            channels=channels,
            needed=needed,
            kbps=site.wan.kbps,
        )
        yield Seen(("wan", "kbps"), says)


def _calls_carried(site: Site, facts: Facts) -> Iterator[Seen]:
    most = known_around()["oxo"].number(f"calls.{site.product.model}")
    if site.trunk.channels > most:
        says = said(
            "{channels} channels, but {model} carries {most} trunk calls at most",
            "{channels} canaux, mais {model} porte au plus {most} appels de trunk",
            channels=site.trunk.channels,
            model=site.product.model,
            most=most,
        )
        yield Seen(("trunk", "channels"), says)


def _users_carried(site: Site, facts: Facts) -> Iterator[Seen]:
    most, phones = known_around()["oxo"].number("users"), sum(it.count for it in site.endpoints)
    for key, has in (("users", len(site.users)), ("endpoints", phones)):
        if has > most:
            says = said(
                "{has} {key}, but the product carries {most}",
                "{has} dans {key}, mais le produit en porte {most}",
                has=has,
                key=key,
                most=most,
            )
            yield Seen((key,), says)


_LINK = said(
    "The call that is one too many spoils all others: every one of them loses packets.",
    "L'appel de trop abîme tous les autres : chacun perd des paquets.",
)
_COURSE = said("the vendor's courses (second-hand)", "cours du constructeur (de seconde main)")

RULES = (
    Rule(
        id="QOS-1a",
        title=said(
            "Media is marked as the carrier trusts it", "La voix porte la marque que l'opérateur attend"
        ),
        why=said(
            "The networks trust this mark: without it voice waits behind file transfers, and is chopped.",
            "Les réseaux se fient à cette marque : sans elle, la voix attend derrière les fichiers et se "
            "hache.",
        ),
        level=Level.SHOULD,
        source="guide 2.1",
        mend=said("set media.dscp to the guide's value", "mettez media.dscp à la valeur du guide"),
        look=_media_marked,
        fact="qos.dscp_media",
    ),
    Rule(
        id="QOS-1b",
        title=said("The WAN router keeps the mark", "Le routeur WAN garde la marque"),
        why=said(
            "A router that writes its own mark undoes what IPBX and phones set.",
            "Un routeur qui met sa propre marque défait celle de l'IPBX et des postes.",
        ),
        level=Level.SHOULD,
        source="guide 2.1",
        mend=said(
            "let the router trust the DSCP of the voice network",
            "faites accepter au routeur le DSCP du réseau voix",
        ),
        look=_mark_kept,
        fact="qos.dscp_media",
    ),
    Rule(
        id="CAC-2a",
        title=said(
            "A remote site's link is as wide as its channels",
            "Le lien d'un site distant suffit à ses canaux",
        ),
        why=_LINK,
        level=Level.SHOULD,
        source="guide 2.2",
        mend=said(
            "order a wider link, or lower the site's channels",
            "commandez un lien plus large, ou réduisez les canaux du site",
        ),
        look=_remote_link,
        fact="sizing.channel_kbps",
        needs=("remote_sites.*.channels",),
    ),
    Rule(
        id="CAC-2b",
        title=said(
            "The main site's link is as wide as the channels",
            "Le lien du site principal suffit aux canaux",
        ),
        why=_LINK,
        level=Level.SHOULD,
        source="guide 2.2",
        mend=said(
            "order a wider link, or lower trunk.channels",
            "commandez un lien plus large, ou réduisez trunk.channels",
        ),
        look=_main_link,
        fact="sizing.channel_kbps",
        needs=(
            *("trunk.channels", "remote_sites.*", "remote_sites.*.channels"),
            "remote_sites.*.media_path",
        ),
    ),
    Rule(
        id="SITE-54",
        title=said("The product carries the trunk's channels", "Le produit porte les canaux du trunk"),
        why=said(
            "Calls over the product's bound are refused, whatever was bought.",
            "Les appels au-delà de la limite du produit sont refusés, quoi qu'on ait acheté.",
        ),
        level=Level.SHOULD,
        source=_COURSE,
        mend=said(
            "lower trunk.channels, or take OCE; PowerCPU's figure is that of the largest DSP board",
            "réduisez trunk.channels, ou prenez OCE ; pour PowerCPU, c'est avec la plus grande carte DSP",
        ),
        look=_calls_carried,
        needs=("product.model",),
    ),
    Rule(
        id="SITE-55",
        title=said(
            "The product carries its users and phones", "Le produit porte ses utilisateurs et ses postes"
        ),
        why=said(
            "The licence and the encrypted connections of phones end there.",
            "La licence et les connexions chiffrées des postes s'arrêtent là.",
        ),
        level=Level.SHOULD,
        source=_COURSE,
        mend=said(
            "divide the site, or take a larger product",
            "partagez le site, ou prenez un produit plus grand",
        ),
        look=_users_carried,
        needs=("users.*", "endpoints.*", "endpoints.*.count"),
    ),
)
