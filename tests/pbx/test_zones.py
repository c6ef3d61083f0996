"""Overseas zones: their local calls go to their own access SBCs, all others to the metropole's (DROM-1)."""

from __future__ import annotations

import pytest
from tests.pbx.conftest import Dice
from tests.pbx.office import OTHER, Office, rung
from tests.pbx.test_trunk import gateway as metropolitan
from tests.pbx.test_trunk import located, lose, of

from trunkline.pbx.trunk import Trunk
from trunkline.site import gateway as tabs
from trunkline.site import model

MARTINIQUE, REUNION, PARIS = "+596596000001", "+262262000001", "+33199009001"


def overseas(index: int, zone: tabs.Zone) -> tabs.Gateway:
    general = tabs.GatewayGeneral(index=index, zone=zone)
    return metropolitan(index).model_copy(update={"general": general})


def trunk(*, fallback: bool = True) -> Trunk:
    """Gateways 1 and 2 in the metropole, 3 and 4 in the Caribbean."""
    gateways = (
        metropolitan(1),
        metropolitan(2),
        overseas(3, "caribbean"),
        overseas(4, "caribbean"),
    )
    made = Trunk(model.Trunk(channels=10, gateways=gateways, zone_fallback=fallback), Dice(), 0.0)
    located(made)
    return made


def order(made: Trunk, number: str, *, emergency: bool = False) -> list[int]:
    return [found.index for found in made.order(number, emergency=emergency)]


@pytest.mark.guide("DROM-1")
@pytest.mark.parametrize("number", [MARTINIQUE, "+590690000001", "+594594000001"])
def test_a_zones_local_calls_go_to_its_own_pair_first(number: str) -> None:
    assert order(trunk(), number) == [3, 4, 1, 2]


@pytest.mark.guide("DROM-1")
@pytest.mark.parametrize("number", [PARIS, REUNION, "+508410001", "+3225001234", "3615", "118712"])
def test_all_other_calls_never_go_to_a_zones_pair(number: str) -> None:
    assert order(trunk(), number) == [1, 2]


@pytest.mark.guide("DROM-1")
def test_local_calls_go_to_the_metropole_when_the_zones_pair_is_lost() -> None:
    made = trunk()
    lose(of(made, 3))
    assert order(made, MARTINIQUE) == [4, 1, 2]
    lose(of(made, 4))
    assert order(made, MARTINIQUE) == [1, 2]


def test_a_pair_that_comes_back_waits_behind_a_metropole_that_is_up() -> None:
    made = trunk()
    for index in (3, 4):
        lose(of(made, index))
        of(made, index).expire(30.0)
        of(made, index).answered(200, 0, 30.0)
    assert order(made, MARTINIQUE) == [1, 2, 3, 4]


def test_a_site_may_keep_its_local_calls_in_their_zone() -> None:
    made = trunk(fallback=False)
    assert order(made, MARTINIQUE) == [3, 4]
    lose(of(made, 3))
    lose(of(made, 4))
    assert order(made, MARTINIQUE) == []


@pytest.mark.parametrize("fallback", [True, False])
def test_an_emergency_call_begins_in_the_metropole_and_leaves_no_gateway_out(fallback: bool) -> None:
    made = trunk(fallback=fallback)
    assert order(made, "112", emergency=True) == [1, 2, 3, 4]
    lose(of(made, 1))
    lose(of(made, 3))
    assert order(made, "112", emergency=True) == [2, 4, 1, 3]


def test_a_reload_takes_the_zones_along() -> None:
    made = trunk()
    alone = model.Trunk(channels=10, gateways=(metropolitan(1), metropolitan(2)))
    made.reloaded(alone, 5.0)
    assert order(made, MARTINIQUE) == [1, 2]
    zone = model.Trunk(channels=10, gateways=(metropolitan(1), overseas(2, "indian-ocean")))
    made.reloaded(zone, 6.0)
    located(made, 6.0)
    assert order(made, REUNION) == [2, 1]
    assert order(made, MARTINIQUE) == [1]


# --- a whole call ---------------------------------------------------------------------------


class Antilles(Office):
    """The example, its backup an access SBC of the Caribbean."""

    def __init__(self) -> None:
        super().__init__({"trunk.gateways.1.general.zone": "caribbean"})


@pytest.mark.guide("DROM-1")
def test_a_number_of_martinique_dialled_nationally_leaves_by_the_caribbean_sbc() -> None:
    office = Antilles()
    office.phone("201").dials("00596000001")
    invite = office.backup.hears("INVITE")
    assert invite.uri_text == "sip:+596596000001@sbc2.carrier.example;user=phone"
    office.nominal.quiet()


@pytest.mark.guide("DROM-1")
def test_a_metropolitan_number_leaves_by_the_metropolitan_sbc() -> None:
    office = Antilles()
    office.phone("201").dials("00199009001")
    office.nominal.hears("INVITE")
    office.backup.quiet()


@pytest.mark.guide("DROM-1")
def test_a_local_call_that_the_zones_sbc_refuses_goes_on_to_the_metropole() -> None:
    office = Antilles()
    call = office.phone("201").dials("00596000001")
    rung(office.backup).says(503)
    office.backup.hears("ACK")
    far = rung(office.nominal)
    far.says(200, OTHER)
    office.nominal.hears("ACK")
    call.acks(call.peer.hears(200))


@pytest.mark.guide("DROM-1")
def test_a_metropolitan_call_that_is_refused_never_tries_the_zones_sbc() -> None:
    office = Antilles()
    phone = office.phone("201")
    phone.dials("00199009001")
    rung(office.nominal).says(503)
    office.nominal.hears("ACK")
    assert phone.hears(503)
    office.backup.quiet()
