"""Who sits at an ending leg: each behaviour, as the far side sees it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.call.ends import Phone, over
from tests.line import SDP, A, B, Line

from trunkline.call import events
from trunkline.call.leg import Leg
from trunkline.call.party import NO_ANSWER, PATIENCE, TEST_TONES, Behaviour, Party
from trunkline.media import anchor
from trunkline.sip.session import SessionPolicy


class Seat(Phone):
    """A phone with a party at it."""

    def __init__(
        self, line: Line, name: str, address: tuple[str, int], seed: int, behaviour: Behaviour
    ) -> None:
        super().__init__(line, name, address, seed)
        self.behaviour = behaviour
        self.party: Party

    def new_leg(self) -> Leg:
        leg = super().new_leg()
        self.party = Party(leg, self.behaviour)
        return leg

    def hear(self, event: Any) -> list[Any]:
        return self.party.hear(event, self.now)


def seats(b: Behaviour, a: Behaviour | None = None) -> tuple[Line, Seat, Seat]:
    """Two parties; `a` has called `b`."""
    line = Line()
    caller = Seat(line, "a", A, 1, a or Behaviour())
    called = Seat(line, "b", B, 2, b)
    caller.call(B)
    return line, caller, called


def media(seat: Seat) -> list[Any]:
    return [command for command in seat.commands if not isinstance(command, anchor.Offer | anchor.Answer)]


def test_answer_comes_after_the_ringing_and_hang_up_after_the_talk() -> None:
    line, a, b = seats(Behaviour(after=2.0, seconds=5.0))
    line.run(1.9)
    assert line.said("180 INVITE", "200 INVITE") == ["b 180 INVITE"]
    line.run(0.3)
    assert a.party.talking
    assert b.party.talking
    line.run(4.5)
    assert line.said("BYE") == []
    line.run(1)
    assert line.said("BYE") == ["b BYE"]
    over(line, a, b)


def test_caller_may_be_the_one_to_hang_up() -> None:
    line, a, b = seats(Behaviour(), Behaviour(seconds=3.0))
    line.run(5)
    assert line.said("BYE") == ["a BYE"]
    over(line, a, b)


@pytest.mark.parametrize(("does", "status"), [("busy", 486), ("unallocated", 404)])
def test_refusals(does: str, status: int) -> None:
    line, a, b = seats(Behaviour(does))
    line.run(1)
    assert [e.cause.status for e in a.heard if isinstance(e, events.Refused)] == [status]
    over(line, a, b)


def test_nobody_rings_for_ever() -> None:
    line, a, b = seats(Behaviour("ring"))
    line.run(PATIENCE + 1)
    assert line.said("BYE", "CANCEL", "480 INVITE")[0] in ("b 480 INVITE", "a CANCEL")
    causes = [e.cause for e in (*a.heard, *b.heard) if isinstance(e, events.Ended | events.Refused)]
    assert causes
    assert NO_ANSWER.status == 480
    over(line, a, b)


def test_caller_gives_up_a_call_whose_end_was_lost() -> None:
    line, a, b = seats(Behaviour("ring"))
    line.run(1)
    line.agents.remove(b)
    line.run(PATIENCE + 40)
    assert a.kinds()[-1] == "Gone"
    assert "a CANCEL" in line.said()


def test_early_media_is_sent_before_the_answer() -> None:
    line, a, b = seats(Behaviour("early", after=3.0, tone=425, listen=(620,)))
    line.run(1)
    assert media(b) == [anchor.Play("media", "b", (425,)), anchor.Listen("media", "b", (620,))]
    assert line.last("183 INVITE").body
    line.run(4)
    assert a.party.talking
    a.does(a.party.hang_up(line.now))
    over(line, a, b)


def test_tone_echo_and_silence() -> None:
    line, _, b = seats(Behaviour("echo", listen=TEST_TONES))
    line.run(1)
    assert media(b) == [anchor.Play("media", "b", (), echo=True), anchor.Listen("media", "b", TEST_TONES)]
    line, a, b = seats(Behaviour(tone=440))
    line.run(1)
    assert media(b) == [anchor.Play("media", "b", (440,))]
    assert media(a) == []


def test_change_of_the_session_does_not_begin_the_tone_again() -> None:
    line, a, b = seats(Behaviour(tone=440))
    line.run(1)
    a.does(a.leg.hold(True, line.now))
    line.run(1)
    assert b.kinds().count("Agreed") == 2
    assert len(media(b)) == 1


@pytest.mark.parametrize("leaves", [True, False])
def test_silence_of_the_far_side_ends_the_call_or_not(leaves: bool) -> None:
    line, a, b = seats(Behaviour(leaves_silence=leaves))
    line.run(1)
    b.does(b.party.hear_media(anchor.Heard("media", "b", 620), line.now))
    b.does(b.party.hear_media(anchor.Silent("media", "b", 2.0), line.now))
    line.run(1)
    assert line.said("BYE") == (["b BYE"] if leaves else [])
    if leaves:
        assert line.last("BYE").get("Reason") == 'Q.850;cause=41;text="no RTP from the far side"'
    a.does(a.party.hang_up(line.now))
    over(line, a, b)


@pytest.mark.rfc("6086#4.2.2")
def test_info_is_heard_and_that_is_all() -> None:
    line, a, _b = seats(Behaviour())
    line.run(1)
    a.does(a.leg.inform(b"5", "application/dtmf", line.now))
    line.run(1)
    assert line.said("200 INFO") == ["b 200 INFO"]


def test_offer_that_does_not_fit_is_refused_even_by_who_would_answer_early() -> None:
    line = Line()
    a, b = Phone(line, "a", A, ends=False), Seat(line, "b", B, 2, Behaviour("early"))
    a.call(B, SDP.replace(b"AVP 8", b"AVP 97"))
    line.run(5)
    assert line.said("488 INVITE") == ["b 488 INVITE"]
    over(line, a, b)


def test_early_media_of_a_leg_without_media_says_nothing() -> None:
    line, _, b = seats(Behaviour())
    line.run(1)
    passing = Party(Leg(b.endpoint, "p", SessionPolicy()), Behaviour(tone=440))
    stream = b.stream
    assert passing.hear(events.Agreed(passing.leg, stream), line.now) == []
    assert passing.expire(line.now) == []
    assert passing.hear(events.Acknowledged(passing.leg, None), line.now) == []
    assert not passing.talking
