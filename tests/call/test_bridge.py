"""Two passing legs joined: what one phone says, the other hears, each under the exchange's own o= line."""

from __future__ import annotations

from typing import Any

import pytest
from tests.call.ends import Exchange, Phone, X, bridged, over, sdp_of
from tests.line import ANSWER, SDP, A, B, Line, Puppet

from trunkline.call import events
from trunkline.call.cause import Cause
from trunkline.call.leg import State
from trunkline.sdp.description import Description
from trunkline.sip.message import respond
from trunkline.sip.session import SessionPolicy

RELIABLE = SessionPolicy()
BYE = Cause(16)


def from_x(line: Line, kind: str, to: tuple[str, int]) -> list[Any]:
    """What the exchange said of this kind on the leg to that phone."""
    legs = {A: "near", B: "far"}
    wanted = {"near": "a", "far": "b"}[legs[to]]
    call_ids = {m.call_id for name, m in line.log if name == wanted}
    return [m for m in line.all(f"x {kind}") if m.call_id in call_ids]


# --- a call through the exchange -----------------------------------------------------------------


@pytest.mark.rfc("7092#3.1.2")
def test_call_rings_is_answered_and_ends_through_the_bridge() -> None:
    line, a, x, b = bridged(talking=False)
    a.call(X)
    line.run(0.1)
    b.does(b.leg.ring(line.now))
    line.run(0.1)
    b.does(b.leg.answer(line.now))
    line.run(0.1)
    assert a.kinds() == ["Proceeding", "Rang", "Agreed", "Answered"]
    near, far = line.last("a INVITE"), line.last("x INVITE")
    assert near.call_id != far.call_id
    assert near.from_tag != far.from_tag
    assert sdp_of(far).origin.address == x.address[0]
    assert sdp_of(far).origin != sdp_of(near).origin
    assert sdp_of(far).media == sdp_of(near).media  # media goes straight from phone to phone
    assert (a.stream.address, b.stream.address) == (B[0], A[0])
    a.does(a.leg.hang_up(Cause(31, 0, "too long"), line.now))
    line.run(1)
    assert from_x(line, "BYE", B)[0].get("Reason") == 'Q.850;cause=31;text="too long"'
    over(line, a, x, b)


@pytest.mark.parametrize("status", [486, 404, 480, 603])
def test_refusal_crosses(status: int) -> None:
    line, a, x, b = bridged(talking=False)
    b.on[events.Invited] = lambda event: event.leg.refuse(status, b.now)
    a.call(X)
    line.run(1)
    assert [e.cause.status for e in a.heard if isinstance(e, events.Refused)] == [status]
    over(line, a, x, b)


def test_caller_that_gives_up_cancels_the_far_leg() -> None:
    line, a, x, b = bridged(talking=False)
    a.call(X)
    line.run(0.1)
    b.does(b.leg.ring(line.now))
    line.run(0.1)
    a.does(a.leg.hang_up(BYE, line.now))
    line.run(1)
    assert "x CANCEL" in line.said()
    assert b.kinds()[-2:] == ["Ended", "Gone"]
    over(line, a, x, b)


@pytest.mark.rfc("3261#13.2.2.4")
def test_caller_that_gives_up_while_the_far_side_answers() -> None:
    line, a, x, b = bridged(talking=False)
    a.call(X)
    line.run(0.1)
    line.hold("b 200 INVITE")
    b.does(b.leg.answer(line.now))
    a.does(a.leg.hang_up(BYE, line.now))
    line.run(1)
    line.release("b 200 INVITE")
    line.run(1)
    assert from_x(line, "ACK", B)
    assert from_x(line, "BYE", B)
    over(line, a, x, b)


@pytest.mark.rfc("3262#3")
def test_early_media_crosses_reliably_on_both_legs() -> None:
    line, a, x, b = bridged(RELIABLE, talking=False)
    a.call(X)
    line.run(0.1)
    b.does(b.leg.ring(line.now, 183))
    line.run(0.5)
    b.does(b.leg.answer(line.now))
    line.run(0.5)
    assert line.said("183 INVITE", "PRACK") == ["b 183 INVITE", "x PRACK", "x 183 INVITE", "a PRACK"]
    assert (a.stream.port, b.stream.port) == (20002, 20002)
    assert a.kinds() == ["Proceeding", "Agreed", "Rang", "Answered"]
    b.does(b.leg.hang_up(BYE, line.now))
    over(line, a, x, b)


@pytest.mark.rfc("3311#5.1")
def test_update_before_the_answer_crosses() -> None:
    line, a, x, b = bridged(RELIABLE, talking=False)
    a.call(X)
    line.run(0.1)
    b.does(b.leg.ring(line.now, 183))
    line.run(0.5)
    a.does(a.leg.reoffer(a.leg.descriptions.turned("sendonly"), line.now))
    line.run(0.5)
    assert line.said("UPDATE", "200 UPDATE") == ["a UPDATE", "x UPDATE", "b 200 UPDATE", "x 200 UPDATE"]
    assert b.stream.direction == "recvonly"
    b.does(b.leg.answer(line.now))
    line.run(0.5)
    a.does(a.leg.hang_up(BYE, line.now))
    over(line, a, x, b)


@pytest.mark.rfc("3261#13.2.1")
def test_delayed_offer_crosses_in_the_2xx_and_the_ack() -> None:
    line, a, x, b = bridged(talking=False, ends=False)
    b.on[events.Invited] = lambda event: event.leg.answer(b.now, Description.parse(SDP))
    a.on[events.Answered] = lambda event: event.leg.acknowledge(Description.parse(ANSWER), a.now)
    a.call(X)
    line.run(1)
    assert line.last("x INVITE").body == b""
    assert from_x(line, "ACK", B)[0].body
    assert sdp_of(from_x(line, "ACK", B)[0]).media == Description.parse(ANSWER).media
    assert b.heard[-1].sdp is not None
    assert sdp_of(line.last("x 200 INVITE")).media == Description.parse(SDP).media
    a.does(a.leg.hang_up(BYE, line.now))
    over(line, a, x, b)


# --- changes ------------------------------------------------------------------------------------------


@pytest.mark.rfc("3264#8.4")
@pytest.mark.parametrize("caller", [True, False])
def test_hold_crosses_and_each_leg_counts_its_own_version(caller: bool) -> None:
    line, a, x, b = bridged()
    holder, held = (a, b) if caller else (b, a)
    origins = []
    for hold, direction in ((True, "recvonly"), (False, "sendrecv"), (False, "sendrecv")):
        holder.does(holder.leg.hold(hold, line.now))
        line.run(1)
        assert held.stream.direction == direction
        origins.append(sdp_of(from_x(line, "INVITE", held.address)[-1]).origin)
        origins.append(sdp_of(from_x(line, "200 INVITE", holder.address)[-1]).origin)
    asked, answered = origins[0::2], origins[1::2]
    for one in (asked, answered):
        assert one[1] == one[0].raised()
        assert one[2] == one[1]  # nothing changed: RFC 3264 §8
        assert {origin.session_id for origin in one} == {one[0].session_id}
    holder.does(holder.leg.hang_up(BYE, line.now))
    over(line, a, x, b)


@pytest.mark.rfc("3261#14.1")
def test_refused_change_crosses_and_leaves_both_sessions() -> None:
    line, a, x, b = bridged()
    b.leg.descriptions.terms = b.leg.terms = None
    b.on[events.Reoffered] = lambda event: event.leg.refuse_reoffer(488, b.now)
    a.does(a.leg.hold(True, line.now))
    line.run(1)
    assert line.said("488 INVITE") == ["b 488 INVITE", "x 488 INVITE"]
    assert [e.status for e in a.heard if isinstance(e, events.ReofferRefused)] == [488]
    b.commands.clear()  # the port of the leg that became a passing one
    over_after_bye(line, a, x, b)


def over_after_bye(line: Line, a: Phone, x: Exchange, b: Phone) -> None:
    a.does(a.leg.hang_up(BYE, line.now))
    over(line, a, x, b)


@pytest.mark.rfc("3264#4")
def test_re_invite_without_offer_crosses() -> None:
    line, a, x, b = bridged()
    a.leg.descriptions.terms = a.leg.terms = None
    a.on[events.Reanswered] = lambda event: event.leg.acknowledge(Description.parse(SDP), a.now)
    a.does(a.leg.reoffer(None, line.now))
    line.run(1)
    assert from_x(line, "INVITE", B)[-1].body == b""
    assert from_x(line, "200 INVITE", A)[-1].body
    assert b.stream.port == 4000
    assert line.said("ACK") == ["a ACK", "x ACK"]
    a.commands.clear()  # the port of the leg that became a passing one
    a.does(a.leg.hang_up(BYE, line.now))
    line.run(100)
    assert x.endpoint.idle


@pytest.mark.rfc("3261#14.1")
def test_holds_that_cross_inside_the_exchange_both_come_through() -> None:
    line, a, x, b = bridged()
    a.does(a.leg.hold(True, line.now))
    b.does(b.leg.hold(True, line.now))
    line.run(20)
    assert (a.stream.direction, b.stream.direction) == ("inactive", "inactive")
    assert "ReofferRefused" not in (*a.kinds(), *b.kinds())
    over_after_bye(line, a, x, b)


def test_change_is_dropped_when_the_far_side_hangs_up() -> None:
    line, a, x, b = bridged()
    line.lose("x INVITE", 99)
    a.does(a.leg.hold(True, line.now))
    line.run(0.2)
    b.does(b.leg.hang_up(BYE, line.now))
    line.run(1)
    assert line.said("487 INVITE")
    over(line, a, x, b)


@pytest.mark.rfc("3261#14.1")
def test_far_side_that_knows_the_dialog_no_more_ends_the_call() -> None:
    line, a, x, b = bridged()
    b.endpoint.dialogs.clear()
    a.does(a.leg.hold(True, line.now))
    line.run(1)
    (ended,) = [e for e in x.heard if isinstance(e, events.Ended)]
    assert ended.by == "timer"
    assert a.kinds()[-2:] == ["Ended", "Gone"]
    assert line.last("x BYE").get("Reason") == 'Q.850;cause=102;text="INVITE in the dialog got 481"'
    line.run(100)
    assert x.endpoint.idle


@pytest.mark.rfc("6086#4")
def test_info_crosses_one_at_a_time() -> None:
    line, a, x, b = bridged()
    waiting: list[Any] = []
    b.on[events.Informed] = lambda event: waiting.append(event) or []  # type: ignore[func-returns-value]
    a.does(a.leg.inform(b"Signal=5", "application/dtmf-relay", line.now))
    line.run(0.1)
    a.does(a.leg.inform(b"Signal=6", "application/dtmf-relay", line.now))
    line.run(0.1)
    assert line.said("491 INFO") == ["x 491 INFO"]
    b.does(b.leg.answer_info(waiting[0].transaction, 415, line.now))
    line.run(0.1)
    assert line.said("415 INFO") == ["b 415 INFO", "x 415 INFO"]
    assert (line.last("x INFO").body, line.last("x INFO").get("Content-Type")) == (
        b"Signal=5", "application/dtmf-relay",
    )  # fmt: skip
    over_after_bye(line, a, x, b)


def test_info_that_the_far_side_never_answers_is_answered_in_the_end() -> None:
    line, a, x, b = bridged()
    line.lose("x INFO", 99)
    a.does(a.leg.inform(b"5", "text/plain", line.now))
    line.run(1)
    b.does(b.leg.hang_up(BYE, line.now))
    line.run(40)
    assert len(line.said("481 INFO", "487 INFO")) == 1
    over(line, a, x, b)


def test_info_in_flight_is_answered_when_either_side_hangs_up() -> None:
    for hangs_up in ("a", "b", "x"):
        line, a, x, b = bridged()
        b.on[events.Informed] = lambda event: []  # never answers
        a.does(a.leg.inform(b"5", "text/plain", line.now))
        line.run(0.1)
        if hangs_up == "x":
            for leg in (x.bridge.a, x.bridge.b):
                x.does(leg.hang_up(BYE, line.now))
        else:
            phone = a if hangs_up == "a" else b
            phone.does(phone.leg.hang_up(BYE, line.now))
        line.run(100)
        assert x.endpoint.idle, hangs_up
        assert a.endpoint.idle, hangs_up


def test_stray_answers_and_unknown_events_are_dropped() -> None:
    line, a, x, b = bridged()
    assert x.bridge.carry(events.InfoAnswered(x.bridge.b, 200), line.now) == []
    assert x.bridge.carry(events.Proceeding(x.bridge.b), line.now) == []
    assert x.bridge.other(x.bridge.a) is x.bridge.b
    assert x.bridge.other(x.bridge.b) is x.bridge.a
    over_after_bye(line, a, x, b)


def test_refusal_without_a_status_is_a_500() -> None:
    line, a, x, b = bridged(talking=False)
    a.call(X)
    line.run(0.1)
    x.does(x.bridge.carry(events.Refused(x.bridge.b, Cause(41), 0, None), line.now))
    line.run(0.1)
    assert line.said("500 INVITE") == ["x 500 INVITE"]
    x.does(x.bridge.b.hang_up(BYE, line.now))
    over(line, a, x, b)


@pytest.mark.rfc("4028#10")
def test_session_refresh_stays_on_its_own_leg() -> None:
    line, a, x, b = bridged(SessionPolicy(expires=90, reliable="off"))
    line.run(400)
    assert line.said("INVITE") == []
    assert {name for name, message in line.log if getattr(message, "method", "") == "UPDATE"} == {"a", "x"}
    assert a.leg.state is State.TALKING
    over_after_bye(line, a, x, b)


@pytest.mark.rfc("3261#13.2.2.4")
def test_forks_behind_the_exchange_make_one_call() -> None:
    line = Line()
    a, x, puppet = Phone(line, "a", A), Exchange(line, B), Puppet(line, "b", B)
    a.call(X)
    line.run(0.1)
    invite = puppet.heard("INVITE")[0]
    contact = (("Contact", "<sip:p@192.0.2.2>"),)
    for status, tag in ((180, "one"), (183, "two"), (200, "two"), (200, "one")):
        body = ANSWER if status > 180 else b""
        puppet.says(respond(invite, status, to_tag=tag, headers=contact, body=body))
        line.run(0.1)
    assert [m.to_tag for m in puppet.heard("BYE")] == ["one"]
    puppet.says(respond(puppet.heard("BYE")[0], 200))
    assert a.leg.state is State.TALKING
    assert line.said("x 200 INVITE") == ["x 200 INVITE"]
    a.does(a.leg.hang_up(BYE, line.now))
    line.run(0.1)
    puppet.says(respond(puppet.heard("BYE")[1], 200))
    over(line, a, x)
