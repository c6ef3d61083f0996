"""Run the IPBX of a site file.

SIGTERM and Ctrl-C drain: no new calls, BYE to the rest, then out; a second one stops at
once. SIGHUP reads the file and the certificates again: new calls and new connections take
them, running ones keep what they have; a file with errors is refused, and the old one
stays in force.

Exit codes: 0 stopped as asked; 1 it cannot start here (an address, a port, the trace
file); 2 the site file or a certificate file cannot be read or has errors."""

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
from trunkline.aio.tls_session import civil_now
from trunkline.call.node import Log
from trunkline.cli import asking, certificates, serving
from trunkline.cli.certificates import Papers
from trunkline.cli.sitefile import EXIT_GOOD, Refused, complain, lines, placed, ready
from trunkline.finding import Finding, Level, Wording, said
from trunkline.pbx.exchange import Listen
from trunkline.pbx.ipbx import Ipbx, Reload
from trunkline.site.model import Site
from trunkline.site.text import SOURCE


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    serving.arguments(parser)
    parser.add_argument(
        "--keylog", metavar="FILE", help="append the TLS keys, for Wireshark: who has them reads every call"
    )


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        site, papers, doubts = _settings(given.site)
    except Refused as refused:
        return complain(refused)
    try:
        return run(_serve(given, site, papers, doubts))
    except (OSError, NoFolder) as error:
        return asking.cannot_start(error)


def _settings(file: str) -> tuple[Site, Papers | None, tuple[Finding, ...]]:
    """The site, its certificates, and what a peer may hold against them. Raises Refused."""
    site = ready(file)
    papers, findings = certificates.read(site, Path(file).parent, civil_now())
    wrong = [found for found in findings if found.level is Level.MUST]
    if wrong:
        raise Refused(file, placed(file, wrong))
    return site, papers, placed(file, findings)


async def _serve(given: Namespace, site: Site, papers: Papers | None, doubts: tuple[Finding, ...]) -> int:
    ids, now = SystemIds(), clock.now()
    ipbx = Ipbx(site, ids, now)
    async with serving.Parts() as parts:
        records = parts.records(site.records, Path(given.site).parent)
        driver = Driver(names=parts.names(site.dns), records=records, trace=parts.trace(given.trace))
        parts.callback(driver.close)
        office = _Office(given.site, site, papers, ipbx, driver, records)
        office.doubt(doubts)
        _listen(driver, site, papers, given.keylog or "")
        if ipbx.exchange.anchors:
            parts.workers(driver, ids, _anchoring(site, ipbx.exchange.listen))
        socket = Path(given.socket) if given.socket else control_path(given.site)
        await parts.control(socket, office.answer)
        give_back = on_signals([driver], bound=site.calls.drain_max, reload=office.hang_up)
        try:
            driver.start(ipbx, ipbx.start(now))
            asking.tell(given, office.ready(socket, bool(given.socket)), _ready_line)
            serving.until_stdin_ends(given, [driver], site.calls.drain_max)
            drained = await driver.ended()
        finally:
            give_back()
        left = len(ipbx.calls)
        asking.tell(given, {"event": "stopped", "drained": drained, "calls_left": left}, _stopped_line)
    return EXIT_GOOD


def _listen(driver: Driver, site: Site, papers: Papers | None, keylog: str) -> None:
    """Open every port of the site. Raises OSError."""
    for transport, (address, port) in Listen(site).every():
        if transport != "TLS":
            (driver.udp if transport == "UDP" else driver.tcp)(address, port)
    for (address, port), parties in certificates.secured(site, papers).items():
        driver.tls(address, port, parties, upkeep=certificates.UPKEEP, keylog=keylog)


def _anchoring(site: Site, listen: Listen) -> serving.Media:
    """Trunk ports on the trunk's address, phone ports on the phones'; where both are one, the trunk's."""
    ranges = {listen.phones_address: (site.media.phone_ports.first, site.media.phone_ports.last)}
    if (trunk := site.media.trunk_ports) is not None:
        ranges[listen.trunk_address] = (trunk.first, trunk.last)
    return serving.Media(ranges, site.media.dscp, site.media.workers)


class _Office:
    """What the running IPBX is asked and told from outside SIP."""

    def __init__(
        self,
        file: str,
        site: Site,
        papers: Papers | None,
        ipbx: Ipbx,
        driver: Driver,
        records: RecordStore | None,
    ) -> None:
        self.file, self.site, self.papers = file, site, papers
        self.ipbx, self.driver, self.records = ipbx, driver, records
        self.reloads = 0

    def doubt(self, findings: tuple[Finding, ...]) -> None:
        """Tell what a peer may hold against our certificates."""
        for line in lines(self.file, findings)[::2]:
            self.driver.log(Log("warning", line))

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One question on the control socket."""
        match asked.get("ask"):
            case "status":
                status = self.ipbx.status(clock.now())
                shown = [] if self.papers is None else self.papers.shown()
                status = {"file": self.file, **status, "certificates": shown}
                return {**status, "reloads": self.reloads, "wire": self.driver.counters()}
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
            site, papers, doubts = _settings(self.file)
            if site.architecture != self.site.architecture:
                says = said(
                    "{architecture} runs here; another architecture needs a new start",
                    "{architecture} est en service ici ; une autre architecture demande un redémarrage",
                    architecture=self.site.architecture,
                )
                raise Refused(self.file, placed(self.file, [_at_start("architecture", says)]))
        except Refused as refused:
            errors = lines(refused.file, refused.findings)[::2]
            for line in errors:
                log(Log("error", f"site file not reloaded: {line}"))
            return errors
        self.doubt(doubts)
        self._renew(site, papers)
        for what in _only_at_start(self.site, site):
            log(Log("warning", f"{what} changed: it takes effect at the next start"))
        self.site, self.papers, self.reloads = site, papers, self.reloads + 1
        self.driver.perform(self.ipbx.receive(Reload(site), clock.now()))
        log(Log("info", f"site file {self.file} reloaded; new calls take it"))
        return []

    def _renew(self, site: Site, papers: Papers | None) -> None:
        """Today's certificates and terms, for the handshakes to come on the ports that are open."""
        today = certificates.secured(site, papers)
        for local in certificates.secured(self.site, self.papers):
            if local in today:
                self.driver.renew_tls(local, today[local])

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
        "media": lambda site: site.media,
    }
    return [what for what, look in looks.items() if look(old) != look(new)]


def _at_start(key: str, says: Wording) -> Finding:
    mend = said("stop it and start it again", "arrêtez-le et redémarrez-le")
    return Finding("SITE-19", Level.MUST, key, says, mend, SOURCE)


def _ready_line(event: dict[str, Any]) -> str:
    phones, trunk = (serving.sockets(event[side]) for side in ("phones", "trunk"))
    return (
        f"ready: {event['customer']}\n"
        f"  phones  {phones}  ({event['users']} users)\n"
        f"  trunk   {trunk}  ({', '.join(event['gateways'])}; {event['channels']} channels)\n"
        f"  ask     trunkline status {event['ask']}"
    )


def _stopped_line(event: dict[str, Any]) -> str:
    left = event["calls_left"]
    return "stopped: no call is left" if not left else f"stopped with {left} calls that did not end in time"
