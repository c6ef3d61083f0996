"""The verbs on a site over the internet: certificates on disk, and access SBCs that the test plays itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.cli.verbs import PATIENCE, Ground, ground
from tests.example_site import INTERNET
from tests.tls_site import NEWER, OLDER, authority

from trunkline.aio.tls import Terms
from trunkline.aio.tls_stream import Parties, TlsPort
from trunkline.call.node import TlsRefused, TlsUp
from trunkline.lab.addresses import as_yaml
from trunkline.lab.authority import Bad
from trunkline.lab.names import NameServer, Record, make_zone
from trunkline.pki.certificate import pem_of
from trunkline.pki.identity import Identity
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request, Response, parse, respond
from trunkline.site.model import Certificates, Site

IPBX = "ipbx.customer.example"


def paper(folder: Path, identity: Identity, name: str = "ipbx") -> dict[str, str]:
    """A certificate and its key on disk, as the site names them."""
    (folder / f"{name}.pem").write_bytes(pem_of(identity.chain))
    (folder / f"{name}.key").write_bytes(identity.key.pem())
    return {"certificate": f"{name}.pem", "key": f"{name}.key"}


@contextmanager
def secure_ground(changes: dict[str, Any] | None = None, bad: Bad | None = None) -> Iterator[Ground]:
    """A ground of the internet example; its certificate is the customer's CA's, good or bad."""
    with ground(changes, INTERNET) as here:
        customer = authority("Customer")
        own = customer.issue(IPBX) if bad is None else customer.issue_bad(bad, IPBX)
        (here.folder / "carrier.pem").write_bytes(authority("Carrier").pem)
        (here.folder / "customer.pem").write_bytes(customer.pem)
        files = {"public_server": paper(here.folder, own), "trust": ("carrier.pem", "customer.pem")}
        site = here.site.model_copy(update={"certificates": Certificates.model_validate(files)})
        here.file.write_text(as_yaml(site), "utf-8")
        yield replace(here, site=site)


def names(site: Site) -> list[str]:
    """The SBCs' names, in order."""
    return [gateway.domain_proxy.target_domain for gateway in site.trunk.gateways]


@dataclass
class Gate:
    """One access SBC's TLS port, and what passed it."""

    port: TlsPort
    arrived: asyncio.Queue[tuple[Request | Response, Flow]]
    told: asyncio.Queue[TlsUp | TlsRefused]

    async def hears(self, what: str | int) -> tuple[Any, Flow]:
        """The next message of this kind; OPTIONS that come before are answered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message, flow = await self.arrived.get()
                if (message.method if isinstance(message, Request) else message.status) == what:
                    return message, flow
                if isinstance(message, Request) and message.method == "OPTIONS":
                    self.port.send(bytes(respond(message, 200, to_tag="t")), flow)

    async def shakes(self) -> TlsUp | TlsRefused:
        """The next handshake."""
        async with asyncio.timeout(PATIENCE):
            return await self.told.get()


@asynccontextmanager
async def gates(site: Site, *bad: Bad | None) -> AsyncIterator[list[Gate]]:
    """The access SBCs of a site, each with its certificate (good unless told), and the DNS with them."""
    zone = make_zone(
        "business-talk-ip.orange-business.com",
        [
            Record(f"{name}.", "A", sbc.signalling)
            for name, sbc in zip(names(site), site.carrier.sbcs, strict=True)
        ],
    )
    server = NameServer(zone)
    address, _, port = site.dns[0].rpartition(":")
    await server.open(address, int(port))
    opened = []
    try:
        for index, (name, sbc) in enumerate(zip(names(site), site.carrier.sbcs, strict=True)):
            wrong = bad[index] if index < len(bad) else None
            carrier = authority("Carrier")
            identity = carrier.issue(name) if wrong is None else carrier.issue_bad(wrong, name)
            terms = Terms(identity, authority("Customer").store, NEWER, OLDER)
            told: asyncio.Queue[TlsUp | TlsRefused] = asyncio.Queue()
            at = TlsPort(sbc.signalling, sbc.port, Parties(terms, (IPBX,), {IPBX: terms}), told.put_nowait)
            arrived: asyncio.Queue[tuple[Request | Response, Flow]] = asyncio.Queue()
            gate = Gate(at, arrived, told)
            at.listen(
                lambda data, flow, gate=gate: gate.arrived.put_nowait((parse(data), flow)),  # type: ignore[misc]
                lambda flow, why: None,
            )
            opened.append(gate)
        yield opened
    finally:
        for gate in opened:
            gate.port.close()
        server.close()
