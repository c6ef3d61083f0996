from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sdp.description import MAX_BYTES, Description, Media, Origin, Rtcp, RtpMap

HEAD = "v=0\r\no=alice 2890844526 3 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
AUDIO = (
    "m=audio 49170 RTP/AVP 8 0 18 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\n"
    "a=ptime:20\r\n"
    "a=maxptime:40\r\n"
    "a=sendrecv\r\n"
)
KEY = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
FOREIGN = (
    "v=0\n"
    "o=- 1 1 IN IP6 2001:db8::5\n"
    "s= \n"
    "i=Caf\udce9\n"
    "c=IN IP6 2001:db8::5\n"
    "b=AS:84\n"
    "t=0 0\n"
    "Z=unknown\n"
    "a=group:BUNDLE 1 2\n"
    "a=recvonly\n"
    "m=audio 4000/2 RTP/SAVP 97 9\n"
    "a=inactive\n"
    "a=rtpmap:97 opus/48000/2\n"
    "a=mid:1\n"
    f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 {KEY}\n"
    "a=crypto:oops\n"
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\n"
    "m=video 4010 RTP/AVP 31\n"
    "c=IN IP4 233.252.0.1/127/3\n"
    "m=image 49170/2 udptl t38\n"
    "a=T38FaxVersion:0\n"
)


def read(media: str, head: str = HEAD) -> Media:
    return Description.parse(head + media).media[0]


@pytest.mark.rfc("8866#5")
@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        HEAD + AUDIO,
        HEAD + AUDIO + "\r\n",
        (HEAD + AUDIO)[:-2],
        FOREIGN,
        FOREIGN.replace("\n", "\r\n", 4),
        HEAD + "m=image 49170/2 udptl t38\r\n",
        HEAD + "m=audio  9  RTP/AVP  8 \r\n",
        "v=0\no=\n",
    ],
)
def test_whatever_is_accepted_is_written_back_byte_for_byte(text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    assert bytes(Description.parse(data)) == data
    assert str(Description.parse(data)) == text
    assert Description.parse(text) == Description.parse(data)


def test_common_offer_is_seen_through_its_views() -> None:
    description = Description.parse(HEAD + AUDIO)
    (audio,) = description.media
    assert description.audio is audio
    assert description.origin == Origin("alice", 2890844526, 3, "192.0.2.10", "IP4")
    assert (audio.kind, audio.port, audio.port_count, audio.proto) == ("audio", 49170, 1, "RTP/AVP")
    assert audio.formats == ("8", "0", "18", "101")
    assert audio.connection == "192.0.2.10"
    assert audio.direction == "sendrecv"
    assert (audio.ptime, audio.maxptime) == (20, 40)
    assert audio.fmtp(101) == "0-15"
    assert audio.fmtp("8") is None
    assert audio.rtcp == Rtcp("192.0.2.10", 49171)
    assert audio.active


@pytest.mark.rfc("3551#6")
def test_payload_type_is_named_by_its_rtpmap_or_the_static_table() -> None:
    audio = read(AUDIO + "a=rtpmap:98 opus/48000/2\r\na=rtpmap:99 broken\r\na=rtpmap:0 X/\r\n")
    assert audio.rtpmap(8) == RtpMap("PCMA", 8000)
    assert audio.rtpmap("18") == RtpMap("G729", 8000)
    assert audio.rtpmap(98) == RtpMap("opus", 48000, 2)
    assert audio.rtpmap(99) is None
    assert audio.rtpmap(0) is None  # a wrong rtpmap is not overruled by the table
    assert audio.rtpmap(120) is None


def test_foreign_description_keeps_sections_apart() -> None:
    description = Description.parse(FOREIGN)
    audio, video, image = description.media
    assert (audio.port, audio.port_count, audio.direction) == (4000, 2, "inactive")
    assert audio.connection == "2001:db8::5"
    assert audio.attribute("mid") == "1"
    assert audio.attribute("inactive") == ""
    assert audio.attribute("absent") is None
    assert video.connection == "233.252.0.1"
    assert video.direction == "recvonly"  # the session's
    assert (image.kind, image.proto, image.formats) == ("image", "udptl", ("t38",))
    assert image.attribute("T38FaxVersion") == "0"
    assert description.attribute("group") == "BUNDLE 1 2"
    assert description.attribute("recvonly") == ""
    assert description.attribute("absent") is None


@pytest.mark.rfc("4568#7.1.2")
def test_crypto_lines_stand_in_order_and_a_broken_one_spoils_nothing() -> None:
    audio = Description.parse(FOREIGN).media[0]
    assert [(line.tag, line.usable) for line in audio.crypto] == [(2, True), (1, True)]


def test_repr_shows_no_key() -> None:
    description = Description.parse(FOREIGN)
    assert KEY not in repr(description)
    assert KEY not in repr(description.media)


@pytest.mark.rfc("3264#8.4")
@pytest.mark.parametrize(
    ("address", "attribute", "direction"),
    [
        ("192.0.2.1", "", "sendrecv"),
        ("192.0.2.1", "a=sendonly\r\n", "sendonly"),
        ("192.0.2.1", "a=inactive\r\n", "inactive"),
        ("0.0.0.0", "", "sendonly"),
        ("0.0.0.0", "a=sendonly\r\n", "sendonly"),
        ("0.0.0.0", "a=recvonly\r\n", "inactive"),
        ("0.0.0.0", "a=inactive\r\n", "inactive"),
    ],
)
def test_hold_is_seen_in_attribute_and_null_address(address: str, attribute: str, direction: str) -> None:
    audio = read(f"m=audio 9 RTP/AVP 8\r\nc=IN IP4 {address}\r\n{attribute}")
    assert audio.direction == direction
    inherited = read(
        f"m=audio 9 RTP/AVP 8\r\n{attribute}", HEAD.replace("IP4 192.0.2.10\r\nt", f"IP4 {address}\r\nt")
    )
    assert inherited.direction == direction


def test_direction_is_known_without_any_address() -> None:
    assert read("m=audio 9 RTP/AVP 8\r\na=recvonly\r\n", "v=0\r\no=-\r\n").direction == "recvonly"


def test_null_ipv6_address_is_hold_too() -> None:
    assert read("m=audio 9 RTP/AVP 8\r\nc=IN IP6 ::\r\n").direction == "sendonly"


@pytest.mark.rfc("3264#6")
def test_disabled_stream_flows_nowhere() -> None:
    description = Description.parse(HEAD + AUDIO.replace("49170", "0"))
    assert description.media[0].direction == "inactive"
    assert not description.media[0].active
    assert description.audio is None


@pytest.mark.rfc("3605#2.1")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a=rtcp:5001\r\n", Rtcp("192.0.2.10", 5001)),
        ("a=rtcp:5001 IN IP4 192.0.2.99\r\n", Rtcp("192.0.2.99", 5001)),
        ("a=rtcp:99999\r\n", Rtcp("192.0.2.10", 4001)),
        ("a=rtcp:none\r\n", Rtcp("192.0.2.10", 4001)),
        ("", Rtcp("192.0.2.10", 4001)),
    ],
)
def test_rtcp_goes_where_it_is_told_or_one_port_up(line: str, expected: Rtcp) -> None:
    assert read("m=audio 4000 RTP/AVP 8\r\n" + line).rtcp == expected


def test_highest_port_leaves_none_for_rtcp() -> None:
    assert read("m=audio 65535 RTP/AVP 8\r\n").rtcp.port == 0


@pytest.mark.parametrize(
    ("text", "ms"), [("20", 20), ("20.5", 20), ("0", None), ("9999", None), ("\xb2", None)]
)
def test_packet_time_is_milliseconds_or_not_said(text: str, ms: int | None) -> None:
    assert read(f"m=audio 4000 RTP/AVP 8\r\na=ptime:{text}\r\n").ptime == ms


@pytest.mark.parametrize("line", ["c=IN IP4", "c=TN RFC2543 -", "c=IN ATM 1", "c="])
def test_address_that_cannot_be_read_is_an_error_when_asked_for(line: str) -> None:
    audio = read(f"m=audio 4000 RTP/AVP 8\r\n{line}\r\n")
    with pytest.raises(ParseError, match="c="):
        _ = audio.connection


def test_missing_address_is_an_error_when_asked_for() -> None:
    with pytest.raises(ParseError, match="c= line"):
        _ = read("m=audio 4000 RTP/AVP 8\r\n", "v=0\r\no=-\r\n").connection


@pytest.mark.rfc("8866#5.2")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "- 1 1 IN IP4",
        "- x 1 IN IP4 h",
        "- 1 x IN IP4 h",
        "- 1 1 XX IP4 h",
        "- 1 1 IN IP5 h",
        f"- {'9' * 33} 1 IN IP4 h",
    ],
)
def test_origin_off_the_grammar_is_an_error_when_asked_for(text: str) -> None:
    with pytest.raises(ParseError, match="o="):
        _ = Description.parse(f"v=0\r\no={text}\r\n").origin


def test_origin_counts_its_editions() -> None:
    assert str(Origin("-", 7, 1, "2001:db8::1").raised()) == "- 7 2 IN IP6 2001:db8::1"
    assert str(Origin("-", 7, 1, "pbx.example", "IP6")) == "- 7 1 IN IP6 pbx.example"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"v=1\r\no=-\r\n",
        b"o=-\r\nv=0\r\n",
        b"v=0\r\n",
        b"v=0\r\ns=-\r\nm=audio 1 RTP/AVP 8\r\no=late\r\n",
        b"v=0\r\no=a\r\no=b\r\n",
        b"v=0\r\no=a\r\ns=1\r\ns=2\r\n",
        b"v=0\r\no=a\r\n\r\nt=0 0\r\n",
        b"v=0\r\no=a\r\nnonsense\r\n",
        b"v=0\r\no=a\r\n1=x\r\n",
        b"v=0\r\no=a\rb\r\n",
        b"v=0\r\no=a\0b\r\n",
        b"v=0\r\no=a\r\nm=audio\r\n",
        b"v=0\r\no=a\r\nm=audio 1 RTP/AVP\r\n",
        b"v=0\r\no=a\r\nm=audio 1 RTP/AVP" + b" 8" * 129,
        b"v=0\r\no=a\r\nm=audio x RTP/AVP 8\r\n",
        b"v=0\r\no=a\r\nm=audio 65536 RTP/AVP 8\r\n",
        b"v=0\r\no=a\r\nm=audio 123456 RTP/AVP 8\r\n",
        b"v=0\r\no=a\r\nm=audio 1/0 RTP/AVP 8\r\n",
        b"v=0\r\no=a\r\nm=audio 1/ RTP/AVP 8\r\n",
        "v=0\r\no=a\r\nm=audio \u0661 RTP/AVP 8\r\n".encode(),
        b"v=0\r\no=a\r\ns=" + b"x" * MAX_BYTES,
        b"v=0\r\no=a\r\n" + b"a=x\n" * 1000,
        b"v=0\r\no=a\r\na crypto " + KEY.encode(),
    ],
)
def test_what_is_no_description_is_refused_with_400(data: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        Description.parse(data)
    assert caught.value.status == 400
    assert KEY not in str(caught.value)


def test_text_that_has_no_bytes_is_refused() -> None:
    with pytest.raises(ParseError):
        Description.parse("v=0\r\no=\ud800\r\n")


def test_port_direction_and_address_can_be_changed() -> None:
    audio = read(AUDIO.replace("49170", "49170/2") + "c=IN IP4 192.0.2.77\r\n")
    changed = audio.with_port(0).with_direction("sendonly").with_connection("2001:db8::9")
    assert changed.lines[:2] == ("m=audio 0/2 RTP/AVP 8 0 18 101", "c=IN IP6 2001:db8::9")
    assert changed.port == 0
    assert changed.stated_direction == "sendonly"
    assert changed.connection == "2001:db8::9"
    assert len(changed.lines) == len(audio.lines)
    assert audio.with_direction("sendrecv") is audio


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_changed_sections_are_written_with_the_line_ends_of_the_rest(end: str) -> None:
    description = Description.parse((HEAD + AUDIO).replace("\r\n", end))
    changed = description.with_media([description.media[0].with_port(7)])
    assert str(changed) == str(description).replace("49170", "7")
    assert changed.media[0].port == 7


printable = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=20)
rows = st.one_of(
    st.builds("{}={}".format, st.sampled_from("vticbakzZ"), printable),
    st.sampled_from(
        [row for row in (HEAD + AUDIO + FOREIGN).split() if row[1:2] == "=" and row[0] not in "os"]
    ),
    st.builds(
        "m={} {} RTP/AVP {}".format,
        st.sampled_from(["audio", "video", "image"]),
        st.integers(0, 65535),
        st.integers(0, 127),
    ),
)


@given(st.lists(rows, max_size=30), st.sampled_from(["\r\n", "\n"]), st.booleans())
def test_any_lines_come_back_as_they_were(lines: list[str], end: str, ended: bool) -> None:
    text = end.join(["v=0", "o=- 1 1 IN IP4 192.0.2.1", *lines]) + (end if ended else "")
    try:
        description = Description.parse(text)
    except ParseError as wrong:
        # the only line that chance can break here
        if wrong.where != "SDP m=":
            raise
        return
    assert str(description) == text
    assert len(description.media) == sum(line[0] == "m" for line in lines)
    look(description)


@given(st.binary(max_size=300) | st.binary(max_size=120).map(lambda tail: (HEAD + AUDIO).encode() + tail))
def test_any_bytes_are_a_description_or_a_parse_error(data: bytes) -> None:
    try:
        description = Description.parse(data)
    except ParseError:
        return
    assert bytes(description) == data
    look(description)


def look(description: Description) -> None:
    """Every view of a description is a value or a ParseError."""
    for media in description.media:
        assert media.direction in ("sendrecv", "sendonly", "recvonly", "inactive")
        assert isinstance(media.crypto, tuple)
        assert media.ptime is None or media.ptime > 0
        for payload_type in media.formats:
            media.rtpmap(payload_type)
            media.fmtp(payload_type)
        with suppress(ParseError):
            assert " " not in media.connection
            assert 0 <= media.rtcp.port <= 65535
    with suppress(ParseError):
        assert Origin.parse(str(description.origin)) == description.origin
