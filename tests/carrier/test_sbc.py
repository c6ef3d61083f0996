"""The access SBC as a node: whom it serves, what it refuses, its faults, its subscribers' calls."""

from __future__ import annotations

from typing import Any

import pytest
from tests.carrier.lobby import ANSWER, FAR, IPBX, OFFER, OUTSIDE, OWN, SBC, Lobby
from tests.peers import Dialog, q850, sdp

from trunkline.call.node import Drain
from trunkline.call.party import Behaviour
from trunkline.carrier.faults import Fault
from trunkline.media import anchor
from trunkline.sip.locate import Answers, Question

EXTERNAL: dict[str, Any] = {
    "carrier.subscribers": [
        {"number": "+33199009008", "does": "external", "at": f"{OUTSIDE[0]}:{OUTSIDE[1]}"},
        {"number": FAR, "does": "answer"},
        {"number": "112", "does": "answer"},
    ]
}


def answered(lobby: Lobby, call: Dialog) -> Any:
    """A built-in subscriber rings and answers; gives the 200."""
    call.peer.hears(180)
    lobby.after(0.3)
    answer = call.peer.hears(200)
    call.acks(answer)
    return answer


def says(lobby: Lobby) -> list[str]:
    lines = [log.text for log in lobby.logs]
    lobby.logs.clear()
    return lines


# --- whom it serves ---------------------------------------------------------------------------


def test_the_customer_calls_a_subscriber_on_the_media_address() -> None:
    lobby = Lobby()
    call = lobby.calls()
    answer = answered(lobby, call)
    assert b"c=IN IP4 198.51.100.11" in answer.body  # signalling and media differ (SBC-1)
    assert b"m=audio 20002 RTP/AVP 8 101" in answer.body
    status = lobby.node.status(lobby.now)
    assert (status["calls"], status["channels"]) == (1, {"bound": 12, "used": 1})
    assert status["talks"][0]["other"] == OWN
    (running,) = status["running"]
    assert (running["state"], running["through"]) == ("talking", False)
    call.byes()
    lobby.rests()


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER"])
def test_a_stranger_is_refused(method: str) -> None:
    lobby = Lobby()
    stranger = lobby.peer(("192.0.2.66", 5060), SBC)
    stranger.asks(method, f"sip:{FAR}@{SBC[0]}", body=OFFER if method == "INVITE" else b"")
    stranger.hears(403)
    assert says(lobby) == [f"{method} refused with 403: Unknown Customer"]
    assert not lobby.node.calls


def test_a_trusted_address_speaks_for_the_customer() -> None:
    lobby = Lobby({"carrier.trusted": ["192.0.2.66"]})
    proxy = lobby.peer(("192.0.2.66", 5060), SBC)
    answered(lobby, lobby.calls(by=proxy))


@pytest.mark.rfc("3261#11.2")
def test_options_are_answered() -> None:
    lobby = Lobby()
    lobby.ipbx.asks("OPTIONS", f"sip:{SBC[0]}")
    answer = lobby.ipbx.hears(200)
    assert "INVITE" in (answer.get("allow") or "")
    assert answer.get("accept") == "application/sdp"


def test_nobody_registers_on_a_static_trunk() -> None:
    lobby = Lobby()
    lobby.ipbx.asks("REGISTER", f"sip:{SBC[0]}")
    assert lobby.ipbx.hears(403).reason == "Nobody Registers Here"


# --- what it refuses --------------------------------------------------------------------------


@pytest.mark.guide("CAC-1")
@pytest.mark.parametrize("status", [486, 503])
def test_calls_over_the_bought_channels_are_refused_but_an_emergency_is_not(status: int) -> None:
    lobby = Lobby({"carrier.channels": "1", "carrier.full_status": str(status), "trunk.channels": "1"})
    answered(lobby, lobby.calls())
    lobby.calls().hears_no(status)
    assert says(lobby)[-1] == f"INVITE refused with {status}: all 1 channels are in use"
    for number in ("112", "+112"):
        answered(lobby, lobby.calls(number, caller="+33612345678"))
    assert lobby.node.status(lobby.now)["channels"] == {"bound": 1, "used": 3}


def test_without_a_figure_of_its_own_the_trunks_channels_count() -> None:
    lobby = Lobby({"carrier.channels": None, "trunk.channels": "2"})
    assert lobby.node.status(lobby.now)["channels"]["bound"] == 2


def test_a_foreign_caller_is_refused_unless_a_diversion_of_the_customers_explains_it() -> None:
    lobby = Lobby()
    foreign = "+33612345678"
    lobby.calls(caller=foreign).hears_no(403)
    lobby.calls(caller=foreign, headers=(("Diversion", f"<sip:{foreign}@x>"),)).hears_no(403)
    answered(lobby, lobby.calls(caller=foreign, headers=(("Diversion", f"<sip:{OWN}@x>"),)))
    history = (("History-Info", f"<sip:{OWN}@x>;index=1, <sip:{FAR}@x>;index=1.1"),)
    answered(lobby, lobby.calls(caller=foreign, headers=history))


@pytest.mark.guide("CODEC-1")
@pytest.mark.parametrize(
    ("bought", "offered", "status"),
    [
        (["PCMA"], "0 18", 488),
        (["PCMA"], "0 8 101", 200),
        (["G729"], "8", 488),
        (["PCMU", "G729"], "0", 200),
        ([], "8", 200),
    ],
)
def test_an_offer_without_any_of_the_carriers_codecs_is_refused(
    bought: list[str], offered: str, status: int
) -> None:
    lobby = Lobby({"carrier.codecs": bought})
    call = lobby.calls(sdp=sdp("192.0.2.101", 30000, codecs=offered))
    if status == 200:
        answered(lobby, call)
    else:
        call.hears_no(status)
        lobby.rests()


def test_an_offer_that_cannot_be_read_is_refused() -> None:
    lobby = Lobby()
    lobby.calls(sdp=b"nonsense").hears_no(400)
    lobby.rests()


def test_an_offer_without_audio_is_refused() -> None:
    lobby = Lobby()
    lobby.calls(sdp=sdp("192.0.2.101", 0)).hears_no(488)
    assert "no audio" in says(lobby)[-1]


def test_a_call_without_an_offer_is_judged_by_the_answer_in_its_ack() -> None:
    lobby = Lobby(EXTERNAL)
    outside = lobby.peer(OUTSIDE, SBC)
    call = lobby.calls("+33199009008", sdp=b"")
    far = lobby.rung(outside)
    far.says(200, sdp("198.51.100.20", 40000, codecs="8 0"))
    answer = lobby.ipbx.hears(200)
    call.acks(answer, sdp=sdp("192.0.2.101", 30000, codecs="0"))
    outside.hears("ACK")
    assert q850(far.hears_bye()) == 65
    assert q850(call.hears_bye()) == 65
    assert says(lobby)[-1] == "call ended: no PCMA among PCMU"
    lobby.rests()


def test_a_built_in_subscriber_makes_the_offer_where_the_customer_lets_it() -> None:
    lobby = Lobby()
    call = lobby.calls(sdp=b"")
    lobby.ipbx.hears(180)
    lobby.after(0.3)
    answer = lobby.ipbx.hears(200)
    assert b"m=audio" in answer.body
    call.acks(answer, sdp=OFFER)
    assert lobby.node.status(lobby.now)["talks"][0]["codec"] == "PCMA"
    call.byes()
    lobby.rests()


def test_an_unallocated_number_is_not_found() -> None:
    lobby = Lobby()
    lobby.calls("+33199009999").hears_no(404)
    lobby.rests()


# --- a customer that registers ----------------------------------------------------------------

ACCOUNT = {"requested": "true", "user": "site42", "password": "secret"}
REGISTERS: dict[str, Any] = {"trunk.gateways.0.registration": ACCOUNT}


def registers(lobby: Lobby, address: tuple[str, int] = IPBX, password: str = "secret") -> Any:
    """The IPBX registers from that address."""
    peer = lobby.peers.get(address) or lobby.peer(address, SBC)
    peer.user, peer.password = "site42", password
    peer.__post_init__()
    aor = "<sip:site42@sbc1.carrier.example>"
    first = peer.asks("REGISTER", "sip:sbc1.carrier.example", (("Expires", "600"),), to=aor, call_id="r")
    known = peer.credentials(peer.hears(401), first)
    peer.asks("REGISTER", "sip:sbc1.carrier.example", (("Expires", "600"), known), to=aor, call_id="r")
    return peer


@pytest.mark.rfc("3261#10.3")
def test_a_trunk_that_registers_is_challenged_and_called_where_it_registered() -> None:
    lobby = Lobby({**REGISTERS, "carrier.registration_required": "true"})
    lobby.calls().hears_no(403)
    assert says(lobby)[-1] == "INVITE refused with 403: Not Registered"
    peer = registers(lobby, ("192.0.2.77", 5066))
    assert peer.hears(200).get("contact") == "<sip:site42@192.0.2.77:5066>;expires=600"
    customer = lobby.node.status(lobby.now)["customer"]
    assert (customer["at"], customer["registered"]) == ("UDP 192.0.2.77 5066", True)
    answered(lobby, lobby.calls(by=peer))  # known by its registration, wherever it is
    lobby.does(lobby.node.place(FAR, OWN, Behaviour(), lobby.now)[1])
    bell = lobby.rung(peer)
    assert bell.invite.uri_text == f"sip:{OWN}@192.0.2.77:5066;user=phone"
    lobby.after(601.0)
    assert lobby.node.status(lobby.now)["customer"]["registered"] is False


def test_a_wrong_password_registers_nobody() -> None:
    lobby = Lobby(REGISTERS)
    registers(lobby, password="guessed").hears(403)
    assert lobby.node.status(lobby.now)["customer"]["registered"] is False


def test_registration_that_is_not_required_refuses_no_call() -> None:
    lobby = Lobby(REGISTERS)
    answered(lobby, lobby.calls())
    lobby.does(lobby.node.place(FAR, OWN, Behaviour(), lobby.now)[1])
    assert lobby.rung().invite.uri_text == f"sip:{OWN}@192.0.2.10:5060;user=phone"


def test_nobody_calls_a_customer_that_has_to_register_and_did_not() -> None:
    lobby = Lobby({**REGISTERS, **EXTERNAL, "carrier.registration_required": "true"})
    leg, out = lobby.node.place(FAR, OWN, Behaviour(), lobby.now)
    assert out == []
    (talk,) = lobby.node.status(lobby.now)["talks"]
    assert (talk["leg"], talk["status"], talk["cause"]) == (leg, 480, 20)
    outside = lobby.peer(OUTSIDE, SBC)
    lobby.calls(OWN, caller="+33199009008", by=outside).hears_no(480)
    lobby.rests()


def test_a_customer_on_a_connection_that_is_lost_is_away() -> None:
    lobby = Lobby({**REGISTERS, "carrier.registration_required": "true"})
    peer = lobby.peer(IPBX, SBC, "TCP")
    registers(lobby).hears(200)
    peer.unreachable()
    assert lobby.node.status(lobby.now)["customer"]["registered"] is False


def test_the_second_sbc_serves_the_second_gateway() -> None:
    lobby = Lobby({"trunk.gateways.1.registration": ACCOUNT}, sbc=1)
    lobby.ipbx.asks("REGISTER", "sip:sbc2.carrier.example", to="<sip:site42@sbc2.carrier.example>")
    assert 'realm="sbc2.carrier.example"' in (lobby.ipbx.hears(401).get("www-authenticate") or "")


def test_an_sbc_without_a_gateway_has_nobody_to_register() -> None:
    lobby = Lobby({"trunk.gateways.1": None, "carrier.registration_required": "true"}, sbc=1)
    lobby.ipbx.asks("REGISTER", "sip:sbc2.carrier.example")
    lobby.ipbx.hears(403)


# --- supervision ------------------------------------------------------------------------------


def test_the_customer_is_supervised_by_options() -> None:
    lobby = Lobby({"carrier.supervision": {"hold_down": "0", "up_after": "1"}})
    lobby.after(0.0)
    options = lobby.ipbx.hears("OPTIONS")
    assert options.uri_text == "sip:192.0.2.10:5060"
    lobby.ipbx.says(100, options)
    lobby.ipbx.says(200, options)
    assert says(lobby) == ["customer up: 200 to OPTIONS"]
    lobby.after(60.1)
    lobby.ipbx.hears("OPTIONS")
    lobby.ipbx.unreachable()
    lobby.after(14.1)
    assert says(lobby) == ["customer down: no answer to OPTIONS, 2 in a row"]
    assert lobby.node.status(lobby.now)["customer"]["health"] == "down"
    lobby.ipbx.inbox.clear()
    lobby.does(lobby.node.place(FAR, OWN, Behaviour(), lobby.now)[1])
    lobby.rung()  # a call still tries


def test_a_customer_that_asks_for_rest_is_left_alone() -> None:
    lobby = Lobby({"carrier.supervision": {}})
    lobby.after(0.0)
    lobby.ipbx.says(503, lobby.ipbx.hears("OPTIONS"), headers=(("Retry-After", "100"),))
    lobby.after(99.0)
    lobby.ipbx.quiet()
    lobby.after(2.0)
    lobby.ipbx.hears("OPTIONS")


def test_options_without_an_answer_in_their_transaction_count_too() -> None:
    lobby = Lobby({"carrier.supervision": {"timeout": "32", "down_after": "1"}})
    lobby.after(32.1)
    assert says(lobby) == ["customer down: no answer to OPTIONS"]


def test_a_customer_that_is_not_registered_is_down() -> None:
    required = {**REGISTERS, "carrier.registration_required": "true"}
    lobby = Lobby({**required, "carrier.supervision": {"down_after": "1"}})
    lobby.after(0.0)
    assert says(lobby) == ["customer down: unreachable: the customer is not registered"]


# --- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", [0, 60])
def test_an_unavailable_sbc_answers_503_and_keeps_its_calls(rest: int) -> None:
    lobby = Lobby()
    call = lobby.calls()
    answered(lobby, call)
    lobby.node.suffer(Fault.UNAVAILABLE, rest)
    lobby.ipbx.asks("OPTIONS", f"sip:{SBC[0]}")
    wanted = str(rest) if rest else None
    assert lobby.ipbx.hears(503).get("retry-after") == wanted
    refusal = lobby.calls().hears_no(503)
    assert refusal.get("retry-after") == wanted
    lobby.after(100.0)
    call.byes()
    lobby.node.suffer(Fault.NONE)
    answered(lobby, lobby.calls())


def test_a_stalled_sbc_says_100_and_goes_on_when_it_recovers() -> None:
    lobby = Lobby()
    lobby.node.suffer(Fault.STALLED)
    call = lobby.calls()
    assert lobby.ipbx.hears(100)
    lobby.after(30.0)
    lobby.ipbx.quiet()
    lobby.ipbx.asks("OPTIONS", f"sip:{SBC[0]}")
    lobby.ipbx.hears(200)
    lobby.node.suffer(Fault.NONE)
    lobby.after(0.0)
    answered(lobby, call)


def test_a_deaf_sbc_hears_nothing_new_but_keeps_its_calls() -> None:
    lobby = Lobby()
    call = lobby.calls()
    answered(lobby, call)
    lobby.node.suffer(Fault.DEAF)
    lobby.calls()
    lobby.ipbx.asks("OPTIONS", f"sip:{SBC[0]}")
    lobby.ipbx.sends(b"nonsense that is no SIP\r\n\r\n")
    lobby.ipbx.quiet()
    call.byes()


# --- calls in ---------------------------------------------------------------------------------


def test_a_subscriber_calls_the_customer_and_hangs_up() -> None:
    lobby = Lobby()
    leg, out = lobby.node.place(FAR, OWN, Behaviour(tone=440, seconds=2.0), lobby.now)
    lobby.does(out)
    bell = lobby.rung()
    assert bell.invite.from_.uri.user == FAR
    assert bell.invite.get("p-asserted-identity") == f"<sip:{FAR}@198.51.100.10:5060;user=phone>"
    assert bell.invite.uri_text == f"sip:{OWN}@192.0.2.10:5060;user=phone"
    bell.says(180)
    bell.says(200, OFFER)
    lobby.ipbx.hears("ACK")
    assert lobby.node.calls[leg]
    lobby.after(2.1)
    assert q850(bell.hears_bye()) == 16
    lobby.rests()


@pytest.mark.rfc("3323#4.1")
def test_a_caller_may_stay_unknown() -> None:
    lobby = Lobby()
    lobby.does(lobby.node.place("", OWN, Behaviour(), lobby.now)[1])
    invite = lobby.rung().invite
    assert str(invite.from_.uri) == "sip:anonymous@anonymous.invalid"
    assert invite.get("privacy") == "id"
    assert invite.get("p-asserted-identity") is None


def test_the_customer_is_called_over_tcp_where_it_has_no_udp() -> None:
    lobby = Lobby(
        {"trunk.listen": {"udp": "0", "tcp": "5070"}, "interfaces.eth1": {"address": "203.0.113.5"}}
    )
    lobby.peer(("192.0.2.10", 5070), SBC, "TCP")
    lobby.does(lobby.node.place(FAR, OWN, Behaviour(), lobby.now)[1])
    bell = lobby.rung(lobby.peers[("192.0.2.10", 5070)])
    assert bell.invite.via.transport == "TCP"
    eth1 = Lobby({"trunk.listen": {"interface": "eth1"}, "interfaces.eth1": {"address": "203.0.113.5"}})
    assert eth1.node.status(0.0)["customer"]["at"] == "UDP 203.0.113.5 5060"


def test_what_its_user_asks_of_a_subscriber_that_is_gone_does_nothing() -> None:
    lobby = Lobby()
    assert lobby.node.hang_up("gone", lobby.now) == []
    assert lobby.node.hold("gone", True, lobby.now) == []
    assert lobby.node.inform("gone", b"x", "text/plain", lobby.now) == []
    assert lobby.node.receive(anchor.Silent("m", "gone", 2.0), lobby.now) == []
    assert lobby.node.receive(Answers(Question("x", "A"), (), 1.0), lobby.now) == []
    late = lobby.node.receive(anchor.Anchored("m", "gone", "198.51.100.11", 20000, 20001), lobby.now)
    assert late == [anchor.Release("m", "gone")]


def test_a_subscriber_holds_informs_listens_and_hangs_up() -> None:
    lobby = Lobby()
    leg, out = lobby.node.place(FAR, OWN, Behaviour(), lobby.now)
    lobby.does(out)
    bell = lobby.rung()
    bell.says(200, OFFER)
    lobby.ipbx.hears("ACK")
    lobby.does(lobby.node.hold(leg, True, lobby.now))
    change = lobby.ipbx.hears("INVITE")
    assert b"a=sendonly" in change.body
    lobby.ipbx.says(200, change, sdp("192.0.2.101", 30000, direction="recvonly"))
    lobby.ipbx.hears("ACK")
    lobby.does(lobby.node.inform(leg, b"Signal=1", "application/dtmf-relay", lobby.now))
    lobby.ipbx.says(200, lobby.ipbx.hears("INFO"))
    assert lobby.node.listen((440,)) == [anchor.Listen(leg, leg, (440,))]
    lobby.does(lobby.node.hang_up(leg, lobby.now))
    bell.hears_bye()
    assert lobby.node.listen((440,)) == []
    lobby.rests()


def test_silence_on_the_line_makes_a_subscriber_leave() -> None:
    lobby = Lobby()
    call = lobby.calls()
    answered(lobby, call)
    (leg,) = lobby.node.calls
    lobby.tells(anchor.Silent(leg, leg, 2.0))
    assert q850(call.hears_bye()) == 41
    assert lobby.node.status(lobby.now)["talks"][0]["silent"]
    lobby.rests()


# --- external subscribers ---------------------------------------------------------------------


def test_a_call_to_an_external_subscriber_goes_through_with_its_media() -> None:
    lobby = Lobby(EXTERNAL)
    outside = lobby.peer(OUTSIDE, SBC)
    call = lobby.calls("+33199009008")
    far = lobby.rung(outside)
    assert far.invite.uri_text == f"sip:+33199009008@{OUTSIDE[0]}:{OUTSIDE[1]}"
    assert far.invite.from_.uri.user == OWN
    assert b"192.0.2.101" in far.invite.body
    far.says(180)
    lobby.ipbx.hears(180)
    far.says(200, ANSWER)
    outside.hears("ACK")
    answer = lobby.ipbx.hears(200)
    assert b"c=IN IP4 198.51.100.20" in answer.body
    call.acks(answer)
    lobby.after(200.0)  # longer than anybody rings
    assert lobby.media == []
    far.byes()
    call.hears_bye()
    lobby.rests()


def test_an_external_subscriber_that_refuses_is_heard() -> None:
    lobby = Lobby(EXTERNAL)
    outside = lobby.peer(OUTSIDE, SBC)
    call = lobby.calls("+33199009008")
    lobby.rung(outside).says(486)
    outside.hears("ACK")
    call.hears_no(486)
    lobby.rests()


def test_an_external_subscriber_that_rings_for_ever_does_not() -> None:
    lobby = Lobby(EXTERNAL)
    outside = lobby.peer(OUTSIDE, SBC)
    call = lobby.calls("+33199009008")
    far = lobby.rung(outside)
    far.says(180)
    lobby.ipbx.hears(180)
    lobby.after(180.1)
    outside.says(200, outside.hears("CANCEL"))
    far.says(487)
    outside.hears("ACK")
    lobby.ipbx.hears(180)
    lobby.ipbx.hears(180)
    assert q850(call.hears_no(480)) == 19
    lobby.rests()


def test_a_call_that_cannot_be_one_leaves_nothing() -> None:
    lobby = Lobby({**EXTERNAL, "carrier.codecs": []})
    outside = lobby.peer(OUTSIDE, SBC)
    for by, number, caller in ((lobby.ipbx, FAR, OWN), (outside, OWN, "+33199009008")):
        lobby.calls(number, caller=caller, by=by, sdp=b"nonsense").hears_no(400)
    lobby.rests()


# --- the end ----------------------------------------------------------------------------------


def test_a_drain_ends_calls_and_takes_no_more() -> None:
    lobby = Lobby({**EXTERNAL, "carrier.supervision": {}})
    lobby.after(0.0)
    lobby.ipbx.says(200, lobby.ipbx.hears("OPTIONS"))
    outside = lobby.peer(OUTSIDE, SBC)
    talk = lobby.calls()
    answered(lobby, talk)
    ringing = lobby.calls("+33199009008")
    far = lobby.rung(outside)
    far.says(180)
    lobby.ipbx.hears(180)
    assert not lobby.node.drained
    lobby.tells(Drain())
    assert q850(talk.hears_bye()) == 41
    assert q850(ringing.hears_no(503)) == 41
    outside.says(200, outside.hears("CANCEL"))
    far.says(487)
    outside.hears("ACK")
    lobby.calls().hears_no(503)
    assert lobby.node.drained
    assert lobby.node.status(lobby.now)["draining"]
    lobby.after(100.0)
    lobby.ipbx.quiet()  # no OPTIONS any more


def test_a_drain_waits_only_so_long() -> None:
    lobby = Lobby()
    call = lobby.calls()
    answered(lobby, call)
    lobby.tells(Drain())
    lobby.after(3.9)
    assert not lobby.node.drained
    lobby.after(0.2)
    assert lobby.node.drained
    assert says(lobby) == ["1 legs whose far side did not answer are given up"]
    lobby.after(64.0)
    assert lobby.node.endpoint.idle


def test_a_media_engine_that_is_gone_takes_its_calls_along() -> None:
    lobby = Lobby(EXTERNAL)
    call = lobby.calls()
    answered(lobby, call)
    (leg,) = lobby.node.calls
    lobby.tells(anchor.Lost("ends", (leg, "another")))
    assert says(lobby) == ["the media engine ends is gone, and 1 calls with it"]
    assert q850(call.hears_bye()) == 41
    lobby.rests()
