"""Dialogs: what two user agents remember of each other between messages (RFC 3261 §12)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple, cast

from trunkline.finding import ParseError
from trunkline.sip.flow import Flow
from trunkline.sip.headers import STAR, Address
from trunkline.sip.message import Request, Response
from trunkline.sip.uri import Uri


class DialogState(StrEnum):
    """§12: early until a 2xx, then confirmed."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    OVER = "over"


class DialogId(NamedTuple):
    """§12: Call-ID, local tag, remote tag."""

    call_id: str
    local_tag: str
    remote_tag: str


class Dialog:
    """One dialog, as seen from this side.

    `local` and `remote` are the From and To texts of requests sent here, `target` the
    remote target URI (the peer's Contact), `route` the route set in the order of use.
    `flow` is the path the dialog was made on: a request whose next hop is a name, or a
    peer behind a connection, goes there and nowhere else (domain rule: a call stays
    with its SBC).
    """

    __slots__ = (
        "allow",
        "call_id",
        "flow",
        "local",
        "local_seq",
        "local_tag",
        "owner",
        "remote",
        "remote_seq",
        "remote_tag",
        "route",
        "state",
        "target",
    )

    def __init__(
        self,
        *,
        call_id: str,
        local: str,
        local_tag: str,
        remote: str,
        remote_tag: str,
        local_seq: int,
        remote_seq: int | None,
        target: Uri,
        route: tuple[Address, ...],
        flow: Flow,
        owner: Any,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.local_tag = local_tag
        self.remote = remote
        self.remote_tag = remote_tag
        self.local_seq = local_seq
        self.remote_seq = remote_seq
        self.target = target
        self.route = route
        self.flow = flow
        self.owner = owner
        self.state = DialogState.EARLY
        self.allow: tuple[str, ...] = ()

    @classmethod
    def of_request(cls, request: Request, local_tag: str, flow: Flow, local_seq: int, owner: Any) -> Dialog:
        """The UAS side (§12.1.1); `local_tag` is the tag our responses carry.

        A request without the Contact it must have is taken as sent by whom From names, as
        RFC 2543 did. Raises ParseError for Contact: *.
        """
        to, contact = request.to, request.contact or request.from_
        if contact is STAR:
            raise ParseError("Contact", "*", "expected a URI, to make a dialog (RFC 3261 §12.1.1)")
        dialog = cls(
            call_id=request.call_id,
            local=str(to if to.tag else to.with_param("tag", local_tag)),
            local_tag=local_tag,
            remote=str(request.from_),
            remote_tag=request.from_tag,
            local_seq=local_seq,
            remote_seq=request.cseq.number,
            target=_bare(contact.uri),
            route=_routes(request),
            flow=flow,
            owner=owner,
        )
        dialog._note_allow(request)
        return dialog

    @classmethod
    def of_response(cls, request: Request, response: Response, flow: Flow, owner: Any) -> Dialog:
        """The UAC side (§12.1.2): the route set is the Record-Route in reverse order.

        A response without the Contact it must have is taken as sent by whom we called: an
        answered call can then still be acknowledged and ended.
        """
        contact = response.contact
        dialog = cls(
            call_id=response.call_id,
            local=str(response.from_),
            local_tag=response.from_tag,
            remote=str(response.to),
            remote_tag=response.to_tag,
            local_seq=request.cseq.number,
            remote_seq=None,
            target=request.uri if contact is None or contact is STAR else _bare(contact.uri),
            route=_routes(response)[::-1],
            flow=flow,
            owner=owner,
        )
        dialog._note_allow(response)
        return dialog

    @property
    def id(self) -> DialogId:
        return DialogId(self.call_id, self.local_tag, self.remote_tag)

    def confirm(self, response: Response | None = None) -> None:
        """A 2xx came or went; for the UAC it fixes target and route set anew (§13.2.2.4)."""
        self.state = DialogState.CONFIRMED
        if response is not None:
            self.retarget(response)
            self.route = _routes(response)[::-1]

    def retarget(self, message: Request | Response) -> None:
        """Target refresh (§12.2.1.2, §12.2.2): the peer's new Contact, if it gave one."""
        contact = message.contact
        if contact is not None and contact is not STAR:
            self.target = _bare(contact.uri)
        self._note_allow(message)

    def allows(self, method: str) -> bool:
        """Whether the peer's last Allow named the method; an absent Allow promises nothing."""
        return method in self.allow

    def in_order(self, request: Request) -> bool:
        """§12.2.2: note the peer's CSeq; False for one that is older than seen."""
        number = request.cseq.number
        if self.remote_seq is not None and number < self.remote_seq:
            return False
        self.remote_seq = number
        return True

    def addressing(self, method: str, seq: int | None = None) -> tuple[str, list[tuple[str, str]]]:
        """Request-URI and headers of an in-dialog request (§12.2.1.1).

        `seq` is given for ACK (the number of its INVITE); otherwise the next one is taken.
        """
        if seq is None:
            self.local_seq += 1
            seq = self.local_seq
        uri, route = str(self.target), self.route
        headers: list[tuple[str, str]] = []
        if route:
            if route[0].uri.param("lr") is None:  # a strict router takes the Request-URI's place
                uri = str(_bare(route[0].uri))
                headers.extend(("Route", str(hop)) for hop in route[1:])
                headers.append(("Route", f"<{self.target}>"))
            else:
                headers.extend(("Route", str(hop)) for hop in route)
        headers += (
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{seq} {method}"),
        )
        return uri, headers

    def next_flow(self) -> Flow:
        """Where an in-dialog request goes: the first route or the target, if it is an address.

        A name, or a peer on a connection, is reached by the dialog's own flow: the far
        end of a connection is who it is, whatever address its Contact names (RFC 5923).
        """
        hop = self.route[0].uri if self.route else self.target
        flow = self.flow
        if flow.reliable or _transport(hop) != flow.transport or not _is_address(hop.host):
            return flow
        remote = (hop.host, hop.port or 5060)
        return flow if remote == flow.remote else flow._replace(remote=remote)

    def instead(self) -> Flow | None:
        """Where a request goes when the dialog's connection is lost: the address it should go to anyway."""
        hop = self.route[0].uri if self.route else self.target
        flow = self.flow
        if not flow.reliable or not _is_address(hop.host):
            return None
        transport = _transport(hop)
        remote = (hop.host, hop.port or (5061 if transport == "TLS" else 5060))
        other = Flow(transport, flow.local, remote, flow.peer if transport == "TLS" else "")
        return None if other == flow else other

    def _note_allow(self, message: Request | Response) -> None:
        allow = message.values("allow")
        if allow:
            self.allow = tuple(map(str, allow))


def _routes(message: Request | Response) -> tuple[Address, ...]:
    return cast("tuple[Address, ...]", message.values("record-route"))


def _transport(hop: Uri) -> str:
    """What a hop that is an address is reached by (RFC 3263 §4.1)."""
    if hop.scheme == "sips":
        return "TLS"
    return (hop.param("transport") or "UDP").upper()


def _bare(uri: Uri) -> Uri:
    """Fit to be a Request-URI, which bears neither headers nor a method (§19.1.1, table 1)."""
    if uri.headers or uri.param("method") is not None:
        params = tuple(p for p in uri.params if p[0].lower() != "method")
        return uri.replace(headers="", params=params)
    return uri


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
