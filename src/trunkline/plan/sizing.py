"""Sizing: channels by the guide's scenarios, bandwidth of each link, Erlang B both ways, what-if (CAC)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trunkline.finding import said
from trunkline.guide.facts import Facts
from trunkline.plan import curve, erlang
from trunkline.plan.bandwidth import Tunnel, Voice
from trunkline.plan.document import Block, Chapter, Paragraph, Row, Source, Table
from trunkline.plan.figures import ASK_CARRIER, MAIN_SITE, decimal, percent
from trunkline.plan.load import (
    Link,
    Load,
    links,
    load,
    needed,
    tabled,
    through_main,
    traffic_with,
    trunk_voice,
    users_of,
    within_bounds,
)
from trunkline.site.model import Site

SCENARIO: Final = {
    "offnet_hq": said("public call of the main site", "appel public du site principal"),
    "offnet_rs": said("public call of a remote site", "appel public d'un site distant"),
    "offnet_rs_on_hold": said("the same, put on hold", "le même, mis en attente"),
    "offnet_rs_transferred": said(
        "the same, after a transfer or forward to the public network",
        "le même, après transfert ou renvoi vers le réseau public",
    ),
    "forced_onnet_hq_rs": said(
        "main site to remote site by the carrier (forced on-net)",
        "site principal vers site distant par l'opérateur (on-net forcé)",
    ),
}
_PLACE_HEAD: Final = (
    said("IPBX", "IPBX"),
    said("WAN main site", "WAN site principal"),
    said("WAN remote sites", "WAN sites distants"),
    said("carrier, main site", "opérateur, site principal"),
    said("carrier, remote sites", "opérateur, sites distants"),
)
_TUNNEL: Final[dict[Tunnel, str]] = {
    "": said("no tunnel", "sans tunnel"),
    "wireguard": "WireGuard",
    "ipsec-gcm": "IPsec ESP, AES-GCM-16",
    "ipsec-cbc": "IPsec ESP, AES-CBC + HMAC-SHA-256-128",
}
_ENOUGH: Final = said("enough", "suffisant")
_NOT_GIVEN: Final = said("not given", "non indiqué")


def chapter(site: Site, facts: Facts, more_users: int = 0) -> Chapter:
    """The chapter; `more_users` is the what-if: that many users more, telephoning as the others do."""
    plan = load(site, facts)
    blocks: list[Block] = [Paragraph(_traffic_words(site, plan), Source("traffic.busy_hour_erlang", "CAC-1"))]
    if tabled(facts):
        blocks += [_scenarios(plan), _bound(site, plan), _link_table(site, facts, plan)]
        blocks += _through_main_words(site)
    else:
        words = said(
            "This guide does not say how many channels a call takes on the IPBX and on each link: ask the "
            "carrier.",
            "Ce guide ne dit pas combien de canaux prend un appel sur l'IPBX et sur chaque lien : à demander "
            "à l'opérateur.",
        )
        blocks.append(Paragraph(words, Source("trunk.channels", "CAC-3"), "warning"))
    blocks.append(_layers(site))
    blocks += _erlang(site, plan)
    if more_users:
        blocks.append(_what_if(site, facts, more_users))
    title = said("Sizing", "Dimensionnement")
    return Chapter(
        "sizing", title, tuple(blocks), reader=said("installer, carrier", "installateur, opérateur")
    )


def _traffic_words(site: Site, plan: Load) -> str:
    if plan.traffic is None:
        return said(
            "The site file gives no busy-hour traffic: the {channels} channels of the trunk are taken as "
            "planned.",
            "Le fichier de site ne donne pas de trafic à l'heure chargée : les {channels} canaux du trunk "
            "sont pris comme prévus.",
            channels=site.trunk.channels,
        )
    return said(
        "{traffic} E in the busy hour, remote sites included, with {share} of calls refused at most: "
        "{channels} calls at once with the public network (Erlang B).",
        "{traffic} E à l'heure chargée, sites distants compris, avec au plus {share} d'appels refusés : "
        "{channels} appels simultanés avec le réseau public (Erlang B).",
        traffic=decimal(plan.traffic), share=percent(site.traffic.blocking), channels=plan.offnet,
    )  # fmt: skip


def _scenarios(plan: Load) -> Table:
    rows = []
    for planned in plan.planned:
        cells = (
            f"{taken} ({each} × {planned.calls})" if planned.calls else f"0 ({each})"
            for taken, each in zip(planned.taken, planned.each, strict=True)
        )
        key = {"offnet_rs_on_hold": "traffic.on_hold", "forced_onnet_hq_rs": "traffic.forced_onnet"}
        source = Source(key.get(planned.scenario, "remote_sites"), "CAC-3")
        if planned.scenario == "offnet_hq":
            source = Source("traffic.busy_hour_erlang", "CAC-3")
        rows.append(Row((SCENARIO[planned.scenario], str(planned.calls), *cells), source))
    totals = tuple(str(sum(row.taken[index] for row in plan.planned)) for index in range(len(_PLACE_HEAD)))
    rows.append(Row((said("together", "ensemble"), "", *totals), Source("trunk.channels", "CAC-3")))
    return Table(
        (said("scenario", "scénario"), said("calls planned", "appels prévus"), *_PLACE_HEAD),
        tuple(rows),
        said("Channels by scenario", "Canaux par scénario"),
        said(
            "In brackets: what one call takes by the guide's table, times the calls planned. A remote site's "
            "calls are its `channels`; the others are the main site's.",
            "Entre parenthèses : ce que prend un appel selon le tableau du guide, multiplié par les appels "
            "prévus. Les appels d'un site distant sont ses `channels` ; les autres sont ceux du site "
            "principal.",
        ),
        tuple(range(1, 7)),
    )


def _bound(site: Site, plan: Load) -> Paragraph:
    wanted, have = plan.at("ipbx"), site.trunk.channels
    source = Source("trunk.channels", "CAC-1")
    if wanted > have:
        words = said(
            "All that is planned at once takes {wanted} channels on the IPBX; trunk.channels is {have}. "
            "Calls over that are refused, not cut: order {wanted}, or plan fewer calls on hold or on-net.",
            "Tout ce qui est prévu en même temps prend {wanted} canaux sur l'IPBX ; trunk.channels vaut "
            "{have}. Les appels au-delà sont refusés, pas coupés : commander {wanted}, ou prévoir moins "
            "d'appels en attente ou on-net.",
            wanted=wanted, have=have,
        )  # fmt: skip
        return Paragraph(words, source, "warning")
    words = said(
        "All that is planned at once takes {wanted} of the trunk's {have} channels.",
        "Tout ce qui est prévu en même temps prend {wanted} des {have} canaux du trunk.",
        wanted=wanted, have=have,
    )  # fmt: skip
    return Paragraph(words, source)


def _link_table(site: Site, facts: Facts, plan: Load) -> Table:
    each = facts.number("sizing.channel_kbps") if facts.known("sizing.channel_kbps") else None
    rows = [_link_row(link, each) for link in links(site, facts, plan)]
    remote = through_main(site)
    if remote:
        more = sum(one.channels for one in remote)
        main = links(site, facts, plan)[0]
        carried = main._replace(channels=main.channels + more)
        name = said(
            "main site, with the remote sites' media", "site principal, avec les flux des sites distants"
        )
        rows.insert(1, _link_row(carried, each, name))
    return Table(
        (
            said("link", "lien"),
            said("channels", "canaux"),
            said("kb/s by the guide", "kbit/s selon le guide"),
            said("kb/s true", "kbit/s réels"),
            said("rate of the link", "débit du lien"),
            said("carried in", "transporté dans"),
            said("verdict", "verdict"),
        ),
        tuple(rows),
        said("Bandwidth of each link", "Bande passante de chaque lien"),
        said(
            "In each direction, at IP level. True: media and RTCP with their headers, SRTP and the tunnel "
            "where there is one. The verdict holds the larger of both against the link. Leave room for "
            "signalling.",
            "Dans chaque sens, au niveau IP. Réels : flux média et RTCP avec leurs en-têtes, SRTP et le "
            "tunnel s'il y en a un. Le verdict compare le plus grand des deux au lien. Garder une marge pour "
            "la signalisation.",
        ),
        (1, 2, 3, 4),
    )


def _link_row(link: Link, each: int | None, name: str = "") -> Row:
    by_guide = link.channels * each if each is not None else None
    wanted = max(by_guide or 0, link.true_kbps)
    if link.rate is None:
        verdict = _NOT_GIVEN
    elif link.rate >= wanted:
        verdict = _ENOUGH
    else:
        verdict = said(
            "too narrow by {missing} kb/s", "trop étroit de {missing} kbit/s", missing=wanted - link.rate
        )
    cells = (
        name or (link.remote.label if link.remote else MAIN_SITE),
        str(link.channels),
        str(by_guide) if by_guide is not None else ASK_CARRIER,
        str(link.true_kbps),
        str(link.rate) if link.rate is not None else _NOT_GIVEN,
        _TUNNEL[link.voice.tunnel],
        verdict,
    )
    return Row(cells, Source(link.key, "CAC-2, CAC-3"))


def _through_main_words(site: Site) -> tuple[Paragraph, ...]:
    remote = through_main(site)
    if not remote:
        return ()
    names = ", ".join(one.label for one in remote)
    if site.over_internet:
        words = said(
            "The IPBX anchors all media: a call of a remote site ({names}) crosses the main site's access "
            "twice, in the tunnel and on the trunk. The second row counts the trunk's side; the tunnel's "
            "side comes on top where it uses the same access.",
            "L'IPBX ancre tous les flux : un appel d'un site distant ({names}) traverse deux fois l'accès du "
            "site principal, dans le tunnel et sur le trunk. La deuxième ligne compte le côté trunk ; le "
            "côté tunnel s'y ajoute s'il emprunte le même accès.",
            names=names,
        )
        return (Paragraph(words, Source("remote_sites", "INET-4, INET-5"), "warning"),)
    words = said(
        "The guide's text leads the remote sites' media ({names}) through the main site, its table charges "
        "that site's router nothing for it. The second row counts it; size for that row.",
        "Le texte du guide fait passer les flux des sites distants ({names}) par le site principal, son "
        "tableau ne compte rien pour le routeur de ce site. La deuxième ligne le compte ; dimensionner selon "
        "cette ligne.",
        names=names,
    )
    return (Paragraph(words, Source("remote_sites", "BVPN-3, CAC-3"), "warning"),)


def _layers(site: Site) -> Table:
    suite = site.trunk.gateways[0].security.suites[0]
    media = {
        (codec, gateway.media.ptime): f"trunk.gateways.{index}.media.codecs"
        for index, gateway in reversed(list(enumerate(site.trunk.gateways)))
        for codec in gateway.media.codecs
    }
    ipv6 = trunk_voice(site).ipv6
    rows = []
    for (codec, ptime), key in sorted(media.items()):
        plain = Voice(codec, ptime, "", ipv6)
        pair = plain, replace(plain, suite=suite)
        layers: list[tuple[str, list[float]]] = [
            (said("IP level", "niveau IP"), [voice.media for voice in pair]),
            (said("on Ethernet", "sur Ethernet"), [voice.ethernet for voice in pair]),
            (said("RTCP, to add", "RTCP, à ajouter"), [voice.control for voice in pair]),
        ]
        tunnels: tuple[Tunnel, ...] = ("ipsec-gcm", "ipsec-cbc", "wireguard")
        layers += [(_TUNNEL[one], [replace(voice, tunnel=one).media for voice in pair]) for one in tunnels]
        rows += [
            Row((f"{codec}, {ptime} ms", layer, *map(decimal, figures)), Source(key, "CAC-2, SRTP-1"))
            for layer, figures in layers
        ]
    head = (said("codec", "codec"), said("counted", "compté"), "RTP", "SRTP")
    note = said(
        "kb/s of one channel in one direction, over {version}. Ethernet counts header and FCS (18 bytes). "
        "RTCP: one report in 5 s. Behind NAT, ESP takes 8 bytes more in each packet.",
        "kbit/s d'un canal dans un sens, en {version}. Ethernet compte l'en-tête et la FCS (18 octets). RTCP "
        ": un rapport toutes les 5 s. Derrière un NAT, ESP prend 8 octets de plus par paquet.",
        version="IPv6" if ipv6 else "IPv4",
    )
    return Table(head, tuple(rows), said("What one channel takes", "Ce que prend un canal"), note, (2, 3))


def _erlang(site: Site, plan: Load) -> list[Block]:
    rows = []
    if plan.traffic is not None:
        rows.append(_erlang_row(said("whole trunk", "trunk entier"), plan.traffic, site.traffic.blocking,
                                site.trunk.channels, "traffic.busy_hour_erlang"))  # fmt: skip
    for index, remote in enumerate(site.remote_sites):
        traffic = remote.traffic.busy_hour_erlang
        if traffic is not None:
            key = f"remote_sites.{index}.traffic.busy_hour_erlang"
            rows.append(_erlang_row(remote.label, traffic, remote.traffic.blocking, remote.channels, key))
    if not rows:
        words = said(
            "Give traffic.busy_hour_erlang, and the channels are computed from it (Erlang B).",
            "Indiquer traffic.busy_hour_erlang, et les canaux en sont calculés (Erlang B).",
        )
        return [Paragraph(words, Source("traffic.busy_hour_erlang", "CAC-1"))]
    head = (
        said("where", "où"),
        said("traffic (E)", "trafic (E)"),
        said("blocking allowed", "refus admis"),
        said("channels needed", "canaux nécessaires"),
        said("channels planned", "canaux prévus"),
        said("blocking with these", "refus avec ceux-ci"),
        said("traffic they carry (E)", "trafic qu'ils écoulent (E)"),
        said("verdict", "verdict"),
    )
    note = said(
        "Erlang B: calls that find all channels busy are lost. The last figure is the most traffic at which "
        "the channels planned keep the blocking allowed.",
        "Erlang B : les appels qui trouvent tous les canaux occupés sont perdus. Le dernier chiffre est le "
        "trafic maximal pour lequel les canaux prévus tiennent le refus admis.",
    )
    table = Table(
        head, tuple(rows), said("Channels and blocking", "Canaux et refus"), note, tuple(range(1, 7))
    )
    blocks: list[Block] = [table]
    if plan.traffic:
        blocks.append(curve.figure(plan.traffic, site.trunk.channels, site.traffic.blocking))
    return blocks


def _erlang_row(where: str, traffic: float, most: float, have: int, key: str) -> Row:
    most = within_bounds(most)
    wanted = needed(traffic, most) or 0
    verdict = _ENOUGH if have >= wanted else said(
        "{missing} too few", "il en manque {missing}", missing=wanted - have
    )  # fmt: skip
    cells = (
        where,
        decimal(traffic, 2),
        percent(most),
        str(wanted),
        str(have),
        percent(erlang.blocking(traffic, have)),
        decimal(erlang.traffic(have, most), 2),
        verdict,
    )
    return Row(cells, Source(key, "CAC-1"))


def _what_if(site: Site, facts: Facts, more: int) -> Table | Paragraph:
    users = users_of(site)
    source = Source("traffic.busy_hour_erlang", "CAC-1, CAC-2")
    now, then = load(site, facts), load(site, facts, more)
    title = said("What if {more:+d} users", "Et avec {more:+d} utilisateurs", more=more)
    if now.traffic is None or not users or then.traffic is None:
        words = said(
            "{title}: give traffic.busy_hour_erlang and the users or endpoints, from which the traffic of "
            "one user is known.",
            "{title} : indiquer traffic.busy_hour_erlang et les utilisateurs ou postes, dont on tire le "
            "trafic d'un utilisateur.",
            title=title,
        )
        return Paragraph(words, source, "warning")
    rows = [
        (said("users", "utilisateurs"), str(users), str(max(users + more, 0))),
        (said("traffic (E)", "trafic (E)"), decimal(now.traffic, 2), decimal(then.traffic, 2)),
        (
            said("calls at once with the public network", "appels simultanés avec le réseau public"),
            str(now.offnet),
            str(then.offnet),
        ),
        (
            said("blocking with today's {have} channels", "refus avec les {have} canaux d'aujourd'hui",
                 have=site.trunk.channels),
            percent(erlang.blocking(now.traffic, site.trunk.channels)),
            percent(erlang.blocking(then.traffic, site.trunk.channels)),
        ),
    ]  # fmt: skip
    if tabled(facts):
        before, after = (str(links(site, facts, plan)[0].true_kbps) for plan in (now, then))
        rows += [
            (said("channels on the IPBX", "canaux sur l'IPBX"), str(now.at("ipbx")), str(then.at("ipbx"))),
            (
                said("kb/s true on the main site's link", "kbit/s réels sur le lien du site principal"),
                before,
                after,
            ),
        ]
    each = (traffic_with(site, 0) or 0) / users
    note = said(
        "The traffic of one user stays as it is, {each} E in the busy hour; remote sites keep their own "
        "channels.",
        "Le trafic d'un utilisateur reste le même, {each} E à l'heure chargée ; les sites distants gardent "
        "leurs canaux.",
        each=decimal(each, 3),
    )
    return Table(
        (said("figure", "grandeur"), said("now", "aujourd'hui"), said("then", "alors")),
        tuple(Row(cells, source) for cells in rows),
        title,
        note,
        (1, 2),
    )
