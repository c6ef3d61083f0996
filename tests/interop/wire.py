"""The wire and its judge: dumpcap takes what passes on an interface, tshark says what it was."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.interop.program import Address, PeerError, Program, until

from packages import find

MALFORMED = "_ws.malformed or _ws.expert.severity == error"


class Dumpcap(Program):
    """Captures an interface of this network namespace into a file. For tests marked ``network``."""

    def __init__(self, directory: Path, interface: str = "lo", snaplen: int = 65535) -> None:
        self.file = directory / "wire.pcapng"
        words: list[str | Path] = [
            "dumpcap",
            "-q",
            "-i",
            interface,
            "-s",
            str(snaplen),
            "-B",
            "16",
            "-w",
            self.file,
        ]
        super().__init__(words, directory)
        try:
            self._see(b"first")
        except BaseException:
            self.stop()
            raise

    def _see(self, mark: bytes) -> None:
        """Sends a datagram to nobody until the capture has it: then it has what was sent before, too."""
        text = b"trunkline capture " + mark
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:

            def seen() -> bool:
                probe.sendto(text, ("127.0.0.1", 9))
                return self.file.exists() and text in self.file.read_bytes()

            until(seen, 10.0, "dumpcap's capture", self)

    def finish(self) -> Path:
        """Ends the capture with all of it in the file, and returns that."""
        self._see(b"last")
        self.signal(signal.SIGINT)
        self.wait(10.0)
        return self.file


def rows(
    capture: Path,
    wanted: str,
    fields: Sequence[str],
    sip: Sequence[int] = (),
    rtp: Sequence[int] = (),
    keylog: Path | None = None,
) -> list[dict[str, str]]:
    """Each packet of ``capture`` that the display filter ``wanted`` takes, as the text of its ``fields``.

    A field that a packet has several times comes joined by commas. ``sip`` and ``rtp`` are UDP ports to read
    as such where tshark would not: it knows 5060 and the media ports of an SDP it saw. With the TLS keys in
    ``keylog`` it reads what is inside TLS, too.
    """
    words = [
        find("tshark") or "tshark",
        "-n",
        "-r",
        str(capture),
        "-Y",
        f"({wanted}) and not icmp",  # which quotes the packet it refuses
        "-T",
        "fields",
        "-E",
        "separator=/t",
    ]
    for field in fields:
        words += ["-e", field]
    if keylog is not None:
        words += ["-o", f"tls.keylog_file:{keylog}"]
    for protocol, ports in (("sip", sip), ("rtp", rtp)):
        for port in ports:
            words += ["-d", f"udp.port=={port},{protocol}"]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise PeerError(f"tshark: {done.stderr[-2000:]}")
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def count(capture: Path, wanted: str, sip: Sequence[int] = (), rtp: Sequence[int] = ()) -> int:
    """How many packets of ``capture`` the display filter ``wanted`` takes."""
    return len(rows(capture, wanted, ["frame.number"], sip, rtp))


def requests(capture: Path, sip: Sequence[int] = ()) -> dict[str, int]:
    """How many requests of each method passed, retransmissions included."""
    methods: dict[str, int] = {}
    for row in rows(capture, "sip.Method", ["sip.Method"], sip):
        methods[row["sip.Method"]] = methods.get(row["sip.Method"], 0) + 1
    return methods


def streams(capture: Path) -> dict[tuple[Address, Address], int]:
    """The RTP packets of each direction, by source and destination."""
    fields = ["ip.src", "udp.srcport", "ip.dst", "udp.dstport"]
    found: dict[tuple[Address, Address], int] = {}
    for row in rows(capture, "rtp", fields):
        source, destination, source_port, destination_port = (
            row[name] for name in ("ip.src", "ip.dst", *fields[1::2])
        )
        key = ((source, int(source_port)), (destination, int(destination_port)))
        found[key] = found.get(key, 0) + 1
    return found
