from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sdp.description import Description
from trunkline.sdp.negotiation import GLARE, NEXT, Event, Glare, Negotiation, State

ONE, TWO, THREE, FOUR = (
    Description.parse(f"v=0\r\no=- {number} 1 IN IP4 192.0.2.{number}\r\ns=-\r\n") for number in (1, 2, 3, 4)
)


def happen(negotiation: Negotiation, event: Event, description: Description = ONE) -> None:
    match event:
        case Event.OFFER_SENT:
            negotiation.offer_sent(description)
        case Event.OFFER_RECEIVED:
            negotiation.offer_received(description)
        case Event.PREVIEW_SENT | Event.ANSWER_SENT:
            negotiation.answer_sent(description, final=event is Event.ANSWER_SENT)
        case Event.PREVIEW_RECEIVED | Event.ANSWER_RECEIVED:
            negotiation.answer_received(description, final=event is Event.ANSWER_RECEIVED)
        case Event.REFUSED:
            negotiation.refused()


def standing(state: State) -> Negotiation:
    negotiation = Negotiation()
    if state is State.LOCAL_OFFER:
        negotiation.offer_sent(ONE)
    elif state is State.REMOTE_OFFER:
        negotiation.offer_received(ONE)
    return negotiation


@pytest.mark.rfc("3264#4")
@pytest.mark.parametrize(("state", "event"), NEXT)
def test_every_edge_of_the_table_is_taken(state: State, event: Event) -> None:
    negotiation = standing(state)
    happen(negotiation, event)
    assert negotiation.state is NEXT[state, event]


@pytest.mark.rfc("3261#14.2")
@pytest.mark.parametrize(("state", "event"), GLARE)
def test_second_offer_is_glare_and_says_what_to_answer(state: State, event: Event) -> None:
    negotiation = standing(state)
    with pytest.raises(Glare) as caught:
        happen(negotiation, event, TWO)
    assert caught.value.status == GLARE[state, event]
    assert caught.value.retry_after is (caught.value.status == 500)
    assert negotiation.state is state
    assert negotiation.open is ONE


@pytest.mark.parametrize(
    ("state", "event"), [(s, e) for s in State for e in Event if (s, e) not in NEXT and (s, e) not in GLARE]
)
def test_answer_to_ones_own_offer_is_an_error(state: State, event: Event) -> None:
    negotiation = standing(state)
    with pytest.raises(ParseError) as caught:
        happen(negotiation, event, TWO)
    assert caught.value.status == 400
    assert negotiation.state is state


def test_offer_in_invite_and_answer_in_200_make_the_session() -> None:
    negotiation = Negotiation()
    negotiation.offer_sent(ONE)
    assert negotiation.open is ONE
    assert negotiation.answer_received(TWO)
    assert (negotiation.local, negotiation.remote) == (ONE, TWO)


@pytest.mark.rfc("3261#13.2.1")
def test_delayed_offer_comes_in_200_and_the_answer_in_ack() -> None:
    negotiation = Negotiation()
    negotiation.offer_received(ONE)
    assert negotiation.answer_sent(TWO)
    assert (negotiation.local, negotiation.remote) == (TWO, ONE)


@pytest.mark.rfc("6337#3.1")
def test_preview_leaves_the_offer_open_and_the_answer_may_differ() -> None:
    caller, called = Negotiation(), Negotiation()
    caller.offer_sent(ONE)
    called.offer_received(ONE)
    assert called.answer_sent(TWO, final=False)
    assert caller.answer_received(TWO, final=False)
    assert caller.preview == called.preview == TWO
    assert called.answer_sent(THREE)
    assert caller.answer_received(THREE)
    assert caller.remote == called.local == THREE


@pytest.mark.rfc("3261#13.2.1")
def test_what_repeats_after_the_answer_is_passed_over() -> None:
    negotiation = Negotiation()
    negotiation.offer_sent(ONE)
    negotiation.answer_received(TWO)
    assert not negotiation.answer_received(THREE)
    assert not negotiation.answer_received(THREE, final=False)
    assert not negotiation.answer_sent(THREE)
    assert (negotiation.local, negotiation.remote, negotiation.preview) == (ONE, TWO, None)


@pytest.mark.rfc("6337#3.4")
def test_refused_offer_leaves_the_session_as_it_was() -> None:
    negotiation = Negotiation()
    negotiation.offer_sent(ONE)
    negotiation.answer_received(TWO)
    negotiation.offer_received(THREE)
    negotiation.refused()
    assert (negotiation.local, negotiation.remote, negotiation.open) == (ONE, TWO, None)
    negotiation.offer_sent(FOUR)
    assert negotiation.state is State.LOCAL_OFFER


@given(st.lists(st.sampled_from(Event), max_size=30))
def test_any_order_of_events_keeps_the_machine_whole(events: list[Event]) -> None:
    negotiation = Negotiation()
    for event in events:
        before = negotiation.state, negotiation.local, negotiation.remote, negotiation.open
        try:
            happen(negotiation, event)
        except ParseError:
            assert before == (negotiation.state, negotiation.local, negotiation.remote, negotiation.open)
        assert (negotiation.open is None) is (negotiation.state is State.STABLE)
        assert negotiation.preview is None or negotiation.open is not None
        assert (negotiation.local is None) is (negotiation.remote is None)
    negotiation.refused()
    assert negotiation.state is State.STABLE
