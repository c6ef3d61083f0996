"""rtpengine's NG protocol as values: bencoded dictionaries, a cookie before each in a datagram.

What it asks and answers is described in rtpengine's own documentation ("The ng control
protocol"); the words used here are held against version 10.5 by `tests/interop/test_rtpengine.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trunkline.finding import ParseError

Value = int | str | list[Any] | dict[str, Any]
_DEEPEST = 20  # lists in dictionaries in lists: more is no answer of rtpengine's


def encode(value: object) -> bytes:
    """Bencode: integers, text, lists and dictionaries, whose keys go in order."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        text = value.encode(errors="surrogateescape")
        return b"%d:%s" % (len(text), text)
    if isinstance(value, Mapping):
        items = sorted((str(key), one) for key, one in value.items())
        return b"d" + b"".join(encode(key) + encode(one) for key, one in items) + b"e"
    if isinstance(value, list | tuple):
        return b"l" + b"".join(map(encode, value)) + b"e"
    raise TypeError(f"bencode has no {type(value).__name__}")


def decode(data: bytes) -> Value:
    """The way back; raises ParseError for what is no bencoded value."""
    try:
        value, end = _read(data, 0, 0)
    except (IndexError, ValueError) as error:
        raise ParseError("bencode", data[:40].hex(), f"expected a whole value: {error}") from error
    if end != len(data):
        raise ParseError("bencode", data[end : end + 40].hex(), "expected one value and nothing behind it")
    return value


def _read(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """The value that begins at `at`, and where it ends."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    kind = data[at : at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return _number(data[at + 1 : end], signed=True), end + 1
    if kind == b"l" or kind == b"d":
        items: list[Any] = []
        at += 1
        while data[at : at + 1] != b"e":
            item, at = _read(data, at, depth + 1)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        keys, values = items[::2], items[1::2]
        if len(keys) != len(values) or not all(isinstance(key, str) for key in keys):
            raise ValueError("a dictionary of texts to values")
        return dict(zip(keys, values, strict=True)), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + _number(data[at:colon])
    if end > len(data):
        raise ValueError("a text cut short")
    return data[colon + 1 : end].decode(errors="surrogateescape"), end


def _number(digits: bytes, signed: bool = False) -> int:
    bare = digits[1:] if signed and digits[:1] == b"-" else digits
    if not bare.isdigit() or len(bare) > 20:
        raise ValueError("a number")
    return int(digits)


def request(cookie: str, command: str, **fields: object) -> bytes:
    """One request; the answer bears the same cookie. `from_tag` stands for the key `from-tag`."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return cookie.encode() + b" " + encode({"command": command, **named})


def answer(data: bytes) -> tuple[str, dict[str, Any]]:
    """The cookie and the dictionary of an answer; raises ParseError."""
    cookie, space, body = data.partition(b" ")
    value = decode(body)
    if not space or not isinstance(value, dict):
        raise ParseError("NG", data[:40].hex(), "expected a cookie and a dictionary")
    return cookie.decode(errors="surrogateescape"), value
