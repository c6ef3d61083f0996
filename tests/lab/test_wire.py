"""Messages out of traces and past an endpoint: by call, over UDP and in pieces over TCP."""

from __future__ import annotations

from pathlib import Path

from trunkline.aio.tap import Tap
from trunkline.lab.wire import Watching, of_calls, traced
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request

HERE, THERE = ("127.0.0.1", 5060), ("127.0.0.2", 5060)
UDP, TCP = Flow("UDP", HERE, THERE), Flow("TCP", HERE, THERE)


def options(call_id: str, padding: int = 0) -> bytes:
    headers = [
        ("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1"),
        ("Max-Forwards", "70"),
        ("From", "<sip:a@a.example>;tag=1"),
        ("To", "<sip:b@b.example>"),
        ("Call-ID", call_id),
        ("CSeq", "1 OPTIONS"),
    ]
    return bytes(Request.build("OPTIONS", "sip:b@b.example", headers, b"x" * padding, "text/plain"))


def test_a_trace_gives_back_what_passed_with_both_ends(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    tap = Tap(file)
    tap.saw(options("one"), UDP, True)
    tap.saw(options("two", 4000), TCP, False)
    tap.saw(b"no SIP at all", UDP, False)
    tap.close()
    first, second = traced(file)
    assert (first.source, first.destination, first.message.call_id) == (HERE, THERE, "one")
    assert (second.source, second.destination, second.message.call_id) == (THERE, HERE, "two")
    assert len(second.message.body) == 4000


def test_a_trace_that_is_still_written_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    tap = Tap(file)
    tap.saw(options("one"), UDP, True)
    tap.saw(options("two"), UDP, True)
    tap.close()
    file.write_bytes(file.read_bytes()[:-10])
    assert [one.message.call_id for one in traced(file)] == ["one"]


def test_what_an_endpoint_sees_is_kept_and_goes_on_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    tap = Tap(file)
    watching = Watching(tap)
    watching.saw(options("one"), UDP, True)
    watching.saw(b"\r\n\r\nno SIP", UDP, False)
    watching.saw(options("two"), UDP, False)
    tap.close()
    assert [(one.source, one.message.call_id) for one in watching.passed] == [(HERE, "one"), (THERE, "two")]
    assert len(list(traced(file))) == 2


def test_one_call_is_told_from_the_others() -> None:
    watching = Watching()
    for call_id in ("one", "two", "one"):
        watching.saw(options(call_id), UDP, True)
    assert len(of_calls(watching.passed, frozenset({"one"}))) == 2
