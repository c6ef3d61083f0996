"""What ties messages to transactions: keys, and the requests of an INVITE (RFC 3261 §9.1, §17)."""

from __future__ import annotations

from collections.abc import Iterable

from trunkline.sip.headers import CSeq
from trunkline.sip.message import Message, Request, Response

_COOKIE = "z9hG4bK"  # RFC 3261 §8.1.1.7


def client_key(message: Message) -> tuple[str, ...]:
    """What a response is matched to its request by: top Via's branch and the CSeq method (§17.1.3).

    Also takes the request, to file its transaction. Raises ParseError for a top Via or
    CSeq that cannot be read.
    """
    return (message.branch, message.cseq.method)


def server_key(request: Request, method: str = "") -> tuple[str, ...]:
    """What a request is matched to its transaction by (§17.2.3): branch, sent-by, method (ACK as INVITE).

    `method` stands in for the request's own: server_key(cancel, "INVITE") is what a CANCEL
    cancels (§9.2). A branch without the magic cookie, or with nothing after it, comes from
    RFC 2543: there Request-URI, From tag, Call-ID, CSeq and the whole Via are the key. The
    To tag is left out of it, because the ACK has the one of our response. Raises ParseError
    for a header among these that cannot be read.
    """
    method = method or request.method
    if method == "ACK":
        method = "INVITE"
    via = request.via
    branch = via.branch
    if len(branch) > len(_COOKIE) and branch.startswith(_COOKIE):
        return (branch, via.sent_by.lower(), method)
    number = str(request.cseq.number)
    return (method, request.uri_text, request.from_tag, request.call_id, number, str(via))


def build_ack(invite: Request, response: Response) -> Request:
    """The ACK of a 300-699: same branch and Route as the INVITE, To as in the response (§17.1.1.3)."""
    return _build_like(invite, "ACK", response.all("To"), ())


def build_cancel(invite: Request, headers: Iterable[tuple[str, object]] = ()) -> Request:
    """The CANCEL of an INVITE: same branch, Route, From, To, Call-ID and CSeq number (§9.1)."""
    return _build_like(invite, "CANCEL", invite.all("To"), headers)


def _build_like(invite: Request, method: str, to: list[str], more: Iterable[tuple[str, object]]) -> Request:
    headers: list[tuple[str, object]] = [("Via", str(invite.via)), ("Max-Forwards", "70")]
    headers += [("Route", value) for value in invite.all("Route")]
    headers += [("From", value) for value in invite.all("From")]
    headers += [("To", value) for value in to]
    headers += [("Call-ID", invite.call_id), ("CSeq", CSeq(invite.cseq.number, method)), *more]
    return Request.build(method, invite.uri_text, headers)
