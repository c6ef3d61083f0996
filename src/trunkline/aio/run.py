"""Starts the loop (uvloop's where it is installed) and turns signals into what the driver knows."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine, Iterable
from typing import TypeVar

from trunkline.aio.driver import Driver

Result = TypeVar("Result")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's loop: half the CPU of asyncio's under SIP; asyncio's where uvloop is not installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def run(main: Coroutine[object, object, Result]) -> Result:
    """Run `main` to its end on a fresh loop."""
    # What is over refers to nothing in a circle, but for a call that changed its session: the
    # collector is seldom needed. It looks at what is young while that is in the processor's
    # cache (ten thousand objects would cost ten times as much each, and a pause of 18 ms),
    # and hardly ever at what has stayed: a call does so for half a minute, in its timers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000, 500, 50)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main)


def on_signals(
    drivers: Iterable[Driver], *, bound: float = 5.0, reload: Callable[[], None] | None = None
) -> Callable[[], None]:
    """SIGTERM and SIGINT drain these drivers (a second one ends them at once); SIGHUP calls `reload`.

    Returns what gives the signals back. Without `reload` SIGHUP is left alone.
    """
    loop, drained = asyncio.get_running_loop(), tuple(drivers)

    def stop() -> None:
        for driver in drained:
            driver.drain(bound)

    taken = [signal.SIGTERM, signal.SIGINT]
    for number in taken:
        loop.add_signal_handler(number, stop)
    if reload is not None:
        taken.append(signal.SIGHUP)
        loop.add_signal_handler(signal.SIGHUP, reload)

    def give_back() -> None:
        for number in taken:
            loop.remove_signal_handler(number)

    return give_back
