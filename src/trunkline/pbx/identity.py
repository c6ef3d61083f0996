"""Who calls, as an INVITE says it: CLIP and CLIR on the trunk, names and numbers on the phones.

Only digits that were checked, quoted names and escaped user parts get into a header.
Source: RFC 3323, RFC 3325; the carrier's own reading in the guide's Identity tab.
"""

from __future__ import annotations

from typing import NamedTuple

from trunkline.pbx.dialplan import Caller
from trunkline.sip.message import Request
from trunkline.sip.syntax import quote
from trunkline.sip.uri import Uri, escape_user, unescape
from trunkline.sip.values import Address

NAME_MAX = 80  # characters of a name that a phone is told
_ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'  # RFC 3323 §4.1.1.3
# Any of them asks that the caller stays unknown to the called party (RFC 3323 §4.2, RFC 3325 §7).
_PRIVATE = frozenset({"id", "user", "header"})


class Shown(NamedTuple):
    """From without its tag, the user part of the Contact, and further headers."""

    from_: str
    contact: str
    headers: tuple[tuple[str, str], ...] = ()


def on_trunk(caller: Caller, domain: str, *, rfc3325: bool, account: str = "", scheme: str = "sip") -> Shown:
    """What the carrier is told; the number withheld stays in P-Asserted-Identity for it alone.

    `account` is the user this trunk is registered as, "" for a static one: then the
    Contact bears the caller's number, unless that is withheld. `scheme` is sip or sips.
    """
    asserted = f"<{scheme}:{caller.number_pai}@{domain};user=phone>"
    headers: tuple[tuple[str, str], ...] = ()
    if rfc3325:
        headers = (("P-Asserted-Identity", asserted),)
        if caller.privacy:
            headers += (("Privacy", caller.privacy),)
    if not caller.number_from:
        return Shown(_ANONYMOUS, escape_user(account) or "anonymous", headers)
    from_ = f"{_named(caller.name)}<{scheme}:{caller.number_from}@{domain};user=phone>"
    return Shown(from_, escape_user(account) or caller.number_from, headers)


def on_phone(name: str, number: str, host: str) -> Shown:
    """What a phone is told; without a number the caller is anonymous, whatever its name."""
    if not number:
        return Shown(f'"Anonymous" <sip:anonymous@{host}>', "anonymous")
    user = escape_user(number)
    return Shown(f"{_named(name)}<sip:{user}@{host}>", user)


def caller_of(request: Request) -> Address | None:
    """Who calls, as the trusted carrier asserts it, else as From says; None if it is to stay unknown."""
    if wants_privacy(request):
        return None
    asserted = request.value("p-asserted-identity")
    return asserted if isinstance(asserted, Address) else request.from_


def called_of(request: Request, account: str = "") -> Uri:
    """Who is called: the Request-URI, unless that is only where this trunk registered (`account`).

    Then the number stands in P-Called-Party-ID (RFC 7315 §4.2), or in To.
    """
    if not account or unescape(request.uri.user) != account:
        return request.uri
    called = request.value("p-called-party-id")
    return called.uri if isinstance(called, Address) else request.to.uri


def wants_privacy(request: Request) -> bool:
    """Whether the caller asks to stay unknown to the called party."""
    return any(str(value).lower() in _PRIVATE for value in request.values("privacy"))


def _named(name: str) -> str:
    """A display name and the space behind it: printable, in bounds, quoted; "" for none."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name[:NAME_MAX]).strip()
    return f"{quote(shown)} " if shown else ""
