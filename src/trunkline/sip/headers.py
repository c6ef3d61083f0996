"""Every header this product knows: its name, compact form, whether it is a list, and how its value reads.

`HEADERS` is the table (RFC 3261 §20 and the RFCs beside each line). Unknown headers are
kept by `message` as text and have no entry here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from trunkline.finding import ParseError
from trunkline.sip.syntax import (
    DIGITS,
    TOKEN,
    WS,
    is_token,
    parse_number,
    parse_params,
    parse_token,
    quote,
    split_commas,
    unquote,
)
from trunkline.sip.values import (
    STAR,
    Address,
    Challenge,
    Credentials,
    CSeq,
    MediaType,
    RAck,
    Reason,
    Replaces,
    RetryAfter,
    SessionExpires,
    Via,
    Warn,
    Word,
    parse_auth_params,
    parse_call_id,
    parse_contact,
)

__all__ = [
    "HEADERS",
    "STAR",
    "Address",
    "CSeq",
    "Challenge",
    "Credentials",
    "HeaderSpec",
    "MediaType",
    "RAck",
    "Reason",
    "Replaces",
    "RetryAfter",
    "SessionExpires",
    "Via",
    "Warn",
    "Word",
    "canonical",
    "is_token",
    "parse_params",
    "quote",
    "split_commas",
    "typed",
    "unquote",
]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class HeaderSpec(NamedTuple):
    """One header: canonical name, compact letter or "", how one value reads.

    `many`: a list with `separator` between values, also over several lines. `once`: a
    second line makes the message wrong. `empty`: the list may hold nothing (§25.1), so a
    comma too many does no harm.
    """

    name: str
    compact: str
    parse: Callable[[str], object]
    many: bool = False
    once: bool = False
    empty: bool = False
    separator: str = ","


def _text(text: str) -> str:
    return text


def _date(text: str) -> str:
    # §20.17: RFC 1123 dates, and GMT only. Sat, 13 Nov 2010 23:29:00 GMT
    words = text.split(" ")
    good = (
        len(words) == 6
        and words[0][:-1] in _DAYS
        and words[0][-1:] == ","
        and _is_number(words[1], 2, 31)
        and words[2] in _MONTHS
        and _is_number(words[3], 4, 9999)
        and words[5] == "GMT"
    )
    clock = words[4].split(":") if good else []
    limits = (23, 59, 60)
    if len(clock) != 3 or not all(_is_number(part, 2, top) for part, top in zip(clock, limits, strict=True)):
        raise ParseError("Date", text, "expected a date like Sat, 13 Nov 2010 23:29:00 GMT (RFC 3261 §20.17)")
    return text


def _is_number(text: str, size: int, top: int) -> bool:
    return len(text) == size and not text.strip(DIGITS) and int(text) <= top


def _timestamp(text: str) -> str:
    # §20.38: seconds, and perhaps the delay until the answer, each with a fraction.
    words = text.split(" ")
    for word in words:
        whole, _, fraction = word.partition(".")
        if (whole + fraction).strip(DIGITS) or not (whole or len(words) == 2) or len(word) > 32:
            raise ParseError("Timestamp", text, "expected seconds and perhaps a delay (RFC 3261 §20.38)")
    if len(words) > 2:
        raise ParseError("Timestamp", text, "expected at most two numbers (RFC 3261 §20.38)")
    return text


def _min_se(text: str) -> int:
    number, semicolon, tail = text.partition(";")
    if semicolon:
        parse_params(";" + tail, "Min-SE")  # RFC 4028 §5 allows parameters and gives them no meaning
    return parse_number(number.strip(WS), "Min-SE")


def _address(where: str) -> Callable[[str], Address]:
    return partial(Address.parse, where=where)


def _number(where: str, below: int = 1 << 32) -> Callable[[str], int]:
    return partial(parse_number, where=where, below=below)


def _token(where: str) -> Callable[[str], str]:
    return partial(parse_token, where=where)


def _word(where: str) -> Callable[[str], Word]:
    return partial(Word.parse, where=where)


_TABLE = (
    HeaderSpec("Via", "v", Via.parse, many=True),
    HeaderSpec("From", "f", _address("From"), once=True),
    HeaderSpec("To", "t", _address("To"), once=True),
    HeaderSpec("Call-ID", "i", parse_call_id, once=True),
    HeaderSpec("CSeq", "", CSeq.parse, once=True),
    HeaderSpec("Contact", "m", parse_contact, many=True),
    HeaderSpec("Max-Forwards", "", _number("Max-Forwards", 256), once=True),
    HeaderSpec("Content-Length", "l", _number("Content-Length"), once=True),
    HeaderSpec("Content-Type", "c", MediaType.parse, once=True),
    HeaderSpec("Route", "", _address("Route"), many=True),
    HeaderSpec("Record-Route", "", _address("Record-Route"), many=True),
    HeaderSpec("Allow", "", _token("Allow"), many=True, empty=True),
    HeaderSpec("Supported", "k", _token("Supported"), many=True, empty=True),
    HeaderSpec("Require", "", _token("Require"), many=True),
    HeaderSpec("Proxy-Require", "", _token("Proxy-Require"), many=True),
    HeaderSpec("Unsupported", "", _token("Unsupported"), many=True),
    HeaderSpec("Accept", "", partial(MediaType.parse, where="Accept"), many=True, empty=True),
    HeaderSpec("Accept-Encoding", "", _word("Accept-Encoding"), many=True, empty=True),
    HeaderSpec("Accept-Language", "", _word("Accept-Language"), many=True, empty=True),
    HeaderSpec("Alert-Info", "", _text),
    HeaderSpec("Call-Info", "", _text),
    HeaderSpec("Error-Info", "", _text),
    HeaderSpec("Authorization", "", Credentials.parse),
    HeaderSpec("Proxy-Authorization", "", Credentials.parse),
    HeaderSpec("WWW-Authenticate", "", Challenge.parse),
    HeaderSpec("Proxy-Authenticate", "", Challenge.parse),
    HeaderSpec("Authentication-Info", "", partial(parse_auth_params, where="Authentication-Info"), once=True),
    HeaderSpec("Content-Disposition", "", _word("Content-Disposition"), once=True),
    HeaderSpec("Content-Encoding", "e", _token("Content-Encoding"), many=True),
    HeaderSpec("Content-Language", "", _token("Content-Language"), many=True),
    HeaderSpec("Date", "", _date, once=True),
    HeaderSpec("Expires", "", _number("Expires"), once=True),
    HeaderSpec("In-Reply-To", "", parse_call_id, many=True),
    HeaderSpec("Min-Expires", "", _number("Min-Expires"), once=True),
    HeaderSpec("MIME-Version", "", _text, once=True),
    HeaderSpec("Organization", "", _text, once=True),
    HeaderSpec("Priority", "", _token("Priority"), once=True),
    HeaderSpec("Reply-To", "", _address("Reply-To"), once=True),
    HeaderSpec("Retry-After", "", RetryAfter.parse, once=True),
    HeaderSpec("Server", "", _text, once=True),
    HeaderSpec("Subject", "s", _text, once=True),
    HeaderSpec("Timestamp", "", _timestamp, once=True),
    HeaderSpec("User-Agent", "", _text, once=True),
    HeaderSpec("Warning", "", Warn.parse, many=True),
    HeaderSpec("RSeq", "", _number("RSeq"), once=True),  # RFC 3262 §7.1
    HeaderSpec("RAck", "", RAck.parse, once=True),  # RFC 3262 §7.2
    HeaderSpec("Event", "o", _word("Event"), once=True),  # RFC 6665 §8.2.1
    HeaderSpec("Allow-Events", "u", _token("Allow-Events"), many=True, empty=True),  # RFC 6665 §8.2.2
    HeaderSpec("Subscription-State", "", _word("Subscription-State"), once=True),  # RFC 6665 §8.2.3
    HeaderSpec("Session-Expires", "x", SessionExpires.parse, once=True),  # RFC 4028 §4
    HeaderSpec("Min-SE", "", _min_se, once=True),  # RFC 4028 §5
    HeaderSpec("Refer-To", "r", _address("Refer-To"), once=True),  # RFC 3515 §2.1
    HeaderSpec("Referred-By", "b", _address("Referred-By"), once=True),  # RFC 3892 §3
    HeaderSpec("Replaces", "", Replaces.parse, once=True),  # RFC 3891 §6.1
    HeaderSpec("Reason", "", Reason.parse, many=True),  # RFC 3326 §2
    HeaderSpec("Privacy", "", _token("Privacy"), many=True, separator=";"),  # RFC 3323 §4.2
    HeaderSpec("P-Asserted-Identity", "", _address("P-Asserted-Identity"), many=True),  # RFC 3325 §9.1
    HeaderSpec("P-Preferred-Identity", "", _address("P-Preferred-Identity"), many=True),  # RFC 3325 §9.2
    HeaderSpec("P-Called-Party-ID", "", _address("P-Called-Party-ID"), once=True),  # RFC 7315 §4.2
    HeaderSpec("P-Early-Media", "", _text),  # RFC 5009 §8
    HeaderSpec("P-Access-Network-Info", "", _text),  # RFC 7315 §4.4
    HeaderSpec("P-Charging-Vector", "", _text),  # RFC 7315 §4.6
    HeaderSpec("Remote-Party-ID", "", _address("Remote-Party-ID"), many=True),  # what came before RFC 3325
    HeaderSpec("Diversion", "", _address("Diversion"), many=True),  # RFC 5806 §9.1
    HeaderSpec("History-Info", "", _address("History-Info"), many=True),  # RFC 7044 §5
    HeaderSpec("Path", "", _address("Path"), many=True),  # RFC 3327 §4
    HeaderSpec("Service-Route", "", _address("Service-Route"), many=True),  # RFC 3608 §5
    HeaderSpec("Identity", "y", _text),  # RFC 8224 §4
    HeaderSpec("User-to-User", "", _text),  # RFC 7433 §4.1
    HeaderSpec("SIP-ETag", "", _token("SIP-ETag"), once=True),  # RFC 3903 §11.3.1
    HeaderSpec("SIP-If-Match", "", _token("SIP-If-Match"), once=True),  # RFC 3903 §11.3.2
)

HEADERS: dict[str, HeaderSpec] = {spec.name.lower(): spec for spec in _TABLE}
"""All known headers by lower-case long name."""

KEYS: dict[str, str] = {}
"""Common spellings to keys; `canonical` reads the rest. Fixed, so a peer cannot make it grow."""
for _spec in _TABLE:
    for _spelling in (_spec.name, _spec.compact):
        for _case in (_spelling, _spelling.lower(), _spelling.upper()):
            if _case:
                KEYS[_case] = _spec.name.lower()


def canonical(name: str) -> str:
    """The key of a header name: lower-case long form; ParseError if it is no token (§7.3.1)."""
    key = KEYS.get(name)
    if key is not None:
        return key
    if not name or name.strip(TOKEN):
        raise ParseError("header", name, "expected a header name (RFC 3261 §7.3.1)")
    lower = name.lower()
    return KEYS.get(lower, lower)


def typed(key: str, text: str) -> tuple[object, ...]:
    """All values of one header line: `key` as by `canonical`, `text` unfolded and stripped.

    ParseError if one is wrong. Unknown headers give the text itself.
    """
    spec = HEADERS.get(key)
    if spec is None:
        return (text,)
    try:
        if not spec.many:
            return (spec.parse(text),)
        parts = split_commas(text, spec.separator)
        return tuple([spec.parse(part) for part in parts if part or not spec.empty])
    except ParseError as error:
        if error.where == spec.name:
            raise
        raise ParseError(
            spec.name, error.got, f"{error.where}: {error.expected}", status=error.status
        ) from None
