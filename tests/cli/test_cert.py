"""`trunkline cert`, as a person runs it: from the request to the running IPBX, and for monitoring."""

from __future__ import annotations

import json
import stat
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from tests.cli.secure_ground import IPBX, secure_ground
from tests.cli.test_run_tls import presented
from tests.example_site import INTERNET, edited
from tests.guide.test_foresight import G2, GOOD, KEYS, SERVER, own_ca
from tests.tls_site import NOW, authority

from trunkline.cli.main import main
from trunkline.guide.facts import shipped
from trunkline.pki.certificate import Certificate, pem_of, read_certificates
from trunkline.pki.csr import Request
from trunkline.pki.identity import Identity

Capture = pytest.CaptureFixture[str]
FACTS = shipped()["business-talk-oxo-6.x"]
AUTHORITY = authority("Customer")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.yaml"
    file.write_text(edited({}, INTERNET), "utf-8")
    return file


def ran(capsys: Capture, *words: str | Path) -> tuple[int, str, str]:
    code = main(["cert", *map(str, words)])
    out = capsys.readouterr()
    return code, out.out, out.err


def signed(request: Path, *, subject: str = IPBX, name: str = IPBX, days: int = 90) -> Certificate:
    """What a public CA makes of a request today: the name alone, for serverAuth alone."""
    asked = x509.load_pem_x509_csr(request.read_bytes())
    held = AUTHORITY.issue(name, common_name=subject, uses=(), until=NOW + timedelta(days=days))
    template = held.leaf
    builder = x509.CertificateBuilder().subject_name(template.subject).issuer_name(template.issuer)
    builder = builder.public_key(asked.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(template.not_valid_before_utc).not_valid_after(
        template.not_valid_after_utc
    )
    for extension in template.extensions:
        if extension.oid != x509.SubjectKeyIdentifier.oid:
            builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(AUTHORITY._key.private, hashes.SHA256())


@pytest.mark.guide("CERT-1")
def test_a_request_bears_the_guides_subject_and_its_key_is_the_owners_alone(
    site: Path, capsys: Capture
) -> None:
    code, out, _ = ran(capsys, "csr", site)
    assert code == 0
    assert "send it to your public CA" in out
    request, key = (site.parent / "certificates" / name for name in ("ipbx.csr", "ipbx.key.pending"))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    words = [
        "openssl",
        "req",
        "-in",
        str(request),
        "-noout",
        "-verify",
        "-subject",
        "-nameopt",
        "RFC2253,-dn_rev",
    ]
    told = subprocess.run([*words, "-text"], capture_output=True, text=True, check=True).stdout
    organization = FACTS.text("certificates.subject_o")
    subject = f"L={FACTS.text('certificates.subject_l')},O={organization},OU={organization},CN={IPBX}"
    assert subject in told.replace("subject=", "")
    assert f"DNS:{IPBX}" in told
    assert "(2048 bit)" in told
    assert Request.parse(request.read_bytes()).dns == (IPBX,)


def test_a_second_request_is_refused_while_one_is_pending_and_the_first_can_be_given_up(
    site: Path, capsys: Capture
) -> None:
    assert ran(capsys, "csr", site)[0] == 0
    key = (site.parent / "certificates/ipbx.key.pending").read_bytes()
    code, _, err = ran(capsys, "csr", site)
    assert code == 2
    assert "a request is pending" in err
    assert (site.parent / "certificates/ipbx.key.pending").read_bytes() == key
    code, out, _ = ran(capsys, "csr", site, "--abandon")
    assert code == 0
    assert [Path(line).read_bytes() == key for line in out.splitlines()] == [True, False]
    assert ran(capsys, "csr", site, "--lang", "fr")[0] == 0


def test_a_name_over_64_characters_is_no_cn(site: Path, capsys: Capture) -> None:
    long = "a" * 50 + ".customer.example"
    site.write_text(edited({"interfaces.eth0.domain_name": long}, INTERNET), "utf-8")
    code, _, err = ran(capsys, "csr", site)
    assert code in (1, 2)
    assert "64" in err or long in err
    assert not (site.parent / "certificates").exists()


@pytest.mark.guide("CERT-2")
def test_what_the_ca_sent_is_installed_in_order_and_what_it_left_out_is_a_note(
    site: Path, capsys: Capture
) -> None:
    ran(capsys, "csr", site)
    folder = site.parent / "certificates"
    leaf = signed(folder / "ipbx.csr")
    pile = site.parent / "from-the-ca.p7b"
    pile.write_bytes(
        pkcs7.serialize_certificates([AUTHORITY.root, leaf, AUTHORITY.intermediate], Encoding.DER)
    )
    code, out, _ = ran(capsys, "install", site, pile)
    assert code == 0, out
    assert "the CA left out of the subject: L=Generic" in out
    assert read_certificates((folder / "ipbx.pem").read_bytes()) == (leaf, AUTHORITY.intermediate)
    assert stat.S_IMODE((folder / "ipbx.key").stat().st_mode) == 0o600
    assert sorted(file.name for file in folder.iterdir()) == ["ipbx.key", "ipbx.pem"]
    code, out, _ = ran(capsys, "bundle", site, pile, "--for-carrier", "-o", site.parent / "for-carrier.pem")
    assert code == 0
    assert read_certificates((site.parent / "for-carrier.pem").read_bytes()) == (
        AUTHORITY.intermediate,
        AUTHORITY.root,
    )
    verify = ["openssl", "verify", "-CAfile", str(site.parent / "for-carrier.pem"), str(folder / "ipbx.pem")]
    assert subprocess.run(verify, capture_output=True, text=True).stdout.endswith(": OK\n")


def test_what_a_peer_would_refuse_is_not_installed(site: Path, capsys: Capture) -> None:
    ran(capsys, "csr", site)
    folder, pile = site.parent / "certificates", site.parent / "pile.pem"
    leaf = signed(folder / "ipbx.csr")
    other = AUTHORITY.issue(IPBX)
    refusals: list[tuple[tuple[Certificate, ...], str]] = [
        ((leaf,), "neither sent nor in the trust store"),
        (
            (signed(folder / "ipbx.csr", name="other.example"), AUTHORITY.intermediate, AUTHORITY.root),
            "is for other.example",
        ),
        ((signed(folder / "ipbx.csr", days=-0), AUTHORITY.intermediate, AUTHORITY.root), "expired"),
        ((other.leaf, AUTHORITY.intermediate, AUTHORITY.root), "another key"),
    ]
    for certificates, why in refusals:
        pile.write_bytes(pem_of(certificates))
        code, out, _ = ran(
            capsys, "install", site, pile, *(("--at", "2999-01-01") if why == "expired" else ())
        )
        assert code == 1
        assert why in out
    assert not (folder / "ipbx.pem").exists()
    assert (folder / "ipbx.key.pending").exists()


@pytest.mark.guide("CERT-3")
def test_the_trust_store_takes_cas_alone_and_names_what_is_missing(site: Path, capsys: Capture) -> None:
    code, out, _ = ran(capsys, "trust", site)
    assert code == 1
    root, inner = FACTS.text("certificates.carrier_root"), FACTS.text("certificates.carrier_intermediate")
    assert root in out
    assert inner in out
    carrier = site.parent / "carrier.pem"
    carrier.write_bytes(authority("Carrier").pem)
    code, out, _ = ran(capsys, "trust", site, carrier, "--json")
    shown = json.loads(out)
    assert [one["name"] for one in shown["roots"]] == ["CN=Carrier Root CA"]
    assert len(shown["missing"]) == 2
    carrier.write_bytes(pem_of(AUTHORITY.issue(IPBX).chain[:1]))
    code, _, err = ran(capsys, "trust", site, carrier)
    assert code == 2
    assert "is no CA" in err


def test_a_public_root_is_found_by_name_and_never_made_up(site: Path, capsys: Capture) -> None:
    code, out, _ = ran(capsys, "trust", site, "--public", "DigiCert Global Root G2")
    assert "SHA-256 cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f" in out
    code, _, err = ran(capsys, "trust", site, "--public", "No Such Root")
    assert code == 2
    assert "No Such Root" in err


def monitored(site: Path, capsys: Capture, days: int, *words: str) -> tuple[int, str]:
    folder = site.parent / "certificates"
    folder.mkdir(exist_ok=True)
    held = AUTHORITY.issue(IPBX, until=NOW + timedelta(days=days, hours=1), since=NOW - timedelta(days=400))
    (folder / "ipbx.pem").write_bytes(pem_of(held.chain))
    for name in ("carrier-ca.pem", "customer-ca.pem"):
        (folder / name).write_bytes(AUTHORITY.pem)
    code, out, _ = ran(capsys, "expiry", site, "--nagios", *words)
    return code, out


@pytest.mark.parametrize(
    ("days", "code", "word"), [(90, 0, "OK"), (30, 1, "WARNING"), (7, 2, "CRITICAL"), (-3, 2, "CRITICAL")]
)
def test_monitoring_gets_its_line_and_code(
    site: Path, capsys: Capture, days: int, code: int, word: str
) -> None:
    got, line = monitored(site, capsys, days)
    assert got == code
    assert line.startswith(f"{word} - CN={IPBX} ")
    assert f"| days={days};30;7" in line


def test_monitoring_of_what_cannot_be_read_is_unknown(site: Path, capsys: Capture) -> None:
    assert ran(capsys, "expiry", site, "--nagios")[0] == 3
    assert ran(capsys, "expiry", site.parent / "none.yaml", "--nagios")[0] == 3
    assert ran(capsys, "expiry", site)[0] == 2


def test_the_running_ipbx_takes_what_is_installed() -> None:
    with secure_ground() as here, here.running("run", here.file) as (_, told):
        before = presented(told["phones"]["TLS"])
        held = AUTHORITY.issue(IPBX)
        pile = here.folder / "new.pem"
        pile.write_bytes(held.key.pem() + pem_of(held.chain) + pem_of((AUTHORITY.root,)))
        code, out, err = here.run("cert", "install", here.file, pile, "--reload")
        assert (code, err) == (0, ""), out
        assert "the running IPBX has taken it" in out
        assert presented(told["phones"]["TLS"]) == held.leaf.serial_number != before
        assert (here.folder / "ipbx.pem.old").exists()


def checked(capsys: Capture, site: Path, *words: str | Path) -> tuple[int, str]:
    code, out, err = ran(capsys, "check", site, *words)
    assert not err
    return code, out


@pytest.mark.guide("CERT-2")
def test_check_notes_what_browsers_and_cas_have_announced(site: Path, capsys: Capture) -> None:
    papers = replace(GOOD, ca=G2, days=398, uses=(SERVER,)).papers()
    pile = site.parent / "pile.pem"
    pile.write_bytes(papers[KEYS[0]] + papers[KEYS[1]] + pem_of((own_ca(G2)[0].certificate,)))
    code, out = checked(capsys, site, pile, "--at", "2026-06-01")
    assert (code, "note" in out) == (0, True), out
    assert "no clientAuth" in out
    assert "[PKI-5a]" in out
    assert "lives 398 days; its successor" in out
    assert "no longer be trusted" not in out  # three years ahead is no news yet
    _, out = checked(capsys, site, pile, "--at", "2028-04-15", "--lang", "fr")
    assert f"sa racine {G2} ne sera plus reconnue par Mozilla" in out
    assert json.loads(ran(capsys, "check", site, pile, "--json")[1])["notes"]


@pytest.mark.guide("CERT-3")
def test_trust_notes_roots_that_lose_their_trust_and_cas_that_expire(site: Path, capsys: Capture) -> None:
    cas = site.parent / "cas.pem"
    cas.write_bytes(GOOD.papers()["certificates.trust.0"])
    code, out, _ = ran(capsys, "trust", site, "--at", "2026-06-01")
    assert (code, FACTS.text("certificates.carrier_root") in out, "[PKI-8]" in out) == (1, True, True)
    code, out, _ = ran(capsys, "trust", site, cas, "--at", "2026-06-01")
    assert (code, "[PKI-8]" in out) == (0, False), out  # its successor is there, too
    code, out, _ = ran(capsys, "trust", site, "--at", "2049-06-01", "--json")
    assert any("expired on" in note for note in json.loads(out)["notes"])


@pytest.mark.guide("CERT-2")
def test_the_phones_have_a_request_an_installation_and_a_check_of_their_own(
    site: Path, capsys: Capture
) -> None:
    phones = {"certificate": "certificates/phones.pem", "key": "certificates/phones.key"}
    site.write_text(edited({"certificates.phones": phones}, INTERNET), "utf-8")
    folder = site.parent / "certificates"
    assert ran(capsys, "csr", site, "--for", "phones")[0] == 0
    chain = pem_of((signed(folder / "phones.csr"), *AUTHORITY.issue(IPBX).chain[1:], AUTHORITY.root))
    (site.parent / "from-the-ca.pem").write_bytes(chain)
    assert ran(capsys, "install", site, site.parent / "from-the-ca.pem")[0] == 1  # the trunk's key is another
    code, out, err = ran(capsys, "install", site, site.parent / "from-the-ca.pem", "--for", "phones")
    assert (code, err) == (0, ""), out
    assert {file.name for file in folder.iterdir()} == {"phones.pem", "phones.key"}
    code, out = checked(capsys, site, site.parent / "from-the-ca.pem", "--for", "phones")
    assert code == 0
    assert "PKI-5a" not in out  # no phone asks for clientAuth
    site.write_text(edited({}, INTERNET), "utf-8")
    code, _, err = ran(capsys, "install", site, site.parent / "from-the-ca.pem", "--for", "phones")
    assert (code, "write certificates.phones" in err) == (2, True)


def test_a_key_that_stands_in_the_certificates_own_file_is_installed_there(
    site: Path, capsys: Capture
) -> None:
    site.write_text(edited({"certificates.public_server.key": None}, INTERNET), "utf-8")
    folder, pile = site.parent / "certificates", site.parent / "from-the-ca.pem"
    assert ran(capsys, "csr", site)[0] == 0
    pile.write_bytes(pem_of((signed(folder / "ipbx.csr"), *AUTHORITY.issue(IPBX).chain[1:], AUTHORITY.root)))
    code, out, err = ran(capsys, "install", site, pile)
    assert (code, err) == (0, ""), out
    assert [file.name for file in folder.iterdir()] == ["ipbx.pem"]
    held = (folder / "ipbx.pem").read_bytes()
    assert Identity.parse(held, held).called == f"CN={IPBX}"
    assert stat.S_IMODE((folder / "ipbx.pem").stat().st_mode) == 0o600


def test_where_the_certificate_cannot_be_written_the_key_before_it_stays(site: Path, capsys: Capture) -> None:
    elsewhere = {"public_server": {"certificate": "gone/ipbx.pem", "key": "keys/ipbx.key"}}
    trust = {"trust": ["certificates/carrier-ca.pem"]}
    site.write_text(edited({"certificates": {**elsewhere, **trust}}, INTERNET), "utf-8")
    held = AUTHORITY.issue(IPBX)
    (site.parent / "keys").mkdir()
    (site.parent / "keys" / "ipbx.key").write_bytes(b"the one in use")
    (site.parent / "gone").write_text("a file, no folder")
    pile = site.parent / "pile.pem"
    pile.write_bytes(held.key.pem() + pem_of((*held.chain, AUTHORITY.root)))
    assert ran(capsys, "install", site, pile)[0] == 2
    assert (site.parent / "keys" / "ipbx.key").read_bytes() == b"the one in use"
