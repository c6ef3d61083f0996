"""An access SBC of another make: speaks SIP by hand, from no code of ours, and oddly on purpose.

It knows no transactions and no dialogs beyond a line or two for each call. What it does
with a call is a script drawn by the seed; whatever it does, the IPBX must end with
nothing left and every record right.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from typing import Any

from trunkline.call.node import Received
from trunkline.finding import ParseError
from trunkline.sip.flow import Flow, Send
from trunkline.sip.message import Request, Response, parse

SDP = (
    "v=0\r\no=odd 1 1 IN IP4 {host}\r\ns=odd\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 30000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)
# What it does with a call from the IPBX, and what it does when it calls.
ANSWERING = (
    "plain", "forks", "late", "deaf to cancel", "no sdp", "broken sdp", "quick bye", "early bye", "302",
    "603", "488", "420", "401", "503", "500", "422", "no contact", "asks for an offer", "always 491",
    "rings, then 503", "update", "reliable", "lazy refresher", "wants refreshes", "gone after the answer",
    "100 to bye",
)  # fmt: skip
CALLING = (
    "plain", "no offer", "no offer, no answer", "text", "small interval", "unknown extension", "no contact",
    "merged", "last hop", "never acknowledges", "cancels at once", "cancels late", "cancels and leaves",
    "stray",
)  # fmt: skip
REPEAT = 0.5  # seconds between its repetitions
REPEATS = 7


@dataclass(slots=True)
class _Call:
    """What it keeps of a call: the INVITE and flow of it, its tag, what still repeats."""

    script: str
    call_id: str
    flow: Flow
    invite: Request | None = None
    seq: int = 1
    local: str = ""
    remote: str = ""
    target: str = ""
    acked: set[str] = field(default_factory=set)
    done: bool = False


class Stranger:
    """A node; `place` lets it call in."""

    def __init__(self, place: tuple[str, int], customer: tuple[str, int], dice: random.Random) -> None:
        self.place_, self.customer, self.dice = place, customer, dice
        self.scripts: tuple[str, ...] = ANSWERING
        self._calls: dict[str, _Call] = {}
        self._due: list[tuple[float, int, Callable[[float], list[Any]]]] = []
        self._serial = 0

    # --- the node ---------------------------------------------------------------------

    def receive(self, event: Any, now: float) -> list[Any]:
        if not isinstance(event, Received):
            return []
        try:
            message = parse(event.data)
        except ParseError:
            return []
        if isinstance(message, Response):
            return self._response(message, now)
        return self._request(message, event.flow, now)

    def deadline(self) -> float | None:
        return self._due[0][0] if self._due else None

    def expire(self, now: float) -> list[Any]:
        out: list[Any] = []
        while self._due and self._due[0][0] <= now:
            out += heappop(self._due)[2](now)
        return out

    def place(self, script: str, caller: str, number: str, now: float) -> list[Any]:
        """Call the customer's number in one of the ways of CALLING."""
        flow = Flow("UDP", self.place_, self.customer)
        call = _Call(script, self._word(), flow)
        call.local = f"<sip:{caller or 'anonymous'}@{self.place_[0]}>;tag={self._word()}"
        call.remote = f"<sip:{number}@{self.customer[0]}>"
        call.target = f"sip:{number}@{self.customer[0]}:{self.customer[1]}"
        self._calls[call.call_id] = call
        if script == "stray":
            return self._strays(call)
        more: list[str] = [f"Contact: <sip:odd@{self.place_[0]}>"]
        body, kind = SDP.format(host=self.place_[0]), "application/sdp"
        if script == "no contact":
            more = []
        elif script.startswith("no offer"):
            body = ""
        elif script == "text":
            body, kind = "hello", "text/plain"
        elif script == "small interval":
            more += ["Session-Expires: 30", "Supported: timer"]
        elif script == "unknown extension":
            more.append("Require: telepathy")
        hops = 0 if script == "last hop" else 70
        invite = self._build(call, "INVITE", self._branch(), more, body, kind, hops)
        call.invite = invite
        out = [self._send(invite, flow)]
        if script == "merged":
            again = self._build(call, "INVITE", self._branch(), more, body, kind)
            out.append(self._send(again, flow))
        elif script == "cancels at once":
            out.append(self._cancel(call))
        elif script in ("cancels late", "cancels and leaves"):
            self._later(0.15 + self.dice.random() * 0.2, now, lambda _: [self._cancel(call)])
        self._repeat(now, bytes(invite), flow, lambda: "answered" in call.acked)
        return out

    # --- as the called ------------------------------------------------------------------

    def _request(self, request: Request, flow: Flow, now: float) -> list[Any]:
        call = self._calls.get(request.call_id)
        method = request.method
        if method == "ACK":
            if call is not None:
                call.acked.add(request.to_tag)
                return self._after_ack(call, now)
            return []
        if method == "OPTIONS":
            return [self._answer(request, flow, 200, self._word())]
        if method == "INVITE" and not request.to_tag:
            if call is None:
                return self._invited(request, flow, now)
            return [] if call.script != "plain" else [self._answer(request, flow, 100, "")]
        if method == "CANCEL":
            return self._cancelled(call, request, flow, now)
        if call is None:
            return [self._answer(request, flow, 481, self._word())]
        if call.script == "gone after the answer":
            return []
        if method == "BYE":
            call.done = True
            out = [self._answer(request, flow, 200, request.to_tag)]
            if call.script == "100 to bye":
                self._later(0.7, now, lambda _: out)
                return [self._answer(request, flow, 100, "")]
            return out
        if method in ("INVITE", "UPDATE"):
            status = 491 if call.script == "always 491" else 200
            return [self._answer(request, flow, status, request.to_tag, sdp=bool(request.body))]
        return [self._answer(request, flow, 200, request.to_tag)]

    def _invited(self, request: Request, flow: Flow, now: float) -> list[Any]:
        script = self.dice.choice(self.scripts)
        call = _Call(script, request.call_id, flow, request)
        tag = self._word()
        call.local = f"{request.to};tag={tag}"
        call.remote = str(request.from_)
        call.target = str(request.contact.uri) if request.contact is not None else ""
        self._calls[call.call_id] = call
        say = partial(self._answer, request, flow)
        out = [say(100, "")]
        if script.isdigit():
            extra = {
                "302": ["Contact: <sip:elsewhere@198.51.100.99>"],
                "401": ['WWW-Authenticate: Digest realm="odd", nonce="1", algorithm=MD5'],
                "503": ["Retry-After: 5"] if self.dice.random() < 0.5 else [],
                "422": ["Min-SE: 300"],
                "420": ["Unsupported: timer"],
            }
            final = say(int(script), tag, extra.get(script, []))
            self._repeat(now, final.data, flow, lambda: tag in call.acked)
            return [*out, final]
        if script == "reliable":
            return [*out, self._reliable(call, say, tag, now)]
        out.append(say(180, tag))
        if script in ("late", "deaf to cancel"):
            return out
        if script == "rings, then 503":
            final = say(503, tag)
            self._later(0.3, now, lambda _: [final])
            self._repeat(now + 0.3, final.data, flow, lambda: tag in call.acked)
            return out
        if script == "early bye":
            self._later(0.3, now, lambda _: [self._ask(call, "BYE")])
            return out
        if script == "forks":
            other = self._word()
            out.append(say(183, other, sdp=True))
            self._later(0.4, now, partial(self._accept, call, other))
        if script == "update":
            body = SDP.format(host=self.place_[0])
            self._later(0.1, now, lambda _: [self._ask(call, "UPDATE", body)])
        self._later(0.2 + self.dice.random() * 0.3, now, partial(self._accept, call, tag))
        return out

    def _accept(self, call: _Call, tag: str, now: float) -> list[Any]:
        """200, again and again until its ACK."""
        assert call.invite is not None
        if call.done:
            return []
        script, more = call.script, []
        if script == "lazy refresher":
            more = ["Session-Expires: 90;refresher=uas", "Require: timer"]
        elif script == "wants refreshes":
            more = ["Session-Expires: 90;refresher=uac", "Require: timer"]
        body = script != "no sdp"
        ok = self._answer(call.invite, call.flow, 200, tag, more, sdp=body, contact=script != "no contact")
        if script == "broken sdp":
            ok = Send(ok.data.replace(b"m=audio 30000", b"m=audio 3oooo"), ok.flow)
        self._repeat(now, ok.data, call.flow, lambda: tag in call.acked)
        if script == "quick bye":
            call.done = True
            return [ok, self._ask(call, "BYE")]
        return [ok]

    def _reliable(self, call: _Call, say: Any, tag: str, now: float) -> Send:
        """A provisional that wants a PRACK; it answers in the end whether that came or not."""
        ringing: Send = say(183, tag, ["Require: 100rel", "RSeq: 77"], sdp=True)
        self._later(REPEAT, now, lambda _: [ringing])
        self._later(1.2, now, partial(self._accept, call, tag))
        return ringing

    def _cancelled(self, call: _Call | None, request: Request, flow: Flow, now: float) -> list[Any]:
        out = [self._answer(request, flow, 200 if call is not None else 481, self._word())]
        if call is None or call.invite is None or call.done or call.script == "deaf to cancel":
            return out
        tag = call.local.rpartition("tag=")[2]
        if call.script == "late":
            return [*out, *self._accept(call, tag, now)]  # the answer and the CANCEL crossed
        call.done = True
        final = self._answer(call.invite, flow, 487, tag)
        self._repeat(now, final.data, flow, lambda: tag in call.acked)
        return [*out, final]

    def _after_ack(self, call: _Call, now: float) -> list[Any]:
        if call.script == "asks for an offer" and call.invite is not None and not call.done:
            call.script = "plain"
            return [self._ask(call, "INVITE")]  # without a description: the far side offers
        return []

    # --- as the caller ------------------------------------------------------------------

    def _response(self, response: Response, now: float) -> list[Any]:
        call = self._calls.get(response.call_id)
        if call is None or response.cseq.method != "INVITE":
            return []
        call.acked.add("answered")
        if response.status < 200:
            return []
        initial = call.invite is not None and response.branch == call.invite.branch
        body = ""
        if response.status < 300:
            call.remote = str(response.to)
            if response.contact is not None:
                call.target = str(response.contact.uri)
            if call.script == "never acknowledges":
                return []
            offered = call.script == "no offer" or not initial
            body = SDP.format(host=self.place_[0]) if offered else ""
        branch = response.branch if response.status >= 300 else self._branch()
        kept, call.remote = call.remote, str(response.to)
        ack = self._build(call, "ACK", branch, [], body, seq=response.cseq.number)
        call.remote = kept
        out = [self._send(ack, call.flow)]
        if response.status < 300 and initial and not call.done:
            call.done = True
            if call.script == "cancels and leaves":
                return [*out, self._ask(call, "BYE")]
            self._later(1.0 + self.dice.random() * 2, now, lambda _: [self._ask(call, "BYE")])
        return out

    def _cancel(self, call: _Call) -> Send:
        assert call.invite is not None
        cancel = self._build(call, "CANCEL", call.invite.branch, [], "", seq=1)
        return self._send(cancel, call.flow)

    def _strays(self, call: _Call) -> list[Any]:
        """Messages that belong to nothing."""
        call.remote += ";tag=nobody"
        words = [
            self._build(call, method, self._branch(), [], "") for method in ("BYE", "ACK", "INFO", "PRACK")
        ]
        invite = self._build(call, "INVITE", self._branch(), [], "")
        reply = self._answer(invite, call.flow, 200, self._word(), sdp=True)
        noise = [b"\r\n\r\n", b"INVITE", b"SIP/2.0 200 OK\r\n\r\n", bytes(range(256))]
        return [
            *(self._send(word, call.flow) for word in words),
            Send(reply.data, call.flow),
            *(Send(data, call.flow) for data in noise),
        ]

    # --- by hand ------------------------------------------------------------------------

    def _ask(self, call: _Call, method: str, body: str = "") -> Send:
        call.seq += 1
        contact = [f"Contact: <sip:odd@{self.place_[0]}>"] if method != "BYE" else []
        return self._send(self._build(call, method, self._branch(), contact, body, seq=call.seq), call.flow)

    def _build(
        self,
        call: _Call,
        method: str,
        branch: str,
        more: list[str],
        body: str,
        kind: str = "application/sdp",
        hops: int = 70,
        seq: int = 1,
    ) -> Request:
        lines = [
            f"{method} {call.target} SIP/2.0",
            f"Via: SIP/2.0/{call.flow.transport} {self.place_[0]}:{self.place_[1]};branch={branch}",
            f"Max-Forwards: {hops}",
            f"From: {call.local}",
            f"To: {call.remote}",
            f"Call-ID: {call.call_id}",
            f"CSeq: {seq} {method}",
            *more,
        ]
        request = parse(self._whole(lines, body, kind))
        assert isinstance(request, Request)
        return request

    def _answer(
        self,
        request: Request,
        flow: Flow,
        status: int,
        tag: str,
        more: list[str] | None = None,
        *,
        sdp: bool = False,
        contact: bool = True,
    ) -> Send:
        to = request.get("to") or ""
        lines = [f"SIP/2.0 {status} Odd", *(line for key, line in request.fields if key == "via")]
        lines += [
            f"From: {request.get('from')}",
            f"To: {to if request.to_tag or not tag else f'{to};tag={tag}'}",
        ]
        lines += [f"Call-ID: {request.call_id}", f"CSeq: {request.cseq}", *(more or [])]
        if contact and status < 300:
            lines += [
                f"Contact: <sip:odd@{self.place_[0]}:{self.place_[1]}>",
                "Allow: INVITE, ACK, BYE, CANCEL",
            ]
        body = SDP.format(host=self.place_[0]) if sdp else ""
        return Send(self._whole(lines, body, "application/sdp"), flow)

    def _whole(self, lines: list[str], body: str, kind: str) -> bytes:
        typed = [f"Content-Type: {kind}"] if body else []
        head = "\r\n".join([*lines, *typed, f"Content-Length: {len(body)}", "", ""])
        return (head + body).encode()

    def _send(self, request: Request, flow: Flow) -> Send:
        return Send(bytes(request), flow)

    def _repeat(self, now: float, data: bytes, flow: Flow, enough: Callable[[], bool]) -> None:
        def again(_: float) -> list[Any]:
            return [] if enough() else [Send(data, flow)]

        for turn in range(1, REPEATS):
            self._later(turn * REPEAT, now, again)

    def _later(self, seconds: float, now: float, act: Callable[[float], list[Any]]) -> None:
        self._serial += 1
        heappush(self._due, (now + seconds, self._serial, act))

    def _branch(self) -> str:
        return f"z9hG4bKodd{self._word()}"

    def _word(self) -> str:
        return f"{self.dice.getrandbits(48):012x}"
