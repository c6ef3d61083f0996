"""TLS on virtual time: a stand-in for `aio.tls_stream` that judges real certificates with `pki.chain`.

Nothing is encrypted. What is as in `aio`: who is asked for which name, when each side
judges the other, what each is told in which words, that a connection is used for one
name only, that a lost one is opened again, and that TLS 1.3 lets a client speak before
it hears of its refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.simulation.secured.papers import civil
from tests.simulation.world import RETRY, Connection, Host, Mode, Place, World

from trunkline.aio import tls_words
from trunkline.aio.tls import SUITES, Terms
from trunkline.aio.tls_stream import HANDSHAKE, Parties
from trunkline.call.node import Node, TlsRefused, TlsUp
from trunkline.pki import alert as alerts
from trunkline.pki.chain import judge
from trunkline.pki.judgement import Judgement, Role
from trunkline.pki.names import domain
from trunkline.sip.flow import Flow

_HANDSHAKE_FAILURE, _CERTIFICATE_REQUIRED = 40, 116  # alerts for who shows none, in TLS 1.2 and 1.3
REOPEN = 2.0  # seconds until a lost connection that served is opened again, as cli.certificates has it


@dataclass(frozen=True, slots=True)
class Met:
    """A handshake that failed: between whom, and what each side was told of it."""

    at: float
    client: str
    server: str
    to_client: str
    to_server: str


@dataclass(eq=False, slots=True)
class _Shaking:
    """A handshake under way; `heard` says that the client has seen the server's certificate."""

    client: Host
    flow: Flow
    server: Host
    back: Flow
    caller: Terms  # the client's terms, as they were when it began
    listener: Terms
    allowed: tuple[str, ...] | None
    since: float
    client_life: Node
    server_life: Node
    waiting: list[bytes] = field(default_factory=list)
    client_up: bool = False
    over: bool = False

    @property
    def version(self) -> str:
        """The highest that both speak."""
        return min(self.caller.most, self.listener.most)

    @property
    def suite(self) -> str:
        """The first of the server's that the client has too."""
        newer = self.version == "1.3"
        ours = self.listener.suites_1_3 if newer else self.listener.suites_1_2
        theirs = self.caller.suites_1_3 if newer else self.caller.suites_1_2
        return SUITES[next(number for number in ours if number in theirs)]


class SecureWorld(World):
    """A world with TLS ports: `listen` gives a host's port its parties, `renew` others."""

    def __init__(self, seed: int, *, log: bool = False) -> None:
        super().__init__(seed, log=log)
        self.parties: dict[Place, Parties] = {}
        self.met: list[Met] = []
        self.resets: list[float] = []  # when connections that stood were reset by the network
        self._shaking: list[_Shaking] = []
        self._served: set[Connection] = set()  # over which the opener has heard anything

    # --- who may speak to whom ----------------------------------------------------------

    def renew(self, place: Place, parties: Parties) -> None:
        """Other certificates and terms for the handshakes to come; connections go on."""
        self.parties[place] = parties

    def standing(self, host: Host) -> int:
        """TLS connections of this host."""
        return sum(c.a_flow.transport == "TLS" for c in self._connections_of(host))

    # --- sending ------------------------------------------------------------------------

    def _write(self, host: Host, data: bytes, flow: Flow) -> None:
        if flow.transport == "TLS":
            connection = self._streams.get((flow.local, flow.remote))
            if connection is None or domain(connection.flow(host).peer) != domain(flow.peer):
                why = self._unasked(flow)
                if why:  # as aio.tls_stream's TlsPort.check
                    self._unreachable(host, flow, why)
                    return
        super()._write(host, data, flow)

    def _unasked(self, flow: Flow) -> str:
        parties = self.parties[flow.local]
        if not flow.peer:
            return "no name is known to check the certificate at that address against"
        if parties.gateways.get(domain(flow.peer), parties.others) is None:
            return f"{flow.peer} is no gateway of this port: its certificate has no terms"
        return ""

    def _arrived(self, connection: Connection, reader: Host) -> None:
        if reader is connection.a:
            self._served.add(connection)

    # --- the handshake ------------------------------------------------------------------

    def _opened(self, host: Host, flow: Flow, far: Host) -> None:
        if flow.transport != "TLS":
            super()._opened(host, flow, far)
            return
        key = (flow.local, flow.remote)
        if host.mode is Mode.GONE or far.mode is Mode.GONE:
            self._opening.pop(key, None)
            self._tell_unreachable(host, flow, "connection refused")
            return
        self._ports += 1
        ours, theirs = self.parties[flow.local], self.parties[flow.remote]
        terms = ours.gateways.get(domain(flow.peer), ours.others)
        assert terms is not None
        shaking = _Shaking(
            host, flow, far, Flow("TLS", flow.remote, (flow.local[0], self._ports)),
            terms, theirs.server, theirs.allowed if theirs.server.mutual else None, self.now,
            host.node, far.node,
        )  # fmt: skip
        self._shaking.append(shaking)
        self._step(shaking, self._greeted)

    def _step(self, shaking: _Shaking, then: Callable[[_Shaking], None]) -> None:
        """The next flight arrives, unless something is in its way."""
        self.after(self._stream_delay(), partial(self._flight, shaking, then))

    def _flight(self, shaking: _Shaking, then: Callable[[_Shaking], None]) -> None:
        if shaking.over:
            return
        if self.now - shaking.since >= HANDSHAKE:
            self._fail(shaking, "", tls_words.too_slow(HANDSHAKE), tls_words.too_slow(HANDSHAKE))
        elif Mode.SILENT in (shaking.client.mode, shaking.server.mode) or Mode.STOPPED in (
            shaking.client.mode,
            shaking.server.mode,
        ):
            self.after(RETRY, partial(self._flight, shaking, then))
        else:
            then(shaking)

    def _greeted(self, shaking: _Shaking) -> None:
        """The client's hello is there; the server's certificate goes back."""
        self._step(shaking, self._server_shown)

    def _server_shown(self, shaking: _Shaking) -> None:
        """The client judges the server: by the name it asked for, and no other."""
        caller, listener = shaking.caller, shaking.listener
        assert listener.identity is not None
        judged = judge(
            listener.identity.chain,
            caller.trust,
            civil(self.now),
            role=Role.SERVER,
            names=(shaking.flow.peer,),
            policy=caller.policy,
        )
        if not judged.good:
            self._refused(shaking, judged, by_client=True)
            return
        if shaking.version == "1.3":
            self._client_is_up(shaking, judged)
        self._step(shaking, partial(self._client_shown, judged=judged))

    def _client_shown(self, shaking: _Shaking, judged: Judgement) -> None:
        """The server judges the client, where it asked for a certificate."""
        caller, listener = shaking.caller, shaking.listener
        back = shaking.back
        if listener.mutual:
            shown = () if caller.identity is None else caller.identity.chain
            theirs = judge(
                shown,
                listener.trust,
                civil(self.now),
                role=Role.CLIENT,
                names=shaking.allowed,
                policy=listener.policy,
            )
            if not theirs.good:
                self._refused(shaking, theirs, by_client=False)
                return  # also where none was shown, which OpenSSL sees before we are asked
            back = back._replace(peer=theirs.matched[0] if theirs.matched else "")
            names = theirs.names.shown
        else:
            names = ()
        shaking.back = back
        ours = listener.identity.called if listener.identity else ""
        self.note(f"TLS {shaking.client.name} -> {shaking.server.name} up")
        up = TlsUp(back, f"TLSv{shaking.version}", shaking.suite, ours, names)
        if shaking.client_up:
            self._stands(shaking)
            self.give(shaking.server, up)
        else:
            self.give(shaking.server, up)
            self._step(shaking, partial(self._client_done, judged=judged))

    def _client_done(self, shaking: _Shaking, judged: Judgement) -> None:
        """TLS 1.2: the server's last flight came."""
        self._client_is_up(shaking, judged)
        self._stands(shaking)

    def _client_is_up(self, shaking: _Shaking, judged: Judgement) -> None:
        shaking.client_up = True
        ours = shaking.caller.identity.called if shaking.caller.identity else ""
        version, suite = f"TLSv{shaking.version}", shaking.suite
        self.give(shaking.client, TlsUp(shaking.flow, version, suite, ours, judged.names.shown))

    def _stands(self, shaking: _Shaking) -> None:
        if shaking.over:  # what it was told ended it
            return
        self._end(shaking)
        waiting = self._opening.pop((shaking.flow.local, shaking.flow.remote), [])
        self._join(Connection(shaking.client, shaking.flow, shaking.server, shaking.back), waiting)

    def _refused(self, shaking: _Shaking, judged: Judgement, *, by_client: bool) -> None:
        """One side does not take the other's certificate; the other hears the alert."""
        number, why = alerts.deserved(judged), judged.why
        other = shaking.listener if by_client else shaking.caller
        called = other.identity.called if other.identity else ""
        if not called:
            number = _CERTIFICATE_REQUIRED if shaking.version == "1.3" else _HANDSHAKE_FAILURE
            why = tls_words.broken_by(["peer did not return a certificate"], "", "")
        name = alerts.name(number)
        own, told = tls_words.refused(name, why), alerts.refused_by_peer(number, called)
        words = (own, told) if by_client else (told, own)
        self._fail(shaking, name, *words)

    def _fail(self, shaking: _Shaking, alert: str, to_client: str, to_server: str) -> None:
        """The handshake is over: each side is told in its words; the client had something to send."""
        self._end(shaking)
        self._opening.pop((shaking.flow.local, shaking.flow.remote), None)
        self.met.append(Met(self.now, shaking.client.name, shaking.server.name, to_client, to_server))
        self.note(f"TLS {shaking.client.name} -> {shaking.server.name} refused: {to_client}")
        client, server = shaking.client, shaking.server
        if server.node is shaking.server_life and server.mode is not Mode.GONE:
            self.give(server, TlsRefused(shaking.back, alert, to_server))
        if client.node is shaking.client_life and client.mode is not Mode.GONE:
            self.give(client, TlsRefused(shaking.flow, alert, to_client))
            self._tell_unreachable(client, shaking.flow, to_client)

    def _end(self, shaking: _Shaking) -> None:
        shaking.over = True
        self._shaking.remove(shaking)

    # --- what is lost -------------------------------------------------------------------

    def break_tls(self, host: Host) -> None:
        """Every TLS connection of this host is reset on the way, handshakes under way among them."""
        for shaking in [s for s in self._shaking if host in (s.client, s.server)]:
            self._cut(shaking)
        for connection in self._connections_of(host):
            if connection.a_flow.transport == "TLS":
                self.resets.append(self.now)
                self._reset(connection)

    def break_streams(self, host: Host) -> None:
        self.break_tls(host)
        super().break_streams(host)

    def take_off(self, host: Host) -> None:
        for shaking in [s for s in self._shaking if host in (s.client, s.server)]:
            self._cut(shaking)
        super().take_off(host)

    def _cut(self, shaking: _Shaking) -> None:
        words = [
            tls_words.cut(after_handshake=up, ours=terms.identity.called if terms.identity else "")
            for up, terms in ((shaking.client_up, shaking.caller), (False, shaking.listener))
        ]
        self._fail(shaking, "", *words)

    def _reset(self, connection: Connection, but: Host | None = None) -> None:
        """Until a side is told, what it sends goes into the connection that is no more."""
        if connection.a_flow.transport != "TLS":
            super()._reset(connection, but)
            return
        connection.open = False
        for host in (connection.a, connection.b):
            if host is but:
                self._let_go(connection, host, host.node, "")
            else:
                told = partial(self._let_go, connection, host, host.node, "connection reset")
                self.after(0.003, told)

    def _let_go(self, connection: Connection, host: Host, life: Node, why: str) -> None:
        flow = connection.flow(host)
        if self._streams.get((flow.local, flow.remote)) is connection:
            del self._streams[flow.local, flow.remote]
        if host is connection.a and connection in self._served:
            self._served.discard(connection)
            self.after(REOPEN, partial(self._open_again, host, life, flow))
        if why and host.node is life:
            self._tell_unreachable(host, flow, why)

    def _connections_of(self, host: Host) -> list[Connection]:
        return [connection for connection in super()._connections_of(host) if connection.open]

    def _forget(self, connection: Connection) -> None:
        super()._forget(connection)
        if connection.a_flow.transport == "TLS" and connection in self._served:
            self._served.discard(connection)
            self.after(REOPEN, partial(self._open_again, connection.a, connection.a.node, connection.a_flow))

    def _open_again(self, host: Host, life: Node, flow: Flow) -> None:
        key = (flow.local, flow.remote)
        if host.node is not life or host.mode in (Mode.GONE, Mode.STOPPED):
            return
        if key not in self._streams and key not in self._opening and not self._unasked(flow):
            self._opening[key] = []
            self._connect(host, flow)
