"""The one place that reaches below pyOpenSSL: a verify callback that sees the chain and chooses the alert.

pyOpenSSL's own callback is given one certificate at a time, never what a client sent as
a whole, and a refusal that is its own goes out as internal_error. OpenSSL has both in
the X509_STORE_CTX it verifies with; pyOpenSSL's bindings reach that, its public
interface does not. The tests that see the alerts from outside hold this file to account.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

from trunkline.pki.certificate import Certificate

# What OpenSSL turns into the alert of that number (x509_vfy.h, ssl_x509err2alert).
_ERRORS: Final = {42: 62, 43: 26, 45: 10, 48: 20, 51: 7}
_REJECTED: Final = 28  # bad_certificate
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


def _chain(store: Any) -> tuple[Certificate, ...]:
    """What OpenSSL has chained together so far, the peer's own certificate first."""
    stack = lib.X509_STORE_CTX_get1_chain(store)
    held = [lib.sk_X509_value(stack, place) for place in range(lib.sk_X509_num(stack))]
    lib.sk_X509_free(stack)  # the stack alone: each certificate is ours now, and freed with its X509
    return tuple(crypto.X509._from_raw_x509_ptr(one).to_cryptography() for one in held)
