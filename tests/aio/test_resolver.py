"""The resolver, against the lab's name server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from trunkline.aio.resolver import Resolver
from trunkline.lab.names import NameServer, Record, make_zone
from trunkline.sip.locate import Answers, Naptr, Question, Srv

Play = Callable[[Coroutine[Any, Any, None]], None]
RECORDS = (
    Record("sbc1", "A", "127.0.0.2", 120),
    Record("sbc1", "AAAA", "2001:db8::2"),
    Record("alias", "CNAME", "sbc1", 5),
    Record("zero", "A", "127.0.0.3", 0),
    Record("_sip._udp.trunk", "SRV", "10 60 5060 sbc1"),
    Record("_sip._udp.trunk", "SRV", "10 40 5062 sbc2"),
    Record("trunk", "NAPTR", '10 20 "s" "SIP+D2U" "" _sip._udp.trunk'),
    *(Record("many", "A", f"10.0.0.{number}") for number in range(200)),
)
A = Question("sbc1.carrier.example", "A")


class Lab:
    """A name server, a resolver that asks it, and the answers."""

    def __init__(self, server: NameServer, resolver: Resolver) -> None:
        self.server, self.resolver = server, resolver
        self.told: asyncio.Queue[Answers] = asyncio.Queue()

    async def ask(self, name: str, kind: Any = "A") -> Answers:
        self.resolver.ask(Question(name, kind), self.told.put_nowait)
        return await self.told.get()

    def close(self) -> None:
        self.resolver.close()
        self.server.close()


async def lab(**knobs: Any) -> Lab:
    server = NameServer(make_zone("carrier.example.", RECORDS))
    address, port = await server.open("127.0.0.54")
    return Lab(server, Resolver([address], port=port, **{"timeout": 5.0, **knobs}))


def test_each_kind_of_record_arrives_as_a_value_with_its_ttl(play: Play) -> None:
    async def main() -> None:
        here = await lab()
        assert await here.ask(*A) == Answers(A, ("127.0.0.2",), 120.0)
        assert (await here.ask("sbc1.carrier.example", "AAAA")).records == ("2001:db8::2",)
        servers = (await here.ask("_sip._udp.trunk.carrier.example", "SRV")).records
        assert set(servers) == {
            Srv(10, 60, 5060, "sbc1.carrier.example"),
            Srv(10, 40, 5062, "sbc2.carrier.example"),
        }
        services = (await here.ask("trunk.carrier.example", "NAPTR")).records
        assert services == (Naptr(10, 20, "s", "SIP+D2U", "_sip._udp.trunk.carrier.example"),)
        alias = await here.ask("alias.carrier.example")
        assert (alias.records, alias.ttl) == (("127.0.0.2",), 5.0)  # the shortest of the chain
        here.close()

    play(main())


def test_an_answer_too_long_for_udp_comes_over_tcp(play: Play) -> None:
    async def main() -> None:
        here = await lab()
        assert len((await here.ask("many.carrier.example")).records) == 200
        here.close()

    play(main())


def test_what_does_not_exist_is_no_error_and_is_believed_for_a_while(play: Play) -> None:
    async def main() -> None:
        here = await lab()
        assert await here.ask("gone.carrier.example") == Answers(
            Question("gone.carrier.example", "A"), (), 60.0
        )
        assert (await here.ask("sbc1.carrier.example", "SRV")).records == ()
        asked = here.server.asked
        assert 0 < (await here.ask("gone.carrier.example")).ttl <= 60
        assert here.server.asked == asked
        here.close()

    play(main())


def test_an_answer_is_asked_for_once_while_its_ttl_lasts(play: Play) -> None:
    async def main() -> None:
        here = await lab()
        for _ in range(3):  # at once: one question under way
            here.resolver.ask(A, here.told.put_nowait)
        answers = [await here.told.get() for _ in range(3)]
        assert {said.records for said in answers} == {("127.0.0.2",)}
        assert 0 < (await here.ask(*A)).ttl <= 120
        assert here.server.asked == 1
        for count in (2, 3):  # TTL 0 is used once (RFC 1035 §3.2.1)
            await here.ask("zero.carrier.example")
            assert here.server.asked == count
        here.close()

    play(main())


def test_when_the_dns_is_down_the_last_good_answer_stands_with_its_error(play: Play) -> None:
    async def main() -> None:
        here = await lab(tries=1)
        good = await here.ask("zero.carrier.example")
        assert not good.error
        here.server.silent, here.resolver.timeout = True, 0.05
        stale = await here.ask("zero.carrier.example")
        assert stale.records == good.records
        assert stale.ttl == 30.0
        assert stale.error == "127.0.0.54 did not answer in 0.05 s"
        again = await here.ask("zero.carrier.example")  # not asked for again at once
        assert again.records == good.records
        assert again.error == stale.error
        never = await here.ask("sbc1.carrier.example")
        assert (never.records, never.ttl, never.error) == ((), 0.0, stale.error)
        here.server.silent, here.resolver.timeout = False, 5.0
        assert (await here.ask("sbc1.carrier.example")).records == ("127.0.0.2",)
        here.close()

    play(main())


def test_a_server_that_refuses_gives_way_to_the_next(play: Play) -> None:
    async def main() -> None:
        here = await lab()
        refusing = NameServer(make_zone("other.example.", ()))
        address, port = await refusing.open("127.0.0.55", here.server.address[1])
        resolver = Resolver([address, "127.0.0.54"], port=port, timeout=5.0, source="127.0.0.1")
        resolver.ask(A, here.told.put_nowait)
        assert (await here.told.get()).records == ("127.0.0.2",)
        assert refusing.asked == 1
        refusing.close()
        here.close()

    play(main())


def test_a_server_may_have_a_port_of_its_own(play: Play) -> None:
    async def main() -> None:
        here = await lab()
        resolver = Resolver([f"127.0.0.54:{here.server.address[1]}"], timeout=5.0)
        resolver.ask(A, here.told.put_nowait)
        assert (await here.told.get()).records == ("127.0.0.2",)
        here.close()

    play(main())


@pytest.mark.parametrize("server", ["ns.example.com", "192.0.2.1:", "192.0.2.1:dns", "[2001:db8::1", ""])
def test_what_is_no_address_of_a_server_is_refused(server: str) -> None:
    with pytest.raises(ValueError):
        Resolver([server])


@pytest.mark.parametrize("server", ["192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53"])
def test_every_way_to_write_a_server_is_the_same_to_us(server: str) -> None:
    ((host, port),) = Resolver([server])._servers
    assert host in ("192.0.2.1", "2001:db8::1")
    assert port == 53


def test_a_silent_server_gives_way_to_the_next(play: Play) -> None:
    async def main() -> None:
        here = await lab()
        silent = NameServer(here.server.zone)
        silent.silent = True
        address, port = await silent.open("127.0.0.55", here.server.address[1])
        resolver = Resolver([address, "127.0.0.54"], port=port, timeout=0.2, tries=50)
        resolver.ask(A, here.told.put_nowait)
        assert (await here.told.get()).records == ("127.0.0.2",)
        assert silent.asked >= 1
        silent.close()
        here.close()

    play(main())


def test_only_refusals_are_told_as_such(play: Play) -> None:
    async def main() -> None:
        here = await lab(tries=1)
        assert (await here.ask("sbc.other.example")).error == "127.0.0.54: REFUSED"
        here.close()

    play(main())


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example", "", "\udcff.example"])
def test_what_is_no_name_is_told_without_asking(play: Play, name: str) -> None:
    async def main() -> None:
        here = await lab()
        answers = await here.ask(name)
        assert answers.records == ()
        assert name == "" or "is no domain name" in answers.error
        here.close()

    play(main())


def test_without_servers_there_is_an_error_not_a_wait(play: Play) -> None:
    async def main() -> None:
        resolver, told = Resolver([]), asyncio.Queue[Answers]()
        resolver.ask(A, told.put_nowait)
        assert (await told.get()).error == "no DNS server"

    play(main())


def test_the_cache_and_the_questions_under_way_are_bounded(play: Play) -> None:
    async def main() -> None:
        here = await lab(entries=10)
        for number in range(30):
            await here.ask(f"gone{number}.carrier.example")
        assert len(here.resolver._kept) == 10
        here.server.silent = True
        for number in range(300):
            here.resolver.ask(Question(f"slow{number}.carrier.example", "A"), here.told.put_nowait)
        assert (await here.told.get()).error == "too many DNS questions under way"
        here.close()
        await asyncio.sleep(0)
        assert not here.resolver._asking

    play(main())
