"""A node: one machine that owns an endpoint (an IPBX, an SBC, a phone), as `aio` and tests drive it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from trunkline.media import anchor
from trunkline.sip.flow import Close, Flow, Send
from trunkline.sip.locate import Answers, Question


class Received(NamedTuple):
    """One datagram, or one whole message cut out of a stream."""

    data: bytes
    flow: Flow


class Unreachable(NamedTuple):
    """Nothing can be sent on that flow: ICMP, connection refused, or lost."""

    flow: Flow
    why: str


@dataclass(frozen=True, slots=True)
class TlsUp:
    """A TLS handshake succeeded: `flow.peer` is the name the far certificate was matched to.

    `suite` is OpenSSL's name; `ours` is what our certificate is called ("": none was
    presented), `theirs` are the names of the peer's (none where it was not asked).
    """

    flow: Flow
    version: str
    suite: str
    ours: str
    theirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TlsRefused:
    """A TLS handshake was refused, by either side: `why` says which certificate, which check, what to do.

    `alert` is its name in RFC 8446 ("": none passed). With TLS 1.3 a server refuses
    after the client's handshake: then this follows a TlsUp. Unreachable follows where
    something was to be sent.
    """

    flow: Flow
    alert: str
    why: str


@dataclass(frozen=True, slots=True)
class Drain:
    """Take no new calls, end the rest, then stop (SIGTERM)."""


class Write(NamedTuple):
    """Keep this record (one JSON object); civil time is added by aio where the value is a monotonic time."""

    record: Mapping[str, Any]


class Log(NamedTuple):
    """One line for the operator; level is "error", "warning" or "info"."""

    level: str
    text: str


Input = Received | Unreachable | TlsUp | TlsRefused | Drain | Answers | anchor.Event
Output = Send | Close | Question | Write | Log | anchor.Command


class Node(Protocol):
    """Events and `now` in, outputs out, one deadline; nothing waits and nothing is opened."""

    def receive(self, event: Input, now: float) -> list[Output]: ...

    def deadline(self) -> float | None: ...

    def expire(self, now: float) -> list[Output]: ...
