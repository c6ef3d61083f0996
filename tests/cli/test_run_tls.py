"""`trunkline run` over the internet: certificates from files, TLS both ways, media workers, SIGHUP."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.cli.secure_ground import IPBX, Gate, gates, names, paper, secure_ground
from tests.cli.verbs import PATIENCE, Ground
from tests.pbx.secured import KEY, SUITE, savp
from tests.tls_site import authority

from trunkline.aio.clock import SystemIds
from trunkline.call.node import TlsRefused, TlsUp
from trunkline.lab.addresses import as_yaml
from trunkline.lab.authority import Bad
from trunkline.lab.phones import LabPhone
from trunkline.sdp.description import Description
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request, Response


def play(main: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine in bounded time."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await main

    asyncio.run(bounded())


async def status(here: Ground) -> dict[str, Any]:
    """What `trunkline status --json` shows."""
    code, out, err = await asyncio.to_thread(here.run, "status", here.file, "--json")
    assert (code, err) == (0, "")
    shown: dict[str, Any] = json.loads(out)
    return shown


async def until(here: Ground, **wanted: str) -> dict[str, Any]:
    """The status once the nominal gateway is as wanted."""
    while True:
        shown = (await status(here))["gateways"][0]
        if all(shown[key] == value for key, value in wanted.items()):
            return dict(shown)
        await asyncio.sleep(0)


def logged(child: subprocess.Popen[str], part: str) -> str:
    """The next log line with `part` in it."""
    assert child.stderr is not None
    while part not in (line := child.stderr.readline()):
        assert line, f"no line with {part!r}"
    return line


def invite(gate: Gate, site: Any, body: bytes, flow: Flow) -> Request:
    """The carrier calls extension 201."""
    ids, name = SystemIds(), names(site)[0]
    headers = [
        ("Via", f"SIP/2.0/TLS {name}:5061;branch=z9hG4bK{ids.token()};rport"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:+33199009001@{name}>;tag={ids.token()}"),
        ("To", f"<sip:+33199001001@{IPBX}>"),
        ("Call-ID", ids.token()),
        ("CSeq", "1 INVITE"),
        ("Contact", f"<sip:+33199009001@{name}:5061;transport=tls>"),
    ]
    request = Request.build("INVITE", f"sip:+33199001001@{IPBX}:5061", headers, body)
    gate.port.send(bytes(request), flow)
    return request


def inside(gate: Gate, call: Request, answer: Any, method: str, flow: Flow) -> None:
    """An ACK or BYE of that call."""
    seq = 1 if method == "ACK" else 2
    names_ = ("Via", "Max-Forwards", "From", "Call-ID")
    headers = [(name, call.get(name) or "") for name in names_]
    headers += [("To", answer.get("to")), ("CSeq", f"{seq} {method}")]
    if method == "BYE":
        headers[0] = ("Via", f"SIP/2.0/TLS sbc:5061;branch=z9hG4bK{SystemIds().token()};rport")
    gate.port.send(bytes(Request.build(method, str(answer.contact.uri), headers)), flow)


@pytest.mark.guide("TLS-3")
@pytest.mark.guide("TLS-2")
@pytest.mark.guide("SEC-2")
def test_it_presents_its_certificate_to_each_sbc_and_asks_for_theirs() -> None:
    async def main() -> None:
        with secure_ground() as here:
            async with gates(here.site) as (nominal, backup):
                with here.running("run", here.file) as (_, told):
                    eth0, eth1 = here.site.interfaces.eth0, here.site.interfaces.eth1
                    assert eth1 is not None
                    assert told["trunk"] == {"TLS": f"{eth1.address}:5061"}
                    assert told["phones"]["TLS"] == f"{eth0.address}:5061"
                    for gate in (nominal, backup):
                        shaken = await gate.shakes()
                        assert isinstance(shaken, TlsUp), shaken
                        assert (shaken.version, shaken.suite) == ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384")
                        assert shaken.theirs == (IPBX,)
                        options, flow = await gate.hears("OPTIONS")
                        assert options.via.sent_by == f"{IPBX}:5061"
                        assert flow.remote[0] == eth1.address
                        gate.port.send(_ok(options), flow)
                    shown = await until(here, health="up")
                    assert shown["tls"] == {
                        "version": "TLS 1.2",
                        "suite": "ECDHE-RSA-AES256-GCM-SHA384",
                        "ours": f"CN={IPBX}",
                        "theirs": [names(here.site)[0]],
                        "refused": "",
                    }
                    whole = await status(here)
                    assert [held["names"] for held in whole["certificates"]] == [[IPBX], [IPBX]]
                    words = (await asyncio.to_thread(here.run, "status", here.file))[1]
                    assert "TLS 1.2, ECDHE-RSA-AES256-GCM-SHA384" in words
                    assert names(here.site)[0] in words

    play(main())


def _rarely_asks(here: Ground) -> None:
    """Let the site supervise its SBCs as often as a real one does; a lab's does each second."""
    gateways = []
    for gateway in here.site.trunk.gateways:
        supervision = gateway.protocol.supervision.model_copy(update={"every_up": 60.0})
        protocol = gateway.protocol.model_copy(update={"supervision": supervision})
        gateways.append(gateway.model_copy(update={"protocol": protocol}))
    trunk = here.site.trunk.model_copy(update={"gateways": tuple(gateways)})
    here.file.write_text(as_yaml(here.site.model_copy(update={"trunk": trunk})), "utf-8")


def _ok(options: Request) -> bytes:
    from trunkline.sip.message import respond

    return bytes(respond(options, 200, to_tag="t"))


@pytest.mark.guide("INET-4")
@pytest.mark.guide("SRTP-1")
def test_a_call_from_the_carrier_is_anchored_by_a_worker_and_no_key_is_in_the_trace(tmp_path: Path) -> None:
    async def main() -> None:
        trace, keys = tmp_path / "t.pcapng", tmp_path / "keys"
        with secure_ground({"media.workers": "1"}) as here:
            async with gates(here.site) as (nominal, _):
                with here.running("run", here.file, "--trace", trace, "--keylog", keys) as (child, told):
                    options, flow = await nominal.hears("OPTIONS")
                    nominal.port.send(_ok(options), flow)
                    host, _, port = told["phones"]["UDP"].rpartition(":")
                    address = here.site.carrier.sbcs[1].media
                    phone = LabPhone(here.site.users[0], here.site.phones.realm, (host, int(port)), address)
                    phone.start()
                    try:
                        assert await phone.registered(PATIENCE)
                        media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                        media.bind((here.site.carrier.sbcs[0].media, 0))
                        with media:
                            call = invite(nominal, here.site, savp(*media.getsockname()), flow)
                            answer, _ = await nominal.hears(200)
                            inside(nominal, call, answer, "ACK", flow)
                            audio = Description.parse(answer.body).audio
                            assert audio is not None
                            eth1 = here.site.interfaces.eth1
                            assert eth1 is not None
                            assert (audio.proto, audio.connection) == ("RTP/SAVP", eth1.address)
                            assert [line.suite for line in audio.crypto] == [SUITE]
                            ports = here.site.media.trunk_ports
                            assert ports is not None
                            assert ports.first <= audio.port < ports.last
                            assert audio.port % 2 == 0
                            media.setblocking(False)
                            loop = asyncio.get_running_loop()
                            packet = await loop.sock_recv(media, 2048)
                            assert len(packet) == 12 + 160 + 10  # SRTP: RTP, 20 ms of G.711, the tag
                            inside(nominal, call, answer, "BYE", flow)
                            await nominal.hears(200)
                    finally:
                        await phone.stop()
                    child.send_signal(signal.SIGTERM)
                    await asyncio.to_thread(child.wait, PATIENCE)
                    lines = (here.folder / "records.jsonl").read_text("utf-8").splitlines()
                    record = [json.loads(line) for line in lines]
                    legs = {leg["gateway"]: leg for leg in record if leg["record"] == "leg"}
                    assert legs["nominal"]["encryption"] == f"SDES {SUITE}"
        seen = trace.read_bytes()
        assert b"RTP/SAVP" in seen
        assert KEY.encode() not in seen
        assert audio.crypto[0].key_params[0].removeprefix("inline:").encode() not in seen
        assert keys.stat().st_mode & 0o777 == 0o600
        assert b"CLIENT_RANDOM" in keys.read_bytes()

    play(main())


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (Bad.EXPIRED, "expired"),
        (Bad.WRONG_NAME, "other-sbc1"),
        (Bad.WRONG_CA, "Stranger"),
    ],
)
def test_status_says_in_words_why_an_sbc_was_refused(bad: Bad, sentence: str) -> None:
    async def main() -> None:
        with secure_ground() as here:
            async with gates(here.site, bad) as (nominal, _):
                with here.running("run", here.file) as (child, _told):
                    shaken = await nominal.shakes()
                    assert isinstance(shaken, TlsRefused)
                    shown = await until(here, health="down")
                    assert "this side refused" in shown["why"]
                    assert sentence in shown["why"]
                    assert sentence in shown["tls"]["refused"]
                    assert sentence in await asyncio.to_thread(logged, child, "gateway nominal: TLS refused")

    play(main())


def presented(place: str) -> int:
    """The serial number of what the phones' port presents."""
    import ssl

    from cryptography import x509

    host, _, port = place.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port))) as raw, context.wrap_socket(raw) as sealed:
        der = sealed.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


def test_a_lost_connection_is_opened_again_before_anything_is_to_be_sent() -> None:
    async def main() -> None:
        with secure_ground() as here:
            _rarely_asks(here)
            async with gates(here.site) as (nominal, _):
                with here.running("run", here.file):
                    await nominal.shakes()
                    options, flow = await nominal.hears("OPTIONS")
                    nominal.port.send(_ok(options), flow)
                    await until(here, health="up")
                    nominal.port.end(flow, "")
                    shaken = await nominal.shakes()
                    assert isinstance(shaken, TlsUp), shaken
                    invite(nominal, here.site, savp("127.0.0.1"), shaken.flow)
                    async with asyncio.timeout(PATIENCE):
                        first, _ = await nominal.arrived.get()
                    # An OPTIONS for which it was opened would have come first.
                    assert isinstance(first, Response), first

    play(main())


@pytest.mark.guide("CERT-2")
def test_sighup_takes_new_certificates_for_both_roles_and_drops_no_connection() -> None:
    async def main() -> None:
        with secure_ground() as here:
            async with gates(here.site) as (nominal, _):
                with here.running("run", here.file) as (child, told):
                    await nominal.shakes()
                    options, flow = await nominal.hears("OPTIONS")
                    nominal.port.send(_ok(options), flow)
                    before = await asyncio.to_thread(presented, told["phones"]["TLS"])
                    (here.folder / "ipbx.key").write_text("no key")
                    child.send_signal(signal.SIGHUP)
                    line = await asyncio.to_thread(logged, child, "not reloaded")
                    assert "certificates.public_server" in line
                    assert await asyncio.to_thread(presented, told["phones"]["TLS"]) == before
                    renewed = authority("Customer").issue(IPBX, common_name="renewed")
                    paper(here.folder, renewed)
                    child.send_signal(signal.SIGHUP)
                    await asyncio.to_thread(logged, child, "reloaded; new calls take it")
                    after = await asyncio.to_thread(presented, told["phones"]["TLS"])
                    assert after == renewed.leaf.serial_number != before
                    call = invite(nominal, here.site, savp("127.0.0.1"), flow)  # on the old connection
                    refusal, over = await nominal.hears(480)
                    assert over == flow
                    inside(nominal, call, refusal.with_header("Contact", f"<sip:{IPBX}>"), "ACK", flow)
                    nominal.port.end(flow, "")  # the next connection is made with the new certificate
                    shaken = await nominal.shakes()
                    assert isinstance(shaken, TlsUp), shaken
                    shown = (await status(here))["gateways"][0]["tls"]
                    assert shown["ours"] == "CN=renewed"

    play(main())


def test_a_certificate_file_that_cannot_be_used_is_exit_2_with_its_place() -> None:
    with secure_ground() as here:
        (here.folder / "ipbx.pem").unlink()
        code, out, err = here.run("run", here.file)
        assert (code, out) == (2, "")
        assert "MUST certificates.public_server.certificate: the file ipbx.pem cannot be read" in err
        assert f"{here.file}:1:1:" not in err
        paper(here.folder, authority("Customer").issue(IPBX))
        (here.folder / "ipbx.key").write_bytes(authority("Customer").issue(IPBX).key.pem())
        code, _, err = here.run("run", here.file)
        assert code == 2
        assert "expected the certificate of the private key" in err
        (here.folder / "carrier.pem").write_text("nothing")
        code, _, err = here.run("run", here.file)
        assert "MUST certificates.trust.0: carrier.pem: " in err


def test_what_a_peer_would_refuse_of_our_own_is_told_at_start() -> None:
    with secure_ground(bad=Bad.EXPIRED) as here, here.running("run", here.file) as (child, _):
        line = logged(child, "certificates.public_server")
        assert " warning: " in line
        assert "expired" in line


def test_another_architecture_needs_a_new_start() -> None:
    with secure_ground() as here, here.running("run", here.file) as (child, _):
        text = here.file.read_text("utf-8").replace('"internet-a"', '"bvpn"')
        here.file.write_text(text, "utf-8")
        child.send_signal(signal.SIGHUP)
        assert "not reloaded" in logged(child, "not reloaded")
