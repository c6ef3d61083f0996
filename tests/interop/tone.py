"""Tones as evidence that speech got through: one sent each way, and looked for in the far end's recording."""

from __future__ import annotations

import math
import random
import sys
import wave
from array import array
from collections.abc import Sequence
from operator import mul
from pathlib import Path

RATE = 8000  # samples a second
BLOCK = 400  # samples, 50 ms: tones at multiples of 20 Hz do not leak into one another
# No tone is a harmonic of another, so that a clipped one is not taken for its neighbour.
TONES = tuple(range(620, 1200, 40))
PURE = 0.7  # the least share of a block's energy that the tone must hold
LOUD = 300.0  # the least RMS of a block that counts as sound, of 32767


def draw(seed: int, count: int = 2, among: Sequence[int] = TONES) -> tuple[int, ...]:
    """``count`` different tones in Hz out of ``among``, the same ones for the same seed."""
    return tuple(random.Random(seed).sample(among, count))


def write(path: Path, frequency: int, seconds: int = 60) -> Path:
    """Writes a WAV of one tone, 16 bit mono; ``frequency`` 0 is silence."""
    second = array("h", (round(8000 * math.sin(2 * math.pi * frequency * i / RATE)) for i in range(RATE)))
    if sys.byteorder == "big":
        second.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(second.tobytes() * seconds)  # whole hertz: a second ends where it began
    return path


def heard(recording: Path) -> dict[int, float]:
    """The tones in a recording (WAV, 16 bit mono, 8 kHz) and for how many seconds each sounded."""
    with wave.open(str(recording), "rb") as file:
        layout = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if layout != (1, 2, RATE):
            raise ValueError(f"{recording}: expected 16 bit mono at {RATE} Hz, got {layout}")
        samples = array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    seconds = dict.fromkeys(TONES, 0.0)
    for start in range(0, len(samples) - BLOCK + 1, BLOCK):
        if found := _tone_of(samples[start : start + BLOCK]):
            seconds[found] += BLOCK / RATE
    return {tone: total for tone, total in seconds.items() if total}


def fault(recording: Path, frequency: int, at_least: float = 1.0) -> str:
    """What is wrong with a recording that should hold ``at_least`` seconds of ``frequency`` and no other.

    "" when nothing is.
    """
    found = heard(recording)
    if found.get(frequency, 0.0) < at_least:
        return f"expected {at_least:g} s of {frequency} Hz, heard {_spell(found)}"
    strange = {tone: seconds for tone, seconds in found.items() if tone != frequency}
    return f"heard {_spell(strange)} besides {frequency} Hz" if strange else ""


def _spell(found: dict[int, float]) -> str:
    return ", ".join(f"{seconds:.2f} s of {tone} Hz" for tone, seconds in found.items()) or "silence"


_WAVES = {
    tone: tuple([f(2 * math.pi * tone * i / RATE) for i in range(BLOCK)] for f in (math.cos, math.sin))
    for tone in TONES
}


def _tone_of(block: array[int]) -> int | None:
    """The tone that one block is, if it is loud and pure enough to be one (a Fourier term for each tone)."""
    energy = sum(map(mul, block, block))
    if energy < LOUD * LOUD * BLOCK:
        return None
    for tone, (cosine, sine) in _WAVES.items():
        real, imaginary = sum(map(mul, block, cosine)), sum(map(mul, block, sine))
        # A pure sine of amplitude a has energy a²N/2 and |X|² = (aN/2)², so this quotient is 1 for it.
        if 2 * (real * real + imaginary * imaginary) / (BLOCK * energy) > PURE:
            return tone
    return None
