"""From a pile to an ordered chain: ours is found, what is missing is named."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.made_certificates import AT, DAY, alternatives, intermediate, key, leaf, made, root

from trunkline.finding import told
from trunkline.pki.assembly import as_issued, assemble
from trunkline.pki.judgement import Check
from trunkline.pki.pile import Pile
from trunkline.pki.store import TrustStore

NAME = "sbc1.carrier.example"
LEAF, INNER, ROOT = leaf(), intermediate(), root()
STORE = TrustStore((ROOT.certificate,))


def pile(*parts: object) -> Pile:
    return Pile(
        tuple(part for part in parts if isinstance(part, x509.Certificate)),
        tuple(part for part in parts if not isinstance(part, x509.Certificate)),  # type: ignore[misc]
    )


def test_the_chain_is_put_in_order_whatever_the_order_of_the_files() -> None:
    made_of = assemble(pile(ROOT.certificate, INNER.certificate, LEAF.certificate, LEAF.key), STORE, AT, NAME)
    assert made_of.chain == (LEAF.certificate, INNER.certificate)
    assert made_of.root == ROOT.certificate
    assert made_of.key is LEAF.key
    assert made_of.every_fault == ()


def test_the_missing_intermediate_is_named_in_both_languages() -> None:
    (fault,) = assemble(pile(LEAF.certificate), STORE, AT, NAME).every_fault
    assert fault.check is Check.ISSUER
    assert "CN=Intermediate" in fault.sentence
    assert "ni présenté ni dans le magasin" in told(fault.sentence, "fr")


def test_a_root_of_the_pile_counts_only_where_it_is_asked_to() -> None:
    whole = pile(LEAF.certificate, INNER.certificate, ROOT.certificate)
    assert [fault.check for fault in assemble(whole, TrustStore(), AT, NAME).every_fault] == [Check.ISSUER]
    assert assemble(whole, TrustStore(), AT, NAME, believe_roots=True).every_fault == ()


def test_a_certificate_of_another_key_is_told() -> None:
    (fault,) = assemble(
        pile(LEAF.certificate, INNER.certificate), STORE, AT, NAME, keys=(key("other"),)
    ).every_fault
    assert fault.check is Check.KEY


def test_ours_is_found_by_key_then_by_name_then_by_being_the_only_one() -> None:
    stranger = made("x.example", INNER, alternatives(x509.DNSName("x.example")), key_label="stranger")
    both = (stranger.certificate, LEAF.certificate, INNER.certificate)
    assert assemble(pile(*both, stranger.key), STORE, AT, NAME).leaf == stranger.certificate
    assert assemble(pile(*both), STORE, AT, NAME).leaf == LEAF.certificate
    assert assemble(pile(*both), STORE, AT, "nobody.example").leaf is None
    assert assemble(pile(INNER.certificate), STORE, AT, NAME).faults[0].check is Check.PRESENT


def test_of_two_certificates_of_one_key_the_longer_lived_is_ours() -> None:
    renewed = made(
        NAME, INNER, alternatives(x509.DNSName(NAME)), key_label="leaf", until=AT + 9 * DAY, serial=8
    )
    held = pile(LEAF.certificate, renewed.certificate, INNER.certificate, LEAF.key)
    assert assemble(held, STORE, AT, NAME).leaf == renewed.certificate


def test_extended_key_usage_is_judged_both_ways() -> None:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    only = leaf((usage, False))
    found = assemble(pile(only.certificate, INNER.certificate), STORE, AT, NAME)
    assert [fault.check for fault in found.server.faults] == [Check.PURPOSE]
    assert found.client.faults == ()


def test_what_the_ca_left_out_of_the_subject_is_listed() -> None:
    asked = (("L", "Generic"), ("O", "OmniPCX Office"), ("CN", NAME))
    assert as_issued(LEAF.certificate, asked) == ("L=Generic", "O=OmniPCX Office")
