"""The built-in phone: registers, calls, answers, and knows of each call what a judge of it asks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.peers import Dialog, Ids, Peer, Room, q850, sdp

from trunkline.call.node import Drain
from trunkline.call.party import Behaviour
from trunkline.call.phone import Phone, PhoneSettings
from trunkline.media import anchor
from trunkline.sip.flow import Flow
from trunkline.sip.locate import Answers, Question
from trunkline.sip.message import Request

IPBX = ("192.0.2.10", 5059)
HERE = ("192.0.2.101", 5060)
FAR = sdp("198.51.100.11", 40000)


class Desk(Room):
    """A phone, and its IPBX as raw SIP."""

    node: Phone

    def __init__(self, behaviour: Behaviour | None = None, name: str = "Accueil") -> None:
        settings = PhoneSettings("201", "secret", "customer.example", Flow("UDP", HERE, IPBX), HERE[0], name)
        super().__init__(Phone(settings, Ids("f"), 0.0, behaviour))
        self.ipbx = self.peer(IPBX, HERE)
        self.does(self.node.start(self.now))

    def registers(self) -> None:
        """The IPBX lets it register."""
        register = self.ipbx.hears("REGISTER")
        self.ipbx.says(200, register, headers=(("Contact", f"{register.get('contact')};expires=300"),))

    def dials(self, number: str = "202", behaviour: Behaviour | None = None) -> Dialog:
        """The phone calls."""
        self.call, out = self.node.call(number, behaviour or Behaviour(), self.now)
        self.does(out)
        invite: Request = self.ipbx.hears("INVITE")
        return Dialog(self.ipbx, invite, calls=False)

    def rings(self, body: bytes = FAR, **more: Any) -> Dialog:
        """The phone is called."""
        from_ = "<sip:202@customer.example>;tag=far"
        invite = self.ipbx.asks("INVITE", f"sip:201@{HERE[0]}", (), body, from_=from_, **more)
        return Dialog(self.ipbx, invite, calls=True)


def challenged(desk: Desk, request: Request, status: int) -> Request:
    """The IPBX asks for credentials; the request that brings them."""
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    value = 'Digest realm="customer.example", nonce="n1", algorithm=SHA-256, qop="auth"'
    desk.ipbx.says(status, request, headers=((name, value),))
    if request.method == "INVITE":
        desk.ipbx.hears("ACK")
    again: Request = desk.ipbx.hears(request.method)
    return again


# --- registration ----------------------------------------------------------------------------------


@pytest.mark.rfc("3261#22.2")
def test_it_registers_with_its_password_and_leaves_when_switched_off() -> None:
    desk = Desk()
    register = desk.ipbx.hears("REGISTER")
    assert register.uri_text == "sip:customer.example"
    assert register.get("to") == "<sip:201@customer.example>"
    assert register.get("contact") == "<sip:201@192.0.2.101:5060>"
    desk.ipbx.says(100, register)
    again = challenged(desk, register, 401)
    assert 'username="201"' in (again.get("authorization") or "")
    assert not desk.node.registered
    desk.ipbx.says(200, again, headers=(("Contact", f"{again.get('contact')};expires=300"),))
    assert desk.node.registered
    assert not desk.node.drained
    desk.tells(Drain())
    assert not desk.node.registered
    leaving = desk.ipbx.hears("REGISTER")
    assert leaving.get("expires") == "0"
    assert not desk.node.drained
    desk.ipbx.says(200, leaving)
    assert desk.node.drained


@pytest.mark.parametrize("how", ["silence", "unreachable"])
def test_an_ipbx_that_is_not_there_is_asked_again(how: str) -> None:
    desk = Desk()
    desk.ipbx.hears("REGISTER")
    if how == "silence":
        desk.after(32.1)
        desk.ipbx.inbox.clear()
    else:
        desk.ipbx.unreachable()
    desk.after(31.0)
    desk.ipbx.hears("REGISTER")


def test_it_renews_its_registration() -> None:
    desk = Desk()
    desk.registers()
    desk.after(240.1)
    desk.ipbx.hears("REGISTER")


# --- calling ------------------------------------------------------------------------------------------


def test_a_call_is_dialled_answered_and_hung_up() -> None:
    desk = Desk(name='Le "chef"')
    desk.registers()
    far = desk.dials("*31#202", Behaviour(tone=440, listen=(620,)))
    assert far.invite.uri_text == "sip:*31%23202@customer.example"
    assert (far.invite.get("from") or "").startswith('"Le \\"chef\\"" <sip:201@customer.example>;tag=')
    assert b"c=IN IP4 192.0.2.101" in far.invite.body
    far.says(180)
    desk.after(1.0)
    far.says(180)
    far.says(200, FAR)
    desk.ipbx.hears("ACK")
    call = desk.call
    assert (call.outgoing, call.number, call.rang_at, call.answered_at) == (True, "*31#202", 0.0, 1.0)
    assert call.stream is not None
    assert (call.stream.codec, call.stream.address) == ("PCMA", "198.51.100.11")
    leg = call.leg.id
    assert anchor.Play(leg, leg, (440,)) in desk.media
    assert anchor.Listen(leg, leg, (620,)) in desk.media
    desk.tells(anchor.Heard(leg, leg, 620))
    desk.does(desk.node.hang_up(call, desk.now))
    desk.does(desk.node.hang_up(call, desk.now))
    assert q850(far.hears_bye()) == 16
    desk.tells(anchor.Report(leg, leg, 50, 49, 1))
    assert (call.ended_by, call.gone, call.heard) == ("local", True, {620})
    assert call.report is not None
    assert call.report.received == 49


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenge_to_its_call_is_met_once(status: int) -> None:
    desk = Desk(name="")
    desk.registers()
    far = desk.dials()
    assert (far.invite.get("from") or "").startswith("<sip:201@")
    again = challenged(desk, far.invite, status)
    says = "authorization" if status == 401 else "proxy-authorization"
    assert 'username="201"' in (again.get(says) or "")
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    value = 'Digest realm="customer.example", nonce="n2", algorithm=SHA-256, qop="auth"'
    desk.ipbx.says(status, again, headers=((name, value),))  # the password is wrong
    desk.ipbx.hears("ACK")
    desk.ipbx.quiet()
    assert desk.call.cause is not None
    assert desk.call.cause.status == status


def test_a_refusal_is_noted_with_its_cause() -> None:
    desk = Desk()
    desk.registers()
    desk.dials().says(486, headers=(("Reason", "Q.850;cause=17"),))
    desk.ipbx.hears("ACK")
    call = desk.call
    assert call.cause is not None
    assert (call.cause.q850, call.cause.status, call.ended_by, call.gone) == (17, 486, "remote", True)


def test_the_far_side_hangs_up() -> None:
    desk = Desk()
    desk.registers()
    far = desk.dials()
    far.says(200, FAR)
    desk.ipbx.hears("ACK")
    far.byes(headers=(("Reason", "Q.850;cause=31"),))
    assert desk.call.cause is not None
    assert (desk.call.cause.q850, desk.call.ended_by, desk.call.gone) == (31, "remote", True)


def test_a_call_that_is_given_up_is_cancelled() -> None:
    desk = Desk()
    desk.registers()
    far = desk.dials()
    far.says(180)
    desk.does(desk.node.hang_up(desk.call, desk.now))
    desk.ipbx.says(200, desk.ipbx.hears("CANCEL"))
    far.says(487)
    desk.ipbx.hears("ACK")
    assert (desk.call.ended_by, desk.call.gone) == ("local", True)


@pytest.mark.rfc("3264#8.4")
def test_it_holds_and_takes_back() -> None:
    desk = Desk()
    desk.registers()
    far = desk.dials()
    far.says(200, FAR)
    desk.ipbx.hears("ACK")
    for held, said in ((True, b"a=sendonly"), (False, b"a=sendrecv")):
        desk.does(desk.node.hold(desk.call, held, desk.now))
        change = desk.ipbx.hears("INVITE")
        assert said in change.body
        desk.ipbx.says(200, change, FAR)
        desk.ipbx.hears("ACK")


def test_it_sends_a_key_as_info() -> None:
    desk = Desk()
    desk.registers()
    far = desk.dials()
    far.says(200, FAR)
    desk.ipbx.hears("ACK")
    desk.does(desk.node.inform(desk.call, b"Signal=5", "application/dtmf-relay", desk.now))
    told = desk.ipbx.hears("INFO")
    assert told.body == b"Signal=5"
    desk.ipbx.says(200, told)


# --- being called ---------------------------------------------------------------------------------------


def test_it_rings_and_answers_and_hangs_up_after_its_time() -> None:
    desk = Desk(Behaviour(after=1.0, seconds=2.0))
    desk.registers()
    call = desk.rings()
    desk.ipbx.hears(180)
    desk.after(1.1)
    answer = desk.ipbx.hears(200)
    assert b"c=IN IP4 192.0.2.101" in answer.body
    call.acks(answer)
    (known,) = desk.node.calls
    assert (known.outgoing, known.number) == (False, "202")
    assert round(known.answered_at or 0.0, 3) == 1.1
    desk.after(2.1)
    call.hears_bye()
    assert known.cause is not None
    assert (known.cause.q850, known.ended_by, known.gone) == (16, "local", True)


def test_a_busy_phone_refuses() -> None:
    desk = Desk(Behaviour(does="busy"))
    desk.registers()
    desk.rings().hears_no(486)
    assert desk.node.calls[0].gone


def test_a_call_of_no_sense_leaves_nothing() -> None:
    desk = Desk()
    desk.registers()
    desk.rings(b"nonsense").hears_no(400)
    assert desk.node.calls == []
    assert desk.media == []


def test_a_phone_without_a_media_port_refuses_and_gives_a_late_one_back() -> None:
    desk = Desk()
    desk.registers()
    desk.ports = False
    call = desk.rings()
    (offer,) = desk.media
    desk.after(2.1)
    call.hears_no(503)
    desk.tells(anchor.Anchored(offer.media, offer.leg, HERE[0], 30000, 30001))
    assert desk.media[1:] == [anchor.Release(offer.media, offer.leg)]


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("REGISTER", 405)])
def test_other_requests_are_answered(method: str, status: int) -> None:
    desk = Desk()
    desk.ipbx.inbox.clear()
    desk.ipbx.asks(method, f"sip:201@{HERE[0]}")
    assert "INVITE" in (desk.ipbx.hears(status).get("allow") or "")


def test_a_phone_that_is_switched_off_ends_its_calls_and_takes_none() -> None:
    desk = Desk()
    desk.registers()
    far = desk.dials()
    far.says(200, FAR)
    desk.ipbx.hears("ACK")
    other = desk.dials()
    other.says(486)
    desk.ipbx.hears("ACK")
    desk.tells(Drain())
    far.hears_bye()
    desk.ipbx.says(200, desk.ipbx.hears("REGISTER"))
    assert desk.node.drained
    desk.rings().hears_no(480)


# --- media ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", [True, False])
def test_silence_on_the_line_ends_the_call_where_the_phone_minds(leaves: bool) -> None:
    desk = Desk()
    desk.registers()
    far = desk.dials(behaviour=Behaviour(leaves_silence=leaves))
    far.says(200, FAR)
    desk.ipbx.hears("ACK")
    leg = desk.call.leg.id
    desk.tells(anchor.Silent(leg, leg, 2.0))
    assert desk.call.silent
    if leaves:
        assert q850(far.hears_bye()) == 41
        assert desk.call.cause is not None
        assert desk.call.cause.text == "no RTP from the far side"
    desk.ipbx.quiet()


def test_a_media_engine_that_is_gone_takes_its_calls_along() -> None:
    desk = Desk()
    desk.registers()
    far = desk.dials()
    far.says(200, FAR)
    desk.ipbx.hears("ACK")
    desk.tells(anchor.Lost("worker", (desk.call.leg.id, "another")))
    assert q850(far.hears_bye()) == 41
    assert desk.call.ended_by == "local"
    desk.tells(anchor.Lost("worker", (desk.call.leg.id,)))
    desk.ipbx.quiet()


def test_events_of_no_concern_change_nothing() -> None:
    desk = Desk()
    assert desk.node.receive(anchor.Silent("m", "gone", 2.0), desk.now) == []
    assert desk.node.receive(Answers(Question("x", "A"), (), 1.0), desk.now) == []
    assert isinstance(desk.ipbx, Peer)
