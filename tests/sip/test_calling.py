"""The UAC's first INVITE: CANCEL races, forks and late answers, early dialogs, PRACK, asking again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.line import ANSWER, SDP, A, B, Line, Puppet, UserAgent, all_over, pair, puppet_called

from trunkline.sip.endpoint import EndpointSettings
from trunkline.sip.message import Request, Response, respond
from trunkline.sip.session import SessionPolicy
from trunkline.sip.usage import FORKS_MAX, Accepted, Progressed, Rejected, State

CONTACT = ("Contact", "<sip:b@192.0.2.2:5060>")


def answer(
    to: Request,
    status: int,
    tag: str = "one",
    *more: tuple[str, str],
    contact: bool = True,
    body: bytes = b"",
) -> Response:
    headers = (CONTACT, *more) if contact else more
    return respond(to, status, to_tag=tag, headers=headers, body=body)


def invite_of(puppet: Puppet) -> Request:
    request: Request = puppet.heard("INVITE")[-1]
    return request


# --- the plain call -------------------------------------------------------------------


@pytest.mark.rfc("3261#13.2")
def test_answered_call_is_acknowledged_at_once() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    b.does(b.usage.provisional(180, line.now))
    line.run(0.1)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    assert line.said() == [
        "a INVITE", "b 100 INVITE", "b 180 INVITE", "a PRACK", "b 200 PRACK", "b 200 INVITE", "a ACK",
    ]  # fmt: skip
    assert a.kinds() == ["Trying", "Progressed", "Accepted"]
    assert b.kinds() == ["Acknowledged"]
    assert a.usage.state is b.usage.state is State.CONFIRMED


@pytest.mark.rfc("3261#8.1.1")
def test_invite_carries_what_the_rfc_requires() -> None:
    line, a, b = pair()
    a.call(b, headers=(("P-Asserted-Identity", "<sip:+33199001000@192.0.2.1>"),), max_forwards=69)
    invite = line.last("INVITE")
    assert invite.max_forwards == 69
    assert invite.via.rport == ""
    assert str(invite.contact) == "<sip:a@192.0.2.1:5060>"
    assert invite.get("Supported") == "100rel, timer"
    assert invite.get("Allow") == "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"
    assert invite.get("P-Asserted-Identity") == "<sip:+33199001000@192.0.2.1>"
    assert invite.get("Session-Expires") == "1800"
    assert invite.from_tag
    assert not invite.to_tag


@pytest.mark.rfc("3261#13.2.2.3")
def test_refusal_is_told_once_with_its_response() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.lose("ACK", 2)
    b.does(b.usage.reject(486, line.now))
    line.run(5)
    assert line.said("486 INVITE", "ACK") == ["b 486 INVITE", "a ACK"] * 3
    (event,) = [e for e in a.heard if isinstance(e, Rejected)]
    assert event.status == 486
    assert event.response is not None
    all_over(line, a, b)


@pytest.mark.rfc("3261#8.1.3.1")
def test_silence_is_a_408_and_a_dead_transport_a_503() -> None:
    line, a, _ = pair()
    line.agents = line.agents[:1]
    a.call(Puppet(Line(), "nobody", ("192.0.2.9", 5060)))
    line.run(1)
    assert [(e.status, e.response) for e in a.heard] == [(503, None)]
    line, a, b = pair()
    line.lose("INVITE", 99)
    a.call(b)
    line.run(33)
    assert [(e.status, e.response) for e in a.heard] == [(408, None)]
    assert len(line.all("INVITE")) == 7  # 0, .5, 1.5, 3.5, 7.5, 15.5, 31.5 s
    all_over(line, a)


# --- CANCEL -----------------------------------------------------------------------------


@pytest.mark.rfc("3261#9.1")
def test_cancel_waits_for_the_first_provisional() -> None:
    line, a, b = puppet_called()
    a.does(a.usage.hang_up(line.now, (("Reason", "Q.850;cause=16"),)))
    line.run(0.1)
    assert line.said("CANCEL") == []
    b.says(respond(invite_of(b), 100))
    line.run(0.1)
    cancel = line.last("a CANCEL")
    assert cancel.branch == invite_of(b).branch
    assert cancel.cseq.number == invite_of(b).cseq.number
    assert cancel.get("Reason") == "Q.850;cause=16"
    b.says(answer(cancel, 200))
    b.says(answer(invite_of(b), 180))
    line.run(0.1)
    assert line.said("CANCEL") == ["a CANCEL"]  # not for every provisional
    b.says(answer(invite_of(b), 487))
    line.run(0.1)
    assert a.kinds() == ["Rejected"]
    assert a.heard[0].status == 487
    all_over(line, a)


@pytest.mark.rfc("3261#9.1")
def test_cancel_while_ringing_ends_in_487_on_both_sides() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    b.does(b.usage.provisional(180, line.now))
    line.run(0.1)
    line.lose("CANCEL")
    a.does(a.usage.hang_up(line.now))
    line.run(2)
    assert line.said("CANCEL", "200 CANCEL", "487 INVITE") == [
        "a CANCEL", "a CANCEL", "b 200 CANCEL", "b 487 INVITE",
    ]  # fmt: skip
    assert a.heard[-1].status == 487
    assert b.kinds() == ["Abandoned"]
    all_over(line, a, b)


@pytest.mark.rfc("3261#9.1")
def test_cancel_that_meets_a_200_becomes_ack_and_bye() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.hold("200 INVITE")
    b.does(b.usage.accept(ANSWER, line.now))
    a.does(a.usage.hang_up(line.now, (("Reason", "Q.850;cause=16"),)))
    line.run(0.1)
    assert b.usage.state is State.ACCEPTED  # the CANCEL came too late, and did nothing
    line.release("200 INVITE")
    line.run(0.1)
    assert line.said("CANCEL", "ACK", "BYE", "200 BYE") == ["a CANCEL", "a ACK", "a BYE", "b 200 BYE"]
    assert line.last("BYE").get("Reason") == "Q.850;cause=16"
    assert a.kinds() == ["Trying", "Gone"]
    assert b.kinds() == ["Acknowledged", "Ended", "Gone"]
    all_over(line, a, b)


@pytest.mark.rfc("3261#9.1")
def test_cancelled_invite_without_final_answer_is_given_up_after_64_t1() -> None:
    line, a, b = puppet_called()
    b.says(answer(invite_of(b), 180))
    line.run(0.1)
    a.does(a.usage.hang_up(line.now))
    line.run(33)
    assert a.kinds() == ["Progressed", "Rejected"]
    assert a.heard[-1].status == 408
    all_over(line, a)


@pytest.mark.rfc("3261#9.1")
def test_cancel_before_any_answer_times_out_with_the_invite() -> None:
    line, a, b = pair()
    line.lose("INVITE", 99)
    a.call(b)
    line.run(1)
    a.does(a.usage.hang_up(line.now))
    line.run(32)
    assert a.heard[-1].status == 408
    assert line.said("CANCEL") == []
    all_over(line, a, b)


# --- forks and late 2xx -------------------------------------------------------------------


@pytest.mark.rfc("3261#13.2.2.4")
def test_every_other_fork_that_answers_is_acknowledged_and_ended() -> None:
    line, a, b = puppet_called()
    invite = invite_of(b)
    for tag in ("one", "two"):
        b.says(answer(invite, 180, tag))
    line.run(0.1)
    assert len(a.endpoint.dialogs) == 2
    for tag in ("one", "two", "three"):
        b.says(answer(invite, 200, tag, body=ANSWER))
        line.run(0.1)
    assert [r.to_tag for r in b.heard("ACK")] == ["one", "two", "three"]
    assert [r.to_tag for r in b.heard("BYE")] == ["two", "three"]
    assert [e.response.to_tag for e in a.heard if isinstance(e, Accepted)] == ["one"]
    assert [key[2] for key in a.endpoint.dialogs] == ["one"]
    b.says(answer(invite, 200, "two", body=ANSWER))  # its ACK was lost
    line.run(0.1)
    assert [r.to_tag for r in b.heard("ACK")][3:] == ["two"]
    for bye in b.heard("BYE"):
        b.says(respond(bye, 200))
    line.run(0.1)
    assert a.usage.state is State.CONFIRMED


@pytest.mark.rfc("3261#13.2.2.4")
def test_fork_that_answers_after_the_call_is_over_is_ended_too() -> None:
    line, a, b = puppet_called()
    b.says(answer(invite_of(b), 200, "one", body=ANSWER))
    line.run(0.1)
    a.does(a.usage.hang_up(line.now))
    line.run(0.1)
    b.says(answer(invite_of(b), 200, "two", body=ANSWER))
    b.says(respond(b.heard("BYE")[0], 200))
    line.run(0.1)
    assert a.kinds() == ["Accepted", "Gone"]
    b.says(answer(invite_of(b), 200, "three", body=ANSWER))
    line.run(0.1)
    assert [r.to_tag for r in b.heard("BYE") if r.to_tag != "one"] == ["two", "three"]
    for bye in b.heard("BYE")[1:]:
        b.says(respond(bye, 200))
    all_over(line, a)


@pytest.mark.rfc("3261#13.2.2.4")
def test_repeated_2xx_gets_the_same_ack_each_time() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.lose("ACK", 3)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(6)
    assert line.said("200 INVITE", "ACK") == ["b 200 INVITE", "a ACK"] * 4
    assert len({bytes(ack) for ack in line.all("ACK")}) == 1
    assert b.kinds() == ["Acknowledged"]


def test_more_forks_than_the_bound_are_not_remembered() -> None:
    line, a, b = puppet_called()
    for index in range(FORKS_MAX + 4):
        b.says(answer(invite_of(b), 180, f"fork{index}"))
    line.run(0.1)
    assert len(a.endpoint.dialogs) == FORKS_MAX
    assert len([e for e in a.heard if isinstance(e, Progressed)]) == FORKS_MAX


@pytest.mark.rfc("3261#12.1.2")
def test_2xx_without_contact_is_still_acknowledged_and_can_be_ended() -> None:
    line, a, b = puppet_called()
    b.says(answer(invite_of(b), 200, contact=False, body=ANSWER))
    line.run(0.1)
    a.does(a.usage.hang_up(line.now))
    line.run(0.1)
    assert [str(m.uri) for m in (*b.heard("ACK"), *b.heard("BYE"))] == ["sip:b@192.0.2.2:5060"] * 2


@pytest.mark.rfc("3261#15")
def test_bye_in_the_last_early_dialog_lets_the_invite_go() -> None:
    line, a, b = puppet_called()
    invite = invite_of(b)
    for tag in ("one", "two"):
        b.says(answer(invite, 180, tag))
    line.run(0.1)
    for number, tag in enumerate(("two", "one")):
        bye = Request.build(
            "BYE",
            "sip:a@192.0.2.1:5060",
            [
                ("Via", f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKbye{number}"),
                ("From", f"{invite.get('To')};tag={tag}"),
                ("To", invite.get("From") or ""),
                ("Call-ID", invite.call_id),
                ("CSeq", "9 BYE"),
            ],
        )
        b.says(bye)
        line.run(0.1)
        assert a.usage.state is (State.CALLING if tag == "two" else State.CANCELLING)
    assert b.heard("200 BYE")
    assert len(b.heard("CANCEL")) == 1
    b.says(answer(b.heard("CANCEL")[0], 481))
    line.run(33)
    assert a.heard[-1].status == 408
    all_over(line, a)


@pytest.mark.rfc("3261#13.2.2.4")
def test_a_fork_whose_bye_overtook_its_answer_is_not_the_call() -> None:
    line, a, b = puppet_called()
    invite = invite_of(b)
    for tag in ("one", "two"):
        b.says(answer(invite, 180, tag))
    line.run(0.1)
    headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKbye"),
        ("From", f"{invite.get('To')};tag=one"),
    ]
    headers += [("To", invite.get("From") or ""), ("Call-ID", invite.call_id), ("CSeq", "9 BYE")]
    b.says(Request.build("BYE", "sip:a@192.0.2.1:5060", headers))
    b.says(answer(invite, 200, "one"))
    line.run(0.1)
    assert a.kinds() == ["Progressed", "Progressed"]  # still calling
    assert [m.to_tag for m in (*b.heard("ACK"), *b.heard("BYE"))] == ["one", "one"]
    b.says(answer(invite, 200, "two"))
    line.run(0.1)
    assert a.usage.state is State.CONFIRMED
    assert a.usage.dialog is not None
    assert a.usage.dialog.remote_tag == "two"


def test_bye_after_the_cancel_changes_nothing() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    b.does(b.usage.provisional(180, line.now))
    line.run(0.1)
    line.hold("CANCEL")
    line.lose("200 INVITE", 99)
    b.does(b.usage.accept(ANSWER, line.now))
    a.does(a.usage.hang_up(line.now))
    line.run(40)  # b gives up waiting for the ACK
    assert "b BYE" in line.said()
    assert a.heard[-1].status == 408
    all_over(line, a, b)


# --- early dialogs and reliable provisionals -------------------------------------------------


@pytest.mark.rfc("3262#4")
def test_reliable_provisionals_are_acknowledged_in_order() -> None:
    line, a, b = puppet_called()
    invite = invite_of(b)

    def ringing(rseq: int, tag: str = "one") -> Response:
        return answer(invite, 183, tag, ("Require", "100rel"), ("RSeq", str(rseq)), body=ANSWER)

    for rseq in (7, 7, 9, 8):  # again, out of order, in order
        b.says(ringing(rseq))
        line.run(0.01)
    b.says(ringing(40, "two"))  # another fork counts for itself
    line.run(0.1)
    assert [str(m.value("rack")) for m in b.heard("PRACK") if m.to_tag == "one"][:2] == [
        f"7 {invite.cseq.number} INVITE",
        f"8 {invite.cseq.number} INVITE",
    ]
    assert [e.reliable for e in a.heard if isinstance(e, Progressed)] == [True, True, True]


@pytest.mark.rfc("3262#3")
def test_lost_prack_is_sent_again_and_stops_the_repetition() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.lose("PRACK", 2)
    b.does(b.usage.provisional(183, line.now, ANSWER))
    line.run(10)
    assert line.said("PRACK", "200 PRACK") == ["a PRACK", "a PRACK", "a PRACK", "b 200 PRACK"]
    assert line.said("183 INVITE") == ["b 183 INVITE"] * 3  # 0, .5, 1.5 s
    assert a.kinds() == ["Trying", "Progressed"]


@pytest.mark.rfc("3262#4")
def test_provisional_without_require_is_not_acknowledged() -> None:
    line, a, b = puppet_called()
    b.says(answer(invite_of(b), 183, "one", ("RSeq", "7")))
    b.says(answer(invite_of(b), 183, "two", ("Require", "100rel")))
    b.says(answer(invite_of(b), 180, ""))  # no tag, no dialog
    line.run(0.1)
    assert b.heard("PRACK") == []
    assert [e.reliable for e in a.heard if isinstance(e, Progressed)] == [False] * 3


def test_100rel_can_be_required_or_switched_off() -> None:
    line, a, b = pair(a=SessionPolicy(reliable="required"))
    a.call(b)
    assert line.last("INVITE").get("Require") == "100rel"
    line, a, b = pair(a=SessionPolicy(reliable="off"))
    a.call(b)
    line.run(0.1)
    b.does(b.usage.provisional(180, line.now))
    line.run(0.1)
    assert line.last("INVITE").get("Supported") == "timer"
    assert line.said("PRACK") == []


@pytest.mark.rfc("3262#5")
def test_invite_without_offer_does_not_invite_reliable_provisionals() -> None:
    line, a, b = pair(a=SessionPolicy(reliable="required"))
    a.call(b, b"")
    invite = line.last("INVITE")
    assert (invite.get("Supported"), invite.get("Require")) == ("timer", None)


@pytest.mark.rfc("3261#13.2.1")
def test_delayed_offer_is_answered_in_the_ack() -> None:
    line, a, b = pair()
    a.call(b, b"")
    line.run(0.1)
    b.does(b.usage.accept(SDP, line.now))
    line.run(1)
    event = a.heard[-1]
    assert isinstance(event, Accepted)
    assert not event.ack_sent
    assert line.said("ACK") == []
    assert line.said("200 INVITE") == ["b 200 INVITE"] * 2  # repeated, and told once
    a.does(a.usage.acknowledge(ANSWER, line.now))
    line.run(1)
    assert line.last("ACK").body == ANSWER
    assert b.heard[-1].answers
    assert a.usage.acknowledge(ANSWER, line.now) == []  # only one is owed


@pytest.mark.rfc("3261#13.2.2.4")
def test_hang_up_before_the_answer_of_a_delayed_offer_acknowledges_first() -> None:
    line, a, b = pair()
    a.call(b, b"")
    line.run(0.1)
    b.does(b.usage.accept(SDP, line.now))
    line.run(0.1)
    a.does(a.usage.hang_up(line.now))
    line.run(0.1)
    assert line.said("ACK", "BYE") == ["a ACK", "a BYE"]
    all_over(line, a, b)


# --- asking again ---------------------------------------------------------------------------


@pytest.mark.rfc("4028#7.3")
def test_422_is_met_with_the_larger_interval() -> None:
    line, a, b = pair(a=SessionPolicy(expires=90), b=SessionPolicy(min_se=600))
    a.call(b)
    line.run(0.1)
    assert line.said("INVITE", "422 INVITE") == ["a INVITE", "b 422 INVITE", "a INVITE"]
    first, second = line.all("INVITE")
    assert (second.get("Session-Expires"), second.get("Min-SE")) == ("600", "600")
    assert second.cseq.number == first.cseq.number + 1
    assert (second.call_id, second.from_tag) == (first.call_id, first.from_tag)
    assert a.kinds() == ["Trying"]


@pytest.mark.rfc("4028#7.3")
def test_422_that_asks_for_nothing_more_is_a_refusal() -> None:
    line, a, b = puppet_called()
    b.says(answer(invite_of(b), 422, "one", ("Min-SE", "90")))
    line.run(0.1)
    assert a.heard[-1].status == 422
    assert len(b.heard("INVITE")) == 1


@pytest.mark.rfc("3261#22.2")
def test_challenge_is_met_with_credentials_but_not_forever() -> None:
    line, a, b = pair()
    asked: list[Any] = []

    def authorize(response: Response, request: Request) -> tuple[tuple[str, str], ...]:
        asked.append((response.status, request.cseq.number))
        return (("Authorization", f'Digest username="a", nonce="{len(asked)}"'),)

    puppet = Puppet(line, "p", ("192.0.2.3", 5060))
    a.call(puppet, authorize=authorize)
    for _ in range(6):
        line.run(0.1)
        puppet.says(answer(invite_of(puppet), 180, "early"))
        line.run(0.1)
        puppet.says(answer(invite_of(puppet), 401))
    line.run(0.1)
    assert len(puppet.heard("INVITE")) == 4
    assert invite_of(puppet).get("Authorization") == 'Digest username="a", nonce="3"'
    assert a.heard[-1].status == 401
    assert len(asked) == 3
    all_over(line, a, b)


def test_challenge_without_credentials_is_a_refusal() -> None:
    line, a, b = puppet_called()
    b.says(answer(invite_of(b), 407))
    line.run(0.1)
    assert a.heard[-1].status == 407


def test_cancelled_call_is_not_asked_for_again() -> None:
    line, a, b = puppet_called()
    b.says(answer(invite_of(b), 180))
    line.run(0.1)
    a.does(a.usage.hang_up(line.now))
    b.says(answer(invite_of(b), 422, "one", ("Min-SE", "3600")))
    line.run(0.1)
    assert a.heard[-1].status == 422
    assert len(b.heard("INVITE")) == 1


def test_what_comes_after_the_answer_is_passed_over() -> None:
    line, a, b = puppet_called()
    b.says(answer(invite_of(b), 200, body=ANSWER))
    line.run(0.1)
    before = a.kinds()
    for status in (183, 500):
        b.says(answer(invite_of(b), status, "two"))
    line.run(0.1)
    assert a.kinds() == before


# --- large requests (§18.1.1) -------------------------------------------------------------------


BIG = SDP + b"a=x:" + b"y" * 1400 + b"\r\n"


@pytest.mark.rfc("3261#18.1.1")
def test_large_invite_goes_by_tcp_and_the_dialog_stays_where_it_was() -> None:
    line, a, b = pair()
    a.call(b, BIG)
    line.run(0.1)
    assert line.last("INVITE").via.transport == "TCP"
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    a.does(a.usage.hang_up(line.now))
    assert line.last("BYE").via.transport == "UDP"
    all_over(line, a, b)


@pytest.mark.rfc("3261#18.1.1")
def test_large_invite_falls_back_to_udp_where_there_is_no_tcp() -> None:
    line, a, b = pair()
    line.dead.add("TCP")
    a.call(b, BIG)
    line.run(0.1)
    assert [m.via.transport for m in line.all("INVITE")] == ["TCP", "UDP"]
    b.does(b.usage.provisional(180, line.now))
    line.run(0.1)
    a.does(a.usage.hang_up(line.now))  # the CANCEL belongs to the second
    line.run(0.1)
    assert line.last("CANCEL").branch == line.all("INVITE")[1].branch
    assert a.heard[-1].status == 487
    all_over(line, a, b)


def test_the_switch_to_tcp_can_be_switched_off() -> None:
    line = Line()
    a = UserAgent(line, "a", A, EndpointSettings(datagram_max=0))
    b = UserAgent(line, "b", B, seed=2)
    a.call(b, BIG)
    assert line.last("INVITE").via.transport == "UDP"
