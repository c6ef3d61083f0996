"""Challenges met in a call: once, with the right header, and not with what was refused."""

from __future__ import annotations

import pytest
from tests.peers import Ids

from trunkline.call.credentials import authorizer
from trunkline.sip.message import Request, respond

INVITE = Request.build(
    "INVITE",
    "sip:202@customer.example",
    [
        ("Via", "SIP/2.0/UDP 192.0.2.101;branch=z9hG4bK1"),
        ("From", "<sip:201@customer.example>;tag=1"),
        ("To", "<sip:202@customer.example>"),
        ("Call-ID", "a"),
        ("CSeq", "1 INVITE"),
    ],
)
CHALLENGE = 'Digest realm="customer.example", nonce="n1", algorithm=SHA-256, qop="auth"'


@pytest.mark.rfc("3261#22.2")
@pytest.mark.parametrize(
    ("status", "asks", "says"),
    [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
def test_each_kind_of_challenge_has_its_answer(status: int, asks: str, says: str) -> None:
    authorize = authorizer("201", "secret", Ids())
    challenged = respond(INVITE, status, headers=((asks, CHALLENGE),))
    headers = authorize(challenged, INVITE)
    assert headers is not None
    ((name, value),) = headers
    assert name == says
    assert 'uri="sip:202@customer.example"' in value
    assert authorize(challenged, INVITE.with_header(name, value)) is None  # it was refused


def test_what_cannot_be_met_is_not_answered() -> None:
    strange = (("WWW-Authenticate", 'Digest realm="x", nonce="n", algorithm=SHA-512-256'),)
    assert authorizer("201", "secret", Ids())(respond(INVITE, 401, headers=strange), INVITE) is None
    assert authorizer("201", "secret", Ids())(respond(INVITE, 401), INVITE) is None
