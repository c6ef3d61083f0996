"""Places the calls of an act and gathers what both ends and the IPBX saw of them; judges nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trunkline.aio import clock
from trunkline.call.party import TEST_TONES, Behaviour
from trunkline.call.phone import PhoneCall
from trunkline.lab.judge import Seal, Seen, Side, Verdict, judge
from trunkline.lab.phones import LabPhone, side_of
from trunkline.lab.processes import POLL, Child
from trunkline.lab.scenarios import (
    BYE_TIMERS,
    SLACK,
    Act,
    Loss,
    Plan,
    answering,
    callable_users,
    dialled,
    listening_for,
    wanted,
)
from trunkline.lab.stage import Lab

HEAR = 5.0  # seconds for both ends to hear each other
ANSWER = 6.0  # seconds for a call to be answered
TALK = 1.0  # seconds both ends talk on once they have heard each other
END = 5.0  # seconds for an ended call to be gone at the phone
RECORD = 3.0  # seconds for its record to be written once nothing of the call is left
INCOMING = 2.0  # seconds after which the public caller hangs up
NOTICE = 8.0  # seconds for a phone to notice silence; told after two


@dataclass(slots=True)
class Note:
    """Something that happened to a part of the lab: civil nanoseconds, whose it is, what."""

    at_ns: int
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """One call, observed and judged: what the demo prints."""

    act: str
    title: str
    caller: str
    called: str
    user: str
    seen: Seen
    verdict: Verdict
    call_ids: frozenset[str] = frozenset()
    notes: tuple[Note, ...] = ()


@dataclass(slots=True)
class _Running:
    """One call while it lives."""

    plan: Plan
    phone: LabPhone
    near_tone: int
    far_tone: int
    number: str
    again: int = 0  # the tone the phone played while the SBC hung, if it did
    call: PhoneCall | None = None
    sbc: Child | None = None
    talk: dict[str, Any] = field(default_factory=dict)
    seen: Seen = field(default_factory=lambda: Seen(Side("the phone")))


class Observer:
    """Plays acts in a lab. `mute` makes the phones play silence, to show that this FAILS."""

    def __init__(self, lab: Lab, *, mute: bool = False) -> None:
        self.lab, self._mute = lab, mute
        self._labels = [gateway.label for gateway in lab.site.trunk.gateways]
        self._sbcs = [lab.sbcs[sbc.label] for sbc in lab.site.carrier.sbcs]
        self._public = answering(lab.site)
        self._users = callable_users(lab.site)
        self._tone = 0

    async def play(self, act: Act) -> AsyncIterator[Told]:
        """Its calls, each as soon as it can be judged."""
        running = await self._begin(act.call)
        if act.loss is Loss.NONE:
            yield await self._finish(act, running, ())
            return
        notes = (await self._lose(act.loss),)
        outlives = act.loss is Loss.STOPPED and bool(act.goes_on)  # and its far end speaks when it wakes
        async with asyncio.TaskGroup() as together:
            suffers = self._bear(running) if outlives else self._suffer(act, running, notes)
            first: asyncio.Task[Told | None] = together.create_task(suffers)
            second = together.create_task(self._second(act, notes))
        for told in (first.result(), second.result()):
            if told is not None:
                yield told
        if outlives:
            await self._woke(running)
            yield await self._finish(act, running, notes)
        await self._restore(act.loss)
        if act.afterwards is not None:
            yield await self._finish(act, await self._begin(act.afterwards), ())

    # --- one call ---------------------------------------------------------------------

    def _next_tone(self) -> int:
        """Each call has a tone of its own, until they begin again."""
        self._tone += 1
        return TEST_TONES[(self._tone - 1) % len(TEST_TONES)]

    async def _begin(self, plan: Plan) -> _Running:
        """Place it, and wait until both ends hear each other or nothing more will come."""
        phone, public = self.lab.phones[self._users[plan.user]], self._public[plan.subscriber]
        near_tone = self._next_tone()
        running = _Running(plan, phone, near_tone, public.tone, public.number)
        tones = listening_for(public.tone, (known.tone for known in self._public))
        behaviour = Behaviour(after=0.3, tone=0 if self._mute else near_tone, listen=tones)
        begun = clock.now()
        if plan.incoming:
            running.call = await self._ring_in(running, behaviour)
        else:
            running.call = phone.call(dialled(self.lab.site.numbering, public.number), behaviour)
        call = running.call
        if call is None or not await phone.node.until(lambda: bool(call.answered_at or call.cause), ANSWER):
            return running
        if call.answered_at is None:
            assert call.cause is not None
            running.seen = replace(running.seen, refused=f"{call.cause.status} {call.cause.text}".strip())
            return running
        running.seen = replace(running.seen, answered_after=call.answered_at - begun)
        await self._heard(running)
        return running

    async def _ring_in(self, running: _Running, behaviour: Behaviour) -> PhoneCall | None:
        phone, sbc = running.phone, self._sbcs[running.plan.gateway]
        phone.phone.behaviour = behaviour
        known = len(phone.phone.calls)
        placed = await sbc.ask(
            "place", caller=running.number, number=phone.user.ddi, tone=running.far_tone, seconds=INCOMING
        )
        running.sbc, running.talk = sbc, {"leg": placed["leg"]}
        calls = phone.phone.calls
        return calls[known] if await phone.node.until(lambda: len(calls) > known, ANSWER) else None

    async def _heard(self, running: _Running) -> tuple[bool, bool]:
        """Wait until each end hears the other's tone; which did."""
        call, phone = running.call, running.phone
        assert call is not None
        near = await phone.node.until(lambda: running.far_tone in call.heard, HEAR)
        within = HEAR if near else POLL
        if running.sbc is None:
            await self._find(running, within)
        if running.sbc is None:
            return near, False
        told = await running.sbc.until(
            lambda status: running.near_tone in _talk(status, running)["heard"], within
        )
        status = told or await running.sbc.ask("status")
        running.talk = _talk(status, running)
        return near, told is not None

    async def _find(self, running: _Running, within: float) -> None:
        """Which SBC has the far end of an outgoing call."""
        other = running.phone.user.ddi

        def mine(talk: Mapping[str, Any]) -> bool:
            return bool(talk["number"] == running.number and talk["other"] == other and not talk["over"])

        deadline = clock.now() + within
        while running.sbc is None and clock.now() < deadline:
            for sbc in self._sbcs:
                if not sbc.runs or sbc.frozen:
                    continue
                found = [talk for talk in (await sbc.ask("status"))["talks"] if mine(talk)]
                if found:
                    running.sbc, running.talk = sbc, found[-1]
                    return
            await asyncio.sleep(POLL)

    async def _finish(self, act: Act, running: _Running, notes: tuple[Note, ...]) -> Told:
        """Let them talk, end it, wait until nothing is left of it, and judge it."""
        call, phone = running.call, running.phone
        if call is not None:
            if not running.plan.incoming and call.answered_at is not None:
                await phone.node.until(lambda: call.ended_at is not None, TALK)
            if not running.plan.incoming:
                phone.hang_up(call)
            await phone.node.until(lambda: call.gone and call.report is not None, END)
        return await self._judged(act, running, notes)

    async def _judged(self, act: Act, running: _Running, notes: tuple[Note, ...]) -> Told:
        plan, call, user = running.plan, running.call, running.phone.user
        near = side_of(call, "the phone") if call is not None else Side("the phone")
        far = await self._far(running)
        record, legs = await self._record(call)
        gateway = record.get("gateway", "")
        seen = replace(
            running.seen,
            near=near,
            far=far,
            gateway=gateway,
            record=record,
            silent=call is not None and call.silent,
            relayed=tuple(_relayed(leg) for leg in legs if leg["mos"]),
            seal=await self._seal(gateway, legs),
        )
        want = wanted(act, plan, running.far_tone, running.near_tone, self.lab.site, running.again)
        parties = (user.extension, running.number)
        caller, called = (parties[1], user.ddi) if plan.incoming else parties
        verdict = judge(seen, want)
        ids = frozenset(leg["sip_call_id"] for leg in legs)
        if call is not None:
            ids |= {call.leg.usage.call_id}
        return Told(act.title, plan.title, caller, called, user.extension, seen, verdict, ids, notes)

    async def _far(self, running: _Running) -> Side:
        """The far end's view: counted if its SBC can still be asked, else as it last was."""
        talk, sbc = running.talk, running.sbc
        if sbc is not None and sbc.runs and not sbc.frozen:
            status = await sbc.until(lambda status: bool(_talk(status, running)["over"]), END)
            talk = _talk(status or await sbc.ask("status"), running)
        return Side(
            "the far end", talk.get("sent"), talk.get("received"), talk.get("lost") or 0,
            frozenset(talk.get("heard", ())) - {running.again}, talk.get("codec", ""), talk.get("ptime", 0),
            talk.get("jitter") or 0.0, talk.get("mos") or 0.0,
        )  # fmt: skip

    async def _record(self, call: PhoneCall | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The IPBX's record of a call, and those of its legs."""
        if call is None:
            return {}, []
        mine = call.leg.usage.call_id
        # An INVITE that a dead SBC never answered is part of the call until it has timed out.
        deadline = clock.now() + BYE_TIMERS * self.lab.site.timers.t1 + RECORD
        while clock.now() < deadline:
            lines = self.lab.records.read_text("utf-8").splitlines() if self.lab.records.exists() else []
            records = [json.loads(line) for line in lines]
            legs = [record for record in records if record["record"] == "leg"]
            whose = next((leg["call"] for leg in legs if leg["sip_call_id"] == mine), None)
            for record in records:
                if record["record"] == "call" and record["call"] == whose:
                    return record, [leg for leg in legs if leg["call"] == whose]
            await asyncio.sleep(POLL)
        return {}, []

    async def _seal(self, gateway: str, legs: list[dict[str, Any]]) -> Seal | None:
        """How the trunk leg of this call was secured: what the IPBX says of TLS, and the record of SRTP."""
        if not self.lab.secure or not gateway:
            return None
        known = (await self.lab.ipbx.ask("status"))["gateways"]
        tls = next((entry["tls"] for entry in known if entry["label"] == gateway), None) or {}
        srtp = next((leg["encryption"] for leg in legs if leg["gateway"] == gateway), "")
        names = tuple(tls.get("theirs", ()))
        return Seal(tls.get("version", ""), tls.get("suite", ""), tls.get("ours", ""), names, srtp)

    # --- losing the nominal SBC -------------------------------------------------------

    async def _lose(self, loss: Loss) -> Note:
        nominal = self._sbcs[0]
        match loss:
            case Loss.UNAVAILABLE:
                await nominal.ask("fault", fault="503")
                text = "answers 503 from here on"
            case Loss.STOPPED:
                nominal.freeze()
                text = "stopped (SIGSTOP)"
            case _:
                await nominal.kill()
                text = "killed (SIGKILL)"
        return Note(clock.civil_ns(), nominal.label, text)

    async def _suffer(self, act: Act, running: _Running, notes: tuple[Note, ...]) -> Told:
        """The call that was up when it happened."""
        call, phone = running.call, running.phone
        if call is None or call.answered_at is None:
            return await self._judged(act, running, notes)
        if act.loss is Loss.UNAVAILABLE:
            phone.listen(call, (running.far_tone,))
            assert running.sbc is not None
            await running.sbc.ask("listen")
            near, far = await self._heard(running)
            tones = (
                frozenset({running.far_tone} if near else ()),
                frozenset({running.near_tone} if far else ()),
            )
            running.seen = replace(running.seen, heard_again=tones)
            return await self._finish(act, running, notes)
        await phone.node.until(lambda: call.ended_at is not None, NOTICE)
        await self._freed(running)
        return await self._judged(act, running, notes)

    async def _bear(self, running: _Running) -> None:
        """The SBC's signalling hangs, its media does not: the phone listens anew, and plays another tone.

        Nobody can ask the far end until it wakes: it has then heard that tone, or has not.
        """
        call, phone = running.call, running.phone
        if call is None or call.answered_at is None:
            return
        running.again = self._next_tone()
        if not self._mute:
            phone.play(call, running.again)
        phone.listen(call, (running.far_tone,))
        near = await phone.node.until(lambda: running.far_tone in call.heard, HEAR)
        running.seen = replace(
            running.seen, heard_again=(frozenset({running.far_tone} if near else ()), frozenset())
        )
        await phone.node.until(lambda: call.ended_at is not None, TALK)
        if not self._mute:
            phone.play(call, running.near_tone)

    async def _woke(self, running: _Running) -> None:
        """The SBC's signalling goes on, and the far end can be asked: what it heard meanwhile."""
        self._sbcs[0].thaw()
        if running.sbc is None or running.seen.heard_again is None:
            return
        status = await running.sbc.until(
            lambda status: running.again in _talk(status, running)["heard"], HEAR
        ) or await running.sbc.ask("status")
        heard = frozenset(_talk(status, running)["heard"]) & {running.again}
        running.seen = replace(running.seen, heard_again=(running.seen.heard_again[0], heard))

    async def _freed(self, running: _Running) -> None:
        """Wait until the IPBX has given the channel back; how long that took."""
        call, user = running.call, running.phone.user
        if call is None or call.ended_at is None:
            return
        within = BYE_TIMERS * self.lab.site.timers.t1 + SLACK
        status = await self.lab.ipbx.until(
            lambda status: all(live["from"] != user.extension for live in status["calls"]), within
        )
        if status is not None:
            running.seen = replace(running.seen, freed_after=clock.now() - call.ended_at)

    async def _second(self, act: Act, notes: tuple[Note, ...]) -> Told | None:
        if act.meanwhile is None:
            return None
        return await self._finish(act, await self._begin(act.meanwhile), notes)

    async def _restore(self, loss: Loss) -> None:
        """The nominal SBC is well again, and the IPBX has seen it."""
        nominal = self._sbcs[0]
        match loss:
            case Loss.UNAVAILABLE:
                await nominal.ask("fault", fault="none")
            case Loss.STOPPED:
                nominal.thaw()
            case _:
                await nominal.start()
        await self.lab.up(self._labels[0])


def _talk(status: Mapping[str, Any], running: _Running) -> dict[str, Any]:
    """The far end's view of this call in its SBC's status."""
    leg = running.talk["leg"]
    return next(
        (talk for talk in status["talks"] if talk["leg"] == leg), {"leg": leg, "heard": [], "over": True}
    )


def _relayed(leg: Mapping[str, Any]) -> Side:
    """What the IPBX counted of what came in on one leg."""
    who = f"the IPBX, from {leg['gateway'] or 'the phone'}"
    return Side(who, lost=leg["lost"], codec=leg["codec"], ptime=leg["ptime"], jitter=leg["jitter"],
                mos=leg["mos"])  # fmt: skip
