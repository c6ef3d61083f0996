"""The IPBX and the access SBCs of a lab: a process each, so that one can be killed or stopped like a machine.

Each runs `python -m trunkline run|carrier` on the lab's site file, says on its standard
output when it is ready, and answers on its control socket. It ends when its standard
input does, so none outlives the lab, whatever becomes of that.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trunkline.aio import control

START = 20.0  # seconds a process may take until it is ready
STOP = 5.0  # and to end after SIGTERM
POLL = 0.05  # between two looks at a status that is waited for
_STDERR = 2
_KEPT = 200  # lines of its log that are remembered


class LabError(Exception):
    """The lab cannot go on; in words, with what the process said last."""


class Child(asyncio.SubprocessProtocol):
    """One process of the lab; `label` is how people call it."""

    def __init__(
        self, label: str, words: Sequence[str], socket: Path, log: Callable[[str, str], None]
    ) -> None:
        self.label, self.socket = label, socket
        self._words = [*words, "--socket", str(socket), "--json", "--while-stdin"]
        self._log = log
        self.frozen = False
        self._process: asyncio.SubprocessTransport | None = None
        self._lines: dict[int, bytes] = {}  # by file descriptor: what came since the last line end
        self._said: deque[str] = deque(maxlen=_KEPT)
        self._ready: asyncio.Future[bool]
        self._ended: asyncio.Future[None]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.get_pid()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.get_returncode() is None

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises LabError."""
        self.socket.unlink(missing_ok=True)  # a killed one left it
        loop = asyncio.get_running_loop()
        self._ready, self._ended = loop.create_future(), loop.create_future()
        command = [sys.executable, "-m", "trunkline", *self._words]
        # A session of its own: Ctrl-C is the lab's, which ends its processes in order.
        self._process, _ = await loop.subprocess_exec(lambda: self, *command, start_new_session=True)
        try:
            async with asyncio.timeout(START):
                ready = await self._ready
        except TimeoutError:
            ready = False
        if not ready:
            await self.end()
            raise LabError(f"{self.label} did not start: {' / '.join(self._said) or 'it said nothing'}")

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, self._lines[fd] = (self._lines.get(fd, b"") + data).split(b"\n")
        for line in lines:
            if fd == _STDERR:
                text = line.decode(errors="replace")
                self._said.append(text)
                self._log(self.label, text)
            elif b'"ready"' in line and not self._ready.done():
                self._ready.set_result(True)

    def process_exited(self) -> None:
        if not self._ready.done():
            self._ready.set_result(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has exited and its pipes are read to their end."""
        self._ended.set_result(None)

    # --- asking -----------------------------------------------------------------------

    async def ask(self, ask: str, **more: Any) -> dict[str, Any]:
        """Ask it on its control socket. Raises LabError when it cannot or will not answer."""
        try:
            answer = await control.ask(self.socket, {"ask": ask, **more})
        except (OSError, ValueError) as error:
            raise LabError(f"{self.label} does not answer: {error}") from None
        if "error" in answer:
            raise LabError(f"{self.label}: {answer['error']}")
        return answer

    async def until(self, holds: Callable[[dict[str, Any]], bool], within: float) -> dict[str, Any] | None:
        """Its status as soon as `holds` is true of it; None if that does not happen in time."""
        try:
            async with asyncio.timeout(within):
                while True:
                    status = await self.ask("status")
                    if holds(status):
                        return status
                    await asyncio.sleep(POLL)
        except TimeoutError:
            return None

    # --- its end ----------------------------------------------------------------------

    def freeze(self) -> None:
        """SIGSTOP: it is there and does nothing, as a hung machine; its media workers go on."""
        self.frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.frozen = False
        self._signal(signal.SIGCONT)

    def hang_up(self) -> None:
        """SIGHUP: it reads its site file again."""
        self._signal(signal.SIGHUP)

    async def kill(self) -> None:
        """SIGKILL, its media workers with it: it is gone, and so are its sockets."""
        self._kill()
        await self.gone()

    async def end(self) -> None:
        """SIGTERM, and SIGKILL if that does not do."""
        if self.runs:
            self.thaw()
            self._signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP):
                    await self.gone()
            except TimeoutError:
                self._kill()
        await self.gone()

    async def gone(self) -> None:
        """Wait until it has ended, however that came."""
        if self._process is not None:
            await asyncio.shield(self._ended)
            self._process.close()

    def _signal(self, number: signal.Signals) -> None:
        if self.runs and self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _kill(self) -> None:
        """End its whole session: there is nobody in it but the process and what it started."""
        if self.runs:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
