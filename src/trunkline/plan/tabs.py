"""The nine tabs of a SIP gateway as steps of the checklist, in OMC's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from trunkline.finding import Wording, said
from trunkline.guide.facts import Facts
from trunkline.plan.document import Source, Step
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site

_GATEWAYS: Final = "OMC > External Lines > SIP > SIP Gateways"


class Tab(NamedTuple):
    """What one tab of a gateway is to hold."""

    key: str
    does: Wording
    value: str
    verify: Wording
    requirement: str = ""


def steps(site: Site, facts: Facts, place: int) -> Iterator[Step]:
    """A step for each tab of the gateway at `place` in the site file."""
    gateway = site.trunk.gateways[place]
    number, at = gateway.general.index, f"trunk.gateways.{place}"
    for tab in of(site, gateway):
        fact = {"dns": "omc.gateway_dns", "security": "omc.gateway_security"}.get(tab.key, f"omc.{tab.key}")
        where = facts.text(fact, f"{_GATEWAYS} > {_TITLES[tab.key]}")
        source = Source(f"{at}.{tab.key}", tab.requirement)
        yield Step(f"gateway.{number}.{tab.key}", where, tab.does, tab.value, tab.verify, source=source)


_TITLES: Final = {
    "general": "General",
    "dns": "DNS",
    "domain_proxy": "Domain Proxy",
    "registration": "Registration",
    "media": "Media",
    "identity": "Identity",
    "protocol": "Protocol",
    "topology": "Topology",
    "security": "Security",
}


def of(site: Site, gateway: Gateway) -> tuple[Tab, ...]:
    """The nine tabs of a gateway, in OMC's order."""
    general, proxy, media = gateway.general, gateway.domain_proxy, gateway.media
    registration, supervision, security = gateway.registration, gateway.protocol.supervision, gateway.security
    servers = f": {', '.join(site.dns)}" if site.dns and gateway.dns.mode != "none" else ""
    port = f" {proxy.port}" if proxy.port else ""
    names = (proxy.target_domain, proxy.realm or "-", proxy.outbound_proxy or "-")
    calls = (f"{media.bandwidth}", f"RTP Direct {_switch(media.rtp_direct)}", ", ".join(media.codecs))
    sealed = [_switch(on) for on in (security.sip_tls, security.mutual_authentication, security.srtp)]
    overseas = general.zone != "metropole"
    return (
        Tab(
            "general",
            said("Index, label and number format", "Index, libellé et format des numéros"),
            f"{general.index} / {gateway.label} / {general.numbers_format}",
            said("the list of gateways shows the label", "la liste des passerelles affiche le libellé"),
            "DROM-1" if overseas else "",
        ),
        Tab(
            "dns",
            said("DNS mode and servers", "Mode DNS et serveurs"),
            f"DNS {gateway.dns.mode}{servers}",
            said(
                "before Domain Proxy: IP type then turns dynamic",
                "avant Domain Proxy : IP type passe alors à dynamic",
            ),
            "SEC-3" if site.over_internet else "",
        ),
        Tab(
            "domain_proxy",
            said(
                "Target Domain Name, Realm, Outbound Proxy; transport and port",
                "Target Domain Name, Realm, Outbound Proxy ; transport et port",
            ),
            " / ".join((*names, f"{proxy.transport.upper()}{port}")),
            said(
                "letter by letter as the carrier writes them; each server of the DNS tab resolves the proxy",
                "lettre à lettre comme l'opérateur les écrit ; chaque serveur DNS résout le proxy",
            ),
            "SEC-5" if site.over_internet else "BVPN-1",
        ),
        Tab(
            "registration",
            said("Whether the gateway registers", "Enregistrement de la passerelle"),
            f"on, {registration.user}" if registration.requested else "off",
            said("the gateway shows as registered", "la passerelle apparaît enregistrée")
            if registration.requested
            else said("it comes into service without", "elle passe en service sans cela"),
        ),
        Tab(
            "media",
            said(
                "Bandwidth (calls at once), RTP Direct, codec, packet time",
                "Bande passante (appels simultanés), RTP Direct, codec, durée de paquet",
            ),
            " / ".join((*calls, f"{media.ptime} ms")),
            said(
                "a capture of a call has a media packet each {ptime} ms",
                "la capture d'un appel a un paquet média toutes les {ptime} ms",
                ptime=media.ptime,
            ),
            "CODEC-1, CAC-1" if site.over_internet else "CAC-1",
        ),
        Tab(
            "identity",
            said("RFC 3325", "RFC 3325"),
            _switch(gateway.identity.rfc3325),
            said(
                "a mobile shows the caller's DDI, and hides it on request",
                "un mobile affiche la SDA de l'appelant, et la masque à la demande",
            ),
        ),
        Tab(
            "protocol",
            said("Supervision by SIP Option", "Supervision par SIP Option"),
            f"{_switch(supervision.options)}, {supervision.every_up:g} s",
            said(
                "the gateway is in service once OPTIONS is answered",
                "la passerelle est en service dès qu'OPTIONS reçoit une réponse",
            ),
        ),
        _topology(site, gateway),
        Tab(
            "security",
            said(
                "SIP TLS, Mutual Authentication, SRTP, selected suites",
                "SIP TLS, Mutual Authentication, SRTP, suites retenues",
            ),
            " / ".join((*sealed, ", ".join(security.suites))) if security.sip_tls else _switch(False),
            said(
                "a capture of a call holds neither SIP nor voice in the clear",
                "la capture d'un appel ne contient ni SIP ni voix en clair",
            )
            if security.sip_tls
            else said("SIP can be read in a capture", "SIP se lit dans une capture"),
            "SEC-4" if site.over_internet else "BVPN-1",
        ),
    )


def _topology(site: Site, gateway: Gateway) -> Tab:
    topology = gateway.topology
    value = f"{topology.interface} / Static NAT {_switch(topology.static_nat)}"
    if topology.static_nat:
        value += f" / {topology.public_address}:{topology.port}"
    requirement = ("INET-3, CFG-4" if topology.static_nat else "INET-2") if site.over_internet else "BVPN-1"
    heard = said("a call is heard both ways", "un appel s'entend dans les deux sens")
    does = said("Interface and Static NAT", "Interface et Static NAT")
    return Tab("topology", does, value, heard, requirement)


def _switch(on: bool) -> str:
    return "on" if on else "off"
