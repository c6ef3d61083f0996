"""Private keys: read, bound to a certificate, never shown."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from tests.made_certificates import key, made

from trunkline.finding import ParseError
from trunkline.pki.key import Key


@pytest.mark.parametrize(("label", "shown"), [("a", "Key(RSA 2048)"), ("ec", "Key(EC 256)")])
def test_a_key_is_read_as_it_is_written_and_shows_its_size_alone(label: str, shown: str) -> None:
    read = Key.parse(key(label).pem())
    assert read.pem() == key(label).pem()
    assert repr(read) == str(read) == shown


def test_a_key_fits_its_own_certificate_only() -> None:
    assert key("a").fits(made("a").certificate)
    assert not key("b").fits(made("a").certificate)


def test_a_locked_key_asks_for_its_password() -> None:
    locked = key("a").private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
    )
    assert Key.parse(locked, b"word").pem() == key("a").pem()
    for pem, password in ((locked, b""), (locked, b"wrong"), (key("a").pem(), b"word")):
        with pytest.raises(ParseError) as error:
            Key.parse(pem, password)
        assert "password" in str(error.value)
        assert "wrong" not in str(error.value)


def test_what_is_no_key_of_ours_is_refused_without_showing_it() -> None:
    for pem in (b"", b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(ParseError) as error:
            Key.parse(pem)
        assert "c2VjcmV0" not in str(error.value)
    other = ed25519.Ed25519PrivateKey.generate()
    with pytest.raises(ParseError, match="expected an RSA or an EC key"):
        Key.parse(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
