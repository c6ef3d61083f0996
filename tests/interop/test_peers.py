"""The peers against one another, before they are aimed at Trunkline: what cannot fail proves nothing."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.interop import tone, wire
from tests.interop.baresip import Baresip
from tests.interop.kamailio import Kamailio
from tests.interop.program import Program, loopback
from tests.interop.sipp import Sipp


def test_calls_pass_between_two_sipps(tmp_path: Path) -> None:
    callee, caller = (loopback(), 5060), (loopback(), 5060)
    with Sipp("answer", tmp_path / "callee", callee, pause=0.02) as answering:
        calling = Sipp(
            "call", tmp_path / "caller", caller, callee, calls=50, rate=50, pause=0.05, round_trips=True
        )
        with calling:
            made = calling.finished(20)
        taken = answering.drained()
    assert (made.successful, made.fault, made.calls) == (50, "", 50), calling.errors()
    assert (taken.successful, taken.fault) == (50, ""), answering.errors()
    assert len(calling.response_times()) == 50


def test_every_call_goes_through_the_record_routing_proxy(tmp_path: Path) -> None:
    proxy, left, right = ((loopback(), 5060) for _ in range(3))
    with ExitStack() as peers:
        peers.enter_context(Kamailio(tmp_path / "proxy", proxy, left, right))
        answering = peers.enter_context(Sipp("answer", tmp_path / "right", right, pause=0.02, trace=True))
        calling = peers.enter_context(
            Sipp("call", tmp_path / "left", left, proxy, calls=50, rate=50, pause=0.05)
        )
        made = calling.finished(20)
        taken = answering.drained()
    assert (made.successful, made.fault) == (50, ""), calling.errors()
    assert (taken.successful, taken.fault) == (50, ""), answering.errors()
    received = (tmp_path / "right" / "messages.log").read_text()
    byes = [text for text in received.split("UDP message") if "\nBYE sip:" in text]
    assert len(byes) == 50
    assert all(f"Via: SIP/2.0/UDP {proxy[0]}" in bye for bye in byes)  # the dialog kept the proxy's route


def test_the_proxy_lets_the_other_side_call_too(tmp_path: Path) -> None:
    proxy, left, right = ((loopback(), 5060) for _ in range(3))
    with ExitStack() as peers:
        peers.enter_context(Kamailio(tmp_path / "proxy", proxy, left, right))
        peers.enter_context(Sipp("answer", tmp_path / "left", left))
        calling = peers.enter_context(Sipp("call", tmp_path / "right", right, proxy, calls=5))
        assert calling.finished(20).fault == ""


def test_a_call_that_nobody_answers_is_counted_as_failed(tmp_path: Path) -> None:
    with Sipp(
        "call", tmp_path, (loopback(), 5060), (loopback(), 5060), calls=1, options=["-max_retrans", "1"]
    ) as calling:
        made = calling.finished(20)
    assert (made.successful, made.failed) == (0, 1)
    assert made.fault


@pytest.mark.parametrize(("password", "good"), [("right", True), ("wrong", False)])
def test_a_sipp_phone_registers_by_digest(tmp_path: Path, password: str, good: bool) -> None:
    registrar, phone = (loopback(), 5060), (loopback(), 5060)
    row = ["201", f"[authentication username=201 password={password}]"]
    with (
        Sipp(
            "registrar", tmp_path / "registrar", registrar, calls=1, keys={"user": "201", "password": "right"}
        ),
        Sipp("register", tmp_path / "phone", phone, registrar, calls=1, rows=[row]) as registering,
    ):
        tally = registering.finished(10)
    assert (tally.fault == "") is good


def test_baresip_registers_by_digest(tmp_path: Path) -> None:
    registrar = (loopback(), 5060)
    with (
        Sipp("registrar", tmp_path / "registrar", registrar, keys={"user": "201", "password": "right"}),
        Baresip(
            tmp_path / "phone", loopback(), "201", sends=0, registrar=registrar, password="right"
        ) as phone,
    ):
        assert phone.registered()


def test_baresip_with_a_wrong_password_is_told_so(tmp_path: Path) -> None:
    registrar = (loopback(), 5060)
    with (
        Sipp("registrar", tmp_path / "registrar", registrar, keys={"user": "201", "password": "right"}),
        Baresip(
            tmp_path / "phone", loopback(), "201", sends=0, registrar=registrar, password="wrong"
        ) as phone,
    ):
        assert not phone.registered()


def test_sipp_calls_a_baresip_that_hangs_up(tmp_path: Path) -> None:
    phone_at = (loopback(), 5060)
    with Baresip(tmp_path / "phone", phone_at[0], "201", sends=700) as phone:
        calling = Sipp(
            "call", tmp_path / "caller", (loopback(), 5060), phone_at, service="201", calls=1, pause=1.0
        )
        with calling:
            phone.wait_for("CALL_INCOMING")
            phone.accept()
            phone.wait_for("CALL_ESTABLISHED")
            made = calling.finished(10)
            phone.wait_for("CALL_CLOSED")
    assert made.fault == "", calling.errors()


def _speak(directory: Path, tones: tuple[int, int], seconds: float) -> list[Path]:
    """A call between two baresips that each send a tone: what each of them heard, the caller's first."""
    first, second = loopback(), loopback()
    with (
        Baresip(directory / "caller", first, "201", sends=tones[0]) as caller,
        Baresip(directory / "callee", second, "202", sends=tones[1]) as callee,
    ):
        caller.dial(f"sip:202@{second}")
        callee.wait_for("CALL_INCOMING")
        callee.accept()
        for phone in (caller, callee):
            phone.wait_for("CALL_ESTABLISHED")
            phone.wait_for("CALL_RTPESTAB")
        caller.hears_for(seconds)
        caller.hang_up()
        for phone in (caller, callee):
            phone.wait_for("CALL_CLOSED")
        return [*caller.recordings(), *callee.recordings()]


def test_each_direction_carries_its_own_tone(tmp_path: Path) -> None:
    tones = tone.draw(seed=1)
    at_caller, at_callee = _speak(tmp_path, (tones[0], tones[1]), 2.0)
    assert tone.fault(at_caller, tones[1]) == ""
    assert tone.fault(at_callee, tones[0]) == ""


def test_a_muted_direction_is_found(tmp_path: Path) -> None:
    tones = tone.draw(seed=2)
    at_caller, at_callee = _speak(tmp_path, (tones[0], 0), 2.0)
    assert "silence" in tone.fault(at_caller, tones[1])
    assert tone.fault(at_callee, tones[0]) == ""


def test_crossed_directions_are_found(tmp_path: Path) -> None:
    wrong, right = tone.draw(seed=3)
    recording = tone.write(tmp_path / "recording.wav", wrong, seconds=2)
    assert f"of {wrong} Hz" in tone.fault(recording, right)


def test_a_program_that_ends_too_early_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ended"):
        Kamailio(tmp_path, ("192.0.2.1", 5060), ("192.0.2.2", 5060), ("192.0.2.3", 5060))


def test_a_stopped_program_is_gone(tmp_path: Path) -> None:
    program = Program(["tail", "-f", "/dev/null"], tmp_path)
    assert program.running
    program.stop()
    assert not program.running


@pytest.mark.network
def test_tshark_counts_what_two_phones_said_on_the_wire(tmp_path: Path) -> None:
    with wire.Dumpcap(tmp_path / "wire") as capture:
        _speak(tmp_path, (700, 900), 2.0)
        file = capture.finish()
    assert wire.requests(file) == {"INVITE": 1, "ACK": 1, "BYE": 1}
    assert wire.count(file, wire.MALFORMED) == 0
    packets = wire.streams(file)
    assert len(packets) == 2
    assert all(90 <= number <= 130 for number in packets.values()), packets  # 50 a second, each way
