"""Offer and answer (RFC 3264, RFC 6337): what a media end says, and what two descriptions agree on.

Here is the end's side: it has one audio stream, and refuses every other line with port 0.
What a B2BUA needs to pass descriptions through is in `relay.py`; who may offer when is in
`negotiation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from trunkline.finding import ParseError
from trunkline.sdp.crypto import Crypto
from trunkline.sdp.description import Description, Direction, Media, Origin
from trunkline.sdp.relay import follow

NOT_ACCEPTABLE = 488  # RFC 3261 §21.4.26
DTMF = "telephone-event"
_EVENTS = DTMF.upper()
_NO_CODEC = frozenset({_EVENTS, "CN"})
PLAIN = "RTP/AVP"
SECURE = "RTP/SAVP"
_KEPT = 512  # characters of a section of which what was read is kept
_LONGEST_LITERAL = 64  # characters: an IPv6 address with its zone


class Codec(NamedTuple):
    """An encoding this side can send and take: name, clock rate in Hz, its payload type, its fmtp."""

    name: str
    clock_rate: int
    payload_type: int
    fmtp: str = ""


PCMA = Codec("PCMA", 8000, 8)
PCMU = Codec("PCMU", 8000, 0)
G729 = Codec("G729", 8000, 18, "annexb=no")


def spoken(names: Iterable[str]) -> tuple[Codec, ...]:
    """Those of these codecs that an end here encodes itself, in their order; A-law where it is none."""
    own = {codec.name: codec for codec in (PCMA, PCMU)}
    return tuple(own[name] for name in names if name in own) or (PCMA,)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an end can do, in order of preference.

    `ptime` in milliseconds. `dtmf_payload_type` 96-127 is offered for telephone-event (RFC 4733),
    None: this end has none. `suites` are the SRTP suites this end takes (RFC 4568); with any,
    its streams are RTP/SAVP and nothing else, without them RTP/AVP and nothing else: an end never
    falls back from the one to the other.
    """

    codecs: tuple[Codec, ...] = (PCMA,)
    ptime: int = 20
    dtmf_payload_type: int | None = 101
    suites: tuple[str, ...] = ()

    @property
    def profile(self) -> str:
        """The transport of this end's streams."""
        return SECURE if self.suites else PLAIN


class Stream(NamedTuple):
    """What was agreed: where to send, as what, in which direction as seen from here.

    `address` is an IP literal; `rtcp_port` 0: no RTCP. `payload_type` and `dtmf_payload_type` are
    those the far side declared: put them on what is sent. What comes in bears our own numbers,
    `receive_payload_type` and `receive_dtmf_payload_type` (None: the same as the sent ones). `ptime`
    is the milliseconds of audio to put in a packet. Under RTP/SAVP `crypto` is the far side's line, whose
    key opens what comes in, and `own_crypto` ours, whose key closes what is sent.
    """

    address: str
    port: int
    rtcp_port: int
    payload_type: int
    codec: str = "PCMA"
    clock_rate: int = 8000
    ptime: int = 20
    dtmf_payload_type: int | None = None
    direction: Direction = "sendrecv"
    profile: str = PLAIN
    crypto: Crypto | None = None
    receive_payload_type: int | None = None
    receive_dtmf_payload_type: int | None = None
    own_crypto: Crypto | None = None

    @property
    def sends(self) -> bool:
        """True if this side may send."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """True if this side should get media."""
        return self.direction in ("sendrecv", "recvonly")


def offer(
    capabilities: Capabilities,
    address: str,
    port: int,
    origin: Origin,
    direction: Direction = "sendrecv",
    *,
    rtcp_port: int | None = None,
    own: tuple[Crypto, ...] = (),
) -> Description:
    """The first offer of an end: one audio line with everything it can do (RFC 3264 §5).

    `address` is an IP literal, `port` 1-65535; `rtcp_port` is told if it is not the next one.
    `own` are the crypto lines of a secure end, best first, one for each of its suites.
    """
    section = _section(
        port,
        tuple([(codec.payload_type, codec) for codec in capabilities.codecs]),
        capabilities.dtmf_payload_type,
        capabilities.ptime,
        direction,
        rtcp_port,
        own,
    )
    return _described(origin, address, [section])


def answer(
    offered: Description,
    capabilities: Capabilities,
    address: str,
    port: int,
    origin: Origin,
    direction: Direction = "sendrecv",
    *,
    rtcp_port: int | None = None,
    own: tuple[Crypto, ...] = (),
) -> tuple[Description, Stream]:
    """The answer to an offer, and the stream that follows from it (RFC 3264 §6).

    The first audio line that fits is taken, with the first of the offer's codecs that this end has;
    every other line is answered with port 0 in its place. `direction` is what this side wishes:
    what the offer does not allow is left out of it. Under RTP/SAVP the first of the offer's crypto lines
    whose suite `own` has is taken, and answered with its tag (RFC 4568 §5.1.2). Raises ParseError (488) if
    nothing fits.
    """
    stream: Stream | None = None
    sections: list[Media] = []
    for theirs in offered.media:
        found = _choice(theirs, capabilities) if stream is None else None
        if found is None:
            # 6: a refused line keeps its place, kind, transport and at least one format
            refused = f"m={theirs.kind} 0 {theirs.proto} {' '.join(theirs.formats)}"
            sections.append(Media(theirs.kind, 0, 1, theirs.proto, theirs.formats, (refused,)))
            continue
        said, payload_type, codec = found
        audio = payload_type, payload_type  # an answer has the offer's numbers
        dtmf = None
        if capabilities.dtmf_payload_type is not None:
            dtmf = said.numbers.get((_EVENTS, codec.clock_rate))
        ptime, way = capabilities.ptime, _meet(direction, _reversed(said.direction))
        crypto = _answered(theirs, own) if capabilities.suites else None
        lines = () if crypto is None else (crypto[1],)
        sections.append(_section(port, ((payload_type, codec),), dtmf, ptime, way, rtcp_port, lines))
        stream = _stream(theirs, said, codec.name, codec.clock_rate, audio, (dtmf, dtmf), ptime, way, crypto)
    if stream is None:
        raise _unacceptable(offered, capabilities)
    return _described(origin, address, sections), stream


def answerable(offered: Description, capabilities: Capabilities) -> None:
    """Raise ParseError (488) for an offer that an end with these capabilities has no answer to."""
    for theirs in offered.media:
        if _choice(theirs, capabilities) is not None:
            if capabilities.suites:
                _answered(theirs, tuple(Crypto(0, suite, ()) for suite in capabilities.suites))
            return
    raise _unacceptable(offered, capabilities)


def agreed(local: Description, remote: Description) -> Stream:
    """The stream two descriptions agree on, as seen from `local`, whichever of them was the offer.

    Raises ParseError (488) if the lines do not match (RFC 3264 §6) or no audio line is left.
    """
    matched(local, remote)
    for ours, theirs in zip(local.media, remote.media, strict=True):
        if ours.active and theirs.active and ours.kind == "audio":
            return _common(ours, theirs)
    raise ParseError(
        "SDP m=", str(len(remote.media)), "expected an audio line both sides take", status=NOT_ACCEPTABLE
    )


def matched(offered: Description, answered: Description) -> None:
    """Raise ParseError (488) unless the lines agree in number, order, kind and transport (RFC 3264 §6)."""
    if len(offered.media) != len(answered.media):
        expected = f"expected {len(offered.media)} m= lines as offered (RFC 3264 §6)"
        raise ParseError("SDP m=", str(len(answered.media)), expected, status=NOT_ACCEPTABLE)
    for one, other in zip(offered.media, answered.media, strict=True):
        if one.kind != other.kind or (one.proto != other.proto and one.active and other.active):
            expected = f"expected {one.kind} over {one.proto} as offered (RFC 3264 §6)"
            raise ParseError("SDP m=", other.lines[0], expected, status=NOT_ACCEPTABLE)


def re_offer(
    previous: Description,
    direction: Direction | None = None,
    *,
    address: str | None = None,
    port: int | None = None,
) -> Description:
    """A new offer in a running session: hold, resume, another port, or the same again (RFC 3264 §8).

    `previous` is what this side last said, as offer or answer. Lines keep number and order, disabled
    ones stay disabled; the version of o= is one more if anything changed and the same if nothing did.
    """
    sections = []
    for section in previous.media:
        if section.active:
            if direction is not None:
                section = section.with_direction(direction)
            if port is not None and port != section.port:
                section = section.with_port(port)
            if address is not None and address != section.connection:
                section = section.with_connection(address)
        sections.append(section)
    return follow(previous, previous.with_media(sections))


def _choice(theirs: Media, capabilities: Capabilities) -> tuple[_Terms, int, Codec] | None:
    """What an audio line says, and its first codec that this end has, under the number the line gives it."""
    if theirs.kind != "audio" or not theirs.active or theirs.proto != capabilities.profile:
        return None
    said = _terms(theirs)
    for payload_type, name, clock_rate, channels in said.formats:
        for codec in capabilities.codecs if channels == 1 else ():
            if codec.clock_rate == clock_rate and codec.name.upper() == name:
                return said, payload_type, codec
    return None


def _unacceptable(offered: Description, capabilities: Capabilities) -> ParseError:
    """Why no line of an offer was taken, in the words a 488 needs."""
    audio = offered.audio
    if audio is None:
        got, expected = f"{len(offered.media)} m= lines", "expected an audio stream"
    elif audio.proto != capabilities.profile:
        got, expected = audio.proto, f"expected {capabilities.profile}"
    else:
        got, expected = audio.lines[0], "expected one of " + ", ".join(c.name for c in capabilities.codecs)
    return ParseError("SDP m=", got, expected, status=NOT_ACCEPTABLE)


def _common(ours: Media, theirs: Media) -> Stream:
    """What two active audio sections agree on, as seen from `ours`."""
    mine, said = _terms(ours), _terms(theirs)
    for (name, clock_rate), payload_type in said.numbers.items():
        receive = mine.numbers.get((name, clock_rate))
        if receive is None or name in _NO_CODEC:
            continue
        audio = payload_type, receive
        events = said.numbers.get((_EVENTS, clock_rate)), mine.numbers.get((_EVENTS, clock_rate))
        if None in events:
            events = None, None
        way = _meet(mine.direction, _reversed(said.direction))
        crypto = _crypto(ours, theirs)
        return _stream(theirs, said, name, clock_rate, audio, events, mine.ptime or 20, way, crypto)
    raise ParseError("SDP m=", theirs.lines[0], "expected a codec in common", status=NOT_ACCEPTABLE)


def _stream(
    theirs: Media,
    said: _Terms,
    codec: str,
    clock_rate: int,
    audio: tuple[int, int],
    events: tuple[int | None, int | None],
    ptime: int,
    direction: Direction,
    crypto: tuple[Crypto, Crypto] | None,
) -> Stream:
    """The stream toward the section `theirs`, which says `said`.

    `audio` and `events` are payload types and `crypto` lines, each theirs and then ours.
    """
    address = said.address or _literal(theirs.connection)
    line, own_line = crypto or (None, None)
    return Stream(
        address=address,
        port=theirs.port,
        rtcp_port=_rtcp_port(theirs, said, address),
        payload_type=audio[0],
        codec=codec.upper(),
        clock_rate=clock_rate,
        # Our own packet time, unless that is more than the far side takes (RFC 8866 §6.5).
        ptime=min(ptime, said.maxptime or ptime),
        dtmf_payload_type=events[0],
        direction=direction,
        profile=theirs.proto,
        crypto=line,
        receive_payload_type=audio[1],
        receive_dtmf_payload_type=events[1],
        own_crypto=own_line,
    )


def _rtcp_port(theirs: Media, said: _Terms, address: str) -> int:
    """Where they want RTCP; 0 where that is at another address than RTP."""
    if not said.names_rtcp:
        return theirs.port + 1 if theirs.port < 65535 else 0
    rtcp = theirs.rtcp
    return rtcp.port if rtcp.address == address else 0


class _Terms(NamedTuple):
    """What an active audio section says beside its port and its keys.

    `formats` are payload type, encoding in capitals, clock rate and channels of each format that is
    known, in order of preference; `numbers` the first payload type of each encoding and clock rate.
    `address` is "" where it is none that media can go to.
    """

    formats: tuple[tuple[int, str, int, int], ...]
    numbers: dict[tuple[str, int], int]
    address: str
    direction: Direction
    ptime: int | None
    maxptime: int | None
    names_rtcp: bool


def _terms(section: Media) -> _Terms:
    """From what was read of such lines before, where they are not too long to be kept."""
    lines = tuple([line for line in section.lines[1:] if line[:9] != "a=crypto:"])
    if len("".join((section.lines[0], *lines, *section.inherited))) <= _KEPT:
        return _kept_terms(section.formats, lines, section.inherited)
    return _read_terms(section.formats, lines, section.inherited)


def _read_terms(formats: tuple[str, ...], lines: tuple[str, ...], inherited: tuple[str, ...]) -> _Terms:
    section = Media("audio", 1, 1, PLAIN, formats, ("m=audio", *lines), inherited)
    known: list[tuple[int, str, int, int]] = []
    numbers: dict[tuple[str, int], int] = {}
    for payload_type in formats:
        rtpmap = section.rtpmap(payload_type)
        if rtpmap is not None and _valid(payload_type):
            name = rtpmap.name.upper()
            known.append((int(payload_type), name, rtpmap.clock_rate, rtpmap.channels))
            numbers.setdefault((name, rtpmap.clock_rate), int(payload_type))
    try:
        address = _literal(section.connection)
    except ParseError:
        address = ""  # told where it is needed
    names_rtcp = section.attribute("rtcp") is not None
    times = section.ptime, section.maxptime
    return _Terms(tuple(known), numbers, address, section.direction, *times, names_rtcp)


_kept_terms = lru_cache(maxsize=256)(_read_terms)  # a peer says the same in every call; keys are not kept


def _answered(theirs: Media, own: tuple[Crypto, ...]) -> tuple[Crypto, Crypto]:
    """The offer's first line that we can answer, and ours with its tag (RFC 4568 §5.1.2)."""
    mine = {line.suite: line for line in own}
    for line in theirs.crypto:
        if line.suite in mine and line.usable:
            return line, mine[line.suite]._replace(tag=line.tag)
    suites = " ".join(line.suite for line in theirs.crypto)
    raise ParseError("SDP a=crypto", suites, "expected one of " + ", ".join(mine), status=NOT_ACCEPTABLE)


def _crypto(ours: Media, theirs: Media) -> tuple[Crypto, Crypto] | None:
    """The far side's line and ours of the same tag and suite (RFC 4568 §5.1.3); None on a plain stream."""
    if "SAVP" not in theirs.proto:
        return None
    named = {(line.tag, line.suite): line for line in ours.crypto}
    for line in theirs.crypto:
        mine = named.get((line.tag, line.suite))
        if mine is not None and line.usable:
            return line, mine
    raise ParseError(
        "SDP a=crypto", theirs.proto, "expected a usable crypto line in common", status=NOT_ACCEPTABLE
    )


def _literal(address: str) -> str:
    if len(address) <= _LONGEST_LITERAL:
        with suppress(ValueError):
            ip_address(address)
            return address
    expected = "expected an IP address, names are not looked up for media"
    raise ParseError("SDP c=", address, expected, status=NOT_ACCEPTABLE)


def _valid(payload_type: str) -> bool:
    return (
        payload_type.isdigit() and len(payload_type) <= 3 and int(payload_type) <= 127
    )  # RFC 3550 §5.1: 7 bits


_REVERSED: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


def _reversed(direction: Direction) -> Direction:
    """The same flow as the other side sees it."""
    return _REVERSED[direction]


def _meet(wish: Direction, allowed: Direction) -> Direction:
    """What of a wish is allowed (RFC 3264 §6.1)."""
    if wish == allowed or allowed == "sendrecv":
        return wish
    return allowed if wish == "sendrecv" else "inactive"


def _section(
    port: int,
    codecs: tuple[tuple[int, Codec], ...],
    dtmf: int | None,
    ptime: int,
    direction: Direction,
    rtcp_port: int | None,
    crypto: tuple[Crypto, ...] = (),
) -> Media:
    """Our own audio section."""
    numbers, formats = _formats(codecs, dtmf, ptime)
    lines: list[str] = []
    if rtcp_port is not None and rtcp_port != port + 1:
        lines.append(f"a=rtcp:{rtcp_port}")  # RFC 3605 §2.1
    lines += [f"a=crypto:{line}" for line in crypto]
    profile = SECURE if crypto else PLAIN
    whole = (f"m=audio {port} {profile} {' '.join(numbers)}", *formats, *lines, f"a={direction}")
    return Media("audio", port, 1, profile, numbers, whole)


@lru_cache(maxsize=256)
def _formats(
    codecs: tuple[tuple[int, Codec], ...], dtmf: int | None, ptime: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The payload types of a section of ours, and the lines that say what they are."""
    numbers = [str(payload_type) for payload_type, _ in codecs]
    lines = []
    for payload_type, codec in codecs:
        lines.append(f"a=rtpmap:{payload_type} {codec.name}/{codec.clock_rate}")
        if codec.fmtp:
            lines.append(f"a=fmtp:{payload_type} {codec.fmtp}")
    if dtmf is not None:
        numbers.append(str(dtmf))
        lines += (f"a=rtpmap:{dtmf} {DTMF}/{codecs[0][1].clock_rate}", f"a=fmtp:{dtmf} 0-15")
    return tuple(numbers), (*lines, f"a=ptime:{ptime}")


def _described(origin: Origin, address: str, sections: list[Media]) -> Description:
    """What a reader makes of our lines, without reading them: they are ours."""
    family = "IP6" if ":" in address else "IP4"
    at = f"c=IN {family} {address}"
    head = ("v=0", f"o={origin}", "s=-", at, "t=0 0")
    media = tuple([section._replace(inherited=(at,)) for section in sections])
    text = "\r\n".join([*head, *[line for section in media for line in section.lines], ""])
    return Description(text, head, media)
