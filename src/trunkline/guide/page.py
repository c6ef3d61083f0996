"""A rule's page: what it checks, why, how to mend, its source, the facts it reads, how to suppress it.

The same page is shown by `trunkline explain` and written to docs/rules/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap
from typing import Final, NamedTuple

from trunkline.finding import Language, Level, Wording, said, told
from trunkline.guide.facts import ASK, Fact, Facts, FactValue, shipped
from trunkline.guide.form import binding
from trunkline.guide.reads import facts_read
from trunkline.guide.report import text
from trunkline.guide.rule import Rule

LEVELS: Final = {
    Level.MUST: said(
        "MUST: the trunk does not work, or not as the guide asks",
        "OBLIGATOIRE : sinon le trunk ne marche pas, ou pas comme le guide le demande",
    ),
    Level.SHOULD: said(
        "SHOULD: it works, until something goes wrong", "CONSEILLÉ : cela marche, jusqu'au premier incident"
    ),
    Level.NOTE: said(
        "NOTE: good to know; `check` stays clean", "NOTE : bon à savoir ; `check` reste conforme"
    ),
}

WIDTH: Final = 94  # columns of a page in a terminal, without its margin


class Part(NamedTuple):
    """One section of a page; `code` are lines to be shown as they are."""

    heading: str
    lines: tuple[str, ...]
    code: bool = False


class Page(NamedTuple):
    """A rule's page in one language."""

    id: str
    level: Level
    title: str
    parts: tuple[Part, ...]


def page(rule: Rule, language: Language, guides: Mapping[str, Facts] | None = None) -> Page:
    """The page of a rule; facts are those of the guides shipped."""
    guides = shipped() if guides is None else guides
    parts = [Part(told(heading, language), tuple(told(line, language) for line in lines), code)
             for heading, lines, code in _parts(rule, guides, language) if lines]  # fmt: skip
    return Page(rule.id, rule.level, told(rule.title, language), tuple(parts))


def _parts(
    rule: Rule, guides: Mapping[str, Facts], language: Language
) -> Iterator[tuple[Wording, list[str], bool]]:
    yield said("Level", "Niveau"), [LEVELS[rule.level]], False
    yield said("Speaks of", "Concerne"), list(_scope(rule)), False
    yield said("Why", "Pourquoi"), [rule.why] if rule.why else [], False
    yield said("How to mend", "À faire"), [rule.mend], False
    yield said("Source", "Source"), list(_source(rule)), False
    facts = [
        _fact(fact, language)
        for guide in guides.values()
        for fact in (facts_read(rule.look, rule.fact, guide) if rule.look else ())
    ]
    yield said("Facts it reads", "Faits qu'elle lit"), facts, False
    if binding(rule.id, rule.level):
        cannot = said(
            "It is about the form of the file and can be neither suppressed nor left out.",
            "Elle porte sur la forme du fichier : on ne peut ni l'écarter ni l'omettre.",
        )
        yield said("How to suppress", "Comment l'écarter"), [cannot], False
    else:
        comment = said(
            "# trunkline: ignore {id} -- the reason, for whoever reads this next",
            "# trunkline: ignore {id} -- la raison, pour qui lira ceci ensuite",
            id=rule.id,
        )
        yield said("How to suppress", "Comment l'écarter"), [comment], True


def _scope(rule: Rule) -> Iterator[Wording]:
    if rule.architectures:
        yield said("architectures: {names}", "architectures : {names}", names=", ".join(rule.architectures))
    else:
        yield said("every architecture", "toutes les architectures")
    if rule.needs:
        yield said(
            "judged where these keys are sound: {keys}",
            "jugée là où ces clés sont saines : {keys}",
            keys=", ".join(rule.needs),
        )


def _source(rule: Rule) -> Iterator[str]:
    yield rule.source
    for requirement in rule.requirements:
        if not requirement.startswith(("SITE-", "SUP-", "FACTS-", "PKI-")):
            yield said("requirement {id}", "exigence {id}", id=requirement)


def _fact(fact: Fact, language: Language) -> str:
    section = f"§ {fact.section}" if fact.section[:1].isdigit() else fact.section
    note = f"; {fact.note}" if fact.note else ""
    return f"{fact.key} = {_value(fact.value, language)} ({section}{note})"


def _value(value: FactValue, language: Language) -> str:
    if value == ASK:
        return told(said("ask the carrier", "demandez à l'opérateur"), language)
    if isinstance(value, bool):
        return told(said("yes", "oui") if value else said("no", "non"), language)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {count}" for key, count in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def plain(page: Page) -> str:
    """The page for a terminal."""
    out = [f"{page.id}  {page.title}"]
    for heading, lines, code in page.parts:
        shown = (
            lines if code else [part for line in lines for part in wrap(line, WIDTH, subsequent_indent="  ")]
        )
        out += ["", heading, *(f"  {line}" for line in shown)]
    return "\n".join(out) + "\n"


def markdown(page: Page) -> str:
    """The page as docs/rules/ holds it."""
    out = [f"# {page.id} · {_escaped(page.title)}"]
    for heading, lines, code in page.parts:
        out += ["", f"## {heading}", ""]
        if code:
            out += ["```", *lines, "```"]
        else:
            out += [f"- {_escaped(line)}" for line in lines] if len(lines) > 1 else map(_escaped, lines)
    return "\n".join(out) + "\n"


def index(pages: Iterable[Page], language: Language) -> str:
    """The list of all rules, as docs/rules/ has it, with links."""
    title = told(said("Rules", "Règles"), language)
    says = told(
        said(
            "What `trunkline check` judges. `trunkline explain ID` shows the same pages.",
            "Ce que `trunkline check` juge. `trunkline explain ID --lang fr` montre les mêmes pages.",
        ),
        language,
    )
    head = told(said("| id | level | what holds |", "| id | niveau | ce qui doit tenir |"), language)
    rows = [
        f"| [{page.id}]({page.id}.md) | {_level(page.level, language)} | {_escaped(page.title)} |"
        for page in pages
    ]
    return "\n".join([f"# {title}", "", says, "", head, "| --- | --- | --- |", *rows]) + "\n"


def listed(pages: Iterable[Page], language: Language) -> str:
    """The list of all rules, for a terminal."""
    pages = list(pages)
    width, levels = (
        max(len(page.id) for page in pages),
        {page.level: _level(page.level, language) for page in pages},
    )
    wide = max(map(len, levels.values()))
    return "".join(f"{page.id:{width}}  {levels[page.level]:{wide}}  {page.title}\n" for page in pages)


def _level(level: Level, language: Language) -> str:
    return told(text.LEVELS[level], language)


def _escaped(words: str) -> str:
    """Text in Markdown: stars and angles mean nothing there."""
    return re.sub(r"([*<>_|])", r"\\\1", words)
