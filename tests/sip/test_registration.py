"""A registered trunk stays registered, and says why when it is not (RFC 3261 §10.2)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pbx.conftest import Dice
from tests.playbook import Playbook, report, watched

from trunkline.sip.auth import Digest
from trunkline.sip.message import Request, respond
from trunkline.sip.registration import (
    BACK_OFF_MOST,
    CHALLENGES_MOST,
    Account,
    Registration,
    RegistrationChanged,
    SendRegister,
    State,
)
from trunkline.sip.values import Credentials

CONTACT = "<sip:192.0.2.10:5060>"
OTHER = "<sip:192.0.2.77>;expires=9"


def account(**changes: Any) -> Account:
    return Account(1, "sbc1.example", "+33199000000", "secret")._replace(**changes)


class Play(Playbook[Registration]):
    """A registration, and the REGISTER it last sent as the carrier gets it."""

    def __init__(self, falls: int = 500, **changes: Any) -> None:
        super().__init__(Registration(account(**changes), Dice(falls), 0.0))
        self.sent: SendRegister | None = None

    def tries(self, wait: float = 0.0) -> Request:
        """Wait; exactly one REGISTER must leave."""
        end = self.now + wait
        due = self.machine.deadline()
        assert due is not None
        assert due <= end
        self.now = end
        said = self.machine.expire(self.now)
        assert [type(event) for event in said] == [SendRegister]
        return self.built(said[0])

    def built(self, event: SendRegister) -> Request:
        headers = [
            ("Via", f"SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK{event.cseq}"),
            ("From", f"<{event.aor}>;tag=1"),
            ("To", f"<{event.aor}>"),
            ("Call-ID", event.call_id),
            ("CSeq", f"{event.cseq} REGISTER"),
            ("Contact", CONTACT),
        ]
        self.sent = event
        return Request.build("REGISTER", event.uri, [*headers, *event.headers])

    def answers(self, request: Request, status: int, *headers: tuple[str, str]) -> list[Any]:
        return self.machine.answered(respond(request, status, headers=headers), request, self.now)

    def accepts(self, request: Request, seconds: int = 3600) -> list[Any]:
        return self.answers(request, 200, ("Contact", f"{CONTACT};expires={seconds}"))

    def resends(self, request: Request, status: int, *headers: tuple[str, str]) -> Request:
        """The carrier's answer makes it send another REGISTER at once."""
        said = self.answers(request, status, *headers)
        assert [type(event) for event in said] == [SendRegister]
        return self.built(said[0])


def registered(seconds: int = 3600, **registration: Any) -> Play:
    play = Play(**registration)
    said = play.accepts(play.tries(), seconds)
    assert said == [RegistrationChanged(1, True, f"registered for {seconds} s")]
    return play


def test_first_register_leaves_at_once() -> None:
    play = Play()
    request = play.tries()
    assert str(request.uri) == "sip:sbc1.example"
    assert str(request.to.uri) == "sip:+33199000000@sbc1.example"
    assert request.value("Expires") == 3600
    assert not play.machine.registered
    assert play.machine.why == "not registered yet"


def test_registrar_of_its_own_and_user_that_needs_escaping() -> None:
    play = Play(domain="registrar.example", user="trunk 1")
    assert play.machine.account == ("sip:registrar.example", "sip:trunk%201@registrar.example")


@pytest.mark.rfc("3261#10.2.4")
def test_binding_is_refreshed_at_four_fifths_of_what_was_granted() -> None:
    play = registered(600)
    assert play.machine.registered
    play.after(479.9)
    request = play.tries(0.1)
    assert play.sent is not None
    assert play.sent.cseq == 2
    assert play.accepts(request, 600) == []
    assert play.machine.state is State.REGISTERED


@pytest.mark.rfc("3261#10.2.4")
@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ([("Contact", f"{OTHER}, {CONTACT};expires=100")], 100),
        ([("Contact", CONTACT), ("Expires", "200")], 200),
        ([("Contact", f"{CONTACT};expires=soon")], 3600),
        ([("Expires", "300")], 300),
        ([], 3600),
    ],
)
def test_granted_time_is_found_where_the_registrar_put_it(headers: list[Any], granted: int) -> None:
    play = Play()
    assert play.answers(play.tries(), 200, *headers) == [
        RegistrationChanged(1, True, f"registered for {granted} s")
    ]


@pytest.mark.parametrize("contact", [OTHER, f"{CONTACT};expires=0"])
def test_200_without_our_contact_is_no_registration(contact: str) -> None:
    play = Play()
    assert play.answers(play.tries(), 200, ("Contact", contact)) == []
    assert play.machine.state is State.WAITING
    assert "does not list our Contact" in play.machine.why


@pytest.mark.rfc("3261#22.2")
@pytest.mark.parametrize(
    ("status", "asks", "says"),
    [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
def test_challenge_is_answered_and_the_refresh_needs_none(status: int, asks: str, says: str) -> None:
    server = Digest("sbc1.example", Dice())
    play = Play()
    request = play.resends(play.tries(), status, *((asks, value) for value in server.challenge(0.0)))
    credentials = request.value(says)
    assert isinstance(credentials, Credentials)
    assert server.verify("REGISTER", credentials, lambda _: "secret", 1.0).ok
    play.accepts(request, 100)
    again = play.tries(80).value("Authorization")
    assert isinstance(again, Credentials)
    assert again.get("nc") == "00000002"


def test_wrong_password_gives_up_until_the_back_off() -> None:
    server = Digest("sbc1.example", Dice())
    play = Play()
    request = play.resends(
        play.tries(), 401, *(("WWW-Authenticate", value) for value in server.challenge(0.0))
    )
    said = play.answers(request, 401, *(("WWW-Authenticate", value) for value in server.challenge(0.0)))
    assert said == []
    assert play.machine.why == "401: the registrar does not take user and password"


def test_registrar_that_never_stops_asking_is_left() -> None:
    play = Play()
    request = play.tries()
    for number in range(CHALLENGES_MOST):
        challenge = f'Digest realm="r{number}", nonce="n{number}", stale=true'
        status = (401, 407)[number % 2]
        header = ("WWW-Authenticate", "Proxy-Authenticate")[number % 2]
        request = play.resends(request, status, (header, challenge))
    assert play.answers(request, 401, ("WWW-Authenticate", 'Digest realm="r", nonce="n"')) == []


@pytest.mark.rfc("3261#10.2.8")
def test_interval_too_brief_is_asked_for_longer_once() -> None:
    play = Play(expires=60)
    request = play.resends(play.tries(), 423, ("Min-Expires", "600"))
    assert request.value("Expires") == 600
    assert play.answers(request, 423, ("Min-Expires", "600")) == []
    assert play.machine.why == "423 Interval Too Brief to REGISTER"


@pytest.mark.parametrize("least", ["99999999", "10"])
def test_absurd_interval_is_not_followed(least: str) -> None:
    play = Play(expires=60)
    assert play.answers(play.tries(), 423, ("Min-Expires", least)) == []


@pytest.mark.rfc("5626#4.5")
def test_refused_attempts_back_off() -> None:
    play = Play()
    for wait in (30.0, 60.0, 120.0, 240.0, 480.0, 960.0, BACK_OFF_MOST, BACK_OFF_MOST):
        assert play.answers(play.tries(), 403) == []
        assert play.machine.deadline() == play.now + wait
        assert play.machine.why == "403 Forbidden to REGISTER"
        play.now += wait


def test_back_off_is_drawn_so_that_sites_spread() -> None:
    play = Play(falls=0)
    play.answers(play.tries(), 403)
    assert play.machine.deadline() == 15.0


@pytest.mark.rfc("3261#20.33")
def test_retry_after_is_heeded() -> None:
    play = Play()
    play.answers(play.tries(), 503, ("Retry-After", "300"))
    assert play.machine.deadline() == 300.0


def test_wrong_header_in_an_answer_is_a_refusal() -> None:
    play = Play()
    play.answers(play.tries(), 503, ("Retry-After", "soon"))
    assert play.machine.why == "503 to REGISTER with a wrong Retry-After"


def test_failed_refresh_keeps_the_binding_until_it_lapses() -> None:
    play = registered(100)
    request = play.tries(80)
    assert play.machine.failed(request, "no answer to REGISTER", play.now) == []
    assert play.machine.registered
    play.after(20, RegistrationChanged(1, False, "lapsed: no answer to REGISTER"))
    assert not play.machine.registered
    play.now += 10
    said = play.accepts(play.tries())
    assert said == [RegistrationChanged(1, True, "registered for 3600 s")]


def test_late_and_foreign_answers_change_nothing() -> None:
    play = Play()
    request = play.tries()
    foreign = request.with_header("Call-ID", "other")
    assert play.accepts(foreign) == []
    assert play.machine.failed(foreign.with_header("CSeq", "9 REGISTER"), "x", play.now) == []
    play.accepts(request)
    assert play.answers(request, 403) == []
    assert play.machine.state is State.REGISTERED


@pytest.mark.rfc("3261#10.2.2")
def test_stop_removes_the_binding() -> None:
    play = registered()
    said = play.machine.stop(play.now)
    assert said[1:] == [RegistrationChanged(1, False, "leaving")]
    request = play.built(said[0])
    assert request.value("Expires") == 0
    assert play.answers(request, 200) == []
    assert play.machine.state is State.OVER
    assert play.machine.deadline() is None
    assert play.machine.stop(play.now) == []


def test_stop_answers_a_challenge_but_does_not_insist() -> None:
    play = registered()
    request = play.built(play.machine.stop(play.now)[0])
    request = play.resends(request, 401, ("WWW-Authenticate", 'Digest realm="r", nonce="n"'))
    assert play.answers(request, 423, ("Min-Expires", "60")) == []
    assert play.machine.state is State.OVER


def test_stop_before_the_first_register_is_over_at_once() -> None:
    play = Play()
    assert play.machine.stop(0.0) == []
    assert play.machine.state is State.OVER


def test_every_edge_of_the_table_is_taken() -> None:
    with watched([Registration]) as tables:
        test_stop_before_the_first_register_is_over_at_once()
        test_stop_removes_the_binding()
        test_stop_answers_a_challenge_but_does_not_insist()
        test_failed_refresh_keeps_the_binding_until_it_lapses()
        play = Play()
        play.tries()
        play.machine.stop(0.0)
        play = Play()
        play.answers(play.tries(), 403)
        play.machine.stop(0.0)
        play = registered(100)
        play.accepts(play.tries(80), 100)
        play.tries(80)
        play.machine.stop(play.now)
    assert not tables["Registration"].untaken, report(tables)
