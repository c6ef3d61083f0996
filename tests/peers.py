"""A node alone on virtual time, and peers that speak raw SIP with it, so that a test reads as a dialogue.

    office = Office()
    invite = ... = sbc.hears("INVITE")
    sbc.says(200, to=invite, sdp=ANSWER)
    assert phone.hears(200).body

A `Room` holds the node: what it sends goes to the peer at that address, everything else it
puts out is kept. A `Peer` hears messages one by one, in order; `quiet` says that nothing is left.
Nothing is repeated by peers on their own: what a test does not say is not said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from trunkline.call.node import Log, Node, Received, Unreachable, Write
from trunkline.media import anchor
from trunkline.sip.auth import Session
from trunkline.sip.flow import Close, Flow, Send
from trunkline.sip.locate import Answers, Question
from trunkline.sip.message import Request, Response, parse, respond
from trunkline.sip.values import Challenge, Reason

Headers = Sequence[tuple[str, str]]
Address = tuple[str, int]


class Ids:
    """Ids that count, and numbers that never vary."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.tokens = 0

    def token(self) -> str:
        self.tokens += 1
        return f"{self.name}{self.tokens:08x}"

    def number(self, below: int) -> int:
        return below // 2


def sdp(address: str, port: int = 20000, codecs: str = "8 101", direction: str = "sendrecv") -> bytes:
    """A description as a phone would write it."""
    names = {"0": "PCMU/8000", "8": "PCMA/8000", "18": "G729/8000", "101": "telephone-event/8000"}
    maps = "".join(f"a=rtpmap:{codec} {names[codec]}\r\n" for codec in codecs.split())
    return (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {codecs}\r\n{maps}a=ptime:20\r\na={direction}\r\n"
    ).encode()


class Room:
    """One node, its time in seconds, and everybody it speaks with."""

    def __init__(self, node: Any, now: float = 0.0) -> None:
        self.node: Node = node
        self.now = now
        self.peers: dict[Address, Peer] = {}
        self.names: dict[Question, tuple[Any, ...]] = {}
        self.records: list[dict[str, Any]] = []
        self.logs: list[Log] = []
        self.media: list[Any] = []  # commands of the media seam
        self.ports = True  # the media engine opens ports at once
        self.reports = True  # and says at once how a leg was that is released
        self.lost: list[Send] = []  # sent to where nobody is

    def does(self, outputs: list[Any]) -> None:
        """Carry out what the node puts out."""
        queue = deque(outputs)
        while queue:
            output = queue.popleft()
            match output:
                case Send(data, flow):
                    peer = self.peers.get(flow.remote)
                    if peer is None:
                        self.lost.append(output)
                    else:
                        peer.inbox.append((parse(data), flow))
                case Question():
                    found = self.names.get(output)
                    error = "" if found is not None else "no such name"
                    queue.extend(self.node.receive(Answers(output, found or (), 3600.0, error), self.now))
                case Write(record):
                    self.records.append(dict(record))
                case Log():
                    self.logs.append(output)
                case anchor.Offer(media, leg, address):
                    self.media.append(output)
                    if self.ports:
                        port = 20000 + 2 * len(self.media)
                        opened = anchor.Anchored(media, leg, address, port, port + 1)
                        queue.extend(self.node.receive(opened, self.now))
                case anchor.Release(media, leg) if self.reports and leg:
                    self.media.append(output)
                    queue.extend(self.node.receive(anchor.Report(media, leg, 100, 90, 10), self.now))
                case Close():
                    raise AssertionError(f"closed: {output.why}")
                case _:
                    self.media.append(output)

    def tells(self, event: Any) -> None:
        """Any event of the world for the node."""
        self.does(self.node.receive(event, self.now))

    def after(self, seconds: float) -> None:
        """Time passes; the node is woken exactly when it wants to be."""
        end = self.now + seconds
        while True:
            due = self.node.deadline()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.does(self.node.expire(self.now))
            left = self.node.deadline()
            assert left is None or left > due, f"woken at {due} s, it wants to be woken at {left} s"
        self.now = end

    def peer(self, address: Address, node: Address, transport: str = "UDP") -> Peer:
        """Somebody at `address` who speaks with the node at its own address `node`."""
        return Peer(self, Flow(transport, node, address))

    def record(self) -> dict[str, Any]:
        """The one call record there is."""
        (call,) = [record for record in self.records if record["record"] == "call"]
        return call

    def legs(self) -> list[dict[str, Any]]:
        """The leg records, as the legs began."""
        return [record for record in self.records if record["record"] == "leg"]


@dataclass
class Peer:
    """Somebody with one address; `user` and `password` answer challenges."""

    room: Room
    flow: Flow  # as the node sees it: local is the node's address
    user: str = ""
    password: str = ""
    inbox: deque[tuple[Request | Response, Flow]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.room.peers[self.flow.remote] = self
        self.ids = Ids(f"{self.host}-".replace(":", "-"))
        self.session = Session(self.user, self.password)
        self.cseq = 0

    @property
    def host(self) -> str:
        return f"{self.flow.remote[0]}:{self.flow.remote[1]}"

    # --- hearing --------------------------------------------------------------------------

    def hears(self, what: str | int) -> Any:
        """The next message: a request of this method, or a response with this status (100 only if asked)."""
        while self.inbox:
            message, _ = self.inbox.popleft()
            said = message.method if isinstance(message, Request) else message.status
            if said == 100 and what != 100:
                continue
            assert said == what, f"expected {what}, got {said}:\n{bytes(message).decode()}"
            return message
        raise AssertionError(f"expected {what}, got nothing")

    def quiet(self) -> None:
        """Nothing more was said (100 does not count)."""
        left = [m for m, _ in self.inbox if not (isinstance(m, Response) and m.status == 100)]
        assert not left, "\n".join(m.start for m in left)
        self.inbox.clear()

    # --- speaking -------------------------------------------------------------------------

    def sends(self, message: Request | Response | bytes) -> None:
        """Raw bytes to the node."""
        data = message if isinstance(message, bytes) else bytes(message)
        self.room.tells(Received(data, self.flow))

    def unreachable(self) -> None:
        """What the node sends here cannot be delivered."""
        self.unreachable_because("connection refused")

    def unreachable_because(self, why: str) -> None:
        """Likewise, with other words."""
        self.room.tells(Unreachable(self.flow, why))

    def says(
        self,
        status: int,
        to: Request,
        sdp: bytes = b"",
        headers: Headers = (),
        tag: str = "far",
        reason: str | None = None,
    ) -> Response:
        """Answer a request that was heard."""
        own = (("Contact", f"<sip:{self.user or 'far'}@{self.host}>"), ("Allow", ALLOW))
        given = {name for name, _ in headers}
        makes = status < 300 and to.method in ("INVITE", "UPDATE")
        more = tuple(pair for pair in own if pair[0] not in given) if makes else ()
        tag = "" if status == 100 else tag
        response = respond(to, status, reason, to_tag=tag, headers=(*more, *headers), body=sdp)
        self.sends(response)
        return response

    def asks(
        self,
        method: str,
        uri: str,
        headers: Headers = (),
        body: bytes = b"",
        *,
        from_: str = "",
        to: str = "",
        call_id: str = "",
        cseq: int = 0,
        content_type: str = "application/sdp",
    ) -> Request:
        """Send a request, with whatever is not given made up."""
        self.cseq = cseq or self.cseq + 1
        given = list(headers)
        names = {name.lower() for name, _ in given}
        made = [
            ("Via", f"SIP/2.0/{self.flow.transport} {self.host};branch=z9hG4bK{self.ids.token()};rport"),
            ("Max-Forwards", "70"),
            ("From", from_ or f"<sip:{self.user or 'far'}@{self.host}>;tag={self.ids.token()}"),
            ("To", to or f"<{uri}>"),
            ("Call-ID", call_id or self.ids.token()),
            ("CSeq", f"{self.cseq} {method}"),
            ("Contact", f"<sip:{self.user or 'far'}@{self.host}>"),
            ("Allow", ALLOW),
        ]
        kept = [(name, value) for name, value in made if name.lower() not in names]
        request = Request.build(method, uri, [*kept, *given], body, content_type)
        self.sends(request)
        return request

    def credentials(self, challenged: Response, request: Request) -> tuple[str, str]:
        """The Authorization that answers a 401."""
        challenges = [
            value for value in challenged.values("www-authenticate") if isinstance(value, Challenge)
        ]
        answer = self.session.answer(challenges, request.method, request.uri_text, self.ids)
        assert answer is not None
        return ("Authorization", str(answer))


ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"


class Dialog:
    """One peer's side of a call: its INVITE, or one that it heard and what it answered."""

    def __init__(self, peer: Peer, invite: Request, *, calls: bool) -> None:
        self.peer = peer
        self.invite = invite
        self.calls = calls
        self.seq = invite.cseq.number if calls else 100
        self.tag = "far"  # of the callee

    # --- the callee -----------------------------------------------------------------------

    def says(
        self, status: int, sdp: bytes = b"", headers: Headers = (), reason: str | None = None
    ) -> Response:
        """Answer the INVITE."""
        return self.peer.says(status, self.invite, sdp, headers, self.tag, reason)

    # --- the caller -----------------------------------------------------------------------

    def acks(self, answer: Response, sdp: bytes = b"") -> None:
        """ACK a 2xx."""
        self.asks("ACK", sdp, answer=answer, cseq=answer.cseq.number)

    def cancels(self, headers: Headers = ()) -> None:
        """Give up before the answer."""
        invite = self.invite
        own = [(name, invite.get(name) or "") for name in ("Via", "From", "To", "Call-ID", "Max-Forwards")]
        cancel = Request.build(
            "CANCEL", invite.uri_text, [*own, ("CSeq", f"{invite.cseq.number} CANCEL"), *headers]
        )
        self.peer.sends(cancel)

    def hears_no(self, status: int) -> Any:
        """The call is refused with this status; acknowledged as a transaction does (§17.1.1.3)."""
        response = self.peer.hears(status)
        invite = self.invite
        names = ("Via", "From", "Call-ID", "Max-Forwards")
        own = [(name, value) for name in names if (value := invite.get(name))]
        to, cseq = response.get("to") or "", f"{response.cseq.number} ACK"
        self.peer.sends(Request.build("ACK", invite.uri_text, [*own, ("To", to), ("CSeq", cseq)]))
        return response

    # --- both -----------------------------------------------------------------------------

    def asks(
        self,
        method: str,
        sdp: bytes = b"",
        headers: Headers = (),
        *,
        answer: Response | None = None,
        cseq: int = 0,
        content_type: str = "application/sdp",
    ) -> Request:
        """A request inside the dialog; a caller names the answer that made it, once."""
        if answer is not None:
            self.answer = answer
        invite = self.invite
        if self.calls:
            from_, to = invite.get("from") or "", self.answer.get("to") or ""
            contact = self.answer.contact
            uri = str(contact.uri) if contact is not None else invite.uri_text
        else:
            from_, to = f"{invite.get('to')};tag={self.tag}", invite.get("from") or ""
            contact = invite.contact
            assert contact is not None
            uri = str(contact.uri)
        if not cseq:
            self.seq += 1
        return self.peer.asks(
            method, uri, headers, sdp, from_=from_, to=to, call_id=invite.call_id, cseq=cseq or self.seq,
            content_type=content_type,
        )  # fmt: skip

    def byes(self, headers: Headers = ()) -> None:
        """Hang up, and hear that it was understood."""
        self.asks("BYE", headers=headers)
        self.peer.hears(200)

    def hears_bye(self) -> Request:
        """The node hangs up, and is answered."""
        bye: Request = self.peer.hears("BYE")
        self.peer.says(200, bye)
        return bye


def q850(message: Request | Response) -> int:
    """The Q.850 cause that a message names, 0 if none."""
    for reason in message.values("reason"):
        if isinstance(reason, Reason) and reason.protocol == "Q.850":
            return reason.cause or 0
    return 0
