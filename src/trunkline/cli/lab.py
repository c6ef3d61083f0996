"""Keep a whole site and its carrier running on this machine: DNS, access SBCs, IPBX, phones.

The site's addresses are replaced by loopback ones, its waits are shortened, and each
phone gets a password of the lab's own; the file itself stays as it is. Prints how to call
into it from another terminal. Ctrl-C ends it all; no root is needed.

Exit codes: 0 ended as asked; 1 it cannot run here; 2 the site file cannot be read, has
errors, or names no access SBC for a gateway."""

from __future__ import annotations

import asyncio
import signal
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Any

from trunkline.cli import asking, labs
from trunkline.cli.paper import Paper
from trunkline.cli.sitefile import EXIT_GOOD, Refused, complain, ready
from trunkline.lab.scenarios import answering, dialled
from trunkline.lab.stage import Lab
from trunkline.site.model import Site


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument(
        "--trace", metavar="FILE.pcapng", help="write the SIP that the IPBX sees, for Wireshark"
    )
    parser.add_argument(
        "--keylog", metavar="FILE", help="append the TLS keys, so that Wireshark reads what it captured"
    )
    Paper.arguments(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        site = ready(given.site, wanted=())
    except Refused as refused:
        return complain(refused)
    if len(site.carrier.sbcs) < len(site.trunk.gateways):
        there, needed = len(site.carrier.sbcs), len(site.trunk.gateways)
        print(
            f"{given.site}: carrier.sbcs has {there} entries; the lab needs {needed}, one a gateway",
            file=sys.stderr,
        )
        return asking.EXIT_USE
    return labs.run_lab(_keep(given, site))


async def _keep(given: Namespace, site: Site) -> int:
    paper = Paper.of(given)
    trace = Path(given.trace) if given.trace else None
    keylog = Path(given.keylog) if given.keylog else None
    async with Lab(site, trace=trace, keylog=keylog, log=_log) as lab:
        told: dict[str, Any] = {"event": "ready", **labs.facts(lab)}
        words = "\n".join([labs.ready_lines(lab, paper), "", *_how(lab, paper)])
        asking.tell(given, told, lambda _: words)
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        with suppress(asyncio.CancelledError):
            async with asyncio.TaskGroup() as together:
                keeping = together.create_task(lab.keep(_say))
                await ended.wait()
                keeping.cancel()
    asking.tell(given, {"event": "stopped"}, lambda _: "ended; nothing is left")
    return EXIT_GOOD


def _how(lab: Lab, paper: Paper) -> list[str]:
    """What to type in another terminal."""
    site, file = lab.site, quote(str(lab.file))
    lines = [paper.bold("In another terminal:"), f"  trunkline status {file}"]
    public, sbcs = answering(site), site.carrier.sbcs
    user = next((user for user in site.users if user.ddi), None)
    if public and site.users:
        number = dialled(site.numbering, public[0].number)
        lines.append(f"  trunkline call {file} {site.users[0].extension} {number}")
    if public and user is not None:
        ask = f"trunkline carrier {file} --sbc {quote(sbcs[0].label)} --ask"
        lines.append(f"  {ask} place {public[0].number} {user.ddi}")
        lines.append(f"  {ask} fault 503")
    first = sbcs[0].label
    what = "'s signalling" if lab.secure else ""
    says = paper.dim(f"# {first}{what} hangs; -CONT lets it go on")
    lines.append(f"  kill -STOP {lab.sbcs[first].pid}    {says}")
    where = f"{lab.places.ipbx}:{site.phones.listen.udp}"
    lines.append(
        f"A phone of your own registers at {where}, domain {site.phones.realm}; its account is in that file."
    )
    lines.append("Ctrl-C ends it all.")
    return lines


def _log(label: str, line: str) -> None:
    _say(labs.said(label, line))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
