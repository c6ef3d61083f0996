"""The lab's name server: authoritative for the carrier's zone, over UDP and TCP, on one address.

It answers A, AAAA, SRV, NAPTR and whatever else the zone holds, says NXDOMAIN with the
zone's SOA, and can be told to go silent, as a name server does that is down. `answer`
is pure; `NameServer` carries it over sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone

_TTL = 60  # seconds, where a record says none
_HEADER = 12  # bytes of a DNS message's header (RFC 1035 §4.1.1)
_PLAIN_UDP = 512  # bytes a client takes over UDP without EDNS (RFC 1035 §2.3.4)
_EDNS = 1232  # bytes we send over UDP at most: one packet on any path
_IDLE = 10.0  # seconds until a silent TCP client is let go
_CLIENTS = 64  # TCP clients at once
_DRAWS = 8  # ports tried until one is free for both UDP and TCP
_CHAIN = 8  # CNAMEs followed


class Record(NamedTuple):
    """One record, its value as in a zone file: Record("sbc1", "A", "192.0.2.1").

    Names without a final dot are inside the zone; "@" is the zone itself.
    """

    name: str
    kind: str
    value: str
    ttl: int = _TTL


def make_zone(origin: str, records: Iterable[Record]) -> dns.zone.Zone:
    """A zone with its SOA and NS records and these. Raises dns.exception.DNSException for wrong ones."""
    zone = dns.zone.Zone(dns.name.from_text(origin), relativize=False)
    apex = (Record("@", "SOA", f"ns hostmaster 1 3600 600 86400 {_TTL}"), Record("@", "NS", "ns"))
    for record in (*apex, *records):
        kind = dns.rdatatype.from_text(record.kind)
        value = dns.rdata.from_text(dns.rdataclass.IN, kind, record.value, zone.origin, relativize=False)
        owner = dns.name.from_text(record.name, zone.origin)
        zone.find_rdataset(owner, kind, create=True).add(value, record.ttl)
    return zone


def answer(zone: dns.zone.Zone, wire: bytes, *, most: int | None = None) -> bytes | None:
    """The reply to one query; None for what deserves none (too short, or itself a reply).

    `most` bounds the reply over UDP further than the client's EDNS size; None is TCP.
    """
    if (
        len(wire) < _HEADER or wire[2] & 0x80
    ):  # QR: a reply, perhaps of another server with our address as source
        return None
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        # RFC 1035 §4.1.1: the id back, QR and opcode and RD kept, FORMERR, no sections
        return wire[:2] + bytes((0x80 | wire[2] & 0x79, dns.rcode.FORMERR)) + bytes(8)
    reply = dns.message.make_response(query)
    if query.opcode() != dns.opcode.QUERY:
        reply.set_rcode(dns.rcode.NOTIMP)
    elif len(query.question) != 1:
        reply.set_rcode(dns.rcode.FORMERR)
    else:
        _fill(zone, reply, query.question[0])
    if most is None:
        return reply.to_wire()
    size = max(_PLAIN_UDP, query.payload) if query.edns >= 0 else _PLAIN_UDP
    return reply.to_wire(max_size=min(size, most), prefer_truncation=True)


def _fill(zone: dns.zone.Zone, reply: dns.message.Message, asked: dns.rrset.RRset) -> None:
    origin = cast(dns.name.Name, zone.origin)
    name, kind = asked.name, asked.rdtype
    if asked.rdclass != dns.rdataclass.IN or not name.is_subdomain(origin) or kind == dns.rdatatype.ANY:
        reply.set_rcode(dns.rcode.REFUSED)
        return
    reply.flags |= dns.flags.AA
    for _ in range(_CHAIN):
        if (found := zone.get_rdataset(name, kind)) is not None:
            reply.answer.append(_named(name, found))
            _add_addresses(zone, reply, found)
            return
        alias = zone.get_rdataset(name, dns.rdatatype.CNAME)
        if alias is None:
            break
        reply.answer.append(_named(name, alias))
        name = alias[0].target
        if not name.is_subdomain(origin):
            return
    if not any(owner.is_subdomain(name) for owner in zone):  # RFC 8020: a name with names below it exists
        reply.set_rcode(dns.rcode.NXDOMAIN)
    reply.authority.append(_named(origin, zone.find_rdataset(origin, dns.rdatatype.SOA)))  # RFC 2308 §3


def _add_addresses(zone: dns.zone.Zone, reply: dns.message.Message, found: dns.rdataset.Rdataset) -> None:
    """The addresses of SRV targets spare the client a question (RFC 2782, "Usage rules")."""
    if found.rdtype != dns.rdatatype.SRV:
        return
    for target in dict.fromkeys(record.target for record in found):
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            if (addresses := zone.get_rdataset(target, kind)) is not None:
                reply.additional.append(_named(target, addresses))


def _named(name: dns.name.Name, records: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, records.ttl, list(records))


class NameServer(asyncio.DatagramProtocol):
    """`zone` may be set to another while it runs; `silent` True swallows every query; `asked` counts them."""

    def __init__(self, zone: dns.zone.Zone) -> None:
        self.zone, self.silent, self.asked = zone, False, 0
        self.address = ("", 0)
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()

    async def open(self, address: str, port: int = 0) -> tuple[str, int]:
        """Listen on UDP and TCP at the same port; port 0 lets the system choose. Raises OSError."""
        for left in reversed(range(1 if port else _DRAWS)):
            self._tcp = await asyncio.start_server(self._client, address, port)
            self.address = (address, self._tcp.sockets[0].getsockname()[1])
            try:
                await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: self, local_addr=self.address
                )
                break
            except OSError:  # the port that TCP drew is another's over UDP
                self._tcp.close()
                if not left:
                    raise
        return self.address

    def close(self) -> None:
        """Stop listening and drop the clients."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for client in self._clients:
            client.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._udp = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        if self.silent or self._udp is None:
            return
        if (reply := answer(self.zone, data, most=_EDNS)) is not None:
            self._udp.sendto(reply, addr)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= _CLIENTS:
            writer.transport.abort()
            return
        self._clients.add(writer)
        try:
            async with asyncio.timeout(_IDLE):
                await self._serve(reader, writer)
        except (OSError, EOFError, TimeoutError):
            writer.transport.abort()
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Queries and replies with their lengths before them (RFC 1035 §4.2.2), until the client closes."""
        while True:
            wire = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            self.asked += 1
            reply = None if self.silent else answer(self.zone, wire)
            if reply is not None:
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
