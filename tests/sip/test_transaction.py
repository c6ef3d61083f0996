from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.playbook import Playbook, report, watched

from trunkline.finding import ParseError
from trunkline.sip.flow import Flow, Send
from trunkline.sip.matching import build_ack, build_cancel, client_key, server_key
from trunkline.sip.message import Request, Response, respond
from trunkline.sip.transaction import (
    EDGES,
    MACHINES,
    ClientInvite,
    ClientRequest,
    Passed,
    ServerInvite,
    ServerRequest,
    State,
    TimedOut,
    TimerValues,
    TransportFailed,
)

UDP = Flow("UDP", ("192.0.2.1", 5060), ("198.51.100.7", 5060))
TCP = Flow("TCP", ("192.0.2.1", 5060), ("198.51.100.7", 5060))
TIMERS = TimerValues()


def request(method: str = "INVITE", branch: str = "z9hG4bKone", *more: tuple[str, str]) -> Request:
    headers = [
        ("Via", f"SIP/2.0/UDP 192.0.2.1:5060;branch={branch}"),
        ("Max-Forwards", "70"),
        ("From", '"Accueil" <sip:+33199000001@example.com>;tag=us'),
        ("To", "<sip:+33199000002@example.com>"),
        ("Call-ID", "call@192.0.2.1"),
        ("CSeq", f"7 {method}"),
        *more,
    ]
    return Request.build(method, "sip:+33199000002@198.51.100.7", headers)


def answer(status: int, to: Request, tag: str = "them") -> Response:
    return respond(to, status, to_tag=tag)


INVITE = request("INVITE")
OPTIONS = request("OPTIONS")
RINGING, OK, BUSY = answer(180, INVITE), answer(200, INVITE), answer(486, INVITE)
WAIT, FINE, NO = answer(100, OPTIONS), answer(200, OPTIONS), answer(404, OPTIONS)
ACK = build_ack(INVITE, BUSY)
OTHER_ACK = request("ACK", "z9hG4bKother")


def calling(flow: Flow = UDP) -> Playbook[ClientInvite]:
    play = Playbook(ClientInvite(INVITE, flow, TIMERS, 0.0))
    play.starts(Send(bytes(INVITE), flow))
    return play


def asking(flow: Flow = UDP) -> Playbook[ClientRequest]:
    play = Playbook(ClientRequest(OPTIONS, flow, TIMERS, 0.0))
    play.starts(Send(bytes(OPTIONS), flow))
    return play


def called(flow: Flow = UDP) -> Playbook[ServerInvite]:
    play = Playbook(ServerInvite(INVITE, flow, TIMERS, 0.0))
    play.starts(Passed(play.machine, INVITE))
    return play


def asked(flow: Flow = UDP) -> Playbook[ServerRequest]:
    play = Playbook(ServerRequest(OPTIONS, flow, TIMERS, 0.0))
    play.starts(Passed(play.machine, OPTIONS))
    return play


def sent(message: Request | Response, flow: Flow = UDP) -> Send:
    return Send(bytes(message), flow)


# --- the INVITE we send -----------------------------------------------------------


@pytest.mark.rfc("3261#17.1.1.2")
def test_unanswered_invite_is_sent_seven_times_in_32_seconds_and_times_out() -> None:
    play = calling()
    for pause in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        play.after(pause - 0.001)
        play.after(0.001, sent(INVITE))
    play.after(0.499)
    play.after(0.001, TimedOut(play.machine))
    play.ends()


@pytest.mark.rfc("3261#17.1.1.2")
def test_over_tcp_an_invite_is_sent_once_and_times_out_all_the_same() -> None:
    play = calling(TCP)
    play.after(31.9)
    play.after(0.1, TimedOut(play.machine))
    play.ends()


@pytest.mark.rfc("3261#17.1.1.2")
def test_a_provisional_answer_stops_the_invite_from_being_sent_again() -> None:
    play = calling()
    play.after(0.5, sent(INVITE))
    play.receives(RINGING, Passed(play.machine, RINGING))
    play.receives(RINGING, Passed(play.machine, RINGING))
    play.after(3600.0)  # how long it may ring is the user's business
    play.stands(State.PROCEEDING)
    play.receives(OK, Passed(play.machine, OK))


@pytest.mark.rfc("3261#17.1.1.3")
def test_refusal_is_acknowledged_each_time_but_told_once() -> None:
    play = calling()
    play.receives(BUSY, sent(ACK), Passed(play.machine, BUSY))
    play.receives(BUSY, sent(ACK))
    play.after(31.0)
    play.receives(BUSY, sent(ACK))
    play.receives(OK)
    play.receives(RINGING)
    play.after(1.0)
    play.ends()
    play.receives(BUSY)


@pytest.mark.rfc("3261#17.1.1.2")
def test_over_tcp_a_refusal_ends_the_invite_at_once() -> None:
    play = calling(TCP)
    play.receives(RINGING, Passed(play.machine, RINGING))
    play.receives(BUSY, sent(ACK, TCP), Passed(play.machine, BUSY))
    play.ends()


@pytest.mark.rfc("6026#7.2")
def test_each_2xx_of_a_fork_is_passed_up_for_64_t1_after_the_first() -> None:
    other = answer(200, INVITE, "fork")
    for flow in (UDP, TCP):
        play = calling(flow)
        play.receives(OK, Passed(play.machine, OK))
        play.receives(other, Passed(play.machine, other))
        play.receives(OK, Passed(play.machine, OK))  # its ACK was lost: the user sends it again
        play.receives(RINGING)
        play.receives(BUSY)
        play.fails()
        play.after(31.9)
        play.stands(State.ACCEPTED)
        play.after(0.1)
        play.ends()
        play.receives(OK)


@pytest.mark.rfc("3261#17.1.4")
def test_transport_failure_while_calling_is_told_once() -> None:
    play = calling()
    play.fails(TransportFailed(play.machine))
    play.ends()
    play.fails()


@pytest.mark.rfc("3261#17.1.4")
def test_transport_failure_while_ringing_is_nobodys_news() -> None:
    play = calling()
    play.receives(RINGING, Passed(play.machine, RINGING))
    play.fails()
    play.receives(OK, Passed(play.machine, OK))


@pytest.mark.rfc("3261#17.1.1.2")
def test_when_the_ack_cannot_be_sent_the_invite_ends_without_a_second_verdict() -> None:
    play = calling()
    play.receives(BUSY, sent(ACK), Passed(play.machine, BUSY))
    play.fails()
    play.ends()


@pytest.mark.rfc("3261#9.1")
def test_cancel_waits_for_a_provisional_answer_and_is_sent_once() -> None:
    play = calling()
    assert play.machine.cancel(play.now) is None
    play.receives(RINGING, Passed(play.machine, RINGING))
    reason = 'SIP;cause=200;text="Call completed elsewhere"'
    cancel = play.machine.cancel(play.now, [("Reason", reason)])
    assert cancel == build_cancel(INVITE, [("Reason", reason)])
    assert play.machine.cancel(play.now) is None
    refused = answer(487, INVITE)
    play.receives(refused, sent(build_ack(INVITE, refused)), Passed(play.machine, refused))


@pytest.mark.rfc("3261#9.1")
def test_a_cancelled_invite_that_stays_unanswered_times_out_after_64_t1() -> None:
    play = calling()
    play.receives(RINGING, Passed(play.machine, RINGING))
    play.after(60.0)
    assert play.machine.cancel(play.now) is not None
    play.receives(RINGING, Passed(play.machine, RINGING))
    play.after(31.9)
    play.after(0.1, TimedOut(play.machine))
    play.ends()


@pytest.mark.rfc("3261#9.1")
def test_answer_and_cancel_may_cross() -> None:
    play = calling()
    play.receives(RINGING, Passed(play.machine, RINGING))
    assert play.machine.cancel(play.now) is not None
    play.receives(OK, Passed(play.machine, OK))
    assert play.machine.cancel(play.now) is None
    play.after(32.0)
    play.ends()


@pytest.mark.rfc("3261#17.1.1.3")
def test_the_ack_of_a_refusal_has_branch_and_route_of_the_invite_and_to_of_the_response() -> None:
    routed = request(
        "INVITE", "z9hG4bKr", ("Route", "<sip:p1.example.com;lr>"), ("Route", "<sip:p2.example.com;lr>")
    )
    assert bytes(build_ack(routed, answer(603, routed))) == (
        b"ACK sip:+33199000002@198.51.100.7 SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKr\r\n"
        b"Max-Forwards: 70\r\n"
        b"Route: <sip:p1.example.com;lr>\r\n"
        b"Route: <sip:p2.example.com;lr>\r\n"
        b'From: "Accueil" <sip:+33199000001@example.com>;tag=us\r\n'
        b"To: <sip:+33199000002@example.com>;tag=them\r\n"
        b"Call-ID: call@192.0.2.1\r\n"
        b"CSeq: 7 ACK\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


@pytest.mark.rfc("3261#9.1")
def test_the_cancel_has_one_via_and_the_invites_to() -> None:
    proxied = request(
        "INVITE", "z9hG4bKtop", ("Via", "SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKbelow"), ("Require", "x")
    )
    cancel = build_cancel(proxied)
    assert cancel.all("Via") == ["SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKtop"]
    assert (cancel.method, str(cancel.cseq), cancel.to_tag, cancel.from_tag) == (
        "CANCEL",
        "7 CANCEL",
        "",
        "us",
    )
    assert cancel.uri_text == proxied.uri_text
    assert cancel.get("Require") is None


# --- any other request we send ----------------------------------------------------


@pytest.mark.rfc("3261#17.1.2.2")
def test_unanswered_request_is_sent_eleven_times_in_32_seconds_and_times_out() -> None:
    play = asking()
    for pause in (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0):
        play.after(pause - 0.001)
        play.after(0.001, sent(OPTIONS))
    play.after(0.499)
    play.after(0.001, TimedOut(play.machine))
    play.ends()


@pytest.mark.rfc("3261#17.1.2.2")
def test_a_provisional_answer_makes_the_request_be_sent_only_each_t2() -> None:
    play = asking()
    play.receives(WAIT, Passed(play.machine, WAIT))
    play.receives(WAIT, Passed(play.machine, WAIT))
    play.after(0.5, sent(OPTIONS))
    play.after(3.9)
    play.after(0.1, sent(OPTIONS))
    play.after(4.0, sent(OPTIONS))
    play.receives(NO, Passed(play.machine, NO))
    play.after(4.9)
    play.stands(State.COMPLETED)
    play.after(0.1)
    play.ends()


@pytest.mark.rfc("3261#17.1.2.2")
def test_a_provisional_answer_does_not_save_a_request_from_its_timeout() -> None:
    play = asking(TCP)
    play.receives(WAIT, Passed(play.machine, WAIT))
    play.after(31.9)
    play.after(0.1, TimedOut(play.machine))
    play.ends()


@pytest.mark.rfc("3261#17.1.2.2")
def test_the_final_answer_is_told_once_and_its_copies_absorbed_for_t4() -> None:
    play = asking()
    play.receives(FINE, Passed(play.machine, FINE))
    play.receives(FINE)
    play.receives(WAIT)
    play.fails()
    play.after(5.0)
    play.ends()
    play.receives(FINE)


@pytest.mark.rfc("3261#17.1.2.2")
def test_over_tcp_the_final_answer_ends_the_request_at_once() -> None:
    play = asking(TCP)
    play.receives(FINE, Passed(play.machine, FINE))
    play.ends()


@pytest.mark.rfc("3261#17.1.4")
def test_transport_failure_ends_a_request_before_and_after_a_provisional_answer() -> None:
    play = asking()
    play.fails(TransportFailed(play.machine))
    play.ends()
    play = asking(TCP)
    play.receives(WAIT, Passed(play.machine, WAIT))
    play.fails(TransportFailed(play.machine))
    play.ends()


# --- the INVITE we get ------------------------------------------------------------


@pytest.mark.rfc("3261#17.2.1")
def test_a_repeated_invite_gets_the_last_provisional_answer_again() -> None:
    play = called()
    play.receives(INVITE)
    trying = respond(INVITE, 100)
    play.does(play.machine.trying, (play.now,), sent(trying))
    play.receives(INVITE, sent(trying))
    play.responds(RINGING, sent(RINGING))
    play.does(play.machine.trying, (play.now,))
    play.receives(INVITE, sent(RINGING))
    play.after(3600.0)
    play.stands(State.PROCEEDING)


@pytest.mark.rfc("3261#17.2.1")
def test_a_refusal_is_sent_again_until_the_ack_comes() -> None:
    play = called()
    play.responds(BUSY, sent(BUSY))
    play.receives(INVITE, sent(BUSY))
    play.after(0.5, sent(BUSY))
    play.after(1.0, sent(BUSY))
    play.receives(ACK)
    play.receives(ACK)
    play.receives(INVITE)
    play.responds(OK)
    play.fails()
    play.after(4.9)
    play.stands(State.CONFIRMED)
    play.after(0.1)
    play.ends()
    play.receives(INVITE)


@pytest.mark.rfc("3261#17.2.1")
def test_a_refusal_that_is_never_acknowledged_is_given_up_after_64_t1() -> None:
    play = called()
    play.responds(BUSY, sent(BUSY))
    for pause in (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0):
        play.after(pause - 0.001)
        play.after(0.001, sent(BUSY))
    play.after(0.5, TimedOut(play.machine))
    play.ends()


@pytest.mark.rfc("3261#17.2.1")
def test_over_tcp_a_refusal_is_sent_once_but_its_ack_is_waited_for() -> None:
    play = called(TCP)
    play.responds(BUSY, sent(BUSY, TCP))
    play.after(20.0)
    play.receives(ACK)
    play.ends()
    play = called(TCP)
    play.responds(BUSY, sent(BUSY, TCP))
    play.after(32.0, TimedOut(play.machine))
    play.ends()


@pytest.mark.rfc("6026#7.1")
def test_an_accepted_invite_absorbs_copies_and_lets_its_user_repeat_the_2xx() -> None:
    for flow in (UDP, TCP):
        play = called(flow)
        play.responds(OK, sent(OK, flow))
        play.receives(INVITE)
        play.after(0.5)
        play.responds(OK, sent(OK, flow))
        play.responds(BUSY)
        play.responds(RINGING)
        play.receives(ACK, Passed(play.machine, ACK))  # only a peer of RFC 2543 acknowledges on this branch
        play.receives(ACK, Passed(play.machine, ACK))
        play.after(31.4)
        play.stands(State.ACCEPTED)
        play.after(0.1)
        play.ends()


@pytest.mark.rfc("6026#8.8")
def test_a_response_that_cannot_be_sent_is_told_and_changes_nothing() -> None:
    play = called()
    play.fails(TransportFailed(play.machine))
    play.stands(State.PROCEEDING)
    play.responds(OK, sent(OK))
    play.fails(TransportFailed(play.machine))
    play.stands(State.ACCEPTED)
    play = called()
    play.responds(BUSY, sent(BUSY))
    play.fails(TransportFailed(play.machine))
    play.stands(State.COMPLETED)
    play.after(0.5, sent(BUSY))


@pytest.mark.rfc("3261#17.2.1")
def test_an_ack_before_any_final_answer_means_nothing() -> None:
    play = called()
    play.receives(ACK)
    play.stands(State.PROCEEDING)


@pytest.mark.rfc("3261#8.2.6.1")
def test_the_trying_carries_the_timestamp_back() -> None:
    stamped = request("INVITE", "z9hG4bKt", ("Timestamp", "54.3"))
    machine = ServerInvite(stamped, UDP, TIMERS, 0.0)
    (out,) = machine.trying(0.0)
    assert isinstance(out, Send)
    assert b"\r\nTimestamp: 54.3\r\n" in out.data


# --- any other request we get -----------------------------------------------------


@pytest.mark.rfc("3261#17.2.2")
def test_a_repeated_request_gets_the_last_answer_again_for_64_t1() -> None:
    play = asked()
    play.receives(OPTIONS)
    play.fails()
    play.responds(WAIT, sent(WAIT))
    play.responds(WAIT, sent(WAIT))
    play.receives(OPTIONS, sent(WAIT))
    play.fails(TransportFailed(play.machine))
    play.responds(FINE, sent(FINE))
    play.responds(NO)
    play.receives(OPTIONS, sent(FINE))
    play.fails(TransportFailed(play.machine))
    play.after(31.9)
    play.receives(OPTIONS, sent(FINE))
    play.after(0.1)
    play.ends()
    play.receives(OPTIONS)


@pytest.mark.rfc("3261#17.2.2")
def test_over_tcp_the_final_answer_ends_a_server_transaction_at_once() -> None:
    play = asked(TCP)
    play.responds(FINE, sent(FINE, TCP))
    play.ends()


@pytest.mark.rfc("3261#17.2.2")
def test_a_request_that_is_answered_at_once_needs_no_provisional() -> None:
    play = asked()
    play.after(3600.0)
    play.stands(State.TRYING)
    play.responds(NO, sent(NO))
    play.stands(State.COMPLETED)


# --- all four ---------------------------------------------------------------------


def test_nothing_happens_before_its_time() -> None:
    for play in (calling(), asking(), called(), asked()):
        assert play.machine.expire(0.25) == []
        assert not play.machine.over


def test_every_edge_of_every_table_is_taken_by_a_dialogue_of_this_file() -> None:
    with watched(MACHINES) as tables:
        for name, dialogue in list(globals().items()):
            if name.startswith("test_") and not name.startswith("test_every_edge") and _is_plain(dialogue):
                dialogue()
    assert {name: table.untaken for name, table in tables.items() if table.untaken} == {}
    assert sum(len(table.taken) for table in tables.values()) == EDGES
    assert f"ClientInvite: {len(ClientInvite.NEXT)} of {len(ClientInvite.NEXT)} edges taken" in report(tables)


def _is_plain(dialogue: Any) -> bool:
    return not inspect.signature(dialogue).parameters and not hasattr(dialogue, "hypothesis")


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_of_a_table_leads_to_the_end(machine: Any) -> None:
    ends = {State.TERMINATED}
    while True:
        before = set(ends)
        ends |= {state for (state, _), after in machine.NEXT.items() if after in ends}
        if ends == before:
            break
    assert {state for state, _ in machine.NEXT} <= ends
    assert State.TERMINATED not in {state for state, _ in machine.NEXT}


STEPS = st.lists(
    st.one_of(
        st.integers(100, 699),
        st.sampled_from(["request", "ack", "failed", "cancel", "trying"]),
        st.floats(0.0, 40.0),
    ),
    max_size=30,
)


@given(STEPS, st.sampled_from([UDP, TCP]))
def test_whatever_happens_a_client_gives_one_verdict_and_ends(steps: list[Any], flow: Flow) -> None:
    for machine in (ClientInvite(INVITE, flow, TIMERS, 0.0), ClientRequest(OPTIONS, flow, TIMERS, 0.0)):
        now, said = 0.0, machine.start()
        for step in steps:
            if isinstance(step, float):
                now += step
                said += machine.expire(now)
            elif isinstance(step, int):
                said += machine.receive(answer(step, machine.request), now)
            elif step == "failed":
                said += machine.failed(now)
            elif step == "cancel" and isinstance(machine, ClientInvite):
                machine.cancel(now)
            assert machine.over == (machine.state is State.TERMINATED)
        if isinstance(machine, ClientInvite):
            machine.cancel(now)  # ringing is bounded by the user
        said += _run_out(machine)
        verdicts = [s for s in said if not isinstance(s, Send) and not _is_provisional(s)]
        accepted = [v for v in verdicts if isinstance(v, Passed) and _status(v) < 300]
        assert len(verdicts) == 1 or (isinstance(machine, ClientInvite) and accepted == verdicts)


@given(STEPS, st.sampled_from([UDP, TCP]))
def test_whatever_happens_a_server_ends_once_it_was_answered(steps: list[Any], flow: Flow) -> None:
    for machine in (ServerInvite(INVITE, flow, TIMERS, 0.0), ServerRequest(OPTIONS, flow, TIMERS, 0.0)):
        now, said = 0.0, machine.start()
        for step in steps:
            if isinstance(step, float):
                now += step
                said += machine.expire(now)
            elif isinstance(step, int):
                said += machine.respond(answer(step, machine.request), now)
            elif step == "failed":
                said += machine.failed(now)
            elif step == "request":
                said += machine.receive(machine.request, now)
            elif step == "ack" and isinstance(machine, ServerInvite):
                said += machine.receive(ACK, now)
            elif step == "trying" and isinstance(machine, ServerInvite):
                said += machine.trying(now)
            assert machine.over == (machine.state is State.TERMINATED)
        machine.respond(answer(500, machine.request), now)
        said += _run_out(machine)
        assert said.count(Passed(machine, machine.request)) == 1


def _run_out(machine: Any) -> list[Any]:
    said: list[Any] = []
    for _ in range(20):
        due = machine.deadline()
        if due is None:
            break
        said += machine.expire(due)
    assert machine.over
    return said


def _is_provisional(output: Any) -> bool:
    return isinstance(output, Passed) and _status(output) < 200


def _status(passed: Passed) -> int:
    assert isinstance(passed.message, Response)
    return passed.message.status


# --- timers -----------------------------------------------------------------------


@pytest.mark.rfc("3261#17.1.1.2")
def test_timer_d_is_never_below_32_seconds() -> None:
    assert TimerValues(t1=0.1).d == 32.0
    assert TimerValues(t1=1.0).d == 64.0
    assert TimerValues(t1=0.1).timeout == pytest.approx(6.4)


# --- matching ---------------------------------------------------------------------


@pytest.mark.rfc("3261#17.1.3")
def test_a_response_is_matched_by_branch_and_method() -> None:
    cancel = build_cancel(INVITE)
    assert client_key(INVITE) == client_key(BUSY) == ("z9hG4bKone", "INVITE")
    assert client_key(answer(200, cancel)) == ("z9hG4bKone", "CANCEL")


@pytest.mark.rfc("3261#17.2.3")
def test_a_request_is_matched_by_branch_sent_by_and_method() -> None:
    assert server_key(INVITE) == server_key(ACK) == ("z9hG4bKone", "192.0.2.1:5060", "INVITE")
    assert server_key(OTHER_ACK) != server_key(INVITE)  # the ACK of a 2xx
    cancel = build_cancel(INVITE)
    assert server_key(cancel) != server_key(INVITE)
    assert server_key(cancel, "INVITE") == server_key(INVITE)
    here = INVITE.with_header("Via", "SIP/2.0/UDP pc.Example.COM;branch=z9hG4bKone")
    there = INVITE.with_header("Via", "SIP/2.0/UDP PC.example.com;branch=z9hG4bKone")
    assert server_key(here) == server_key(there) != server_key(INVITE)


@pytest.mark.rfc("3261#17.2.3")
@pytest.mark.parametrize("branch", ["1", "z9hG4bK"])
def test_a_peer_of_rfc_2543_is_matched_by_what_its_requests_have_in_common(branch: str) -> None:
    old = request("INVITE", branch)
    ack = build_ack(old, answer(486, old))
    assert server_key(old) == server_key(request("INVITE", branch)) == server_key(ack)
    assert server_key(build_cancel(old), "INVITE") == server_key(old) != server_key(build_cancel(old))
    assert server_key(old.with_header("CSeq", "8 INVITE")) != server_key(old)
    assert server_key(old.with_header("Call-ID", "z@192.0.2.1")) != server_key(old)
    assert server_key(old.with_header("From", "<sip:a@example.com>;tag=x")) != server_key(old)
    assert server_key(old.with_header("Via", "SIP/2.0/UDP 192.0.2.9;branch=1")) != server_key(old)
    assert server_key(old.with_uri("sip:other@example.com")) != server_key(old)


def test_a_message_without_a_readable_via_has_no_key() -> None:
    with pytest.raises(ParseError):
        server_key(INVITE.without("Via"))
    with pytest.raises(ParseError):
        client_key(BUSY.with_header("CSeq", "seven INVITE"))
