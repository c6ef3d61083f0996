"""A gateway's name is resolved, refreshed and kept when the DNS is down (acceptance A20, A21)."""

from __future__ import annotations

from typing import Any

from tests.pbx.conftest import Dice
from tests.playbook import Playbook

from trunkline.pbx.addresses import ANSWER_WITHIN, ASK_AGAIN, Addresses, proxy_uri
from trunkline.sip.locate import Answers, Question, Srv, Target
from trunkline.site.gateway import Gateway, GatewayDns, GatewayDomainProxy, GatewayGeneral

SBC = Question("sbc1.example", "A")


def gateway(mode: Any = "A", **proxy: Any) -> Gateway:
    return Gateway(
        label="nominal",
        general=GatewayGeneral(index=1),
        dns=GatewayDns(mode=mode),
        domain_proxy=GatewayDomainProxy(**({"target_domain": "sbc1.example"} | proxy)),
    )


def addresses(mode: Any = "A", **proxy: Any) -> Playbook[Addresses]:
    return Playbook(Addresses(gateway(mode, **proxy), Dice(), 0.0))


def a(*literals: str, ttl: float = 60.0, error: str = "") -> Answers:
    return Answers(SBC, literals, ttl, error)


def at(play: Playbook[Addresses]) -> list[str]:
    return [target.host_ip for target in play.machine.targets]


def known() -> Playbook[Addresses]:
    play = addresses()
    play.after(0, SBC)
    play.does(play.machine.resolved, (a("192.0.2.1"), play.now))
    return play


def test_outbound_proxy_goes_before_the_target_domain() -> None:
    assert str(proxy_uri(gateway())) == "sip:sbc1.example"
    assert str(proxy_uri(gateway(outbound_proxy="192.0.2.9", port=5070))) == "sip:192.0.2.9:5070"
    assert str(proxy_uri(gateway(outbound_proxy="2001:db8::1"))) == "sip:[2001:db8::1]"


def test_name_is_asked_at_once_and_again_when_its_ttl_ends() -> None:
    play = known()
    assert play.machine.targets == (Target("UDP", "192.0.2.1", 5060, "sbc1.example", 60.0),)
    play.after(59.9)
    play.after(0.2, SBC)
    play.does(play.machine.resolved, (a("192.0.2.2"), play.now))
    assert at(play) == ["192.0.2.2"]


def test_old_addresses_hold_while_the_name_is_asked_again() -> None:
    play = known()
    play.after(60, SBC)
    assert play.machine.asking
    assert at(play) == ["192.0.2.1"]


def test_last_good_answer_is_kept_while_the_dns_is_down() -> None:
    play = known()
    play.after(60, SBC)
    play.does(play.machine.resolved, (a(error="no server answered"), play.now))
    assert at(play) == ["192.0.2.1"]
    assert play.machine.error == "sbc1.example: no server answered"
    play.after(ASK_AGAIN, SBC)
    play.does(play.machine.resolved, (a("192.0.2.1"), play.now))
    assert play.machine.error == ""


def test_question_that_is_never_answered_counts_as_failed() -> None:
    play = addresses()
    play.after(0, SBC)
    play.after(ANSWER_WITHIN - 0.1)
    assert play.machine.error == ""
    assert play.machine.expire(play.now) == []  # woken early, nothing is due
    play.after(0.1)
    assert play.machine.error == "the DNS did not answer"
    assert play.machine.targets == ()
    play.after(ASK_AGAIN, SBC)


def test_ttl_of_zero_does_not_ask_without_end() -> None:
    play = addresses()
    play.after(0, SBC)
    play.does(play.machine.resolved, (a("192.0.2.1", ttl=0), play.now))
    play.after(4.9)
    play.after(0.2, SBC)


def test_answers_to_others_and_late_ones_change_nothing() -> None:
    play = known()
    play.does(play.machine.resolved, (a("192.0.2.66"), play.now))
    play.after(60, SBC)
    play.does(play.machine.resolved, (Answers(Question("other.example", "A"), ("192.0.2.66",), 60), play.now))
    assert at(play) == ["192.0.2.1"]


def test_literal_address_is_never_asked() -> None:
    play = addresses("none", outbound_proxy="192.0.2.9", transport="tcp")
    play.after(0)
    assert play.machine.targets[0][:3] == ("TCP", "192.0.2.9", 5060)
    assert play.machine.deadline() is None


def test_name_without_dns_is_an_error_in_words() -> None:
    play = addresses("none")
    play.after(0)
    assert "DNS mode is none" in play.machine.error


def test_service_is_followed_to_its_servers() -> None:
    play = addresses("SRV")
    service, first, second = (
        Question("_sip._udp.sbc1.example", "SRV"),
        Question("a.example", "A"),
        Question("b.example", "A"),
    )
    play.after(0, service)
    srv = Answers(service, (Srv(20, 0, 5062, "b.example."), Srv(10, 0, 5061, "a.example.")), 300)
    play.does(play.machine.resolved, (srv, play.now), first, second)
    play.does(play.machine.resolved, (Answers(second, ("192.0.2.2",), 300), play.now))
    play.does(play.machine.resolved, (Answers(first, ("192.0.2.1",), 300), play.now))
    assert [target[1:3] for target in play.machine.targets] == [("192.0.2.1", 5061), ("192.0.2.2", 5062)]
