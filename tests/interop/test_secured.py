"""The secured call, with real phones: baresip over TLS with SRTP, and baresip in the public network.

The phone speaks SRTP with the IPBX, the IPBX SRTP with the carrier, the carrier RTP with
its subscriber: each leg has keys of its own, and a tone that comes through has passed all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.interop import tone
from tests.interop.baresip import Baresip
from tests.interop.secured import BUILT_IN, FAR, Stage, standing
from tests.interop.trunk import eventually

from trunkline.call.party import TEST_TONES, Behaviour
from trunkline.call.phone import PhoneCall
from trunkline.lab.phones import LabPhone

DDI = {"201": "+33199001001", "202": "+33199001002"}
SPOKEN = 1.2  # s of speech in a call, of which 1 s must be the tone
SDES = "SDES AES_CM_128_HMAC_SHA1_80"
(ANSWERS,) = tone.draw(seed=20, count=1, among=[f for f in tone.TONES if f in TEST_TONES])
PATIENCE = 20.0  # s


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with standing(tmp_path, answers=ANSWERS) as whole:
        yield whole


def dialled(number: str) -> str:
    """A French number as a phone of the site dials it: outside prefix, then the national form."""
    return "00" + number.removeprefix("+33")


def speak(caller: Baresip, callee: Baresip, number: str) -> None:
    """Calls, answers, and lets both hear enough of each other."""
    caller.dial(number)
    callee.wait_for("CALL_INCOMING")
    callee.accept()
    for side in (caller, callee):
        side.wait_for("CALL_ESTABLISHED")
    for side in (caller, callee):
        side.hears_for(SPOKEN)


def over(*sides: Baresip) -> None:
    for side in sides:
        side.wait_for("CALL_CLOSED")


def last(phone: Baresip) -> Path:
    return phone.recordings()[-1]


def encryption(stage: Stage, record: dict[str, Any]) -> tuple[str, str]:
    """How the caller's and the called side of a call were encrypted."""
    legs = stage.legs(record)
    return legs["caller"]["encryption"], legs["called"]["encryption"]


@pytest.mark.guide("SRTP-1")
@pytest.mark.guide("INET-4")
def test_a_phone_over_tls_speaks_with_a_subscriber_each_way(stage: Stage) -> None:
    ours, theirs = tone.draw(seed=21)
    phone, far = stage.phone("201", ours), stage.far(theirs)
    assert phone.registered()
    speak(phone, far, dialled(FAR))
    far.hang_up()
    over(phone, far)
    assert tone.fault(last(phone), theirs) == ""
    assert tone.fault(last(far), ours) == ""

    speak(far, phone, stage.calls_in(DDI["201"]))
    phone.hang_up()
    over(phone, far)
    assert len(phone.recordings()) == len(far.recordings()) == 2
    assert tone.fault(last(phone), theirs) == ""
    assert tone.fault(last(far), ours) == ""

    out, back = stage.free(2)
    assert (out["direction"], out["from"], out["to"], out["ended_by"]) == ("outgoing", "201", FAR, "called")
    assert (back["direction"], back["from"], back["ended_by"]) == ("incoming", FAR, "called")
    assert encryption(stage, out) == encryption(stage, back) == (SDES, SDES)
    tls = stage.ipbx.gateway("nominal")["tls"]
    assert (tls["version"], tls["refused"]) == ("TLS 1.2", "")


@pytest.mark.parametrize("secured", [True, False], ids=["tls", "udp"])
def test_a_phone_speaks_with_a_built_in_subscriber(stage: Stage, secured: bool) -> None:
    """A phone on plain RTP is as good: the IPBX closes what goes to the carrier."""
    (ours,) = tone.draw(seed=22, count=1, among=[f for f in tone.TONES if f in TEST_TONES and f != ANSWERS])
    phone = stage.phone("202", ours, secured=secured)
    assert phone.registered()
    phone.dial(dialled(BUILT_IN))
    phone.wait_for("CALL_ESTABLISHED")
    phone.hears_for(SPOKEN)
    phone.hang_up()
    over(phone)
    assert tone.fault(last(phone), ANSWERS) == ""
    assert stage.carrier.heard() == {ours}

    (their_call,) = tone.draw(seed=23, count=1, among=(820, 860))
    stage.carrier.place(BUILT_IN, DDI["202"], tone=their_call, seconds=1.5)
    phone.wait_for("CALL_INCOMING")
    phone.accept()
    over(phone)
    assert tone.fault(last(phone), their_call) == ""
    out, back = stage.free(2)
    near = SDES if secured else "none"
    assert encryption(stage, out) == (near, SDES)
    assert encryption(stage, back) == (SDES, near)


def test_a_muted_direction_is_found(stage: Stage) -> None:
    _, theirs = tone.draw(seed=24)
    phone, far = stage.phone("201", 0), stage.far(theirs)
    assert phone.registered()
    speak(phone, far, dialled(FAR))
    phone.hang_up()
    over(phone, far)
    assert tone.fault(last(phone), theirs) == ""
    assert "silence" in tone.fault(last(far), 620)

    phone.dial(dialled(BUILT_IN))
    phone.wait_for("CALL_ESTABLISHED")
    phone.hears_for(SPOKEN)
    phone.hang_up()
    over(phone)
    assert stage.carrier.heard() == set()


def test_a_call_is_held_and_taken_back(stage: Stage) -> None:
    ours, theirs = tone.draw(seed=25)
    phone, far = stage.phone("201", ours), stage.far(theirs)
    assert phone.registered()
    speak(phone, far, dialled(FAR))
    phone.hold()
    eventually("the far side on hold", lambda: far.stream()[0] == "recvonly")
    eventually("the phone holding", lambda: phone.stream()[0] == "sendonly")
    before, far_before = phone.stream()[1], far.stream()[1]
    phone.resume()
    eventually("speech to the phone", lambda: phone.stream() > ("sendrecv", before + 50))
    eventually("speech to the far side", lambda: far.stream() > ("sendrecv", far_before + 50))
    far.hang_up()
    over(phone, far)
    (record,) = stage.free(1)
    assert (record["ended_by"], record["cause"]) == ("called", 16)


def test_two_phones_of_the_site_speak_the_one_over_tls_the_other_in_the_clear(stage: Stage) -> None:
    first, second = tone.draw(seed=26)
    one, other = stage.phone("201", first), stage.phone("202", second, secured=False)
    assert one.registered()
    assert other.registered()
    for caller, callee, number in ((one, other, "202"), (other, one, "201")):
        speak(caller, callee, number)
        caller.hang_up()
        over(caller, callee)
        assert tone.fault(last(one), second) == ""
        assert tone.fault(last(other), first) == ""
    told = [encryption(stage, call) for call in stage.free(2)]
    assert told == [(SDES, "none"), ("none", SDES)]


def test_a_phone_over_tls_with_a_wrong_password_is_refused(stage: Stage) -> None:
    phone = stage.phone("201", 0, password="wrong")
    assert not phone.registered()
    assert stage.ipbx.status()["registrations"] == []


def test_the_built_in_phone_calls_out_and_is_called(stage: Stage) -> None:
    ours, their_call = [frequency for frequency in TEST_TONES if frequency != ANSWERS][:2]
    user = stage.site.users[0]
    listen = (stage.places.ipbx, stage.site.phones.listen.udp)

    async def heard(phone: LabPhone, call: PhoneCall, wanted: int) -> None:
        assert await phone.node.until(lambda: wanted in call.heard, PATIENCE), call.heard

    async def main() -> None:
        phone = LabPhone(
            user,
            stage.site.phones.realm,
            listen,
            stage.places.phones[user.extension],
            behaviour=Behaviour(tone=ours, listen=TEST_TONES),
        )
        phone.start()
        try:
            assert await phone.registered(PATIENCE)
            call = phone.call(dialled(BUILT_IN), Behaviour(tone=ours, listen=TEST_TONES))
            await heard(phone, call, ANSWERS)
            await asyncio.to_thread(
                eventually, "the subscriber hears the phone", lambda: stage.carrier.heard() == {ours}
            )
            phone.hang_up(call)
            assert await phone.node.until(lambda: call.report is not None, PATIENCE)

            await asyncio.to_thread(stage.carrier.place, BUILT_IN, DDI["201"], tone=their_call, seconds=3.0)
            back = await phone.called(PATIENCE)
            assert back is not None
            await heard(phone, back, their_call)
            assert await phone.node.until(lambda: back.report is not None, PATIENCE)
        finally:
            await phone.stop()

    asyncio.run(main())
    out, back = stage.free(2)
    assert (out["direction"], back["direction"]) == ("outgoing", "incoming")
    assert all(talk["heard"] == [ours] for talk in stage.carrier.status()["talks"])
