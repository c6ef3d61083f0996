"""Another carrier is a facts file, no code: Example Telecom's site is clean, and calls pass on its carrier.

Its port 5081 stands in SRV records alone, its trunk registers by digest, its codec is PCMU.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.verbs import Ground, ground

SITE = Path(__file__).parents[1] / "guide" / "example_telecom" / "site.yaml"
Lab = tuple[Ground, dict[str, Any]]
ASKED_MOST = 40  # times the far end is asked what it heard


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab that all tests of this module call into."""
    with ground() as here, here.running("lab", SITE) as (_, told):
        yield here, told


def call(lab: Lab, *words: str) -> Any:
    here, told = lab
    code, out, err = here.run("call", told["site"], *words, "--json")
    assert (code, err) == (0, ""), out
    return json.loads(out)


def test_the_lab_is_made_of_its_facts(lab: Lab) -> None:
    _, told = lab
    assert (told["ipbx"]["transport"], told["ipbx"]["trunk"]) == ("TLS", 5081)
    assert told["dns"]["names"] == [
        *("edge1.example-telecom.example", "edge2.example-telecom.example", "pbx.customer.example")
    ]


@pytest.mark.parametrize(("number", "heard"), [("00499009001", [425]), ("00499009002", [620])])
def test_a_call_out_is_heard_in_the_carriers_own_codec(lab: Lab, number: str, heard: list[int]) -> None:
    told = call(lab, "301", number, "--seconds", "1")
    assert (told["verdict"], told["near"]["heard"], told["near"]["codec"]) == ("PASS", heard, "PCMU")


def test_both_gateways_are_found_by_srv_and_registered(lab: Lab) -> None:
    here, told = lab
    code, out, _ = here.run("status", told["site"], "--json")
    assert code == 0
    gateways = json.loads(out)["gateways"]
    assert [gateway["registration"] for gateway in gateways] == ["registered", "registered"]
    for sbc in told["sbcs"]:
        assert sbc["signalling"].endswith(":5081")


def test_a_call_in_reaches_the_phone_where_the_trunk_registered(lab: Lab) -> None:
    here, told = lab
    edge1 = ("carrier", told["site"], "--sbc", "edge1", "--json", "--ask")
    code, out, _ = here.run(*edge1, "place", "+33499009001", "+33499002002")
    leg = json.loads(out)["leg"]
    assert code == 0
    for _ in range(ASKED_MOST):
        status = json.loads(here.run(*edge1, "status")[1])
        (talk,) = (talk for talk in status["talks"] if talk["leg"] == leg)
        if talk["heard"] or talk["over"]:
            break
    assert status["customer"]["registered"] is True
    assert (talk["heard"], talk["codec"]) == ([700], "PCMU")


def test_the_demo_plays_it_too() -> None:
    with ground() as here:
        code, out, err = here.run("demo", SITE, "--act", "1", "--json")
    assert (code, err) == (0, "")
    (played,) = (told for line in out.splitlines() if (told := json.loads(line))["event"] == "call")
    assert played["verdict"] == "PASS"
    assert (played["near"]["codec"], played["far"]["codec"]) == ("PCMU", "PCMU")


def test_a_facts_file_that_cannot_be_used_is_one_clear_finding(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.read_text("utf-8"), "utf-8")
    facts = (SITE.parent / "facts.toml").read_text("utf-8")
    with ground() as here:
        for text, words in (
            (None, "cannot be read"),
            ("schema = 1\n", "expected a word"),
            (facts.replace("[40000, 49999]", '"many"'), "internet.media_ports: expected a list of numbers"),
            ("a" * (1 << 20) + "=1", "it has over 1048576 bytes"),
            ("a=" + "[" * 100_000, "expected TOML"),
            (f"{'.'.join('a' * 40)} = 1\n" + facts, "expected 8 levels at most"),
        ):
            if text is not None:
                (tmp_path / "facts.toml").write_text(text, "utf-8")
            for verb in ("check", "lab"):
                code, out, err = here.run(verb, site)
                told = out + err
                assert code == (1 if verb == "check" else 2), told
                assert told.count(": MUST guide.facts: the facts file facts.toml ") == 1, told
                assert "[FACTS-1, guide facts]" in told
                assert words in told
