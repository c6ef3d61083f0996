"""What a message says of media, and how a leg's descriptions follow one another."""

from __future__ import annotations

import pytest
from tests.line import ANSWER, SDP, A, SeededIds

from trunkline.call.description import Descriptions, Terms, description_of
from trunkline.call.leg import Leg
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.sdp.description import Description
from trunkline.sip.endpoint import Endpoint
from trunkline.sip.message import Request
from trunkline.sip.session import SessionPolicy


def message(body: bytes, *headers: tuple[str, str]) -> Request:
    return Request.build("INVITE", "sip:b@h", headers, body)


def descriptions(terms: Terms | None = None) -> Descriptions:
    leg = Leg(Endpoint(SeededIds(1)), "leg", SessionPolicy(), terms)
    leg.descriptions.address = A[0]
    return leg.descriptions


@pytest.mark.rfc("3261#20.15")
def test_body_is_read_by_its_type() -> None:
    assert description_of(message(b"")) is None
    assert description_of(message(SDP)) == Description.parse(SDP)
    assert description_of(message(SDP, ("Content-Type", "Application/SDP;x=y"))) == Description.parse(SDP)
    with pytest.raises(ParseError) as error:
        description_of(message(b"x", ("Content-Type", "text/plain")))
    assert error.value.status == 415
    optional = ("Content-Disposition", "render; Handling=Optional")
    assert description_of(message(b"x", ("Content-Type", "text/plain"), optional)) is None


@pytest.mark.rfc("3264#8")
def test_passing_leg_counts_versions_only_when_something_changed() -> None:
    mine = descriptions()
    assert mine.again() == b""
    first = Description.parse(mine.pass_offer(Description.parse(SDP)))
    assert mine.offer_open
    mine.take_answer(Description.parse(ANSWER))
    same = Description.parse(mine.pass_offer(Description.parse(SDP.replace(b"o=- 1 1", b"o=- 7 9"))))
    assert same.origin == first.origin
    mine.negotiation.refused()
    changed = Description.parse(mine.pass_offer(Description.parse(ANSWER)))
    assert changed.origin == first.origin.raised()
    assert mine.again() == bytes(changed)


@pytest.mark.rfc("3264#4")
def test_preview_leaves_the_offer_open_and_the_answer_closes_it() -> None:
    mine = descriptions()
    mine.negotiation.offer_received(Description.parse(SDP))
    assert mine.answer_awaited
    mine.pass_answer(Description.parse(ANSWER), final=False)
    assert mine.answer_awaited
    mine.pass_answer(Description.parse(ANSWER))
    assert not mine.answer_awaited
    assert mine.turned("sendonly") is not None


def test_end_has_nothing_to_turn_or_to_take_before_it_agreed() -> None:
    mine = descriptions(Terms("media", A[0]))
    assert mine.turned("sendonly") is None
    assert mine.take_answer(Description.parse(ANSWER)) == []
    assert mine.release() == []
    mine.port = anchor.Anchored("media", "leg", A[0], 4002, 4003)
    assert mine.release() == [anchor.Release("media", "leg")]
    assert mine.release() == []
