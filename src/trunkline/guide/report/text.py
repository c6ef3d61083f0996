"""The report that people read: a line and a mend for each finding, and one line of verdict a file."""

from __future__ import annotations

from typing import Final

from trunkline.finding import Finding, Language, Level, Wording, said, told
from trunkline.guide.report import Style
from trunkline.guide.verdict import CLEAN, TO_MEND, UNREADABLE, Totals, Verdict

FREQUENT: Final = 10  # rules that a summary names

LEVELS: Final = {
    Level.MUST: said("MUST", "OBLIGATOIRE"),
    Level.SHOULD: said("SHOULD", "CONSEILLÉ"),
    Level.NOTE: said("NOTE", "NOTE"),
}
VERDICTS: Final = {
    CLEAN: said("clean", "conforme"),
    TO_MEND: said("to be mended", "à corriger"),
    UNREADABLE: said("not readable", "illisible"),
}
_MEND: Final = said("mend", "à faire")
_SUPPRESSED: Final = said("suppressed", "écarté")
_REASON: Final = said("reason", "raison")

BETWEEN = ""


def lines(file: str, found: Finding, language: Language = "en") -> list[str]:
    """One finding: `site.yaml:5:9: MUST trunk.chanels: unknown key; ...`, then how to mend it."""
    level, mend, source = (told(text, language) for text in (LEVELS[found.level], found.mend, found.source))
    return [
        f"{file}:{found.line}:{found.column}: {level} {_what(found, language)}",
        f"    {_label(_MEND, language)} {mend}  [{found.rule}, {source}]",
    ]


def head(style: Style) -> str:
    return ""


def site(verdict: Verdict, style: Style) -> str:
    out = []
    if not style.brief:
        for found in verdict.findings:
            out += lines(verdict.file, found, style.language)
        for found, reason in verdict.suppressed:
            word, what = told(_SUPPRESSED, style.language), _what(found, style.language)
            out.append(f"{verdict.file}:{found.line}:{found.column}: {word} {what}")
            out.append(f"    {_label(_REASON, style.language)} {reason}  [{found.rule}]")
    counts = [(verdict.count(level), told(LEVELS[level], style.language)) for level in Level]
    counts.append((len(verdict.suppressed), told(_SUPPRESSED, style.language)))
    held = ", ".join(f"{count} {word}" for count, word in counts if count)
    ends = told(VERDICTS[verdict.code], style.language)
    head = f"{verdict.file} : " if style.language == "fr" else f"{verdict.file}: "
    out.append(head + ends + (f" ({held})" if held else ""))
    return "\n".join(out) + "\n"


def foot(totals: Totals, style: Style) -> str:
    """Of several files: how many are clean, and which rules fire in most of them."""
    if not style.many:
        return ""
    frequent = totals.frequent()[:FREQUENT]
    out = ["", told(_sum(totals), style.language)]
    if frequent:
        out.append(
            told(
                said("rules that fire in most sites:", "règles qui touchent le plus de sites :"),
                style.language,
            )
        )
        width = max(len(rule) for rule, _ in frequent)
        out += [
            f"  {rule:{width}} {sites:6}  {told(_title(rule), style.language)}" for rule, sites in frequent
        ]
    return "\n".join(out) + "\n"


def _sum(totals: Totals) -> Wording:
    return said(
        "{sites} sites: {clean} clean, {mend} to be mended, {unreadable} not readable; "
        "{must} MUST, {should} SHOULD, {note} NOTE, {suppressed} suppressed",
        "{sites} sites : conformes {clean}, à corriger {mend}, illisibles {unreadable} ; "
        "OBLIGATOIRE {must}, CONSEILLÉ {should}, NOTE {note}, écartés {suppressed}",
        sites=totals.sites,
        clean=totals.codes[CLEAN],
        mend=totals.codes[TO_MEND],
        unreadable=totals.codes[UNREADABLE],
        must=totals.levels[Level.MUST],
        should=totals.levels[Level.SHOULD],
        note=totals.levels[Level.NOTE],
        suppressed=totals.suppressed,
    )


def _title(rule: str) -> str:
    from trunkline.guide.select import every

    known = every().get(rule)
    return known.title if known else ""


def _what(found: Finding, language: Language) -> str:
    separator = " : " if language == "fr" else ": "
    return f"{found.path}{separator if found.path else ''}{told(found.says, language)}"


def _label(word: Wording, language: Language) -> str:
    return f"{told(word, language)}{' :' if language == 'fr' else ':'}"
