"""The lab's name server."""

from __future__ import annotations

import asyncio
import os
import struct

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trunkline.lab.names import NameServer, Record, answer, make_zone

ZONE = make_zone(
    "carrier.example.",
    [
        Record("sbc1", "A", "127.0.0.2", 30),
        Record("sbc1", "AAAA", "2001:db8::2"),
        Record("_sip._udp.trunk", "SRV", "10 50 5060 sbc1"),
        Record("_sip._udp.trunk", "SRV", "20 50 5060 sbc2.elsewhere.example."),
        Record("alias", "CNAME", "sbc1"),
        Record("away", "CNAME", "www.elsewhere.example."),
        Record("loop", "CNAME", "loop"),
        Record("many", "TXT", '"' + "x" * 250 + '"'),
        *(Record("many", "A", f"10.0.{number // 250}.{number % 250}") for number in range(400)),
    ],
)


def ask(name: str, kind: str, *, most: int | None = None, **flags: int) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **flags)  # type: ignore[arg-type]
    wire = answer(ZONE, query.to_wire(), most=most)
    assert wire is not None
    reply = dns.message.from_wire(wire)
    assert query.is_response(reply)
    return reply


def test_an_address_comes_with_its_ttl_and_authority() -> None:
    reply = ask("sbc1.carrier.example.", "A")
    assert [str(rrset) for rrset in reply.answer] == ["sbc1.carrier.example. 30 IN A 127.0.0.2"]
    assert reply.flags & dns.flags.AA


@pytest.mark.rfc("2782")
def test_servers_come_with_the_addresses_that_the_zone_knows() -> None:
    reply = ask("_SIP._udp.Trunk.carrier.example.", "SRV")
    assert sorted(record.to_text() for record in reply.answer[0]) == [
        "10 50 5060 sbc1.carrier.example.",
        "20 50 5060 sbc2.elsewhere.example.",
    ]
    assert [rrset.rdtype for rrset in reply.additional] == [dns.rdatatype.A, dns.rdatatype.AAAA]


@pytest.mark.rfc("2308#3")
@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("gone.carrier.example.", "A", dns.rcode.NXDOMAIN),
        ("sbc1.carrier.example.", "SRV", dns.rcode.NOERROR),
        ("_udp.trunk.carrier.example.", "A", dns.rcode.NOERROR),  # names below it
        ("loop.carrier.example.", "A", dns.rcode.NOERROR),
    ],
)
def test_what_is_not_there_comes_with_the_soa(name: str, kind: str, rcode: int) -> None:
    reply = ask(name, kind)
    assert reply.rcode() == rcode
    assert reply.authority[0].rdtype == dns.rdatatype.SOA


def test_an_alias_is_followed_inside_the_zone_only() -> None:
    assert [rrset.rdtype for rrset in ask("alias.carrier.example.", "A").answer] == [
        dns.rdatatype.CNAME,
        dns.rdatatype.A,
    ]
    reply = ask("away.carrier.example.", "A")
    assert (len(reply.answer), len(reply.authority), reply.rcode()) == (1, 0, dns.rcode.NOERROR)


@pytest.mark.parametrize(("name", "kind"), [("example.com.", "A"), ("sbc1.carrier.example.", "ANY")])
def test_other_people_s_names_and_any_are_refused(name: str, kind: str) -> None:
    assert ask(name, kind).rcode() == dns.rcode.REFUSED


def test_a_reply_too_long_for_udp_is_cut_and_says_so() -> None:
    cut = ask("many.carrier.example.", "A", most=1232)
    assert cut.flags & dns.flags.TC
    assert not ask("many.carrier.example.", "A").flags & dns.flags.TC
    query = dns.message.make_query("many.carrier.example.", "A", use_edns=0, payload=4096)
    wire = answer(ZONE, query.to_wire(), most=1232)
    assert wire is not None
    assert len(wire) <= 1232
    assert dns.message.from_wire(wire).flags & dns.flags.TC


def test_other_operations_and_odd_questions_are_told_so() -> None:
    query = dns.message.make_query("sbc1.carrier.example.", "A")
    query.set_opcode(dns.opcode.STATUS)
    wire = answer(ZONE, query.to_wire())
    assert wire is not None
    assert dns.message.from_wire(wire).rcode() == dns.rcode.NOTIMP
    none = answer(ZONE, struct.pack("!HHHHHH", 7, 0, 0, 0, 0, 0))
    assert none is not None
    assert dns.message.from_wire(none).rcode() == dns.rcode.FORMERR


def test_a_reply_is_not_replied_to() -> None:
    query = dns.message.make_query("sbc1.carrier.example.", "A")
    assert answer(ZONE, dns.message.make_response(query).to_wire()) is None


def test_a_wrong_record_is_refused_when_the_zone_is_made() -> None:
    with pytest.raises(dns.exception.DNSException):
        make_zone("carrier.example.", [Record("sbc1", "A", "not an address")])


@given(st.binary(max_size=300))
@example(dns.message.make_query("sbc1.carrier.example.", "A").to_wire()[:-1])
@example(b"\x00\x01\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01")
def test_any_bytes_are_answered_or_dropped(data: bytes) -> None:
    reply = answer(ZONE, data, most=1232)
    assert reply is None or reply[:2] == data[:2]


@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_damage_to_a_query_is_answered_or_dropped(noise: bytes, at: int) -> None:
    whole = dns.message.make_query("_sip._udp.trunk.carrier.example.", "SRV", use_edns=0).to_wire()
    answer(ZONE, whole[:at] + noise + whole[at + len(noise) :], most=1232)


def run(main: object) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await main  # type: ignore[misc]

    asyncio.run(bounded())


def test_udp_and_tcp_answer_at_one_port_and_silence_is_a_switch() -> None:
    async def main() -> None:
        server = NameServer(ZONE)
        address, port = await server.open("127.0.0.53")
        query = dns.message.make_query("many.carrier.example.", "A")
        reply, over_tcp = await dns.asyncquery.udp_with_fallback(query, address, port=port, timeout=10)
        assert over_tcp
        assert len(reply.answer[0]) == 400
        assert server.asked == 2
        server.silent = True
        with pytest.raises(dns.exception.Timeout):
            await dns.asyncquery.udp(query, address, port=port, timeout=0.05)
        server.silent = False
        server.zone = make_zone("carrier.example.", [Record("many", "A", "127.0.0.9")])
        reply = await dns.asyncquery.udp(query, address, port=port, timeout=10)
        assert reply.answer[0][0].to_text() == "127.0.0.9"
        server.close()

    run(main())


def test_hostile_clients_harm_nobody() -> None:
    async def main() -> None:
        server = NameServer(ZONE)
        address, port = await server.open("127.0.0.53")
        reader, writer = await asyncio.open_connection(address, port)
        writer.write(b"\x00\x05hello" + b"\xff\xff" + os.urandom(100))
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        held = await asyncio.open_connection(address, port)
        query = dns.message.make_query("sbc1.carrier.example.", "A")
        reply = await dns.asyncquery.tcp(query, address, port=port, timeout=10)
        assert reply.answer
        many = [await asyncio.open_connection(address, port) for _ in range(80)]
        ends = [await many[-1][0].read()]
        assert ends == [b""]
        server.close()
        for _, client in (held, *many):
            client.close()

    run(main())


def test_a_port_in_use_is_an_error() -> None:
    async def main() -> None:
        one, two = NameServer(ZONE), NameServer(ZONE)
        address, port = await one.open("127.0.0.53")
        with pytest.raises(OSError):
            await two.open(address, port)
        one.close()
        two.close()
        NameServer(ZONE).close()

    run(main())
