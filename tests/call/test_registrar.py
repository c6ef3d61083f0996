"""Who is where, and who may say so (RFC 3261 §10.3, §22)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pbx.conftest import Dice

from trunkline.call.registrar import Binding, Lapsed, Registrar
from trunkline.sip.auth import Session
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request, Response
from trunkline.sip.uri import Uri
from trunkline.sip.values import Address, Challenge
from trunkline.site.model import Phones, User

ALICE = User(extension="101", password="secret")
BORIS = User(extension="102", password="other")
OPEN = User(extension="103")
FLOW = Flow("UDP", ("192.0.2.10", 5059), ("192.0.2.101", 5060))
TCP = Flow("TCP", ("192.0.2.10", 5059), ("192.0.2.101", 40000))
AT = "<sip:101@192.0.2.101:5060>"


class Phone:
    """A phone of one user, with its own digest session."""

    def __init__(self, registrar: Registrar, user: str = "101", password: str = "secret") -> None:
        self.registrar = registrar
        self.session = Session(user, password)
        self.user = user
        self.cseq = 0
        self.now = 0.0

    def request(self, contacts: tuple[str, ...], headers: dict[str, str], **fields: Any) -> Request:
        self.cseq += 1
        method, to = fields.get("method", "REGISTER"), fields.get("to", self.user)
        lines = [
            ("Via", f"SIP/2.0/UDP 192.0.2.101;branch=z9hG4bK{self.cseq}"),
            ("From", f"<sip:{fields.get('from_', to)}@pbx.example>;tag=1"),
            ("To", f"<sip:{to}@pbx.example>"),
            ("Call-ID", fields.get("call_id", "boot-1")),
            ("CSeq", f"{fields.get('cseq', self.cseq)} {method}"),
            *(("Contact", contact) for contact in contacts),
            *headers.items(),
        ]
        return Request.build(method, "sip:pbx.example", lines)

    def challenged(self) -> Response:
        """Ask without credentials, and take the challenge."""
        answer = self.registrar.register(self.request((AT,), {}), FLOW, self.now)
        assert answer.status == 401
        asked = [value for value in answer.values("WWW-Authenticate") if isinstance(value, Challenge)]
        self.session.answer(asked, "REGISTER", "sip:pbx.example", Dice())
        self.session.count = 0
        return answer

    def registers(
        self, *contacts: str, flow: Flow = FLOW, expires: int | None = None, **fields: Any
    ) -> Response:
        if self.session.challenge is None:
            self.challenged()
        headers = {} if expires is None else {"Expires": str(expires)}
        headers["Authorization"] = str(self.session.next("REGISTER", "sip:pbx.example", Dice()))
        return self.registrar.register(self.request(contacts, headers, **fields), flow, self.now)

    def signs(self, method: str, **fields: Any) -> Request:
        """A request with credentials."""
        if self.session.challenge is None:
            self.challenged()
        credentials = self.session.next(method, "sip:pbx.example", Dice())
        return self.request((AT,), {"Authorization": str(credentials)}, method=method, **fields)


def registrar(**phones: Any) -> Registrar:
    return Registrar(Phones(**phones), (ALICE, BORIS, OPEN), Dice())


def phone(user: str = "101", password: str = "secret", **phones: Any) -> Phone:
    return Phone(registrar(**phones), user, password)


def where(alice: Phone, extension: str = "101") -> list[str]:
    return [str(binding.uri) for binding in alice.registrar.contacts(extension, alice.now)]


def listed(answer: Response) -> list[tuple[str, str | None]]:
    found = answer.values("Contact")
    return [(str(c.uri), c.param("expires")) for c in found if isinstance(c, Address)]


# --- who ------------------------------------------------------------------------------------


@pytest.mark.rfc("8760#2.3")
def test_stranger_is_challenged_with_the_best_algorithm_first() -> None:
    answer = phone().challenged()
    algorithms = [
        value.get("algorithm") for value in answer.values("WWW-Authenticate") if isinstance(value, Challenge)
    ]
    assert algorithms == ["SHA-256", "MD5"]
    assert answer.to.tag


def test_user_who_proves_it_is_bound() -> None:
    alice = phone()
    answer = alice.registers(AT)
    assert answer.status == 200
    assert listed(answer) == [("sip:101@192.0.2.101:5060", "3600")]
    assert alice.registrar.contacts("101", 0.0) == (
        Binding(Uri.parse("sip:101@192.0.2.101:5060"), FLOW, 3600.0, "boot-1", 2),
    )


@pytest.mark.parametrize(("user", "password"), [("101", "wrong"), ("999", "secret"), ("103", "")])
def test_wrong_password_unknown_user_and_user_without_password_are_refused(user: str, password: str) -> None:
    intruder = phone(user, password)
    assert intruder.registers(AT).status == 403
    assert where(intruder, user) == []


@pytest.mark.rfc("3261#10.3")
def test_nobody_registers_for_another() -> None:
    boris = phone("102", "other")
    assert boris.registers(AT, to="101").status == 403
    assert boris.registers(AT, to="999").status == 404
    assert where(boris) == []


@pytest.mark.rfc("7616#3.4")
def test_old_nonce_is_stale_and_a_fresh_one_works() -> None:
    alice = phone(nonce_lifetime=10.0)
    alice.registers(AT)
    alice.now = 20.0
    answer = alice.registers(AT)
    assert answer.status == 401
    challenge = answer.value("WWW-Authenticate")
    assert isinstance(challenge, Challenge)
    assert challenge.get("stale") == "true"
    alice.challenged()
    assert alice.registers(AT).status == 200


def test_replayed_register_is_challenged() -> None:
    alice = phone()
    request = alice.signs("REGISTER")
    assert alice.registrar.register(request, FLOW, 0.0).status == 200
    assert alice.registrar.register(request, FLOW, 0.0).status == 401


def test_invite_of_a_phone_is_proven_the_same_way() -> None:
    alice = phone()
    assert alice.registrar.authenticate(alice.signs("INVITE", from_="101", to="102"), 0.0) == ALICE
    answer = alice.registrar.authenticate(alice.request((AT,), {}, method="INVITE"), 0.0)
    assert isinstance(answer, Response)
    assert answer.status == 401


def test_invite_may_not_bear_another_users_number() -> None:
    alice = phone()
    answer = alice.registrar.authenticate(alice.signs("INVITE", from_="102", to="103"), 0.0)
    assert isinstance(answer, Response)
    assert answer.status == 403


# --- where ----------------------------------------------------------------------------------


@pytest.mark.rfc("3261#10.3")
def test_query_lists_the_bindings_and_changes_nothing() -> None:
    alice = phone()
    alice.registers(AT)
    alice.now = 100.0
    assert listed(alice.registers()) == [("sip:101@192.0.2.101:5060", "3500")]


def test_several_phones_ring_the_latest_first() -> None:
    alice = phone()
    alice.registers(AT)
    alice.registers("<sip:101@192.0.2.102>", flow=TCP, call_id="boot-2")
    assert where(alice) == ["sip:101@192.0.2.102", "sip:101@192.0.2.101:5060"]
    assert [binding.flow for binding in alice.registrar.contacts("101", 0.0)] == [TCP, FLOW]


def test_oldest_binding_gives_way_to_one_too_many() -> None:
    alice = phone(contacts_max=2)
    for port in (1, 2, 3):
        assert alice.registers(f"<sip:101@192.0.2.101:{port}>").status == 200
    assert where(alice) == ["sip:101@192.0.2.101:3", "sip:101@192.0.2.101:2"]
    too_many = alice.registers("<sip:a@192.0.2.1>, <sip:b@192.0.2.1>, <sip:c@192.0.2.1>")
    assert too_many.status == 403
    assert len(where(alice)) == 2


@pytest.mark.rfc("3261#10.3")
@pytest.mark.parametrize(
    ("contact", "expires", "granted"),
    [
        (f"{AT};expires=120", 600, "120"),
        (AT, 600, "600"),
        (AT, None, "3600"),
        (AT, 99999, "7200"),
        (f"{AT};expires=soon", None, "3600"),
        (f"{AT};expires=99999999999", None, "3600"),
    ],
)
def test_contact_is_bound_for_its_own_time_within_bounds(contact: str, expires: Any, granted: str) -> None:
    assert listed(phone().registers(contact, expires=expires)) == [("sip:101@192.0.2.101:5060", granted)]


@pytest.mark.rfc("3261#10.3")
def test_interval_too_brief_is_refused_with_the_least() -> None:
    alice = phone()
    answer = alice.registers(f"{AT};expires=59")
    assert answer.status == 423
    assert answer.value("Min-Expires") == 60
    assert where(alice) == []


@pytest.mark.rfc("3261#10.3")
def test_an_hour_is_never_too_brief() -> None:
    assert phone(expires_min=7200.0, expires_max=7200.0).registers(AT, expires=3600).status == 200


@pytest.mark.rfc("3261#10.2.2")
def test_expires_zero_removes_one_and_star_removes_all() -> None:
    alice = phone()
    alice.registers(AT)
    alice.registers("<sip:101@192.0.2.102>")
    assert listed(alice.registers(f"{AT};expires=0")) == [("sip:101@192.0.2.102", "3600")]
    assert listed(alice.registers("*", expires=0)) == []
    assert where(alice) == []
    assert alice.registrar.deadline() is None
    assert alice.registers("*", expires=0).status == 200


@pytest.mark.rfc("3261#10.3")
def test_star_stands_alone_with_expires_zero() -> None:
    alice = phone()
    alice.registers(AT)
    for answer in (
        alice.registers("*"),
        alice.registers("*", expires=60),
        alice.registers("*", AT, expires=0),
    ):
        assert answer.status == 400
        assert answer.reason == "Contact: expected * alone, with Expires: 0"
    assert len(where(alice)) == 1


@pytest.mark.rfc("3261#10.3")
def test_register_that_was_overtaken_changes_nothing() -> None:
    alice = phone()
    alice.registers(AT, cseq=10)
    assert alice.registers(f"{AT};expires=0", cseq=9).status == 500
    assert alice.registers("*", expires=0, cseq=10).status == 500
    assert alice.registers("<sip:new@192.0.2.1>", f"{AT};expires=0", cseq=9).status == 500  # all or nothing
    assert where(alice) == ["sip:101@192.0.2.101:5060"]
    assert alice.registers(f"{AT};expires=0", cseq=9, call_id="boot-2").status == 200  # the phone restarted
    assert where(alice) == []


@pytest.mark.rfc("3261#19.1.4")
def test_same_contact_in_another_spelling_is_one_binding() -> None:
    alice = phone()
    alice.registers("<sip:101@Phone.example;x=1>")
    alice.registers("<sip:%31%30%31@phone.EXAMPLE;y=2>")
    assert len(where(alice)) == 1


def test_contact_that_is_no_sip_uri_is_refused() -> None:
    assert phone().registers("<tel:+33199000001>").status == 400


# --- time -----------------------------------------------------------------------------------


def test_binding_lapses_when_it_is_not_refreshed() -> None:
    alice = phone()
    alice.registers(f"{AT};expires=100")
    alice.registers("<sip:101@192.0.2.102>;expires=200")
    alice.now = 50.0
    alice.registers(f"{AT};expires=100")
    assert alice.registrar.expire(100.0) == []
    assert alice.registrar.deadline() == 150.0
    assert [type(lapsed) for lapsed in alice.registrar.expire(150.0)] == [Lapsed]
    alice.now = 150.0
    assert where(alice) == ["sip:101@192.0.2.102"]
    assert len(alice.registrar.expire(200.0)) == 1
    assert alice.registrar.deadline() is None


def test_lapsed_binding_is_not_rung_before_it_is_cleared() -> None:
    alice = phone()
    alice.registers(f"{AT};expires=100")
    assert alice.registrar.contacts("101", 100.0) == ()


def test_lost_connection_takes_its_bindings_with_it() -> None:
    alice = phone()
    alice.registers(AT)
    alice.registers("<sip:101@192.0.2.102>", flow=TCP)
    assert [lapsed.binding.flow for lapsed in alice.registrar.unreachable(TCP)] == [TCP]
    assert where(alice) == ["sip:101@192.0.2.101:5060"]
    assert alice.registrar.unreachable(TCP) == []


# --- reload and status ------------------------------------------------------------------------


def test_reload_keeps_who_stays_and_forgets_who_is_gone() -> None:
    alice = phone()
    alice.registers(AT)
    alice.registrar.reloaded(Phones(), (ALICE,))
    assert alice.registers(AT).status == 200  # nonces live on
    alice.registrar.reloaded(Phones(realm="new"), (ALICE,))
    assert alice.registers(AT).status == 401
    assert len(where(alice)) == 1
    alice.registrar.reloaded(Phones(), (BORIS,))
    assert where(alice) == []


def test_status_lists_each_binding() -> None:
    alice = phone()
    alice.registers(AT)
    alice.now = 60.0
    assert alice.registrar.status(alice.now) == [
        {
            "extension": "101",
            "contact": "sip:101@192.0.2.101:5060",
            "from": "UDP 192.0.2.101 5060",
            "expires": 3540,
        }
    ]


STEPS = st.lists(
    st.tuples(st.floats(0, 200), st.integers(1, 6), st.sampled_from([0, 60, 120, 7200])), max_size=30
)


@given(STEPS)
def test_bindings_stay_bounded_and_all_lapse_in_the_end(steps: list[tuple[float, int, int]]) -> None:
    alice = phone(nonce_lifetime=100000.0)
    for wait, port, expires in steps:
        alice.now += wait
        alice.registrar.expire(alice.now)
        alice.registers(f"<sip:101@192.0.2.101:{port}>;expires={expires}")
        assert len(where(alice)) <= 3
        assert len(set(where(alice))) == len(where(alice))
    while (due := alice.registrar.deadline()) is not None:
        assert alice.registrar.expire(due) or alice.registrar.deadline() != due
    assert alice.registrar.status(alice.now) == []
