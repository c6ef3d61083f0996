"""The UAS's first INVITE: 100, ringing, reliable provisionals, the 2xx and its ACK, refusals, CANCEL."""

from __future__ import annotations

import pytest
from tests.line import ANSWER, SDP, B, Line, Puppet, UserAgent, all_over, pair

from trunkline.finding import ParseError
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request, respond
from trunkline.sip.session import SessionPolicy
from trunkline.sip.usage import Abandoned, InviteUsage, State


def invite(*more: tuple[str, str], body: bytes = SDP, contact: str = "<sip:p@192.0.2.3:5060>") -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.3:5060;branch=z9hG4bKfirst"),
        ("Max-Forwards", "70"),
        ("From", "<sip:p@192.0.2.3>;tag=theirs"),
        ("To", "<sip:b@192.0.2.2>"),
        ("Call-ID", "call@192.0.2.3"),
        ("CSeq", "1 INVITE"),
        *((("Contact", contact),) if contact else ()),
        *more,
    ]
    return Request.build("INVITE", "sip:b@192.0.2.2", headers, body)


def inside(of: UserAgent, method: str, seq: int, *more: tuple[str, str], body: bytes = b"") -> Request:
    """A request of the puppet in its dialog with `of`."""
    headers = [
        ("Via", f"SIP/2.0/UDP 192.0.2.3:5060;branch=z9hG4bK{method}{seq}"),
        ("From", "<sip:p@192.0.2.3>;tag=theirs"),
        ("To", f"<sip:b@192.0.2.2>;tag={of.usage.local_tag}"),
        ("Call-ID", "call@192.0.2.3"),
        ("CSeq", f"{seq} {method}"),
        *more,
    ]
    return Request.build(method, "sip:b@192.0.2.2:5060", headers, body)


def rung(request: Request, policy: SessionPolicy | None = None) -> tuple[Line, UserAgent, Puppet]:
    """A puppet has called `b` with this INVITE."""
    line = Line()
    b = UserAgent(line, "b", B, policy=policy, seed=2)
    puppet = Puppet(line, "p", ("192.0.2.3", 5060))
    puppet.says(request, b_flow(b, puppet))
    line.run(0.1)
    return line, b, puppet


def b_flow(b: UserAgent, puppet: Puppet) -> Flow:
    flow = b.flow_to(puppet)
    return flow._replace(local=flow.remote, remote=flow.local)


# --- what goes out ------------------------------------------------------------------------


@pytest.mark.rfc("3261#17.2.1")
def test_100_goes_out_at_once_and_again_for_each_repetition() -> None:
    line, a, b = pair()
    line.lose("100 INVITE", 2)
    a.call(b)
    line.run(3)
    assert line.said("INVITE", "100 INVITE") == ["a INVITE", "b 100 INVITE"] * 3
    assert len(b.asked) == 1


@pytest.mark.rfc("3261#12.1.1")
def test_invite_whose_contact_is_a_star_cannot_be_a_call() -> None:
    line = Line()
    b = UserAgent(line, "b", B)
    puppet = Puppet(line, "p", ("192.0.2.3", 5060))
    (received,) = b.endpoint.receive(bytes(invite(contact="*")), b.flow_to(puppet), 0.0)
    usage = InviteUsage(b.endpoint, b, b.policy)
    with pytest.raises(ParseError, match="Contact"):
        usage.invited(received.transaction, received.request, 0.0)
    assert usage.state is State.IDLE
    assert not b.endpoint.dialogs


@pytest.mark.rfc("3261#13.3.1.1")
def test_ringing_is_said_again_every_minute() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.provisional(183, line.now, ANSWER))
    line.run(61)
    again = puppet.heard("183 INVITE")
    assert [m.body for m in again] == [ANSWER, ANSWER]
    line.run(60)
    assert len(puppet.heard("183 INVITE")) == 3
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(61)
    assert len(puppet.heard("183 INVITE")) == 3


@pytest.mark.rfc("3262#3")
def test_reliable_ringing_is_said_again_with_a_number_of_its_own() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    b.does(b.usage.provisional(183, line.now, ANSWER))
    line.run(61)
    first, second = line.all("183 INVITE")
    assert second.value("rseq") == first.value("rseq") + 1
    assert (first.body, second.body) == (ANSWER, b"")
    assert line.said("PRACK") == ["a PRACK"] * 2


@pytest.mark.rfc("3262#3")
def test_only_one_reliable_provisional_is_on_its_way() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    for status in (180, 181, 183):
        b.does(b.usage.provisional(status, line.now))
    assert line.said("180 INVITE", "181 INVITE", "183 INVITE") == ["b 180 INVITE"]
    line.run(1)
    assert line.said("180 INVITE", "181 INVITE", "183 INVITE", "PRACK") == [
        "b 180 INVITE", "a PRACK", "b 181 INVITE", "a PRACK", "b 183 INVITE", "a PRACK",
    ]  # fmt: skip
    numbers = [
        m.value("rseq") for m in line.all("180 INVITE") + line.all("181 INVITE") + line.all("183 INVITE")
    ]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_what_waits_for_a_prack_is_bounded() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.lose("PRACK", 1)
    for _ in range(20):
        b.does(b.usage.provisional(180, line.now))
    line.run(2)
    assert len({m.value("rseq") for m in line.all("180 INVITE")}) == 1 + 8


@pytest.mark.rfc("3262#3")
def test_no_prack_in_64_t1_refuses_the_invite() -> None:
    line, a, b = pair()
    line.lose("PRACK", 99)
    a.call(b)
    line.run(0.1)
    b.does(b.usage.provisional(183, line.now, ANSWER))
    line.run(33)
    assert len(line.all("183 INVITE")) == 7  # doubling, without T2's bound
    assert a.heard[-1].status == 504
    (event,) = b.heard
    assert event == Abandoned(b.usage, None)
    all_over(line, a, b)


@pytest.mark.rfc("3262#3")
def test_2xx_waits_for_the_prack_of_a_description() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.lose("PRACK")
    b.does(b.usage.provisional(183, line.now, ANSWER))
    b.does(b.usage.provisional(180, line.now))  # dropped by the answer
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.3)
    assert line.said("200 INVITE") == []
    line.run(1)
    assert line.said("PRACK", "200 PRACK", "180 INVITE", "200 INVITE") == [
        "a PRACK", "a PRACK", "b 200 PRACK", "b 200 INVITE",
    ]  # fmt: skip
    assert a.usage.state is b.usage.state is State.CONFIRMED


@pytest.mark.rfc("3262#3")
def test_2xx_overtakes_a_plain_provisional_whose_prack_is_still_taken() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    line.hold("PRACK")
    b.does(b.usage.provisional(180, line.now))
    line.run(0.1)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(2)
    assert line.said("180 INVITE") == ["b 180 INVITE"]  # not repeated after the 2xx
    line.release("PRACK")
    line.run(0.1)
    assert line.said("200 PRACK", "481 PRACK") == ["b 200 PRACK"] * 3
    assert b.usage.state is State.CONFIRMED


@pytest.mark.rfc("3262#3")
def test_prack_for_nothing_gets_481() -> None:
    line, b, puppet = rung(invite(("Supported", "100rel")))
    for seq, rack in ((2, "1 1 INVITE"), (3, None)):
        puppet.says(inside(b, "PRACK", seq, *((("RAck", rack),) if rack else ())))
    line.run(0.1)
    b.does(b.usage.provisional(180, line.now))
    line.run(0.1)
    rseq = puppet.heard("180 INVITE")[0].value("rseq")
    puppet.says(inside(b, "PRACK", 4, ("RAck", f"{rseq + 1} 1 INVITE")))
    puppet.says(inside(b, "PRACK", 5, ("RAck", f"{rseq} 2 INVITE")))
    line.run(0.1)
    assert len(puppet.heard("481 PRACK")) == 4
    puppet.says(inside(b, "PRACK", 6, ("RAck", f"{rseq} 1 INVITE")))
    line.run(0.1)
    assert len(puppet.heard("200 PRACK")) == 1


def test_prack_from_a_called_party_gets_481() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    assert b.usage.dialog is not None
    b.does(b.usage.ask(b.usage.dialog, "PRACK", (("RAck", "1 1 INVITE"),), line.now)[1])
    line.run(0.1)
    assert line.said("481 PRACK") == ["a 481 PRACK"]


@pytest.mark.rfc("3262#3")
def test_peer_that_requires_100rel_gets_it_even_where_it_is_off() -> None:
    line, b, _puppet = rung(invite(("Require", "100rel")), SessionPolicy(reliable="off"))
    b.does(b.usage.provisional(180, line.now))
    assert line.last("180 INVITE").get("Require") == "100rel"
    assert b.usage.speaks_reliably
    line, b, _puppet = rung(invite(("Supported", "100rel")), SessionPolicy(reliable="off"))
    b.does(b.usage.provisional(180, line.now))
    assert line.last("180 INVITE").get("Require") is None
    assert not b.usage.speaks_reliably


@pytest.mark.rfc("3262#5")
def test_prack_may_hold_an_offer_of_its_own() -> None:
    line, b, puppet = rung(invite(("Supported", "100rel")))
    for seq, again in ((2, False), (3, True)):
        b.does(b.usage.provisional(183, line.now, ANSWER))
        line.run(0.1)
        rseq = puppet.heard("183 INVITE")[-1].value("rseq")
        puppet.says(inside(b, "PRACK", seq, ("RAck", f"{rseq} 1 INVITE"), body=SDP))
        line.run(0.1)
        assert len(b.heard) == 1
        assert bool(puppet.heard("491 PRACK")) is again  # one at a time
    b.does(b.usage.accept_again(ANSWER, line.now))
    line.run(0.1)
    (taken,) = puppet.heard("200 PRACK")
    assert taken.body == ANSWER
    assert taken.get("Session-Expires") is None


# --- the 2xx and its ACK ----------------------------------------------------------------------


@pytest.mark.rfc("3261#13.3.1.4")
def test_2xx_is_repeated_until_its_ack() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(11)
    times = [t for t, (_, m) in zip(line.times, line.log, strict=True) if m in line.all("200 INVITE")]
    assert [round(t - times[0], 3) for t in times] == [0, 0.5, 1.5, 3.5, 7.5]
    puppet.says(inside(b, "ACK", 7))  # of no INVITE of ours
    line.run(1)
    assert b.heard == []
    puppet.says(inside(b, "ACK", 1))
    line.run(40)
    assert len(puppet.heard("200 INVITE")) == 6  # one more at 11.5 s
    assert b.kinds() == ["Acknowledged"]
    puppet.says(inside(b, "ACK", 1))  # again
    line.run(0.1)
    assert b.kinds() == ["Acknowledged"]


@pytest.mark.rfc("3261#13.3.1.4")
def test_2xx_is_repeated_over_tcp_too() -> None:
    line, b, _puppet = rung(invite())
    tcp = Puppet(line, "t", ("192.0.2.4", 5060))
    flow = b_flow(b, tcp)._replace(transport="TCP")
    tcp.says(
        invite().with_header("Via", "SIP/2.0/TCP 192.0.2.4;branch=z9hG4bKt").with_header("Call-ID", "t"), flow
    )
    line.run(0.1)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(1)
    assert len(tcp.heard("200 INVITE")) == 2


@pytest.mark.rfc("3261#13.3.1.4")
def test_no_ack_in_64_t1_ends_the_call_with_bye() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(31.5)
    assert puppet.heard("BYE") == []
    line.run(1)
    assert len(puppet.heard("BYE")) == 1
    assert len(puppet.heard("200 INVITE")) == 11
    assert [(type(e).__name__, getattr(e, "by", "")) for e in b.heard] == [("Ended", "timer")]
    puppet.says(respond(puppet.heard("BYE")[0], 200))
    all_over(line, b)
    assert b.kinds() == ["Ended", "Gone"]


@pytest.mark.rfc("3261#15")
def test_called_party_waits_for_the_ack_before_its_bye() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.accept(ANSWER, line.now))
    b.does(b.usage.hang_up(line.now, (("Reason", "Q.850;cause=31"),)))
    line.run(1)
    assert puppet.heard("BYE") == []
    puppet.says(inside(b, "ACK", 1))
    line.run(0.1)
    assert puppet.heard("BYE")[0].get("Reason") == "Q.850;cause=31"
    puppet.says(respond(puppet.heard("BYE")[0], 200))
    all_over(line, b)
    assert b.kinds() == ["Acknowledged", "Gone"]


@pytest.mark.rfc("3261#15")
def test_bye_that_waited_for_an_ack_goes_out_without_it_in_the_end() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.accept(ANSWER, line.now))
    b.does(b.usage.hang_up(line.now))
    line.run(33)
    assert len(puppet.heard("BYE")) >= 1
    all_over(line, b)


@pytest.mark.rfc("3261#15")
def test_bye_can_come_before_the_ack() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.accept(ANSWER, line.now))
    puppet.says(inside(b, "BYE", 2))
    line.run(0.1)
    assert b.kinds() == ["Ended", "Gone"]
    assert len(puppet.heard("200 BYE")) == 1
    all_over(line, b)


@pytest.mark.rfc("3261#14.2")
def test_re_invite_before_the_ack_shows_that_the_2xx_arrived() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.accept(ANSWER, line.now))
    again = invite(body=SDP).with_header("CSeq", "2 INVITE").with_header("To", inside(b, "ACK", 1).get("To"))
    puppet.says(again.with_header("Via", "SIP/2.0/UDP 192.0.2.3:5060;branch=z9hG4bKsecond"))
    line.run(0.1)
    assert b.kinds() == ["Acknowledged", "Reoffered"]
    assert b.heard[0].request is None
    assert b.usage.state is State.CONFIRMED


# --- refusals, CANCEL, BYE ---------------------------------------------------------------------


@pytest.mark.rfc("4028#9")
def test_interval_below_our_floor_is_refused_with_422() -> None:
    asked = invite(("Supported", "timer"), ("Session-Expires", "90"))
    line, b, puppet = rung(asked, SessionPolicy(min_se=600))
    (refused,) = puppet.heard("422 INVITE")
    assert refused.get("Min-SE") == "600"
    all_over(line, b)


def test_refusal_carries_headers_and_reason() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.reject(503, line.now, (("Retry-After", "10"),), "Channels In Use"))
    line.run(0.1)
    (refused,) = puppet.heard("503 INVITE")
    assert (refused.reason, refused.get("Retry-After")) == ("Channels In Use", "10")
    puppet.says(inside(b, "ACK", 1).with_header("Via", "SIP/2.0/UDP 192.0.2.3:5060;branch=z9hG4bKfirst"))
    line.run(0.1)
    assert b.usage.state is State.OVER
    all_over(line, b)


def test_hang_up_before_the_answer_is_a_refusal() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.hang_up(line.now, (("Reason", "Q.850;cause=31"),), 480))
    line.run(0.1)
    assert puppet.heard("480 INVITE")[0].get("Reason") == "Q.850;cause=31"


@pytest.mark.rfc("3261#9.2")
def test_cancel_ends_the_ringing() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.provisional(180, line.now))
    cancel = Request.build(
        "CANCEL",
        "sip:b@192.0.2.2",
        [(n, invite().get(n) or "") for n in ("Via", "From", "To", "Call-ID")] + [("CSeq", "1 CANCEL")],
    )
    puppet.says(cancel)
    puppet.says(cancel)
    line.run(0.1)
    assert len(puppet.heard("200 CANCEL")) == 2
    assert puppet.heard("487 INVITE")[0].to_tag == b.usage.local_tag
    assert b.kinds() == ["Abandoned"]
    all_over(line, b)


@pytest.mark.rfc("3261#15.1.2")
def test_bye_in_the_early_dialog_ends_the_invite_too() -> None:
    line, b, puppet = rung(invite())
    b.does(b.usage.provisional(180, line.now))
    puppet.says(inside(b, "BYE", 2))
    line.run(0.1)
    assert [m for m in line.said() if m.startswith("b ")][-2:] == ["b 200 BYE", "b 487 INVITE"]
    assert b.kinds() == ["Abandoned"]
    all_over(line, b)


def test_commands_after_the_end_say_nothing() -> None:
    line, b, _puppet = rung(invite())
    b.does(b.usage.reject(486, line.now))
    usage, now = b.usage, line.now
    assert usage.provisional(180, now) == []
    assert usage.accept(ANSWER, now) == []
    assert usage.reject(486, now) == []
    assert usage.hang_up(now) == []
    assert usage.accept_again(b"", now) == []
    assert usage.reject_again(488, now) == []


# --- session timers in the 2xx ---------------------------------------------------------------------


@pytest.mark.rfc("4028#9")
def test_2xx_names_interval_and_refresher() -> None:
    line, b, puppet = rung(invite(("Supported", "timer"), ("Session-Expires", "600")))
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    (answer,) = puppet.heard("200 INVITE")
    assert (answer.get("Session-Expires"), answer.get("Require")) == ("600;refresher=uac", "timer")
    assert (answer.get("Server"), answer.get("User-Agent")) == ("Trunkline", None)
    assert answer.get("Supported") == "100rel, timer"
