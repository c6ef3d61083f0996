"""The one place that reaches below pyOpenSSL: what its bindings have and its public interface does not.

- A verify callback that sees the chain and chooses the alert. pyOpenSSL's own is given one
  certificate at a time, never what a client sent as a whole, and a refusal that is its own
  goes out as internal_error. OpenSSL has both in the X509_STORE_CTX it verifies with.
- The octets of a connection in memory, at half the price: a secured call passes here nine
  times, and pyOpenSSL makes a buffer for each and an exception where there is nothing.

The tests that see alerts and octets from outside hold this file to account.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

from trunkline.pki.certificate import Certificate

# What OpenSSL turns into the alert of that number (x509_vfy.h, ssl_x509err2alert).
_ERRORS: Final = {42: 62, 43: 26, 45: 10, 48: 20, 51: 7}
_REJECTED: Final = 28  # bad_certificate
_SIZE: Final = 1 << 16  # octets, four records at most (RFC 8446 §5.1)
_ROOM: Final = ffi.new("char[]", _SIZE)  # one for all: they are copied before anything else can happen
_EE_KEY_TOO_SMALL: Final = 66  # told before the chain is built, all else after


class Judging(Protocol):
    """A connection's app data: `alert` is None until `judge` was asked, once, what the chain deserves."""

    @property
    def alert(self) -> int | None: ...

    def judge(self, chain: tuple[Certificate, ...]) -> int:
        """The number of the alert the peer's certificates (its own first) deserve; 0: none."""
        ...


class Verifier:
    """Has every handshake of a context judged by its connection's app data.

    OpenSSL's own verdicts are overruled: its trust store stays empty, so what it chains
    together is what the peer sent. To be kept as long as the context, which calls it.
    """

    def __init__(self, context: SSL.Context, mode: int) -> None:
        self._callback = ffi.callback("int (*)(int, X509_STORE_CTX *)", self._verify, error=0)
        lib.SSL_CTX_set_verify(context._context, mode, self._callback)

    def _verify(self, ok: int, store: Any) -> int:
        alert = 0
        if lib.X509_STORE_CTX_get_error(store) != _EE_KEY_TOO_SMALL:
            ssl = lib.X509_STORE_CTX_get_ex_data(store, lib.SSL_get_ex_data_X509_STORE_CTX_idx())
            session: Judging = SSL.Connection._reverse_mapping[ssl].get_app_data()
            known = session.alert
            alert = session.judge(_chain(store)) if known is None else known
        lib.X509_STORE_CTX_set_error(store, _ERRORS.get(alert, _REJECTED) if alert else 0)
        return 0 if alert else 1


class Octets:
    """What passes through a connection in memory: sealed on the one side, plain on the other."""

    def __init__(self, connection: SSL.Connection) -> None:
        self._connection, self._ssl = connection, connection._ssl
        self._into, self._from = connection._into_ssl, connection._from_ssl
        self.drained = True  # all that arrived was read: a peer most often sends one record at a time

    def take(self, sealed: bytes) -> None:
        """Take what arrived; `read` what is in it."""
        lib.BIO_write(self._into, sealed, len(sealed))  # memory takes all

    def read(self) -> bytes:
        """A record's plain octets, b"" where no whole one is left; else raises as `SSL.Connection.recv`."""
        length = lib.SSL_read(self._ssl, _ROOM, _SIZE)
        if length > 0:
            self.drained = not lib.BIO_get_mem_data(self._into, ffi.NULL)
            plain: bytes = ffi.buffer(_ROOM, length)[:]
            return plain
        if lib.SSL_get_error(self._ssl, length) == lib.SSL_ERROR_WANT_READ:
            return b""
        self._connection._raise_ssl_error(self._ssl, length)
        raise AssertionError(length)  # it always raises for these

    def seal(self, plain: bytes) -> None:
        """Encrypt all of it; raises as `SSL.Connection.send`."""
        while plain:  # a record is written at a time
            length = lib.SSL_write(self._ssl, plain, len(plain))
            if length <= 0:
                self._connection._raise_ssl_error(self._ssl, length)
            plain = plain[length:]

    def outgoing(self) -> bytes:
        """What is to be sent now."""
        length = lib.BIO_read(self._from, _ROOM, _SIZE)
        if length <= 0:
            return b""
        sealed: bytes = ffi.buffer(_ROOM, length)[:]
        return sealed if length < _SIZE else sealed + self.outgoing()


def _chain(store: Any) -> tuple[Certificate, ...]:
    """What OpenSSL has chained together so far, the peer's own certificate first."""
    stack = lib.X509_STORE_CTX_get1_chain(store)
    held = [lib.sk_X509_value(stack, place) for place in range(lib.sk_X509_num(stack))]
    lib.sk_X509_free(stack)  # the stack alone: each certificate is ours now, and freed with its X509
    return tuple(crypto.X509._from_raw_x509_ptr(one).to_cryptography() for one in held)
