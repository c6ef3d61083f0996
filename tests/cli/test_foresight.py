"""`trunkline check --at` and `trunkline calendar`: certificate files beside the site file, and a day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.example_site import INTERNET
from tests.guide.test_foresight import GOOD
from tests.guide.test_foresight_calendar import read

from trunkline.cli.main import main

NAMES = {
    "certificates.public_server.certificate": "ipbx.pem",
    "certificates.public_server.key": "ipbx.key",
    "certificates.trust.0": "carrier-ca.pem",
    "certificates.trust.1": "customer-ca.pem",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The example over the internet with certificate files beside it."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    for path, data in GOOD.papers().items():
        (folder / NAMES[path]).write_bytes(data)
    file = tmp_path / "site.yaml"
    file.write_text(INTERNET.read_text("utf-8"), "utf-8")
    return file


def checked(site: Path, at: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    code = main(["check", str(site), "--at", at, "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    return code, {one["rule"]: one["path"] for one in found}


def test_the_day_that_is_judged_at_makes_the_difference(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = "certificates.public_server.certificate"
    assert checked(site, "2026-06-01", capsys) == (0, {})
    assert checked(site, "2026-07-10", capsys) == (0, {"PKI-3a": own})
    assert checked(site, "2026-07-20", capsys) == (1, {"PKI-3b": own})
    assert checked(site, "2026-07-29", capsys) == (1, {"PKI-3c": own})


def test_files_that_are_not_there_are_one_note_and_those_in_the_way_a_must(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = site.parent / "certificates"
    (folder / "ipbx.key").unlink()
    assert checked(site, "2026-06-01", capsys) == (0, {"PKI-2": "certificates"})
    (folder / "ipbx.key").mkdir()
    assert checked(site, "2026-06-01", capsys) == (1, {"CERT-2b": "certificates.public_server.key"})
    (folder / "ipbx.key").rmdir()
    os.mkfifo(folder / "ipbx.key")
    assert checked(site, "2026-06-01", capsys) == (1, {"CERT-2b": "certificates.public_server.key"})
    (folder / "ipbx.key").unlink()
    (folder / "ipbx.key").write_bytes(b"x" * ((1 << 20) + 1))
    assert checked(site, "2026-06-01", capsys) == (1, {"CERT-2b": "certificates.public_server.key"})


def test_without_a_day_it_is_today_and_without_files_no_certificate_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", str(INTERNET), "--json"]) == 0
    assert {one["rule"] for one in json.loads(capsys.readouterr().out)["findings"]} == {"PKI-2", "PKI-8"}


def test_a_word_that_is_no_day_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", str(INTERNET), "--at", "soon"])
    assert ended.value.code == 2
    assert "'soon' is no date; write it as 2027-03-15" in capsys.readouterr().err


def test_the_calendar_is_written_and_reads_back(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = site.parent / "dates.ics"
    assert main(["calendar", str(site), str(file), "--at", "2026-06-01", "--lang", "fr"]) == 0
    events = read(file.read_bytes())
    assert capsys.readouterr().out == f"{file}: {len(events)} dates\n"
    assert any(event["SUMMARY"].endswith("CN=ipbx.customer.example expire") for event in events)
    again = site.parent / "again.ics"
    assert main(["calendar", str(site), str(again), "--at", "2026-06-01", "--lang", "fr", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["events"]) == len(events)
    assert again.read_bytes() == file.read_bytes()


def test_a_calendar_that_cannot_be_written_or_of_a_broken_site_is_told(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calendar", str(site), str(site.parent), "--at", "2026-06-01"]) == 1
    assert "cannot be written" in capsys.readouterr().err
    site.write_text(INTERNET.read_text("utf-8").replace("schema: 1", "schema: 9"), "utf-8")
    assert main(["calendar", str(site), "-"]) == 2
    assert "SITE-5" in capsys.readouterr().err


def test_cryptography_is_imported_only_where_a_file_is_there(site: Path) -> None:
    program = (
        "import sys; from trunkline.cli.main import main; main(sys.argv[1:]);"
        "print('cryptography' in sys.modules)"
    )
    for file, wanted in ((INTERNET, "False"), (site, "True")):
        words = [sys.executable, "-c", program, "check", str(file), "--at", "2026-06-01"]
        assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.endswith(
            f"{wanted}\n"
        )
