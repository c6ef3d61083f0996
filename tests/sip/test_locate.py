from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.sip.locate import Answers, Locator, Mode, Naptr, Question, Srv, Target, is_address, weighted
from trunkline.sip.uri import Uri


class Dice:
    """Numbers told beforehand, then 0; remembers what was asked."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.asked: list[int] = []

    def token(self) -> str:
        return "token"

    def number(self, below: int) -> int:
        self.asked.append(below)
        return self.numbers.pop(0) if self.numbers else 0


def locator(uri: str, mode: Mode = "A", transport: str = "", ipv6: bool = False) -> Locator:
    return Locator(Uri.parse(uri), Dice(), mode=mode, transport=transport, ipv6=ipv6)


def tell(
    where: Locator, name: str, kind: str, *records: str | Srv | Naptr, ttl: float = 60, error: str = ""
) -> None:
    question = next(q for q in where.ask() if q == (name, kind))
    where.answer(Answers(question, records, ttl, error))


SBC = "sip:sbc1.example.com"


@pytest.mark.rfc("3263#4.2")
@pytest.mark.parametrize("mode", ["A", "SRV", "none"])
def test_an_address_is_its_own_target_in_every_mode(mode: Mode) -> None:
    assert locator("sip:198.51.100.7", mode).targets() == (
        Target("UDP", "198.51.100.7", 5060, "198.51.100.7", math.inf),
    )
    assert locator("sip:a@[2001:db8::7]:5070;transport=tcp", mode).targets() == (
        Target("TCP", "2001:db8::7", 5070, "2001:db8::7", math.inf),
    )
    assert locator("sips:198.51.100.7", mode, "TCP").targets() == (
        Target("TLS", "198.51.100.7", 5061, "198.51.100.7", math.inf),
    )


def test_mode_none_finds_no_names() -> None:
    where = locator(SBC, "none")
    assert (where.ask(), where.targets()) == ([], ())
    assert "DNS mode is none" in where.error


def test_mode_a_asks_for_addresses_only() -> None:
    where = locator(SBC)
    assert where.ask() == [Question("sbc1.example.com", "A")]
    assert where.targets() is None
    tell(where, "sbc1.example.com", "A", "198.51.100.7", "198.51.100.8", ttl=30)
    assert where.ask() == []
    assert where.targets() == (
        Target("UDP", "198.51.100.7", 5060, "sbc1.example.com", 30),
        Target("UDP", "198.51.100.8", 5060, "sbc1.example.com", 30),
    )


def test_aaaa_is_asked_only_where_ipv6_runs() -> None:
    where = locator(SBC, ipv6=True)
    assert where.ask() == [Question("sbc1.example.com", "A"), Question("sbc1.example.com", "AAAA")]
    tell(where, "sbc1.example.com", "A", "198.51.100.7", ttl=30)
    assert where.targets() is None
    tell(where, "sbc1.example.com", "AAAA", "2001:db8::7", ttl=20)
    assert [(t.host_ip, t.ttl) for t in where.targets() or ()] == [("2001:db8::7", 20), ("198.51.100.7", 30)]


@pytest.mark.rfc("3263#4.2")
@pytest.mark.parametrize("mode", ["A", "SRV"])
def test_an_explicit_port_asks_no_srv(mode: Mode) -> None:
    where = locator("sip:sbc1.example.com:5062;transport=tcp", mode)
    tell(where, "sbc1.example.com", "A", "198.51.100.7")
    assert [(t.transport, t.port) for t in where.targets() or ()] == [("TCP", 5062)]


@pytest.mark.rfc("3263#4.2")
@pytest.mark.parametrize(
    ("uri", "transport", "name"),
    [
        (SBC, "udp", "_sip._udp.sbc1.example.com"),
        (SBC, "TCP", "_sip._tcp.sbc1.example.com"),
        ("sip:sbc1.example.com;transport=tls", "UDP", "_sips._tcp.sbc1.example.com"),
        ("sips:sbc1.example.com", "TCP", "_sips._tcp.sbc1.example.com"),
        ("sips:sbc1.example.com", "TLS", "_sips._tcp.sbc1.example.com"),
        ("sip:sbc1.example.com.", "UDP", "_sip._udp.sbc1.example.com"),
    ],
)
def test_the_service_is_named_after_the_transport(uri: str, transport: str, name: str) -> None:
    assert locator(uri, "SRV", transport).ask() == [Question(name, "SRV")]


@pytest.mark.rfc("3263#4.2")
def test_servers_come_in_order_of_priority_with_the_least_ttl_of_their_parts() -> None:
    where = locator(SBC, "SRV", "UDP")
    backup, nominal = Srv(20, 0, 5062, "b.example.net."), Srv(10, 0, 5061, "a.example.net")
    tell(where, "_sip._udp.sbc1.example.com", "SRV", backup, nominal, ttl=300)
    assert where.ask() == [Question("a.example.net", "A"), Question("b.example.net", "A")]
    tell(where, "b.example.net", "A", "198.51.100.8", ttl=600)
    tell(where, "a.example.net", "A", "198.51.100.7", ttl=60)
    assert where.targets() == (
        Target("UDP", "198.51.100.7", 5061, "sbc1.example.com", 60),
        Target("UDP", "198.51.100.8", 5062, "sbc1.example.com", 300),
    )


def test_a_server_without_an_address_is_passed_over() -> None:
    where = locator(SBC, "SRV", "UDP")
    tell(
        where,
        "_sip._udp.sbc1.example.com",
        "SRV",
        Srv(1, 0, 5060, "a.example.net"),
        Srv(2, 0, 5060, "b.example.net"),
    )
    tell(where, "a.example.net", "A", error="SERVFAIL")
    tell(where, "b.example.net", "A", "198.51.100.8")
    assert [t.host_ip for t in where.targets() or ()] == ["198.51.100.8"]
    assert where.error == ""


def test_a_server_that_is_an_address_needs_no_question() -> None:
    where = locator(SBC, "SRV", "UDP")
    tell(where, "_sip._udp.sbc1.example.com", "SRV", Srv(1, 0, 5066, "198.51.100.8"), ttl=9)
    assert where.targets() == (Target("UDP", "198.51.100.8", 5066, "sbc1.example.com", 9),)


@pytest.mark.rfc("3263#4.2")
@pytest.mark.parametrize("error", ["", "timeout"])
def test_without_srv_records_the_host_itself_is_asked(error: str) -> None:
    where = locator("sips:sbc1.example.com", "SRV", "TLS")
    tell(where, "_sips._tcp.sbc1.example.com", "SRV", error=error)
    tell(where, "sbc1.example.com", "A", "198.51.100.7")
    assert [(t.transport, t.port) for t in where.targets() or ()] == [("TLS", 5061)]


@pytest.mark.rfc("2782")
def test_a_target_of_a_dot_says_no() -> None:
    where = locator(SBC, "SRV", "UDP")
    tell(where, "_sip._udp.sbc1.example.com", "SRV", Srv(0, 0, 0, "."))
    assert (where.ask(), where.targets()) == ([], ())
    assert "not offered" in where.error


@pytest.mark.rfc("3263#4.1")
def test_where_nobody_names_a_transport_naptr_chooses() -> None:
    where = locator(SBC, "SRV")
    assert where.ask() == [Question("sbc1.example.com", "NAPTR")]
    tell(
        where,
        "sbc1.example.com",
        "NAPTR",
        Naptr(20, 1, "s", "SIP+D2U", "_sip._udp.example.com"),
        Naptr(10, 1, "s", "SIP+D2S", "_sip._sctp.example.com"),
        Naptr(10, 2, "u", "SIP+D2U", "_other.example.com"),
        Naptr(10, 2, "s", "SIP+D2U", "."),
        Naptr(10, 3, "S", "sip+d2t", "_sip._tcp.example.com."),
        ttl=7,
    )
    assert where.ask() == [Question("_sip._tcp.example.com", "SRV")]
    tell(where, "_sip._tcp.example.com", "SRV", Srv(1, 1, 5080, "a.example.net"), ttl=60)
    tell(where, "a.example.net", "A", "198.51.100.7", ttl=60)
    assert where.targets() == (Target("TCP", "198.51.100.7", 5080, "sbc1.example.com", 7),)


@pytest.mark.rfc("3263#4.1")
def test_sips_takes_tls_of_naptr_only() -> None:
    where = locator("sips:example.com", "SRV")
    tell(where, "example.com", "NAPTR", Naptr(1, 1, "s", "SIP+D2U", "_u.example.com"))
    assert where.ask() == [Question("_sips._tcp.example.com", "SRV")]
    where = locator("sips:example.com", "SRV")
    tell(
        where,
        "example.com",
        "NAPTR",
        Naptr(1, 1, "s", "SIP+D2U", "_u.example.com"),
        Naptr(2, 1, "s", "SIPS+D2T", "_t.example.com"),
    )
    assert where.ask() == [Question("_t.example.com", "SRV")]


@pytest.mark.rfc("3263#4.1")
def test_without_naptr_every_service_is_asked_and_the_first_that_exists_taken() -> None:
    where = locator(SBC, "SRV")
    tell(where, "sbc1.example.com", "NAPTR")
    tell(where, "_sips._tcp.sbc1.example.com", "SRV", Srv(1, 1, 5061, "t.example.net"))
    tell(where, "_sip._tcp.sbc1.example.com", "SRV", Srv(1, 1, 5060, "c.example.net"))
    tell(where, "_sip._udp.sbc1.example.com", "SRV", Srv(0, 0, 0, "."))
    tell(where, "c.example.net", "A", "198.51.100.7")
    assert [(t.transport, t.port) for t in where.targets() or ()] == [("TCP", 5060)]


def test_without_any_service_the_host_is_asked_for_udp() -> None:
    where = locator(SBC, "SRV")
    tell(where, "sbc1.example.com", "NAPTR")
    for question in where.ask():
        where.answer(Answers(question, (), 60))
    tell(where, "sbc1.example.com", "A", "198.51.100.7")
    assert [(t.transport, t.port) for t in where.targets() or ()] == [("UDP", 5060)]


@pytest.mark.rfc("3263#4")
def test_maddr_is_looked_up_in_place_of_the_host() -> None:
    assert locator("sip:example.com;maddr=198.51.100.9").targets() == (
        Target("UDP", "198.51.100.9", 5060, "198.51.100.9", math.inf),
    )


def test_a_failure_says_why() -> None:
    where = locator(SBC)
    tell(where, "sbc1.example.com", "A", error="no server answered")
    assert (where.targets(), where.error) == ((), "sbc1.example.com: no server answered")
    where = locator(SBC)
    tell(where, "sbc1.example.com", "A")
    assert (where.targets(), where.error) == ((), "sbc1.example.com: no address in the DNS")


@pytest.mark.parametrize(
    "uri", ["tel:+33199000001", "sips:example.com;transport=udp", "sip:example.com;transport=sctp"]
)
def test_what_cannot_be_reached_is_an_error_at_once(uri: str) -> None:
    where = locator(uri, "SRV", "UDP")
    assert (where.ask(), where.targets()) == ([], ())
    assert where.error


def test_an_answer_that_was_not_asked_for_is_ignored() -> None:
    where = locator(SBC)
    where.answer(Answers(Question("other.example.com", "A"), ("203.0.113.6",), 60))
    where.answer(Answers(Question("sbc1.example.com", "SRV"), (Srv(1, 1, 1, "x"),), 60))
    assert where.targets() is None
    tell(where, "sbc1.example.com", "A", "198.51.100.7")
    where.answer(Answers(Question("sbc1.example.com", "A"), ("203.0.113.6",), 60))
    assert [t.host_ip for t in where.targets() or ()] == ["198.51.100.7"]


def test_a_huge_answer_is_followed_for_its_first_32_servers() -> None:
    where = locator(SBC, "SRV", "UDP")
    records = [Srv(n, 0, 5060, f"s{n}.example.net") for n in range(100)]
    tell(where, "_sip._udp.sbc1.example.com", "SRV", *records)
    assert len(where.ask()) == 32


@pytest.mark.rfc("2782")
def test_weights_are_drawn_from_the_running_sum_with_zero_first() -> None:
    light, heavy, none = Srv(1, 1, 1, "light"), Srv(1, 3, 1, "heavy"), Srv(1, 0, 1, "none")
    last = Srv(2, 9, 1, "last")
    dice = Dice(4, 1, 0, 9)
    assert weighted([last, heavy, light, none], dice) == [heavy, light, none, last]
    assert dice.asked == [5, 2, 1, 10]
    assert weighted([heavy, light, none], Dice(0, 0, 0))[0] == none
    assert weighted([heavy, light, none], Dice(1))[0] == light
    assert weighted([heavy, light, none], Dice(2))[0] == heavy


NAMES = st.sampled_from(["a", "b", "c", "d"])
SRVS = st.builds(Srv, st.integers(0, 3), st.integers(0, 65535), st.integers(1, 65535), NAMES)


class Drawn(Dice):
    """Numbers told beforehand, brought into range."""

    def number(self, below: int) -> int:
        return super().number(below) % below


@pytest.mark.rfc("2782")
@given(st.lists(SRVS, max_size=12), st.lists(st.integers(0, 1 << 20)))
def test_each_record_is_tried_once_and_none_before_a_better_one(
    records: list[Srv], numbers: list[int]
) -> None:
    order = weighted(records, Drawn(*numbers))
    assert Counter(order) == Counter(records)
    assert [srv.priority for srv in order] == sorted(srv.priority for srv in records)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("fe80::1%eth0", False),
        ("sbc1.example.com", False),
        ("1.2.3", False),
        ("", False),
    ],
)
def test_what_counts_as_an_address(host: str, is_one: bool) -> None:
    assert is_address(host) is is_one
