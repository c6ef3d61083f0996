"""The site as typed values."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tests.example_site import TEXT

from trunkline.site.gateway import GatewayMedia, Supervision
from trunkline.site.load import load
from trunkline.site.model import CarrierKnobs, SipListen, Trunk


def test_the_example_is_read_as_it_is_written() -> None:
    site = load(TEXT, "bvpn.yaml").site
    assert site is not None
    assert site.schema_ == 1
    assert site.numbering.international_prefix == "00"
    assert site.numbering.emergency[:3] == ("15", "17", "18")
    assert site.numbering.clir_prefix == "*31"
    assert site.users[0].extension == "201"
    assert site.users[0].ddi == "+33199001001"
    assert [gateway.label for gateway in site.trunk.gateways] == ["nominal", "backup"]
    assert site.trunk.gateways[0].security.sip_tls is False
    assert site.trunk.inbound_full_status == 503
    assert site.carrier.number_ranges == ("+33199001000-+33199001049",)
    assert {subscriber.does for subscriber in site.carrier.subscribers} == {
        "answer",
        "echo",
        "busy",
        "ring",
        "early",
        "hang-up",
    }


def test_what_the_example_writes_out_is_what_is_taken_when_left_out() -> None:
    """The comments promise that the backup gateway, which leaves most out, equals the nominal."""
    site = load(TEXT, "bvpn.yaml").site
    assert site is not None
    nominal, backup = site.trunk.gateways
    assert nominal.protocol == backup.protocol
    assert nominal.media == backup.media
    assert nominal.security == backup.security


def test_values_never_change() -> None:
    with pytest.raises(ValidationError):
        setattr(SipListen(), "udp", 1)  # noqa: B010 - mypy knows that it is frozen


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "1e400"])
def test_durations_are_finite_and_not_negative(seconds: str) -> None:
    with pytest.raises(ValidationError):
        Supervision.model_validate({"hold_down": seconds})


def test_statuses_are_chosen_by_their_digits() -> None:
    assert CarrierKnobs.model_validate({"full_status": "486"}).full_status == 486
    for wrong in ("487", "", "x", ["486"], "9" * 5000):
        with pytest.raises(ValidationError):
            CarrierKnobs.model_validate({"full_status": wrong})


def test_lists_that_must_hold_something_are_not_empty() -> None:
    with pytest.raises(ValidationError):
        GatewayMedia.model_validate({"codecs": []})
    with pytest.raises(ValidationError):
        Trunk.model_validate({"channels": 1, "gateways": []})


def test_addresses_may_be_ipv6_throughout() -> None:
    text = (
        TEXT.replace("192.0.2.10 ", "2001:db8::10 ")
        .replace("- 192.0.2.53 ", "- 2001:db8::53 ")
        .replace("target_domain: sbc1.carrier.example", "target_domain: 2001:db8:1::1")
        .replace("outbound_proxy: sbc1.carrier.example", "outbound_proxy: 2001:db8:1::1")
        .replace("198.51.100.10", "2001:db8:1::1")
        .replace("198.51.100.11", "2001:db8:1::2")
    )
    loaded = load(text, "v6.yaml")
    assert not loaded.findings
    assert loaded.site is not None
    assert loaded.site.interfaces.eth0.address == "2001:db8::10"
    assert loaded.site.carrier.sbcs[0].media == "2001:db8:1::2"
