"""`trunkline carrier` over the internet: whom it lets in, certificates read again, media of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.cli.secure_ground import IPBX, names, paper
from tests.cli.verbs import PATIENCE, Ground, ground
from tests.example_site import INTERNET
from tests.family import Watch, children
from tests.tls_site import NEWER, OLDER, authority

from trunkline.aio.clock import SystemIds
from trunkline.aio.tls import Terms
from trunkline.aio.tls_stream import Parties, TlsPort
from trunkline.call.node import TlsRefused, TlsUp
from trunkline.lab.addresses import as_yaml
from trunkline.lab.authority import Bad
from trunkline.pki.identity import Identity
from trunkline.sip.flow import Flow
from trunkline.sip.message import Request, Response, parse
from trunkline.site.model import CarrierSbc, CertificateFiles, Site


@cache
def issued(whose: str, name: str) -> Identity:
    """A good certificate of this authority."""
    return authority(whose).issue(name)


@contextmanager
def carrier_ground(**changed: Any) -> Iterator[Ground]:
    """A ground of the internet example whose access SBCs have certificates; `changed` of the carrier."""
    with ground(None, INTERNET) as here:
        (here.folder / "customer.pem").write_bytes(authority("Customer").pem)
        sbcs = tuple(
            certified(here.folder, sbc, issued("Carrier", name))
            for sbc, name in zip(here.site.carrier.sbcs, names(here.site), strict=True)
        )
        update = {"sbcs": sbcs, "trust": ("customer.pem",), **changed}
        site = here.site.model_copy(update={"carrier": here.site.carrier.model_copy(update=update)})
        here.file.write_text(as_yaml(site), "utf-8")
        yield replace(here, site=site)


def certified(folder: Path, sbc: CarrierSbc, identity: Identity) -> CarrierSbc:
    """The SBC with this certificate on disk."""
    files = CertificateFiles.model_validate(paper(folder, identity, sbc.label))
    return sbc.model_copy(update={"certificate": files})


class Customer:
    """The customer's TLS port, with the certificate it is given; used inside one event loop."""

    def __init__(self, site: Site, identity: Identity | None, most: str = "1.3") -> None:
        sbc, name = site.carrier.sbcs[0], names(site)[0]
        assert site.interfaces.eth1 is not None
        terms = Terms(identity, authority("Carrier").store, NEWER, OLDER, most=most)
        listening = replace(terms, identity=identity or issued("Customer", IPBX))
        self.heard: asyncio.Queue[TlsUp | TlsRefused | Request | Response] = asyncio.Queue()
        parties = Parties(listening, (name,), {name: terms})
        self.port = TlsPort(site.interfaces.eth1.address, 0, parties, self.heard.put_nowait)
        self.flow = Flow("TLS", self.port.local, (sbc.signalling, sbc.port), name)
        self.port.listen(lambda data, _: self.heard.put_nowait(parse(data)), lambda *_: None)

    def options(self) -> None:
        ids = SystemIds()
        headers = [
            ("Via", f"SIP/2.0/TLS {IPBX}:5061;branch=z9hG4bK{ids.token()};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:{IPBX}>;tag={ids.token()}"),
            ("To", f"<sip:{self.flow.peer}>"),
            ("Call-ID", ids.token()),
            ("CSeq", "1 OPTIONS"),
        ]
        self.port.send(bytes(Request.build("OPTIONS", f"sip:{self.flow.peer}", headers)), self.flow)

    async def shakes(self) -> TlsUp | TlsRefused:
        """How the handshake went for us; a TLS 1.3 server refuses after it."""
        self.options()
        told = await self.heard.get()
        assert isinstance(told, TlsUp | TlsRefused)
        if isinstance(told, TlsRefused):
            return told
        then = await self.heard.get()
        return then if isinstance(then, TlsRefused) else told


def shakes(site: Site, identity: Identity | None, most: str = "1.3") -> TlsUp | TlsRefused:
    """The customer connects with this certificate and asks whether anybody is there."""

    async def whole() -> TlsUp | TlsRefused:
        async with asyncio.timeout(PATIENCE):
            customer = Customer(site, identity, most)
            try:
                return await customer.shakes()
            finally:
                customer.port.close()

    return asyncio.run(whole())


def logged(child: subprocess.Popen[str], part: str) -> str:
    """The next log line with `part` in it."""
    assert child.stderr is not None
    while part not in (line := child.stderr.readline()):
        assert line, f"no line with {part!r}"
    return line


def asked(here: Ground, *words: str) -> tuple[int, dict[str, Any]]:
    code, out, err = here.run("carrier", here.file, "--sbc", "nominal", "--json", "--ask", *words)
    assert err == ""
    return code, json.loads(out)


@pytest.mark.guide("TLS-1")
@pytest.mark.guide("TLS-3")
@pytest.mark.parametrize(("most", "version"), [("1.2", "TLS 1.2"), ("1.3", "TLS 1.3")])
def test_the_customer_is_let_in_by_its_certificate_over_either_version(most: str, version: str) -> None:
    with carrier_ground() as here, here.running("carrier", here.file, "--sbc", "nominal") as (child, ready):
        assert ready["sbcs"][0]["transport"] == "TLS"
        up = shakes(here.site, issued("Customer", IPBX), most)
        assert isinstance(up, TlsUp), up
        assert "it is ipbx.customer.example, we are CN=sbc1." in logged(child, f"customer: {version} with ")
        _, status = asked(here, "status")
        assert status["customer"]["tls"]["version"] == version


@pytest.mark.guide("TLS-3")
@pytest.mark.parametrize("most", ["1.2", "1.3"])
@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (None, "the peer presented no certificate"),
        (Bad.WRONG_CA, "CN=Stranger"),
        (Bad.EXPIRED, "expired"),
        (Bad.WRONG_NAME, "ipbx.customer.example"),
    ],
)
def test_any_other_certificate_or_none_is_refused_in_words(bad: Bad | None, says: str, most: str) -> None:
    identity = None if bad is None else authority("Customer").issue_bad(bad, IPBX)
    with carrier_ground() as here, here.running("carrier", here.file, "--sbc", "nominal") as (child, _):
        refused = shakes(here.site, identity, most)
        assert isinstance(refused, TlsRefused), refused
        assert says in logged(child, "customer: TLS refused: ")
        _, status = asked(here, "status")
        assert status["refused_handshakes"] >= 1
        assert status["customer"]["tls"]["refused"]


def test_renewed_certificates_are_shown_to_new_connections() -> None:
    with carrier_ground() as here, here.running("carrier", here.file, "--sbc", "nominal") as (child, _):
        own = issued("Customer", IPBX)
        assert isinstance(shakes(here.site, own), TlsUp)
        (here.folder / "nominal.pem").write_text("nothing", "utf-8")
        code, answer = asked(here, "renew")
        assert (code, answer["renewed"]) == (1, False)
        assert "carrier.sbcs.0.certificate" in answer["errors"][0]
        assert isinstance(shakes(here.site, own), TlsUp)  # the old one stays in force
        paper(here.folder, authority("Stranger").issue(names(here.site)[0]), "nominal")
        child.send_signal(signal.SIGHUP)
        logged(child, "certificates read again")
        refused = shakes(here.site, own)
        assert isinstance(refused, TlsRefused)
        assert "CN=Stranger" in refused.why


def test_over_bvpn_there_is_nothing_to_renew() -> None:
    with ground() as here, here.running("carrier", here.file, "--sbc", "nominal"):
        code, answer = asked(here, "renew")
        assert (code, answer["errors"]) == (1, ["there is no TLS here, and so no certificate"])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"trust": ()}, "no root is trusted: every customer would be refused"),
        ({"trust": ("none.pem",)}, "the file none.pem cannot be read"),
    ],
)
def test_a_carrier_without_its_papers_is_exit_2(changed: dict[str, Any], says: str) -> None:
    with carrier_ground(**changed) as here:
        code, out, err = here.run("carrier", here.file)
    assert (code, out) == (2, "")
    assert says in err


def test_the_shipped_example_names_no_certificate_of_the_carrier() -> None:
    with ground(None, INTERNET) as here:
        code, _, err = here.run("carrier", here.file)
    assert code == 2
    assert "carrier.sbcs.0: the access SBC nominal has no certificate" in err
    assert "`trunkline lab` makes its own" in err


def test_its_media_workers_end_with_it_however_it_ends() -> None:
    with carrier_ground() as here, here.running("carrier", here.file, "--sbc", "nominal") as (child, _):
        workers = children(child.pid)
        assert len(workers) == 1
        watch = Watch(workers)
        child.kill()
        child.wait(timeout=PATIENCE)
        assert watch.ended(PATIENCE)
