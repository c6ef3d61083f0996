"""Show what the product does, on this machine alone: calls out and in, and the nominal SBC lost three ways.

Brings up the site of each SITE.yaml, one after the other, with its carrier on loopback
addresses, places the calls, and prints for each a ladder, its audio, over the internet
also its TLS and SRTP, and PASS or FAIL with the reason. Needs no root, leaves nothing
behind, and takes less than a minute for the two shipped examples.

Exit codes: 0 every call passed; 1 one did not, or the lab cannot run here; 2 a site
file cannot be read, has errors, or lacks what the demo needs."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trunkline.aio import clock
from trunkline.capture.ladder import Step
from trunkline.cli import asking, show
from trunkline.cli.labs import Journal, facts, ready_lines, run_lab, wrapped
from trunkline.cli.paper import Paper
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, Refused, complain, ready
from trunkline.lab.observe import Observer, Told
from trunkline.lab.scenarios import ACTS, Act, Unplayable, acts_of, callable_users, cast
from trunkline.lab.stage import Lab
from trunkline.lab.wire import of_calls, traced
from trunkline.pbx.exchange import Listen
from trunkline.site.model import Site


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", nargs="+", help="the site files")
    parser.add_argument(
        "--trace", metavar="FILE.pcapng",
        help="write the SIP that the IPBX sees, for Wireshark (several sites: FILE-SITE.pcapng each)",
    )  # fmt: skip
    parser.add_argument(
        "--keylog", metavar="FILE", help="append the TLS keys, so that Wireshark reads what it captured"
    )
    parser.add_argument(
        "--act", type=int, action="append", choices=range(1, len(ACTS) + 1), metavar="N",
        help=f"play only this act (1 to {len(ACTS)}; may be repeated)",
    )  # fmt: skip
    parser.add_argument("--mute", action="store_true", help=SUPPRESS)  # the phones play silence: must FAIL
    Paper.arguments(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    sites = []
    for file in given.site:
        try:
            sites.append(ready(file, wanted=()))
            cast(sites[-1])
        except Refused as refused:
            return complain(refused)
        except Unplayable as error:
            print(f"{file}: {error}", file=sys.stderr)
            return asking.EXIT_USE
    return run_lab(_play(given, sites))


async def _play(given: Namespace, sites: Sequence[Site]) -> int:
    demo = _Demo(given)
    begun = clock.now()
    for file, site in zip(given.site, sites, strict=True):
        await _site(demo, site, _trace(given, file))
    return demo.verdict(clock.now() - begun)


async def _site(demo: _Demo, site: Site, trace: Path | None) -> None:
    """All its acts."""
    given, acts = demo.given, acts_of(site)
    keylog = Path(given.keylog) if given.keylog else None
    users = callable_users(site)
    phones = users[max(plan.user for act in acts for plan in act.plans)] + 1
    async with Lab(site, phones=phones, trace=trace, keylog=keylog, log=demo.journal.note) as lab:
        demo.tell({"event": "ready", **facts(lab)}, ready_lines(lab, demo.paper))
        observer = Observer(lab, mute=given.mute)
        for number, act in enumerate(acts, start=1):
            if given.act and number not in given.act:
                continue
            demo.begin(number, act)
            async for told in observer.play(act):
                demo.call(lab, told)
    demo.journal.taken()  # what they say as they end is nobody's concern


def _trace(given: Namespace, file: str) -> Path | None:
    """Where the IPBX of this site file writes its trace."""
    if not given.trace:
        return None
    path = Path(given.trace)
    return path if len(given.site) == 1 else path.with_stem(f"{path.stem}-{Path(file).stem}")


class _Demo:
    """What is printed, and what it comes to."""

    def __init__(self, given: Namespace) -> None:
        self.given, self.paper = given, Paper.of(given)
        self.journal = Journal()
        self.passed = self.failed = 0

    def tell(self, said: dict[str, Any], words: str) -> None:
        asking.tell(self.given, said, lambda _: words)

    def begin(self, number: int, act: Act) -> None:
        """An act begins."""
        words = "\n".join([*self.logged(), "", self.paper.bold(f"{number}. {act.title}"), f"   {act.says}"])
        self.tell({"event": "act", "number": number, "title": act.title, "says": act.says}, words)

    def logged(self) -> list[str]:
        """What the processes logged since the last look."""
        lines = (wrapped("  ", line, self.paper) for line in self.journal.taken())
        return [self.paper.dim(part) for parts in lines for part in parts]

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
    for address, _ in Listen(site).trunk.values():
        names[address, show.ANY] = "IPBX"
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
