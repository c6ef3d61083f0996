"""The gateways of the trunk: nominal and backup, names, registration, timers."""

from __future__ import annotations

from collections.abc import Iterator

from trunkline.finding import Level, said
from trunkline.guide.facts import Facts
from trunkline.guide.rule import Rule, Seen
from trunkline.guide.rules.walk import gateways, next_hop, sip_port
from trunkline.site.model import Site
from trunkline.site.scalar import is_address


def _nominal_and_backup(site: Site, facts: Facts) -> Iterator[Seen]:
    has, wanted = len(site.trunk.gateways), facts.number("trunk.sbcs")
    if has < wanted:
        says = said(
            "the carrier has {wanted} access SBCs, the trunk {has} gateway(s): calls stop when that SBC is "
            "lost",
            "l'opérateur a {wanted} SBC d'accès, le trunk {has} passerelle(s) : les appels cessent quand ce "
            "SBC est perdu",
            wanted=wanted,
            has=has,
        )
        yield Seen(("trunk", "gateways"), says)


def _indexes_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    first: dict[int, str] = {}
    for path, gateway in gateways(site):
        number = gateway.general.index
        if number in first:
            says = said(
                "index {number} is taken by gateway {other}",
                "l'index {number} est pris par la passerelle {other}",
                number=number,
                other=first[number],
            )
            yield Seen((*path, "general", "index"), says)
        first.setdefault(number, gateway.label)


def _labels_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    seen: set[str] = set()
    for path, gateway in gateways(site):
        if gateway.label in seen:
            says = said(
                "two gateways are called {label}",
                "deux passerelles s'appellent {label}",
                label=gateway.label,
            )
            yield Seen((*path, "label"), says)
        seen.add(gateway.label)


def _hosts_differ(site: Site, facts: Facts) -> Iterator[Seen]:
    first: dict[tuple[str, int | None, str], str] = {}
    for path, gateway in gateways(site):
        host, key = next_hop(gateway)
        target = (host.lower(), sip_port(gateway), gateway.domain_proxy.transport)
        if target in first:
            says = said(
                "gateway {label} leads to {host}, as gateway {other} does: it is no backup",
                "la passerelle {label} mène à {host}, comme la passerelle {other} : ce n'est pas un secours",
                label=gateway.label,
                host=host,
                other=first[target],
            )
            yield Seen((*path, *key), says)
        first.setdefault(target, gateway.label)


def _name_resolvable(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        host, key = next_hop(gateway)
        if gateway.dns.mode == "none" and not is_address(host):
            says = said(
                "{host} is a name, but with DNS mode none it is never looked up",
                "{host} est un nom, mais en mode DNS none il n'est jamais recherché",
                host=host,
            )
            mend = said(
                "SIP Gateways > DNS: choose A or SRV; or write the SBC's address in Domain Proxy",
                "SIP Gateways > DNS : choisissez A ou SRV ; ou écrivez l'adresse du SBC dans Domain Proxy",
            )
            yield Seen((*path, "dns", "mode"), says, mend)
        elif gateway.dns.mode != "none" and not is_address(host) and not site.dns:
            says = said(
                "{host} is a name, but the file gives no DNS server to look it up",
                "{host} est un nom, mais le fichier ne donne aucun serveur DNS pour le rechercher",
                host=host,
            )
            yield Seen((*path, *key), says)


def _srv_without_port(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        if gateway.dns.mode == "SRV" and gateway.domain_proxy.port is not None:
            says = said(
                "port {port} is written out, so DNS is never asked for SRV records",
                "le port {port} est écrit, donc aucun enregistrement SRV n'est demandé au DNS",
                port=gateway.domain_proxy.port,
            )
            yield Seen((*path, "domain_proxy", "port"), says)


def _session_timer(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        protocol = gateway.protocol
        if protocol.session_expires < protocol.min_se:
            says = said(
                "session_expires {has} s is under min_se {least} s",
                "session_expires {has} s est inférieur à min_se {least} s",
                has=protocol.session_expires,
                least=protocol.min_se,
            )
            yield Seen((*path, "protocol", "session_expires"), says)


def _initial_timeout(site: Site, facts: Facts) -> Iterator[Seen]:
    bound = 64 * site.timers.t1  # timer B, RFC 3261 17.1.1.2
    for path, gateway in gateways(site):
        if gateway.protocol.initial_timeout >= bound:
            says = said(
                "initial_timeout is {has:g} s, but after {bound:g} s (64 x T1) the call has failed already",
                "initial_timeout vaut {has:g} s, mais après {bound:g} s (64 x T1) l'appel a déjà échoué",
                has=gateway.protocol.initial_timeout,
                bound=bound,
            )
            yield Seen((*path, "protocol", "initial_timeout"), says)


def _supervision_period(site: Site, facts: Facts) -> Iterator[Seen]:
    for path, gateway in gateways(site):
        supervision = gateway.protocol.supervision
        shortest = min(supervision.every_up, supervision.every_down)
        if supervision.options and supervision.timeout > shortest:
            says = said(
                "a supervision OPTIONS may wait {timeout:g} s for its answer, but the next goes out after "
                "{shortest:g} s",
                "un OPTIONS de supervision peut attendre sa réponse {timeout:g} s, mais le suivant part "
                "après {shortest:g} s",
                timeout=supervision.timeout,
                shortest=shortest,
            )
            yield Seen((*path, "protocol", "supervision", "timeout"), says)


RULES = (
    Rule(
        id="SITE-20",
        title=said(
            "The trunk has a nominal and a backup gateway",
            "Le trunk a une passerelle nominale et une de secours",
        ),
        why=said(
            "The carrier runs two access SBCs so that calls pass when one is lost. With one gateway the "
            "company is cut off on that day, and during the carrier's maintenance too.",
            "L'opérateur exploite deux SBC d'accès pour que les appels passent quand l'un est perdu. Avec "
            "une seule passerelle, l'entreprise est coupée ce jour-là, et aussi pendant les travaux de "
            "l'opérateur.",
        ),
        level=Level.SHOULD,
        source="guide 5.2.4",
        mend=said(
            "SIP Gateways: add a gateway that leads to the carrier's backup access SBC",
            "SIP Gateways : ajoutez une passerelle qui mène au SBC d'accès de secours de l'opérateur",
        ),
        look=_nominal_and_backup,
        fact="trunk.sbcs",
        needs=("trunk.gateways.*",),
    ),
    Rule(
        id="SITE-21",
        title=said("Each gateway has its own index", "Chaque passerelle a son propre index"),
        why=said(
            "List of Accesses names a gateway by its index. Where two share one, the second gets no call.",
            "List of Accesses désigne une passerelle par son index. Si deux le partagent, la seconde ne "
            "reçoit aucun appel.",
        ),
        level=Level.MUST,
        source="OMC",
        mend=said(
            "SIP Gateways > General: give each gateway an index of its own",
            "SIP Gateways > General : donnez à chaque passerelle un index à elle",
        ),
        look=_indexes_differ,
    ),
    Rule(
        id="SITE-22",
        title=said("Each gateway has its own label", "Chaque passerelle a son propre nom"),
        why=said(
            "Call records and the status show the label. With one name for two gateways nobody can tell "
            "which of them is down.",
            "Les traces d'appel et l'état affichent ce nom. Avec un seul nom pour deux passerelles, "
            "personne ne sait laquelle est en panne.",
        ),
        level=Level.SHOULD,
        source="OMC",
        mend=said(
            "SIP Gateways > General: name them apart",
            "SIP Gateways > General : donnez-leur des noms différents",
        ),
        look=_labels_differ,
    ),
    Rule(
        id="SITE-23",
        title=said(
            "Each gateway leads to an access SBC of its own",
            "Chaque passerelle mène à un SBC d'accès différent",
        ),
        why=said(
            "Two gateways to one access SBC are lost together: there is no backup on the day it is needed.",
            "Deux passerelles vers un même SBC d'accès sont perdues ensemble : il n'y a pas de secours le "
            "jour où il en faut un.",
        ),
        level=Level.MUST,
        source="guide 5.2.4",
        mend=said(
            "SIP Gateways > Domain Proxy: lead the second gateway to the backup access SBC",
            "SIP Gateways > Domain Proxy : menez la seconde passerelle au SBC d'accès de secours",
        ),
        look=_hosts_differ,
        needs=(
            "trunk.gateways.*.domain_proxy.outbound_proxy",
            "trunk.gateways.*.domain_proxy.port",
            "trunk.gateways.*.domain_proxy.transport",
            "trunk.gateways.*.dns.mode",
        ),
    ),
    Rule(
        id="SITE-24",
        title=said("The gateways' names can be looked up", "Les noms des passerelles peuvent être résolus"),
        why=said(
            "The IPBX finds the carrier by asking DNS for its name. Without a server to ask, no gateway "
            "comes up.",
            "L'IPBX trouve l'opérateur en demandant son nom au DNS. Sans serveur à interroger, aucune "
            "passerelle ne monte.",
        ),
        level=Level.MUST,
        source="RFC 3263 §4",
        mend=said(
            "Hardware and Limits > DNS: give the DNS servers under dns",
            "Hardware and Limits > DNS : donnez les serveurs DNS sous dns",
        ),
        look=_name_resolvable,
        needs=("dns.*", "trunk.gateways.*.domain_proxy.outbound_proxy", "trunk.gateways.*.dns.mode"),
    ),
    Rule(
        id="SITE-25",
        title=said(
            "A gateway found by SRV records has no port of its own",
            "Une passerelle trouvée par SRV n'a pas de port à elle",
        ),
        why=said(
            "SRV records say host and port. A port written out switches them off, and with them the "
            "carrier's way to move calls to its other machine.",
            "Les enregistrements SRV donnent la machine et le port. Un port écrit les désactive, et avec "
            "eux le moyen qu'a l'opérateur de basculer les appels sur son autre machine.",
        ),
        level=Level.SHOULD,
        source="RFC 3263 §4.2",
        mend=said("delete the port, or choose DNS mode A", "supprimez le port, ou choisissez le mode DNS A"),
        look=_srv_without_port,
        needs=("trunk.gateways.*.dns.mode",),
    ),
    Rule(
        id="SITE-27",
        title=said(
            "The session timer is at least its own minimum",
            "La durée de session est au moins égale à son minimum",
        ),
        why=said(
            "The timer ends calls whose far end has vanished. One below the minimum is refused by the other "
            "side, and with it the call.",
            "Ce délai met fin aux appels dont le correspondant a disparu. En dessous du minimum, l'autre "
            "côté le refuse, et l'appel avec lui.",
        ),
        level=Level.MUST,
        source="RFC 4028 §5",
        mend=said(
            "SIP Gateways > Protocol: set session_expires to at least min_se",
            "SIP Gateways > Protocol : réglez session_expires à min_se au moins",
        ),
        look=_session_timer,
        needs=("trunk.gateways.*.protocol.min_se",),
    ),
    Rule(
        id="SITE-28",
        title=said(
            "The other gateway is tried before the call has failed",
            "L'autre passerelle est essayée avant l'échec de l'appel",
        ),
        why=said(
            "When the nominal SBC is silent, the IPBX waits this long before it tries the backup. Too long, "
            "and the call has failed first: callers see no backup at all.",
            "Quand le SBC nominal se tait, l'IPBX attend ce délai avant d'essayer le secours. S'il est trop "
            "long, l'appel échoue d'abord : le secours ne sert à rien.",
        ),
        level=Level.SHOULD,
        source="RFC 3261 §17.1.1.2",
        mend=said(
            "SIP Gateways > Protocol: set initial_timeout well under 64 x T1; 4 s is usual",
            "SIP Gateways > Protocol : réglez initial_timeout bien en dessous de 64 x T1 ; 4 s est courant",
        ),
        look=_initial_timeout,
        needs=("timers.t1",),
    ),
    Rule(
        id="SITE-29",
        title=said(
            "A supervision OPTIONS is over before the next one",
            "Un OPTIONS de supervision est terminé avant le suivant",
        ),
        why=said(
            "The IPBX asks each access SBC with OPTIONS whether it is there. If a question outlasts the "
            "next, a lost SBC is noticed late, and calls run into it meanwhile.",
            "L'IPBX demande à chaque SBC d'accès par OPTIONS s'il est là. Si une question dure plus que "
            "l'intervalle, la perte d'un SBC se voit tard, et des appels s'y perdent entre-temps.",
        ),
        level=Level.SHOULD,
        source="RFC 3261 §11",
        mend=said(
            "SIP Gateways > Protocol: set timeout under every_up and every_down",
            "SIP Gateways > Protocol : réglez timeout en dessous de every_up et every_down",
        ),
        look=_supervision_period,
        needs=(
            "trunk.gateways.*.protocol.supervision.every_up",
            "trunk.gateways.*.protocol.supervision.every_down",
        ),
    ),
)
