"""`trunkline lab` of a site over the internet, and call, carrier and status into it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli.verbs import PATIENCE, Ground, ground
from tests.example_site import INTERNET
from tests.family import Watch, children

Lab = tuple[Ground, dict[str, Any]]
CARRIER = "business-talk-ip.orange-business.com"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab that all tests of this module call into."""
    with ground(None, INTERNET) as here, here.running("lab", here.file) as (_, told):
        yield here, told


def call(lab: Lab, *words: str) -> tuple[int, Any]:
    here, told = lab
    code, out, err = here.run("call", told["site"], *words, "--json")
    assert err == ""
    return code, json.loads(out)


def test_it_says_where_everything_is(lab: Lab) -> None:
    _, told = lab
    assert (told["architecture"], told["ipbx"]["transport"], told["ipbx"]["trunk"]) == (
        "internet-a",
        "TLS",
        5061,
    )
    assert told["ipbx"]["trunk_address"] != told["ipbx"]["address"]
    assert told["dns"]["names"] == ["ipbx.customer.example", f"sbc1.{CARRIER}", f"sbc2.{CARRIER}"]


@pytest.mark.parametrize(
    ("caller", "number", "heard"), [("201", "00199009001", [425]), ("202", "00199009002", [620])]
)
def test_a_phone_on_udp_calls_out_over_the_secured_trunk(
    lab: Lab, caller: str, number: str, heard: list[int]
) -> None:
    code, told = call(lab, caller, number, "--seconds", "1")
    assert (code, told["verdict"], told["near"]["heard"]) == (0, "PASS", heard)


def test_a_call_from_desk_to_desk_is_anchored_and_heard(lab: Lab) -> None:
    code, told = call(lab, "203", "204", "--seconds", "1")
    assert (code, told["verdict"]) == (0, "PASS")
    assert told["near"]["received"] > 0


def test_status_shows_tls_with_each_gateway(lab: Lab) -> None:
    here, told = lab
    code, out, _ = here.run("status", told["site"])
    assert code == 0
    for n in (1, 2):
        assert f"TLS 1.2, ECDHE-RSA-AES256-GCM-SHA384; it is sbc{n}.{CARRIER}, we are CN=ipbx.customer" in out


def test_an_sbc_says_with_whom_it_speaks_and_reads_its_certificates_again(lab: Lab) -> None:
    here, told = lab
    nominal = ("carrier", told["site"], "--sbc", "nominal", "--ask")
    code, out, _ = here.run(*nominal, "status")
    assert code == 0
    assert "TLS: TLS 1.2 with ECDHE-RSA-AES256-GCM-SHA384; the customer is ipbx.customer.example" in out
    assert here.run(*nominal, "renew")[0] == 0
    assert call(lab, "201", "00199009001", "--seconds", "1")[0] == 0


def test_ctrl_c_ends_it_all_and_every_media_worker() -> None:
    with ground(None, INTERNET) as here, here.running("lab", here.file) as (child, told):
        pids = [told["pid"], *(sbc["pid"] for sbc in told["sbcs"])]
        workers = [worker for pid in pids for worker in children(pid)]
        assert len(workers) >= len(pids)
        watch = Watch([*pids, *workers])
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=PATIENCE)
        assert json.loads(out) == {"event": "stopped"}
        assert watch.ended(0.0)
        assert not os.path.exists(told["site"])
