"""Remote sites: their link is secured and described, and their names and networks agree (2.2, 2.4, 3)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.guide.rules.walk import BVPN, INTERNET
from trunkline.site.model import Site
from trunkline.site.premises import RemoteSite


def remote_sites(site: Site) -> Iterator[tuple[Path, RemoteSite]]:
    """Each remote site with its path."""
    for index, remote in enumerate(site.remote_sites):
        yield ("remote_sites", index), remote


def _secured(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, remote in remote_sites(site):
        if remote.link.kind == "internet" and remote.link.vpn == "none":
            says = said(
                "{label} reaches the main site over the internet, and nothing secures that way",
                "{label} rejoint le site principal par internet, et rien ne sécurise ce chemin",
                label=remote.label,
            )
            yield Seen((*path, "link", "vpn"), says)


def _no_phone_client(site: Site, facts: Facts) -> Iterator[Seen]:
    allowed = facts.words("remote.links")
    for path, remote in remote_sites(site):
        if remote.link.vpn not in ("none", *allowed):
            says = said(
                "{label} uses {vpn}; over BVPN a remote site's link is secured by {allowed}",
                "{label} utilise {vpn} ; sur BVPN, le lien d'un site distant est sécurisé par {allowed}",
                label=remote.label,
                vpn=remote.link.vpn,
                allowed=", ".join(allowed),
            )
            yield Seen((*path, "link", "vpn"), says)


def _secured_internet(site: Site, facts: Facts) -> Iterator[Seen]:
    allowed = facts.words("remote.links_internet")
    for path, remote in remote_sites(site):
        if remote.link.vpn not in allowed:
            says = said(
                "{label} has no tunnel to the main site ({vpn}); it takes one of {allowed}",
                "{label} n'a pas de tunnel vers le site principal ({vpn}) ; il en faut un : {allowed}",
                label=remote.label,
                vpn=remote.link.vpn,
                allowed=", ".join(allowed),
            )
            yield Seen((*path, "link", "vpn"), says)


def _media_path(site: Site, facts: Facts) -> Iterator[Seen]:
    if facts.text("remote.media_site") != "main":
        return
    for path, remote in remote_sites(site):
        if remote.media_path == "direct":
            says = said(
                "{label} sends its media straight to the SBC: the guide's text leads it through the main "
                "site, "
                "its sizing table charges the main site nothing for it",
                "{label} envoie sa voix directement au SBC : le texte du guide la fait passer par le site "
                "principal, son tableau de dimensionnement n'y compte rien pour elle",
                label=remote.label,
            )
            yield Seen((*path, "media_path"), says)


def _anchored_path(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, remote in remote_sites(site):
        if remote.media_path == "direct" and facts.flag("internet.anchored"):
            says = said(
                "{label} would send its voice past the IPBX; over the internet all voice passes through it",
                "{label} enverrait sa voix sans passer par l'IPBX ; par internet, toute la voix y passe",
                label=remote.label,
            )
            yield Seen((*path, "media_path"), says)


def _survivability(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, remote in remote_sites(site):
        if remote.survivability and not facts.flag("remote.survivability"):
            says = said(
                "{label} has survivability; the guide certifies remote sites without it, with IP phones only",
                "{label} a une survivance ; le guide certifie des sites distants sans elle, avec des "
                "postes IP seuls",
                label=remote.label,
            )
            yield Seen((*path, "survivability"), says)


def _labels_exist(site: Site, facts: Facts) -> Iterator[Seen]:
    labels = {remote.label for remote in site.remote_sites}
    at: list[tuple[Path, str]] = [(("users", i, "site"), user.site) for i, user in enumerate(site.users)]
    at += [(("endpoints", i, "site"), endpoint.site) for i, endpoint in enumerate(site.endpoints)]
    for path, label in at:
        if label and label not in labels:
            says = said(
                "no remote site is called {label}", "aucun site distant ne s'appelle {label}", label=label
            )
            yield Seen(path, says)


def _labels_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    seen: set[str] = set()
    for path, remote in remote_sites(site):
        if remote.label in seen:
            says = said(
                "two remote sites are called {label}",
                "deux sites distants s'appellent {label}",
                label=remote.label,
            )
            yield Seen((*path, "label"), says)
        seen.add(remote.label)


def _main_end(site: Site, facts: Facts) -> Iterator[Seen]:
    tunnels = [path for path, remote in remote_sites(site) if remote.link.vpn in ("ipsec", "wireguard")]
    if tunnels and site.vpn is None:
        says = said(
            "the tunnels of remote sites end nowhere: the file does not describe the main site's end",
            "les tunnels des sites distants n'aboutissent nulle part : le fichier ne décrit pas le côté "
            "du site principal",
        )
        yield Seen((*tunnels[0], "link", "vpn"), says)


def _networks_apart(site: Site, facts: Facts) -> Iterator[Seen]:
    known: list[tuple[str, IPv4Network | IPv6Network]] = []
    for name in ("eth0", "eth1"):
        interface = getattr(site.interfaces, name)
        if interface is not None and interface.prefix is not None:
            width = 32 if "." in interface.address else 128
            if interface.prefix <= width:
                known.append((name, ip_network(f"{interface.address}/{interface.prefix}", strict=False)))
    wanted: list[tuple[Path, str, str]] = []
    if site.vpn is not None:
        wanted.append((("vpn", "network"), "vpn", site.vpn.network))
    wanted += [((*path, "network"), it.label, it.network) for path, it in remote_sites(site) if it.network]
    for path, label, text in wanted:
        network = ip_network(text)
        for other, taken in known:
            if network.version == taken.version and network.overlaps(taken):
                says = said(
                    "{network} overlaps {taken} of {other}: packets for one would go to the other",
                    "{network} recouvre {taken} ({other}) : les paquets de l'un iraient à l'autre",
                    network=str(network),
                    taken=str(taken),
                    other=other,
                )
                yield Seen(path, says)
                break
        known.append((label, network))


_SECURED = said(
    "The calls of a remote site run in the clear up to the main site: whoever is on the way can listen.",
    "Les appels d'un site distant circulent en clair jusqu'au site principal : on peut les écouter en "
    "chemin.",
)

RULES = (
    Rule(
        id="INET-4b",
        title=said(
            "Over the internet a remote site's voice passes through the IPBX",
            "Par internet, la voix d'un site distant passe par l'IPBX",
        ),
        why=said(
            "The IPBX alone encrypts toward the carrier, which takes voice from its address only.",
            "Seul l'IPBX chiffre vers l'opérateur, qui n'accepte la voix que de son adresse.",
        ),
        level=Level.MUST,
        source="guide 2.4",
        mend=said("write media_path: main-site", "écrivez media_path: main-site"),
        look=_anchored_path,
        fact="internet.anchored",
        architectures=INTERNET,
    ),
    Rule(
        id="BVPN-3a",
        title=said(
            "A remote site on the internet reaches the main site over a secured link",
            "Un site distant sur internet rejoint le site principal par un lien sécurisé",
        ),
        why=_SECURED,
        level=Level.MUST,
        source="guide 2.2",
        mend=said(
            "set up IPsec or WireGuard, and write it into link.vpn",
            "mettez en place IPsec ou WireGuard, et écrivez-le dans link.vpn",
        ),
        look=_secured,
        needs=("remote_sites.*.link.kind",),
        fact="remote.links",
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-3b",
        title=said(
            "Over BVPN a remote site's tunnel is the router's",
            "Sur BVPN, le tunnel d'un site distant est celui du routeur",
        ),
        why=said(
            "The guide names the phones' own VPN client for the trunk over the internet only.",
            "Le guide ne cite le client VPN des postes que pour le trunk par internet.",
        ),
        level=Level.MUST,
        source="guide 2.2",
        mend=said("choose ipsec or wireguard", "choisissez ipsec ou wireguard"),
        look=_no_phone_client,
        fact="remote.links",
        architectures=BVPN,
    ),
    Rule(
        id="BVPN-3c",
        title=said(
            "A remote site's media runs as the guide's text says",
            "La voix d'un site distant passe où le texte du guide le dit",
        ),
        why=said(
            "The guide says both, and the links are sized by it: the wrong one leaves a link too narrow.",
            "Le guide dit les deux, et les liens se dimensionnent d'après lui : le mauvais choix laisse "
            "un lien "
            "trop étroit.",
        ),
        level=Level.NOTE,
        source="guide 2.2",
        mend=said(
            "ask the carrier which of the two holds for this site",
            "demandez à l'opérateur lequel des deux vaut pour ce site",
        ),
        look=_media_path,
        fact="remote.media_site",
        architectures=BVPN,
    ),
    Rule(
        id="INET-5a",
        title=said(
            "Over the internet a remote site has a tunnel to the main site",
            "Par internet, un site distant a un tunnel vers le site principal",
        ),
        why=_SECURED,
        level=Level.MUST,
        source="guide 2.4",
        mend=said(
            "set up IPsec or WireGuard, or the phones' own VPN client, and write it into link.vpn",
            "mettez en place IPsec ou WireGuard, ou le client VPN des postes, et écrivez-le dans link.vpn",
        ),
        look=_secured_internet,
        fact="remote.links_internet",
        architectures=INTERNET,
    ),
    Rule(
        id="FORM-3",
        title=said("Remote sites are without survivability", "Les sites distants sont sans survivance"),
        why=said(
            "What keeps a site alone alive has an access to the carrier that nobody ordered or certified.",
            "Ce qui maintient un site isolé suppose un accès opérateur que personne n'a commandé ni "
            "certifié.",
        ),
        level=Level.SHOULD,
        source="guide 3",
        mend=said(
            "ask the carrier; else set survivability to false",
            "demandez à l'opérateur ; sinon mettez survivability à false",
        ),
        look=_survivability,
        fact="remote.survivability",
    ),
    Rule(
        id="SITE-50",
        title=said(
            "The remote sites that users and phones name exist",
            "Les sites distants cités par les utilisateurs et les postes existent",
        ),
        why=said(
            "An emergency call from there would show the main site's address.",
            "Un appel d'urgence de là-bas montrerait l'adresse du site principal.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said(
            "correct the label, or describe the site under remote_sites",
            "corrigez le libellé, ou décrivez le site sous remote_sites",
        ),
        look=_labels_exist,
        needs=("remote_sites.*", "remote_sites.*.label"),
    ),
    Rule(
        id="SITE-51",
        title=said("Each remote site has its own label", "Chaque site distant a son libellé"),
        why=said(
            "Users and phones find their site by its label.",
            "Usagers et postes trouvent leur site par son libellé.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said("name them apart", "nommez-les différemment"),
        look=_labels_differ,
    ),
    Rule(
        id="SITE-52",
        title=said(
            "The main site's end of the tunnels is described",
            "Le côté du site principal des tunnels est décrit",
        ),
        why=said(
            "A tunnel needs both ends, and the dossier writes their settings from here.",
            "Un tunnel a deux bouts, et le dossier en tire les réglages d'ici.",
        ),
        level=Level.SHOULD,
        source="guide 2.2, 2.4",
        mend=said(
            "describe address, network and key under vpn",
            "décrivez address, network et key sous vpn",
        ),
        look=_main_end,
        needs=("vpn", "remote_sites.*", "remote_sites.*.link.vpn"),
    ),
    Rule(
        id="SITE-53",
        title=said("The sites' networks do not overlap", "Les réseaux des sites ne se recouvrent pas"),
        why=said(
            "No router can tell two sites apart that use the same addresses.",
            "Aucun routeur ne distingue deux sites qui ont les mêmes adresses.",
        ),
        level=Level.MUST,
        source="RFC 4632 §5.1",
        mend=said("give the site another network", "donnez au site un autre réseau"),
        look=_networks_apart,
        needs=(
            *("interfaces.eth0.address", "interfaces.eth0.prefix"),
            *("interfaces.eth1.address", "interfaces.eth1.prefix", "vpn.network"),
        ),
    ),
)
