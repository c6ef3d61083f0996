"""tshark judges the secured call: what is inside TLS, how media is marked, and every SRTP packet opened.

The keys come out of the decrypted SDP, as tshark reads it; the packets are opened by the
tests' own SRTP, which shares no code with the product.
"""

from __future__ import annotations

import sys
import wave
from array import array
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.interop import tone, wire
from tests.interop.program import Address
from tests.interop.secured import BUILT_IN, Stage, standing
from tests.interop.test_secured import ANSWERS, DDI, dialled, over
from tests.own_srtp import Srtp

from trunkline.call.party import TEST_TONES
from trunkline.media.g711 import A_LAW
from trunkline.media.rtp import Packet

pytestmark = pytest.mark.network

EXPEDITED = "0xb8"  # DSCP EF (46), shifted left by two
SPEECH = 1.2  # s


class Captured(NamedTuple):
    """Two calls as they passed: a phone's to a subscriber, and one back."""

    stage: Stage
    file: Path
    ours: int  # Hz, what the phone says
    theirs: int  # and the subscriber of the second call

    def rows(self, wanted: str, *fields: str) -> list[dict[str, str]]:
        return wire.rows(self.file, wanted, fields, keylog=self.stage.keylog)

    @property
    def carrier(self) -> str:
        """Between the IPBX and the nominal SBC's media, either way."""
        return _between(self.stage.public[0], self.stage.nominal.media)


@pytest.fixture
def captured(tmp_path: Path) -> Captured:
    among = [frequency for frequency in tone.TONES if frequency in TEST_TONES and frequency != ANSWERS]
    ours, theirs = tone.draw(seed=30, count=2, among=among)
    # A handshake that is not captured leaves tshark without keys: it begins before anything connects.
    with wire.Dumpcap(tmp_path / "wire") as capture, standing(tmp_path, answers=ANSWERS) as stage:
        phone = stage.phone("201", ours)
        assert phone.registered()
        phone.dial(dialled(BUILT_IN))
        phone.wait_for("CALL_ESTABLISHED")
        phone.hears_for(SPEECH)
        phone.hang_up()
        over(phone)
        stage.carrier.place(BUILT_IN, DDI["201"], tone=theirs, seconds=2.0)
        phone.wait_for("CALL_INCOMING")
        phone.accept()
        over(phone)
        stage.free(2)
        file = capture.finish()
    return Captured(stage, file, ours, theirs)


def _between(one: str, other: str) -> str:
    return f"((ip.src == {one} and ip.dst == {other}) or (ip.src == {other} and ip.dst == {one}))"


def _requests(captured: Captured, wanted: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in captured.rows(f"tls and sip.Method and {wanted}", "sip.Method"):
        found.update(row["sip.Method"].split(","))  # several messages in one record
    return found


@pytest.mark.guide("TLS-1")
@pytest.mark.guide("QOS-1")
@pytest.mark.guide("SRTP-1")
@pytest.mark.rfc("3711#3.3")
def test_the_calls_are_inside_tls_marked_and_each_packet_opens(captured: Captured, tmp_path: Path) -> None:
    stage = captured.stage
    sbc, ipbx = stage.nominal.signalling, stage.public[0]

    # On the trunk each method once a call; the phone's INVITE is challenged first.
    trunk = _requests(captured, _between(ipbx, sbc))
    assert {name: trunk[name] for name in ("INVITE", "ACK", "BYE")} == {"INVITE": 2, "ACK": 2, "BYE": 2}
    phone = _requests(captured, f"ip.addr == {stage.places.ipbx}")
    assert {name: phone[name] for name in ("INVITE", "ACK", "BYE")} == {"INVITE": 3, "ACK": 3, "BYE": 2}
    # Nothing of it is in the clear, and without the keys nothing is seen at all.
    assert wire.count(captured.file, f"sip and ip.addr == {ipbx}") == 0
    assert wire.count(captured.file, f"sip and ip.addr == {stage.places.ipbx}") == 0

    # Every media packet of both directions is marked; RTCP is media, too.
    marks = Counter(
        (row["ip.src"], row["ip.dsfield"])
        for row in captured.rows(f"udp and {captured.carrier}", "ip.src", "ip.dsfield")
    )
    media = stage.nominal.media
    assert set(marks) == {(ipbx, EXPEDITED), (media, EXPEDITED)}
    assert min(marks.values()) >= 100  # two calls of more than a second, 50 a second

    # Each stream is opened, whole, with the key of its sender's SDP.
    opened = 0
    said: dict[str, set[int]] = {ipbx: set(), media: set()}
    for index, (source, key) in enumerate(_keys(captured).items()):
        speech = array("h")
        own, sequences = Srtp(key), []
        for row in captured.rows(_from(source, 0), "udp.payload"):
            packet = Packet.parse(own.open(bytes.fromhex(row["udp.payload"]))[0])
            sequences.append(packet.sequence)
            speech.extend(A_LAW.samples[code] for code in packet.payload)
        assert len(sequences) >= 50
        assert len(set(sequences)) == len(sequences)
        assert len(own.sources) == 1
        for row in captured.rows(_from(source, 1), "udp.payload"):
            own.open_rtcp(bytes.fromhex(row["udp.payload"]))
            opened += 1
        opened += len(sequences)
        said[source[0]] |= _heard(tmp_path / f"{index}.wav", speech)
    assert opened == marks.total()  # no packet between the two that was not opened
    assert said == {ipbx: {captured.ours}, media: {ANSWERS, captured.theirs}}


def _from(source: Address, more: int) -> str:
    return f"udp and ip.src == {source[0]} and udp.srcport == {source[1] + more}"


def _keys(captured: Captured) -> dict[Address, bytes]:
    """Where each stream of the trunk comes from; its key and salt are the sender's (RFC 4568 §6.1)."""
    between = _between(captured.stage.public[0], captured.stage.nominal.signalling)
    address, port = "sdp.connection_info.address", "sdp.media.port"
    key, salt = "sdp.crypto.master_key", "sdp.crypto.master_salt"
    rows = captured.rows(f"{key} and {between}", address, port, key, salt)
    found = {(row[address], int(row[port])): bytes.fromhex(row[key] + row[salt]) for row in rows}
    assert len(rows) == len(found) == len(set(found.values())) == 4  # offer and answer of two calls
    assert {len(material) for material in found.values()} == {30}
    return found


def _heard(file: Path, speech: array[int]) -> set[int]:
    """The tones in what was said."""
    if sys.byteorder == "big":
        speech.byteswap()
    with wave.open(str(file), "wb") as recording:
        recording.setparams((1, 2, tone.RATE, 0, "NONE", ""))
        recording.writeframes(speech.tobytes())
    return set(tone.heard(file))
