"""What the people in a fair-weather run wanted of their calls, and whether the records say they got it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.simulation.plan import (
    ANSWERS,
    BUSY,
    DDIS,
    EARLY,
    ECHOES,
    EMERGENCY,
    EXTENSIONS,
    LEAVES,
    MOBILE,
    NOBODY,
    RINGS,
    Mood,
)

if TYPE_CHECKING:
    from tests.simulation.play import Placed, Play

CLOSE = 0.6  # seconds within which two ends may cross
PATIENT = 27.0  # seconds until an attempt is left at the latest (100 and then silence: 20 s), and 3 more
LISTENING = 0.6  # seconds of talk in which a tone is found for certain
FAIR = frozenset({Mood.CALM, Mood.MEDDLING, Mood.CROWD})
FULL = "all channels are in use"


class Callee(NamedTuple):
    """Who is called: what they do (or the cause of the refusal), when they answer, how long they talk."""

    does: str
    after: float = 0.0
    seconds: float = 0.0
    cause: int = 0


def as_wanted(play: Play, calls: list[dict[str, Any]]) -> Iterator[str]:
    """Every call in fair weather ends as its people meant it, every one past the nominal is connected."""
    by_id: dict[str, dict[str, Any]] = {}
    whole = {call["call"]: call for call in calls}
    for record in play.town.records():
        if record["record"] == "leg" and record["side"] == "caller":
            by_id[record["sip_call_id"]] = whole[record["call"]]
    for placed in play.placed:
        found = by_id.get(placed.leg.usage.call_id)
        if placed.last or play.plan.mood in FAIR:
            words = _judged(play, placed, found, calls)
        elif play.plan.mood is Mood.FAILOVER and placed.ring.kind == "out":
            words = _connected(play, placed, found)
        else:
            words = ""
        if not words and play.plan.rtp and not placed.last and found is not None:
            words = _sounded(play, placed, found)
        if words:
            yield f"{placed.ring} at {placed.ring.at:.3f}: {words}; record {found}"


def _callee(play: Play, placed: Placed) -> Callee:
    ring, number = placed.ring, placed.ring.number
    if ring.kind == "out":
        dialled = number.removeprefix("*31").lstrip("0+")
        dialled = dialled if dialled.startswith("33") and len(dialled) == 11 else "33" + dialled
        known = {
            ANSWERS: Callee("answer", 0.2), ECHOES: Callee("answer", 0.2), MOBILE: Callee("answer", 0.2),
            BUSY: Callee("refuse", cause=17), NOBODY: Callee("refuse", cause=1), RINGS: Callee("ring"),
            EARLY: Callee("answer", 2.0), LEAVES: Callee("answer", 0.2, 5.0),
        }  # fmt: skip
        return Callee("answer", 0.2) if EMERGENCY in number else known["+" + dialled]
    if ring.kind == "in":
        extension = next((e for e, ddi in DDIS.items() if ddi == number), "")
    else:
        extension = number if number in EXTENSIONS else ""
    if not extension:
        return Callee("unknown", cause=1)
    if placed.last:
        return Callee("answer", 0.2)
    behaviour = play.plan.phones[EXTENSIONS.index(extension)]
    if behaviour.does == "busy":
        return Callee("refuse", cause=17)
    if behaviour.does == "ring":
        return Callee("ring")
    return Callee("answer", behaviour.after, behaviour.seconds)


def _judged(play: Play, placed: Placed, record: dict[str, Any] | None, calls: list[dict[str, Any]]) -> str:
    """Words where a call in fair weather did not end as it should; "" where it did."""
    ring, knobs = placed.ring, play.plan.knobs
    callee = _callee(play, placed)
    decided = {"answer": callee.after, "ring": knobs.ringing_max}.get(callee.does, 0.0)
    early = 0 < ring.gives_up < decided + CLOSE
    if record is None:
        return "" if early else "there is no record of it"
    if record["text"] == FULL:
        return _really_full(play, record, calls)
    if early and record["answer"] is None:
        gave_up = record["ended_by"] == "caller" and record["status"] in (0, 487)
        return "" if gave_up or callee.does != "answer" else "the caller gave up"
    if callee.does == "ring":
        ok = record["cause"] == 19 and record["ended_by"] == "ipbx"
        return "" if ok else "nobody answered: cause 19, by the IPBX"
    if callee.cause:
        by = "ipbx" if callee.does == "unknown" else "called"
        ok = record["cause"] == callee.cause and record["ended_by"] == by
        return "" if ok else f"cause {callee.cause}, by {by}"
    if record["answer"] is None:
        return "it should have been answered"
    return _ended_rightly(play, placed, callee, record)


def _ended_rightly(play: Play, placed: Placed, callee: Callee, record: dict[str, Any]) -> str:
    ring, talked = placed.ring, record["end"] - record["answer"]
    ends = {("called", 16): callee.seconds, ("ipbx", 31): play.plan.knobs.duration_max}
    ends["caller", 16] = placed.ring.behaviour.seconds
    if ring.gives_up:
        gives_up = max(ring.at + ring.gives_up - record["answer"], 0.001)
        ends["caller", 16] = min(gives_up, ring.behaviour.seconds or gives_up)
    due = {end: seconds for end, seconds in ends.items() if seconds}
    first = min(due.values())
    got = (record["ended_by"], record["cause"])
    if got == ("ipbx", 102) and "got 481" in record["text"] and abs(talked - first) < CLOSE:
        return ""  # a change of the session crossed the BYE, and its 481 was there first
    if got in due and due[got] <= first + CLOSE and abs(talked - due[got]) < CLOSE:
        return ""
    return (
        f"it should have ended after {first} s by {min(due, key=lambda end: due[end])}, talked {talked:.2f} s"
    )


def _really_full(play: Play, record: dict[str, Any], calls: list[dict[str, Any]]) -> str:
    """Nobody is refused for want of a channel while there is one; an emergency never is."""
    if record["kind"] in ("emergency", "short"):
        return "refused by the channel bound"
    at = record["start"]
    taken = [c for c in calls if c["gateway"] and c["direction"] != "internal" and c["text"] != FULL]
    # A channel is given back with the last answer to BYE or CANCEL, a moment after the end.
    used = sum(call["start"] <= at <= call["end"] + CLOSE for call in taken)
    return "" if used >= play.plan.knobs.channels else f"only {used} channels were in use"


def _sounded(play: Play, placed: Placed, record: dict[str, Any]) -> str:
    """Whoever answered heard the caller's tone and no other; the caller heard what was played."""
    if record["answer"] is None or record["seconds"] < LISTENING:
        return ""
    mine = [leg for leg in play.town.records() if leg["record"] == "leg" and leg["call"] == record["call"]]
    answered = next(leg for leg in mine if leg["side"] == "called" and leg["answer"] is not None)
    tone = placed.ring.behaviour.tone
    if play.town.heard(answered["sip_call_id"]) != {tone}:
        return f"the called party heard {play.town.heard(answered['sip_call_id'])}, not {tone} Hz"
    if placed.ring.number.endswith(ECHOES[4:]) and play.town.heard(placed.leg.usage.call_id) != {tone}:
        return f"the echo had {play.town.heard(placed.leg.usage.call_id)}, not {tone} Hz"
    return ""


def _connected(play: Play, placed: Placed, record: dict[str, Any] | None) -> str:
    """With the nominal lost and the backup well, every patient caller gets through."""
    callee = _callee(play, placed)
    if placed.ring.gives_up:
        return ""
    if record is None:
        return "there is no record of it"
    if record["ring"] is not None and record["answer"] is None:
        return ""  # it rang at the nominal: no second try
    if play.plan.knobs.registers and record["status"] == 403:
        return ""  # a registrar that was restarted knows nobody until the next refresh
    if callee.does == "answer" and record["answer"] is not None:
        waited = record["answer"] - record["start"]
        if waited > PATIENT + callee.after:
            return f"it took {waited:.1f} s to be connected"
        # Who only refuses new calls, or does not hear them, keeps those it has.
        gentle = all(trouble.what in ("503", "100", "silent") for trouble in play.plan.troubles)
        return _ended_rightly(play, placed, callee, record) if gentle else ""
    if callee.does == "answer":
        return "the backup should have connected it"
    if callee.cause and record["cause"] != callee.cause:
        return f"the backup should have told cause {callee.cause}"
    return ""
