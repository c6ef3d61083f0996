"""Changes from both sides of an anchored call at once, and two phones that speak before the answer."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pbx.secured import SecureOffice, described, savp
from tests.pbx.test_secured import talking
from tests.peers import Dialog, Peer, sdp

from trunkline.media import anchor
from trunkline.sip.message import Request


def near(direction: str) -> bytes:
    """What the phone says of its side."""
    return sdp("192.0.2.101", 30000, direction=direction)


def trunk(direction: str) -> bytes:
    """What the carrier says of its own."""
    return savp("194.250.129.193", direction=direction)


def changes(side: Dialog, body: bytes) -> str:
    """One side asks for a change, and gets it; the direction it is answered with."""
    side.asks("INVITE", body)
    answer = side.peer.hears(200)
    side.asks("ACK", cseq=answer.cseq.number)
    return direction(answer)


def told(side: Peer, body: bytes) -> str:
    """The other side is asked, and agrees; the direction it was asked for."""
    asked: Request = side.hears("INVITE")
    side.says(200, asked, body)
    side.hears("ACK")
    return direction(asked)


def direction(message: Any) -> str:
    audio = described(message.body).audio
    assert audio is not None
    return audio.direction


@pytest.mark.rfc("3264#8.4")
def test_both_sides_may_hold_and_each_is_told_once() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call, far = talking(office, phone)
    assert changes(call, near("sendonly")) == "recvonly"
    assert told(office.nominal, trunk("recvonly")) == "sendonly"
    assert changes(far, trunk("sendonly")) == "inactive"
    assert told(phone, near("inactive")) == "sendonly"
    for side in (phone, office.nominal):
        side.quiet()
    assert changes(call, near("sendrecv")) == "sendonly"  # the other still holds
    assert told(office.nominal, trunk("sendonly")) == "sendrecv"
    assert changes(far, trunk("sendrecv")) == "sendrecv"
    assert told(phone, near("sendrecv")) == "sendrecv"
    call.byes()
    far.hears_bye()
    office.rests()


@pytest.mark.rfc("3261#14.1")
def test_a_retrieval_that_meets_a_change_of_the_other_side_comes_after_it() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call, far = talking(office, phone)
    assert changes(far, trunk("sendonly")) == "recvonly"
    assert told(phone, near("recvonly")) == "sendonly"

    call.asks("INVITE", near("sendrecv"))
    answer = phone.hears(200)
    assert direction(answer) == "sendonly"
    assert changes(far, trunk("sendrecv")) == "sendrecv"  # while the phone's ACK is under way
    phone.quiet()
    call.asks("ACK", cseq=answer.cseq.number)
    assert told(phone, near("sendrecv")) == "sendrecv"
    for side in (phone, office.nominal):
        side.quiet()
    call.byes()
    far.hears_bye()
    office.rests()


def test_a_wish_that_was_said_along_with_a_change_is_not_said_again() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call, far = talking(office, phone)
    call.asks("INVITE", near("sendrecv"))
    first = phone.hears(200)
    assert changes(far, trunk("sendonly")) == "recvonly"
    call.asks("INVITE", near("sendrecv"))  # before the ACK of the first: the hold goes along with the answer
    second = phone.hears(200)
    assert (direction(first), direction(second)) == ("sendrecv", "sendonly")
    call.asks("ACK", cseq=second.cseq.number)
    phone.quiet()
    call.byes()
    far.hears_bye()
    office.rests()


@pytest.mark.rfc("3264#5")
def test_of_two_phones_with_early_media_the_one_that_answers_has_the_callers_ear() -> None:
    office = SecureOffice()
    first, second = office.phone("201"), office.phone("201", port=5070)
    call = office.calls_in_by(office.nominal)
    one, other = first.rung(), second.rung()
    one.says(183, near("sendrecv"))
    other.says(183, sdp("192.0.2.101", 31000))
    office.nominal.hears(183)
    before = len(office.media)
    one.says(200, near("sendrecv"))
    first.hears("ACK")
    again, agreed = office.media[before : before + 2]
    caller = next(offer for offer in office.told(anchor.Offer) if not offer.join)
    assert isinstance(again, anchor.Offer)
    assert isinstance(agreed, anchor.Answer)
    assert (again.leg, again.join) == (agreed.leg, caller.leg)
    assert agreed.stream.port == 30000
    second.hears("CANCEL")
    call.acks(office.nominal.hears(200))
    call.byes()
    one.hears_bye()
