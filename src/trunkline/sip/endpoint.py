"""The one door: bytes in, transactions and dialogs inside, events out (RFC 3261 §8, §12.2.2, §18).

An `Endpoint` is everything a user agent does with a message before it knows what a
call is. It answers what needs no judgement (wrong syntax, unknown methods, requests
outside their dialog) and hands the rest to owners: a client transaction and a dialog
each have one, a request from outside any dialog comes back as `RequestReceived`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import Any, NamedTuple, Protocol, cast

from trunkline.finding import ParseError
from trunkline.sip.agenda import Agenda, Sleeper
from trunkline.sip.arrival import answer_flow, judge, stamped
from trunkline.sip.dialog import Dialog, DialogState
from trunkline.sip.flow import Flow, Ids, Send
from trunkline.sip.framing import Whole
from trunkline.sip.matching import client_key, server_key
from trunkline.sip.message import MessageError, Request, Response, check, parse, respond
from trunkline.sip.transaction import (
    ClientInvite,
    ClientRequest,
    Passed,
    ServerInvite,
    ServerRequest,
    State,
    TimedOut,
    TimerValues,
    TransportFailed,
)
from trunkline.sip.uri import format_host

ClientTransaction = ClientInvite | ClientRequest
ServerTransaction = ServerInvite | ServerRequest
_TRANSACTIONS = (ClientInvite, ClientRequest, ServerInvite, ServerRequest)


class RequestReceived(NamedTuple):
    """A new request; `dialog` is the one it belongs to, or None outside any."""

    transaction: ServerTransaction
    request: Request
    dialog: Dialog | None


class AckReceived(NamedTuple):
    """An ACK of a 2xx, inside its dialog."""

    request: Request
    dialog: Dialog


class Cancelled(NamedTuple):
    """The peer gave up its INVITE; the CANCEL is already answered."""

    transaction: ServerInvite
    request: Request


class ResponseReceived(NamedTuple):
    """A response, or in its place what the transaction user sees of a failure (§8.1.3.1).

    `response` is None then and `status` 408 for a timeout, 503 for a transport error.
    """

    transaction: ClientTransaction
    status: int
    response: Response | None


class Relaunched(NamedTuple):
    """A request that TCP would not take left again over UDP, in a new transaction (§18.1.1)."""

    transaction: ClientTransaction
    instead: ClientTransaction


class Owner(Protocol):
    """Who a transaction or a dialog belongs to; what it returns goes up with the outputs."""

    def hear(self, event: Any, now: float) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What this user agent is and what it bears.

    `advertise` maps (transport, local address) to the host[:port] that Via and Contact
    show, where that is not the address itself. `datagram_max` is the size in bytes over
    which a request leaves by TCP instead of UDP (§18.1.1); 0 never switches.
    `transactions_max` bounds the server transactions a flood can make.
    """

    user_agent: str = "Trunkline"
    methods: tuple[str, ...] = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE", "INFO")
    extensions: tuple[str, ...] = ("100rel", "timer")
    timers: TimerValues = field(default_factory=TimerValues)
    advertise: Mapping[tuple[str, tuple[str, int]], str] = field(default_factory=dict)
    datagram_max: int = 1300
    transactions_max: int = 20_000


class Endpoint:
    """Transactions, dialogs and the core's first answers, over any number of flows."""

    def __init__(self, ids: Ids, settings: EndpointSettings | None = None) -> None:
        self.ids = ids
        self.settings = settings or EndpointSettings()
        self.timers = self.settings.timers
        self.allow = ", ".join(self.settings.methods)
        self.supported = ", ".join(self.settings.extensions)
        self.dialogs: dict[tuple[str, str, str], Dialog] = {}
        self.agenda = Agenda()
        self._clients: dict[Any, ClientTransaction] = {}
        self._servers: dict[Any, ServerTransaction] = {}
        self._merged: dict[tuple[object, ...], ServerTransaction] = {}
        self._instead: dict[ClientTransaction, Flow] = {}  # where to go when the first flow fails
        self._stateless_key = ids.token().encode()
        self._hosts: dict[tuple[str, tuple[str, int]], str] = {}

    # --- what goes out ------------------------------------------------------------

    def host(self, flow: Flow) -> str:
        """The host[:port] this side shows on that flow, in Via and Contact."""
        key = (flow.transport, flow.local)
        shown = self._hosts.get(key)
        if shown is None:
            address, port = flow.local
            shown = self.settings.advertise.get(key) or f"{format_host(address)}:{port}"
            self._hosts[key] = shown
        return shown

    def contact(self, flow: Flow, user: str = "", scheme: str = "sip") -> str:
        """The Contact of this side for a dialog on that flow."""
        at = f"{user}@" if user else ""
        transport = "" if flow.transport == "UDP" else f";transport={flow.transport.lower()}"
        if scheme == "sips":  # §26.2.2: the scheme says it, transport=tls is deprecated
            transport = ""
        return f"<{scheme}:{at}{self.host(flow)}{transport}>"

    def branch(self) -> str:
        """A fresh one (§8.1.1.7)."""
        return f"z9hG4bK{self.ids.token()}"

    def via(self, flow: Flow, branch: str = "") -> tuple[str, str]:
        """A Via header asking for the source port (RFC 3581); its branch is fresh unless given."""
        branch = branch or self.branch()
        return ("Via", f"SIP/2.0/{flow.transport} {self.host(flow)};branch={branch};rport")

    def request(
        self,
        method: str,
        uri: str,
        headers: Iterable[tuple[str, str]],
        flow: Flow,
        owner: Owner,
        now: float,
        body: bytes = b"",
        content_type: str = "application/sdp",
        instead: Flow | None = None,
    ) -> tuple[ClientTransaction, list[Any]]:
        """Send a request in a new client transaction; `owner` hears what becomes of it.

        `headers` come without Via and Content-Length. A request over a connection that
        breaks goes once more, by the flow `instead`.
        """
        rest, branch = list(headers), self.branch()
        request = Request.build(method, uri, [self.via(flow, branch), *rest], body, content_type)
        data, limit = bytes(request), self.settings.datagram_max
        if flow.transport == "UDP" and limit and len(data) > limit:
            instead, flow = flow, flow._replace(transport="TCP")  # §18.1.1
            request = Request.build(method, uri, [self.via(flow, branch), *rest], body, content_type)
            data = bytes(request)
        transaction, out = self._launch(request, data, branch, flow, owner, now)
        if instead is not None:
            self._instead[transaction] = instead
        return transaction, out

    def acknowledge(
        self, uri: str, headers: Iterable[tuple[str, str]], flow: Flow, body: bytes = b""
    ) -> Send:
        """The ACK of a 2xx: a request of its own without a transaction (§13.2.2.4)."""
        request = Request.build("ACK", uri, [self.via(flow), *headers], body)
        return Send(bytes(request), flow)

    def respond(self, transaction: ServerTransaction, response: Response, now: float) -> list[Any]:
        """Send a response in its transaction."""
        return self._after(transaction, transaction.respond(response, now), now)

    def reply(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        headers: Iterable[tuple[str, str]] = (),
        reason: str | None = None,
        to_tag: str = "",
    ) -> list[Any]:
        """Answer a request without a body."""
        tag = to_tag if status == 100 else to_tag or self.ids.token()
        response = respond(transaction.request, status, reason, to_tag=tag, headers=headers)
        return self.respond(transaction, response, now)

    def trying(self, transaction: ServerInvite, now: float) -> list[Any]:
        """Send 100 at once: somebody has it, stop repeating (§17.2.1)."""
        return self._after(transaction, transaction.trying(now), now)

    def cancel(
        self, transaction: ClientInvite, now: float, headers: Iterable[tuple[str, str]] = ()
    ) -> list[Any]:
        """Give an INVITE up; nothing happens before its first provisional answer (§9.1)."""
        request = transaction.cancel(now, headers)
        if request is None:
            return []
        self.agenda.settle(transaction)  # the INVITE now waits 64*T1 at most
        return self._launch(request, bytes(request), request.branch, transaction.flow, _SILENCE, now)[1]

    # --- what comes in ------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> list[Any]:
        """Take one datagram or one framed message; never raises for what is in it."""
        if len(data) < 12 and not data.strip():
            return []  # a keep-alive (RFC 5626 §4.4.1)
        try:
            message = data.message if isinstance(data, Whole) else parse(data)
        except MessageError as error:
            return self._refuse_unread(error.message, error, flow)
        if isinstance(message, Response):
            return self._response(message, now)
        return self._request(message, flow, now)

    def unreachable(self, flow: Flow, now: float, home: Flow | None = None) -> list[Any]:
        """Nothing can be sent on that flow: its transactions fail (§18.4), or fall back to UDP.

        `home` is the way to the same peer that this side can open: a connection it had opened
        leads back to a port where nobody listens. Its dialogs take that way from now on.
        """
        if home is not None and home != flow:
            for dialog in self.dialogs.values():
                if _same_path(dialog.flow, flow):
                    dialog.flow = home
        out: list[Any] = []
        for transaction in [t for t in self._clients.values() if _same_path(t.flow, flow)]:
            out += self._after(transaction, transaction.failed(now), now)
        for server in [t for t in self._servers.values() if _same_path(t.flow, flow)]:
            out += self._after(server, server.failed(now), now)
        return out

    def deadline(self) -> float | None:
        return self.agenda.deadline()

    def expire(self, now: float) -> list[Any]:
        """Wake whoever is due: transactions here, usages and legs by their own `expire`."""
        out: list[Any] = []
        for machine in self.agenda.due(now):
            if isinstance(machine, _TRANSACTIONS):
                out += self._after(machine, machine.expire(now), now)
            else:
                out += machine.expire(now)  # type: ignore[attr-defined]
                self.agenda.settle(machine)
        return out

    def wake(self, machine: Sleeper) -> None:
        """Note the deadline of a machine that lives above the transactions."""
        self.agenda.settle(machine)

    @property
    def idle(self) -> bool:
        """Nothing is left: no transaction, no dialog (what the simulation asks at its end)."""
        return not (self._clients or self._servers or self.dialogs)

    def remains(self) -> dict[str, int]:
        """How many of each are alive, for status and for leak checks."""
        return {
            "client transactions": len(self._clients),
            "server transactions": len(self._servers),
            "dialogs": len(self.dialogs),
        }

    # --- dialogs ------------------------------------------------------------------

    def keep(self, dialog: Dialog) -> None:
        """From now on requests inside this dialog go to its owner."""
        self.dialogs[(dialog.call_id, dialog.local_tag, dialog.remote_tag)] = dialog

    def drop(self, dialog: Dialog) -> None:
        """The dialog is over; later requests in it get 481."""
        dialog.state, dialog.owner = DialogState.OVER, None
        self.dialogs.pop((dialog.call_id, dialog.local_tag, dialog.remote_tag), None)

    # --- inside -------------------------------------------------------------------

    def _launch(
        self, request: Request, data: bytes, branch: str, flow: Flow, owner: Owner, now: float
    ) -> tuple[ClientTransaction, list[Any]]:
        make = ClientInvite if request.method == "INVITE" else ClientRequest
        transaction = make(request, flow, self.timers, now, data)
        transaction.owner = owner
        transaction.key = key = (branch, request.method)
        self._clients[key] = transaction
        out = transaction.start()
        self.agenda.settle(transaction)
        return transaction, out

    def _file(self, transaction: ServerTransaction, key: tuple[object, ...]) -> None:
        self._servers[key] = transaction
        transaction.key = key

    def _response(self, response: Response, now: float) -> list[Any]:
        try:
            if len(response.values("via")) != 1:
                return []  # §8.1.3.3: not for us
            transaction = self._clients.get(client_key(response))
            if transaction is None:
                return []
            check(response)
        except ParseError:
            return []  # it will be asked for again, or time out
        return self._after(transaction, transaction.receive(response, now), now)

    def _request(self, message: Request, flow: Flow, now: float) -> list[Any]:
        method = message.method
        try:
            key = server_key(message)
            known = self._servers.get(key)
            if known is None or method == "ACK":  # a repeated request was good the first time
                check(message)
        except ParseError as error:
            return self._refuse_unread(message, error, flow)
        if known is not None and method != "CANCEL":
            return self._after(known, known.receive(message, now), now)
        if method == "ACK":
            return self._ack(message, now)
        request = stamped(message, flow)
        if method == "CANCEL":
            return self._cancel(request, key, flow, now)
        if len(self._servers) >= self.settings.transactions_max:
            return self._stateless(request, flow, 503, (("Retry-After", "5"),))
        make = ServerInvite if method == "INVITE" else ServerRequest
        transaction: ServerTransaction = make(request, answer_flow(request, flow), self.timers, now)
        self._file(transaction, key)
        return self._after(transaction, self._judge(transaction, request, now), now)

    def _judge(self, transaction: ServerTransaction, request: Request, now: float) -> list[Any]:
        """What refuses it by itself, then the dialog it is in (§12.2.2), then who it is for."""
        refusal = judge(request, self.settings.methods, self.settings.extensions)
        if refusal is not None:
            return self.reply(transaction, refusal.status, now, refusal.headers, refusal.reason)
        if request.to_tag:
            return self._inside(transaction, request, now)
        merged = (request.call_id, request.from_tag, request.cseq.number, request.method)
        if merged in self._merged:
            return self.reply(transaction, 482, now)  # §8.2.2.2: the same request by another path
        self._merged[merged] = transaction
        transaction.merged = merged
        return [RequestReceived(transaction, request, None)]

    def _inside(self, transaction: ServerTransaction, request: Request, now: float) -> list[Any]:
        dialog = self.dialogs.get((request.call_id, request.to_tag, request.from_tag))
        if dialog is None:
            return self.reply(transaction, 481, now)
        if not dialog.in_order(request):
            return self.reply(transaction, 500, now)
        return self._heard(dialog.owner, RequestReceived(transaction, request, dialog), now)

    def _ack(self, request: Request, now: float) -> list[Any]:
        dialog = self.dialogs.get((request.call_id, request.to_tag, request.from_tag))
        return [] if dialog is None else self._heard(dialog.owner, AckReceived(request, dialog), now)

    def _cancel(self, request: Request, key: Any, flow: Flow, now: float) -> list[Any]:
        """§9.2: the CANCEL is a transaction of its own; the INVITE it names ends with 487."""
        known = self._servers.get(key)
        if known is not None:
            return self._after(known, known.receive(request, now), now)
        target = self._servers.get(server_key(request, method="INVITE"))
        if not isinstance(target, ServerInvite):
            return self._stateless(request, flow, 481)
        transaction = ServerRequest(request, answer_flow(request, flow), self.timers, now)
        self._file(transaction, key)
        out = self.reply(transaction, 200, now)
        if target.owner is not None:  # a usage; without one the INVITE is being refused already
            out += self._heard(target.owner, Cancelled(target, request), now)
        return out

    def _after(self, transaction: Any, outputs: list[Any], now: float) -> list[Any]:
        """Turn what a transaction put out into what its owner makes of it; keep the books."""
        out: list[Any] = []
        for output in outputs:
            kind = type(output)
            if kind is Passed:
                message = output.message
                if isinstance(message, Response):
                    event: Any = ResponseReceived(transaction, message.status, message)
                    out += self._heard(transaction.owner, event, now)
                elif message.method == "ACK":
                    out += self._ack(message, now)
            elif kind is TimedOut:
                if isinstance(transaction, ClientInvite | ClientRequest):
                    out += self._heard(transaction.owner, ResponseReceived(transaction, 408, None), now)
            elif kind is TransportFailed:
                out += self._transport_failed(transaction, now)
            else:
                out.append(output)
        if transaction.over:
            self._forget(transaction)
        else:
            if transaction.state in _LINGERING and type(transaction) is not ClientInvite:
                # It waits half a minute for repetitions; bytes and key are all it needs for them.
                transaction.request, transaction.owner = _PUT_AWAY, None
            self.agenda.settle(transaction)
        return out

    def _transport_failed(self, transaction: Any, now: float) -> list[Any]:
        if isinstance(transaction, ServerInvite | ServerRequest):
            return []
        instead = self._instead.get(transaction)
        if instead is None or not self._speaks(instead, transaction.flow):
            return self._heard(transaction.owner, ResponseReceived(transaction, 503, None), now)
        branch = self.branch()
        again = transaction.request.without("via").prepended(*self.via(instead, branch))
        launched, out = self._launch(again, bytes(again), branch, instead, transaction.owner, now)
        return [*self._heard(transaction.owner, Relaunched(transaction, launched), now), *out]

    def _speaks(self, flow: Flow, proven: Flow) -> bool:
        """Whether this side has ever spoken from there."""
        return flow.transport == proven.transport or (flow.transport, flow.local) in self._hosts

    def _forget(self, transaction: Any) -> None:
        self.agenda.forget(transaction)
        transaction.owner = None  # nothing refers in a circle: what is over is freed without the collector
        if isinstance(transaction, ClientInvite | ClientRequest):
            self._clients.pop(transaction.key, None)
            self._instead.pop(transaction, None)
            return
        key, merged = transaction.key, transaction.merged
        if self._servers.get(key) is transaction:
            del self._servers[key]
        if self._merged.get(merged) is transaction:
            del self._merged[merged]

    @staticmethod
    def _heard(owner: object, event: Any, now: float) -> list[Any]:
        return [] if owner is None else cast("Owner", owner).hear(event, now)

    # --- refusals before there is a transaction --------------------------------------

    def _refuse_unread(self, request: Request | None, error: ParseError, flow: Flow) -> list[Any]:
        if request is None:
            return []
        with suppress(ParseError):
            request = stamped(request, flow)
        return self._refuse(request, error, flow)

    def _refuse(self, request: Request, error: ParseError, flow: Flow) -> list[Any]:
        if request.method == "ACK":
            return []
        return self._stateless(request, flow, error.status, (), f"Bad {error.where}")

    def _stateless(
        self,
        request: Request,
        flow: Flow,
        status: int,
        headers: Iterable[tuple[str, str]] = (),
        reason: str | None = None,
    ) -> list[Any]:
        """Answer and forget; a repetition gets the same To tag (§8.2.7).

        Silence where the sender could not know its request again.
        """
        if request.get("via") is None or (request.get("call-id") is None and request.get("cseq") is None):
            return []
        seen = "\n".join(line for key, line in request.fields if key in _IDENTITY)
        tag = blake2s(seen.encode("utf-8", "surrogateescape"), digest_size=8, key=self._stateless_key)
        response = respond(request, status, reason, to_tag=tag.hexdigest(), headers=headers)
        return [Send(bytes(response), answer_flow(request, flow))]


class _Nobody:
    """The owner of transactions whose answers change nothing (CANCEL)."""

    def hear(self, event: Any, now: float) -> list[Any]:
        return []


_SILENCE = _Nobody()
_PUT_AWAY = Request("", [])
_LINGERING = frozenset({State.COMPLETED, State.CONFIRMED, State.ACCEPTED})
_IDENTITY = frozenset({"via", "from", "to", "call-id", "cseq"})


def _same_path(one: Flow, other: Flow) -> bool:
    return one.transport == other.transport and one.remote == other.remote and one.local == other.local
