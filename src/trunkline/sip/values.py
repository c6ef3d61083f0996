"""Typed header values: what From, Via, CSeq and their kin say (RFC 3261 §20 and its family).

Each is frozen; `X.parse(text)` reads unfolded text and raises ParseError (400), `str(x)` writes
it. `X.parse(str(x)) == x` holds for every value that was parsed. Parameter values stay as
written, escapes and quotes included; `.param(name)` gives them unquoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trunkline.finding import ParseError
from trunkline.sip.syntax import (
    DIGITS,
    TOKEN,
    WS,
    check_value,
    end_of_quoted,
    find_param,
    format_params,
    is_token,
    parse_number,
    parse_params,
    parse_token,
    quote,
    split_commas,
    unquote,
)
from trunkline.sip.uri import Params, Uri, parse_hostport, with_param

_DISPLAY_SPECIALS = frozenset(map(chr, range(128))) - frozenset(TOKEN)


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec with parameters: From, To, Contact, Route, P-Asserted-Identity, ... (§20.10).

    `display` is the name without quotes and escapes, "" if absent. `str` always writes the
    name-addr form, so parameters can never slip into the URI.
    """

    display: str
    uri: Uri
    params: Params = ()

    @staticmethod
    def parse(text: str, where: str = "address") -> Address:
        text = text.strip(WS)
        display = ""
        rest = text
        if text[:1] == '"':
            end = end_of_quoted(text, where)
            display, rest = unquote(text[:end]), text[end:].lstrip(WS)
            if rest[:1] != "<":
                raise ParseError(where, text, "expected <URI> behind the name (RFC 3261 §20.10)")
        elif text[:1] != "<" and "<" in text:
            name, _, rest = text.partition("<")
            rest = "<" + rest
            display = _parse_unquoted_display(name, text, where)
        if rest[:1] == "<":
            uri, closed, tail = rest[1:].partition(">")
            if not closed:
                raise ParseError(where, text, "expected '>' behind the URI (RFC 3261 §20.10)")
            return Address(display, Uri.parse(uri), parse_params(tail, where) if tail else ())
        uri, semicolon, tail = rest.partition(";")
        uri = uri.rstrip(WS)
        if "?" in uri or "," in uri:
            # §20.10: a URI with ",", "?" or ";" must stand in angle brackets.
            raise ParseError(where, text, "expected <> around a URI with ',' or '?' (RFC 3261 §20.10)")
        return Address("", Uri.parse(uri), parse_params(";" + tail, where) if semicolon else ())

    def __str__(self) -> str:
        if not self.uri.scheme:
            return str(self.uri)
        name = f"{quote(self.display)} " if self.display else ""
        return f"{name}<{self.uri}>{format_params(self.params)}" if self.params else f"{name}<{self.uri}>"

    @property
    def tag(self) -> str:
        """The dialog tag (§19.3), "" if absent."""
        for name, value in self.params:
            if name == "tag" or name.lower() == "tag":
                return value or ""
        return ""

    def param(self, name: str) -> str | None:
        """A header parameter's value, unquoted; "" for a flag, None if absent."""
        return find_param(self.params, name)

    def with_param(self, name: str, value: str | None = None) -> Address:
        """A copy with this parameter set (None: a flag). `value` is written as it is: quote it if need be."""
        return Address(self.display, self.uri, with_param(self.params, name, value))

    def without_param(self, name: str) -> Address:
        """A copy without this parameter."""
        return Address(self.display, self.uri, tuple(p for p in self.params if p[0].lower() != name.lower()))


def _parse_unquoted_display(name: str, text: str, where: str) -> str:
    # §25.1: tokens and white space. Raw UTF-8 is let through: phones send accents unquoted.
    words = [word for word in name.replace("\t", " ").split(" ") if word]
    if not _DISPLAY_SPECIALS.isdisjoint("".join(words)):
        raise ParseError(where, text, "expected quotes around a name with such characters (RFC 3261 §25.1)")
    return " ".join(words)


STAR = Address("", Uri("", opaque="*"))
"""The Contact "*" of a REGISTER that removes all bindings (§10.2.2)."""


def parse_contact(text: str, where: str = "Contact") -> Address:
    """A Contact value: an address or "*"."""
    return STAR if text.strip(WS) == "*" else Address.parse(text, where)


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of the way back (§20.42). `transport` is upper case, `host` without brackets."""

    transport: str
    host: str
    port: int | None = None
    params: Params = ()
    protocol: str = "SIP/2.0"

    @staticmethod
    def parse(text: str) -> Via:
        protocol = "SIP/2.0"
        if text.startswith("SIP/2.0/"):
            transport, _, rest = text[8:].partition(" ")
        else:
            name, _, rest = text.partition("/")
            version, _, rest = rest.partition("/")
            protocol = f"{name.strip(WS).upper()}/{version.strip(WS)}"
            if not is_token(name.strip(WS)) or not is_token(version.strip(WS)):
                raise ParseError("Via", text, "expected SIP/2.0/transport (RFC 3261 §20.42)")
            transport, rest = "", rest.lstrip(WS)
        if not transport or transport.strip(TOKEN):
            # White space around the slash or a tab behind the transport: §25.1 SLASH, LWS.
            words = (transport + " " + rest).split(None, 1)
            transport, rest = words if len(words) == 2 else ("", "")
        sent_by, semicolon, tail = rest.partition(";")
        sent_by = sent_by.strip(WS)
        if " " in sent_by:
            sent_by = sent_by.replace(" :", ":").replace(": ", ":")  # §25.1 COLON may have spaces
        host, port = parse_hostport(sent_by, "Via")
        params = parse_params(";" + tail, "Via") if semicolon else ()
        return Via(parse_token(transport, "Via").upper(), host, port, params, protocol)

    def __str__(self) -> str:
        return f"{self.protocol}/{self.transport} {self.sent_by}{format_params(self.params)}"

    @property
    def sent_by(self) -> str:
        """Host and port as written; IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def branch(self) -> str:
        """The transaction's id (§17.1.3), "" if absent."""
        return find_param(self.params, "branch") or ""

    @property
    def received(self) -> str:
        """The address the request came from (§18.2.1), without brackets, "" if absent."""
        return (find_param(self.params, "received") or "").strip("[]")

    @property
    def rport(self) -> str | None:
        """RFC 3581: None if absent, "" if asked for, digits once filled in."""
        return find_param(self.params, "rport")

    def param(self, name: str) -> str | None:
        """A parameter's value; "" for a flag, None if absent."""
        return find_param(self.params, name)

    def with_param(self, name: str, value: str | None = None) -> Via:
        """A copy with this parameter set (None: a flag)."""
        return Via(self.transport, self.host, self.port, with_param(self.params, name, value), self.protocol)


@dataclass(frozen=True, slots=True)
class CSeq:
    """Sequence number (0 to 2**31-1, §8.1.1.5) and method (§20.16)."""

    number: int
    method: str

    @staticmethod
    def parse(text: str) -> CSeq:
        number, _, method = text.replace("\t", " ").partition(" ")
        return CSeq(parse_number(number, "CSeq", 1 << 31), parse_token(method.strip(WS), "CSeq"))

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class RAck:
    """Which provisional response a PRACK is for (RFC 3262 §7.2)."""

    rseq: int
    cseq: int
    method: str

    @staticmethod
    def parse(text: str) -> RAck:
        number, _, rest = text.replace("\t", " ").partition(" ")
        cseq = CSeq.parse(rest.strip(WS))
        return RAck(parse_number(number, "RAck"), cseq.number, cseq.method)

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq} {self.method}"


@dataclass(frozen=True, slots=True)
class Replaces:
    """The dialog a new INVITE takes over (RFC 3891 §6.1)."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False
    params: Params = ()

    @staticmethod
    def parse(text: str) -> Replaces:
        call_id, _, tail = text.partition(";")
        params = parse_params(";" + tail, "Replaces")
        to_tag, from_tag = find_param(params, "to-tag"), find_param(params, "from-tag")
        if not to_tag or not from_tag:
            raise ParseError("Replaces", text, "expected to-tag and from-tag (RFC 3891 §6.1)")
        early_only = find_param(params, "early-only") is not None
        others = tuple(p for p in params if p[0].lower() not in ("to-tag", "from-tag", "early-only"))
        return Replaces(parse_call_id(call_id.strip(WS), "Replaces"), to_tag, from_tag, early_only, others)

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        tags = f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}"
        return f"{tags}{early}{format_params(self.params)}"


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """Session interval in seconds and who refreshes it: "uac", "uas" or None (RFC 4028 §4)."""

    seconds: int
    refresher: str | None = None
    params: Params = ()

    @staticmethod
    def parse(text: str) -> SessionExpires:
        number, semicolon, tail = text.partition(";")
        seconds = parse_number(number.strip(WS), "Session-Expires")
        if not semicolon:
            return SessionExpires(seconds)
        params = parse_params(";" + tail, "Session-Expires")
        refresher = find_param(params, "refresher")
        if refresher is not None and refresher.lower() not in ("uac", "uas"):
            raise ParseError("Session-Expires", text, "expected refresher=uac or uas (RFC 4028 §4)")
        others = tuple(p for p in params if p[0].lower() != "refresher")
        return SessionExpires(seconds, refresher.lower() if refresher else None, others)

    def __str__(self) -> str:
        who = f";refresher={self.refresher}" if self.refresher else ""
        return f"{self.seconds}{who}{format_params(self.params)}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request was sent or a call ended (RFC 3326 §2): "Q.850" or "SIP", cause number, text."""

    protocol: str
    cause: int | None = None
    text: str | None = None
    params: Params = ()

    @staticmethod
    def parse(text: str) -> Reason:
        protocol, semicolon, tail = text.partition(";")
        parse_token(protocol := protocol.strip(WS), "Reason")
        params = parse_params(";" + tail, "Reason") if semicolon else ()
        cause = find_param(params, "cause")
        number = None if cause is None else parse_number(cause, "Reason", 1000)
        others = tuple(p for p in params if p[0].lower() not in ("cause", "text"))
        return Reason(protocol, number, find_param(params, "text"), others)

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = "" if self.text is None else f";text={quote(self.text)}"
        return f"{self.protocol}{cause}{text}{format_params(self.params)}"


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Seconds to wait, a comment, and how long the callee is then reachable, in seconds (§20.33)."""

    seconds: int
    comment: str = ""
    duration: int | None = None
    params: Params = ()

    @staticmethod
    def parse(text: str) -> RetryAfter:
        text = text.strip(WS)
        digits = len(text) - len(text.lstrip(DIGITS))
        seconds, rest = parse_number(text[:digits], "Retry-After"), text[digits:].lstrip(WS)
        comment = ""
        if rest[:1] == "(":
            end = _end_of_comment(rest)
            comment, rest = rest[1 : end - 1], rest[end:]
        params = parse_params(rest, "Retry-After")
        duration = find_param(params, "duration")
        others = tuple(p for p in params if p[0].lower() != "duration")
        number = None if duration is None else parse_number(duration, "Retry-After")
        return RetryAfter(seconds, comment, number, others)

    def __str__(self) -> str:
        comment = f" ({self.comment})" if self.comment else ""
        duration = "" if self.duration is None else f";duration={self.duration}"
        return f"{self.seconds}{comment}{duration}{format_params(self.params)}"


def _end_of_comment(text: str) -> int:
    depth = at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        depth += (char == "(") - (char == ")")
        at += 1
        if not depth:
            return at
    raise ParseError("Retry-After", text, "expected ')' behind the comment (RFC 3261 §25.1)")


@dataclass(frozen=True, slots=True)
class MediaType:
    """Content-Type and Accept: lower-case type and subtype, "*" in Accept (§20.15, §20.1)."""

    type: str
    subtype: str
    params: Params = ()

    @staticmethod
    def parse(text: str, where: str = "Content-Type") -> MediaType:
        name, semicolon, tail = text.partition(";")
        kind, _, subtype = name.partition("/")
        params = parse_params(";" + tail, where) if semicolon else ()
        kind, subtype = parse_token(kind.strip(WS), where), parse_token(subtype.strip(WS), where)
        return MediaType(kind.lower(), subtype.lower(), params)

    def __str__(self) -> str:
        return f"{self.type}/{self.subtype}{format_params(self.params)}"

    def param(self, name: str) -> str | None:
        """A parameter's value, unquoted; None if absent."""
        return find_param(self.params, name)


@dataclass(frozen=True, slots=True)
class Word:
    """A token with parameters: Event, Content-Disposition, Subscription-State, Accept-Encoding, ..."""

    value: str
    params: Params = ()

    @staticmethod
    def parse(text: str, where: str = "word") -> Word:
        value, semicolon, tail = text.partition(";")
        value = parse_token(value.strip(WS), where)
        return Word(value, parse_params(";" + tail, where) if semicolon else ())

    def __str__(self) -> str:
        return f"{self.value}{format_params(self.params)}"

    def param(self, name: str) -> str | None:
        """A parameter's value, unquoted; "" for a flag, None if absent."""
        return find_param(self.params, name)


AuthParams = tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Challenge:
    """WWW-Authenticate or Proxy-Authenticate (§20.44): scheme and (name, unquoted value, was quoted)."""

    scheme: str
    params: AuthParams = ()
    where: ClassVar[str] = "WWW-Authenticate"

    @classmethod
    def parse(cls, text: str) -> Challenge:
        return cls(*_parse_auth(text, cls.where))

    def __str__(self) -> str:
        return _format_auth(self.scheme, self.params)

    def get(self, name: str) -> str | None:
        """A parameter's value, None if absent."""
        return _find_auth(self.params, name)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Authorization or Proxy-Authorization (§20.7): scheme and (name, unquoted value, was quoted)."""

    scheme: str
    params: AuthParams = ()
    where: ClassVar[str] = "Authorization"

    @classmethod
    def parse(cls, text: str) -> Credentials:
        return cls(*_parse_auth(text, cls.where))

    def __str__(self) -> str:
        return _format_auth(self.scheme, self.params)

    def get(self, name: str) -> str | None:
        """A parameter's value, None if absent."""
        return _find_auth(self.params, name)


def parse_auth_params(text: str, where: str) -> AuthParams:
    """Read "name=value, name="value"" (§25.1 auth-param), each name once."""
    params: list[tuple[str, str, bool]] = []
    for part in split_commas(text):
        name, equals, value = part.partition("=")
        name, value = name.rstrip(WS), value.lstrip(WS)
        if not equals or not is_token(name):
            raise ParseError(where, text, "expected name=value between commas (RFC 3261 §25.1)")
        check_value(value, where)
        quoted = value[:1] == '"'
        params.append((name, unquote(value) if quoted else value, quoted))
    if len({name.lower() for name, _, _ in params}) != len(params):
        raise ParseError(where, text, "expected each parameter once (RFC 3261 §7.3.1)")
    return tuple(params)


def _parse_auth(text: str, where: str) -> tuple[str, AuthParams]:
    scheme, _, rest = text.strip(WS).partition(" ")
    rest = rest.strip(WS)
    if rest and "=" not in rest.rstrip("=") and "," not in rest and '"' not in rest:
        # One word without a name, as Basic and Bearer have it (RFC 7235 §2.1 token68).
        check_value(rest, where)
        return parse_token(scheme, where), (("", rest, False),)
    return parse_token(scheme, where), parse_auth_params(rest, where)


def _format_auth(scheme: str, params: AuthParams) -> str:
    words = (f"{n}={quote(v) if q else v}" if n else v for n, v, q in params)
    return f"{scheme} {', '.join(words)}"


def _find_auth(params: AuthParams, name: str) -> str | None:
    return next((value for key, value, _ in params if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Warn:
    """A Warning value (§20.43): code 100-999, the agent that warns, its words."""

    code: int
    agent: str
    text: str

    @staticmethod
    def parse(text: str) -> Warn:
        words = text.split(None, 2)
        if len(words) != 3 or len(words[0]) != 3 or words[2][:1] != '"':
            raise ParseError("Warning", text, 'expected code agent "text" (RFC 3261 §20.43)')
        code = parse_number(words[0], "Warning")
        check_value(words[2], "Warning")
        return Warn(code, words[1], unquote(words[2]))

    def __str__(self) -> str:
        return f"{self.code:03} {self.agent} {quote(self.text)}"


def parse_call_id(text: str, where: str = "Call-ID") -> str:
    """A Call-ID (§20.8): visible characters without spaces; case counts and quotes mean nothing."""
    if not text or " " in text or not (text.isascii() and text.isprintable()):
        raise ParseError(where, text, "expected word or word@word (RFC 3261 §25.1)")
    return text
