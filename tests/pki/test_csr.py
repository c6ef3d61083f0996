"""The certificate request that a public CA is sent (CERT-1)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.made_certificates import key, name

from trunkline.finding import ParseError
from trunkline.pki.csr import Request

GUIDE = (("L", "Generic"), ("O", "OmniPCX Office"), ("OU", "OmniPCX Office"), ("CN", "pbx.customer.example"))


@pytest.mark.guide("CERT-1")
def test_the_request_bears_the_subject_in_the_order_given_and_its_cn_as_dns_name() -> None:
    asked = Request.of(*GUIDE)
    pem = asked.signed(key("a"))
    assert Request.parse(pem) == asked == Request(GUIDE, ("pbx.customer.example",), 2048)
    read = x509.load_pem_x509_csr(pem)
    assert [part.oid for part in read.subject] == [
        NameOID.LOCALITY_NAME,
        NameOID.ORGANIZATION_NAME,
        NameOID.ORGANIZATIONAL_UNIT_NAME,
        NameOID.COMMON_NAME,
    ]
    assert isinstance(read.signature_hash_algorithm, hashes.SHA256)


def test_letters_of_any_country_pass() -> None:
    asked = Request.of(("L", "Orléans"), ("CN", "a.example"))
    assert Request.parse(asked.signed(key("a"))) == asked


@pytest.mark.parametrize("label", ["small", "ec"])
def test_a_key_that_is_too_small_or_of_another_kind_is_refused(label: str) -> None:
    with pytest.raises(ParseError, match="expected RSA of 2048 bits or more"):
        Request.of(*GUIDE).signed(key(label))


@pytest.mark.parametrize("subject", [(("O", "a"),), (("CN", "a"), ("CN", "b")), (("CN", ""),)])
def test_a_subject_without_one_name_is_refused(subject: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ParseError, match="expected one CN"):
        Request.of(*subject)


def test_parts_that_fit_no_certificate_are_refused() -> None:
    with pytest.raises(ParseError, match="expected one of C, ST, L, O, OU, CN"):
        Request.of(("X", "a"), ("CN", "a")).signed(key("a"))
    for wrong in ((("C", "France"), ("CN", "a")), (("CN", "é.example"),)):
        with pytest.raises(ParseError, match="expected parts that fit a certificate"):
            Request.of(*wrong).signed(key("a"))


def test_a_request_that_says_less_is_read_for_what_it_says() -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([*name("a.example"), x509.NameAttribute(NameOID.SERIAL_NUMBER, "1")])
    )
    pem = builder.sign(key("ec").private, hashes.SHA256()).public_bytes(Encoding.PEM)
    assert Request.parse(pem) == Request((("CN", "a.example"), ("2.5.4.5", "1")), (), 0)


def test_what_is_no_request_or_not_signed_by_its_key_is_refused() -> None:
    pem = Request.of(*GUIDE).signed(key("a"))
    for wrong in (b"", pem[:200]):
        with pytest.raises(ParseError, match="expected a PEM certificate request"):
            Request.parse(wrong)
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)
    with pytest.raises(ParseError, match="expected a request signed by its own key"):
        Request.parse(forged)
