"""What each dialled form means (acceptance B, E and J)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trunkline.pbx.dialplan import (
    OVERSEAS,
    Barred,
    Caller,
    Dialplan,
    External,
    Internal,
    Kind,
    Patterns,
    Unknown,
)
from trunkline.site.model import Numbering, User

ALICE = User(extension="101", name="Alice Aubépine", ddi="+33199000001")
BORIS = User(extension="102", name="Boris", clir=True)
CARLA = User(extension="3631", ddi="+33199000003")
EMERGENCY = ("15", "17", "18", "112", "114", "115", "119", "116000", "191", "196", "197")


def plan(**changes: Any) -> Dialplan:
    return Dialplan(Numbering(installation_number="+33199000000", **changes), (ALICE, BORIS, CARLA))


PLAN = plan()


def outside(number: str, kind: Kind, *, clir: bool = False) -> External:
    return External(number, kind, clir)


# --- emergency: matched first, never altered, never withheld, never bounded -----------


@pytest.mark.parametrize("code", EMERGENCY)
@pytest.mark.parametrize(
    "form",
    ["{}", "0{}", "*31{}", "*310{}", "0*31{}", "+{}", "+33{}", "00033{}", "sip:{}@pbx.example", "tel:{}"],
)
def test_emergency_code_is_reached_in_every_form(code: str, form: str) -> None:
    route = PLAN.route(form.format(code), BORIS)
    assert route == outside(code, Kind.EMERGENCY)
    assert isinstance(route, External)
    assert not route.bounded


@pytest.mark.parametrize("prefix", ["", "0", "1", "9", "11", "*9"])
def test_no_outside_prefix_eats_a_digit_of_112(prefix: str) -> None:
    for form in ("112", prefix + "112"):
        assert plan(outside_prefix=prefix).route(form) == outside("112", Kind.EMERGENCY)


def test_emergency_goes_before_an_extension_of_the_same_digits() -> None:
    users = (User(extension="112"), User(extension="15"))
    assert Dialplan(PLAN.numbering, users).route("112") == outside("112", Kind.EMERGENCY)


def test_emergency_passes_where_international_is_barred() -> None:
    assert plan(international_allowed=False).route("+112") == outside("112", Kind.EMERGENCY)


def test_emergency_call_shows_the_real_number_of_a_user_who_withholds_it() -> None:
    route = PLAN.route("*31112", BORIS)
    assert isinstance(route, External)
    assert PLAN.caller(BORIS, route.clir) == Caller("+33199000000", "+33199000000", "", "Boris")


# --- short codes ------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["1013", "118712", "3900", "116117"])
@pytest.mark.parametrize("form", ["{}", "0{}", "+33{}"])
def test_short_code_leaves_as_it_is(code: str, form: str) -> None:
    route = PLAN.route(form.format(code))
    assert route == outside(code, Kind.SHORT)
    assert isinstance(route, External)
    assert not route.bounded


def test_extension_hides_a_short_code_unless_the_outside_prefix_is_dialled() -> None:
    assert PLAN.route("3631") == Internal(CARLA)
    assert PLAN.route("03631") == outside("3631", Kind.SHORT)


def test_short_code_can_be_called_withheld() -> None:
    assert PLAN.route("*3103900") == outside("3900", Kind.SHORT, clir=True)
    assert PLAN.route("0*313900") == outside("3900", Kind.SHORT, clir=True)


# --- internal ---------------------------------------------------------------------------


@pytest.mark.parametrize("dialled", ["101", "*31101", "sip:101@192.0.2.10", "0199000001", "+33199000001"])
def test_own_extension_and_own_ddi_are_reached_internally(dialled: str) -> None:
    assert PLAN.route(dialled, BORIS) == Internal(ALICE)


# --- the public plan --------------------------------------------------------------------


@pytest.mark.parametrize(
    "dialled",
    [
        "00199000042",
        "+33199000042",
        "0199000042",
        "00033199000042",
        "sip:+33199000042@pbx.example;user=phone",
        "sip:00199000042;phone-context=x@pbx.example",
        "tel:+33-1-99-00-00-42",
        "tel:00199000042;phone-context=+33",
        "tel:00199000042;phone-context=pbx.example",
        "0 01 99 00 00 42",
        "+33 (0)1.99.00.00.42",
    ],
)
@pytest.mark.rfc("3966#5.1")
def test_national_number_leaves_canonical(dialled: str) -> None:
    assert PLAN.route(dialled, ALICE) == outside("+33199000042", Kind.NATIONAL)


@pytest.mark.parametrize(
    ("dialled", "sent"),
    [("00639980001", "+33639980001"), ("00949000001", "+33949000001"), ("00801000001", "+33801000001")],
)
def test_mobile_special_and_polyvalent_numbers_are_national(dialled: str, sent: str) -> None:
    assert PLAN.route(dialled) == outside(sent, Kind.NATIONAL)


@pytest.mark.parametrize("dialled", ["000442079460000", "+442079460000", "tel:2079460000;phone-context=+44"])
def test_international_number_leaves_canonical(dialled: str) -> None:
    assert PLAN.route(dialled) == outside("+442079460000", Kind.INTERNATIONAL)


def test_training_examples_of_a_site_without_outside_prefix() -> None:
    direct = plan(outside_prefix="")
    assert direct.route("0110312345") == outside("+33110312345", Kind.NATIONAL)
    assert direct.route("0044210312345") == outside("+44210312345", Kind.INTERNATIONAL)
    assert direct.route("112") == outside("112", Kind.EMERGENCY)


def test_country_without_national_prefix() -> None:
    spain = Dialplan(
        Numbering(installation_number="+34910000000", country="34", national_prefix="", emergency=("112",)),
        (),
    )
    assert spain.route("0910000001") == outside("+34910000001", Kind.NATIONAL)
    assert spain.route("00033199000001") == outside("+33199000001", Kind.INTERNATIONAL)
    assert spain.route("000590590000001") == outside("+590590000001", Kind.INTERNATIONAL)


# --- overseas ---------------------------------------------------------------------------


@pytest.mark.guide("DROM-1")
@pytest.mark.parametrize(
    ("national", "sent"),
    [
        ("0590000001", "+590590000001"),
        ("0691000001", "+590691000001"),
        ("0594000001", "+594594000001"),
        ("0696000001", "+596696000001"),
        ("0262000001", "+262262000001"),
        ("0639000001", "+262639000001"),
        ("0269000001", "+262269000001"),
        ("0508410001", "+508410001"),
    ],
)
def test_overseas_number_takes_its_own_country_code(national: str, sent: str) -> None:
    barred = plan(international_allowed=False)  # overseas is no international call of the French plan
    for form in ("0" + national, "+33" + national[1:], "00033" + national[1:], sent, "000" + sent[1:]):
        assert barred.route(form) == outside(sent, Kind.OVERSEAS), form


@pytest.mark.guide("DROM-1")
def test_overseas_site_dials_its_own_and_metropolitan_numbers_nationally() -> None:
    numbering = Numbering(installation_number="+262262000000", country="262")
    reunion = Dialplan(numbering, (User(extension="10", ddi="+262262000001"),))
    assert reunion.route("00262000042") == outside("+262262000042", Kind.NATIONAL)
    assert reunion.route("00199000042") == outside("+33199000042", Kind.OVERSEAS)
    assert reunion.inbound("0262000001") == User(extension="10", ddi="+262262000001")


@given(st.sampled_from(sorted(OVERSEAS)), st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_metropolitan_code_is_never_put_before_an_overseas_number(prefix: str, rest: str) -> None:
    assume(not (prefix + rest).startswith("63998"))  # metropolitan numbers of documentation
    route = PLAN.route("00" + prefix + rest)
    assert isinstance(route, External)
    assert not route.number.startswith("+33")


# --- what goes nowhere --------------------------------------------------------------------


@pytest.mark.parametrize(
    "dialled", ["0", "*31", "10", "36", "03", "0118", "001990000", "00", "000", "00044", "+", "1"]
)
@pytest.mark.rfc("3261#21.4.22")
def test_beginning_of_a_number_is_incomplete(dialled: str) -> None:
    route = PLAN.route(dialled)
    assert isinstance(route, Unknown)
    assert route.status == 484


@pytest.mark.parametrize(
    "dialled",
    [
        "999",
        "0777",
        "0019900004200",
        "000" + "4" * 16,
        "+44x",
        "alice",
        "0alice",
        "",
        "sip:[bad",
        "sip:alice@pbx.example",
        "08*",
    ],
)
def test_what_is_in_no_plan_is_not_found(dialled: str) -> None:
    route = PLAN.route(dialled)
    assert isinstance(route, Unknown)
    assert route.status == 404, route


def test_barred_international_is_refused_and_says_why() -> None:
    assert plan(international_allowed=False).route("000442079460000") == Barred(
        403, "international numbers are barred on this site"
    )


# --- CLIP and CLIR ------------------------------------------------------------------------


def test_barred_beginnings_of_international_numbers_are_refused_and_others_pass() -> None:
    barred = plan(international_barred=("+882", "+4420"))
    assert isinstance(barred.route("000442079460000"), Barred)
    assert isinstance(barred.route("+88216000000"), Barred)
    assert barred.route("000441179460000") == outside("+441179460000", Kind.INTERNATIONAL)


def test_withheld_by_prefix_and_by_user() -> None:
    want = outside("+33199000042", Kind.NATIONAL, clir=True)
    assert PLAN.route("*3100199000042", ALICE) == want
    assert PLAN.route("0*310199000042", ALICE) == want
    assert PLAN.route("00199000042", BORIS) == want
    assert plan(clir_prefix="").route("00199000042", ALICE) == outside("+33199000042", Kind.NATIONAL)


def test_caller_shows_the_ddi_in_both_headers() -> None:
    assert PLAN.caller(ALICE) == Caller("+33199000001", "+33199000001", "", "Alice Aubépine")


def test_caller_shows_the_installation_number_without_ddi_or_when_the_site_says_so() -> None:
    assert PLAN.caller(BORIS).number_pai == "+33199000000"
    assert plan(caller_number="installation").caller(ALICE).number_from == "+33199000000"


@pytest.mark.rfc("3323#4.1.1.3")
def test_withheld_caller_is_only_in_the_asserted_identity() -> None:
    assert PLAN.caller(ALICE, clir=True) == Caller("", "+33199000001", "id", "")


# --- the gateway's own format -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "national"),
    [
        ("+33199000042", "0199000042"),
        ("+442079460000", "00442079460000"),
        ("+590590000001", "00590590000001"),
        ("112", "112"),
    ],
)
def test_gateway_may_want_national_format(number: str, national: str) -> None:
    assert PLAN.as_sent(number, "national") == national
    assert PLAN.as_sent(number, "canonical") == number


# --- inbound --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    ["+33199000001", "33199000001", "0033199000001", "0199000001", "sip:+33199000001@192.0.2.1;user=phone"],
)
def test_ddi_is_found_in_every_form(number: str) -> None:
    assert PLAN.inbound(number) == ALICE


@pytest.mark.parametrize("number", ["+33199000009", "+33199000000", "101", "", "sip:pbx.example"])
def test_number_of_no_ddi_reaches_nobody(number: str) -> None:
    assert PLAN.inbound(number) is None


@pytest.mark.parametrize(
    ("received", "shown"),
    [
        ("+33639980001", "+33639980001"),
        ("0639980001", "+33639980001"),
        ("639980001", "+33639980001"),
        ("33639980001", "+33639980001"),
        ("00442079460000", "+442079460000"),
        ("+442079460000", "+442079460000"),
        ("0690000001", "+590690000001"),
        ("442079460000", "+442079460000"),
        ("3900", "3900"),
        ("anonymous", ""),
        ("+alice", ""),
        ("", ""),
    ],
)
def test_callers_number_is_shown_so_that_it_can_be_dialled(received: str, shown: str) -> None:
    assert PLAN.shown(received) == shown
    if shown.startswith("+"):
        assert PLAN.route(shown) == outside(shown, getattr(PLAN.route(shown), "kind", Kind.NATIONAL))


# --- properties -------------------------------------------------------------------------------


def test_patterns_match_digits_only() -> None:
    codes = Patterns(("10XX", "3xxx"))
    assert codes.match("1099")
    assert codes.match("3000")
    assert not codes.match("10*9")
    assert not codes.match("10XX")
    assert not codes.match("10999")
    assert codes.begun("109")
    assert not codes.begun("20")


@given(st.text(alphabet="0123456789*#+X sip:tel@;%-", max_size=24))
def test_whatever_is_dialled_has_one_meaning_and_raises_nothing(dialled: str) -> None:
    route = PLAN.route(dialled, ALICE)
    match route:
        case External(number=number, kind=kind):
            assert number[1:].isdigit()
            assert number.startswith("+") == (kind not in (Kind.EMERGENCY, Kind.SHORT))
            assert len(number) <= 16
        case Barred(status=status) | Unknown(status=status):
            assert status in (403, 404, 484)
        case Internal(user=user):
            assert user in (ALICE, BORIS, CARLA)


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_sent_number_means_itself(number: str) -> None:
    route = PLAN.route(number)
    if isinstance(route, External) and route.number.startswith("+"):
        assert PLAN.route(route.number) == route
