"""The media seam on a socket between two processes: each message a length and a JSON array.

Only our own processes speak on it, over a socket pair that nobody else can reach.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from struct import Struct
from typing import Any

from trunkline.media import anchor
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.offer_answer import Stream

_LENGTH = Struct("!I")


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker's first message: legs it can carry at once, and why no more ("" = the ports)."""

    legs: int
    bound_by: str


Message = anchor.Command | anchor.Event | Ready

_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Ready,
        anchor.Offer,
        anchor.Answer,
        anchor.Play,
        anchor.Listen,
        anchor.Press,
        anchor.Mix,
        anchor.Release,
        anchor.Anchored,
        anchor.Refused,
        anchor.Silent,
        anchor.Heard,
        anchor.Pressed,
        anchor.Report,
    )
}


_PLAIN = [name for name in Stream.__slots__ if name not in ("crypto", "own_crypto")]


def encode(message: Message) -> bytes:
    """One message, its length before it."""
    fields: tuple[Any, ...]
    if isinstance(message, anchor.Answer):
        stream, crypto = message.stream, message.stream.crypto
        said = [getattr(stream, name) for name in _PLAIN]
        keys = _text(crypto), _text(stream.own_crypto), _text(message.own)
        fields = (message.media, message.leg, said, *keys)
    else:
        fields = astuple(message)
    body = json.dumps((type(message).__name__, *fields), separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def _text(line: Crypto | None) -> str | None:
    return None if line is None else str(line)


def _line(text: str | None) -> Crypto | None:
    return None if text is None else Crypto.parse(text)


def _decode(body: bytes) -> Message:
    name, *fields = json.loads(body)
    if name == "Answer":
        media, leg, said, *keys = fields
        crypto, own_crypto, own = map(_line, keys)
        stream = Stream(**dict(zip(_PLAIN, said, strict=True)), crypto=crypto, own_crypto=own_crypto)
        return anchor.Answer(media, leg, stream, own)
    message: Message = _KINDS[name](*(tuple(v) if isinstance(v, list) else v for v in fields))
    return message


class Inbox:
    """Cuts the messages out of what the socket gives."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole by now."""
        kept = self._kept
        kept += data
        while len(kept) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(kept)[0]
            if len(kept) < end:
                return
            body = bytes(kept[_LENGTH.size : end])
            del kept[:end]
            yield _decode(body)
