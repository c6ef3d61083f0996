"""DTMF as telephone-event payloads (RFC 4733): digits to packets and back."""

from __future__ import annotations

from typing import NamedTuple

from trunkline.finding import ParseError

DIGITS = "0123456789*#ABCD"  # events 0 to 15 (§3.2)
TONE = 800  # length of a key press in timestamp units: 100 ms
PAUSE = 480  # silence between two: 60 ms
VOLUME = 10  # -10 dBm0
LAST = 3  # times the last packet of an event is sent (§2.5.1.4)
LONGEST = 0xFFFF  # duration at which a longer event goes on under a new timestamp (§2.5.1.3)


class TelephoneEvent(NamedTuple):
    """One payload (§2.3): event 0-255, end bit, volume 0-63 (-dBm0), duration in timestamp units."""

    event: int
    end: bool
    volume: int
    duration: int

    @classmethod
    def parse(cls, payload: bytes) -> TelephoneEvent:
        """Raises ParseError for less than four octets."""
        if len(payload) < 4:
            raise ParseError("telephone-event", payload.hex(), "expected four octets (RFC 4733 §2.3)")
        event, second, high, low = payload[:4]
        return cls(event, second > 0x7F, second & 0x3F, high << 8 | low)

    def __bytes__(self) -> bytes:
        return bytes((self.event, (0x80 if self.end else 0) | self.volume)) + self.duration.to_bytes(2, "big")


class Step(NamedTuple):
    """What one packet time of a key press sends; `first` begins an event: marker, and its timestamp."""

    payload: bytes
    first: bool


def encode(digits: str, samples: int, tone: int = TONE, pause: int = PAUSE) -> tuple[Step | None, ...]:
    """The packet times (of `samples` timestamp units) that these digits take; None leaves one to the audio.

    Lengths in timestamp units; `tone` at most 65535. Raises ValueError for what is no DTMF digit.
    """
    if tone > LONGEST:
        raise ValueError(f"a key press is at most {LONGEST} timestamp units")
    steps: list[Step | None] = []
    presses = max(1, -(-tone // samples))
    rests = max(1, -(-pause // samples) - (LAST - 1))  # the repeated last packet is part of the pause
    for digit in digits.upper():
        event = DIGITS.index(digit)
        for n in range(1, presses):
            steps.append(Step(bytes(TelephoneEvent(event, False, VOLUME, n * samples)), n == 1))
        last = bytes(TelephoneEvent(event, True, VOLUME, tone))
        steps += [Step(last, presses == 1 and n == 0) for n in range(LAST)]
        steps += [None] * rests
    return tuple(steps)


class Decoder:
    """Tells each key press once, at the first of its packets to arrive, whichever that is."""

    __slots__ = ("_ended", "_event", "_timestamp")

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._event = 0
        self._ended = True

    def feed(self, timestamp: int, payload: bytes) -> str:
        """The digit that begins with this packet, or "" (a repetition, an old one, no digit, no event)."""
        try:
            event, end, _, _ = TelephoneEvent.parse(payload)
        except ParseError:
            return ""
        if self._timestamp is not None:
            ahead = (timestamp - self._timestamp) & 0xFFFFFFFF
            if ahead == 0:
                self._ended |= end
                return ""
            if ahead > 0x7FFFFFFF:
                return ""
            goes_on = ahead == LONGEST and event == self._event and not self._ended
        else:
            goes_on = False
        self._timestamp, self._event, self._ended = timestamp, event, end
        return "" if goes_on or event >= len(DIGITS) else DIGITS[event]
