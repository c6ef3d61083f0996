"""`trunkline lab`, and into it: call, carrier and status, as its first lines say."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli.verbs import PATIENCE, Ground, ground

from trunkline.lab.wire import traced

Lab = tuple[Ground, dict[str, Any]]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab that all tests of this module call into."""
    with ground() as here, here.running("lab", here.file) as (_, told):
        yield here, told


def call(lab: Lab, *words: str) -> tuple[int, Any]:
    here, told = lab
    code, out, err = here.run("call", told["site"], *words, "--json")
    assert err == ""
    return code, json.loads(out)


def test_it_says_where_everything_is(lab: Lab) -> None:
    _, told = lab
    assert [sbc["label"] for sbc in told["sbcs"]] == ["nominal", "backup"]
    assert [phone["extension"] for phone in told["phones"]] == ["201", "202", "203", "204"]
    assert told["dns"]["names"] == ["sbc1.carrier.example", "sbc2.carrier.example"]


def test_a_call_to_a_tone_is_heard_and_passes(lab: Lab) -> None:
    here, _ = lab
    trace = here.folder / "call.pcapng"
    code, told = call(lab, "201", "0 0199 00 90 01", "--seconds", "1", "--trace", str(trace))
    assert (code, told["verdict"], told["near"]["heard"]) == (0, "PASS", [425])
    assert (told["near"]["codec"], told["near"]["ptime"]) == ("PCMA", 20)
    assert told["ladder"][0]["what"].startswith("INVITE 00199009001")
    assert {one.message.start.split()[0] for one in traced(trace)} >= {"REGISTER", "INVITE", "ACK", "BYE"}


def test_an_echo_brings_the_phones_own_tone_back(lab: Lab) -> None:
    code, told = call(lab, "202", "00199009002", "--seconds", "1")
    assert (code, told["near"]["heard"]) == (0, [620])


@pytest.mark.parametrize(
    ("number", "reason"),
    [("00199009003", "486 Busy Here"), ("00199009099", "404 Not Found"), ("299", "404")],
)
def test_a_call_that_is_refused_fails_with_the_reason(lab: Lab, number: str, reason: str) -> None:
    code, told = call(lab, "203", number)
    assert (code, told["verdict"]) == (1, "FAIL")
    assert told["reason"].startswith(f"not answered: {reason}")


def test_phones_of_the_lab_answer(lab: Lab) -> None:
    code, told = call(lab, "203", "204", "--seconds", "1")
    assert (code, told["verdict"]) == (0, "PASS")
    assert told["near"]["received"] > 0


def test_a_person_gets_a_ladder_and_a_verdict(lab: Lab) -> None:
    here, told = lab
    code, out, _ = here.run("call", told["site"], "201", "00199009001", "--seconds", "0.5")
    assert code == 0
    assert "INVITE 00199009001" in out
    assert out.splitlines()[-1].startswith("  PASS  answered after")
    assert max(map(len, out.splitlines())) <= 100


def test_an_unknown_extension_is_wrong_use(lab: Lab) -> None:
    here, told = lab
    code, out, err = here.run("call", told["site"], "299", "00199009001")
    assert (code, out) == (2, "")
    assert err.endswith("no user 299 (there: 201, 202, 203, 204)\n")


def test_an_sbc_can_be_asked_to_misbehave_and_to_place_a_call(lab: Lab) -> None:
    here, told = lab
    nominal = ("carrier", told["site"], "--sbc", "nominal", "--json", "--ask")
    assert json.loads(here.run(*nominal, "fault", "503")[1]) == {"fault": "503"}
    assert call(lab, "201", "00199009001", "--seconds", "1")[0] == 0  # by the backup
    assert json.loads(here.run(*nominal, "fault", "none")[1]) == {"fault": "none"}
    code, out, _ = here.run(*nominal, "place", "+33199009001", "+33199001002")
    assert (code, list(json.loads(out))) == (0, ["leg"])
    assert json.loads(here.run(*nominal, "status")[1])["calls"] == 1


@pytest.mark.parametrize("words", [("fault", "flood"), ("fault", "503", "soon"), ("place", "1"), ("dance",)])
def test_a_question_an_sbc_does_not_know_is_wrong_use(lab: Lab, words: tuple[str, ...]) -> None:
    here, told = lab
    code, out, err = here.run("carrier", told["site"], "--sbc", "nominal", "--ask", *words)
    assert (code, out) == (2, "")
    assert err.startswith("ask one of: ")


def test_an_sbc_that_the_site_does_not_have_is_wrong_use(lab: Lab) -> None:
    here, told = lab
    code, _, err = here.run("carrier", told["site"], "--sbc", "third", "--ask", "status")
    assert (code, err.endswith("no access SBC 'third' (there: nominal, backup)\n")) == (2, True)


def test_an_sbc_that_does_not_run_does_not_answer() -> None:
    with ground() as here:
        code, out, err = here.run("carrier", here.file, "--sbc", "nominal", "--ask", "status")
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_ctrl_c_ends_it_all() -> None:
    with ground() as here, here.running("lab", here.file) as (child, told):
        pids = [told["pid"], *(sbc["pid"] for sbc in told["sbcs"])]
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=PATIENCE)
        assert json.loads(out) == {"event": "stopped"}
        assert child.returncode == 0
        assert not os.path.exists(told["site"])
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
