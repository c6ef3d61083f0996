"""What a B2BUA needs to pass descriptions through: its own o= and s= per leg, and the carrier's codec rule.

Number, order and content of everything else stay the far end's, byte for byte, so that media
goes straight between the two ends (RFC 7092 §3.1.2: a signalling B2BUA that owns its session ids).
"""

from __future__ import annotations

from trunkline.finding import ParseError
from trunkline.sdp.description import Description, Origin


def relabelled(description: Description, origin: Origin, name: str = "-") -> Description:
    """The same description as this leg's own: its o= and s= lines, everything else byte for byte."""
    return description.with_origin(origin, name)


def same_session(one: Description, other: Description) -> bool:
    """True if two descriptions say the same apart from o=; how lines end does not count."""
    return one.media == other.media and _said(one) == _said(other)


def follow(previous: Description, new: Description) -> Description:
    """`new` as the next description of the leg that last sent `previous` (RFC 3264 §8).

    It bears the session id and name of `previous`; the version is one more if anything changed, and the
    same if nothing did.
    """
    name = next((line[2:] for line in previous.lines if line[0] == "s"), "-")
    candidate = relabelled(new, previous.origin, name)
    return candidate if same_session(previous, candidate) else candidate.with_origin(previous.origin.raised())


def codecs(description: Description) -> tuple[str, ...]:
    """The codec names, as written and in order, of the first active audio line; () if there is none."""
    audio = description.audio
    if audio is None:
        return ()
    return tuple(found.name for found in map(audio.rtpmap, audio.formats) if found)


def require_codec(description: Description, name: str) -> None:
    """Raise ParseError (488) unless the first active audio line has this codec (case does not count)."""
    found = codecs(description)
    if name.upper() not in (codec.upper() for codec in found):
        raise ParseError("SDP m=audio", " ".join(found), f"expected {name}", status=488)


def _said(description: Description) -> list[str]:
    return [line for line in description.lines if line[0] != "o"]
