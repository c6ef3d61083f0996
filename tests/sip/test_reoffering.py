"""Changes of a session: re-INVITE and UPDATE of both sides, glare, overlap, session refresh."""

from __future__ import annotations

from typing import Any

import pytest
from tests.line import ANSWER, SDP, Line, UserAgent, all_over, pair, talking

from trunkline.sip.message import Request, respond
from trunkline.sip.session import SessionPolicy
from trunkline.sip.usage import (
    Acknowledged,
    Ended,
    Gone,
    ReofferAccepted,
    ReofferDue,
    Reoffered,
    ReofferPostponed,
    ReofferRejected,
    State,
)

HELD = SDP + b"a=sendonly\r\n"
NO_UPDATE = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, INFO"


def answering(agent: UserAgent, body: bytes = ANSWER) -> None:
    """From now on the agent takes every change."""
    agent.on[Reoffered] = lambda event: event.usage.accept_again(body, agent.now)


def insisting(agent: UserAgent, body: bytes) -> None:
    """From now on the agent asks again when its back-off is over."""
    agent.on[ReofferDue] = lambda event: event.usage.reoffer(body, agent.now)


def ringing() -> tuple[Line, UserAgent, UserAgent]:
    """`b` rings with a description that `a` has acknowledged."""
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    b.does(b.usage.provisional(183, line.now, ANSWER))
    line.run(0.1)
    line.clear()
    a.heard.clear()
    b.heard.clear()
    return line, a, b


def rejections(agent: UserAgent) -> list[int]:
    return [event.status for event in agent.heard if isinstance(event, ReofferRejected)]


# --- re-INVITE ----------------------------------------------------------------------------


@pytest.mark.rfc("3261#14.1")
@pytest.mark.parametrize("caller", [True, False])
def test_re_invite_changes_the_session_from_either_side(caller: bool) -> None:
    line, a, b = talking()
    asker, asked = (a, b) if caller else (b, a)
    answering(asked)
    asker.does(asker.usage.reoffer(HELD, line.now, (("X-Why", "hold"),)))
    line.run(1)
    who, other = asker.name, asked.name
    assert line.said() == [f"{who} INVITE", f"{other} 100 INVITE", f"{other} 200 INVITE", f"{who} ACK"]
    (told,) = asker.heard
    assert isinstance(told, ReofferAccepted)
    assert (told.ack_sent, told.response.body) == (True, ANSWER)
    assert asked.kinds() == ["Reoffered", "Acknowledged"]
    assert line.last("INVITE").get("X-Why") == "hold"
    asker.does(asker.usage.hang_up(line.now))
    all_over(line, a, b)


@pytest.mark.rfc("3261#14.1")
def test_re_invite_without_offer_is_answered_in_the_ack() -> None:
    line, a, b = talking()
    answering(b, SDP)
    a.does(a.usage.reoffer(b"", line.now))
    line.run(0.1)
    (told,) = a.heard
    assert not told.ack_sent
    assert line.said("ACK") == []
    line.run(1)  # the 2xx comes again meanwhile, and is told once
    a.does(a.usage.acknowledge(ANSWER, line.now))
    line.run(0.1)
    assert line.last("ACK").body == ANSWER
    assert [(type(e).__name__, getattr(e, "answers", None)) for e in b.heard] == [
        ("Reoffered", None), ("Acknowledged", True),
    ]  # fmt: skip
    assert len(a.heard) == 1


@pytest.mark.rfc("3261#14.1")
def test_refused_change_leaves_the_session_as_it_was() -> None:
    line, a, b = talking()
    b.on[Reoffered] = lambda event: event.usage.reject_again(488, b.now)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(1)
    assert rejections(a) == [488]
    assert a.usage.state is b.usage.state is State.CONFIRMED
    answering(b)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(1)
    assert isinstance(a.heard[-1], ReofferAccepted)


@pytest.mark.rfc("3261#13.2.2.4")
def test_2xx_of_a_re_invite_is_repeated_until_its_ack_and_the_ack_with_it() -> None:
    line, a, b = talking()
    answering(b)
    line.lose("ACK", 2)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(3)
    assert line.said("200 INVITE", "ACK") == ["b 200 INVITE", "a ACK"] * 3
    assert [type(e) for e in b.heard] == [Reoffered, Acknowledged]


@pytest.mark.rfc("3261#14.2")
def test_re_invite_whose_2xx_is_never_acknowledged_ends_the_call() -> None:
    line, a, b = talking()
    answering(b)
    line.lose("a ACK", 99)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(33)
    assert [type(e) for e in b.heard] == [Reoffered, Ended, Gone]
    all_over(line, a, b)


@pytest.mark.rfc("3261#14.1")
@pytest.mark.parametrize(("lost", "status"), [(True, 408), (False, 481)])
def test_dialog_that_is_gone_ends_the_call(lost: bool, status: int) -> None:
    line, a, b = talking()
    if lost:
        line.lose("INVITE", 99)
    else:
        b.endpoint.dialogs.clear()
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(33)
    ended = a.heard[0]
    assert isinstance(ended, Ended)
    assert (ended.by, ended.why) == ("timer", f"INVITE in the dialog got {status}")
    assert "a BYE" in line.said()
    line.run(60)
    assert a.kinds() == ["Ended", "Gone"]
    assert a.endpoint.idle


@pytest.mark.rfc("3261#12.2.1.2")
def test_change_moves_the_remote_target() -> None:
    line, a, b = talking()
    assert b.usage.dialog is not None
    b.endpoint._hosts[("UDP", b.address)] = "192.0.2.2:5062"
    answering(b)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    assert a.usage.dialog is not None
    assert str(a.usage.dialog.target) == "sip:b@192.0.2.2:5062"
    assert str(line.last("ACK").uri) == "sip:b@192.0.2.2:5062"


@pytest.mark.rfc("3261#9.2")
def test_cancel_of_a_re_invite_is_answered_and_the_change_runs_its_course() -> None:
    line, a, b = talking()
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    transaction = a.usage.change._transaction
    a.does(a.endpoint.cancel(transaction, line.now))  # type: ignore[arg-type]
    line.run(0.1)
    assert line.said("CANCEL", "200 CANCEL") == ["a CANCEL", "b 200 CANCEL"]
    b.does(b.usage.accept_again(ANSWER, line.now))
    line.run(1)
    assert isinstance(a.heard[-1], ReofferAccepted)


# --- glare and overlap ------------------------------------------------------------------------


@pytest.mark.rfc("3261#14.1")
def test_two_re_invites_that_cross_are_tried_again_and_both_succeed() -> None:
    line, a, b = talking()
    for agent, body in ((a, HELD), (b, ANSWER)):
        answering(agent, body)
        insisting(agent, body)
        agent.does(agent.usage.reoffer(body, line.now))
    line.run(0.1)
    assert sorted(line.said("491 INVITE")) == ["a 491 INVITE", "b 491 INVITE"]
    start = line.now
    line.run(6)
    waits = {
        name: t - start
        for t, (name, m) in zip(line.times, line.log, strict=True)
        if t > start and isinstance(m, Request) and m.method == "INVITE"
    }
    assert 1.9 <= waits["a"] <= 4.0  # who owns the Call-ID waits 2.1-4 s
    assert 0.0 <= waits["b"] <= 2.0  # the other 0-2 s
    for agent in (a, b):
        kinds = [type(e) for e in agent.heard]
        assert [kinds.count(kind) for kind in (ReofferPostponed, ReofferDue, ReofferAccepted)] == [1, 1, 1]
        assert rejections(agent) == []


@pytest.mark.rfc("3261#14.1")
def test_back_off_that_meets_a_change_of_the_peer_waits_again() -> None:
    line, a, b = talking()
    insisting(a, HELD)
    insisting(b, ANSWER)
    a.does(a.usage.reoffer(HELD, line.now))
    b.does(b.usage.reoffer(ANSWER, line.now))
    line.run(2.1)  # b, the sooner one, has asked again; a leaves it open
    (theirs,) = [e for e in a.heard if isinstance(e, Reoffered)]
    assert a.usage.change.busy
    line.run(3)  # a's own back-off comes due meanwhile
    assert len(line.all("a INVITE")) == 1
    a.does(theirs.usage.accept_again(SDP, line.now))
    answering(b)
    line.run(5)
    assert len(line.all("a INVITE")) == 2
    assert isinstance(b.heard[-1], Acknowledged)


@pytest.mark.rfc("3261#14.1")
def test_back_off_ends_in_a_refusal_at_last() -> None:
    line, a, b = talking()
    insisting(a, HELD)
    b.on[Reoffered] = lambda event: event.usage.reject_again(491, b.now)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(30)
    assert len(line.all("a INVITE")) == 4
    assert rejections(a) == [491]
    answering(b)
    a.does(a.usage.reoffer(HELD, line.now))  # the next one starts afresh
    line.run(1)
    assert isinstance(a.heard[-1], ReofferAccepted)


@pytest.mark.rfc("3261#14.1")
def test_who_changes_his_mind_during_the_back_off_asks_nothing() -> None:
    line, a, b = talking()
    b.on[Reoffered] = lambda event: event.usage.reject_again(491, b.now)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(1)
    assert a.usage.reoffer_refusal(offers=True) == 491
    line.run(9)
    assert a.kinds() == ["ReofferPostponed", "ReofferDue"]
    assert a.usage.reoffer_refusal(offers=True) == 0
    assert len(line.all("INVITE")) == 1


@pytest.mark.rfc("4028#7.4")
def test_refresh_that_meets_glare_is_asked_again_by_itself() -> None:
    line, a, b = talking(a=SessionPolicy(expires=90), b=SessionPolicy(expires=90))
    assert a.usage.dialog is not None
    a.usage.dialog.allow = ("INVITE",)
    statuses = [491, 200]

    def once(event: Reoffered) -> list[Any]:
        if statuses.pop(0) == 491:
            return event.usage.reject_again(491, b.now)
        return event.usage.accept_again(ANSWER, b.now)

    b.on[Reoffered] = once
    line.run(50)
    assert line.said("491 INVITE", "200 INVITE") == ["b 491 INVITE", "b 200 INVITE"]
    assert a.heard == []


@pytest.mark.rfc("3261#14.2")
def test_overlapping_invite_gets_500_with_retry_after() -> None:
    line, a, b = talking()
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    assert a.usage.dialog is not None
    a.does(a.usage.ask(a.usage.dialog, "INVITE", (("Contact", "<sip:a@192.0.2.1>"),), line.now, SDP)[1])
    line.run(0.1)
    refused = line.last("500 INVITE")
    assert 0 <= refused.value("retry-after").seconds <= 10
    assert b.usage.change.busy


@pytest.mark.rfc("3261#14.2")
def test_invite_in_an_early_dialog_gets_500() -> None:
    line, a, _b = ringing()
    assert a.usage.dialog is not None
    a.does(a.usage.ask(a.usage.dialog, "INVITE", (("Contact", "<sip:a@192.0.2.1>"),), line.now, SDP)[1])
    line.run(0.1)
    assert line.last("500 INVITE").get("Retry-After") is not None


@pytest.mark.rfc("3261#14.2")
def test_re_invite_while_our_offer_waits_for_its_ack_gets_491() -> None:
    line, a, b = pair()
    a.call(b, b"")
    line.run(0.1)
    b.does(b.usage.accept(SDP, line.now))
    line.run(0.1)
    a.does(a.usage.reoffer(HELD, line.now))  # before a's own ACK
    line.run(0.1)
    assert line.said("491 INVITE") == ["b 491 INVITE"]


def test_what_cannot_be_asked_is_refused_at_once() -> None:
    line, a, b = pair()
    a.call(b)
    assert a.usage.reoffer_refusal(offers=True) == 481  # no dialog yet
    line.run(0.1)
    a.does(a.usage.reoffer(HELD, line.now))
    b.does(b.usage.accept(ANSWER, line.now))
    assert b.usage.reoffer_refusal(offers=True) == 491  # its 2xx waits for the ACK
    b.does(b.usage.reoffer(HELD, line.now))
    line.run(0.1)
    assert a.usage.reoffer_refusal(offers=True) == 0
    a.does(a.usage.reoffer(HELD, line.now))
    a.does(a.usage.reoffer(SDP, line.now))  # one of ours is open
    a.does(a.usage.hang_up(line.now))
    a.does(a.usage.reoffer(SDP, line.now))
    assert rejections(a) == [481, 491, 481]
    assert rejections(b) == [491]
    all_over(line, a, b)


# --- UPDATE -------------------------------------------------------------------------------------


@pytest.mark.rfc("3311#5.1")
@pytest.mark.parametrize("caller", [True, False])
def test_update_changes_an_early_dialog(caller: bool) -> None:
    line, a, b = ringing()
    asker, asked = (a, b) if caller else (b, a)
    answering(asked)
    asker.does(asker.usage.reoffer(HELD, line.now))
    line.run(0.1)
    assert line.said("UPDATE", "200 UPDATE") == [f"{asker.name} UPDATE", f"{asked.name} 200 UPDATE"]
    assert isinstance(asker.heard[-1], ReofferAccepted)
    assert line.last("200 UPDATE").get("Session-Expires") is None
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    assert a.usage.state is State.CONFIRMED


@pytest.mark.rfc("3311#5.1")
def test_early_change_needs_update_and_an_offer() -> None:
    line, a, _b = ringing()
    assert a.usage.reoffer_refusal(offers=False) == 504
    assert a.usage.dialog is not None
    a.usage.dialog.allow = ("INVITE",)
    assert a.usage.reoffer_refusal(offers=True) == 504
    a.does(a.usage.reoffer(HELD, line.now))
    assert rejections(a) == [504]


@pytest.mark.rfc("3311#5.2")
def test_updates_that_cross_get_491_and_are_tried_again() -> None:
    line, a, b = ringing()
    for agent, body in ((a, HELD), (b, ANSWER)):
        answering(agent, body)
        insisting(agent, body)
        agent.does(agent.usage.reoffer(body, line.now))
    line.run(6)
    assert sorted(line.said("491 UPDATE")) == ["a 491 UPDATE", "b 491 UPDATE"]
    assert all(isinstance(agent.heard[-1], ReofferAccepted | Reoffered) for agent in (a, b))
    assert len(line.all("200 UPDATE")) == 2


@pytest.mark.rfc("3311#5.1")
def test_lost_update_of_an_early_dialog_ends_no_call() -> None:
    line, a, b = ringing()
    line.lose("UPDATE", 99)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(33)
    assert rejections(a) == [408]
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    assert a.usage.state is State.CONFIRMED


def test_open_changes_end_with_the_invite() -> None:
    for cancel in (True, False):
        line, a, b = ringing()
        a.does(a.usage.reoffer(HELD, line.now))
        b.does(b.usage.reoffer(HELD, line.now))  # crossing: both back off
        line.run(0.05)
        if cancel:
            a.does(a.usage.hang_up(line.now))
        else:
            b.does(b.usage.reject(486, line.now))
        line.run(10)
        assert len(line.all("UPDATE")) == 2
        all_over(line, a, b)


def test_update_that_waits_is_answered_when_the_invite_is_refused() -> None:
    line, a, b = ringing()
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    b.does(b.usage.reject(486, line.now))
    line.run(0.1)
    assert line.said("487 UPDATE", "486 INVITE") == ["b 486 INVITE", "b 487 UPDATE"]
    all_over(line, a, b)


def test_back_off_in_an_early_dialog_that_is_lost_meanwhile_is_a_refusal() -> None:
    line, a, b = ringing()
    insisting(a, HELD)
    b.on[Reoffered] = lambda event: event.usage.reject_again(491, b.now)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    invite = a.usage._calling.transaction.request  # type: ignore[union-attr]
    challenge = respond(invite, 422, to_tag="x", headers=(("Min-SE", "3600"),))
    a.does(a.receive(bytes(challenge), a.flow_to(b), line.now))
    line.run(5)
    assert rejections(a) == [481]


@pytest.mark.rfc("3261#15.1.2")
def test_bye_overtakes_a_change_which_still_gets_its_answers() -> None:
    line, a, b = talking()
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    b.does(b.usage.hang_up(line.now))
    line.run(0.1)
    assert line.said("487 INVITE", "BYE", "200 BYE") == ["b 487 INVITE", "b BYE", "a 200 BYE"]
    assert a.kinds() == ["ReofferRejected", "Ended", "Gone"]
    all_over(line, a, b)


@pytest.mark.rfc("3261#13.2.2.4")
def test_2xx_that_a_bye_overtook_is_acknowledged_all_the_same() -> None:
    line, a, b = talking()
    answering(b)
    line.hold("200 INVITE")
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    line.hold("BYE")
    a.does(a.usage.hang_up(line.now))
    line.release("200 INVITE")
    line.run(0.1)
    assert line.said("ACK") == ["a ACK"]
    line.release("BYE")
    all_over(line, a, b)


def test_re_invite_that_lets_a_waiting_bye_go_is_refused_and_not_told() -> None:
    """b hung up before the ACK of its 2xx came; a's re-INVITE overtook that ACK."""
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.lose("ACK", 2)
    b.does(b.usage.accept(ANSWER, line.now))
    b.does(b.usage.hang_up(line.now))
    line.run(0.1)
    assert b.usage.state is State.ACCEPTED
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    assert line.said("487 INVITE", "BYE") == ["b 487 INVITE", "b BYE"]
    assert "Reoffered" not in b.kinds()
    all_over(line, a, b)


@pytest.mark.rfc("3261#15")
def test_a_re_invite_that_a_bye_overtook_is_called_back() -> None:
    """b's answer to it was lost for good: without the CANCEL it would wait for ever."""
    line, a, b = talking()
    answering(b)
    line.lose("200 INVITE", 99)
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(0.1)
    a.does(a.usage.hang_up(line.now))
    line.run(0.1)
    assert line.said("CANCEL", "BYE") == ["a CANCEL", "a BYE"]
    all_over(line, a, b)


def test_changes_after_the_end_get_481() -> None:
    line, a, b = talking()
    line.hold("BYE")
    a.does(a.usage.hang_up(line.now))
    b.does(b.usage.reoffer(HELD, line.now))
    line.run(0.1)
    assert line.said("481 INVITE") == ["a 481 INVITE"]
    line.release("BYE")
    all_over(line, a, b)


@pytest.mark.rfc("3261#18.1.1")
def test_large_change_falls_back_to_udp_where_there_is_no_tcp() -> None:
    line, a, b = talking()
    line.dead.add("TCP")
    answering(b)
    a.does(a.usage.reoffer(HELD + b"a=x:" + b"y" * 1400 + b"\r\n", line.now))
    line.run(1)
    assert [m.via.transport for m in line.all("INVITE")] == ["TCP", "UDP"]
    assert isinstance(a.heard[-1], ReofferAccepted)


@pytest.mark.rfc("3261#15")
def test_change_that_shows_an_ack_was_lost_lets_the_waiting_bye_go_and_is_refused() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.lose("ACK", 99)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    b.does(b.usage.hang_up(line.now))
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(1)
    assert line.said("b BYE", "487 INVITE")[:2] == ["b 487 INVITE", "b BYE"]
    all_over(line, a, b)


def test_what_answers_no_open_change_is_passed_over() -> None:
    line, a, _b = talking()
    assert a.usage.dialog is not None
    stray = a.usage.ask(a.usage.dialog, "UPDATE", (("Contact", "<sip:a@192.0.2.1>"),), line.now)
    a.does(stray[1])
    line.run(0.1)
    assert line.said("200 UPDATE") == ["b 200 UPDATE"]
    assert a.heard == []


def test_challenged_change_is_asked_again_with_credentials() -> None:
    line, a, b = pair()
    a.call(b, authorize=lambda response, request: (("Authorization", 'Digest username="a"'),))
    line.run(0.1)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    statuses: list[Any] = [401, 200]

    def once(event: Reoffered) -> list[Any]:
        if statuses.pop(0) == 401:
            return event.usage.reject_again(401, b.now)
        return event.usage.accept_again(ANSWER, b.now)

    b.on[Reoffered] = once
    a.does(a.usage.reoffer(HELD, line.now))
    line.run(1)
    assert [m.get("Authorization") for m in line.all("INVITE")[1:]] == [None, 'Digest username="a"']
    assert isinstance(a.heard[-1], ReofferAccepted)


# --- session refresh (RFC 4028) ------------------------------------------------------------------


@pytest.mark.rfc("4028#7.4")
@pytest.mark.parametrize("allow", ["INVITE, ACK, BYE, UPDATE", NO_UPDATE])
def test_refresher_refreshes_at_half_time_by_update_or_re_invite(allow: str) -> None:
    line, a, b = talking(a=SessionPolicy(expires=180), b=SessionPolicy(expires=180))
    assert a.usage.dialog is not None
    a.usage.dialog.allow = tuple(allow.split(", "))
    b.endpoint.allow = allow
    answering(b)
    line.run(600)
    asks = line.all("UPDATE") if "UPDATE" in allow else line.all("INVITE")
    assert len(asks) == 6  # 90, 180, ... 540
    assert {m.get("Session-Expires") for m in asks} == {"180;refresher=uac"}
    assert {m.body for m in asks} == ({b""} if "UPDATE" in allow else {SDP})
    assert a.usage.state is b.usage.state is State.CONFIRMED
    assert a.heard == []
    a.does(a.usage.hang_up(line.now))
    all_over(line, a, b)


@pytest.mark.rfc("4028#10")
def test_who_does_not_refresh_ends_the_call_before_it_expires() -> None:
    line, a, b = talking(a=SessionPolicy(expires=90), b=SessionPolicy(expires=90))
    line.lose("UPDATE", 999)
    start = line.now
    line.run(59 - 1)
    assert line.said("BYE") == []
    line.run(3)  # 90 - min(32, 90 / 3) seconds after the 2xx
    assert "b BYE" in line.said("BYE")
    assert line.times[line.said().index("b BYE")] - start < 61
    (ended,) = [e for e in b.heard if isinstance(e, Ended)]
    assert ended.why == "session timer expired (RFC 4028)"
    all_over(line, a, b)


@pytest.mark.rfc("4028#10")
def test_refresh_that_gets_no_answer_ends_the_call() -> None:
    line, a, b = talking(a=SessionPolicy(expires=1800), b=SessionPolicy(expires=1800))
    line.lose("UPDATE", 999)
    line.run(900 + 33)
    (ended,) = [e for e in a.heard if isinstance(e, Ended)]
    assert ended.why == "UPDATE in the dialog got 408"
    all_over(line, a, b)


@pytest.mark.rfc("4028#7.4")
def test_refused_refresh_is_tried_again_before_the_end() -> None:
    line, a, b = talking(a=SessionPolicy(expires=400), b=SessionPolicy(expires=400))
    assert a.usage.dialog is not None
    a.usage.dialog.allow = ("INVITE",)
    b.on[Reoffered] = lambda event: event.usage.reject_again(500, b.now)
    line.run(399)
    tries = [t for t, (_, m) in zip(line.times, line.log, strict=True) if m in line.all("a INVITE")]
    assert len(tries) == 3  # at 1/2, 3/4 and 7/8 of the interval
    assert line.said("BYE")


@pytest.mark.rfc("4028#7.4")
def test_refresh_that_meets_an_open_change_waits_for_the_next_time() -> None:
    line, _a, b = talking(a=SessionPolicy(expires=90), b=SessionPolicy(expires=90))
    line.run(40)
    b.does(b.usage.reoffer(ANSWER, line.now))  # a does not answer it
    line.run(10)
    assert line.said("UPDATE") == []


@pytest.mark.rfc("4028#9")
def test_refresher_stays_who_it_was_whoever_asks_for_a_change() -> None:
    line, a, b = talking(a=SessionPolicy(expires=1800), b=SessionPolicy(expires=1800))
    answering(a, SDP)
    b.does(b.usage.reoffer(ANSWER, line.now))
    line.run(1)
    assert line.last("b INVITE").get("Session-Expires") == "1800;refresher=uas"
    assert line.last("a 200 INVITE").get("Session-Expires") == "1800;refresher=uas"
    assert a.usage.timer.we_refresh
    assert not b.usage.timer.we_refresh


@pytest.mark.rfc("4028#9")
def test_refresh_below_the_floor_gets_422_and_comes_again() -> None:
    line, _a, b = talking(a=SessionPolicy(expires=1800), b=SessionPolicy(expires=1800))
    b.usage.timer.policy = SessionPolicy(min_se=3600)
    b.usage.policy = SessionPolicy(min_se=3600)
    line.run(950)
    assert line.said("UPDATE", "422 UPDATE", "200 UPDATE") == [
        "a UPDATE", "b 422 UPDATE", "a UPDATE", "b 200 UPDATE",
    ]  # fmt: skip
    assert line.last("a UPDATE").get("Min-SE") == "3600"


@pytest.mark.rfc("4028#7.2")
def test_call_without_session_timer_lives_on() -> None:
    line, a, _b = talking(a=SessionPolicy(timer=False, expires=90), b=SessionPolicy(timer=False))
    line.run(4000)
    assert line.said() == []
    assert a.usage.state is State.CONFIRMED


def test_refresh_of_a_session_that_never_had_a_description_is_acknowledged() -> None:
    line, a, b = pair(a=SessionPolicy(expires=90))
    a.call(b, b"")
    line.run(0.1)
    b.does(b.usage.accept(b"", line.now))
    line.run(0.1)
    assert a.usage.dialog is not None
    a.usage.dialog.allow = ("INVITE",)
    answering(b)
    line.run(50)
    assert line.said("a INVITE", "a ACK")[2:] == ["a INVITE", "a ACK"]


@pytest.mark.rfc("4028#7.4")
def test_refresh_that_the_transport_cannot_carry_is_tried_again() -> None:
    line, a, _b = talking(a=SessionPolicy(expires=400), b=SessionPolicy(expires=400))
    line.dead.add("UDP")
    line.run(250)
    assert a.usage.state is State.CONFIRMED
    line.dead.clear()
    line.run(100)
    assert "b 200 UPDATE" in line.said()
