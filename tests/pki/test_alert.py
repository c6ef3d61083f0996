"""Alerts: which one a fault deserves, and what a peer's means."""

from __future__ import annotations

import pytest
from tests.made_certificates import AT, leaf

from trunkline.pki import alert
from trunkline.pki.chain import judge
from trunkline.pki.judgement import Check, Role
from trunkline.pki.store import TrustStore


def test_every_check_has_its_alert() -> None:
    assert set(alert.OF_CHECK) == set(Check)
    assert all(number in alert.NAMES for number in alert.OF_CHECK.values())
    missing = judge([leaf().certificate], TrustStore(), AT, role=Role.SERVER, names=None)
    assert alert.name(alert.deserved(missing)) == "unknown_ca"


@pytest.mark.rfc("8446#6.2")
def test_a_refusal_by_the_peer_is_told_about_our_certificate() -> None:
    assert alert.refused_by_peer(45, "CN=pbx.customer.example") == (
        "the peer refused (certificate_expired): it holds our certificate for expired"
        " (CN=pbx.customer.example): renew it, or have the peer set its clock"
    )
    assert alert.refused_by_peer(116, "") == (
        "the peer refused (certificate_required): it asks for a certificate and we presented no certificate:"
        " configure ours for this gateway"
    )
    assert alert.refused_by_peer(255, "") == (
        "the peer refused (alert 255): it broke the handshake off; its own log says why"
    )


def test_every_meaning_has_its_french() -> None:
    for number in (*alert.NAMES, 255):
        refusal = alert.refused_by_peer(number, "")
        assert refusal.french.startswith("le pair a refusé")
        assert "{" not in refusal.french
    assert "aucun certificat" in alert.refused_by_peer(116, "").french
