"""Kamailio as record-routing proxy between IPBX and carrier: every dialog keeps to the route, both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.interop import scenario, tone, wire
from tests.interop.baresip import Baresip
from tests.interop.kamailio import Kamailio
from tests.interop.program import Address, loopback
from tests.interop.sipp import Sipp
from tests.interop.trunk import PASSWORD, Carrier, Ipbx, Places, eventually, site

from trunkline.call.party import TEST_TONES

BUILT_IN, NEAR = "+33199009101", "+33199001001"
DIALLED = "00199009101"
CALLS = 20
TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def proxied(
    running: ExitStack, directory: Path, places: Places, proxy: Address, transport: str = "udp"
) -> Ipbx:
    """Starts the proxy in front of the nominal SBC, and the IPBX that sends its calls there."""
    nominal = (places.nominal, 5060)
    running.enter_context(Kamailio(directory / "proxy", proxy, places.trunk, nominal, tcp=transport == "tcp"))
    changes = {
        "trunk.gateways.0.domain_proxy.outbound_proxy": proxy[0],
        "trunk.gateways.0.domain_proxy.transport": transport,
    }
    return running.enter_context(Ipbx(site(directory, places, changes=changes), directory / "ipbx"))


@TRANSPORTS
def test_the_route_that_the_proxy_recorded_is_kept(
    tmp_path: Path, running: ExitStack, transport: str
) -> None:
    places, proxy = Places(), (loopback(), 5060)
    file = scenario.gateway(tmp_path / "gateway.xml", *scenario.ANSWERS)
    gateway = running.enter_context(Sipp(file, tmp_path / "gateway", (places.nominal, 5060), trace=True))
    ipbx = proxied(running, tmp_path, places, proxy, transport)
    ipbx.ready("nominal")
    calling = running.enter_context(
        Sipp(
            "call",
            tmp_path / "phone",
            (loopback(), 5060),
            places.phones,
            calls=CALLS,
            rate=20,
            service=DIALLED,
            keys={"caller": "201"},
            user="201",
            password=PASSWORD,
            pause=0.1,
        )
    )
    made = calling.finished(20)
    assert (made.successful, made.failed) == (CALLS, 0), calling.errors()
    ipbx.free()
    for method in ("INVITE", "ACK", "BYE"):
        came = gateway.requests(method)
        assert len(came) == CALLS
        assert all(f"Via: SIP/2.0/UDP {proxy[0]}" in request for request in came)


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "a stranger"])
def test_the_carrier_takes_calls_from_a_proxy_it_trusts(
    tmp_path: Path, running: ExitStack, trusted: bool
) -> None:
    places, proxy = Places(), (loopback(), 5060)
    file = site(tmp_path / "carrier", places, changes={"carrier.trusted": [proxy[0]] if trusted else []})
    running.enter_context(Carrier(file, tmp_path / "carrier"))
    ipbx = proxied(running, tmp_path, places, proxy)
    ipbx.ready("backup")
    if trusted:
        ipbx.ready("nominal")
    else:
        eventually("a refusal", lambda: "403" in ipbx.gateway("nominal")["why"])
    with Sipp(
        "call",
        tmp_path / "phone",
        (loopback(), 5060),
        places.phones,
        calls=1,
        service="00199009001",
        keys={"caller": "201"},
        user="201",
        password=PASSWORD,
    ) as calling:
        assert calling.finished(10).fault == "", calling.errors()
    assert ipbx.recorded(1)[0]["gateway"] == ("nominal" if trusted else "backup")


def test_calls_go_both_ways_through_the_proxy_and_end_by_it(tmp_path: Path, running: ExitStack) -> None:
    ours, theirs, their_call = tone.draw(20, 1, [f for f in tone.TONES if f in TEST_TONES]) + tone.draw(
        21, 2, (820, 860, 900)
    )
    places, proxy = Places(), (loopback(), 5060)
    # For the carrier the customer is at the proxy's address: that is where its own calls go.
    file = site(
        tmp_path / "carrier",
        replace(places, ipbx=proxy[0]),
        subscribers=[{"number": BUILT_IN, "does": "answer", "tone": theirs}],
        changes={"carrier.trusted": [places.ipbx]},
    )
    trace = tmp_path / "carrier.pcapng"
    carrier = running.enter_context(Carrier(file, tmp_path / "carrier", trace))
    ipbx = proxied(running, tmp_path, places, proxy)
    phone = running.enter_context(
        Baresip(tmp_path / "phone", loopback(), "201", sends=ours, registrar=places.phones, password=PASSWORD)
    )
    assert phone.registered()
    ipbx.ready("nominal", "backup")

    phone.dial(DIALLED)
    phone.wait_for("CALL_ESTABLISHED")
    phone.hears_for(1.2)
    phone.hang_up()
    phone.wait_for("CALL_CLOSED")
    assert tone.fault(phone.recordings()[-1], theirs) == ""

    for seconds in (60.0, 1.5):  # the phone hangs up, then the subscriber
        carrier.place(BUILT_IN, NEAR, tone=their_call, seconds=seconds)
        phone.wait_for("CALL_INCOMING")
        phone.accept()
        phone.wait_for("CALL_ESTABLISHED")
        if seconds == 60.0:
            phone.hears_for(1.2)
            phone.hang_up()
        phone.wait_for("CALL_CLOSED")
        assert tone.fault(phone.recordings()[-1], their_call) == ""
    talks = carrier.status()["talks"]
    assert [talk["heard"] for talk in talks] == [[ours]] * 3
    calls = ipbx.recorded(3)
    assert [call["direction"] for call in calls] == ["outgoing", "incoming", "incoming"]
    assert [call["ended_by"] for call in calls] == ["caller", "called", "caller"]

    assert carrier.stop() == 0
    rows = wire.rows(trace, 'sip.Method in {"INVITE", "ACK", "BYE"}', ["sip.Method", "ip.src", "ip.dst"])
    assert Counter(row["sip.Method"] for row in rows) == {"INVITE": 3, "ACK": 3, "BYE": 3}
    assert all({row["ip.src"], row["ip.dst"]} == {places.nominal, proxy[0]} for row in rows)
