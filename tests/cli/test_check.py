"""`trunkline check`: every error at once, placed, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.example_site import FILE, TEXT

from trunkline.cli.main import main


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site.yaml"


def spoilt(*changes: tuple[str, str]) -> str:
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def test_a_clean_file_gives_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(FILE)]) == 0
    assert capsys.readouterr().out == f"{FILE}: clean\n"


def test_errors_of_text_model_and_rules_are_told_at_once(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = spoilt(
        ("  channels: 12                      #", "  chanels: 12 #"),
        ("extension: 202", "extension: 201"),
        ('clir_prefix: "*31"', "clir_prefix: *31"),
    )
    site.write_text(text, "utf-8")
    assert main(["check", str(site)]) == 1
    out = capsys.readouterr().out.splitlines()
    heads = [line for line in out if line.startswith(f"{site}:") and " MUST " in line]
    chanels, clir = line_of(text, "chanels"), line_of(text, "clir_prefix: *31")
    second = line_of(text, "    name: Atelier") - 1
    assert heads == [
        f"{site}:{chanels}:3: MUST trunk.chanels: unknown key; did you mean channels?",
        f"{site}:{clir}:16: MUST numbering.clir_prefix: a word that begins with * is a YAML alias; "
        "a site file has none",
        f"{site}:{second}:16: MUST users.1.extension: extension 201 is taken by another user",
    ]
    assert out[-1] == f"{site}: to be mended (3 MUST)"
    assert "    mend: write channels  [SITE-3, site file]" in out


def test_a_should_gives_1_and_a_note_leaves_0(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.write_text(spoilt(("password: ${file:secrets/201}", "password: mTq7vX2nRk9d")), "utf-8")
    assert main(["check", str(site)]) == 0
    assert capsys.readouterr().out.endswith(": clean (1 NOTE)\n")
    site.write_text(spoilt(("media: 203.0.113.11", "media: 203.0.113.10")), "utf-8")
    assert main(["check", str(site)]) == 1
    assert capsys.readouterr().out.endswith(": to be mended (1 SHOULD)\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"schema: 1\n\tcustomer: x\n", "2:1: MUST a tab stands here"),
        (b"a: \xe9\n", "1:4: MUST the file is not UTF-8"),
        (b"x" * 10_000_000, "1:1: MUST the file is over"),
        (b"[" * 100_000, "levels deep"),
    ],
)
def test_what_cannot_be_read_gives_2(
    site: Path, data: bytes, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write_bytes(data)
    assert main(["check", str(site)]) == 2
    out = capsys.readouterr().out
    assert words in out
    assert out.endswith(": not readable (1 MUST)\n")


def test_a_file_that_is_not_there_gives_2(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(site)]) == 2
    assert "cannot be opened" in capsys.readouterr().out


def test_json_tells_the_same_to_programs(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.write_text(spoilt(("extension: 202", "extension: 112")), "utf-8")
    assert main(["check", "--json", str(site)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["file"], report["clean"], report["exit"]) == (str(site), False, 1)
    (found,) = report["findings"]
    assert found["rule"] == "SITE-32"
    assert found["level"] == "MUST"
    assert found["path"] == "users.1.extension"
    assert set(found) == {"rule", "level", "path", "says", "mend", "source", "line", "column"}
    site.write_bytes(b"\t")
    assert main(["check", str(site), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["exit"] == 2
