"""Nominal and backup: who is tried, in which order, and what a reload keeps (acceptance H)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pbx.conftest import Dice

from trunkline.call.watch import Changed, Failure, Health, SendOptions
from trunkline.pbx.gateway import TrunkGateway
from trunkline.pbx.trunk import Trunk
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Answers, Question, Srv
from trunkline.sip.message import Request, respond
from trunkline.sip.registration import RegistrationChanged, SendRegister
from trunkline.site import gateway as tabs_of
from trunkline.site import model

NOMINAL, BACKUP = Question("sbc1.example", "A"), Question("sbc2.example", "A")


def gateway(index: int, **tabs: Any) -> tabs_of.Gateway:
    name = tabs.pop("name", f"sbc{index}.example")
    return tabs_of.Gateway(
        label=f"sbc{index}",
        general=tabs_of.GatewayGeneral(index=index),
        domain_proxy=tabs_of.GatewayDomainProxy(target_domain=name),
        **tabs,
    )


def settings(*gateways: tabs_of.Gateway) -> model.Trunk:
    return model.Trunk(channels=10, gateways=gateways or (gateway(1), gateway(2)))


def supervised(**knobs: Any) -> tabs_of.GatewayProtocol:
    return tabs_of.GatewayProtocol(supervision=tabs_of.Supervision(**knobs))


REGISTERED = tabs_of.GatewayRegistration(requested=True, user="site", password="secret")


def located(trunk: Trunk, now: float = 0.0) -> list[Any]:
    """Start; both names are found; what was put out after that."""
    for question in trunk.expire(now):
        number = question.name[3]
        trunk.resolved(Answers(question, (f"192.0.2.{number}",), 86400), now)
    return trunk.expire(now)


def trunk(*gateways: tabs_of.Gateway) -> Trunk:
    made = Trunk(settings(*gateways), Dice(), 0.0)
    located(made)
    return made


def of(made: Trunk, index: int) -> TrunkGateway:
    found = made.gateway(index)
    assert found is not None
    return found


def lose(found: TrunkGateway, now: float = 0.0) -> None:
    for _ in range(2):
        found.call_failed(Failure.TIMEOUT, 0, now)
    assert found.watch.health is Health.DOWN


def labels(made: Trunk, **how: bool) -> list[str]:
    return [found.label for found in made.order(**how)]


def register(event: SendRegister) -> Request:
    lines = [
        ("Via", "SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1"),
        ("From", f"<{event.aor}>;tag=1"),
        ("To", f"<{event.aor}>"),
        ("Call-ID", event.call_id),
        ("CSeq", f"{event.cseq} REGISTER"),
        ("Contact", "<sip:192.0.2.10>"),
    ]
    return Request.build("REGISTER", event.uri, [*lines, *event.headers])


# --- start ----------------------------------------------------------------------------------


def test_names_are_asked_first_and_options_go_to_what_they_mean() -> None:
    made = Trunk(settings(gateway(2), gateway(1)), Dice(), 0.0)
    assert made.deadline() == 0.0
    assert made.expire(0.0) == [NOMINAL, BACKUP]
    assert made.order() == ()
    assert of(made, 1).why == "its address is being looked up"
    assert made.resolved(Answers(NOMINAL, ("192.0.2.1",), 60), 0.1) == []
    assert made.deadline() == 0.0
    said = made.expire(0.1)
    assert [type(event) for event in said] == [SendOptions]
    assert said[0].peer == 1
    assert said[0].target.host_ip == "192.0.2.1"
    assert labels(made) == ["sbc1"]


def test_name_that_cannot_be_resolved_takes_the_gateway_down_and_says_so() -> None:
    made = Trunk(settings(gateway(1)), Dice(), 0.0)
    made.expire(0.0)
    made.resolved(Answers(NOMINAL, (), 0, "no server answered"), 0.0)
    assert made.expire(0.0) == []
    why = "unreachable: sbc1.example: no server answered, 2 in a row"
    assert made.expire(10.0) == [Changed(1, Health.DOWN, why)]
    assert of(made, 1).why == "sbc1.example: no server answered"
    assert labels(made, emergency=True) == []


def test_static_literal_needs_no_dns() -> None:
    made = Trunk(settings(gateway(1, name="192.0.2.1")), Dice(), 0.0)
    assert [type(event) for event in made.expire(0.0)] == [SendOptions]


def test_questions_and_supervision_are_due_together() -> None:
    made = Trunk(settings(gateway(1)), Dice(), 0.0)
    made.expire(0.0)
    made.resolved(Answers(NOMINAL, (), 0, "no server answered"), 0.0)
    made.expire(0.0)
    made.expire(10.0)
    assert made.expire(40.0) == [NOMINAL]  # the name is asked again, OPTIONS without an address fails
    assert made.deadline() == 55.0


# --- order ------------------------------------------------------------------------------------


def test_nominal_goes_before_backup_even_while_unknown() -> None:
    made = trunk()
    of(made, 2).answered(200, 0, 0.0)
    assert labels(made) == ["sbc1", "sbc2"]
    assert [attempt.target.host_ip for attempt in made.attempts(0.0)] == ["192.0.2.1", "192.0.2.2"]


def test_lost_nominal_leaves_the_backup() -> None:
    made = trunk()
    lose(of(made, 1))
    assert labels(made) == ["sbc2"]


def test_all_down_is_congestion_but_an_emergency_call_tries_each() -> None:
    made = trunk()
    lose(of(made, 1))
    lose(of(made, 2))
    assert labels(made) == []
    assert labels(made, emergency=True) == ["sbc1", "sbc2"]


def test_returning_nominal_waits_behind_the_backup() -> None:
    made = trunk()
    nominal = of(made, 1)
    lose(nominal)
    nominal.expire(30.0)
    nominal.answered(200, 0, 30.0)
    assert nominal.watch.health is Health.RETURNING
    assert labels(made) == ["sbc2", "sbc1"]
    nominal.expire(60.0)
    nominal.answered(200, 0, 60.0)
    assert labels(made) == ["sbc1", "sbc2"]


# --- re-route -----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [408, 500, 502, 503, 504, Failure.TIMEOUT, Failure.UNREACHABLE])
def test_failed_attempt_goes_on_to_the_next_but_never_after_ringing(outcome: Any) -> None:
    nominal = of(trunk(), 1)
    assert nominal.reroutes(outcome, rang=False)
    assert not nominal.reroutes(outcome, rang=True)


@pytest.mark.parametrize("status", [302, 401, 403, 404, 407, 410, 480, 484, 486, 487, 488, 600, 603, 604])
def test_called_partys_answer_is_final(status: int) -> None:
    assert not of(trunk(), 1).reroutes(status, rang=False)


@pytest.mark.parametrize("status", [302, 401, 403, 404, 480, 488, 503, Failure.TIMEOUT])
def test_an_emergency_call_takes_no_gateways_refusal_for_an_answer(status: Any) -> None:
    assert of(trunk(), 1).reroutes(status, rang=False, emergency=True)
    assert not of(trunk(), 1).reroutes(status, rang=True, emergency=True)


@pytest.mark.parametrize("status", [486, 600, 603])
def test_an_emergency_call_takes_a_persons(status: int) -> None:
    assert not of(trunk(), 1).reroutes(status, rang=False, emergency=True)


def test_reroute_statuses_are_a_knob() -> None:
    protocol = tabs_of.GatewayProtocol(reroute_statuses=(480,))
    nominal = of(trunk(gateway(1, protocol=protocol)), 1)
    assert nominal.reroutes(480, rang=False)
    assert not nominal.reroutes(503, rang=False)


# --- several targets of one gateway ---------------------------------------------------------------


def two_targets() -> Trunk:
    made = Trunk(settings(gateway(1, dns=tabs_of.GatewayDns(mode="SRV"))), Dice(), 0.0)
    question = made.expire(0.0)[0]
    servers = (Srv(1, 0, 5060, "a.example"), Srv(2, 0, 5060, "b.example"))
    for asked in made.resolved(Answers(question, servers, 300), 0.0):
        literal = "192.0.2.1" if asked.name == "a.example" else "192.0.2.2"
        made.resolved(Answers(asked, (literal,), 300), 0.0)
    return made


def first(made: Trunk, now: float) -> str:
    return made.attempts(now)[0].target.host_ip


def test_target_that_does_not_answer_options_comes_last_for_a_hold_down() -> None:
    made = two_targets()
    sent = made.expire(0.0)[0]
    assert sent.target.host_ip == "192.0.2.1"
    of(made, 1).unanswered(4.0, sent.probe)
    assert [attempt.target.host_ip for attempt in made.attempts(4.0)] == ["192.0.2.2", "192.0.2.1"]
    assert made.expire(10.0)[0].target.host_ip == "192.0.2.2"
    assert first(made, 35.0) == "192.0.2.1"


def test_target_that_fails_a_call_comes_last_too() -> None:
    made = two_targets()
    target = made.attempts(0.0)[0].target
    of(made, 1).call_failed(503, 0, 0.0, target)
    assert first(made, 0.0) == "192.0.2.1"
    of(made, 1).call_failed(Failure.TIMEOUT, 0, 0.0, target)
    assert first(made, 0.0) == "192.0.2.2"


# --- the DNS later ----------------------------------------------------------------------------------


def test_old_address_is_used_while_the_dns_is_down_and_status_says_so() -> None:
    made = Trunk(settings(gateway(1)), Dice(), 0.0)
    made.expire(0.0)
    made.resolved(Answers(NOMINAL, ("192.0.2.1",), 60), 0.0)
    sent = made.expire(0.0)[0]
    of(made, 1).answered(200, 0, 0.1, sent.probe)
    assert NOMINAL in made.expire(60.0)
    made.resolved(Answers(NOMINAL, (), 0, "timeout"), 60.1)
    assert labels(made) == ["sbc1"]
    assert of(made, 1).why == "200 to OPTIONS (old addresses in use: sbc1.example: timeout)"


# --- strangers ------------------------------------------------------------------------------------


def test_gateway_is_known_by_its_address_whatever_its_health() -> None:
    made = trunk()
    lose(of(made, 2))
    assert made.whose(Flow("UDP", ("192.0.2.1", 5060), ("192.0.2.2", 5060))) is of(made, 2)
    assert made.whose(Flow("UDP", ("192.0.2.1", 5060), ("192.0.2.66", 5060))) is None
    assert made.gateway(3) is None


# --- registered trunk -------------------------------------------------------------------------------


def test_registered_gateway_takes_calls_only_while_registered() -> None:
    made = Trunk(settings(gateway(1, registration=REGISTERED)), Dice(), 0.0)
    made.expire(0.0)
    assert made.gateways[0].registration is not None
    made.resolved(Answers(NOMINAL, ("192.0.2.1",), 86400), 0.0)
    said = made.expire(0.0)
    assert [type(event) for event in said] == [SendOptions, SendRegister]
    assert said[1].target.host_ip == "192.0.2.1"
    nominal = of(made, 1)
    assert labels(made) == []
    assert labels(made, emergency=True) == ["sbc1"]
    assert nominal.why == "not registered yet"
    request = register(said[1])
    assert nominal.register_answered(respond(request, 200), request, 0.1) == [
        RegistrationChanged(1, True, "registered for 3600 s")
    ]
    assert labels(made) == ["sbc1"]
    assert made.status(0.1)[0]["registration"] == "registered"
    [left, gone] = made.close(1.0)
    assert left.target.host_ip == "192.0.2.1"
    assert gone == RegistrationChanged(1, False, "leaving")


def test_failed_register_keeps_the_gateway_out() -> None:
    made = Trunk(settings(gateway(1, name="192.0.2.1", registration=REGISTERED)), Dice(), 0.0)
    [_, sent] = made.expire(0.0)
    assert of(made, 1).register_failed(register(sent), "no answer to REGISTER", 32.0) == []
    assert of(made, 1).why == "no answer to REGISTER"


def test_static_gateway_has_nothing_to_do_with_register() -> None:
    nominal = of(trunk(), 1)
    request = register(SendRegister(1, "sip:x", "sip:a@x", "c", 1, ()))
    assert nominal.register_answered(respond(request, 200), request, 0.0) == []
    assert nominal.register_failed(request, "x", 0.0) == []
    assert nominal.close(0.0) == []


# --- reload -----------------------------------------------------------------------------------------


def test_reload_keeps_what_is_known_of_an_unchanged_gateway() -> None:
    made = trunk()
    lose(of(made, 1))
    nominal, backup = made.gateways
    changed = gateway(2, protocol=supervised(every_up=30.0))
    assert made.reloaded(settings(gateway(1), changed), 5.0) == []
    assert of(made, 1) is nominal
    assert of(made, 2) is not backup
    assert made.expire(5.0) == [BACKUP]
    assert made.settings.gateways[1] == changed


def test_dropped_gateway_leaves_its_registrar() -> None:
    made = Trunk(settings(gateway(1), gateway(2, name="192.0.2.2", registration=REGISTERED)), Dice(), 0.0)
    made.expire(0.0)
    said = made.reloaded(settings(gateway(1)), 5.0)
    assert [(event.account, event.headers) for event in said] == [(2, (("Expires", "0"),))]
    assert [found.label for found in made.gateways] == ["sbc1"]


def test_registration_survives_a_change_of_other_tabs() -> None:
    made = Trunk(settings(gateway(1, name="192.0.2.1", registration=REGISTERED)), Dice(), 0.0)
    [_, sent] = made.expire(0.0)
    request = register(sent)
    of(made, 1).register_answered(respond(request, 200), request, 0.1)
    busier = gateway(1, name="192.0.2.1", registration=REGISTERED, media=tabs_of.GatewayMedia(bandwidth=9))
    assert made.reloaded(settings(busier), 5.0) == []
    assert of(made, 1).registered


@pytest.mark.parametrize(
    ("registration", "leaves"),
    [
        (tabs_of.GatewayRegistration(requested=True, user="site", password="new"), False),
        (tabs_of.GatewayRegistration(requested=True, user="other", password="secret"), True),
        (tabs_of.GatewayRegistration(), True),
    ],
)
def test_changed_account_leaves_the_registrar_unless_it_is_the_same_one(
    registration: tabs_of.GatewayRegistration, leaves: bool
) -> None:
    made = Trunk(settings(gateway(1, name="192.0.2.1", registration=REGISTERED)), Dice(), 0.0)
    made.expire(0.0)
    said = made.reloaded(settings(gateway(1, name="192.0.2.1", registration=registration)), 5.0)
    assert bool(said) == leaves


def test_account_at_another_registrar_begins_anew() -> None:
    made = Trunk(settings(gateway(1, name="192.0.2.1", registration=REGISTERED)), Dice(), 0.0)
    before = of(made, 1).registration
    made.reloaded(settings(gateway(1, name="192.0.2.7", registration=REGISTERED)), 5.0)
    assert of(made, 1).registration is not before


# --- status -----------------------------------------------------------------------------------------


def test_status_tells_each_gateway_and_why() -> None:
    made = trunk()
    of(made, 1).answered(200, 0, 0.0)
    of(made, 2).unreachable("connection refused", 0.0)
    assert made.status(60.0) == [
        {
            "index": 1,
            "label": "sbc1",
            "health": "up",
            "why": "200 to OPTIONS",
            "for": 60.0,
            "usable": True,
            "targets": ["UDP 192.0.2.1 5060"],
            "registration": None,
            "tls": None,
        },
        {
            "index": 2,
            "label": "sbc2",
            "health": "unknown",
            "why": "not heard of yet",
            "for": 60.0,
            "usable": True,
            "targets": ["UDP 192.0.2.2 5060"],
            "registration": None,
            "tls": None,
        },
    ]


def test_answered_call_marks_the_gateway_up() -> None:
    made = trunk()
    assert of(made, 1).call_answered(0.0) == [Changed(1, Health.UP, "calls go through")]
