"""The secured trunk under test: the site over the internet on loopback, with papers of its own and a DNS.

IPBX and access SBCs are processes as in `tests.interop.trunk`; between them is mutual TLS
with SRTP. The addresses are a lab's block, the certificates a lab's two authorities.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.example_site import INTERNET, edited, tree
from tests.interop.baresip import Baresip
from tests.interop.program import Address
from tests.interop.trunk import PASSWORD, Carrier, Ipbx

from trunkline.lab.addresses import Block, Places, as_yaml, lab_site
from trunkline.lab.names import NameServer, make_zone
from trunkline.lab.papers import certified
from trunkline.lab.stage import zone_of
from trunkline.site.load import load
from trunkline.site.model import CarrierSbc, Site

FAR, BUILT_IN = "+33199009100", "+33199009101"
_FAR_HOST, _PHONE_HOST = 200, 150  # last parts of addresses: lab phones have those before


class Names:
    """The carrier's DNS on a thread of this process, for as long as a test needs it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._server = NameServer(make_zone(*zone_of(self._places.names)))
        self._thread.start()
        opening = self._server.open(*self._places.dns)
        try:
            asyncio.run_coroutine_threadsafe(opening, self._loop).result(10.0)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def close() -> None:
            self._server.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10.0)
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class Stage:
    """A secured trunk that stands; `phone` and `far` bring a baresip to it."""

    directory: Path
    site: Site
    places: Places
    ipbx: Ipbx
    carrier: Carrier
    keylog: Path
    running: ExitStack

    @property
    def network(self) -> str:
        return self.places.network

    @property
    def nominal(self) -> CarrierSbc:
        return self.site.carrier.sbcs[0]

    @property
    def public(self) -> Address:
        """The trunk's side of the IPBX, and its TLS port."""
        eth1 = self.site.interfaces.eth1
        assert eth1 is not None
        return eth1.address, self.site.trunk.listen.tls

    def phone(self, user: str, sends: int, *, secured: bool = True, password: str = PASSWORD) -> Baresip:
        """A baresip as the user's phone: over TLS with SRTP alone, or over UDP with RTP."""
        listen = self.site.phones.listen
        return self.running.enter_context(
            Baresip(
                self.directory / user,
                f"{self.network}.{_PHONE_HOST + int(user) % 100}",
                user,
                sends=sends,
                registrar=(self.places.ipbx, listen.tls if secured else listen.udp),
                password=password,
                transport="tls" if secured else "udp",
                srtp=secured,
            )
        )

    def far(self, sends: int) -> Baresip:
        """A baresip as a subscriber of the public network, over UDP with RTP."""
        at = f"{self.network}.{_FAR_HOST}"
        return self.running.enter_context(Baresip(self.directory / "far", at, FAR, sends=sends))

    def calls_in(self, ddi: str, sbc: str = "nominal") -> str:
        """What a public subscriber dials: the SBC's public side."""
        known = next(known for known in self.site.carrier.sbcs if known.label == sbc)
        return f"sip:{ddi}@{known.signalling}:{known.public_port}"

    def free(self, calls: int) -> list[dict[str, Any]]:
        """Waits until so many calls are over and their channels free, and returns their records."""
        self.ipbx.free()
        return self.ipbx.recorded(calls)

    def legs(self, record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The legs of a call's record, by side."""
        every = {leg["leg"]: leg for leg in self.ipbx.records("leg")}
        return {every[leg]["side"]: every[leg] for leg in record["legs"]}


@contextmanager
def placed(
    directory: Path, *, subscribers: Sequence[Mapping[str, object]] = (), changes: Mapping[str, Any] | None
) -> Iterator[tuple[Site, Places, Path]]:
    """The site over the internet on a block of this machine's addresses, its file, its papers and its DNS.

    "@" in a subscriber's place stands for the block.
    """
    block = Block.reserve(secrets.randbelow(1 << 16))
    with ExitStack() as running:
        running.callback(block.close)
        known = tree(INTERNET)["carrier"]["subscribers"]
        moved = [
            {key: str(told).replace("@", block.network) for key, told in row.items()} for row in subscribers
        ]
        text = edited(
            {
                # baresip 1.0 knows MD5 alone, and gives up where a SHA-256 challenge comes first.
                "phones.digest": ["MD5"],
                "carrier.subscribers": [*known, *moved],
                **(changes or {}),
            },
            INTERNET,
        )
        example = load(text, "site.yaml").site
        assert example is not None
        passwords = {user.extension: PASSWORD for user in example.users}
        here, places = lab_site(example, block.network, passwords, str(directory / "records.jsonl"))
        site = certified(here, directory)
        file = directory / "site.yaml"
        file.write_text(as_yaml(site), "utf-8")
        running.enter_context(Names(places))
        yield site, places, file


@contextmanager
def standing(
    directory: Path, *, answers: int = 0, changes: Mapping[str, Any] | None = None
) -> Iterator[Stage]:
    """The whole secured trunk, both gateways up; the built-in subscriber BUILT_IN plays `answers` Hz."""
    subscribers = [
        {"number": FAR, "does": "external", "at": f"@.{_FAR_HOST}:5060"},
        {"number": BUILT_IN, "does": "answer", "tone": str(answers)},
    ]
    with ExitStack() as running:
        site, places, file = running.enter_context(
            placed(directory, subscribers=subscribers, changes=changes)
        )
        keylog = directory / "tls-keys"
        carrier = running.enter_context(Carrier(file, directory / "carrier"))
        ipbx = running.enter_context(Ipbx(file, directory / "ipbx", None, "--keylog", keylog))
        ipbx.ready(*(gateway.label for gateway in site.trunk.gateways))
        yield Stage(directory, site, places, ipbx, carrier, keylog, running)
        assert ipbx.status()["wire"]["faults"] == 0, ipbx.tail()
        for sbc in site.carrier.sbcs:
            assert carrier.status(sbc.label)["wire"]["faults"] == 0, carrier.tail()
