"""Calls from the public network to a user, and between users: who rings, who is shown, how it ends."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pbx import test_call_outgoing as outgoing
from tests.pbx.office import ANSWER, OFFER, TRUNK, Office, Phone
from tests.peers import Dialog, q850, sdp
from tests.playbook import report, watched

from trunkline.pbx.call import NEXT, Call
from trunkline.sip.message import Request, Response


def answered(office: Office, call: Dialog, phone: Phone) -> Dialog:
    """The phone rings and answers."""
    bell = phone.rung()
    bell.says(180)
    call.peer.hears(180)
    bell.says(200, OFFER)
    phone.hears("ACK")
    call.acks(call.peer.hears(200))
    return bell


# --- who rings --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["+33199001001", "0199001001", "0033199001001", "33199001001"])
def test_a_ddi_rings_its_user_however_the_carrier_writes_it(number: str) -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in(number)
    bell = phone.rung()
    assert bell.invite.uri_text == "sip:201@192.0.2.101:5060"
    assert bell.invite.get("to") == "<sip:201@customer.example>"
    assert b"198.51.100.11" in bell.invite.body
    bell.says(180)
    ring = call.peer.hears(180)
    assert ring.contact.uri.user == number
    bell.says(200, OFFER)
    phone.hears("ACK")
    call.acks(call.peer.hears(200))
    assert office.used == 1
    bell.byes()
    call.hears_bye()
    record = office.record()
    assert (record["direction"], record["gateway"], record["ended_by"]) == ("incoming", "nominal", "called")
    assert (record["from"], record["to"], record["cause"]) == ("+33199009001", number, 16)
    office.rests()


@pytest.mark.rfc("7315#4.2")
@pytest.mark.parametrize("where", ["To", "P-Called-Party-ID"])
def test_a_registered_trunk_is_called_at_its_contact_for_the_number_beside_it(where: str) -> None:
    account = {"requested": "true", "user": "site42", "password": "secret"}
    office = Office({"trunk.gateways.0.registration": account})
    register = office.nominal.hears("REGISTER")
    office.nominal.says(200, register, headers=(("Contact", f"{register.get('contact')};expires=3600"),))
    phone = office.phone("202")
    call = office.calls_in("site42", headers=((where, "<sip:+33199001002@carrier.example>"),))
    bell = phone.rung()
    bell.says(486)
    phone.hears("ACK")
    call.hears_no(486)
    assert office.record()["to"] == "+33199001002"
    office.calls_in("+33199001002", caller="+33199009002")  # or for the number itself
    phone.hears("INVITE")


def test_calls_come_in_by_the_backup_at_any_time() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in(by=office.backup)
    bell = answered(office, call, phone)
    call.byes()
    bell.hears_bye()
    assert office.record()["gateway"] == "backup"
    office.nominal.quiet()
    office.rests()


def test_a_caller_tried_again_by_the_backup_rings_once_more_and_not_twice_at_once() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = phone.rung()
    bell.says(180)
    call.peer.hears(180)
    call.cancels()
    call.peer.hears(200)
    call.hears_no(487)
    cancel = phone.hears("CANCEL")
    phone.says(200, cancel)
    bell.says(487)
    phone.hears("ACK")
    again = office.calls_in(by=office.backup)
    bell = answered(office, again, phone)
    again.byes()
    bell.hears_bye()
    office.rests()


# --- who is shown -----------------------------------------------------------------------------


@pytest.mark.rfc("3325#9.1")
@pytest.mark.parametrize(
    ("caller", "headers", "shown"),
    [
        ("+33612345678", (), "<sip:+33612345678@customer.example>"),
        ("0612345678", (), "<sip:+33612345678@customer.example>"),
        ("0044210312345", (), "<sip:+44210312345@customer.example>"),
        ("3615", (), "<sip:3615@customer.example>"),
        (
            "+33612345678",
            (("P-Asserted-Identity", "<tel:+33199009009>"),),
            "<sip:+33199009009@customer.example>",
        ),
        (
            "anonymous",
            (("P-Asserted-Identity", '"Le \\"chef\\"" <sip:+33199009009@x>'),),
            '"Le \\"chef\\"" <sip:+33199009009@customer.example>',
        ),
        ("+33612345678", (("Privacy", "id"),), '"Anonymous" <sip:anonymous@customer.example>'),
        ("+33612345678", (("Privacy", "user; critical"),), '"Anonymous" <sip:anonymous@customer.example>'),
        ("+33612345678", (("Privacy", "none"),), "<sip:+33612345678@customer.example>"),
        ("anonymous", (), '"Anonymous" <sip:anonymous@customer.example>'),
        ("alice", (), '"Anonymous" <sip:anonymous@customer.example>'),
    ],
)
def test_the_phone_shows_who_calls_so_that_it_can_call_back(
    caller: str, headers: tuple[tuple[str, str], ...], shown: str
) -> None:
    office = Office()
    phone = office.phone("201")
    office.calls_in(caller=caller, headers=headers)
    invite: Request = phone.hears("INVITE")
    assert (invite.get("from") or "").startswith(f"{shown};tag=")
    if "anonymous" in shown:
        assert b"33612345678" not in bytes(invite)


@pytest.mark.parametrize(
    ("display", "shown"),
    [
        ('"Zoë \\"la\\" \\\\ grande" ', '"Zoë \\"la\\" \\\\ grande" <sip:'),
        ('"\u202egnp.exe\x07" ', '"gnp.exe" <sip:'),
        ("Durand et Fils ", '"Durand et Fils" <sip:'),
        ('"' + "x" * 200 + '" ', '"' + "x" * 80 + '" <sip:'),
        ('" " ', "<sip:"),
    ],
)
def test_a_callers_name_is_shown_safely(display: str, shown: str) -> None:
    office = Office()
    phone = office.phone("201")
    if "\x07" in display:
        display = display.replace("\x07", "\\\x07")  # a quoted-pair may hold it
    office.calls_in(display=display)
    invite: Request = phone.hears("INVITE")
    assert (invite.get("from") or "").startswith(shown)


def test_octets_that_are_no_utf8_do_not_reach_the_phone() -> None:
    office = Office()
    phone = office.phone("201")
    office.calls_in(display='"Andr\udce9" ')
    invite: Request = phone.hears("INVITE")
    assert invite.from_.display == "Andr"


# --- who does not ring ------------------------------------------------------------------------


def test_a_ddi_of_nobody_is_not_found() -> None:
    office = Office()
    call = office.calls_in("+33199001049")
    assert q850(call.hears_no(404)) == 1
    assert (office.record()["cause"], office.record()["ended_by"]) == (1, "ipbx")
    office.rests()


def test_a_user_without_a_phone_is_away() -> None:
    office = Office()
    call = office.calls_in()
    assert q850(call.hears_no(480)) == 20
    office.rests()


@pytest.mark.guide("CAC-1")
@pytest.mark.parametrize("status", [486, 503])
def test_a_call_over_the_bound_is_refused_as_the_site_says(status: int) -> None:
    office = Office({"trunk.channels": "1", "trunk.inbound_full_status": str(status)})
    phone, other = office.phone("201"), office.phone("202")
    call = office.calls_in()
    bell = answered(office, call, phone)
    late = office.calls_in("+33199001002", caller="+33199009002")
    assert q850(late.hears_no(status)) == 34
    other.quiet()
    call.byes()
    bell.hears_bye()
    office.rests()


@pytest.mark.parametrize(
    ("said", "told", "cause"),
    [
        (486, 486, 17),
        (480, 480, 18),
        (603, 603, 21),
        (488, 488, 65),
        (415, 488, 65),
        (404, 480, 18),  # one phone's trouble is not the carrier's
        (503, 480, 18),
        (500, 480, 18),
        (401, 480, 18),
        (302, 480, 18),
    ],
)
def test_a_phones_refusal_is_told_to_the_carrier(said: int, told: int, cause: int) -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    phone.rung().says(said)
    phone.hears("ACK")
    assert q850(call.hears_no(told)) == cause
    record = office.record()
    assert (record["status"], record["ended_by"]) == (said, "called")
    office.rests()


def test_a_phone_that_is_switched_off_is_away_and_not_the_site() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    phone.hears("INVITE")
    phone.unreachable()
    assert q850(call.hears_no(480)) == 20
    record = office.record()
    assert (record["status"], record["cause"]) == (503, 41)
    office.rests()


def test_a_phone_that_says_nothing_is_away_too() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    office.after(32.1)
    phone.inbox.clear()
    assert q850(call.hears_no(480)) == 20
    assert office.legs()[1]["ended_by"] == "timer"
    office.rests()


def test_an_answer_of_no_use_from_the_only_phone_ends_the_call() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = phone.rung()
    bell.says(200)  # without an answer to the offer
    phone.hears("ACK")
    bell.hears_bye()
    assert q850(call.hears_no(488)) == 65
    office.rests()


def test_unanswered_ringing_ends() -> None:
    office = Office({"calls.ringing_max": "30"})
    phone = office.phone("201")
    call = office.calls_in()
    bell = phone.rung()
    bell.says(180)
    call.peer.hears(180)
    office.after(30.1)
    cancel = phone.hears("CANCEL")
    assert q850(cancel) == 19
    phone.says(200, cancel)
    bell.says(487)
    phone.hears("ACK")
    assert q850(call.hears_no(480)) == 19
    office.rests()


def test_a_phone_that_answers_and_hangs_up_at_once_rang_in_vain() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = phone.rung()
    bell.says(180)
    call.peer.hears(180)
    bell.byes()
    phone.says(200, phone.hears("CANCEL"))
    bell.says(487)
    phone.hears("ACK")
    call.hears_no(480)
    office.rests()


# --- several phones of one user ---------------------------------------------------------------


@pytest.mark.rfc("3326#2")
def test_all_phones_ring_and_the_first_to_answer_has_the_call() -> None:
    office = Office()
    desk, cordless = office.phone("201"), office.phone("201", port=5062)
    call = office.calls_in()
    two, one = cordless.rung(), desk.rung()
    one.says(180)
    call.peer.hears(180)
    two.says(180)
    call.peer.quiet()  # it rings already
    two.says(183, sdp("192.0.2.101", 30002))
    assert call.peer.hears(183).body == b""  # whose media it would be is not known yet
    two.says(200, sdp("192.0.2.101", 30002))
    cordless.hears("ACK")
    cancel = desk.hears("CANCEL")
    assert cancel.all("reason") == [
        'SIP;cause=200;text="Call completed elsewhere"',
        'Q.850;cause=26;text="Call completed elsewhere"',
    ]
    desk.says(200, cancel)
    one.says(487)
    desk.hears("ACK")
    answer = call.peer.hears(200)
    assert b"30002" in answer.body
    call.acks(answer)
    call.byes()
    two.hears_bye()
    causes = sorted((leg["side"], leg["cause"]) for leg in office.legs())
    assert causes == [("called", 16), ("called", 26), ("caller", 16)]
    office.rests()


def test_two_phones_that_answer_at_once_leave_one_call() -> None:
    office = Office()
    desk, cordless = office.phone("201"), office.phone("201", port=5062)
    call = office.calls_in()
    one, two = desk.rung(), cordless.rung()
    one.says(200, OFFER)
    desk.hears("ACK")
    two.says(200, OFFER)
    cordless.hears("ACK")
    two.hears_bye()
    call.acks(call.peer.hears(200))
    one.byes()
    call.hears_bye()
    office.rests()


def test_a_busy_phone_leaves_the_other_ringing_and_the_best_refusal_is_told() -> None:
    office = Office()
    desk, cordless = office.phone("201"), office.phone("201", port=5062)
    call = office.calls_in()
    one, two = desk.rung(), cordless.rung()
    one.says(486)
    desk.hears("ACK")
    call.peer.quiet()
    two.says(480)
    cordless.hears("ACK")
    assert q850(call.hears_no(486)) == 17
    office.rests()


@pytest.mark.rfc("3261#16.7")
def test_a_user_who_declines_on_one_phone_declines_on_all() -> None:
    office = Office()
    desk, cordless = office.phone("201"), office.phone("201", port=5062)
    call = office.calls_in()
    one, two = desk.rung(), cordless.rung()
    two.says(180)
    call.peer.hears(180)
    one.says(603)
    desk.hears("ACK")
    cordless.says(200, cordless.hears("CANCEL"))
    two.says(487)
    cordless.hears("ACK")
    call.hears_no(603)
    office.rests()


# --- while it rings and after -----------------------------------------------------------------


def test_an_abandoned_call_stops_ringing() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = phone.rung()
    bell.says(180)
    call.peer.hears(180)
    call.cancels()
    call.peer.hears(200)
    call.hears_no(487)
    assert office.used == 0
    cancel = phone.hears("CANCEL")
    assert q850(cancel) == 16
    phone.says(200, cancel)
    bell.says(487)
    phone.hears("ACK")
    record = office.record()
    assert (record["cause"], record["ended_by"], record["answer"]) == (16, "caller", None)
    office.rests()


@pytest.mark.rfc("3326#2")
def test_a_call_picked_up_elsewhere_is_no_missed_call() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = phone.rung()
    call.cancels(headers=(("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),))
    call.peer.hears(200)
    call.hears_no(487)
    bell.says(180)
    cancel = phone.hears("CANCEL")
    assert cancel.all("reason")[0] == 'SIP;cause=200;text="Call completed elsewhere"'
    phone.says(200, cancel)
    bell.says(487)
    phone.hears("ACK")
    assert (office.record()["cause"], office.record()["ended_by"]) == (26, "caller")
    office.rests()


@pytest.mark.rfc("3262#3")
def test_ringing_is_reliable_where_the_carrier_asks_for_it() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in(headers=(("Supported", "100rel"),))
    bell = phone.rung()
    assert "100rel" not in (bell.invite.get("supported") or "")
    bell.says(180)
    ring: Response = call.peer.hears(180)
    assert ring.get("require") == "100rel"
    rack = f"{ring.get('rseq')} {ring.cseq.number} INVITE"
    call.asks("PRACK", headers=(("RAck", rack),), answer=ring)
    call.peer.hears(200)
    office.after(2.0)
    call.peer.quiet()
    bell.says(200, OFFER)
    phone.hears("ACK")
    call.acks(call.peer.hears(200))
    call.byes()
    bell.hears_bye()
    office.rests()


def test_a_carrier_that_never_acknowledges_reliable_ringing_is_refused() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in(headers=(("Supported", "100rel"),))
    bell = phone.rung()
    bell.says(180)
    office.after(32.1)
    phone.says(200, phone.hears("CANCEL"))
    bell.says(487)
    phone.hears("ACK")
    call.peer.inbox.clear()
    office.after(64.0)
    call.peer.inbox.clear()
    assert (office.record()["cause"], office.record()["status"]) == (102, 504)
    office.rests()


def early(office: Office, *phones: Phone, sdp: bytes = ANSWER) -> tuple[Dialog, Any]:
    """A call that rings reliably: the caller's side, and the phones'."""
    call = office.calls_in(headers=(("Supported", "100rel"),), sdp=sdp)
    bells = [phone.rung() for phone in phones]
    bells[0].says(180)
    ring = call.peer.hears(180)
    call.asks("PRACK", headers=(("RAck", f"{ring.get('rseq')} {ring.cseq.number} INVITE"),), answer=ring)
    call.peer.hears(200)
    return call, bells


@pytest.mark.rfc("6086")
def test_news_for_several_ringing_phones_goes_to_none() -> None:
    office = Office()
    call, _ = early(office, office.phone("201"), office.phone("201", port=5062))
    call.asks("INFO", b"x", content_type="text/plain")
    call.peer.hears(491)


@pytest.mark.rfc("3311#5.2")
def test_an_offer_for_several_ringing_phones_has_to_wait() -> None:
    office = Office()
    call, _ = early(office, office.phone("201"), office.phone("201", port=5062), sdp=b"")
    call.asks("UPDATE", ANSWER)
    call.peer.hears(491)


def test_a_late_acknowledgement_ends_nothing() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = phone.rung()
    bell.says(200, OFFER)
    phone.hears("ACK")
    answer = call.peer.hears(200)
    office.after(0.6)
    assert bytes(call.peer.hears(200)) == bytes(answer)
    call.acks(answer)
    office.after(5.0)
    call.peer.quiet()
    bell.byes()
    call.hears_bye()
    office.rests()


def test_an_answer_never_acknowledged_ends_the_call() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = phone.rung()
    bell.says(200, OFFER)
    phone.hears("ACK")
    office.after(32.1)
    assert q850(bell.hears_bye()) == 102
    call.peer.inbox.clear()
    office.after(32.1)
    call.peer.inbox.clear()
    assert office.record()["ended_by"] == "ipbx"
    office.rests()


def test_a_delayed_offer_from_the_carrier_is_the_phones_to_make() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in(sdp=b"")
    bell = phone.rung()
    assert bell.invite.body == b""
    bell.says(200, OFFER)
    offered = call.peer.hears(200)
    assert b"192.0.2.101" in offered.body
    phone.quiet()
    call.acks(offered, sdp=ANSWER)
    assert b"198.51.100.11" in phone.hears("ACK").body
    call.byes()
    bell.hears_bye()
    office.rests()


@pytest.mark.rfc("3261#14.1")
def test_changes_that_cross_each_other_are_both_refused_for_now() -> None:
    office = Office()
    phone = office.phone("201")
    call = office.calls_in()
    bell = answered(office, call, phone)
    mine = call.asks("INVITE", sdp("198.51.100.11", 40000, direction="sendonly"))
    phone.hears("INVITE")
    theirs = bell.asks("INVITE", sdp("192.0.2.101", 30000, direction="sendonly"))
    Dialog(phone, theirs, calls=True).hears_no(491)
    assert mine.cseq.number


def test_a_call_of_no_ddi_with_a_bad_body_is_refused_and_leaves_nothing() -> None:
    office = Office()
    call = office.calls_in(sdp=b"nonsense")
    call.hears_no(400)
    assert office.records == []
    office.rests()


# --- between users ----------------------------------------------------------------------------


def test_an_internal_call_shows_extension_and_name_and_needs_no_channel() -> None:
    office = Office({"users.0.name": 'Le "chef"'})
    boss, other = office.phone("201"), office.phone("202")
    call = boss.dials("202", headers=(("P-Asserted-Identity", "<sip:evil@x>"),))
    bell = other.rung()
    assert (bell.invite.get("from") or "").startswith('"Le \\"chef\\"" <sip:201@customer.example>;tag=')
    assert bell.invite.get("p-asserted-identity") is None
    bell.says(180)
    boss.hears(180)
    bell.says(200, OFFER)
    other.hears("ACK")
    call.acks(boss.hears(200))
    assert office.used == 0
    assert office.node.status(office.now)["calls"][0]["direction"] == "internal"
    bell.byes()
    call.hears_bye()
    record = office.record()
    assert (record["direction"], record["from"], record["to"], record["gateway"]) == (
        "internal", "201", "202", "",
    )  # fmt: skip
    office.nominal.quiet()
    office.rests()


def test_a_colleague_called_by_public_number_is_reached_inside() -> None:
    office = Office()
    phone, other = office.phone("201"), office.phone("202")
    phone.dials("00199001002")
    other.hears("INVITE")
    office.nominal.quiet()


def test_a_user_without_a_name_shows_the_extension() -> None:
    office = Office({"users.0.name": None})
    phone, other = office.phone("201"), office.phone("202")
    phone.dials("202")
    assert other.hears("INVITE").from_.display == "201"


def test_who_calls_itself_reaches_its_other_phone_or_nobody() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials("201")
    assert q850(call.hears_no(486)) == 17
    other = office.phone("201", port=5062)
    phone.dials("201")
    other.hears("INVITE")
    phone.quiet()


def test_a_realm_that_is_no_domain_gives_way_to_the_phones_address() -> None:
    office = Office({"phones.realm": "Exemple SARL", "users.0.name": None})
    realm = office.node.exchange.phones_domain
    assert realm == "192.0.2.10"
    assert Office({"phones.realm": "a:b@c"}).node.exchange.phones_domain == "192.0.2.10"


# --- the table --------------------------------------------------------------------------------


def test_every_edge_of_the_state_table_is_taken() -> None:
    with watched([Call]) as tables:
        outgoing.test_a_failing_nominal_sends_the_call_to_the_backup_at_once(503)
        outgoing.test_early_media_goes_through_and_ringing_after_it_too()
        outgoing.test_a_caller_who_gives_up_in_ringing_cancels_the_call()
        outgoing.test_both_gateways_fail_and_the_phone_hears_congestion()
        outgoing.test_a_call_refused_for_its_session_timer_is_asked_again_and_no_call_yet()
        test_unanswered_ringing_ends()
        test_an_internal_call_shows_extension_and_name_and_needs_no_channel()
        test_a_user_without_a_phone_is_away()
    assert not tables["Call"].untaken, report(tables)


def test_every_state_leads_to_the_end() -> None:
    ends = {"over"}
    for _ in NEXT:
        ends |= {state for (state, _), after in NEXT.items() if after in ends}
    assert {state for state, _ in NEXT} <= ends
    assert TRUNK[1] == 5060
