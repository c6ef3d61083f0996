"""The demo as `make demo` runs it: every call judged, in less than a minute, and a muted phone FAILS."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.verbs import PATIENCE, ground
from tests.example_site import FILE, INTERNET

SECONDS = 60.0  # what the demo may take
CARRIER = "business-talk-ip.orange-business.com"


def told(out: str, event: str) -> list[Any]:
    return [line for line in map(json.loads, out.splitlines()) if line["event"] == event]


def test_the_example_is_played_as_it_is_shipped() -> None:
    with ground() as here:
        code, out, err = here.run("demo", FILE, "--json")
    calls, (verdict,) = told(out, "call"), told(out, "verdict")
    assert [call["reason"] for call in calls if call["verdict"] != "PASS"] == []
    assert (code, err) == (0, "")
    assert (verdict["verdict"], verdict["calls"], verdict["exit"]) == ("PASS", 9, 0)
    assert verdict["seconds"] < SECONDS
    assert [call["gateway"] for call in calls].count("backup") == 3
    for call in calls:
        assert (call["near"]["codec"], call["near"]["ptime"]) == ("PCMA", 20)
        assert len(call["near"]["heard"]) == len(call["far"]["heard"]) == 1
        assert call["ladder"]
    tones = [call["far"]["heard"][0] for call in calls]
    assert len(set(tones)) == 8  # each call has its own until they begin again
    lost = [call for call in calls if call["silent"]]
    assert [call["record"]["cause"] for call in lost] == [41, 41]
    assert all(call["freed_after"] <= 7.4 for call in lost)


def test_the_secured_example_is_played_as_it_is_shipped(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    with ground() as here:
        code, out, err = here.run(
            "demo", INTERNET, "--json", "--keylog", keys, "--trace", tmp_path / "t.pcapng"
        )
    calls, (verdict,) = told(out, "call"), told(out, "verdict")
    assert [call["reason"] for call in calls if call["verdict"] != "PASS"] == []
    assert (code, err) == (0, "")
    assert (verdict["verdict"], verdict["calls"], verdict["exit"]) == ("PASS", 8, 0)
    assert verdict["seconds"] < SECONDS
    for call in calls:
        seal, name = call["seal"], f"sbc{1 + (call['gateway'] == 'backup')}.{CARRIER}"
        assert (seal["version"], seal["suite"]) == ("TLS 1.2", "ECDHE-RSA-AES256-GCM-SHA384")
        assert (seal["ours"], seal["theirs"]) == ("CN=ipbx.customer.example", [name])
        assert seal["srtp"] == "SDES AES_CM_128_HMAC_SHA1_80"
        assert {side["who"] for side in call["relayed"]} >= {"the IPBX, from the phone"}
        assert {"IPBX", call["gateway"]} < {step["from"] for step in call["ladder"]}
    by_act = {call["act"]: call for call in calls if call["title"] == "the call in progress"}
    stopped = by_act["The nominal SBC's signalling hangs (SIGSTOP)"]
    assert stopped["heard_again"][0] == stopped["near"]["heard"]
    assert stopped["heard_again"][1] != stopped["far"]["heard"]  # a tone that was played while it hung alone
    assert not stopped["silent"]
    (killed,) = [call for call in calls if call["silent"]]
    assert killed["record"]["cause"] == 41
    assert keys.read_text().startswith(("CLIENT_", "SERVER_", "EXPORTER_"))
    trace = (tmp_path / "t.pcapng").read_bytes()
    assert b"a=crypto:" in trace
    assert not re.search(rb"inline:[A-Za-z0-9+/]{40}", trace)  # masked


def test_several_sites_are_played_in_turn_to_one_verdict(tmp_path: Path) -> None:
    with ground() as here:
        code, out, err = here.run(
            "demo", FILE, INTERNET, "--json", "--act", "1", "--trace", tmp_path / "t.pcapng"
        )
    assert (code, err) == (0, "")
    assert [site["architecture"] for site in told(out, "ready")] == ["bvpn", "internet-a"]
    (verdict,) = told(out, "verdict")
    assert verdict["calls"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {"t-bvpn.pcapng", "t-internet-a.pcapng"}


def test_a_muted_phone_fails_the_demo() -> None:
    with ground() as here:
        code, out, _ = here.run("demo", FILE, "--json", "--mute", "--act", "1")
    (call,), (verdict,) = told(out, "call"), told(out, "verdict")
    assert (code, verdict["verdict"], verdict["failed"]) == (1, "FAIL", 1)
    assert call["reason"].startswith("the far end heard silence in place of ")


def test_a_person_reads_ladders_and_one_verdict_no_wider_than_the_paper() -> None:
    with ground() as here:
        code, out, err = here.run("demo", FILE, "--act", "1")
    assert (code, err) == (0, "")
    assert "INVITE +33199009001" in out
    assert out.splitlines()[-1].startswith("PASS  1 of 1 calls passed, in ")
    assert max(map(len, out.splitlines())) <= 100


def test_a_person_reads_how_a_call_was_secured() -> None:
    with ground() as here:
        code, out, err = here.run("demo", INTERNET, "--act", "2")
    assert (code, err) == (0, "")
    assert "  TLS    TLS 1.2, ECDHE-RSA-AES256-GCM-SHA384\n" in out
    assert f"the IPBX is CN=ipbx.customer.example, nominal is sbc1.{CARRIER}\n" in out
    assert "  SRTP   AES_CM_128_HMAC_SHA1_80\n" in out
    assert "the IPBX, from nominal    lost 0  jitter" in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_site_without_what_the_demo_needs_is_exit_2() -> None:
    with ground({"carrier.subscribers": []}) as here:
        code, out, err = here.run("demo", here.file)
    assert (code, out) == (2, "")
    assert "the demo needs at least 2 subscribers that answer (there: 0)" in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_nothing_behind(number: signal.Signals, code: int) -> None:
    with ground() as here, here.running("demo", FILE) as (child, ready):
        pids = [ready["pid"], *(sbc["pid"] for sbc in ready["sbcs"])]
        child.send_signal(number)
        child.communicate(timeout=PATIENCE)
        assert child.returncode == code
        assert not os.path.exists(ready["site"])
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
