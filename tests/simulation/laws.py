"""What must hold of every run, whatever went wrong in it; each law yields words where it was broken.

The laws do not ask the nodes: they hold what the IPBX wrote against what passed on the
wire, and the wire against the RFCs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.simulation import wanted
from tests.simulation.wire import Passed

from trunkline.pbx.refusal import STOPPING, WORKER_LOST

if TYPE_CHECKING:
    from tests.simulation.play import Play

STORM = 12_000  # messages of one run; more is a storm of repetitions
ACK_AGAIN = 30.0  # seconds in which a repeated 2xx must be acknowledged (64*T1, less what is on the way)
GLARE_OWNER = 2.1  # RFC 3261 §14.1: seconds the owner of the Call-ID waits at least
REROUTES = frozenset({408, 500, 502, 503, 504})  # the site's reroute_statuses
BY_A_PERSON = frozenset({486, 600, 603})  # what ends even an emergency call


def broken_laws(play: Play) -> list[str]:
    """Every law that this run broke."""
    legs = _Legs(play)
    laws = {
        "_no_storm": _no_storm(play),
        "_each_has_one_record": _each_has_one_record(play, legs),
        "_records_agree_with_the_wire": _records_agree_with_the_wire(play, legs),
        "_calls_agree_with_their_legs": _calls_agree_with_their_legs(legs),
        "_a_call_stays_with_its_sbc": _a_call_stays_with_its_sbc(play),
        "_no_second_try_after_ringing": _no_second_try_after_ringing(legs),
        "_answers_are_acknowledged": _answers_are_acknowledged(play),
        "_answered_calls_are_ended": _answered_calls_are_ended(play),
        "_cancel_waits_for_a_provisional": _cancel_waits_for_a_provisional(play),
        "_glare_is_backed_off": _glare_is_backed_off(play),
        "_nothing_sent_is_malformed": _nothing_sent_is_malformed(play),
        "_emergencies_try_every_gateway": _emergencies_try_every_gateway(play, legs),
        "_hold_down_is_kept": _hold_down_is_kept(play, legs),
        "as_wanted": wanted.as_wanted(play, legs.calls),
    }
    return [f"{name.strip('_').replace('_', ' ')}: {words}" for name, law in laws.items() for words in law]


class _Legs:
    """The records, sorted."""

    def __init__(self, play: Play) -> None:
        records = play.town.records()
        self.calls = [record for record in records if record["record"] == "call"]
        self.legs = [record for record in records if record["record"] == "leg"]
        self.of_call: dict[str, list[dict[str, Any]]] = {}
        for leg in self.legs:
            self.of_call.setdefault(leg["call"], []).append(leg)


# --- the wire alone -----------------------------------------------------------------------


def _no_storm(play: Play) -> Iterator[str]:
    if play.world.sent > STORM:
        yield f"{play.world.sent} messages"


def _answers_are_acknowledged(play: Play) -> Iterator[str]:
    """§13.2.2.4: every 2xx to an INVITE is acknowledged, each time it comes while its transaction lives."""
    for host, call_id, passed in _whole(play):
        acked = Counter((p.head.seq, p.head.to_tag) for p in passed if p.out and p.head.method == "ACK")
        for key, times in _answers(play, passed).items():
            if acked[key] < times:
                yield f"{host} acknowledged {acked[key]} of {times} 2xx in {call_id} (CSeq {key[0]})"


def _answered_calls_are_ended(play: Play) -> Iterator[str]:
    """§15: a dialog that was confirmed ends with a BYE of one side, also one nobody wanted."""
    for host, call_id, passed in _whole(play, until=float("inf")):
        ended = {tag for p in passed if p.head.method == "BYE" for tag in (p.head.from_tag, p.head.to_tag)}
        for _, tag in _answers(play, passed):
            if tag not in ended:
                yield f"{host} never ended the dialog {tag} of {call_id}"


def _answers(play: Play, passed: list[Passed]) -> Counter[tuple[int, str]]:
    """How often each 2xx (CSeq, To tag) came to who had sent the INVITE, while its transaction lived."""
    life = 64 * play.plan.knobs.t1
    until: dict[int, float] = {}  # the transaction's end, by CSeq; infinite while it proceeds
    cancelled: set[int] = set()
    came: Counter[tuple[int, str]] = Counter()
    first: dict[tuple[int, str], float] = {}
    for p in passed:
        seq, key = p.head.seq, (p.head.seq, p.head.to_tag)
        if p.out and p.head.method in ("INVITE", "CANCEL"):
            until[seq] = min(until.get(seq, p.at + life), p.at + life)
            cancelled |= {seq} if p.head.method == "CANCEL" else set()
        elif p.out or p.head.of != "INVITE" or seq not in until:
            continue
        elif 100 <= p.head.status < 200 and p.at < until[seq] and seq not in cancelled:
            until[seq] = float("inf")
        elif _accepts(p) and (key in first or p.at < until[seq]):
            came[key] += p.at <= first.setdefault(key, p.at) + min(ACK_AGAIN, life - 1.5)
    return came


def _cancel_waits_for_a_provisional(play: Play) -> Iterator[str]:
    """§9.1: no CANCEL before the INVITE had a provisional response."""
    for host, call_id, passed in _ours(play):
        heard: set[str] = set()
        for p in passed:
            if not p.out and 100 <= p.head.status < 200:
                heard.add(p.head.branch)
            elif p.out and p.head.method == "CANCEL" and p.head.branch not in heard:
                yield f"{host} sent CANCEL in {call_id} before any provisional"


def _glare_is_backed_off(play: Play) -> Iterator[str]:
    """§14.1: after 491 the owner of the Call-ID asks again no sooner than in 2.1 s."""
    for host, call_id, passed in _ours(play):
        owner = passed[0].out and passed[0].head.method == "INVITE"
        until = 0.0
        seen: set[str] = set()
        told: set[str] = set()
        for p in passed:
            if not p.out and p.head.status == 491 and p.head.of in ("INVITE", "UPDATE"):
                if owner and p.head.branch not in told:
                    until = p.at + GLARE_OWNER
                told.add(p.head.branch)
            elif p.out and p.head.method in ("INVITE", "UPDATE") and p.head.to_tag:
                if p.head.branch not in seen and p.at < until - 1e-6:
                    yield f"{host} asked again {until - p.at:.2f} s too soon after 491 in {call_id}"
                seen.add(p.head.branch)


def _nothing_sent_is_malformed(play: Play) -> Iterator[str]:
    for host, call_id, passed in _ours(play):
        if play.plan.stranger == "" and any(p.out and p.head.status == 400 for p in passed):
            yield f"{host} got what it answered with 400 in {call_id}"


def _a_call_stays_with_its_sbc(play: Play) -> Iterator[str]:
    """Domain rule: what belongs to a call goes to where it began."""
    for call_id, passed in play.town.account.of("ipbx").items():
        places = {p.far[0] for p in passed}
        if len(places) > 1:
            yield f"{call_id} went to {sorted(places)}"


# --- the records ----------------------------------------------------------------------------


def _each_has_one_record(play: Play, legs: _Legs) -> Iterator[str]:
    """Each call and each leg that the wire saw has one record, and no other has any."""
    for call, times in Counter(record["call"] for record in legs.calls).items():
        if times != 1:
            yield f"call {call} has {times} records"
        listed = sorted(leg for record in legs.calls if record["call"] == call for leg in record["legs"])
        written = sorted(leg["leg"] for leg in legs.of_call.get(call, []))
        if listed != written:
            yield f"call {call} lists legs {listed}, written were {written}"
    for call in legs.of_call.keys() - {record["call"] for record in legs.calls}:
        yield f"legs without their call {call}"
    expected = Counter(_calls_seen(play))
    # A leg whose port never opened was called by nobody, and has no Call-ID.
    written_ids = Counter((leg["side"], leg["sip_call_id"]) for leg in legs.legs if leg["sip_call_id"])
    began = {call_id: passed[0].at for call_id, passed in play.town.account.of("ipbx").items()}
    for key in sorted(expected.keys() | written_ids.keys()):
        if not written_ids[key] and any(began[key[1]] <= crash for crash in play.town.crashes):
            continue  # killed with its process: nobody could write it
        if expected[key] != written_ids[key]:
            yield f"the {key[0]}'s leg {key[1]} has {written_ids[key]} records, not {expected[key]}"


def _calls_seen(play: Play) -> Iterator[tuple[str, str]]:
    """Side and Call-ID of each leg that passed the IPBX: INVITEs it sent, and those it took on with 100."""
    for call_id, passed in play.town.account.of("ipbx").items():
        if any(p.out and p.head.method == "INVITE" and not p.head.to_tag for p in passed):
            yield "called", call_id
        if any(p.out and p.head.status == 100 and not p.head.to_tag for p in passed):
            yield "caller", call_id


def _records_agree_with_the_wire(play: Play, legs: _Legs) -> Iterator[str]:
    """Who ended a leg, when, why and through which gateway, as its messages show it."""
    account = play.town.account.of("ipbx")
    addresses = {sbc.signalling: sbc.label for sbc in play.town.site.carrier.sbcs}
    for leg in legs.legs:
        passed = account.get(leg["sip_call_id"])
        if passed is None:
            continue
        name, end, by = f"leg {leg['leg']} ({leg['sip_call_id'][:8]})", leg["end"], leg["ended_by"]
        if leg["gateway"] != addresses.get(passed[0].far[0], ""):
            yield f"{name} is noted on gateway {leg['gateway']!r}, it went to {passed[0].far[0]}"
        ends = [p for p in passed if not p.out and _ends(p, passed)]
        if by == "remote" and not any(p.at == end and not p.out and _could_end(p) for p in passed):
            yield f"{name} is noted as ended by the party at {end}, from which nothing came then"
        if by in ("local", "timer") and any(p.at < end for p in ends):
            yield f"{name} is noted as ended by {by} at {end}, the party had ended it before"
        status = next((p.head.status for p in ends if p.at == end and p.head.status >= 300), 0)
        if by == "remote" and status and leg["status"] != status:
            yield f"{name} was refused with {status}, noted is {leg['status']}"
        answered = any(not p.out and _accepts(p) and p.at == leg["answer"] for p in passed)
        if leg["side"] == "called" and leg["answer"] is not None and not answered:
            yield f"{name} is noted as answered at {leg['answer']}, when no 2xx came"
        times = [leg[key] for key in ("start", "ring", "answer", "end") if leg[key] is not None]
        if times != sorted(times):
            yield f"{name} has times out of order: {times}"


def _calls_agree_with_their_legs(legs: _Legs) -> Iterator[str]:
    for call in legs.calls:
        mine = legs.of_call.get(call["call"], [])
        caller = next((leg for leg in mine if leg["side"] == "caller"), None)
        called = [leg for leg in mine if leg["side"] == "called"]
        name = f"call {call['call']}"
        if caller is None:
            yield f"{name} has no caller's leg"
            continue
        if sum(leg["answer"] is not None for leg in called) > 1:
            yield f"{name} was answered by more than one"
        if (call["answer"] is None) != all(leg["answer"] is None for leg in called):
            yield f"{name} and its legs do not agree on whether it was answered"
        by = call["ended_by"]
        if by == "caller" and caller["ended_by"] != "remote":
            yield f"{name} is noted as ended by the caller, whose leg was ended by {caller['ended_by']}"
        if by == "called" and not any(leg["ended_by"] == "remote" for leg in called):
            yield f"{name} is noted as ended by the called, whose legs were not"
        if by == "ipbx" and caller["ended_by"] == "remote":
            yield f"{name} is noted as ended by the IPBX, the caller's leg by {caller['ended_by']}"
        if by not in ("caller", "called", "ipbx"):
            yield f"{name} was ended by {by!r}"
        if not call["cause"]:
            yield f"{name} has no cause"


# --- the trunk ------------------------------------------------------------------------------


def _no_second_try_after_ringing(legs: _Legs) -> Iterator[str]:
    """Never a second attempt once something rang, or after an answer that no other SBC can better."""
    emergencies = {call["call"] for call in legs.calls if call["kind"] == "emergency"}
    for call, mine in legs.of_call.items():
        tried = sorted((leg for leg in mine if leg["side"] == "called" and leg["gateway"]), key=_start)
        for one, other in pairwise(tried):
            if one["ring"] is not None and one["ring"] <= other["start"]:
                yield f"call {call} was tried again after it rang"
            final = one["status"] in BY_A_PERSON or (
                call not in emergencies and one["status"] not in REROUTES
            )
            if one["ended_by"] == "remote" and final:
                yield f"call {call} was tried again after {one['status']}"


def _emergencies_try_every_gateway(play: Play, legs: _Legs) -> Iterator[str]:
    """An emergency call that nobody answers was tried at every gateway whose address is known."""
    if any(trouble.what.startswith("dns") for trouble in play.plan.troubles):
        return
    for call in legs.calls:
        if call["kind"] != "emergency" or call["answer"] is not None or call["ring"] is not None:
            continue
        mine = [leg for leg in legs.of_call[call["call"]] if leg["side"] == "called"]
        final = any(leg["ended_by"] == "remote" and leg["status"] in BY_A_PERSON for leg in mine)
        cut_short = call["text"] in (STOPPING.text, WORKER_LOST.text)
        (caller,) = [leg for leg in legs.of_call[call["call"]] if leg["side"] == "caller"]
        # No port for the caller's own media: it was decided whom to call, and nobody was.
        cut_short |= caller["lost"] is None and not any(leg["sip_call_id"] for leg in mine)
        if call["ended_by"] == "caller" or final or cut_short:
            continue
        tried = {leg["gateway"] for leg in mine}
        if tried != {gateway.label for gateway in play.town.site.trunk.gateways}:
            yield f"call {call['call']} at {call['start']} was tried at {sorted(tried)} only: {call['text']}"


def _hold_down_is_kept(play: Play, legs: _Legs) -> Iterator[str]:
    """A gateway that was down takes no first try before its hold-down is over, while the other is up."""
    changes = [(at, log.text) for at, log in play.town.ipbx_host.logs if log.text.startswith("gateway ")]
    gateways = play.town.site.trunk.gateways
    firsts = sorted((_first_try(mine) for mine in legs.of_call.values()), key=lambda leg: leg[1])
    for gateway in gateways:
        down, good = None, None
        health: dict[str, str] = {}
        steps = [(at, 0, text) for at, text in changes] + [(at, 1, label) for label, at in firsts]
        steps += [(at, 2, "") for at, name in play.town.deaths if name == "ipbx"]
        for at, kind, said in sorted(steps):
            if kind == 2:  # a fresh process knows nothing of before
                down, good, health = None, None, {}
            elif kind == 0:
                label, health_now = said.split(" ")[1], said.split(" ")[2].rstrip(":")
                health[label] = health_now
                if label == gateway.label:
                    down = at if health_now == "down" else down
                    good = at if health_now == "returning" else None if health_now == "down" else good
                    if health_now == "unknown":  # without OPTIONS: the hold-down is over
                        down = None
            elif (
                said == gateway.label
                and down is not None
                and (good is None or at < good + _hold_down(gateway))
            ):
                others = [health.get(other.label) for other in gateways if other is not gateway]
                if "up" in others:
                    yield f"{gateway.label} was tried first at {at}, down since {down}, good since {good}"


def _first_try(mine: list[dict[str, Any]]) -> tuple[str, float]:
    tried = sorted((leg for leg in mine if leg["side"] == "called" and leg["gateway"]), key=_start)
    return (tried[0]["gateway"], tried[0]["start"]) if tried else ("", 0.0)


def _hold_down(gateway: Any) -> float:
    return float(gateway.protocol.supervision.hold_down)


# --- small things -----------------------------------------------------------------------------


def _ours(play: Play) -> Iterator[tuple[str, str, list[Passed]]]:
    """The calls of every node of ours."""
    for host, call_id, passed in play.town.account.every():
        if host != play.plan.stranger:
            yield host, call_id, passed


def _whole(play: Play, until: float = 32.0) -> Iterator[tuple[str, str, list[Passed]]]:
    """The calls of processes that lived through them, and for so many seconds afterwards."""
    deaths = play.town.deaths
    for host, call_id, passed in _ours(play):
        if not any(name == host and passed[0].at <= at <= passed[-1].at + until for at, name in deaths):
            yield host, call_id, passed


def _accepts(p: Passed) -> bool:
    return 200 <= p.head.status < 300 and p.head.of == "INVITE"


def _ends(p: Passed, passed: list[Passed]) -> bool:
    """Whether this message from the party ends its leg: BYE, CANCEL, or the refusal of the INVITE."""
    if p.head.method == "CANCEL":  # of the call's own INVITE; one that comes after the answer changes nothing
        if p.head.seq not in {q.head.seq for q in passed if q.head.method == "INVITE" and not q.head.to_tag}:
            return False
        finals = [q for q in passed if q.out and q.head.seq == p.head.seq and q.head.of == "INVITE"]
        first = next((q for q in finals if q.head.status >= 200), None)
        return first is not None and first.head.status == 487
    if p.head.method == "BYE":
        return True
    if p.head.status < 300 or p.head.of != "INVITE":
        return False
    asked = [q.head.seq for q in passed if q.out and q.head.method == "INVITE" and not q.head.to_tag]
    return p.head.seq == max(asked, default=-1)


def _could_end(p: Passed) -> bool:
    """Whether this message from the party may end the leg: also an ACK or a 2xx that was of no use."""
    return p.head.method in ("BYE", "CANCEL", "ACK") or (p.head.status >= 200 and p.head.of == "INVITE")


def _start(leg: dict[str, Any]) -> float:
    return float(leg["start"])
