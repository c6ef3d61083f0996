from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sdp.description import Description, Origin
from trunkline.sdp.relay import codecs, follow, relabelled, require_codec, same_session

OWN = Origin("-", 77, 1, "192.0.2.1")
PHONE = (
    "v=0\r\n"
    "o=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\r\n"
    "s=SDP Seminar\r\n"
    "c=IN IP4 10.47.16.5\r\n"
    "t=0 0\r\n"
    "Z=odd\r\n"
    "m=video 0 RTP/AVP 31\r\n"
    "m=audio 4000 RTP/AVP 97 8 0 99 101\r\n"
    "a=sendrecv\r\n"
    "a=rtpmap:97 opus/48000/2\r\n"
    "a=rtpmap:8 pcma/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)


@pytest.mark.rfc("7092#3.1.2")
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_only_origin_and_name_are_this_legs_own(end: str) -> None:
    text = PHONE.replace("\r\n", end)
    passed = relabelled(Description.parse(text), OWN)
    assert str(passed) == text.replace("jdoe 2890844526 2890842807 IN IP4 10.47.16.5", str(OWN)).replace(
        "SDP Seminar", "-"
    )
    assert passed.origin == Origin("-", 77, 1, "192.0.2.1", "IP4")
    assert Description.parse(bytes(passed)) == passed
    assert Description.parse(bytes(passed)).lines == passed.lines


def test_unreadable_origin_is_replaced_like_any_other() -> None:
    assert relabelled(Description.parse("v=0\r\no=broken\r\n"), OWN).lines == ("v=0", f"o={OWN}")


def test_same_session_looks_past_the_origin_and_the_line_ends() -> None:
    one = Description.parse(PHONE)
    assert same_session(
        one, Description.parse(PHONE.replace("2890842807", "2890842808").replace("\r\n", "\n"))
    )
    assert not same_session(one, Description.parse(PHONE.replace("t=0 0", "t=1 0")))
    assert not same_session(one, Description.parse(PHONE.replace("sendrecv", "sendonly")))


@pytest.mark.rfc("3264#8")
def test_next_description_of_a_leg_counts_only_changes() -> None:
    sent = relabelled(Description.parse(PHONE), OWN, "call")
    again = follow(sent, Description.parse(PHONE))
    assert again == sent
    held = follow(sent, Description.parse(PHONE.replace("sendrecv", "sendonly")))
    assert held.origin == Origin("-", 77, 2, "192.0.2.1", "IP4")
    assert "s=call" in held.lines
    nameless = Description.parse("v=0\r\no=- 5 6 IN IP4 192.0.2.9\r\n")
    assert follow(nameless, Description.parse("v=0\r\no=x\r\n")) == nameless


def test_codecs_are_named_in_the_order_of_the_first_active_audio_line() -> None:
    description = Description.parse(PHONE)
    assert codecs(description) == ("opus", "pcma", "PCMU", "telephone-event")
    assert codecs(Description.parse(PHONE.replace("4000", "0"))) == ()


def test_required_codec_is_found_whatever_its_case_or_refused_with_488() -> None:
    description = Description.parse(PHONE)
    require_codec(description, "PCMA")
    require_codec(description, "Opus")
    for wrong in (description, Description.parse("v=0\r\no=-\r\n")):
        with pytest.raises(ParseError, match="G729") as caught:
            require_codec(wrong, "G729")
        assert caught.value.status == 488


@given(
    st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1),
    st.integers(0, 2**63),
    st.integers(0, 2**63),
)
def test_relabelling_back_restores_the_bytes(username: str, session: int, version: int) -> None:
    description = Description.parse(PHONE)
    passed = relabelled(description, Origin(username, session, version, "2001:db8::1"))
    assert same_session(relabelled(passed, OWN), relabelled(description, OWN))
    assert passed.with_origin(description.origin, "SDP Seminar") == description
