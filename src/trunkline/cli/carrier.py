"""Run the virtual carrier that a site needs: its access SBCs, with the public network behind them.

Each SBC can be asked while it runs, in another terminal:

  trunkline carrier SITE.yaml --sbc nominal --ask fault 503      none, 503, 100 or silent
  trunkline carrier SITE.yaml --sbc nominal --ask place +33199009001 +33199001001
  trunkline carrier SITE.yaml --sbc nominal --ask status

`place` lets a subscriber call a number of the customer's.

Exit codes: 0 stopped as asked, or answered; 1 it cannot start here, or the SBC refused
what was asked; 2 the site file cannot be read or has errors."""

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
from trunkline.call.node import Log
from trunkline.call.party import TEST_TONES, Behaviour
from trunkline.carrier.faults import Fault
from trunkline.carrier.sbc import Sbc
from trunkline.cli import serving
from trunkline.cli.sitefile import EXIT_FINDINGS, EXIT_GOOD, Refused, complain, ready
from trunkline.site.model import CarrierSbc, Site

PLACED_SECONDS = 10.0  # a call that was asked for hangs up by itself after that
TONE = 425


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument("--sbc", metavar="LABEL", help="only this access SBC (default: all of carrier.sbcs)")
    parser.add_argument("--ask", nargs="+", metavar="WORD", help="ask the one that runs (see above)")
    serving.arguments(parser)


def main(given: Namespace) -> int:
    """Run the verb; returns the exit code."""
    try:
        site = ready(given.site, wanted=())
    except Refused as refused:
        return complain(refused)
    sbcs = [sbc for sbc in site.carrier.sbcs if given.sbc in (None, sbc.label)]
    if not sbcs:
        known = ", ".join(sbc.label for sbc in site.carrier.sbcs) or "none"
        what = f"no access SBC {given.sbc!r}" if given.sbc else "no access SBC"
        print(f"{given.site}: carrier.sbcs has {what} (there: {known})", file=sys.stderr)
        return serving.EXIT_USE
    try:
        if given.ask:
            return _ask(given, sbcs)
        return run(_serve(given, site, sbcs))
    except (OSError, NoFolder) as error:
        return serving.cannot_start(error)


# --- running --------------------------------------------------------------------------


async def _serve(given: Namespace, site: Site, sbcs: list[CarrierSbc]) -> int:
    async with serving.Parts() as parts:
        trace = parts.trace(given.trace)
        rooms = [_Room(site, sbc, trace) for sbc in sbcs]
        for room in rooms:
            parts.callback(room.close)
            room.open()
            await parts.control(_socket(given, room.label, len(sbcs)), room.answer)
        give_back = on_signals([room.driver for room in rooms], bound=site.calls.drain_max)
        try:
            for room in rooms:
                room.driver.start(room.sbc, room.sbc.start(clock.now()))
            said = [room.ready(_socket(given, room.label, len(sbcs))) for room in rooms]
            serving.tell(given, {"event": "ready", "sbcs": said}, _ready_lines)
            serving.until_stdin_ends(given, [room.driver for room in rooms], site.calls.drain_max)
            for room in rooms:
                await room.driver.ended()
        finally:
            give_back()
        serving.tell(given, {"event": "stopped"}, lambda _: "stopped")
    return EXIT_GOOD


def _socket(given: Namespace, label: str, count: int) -> Path:
    if given.socket:
        return Path(given.socket if count == 1 else f"{given.socket}.{label}")
    return control_path(given.site, label)


class _Room:
    """One access SBC with its driver and its subscribers' media."""

    def __init__(self, site: Site, settings: CarrierSbc, trace: Trace | None) -> None:
        ids = SystemIds()
        self.label, self.settings, self.site = settings.label, settings, site
        self.sbc = Sbc(site, settings, ids, clock.now())
        self.driver = Driver(trace=trace, log=self._log)
        self.media = MediaEnds(self.driver.feed, ids)
        self.driver.media = self.media

    def open(self) -> None:
        """Open its ports. Raises OSError."""
        self.driver.udp(self.settings.signalling, self.settings.port)
        self.driver.tcp(self.settings.signalling, self.settings.port)

    def close(self) -> None:
        self.media.close()
        self.driver.close()

    def ready(self, socket: Path) -> dict[str, Any]:
        """What is said once calls can come."""
        here = self.settings
        return {
            "sbc": here.label,
            "signalling": f"{here.signalling}:{here.port}",
            "media": here.media,
            "socket": str(socket),
        }

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One question on its control socket. Raises ValueError for what it does not understand."""
        match asked.get("ask"):
            case "status":
                return {**self.sbc.status(clock.now()), "wire": self.driver.counters()}
            case "fault":
                self.sbc.suffer(Fault(str(asked.get("fault", ""))))
                return {"fault": str(self.sbc.fault)}
            case "place":
                return self._place(asked)
            case "listen":
                tones = tuple(int(tone) for tone in asked.get("tones", TEST_TONES))
                self.driver.perform(self.sbc.listen(tones))
                return {"listening": len(self.sbc.calls)}
        raise ValueError("ask one of: status, fault, place, listen")

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
    rows = [
        f"  {sbc['sbc']}  signalling {sbc['signalling']}  media {sbc['media']}\n    socket {sbc['socket']}"
        for sbc in said["sbcs"]
    ]
    return "\n".join(["ready:", *rows])


# --- asking ---------------------------------------------------------------------------


def _ask(given: Namespace, sbcs: list[CarrierSbc]) -> int:
    if len(sbcs) != 1:
        print("say which access SBC: --sbc LABEL", file=sys.stderr)
        return serving.EXIT_USE
    question = _question(given.ask)
    if question is None:
        print("ask one of: status; fault none|503|100|silent; place CALLER NUMBER", file=sys.stderr)
        return serving.EXIT_USE
    answer = serving.asked(_socket(given, sbcs[0].label, 1), question)
    serving.tell(given, answer, _answer_lines)
    return EXIT_FINDINGS if "error" in answer else EXIT_GOOD


def _question(words: list[str]) -> dict[str, Any] | None:
    match words:
        case ["status"]:
            return {"ask": "status"}
        case ["fault", fault] if fault in set(Fault):
            return {"ask": "fault", "fault": fault}
        case ["place", caller, number]:
            return {"ask": "place", "caller": caller, "number": number}
    return None


def _answer_lines(answer: dict[str, Any]) -> str:
    plain = {key: value for key, value in answer.items() if not isinstance(value, dict | list)}
    rows = [f"{key}: {value}" for key, value in plain.items()]
    for talk in answer.get("talks", ()):
        heard = " ".join(f"{tone} Hz" for tone in talk["heard"]) or "nothing yet"
        rows.append(f"  {talk['number']} with {talk['other']}: {talk['state']}, heard {heard}")
    return "\n".join(rows)
