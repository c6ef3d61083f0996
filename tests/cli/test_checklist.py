"""`trunkline checklist` and `trunkline profile`, as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.example_site import EXAMPLES

from trunkline.cli.main import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.yaml"
    file.write_text((EXAMPLES / "internet-b.yaml").read_text("utf-8"), "utf-8")
    return file


def told(capsys: Capture) -> str:
    return capsys.readouterr().out


def test_ticks_are_kept_and_a_changed_value_opens_its_step_again(site: Path, capsys: Capture) -> None:
    assert main(["checklist", str(site)]) == 1
    assert "0 of " in told(capsys)
    assert main(["checklist", str(site), "--tick", "lines.access", "address.eth0", "--note", "Anne"]) == 0
    assert "[x] lines.access" in told(capsys)
    site.write_text(site.read_text("utf-8").replace("channels: 12", "channels: 11", 1), "utf-8")
    assert main(["checklist", str(site), "--json"]) == 1
    states = {step["id"]: step["state"] for step in json.loads(told(capsys))}
    assert states["lines.access"] == "changed"
    assert states["address.eth0"] == "done"
    assert main(["checklist", str(site), "--untick", "address.eth0", "--lang", "fr"]) == 0
    out = told(capsys)
    assert "fait avec une autre valeur : 12" in out
    assert "[ ] address.eth0" in out


def test_unknown_steps_and_broken_progress_files_are_refused(site: Path, capsys: Capture) -> None:
    assert main(["checklist", str(site), "--tick", "nothing"]) == 2
    assert "no step is called nothing" in capsys.readouterr().err
    Path(f"{site}.progress.json").write_text("{", "utf-8")
    assert main(["checklist", str(site)]) == 2
    assert "progress file" in capsys.readouterr().err


def test_a_site_with_errors_has_no_checklist(site: Path, capsys: Capture) -> None:
    site.write_text(site.read_text("utf-8").replace("channels: 12", "channels: x", 1), "utf-8")
    assert main(["checklist", str(site)]) == 2
    assert "trunk.channels" in capsys.readouterr().err


def test_a_profile_goes_out_and_comes_back_and_overwrites_nothing(
    site: Path, tmp_path: Path, capsys: Capture
) -> None:
    profile, new = tmp_path / "profile.yaml", tmp_path / "new.yaml"
    assert main(["profile", "export", str(site), "-o", str(profile)]) == 0
    assert main(["profile", "export", str(site), "-o", str(profile)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["profile", "import", str(site), str(profile), "-o", str(new)]) == 0
    assert main(["check", str(new)]) == 0
    profile.write_text(profile.read_text("utf-8").replace("index: 1", "index: x", 1), "utf-8")
    assert main(["profile", "import", str(site), str(profile)]) == 2
    assert "profile.yaml:8:" in capsys.readouterr().err.replace(str(tmp_path) + "/", "")


def test_a_progress_file_that_cannot_be_read_or_written_is_told(
    site: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "noise").write_bytes(b"\xff\xfe" * 1000)
    for place in (tmp_path, tmp_path / "noise", tmp_path / "none" / "x", tmp_path / "noise" / "x"):
        words = ["checklist", str(site), "--tick", "lines.access", "--progress", str(place)]
        assert main(words) == 2
        assert str(place) in capsys.readouterr().err


def test_the_site_is_refused_in_the_language_that_was_asked_for(site: Path, capsys: Capture) -> None:
    site.write_bytes(b"\xff")
    for words in (["checklist", str(site)], ["cert", "csr", str(site)]):
        assert main([*words, "--lang", "fr"]) == 2
        assert "enregistrez le fichier en UTF-8" in capsys.readouterr().err
    assert main(["checklist", str(site), "--tick", "nothing", "--lang", "fr"]) == 2


def test_the_file_that_is_wrong_is_the_one_that_is_named(site: Path, tmp_path: Path, capsys: Capture) -> None:
    noise, folder = tmp_path / "noise", tmp_path / "folder"
    noise.write_bytes(b"\xff\xfe")
    folder.mkdir()
    for words, wrong in (
        (["import", noise, site], noise),
        (["import", site, noise], noise),
        (["import", site, folder], folder),
        (["import", folder, site], folder),
    ):
        assert main(["profile", *map(str, words)]) == 2
        assert str(wrong) in capsys.readouterr().err
    assert main(["profile", "export", str(site), str(noise)]) == 2
    assert "SITE.yaml alone" in capsys.readouterr().err
