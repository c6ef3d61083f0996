"""SIP over TLS: the connections of `aio.stream`, sealed, each with the name its peer was matched to.

The flow of an accepted connection bears the allowed name that the peer's certificate
speaks for; a connection is opened for a flow's name, never for its address alone
(RFC 5922 §7). Both keep to it: a Send for another name does not go out on them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from trunkline.aio.stream import LIMITS, UPKEEP, Connection, Limits, StreamPort, Upkeep
from trunkline.aio.tls import Terms, TlsContext
from trunkline.aio.tls_session import Civil, Session, civil_now
from trunkline.aio.tls_words import too_slow
from trunkline.call.node import TlsRefused, TlsUp
from trunkline.pki.names import domain
from trunkline.sip.flow import Flow

HANDSHAKE = 10.0  # seconds
_LINGER = 2.0  # seconds in which a refused peer may read why

Tell = Callable[[TlsUp | TlsRefused], None]


@dataclass(frozen=True, slots=True)
class Parties:
    """Who may be spoken to over one TLS port, and on which terms.

    `server` are the terms of the listener; `allowed` the names of which a client's
    certificate must bear one (the gateways; none: nobody may connect, where the terms
    are mutual). `gateways` are the terms for each gateway we connect to, by its name;
    `others`, where not None, those for every other name.
    """

    server: Terms
    allowed: tuple[str, ...] = ()
    gateways: Mapping[str, Terms] = field(default_factory=lambda: MappingProxyType({}))
    others: Terms | None = None


class SecureConnection(Connection):
    """A connection whose bytes pass a TLS session; what is sent before the handshake is done waits."""

    def __init__(self, port: TlsPort, session: Session, flow: Flow | None = None) -> None:
        super().__init__(port, flow)
        self._tls_port, self._session = port, session
        self._held: list[bytes] = []
        self._limit: asyncio.TimerHandle | None = None
        self._ending = False  # what comes now is thrown away

    def stand(self) -> None:
        """TCP stands: shake hands."""
        wait = self._tls_port.handshake
        self._limit = asyncio.get_running_loop().call_later(wait, self._too_slow)
        if self._opened:
            self._session.start()
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_limit()
        if not self._told and self.transport is not None:
            self._session.cut()
            self._tell_refusal()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        session, was_up = self._session, self._session.up is not None
        plain = session.feed(data)
        self._flush()
        if not was_up and session.up is not None:
            self._up()
        if plain:
            super().data_received(plain)
        if session.over and not self._told:
            self._broken()

    def write(self, data: bytes) -> None:
        if self._ending:
            return  # it was told
        if self._session.up is not None:
            self._session.seal(data)
            super().write(self._session.outgoing())
        elif sum(map(len, self._held)) > self._port.limits.unread:
            self._lost("too much waits for the handshake")
            self.abandon()
        else:
            self._held.append(data)

    def end(self) -> None:
        if self._ending:
            self.abandon()
            return
        self._session.end()
        self._flush()
        super().end()

    def _flush(self) -> None:
        sealed, transport = self._session.outgoing(), self.transport
        if sealed and transport is not None and not transport.is_closing():
            transport.write(sealed)

    def _up(self) -> None:
        self._no_limit()
        up = self._session.up
        assert up is not None
        if not self._opened and up.matched:
            self._port.unbook(self)
            self.flow = self.flow._replace(peer=up.matched[0])
            self._port.book(self)
        self._tls_port.tell(TlsUp(self.flow, up.version, up.suite, up.ours, up.theirs))
        super().stand()
        held, self._held = self._held, []
        for data in held:
            self.write(data)

    def _broken(self) -> None:
        """Nothing passes any more: tell why, and let a refused peer read the alert before a reset."""
        self._no_limit()
        self._ending = True
        self._tell_refusal()
        self._lost(self._session.why)
        self._port.unbook(self)
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if self._session.refusal is None:
            transport.close()
        else:
            transport.write_eof()
            self._limit = asyncio.get_running_loop().call_later(_LINGER, transport.abort)

    def _too_slow(self) -> None:
        self._limit = None
        why = too_slow(self._tls_port.handshake)
        self._tls_port.tell(TlsRefused(self.flow, "", why))
        self._lost(why)
        self.abandon()

    def _tell_refusal(self) -> None:
        refusal = self._session.refusal
        if refusal is not None:
            self._tls_port.tell(TlsRefused(self.flow, refusal.alert, refusal.why))

    def _lost(self, why: str) -> None:
        if self._opened or self._session.up is not None:
            refusal = self._session.refusal
            super()._lost(refusal.why if refusal is not None else why)
        else:
            self._told = True  # nobody has heard of this flow

    def _no_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class TlsPort(StreamPort):
    """A bound and listening TLS port. `renew` changes terms and certificates for the handshakes to come.

    `keylog` is the file that gets the keys of every connection, so that a trace can be
    read (a lab's knob: whoever reads it reads everything); "" for none.
    """

    kind = "TLS"

    def __init__(
        self,
        address: str,
        port: int,
        parties: Parties,
        tell: Tell,
        *,
        tos: int = 0,
        limits: Limits = LIMITS,
        upkeep: Upkeep = UPKEEP,
        handshake: float = HANDSHAKE,
        keylog: str = "",
        civil: Civil = civil_now,
    ) -> None:
        self._keylog: int | None = None
        self.tell, self.handshake, self._civil = tell, handshake, civil
        if keylog:
            self._keylog = os.open(keylog, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.renew(parties)
        super().__init__(address, port, tos=tos, limits=limits, upkeep=upkeep)

    def renew(self, parties: Parties) -> None:
        """Take other certificates and terms; connections go on. A ParseError leaves all as it was."""
        server = self._context(parties.server, server=True)
        gateways = {
            domain(name): self._context(terms, server=False) for name, terms in parties.gateways.items()
        }
        others = None if parties.others is None else self._context(parties.others, server=False)
        self._server_context, self._gateways, self._others = server, gateways, others
        self._parties = parties

    def connection(self, flow: Flow | None = None) -> SecureConnection:
        """A new connection with a session on today's terms."""
        if flow is None:
            allowed = self._parties.allowed if self._server_context.verifies else None
            return SecureConnection(self, Session(self._server_context, allowed, self._civil))
        context = cast(TlsContext, self._gateways.get(domain(flow.peer), self._others))
        return SecureConnection(self, Session(context, (flow.peer,), self._civil), flow)

    def check(self, flow: Flow) -> None:
        """As for TCP, and the flow must bear a name we have terms for."""
        super().check(flow)
        if not flow.peer:
            raise ValueError("no name is known to check the certificate at that address against")
        if self._gateways.get(domain(flow.peer), self._others) is None:
            raise ValueError(f"{flow.peer} is no gateway of this port: its certificate has no terms")

    def close(self) -> None:
        super().close()
        if self._keylog is not None:
            os.close(self._keylog)
            self._keylog = None

    def _context(self, terms: Terms, *, server: bool) -> TlsContext:
        return TlsContext(terms, server=server, keylog=self._write_key if self._keylog is not None else None)

    def _write_key(self, line: bytes) -> None:
        if self._keylog is not None:
            os.write(self._keylog, line + b"\n")
