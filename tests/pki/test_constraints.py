"""Name constraints of the CAs above a certificate (RFC 5280 §4.2.1.10)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from tests.made_certificates import AT, alternatives, authority, made, name, root

from trunkline.pki.chain import judge
from trunkline.pki.constraints import broken
from trunkline.pki.judgement import Check, Role
from trunkline.pki.store import TrustStore

pytestmark = pytest.mark.rfc("5280#4.2.1.10")

DNS, URI = x509.DNSName, x509.UniformResourceIdentifier


def told(
    *names: x509.GeneralName,
    permitted: list[x509.GeneralName] | None = None,
    excluded: list[x509.GeneralName] | None = None,
) -> str:
    limits = x509.NameConstraints(permitted, excluded)
    ca = made("CA", root(), (*authority(), (limits, True)))
    leaf = made("leaf", ca, alternatives(*names) if names else ())
    return broken([leaf.certificate, ca.certificate, root().certificate])


@pytest.mark.parametrize(
    ("held", "tree", "inside"),
    [
        (DNS("sbc1.carrier.example"), DNS("carrier.example"), True),
        (DNS("Carrier.Example"), DNS("carrier.example"), True),
        (DNS("sbc1.carrier.example"), DNS(""), True),
        (DNS("notcarrier.example"), DNS("carrier.example"), False),
        (URI("sip:carrier.example"), URI("carrier.example"), True),
        (URI("sip:sbc1.carrier.example"), URI("carrier.example"), False),
        (URI("sip:sbc1.carrier.example;transport=tls"), URI(".carrier.example"), True),
        (URI("sip:carrier.example"), URI(".carrier.example"), False),
        (URI("https://a@sbc1.carrier.example:443/x"), URI("sbc1.carrier.example"), True),
        (x509.IPAddress(ip_address("192.0.2.7")), x509.IPAddress(ip_network("192.0.2.0/24")), True),
        (x509.IPAddress(ip_address("198.51.100.7")), x509.IPAddress(ip_network("192.0.2.0/24")), False),
        (x509.DirectoryName(name("leaf")), x509.DirectoryName(name("leaf")), True),
        (x509.DirectoryName(name("leaf")), x509.DirectoryName(name("leaf2")), False),
    ],
)
def test_a_name_lies_in_its_subtree_or_not(
    held: x509.GeneralName, tree: x509.GeneralName, inside: bool
) -> None:
    others = [] if not isinstance(tree, x509.DirectoryName) else [x509.DirectoryName(name("leaf"))]
    assert (told(held, permitted=[tree, *others][:1]) == "") is inside
    assert (told(held, excluded=[tree]) == "") is not inside


def test_names_of_a_kind_the_ca_does_not_limit_are_free() -> None:
    assert told(DNS("a.example"), permitted=[URI("b.example")]) == ""
    assert told(excluded=[URI("b.example")]) == ""


def test_a_kind_that_is_limited_and_not_understood_is_refused() -> None:
    said = told(x509.RFC822Name("a@b.example"), permitted=[x509.RFC822Name("b.example")])
    assert said == "is signed by CN=CA, which may not sign for a@b.example"


def test_the_subject_is_a_name_too() -> None:
    other = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Other")])
    assert told(permitted=[x509.DirectoryName(other)]) == "is signed by CN=CA, which may not sign for CN=leaf"


def test_the_judge_tells_it() -> None:
    limits = x509.NameConstraints([DNS("carrier.example")], None)
    ca = made("CA", root(), (*authority(), (limits, True)))
    leaf = made("", ca, alternatives(DNS("pbx.customer.example")))
    found = judge(
        [leaf.certificate, ca.certificate],
        TrustStore((root().certificate,)),
        AT,
        role=Role.SERVER,
        names=None,
    )
    assert [fault.check for fault in found.faults] == [Check.AUTHORITY]
    assert found.why == (
        "certificate serial 7 is signed by CN=CA, which may not sign for pbx.customer.example:"
        " have another CA sign it"
    )
