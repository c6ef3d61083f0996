"""What a leg says and hears of its media: whose offer is open, and the descriptions it sends (RFC 3264).

A *passing* leg says what the far leg heard, under its own o= line. An *ending* leg has
`Terms`: it makes offers and answers by itself, from the port the media seam opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trunkline.call import events
from trunkline.finding import ParseError
from trunkline.media import anchor
from trunkline.sdp.crypto import SUITES, Crypto
from trunkline.sdp.description import Description, Direction, Origin
from trunkline.sdp.negotiation import Negotiation, State
from trunkline.sdp.offer_answer import Capabilities, Stream, agreed, answer, answerable, offer, re_offer
from trunkline.sdp.relay import follow, relabelled, same_session
from trunkline.sip.arrival import SDP
from trunkline.sip.flow import Ids
from trunkline.sip.message import Message

if TYPE_CHECKING:
    from trunkline.call.leg import Leg


@dataclass(frozen=True, slots=True)
class Terms:
    """What an ending leg's media is: session id at the seam, address to bind, codecs.

    `join` is the leg of the same session that this one is relayed to (an anchored call);
    "" where the end is here.
    """

    media: str
    address: str
    capabilities: Capabilities = field(default_factory=Capabilities)
    join: str = ""


class Descriptions:
    """The descriptions of one leg.

    `address` is the IP literal for the o= line of a passing leg. `port` is an ending
    leg's, once it is open; `wish` is the direction it wants (it holds with "sendonly").
    """

    __slots__ = (
        "_ids",
        "_keys",
        "_leg",
        "_said",
        "address",
        "negotiation",
        "port",
        "stream",
        "terms",
        "wish",
    )

    def __init__(self, leg: Leg, ids: Ids, terms: Terms | None) -> None:
        self.terms = terms
        self.negotiation = Negotiation()
        self.address = ""
        self.port: anchor.Anchored | None = None
        self.wish: Direction = "sendrecv"
        self.stream: Stream | None = None  # what was settled last
        self._ids = ids
        self._leg = leg
        self._said: Description | None = None  # the last description sent, whatever became of it
        self._keys: tuple[Crypto, ...] = ()  # ours, one a suite; the same as long as the leg lives

    @property
    def answer_awaited(self) -> bool:
        """Whether the far side's offer is open, and an answer of ours counts."""
        return self.negotiation.state is State.REMOTE_OFFER

    @property
    def offer_open(self) -> bool:
        """Whether our offer waits for its answer."""
        return self.negotiation.state is State.LOCAL_OFFER

    def check(self, offered: Description | None) -> None:
        """Raises ParseError (488) for an offer that this leg can have no answer to; None is no offer."""
        if offered is None:
            return
        if self.terms is None:
            _clear(offered)
        else:
            answerable(offered, self.terms.capabilities)

    # --- a passing leg's ---------------------------------------------------------------

    def pass_offer(self, sdp: Description) -> bytes:
        """The far leg's offer as ours; raises Glare while another is open."""
        said = self._as_ours(sdp)
        self.negotiation.offer_sent(said)
        return bytes(said)

    def pass_answer(self, sdp: Description, *, final: bool = True) -> bytes:
        """The far leg's answer as ours; not `final` in a provisional that may get lost."""
        said = self._as_ours(sdp)
        self.negotiation.answer_sent(said, final=final)
        return bytes(said)

    def again(self) -> bytes:
        """What was said last: a 2xx may repeat what a provisional answered (RFC 6337 §3.1.1)."""
        return b"" if self._said is None else bytes(self._said)

    def _as_ours(self, sdp: Description) -> Description:
        """RFC 3264 §8: one o= line per leg, its version one up for each change."""
        said = self._said
        self._said = relabelled(sdp, self._origin()) if said is None else follow(said, sdp)
        return self._said

    # --- an ending leg's ---------------------------------------------------------------

    def own_offer(self) -> bytes:
        """Our offer: the first one, or the session as it is now."""
        assert self.terms is not None
        assert self.port is not None
        if self._said is None:
            port = self.port
            capabilities = self.terms.capabilities
            self._said = offer(
                capabilities,
                port.address,
                port.port,
                self._origin(),
                self.wish,
                rtcp_port=port.rtcp_port,
                own=self._own_keys(),
            )
        self.negotiation.offer_sent(self._said)
        return bytes(self._said)

    def turned(self, direction: Direction) -> Description | None:
        """The session in force with another direction, to be offered; None while there is none."""
        now = self.negotiation.local
        return None if now is None else re_offer(now, direction)

    @property
    def holds(self) -> bool:
        """Whether the session in force keeps the far side waiting."""
        audio = None if self.negotiation.local is None else self.negotiation.local.audio
        return audio is not None and audio.direction in ("sendonly", "inactive")

    def own_answer(self) -> tuple[bytes, list[Any]]:
        """Our answer to the open offer, and its stream; raises ParseError (488) where nothing fits.

        It is final even in a provisional: an end does not change its mind.
        """
        assert self.terms is not None
        assert self.port is not None
        assert self.negotiation.open is not None
        port, said = self.port, self._said
        ours, stream = answer(
            self.negotiation.open,
            self.terms.capabilities,
            port.address,
            port.port,
            self._origin() if said is None else said.origin,
            self.wish,
            rtcp_port=port.rtcp_port,
            own=self._own_keys(),
        )
        self._said = ours if said is None else follow(said, ours)
        self.negotiation.answer_sent(self._said)
        return bytes(self._said), self._settled(stream)

    def take_answer(self, sdp: Description, *, final: bool = True) -> list[Any]:
        """The far side's answer; an ending leg's stream follows from it.

        Raises ParseError (488) where an ending leg's offer and the answer do not match.
        """
        negotiation = self.negotiation
        if self.terms is None:
            negotiation.answer_received(sdp, final=final)
            return []
        ours = negotiation.open or negotiation.local
        known = negotiation.remote if negotiation.open is None else None
        if ours is None or (known is not None and same_session(known, sdp)):
            return []  # the 2xx repeats what a provisional said (RFC 3261 §13.2.1)
        stream = agreed(ours, sdp)  # of another fork, if a provisional said something else
        if negotiation.open is None:
            negotiation.remote = sdp
        else:
            negotiation.answer_received(sdp, final=final)
        return self._settled(stream)

    def claimed(self, early: Stream, out: list[Any]) -> list[Any]:
        """A leg that had early media was answered; `out` is what its 2xx came to.

        Of several phones with early media the last one has the caller's ear: from now on it is this one.
        """
        assert self.terms is not None
        terms, id = self.terms, self._leg.id
        if not terms.join or self.port is None:
            return out
        if not any(isinstance(output, anchor.Answer) for output in out):  # the 2xx said nothing new
            out = [anchor.Answer(terms.media, id, early), *out]
        return [anchor.Offer(terms.media, id, terms.address, terms.join), *out]

    def release(self) -> list[Any]:
        """Give the port back."""
        if self.terms is None or self.port is None:
            return []
        self.port = None
        return [anchor.Release(self.terms.media, self._leg.id)]

    def leave(self) -> None:
        """The leg is over; the circle of the two ends here."""
        del self._leg

    def _settled(self, stream: Stream) -> list[Any]:
        assert self.terms is not None
        self.stream = stream
        said = anchor.Answer(self.terms.media, self._leg.id, stream)
        return [said, events.Agreed(self._leg, stream)]

    def _own_keys(self) -> tuple[Crypto, ...]:
        """Our crypto lines, drawn once: an unchanged key keeps its SRTP context (RFC 4568 §7.1.4)."""
        assert self.terms is not None
        if not self._keys:
            suites = self.terms.capabilities.suites
            self._keys = tuple([Crypto.of(n, suite, self._drawn(suite)) for n, suite in enumerate(suites, 1)])
        return self._keys

    def _drawn(self, suite: str) -> bytes:
        """A master key and salt; `ids` is the only source of randomness down here."""
        length = SUITES[suite].key + SUITES[suite].salt
        return self._ids.number(1 << 8 * length).to_bytes(length, "big")

    def _origin(self) -> Origin:
        number = self._ids.number(2**31)
        return Origin("-", number, number, self.address if self.port is None else self.port.address)


def _clear(offered: Description) -> None:
    """Raises ParseError (488) where all audio is SRTP: what passes straight to the far end is clear."""
    audio = [section for section in offered.media if section.kind == "audio" and section.port]
    if audio and all("SAVP" in section.proto for section in audio):
        expected = "expected RTP/AVP: media is not anchored here, and the far side takes no SRTP"
        raise ParseError("SDP m=", audio[0].proto, expected, status=488)


def description_of(message: Message) -> Description | None:
    """The description a message carries; raises ParseError 415 for another body, 400 for a bad one."""
    if not message.body:
        return None
    kind = (message.get("content-type") or "").partition(";")[0].strip().lower()
    if kind != SDP:
        if "handling=optional" in (message.get("content-disposition") or "").lower().replace(" ", ""):
            return None  # §20.11
        raise ParseError("Content-Type", kind, f"expected {SDP} (RFC 3261 §20.15)", status=415)
    return Description.parse(message.body)
