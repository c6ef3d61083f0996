"""Erlang B against published tables, and by its properties."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.plan import erlang

# The Erlang B loss table of the handbooks (ITU-D SG 2/16, "Teletraffic Engineering Handbook"; Rappaport,
# "Wireless Communications", table 3.4): traffic in Erlang by channels and blocking, to three figures.
PUBLISHED = [
    # channels, 0.1 %, 1 %, 2 %, 5 %
    (1, 0.001, 0.0101, 0.0204, 0.0526),
    (2, 0.0458, 0.153, 0.223, 0.381),
    (5, 0.762, 1.36, 1.66, 2.22),
    (10, 3.09, 4.46, 5.08, 6.22),
    (20, 9.41, 12.0, 13.2, 15.2),
    (30, 16.7, 20.3, 21.9, 24.8),
    (50, 32.5, 37.9, 40.3, 44.5),
    (100, 75.2, 84.1, 88.0, 95.2),
]
SHARES = (0.001, 0.01, 0.02, 0.05)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row[0]} channels")
def test_the_published_table(row: tuple[float, ...]) -> None:
    for share, printed in zip(SHARES, row[1:], strict=True):
        found = erlang.traffic(int(row[0]), share)
        assert float(f"{found:.3g}") == pytest.approx(printed, rel=0.006), share


@pytest.mark.parametrize(
    ("channels", "traffic"), [(10, 4.461), (20, 12.03), (30, 20.34), (50, 37.90), (100, 84.06)]
)
def test_one_per_cent_to_four_figures(channels: int, traffic: float) -> None:
    assert float(f"{erlang.traffic(channels, 0.01):.4g}") == traffic
    assert erlang.channels(traffic - 0.01, 0.01) == channels


def test_it_is_the_formula_that_defines_it() -> None:
    for channels, traffic in ((1, 1), (7, 3), (25, 40), (60, 45)):
        terms = [Fraction(traffic) ** count / factorial(count) for count in range(channels + 1)]
        assert erlang.blocking(traffic, channels) == pytest.approx(float(terms[-1] / sum(terms)), rel=1e-12)


@given(traffic=st.floats(0, 300), channels=st.integers(0, 300))
def test_more_channels_block_less_and_more_traffic_blocks_more(traffic: float, channels: int) -> None:
    here = erlang.blocking(traffic, channels)
    assert 0 <= here <= 1
    assert erlang.blocking(traffic, channels + 1) <= here
    assert erlang.blocking(traffic + 1, channels) >= here


@given(traffic=st.floats(0.001, 300), most=st.floats(0.0001, 0.9))
def test_as_many_channels_as_needed_and_not_one_more(traffic: float, most: float) -> None:
    channels = erlang.channels(traffic, most)
    assert erlang.blocking(traffic, channels) <= most
    assert channels > 0
    assert erlang.blocking(traffic, channels - 1) > most


@given(channels=st.integers(1, 300), most=st.floats(0.0001, 0.9))
def test_traffic_is_the_inverse_of_channels(channels: int, most: float) -> None:
    traffic = erlang.traffic(channels, most)
    assert erlang.blocking(traffic, channels) <= most
    assert erlang.channels(traffic * 0.999999, most) == channels
    assert erlang.channels(traffic * 1.000001, most) == channels + 1


def test_the_curve_is_blocking_channel_by_channel() -> None:
    assert erlang.curve(13, 30) == tuple(erlang.blocking(13, count) for count in range(31))


def test_the_ends() -> None:
    assert erlang.blocking(5, 0) == 1
    assert erlang.blocking(0, 3) == 0
    assert erlang.channels(0, 0.01) == 1
    assert erlang.traffic(0, 0.01) == 0
    assert 0 < erlang.blocking(erlang.TRAFFIC_MAX, 9_000) < 1
    assert erlang.channels(erlang.TRAFFIC_MAX, erlang.BLOCKING_MIN) < erlang.CHANNELS_MAX


@pytest.mark.parametrize("wrong", [(-1.0, 1), (float("nan"), 1), (float("inf"), 1), (1.0, -1), (1.0, 10**6)])
def test_what_is_out_of_bounds_is_refused(wrong: tuple[float, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        erlang.blocking(*wrong)


@pytest.mark.parametrize("wrong", [0, 1, -0.1, float("nan")])
def test_a_blocking_that_is_no_share_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        erlang.channels(1, wrong)
    with pytest.raises(ValueError, match="expected"):
        erlang.traffic(1, wrong)
