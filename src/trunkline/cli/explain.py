"""Say what a rule of `check` looks at, why, how to mend what it finds, and how to suppress it.

ID is a rule's id (SEC-4a), a requirement that several rules share (SEC-4) or a prefix
(SEC). Without one all rules are listed.

Exit codes: 0 good; 2 no rule has such an id."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from trunkline.cli.language import lang_argument
from trunkline.finding import Language, said, told
from trunkline.guide.page import Page, listed, page, plain
from trunkline.guide.select import every, matches, meant


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("id", metavar="ID", nargs="?", help="the rule's id")
    lang_argument(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    spoken: Language = given.lang
    chosen = [page(rule, spoken) for id, rule in every().items() if given.id is None or matches(given.id, id)]
    if not chosen:
        print(_unknown(given.id, spoken), file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps([_json(shown) for shown in chosen], indent=2, ensure_ascii=False))
    elif given.id is None:
        print(listed(chosen, spoken), end="")
    else:
        print("\n".join(map(plain, chosen)), end="")
    return 0


def _unknown(id: str, spoken: Language) -> str:
    says = told(said("no rule is called {id}", "aucune règle ne s'appelle {id}", id=id), spoken)
    if close := meant(id):
        return says + told(said("; did you mean {id}?", " ; vouliez-vous dire {id} ?", id=close), spoken)
    return says + told(
        said("; `trunkline explain` lists all", " ; `trunkline explain` les liste toutes"), spoken
    )


def _json(shown: Page) -> dict[str, Any]:
    parts = {heading: lines for heading, lines, _ in shown.parts}
    return {"id": shown.id, "level": str(shown.level), "title": shown.title, "parts": parts}
