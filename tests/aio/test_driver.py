"""The driver, with a node that says what the test wants."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

import pytest

from trunkline.aio.allowance import Allowance
from trunkline.aio.clock import now
from trunkline.aio.driver import Driver, log_line
from trunkline.aio.run import on_signals, run
from trunkline.call.node import Drain, Input, Log, Output, Received, Unreachable, Write
from trunkline.media import anchor
from trunkline.sip.flow import Close, Flow, Send
from trunkline.sip.locate import Answers, Question

Play = Callable[[Coroutine[Any, Any, None]], None]
OPEN = anchor.Offer("m1", "a", "127.0.0.1")


class Recorder:
    """A node: keeps each event, answers each by what `replies` returns, drains when told to."""

    def __init__(self, replies: Callable[[Input], Iterable[Output]] = lambda event: ()) -> None:
        self.replies = replies
        self.events: asyncio.Queue[Input] = asyncio.Queue()
        self.due: float | None = None
        self.fired: asyncio.Queue[float] = asyncio.Queue()
        self.on_expire: Callable[[], list[Output]] = list
        self.drained = False

    def receive(self, event: Input, now: float) -> list[Output]:
        outputs = list(self.replies(event))
        self.events.put_nowait(event)
        return outputs

    def deadline(self) -> float | None:
        return self.due

    def expire(self, now: float) -> list[Output]:
        self.due = None
        self.fired.put_nowait(now)
        return self.on_expire()


class Names:
    """Answers at once, as a cache does."""

    def ask(self, question: Question, tell: Callable[[Answers], None]) -> None:
        tell(Answers(question, ("192.0.2.1",), 60.0))


class Media:
    """Keeps commands and answers an Offer while the driver is still busy."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.commands: list[anchor.Command] = []

    def submit(self, *commands: anchor.Command) -> None:
        self.commands += commands
        for command in commands:
            if isinstance(command, anchor.Offer):
                self.driver.feed(anchor.Anchored(command.media, command.leg, command.address, 4000, 4001))


class Kept:
    """Records and a trace, in lists."""

    def __init__(self) -> None:
        self.records: list[Mapping[str, Any]] = []
        self.seen: list[tuple[bytes, bool]] = []

    def write(self, record: Mapping[str, Any]) -> None:
        self.records.append(record)

    def saw(self, data: bytes, flow: Flow, sent: bool) -> None:
        self.seen.append((data, sent))


def quiet(log: Log) -> None:
    """An operator who reads no log."""


def test_a_datagram_reaches_the_node_and_its_answer_the_peer(play: Play) -> None:
    def echo(event: Input) -> list[Output]:
        return [Send(event.data.upper(), event.flow)] if isinstance(event, Received) else []

    async def main() -> None:
        there, here = Driver(), Driver()
        server, client = Recorder(echo), Recorder()
        server_at, client_at = there.udp("127.0.0.1", 0), here.udp("127.0.0.2", 0)
        there.start(server)
        here.start(client, [Send(b"ping", Flow("UDP", client_at, server_at))])
        assert await client.events.get() == Received(b"PING", Flow("UDP", client_at, server_at))
        assert there.counters() == {"received": 1, "sent": 1, "refused": 0, "faults": 0}
        there.close()
        here.close()

    play(main())


def test_streams_carry_messages_both_ways_and_are_closed_when_the_node_says_so(play: Play) -> None:
    message = b"ACK sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"

    def once(event: Input) -> list[Output]:
        return [Send(event.data, event.flow), Close(event.flow, "")] if isinstance(event, Received) else []

    async def main() -> None:
        there, here = Driver(), Driver()
        server, client = Recorder(once), Recorder()
        server_at, client_at = there.tcp("127.0.0.1", 0), here.tcp("127.0.0.2", 0)
        there.start(server)
        flow = Flow("TCP", client_at, server_at)
        here.start(client, [Send(message, flow)])
        assert isinstance(await server.events.get(), Received)
        assert await client.events.get() == Received(message, flow)
        assert await client.events.get() == Unreachable(flow, "closed by the peer")
        there.close()
        here.close()

    play(main())


def test_a_node_may_be_commanded_from_within_its_own_outputs(play: Play) -> None:
    async def main() -> None:
        driver, node = Driver(), Recorder()
        at = driver.udp("127.0.0.1", 0)
        driver.log = lambda log: driver.perform([Send(log.text.encode(), Flow("UDP", at, at))])
        driver.start(node, [Log("info", "one"), Log("info", "two")])
        assert [(await node.events.get()).data for _ in "12"] == [b"one", b"two"]  # type: ignore[union-attr]
        driver.close()

    play(main())


@pytest.mark.rfc("5626#4.4")
def test_keep_alives_and_sources_over_their_allowance_never_reach_the_node(play: Play) -> None:
    async def main() -> None:
        there, here = Driver(allowance=Allowance(0.0, 2.0)), Driver()
        server = Recorder()
        server_at, client_at = there.udp("127.0.0.1", 0), here.udp("127.0.0.1", 0)
        flow = Flow("UDP", client_at, server_at)
        there.start(server)
        here.start(Recorder())
        here.perform([Send(data, flow) for data in (b"", b"\r\n\r\n", b"\0", b"1", b"2", b"3", b"4")])
        assert [(await server.events.get()).data for _ in "12"] == [b"1", b"2"]  # type: ignore[union-attr]
        other = Driver()
        other_at = other.udp("127.0.0.3", 0)
        other.start(Recorder(), [Send(b"other", Flow("UDP", other_at, server_at))])
        assert await server.events.get() == Received(b"other", Flow("UDP", server_at, other_at))
        assert there.counters()["refused"] == 2
        for driver in (there, here, other):
            driver.close()

    play(main())


def test_each_output_goes_to_its_own_hands(play: Play) -> None:
    question, record = Question("sbc.example.com", "A"), {"call": "1"}
    logged: list[Log] = []

    async def main() -> None:
        kept = Kept()
        driver = Driver(names=Names(), records=kept, trace=kept, log=logged.append)
        driver.media = media = Media(driver)
        at = driver.udp("127.0.0.1", 0)
        node = Recorder()
        flow = Flow("UDP", at, at)
        driver.start(
            node,
            [question, Write(record), Log("info", "up"), OPEN, anchor.Release("m1"), Send(b"self", flow)],
        )
        assert await node.events.get() == Answers(question, ("192.0.2.1",), 60.0)
        assert await node.events.get() == anchor.Anchored("m1", "a", "127.0.0.1", 4000, 4001)
        assert await node.events.get() == Received(b"self", flow)
        assert kept.records == [record]
        assert kept.seen == [(b"self", True), (b"self", False)]
        assert logged == [Log("info", "up")]
        assert media.commands == [OPEN, anchor.Release("m1")]
        driver.close()

    play(main())


def test_without_hands_the_node_is_told_so(play: Play) -> None:
    async def main() -> None:
        driver, node = Driver(), Recorder()
        question, flow = Question("sbc.example.com", "A"), Flow("TCP", ("127.0.0.1", 1), ("127.0.0.1", 2))
        driver.start(
            node, [question, OPEN, anchor.Release("m1"), Write({}), Send(b"x", flow), Close(flow, "")]
        )
        assert await node.events.get() == Answers(question, (), 0.0, "no DNS server")
        assert await node.events.get() == Unreachable(flow, "TCP 127.0.0.1:1 is not open")
        assert await node.events.get() == anchor.Refused("m1", "a", "no media here")
        driver.close()

    play(main())


def test_what_nobody_hears_is_unreachable(play: Play) -> None:
    async def main() -> None:
        driver, gone, node = Driver(), Driver(), Recorder()
        at, nobody = driver.udp("127.0.0.1", 0), gone.udp("127.0.0.1", 0)
        gone.close()
        driver.start(node, [Send(b"x", Flow("UDP", at, nobody))])
        assert await node.events.get() == Unreachable(Flow("UDP", at, nobody), "Connection refused")
        driver.close()

    play(main())


def test_the_timer_fires_once_at_the_nearest_deadline(play: Play) -> None:
    async def main() -> None:
        driver, node = Driver(), Recorder()
        node.due = now() + 3600
        driver.start(node)
        node.due = nearer = now() + 0.02
        driver.perform([])
        assert await node.fired.get() >= nearer
        node.due = later = now() + 0.02
        driver.perform([])
        node.due = now() + 0.05  # moved away: the timer finds out, and waits on
        driver.perform([])
        assert await node.fired.get() >= later + 0.02
        assert node.fired.empty()
        driver.close()

    play(main())


def test_expiry_has_outputs_too(play: Play) -> None:
    async def main() -> None:
        driver, node = Driver(), Recorder()
        at = driver.udp("127.0.0.1", 0)
        node.on_expire = lambda: [Send(b"late", Flow("UDP", at, at))]
        node.due = now()
        driver.start(node)
        assert await node.events.get() == Received(b"late", Flow("UDP", at, at))
        driver.close()

    play(main())


def test_a_node_that_answers_itself_for_ever_does_not_stop_the_loop(play: Play) -> None:
    dead = Flow("TCP", ("127.0.0.1", 1), ("127.0.0.1", 2))

    async def main() -> None:
        driver = Driver()
        driver.start(Recorder(lambda event: [Send(b"again", dead)]), [Send(b"first", dead)])
        turns = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, turns.set_result, None)
        await turns
        driver.close()

    play(main())


def test_a_bug_in_the_node_is_logged_and_the_next_message_served(play: Play) -> None:
    logged: list[Log] = []

    def broken(event: Input) -> list[Output]:
        if isinstance(event, Received) and event.data == b"poison":
            raise ZeroDivisionError("planted")
        return []

    async def main() -> None:
        driver, node = Driver(log=logged.append), Recorder(broken)
        at = driver.udp("127.0.0.1", 0)
        flow = Flow("UDP", at, at)
        driver.start(node, [Send(b"poison", flow), Send(b"food", flow)])
        assert await node.events.get() == Received(b"food", flow)
        assert driver.faults == 1
        assert logged[0].level == "error"
        assert "ZeroDivisionError: planted" in logged[0].text
        driver.close()

    play(main())


def test_a_bug_in_an_expiry_is_logged_once_a_second_not_for_ever(play: Play) -> None:
    async def main() -> None:
        driver, node = Driver(log=quiet), Recorder()
        at = driver.udp("127.0.0.1", 0)

        def broken() -> list[Output]:
            node.due = now()
            raise ZeroDivisionError("planted")

        node.on_expire = broken
        node.due = now()
        driver.start(node)
        await node.fired.get()
        driver.perform([Send(b"still here", Flow("UDP", at, at))])
        assert isinstance(await node.events.get(), Received)
        assert driver.faults == 1
        await node.fired.get()
        assert driver.faults <= 2
        driver.close()

    play(main())


def test_drain_ends_when_the_node_has_drained(play: Play) -> None:
    async def main() -> None:
        driver, node = Driver(), Recorder()

        def drains(event: Input) -> list[Output]:
            node.drained = isinstance(event, Drain)
            return []

        node.replies = drains
        driver.start(node)
        assert not driver._ended.done()
        driver.drain()
        assert await driver.ended()
        driver.close()
        driver.feed(Drain())
        assert node.events.qsize() == 1

    play(main())


@pytest.mark.parametrize("again", [True, False])
def test_drain_is_over_at_its_bound_or_when_asked_twice(play: Play, again: bool) -> None:
    async def main() -> None:
        driver = Driver()
        driver.start(Recorder())
        driver.drain(3600.0 if again else 0.02)
        if again:
            driver.drain()
        assert not await driver.ended()
        driver.drain()  # a third time changes nothing
        driver.close()

    play(main())


def test_run_lasts_until_the_node_has_drained() -> None:
    async def main() -> bool:
        driver, node = Driver(), Recorder()
        at = driver.udp("127.0.0.1", 0)

        def stop(event: Input) -> list[Output]:
            node.drained = isinstance(event, Drain)
            if isinstance(event, Received):
                driver.drain()
            return []

        node.replies = stop
        return await driver.run(node, [Send(b"time to go", Flow("UDP", at, at))])

    assert run(main())


def test_signals_drain_and_reload() -> None:
    async def main() -> None:
        driver, node = Driver(), Recorder()
        reloaded: asyncio.Queue[str] = asyncio.Queue()

        def drains(event: Input) -> list[Output]:
            node.drained = True
            return []

        node.replies = drains
        give_back = on_signals([driver], bound=10.0, reload=lambda: reloaded.put_nowait("read again"))
        driver.start(node)
        os.kill(os.getpid(), signal.SIGHUP)
        assert await reloaded.get() == "read again"
        os.kill(os.getpid(), signal.SIGTERM)
        assert await driver.ended()
        driver.close()
        give_back()
        on_signals([])()

    run(main())


def test_a_drain_asked_for_before_the_start_is_not_lost(play: Play) -> None:
    async def main() -> None:
        driver, node = Driver(), Recorder()
        driver.drain(0.01)
        driver.start(node)
        assert await node.events.get() == Drain()
        assert not await driver.ended()
        driver.close()

    play(main())


def test_a_log_line_has_the_time_the_level_and_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    log_line(Log("warning", "gateway nominal is down"))
    line = capsys.readouterr().err
    assert line.endswith("Z warning: gateway nominal is down\n")
