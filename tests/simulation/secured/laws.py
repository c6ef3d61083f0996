"""What must hold of every run of the secured town, beside the laws of every town."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.simulation.secured.speaker import Voice

from trunkline.pbx.call import TOO_LONG
from trunkline.pbx.refusal import WORKER_LOST

if TYPE_CHECKING:
    from tests.simulation.secured.play import SecurePlay

ANCHOR_WAIT = 2.0  # seconds a leg waits for its port
MOMENT = 0.05  # seconds in which what happens at signalling has happened
CLOSE = 1.0  # seconds around an answer in which a reset may take the answer itself away
HEARD_WITHIN = 0.6  # seconds after the answer until the other voice must be heard
PAUSE = 1.0  # seconds of silence that a person would notice
PLENTY = 100  # media ports that are not used up and used again in a run
TOLD_WITHIN = 6.0  # seconds until the far side must know that a call is over: two handshakes, and more
# Days on which neither SBC nor IPBX is lost: the calls of workers that live go on.
STANDING = ("calm", "resets", "refused", "strangers", "workers")


def broken_secured_laws(play: SecurePlay) -> list[str]:
    """Every law that this run broke."""
    calls = _Calls(play)
    laws = {
        "_nothing_in_the_clear": _nothing_in_the_clear(play),
        "_no_index_twice": _no_index_twice(play),
        "_everything_opens": _everything_opens(play),
        "_nobody_hears_a_stranger": _nobody_hears_a_stranger(play, calls),
        "_only_a_dead_workers_calls_end_with_it": _only_a_dead_workers_calls_end_with_it(play, calls),
        "_a_port_is_waited_for_two_seconds": _a_port_is_waited_for_two_seconds(play, calls),
        "_a_refused_gateway_answers_nothing": _a_refused_gateway_answers_nothing(play, calls),
        "_a_refusal_is_told": _a_refusal_is_told(play),
        "_people_end_their_calls": _people_end_their_calls(play, calls),
        "_both_hear_each_other": _both_hear_each_other(play, calls),
        "_the_end_reaches_the_far_side": _the_end_reaches_the_far_side(play, calls),
    }
    return [f"{name.strip('_').replace('_', ' ')}: {words}" for name, law in laws.items() for words in law]


class _Ends(NamedTuple):
    """An answered call: its record, and the voice at each end, None where its process is gone."""

    record: dict[str, Any]
    caller: Voice | None
    called: Voice | None


class _Calls:
    """The records, with who spoke at which end."""

    def __init__(self, play: SecurePlay) -> None:
        records = play.town.records()
        self.calls = {record["call"]: record for record in records if record["record"] == "call"}
        self.legs = {record["leg"]: record for record in records if record["record"] == "leg"}
        call_of = {leg["sip_call_id"]: leg["call"] for leg in self.legs.values() if leg["sip_call_id"]}
        names = play.town.call_ids()
        self.voices: dict[str, Voice] = {}  # by Call-ID
        self.of_call: dict[str, set[bytes]] = {}  # the labels of a call
        for (_, leg), voice in play.town.voices.voices.items():
            call_id = names.get(leg, "")
            self.voices[call_id] = voice
            if call_id in call_of:
                self.of_call.setdefault(call_of[call_id], set()).add(voice.label)
        self.call_of = call_of

    def answered(self) -> Iterator[_Ends]:
        for call, record in self.calls.items():
            if record["answer"] is None:
                continue
            mine = [leg for leg in self.legs.values() if leg["call"] == call]
            caller = next(leg for leg in mine if leg["side"] == "caller")
            called = next(leg for leg in mine if leg["side"] == "called" and leg["answer"] is not None)
            yield _Ends(record, *(self.voices.get(leg["sip_call_id"]) for leg in (caller, called)))


# --- the wire -----------------------------------------------------------------------------


def _nothing_in_the_clear(play: SecurePlay) -> Iterator[str]:
    """SRTP-1: no RTP that can be read passes between the IPBX and the carrier."""
    yield from play.town.net.clear[:3]


def _no_index_twice(play: SecurePlay) -> Iterator[str]:
    """RFC 3711 §9.1: no packet index is used twice under one key and SSRC."""
    yield from play.town.net.twice[:3]


def _everything_opens(play: SecurePlay) -> Iterator[str]:
    """What reaches a far end was closed under the key that was told it."""
    for (media, leg), voice in play.town.voices.voices.items():
        if voice.failed:
            yield f"{len(voice.failed)} packets to leg {leg} of {media} failed, from {voice.failed[0]:.3f} on"


def _nobody_hears_a_stranger(play: SecurePlay, calls: _Calls) -> Iterator[str]:
    if play.plan.pairs < PLENTY:
        return  # a port is used again at once, and plain RTP of the call before may come to it
    for call_id, voice in calls.voices.items():
        call = calls.call_of.get(call_id)
        strange = voice.heard.keys() - calls.of_call.get(call or "", set())
        if call is not None and strange:
            yield f"call {call}: {voice.label!r} heard {sorted(strange)}"


# --- workers ------------------------------------------------------------------------------


def _only_a_dead_workers_calls_end_with_it(play: SecurePlay, calls: _Calls) -> Iterator[str]:
    """The calls of a dead worker end at once and say why; no other does."""
    died: set[str] = set()
    for at, medias in play.town.workers.dead:
        died.update(medias)
        for media in medias:
            call = calls.calls.get(media)
            if call is None or call["end"] < at:
                continue
            told = (call["ended_by"], call["cause"], call["text"])
            if told != ("ipbx", WORKER_LOST.q850, WORKER_LOST.text) or call["end"] > at + MOMENT:
                yield f"call {media} lost its worker at {at:.3f} and ended at {call['end']:.3f}: {told}"
    for id, call in calls.calls.items():
        if call["text"] == WORKER_LOST.text and id not in died:
            yield f"call {id} ended at {call['end']:.3f} for a worker that was not its own"


def _a_port_is_waited_for_two_seconds(play: SecurePlay, calls: _Calls) -> Iterator[str]:
    """No reply from a worker in 2 s: 503, and the leg does not wait longer."""
    for media, name, asked, answered in play.town.workers.answered:
        leg = calls.legs.get(name)
        if leg is None or answered <= asked + ANCHOR_WAIT or asked > leg["start"] + MOMENT:
            continue  # in time, or asked again in a call that stands
        if leg["ring"] is not None and leg["ring"] <= asked:
            continue  # likewise: who answered first has the caller's ear
        waited = leg["end"] - asked
        if waited > ANCHOR_WAIT + MOMENT:
            yield f"leg {name} of {media} waited {waited:.2f} s for a port from {asked:.3f}"
        elif waited > ANCHOR_WAIT - 1e-6 and leg["status"] != 503:
            yield f"leg {name} of {media} had no port in time, and ended with {leg['status']}"


# --- certificates -------------------------------------------------------------------------


def _a_refused_gateway_answers_nothing(play: SecurePlay, calls: _Calls) -> Iterator[str]:
    """No call is answered over a gateway while every handshake with it is refused."""
    for since, until, whom, kind in play.town.refusals:
        for leg in calls.legs.values():
            if not leg["gateway"] or leg["answer"] is None or whom not in ("ipbx", leg["gateway"]):
                continue
            # Who shows none is refused as a client alone: a server always shows one.
            bare = "ipbx" if leg["side"] == "called" else leg["gateway"]
            if kind == "none" and whom != bare:
                continue
            if since + MOMENT < leg["start"] and leg["answer"] < until:
                how = f"at {leg['answer']:.3f} over {leg['gateway']}"
                yield f"leg {leg['leg']} was answered {how}, while {whom} was refused: {kind}"


def _a_refusal_is_told(play: SecurePlay) -> Iterator[str]:
    """Whoever refused, the IPBX says so in words, with the gateway's name where it is one's."""
    if any(name == "ipbx" for _, name in play.town.deaths):
        return
    logs = play.town.ipbx_host.logs
    for met in play.town.world.met:
        why = met.to_client if met.client == "ipbx" else met.to_server if met.server == "ipbx" else ""
        told = any(at == met.at and log.level == "warning" and why in log.text for at, log in logs)
        if why and not told:
            yield f"at {met.at:.3f} nobody was told: {why}"
        named = f"gateway {met.server}: TLS refused"
        if why and met.client == "ipbx" and not any(at == met.at and named in log.text for at, log in logs):
            yield f"at {met.at:.3f} it was not said of the gateway {met.server}: {why}"


# --- what people notice -------------------------------------------------------------------


def _undisturbed(play: SecurePlay, record: dict[str, Any]) -> bool:
    """Whether nothing but the loss of a connection in its midst happened to this call."""
    world, town = play.town.world, play.town
    if play.plan.theme not in STANDING or play.plan.acts:
        return False
    if any(record["call"] in medias for _, medias in (*town.workers.dead, *town.workers.stalls)):
        return False
    if any(record["start"] - CLOSE < at < record["answer"] + CLOSE for at in world.resets):
        return False  # who calls takes a connection that is lost for a refusal
    if any(abs(at - record["end"]) < CLOSE for at in world.resets):
        return False
    # While a gateway is refused nobody hears that the other hung up, and nobody says it again later.
    return not any(
        since <= record["end"] and (record["end"] <= until + TOLD_WITHIN or record["ended_by"] == "ipbx")
        for since, until, _, _ in town.refusals
    )


def _people_end_their_calls(play: SecurePlay, calls: _Calls) -> Iterator[str]:
    """A call that lost its TLS connection ends when its people want, and not before."""
    for record, _, _ in calls.answered():
        if not _undisturbed(play, record):
            continue
        by_people = record["ended_by"] in ("caller", "called") and record["cause"] == 16
        if not by_people and record["text"] != TOO_LONG.text:
            yield (
                f"call {record['call']} ended at {record['end']:.3f}, after {record['seconds']} s:"
                f" {record['ended_by']} {record['cause']} {record['text']!r}"
            )


def _both_hear_each_other(play: SecurePlay, calls: _Calls) -> Iterator[str]:
    """From the answer to the end, whatever happens to TLS meanwhile."""
    for record, caller, called in calls.answered():
        if caller is None or called is None or not _undisturbed(play, record) or record["seconds"] < 1.0:
            continue
        begin, end = record["answer"] + HEARD_WITHIN, record["end"] - 2 * HEARD_WITHIN
        for hears, speaks in ((caller, called), (called, caller)):
            heard = hears.heard.get(speaks.label)
            if heard is None or heard.first > begin or heard.last < end:
                yield f"call {record['call']}: {hears.label!r} heard {speaks.label!r} {heard}, {record}"
            elif any(until - max(at, record["answer"]) > PAUSE and at < end for at, until in heard.pauses):
                yield f"call {record['call']}: {hears.label!r} heard pauses: {heard.pauses}"


def _the_end_reaches_the_far_side(play: SecurePlay, calls: _Calls) -> Iterator[str]:
    """Also where the connection of the call is gone: by the gateway's own, opened anew."""
    if play.plan.theme not in ("calm", "resets"):
        return
    account = play.town.account
    for leg in calls.legs.values():
        if not leg["gateway"] or leg["answer"] is None or leg["ended_by"] != "local":
            continue
        resets = play.town.world.resets
        if any(-CLOSE < at - leg["end"] < TOLD_WITHIN for at in resets):
            continue  # the BYE itself may be lost
        if any(leg["start"] - CLOSE < at < leg["answer"] + CLOSE for at in resets):
            continue  # who calls has given up with its connection
        heard = account.of(leg["gateway"]).get(leg["sip_call_id"], [])
        byes = [p for p in heard if p.head.method == "BYE"]
        if not any(p.at < leg["end"] + (MOMENT if p.out else TOLD_WITHIN) for p in byes):
            yield f"leg {leg['leg']} ended at {leg['end']:.3f}, and {leg['gateway']} was not told: {leg}"
