"""The E-model against the figures that ITU-T publishes for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.media.quality import CONCEALED, IMPAIRMENT, burst_ratio, mos, rating


def test_the_default_values_give_93_2() -> None:
    assert rating() == pytest.approx(93.2, abs=0.05)  # G.107 Table 3
    assert mos(rating()) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(
    ("r", "score"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)]
)  # G.107 Table B.1
def test_the_scores_of_the_guidance_table(r: float, score: float) -> None:
    assert mos(r) == pytest.approx(score, abs=0.01)


@pytest.mark.parametrize(("r", "score"), [(-10, 1), (0, 1), (100, 4.5), (120, 4.5)])
def test_scores_end_where_the_scale_ends(r: float, score: float) -> None:
    assert mos(r) == score


@pytest.mark.parametrize(
    ("delay", "least", "most"), [(100, 90, 92), (150, 88, 91), (250, 77, 82), (400, 58, 66)]
)
def test_delay_costs_little_up_to_150_ms_and_much_from_there(delay: float, least: float, most: float) -> None:
    assert least < rating(delay) < most


def test_g711_with_one_percent_lost_falls_by_the_published_figures() -> None:
    assert rating(loss=1) == pytest.approx(rating() - 95 / 5.3, abs=0.001)  # Ppl / (Ppl + 4.3), G.113
    assert rating(loss=1, impairment=CONCEALED) == pytest.approx(rating() - 95 / 26.1, abs=0.001)
    assert rating(impairment=IMPAIRMENT["G729"]) == pytest.approx(rating() - 11)


def test_bursts_are_worse_than_random_loss() -> None:
    assert rating(loss=3, burst=2) < rating(loss=3)


@pytest.mark.parametrize(
    ("expected", "lost", "gaps", "ratio"),
    [(100, 0, 0, 1), (100, 10, 10, 1), (100, 10, 2, 4.5), (100, 100, 1, 1), (0, 0, 0, 1)],
)
def test_the_burst_ratio_is_one_for_single_losses_and_grows_with_runs(
    expected: int, lost: int, gaps: int, ratio: float
) -> None:
    assert burst_ratio(expected, lost, gaps) == pytest.approx(ratio)


@given(st.floats(0, 5000), st.floats(0, 100), st.floats(1, 20))
def test_every_call_has_a_score(delay: float, loss: float, burst: float) -> None:
    assert 1 <= mos(rating(delay, loss, burst)) <= 4.5
