"""The kinds of word a site file holds: addresses, names, numbers, secrets.

Each type is a `str` to its reader, checked once on the way in. What is wrong and how
to mend it is worded here, beside the check, for somebody who has OMC open and has
never seen a SIP message. Addresses are IPv4 or IPv6, IPv6 without brackets and in its
short form (RFC 5952); numbers lose the spaces and dots that people write in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from trunkline.finding import Wording, said

TEXT_MAX: Final = 200
NAME_MAX: Final = 253  # RFC 1035 §2.3.4, without the root's dot
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_E164 = re.compile(r"\+[1-9][0-9]{3,14}")  # E.164: fifteen digits at most
_BARRED = re.compile(r"\+[1-9][0-9]{0,13}")
_SPACING = str.maketrans("", "", " .\u00a0\u2009\u202f")  # what French typography puts inside a number
SWAPPED: Final = said("were two values swapped?", "deux valeurs ont-elles été inversées ?")
_CONTROL: Final = said(
    "holds a line break or another control character",
    "contient un saut de ligne ou un autre caractère de contrôle",
)
_AS_NETWORK: Final = said("write it as 192.168.20.0/24", "écrivez-le comme 192.168.20.0/24")
_REFERENCE = re.compile(r"\$\{(file|env):([^${}]+)\}")


def wrong(says: Wording, mend: Wording) -> PydanticCustomError:
    """The error that carries both halves of a finding through pydantic to `site.explain`."""
    return PydanticCustomError("site", "{says}", {"says": says, "mend": mend})


def too_long(text: str) -> PydanticCustomError:
    """The error for a word beyond TEXT_MAX."""
    return wrong(
        said("is {length} characters long", "compte {length} caractères", length=len(text)),
        said("use at most {most}", "utilisez-en {most} au plus", most=TEXT_MAX),
    )


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
        raise wrong(
            _CONTROL, said("write it on one line, without tabs", "écrivez-le sur une ligne, sans tabulation")
        )
    if len(text) > TEXT_MAX:
        raise too_long(text)
    if "${" in text:
        raise wrong(
            said(
                "{got} is a reference; only passwords are taken by reference",
                "{got} est une référence ; seuls les mots de passe se donnent par référence",
                got=shown(text),
            ),
            said("write the value itself", "écrivez la valeur elle-même"),
        )
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise wrong(said("is empty", "est vide"), said("write a value", "écrivez une valeur"))
    return _text(text)


def _address(text: str) -> str:
    if is_address(text):
        return _usable(ip_address(text))
    if text.startswith("[") and is_address(text.strip("[]")):
        raise wrong(
            said("{got} has brackets", "{got} a des crochets", got=shown(text)),
            said(
                "write the IPv6 address alone: {bare}",
                "écrivez l'adresse IPv6 seule : {bare}",
                bare=text.strip("[]"),
            ),
        )
    if "/" in text and is_address(text.partition("/")[0]):
        raise wrong(
            said("{got} is a network", "{got} est un réseau", got=shown(text)),
            said(
                "write the address alone: {bare}",
                "écrivez l'adresse seule : {bare}",
                bare=text.partition("/")[0],
            ),
        )
    if text.isdigit():
        says = said(
            "{got} is a number; an IP address belongs here",
            "{got} est un nombre ; il faut ici une adresse IP",
            got=shown(text),
        )
        raise wrong(says, SWAPPED)
    mend = said(
        "write it as 192.0.2.10 (IPv4) or 2001:db8::10 (IPv6)",
        "écrivez-la comme 192.0.2.10 (IPv4) ou 2001:db8::10 (IPv6)",
    )
    if not text:
        raise wrong(
            said("is empty; an IP address belongs here", "est vide ; il faut ici une adresse IP"), mend
        )
    raise wrong(said("{got} is no IP address", "{got} n'est pas une adresse IP", got=shown(text)), mend)


def _usable(address: IPv4Address | IPv6Address) -> str:
    """The address as text, unless it is one that no machine has (RFC 1122 §3.2.1.3, RFC 1112 §4)."""
    reserved = address.version == 4 and (address.is_reserved or int(address) >> 24 == 0)
    if address.is_unspecified or address.is_multicast or reserved:
        says = said(
            "{got} is an address that no machine can have",
            "{got} est une adresse qu'aucune machine ne peut avoir",
            got=shown(str(address)),
        )
        raise wrong(says, said("write the machine's own address", "écrivez l'adresse de la machine"))
    return str(address)


def _network(text: str) -> str:
    address, slash, length = text.partition("/")
    if not (slash and is_address(address) and length.isascii() and length.isdigit()):
        raise _no_network(text)
    try:
        return str(ip_network(text))
    except ValueError:
        try:
            meant = ip_network(text, strict=False)
        except ValueError:
            raise _no_network(text) from None
        raise wrong(
            said("{got} is an address in a network", "{got} est une adresse dans un réseau", got=shown(text)),
            said("write the network: {meant}", "écrivez le réseau : {meant}", meant=str(meant)),
        ) from None


def _no_network(text: str) -> PydanticCustomError:
    return wrong(said("{got} is no network", "{got} n'est pas un réseau", got=shown(text)), _AS_NETWORK)


def _domain_name(text: str) -> str:
    labels = text.split(".")
    mend = said(
        "write a full name, as sbc1.carrier.example", "écrivez un nom complet, comme sbc1.carrier.example"
    )
    got = shown(text)
    if is_address(text):
        says = said(
            "{got} is an address; a name belongs here", "{got} est une adresse ; il faut ici un nom", got=got
        )
        raise wrong(says, mend)
    if text.endswith("."):
        raise wrong(
            said("{got} ends with a dot", "{got} se termine par un point", got=got),
            said("write {bare}", "écrivez {bare}", bare=shown(text.rstrip("."))),
        )
    if not text.isascii():
        raise wrong(
            said(
                "{got} has letters that DNS does not carry",
                "{got} a des lettres que le DNS n'accepte pas",
                got=got,
            ),
            said("write its ASCII form (xn--...)", "écrivez sa forme ASCII (xn--...)"),
        )
    if len(labels) < 2 or len(text) > NAME_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise wrong(
            said("{got} is no full domain name", "{got} n'est pas un nom de domaine complet", got=got), mend
        )
    if labels[-1].isdigit():
        raise wrong(
            said(
                "{got} is neither an IP address nor a name",
                "{got} n'est ni une adresse IP ni un nom",
                got=got,
            ),
            said("check its figures: each is 0 to 255", "vérifiez ses nombres : chacun va de 0 à 255"),
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
        address, _ = split_server(text, 1)
    except ValueError:
        return _address(text)
    _address(address)
    return text


def _number(text: str) -> str:
    bare = text.translate(_SPACING)
    if _E164.fullmatch(bare):
        return bare
    got = shown(text)
    if bare.startswith("0") and not bare.startswith("00") and bare.isdigit() and len(bare) == 10:
        raise wrong(
            said("{got} is a national number", "{got} est un numéro national", got=got),
            said(
                "write it from the +; in France +33{rest}",
                "écrivez-le à partir du + ; en France +33{rest}",
                rest=bare[1:],
            ),
        )
    if bare.startswith("00") and bare.isdigit():
        raise wrong(
            said(
                "{got} begins with a dialling prefix",
                "{got} commence par un préfixe de numérotation",
                got=got,
            ),
            said("write a + in its place: +{rest}", "écrivez un + à sa place : +{rest}", rest=bare[2:]),
        )
    if bare.isdigit():
        raise wrong(
            said("{got} is no full number", "{got} n'est pas un numéro complet", got=got),
            said(
                "write +, the country code and the number, as +33199001000",
                "écrivez +, l'indicatif du pays et le numéro, comme +33199001000",
            ),
        )
    raise wrong(
        said("{got} is no telephone number", "{got} n'est pas un numéro de téléphone", got=got),
        said(
            "write +, then 4 to 15 digits, as +33199001000",
            "écrivez +, puis 4 à 15 chiffres, comme +33199001000",
        ),
    )


def _digits(least: int, most: int, letters: str, what: Wording, example: str) -> Callable[[str], str]:
    """A check for `least` to `most` digits or `letters`, called `what` in its findings."""
    pattern = re.compile(f"[0-9{re.escape(letters)}]{{{least},{most}}}")

    def check(text: str) -> str:
        bare = text.translate(_SPACING)
        if pattern.fullmatch(bare):
            return bare
        if bare.startswith("+"):
            says = said(
                "{got} is a full number; {what} belongs here",
                "{got} est un numéro complet ; il faut ici {what}",
                got=shown(text),
                what=what,
            )
            raise wrong(says, SWAPPED)
        also = said(" or {letters}", " ou {letters}", letters=" ".join(letters)) if letters else ""
        counted = (
            said("{least} to {most}", "{least} à {most}", least=least, most=most)
            if least
            else said("up to {most}", "jusqu'à {most}", most=most)
        )
        raise wrong(
            said("{got} is not {what}", "{got} n'est pas {what}", got=shown(text), what=what),
            said(
                "write {counted} digits{also}, as {example}",
                "écrivez {counted} chiffres{also}, comme {example}",
                counted=counted,
                also=also,
                example=example,
            ),
        )

    return check


def _barred(text: str) -> str:
    bare = text.translate(_SPACING)
    if _BARRED.fullmatch(bare):
        return bare
    raise wrong(
        said(
            "{got} begins no international number",
            "{got} ne commence aucun numéro international",
            got=shown(text),
        ),
        said("write +, then 1 to 14 digits, as +882", "écrivez +, puis 1 à 14 chiffres, comme +882"),
    )


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
            said("{got} is no range of numbers", "{got} n'est pas une plage de numéros", got=shown(text)),
            said(
                "write the first number, -, the last, both equally long",
                "écrivez le premier numéro, -, le dernier, de même longueur",
            ),
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
        raise wrong(
            said("is no well-formed reference", "n'est pas une référence bien formée"),
            said(
                "write ${{file:PATH}} or ${{env:NAME}}, and nothing around it",
                "écrivez ${{file:CHEMIN}} ou ${{env:NOM}}, et rien autour",
            ),
        )
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise wrong(_CONTROL, said("write it on one line", "écrivez-le sur une ligne"))
    if len(text) > TEXT_MAX:
        raise too_long(text)
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
Extension = Annotated[
    str, AfterValidator(_digits(1, 8, "", said("an extension", "un numéro de poste"), "101"))
]
ShortNumber = Annotated[
    str, AfterValidator(_digits(2, 8, "", said("a short number", "un numéro court"), "112"))
]
ShortPattern = Annotated[
    str,
    AfterValidator(
        _digits(2, 8, "X", said("a pattern of short numbers", "un motif de numéros courts"), "3XXX")
    ),
]
CountryCode = Annotated[
    str, AfterValidator(_digits(1, 3, "", said("a country code", "un indicatif de pays"), "33"))
]
OutsidePrefix = Annotated[
    str, AfterValidator(_digits(0, 3, "*#", said("an outside prefix", "un préfixe de prise de ligne"), "0"))
]
NationalPrefix = Annotated[
    str, AfterValidator(_digits(0, 3, "", said("a national prefix", "un préfixe national"), "0"))
]
InternationalPrefix = Annotated[
    str, AfterValidator(_digits(1, 4, "", said("an international prefix", "un préfixe international"), "00"))
]
FeaturePrefix = Annotated[
    str, AfterValidator(_digits(0, 6, "*#", said("a feature prefix", "un préfixe de service"), "*31"))
]
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
