"""One call as long as SRTP's numbers last twice, through the whole IPBX on virtual time.

At 50 packets a second the sequence number rolls over each 21.8 minutes; a context that loses
count of that fails every packet from there on. Both legs are SRTP, and both far ends open and
close with the tests' own.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.simulation.plan import ANSWERS, Knobs, Mood, Ring
from tests.simulation.secured.plan import SecurePlan
from tests.simulation.secured.speaker import Voice
from tests.simulation.secured.town import SecureTown

from trunkline.call.leg import Leg, State
from trunkline.call.party import Behaviour
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.description import Description

PACE = 0.02
ROLLOVER = 65536
NEW_KEY = "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm"
SUITE = "AES_CM_128_HMAC_SHA1_80"


class Call:
    """A town with one call in it, from a phone on TLS to a subscriber of the nominal SBC."""

    def __init__(self) -> None:
        talk = Behaviour(leaves_silence=False)
        ring = Ring(2.0, "out", "201", ANSWERS, talk)
        plan = SecurePlan(
            7, Mood.CALM, Knobs(transport="tls", duration_max=5000.0), (ring,), phones=(talk,) * 4,
            pace=PACE, secure_phones=frozenset({"201"}),
        )  # fmt: skip
        self.town = SecureTown(plan)
        self.world = self.town.world
        self.town.begin()
        self.world.run(2.0)
        call = self.town.dial("201", ANSWERS, talk)
        assert call is not None
        self.world.run(4.0)
        self.phone = call.leg
        far = self.town.newest("nominal")
        assert far is not None
        self.far = far
        assert (self.phone.state, self.far.state) == (State.TALKING, State.TALKING)
        self.near_voice, self.far_voice = self.voice(self.phone), self.voice(self.far)

    def voice(self, leg: Leg) -> Voice:
        assert leg.terms is not None
        return self.town.voices.voices[leg.terms.media, leg.id]

    def until(self, packets: int) -> None:
        """Let both ends have sent so many packets."""
        voices = (self.near_voice, self.far_voice)
        for _ in range(4):
            left = packets - min(voice.sent for voice in voices)
            if left > 0:
                self.world.run(self.world.now + left * PACE + 1.0)

    def tells(self, what: str) -> None:
        """The phone's user does something; a moment for it to be settled."""
        self.town.tell(self.town.phone_hosts["201"], self.phone, what)
        self.world.run(self.world.now + 1.0)

    def changes(self, change: Callable[[Description], Description]) -> None:
        """The far end asks for a session that is another one, or the same."""
        now = self.far.descriptions.negotiation.local
        assert now is not None
        self.world.carry(self.town.sbc_hosts["nominal"], self.far.reoffer(change(now), self.world.now))
        self.world.run(self.world.now + 1.0)
        assert self.far.descriptions.negotiation.open is None


def with_new_key(now: Description) -> Description:
    """The same description with another SRTP key."""
    line = str(Crypto(1, SUITE, (NEW_KEY,)))
    text = "".join(
        f"a=crypto:{line}\r\n" if part.startswith("a=crypto") else part
        for part in bytes(now).decode().splitlines(keepends=True)
    )
    return Description.parse(text.encode())


@pytest.mark.rfc("3711#3.3.1")
@pytest.mark.rfc("4568#7.1.4")
def test_a_call_over_two_rollovers_with_hold_and_new_keys_between_fails_no_packet() -> None:
    call = Call()
    near, far = call.near_voice, call.far_voice
    first_key = far.key
    call.until(ROLLOVER + 5000)  # each number began below half: once over by now
    answers = far.received
    call.tells("hold")
    call.world.run(call.world.now + 20.0)
    assert far.port.stream is not None
    assert far.port.stream.direction == "recvonly"
    held_at = near.received
    call.world.run(call.world.now + 5.0)
    assert (near.received, far.received > answers) == (held_at, True)
    call.tells("retrieve")
    call.changes(lambda now: now)
    assert far.key == first_key
    call.until(ROLLOVER + 25000)
    call.changes(with_new_key)
    assert far.key is not None
    assert far.key.key_params == (NEW_KEY,)
    call.until(2 * ROLLOVER + ROLLOVER // 2 + 2000)

    (session,) = [worker.calls for worker in call.town.workers.workers if worker is not None and worker.calls]
    (relayed,) = session.values()
    reports = [leg.report() for leg in relayed.session.legs.values()]
    assert [(report.refused, report.lost) for report in reports] == [(0, 0)] * 2
    assert all(report.strays <= 1 for report in reports)  # a packet may come before the 200 that explains it
    call.tells("hang up")
    call.world.run(call.world.now + 40.0)
    for hears, speaks in ((near, far), (far, near)):
        assert hears.failed == []
        assert set(hears.heard) == {speaks.label}
        assert hears.received > 2 * ROLLOVER
        assert hears.opens is not None
        (rollovers,) = (rollovers for rollovers, _ in hears.opens.sources.values())
        assert rollovers in (2, 3)  # one more where the first number was drawn near the top (RFC 3550 §5.1)
        assert speaks.sent - hears.received <= 2  # under way as the ports were closed
    net = call.town.net
    assert net.twice == []
    assert net.clear == []
    record = next(record for record in call.town.records() if record["record"] == "call")
    assert (record["cause"], record["ended_by"], record["encryption"]) == (16, "caller", f"SDES {SUITE}")
    assert record["seconds"] > 2 * ROLLOVER * PACE
    assert not any(call.town.remains()["ipbx"])


def test_the_judge_of_that_call_sees_a_packet_that_was_closed_under_another_key() -> None:
    """The check can fail: one wrong key, and every packet from then on is told."""
    call = Call()
    call.until(200)
    assert call.far_voice.opens is not None
    call.far_voice.opens = type(call.far_voice.opens)(bytes(30))
    call.until(300)
    assert len(call.far_voice.failed) > 50
    stream = call.far_voice.port.stream
    assert stream is not None
    call.far_voice.agree(stream, call.far_voice.key)
    failed = len(call.far_voice.failed)
    call.until(400)
    assert len(call.far_voice.failed) == failed
