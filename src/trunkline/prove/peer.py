"""Walk to a TLS peer step by step: names, TCP, versions, certificates, suites. Observes; judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from trunkline.aio.probe import Shaken, shake
from trunkline.aio.resolver import Resolver
from trunkline.aio.tls import SUITES, Terms
from trunkline.pki.identity import Identity
from trunkline.pki.store import TrustStore
from trunkline.sip.locate import Answers, Kind, Question, Srv

VERSIONS = ("1.2", "1.3")
SERVICE: Final = "_sips._tcp"  # SIP over TLS (RFC 3263 §4.1)
KINDS: Final[tuple[Kind, ...]] = ("A", "AAAA")
MOST: Final = 8  # addresses that are walked to, and SRV records that are followed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is walked to, and with what: the peer's host and port, our certificate, whom we trust, the suites.

    `host` is resolved, or is an address; `name` is what the peer's certificate must bear.
    `patience` and `listen` are seconds (see `aio.probe.shake`). `service` asks for the name's SRV
    records, too: where a port was named they count for nothing (RFC 3263 §4.2).
    """

    host: str
    port: int
    name: str
    identity: Identity | None
    trust: TrustStore
    suites_1_3: tuple[int, ...]
    suites_1_2: tuple[int, ...]
    patience: float = 5.0
    listen: float = 1.5
    service: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """What one address of a peer showed: by version with our certificate and without, and suite by suite."""

    address: str
    port: int
    presented: dict[str, Shaken]
    bare: dict[str, Shaken]
    suites: dict[int, Shaken]

    @property
    def reached(self) -> bool:
        return not any(shaken.unreached for shaken in self.presented.values())


@dataclass(frozen=True, slots=True)
class Observation:
    """A whole walk: what DNS said (nothing for an address written out), and what each address showed."""

    wanted: Wanted
    names: tuple[Answers, ...]
    walks: tuple[Walk, ...]

    def addresses(self, kind: Kind) -> tuple[str, ...]:
        """The addresses of this type that the name itself has."""
        asked = Question(self.wanted.host, kind)
        return tuple(
            record for answers in self.names if answers.question == asked
            for record in answers.records if isinstance(record, str)
        )  # fmt: skip

    @property
    def services(self) -> tuple[Srv, ...]:
        """Its SRV records, the first to be tried first; a target of "." offers nothing (RFC 2782)."""
        found = (record for answers in self.names for record in answers.records if isinstance(record, Srv))
        return tuple(sorted(record for record in found if record.target.strip(".")))


async def observe(wanted: Wanted, resolver: Resolver | None, addresses: Sequence[str] = ()) -> Observation:
    """Resolve the peer's name, unless `addresses` are given, and walk to each address in turn.

    Where the name has no address of its own, the targets of its SRV records are walked to.
    """
    if addresses:
        return Observation(wanted, (), tuple([await _walk(wanted, one, wanted.port) for one in addresses]))
    assert resolver is not None
    questions = [Question(wanted.host, "A"), Question(wanted.host, "AAAA")]
    if wanted.service:
        questions.append(Question(f"{SERVICE}.{wanted.host}", "SRV"))
    names = await asyncio.gather(*(resolver.answers(question) for question in questions))
    seen = Observation(wanted, tuple(names), ())
    places = [(address, wanted.port) for kind in KINDS for address in seen.addresses(kind)]
    if not places:
        for record in seen.services[:MOST]:
            for kind in KINDS:
                answers = await resolver.answers(Question(record.target, kind))
                places += [(address, record.port) for address in answers.records if isinstance(address, str)]
    walks = [await _walk(wanted, *place) for place in dict.fromkeys(places[:MOST])]
    return replace(seen, walks=tuple(walks))


async def _walk(wanted: Wanted, address: str, port: int) -> Walk:
    place = (address, port)
    ours = Terms(wanted.identity, wanted.trust, wanted.suites_1_3, wanted.suites_1_2)

    async def tried(terms: Terms, listen: float) -> Shaken:
        return await shake(place, wanted.name, terms, patience=wanted.patience, listen=listen)

    presented: dict[str, Shaken] = {}
    bare: dict[str, Shaken] = {}
    suites: dict[int, Shaken] = {}
    for version in VERSIONS:
        one = replace(ours, least=version, most=version)
        presented[version] = await tried(one, wanted.listen)
        if presented[version].unreached:
            return Walk(address, port, presented, bare, suites)
        if wanted.identity is not None:
            bare[version] = await tried(replace(one, identity=None), wanted.listen)
    for number in (*wanted.suites_1_2, *wanted.suites_1_3):
        newer = number in wanted.suites_1_3
        version = "1.3" if newer else "1.2"
        alone = replace(ours, suites_1_3=(number,) if newer else (), suites_1_2=() if newer else (number,))
        if number in SUITES:
            suites[number] = await tried(replace(alone, least=version, most=version), 0.0)
    return Walk(address, port, presented, bare, suites)
