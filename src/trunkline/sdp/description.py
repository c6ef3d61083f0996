"""A session description (RFC 8866) that keeps every byte, with typed views read when asked for.

`Description.parse` checks what everything else rests on: the size, `x=value` lines, `v=0`
first, one `o=`, readable `m=` lines. All other values are read lazily by the views; a view
of an optional value that is unreadable is None, a view of a needed one (`origin`,
`connection`) raises ParseError. `bytes(Description.parse(data)) == data` for whatever is
accepted, line ends and unknown lines included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from trunkline.finding import ParseError
from trunkline.sdp.crypto import Crypto, mask_keys

MAX_BYTES = 65536
MAX_LINES = 1000
MAX_FORMATS = 128  # as many as RTP has payload types; keeps every view quick whatever comes in

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

_DIRECTIONS: dict[str, Direction] = {
    "a=sendrecv": "sendrecv",
    "a=sendonly": "sendonly",
    "a=recvonly": "recvonly",
    "a=inactive": "inactive",
}
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
NULL_ADDRESSES = frozenset(("0.0.0.0", "::"))  # hold as RFC 2543 wrote it (RFC 3264 §8.4), and its IPv6 kin


class RtpMap(NamedTuple):
    """What a payload type stands for: `name` as written (compare without case), clock rate in Hz."""

    name: str
    clock_rate: int
    channels: int = 1


# The static audio payload types a trunk may meet without an rtpmap line (RFC 3551 §6).
STATIC: dict[str, RtpMap] = {
    "0": RtpMap("PCMU", 8000),
    "3": RtpMap("GSM", 8000),
    "4": RtpMap("G723", 8000),
    "8": RtpMap("PCMA", 8000),
    "9": RtpMap("G722", 8000),
    "13": RtpMap("CN", 8000),
    "15": RtpMap("G728", 8000),
    "18": RtpMap("G729", 8000),
}


class Rtcp(NamedTuple):
    """Where RTCP of a stream goes (RFC 3605); port 0: nowhere."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The `o=` line: who made the description, which session, which edition of it (RFC 8866 §5.2).

    `session_id` and `version` are numbers of at most 32 digits; `address` is an IP literal or a
    name; `family` "IP4" or "IP6", "" = as the address shows.
    """

    username: str
    session_id: int
    version: int
    address: str
    family: str = ""

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read what follows `o=`; raises ParseError."""
        words = text.split(" ")
        if len(words) == 6 and "" not in words:
            username, session, version, network, family, address = words
            if _number(session) and _number(version) and network == "IN" and family in ("IP4", "IP6"):
                return cls(username, int(session), int(version), address, family)
        expected = "expected <username> <sess-id> <sess-version> IN IP4|IP6 <address> (RFC 8866 §5.2)"
        raise ParseError("SDP o=", text, expected)

    def __str__(self) -> str:
        family = self.family or _family(self.address)
        return f"{self.username} {self.session_id} {self.version} IN {family} {self.address}"

    def raised(self) -> Origin:
        """The origin of the next edition: version + 1 (RFC 3264 §8)."""
        return Origin(self.username, self.session_id, self.version + 1, self.address, self.family)


class Media(NamedTuple):
    """One `m=` section: the fields of its first line, and all its lines as they stand.

    `lines[0]` is the `m=` line. `inherited` holds the session's c=, a= and b= lines, which apply
    where the section has none of its own (RFC 8866 §5.7, §6). `port` 0-65535, 0 = the stream is
    refused or disabled (RFC 3264 §6, §8.2). `formats` are payload types as written.
    """

    kind: str
    port: int
    port_count: int
    proto: str
    formats: tuple[str, ...]
    lines: tuple[str, ...]
    inherited: tuple[str, ...] = ()

    def __repr__(self) -> str:
        text = mask_keys("\n".join(self.lines))
        return f"Media({text!r})"

    @property
    def active(self) -> bool:
        """True unless the port is 0."""
        return self.port != 0

    @property
    def connection(self) -> str:
        """The address media goes to, own or the session's, without TTL; raises ParseError (RFC 8866 §5.7)."""
        for lines in (self.lines, self.inherited):
            for line in lines:
                if line[0] == "c":
                    words = line[2:].split()
                    if len(words) == 3 and words[0] == "IN" and words[1] in ("IP4", "IP6"):
                        return words[2].partition("/")[0]
                    raise ParseError("SDP c=", line, "expected IN IP4|IP6 <address> (RFC 8866 §5.7)")
        raise ParseError("SDP c=", self.lines[0], "expected a c= line in the media section or the session")

    @property
    def direction(self) -> Direction:
        """Which way media flows as the description's author sees it.

        Own attribute, else the session's, else sendrecv (RFC 8866 §6.7). An address of 0.0.0.0 or ::
        takes receiving away (RFC 3264 §8.4), port 0 takes both.
        """
        if self.port == 0:
            return "inactive"
        stated = self.stated_direction
        for lines in (self.lines, self.inherited):
            for line in lines:
                if line[0] == "c":
                    if line.rpartition(" ")[2].partition("/")[0] in NULL_ADDRESSES:
                        return "sendonly" if stated in ("sendrecv", "sendonly") else "inactive"
                    return stated
        return stated

    @property
    def stated_direction(self) -> Direction:
        """The direction by the attributes alone, own before the session's."""
        for lines in (self.lines, self.inherited):
            for line in lines:
                if line in _DIRECTIONS:
                    return _DIRECTIONS[line]
        return "sendrecv"

    def attribute(self, name: str) -> str | None:
        """The value of the section's own first `a=name`, "" for a flag, None if there is none."""
        flag, start = f"a={name}", f"a={name}:"
        for line in self.lines:
            if line.startswith(start):
                return line[len(start) :]
            if line == flag:
                return ""
        return None

    def attributes(self, name: str) -> tuple[str, ...]:
        """The values of all the section's own `a=name:value` lines, in order."""
        start = f"a={name}:"
        return tuple([line[len(start) :] for line in self.lines if line.startswith(start)])

    def rtpmap(self, payload_type: str | int) -> RtpMap | None:
        """What a payload type stands for: its rtpmap line, else the static table, else None."""
        start = f"a=rtpmap:{payload_type} "
        for line in self.lines:
            if line.startswith(start):
                return _mapped(line[len(start) :]) if len(line) <= _KEPT else _read_map(line[len(start) :])
        return STATIC.get(str(payload_type))

    def fmtp(self, payload_type: str | int) -> str | None:
        """The format parameters of a payload type, as written (RFC 8866 §6.15)."""
        start = f"a=fmtp:{payload_type} "
        for line in self.lines:
            if line.startswith(start):
                return line[len(start) :].strip()
        return None

    @property
    def ptime(self) -> int | None:
        """Milliseconds of audio a packet that the author wishes to get; None if not said (RFC 8866 §6.4)."""
        return _milliseconds(self.attribute("ptime"))

    @property
    def maxptime(self) -> int | None:
        """The most milliseconds of audio the author takes in a packet; None if not said (RFC 8866 §6.5)."""
        return _milliseconds(self.attribute("maxptime"))

    @property
    def rtcp(self) -> Rtcp:
        """Where RTCP goes: `a=rtcp`, else the port after RTP's (RFC 3605 §2.1, RFC 3550 §11)."""
        stated = self.attribute("rtcp")
        words = stated.split() if stated else ()
        if words and _number(words[0]) and int(words[0]) <= 65535:
            address = words[3] if len(words) == 4 else self.connection
            return Rtcp(address, int(words[0]))
        return Rtcp(self.connection, self.port + 1 if 0 < self.port < 65535 else 0)

    @property
    def crypto(self) -> tuple[Crypto, ...]:
        """The section's crypto lines in order of preference; see `Crypto.usable` (RFC 4568 §5.1)."""
        found = []
        for value in self.attributes("crypto"):
            try:
                found.append(Crypto.parse(value))
            except ParseError:
                continue  # 7.1.2: an invalid line is passed over, the others still stand
        return tuple(found)

    def with_port(self, port: int) -> Media:
        """The same section on another port; 0 disables the stream."""
        count = f"/{self.port_count}" if self.port_count > 1 else ""
        line = f"m={self.kind} {port}{count} {self.proto} {' '.join(self.formats)}"
        return self._replace(port=port, lines=(line, *self.lines[1:]))

    def with_direction(self, direction: Direction) -> Media:
        """The same section with this direction stated in it; unchanged if that is what it says already."""
        if self.stated_direction == direction:
            return self
        kept = [line for line in self.lines if line not in _DIRECTIONS]
        return self._replace(lines=(*kept, f"a={direction}"))

    def with_connection(self, address: str) -> Media:
        """The same section with a c= line of its own, right after the m= line (RFC 8866 §5)."""
        kept = [line for line in self.lines[1:] if line[0] != "c"]
        return self._replace(lines=(self.lines[0], f"c=IN {_family(address)} {address}", *kept))


@dataclass(frozen=True, slots=True)
class Description:
    """A session description: `text` as it stands on the wire, cut into session lines and media sections.

    `lines` are the session's, without line ends. Two descriptions are equal if their text is; `repr`
    shows no media key.
    """

    text: str
    lines: tuple[str, ...] = field(compare=False)
    media: tuple[Media, ...] = field(compare=False)

    @classmethod
    def parse(cls, data: bytes | str) -> Description:
        """Read a description; LF alone also ends a line (RFC 8866 §5). Raises ParseError (400).

        Refused: over 64 KiB or 1000 lines, NUL or a lone CR, a line that is not `x=value`, no
        `v=0` first, not exactly one o= before the first m=, an unreadable m= line. Not asked for: s= and
        t=, on which nothing here rests.
        """
        if isinstance(data, str):
            try:
                data = data.encode("utf-8", "surrogateescape")
            except UnicodeEncodeError as wrong:
                raise ParseError(
                    "SDP", ascii(data[wrong.start]), "expected UTF-8 text (RFC 8866 §5)"
                ) from wrong
        if len(data) > MAX_BYTES:
            raise ParseError("SDP", f"{len(data)} bytes", f"expected at most {MAX_BYTES} bytes")
        text = data.decode("utf-8", "surrogateescape")
        rows = _rows(text)
        if not rows or rows[0] != "v=0":
            raise ParseError("SDP v=", rows[0] if rows else "", "expected v=0 first (RFC 8866 §5.1)")
        for row in rows:
            if row[1:2] != "=" or row[0] not in _LETTERS:
                raise ParseError("SDP", mask_keys(row), "expected <letter>=<value> (RFC 8866 §5)")
        letters = "".join([row[0] for row in rows])
        at = letters.find("m")
        head = rows if at < 0 else rows[:at]
        # a second o= or s= would be passed on unchanged by a B2BUA that hides what is behind it
        if letters.count("o") != 1 or not letters.count("o", 0, len(head)) or letters.count("s") > 1:
            raise ParseError(
                "SDP o=", f"{letters.count('o')} o= lines", "expected one, before m= (RFC 8866 §5.2)"
            )
        if at < 0:
            return cls(text, tuple(head), ())
        inherited = tuple([row for row in head if row[0] in "acb"])
        media = []
        while at >= 0:
            end = letters.find("m", at + 1)
            media.append(_media(tuple(rows[at:] if end < 0 else rows[at:end]), inherited))
            at = end
        return cls(text, tuple(head), tuple(media))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Description({mask_keys(self.text)!r})"

    def __bytes__(self) -> bytes:
        return self.text.encode("utf-8", "surrogateescape")

    @property
    def origin(self) -> Origin:
        """The o= line; raises ParseError if it cannot be read."""
        return Origin.parse(next(line for line in self.lines if line[0] == "o")[2:])

    @property
    def audio(self) -> Media | None:
        """The first audio section that is not disabled."""
        for media in self.media:
            if media.port and media.kind == "audio":
                return media
        return None

    def attribute(self, name: str) -> str | None:
        """The value of the session's first `a=name`, "" for a flag, None if there is none."""
        flag, start = f"a={name}", f"a={name}:"
        for line in self.lines:
            if line.startswith(start):
                return line[len(start) :]
            if line == flag:
                return ""
        return None

    def with_origin(self, origin: Origin, name: str = "") -> Description:
        """Another o= line, and another s= line if `name` is given; everything else byte for byte."""
        rows = self.text.split("\n")
        lines = list(self.lines)
        for index, line in enumerate(lines):
            if line[0] == "o":
                lines[index] = f"o={origin}"
            elif line[0] == "s" and name:
                lines[index] = f"s={name}"
            else:
                continue
            rows[index] = lines[index] + ("\r" if rows[index].endswith("\r") else "")
        return Description("\n".join(rows), tuple(lines), self.media)

    def with_media(self, media: Iterable[Media]) -> Description:
        """Other media sections; lines end as the first one did."""
        media = tuple(media)
        end = "\n" if self.text[3:4] == "\n" else "\r\n"
        lines = [*self.lines, *(line for section in media for line in section.lines)]
        return Description(end.join(lines) + end, self.lines, media)


def _rows(text: str) -> list[str]:
    """The lines without their ends and without empty ones at the very end."""
    ends = text.count("\n")
    if ends > MAX_LINES:
        raise ParseError("SDP", f"{ends} lines", f"expected at most {MAX_LINES} lines")
    returns = text.count("\r")
    if returns == ends == text.count("\r\n"):
        rows = text.split("\r\n")
    else:
        rows = [row.removesuffix("\r") for row in text.split("\n")]
        if any("\r" in row for row in rows):
            raise ParseError("SDP", "CR", "expected CR only before LF (RFC 8866 §5)")
    if "\0" in text:
        raise ParseError("SDP", "NUL", "expected no NUL (RFC 8866 §9)")
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _media(lines: tuple[str, ...], inherited: tuple[str, ...]) -> Media:
    """The section under `m=<media> <port>[/<count>] <proto> <fmt>...` (RFC 8866 §5.14)."""
    words = lines[0][2:].split()
    if 4 <= len(words) <= 3 + MAX_FORMATS and lines[0].isascii():
        port, slash, count = words[1].partition("/")
        if port.isdigit() and len(port) <= 5 and int(port) <= 65535:
            if not slash:
                return Media(words[0], int(port), 1, words[2], tuple(words[3:]), lines, inherited)
            if count.isdigit() and len(count) <= 5 and int(count):
                return Media(words[0], int(port), int(count), words[2], tuple(words[3:]), lines, inherited)
    raise ParseError(
        "SDP m=", lines[0], "expected <media> <port>[/<count>] <proto> <fmt>... (RFC 8866 §5.14)"
    )


def _read_map(text: str) -> RtpMap | None:
    """`<encoding>/<clock rate>[/<channels>]` (RFC 8866 §6.6); None if it is none."""
    name, _, rest = text.strip().partition("/")
    rate, _, channels = rest.partition("/")
    if name and _number(rate) and len(rate) <= 7:
        # only audio's parameter is a channel count; a wrong one is read as 1
        return RtpMap(name, int(rate), int(channels) if channels in ("1", "2") else 1)
    return None


_mapped = lru_cache(maxsize=256)(_read_map)  # every call names the same few encodings
_KEPT = 128  # characters of a line of which what was read is kept


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"


def _number(text: str) -> bool:
    return text.isdigit() and text.isascii() and len(text) <= 32


def _milliseconds(text: str | None) -> int | None:
    """A packet time; some write a fraction (RFC 8866 §6.4 allows none), which is cut off."""
    whole = (text or "").strip().partition(".")[0]
    return int(whole) if _number(whole) and 0 < int(whole) <= 1000 else None
