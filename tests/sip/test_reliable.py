"""Reliable provisionals as machines of their own (RFC 3262), each side."""

from __future__ import annotations

import math

import pytest

from trunkline.sip.message import Request, Response, respond
from trunkline.sip.reliable import ReliableAnswer, ReliableSequence, reliable_number

HEADERS = {"Via": "SIP/2.0/UDP h;branch=z9hG4bKx", "From": "<sip:a@h>;tag=a", "To": "<sip:b@h>"}
INVITE = Request.build("INVITE", "sip:b@example.com", {**HEADERS, "Call-ID": "c", "CSeq": "5 INVITE"}.items())


def prack(rack: str) -> Request:
    return Request.build("PRACK", "sip:b@example.com", [("RAck", rack)] if rack else [])


def sent(machine: ReliableAnswer, now: float, body: bytes = b"") -> Response:
    response = respond(INVITE, 183, to_tag="b", headers=machine.next_headers(), body=body)
    machine.sent(response, now)
    return response


@pytest.mark.rfc("3262#4")
@pytest.mark.parametrize(
    ("status", "headers", "number"),
    [
        (183, {"Require": "100rel", "RSeq": "7"}, 7),
        (183, {"Require": "timer, 100rel", "RSeq": "7"}, 7),
        (183, {"RSeq": "7"}, None),
        (183, {"Require": "100rel"}, None),
        (100, {"Require": "100rel", "RSeq": "7"}, None),
        (200, {"Require": "100rel", "RSeq": "7"}, None),
    ],
)
def test_reliable_provisional_has_require_and_rseq(
    status: int, headers: dict[str, str], number: int | None
) -> None:
    assert reliable_number(Response.build(status, None, headers.items())) == number


@pytest.mark.rfc("3262#4")
def test_sequence_takes_each_number_once_and_in_order() -> None:
    sequence = ReliableSequence()
    assert [sequence.takes(rseq) for rseq in (7, 7, 9, 8, 9)] == [True, False, False, True, True]


@pytest.mark.rfc("3262#3")
def test_provisional_is_repeated_with_doubling_pauses_until_64_t1() -> None:
    machine = ReliableAnswer(7, 0.5)
    assert machine.at == math.inf
    response = sent(machine, 0.0)
    times = []
    while True:
        at = machine.at
        again = machine.due(at)
        if again is None:
            break
        assert again is response
        times.append(at)
    assert times == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert at == 32
    assert machine.at == math.inf


@pytest.mark.rfc("3262#3")
def test_only_the_right_prack_stops_it_and_a_stopped_one_still_counts() -> None:
    machine = ReliableAnswer(7, 0.5)
    assert not machine.acknowledged(prack("7 5 INVITE"))
    sent(machine, 0.0, b"v=0")
    assert machine.holds_final
    for wrong in ("8 5 INVITE", "7 6 INVITE", "7 5 UPDATE", ""):
        assert not machine.acknowledged(prack(wrong))
    machine.stop()
    assert machine.at == math.inf
    assert machine.acknowledged(prack("7 5 INVITE"))
    assert not machine.holds_final
    assert sent(machine, 1.0).value("rseq") == 8
