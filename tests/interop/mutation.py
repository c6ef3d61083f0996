"""Any bytes: valid SIP messages spoiled the way PROTOS c07-sip spoils them, by seed, and plain garbage.

A message that is wrong in one place gets deeper into a program than noise does, so most of these are: a
field too long, empty, repeated, with a number out of range, a format string, broken UTF-8 or broken line
ends. Each function takes its dice, so that a seed gives the same bytes again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

LARGEST = 65507  # octets of a UDP datagram over IPv4

SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
    "a=sendrecv\r\n"
)
_COMMON = (
    "Via: SIP/2.0/{transport} {host}:{port};branch=z9hG4bK{branch};rport\r\n"
    "Max-Forwards: 70\r\n"
    'From: "Caller" <sip:{caller}@{host}>;tag={from_tag}\r\n'
    "To: <sip:{called}@{target}>{to_tag}\r\n"
    "Call-ID: {call_id}\r\n"
    "CSeq: {cseq} {method}\r\n"
)
_MORE = (
    "Contact: <sip:{caller}@{host}:{port};transport={transport}>;expires=300\r\n"
    "Route: <sip:{target};lr>\r\n"
    "Record-Route: <sip:{host};lr>, <sip:{target};lr;r2=on>\r\n"
    "P-Asserted-Identity: <sip:{caller}@{host};user=phone>\r\n"
    "Privacy: none\r\n"
    "Diversion: <sip:+33199001009@{host}>;reason=unconditional;counter=1\r\n"
    "History-Info: <sip:+33199001009@{host}>;index=1\r\n"
    "Supported: 100rel, timer, replaces\r\n"
    "Require: 100rel\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO\r\n"
    "Session-Expires: 1800;refresher=uac\r\n"
    "Min-SE: 90\r\n"
    "RSeq: 1\r\n"
    "RAck: 1 {cseq} INVITE\r\n"
    'Reason: Q.850;cause=16;text="Normal"\r\n'
    "Replaces: {call_id};to-tag=1;from-tag=2\r\n"
    "Refer-To: <sip:+33199009001@{target}?Replaces=1>\r\n"
    'Authorization: Digest username="201", realm="customer.example", nonce="{branch}", uri="sip:{target}", '
    'response="0123456789abcdef0123456789abcdef", algorithm=MD5, qop=auth, nc=00000001, cnonce="a"\r\n'
    'WWW-Authenticate: Digest realm="carrier.example", nonce="{branch}", algorithm=MD5, qop="auth"\r\n'
    "Expires: 300\r\n"
    "Retry-After: 5 (soon);duration=60\r\n"
    'Warning: 399 {host} "told you"\r\n'
    "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"
    "Timestamp: 54.2 0.1\r\n"
    "User-Agent: a phone (of sorts)\r\n"
)
METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO", "NOTIFY", "X")
STATUSES = (100, 180, 183, 200, 301, 401, 407, 408, 422, 481, 486, 491, 500, 503, 603, 999)

NASTY = (
    b"",
    b" ",
    b"\x00",
    b"%s%s%n%x%d",
    b"../../../etc/passwd",
    b"\xff\xfe\xc0\x80",
    "é漢字‮".encode(),
    b"-1",
    b"0",
    b"2147483648",
    b"4294967296",
    b"99999999999999999999999999",
    b"1e9",
    b"0x10",
    b"+5",
    b"\t\r\n folded",
    b"<",
    b">",
    b"<<<<>>>>",
    b'"',
    b'"\\',
    b";;;;;",
    b",,,,,",
    b"=;=;=",
    b"sip:",
    b"sip:@",
    b"sip:a@[::1",
    b"sip:a@1.2.3.4:99999",
    b"tel:",
    b"sips:%00@%zz",
    b"[fe80::1%25eth0]",
    b"256.256.256.256",
    b"*",
    b"SIP/3.0",
)
Dice = random.Random
Fields = Mapping[str, object]


def request(method: str, fields: Fields, *, sdp: bool = False) -> bytes:
    """A sound request, as short as can be."""
    told = {**fields, "method": method}
    body = SDP.format_map(told) if sdp else ""
    more = "Contact: <sip:{caller}@{host}:{port}>\r\n" + ("Content-Type: application/sdp\r\n" if sdp else "")
    head = ("{method} sip:{called}@{target} SIP/2.0\r\n" + _COMMON + more).format_map(told)
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def valid(dice: Dice, fields: Fields) -> bytes:
    """A message that a peer could send: a request, or a response to what the target may have sent."""
    method = dice.choice(METHODS)
    told = {**fields, "method": method}
    start = f"{method} sip:{told['called']}@{told['target']} SIP/2.0\r\n"
    if dice.random() < 0.25:
        start = f"SIP/2.0 {dice.choice(STATUSES)} Whatever\r\n"
    more = [line for line in _MORE.splitlines(keepends=True) if dice.random() < 0.25]
    contact = [] if method == "BYE" else _MORE.splitlines(keepends=True)[:1]
    body = SDP if dice.random() < 0.6 else ""
    kind = "Content-Type: application/sdp\r\n" if body else ""
    text = body.format_map(told)
    head = (_COMMON + "".join([*contact, *more])).format_map(told)
    return f"{start}{head}{kind}Content-Length: {len(text)}\r\n\r\n{text}".encode()


def _lines(message: bytes) -> list[bytes]:
    return message.split(b"\r\n")


def _spoil_value(dice: Dice, message: bytes) -> bytes:
    """One header (or line of the body) gets a nasty value, or one too long."""
    lines = _lines(message)
    place = dice.randrange(len(lines))
    name, colon, value = lines[place].partition(b":")
    nasty = dice.choice(NASTY)
    if dice.random() < 0.2:
        nasty = (nasty or b"A") * (1 << dice.randrange(4, 13))
    match dice.randrange(4):
        case 0:
            value = nasty
        case 1:
            value = nasty + value
        case 2:
            value = value + nasty
        case _:
            at = dice.randrange(len(value) + 1)
            value = value[:at] + nasty + value[at:]
    lines[place] = name + colon + value
    return b"\r\n".join(lines)


def _spoil_token(dice: Dice, message: bytes) -> bytes:
    """One token, wherever it stands, becomes a nasty one."""
    text = message
    for mark in dice.sample((b" ", b";", b":", b"=", b"@", b",", b"/"), 7):
        parts = text.split(mark)
        if len(parts) > 2:
            place = dice.randrange(len(parts))
            parts[place] = dice.choice(NASTY)
            return mark.join(parts)
    return text


def _repeat_line(dice: Dice, message: bytes) -> bytes:
    lines = _lines(message)
    place = dice.randrange(len(lines))
    return b"\r\n".join(lines[:place] + [lines[place]] * dice.choice((2, 3, 50, 300)) + lines[place:])


def _lose_lines(dice: Dice, message: bytes) -> bytes:
    lines = _lines(message)
    for _ in range(dice.choice((1, 1, 2, 5))):
        if lines:
            del lines[dice.randrange(len(lines))]
    return b"\r\n".join(lines)


def _shuffle_lines(dice: Dice, message: bytes) -> bytes:
    first, *rest = _lines(message)
    dice.shuffle(rest)
    return b"\r\n".join([first, *rest])


def _break_line_ends(dice: Dice, message: bytes) -> bytes:
    return message.replace(b"\r\n", dice.choice((b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\x00\r\n", b"")))


def _flip(dice: Dice, message: bytes) -> bytes:
    data = bytearray(message)
    for _ in range(dice.choice((1, 2, 8, 64))):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


def _cut(dice: Dice, message: bytes) -> bytes:
    return message[: dice.randrange(len(message))]


def _splice(dice: Dice, message: bytes) -> bytes:
    at, end = sorted(dice.randrange(len(message)) for _ in range(2))
    return message[:end] + message[at:]


def _pad(dice: Dice, message: bytes) -> bytes:
    return message + dice.randbytes(dice.choice((1, 100, 5000)))


def _compact(dice: Dice, message: bytes) -> bytes:
    short = {
        b"Via": b"v",
        b"From": b"f",
        b"To": b"t",
        b"Call-ID": b"i",
        b"Contact": b"m",
        b"Content-Length": b"l",
    }
    for long, letter in short.items():
        message = message.replace(long + b":", dice.choice((letter, letter.upper(), long.lower())) + b" :")
    return message


SPOILT: tuple[Callable[[Dice, bytes], bytes], ...] = (
    _spoil_value,
    _spoil_value,
    _spoil_value,
    _spoil_token,
    _spoil_token,
    _repeat_line,
    _lose_lines,
    _lose_lines,
    _shuffle_lines,
    _break_line_ends,
    _flip,
    _cut,
    _splice,
    _pad,
    _compact,
)


def spoilt(dice: Dice, fields: Fields) -> bytes:
    """One message: nine of ten are valid ones with a fault or two, the tenth is noise; at most a datagram."""
    if dice.random() < 0.1:
        return dice.randbytes(dice.choice((0, 1, 3, 100, 1500, LARGEST)))
    message = valid(dice, fields)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        message = dice.choice(SPOILT)(dice, message) or b"\x00"
    return message[:LARGEST]


def packet(dice: Dice) -> bytes:
    """Something like RTP or RTCP: a header with chance fields, or noise."""
    if dice.random() < 0.3:
        return dice.randbytes(dice.choice((0, 1, 11, 12, 172, 1500, 8000)))
    first = dice.choice((0x80, 0x80, 0x8F, 0x90, 0xA0, 0xBF, dice.randrange(256)))
    kind = dice.choice((0, 8, 13, 101, 0x88, 0xE5, 200, 201, 202, 203, 204, dice.randrange(256)))
    return bytes((first, kind)) + dice.randbytes(dice.choice((2, 10, 14, 26, 170, 170, 400)))


def stream(dice: Dice, fields: Callable[[Dice], Fields]) -> Iterator[bytes]:
    """Endless messages, the same ones for dice of the same seed."""
    while True:
        yield spoilt(dice, fields(dice))
