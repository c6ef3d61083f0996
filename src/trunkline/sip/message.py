"""SIP messages, lossless and lazy (RFC 3261 §7).

A message keeps its start line and its header lines exactly as they came, folds included,
so an untouched message goes out as the bytes it came in. Header values become typed when
asked for. Messages are treated as frozen: each `with...` gives a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, cast

from trunkline.finding import ParseError
from trunkline.sip.headers import HEADERS, KEYS, Address, CSeq, Via, canonical
from trunkline.sip.lines import (
    KEPT_LENGTH,
    MAX_MESSAGE,
    Field,
    OverLimit,
    content_length,
    has_bare_line_end,
    kept_values,
    line_values,
    read_lines,
    unfold,
)
from trunkline.sip.syntax import DIGITS, WS, is_token, split_commas
from trunkline.sip.uri import Uri

METHODS = frozenset(
    {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO"}
    | {"REFER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH"}
)
"""All registered methods: others are answered 501 before anything else is held against them."""

REASONS: dict[int, str] = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    199: "Early Dialog Terminated", 200: "OK", 202: "Accepted", 204: "No Notification",
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy",
    380: "Alternative Service", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
    412: "Conditional Request Failed", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
    421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
    428: "Use Identity Header", 429: "Provide Referrer Identity", 433: "Anonymity Disallowed",
    436: "Bad Identity Info", 437: "Unsupported Credential", 438: "Invalid Identity Header",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
    493: "Undecipherable", 494: "Security Agreement Required", 500: "Server Internal Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out",
    505: "Version Not Supported", 513: "Message Too Large", 580: "Precondition Failure",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
    607: "Unwanted", 608: "Rejected",
}  # fmt: skip

_COPIED = frozenset({"via", "from", "to", "call-id", "cseq"})  # §8.2.6.2
_MANDATORY = ("via", "from", "to", "call-id", "cseq")  # §8.1.1; Max-Forwards too, but RFC 2543 had none
_ENDING = frozenset({"ACK", "BYE", "CANCEL"})
_NEEDED = frozenset(  # what a response must have right, to be matched, acknowledged and followed
    {"via", "from", "to", "call-id", "cseq", "contact", "record-route", "require", "rseq"}
    | {"content-length", "content-type"}
)


class MessageError(ParseError):
    """What `parse` raises. `message` is the request as far as it was read, None if it cannot be answered.

    `over_limit`: it was larger than this side reads.
    """

    def __init__(self, error: ParseError, message: Message | None = None) -> None:
        super().__init__(error.where, error.got, error.expected, status=error.status)
        self.message = message if isinstance(message, Request) else None
        self.over_limit = isinstance(error, OverLimit)


class Message:
    """What requests and responses share: start line, header lines, body."""

    __slots__ = ("_checked", "_typed", "body", "fields", "start")

    def __init__(self, start: str, fields: list[Field], body: bytes = b"") -> None:
        self.start = start
        self.fields = fields
        self.body = body
        self._typed: dict[str, tuple[object, ...]] = {}
        self._checked = False  # by `check`: every known header that is there has been read

    def __bytes__(self) -> bytes:
        lines = [self.start, *[line for _, line in self.fields], "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.start == other.start and self.fields == other.fields and self.body == other.body

    def __hash__(self) -> int:
        return hash((self.start, tuple(self.fields)))

    def __repr__(self) -> str:
        return f"<{self.start} ({len(self.fields)} headers, {len(self.body)} octets)>"

    # Reading

    def get(self, name: str) -> str | None:
        """The first line's value, unfolded and stripped; None if there is none."""
        key = KEYS.get(name) or canonical(name)
        for at, line in self.fields:
            if at == key:
                return unfold(line)
        return None

    def all(self, name: str) -> list[str]:
        """Each line's value, unfolded and stripped."""
        key = KEYS.get(name) or canonical(name)
        return [unfold(line) for at, line in self.fields if at == key]

    def values(self, name: str) -> tuple[object, ...]:
        """All typed values of all lines, as `HEADERS` reads them; ParseError if one is wrong."""
        key = KEYS.get(name) or canonical(name)
        found = self._typed.get(key)
        if found is None:
            if self._checked and key in HEADERS:
                return ()
            found = ()
            for at, line in self.fields:
                if at == key:
                    found = found + line_values(key, line) if found else line_values(key, line)
            self._typed[key] = found
        return found

    def value(self, name: str) -> object | None:
        """The first typed value, None if there is none."""
        found = self.values(name)
        return found[0] if found else None

    @property
    def via(self) -> Via:
        """The topmost Via; ParseError if it is missing or wrong."""
        found: Any = self._typed.get("via") or self._needed("via")
        value: Via = found[0]
        return value

    @property
    def from_(self) -> Address:
        """From; ParseError if it is missing or wrong."""
        found: Any = self._typed.get("from") or self._needed("from")
        value: Address = found[0]
        return value

    @property
    def to(self) -> Address:
        """To; ParseError if it is missing or wrong."""
        found: Any = self._typed.get("to") or self._needed("to")
        value: Address = found[0]
        return value

    @property
    def call_id(self) -> str:
        """Call-ID; ParseError if it is missing or wrong."""
        found: Any = self._typed.get("call-id") or self._needed("call-id")
        value: str = found[0]
        return value

    @property
    def cseq(self) -> CSeq:
        """CSeq; ParseError if it is missing or wrong."""
        found: Any = self._typed.get("cseq") or self._needed("cseq")
        value: CSeq = found[0]
        return value

    @property
    def contact(self) -> Address | None:
        """The first Contact (it may be `STAR`), None if there is none."""
        return cast("Address | None", self.value("contact"))

    @property
    def max_forwards(self) -> int | None:
        """Max-Forwards, 0-255, None if there is none."""
        return cast("int | None", self.value("max-forwards"))

    @property
    def from_tag(self) -> str:
        """From's tag, "" if there is none (RFC 2543 peers)."""
        return self.from_.tag

    @property
    def to_tag(self) -> str:
        """To's tag, "" if there is none."""
        return self.to.tag

    @property
    def branch(self) -> str:
        """The topmost Via's branch, "" if there is none."""
        return self.via.branch

    def _needed(self, key: str) -> tuple[object, ...]:
        found = self.values(key)
        if not found:
            raise ParseError(HEADERS[key].name, "", "expected this header (RFC 3261 §8.1.1)")
        return found

    # Changed copies

    def with_header(self, name: str, value: object) -> Self:
        """A copy with one line of this name: in the first one's place, or last."""
        key = canonical(name)
        new = (key, _line(name, value))
        fields: list[Field] = []
        placed = False
        for field in self.fields:
            if field[0] != key:
                fields.append(field)
            elif not placed:
                fields.append(new)
                placed = True
        if not placed:
            fields.append(new)
        return self._copy(fields, self.body)

    def without(self, name: str) -> Self:
        """A copy without any line of this name."""
        key = canonical(name)
        return self._copy([field for field in self.fields if field[0] != key], self.body)

    def prepended(self, name: str, value: object) -> Self:
        """A copy with this line before all others: a Via, Route or Record-Route."""
        return self._copy([(canonical(name), _line(name, value)), *self.fields], self.body)

    def with_top_via(self, via: Via) -> Self:
        """A copy with this in place of the topmost Via; what was read of other headers stays read."""
        vias = self.values("via")
        at = next(index for index, field in enumerate(self.fields) if field[0] == "via")
        line = self.fields[at][1]
        others = split_commas(unfold(line))[1:] if "," in line else []
        fields = self.fields.copy()
        fields[at] = ("via", "Via: " + ", ".join([str(via), *others]))
        copy = self._copy(fields, self.body)
        copy._typed = {**self._typed, "via": (via, *vias[1:])}
        copy._checked = self._checked
        return copy

    def with_body(self, body: bytes, content_type: str) -> Self:
        """A copy with this body, its type and its length; b"" takes Content-Type away."""
        fields = [field for field in self.fields if field[0] not in ("content-type", "content-length")]
        _end_fields(fields, body, content_type)
        return self._copy(fields, body)

    def _copy(self, fields: list[Field], body: bytes) -> Self:
        return type(self)(self.start, fields, body)


class Request(Message):
    """A request: `method` as written (it is case-sensitive, §7.1), `uri_text` as written."""

    __slots__ = ("_uri", "method", "uri_text")

    def __init__(self, start: str, fields: list[Field], body: bytes = b"") -> None:
        super().__init__(start, fields, body)
        self.method, _, rest = start.partition(" ")
        self.uri_text = rest.rpartition(" ")[0]
        self._uri: Uri | None = None

    @property
    def uri(self) -> Uri:
        """The Request-URI; ParseError if it is wrong."""
        if self._uri is None:
            self._uri = Uri.parse(self.uri_text)
        return self._uri

    def with_uri(self, uri: str | Uri) -> Request:
        """A copy to another Request-URI."""
        return Request(_start(f"{self.method} {uri} SIP/2.0"), self.fields, self.body)

    @staticmethod
    def build(
        method: str,
        uri: str | Uri,
        headers: Iterable[tuple[str, object]],
        body: bytes = b"",
        content_type: str = "application/sdp",
    ) -> Request:
        """A new request; Content-Type (with a body, unless given) and Content-Length are written here."""
        fields = [(KEYS.get(name) or canonical(name), _line(name, value)) for name, value in headers]
        _end_fields(fields, body, content_type)
        return Request(_start(f"{method} {uri} SIP/2.0"), fields, body)


class Response(Message):
    """A response: `status` 100-699 and `reason` as written."""

    __slots__ = ("reason", "status")

    def __init__(self, start: str, fields: list[Field], body: bytes = b"") -> None:
        super().__init__(start, fields, body)
        self.status = int(start[8:11])
        self.reason = start[12:]

    @staticmethod
    def build(
        status: int,
        reason: str | None,
        headers: Iterable[tuple[str, object]],
        body: bytes = b"",
        content_type: str = "application/sdp",
    ) -> Response:
        """A new response; `reason` None takes the usual words."""
        fields = [(KEYS.get(name) or canonical(name), _line(name, value)) for name, value in headers]
        _end_fields(fields, body, content_type)
        return Response(_status_line(status, reason), fields, body)


def respond(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str = "",
    headers: Iterable[tuple[str, object]] = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> Response:
    """The answer to a request (§8.2.6.2): Via, From, To, Call-ID and CSeq go back line by line.

    `to_tag` is added unless the status is 100 or To has a tag. Record-Route goes back
    in 101-299 to INVITE (§12.1.1), Timestamp in 100 (§8.2.6.1). Works on a request that
    was only partly read: what is missing there is missing here.
    """
    record = 100 < status < 300 and request.method == "INVITE"
    fields: list[Field] = []
    for field in request.fields:
        key = field[0]
        if key in _COPIED:
            if key == "to" and to_tag and status > 100 and not _has_tag(request, field[1]):
                field = (key, f"{field[1].rstrip(WS)};tag={to_tag}")
            fields.append(field)
        elif (record and key == "record-route") or (status == 100 and key == "timestamp"):
            fields.append(field)
    for name, value in headers:
        fields.append((KEYS.get(name) or canonical(name), _line(name, value)))
    _end_fields(fields, body, content_type)
    return Response(_status_line(status, reason), fields, body)


def _line(name: str, value: object) -> str:
    text = value if type(value) is str else str(value)
    if "\n" in text or "\r" in text:
        raise ValueError(f"{name}: a header value cannot hold a line end")
    return f"{name}: {text}"


def _end_fields(fields: list[Field], body: bytes, content_type: str) -> None:
    if body and "content-type" not in [key for key, _ in fields]:
        fields.append(("content-type", f"Content-Type: {content_type}"))
    fields.append(("content-length", f"Content-Length: {len(body)}"))


def _status_line(status: int, reason: str | None) -> str:
    return _start(f"SIP/2.0 {status} {REASONS.get(status, 'Unknown') if reason is None else reason}")


def _start(line: str) -> str:
    if "\n" in line or "\r" in line:
        raise ValueError("a start line cannot hold a line end")
    return line


def _has_tag(request: Request, line: str) -> bool:
    try:
        return request.to_tag != ""
    except ParseError:  # the To that this response refuses
        return ";tag=" in line.lower().replace(" ", "")


# Reading bytes


def parse(data: bytes) -> Request | Response:
    """Read one datagram. MessageError (400, 505, 513) if it is no SIP message.

    Octets behind Content-Length are cut off (§18.3), CRLFs before the start line skipped
    (§7.5). Header values are not looked at, but for Content-Length: see `check`.
    """
    if len(data) > MAX_MESSAGE:
        raise MessageError(OverLimit("message", "", f"expected at most {MAX_MESSAGE} octets", status=513))
    begin = 0
    while data.startswith(b"\r\n", begin):
        begin += 2
    end = data.find(b"\r\n\r\n", begin)
    if end < 0:
        message, _ = _read_head(data[begin:].removesuffix(b"\r\n"))
        error = ParseError("message", "", "expected an empty line behind the headers (RFC 3261 §7)")
        raise MessageError(error, message)
    message = parse_head(data[begin:end])
    rest = len(data) - end - 4
    try:
        length = content_length(message.fields)
        if length is None:
            length = rest
        elif length > rest:
            says = f"expected no more than the {rest} octets that are here (RFC 3261 §18.3)"
            raise ParseError("Content-Length", str(length), says)
    except ParseError as error:
        raise MessageError(error, message) from None
    message.body = data[end + 4 : end + 4 + length]
    return message


def parse_head(head: bytes) -> Request | Response:
    """Read start line and headers, without the empty line; MessageError if they are none."""
    message, error = _read_head(head)
    if error is not None or message is None:
        raise MessageError(error or ParseError("message", "", "expected SIP (RFC 3261 §7)"), message)
    return message


def _read_head(head: bytes) -> tuple[Request | Response | None, ParseError | None]:
    if has_bare_line_end(head):
        # Nothing of it is given back: an answer would carry the line ends hidden in it.
        return None, ParseError("message", "", "expected no CR or LF but as CRLF (RFC 3261 §7)")
    start, fields, error = read_lines(head)
    message, start_error = _read_start(start, fields)
    return message, start_error or error


def _read_start(start: str, fields: list[Field]) -> tuple[Request | Response | None, ParseError | None]:
    words = start.split(" ")
    if words[0][:4].upper() == "SIP/":
        if words[0].upper() != "SIP/2.0":
            return None, ParseError("version", words[0], "expected SIP/2.0 (RFC 3261 §7.1)", status=505)
        status = words[1] if len(words) > 2 else ""  # §7.2: a space follows even if there is no reason
        if len(status) != 3 or status.strip(DIGITS) or not 100 <= int(status) <= 699:
            return None, ParseError("status", start, "expected SIP/2.0 100-699 and a reason (RFC 3261 §7.2)")
        return Response(start, fields), None
    version = start.rstrip(WS).rpartition(" ")[2].upper()
    if len(words) < 2 or not is_token(words[0]) or not version.startswith("SIP/"):
        return None, ParseError("start line", start, "expected METHOD URI SIP/2.0 (RFC 3261 §7.1)")
    request = Request(start, fields)
    if len(words) != 3:
        return request, ParseError("start line", start, "expected METHOD URI SIP/2.0, single spaces (§7.1)")
    if version != "SIP/2.0":
        return request, ParseError("version", version, "expected SIP/2.0 (RFC 3261 §7.1)", status=505)
    return request, None


# Judging what was read


def check(message: Message) -> None:
    """Raise ParseError unless the message is what RFC 3261 §8.1.1 and §20 require.

    For a request the error's `status` is the answer it deserves; a wrong response is
    dropped. In a response, ACK, BYE or CANCEL a wrong header that transaction and dialog
    can do without counts as absent: nobody loses a call, or is kept in one, by a malformed
    Reason. Max-Forwards, Contact, tags and branches may be missing, as RFC 2543 peers leave
    them out. Every other header that `HEADERS` knows must be well-formed, so values may be
    asked for without fear afterwards. URI schemes (416), extensions (420) and bodies (415)
    are the endpoint's.
    """
    # One pass over the lines: asking for `values` name by name would read the lines once a name.
    read: dict[str, tuple[object, ...]] = {}
    for key, line in message.fields:
        try:
            if key in read:
                if HEADERS[key].once:
                    raise ParseError(HEADERS[key].name, line, "expected it once (RFC 3261 §7.3.1)")
                read[key] += line_values(key, line)
            elif key in HEADERS:
                read[key] = kept_values(key, line) if len(line) <= KEPT_LENGTH else line_values(key, line)
        except ParseError:
            if key in _NEEDED or (isinstance(message, Request) and message.method not in _ENDING):
                raise
            read[key] = ()
    message._typed, message._checked = read, True
    for key in _MANDATORY:
        if key not in read:
            raise ParseError(HEADERS[key].name, "", "expected this header (RFC 3261 §8.1.1)")
    if isinstance(message, Request):
        _check_request(message)


def _check_request(request: Request) -> None:
    cseq = request.cseq
    if cseq.method != request.method:
        # RFC 4475 §3.1.2.18: an unknown method is told so, whatever its CSeq says.
        status = 400 if request.method in METHODS else 501
        raise ParseError("CSeq", str(cseq), f"expected the method {request.method}", status=status)
    if request.uri.headers:
        raise ParseError("Request-URI", request.uri_text, "expected no headers (RFC 3261 §19.1.1)")
