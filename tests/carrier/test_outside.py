"""Calls from outside: a SIP peer that plays a subscriber calls the customer through the access SBC."""

from __future__ import annotations

from typing import Any

import pytest
from tests.example_site import edited

from trunkline.call.node import Received
from trunkline.carrier.sbc import Sbc
from trunkline.sip.flow import Flow, Send
from trunkline.sip.message import Request, Response, parse
from trunkline.site.load import load

PEER = ("198.51.100.20", 5060)
FIRST, SECOND = "+33199009100", "+33199009101"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 198.51.100.20\r\ns=-\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)


class Ids:
    """Words and numbers in order."""

    def __init__(self) -> None:
        self._next = 0

    def token(self) -> str:
        self._next += 1
        return f"id{self._next:06d}"

    def number(self, below: int) -> int:
        return 7 % below


def access_sbc(**knobs: object) -> Sbc:
    at = f"{PEER[0]}:{PEER[1]}"
    subscribers = [{"number": number, "does": "external", "at": at} for number in (FIRST, SECOND)]
    changes = {f"carrier.{knob}": value for knob, value in knobs.items()}
    site = load(edited({"carrier.subscribers": subscribers, **changes}), "bvpn.yaml").site
    assert site is not None
    return Sbc(site, site.carrier.sbcs[0], Ids(), 0.0)


def calls(
    sbc: Sbc,
    to: str = "+33199001001",
    *,
    caller: str = FIRST,
    source: tuple[str, int] = PEER,
    more: str = "",
    call: str = "a",
    body: str = SDP,
) -> list[Request | Response]:
    """What the SBC sends when the peer calls that number."""
    text = (
        f"INVITE sip:{to}@198.51.100.10 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {source[0]}:{source[1]};branch=z9hG4bK{call}\r\n"
        f"From: <sip:{caller}@198.51.100.20>;tag={call}\r\nTo: <sip:{to}@198.51.100.10>\r\n"
        f"Call-ID: {call}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:{PEER[0]}>\r\n{more}"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    out: list[Any] = sbc.receive(Received(text.encode(), Flow("UDP", sbc.local, source)), 0.0)
    return [parse(output.data) for output in out if isinstance(output, Send)]


def onward(sent: list[Request | Response]) -> Request:
    return next(message for message in sent if isinstance(message, Request))


def status(sent: list[Request | Response]) -> int:
    return next(message.status for message in sent if isinstance(message, Response) and message.status > 100)


def test_the_customer_is_called_with_the_subscribers_number_and_offer() -> None:
    sbc = access_sbc()
    request = onward(calls(sbc))
    assert request.uri_text == "sip:+33199001001@192.0.2.10:5060;user=phone"
    assert request.from_.uri.number == FIRST
    assert FIRST in (request.get("P-Asserted-Identity") or "")
    assert b"m=audio 6000 RTP/AVP 8" in request.body
    assert len(sbc.calls) == 1  # a channel of the customer's


@pytest.mark.parametrize(("said", "shown"), [(SECOND, SECOND), ("+33639980001", FIRST)])
def test_a_peer_calls_from_numbers_it_plays_and_from_no_other(said: str, shown: str) -> None:
    assert onward(calls(access_sbc(), caller=said)).from_.uri.number == shown


@pytest.mark.rfc("3323#4.1")
def test_a_caller_that_asks_for_privacy_is_not_shown() -> None:
    request = onward(calls(access_sbc(), more="Privacy: critical; id\r\n"))
    assert str(request.from_.uri) == "sip:anonymous@anonymous.invalid"
    assert request.get("P-Asserted-Identity") is None


def test_a_stranger_is_refused() -> None:
    assert status(calls(access_sbc(), source=("198.51.100.21", 5060))) == 403


def test_a_number_that_is_not_the_customers_is_unallocated() -> None:
    assert status(calls(access_sbc(), "+33199002001")) == 404
    assert onward(calls(access_sbc(number_ranges=[]), "+33199002001"))


def test_a_call_from_outside_takes_a_channel_or_is_refused() -> None:
    sbc = access_sbc(channels=1)
    calls(sbc)
    assert status(calls(sbc, call="b")) == 503


def test_a_call_that_cannot_be_one_leaves_nothing() -> None:
    sbc = access_sbc()
    assert status(calls(sbc, body="v=1\r\n")) == 400
    assert not sbc.calls
