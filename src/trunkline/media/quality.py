"""How a call sounded: the E-model's rating R and the mean opinion score (ITU-T G.107, figures of G.113).

All parameters but delay, loss and codec keep the default values of G.107 Table 2.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log2, log10, sqrt

# G.107 Table 2
_SLR, _RLR, _STMR, _LSTR = 8.0, 2.0, 15.0, 18.0  # loudness ratings and sidetone, dB
_D_SEND, _TELR, _WEPL, _QDU = 3.0, 65.0, 110.0, 1.0
_CIRCUIT_NOISE, _NOISE_FLOOR, _ROOM = -70.0, -64.0, 35.0  # dBm0p, dBmp, dB(A)

# Equipment impairment Ie and packet-loss robustness Bpl (G.113 Appendix I). PCMA is listed as G.711
# without loss concealment, which our ends have not.
IMPAIRMENT = {"PCMA": (0.0, 4.3), "PCMU": (0.0, 4.3), "G729": (11.0, 19.0)}
CONCEALED = (0.0, 25.1)  # G.711 with Appendix I concealment


def _power_sum(*levels: float) -> float:
    return 10 * log10(sum(10 ** (level / 10) for level in levels))


_OLR = _SLR + _RLR
_ROOM_RECEIVED = _ROOM + 10 * log10(1 + 10 ** ((10 - _LSTR) / 10))
_NOISE = _power_sum(  # No: circuit, room at the sender, room at the receiver, floor (7-4)
    _CIRCUIT_NOISE,
    _ROOM - _SLR - _D_SEND - 100 + 0.004 * (_ROOM - _OLR - _D_SEND - 14) ** 2,
    _RLR - 121 + _ROOM_RECEIVED + 0.008 * (_ROOM_RECEIVED - 35) ** 2,
    _NOISE_FLOOR + _RLR,
)
_SIGNAL_TO_NOISE = 15 - 1.5 * (_SLR + _NOISE)  # Ro (7-3)


def _simultaneous(delay: float) -> float:
    """Is (7-8 to 7-17): too loud, sidetone, quantizing."""
    x = _OLR + 0.2 * (64 + _NOISE - _RLR)
    loud = 20 * ((1 + (x / 8) ** 8) ** (1 / 8) - x / 8)
    sidetone = -10 * log10(10 ** (-_STMR / 10) + exp(-delay / 4) * 10 ** (-_TELR / 10))
    side = (
        12 * (1 + ((sidetone - 13) / 6) ** 8) ** (1 / 8)
        - 28 * (1 + ((sidetone + 1) / 19.4) ** 35) ** (1 / 35)
        - 13 * (1 + ((sidetone - 3) / 33) ** 13) ** (1 / 13)
        + 29
    )
    q = 37 - 15 * log10(_QDU)
    g = 1.07 + 0.258 * q + 0.0602 * q * q
    y, z = (_SIGNAL_TO_NOISE - 100) / 15 + 46 / 8.4 - g / 9, 46 / 30 - g / 40
    return float(loud + side) + 15 * log10(1 + 10**y + 10**z)


def _delayed(delay: float) -> float:
    """Id (7-18 to 7-28): talker echo, listener echo, and the delay as such."""
    terv = _TELR - 40 * log10((1 + delay / 10) / (1 + delay / 150)) + 6 * exp(-0.3 * delay**2)
    roe, re = -1.5 * (_NOISE - _RLR), 80 + 2.5 * (terv - 14)
    talker = ((roe - re) / 2 + sqrt((roe - re) ** 2 / 4 + 100) - 1) * (1 - exp(-delay))
    rle = 10.5 * (_WEPL + 7) * (2 * delay + 1) ** -0.25
    listener = (_SIGNAL_TO_NOISE - rle) / 2 + sqrt((_SIGNAL_TO_NOISE - rle) ** 2 / 4 + 169)
    x = log2(delay / 100) if delay > 100 else 0.0
    absolute = 25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
    return float(talker + listener + absolute)


@lru_cache(maxsize=1024)
def _without_loss(delay: float) -> float:
    return _SIGNAL_TO_NOISE - _simultaneous(delay) - _delayed(delay)


def rating(
    delay: float = 0.0, loss: float = 0.0, burst: float = 1.0, impairment: tuple[float, float] = (0.0, 4.3)
) -> float:
    """R, about 0-93: mouth-to-ear `delay` in ms one way, `loss` in percent, `burst` ratio (1 = random loss).

    `impairment` is (Ie, Bpl) of the codec, as IMPAIRMENT gives it.
    """
    ie, robustness = impairment
    effective = ie + (95 - ie) * loss / (loss / burst + robustness)  # Ie,eff (7-29)
    return _without_loss(delay) - effective


def mos(r: float) -> float:
    """Mean opinion score, 1.0-4.5, of a rating (G.107 Annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def burst_ratio(expected: int, lost: int, gaps: int) -> float:
    """How much longer the runs of lost packets are than random loss makes them, at least 1 (G.107)."""
    if not gaps or not 0 < lost < expected:
        return 1.0
    return max(1.0, lost / gaps * (1 - lost / expected))
