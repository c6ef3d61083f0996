"""Both loops run each test: what holds under uvloop must hold where it is not installed."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
WITHIN = 20.0  # seconds; no test waits that long unless something is broken

Play = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=sorted(FACTORIES))
def play(request: pytest.FixtureRequest) -> Play:
    """Run a coroutine on the loop of this parameter, in bounded time."""

    def run(main: Coroutine[Any, Any, None]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(WITHIN):
                await main

        with asyncio.Runner(loop_factory=FACTORIES[request.param]) as runner:
            try:
                runner.run(bounded())
            except BaseException:
                # uvloop warns of what a failed test left open, and hangs where the warning is an error.
                warnings.simplefilter("ignore", ResourceWarning)
                raise

    return run
