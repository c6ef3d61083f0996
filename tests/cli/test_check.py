"""`trunkline check`: every error at once, placed, for people and for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.example_site import EXAMPLES, FILE, TEXT

from trunkline.cli.main import main
from trunkline.cli.sitefile import Refused, ready


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


NARROW = ("        bandwidth: 12\n", "        bandwidth: 6\n")  # the backup's: CAC-1b


def test_rules_are_selected_and_ignored_by_id_requirement_and_prefix(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write_text(spoilt(NARROW, ("extension: 202", "extension: 201")), "utf-8")

    def rules(*words: str) -> tuple[int, list[str]]:
        code = main(["check", str(site), "--json", *words])
        return code, [found["rule"] for found in json.loads(capsys.readouterr().out)["findings"]]

    assert rules() == (1, ["CAC-1b", "SITE-30"])
    assert rules("--select", "CAC") == (1, ["CAC-1b"])
    assert rules("--select", "CAC-1,SITE-30", "--ignore", "SITE") == (1, ["CAC-1b"])
    assert rules("--ignore", "cac-1b", "--ignore", "SITE-30") == (0, [])


def test_errors_of_the_form_are_told_whatever_is_selected(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write_text(spoilt(("  inbound_full_status", "  inbound_ful_status")), "utf-8")
    assert main(["check", str(site), "--select", "CAC", "--ignore", "SITE"]) == 1
    assert "SITE-3" in capsys.readouterr().out


def test_an_unknown_rule_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", str(FILE), "--select", "CAC-1,SITTE"])
    assert ended.value.code == 2
    assert "no rule is called SITTE; did you mean SITE?" in capsys.readouterr().err


def test_notes_count_where_the_check_is_strict(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.write_text(spoilt(("password: ${file:secrets/201}", "password: mTq7vX2nRk9d")), "utf-8")
    assert main(["check", str(site), "--strict"]) == 1
    assert capsys.readouterr().out.endswith(": to be mended (1 NOTE)\n")
    assert main(["check", str(FILE), "--strict"]) == 0


def test_a_comment_with_a_reason_makes_the_file_clean_and_is_told(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comment = "        bandwidth: 6  # trunkline: ignore CAC-1b -- smaller on purpose\n"
    site.write_text(spoilt((NARROW[0], comment)), "utf-8")
    assert main(["check", str(site)]) == 0
    first, reason, verdict = capsys.readouterr().out.splitlines()
    assert " suppressed trunk.gateways.1.media.bandwidth: " in first
    assert reason == "    reason: smaller on purpose  [CAC-1b]"
    assert verdict == f"{site}: clean (1 suppressed)"


def test_the_language_is_the_one_asked_for_else_the_locales(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)

    def verdict(*words: str) -> str:
        main(["check", str(FILE), *words])
        return capsys.readouterr().out

    assert verdict() == f"{FILE}: clean\n"
    assert verdict("--lang", "fr") == f"{FILE} : conforme\n"
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert verdict() == f"{FILE} : conforme\n"
    assert verdict("--lang", "en") == f"{FILE}: clean\n"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")  # stands above LANG
    assert verdict() == f"{FILE}: clean\n"
    monkeypatch.setenv("LC_ALL", "")  # as if it were not set
    assert verdict() == f"{FILE} : conforme\n"


def test_several_files_give_the_worst_code(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.write_text(spoilt(NARROW), "utf-8")
    assert main(["check", str(FILE), str(site)]) == 1
    assert "2 sites: 1 clean, 1 to be mended, 0 not readable" in capsys.readouterr().out
    assert main(["check", str(FILE), str(site), "absent.yaml"]) == 2


def test_the_report_goes_to_a_file(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.write_text(spoilt(NARROW), "utf-8")
    out = tmp_path / "report.xml"
    assert main(["check", str(site), "--format", "junit", "-o", str(out)]) == 1
    assert capsys.readouterr().out == ""
    assert ElementTree.parse(out).getroot().tag == "testsuites"
    assert main(["check", str(site), "-o", str(tmp_path / "none" / "x")]) == 2
    assert str(tmp_path / "none" / "x") in capsys.readouterr().err


def test_a_check_imports_nothing_that_talks_or_encrypts() -> None:
    script = (
        "import sys; from trunkline.cli.main import main; main(['check', sys.argv[1]]); "
        "print(*sorted(name for name in sys.argv[2:] if name in sys.modules))"
    )
    heavy = ("cryptography", "dns", "asyncio", "uvloop", "ssl", "OpenSSL", "multiprocessing")
    done = subprocess.run([sys.executable, "-c", script, str(FILE), *heavy], capture_output=True, text=True)
    assert done.stdout.splitlines()[1:] == [""], done.stderr


def test_what_a_comment_passes_over_does_not_keep_a_verb_from_its_work(site: Path) -> None:
    def rules() -> list[str]:
        with pytest.raises(Refused) as caught:
            ready(str(site), wanted=())
        return [found.rule for found in caught.value.findings]

    double = TEXT.replace("ddi: +33 1 99 00 10 02", "ddi: +33 1 99 00 10 01")
    site.write_text(double, "utf-8")
    assert rules() == ["SITE-31"]
    comment = "  # trunkline: ignore SITE-31 -- the second phone of the same desk"
    site.write_text(
        double.replace(
            "    password: ${file:secrets/202}", f"{comment}\n    password: ${{file:secrets/202}}"
        ),
        "utf-8",
    )
    assert rules() == ["SITE-31"]  # not its line
    site.write_text(
        double.replace(
            "  - extension: 202\n    name: Atelier\n    ddi: +33 1 99 00 10 01",
            f"  - extension: 202\n    name: Atelier\n    ddi: +33 1 99 00 10 01{comment}",
        ),
        "utf-8",
    )
    assert len(ready(str(site), wanted=()).users) == 4


def test_junit_passes_no_certificate_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    site = EXAMPLES / "internet-a.yaml"  # its PEM files are yours to put beside it
    assert main(["check", str(site), "--format", "junit"]) == 0
    out = capsys.readouterr().out
    assert 'name="SEC-1 ' in out
    assert 'name="PKI-2 ' in out
    assert "CERT-1d" not in out
