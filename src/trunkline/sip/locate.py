"""Where a request goes: RFC 3263 as questions and answers, weighted as RFC 2782 says.

A `Locator` is asked what it must know (`ask`), told what the DNS said (`answer`) and
gives the targets to try, best first (`targets`). The caller tries the next one after a
503, a timeout or a transport error (RFC 3263 §4.3).
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from trunkline.sip.flow import Ids
    from trunkline.sip.uri import Uri

Kind = Literal["NAPTR", "SRV", "A", "AAAA"]
Mode = Literal["A", "SRV", "none"]

_PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061}  # RFC 3261 §19.1.2
_PREFIXES = {"UDP": "_sip._udp.", "TCP": "_sip._tcp.", "TLS": "_sips._tcp."}  # RFC 3263 §4.1
_SERVICES = {"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}  # RFC 3263 §4.1
_MOST = 32  # targets of one name that are looked up; the rest of a huge answer is not followed


class Question(NamedTuple):
    """What the DNS is asked: a name (no final dot) and a record type."""

    name: str
    kind: Kind


class Srv(NamedTuple):
    """One SRV record (RFC 2782); `target` "." says that the service is not offered here."""

    priority: int
    weight: int
    port: int
    target: str


class Naptr(NamedTuple):
    """One NAPTR record (RFC 3403 §4.1), of which SIP uses flag "s" and the replacement."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Answers(NamedTuple):
    """What the DNS said: records of the type asked for (addresses as text), TTL in seconds.

    No records and no `error` is a name or type that does not exist; `error` says why
    nothing could be learned (no server, SERVFAIL, timeout).
    """

    question: Question
    records: tuple[str | Srv | Naptr, ...]
    ttl: float
    error: str = ""


class Target(NamedTuple):
    """One place to try, and for how long that is known: `ttl` in seconds, infinite for an IP literal.

    `name` is what a certificate must say: the URI's domain, not the SRV target (RFC 5922 §4).
    """

    transport: str
    host_ip: str
    port: int
    name: str
    ttl: float


class _Place(NamedTuple):
    """A host whose addresses are wanted."""

    transport: str
    host: str
    port: int
    ttl: float


@lru_cache(maxsize=1024)
def is_address(host: str) -> bool:
    """True for an IPv4 or IPv6 literal without brackets or scope."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def weighted(records: Iterable[Srv], ids: Ids) -> list[Srv]:
    """The order in which to try SRV records: by priority, drawn by weight inside one (RFC 2782, "Weight")."""
    waiting = sorted(records, key=lambda srv: (srv.priority, srv.weight))  # weight 0 first, as it says there
    order: list[Srv] = []
    while waiting:
        same = [srv for srv in waiting if srv.priority == waiting[0].priority]
        left = ids.number(sum(srv.weight for srv in same) + 1)
        chosen = same[0]
        for chosen in same:
            left -= chosen.weight
            if left <= 0:
                break
        waiting.remove(chosen)
        order.append(chosen)
    return order


class Locator:
    """Finds the targets of one URI.

    `mode` is the gateway's DNS tab: "none" takes IP literals only, "A" asks for the
    host's addresses, "SRV" asks for the service first. `transport` is used where the
    URI names none; where neither does, "SRV" mode asks NAPTR (RFC 3263 §4.1) and the
    others take UDP, or TLS for sips. AAAA is asked only with `ipv6`.
    """

    __slots__ = (
        "_answers",
        "_ids",
        "_kinds",
        "_name",
        "_open",
        "_places",
        "_services",
        "_targets",
        "_ttl",
        "error",
    )

    def __init__(
        self, uri: Uri, ids: Ids, *, mode: Mode = "A", transport: str = "", ipv6: bool = False
    ) -> None:
        self.error = ""
        self._ids = ids
        self._kinds: tuple[Kind, ...] = ("AAAA", "A") if ipv6 else ("A",)  # RFC 6724: IPv6 before IPv4
        self._name = (uri.param("maddr") or uri.host).rstrip(".")  # RFC 3263 §4: maddr is the TARGET
        self._open: set[Question] = set()
        self._answers: dict[Question, Answers] = {}
        self._services: list[tuple[str, Question]] = []
        self._places: list[_Place] = []
        self._targets: tuple[Target, ...] | None = None
        self._ttl = math.inf
        self._start(uri, mode, (uri.param("transport") or transport).upper())

    def _start(self, uri: Uri, mode: Mode, transport: str) -> None:
        if uri.scheme not in ("sip", "sips") or not self._name:
            self._fail(f"{uri.scheme}: URI names no host")
            return
        if uri.scheme == "sips" and transport in ("", "TCP"):
            transport = "TLS" if transport or mode != "SRV" else ""
        if transport not in ("", "UDP", "TCP", "TLS") or (uri.scheme == "sips" and transport == "UDP"):
            self._fail(f"{transport}: transport not offered for {uri.scheme}")
            return
        chosen = transport or ("TLS" if uri.scheme == "sips" else "UDP")
        if is_address(self._name):
            port = uri.port or _PORTS[chosen]
            self._targets = (Target(chosen, self._name, port, self._name, math.inf),)
        elif mode == "none":
            self._fail(f"{self._name}: no IP address, and the DNS mode is none")
        elif uri.port is not None or mode == "A":  # RFC 3263 §4.2: an explicit port asks no SRV
            self._find([_Place(chosen, self._name, uri.port or _PORTS[chosen], math.inf)])
        elif transport:
            self._serve([(transport, Question(_PREFIXES[transport] + self._name, "SRV"))])
        elif uri.scheme == "sips":
            self._services = [("TLS", Question(_PREFIXES["TLS"] + self._name, "SRV"))]
            self._open.add(Question(self._name, "NAPTR"))
        else:
            self._services = [(t, Question(prefix + self._name, "SRV")) for t, prefix in _PREFIXES.items()]
            self._open.add(Question(self._name, "NAPTR"))

    def ask(self) -> list[Question]:
        """The questions that are still open, in a stable order."""
        return sorted(self._open)

    def answer(self, answers: Answers) -> None:
        """One answer of the DNS; one that was not asked for is ignored."""
        if answers.question not in self._open:
            return
        self._open.remove(answers.question)
        self._answers[answers.question] = answers
        if self._open:
            return
        match answers.question.kind:
            case "NAPTR":
                self._chose_service(answers)
            case "SRV":
                self._chose_servers()
            case _:
                self._found()

    def targets(self) -> tuple[Target, ...] | None:
        """Where to try, best first; None while questions are open; () after an `error`."""
        return self._targets

    def _fail(self, why: str) -> None:
        self.error, self._targets = why, ()

    def _serve(self, services: list[tuple[str, Question]]) -> None:
        self._services = services
        self._open.update(question for _, question in services)

    def _chose_service(self, answers: Answers) -> None:
        """RFC 3263 §4.1: the first NAPTR record whose service we speak; without one, ask for all."""
        wanted = {transport for transport, _ in self._services}
        records = [record for record in answers.records if isinstance(record, Naptr)]
        for record in sorted(records, key=lambda naptr: (naptr.order, naptr.preference)):
            transport = _SERVICES.get(record.service.upper(), "")
            service = record.replacement.rstrip(".")
            if transport in wanted and service and record.flags.lower() == "s":
                self._ttl = answers.ttl
                self._serve([(transport, Question(service, "SRV"))])
                return
        self._serve(self._services)

    def _chose_servers(self) -> None:
        """RFC 3263 §4.2: the servers of the first service that has any; without one, the host itself."""
        for transport, question in self._services:
            said = self._answers[question]
            records = [record for record in said.records if isinstance(record, Srv)]
            servers = [record for record in records if record.target.rstrip(".")]
            if servers:
                ttl = min(self._ttl, said.ttl)
                order = weighted(servers, self._ids)[:_MOST]
                self._find([_Place(transport, srv.target.rstrip("."), srv.port, ttl) for srv in order])
                return
            if records and len(self._services) == 1:  # RFC 2782: target "." is a decided no
                self._fail(f"{question.name}: the service is not offered (SRV target is .)")
                return
        transport = self._services[0][0]
        self._find([_Place(transport, self._name, _PORTS[transport], math.inf)])

    def _find(self, places: list[_Place]) -> None:
        self._places = places
        self._open.update(
            Question(place.host, kind)
            for place in places
            for kind in self._kinds
            if not is_address(place.host)
        )
        if not self._open:  # SRV targets that are literals, against RFC 2782, but seen
            self._found()

    def _found(self) -> None:
        targets: list[Target] = []
        errors: list[str] = []
        for transport, host, port, ttl in self._places:
            if is_address(host):
                targets.append(Target(transport, host, port, self._name, ttl))
                continue
            for kind in self._kinds:
                said = self._answers[Question(host, kind)]
                if said.error:
                    errors.append(f"{host}: {said.error}")
                targets += [
                    Target(transport, str(address), port, self._name, min(ttl, said.ttl))
                    for address in said.records
                ]
        if targets:
            self._targets = tuple(targets)
        else:
            self._fail("; ".join(dict.fromkeys(errors)) or f"{self._places[0].host}: no address in the DNS")
