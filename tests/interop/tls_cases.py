"""Handshakes that must be refused, each with openssl on the far side, and the table that keeps what was said.

python -m tests.interop.tls_cases     runs them all and writes docs/reference/tls.md anew
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.interop import openssl
from tests.interop.program import Address, loopback
from tests.tls_site import PBX, SBC, authority, identity, terms

from trunkline.aio.tls_stream import Parties, TlsPort
from trunkline.call.node import TlsRefused, TlsUp
from trunkline.lab.authority import Bad
from trunkline.pki.identity import Identity
from trunkline.pki.judgement import ClientEku, Policy
from trunkline.pki.store import TrustStore
from trunkline.sip.flow import Flow

TABLE = Path(__file__).parents[2] / "docs" / "reference" / "tls.md"
WITHIN = 20.0  # seconds for one handshake and its end
_LAX = ("-cipher", openssl.LAX)


class Case(NamedTuple):
    """One handshake: who we are in it, and what is wrong with whom.

    `ours` is "server" or "client". `bad` is what is wrong with the peer's certificate,
    "none" for no certificate at all; `our_bad` the same of ours. `options` are words for
    openssl, `knobs` changes of our terms. `alert` is what must pass, and who sends it:
    this side, or the peer where `by_peer`.
    """

    title: str
    ours: str
    version: str
    alert: str
    by_peer: bool = False
    bad: Bad | str | None = None
    our_bad: Bad | str | None = None
    options: tuple[str, ...] = ()
    knobs: dict[str, Any] = {}

    @property
    def id(self) -> str:
        return f"{self.ours}-{self.version}-{self.title}".replace(" ", "-")


class Outcome(NamedTuple):
    """The alert that we tell of, our sentence, and the alerts openssl saw: sent by it, and by us."""

    alert: str
    why: str
    by_openssl: list[str]
    by_us: list[str]


def cases() -> list[Case]:
    """Every refusal, in the order of the table."""
    return [case for ours in ("server", "client") for case in _of(ours)]


def _of(ours: str) -> Iterable[Case]:
    strict = {"policy": Policy(client_eku=ClientEku.REQUIRE)}
    for version in ("1.2", "1.3"):
        lacking = "handshake_failure" if version == "1.2" else "certificate_required"
        if ours == "server":
            yield Case("the peer presents no certificate", ours, version, lacking, bad="none")
        for bad, title, alert in (
            (Bad.WRONG_CA, "the peer's certificate is of a wrong CA", "unknown_ca"),
            (Bad.NO_INTERMEDIATE, "the peer sends no intermediate", "unknown_ca"),
            (Bad.WRONG_NAME, "the peer's certificate is for another name", "bad_certificate"),
            (Bad.NO_NAME, "the peer's certificate has a CN alone", "bad_certificate"),
            (Bad.EXPIRED, "the peer's certificate has expired", "certificate_expired"),
            (Bad.EARLY, "the peer's certificate is not yet valid", "bad_certificate"),
            (Bad.SHA1, "the peer's certificate is signed with SHA-1", "bad_certificate"),
            (Bad.SMALL_KEY, "the peer's key is too short", "bad_certificate"),
        ):
            yield Case(title, ours, version, alert, bad=bad)
        if ours == "server":
            title = "the peer's certificate is for servers only, the policy is require"
            yield Case(title, ours, version, "unsupported_certificate", bad=Bad.SERVER_ONLY, knobs=strict)
        else:
            title = "the peer's certificate is for clients only"
            yield Case(title, ours, version, "unsupported_certificate", bad=Bad.CLIENT_ONLY)
            yield Case("we present no certificate", ours, version, lacking, by_peer=True, our_bad="none")
        for bad, title, alert in (
            (Bad.WRONG_CA, "our certificate is of a CA the peer does not trust", "unknown_ca"),
            (Bad.NO_INTERMEDIATE, "we send no intermediate", "unknown_ca"),
            (Bad.EXPIRED, "our certificate has expired", "certificate_expired"),
        ):
            yield Case(title, ours, version, alert, by_peer=True, our_bad=bad)
        if ours == "server":
            title = "our certificate is for another name"
            checks = ("-verify_hostname", SBC)
            yield Case(
                title, ours, version, "bad_certificate", by_peer=True, our_bad=Bad.WRONG_NAME, options=checks
            )
        other = ("-cipher", "ECDHE-RSA-CHACHA20-POLY1305")
        if version == "1.3":
            other = ("-ciphersuites", "TLS_AES_128_CCM_SHA256")
        title = "there is no suite in common"
        yield Case(title, ours, version, "handshake_failure", by_peer=ours == "client", options=other)
    yield Case("the peer speaks TLS 1.1 at most", ours, "1.1", "protocol_version", by_peer=ours == "client")


async def play(case: Case, directory: Path) -> Outcome:
    """Run one handshake to its end on both sides."""
    told: asyncio.Queue[TlsUp | TlsRefused] = asyncio.Queue()
    role = _as_server if case.ours == "server" else _as_client
    async with asyncio.timeout(WITHIN):
        peer, port = await role(case, directory, told)
        try:
            while isinstance(event := await told.get(), TlsUp):
                continue
            await asyncio.to_thread(peer.wait, WITHIN)
            return Outcome(event.alert, event.why, peer.alerts(sent=True), peer.alerts(sent=False))
        finally:
            await asyncio.to_thread(peer.stop)
            port.close()


async def _as_server(
    case: Case, directory: Path, told: asyncio.Queue[TlsUp | TlsRefused]
) -> tuple[openssl.Openssl, TlsPort]:
    port = _port(Parties(terms(SBC, _bad(case.our_bad), **case.knobs), (PBX,)), told)
    options = (_version(case), *_LAX, "-verify_return_error", *case.options)
    held = _identity(PBX, case.bad)
    return openssl.client(directory, port.local, held, authority("Carrier").store, SBC, *options), port


async def _as_client(
    case: Case, directory: Path, told: asyncio.Queue[TlsUp | TlsRefused]
) -> tuple[openssl.Openssl, TlsPort]:
    at: Address = (loopback(), 5061)
    held, trust = _identity(SBC, case.bad), authority("Customer").store
    options = (_version(case), *_LAX, "-naccept", "1", *case.options)
    peer = await asyncio.to_thread(_serve, directory, at, held, trust, options)
    knobs = dict(case.knobs) | ({"identity": None} if case.our_bad == "none" else {})
    own = terms(PBX, _bad(case.our_bad), **knobs)
    port = _port(Parties(terms(PBX), (SBC,), {SBC: own}), told)
    port.send(b"\r\n\r\n", Flow("TLS", port.local, at, SBC))
    return peer, port


def _serve(
    directory: Path, at: Address, held: Identity | None, trust: TrustStore, options: tuple[str, ...]
) -> openssl.Openssl:
    return openssl.server(directory, at, held, trust, *options)


def _port(parties: Parties, told: asyncio.Queue[TlsUp | TlsRefused]) -> TlsPort:
    port = TlsPort(loopback(), 0, parties, told.put_nowait)
    port.listen(lambda data, flow: None, lambda flow, why: None)
    return port


def _identity(name: str, bad: Bad | str | None) -> Identity | None:
    return None if bad == "none" else identity(name, _bad(bad))


def _bad(bad: Bad | str | None) -> Bad | None:
    return bad if isinstance(bad, Bad) else None


def _version(case: Case) -> str:
    return f"-tls{case.version.replace('.', '_')}"


# --- the table ------------------------------------------------------------------------------------

_HEAD = """\
# TLS refusals: the alert and the sentence

What passes on the wire, and what Trunkline says, when a handshake is refused. Each row was played against
`openssl`; `make test` plays them all again and holds this page to what it sees. Trunkline is the access SBC
(`sbc1.carrier.example`) where it is the server and the IPBX (`pbx.customer.example`) where it is the client.
The page is written by `python -m tests.interop.tls_cases`.

"""


def row(case: Case, outcome: Outcome) -> str:
    """The line of the table for a case."""
    by = "the peer" if case.by_peer else "this side"
    return f"| {case.title} | {case.version} | `{outcome.alert}`, by {by} | {lasting(outcome.why)} |"


def lasting(why: str) -> str:
    """The sentence without what changes from run to run: dates and key identifiers."""
    why = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD HH:MM", why)
    return re.sub(r"key id [0-9A-F:]+", "key id XX:XX:...", why)


def page(rows: dict[str, list[str]]) -> str:
    """The whole page, from the rows of each role."""
    parts = [_HEAD]
    for ours, title in (("server", "Trunkline is the TLS server"), ("client", "Trunkline is the TLS client")):
        parts += [f"## {title}\n\n", "| case | TLS | alert | our sentence |\n| --- | --- | --- | --- |\n"]
        parts += ["\n".join(rows[ours]), "\n\n"]
    return "".join(parts).rstrip() + "\n"


def main() -> None:
    """Play every case and write the page."""
    rows: dict[str, list[str]] = {"server": [], "client": []}
    with tempfile.TemporaryDirectory() as directory:
        for number, case in enumerate(cases()):
            outcome = asyncio.run(play(case, Path(directory) / str(number)))
            rows[case.ours].append(row(case, outcome))
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(page(rows), "utf-8")
    print(f"{TABLE.name}: {sum(map(len, rows.values()))} rows")


if __name__ == "__main__":
    main()
