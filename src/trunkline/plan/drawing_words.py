"""What stands in the boxes of the drawing: each part of the site in a few words, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from trunkline.finding import Language, said, told
from trunkline.guide.facts import Facts
from trunkline.plan.drawing_sheet import Words
from trunkline.plan.drawing_text import wrapped
from trunkline.plan.sbc_addresses import addresses
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site
from trunkline.site.premises import FaxMachine, RemoteSite, WebRtcGateway

NAMES_MAX: Final = 8  # remote sites named in a box for many
_SECURED: Final = {
    "none": said("no tunnel", "sans tunnel"),
    "ipsec": "IPsec",
    "wireguard": "WireGuard",
    "phone": said("the phones' own VPN", "VPN propre aux postes"),
}
_ZONES: Final = {
    "metropole": said("metropolitan France", "France métropolitaine"),
    "caribbean": said("Caribbean zone", "zone Caraïbes"),
    "indian-ocean": said("Indian Ocean zone", "zone océan Indien"),
}
_ATTACHED: Final = {
    "analog-port": said("Z port of the IPBX", "port Z de l'IPBX"),
    "gateway": said("analog gateway", "passerelle analogique"),
    "server": said("fax server", "serveur de fax"),
}
_ARCHITECTURES: Final = {
    "bvpn": said("over BVPN", "sur BVPN"),
    "bvpn-rainbow": said("over BVPN with Rainbow", "sur BVPN avec Rainbow"),
    "internet-a": said("over the internet, topology A", "sur internet, topologie A"),
    "internet-b": said("over the internet, topology B (NAT)", "sur internet, topologie B (NAT)"),
}


class Speaker:
    """The words for one site in one language."""

    def __init__(self, site: Site, facts: Facts, language: Language) -> None:
        self.site, self.facts, self.language = site, facts, language

    def say(self, english: str, french: str, **values: object) -> str:
        """A sentence in the speaker's language."""
        return told(said(english, french, **values), self.language)

    def heading(self) -> str:
        """The drawing's title."""
        return self.pair(self.site.customer, told(architecture(self.site), self.language))

    def pair(self, name: str, value: str) -> str:
        """A name, a colon as the language sets it, and what it stands for."""
        return f"{name}: {value}" if self.language == "en" else f"{name} : {value}"

    def heading_cut(self, room: float) -> str:
        """The title on one line of that width."""
        return wrapped(self.heading(), room, 18.0, bold=True, most=1)[0]

    def described(self) -> str:
        """The drawing in words, for those who cannot see it."""
        site, say = self.site, self.say
        told_all = [
            say(
                "The IPBX {model} of {customer} reaches {n} access SBCs of {carrier}.",
                "L'IPBX {model} de {customer} joint {n} SBC d'accès de {carrier}.",
                model=site.product.model,
                customer=site.customer,
                n=len(site.trunk.gateways),
                carrier=self.facts.carrier,
            )
        ]
        if site.over_internet:
            told_all.append(
                say(
                    "Signalling (TLS) and media (SRTP) both pass through the IPBX and the firewall.",
                    "Signalisation (TLS) et média (SRTP) passent tous deux par l'IPBX et le pare-feu.",
                )
            )
        else:
            told_all.append(
                say(
                    "Signalling passes through the IPBX; media goes straight between phone and access SBC.",
                    "La signalisation passe par l'IPBX ; le média va directement du poste au SBC d'accès.",
                )
            )
        for remote in site.remote_sites[:NAMES_MAX]:
            told_all.append(
                say(
                    "Remote site {label}: {how}, {n} channels.",
                    "Site distant {label} : {how}, {n} canaux.",
                    label=remote.label,
                    how=self.secured(remote),
                    n=remote.channels,
                )
            )
        rest = len(site.remote_sites) - NAMES_MAX
        if rest > 0:
            told_all.append(say("And {n} more remote sites.", "Et {n} autres sites distants.", n=rest))
        return " ".join(told_all)

    def ipbx(self) -> Words:
        """The IPBX: product, interfaces, channels."""
        site, eth1 = self.site, self.site.interfaces.eth1
        name = "OXO Connect Evolution" if site.product.model == "OCE" else "OXO Connect PowerCPU"
        eth0 = site.interfaces.eth0
        lines = [f"{site.product.load}", f"eth0 (LAN) {_network(eth0.address, eth0.prefix)}"]
        if eth0.domain_name:
            lines.append(eth0.domain_name)
        if eth1 is not None:
            private = site.architecture == "internet-b"
            where = self.say("private, DMZ", "privée, DMZ") if private else self.say("public", "publique")
            lines.append(f"eth1 ({where}) {_network(eth1.address, eth1.prefix)}")
        lines.append(self.say("{n} trunk channels", "{n} canaux opérateur", n=site.trunk.channels))
        gateway = site.webrtc_gateway
        if gateway is not None and gateway.placement == "embedded":
            lines.append(self.say("WebRTC gateway inside", "passerelle WebRTC intégrée"))
        return Words(self.pair("IPBX", f"{name} {site.product.version}"), tuple(lines))

    def phones(self, label: str = "") -> tuple[str, ...]:
        """The endpoints of a site, by model."""
        models = [f"{one.count} × {one.model}" for one in self.site.endpoints if one.site == label]
        if models:
            return (" · ".join(_some(models, 8)),)
        users = sum(user.site == label for user in self.site.users)
        if not users:
            return ()
        many = self.say("{n} users", "{n} utilisateurs", n=users)
        return (many if users > 1 else self.say("1 user", "1 utilisateur"),)

    def main_phones(self) -> Words:
        """The main site's endpoints and what they speak."""
        listen = self.site.phones.listen
        clear = "/".join(name for name, port in (("UDP", listen.udp), ("TCP", listen.tcp)) if port)
        spoken = [f"SIP {clear} {listen.udp or listen.tcp}"] if clear else []
        if listen.tls:
            spoken.append(f"SIP TLS {listen.tls}{' + SRTP' if self.site.phones.srtp else ''}")
        return Words(self.say("Phones", "Postes"), (*self.phones(), " · ".join(spoken)))

    def edge(self) -> Words:
        """What stands between the main site and the carrier's network: WAN router or firewall."""
        wan, firewall = self.site.wan, self.site.firewall
        lines: list[str] = []
        if self.site.over_internet:
            if firewall is None:
                lines.append(self.say("not described in the site file", "non décrit dans le fichier du site"))
            elif firewall.mode == "nat":
                eth1 = self.site.interfaces.eth1
                inside = eth1.address if eth1 else "eth1"
                lines.append(self.pair("NAT", f"{firewall.public_address or '?'} ⇄ {inside}"))
            else:
                lines.append(self.say("transparent: no NAT", "transparent : sans NAT"))
            if firewall is not None:
                alg = self.say("SIP ALG on", "ALG SIP active") if firewall.sip_alg else ""
                lines.append(alg or self.say("no SIP ALG", "sans ALG SIP"))
        elif wan is not None and wan.address:
            lines.append(wan.address)
        if wan is not None:
            lines.append(self.say("{n}\u00a0kb/s for voice", "{n}\u00a0kb/s pour la voix", n=wan.kbps))
        title = (
            self.say("Firewall", "Pare-feu")
            if self.site.over_internet
            else self.say("WAN router (BVPN)", "Routeur WAN (BVPN)")
        )
        return Words(title, tuple(lines))

    def access(self, tunnels: bool) -> Words:
        """The internet access apart from the trunk's."""
        lines = [self.say("apart from the trunk's", "distinct de celui du trunk")]
        if tunnels and self.site.vpn is not None and self.site.vpn.address:
            lines.append(self.pair("VPN", self.site.vpn.address))
        return Words(self.say("Internet access", "Accès internet"), tuple(lines))

    def tunnel_end(self) -> Words:
        """The main site's end of the tunnels, over the internet."""
        vpn = self.site.vpn
        kinds = dict.fromkeys(told(_SECURED[one.link.vpn], self.language) for one in self.site.remote_sites)
        lines = [", ".join(kinds)] + ([vpn.address] if vpn is not None and vpn.address else [])
        return Words(self.say("VPN gateway", "Passerelle VPN"), tuple(lines))

    def webrtc(self, gateway: WebRtcGateway) -> Words:
        """A WebRTC gateway that is a machine of its own."""
        title = self.say("WebRTC gateway", "Passerelle WebRTC")
        front = gateway.placement == "front-end"
        lines = ["OCE Front End" if front else self.say("stand-alone", "autonome")]
        return Words(title, (*lines, *([gateway.address] if gateway.address else [])))

    def fax(self, machine: FaxMachine) -> Words:
        """A fax machine or server."""
        how = told(fax(machine), self.language)
        return Words(self.pair("Fax", machine.label), (how,))

    def sbc(self, gateway: Gateway) -> Words:
        """An access SBC: its name, and its addresses where the guide names them."""
        port = gateway.domain_proxy.port
        transport = gateway.domain_proxy.transport.upper()
        signalling, media = addresses(self.site, self.facts, gateway)
        lines = [gateway.domain_proxy.target_domain]
        if len({one.general.zone for one in self.site.trunk.gateways}) > 1:
            lines.append(told(_ZONES[gateway.general.zone], self.language))
        lines += [f"{what} {known}" for what, known in (("SIP", signalling), ("RTP", media)) if known]
        if not signalling and not media:
            lines.append(self.say("address: to be asked", "adresse : à demander"))
        lines.append(f"{transport}{f' {port}' if port else ''}")
        return Words(f"SBC {gateway.label}", tuple(lines))

    def sbcs(self, gateways: Sequence[Gateway]) -> Words:
        """All access SBCs of a zone in one box, where there are too many for one each."""
        names = [str(one.domain_proxy.target_domain) for one in gateways]
        return Words(f"SBC, {told(zone(gateways[0]), self.language)}", _some(names, 4))

    def remote(self, remote: RemoteSite) -> Words:
        """A remote site: its endpoints, channels and link."""
        link = remote.link
        lines = [*([remote.network] if remote.network else []), *self.phones(remote.label)]
        lines.append(self.say("{n} channels", "{n} canaux", n=remote.channels))
        lines.append(f"{self.secured(remote)} · {link.kbps}\u00a0kb/s")
        if link.router:
            lines.append(self.say("router {r}", "routeur {r}", r=link.router))
        return Words(remote.label, tuple(lines))

    def many(self, group: Sequence[RemoteSite]) -> Words:
        """Remote sites of one kind of link, together."""
        phones = sum(one.count for one in self.site.endpoints if one.site in {site.label for site in group})
        lines = [
            self.secured(group[0]),
            self.say("{n} channels in all", "{n} canaux en tout", n=sum(one.channels for one in group)),
        ]
        if phones:
            lines.append(self.say("{n} phones", "{n} postes", n=phones))
        shown = [one.label for one in group[:NAMES_MAX]]
        rest = len(group) - len(shown)
        if rest:
            shown.append(self.say("and {n} more: see the table", "et {n} autres : voir le tableau", n=rest))
        return Words(self.say("{n} remote sites", "{n} sites distants", n=len(group)), (*lines, *shown))

    def secured(self, remote: RemoteSite) -> str:
        """How the way to the main site is secured."""
        return told(_SECURED[remote.link.vpn], self.language)

    def names(self) -> Words:
        """The DNS servers."""
        return Words("DNS", _some([str(one) for one in self.site.dns], 3))

    def carrier(self) -> str:
        """The name of the carrier's region."""
        return self.say(
            "{carrier}: access SBCs, to the public network",
            "{carrier} : SBC d'accès, vers le réseau public",
            carrier=self.facts.carrier,
        )

    def signalling(self) -> str:
        """The trunk's signalling in a few words."""
        proxy = self.site.trunk.gateways[0].domain_proxy
        port = f" · port {proxy.port}" if proxy.port else ""
        if self.site.over_internet:
            return self.say("SIP over mutual TLS{p}", "SIP sur TLS mutuel{p}", p=port)
        return f"SIP · {proxy.transport.upper()}{port}"

    def media(self) -> str:
        """The trunk's media in a few words."""
        media = self.site.trunk.gateways[0].media
        codecs = "/".join(_CODECS[codec] for codec in media.codecs)
        return f"{'SRTP' if self.site.over_internet else 'RTP'} · {codecs} · {media.ptime} ms"


_CODECS: Final = {"PCMA": "G.711 A-law", "PCMU": "G.711 µ-law", "G729": "G.729"}


def architecture(site: Site) -> str:
    """The architecture as people call it."""
    return _ARCHITECTURES[site.architecture]


def fax(machine: FaxMachine) -> str:
    """How a fax machine or server is attached, and how its calls cross the trunk."""
    transport = "T.38" if machine.transport == "t38" else "G.711"
    attached = machine.device if machine.device and machine.attached != "analog-port" else ""
    return said("{transport}, {how}", "{transport}, {how}", transport=transport,
                how=attached or _ATTACHED[machine.attached])  # fmt: skip


def zone(gateway: Gateway) -> str:
    """The zone an access SBC serves, as people call it."""
    return _ZONES[gateway.general.zone]


def secured(remote: RemoteSite) -> str:
    """How a remote site's link is secured."""
    return _SECURED[remote.link.vpn]


def _network(address: str, prefix: int | None) -> str:
    return address if prefix is None else f"{address}/{prefix}"


def _some(words: Iterable[str], most: int) -> tuple[str, ...]:
    """The first of many, then how many are left out."""
    held = list(words)
    return (*held[:most], *([f"+ {len(held) - most}"] if len(held) > most else []))
