"""Tones in G.711: made as a table that loops without a click, and found again with Goertzel's filter."""

from __future__ import annotations

from functools import lru_cache
from math import cos, gcd, pi, sin, sqrt

from trunkline.media.g711 import A_LAW, RATE, Law

LEVEL = 7105  # peak of a tone at -10 dBm0; a full-scale sine is +3.14 dBm0 (G.711 Table 5)
WINDOW = 480  # samples judged at once: 60 ms, whose filter is 17 Hz wide
SHARE = 0.15  # of the window's energy a tone must hold; a tone 40 Hz off leaves 0.02 here, noise less
HITS = 2  # windows with the tone, one after the other, before it counts
FLOOR = 159 * 159 * WINDOW  # energy below which a window is silence: -40 dBm0
LONGEST = 1600  # octets of one packet that are looked at: 200 ms


@lru_cache(maxsize=64)
def second(tones: tuple[int, ...], law: Law = A_LAW) -> bytes:
    """One second of these tones (whole Hz) at -10 dBm0 together; () is silence.

    A whole number of hertz repeats after one second at the latest, so the table may be
    read round and round without a jump of phase.
    """
    if not tones:
        return bytes((law.silence,)) * RATE
    period = RATE // gcd(RATE, *tones)
    peak = LEVEL / sqrt(len(tones))
    steps = [2 * pi * tone / RATE for tone in tones]
    wave = bytes(law.code(round(peak * sum(sin(step * n) for step in steps))) for n in range(period))
    return wave * (RATE // period)


def cut(table: bytes, start: int, samples: int) -> bytes:
    """`samples` octets (at most 8000) from sample `start` on of the tone whose `second` is `table`."""
    start %= RATE
    piece = table[start : start + samples]
    return piece if len(piece) == samples else piece + table[: samples - len(piece)]


class Detector:
    """Finds each of `tones` (Hz, between 0 and 4000 exclusive) once in a stream of G.711 payloads.

    What counts is a tone's share of the energy, whatever the level, so it stays quiet on
    silence, noise and other tones from 40 Hz off on; up to five tones may sound at once.
    A found tone is looked for no more: a call whose tones came costs nothing.
    """

    __slots__ = ("_buffer", "_law", "_wanted")

    def __init__(self, tones: tuple[int, ...]) -> None:
        if not all(0 < tone < RATE // 2 for tone in tones):
            raise ValueError(f"a tone is between 0 and {RATE // 2} Hz: {tones}")
        self._wanted: dict[int, tuple[float, int]] = {
            tone: (2 * cos(2 * pi * tone / RATE), 0) for tone in tones
        }
        self._law = A_LAW
        self._buffer = bytearray()

    def feed(self, payload: bytes, law: Law = A_LAW) -> tuple[int, ...]:
        """Take the next payload; returns the tones that are certain from now on."""
        if not self._wanted:
            return ()
        if law is not self._law:
            self._law, self._buffer = law, bytearray()
        buffer = self._buffer
        buffer += payload[:LONGEST]
        found: tuple[int, ...] = ()
        while len(buffer) >= WINDOW:
            found += self._judge(bytes(buffer[:WINDOW]))
            del buffer[:WINDOW]
        return found

    def _judge(self, window: bytes) -> tuple[int, ...]:
        flat = window.count(window[0]) == WINDOW  # silence, told apart at the speed of C
        energy = 0 if flat else sum(map(self._law.squares.__getitem__, window))
        found = []
        values = [self._law.samples[octet] for octet in window] if energy >= FLOOR else []
        need = SHARE * energy * WINDOW / 2
        for tone, (turn, hits) in tuple(self._wanted.items()):
            if not values or _power(values, turn) < need:
                self._wanted[tone] = (turn, 0)
            elif hits + 1 < HITS:
                self._wanted[tone] = (turn, hits + 1)
            else:
                del self._wanted[tone]
                found.append(tone)
        return tuple(found)


def _power(values: list[int], turn: float) -> float:
    """Goertzel: |X(f)|² of the window, (A·N/2)² for a tone of peak A; `turn` is 2·cos(2πf/8000)."""
    last = before = 0.0
    for value in values:
        last, before = value + turn * last - before, last
    return last * last + before * before - turn * last * before
