"""Session timers (RFC 4028): who refreshes, how often, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.sip.headers import SessionExpires
from trunkline.sip.message import Request, Response


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """What this side wants of a session: RFC 4028 interval and floor in seconds, and 100rel.

    `reliable` is "off", "supported" or "required" (RFC 3262).
    """

    timer: bool = True
    expires: int = 1800
    min_se: int = 90
    reliable: str = "supported"

    @property
    def supported(self) -> str:
        """The Supported header while the call is being made."""
        if self.reliable == "off":
            return self.supported_later
        return "100rel, timer" if self.timer else "100rel"

    @property
    def supported_later(self) -> str:
        """The Supported header once it stands: a re-INVITE is answered at once."""
        return "timer" if self.timer else ""


class SessionTimer:
    """Who refreshes, how often, and when to give up (RFC 4028 §7-§10)."""

    __slots__ = ("expires_at", "interval", "min_se", "policy", "refresh_at", "we_refresh")

    def __init__(self, policy: SessionPolicy) -> None:
        self.policy = policy
        self.interval = policy.expires
        self.min_se = policy.min_se
        self.we_refresh = False
        self.refresh_at: float | None = None
        self.expires_at: float | None = None

    def request_headers(self, refresher: str = "") -> list[tuple[str, str]]:
        """What an INVITE or a refresh of ours asks for."""
        if not self.policy.timer:
            return []
        value = f"{self.interval};refresher={refresher}" if refresher else str(self.interval)
        headers = [("Session-Expires", value)]
        if self.min_se > 90:  # §5: an absent Min-SE means 90
            headers.append(("Min-SE", str(self.min_se)))
        return headers

    def too_small(self, response: Response) -> bool:
        """§7.3: a 422 names a larger minimum; True when it is worth asking again."""
        wanted = response.value("min-se")
        if not isinstance(wanted, int) or (wanted <= self.min_se and wanted <= self.interval):
            return False
        self.min_se = max(self.min_se, wanted)
        self.interval = max(self.interval, wanted)
        return True

    def refuses(self, request: Request) -> bool:
        """§9: the peer's interval is below our floor, and it would understand a 422."""
        asked = request.value("session-expires")
        return (
            self.policy.timer
            and isinstance(asked, SessionExpires)
            and asked.seconds < self.policy.min_se
            and _supports_timer(request)
        )

    def accept(self, request: Request, now: float) -> list[tuple[str, str]]:
        """The UAS side: settle the interval, return the headers of the 2xx (§9, table 2)."""
        if not self.policy.timer:
            return []
        asked = request.value("session-expires")
        supports = _supports_timer(request)
        floor = request.value("min-se")
        interval = self.policy.expires
        refresher: str | None = None
        if isinstance(asked, SessionExpires):
            interval = min(interval, asked.seconds)
            refresher = asked.refresher
        interval = max(interval, self.policy.min_se, floor if isinstance(floor, int) else 0)
        if not supports:
            refresher = "uas"  # a peer that knows no timer cannot refresh
        self._settle(interval, refresher != "uac" and refresher is not None, now)
        headers = [("Session-Expires", f"{interval};refresher={refresher or 'uac'}")]
        if supports and (refresher or "uac") == "uac":
            headers.append(("Require", "timer"))
        return headers

    def accepted(self, response: Response, now: float) -> None:
        """The UAC side: a 2xx fixes interval and refresher, or says there is no timer (§7.2)."""
        agreed = response.value("session-expires")
        if not self.policy.timer or not isinstance(agreed, SessionExpires):
            self.refresh_at = self.expires_at = None
            return
        self._settle(max(agreed.seconds, 90), agreed.refresher != "uas", now)

    def failed(self, now: float) -> None:
        """§10: a refresh was refused, not lost; try again at half of what is left."""
        if self.expires_at is not None:
            self.refresh_at = now + max((self.expires_at - now) / 2, 1.0)
            if self.refresh_at >= self._give_up_at():
                self.refresh_at = None

    def deadline(self) -> float | None:
        if self.expires_at is None:
            return None
        give_up = self._give_up_at()
        return give_up if self.refresh_at is None else min(self.refresh_at, give_up)

    def due(self, now: float) -> str:
        """ "refresh", "expired", or "" when it is not time yet; a refresh is asked for once."""
        if self.expires_at is None:
            return ""
        if now >= self._give_up_at():
            self.expires_at = self.refresh_at = None
            return "expired"
        if self.refresh_at is not None and now >= self.refresh_at:
            self.refresh_at = None
            return "refresh"
        return ""

    def stop(self) -> None:
        self.expires_at = self.refresh_at = None

    def _settle(self, interval: int, we_refresh: bool, now: float) -> None:
        self.interval = interval
        self.we_refresh = we_refresh
        self.expires_at = now + interval
        self.refresh_at = now + interval / 2 if we_refresh else None

    def _give_up_at(self) -> float:
        assert self.expires_at is not None
        # §10: BYE slightly before expiry, min(32 s, a third of the interval).
        return self.expires_at - min(32.0, self.interval / 3)


def _supports_timer(request: Request) -> bool:
    return "timer" in map(str, (*request.values("supported"), *request.values("require")))
