"""Erlang B: how many channels a traffic needs, and how often it finds them all busy (ITU-T E.501, Annex A).

Calls come at random, last as long as they last, and one that finds all channels busy is lost: so it
is on a trunk (CAC-1). Traffic is in Erlang, blocking a share of calls in (0, 1), channels a count.
Every function refuses what lies outside its bounds with a ValueError.
"""

from __future__ import annotations

from typing import Final

TRAFFIC_MAX: Final = 10_000.0
CHANNELS_MAX: Final = 20_000  # more than TRAFFIC_MAX needs at BLOCKING_MIN
BLOCKING_MIN: Final = 1e-9
BLOCKING_MAX: Final = 1 - BLOCKING_MIN
_HALVINGS: Final = 100  # below what a double can tell apart


def curve(traffic: float, channels: int) -> tuple[float, ...]:
    """The blocking with 0, 1, 2, ... up to `channels` channels, in one pass.

    The recursion over the channels loses no digit however many there are, unlike the sum of
    powers over factorials that defines it.
    """
    _bounded("traffic", traffic, 0, TRAFFIC_MAX)
    _bounded("channels", channels, 0, CHANNELS_MAX)
    shares = [1.0]
    for count in range(1, channels + 1):
        lost = traffic * shares[-1]
        shares.append(lost / (count + lost))
    return tuple(shares)


def blocking(traffic: float, channels: int) -> float:
    """The share of calls that find all channels busy; 1 where there is no channel."""
    return curve(traffic, channels)[-1]


def channels(traffic: float, most: float) -> int:
    """The fewest channels that block no more than `most` of the calls."""
    _bounded("traffic", traffic, 0, TRAFFIC_MAX)
    _bounded("blocking", most, BLOCKING_MIN, BLOCKING_MAX)
    share, count = 1.0, 0
    while share > most:
        count += 1
        lost = traffic * share
        share = lost / (count + lost)
    return count


def traffic(channels: int, most: float) -> float:
    """The most traffic that `channels` carry with no more than `most` of the calls blocked."""
    _bounded("channels", channels, 0, CHANNELS_MAX)
    _bounded("blocking", most, BLOCKING_MIN, BLOCKING_MAX)
    low, high = 0.0, min(TRAFFIC_MAX, channels / (1 - most))  # carried traffic never exceeds the channels
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if blocking(middle, channels) <= most:
            low = middle
        else:
            high = middle
    return low


def _bounded(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{what} {value!r}: expected {least:g} to {most:g}")
