"""Call records: one a leg under one call id, and one for the call that lists them.

Each is one JSON object. Times are monotonic seconds here; whoever writes the record
turns those of `TIMES` into civil time (`with_civil_times`).

Every record: `record` "leg" or "call" · `call` the call's id · `from`, `to` the parties'
numbers, canonical where public ("" unknown or withheld by the far side) · `gateway` its
label, "" for a phone · `start`, `ring`, `answer`, `end` (null: never) · `seconds` from
answer to end, to the millisecond · `cause` Q.850 · `status` SIP, 0 for a plain BYE ·
`text` · `ended_by` · `codec`, `ptime` in ms, `encryption` ("none", or SDES and its
suite), "" and 0 where no media was agreed; of a call those of its trunk leg, if it has one.

A leg: `leg` its id · `side` "caller" or "called" · `sip_call_id` · `lost` packets, `jitter` in ms
and `mos` of what came in, null where its media did not go through the IPBX · `ended_by` "remote"
(the party), "local" (the IPBX) or "timer". A call: `direction` "internal", "outgoing" or
"incoming" · `kind` of an outgoing number ("emergency", "national", ...) · `legs` the ids
of its legs, as they began · `ended_by` "caller", "called" or "ipbx".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trunkline.call.cause import Cause
from trunkline.call.node import Write
from trunkline.media.anchor import Report
from trunkline.sdp.description import Description
from trunkline.sdp.offer_answer import Stream

TIMES = ("start", "ring", "answer", "end")
_UNKNOWN = Cause(31)  # Q.850: normal, unspecified
_PTIME = 20  # milliseconds, where the description names none (RFC 3551 §4.2)
_SHORTEST_MASKED = 9  # digits: extensions and short codes have fewer, and nobody to protect


@dataclass(slots=True)
class LegRecord:
    """What is noted of one leg while it lives; times in monotonic seconds."""

    leg: str
    side: str
    sip_call_id: str
    gateway: str
    start: float
    ring: float | None = None
    answer: float | None = None
    end: float | None = None
    cause: Cause = _UNKNOWN
    ended_by: str = ""
    codec: str = ""
    ptime: int = 0
    encryption: str = ""
    lost: int | None = None
    jitter: float | None = None
    mos: float | None = None


class CallRecord:
    """Notes of one call, from its first INVITE until everything is over."""

    __slots__ = (
        "_by",
        "_cause",
        "_end",
        "_from",
        "_mask_digits",
        "_start",
        "_to",
        "call",
        "direction",
        "kind",
        "legs",
    )

    def __init__(self, call: str, now: float, *, mask_digits: int = 0) -> None:
        self.call = call
        self.direction = ""
        self.kind = ""
        self.legs: dict[str, LegRecord] = {}
        self._mask_digits = mask_digits
        self._start = now
        self._from = self._to = ""
        self._end: float | None = None
        self._cause = _UNKNOWN
        self._by = ""

    # --- what happened --------------------------------------------------------------------

    def parties(self, from_: str, to: str, *, direction: str = "", kind: str = "") -> None:
        """Who calls whom; said again, the later word holds."""
        self._from, self._to = from_, to
        self.direction, self.kind = direction or self.direction, kind or self.kind

    def leg(self, leg: str, side: str, sip_call_id: str, now: float, *, gateway: str = "") -> None:
        """A leg begins; `side` is "caller" or "called"."""
        self.legs[leg] = LegRecord(leg, side, sip_call_id, gateway, now)

    def called(self, leg: str, sip_call_id: str) -> None:
        """An anchored leg is called once its port is open, and has its Call-ID from then on."""
        if (noted := self.legs.get(leg)) is not None:
            noted.sip_call_id = sip_call_id

    def rang(self, leg: str, now: float) -> None:
        """A called leg rings; only the first time counts."""
        noted = self.legs[leg]
        if noted.ring is None:
            noted.ring = now

    def answered(self, leg: str, now: float) -> None:
        """A called leg answered the call."""
        self.legs[leg].answer = now

    def media(self, leg: str, sdp: Description | None) -> None:
        """What the answer on this leg agreed on; later ones (hold, another codec) replace it."""
        audio = sdp.audio if sdp is not None else None
        if audio is None or not audio.formats:
            return
        noted, mapped = self.legs[leg], audio.rtpmap(audio.formats[0])
        noted.codec = mapped.name if mapped is not None else audio.formats[0]
        noted.ptime = audio.ptime or _PTIME
        suite = next((crypto.suite for crypto in audio.crypto), "") if "SAVP" in audio.proto else ""
        noted.encryption = f"SDES {suite}".strip() if "SAVP" in audio.proto else "none"

    def stream(self, leg: str, stream: Stream) -> None:
        """What an anchored leg agreed on."""
        noted = self.legs.get(leg)
        if noted is not None:
            noted.codec, noted.ptime = stream.codec, stream.ptime
            noted.encryption = "none" if stream.crypto is None else f"SDES {stream.crypto.suite}"

    def quality(self, report: Report) -> None:
        """How an anchored leg's media arrived: packets lost, jitter in ms, MOS (G.107)."""
        noted = self.legs.get(report.leg)
        if noted is not None:
            noted.lost, noted.jitter, noted.mos = report.lost, round(report.jitter, 2), round(report.mos, 2)

    def ended(self, leg: str, cause: Cause, by: str, now: float) -> None:
        """A leg is over; only the first word counts, late echoes of it do not."""
        noted = self.legs[leg]
        if noted.end is None:
            noted.end, noted.cause, noted.ended_by = now, cause, by

    def over(self, cause: Cause, by: str, now: float) -> None:
        """The call is over: why, and who ended it ("caller", "called", "ipbx"); the first word counts."""
        if self._end is None:
            self._end, self._cause, self._by = now, cause, by

    # --- what is kept of it -----------------------------------------------------------------

    def writes(self, now: float) -> list[Write]:
        """The records, each leg's and then the call's, once nothing of the call is left."""
        whole = self._whole()
        out = [Write(self._leg_fields(noted, whole, now)) for noted in self.legs.values()]
        fields = {
            "record": "call",
            "call": self.call,
            "direction": self.direction or self._direction(),
            "kind": self.kind,
            **self._common(whole, self._cause, self._by, now),
            "legs": list(self.legs),
        }
        return [*out, Write(fields)]

    def status(self, now: float) -> dict[str, Any]:
        """For `trunkline status`, while the call lives."""
        whole = self._whole()
        return {
            "from": self._from,
            "to": self._to,
            "seconds": round(now - self._start, 1),
            "answered": None if whole.answer is None else round(now - whole.answer, 1),
            "codec": whole.codec,
            "legs": len(self.legs),
        }

    # --- within -------------------------------------------------------------------------------

    def _whole(self) -> LegRecord:
        """The call as one leg: of the leg that answered, else of the last one tried."""
        legs = list(self.legs.values())
        called = [noted for noted in legs if noted.side == "called"]
        best = next((noted for noted in called if noted.answer is not None), called[-1] if called else None)
        gateway = next((noted.gateway for noted in (best, *legs) if noted and noted.gateway), "")
        rings = [noted.ring for noted in called if noted.ring is not None]
        whole = LegRecord("", "", "", gateway, self._start, min(rings, default=None), end=self._end)
        if best is not None:
            heard = next((noted for noted in legs if noted.gateway and noted.codec), best)
            whole.answer, whole.codec = best.answer, heard.codec  # the trunk's media speaks for the call
            whole.ptime, whole.encryption = heard.ptime, heard.encryption
        return whole

    def _direction(self) -> str:
        for noted in self.legs.values():
            if noted.gateway:
                return "incoming" if noted.side == "caller" else "outgoing"
        return "internal"

    def _leg_fields(self, noted: LegRecord, whole: LegRecord, now: float) -> dict[str, Any]:
        if noted.side == "caller":  # it hears the call as a whole: ringing and answer of whoever was called
            noted.ring, noted.answer = whole.ring, whole.answer
            if not noted.codec:
                noted.codec, noted.ptime, noted.encryption = whole.codec, whole.ptime, whole.encryption
        cause, by = (noted.cause, noted.ended_by) if noted.end is not None else (self._cause, "local")
        return {
            "record": "leg",
            "call": self.call,
            "leg": noted.leg,
            "side": noted.side,
            "sip_call_id": noted.sip_call_id,
            "lost": noted.lost,
            "jitter": noted.jitter,
            "mos": noted.mos,
            **self._common(noted, cause, by, now),
        }

    def _common(self, noted: LegRecord, cause: Cause, by: str, now: float) -> dict[str, Any]:
        end = now if noted.end is None else noted.end
        return {
            "from": masked(self._from, self._mask_digits),
            "to": masked(self._to, self._mask_digits),
            "gateway": noted.gateway,
            "start": noted.start,
            "ring": noted.ring,
            "answer": noted.answer,
            "end": end,
            "seconds": 0.0 if noted.answer is None else round(max(end - noted.answer, 0.0), 3),
            "cause": cause.q850,
            "status": cause.status,
            "text": cause.text,
            "ended_by": by,
            "codec": noted.codec,
            "ptime": noted.ptime,
            "encryption": noted.encryption,
        }


def masked(number: str, digits: int) -> str:
    """A public number with its last `digits` digits as X; extensions and short codes stay readable."""
    if digits <= 0 or len(number.lstrip("+")) < _SHORTEST_MASKED:
        return number
    shown = max(len(number) - digits, 1 if number.startswith("+") else 0)
    return number[:shown] + "X" * (len(number) - shown)


def with_civil_times(record: Mapping[str, Any], civil: Callable[[float], str]) -> dict[str, Any]:
    """A copy with each of `TIMES` as the civil text that `civil` gives for a monotonic instant."""
    copy = dict(record)
    for name in TIMES:
        value = copy.get(name)
        if isinstance(value, int | float):
            copy[name] = civil(value)
    return copy
