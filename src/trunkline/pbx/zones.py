"""Overseas zones: which gateways take a number, where a zone has access SBCs of its own (DROM-1).

A zone's local calls are those to its country codes; the codes are the numbering plan's
(`guide/knowledge/france.toml`), since the carrier's guide names no prefixes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trunkline.guide.facts import known_around
from trunkline.site.gateway import Gateway

METROPOLE: Final = "metropole"


class Zones:
    """The zones of one trunk; false where no gateway is overseas, so that nobody asks further.

    `fallback`: whether a zone's local calls may go to the metropolitan gateways (H11).
    """

    __slots__ = ("_codes", "_fallback")

    def __init__(self, gateways: Iterable[Gateway], *, fallback: bool) -> None:
        used = {gateway.general.zone for gateway in gateways} - {METROPOLE}
        self._codes = tuple(("+" + code, zone) for zone in sorted(used) for code in country_codes(zone))
        self._fallback = fallback

    def __bool__(self) -> bool:
        return bool(self._codes)

    def of(self, number: str) -> str:
        """The zone that a canonical number is local to; the metropole for all others, and for codes."""
        for code, zone in self._codes:
            if number.startswith(code):
                return zone
        return METROPOLE

    def rank(self, gateway: Gateway, zone: str, *, emergency: bool) -> int | None:
        """Where a gateway comes in the order for a number of `zone`; None: it never takes such a call.

        An emergency call begins in the metropole and leaves no gateway out.
        """
        at = gateway.general.zone
        if at == zone:
            return 0
        if emergency or (at == METROPOLE and self._fallback):
            return 1
        return None


def country_codes(zone: str) -> tuple[str, ...]:
    """The country codes of an overseas zone, without the +."""
    return known_around()["france"].words(f"overseas.{zone}")
