"""Typed header values."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sip.uri import Uri
from trunkline.sip.values import (
    STAR,
    Address,
    Challenge,
    Credentials,
    CSeq,
    MediaType,
    RAck,
    Reason,
    Replaces,
    RetryAfter,
    SessionExpires,
    Via,
    Warn,
    Word,
    parse_auth_params,
    parse_call_id,
    parse_contact,
)

PARSERS: tuple[Callable[[str], object], ...] = (
    Address.parse,
    parse_contact,
    Via.parse,
    CSeq.parse,
    RAck.parse,
    Replaces.parse,
    SessionExpires.parse,
    Reason.parse,
    RetryAfter.parse,
    MediaType.parse,
    Word.parse,
    Challenge.parse,
    Credentials.parse,
    Warn.parse,
)
# Pieces of headers, so that random text comes near to real values.
PIECES = st.lists(
    st.sampled_from(
        [
            "SIP",
            "/",
            "2.0",
            "UDP",
            " ",
            "\t",
            "h.example",
            "192.0.2.1",
            ":",
            "5060",
            ";",
            "branch",
            "=",
            "z9hG4bK",
            ",",
            '"',
            "\\",
            "<",
            ">",
            "sip:a@b",
            "tag",
            "1",
            "42",
            "INVITE",
            "(",
            ")",
            "to-tag",
            "from-tag",
            "early-only",
            "cause",
            "text",
            "refresher",
            "uac",
            "Digest",
            "realm",
            "é",
            "\x00",
            "[",
            "::1",
            "]",
            "*",
            "duration",
            "a",
        ]
    ),
    max_size=14,
).map("".join)


@given(st.sampled_from(PARSERS), PIECES | st.text(st.characters(exclude_characters="\r\n"), max_size=40))
def test_any_text_is_a_value_that_comes_back_or_a_parse_error(
    parse: Callable[[str], object], text: str
) -> None:
    try:
        value = parse(text)
    except ParseError:
        return
    assert parse(str(value)) == value
    assert "\n" not in str(value)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (Address.parse, '"Alice \\"A\\" Martin" <sip:+33199000101@example.com;user=phone>;tag=a1'),
        (Address.parse, "<sip:a@b>"),
        (Address.parse, "<sip:a@b?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1"),
        (Address.parse, '<sip:a@b>;+sip.instance="<urn:uuid:0-1>";expires=60'),
        (parse_contact, "*"),
        (Via.parse, "SIP/2.0/UDP 192.0.2.1:5060;rport=5060;received=2001:db8::1;branch=z9hG4bK-.!%66*"),
        (Via.parse, "SIP/2.0/TLS [2001:db8::1]:5061;rport;branch=z9hG4bKx"),
        (CSeq.parse, "2147483647 INVITE"),
        (RAck.parse, "776656 1 INVITE"),
        (Replaces.parse, "a@b;to-tag=1;from-tag=2;early-only;x=y"),
        (SessionExpires.parse, "1800;refresher=uac;x=y"),
        (SessionExpires.parse, "90"),
        (Reason.parse, 'Q.850;cause=16;text="Normal \\"call\\" clearing";x=y'),
        (Reason.parse, "SIP"),
        (RetryAfter.parse, "18000 (in a \\) meeting (long));duration=3600;x=y"),
        (RetryAfter.parse, "5"),
        (MediaType.parse, 'multipart/mixed;boundary="a b"'),
        (MediaType.parse, "*/*"),
        (Word.parse, "message-summary;id=1"),
        (Challenge.parse, 'Digest realm="a\\"b", nonce="x", qop="auth", algorithm=SHA-256, stale=true'),
        (Credentials.parse, 'Digest username="bob", nc=00000001, qop=auth'),
        (Credentials.parse, "Bearer abc.def=="),
        (Warn.parse, '399 sbc.example.com "No capacity"'),
    ],
)
def test_written_as_read(parse: Callable[[str], object], text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.rfc("3261#20.10")
def test_address_is_name_uri_and_parameters() -> None:
    address = Address.parse('"Martin, Alice" <sip:a@b;lr>;tag=x;q="0.5"')
    assert (address.display, address.uri, address.tag) == ("Martin, Alice", Uri.parse("sip:a@b;lr"), "x")
    assert (address.param("Q"), address.param("z")) == ("0.5", None)
    assert str(address.with_param("TAG", "y")) == '"Martin, Alice" <sip:a@b;lr>;TAG=y;q="0.5"'
    assert str(Address.parse("<sip:a@b>").with_param("ob")) == "<sip:a@b>;ob"
    assert address.without_param("Tag").tag == ""
    assert Address.parse("<sip:a@b>;tag").tag == ""


@pytest.mark.rfc("3261#20.10")
def test_without_brackets_parameters_are_the_headers() -> None:
    address = Address.parse("sip:a@b ;Tag=x")
    assert (address.uri.params, address.tag) == ((), "x")
    assert str(address) == "<sip:a@b>;Tag=x"


def test_unquoted_names_may_be_words_and_accents() -> None:
    assert Address.parse("Jean  d'Arc\t<sip:a@b>").display == "Jean d'Arc"
    assert Address.parse("Élise<sip:a@b>").display == "Élise"
    assert Address.parse(' "" <sip:a@b>').display == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "Bell, A <sip:a@b>",
        "A. (x) <sip:a@b>",
        "a\x07 <sip:a@b>",
        '"A <sip:a@b>',
        '"A" sip:a@b',
        '"A"',
        "<sip:a@b",
        "< sip:a@b>",
        "<sip:a@b >",
        "<sip:a@b>x",
        "<sip:a@b>;",
        "sip:a@b?x=y",
        "sip:a,b@c",
        "sip:a;b@c",
        "sip:a@b;tag=1?x=y",
        "sip:a@b>",
        '"A\r\nVia: x" <sip:a@b>',
        "<>",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        Address.parse(text)
    assert caught.value.status == 400


def test_star_is_a_contact_and_no_other_address() -> None:
    assert parse_contact(" * ") is STAR
    assert parse_contact("<sip:a@b>") != STAR


@pytest.mark.rfc("3261#20.42")
def test_via_is_one_hop() -> None:
    via = Via.parse(
        "SIP/2.0/udp sbc.example.com:5062;received=[2001:db8::1];rport=33000;branch=z9hG4bK1;Hidden"
    )
    assert (via.transport, via.host, via.port, via.sent_by) == (
        "UDP",
        "sbc.example.com",
        5062,
        "sbc.example.com:5062",
    )
    assert (via.branch, via.received, via.rport) == ("z9hG4bK1", "2001:db8::1", "33000")
    assert (via.param("hidden"), via.param("ttl")) == ("", None)
    assert str(Via("UDP", "::1").with_param("rport")) == "SIP/2.0/UDP [::1];rport"


@pytest.mark.rfc("3581#4")
def test_rport_is_absent_asked_for_or_filled_in() -> None:
    asked = Via.parse("SIP/2.0/UDP h;rport")
    assert (Via.parse("SIP/2.0/UDP h").rport, asked.rport, asked.with_param("rport", "5").rport) == (
        None,
        "",
        "5",
    )
    assert (asked.branch, asked.received) == ("", "")


@pytest.mark.parametrize(
    ("text", "via"),
    [
        ("SIP / 2.0 / TCP\th ; a = b", Via("TCP", "h", None, (("a", "b"),))),
        ("SIP/2.0/ UDP h : 5060", Via("UDP", "h", 5060)),
        ("sip/2.0/UDP  h", Via("UDP", "h")),
        ("SIP/7.0/UDP h", Via("UDP", "h", protocol="SIP/7.0")),
    ],
)
def test_via_may_hold_space_between_its_words(text: str, via: Via) -> None:
    assert Via.parse(text) == via


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0 h",
        "SIP//UDP h",
        "/2.0/UDP h",
        "SIP/2.0/U@P h",
        "SIP/2.0/UDP h;",
        "SIP/2.0/UDP h x",
        "SIP/2.0/UDP :5060",
        "SIP/2.0/UDP ::1",
        "UDP h",
        "SIP/2.0/ /UDP h",
    ],
)
def test_what_is_no_via_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        Via.parse(text)


def test_cseq_may_have_leading_zeros_and_wide_space() -> None:
    assert CSeq.parse("0009 \t INVITE") == CSeq(9, "INVITE")
    assert CSeq.parse("1\tBYE") == CSeq(1, "BYE")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (CSeq.parse, "2147483648 INVITE"),
        (CSeq.parse, "1"),
        (CSeq.parse, "1 INV ITE"),
        (CSeq.parse, "one INVITE"),
        (RAck.parse, "1 INVITE"),
        (RAck.parse, "x 1 INVITE"),
        (Replaces.parse, "a@b;to-tag=1"),
        (Replaces.parse, "a@b;from-tag=1"),
        (Replaces.parse, ";to-tag=1;from-tag=2"),
        (SessionExpires.parse, "soon"),
        (SessionExpires.parse, "90;refresher=me"),
        (SessionExpires.parse, "90;"),
        (Reason.parse, ";cause=16"),
        (Reason.parse, "Q.850;cause=1000"),
        (Reason.parse, "Q.850;cause=x"),
        (RetryAfter.parse, "(later)"),
        (RetryAfter.parse, "5 (open"),
        (RetryAfter.parse, "5 soon"),
        (RetryAfter.parse, "5;duration=x"),
        (MediaType.parse, "application"),
        (MediaType.parse, "application/"),
        (MediaType.parse, "a/b/c"),
        (Word.parse, ""),
        (Word.parse, "a b"),
        (Challenge.parse, ""),
        (Challenge.parse, "Digest"),
        (Challenge.parse, 'Digest realm="a", realm="b"'),
        (Challenge.parse, "Digest realm=a,"),
        (Credentials.parse, "Digest =a"),
        (Credentials.parse, "Bearer a b"),
        (Warn.parse, '1000 h "x"'),
        (Warn.parse, "399 h x"),
        (Warn.parse, "399 h"),
        (Warn.parse, '3x9 h "x"'),
        (Warn.parse, '399 h "x" y'),
    ],
)
def test_wrong_values_are_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


def test_session_expires_says_who_refreshes() -> None:
    assert SessionExpires.parse("1800 ; Refresher=UAS") == SessionExpires(1800, "uas")


@pytest.mark.rfc("3326#2")
def test_reason_has_cause_and_text() -> None:
    assert Reason.parse("Q.850 ; cause=17 ; text=Busy") == Reason("Q.850", 17, "Busy")


def test_replaces_names_a_dialog() -> None:
    replaces = Replaces.parse("x@y;from-tag=f;to-tag=t")
    assert (replaces.call_id, replaces.to_tag, replaces.from_tag, replaces.early_only) == (
        "x@y",
        "t",
        "f",
        False,
    )


def test_media_type_ignores_case_but_not_in_parameters() -> None:
    kind = MediaType.parse("Application/SDP ; Charset=UTF-8")
    assert (kind, kind.param("charset")) == (
        MediaType("application", "sdp", (("Charset", "UTF-8"),)),
        "UTF-8",
    )
    assert Word.parse("presence;id=7").param("id") == "7"


def test_challenges_and_credentials_give_their_parameters_by_name() -> None:
    challenge = Challenge.parse('Digest Realm="sbc \\"1\\"", algorithm=MD5')
    assert (challenge.scheme, challenge.get("realm"), challenge.get("qop")) == ("Digest", 'sbc "1"', None)
    assert challenge.params == (("Realm", 'sbc "1"', True), ("algorithm", "MD5", False))
    credentials = Credentials.parse("Digest  uri=x")
    assert (credentials.get("URI"), credentials.get("nc")) == ("x", None)
    assert parse_auth_params('nextnonce="n"', "Authentication-Info") == (("nextnonce", "n", True),)


def test_call_id_is_one_visible_word() -> None:
    assert parse_call_id('a"<b>@c') == 'a"<b>@c'
    for wrong in ("", "a b", "é", "a\x00"):
        with pytest.raises(ParseError, match="Call-ID"):
            parse_call_id(wrong)
