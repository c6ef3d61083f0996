"""SIP, SIPS and tel URIs."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sip.uri import Uri, escape_user, format_host, unescape

USER = st.from_regex(r"([a-zA-Z0-9+;,?/$=&*'()!~._-]|%[0-9A-F]{2}){1,12}", fullmatch=True)
WORD = st.from_regex(r"([a-zA-Z0-9._!~*'()\[\]/:&+$-]|%[0-9a-f]{2}){1,8}", fullmatch=True)
HOST = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?(\.[a-z][a-z0-9]{0,4}){0,3}", fullmatch=True),
    st.ip_addresses().map(str),
)
PARAMS = st.lists(st.tuples(WORD, st.none() | WORD), max_size=3, unique_by=lambda p: p[0].lower()).map(tuple)
URIS = st.builds(
    Uri,
    scheme=st.sampled_from(["sip", "sips"]),
    user=USER,
    password=st.just("") | WORD.map(lambda w: w.replace(":", "")),
    host=HOST,
    port=st.none() | st.integers(0, 65535),
    params=PARAMS,
    headers=st.just("") | st.just("Subject=call%20me&Priority=urgent"),
)


@given(URIS)
def test_text_and_value_are_each_others_inverse(uri: Uri) -> None:
    assert Uri.parse(str(uri)) == uri
    assert str(Uri.parse(str(uri))) == str(uri)


@given(st.text(max_size=60) | st.from_regex(r"(sips?|tel|urn):[^\s]{0,40}"))
@example("sip:[::1")
@example("sip:\N{ARABIC-INDIC DIGIT ONE}@a")
def test_any_text_is_a_uri_or_a_parse_error(text: str) -> None:
    try:
        uri = Uri.parse(text)
    except ParseError:
        return
    assert Uri.parse(str(uri)) == uri
    assert uri.same(uri)
    assert isinstance(uri.number, str)
    assert isinstance(uri.header("Subject"), str | None)


@pytest.mark.rfc("3261#19.1.3")
def test_every_part_is_read() -> None:
    uri = Uri.parse(
        "SIP:alice:secret@SBC.example.com:5062;transport=tcp;lr;maddr=192.0.2.1?Subject=hi%20you&x="
    )
    assert (uri.scheme, uri.user, uri.password) == ("sip", "alice", "secret")
    assert (uri.host, uri.port, uri.hostport) == ("SBC.example.com", 5062, "SBC.example.com:5062")
    assert uri.params == (("transport", "tcp"), ("lr", None), ("maddr", "192.0.2.1"))
    assert (uri.param("Transport"), uri.param("LR"), uri.param("ttl")) == ("tcp", "", None)
    assert (uri.header("subject"), uri.header("X"), uri.header("Route")) == ("hi you", "", None)


@pytest.mark.rfc("3261#25.1")
def test_user_may_hold_what_looks_like_delimiters() -> None:
    uri = Uri.parse("sip:a;b?c/d=e@example.com;f=g")
    assert (uri.user, uri.params) == ("a;b?c/d=e", (("f", "g"),))


def test_ipv6_host_loses_its_brackets_and_gets_them_back() -> None:
    uri = Uri.parse("sip:bob@[2001:db8::9]:5060")
    assert (uri.host, uri.port, uri.hostport) == ("2001:db8::9", 5060, "[2001:db8::9]:5060")
    assert str(uri) == "sip:bob@[2001:db8::9]:5060"
    assert Uri.parse("sip:[2001:db8::9]").hostport == "[2001:db8::9]"
    assert str(Uri.parse("sip:[2001:db8::9];lr")) == "sip:[2001:db8::9];lr"
    assert (format_host("2001:db8::9"), format_host("[::1]"), format_host("a.b")) == (
        "[2001:db8::9]",
        "[::1]",
        "a.b",
    )


def test_other_schemes_are_opaque() -> None:
    assert Uri.parse("urn:service:sos") == Uri("urn", opaque="service:sos")
    assert str(Uri.parse("http://www.example.com/a?b")) == "http://www.example.com/a?b"
    assert str(Uri("", opaque="*")) == "*"


@pytest.mark.rfc("3966#3")
def test_tel_is_a_number_with_parameters() -> None:
    uri = Uri.parse("tel:+33-1-99-00-12-34;phone-context=example.com")
    assert (uri.user, uri.host, uri.number) == ("+33-1-99-00-12-34", "", "+33199001234")
    assert uri.param("phone-context") == "example.com"
    assert str(uri) == "tel:+33-1-99-00-12-34;phone-context=example.com"
    assert uri.same(Uri.parse("TEL:+33199001234;phone-context=Example.com"))
    assert not uri.same(Uri.parse("tel:+33199001234"))
    assert not uri.same(Uri.parse("tel:+33199001235;phone-context=example.com"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("sip:+33199001234@h;user=phone", "+33199001234"),
        ("sip:+33-1.99(00)12-34@h", "+33199001234"),
        ("sip:%2B33199%3001234@h", "+33199001234"),
        ("sip:0199001234;phone-context=+33@h", "0199001234"),
        ("sip:112@h", "112"),
        ("sip:alice@h", ""),
        ("sip:*21%23@h", ""),
        ("sip:+@h", ""),
        ("sip:h", ""),
        ("urn:service:sos", ""),
    ],
)
def test_number_is_digits_or_nothing(text: str, number: str) -> None:
    assert Uri.parse(text).number == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        ":a@b",
        "1sip:a@b",
        "s_p:a@b",
        "sip:@host",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@c",
        "sip:a@b ",
        " sip:a@b",
        "<sip:a@b>",
        'sip:"a"@b',
        "sip:é@b",
        "sip:a@b\x00",
        "sip:a%4@b",
        "sip:a%zz@b",
        "sip:a%@b",
        "sip:a@b;",
        "sip:a@b;;lr",
        "sip:a@b;=x",
        "sip:a@b;lr;LR",
        "sip:a@b?",
        "sip:a@b:port",
        "sip:a@b:",
        "sip:a@b:65536",
        "sip:a@b:000000080",
        "sip:a@b:-1",
        "sip:a@[::1",
        "sip:a@[::1]x",
        "sip:a@[1.2.3.4]",
        "sip:a@[fe80::1%25eth0]",
        "sip:a@::1",
        "sip:a@b,c",
        "sip:a@;lr",
        "tel:",
        "tel:+",
        "tel:call-me",
        "tel:1+2",
        "tel:+33;",
        "tel:;x=y",
    ],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        Uri.parse(text)
    assert caught.value.status == 400


def test_long_uris_are_read_without_filling_the_cache() -> None:
    text = f"sip:{'a' * 500}@example.com"
    assert str(Uri.parse(text)) == text


def test_copies_change_one_thing() -> None:
    uri = Uri.parse("sip:alice@example.com;transport=tcp;lr")
    assert str(uri.replace(host="example.net", port=5070)) == "sip:alice@example.net:5070;transport=tcp;lr"
    assert str(uri.with_param("Transport", "tls")) == "sip:alice@example.com;Transport=tls;lr"
    assert str(uri.with_param("ob")) == "sip:alice@example.com;transport=tcp;lr;ob"
    assert str(uri.without_param("LR")) == "sip:alice@example.com;transport=tcp"


@pytest.mark.rfc("3261#19.1.4")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61nne@lille.example;transport=TCP", "sip:anne@LiLLe.example;Transport=tcp"),
        ("sip:louise@nantes.example", "sip:louise@nantes.example;size=5"),
        ("sip:louise@nantes.example;colour=red", "sip:louise@nantes.example;size=5"),
        (
            "sip:brest.example;transport=tcp;method=REGISTER?to=sip:bob%40brest.example",
            "sip:brest.example;method=REGISTER;transport=tcp?to=sip:bob%40brest.example",
        ),
        ("sip:a@b?subject=x&priority=urgent", "sip:a@b?priority=urgent&Subject=x"),
        ("sip:a@[2001:db8::0:1]", "sip:a@[2001:DB8:0::1]"),
        ("sip:a%c3%a9@b", "sip:a%C3%A9@b"),
        ("urn:service:sos", "URN:service:sos"),
    ],
)
def test_equivalent_uris_are_the_same(one: str, other: str) -> None:
    assert Uri.parse(one).same(Uri.parse(other))
    assert Uri.parse(other).same(Uri.parse(one))


@pytest.mark.rfc("3261#19.1.4")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@example.com;transport=udp", "sip:alice@example.com;transport=UDP"),
        ("sip:bob@brest.example", "sip:bob@brest.example:5060"),
        ("sip:bob@brest.example", "sip:bob@brest.example;transport=udp"),
        ("sip:bob@brest.example", "sip:bob@brest.example:6000;transport=tcp"),
        ("sip:louise@nantes.example", "sip:louise@nantes.example?Subject=lunch"),
        ("sip:bob@poste21.example", "sip:bob@192.0.2.4"),
        ("sip:louise@nantes.example;colour=red", "sip:louise@nantes.example;colour=blue"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a:x@b", "sip:a:y@b"),
        ("sip:a%3Bb@c", "sip:a;b@c"),
        ("urn:service:sos", "urn:service:fire"),
    ],
)
def test_uris_that_differ_are_not_the_same(one: str, other: str) -> None:
    assert not Uri.parse(one).same(Uri.parse(other))
    assert not Uri.parse(other).same(Uri.parse(one))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_can_be_escaped_into_a_user(text: str) -> None:
    assert unescape(escape_user(text)) == text
    if text:
        assert Uri.parse(f"sip:{escape_user(text)}@h").user == escape_user(text)


def test_escaped_octets_that_are_no_utf8_survive() -> None:
    assert escape_user(unescape("%FFa%20")) == "%FFa%20"
