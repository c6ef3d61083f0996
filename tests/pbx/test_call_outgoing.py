"""Calls from a phone to the public network: what the carrier is told, failover, refusals, clean-up."""

from __future__ import annotations

import pytest
from tests.pbx.office import ANSWER, BACKUP, NOMINAL, OFFER, OTHER, Office, Phone, rung
from tests.peers import Dialog, q850, sdp

from trunkline.call.node import Drain
from trunkline.sip.message import Request
from trunkline.sip.values import Address

NUMBER = "00199009001"  # outside prefix, then a national number


def talking(office: Office, phone: Phone, number: str = NUMBER) -> tuple[Dialog, Dialog]:
    """A call that was answered: the phone's side, and the carrier's."""
    call = phone.dials(number)
    far = rung(office.nominal)
    far.says(180)
    phone.hears(180)
    far.says(200, ANSWER)
    office.nominal.hears("ACK")
    call.acks(phone.hears(200))
    return call, far


# --- what the carrier is told -----------------------------------------------------------------


@pytest.mark.rfc("3325#9.1")
def test_a_call_shows_the_users_number_in_from_and_pai() -> None:
    office = Office()
    office.phone("201").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.uri_text == "sip:+33199009001@sbc1.carrier.example;user=phone"
    assert invite.get("to") == "<sip:+33199009001@sbc1.carrier.example;user=phone>"
    assert (invite.get("from") or "").startswith('"Accueil" <sip:+33199001001@192.0.2.10;user=phone>;tag=')
    assert invite.all("p-asserted-identity") == ["<sip:+33199001001@192.0.2.10;user=phone>"]
    assert invite.get("privacy") is None
    assert invite.get("contact") == "<sip:+33199001001@192.0.2.10:5060>"
    assert invite.max_forwards == 69
    assert invite.body.count(b"c=IN IP4 192.0.2.101") == 1  # media goes straight to the phone (BVPN-2)


@pytest.mark.rfc("3323#4.1.1.3")
@pytest.mark.parametrize(
    ("extension", "number", "headers"),
    [
        ("201", "*3100199009001", ()),
        ("201", "0*310199009001", ()),
        ("203", NUMBER, ()),  # a user who never shows the number
        ("201", NUMBER, (("Privacy", "id"),)),
    ],
)
def test_a_number_withheld_stays_in_pai_alone(
    extension: str, number: str, headers: tuple[tuple[str, str], ...]
) -> None:
    office = Office()
    office.phone(extension).dials(number, headers=headers)
    invite: Request = office.nominal.hears("INVITE")
    own = f"+331990010{extension[1:]}"
    assert (invite.get("from") or "").startswith('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=')
    assert invite.all("privacy") == ["id"]
    assert invite.all("p-asserted-identity") == [f"<sip:{own}@192.0.2.10;user=phone>"]
    assert invite.get("contact") == "<sip:anonymous@192.0.2.10:5060>"
    told = [line for key, line in invite.fields if key != "p-asserted-identity"]
    assert not any(own in line for line in told)


def test_without_rfc3325_neither_pai_nor_privacy_is_sent() -> None:
    office = Office({"trunk.gateways.0.identity": {"rfc3325": "false"}})
    office.phone("203").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.get("p-asserted-identity") is None
    assert invite.get("privacy") is None
    assert "anonymous.invalid" in (invite.get("from") or "")


def test_a_site_that_shows_its_main_number_shows_it_for_everybody() -> None:
    office = Office({"numbering.caller_number": "installation"})
    office.phone("201").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.from_.uri.user == "+33199001000"


@pytest.mark.parametrize("number", ["112", "0112", "15", "*31112", "3615", "03615", "118712"])
def test_short_and_emergency_numbers_are_sent_as_they_are(number: str) -> None:
    office = Office()
    office.phone("201").dials(number)
    invite: Request = office.nominal.hears("INVITE")
    bare = number.removeprefix("*31").removeprefix("0")
    assert invite.uri_text == f"sip:{bare}@sbc1.carrier.example"
    assert invite.get("to") == f"<sip:{bare}@sbc1.carrier.example>"


def test_an_emergency_call_shows_who_calls_whatever_was_withheld() -> None:
    office = Office()
    office.phone("203").dials("*31112", headers=(("Privacy", "id"),))
    invite: Request = office.nominal.hears("INVITE")
    assert invite.from_.uri.user == "+33199001003"
    assert invite.get("privacy") is None


REMOTE = {"label": "Arras", "channels": "2", "link": {"kind": "bvpn", "kbps": "400"}}


@pytest.mark.parametrize(
    ("number", "dialled", "shown"),
    [
        ("+33199001040", "112", "+33199001040"),
        ("+33199001040", "*3115", "+33199001040"),
        ("+33199001040", NUMBER, "+33199001001"),
        ("+33199001040", "3615", "+33199001001"),
        ("", "112", "+33199001001"),
    ],
)
def test_an_emergency_call_from_a_remote_site_shows_where_it_is(
    number: str, dialled: str, shown: str
) -> None:
    office = Office({"remote_sites": [{**REMOTE, "number": number}], "users.0.site": "Arras"})
    office.phone("201").dials(dialled)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.from_.uri.user == shown
    assert invite.all("p-asserted-identity") == [f"<sip:{shown}@192.0.2.10;user=phone>"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ('Le "chef" \\ ici', '"Le \\"chef\\" \\\\ ici" <sip:'),
        ("Élodie & Zoë", '"Élodie & Zoë" <sip:'),
    ],
)
def test_a_name_is_quoted_whatever_it_holds(name: str, said: str) -> None:
    office = Office({"users.0.name": name})
    office.phone("201").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert (invite.get("from") or "").startswith(said)
    assert invite.from_.display == name


def test_an_ipv6_carrier_is_written_in_brackets() -> None:
    proxy = "trunk.gateways.0.domain_proxy"
    office = Office({f"{proxy}.target_domain": "2001:db8::5", f"{proxy}.local_domain": "2001:db8::6"})
    office.phone("201").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.uri_text == "sip:+33199009001@[2001:db8::5];user=phone"
    assert invite.from_.uri.host == "2001:db8::6"


def test_a_national_gateway_gets_national_numbers() -> None:
    office = Office({"trunk.gateways.0.general.numbers_format": "national"})
    office.phone("201").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.uri_text == "sip:0199009001@sbc1.carrier.example"


@pytest.mark.rfc("3261#22.2")
def test_a_registered_trunk_answers_the_carriers_challenge() -> None:
    account = {"requested": "true", "user": "site42", "password": "secret"}
    office = Office({"trunk.gateways.0.registration": account})
    register = office.nominal.hears("REGISTER")
    office.nominal.says(200, register, headers=(("Contact", f"{register.get('contact')};expires=3600"),))
    office.phone("201").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.get("contact") == "<sip:site42@192.0.2.10:5060>"
    challenge = 'Digest realm="carrier", nonce="n1", algorithm=SHA-256, qop="auth"'
    office.nominal.says(407, invite, headers=(("Proxy-Authenticate", challenge),))
    office.nominal.hears("ACK")
    again: Request = office.nominal.hears("INVITE")
    (known,) = again.values("proxy-authorization")
    assert 'username="site42"' in str(known)
    assert again.cseq.number == invite.cseq.number + 1


# --- what is not called -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "status", "cause"),
    [
        ("0044210312345", 403, 21),  # barred below
        ("01234", 404, 1),
        ("00199", 484, 28),
        ("299", 404, 1),
        ("2", 484, 28),
    ],
)
def test_a_number_that_may_not_be_called_never_reaches_the_trunk(
    number: str, status: int, cause: int
) -> None:
    office = Office({"numbering.international_allowed": "false"})
    phone = office.phone("201")
    response = phone.dials("0" + number if status == 403 else number).hears_no(status)
    assert q850(response) == cause
    office.nominal.quiet()
    assert (office.record()["cause"], office.record()["ended_by"]) == (cause, "ipbx")
    office.rests()


@pytest.mark.rfc("3261#8.1.1.6")
def test_hops_are_counted() -> None:
    office = Office()
    phone = office.phone("201")
    phone.dials(NUMBER, headers=(("Max-Forwards", "1"),))
    assert office.nominal.hears("INVITE").max_forwards == 0
    phone.dials(NUMBER, headers=(("Max-Forwards", "0"),))
    phone.hears(483)
    office.nominal.quiet()


def test_an_invite_without_max_forwards_gets_the_usual_number() -> None:
    office = Office()
    phone = office.phone("201")
    uri = "sip:00199009001@customer.example"
    known = phone.session.next("INVITE", uri, phone.ids)
    request = Request.build(
        "INVITE",
        uri,
        [
            ("Via", f"SIP/2.0/UDP {phone.host};branch=z9hG4bKold"),
            ("From", "<sip:201@customer.example>;tag=1"),
            ("To", f"<{uri}>"),
            ("Call-ID", "old"),
            ("CSeq", "1 INVITE"),
            ("Contact", f"<sip:201@{phone.host}>"),
            ("Authorization", str(known)),
        ],
        OFFER,
    )
    phone.sends(request)
    assert office.nominal.hears("INVITE").max_forwards == 70


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.rfc("3398#8.2.6.1")
@pytest.mark.parametrize(
    ("said", "told", "cause"),
    [
        (404, 404, 1),
        (486, 486, 17),
        (480, 480, 18),
        (484, 484, 28),
        (403, 403, 21),
        (488, 488, 65),
        (603, 603, 21),
        (600, 600, 17),
        (302, 480, 127),  # nothing here follows a redirection
        (401, 403, 21),  # the carrier's challenge is not the phone's
        (407, 403, 21),
        (481, 500, 41),
        (483, 500, 25),
        (491, 500, 127),
        (415, 488, 79),
        (487, 480, 16),
        (699, 500, 127),
    ],
)
def test_a_refusal_is_told_to_the_phone_and_tries_no_second_gateway(said: int, told: int, cause: int) -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    rung(office.nominal).says(said)
    office.nominal.hears("ACK")
    assert q850(call.hears_no(told)) == cause
    office.backup.quiet()
    record = office.record()
    assert (record["status"], record["cause"], record["ended_by"]) == (said, cause, "called")
    assert [leg["status"] for leg in office.legs()] == [told, said]
    office.rests()


@pytest.mark.rfc("6432")
def test_the_networks_own_cause_reaches_the_phone() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    rung(office.nominal).says(480, headers=(("Reason", 'Q.850;cause=34;text="no circuit"'),))
    office.nominal.hears("ACK")
    assert q850(call.hears_no(480)) == 34
    assert office.record()["cause"] == 34


def test_a_reason_phrase_cannot_break_out_of_its_quotes() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    rung(office.nominal).says(486, reason='Busy"; evil="1')
    office.nominal.hears("ACK")
    response = call.hears_no(486)
    assert response.all("reason") == ['Q.850;cause=17;text="Busy\\"; evil=\\"1"']


# --- failover ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failing_nominal_sends_the_call_to_the_backup_at_once(status: int) -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    rung(office.nominal).says(status)
    office.nominal.hears("ACK")
    far = rung(office.backup)
    assert far.invite.uri_text == "sip:+33199009001@sbc2.carrier.example;user=phone"
    far.says(200, ANSWER)
    office.backup.hears("ACK")
    call.acks(phone.hears(200))
    call.byes()
    far.hears_bye()
    office.nominal.quiet()
    assert office.record()["gateway"] == "backup"
    legs = [(leg["side"], leg["gateway"], leg["status"]) for leg in office.legs()]
    assert legs == [("caller", "", 0), ("called", "nominal", status), ("called", "backup", 0)]
    office.rests()


def test_both_gateways_fail_and_the_phone_hears_congestion() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    for sbc in (office.nominal, office.backup):
        rung(sbc).says(503, headers=(("Retry-After", "60"),))
        sbc.hears("ACK")
    call.hears_no(503)
    office.records.clear()
    call = phone.dials(NUMBER)  # both asked for rest: nobody is called
    assert q850(call.hears_no(503)) == 38
    assert office.record()["text"] == "no gateway is in service"
    office.rests()


def test_an_emergency_call_tries_gateways_that_are_down() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    for sbc in (office.nominal, office.backup):
        rung(sbc).says(503, headers=(("Retry-After", "60"),))
        sbc.hears("ACK")
    call.hears_no(503)
    phone.dials("112")
    office.nominal.hears("INVITE")


def test_silence_sends_the_call_to_the_backup_within_the_initial_timeout() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    lost = rung(office.nominal)
    office.after(3.9)
    office.backup.quiet()
    office.after(0.2)
    far = rung(office.backup)
    office.nominal.inbox.clear()  # the INVITE again and again
    far.says(200, ANSWER)
    office.backup.hears("ACK")
    call.acks(phone.hears(200))
    call.byes()
    far.hears_bye()
    assert [leg["cause"] for leg in office.legs()] == []  # the lost attempt still waits to be cleaned up
    lost.says(180)  # late
    cancel = office.nominal.hears("CANCEL")
    assert q850(cancel) == 102
    office.nominal.says(200, cancel)
    lost.says(487)
    office.nominal.hears("ACK")
    assert [leg["cause"] for leg in office.legs()] == [16, 102, 16]
    office.rests()


@pytest.mark.rfc("3261#13.2.2.4")
def test_the_late_answer_of_an_abandoned_attempt_is_acknowledged_and_ended() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    lost = rung(office.nominal)
    office.after(4.1)
    far = rung(office.backup)
    office.nominal.inbox.clear()
    lost.says(200, ANSWER)
    office.nominal.hears("ACK")
    assert q850(lost.hears_bye()) == 102
    phone.quiet()  # its phone rings on at the backup
    far.says(486)
    office.backup.hears("ACK")
    call.hears_no(486)
    office.rests()


def test_100_and_then_silence_has_its_own_timeout() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    lost = rung(office.nominal)
    lost.says(100)
    office.after(19.0)
    office.backup.quiet()
    lost.says(100)  # says nothing new
    office.after(1.1)
    far = rung(office.backup)
    cancel = office.nominal.hears("CANCEL")
    office.nominal.says(200, cancel)
    lost.says(487)
    office.nominal.hears("ACK")
    far.says(404)
    office.backup.hears("ACK")
    call.hears_no(404)
    assert [leg["text"] for leg in office.legs()][1] == "100 and then silence"
    office.rests()


def test_silence_everywhere_is_a_timeout_to_the_phone() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    office.after(8.1)
    assert q850(call.hears_no(504)) == 102
    assert office.used == 0  # nobody can count what was never seen
    office.after(64.0)
    office.nominal.inbox.clear()
    office.backup.inbox.clear()
    record = office.record()
    assert (record["cause"], record["status"], record["ended_by"]) == (102, 408, "ipbx")
    office.rests()


def test_a_stalled_attempt_keeps_its_channel_until_the_carrier_lets_go() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    first, _ = rung(office.nominal), None
    first.says(100)
    office.after(20.1)
    office.nominal.says(200, office.nominal.hears("CANCEL"))
    far = rung(office.backup)
    far.says(486)
    office.backup.hears("ACK")
    call.hears_no(486)
    assert office.used == 1
    first.says(487)
    office.nominal.hears("ACK")
    assert office.used == 0
    office.rests()


def test_a_gateway_that_cannot_be_reached_is_left_at_once() -> None:
    office = Office()
    phone = office.phone("201")
    phone.dials(NUMBER)
    office.nominal.hears("INVITE")
    office.nominal.unreachable()
    office.backup.hears("INVITE")


@pytest.mark.parametrize("status", [180, 183])
def test_what_rang_is_never_tried_again(status: int) -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(status)
    phone.hears(status)
    far.says(503, headers=(("Retry-After", "60"),))
    office.nominal.hears("ACK")
    call.hears_no(503)
    office.backup.quiet()
    office.rests()
    phone.dials(NUMBER)
    office.nominal.hears("INVITE")  # a called party's 503 says nothing of the gateway


def test_silence_after_ringing_is_no_reason_for_a_second_try_either() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(180)
    phone.hears(180)
    office.nominal.unreachable()
    office.after(59.0)
    phone.quiet()
    office.after(2.0)
    phone.hears(180)  # once a minute, for proxies on the way (RFC 3261 §13.3.1.1)
    assert q850(call.hears_no(480)) == 19
    office.backup.quiet()


def test_an_answer_of_no_use_is_ended_and_not_tried_elsewhere() -> None:
    office = Office({"trunk.gateways.0.protocol.reroute_statuses": ["488", "503"]})
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(200, b"v=0\r\nnonsense")
    office.nominal.hears("ACK")
    far.hears_bye()
    call.hears_no(500)
    office.backup.quiet()
    assert office.legs()[1]["ended_by"] == "local"
    office.rests()
    phone.dials(NUMBER)
    office.nominal.hears("INVITE")


def test_a_gateway_over_a_transport_that_is_off_is_passed_over() -> None:
    proxy = "trunk.gateways.0.domain_proxy.transport"
    office = Office({proxy: "tcp", "trunk.listen.tcp": "0"})
    office.phone("201").dials(NUMBER)
    office.backup.hears("INVITE")
    assert office.used == 1


def test_a_call_stays_with_its_gateway() -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    office.after(10.0)
    other = phone.dials(NUMBER)
    rung(office.nominal).says(503, headers=(("Retry-After", "300"),))
    office.nominal.hears("ACK")
    rung(office.backup).says(486)
    office.backup.hears("ACK")
    other.hears_no(486)
    call.byes()
    far.hears_bye()
    office.backup.quiet()
    office.rests()


# --- channels ---------------------------------------------------------------------------------


def test_a_call_over_the_bound_is_refused_but_an_emergency_never() -> None:
    office = Office({"trunk.channels": "1"})
    phone = office.phone("201")
    talking(office, phone)
    call = phone.dials(NUMBER)
    assert q850(call.hears_no(503)) == 34
    assert office.record()["text"] == "all channels are in use"
    office.nominal.quiet()
    assert office.node.status(office.now)["channels"]["refused"] == 1
    phone.dials("112")
    office.nominal.hears("INVITE")
    phone.dials("3615")
    office.nominal.hears("INVITE")
    channels = office.node.status(office.now)["channels"]
    assert (channels["used"], channels["emergency"], channels["stuck"]) == (3, 2, [])


def test_a_gateway_without_room_overflows_to_the_next_and_nobody_counts_it_as_refused() -> None:
    office = Office({"trunk.gateways.0.media.bandwidth": "1", "trunk.gateways.1.media.bandwidth": "1"})
    phone = office.phone("201")
    talking(office, phone)
    phone.dials(NUMBER)
    office.backup.hears("INVITE")
    assert office.node.exchange.channels.refused == 0
    call = phone.dials(NUMBER)
    assert q850(call.hears_no(503)) == 34
    assert office.node.exchange.channels.refused == 1


def test_a_failed_attempt_does_not_move_to_a_gateway_without_room() -> None:
    office = Office({"trunk.gateways.1.media.bandwidth": "0"})
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    rung(office.nominal).says(503)
    office.nominal.hears("ACK")
    call.hears_no(503)
    office.backup.quiet()
    office.rests()


def test_a_channel_is_free_once_the_trunk_leg_is_gone() -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    assert office.used == 1
    call.byes()
    assert office.used == 1  # the carrier still counts it
    far.hears_bye()
    assert office.used == 0
    office.rests()


def test_a_dead_carrier_gives_its_channel_back_within_the_byes_timeout() -> None:
    office = Office()
    phone = office.phone("201")
    call, _ = talking(office, phone)
    call.byes()
    office.after(31.9)
    assert office.used == 1
    office.after(0.2)
    assert office.used == 0
    office.nominal.inbox.clear()
    assert office.record()["cause"] == 16
    office.rests()


def test_stuck_channels_are_told() -> None:
    office = Office({"calls.duration_max": "60", "calls.ringing_max": "10"})
    phone = office.phone("201")
    talking(office, phone)
    office.node.exchange.channels.take("lost", 1, office.now)
    office.after(200.0)
    assert office.node.status(office.now)["channels"]["stuck"] == ["lost"]


# --- bounds of time ---------------------------------------------------------------------------


def test_ringing_ends_after_its_time() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    office.after(0.4)
    far.says(180)
    phone.hears(180)
    office.after(30.0)
    far.says(183)
    phone.hears(183)
    office.after(29.9)
    office.nominal.quiet()
    office.after(0.2)
    cancel = office.nominal.hears("CANCEL")
    assert q850(cancel) == 19
    office.nominal.says(200, cancel)
    far.says(487)
    office.nominal.hears("ACK")
    assert q850(call.hears_no(480)) == 19
    record = office.record()
    assert (record["cause"], record["ended_by"], record["answer"]) == (19, "ipbx", None)
    assert record["ring"] == 0.4
    office.rests()


def test_a_call_ends_after_the_longest_time() -> None:
    office = Office({"calls.duration_max": "100", "trunk.gateways.0.protocol.session_timer": "false"})
    phone = office.phone("201")
    call, far = talking(office, phone)
    office.after(100.1)
    assert q850(far.hears_bye()) == 31
    assert q850(call.hears_bye()) == 31
    record = office.record()
    assert (record["cause"], record["ended_by"], record["seconds"]) == (31, "ipbx", 100.0)
    office.rests()


# --- the caller gives up ----------------------------------------------------------------------


@pytest.mark.rfc("3261#9.1")
def test_a_caller_who_gives_up_in_ringing_cancels_the_call() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(180)
    phone.hears(180)
    call.cancels()
    phone.hears(200)
    cancel = office.nominal.hears("CANCEL")
    assert q850(cancel) == 16
    office.nominal.says(200, cancel)
    far.says(487)
    office.nominal.hears("ACK")
    call.hears_no(487)
    record = office.record()
    assert (record["cause"], record["status"], record["ended_by"]) == (16, 487, "caller")
    office.rests()


def test_a_caller_who_gives_up_before_any_sign_is_cancelled_at_the_first_one() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    call.cancels(headers=(("Reason", "Q.850;cause=31"),))
    phone.hears(200)
    call.hears_no(487)
    office.nominal.quiet()
    far.says(100)
    office.nominal.says(200, office.nominal.hears("CANCEL"))
    far.says(487)
    office.nominal.hears("ACK")
    assert office.record()["cause"] == 31  # the phone's own word
    office.rests()


def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(180)
    phone.hears(180)
    call.cancels()
    phone.hears(200)
    call.hears_no(487)
    far.says(200, ANSWER)
    cancel = office.nominal.hears("CANCEL")
    office.nominal.says(481, cancel)
    office.nominal.hears("ACK")
    far.hears_bye()
    office.rests()


def test_a_goodbye_that_overtakes_its_answer_ends_the_ringing() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(180)
    phone.hears(180)
    far.byes()
    assert q850(call.hears_no(480)) == 16
    cancel = office.nominal.hears("CANCEL")
    far.says(200, ANSWER)
    office.nominal.says(481, cancel)
    office.nominal.hears("ACK")
    far.hears_bye()
    record = office.record()
    assert (record["cause"], record["ended_by"], record["answer"]) == (16, "called", None)
    assert office.legs()[1]["ended_by"] == "remote"
    office.rests()


# --- ringing and media before the answer ------------------------------------------------------


@pytest.mark.rfc("3960#3.2")
def test_early_media_goes_through_and_ringing_after_it_too() -> None:
    office = Office()
    phone = office.phone("201")
    phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(183, ANSWER)
    assert b"198.51.100.11" in phone.hears(183).body
    far.says(180)
    assert phone.hears(180).body == b""
    far.says(180)
    phone.quiet()  # it still rings: nothing new


@pytest.mark.rfc("3262#4")
def test_a_reliable_provisional_is_acknowledged_here_and_its_answer_kept_for_the_phone() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    assert "100rel" in (far.invite.get("supported") or "")
    far.says(183, ANSWER, headers=(("Require", "100rel"), ("RSeq", "7")))
    prack = office.nominal.hears("PRACK")
    assert prack.get("rack") == f"7 {far.invite.cseq.number} INVITE"
    office.nominal.says(200, prack)
    early = phone.hears(183)
    assert early.get("require") is None  # this phone knows no PRACK
    far.says(200)  # its answer was in the 183
    office.nominal.hears("ACK")
    answer = phone.hears(200)
    assert answer.body == early.body
    call.acks(answer)
    call.byes()
    far.hears_bye()
    assert office.record()["codec"] == "PCMA"
    office.rests()


@pytest.mark.rfc("3261#13.2.2.4")
def test_a_forking_carrier_gets_one_dialog_and_a_bye_for_the_other() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    one, two = rung(office.nominal), None
    two = Dialog(office.nominal, one.invite, calls=False)
    two.tag = "other"
    one.says(180)
    two.says(183, OTHER)
    phone.hears(180)
    assert b"203.0.113.11" in phone.hears(183).body
    one.says(200, ANSWER)
    office.nominal.hears("ACK")
    answer = phone.hears(200)
    assert b"198.51.100.11" in answer.body
    call.acks(answer)
    two.says(200, OTHER)
    assert office.nominal.hears("ACK").to_tag == "other"
    bye = two.hears_bye()
    assert bye.to_tag == "other"
    call.byes()
    assert one.hears_bye().to_tag == "far"
    office.rests()


# --- offers and changes -----------------------------------------------------------------------


@pytest.mark.rfc("3261#13.2.1")
def test_a_call_without_an_offer_takes_the_far_ones() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER, sdp=b"")
    far = rung(office.nominal)
    assert far.invite.body == b""
    far.says(180)
    phone.hears(180)
    far.says(200, ANSWER)
    offered = phone.hears(200)
    assert b"198.51.100.11" in offered.body
    office.nominal.quiet()  # its ACK waits for the phone's answer
    call.acks(offered, sdp=OFFER)
    assert b"192.0.2.101" in office.nominal.hears("ACK").body
    call.byes()
    far.hears_bye()
    assert office.record()["codec"] == "PCMA"
    office.rests()


def test_an_ack_without_the_answer_ends_the_call() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER, sdp=b"")
    far = rung(office.nominal)
    far.says(200, ANSWER)
    call.acks(phone.hears(200))
    office.nominal.hears("ACK")
    far.hears_bye()
    call.hears_bye()
    assert (office.record()["cause"], office.record()["ended_by"]) == (65, "ipbx")
    office.rests()


def test_an_ack_that_brings_no_answer_after_the_far_side_hung_up_changes_nothing() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER, sdp=b"")
    far = rung(office.nominal)
    far.says(200, ANSWER)
    answer = phone.hears(200)
    far.byes()
    call.acks(answer)
    call.hears_bye()
    assert (office.record()["cause"], office.record()["ended_by"]) == (16, "called")
    office.nominal.inbox.clear()
    office.rests()


@pytest.mark.rfc("3264#8.4")
def test_hold_crosses_from_either_side() -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    held = sdp("192.0.2.101", 30000, direction="sendonly")
    call.asks("INVITE", held)
    change = office.nominal.hears("INVITE")
    assert b"a=sendonly" in change.body
    office.nominal.says(200, change, sdp("198.51.100.11", 40000, direction="recvonly"))
    office.nominal.hears("ACK")
    answer = phone.hears(200)
    assert b"a=recvonly" in answer.body
    call.asks("ACK", cseq=answer.cseq.number)
    far.asks("INVITE", sdp("198.51.100.11", 40000, direction="inactive"))
    change = phone.hears("INVITE")
    phone.says(200, change, sdp("192.0.2.101", 30000, direction="inactive"))
    phone.hears("ACK")
    answer = office.nominal.hears(200)
    far.asks("ACK", cseq=answer.cseq.number)
    call.byes()
    far.hears_bye()
    office.rests()


def test_a_change_that_is_refused_leaves_the_call_as_it_was() -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    again = far.asks("INVITE", sdp("198.51.100.11", 40000, codecs="18"))
    change = phone.hears("INVITE")
    phone.says(488, change)
    phone.hears("ACK")
    Dialog(office.nominal, again, calls=True).hears_no(488)
    call.byes()
    far.hears_bye()
    assert office.record()["codec"] == "PCMA"
    office.rests()


def test_a_changed_codec_is_on_record() -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    call.asks("UPDATE", sdp("192.0.2.101", 30000, codecs="18"))
    change = office.nominal.hears("INVITE")
    office.nominal.says(200, change, sdp("198.51.100.11", 40000, codecs="18"))
    office.nominal.hears("ACK")
    phone.hears(200)
    call.byes()
    far.hears_bye()
    assert office.record()["codec"] == "G729"
    office.rests()


@pytest.mark.rfc("6086")
def test_info_crosses_with_its_answer() -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    call.asks("INFO", b"Signal=5\r\n", content_type="application/dtmf-relay")
    told = office.nominal.hears("INFO")
    assert (told.body, told.get("content-type")) == (b"Signal=5\r\n", "application/dtmf-relay")
    office.nominal.says(415, told)
    phone.hears(415)
    call.byes()
    far.hears_bye()
    office.rests()


@pytest.mark.rfc("3261#15.1.2")
@pytest.mark.parametrize("ends", ["far", "here"])
def test_info_that_a_goodbye_overtakes_is_answered_all_the_same(ends: str) -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    call.asks("INFO", b"x", content_type="text/plain")
    office.nominal.hears("INFO")
    if ends == "far":
        far.byes()
    else:
        office.tells(Drain())
        call.hears_bye()
        far.hears_bye()
    phone.hears(481)


def test_info_after_the_far_side_is_gone_is_answered_from_here() -> None:
    office = Office()
    phone = office.phone("201")
    call, far = talking(office, phone)
    far.byes()
    bye = phone.hears("BYE")
    call.asks("INFO", b"x", content_type="text/plain")
    phone.hears(481)
    phone.says(200, bye)
    office.rests()


def test_a_change_before_anything_rang_has_to_wait() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(183, ANSWER)
    early = phone.hears(183)
    call.asks("UPDATE", OFFER, answer=early)
    phone.hears(500)  # the first offer has no final answer yet (RFC 3311 §5.2)


@pytest.mark.rfc("3311#5")
def test_a_change_crosses_before_the_answer_where_both_sides_acknowledge_ringing() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER, headers=(("Require", "100rel"),))
    far = rung(office.nominal)
    far.says(183, ANSWER, headers=(("Require", "100rel"), ("RSeq", "7")))
    office.nominal.says(200, office.nominal.hears("PRACK"))
    early = phone.hears(183)
    rack = f"{early.get('rseq')} {early.cseq.number} INVITE"
    call.asks("PRACK", headers=(("RAck", rack),), answer=early)
    phone.hears(200)
    call.asks("UPDATE", sdp("192.0.2.101", 30002))
    change = office.nominal.hears("UPDATE")
    assert b"30002" in change.body
    office.nominal.says(200, change, ANSWER)
    assert b"198.51.100.11" in phone.hears(200).body
    far.asks("UPDATE", OTHER)
    change = phone.hears("UPDATE")
    phone.says(200, change, OFFER)
    assert b"192.0.2.101" in office.nominal.hears(200).body
    far.says(200)
    office.nominal.hears("ACK")
    call.acks(phone.hears(200))
    call.byes()
    far.hears_bye()
    office.rests()


def test_a_call_woken_too_early_does_nothing() -> None:
    office = Office()
    talking(office, office.phone("201"))
    (call,) = office.node.calls.values()
    assert call.expire(office.now) == []


def test_info_crosses_while_it_rings() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    far.says(180)
    early = phone.hears(180)
    call.asks("INFO", b"x", answer=early, content_type="text/plain")
    phone.hears(481)  # the carrier's dialog takes none before its answer
    far.says(200, ANSWER)
    office.nominal.hears("ACK")
    call.acks(phone.hears(200))
    call.byes()
    far.hears_bye()
    office.rests()


@pytest.mark.rfc("4028#9")
def test_a_call_refused_for_its_session_timer_is_asked_again_and_no_call_yet() -> None:
    office = Office()
    phone = office.phone("201")
    short = (("Session-Expires", "60"), ("Supported", "timer"))
    call = phone.dials(NUMBER, headers=short)
    response = call.hears_no(422)
    assert response.get("min-se") == "90"
    assert office.records == []
    office.rests()


def test_the_session_timer_that_runs_out_ends_both_sides() -> None:
    office = Office({"trunk.gateways.0.protocol.session_expires": "90"})
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = rung(office.nominal)
    timer = (("Session-Expires", "90;refresher=uas"), ("Require", "timer"))
    far.says(200, ANSWER, headers=timer)
    office.nominal.hears("ACK")
    call.acks(phone.hears(200))
    office.after(60.1)
    far.hears_bye()
    assert q850(call.hears_bye()) == 102
    record = office.record()
    assert (record["cause"], record["ended_by"]) == (102, "ipbx")
    assert office.legs()[1]["ended_by"] == "timer"
    office.rests()


def test_the_site_calls_its_own_main_number_by_the_carrier_and_back() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials("00199001000")
    out = rung(office.nominal)
    assert out.invite.uri.user == "+33199001000"
    back = office.calls_in("+33199001000", caller="+33199001001")
    back.hears_no(404)
    out.says(404)
    office.nominal.hears("ACK")
    call.hears_no(404)
    assert len([record for record in office.records if record["record"] == "call"]) == 2
    office.rests()


def test_a_phones_own_identity_claims_are_not_passed_on() -> None:
    office = Office()
    phone = office.phone("201")
    foreign = (("P-Asserted-Identity", "<sip:+33123456789@evil>"), ("Diversion", "<sip:+33123456789@evil>"))
    phone.dials(NUMBER, headers=foreign)
    invite: Request = office.nominal.hears("INVITE")
    (asserted,) = invite.values("p-asserted-identity")
    assert isinstance(asserted, Address)
    assert asserted.uri.user == "+33199001001"
    assert b"evil" not in bytes(invite)


def test_where_the_gateways_are() -> None:
    office = Office()
    targets = [gateway["targets"] for gateway in office.node.status(office.now)["gateways"]]
    assert targets == [[f"UDP {NOMINAL[0]} {NOMINAL[1]}"], [f"UDP {BACKUP[0]} {BACKUP[1]}"]]
