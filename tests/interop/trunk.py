"""The trunk under test: the IPBX and the carrier's access SBCs, as the product runs them.

Each is a process of its own on loopback addresses of its own, asked over its control socket. Signalling and
media of an SBC are on different addresses, as the guide has it. Timers are a lab's: T1 is 0.1 s, so that a
lost message costs little and all has ended 6.4 s after it was over. Where load must not look like loss, T1 is
the RFC's.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.example_site import edited, tree
from tests.interop.program import Address, PeerError, Program, loopback, until

T1 = 0.1  # s
LINGER = 64  # times T1 that a transaction may remain after its call (timers B, F, H, J, L, M)
PASSWORD = "open-sesame"


@dataclass(frozen=True)
class Places:
    """Where everything stands; an SBC is its signalling address and, for media, a second one."""

    ipbx: str = field(default_factory=loopback)
    nominal: str = field(default_factory=loopback)
    nominal_media: str = field(default_factory=loopback)
    backup: str = field(default_factory=loopback)
    backup_media: str = field(default_factory=loopback)

    @property
    def phones(self) -> Address:
        """Where phones register."""
        return self.ipbx, 5059

    @property
    def trunk(self) -> Address:
        """Where the carrier sends calls."""
        return self.ipbx, 5060


def site(
    directory: Path,
    places: Places,
    *,
    subscribers: Sequence[Mapping[str, object]] = (),
    t1: float = T1,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Writes the shipped example as this test's site, and returns the file.

    Users 201 to 204 have the DDIs +33199001001 to 004 and ``PASSWORD``. ``subscribers`` join those of the
    example. ``t1`` (s) scales all timers, those that judge a gateway among them. ``changes`` replace values
    at dotted paths of the tree.
    """
    directory.mkdir(parents=True, exist_ok=True)
    gateways = [
        {
            "label": label,
            "general": {"index": index},
            "dns": {"mode": "none"},
            "domain_proxy": {"target_domain": address, "outbound_proxy": address, "port": 5060},
            "media": {"bandwidth": 1000},
            "protocol": {
                "supervision": {
                    "every_up": 10 * t1,
                    "every_down": 10 * t1,
                    "timeout": 9 * t1,
                    "hold_down": 5 * t1,
                },
                "initial_timeout": 10 * t1,
                "trying_timeout": 10 * t1,
            },
        }
        for index, (label, address) in enumerate(
            (("nominal", places.nominal), ("backup", places.backup)), start=1
        )
    ]
    sbcs = [
        {"label": "nominal", "signalling": places.nominal, "media": places.nominal_media},
        {"label": "backup", "signalling": places.backup, "media": places.backup_media},
    ]
    people = [
        {"extension": f"{201 + n}", "ddi": f"+331990010{1 + n:02d}", "password": PASSWORD} for n in range(4)
    ]
    text = edited(
        {
            # baresip 1.0 and SIPp 3.6 know MD5 alone, and give up where a SHA-256 challenge comes first.
            "phones.digest": ["MD5"],
            "phones.expires_min": 30,
            "interfaces.eth0": {"address": places.ipbx},
            "dns": [],
            "timers": {"t1": t1, "t2": 4 * t1, "t4": 5 * t1},
            "trunk.channels": 1000,
            "trunk.gateways": gateways,
            "users": people,
            "records.file": str(directory / "records.jsonl"),
            "carrier.channels": 1000,
            "carrier.supervision": {"options": False},
            "carrier.sbcs": sbcs,
            "carrier.subscribers": [*tree()["carrier"]["subscribers"], *subscribers],
            **(changes or {}),
        }
    )
    file = directory / "site.yaml"
    file.write_text(text)
    return file


class Node(Program):
    """A process of the product that can be asked over its control socket."""

    def __init__(
        self,
        verb: str,
        site: Path,
        directory: Path,
        labels: Sequence[str] = (),
        trace: Path | None = None,
        *options: str | Path,
    ) -> None:
        # A Unix socket's name must be short; a test's directory may not be.
        self._private = tempfile.TemporaryDirectory(prefix="trunkline-")
        self._socket = Path(self._private.name) / "control"
        words: list[str | Path] = [sys.executable, "-m", "trunkline", verb, site, "--socket", self._socket]
        if trace is not None:
            words += ["--trace", trace]
        words += options
        super().__init__(words, directory)
        try:
            for label in labels or ("",):
                until(partial(self._answers, label), 20.0, f"an answer of {verb} {label}", self)
        except BaseException:
            self.stop()
            raise

    def _answers(self, label: str) -> bool:
        try:
            return bool(self.ask("status", label))
        except OSError:  # not there yet
            return False

    def _at(self, label: str) -> Path:
        return self._socket.with_suffix(f".{label}") if label else self._socket

    def ask(self, ask: str, label: str = "", **more: object) -> dict[str, Any]:
        """Sends one request and returns the answer; ``label`` is that of an access SBC."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(10.0)
            asking.connect(str(self._at(label)))
            asking.sendall(json.dumps({"ask": ask, **more}).encode() + b"\n")
            with asking.makefile() as answers:
                line = answers.readline()
        answer: dict[str, Any] = json.loads(line or "{}")
        if not line or "error" in answer:
            raise PeerError(f"{self.name}: {ask}: {answer.get('error', 'no answer')}\n{self.tail()}")
        return answer

    def resident(self) -> int:
        """The bytes of memory that it holds."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))

    def stop(self, seconds: float = 5.0) -> int:
        try:
            return super().stop(seconds)
        finally:
            self._private.cleanup()


class Ipbx(Node):
    """The IPBX of a site file."""

    def __init__(
        self,
        site: Path,
        directory: Path,
        trace: Path | None = None,
        *options: str | Path,
        t1: float = T1,
    ) -> None:
        super().__init__("run", site, directory, (), trace, *options)
        self._records = site.parent / "records.jsonl"
        self._linger = LINGER * t1

    def status(self) -> dict[str, Any]:
        return self.ask("status")

    def gateway(self, label: str) -> dict[str, Any]:
        gateways: list[dict[str, Any]] = self.status()["gateways"]
        return next(gateway for gateway in gateways if gateway["label"] == label)

    def ready(self, *up: str) -> None:
        """Waits until these gateways are up: one OPTIONS each was answered."""
        eventually(
            f"{' and '.join(up)} up", lambda: all(self.gateway(label)["health"] == "up" for label in up)
        )

    def registered(self, count: int) -> None:
        """Waits until so many phones are registered."""
        eventually(f"{count} registrations", lambda: len(self.status()["registrations"]) == count)

    def free(self) -> dict[str, Any]:
        """Waits until no call, no channel and no dialog is left, and returns that status."""
        return self._until(
            "a free IPBX",
            lambda status: status["calls"] or status["channels"]["used"] or status["remains"]["dialogs"],
        )

    def idle(self) -> dict[str, Any]:
        """Waits until the timers of the last transaction are over, too, and returns that status.

        The supervision may have an OPTIONS in the air: what counts is a moment without. A refusal is kept
        for 32 s over UDP (RFC 3261 timer D), so this is for calls that were answered.
        """
        self.free()
        return self._until("an idle IPBX", lambda status: any(status["remains"].values()))

    def _until(self, what: str, busy: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        def settled() -> dict[str, Any] | None:
            status = self.status()
            return None if busy(status) else status

        try:
            return until(settled, 2 * self._linger + 5.0, what, self)  # an ACK that never comes, then a BYE
        except PeerError as error:
            raise PeerError(f"{error}\n{json.dumps(self.status(), indent=1)}") from None

    def records(self, kind: str = "call") -> list[dict[str, Any]]:
        """The records written so far, of calls or of legs."""
        if not self._records.exists():
            return []
        every = [json.loads(line) for line in self._records.read_text().splitlines()]
        return [record for record in every if record["record"] == kind]

    def recorded(self, count: int) -> list[dict[str, Any]]:
        """Waits until ``count`` calls are recorded, and returns their records, oldest first."""
        until(lambda: len(self.records()) >= count, self._linger + 5.0, f"{count} call records", self)
        return self.records()


class Carrier(Node):
    """The access SBCs of a site file with the public network behind them."""

    def __init__(self, site: Path, directory: Path, trace: Path | None = None) -> None:
        super().__init__("carrier", site, directory, ("nominal", "backup"), trace)

    def status(self, sbc: str = "nominal") -> dict[str, Any]:
        return self.ask("status", sbc)

    def suffer(self, fault: str, sbc: str = "nominal") -> None:
        """Lets an access SBC misbehave from now on, or recover ("none")."""
        self.ask("fault", sbc, fault=fault)

    def place(self, caller: str, number: str, *, tone: int, seconds: float, sbc: str = "nominal") -> None:
        """A built-in subscriber calls one of the customer's numbers and hangs up after ``seconds``."""
        self.ask("place", sbc, caller=caller, number=number, tone=tone, seconds=seconds)

    def heard(self, sbc: str = "nominal") -> set[int]:
        """The tones that built-in subscribers heard in the calls the SBC remembers."""
        return {tone for talk in self.status(sbc)["talks"] for tone in talk["heard"]}


@contextmanager
def standing(
    directory: Path,
    *,
    subscribers: Sequence[Mapping[str, object]] = (),
    t1: float = T1,
) -> Iterator[tuple[Places, Ipbx, Carrier]]:
    """A whole trunk of two access SBCs that are up."""
    places = Places()
    file = site(directory, places, subscribers=subscribers, t1=t1)
    with Carrier(file, directory / "carrier") as carrier, Ipbx(file, directory / "ipbx", t1=t1) as ipbx:
        ipbx.ready("nominal", "backup")
        yield places, ipbx, carrier


def eventually(what: str, probe: Callable[[], object], seconds: float = 10.0) -> None:
    """Waits until ``probe`` says something true."""
    until(lambda: bool(probe()), seconds, what)
