"""SRTP of the tests' own, from RFC 3711 alone: AES counter mode and HMAC-SHA1 of `cryptography` and `hmac`.

It judges what the product sends, so it shares no code with it: packet index, key
derivation, keystream and tag are written here again.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

TAG = 10


class NotAuthentic(Exception):
    """The tag does not fit the packet."""


@lru_cache(maxsize=256)
def _cipher(key: bytes) -> CipherContext:
    return Cipher(AES(key), ECB()).encryptor()  # each block by itself: it may be used again and again


def keystream(key: bytes, counter: int, length: int) -> bytes:
    """§4.1.1: AES of the counter, and of each that follows."""
    blocks = range(-(-length // 16))
    counters = b"".join(((counter + n) % (1 << 128)).to_bytes(16, "big") for n in blocks)
    return _cipher(key).update(counters)[:length]


def derive(key: bytes, salt: bytes, label: int, length: int) -> bytes:
    """§4.3.1 with a key derivation rate of zero."""
    x = int.from_bytes(salt, "big") ^ label << 48
    return keystream(key, x << 16, length)


def xor(one: bytes, other: bytes) -> bytes:
    assert len(one) == len(other)
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def guess(sequence: int, rollover: int, highest: int) -> int:
    """§3.3.1 and Appendix A: the rollover counter of a packet, from the highest number so far."""
    if highest < 1 << 15:
        return rollover - 1 if sequence - highest > 1 << 15 else rollover
    return rollover + 1 if highest - (1 << 15) > sequence else rollover


class Srtp:
    """One master key (16 octets of key, or 32 as RFC 6188 has it, 14 of salt): opens and closes packets."""

    def __init__(self, material: bytes) -> None:
        self.material = material
        key, salt = material[:-14], material[-14:]
        size = len(key)
        self.key, self.auth, self.salt = (
            derive(key, salt, label, length) for label, length in ((0, size), (1, 20), (2, 14))
        )
        self.rtcp_key, self.rtcp_auth, self.rtcp_salt = (
            derive(key, salt, label, length) for label, length in ((3, size), (4, 20), (5, 14))
        )
        self.sources: dict[int, tuple[int, int]] = {}  # SSRC: rollover counter and highest number
        self.rtcp_index = 0

    def _next(self, packet: bytes) -> tuple[int, int]:
        sequence, ssrc = int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[8:12], "big")
        rollover, highest = self.sources.get(ssrc, (0, sequence))
        return ssrc, max(0, guess(sequence, rollover, highest)) << 16 | sequence

    def _note(self, ssrc: int, index: int) -> None:
        rollover, highest = self.sources.get(ssrc, (0, -1))
        if index > rollover << 16 | max(0, highest) or highest < 0:
            self.sources[ssrc] = (index >> 16, index & 0xFFFF)

    def close(self, packet: bytes) -> bytes:
        ssrc, index = self._next(packet)
        self._note(ssrc, index)
        start = header_length(packet)
        counter = int.from_bytes(self.salt, "big") << 16 ^ ssrc << 64 ^ index << 16
        payload = packet[start:]
        closed = packet[:start] + xor(payload, keystream(self.key, counter, len(payload)))
        return closed + self.tag(closed, index >> 16)

    def open(self, packet: bytes) -> tuple[bytes, int]:
        """The RTP packet and its index; raises NotAuthentic."""
        closed, tag = packet[:-TAG], packet[-TAG:]
        ssrc, index = self._next(closed)
        if not hmac.compare_digest(self.tag(closed, index >> 16), tag):
            raise NotAuthentic(f"SSRC {ssrc:08x} index {index}")
        self._note(ssrc, index)
        start = header_length(closed)
        counter = int.from_bytes(self.salt, "big") << 16 ^ ssrc << 64 ^ index << 16
        payload = closed[start:]
        return closed[:start] + xor(payload, keystream(self.key, counter, len(payload))), index

    def tag(self, closed: bytes, rollover: int) -> bytes:
        return hmac.digest(self.auth, closed + rollover.to_bytes(4, "big"), "sha1")[:TAG]

    def close_rtcp(self, packet: bytes) -> bytes:
        """§3.4: the first eight octets stay clear, E flag and index follow, then the tag."""
        self.rtcp_index += 1
        closed = packet[:8] + self._rtcp(packet, self.rtcp_index)
        whole = closed + (1 << 31 | self.rtcp_index).to_bytes(4, "big")
        return whole + hmac.digest(self.rtcp_auth, whole, "sha1")[:TAG]

    def open_rtcp(self, packet: bytes) -> tuple[bytes, int]:
        """The RTCP packet and its index; raises NotAuthentic."""
        whole, tag = packet[:-TAG], packet[-TAG:]
        if not hmac.compare_digest(hmac.digest(self.rtcp_auth, whole, "sha1")[:TAG], tag):
            raise NotAuthentic("SRTCP")
        index = int.from_bytes(whole[-4:], "big")
        closed = whole[:-4]
        if not index >> 31:
            return closed, index
        index &= 0x7FFFFFFF
        return closed[:8] + self._rtcp(closed, index), index

    def _rtcp(self, packet: bytes, index: int) -> bytes:
        ssrc = int.from_bytes(packet[4:8], "big")
        counter = int.from_bytes(self.rtcp_salt, "big") << 16 ^ ssrc << 64 ^ index << 16
        return xor(packet[8:], keystream(self.rtcp_key, counter, len(packet) - 8))


def header_length(packet: bytes) -> int:
    """RFC 3550 §5.1: contributors and the extension stay clear too (§3.1)."""
    length = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        length += 4 + 4 * int.from_bytes(packet[length + 2 : length + 4], "big")
    return length
