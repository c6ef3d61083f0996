"""The lab's authorities: what they sign well is good, what they sign badly is bad in that one way."""

from __future__ import annotations

import pytest
from cryptography import x509
from tests.tls_site import NOW, PBX, SBC, authority, identity

from trunkline.lab.authority import CLIENT, SERVER, Bad
from trunkline.pki.chain import judge
from trunkline.pki.judgement import Check, ClientEku, Policy, Role
from trunkline.pki.store import TrustStore

EXPECTED = {
    Bad.EXPIRED: Check.EXPIRED,
    Bad.EARLY: Check.EARLY,
    Bad.WRONG_NAME: Check.NAMES,
    Bad.NO_NAME: Check.NAMES,
    Bad.WRONG_CA: Check.ISSUER,
    Bad.NO_INTERMEDIATE: Check.ISSUER,
    Bad.SERVER_ONLY: Check.PURPOSE,
    Bad.SHA1: Check.STRENGTH,
    Bad.SMALL_KEY: Check.STRENGTH,
}


def checks(bad: Bad | None, role: Role) -> list[Check]:
    policy = Policy(client_eku=ClientEku.REQUIRE)
    found = judge(
        identity(PBX, bad).chain, authority("Customer").store, NOW, role=role, names=[PBX], policy=policy
    )
    return [fault.check for fault in found.faults]


@pytest.mark.parametrize("bad", [None, *Bad], ids=str)
def test_each_certificate_is_wrong_in_its_one_way(bad: Bad | None) -> None:
    assert checks(bad, Role.CLIENT) == ([EXPECTED[bad]] if bad in EXPECTED else [])
    if bad is Bad.CLIENT_ONLY:
        assert checks(bad, Role.SERVER) == [Check.PURPOSE]


def test_each_authority_trusts_its_own_alone_and_gives_its_chain_to_the_other() -> None:
    assert identity(SBC).chain[1] == authority("Carrier").intermediate
    sent = TrustStore.parse(authority("Carrier").pem)
    assert (sent.roots, sent.intermediates) == (
        (authority("Carrier").root,),
        (authority("Carrier").intermediate,),
    )
    other = judge(identity(SBC).chain, authority("Customer").store, NOW, role=Role.SERVER, names=[SBC])
    assert [fault.check for fault in other.faults] == [Check.ISSUER]


def test_names_may_be_sip_uris_and_uses_left_out() -> None:
    made = authority("Carrier").issue("sip:carrier.example", uses=())
    found = judge(made.chain, authority("Carrier").store, NOW, role=Role.SERVER, names=["carrier.example"])
    assert found.good
    with pytest.raises(x509.ExtensionNotFound):
        made.leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    both = identity(SBC).leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(both) == [SERVER, CLIENT]
