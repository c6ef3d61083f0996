"""`trunkline cert doctor` at real peers: `openssl s_server` with every fault, and sslyze beside it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.example_site import INTERNET, edited
from tests.interop import openssl
from tests.interop.program import Address, loopback, until
from tests.tls_site import NEWER, OLDER, PBX, SBC, authority, files, identity

from trunkline.aio.tls import SUITES
from trunkline.cli.main import main
from trunkline.lab.authority import Bad
from trunkline.lab.names import NameServer, Record, make_zone
from trunkline.pki.certificate import pem_of
from trunkline.pki.identity import Identity
from trunkline.site.load import load

SSLYZE = Path(__file__).parents[2] / ".venv-sslyze" / "bin" / "python"
PORT = 5061


@pytest.fixture
def at() -> Address:
    return loopback(), PORT


def written(folder: Path, held: Identity | None = None, dns: str = "127.0.0.1:53") -> Path:
    """A site whose certificate is the customer's, or the one given, and that trusts the carrier's CA."""
    own = held or identity(PBX)
    leaf, chain, key = files(folder, own, "ipbx")
    (folder / "ipbx.pem").write_bytes(leaf.read_bytes() + chain.read_bytes())
    (folder / "carrier.pem").write_bytes(authority("Carrier").pem)
    certificates = {"public_server": {"certificate": "ipbx.pem", "key": key.name}, "trust": ["carrier.pem"]}
    file = folder / "site.yaml"
    file.write_text(edited({"certificates": certificates, "dns": [dns]}, INTERNET), "utf-8")
    assert load(file.read_bytes(), "site.yaml").site is not None
    return file


def doctor(
    capsys: pytest.CaptureFixture[str], site: Path, peer: str, *words: str
) -> tuple[int, dict[str, Any], dict[str, list[tuple[bool, str]]]]:
    """The doctor's exit code, its report, and its diagnoses by check."""
    code = main(["cert", "doctor", peer, "--site", str(site), "--name", SBC, "--json", *words])
    report = json.loads(capsys.readouterr().out)
    found: dict[str, list[tuple[bool, str]]] = {}
    for one in report["diagnoses"]:
        found.setdefault(one["check"], []).append((one["bad"], one["says"]))
    return code, report, found


def asked(report: dict[str, Any]) -> Any:
    (address,) = report["addresses"]
    return address


def peer_at(at: Address) -> str:
    return f"{at[0]}:{at[1]}"


@pytest.mark.guide("TLS-1")
def test_a_good_peer_is_good_by_every_step(
    tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    with openssl.server(tmp_path / "sbc", at, identity(SBC), authority("Customer").store):
        code, report, found = doctor(capsys, written(tmp_path), peer_at(at))
    assert code == 0
    assert asked(report)["versions"] == {"1.2": True, "1.3": True}
    assert asked(report)["without_certificate"] == {"1.2": False, "1.3": False}
    assert asked(report)["suites"] == {f"0x{number:04x}": True for number in (*OLDER, *NEWER)}
    assert [bad for bad, _ in found["mutual"]] == [False]


@pytest.mark.guide("TLS-3")
def test_a_peer_that_takes_anybody_is_told(
    tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-accept", peer_at(at), "-rev"]
    held, trust = identity(SBC), authority("Customer").store
    with openssl.Openssl("s_server", tmp_path / "sbc", held, trust, words) as server:
        until(lambda: "ACCEPT" in server.said, 10, "s_server listens", server)
        code, report, found = doctor(capsys, written(tmp_path), peer_at(at))
    assert code == 1
    assert asked(report)["without_certificate"] == {"1.2": True, "1.3": True}
    assert found["mutual"][0][0]
    assert "does not authenticate you" in found["mutual"][0][1]


@pytest.mark.guide("CERT-4")
@pytest.mark.rfc("8446#4.4.2.4")
def test_a_refusal_that_a_tls_1_3_client_learns_afterwards_is_told_in_words(
    tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    with openssl.server(tmp_path / "sbc", at, identity(SBC), authority("Stranger").store):
        code, report, found = doctor(capsys, written(tmp_path), peer_at(at))
    assert code == 1
    assert asked(report)["versions"] == {"1.2": False, "1.3": False}
    late = [says for _, says in found["refusal"] if says.startswith("TLS 1.3 stood on our side")]
    assert len(late) == 1
    told = " ".join(says for group in found.values() for _, says in group)
    assert "send the peer our root and intermediates" in told


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Bad.EXPIRED, "expired on"),
        (Bad.WRONG_NAME, f"not for {SBC}"),
        (Bad.NO_INTERMEDIATE, "neither sent nor in the trust store"),
        (Bad.WRONG_CA, "neither sent nor in the trust store"),
    ],
)
def test_what_is_wrong_with_the_peers_certificate_is_told(
    bad: Bad, words: str, tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    site = written(tmp_path)
    if bad in (Bad.NO_INTERMEDIATE, Bad.WRONG_CA):
        (tmp_path / "carrier.pem").write_bytes(pem_of((authority("Carrier").root,)))
    with openssl.server(tmp_path / "sbc", at, identity(SBC, bad), authority("Customer").store):
        code, _, found = doctor(capsys, site, peer_at(at))
    assert code == 1
    assert any(words in says for _, says in found["certificate"])


def test_a_closed_port_and_a_name_nobody_knows_are_told_apart(
    tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, found = doctor(capsys, written(tmp_path), peer_at(at))
    assert code == 1
    assert "nobody listens" in found["tcp"][0][1]

    async def names(peer: str) -> dict[str, list[tuple[bool, str]]]:
        server = NameServer(make_zone("carrier.example", [Record("sbc1.carrier.example.", "A", at[0])]))
        await server.open(at[0], 5353)
        try:
            site = written(tmp_path, dns=f"{at[0]}:5353")
            words = ("cert", "doctor", peer, "--site", str(site), "--json")
            await asyncio.to_thread(main, list(words))
        finally:
            server.close()
        report = json.loads(capsys.readouterr().out)
        return {one["check"]: [(one["bad"], one["says"])] for one in report["diagnoses"]}

    assert "has no A record" in asyncio.run(names("sbc9.carrier.example"))["dns"][0][1]
    known = asyncio.run(names("sbc1.carrier.example"))
    assert known["dns"] == [(False, f"sbc1.carrier.example is {at[0]}")]
    assert known["tcp"][0][0]


def walked(
    site: Path, at: Address, records: list[Record], capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str]:
    """The doctor's exit code and words, with a name server that holds these records."""

    async def run() -> int:
        server = NameServer(make_zone("carrier.example", records))
        await server.open(at[0], 5353)
        try:
            return await asyncio.to_thread(main, ["cert", "doctor", *words, "--site", str(site)])
        finally:
            server.close()

    code = asyncio.run(run())
    return code, capsys.readouterr().out


@pytest.mark.guide("DNS-1")
def test_service_records_lead_to_the_peer_where_the_name_has_no_address(
    tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [
        Record("_sips._tcp.sbc5.carrier.example.", "SRV", f"0 0 {at[1]} a.carrier.example."),
        Record("a.carrier.example.", "A", at[0]),
    ]
    site = written(tmp_path, dns=f"{at[0]}:5353")
    with openssl.server(tmp_path / "sbc", at, identity(SBC), authority("Customer").store):
        code, out = walked(site, at, records, capsys, "sbc5.carrier.example", "--name", SBC)
        assert code == 1  # the gateways ask for A records
        assert f"_sips._tcp.sbc5.carrier.example (SRV) leads to a.carrier.example:{at[1]}" in out
        assert "TLS 1.2 stands" in out
        site.write_text(site.read_text("utf-8").replace("mode: A", "mode: SRV"), "utf-8")
        code, out = walked(site, at, records, capsys, "sbc5.carrier.example", "--name", SBC)
        assert code == 0, out


def test_the_host_is_resolved_and_the_name_is_only_what_its_certificate_bears(
    tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [Record("host.carrier.example.", "A", at[0])]
    site = written(tmp_path, dns=f"{at[0]}:5353")
    with openssl.server(tmp_path / "sbc", at, identity(SBC), authority("Customer").store):
        code, out = walked(site, at, records, capsys, f"host.carrier.example:{at[1]}", "--name", SBC)
        assert code == 0, out
        code, out = walked(site, at, records, capsys, f"host.carrier.example:{at[1]}", "--lang", "fr")
    assert code == 1
    assert "TLS 1.2 : le certificat" in out
    assert "corrigez le nom" in out


def test_what_the_peer_says_is_told_in_french(
    tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    with openssl.server(tmp_path / "sbc", at, identity(SBC), authority("Stranger").store):
        main(["cert", "doctor", peer_at(at), "--site", str(written(tmp_path)), "--name", SBC, "--lang", "fr"])
    out = capsys.readouterr().out
    assert "le pair a refusé (unknown_ca) : il ne reconnaît pas qui a signé notre certificat" in out
    assert "the peer" not in out


SUITE_SETS: list[tuple[str, Sequence[int]]] = [
    ("all", (*OLDER, *NEWER)),
    ("one of each", (0xC030, 0x1302)),
    ("CBC alone", (0xC028, 0xC027)),
]


@pytest.mark.guide("TLS-1")
@pytest.mark.parametrize(("label", "numbers"), SUITE_SETS, ids=[label for label, _ in SUITE_SETS])
def test_sslyze_agrees_on_the_suites(
    label: str, numbers: Sequence[int], tmp_path: Path, at: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = [SUITES[number] for number in numbers if number in NEWER]
    older = [SUITES[number] for number in numbers if number in OLDER]
    options = [
        "-cipher",
        ":".join(older) + ":@SECLEVEL=0",
        *(["-ciphersuites", ":".join(newer)] if newer else ["-no_tls1_3"]),
    ]
    with openssl.server(tmp_path / "sbc", at, identity(SBC), authority("Customer").store, *options):
        _, report, _ = doctor(capsys, written(tmp_path), peer_at(at))
        theirs = _sslyze(tmp_path, at)
    ours = {SUITES[int(number, 16)] for number, taken in asked(report)["suites"].items() if taken}
    assert ours == theirs == {SUITES[number] for number in numbers}


def _sslyze(folder: Path, at: Address) -> set[str]:
    """The suites that sslyze finds, by OpenSSL's names: those of the guide alone."""
    out = folder / "sslyze.json"
    words = [
        str(SSLYZE),
        "-m",
        "sslyze",
        "--tlsv1_2",
        "--tlsv1_3",
        f"--json_out={out}",
        f"--sni={SBC}",
        peer_at(at),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert out.exists(), done.stderr
    (result,) = json.loads(out.read_text())["server_scan_results"]
    found = set()
    for scan in ("tls_1_2_cipher_suites", "tls_1_3_cipher_suites"):
        taken = result["scan_result"][scan]["result"]["accepted_cipher_suites"]
        found |= {one["cipher_suite"]["openssl_name"] for one in taken}
    return found
