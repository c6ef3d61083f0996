"""What passed, as each host saw it: the account that is kept beside the nodes' own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from tests.simulation.world import Host, Place

from trunkline.sip.flow import Flow


class Head(NamedTuple):
    """What of a message the account needs. `method` is "" for a response, `status` 0 for a request."""

    method: str
    status: int
    call_id: str
    seq: int
    of: str  # the method in CSeq
    from_tag: str
    to_tag: str
    branch: str
    body: bool


class Passed(NamedTuple):
    """A message that left (`out`) or reached a host, and the far address."""

    at: float
    out: bool
    head: Head
    far: Place


@lru_cache(maxsize=8192)
def read(data: bytes) -> Head | None:
    """The head of a message; None for what is none of ours."""
    top, _, body = data.partition(b"\r\n\r\n")
    lines = top.decode("utf-8", "replace").split("\r\n")
    said: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        said.setdefault(name.strip().lower(), value.strip())
    if not {"call-id", "cseq", "from", "to", "via"} <= said.keys():
        return None
    start = lines[0].split(" ", 2)
    response = start[0] == "SIP/2.0"
    number, _, of = said["cseq"].partition(" ")
    return Head(
        "" if response else start[0],
        int(start[1]) if response else 0,
        said["call-id"],
        int(number) if number.isdigit() else -1,
        of.strip(),
        _param(said["from"], "tag"),
        _param(said["to"], "tag"),
        _param(said["via"], "branch"),
        bool(body),
    )


def _param(value: str, name: str) -> str:
    _, found, rest = value.rpartition(f";{name}=")
    return rest.partition(";")[0].partition(",")[0].strip() if found else ""


class Account:
    """Every message of every call, by host and Call-ID, in order of time. A `Tap`."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[str, list[Passed]]] = {}

    def sent(self, host: Host, data: bytes, flow: Flow, now: float) -> None:
        self._note(host, True, data, flow, now)

    def taken(self, host: Host, data: bytes, flow: Flow, now: float) -> None:
        self._note(host, False, data, flow, now)

    def of(self, host: str) -> dict[str, list[Passed]]:
        """What this host sent and took, by Call-ID."""
        return self._calls.get(host, {})

    def every(self) -> Iterator[tuple[str, str, list[Passed]]]:
        """Host, Call-ID and what passed."""
        for host, calls in self._calls.items():
            for call_id, passed in calls.items():
                yield host, call_id, passed

    def _note(self, host: Host, out: bool, data: bytes, flow: Flow, now: float) -> None:
        head = read(data)
        if head is not None:
            calls = self._calls.setdefault(host.name, {})
            calls.setdefault(head.call_id, []).append(Passed(now, out, head, flow.remote))
