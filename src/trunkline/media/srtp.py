"""SRTP and SRTCP contexts (RFC 3711) on libsrtp, keyed by `a=crypto` lines (RFC 4568).

A packet is worked on where it lies: it is read into a `Buffer`, opened, renumbered,
closed again and written from there. pylibsrtp's own Session copies each packet twice and
takes half as long again, so its binding is called directly; `tests/media/test_srtp.py`
holds both to the same octets. The binding has no name for AES with 256 bits in counter
mode, which libsrtp has: its policy is that of 128 bits with another cipher (`_strengthen`).
"""

from __future__ import annotations

import sys
from struct import Struct
from typing import Any

from pylibsrtp import Policy
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found]

from trunkline.finding import ParseError
from trunkline.sdp.crypto import Crypto, Key

_AES_256 = "AES_256_CM_HMAC_SHA1_80"
SUITES = {  # those of RFC 4568 §6.2 and RFC 6188 §3 that libsrtp carries here
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    _AES_256: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}
_CIPHER = Struct(
    "=6i"
)  # srtp.h's srtp_crypto_policy_t: cipher, its key and salt, authentication's three, what
_WEAK, _STRONG = (1, 30, 3, 20, 10, 3), (5, 46, 3, 20, 10, 3)  # AES counter mode with 128 and with 256 bits
WINDOW = 128  # packets back in which a repeated one is known (RFC 3711 §3.3.2: at least 64)
_LARGEST = 2048  # octets read of a datagram
_TRAILER = 32  # and room for the index and tag that closing adds
_OK = lib.srtp_err_status_ok
_REPLAYED = (9, 10)  # srtp_err_status_replay_fail and _old: seen before, or too old to tell


class Buffer:
    """Where one packet lies at a time: `view` for sockets and structs, `views[n]` its first n octets."""

    __slots__ = ("cdata", "length", "view", "views")

    def __init__(self) -> None:
        self.cdata = ffi.new("char[]", _LARGEST + _TRAILER)
        self.view = memoryview(ffi.buffer(self.cdata))
        self.views = tuple(self.view[:n] for n in range(_LARGEST + _TRAILER + 1))
        self.length = ffi.new("int *")  # how libsrtp is told a length, and tells one

    @property
    def room(self) -> memoryview:
        """What a datagram may be read into."""
        return self.views[_LARGEST]

    def load(self, packet: bytes) -> int:
        """Put a packet in, cut to what fits; returns its length."""
        length = min(len(packet), _LARGEST)
        self.view[:length] = packet[:length]
        return length

    def content(self, length: int) -> bytes:
        """A copy of the first `length` octets."""
        return bytes(self.views[length])


def usable(line: Crypto) -> bool:
    """Whether a line can be carried: a suite of ours, one key, no MKI, nothing that alters the wire."""
    return _key(line) is not None


def _key(line: Crypto) -> Key | None:
    """The key of a line that can be carried."""
    keys = line.usable_keys if line.suite in SUITES else ()
    return keys[0] if len(keys) == 1 and not keys[0].mki else None


class Context:
    """One master key in one direction; `refused` counts packets that failed authentication or checks."""

    __slots__ = (
        "_buffer",
        "_cdata",
        "_length",
        "_policy",
        "_srtp",
        "key",
        "refused",
        "replayed",
        "session",
        "suite",
    )

    _KIND = Policy.SSRC_ANY_OUTBOUND

    def __init__(self, line: Crypto, buffer: Buffer) -> None:
        """Raises ParseError (488) for a line that is not `usable`."""
        key = _key(line)
        if key is None:
            expected = "expected one key without MKI of " + ", ".join(SUITES)
            raise ParseError("SDP a=crypto", line.suite, expected, status=488)
        self.suite, self.key = line.suite, key
        self.refused = self.replayed = 0
        self._policy = Policy(key.material, self._KIND, 0, SUITES[line.suite])
        if line.suite == _AES_256:
            _strengthen(self._policy)
        self._policy.window_size = WINDOW
        self._srtp = ffi.gc(ffi.new("srtp_t *"), _free)
        if lib.srtp_create(self._srtp, self._policy._policy) != _OK:
            raise MemoryError("libsrtp made no context")
        self.session: Any = self._srtp[0]
        self._buffer, self._cdata, self._length = buffer, buffer.cdata, buffer.length

    def same_key(self, line: Crypto) -> bool:
        """Whether a line names the key and suite of this context (RFC 4568 §7.1.4: then it stays)."""
        return self.suite == line.suite and (self.key,) == line.usable_keys


def _strengthen(policy: Policy) -> None:
    """Let a policy take 256 bits; of a libsrtp that lays policies out in another way, nothing is guessed."""
    for part in (policy._policy.rtp, policy._policy.rtcp):
        said = ffi.buffer(ffi.addressof(part))
        if bytes(said) != _CIPHER.pack(*_WEAK):
            raise ParseError(
                "SDP a=crypto", _AES_256, "expected a suite this libsrtp is known to have", status=488
            )
        said[:] = _CIPHER.pack(*_STRONG)


def _free(session: Any, free: Any = lib.srtp_dealloc) -> None:
    if session[0]:  # it is NULL where libsrtp made none
        free(session[0])


class Outbound(Context):
    """Closes packets. The caller owns SSRC and index; one sent before is not closed again."""

    __slots__ = ()

    def protect(self, length: int) -> int:
        """Close the RTP packet in the buffer; returns its new length, 0 if libsrtp refused."""
        return self._close(lib.srtp_protect, length)

    def protect_rtcp(self, length: int) -> int:
        """The same for RTCP; the SRTCP index counts in here (RFC 3711 §3.4)."""
        return self._close(lib.srtp_protect_rtcp, length)

    def _close(self, protect: Any, length: int) -> int:
        self._length[0] = length
        if protect(self.session, self._cdata, self._length) != _OK:
            self.refused += 1
            return 0
        return self._length[0]  # type: ignore[no-any-return]


class Inbound(Context):
    """Opens packets: authentication first, then the replay window; `replayed` of `refused` failed there."""

    __slots__ = ()

    _KIND = Policy.SSRC_ANY_INBOUND

    def unprotect(self, length: int) -> int:
        """Open the SRTP packet in the buffer; returns its new length, 0 if it is not to be believed.

        A packet that failed lies there as it came.
        """
        return self._open(lib.srtp_unprotect, length)

    def unprotect_rtcp(self, length: int) -> int:
        """The same for SRTCP."""
        return self._open(lib.srtp_unprotect_rtcp, length)

    def _open(self, unprotect: Any, length: int) -> int:
        self._length[0] = length
        status = unprotect(self.session, self._cdata, self._length)
        if status != _OK:
            self.count(status)
            return 0
        return self._length[0]  # type: ignore[no-any-return]

    def count(self, status: int) -> None:
        """Count a packet that libsrtp did not open."""
        self.refused += 1
        self.replayed += status in _REPLAYED

    def forget(self, ssrc: int) -> None:
        """Give up what is kept of a source: each costs memory for the rest of the call."""
        lib.srtp_remove_stream(self.session, int.from_bytes(ssrc.to_bytes(4, "big"), sys.byteorder))
