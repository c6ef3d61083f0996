"""SRTP in offer and answer (RFC 4568): which suite, whose key, and no way back to clear media."""

from __future__ import annotations

import pytest

from trunkline.finding import ParseError
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.description import Description, Origin
from trunkline.sdp.offer_answer import Capabilities, agreed, answer, answerable, offer

SHA80, SHA32, AES256 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80"
SECURE = Capabilities(suites=(SHA80,))
CLEAR = Capabilities()
ORIGIN = Origin("-", 1, 1, "192.0.2.1")
MINE = Crypto.of(1, SHA80, bytes(range(30)))
THEIRS = Crypto.of(1, SHA80, bytes(range(100, 130)))


def offered(*lines: Crypto, capabilities: Capabilities = SECURE) -> Description:
    return offer(capabilities, "192.0.2.1", 6000, ORIGIN, own=lines)


@pytest.mark.rfc("4568#5.1")
@pytest.mark.guide("SRTP-1")
def test_each_side_closes_with_its_own_key_and_opens_with_the_far_one() -> None:
    asked = offered(MINE)
    said, here = answer(asked, SECURE, "192.0.2.2", 7000, ORIGIN, own=(THEIRS,))
    there = agreed(asked, said)
    assert "RTP/SAVP" in str(asked)
    assert here.profile == there.profile == "RTP/SAVP"
    assert (here.crypto, here.own_crypto) == (MINE, THEIRS)
    assert (there.crypto, there.own_crypto) == (THEIRS, MINE)


@pytest.mark.rfc("4568#5.1.2")
def test_common_suite_is_found_behind_others_and_keeps_its_tag() -> None:
    lines = (
        Crypto.of(1, AES256, bytes(46)),
        Crypto.of(2, SHA32, bytes(30)),
        Crypto.of(7, SHA80, bytes(range(30))),
    )
    both = Capabilities(suites=(AES256, SHA32, SHA80))
    said, here = answer(offered(*lines, capabilities=both), SECURE, "192.0.2.2", 7000, ORIGIN, own=(THEIRS,))
    assert [(line.tag, line.suite) for line in said.media[0].crypto] == [(7, SHA80)]
    assert here.crypto == lines[2]


@pytest.mark.rfc("4568#5.1.2")
def test_order_of_the_offer_decides_between_common_suites() -> None:
    lines = (Crypto.of(1, SHA32, bytes(30)), Crypto.of(2, SHA80, bytes(30)))
    own = (THEIRS, Crypto.of(2, SHA32, bytes(30)))
    both = Capabilities(suites=(SHA80, SHA32))
    said, _ = answer(offered(*lines, capabilities=both), both, "192.0.2.2", 7000, ORIGIN, own=own)
    assert said.media[0].crypto[0].suite == SHA32


@pytest.mark.rfc("4568#7.1.2")
def test_no_common_suite_is_488() -> None:
    asked = offered(Crypto.of(1, SHA32, bytes(30)), capabilities=Capabilities(suites=(SHA32,)))
    with pytest.raises(ParseError) as caught:
        answer(asked, SECURE, "192.0.2.2", 7000, ORIGIN, own=(THEIRS,))
    assert caught.value.status == 488


@pytest.mark.parametrize(("asking", "asked"), [(CLEAR, SECURE), (SECURE, CLEAR)])
def test_secure_and_clear_ends_refuse_each_other(asking: Capabilities, asked: Capabilities) -> None:
    own = (MINE,) if asking.suites else ()
    first = offer(asking, "192.0.2.1", 6000, ORIGIN, own=own)
    with pytest.raises(ParseError) as caught:
        answer(first, asked, "192.0.2.2", 7000, ORIGIN, own=(THEIRS,))
    assert caught.value.status == 488


def test_answer_that_names_another_suite_is_no_answer() -> None:
    asked = offered(MINE)
    said, _ = answer(asked, SECURE, "192.0.2.2", 7000, ORIGIN, own=(THEIRS,))
    other = Description.parse(str(said).replace(SHA80, SHA32))
    with pytest.raises(ParseError) as caught:
        agreed(asked, other)
    assert caught.value.status == 488


def test_key_of_the_wrong_length_is_refused_at_once() -> None:
    with pytest.raises(ParseError, match="30 bytes"):
        Crypto.of(1, SHA80, bytes(16))


@pytest.mark.parametrize(
    ("lines", "capabilities", "good"),
    [
        ((MINE,), SECURE, True),
        ((), CLEAR, True),
        ((MINE,), CLEAR, False),
        ((), SECURE, False),
        ((Crypto.of(1, SHA32, bytes(30)),), SECURE, False),
    ],
)
def test_whether_there_is_an_answer_is_known_before_it_is_made(
    lines: tuple[Crypto, ...], capabilities: Capabilities, good: bool
) -> None:
    asking = Capabilities(suites=tuple(line.suite for line in lines))
    first = offer(asking, "192.0.2.1", 6000, ORIGIN, own=lines)
    if good:
        answerable(first, capabilities)
        return
    with pytest.raises(ParseError) as caught:
        answerable(first, capabilities)
    assert caught.value.status == 488
    assert all("inline" not in str(caught.value) for _ in lines)
