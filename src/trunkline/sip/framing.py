"""SIP messages out of a byte stream (RFC 3261 §18.3, RFC 5626 §3.5.1): TCP and TLS.

However the stream is cut, the same messages come out. What is kept is bounded: one
message of at most the limit, then the stream is given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from trunkline.finding import ParseError
from trunkline.sip.lines import MAX_MESSAGE, OverLimit, content_length, has_bare_line_end, read_lines
from trunkline.sip.message import MessageError, Request, Response, parse_head

_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The peer's CRLF CRLF: answer one CRLF (RFC 5626 §3.5.1)."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """No message: answer `error.status` to `error.message` if there is one; `fatal`: then close.

    A message is fatal when nobody can tell where the next one starts, or when it is over a limit.
    """

    error: MessageError
    fatal: bool


Framed = Request | Response | Malformed | KeepAlive


class Whole(bytes):
    """A message's octets, with what the framer read of them: the endpoint need not read them again."""

    message: Request | Response

    @classmethod
    def of(cls, message: Request | Response, octets: bytes) -> Whole:
        """The octets of a message that a `Framer` gave."""
        octets = cls(octets)
        octets.message = message
        return octets


class Framer:
    """Cuts one connection's bytes into messages.

    `limit` is octets a message, head and body together; `patience` is seconds from a
    message's first octet to its last (a slow peer must not hold a connection for nothing).
    `exact` says that what was fed last are the octets of one message, neither more nor less.
    """

    __slots__ = (
        "_body_length",
        "_broken",
        "_buffer",
        "_head",
        "_limit",
        "_patience",
        "_searched",
        "_since",
        "exact",
    )

    def __init__(self, limit: int = MAX_MESSAGE, patience: float = 32.0) -> None:
        self._limit = limit
        self._patience = patience
        self._buffer = bytearray()
        self._searched = 0
        self._head: Request | Response | Malformed | None = None
        self._body_length = 0
        self._since: float | None = None
        self._broken = self.exact = False

    @property
    def broken(self) -> bool:
        """True after a fatal error: nothing more comes out of this stream."""
        return self._broken

    def feed(self, data: bytes, now: float) -> list[Framed]:
        """Take what arrived; return what became whole, in order. `now` is monotonic seconds."""
        out: list[Framed] = []
        self.exact = False
        if self._broken:
            return out
        if self._head is None and not self._buffer and (whole := self._whole(data)) is not None:
            self.exact = True
            return [whole]
        self._buffer += data
        while not self._broken:
            if self._head is None and not (self._buffer and self._read_head(out, now)):
                break
            if self._head is not None:
                if len(self._buffer) < self._body_length:
                    break
                self._finish(out)
        if self._broken:
            self._buffer.clear()
        return out

    def deadline(self) -> float | None:
        """When a started message must be whole; None between messages."""
        return None if self._since is None or self._broken else self._since + self._patience

    def expire(self, now: float) -> list[Framed]:
        """At the deadline: the stream is given up (408, fatal). Nothing before it."""
        due = self.deadline()
        if due is None or now < due:
            return []
        self._broken = True
        self._buffer.clear()
        late = ParseError("message", "", f"expected it whole within {self._patience:g} s", status=408)
        error = MessageError(late, self._head if isinstance(self._head, Request) else None)
        return [Malformed(error, fatal=True)]

    def _whole(self, data: bytes) -> Request | Response | None:
        """The message, where the data are exactly one with nothing wrong in it, as most are."""
        end = data.find(_END)
        if end <= 0 or len(data) > self._limit:
            return None
        try:
            message = parse_head(data[:end])
            length = content_length(message.fields)
        except ParseError:
            return None  # it is judged with care
        if length is None or end + 4 + length != len(data):
            return None
        message.body = data[end + 4 :]
        return message

    def _read_head(self, out: list[Framed], now: float) -> bool:
        """Read the next head into `_head`, or a keep-alive into `out`; False if more bytes are needed."""
        buffer = self._buffer
        if not self._searched:
            while buffer.startswith(_END):
                out.append(KeepAlive())
                del buffer[:4]
            if len(buffer) < 4 and _END.startswith(buffer):
                return False  # nothing, or the beginning of a keep-alive
            if buffer.startswith(b"\r\n"):
                # §7.5: one CRLF before a message means nothing; RFC 5626: it is the answer to a keep-alive.
                del buffer[:2]
                return True
            self._since = now
        end = buffer.find(_END, max(0, self._searched - 3), self._limit)
        if end < 0:
            self._searched = len(buffer)
            if len(buffer) >= self._limit:
                self._break(out, MessageError(self._over_limit()))
            return False
        head = bytes(buffer[:end])
        del buffer[: end + 4]
        self._searched = 0
        self._start_body(head, out)
        return True

    def _start_body(self, head: bytes, out: list[Framed]) -> None:
        """Find out how long the body is; without that the stream is lost (§18.3)."""
        wrong: MessageError | None = None
        message: Request | Response | None = None
        try:
            message = parse_head(head)
            fields = message.fields
        except MessageError as error:
            wrong = error
            response = head[:4].upper() == b"SIP/"
            if error.over_limit or has_bare_line_end(head) or (error.message is None and not response):
                self._break(out, error)  # too much, or no SIP: its Content-Length is not to be believed
                return
            fields = read_lines(head)[1]
        try:
            length = content_length(fields)
            if length is None:
                raise ParseError("Content-Length", "", "expected it on a stream (RFC 3261 §18.3)")
            if len(head) + 4 + length > self._limit:
                raise self._over_limit()
        except ParseError as error:
            self._break(out, wrong or MessageError(error, message))
            return
        self._head = message or Malformed(cast("MessageError", wrong), fatal=False)
        self._body_length = length

    def _over_limit(self) -> OverLimit:
        return OverLimit("message", "", f"expected at most {self._limit} octets", status=513)

    def _finish(self, out: list[Framed]) -> None:
        """The body is here: the message is whole."""
        head = self._head
        assert head is not None
        if not isinstance(head, Malformed):
            head.body = bytes(self._buffer[: self._body_length])
        del self._buffer[: self._body_length]
        self._head, self._body_length, self._since = None, 0, None
        out.append(head)

    def _break(self, out: list[Framed], error: MessageError) -> None:
        self._broken = True
        out.append(Malformed(error, fatal=True))
