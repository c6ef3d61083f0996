"""The IPBX as a node: who is let in, supervision, registration, drain, reload, status."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pbx.office import (
    ANSWER,
    BACKUP,
    NOMINAL,
    OFFER,
    PHONES,
    REALM,
    TRUNK,
    Office,
    rung,
    site,
)
from tests.pbx.test_call_incoming import answered
from tests.pbx.test_call_outgoing import NUMBER, talking
from tests.peers import Room, q850

from trunkline.call.node import Drain, Log
from trunkline.media.anchor import Silent
from trunkline.pbx.ipbx import Reload
from trunkline.sip.flow import Flow

ACCOUNT = {"requested": "true", "user": "site42", "password": "secret", "expires": "600"}
SUPERVISED: dict[str, Any] = {f"trunk.gateways.{index}.protocol": {} for index in (0, 1)}


def says(room: Room) -> list[str]:
    """The log so far, each line once heard."""
    lines = [log.text for log in room.logs]
    room.logs.clear()
    return lines


# --- who is let in ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER"])
def test_a_stranger_on_the_trunk_is_refused_and_counted(method: str) -> None:
    office = Office()
    stranger = office.peer(("198.51.100.66", 5060), TRUNK)
    stranger.asks(method, "sip:+33199001001@192.0.2.10:5060", body=OFFER if method == "INVITE" else b"")
    assert stranger.hears(403).reason == "Not A Known Gateway"
    assert office.node.status(office.now)["strangers"] == 1
    assert not office.node.calls


def test_phones_and_trunk_may_share_a_port() -> None:
    office = Office({"phones.listen": {"udp": "5060", "tcp": "5060"}})
    assert office.node.exchange.listen.every() == (("UDP", TRUNK), ("TCP", TRUNK))
    phone = office.peer(("192.0.2.101", 5060), TRUNK)
    phone.asks("REGISTER", f"sip:{REALM}", to=f"<sip:201@{REALM}>")
    phone.hears(401)
    office.nominal.asks("REGISTER", f"sip:{REALM}", to=f"<sip:201@{REALM}>")
    office.nominal.hears(403)


def test_a_phone_calls_only_with_its_password() -> None:
    office = Office()
    phone = office.phone("201")
    phone.asks("INVITE", f"sip:202@{REALM}", body=OFFER, from_=f"<sip:201@{REALM}>;tag=1")
    assert phone.hears(401).get("www-authenticate")
    assert not office.node.calls


def test_a_phone_over_tcp_that_loses_its_connection_is_forgotten() -> None:
    office = Office()
    phone = office.phone("201", transport="TCP")
    says(office)
    phone.unreachable()
    assert says(office) == ["phone 201 at sip:201@192.0.2.101:5060: connection refused"]
    office.calls_in().hears_no(480)


def test_a_phone_that_does_not_refresh_is_forgotten() -> None:
    office = Office({"phones.expires_max": "100", "phones.expires_default": "100"})
    office.phone("201")
    says(office)
    office.after(100.1)
    assert says(office) == ["phone 201 at sip:201@192.0.2.101:5060: not refreshed in time"]


@pytest.mark.rfc("3261#11.2")
def test_options_are_answered_on_both_sides() -> None:
    office = Office()
    phone = office.phone("201")
    for peer, node in ((office.nominal, TRUNK), (phone, PHONES)):
        peer.asks("OPTIONS", f"sip:{node[0]}:{node[1]}")
        answer = peer.hears(200)
        assert "INVITE" in (answer.get("allow") or "")
        assert "timer" in (answer.get("supported") or "")
        assert answer.get("accept") == "application/sdp"


def test_events_of_no_concern_change_nothing() -> None:
    office = Office()
    assert office.node.receive(Silent("m", "l", 2.0), office.now) == []


# --- supervision ------------------------------------------------------------------------------


def test_gateways_are_supervised_by_options_each_for_itself() -> None:
    office = Office(SUPERVISED)
    for sbc, domain in ((office.nominal, "sbc1"), (office.backup, "sbc2")):
        options = sbc.hears("OPTIONS")
        assert options.uri_text == f"sip:{domain}.carrier.example"
        assert options.get("contact") == "<sip:192.0.2.10:5060>"
        assert (options.get("from") or "").startswith("<sip:192.0.2.10>;tag=")
        sbc.says(100, options)
        sbc.says(200, options)
    assert says(office) == ["gateway nominal up: 200 to OPTIONS", "gateway backup up: 200 to OPTIONS"]
    office.after(60.1)
    office.nominal.says(200, office.nominal.hears("OPTIONS"))
    office.backup.hears("OPTIONS")
    office.after(4.0)
    office.backup.inbox.clear()
    office.after(10.1)
    office.nominal.inbox.clear()
    assert says(office) == ["gateway backup down: no answer to OPTIONS, 2 in a row"]
    gateways = office.node.status(office.now)["gateways"]
    assert [gateway["health"] for gateway in gateways] == ["up", "down"]


def test_options_refused_with_a_wish_for_rest_bar_the_gateway_for_that_time() -> None:
    office = Office(SUPERVISED)
    options = office.nominal.hears("OPTIONS")
    office.nominal.says(503, options, headers=(("Retry-After", "120"),))
    office.backup.says(200, office.backup.hears("OPTIONS"))
    assert "gateway nominal down: 503 to OPTIONS, Retry-After 120 s" in says(office)
    office.phone("201").dials(NUMBER)
    office.backup.hears("INVITE")
    office.after(119.0)
    assert not [m for m, _ in office.nominal.inbox]
    office.after(2.0)
    office.nominal.hears("OPTIONS")


def test_a_gateway_that_cannot_be_sent_to_is_down() -> None:
    office = Office(SUPERVISED)
    office.nominal.hears("OPTIONS")
    office.nominal.unreachable()
    office.after(10.1)
    office.nominal.hears("OPTIONS")
    office.nominal.unreachable()
    assert "gateway nominal down: unreachable: connection refused, 2 in a row" in says(office)


def test_a_gateway_over_a_transport_that_is_off_is_down() -> None:
    office = Office({**SUPERVISED, "trunk.gateways.0.domain_proxy.transport": "tcp", "trunk.listen.tcp": "0"})
    office.after(10.1)
    assert any("does not listen on that transport" in line for line in says(office))


def test_options_that_nobody_answers_in_the_transaction_either_count_once() -> None:
    supervision = {"supervision": {"timeout": "32", "down_after": "1"}}
    office = Office({**SUPERVISED, "trunk.gateways.0.protocol": supervision})
    office.backup.says(200, office.backup.hears("OPTIONS"))
    office.after(32.1)
    assert office.node.status(office.now)["gateways"][0]["why"] == "no answer to OPTIONS"


def test_an_ipv6_gateway_is_asked_in_brackets() -> None:
    proxy = "trunk.gateways.0.domain_proxy.target_domain"
    office = Office({**SUPERVISED, proxy: "2001:db8::5"})
    assert office.nominal.hears("OPTIONS").uri_text == "sip:[2001:db8::5]"


# --- a registered trunk -----------------------------------------------------------------------


@pytest.mark.rfc("3261#10.2")
def test_a_registered_trunk_registers_answers_the_challenge_and_leaves_at_the_end() -> None:
    office = Office({"trunk.gateways.0.registration": ACCOUNT})
    sbc = office.nominal
    register = sbc.hears("REGISTER")
    assert register.uri_text == "sip:sbc1.carrier.example"
    assert register.get("to") == "<sip:site42@sbc1.carrier.example>"
    assert register.get("contact") == "<sip:site42@192.0.2.10:5060>"
    sbc.says(100, register)
    challenge = 'Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"'
    sbc.says(401, register, headers=(("WWW-Authenticate", challenge),))
    again = sbc.hears("REGISTER")
    assert 'username="site42"' in (again.get("authorization") or "")
    assert again.call_id == register.call_id
    sbc.says(200, again, headers=(("Contact", f"{again.get('contact')};expires=600"),))
    assert says(office) == ["gateway nominal: registered for 600 s"]
    office.tells(Drain())
    assert not office.node.drained
    leaving = sbc.hears("REGISTER")
    assert leaving.get("expires") == "0"
    sbc.says(200, leaving)
    assert office.node.drained


def test_a_trunk_that_is_not_registered_takes_no_calls() -> None:
    office = Office({"trunk.gateways.0.registration": ACCOUNT})
    register = office.nominal.hears("REGISTER")
    phone = office.phone("201")
    phone.dials(NUMBER)
    office.backup.hears("INVITE")
    office.nominal.says(403, register)
    assert office.node.status(office.now)["gateways"][0]["why"].startswith("403")


@pytest.mark.parametrize("how", ["silence", "unreachable"])
def test_a_registrar_that_is_not_there_is_asked_again_later(how: str) -> None:
    office = Office({"trunk.gateways.0.registration": ACCOUNT})
    office.nominal.hears("REGISTER")
    if how == "silence":
        office.after(32.1)
        office.nominal.inbox.clear()
    else:
        office.nominal.unreachable()
    assert office.node.status(office.now)["gateways"][0]["registration"] == "waiting"
    office.after(31.0)
    office.nominal.hears("REGISTER")


def test_a_registrar_without_a_path_is_no_registrar() -> None:
    proxy = "trunk.gateways.0.domain_proxy.transport"
    office = Office({"trunk.gateways.0.registration": ACCOUNT, proxy: "tcp", "trunk.listen.tcp": "0"})
    gateway = office.node.status(office.now)["gateways"][0]
    assert (gateway["registration"], gateway["why"]) == ("waiting", "there is no path to it")


def test_a_gateway_that_a_reload_drops_leaves_its_registrar() -> None:
    office = Office({"trunk.gateways.1.registration": ACCOUNT})
    register = office.backup.hears("REGISTER")
    office.backup.says(200, register, headers=(("Contact", f"{register.get('contact')};expires=600"),))
    office.tells(Reload(site({"trunk.gateways.1": None, "carrier.sbcs.1": None})))
    leaving = office.backup.hears("REGISTER")
    assert leaving.get("expires") == "0"
    office.backup.says(200, leaving)
    assert [gateway["label"] for gateway in office.node.status(office.now)["gateways"]] == ["nominal"]
    office.rests()


def test_a_gateway_that_a_reload_drops_is_no_longer_heard() -> None:
    office = Office({"trunk.gateways.1.registration": ACCOUNT, **SUPERVISED})
    office.nominal.says(200, office.nominal.hears("OPTIONS"))
    options, register = office.backup.hears("OPTIONS"), office.backup.hears("REGISTER")
    office.tells(Reload(site({"trunk.gateways.1": None, "carrier.sbcs.1": None})))
    says(office)
    office.backup.says(200, options)
    office.backup.says(200, register)
    office.backup.hears("REGISTER")  # it takes itself off
    office.backup.unreachable()
    assert [line for line in says(office) if "up" in line] == ["gateway 2 up: 200 to OPTIONS"]


# --- drain ------------------------------------------------------------------------------------


def test_a_drain_ends_calls_and_takes_no_more() -> None:
    office = Office()
    phone, other = office.phone("201"), office.phone("202")
    call, far = talking(office, phone)
    ringing = office.calls_in("+33199001002")
    bell = other.rung()
    bell.says(180)
    ringing.peer.hears(180)
    office.tells(Drain())
    office.tells(Drain())
    assert q850(far.hears_bye()) == 41
    assert q850(call.hears_bye()) == 41
    assert q850(ringing.hears_no(503)) == 41
    other.says(200, other.hears("CANCEL"))
    bell.says(487)
    other.hears("ACK")
    late = phone.dials(NUMBER)
    response = late.hears_no(503)
    assert (response.get("retry-after"), q850(response)) == ("10", 41)
    office.nominal.asks("OPTIONS", "sip:192.0.2.10")
    assert office.nominal.hears(503).get("retry-after") == "10"
    assert office.node.drained
    assert office.node.status(office.now)["draining"]
    assert {record["ended_by"] for record in office.records if record["record"] == "call"} == {"ipbx"}
    office.rests()


def test_a_drain_waits_for_the_far_side_only_so_long_and_writes_the_records_then() -> None:
    office = Office({"calls.drain_max": "5"})
    phone = office.phone("201")
    call, _ = talking(office, phone)
    office.tells(Drain())
    call.hears_bye()
    assert not office.node.drained
    office.after(3.9)
    assert office.records == []
    office.after(0.2)
    assert office.node.drained
    assert office.record()["cause"] == 41
    assert office.used == 0
    assert Log("warning", "1 calls whose far side did not answer are closed") in office.logs
    office.nominal.inbox.clear()
    office.after(32.0)
    office.nominal.inbox.clear()
    office.rests()


def test_a_drain_while_a_caller_is_refused_leaves_that_alone() -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    call.byes()
    office.tells(Drain())
    assert q850(far.hears_bye()) == 16
    assert office.record()["ended_by"] == "caller"
    assert office.node.drained


# --- reload -----------------------------------------------------------------------------------


def test_a_reload_is_for_new_calls_and_running_ones_keep_what_they_have() -> None:
    office = Office({"calls.ringing_max": "50", "calls.duration_max": "1000", "records.mask_digits": "0"})
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    changes = {
        "trunk.gateways.0": None,
        "carrier.sbcs.0": None,
        "users.0.ddi": "+33199001009",
        "calls.ringing_max": "5",
        "calls.duration_max": "10",
        "records.mask_digits": "4",
    }
    office.tells(Reload(site(changes)))
    far.says(180)
    phone.hears(180)
    office.after(49.0)
    far.says(200, ANSWER)
    office.nominal.hears("ACK")
    call.acks(phone.hears(200))
    office.after(800.0)
    assert len(office.node.calls) == 1
    phone.registers()
    late = phone.dials(NUMBER)
    other = rung(office.backup)
    assert other.invite.from_.uri.user == "+33199001009"
    other.says(180)
    phone.hears(180)
    office.after(5.1)
    office.backup.says(200, office.backup.hears("CANCEL"))
    other.says(487)
    office.backup.hears("ACK")
    late.hears_no(480)
    assert office.record()["to"] == "+33199009001"[:-4] + "XXXX"


def test_a_call_that_is_tried_again_after_a_reload_shows_what_it_showed() -> None:
    office = Office()
    office.phone("201").dials(NUMBER)
    first = rung(office.nominal)
    office.tells(Reload(site({"users.0.ddi": "+33199001009", "users.0.name": "Autre"})))
    first.says(503)
    office.nominal.hears("ACK")
    again = rung(office.backup)
    assert again.invite.from_.display == first.invite.from_.display
    assert again.invite.from_.uri.user == "+33199001001"


def test_a_reload_that_takes_a_user_off_takes_its_phone_off() -> None:
    office = Office()
    office.phone("202")
    office.tells(Reload(site({"users.1": None})))
    assert office.node.status(office.now)["registrations"] == []
    office.calls_in("+33199001002").hears_no(404)


def test_a_reload_lowers_the_bound_for_new_calls_alone() -> None:
    office = Office()
    phone = office.phone("201")
    talking(office, phone)
    talking(office, phone)
    office.tells(Reload(site({"trunk.channels": "1"})))
    assert office.used == 2
    phone.dials(NUMBER).hears_no(503)


# --- status -----------------------------------------------------------------------------------


def test_status_tells_gateways_registrations_channels_and_calls() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    answered(office, call, phone)
    office.after(3.0)
    status = office.node.status(office.now)
    assert status["customer"] == "Exemple SARL, Rennes"
    assert status["channels"] == {
        "bound": 12, "used": 1, "peak": 1, "emergency": 0, "refused": 0, "stuck": [],
    }  # fmt: skip
    (running,) = status["calls"]
    assert (running["state"], running["gateway"], running["answered"]) == ("talking", "nominal", 3.0)
    assert status["registrations"][0]["extension"] == "201"
    assert [gateway["targets"] for gateway in status["gateways"]] == [
        [f"UDP {NOMINAL[0]} 5060"], [f"UDP {BACKUP[0]} 5060"],
    ]  # fmt: skip
    assert status["served"] == 0
    assert office.node.drained is False


def test_each_side_knows_its_own_flows() -> None:
    listen = Office().node.exchange.listen
    assert listen.is_trunk(Flow("UDP", TRUNK, NOMINAL))
    assert not listen.is_phones(Flow("UDP", TRUNK, NOMINAL))
    assert listen.every() == (("UDP", PHONES), ("TCP", PHONES), ("UDP", TRUNK), ("TCP", TRUNK))


def test_the_trunk_may_have_an_interface_of_its_own() -> None:
    office = Office(
        {
            "interfaces.eth1": {"address": "203.0.113.5"},
            "trunk.listen": {"interface": "eth1"},
            "phones.listen": {"udp": "5059", "tcp": "0"},
        }
    )
    listen = office.node.exchange.listen
    assert listen.every() == (("UDP", PHONES), ("UDP", ("203.0.113.5", 5060)), ("TCP", ("203.0.113.5", 5060)))
    assert office.node.exchange.domain(office.site.trunk.gateways[0]) == "203.0.113.5"


def test_what_comes_after_a_drain_was_cut_short_changes_nothing() -> None:
    office = Office({"calls.drain_max": "1"})
    phone = office.phone("201")
    call = phone.dials(NUMBER, sdp=b"")
    far = rung(office.nominal)
    far.says(200, ANSWER)
    answer = phone.hears(200)
    office.tells(Drain())
    office.after(0.9)
    assert office.node.drained
    records = list(office.records)
    phone.inbox.clear()
    call.acks(answer)  # without the answer it owes
    call.hears_bye()
    office.nominal.inbox.clear()
    office.after(64.0)
    assert office.records == records
