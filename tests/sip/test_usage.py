"""What the rooms of an INVITE usage share: BYE, INFO, OPTIONS; and any order of it all."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.line import ANSWER, SDP, UserAgent, all_over, pair, talking

from trunkline.sip.session import SessionPolicy
from trunkline.sip.usage import (
    NEXT,
    Ended,
    Informed,
    InviteUsage,
    ReofferDue,
    Reoffered,
    State,
)


@pytest.mark.rfc("3261#15.1")
@pytest.mark.parametrize("caller", [True, False])
def test_bye_ends_the_call_on_both_sides(caller: bool) -> None:
    line, a, b = talking()
    ender, other = (a, b) if caller else (b, a)
    line.lose("BYE")
    ender.does(ender.usage.hang_up(line.now, (("Reason", "Q.850;cause=16"),)))
    line.run(1)
    assert line.said() == [f"{ender.name} BYE", f"{ender.name} BYE", f"{other.name} 200 BYE"]
    assert other.kinds() == ["Ended", "Gone"]
    (ended, _) = other.heard
    assert (ended.by, ended.request.get("Reason")) == ("remote", "Q.850;cause=16")
    assert ender.kinds() == ["Gone"]
    all_over(line, a, b)


@pytest.mark.rfc("3261#15.1.1")
def test_bye_without_an_answer_ends_the_call_after_64_t1() -> None:
    line, a, _b = talking()
    line.lose("BYE", 99)
    a.does(a.usage.hang_up(line.now))
    line.run(31)
    assert a.heard == []
    line.run(2)
    assert a.kinds() == ["Gone"]
    assert a.endpoint.idle


@pytest.mark.rfc("3261#15")
def test_byes_that_cross_end_the_call_once_on_each_side() -> None:
    line, a, b = talking()
    for agent in (a, b):
        agent.does(agent.usage.hang_up(line.now))
    line.run(1)
    assert sorted(line.said()) == ["a 200 BYE", "a BYE", "b 200 BYE", "b BYE"]
    assert (a.kinds(), b.kinds()) == (["Gone"], ["Gone"])
    all_over(line, a, b)


@pytest.mark.rfc("3261#22.2")
def test_challenged_bye_is_sent_again_once() -> None:
    line, a, b = pair()
    a.call(b, authorize=lambda response, request: (("Authorization", 'Digest username="a"'),))
    line.run(0.1)
    b.does(b.usage.accept(ANSWER, line.now))
    line.run(0.1)
    real = b.usage.hear

    def challenging(event: Any, now: float) -> list[Any]:
        if getattr(getattr(event, "request", None), "method", "") == "BYE":
            return b.endpoint.reply(event.transaction, 401, now)
        return real(event, now)

    assert b.usage.dialog is not None
    b.usage.dialog.owner = type("Strict", (), {"hear": staticmethod(challenging)})()
    a.does(a.usage.hang_up(line.now))
    line.run(1)
    assert [m.get("Authorization") for m in line.all("BYE")] == [None, 'Digest username="a"']
    assert a.kinds()[-1] == "Gone"


@pytest.mark.rfc("3261#12.2.2")
def test_requests_after_the_end_get_481() -> None:
    line, a, b = talking()
    dialog = a.usage.dialog
    assert dialog is not None
    line.hold("b BYE")
    b.does(b.usage.hang_up(line.now))
    a.does(a.usage.hang_up(line.now))
    line.run(1)
    line.release("b BYE")
    line.clear()
    a.does(a.usage.ask(dialog, "INFO", (), line.now)[1])
    line.run(1)
    assert line.said("481 INFO") == ["b 481 INFO"]


@pytest.mark.rfc("6086#4")
def test_info_is_told_and_answered() -> None:
    line, a, b = talking()
    b.on[Informed] = lambda event: event.usage.answer_info(event.transaction, 200, b.now)
    a.does(a.usage.inform(b"Signal=5\r\nDuration=160\r\n", "application/dtmf-relay", line.now))
    line.run(1)
    assert line.said() == ["a INFO", "b 200 INFO"]
    assert line.last("INFO").get("Content-Type") == "application/dtmf-relay"
    assert (a.heard[0].status, b.heard[0].request.body) == (200, b"Signal=5\r\nDuration=160\r\n")


def test_info_outside_a_call_that_stands_is_refused_at_once() -> None:
    line, a, b = pair()
    a.call(b)
    line.run(0.1)
    a.does(a.usage.inform(b"", "text/plain", line.now))
    assert a.heard[-1].status == 481
    assert line.said("INFO") == []


def test_lost_info_is_a_408() -> None:
    line, a, _b = talking()
    line.lose("INFO", 99)
    a.does(a.usage.inform(b"", "text/plain", line.now))
    line.run(33)
    assert [e.status for e in a.heard] == [408]


@pytest.mark.rfc("3261#11.2")
def test_options_inside_a_dialog_are_answered_by_it() -> None:
    line, a, b = talking()
    assert a.usage.dialog is not None
    a.does(a.usage.ask(a.usage.dialog, "OPTIONS", (), line.now)[1])
    line.run(1)
    answer = line.last("200 OPTIONS")
    assert (answer.get("Allow"), answer.get("Supported")) == (b.endpoint.allow, "100rel, timer")
    assert a.heard == b.heard == []


@pytest.mark.rfc("3261#8.2.1")
def test_method_that_belongs_to_no_call_gets_405() -> None:
    line, a, b = talking()
    assert a.usage.dialog is not None
    object.__setattr__(b.endpoint.settings, "methods", (*b.endpoint.settings.methods, "REGISTER"))
    a.does(a.usage.ask(a.usage.dialog, "REGISTER", (), line.now)[1])
    line.run(1)
    assert line.last("405 REGISTER").get("Allow") == b.endpoint.allow


def test_event_that_is_none_is_a_programming_error() -> None:
    _, a, _ = talking()
    with pytest.raises(TypeError, match="str is no event"):
        a.usage.hear("ring", 0.0)


def test_usage_that_never_began_has_nothing_to_end() -> None:
    _, a, _ = pair()
    usage = InviteUsage(a.endpoint, a, SessionPolicy())
    assert usage.hang_up(0.0) == []
    assert usage.deadline() is None
    assert usage.expire(0.0) == []
    assert usage.own_headers(a.flow_to(a), "Server", "timer")[0] == ("Contact", "<sip:192.0.2.1:5060>")


def test_nothing_in_an_ended_call_wakes_up_again() -> None:
    line, a, _b = talking()
    a.does(a.usage.hang_up(line.now))
    line.run(1)
    line.clear()
    line.run(4000)
    assert line.said() == []
    assert a.usage.deadline() is None


# --- any order of events ---------------------------------------------------------------------------

COMMANDS = st.sampled_from(
    ["ring", "early", "accept", "reject", "a hangs up", "b hangs up", "a reoffers", "b reoffers", "a empty"]
)
STEPS = st.lists(st.tuples(COMMANDS, st.floats(0, 3), st.booleans()), min_size=1, max_size=14)
LOSSES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "INVITE",
                "ACK",
                "CANCEL",
                "BYE",
                "PRACK",
                "UPDATE",
                "200 INVITE",
                "487 INVITE",
                "200 BYE",
                "100 INVITE",
            ]
        ),
        st.integers(1, 12),
    ),
    max_size=5,
)


def again(agent: UserAgent, body: bytes, event: ReofferDue) -> list[Any]:
    return event.usage.reoffer(body, agent.now)


def taken(agent: UserAgent, body: bytes, event: Reoffered) -> list[Any]:
    return event.usage.accept_again(body, agent.now)


def command(name: str, a: UserAgent, b: UserAgent) -> None:
    now = a.now
    match name:
        case "ring":
            b.does(b.usage.provisional(180, now))
        case "early":
            b.does(b.usage.provisional(183, now, ANSWER))
        case "accept":
            b.does(b.usage.accept(ANSWER, now))
        case "reject":
            b.does(b.usage.reject(486, now))
        case "a hangs up":
            a.does(a.usage.hang_up(now))
        case "b hangs up":
            b.does(b.usage.hang_up(now))
        case "a reoffers":
            a.does(a.usage.reoffer(SDP, now))
        case "b reoffers":
            b.does(b.usage.reoffer(ANSWER, now))
        case "a empty":
            a.does(a.usage.reoffer(b"", now))


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, losses=LOSSES, delayed=st.booleans(), accepts=st.booleans())
def test_any_order_of_events_ends_clean(
    steps: list[tuple[str, float, bool]], losses: list[tuple[str, int]], delayed: bool, accepts: bool
) -> None:
    line, a, b = pair()
    for agent, body in ((a, SDP), (b, ANSWER)):
        agent.on[ReofferDue] = partial(again, agent, body)
        if accepts:
            agent.on[Reoffered] = partial(taken, agent, body)
    a.call(b, b"" if delayed else SDP)
    line.run(0.1)
    for words, times in losses:
        line.lose(words, times)
    for name, pause, acknowledge in steps:
        command(name, a, b)
        line.run(pause)
        if acknowledge:
            a.does(a.usage.acknowledge(ANSWER, line.now))
            b.does(b.usage.acknowledge(ANSWER, line.now))
    for agent in (a, b):
        agent.does(agent.usage.hang_up(line.now))
    line.run(200)
    for agent in (a, b):
        assert agent.usage.state is State.OVER
        assert agent.endpoint.idle, agent.endpoint.remains()
        assert agent.deadline() is None
        ends = [
            type(e).__name__ for e in agent.heard if type(e).__name__ in ("Gone", "Rejected", "Abandoned")
        ]
        if agent is a or ends:
            assert len(ends) == 1  # one end, told once
        assert len([e for e in agent.heard if isinstance(e, Ended)]) <= 1


def test_every_state_of_the_table_leads_to_the_end() -> None:
    ends = {State.OVER}
    for _ in State:
        ends |= {state for (state, _), after in NEXT.items() if after in ends}
    assert ends == set(State)
    assert State.OVER not in {state for state, _ in NEXT}
