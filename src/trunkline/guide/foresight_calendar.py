"""The dates that a site's certificates are bound to, as a calendar (RFC 5545).

Pure and the same byte for byte: the day it is written on comes in. An event keeps its
UID when its date moves, so that a calendar that imports a newer file moves it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import NamedTuple

from trunkline.finding import Language, Wording, said, told
from trunkline.guide import foresight_dates as dates
from trunkline.guide import foresight_rules as rules
from trunkline.guide.facts import Facts
from trunkline.guide.foresight import Paper
from trunkline.site.model import Site

LINE_MAX = 75  # octets of a content line without its CRLF (§3.1)


class Due(NamedTuple):
    """One day by which something has to be done; `key` tells it from the site's others, whatever its date.

    `who` has to see to it; `path` is the site key that it is about, `rule` the rule that explains it.
    """

    key: str
    on: date
    title: Wording | str
    text: Wording | str
    who: Wording | str = ""
    path: str = ""
    rule: str = ""


_TEAM = said("certificate team", "équipe certificats")
_TEAM_AND_CARRIER = said("certificate team, with the carrier", "équipe certificats, avec l'opérateur")
_SERVER = "certificates.public_server.certificate"


def dues(site: Site, papers: Sequence[Paper], facts: Facts, around: Facts, at: date) -> tuple[Due, ...]:
    """Every date from that day on, the next one first; 31 December 9999 is never (RFC 5280)."""
    found: list[Due] = []
    if any(paper.data is not None for paper in papers):
        from trunkline.guide.foresight_view import expiries

        for key, name, last, own in expiries(papers):
            title = said("{name} expires", "{name} expire", name=name)
            at_key, rule = (_SERVER, rules.EXPIRY_NOTE) if own else ("certificates.trust", rules.EXPIRY_TRUST)
            found.append(Due(f"expiry:{key}", last, title, _expiry_text(facts, own), _TEAM, at_key, rule.id))
    found += _around(site, facts, around)
    return tuple(sorted((due for due in found if at <= due.on < date.max), key=lambda due: (due.on, due.key)))


def _expiry_text(facts: Facts, own: bool) -> Wording:
    key = "certificates.reboot_identity" if own else "certificates.reboot_trust"
    reboot: Wording | str = ""
    if facts.known(key) and facts.flag(key):
        reboot = said(
            " The IPBX reboots, and all calls are cut: agree on an hour.",
            " L'IPBX redémarre et tous les appels sont coupés : convenez d'une heure.",
        )
    if own:
        return said(
            "After this day no access SBC takes the IPBX. Before it: new CSR, signature by the CA,"
            " install.{reboot}",
            "Après ce jour, aucun SBC d'accès n'accepte l'IPBX. Avant : nouvelle CSR, signature par l'AC,"
            " installation.{reboot}",
            reboot=reboot,
        )
    return said(
        "After this day it vouches for nobody. Before it: get its successor and import it into the trust"
        " store.{reboot}",
        "Après ce jour, il ne garantit plus personne. Avant : obtenez son successeur et importez-le dans"
        " le magasin de confiance.{reboot}",
        reboot=reboot,
    )


def _around(site: Site, facts: Facts, around: Facts) -> Iterator[Due]:
    """What others have announced for all public certificates; nothing for a site without any."""
    if site.certificates is None:
        return
    for step in dates.lifetimes(around):
        yield Due(
            f"lifetime:{step.days}",
            step.since,
            said(
                "Public certificates live {days} days at most",
                "Les certificats publics vivent {days} jours au plus",
                days=step.days,
            ),
            said(
                "Whatever is issued from this day on: {renewals} renewals a year, each with a reboot of"
                " the IPBX. ({source})",
                "Tout ce qui est délivré à partir de ce jour : {renewals} renouvellements par an, chacun"
                " avec un redémarrage de l'IPBX. ({source})",
                renewals=step.renewals,
                source=step.source,
            ),
            _TEAM,
            _SERVER,
            rules.LIFETIME.id,
        )
    if not site.over_internet:
        return
    carrier = facts.text("certificates.carrier_root", "")
    signers = f"{site.certificates.authority}\n{carrier}".lower() if site.certificates.authority else ""
    rows = dates.client_auth(around)
    for row in rows:
        if signers and row.who.lower() not in signers and row is not rows[-1]:
            continue  # a CA that signs neither side; the last one binds all
        yield Due(
            f"client-auth:{row.who}",
            row.ends,
            said("{who}: no clientAuth any more", "{who} : plus de clientAuth", who=row.who),
            said(
                "A public certificate issued from this day on is for servers only. Before it: have the"
                " carrier confirm that its access SBCs take such a one from the IPBX. Such dates move:"
                " look again. ({source})",
                "Un certificat public délivré à partir de ce jour n'est que pour serveurs. Avant : faites"
                " confirmer par l'opérateur que ses SBC d'accès en acceptent un de l'IPBX. Ces dates"
                " bougent : revérifiez. ({source})",
                source=row.source,
            ),
            _TEAM_AND_CARRIER,
            _SERVER,
            rules.CLIENT_NEXT.id,
        )
    for root in dates.distrusts(around):
        yield Due(
            f"distrust:{root.root}",
            root.since,
            said(
                "{root} no longer trusted by {who}",
                "{root} n'est plus reconnue par {who}",
                root=root.root,
                who=root.programmes,
            ),
            said(
                "If the IPBX's certificate or the carrier's comes from it: have it issued from another"
                " root, ask the carrier which chain its access SBCs present, import it. ({source})",
                "Si le certificat de l'IPBX ou celui de l'opérateur en vient : faites-le délivrer sous une"
                " autre racine, demandez à l'opérateur quelle chaîne présentent ses SBC d'accès,"
                " importez-la. ({source})",
                source=root.source,
            ),
            _TEAM_AND_CARRIER,
            "certificates.trust",
            rules.ROOT_NEXT.id,
        )


# --- RFC 5545 -----------------------------------------------------------------------------


def calendar(site: Site, found: Iterable[Due], alarms: Sequence[int], at: date, language: Language) -> bytes:
    """The dates as a calendar; `alarms` are days before, `at` the day it is written on."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Trunkline//certificates//EN", "CALSCALE:GREGORIAN"]
    for due in found:
        title = told(due.title, language)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_uid(site.customer, due.key)}",
            f"DTSTAMP:{_basic(at)}T000000Z",
            f"DTSTART;VALUE=DATE:{_basic(due.on)}",
            f"DTEND;VALUE=DATE:{_basic(due.on + timedelta(days=1))}",
            f"SUMMARY:{_text(f'{site.customer}: {title}')}",
            f"DESCRIPTION:{_text(told(due.text, language))}",
            "TRANSP:TRANSPARENT",
        ]
        for days in alarms:
            alarm = (
                "BEGIN:VALARM",
                "ACTION:DISPLAY",
                f"TRIGGER:-P{days}D",
                f"DESCRIPTION:{_text(title)}",
                "END:VALARM",
            )
            lines += alarm
        lines.append("END:VEVENT")
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _basic(day: date) -> str:
    """A DATE value (§3.3.4): four digits for any year."""
    return day.isoformat().replace("-", "")


def _uid(customer: str, key: str) -> str:
    """The same for the same date of the same customer (§3.8.4.7)."""
    drawn = sha256(f"{customer}\n{key}".encode())
    return f"{drawn.hexdigest()[:32]}@trunkline.invalid"


def _text(value: str) -> str:
    """A TEXT value (§3.3.11); control characters have no place in it."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return "".join(letter for letter in escaped if letter >= " " and letter != "\x7f")


def _folded(line: str) -> bytes:
    """A content line in pieces of 75 octets, no letter torn apart (§3.1)."""
    pieces, piece = [], b""
    for letter in line:
        octets = letter.encode("utf-8", "replace")
        if len(piece) + len(octets) > LINE_MAX:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join((*pieces, piece)) + b"\r\n"
