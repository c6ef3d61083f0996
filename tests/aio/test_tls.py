"""SIP over TLS on loopback: our own two sides, and bare sockets where a peer misbehaves."""

from __future__ import annotations

import asyncio
import socket
import stat
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from tests.tls_site import NEWER, OLDER, PBX, SBC, authority, identity, terms

from trunkline.aio.driver import Driver
from trunkline.aio.stream import LIMITS, UPKEEP, Limits, Upkeep
from trunkline.aio.tls import Terms, TlsContext
from trunkline.aio.tls_session import Session
from trunkline.aio.tls_stream import HANDSHAKE, Parties, TlsPort
from trunkline.call.node import Input, Output, Received, TlsRefused, TlsUp, Unreachable
from trunkline.finding import ParseError
from trunkline.lab.authority import Bad
from trunkline.pki.certificate import Certificate
from trunkline.sip.flow import Flow, Send

Play = Callable[[Coroutine[Any, Any, None]], None]

OPTIONS = (
    b"OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK1\r\n"
    b"From: <sip:a@example.com>;tag=1\r\n"
    b"To: <sip:b@example.com>\r\n"
    b"Call-ID: %d\r\n"
    b"CSeq: 1 OPTIONS\r\n"
    b"Max-Forwards: 70\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)


def options(number: int, body: bytes = b"") -> bytes:
    return OPTIONS % (number, len(body), body)


class Ears:
    """A listening TLS port and what it tells."""

    def __init__(
        self,
        parties: Parties,
        *,
        limits: Limits = LIMITS,
        upkeep: Upkeep = UPKEEP,
        handshake: float = HANDSHAKE,
        keylog: str = "",
    ) -> None:
        self.arrived: asyncio.Queue[tuple[bytes, Flow]] = asyncio.Queue()
        self.failed: asyncio.Queue[tuple[Flow, str]] = asyncio.Queue()
        self.told: asyncio.Queue[TlsUp | TlsRefused] = asyncio.Queue()
        self.port = TlsPort(
            "127.0.0.1",
            0,
            parties,
            self.told.put_nowait,
            limits=limits,
            upkeep=upkeep,
            handshake=handshake,
            keylog=keylog,
        )
        self.port.listen(
            lambda data, flow: self.arrived.put_nowait((data, flow)),
            lambda flow, why: self.failed.put_nowait((flow, why)),
        )

    def flow(self, to: Ears, name: str) -> Flow:
        return Flow("TLS", self.port.local, to.port.local, name)

    async def up(self) -> TlsUp:
        event = await self.told.get()
        assert isinstance(event, TlsUp), event
        return event

    async def refused(self) -> TlsRefused:
        event = await self.told.get()
        assert isinstance(event, TlsRefused), event
        return event


class Peers:
    """A bare server, whose connections the test takes one after the other."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def __aenter__(self) -> Peers:
        self._server = await asyncio.start_server(
            lambda reader, writer: self.opened.put_nowait((reader, writer)), "127.0.0.1", 0
        )
        self.at: tuple[str, int] = self._server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *ended: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def shaken(self) -> tuple[Session, asyncio.StreamWriter]:
        """The next connection once its handshake is done; what the server would say then is not sent."""
        reader, writer = await self.opened.get()
        session = Session(TlsContext(terms(SBC), server=True), (PBX,))
        while session.up is None:
            writer.write(session.outgoing())
            session.feed(await reader.read(65536))
        return session, writer


def sbc(bad: Bad | None = None, allowed: tuple[str, ...] = (PBX,), **changed: Any) -> Parties:
    """The carrier's port: it lets the IPBX in and calls it."""
    own = terms(SBC, bad, **changed)
    return Parties(own, allowed, {PBX: own})


def pbx(bad: Bad | None = None, **changed: Any) -> Parties:
    """The customer's port: it knows two gateways, whose clients it lets in."""
    own = terms(PBX, bad, **changed)
    return Parties(own, (SBC, "sbc2.carrier.example"), {SBC: own})


async def shut(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.guide("TLS-3")
def test_both_sides_know_the_other_by_name_and_answers_go_back_on_the_connection(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(pbx()), Ears(sbc())
        flow = here.flow(there, SBC)
        for number in range(3):
            here.port.send(options(number), flow)
        up = await here.up()
        assert up == TlsUp(flow, "TLSv1.3", "TLS_AES_256_GCM_SHA384", f"CN={PBX}", (SBC,))
        accepted = await there.up()
        assert (accepted.flow.peer, accepted.ours, accepted.theirs) == (PBX, f"CN={SBC}", (PBX,))
        for number in range(3):
            assert await there.arrived.get() == (options(number), accepted.flow)
        there.port.send(options(9), accepted.flow)
        assert await here.arrived.get() == (options(9), flow)
        assert len(here.port) == len(there.port) == 1
        here.port.end(flow, "enough")
        assert await there.failed.get() == (accepted.flow, "closed by the peer")
        assert here.failed.empty()
        assert here.told.empty()
        assert there.told.empty()
        here.port.close()
        there.port.close()

    play(main())


def test_large_messages_pass_both_ways(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(pbx()), Ears(sbc())
        flow, body = here.flow(there, SBC), b"x" * 50_000
        for number in range(20):
            here.port.send(options(number, body), flow)
        for number in range(20):
            data, back = await there.arrived.get()
            assert data == options(number, body)
            there.port.send(data, back)
        for number in range(20):
            assert (await here.arrived.get())[0] == options(number, body)
        here.port.close()
        there.port.close()

    play(main())


@pytest.mark.guide("TLS-2")
def test_a_product_of_tls_1_2_stays_there(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(pbx(most="1.2")), Ears(sbc())
        here.port.send(options(1), here.flow(there, SBC))
        up = await here.up()
        assert (up.version, up.suite) == ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384")
        await there.arrived.get()
        here.port.close()
        there.port.close()

    play(main())


def test_the_name_of_the_peer_picks_the_gateway(play: Play) -> None:
    async def main() -> None:
        here = Ears(pbx())
        second = authority("Carrier").issue("SBC2.carrier.example")
        for held, name in ((identity(SBC), SBC), (second, "sbc2.carrier.example")):
            there = Ears(sbc(identity=held))
            there.port.send(options(1), there.flow(here, PBX))
            assert (await here.up()).flow.peer == name
            assert (await here.arrived.get())[1].peer == name
            there.port.close()
        here.port.close()

    play(main())


@pytest.mark.rfc("5923#5")
def test_a_connection_serves_its_own_name_only(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(pbx()), Ears(sbc())
        here.port.send(options(1), here.flow(there, SBC))
        await there.arrived.get()
        other = here.flow(there, "sbc2.carrier.example")
        nameless = here.flow(there, "")
        for flow, why in (
            (other, "sbc2.carrier.example is no gateway of this port: its certificate has no terms"),
            (nameless, "no name is known to check the certificate at that address against"),
            (other._replace(remote=("sbc1", 1)), "'sbc1' port 1 is not an address"),
        ):
            here.port.send(options(2), flow)
            assert await here.failed.get() == (flow, why)
        assert len(here.port) == 1
        here.port.close()
        there.port.close()

    play(main())


def test_other_names_may_have_terms_of_their_own(play: Play) -> None:
    async def main() -> None:
        own = terms(PBX)
        here, there = Ears(Parties(own, others=own)), Ears(sbc())
        here.port.send(options(1), here.flow(there, SBC))
        assert (await here.up()).flow.peer == SBC
        assert (await there.arrived.get())[1].peer == PBX
        here.port.close()
        there.port.close()

    play(main())


@pytest.mark.parametrize("most", ["1.2", "1.3"])
def test_a_client_nobody_allows_is_refused_in_words_on_both_sides(play: Play, most: str) -> None:
    async def main() -> None:
        here, there = Ears(pbx(most=most)), Ears(sbc(allowed=("other.customer.example",)))
        flow = here.flow(there, SBC)
        here.port.send(options(1), flow)
        refused = await there.refused()
        assert (refused.alert, refused.flow.peer) == ("bad_certificate", "")
        assert f"certificate CN={PBX} is for {PBX}, not for other.customer.example" in refused.why
        if most == "1.3":
            assert (await here.up()).flow == flow  # the server's verdict comes later
        heard = await here.refused()
        assert heard == TlsRefused(flow, "bad_certificate", heard.why)
        assert heard.why.startswith(
            "the peer refused (bad_certificate): it finds our certificate bad (CN=pbx."
        )
        assert await here.failed.get() == (flow, heard.why)
        assert there.failed.empty()
        assert there.arrived.empty()
        here.port.close()
        there.port.close()

    play(main())


def test_a_server_of_another_name_is_refused_before_anything_is_sent(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(pbx()), Ears(sbc(Bad.WRONG_NAME))
        flow = here.flow(there, SBC)
        here.port.send(options(1), flow)
        refused = await here.refused()
        assert refused.alert == "bad_certificate"
        assert f"is for other-{SBC}, not for {SBC}" in refused.why
        assert await here.failed.get() == (flow, refused.why)
        assert (await there.refused()).why.startswith("the peer refused (bad_certificate)")
        here.port.send(options(2), flow)  # tried anew, and refused again
        assert await here.refused() == refused
        assert there.arrived.empty()
        here.port.close()
        there.port.close()

    play(main())


def test_a_listener_for_phones_asks_for_no_certificate(play: Play) -> None:
    async def main() -> None:
        here = Ears(Parties(terms(PBX, mutual=False)))
        phone = Terms(None, authority("Customer").store, NEWER, OLDER)
        there = Ears(Parties(terms(SBC), (), {PBX: phone}))
        there.port.send(options(1), there.flow(here, PBX))
        assert (await there.up()).ours == ""
        up = await here.up()
        assert (up.flow.peer, up.theirs) == ("", ())
        assert (await here.arrived.get())[0] == options(1)
        here.port.close()
        there.port.close()

    play(main())


def test_certificates_are_renewed_for_both_roles_and_calls_go_on(play: Play) -> None:
    async def main() -> None:
        here, there = Ears(pbx()), Ears(sbc())
        out = here.flow(there, SBC)
        here.port.send(options(1), out)
        await here.up()
        old = (await there.up()).flow
        await there.arrived.get()
        fresh = authority("Customer").issue(PBX, "new.customer.example")
        here.port.renew(pbx(identity=fresh))
        with pytest.raises(ParseError):
            here.port.renew(pbx(identity=fresh, most="1.1"))
        here.port.send(options(2), out)  # the old connection lives
        assert await there.arrived.get() == (options(2), old)
        there.port.send(options(3), there.flow(here, PBX))  # as server
        assert (await there.up()).theirs == (PBX, "new.customer.example")
        await here.up()
        assert (await here.arrived.get())[0] == options(3)
        here.port.end(out, "anew")
        await there.failed.get()
        here.port.send(options(4), out)  # as client
        await here.up()
        assert (await there.up()).theirs == (PBX, "new.customer.example")
        assert (await there.arrived.get())[0] == options(4)
        here.port.close()
        there.port.close()

    play(main())


def test_a_handshake_has_its_time(play: Play) -> None:
    async def main() -> None:
        ears = Ears(sbc(), handshake=0.05)
        reader, writer = await asyncio.open_connection(*ears.port.local)
        refused = await ears.refused()
        assert refused.flow.remote == writer.get_extra_info("sockname")
        assert refused.why == "no TLS handshake within 0.05 s: see that the peer speaks TLS on this port"
        with suppress(ConnectionError):
            assert await reader.read() == b""
        assert len(ears.port) == 0
        assert ears.failed.empty()
        await shut(writer)
        ears.port.close()

    play(main())


def test_what_is_no_tls_is_told(play: Play) -> None:
    async def main() -> None:
        ears = Ears(sbc())
        reader, writer = await asyncio.open_connection(*ears.port.local)
        writer.write(options(1))
        refused = await ears.refused()
        assert "what the peer sent is no TLS: see that it sends TLS to this port" in refused.why
        await reader.read()
        await shut(writer)
        ears.port.close()

    play(main())


def test_a_stranger_who_says_nothing_is_no_event_and_one_who_leaves_amid_is(play: Play) -> None:
    async def main() -> None:
        ears = Ears(sbc())
        _, silent = await asyncio.open_connection(*ears.port.local)
        await shut(silent)
        _, rude = await asyncio.open_connection(*ears.port.local)
        client = Session(TlsContext(terms(PBX), server=False), (SBC,))
        client.start()
        rude.write(client.outgoing()[:50])
        await rude.drain()
        await shut(rude)
        refused = await ears.refused()
        assert refused.flow.remote[0] == "127.0.0.1"
        assert refused.why.startswith("the peer closed the connection during the handshake, without an alert")
        assert ears.told.empty()
        ears.port.close()

    play(main())


def test_a_server_that_closes_after_the_handshake_without_a_word_is_told(play: Play) -> None:
    async def main() -> None:
        ears = Ears(pbx())
        async with Peers() as peers:
            flow = Flow("TLS", ears.port.local, peers.at, SBC)
            ears.port.send(options(1), flow)
            _, writer = await peers.shaken()
            await shut(writer)
            await ears.up()
            refused = await ears.refused()
            assert refused.why == (
                "the peer closed the connection right after the handshake, without a word: a TLS 1.3 server"
                f" may do so that does not take our certificate (CN={PBX}); its own log says why"
            )
            assert await ears.failed.get() == (flow, refused.why)
        ears.port.close()

    play(main())


def test_what_waits_for_a_handshake_is_bounded(play: Play) -> None:
    async def main() -> None:
        ears = Ears(pbx(), limits=Limits(unread=1000))
        async with Peers() as peers:
            flow = Flow("TLS", ears.port.local, peers.at, SBC)
            ears.port.send(options(1), flow)
            _, writer = await peers.opened.get()
            for number in range(10):
                ears.port.send(options(number), flow)
            assert await ears.failed.get() == (flow, "too much waits for the handshake")
            await shut(writer)
        ears.port.close()

    play(main())


def test_connections_that_shake_hands_are_counted(play: Play) -> None:
    async def main() -> None:
        ears = Ears(sbc(), limits=Limits(connections=1))
        _, first = await asyncio.open_connection(*ears.port.local)
        reader, second = await asyncio.open_connection(*ears.port.local)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        assert len(ears.port) == 1
        await shut(first)
        await shut(second)
        ears.port.close()

    play(main())


def test_closing_does_not_wait_for_a_refused_peer(play: Play) -> None:
    async def main() -> None:
        ears = Ears(sbc())
        reader, writer = await asyncio.open_connection(*ears.port.local)
        writer.write(b"no TLS at all, and it stays")
        await ears.refused()
        assert len(ears.port) == 1  # it may read the alert
        ears.port.close()
        with suppress(ConnectionError):
            await reader.read()
        assert len(ears.port) == 0
        await shut(writer)

    play(main())


def test_a_refused_peer_that_goes_on_talking_reads_the_alert_and_no_reset(play: Play) -> None:
    """What comes for a closed socket is answered by a reset, over which many a system forgets the alert."""

    async def main() -> None:
        ears, loop = Ears(sbc()), asyncio.get_running_loop()
        with socket.socket() as peer:
            peer.setblocking(False)
            await loop.sock_connect(peer, ears.port.local)
            await loop.sock_sendall(peer, b"\x16\3\1\0\4cert")  # a handshake message that there is not
            await ears.refused()
            for _ in range(3):
                await loop.sock_sendall(peer, b"and it goes on")
            heard = b""
            while data := await loop.sock_recv(peer, 1024):
                heard += data
            assert (heard[0], heard[3:6]) == (
                21,
                b"\0\2\2",
            )  # fatal, RFC 8446 §6
            assert len(heard) == 7
        ears.port.close()

    play(main())


def test_broken_records_end_an_established_connection(play: Play) -> None:
    async def main() -> None:
        ears = Ears(sbc())
        reader, writer = await asyncio.open_connection(*ears.port.local)
        client = Session(TlsContext(terms(PBX), server=False), (SBC,))
        client.start()
        while client.up is None:
            writer.write(client.outgoing())
            client.feed(await reader.read(65536))
        client.seal(options(1))
        writer.write(client.outgoing())
        flow = (await ears.up()).flow
        assert await ears.arrived.get() == (options(1), flow)
        ears.port.send(options(2), flow)
        heard = b""
        while not heard:
            heard = client.feed(await reader.read(65536))
        assert heard == options(2)
        writer.write(b"\x17\x03\x03\x00\x20" + bytes(32))
        failed, why = await ears.failed.get()
        assert failed == flow
        assert why == "the connection broke (bad_record_mac): what the peer sent is not TLS any more"
        client.feed(await reader.read())
        assert client.why == "the peer broke the connection off (bad_record_mac)"
        assert client.feed(b"more") == b""
        client.seal(b"more")
        assert client.outgoing() == b""
        assert ears.told.empty()  # no handshake was refused
        await shut(writer)
        ears.port.close()

    play(main())


def test_a_reset_connection_says_so(play: Play) -> None:
    async def main() -> None:
        ears = Ears(pbx())
        async with Peers() as peers:
            flow = Flow("TLS", ears.port.local, peers.at, SBC)
            ears.port.send(options(1), flow)
            session, writer = await peers.shaken()
            session.seal(options(2))
            writer.write(session.outgoing())
            assert await ears.arrived.get() == (options(2), flow)
            at_once = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            await shut(writer)
            assert await ears.failed.get() == (flow, "Connection reset by peer")
        ears.port.close()

    play(main())


@pytest.mark.rfc("5922#7.2")
def test_a_lost_connection_is_opened_again_for_the_name_and_not_for_the_address(play: Play) -> None:
    """SNI and the name that is checked are the gateway's FQDN, the second time as the first."""

    async def main() -> None:
        asked: list[bytes | None] = []
        sbc_ears, ears = Ears(sbc()), Ears(pbx(), upkeep=Upkeep(reopen=0.01))
        context = sbc_ears.port._server_context.openssl
        context.set_tlsext_servername_callback(lambda connection: asked.append(connection.get_servername()))
        flow = ears.flow(sbc_ears, SBC)
        ears.port.send(options(1), flow)
        for again in (False, True):
            assert (await ears.up()).flow == flow
            back = (await sbc_ears.up()).flow
            if not again:  # what has served is opened again
                await sbc_ears.arrived.get()
                sbc_ears.port.send(options(2), back)
                await ears.arrived.get()
                sbc_ears.port.end(back, "")
                assert (await ears.failed.get())[0] == flow
        assert asked == [SBC.encode()] * 2
        ears.port.close()
        sbc_ears.port.close()

    play(main())


def test_a_peer_that_answers_no_keep_alive_is_lost(play: Play) -> None:
    async def main() -> None:
        ears = Ears(pbx(), upkeep=Upkeep(ping=0.02, pong=0.02))
        async with Peers() as peers:
            flow = Flow("TLS", ears.port.local, peers.at, SBC)
            ears.port.send(b"", flow)
            session, writer = await peers.shaken()
            writer.write(session.outgoing())
            await ears.up()
            assert await ears.failed.get() == (flow, "no answer to a keep-alive within 0.02 s")
            await shut(writer)
        ears.port.close()

    play(main())


def test_the_keys_are_logged_by_a_knob_for_nobody_else_to_read(play: Play, tmp_path: Path) -> None:
    async def main() -> None:
        file = tmp_path / "keys.log"
        here, there = Ears(pbx(), keylog=str(file)), Ears(sbc())
        here.port.send(options(1), here.flow(there, SBC))
        await there.arrived.get()
        labels = [line.split()[0] for line in file.read_text().splitlines()]
        assert {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"} <= set(labels)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        here.port.close()
        here.port.close()
        there.port.close()

    play(main())


@pytest.mark.guide("TLS-1")
@pytest.mark.parametrize("most", ["1.2", "1.3"])
def test_the_client_offers_the_suites_of_the_guide_in_order_and_nothing_else(most: str) -> None:
    session = Session(TlsContext(terms(PBX, most=most), server=False), (SBC,))
    session.start()
    hello = session.outgoing()
    at = 5 + 4 + 2 + 32  # record and handshake header, version, random (RFC 8446 §4.1.2)
    at += 1 + hello[at]
    size = int.from_bytes(hello[at : at + 2])
    offered = [int.from_bytes(hello[at + 2 + n : at + 4 + n]) for n in range(0, size, 2)]
    scsv = 0x00FF  # RFC 5746 §3.3: no suite, but a word in the list
    assert [number for number in offered if number != scsv] == [*(NEWER if most == "1.3" else ()), *OLDER]
    assert hello[at + 2 + size : at + 4 + size] == b"\x01\x00"  # no compression
    assert SBC.encode() in hello


@pytest.mark.parametrize("most", ["1.2", "1.3"])
@pytest.mark.parametrize("cut", [1, 3, 5, 40, 70, 200, 100_000])
def test_records_give_the_same_text_however_the_stream_cuts_them(cut: int, most: str) -> None:
    client = Session(TlsContext(terms(PBX, most=most), server=False), (SBC,))
    server = Session(TlsContext(terms(SBC), server=True), (PBX,))
    client.start()
    while client.up is None or server.up is None:
        for sealed, taker in ((client.outgoing(), server), (server.outgoing(), client)):
            for at in range(0, len(sealed), cut):
                taker.feed(sealed[at : at + cut])
    texts = [b"one", b"two" * 10, b"3" * 40_000]
    sealed = b""
    for text in texts:
        client.seal(text)
        sealed += client.outgoing()
    read = b"".join(server.feed(sealed[at : at + cut]) for at in range(0, len(sealed), cut))
    assert read == b"".join(texts)
    assert client.feed(server.outgoing()) == b""  # tickets, in TLS 1.3
    server.seal(b"")  # no record: there is nothing to say
    assert server.outgoing() == b""
    server.seal(b"back")
    assert client.feed(server.outgoing()) == b"back"
    server.end()
    assert client.feed(server.outgoing()) == b""
    assert client.over


def test_nobody_renegotiates() -> None:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.use_certificate(identity(PBX).leaf)
    context.use_privatekey(identity(PBX).key.private)
    context.add_extra_chain_cert(identity(PBX).chain[1])
    peer = SSL.Connection(context, None)
    peer.set_connect_state()
    session = Session(TlsContext(terms(SBC), server=True), (PBX,))

    def shake() -> None:
        for _ in range(4):
            with suppress(SSL.WantReadError):
                peer.do_handshake()
            with suppress(SSL.WantReadError):
                session.feed(peer.bio_read(65536))
            if sealed := session.outgoing():
                peer.bio_write(sealed)

    shake()
    assert session.up is not None
    peer.renegotiate()
    with pytest.raises(SSL.Error, match="no renegotiation"):
        shake()


class Credulous(Session):
    """A session whose judge looks at nothing."""

    def judge(self, chain: tuple[Certificate, ...]) -> int:
        return 0


def test_a_peer_that_was_not_judged_is_never_let_in() -> None:
    client = Session(TlsContext(terms(PBX), server=False), (SBC,))
    server = Credulous(TlsContext(terms(SBC), server=True), (PBX,))
    client.start()
    for _ in range(3):
        server.feed(client.outgoing())
        client.feed(server.outgoing())
    assert server.up is None
    assert server.over
    assert server.refusal is not None
    assert server.refusal.why == "the peer's certificate was not judged"


def test_a_session_that_is_over_stays_over() -> None:
    session = Session(TlsContext(terms(SBC), server=True), (PBX,))
    session.feed(b"no TLS")
    refusal = session.refusal
    assert refusal is not None
    session.cut()
    session.end()
    session.seal(b"more")
    assert session.feed(b"more") == b""
    assert session.refusal is refusal


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"suites_1_3": (0x1304,)}, "expected known TLS suites; got '0x1304'"),
        ({"suites_1_3": (), "suites_1_2": ()}, "expected known TLS suites"),
        ({"least": "1.1"}, "tls.version: expected one of 1.2, 1.3; got '1.1'"),
        ({"identity": None}, "expected one: a TLS server presents a certificate"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_at_once(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ParseError) as error:
        TlsContext(terms(SBC, **changed), server=True)
    assert why in str(error.value)


def test_a_certificate_too_weak_to_present_is_refused_at_once() -> None:
    with pytest.raises(ParseError, match=r"expected one to present .*ee key too small"):
        TlsContext(terms(SBC, Bad.SMALL_KEY), server=True)


def test_a_wrong_party_leaves_no_socket_open(tmp_path: Path) -> None:
    with pytest.raises(ParseError):
        TlsPort("127.0.0.1", 0, sbc(least="1.1"), lambda event: None)
    with pytest.raises(OSError, match=r"TLS 192\.0\.2\.1 port 5061: "):
        TlsPort("192.0.2.1", 5061, sbc(), lambda event: None, keylog=str(tmp_path / "keys"))


class Node:
    """A node: keeps each event, and may answer what it receives with the same bytes."""

    drained = False

    def __init__(self, *, echoes: bool = False) -> None:
        self.echoes = echoes
        self.events: asyncio.Queue[Input] = asyncio.Queue()

    def receive(self, event: Input, now: float) -> list[Output]:
        self.events.put_nowait(event)
        return [Send(event.data, event.flow)] if self.echoes and isinstance(event, Received) else []

    def deadline(self) -> float | None:
        return None

    def expire(self, now: float) -> list[Output]:
        return []


def test_the_driver_tells_the_node_and_renews_what_it_listens_with(play: Play) -> None:
    async def main() -> None:
        there, here = Driver(), Driver()
        server, client = Node(echoes=True), Node()
        server_at = there.tls("127.0.0.1", 0, sbc())
        client_at = here.tls("127.0.0.1", 0, pbx())
        flow = Flow("TLS", client_at, server_at, SBC)
        there.start(server)
        here.start(client, [Send(options(1), flow)])
        assert isinstance(await client.events.get(), TlsUp)
        assert isinstance(await server.events.get(), TlsUp)
        assert isinstance(await server.events.get(), Received)
        assert await client.events.get() == Received(options(1), flow)
        there.renew_tls(server_at, sbc(allowed=()))
        other = Driver()
        other_at = other.tls("127.0.0.1", 0, pbx())
        third = Node()
        flow = Flow("TLS", other_at, server_at, SBC)
        other.start(third, [Send(options(2), flow)])
        assert isinstance(await server.events.get(), TlsRefused)
        assert isinstance(await third.events.get(), TlsUp)
        assert isinstance(await third.events.get(), TlsRefused)
        gone = await third.events.get()
        assert isinstance(gone, Unreachable)
        assert gone.flow == flow
        for driver in (here, there, other):
            driver.close()

    play(main())
