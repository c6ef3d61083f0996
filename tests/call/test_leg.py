"""One leg: how a call begins, changes and ends, in the trade's words; PREPARING; descriptions and ports."""

from __future__ import annotations

from typing import Any

import pytest
from tests.call.ends import NO_RELIABLE, Phone, answering, over, sdp_of, two
from tests.line import ANSWER, SDP, A, B, Line, Puppet

from trunkline.call import events
from trunkline.call.cause import NORMAL_CLEARING, Cause
from trunkline.call.leg import ANCHOR_WAIT, NEXT, Leg, State, Terms, unclaimed
from trunkline.media import anchor
from trunkline.sdp.description import Description
from trunkline.sip.message import Request, Response, respond
from trunkline.sip.session import SessionPolicy

RELIABLE = SessionPolicy()
BYE = Cause(NORMAL_CLEARING)


def talking(policy: SessionPolicy = NO_RELIABLE) -> tuple[Line, Phone, Phone]:
    """Two phones in a call; what was said and heard so far is forgotten."""
    line, a, b = two(policy, policy)
    answering(b)
    a.call(B)
    line.run(1)
    assert a.leg.state is b.leg.state is State.TALKING
    line.clear()
    a.heard.clear()
    b.heard.clear()
    return line, a, b


def called_by_puppet(
    sdp: bytes = SDP, ends: bool = True, *more: tuple[str, str]
) -> tuple[Line, Phone, Puppet]:
    """A puppet has called `b`."""
    line = Line()
    b, puppet = Phone(line, "b", B, 2, ends=ends), Puppet(line, "p", ("192.0.2.4", 5060))
    headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKp"),
        ("From", "<sip:p@192.0.2.4>;tag=p"),
        ("To", "<sip:b@192.0.2.2>"),
        ("Call-ID", "pc"),
        ("CSeq", "1 INVITE"),
        ("Contact", "<sip:p@192.0.2.4:5060>"),
        *more,
    ]
    flow = b.flow_to(puppet.address)
    puppet.says(
        Request.build("INVITE", "sip:b@192.0.2.2", headers, sdp), flow._replace(local=flow.remote, remote=B)
    )
    line.run(0.1)
    return line, b, puppet


def ack_of(invite: Request, answer: Response, body: bytes = b"") -> Request:
    headers = [(name, invite.get(name) or "") for name in ("From", "Call-ID")]
    headers += [("Via", f"{invite.get('Via')}a"), ("To", answer.get("To") or ""), ("CSeq", "1 ACK")]
    return Request.build("ACK", "sip:b@192.0.2.2", headers, body)


def answer_of(
    puppet: Puppet, status: int, body: bytes = b"", tag: str = "p", *more: tuple[str, str]
) -> Response:
    invite = puppet.heard("INVITE")[-1]
    return respond(invite, status, to_tag=tag, headers=(("Contact", "<sip:p@192.0.2.2>"), *more), body=body)


def calling_puppet(sdp: bytes = b"", ends: bool = True) -> tuple[Line, Phone, Puppet]:
    """`a` has called a puppet at b's address."""
    line = Line()
    a, puppet = Phone(line, "a", A, ends=ends), Puppet(line, "b", B)
    a.call(B, sdp)
    line.run(0.1)
    return line, a, puppet


def port_of(body: bytes) -> int:
    return Description.parse(body).media[0].port


# --- beginnings -------------------------------------------------------------------------------


def test_call_between_two_ends_agrees_on_a_stream_and_gives_the_ports_back() -> None:
    line, a, b = two()
    a.call(B)
    line.run(0.1)
    b.does(b.leg.ring(line.now))
    b.does(b.leg.answer(line.now))
    line.run(0.1)
    assert a.kinds() == ["Proceeding", "Rang", "Agreed", "Answered"]
    assert b.kinds() == ["Invited", "Agreed", "Acknowledged"]
    assert (a.stream.address, a.stream.port, a.stream.codec) == (B[0], 20002, "PCMA")
    assert (b.stream.address, b.stream.port) == (A[0], 20002)
    assert [type(c).__name__ for c in a.commands] == ["Offer", "Answer"]
    a.does(a.leg.hang_up(BYE, line.now))
    over(line, a, b)
    assert b.heard[-2].cause == Cause(16, 0, "")
    assert b.heard[-2].by == "remote"


def test_cause_of_a_hang_up_arrives() -> None:
    line, a, b = talking()
    a.does(a.leg.hang_up(Cause(31, 0, "maximum call time reached"), line.now))
    line.run(1)
    assert line.last("BYE").get("Reason") == 'Q.850;cause=31;text="maximum call time reached"'
    (ended,) = [e for e in b.heard if isinstance(e, events.Ended)]
    assert ended.cause.q850 == 31
    assert a.leg.hang_up(BYE, line.now) == []


def test_refusal_tells_cause_retry_after_and_response() -> None:
    line, a, b = two()
    b.on[events.Invited] = lambda event: event.leg.refuse(
        503, b.now, (("Retry-After", "30"), ("Reason", 'Q.850;cause=34;text="full"'))
    )
    a.call(B)
    line.run(1)
    (refused,) = [e for e in a.heard if isinstance(e, events.Refused)]
    assert (refused.cause.q850, refused.cause.status, refused.retry_after) == (34, 503, 30)
    assert refused.response is not None
    assert refused.cause.text == "Service Unavailable"
    over(line, a, b)


@pytest.mark.parametrize(("reason", "q850"), [("SIP;cause=200", 17), ("Q.850;cause=\x01", 17), ("Q.850", 17)])
def test_cause_that_says_nothing_falls_back_to_the_status(reason: str, q850: int) -> None:
    line, a, puppet = calling_puppet()
    puppet.says(answer_of(puppet, 486, b"", "p", ("Reason", reason)))
    line.run(0.1)
    refused = [e for e in a.heard if isinstance(e, events.Refused)]
    assert [e.cause.q850 for e in refused] in ([q850], [])  # a broken header: no such response


def test_silence_and_a_broken_path_are_told_in_words() -> None:
    line, a, _ = two()
    line.lose("INVITE", 99)
    a.call(B)
    line.run(40)
    assert a.heard[-2].cause == Cause(102, 408, "no answer from the next hop")
    line, a, _ = two()
    line.dead.add("UDP")
    a.call(B)
    line.run(1)
    assert a.heard[-2].cause == Cause(41, 503, "the next hop cannot be reached")
    over(line, a)


@pytest.mark.rfc("3261#13.3.1.4")
def test_commands_out_of_season_say_nothing() -> None:
    line, a, b = talking()
    now = line.now
    for out in (
        b.leg.ring(now),
        b.leg.answer(now),
        b.leg.refuse(486, now),
        a.leg.acknowledge(None, now),
        a.leg.reanswer(None, now),
        a.leg.refuse_reoffer(488, now),
        a.leg.hear_media(anchor.Silent("media", "a", 2.0), now),
        a.leg.hear_media(anchor.Refused("media", "a", "late"), now),
        a.leg.hear_media(anchor.Anchored("media", "a", A[0], 1, 2), now),
        a.leg.expire(now),
        Leg(a.endpoint, "new", NO_RELIABLE).hold(True, now),
    ):
        assert out == []


# --- PREPARING ----------------------------------------------------------------------------------


def preparing(caller: bool) -> tuple[Line, Phone, Phone]:
    """One of two phones whose media hands do not answer."""
    line, a, b = two()
    (a if caller else b).anchors = False
    a.call(B)
    line.run(0.1)
    return line, a, b


@pytest.mark.parametrize("caller", [True, False])
def test_leg_waits_for_its_port_and_goes_on_when_it_is_there(caller: bool) -> None:
    line, a, b = preparing(caller)
    answering(b)
    waits = a if caller else b
    assert waits.leg.state is State.PREPARING
    assert line.said("INVITE", "100 INVITE") == ([] if caller else ["a INVITE", "b 100 INVITE"])
    waits.does(waits.anchored(waits.commands[0]))
    line.run(1)
    assert a.leg.state is b.leg.state is State.TALKING
    a.does(a.leg.hang_up(BYE, line.now))
    over(line, a, b)


@pytest.mark.rfc("3261#9.2")
def test_cancel_while_preparing_gets_487_and_a_late_port_is_given_back() -> None:
    line, a, b = preparing(False)
    a.does(a.leg.hang_up(BYE, line.now))
    line.run(0.1)
    assert line.said("200 CANCEL", "487 INVITE") == ["b 200 CANCEL", "b 487 INVITE"]
    assert b.kinds() == ["Ended", "Gone"]
    assert (b.heard[0].cause.status, b.heard[0].cause.text) == (487, "the caller gave up")
    b.does(b.anchored(b.commands[0]))
    assert b.commands[1:] == [anchor.Release("media", "b")]
    over(line, a, b)


def test_hang_up_while_preparing_calls_nobody_and_a_late_port_is_given_back() -> None:
    line, a, b = preparing(True)
    a.does(a.leg.hang_up(BYE, line.now))
    assert a.kinds() == ["Gone"]
    a.does(a.anchored(a.commands[0]))
    over(line, a, b)
    assert line.said() == []


def test_refusal_while_preparing_ends_the_invite() -> None:
    line, a, b = preparing(False)
    b.does(b.leg.hang_up(Cause(41, 0, "stopping"), line.now, 503))
    line.run(0.1)
    assert line.said("503 INVITE") == ["b 503 INVITE"]
    line, a, b = preparing(False)
    b.does(b.leg.refuse(480, line.now))
    line.run(0.1)
    assert line.said("480 INVITE") == ["b 480 INVITE"]
    b.does(b.anchored(b.commands[0]))
    over(line, a, b)


@pytest.mark.rfc("3261#14.2")
def test_invite_in_the_dialog_while_preparing_gets_500() -> None:
    line, _, b = preparing(False)
    invite = line.last("INVITE")
    again = invite.with_header("CSeq", f"{invite.cseq.number + 1} INVITE")
    again = again.with_header("To", f"{invite.get('To')};tag={b.leg.usage.local_tag}")
    again = again.with_header("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKagain")
    b.does(b.receive(bytes(again), b.flow_to(A), line.now))
    refused = line.last("500 INVITE")
    assert 0 <= refused.value("retry-after").seconds <= 10
    assert b.leg.state is State.PREPARING


@pytest.mark.parametrize("caller", [True, False])
@pytest.mark.parametrize("says", [True, False])
def test_no_port_is_a_503(caller: bool, says: bool) -> None:
    line, a, b = preparing(caller)
    waits = a if caller else b
    if says:
        waits.does(waits.hear_media(anchor.Refused("media", waits.name, "ports exhausted")))
    else:
        line.run(ANCHOR_WAIT)
        waits.does(waits.anchored(waits.commands[0]))  # too late
    line.run(0.1)
    why = "ports exhausted" if says else "the media engine did not answer"
    if caller:
        assert [(e.cause.status, e.cause.text) for e in a.heard if isinstance(e, events.Refused)] == [
            (503, why)
        ]
        assert line.said() == []
    else:
        assert line.last("503 INVITE").reason == "No Media Port"
        assert a.heard[-2].cause.status == 503
    line.run(100)
    assert a.endpoint.idle
    assert b.endpoint.idle
    assert waits.released() == (0 if says else 1)


def test_port_of_an_unknown_leg_is_given_back() -> None:
    assert unclaimed(anchor.Anchored("m", "l", "192.0.2.1", 1, 2)) == [anchor.Release("m", "l")]


# --- descriptions of an ending leg -----------------------------------------------------------------


@pytest.mark.rfc("3264#6")
@pytest.mark.parametrize("how", ["early", "at once"])
def test_offer_that_does_not_fit_is_refused_with_488(how: str) -> None:
    video = SDP.replace(b"m=audio 4000 RTP/AVP 8", b"m=audio 4000 RTP/AVP 97")
    line, b, puppet = called_by_puppet(video)
    b.does(b.leg.ring(line.now, 183) if how == "early" else b.leg.answer(line.now))
    line.run(0.1)
    assert puppet.heard("488 INVITE")
    assert b.kinds() == ["Invited", "Gone"]


@pytest.mark.rfc("3261#20.15")
def test_body_that_is_no_description_is_refused() -> None:
    _, _, puppet = called_by_puppet(b"v=1\r\n")
    assert puppet.heard("400 INVITE")
    _line, b, puppet = called_by_puppet(
        b"?", True, ("Content-Type", "text/plain"), ("Content-Disposition", "render; handling=optional")
    )
    assert [e.sdp for e in b.heard] == [None]  # passed over, and we may offer


@pytest.mark.rfc("3261#13.2.1")
def test_called_end_offers_when_the_caller_did_not() -> None:
    line, b, puppet = called_by_puppet(b"")
    b.does(b.leg.ring(line.now, 183))
    b.does(b.leg.answer(line.now))
    line.run(0.1)
    assert puppet.heard("183 INVITE")[0].body == b""  # never an offer: it would want a PRACK
    (answer,) = puppet.heard("200 INVITE")
    assert port_of(answer.body) == 20002
    puppet.says(ack_of(line.last("INVITE"), answer, ANSWER))
    line.run(0.1)
    assert b.kinds() == ["Invited", "Agreed", "Acknowledged"]
    assert (b.stream.address, b.stream.port) == ("192.0.2.2", 4000)


@pytest.mark.rfc("3261#13.2.2.4")
@pytest.mark.parametrize("body", [b"", SDP.replace(b"audio", b"video"), b"nonsense"])
def test_ack_without_the_answer_it_owes_ends_the_call(body: bytes) -> None:
    line, b, puppet = called_by_puppet(b"")
    b.does(b.leg.answer(line.now))
    line.run(0.1)
    puppet.says(ack_of(line.last("INVITE"), puppet.heard("200 INVITE")[0], body))
    line.run(0.1)
    (ended,) = [e for e in b.heard if isinstance(e, events.Ended)]
    assert ended.cause.status in (400, 488)
    assert puppet.heard("BYE")
    puppet.says(respond(puppet.heard("BYE")[0], 200))
    over(line, b)


@pytest.mark.rfc("3261#13.2.1")
def test_early_media_and_the_answer_say_the_same() -> None:
    line, a, b = two()
    a.call(B)
    line.run(0.1)
    b.does(b.leg.ring(line.now, 183))
    line.run(0.1)
    assert a.kinds() == ["Proceeding", "Agreed", "Rang"]
    assert a.heard[-1].sdp is not None
    b.does(b.leg.ring(line.now, 180))
    b.does(b.leg.answer(line.now))
    line.run(0.1)
    early, final = line.last("183 INVITE"), line.last("200 INVITE")
    assert early.body == final.body
    assert line.last("180 INVITE").body == b""
    assert b.kinds().count("Agreed") == 1


def test_answer_of_another_fork_moves_the_stream() -> None:
    line, a, puppet = calling_puppet()
    early, final = SDP, SDP.replace(b"4000", b"4242")
    for rseq, body in ((1, early), (1, early)):
        puppet.says(answer_of(puppet, 183, body, "one", ("Require", "100rel"), ("RSeq", str(rseq))))
    puppet.says(answer_of(puppet, 200, final, "two"))
    line.run(0.1)
    assert [e.stream.port for e in a.heard if isinstance(e, events.Agreed)] == [4000, 4242]
    puppet.says(answer_of(puppet, 200, final, "two"))
    a.does(a.leg.hang_up(BYE, line.now))
    line.run(0.1)
    puppet.says(respond(puppet.heard("BYE")[0], 200))
    line.run(100)
    assert a.leg.state is State.OVER


def test_preview_that_cannot_be_read_is_passed_over() -> None:
    line, a, puppet = calling_puppet()
    for body in (b"nonsense", SDP.replace(b"audio", b"video")):
        puppet.says(answer_of(puppet, 183, body))
    puppet.says(answer_of(puppet, 199))  # RFC 6228: another fork is no more
    line.run(0.1)
    assert [(e.status, e.sdp) for e in a.heard if isinstance(e, events.Rang)] == [(183, None)] * 2


@pytest.mark.rfc("3264#6")
@pytest.mark.parametrize("body", [b"", b"nonsense", SDP.replace(b"audio", b"video")])
def test_answer_that_does_not_match_is_acknowledged_and_ended(body: bytes) -> None:
    line, a, puppet = calling_puppet()
    puppet.says(answer_of(puppet, 200, body))
    line.run(0.1)
    assert puppet.heard("ACK")
    assert puppet.heard("BYE")
    (refused,) = [e for e in a.heard if isinstance(e, events.Refused)]
    assert refused.cause.status in (400, 488)
    puppet.says(respond(puppet.heard("BYE")[0], 200))
    over(line, a)


# --- descriptions of a passing leg -------------------------------------------------------------------


def said(line: Line, words: str) -> Any:
    return sdp_of(line.last(words)).origin


def test_passing_leg_says_the_far_description_as_its_own() -> None:
    line, a, puppet = calling_puppet(SDP, ends=False)
    offered = sdp_of(line.last("INVITE"))
    assert offered.origin.address == A[0]
    assert offered.media == Description.parse(SDP).media
    puppet.says(answer_of(puppet, 200, ANSWER))
    line.run(0.1)
    assert a.kinds() == ["Answered"]
    assert a.heard[-1].sdp == Description.parse(ANSWER)


def test_answer_in_a_reliable_provisional_counts_for_the_2xx_too() -> None:
    line = Line()
    a, puppet = Phone(line, "a", A, policy=RELIABLE, ends=False), Puppet(line, "b", B)
    a.call(B, SDP)
    line.run(0.1)
    puppet.says(answer_of(puppet, 183, ANSWER, "p", ("Require", "100rel"), ("RSeq", "4")))
    puppet.says(answer_of(puppet, 200))
    line.run(0.1)
    assert [(type(e).__name__, e.sdp) for e in a.heard] == [
        ("Rang", Description.parse(ANSWER)), ("Answered", Description.parse(ANSWER)),
    ]  # fmt: skip


@pytest.mark.rfc("3262#5")
@pytest.mark.parametrize("reliable", [True, False])
def test_passing_leg_answers_once_in_a_provisional_and_again_in_the_2xx(reliable: bool) -> None:
    more = (("Require", "100rel"),) if reliable else ()
    passed = Description.parse(ANSWER)
    line, b, puppet = called_by_puppet(SDP, False, *more)
    b.does(b.leg.ring(line.now, 183, passed))
    line.run(0.1)
    if reliable:
        prack = ack_of(line.last("INVITE"), puppet.heard("183 INVITE")[0]).with_header("CSeq", "2 PRACK")
        rack = f"{puppet.heard('183 INVITE')[0].get('RSeq')} 1 INVITE"
        puppet.says(bytes(prack.with_header("RAck", rack)).replace(b"ACK sip", b"PRACK sip", 1))
        line.run(0.1)
        b.does(b.leg.ring(line.now, 183, passed))  # not a second answer, which would be an offer
        line.run(0.1)
        assert puppet.heard("183 INVITE").pop().body == b""
    b.does(b.leg.answer(line.now, passed))
    line.run(0.1)
    if reliable:  # the second one has no PRACK, but no description either
        puppet.got.remove(puppet.heard("183 INVITE")[1])
    (early,), (final,) = puppet.heard("183 INVITE"), puppet.heard("200 INVITE")
    assert sdp_of(early).origin == sdp_of(final).origin
    assert sdp_of(final).origin.address == B[0]


def test_passing_leg_may_answer_without_a_description() -> None:
    line, b, puppet = called_by_puppet(b"", False)
    b.does(b.leg.answer(line.now))
    line.run(0.1)
    assert puppet.heard("200 INVITE")[0].body == b""


@pytest.mark.rfc("3261#13.2.1")
def test_passing_leg_carries_a_delayed_offer_both_ways() -> None:
    line, a, puppet = calling_puppet(ends=False)
    assert line.last("INVITE").body == b""
    puppet.says(answer_of(puppet, 200, SDP))
    line.run(0.1)
    assert a.heard[-1].sdp == Description.parse(SDP)
    assert puppet.heard("ACK") == []
    a.does(a.leg.acknowledge(Description.parse(ANSWER), line.now))
    line.run(0.1)
    assert sdp_of(puppet.heard("ACK")[0]).media == Description.parse(ANSWER).media
    line, b, caller = called_by_puppet(b"", False)
    b.does(b.leg.answer(line.now, Description.parse(SDP)))
    line.run(0.1)
    caller.says(ack_of(line.last("INVITE"), caller.heard("200 INVITE")[0], ANSWER))
    line.run(0.1)
    assert (b.kinds(), b.heard[-1].sdp) == (["Invited", "Acknowledged"], Description.parse(ANSWER))


def test_delayed_offer_may_come_to_nothing() -> None:
    line, a, puppet = calling_puppet(ends=False)
    puppet.says(answer_of(puppet, 200))
    line.run(0.1)
    assert puppet.heard("ACK")
    assert a.heard[-1].sdp is None


# --- changes -------------------------------------------------------------------------------------------


@pytest.mark.rfc("3264#8.4")
def test_hold_and_resume_count_the_version_up_by_one_on_each_side() -> None:
    line, a, b = talking()
    first = said_by(a, line, "INVITE", hold=True)
    assert (a.stream.direction, b.stream.direction) == ("sendonly", "recvonly")
    held = line.last("b 200 INVITE")
    second = said_by(a, line, "INVITE", hold=False)
    assert (a.stream.direction, b.stream.direction) == ("sendrecv", "sendrecv")
    assert int(second.version) == int(first.version) + 1
    assert sdp_of(line.last("b 200 INVITE")).origin == sdp_of(held).origin.raised()
    again = said_by(a, line, "INVITE", hold=False)
    assert again == second  # nothing changed


def said_by(phone: Phone, line: Line, words: str, *, hold: bool) -> Any:
    phone.does(phone.leg.hold(hold, line.now))
    line.run(1)
    return said(line, words)


def test_who_holds_goes_on_holding_when_the_other_side_asks_for_a_change() -> None:
    line, a, b = talking()
    a.does(a.leg.hold(True, line.now))
    line.run(1)
    b.does(b.leg.hold(False, line.now))  # the same again, as a refresh would be
    line.run(1)
    assert a.stream.direction == "sendonly"
    assert b.stream.direction == "recvonly"


def test_hold_before_the_answer_asks_nothing() -> None:
    line, a, _b = two()
    a.call(B)
    line.run(0.1)
    a.does(a.leg.hold(True, line.now))
    assert line.said("UPDATE") == []


@pytest.mark.rfc("3261#14.1")
def test_holds_that_cross_both_come_through() -> None:
    line, a, b = talking()
    for phone in (a, b):
        phone.does(phone.leg.hold(True, line.now))
    line.run(8)
    assert sorted(line.said("491 INVITE")) == ["a 491 INVITE", "b 491 INVITE"]
    assert (a.stream.direction, b.stream.direction) == ("inactive", "inactive")
    assert "ReofferRefused" not in (*a.kinds(), *b.kinds())


@pytest.mark.rfc("3261#14.1")
def test_refused_hold_leaves_the_stream_and_the_next_one_goes_on_from_it() -> None:
    line, a, b = talking()
    b.on[events.Agreed] = lambda event: []
    b.leg.descriptions.terms = b.leg.terms = None  # a passing leg, whose owner refuses
    b.on[events.Reoffered] = lambda event: event.leg.refuse_reoffer(488, b.now)
    a.does(a.leg.hold(True, line.now))
    line.run(1)
    refused = said(line, "INVITE")
    assert [e.status for e in a.heard if isinstance(e, events.ReofferRefused)] == [488]
    b.on[events.Reoffered] = lambda event: event.leg.reanswer(Description.parse(ANSWER), b.now)
    a.does(a.leg.hold(False, line.now))
    line.run(1)
    assert said(line, "INVITE") == refused.raised()
    assert a.stream.direction == "sendrecv"


@pytest.mark.rfc("3261#14.1")
def test_change_that_is_accepted_with_nonsense_leaves_the_session() -> None:
    line, a, b = talking()
    b.leg.descriptions.terms = b.leg.terms = None
    b.on[events.Reoffered] = lambda event: event.leg.usage.accept_again(b"nonsense", b.now)
    a.does(a.leg.hold(True, line.now))
    line.run(1)
    assert [e.status for e in a.heard if isinstance(e, events.ReofferRefused)] == [400]
    assert a.leg.state is State.TALKING


@pytest.mark.rfc("3264#4")
def test_re_invite_without_offer_lets_an_end_offer_again() -> None:
    line, a, b = talking()
    a.leg.descriptions.terms = a.leg.terms = None
    a.does(a.leg.reoffer(None, line.now))
    line.run(1)
    (told,) = [e for e in a.heard if isinstance(e, events.Reanswered)]
    assert told.sdp is not None
    a.does(a.leg.acknowledge(Description.parse(ANSWER), line.now))
    line.run(1)
    assert b.stream.port == 4000
    assert said(line, "ACK").address == A[0]


def test_delayed_change_that_is_answered_with_nonsense_is_acknowledged() -> None:
    line, a, b = talking()
    a.leg.descriptions.terms = a.leg.terms = None
    b.leg.descriptions.terms = b.leg.terms = None
    b.on[events.Reoffered] = lambda event: event.leg.usage.accept_again(b"nonsense", b.now)
    a.does(a.leg.reoffer(None, line.now))
    line.run(1)
    assert "a ACK" in line.said()
    assert [e.status for e in a.heard if isinstance(e, events.ReofferRefused)] == [400]


@pytest.mark.rfc("3264#6")
@pytest.mark.parametrize(("body", "status"), [(SDP.replace(b"AVP 8", b"AVP 97"), 488), (b"nonsense", 400)])
def test_change_an_end_cannot_take_is_refused(body: bytes, status: int) -> None:
    line, a, b = talking()
    a.does(a.leg.usage.reoffer(body, line.now))
    line.run(1)
    assert f"b {status} INVITE" in line.said()
    a.does(a.leg.hold(True, line.now))
    line.run(1)
    assert b.stream.direction == "recvonly"


@pytest.mark.rfc("3311#5.2")
def test_update_before_the_answer_gets_500_or_491_or_504() -> None:
    # the caller's offer is open: another one from the caller is too many
    line, b, puppet = called_by_puppet(SDP)
    b.does(b.leg.ring(line.now))
    line.run(0.1)
    update = ack_of(line.last("INVITE"), puppet.heard("180 INVITE")[0], SDP).with_header("CSeq", "2 UPDATE")
    update = update.with_header("Contact", "<sip:p@192.0.2.4>").with_header(
        "Via", "SIP/2.0/UDP h;branch=z9hG4bKu"
    )
    puppet.says(bytes(update).replace(b"ACK sip", b"UPDATE sip", 1))
    line.run(0.1)
    assert puppet.heard("500 UPDATE")[0].get("Retry-After")
    # ours is open: we cannot ask for another change, nor can the called party
    line, a, puppet = calling_puppet(SDP, ends=False)
    puppet.says(answer_of(puppet, 180, b"", "p", ("Allow", "INVITE, UPDATE")))
    line.run(0.1)
    a.does(a.leg.reoffer(Description.parse(SDP), line.now))
    assert a.heard[-1].status == 491
    a.does(a.leg.reoffer(None, line.now))
    assert a.heard[-1].status == 504
    invite = line.last("INVITE")
    headers = [("Via", "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKu"), ("Call-ID", invite.call_id)]
    headers += [("From", f"{invite.get('To')};tag=p"), ("To", invite.get("From") or ""), ("CSeq", "1 UPDATE")]
    headers += [("Contact", "<sip:p@192.0.2.2>")]
    puppet.says(Request.build("UPDATE", "sip:a@192.0.2.1", headers, SDP))
    line.run(0.1)
    assert puppet.heard("491 UPDATE")


@pytest.mark.rfc("3311#5.2")
def test_empty_re_invite_while_an_offer_is_open_gets_491() -> None:
    line, a, b = talking()
    b.leg.descriptions.negotiation.offer_sent(Description.parse(SDP))
    a.does(a.leg.usage.reoffer(b"", line.now))
    line.run(0.1)
    assert "b 491 INVITE" in line.said()


@pytest.mark.rfc("3311#5.1")
def test_update_changes_an_early_session_between_ends() -> None:
    line, a, b = two(RELIABLE, RELIABLE)
    a.call(B)
    line.run(0.1)
    b.does(b.leg.ring(line.now, 183))
    line.run(0.5)
    a.does(a.leg.reoffer(a.leg.descriptions.turned("sendonly"), line.now))
    line.run(0.5)
    assert "b 200 UPDATE" in line.said()
    assert (a.stream.direction, b.stream.direction) == ("sendonly", "recvonly")
    b.does(b.leg.answer(line.now))
    line.run(1)
    assert a.leg.state is State.TALKING


# --- endings -----------------------------------------------------------------------------------------


@pytest.mark.rfc("3262#3")
def test_missing_prack_ends_the_leg() -> None:
    line, a, b = two(RELIABLE, RELIABLE)
    line.lose("PRACK", 99)
    a.call(B)
    line.run(0.1)
    b.does(b.leg.ring(line.now))
    line.run(40)
    (ended,) = [e for e in b.heard if isinstance(e, events.Ended)]
    assert ended.cause == Cause(102, 504, "no PRACK came")
    over(line, a, b)


def test_caller_that_gives_up_after_the_answer_was_promised_ends_the_leg() -> None:
    line, a, b = two(RELIABLE, RELIABLE)
    a.call(B)
    line.run(0.1)
    line.hold("PRACK")
    b.does(b.leg.ring(line.now, 183))
    b.does(b.leg.answer(line.now))  # waits for the PRACK
    assert str(b.leg.state) == "talking"
    line.run(0.1)
    a.does(a.leg.hang_up(BYE, line.now))
    line.run(1)
    assert str(b.leg.state) == "over"
    line.release("PRACK")
    over(line, a, b)


def test_hang_up_after_the_answer_was_promised_is_a_refusal() -> None:
    line, a, b = two(RELIABLE, RELIABLE)
    a.call(B)
    line.run(0.1)
    line.lose("PRACK", 99)
    b.does(b.leg.ring(line.now, 183))
    b.does(b.leg.answer(line.now))
    b.does(b.leg.hang_up(BYE, line.now))
    line.run(1)
    assert line.said("480 INVITE") == ["b 480 INVITE"]
    over(line, a, b)


@pytest.mark.rfc("4028#10")
def test_expired_session_is_ended_by_the_timer() -> None:
    line, a, b = talking(SessionPolicy(expires=90, reliable="off"))
    line.lose("UPDATE", 999)
    line.run(100)
    ended = [e for e in (*a.heard, *b.heard) if isinstance(e, events.Ended)]
    assert "timer" in [e.by for e in ended]
    assert {e.cause.q850 for e in ended if e.by == "timer"} == {102}
    over(line, a, b)


@pytest.mark.rfc("3261#13.3.1.4")
def test_answer_that_is_never_acknowledged_ends_both_legs() -> None:
    line, a, b = two()
    line.lose("ACK", 99)
    answering(b)
    a.call(B)
    line.run(40)
    (ended,) = [e for e in b.heard if isinstance(e, events.Ended)]
    assert (ended.by, ended.cause.text) == ("timer", "no ACK for the 2xx")
    over(line, a, b)


@pytest.mark.rfc("4028#9")
def test_interval_below_the_floor_ends_the_leg_before_it_began() -> None:
    line, a, b = two(SessionPolicy(expires=90, reliable="off"), SessionPolicy(min_se=100, reliable="off"))
    answering(b)
    a.call(B)
    line.run(1)
    assert line.said("422 INVITE") == ["b 422 INVITE"]
    assert b.kinds()[0] == "Gone"
    assert a.leg.state is State.TALKING


@pytest.mark.rfc("6086#4")
def test_info_goes_through_a_leg() -> None:
    line, a, b = talking()
    b.on[events.Informed] = lambda event: event.leg.answer_info(event.transaction, 200, b.now)
    a.does(a.leg.inform(b"5", "application/dtmf", line.now))
    line.run(1)
    assert [(type(e).__name__, getattr(e, "status", None)) for e in a.heard] == [("InfoAnswered", 200)]


def test_every_state_of_the_table_leads_to_the_end() -> None:
    ends = {State.OVER}
    for _ in State:
        ends |= {state for (state, _), after in NEXT.items() if after in ends}
    assert ends == set(State)


def test_terms_have_defaults_that_fit_the_trunk() -> None:
    assert [codec.name for codec in Terms("m", A[0]).capabilities.codecs] == ["PCMA"]


@pytest.mark.rfc("3261#15")
def test_called_party_that_hangs_up_before_the_ack_says_goodbye_once() -> None:
    line, a, b = two()
    line.lose("ACK", 99)
    answering(b)
    a.call(B)
    line.run(0.1)
    b.does(b.leg.hang_up(BYE, line.now))
    line.run(40)
    assert "Ended" not in b.kinds()  # it was b's own wish, whatever the timer says
    assert line.said("b BYE") == ["b BYE"]
    over(line, a, b)
    b.does(b.leg.inform(b"5", "text/plain", line.now))
    assert b.heard[-1].status == 481
