"""Where one gateway is: its name resolved, asked again when the TTL ends, the last good answer kept.

Running calls never move: they know their own peer. New calls and OPTIONS take the
targets as they are now (RFC 3263 §4).
"""

from __future__ import annotations

import math

from trunkline.sip.flow import Ids
from trunkline.sip.locate import Answers, Locator, Question, Target
from trunkline.sip.uri import Uri, format_host
from trunkline.site.gateway import Gateway

TTL_LEAST = 5.0  # seconds: a TTL of 0 must not make every call a question
TTL_MOST = 86400.0
ASK_AGAIN = 30.0  # seconds after the DNS failed
ANSWER_WITHIN = 15.0  # seconds an answer may take before the question counts as failed


def proxy_uri(gateway: Gateway) -> Uri:
    """What RFC 3263 is asked about: the outbound proxy, else the target domain."""
    proxy = gateway.domain_proxy
    uri = Uri.parse("sip:" + format_host(proxy.outbound_proxy or proxy.target_domain))
    return uri if proxy.port is None else uri.replace(port=proxy.port)


class Addresses:
    """The targets of one gateway, best first; () while nothing was ever learned.

    `error` says why the last attempt failed, "" if it did not: with targets it is an
    alarm (old addresses in use), without them the gateway cannot be reached.
    """

    __slots__ = ("_again_at", "_answer_by", "_gateway", "_ids", "_locator", "error", "targets")

    def __init__(self, gateway: Gateway, ids: Ids, now: float) -> None:
        self._gateway = gateway
        self._ids = ids
        self.targets: tuple[Target, ...] = ()
        self.error = ""
        self._locator: Locator | None = None
        self._answer_by: float | None = None
        self._again_at: float | None = now

    @property
    def asking(self) -> bool:
        return self._locator is not None

    def resolved(self, answers: Answers, now: float) -> list[Question]:
        """One answer of the DNS, ours or not; what must be asked next."""
        if self._locator is None or answers.question not in self._locator.ask():
            return []
        before = set(self._locator.ask())
        self._locator.answer(answers)
        return self._look([question for question in self._locator.ask() if question not in before], now)

    def deadline(self) -> float | None:
        return self._answer_by if self._locator is not None else self._again_at

    def expire(self, now: float) -> list[Question]:
        if self._locator is not None:
            if self._answer_by is not None and now >= self._answer_by:
                self._failed("the DNS did not answer", now)
            return []
        if self._again_at is None or now < self._again_at:
            return []
        transport = self._gateway.domain_proxy.transport.upper()
        self._locator = Locator(
            proxy_uri(self._gateway), self._ids, mode=self._gateway.dns.mode, transport=transport
        )
        return self._look(self._locator.ask(), now)

    def _look(self, questions: list[Question], now: float) -> list[Question]:
        """See whether the locator knows now; if not, wait for these questions."""
        assert self._locator is not None
        found = self._locator.targets()
        if found is None:
            self._answer_by = now + ANSWER_WITHIN
            return questions
        if not found:
            self._failed(self._locator.error, now)
            return []
        self.targets, self.error, self._locator = found, "", None
        ttl = min(target.ttl for target in found)
        self._again_at = None if math.isinf(ttl) else now + min(max(ttl, TTL_LEAST), TTL_MOST)
        return []

    def _failed(self, why: str, now: float) -> None:
        self.error, self._locator, self._again_at = why, None, now + ASK_AGAIN
