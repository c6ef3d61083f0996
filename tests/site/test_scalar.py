"""Addresses, names, numbers and secrets: taken as people write them, refused with a mend."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from trunkline.finding import Wording
from trunkline.site import scalar


def taken(kind: Any, text: str) -> Any:
    return TypeAdapter(kind).validate_python(text)


def refused(kind: Any, text: str) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        taken(kind, text)
    (error,) = caught.value.errors()
    told: tuple[Wording, Wording] = (error["ctx"]["says"], error["ctx"]["mend"])
    for words in told:
        assert isinstance(words, Wording)
        assert words.french.strip()
    return told


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (scalar.Address, "192.0.2.10", "192.0.2.10"),
        (scalar.Address, "2001:DB8:0::0010", "2001:db8::10"),
        (scalar.Host, "sbc1.carrier.example", "sbc1.carrier.example"),
        (scalar.Host, "2001:db8::1", "2001:db8::1"),
        (scalar.OptionalHost, "", ""),
        (scalar.Network, "192.168.20.0/24", "192.168.20.0/24"),
        (scalar.BarredPrefix, "+8 82", "+882"),
        (scalar.DomainName, "", ""),
        (scalar.DomainName, "a-b.3com.example", "a-b.3com.example"),
        (scalar.Server, "192.0.2.53", "192.0.2.53"),
        (scalar.Server, "192.0.2.53:5353", "192.0.2.53:5353"),
        (scalar.Server, "[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        (scalar.Number, "+33 1 99 00 10 00", "+33199001000"),
        (scalar.Number, "+33.1.99.00.10.00", "+33199001000"),
        (scalar.Number, "+33\u00a01\u202f99 00 10 00", "+33199001000"),
        (scalar.OptionalNumber, "", ""),
        (scalar.NumberRange, "+33 1 99 00 10 00 - +33 1 99 00 10 49", "+33199001000-+33199001049"),
        (scalar.NumberRange, "+33199001000", "+33199001000"),
        (scalar.NumberRange, "+33199001000-+33199001000", "+33199001000"),
        (scalar.Extension, "0101", "0101"),
        (scalar.ShortPattern, "118XXX", "118XXX"),
        (scalar.OutsidePrefix, "", ""),
        (scalar.FeaturePrefix, "*31#", "*31#"),
        (scalar.SubscriberNumber, "112", "112"),
        (scalar.SubscriberNumber, "+33 6 39 98 00 07", "+33639980007"),
        (scalar.Secret, "päss wörd", "päss wörd"),
        (scalar.Secret, "${file:secrets/201}", "${file:secrets/201}"),
        (scalar.Text, "", ""),
        (scalar.Filled, "Salle de réunion", "Salle de réunion"),
    ],
)
def test_what_people_write_is_taken(kind: Any, text: str, value: str) -> None:
    assert taken(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "says", "mend"),
    [
        (scalar.Address, "5060", "an IP address belongs here", "swapped"),
        (scalar.Address, "", "is empty", "192.0.2.10"),
        (scalar.Address, "192.0.2.10/24", "is a network", "192.0.2.10"),
        (scalar.Address, "[2001:db8::1]", "has brackets", "2001:db8::1"),
        (scalar.Address, "fe80::1%eth0", "no IP address", ""),
        (scalar.Address, "ipbx.customer.example", "no IP address", ""),
        (scalar.Host, "192.0.2.300", "neither an IP address nor a name", "0 to 255"),
        (scalar.Host, "sbc1", "no full domain name", "sbc1.carrier.example"),
        (scalar.Host, "sbc1.carrier.example.", "ends with a dot", "'sbc1.carrier.example'"),
        (scalar.Host, "sbc1.opérateur.example", "DNS does not carry", "xn--"),
        (scalar.Host, "-a.example", "no full domain name", ""),
        (scalar.Host, "a_b.example", "no full domain name", ""),
        (scalar.Host, "5060", "a number", "swapped"),
        (scalar.Host, "a." * 130 + "example", "no full domain name", ""),
        (scalar.Host, "2001:db8::zz", "no IP address", ""),
        (scalar.DomainName, "192.0.2.1", "a name belongs here", ""),
        (scalar.Server, "192.0.2.53:0", "no IP address", ""),
        (scalar.Server, "192.0.2.53:00080808", "no IP address", ""),
        (scalar.Server, "192.0.2.53:65536", "no IP address", ""),
        (scalar.Server, "fe80::53:x", "no IP address", ""),
        (scalar.Server, "dns.example:53", "no IP address", ""),
        (scalar.Network, "192.168.20.0", "no network", "192.168.20.0/24"),
        (scalar.Network, "192.168.20.0/99", "no network", "192.168.20.0/24"),
        (scalar.Network, "192.168.20.7/24", "an address in a network", "192.168.20.0/24"),
        (scalar.BarredPrefix, "882", "begins no international number", "+882"),
        (scalar.Number, "01 99 00 10 00", "national number", "+33199001000"),
        (scalar.Number, "0033199001000", "dialling prefix", "+33199001000"),
        (scalar.Number, "201", "no full number", "+33199001000"),
        (scalar.Number, "Accueil", "no telephone number", ""),
        (scalar.Number, "+1234567890123456", "no telephone number", "15"),
        (scalar.Number, "+0199001000", "no telephone number", ""),
        (scalar.NumberRange, "+33199001049-+33199001000", "no range", "first"),
        (scalar.NumberRange, "+33199001000-+3319900104", "no range", "equally long"),
        (scalar.NumberRange, "+33199001000-49", "no full number", ""),
        (scalar.Extension, "+33199001000", "an extension belongs here", "swapped"),
        (scalar.Extension, "Accueil", "is not an extension", "1 to 8 digits"),
        (scalar.Extension, "123456789", "is not an extension", ""),
        (scalar.ShortPattern, "3xxx", "a pattern of short numbers", "digits or X"),
        (scalar.OutsidePrefix, "0000", "an outside prefix", "up to 3 digits"),
        (scalar.SubscriberNumber, "1", "no full number", ""),
        (scalar.Secret, "${file:}", "no well-formed reference", "${env:NAME}"),
        (scalar.Secret, "x${env:A}", "no well-formed reference", ""),
        (scalar.Secret, "a\nb", "control character", ""),
        (scalar.Secret, "x" * 201, "201 characters", ""),
        (scalar.Text, "a\x00b", "control character", ""),
        (scalar.Text, "x" * 201, "201 characters", ""),
        (scalar.Text, "${env:NAME}", "only passwords", ""),
        (scalar.Filled, "  ", "is empty", ""),
    ],
)
def test_what_is_wrong_is_said_with_a_mend(kind: Any, text: str, says: str, mend: str) -> None:
    said, mended = refused(kind, text)
    assert says in said
    assert mend in mended


def test_a_secret_is_never_repeated_in_its_finding() -> None:
    says, mend = refused(scalar.Secret, "hunter2${")
    assert "hunter2" not in says + mend


def test_a_server_has_the_default_port_where_none_is_written() -> None:
    assert scalar.split_server("2001:db8::53", 53) == ("2001:db8::53", 53)
    assert scalar.split_server("[2001:db8::53]:5353", 53) == ("2001:db8::53", 5353)
    assert scalar.split_server("192.0.2.53:5353", 53) == ("192.0.2.53", 5353)


def test_a_number_lies_within_its_ranges_ends_included() -> None:
    ranges = ("+33199001000-+33199001049", "+33639980007")
    inside = ("+33199001000", "+33199001049", "+33639980007")
    outside = ("+33199001050", "+331990010001", "+33639980008", "112")
    assert all(scalar.within(number, ranges) for number in inside)
    assert not any(scalar.within(number, ranges) for number in outside)


def test_a_reference_has_a_kind_and_a_name() -> None:
    assert scalar.reference("${file:a/b c}") == ("file", "a/b c")
    assert scalar.reference("${env:NAME}") == ("env", "NAME")
    assert scalar.reference("plain") is None
