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
            return await relay.run(system, relay.build(directory), 3, secure, 0.4, 0.2, report=0.1)

    return asyncio.run(main())


@pytest.mark.parametrize("system", sorted(relay.SYSTEMS))
def test_every_packet_is_counted_through_both_relays(system: str, tmp_path: Path) -> None:
    sample = measured(system, tmp_path)
    assert sample.clean
    assert sample.sent == 3 * 2 * 20
    assert sample.microseconds > 0


def test_rtcp_passes_the_other_relay_authenticated_on_both_its_ways(tmp_path: Path) -> None:
    sample = measured("rtpengine", tmp_path)
    sent = 3 * 2 * 6  # of each side, every 0.1 s of 0.6
    assert sent - 6 <= sample.reports <= sent  # the first ones may come before it knows the sources
    assert sample.reports_refused == 0


def test_calls_of_ours_are_set_up_over_sip_with_keys_of_their_own() -> None:
    async def main() -> None:
        async with asyncio.timeout(WITHIN), relay.ours(2, True, "127.0.0.1", None, "") as standing:
            one, other = standing.calls
            assert len(standing.pids) == 2  # signalling, and its worker
            assert len({*one.ports, *other.ports}) == 4
            assert len({one.out, one.back, other.out, other.back}) == 4
            assert {len(key) for key in (one.out, one.back)} == {30}

    asyncio.run(main())


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
