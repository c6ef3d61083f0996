"""The media seam on a socket between two processes: each message a length and a JSON array.

Only our own processes speak on it, over a socket pair that nobody else can reach.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
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


# A call passes this six times each way, so what can be made once is: the fields of a kind are
# taken by one call, and the reader and the writer of JSON are kept.
_TAKEN: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    kind: attrgetter(*kind.__slots__) for kind in _KINDS.values() if kind is not anchor.Answer
}
_STREAM = attrgetter(*Stream.__slots__)
_LINES = tuple(Stream.__slots__.index(name) for name in ("crypto", "own_crypto"))
_written = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_read = json.JSONDecoder().raw_decode


def encode(message: Message) -> bytes:
    """One message, its length before it."""
    kind = type(message)
    fields: tuple[Any, ...]
    if isinstance(message, anchor.Answer):
        said = list(_STREAM(message.stream))
        for at in _LINES:
            said[at] = _text(said[at])
        fields = (message.media, message.leg, said, _text(message.own))
    else:
        fields = _TAKEN[kind](message)
    body = _written((kind.__name__, *fields)).encode()
    return _LENGTH.pack(len(body)) + body


def _text(line: Crypto | None) -> str | None:
    return None if line is None else str(line)


def _line(text: str | None) -> Crypto | None:
    return None if text is None else Crypto.parse(text)


def _decode(body: str) -> Message:
    (name, *fields), _ = _read(body)
    if name == "Answer":
        media, leg, said, own = fields
        for at in _LINES:
            said[at] = _line(said[at])
        return anchor.Answer(media, leg, Stream(*said), _line(own))
    message: Message = _KINDS[name](*[tuple(v) if type(v) is list else v for v in fields])
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
            body = kept[_LENGTH.size : end].decode()
            del kept[:end]
            yield _decode(body)
