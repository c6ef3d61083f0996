"""The kinds of word a site file holds: addresses, names, numbers, secrets.

Each type is a `str` to its reader, checked once on the way in. What is wrong and how
to mend it is worded here, beside the check, for somebody who has OMC open and has
never seen a SIP message. Addresses are IPv4 or IPv6, IPv6 without brackets and in its
short form (RFC 5952); numbers lose the spaces and dots that people write in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

TEXT_MAX: Final = 200
NAME_MAX: Final = 253  # RFC 1035 §2.3.4, without the root's dot
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_E164 = re.compile(r"\+[1-9][0-9]{3,14}")  # E.164: fifteen digits at most
_BARRED = re.compile(r"\+[1-9][0-9]{0,13}")
_SPACING = str.maketrans("", "", " .\u00a0\u2009\u202f")  # what French typography puts inside a number
_REFERENCE = re.compile(r"\$\{(file|env):([^${}]+)\}")


def wrong(says: str, mend: str) -> PydanticCustomError:
    """The error that carries both halves of a finding through pydantic to `site.explain`."""
    return PydanticCustomError("site", "{says}", {"says": says, "mend": mend})


def is_address(text: str) -> bool:
    """True for an IPv4 or IPv6 literal without brackets and without a zone."""
    try:
        return "%" not in text and bool(str(ip_address(text)))
    except ValueError:
        return False


def shown(text: str) -> str:
    """A value as a finding quotes it, cut where it would fill the screen."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _text(text: str) -> str:
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise wrong("holds a line break or another control character", "write it on one line, without tabs")
    if len(text) > TEXT_MAX:
        raise wrong(f"is {len(text)} characters long", f"use at most {TEXT_MAX}")
    if "${" in text:
        raise wrong(
            f"{shown(text)} is a reference; only passwords are taken by reference",
            "write the value itself",
        )
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise wrong("is empty", "write a value")
    return _text(text)


def _address(text: str) -> str:
    if is_address(text):
        return str(ip_address(text))
    if text.startswith("[") and is_address(text.strip("[]")):
        raise wrong(f"{shown(text)} has brackets", f"write the IPv6 address alone: {text.strip('[]')}")
    if "/" in text and is_address(text.partition("/")[0]):
        raise wrong(f"{shown(text)} is a network", f"write the address alone: {text.partition('/')[0]}")
    if text.isdigit():
        raise wrong(f"{shown(text)} is a number; an IP address belongs here", "were two values swapped?")
    mend = "write it as 192.0.2.10 (IPv4) or 2001:db8::10 (IPv6)"
    if not text:
        raise wrong("is empty; an IP address belongs here", mend)
    raise wrong(f"{shown(text)} is no IP address", mend)


def _network(text: str) -> str:
    address, slash, length = text.partition("/")
    if not (slash and is_address(address) and length.isascii() and length.isdigit()):
        raise wrong(f"{shown(text)} is no network", "write it as 192.168.20.0/24")
    try:
        return str(ip_network(text))
    except ValueError:
        try:
            meant = ip_network(text, strict=False)
        except ValueError:
            raise wrong(f"{shown(text)} is no network", "write it as 192.168.20.0/24") from None
        raise wrong(f"{shown(text)} is an address in a network", f"write the network: {meant}") from None


def _domain_name(text: str) -> str:
    labels = text.split(".")
    mend = "write a full name, as sbc1.carrier.example"
    if is_address(text):
        raise wrong(f"{shown(text)} is an address; a name belongs here", mend)
    if text.endswith("."):
        raise wrong(f"{shown(text)} ends with a dot", f"write {shown(text.rstrip('.'))}")
    if not text.isascii():
        raise wrong(f"{shown(text)} has letters that DNS does not carry", "write its ASCII form (xn--...)")
    if len(labels) < 2 or len(text) > NAME_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise wrong(f"{shown(text)} is no full domain name", mend)
    if labels[-1].isdigit():
        raise wrong(
            f"{shown(text)} is neither an IP address nor a name", "check its figures: each is 0 to 255"
        )
    return text


def _host(text: str) -> str:
    looks_like_address = text.isdigit() or ":" in text or text.startswith("[") or "/" in text
    return _address(text) if looks_like_address or is_address(text) else _domain_name(text)


def split_server(text: str, port: int) -> tuple[str, int]:
    """An address with an optional port: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`.

    `port` is what counts where none is written; ValueError for all else.
    """
    if is_address(text):
        return text, port
    address, _, port_text = text.rpartition(":")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    elif ":" in address:
        raise ValueError(text)
    if not (
        is_address(address)
        and port_text.isascii()
        and port_text.isdigit()
        and len(port_text) <= 5
        and 0 < int(port_text) < 65536
    ):
        raise ValueError(text)
    return address, int(port_text)


def _server(text: str) -> str:
    try:
        split_server(text, 1)
    except ValueError:
        return _address(text)
    return text


def _number(text: str) -> str:
    bare = text.translate(_SPACING)
    if _E164.fullmatch(bare):
        return bare
    if bare.startswith("0") and not bare.startswith("00") and bare.isdigit() and len(bare) == 10:
        raise wrong(f"{shown(text)} is a national number", f"write it from the +; in France +33{bare[1:]}")
    if bare.startswith("00") and bare.isdigit():
        raise wrong(f"{shown(text)} begins with a dialling prefix", f"write a + in its place: +{bare[2:]}")
    if bare.isdigit():
        raise wrong(
            f"{shown(text)} is no full number", "write +, the country code and the number, as +33199001000"
        )
    raise wrong(f"{shown(text)} is no telephone number", "write +, then 4 to 15 digits, as +33199001000")


def _digits(least: int, most: int, letters: str, what: str, example: str) -> Callable[[str], str]:
    """A check for `least` to `most` digits or `letters`, called `what` in its findings."""
    pattern = re.compile(f"[0-9{re.escape(letters)}]{{{least},{most}}}")

    def check(text: str) -> str:
        bare = text.translate(_SPACING)
        if pattern.fullmatch(bare):
            return bare
        also = f" or {' '.join(letters)}" if letters else ""
        counted = f"{least} to {most}" if least else f"up to {most}"
        if bare.startswith("+"):
            raise wrong(f"{shown(text)} is a full number; {what} belongs here", "were two values swapped?")
        raise wrong(f"{shown(text)} is not {what}", f"write {counted} digits{also}, as {example}")

    return check


def _barred(text: str) -> str:
    bare = text.translate(_SPACING)
    if _BARRED.fullmatch(bare):
        return bare
    raise wrong(f"{shown(text)} begins no international number", "write +, then 1 to 14 digits, as +882")


def _range(text: str) -> str:
    return "-".join(dict.fromkeys(span(text)))


def span(text: str) -> tuple[str, str]:
    """A range of numbers, `+33199001000-+33199001099`, or one number, as its first and last.

    Both ends count; they are equally long. PydanticCustomError (a ValueError) for all else.
    """
    first, dash, last = text.partition("-")
    low, high = _number(first.strip()), _number((last if dash else first).strip())
    if len(low) != len(high) or low > high:
        raise wrong(
            f"{shown(text)} is no range of numbers", "write the first number, -, the last, both equally long"
        )
    return low, high


def within(number: str, ranges: tuple[str, ...]) -> bool:
    """True if an E.164 number lies in one of the ranges (of the model, hence well written)."""
    for text in ranges:
        low, _, high = text.partition("-")
        if len(number) == len(low) and low <= number <= (high or low):
            return True
    return False


def reference(text: str) -> tuple[str, str] | None:
    """("file", path) or ("env", name) where a secret is a reference; None where it is the secret itself."""
    match = _REFERENCE.fullmatch(text)
    return (match[1], match[2]) if match else None


def _secret(text: str) -> str:
    if reference(text):
        return text
    if "${" in text:
        raise wrong("is no well-formed reference", "write ${file:PATH} or ${env:NAME}, and nothing around it")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise wrong("holds a line break or another control character", "write it on one line")
    if len(text) > TEXT_MAX:
        raise wrong(f"is {len(text)} characters long", f"use at most {TEXT_MAX}")
    return text


class SecretMark:
    """Marks the fields that hold a secret: never shown, taken by reference."""


def digits(value: object) -> object:
    """Text of digits as a number, before a choice of numbers; all else as it is."""
    written = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9
    return int(str(value)) if written else value


def empty_or(check: Callable[[str], str]) -> Callable[[str], str]:
    """The same check for a key that may stay empty."""
    return lambda text: check(text) if text else text


Text = Annotated[str, AfterValidator(_text)]
Filled = Annotated[str, AfterValidator(_filled)]
Address = Annotated[str, AfterValidator(_address)]
OptionalAddress = Annotated[str, AfterValidator(empty_or(_address))]
Network = Annotated[str, AfterValidator(_network)]
OptionalNetwork = Annotated[str, AfterValidator(empty_or(_network))]
DomainName = Annotated[str, AfterValidator(empty_or(_domain_name))]
Host = Annotated[str, AfterValidator(_host)]
OptionalHost = Annotated[str, AfterValidator(empty_or(_host))]
Server = Annotated[str, AfterValidator(_server)]
OptionalServer = Annotated[str, AfterValidator(empty_or(_server))]
Number = Annotated[str, AfterValidator(_number)]
OptionalNumber = Annotated[str, AfterValidator(empty_or(_number))]
NumberRange = Annotated[str, AfterValidator(_range)]
Extension = Annotated[str, AfterValidator(_digits(1, 8, "", "an extension", "101"))]
ShortNumber = Annotated[str, AfterValidator(_digits(2, 8, "", "a short number", "112"))]
ShortPattern = Annotated[str, AfterValidator(_digits(2, 8, "X", "a pattern of short numbers", "3XXX"))]
CountryCode = Annotated[str, AfterValidator(_digits(1, 3, "", "a country code", "33"))]
OutsidePrefix = Annotated[str, AfterValidator(_digits(0, 3, "*#", "an outside prefix", "0"))]
NationalPrefix = Annotated[str, AfterValidator(_digits(0, 3, "", "a national prefix", "0"))]
InternationalPrefix = Annotated[str, AfterValidator(_digits(1, 4, "", "an international prefix", "00"))]
FeaturePrefix = Annotated[str, AfterValidator(_digits(0, 6, "*#", "a feature prefix", "*31"))]
BarredPrefix = Annotated[str, AfterValidator(_barred)]
Secret = Annotated[str, AfterValidator(_secret), SecretMark()]

Seconds = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=1, le=65535)]
PortOrOff = Annotated[int, Field(ge=0, le=65535)]
Status = Annotated[int, Field(ge=100, le=699)]


def subscriber_number(text: str) -> str:
    """A number of the public network: +E.164, or a short one such as 112."""
    bare = text.translate(_SPACING)
    short = bare.isascii() and bare.isdigit() and 2 <= len(bare) <= 8
    return bare if short else _number(text)


SubscriberNumber = Annotated[str, AfterValidator(subscriber_number)]
