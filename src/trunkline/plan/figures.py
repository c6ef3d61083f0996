"""Figures and words that several chapters write: decimals in both languages, "ask the carrier", levels."""

from __future__ import annotations

from typing import Final

from trunkline.finding import Level, Wording, said

ASK_CARRIER: Final = said("ask the carrier", "à demander à l'opérateur")
LEVELS: Final = {
    Level.MUST: said("must", "obligatoire"),
    Level.SHOULD: said("should", "conseillé"),
    Level.NOTE: said("note", "remarque"),
}
MAIN_SITE: Final = said("main site", "site principal")


def decimal(value: float, digits: int = 1) -> Wording:
    """A figure with a fixed number of decimals: a point in English, a comma in French."""
    text = f"{value:.{digits}f}"
    return Wording(text, text.replace(".", ","))


def percent(share: float) -> Wording:
    """A share as a percentage, with two decimals where it is small; never 0 for what is not nothing."""
    if 0 < share < 0.0001:
        return Wording("< 0.01 %", "< 0,01 %")
    text = f"{share * 100:.2f}" if share < 0.1 else f"{share * 100:.1f}"
    return Wording(f"{text} %", f"{text.replace('.', ',')} %")
