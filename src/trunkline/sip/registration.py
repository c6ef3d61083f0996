"""Keeping an account registered at its registrar (RFC 3261 §10.2): a phone's, or a trunk gateway's.

A static trunk has none of this: the carrier knows the IPBX by its address. The
REGISTER itself is sent by whoever owns the endpoint; here is when, with what, and what
the answer means.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from trunkline.finding import ParseError
from trunkline.sip.auth import Session
from trunkline.sip.flow import Ids
from trunkline.sip.locate import Target
from trunkline.sip.message import Request, Response
from trunkline.sip.uri import escape_user, format_host
from trunkline.sip.values import Address, Challenge, Credentials, RetryAfter

REFRESH = 0.8  # of the granted time
BACK_OFF = 30.0  # seconds, doubled with each failure in a row (RFC 5626 §4.5)
BACK_OFF_MOST = 1800.0
EXPIRES_MOST = 86400  # a registrar that wants more than a day is not followed
CHALLENGES_MOST = 4  # in one attempt


class State(StrEnum):
    IDLE = "idle"
    TRYING = "trying"
    REGISTERED = "registered"
    REFRESHING = "refreshing"
    WAITING = "waiting"
    LEAVING = "leaving"
    OVER = "over"


class Event(StrEnum):
    DUE = "due"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    STOP = "stop"


NEXT: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.DUE): State.TRYING,
    (State.IDLE, Event.STOP): State.OVER,
    (State.TRYING, Event.ACCEPTED): State.REGISTERED,
    (State.TRYING, Event.REFUSED): State.WAITING,
    (State.TRYING, Event.STOP): State.LEAVING,
    (State.REGISTERED, Event.DUE): State.REFRESHING,
    (State.REGISTERED, Event.STOP): State.LEAVING,
    (State.REFRESHING, Event.ACCEPTED): State.REGISTERED,
    (State.REFRESHING, Event.REFUSED): State.WAITING,
    (State.REFRESHING, Event.STOP): State.LEAVING,
    (State.WAITING, Event.DUE): State.TRYING,
    (State.WAITING, Event.STOP): State.LEAVING,
    (State.LEAVING, Event.ACCEPTED): State.OVER,
    (State.LEAVING, Event.REFUSED): State.OVER,
}


class Account(NamedTuple):
    """One account at one registrar; `key` is its owner's name for it, `expires` in seconds."""

    key: int
    domain: str
    user: str
    password: str
    expires: int = 3600


class SendRegister(NamedTuple):
    """Send this REGISTER for that account, with the sender's Contact.

    `headers` holds Expires and, after a challenge, the credentials. From and To are
    `aor`; Call-ID stays, CSeq grows (§10.2).
    """

    account: int
    uri: str
    aor: str
    call_id: str
    cseq: int
    headers: tuple[tuple[str, str], ...]
    target: Target | None = None  # filled in by who knows where the registrar is


class RegistrationChanged(NamedTuple):
    """The registrar knows this account now, or no more."""

    account: int
    registered: bool
    why: str


class Registration:
    """One account at one registrar. `why` says in words how it stands."""

    NEXT: ClassVar = NEXT
    __slots__ = (
        "_aor", "_bound_until", "_call_id", "_challenges", "_cseq", "_due_at", "_expires", "_failures",
        "_ids", "_index", "_open", "_session", "_uri", "state", "why",
    )  # fmt: skip

    def __init__(self, account: Account, ids: Ids, now: float) -> None:
        domain = format_host(account.domain)
        self._index = account.key
        self._uri = f"sip:{domain}"
        self._aor = f"sip:{escape_user(account.user)}@{domain}"
        self._session = Session(account.user, account.password)
        self._ids = ids
        self._call_id = ids.token()
        self._cseq = 0
        self._open = False  # the REGISTER of this CSeq is not answered yet
        self._expires = account.expires
        self._challenges = 0
        self._failures = 0
        self._due_at: float | None = now
        self._bound_until: float | None = None
        self.state = State.IDLE
        self.why = "not registered yet"

    @property
    def registered(self) -> bool:
        """Whether the registrar has us, also while a refresh is under way; up to the last `expire`."""
        return self._bound_until is not None

    @property
    def account(self) -> tuple[str, str]:
        """Registrar and address of record."""
        return self._uri, self._aor

    def answered(self, response: Response, request: Request, now: float) -> list[Any]:
        """A final response to `request`, the REGISTER that was sent; a late one changes nothing."""
        if not self._closes(request):
            return []
        status = response.status
        try:
            if 200 <= status < 300:
                return self._accepted(response, request, now)
            if status in (401, 407):
                return self._challenged(response, request, now)
            if status == 423 and self.state is not State.LEAVING:
                least = response.value("Min-Expires")
                if isinstance(least, int) and self._expires < least <= EXPIRES_MOST:
                    self._expires = least
                    return [self._send()]
            after = response.value("Retry-After")
        except ParseError as error:
            return self._refused(f"{status} to REGISTER with a wrong {error.where}", now)
        wait = after.seconds if isinstance(after, RetryAfter) else 0
        return self._refused(f"{status} {response.reason} to REGISTER", now, min(wait, BACK_OFF_MOST))

    def failed(self, request: Request, why: str, now: float) -> list[Any]:
        """`request`, the REGISTER that was sent, was not answered or could not be sent."""
        return self._refused(why, now) if self._closes(request) else []

    def stop(self, now: float) -> list[Any]:
        """Remove the binding (expires 0); the registration is over once that is answered."""
        if self.state in (State.LEAVING, State.OVER):
            return []
        self.state = self.NEXT[self.state, Event.STOP]
        self._due_at, self._expires, self._challenges = None, 0, 0
        if self.state is State.OVER:
            return []
        return [self._send(self._authorization()), *self._unbound("leaving")]

    def deadline(self) -> float | None:
        return min((time for time in (self._due_at, self._bound_until) if time is not None), default=None)

    def expire(self, now: float) -> list[Any]:
        out: list[Any] = []
        if self._bound_until is not None and now >= self._bound_until:
            out += self._unbound(f"lapsed: {self.why}")
        if self._due_at is not None and now >= self._due_at:
            self.state = self.NEXT[self.state, Event.DUE]
            self._due_at, self._challenges = None, 0
            out.append(self._send(self._authorization()))
        return out

    # --- within -----------------------------------------------------------------------

    def _send(self, credentials: tuple[tuple[str, str], ...] = ()) -> SendRegister:
        self._cseq += 1
        self._open = True
        headers = (("Expires", str(self._expires)), *credentials)
        return SendRegister(self._index, self._uri, self._aor, self._call_id, self._cseq, headers)

    def _closes(self, request: Request) -> bool:
        """Whether this is the REGISTER that is out, which then is out no more."""
        if not self._open or request.call_id != self._call_id or request.cseq.number != self._cseq:
            return False
        self._open = False
        return True

    def _authorization(self) -> tuple[tuple[str, str], ...]:
        """Credentials under the last challenge, so that a refresh need not be asked for them."""
        credentials = self._session.next("REGISTER", self._uri, self._ids)
        return (("Authorization", str(credentials)),) if credentials else ()

    def _challenged(self, response: Response, request: Request, now: float) -> list[Any]:
        asks, says = (
            ("WWW-Authenticate", "Authorization")
            if response.status == 401
            else ("Proxy-Authenticate", "Proxy-Authorization")
        )
        self._challenges += 1
        challenges = [value for value in response.values(asks) if isinstance(value, Challenge)]
        carried = request.value(says)
        refused = carried if isinstance(carried, Credentials) else None
        credentials = self._session.answer(challenges, "REGISTER", self._uri, self._ids, refused)
        if credentials is None or self._challenges > CHALLENGES_MOST:
            return self._refused(f"{response.status}: the registrar does not take user and password", now)
        return [self._send(((says, str(credentials)),))]

    def _accepted(self, response: Response, request: Request, now: float) -> list[Any]:
        granted = self._granted(response, request)
        if self.state is not State.LEAVING and granted <= 0:
            return self._refused("the registrar's 200 does not list our Contact", now)
        self.state = self.NEXT[self.state, Event.ACCEPTED]
        self._failures = 0
        if self.state is State.OVER:
            return []
        known, self.why = self.registered, f"registered for {granted} s"
        self._bound_until, self._due_at = now + granted, now + granted * REFRESH
        return [] if known else [RegistrationChanged(self._index, True, self.why)]

    def _granted(self, response: Response, request: Request) -> int:
        """For how many seconds our Contact is bound (§10.2.4): its own parameter, Expires, what we asked."""
        expires = response.value("Expires")
        otherwise = expires if isinstance(expires, int) else self._expires
        ours = request.value("Contact")
        listed = [value for value in response.values("Contact") if isinstance(value, Address)]
        if not listed or not isinstance(ours, Address):
            return otherwise
        for contact in listed:
            if contact.uri.same(ours.uri):
                own = contact.param("expires") or ""
                return int(own) if own.isascii() and own.isdigit() and len(own) < 10 else otherwise
        return 0

    def _refused(self, why: str, now: float, retry_after: float = 0.0) -> list[Any]:
        self.state = self.NEXT[self.state, Event.REFUSED]
        self.why = why
        if self.state is State.OVER:
            return []
        wait = min(BACK_OFF * 2 ** min(self._failures, 6), BACK_OFF_MOST)
        wait *= 0.5 + self._ids.number(501) / 1000  # RFC 5626 §4.5: 50 to 100 %, so that sites spread
        self._failures += 1
        self._due_at = now + max(wait, retry_after)
        return []

    def _unbound(self, why: str) -> list[RegistrationChanged]:
        """The registrar has us no more."""
        known, self.why, self._bound_until = self.registered, why, None
        return [RegistrationChanged(self._index, False, why)] if known else []
