"""SIPp as a phone, as a subscriber of the public network, and as a load generator."""

from __future__ import annotations

import csv
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.interop.program import Address, PeerError, Program, until

SCENARIOS = Path(__file__).parent / "scenarios"


@dataclass(frozen=True, slots=True)
class Tally:
    """What one SIPp counted from its start to its end."""

    calls: int  # begun or taken
    successful: int
    failed: int
    retransmissions: int  # sent and received
    lost: int  # calls given up for want of an answer
    unexpected: int  # calls that met a message the scenario does not have

    @property
    def fault(self) -> str:
        """What keeps this from being a clean run, "" when nothing does."""
        if self.successful and not (self.failed or self.retransmissions):
            return ""
        return str(self)


class Sipp(Program):
    """One SIPp that runs one scenario, from ``scenarios/`` by name or a file of one's own by path.

    It calls when there is a ``remote``, else it waits to be called. Scenarios know these keywords besides
    SIPp's own: ``caller`` (call.xml: the number that calls), ``user`` and ``password`` (registrar.xml),
    ``expires`` (register.xml).
    """

    def __init__(
        self,
        scenario: str | Path,
        directory: Path,
        local: Address,
        remote: Address | None = None,
        *,
        calls: int = 0,
        rate: float = 10,
        at_once: int = 0,
        service: str = "service",
        keys: Mapping[str, str] | None = None,
        rows: Sequence[Sequence[str]] = (),
        user: str = "",
        password: str = "",
        pause: float = 0.0,
        transport: str = "u1",
        trace: bool = False,
        round_trips: bool = False,
        options: Sequence[str] = (),
        core: int | None = None,
    ) -> None:
        """Starts it; a waiting one is ready when this returns.

        ``calls`` to make or take before it ends (0: until drained), ``rate`` in calls a second, ``at_once``
        the bound on simultaneous calls (0: SIPp's own), ``service`` the number called, ``rows`` the injected
        [field0], [field1] ... of each call in turn, ``user`` and ``password`` for challenges, ``pause`` the
        seconds a scenario's <pause/> lasts, ``trace`` to write every message to messages.log, ``round_trips``
        to write each response time (see ``response_times``).
        """
        directory.mkdir(parents=True, exist_ok=True)
        path = scenario if isinstance(scenario, Path) else SCENARIOS / f"{scenario}.xml"
        self.local, self._statistics = local, directory / "statistics.csv"
        self._round_trips = round_trips
        ip, port = local
        words: list[str | Path] = ["sipp", *([f"{remote[0]}:{remote[1]}"] if remote else []), "-sf", path]
        words += ["-i", ip, "-p", str(port), "-bind_local", "-ci", ip, "-mi", ip, "-t", transport, "-nostdin"]
        words += ["-s", service, "-d", str(round(pause * 1000)), "-rtcheck", "full", "-buff_size", "4194304"]
        words += [
            "-trace_stat",
            "-stf",
            self._statistics,
            "-fd",
            "1",
            "-trace_err",
            "-error_file",
            directory / "errors.log",
        ]
        words += ["-r", f"{rate:g}"] if remote else []
        words += ["-m", str(calls)] if calls else []
        words += ["-l", str(at_once)] if at_once else []
        words += ["-au", user, "-ap", password] if user else []
        words += ["-trace_msg", "-message_file", directory / "messages.log"] if trace else []
        words += ["-trace_rtt", "-rtt_freq", "1"] if round_trips else []
        for key, value in (
            {"caller": "caller", "expires": "300", "user": "user", "password": ""} | dict(keys or {})
        ).items():
            words += ["-key", key, value]
        if rows:
            table = directory / "rows.csv"
            table.write_text("SEQUENTIAL\n" + "".join(";".join(row) + ";\n" for row in rows))
            words += ["-inf", table]
        super().__init__([*words, *options], directory, core=core)
        if remote is None:
            try:
                until(self._listening, 10.0, f"sipp listening on {ip}:{port}", self)
            except BaseException:
                self.stop()
                raise

    def _listening(self) -> bool:
        """Whether the kernel holds messages for it: from then on none is lost, however slow its start."""
        ip, port = self.local
        number = "".join(f"{int(part):02X}" for part in reversed(ip.split(".")))
        wanted = f"{number}:{port:04X}"
        tables = ("udp", "tcp")
        return any(
            line.split()[1] == wanted
            for table in tables
            for line in Path(f"/proc/{self.pid}/net/{table}").read_text().splitlines()[1:]
        )

    def finished(self, seconds: float) -> Tally:
        """Waits for a SIPp with a number of ``calls`` to end by itself, and says what it counted."""
        self.wait(seconds)
        return self.tally()

    def drained(self, seconds: float = 10.0) -> Tally:
        """Ends a SIPp once its calls in progress are over, and says what it counted."""
        self.signal(signal.SIGUSR1)
        self.wait(seconds)
        return self.tally()

    def tally(self) -> Tally:
        """What it counted; PeerError when it ended before it could count."""
        try:
            with self._statistics.open(newline="") as file:
                row = list(csv.DictReader(file, delimiter=";"))[-1]
        except (OSError, IndexError):
            raise PeerError(f"sipp counted nothing\n{self.errors() or self.tail()}") from None

        def count(*names: str) -> int:
            return sum(int(row[f"{name}(C)"]) for name in names)

        return Tally(
            calls=int(row["TotalCallCreated"]),
            successful=count("SuccessfulCall"),
            failed=count("FailedCall"),
            retransmissions=count("Retransmissions"),
            lost=count("FailedMaxUDPRetrans", "FailedTimeoutOnRecv", "FailedTimeoutOnSend"),
            unexpected=count("FailedUnexpectedMessage"),
        )

    def requests(self, method: str) -> list[str]:
        """The different requests of a method that it got, whole, without retransmissions; needs ``trace``."""
        log = (self.directory / "messages.log").read_text()
        found: dict[tuple[str, ...], str] = {}
        for text in re.split(r"^-{20,}.*$", log, flags=re.MULTILINE):
            if re.search(rf"^{method} sip:", text, re.MULTILINE):
                found.setdefault(tuple(re.findall(r"^(?:Call-ID|CSeq):.*$", text, re.MULTILINE)), text)
        return list(found.values())

    def errors(self) -> str:
        """The end of what SIPp complained of, "" when of nothing."""
        path = self.directory / "errors.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    def response_times(self, name: str = "ringing") -> list[float]:
        """The seconds from a request to a response, one for each call; the scenario names the pair."""
        if not self._round_trips:
            raise ValueError("started without round_trips")
        times = []
        for path in self.directory.glob("*_rtt.csv"):
            for line in path.read_text().splitlines()[1:]:
                _, milliseconds, which = line.split(";")[:3]
                if which.strip('"') == name:
                    times.append(float(milliseconds) / 1000)
        return times
