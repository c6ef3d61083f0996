"""Whom a certificate speaks for (RFC 5922 §7)."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from tests.made_certificates import alternatives, made

from trunkline.pki.names import Names, domain, matching, names_of, sip_domain


@pytest.mark.rfc("5922#7.1")
@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("sip:carrier.example", "carrier.example"),
        ("SIP:Carrier.Example.", "carrier.example"),
        ("sip:carrier.example:5061;transport=tls?a=b", "carrier.example"),
        ("sip:user@carrier.example", ""),
        ("sips:carrier.example", ""),
        ("https://carrier.example", ""),
        ("carrier.example", ""),
        ("sip:[2001:db8::1]", ""),
    ],
)
def test_a_sip_uri_names_a_domain_if_it_names_no_user(uri: str, said: str) -> None:
    assert sip_domain(uri) == said


@pytest.mark.rfc("5922#7.1")
def test_dns_names_count_if_and_only_if_no_sip_uri_is_there() -> None:
    dns, uri = x509.DNSName("a.example"), x509.UniformResourceIdentifier("sip:b.example")
    user = x509.UniformResourceIdentifier("sip:user@c.example")
    both = names_of(made("a", extensions=alternatives(dns, uri)).certificate)
    assert both.domains() == ("b.example",)
    assert both.shown == ("a.example", "sip:b.example")
    alone = names_of(made("a", extensions=alternatives(dns, user)).certificate)
    assert alone.domains() == ("a.example",)


@pytest.mark.rfc("5922#7.1")
def test_the_common_name_counts_by_a_knob_and_without_alternatives_only() -> None:
    old = names_of(made("PBX.example").certificate)
    assert old == Names(common_name="pbx.example")
    assert old.domains() == ()
    assert old.domains(common_name=True) == ("pbx.example",)
    assert old.shown == ("CN=pbx.example",)
    new = names_of(made("pbx.example", extensions=alternatives(x509.DNSName("a.example"))).certificate)
    assert new.domains(common_name=True) == ("a.example",)
    assert Names().shown == Names().domains(common_name=True) == ()


@pytest.mark.rfc("5922#7.2")
def test_names_are_compared_whole_and_without_case() -> None:
    held = Names(("sbc1.carrier.example",), alternatives=True)
    assert matching(held, ["SBC1.Carrier.Example.", "carrier.example", "x.sbc1.carrier.example"]) == (
        "SBC1.Carrier.Example.",
    )


@pytest.mark.rfc("5922#7.2")
@pytest.mark.parametrize(
    ("held", "wanted", "by_knob"),
    [
        ("*.carrier.example", "sbc1.carrier.example", True),
        ("*.carrier.example", "a.b.carrier.example", False),
        ("*.carrier.example", "carrier.example", False),
        ("*.carrier.example", ".carrier.example", False),
        ("*.example", "carrier.example", False),
        ("s*.carrier.example", "sbc1.carrier.example", False),
        ("*.carrier.example", "*.carrier.example", False),
    ],
)
def test_a_wildcard_counts_by_a_knob_and_for_one_label(held: str, wanted: str, by_knob: bool) -> None:
    names = Names((held,), alternatives=True)
    assert matching(names, [wanted]) == ()
    if wanted != held:
        assert bool(matching(names, [wanted], wildcard=True)) is by_knob


@pytest.mark.rfc("5280#7.2")
def test_international_names_are_compared_as_a_labels() -> None:
    assert domain("Téléphone.example") == "xn--tlphone-byab.example"
    assert domain("\u00e9" * 300 + ".example") == "\u00e9" * 300 + ".example"  # no A-label has that length
    names = names_of(made("Téléphone.example").certificate)
    assert matching(names, ["téléphone.EXAMPLE"], common_name=True) == ("téléphone.EXAMPLE",)


@given(st.text(), st.text())
def test_any_text_is_a_name_that_matches_itself_or_nothing(held: str, wanted: str) -> None:
    names = Names((domain(held),), alternatives=True)
    assert matching(names, [wanted]) == (
        (wanted,) if domain(held) == domain(wanted) and "*" not in held else ()
    )
    sip_domain(held)
