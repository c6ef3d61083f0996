"""What the access SBC lets in: whose call, from and to which number, with which codec.

Each check returns the refusal a carrier would send, or None. The order is the order
in which they are made.
"""

from __future__ import annotations

from typing import NamedTuple

from trunkline.finding import ParseError
from trunkline.sdp.description import Description
from trunkline.sdp.relay import require_codec
from trunkline.sip.message import Request
from trunkline.sip.values import Address
from trunkline.site.model import CarrierKnobs

REQUIRED_CODEC = "PCMA"  # CODEC-1; over BVPN a knob of the carrier, and this is its default


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
    asserted = request.value("p-asserted-identity")
    return asserted.uri.number if isinstance(asserted, Address) else ""


def screen_caller(request: Request, knobs: CarrierKnobs) -> Refusal | None:
    """The caller's number must be one the customer bought, unless a diversion explains it."""
    if not knobs.refuse_foreign_caller or not knobs.number_ranges:
        return None
    if request.get("diversion") or request.get("history-info"):
        return None
    caller = caller_of(request)
    if any(_within(caller, bought) for bought in knobs.number_ranges):
        return None
    return Refusal(403, f"caller number {caller or 'missing'} is not in the customer's ranges")


def screen_called(request: Request, knobs: CarrierKnobs) -> Refusal | None:
    """A call to the customer must be to one of its numbers."""
    number = request.uri.number or request.uri.user
    if not knobs.number_ranges or any(_within(number, bought) for bought in knobs.number_ranges):
        return None
    return Refusal(404, f"{number} is no number of the customer's")


def screen_media(sdp: Description | None, codec: str = REQUIRED_CODEC) -> Refusal | None:
    """An offer must hold the carrier's codec; a call without an offer is judged by its answer."""
    if sdp is None:
        return None
    try:
        require_codec(sdp, codec)
    except ParseError as error:
        return Refusal(error.status, f"the offer has no {codec}")
    return None


def _within(number: str, bought: str) -> bool:
    first, _, last = bought.partition("-")
    if not last:
        return number == first
    return len(number) == len(first) == len(last) and first <= number <= last
