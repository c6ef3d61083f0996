"""What the access SBC lets in: whose call, from and to which number, with which codec.

Each check returns the refusal a carrier would send, or None. The order is the order
in which they are made.
"""

from __future__ import annotations

from typing import NamedTuple

from trunkline.sdp.description import Description
from trunkline.sdp.relay import codecs
from trunkline.sip.message import Request
from trunkline.sip.values import Address
from trunkline.site.model import CarrierKnobs
from trunkline.site.scalar import within


class Refusal(NamedTuple):
    """A SIP status and why, in words."""

    status: int
    why: str


def caller_of(request: Request) -> str:
    """The number a call bears: From first, then P-Asserted-Identity, as French operators take it.

    "" when neither holds a number; an anonymous From gives way to the asserted one.
    """
    from_ = request.from_.uri.number
    if from_:
        return from_
    asserted = (value for value in request.values("p-asserted-identity") if isinstance(value, Address))
    return next((value.uri.number for value in asserted if value.uri.number), "")


def called_of(request: Request, emergency: tuple[str, ...]) -> str:
    """The number called; an emergency number also where somebody put a + before it."""
    number = request.uri.number or request.uri.user
    bare = number.removeprefix("+")
    return bare if bare in emergency else number


def screen_caller(request: Request, knobs: CarrierKnobs) -> Refusal | None:
    """The caller's number must be one the customer bought, or one it bought must have diverted the call."""
    if not knobs.refuse_foreign_caller or not knobs.number_ranges:
        return None
    caller = caller_of(request)
    if any(within(number, knobs.number_ranges) for number in (caller, *_diverting(request))):
        return None
    return Refusal(403, f"caller number {caller or 'missing'} is not in the customer's ranges")


def screen_called(number: str, knobs: CarrierKnobs) -> Refusal | None:
    """A call to the customer must be to one of its numbers."""
    if not knobs.number_ranges or within(number, knobs.number_ranges):
        return None
    return Refusal(404, f"{number} is no number of the customer's")


def screen_media(sdp: Description, knobs: CarrierKnobs, secure: bool = False) -> Refusal | None:
    """A description must hold one of the carrier's codecs (CODEC-1); `secure`: over SRTP (SRTP-1)."""
    if secure and not any("SAVP" in media.proto for media in sdp.media if media.kind == "audio"):
        return Refusal(488, "no audio over SRTP: this trunk takes RTP/SAVP alone")
    held = {codec.upper() for codec in codecs(sdp)}
    if not knobs.codecs or held.intersection(knobs.codecs):
        return None
    return Refusal(488, f"no {' or '.join(knobs.codecs)} among {' '.join(sorted(held)) or 'no audio'}")


def _diverting(request: Request) -> list[str]:
    """The numbers that sent the call on (RFC 5806, RFC 7044)."""
    values = (*request.values("diversion"), *request.values("history-info"))
    return [value.uri.number for value in values if isinstance(value, Address)]
