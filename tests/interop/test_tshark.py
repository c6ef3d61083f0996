"""tshark judges the demo: what it printed is what passed on the wire, and its trace says the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.example_site import FILE
from tests.interop import wire

pytestmark = pytest.mark.network

PHONES = 5059  # where the example's IPBX listens for phones; tshark knows 5060 by itself
CALLS = 9


def demo(directory: Path) -> tuple[Path, Path, list[dict[str, Any]]]:
    """The whole demo on a wire of its own: the capture, the trace, and the calls as it told them."""
    trace = directory / "trace.pcapng"
    command = [sys.executable, "-m", "trunkline", "demo", str(FILE), "--json", "--trace", str(trace)]
    # Inside the namespace everybody is root, and /tmp may have root's own; a socket's path is short.
    with TemporaryDirectory(prefix="t") as runtime, wire.Dumpcap(directory / "wire") as capture:
        environment = os.environ | {"XDG_RUNTIME_DIR": runtime}
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
        file = capture.finish()
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return file, trace, [line for line in told if line["event"] == "call"]


def requests(capture: Path) -> Counter[str]:
    """How many different requests of each method passed: a retransmission is none."""
    told = wire.rows(
        capture, "sip.Method", ["sip.Method", "sip.Call-ID", "sip.CSeq.seq", "ip.src", "ip.dst"], [PHONES]
    )
    return Counter(method for method, *_ in {tuple(row.values()) for row in told})


def test_the_demo_is_on_the_wire_as_it_says(tmp_path: Path) -> None:
    capture, trace, calls = demo(tmp_path)
    assert len(calls) == CALLS
    incoming = [call for call in calls if call["record"]["direction"] == "incoming"]
    assert len(incoming) == 1

    # A leg is an INVITE, and a phone that calls is challenged first. A call is acknowledged and ended on both
    # its legs; an attempt that was given up is, too, if the SBC answers it after all.
    legs = sum(len(call["record"]["legs"]) for call in calls)
    seen, challenged, given_up = requests(capture), CALLS - len(incoming), legs - 2 * CALLS
    assert seen["INVITE"] == legs + challenged
    assert 0 <= seen["ACK"] - (2 * CALLS + challenged) <= given_up
    assert 0 <= seen["BYE"] - 2 * CALLS <= given_up
    # The IPBX's own trace has the same, to the last retransmission; but an SBC may ask for it (OPTIONS)
    # before it is there and after it has gone.
    on_wire, in_trace = (wire.requests(file, [PHONES]) for file in (capture, trace))
    assert 0 <= on_wire.pop("OPTIONS") - in_trace.pop("OPTIONS") <= 4
    assert in_trace == on_wire

    # Two streams a call, each of as many packets as its sender says. An SBC that comes back to life may begin
    # one more, for a call that was given up meanwhile.
    streams = Counter(row["rtp.ssrc"] for row in wire.rows(capture, "rtp", ["rtp.ssrc"], [PHONES]))
    assert len(streams) >= 2 * CALLS
    told = [call[side]["sent"] for call in calls for side in ("near", "far") if call[side]]
    sent = Counter(number for number in told if number)
    assert sent <= Counter(streams.values())
    assert sent.total() >= 2 * CALLS - 2  # what an SBC sent before it died, it cannot tell

    for file in (capture, trace):
        assert wire.count(file, wire.MALFORMED, [PHONES]) == 0
