"""Who may offer and who must answer: the offer/answer state of one dialog (RFC 3264 §4, RFC 6337 §2).

One offer is open at a time. A second one is glare; the error carries the status the peer of
that offer deserves. Descriptions in unreliable provisional responses are previews: they do not
close the offer (RFC 3261 §13.2.1).
"""

from __future__ import annotations

from enum import StrEnum

from trunkline.finding import ParseError
from trunkline.sdp.description import Description


class State(StrEnum):
    """Whether an offer is open, and whose."""

    STABLE = "stable"
    LOCAL_OFFER = "local offer"
    REMOTE_OFFER = "remote offer"


class Event(StrEnum):
    """What happened to an offer. REFUSED: a final response other than 2xx, CANCEL or a timeout ended it."""

    OFFER_SENT = "offer sent"
    OFFER_RECEIVED = "offer received"
    PREVIEW_SENT = "preview sent"
    PREVIEW_RECEIVED = "preview received"
    ANSWER_SENT = "answer sent"
    ANSWER_RECEIVED = "answer received"
    REFUSED = "refused"


NEXT: dict[tuple[State, Event], State] = {
    (State.STABLE, Event.OFFER_SENT): State.LOCAL_OFFER,
    (State.STABLE, Event.OFFER_RECEIVED): State.REMOTE_OFFER,
    (State.LOCAL_OFFER, Event.PREVIEW_RECEIVED): State.LOCAL_OFFER,
    (State.LOCAL_OFFER, Event.ANSWER_RECEIVED): State.STABLE,
    (State.LOCAL_OFFER, Event.REFUSED): State.STABLE,
    (State.REMOTE_OFFER, Event.PREVIEW_SENT): State.REMOTE_OFFER,
    (State.REMOTE_OFFER, Event.ANSWER_SENT): State.STABLE,
    (State.REMOTE_OFFER, Event.REFUSED): State.STABLE,
    # 3261 13.2.1: what repeats after the answer is passed over (the 200 after a reliable 183)
    (State.STABLE, Event.PREVIEW_SENT): State.STABLE,
    (State.STABLE, Event.PREVIEW_RECEIVED): State.STABLE,
    (State.STABLE, Event.ANSWER_SENT): State.STABLE,
    (State.STABLE, Event.ANSWER_RECEIVED): State.STABLE,
    (State.STABLE, Event.REFUSED): State.STABLE,
}

# What a second offer deserves (RFC 3261 §14.2, RFC 3311 §5.2). One that this side wanted to send
# gets 491 as well: a B2BUA gives it to the party the offer came from.
GLARE: dict[tuple[State, Event], int] = {
    (State.LOCAL_OFFER, Event.OFFER_RECEIVED): 491,
    (State.REMOTE_OFFER, Event.OFFER_RECEIVED): 500,
    (State.LOCAL_OFFER, Event.OFFER_SENT): 491,
    (State.REMOTE_OFFER, Event.OFFER_SENT): 491,
}


class Glare(ParseError):
    """An offer while one is open. `status` is 491, or 500 with a Retry-After of 0 to 10 s (`retry_after`)."""

    def __init__(self, state: State, event: Event) -> None:
        status = GLARE[state, event]
        self.retry_after = status == 500
        super().__init__("SDP", event, f"expected no second offer in state {state}", status=status)


class Negotiation:
    """The offer/answer state of one dialog, and the two descriptions now in force.

    `local` and `remote` are the last agreed descriptions (None before the first agreement) and stay as
    they are while an offer is open or when it is refused (RFC 6337 §3.4); `open` is the offer that waits for
    its answer; `preview` is what an unreliable provisional response said, until the answer comes.
    """

    __slots__ = ("local", "open", "preview", "remote", "state")

    def __init__(self) -> None:
        self.state = State.STABLE
        self.local: Description | None = None
        self.remote: Description | None = None
        self.open: Description | None = None
        self.preview: Description | None = None

    def offer_sent(self, description: Description) -> None:
        """This side offers (INVITE, UPDATE, a 2xx to an empty INVITE, ...); raises Glare."""
        self._step(Event.OFFER_SENT)
        self.open = description

    def offer_received(self, description: Description) -> None:
        """The far side offers; raises Glare with the status to answer."""
        self._step(Event.OFFER_RECEIVED)
        self.open = description

    def answer_sent(self, description: Description, *, final: bool = True) -> bool:
        """This side answers; `final=False` in an unreliable 1xx. False: nothing was open, no news."""
        offered = self.open
        self._step(Event.ANSWER_SENT if final else Event.PREVIEW_SENT)
        if offered is None:
            return False
        if final:
            self.local, self.remote, self.open, self.preview = description, offered, None, None
        else:
            self.preview = description
        return True

    def answer_received(self, description: Description, *, final: bool = True) -> bool:
        """The far side answers; `final=False` in an unreliable 1xx. False: nothing was open, pass it over."""
        offered = self.open
        self._step(Event.ANSWER_RECEIVED if final else Event.PREVIEW_RECEIVED)
        if offered is None:
            return False
        if final:
            self.local, self.remote, self.open, self.preview = offered, description, None, None
        else:
            self.preview = description
        return True

    def refused(self) -> None:
        """The open offer came to nothing; what was agreed before goes on (RFC 3261 §14.1)."""
        self._step(Event.REFUSED)
        self.open = self.preview = None

    def _step(self, event: Event) -> None:
        """Follow NEXT; Glare for a second offer, ParseError (400) for an answer to one's own offer."""
        following = NEXT.get((self.state, event))
        if following is None:
            if (self.state, event) in GLARE:
                raise Glare(self.state, event)
            raise ParseError("SDP", event, f"expected no such step in state {self.state}")
        self.state = following
