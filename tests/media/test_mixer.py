"""The conference alone: sums, laws, and who is ahead or behind."""

from __future__ import annotations

from trunkline.media.g711 import A_LAW, MU_LAW
from trunkline.media.mixer import DEPTH, FRAME, Mixer

QUIET = bytes([A_LAW.silence]) * FRAME


def code(sample: int) -> bytes:
    return bytes([A_LAW.code(sample)]) * FRAME


def feed(mixer: Mixer, **said: bytes) -> dict[str, bytes]:
    for name, payload in said.items():
        mixer.put(name, payload)
    return mixer.mix()


def of_three() -> Mixer:
    mixer = Mixer()
    for name in "abc":
        mixer.join(name)
    return mixer


def test_each_gets_the_sum_of_the_others() -> None:
    mixer = of_three()
    feed(mixer, a=code(1000), b=code(-3000), c=code(8000))
    mixed = feed(mixer, a=code(1000), b=code(-3000), c=code(8000))
    for name, others in (("a", 5000), ("b", 9000), ("c", -2000)):
        (value,) = set(mixed[name])
        assert abs(A_LAW.samples[value] - others) <= abs(others) / 16 + 16


def test_a_sum_too_loud_is_cut_off() -> None:
    mixer = of_three()
    for _ in range(2):
        mixed = feed(mixer, a=code(30000), b=code(30000), c=code(-32000))
    assert A_LAW.samples[mixed["c"][0]] > 30000
    for _ in range(2):
        mixed = feed(mixer, a=code(-30000), b=code(-30000), c=code(0))
    assert A_LAW.samples[mixed["c"][0]] < -30000


def test_nobody_is_heard_before_two_packets_came() -> None:
    mixer = of_three()
    assert feed(mixer, a=code(9000))["b"] == QUIET
    assert feed(mixer, a=code(9000))["b"] == code(9000)
    assert feed(mixer)["b"] == code(9000)
    assert feed(mixer)["b"] == QUIET  # it ran dry
    assert feed(mixer, a=code(9000))["b"] == QUIET


def test_who_is_far_ahead_loses_the_oldest() -> None:
    mixer = of_three()
    for n in range(10):
        mixer.put("a", code(1000 * n))
    heard = [A_LAW.samples[mixer.mix()["b"][0]] for _ in range(DEPTH // FRAME)]
    assert [round(value / 1000) for value in heard] == [7, 8, 9]


def test_each_law_is_spoken_with_who_speaks_it() -> None:
    mixer = Mixer()
    mixer.join("a")
    mixer.join("u", MU_LAW)
    for _ in range(2):
        mixed = feed(mixer, a=code(4000), u=bytes([MU_LAW.code(-2000)]) * FRAME)
    assert abs(MU_LAW.samples[mixed["u"][0]] - 4000) < 200
    assert abs(A_LAW.samples[mixed["a"][0]] + 2000) < 100


def test_who_left_is_neither_heard_nor_told() -> None:
    mixer = of_three()
    feed(mixer, c=code(9000))
    mixer.leave("c")
    mixer.leave("nobody")
    mixed = feed(mixer, c=code(9000))
    assert mixer.names == tuple(mixed) == ("a", "b")
    assert mixed["a"] == QUIET
