"""Why TLS with a peer fails: walks DNS, TCP and TLS to it, and says in words who must mend what.

Every address of the name is tried with TLS 1.2 and 1.3, with the site's certificate and without one, and
with each suite of the guide alone. Nothing is sent over the connection."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser, Namespace
from typing import Any, Final

from trunkline.aio import run as aio_run
from trunkline.aio.resolver import Resolver
from trunkline.cli.cert_files import EXIT_CERTIFICATE, Ground, Unusable, contents, options
from trunkline.cli.paper import Paper, clean
from trunkline.cli.sitefile import EXIT_GOOD
from trunkline.finding import ParseError, said, told
from trunkline.pki.identity import Identity
from trunkline.plan import sbc_addresses
from trunkline.prove.doctor import Diagnosis, Expected, diagnose
from trunkline.prove.peer import VERSIONS, Observation, Wanted, observe
from trunkline.site.scalar import is_address, split_server

_PORT: Final = 5061  # RFC 3261 §19.1.2
PATIENCE_MOST: Final = 60.0  # seconds


def arguments(parser: ArgumentParser) -> None:
    """What this part takes."""
    parser.add_argument("peer", metavar="HOST[:PORT]", help="the access SBC; port 5061 unless said")
    parser.add_argument("--site", required=True, metavar="SITE.yaml", help="the site file")
    other = "the name its certificate must bear; default: HOST, or the site's name of that address"
    parser.add_argument("--name", default="", help=other)
    parser.add_argument(
        "--patience", type=float, default=5.0, metavar="SECONDS", help="for each step; default 5"
    )
    Paper.arguments(parser)
    options(parser, dated=False)


def main(given: Namespace) -> int:
    """Run this part; returns the exit code."""
    ground = Ground.of(given.site)
    host, port = _place(given.peer)
    patience = given.patience
    if not 0 < patience <= PATIENCE_MOST:
        says = said(
            "{patience} is no patience", "{patience} n'est pas une patience", patience=f"{patience:g}"
        )
        raise Unusable(says, said("give 0.1 to 60 seconds", "donnez 0.1 à 60 secondes"))
    facts = ground.facts
    newer = facts.numbers("tls.suites_1_3", ())
    older = facts.numbers("tls.suites_1_2", ())
    wanted = Wanted(
        host,
        port or _PORT,
        given.name or _name_of(host, ground),
        _identity(ground),
        ground.trust(),
        newer,
        older,
        patience,
        service=port is None,
    )
    addresses = (host,) if is_address(host) else ()
    seen = aio_run.run(_walk(wanted, ground, addresses))
    spoken = _spoken(ground)
    suites = (*(newer if "1.3" in spoken else ()), *older)
    service = any(gateway.dns.mode == "SRV" for gateway in ground.site.trunk.gateways)
    found = diagnose(seen, Expected(spoken, suites, service))
    if given.json:
        print(json.dumps(_json(seen, found), indent=2, ensure_ascii=False))
    else:
        _print(found, given)
    return EXIT_CERTIFICATE if any(one.bad for one in found) else EXIT_GOOD


async def _walk(wanted: Wanted, ground: Ground, addresses: tuple[str, ...]) -> Observation:
    if addresses:
        return await observe(wanted, None, addresses)
    if not ground.site.dns:
        says = said("the site names no DNS server", "le site ne nomme aucun serveur DNS")
        raise Unusable(says, said("write dns, or name an address", "écrivez dns, ou donnez une adresse"))
    resolver = Resolver(ground.site.dns)
    try:
        return await observe(wanted, resolver)
    finally:
        resolver.close()


def _place(peer: str) -> tuple[str, int | None]:
    """HOST, HOST:PORT, ADDRESS, [V6], [V6]:PORT; no port where none is named. Raises Unusable."""
    if is_address(peer):
        return peer, None
    if peer.startswith("[") and peer.endswith("]") and is_address(peer[1:-1]):
        return peer[1:-1], None
    try:
        return split_server(peer, _PORT)
    except ValueError:
        host, colon, port = peer.rpartition(":")
        if not colon:
            host, port = peer, "1"
        if _name(host) and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536:
            return host.rstrip("."), int(port) if colon else None
    says = said("{peer} is no HOST[:PORT]", "{peer} n'est pas HÔTE[:PORT]", peer=clean(peer))
    raise Unusable(says, said("write it as sbc.example:5061", "écrivez-le comme sbc.example:5061"))


def _name_of(host: str, ground: Ground) -> str:
    """The name that a host's certificate bears: its own; an address's is that of the gateway that has it."""
    for gateway in ground.site.trunk.gateways:
        if host in sbc_addresses.addresses(ground.site, ground.facts, gateway):
            return gateway.domain_proxy.target_domain
    return host


def _name(host: str) -> bool:
    """Whether it can be asked of the DNS: labels of letters, digits, - and _ (RFC 1035 §2.3.4 bounds)."""
    labels = host.removesuffix(".").split(".")
    return len(host) <= 253 and all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) for label in labels)


def _identity(ground: Ground) -> Identity | None:
    """The site's certificate and key, None while they are not there. Raises Unusable."""
    places = ground.places("public_server")
    certificate = contents(places.certificate, absent=True)
    key = contents(places.key, absent=True) or certificate
    if not certificate:
        return None
    try:
        return Identity.parse(certificate, key)
    except ParseError as error:
        mend = said("see `cert check` of the site", "voyez `cert check` du site")
        raise Unusable(str(error), mend) from None


def _spoken(ground: Ground) -> tuple[str, ...]:
    """The versions that the product speaks (TLS-2)."""
    if ground.site.product.model == "OCE" and ground.facts.known("tls.versions_oce"):
        return ground.facts.words("tls.versions_oce")
    return VERSIONS


def _print(found: tuple[Diagnosis, ...], given: Namespace) -> None:
    paper = Paper.of(given)
    address = ""
    for one in found:
        if one.address != address:
            address = one.address
            print(paper.bold(address))
        mark = paper.bad("✗") if one.bad else paper.good("✓")
        print(f"  {mark} {clean(told(one.says, given.lang))}")
        if one.bad and one.who:
            mends = said("to mend: {who}", "à corriger : {who}", who=one.who)
            print(f"    {told(mends, given.lang)}  [{one.source}]")
    bad = sum(one.bad for one in found)
    verdict = said("{bad} to be mended", "{bad} à corriger", bad=bad) if bad else said("good", "bon")
    print(told(verdict, given.lang))


def _json(seen: Observation, found: tuple[Diagnosis, ...]) -> dict[str, Any]:
    return {
        "peer": seen.wanted.host,
        "name": seen.wanted.name,
        "port": seen.wanted.port,
        "addresses": [
            {
                "address": walk.address,
                "port": walk.port,
                "reached": walk.reached,
                "versions": {version: shaken.accepted for version, shaken in walk.presented.items()},
                "without_certificate": {version: shaken.accepted for version, shaken in walk.bare.items()},
                "suites": {f"0x{number:04x}": shaken.agreed for number, shaken in walk.suites.items()},
            }
            for walk in seen.walks
        ],
        "diagnoses": [{**one._asdict(), "says": str(one.says), "who": str(one.who)} for one in found],
    }
