"""What the verbs that stay and serve have in common: their options, their equipment, what they tell."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

from trunkline.aio.control import ControlServer
from trunkline.aio.driver import Driver, Names, Trace
from trunkline.aio.resolver import Resolver
from trunkline.aio.store import RecordStore
from trunkline.aio.tap import Tap
from trunkline.aio.workers import Workers
from trunkline.call.node import Log
from trunkline.sip.flow import Ids
from trunkline.site import model


def arguments(parser: ArgumentParser) -> None:
    """The options of `run` and `carrier`."""
    parser.add_argument(
        "--socket", metavar="PATH", help="the Unix socket to be asked on (default: one a file)"
    )
    parser.add_argument("--trace", metavar="FILE.pcapng", help="write the SIP that passes, for Wireshark")
    parser.add_argument("--while-stdin", action="store_true", help=SUPPRESS)


class Media(NamedTuple):
    """What is anchored: the ports of each local address (first and last), the packets' mark, the workers."""

    ranges: Mapping[str, tuple[int, int]]
    dscp: int
    workers: int


class Parts(AsyncExitStack):
    """Opens equipment, and closes all of it in the end, last opened first."""

    def names(self, servers: Sequence[str]) -> Names | None:
        """Whoever asks these DNS servers; None where the site has none."""
        if not servers:
            return None
        resolver = Resolver(servers)
        self.callback(resolver.close)
        return resolver

    def records(self, settings: model.Records, folder: Path) -> RecordStore | None:
        """Where call records go; None where none are kept. Raises OSError."""
        if not settings.file:
            return None
        store = RecordStore(folder / settings.file, retention_days=settings.retention_days)
        self.callback(store.close)
        return store

    def trace(self, file: str | None) -> Trace | None:
        """A trace file; None where none is wanted. Raises OSError."""
        if not file:
            return None
        tap = Tap(Path(file))
        self.callback(tap.close)
        return tap

    def workers(self, driver: Driver, ids: Ids, media: Media) -> Workers:
        """Processes that anchor media, ended once the driver's node has ended its calls. Raises OSError."""
        count = media.workers or max(1, len(os.sched_getaffinity(0)) - 1)
        workers = Workers(
            driver.feed,
            ids,
            count,
            next(iter(media.ranges.values())),
            at=media.ranges,
            dscp=media.dscp,
            say=lambda line: driver.log(Log("warning", line)),
        )

        async def end() -> None:
            workers.close()
            await workers.closed()

        self.push_async_callback(end)
        driver.media = workers
        return workers

    async def control(self, socket: Path, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Answer questions on a Unix socket. Raises OSError."""
        server = ControlServer(socket, answer)
        await server.start()
        self.push_async_callback(server.stop)


def until_stdin_ends(given: Namespace, drivers: Sequence[Driver], bound: float) -> None:
    """For a process of a lab: drain when standard input ends, however the lab came to its end."""
    if not given.while_stdin:
        return
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()

    def readable() -> None:
        if not os.read(stdin, 1024):
            loop.remove_reader(stdin)
            for driver in drivers:
                driver.drain(bound)

    loop.add_reader(stdin, readable)


def sockets(listening: Mapping[str, str]) -> str:
    """`{"UDP": "192.0.2.1:5060", "TCP": ...}` as `UDP and TCP 192.0.2.1:5060`."""
    places: dict[str, list[str]] = {}
    for transport, place in listening.items():
        places.setdefault(place, []).append(transport)
    return ", ".join(f"{' and '.join(names)} {place}" for place, names in places.items())
