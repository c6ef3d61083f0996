"""`a=crypto` lines as values (SDP security descriptions, RFC 4568), and their masking for traces.

A line that this side cannot honour stays a value, so that the order of preference and
the tags of the other lines are kept; `usable` says whether it may be chosen. A line that
breaks the grammar raises `ParseError` here and is passed over by `Media.crypto`: one bad
line never spoils the description.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import AnyStr, NamedTuple

from trunkline.finding import ParseError

MASK = "*"


class Suite(NamedTuple):
    """Lengths of a crypto suite, in bytes; `tag` is the SRTP authentication tag."""

    key: int
    salt: int
    tag: int


# RFC 4568 §6.2, RFC 6188 §3 and RFC 7714 §14.2 (an AEAD tag is 16 bytes, its salt 12)
SUITES: dict[str, Suite] = {
    "AES_CM_128_HMAC_SHA1_80": Suite(16, 14, 10),
    "AES_CM_128_HMAC_SHA1_32": Suite(16, 14, 4),
    "F8_128_HMAC_SHA1_80": Suite(16, 14, 10),
    "AES_192_CM_HMAC_SHA1_80": Suite(24, 14, 10),
    "AES_192_CM_HMAC_SHA1_32": Suite(24, 14, 4),
    "AES_256_CM_HMAC_SHA1_80": Suite(32, 14, 10),
    "AES_256_CM_HMAC_SHA1_32": Suite(32, 14, 4),
    "AEAD_AES_128_GCM": Suite(16, 12, 16),
    "AEAD_AES_256_GCM": Suite(32, 12, 16),
}


class Key(NamedTuple):
    """One inline key: master key and salt, and how long it lasts (RFC 4568 §6.1).

    `lifetime` in packets, 0 = the suite's default; `mki` "" = none, `mki_length` in bytes.
    """

    material: bytes
    lifetime: int = 0
    mki: str = ""
    mki_length: int = 0

    def __repr__(self) -> str:
        return f"Key({len(self.material)} bytes, {self.lifetime}, {self.mki!r}, {self.mki_length})"


class Crypto(NamedTuple):
    """One offered or answered way to protect a stream: `a=crypto:<tag> <suite> <keys> [<session>...]`.

    `tag` 0-999999999; `key_params` and `session_params` as written (RFC 4568 §9.1).
    `repr` shows no key.
    """

    tag: int
    suite: str
    key_params: tuple[str, ...]
    session_params: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Crypto:
        """Read the attribute's value (what follows `a=crypto:`); raises ParseError with the key masked."""
        words = text.rstrip(" ").split(" ")
        tag = words[0]
        keys = tuple(words[2].split(";")) if len(words) > 2 else ()
        well = text.isascii() and "" not in words and tag.isdigit() and len(tag) <= 9
        # 9.1: a tag has no leading zeros; each key is <method>:<value>
        if not well or (tag[0] == "0" and tag != "0") or not keys or not all(map(_is_key, keys)):
            expected = "expected <tag> <suite> <method>:<key> [<session params>] (RFC 4568 §9.1)"
            raise ParseError("SDP a=crypto", f"{len(words)} words", expected)
        return cls(int(tag), words[1], keys, tuple(words[3:]))

    @classmethod
    def of(cls, tag: int, suite: str, material: bytes) -> Crypto:
        """A line of our own; `material` is master key and salt, as long as the suite wants them.

        Raises ParseError for an unknown suite or another length.
        """
        lengths = SUITES.get(suite)
        if lengths is None:
            raise _unknown(suite)
        if len(material) != lengths.key + lengths.salt:
            raise _misfit(suite, lengths)
        return cls(tag, suite, (f"inline:{b64encode(material).decode()}",))

    def __str__(self) -> str:
        return " ".join((str(self.tag), self.suite, ";".join(self.key_params), *self.session_params))

    def __repr__(self) -> str:
        return f"Crypto({str(self.masked())!r})"

    @property
    def keys(self) -> tuple[Key, ...]:
        """The inline keys in order; raises ParseError for one that does not fit the suite (RFC 4568 §6.1)."""
        suite = SUITES.get(self.suite)
        if suite is None:
            raise _unknown(self.suite)
        keys = tuple(_key(param) for param in self.key_params)
        length = suite.key + suite.salt
        if any(len(key.material) != length for key in keys):
            raise _misfit(self.suite, suite)
        if len(keys) > 1 and len({(key.mki_length, bool(key.mki)) for key in keys}) > 1:
            raise _wrong(self.suite, "expected an MKI of one length with every key (RFC 4568 §6.1)")
        return keys

    @property
    def usable(self) -> bool:
        """True if this side can honour the whole line (RFC 4568 §7.1.2).

        The suite is known, the keys fit it, and every session parameter is either WSH (a hint,
        §6.3.7) or marked with "-" as one that may be ignored (§6.3.8). The others change what is
        on the wire (no encryption, key derivation rate, FEC): a line with one is passed over.
        """
        return bool(self.usable_keys)

    @property
    def usable_keys(self) -> tuple[Key, ...]:
        """The keys of a line that is `usable`, else none."""
        for param in self.session_params:
            if param[0] != "-" and param[:4] != "WSH=":
                return ()
        try:
            return self.keys
        except ParseError:
            return ()

    def masked(self) -> Crypto:
        """The same line with the keys unreadable and every length kept."""
        return Crypto(self.tag, self.suite, tuple(map(_masked_param, self.key_params)), self.session_params)


# keys of a=crypto, of the obsolete k= line (RFC 4566 §5.12) and of a=key-mgmt (RFC 4567 §3.1)
_KEYS = re.compile(
    r"(inline:)([^ \t\r\n|;]+)|^(k=[^:\r\n]+:|a=key-mgmt:[^ \r\n]+ )([^\r\n]+)",
    re.IGNORECASE | re.MULTILINE | re.ASCII,
)


def mask_keys(text: AnyStr) -> AnyStr:
    """A message, a description or a line with every media key overwritten by `*`.

    Lengths are kept, so that Content-Length still holds in a trace.
    """
    if isinstance(text, str):
        return _KEYS.sub(_masked, text)
    return _KEYS.sub(_masked, text.decode("latin-1")).encode("latin-1")


def _masked(found: re.Match[str]) -> str:
    name, key, line, secret = found.groups()
    return (name or line) + MASK * len(key or secret)


def _is_key(param: str) -> bool:
    method, _, value = param.partition(":")
    return bool(method and value)


def _masked_param(param: str) -> str:
    method, _, value = param.partition(":")
    key, bar, rest = value.partition("|")
    return f"{method}:{MASK * len(key)}{bar}{rest}"


def _key(param: str) -> Key:
    """`inline:<base64 key and salt>["|" lifetime]["|" MKI ":" length]` (RFC 4568 §9.2)."""
    method, _, value = param.partition(":")
    text, *rest = value.split("|")
    if method.lower() != "inline" or len(rest) > 2:
        raise _unreadable(param, "expected inline:<key>[|<lifetime>][|<MKI>:<length>] (RFC 4568 §6.1)")
    try:
        # some leave out the padding that a 46-byte key needs
        material = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except Base64Error as wrong:
        raise _unreadable(param, "expected base64 (RFC 4568 §6.1)") from wrong
    if not rest:
        return Key(material)
    lifetime, mki, mki_length = 0, "", 0
    if ":" not in rest[0]:
        lifetime = _lifetime(rest.pop(0), param)
    if rest:
        mki, colon, length = rest.pop().partition(":")
        # 6.1: the length is in bytes, 1-128
        if not (mki.isdigit() and colon and length.isdigit() and len(length) < 4 and 1 <= int(length) <= 128):
            raise _unreadable(param, "expected <MKI>:<length 1-128> (RFC 4568 §6.1)")
        mki_length = int(length)
    if rest:
        raise _unreadable(param, "expected the lifetime before the MKI (RFC 4568 §9.2)")
    return Key(material, lifetime, mki, mki_length)


def _lifetime(text: str, param: str) -> int:
    """Packets, written as a number or as 2^n; at most 2^48 (RFC 4568 §6.1, RFC 3711 §9.2)."""
    power = text.startswith("2^")
    digits = text[2:] if power else text
    if digits.isdigit() and len(digits) <= 15:
        count = int(digits)
        if power and count <= 48:
            return 1 << count
        if not power and 0 < count <= 1 << 48:
            return count
    raise _unreadable(param, "expected a lifetime of 1 to 2^48 packets (RFC 4568 §6.1)")


def _unknown(suite: str) -> ParseError:
    return _wrong(suite, "expected a known crypto suite (RFC 4568 §6.2)")


def _misfit(name: str, suite: Suite) -> ParseError:
    return _wrong(name, f"expected a key and salt of {suite.key + suite.salt} bytes (RFC 4568 §6.1)")


def _unreadable(param: str, expected: str) -> ParseError:
    return _wrong(_masked_param(param), expected)


def _wrong(got: str, expected: str) -> ParseError:
    return ParseError("SDP a=crypto", got, expected)
