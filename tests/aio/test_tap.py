"""The tap, read back by our own reader."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trunkline.aio import clock
from trunkline.aio.tap import Tap
from trunkline.call.node import Log
from trunkline.capture.packet import Segment, unwrap
from trunkline.capture.pcap import read
from trunkline.sip.flow import Flow

HERE, THERE = ("127.0.0.1", 5060), ("127.0.0.2", 5070)


def segments(path: Path) -> list[Segment | None]:
    return [unwrap(packet) for packet in read(path.read_bytes())]


def test_each_direction_is_written_at_once_with_its_addresses_and_time(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcapng"
    tap, before = Tap(path), clock.civil_ns()
    tap.saw(b"OPTIONS", Flow("UDP", HERE, THERE), True)
    tap.saw(b"200 OK", Flow("UDP", HERE, THERE), False)
    tap.saw(b"hello ", Flow("TCP", HERE, THERE), True)
    tap.saw(b"again", Flow("TLS", HERE, THERE), True)
    found = [segment for segment in segments(path) if segment is not None]
    assert [segment[1:] for segment in found] == [
        ("UDP", HERE, THERE, 0, b"OPTIONS"),
        ("UDP", THERE, HERE, 0, b"200 OK"),
        ("TCP", HERE, THERE, 1, b"hello "),
        ("TCP", HERE, THERE, 7, b"again"),
    ]
    assert before <= found[0].at_ns <= found[-1].at_ns <= clock.civil_ns()
    tap.close()
    tap.close()
    tap.saw(b"late", Flow("UDP", HERE, THERE), True)
    assert len(segments(path)) == 4
    assert path.stat().st_mode & 0o777 == 0o600


def test_media_keys_never_reach_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcapng"
    tap = Tap(path)
    tap.saw(b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n", Flow("UDP", HERE, THERE), True)
    tap.close()
    assert b"inline:" in path.read_bytes()
    assert b"c2VjcmV0" not in path.read_bytes()


def test_what_has_no_address_went_nowhere(tmp_path: Path) -> None:
    tap = Tap(tmp_path / "trace.pcapng")
    tap.saw(b"x", Flow("UDP", HERE, ("sbc.example.com", 5060)), True)
    tap.saw(b"x", Flow("UDP", HERE, ("2001:db8::1", 5060)), True)
    tap.close()
    assert segments(tmp_path / "trace.pcapng") == []


def test_a_trace_ends_at_its_size_and_says_so_once(tmp_path: Path) -> None:
    path, logged = tmp_path / "trace.pcapng", list[Log]()
    tap = Tap(path, most=1000, log=logged.append)
    for _ in range(5):
        tap.saw(b"x" * 300, Flow("UDP", HERE, THERE), True)
    assert len(segments(path)) == 2
    assert [log.text for log in logged] == [f"the trace {path} ends here: it has reached its size"]
    assert path.stat().st_size <= 1000


def test_a_full_disk_ends_the_trace_not_the_calls(tmp_path: Path) -> None:
    logged = list[Log]()
    tap = Tap(tmp_path / "trace.pcapng", log=logged.append)
    assert tap._file is not None
    os.dup2(full := os.open("/dev/full", os.O_WRONLY), tap._file)
    os.close(full)
    tap.saw(b"x", Flow("UDP", HERE, THERE), True)
    tap.saw(b"x", Flow("UDP", HERE, THERE), True)
    assert len(logged) == 1
    assert "No space left" in logged[0].text


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tap(tmp_path / "no" / "such" / "folder")
