"""The generator of the media benchmark: it tells a relay that works from one that does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench import relay

WITHIN = 30.0  # seconds; no run takes that long unless something is broken


def measured(system: str, directory: Path, secure: bool = True) -> relay.Sample:
    async def main() -> relay.Sample:
        async with asyncio.timeout(WITHIN):
            return await relay.run(system, relay.build(directory), 3, secure, 0.4, 0.2)

    return asyncio.run(main())


@pytest.mark.parametrize("system", sorted(relay.SYSTEMS))
def test_every_packet_is_counted_through_both_relays(system: str, tmp_path: Path) -> None:
    sample = measured(system, tmp_path)
    assert sample.clean
    assert sample.sent == 3 * 2 * 20
    assert sample.microseconds > 0


def test_plain_calls_are_counted_too(tmp_path: Path) -> None:
    assert measured("trunkline", tmp_path, secure=False).clean


def test_what_was_closed_under_another_key_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def wrong(
        count: int, secure: bool, far: str, core: int | None, near: str
    ) -> AsyncIterator[relay.Relay]:
        async with relay.ours(count, secure, far, core, near) as right:
            yield right._replace(calls=[call._replace(back=bytes(30)) for call in right.calls])

    monkeypatch.setitem(relay.SYSTEMS, "wrong", wrong)
    sample = measured("wrong", tmp_path)
    assert not sample.clean
    assert sample.refused >= 3 * 20
    assert sample.received == 3 * 20  # the other way is plain
