"""RTCP of a leg by itself: when reports are due and what stands in them."""

from __future__ import annotations

import pytest

from trunkline.media import rtcp
from trunkline.media.control import EVERY, Came, Control, Sent
from trunkline.media.rtp import Receiver


def receiver(packets: int) -> Receiver:
    counted = Receiver(1)
    for sequence in range(1, packets + 1):
        counted.receive(sequence)
    return counted


@pytest.mark.rfc("3550#6.2")
def test_reports_come_every_five_seconds_on_average_and_not_in_step() -> None:
    control = Control("x", 7)
    control.start(True, 0.0)
    first = control.at
    assert first is not None
    assert EVERY / 4 <= first <= EVERY * 0.75
    control.start(True, 1.0)
    assert control.at == first  # a re-INVITE does not put it off
    gaps, now = [], first
    for _ in range(200):
        control.report(Sent(1, 0, 0, 0), None, now)
        assert control.at is not None
        gaps.append(control.at - now)
        now = control.at
    assert EVERY / 2 <= min(gaps) < max(gaps) <= EVERY * 1.5
    assert abs(sum(gaps) / len(gaps) - EVERY) < 0.5
    control.start(False, now)
    assert control.at is None


@pytest.mark.rfc("3550#6.4")
def test_who_sent_lately_reports_as_sender_and_who_heard_lately_has_a_block() -> None:
    control, counted = Control("x", 7), receiver(10)
    came = Came(5, counted, 3)
    heads = []
    for packets in (0, 10, 10, 10):
        heads.append(rtcp.parse(control.report(Sent(1, packets, packets * 160, 0), came, 1.0))[0])
    assert [type(head) for head in heads] == [
        rtcp.ReceiverReport,
        rtcp.SenderReport,
        rtcp.SenderReport,
        rtcp.ReceiverReport,
    ]
    blocks = [head.blocks for head in heads if isinstance(head, rtcp.SenderReport | rtcp.ReceiverReport)]
    assert [len(each) for each in blocks] == [1, 0, 0, 0]
    assert (blocks[0][0].ssrc, blocks[0][0].jitter, blocks[0][0].highest) == (5, 3, 10)


@pytest.mark.rfc("3550#6.4.1")
def test_their_last_report_is_named_with_its_age() -> None:
    control = Control("x", 7)
    theirs = rtcp.SenderReport(5, 0x1234_5678_9ABC_DEF0, 0, 1, 1)
    control.take((theirs, rtcp.describe(5, "far"), rtcp.Goodbye((5,))), own=1, now=2.0)
    head = rtcp.parse(control.report(Sent(1, 0, 0, 0), Came(5, receiver(3), 0), 2.5))[0]
    assert isinstance(head, rtcp.ReceiverReport)
    assert (head.blocks[0].last_report, head.blocks[0].delay) == (0x5678_9ABC, 0x8000)
    other = rtcp.parse(control.report(Sent(1, 0, 0, 0), Came(6, receiver(3), 0), 2.5))[0]
    assert isinstance(other, rtcp.ReceiverReport)
    assert (other.blocks[0].last_report, other.blocks[0].delay) == (0, 0)


def test_a_block_about_another_or_of_another_time_measures_nothing() -> None:
    control = Control("x", 7)
    for block in (
        rtcp.Block(9, 0, 0, 0, 0, 1, 0),  # not about us
        rtcp.Block(1, 0, 0, 0, 0, 0, 0),  # heard no report of ours
        rtcp.Block(1, 0, 0, 0, 0, 1, 0),  # more than a minute ago
    ):
        control.take((rtcp.ReceiverReport(5, (block,)),), own=1, now=100.0)
        assert control.round_trip == 0.0
    control.take((rtcp.ReceiverReport(5, (rtcp.Block(1, 0, 0, 0, 0, 99 << 16, 1 << 15),)),), own=1, now=100.0)
    assert control.round_trip == 0.5
