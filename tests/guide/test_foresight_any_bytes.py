"""Certificate files are hostile input: whatever they hold is judged, and nothing is raised."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.example_site import INTERNET
from tests.guide.test_foresight import FACTS, GOOD, PKI, own_ca
from tests.made_certificates import authority, made

from trunkline.guide.foresight import RULES, Paper, foresee, named
from trunkline.guide.foresight_calendar import calendar, dues
from trunkline.pki.certificate import pem_of, read_certificates
from trunkline.site.load import load
from trunkline.site.model import Site


@cache
def site() -> Site:
    loaded = load(INTERNET.read_text("utf-8"), "x").site
    assert loaded is not None
    return loaded


@cache
def whole() -> bytes:
    """The leaf of the good scene, as DER."""
    leaf = read_certificates(GOOD.papers()["certificates.public_server.certificate"])[0]
    return leaf.public_bytes(Encoding.DER)


def judged(data: bytes) -> None:
    """The same bytes in every file: all rules of it are ours, and a calendar comes of it."""
    papers = [Paper(path, file, data) for path, file in named(site())]
    rules = {rule.id for rule, _ in foresee(site(), papers, FACTS, PKI, GOOD.at)}
    assert rules <= {rule.id for rule in RULES}
    found = dues(site(), papers, FACTS, PKI, GOOD.at)
    assert calendar(site(), found, (1,), GOOD.at, "fr").endswith(b"END:VCALENDAR\r\n")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
@example([(12, 1)])  # X.509 version 2, which nobody ever used
@example([(1053, 3)])  # a bit string in the subject
@example([(175, 0)])  # no string at all there
@example([(7239, 0)])  # serial number 0
def test_a_certificate_with_bytes_changed(changes: list[tuple[int, int]]) -> None:
    data = bytearray(whole())
    for place, value in changes:
        data[place % len(data)] = value
    judged(bytes(data))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"-----BEGIN CERTIFICATE-----\n", b"PRIVATE KEY"]))
def test_any_bytes(data: bytes, before: bytes) -> None:
    judged(before + data)


def test_a_thousand_certificates_of_one_name_end_in_time() -> None:
    root, below = own_ca("Some Public Root")
    judged(pem_of((root.certificate, below.certificate)) * 500)
    alike = [
        made("Same", extensions=authority(), key_label="Same", serial=n + 1).certificate for n in range(300)
    ]
    judged(pem_of(alike))
