"""Show what the product does, on this machine alone: calls out and in, and the nominal SBC lost three ways.

Brings up the site of SITE.yaml with its carrier on loopback addresses, places the calls,
and prints for each a ladder, its audio, and PASS or FAIL with the reason. Needs no root,
leaves nothing behind, and takes less than a minute.

Exit codes: 0 every call passed; 1 one did not, or the lab cannot run here; 2 the site
file cannot be read, has errors, or lacks what the demo needs."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from trunkline.aio import clock
from trunkline.capture.ladder import Step
from trunkline.cli import serving, show
from trunkline.cli.labs import Journal, facts, ready_lines, run_lab
from trunkline.cli.paper import Paper
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, Refused, complain, ready
from trunkline.lab.observe import Observer, Told
from trunkline.lab.scenarios import ACTS, Act, Unplayable, callable_users, cast
from trunkline.lab.stage import Lab
from trunkline.lab.wire import of_calls, traced
from trunkline.site.model import Site


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument(
        "--trace", metavar="FILE.pcapng", help="write the SIP that the IPBX sees, for Wireshark"
    )
    parser.add_argument(
        "--act", type=int, action="append", choices=range(1, len(ACTS) + 1), metavar="N",
        help=f"play only this act (1 to {len(ACTS)}; may be repeated)",
    )  # fmt: skip
    parser.add_argument("--mute", action="store_true", help=SUPPRESS)  # the phones play silence: must FAIL
    Paper.arguments(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        site = ready(given.site, wanted=())
        cast(site)
    except Refused as refused:
        return complain(refused)
    except Unplayable as error:
        print(f"{given.site}: {error}", file=sys.stderr)
        return serving.EXIT_USE
    return run_lab(_play(given, site))


async def _play(given: Namespace, site: Site) -> int:
    demo = _Demo(given, site)
    begun = clock.now()
    trace = Path(given.trace) if given.trace else None
    async with Lab(site, phones=demo.phones, trace=trace, log=demo.journal.note) as lab:
        demo.tell({"event": "ready", **facts(lab)}, ready_lines(lab, demo.paper))
        observer = Observer(lab, mute=given.mute)
        for number, act in enumerate(ACTS, start=1):
            if given.act and number not in given.act:
                continue
            demo.begin(number, act)
            async for told in observer.play(act):
                demo.call(lab, told)
    return demo.verdict(clock.now() - begun)


class _Demo:
    """What is printed, and what it comes to."""

    def __init__(self, given: Namespace, site: Site) -> None:
        self._given, self.paper = given, Paper.of(given)
        self.journal = Journal()
        users = callable_users(site)
        most = max(plan.user for act in ACTS for plan in act.plans)
        self.phones = users[most] + 1
        self.passed = self.failed = 0

    def tell(self, said: dict[str, Any], words: str) -> None:
        serving.tell(self._given, said, lambda _: words)

    def begin(self, number: int, act: Act) -> None:
        """An act begins."""
        words = "\n".join([*self.logged(), "", self.paper.bold(f"{number}. {act.title}"), f"   {act.says}"])
        self.tell({"event": "act", "number": number, "title": act.title, "says": act.says}, words)

    def logged(self) -> list[str]:
        """What the processes logged since the last look."""
        return [self.paper.dim(f"  {line}") for line in self.journal.taken()]

    def call(self, lab: Lab, told: Told) -> None:
        """One call, judged."""
        passed = told.verdict.passed
        self.passed, self.failed = self.passed + passed, self.failed + (not passed)
        steps, parties = _ladder(lab, told)
        said = {
            "event": "call", "act": told.act, "title": told.title, "from": told.caller, "to": told.called,
            **show.as_json(told.seen, told.verdict), "ladder": show.steps_as_json(steps),
        }  # fmt: skip
        head = f"\n  {told.title}: {told.caller} calls {told.called}"
        lines = show.call_lines(told.seen, told.verdict, steps, parties, self.paper)
        self.tell(said, "\n".join([*self.logged(), head, *lines]))

    def verdict(self, seconds: float) -> int:
        """The last line; returns the exit code."""
        code = EXIT_FINDINGS if self.failed or not self.passed else EXIT_GOOD
        count = self.passed + self.failed
        word = self.paper.bad("FAIL") if code else self.paper.good("PASS")
        said = {
            "event": "verdict", "verdict": "FAIL" if code else "PASS", "calls": count, "passed": self.passed,
            "failed": self.failed, "seconds": round(seconds, 1), "exit": code,
        }  # fmt: skip
        self.tell(
            said, f"\n{word}  {self.passed} of {count} calls passed, in {seconds:.0f} s; exit code {code}"
        )
        return code


def _ladder(lab: Lab, told: Told) -> tuple[list[Step], list[str]]:
    """The arrows of a call as the IPBX saw them, with what happened between; and whose columns."""
    phone = f"phone {told.user}"
    site, places = lab.site, lab.places
    names = {(sbc.signalling, show.ANY): sbc.label for sbc in site.carrier.sbcs}
    names[places.ipbx, show.ANY] = "IPBX"
    steps = show.steps_of(of_calls(traced(lab.trace), told.call_ids), names, phone)
    parties = [phone, "IPBX", *(sbc.label for sbc in site.carrier.sbcs)]
    seen = {name for one in steps for name in (one.source, one.destination)}
    if steps:
        first = steps[0].at
        for note in told.notes:
            at = note.at_ns / 1e9
            if at >= first and note.label in seen:
                steps.append(Step(at, note.label, note.label, note.text))
        steps.sort(key=lambda one: one.at)
    return steps, [party for party in parties if party in seen]
