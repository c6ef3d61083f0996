"""The rule about a facts file of the site's own: whoever reads the file judges, so it has no `look`."""

from __future__ import annotations

from typing import Final

from trunkline.finding import Level, said
from trunkline.guide.rule import Rule

FACTS_FILE: Final = Rule(
    id="FACTS-1",
    title=said("The site's own facts file can be used", "Le fichier de faits propre au site est utilisable"),
    level=Level.MUST,
    source=said("guide facts", "faits du guide"),
    mend=said(
        "write it in the form of a shipped one: `trunkline guide facts --toml` prints that",
        "écrivez-le dans la forme de celui livré : `trunkline guide facts --toml` l'affiche",
    ),
    look=None,
    needs=("guide.facts",),
    why=said(
        "Nothing is known of the carrier then: no rule that rests on its guide is applied, and neither the"
        " IPBX nor the virtual carrier knows its ports, suites and codecs.",
        "On ne sait alors rien de l'opérateur : aucune règle qui repose sur son guide n'est appliquée, et"
        " ni l'IPBX ni l'opérateur virtuel n'en connaissent les ports, les suites et les codecs.",
    ),
)

RULES: tuple[Rule, ...] = (FACTS_FILE,)
