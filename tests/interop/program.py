"""A process that a test starts and ends: every real peer is one, on loopback addresses of its own."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from packages import find

T = TypeVar("T")
Address = tuple[str, int]

_PAUSE = threading.Event()  # never set: waiting on it is how a probe is paced
_host = itertools.count(1)


class PeerError(AssertionError):
    """A peer did not do what the test needs of it; carries the end of its log."""


def loopback() -> str:
    """A loopback address that nothing else uses: by the pid of this process, then counted."""
    number, pid = next(_host), os.getpid()
    return f"127.{64 + pid % 64}.{1 + pid // 64 % 250}.{number % 254 + 1}"


def until(probe: Callable[[], T | None], seconds: float, what: str, program: Program | None = None) -> T:
    """The first thing ``probe`` finds that is neither None nor False, asked again and again.

    Raises PeerError, naming ``what``, after ``seconds`` or as soon as ``program`` has ended without it.
    """
    end_at = time.monotonic() + seconds
    while True:
        ended = program is not None and not program.running
        found = probe()
        if found is not None and found is not False:
            return found
        if ended or time.monotonic() > end_at:
            why = "ended" if ended else f"waited {seconds:g} s"
            raise PeerError(f"{what}: {why}\n{program.tail() if program else ''}")
        _PAUSE.wait(0.01)


class Program:
    """One peer's process, in a directory of its own with its log in it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        directory: Path,
        *,
        environment: Mapping[str, str] | None = None,
        core: int | None = None,
    ) -> None:
        """Starts ``command``, whose name is looked for as tools/packages.py does.

        ``environment`` is added to this process's own; ``core`` is the one processor it may use.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.name = Path(command[0]).name
        self.log = directory / f"{self.name}.log"
        path = find(str(command[0]))
        if path is None:
            raise PeerError(f"{command[0]} is not installed")
        # Should the tests be killed, the kernel ends what they started.
        words = ["setpriv", "--pdeathsig", "TERM", path, *map(str, command[1:])]
        if core is not None:
            words = ["taskset", "--cpu-list", str(core), *words]
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                words,
                cwd=directory,
                env=os.environ | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def tail(self, size: int = 2000) -> str:
        """The end of what the peer wrote."""
        return self.log.read_text(errors="replace")[-size:]

    def wait(self, seconds: float) -> int:
        """The exit code of a peer that ends by itself; PeerError when it has not after ``seconds``."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise PeerError(f"{self.name} still runs after {seconds:g} s\n{self.tail()}") from None

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            self._child.send_signal(number)

    def stop(self, seconds: float = 5.0) -> int:
        """Ends the peer, by force after ``seconds``; its exit code. Harmless on one that has ended."""
        self.signal(signal.SIGTERM)
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
