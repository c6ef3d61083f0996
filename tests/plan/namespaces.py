"""Hosts in network namespaces of their own, wired together: what a test of a firewall file needs.

A `Host` is a process (this very file, run) that does in its namespace what it is told, a line of JSON
at a time. A test that uses them is marked ``network``: it already has a namespace, of which these are
children. They end with their `with`.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))  # run as a program, pytest has not done it
from packages import find

PATIENCE = 20.0  # s for what must come


class Packet(NamedTuple):
    """A TCP or UDP packet as seen on a wire; `mark` is a UDP packet's text."""

    protocol: str
    source: str
    source_port: int
    destination: str
    port: int
    mark: str = ""
    tos: int = 0


class Host:
    """One network namespace, and a mount namespace: `mounts` lays folders of the test over the machine's own.

    /run is then empty and its own, so that daemons of two hosts do not meet there. All that is started in
    a host ends with it: it is the first process of a process namespace.
    """

    def __init__(self, name: str, mounts: Mapping[str, Path] = MappingProxyType({})) -> None:
        self.name = name
        own = ("--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
        command = [find("unshare") or "unshare", *own, sys.executable, __file__]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.runs("ip", "link", "set", "lo", "up")
        if mounts:
            self.runs("mount", "-t", "tmpfs", "tmpfs", "/run")
        for place, folder in mounts.items():
            self.runs("mount", "--bind", str(folder), place)

    def asks(self, verb: str, *words: Any) -> Any:
        """One verb done there; AssertionError with what went wrong."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps([verb, *words]) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        assert line, f"{self.name} has ended"
        answer = json.loads(line)
        assert "wrong" not in answer, f"{self.name}: {verb} {words}: {answer['wrong']}"
        return answer["right"]

    def runs(self, *command: str, text: str = "") -> str:
        """A program run there, which must succeed; its output."""
        path = find(command[0])
        assert path, f"{command[0]} is not installed"
        return str(self.asks("run", [path, *command[1:]], text))

    def seen(self, mark: str) -> list[Packet]:
        """What came by on the sniffed interface until the packet that is marked so."""
        return [Packet(*packet) for packet in self.asks("seen", mark)]

    @property
    def pid(self) -> int:
        return self._child.pid  # of unshare, which is in the network namespace itself

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()  # it reads to the end, and ends
        self._child.stdout.close()
        self._child.wait(PATIENCE)


def wire(one: Host, its: str, other: Host, theirs: str) -> None:
    """A cable between two hosts; both ends are up."""
    ip = find("ip") or "ip"
    subprocess.run([ip, "link", "add", "cable0", "type", "veth", "peer", "name", "cable1"], check=True)
    for end, host, name in (("cable0", one, its), ("cable1", other, theirs)):
        subprocess.run([ip, "link", "set", end, "netns", str(host.pid), "name", name], check=True)
        host.runs("ip", "link", "set", name, "up")


# --- inside ---------------------------------------------------------------------------


class _Inside:
    """The verbs, in the namespace."""

    def __init__(self) -> None:
        self.kept = ExitStack()
        self.named: dict[str, socket.socket] = {}
        self.sniffer: socket.socket | None = None

    def run(self, command: list[str], text: str) -> str:
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, command: list[str], log: str, environment: dict[str, str]) -> None:
        """A daemon, which ends with this host."""
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        child = subprocess.Popen(
            command, env=os.environ | environment, stdout=written, stderr=subprocess.STDOUT
        )
        os.close(written)
        self.kept.callback(child.wait, PATIENCE)
        self.kept.callback(child.terminate)

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def write(self, path: str, value: str) -> None:
        with open(path, "w") as file:
            file.write(value)

    def sniff(self, interface: str) -> None:
        self.sniffer = self.kept.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300))
        self.sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sniffer.bind((interface, 0x0003))  # ETH_P_ALL

    def seen(self, mark: str) -> list[Packet]:
        assert self.sniffer is not None
        packets: list[Packet] = []
        while not packets or packets[-1].mark != mark:
            if not select.select([self.sniffer], [], [], PATIENCE)[0]:
                raise TimeoutError(f"{mark} never came; before it: {packets}")
            frame, address = self.sniffer.recvfrom(65535)
            if address[2] != socket.PACKET_OUTGOING and (packet := _packet(frame)):
                packets.append(packet)
        return packets[:-1]

    def udp(self, source: str, source_port: int, destination: str, port: int, mark: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((source, source_port))
            one.sendto(mark.encode(), (destination, port))

    def syn(self, source: str, source_port: int, destination: str, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
            one.setblocking(False)
            one.bind((source, source_port))
            one.connect_ex((destination, port))

    def listen(self, name: str, address: str, port: int) -> None:
        one = self.kept.enter_context(socket.create_server((address, port)))
        one.settimeout(PATIENCE)
        self.named[name] = one

    def accept(self, name: str) -> list[Any]:
        """Takes a connection, answers its first words in capitals; who it was, as seen here."""
        one, peer = self.named[name].accept()
        with one:
            one.settimeout(PATIENCE)
            one.sendall(one.recv(1000).upper())
        return list(peer)

    def connect(self, name: str, source: str, destination: str, port: int, words: str) -> int:
        one = self.kept.enter_context(socket.socket())
        one.settimeout(PATIENCE)
        one.bind((source, 0))
        one.connect((destination, port))
        one.sendall(words.encode())
        self.named[name] = one
        return int(one.getsockname()[1])

    def open(self, name: str, address: str, port: int) -> None:
        one = self.kept.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        one.settimeout(PATIENCE)
        one.bind((address, port))
        self.named[name] = one

    def send(self, name: str, destination: str, port: int, words: str) -> None:
        self.named[name].sendto(words.encode(), (destination, port))

    def receive(self, name: str) -> list[Any]:
        words, peer = self.named[name].recvfrom(1000)
        return [words.decode(), *(peer or ())]


def _packet(frame: bytes) -> Packet | None:
    """IPv4 UDP or TCP in an Ethernet frame; a TCP packet only where it begins a connection."""
    if frame[12:14] != b"\x08\x00":
        return None
    header = (frame[14] & 15) * 4
    inner = frame[14 + header :]
    source, destination = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
    ports = struct.unpack("!HH", inner[:4])
    if frame[23] == socket.IPPROTO_UDP:
        length = struct.unpack("!H", inner[4:6])[0]
        return Packet(
            "udp", source, ports[0], destination, ports[1], inner[8:length].decode("latin-1"), frame[15]
        )
    if frame[23] == socket.IPPROTO_TCP and inner[13] & 0x12 == 0x02:
        return Packet("tcp", source, ports[0], destination, ports[1])
    return None


def _serve() -> None:
    inside = _Inside()
    verbs: dict[str, Callable[..., Any]] = {
        verb.__name__: verb
        for verb in (
            inside.run, inside.start, inside.exists, inside.write, inside.sniff, inside.seen,
            inside.udp, inside.syn, inside.listen, inside.accept, inside.connect, inside.open, inside.send,
            inside.receive,
        )
    }  # fmt: skip
    with inside.kept:
        for line in sys.stdin:
            verb, *words = json.loads(line)
            try:
                answer = {"right": verbs[verb](*words)}
            except (OSError, AssertionError) as error:
                answer = {"wrong": repr(error)}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
