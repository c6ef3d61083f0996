"""Walk to a TLS peer step by step: names, TCP, versions, certificates, suites. Observes; judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trunkline.aio.probe import Shaken, shake
from trunkline.aio.resolver import Resolver
from trunkline.aio.tls import SUITES, Terms
from trunkline.pki.identity import Identity
from trunkline.pki.store import TrustStore
from trunkline.sip.locate import Answers, Question

VERSIONS = ("1.2", "1.3")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is walked to, and with what: the peer's name and port, our certificate, whom we trust, the suites.

    `patience` and `listen` are seconds (see `aio.probe.shake`).
    """

    name: str
    port: int
    identity: Identity | None
    trust: TrustStore
    suites_1_3: tuple[int, ...]
    suites_1_2: tuple[int, ...]
    patience: float = 5.0
    listen: float = 1.5


@dataclass(frozen=True, slots=True)
class Walk:
    """What one address of a peer showed: by version with our certificate and without, and suite by suite."""

    address: str
    presented: dict[str, Shaken]
    bare: dict[str, Shaken]
    suites: dict[int, Shaken]

    @property
    def reached(self) -> bool:
        return not any(shaken.unreached for shaken in self.presented.values())


@dataclass(frozen=True, slots=True)
class Observation:
    """A whole walk: what DNS said (None for an address written out), and what each address showed."""

    wanted: Wanted
    names: Answers | None
    walks: tuple[Walk, ...]


async def observe(wanted: Wanted, resolver: Resolver | None, addresses: Sequence[str] = ()) -> Observation:
    """Resolve the peer's name, unless `addresses` are given, and walk to each address in turn."""
    names = None
    if not addresses:
        assert resolver is not None
        names = await resolver.answers(Question(wanted.name, "A"))
        addresses = tuple(record for record in names.records if isinstance(record, str))
    return Observation(wanted, names, tuple([await _walk(wanted, address) for address in addresses]))


async def _walk(wanted: Wanted, address: str) -> Walk:
    place = (address, wanted.port)
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
            return Walk(address, presented, bare, suites)
        if wanted.identity is not None:
            bare[version] = await tried(replace(one, identity=None), wanted.listen)
    for number in (*wanted.suites_1_2, *wanted.suites_1_3):
        newer = number in wanted.suites_1_3
        version = "1.3" if newer else "1.2"
        alone = replace(ours, suites_1_3=(number,) if newer else (), suites_1_2=() if newer else (number,))
        if number in SUITES:
            suites[number] = await tried(replace(alone, least=version, most=version), 0.0)
    return Walk(address, presented, bare, suites)
