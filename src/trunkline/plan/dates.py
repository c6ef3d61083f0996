"""The dates that the site's certificates are bound to: what is so on the plan's day, what comes, who acts.

The judgement is `guide.foresight`'s, as `trunkline check` tells it, and the dates are those of
`trunkline calendar`, whose file stands beside the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from trunkline.finding import Wording, said
from trunkline.guide.facts import Facts
from trunkline.guide.foresight import Paper, Verdict, foresee
from trunkline.guide.foresight_calendar import Due, calendar, dues
from trunkline.guide.foresight_dates import steps
from trunkline.plan.document import Block, Chapter, File, Paragraph, Row, Source, Table
from trunkline.plan.figures import LEVELS
from trunkline.site.model import Site

CALENDAR: Final = "certificates.ics"


def chapter(site: Site, facts: Facts, around: Facts, papers: Sequence[Paper], at: date) -> Chapter | None:
    """None for a site without certificates.

    `papers` are the files that the site names, `around` is knowledge/pki.toml.
    """
    if site.certificates is None:
        return None
    found = [one for one in foresee(site, papers, facts, around, at) if _speaks(one, site, facts)]
    coming = dues(site, papers, facts, around, at)
    blocks: list[Block] = [_before(at)]
    if found:
        blocks.append(_today(found, at))
    if coming:
        blocks.append(_coming(coming))
    alarms = steps(around)
    written = Wording(
        calendar(site, coming, alarms, at, "en").decode(), calendar(site, coming, alarms, at, "fr").decode()
    )
    says = said(
        "the same dates for a calendar, with alarms {days} days before",
        "les mêmes dates pour un agenda, avec rappels {days} jours avant",
        days=", ".join(map(str, alarms)),
    )
    return Chapter(
        "dates",
        said("Dates", "Échéances"),
        tuple(blocks),
        (File(CALENDAR, written, says),) if coming else (),
        reader=said("the certificate team", "l'équipe certificats"),
    )


def _speaks(verdict: Verdict, site: Site, facts: Facts) -> bool:
    """Whether the rule has a say for this architecture and guide."""
    rule = verdict[0]
    here = not rule.architectures or site.architecture in rule.architectures
    return here and (not rule.fact or facts.known(rule.fact))


def _before(at: date) -> Paragraph:
    words = said(
        "Judged on {at}. Each renewal is a request, a signature and a reboot of the IPBX in an agreed hour."
        " Dates that CAs and browsers announce move: plan again before each of them.",
        "Jugé au {at}. Chaque renouvellement est une demande, une signature et un redémarrage de l'IPBX à une"
        " heure convenue. Les dates qu'annoncent CA et navigateurs bougent : refaites le plan avant chacune.",
        at=at.isoformat(),
    )
    return Paragraph(words, Source("certificates", "CERT-2, CERT-3"))


def _today(found: Sequence[Verdict], at: date) -> Table:
    head = (said("level", "niveau"), said("what is so", "constat"), said("mend", "remède"))
    rows = tuple(
        Row(
            (LEVELS[rule.level], seen.says, seen.mend or rule.mend),
            Source(".".join(map(str, seen.path)), rule.id),
            f"{rule.id} {'.'.join(map(str, seen.path))} {number}",
        )
        for number, (rule, seen) in enumerate(found)
    )
    return Table(head, rows, said("On {at}", "Au {at}", at=at.isoformat()))


def _coming(coming: Sequence[Due]) -> Table:
    head = (
        said("day", "jour"),
        said("what", "quoi"),
        said("what to do", "que faire"),
        said("who", "qui"),
    )
    rows = tuple(
        Row((due.on.isoformat(), due.title, due.text, due.who), Source(due.path, due.rule), due.key)
        for due in coming
    )
    return Table(head, rows, said("What comes", "Ce qui vient"))
