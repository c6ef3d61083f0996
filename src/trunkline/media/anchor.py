"""THE media seam, as messages: whoever carries media answers these and nothing else.

Commands go down to `aio` (built-in media ends today, media workers and rtpengine
later), events come back. A media session has an id of its own (`media`); in it each
`leg` is one port toward one party. The seam is asynchronous: a port is known only
when `Anchored` comes back (see `call.leg`, state PREPARING).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trunkline.sdp.offer_answer import Stream


# --- commands -------------------------------------------------------------------


class Offer(NamedTuple):
    """Open a port for `leg` (or reopen it for a re-INVITE); answered by Anchored or Refused.

    `address` is the local IP literal to bind. `join` names the leg of the same
    session this one is relayed to; "" means the end is here (a phone, a subscriber),
    unless another leg joined this one, or does so later (the caller's is offered first).
    It holds for both from this leg's next Answer on: until then, whoever the far leg
    was joined to stays so (a transfer that rings).
    """

    media: str
    leg: str
    address: str
    join: str = ""


class Answer(NamedTuple):
    """The stream both sides agreed on: where to send, as what, in which direction.

    Refused tells that the stream's keys cannot be carried.
    """

    media: str
    leg: str
    stream: Stream


class Play(NamedTuple):
    """Send a tone of these frequencies (Hz) instead of silence; () is silence; echo returns what comes."""

    media: str
    leg: str
    tones: tuple[int, ...] = ()
    echo: bool = False


class Listen(NamedTuple):
    """Report each of these frequencies (Hz, 300-3400) once it is heard (Heard); asked again, again."""

    media: str
    leg: str
    tones: tuple[int, ...]


class Press(NamedTuple):
    """Send these DTMF digits (0-9, *, #, A-D) as telephone-event (RFC 4733), if that was agreed."""

    media: str
    leg: str
    digits: str


class Mix(NamedTuple):
    """Join these legs of one session into a conference."""

    media: str
    legs: tuple[str, ...]


class Release(NamedTuple):
    """Close the ports of this session ("" = all legs); each leg that had any answers with its Report."""

    media: str
    leg: str = ""


# --- events ---------------------------------------------------------------------


class Anchored(NamedTuple):
    """The port is open at this address; `rtcp_port` is its RTCP port (RFC 3550 §11)."""

    media: str
    leg: str
    address: str
    port: int
    rtcp_port: int


class Refused(NamedTuple):
    """No port: exhausted, or the address cannot be bound; `why` in words."""

    media: str
    leg: str
    why: str


class Silent(NamedTuple):
    """No RTP came for `seconds` although the stream should receive; told once, and again after RTP came."""

    media: str
    leg: str
    seconds: float


class Heard(NamedTuple):
    """A listened-for tone (Hz) was found in what came in."""

    media: str
    leg: str
    tone: int


class Pressed(NamedTuple):
    """A DTMF digit came in (RFC 4733): told once, when it begins."""

    media: str
    leg: str
    digit: str


class Report(NamedTuple):
    """What passed on this leg, told when it is released; RTP packets, lost as RFC 3550 §6.4.1 counts.

    `mos` (1.0-4.5) estimates how what was received sounded (G.107), 0.0 when nothing was.
    `strays` came from elsewhere or were no RTP; `refused` failed SRTP's authentication or
    replay check; `suite` is what the stream was closed with, "" if it was not.
    """

    media: str
    leg: str
    sent: int
    received: int
    lost: int
    jitter: float = 0.0  # milliseconds, RFC 3550 A.8
    heard: tuple[int, ...] = ()
    mos: float = 0.0
    strays: int = 0
    refused: int = 0
    suite: str = ""


class Lost(NamedTuple):
    """The worker that carried these sessions is gone."""

    worker: str
    medias: tuple[str, ...]


Command = Offer | Answer | Play | Listen | Press | Mix | Release
Event = Anchored | Refused | Silent | Heard | Pressed | Report | Lost
