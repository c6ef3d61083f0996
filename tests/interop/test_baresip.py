"""baresip phones at the IPBX, calling through the trunk and being called: who hears what, and how it ends.

Each direction of each call has a tone of its own, drawn from a seed. A far baresip plays a subscriber of the
public network; the carrier's built-in subscribers say over the control socket what they heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.interop import tone
from tests.interop.baresip import Baresip
from tests.interop.program import loopback
from tests.interop.trunk import PASSWORD, Carrier, Ipbx, Places, eventually, standing

from trunkline.call.party import TEST_TONES

FAR, BUILT_IN = "+33199009100", "+33199009101"
DDI = {"201": "+33199001001", "202": "+33199001002"}
SPOKEN = 1.2  # s of speech in a call, of which 1 s must be the tone
TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])


def dialled(number: str) -> str:
    """A French number as a phone of the site dials it: outside prefix, then the national form."""
    return "00" + number.removeprefix("+33")


class Stage(NamedTuple):
    """A trunk that stands; `phone` and `far` bring a baresip to it that is ready for calls."""

    places: Places
    ipbx: Ipbx
    carrier: Carrier
    phone: Callable[..., Baresip]
    far: Callable[[int], Baresip]

    def free(self, calls: int) -> list[dict[str, object]]:
        """Waits until so many calls are over and their channels free, and returns their records."""
        self.ipbx.free()
        return self.ipbx.recorded(calls)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    far_at = loopback()
    (answers,) = tone.draw(seed=10, count=1, among=(900, 940, 980))
    subscribers: list[dict[str, object]] = [
        {"number": FAR, "does": "external", "at": f"{far_at}:5060"},
        {"number": BUILT_IN, "does": "answer", "tone": answers},
    ]
    with ExitStack() as running:
        places, ipbx, carrier = running.enter_context(standing(tmp_path, subscribers=subscribers))

        def phone(user: str, sends: int, transport: str = "udp", password: str = PASSWORD) -> Baresip:
            return running.enter_context(
                Baresip(
                    tmp_path / user,
                    loopback(),
                    user,
                    sends=sends,
                    registrar=places.phones,
                    password=password,
                    transport=transport,
                )
            )

        def far(sends: int) -> Baresip:
            return running.enter_context(Baresip(tmp_path / "far", far_at, FAR, sends=sends))

        yield Stage(places, ipbx, carrier, phone, far)
        assert ipbx.status()["wire"]["faults"] == 0, ipbx.tail()


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


@TRANSPORTS
def test_a_phone_speaks_with_a_built_in_subscriber(stage: Stage, transport: str) -> None:
    (ours,) = tone.draw(seed=11, count=1, among=[f for f in tone.TONES if f in TEST_TONES])
    (theirs,) = tone.draw(seed=10, count=1, among=(900, 940, 980))
    phone = stage.phone("201", ours, transport)
    assert phone.registered()
    phone.dial(dialled(BUILT_IN))
    phone.wait_for("CALL_ESTABLISHED")
    phone.hears_for(SPOKEN)
    phone.hang_up()
    over(phone)
    assert tone.fault(last(phone), theirs) == ""
    assert stage.carrier.heard() == {ours}

    (their_call,) = tone.draw(seed=12, count=1, among=(820, 860))
    stage.carrier.place(BUILT_IN, DDI["201"], tone=their_call, seconds=1.5)
    phone.wait_for("CALL_INCOMING")
    phone.accept()
    over(phone)
    assert tone.fault(last(phone), their_call) == ""
    assert all(talk["heard"] == [ours] for talk in stage.carrier.status()["talks"])

    out, back = stage.free(2)
    assert (out["direction"], out["to"], out["ended_by"]) == ("outgoing", BUILT_IN, "caller")
    assert (back["direction"], back["from"], back["ended_by"]) == ("incoming", BUILT_IN, "caller")
    assert all(
        (call["cause"], call["codec"], call["ptime"], call["gateway"]) == (16, "PCMA", 20, "nominal")
        for call in (out, back)
    )


@TRANSPORTS
def test_phones_speak_through_the_trunk_each_way(stage: Stage, transport: str) -> None:
    ours, theirs = tone.draw(seed=13)
    phone, far = stage.phone("202", ours, transport), stage.far(theirs)
    assert phone.registered()
    speak(phone, far, dialled(FAR))
    far.hang_up()
    over(phone, far)
    assert tone.fault(last(phone), theirs) == ""
    assert tone.fault(last(far), ours) == ""

    speak(far, phone, f"sip:{DDI['202']}@{stage.places.nominal}")
    phone.hang_up()
    over(phone, far)
    assert len(phone.recordings()) == len(far.recordings()) == 2
    assert tone.fault(last(phone), theirs) == ""
    assert tone.fault(last(far), ours) == ""

    out, back = stage.free(2)
    assert (out["direction"], out["from"], out["to"]) == ("outgoing", "202", FAR)
    assert (back["direction"], back["from"], back["to"]) == ("incoming", FAR, DDI["202"])
    assert (out["ended_by"], back["ended_by"]) == ("called", "called")


def test_a_muted_direction_is_found(stage: Stage) -> None:
    _, theirs = tone.draw(seed=14)
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
    ours, theirs = tone.draw(seed=15)
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


def test_two_phones_of_the_site_speak_over_udp_and_tcp(stage: Stage) -> None:
    first, second = tone.draw(seed=16)
    one, other = stage.phone("201", first, "udp"), stage.phone("202", second, "tcp")
    assert one.registered()
    assert other.registered()
    for caller, callee, number in ((one, other, "202"), (other, one, "201")):
        speak(caller, callee, number)
        caller.hang_up()
        over(caller, callee)
        assert tone.fault(last(one), second) == ""
        assert tone.fault(last(other), first) == ""
    assert [call["direction"] for call in stage.free(2)] == ["internal", "internal"]


def test_a_caller_gives_up_and_a_callee_declines(stage: Stage) -> None:
    phone, far = stage.phone("201", 620), stage.far(660)
    assert phone.registered()
    phone.dial(dialled(FAR))
    far.wait_for("CALL_INCOMING")
    phone.hang_up()
    over(far)
    far.dial(f"sip:{DDI['201']}@{stage.places.nominal}")
    phone.wait_for("CALL_INCOMING")
    phone.hang_up()
    over(far)
    given_up, declined = stage.free(2)
    assert (given_up["ended_by"], given_up["answer"], given_up["status"]) == ("caller", None, 487)
    assert (declined["ended_by"], declined["answer"], declined["status"]) == ("called", None, 486)


def test_a_phone_with_a_wrong_password_is_refused(stage: Stage) -> None:
    phone = stage.phone("201", 0, password="wrong")
    assert not phone.registered()
    assert stage.ipbx.status()["registrations"] == []
