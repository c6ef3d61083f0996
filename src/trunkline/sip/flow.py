"""Where bytes come from and go to, and the ids that messages need.

A `Flow` is the pair of transport addresses that RFC 5626 §1 calls by that name. The
machines below `aio` pass flows around as values; only `aio` knows the socket.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Flow(NamedTuple):
    """One path to a peer: transport and both addresses.

    `transport` is "UDP", "TCP" or "TLS" (upper case, as in Via). `local` names the
    listening address of this side, also for connections this side opens (RFC 3261
    §18): aio keeps the map from flows to connections. `remote` is the peer's IP
    literal (IPv6 without brackets) and port. `peer` is the name the far certificate
    was checked against, or the FQDN a connection must be checked against; "" over UDP
    and TCP.
    """

    transport: str
    local: tuple[str, int]
    remote: tuple[str, int]
    peer: str = ""

    @property
    def reliable(self) -> bool:
        """True over TCP and TLS, where nothing is retransmitted (RFC 3261 §17)."""
        return self.transport != "UDP"


class Send(NamedTuple):
    """Put these bytes on that flow; aio opens the connection if there is none."""

    data: bytes
    flow: Flow


class Close(NamedTuple):
    """End the connection under this flow (a peer that broke the framing limits)."""

    flow: Flow
    why: str


class Ids(Protocol):
    """The one source of randomness below `aio`; the simulation seeds it."""

    def token(self) -> str:
        """A fresh word of at least 64 random bits, of RFC 3261 token characters."""
        ...

    def number(self, below: int) -> int:
        """A uniform integer in 0 <= n < below."""
        ...
