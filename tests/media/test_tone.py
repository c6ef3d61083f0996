"""Tones are made without a click and found without a mistake."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from trunkline.media.g711 import A_LAW, MU_LAW, Law
from trunkline.media.tone import Detector, cut, second

BAND = range(300, 3401, 20)


def frames(tones: tuple[int, ...], count: int = 10, law: Law = A_LAW, start: int = 0) -> list[bytes]:
    table = second(tones, law)
    return [cut(table, start + 160 * n, 160) for n in range(count)]


def found(detector: Detector, payloads: list[bytes], law: Law = A_LAW) -> list[int]:
    return [tone for payload in payloads for tone in detector.feed(payload, law)]


def noise(dice: Random, peak: int, count: int) -> list[bytes]:
    return [bytes(A_LAW.code(dice.randint(-peak, peak)) for _ in range(160)) for _ in range(count)]


def scaled(payload: bytes, factor: float) -> bytes:
    return bytes(A_LAW.code(round(A_LAW.samples[octet] * factor)) for octet in payload)


def test_silence_is_the_laws_own_code() -> None:
    assert frames((), 1) == [b"\xd5" * 160]
    assert frames((), 1, MU_LAW) == [b"\xff" * 160]


@pytest.mark.parametrize("tone", [440, 1004, 997, 3400])
def test_the_table_loops_without_a_jump(tone: int) -> None:
    endless = second((tone,)) + second((tone,))
    samples = [A_LAW.samples[octet] for octet in endless]
    steps = [abs(after - before) for before, after in pairwise(samples)]
    assert steps[7999] <= max(steps[:7999])


def test_frames_follow_each_other_in_phase_over_the_tables_end() -> None:
    assert b"".join(frames((997,), 4, start=8000 - 100)) == (second((997,)) * 2)[7900:8540]


def test_a_tone_has_the_same_level_alone_and_in_company() -> None:
    def power(tones: tuple[int, ...]) -> float:
        return sum(A_LAW.squares[octet] for octet in second(tones)) / 8000

    assert power((440,)) == pytest.approx(7105**2 / 2, rel=0.02)
    assert power((440, 1000, 2000)) == pytest.approx(power((440,)), rel=0.02)


@pytest.mark.parametrize("law", [A_LAW, MU_LAW], ids=lambda law: str(law.name))
@pytest.mark.parametrize("tone", [300, 440, 1004, 2750, 3400])
def test_a_tone_is_heard_once_within_a_fifth_of_a_second(law: Law, tone: int) -> None:
    detector = Detector((tone,))
    assert found(detector, frames((tone,), 10, law), law) == [tone]
    assert found(detector, frames((tone,), 50, law), law) == []


def test_neighbours_from_40_hz_off_are_not_heard() -> None:
    for tone in range(300, 3401, 60):
        others = tuple(other for other in (tone - 100, tone - 40, tone + 40, tone + 100) if other in BAND)
        assert found(Detector(others), frames((tone,), 9)) == []


@pytest.mark.parametrize("level", [1.0, 0.3, 0.05])
def test_the_level_does_not_matter(level: float) -> None:
    payloads = [scaled(payload, level) for payload in frames((1320,))]
    assert found(Detector((1320, 1280)), payloads) == [1320]


def test_tones_together_are_all_heard() -> None:
    assert set(found(Detector((440, 480, 620, 2000)), frames((440, 480, 620)))) == {440, 480, 620}


@pytest.mark.parametrize("silence", [b"\xd5" * 160, b"\x55" * 160, b"\x00" * 160, b"\xd5\x55" * 80])
def test_silence_and_a_constant_are_no_tone(silence: bytes) -> None:
    assert found(Detector(tuple(BAND)), [silence] * 50) == []


@pytest.mark.parametrize("peak", [100, 3000, 32000])
def test_noise_is_no_tone(peak: int) -> None:
    assert found(Detector((440, 1000, 2000, 3400)), noise(Random(peak), peak, 300)) == []


def test_a_click_of_the_tone_is_not_enough() -> None:
    payloads = [*frames((700,), 3), *frames((), 3)] * 5
    assert found(Detector((700,)), payloads) == []


def test_lost_packets_do_not_hide_a_tone() -> None:
    dice = Random(7)
    payloads = [payload for payload in frames((910,), 100) if dice.random() > 0.1]
    assert found(Detector((910,)), payloads) == [910]


@pytest.mark.parametrize("size", [1, 80, 240, 333, 4000])
def test_packets_of_any_size_will_do(size: int) -> None:
    wave = second((1500,)) * 2
    payloads = [wave[at : at + size] for at in range(0, len(wave), size)]
    assert found(Detector((1500,)), payloads) == [1500]


def test_another_law_starts_the_window_anew() -> None:
    detector = Detector((1500,))
    assert found(detector, frames((1500,), 5)) == []
    assert found(detector, frames((1500,), 2, MU_LAW), MU_LAW) == []
    assert found(detector, frames((1500,), 8, MU_LAW), MU_LAW) == [1500]


@pytest.mark.parametrize("tone", [0, 4000, -440])
def test_what_8_khz_cannot_carry_is_refused(tone: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 4000"):
        Detector((tone,))
