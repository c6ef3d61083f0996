"""The table of headers: names, compact forms, lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sip.headers import HEADERS, KEYS, Address, Reason, Warn, canonical, typed
from trunkline.sip.uri import Uri


@pytest.mark.rfc("3261#7.3.3")
def test_compact_forms_and_any_case_are_one_header() -> None:
    for spelling in ("Call-ID", "call-id", "CALL-ID", "cAlL-iD", "i", "I"):
        assert canonical(spelling) == "call-id"
    assert canonical("X-Custom!") == "x-custom!"


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", "\N{KELVIN SIGN}", "Via "])
def test_what_is_no_token_is_no_header_name(name: str) -> None:
    with pytest.raises(ParseError):
        canonical(name)


def test_the_table_is_keyed_by_name_and_compact_forms_are_unique() -> None:
    assert all(key == spec.name.lower() for key, spec in HEADERS.items())
    letters = [spec.compact for spec in HEADERS.values() if spec.compact]
    assert len(letters) == len(set(letters))
    assert all(KEYS[letter] == key for key, spec in HEADERS.items() if (letter := spec.compact))
    assert {HEADERS[KEYS[letter]].name for letter in "vftimlcskoxrbue"} >= {
        "Via",
        "Session-Expires",
        "Refer-To",
    }


@pytest.mark.parametrize(
    ("key", "text", "values"),
    [
        ("allow", "INVITE, ACK,BYE", ("INVITE", "ACK", "BYE")),
        ("supported", "", ()),
        ("supported", "timer,, 100rel,", ("timer", "100rel")),
        ("privacy", "id;user; critical", ("id", "user", "critical")),
        ("max-forwards", "0070", (70,)),
        ("rseq", "988789", (988789,)),
        ("min-se", "90", (90,)),
        ("min-se", "90 ;x=y", (90,)),
        ("expires", "4294967295", (4294967295,)),
        ("subject", "", ("",)),
        ("user-agent", "Any, thing (at all)", ("Any, thing (at all)",)),
        ("x-unknown", ";,;", (";,;",)),
        ("reason", "SIP;cause=200, Q.850;cause=26", (Reason("SIP", 200), Reason("Q.850", 26))),
        ("warning", '399 a "x,y", 307 b "z"', (Warn(399, "a", "x,y"), Warn(307, "b", "z"))),
        ("date", "Sat, 13 Nov 2010 23:29:00 GMT", ("Sat, 13 Nov 2010 23:29:00 GMT",)),
        ("timestamp", "54.21 0.1", ("54.21 0.1",)),
        ("timestamp", "54", ("54",)),
        ("timestamp", "54. .5", ("54. .5",)),
        (
            "p-asserted-identity",
            '"A, B" <sip:a@b>, <tel:+33199001234>',
            (Address("A, B", Uri.parse("sip:a@b")), Address("", Uri.parse("tel:+33199001234"))),
        ),
        (
            "diversion",
            "<sip:a@b>;reason=user-busy;counter=1",
            (Address("", Uri.parse("sip:a@b"), (("reason", "user-busy"), ("counter", "1"))),),
        ),
        ("alert-info", "info=alert-autoanswer", ("info=alert-autoanswer",)),
    ],
)
def test_values_are_typed_and_lists_are_split(key: str, text: str, values: tuple[object, ...]) -> None:
    assert typed(key, text) == values
    assert typed(key, text) == values


@pytest.mark.parametrize(
    ("key", "text", "where"),
    [
        ("max-forwards", "256", "Max-Forwards"),
        ("max-forwards", "", "Max-Forwards"),
        ("content-length", "-1", "Content-Length"),
        ("expires", "4294967296", "Expires"),
        ("min-se", "90;", "Min-SE"),
        ("min-se", "x", "Min-SE"),
        ("require", "", "Require"),
        ("require", "a,,b", "Require"),
        ("allow", "IN VITE", "Allow"),
        ("privacy", "id;;user", "Privacy"),
        ("contact", "", "Contact"),
        ("contact", "<sip:a@b>,", "Contact"),
        ("contact", "*, <sip:a@b", "Contact"),
        ("from", "<sip:a@b c>", "From"),
        ("proxy-authorization", "Digest a,b", "Proxy-Authorization"),
        ("proxy-authenticate", 'Digest a="', "Proxy-Authenticate"),
        ("in-reply-to", "a@b, c d", "In-Reply-To"),
        ("date", "Sat, 13 Nov 2010 23:29:00 EST", "Date"),
        ("date", "Sat, 13 Nov 2010 23:29 GMT", "Date"),
        ("date", "Sat, 13 Nov 2010 24:29:00 GMT", "Date"),
        ("date", "Sat, 32 Nov 2010 23:29:00 GMT", "Date"),
        ("date", "Sat, 13 Nov 10 23:29:00 GMT", "Date"),
        ("date", "Sat 13 Nov 2010 23:29:00 GMT", "Date"),
        ("date", "tomorrow", "Date"),
        ("timestamp", "", "Timestamp"),
        ("timestamp", ".5", "Timestamp"),
        ("timestamp", "1 2 3", "Timestamp"),
        ("timestamp", "1.2.3", "Timestamp"),
        ("timestamp", "soon", "Timestamp"),
    ],
)
def test_a_wrong_value_names_its_header(key: str, text: str, where: str) -> None:
    with pytest.raises(ParseError) as caught:
        typed(key, text)
    assert (caught.value.where, caught.value.status) == (where, 400)


@given(st.sampled_from(sorted(HEADERS)), st.text(st.characters(exclude_characters="\r\n"), max_size=300))
def test_any_text_in_any_header_is_values_or_a_parse_error(key: str, text: str) -> None:
    try:
        values = typed(key, text)
    except ParseError as error:
        where = error.where
    else:
        assert isinstance(values, tuple)
        return
    assert where == HEADERS[key].name
