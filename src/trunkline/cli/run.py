"""Run the IPBX of a site file.

SIGTERM and Ctrl-C drain: no new calls, BYE to the rest, then out; a second one stops at
once. SIGHUP reads the file again: new calls take it, running calls keep what they have; a
file with errors is refused, and the old one stays in force.

Exit codes: 0 stopped as asked; 1 it cannot start here (an address, a port, the trace
file); 2 the site file cannot be read or has errors."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trunkline.aio import clock
from trunkline.aio.clock import SystemIds
from trunkline.aio.driver import Driver
from trunkline.aio.run import on_signals, run
from trunkline.aio.sockets import NoFolder, control_path
from trunkline.aio.store import RecordStore
from trunkline.call.node import Log
from trunkline.cli import serving
from trunkline.cli.sitefile import EXIT_GOOD, Refused, complain, lines, ready
from trunkline.pbx.exchange import Listen
from trunkline.pbx.ipbx import Ipbx, Reload
from trunkline.site.model import Site


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    serving.arguments(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        site = ready(given.site)
    except Refused as refused:
        return complain(refused)
    try:
        return run(_serve(given, site))
    except (OSError, NoFolder) as error:
        return serving.cannot_start(error)


async def _serve(given: Namespace, site: Site) -> int:
    ids, now = SystemIds(), clock.now()
    ipbx = Ipbx(site, ids, now)
    async with serving.Parts() as parts:
        records = parts.records(site.records, Path(given.site).parent)
        driver = Driver(names=parts.names(site.dns), records=records, trace=parts.trace(given.trace))
        for transport, (address, port) in ipbx.exchange.listen.every():
            (driver.udp if transport == "UDP" else driver.tcp)(address, port)
        parts.callback(driver.close)
        office = _Office(given.site, site, ipbx, driver, records)
        socket = Path(given.socket) if given.socket else control_path(given.site)
        await parts.control(socket, office.answer)
        give_back = on_signals([driver], bound=site.calls.drain_max, reload=office.hang_up)
        try:
            driver.start(ipbx, ipbx.start(now))
            serving.tell(given, office.ready(socket, bool(given.socket)), _ready_line)
            serving.until_stdin_ends(given, [driver], site.calls.drain_max)
            drained = await driver.ended()
        finally:
            give_back()
        left = len(ipbx.calls)
        serving.tell(given, {"event": "stopped", "drained": drained, "calls_left": left}, _stopped_line)
    return EXIT_GOOD


class _Office:
    """What the running IPBX is asked and told from outside SIP."""

    def __init__(
        self, file: str, site: Site, ipbx: Ipbx, driver: Driver, records: RecordStore | None
    ) -> None:
        self.file, self.site, self.ipbx, self.driver, self.records = file, site, ipbx, driver, records
        self.reloads = 0

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One question on the control socket."""
        match asked.get("ask"):
            case "status":
                status = self.ipbx.status(clock.now())
                return {"file": self.file, **status, "reloads": self.reloads, "wire": self.driver.counters()}
            case "reload":
                return {"reloaded": not (errors := self.reload()), "errors": errors}
            case "drain":
                self.driver.drain(self.site.calls.drain_max)
                return {"draining": True}
        raise ValueError("ask one of: status, reload, drain")

    def hang_up(self) -> None:
        """SIGHUP: the site file is read again, and records go to a new file if theirs was moved away."""
        if self.records is not None:
            try:
                self.records.reopen()
            except OSError as error:
                self.driver.log(Log("error", f"call records stay in the old file: {error}"))
        self.reload()

    def reload(self) -> list[str]:
        """Take the file as it stands now; returns why not, a line an error."""
        log = self.driver.log
        try:
            site = ready(self.file)
        except Refused as refused:
            errors = lines(refused.file, refused.findings)[::2]
            for line in errors:
                log(Log("error", f"site file not reloaded: {line}"))
            return errors
        for what in _only_at_start(self.site, site):
            log(Log("warning", f"{what} changed: it takes effect at the next start"))
        self.site, self.reloads = site, self.reloads + 1
        self.driver.perform(self.ipbx.receive(Reload(site), clock.now()))
        log(Log("info", f"site file {self.file} reloaded; new calls take it"))
        return []

    def ready(self, socket: Path, chosen: bool) -> dict[str, Any]:
        """What is said once calls can come; `chosen`: the socket is not the file's own."""
        listen = self.ipbx.exchange.listen
        return {
            "event": "ready",
            "customer": self.site.customer,
            "phones": {name: f"{host}:{port}" for name, (host, port) in listen.phones.items()},
            "trunk": {name: f"{host}:{port}" for name, (host, port) in listen.trunk.items()},
            "gateways": [gateway.label for gateway in self.site.trunk.gateways],
            "users": len(self.site.users),
            "channels": self.site.trunk.channels,
            "socket": str(socket),
            "ask": f"--socket {socket}" if chosen else self.file,
        }


def _only_at_start(old: Site, new: Site) -> list[str]:
    """What of a new site file waits for the next start."""
    looks: dict[str, Callable[[Site], Any]] = {
        "the listening addresses": lambda site: Listen(site).every(),
        "dns": lambda site: site.dns,
        "records": lambda site: site.records,
        "timers": lambda site: site.timers,
    }
    return [what for what, look in looks.items() if look(old) != look(new)]


def _ready_line(said: dict[str, Any]) -> str:
    phones, trunk = (serving.sockets(said[side]) for side in ("phones", "trunk"))
    return (
        f"ready: {said['customer']}\n"
        f"  phones  {phones}  ({said['users']} users)\n"
        f"  trunk   {trunk}  ({', '.join(said['gateways'])}; {said['channels']} channels)\n"
        f"  ask     trunkline status {said['ask']}"
    )


def _stopped_line(said: dict[str, Any]) -> str:
    left = said["calls_left"]
    return "stopped: no call is left" if not left else f"stopped with {left} calls that did not end in time"
