"""The installer's checklist of a site, step by step, with what is ticked.

Ticks are kept beside the site file, in SITE.progress.json. A step whose value has changed since
it was ticked is to be done again.

Exit codes: 0 all is done, or something was ticked; 1 steps are open; 2 a file that cannot be used."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from trunkline.aio import clock
from trunkline.aio.files import replace_text
from trunkline.cli.bounded import Unread, contents
from trunkline.cli.language import lang_argument
from trunkline.cli.paper import Paper
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, EXIT_UNREADABLE, Refused, complain, planned
from trunkline.finding import Language, ParseError, said, told
from trunkline.plan.checklist import stages
from trunkline.plan.document import Step, Steps
from trunkline.plan.progress import Progress, State

_MARK: Final = {State.OPEN: "[ ]", State.DONE: "[x]", State.CHANGED: "[!]"}
_FILE_MAX: Final = 1 << 20


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument("--tick", metavar="ID", nargs="+", default=[], help="these steps are done")
    parser.add_argument("--untick", metavar="ID", nargs="+", default=[], help="these steps are open again")
    parser.add_argument("--note", default="", help="a remark, kept with what is ticked")
    parser.add_argument("--open", action="store_true", help="show open steps only")
    parser.add_argument("--progress", metavar="FILE", help="where ticks are kept; default SITE.progress.json")
    lang_argument(parser)
    Paper.arguments(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    place = Path(given.progress or f"{given.site}.progress.json")
    try:
        site, facts = planned(given.site)
        progress = _read(place)
    except Refused as refused:
        return complain(refused, given.lang)
    except (OSError, ParseError, Unread) as error:
        return _unusable(place, error, given.lang)
    made = stages(site, facts)
    known = {step.id: step for stage in made for step in stage.steps}
    unknown = [step for step in (*given.tick, *given.untick) if step not in known]
    if unknown:
        says = said(
            "no step is called {ids}; `trunkline checklist` names them",
            "aucune étape ne s'appelle {ids} ; `trunkline checklist` les nomme",
            ids=", ".join(unknown),
        )
        print(f"{given.site}: {told(says, given.lang)}", file=sys.stderr)
        return EXIT_UNREADABLE
    if given.tick or given.untick:
        at = datetime.fromtimestamp(clock.civil_ns() / 1e9, UTC).isoformat(timespec="seconds")
        progress = progress.ticked((known[step] for step in given.tick), at, given.note).cleared(given.untick)
        try:
            replace_text(place, str(progress))
        except OSError as error:
            return _unusable(place, error, given.lang)
    left = sum(progress.state(step) is not State.DONE for step in known.values())
    if given.json:
        print(json.dumps(_json(made, progress, given.lang), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(made, progress, given, Paper.of(given))))
    return EXIT_GOOD if given.tick or given.untick or not left else EXIT_FINDINGS


def _unusable(place: Path, error: OSError | ParseError | Unread, language: Language) -> int:
    why = error.why if isinstance(error, Unread) else getattr(error, "strerror", None) or str(error)
    print(f"{place}: {told(why, language)}", file=sys.stderr)
    return EXIT_UNREADABLE


def _read(place: Path) -> Progress:
    try:
        return Progress.parse(contents(place, _FILE_MAX).decode("utf-8", "replace"))
    except Unread as error:
        if error.absent:
            return Progress()
        raise


def _lines(made: Sequence[Steps], progress: Progress, given: Namespace, paper: Paper) -> Iterator[str]:
    language: Language = given.lang
    every = [step for stage in made for step in stage.steps]
    for stage in made:
        shown = [step for step in stage.steps if not given.open or progress.state(step) is not State.DONE]
        if shown:
            yield f"\n{paper.bold(told(stage.title, language))}"
        for step in shown:
            yield from _step(step, progress, language, paper)
    done = sum(progress.state(step) is State.DONE for step in every)
    reboots = sum(step.reboot and progress.state(step) is not State.DONE for step in every)
    yield told(
        said(
            "\n{done} of {every} steps done, {reboots} reboots to come",
            "\n{done} étapes faites sur {every}, {reboots} redémarrages à venir",
            done=done,
            every=len(every),
            reboots=reboots,
        ),
        language,
    )


def _step(step: Step, progress: Progress, language: Language, paper: Paper) -> Iterator[str]:
    state = progress.state(step)
    mark = paper.good(_MARK[state]) if state is State.DONE else _MARK[state]
    yield f"{mark} {step.id}  {paper.dim(told(step.where, language))}"
    yield f"      {told(step.does, language)}"
    if step.value:
        yield f"      → {told(step.value, language)}"
    if state is State.CHANGED:
        was = said("done with another value: {was}", "fait avec une autre valeur : {was}",
                   was=progress.ticks[step.id].value)  # fmt: skip
        yield paper.bad(f"      {told(was, language)}")
    if step.verify and state is not State.DONE:
        yield f"      {told(said('verify: ', 'vérifier : '), language)}{told(step.verify, language)}"
    if step.reboot and state is not State.DONE:
        yield f"      {told(said('the IPBX reboots', 'redémarrage de l’IPBX'), language)}"


def _json(made: Sequence[Steps], progress: Progress, language: Language) -> list[dict[str, Any]]:
    return [
        {
            "id": step.id,
            "stage": told(stage.title, language),
            "where": told(step.where, language),
            "does": told(step.does, language),
            "value": told(step.value, language),
            "verify": told(step.verify, language),
            "reboot": step.reboot,
            "key": step.source.key,
            "requirement": step.source.requirement,
            "state": str(progress.state(step)),
            "ticked": progress.ticks[step.id]._asdict() if step.id in progress.ticks else None,
        }
        for stage in made
        for step in stage.steps
    ]
