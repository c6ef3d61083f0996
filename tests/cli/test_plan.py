"""`trunkline plan`: what it writes and where, what it refuses, and what it tells of two sites."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.test_foresight import NAMES
from tests.example_site import EXAMPLES, INTERNET, edited
from tests.guide.test_foresight import GOOD

from trunkline.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def verb(*words: str | Path) -> tuple[int, str, str]:
        try:
            code = main(["plan", *map(str, words)])
        except SystemExit as ended:
            code = int(str(ended.code))
        told = capsys.readouterr()
        return code, told.out, told.err

    return verb


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_example_plans_in_both_languages(file: Path, language: str, run: Run, tmp_path: Path) -> None:
    code, out, err = run(file, "-o", tmp_path / "a" / "b", "--lang", language, "--at", "2026-12-01")
    assert (code, err) == (0, "")
    written = names(tmp_path / "a" / "b")
    assert {"index.html", "dossier.md", "drawing.svg", "manifest.json"} <= written
    assert all(str(tmp_path / "a" / "b" / name) in out for name in written - {"manifest.json"})
    assert f'<html lang="{language}">' in (tmp_path / "a" / "b" / "index.html").read_text("utf-8")


def test_a_second_time_the_same_is_found_the_same(run: Run, tmp_path: Path) -> None:
    run(INTERNET, "-o", tmp_path, "--at", "2026-12-01")
    code, out, _ = run(INTERNET, "-o", tmp_path, "--at", "2026-12-01")
    assert code == 0
    assert all(line.startswith("same ") for line in out.splitlines())


def test_files_of_others_stay_and_one_in_the_way_stops_the_plan(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert run(INTERNET, "-o", tmp_path)[0] == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("mine")
    code, _, err = run(INTERNET, "-o", other)
    assert code == 2
    assert "index.html: stands there and was not written by trunkline plan" in err
    assert names(other) == {"index.html"}


def test_a_site_with_must_findings_is_not_planned(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "site.yaml"
    wrong.write_text(edited({"product.model": "PowerCPU"}, INTERNET), "utf-8")
    code, out, err = run(wrong, "-o", tmp_path / "out")
    assert (code, out) == (1, "")
    assert "MUST product.model" in err
    assert not (tmp_path / "out").exists()


def test_a_file_that_cannot_be_read_is_wrong_use(run: Run, tmp_path: Path) -> None:
    assert run(tmp_path / "none.yaml", "-o", tmp_path)[0] == 2
    (tmp_path / "x.yaml").write_text("a: [")
    assert run(tmp_path / "x.yaml", "-o", tmp_path)[0] == 2


@pytest.mark.parametrize(
    "words",
    [
        (),
        (str(INTERNET),),
        ("-o", "x"),
        (str(INTERNET), "-o", "x", "--at", "yesterday"),
        (str(INTERNET), "-o", "x", "--users", "many"),
        (str(INTERNET), "-o", "x", "--users", "+99999"),
        (str(INTERNET), "-o", "x", "--lang", "de"),
        (str(INTERNET), "--diff", str(INTERNET), str(INTERNET)),
    ],
)
def test_wrong_use_is_told(words: tuple[str, ...], run: Run) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err


def test_a_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run(INTERNET, "-o", tmp_path / "file")
    assert code == 2
    assert "cannot be written" in err


def test_for_programs_the_written_files_are_listed(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(INTERNET, "-o", tmp_path, "--json")
    told = json.loads(out)
    assert code == 0
    assert set(told["new"]) == names(tmp_path) - {"manifest.json"}
    assert told["same"] == told["left"] == []


def test_two_sites_are_compared_by_reader(run: Run, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    changed = {"interfaces.eth1.address": "192.0.2.131", "dns_records.0.value": "192.0.2.131"}
    new.write_text(edited(changed, INTERNET), "utf-8")
    code, out, _ = run("--diff", INTERNET, new)
    assert code == 0
    assert "For the carrier:\n" in out
    assert "value: 192.0.2.130 -> 192.0.2.131" in out
    code, out, _ = run("--diff", INTERNET, INTERNET, "--lang", "fr")
    assert out.splitlines()[0] == "Pour l'équipe pare-feu : rien"
    code, out, _ = run("--diff", INTERNET, new, "--json")
    assert json.loads(out)["readers"]["firewall"]


def test_a_wrong_site_is_not_compared(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "site.yaml"
    wrong.write_text(edited({"product.model": "PowerCPU"}, INTERNET), "utf-8")
    code, _, err = run("--diff", INTERNET, wrong)
    assert code == 1
    assert "MUST" in err


def test_passwords_written_in_the_site_file_reach_no_file(run: Run, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(edited({"users.0.password": "correct-horse-battery"}, INTERNET), "utf-8")
    assert run(site, "-o", tmp_path / "out")[0] == 0
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [path for path in files if b"correct-horse" in path.read_bytes()]
    assert files


def test_an_expired_certificate_is_told_in_the_dossier_and_does_not_forbid_it(
    run: Run, tmp_path: Path
) -> None:
    site, folder = tmp_path / "site.yaml", tmp_path / "certificates"
    site.write_text(INTERNET.read_text("utf-8"), "utf-8")
    folder.mkdir()
    for path, data in GOOD.papers().items():
        (folder / NAMES[path]).write_bytes(data)
    for day, state in (("2026-06-01", "comes"), ("2026-09-01", "over")):
        assert run(site, "-o", tmp_path / state, "--at", day)[0] == 0
    coming, over = ((tmp_path / state / "dossier.md").read_text("utf-8") for state in ("comes", "over"))
    assert "| 2026-07-30 | CN=ipbx.customer.example expires" in coming
    assert "| 2026-07-30 |" not in over
    assert "PKI-3c" in over
    assert "SUMMARY:" in (tmp_path / "comes" / "certificates.ics").read_text("utf-8")
