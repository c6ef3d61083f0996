"""The demo as data: what a user dials, what is listened for, what each call should come to."""

from __future__ import annotations

from typing import Any

import pytest
from tests.example_site import INTERNET, TEXT, edited

from trunkline.lab.scenarios import (
    ACTS,
    SECURED_ACTS,
    Act,
    Loss,
    Unplayable,
    acts_of,
    answering,
    cast,
    dialled,
    listening_for,
    wanted,
)
from trunkline.site.load import load
from trunkline.site.model import Site


def example(changes: dict[str, Any] | None = None) -> Site:
    site = load(edited(changes) if changes else TEXT, "site.yaml").site
    assert site is not None
    return site


@pytest.mark.parametrize(
    ("number", "keys"),
    [
        ("+33199009001", "00199009001"),  # outside line, national prefix, number
        ("+493012345678", "000493012345678"),  # outside line, international prefix, number
        ("112", "0112"),
    ],
)
def test_what_a_user_dials_for_a_public_number(number: str, keys: str) -> None:
    assert dialled(example().numbering, number) == keys


def test_the_example_has_all_that_the_demo_needs() -> None:
    cast(example())
    assert [known.number for known in answering(example())] == ["+33199009001", "+33639980007"]


def test_a_site_that_lacks_something_is_told_what() -> None:
    site = example()
    bare = site.model_copy(update={"users": site.users[:1]})
    with pytest.raises(Unplayable, match=r"at least 2 users with a DDI \(there: 1\)"):
        cast(bare)
    silent = site.model_copy(update={"carrier": site.carrier.model_copy(update={"subscribers": ()})})
    with pytest.raises(Unplayable, match=r"2 subscribers that answer \(there: 0\)"):
        cast(silent)


def test_tones_too_near_to_be_told_apart_are_not_listened_for() -> None:
    assert listening_for(425, (425, 440, 850, 850)) == (425, 850)


@pytest.mark.parametrize("acts", [ACTS, SECURED_ACTS])
def test_the_nominal_sbc_is_lost_in_three_ways_with_a_call_up_and_a_new_one_after(
    acts: tuple[Act, ...],
) -> None:
    losses = [act for act in acts if act.loss is not Loss.NONE]
    assert {act.loss for act in losses} == {Loss.UNAVAILABLE, Loss.STOPPED, Loss.KILLED}
    for act in losses:
        assert act.call.gateway == 0
        assert act.meanwhile is not None
        assert act.meanwhile.gateway == 1


def test_what_each_call_should_come_to() -> None:
    site = example({"timers": {"t1": "0.1"}})
    by_loss = {act.loss: act for act in ACTS}
    stopped = wanted(by_loss[Loss.STOPPED], by_loss[Loss.STOPPED].call, 425, 620, site)
    assert (stopped.silence, stopped.cause, stopped.gateway) == (True, 41, "nominal")
    assert stopped.freed_within == pytest.approx(7.4)
    assert stopped.sealed == ""
    refused = by_loss[Loss.UNAVAILABLE]
    assert wanted(refused, refused.call, 425, 620, site).goes_on == "the 503"
    assert refused.meanwhile is not None
    new = wanted(refused, refused.meanwhile, 440, 700, site)
    assert (new.gateway, new.goes_on, new.silence, new.cause) == ("backup", "", False, 16)


def test_over_the_internet_a_call_outlives_its_sbcs_signalling_and_is_sealed() -> None:
    site = load(INTERNET.read_text("utf-8"), "site.yaml").site
    assert site is not None
    assert acts_of(site) is SECURED_ACTS
    by_loss = {act.loss: act for act in SECURED_ACTS}
    stopped = wanted(by_loss[Loss.STOPPED], by_loss[Loss.STOPPED].call, 425, 620, site, 700)
    assert (stopped.goes_on, stopped.far_again, stopped.silence) == ("the stop", 700, False)
    assert stopped.sealed == "sbc1.business-talk-ip.orange-business.com"
    killed = wanted(by_loss[Loss.KILLED], by_loss[Loss.KILLED].call, 425, 620, site)
    assert (killed.goes_on, killed.silence, killed.cause) == ("", True, 41)
