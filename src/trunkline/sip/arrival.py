"""What is known of a request at the door: where it really came from, where its answer goes, what refuses it.

All of it can be said before anybody knows what the request is about (RFC 3261 §8.2, §18.2, RFC 3581).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, cast

from trunkline.finding import ParseError
from trunkline.sip.flow import Flow
from trunkline.sip.headers import Via
from trunkline.sip.message import METHODS, Request
from trunkline.sip.values import MediaType, Word

SDP = "application/sdp"
_SDP_TYPE = ("application", "sdp")
_SDP_RANGE = (("application", "*"), ("sdp", "*"))  # what of Accept takes it (§20.1)
_DESCRIBING = frozenset({"INVITE", "UPDATE", "PRACK"})
_OUTSIDE_DIALOG = frozenset({"REGISTER", "OPTIONS", "INVITE"})
_CONTACT_SCHEMES = frozenset({"sip", "sips", "tel"})
_AOR_SCHEMES = frozenset({"sip", "sips"})


class Refusal(NamedTuple):
    """An answer that needs no judgement; `reason` None takes the usual words."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    reason: str | None = None


def stamped(request: Request, flow: Flow) -> Request:
    """The request with its real source written into the top Via (§18.2.1, RFC 3581 §4).

    Raises ParseError for a Via that cannot be read.
    """
    via = request.via
    host, port = flow.remote
    rport = via.rport
    if via.host == host and (rport is None or rport == str(port)):
        return request
    params = tuple(p for p in via.params if p[0].lower() not in ("received", "rport"))
    if rport is not None:
        params = (*params, ("rport", str(port)))
    if via.host != host or rport is not None:
        params = (*params, ("received", host))
    return request.with_top_via(Via(via.transport, via.host, via.port, params, via.protocol))


def answer_flow(request: Request, flow: Flow) -> Flow:
    """Where responses go: back to the source port if it asked so (RFC 3581), else to Via's port (§18.2.2)."""
    try:
        via = request.via
    except ParseError:
        return flow  # a 400 for that very Via
    if flow.reliable or via.rport is not None:
        return flow
    port = via.port or 5060
    return flow if port == flow.remote[1] else flow._replace(remote=(flow.remote[0], port))


def judge(request: Request, methods: Collection[str], extensions: Collection[str]) -> Refusal | None:
    """§8.2 in its order: method, scheme, extensions, body; outside a dialog what only lives in one."""
    method = request.method
    if method not in methods:
        return Refusal(405 if method in METHODS else 501, (("Allow", ", ".join(methods)),))
    if request.uri.scheme not in _CONTACT_SCHEMES:
        return Refusal(416)
    unknown = [name for name in map(str, request.values("require")) if name not in extensions]
    if unknown:
        return Refusal(420, (("Unsupported", ", ".join(unknown)),))
    if method in _DESCRIBING and (refusal := _judge_body(request)) is not None:
        return refusal
    if request.to_tag:
        return None
    if method not in _OUTSIDE_DIALOG:
        return Refusal(481)
    if method == "INVITE" and request.max_forwards == 0:
        return Refusal(483)
    if method == "REGISTER" and request.to.uri.scheme not in _AOR_SCHEMES:
        return Refusal(400, (), "Bad Address-Of-Record")  # §10.3
    return None


def _judge_body(request: Request) -> Refusal | None:
    """§8.2.3: 415 for a body that is no description; 406 for a peer that takes none (§21.4.7)."""
    takes = cast("tuple[MediaType, ...]", request.values("accept"))
    if takes and not any(kind.type in _SDP_RANGE[0] and kind.subtype in _SDP_RANGE[1] for kind in takes):
        return Refusal(406, (("Accept", SDP),))
    if not request.body or _optional(request):
        return None
    encodings = [str(encoding).lower() for encoding in request.values("content-encoding")]
    if encodings not in ([], ["identity"]):
        return Refusal(415, (("Accept", SDP), ("Accept-Encoding", "identity")))
    kind = cast("MediaType | None", request.value("content-type"))
    if kind is None or (kind.type, kind.subtype) == _SDP_TYPE:
        return None
    return Refusal(415, (("Accept", SDP),))


def _optional(request: Request) -> bool:
    """Whether the body may be passed over when it is not understood (§20.11)."""
    disposition = request.value("content-disposition")
    return isinstance(disposition, Word) and (disposition.param("handling") or "").lower() == "optional"
