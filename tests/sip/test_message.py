"""Messages: lossless, lazy, built and answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sip.headers import STAR, Address, CSeq, Via
from trunkline.sip.lines import MAX_MESSAGE
from trunkline.sip.message import (
    METHODS,
    REASONS,
    MessageError,
    Request,
    Response,
    check,
    parse,
    respond,
)
from trunkline.sip.uri import Uri

HEAD = (
    "INVITE sip:+33199001234@sbc1.example.com SIP/2.0\r\n"
    "v: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKone, SIP/2.0/UDP 192.0.2.11;branch=z9hG4bKtwo\r\n"
    "Via:SIP/2.0/TCP 192.0.2.12;branch=z9hG4bKthree\r\n"
    "Max-Forwards: 70\r\n"
    'From: "Élise" <sip:elise@example.com>;tag=f1\r\n'
    "To: <sip:+33199001234@sbc1.example.com>\r\n"
    "Call-ID: c1@192.0.2.10\r\n"
    "CSeq: 1\r\n INVITE\r\n"
    "Record-Route: <sip:p1.example.com;lr>\r\n"
    "Record-Route: <sip:p2.example.com;lr>\r\n"
    "Timestamp: 54\r\n"
    "Contact: <sip:elise@192.0.2.10>\r\n"
)
BODY = b"v=0\r\n\xff\x00"
DATA = HEAD.encode() + b"Content-Length: 7\r\n\r\n" + BODY


def invite() -> Request:
    message = parse(DATA)
    assert isinstance(message, Request)
    return message


def changed(old: str, new: str) -> bytes:
    assert old in HEAD
    return HEAD.replace(old, new).encode() + b"\r\n"


def refused(data: bytes) -> MessageError:
    with pytest.raises(MessageError) as caught:
        parse(data)
    return caught.value


def test_untouched_message_is_the_bytes_it_came_as() -> None:
    assert bytes(invite()) == DATA
    assert invite() == invite()
    assert hash(invite()) == hash(invite())
    assert invite() != invite().without("To")
    assert invite() != "INVITE"
    assert repr(invite()) == "<INVITE sip:+33199001234@sbc1.example.com SIP/2.0 (12 headers, 7 octets)>"


LINES = st.one_of(
    st.binary(max_size=30).map(lambda b: b"X-Odd: " + b.replace(b"\r", b"").replace(b"\n", b"")),
    st.binary(max_size=30).map(lambda b: b"Subject :\r\n\t" + b.replace(b"\r", b"").replace(b"\n", b"")),
    st.sampled_from([b"To: <sip:a@b>", b"i: 1", b"CSeq: 1 BYE", b"Content-Type:", b"v:\r\n  SIP/2.0/UDP h"]),
)


@given(st.lists(LINES, max_size=6), st.binary(max_size=40))
def test_any_lines_and_body_come_back_untouched(lines: list[bytes], body: bytes) -> None:
    data = b"\r\n".join([b"BYE sip:a@b SIP/2.0", *lines, b"", b""]) + body
    assert bytes(parse(data)) == data


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_message_error(data: bytes) -> None:
    for start in (b"", b"BYE sip:a@b SIP/2.0\r\n", b"SIP/2.0 200 OK\r\nVia: ", DATA[:-40], DATA[:60]):
        try:
            message = parse(start + data)
        except MessageError:
            continue
        assert (start + data).lstrip(b"\r\n").startswith(bytes(message))
        try:
            check(message)
        except ParseError:
            continue
        assert message.via.host


@given(st.integers(0, len(DATA) - 1), st.integers(0, 255))
def test_one_wrong_octet_is_refused_or_harmless_and_can_be_answered(at: int, octet: int) -> None:
    request, status = None, 200
    try:
        message = parse(DATA[:at] + bytes([octet]) + DATA[at + 1 :])
        request = message if isinstance(message, Request) else None
        check(message)
    except MessageError as error:
        request, status = error.message, error.status
    except ParseError as error:
        status = error.status
    if request is not None:
        answer = bytes(respond(request, status, to_tag="x"))
        assert bytes(parse(answer)) == answer


def test_headers_are_found_by_any_name() -> None:
    request = invite()
    assert request.get("via") == request.all("V")[0]
    assert request.all("VIA")[1] == "SIP/2.0/TCP 192.0.2.12;branch=z9hG4bKthree"
    assert (request.get("cseq"), request.get("Subject"), request.all("X-None")) == ("1 INVITE", None, [])
    assert (request.value("Subject"), request.values("Route")) == (None, ())
    assert len(request.values("Via")) == 3
    assert request.values("Via") is request.values("v")


def test_typed_headers_of_every_request() -> None:
    request = invite()
    assert (request.method, request.uri_text, request.uri.user) == (
        "INVITE",
        str(request.uri),
        "+33199001234",
    )
    assert request.via == Via("UDP", "192.0.2.10", 5060, (("branch", "z9hG4bKone"),))
    assert (request.branch, request.from_.display, request.from_tag, request.to_tag) == (
        "z9hG4bKone",
        "Élise",
        "f1",
        "",
    )
    assert (request.to.uri.host, request.call_id, request.cseq) == (
        "sbc1.example.com",
        "c1@192.0.2.10",
        CSeq(1, "INVITE"),
    )
    assert (request.contact, request.max_forwards) == (Address("", Uri.parse("sip:elise@192.0.2.10")), 70)
    bare = request.without("Contact").without("Max-Forwards")
    assert (bare.contact, bare.max_forwards) == (None, None)
    assert request.with_header("m", "*").contact is STAR


def test_missing_or_wrong_headers_are_parse_errors_when_asked_for() -> None:
    with pytest.raises(ParseError, match="Call-ID"):
        _ = invite().without("Call-ID").call_id
    with pytest.raises(ParseError, match="Via"):
        _ = invite().with_header("Via", "nonsense").via
    with pytest.raises(ParseError, match="scheme"):
        _ = invite().with_uri("nonsense").uri


def test_copies_leave_the_message_alone() -> None:
    request = invite()
    replaced = request.with_header("Via", "SIP/2.0/UDP h")
    assert (len(replaced.all("Via")), replaced.fields[0][1]) == (1, "Via: SIP/2.0/UDP h")
    assert request.with_header("X-New", 5).fields[-1] == ("x-new", "X-New: 5")
    assert request.prepended("Via", Via("UDP", "h")).via.host == "h"
    assert request.without("Record-Route").all("Record-Route") == []
    assert request.with_uri(Uri.parse("sip:b@c")).start == "INVITE sip:b@c SIP/2.0"
    assert isinstance(request.with_uri("sip:b@c"), Request)
    assert bytes(request) == DATA


def test_a_new_body_brings_its_type_and_length() -> None:
    request = invite().with_body(b"hello", "text/plain")
    assert (request.get("Content-Type"), request.get("Content-Length"), request.body) == (
        "text/plain",
        "5",
        b"hello",
    )
    assert request.with_body(b"", "text/plain").get("c") is None


def test_build_writes_what_parse_reads() -> None:
    headers: list[tuple[str, object]] = [("v", Via("UDP", "h")), ("CSeq", CSeq(2, "INFO")), ("X-A", "b")]
    request = Request.build("INFO", Uri.parse("sip:a@b"), headers, b"body", "text/plain")
    assert bytes(request) == (
        b"INFO sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h\r\nCSeq: 2 INFO\r\nX-A: b\r\n"
        b"Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody"
    )
    assert parse(bytes(request)) == request
    typed = Request.build("INFO", "sip:a@b", [("Content-Type", "x/y")], b"body")
    assert typed.all("Content-Type") == ["x/y"]
    assert Request.build("ACK", "sip:a@b", []).fields == [("content-length", "Content-Length: 0")]


def test_response_build_takes_the_usual_words() -> None:
    assert Response.build(486, None, []).start == "SIP/2.0 486 Busy Here"
    assert Response.build(486, "", []).start == "SIP/2.0 486 "
    assert Response.build(499, None, [("Via", "SIP/2.0/UDP h")], b"x").reason == "Unknown"
    assert all(100 <= status <= 699 and words for status, words in REASONS.items())


def test_nothing_built_can_smuggle_a_line_end() -> None:
    for wrong in ("a\r\nVia: b", "a\nb", "a\rb"):
        with pytest.raises(ValueError, match="line end"):
            Request.build("BYE", "sip:a@b", [("Subject", wrong)])
        with pytest.raises(ValueError, match="line end"):
            Request.build("BYE", wrong, [])
        with pytest.raises(ValueError, match="line end"):
            respond(invite(), 200, wrong)
        with pytest.raises(ValueError, match="line end"):
            invite().with_uri(wrong)


@pytest.mark.rfc("3261#8.2.6.2")
def test_response_copies_what_it_must_line_by_line() -> None:
    request = invite()
    response = respond(request, 180, to_tag="t1", headers=[("Contact", STAR)])
    assert (response.status, response.reason) == (180, "Ringing")
    assert [line for _, line in response.fields] == [
        *(request.fields[at][1] for at in (0, 1, 3)),
        "To: <sip:+33199001234@sbc1.example.com>;tag=t1",
        "Call-ID: c1@192.0.2.10",
        "CSeq: 1\r\n INVITE",
        "Record-Route: <sip:p1.example.com;lr>",
        "Record-Route: <sip:p2.example.com;lr>",
        "Contact: *",
        "Content-Length: 0",
    ]
    assert parse(bytes(response)) == response
    assert response.to.tag == "t1"


@pytest.mark.rfc("3261#8.2.6.1")
def test_trying_has_no_tag_and_gives_the_timestamp_back() -> None:
    trying = respond(invite(), 100, to_tag="t1")
    assert (trying.to_tag, trying.get("Timestamp"), trying.get("Record-Route")) == ("", "54", None)


@pytest.mark.rfc("3261#12.1.1")
def test_refusals_carry_no_record_route() -> None:
    assert respond(invite(), 486, "Busy", to_tag="t1").get("Record-Route") is None
    assert respond(invite(), 200, body=b"v=0", content_type="a/b").get("Content-Type") == "a/b"


def test_a_tag_is_never_replaced() -> None:
    request = invite().with_header("To", "<sip:a@b>;tag=theirs")
    assert respond(request, 200, to_tag="ours").to_tag == "theirs"
    for wrong, answer in (
        ('"open <sip:a@b>;tag = theirs', '"open <sip:a@b>;tag = theirs'),
        ('"open <sip:a@b>', '"open <sip:a@b>;tag=ours'),
    ):
        assert respond(request.with_header("To", wrong), 400, to_tag="ours").get("To") == answer


# What is refused


def test_leading_line_ends_are_skipped_and_octets_behind_dropped() -> None:
    assert bytes(parse(b"\r\n\r\n\r\n" + DATA + b"behind")) == DATA


def test_without_content_length_a_datagram_is_all_body() -> None:
    assert parse(HEAD.encode() + b"\r\n" + BODY * 3).body == BODY * 3


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"\r\n\r\n", 400),
        (b"\x00" * 70000, 513),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"B(E sip:a@b SIP/2.0\r\n\r\n", 400),
        (b"SIP/2.0 20 OK\r\n\r\n", 400),
        (b"SIP/2.0 099 OK\r\n\r\n", 400),
        (b"SIP/2.0 700 OK\r\n\r\n", 400),
        (b"SIP/2.0 2000 OK\r\n\r\n", 400),
        (b"SIP/2.0 200\r\n\r\n", 400),
        (b"SIP/2.0  200 OK\r\n\r\n", 400),
        (b"SIP/3.0 200 OK\r\n\r\n", 505),
        (b"SIP/2.0 200 OK\r\nno colon\r\n\r\n", 400),
        (b"SIP/2.0 200 OK\r\nContent-Length: 1\r\n\r\n", 400),
        (DATA.replace(b"Max-Forwards: 70\r\n", b"Max-Forwards: 70\nX: y\r\n"), 400),
        (DATA.replace(b"Max-Forwards: 70\r\n", b"Max-Forwards: 70\rX: y\r\n"), 400),
        (DATA.replace(b"\r\n", b"\n"), 400),
    ],
)
def test_what_cannot_be_answered_has_no_message(data: bytes, status: int) -> None:
    error = refused(data)
    assert (error.status, error.message) == (status, None)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("INVITE sip:+33199001234@sbc1.example.com ", "INVITE  sip:a@b ", 400),
        ("INVITE sip:+33199001234@sbc1.example.com ", "INVITE sip:a@b;x y ", 400),
        ("SIP/2.0\r\nv", "SIP/2.0 \r\nv", 400),
        ("SIP/2.0\r\nv", "SIP/2.1\r\nv", 505),
        ("INVITE sip:+33199001234@sbc1.example.com ", "INVITE ", 400),
        ("Timestamp: 54", "Timestamp 54", 400),
        ("Timestamp: 54", "Content-Length: x", 400),
        ("Timestamp: 54", "Content-Length: 9", 400),
        ("Timestamp: 54", "X: y\r\n" * 300 + "Z: z", 400),
        ("Timestamp: 54", "X: " + "y" * 9000, 400),
    ],
)
def test_a_request_that_is_wrong_can_still_be_answered(old: str, new: str, status: int) -> None:
    error = refused(changed(old, new))
    assert error.status == status
    assert error.message is not None
    assert error.message.call_id == "c1@192.0.2.10"
    assert respond(error.message, status, to_tag="x").branch == "z9hG4bKone"


def test_an_unfinished_head_is_answered_as_far_as_it_goes() -> None:
    error = refused(HEAD.encode())
    assert error.message is not None
    assert error.message.cseq == CSeq(1, "INVITE")


def test_the_largest_message_is_read_and_one_octet_more_is_over_the_limit() -> None:
    room = MAX_MESSAGE - len(HEAD) - len(b"\r\n") - len("É".encode()) + len("É")
    data = HEAD.encode() + b"\r\n" + b"x" * room
    assert len(data) == MAX_MESSAGE
    assert len(parse(data).body) == room
    assert refused(data + b"x").over_limit
    assert not refused(b"\r\n").over_limit


def test_version_may_be_in_any_case() -> None:
    assert parse(b"BYE sip:a@b sip/2.0\r\n\r\n").start == "BYE sip:a@b sip/2.0"
    response = parse(b"sip/2.0 200 Fine \r\n\r\n")
    assert isinstance(response, Response)
    assert (response.status, response.reason) == (200, "Fine ")


def test_a_good_message_passes_and_so_does_one_from_before_rfc_3261() -> None:
    check(invite())
    check(parse(changed("Max-Forwards: 70\r\n", "").replace(b";tag=f1", b"")))
    check(respond(invite(), 200, to_tag="x"))
    check(parse(changed("Timestamp: 54", "X-Odd: \x00,;;\r\nX-Odd: again")))


@pytest.mark.parametrize("name", ["v", "From", "To", "Call-ID", "CSeq"])
@pytest.mark.rfc("3261#8.1.1")
def test_mandatory_headers_must_be_there(name: str) -> None:
    with pytest.raises(ParseError, match="expected this header") as caught:
        check(invite().without(name))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Timestamp: 54", "Timestamp: now"),
        ("Timestamp: 54", "t: <sip:a@b>"),
        ("Timestamp: 54", "Max-Forwards: 70"),
        ("Timestamp: 54", "Require:"),
        ("Timestamp: 54", "P-Asserted-Identity: a, b"),
        ("70", "256"),
        ("1\r\n INVITE", "2147483648 INVITE"),
        ("1\r\n INVITE", "1 BYE"),
        ("sip:+33199001234@sbc1.example.com SIP", "<sip:a@b> SIP"),
        ("sip:+33199001234@sbc1.example.com SIP", "sip:a@b?Subject=x SIP"),
        ("<sip:elise@192.0.2.10>", "<sip:elise@192.0.2.10"),
        ("192.0.2.12;", "192.0.2.12;;"),
    ],
)
def test_known_headers_must_be_well_formed(old: str, new: str) -> None:
    with pytest.raises(ParseError) as caught:
        check(parse(changed(old, new)))
    assert caught.value.status == 400


@pytest.mark.rfc("4475#3.1.2.18")
def test_an_unknown_method_is_told_before_its_cseq() -> None:
    assert "INVITE" in METHODS
    with pytest.raises(ParseError) as caught:
        check(parse(changed("INVITE sip", "FROBNICATE sip")))
    assert caught.value.status == 501
