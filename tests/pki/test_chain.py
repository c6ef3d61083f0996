"""A peer's certificate judged at a given time: each check with what it says and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from tests.made_certificates import (
    AT,
    DAY,
    Made,
    alternatives,
    authority,
    intermediate,
    key,
    leaf,
    made,
    root,
    usage,
)
from tests.tls_site import NOW, PBX, identity
from tests.tls_site import authority as lab

from trunkline.finding import Level
from trunkline.lab.authority import Bad
from trunkline.pki.certificate import Certificate
from trunkline.pki.chain import POLICY, judge
from trunkline.pki.checks import SIP_DOMAIN
from trunkline.pki.judgement import Check, ClientEku, Judgement, Policy, Role
from trunkline.pki.store import TrustStore

SBC = "sbc1.carrier.example"
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def judged(
    *sent: Made,
    store: TrustStore | None = None,
    at: datetime = AT,
    role: Role = Role.SERVER,
    names: Sequence[str] | None = (SBC,),
    policy: Policy = POLICY,
) -> Judgement:
    store = TrustStore((root().certificate,)) if store is None else store
    chain = [one.certificate for one in sent]
    return judge(chain, store, at, role=role, names=names, policy=policy)


def checks(judgement: Judgement) -> list[Check]:
    return [fault.check for fault in judgement.faults]


def eku(*uses: ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    return x509.ExtendedKeyUsage(uses), False


def test_a_whole_chain_in_its_time_is_good_and_says_who_it_is() -> None:
    found = judged(leaf(), intermediate())
    assert found.good
    assert found.why == ""
    assert [c.subject.rfc4514_string() for c in found.path] == [
        "CN=sbc1.carrier.example",
        "CN=Intermediate",
        "CN=Root",
    ]
    assert found.matched == (SBC,)
    assert found.names.shown == (SBC,)
    assert found.findings("trunk") == ()


def test_what_is_sent_in_disorder_or_too_much_changes_nothing() -> None:
    stranger = made("Stranger")
    assert judged(leaf(), root(), stranger, intermediate()).good


def test_no_certificate_is_a_fault_of_its_own() -> None:
    found = judged()
    assert checks(found) == [Check.PRESENT]
    assert found.why == "no certificate was presented: have the peer present its own"


def test_a_missing_intermediate_is_named_with_its_key() -> None:
    found = judged(leaf())
    assert checks(found) == [Check.ISSUER]
    key = x509.SubjectKeyIdentifier.from_public_key(intermediate().key.private.public_key()).digest
    assert found.why == (
        f"certificate CN={SBC} is signed by CN=Intermediate (key id {key.hex(':').upper()}), neither sent nor"
        " in the trust store: have its owner install the whole chain, or import CN=Intermediate if it is"
        " trusted"
    )


def test_an_intermediate_in_the_store_stands_in_for_one_that_is_not_sent() -> None:
    assert judged(leaf(), store=TrustStore((root().certificate,), (intermediate().certificate,))).good


def test_an_intermediate_in_the_store_is_no_root() -> None:
    found = judged(leaf(), store=TrustStore((), (intermediate().certificate,)))
    assert checks(found) == [Check.ISSUER]
    assert "certificate CN=Intermediate above CN=sbc1.carrier.example is signed by CN=Root" in found.why


def test_a_root_that_is_sent_is_not_believed_for_that() -> None:
    found = judged(leaf(), intermediate(), root(), store=TrustStore((made("Other").certificate,)))
    assert checks(found) == [Check.ISSUER]
    assert "CN=Root above CN=sbc1.carrier.example is a root that is not in the trust store" in found.why


def test_a_self_signed_certificate_is_refused_unless_it_is_in_the_store() -> None:
    own = made(SBC, extensions=alternatives(x509.DNSName(SBC)))
    found = judged(own)
    assert checks(found) == [Check.ISSUER]
    assert "is self-signed and not in the trust store: have a trusted CA sign it" in found.why
    assert judged(own, store=TrustStore((own.certificate,))).good


def test_a_ca_that_signs_under_a_name_of_another_is_found_out() -> None:
    false = made("Intermediate", root(), authority(0), key_label="thief", key_ids=False)
    by_thief = made(SBC, false, alternatives(x509.DNSName(SBC)), key_ids=False)
    found = judged(by_thief, intermediate())
    assert checks(found) == [Check.SIGNATURE]
    assert (
        f"certificate CN={SBC} is not signed by the CN=Intermediate at hand, whose name it gives" in found.why
    )


def test_a_renewed_root_of_the_same_name_is_found_beside_the_old_one() -> None:
    old = made("Root", extensions=authority(), until=AT - DAY / 2, serial=1)
    both = TrustStore((old.certificate, root().certificate))
    found = judged(leaf(), intermediate(), store=both)
    assert found.good
    assert found.path[-1] == root().certificate
    assert checks(judged(leaf(), intermediate(), store=TrustStore((old.certificate,)))) == [Check.EXPIRED]


def test_a_chain_that_ends_too_late_or_never_is_given_up() -> None:
    links = [root()]
    for number in range(11):
        links.append(made(f"CA {number}", links[-1], authority(), key_label=f"maze {number % 2}"))
    end = leaf(issuer=links[-1])
    assert checks(judged(end, *reversed(links))) == [Check.ISSUER]
    circle = made("A", made("B", made("A"), authority()), authority())
    assert Check.ISSUER in checks(judged(leaf(issuer=circle), circle, made("B", circle, authority())))


def test_a_root_from_before_extensions_is_believed() -> None:
    old = made("Root", key_ids=False, serial=1)
    der = bytearray(old.certificate.public_bytes(Encoding.DER))
    at = der.index(
        bytes.fromhex("a003020102")
    )  # the version, which v1 leaves out; its signature nobody reads
    del der[at : at + 5]
    for length in (2, 6):  # of the certificate, and of the part that is signed
        der[length : length + 2] = (int.from_bytes(der[length : length + 2]) - 5).to_bytes(2)
    first = x509.load_der_x509_certificate(bytes(der))
    assert first.version is x509.Version.v1
    assert judged(leaf(), intermediate(), store=TrustStore((first,))).good
    assert checks(judged(leaf(), intermediate(), store=TrustStore((old.certificate,)))) == [Check.AUTHORITY]


@pytest.mark.rfc("5280#4.1.2.5")
def test_dates_are_judged_at_the_time_given() -> None:
    late = judged(leaf(), intermediate(), at=AT + 2 * DAY)
    assert checks(late) == [Check.EXPIRED] * 3
    assert f"certificate CN={SBC} expired on 2026-06-02 12:00 UTC: renew it" in late.why
    early = judged(leaf(), intermediate(), at=AT - 2 * DAY)
    assert checks(early) == [Check.EARLY] * 3
    assert "is not valid before 2026-05-31 12:00 UTC: check the clock of this machine" in early.why
    assert judged(leaf(), intermediate(), at=AT + DAY).good  # the last second counts


@pytest.mark.rfc("5280#4.2.1.9")
def test_who_signs_must_be_a_ca_and_near_enough() -> None:
    no_ca = made("Intermediate", root(), authority(ca=False))
    found = judged(leaf(issuer=no_ca), no_ca)
    assert checks(found) == [Check.AUTHORITY]
    assert "CN=Intermediate above CN=sbc1.carrier.example signed a certificate but is no CA" in found.why
    silent = made("Intermediate", root())
    assert checks(judged(leaf(issuer=silent), silent)) == [Check.AUTHORITY]
    deep = made("Deep", intermediate(), authority())
    found = judged(leaf(issuer=deep), deep, intermediate())
    assert checks(found) == [Check.AUTHORITY]
    assert "CN=Intermediate above CN=sbc1.carrier.example allows 0 CAs below it and has 1" in found.why


@pytest.mark.rfc("5280#4.2.1.3")
def test_key_usages_are_kept_to() -> None:
    mute = made("Intermediate", root(), (*authority(0), *usage(certifies=False)))
    found = judged(leaf(issuer=mute), mute)
    assert checks(found) == [Check.AUTHORITY]
    assert "may not sign certificates (its key usage lacks keyCertSign)" in found.why
    good = made("Intermediate", root(), (*authority(0), *usage(certifies=True)))
    assert judged(leaf(*usage(), issuer=good), good).good
    found = judged(leaf(*usage(signs=False)), intermediate())
    assert checks(found) == [Check.PURPOSE]
    assert "lacks digitalSignature" in found.why


def test_short_keys_and_old_hashes_are_refused() -> None:
    small = made(SBC, intermediate(), alternatives(x509.DNSName(SBC)), key_label="small")
    found = judged(small, intermediate())
    assert checks(found) == [Check.STRENGTH]
    assert (
        "has an RSA key of 1024 bits, less than 2048: have it issued anew for an RSA key of 2048 bits"
        in found.why
    )
    curve = made(SBC, intermediate(), alternatives(x509.DNSName(SBC)), key_label="ec")
    assert judged(curve, intermediate()).good
    curve = made(SBC, intermediate(), alternatives(x509.DNSName(SBC)), key_label="small ec")
    found = judged(curve, intermediate())
    assert "elliptic-curve key of 192 bits, less than 256" in found.why
    old = identity(PBX, Bad.SHA1)
    verdict = judge(old.chain, lab("Customer").store, NOW, role=Role.CLIENT, names=[PBX])
    assert checks(verdict) == [Check.STRENGTH]
    assert "is signed with SHA-1: have it issued anew with SHA-256" in verdict.why


def test_a_key_of_a_kind_nobody_here_knows_is_refused() -> None:
    odd = _with_odd_key(leaf().certificate)
    found = judge(
        [odd, intermediate().certificate], TrustStore((root().certificate,)), AT, role=Role.SERVER, names=None
    )
    assert Check.STRENGTH in checks(found)
    assert "has a key or a signature of an unknown kind" in found.why
    assert not key("leaf").fits(odd)


def _with_odd_key(certificate: Certificate) -> Certificate:
    """The certificate with its key's algorithm (rsaEncryption) turned into a number that means nothing."""
    der = certificate.public_bytes(Encoding.DER)
    return x509.load_der_x509_certificate(
        der.replace(bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a864886f70d01017f"))
    )


@pytest.mark.rfc("5280#4.2")
def test_a_critical_extension_that_nobody_understands_is_refused() -> None:
    odd = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
    found = judged(leaf((odd, True)), intermediate())
    assert checks(found) == [Check.READABLE]
    assert "bears the critical extension 1.3.6.1.4.1.55555.1, which nobody here understands" in found.why
    assert judged(leaf((odd, False)), intermediate()).good


def test_a_certificate_whose_extensions_cannot_be_read_is_refused() -> None:
    broken = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x30\x03\x01")
    unreadable = made(SBC, intermediate(), ((broken, False),))
    found = judged(unreadable, intermediate())
    assert checks(found) == [Check.READABLE]
    assert found.why.startswith(f"certificate CN={SBC} cannot be read (")


@pytest.mark.parametrize(
    ("role", "policy", "uses", "good"),
    [
        (Role.SERVER, ClientEku.ACCEPT_SERVER_AUTH, (SERVER,), True),
        (Role.SERVER, ClientEku.IGNORE, (CLIENT,), False),
        (Role.SERVER, ClientEku.ACCEPT_SERVER_AUTH, (), True),
        (Role.SERVER, ClientEku.REQUIRE, (SIP_DOMAIN,), True),
        (Role.SERVER, ClientEku.REQUIRE, (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), True),
        (Role.CLIENT, ClientEku.REQUIRE, (CLIENT,), True),
        (Role.CLIENT, ClientEku.REQUIRE, (SERVER,), False),
        (Role.CLIENT, ClientEku.REQUIRE, (), True),
        (Role.CLIENT, ClientEku.ACCEPT_SERVER_AUTH, (SERVER,), True),
        (Role.CLIENT, ClientEku.ACCEPT_SERVER_AUTH, (ExtendedKeyUsageOID.CODE_SIGNING,), False),
        (Role.CLIENT, ClientEku.IGNORE, (ExtendedKeyUsageOID.CODE_SIGNING,), True),
    ],
)
@pytest.mark.rfc("5280#4.2.1.12")
def test_the_extended_key_usage_is_judged_by_the_policy(
    role: Role, policy: ClientEku, uses: tuple[ObjectIdentifier, ...], good: bool
) -> None:
    extensions = (eku(*uses),) if uses else ()
    found = judged(leaf(*extensions), intermediate(), role=role, policy=Policy(policy))
    assert found.good is good
    assert good or checks(found) == [Check.PURPOSE]


def test_a_purpose_that_does_not_fit_says_which_it_has_and_what_to_ask_for() -> None:
    strict = Policy(ClientEku.REQUIRE)
    odd = ObjectIdentifier("1.2.3.4")
    found = judged(leaf(eku(SERVER, odd)), intermediate(), role=Role.CLIENT, policy=strict)
    assert found.why == (
        f"certificate CN={SBC} may not be used as TLS client (its extended key usage: serverAuth, 1.2.3.4):"
        " have it issued for clientAuth, or set the policy accept-server-auth"
    )


def test_a_ca_for_one_purpose_vouches_for_no_other() -> None:
    only = made("Intermediate", root(), (*authority(0), eku(CLIENT)))
    found = judged(leaf(issuer=only), only)
    assert checks(found) == [Check.PURPOSE]
    assert judged(leaf(issuer=only), only, role=Role.CLIENT, policy=Policy(ClientEku.REQUIRE)).good


def test_names_that_do_not_match_say_both_sides() -> None:
    found = judged(leaf(), intermediate(), names=["sbc2.carrier.example", "SBC3.carrier.example."])
    assert checks(found) == [Check.NAMES]
    assert found.why == (
        f"certificate CN={SBC} is for {SBC}, not for sbc2.carrier.example or sbc3.carrier.example:"
        " correct the name configured here, or have it issued for that one"
    )
    assert "not for anybody: no name is allowed here" in judged(leaf(), intermediate(), names=[]).why
    assert judged(leaf(), intermediate(), names=None).good


def test_names_that_do_not_count_say_why() -> None:
    def of(*names: x509.GeneralName) -> Judgement:
        extensions = alternatives(*names) if names else ()
        return judged(made(SBC, intermediate(), extensions), intermediate())

    assert "a wildcard does not count: RFC 5922 §7.2" in of(x509.DNSName("*.carrier.example")).why
    assert "has no dNSName and no sip: URI" in of(x509.RFC822Name("a@carrier.example")).why
    assert "has no subjectAltName (its CN does not count)" in of().why
    nameless = made("", intermediate())
    found = judged(nameless, intermediate())
    assert "certificate serial 7 bears no name, and must be for sbc1" in found.why
    knobs = Policy(wildcard=True, common_name=True)
    star = made(SBC, intermediate(), alternatives(x509.DNSName("*.carrier.example")))
    assert judged(star, intermediate(), policy=knobs).good
    assert judged(made(SBC, intermediate()), intermediate(), policy=knobs).good
    found = judged(star, intermediate(), policy=knobs, names=["a.b.carrier.example"])
    assert "is for *.carrier.example, not for a.b.carrier.example:" in found.why


def test_several_faults_are_told_at_once_the_gravest_first_and_become_findings() -> None:
    found = judged(leaf(eku(CLIENT)), at=AT + 2 * DAY, names=["other.example"])
    assert checks(found) == [Check.ISSUER, Check.EXPIRED, Check.PURPOSE, Check.NAMES]
    findings = found.findings("trunk.tls")
    assert [one.rule for one in findings] == ["PKI-ISSUER", "PKI-EXPIRED", "PKI-PURPOSE", "PKI-NAMES"]
    assert {(one.level, one.path) for one in findings} == {(Level.MUST, "trunk.tls")}
    assert findings[1].says == f"certificate CN={SBC} expired on 2026-06-02 12:00 UTC: renew it"
    assert findings[1].mend == "renew it"
