"""The whole lab: DNS, access SBCs, IPBX and phones, brought up together and ended together."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from trunkline.aio.sockets import control_path
from trunkline.call.party import TEST_TONES, Behaviour
from trunkline.lab.addresses import PHONE_PORT, Block, Places, as_yaml, lab_site
from trunkline.lab.names import NameServer, Record, make_zone
from trunkline.lab.papers import certified
from trunkline.lab.phones import LabPhone
from trunkline.lab.processes import Child, LabError
from trunkline.sdp.offer_answer import spoken
from trunkline.sip.transaction import TimerValues
from trunkline.site.model import CarrierSbc, Site

REGISTERED = 5.0  # seconds for a phone to be registered
AGAIN = 10.0  # seconds after which an ended process starts again
UP = 15.0  # seconds for a gateway to be up again


class Lab:
    """`async with Lab(site) as lab:` everything runs; afterwards nothing is left of it.

    `site` is the customer's, `lab.site` what it became. `trace` is where the IPBX's
    trace goes, None for a file of the lab's own; `keylog` is the file that gets the TLS
    keys of IPBX and SBCs (None: no file does). `log` is told each line that the processes
    log, with whose it is.
    """

    def __init__(
        self,
        site: Site,
        *,
        phones: int | None = None,
        trace: Path | None = None,
        keylog: Path | None = None,
        log: Callable[[str, str], None] = lambda label, line: None,
    ) -> None:
        self.customer = site
        self._log = log
        self._folder = tempfile.TemporaryDirectory(prefix="trunkline-lab-")
        folder = self.folder = Path(self._folder.name)
        self._block = Block.reserve(secrets.randbelow(1 << 16))
        self.file, self.records = folder / "site.yaml", folder / "records.jsonl"
        self.trace = folder / "ipbx.pcapng" if trace is None else trace.resolve()
        self.secure = site.over_internet
        passwords = {user.extension: secrets.token_hex(8) for user in site.users}
        self.site, self.places = self._moved(site, passwords)
        self.names = NameServer(make_zone(*zone_of(self.places.names)))
        self._keys = ["--keylog", str(keylog.resolve())] if keylog is not None and self.secure else []
        words = ["run", str(self.file), "--trace", str(self.trace), *self._keys]
        self.ipbx = Child("IPBX", words, self._socket(), log)
        self.sbcs = {sbc.label: self._sbc(sbc) for sbc in self.site.carrier.sbcs}
        self._wanted = phones
        self.phones: list[LabPhone] = []

    def _moved(self, site: Site, passwords: Mapping[str, str]) -> tuple[Site, Places]:
        try:
            own, records = secrets.token_hex(8), str(self.records)
            moved, places = lab_site(site, self._block.network, passwords, records, own)
            return (certified(moved, self.folder), places) if self.secure else (moved, places)
        except BaseException:
            self._block.close()
            self._folder.cleanup()
            raise

    def _sbc(self, sbc: CarrierSbc) -> Child:
        words = ["carrier", str(self.file), "--sbc", sbc.label, *self._keys]
        return Child(sbc.label, words, self._socket(sbc.label), self._log)

    def _socket(self, label: str = "") -> Path:
        """Where the verbs look for it, so that the lab's site file is all they need to be told."""
        return control_path(str(self.file), label)

    # --- life -------------------------------------------------------------------------

    async def __aenter__(self) -> Lab:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(as_yaml(self.site))
        await self.names.open(*self.places.dns)
        sbcs, ipbx = list(self.sbcs.values()), [self.ipbx]
        registers = any(gateway.registration.requested for gateway in self.site.trunk.gateways)
        # A REGISTER that nobody takes goes out again only after 30 s: the registrar has to be there first.
        for children in (sbcs, ipbx) if registers else ([*sbcs, *ipbx],):
            async with asyncio.TaskGroup() as starting:
                for child in children:
                    starting.create_task(child.start())
        await self.all_up()
        self.phones = [self._phone(index) for index in range(len(self.site.users))[: self._wanted]]
        for phone in self.phones:
            phone.start()
        for phone in self.phones:
            if not await phone.registered(REGISTERED):
                raise LabError(f"the phone of {phone.user.extension} could not register")

    async def _stop(self) -> None:
        await asyncio.gather(*(phone.stop() for phone in self.phones))
        await asyncio.gather(*(child.end() for child in (self.ipbx, *self.sbcs.values())))
        self.names.close()
        self._block.close()
        self._folder.cleanup()

    def _phone(self, index: int) -> LabPhone:
        user, site = self.site.users[index], self.site
        t = site.timers
        return LabPhone(
            user,
            site.phones.realm,
            (self.places.ipbx, site.phones.listen.udp),
            self.places.phones[user.extension],
            port=PHONE_PORT,
            timers=TimerValues(t.t1, t.t2, t.t4),
            behaviour=Behaviour(after=1.0, tone=TEST_TONES[index % len(TEST_TONES)]),
            codecs=spoken(site.trunk.gateways[0].media.codecs),
        )

    async def keep(self, told: Callable[[str], None]) -> None:
        """Start again, after a while, each process that somebody ended; runs until it is cancelled."""
        async with asyncio.TaskGroup() as keeping:
            for child in (self.ipbx, *self.sbcs.values()):
                keeping.create_task(self._keep(child, told))

    async def _keep(self, child: Child, told: Callable[[str], None]) -> None:
        while True:
            await child.gone()
            told(f"{child.label} has ended; it starts again in {AGAIN:g} s")
            await asyncio.sleep(AGAIN)
            await child.start()
            told(f"{child.label} runs again (process {child.pid})")

    # --- waiting ----------------------------------------------------------------------

    async def up(self, gateway: str, within: float = UP) -> None:
        """Wait until calls may take this gateway. Raises LabError."""
        if await self.ipbx.until(lambda status: _takes_calls(status, gateway), within) is None:
            raise LabError(f"gateway {gateway} did not come up in {within:g} s")

    async def all_up(self) -> None:
        """Wait until calls may take every gateway."""
        for gateway in self.site.trunk.gateways:
            await self.up(gateway.label)


def _takes_calls(status: Mapping[str, Any], gateway: str) -> bool:
    """Whether the gateway is up, and registered where the carrier wants that."""
    found = (entry for entry in status["gateways"] if entry["label"] == gateway)
    return any(entry["health"] == "up" and entry["usable"] for entry in found)


def zone_of(names: Mapping[str, tuple[str, int]]) -> tuple[str, list[Record]]:
    """The smallest zone that holds all of the carrier's names, each with its A and its SRV records."""
    labels = [name.lower().split(".")[::-1] for name in names]
    shared = []
    for same in zip(*labels, strict=False):
        if len(set(same)) > 1:
            break
        shared.append(same[0])
    origin = ".".join(reversed(shared)) + "."
    records = []
    for name, (address, port) in names.items():
        records.append(Record(f"{name}.", "A", address))
        for service in ("_sip._udp", "_sip._tcp", "_sips._tcp"):
            records.append(Record(f"{service}.{name}.", "SRV", f"10 0 {port} {name}."))
    return origin, records
