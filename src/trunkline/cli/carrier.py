"""Run the virtual carrier that a site needs: its access SBCs, with the public network behind them.

Each SBC can be asked while it runs, in another terminal:

  trunkline carrier SITE.yaml --sbc nominal --ask fault 503      none, 503, 100 or silent
  trunkline carrier SITE.yaml --sbc nominal --ask fault 503 60   and ask for 60 s of rest
  trunkline carrier SITE.yaml --sbc nominal --ask place +33199009001 +33199001001
  trunkline carrier SITE.yaml --sbc nominal --ask status
  trunkline carrier SITE.yaml --sbc nominal --ask renew          (or SIGHUP)

`place` lets a subscriber call a number of the customer's; `renew` reads the SBC's
certificates again, for the connections to come. Over the internet media is in processes
of its own, and goes on while this one is stopped (SIGSTOP).

Exit codes: 0 stopped as asked, or answered; 1 it cannot start here, or the SBC refused
what was asked; 2 the site file or a certificate file cannot be read or has errors."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from trunkline.aio import clock
from trunkline.aio.clock import SystemIds
from trunkline.aio.driver import Driver, Trace, log_line
from trunkline.aio.media import MediaEnds
from trunkline.aio.run import on_signals, run
from trunkline.aio.sockets import NoFolder, control_path
from trunkline.aio.tls_stream import Parties
from trunkline.call.node import Log
from trunkline.call.party import TEST_TONES, Behaviour
from trunkline.carrier.faults import Fault
from trunkline.carrier.sbc import Sbc
from trunkline.cli import asking, certificates, sbc_certificates, serving
from trunkline.cli.guides import NoFacts, facts_of
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, Refused, complain, lines, placed, ready
from trunkline.guide.facts import Facts
from trunkline.site.model import CarrierSbc, Site

PLACED_SECONDS = 10.0  # a call that was asked for hangs up by itself after that
TONE = 425


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument("--sbc", metavar="LABEL", help="only this access SBC (default: all of carrier.sbcs)")
    parser.add_argument("--ask", nargs="+", metavar="WORD", help="ask the one that runs (see above)")
    serving.arguments(parser)
    parser.add_argument(
        "--keylog", metavar="FILE", help="append the TLS keys, for Wireshark: who has them reads every call"
    )


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        site = ready(given.site, wanted=("trunk",))  # the account its trunk registers with, if any
    except Refused as refused:
        return complain(refused)
    sbcs = [sbc for sbc in site.carrier.sbcs if given.sbc in (None, sbc.label)]
    if not sbcs:
        known = ", ".join(sbc.label for sbc in site.carrier.sbcs) or "none"
        what = f"no access SBC {given.sbc!r}" if given.sbc else "no access SBC"
        print(f"{given.site}: carrier.sbcs has {what} (there: {known})", file=sys.stderr)
        return asking.EXIT_USE
    try:
        if given.ask:
            return _ask(given, sbcs)
        return run(_serve(given, site, facts_of(site, Path(given.site).parent), sbcs))
    except NoFacts as error:
        return complain(Refused(given.site, placed(given.site, (error.finding(),))))
    except Refused as refused:
        return complain(refused)
    except (OSError, NoFolder) as error:
        return asking.cannot_start(error)


# --- running --------------------------------------------------------------------------


async def _serve(given: Namespace, site: Site, facts: Facts, sbcs: list[CarrierSbc]) -> int:
    async with serving.Parts() as parts:
        trace = parts.trace(given.trace)
        rooms = [_Room(given, site, facts, sbc, trace) for sbc in sbcs]
        for room in rooms:
            parts.callback(room.close)
            room.open(parts)
            await parts.control(_socket(given, room.label, len(sbcs)), room.answer)
        drivers = [room.driver for room in rooms]
        give_back = on_signals(drivers, bound=site.calls.drain_max, reload=lambda: _renew(rooms))
        try:
            for room in rooms:
                room.driver.start(room.sbc, room.sbc.start(clock.now()))
            said = [room.ready(_socket(given, room.label, len(sbcs))) for room in rooms]
            asking.tell(given, {"event": "ready", "sbcs": said}, _ready_lines)
            serving.until_stdin_ends(given, [room.driver for room in rooms], site.calls.drain_max)
            for room in rooms:
                await room.driver.ended()
        finally:
            give_back()
        asking.tell(given, {"event": "stopped"}, lambda _: "stopped")
    return EXIT_GOOD


def _renew(rooms: list[_Room]) -> None:
    """SIGHUP: every SBC reads its certificates again."""
    for room in rooms:
        room.renew()


def _socket(given: Namespace, label: str, count: int) -> Path:
    if given.socket:
        return Path(given.socket if count == 1 else f"{given.socket}.{label}")
    return control_path(given.site, label)


class _Room:
    """One access SBC with its driver and its subscribers' media."""

    def __init__(
        self, given: Namespace, site: Site, facts: Facts, settings: CarrierSbc, trace: Trace | None
    ) -> None:
        self.label, self.settings, self.site, self.facts = settings.label, settings, site, facts
        self._file, self._keylog = given.site, given.keylog or ""
        self._ids = SystemIds()
        self.sbc = Sbc(site, settings, self._ids, clock.now())
        self.driver = Driver(trace=trace, log=self._log)
        self._ends: MediaEnds | None = None

    def open(self, parts: serving.Parts) -> None:
        """Open its ports and its media. Raises OSError, and Refused for its certificates."""
        here, driver = self.settings, self.driver
        if not self.sbc.secure:
            driver.udp(here.signalling, here.port)
            driver.tcp(here.signalling, here.port)
            self._ends = driver.media = MediaEnds(driver.feed, self._ids)
            return
        parties, keylog = self._parties(), self._keylog
        driver.tls(here.signalling, here.port, parties, upkeep=certificates.UPKEEP, keylog=keylog)
        driver.udp(here.signalling, here.public_port)
        parts.workers(driver, self._ids, self._media())

    def _media(self) -> serving.Media:
        """Ports and mark of the guide; where it leaves them open, what the customer's side has."""
        facts, media = self.facts, self.site.media
        first, last = media.phone_ports.first, media.phone_ports.last
        if facts.known("internet.media_ports"):
            first, last = facts.numbers("internet.media_ports")
        dscp = facts.number("qos.dscp_media", media.dscp)
        return serving.Media({self.settings.media: (first, last)}, dscp, workers=1)

    def _parties(self) -> Parties:
        return sbc_certificates.parties(self._file, self.site, self.settings, self.facts)

    def renew(self) -> list[str]:
        """Read the certificates again, for the handshakes to come; why not, a line an error."""
        if not self.sbc.secure:
            return ["there is no TLS here, and so no certificate"]
        try:
            self.driver.renew_tls(self.sbc.local, self._parties())
        except Refused as refused:
            errors = lines(refused.file, refused.findings)[::2]
            for line in errors:
                self._log(Log("error", f"certificates not renewed: {line}"))
            return errors
        self._log(Log("info", "certificates read again; new connections take them"))
        return []

    def close(self) -> None:
        if self._ends is not None:
            self._ends.close()
        self.driver.close()

    def ready(self, socket: Path) -> dict[str, Any]:
        """What is said once calls can come."""
        here = self.settings
        return {
            "sbc": here.label,
            "signalling": f"{here.signalling}:{here.port}",
            "transport": "TLS" if self.sbc.secure else "UDP and TCP",
            "media": here.media,
            "socket": str(socket),
        }

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One question on its control socket. Raises ValueError for what it does not understand."""
        match asked.get("ask"):
            case "status":
                return {**self.sbc.status(clock.now()), "wire": self.driver.counters()}
            case "fault":
                self.sbc.suffer(Fault(str(asked.get("fault", ""))), int(asked.get("retry_after", 0)))
                return {"fault": str(self.sbc.fault)}
            case "place":
                return self._place(asked)
            case "listen":
                tones = tuple(int(tone) for tone in asked.get("tones", TEST_TONES))
                self.driver.perform(self.sbc.listen(tones))
                return {"listening": len(self.sbc.calls)}
            case "renew":
                return {"renewed": not (errors := self.renew()), "errors": errors}
        raise ValueError("ask one of: status, fault, place, listen, renew")

    def _place(self, asked: dict[str, Any]) -> dict[str, Any]:
        caller, number = str(asked.get("caller", "")), str(asked.get("number", ""))
        if not number:
            raise ValueError("place needs a caller ('' hides it) and a number")
        tone = int(asked.get("tone", self._tone_of(caller)))
        seconds = float(asked.get("seconds", PLACED_SECONDS))
        behaviour = Behaviour(tone=tone, listen=TEST_TONES, seconds=seconds)
        leg, outputs = self.sbc.place(caller, number, behaviour, clock.now())
        self.driver.perform(outputs)
        return {"leg": leg}

    def _tone_of(self, number: str) -> int:
        mine = (known.tone for known in self.site.carrier.subscribers if known.number == number)
        return next(mine, TONE)

    def _log(self, log: Log) -> None:
        log_line(Log(log.level, f"{self.label}: {log.text}"))


def _ready_lines(said: dict[str, Any]) -> str:
    rows = []
    for sbc in said["sbcs"]:
        where = f"signalling {sbc['transport']} {sbc['signalling']}  media {sbc['media']}"
        rows += [f"  {sbc['sbc']}  {where}", f"    socket {sbc['socket']}"]
    return "\n".join(["ready:", *rows])


# --- asking ---------------------------------------------------------------------------


def _ask(given: Namespace, sbcs: list[CarrierSbc]) -> int:
    if len(sbcs) != 1:
        print("say which access SBC: --sbc LABEL", file=sys.stderr)
        return asking.EXIT_USE
    question = _question(given.ask)
    if question is None:
        print(
            "ask one of: status; fault none|503|100|silent; fault 503 SECONDS; place CALLER NUMBER; renew",
            file=sys.stderr,
        )
        return asking.EXIT_USE
    answer = asking.asked(_socket(given, sbcs[0].label, 1), question)
    asking.tell(given, answer, _answer_lines)
    return EXIT_FINDINGS if "error" in answer or answer.get("errors") else EXIT_GOOD


def _question(words: list[str]) -> dict[str, Any] | None:
    match words:
        case ["status" | "renew" as word]:
            return {"ask": word}
        case ["fault", fault] if fault in set(Fault):
            return {"ask": "fault", "fault": fault}
        case ["fault", Fault.UNAVAILABLE, seconds] if seconds.isascii() and seconds.isdigit():
            return {"ask": "fault", "fault": str(Fault.UNAVAILABLE), "retry_after": int(seconds)}
        case ["place", caller, number]:
            return {"ask": "place", "caller": caller, "number": number}
    return None


def _answer_lines(answer: dict[str, Any]) -> str:
    plain = {key: value for key, value in answer.items() if not isinstance(value, dict | list)}
    rows = [f"{key}: {value}" for key, value in plain.items()]
    rows += answer.get("errors", ())
    if (tls := answer.get("customer", {}).get("tls")) is not None:
        rows.append(f"TLS: {tls['refused'] or _spoken(tls)}")
    for talk in answer.get("talks", ()):
        heard = " ".join(f"{tone} Hz" for tone in talk["heard"]) or "nothing yet"
        rows.append(f"  {talk['number']} with {talk['other']}: {talk['state']}, heard {heard}")
    return "\n".join(rows)


def _spoken(tls: dict[str, Any]) -> str:
    return f"{tls['version']} with {tls['suite']}; the customer is {', '.join(tls['theirs'])}"
