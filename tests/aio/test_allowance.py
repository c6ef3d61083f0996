"""The token bucket for each source."""

from __future__ import annotations

from trunkline.aio.allowance import Allowance


def test_a_burst_passes_then_only_the_rate() -> None:
    allowance = Allowance(10.0, 3.0)
    assert [allowance.takes("192.0.2.1", 0.0) for _ in range(5)] == [True, True, True, False, False]
    assert allowance.takes("192.0.2.1", 0.1)
    assert not allowance.takes("192.0.2.1", 0.1)


def test_a_quiet_source_saves_up_no_more_than_the_burst() -> None:
    allowance = Allowance(10.0, 2.0)
    allowance.takes("192.0.2.1", 0.0)
    assert [allowance.takes("192.0.2.1", 1000.0) for _ in range(3)] == [True, True, False]


def test_one_source_does_not_spend_another_s_allowance() -> None:
    allowance = Allowance(1.0, 1.0)
    assert allowance.takes("192.0.2.1", 0.0)
    assert not allowance.takes("192.0.2.1", 0.0)
    assert allowance.takes("192.0.2.2", 0.0)


def test_many_sources_cost_bounded_memory() -> None:
    allowance = Allowance(1.0, 1.0, sources=100)
    for number in range(1000):
        allowance.takes(f"2001:db8::{number:x}", 0.0)
    assert len(allowance) <= 100
    assert not allowance.takes("2001:db8::3e7", 0.0)  # the newest is still remembered
