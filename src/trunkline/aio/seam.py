"""The media seam on a socket between two processes: each piece a length and a JSON array of messages.

Only our own processes speak on it, over a socket pair that nobody else can reach.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Any, NamedTuple

from trunkline.media import anchor
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.offer_answer import Stream

_LENGTH = Struct("!I")


class Ready(NamedTuple):
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


_LINES = tuple(Stream._fields.index(name) for name in ("crypto", "own_crypto"))
_LISTS = {  # fields that are tuples, which JSON has not
    kind: tuple(at for at, type_ in enumerate(kind.__annotations__.values()) if "tuple[" in str(type_))
    for kind in _KINDS.values()
}
# Every call passes here: the reader and the writer of JSON are kept.
_written = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_read = json.JSONDecoder().raw_decode


def encode(messages: Iterable[Message]) -> bytes:
    """These messages as one piece, its length before it: what is said in one turn is read in one."""
    body = _written([(type(message).__name__, *_plain(message)) for message in messages]).encode()
    return _LENGTH.pack(len(body)) + body


def _plain(message: Message) -> Iterable[Any]:
    """The fields, with each crypto line as its text."""
    if type(message) is not anchor.Answer:
        return message
    stream: list[Any] = list(message.stream)
    for at in _LINES:
        if stream[at] is not None:
            stream[at] = str(stream[at])
    return (message.media, message.leg, stream)


def _message(name: str, *said: Any) -> Message:
    kind = _KINDS[name]
    if kind is anchor.Answer:
        media, leg, stream = said
        for at in _LINES:
            if stream[at] is not None:
                stream[at] = Crypto.parse(stream[at])
        return anchor.Answer(media, leg, Stream._make(stream))
    if lists := _LISTS[kind]:
        values = list(said)
        for at in lists:
            values[at] = tuple(values[at])
        said = tuple(values)
    message: Message = kind._make(said)
    return message


class Inbox:
    """Cuts the messages out of what the socket gives."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages of the pieces that are whole by now."""
        kept = self._kept
        kept += data
        while len(kept) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(kept)[0]
            if len(kept) < end:
                return
            body = kept[_LENGTH.size : end].decode()
            del kept[:end]
            for said in _read(body)[0]:
                yield _message(*said)
