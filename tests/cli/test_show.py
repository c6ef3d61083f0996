"""A judged call on paper: never wider than that, and whole in JSON."""

from __future__ import annotations

import json

from trunkline.capture.ladder import Step
from trunkline.cli import show
from trunkline.cli.paper import WIDTH, Paper
from trunkline.lab.judge import Seen, Side, Wanted, judge
from trunkline.lab.wire import Watching
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request

NEAR = Side("the phone", 107, 7, 0, frozenset({425}), "PCMA", 20, 0.43, 4.39)
GONE = Side("the far end", None, None, 0, frozenset({620}), "PCMA", 20)
SEEN = Seen(
    NEAR, GONE, answered_after=0.2, gateway="nominal", silent=True, freed_after=6.4,
    heard_again=(frozenset({425}), frozenset()), record={"cause": 41, "text": "no RTP from the far side"},
)  # fmt: skip
VERDICT = judge(SEEN, Wanted(425, 620, "nominal", silence=True, freed_within=7.4, cause=41))
PAPER = Paper(colour=False)


def test_a_call_is_never_wider_than_the_paper() -> None:
    steps = [
        Step(0.0, "phone 201", "IPBX", "INVITE 00199009001", ("PCMA 20 ms",)),
        Step(1.0, "IPBX", "x", "BYE"),
    ]
    lines = "\n".join(show.call_lines(SEEN, VERDICT, steps, ["phone 201", "IPBX"], PAPER)).split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert "INVITE 00199009001" in lines[2]
    assert lines[-1].startswith("        ")  # a long reason goes on under its first line


def test_the_audio_says_what_was_counted_and_what_could_not_be() -> None:
    assert list(show.audio_lines(SEEN)) == [
        "  audio  PCMA, 20 ms a packet",
        "    the phone    sent 107, received   7, lost 0  heard 425 Hz  jitter 0.4 ms, MOS 4.4",
        "    the far end  not counted: its machine was lost; it had heard 620 Hz",
    ]


def test_a_call_without_media_says_nothing_of_audio() -> None:
    assert list(show.audio_lines(Seen(Side("the phone"), refused="486 Busy Here"))) == []


def test_a_call_without_a_ladder_still_has_its_verdict() -> None:
    seen = Seen(Side("the phone"), refused="201 is not registered: 403 Forbidden")
    verdict = judge(seen, Wanted())
    assert list(show.call_lines(seen, verdict, [], [], PAPER)) == [
        "  FAIL  not answered: 201 is not registered: 403 Forbidden"
    ]


def test_the_json_of_a_call_is_json_and_whole() -> None:
    told = json.loads(json.dumps(show.as_json(SEEN, VERDICT)))
    assert (told["verdict"], told["near"]["heard"], told["far"]["sent"]) == ("PASS", [425], None)
    assert told["heard_again"] == [[425], []]
    assert [check["passed"] for check in told["checks"]] == [True] * len(VERDICT.checks)


def test_arrows_bear_the_names_of_addresses_and_times_from_the_first() -> None:
    phone, ipbx, sbc = ("127.0.0.9", 40000), ("127.0.0.1", 5059), ("127.0.0.2", 40001)
    headers = [("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"), ("Call-ID", "c"), ("CSeq", "1 OPTIONS")]
    data = bytes(Request.build("OPTIONS", "sip:b@b.example", headers))
    wire = Watching()
    wire.saw(data, Flow("UDP", phone, ipbx), True)
    wire.saw(data, Flow("UDP", ipbx, sbc), True)
    steps = show.steps_of(wire.passed, {ipbx: "IPBX", (sbc[0], show.ANY): "nominal"}, "phone 201")
    assert [(one.source, one.destination) for one in steps] == [("phone 201", "IPBX"), ("IPBX", "nominal")]
    first, second = show.steps_as_json(steps)
    assert first == {"at": 0.0, "from": "phone 201", "to": "IPBX", "what": "OPTIONS"}
    assert second["at"] >= 0
