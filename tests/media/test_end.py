"""Two ends talk in memory, on virtual time."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.media.anchor import Heard, Pressed, Report, Silent
from trunkline.media.end import End, Output, SendRtcp, SendRtp
from trunkline.media.rtcp import (
    Block,
    Description,
    Goodbye,
    ReceiverReport,
    SenderReport,
    build,
    parse,
)
from trunkline.media.rtp import Packet
from trunkline.sdp.offer_answer import Stream

AT = {"a": ("192.0.2.1", 4000), "b": ("198.51.100.2", 5000)}
TO = {
    leg: Stream(address, port, port + 1, 8, dtmf_payload_type=101) for leg, (address, port) in AT.items()
}  # towards that leg


class Wire:
    """Two ends and what lies between: `delay` seconds, and loss at will."""

    def __init__(self, delay: float = 0.0, lossy: float = 0.0) -> None:
        self.now, self.delay, self.lossy, self.dice = 100.0, delay, lossy, Random(1)
        self.ends = {
            leg: End("m", leg, ssrc=ssrc, sequence=65500, timestamp=ssrc, cname=f"{leg}@x")
            for leg, ssrc in (("a", 0xAAAAAAAA), ("b", 0xFFFFFFFF))
        }
        self.flying: list[tuple[float, str, str, Output]] = []
        self.events: list[tuple[float, Output]] = []
        self.reports: list[SendRtcp] = []
        self.rtp = 0

    def call(self) -> Wire:
        self.ends["a"].agree(TO["b"], self.now)
        self.ends["b"].agree(TO["a"], self.now)
        return self

    def carry(self, leg: str, outputs: list[Output]) -> None:
        far = "b" if leg == "a" else "a"
        for output in outputs:
            if isinstance(output, SendRtp | SendRtcp):
                assert output.address == AT[far][0]
                assert output.port == AT[far][1] + isinstance(output, SendRtcp)
                self.rtp += isinstance(output, SendRtp)
                if isinstance(output, SendRtcp):
                    self.reports.append(output)
                elif self.dice.random() < self.lossy:
                    continue
                self.flying.append((self.now + self.delay, leg, far, output))
            else:
                self.events.append((round(self.now - 100, 6), output))

    def run(self, until: float) -> None:
        until += 100
        while True:
            due = [(at, leg) for leg, end in self.ends.items() if (at := end.deadline()) is not None]
            self.flying.sort(key=lambda one: one[0])
            next_at = min([at for at, _ in due] + [one[0] for one in self.flying[:1]], default=until + 1)
            if next_at > until:
                self.now = until
                return
            self.now = max(self.now, next_at)
            while self.flying and self.flying[0][0] <= self.now:
                _, near, far, output = self.flying.pop(0)
                if isinstance(output, SendRtp):
                    self.carry(far, self.ends[far].receive(output.data, AT[near], self.now))
                elif isinstance(output, SendRtcp):
                    self.ends[far].receive_rtcp(output.data, self.now)
            for leg, end in self.ends.items():
                at = end.deadline()
                if at is not None and at <= self.now:
                    self.carry(leg, end.expire(self.now))

    def told(self, kind: type) -> list[tuple[float, Output]]:
        return [(at, event) for at, event in self.events if isinstance(event, kind)]


def test_each_hears_the_others_tone_and_nothing_is_lost() -> None:
    wire = Wire(delay=0.01).call()
    wire.ends["a"].play((440,))
    wire.ends["b"].play((620,))
    wire.ends["a"].listen((440, 620))
    wire.ends["b"].listen((440, 620))
    wire.run(3.0)
    assert {event for _, event in wire.events} == {Heard("m", "a", 620), Heard("m", "b", 440)}
    report = wire.ends["a"].report()
    assert report == Report("m", "a", 151, 150, 0, report.jitter, (620,), report.mos)
    assert report.jitter < 0.1
    assert report.mos > 4.3


def test_a_muted_direction_is_not_heard() -> None:
    wire = Wire().call()
    wire.ends["a"].play((440,))
    wire.ends["a"].listen((440, 620))
    wire.ends["b"].listen((440, 620))
    wire.run(2.0)
    assert [event for _, event in wire.events] == [Heard("m", "b", 440)]


def test_an_echo_brings_the_own_tone_and_digits_back() -> None:
    wire = Wire(delay=0.03).call()
    wire.ends["a"].play((440,))
    wire.ends["a"].listen((440,))
    wire.ends["b"].play((), echo=True)
    wire.run(1.0)
    assert wire.ends["a"].dtmf("42")
    wire.run(2.0)
    assert [event for _, event in wire.events] == [
        Heard("m", "a", 440),
        *(Pressed("m", "b", "4"), Pressed("m", "a", "4")),
        *(Pressed("m", "b", "2"), Pressed("m", "a", "2")),
    ]
    assert wire.ends["a"].report().lost == 0


def test_loss_is_reported_and_scored() -> None:
    wire = Wire(lossy=0.05).call()
    wire.run(20.0)
    report = wire.ends["b"].report()
    assert report.received + report.lost == pytest.approx(1001, abs=2)
    assert report.lost == pytest.approx(50, abs=20)
    assert report.mos < 3


def test_silence_is_told_once_and_again_after_speech() -> None:
    wire = Wire().call()
    wire.run(1.0)
    wire.ends["b"].agree(TO["a"]._replace(direction="recvonly"), wire.now)
    wire.run(10.0)
    wire.ends["b"].agree(TO["a"], wire.now)
    wire.run(10.5)
    wire.ends["b"].agree(TO["a"]._replace(direction="inactive"), wire.now)
    wire.run(20.0)
    assert wire.events == [(3.0, Silent("m", "a", 2.0)), (12.5, Silent("m", "a", 2.0))]


def test_who_never_speaks_is_told_after_the_same_time() -> None:
    wire = Wire()
    wire.ends["a"].agree(TO["b"], 100.0)
    wire.run(9.0)
    assert wire.events == [(2.0, Silent("m", "a", 2.0))]


def test_on_hold_silence_is_nothing_to_tell() -> None:
    wire = Wire()
    wire.ends["a"].agree(TO["b"]._replace(direction="sendonly"), 100.0)
    wire.run(9.0)
    assert wire.events == []
    wire.ends["a"].agree(TO["b"], 109.0)
    wire.run(10.0)
    wire.ends["a"].agree(TO["b"]._replace(direction="inactive"), 110.0)
    wire.run(20.0)
    assert wire.events == []


@pytest.mark.rfc("3550#6.2")
def test_reports_go_every_five_seconds_on_average() -> None:
    wire = Wire().call()
    wire.run(500.0)
    assert 160 <= len(wire.reports) <= 240  # two ends, 100 each
    for report in wire.reports:
        head, description = parse(report.data)
        assert isinstance(head, SenderReport)
        assert isinstance(description, Description)
        assert description.chunks[0].items[0][1] in (b"a@x", b"b@x")
        assert head.blocks


@pytest.mark.rfc("3550#6.4.1")
def test_a_sender_report_ties_rtp_time_to_the_clock() -> None:
    wire = Wire().call()
    wire.run(30.0)
    heads = [head for report in wire.reports if isinstance(head := parse(report.data)[0], SenderReport)]
    one, two = [head for head in heads if head.ssrc == 0xAAAAAAAA][:2]
    seconds = (two.ntp - one.ntp) / 2**32
    assert (two.timestamp - one.timestamp) & 0xFFFFFFFF == pytest.approx(seconds * 8000, abs=2)
    assert two.octets == 160 * two.packets


def test_the_round_trip_is_measured_and_counts_in_the_score() -> None:
    near, far = Wire(delay=0.001).call(), Wire(delay=0.3).call()
    near.run(30.0)
    far.run(30.0)
    assert far.ends["a"].report().mos < near.ends["a"].report().mos - 0.5


def test_who_only_listens_sends_receiver_reports() -> None:
    wire = Wire()
    wire.ends["a"].agree(TO["b"], 100.0)
    wire.ends["b"].agree(TO["a"]._replace(direction="recvonly"), 100.0)
    wire.run(30.0)
    kinds = {type(head) for report in wire.reports if (head := parse(report.data)[0]).ssrc == 0xFFFFFFFF}  # type: ignore[union-attr]
    assert kinds == {ReceiverReport}


def test_without_an_rtcp_port_there_are_no_reports() -> None:
    wire = Wire()
    wire.ends["a"].agree(TO["b"], 100.0)
    wire.ends["a"].agree(TO["b"]._replace(rtcp_port=0), 100.0)
    wire.run(30.0)
    assert wire.reports == []
    assert [type(output) for output in wire.ends["a"].release(130.0)] == [Report]


def test_a_source_that_stopped_is_left_out_of_the_next_reports() -> None:
    wire = Wire().call()
    wire.run(10.0)
    wire.ends["b"].agree(TO["a"]._replace(direction="inactive"), wire.now)
    wire.run(40.0)
    last = [head for report in wire.reports if (head := parse(report.data)[0]).ssrc == 0xAAAAAAAA][-1]  # type: ignore[union-attr]
    assert isinstance(last, SenderReport)
    assert last.blocks == ()


@pytest.mark.rfc("3550#6.3.7")
def test_release_says_bye_and_reports() -> None:
    wire = Wire().call()
    wire.run(1.0)
    bye, report = wire.ends["a"].release(wire.now)
    assert isinstance(bye, SendRtcp)
    assert (bye.address, bye.port) == ("198.51.100.2", 5001)
    assert parse(bye.data)[-1] == Goodbye((0xAAAAAAAA,))
    assert report == wire.ends["a"].report()
    assert wire.ends["a"].deadline() is None
    assert wire.ends["a"].expire(200.0) == []


@pytest.mark.rfc("3550#6.3.7")
def test_who_said_nothing_says_no_bye() -> None:
    end = End("m", "a", ssrc=1, sequence=2, timestamp=3)
    assert end.release(0.0) == [Report("m", "a", 0, 0, 0)]
    end.agree(TO["b"], 0.0)
    assert [type(output) for output in end.release(0.0)] == [Report]


def test_after_a_bye_another_source_is_followed_at_once() -> None:
    end = End("m", "a", ssrc=1, sequence=2, timestamp=3)
    end.agree(TO["b"], 0.0)
    end.receive(bytes(Packet(8, 1, 1, 50, b"\xd5" * 160)), AT["b"], 0.01)
    end.receive_rtcp(build([ReceiverReport(50), Goodbye((50,))]), 0.02)
    end.receive(bytes(Packet(8, 1, 1, 60, b"\xd5" * 160)), ("203.0.113.9", 9), 0.03)
    assert end.report().received == 2


@pytest.mark.rfc("3550#6.4.1")
@pytest.mark.parametrize(("ssrc", "last", "delay"), [(1, 0, 5), (2, 9, 5), (1, 9, 0x70000000)])
def test_a_block_that_measures_nothing_changes_nothing(ssrc: int, last: int, delay: int) -> None:
    end = End("m", "a", ssrc=1, sequence=2, timestamp=3)
    end.agree(TO["b"], 0.0)
    end.receive(bytes(Packet(8, 1, 1, 50, b"\xd5" * 160)), AT["b"], 0.01)
    before = end.report()
    end.receive_rtcp(build([ReceiverReport(50, (Block(ssrc, 0, 0, 0, 0, last, delay),))]), 1.0)
    assert end.report() == before


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.binary(max_size=60)
            | st.binary(max_size=60).map(lambda rest: b"\x80\x08" + rest)
            | st.binary(max_size=60).map(lambda rest: b"\x80\x65" + rest)
            | st.binary(max_size=60).map(lambda rest: b"\x81\xc8\x00\x0c" + rest),
        ),
        max_size=30,
    ),
    st.booleans(),
)
def test_any_bytes_on_either_port_are_survived(packets: list[tuple[bool, bytes]], echo: bool) -> None:
    end = End("m", "a", ssrc=1, sequence=2, timestamp=3)
    end.agree(TO["b"], 0.0)
    end.play((), echo)
    end.listen((440,))
    now = 0.0
    for control, data in packets:
        now += 0.05
        if control:
            end.receive_rtcp(data, now)
        else:
            end.receive(data, AT["b"], now)
        end.expire(now)
    report = end.report()
    assert report.received + end.strays <= len(packets)
    assert report.lost >= 0
