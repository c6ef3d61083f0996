"""All rules, and the one place where they are applied to a site file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trunkline.finding import Finding, Level, said
from trunkline.guide import foresight, own_facts
from trunkline.guide.facts import Facts, Unknown, shipped
from trunkline.guide.rule import Path, Rule, Seen
from trunkline.guide.rules import (
    addresses,
    bvpn,
    capacity,
    carrier,
    channels,
    codecs,
    emergency,
    encryption,
    failover,
    fax,
    firewall,
    fraud,
    internet,
    naming,
    nat,
    numbering,
    omc,
    overseas,
    ports,
    prefixes,
    registration,
    remote,
    security,
    system,
    text,
    topology,
    trunk,
    versions,
    webrtc,
)
from trunkline.site.draft import Draft
from trunkline.site.load import Loaded
from trunkline.site.model import Site
from trunkline.site.text import inside

RULES: tuple[Rule, ...] = (
    *text.RULES,
    *bvpn.RULES,
    *internet.RULES,
    *ports.RULES,
    *security.RULES,
    *codecs.RULES,
    *channels.RULES,
    *trunk.RULES,
    *failover.RULES,
    *registration.RULES,
    *system.RULES,
    *numbering.RULES,
    *carrier.RULES,
    *versions.RULES,
    *topology.RULES,
    *nat.RULES,
    *firewall.RULES,
    *naming.RULES,
    *omc.RULES,
    *webrtc.RULES,
    *fax.RULES,
    *remote.RULES,
    *capacity.RULES,
    *overseas.RULES,
    *emergency.RULES,
    *fraud.RULES,
    *addresses.RULES,
    *encryption.RULES,
    *prefixes.RULES,
    *foresight.RULES,
    *own_facts.RULES,
)

_FACTS = said("guide facts", "faits du guide")
_NO_FACTS = Facts("", "", "", "")


def judge(
    loaded: Loaded, rules: Iterable[Rule] = RULES, guides: Mapping[str, Facts] | None = None
) -> tuple[Finding, ...]:
    """What the rules find in a site file, placed, in the file's order.

    Works on the sound part of a file with errors too: a rule keeps silent about what
    the file does not soundly say. `guides` are the facts files to choose from, those
    shipped with the product unless told.
    """
    draft = loaded.draft
    if draft is None:
        return ()
    known = shipped() if guides is None else guides
    facts = known.get(draft.site.guide.name, _NO_FACTS)
    findings = list(_guide(loaded, draft, facts, known))
    for rule in rules:
        if _speaks(rule, draft, facts):
            findings += _placed(loaded, draft, rule, _places(rule, draft.site, facts))
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column)))


def placed(loaded: Loaded, seen: Iterable[tuple[Rule, Seen]], facts: Facts) -> tuple[Finding, ...]:
    """What rules without a `look` found elsewhere about a site file, placed as `judge` places its own."""
    draft = loaded.draft
    if draft is None:
        return ()
    found = [
        finding
        for rule, one in seen
        if _speaks(rule, draft, facts)
        for finding in _placed(loaded, draft, rule, (one,))
    ]
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.column)))


def _speaks(rule: Rule, draft: Draft, facts: Facts) -> bool:
    """Whether a rule has a say here: its fact known, its architecture, what it needs sound."""
    if rule.fact and not facts.known(rule.fact):
        return False
    if rule.architectures and draft.site.architecture not in rule.architectures:
        return False
    needs = (*rule.needs, "architecture") if rule.architectures else rule.needs
    return not any(_touched(draft, tuple(need.split("."))) for need in needs)


def _placed(loaded: Loaded, draft: Draft, rule: Rule, places: Iterable[Seen]) -> Iterator[Finding]:
    for seen in places:
        path = draft.in_file(seen.path)
        if not inside(path, draft.touched):
            mend = seen.mend or rule.mend
            yield loaded.finding(rule.id, rule.level, path, seen.says, mend, rule.source)


def _places(rule: Rule, site: Site, facts: Facts) -> tuple[Seen, ...]:
    """Where a rule does not hold; nowhere, where it comes to read what the guide leaves open."""
    try:
        return tuple(rule.look(site, facts)) if rule.look is not None else ()
    except Unknown:
        return ()


def _guide(loaded: Loaded, draft: Draft, facts: Facts, known: Mapping[str, Facts]) -> Iterable[Finding]:
    """The site's guide and edition are ones whose facts are here."""
    name, edition = draft.site.guide.name, draft.site.guide.edition
    if _touched(draft, ("guide", "name")) or _touched(draft, ("guide", "edition")):
        return
    if facts is _NO_FACTS:
        says = said(
            "no guide of the name {name!r} is known here",
            "aucun guide du nom de {name!r} n'est connu ici",
            name=str(name),
        )
        mend = said(
            "write one of: {known}", "écrivez l'un de ceux-ci : {known}", known=", ".join(sorted(known))
        )
        yield loaded.finding("SITE-10", Level.MUST, ("guide", "name"), says, mend, _FACTS)
    elif edition != facts.edition:
        says = said(
            "the site is built to the edition of {edition}, the facts here are those of {facts}",
            "le site est réalisé selon l'édition du {edition}, les faits connus ici sont ceux du {facts}",
            edition=edition,
            facts=facts.edition,
        )
        mend = said(
            "check the site against the edition of {facts}, then write that date",
            "contrôlez le site avec l'édition du {facts}, puis écrivez cette date",
            facts=facts.edition,
        )
        yield loaded.finding("SITE-11", Level.SHOULD, ("guide", "edition"), says, mend, _FACTS)


def _touched(draft: Draft, need: Path) -> bool:
    """True if a part that a rule needs, or what it stands in, is not as the customer wrote it."""
    return any(
        len(bad) <= len(need) and all(want in ("*", have) for want, have in zip(need, bad, strict=False))
        for bad in draft.touched
    )


def applied(
    loaded: Loaded, guides: Mapping[str, Facts] | None = None, *, papers: bool = False
) -> tuple[str, ...]:
    """The ids of the rules that are put to a file: those it has sound words for.

    `papers`: its certificate files are all there, so that the rules about them judged too.
    """
    draft = loaded.draft
    if draft is None:
        return ()
    facts = (shipped() if guides is None else guides).get(draft.site.guide.name, _NO_FACTS)
    return tuple(
        rule.id
        for rule in RULES
        if (rule.look is not None or (papers and rule in foresight.RULES)) and _speaks(rule, draft, facts)
    )
