"""A message's head as lines (RFC 3261 §7.3.1): bytes to start line and header lines, nothing interpreted.

The limits on what a peer may send are here: 64 KiB a message (513), 256 headers and
8 KiB a header line, folds included (both 400: §21.5.7 keeps 513 for the whole message).
"""

from __future__ import annotations

from functools import lru_cache

from trunkline.finding import ParseError
from trunkline.sip.headers import KEYS, canonical, typed
from trunkline.sip.syntax import DIGITS, WS, is_token

MAX_MESSAGE = 65536
MAX_HEADERS = 256
MAX_LINE = 8192

Field = tuple[str, str]
"""A header line: its key (see `headers.canonical`) and the raw line without its last CRLF."""


class OverLimit(ParseError):
    """More than this side reads; on a stream the connection ends with it."""


def read_lines(head: bytes) -> tuple[str, list[Field], ParseError | None]:
    """Start line, header lines and the first thing wrong with them.

    `head` goes without the empty line at its end. Wrong lines are left out and the rest
    is read, so that the request can still be answered.
    """
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    fields: list[Field] = []
    error: ParseError | None = None
    known = KEYS.get
    start = lines[0]
    del lines[0]
    for line in lines:
        name, colon, _ = line.partition(":")
        key = known(name)
        if key is not None and colon:
            fields.append((key, line))
        elif line[:1] == " " or line[:1] == "\t":
            if fields:
                before, folded = fields[-1]
                if len(folded) <= MAX_LINE:  # it is refused anyway: a thousand folds must not cost a million
                    fields[-1] = (before, f"{folded}\r\n{line}")
            else:
                error = error or ParseError(
                    "header", line, "expected a header before its fold (RFC 3261 §7.3.1)"
                )
        else:
            name = name.rstrip(" \t")  # §7.3.1: white space may stand before the colon
            if colon and is_token(name):
                fields.append((canonical(name), line))
            else:
                error = error or ParseError("header", line, "expected name: value (RFC 3261 §7.3.1)")
    if len(fields) > MAX_HEADERS:
        error = OverLimit("headers", str(len(fields)), f"expected at most {MAX_HEADERS}")
        del fields[MAX_HEADERS:]
    if len(head) > MAX_LINE and (_too_long(start) or any(_too_long(line) for _, line in fields)):
        error = OverLimit("header", "", f"expected at most {MAX_LINE} octets a line")
        fields = [field for field in fields if not _too_long(field[1])]
    return start, fields, error


def _too_long(line: str) -> bool:
    return len(line) > MAX_LINE or len(line.encode("utf-8", "surrogateescape")) > MAX_LINE


def has_bare_line_end(head: bytes) -> bool:
    """Whether CR or LF stands there but as CRLF (§7): a peer that ends lines at either sees other headers."""
    pairs = head.count(b"\r\n")
    return head.count(b"\n") != pairs or head.count(b"\r") != pairs


def unfold(line: str) -> str:
    """The value of a header line: each fold and the space around it becomes one space (§7.3.1)."""
    value = line.partition(":")[2]
    if "\r\n" in value:
        value = " ".join([part.strip(WS) for part in value.split("\r\n")])
    return value.strip(" \t")


def line_values(key: str, line: str) -> tuple[object, ...]:
    """All typed values of one raw header line; ParseError if one is wrong.

    Most lines of a peer come again and again to the letter, so what was read of one is
    kept, bounded in number and length.
    """
    return kept_values(key, line) if len(line) <= KEPT_LENGTH else _read(key, line)


def _read(key: str, line: str) -> tuple[object, ...]:
    return typed(key, unfold(line))


kept_values = lru_cache(maxsize=2048)(_read)
"""The same for a line of at most `KEPT_LENGTH` characters, without the question."""
KEPT_LENGTH = 256


def content_length(fields: list[Field]) -> int | None:
    """Content-Length, None if there is none; ParseError if it is wrong or there twice (§20.14)."""
    found: str | None = None
    for key, line in fields:
        if key == "content-length":
            if found is not None:
                raise ParseError("Content-Length", line, "expected it once (RFC 3261 §20.14)")
            found = line
    if found is None:
        return None
    text = unfold(found)
    if not text or text.strip(DIGITS):
        raise ParseError("Content-Length", text, "expected digits (RFC 3261 §20.14)")
    return int(text) if len(text) < 10 else int(text.lstrip("0")[:10] or "0")
