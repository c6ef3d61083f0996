"""One TLS handshake with a peer, as an outsider makes it: connect, shake hands, listen once, leave.

Nothing is said over the connection: what is learned is whether the peer lets us in, by which version
and suite, and what it shows. A TLS 1.3 server refuses a client only after the client's own handshake is
done, so the connection is listened to for a while before it counts as accepted.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from trunkline.aio.tls import Terms, TlsContext
from trunkline.aio.tls_session import Civil, Refusal, Session, Up, civil_now
from trunkline.aio.tls_words import too_slow
from trunkline.pki.judgement import Judgement

_READ = 1 << 16


@dataclass(frozen=True, slots=True)
class Shaken:
    """What came of one handshake.

    `unreached` says why no TCP connection stood, "" where one did. `up` and `refusal` are the session's;
    both are set where a TLS 1.3 peer refused afterwards. `judgement` is ours of the peer's certificates,
    None where none came: then no version or suite was agreed on.
    """

    unreached: str = ""
    up: Up | None = None
    refusal: Refusal | None = None
    judgement: Judgement | None = None

    @property
    def agreed(self) -> bool:
        """Whether version and suite suited the peer: it then shows its certificate."""
        return self.up is not None or self.judgement is not None

    @property
    def accepted(self) -> bool:
        """Whether both sides let each other in."""
        return self.up is not None and self.refusal is None


async def shake(
    place: tuple[str, int],
    name: str,
    terms: Terms,
    *,
    patience: float,
    listen: float,
    civil: Civil = civil_now,
) -> Shaken:
    """Shake hands with `place` as a client that wants `name`.

    `patience` seconds are given to the connection and to the handshake each, `listen` seconds to what a
    peer may still say after it. Raises ParseError for terms that OpenSSL cannot keep.
    """
    session = Session(TlsContext(terms, server=False), (name,), civil)
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(*place)
    except TimeoutError:
        return Shaken(unreached="timeout")
    except OSError as error:
        return Shaken(unreached=_why(error))
    try:
        session.start()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while session.up is None and not session.over:
                    await _turn(session, reader, writer)
        if session.up is not None and not session.over:
            with suppress(TimeoutError):
                async with asyncio.timeout(listen):
                    await _turn(session, reader, writer)
        refusal = session.refusal
        if session.up is None and refusal is None:
            refusal = Refusal("", too_slow(patience))
        session.end()
        writer.write(session.outgoing())
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(patience):
                await writer.wait_closed()
    return Shaken("", session.up, refusal, session.judgement)


async def _turn(session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send what is due, take what comes, and send what that asks for."""
    writer.write(session.outgoing())
    try:
        sealed = await reader.read(_READ)
    except OSError:
        sealed = b""
    if sealed:
        session.feed(sealed)
    else:
        session.cut()
    writer.write(session.outgoing())


def _why(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return error.strerror or str(error) or type(error).__name__
