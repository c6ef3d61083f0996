"""A call that is over is freed at once, without the collector, whoever ended it and however."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from tests.pbx.office import Office
from tests.pbx.test_call_incoming import answered

from trunkline.call.leg import Leg
from trunkline.pbx.call import Call


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _kept(kind: type) -> int:
    return sum(type(item) is kind for item in gc.get_objects())


def test_answered_call_leaves_no_leg_behind_while_its_transactions_linger() -> None:
    calls, legs = _kept(Call), _kept(Leg)
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = answered(office, call, phone)
    bell.byes()
    call.hears_bye()
    assert office.node.endpoint.remains()["server transactions"] > 0
    assert (_kept(Call), _kept(Leg)) == (calls, legs)


def test_refused_call_leaves_no_leg_behind() -> None:
    calls, legs = _kept(Call), _kept(Leg)
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    phone.rung().says(486)
    phone.hears("ACK")
    call.acks(call.peer.hears(486))
    assert (_kept(Call), _kept(Leg)) == (calls, legs)


def test_lingering_transactions_keep_no_more_of_a_request_than_a_late_fork_needs() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = answered(office, call, phone)
    bell.byes()
    call.hears_bye()
    kept = [*office.node.endpoint._clients.values(), *office.node.endpoint._servers.values()]
    assert kept
    assert all(len(transaction.request.fields) <= 1 for transaction in kept)
