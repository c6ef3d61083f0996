"""A gateway goes down quickly and comes back slowly (domain 1.3, 1.4; acceptance A and H)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.playbook import Playbook, report, watched

from trunkline.call.watch import (
    OPTIONS_SPACING,
    RETRY_AFTER_MAX,
    Changed,
    Failure,
    Health,
    PeerWatch,
    SendOptions,
)
from trunkline.site.gateway import Supervision

UP, DOWN, RETURNING, UNKNOWN = Health.UP, Health.DOWN, Health.RETURNING, Health.UNKNOWN


def watch(**knobs: Any) -> Playbook[PeerWatch]:
    return Playbook(PeerWatch(1, Supervision(**knobs), 0.0))


def up(**knobs: Any) -> Playbook[PeerWatch]:
    """A gateway that answered its first OPTIONS at 0 s."""
    play = watch(**knobs)
    play.after(0, SendOptions(1, 1))
    play.does(play.machine.answered, (200, 0, play.now), Changed(1, UP, "200 to OPTIONS"))
    return play


def down(**knobs: Any) -> Playbook[PeerWatch]:
    """A gateway that was up, and whose two calls at 0 s found nobody; its next OPTIONS is at 30 s."""
    play = up(**knobs)
    play.does(play.machine.call_failed, (Failure.TIMEOUT, 0, play.now))
    why = "no answer to INVITE, 2 in a row"
    play.does(play.machine.call_failed, (Failure.TIMEOUT, 0, play.now), Changed(1, DOWN, why))
    return play


def returning(**knobs: Any) -> Playbook[PeerWatch]:
    """The same, having answered at 30 s again; its hold-down ends at 60 s."""
    play = down(**knobs)
    play.after(30, SendOptions(1, 2))
    why = "200 to OPTIONS; takes calls after 30 s and 2 good answers"
    play.does(play.machine.answered, (200, 0, play.now), Changed(1, RETURNING, why))
    return play


# --- OPTIONS ------------------------------------------------------------------------------


def test_first_options_is_sent_at_once_and_nobody_waits_for_its_answer() -> None:
    play = watch()
    assert play.machine.usable
    assert play.machine.why == "not heard of yet"
    play.after(0, SendOptions(1, 1))


def test_gateway_in_service_is_asked_each_minute() -> None:
    play = up()
    assert play.machine.usable
    play.after(59.9)
    play.after(0.2, SendOptions(1, 2))
    play.does(play.machine.answered, (200, 0, play.now))
    play.after(60, SendOptions(1, 3))


@pytest.mark.parametrize("status", [200, 202, 401, 404, 405, 407, 483, 501])
def test_any_answer_of_a_living_peer_is_good(status: int) -> None:
    play = watch()
    play.after(0, SendOptions(1, 1))
    play.does(play.machine.answered, (status, 0, 0.1), Changed(1, UP, f"{status} to OPTIONS"))


@pytest.mark.parametrize("status", [408, 503, 504, 403, 500])
def test_two_bad_answers_take_it_out_of_service(status: int) -> None:
    play = up()
    play.after(60, SendOptions(1, 2))
    play.does(play.machine.answered, (status, 0, play.now))
    assert play.machine.usable
    play.after(OPTIONS_SPACING, SendOptions(1, 3))
    why = f"{status} to OPTIONS, 2 in a row"
    play.does(play.machine.answered, (status, 0, play.now), Changed(1, DOWN, why))
    assert not play.machine.usable
    play.after(29.9)
    play.after(0.1, SendOptions(1, 4))


def test_silence_takes_it_out_of_service() -> None:
    play = up()
    play.after(60, SendOptions(1, 2))
    play.after(4)
    assert play.machine.failures == 1
    play.after(6, SendOptions(1, 3))
    play.after(4, Changed(1, DOWN, "no answer to OPTIONS, 2 in a row"))


def test_transport_error_counts_at_once() -> None:
    play = watch(down_after=1)
    play.after(0, SendOptions(1, 1))
    why = "unreachable: connection refused"
    play.does(play.machine.unreachable, ("connection refused", 0.0), Changed(1, DOWN, why))


def test_one_good_answer_between_two_failures_keeps_it_up() -> None:
    play = up()
    play.after(64, SendOptions(1, 2))
    play.after(6, SendOptions(1, 3))
    play.does(play.machine.answered, (200, 0, play.now))
    play.after(64, SendOptions(1, 4))
    assert play.machine.health is UP


def test_failure_is_counted_once_however_often_it_is_told() -> None:
    play = up()
    play.after(64, SendOptions(1, 2))  # its own timeout counted it
    for told in (play.machine.unanswered, play.machine.unanswered):
        play.does(told, (play.now, 2))
    play.does(play.machine.answered, (408, 0, play.now, 2))
    play.after(6, SendOptions(1, 3))
    play.does(play.machine.unreachable, ("an old one", play.now, 2))
    assert play.machine.failures == 1


def test_late_good_answer_is_still_good() -> None:
    play = up()
    play.after(64, SendOptions(1, 2))
    play.does(play.machine.answered, (200, 0, play.now, 2))
    assert play.machine.failures == 0


def test_no_options_where_the_knob_is_off() -> None:
    play = watch(options=False)
    play.after(1000)
    assert play.machine.usable


# --- Retry-After --------------------------------------------------------------------------


@pytest.mark.rfc("3261#21.5.4")
def test_one_503_with_retry_after_is_down_and_left_alone_for_that_time() -> None:
    play = up()
    play.after(60, SendOptions(1, 2))
    why = "503 to OPTIONS, Retry-After 120 s"
    play.does(play.machine.answered, (503, 120, play.now), Changed(1, DOWN, why))
    play.does(play.machine.call_answered, (play.now,))  # an emergency call went through all the same
    play.after(119.9)
    play.after(0.1, SendOptions(1, 3))


@pytest.mark.rfc("3261#21.5.4")
def test_503_to_a_call_with_retry_after_is_down_too() -> None:
    play = up()
    play.does(
        play.machine.call_failed, (503, 7.0, play.now), Changed(1, DOWN, "503 to INVITE, Retry-After 7 s")
    )


def test_endless_retry_after_is_cut_to_an_hour() -> None:
    play = up()
    why = "503 to INVITE, Retry-After 1e+09 s"
    play.does(play.machine.call_failed, (503, 1e9, play.now), Changed(1, DOWN, why))
    play.after(RETRY_AFTER_MAX, SendOptions(1, 2))


# --- calls ----------------------------------------------------------------------------------


def test_silent_calls_take_it_out_of_service() -> None:
    assert down().machine.health is DOWN


def test_unreachable_call_makes_doubt_and_the_next_options_comes_early() -> None:
    play = up()
    play.after(20)
    play.does(play.machine.call_failed, (Failure.UNREACHABLE, 0, play.now))
    play.after(0, SendOptions(1, 2))


@pytest.mark.rfc("3261#21.5.4")
def test_503_to_a_call_without_retry_after_asks_but_does_not_condemn() -> None:
    play = up()
    for _ in range(3):
        play.does(play.machine.call_failed, (503, 0, play.now))
    assert play.machine.usable
    play.after(OPTIONS_SPACING, SendOptions(1, 2))
    play.does(play.machine.answered, (200, 0, play.now))
    play.after(60, SendOptions(1, 3))


@pytest.mark.parametrize("status", [404, 408, 486, 500, 502, 504, 603])
def test_other_refusals_of_a_call_say_nothing_about_the_gateway(status: int) -> None:
    play = up()
    for _ in range(3):
        play.does(play.machine.call_failed, (status, 0, play.now))
    assert play.machine.failures == 0


def test_answered_call_is_as_good_as_an_answer_to_options() -> None:
    play = watch(options=False)
    play.does(play.machine.call_answered, (1.0,), Changed(1, UP, "calls go through"))


# --- return ---------------------------------------------------------------------------------


def test_it_takes_calls_again_after_hold_down_and_enough_good_answers() -> None:
    play = returning()
    assert not play.machine.usable
    play.after(29.9)
    play.after(0.1, SendOptions(1, 3))
    why = "back: 30 s without a failure"
    play.does(play.machine.answered, (200, 0, play.now), Changed(1, UP, why))
    assert play.machine.status(play.now + 5) == {"health": "up", "why": why, "for": 5.0}


def test_hold_down_is_waited_out_although_answers_are_good() -> None:
    play = down(every_down=2.0)
    play.after(0)
    play.after(2, SendOptions(1, 2))
    why = "200 to OPTIONS; takes calls after 30 s and 2 good answers"
    play.does(play.machine.answered, (200, 0, play.now), Changed(1, RETURNING, why))
    for probe in range(3, 17):
        play.after(2, SendOptions(1, probe))
        play.does(play.machine.answered, (200, 0, play.now))
    play.after(2, Changed(1, UP, "back: 30 s without a failure"))


def test_a_failure_while_it_returns_begins_the_hold_down_anew() -> None:
    play = returning()
    play.after(34, SendOptions(1, 3), Changed(1, DOWN, "no answer to OPTIONS"))
    play.after(26, SendOptions(1, 4))
    why = "200 to OPTIONS; takes calls after 30 s and 2 good answers"
    play.does(play.machine.answered, (200, 0, play.now), Changed(1, RETURNING, why))


def test_no_hold_down_means_back_at_once() -> None:
    play = down(hold_down=0.0, up_after=1)
    play.after(30, SendOptions(1, 2))
    said = play.machine.answered(200, 0, play.now)
    assert [event.health for event in said] == [RETURNING, UP]


def test_without_options_calls_try_again_after_the_hold_down() -> None:
    play = watch(options=False, down_after=1)
    play.does(play.machine.call_failed, (Failure.TIMEOUT, 0, 0.0), Changed(1, DOWN, "no answer to INVITE"))
    play.does(play.machine.call_failed, (Failure.TIMEOUT, 0, 0.0))
    why = "tried again after: no answer to INVITE, 2 in a row"
    play.after(30, Changed(1, UNKNOWN, why))
    assert play.machine.usable


def test_without_options_one_call_that_goes_through_brings_it_back_after_the_hold_down() -> None:
    """Nobody asks it a second time: calls only go to one that is up."""
    play = watch(options=False, down_after=1)
    play.does(
        play.machine.call_failed, (Failure.TIMEOUT, 0, play.now), Changed(1, DOWN, "no answer to INVITE")
    )
    why = "calls go through; takes calls after 30 s and 2 good answers"
    play.does(play.machine.call_answered, (play.now,), Changed(1, RETURNING, why))
    play.after(29.9)
    play.after(0.1, Changed(1, UP, "back: 30 s without a failure"))


# --- any order ------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.floats(0, 40),
        st.sampled_from(["good", "bad", "rest", "silent", "broken", "call lost", "call good", "call 503"]),
    ),
    max_size=60,
)


def act(machine: PeerWatch, what: str, now: float) -> list[Any]:
    match what:
        case "good":
            return list(machine.answered(200, 0, now))
        case "bad":
            return list(machine.answered(503, 0, now))
        case "rest":
            return list(machine.answered(503, 20, now))
        case "silent":
            return list(machine.unanswered(now))
        case "broken":
            return list(machine.unreachable("refused", now))
        case "call lost":
            return list(machine.call_failed(Failure.TIMEOUT, 0, now))
        case "call 503":
            return list(machine.call_failed(503, 20, now))
        case _:
            return list(machine.call_answered(now))


@given(STEPS, st.booleans(), st.integers(1, 3), st.integers(1, 3))
def test_it_never_returns_twice_within_a_hold_down(
    steps: list[tuple[float, str]], options: bool, down_after: int, up_after: int
) -> None:
    knobs = Supervision(options=options, down_after=down_after, up_after=up_after)
    machine, now, returns, sent = PeerWatch(1, knobs, 0.0), 0.0, [-knobs.hold_down], [-OPTIONS_SPACING]
    before = machine.health
    for wait, what in steps:
        end = now + wait
        while (due := machine.deadline()) is not None and due <= end:
            now = max(now, due)
            note(machine.expire(now), now, returns, sent)
            left = machine.deadline()
            assert left is None or left > now or machine.health is not before, "woken for nothing"
            before = machine.health
        now = end
        note(act(machine, what, now), now, returns, sent)
        before = machine.health
    assert all(later - earlier >= knobs.hold_down - 1e-6 for earlier, later in pairwise(returns))
    assert all(later - earlier >= OPTIONS_SPACING - 1e-6 for earlier, later in pairwise(sent))
    assert machine.why


def note(events: list[Any], now: float, returns: list[float], sent: list[float]) -> None:
    """Keep the times of returns to service (the first time up is none) and of OPTIONS."""
    for event in events:
        if isinstance(event, SendOptions):
            sent.append(now)
        elif event.health is Health.UP and "without a failure" in event.why:
            returns.append(now)


def test_every_edge_of_the_table_is_taken() -> None:
    with watched([PeerWatch]) as tables:
        test_no_hold_down_means_back_at_once()
        test_a_failure_while_it_returns_begins_the_hold_down_anew()
        test_without_options_calls_try_again_after_the_hold_down()
    assert not tables["PeerWatch"].untaken, report(tables)
