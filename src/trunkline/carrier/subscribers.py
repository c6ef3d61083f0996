"""The public network behind the SBCs: who answers at which number, and how."""

from __future__ import annotations

from collections.abc import Iterable

from trunkline.call.party import TEST_TONES, Behaviour
from trunkline.sdp.offer_answer import Capabilities, spoken
from trunkline.site.model import CarrierKnobs, CarrierSubscriber

UNALLOCATED = Behaviour(does="unallocated")


class Subscribers:
    """Subscribers by number; a number nobody has is unallocated."""

    __slots__ = ("_by_number", "_numbers_at")

    def __init__(self, subscribers: Iterable[CarrierSubscriber]) -> None:
        self._by_number = {subscriber.number: subscriber for subscriber in subscribers}
        self._numbers_at: dict[tuple[str, int], list[str]] = {}
        for number in self._by_number:
            if (address := self.external(number)) is not None:
                self._numbers_at.setdefault(address, []).append(number)

    def behaviour(self, number: str) -> Behaviour:
        """What happens when this number is called."""
        subscriber = self._by_number.get(number)
        return UNALLOCATED if subscriber is None else behaviour_of(subscriber)

    def external(self, number: str) -> tuple[str, int] | None:
        """The SIP peer that plays this number, for a subscriber that is not built in."""
        subscriber = self._by_number.get(number)
        if subscriber is None or subscriber.does != "external":
            return None
        host, _, port = subscriber.at.rpartition(":")
        return host.strip("[]"), int(port)

    def at(self, address: tuple[str, int], caller: str) -> str:
        """The number that an external subscriber at this address calls from; "" for a stranger.

        Where one peer plays several numbers it is the `caller` it says, else the first.
        """
        numbers = self._numbers_at.get(address, ())
        return caller if caller in numbers else numbers[0] if numbers else ""


def behaviour_of(subscriber: CarrierSubscriber) -> Behaviour:
    """A subscriber of the site file as a party's behaviour."""
    return Behaviour(
        does=subscriber.does,
        after=subscriber.after,
        seconds=subscriber.seconds if subscriber.does == "hang-up" else 0.0,
        tone=0 if subscriber.does == "echo" else subscriber.tone,
        listen=TEST_TONES,
    )


def capabilities(knobs: CarrierKnobs, suites: tuple[str, ...] = ()) -> Capabilities:
    """What built-in subscribers speak: the carrier's codecs, or A-law where they know none.

    With `suites` it is SRTP, as the customer's side of a secured trunk.
    """
    return Capabilities(spoken(knobs.codecs), suites=suites)
