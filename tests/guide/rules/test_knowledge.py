"""What is known around the guide: telephones by their names, overseas numbers, weak passwords, sizes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.example_site import EXAMPLES, FILE, edited

from trunkline.guide.catalogue import judge
from trunkline.guide.facts import known_around, shipped
from trunkline.guide.rules.fraud import weakness
from trunkline.guide.rules.overseas import as_overseas
from trunkline.guide.rules.versions import row
from trunkline.guide.rules.webrtc import channels_for
from trunkline.pbx.dialplan import FRENCH_PLAN, OVERSEAS, Dialplan, External
from trunkline.site.load import load
from trunkline.site.model import Numbering

GUIDE = shipped()["business-talk-oxo-6.x"]


def rules_of(changes: dict[str, Any], of: str = "bvpn.yaml") -> list[str]:
    return [found.rule for found in judge(load(edited(changes, EXAMPLES / of), "x"))]


# --- telephones -----------------------------------------------------------------------


@pytest.mark.guide("VER-2")
@pytest.mark.parametrize(
    ("model", "key"),
    [
        *(("80x8", "80x8"), ("8018", "80x8"), ("8068s", "80x8s"), ("80x8s", "80x8s"), ("8039", "80x9")),
        *(("ALE-2", "essential"), ("ALE-20h", "essential"), ("ale 30", "essential"), ("ALE-300", "business")),
        *(
            ("ALE-500", "business"),
            ("4135S", "4135S"),
            ("4135s", "4135S"),
            ("8242", "82x2"),
            ("8254", "82x4"),
        ),
        *(
            ("Mediatrix 4102", "mediatrix_4102"),
            ("AudioCodes MP-114", "audiocodes_mp11x"),
            ("MP118", "audiocodes_mp11x"),
        ),
        ("AudioCodes SBC", "third_party_sbc"),
        *(("8378", "xBS8378"), ("xBS8378", "xBS8378"), ("8378 DECT-IP xBS", "xBS8378")),
    ],
)
def test_a_telephone_is_found_in_the_guides_table_however_it_is_written(model: str, key: str) -> None:
    found = row(model, GUIDE)
    assert found is not None
    assert found.key == f"endpoints.{key}"


@pytest.mark.parametrize(
    "model", ["", "8018G", "80188", "ALE-400X", "ALE-3000", "T46U", "8x18", "third_party", "é"]
)
def test_what_the_table_does_not_name_is_no_row_of_it(model: str) -> None:
    found = row(model, GUIDE)
    assert found is None or found.key == "endpoints.third_party"


@given(st.text(max_size=30))
def test_any_text_is_a_model_or_none(model: str) -> None:
    found = row(model, GUIDE)
    assert found is None or found.key.startswith("endpoints.")


# --- overseas -------------------------------------------------------------------------


@pytest.mark.guide("DROM-1")
def test_check_and_dial_plan_know_the_same_overseas_numbers() -> None:
    france = known_around()["france"]
    built = {
        lead: str(code) if str(code) in france.words("overseas.other") else f"{code}{lead}"
        for lead, code in france.counts("overseas.national").items()
    }
    assert built == OVERSEAS
    zones = {*france.words("overseas.caribbean"), *france.words("overseas.indian-ocean")}
    assert zones | {france.text("country.code")} == FRENCH_PLAN


@pytest.mark.guide("DROM-1")
@pytest.mark.parametrize(
    "national", ["590000001", "691000001", "596000001", "694000001", "639000001", "508410001"]
)
def test_a_number_built_as_33_is_told_with_what_the_dial_plan_would_send(national: str) -> None:
    plan = Dialplan(Numbering(installation_number="+33199001000"), ())
    route = plan.route("00" + national)
    assert isinstance(route, External)
    assert as_overseas("+33" + national) == route.number


@pytest.mark.parametrize(
    "number", ["+33199001000", "+33639980007", "+590590000001", "+3359000001", "+32590000001", ""]
)
def test_a_number_that_is_well_built_stays_as_it_is(number: str) -> None:
    assert as_overseas(number) == ""


# --- numbers, passwords, sizes --------------------------------------------------------


@pytest.mark.parametrize("country", ["32", "44", "508", "1"])
def test_another_country_is_not_held_to_the_numbers_of_france(country: str) -> None:
    changes = {"numbering.country": country, "numbering.emergency": ["112"], "numbering.short": []}
    assert not {"SITE-60", "SITE-61"} & set(rules_of(changes))


@pytest.mark.parametrize("country", ["33", "596", "262"])
def test_every_site_of_the_french_plan_is(country: str) -> None:
    changes = {"numbering.country": country, "numbering.emergency": ["112"], "numbering.short": []}
    assert {"SITE-60", "SITE-61"} <= set(rules_of(changes))


@pytest.mark.parametrize("short", [["XXXX", "XXXXXX"], ["10XX", "118XXX", "3XXX", "116XXX", "9XXX"]])
def test_a_wider_pattern_reaches_the_short_numbers_too(short: list[str]) -> None:
    assert "SITE-61" not in rules_of({"numbering.short": short})


@pytest.mark.parametrize("secret", ["correct horse", "mTq7vX2nRk9d", "a1b2c3d4e5f6", "2016-08-nuage"])
def test_a_fair_password_is_no_weakness(secret: str) -> None:
    assert weakness(secret, "201") is None


def test_an_extension_inside_a_random_number_is_chance_and_a_name_is_not() -> None:
    assert weakness("8472013471928374", "201", "Accueil") is None
    assert weakness("Accueil-2024!", "201", "Accueil") is not None


@given(st.text(max_size=40), st.text(max_size=10))
def test_any_password_is_judged(secret: str, user: str) -> None:
    assert weakness(secret, user) is None or len(secret) <= 40


def test_a_password_is_not_told_in_its_finding() -> None:
    (found,) = judge(load(edited({"users.0.password": "Azerty123"}), "x"))
    assert "azerty" not in (found.says + found.mend).lower()


@pytest.mark.parametrize(
    ("users", "channels"), [(0, 0), (1, 5), (5, 5), (6, 7), (50, 20), (51, 27), (150, 50), (151, 151)]
)
def test_channels_for_webrtc_clients_follow_the_vendors_table(users: int, channels: int) -> None:
    assert channels_for(users) == channels


def test_each_reading_around_the_guide_says_where_it_is_from() -> None:
    for facts in known_around().values():
        assert all(fact.section not in ("", "-") for fact in facts.by_key.values()), facts.name


# --- what is not judged ---------------------------------------------------------------


def test_a_lab_on_loopback_is_no_public_site_without_a_record() -> None:
    lab = {"interfaces.eth1.address": "127.1.1.11"}
    assert "DNS-1b" not in rules_of(lab, "internet-a.yaml")


def test_a_firewall_without_address_is_told_once_and_not_by_every_gateway() -> None:
    assert rules_of({"firewall.public_address": ""}, "internet-b.yaml").count("INET-3b") == 1
    assert "CFG-4b" not in rules_of({"firewall.public_address": ""}, "internet-b.yaml")


def test_a_topology_b_without_firewall_is_told_at_the_architecture() -> None:
    loaded = load(edited({"firewall": None}, EXAMPLES / "internet-b.yaml"), "x")
    assert ("INET-3a", "architecture") in {(found.rule, found.path) for found in judge(loaded)}


@pytest.mark.parametrize(
    "section", ["firewall", "wan", "vpn", "webrtc_gateway", "dns_records", "remote_sites"]
)
def test_a_section_with_an_error_is_not_judged_as_if_it_were_not_there(section: str) -> None:
    for file in names():
        loaded = load(edited({section: "x"}, EXAMPLES / file), "x")
        assert [found.path for found in loaded.findings] == [section]
        before = {found.rule for found in judge(load((EXAMPLES / file).read_text("utf-8"), "x"))}
        assert {found.rule for found in judge(loaded)} <= before, file


def names() -> Iterable[str]:
    return [file.name for file in sorted(FILE.parent.glob("*.yaml"))]
