"""The tables against the values that ITU-T G.711 prints."""

from __future__ import annotations

import pytest

from trunkline.media.g711 import A_LAW, MU_LAW, Law


@pytest.mark.parametrize(
    ("code", "sample"),
    [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0xC5, 264), (0xF5, 528), (0x80, 5504)],
)
def test_a_law_decodes_to_the_middle_of_its_steps(code: int, sample: int) -> None:
    assert A_LAW.samples[code] == sample


@pytest.mark.parametrize(("code", "sample"), [(0xFF, 0), (0x7F, 0), (0x80, 32124), (0x00, -32124), (0xFE, 8)])
def test_mu_law_decodes_to_the_middle_of_its_steps(code: int, sample: int) -> None:
    assert MU_LAW.samples[code] == sample


@pytest.mark.parametrize("law", [A_LAW, MU_LAW], ids=lambda law: str(law.name))
def test_a_code_survives_its_sample(law: Law) -> None:
    for code in range(256):
        if (law, code) != (MU_LAW, 0x7F):  # minus zero: plus zero is sent for it
            assert law.code(law.samples[code]) == code


@pytest.mark.parametrize("law", [A_LAW, MU_LAW], ids=lambda law: str(law.name))
def test_every_sample_comes_back_within_its_step(law: Law) -> None:
    for sample in range(-32768, 32768, 7):
        error = abs(law.samples[law.code(sample)] - sample)
        assert error <= max(16, abs(sample) / 16)  # half a step of a segment; clipped at the top


def test_squares_go_with_samples() -> None:
    assert all(square == sample * sample for square, sample in zip(A_LAW.squares, A_LAW.samples, strict=True))
