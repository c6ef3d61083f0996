"""What a carrier looks at in an INVITE: whose number it bears, and whom it calls."""

from __future__ import annotations

import pytest

from trunkline.carrier.screening import called_of, caller_of, screen_called, screen_caller
from trunkline.sip.message import Request
from trunkline.site.model import CarrierKnobs

KNOBS = CarrierKnobs(number_ranges=("+33199001000-+33199001049", "+33199002000"))


def invite(from_: str, *headers: tuple[str, str], uri: str = "sip:+33199009001@sbc") -> Request:
    return Request.build("INVITE", uri, [("From", f"{from_};tag=1"), *headers])


@pytest.mark.parametrize(
    ("from_", "asserted", "number"),
    [
        ("<sip:+33199001001@x>", "<sip:+33199001002@x>", "+33199001001"),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', "<sip:+33199001002@x>", "+33199001002"),
        (
            '"Anonymous" <sip:anonymous@anonymous.invalid>',
            "<sip:alice@x>, <tel:+33199001002>",
            "+33199001002",
        ),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', "", ""),
    ],
)
def test_a_call_bears_the_number_in_from_and_else_the_asserted_one(
    from_: str, asserted: str, number: str
) -> None:
    headers = (("P-Asserted-Identity", asserted),) if asserted else ()
    assert caller_of(invite(from_, *headers)) == number


@pytest.mark.parametrize(
    ("caller", "taken"),
    [
        ("+33199001000", True),
        ("+33199001049", True),
        ("+33199001050", False),
        ("+33199002000", True),
        ("+33199002001", False),
        ("+3319900100", False),
    ],
)
def test_a_caller_lies_in_the_bought_ranges(caller: str, taken: bool) -> None:
    assert (screen_caller(invite(f"<sip:{caller}@x>"), KNOBS) is None) is taken


def test_a_caller_without_a_number_is_named_so() -> None:
    refusal = screen_caller(invite("<sip:alice@x>"), KNOBS)
    assert refusal is not None
    assert (refusal.status, "missing" in refusal.why) == (403, True)


@pytest.mark.parametrize(
    "knobs",
    [
        KNOBS.model_copy(update={"refuse_foreign_caller": False}),
        KNOBS.model_copy(update={"number_ranges": ()}),
    ],
)
def test_the_carrier_may_take_any_caller(knobs: CarrierKnobs) -> None:
    assert screen_caller(invite("<sip:alice@x>"), knobs) is None


def test_a_customer_is_called_by_its_own_numbers() -> None:
    assert screen_called("+33199001001", KNOBS) is None
    assert screen_called("+33199009001", CarrierKnobs()) is None
    refusal = screen_called("+33199009001", KNOBS)
    assert refusal is not None
    assert refusal.status == 404


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("sip:112@sbc", "112"),
        ("sip:+112@sbc", "112"),
        ("sip:+33199009001@sbc;user=phone", "+33199009001"),
        ("sip:alice@sbc", "alice"),
    ],
)
def test_an_emergency_number_is_one_with_a_plus_before_it_too(uri: str, number: str) -> None:
    assert called_of(invite("<sip:1@x>", uri=uri), ("112", "15")) == number
