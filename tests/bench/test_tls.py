"""The figures of TLS, and the sites that they are measured on."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.tls import SITES, SUBSCRIBER, Used, figures, staged

from trunkline.site.load import load


def test_signalling_alone_is_compared_turn_by_turn_and_media_told_beside_it() -> None:
    tls = [Used(5.0, 2.0), Used(12.0, 6.0), Used(4.4, 0.2)]
    udp = [Used(4.0, 0.0), Used(8.0, 0.0), Used(4.0, 0.0)]  # the machine was slow once
    found = {row.name: (row.value, row.ratio) for row in figures(tls, udp)}
    assert found == {
        "ipbx_tls_cpu_per_call_vs_udp": (5.0, 1.25),
        "ipbx_udp_cpu_per_call": (4.0, None),
        "ipbx_tls_media_set_up_cpu_per_call": (2.0, None),
        "ipbx_tls_and_media_cpu_per_call_vs_udp": (7.0, 1.75),
    }


@pytest.mark.parametrize(("system", "transport"), [("tls", "tls"), ("udp", "udp")])
def test_both_sites_are_shipped_examples_with_the_same_phones_and_subscriber(
    system: str, transport: str, tmp_path: Path
) -> None:
    with staged(SITES[system], tmp_path) as stage:
        site = load(stage.file.read_text("utf-8"), "site.yaml").site
    assert site is not None
    assert {gateway.domain_proxy.transport for gateway in site.trunk.gateways} == {transport}
    assert site.timers.t1 == 0.5
    assert site.records.file
    assert SUBSCRIBER in {known.number for known in site.carrier.subscribers}
