"""What a dialled number means, what number a caller shows, and whose DDI was called.

One pass, in this order: emergency codes (however they were prefixed), internal
extensions, short codes, then the public plan behind the outside prefix. Numbers leave
in canonical form, +E.164 (RFC 3966 §5.1.4); emergency and short codes leave as they
are written in the site file. A number of this site's own DDI range is reached
internally, without a channel of the trunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from trunkline.finding import ParseError
from trunkline.sip.uri import Uri, unescape
from trunkline.site.model import Numbering, User
from trunkline.site.premises import RemoteSite

# The French national plan (ARCEP decision 2018-0881) is one dialling plan over several country
# codes: ten digits, 0 then nine, dialled alike in all these territories.
FRENCH_PLAN = frozenset({"33", "590", "594", "596", "262"})

# National number (after the 0) begins with -> what stands for it in E.164. The territory's code
# replaces the 0 and the code's digits are repeated; +33590... does not exist. Saint-Pierre-et-
# Miquelon has a plan of six digits, reached from France as 0508 and the six.
# Source: ARCEP decision 2018-0881, annex; requirement DROM-1.
OVERSEAS = {
    "590": "590590", "690": "590690", "691": "590691",  # Guadeloupe, St-Martin, St-Barthélemy
    "594": "594594", "694": "594694",  # Guyane
    "596": "596596", "696": "596696", "697": "596697",  # Martinique
    "262": "262262", "263": "262263", "692": "262692", "693": "262693",  # La Réunion
    "269": "262269", "639": "262639",  # Mayotte
    "508": "508",  # Saint-Pierre-et-Miquelon
}  # fmt: skip
_METROPOLITAN = frozenset({"63998"})  # inside Mayotte's 0639: mobile numbers of films and documentation
_OVERSEAS_CODES = ("590", "594", "596", "262", "508")

E164_DIGITS = range(7, 16)  # ITU-T E.164 §6.2.1: at most 15; no country has fewer than 7 in all
_SEPARATORS = str.maketrans("", "", "-.() \u00a0")  # RFC 3966 §5.1.1


class Kind(StrEnum):
    """What sort of public number it is; OVERSEAS is another country code of the French plan."""

    EMERGENCY = "emergency"
    SHORT = "short"
    NATIONAL = "national"
    OVERSEAS = "overseas"
    INTERNATIONAL = "international"


@dataclass(frozen=True, slots=True)
class Internal:
    """A user of this site."""

    user: User


@dataclass(frozen=True, slots=True)
class External:
    """A public number, as sent on the trunk in canonical form; `clir`: the caller is withheld."""

    number: str
    kind: Kind
    clir: bool = False

    @property
    def bounded(self) -> bool:
        """Whether the channel bound may refuse the call; never an emergency or short number."""
        return self.kind not in (Kind.EMERGENCY, Kind.SHORT)


@dataclass(frozen=True, slots=True)
class Barred:
    """A number this site may not call; `status` is the answer, 403 (RFC 3261 §21.4.4)."""

    status: int
    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No number of any plan (404), or only the beginning of one (484, RFC 3261 §21.4.22)."""

    status: int
    why: str


Route = Internal | External | Barred | Unknown


class Caller(NamedTuple):
    """Who is shown on the trunk (RFC 3323, RFC 3325).

    `number_from` is "" when withheld: From is then anonymous@anonymous.invalid.
    `number_pai` is the real number always; `privacy` is the Privacy value, "id" or "";
    `name` is the display name, "" when withheld.
    """

    number_from: str
    number_pai: str
    privacy: str
    name: str


class Patterns:
    """Codes as a site writes them: digits, and X for any one digit (10XX, 118XXX)."""

    __slots__ = ("_by_length",)

    def __init__(self, patterns: Iterable[str]) -> None:
        self._by_length: dict[int, list[str]] = {}
        for pattern in patterns:
            self._by_length.setdefault(len(pattern), []).append(pattern.upper())

    def match(self, number: str) -> bool:
        return any(_fits(pattern, number) for pattern in self._by_length.get(len(number), ()))

    def begun(self, number: str) -> bool:
        """True if more digits could make it a match."""
        return any(
            _fits(pattern[: len(number)], number)
            for length, patterns in self._by_length.items()
            if length > len(number)
            for pattern in patterns
        )


class Dialplan:
    """The numbering of one site. Built once for a site file; every method is a pure look-up."""

    __slots__ = (
        "_code_leads",
        "_ddis",
        "_emergency",
        "_extensions",
        "_french",
        "_short",
        "_whereabouts",
        "numbering",
    )

    def __init__(
        self, numbering: Numbering, users: Iterable[User], remote_sites: Iterable[RemoteSite] = ()
    ) -> None:
        self.numbering = numbering
        self._whereabouts = {remote.label: remote.number for remote in remote_sites}
        users = tuple(users)
        self._extensions = {user.extension: user for user in users}
        self._emergency = Patterns(numbering.emergency)
        self._short = Patterns(numbering.short)
        self._french = numbering.country in FRENCH_PLAN
        self._ddis = {form: user for user in users if user.ddi for form in self._forms(user.ddi)}
        outside, clir, home = numbering.outside_prefix, numbering.clir_prefix, "+" + numbering.country
        international = outside + numbering.international_prefix + numbering.country
        # A code may follow any of these. No rule may eat a digit of one (0 then 112 is 112, and
        # 112 is never 1 then 12), so codes are looked for before any prefix means anything.
        leads = (outside, clir, clir + outside, outside + clir, home, international)
        self._code_leads = tuple(dict.fromkeys(lead for lead in leads if lead))

    # --- outgoing -------------------------------------------------------------------

    def route(self, dialled: str, caller: User | None = None) -> Route:
        """Where a call to `dialled` goes: digits, +E.164, or a sip:, sips: or tel: URI.

        `caller` is the user who dials, None for a test call; its `clir` and the site's
        CLIR prefix withhold the number, except on an emergency call.
        """
        number = self._written(dialled)
        if not number:
            return Unknown(404, "no number was dialled")
        if code := self._code(number, self._emergency, ("+",)):
            return External(code, Kind.EMERGENCY)
        number, prefixed = self._without_clir(number)
        clir = prefixed or (caller is not None and caller.clir)
        if user := self._extensions.get(number):
            return Internal(user)
        if code := self._code(number, self._short):
            return External(code, Kind.SHORT, clir)
        if number.startswith("+"):
            return self._international(number[1:], clir)
        outside = self.numbering.outside_prefix
        if not number.startswith(outside):
            return self._unknown(number)
        return self._public(number[len(outside) :], clir)

    def as_sent(self, number: str, numbers_format: Literal["canonical", "national"]) -> str:
        """A canonical number in a gateway's own format (tab General); codes stay as they are."""
        if numbers_format == "canonical" or not number.startswith("+"):
            return number
        if national := self._national_form(number):
            return national
        return self.numbering.international_prefix + number[1:]

    def caller(self, user: User, clir: bool = False, *, emergency: bool = False) -> Caller:
        """What `user` shows on the trunk; pass the route's `clir`, which is off on emergency calls.

        On an emergency call from a remote site that is the site's number, where it has
        one: rescue is sent to the address that the carrier knows for it.
        """
        number = self._whereabouts.get(user.site, "") if emergency else ""
        if not number and self.numbering.caller_number == "ddi":
            number = user.ddi
        number = number or self.numbering.installation_number
        return Caller("", number, "id", "") if clir else Caller(number, number, "", user.name)

    # --- incoming -------------------------------------------------------------------

    def inbound(self, number: str) -> User | None:
        """Whose DDI was called: with or without +, behind 00, or in national form; None if nobody's."""
        return self._ddis.get(self._written(number))

    def shown(self, number: str) -> str:
        """A caller's number as phones show it and can dial it back: +E.164 where it is a public number.

        Anonymous callers and what is no number at all give "".
        """
        digits = self._written(number)
        plan = self.numbering
        if digits.startswith("+"):
            return digits if _is_digits(digits[1:]) else ""
        if not _is_digits(digits):
            return ""
        if digits.startswith(plan.international_prefix) and len(digits) > len(plan.international_prefix) + 5:
            return "+" + digits[len(plan.international_prefix) :]
        national = digits.removeprefix(plan.national_prefix)
        if len(national) == plan.national_length:
            return "+" + self._e164(national)
        return "+" + digits if len(digits) > plan.national_length else digits

    # --- within ---------------------------------------------------------------------

    def _written(self, text: str) -> str:
        """The digits in what a phone sent: out of its URI, without visual separators; "" if none."""
        if ":" in text:
            try:
                uri = Uri.parse(text)
                text = unescape(uri.user.partition(";")[0])
            except ParseError:
                return ""
            context = uri.param("phone-context") if uri.scheme == "tel" else None
            if context and context.startswith("+") and context[1:] != self.numbering.country:
                text = context + text  # RFC 3966 §5.1.5: a number of that other country
        return text.translate(_SEPARATORS)

    def _code(self, number: str, codes: Patterns, more: tuple[str, ...] = ()) -> str:
        """The bare code that `number` stands for, with whatever came before it; "" if it is none."""
        return next((bare for bare in self._bare(number, more) if codes.match(bare)), "")

    def _bare(self, number: str, more: tuple[str, ...]) -> Iterator[str]:
        yield number
        for lead in self._code_leads + more:
            if number.startswith(lead):
                yield number[len(lead) :]

    def _without_clir(self, number: str) -> tuple[str, bool]:
        """The number without the CLIR prefix, which may stand before or after the outside prefix."""
        prefix = self.numbering.clir_prefix
        for before in ("", self.numbering.outside_prefix):
            if prefix and number.startswith(before + prefix):
                return before + number[len(before + prefix) :], True
        return number, False

    def _public(self, rest: str, clir: bool) -> Route:
        """A number of the public plan, the outside prefix taken off."""
        plan = self.numbering
        if not rest or self._short.begun(rest) or self._emergency.begun(rest):
            return Unknown(484, "only the beginning of a number")
        if not _is_digits(rest):
            return Unknown(404, "not a telephone number")
        if rest.startswith(plan.international_prefix):
            return self._international(rest[len(plan.international_prefix) :], clir)
        if rest.startswith(plan.national_prefix):
            return self._national(rest[len(plan.national_prefix) :], clir)
        if plan.outside_prefix == plan.national_prefix and len(rest) == plan.national_length:
            # The whole national number without the outside prefix (0199000001 where both are 0):
            # what follows the first 0 can be nothing else.
            return self._national(rest, clir)
        return Unknown(
            404, f"no public number begins with {rest[:2]} (national ones: {plan.national_prefix})"
        )

    def _national(self, number: str, clir: bool) -> Route:
        """A national significant number of this site's plan."""
        missing = self.numbering.national_length - len(number)
        if missing:
            status, what = (484, f"{missing} digits missing") if missing > 0 else (404, "too long")
            return Unknown(status, f"{what} in a national number")
        digits = self._e164(number)
        own = digits.startswith(self.numbering.country)
        return self._reached("+" + digits, Kind.NATIONAL if own else Kind.OVERSEAS, clir)

    def _international(self, digits: str, clir: bool) -> Route:
        """A number with its country code: E.164 without the +."""
        plan = self.numbering
        if not _is_digits(digits):
            return (
                Unknown(484, "only the beginning of a number")
                if not digits
                else Unknown(404, "no E.164 number")
            )
        if digits.startswith(plan.country):
            national = digits[len(plan.country) :]
            if len(national) == plan.national_length + len(plan.national_prefix):
                national = national.removeprefix(plan.national_prefix)  # +33 (0)1 99 00 00 01
            return self._national(national, clir)
        if len(digits) not in E164_DIGITS:
            short = len(digits) < E164_DIGITS.start
            return Unknown(484 if short else 404, f"{len(digits)} digits are no E.164 number")
        if self._french and digits.startswith(("33", *_OVERSEAS_CODES)):
            return self._reached("+" + digits, Kind.OVERSEAS, clir)
        if not plan.international_allowed:
            return Barred(403, "international numbers are barred on this site")
        if ("+" + digits).startswith(plan.international_barred):
            return Barred(403, "numbers that begin like this one are barred on this site")
        return self._reached("+" + digits, Kind.INTERNATIONAL, clir)

    def _reached(self, number: str, kind: Kind, clir: bool) -> Route:
        user = self._ddis.get(number)
        return External(number, kind, clir) if user is None else Internal(user)

    def _unknown(self, number: str) -> Unknown:
        begun = (
            not number
            or self._emergency.begun(number)
            or self._short.begun(number)
            or any(extension.startswith(number) for extension in self._extensions)
        )
        return Unknown(484, "only the beginning of a number") if begun else Unknown(404, "no such extension")

    def _e164(self, national: str) -> str:
        """A national significant number as E.164 without the +."""
        if self._french:
            overseas = "" if national[:5] in _METROPOLITAN else OVERSEAS.get(national[:3])
            return overseas + national[3:] if overseas else "33" + national
        return self.numbering.country + national

    def _national_form(self, number: str) -> str:
        """A canonical number as dialled inside its country; "" if it is abroad."""
        national = number[1 + len(self.numbering.country) :]
        if (
            number.startswith("+" + self.numbering.country)
            and len(national) == self.numbering.national_length
        ):
            return self.numbering.national_prefix + national
        return ""

    def _forms(self, ddi: str) -> tuple[str, ...]:
        """Every spelling a carrier may use for one DDI."""
        forms = (ddi, ddi[1:], self.numbering.international_prefix + ddi[1:], self._national_form(ddi))
        return tuple(form for form in forms if form)


def _fits(pattern: str, number: str) -> bool:
    return all(
        digit in "0123456789" if wanted == "X" else digit == wanted
        for wanted, digit in zip(pattern, number, strict=True)
    )


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
