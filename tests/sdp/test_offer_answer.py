from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.description import Description, Direction, Origin
from trunkline.sdp.offer_answer import (
    G729,
    PCMA,
    PCMU,
    Capabilities,
    Codec,
    Stream,
    agreed,
    answer,
    matched,
    offer,
    re_offer,
)

HERE = Origin("-", 1, 1, "192.0.2.1")
THERE = Origin("-", 2, 1, "198.51.100.1")
BOTH = Capabilities((PCMA, PCMU))
HEAD = "v=0\r\no=- 9 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
INLINE = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


def foreign(*lines: str) -> Description:
    return Description.parse(HEAD + "\r\n".join(lines) + "\r\n")


def answered(
    offered: Description, capabilities: Capabilities = BOTH, direction: Direction = "sendrecv"
) -> tuple[Description, Stream]:
    return answer(offered, capabilities, "198.51.100.1", 6000, THERE, direction)


@pytest.mark.rfc("3264#5")
def test_offer_holds_everything_this_end_can_do() -> None:
    assert str(offer(Capabilities((PCMA, G729)), "192.0.2.1", 4000, HERE)) == (
        "v=0\r\n"
        "o=- 1 1 IN IP4 192.0.2.1\r\n"
        "s=-\r\n"
        "c=IN IP4 192.0.2.1\r\n"
        "t=0 0\r\n"
        "m=audio 4000 RTP/AVP 8 18 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:18 G729/8000\r\n"
        "a=fmtp:18 annexb=no\r\n"
        "a=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-15\r\n"
        "a=ptime:20\r\n"
        "a=sendrecv\r\n"
    )


def test_offer_without_digits_on_ipv6_and_with_another_rtcp_port() -> None:
    made = offer(Capabilities(dtmf_payload_type=None), "2001:db8::1", 4000, HERE, "recvonly", rtcp_port=5001)
    (audio,) = made.media
    assert audio.formats == ("8",)
    assert audio.connection == "2001:db8::1"
    assert audio.rtcp.port == 5001
    assert audio.direction == "recvonly"
    assert offer(Capabilities(), "192.0.2.1", 4000, HERE, rtcp_port=4001).media[0].attribute("rtcp") is None


@pytest.mark.rfc("3264#6")
def test_both_sides_see_the_same_stream() -> None:
    offered = offer(BOTH, "192.0.2.1", 4000, HERE)
    reply, there = answered(offered, Capabilities((PCMU, PCMA)))
    here = agreed(offered, reply)
    assert reply.media[0].formats == ("8", "101")  # the offer's order decides
    assert (there.address, there.port, there.rtcp_port) == ("192.0.2.1", 4000, 4001)
    assert (here.address, here.port, here.rtcp_port) == ("198.51.100.1", 6000, 6001)
    assert here.codec == there.codec == "PCMA"
    assert (here.payload_type, here.ptime, here.dtmf_payload_type) == (8, 20, 101)
    assert here.sends
    assert here.receives


@pytest.mark.rfc("3264#6.1")
def test_each_side_sends_under_the_numbers_the_other_declared() -> None:
    offered = offer(
        Capabilities((Codec("PCMA", 8000, 8), Codec("L16", 8000, 97)), 20, 101), "192.0.2.1", 4000, HERE
    )
    reply = foreign(
        "m=audio 7000 RTP/AVP 110 96",
        "a=rtpmap:110 l16/8000",
        "a=rtpmap:96 telephone-event/8000",
        "a=maxptime:10",
    )
    stream = agreed(offered, reply)
    assert (stream.codec, stream.payload_type, stream.receive_payload_type) == ("L16", 110, 97)
    assert (stream.dtmf_payload_type, stream.receive_dtmf_payload_type) == (96, 101)
    assert stream.ptime == 10


@pytest.mark.rfc("3264#6.1")
def test_answer_keeps_the_numbers_of_the_offer() -> None:
    offered = foreign(
        "m=audio 7000 RTP/AVP 101 0 100 97",
        "a=rtpmap:101 PCMA/8000",
        "a=rtpmap:100 telephone-event/48000",
        "a=rtpmap:97 telephone-event/8000",
        "a=ptime:30",
    )
    reply, stream = answered(offered)
    assert reply.media[0].formats == ("101", "97")
    assert reply.media[0].ptime == 20
    assert (stream.payload_type, stream.dtmf_payload_type, stream.ptime) == (101, 97, 20)


@pytest.mark.rfc("4733#2.1")
@pytest.mark.parametrize("ours", [None, 101])
def test_no_digits_unless_both_sides_have_telephone_event(ours: int | None) -> None:
    theirs = "m=audio 7000 RTP/AVP 8" if ours else "m=audio 7000 RTP/AVP 8 101"
    offered = foreign(theirs, "a=rtpmap:101 telephone-event/8000")
    reply, stream = answered(offered, Capabilities(dtmf_payload_type=ours))
    assert reply.media[0].formats == ("8",)
    assert stream.dtmf_payload_type is None
    assert agreed(reply, offered).receive_dtmf_payload_type is None


@pytest.mark.rfc("3264#6")
def test_every_other_line_is_refused_in_its_place() -> None:
    offered = foreign(
        "m=video 5000 RTP/AVP 31",
        "m=audio 0 RTP/AVP 8",
        "m=audio 5002 RTP/SAVP 8",
        "m=audio 5004 RTP/AVP 3 8",
        "m=audio 5006 RTP/AVP 8",
        "m=image 5008 udptl t38",
    )
    reply, stream = answered(offered)
    assert [section.lines[0] for section in reply.media] == [
        "m=video 0 RTP/AVP 31",
        "m=audio 0 RTP/AVP 8",
        "m=audio 0 RTP/SAVP 8",
        "m=audio 6000 RTP/AVP 8",
        "m=audio 0 RTP/AVP 8",
        "m=image 0 udptl t38",
    ]
    assert stream.port == 5004
    assert agreed(offered, reply).port == 6000


@pytest.mark.rfc("3264#6.1")
@pytest.mark.parametrize(
    ("theirs", "wish", "said"),
    [
        ("sendrecv", "sendrecv", "sendrecv"),
        ("sendrecv", "sendonly", "sendonly"),
        ("sendonly", "sendrecv", "recvonly"),
        ("sendonly", "sendonly", "inactive"),
        ("sendonly", "recvonly", "recvonly"),
        ("recvonly", "sendrecv", "sendonly"),
        ("inactive", "sendrecv", "inactive"),
        ("sendrecv", "inactive", "inactive"),
    ],
)
def test_answer_allows_no_more_than_the_offer(theirs: Direction, wish: Direction, said: Direction) -> None:
    offered = offer(BOTH, "192.0.2.1", 4000, HERE, theirs)
    reply, stream = answered(offered, direction=wish)
    assert reply.media[0].stated_direction == said
    assert stream.direction == said
    assert agreed(offered, reply).sends is stream.receives
    assert agreed(offered, reply).receives is stream.sends


@pytest.mark.rfc("3264#8.4")
def test_hold_by_null_address_is_answered_without_sending() -> None:
    reply, stream = answered(foreign("m=audio 7000 RTP/AVP 8", "c=IN IP4 0.0.0.0"))
    assert reply.media[0].direction == "recvonly"
    assert not stream.sends


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["m=audio 7000 RTP/AVP 3"], "PCMA, PCMU"),
        (["m=audio 7000 RTP/AVP 97", "a=rtpmap:97 PCMA/16000"], "PCMA"),
        (["m=audio 7000 RTP/AVP 97", "a=rtpmap:97 PCMA/8000/2"], "PCMA"),
        (["m=audio 7000 RTP/AVP 300", "a=rtpmap:300 PCMA/8000"], "PCMA"),
        (["m=audio 7000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"], "PCMA"),
        (["m=audio 7000 RTP/SAVP 8", f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {INLINE}"], "RTP/AVP"),
        (["m=audio 0 RTP/AVP 8"], "audio stream"),
        (["m=image 7000 udptl t38"], "audio stream"),
        (["a=sendrecv"], "audio stream"),
        (["m=audio 7000 RTP/AVP 8", "c=IN IP4 media.example"], "IP address"),
    ],
)
def test_offer_that_does_not_fit_deserves_488(lines: list[str], says: str) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        answered(foreign(*lines))
    assert caught.value.status == 488


def test_rtcp_at_another_address_is_left_out() -> None:
    _, stream = answered(foreign("m=audio 7000 RTP/AVP 8", "a=rtcp:53020 IN IP4 203.0.113.99"))
    assert stream.rtcp_port == 0
    _, stream = answered(foreign("m=audio 7000 RTP/AVP 8", "a=rtcp:53020"))
    assert stream.rtcp_port == 53020


@pytest.mark.rfc("3264#6")
@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["m=audio 7000 RTP/AVP 8", "m=video 7002 RTP/AVP 31"],
        ["m=video 7000 RTP/AVP 8"],
        ["m=audio 7000 RTP/SAVP 8"],
        ["m=audio 0 RTP/AVP 8"],
        ["m=audio 7000 RTP/AVP 18"],
        ["m=audio 7000 RTP/AVP 101 13", "a=rtpmap:101 telephone-event/8000"],
    ],
)
def test_answer_that_does_not_match_the_offer_is_refused(lines: list[str]) -> None:
    with pytest.raises(ParseError) as caught:
        agreed(offer(BOTH, "192.0.2.1", 4000, HERE), foreign(*lines, "a=x"))
    assert caught.value.status == 488


def test_refused_line_may_name_another_transport() -> None:
    matched(foreign("m=audio 7000 RTP/AVP 8"), foreign("m=audio 0 RTP/SAVP 8"))


@pytest.mark.rfc("4568#5.1.3")
def test_protected_stream_takes_the_far_line_that_both_named() -> None:
    one, two = "AES_CM_128_HMAC_SHA1_32", "AES_CM_128_HMAC_SHA1_80"
    here = foreign("m=audio 7000 RTP/SAVP 8", f"a=crypto:1 {one} {INLINE}", f"a=crypto:2 {two} {INLINE}")
    there = foreign("m=audio 8000 RTP/SAVP 8", f"a=crypto:2 {two} {INLINE}")
    stream = agreed(here, there)
    assert stream.profile == "RTP/SAVP"
    assert stream.crypto is not None
    assert (stream.crypto.tag, stream.crypto.suite) == (2, two)
    with pytest.raises(ParseError, match="crypto"):
        agreed(here, foreign("m=audio 8000 RTP/SAVP 8", f"a=crypto:3 {two} {INLINE}"))


@pytest.mark.rfc("3264#8")
def test_hold_and_resume_count_editions_and_repetition_does_not() -> None:
    first = offer(BOTH, "192.0.2.1", 4000, HERE)
    held = re_offer(first, "sendonly")
    assert (held.origin.version, held.media[0].direction) == (2, "sendonly")
    assert re_offer(held) == held
    assert re_offer(held, "sendonly") == held
    resumed = re_offer(held, "sendrecv")
    assert (resumed.origin.version, resumed.media[0].direction) == (3, "sendrecv")
    assert resumed.origin.session_id == first.origin.session_id


@pytest.mark.rfc("3264#8")
def test_re_offer_keeps_the_lines_and_what_is_disabled() -> None:
    offered = foreign("m=video 5000 RTP/AVP 31", "m=audio 5004 RTP/AVP 8")
    reply, _ = answered(offered)
    moved = re_offer(reply, address="198.51.100.9", port=6100)
    assert [section.lines[0] for section in moved.media] == ["m=video 0 RTP/AVP 31", "m=audio 6100 RTP/AVP 8"]
    assert moved.media[1].connection == "198.51.100.9"
    assert moved.origin.version == reply.origin.version + 1
    assert re_offer(reply, address="198.51.100.1", port=6000) == reply


encodings = st.sampled_from(
    ["PCMA/8000", "pcmu/8000", "PCMA/16000", "telephone-event/8000", "opus/48000/2", "G729/8000"]
)
sections = st.builds(
    lambda kind, port, proto, formats, maps, direction: [
        f"m={kind} {port} {proto} {' '.join(map(str, formats))}",
        *(f"a=rtpmap:{number} {name}" for number, name in zip(formats, maps, strict=False)),
        f"a={direction}",
    ],
    st.sampled_from(["audio", "audio", "audio", "video", "image"]),
    st.integers(0, 65535),
    st.sampled_from(["RTP/AVP", "RTP/AVP", "RTP/SAVP", "udptl"]),
    st.lists(st.integers(0, 127), min_size=1, max_size=6, unique=True),
    st.lists(encodings, max_size=6),
    st.sampled_from(DIRECTIONS),
)


@given(st.lists(sections, max_size=5), st.sampled_from(DIRECTIONS))
def test_answer_always_matches_its_offer(lines: list[list[str]], wish: Direction) -> None:
    offered = foreign(*(line for section in lines for line in section), "a=x")
    try:
        reply, there = answered(offered, direction=wish)
    except ParseError as refused:
        if refused.status != 488:
            raise
        return
    matched(offered, reply)
    taken = [(ours, theirs) for ours, theirs in zip(reply.media, offered.media, strict=True) if ours.active]
    assert len(taken) == 1
    ours, theirs = taken[0]
    assert theirs.active
    assert set(ours.formats) <= set(theirs.formats)
    for section, original in zip(reply.media, offered.media, strict=True):
        assert section.active or section.formats == original.formats
    here = agreed(offered, reply)
    assert (here.sends, here.receives) == (there.receives, there.sends)
    assert here.payload_type == there.payload_type == there.receive_payload_type
    assert here.dtmf_payload_type == there.dtmf_payload_type


damage = st.tuples(st.integers(0, 400), st.integers(0, 8), st.binary(max_size=8))


@given(st.lists(damage, max_size=4))
def test_damaged_offer_is_answered_or_refused(damages: list[tuple[int, int, bytes]]) -> None:
    data = bytes(offer(Capabilities((PCMA, PCMU, G729)), "192.0.2.1", 4000, HERE))
    for at, cut, put in damages:
        data = data[:at] + put + data[at + cut :]
    try:
        offered = Description.parse(data)
        reply, stream = answered(offered)
    except ParseError as refused:
        if refused.status not in (400, 488):
            raise
        return
    matched(offered, reply)
    assert 0 < stream.port <= 65535


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
@pytest.mark.parametrize("suites", [(), ("AES_CM_128_HMAC_SHA1_80",)])
def test_what_an_end_says_is_what_a_reader_makes_of_it(address: str, suites: tuple[str, ...]) -> None:
    capabilities = Capabilities((PCMA, G729), suites=suites)
    own = tuple(Crypto(tag, suite, (INLINE,)) for tag, suite in enumerate(suites, 1))
    said = offer(capabilities, address, 4000, HERE, rtcp_port=4003, own=own)
    beside = said.with_media([*foreign("m=video 5000 RTP/AVP 96 97").media, *said.media])
    answered, _ = answer(beside, capabilities, address, 6000, THERE, "sendonly", own=own)
    for ours in (said, answered):
        read = Description.parse(bytes(ours))
        assert (read.text, read.lines, read.media) == (ours.text, ours.lines, ours.media)


def test_what_is_kept_of_encodings_is_not_another_description_s() -> None:
    for name, payload_type in (("PCMA", 97), ("PCMU", 97), ("PCMA", 98)):
        offered = foreign(f"m=audio 4000 RTP/AVP {payload_type}", f"a=rtpmap:{payload_type} {name}/8000")
        stream = answered(offered)[1]
        assert (stream.codec, stream.payload_type) == (name, payload_type)
