"""Ask the running IPBX of a site file: gateways and why one is down, registrations, channels, calls.

Without a file, the one IPBX of yours that runs is asked.

Exit codes: 0 it answered; 1 nobody answers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from trunkline.aio.sockets import NoFolder, control_path, folder
from trunkline.cli import asking
from trunkline.cli.paper import Paper, clean, duration

EXIT_GOOD: Final = 0  # not of `sitefile`, which brings the reading of site files along
_GOOD, _BAD = "up", "down"


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", nargs="?", metavar="SITE.yaml", help="the site file that it runs")
    parser.add_argument("--socket", metavar="PATH", help="its Unix socket, where it was given one")
    Paper.arguments(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        status = _status(given)
    except (OSError, NoFolder) as error:
        return asking.cannot_start(error)
    asking.tell(given, status, lambda said: "\n".join(_lines(said, Paper.of(given))))
    return EXIT_GOOD


def _status(given: Namespace) -> dict[str, Any]:
    if given.socket or given.site:
        place = Path(given.socket) if given.socket else control_path(given.site)
        try:
            return asking.asked(place, {"ask": "status"})
        except (OSError, TimeoutError):
            whose = given.site or f"the socket {place}"
            raise ConnectionError(f"no IPBX answers for {whose}") from None
    found = list(_running())
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConnectionError("no IPBX of yours runs here; name its site file or --socket")
    files = ", ".join(status["file"] for status in found)
    raise ConnectionError(f"{len(found)} of yours run here; name one: {files}")


def _running() -> Iterator[dict[str, Any]]:
    """The status of each IPBX whose socket is in our folder; access SBCs have none of its gateways."""
    for place in sorted(folder().glob("*.sock")):
        try:
            status = asking.asked(place, {"ask": "status"})
        except (OSError, TimeoutError):
            continue
        if "gateways" in status:
            yield status


def _lines(status: dict[str, Any], paper: Paper) -> Iterator[str]:
    draining = "  draining: no new calls" if status["draining"] else ""
    yield f"{paper.bold(status['customer'])}  running for {duration(status['up'])}{draining}"
    yield f"  {status['file']}"
    yield paper.bold("gateways")
    width = max((len(gateway["label"]) for gateway in status["gateways"]), default=0)
    for gateway in status["gateways"]:
        health = f"{gateway['health']:9}"
        shown = {_GOOD: paper.good, _BAD: paper.bad}.get(gateway["health"], paper.plain)(health)
        where = ", ".join(gateway["targets"]) or "no address"
        known = f"  registration {gateway['registration']}" if gateway["registration"] else ""
        since = duration(gateway["for"])
        yield f"  {gateway['index']} {gateway['label']:{width}}  {shown} {since}: {clean(gateway['why'])}"
        yield f"    {where}{known}"
        if (tls := gateway["tls"]) is not None and "suite" in tls:
            theirs = ", ".join(tls["theirs"])
            yield f"    {tls['version']}, {tls['suite']}; it is {clean(theirs)}, we are {clean(tls['ours'])}"
    if status["certificates"]:
        yield paper.bold("certificates")
    for held in status["certificates"]:
        yield f"  {held['side']:6}  {clean(held['certificate'])}  until {held['until']}"
    channels = status["channels"]
    used = f"{channels['used']} of {channels['bound']} in use, {channels['peak']} at most"
    refused = f", {channels['refused']} calls refused for lack of one" if channels["refused"] else ""
    yield f"{paper.bold('channels')}  {used}{refused}"
    if channels["stuck"]:
        yield f"  {paper.bad('held too long')} by the calls {', '.join(channels['stuck'])}"
    yield paper.bold("registrations") + ("" if status["registrations"] else "  none")
    for entry in status["registrations"]:
        left = duration(entry["expires"])
        yield f"  {entry['extension']:6} {clean(entry['contact'])}  ({left} left)"
    yield paper.bold("calls") + ("" if status["calls"] else "  none")
    for call in status["calls"]:
        by = f" by {call['gateway']}" if call["gateway"] else ""
        for_ = duration(call["seconds"])
        codec = f"  {call['codec']}" if call["codec"] else ""
        parties = clean(f"{call['from']} > {call['to']}")
        yield f"  {call['direction']:8} {parties}{by}  {call['state']} {for_}{codec}"
    faults = status["wire"]["faults"]
    bugs = f", {paper.bad(f'{faults} faults: see the log')}" if faults else ""
    strangers = f", {status['strangers']} requests of strangers refused" if status["strangers"] else ""
    yield f"{status['served']} calls served{strangers}{bugs}"
