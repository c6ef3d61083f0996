"""What a refusal is told as on the other side."""

from __future__ import annotations

import pytest

from trunkline.call.cause import Cause, from_status
from trunkline.call.watch import Failure
from trunkline.pbx.refusal import Refused, of_phones, to_phone


def said(status: int) -> Refused:
    return Refused(from_status(status), True)


def silence(status: int = 408) -> Refused:
    return Refused(Cause(102, status), False)


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (said(486), 486),
        (said(503), 503),
        (said(408), 480),
        (silence(), 504),
        (silence(503), 503),
        (said(301), 480),
    ],
)
def test_a_phone_hears_what_speaks_to_a_person(refused: Refused, status: int) -> None:
    assert to_phone(refused).status == status


@pytest.mark.rfc("3261#16.7")
@pytest.mark.parametrize(
    ("phones", "why", "told"),
    [
        ([said(480), said(486)], 486, 486),
        ([said(486), said(603)], 603, 603),
        ([silence(), said(480)], 480, 480),
        ([said(404), said(500)], 404, 480),
        ([silence(503), silence()], 408, 480),
        ([said(415)], 415, 488),
    ],
)
def test_of_several_phones_a_persons_word_counts_most(phones: list[Refused], why: int, told: int) -> None:
    cause, heard = of_phones(phones)
    assert (cause.status, heard.status) == (why, told)


def test_what_a_refusal_says_of_the_gateway() -> None:
    assert said(503).outcome == 503
    assert silence().outcome is Failure.TIMEOUT
    assert silence(503).outcome is Failure.UNREACHABLE
    assert Refused(Cause(65, 488), False).outcome is None  # an answer of no use: the call had got through
    assert not Refused(Cause(65, 488), False).silent
