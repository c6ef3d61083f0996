"""SIPp as phone, as public network and as access SBCs that fail: a thousand calls each way, none lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.interop import scenario
from tests.interop.program import loopback
from tests.interop.sipp import Sipp, Tally
from tests.interop.trunk import PASSWORD, Ipbx, Places, site, standing

CALLS, RATE, AT_ONCE = 1000, 100.0, 50  # of one run, a second, and up at any time
STORM = 100  # messages of a run's 20,000 that may be sent twice: a busy machine has some, a storm thousands
FAR = "+33199009100"
DIALLED = "00199009100"
NEAR = "+33199001001"  # the DDI of 201


def clean(tally: Tally, calls: int) -> bool:
    """Every call went to its end, and hardly anything was sent twice."""
    return (tally.successful, tally.failed, tally.lost) == (calls, 0, 0) and tally.retransmissions <= STORM


def registers(directory: Path, phone: tuple[str, int], places: Places, transport: str = "u1") -> None:
    """The phone 201 registers with digest and goes; its place is kept."""
    row = ["201", f"[authentication username=201 password={PASSWORD}]"]
    with Sipp("register", directory, phone, places.phones, calls=1, rows=[row], transport=transport) as sipp:
        assert sipp.finished(10).fault == "", sipp.errors()


def recorded(ipbx: Ipbx, calls: int, status: dict[str, Any]) -> None:
    """The calls are over in this status, and there is one record of each and one of each leg."""
    assert status["served"] == calls
    assert status["wire"]["faults"] == 0, ipbx.tail()
    records, legs = ipbx.records("call"), ipbx.records("leg")
    assert len(records) == len({record["call"] for record in records}) == calls
    assert len(legs) == 2 * calls
    ends = {(record["cause"], record["status"], record["ended_by"], record["gateway"]) for record in records}
    assert ends == {(16, 0, "caller", "nominal")}


def test_a_thousand_calls_go_out_and_a_thousand_come_in(tmp_path: Path) -> None:
    far, phone = (loopback(), 5060), (loopback(), 5060)
    subscriber = {"number": FAR, "does": "external", "at": f"{far[0]}:{far[1]}"}
    with standing(tmp_path, subscribers=[subscriber], t1=0.5) as (places, ipbx, carrier):
        registers(tmp_path / "register", phone, places)
        begun = ipbx.status()
        for at, other, way in ((phone, far, "out"), (far, phone, "in")):
            calling_at = places.phones if way == "out" else (places.nominal, 5060)
            answering = Sipp("answer", tmp_path / f"{way}-callee", other, pause=0.1)
            calling = Sipp(
                "call",
                tmp_path / f"{way}-caller",
                at,
                calling_at,
                calls=CALLS,
                rate=RATE,
                at_once=AT_ONCE,
                service=DIALLED if way == "out" else NEAR,
                keys={"caller": "201" if way == "out" else FAR},
                user="201" if way == "out" else "",
                password=PASSWORD,
                pause=0.2,
            )
            with answering, calling:
                made = calling.finished(CALLS / RATE + 60)
                taken = answering.drained()
            assert clean(made, CALLS), f"{made} {calling.errors()}"
            assert clean(taken, CALLS), f"{taken} {answering.errors()}"
        ended = ipbx.free()
        recorded(ipbx, 2 * CALLS, ipbx.idle())
        ways = Counter((record["direction"], record["from"]) for record in ipbx.records())
        assert ways == {("outgoing", "201"): CALLS, ("incoming", FAR): CALLS}
        assert carrier.status()["wire"]["faults"] == 0
    # What the IPBX sends for a call out: 401 100 180 200 200, INVITE PRACK ACK BYE; for one in: 100 180 200
    # 200, INVITE ACK BYE, and 200 to PRACK. Besides, two OPTIONS every 5 s.
    sent, seconds = ended["wire"]["sent"] - begun["wire"]["sent"], ended["up"] - begun["up"]
    assert 17 * CALLS <= sent <= 17 * CALLS + 2 * seconds + STORM


def test_a_phone_calls_and_is_called_over_one_tcp_connection(tmp_path: Path) -> None:
    far, phone = (loopback(), 5060), (loopback(), 5060)
    subscriber = {"number": FAR, "does": "external", "at": f"{far[0]}:{far[1]}"}
    with (
        standing(tmp_path, subscribers=[subscriber]) as (places, ipbx, _),
        Sipp("answer", tmp_path / "far", far) as answering,
    ):
        with Sipp(
            "call",
            tmp_path / "phone",
            phone,
            places.phones,
            calls=100,
            rate=50,
            service=DIALLED,
            keys={"caller": "201"},
            user="201",
            password=PASSWORD,
            pause=0.1,
            transport="t1",
        ) as calling:
            made = calling.finished(30)
        assert clean(made, 100), f"{made} {calling.errors()}"
        taken = answering.drained()
        assert clean(taken, 100), f"{taken} {answering.errors()}"
        recorded(ipbx, 100, ipbx.free())


# --- gateways that fail ---------------------------------------------------------------------


class Street:
    """An IPBX whose gateways are SIPps, each with a scenario of the test's."""

    def __init__(self, directory: Path, running: ExitStack) -> None:
        self.directory, self._running = directory, running
        self.places = Places()
        self.nominal: Sipp
        self.backup: Sipp
        self.ipbx: Ipbx

    def stands(
        self, *nominal: str, changes: dict[str, Any] | None = None, keys: dict[str, str] | None = None
    ) -> None:
        """Starts it: the nominal SBC takes these steps, the backup one answers."""
        places = self.places
        self.nominal = self._gateway("nominal", places.nominal, nominal, keys)
        self.backup = self._gateway("backup", places.backup, scenario.ANSWERS, None)
        file = site(self.directory, places, changes=changes)
        self.ipbx = self._running.enter_context(Ipbx(file, self.directory / "ipbx"))

    def _gateway(self, label: str, ip: str, steps: tuple[str, ...], keys: dict[str, str] | None) -> Sipp:
        file = scenario.gateway(self.directory / f"{label}.xml", *steps, registrar=keys is not None)
        return self._running.enter_context(
            Sipp(file, self.directory / label, (ip, 5060), keys=keys, trace=True)
        )

    def calls(self) -> tuple[Tally, dict[str, Any], list[dict[str, Any]]]:
        """A phone calls: what it counted, and the records of the call and of its legs once all is over."""
        with Sipp(
            "call",
            self.directory / "phone",
            (loopback(), 5060),
            self.places.phones,
            calls=1,
            service=DIALLED,
            keys={"caller": "201"},
            user="201",
            password=PASSWORD,
            pause=0.1,
        ) as calling:
            tally = calling.finished(20)
        (record,) = self.ipbx.recorded(1)
        status = self.ipbx.free()
        assert status["wire"]["faults"] == 0, self.ipbx.tail()
        return tally, record, self.ipbx.records("leg")


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with ExitStack() as running:
        yield Street(tmp_path, running)


@pytest.mark.parametrize(
    ("steps", "cause"),
    [
        pytest.param(scenario.UNAVAILABLE, 503, id="503"),
        pytest.param(scenario.STALLED, 408, id="100 and then nothing"),
        pytest.param(scenario.TOO_LATE, 408, id="an answer too late"),
        pytest.param(scenario.SILENT, 408, id="nothing"),
    ],
)
def test_a_call_that_the_nominal_fails_goes_by_the_backup(
    street: Street, steps: tuple[str, ...], cause: int
) -> None:
    street.stands(*steps)
    street.ipbx.ready("nominal", "backup")
    tally, record, legs = street.calls()
    assert clean(tally, 1), tally
    assert (record["gateway"], record["cause"], record["ended_by"]) == ("backup", 16, "caller")
    tried = {leg["gateway"]: leg for leg in legs if leg["side"] == "called"}
    assert list(tried) == ["nominal", "backup"]
    assert tried["nominal"]["status"] == cause
    assert len(street.nominal.requests("INVITE")) == len(street.backup.requests("INVITE")) == 1
    assert len(street.nominal.requests("BYE")) == (1 if steps is scenario.TOO_LATE else 0)
    assert len(street.nominal.requests("ACK")) == (0 if steps is scenario.SILENT else 1)


@pytest.mark.parametrize(
    "steps",
    [pytest.param(scenario.BUSY, id="486"), pytest.param(scenario.EARLY_THEN_BUSY, id="183 and then 486")],
)
def test_a_busy_subscriber_is_called_once(street: Street, steps: tuple[str, ...]) -> None:
    street.stands(*steps)
    street.ipbx.ready("nominal", "backup")
    tally, record, legs = street.calls()
    assert tally.successful == 0
    assert (record["gateway"], record["status"], record["cause"]) == ("nominal", 486, 17)
    assert len(legs) == 2
    assert len(street.nominal.requests("INVITE")) == 1
    assert len(street.backup.requests("INVITE")) == 0


def test_unavailable_after_ringing_is_not_tried_elsewhere(street: Street) -> None:
    street.stands(scenario.respond("180 Ringing"), *scenario.UNAVAILABLE)
    street.ipbx.ready("nominal", "backup")
    _, record, _ = street.calls()
    assert (record["gateway"], record["status"]) == ("nominal", 503)
    assert len(street.backup.requests("INVITE")) == 0


REGISTERS = {
    "trunk.gateways.0.registration": {"requested": True, "user": "+33199001000", "password": "trunk-secret"}
}


def registered(street: Street) -> Callable[[], bool]:
    return lambda: street.ipbx.gateway("nominal")["registration"] == "registered"


def test_a_trunk_registers_by_digest_before_it_takes_calls(street: Street) -> None:
    street.stands(
        *scenario.ANSWERS,
        changes=REGISTERS,
        keys={"user": "+33199001000", "password": "trunk-secret"},
    )
    street.ipbx.ready("nominal", "backup")
    tally, record, _ = street.calls()
    assert clean(tally, 1), tally
    assert record["gateway"] == "nominal"
    assert street.ipbx.gateway("nominal")["registration"] == "registered"
    assert len(street.nominal.requests("REGISTER")) == 2


def test_a_trunk_answers_the_challenge_to_its_calls(street: Street) -> None:
    street.stands(
        *scenario.CHALLENGES,
        changes=REGISTERS,
        keys={"user": "+33199001000", "password": "trunk-secret"},
    )
    street.ipbx.ready("nominal")
    tally, record, _ = street.calls()
    assert clean(tally, 1), tally
    assert record["gateway"] == "nominal"
    assert len(street.nominal.requests("INVITE")) == 2


def test_a_trunk_that_may_not_register_leaves_calls_to_the_backup(street: Street) -> None:
    street.stands(*scenario.ANSWERS, changes=REGISTERS, keys={"user": "+33199001000", "password": "another"})
    street.ipbx.ready("backup")
    tally, record, _ = street.calls()
    assert clean(tally, 1), tally
    assert record["gateway"] == "backup"
    nominal = street.ipbx.gateway("nominal")
    assert not nominal["usable"]
    assert "403" in nominal["why"]
