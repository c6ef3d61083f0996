"""Whom a leg believes: the rules of the latch alone; with packets they are in test_relay."""

from __future__ import annotations

from trunkline.media.latch import LEFTOVERS, Latch

AGREED, NAT, THIEF = ("192.0.2.1", 4000), ("198.51.100.7", 61000), ("203.0.113.9", 9)


def opened() -> Latch:
    latch = Latch()
    latch.reopen(*AGREED, now=0.0)
    return latch


def test_until_somebody_sent_packets_go_where_was_agreed() -> None:
    latch = opened()
    assert latch.target == AGREED
    assert latch.admits(NAT)
    latch.learn(NAT, 0.1)
    assert latch.target == NAT
    assert not latch.admits(THIEF)


def test_an_address_is_compared_as_the_kernel_writes_it() -> None:
    latch = Latch()
    latch.reopen("2001:DB8:0::1", 4000, now=0.0)
    latch.learn(("2001:db8::2", 4000), 0.1)
    assert latch.admits(("2001:db8::1", 4000))
    latch.reopen("no address", 4000, now=0.2)
    assert latch.target == ("no address", 4000)


def test_what_is_admitted_beside_the_source_does_not_move_a_closed_latch() -> None:
    latch = opened()
    latch.learn(NAT, 0.1)
    latch.learn(THIEF, 0.2)
    assert latch.source == NAT
    latch.learn(AGREED, 0.3)
    assert latch.source == AGREED


def test_leftovers_of_who_moved_prove_nothing_for_a_while() -> None:
    latch = opened()
    latch.learn(AGREED, 0.1)
    latch.reopen("192.0.2.5", 4000, now=1.0)
    latch.learn(AGREED, 1.0 + LEFTOVERS / 2)
    assert (latch.open, latch.target) == (True, ("192.0.2.5", 4000))
    latch.learn(AGREED, 1.0 + LEFTOVERS)
    assert (latch.open, latch.target) == (False, AGREED)


def test_a_silent_source_keeps_the_target_and_opens_the_latch() -> None:
    latch = opened()
    latch.learn(NAT, 0.1)
    latch.loosen()
    assert latch.target == NAT
    assert latch.admits(THIEF)


def test_on_another_port_nobody_is_known() -> None:
    latch = opened()
    latch.learn(NAT, 0.1)
    latch.forget()
    assert (latch.source, latch.open, latch.target) == (None, True, AGREED)
