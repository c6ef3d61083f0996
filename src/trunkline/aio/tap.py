"""The tap: writes SIP as our own endpoint saw it to a pcapng file, for Wireshark and our own judges.

It stands above the kernel and above TLS, so it needs no rights and shows what was
meant, not what was sealed. Media keys are masked before they reach the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from trunkline.aio import clock
from trunkline.aio.driver import log_line
from trunkline.call.node import Log
from trunkline.capture import pcap
from trunkline.capture.packet import Wrapper
from trunkline.sdp.crypto import mask_keys
from trunkline.sip.flow import Flow


class Tap:
    """Writes to a new file at `path` (mode 0600). Raises OSError when it cannot be made.

    Each message is in the file at once. The trace ends, and says so once, when the file
    has `most` bytes or the disk takes no more; calls go on.
    """

    def __init__(self, path: Path, *, most: int = 1 << 30, log: Callable[[Log], None] = log_line) -> None:
        self._path, self._left, self._log = path, most, log
        self._wrapper = Wrapper()
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._write(pcap.header())

    def saw(self, data: bytes, flow: Flow, sent: bool) -> None:
        """One message that was sent or arrived; TLS is shown as TCP."""
        if self._file is None:
            return
        ends = (flow.local, flow.remote) if sent else (flow.remote, flow.local)
        transport = "UDP" if flow.transport == "UDP" else "TCP"
        try:
            packets = self._wrapper.wrap(mask_keys(data), transport, *ends)
        except ValueError:
            return  # no address: nothing went there
        at = clock.civil_ns()
        self._write(b"".join(pcap.packet(packet, at, sent=sent) for packet in packets))

    def close(self) -> None:
        """Close the file; what is seen afterwards is not kept."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        self._left -= len(data)
        if self._left < 0:
            self._end("it has reached its size")
            return
        try:
            os.write(self._file, data)
        except OSError as error:
            self._end(error.strerror)

    def _end(self, why: str | None) -> None:
        self.close()
        self._log(Log("warning", f"the trace {self._path} ends here: {why}"))
