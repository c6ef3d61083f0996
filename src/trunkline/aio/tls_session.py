"""One TLS connection in memory: sealed bytes in, plain bytes out, and in words what went wrong (RFC 5922).

Certificates are judged by `pki.chain` while the handshake lasts, so that a refused peer
is told by the right alert.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from OpenSSL import SSL

from trunkline.aio import clock, tls_words
from trunkline.aio.openssl import Octets
from trunkline.aio.tls import TlsContext, reasons
from trunkline.finding import said
from trunkline.pki import alert as alerts
from trunkline.pki.certificate import Certificate
from trunkline.pki.chain import judge
from trunkline.pki.judgement import Judgement, Role
from trunkline.pki.names import domain

_FATAL: Final = 2

_UNJUDGED: Final = said("the peer's certificate was not judged", "le certificat du pair n'a pas été jugé")

Civil = Callable[[], datetime]


def civil_now() -> datetime:
    """The civil time certificates are judged at."""
    return datetime.fromtimestamp(clock.civil_ns() / 1e9, UTC)


@dataclass(frozen=True, slots=True)
class Up:
    """A handshake that succeeded: `matched` are the wanted names that `theirs` contained."""

    version: str
    suite: str
    ours: str
    theirs: tuple[str, ...]
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake that did not: the alert's name ("" where none passed), and why, in words."""

    alert: str
    why: str


class Session:
    """One connection: `feed` and `seal`, then send what `outgoing` gives.

    `up` is set once the handshake is done, `refusal` where it failed: with TLS 1.3 a
    client may see both. `over` says that nothing more can be said or heard, and `why`.
    A server lets in whom `names` names (None: whoever has a trusted certificate); a
    client asks for the one name of `names` by SNI and takes no other certificate.
    """

    def __init__(self, context: TlsContext, names: Sequence[str] | None, civil: Civil = civil_now) -> None:
        self._context, self._names, self._civil = context, names, civil
        self._tls = SSL.Connection(context.openssl, None)
        self._tls.set_app_data(self)
        self._octets = Octets(self._tls)
        if context.server:
            self._tls.set_accept_state()
        else:
            assert names
            self._tls.set_tlsext_host_name(domain(names[0]).encode())
            self._tls.set_connect_state()
        self.up: Up | None = None
        self.refusal: Refusal | None = None
        self.over, self.why = False, ""
        self.judgement: Judgement | None = None
        self.alert: int | None = None
        self._alert_heard = self._alert_sent = 0
        self._begun = not context.server
        self._settled = False  # the peer, too, holds the handshake for done

    def start(self) -> None:
        """Begin the handshake; a server waits."""
        self._shake()

    def feed(self, sealed: bytes) -> bytes:
        """Take what arrived; the plain bytes in it."""
        if self.over or not sealed:
            return b""
        self._begun, was_up = True, self.up is not None
        self._octets.take(sealed)
        if not was_up:
            self._shake()
        if self.up is None:
            return b""
        plain = self._read()
        # The first a TLS 1.3 client hears after its own handshake says whether the server refused it.
        self._settled |= was_up and not self.over
        return plain

    def seal(self, plain: bytes) -> None:
        """Encrypt for the peer; nothing once it is over."""
        if self.up is None or self.over or not plain:
            return
        try:
            self._octets.seal(plain)
        except SSL.Error as error:
            self._failed(error)

    def outgoing(self) -> bytes:
        """What is to be sent now: handshake, alerts, records."""
        return self._octets.outgoing()

    def end(self) -> None:
        """Say close_notify, if the handshake came that far."""
        if self.up is not None and not self.over:
            self.over = True
            try:
                self._tls.shutdown()
            except SSL.Error:
                return  # it is broken already

    def cut(self) -> None:
        """The stream under it has ended."""
        if self.over:
            return
        if self._settled or not self._begun:
            self.over, self.why = True, "closed by the peer"
        else:
            words = tls_words.cut(after_handshake=self.up is not None, ours=self._context.ours)
            self._refused("", words)

    def judge(self, chain: tuple[Certificate, ...]) -> int:
        """What the verify callback asks, once: the alert the peer's chain deserves (0: none)."""
        role = Role.CLIENT if self._context.server else Role.SERVER
        terms = self._context.terms
        self.judgement = judge(
            chain, terms.trust, self._civil(), role=role, names=self._names, policy=terms.policy
        )
        self.alert = 0 if self.judgement.good else alerts.deserved(self.judgement)
        return self.alert

    def informed(self, received: bool, level: int, number: int) -> None:
        """What OpenSSL says of each alert."""
        if received and level == _FATAL:
            self._alert_heard = number
        elif level == _FATAL:
            self._alert_sent = number

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            self._failed(error)
            return
        judged = self.judgement
        if self._context.verifies and (judged is None or not judged.good):
            self._refused("", _UNJUDGED)  # never seen, and never let pass
            return
        theirs = judged.names.shown if judged else ()
        matched = judged.matched if judged else ()
        version, suite = self._tls.get_protocol_version_name(), self._tls.get_cipher_name() or ""
        self.up = Up(version, suite, self._context.ours, theirs, matched)
        self._settled = self._context.server or version != "TLSv1.3"

    def _read(self) -> bytes:
        """The plain bytes there are."""
        plain, octets = b"", self._octets
        try:
            while part := octets.read():
                plain += part
                if octets.drained:
                    break
        except SSL.ZeroReturnError:
            self.cut()
        except SSL.Error as error:
            self._failed(error)
        return plain

    def _failed(self, error: SSL.Error) -> None:
        context, judged = self._context, self.judgement
        number = self._alert_heard or self._alert_sent
        name = alerts.name(number) if number else ""
        if self._settled:
            self._refused(name, tls_words.broken(name, reasons(error), by_peer=bool(self._alert_heard)))
        elif self._alert_heard:
            self._refused(name, alerts.refused_by_peer(number, context.ours))
        elif judged is not None and not judged.good:
            self._refused(name, tls_words.refused(name, judged.why))
        else:
            why = tls_words.broken_by(reasons(error), context.suites, context.versions)
            self._refused(name, tls_words.refused(name, why))

    def _refused(self, alert: str, why: str) -> None:
        self.over, self.why = True, why
        if not self._settled:
            self.refusal = Refusal(alert, why)
