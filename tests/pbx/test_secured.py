"""Calls over the internet: who is known by which certificate, SRTP and nothing else, media anchored here."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, get_args

import pytest
from tests.line import SeededIds
from tests.pbx.office import ANSWER, OFFER, Office, Phone
from tests.pbx.secured import (
    FAR,
    KEY,
    NAMES,
    NOMINAL,
    OTHER_KEY,
    OWN,
    PHONES_TLS,
    SUITE,
    SecureOffice,
    described,
    refused,
    savp,
    up,
)
from tests.pbx.test_call_outgoing import talking as clear_call
from tests.peers import Dialog, Peer, sdp

from trunkline.media import anchor
from trunkline.media.srtp import usable
from trunkline.sdp.crypto import SUITES
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request
from trunkline.site.gateway import Suite

NUMBER = "00199009001"
PLAIN = sdp("194.250.129.193", 40000)


def talking(office: SecureOffice, phone: Phone, offer: bytes = OFFER) -> tuple[Dialog, Dialog]:
    """The phone has called out, and speaks with the carrier."""
    call = phone.dials(NUMBER, offer)
    far = Dialog(office.nominal, office.nominal.hears("INVITE"), calls=False)
    far.says(180)
    phone.hears(180)
    far.says(200, FAR)
    office.nominal.hears("ACK")
    call.acks(phone.hears(200))
    return call, far


def refused_change(far: Dialog, body: bytes) -> None:
    """The far side asks for a change, and hears 488."""
    change = far.asks("INVITE", body)
    refusal = far.peer.hears(488)
    own = [(name, change.get(name) or "") for name in ("Via", "From", "Call-ID", "Max-Forwards")]
    own += [("To", refusal.get("to")), ("CSeq", f"{change.cseq.number} ACK")]
    far.peer.sends(Request.build("ACK", change.uri_text, own))


# --- what is offered and answered ---------------------------------------------------------------


@pytest.mark.guide("SRTP-1")
@pytest.mark.guide("CODEC-1")
@pytest.mark.guide("INET-4")
def test_an_outgoing_call_is_anchored_and_offers_srtp_and_g711_a_law_alone() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    offer = described(invite.body)
    assert offer.audio is not None
    assert (offer.audio.proto, offer.audio.ptime) == ("RTP/SAVP", 20)
    assert [offer.audio.rtpmap(f).name for f in offer.audio.formats] == ["PCMA", "telephone-event"]  # type: ignore[union-attr]
    assert [line.suite for line in offer.audio.crypto] == [SUITE]
    assert offer.audio.connection == OWN[0]
    far = Dialog(office.nominal, invite, calls=False)
    far.says(200, FAR)
    office.nominal.hears("ACK")
    answer = phone.hears(200)
    call.acks(answer)
    inside = described(answer.body).audio
    assert inside is not None
    assert (inside.proto, inside.connection, inside.crypto) == ("RTP/AVP", "192.0.2.10", ())
    trunk, local = sorted(office.told(anchor.Answer), key=lambda said: said.stream.profile, reverse=True)
    assert (trunk.stream.crypto.key_params, trunk.stream.own_crypto.suite) == ((f"inline:{KEY}",), SUITE)
    assert (local.stream.crypto, local.stream.own_crypto) == (None, None)
    a, b = office.told(anchor.Offer)
    assert (a.address, b.address, b.join) == ("192.0.2.10", OWN[0], a.leg)
    call.byes()
    far.hears_bye()
    record = office.record()
    assert record["cause"] == 16
    sides = {leg["gateway"]: leg["encryption"] for leg in office.legs()}
    assert sides == {"": "none", "nominal": f"SDES {SUITE}"}
    office.rests()


@pytest.mark.guide("SRTP-1")
@pytest.mark.parametrize("suite", get_args(Suite))
def test_every_suite_a_site_may_select_is_offered_and_can_be_carried(suite: str) -> None:
    office = SecureOffice({"trunk.gateways.0.security.suites": [suite]})
    call = office.phone("201").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    key = b64encode(bytes(SUITES[suite].key + SUITES[suite].salt)).decode()
    Dialog(office.nominal, invite, calls=False).says(200, savp("194.250.129.193", key=key, suite=suite))
    office.nominal.hears("ACK")
    call.acks(call.peer.hears(200))
    (trunk,) = [said for said in office.told(anchor.Answer) if said.stream.own_crypto is not None]
    assert (trunk.stream.own_crypto.suite, trunk.stream.crypto.suite) == (suite, suite)
    assert usable(trunk.stream.own_crypto)
    assert usable(trunk.stream.crypto)


@pytest.mark.guide("DNS-1")
def test_what_the_carrier_sees_names_the_certificates_fqdn() -> None:
    office = SecureOffice()
    office.phone("201").dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.uri_text == f"sip:+33199009001@{NAMES[0]};user=phone"
    assert invite.via.sent_by == "ipbx.customer.example:5061"
    assert invite.get("contact") == "<sip:+33199001001@ipbx.customer.example:5061;transport=tls>"
    assert "@ipbx.customer.example;user=phone>" in (invite.get("from") or "")
    assert invite.uri.scheme == "sip"


def test_sips_is_a_knob_and_is_taken_without_it() -> None:
    office = SecureOffice({"trunk.gateways.0.security.sips": "true", "trunk.gateways.0.protocol": {}})
    probe: Request = office.nominal.hears("OPTIONS")
    assert probe.uri_text == f"sips:{NAMES[0]}"
    assert probe.get("contact") == "<sips:ipbx.customer.example:5061>"
    office.nominal.says(200, probe)
    phone = office.phone("201")
    phone.dials(NUMBER)
    invite: Request = office.nominal.hears("INVITE")
    assert invite.uri_text == f"sips:+33199009001@{NAMES[0]};user=phone"
    assert invite.get("contact") == "<sips:+33199001001@ipbx.customer.example:5061>"
    assert (invite.get("from") or "").count("<sips:+33199001001@") == 1
    called = SecureOffice()
    bell_of = called.phone("201")
    uri = "sips:+33199001001@ipbx.customer.example:5061"
    call = Dialog(called.nominal, called.nominal.asks("INVITE", uri, (), FAR), calls=True)
    bell = bell_of.rung()
    assert bell.invite.uri.scheme == "sip"
    bell.says(200, OFFER)
    answer = call.peer.hears(200)
    assert answer.get("contact") == "<sips:+33199001001@ipbx.customer.example:5061>"


def test_a_call_from_the_carrier_is_answered_over_srtp_with_the_offers_tag() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    offer = FAR.replace(b"a=crypto:1", b"a=crypto:7")
    call = office.calls_in_by(office.nominal, offer)
    bell = phone.rung()
    assert b"RTP/AVP" in bell.invite.body
    assert b"a=crypto" not in bell.invite.body
    bell.says(180)
    call.peer.hears(180)
    bell.says(200, OFFER)
    phone.hears("ACK")
    answer = call.peer.hears(200)
    call.acks(answer)
    (line,) = described(answer.body).audio.crypto  # type: ignore[union-attr]
    assert (line.tag, line.suite) == (7, SUITE)
    assert KEY not in str(line)
    call.byes()
    bell.hears_bye()
    office.rests()


def test_two_calls_never_share_a_key_of_ours() -> None:
    office = SecureOffice()
    office.node.endpoint.ids = SeededIds(1)
    lines = []
    for extension in ("201", "202"):
        office.phone(extension).dials(NUMBER)
        (line,) = described(office.nominal.hears("INVITE").body).audio.crypto  # type: ignore[union-attr]
        lines.append(line.key_params)
    assert len(set(lines)) == len(lines)


# --- SRTP and nothing else -----------------------------------------------------------------------


@pytest.mark.guide("SRTP-1")
@pytest.mark.rfc("4568#7.1.2")
@pytest.mark.parametrize(
    "offer",
    [
        PLAIN,
        savp("194.250.129.193", suite="AES_CM_128_HMAC_SHA1_32"),
        savp("194.250.129.193", key="c2hvcnQ="),
    ],
)
def test_an_offer_of_the_carrier_that_is_not_our_srtp_is_refused_before_anything_rings(offer: bytes) -> None:
    office = SecureOffice()
    phone = office.phone("201")
    office.calls_in_by(office.nominal, offer).hears_no(488)
    phone.quiet()
    record = office.record()
    assert (record["status"], record["direction"]) == (488, "incoming")
    office.rests()


@pytest.mark.guide("SRTP-1")
def test_an_answer_without_srtp_ends_the_call() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = Dialog(office.nominal, office.nominal.hears("INVITE"), calls=False)
    far.says(200, PLAIN)
    office.nominal.hears("ACK")
    far.hears_bye()
    call.hears_no(488)
    assert not [said for said in office.told(anchor.Answer) if said.stream.address == "194.250.129.193"]
    office.rests()


def test_a_change_to_plain_rtp_is_refused_and_the_call_goes_on() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call, far = talking(office, phone)
    before = len(office.told(anchor.Answer))
    refused_change(far, PLAIN)
    assert len(office.told(anchor.Answer)) == before
    call.byes()
    far.hears_bye()
    office.rests()


@pytest.mark.rfc("4568#7")
def test_a_phone_may_not_send_its_keys_in_the_clear() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    phone.dials(NUMBER, savp("192.0.2.101")).hears_no(488)
    office.nominal.quiet()
    office.rests()


def test_a_phone_on_tls_speaks_srtp_with_us_and_plain_if_it_offers_that() -> None:
    office = SecureOffice()
    phone = office.secure_phone("202")
    call, far = talking(office, phone, savp("192.0.2.102", key=OTHER_KEY))
    inner = [said for said in office.told(anchor.Answer) if said.stream.address == "192.0.2.102"]
    assert inner[0].stream.crypto.key_params == (f"inline:{OTHER_KEY}",)
    call.byes()
    far.hears_bye()
    call, far = talking(office, phone, sdp("192.0.2.102"))
    call.byes()
    far.hears_bye()
    call = office.calls_in_by(office.nominal, number="+33199001002")
    bell = phone.rung()
    assert b"RTP/SAVP" in bell.invite.body
    bell.says(486)
    phone.hears("ACK")
    call.hears_no(486)
    office.rests()


def test_no_key_of_anybody_stands_in_a_record_a_log_or_the_status() -> None:
    office = SecureOffice()
    call, far = talking(office, office.phone("201"))
    ours = [
        line.key_params[0] for line in (said.stream.own_crypto for said in office.told(anchor.Answer)) if line
    ]
    shown = [repr(office.node.status(office.now))]
    call.byes()
    far.hears_bye()
    shown += [repr(office.records), repr(office.logs), repr(office.media)]
    for secret in (KEY, *(key.removeprefix("inline:") for key in ours)):
        assert not any(secret in text for text in shown)


# --- connections ----------------------------------------------------------------------------------


@pytest.mark.guide("TLS-3")
@pytest.mark.parametrize(
    "headers",
    [
        (("Contact", "<sip:194.250.129.199:5071;transport=tls>"),),
        (("Record-Route", "<sip:194.250.129.199:5071;transport=tls;lr>"),),
    ],
    ids=["Contact", "Record-Route"],
)
def test_a_far_side_that_names_an_address_is_still_reached_by_the_gateways_connection(
    headers: tuple[tuple[str, str], ...],
) -> None:
    """No certificate speaks for an address: what is sent in the dialog goes where its name is known."""
    office = SecureOffice()
    phone = office.phone("201")
    call = phone.dials(NUMBER)
    far = Dialog(office.nominal, office.nominal.hears("INVITE"), calls=False)
    far.says(200, FAR, headers)
    call.acks(phone.hears(200))
    call.byes()
    said = [(message.method, flow) for message, flow in office.nominal.inbox if isinstance(message, Request)]
    assert said == [(method, Flow("TLS", OWN, NOMINAL, NAMES[0])) for method in ("ACK", "BYE")]
    assert not office.lost


@pytest.mark.rfc("5923#9.1")
def test_a_call_whose_connection_the_carrier_had_opened_ends_over_ours_once_that_is_lost() -> None:
    """Nobody listens where the carrier's connection came from; the name asked for stays the gateway's."""
    office = SecureOffice()
    phone = office.phone("201")
    theirs = Peer(office, Flow("TLS", OWN, (NOMINAL[0], 40001), NAMES[0]))
    call = office.calls_in_by(theirs)
    bell = phone.rung()
    bell.says(200, OFFER)
    phone.hears("ACK")
    call.acks(theirs.hears(200))
    theirs.unreachable_because("connection reset")
    bell.byes()
    theirs.quiet()
    (_, flow) = office.nominal.inbox[0]
    assert flow == Flow("TLS", OWN, NOMINAL, NAMES[0])
    office.nominal.says(200, office.nominal.hears("BYE"))
    office.rests()


# --- hold -----------------------------------------------------------------------------------------


@pytest.mark.rfc("3264#8.4")
def test_a_hold_crosses_as_a_direction_and_no_key_is_drawn_anew() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call, far = talking(office, phone)
    (before,) = described(far.invite.body).audio.crypto  # type: ignore[union-attr]
    for wish, crossed in (("sendonly", "sendonly"), ("sendrecv", "sendrecv")):
        call.asks("INVITE", sdp("192.0.2.101", 30000, direction=wish))
        answer = phone.hears(200)
        call.asks("ACK", cseq=answer.cseq.number)
        turned: Request = office.nominal.hears("INVITE")
        offer = described(turned.body)
        assert offer.audio is not None
        assert (offer.audio.direction, offer.audio.proto) == (crossed, "RTP/SAVP")
        assert offer.audio.crypto == (before,)
        office.nominal.says(
            200, turned, savp("194.250.129.193", direction={"sendonly": "recvonly"}.get(wish, wish))
        )
        office.nominal.hears("ACK")
    call.byes()
    far.hears_bye()
    office.rests()


# --- the media engine is asynchronous -------------------------------------------------------------


def awaited(office: SecureOffice) -> tuple[anchor.Offer, anchor.Offer]:
    """The offers of the caller's and of the trunk's leg, made in one turn, that wait for their ports."""
    caller, trunk = office.told(anchor.Offer)[-2:]
    assert (caller.join, trunk.join) == ("", caller.leg)
    return caller, trunk


def dialled(office: SecureOffice) -> tuple[Phone, Dialog, anchor.Offer, anchor.Offer]:
    """A phone calls out while ports are slow to open: phone, call, and what both legs wait for."""
    phone = office.phone("201")
    office.ports = False
    call = phone.dials(NUMBER)
    return (phone, call, *awaited(office))


def gives_up(phone: Phone, call: Dialog) -> None:
    """The caller hangs up before anybody answered."""
    call.cancels()
    phone.hears(200)
    call.hears_no(487)


def released(office: SecureOffice) -> set[str]:
    return {released.leg for released in office.told(anchor.Release)}


def test_a_caller_that_gives_up_while_ports_are_opened_gets_487_and_they_are_given_back() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    office.ports = False
    call = phone.dials(NUMBER)
    phone.hears(100)
    assert office.used == 1
    gives_up(phone, call)
    assert office.used == 0
    caller, trunk = awaited(office)
    office.opens(caller, 16384)
    office.opens(trunk, 6000)
    assert released(office) == {caller.leg, trunk.leg}
    office.nominal.quiet()
    office.rests()


def test_a_caller_that_gives_up_while_the_trunks_port_is_opened_leaves_nothing_behind() -> None:
    office = SecureOffice()
    phone, call, caller, trunk = dialled(office)
    office.opens(caller, 16384)
    assert office.used == 1
    gives_up(phone, call)
    office.opens(trunk, 6000)
    assert released(office) == {caller.leg, trunk.leg}
    assert office.used == 0
    office.nominal.quiet()
    office.after(3.0)
    office.rests()


def test_nobody_is_called_before_the_callers_port_is_open() -> None:
    office = SecureOffice()
    phone, call, caller, trunk = dialled(office)
    office.opens(trunk, 6000)
    office.nominal.quiet()
    office.opens(caller, 16384)
    far = Dialog(office.nominal, office.nominal.hears("INVITE"), calls=False)
    assert described(far.invite.body).audio.port == 6000  # type: ignore[union-attr]
    far.says(200, FAR)
    office.nominal.hears("ACK")
    call.acks(phone.hears(200))
    call.byes()
    far.hears_bye()
    assert released(office) == {caller.leg, trunk.leg}
    office.rests()


@pytest.mark.parametrize("impatient", [True, False])
def test_a_trunk_port_that_opened_first_is_given_back_where_the_callers_never_opens(impatient: bool) -> None:
    office = SecureOffice()
    phone, call, caller, trunk = dialled(office)
    office.opens(trunk, 6000)
    if impatient:
        gives_up(phone, call)
    else:
        office.after(2.0)
        call.hears_no(503)
    assert released(office) == {trunk.leg}
    assert office.used == 0
    office.opens(caller, 16384)
    assert released(office) == {caller.leg, trunk.leg}
    office.nominal.quiet()
    office.after(3.0)
    office.rests()


def test_a_call_that_is_refused_asks_for_no_port() -> None:
    office = SecureOffice()
    call = office.phone("201").dials("299")
    call.hears_no(404)
    assert office.told(anchor.Offer) == []
    office.rests()


@pytest.mark.parametrize("side", ["caller", "trunk"])
@pytest.mark.parametrize("answers", [True, False])
def test_without_a_port_the_caller_hears_503(side: str, answers: bool) -> None:
    office = SecureOffice()
    _, call, caller, trunk = dialled(office)
    if side == "trunk":
        office.opens(caller, 16384)
    for offer in [caller] if side == "caller" else [trunk, None]:  # each gateway is tried
        offer = offer or office.told(anchor.Offer)[-1]
        if answers:
            office.tells(anchor.Refused(offer.media, offer.leg, "no free media port"))
        else:
            office.after(2.0)
    assert len(office.told(anchor.Offer)) == (2 if side == "caller" else 3)
    call.hears_no(503)
    office.nominal.quiet()
    assert office.used == 0
    office.after(3.0)
    assert office.record()["status"] == 503
    office.rests()


def test_a_port_for_a_call_from_the_carrier_that_never_opens_is_a_503_and_opens_too_late() -> None:
    office = SecureOffice()
    office.phone("201")
    office.ports = False
    call = office.calls_in_by(office.nominal)
    office.after(2.0)
    call.hears_no(503)
    for offer in office.told(anchor.Offer):
        office.opens(offer, 6000)
    assert len(office.told(anchor.Release)) == 2
    office.after(3.0)
    office.rests()


def test_a_worker_that_dies_takes_its_calls_along_and_no_others() -> None:
    office = SecureOffice()
    first, second = office.phone("201"), office.phone("202")
    call, far = talking(office, first)
    lost = office.told(anchor.Offer)[0].media
    other, far_of_other = talking(office, second)
    office.tells(anchor.Lost("worker-1", (lost, "of nobody")))
    call.peer.hears("BYE")
    assert office.logs[-1].text == "media worker worker-1 died; 1 calls end with it"
    far.hears_bye()
    other.byes()
    far_of_other.hears_bye()
    causes = {record["call"]: record["cause"] for record in office.records if record["record"] == "call"}
    assert sorted(causes.values()) == [16]  # the first waits for the answer to its own BYE


def test_a_lost_worker_ends_the_call_with_its_cause_on_both_sides() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call, far = talking(office, phone)
    office.tells(anchor.Lost("worker-2", (office.told(anchor.Offer)[0].media,)))
    call.hears_bye()
    far.hears_bye()
    assert office.record()["cause"] == 41
    office.rests()


def test_silence_is_told_with_its_side_and_a_strangers_port_is_given_back() -> None:
    office = SecureOffice()
    call, far = talking(office, office.phone("201"))
    caller, called = office.told(anchor.Offer)
    office.logs.clear()
    for offer in (caller, called):
        office.tells(anchor.Silent(offer.media, offer.leg, 2.0))
    told = [log.text.partition(": ")[2] for log in office.logs]
    assert told == ["no RTP from the caller for 2 s", "no RTP from the called party for 2 s"]
    office.tells(anchor.Heard(caller.media, caller.leg, 440))
    office.tells(anchor.Anchored(caller.media, "of nobody", "192.0.2.10", 30000, 30001))
    assert office.media[-1] == anchor.Release(caller.media, "of nobody")
    call.byes()
    far.hears_bye()
    office.rests()


def test_a_call_waits_for_its_media_reports_and_not_for_ever() -> None:
    office = SecureOffice()
    office.reports = False
    call, far = talking(office, office.phone("201"))
    first, _ = office.told(anchor.Offer)
    call.byes()
    far.hears_bye()
    assert not office.records
    office.tells(anchor.Report(first.media, first.leg, 10, 9, 1, 2.0, (), 4.2))
    assert not office.records
    office.after(2.0)
    assert office.record()["cause"] == 16
    assert [leg["lost"] for leg in office.legs()] == [1, None]  # nobody said how the other was


# --- who is who -------------------------------------------------------------------------------------


@pytest.mark.guide("TLS-3")
def test_a_gateway_is_known_by_its_certificate_from_any_address_and_nobody_else_is() -> None:
    office = SecureOffice()
    office.phone("201")
    moved = office.peer(("198.51.100.77", 40001), OWN, "TLS")
    moved.flow = moved.flow._replace(peer=NAMES[1].upper())
    call = office.calls_in_by(moved)
    assert office.node.status(office.now)["calls"][0]["gateway"] == "backup"
    call.cancels()
    moved.hears(200)
    call.hears_no(487)
    stranger = office.peer(("194.250.129.194", 40002), OWN, "TLS")  # the right address, and no name
    office.calls_in_by(stranger).hears_no(403)


def test_handshakes_with_a_gateway_are_told_and_shown() -> None:
    office = SecureOffice()
    office.logs.clear()
    office.tells(up(office.nominal))
    name = NAMES[0]
    assert [log.text for log in office.logs] == [
        "gateway nominal: TLS 1.2 with ECDHE-RSA-AES256-GCM-SHA384; "
        f"it is {name}, we are CN=ipbx.customer.example"
    ]
    nominal, backup = office.node.status(office.now)["gateways"]
    assert nominal["tls"] == {
        "version": "TLS 1.2",
        "suite": "ECDHE-RSA-AES256-GCM-SHA384",
        "ours": "CN=ipbx.customer.example",
        "theirs": [name],
        "refused": "",
    }
    assert backup["tls"] is None
    office.tells(refused(office.backup.flow))
    assert office.node.status(office.now)["gateways"][1]["tls"] == {
        "refused": "certificate CN=x has expired: renew it"
    }
    assert office.logs[-1].level == "warning"


def test_supervision_says_why_tls_was_refused() -> None:
    supervised: dict[str, Any] = {f"trunk.gateways.{index}.protocol": {} for index in (0, 1)}
    office = SecureOffice(supervised)
    why = "certificate CN=sbc1 has expired: have the carrier renew it"
    for _ in range(2):
        office.nominal.hears("OPTIONS")
        office.tells(refused(office.nominal.flow, why))
        office.nominal.unreachable_because(why)
        office.after(10.1)
    nominal = office.node.status(office.now)["gateways"][0]
    assert (nominal["health"], nominal["why"]) == ("down", f"unreachable: {why}, 2 in a row")
    assert nominal["tls"]["refused"] == why


def test_a_call_that_cannot_be_sent_says_why_too() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    for _ in range(2):
        phone.dials(NUMBER)
        office.nominal.hears("INVITE")
        office.nominal.unreachable_because("there is no suite in common")
        office.backup.hears("INVITE")
    nominal = office.node.status(office.now)["gateways"][0]
    assert nominal["why"] == "unreachable to INVITE: there is no suite in common, 2 in a row"


def test_strangers_at_the_tls_port_are_counted_and_phones_are_not_told_of() -> None:
    office = SecureOffice()
    office.logs.clear()
    office.tells(refused(Flow("TLS", OWN, ("198.51.100.9", 4000)), "this side refused: no certificate"))
    assert [log.text for log in office.logs] == [
        "TLS from 198.51.100.9 refused: this side refused: no certificate"
    ]
    assert office.node.status(office.now)["refused_handshakes"] == 1
    phone = office.secure_phone()
    office.logs.clear()
    office.tells(up(phone))
    assert office.logs == []


# --- over BVPN nothing is secured, and nothing pretends to be --------------------------------------


@pytest.mark.guide("BVPN-2")
def test_over_bvpn_an_offer_of_srtp_alone_is_refused_from_either_side() -> None:
    office = Office()
    phone = office.phone("201")
    phone.dials(NUMBER, savp("192.0.2.101")).hears_no(488)
    office.nominal.quiet()
    office.calls_in(sdp=savp("198.51.100.11")).hears_no(488)
    phone.quiet()
    assert [record["status"] for record in office.records if record["record"] == "call"] == [488, 488]
    office.rests()


@pytest.mark.guide("BVPN-2")
def test_over_bvpn_a_phone_on_tls_speaks_with_the_carrier_in_the_clear_or_not_at_all() -> None:
    """Its signalling is sealed, its media goes straight to the SBC, which takes RTP/AVP alone."""
    papers = {"public_server": {"certificate": "a.pem", "key": "a.key"}, "trust": ["ca.pem"]}
    office = Office({"phones.listen.tls": "5061", "certificates": papers})
    phone = Phone(office, "201", 5061, "TLS", PHONES_TLS)
    phone.registers()
    call = phone.dials(NUMBER)
    far = Dialog(office.nominal, office.nominal.hears("INVITE"), calls=False)
    assert b"RTP/AVP" in far.invite.body
    assert b"a=crypto" not in far.invite.body
    far.says(200, ANSWER)
    office.nominal.hears("ACK")
    answer = phone.hears(200)
    assert described(answer.body).audio.connection == "198.51.100.11"  # type: ignore[union-attr]
    call.acks(answer)
    call.byes()
    far.hears_bye()
    phone.dials(NUMBER, savp("192.0.2.101")).hears_no(488)
    office.nominal.quiet()
    office.rests()


@pytest.mark.guide("BVPN-2")
def test_over_bvpn_a_call_is_not_changed_to_srtp() -> None:
    office = Office()
    call, far = clear_call(office, office.phone("201"))
    refused_change(far, savp("198.51.100.11"))
    call.byes()
    far.hears_bye()
    office.rests()


@pytest.mark.guide("BVPN-2")
def test_over_bvpn_an_offer_of_srtp_in_a_2xx_ends_the_call() -> None:
    office = Office()
    phone = office.phone("201")
    call = phone.dials(NUMBER, b"")
    far = Dialog(office.nominal, office.nominal.hears("INVITE"), calls=False)
    far.says(200, savp("198.51.100.11"))
    office.nominal.hears("ACK")
    far.hears_bye()
    call.hears_no(488)
    office.rests()


def test_over_bvpn_an_offer_with_a_plain_line_beside_srtp_passes() -> None:
    office = Office()
    both = savp("192.0.2.101") + b"m=audio 30000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    office.phone("201").dials(NUMBER, both)
    assert b"RTP/AVP" in office.nominal.hears("INVITE").body


def test_each_anchored_leg_is_on_record_with_the_call_id_it_went_by() -> None:
    office = SecureOffice()
    phone = office.phone("201")
    call, far = talking(office, phone)
    call.byes()
    far.hears_bye()
    assert [leg["sip_call_id"] for leg in office.legs()] == [call.invite.call_id, far.invite.call_id]
