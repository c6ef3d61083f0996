"""The TLS of the secured town says what the real one says: same certificates, same words on both sides."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.simulation.secured.papers import CARRIER, CUSTOMER, EPOCH, KINDS, authority, identity
from tests.simulation.secured.tls import SecureWorld
from tests.simulation.world import Host
from tests.tls_site import NEWER, OLDER

from trunkline.aio.tls import Terms
from trunkline.aio.tls_stream import Parties, TlsPort
from trunkline.call.node import Received, TlsRefused, TlsUp, Unreachable
from trunkline.sip.flow import Flow, Send

SBC, PBX = "sbc1.carrier.example", "pbx.customer.example"
SUITES = (*OLDER, 0xC02C, 0xC02B)  # the town's certificates are of elliptic curves
OPTIONS = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n"
Said = list[tuple[str, ...]]


def terms(name: str, kind: str, most: str) -> Terms:
    signer, trust = (CARRIER, CUSTOMER) if name == SBC else (CUSTOMER, CARRIER)
    return Terms(identity(signer, name, kind), authority(trust).store, NEWER, SUITES, most=most)


def sides(who: str, kind: str, most: str) -> tuple[Parties, Parties]:
    """The IPBX, which connects, and the SBC; `who` shows a certificate of that kind."""
    client = terms(PBX, kind if who == "client" else "good", most)
    server = terms(SBC, kind if who == "server" else "good", "1.3")
    ours = Parties(replace(client, identity=identity(CUSTOMER, PBX)), (SBC,), {SBC: client})
    return ours, Parties(server, (PBX,), {PBX: server})


def put(event: Any) -> tuple[str, ...]:
    """What counts of an event: the suite is the real one's to choose."""
    match event:
        case TlsUp():
            return ("up", event.flow.peer, event.version, event.ours, *event.theirs)
        case TlsRefused():
            return ("refused", event.alert, event.why)
        case Unreachable():
            return ("unreachable", event.why)
    assert isinstance(event, Received)
    return ("received", event.flow.peer)


def really(ours: Parties, theirs: Parties) -> tuple[Said, Said]:
    """What both sides are told by OpenSSL over a socket; the client had a request to send."""

    async def main() -> tuple[Said, Said]:
        said: dict[str, Said] = {"client": [], "server": []}
        done = asyncio.Event()

        def heard(who: str, event: Any) -> None:
            said[who].append(put(event))
            over = ["received" in (words[0] for words in said["server"])]
            over.append(
                any(words[0] == "unreachable" for words in said["client"])
                and any(words[0] == "refused" for words in said["server"])
            )
            if any(over):
                done.set()

        ports = {}
        for who, parties in (("client", ours), ("server", theirs)):
            port = TlsPort("127.0.0.1", 0, parties, lambda e, w=who: heard(w, e), civil=lambda: EPOCH)  # type: ignore[misc]
            port.listen(
                lambda data, flow, w=who: heard(w, Received(data, flow)),  # type: ignore[misc]
                lambda flow, why, w=who: heard(w, Unreachable(flow, why)),  # type: ignore[misc]
            )
            ports[who] = port
        flow = Flow("TLS", ports["client"].local, ports["server"].local, SBC)
        ports["client"].send(OPTIONS, flow)
        async with asyncio.timeout(30):
            await done.wait()
        for port in ports.values():
            port.close()
        return said["client"], said["server"]

    return asyncio.run(main())


class Ear:
    """A node that only listens."""

    def __init__(self) -> None:
        self.said: Said = []

    def receive(self, event: Any, now: float) -> list[Any]:
        self.said.append(put(event))
        return []

    def deadline(self) -> float | None:
        return None

    def expire(self, now: float) -> list[Any]:
        return []


def virtually(ours: Parties, theirs: Parties) -> tuple[Said, Said]:
    """The same by the stand-in."""
    world = SecureWorld(1)
    places = (("192.0.2.1", 5061), ("192.0.2.2", 5061))
    ears, hosts = (Ear(), Ear()), list[Host]()
    for name, ear, place, parties in zip("ab", ears, places, (ours, theirs), strict=True):
        hosts.append(world.add(name, ear, (), (), [place]))
        world.renew(place, parties)
    world.carry(hosts[0], [Send(OPTIONS, Flow("TLS", *places, SBC))])
    world.run(5.0)
    return ears[0].said, ears[1].said


@pytest.mark.parametrize("most", ["1.2", "1.3"])
@pytest.mark.parametrize(
    ("who", "kind"),
    [("client", kind) for kind in ("good", *KINDS)] + [("server", kind) for kind in KINDS if kind != "none"],
)
def test_each_side_is_told_what_openssl_has_it_told(who: str, kind: str, most: str) -> None:
    parties = sides(who, kind, most)
    real, virtual = really(*parties), virtually(*parties)
    assert virtual == real
    assert (kind == "good") == (("received", PBX) in virtual[1])
