"""What a call leaves behind: a record a leg, and one that lists them (acceptance K07)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.call.cause import Cause, from_status
from trunkline.pbx.record import CallRecord, masked, with_civil_times
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.description import Description
from trunkline.sdp.offer_answer import Stream

BYE = Cause(16)


def sdp(proto: str = "RTP/AVP", formats: str = "8 101", *lines: str) -> Description:
    head = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]
    return Description.parse("\r\n".join([*head, f"m=audio 6000 {proto} {formats}", *lines, ""]))


def lines(record: CallRecord, now: float) -> list[dict[str, Any]]:
    return [json.loads(json.dumps(dict(write.record))) for write in record.writes(now)]


def outgoing(**knobs: Any) -> CallRecord:
    """A call that the nominal gateway did not answer and the backup did."""
    record = CallRecord("call-1", 10.0, **knobs)
    record.leg("a", "caller", "phone-id", 10.0)
    record.parties("101", "+33199000042", kind="national")
    record.leg("b1", "called", "", 10.1, gateway="nominal")
    record.ended("b1", Cause(102, 408, "no answer to INVITE"), "local", 14.1)
    record.leg("b2", "called", "", 14.1, gateway="backup")
    record.rang("b2", 15.0)
    record.rang("b2", 16.0)
    record.answered("b2", 20.0)
    record.media("b2", sdp())
    record.over(BYE, "called", 50.0)
    record.ended("b2", BYE, "remote", 50.0)
    record.ended("a", BYE, "local", 50.0)
    record.ended("a", from_status(481), "remote", 51.0)
    record.over(from_status(408), "ipbx", 51.0)
    return record


@pytest.mark.rfc("3398#8.2.6.1")
def test_call_and_each_leg_are_told_once() -> None:
    a, nominal, backup, call = lines(outgoing(), 51.0)
    assert [line["record"] for line in (a, nominal, backup, call)] == ["leg", "leg", "leg", "call"]
    assert {line["call"] for line in (a, nominal, backup, call)} == {"call-1"}
    assert call == {
        "record": "call",
        "call": "call-1",
        "direction": "outgoing",
        "kind": "national",
        "from": "101",
        "to": "+33199000042",
        "gateway": "backup",
        "start": 10.0,
        "ring": 15.0,
        "answer": 20.0,
        "end": 50.0,
        "seconds": 30.0,
        "cause": 16,
        "status": 0,
        "text": "",
        "ended_by": "called",
        "codec": "PCMA",
        "ptime": 20,
        "encryption": "none",
        "legs": ["a", "b1", "b2"],
    }


def test_failed_attempt_keeps_its_own_cause() -> None:
    _, nominal, backup, _ = lines(outgoing(), 51.0)
    assert (nominal["gateway"], nominal["cause"], nominal["status"], nominal["seconds"]) == (
        "nominal",
        102,
        408,
        0.0,
    )
    assert (nominal["ring"], nominal["answer"], nominal["codec"]) == (None, None, "")
    assert (backup["gateway"], backup["ended_by"], backup["seconds"]) == ("backup", "remote", 30.0)


def test_callers_leg_hears_ringing_and_answer_of_the_called() -> None:
    a, *_ = lines(outgoing(), 51.0)
    assert (a["side"], a["sip_call_id"], a["gateway"]) == ("caller", "phone-id", "")
    assert (a["ring"], a["answer"], a["end"], a["ended_by"]) == (15.0, 20.0, 50.0, "local")
    assert (a["codec"], a["ptime"], a["encryption"]) == ("PCMA", 20, "none")


def test_direction_follows_from_the_gateway() -> None:
    internal = CallRecord("c", 0.0)
    internal.leg("a", "caller", "", 0.0)
    internal.leg("b", "called", "", 0.0)
    assert lines(internal, 1.0)[-1]["direction"] == "internal"
    incoming = CallRecord("c", 0.0)
    incoming.leg("a", "caller", "", 0.0, gateway="nominal")
    incoming.leg("b", "called", "", 0.0)
    call = lines(incoming, 1.0)[-1]
    assert (call["direction"], call["gateway"]) == ("incoming", "nominal")


def test_direction_can_be_said_before_any_gateway_was_tried() -> None:
    record = CallRecord("c", 0.0)
    record.leg("a", "caller", "", 0.0)
    record.parties("101", "+33199000042", direction="outgoing", kind="national")
    record.parties("101", "+33199000042")
    record.over(Cause(34, 503, "all channels are in use"), "ipbx", 0.5)
    [a, call] = lines(record, 1.0)
    assert (call["direction"], call["kind"], call["gateway"], call["cause"]) == (
        "outgoing",
        "national",
        "",
        34,
    )
    assert (a["cause"], a["ended_by"], a["end"]) == (34, "local", 1.0)  # the leg never said that it ended


def test_secure_media_names_its_suite_but_no_key() -> None:
    record = CallRecord("c", 0.0)
    record.leg("b", "called", "", 0.0)
    key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40
    record.media("b", sdp("RTP/SAVP", "0", "a=ptime:30", key))
    noted = record.legs["b"]
    assert (noted.codec, noted.ptime, noted.encryption) == ("PCMU", 30, "SDES AES_CM_128_HMAC_SHA1_80")


def test_media_without_audio_or_with_an_unknown_codec() -> None:
    record = CallRecord("c", 0.0)
    record.leg("b", "called", "", 0.0)
    record.media("b", None)
    assert record.legs["b"].codec == ""
    record.media("b", sdp("RTP/AVP", "77"))
    assert record.legs["b"].codec == "77"


def test_status_of_a_living_call() -> None:
    record = CallRecord("c", 10.0)
    record.leg("a", "caller", "", 10.0)
    record.parties("101", "102")
    assert record.status(12.0) == {
        "from": "101",
        "to": "102",
        "seconds": 2.0,
        "answered": None,
        "codec": "",
        "legs": 1,
    }
    record.leg("b", "called", "", 12.0)
    record.answered("b", 13.0)
    assert record.status(15.0)["answered"] == 2.0


def test_numbers_are_masked_in_records() -> None:
    call = lines(outgoing(mask_digits=4), 51.0)[-1]
    assert (call["from"], call["to"]) == ("101", "+3319900XXXX")


@pytest.mark.parametrize(
    ("number", "digits", "shown"),
    [
        ("+33199000042", 0, "+33199000042"),
        ("+33199000042", 15, "+XXXXXXXXXXX"),
        ("0199000042", 15, "XXXXXXXXXX"),
        ("118712", 4, "118712"),
        ("10012345", 4, "10012345"),
        ("", 4, ""),
    ],
)
def test_mask_hides_public_numbers_only(number: str, digits: int, shown: str) -> None:
    assert masked(number, digits) == shown


@given(st.from_regex(r"\+[1-9][0-9]{8,14}", fullmatch=True), st.integers(1, 15))
def test_mask_keeps_the_length_and_hides_what_it_says(number: str, digits: int) -> None:
    shown = masked(number, digits)
    assert len(shown) == len(number)
    assert shown.count("X") == min(digits, len(number) - 1)


def test_civil_times_replace_the_monotonic_ones() -> None:
    record = with_civil_times(lines(outgoing(), 51.0)[1], lambda at: f"civil {at:g}")
    assert (record["start"], record["end"]) == ("civil 10.1", "civil 14.1")
    assert (record["ring"], record["answer"], record["seconds"]) == (None, None, 0.0)


def test_call_over_a_secured_trunk_is_recorded_as_encrypted_whoever_called() -> None:
    line = Crypto.of(1, "AES_CM_128_HMAC_SHA1_80", bytes(30))
    clear = Stream("192.0.2.1", 6000, 6001, 8)
    record = CallRecord("c", 0.0)
    record.leg("a", "caller", "x", 0.0, gateway="nominal")
    record.leg("b", "called", "y", 0.0)
    record.stream("b", clear)
    record.answered("b", 1.0)
    record.stream("a", clear._replace(crypto=line))
    whole = record.writes(2.0)[-1].record
    assert (whole["codec"], whole["encryption"]) == ("PCMA", "SDES AES_CM_128_HMAC_SHA1_80")
