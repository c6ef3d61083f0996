"""What a channel takes, from its packets: figures that anybody can count again by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.guide.facts import shipped
from trunkline.plan.bandwidth import SPEECH, Tunnel, Voice, tunnel_mtu

SUITE = "AES_CM_128_HMAC_SHA1_80"
PLAIN, SECURE = Voice(), Voice(suite=SUITE)
TUNNELS: tuple[Tunnel, ...] = ("wireguard", "ipsec-gcm", "ipsec-cbc")


@pytest.mark.guide("CAC-2")
def test_the_guides_figure_is_g711_at_20_ms_at_ip_level() -> None:
    assert PLAIN.media == 80.0
    assert shipped()["business-talk-oxo-6.x"].number("sizing.channel_kbps") == PLAIN.media


def test_srtp_ethernet_and_ipv6() -> None:
    assert SECURE.media == 84.0
    assert SECURE.ethernet == 91.2
    assert PLAIN.ethernet == 87.2
    assert replace(PLAIN, ipv6=True).media == 88.0
    assert Voice("G729").media == 24.0
    assert Voice("PCMA", 30).media == pytest.approx(74.667, abs=0.001)
    assert replace(SECURE, suite="AES_CM_128_HMAC_SHA1_32").media == 81.6


def test_rtcp_is_one_compound_report_in_five_seconds() -> None:
    assert PLAIN.report == 20 + 8 + 80
    assert SECURE.report == 20 + 8 + 80 + 14
    assert PLAIN.control == pytest.approx(0.1728)
    assert PLAIN.ip == pytest.approx(80.1728)
    assert PLAIN.control < 0.05 * PLAIN.media  # the most that RFC 3550 §6.2 lets it take


def test_tunnels_by_hand() -> None:
    # WireGuard: 20 + 8 + 16 + 208 (200 padded to 16) + 16
    assert replace(PLAIN, tunnel="wireguard").packet == 268
    # AES-GCM: 20 + 8 + 8 + 204 (202 aligned to 4) + 16
    assert replace(PLAIN, tunnel="ipsec-gcm").packet == 256
    # AES-CBC and HMAC-SHA-256-128: 20 + 8 + 16 + 208 (202 aligned to 16) + 16
    assert replace(PLAIN, tunnel="ipsec-cbc").packet == 268
    assert replace(PLAIN, tunnel="ipsec-gcm", tunnel_ipv6=True).packet == 276
    assert replace(SECURE, tunnel="wireguard").packet == 284


def test_the_mtu_of_a_tunnel() -> None:
    assert tunnel_mtu("wireguard") == 1420  # wg-quick's own default
    assert tunnel_mtu("wireguard", 1492) == 1412
    assert tunnel_mtu("ipsec-gcm") == 1438
    assert tunnel_mtu("ipsec-cbc") == 1422
    assert tunnel_mtu("", 1492) == 1492


@given(
    codec=st.sampled_from(sorted(SPEECH)),
    ptime=st.sampled_from([10, 20, 30, 40, 60]),
    tunnel=st.sampled_from(TUNNELS),
    suite=st.sampled_from(["", SUITE]),
)
def test_each_layer_costs_and_longer_packets_cost_less(
    codec: str, ptime: int, tunnel: Tunnel, suite: str
) -> None:
    bare = Voice(codec, ptime, suite)
    wrapped = replace(bare, tunnel=tunnel)
    assert bare.media < bare.ip < bare.ethernet
    assert wrapped.media > bare.media
    assert wrapped.packet - bare.packet <= 20 + 8 + 16 + 17 + 16
    assert Voice(codec, ptime + 10, suite).media < bare.media
