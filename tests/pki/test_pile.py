"""Any pile of certificate files is read by its contents, and what is no such file is refused by its name."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st
from tests.made_certificates import intermediate, leaf, root

from trunkline.finding import ParseError
from trunkline.pki.certificate import pem_of
from trunkline.pki.csr import Request
from trunkline.pki.pile import FILE_MAX, read_pile

LEAF, INNER, ROOT = leaf(), intermediate(), root()
ALL = [one.certificate for one in (LEAF, INNER, ROOT)]
KEY = LEAF.key.private


def twelve(password: bytes) -> bytes:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"sbc", KEY, ALL[0], ALL[1:], lock)


FORMS = {
    "PEM": pem_of(ALL),
    "PEM with text around": b"Bag Attributes\n  friendlyName: x\n"
    + pem_of(ALL[:1])
    + b"CN\n"
    + pem_of(ALL[1:]),
    "PEM with CRLF": pem_of(ALL).replace(b"\n", b"\r\n"),
    "PEM of the old label": pem_of(ALL).replace(b" CERT", b" X509 CERT"),
    "P7B as PEM": pkcs7.serialize_certificates(ALL, Encoding.PEM),
    "P7B as DER": pkcs7.serialize_certificates(ALL, Encoding.DER),
    "P12": twelve(b""),
}


@pytest.mark.parametrize("form", FORMS)
def test_certificates_come_out_of_every_form(form: str) -> None:
    found = read_pile([("a file", FORMS[form])])
    assert set(found.certificates) == set(ALL)


def test_a_pile_is_read_whole_and_each_thing_once() -> None:
    key = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    request = Request.of(("CN", "a.example")).signed(LEAF.key)
    files = [
        ("leaf.der", ALL[0].public_bytes(Encoding.DER)),
        ("key.der", key),
        ("all.p7b", FORMS["P7B as DER"]),
        ("key.pem", LEAF.key.pem()),
        ("request.csr", request),
    ]
    found = read_pile(files)
    assert found.certificates == (ALL[0], *(one for one in found.certificates if one != ALL[0]))
    assert set(found.certificates) == set(ALL)
    assert len(found.keys) == 1
    assert found.key_of(ALL[0]) is not None
    assert found.key_of(ALL[1]) is None
    assert found.requests == (request,)


def test_sealed_files_open_with_their_password_and_say_so_without() -> None:
    sealed = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    for data in (twelve(b"word"), sealed):
        assert len(read_pile([("x", data)], b"word").keys) == 1
        with pytest.raises(ParseError, match="password"):
            read_pile([("x", data)])
        with pytest.raises(ParseError, match="password"):
            read_pile([("x", data)], b"other")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"-----BEGIN CERTIFICATE-----\n",
        pem_of(ALL)[:-40],
        os.urandom(2000),
        b"\0" * (FILE_MAX + 1),
    ],
    ids=["empty", "a letter", "cut at once", "cut off", "noise", "too long"],
)
def test_what_is_no_certificate_file_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(ParseError, match=r"pile\.bin"):
        read_pile([("pile.bin", data)])


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda data: pem_of(ALL[:1]) + data))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = read_pile([("x", data)])
    except ParseError:
        return
    assert found.certificates or found.keys or found.requests
