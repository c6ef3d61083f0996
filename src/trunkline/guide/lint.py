"""The guide itself, judged: where it contradicts itself, or a standard, or what became of its time.

Every check reads facts and compares them, so that a mended facts file makes its finding
go. What a guide does not say is judged by nobody. Each finding names both places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Final, NamedTuple

from trunkline.finding import Finding, Level, Wording, said
from trunkline.guide import foresight_dates as dates
from trunkline.guide.facts import Facts, Unknown, shipped

_HEADERS: Final = 40  # octets of IPv4, UDP and RTP: 20, 8, 12
_SRTP_TAG: Final = 10  # octets, of an 80-bit tag (RFC 3711 §4.2)
_SAMPLES: Final = 8  # octets a millisecond of G.711


class Clash(NamedTuple):
    """Two things that do not go together: the facts that say so, in words, whom to ask what, the standard."""

    keys: tuple[str, ...]
    says: Wording
    mend: Wording
    standard: str = ""


class Lint(NamedTuple):
    """One check of a guide; `look` yields nothing where guide and standards agree."""

    id: str
    level: Level
    look: Callable[[Facts, Facts], Iterator[Clash]]


def lint(facts: Facts, around: Facts) -> tuple[Finding, ...]:
    """All that is found in a guide; `around` is `knowledge/pki.toml`."""
    found = []
    for one in LINTS:
        try:
            clashes = tuple(one.look(facts, around))
        except Unknown:  # this guide leaves open what the check compares
            continue
        for clash in clashes:
            sections = dict.fromkeys(facts[key].section for key in clash.keys)
            places = "guide " + ", ".join(sections)
            source = f"{places}; {clash.standard}" if clash.standard else places
            found.append(Finding(one.id, one.level, ", ".join(clash.keys), clash.says, clash.mend, source))
    return tuple(found)


_ASK: Final = said("ask the carrier, and keep the answer", "demandez à l'opérateur, et gardez la réponse")


def _ike(facts: Facts, around: Facts) -> Iterator[Clash]:
    key = "cloud_connect.ports"
    wrong = [port for port in facts.words(key) if port in ("tcp/500", "tcp/4500")]
    if wrong:
        says = said(
            "section {section} opens {wrong} for a tunnel of IKE, which speaks UDP alone",
            "la section {section} ouvre {wrong} pour un tunnel IKE, qui ne parle qu'UDP",
            section=facts[key].section,
            wrong=", ".join(wrong),
        )
        mend = said(
            "open udp/500 and udp/4500, and ask ALE whether tcp/500 serves anything",
            "ouvrez udp/500 et udp/4500, et demandez à ALE si tcp/500 sert à quelque chose",
        )
        yield Clash((key,), says, mend, "RFC 7296 §2")


def _remote_media(facts: Facts, around: Facts) -> Iterator[Clash]:
    path, row = "remote.media_site", "sizing.offnet_rs"
    if facts.text(path) == "main" and facts.counts(row).get("wan_hq") == 0:
        says = said(
            "the text leads a remote site's media through the main site ({one}); the sizing table charges"
            " the main site's router nothing for such a call ({other})",
            "le texte fait passer les médias d'un site distant par le site principal ({one}) ; le tableau"
            " de dimensionnement ne compte rien au routeur du site principal pour un tel appel ({other})",
            one=facts[path].section,
            other=facts[row].section,
        )
        mend = said(
            "write remote_sites[].media_path as the network really leads, and size the main router for it",
            "inscrivez dans remote_sites[].media_path le chemin réel, et dimensionnez le routeur principal"
            " en conséquence",
        )
        yield Clash((path, row), says, mend)


def _transfer(facts: Facts, around: Facts) -> Iterator[Clash]:
    site, row = "bvpn.signalling_site", "sizing.offnet_rs_transferred"
    counts = facts.counts(row)
    if facts.text(site) == "main" and counts.get("ipbx") == 0 and counts.get("carrier_rs", 0) > 0:
        says = said(
            "after a transfer back to the carrier the table counts 0 on the IPBX ({other}), although all"
            " signalling goes through it ({one}) and it joins the two calls itself, as a B2BUA: they take"
            " two of its channels",
            "après un transfert vers l'opérateur, le tableau compte 0 sur l'IPBX ({other}), alors que"
            " toute la signalisation y passe ({one}) et qu'il joint lui-même les deux appels, en B2BUA :"
            " ils occupent deux de ses canaux",
            one=facts[site].section,
            other=facts[row].section,
        )
        mend = said(
            "ask the carrier whether it takes REFER; until then plan two channels for such a call",
            "demandez à l'opérateur s'il accepte REFER ; d'ici là, comptez deux canaux pour un tel appel",
        )
        yield Clash((site, row), says, mend, "RFC 7092 §3, RFC 3515")


def _root(facts: Facts, around: Facts) -> Iterator[Clash]:
    key = "certificates.carrier_root"
    row = dates.distrust_of(around, (facts.text(key),))
    if row is not None:
        says = said(
            "the guide trusts the carrier by {root} ({section}), which {who} distrust from {since} on",
            "le guide fait confiance à l'opérateur par {root} ({section}), que {who} ne reconnaissent plus"
            " à partir du {since}",
            root=row.root,
            section=facts[key].section,
            who=row.programmes,
            since=row.since.isoformat(),
        )
        mend = said(
            "ask the carrier which chain its access SBCs present today; hold both in the trust store",
            "demandez à l'opérateur quelle chaîne présentent ses SBC d'accès aujourd'hui ; gardez les deux"
            " dans le magasin de confiance",
        )
        yield Clash((key,), says, mend, row.source)


def _footnotes(facts: Facts, around: Facts) -> Iterator[Clash]:
    mark, ports = "text.footnotes", "internet.media_ports"
    if mark in facts.by_key and not facts.known(mark):
        says = said(
            "asterisks stand on source ports and media ports of the firewall table ({section}), and no"
            " footnote says what they mean",
            "des astérisques figurent sur les ports source et média du tableau de pare-feu ({section}), et"
            " aucune note n'en donne le sens",
            section=facts[mark].section,
        )
        mend = said(
            "ask the carrier whether the ranges can be narrowed; open the whole range until it answers",
            "demandez à l'opérateur si les plages peuvent être réduites ; ouvrez toute la plage d'ici là",
        )
        yield Clash((mark, *((ports,) if facts.known(ports) else ())), says, mend)


def _name_interface(facts: Facts, around: Facts) -> Iterator[Clash]:
    name, trunk = "internet.name_interface", "internet.trunk_interface"
    if facts.text(name) != facts.text(trunk):
        says = said(
            "the certificate's name is taken from {name} ({one}), the trunk is on {trunk} ({other}): a"
            " name written where one would look for it is not in the certificate",
            "le nom du certificat vient de {name} ({one}), le trunk est sur {trunk} ({other}) : un nom"
            " inscrit là où on le chercherait n'est pas dans le certificat",
            name=facts.text(name),
            trunk=facts.text(trunk),
            one=facts[name].section,
            other=facts[trunk].section,
        )
        mend = said(
            "write the public FQDN at {name}, the public address at {trunk}, and check the CSR before it"
            " is sent",
            "inscrivez le FQDN public sur {name}, l'adresse publique sur {trunk}, et vérifiez la CSR avant"
            " de l'envoyer",
            name=facts.text(name),
            trunk=facts.text(trunk),
        )
        yield Clash((name, trunk), says, mend)


def _records(facts: Facts, around: Facts) -> Iterator[Clash]:
    offered, chosen = "internet.dns_records", "internet.gateway_dns"
    unused = [kind for kind in facts.words(offered) if kind != facts.text(chosen)]
    if unused:
        says = said(
            "the access SBCs are in the DNS as {offered} ({one}); the IPBX is set to ask for {chosen}"
            " alone ({other}), so what {unused} says of order and port is never read",
            "les SBC d'accès sont dans le DNS en {offered} ({one}) ; l'IPBX est réglé pour ne demander que"
            " {chosen} ({other}) : ce que {unused} dit de l'ordre et du port n'est jamais lu",
            offered=", ".join(facts.words(offered)),
            chosen=facts.text(chosen),
            unused=", ".join(unused),
            one=facts[offered].section,
            other=facts[chosen].section,
        )
        mend = said(
            "keep one gateway for each access SBC: their order is the failover",
            "gardez une passerelle par SBC d'accès : leur ordre fait le secours",
        )
        yield Clash((offered, chosen), says, mend, "RFC 3263 §4")


def _tls(facts: Facts, around: Facts) -> Iterator[Clash]:
    offered, spoken = "tls.suites_1_3", "tls.versions_oce"
    if facts.numbers(offered) and "1.3" not in facts.words(spoken):
        says = said(
            "the carrier's suites of TLS 1.3 ({one}) are of no use: the IPBX speaks {versions} ({other})",
            "les suites TLS 1.3 de l'opérateur ({one}) ne servent à rien : l'IPBX parle {versions} ({other})",
            versions=", ".join(f"TLS {version}" for version in facts.words(spoken)),
            one=facts[offered].section,
            other=facts[spoken].section,
        )
        mend = said(
            "ask ALE for the load that brings TLS 1.3; the carrier may end TLS 1.2 one day",
            "demandez à ALE la version qui apporte TLS 1.3 ; l'opérateur peut arrêter TLS 1.2 un jour",
        )
        yield Clash((offered, spoken), says, mend, "RFC 9325 §3.1.1")


def _bold(facts: Facts, around: Facts) -> Iterator[Clash]:
    lost, offered = "tls.suites_oce", "tls.suites_1_2"
    if lost in facts.by_key and not facts.known(lost) and facts.known(offered):
        says = said(
            "which of the {count} suites of TLS 1.2 the IPBX speaks stood in bold type ({section}), and"
            " that is lost",
            "celles des {count} suites TLS 1.2 que parle l'IPBX étaient en gras ({section}), et le gras"
            " est perdu",
            count=len(facts.numbers(offered)),
            section=facts[lost].section,
        )
        yield Clash((lost, offered), says, _ASK)


def _rows(facts: Facts, around: Facts) -> Iterator[Clash]:
    lost = [fact.key for fact in facts.under("endpoints") if not fact.known]
    doubtful = "text.doubtful_rows"
    rows = [key.rpartition(".")[2] for key in lost]
    keys = tuple(lost)
    if facts.known(doubtful):
        rows += facts.words(doubtful)
        keys = (*keys, doubtful)
    if keys:
        says = said(
            "the table of endpoints ({section}) has lost values or the order of its rows: {rows}",
            "le tableau des postes ({section}) a perdu des valeurs ou l'ordre de ses lignes : {rows}",
            section=facts[keys[0]].section,
            rows=", ".join(rows),
        )
        yield Clash(keys, says, _ASK)


def _addresses(facts: Facts, around: Facts) -> Iterator[Clash]:
    name, address = "internet.reached_by", "internet.sbc.nominal.signalling"
    if facts.text(name) == "FQDN" and facts.known(address):
        says = said(
            "the service is reached by FQDN only ({one}), but the firewall is to be opened for addresses"
            " ({other}): the day the carrier moves a name, its DNS says so and the firewall does not",
            "le service ne se joint que par FQDN ({one}), mais le pare-feu s'ouvre pour des adresses"
            " ({other}) : le jour où l'opérateur déplace un nom, son DNS le dit et le pare-feu non",
            one=facts[name].section,
            other=facts[address].section,
        )
        mend = said(
            "let the firewall follow the names where it can; else have the carrier announce every move",
            "laissez le pare-feu suivre les noms s'il le peut ; sinon faites annoncer chaque déplacement"
            " par l'opérateur",
        )
        yield Clash((name, address), says, mend)


def _unit(facts: Facts, around: Facts) -> Iterator[Clash]:
    unit, public = "certificates.subject_ou", "certificates.authorities"
    if facts.text(unit) and facts.words(public) and around.known("subject.ou_ends"):
        says = said(
            "the CSR asks for OU={unit} ({one}), and a public CA is to sign it ({other}): none issues an"
            " OU since {since}",
            "la CSR demande OU={unit} ({one}) et une AC publique doit la signer ({other}) : aucune ne"
            " délivre d'OU depuis le {since}",
            unit=facts.text(unit),
            one=facts[unit].section,
            other=facts[public].section,
            since=around.text("subject.ou_ends"),
        )
        mend = said(
            "accept a certificate whose subject is the FQDN alone",
            "acceptez un certificat dont le sujet est le seul FQDN",
        )
        yield Clash((unit, public), says, mend, around["subject.ou_ends"].section)


def _client_auth(facts: Facts, around: Facts) -> Iterator[Clash]:
    mutual, public = "tls.mutual", "certificates.authorities"
    rows = dates.client_auth(around)
    if facts.flag(mutual) and facts.words(public) and rows:
        says = said(
            "both sides are to authenticate themselves ({one}) with certificates of public CAs ({other}),"
            " which issue none for clients from {ends} on",
            "les deux côtés doivent s'authentifier ({one}) avec des certificats d'AC publiques ({other}),"
            " qui n'en délivrent plus pour clients à partir du {ends}",
            one=facts[mutual].section,
            other=facts[public].section,
            ends=rows[-1].ends.isoformat(),
        )
        mend = said(
            "have the carrier confirm that its access SBCs take serverAuth alone; leave peer_client_eku at"
            " accept-server-auth",
            "faites confirmer par l'opérateur que ses SBC d'accès acceptent serverAuth seul ; laissez"
            " peer_client_eku sur accept-server-auth",
        )
        yield Clash((mutual, public), says, mend, rows[-1].source)


def _dtls(facts: Facts, around: Facts) -> Iterator[Clash]:
    switch, transport = "internet.dtls_encryption", "internet.transport"
    if facts.flag(switch) and facts.text(transport) == "tls":
        says = said(
            "the switch for SIP over TLS ({other}) is called DTLS Encryption ({one}); DTLS is the"
            " encryption of datagrams, and no part of this trunk",
            "l'interrupteur du SIP sur TLS ({other}) s'appelle DTLS Encryption ({one}) ; DTLS chiffre des"
            " datagrammes et n'a aucune part à ce trunk",
            one=facts[switch].section,
            other=facts[transport].section,
        )
        mend = said(
            "switch it on all the same: without it there is no SIP TLS",
            "activez-le quand même : sans lui, pas de SIP TLS",
        )
        yield Clash((switch, transport), says, mend, "RFC 9147 §1")


def _switching(facts: Facts, around: Facts) -> Iterator[Clash]:
    switch, transport = "internet.udp_to_tcp", "internet.transport"
    if facts.flag(switch) and facts.text(transport) == "tls":
        says = said(
            "UDP to TCP switching is to be on ({one}) for a trunk that speaks TLS alone ({other})",
            "UDP to TCP switching doit être activé ({one}) pour un trunk qui ne parle que TLS ({other})",
            one=facts[switch].section,
            other=facts[transport].section,
        )
        mend = said(
            "switch it on as the guide says; it changes nothing that can be seen on the wire",
            "activez-le comme le dit le guide ; rien ne change de visible sur le réseau",
        )
        yield Clash((switch, transport), says, mend, "RFC 3261 §18.1.1")


def _versions(facts: Facts, around: Facts) -> Iterator[Clash]:
    shared = "bulletins.versions"
    loads = [fact for fact in facts.under("products.loads") if fact.known and _version(_last(fact.key))]
    certified = sorted((_last(fact.key) for fact in loads), key=_version)
    first = facts.words(shared)[0]
    if certified and _version(first) < _version(certified[0]):
        says = said(
            "guideline and profile are for {first} and later ({one}), certified are {certified} alone"
            " ({other})",
            "guide de configuration et profil valent dès {first} ({one}), seules {certified} sont"
            " certifiées ({other})",
            first=first,
            certified=", ".join(certified),
            one=facts[shared].section,
            other=loads[0].section,
        )
        mend = said(
            "upgrade to a certified load before the profile is imported",
            "passez à une version certifiée avant d'importer le profil",
        )
        yield Clash((shared, loads[0].key), says, mend)


def _last(key: str) -> str:
    return key.removeprefix("products.loads.")


def _version(text: str) -> tuple[int, ...]:
    """A version as numbers; () for what is none."""
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() and part.isascii() for part in parts) else ()


def _bandwidth(facts: Facts, around: Facts) -> Iterator[Clash]:
    rate, suite, ptime = "sizing.channel_kbps", "srtp.suite", "internet.ptime"
    every = facts.number(ptime)
    if every <= 0 or not facts.text(suite).endswith("_80"):
        return
    needed = (_SAMPLES * every + _HEADERS + _SRTP_TAG) * 8 / every
    if facts.number(rate) < needed:
        says = said(
            "a channel is sized at {rate} kb/s ({one}); with SRTP's tag ({other}) it takes {needed:g}",
            "un canal est compté à {rate} kb/s ({one}) ; avec l'étiquette SRTP ({other}) il en prend"
            " {needed:g}",
            rate=facts.number(rate),
            needed=needed,
            one=facts[rate].section,
            other=facts[suite].section,
        )
        mend = said(
            "size internet accesses by the larger figure, and the link layer on top",
            "dimensionnez les accès internet avec le chiffre supérieur, plus la couche liaison",
        )
        yield Clash((rate, suite, ptime), says, mend, "RFC 3711 §4.2")


def _unread(facts: Facts, around: Facts) -> Iterator[Clash]:
    """A key of a carrier's own file that no shipped guide has is one that nobody reads."""
    known = {key for guide in shipped().values() for key in guide.by_key}
    for key, fact in facts.by_key.items():
        if key in known or key.startswith(_OPEN_GROUPS):
            continue
        meant = get_close_matches(key, known, 1, cutoff=0.8)
        hint: Wording | str = ""
        if meant:
            hint = said("; did you mean {meant}?", " ; vouliez-vous dire {meant} ?", meant=meant[0])
        says = said(
            "nobody reads the fact {key} ({section}){hint}",
            "personne ne lit le fait {key} ({section}){hint}",
            key=key,
            section=fact.section,
            hint=hint,
        )
        mend = said(
            "write it by the key that the shipped guide has, or leave it out",
            "inscrivez-le sous la clé du guide livré, ou retirez-le",
        )
        yield Clash((key,), says, mend)


# Groups whose keys are the guide's own words: versions, models, architectures.
_OPEN_GROUPS: Final = ("products.loads.", "endpoints.", "architectures.", "bulletins.")

LINTS: Final = (
    Lint("LINT-1", Level.SHOULD, _ike),
    Lint("LINT-2", Level.SHOULD, _remote_media),
    Lint("LINT-3", Level.SHOULD, _transfer),
    Lint("LINT-4", Level.SHOULD, _root),
    Lint("LINT-5", Level.SHOULD, _footnotes),
    Lint("LINT-6", Level.NOTE, _name_interface),
    Lint("LINT-7", Level.NOTE, _records),
    Lint("LINT-8", Level.NOTE, _tls),
    Lint("LINT-9", Level.SHOULD, _bold),
    Lint("LINT-10", Level.SHOULD, _rows),
    Lint("LINT-11", Level.SHOULD, _addresses),
    Lint("LINT-12", Level.NOTE, _unit),
    Lint("LINT-13", Level.SHOULD, _client_auth),
    Lint("LINT-14", Level.NOTE, _dtls),
    Lint("LINT-15", Level.NOTE, _switching),
    Lint("LINT-16", Level.NOTE, _versions),
    Lint("LINT-17", Level.NOTE, _bandwidth),
    Lint("LINT-18", Level.SHOULD, _unread),
)
