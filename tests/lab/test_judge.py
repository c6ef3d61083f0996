"""Verdicts from what was seen, without a network: nothing muted, lost or misled passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trunkline.lab.judge import Seal, Seen, Side, Wanted, judge

NEAR = Side("the phone", 100, 99, 0, frozenset({425}), "PCMA", 20, 0.4, 4.4)
FAR = Side("the far end", 99, 100, 0, frozenset({620}), "PCMA", 20, 0.4, 4.4)
GOOD = Seen(NEAR, FAR, answered_after=0.2, gateway="nominal", record={"cause": 16, "text": ""})
WANTED = Wanted(near_tone=425, far_tone=620, gateway="nominal", cause=16)


def reason_of_failure(seen: Seen, wanted: Wanted = WANTED) -> str:
    verdict = judge(seen, wanted)
    assert (verdict.passed, verdict.word) == (False, "FAIL")
    assert not all(check.passed for check in verdict.checks)
    return verdict.reason


def test_a_call_that_both_sides_heard_passes_and_says_why() -> None:
    verdict = judge(GOOD, WANTED)
    assert (verdict.passed, verdict.word) == (True, "PASS")
    assert verdict.reason == (
        "answered after 0.20 s by nominal; the phone heard 425 Hz; the far end heard 620 Hz; "
        "the record has cause 16"
    )


def test_a_muted_direction_fails_although_packets_flow() -> None:
    deaf = replace(GOOD, far=replace(FAR, heard=frozenset()))
    assert reason_of_failure(deaf) == "the far end heard silence in place of 620 Hz (100 packets)"
    mute = replace(GOOD, near=replace(NEAR, heard=frozenset()))
    assert reason_of_failure(mute) == "the phone heard silence in place of 425 Hz (99 packets)"


def test_a_direction_without_rtp_fails() -> None:
    one_way = replace(GOOD, near=replace(NEAR, received=0, heard=frozenset()))
    assert reason_of_failure(one_way) == "the phone received no RTP"


def test_another_calls_tone_fails_alone_and_beside_the_right_one() -> None:
    crossed = replace(GOOD, far=replace(FAR, heard=frozenset({700})))
    assert reason_of_failure(crossed) == "the far end heard 700 Hz in place of 620 Hz (100 packets)"
    mixed = replace(GOOD, far=replace(FAR, heard=frozenset({620, 700})))
    assert reason_of_failure(mixed) == "the far end heard 700 Hz besides 620 Hz"


def test_a_refused_call_is_judged_by_that_alone() -> None:
    refused = Seen(Side("the phone"), refused="486 Busy Here")
    assert reason_of_failure(refused) == "not answered: 486 Busy Here"
    assert reason_of_failure(Seen(Side("the phone"))) == "not answered: no answer in time"


def test_the_wrong_gateway_fails() -> None:
    assert "it went by backup, not by nominal" in reason_of_failure(replace(GOOD, gateway="backup"))
    assert "it went by no gateway, not by nominal" in reason_of_failure(replace(GOOD, gateway=""))


@pytest.mark.parametrize(("lost", "passes"), [(1, True), (2, True), (3, False)])
def test_a_starved_machine_may_lose_a_packet_but_a_bad_line_fails(lost: int, passes: bool) -> None:
    verdict = judge(replace(GOOD, near=replace(NEAR, lost=lost)), WANTED)
    assert verdict.passed is passes
    assert any(f"the phone lost {lost} packets" in check.says for check in verdict.checks)


def test_audio_that_stops_fails_unless_it_should() -> None:
    silent = replace(GOOD, silent=True)
    assert reason_of_failure(silent) == "the audio stopped during the call"
    assert judge(silent, replace(WANTED, silence=True)).passed
    assert reason_of_failure(GOOD, replace(WANTED, silence=True)) == "the phone did not notice the silence"


def test_a_call_that_should_go_on_must_be_heard_again_both_ways() -> None:
    wanted = replace(WANTED, goes_on="the 503")
    both = replace(GOOD, heard_again=(frozenset({425}), frozenset({620})))
    assert "after the 503 the call went on" in judge(both, wanted).reason
    half = replace(GOOD, heard_again=(frozenset({425}), frozenset()))
    assert reason_of_failure(half, wanted) == "after the 503 the far end heard no tone"
    assert "the phone and the far end" in reason_of_failure(GOOD, wanted)


def test_the_channel_must_be_free_in_time() -> None:
    wanted = replace(WANTED, freed_within=7.4)
    assert judge(replace(GOOD, freed_after=6.4), wanted).passed
    assert "free 8.0 s after the end (at most 7.4)" in reason_of_failure(
        replace(GOOD, freed_after=8.0), wanted
    )
    assert "was not free within 7.4 s" in reason_of_failure(GOOD, wanted)


def test_the_record_must_be_there_and_name_the_cause() -> None:
    assert reason_of_failure(replace(GOOD, record={})) == "the call left no record"
    other = replace(GOOD, record={"cause": 41, "text": "no RTP from the far side"})
    assert reason_of_failure(other) == "the record has cause 41 (no RTP from the far side), not 16"


def test_an_end_whose_machine_is_lost_is_judged_by_what_it_had_heard() -> None:
    gone = replace(FAR, sent=None, received=None)
    assert judge(replace(GOOD, far=gone), WANTED).passed
    deaf = replace(gone, heard=frozenset())
    assert reason_of_failure(replace(GOOD, far=deaf)) == "the far end heard silence in place of 620 Hz"


def test_without_a_tone_to_expect_rtp_is_enough() -> None:
    seen = Seen(replace(NEAR, heard=frozenset()), answered_after=0.5)
    assert judge(seen, Wanted()).reason == "answered after 0.50 s; the phone received 99 packets"


# --- a secured trunk ---------------------------------------------------------------------------

NAME = "sbc1.carrier.example"
SEAL = Seal(
    "TLS 1.2", "ECDHE-RSA-AES256-GCM-SHA384", "CN=ipbx.example", (NAME,), "SDES AES_CM_128_HMAC_SHA1_80"
)


def test_a_sealed_call_passes_and_says_with_whom() -> None:
    verdict = judge(replace(GOOD, seal=SEAL), replace(WANTED, sealed=NAME.upper()))
    assert verdict.passed
    assert f"over TLS 1.2 with {NAME.upper()}, SRTP on the trunk" in verdict.reason


@pytest.mark.parametrize(
    ("seal", "says"),
    [
        (None, "its signalling was not seen over TLS"),
        (replace(SEAL, theirs=("other.example",)), f"the SBC's certificate names other.example, not {NAME}"),
        (replace(SEAL, theirs=()), f"the SBC's certificate names nobody, not {NAME}"),
        (replace(SEAL, srtp="none"), "its media on the trunk went without SRTP (none)"),
    ],
)
def test_a_call_that_was_not_sealed_as_it_should_be_fails(seal: Seal | None, says: str) -> None:
    assert reason_of_failure(replace(GOOD, seal=seal), replace(WANTED, sealed=NAME)) == says


def test_what_the_far_end_heard_while_the_signalling_hung_is_a_tone_of_its_own() -> None:
    want = replace(WANTED, goes_on="the stop", far_again=700)
    heard = replace(GOOD, heard_again=(frozenset({425}), frozenset({700})))
    assert "after the stop the call went on, 425 Hz heard again, and 700 Hz" in judge(heard, want).reason
    before = replace(GOOD, heard_again=(frozenset({425}), frozenset({620})))
    assert reason_of_failure(before, want) == "after the stop the far end heard no tone"
