"""The phones' registrar: who is where, and who may say so (RFC 3261 §10.3, §22).

A user's address of record is the extension, and only the user may bind it. A binding
keeps the flow its REGISTER came on: that, not the Contact, is where a phone behind NAT
or on a TCP connection is reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from trunkline.finding import ParseError
from trunkline.sip.agenda import Agenda
from trunkline.sip.auth import Digest, Result
from trunkline.sip.flow import Flow, Ids
from trunkline.sip.message import Request, Response, respond
from trunkline.sip.uri import Uri, unescape
from trunkline.sip.values import STAR, Address, Credentials
from trunkline.site.model import Phones, User

_HOUR = 3600  # §10.3 step 7: a wish of an hour or more may not be called too brief; also what "soon" means


class Binding(NamedTuple):
    """One phone of a user: its Contact, where it is reached, until when (monotonic seconds)."""

    uri: Uri
    flow: Flow
    expires_at: float
    call_id: str
    cseq: int


class Lapsed(NamedTuple):
    """A binding was not refreshed in time."""

    extension: str
    binding: Binding


class _Aor:
    """The bindings of one extension, oldest first."""

    __slots__ = ("bindings", "extension")

    def __init__(self, extension: str) -> None:
        self.extension = extension
        self.bindings: tuple[Binding, ...] = ()

    def deadline(self) -> float | None:
        return min((binding.expires_at for binding in self.bindings), default=None)


class Registrar:
    """Registrations of one site's phones; `ids` feeds nonces and tags."""

    __slots__ = ("_agenda", "_aors", "_digest", "_ids", "_phones", "_users")

    def __init__(self, phones: Phones, users: Iterable[User], ids: Ids) -> None:
        self._ids = ids
        self._phones = phones
        self._users = {user.extension: user for user in users}
        self._digest = _digest(phones, ids)
        self._aors: dict[str, _Aor] = {}
        self._agenda = Agenda()

    # --- requests -------------------------------------------------------------------------

    def register(self, request: Request, flow: Flow, now: float) -> Response:
        """The answer to a REGISTER that came on `flow`; its bindings are in force when this returns."""
        who = self.authenticate(request, now)
        if isinstance(who, Response):
            return who
        extension = unescape(request.to.uri.user)
        if extension not in self._users:
            return self._answer(request, 404)
        if extension != who.extension:
            return self._answer(request, 403, reason="Only The User May Register")
        try:
            after = self._bound(request, flow, now)
        except ParseError as error:
            if error.status == 423:
                return self._answer(request, 423, [("Min-Expires", str(int(self._phones.expires_min)))])
            return self._answer(request, error.status, reason=_title(error))
        self._keep(extension, after)
        contacts = [("Contact", f"<{b.uri}>;expires={_seconds(b.expires_at - now)}") for b in after]
        return self._answer(request, 200, contacts)

    def authenticate(self, request: Request, now: float) -> User | Response:
        """The user who sent this request, proven by digest, or the 401 or 403 it deserves.

        The number in From must be the user's own: it is what the called party is told.
        """
        said = (value for value in request.values("Authorization") if isinstance(value, Credentials))
        credentials = self._digest.pick(said)
        if credentials is None:
            return self._challenge(request, now, stale=False)
        verdict = self._digest.verify(request.method, credentials, self._password, now)
        if verdict.result is Result.STALE:
            return self._challenge(request, now, stale=True)
        if not verdict.ok:
            return self._answer(request, 403)
        user = self._users[verdict.username]
        if request.method != "REGISTER" and unescape(request.from_.uri.user) != user.extension:
            return self._answer(request, 403, reason="From Is Not The Authenticated User")
        return user

    # --- bindings -------------------------------------------------------------------------

    def contacts(self, extension: str, now: float) -> tuple[Binding, ...]:
        """Where a user's phones are, the latest registered first."""
        aor = self._aors.get(extension)
        if aor is None:
            return ()
        return tuple(binding for binding in reversed(aor.bindings) if binding.expires_at > now)

    def unreachable(self, flow: Flow) -> list[Lapsed]:
        """A phone's TCP connection is gone: it cannot be reached there again."""
        lost: list[Lapsed] = []
        for aor in [aor for aor in self._aors.values() if any(b.flow == flow for b in aor.bindings)]:
            lost += [Lapsed(aor.extension, binding) for binding in aor.bindings if binding.flow == flow]
            self._keep(aor.extension, tuple(b for b in aor.bindings if b.flow != flow))
        return lost

    def deadline(self) -> float | None:
        return self._agenda.deadline()

    def expire(self, now: float) -> list[Lapsed]:
        """Drop the bindings that were not refreshed, and name them."""
        lapsed: list[Lapsed] = []
        for aor in self._agenda.due(now):
            assert isinstance(aor, _Aor)
            lapsed += [Lapsed(aor.extension, b) for b in aor.bindings if b.expires_at <= now]
            self._keep(aor.extension, tuple(b for b in aor.bindings if b.expires_at > now))
        return lapsed

    def reloaded(self, phones: Phones, users: Iterable[User]) -> None:
        """Take a reloaded site file; users that are no more lose their bindings."""
        if (phones.realm, phones.digest, phones.nonce_lifetime) != (
            self._phones.realm,
            self._phones.digest,
            self._phones.nonce_lifetime,
        ):
            self._digest = _digest(phones, self._ids)
        self._phones = phones
        self._users = {user.extension: user for user in users}
        for extension in [extension for extension in self._aors if extension not in self._users]:
            self._keep(extension, ())

    def status(self, now: float) -> list[dict[str, Any]]:
        """For `trunkline status`: one entry a binding."""
        return [
            {
                "extension": extension,
                "contact": str(binding.uri),
                "from": f"{binding.flow.transport} {binding.flow.remote[0]} {binding.flow.remote[1]}",
                "expires": _seconds(binding.expires_at - now),
            }
            for extension in sorted(self._aors)
            for binding in self.contacts(extension, now)
        ]

    # --- within ---------------------------------------------------------------------------

    def _bound(self, request: Request, flow: Flow, now: float) -> tuple[Binding, ...]:
        """The bindings after this REGISTER (§10.3 steps 6-7); ParseError, and no change, if it cannot be."""
        extension = unescape(request.to.uri.user)
        bindings = list(reversed(self.contacts(extension, now)))
        contacts = [value for value in request.values("Contact") if isinstance(value, Address)]
        if STAR in contacts:
            if len(contacts) > 1 or request.value("Expires") != 0:
                raise ParseError("Contact", "*", "expected * alone, with Expires: 0 (RFC 3261 §10.3)")
            for binding in bindings:
                _in_order(binding, request)
            return ()
        if len(contacts) > self._phones.contacts_max:
            most = f"expected at most {self._phones.contacts_max} contacts"
            raise ParseError("Contact", str(len(contacts)), most, status=403)
        for contact in contacts:
            if contact.uri.scheme not in ("sip", "sips"):
                raise ParseError("Contact", str(contact), "expected a sip: or sips: URI (RFC 3261 §10.3)")
            expires = self._expires(contact, request)
            known = next((binding for binding in bindings if binding.uri.same(contact.uri)), None)
            if known is not None:
                _in_order(known, request)
                bindings.remove(known)
            if expires:
                bindings.append(
                    Binding(contact.uri, flow, now + expires, request.call_id, request.cseq.number)
                )
        # A phone that comes back on another port leaves its old binding behind; the oldest give way.
        return tuple(bindings[-self._phones.contacts_max :])

    def _expires(self, contact: Address, request: Request) -> float:
        """For how long this contact is bound: its own wish, Expires, our default, within our bounds."""
        phones = self._phones
        own, header = contact.param("expires"), request.value("Expires")
        if own is not None:
            wish: float = int(own) if own.isascii() and own.isdigit() and len(own) <= 10 else _HOUR  # §20.10
        else:
            wish = header if isinstance(header, int) else phones.expires_default
        if 0 < wish < min(phones.expires_min, _HOUR):
            raise ParseError(
                "Expires", f"{wish:g}", f"expected at least {phones.expires_min:g} s", status=423
            )
        return min(wish, phones.expires_max)

    def _keep(self, extension: str, bindings: tuple[Binding, ...]) -> None:
        aor = self._aors.get(extension)
        if not bindings:
            if aor is not None:
                del self._aors[extension]
                self._agenda.forget(aor)
            return
        if aor is None:
            aor = self._aors[extension] = _Aor(extension)
        aor.bindings = bindings
        self._agenda.settle(aor)

    def _password(self, extension: str) -> str | None:
        user = self._users.get(extension)
        return user.password or None if user is not None else None

    def _challenge(self, request: Request, now: float, *, stale: bool) -> Response:
        values = self._digest.challenge(now, stale)
        return self._answer(request, 401, [("WWW-Authenticate", value) for value in values])

    def _answer(
        self,
        request: Request,
        status: int,
        headers: Iterable[tuple[str, str]] = (),
        reason: str | None = None,
    ) -> Response:
        return respond(request, status, reason, to_tag=self._ids.token(), headers=tuple(headers))


def _digest(phones: Phones, ids: Ids) -> Digest:
    return Digest(phones.realm, ids, algorithms=phones.digest, nonce_lifetime=phones.nonce_lifetime)


def _in_order(binding: Binding, request: Request) -> None:
    """§10.3 step 7: a REGISTER that was overtaken by a later one changes nothing."""
    if binding.call_id == request.call_id and request.cseq.number <= binding.cseq:
        raise ParseError("CSeq", str(request.cseq), f"expected more than {binding.cseq}", status=500)


def _title(error: ParseError) -> str:
    return f"{error.where}: {error.expected}".partition(" (RFC")[0]


def _seconds(left: float) -> int:
    """Whole seconds, rounded to the nearest: what was asked for is what is answered."""
    return max(0, round(left))
