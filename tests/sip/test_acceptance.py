"""The 2xx of an INVITE and its ACK, each as a machine of its own."""

from __future__ import annotations

import pytest

from trunkline.sip.acceptance import ACKS_MAX, Acceptance, Acknowledgements
from trunkline.sip.flow import Flow, Send
from trunkline.sip.message import Request, Response
from trunkline.sip.transaction import TimerValues

TCP = Flow("TCP", ("192.0.2.1", 5060), ("192.0.2.2", 5060))


def accepted(seq: int = 1, tag: str = "b") -> Response:
    return Response.build(200, None, [("To", f"<sip:b@h>;tag={tag}"), ("CSeq", f"{seq} INVITE")])


def ack(seq: int) -> Request:
    return Request.build("ACK", "sip:b@h", [("CSeq", f"{seq} ACK")])


@pytest.mark.rfc("3261#13.3.1.4")
def test_2xx_is_repeated_from_t1_to_t2_over_every_transport() -> None:
    machine = Acceptance(accepted(), TCP, TimerValues(), 0.0, offers=False)
    times = []
    while True:
        at = machine.at
        again = machine.due(at)
        if again is None:
            break
        assert again == [Send(bytes(accepted()), TCP)]
        times.append(at)
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert at == 32


def test_only_the_ack_of_that_invite_counts() -> None:
    machine = Acceptance(accepted(4), TCP, TimerValues(), 0.0, offers=True)
    assert [machine.acknowledged(ack(seq)) for seq in (3, 4)] == [False, True]
    assert machine.offers


@pytest.mark.rfc("3261#13.2.2.4")
def test_acks_are_kept_by_fork_and_number_and_bounded() -> None:
    acks = Acknowledgements()
    for seq in range(1, ACKS_MAX + 2):
        acks.keep("b", seq, Send(bytes(ack(seq)), TCP))
    assert acks.of(accepted(1)) is None  # the oldest gave way
    assert acks.of(accepted(2)) == Send(bytes(ack(2)), TCP)
    assert acks.of(accepted(2, "another")) is None
