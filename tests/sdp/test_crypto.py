from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.finding import ParseError
from trunkline.sdp.crypto import SUITES, Crypto, Key, mask_keys

SUITE = "AES_CM_128_HMAC_SHA1_80"
MATERIAL = bytes(range(30))
INLINE = b64encode(MATERIAL).decode()


def line(key: str = f"inline:{INLINE}", session: str = "", suite: str = SUITE) -> Crypto:
    return Crypto.parse(f"1 {suite} {key}{session}")


@pytest.mark.rfc("4568#9.1")
def test_line_is_read_into_its_parts() -> None:
    found = Crypto.parse(f"12 {SUITE} inline:{INLINE}|2^20|1:4;inline:{INLINE}|2^20|2:4 WSH=64 KDR=1")
    assert (found.tag, found.suite) == (12, SUITE)
    assert found.key_params == (f"inline:{INLINE}|2^20|1:4", f"inline:{INLINE}|2^20|2:4")
    assert found.session_params == ("WSH=64", "KDR=1")


@pytest.mark.parametrize("suite", SUITES)
def test_every_known_suite_takes_a_key_of_its_length(suite: str) -> None:
    lengths = SUITES[suite]
    key = b64encode(bytes(lengths.key + lengths.salt)).decode()
    assert line(f"inline:{key}", suite=suite).usable
    assert not line(f"inline:{b64encode(bytes(lengths.key)).decode()}", suite=suite).usable


def test_missing_base64_padding_is_mended() -> None:
    key = b64encode(bytes(46)).decode().rstrip("=")
    assert line(f"inline:{key}", suite="AES_256_CM_HMAC_SHA1_80").usable


@pytest.mark.rfc("4568#6.1")
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (f"inline:{INLINE}", Key(MATERIAL)),
        (f"INLINE:{INLINE}", Key(MATERIAL)),
        (f"inline:{INLINE}|2^31", Key(MATERIAL, 1 << 31)),
        (f"inline:{INLINE}|2^48", Key(MATERIAL, 1 << 48)),
        (f"inline:{INLINE}|4096", Key(MATERIAL, 4096)),
        (f"inline:{INLINE}|1:4", Key(MATERIAL, 0, "1", 4)),
        (f"inline:{INLINE}|2^20|1:128", Key(MATERIAL, 1 << 20, "1", 128)),
    ],
)
def test_key_lifetime_and_mki_are_read(key: str, expected: Key) -> None:
    assert line(key).keys == (expected,)
    assert line(key).usable


@pytest.mark.rfc("4568#6.1")
@pytest.mark.parametrize(
    "key",
    [
        "inline:not/base64!!",
        "inline:AAAA",
        f"uri:{INLINE}",
        f"inline:{INLINE}|0",
        f"inline:{INLINE}|2^49",
        f"inline:{INLINE}|forever",
        f"inline:{INLINE}|1:0",
        f"inline:{INLINE}|1:129",
        f"inline:{INLINE}|x:4",
        f"inline:{INLINE}|1:4|2^20",
        f"inline:{INLINE}|1:4|2:4",
        f"inline:{INLINE}|2^20|",
        f"inline:{INLINE}|2^20|1:4|5",
        f"inline:{INLINE}|1:4;inline:{INLINE}|2:2",
        f"inline:{INLINE}|1:4;inline:{INLINE}",
    ],
)
def test_key_that_does_not_fit_makes_the_line_unusable(key: str) -> None:
    found = line(key)
    assert not found.usable
    with pytest.raises(ParseError) as caught:
        _ = found.keys
    assert INLINE not in str(caught.value)


@pytest.mark.rfc("4568#7.1.2")
@pytest.mark.parametrize(
    ("session", "usable"),
    [
        ("", True),
        (" WSH=64", True),
        (" -new-thing=1", True),
        (" new-thing=1", False),
        (" UNENCRYPTED_SRTP", False),
        (" UNAUTHENTICATED_SRTP", False),
        (" KDR=3", False),
        (" WSH=64 FEC_ORDER=FEC_SRTP", False),
    ],
)
def test_session_parameter_not_honoured_makes_the_line_unusable(session: str, usable: bool) -> None:
    assert line(session=session).usable is usable


@pytest.mark.rfc("4568#6.2")
def test_unknown_suite_is_a_value_that_is_not_usable() -> None:
    found = line(suite="NULL_HMAC_SHA1_80")
    assert found.suite == "NULL_HMAC_SHA1_80"
    assert not found.usable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        f"1 {SUITE}",
        f"x {SUITE} inline:{INLINE}",
        f"01 {SUITE} inline:{INLINE}",
        f"1234567890 {SUITE} inline:{INLINE}",
        f"1  {SUITE} inline:{INLINE}",
        f"1 {SUITE} {INLINE}",
        f"1 {SUITE} inline:",
        f"1 {SUITE} :{INLINE}",
        f"1 {SUITE} inline:{INLINE};",
        f"\u0661 {SUITE} inline:{INLINE}",
    ],
)
def test_line_off_the_grammar_is_refused_without_showing_its_key(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        Crypto.parse(text)
    assert caught.value.status == 400
    assert INLINE not in str(caught.value)


def test_space_at_the_end_is_passed_over() -> None:
    assert line(session=" ") == line()


def test_repr_and_mask_show_no_key_and_keep_the_length() -> None:
    found = line(f"inline:{INLINE}|2^20|1:4")
    assert INLINE not in repr(found)
    assert INLINE not in repr(found.keys)
    assert str(found.masked()) == str(found).replace(INLINE, "*" * len(INLINE))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("a=crypto:1 S inline:AbC=|2^20|1:4 WSH=1\r\n", "a=crypto:1 S inline:****|2^20|1:4 WSH=1\r\n"),
        ("a=crypto:1 S inline:AAA;inline:BBB\r\n", "a=crypto:1 S inline:***;inline:***\r\n"),
        ("a=crypto:1 S INLINE:AAA", "a=crypto:1 S INLINE:***"),
        ("v=0\r\nk=clear:my secret\r\na=x\r\n", "v=0\r\nk=clear:*********\r\na=x\r\n"),
        ("v=0\na=key-mgmt:mikey AQAFgM0X\n", "v=0\na=key-mgmt:mikey ********\n"),
        ("k=prompt\r\ns=inline\r\n", "k=prompt\r\ns=inline\r\n"),
    ],
)
def test_keys_in_a_message_are_overwritten_and_lengths_kept(text: str, masked: str) -> None:
    assert mask_keys(text) == masked
    assert mask_keys(text.encode()) == masked.encode()


@given(st.binary(max_size=200))
def test_masking_any_bytes_keeps_their_number(data: bytes) -> None:
    assert len(mask_keys(b"inline:" + data)) == len(data) + 7


words = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)


@given(
    st.builds(
        Crypto,
        st.integers(0, 999999999),
        words,
        st.lists(st.builds("{}:{}".format, words, words), min_size=1, max_size=3).map(tuple),
        st.lists(words, max_size=3).map(tuple),
    )
)
def test_parse_reads_back_what_str_wrote(crypto: Crypto) -> None:
    assert Crypto.parse(str(crypto)) == crypto


@given(st.text(max_size=80) | st.builds("1 {} inline:{} {}".format, st.text(), st.text(), st.text()))
def test_any_text_is_a_value_or_a_parse_error(text: str) -> None:
    try:
        found = Crypto.parse(text)
    except ParseError:
        return
    assert found.usable in (True, False)
    assert str(found) == text.rstrip(" ")
    assert len(str(found.masked())) == len(str(found))
