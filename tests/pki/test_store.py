"""Trust stores, identities and the reading of certificates."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from tests.made_certificates import intermediate, key, leaf, made, root

from trunkline.finding import ParseError
from trunkline.pki import certificate
from trunkline.pki.certificate import called, fingerprint, pem_of, plain, read_certificates, words
from trunkline.pki.identity import Identity
from trunkline.pki.store import TrustStore

PEM = pem_of([root().certificate, intermediate().certificate])


def test_a_store_tells_roots_from_intermediates_and_keeps_each_once() -> None:
    store = TrustStore.parse(PEM, PEM, made("Other").certificate.public_bytes(Encoding.DER))
    assert [called(c) for c in store.roots] == ["CN=Root", "CN=Other"]
    assert store.intermediates == (intermediate().certificate,)
    assert len(store) == 3
    assert store.trusts(root().certificate)
    assert not store.trusts(intermediate().certificate)
    assert store.roots_called(root().certificate.subject) == [root().certificate]
    assert store.intermediates_called(root().certificate.subject) == []


def test_a_root_signed_by_another_key_of_its_name_is_no_root() -> None:
    renewed = made("Root", root(), key_label="new root")
    assert TrustStore.parse(pem_of([renewed.certificate])).roots == ()


@pytest.mark.parametrize("data", [b"", b"text", PEM[:200], PEM[:-300]])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(ParseError, match="PEM or DER"):
        TrustStore.parse(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_certificates_or_a_parse_error(data: bytes) -> None:
    with pytest.raises(ParseError):
        read_certificates(b"-----BEGIN" + data)


def test_a_file_of_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "MOST", 1)
    with pytest.raises(ParseError, match="expected 1 certificates at most"):
        read_certificates(PEM)


def test_an_identity_puts_its_chain_in_order_and_leaves_the_root_out() -> None:
    end = leaf()
    pem = pem_of([root().certificate, made("Other").certificate, intermediate().certificate, end.certificate])
    held = Identity.parse(pem, end.key.pem())
    assert held.chain == (end.certificate, intermediate().certificate)
    assert held.leaf == end.certificate
    assert held.called == "CN=sbc1.carrier.example"
    alone = Identity.parse(pem_of([end.certificate]), end.key.pem())
    assert alone.chain == (end.certificate,)
    own = made("self")
    assert Identity.parse(pem_of([own.certificate]), own.key.pem()).chain == (own.certificate,)


def test_an_identity_without_the_certificate_of_its_key_is_refused() -> None:
    with pytest.raises(ParseError, match="expected the certificate of the private key; got 'CN=Root'"):
        Identity.parse(PEM, key("a").pem())


def test_certificates_are_called_by_name_else_by_serial() -> None:
    assert called(root().certificate) == "CN=Root"
    assert called(made("", root()).certificate) == "serial 7"
    both = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "12"),
        ]
    )
    assert words(both) == "O=Lab, 2.5.4.5=12"
    assert len(fingerprint(root().certificate)) == 64


def test_what_a_stranger_writes_into_a_name_is_fit_for_a_log() -> None:
    assert plain("a\r\n\x1b[31mb") == "a??[31mb".replace("[", "?[", 1)
    assert plain("x" * 300) == "x" * 200 + "..."
