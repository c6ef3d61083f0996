"""What a walk to a TLS peer means: each failure in a sentence, with who must mend it. Judges; does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from trunkline.aio.tls import SUITES
from trunkline.finding import Wording, said
from trunkline.pki.judgement import Check
from trunkline.prove.peer import KINDS, MOST, SERVICE, VERSIONS, Observation, Walk

YOU: Final = said("you", "vous")
FIREWALL: Final = said("your firewall team", "votre équipe pare-feu")
CARRIER: Final = said("the carrier", "l'opérateur")


class Diagnosis(NamedTuple):
    """One thing that was found: at which address ("": before any), whether it is bad, what, and who mends it.

    `check` is dns, tcp, handshake, refusal, mutual, version, suite or certificate; `source` the requirement.
    """

    check: str
    address: str
    bad: bool
    says: Wording
    who: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What guide, product and site ask for: the TLS versions our product speaks, the suites by number.

    `service` says whether the site's gateways look for SRV records (tab DNS).
    """

    versions: tuple[str, ...]
    suites: tuple[int, ...]
    service: bool = False


def diagnose(seen: Observation, expected: Expected) -> tuple[Diagnosis, ...]:
    """All that a walk shows, in the order in which it has to be mended."""
    return (*_names(seen, expected), *(one for walk in seen.walks for one in _address(seen, walk, expected)))


def _names(seen: Observation, expected: Expected) -> Iterator[Diagnosis]:
    if not seen.names:
        return
    name = seen.wanted.host
    addresses = [address for kind in KINDS for address in seen.addresses(kind)]
    if addresses:
        says = said(
            "{name} is {addresses}", "{name} est {addresses}", name=name, addresses=", ".join(addresses)
        )
        yield Diagnosis("dns", "", False, says, source="DNS-1")
    if seen.services:
        yield _services(seen, bool(addresses), expected)
    if addresses or seen.walks:
        return
    error = next((answers.error for answers in seen.names if answers.error), "")
    if error:
        says = said(
            "{name} could not be resolved: {why}. Your DNS servers must know public names",
            "{name} n'a pas pu être résolu : {why}. Vos serveurs DNS doivent connaître les noms publics",
            name=name,
            why=error,
        )
        yield Diagnosis("dns", "", True, says, YOU, "DNS-1, FW-3")
    elif not seen.services:
        says = said(
            "{name} has no A record: check how it is written, then ask who owns it",
            "{name} n'a pas d'enregistrement A : vérifiez son orthographe, puis demandez à son propriétaire",
            name=name,
        )
        yield Diagnosis("dns", "", True, says, CARRIER, "DNS-1")
    else:
        says = said(
            "no target of the SRV records of {name} has an address",
            "aucune cible des enregistrements SRV de {name} n'a d'adresse",
            name=name,
        )
        yield Diagnosis("dns", "", True, says, CARRIER, "DNS-1")


def _services(seen: Observation, addressed: bool, expected: Expected) -> Diagnosis:
    """Where the SRV records lead; a gateway that asks for addresses finds nothing by these alone."""
    places = ", ".join(f"{record.target.rstrip('.')}:{record.port}" for record in seen.services[:MOST])
    words = {"service": f"{SERVICE}.{seen.wanted.host}", "places": places}
    if addressed or expected.service:
        says = said("{service} (SRV) leads to {places}", "{service} (SRV) mène à {places}", **words)
        return Diagnosis("dns", "", False, says, source="DNS-1")
    says = said(
        "{service} (SRV) leads to {places}, and the name has no address of its own: a gateway whose tab DNS"
        " says A does not find it. Ask the carrier for an A record, or set that tab to SRV",
        "{service} (SRV) mène à {places}, et le nom n'a pas d'adresse propre : une passerelle dont l'onglet"
        " DNS dit A ne le trouve pas. Demandez un enregistrement A à l'opérateur, ou passez cet onglet à SRV",
        **words,
    )
    return Diagnosis("dns", "", True, says, YOU, "DNS-1, SEC-3")


def _address(seen: Observation, walk: Walk, expected: Expected) -> Iterator[Diagnosis]:
    if not walk.reached:
        yield _unreached(seen, walk)
        return
    yield Diagnosis(
        "tcp",
        walk.address,
        False,
        said("TCP port {port} answers", "le port TCP {port} répond", port=walk.port),
    )
    yield from _handshakes(walk, expected)
    yield from _mutual(walk)
    yield from _suites(walk, expected)


def _unreached(seen: Observation, walk: Walk) -> Diagnosis:
    why = next(shaken.unreached for shaken in walk.presented.values() if shaken.unreached)
    port = walk.port
    if ":" in walk.address and seen.addresses("A"):
        says = said(
            "TCP port {port}: not reached over IPv6 ({why}); the gateways ask for A records and do without",
            "port TCP {port} : pas joint en IPv6 ({why}) ; les passerelles demandent des enregistrements A et"
            " s'en passent",
            port=port,
            why=why,
        )
        return Diagnosis("tcp", walk.address, False, says, source="SEC-3")
    if why == "refused":
        says = said(
            "TCP port {port} refuses: the machine is there and nobody listens, or a firewall answers for it",
            "le port TCP {port} refuse : la machine est là et personne n'écoute, ou un pare-feu répond"
            " pour elle",
            port=port,
        )
        return Diagnosis("tcp", walk.address, True, says, CARRIER, "FW-1")
    if why == "timeout":
        says = said(
            "TCP port {port} does not answer: a firewall on the way drops it. Open it as the firewall"
            " chapter says",
            "le port TCP {port} ne répond pas : un pare-feu le bloque. Ouvrez-le comme le dit le chapitre"
            " pare-feu",
            port=port,
        )
        return Diagnosis("tcp", walk.address, True, says, FIREWALL, "FW-1")
    says = said("TCP port {port}: {why}", "port TCP {port} : {why}", port=port, why=why)
    return Diagnosis("tcp", walk.address, True, says, YOU, "FW-1")


def _handshakes(walk: Walk, expected: Expected) -> Iterator[Diagnosis]:
    """By version, with our certificate: up and kept up, refused after the handshake, or refused in it."""
    for version in VERSIONS:
        shaken = walk.presented[version]
        ours = version in expected.versions
        if shaken.up is not None and shaken.refusal is None:
            says = said(
                "TLS {version} stands, {suite}; the peer is {names}",
                "TLS {version} est établi, {suite} ; le pair est {names}",
                version=version,
                suite=shaken.up.suite,
                names=", ".join(shaken.up.theirs) or "-",
            )
            yield Diagnosis("handshake", walk.address, False, says, source="TLS-1, TLS-3")
        elif shaken.up is not None and shaken.refusal is not None:
            says = said(
                "TLS {version} stood on our side, then the peer refused: a TLS 1.3 client learns it only"
                " now. {why}",
                "TLS {version} était établi de notre côté, puis le pair a refusé : un client TLS 1.3 ne"
                " l'apprend"
                " qu'à ce moment. {why}",
                version=version,
                why=shaken.refusal.why,
            )
            yield Diagnosis("refusal", walk.address, ours, says, CARRIER, "TLS-3, CERT-4")
        elif shaken.refusal is not None and shaken.judgement is not None and not shaken.judgement.good:
            for fault in shaken.judgement.faults:
                sentence = fault.sentence
                says = said(
                    "TLS {version}: {fault}", "TLS {version} : {fault}", version=version, fault=sentence
                )
                who = YOU if fault.check is Check.ISSUER else CARRIER  # the trust store is ours
                yield Diagnosis("certificate", walk.address, ours, says, who, "CERT-3")
        elif shaken.refusal is not None:
            says = said(
                "TLS {version}: {why}", "TLS {version} : {why}", version=version, why=shaken.refusal.why
            )
            yield Diagnosis("version", walk.address, ours, says, CARRIER, "TLS-1, TLS-2")


def _mutual(walk: Walk) -> Iterator[Diagnosis]:
    """Without a certificate of ours the peer must refuse (TLS-3)."""
    taken = [version for version, shaken in walk.bare.items() if shaken.accepted]
    refused = [version for version, shaken in walk.bare.items() if shaken.agreed and not shaken.accepted]
    if taken:
        says = said(
            "the peer also takes a client without certificate (TLS {versions}): it does not authenticate you",
            "le pair accepte aussi un client sans certificat (TLS {versions}) : il ne vous authentifie pas",
            versions=", ".join(taken),
        )
        yield Diagnosis("mutual", walk.address, True, says, CARRIER, "TLS-3")
    elif refused:
        says = said(
            "without a certificate the peer refuses, as it must (TLS {versions})",
            "sans certificat le pair refuse, comme il le doit (TLS {versions})",
            versions=", ".join(refused),
        )
        yield Diagnosis("mutual", walk.address, False, says, source="TLS-3")


def _suites(walk: Walk, expected: Expected) -> Iterator[Diagnosis]:
    taken = [number for number, shaken in walk.suites.items() if shaken.agreed]
    lacking = [number for number in expected.suites if number in walk.suites and number not in taken]
    if taken:
        says = said("suites taken: {suites}", "suites acceptées : {suites}", suites=_named(taken))
        yield Diagnosis("suite", walk.address, False, says, source="TLS-1")
    if lacking:
        says = said(
            "suites of the guide that are not taken: {suites}",
            "suites du guide non acceptées : {suites}",
            suites=_named(lacking),
        )
        yield Diagnosis("suite", walk.address, not taken, says, CARRIER, "TLS-1")


def _named(numbers: list[int]) -> str:
    return ", ".join(f"{SUITES[number]} (0x{number:04x})" for number in numbers)
