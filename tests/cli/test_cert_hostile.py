"""`trunkline cert` with files and words that nobody should hand it: a sentence and a code, no traceback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12
from tests.cli.secure_ground import IPBX
from tests.cli.test_cert import AUTHORITY
from tests.example_site import FILE, INTERNET, edited

from trunkline.cli.main import main
from trunkline.pki.certificate import pem_of

Capture = pytest.CaptureFixture[str]
CERTIFICATE = "certificates.public_server.certificate"


def ran(capsys: Capture, *words: str | Path) -> tuple[int, str, str]:
    """The exit code (argparse's, too) and what was said."""
    try:
        code = main(["cert", *map(str, words)])
    except SystemExit as ended:
        code = int(str(ended.code))
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder with a file of every kind that is no certificate."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "noise").write_bytes(os.urandom(4096))
    (tmp_path / "huge").write_bytes(b"-----BEGIN CERTIFICATE-----\n" + b"A" * (3 << 20))
    (tmp_path / "cut").write_bytes(pem_of((AUTHORITY.root,))[:-40])
    (tmp_path / "armour").write_bytes(b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    (tmp_path / "deep").write_bytes(b"0\x80" * 100_000)
    (tmp_path / "text").write_bytes("é\x00\x1b[31m".encode() * 100)
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


ODD = ("folder", "empty", "noise", "huge", "cut", "armour", "deep", "text", "loop", "none", "empty/x")


def site(folder: Path, changes: dict[str, Any], of: Path = INTERNET) -> Path:
    place = folder / "site.yaml"
    place.write_text(edited(changes, of), "utf-8")
    return place


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_refused_in_words_wherever_they_are_given(
    name: str, odd: Path, capsys: Capture
) -> None:
    here, file = site(odd, {}), odd / name
    for words in (
        ("check", file),
        ("check", here, file),
        ("check", here, "--password-file", file, file),
        ("install", here, file),
        ("install", here, file, "--for", "public_server"),
        ("trust", here, file),
        ("bundle", here, file, "--for-carrier"),
        ("csr", file),
        ("expiry", file),
        ("doctor", "127.0.0.1:1", "--site", file),
    ):
        code, _, err = ran(capsys, *words)
        assert code == 2, words
        assert err.strip(), words


@pytest.mark.parametrize("name", [*(one for one in ODD if one != "none"), "pipe"])
def test_a_site_that_names_odd_files_is_told_so_by_every_part(name: str, odd: Path, capsys: Capture) -> None:
    names = {CERTIFICATE: name, "certificates.public_server.key": name, "certificates.trust.0": name}
    here = site(odd, names)
    for words, codes in (
        (("check", here), (2,)),
        (("expiry", here), (2,)),
        (("expiry", here, "--nagios"), (3,)),
        (("bundle", here, "--for-carrier"), (2,)),
        (("trust", here), (1, 2)),
        (("trust", here, "--public", "DigiCert Global Root G2"), (1, 2)),
        (("doctor", "127.0.0.1:1", "--site", here, "--patience", "0.1"), (1, 2)),
    ):
        code, out, err = ran(capsys, *words)
        assert code in codes, (words, out, err)
        assert (out + err).strip()


def test_a_trust_store_that_names_no_file_or_one_elsewhere_is_no_surprise(
    tmp_path: Path, capsys: Capture
) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(pem_of((AUTHORITY.root,)))
    code, _, err = ran(capsys, "trust", site(tmp_path, {"certificates.trust": None}), root)
    assert (code, "no root certificate is trusted" in err) == (2, True)
    elsewhere = tmp_path / "elsewhere" / "store.pem"
    inside = tmp_path / "site"
    inside.mkdir()
    for written in (str(elsewhere), "../elsewhere/store.pem"):
        here = site(inside, {"certificates.trust.0": written})
        code, _, err = ran(capsys, "trust", here, root, "--into", written)
        assert (code, err) == (1, ""), err
        assert elsewhere.read_bytes() == root.read_bytes()
        elsewhere.unlink()
    code, _, err = ran(capsys, "trust", here, root, "--into", "no/such.pem")
    assert (code, "does not name no/such.pem" in err) == (2, True)


def test_a_file_in_the_folders_way_is_told(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "certificates").write_text("")
    here = site(tmp_path, {})
    for words in (("csr", here), ("trust", here, "--public", "DigiCert Global Root G2")):
        code, out, err = ran(capsys, *words, "--lang", "fr")
        assert code == 2, out
        assert err.strip()


@pytest.mark.parametrize("at", ["yesterday", "2027-13-01", "2027-02-30", "99999-01-01", "-1", "٢٠٢٧-٠١-٠١"])
def test_a_day_that_is_none_is_told(at: str, tmp_path: Path, capsys: Capture) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(pem_of((AUTHORITY.root,)))
    here = site(tmp_path, {})
    for part in (("check", root), ("install", here, root), ("trust", here), ("expiry", here)):
        code, _, err = ran(capsys, *part, f"--at={at}")
        assert (code, bool(err)) == (2, True), part


@pytest.mark.parametrize("at", ["0001-01-01", "9999-12-31", "2027-03-15T23:59:59+14:00"])
def test_the_first_and_the_last_day_there_are_can_be_judged_at(
    at: str, tmp_path: Path, capsys: Capture
) -> None:
    held = AUTHORITY.issue(IPBX)
    pile = tmp_path / "pile.pem"
    pile.write_bytes(pem_of((*held.chain, AUTHORITY.root)))
    here = site(tmp_path, {})
    for words in (("check", pile, "--name", IPBX), ("check", here, pile), ("trust", here)):
        code, out, err = ran(capsys, *words, "--at", at)
        assert (code, err) == (1, ""), out


NO_PEERS = (
    *(
        "",
        ":",
        ":5061",
        "a b",
        "x:0",
        "x:65536",
        "x:5o61",
        "[::1",
        "[::1]:x",
        "..",
        "a..b",
        "é.example",
        "::1:::",
    ),
    *("a" * 300, "x" * 64 + ".example"),
)


@pytest.mark.parametrize("peer", NO_PEERS)
def test_a_peer_that_is_none_is_told(peer: str, tmp_path: Path, capsys: Capture) -> None:
    code, _, err = ran(capsys, "doctor", "--site", site(tmp_path, {}), "--", peer)
    assert code == 2
    assert "is no HOST[:PORT]" in err


@pytest.mark.parametrize("peer", ["127.0.0.1:1", "[::1]:1", "::1", "[::1]", "nodots", "no.dots.example:5061"])
def test_a_peer_that_is_not_there_is_told(peer: str, tmp_path: Path, capsys: Capture) -> None:
    here = site(tmp_path, {"dns": ["127.0.0.1:1"]})
    code, out, err = ran(capsys, "doctor", peer, "--site", here, "--patience", "0.2")
    assert (code, err) == (1, ""), out
    assert "to be mended" in out


@pytest.mark.parametrize("patience", ["0", "-1", "nan", "inf", "61", "soon"])
def test_a_patience_that_is_none_is_told(patience: str, tmp_path: Path, capsys: Capture) -> None:
    words = ("doctor", "127.0.0.1:1", "--site", site(tmp_path, {}), f"--patience={patience}")
    code, _, err = ran(capsys, *words)
    assert (code, bool(err)) == (2, True)


def test_a_site_over_bvpn_is_told_that_it_names_no_certificates(tmp_path: Path, capsys: Capture) -> None:
    here = site(tmp_path, {}, FILE)
    for words in (
        ("csr", here),
        ("check", here),
        ("install", here, here),
        ("trust", here),
        ("bundle", here, "--for-carrier"),
        ("expiry", here),
        ("doctor", "127.0.0.1:1", "--site", here),
    ):
        code, _, err = ran(capsys, *words)
        assert code == 2, words
        assert "certificate" in err


@pytest.mark.parametrize("password", [b"", b"a secret"])
def test_a_p12_opens_with_its_password_an_empty_one_too(
    password: bytes, tmp_path: Path, capsys: Capture
) -> None:
    held = AUTHORITY.issue(IPBX)
    sealing = BestAvailableEncryption(password) if password else NoEncryption()
    sealed = pkcs12.serialize_key_and_certificates(
        b"x", held.key.private, held.leaf, [*held.chain[1:], AUTHORITY.root], sealing
    )
    (tmp_path / "ours.p12").write_bytes(sealed)
    (tmp_path / "password").write_bytes(password + b"\n")
    (tmp_path / "wrong").write_bytes(b"wrong\n")
    words = ("check", tmp_path / "ours.p12", "--name", IPBX, "--password-file")
    assert ran(capsys, *words, tmp_path / "password")[0] == 0
    if password:
        code, _, err = ran(capsys, *words, tmp_path / "wrong")
        assert (code, "password" in err) == (2, True)


@pytest.mark.parametrize("name", ["", " ", ".", "*", "a..b", "x" * 300, "é.example", "\x1b[31m", "-x"])
def test_a_name_that_is_none_is_borne_by_no_certificate(name: str, tmp_path: Path, capsys: Capture) -> None:
    held = AUTHORITY.issue(IPBX)
    pile = tmp_path / "pile.pem"
    pile.write_bytes(pem_of((*held.chain, AUTHORITY.root)))
    code, out, err = ran(capsys, "check", pile, f"--name={name}")
    assert code in ((0,) if not name else (1, 2)), (out, err)
    assert "\x1b" not in out + err


def test_two_site_files_are_one_too_many(tmp_path: Path, capsys: Capture) -> None:
    here = site(tmp_path, {})
    code, _, err = ran(capsys, "check", here, here)
    assert (code, "two site files" in err) == (2, True)
