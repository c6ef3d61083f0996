"""SIP messages as a trace holds them, and as an endpoint of ours sees them pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from trunkline.aio import clock
from trunkline.aio.driver import Trace
from trunkline.capture import pcap
from trunkline.capture.packet import unwrap
from trunkline.finding import ParseError
from trunkline.sip.flow import Flow
from trunkline.sip.framing import Framer
from trunkline.sip.message import Message, parse

Address = tuple[str, int]


class Passed(NamedTuple):
    """One message: civil nanoseconds, from where to where."""

    at_ns: int
    source: Address
    destination: Address
    message: Message


class Watching:
    """A trace in memory; what it sees goes on to `further` too."""

    def __init__(self, further: Trace | None = None) -> None:
        self.passed: list[Passed] = []
        self._further = further

    def saw(self, data: bytes, flow: Flow, sent: bool) -> None:
        if self._further is not None:
            self._further.saw(data, flow, sent)
        source, destination = (flow.local, flow.remote) if sent else (flow.remote, flow.local)
        try:
            self.passed.append(Passed(clock.civil_ns(), source, destination, parse(data)))
        except ParseError:
            return  # whatever it is, it belongs to no call


def traced(file: Path) -> Iterator[Passed]:
    """The messages of a trace of ours; what is no SIP is left out, and so is a last packet half written."""
    framers: dict[tuple[Address, Address], Framer] = {}
    packets = pcap.read(file.read_bytes())
    while True:
        try:
            packet = next(packets, None)
        except ParseError:
            return
        if packet is None:
            return
        segment = unwrap(packet)
        if segment is None:
            continue
        ends = segment.source, segment.destination
        if segment.transport == "UDP":
            messages = _one(segment.payload)
        else:
            framed = framers.setdefault(ends, Framer()).feed(segment.payload, segment.at_ns / 1e9)
            messages = [part for part in framed if isinstance(part, Message)]
        for message in messages:
            yield Passed(segment.at_ns, *ends, message)


def of_calls(passed: Iterable[Passed], call_ids: frozenset[str]) -> list[Passed]:
    """Those of these SIP Call-IDs."""
    return [one for one in passed if one.message.get("call-id") in call_ids]


def _one(data: bytes) -> list[Message]:
    try:
        return [parse(data)]
    except ParseError:
        return []
