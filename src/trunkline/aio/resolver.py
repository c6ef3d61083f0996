"""Asks the DNS: each question once while its answer lives, and the last good answer when no server speaks.

Answers keep their TTL. The servers of the site file are asked in order, each for a
bounded time; what they say is cached in bounded memory until its TTL is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import NamedTuple

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rdtypes.IN.NAPTR
import dns.rdtypes.IN.SRV

from trunkline.aio import clock
from trunkline.sip.locate import Answers, Naptr, Question, Srv

_TTL_MOST = 86400.0  # seconds; a longer TTL is not believed
_TTL_STALE = 30.0  # seconds the last good answer is used before the DNS is asked again (RFC 8767 §5)
_TTL_NONE = 60.0  # seconds the absence of a name is believed at most (RFC 2308 §5 lets each side bound it)
_AT_ONCE = 256  # questions under way; more would be a flood of our own


class _Kept(NamedTuple):
    """An answer and the monotonic instant at which its TTL is over."""

    answers: Answers
    until: float


class Resolver:
    """Asks `servers` in order, `tries` rounds of `timeout` seconds each.

    A server is an IP literal, asked at `port`, or one with a port of its own
    ("192.0.2.53:5353", "[2001:db8::53]:5353"); anything else is a ValueError.
    Truncated answers are asked again over TCP. `entries` bounds the cache. A question
    that is under way is not asked twice.
    """

    def __init__(
        self,
        servers: Sequence[str],
        *,
        port: int = 53,
        timeout: float = 2.0,
        tries: int = 2,
        entries: int = 1024,
        source: str | None = None,
    ) -> None:
        self._servers, self._source = tuple(_place(server, port) for server in servers), source
        self.timeout, self.tries, self._entries = timeout, tries, entries
        self._kept: dict[Question, _Kept] = {}
        self._asking: dict[Question, list[Callable[[Answers], None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, question: Question, tell: Callable[[Answers], None]) -> None:
        """Tell the answers to `question`, at once when they are known, else once they came or failed.

        `Answers.ttl` is what is left of it. When every server is silent or fails, the last
        good answer comes with `error` set and a TTL of 30 s; without one, no records do.
        """
        known = self._kept.get(question)
        left = known.until - clock.now() if known is not None else 0.0
        if known is not None and left > 0:
            tell(known.answers._replace(ttl=left))
        elif question in self._asking:
            self._asking[question].append(tell)
        elif len(self._asking) >= _AT_ONCE:
            tell(Answers(question, (), 0.0, "too many DNS questions under way"))
        else:
            self._asking[question] = [tell]
            task = asyncio.get_running_loop().create_task(self._look_up(question))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def answers(self, question: Question) -> Answers:
        """The same answers, waited for."""
        told: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self.ask(question, lambda answers: None if told.done() else told.set_result(answers))
        return await told

    def close(self) -> None:
        """Give up what is under way; nobody is told any more."""
        for task in self._tasks:
            task.cancel()
        self._asking.clear()

    async def _look_up(self, question: Question) -> None:
        answers, now = await self._ask_servers(question), clock.now()
        if not answers.error:
            self._keep(question, answers, now)
        elif (old := self._kept.get(question)) is not None and old.answers.records:
            answers = old.answers._replace(ttl=_TTL_STALE, error=answers.error)
            self._kept[question] = _Kept(answers, now + _TTL_STALE)
        for tell in self._asking.pop(question, ()):
            tell(answers)

    def _keep(self, question: Question, answers: Answers, now: float) -> None:
        if question not in self._kept and len(self._kept) >= self._entries:
            del self._kept[next(iter(self._kept))]
        self._kept[question] = _Kept(answers, now + answers.ttl)

    async def _ask_servers(self, question: Question) -> Answers:
        error = "no DNS server"
        try:
            query = dns.message.make_query(question.name.rstrip(".") + ".", question.kind)
        except (dns.exception.DNSException, UnicodeError) as wrong:
            return Answers(question, (), 0.0, f"{question.name!r} is no domain name: {wrong}")
        for _ in range(self.tries):
            for server, port in self._servers:
                try:
                    reply, _over_tcp = await dns.asyncquery.udp_with_fallback(
                        query,
                        server,
                        timeout=self.timeout,
                        port=port,
                        source=self._source,
                        ignore_unexpected=True,  # a stranger's datagram does not spoil the question
                        ignore_errors=True,
                    )
                    return _read(question, reply)
                except dns.exception.Timeout:
                    error = f"{server} did not answer in {self.timeout:g} s"
                except (OSError, EOFError, ValueError, dns.exception.DNSException) as wrong:
                    error = f"{server}: {wrong or type(wrong).__name__}"
        return Answers(question, (), 0.0, error)


def _place(server: str, port: int) -> tuple[str, int]:
    """Where a server is, of a literal with or without a port."""
    host, colon, own = server.rpartition(":")
    if colon and (host.startswith("[") or ":" not in host):
        server, port = host.removeprefix("[").removesuffix("]"), int(own)
    ip_address(server)
    return server, port


def _read(question: Question, reply: dns.message.Message) -> Answers:
    """What a reply says. Raises ValueError or DNSException for one that is no answer (SERVFAIL, say)."""
    if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise ValueError(dns.rcode.to_text(reply.rcode()))
    if not isinstance(reply, dns.message.QueryMessage):
        raise ValueError("the reply is no answer to a query")
    chain = reply.resolve_chaining()
    if chain.answer is None:
        return Answers(question, (), min(float(chain.minimum_ttl), _TTL_NONE))
    records: list[str | Srv | Naptr] = []
    for record in chain.answer:
        if isinstance(record, dns.rdtypes.IN.SRV.SRV):
            target = record.target.to_text(omit_final_dot=True)
            records.append(Srv(record.priority, record.weight, record.port, target))
        elif isinstance(record, dns.rdtypes.IN.NAPTR.NAPTR):
            words = (record.flags.decode("latin-1"), record.service.decode("latin-1"))
            records.append(
                Naptr(
                    record.order, record.preference, *words, record.replacement.to_text(omit_final_dot=True)
                )
            )
        else:
            records.append(record.to_text())
    return Answers(question, tuple(records), min(float(chain.minimum_ttl), _TTL_MOST))
