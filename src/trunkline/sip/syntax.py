"""The words header values are made of: tokens, quoted strings, parameters, lists (RFC 3261 §25.1).

All functions take unfolded text (each fold replaced by one space) and raise ParseError (400).
"""

from __future__ import annotations

import string

from trunkline.finding import ParseError
from trunkline.sip.uri import Params

TOKEN = string.ascii_letters + string.digits + "-.!%*_+`'~"
DIGITS = string.digits
WS = " \t\r\n"
# An unquoted value: §25.1 says token or host, the wild adds base64. Never "@" and "?": they show a URI
# that should stand in angle brackets.
_VALUE = TOKEN + ":[]/=$&#"
_QUOTED = str.maketrans(
    {c: "\\" + chr(c) for c in (*range(9), 11, 12, *range(14, 32), 34, 92, 127)} | {10: " ", 13: " "}
)


def is_token(text: str) -> bool:
    """Whether text is a token of §25.1: one or more of its characters, ASCII only."""
    return text != "" and not text.strip(TOKEN)


def parse_token(text: str, where: str) -> str:
    """`text` if it is a token."""
    if not text or text.strip(TOKEN):
        raise ParseError(where, text, "expected a token (RFC 3261 §25.1)")
    return text


def parse_number(text: str, where: str, below: int = 1 << 32) -> int:
    """Digits as a number in 0 <= n < below."""
    if not text or text.strip(DIGITS):
        raise ParseError(where, text, "expected digits (RFC 3261 §25.1)")
    # Twenty digits hold any bound used here; longer text is leading zeros or too large.
    number = int(text) if len(text) <= 20 else int(text.lstrip("0")[:20] or "0")
    if number >= below:
        raise ParseError(where, text, f"expected a number below {below}")
    return number


def quote(text: str) -> str:
    """`text` as a quoted-string; line ends, which it cannot hold, become spaces."""
    return f'"{text.translate(_QUOTED)}"'


def unquote(text: str) -> str:
    """The content of a quoted-string, or `text` itself if it is none."""
    if len(text) < 2 or text[0] != '"':
        return text
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    out: list[str] = []
    chars = iter(inner)
    for char in chars:
        out.append(next(chars, "") if char == "\\" else char)
    return "".join(out)


def end_of_quoted(text: str, where: str) -> int:
    """Where the quoted-string that starts `text` ends: the index behind its closing quote."""
    at = 1
    while True:
        end = text.find('"', at)
        if end < 0:
            raise ParseError(where, text, "expected a closing quote (RFC 3261 §25.1)")
        escape = text.find("\\", at, end)
        if escape < 0:
            if "\r" in text[:end] or "\n" in text[:end]:
                raise ParseError(where, text, "expected no line end inside quotes (RFC 3261 §25.1)")
            return end + 1
        at = escape + 2  # the escaped character, a quote perhaps, ends nothing


def split_commas(text: str, separator: str = ",") -> list[str]:
    """Split a list at its commas, but not at those inside quotes or angle brackets.

    Each part is stripped and may be empty; an unclosed quote or bracket runs to the end.
    """
    if separator not in text:
        return [text.strip(WS)]
    if '"' not in text and "<" not in text:
        return [part.strip(WS) for part in text.split(separator)]
    parts: list[str] = []
    start = at = 0
    size = len(text)
    while at < size:
        char = text[at]
        if char == separator:
            parts.append(text[start:at].strip(WS))
            start = at + 1
        elif char == '"':
            at = _behind_quoted(text, at)
            continue
        elif char == "<":
            close = text.find(">", at)
            at = size if close < 0 else close
        at += 1
    parts.append(text[start:].strip(WS))
    return parts


def _behind_quoted(text: str, at: int) -> int:
    try:
        return at + end_of_quoted(text[at:], "")
    except ParseError:
        return len(text)


def parse_params(text: str, where: str) -> Params:
    """Read ";name=value;flag" of a header (§25.1 generic-param); text begins at the first ";" or is "".

    Values stay as written, quotes included. None may be empty or there twice (§7.3.1).
    """
    text = text.strip(WS)
    if not text:
        return ()
    if text[0] != ";":
        raise ParseError(where, text, "expected ';' before parameters (RFC 3261 §25.1)")
    parts = text[1:].split(";") if '"' not in text else split_commas(text[1:], ";")
    params: list[tuple[str, str | None]] = []
    spaced = " " in text or "\t" in text or "\r" in text or "\n" in text
    for part in parts:
        name, equals, value = part.partition("=")
        if spaced:
            name, value = name.strip(WS), value.strip(WS)
        if not name or name.strip(TOKEN):
            raise ParseError(where, text, "expected name=value between ';' (RFC 3261 §25.1)")
        if equals:
            if not value or value.strip(_VALUE):
                check_value(value, where)
            params.append((name, value))
        else:
            params.append((name, None))
    if len(params) > 1 and len({name.lower() for name, _ in params}) != len(params):
        raise ParseError(where, text, "expected each parameter once (RFC 3261 §7.3.1)")
    return tuple(params)


def check_value(value: str, where: str) -> None:
    """Raise unless `value` may stand right of "=": a token, a host or one quoted-string."""
    if value[:1] == '"':
        if end_of_quoted(value, where) != len(value):
            raise ParseError(where, value, "expected nothing behind the closing quote (RFC 3261 §25.1)")
    elif not value or value.strip(_VALUE):
        raise ParseError(where, value, "expected a token, a host or a quoted string (RFC 3261 §25.1)")


def format_params(params: Params) -> str:
    """The inverse of `parse_params`."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params)


def find_param(params: Params, name: str) -> str | None:
    """The value of a parameter in any case, unquoted; "" for a flag, None if absent."""
    for key, value in params:
        if key == name or key.lower() == name.lower():
            if value is None:
                return ""
            return unquote(value) if value[:1] == '"' else value
    return None
