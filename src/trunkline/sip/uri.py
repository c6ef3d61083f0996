"""SIP, SIPS and tel URIs as values (RFC 3261 §19.1, RFC 3966); every other scheme stays opaque.

A `Uri` keeps what was written: escapes, case of user and parameters, order. Only the
scheme is lower-cased, and a port or an empty password is written in its shortest form.
So `Uri.parse(str(uri)) == uri` always, and `str(Uri.parse(text)) == text` for text in that form.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import TypedDict, Unpack
from urllib.parse import quote, unquote

from trunkline.finding import ParseError

Params = tuple[tuple[str, str | None], ...]

_HOST = string.ascii_letters + string.digits + "-._"  # "_" is no host name, but labs and DNS use it
_SCHEME = string.ascii_letters + string.digits + "+-."
_DIGITS = string.digits
_HEX = frozenset(string.hexdigits)
_USER_SAFE = "-_.!~*'()&=+$,;?/"  # §25.1: mark and user-unreserved
_SEPARATORS = str.maketrans("", "", "-.() ")  # RFC 3966 §3: visual separators
_TEL = string.hexdigits + "*#-.()"
_RESERVED = frozenset(";/?:@&=+$,")  # RFC 2396 §2.2, as RFC 3261 §19.1.4 names it
_BINDING = frozenset({"user", "ttl", "method", "maddr", "transport"})  # §19.1.4: must be in both or in none
_CACHED_LENGTH = 256


class UriFields(TypedDict, total=False):
    """What `Uri.replace` may change."""

    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    params: Params
    headers: str
    opaque: str


@dataclass(frozen=True, slots=True)
class Uri:
    """One URI.

    `user` and `password` are as written, still escaped, "" if absent. `host` has no
    brackets, `port` is 0-65535. `params` keeps order and spelling; a value of None is a
    flag. `headers` is the raw text after "?". For tel, `user` is the number and `host`
    is "". For other schemes `opaque` is all after the colon. The Contact "*" is the URI
    with scheme "" and opaque "*".
    """

    scheme: str
    user: str = ""
    password: str = ""
    host: str = ""
    port: int | None = None
    params: Params = ()
    headers: str = ""
    opaque: str = ""

    @staticmethod
    def parse(text: str) -> Uri:
        """Read a URI; ParseError (400) if it is none. No space or angle bracket may be around it."""
        return _cached(text) if len(text) <= _CACHED_LENGTH else _parse(text)

    def __str__(self) -> str:
        if self.host:
            text = self.scheme + ":"
            if self.user:
                text += f"{self.user}:{self.password}@" if self.password else f"{self.user}@"
            text += self.hostport
        elif self.scheme == "tel":
            text = f"tel:{self.user}"
        elif self.scheme:
            return f"{self.scheme}:{self.opaque}"
        else:
            return self.opaque
        for name, value in self.params:
            text += f";{name}" if value is None else f";{name}={value}"
        return f"{text}?{self.headers}" if self.headers else text

    def param(self, name: str) -> str | None:
        """The value of a parameter, in any case; "" for a flag, None if absent."""
        for key, value in self.params:
            if key == name or key.lower() == name.lower():
                return value or ""
        return None

    def header(self, name: str) -> str | None:
        """The unescaped value of a header behind "?" (§19.1.1), None if absent."""
        for pair in self.headers.split("&") if self.headers else ():
            key, _, value = pair.partition("=")
            if unescape(key).lower() == name.lower():
                return unescape(value)
        return None

    def replace(self, **changes: Unpack[UriFields]) -> Uri:
        """A copy with these fields changed."""
        return Uri(
            changes.get("scheme", self.scheme),
            changes.get("user", self.user),
            changes.get("password", self.password),
            changes.get("host", self.host),
            changes.get("port", self.port),
            changes.get("params", self.params),
            changes.get("headers", self.headers),
            changes.get("opaque", self.opaque),
        )

    def with_param(self, name: str, value: str | None = None) -> Uri:
        """A copy with this parameter set (None: a flag), in place or at the end."""
        return self.replace(params=with_param(self.params, name, value))

    def without_param(self, name: str) -> Uri:
        """A copy without this parameter."""
        return self.replace(params=tuple(p for p in self.params if p[0].lower() != name.lower()))

    @property
    def hostport(self) -> str:
        """Host and port as in a URI or a Via: IPv6 in brackets, no port if none is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def number(self) -> str:
        """The telephone number, "+33..." or digits without separators; "" if the user is no number.

        Parameters inside the user part (";phone-context=") are left out (§19.1.6).
        """
        number = unescape(self.user.partition(";")[0]).translate(_SEPARATORS)
        digits = number[1:] if number.startswith("+") else number
        return number if digits and not digits.strip(_DIGITS) else ""

    def same(self, other: Uri) -> bool:
        """Equivalence of RFC 3261 §19.1.4; it is not transitive."""
        if self.scheme != other.scheme or self.port != other.port:
            return False
        if self.scheme not in ("sip", "sips", "tel"):
            return self.opaque == other.opaque
        if self.scheme == "tel":
            ours, theirs = (u.user.translate(_SEPARATORS).lower() for u in (self, other))  # RFC 3966 §4
            if ours != theirs:
                return False
        elif _normal(self.user) != _normal(other.user) or _normal(self.password) != _normal(other.password):
            return False
        if _normal_host(self.host) != _normal_host(other.host):
            return False
        mine, other_params = _by_name(self.params), _by_name(other.params)
        for name in mine.keys() | other_params.keys():
            if name in mine and name in other_params:
                if mine[name] != other_params[name]:
                    return False
            elif name in _BINDING or self.scheme == "tel":
                return False
        return _header_set(self.headers) == _header_set(other.headers)


def with_param(params: Params, name: str, value: str | None) -> Params:
    """`params` with one parameter set: in its place if it is there in any case, else at the end."""
    key = name.lower()
    for at, (written, _) in enumerate(params):
        if written.lower() == key:
            return (*params[:at], (name, value), *params[at + 1 :])
    return (*params, (name, value))


def escape_user(text: str) -> str:
    """Escape text for the user part: all but the characters §25.1 allows there; UTF-8."""
    return quote(text, safe=_USER_SAFE, encoding="utf-8", errors="surrogateescape")


def unescape(text: str) -> str:
    """Undo %XX escapes, as UTF-8; octets that are none survive as surrogates."""
    return unquote(text, encoding="utf-8", errors="surrogateescape") if "%" in text else text


def format_host(host: str) -> str:
    """A host as SIP writes it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def parse_hostport(text: str, where: str) -> tuple[str, int | None]:
    """Split and check "host", "host:port", "[v6]:port" (§25.1 hostport)."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ParseError(where, text, "expected [IPv6 address] and :port (RFC 3261 §25.1)")
        check_ipv6(host, where)
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = text.partition(":")
        if not host or host.strip(_HOST):
            raise ParseError(where, text, "expected a host name or an address (RFC 3261 §25.1)")
    if not colon:
        return host, None
    if not port or port.strip(_DIGITS) or len(port) > 8 or int(port) > 65535:
        raise ParseError(where, text, "expected a port of 0-65535")
    return host, int(port)


def check_ipv6(text: str, where: str) -> None:
    """Raise ParseError unless `text` is an IPv6 address without zone."""
    try:
        if "%" in text:
            raise AddressValueError(text)
        IPv6Address(text)
    except AddressValueError:
        raise ParseError(where, text, "expected an IPv6 address (RFC 4291 §2.2)") from None


def parse_uri_params(text: str, where: str) -> Params:
    """Read "name=value;flag" of a URI: no empty ones, none twice (§7.3.1, §19.1.1)."""
    params: list[tuple[str, str | None]] = []
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not name:
            raise ParseError(where, text, "expected a parameter after each ';' (RFC 3261 §19.1.1)")
        params.append((name, value if equals else None))
    if len(params) > 1 and len({name.lower() for name, _ in params}) != len(params):
        raise ParseError(where, text, "expected each parameter once (RFC 3261 §19.1.1)")
    return tuple(params)


def _parse(text: str) -> Uri:
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or not scheme or scheme.strip(_SCHEME) or not scheme[0].isalpha():
        raise ParseError("URI", text, "expected scheme:... (RFC 3261 §19.1.1)")
    if (
        not (text.isascii() and text.isprintable())
        or " " in text
        or "<" in text
        or ">" in text
        or '"' in text
    ):
        raise ParseError("URI", text, "expected no space, quote, angle bracket or raw octet (RFC 3261 §25.1)")
    if "%" in text:
        _check_escapes(text)
    scheme = scheme.lower()
    if scheme == "sip" or scheme == "sips":
        return _parse_sip(scheme, rest, text)
    if scheme == "tel":
        number, semicolon, tail = rest.partition(";")
        if not number.lstrip("+") or number.lstrip("+").strip(_TEL) or number.rfind("+") > 0:
            raise ParseError("URI", text, "expected a telephone number (RFC 3966 §3)")
        return Uri("tel", user=number, params=parse_uri_params(tail, "URI") if semicolon else ())
    return Uri(scheme, opaque=rest)


_cached = lru_cache(maxsize=2048)(_parse)


def _parse_sip(scheme: str, rest: str, text: str) -> Uri:
    user = password = ""
    # The user part may hold ";" and "?"; "@" may stand nowhere else unescaped (§25.1), so look for it first.
    userinfo, at, hostpart = rest.partition("@")
    if at:
        user, _, password = userinfo.partition(":")
        if not user:
            raise ParseError("URI", text, "expected a user before '@' (RFC 3261 §19.1.1)")
        if "@" in hostpart:
            raise ParseError("URI", text, "expected one '@' (RFC 3261 §19.1.1)")
    else:
        hostpart = rest
    hostpart, question, headers = hostpart.partition("?")
    if question and not headers:
        raise ParseError("URI", text, "expected headers after '?' (RFC 3261 §19.1.1)")
    hostport, semicolon, tail = hostpart.partition(";")
    host, port = parse_hostport(hostport, "URI")
    return Uri(
        scheme, user, password, host, port, parse_uri_params(tail, "URI") if semicolon else (), headers
    )


def _check_escapes(text: str) -> None:
    for part in text.split("%")[1:]:
        if len(part) < 2 or part[0] not in _HEX or part[1] not in _HEX:
            raise ParseError("URI", text, "expected two hex digits after '%' (RFC 3261 §25.1)")


def _normal(text: str) -> str:
    """Text with each escape undone unless it hides a reserved character (§19.1.4)."""
    if "%" not in text:
        return text
    first, *parts = text.split("%")
    out = [first]
    for part in parts:
        char = chr(int(part[:2], 16))
        keep = char in _RESERVED or not char.isascii() or not char.isprintable()
        out.append(("%" + part[:2].upper() if keep else char) + part[2:])
    return "".join(out)


def _normal_host(host: str) -> str:
    return IPv6Address(host).compressed if ":" in host else host.lower()


def _by_name(params: Params) -> dict[str, str]:
    return {_normal(name).lower(): _normal(value or "").lower() for name, value in params}


def _header_set(headers: str) -> frozenset[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in headers.split("&"))
    return frozenset((_normal(name).lower(), _normal(value)) for name, _, value in pairs)
