"""G.711: the two companding laws as tables (ITU-T G.711; A-law is PCMA, µ-law is PCMU, RFC 3551 §4.5.14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

RATE = 8000  # samples a second, one octet each


def _a_law_sample(code: int) -> int:
    code ^= 0x55  # the even bits travel inverted
    segment, mantissa = (code >> 4) & 7, code & 15
    value = (mantissa << 4) + 8
    if segment:
        value = (value + 256) << (segment - 1)
    return value if code & 0x80 else -value


def _a_law_code(sample: int) -> int:
    sign, size = (0x80, sample) if sample >= 0 else (0, ~sample)
    size = min(size, 32767) >> 4
    segment = max(0, size.bit_length() - 4)
    mantissa = (size >> max(segment - 1, 0)) & 15
    return (sign | segment << 4 | mantissa) ^ 0x55


def _mu_law_sample(code: int) -> int:
    code ^= 0xFF
    value = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return -value if code & 0x80 else value


def _mu_law_code(sample: int) -> int:
    size = min(abs(sample), 32635) + 132
    segment = size.bit_length() - 8
    mantissa = (size >> (segment + 3)) & 15
    return ((0x80 if sample < 0 else 0) | segment << 4 | mantissa) ^ 0xFF


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """One law: `samples[code]` is the 16-bit linear value of a code, `code(sample)` the way back."""

    name: str
    samples: tuple[int, ...]
    squares: tuple[int, ...]
    code: Callable[[int], int]
    silence: int


def _law(name: str, sample: Callable[[int], int], code: Callable[[int], int], silence: int) -> Law:
    samples = tuple(sample(octet) for octet in range(256))
    return Law(name, samples, tuple(value * value for value in samples), code, silence)


A_LAW = _law("PCMA", _a_law_sample, _a_law_code, 0xD5)
MU_LAW = _law("PCMU", _mu_law_sample, _mu_law_code, 0xFF)

LAWS = {law.name: law for law in (A_LAW, MU_LAW)}
STATIC = {8: A_LAW, 0: MU_LAW}  # payload types that need no rtpmap (RFC 3551 §6)
