"""Where a leg's packets really come from: learned from the first valid one, kept until a re-INVITE.

What the far description says is where to send until then; behind a NAT it is never
where the packets come from (RFC 4961, and RFC 7362 for the attacks on this).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

Address = tuple[str, int]
LEFTOVERS = 1.0  # seconds after a move was announced in which the old source proves nothing


@lru_cache(maxsize=4096)
def canonical(address: str) -> str:
    """An IP literal as the kernel writes it, so that it compares with where a packet came from."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address


class Latch:
    """The source that is listened to. `open`: the next valid packet decides who that is.

    Who sends from the agreed address takes the place of anybody else who was learned.
    """

    __slots__ = ("_moved_at", "agreed", "open", "source")

    def __init__(self) -> None:
        self.agreed: Address = ("", 0)
        self.source: Address | None = None
        self.open = True
        self._moved_at = float("-inf")

    @property
    def target(self) -> Address:
        """Where to send: the source (symmetric RTP), but where a new place was announced, there."""
        if self.source is None or (self.open and self._moved_at != float("-inf")):
            return self.agreed
        return self.source

    def reopen(self, address: str, port: int, now: float) -> None:
        """The far side said anew where it is (offer, answer, re-INVITE)."""
        agreed = (canonical(address), port)
        self._moved_at = now if self.source is not None and agreed != self.agreed else float("-inf")
        self.agreed, self.open = agreed, True

    def forget(self) -> None:
        """The port is another one: nobody has sent to it yet."""
        self.source, self.open, self._moved_at = None, True, float("-inf")

    def loosen(self) -> None:
        """The source fell silent: whoever sends next may be where it moved to."""
        self.open, self._moved_at = True, float("-inf")

    def admits(self, source: Address) -> bool:
        """Whether a packet from there is worth a look (and the cost of its authentication)."""
        return self.open or source in (self.source, self.agreed)

    def learn(self, source: Address, now: float) -> None:
        """A valid packet came from there."""
        if self.open and source == self.source != self.agreed and now - self._moved_at < LEFTOVERS:
            return  # still under way when the far side moved
        if self.open or source == self.agreed:
            self.source, self.open = source, False
