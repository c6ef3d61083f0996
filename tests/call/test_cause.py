"""SIP statuses in the language of ISDN (RFC 3398, RFC 6432)."""

from __future__ import annotations

import pytest

from trunkline.call.cause import NORMAL_CLEARING, Cause, from_status


@pytest.mark.rfc("3398#8.2.6.1")
@pytest.mark.parametrize(
    ("status", "q850"),
    [(404, 1), (486, 17), (480, 18), (408, 102), (503, 41), (603, 21), (484, 28), (488, 65), (487, 16)],
)
def test_final_status_stands_for_a_cause(status: int, q850: int) -> None:
    assert from_status(status, "why") == Cause(q850, status, "why")


@pytest.mark.rfc("3398#8.2.6.1")
def test_unknown_status_is_interworking_unspecified() -> None:
    assert from_status(499) == Cause(127, 499, "")


def test_normal_clearing_is_the_plain_goodbye() -> None:
    assert Cause(NORMAL_CLEARING) == Cause(16, 0, "")
