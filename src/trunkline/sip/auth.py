"""Digest authentication, both sides: RFC 7616 with SIP's algorithms of RFC 8760, qop "auth" only.

A server's nonce carries its own age and a MAC, so that challenges cost no memory and a
flood of them pushes nobody out. Memory goes to nonces that were answered correctly
(their counts, against replay), and it is bounded: when an old one is dropped, every
nonce made before it becomes stale instead of fresh. `-sess` and "auth-int" are neither
offered nor accepted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from trunkline.sip.values import Challenge, Credentials

if TYPE_CHECKING:
    from trunkline.sip.flow import Ids

_HASHES: dict[str, Callable[[bytes], hashlib._Hash]] = {
    "SHA-256": hashlib.sha256,
    "MD5": partial(hashlib.md5, usedforsecurity=False),  # offered for the phones that know no other
}
ALGORITHMS = tuple(_HASHES)  # strongest first (RFC 8760 §2.3)
_WINDOW = 64  # nonce counts that may arrive out of order, as over UDP they do
_NONCE_TEXT = 120  # longest nonce text that is looked at


class Result(StrEnum):
    """What to make of a request's credentials; each but OK is answered with a challenge, or with 403."""

    OK = "ok"
    STALE = "stale"  # right password, but the nonce is used up or too old: challenge with stale=true
    BAD = "bad"  # wrong password, or credentials that cannot be checked
    UNKNOWN_USER = "unknown user"


class Verdict(NamedTuple):
    """The result and the user that was claimed ("" where none could be read)."""

    result: Result
    username: str

    @property
    def ok(self) -> bool:
        """True if the user is who they say."""
        return self.result is Result.OK


def digest(
    algorithm: str,
    username: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    cnonce: str = "",
    nc: str = "",
) -> str:
    """The response of RFC 7616 §3.4.1 with qop=auth; without `nc` that of RFC 2069 §2.1.2.

    `algorithm` is one of ALGORITHMS; `nc` is the eight hex digits.
    """
    make = _HASHES[algorithm]

    def h(text: str) -> str:
        return make(text.encode("utf-8", "surrogateescape")).hexdigest()

    middle = f"{nonce}:{nc}:{cnonce}:auth" if nc else nonce
    return h(f"{h(f'{username}:{realm}:{password}')}:{middle}:{h(f'{method}:{uri}')}")


class _Uses:
    """Which counts of one nonce were seen: the highest, and a bit for each of the 64 up to it."""

    __slots__ = ("born", "highest", "seen")

    def __init__(self, born: float) -> None:
        self.born = born
        self.highest = 0
        self.seen = 0

    def take(self, count: int) -> bool:
        """Note a count; False if it was seen before, or is too old to tell."""
        ahead = count - self.highest
        if ahead > 0:
            self.highest = count
            self.seen = (self.seen << ahead | 1) & ((1 << _WINDOW) - 1) if ahead < _WINDOW else 1
            return True
        bit = 1 << -ahead if -ahead < _WINDOW else 0
        if not bit or self.seen & bit:
            return False
        self.seen |= bit
        return True


class Digest:
    """The server side for one realm.

    `algorithms` are those offered, best first, of ALGORITHMS; `nonce_lifetime` is in
    seconds; `legacy` accepts clients that know no qop (RFC 2069), each nonce once;
    `nonces_max` bounds the nonces whose counts are kept.
    """

    __slots__ = (
        "_decoy",
        "_forgotten",
        "_ids",
        "_key",
        "_uses",
        "algorithms",
        "legacy",
        "lifetime",
        "nonces_max",
        "realm",
    )

    def __init__(
        self,
        realm: str,
        ids: Ids,
        *,
        algorithms: Sequence[str] = ALGORITHMS,
        nonce_lifetime: float = 300.0,
        legacy: bool = False,
        nonces_max: int = 10_000,
    ) -> None:
        unknown = [name for name in algorithms if name not in _HASHES]
        if unknown or not algorithms:
            raise ValueError(
                f"digest algorithms: expected some of {', '.join(ALGORITHMS)}; got {list(algorithms)}"
            )
        self.realm = realm
        self.algorithms = tuple(algorithms)
        self.lifetime = nonce_lifetime
        self.legacy = legacy
        self.nonces_max = nonces_max
        self._ids = ids
        self._key = (ids.token() + ids.token() + ids.token() + ids.token()).encode()
        self._decoy = ids.token()
        self._uses: dict[str, _Uses] = {}
        self._forgotten = -1.0  # nonces born up to then whose counts are not kept are stale

    def challenge(self, now: float, stale: bool = False) -> tuple[str, ...]:
        """WWW-Authenticate (or Proxy-Authenticate) values, each for a header line of its own, best first."""
        nonce = self._nonce(now)
        tail = (("stale", "true", False),) if stale else ()
        return tuple(
            str(
                Challenge(
                    "Digest",
                    (
                        ("realm", self.realm, True),
                        ("nonce", nonce, True),
                        ("algorithm", algorithm, False),
                        ("qop", "auth", True),
                        *tail,
                    ),
                )
            )
            for algorithm in self.algorithms
        )

    def pick(self, values: Iterable[Credentials]) -> Credentials | None:
        """Of a request's Authorization values the one meant for this realm (RFC 3261 §22.3)."""
        for credentials in values:
            if credentials.scheme.lower() == "digest" and credentials.get("realm") == self.realm:
                return credentials
        return None

    def verify(
        self, method: str, credentials: Credentials, password_of: Callable[[str], str | None], now: float
    ) -> Verdict:
        """Judge the credentials of a request of this method; `password_of` gives a user's password or None.

        The digest-uri is hashed but not compared with the Request-URI, which proxies
        rewrite (RFC 3261 §22.4); the nonce count is what stands against replay.
        """
        get = credentials.get
        username, nonce, response = get("username") or "", get("nonce") or "", get("response") or ""
        algorithm = (get("algorithm") or "MD5").upper()
        qop, cnonce, nc = get("qop"), get("cnonce") or "", get("nc") or ""
        count = _count(nc)
        readable = (
            credentials.scheme.lower() == "digest"
            and username
            and get("realm") == self.realm
            and algorithm in self.algorithms
            and (qop.lower() == "auth" and cnonce and count if qop is not None else self.legacy)
        )
        if not readable:
            return Verdict(Result.BAD, username)
        known = password_of(username)
        password = (
            self._decoy if known is None else known
        )  # an unknown user takes as long as a wrong password
        wanted = digest(
            algorithm,
            username,
            self.realm,
            password,
            method,
            get("uri") or "",
            nonce,
            cnonce,
            nc if qop is not None else "",
        )
        right = hmac.compare_digest(wanted.encode(), response.lower().encode("utf-8", "surrogateescape"))
        if known is None:
            return Verdict(Result.UNKNOWN_USER, username)
        if not right:
            return Verdict(Result.BAD, username)
        fresh = self._take(nonce, count if qop is not None else 0, now)
        return Verdict(Result.OK if fresh else Result.STALE, username)

    @property
    def kept(self) -> int:
        """How many nonces' counts are kept, at most `nonces_max`."""
        return len(self._uses)

    def _nonce(self, now: float) -> str:
        head = f"{int(now * 1000):x}.{self._ids.token()}"
        return f"{head}.{self._mac(head)}"

    def _mac(self, head: str) -> str:
        return hmac.digest(self._key, head.encode("utf-8", "surrogateescape"), "sha256").hex()[:32]

    def _born(self, nonce: str) -> float | None:
        """When we made this nonce, in seconds; None if we did not."""
        head, _, mac = nonce.rpartition(".")
        if len(nonce) > _NONCE_TEXT or not hmac.compare_digest(
            mac.encode("utf-8", "surrogateescape"), self._mac(head).encode()
        ):
            return None
        return int(head.partition(".")[0], 16) / 1000

    def _take(self, nonce: str, count: int, now: float) -> bool:
        """Use a nonce up by one count, or wholly by count 0; False if it is too old, replayed or not ours."""
        born = self._born(nonce)
        if born is None or now - born > self.lifetime:
            return False
        uses = self._uses.get(nonce)
        if uses is None:
            if born <= self._forgotten:
                return False
            self._make_room(now)
            uses = self._uses[nonce] = _Uses(born)
            if not count:
                uses.take(_LAST)
                return True
        return bool(count) and uses.take(count)

    def _make_room(self, now: float) -> None:
        if len(self._uses) < self.nonces_max:
            return
        self._uses = {nonce: uses for nonce, uses in self._uses.items() if now - uses.born <= self.lifetime}
        if len(self._uses) < self.nonces_max:
            return
        oldest = sorted(self._uses.items(), key=lambda item: item[1].born)[: max(1, self.nonces_max // 10)]
        for nonce, uses in oldest:
            del self._uses[nonce]
            self._forgotten = max(self._forgotten, uses.born)


_STALE_MOST = 2
_LAST = 0xFFFFFFFF  # the highest count there is: after it, and a window of others, a nonce is used up


def _count(nc: str) -> int:
    """The nonce count of eight hex digits (RFC 7616 §3.4), 0 if it is none."""
    if len(nc) != 8 or nc.strip("0123456789abcdefABCDEF"):
        return 0
    return int(nc, 16)


@dataclass(slots=True)
class Session:
    """The client side for one account toward one realm: the last challenge, and how often its nonce was used.

    `accept` are the algorithms taken; of those the server's order decides (RFC 8760 §2.4).
    """

    username: str
    password: str = field(repr=False)
    accept: tuple[str, ...] = ALGORITHMS
    challenge: Challenge | None = None
    count: int = 0
    stale: int = 0  # fresh nonces in a row that came back as stale

    def answer(
        self,
        challenges: Iterable[Challenge],
        method: str,
        uri: str,
        ids: Ids,
        refused: Credentials | None = None,
    ) -> Credentials | None:
        """Credentials for the request that was challenged (401 or 407), to be sent again with a higher CSeq.

        None when no challenge can be met, or when `refused`, the credentials the request
        had carried, answered a fresh nonce and were rejected: they are wrong (RFC 3261
        §22.1). A nonce that had worked before may have been forgotten by the server, so
        then one more try is made; a server that calls each fresh nonce stale gets three.
        """
        self.challenge = None
        chosen = next((c for c in challenges if self._meets(c)), None)
        if chosen is None:
            return None
        if refused is None or _count(refused.get("nc") or "") > 1:
            self.stale = 0
        elif (chosen.get("stale") or "").lower() == "true" and self.stale < _STALE_MOST:
            self.stale += 1
        else:
            return None
        self.challenge, self.count = chosen, 0
        return self.next(method, uri, ids)

    def next(self, method: str, uri: str, ids: Ids) -> Credentials | None:
        """Credentials for another request under the last challenge, before being asked; None without one."""
        if self.challenge is None:
            return None
        self.count += 1
        return authorize(self.challenge, method, uri, self.username, self.password, ids.token(), self.count)

    def _meets(self, challenge: Challenge) -> bool:
        if (
            challenge.scheme.lower() != "digest"
            or challenge.get("realm") is None
            or not challenge.get("nonce")
        ):
            return False
        qop = challenge.get("qop")
        return _algorithm(challenge) in self.accept and (qop is None or "auth" in _words(qop))


def authorize(
    challenge: Challenge, method: str, uri: str, username: str, password: str, cnonce: str, count: int
) -> Credentials:
    """The credentials that meet one challenge (RFC 7616 §3.4); without a qop in it, as RFC 2069 had them.

    `count` is how often this nonce was used, this time included (1 to 2^32-1). The
    algorithm must be one of ALGORITHMS.
    """
    algorithm = _algorithm(challenge)
    realm, nonce = challenge.get("realm") or "", challenge.get("nonce") or ""
    nc = "" if challenge.get("qop") is None else f"{count:08x}"
    response = digest(algorithm, username, realm, password, method, uri, nonce, cnonce, nc)
    params = [
        ("username", username, True),
        ("realm", realm, True),
        ("nonce", nonce, True),
        ("uri", uri, True),
        ("response", response, True),
        ("algorithm", algorithm, False),
    ]
    opaque = challenge.get("opaque")
    if opaque is not None:
        params.append(("opaque", opaque, True))
    if nc:
        params += [("cnonce", cnonce, True), ("qop", "auth", False), ("nc", nc, False)]
    return Credentials("Digest", tuple(params))


def _algorithm(challenge: Challenge) -> str:
    return (challenge.get("algorithm") or "MD5").upper()


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",")]
