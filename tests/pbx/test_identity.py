"""Names and numbers in headers: nothing that somebody wrote can break out of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trunkline.pbx.dialplan import Caller
from trunkline.pbx.identity import NAME_MAX, on_phone, on_trunk
from trunkline.sip.values import Address

TEXT = st.text(st.characters(exclude_categories=()), max_size=200)


@given(TEXT)
def test_any_name_makes_a_sound_header(name: str) -> None:
    for shown in (
        on_phone(name, "+33199001001", "customer.example"),
        on_trunk(Caller("+33199001001", "+33199001001", "", name), "192.0.2.10", rfc3325=True),
    ):
        read = Address.parse(shown.from_)
        assert read.uri.user == "+33199001001"
        assert read.params == ()
        assert len(read.display) <= NAME_MAX
        assert read.display.isprintable()
        shown.from_.encode()  # nothing that UTF-8 cannot write


@given(st.text(min_size=1, max_size=40))
def test_any_number_makes_a_sound_header(number: str) -> None:
    read = Address.parse(on_phone("", number, "customer.example").from_)
    assert (read.uri.host, read.params) == ("customer.example", ())


@given(TEXT)
def test_whoever_withholds_the_number_shows_no_name_either(name: str) -> None:
    shown = on_trunk(Caller("", "+33199001001", "id", name), "192.0.2.10", rfc3325=True)
    assert shown.from_ == '"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert shown.contact == "anonymous"
