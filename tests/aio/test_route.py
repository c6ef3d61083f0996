"""The local address toward a peer is the kernel's choice."""

from __future__ import annotations

from trunkline.aio.route import address_toward


def test_toward_this_machine_it_is_a_loopback_address() -> None:
    assert address_toward("127.0.0.1", 5060) == "127.0.0.1"
