"""`trunkline check --fleet`: a folder of sites, in order, by several processes, in flat memory."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.example_site import FILE, TEXT, edited

from trunkline.cli.fleet import AHEAD, CHUNK, checked, files
from trunkline.cli.main import main
from trunkline.cli.verdicts import Asked, Part
from trunkline.guide.report import Style

BRIEF = Asked(style=Style(many=True, brief=True))


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    (folder / "north").mkdir(parents=True)
    (folder / "a.yaml").write_text(TEXT, "utf-8")
    (folder / "b.yml").write_text(edited({"users.1.extension": "201"}), "utf-8")
    (folder / "north" / "c.yaml").write_text(
        edited({"users.1.extension": "201", "trunk.channels": "x"}), "utf-8"
    )
    (folder / "readme.txt").write_text("no site\n", "utf-8")
    return folder


def test_a_fleet_is_one_line_a_site_and_a_summary(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--fleet", str(fleet)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[:3] == [
        f"{fleet}/a.yaml: clean",
        f"{fleet}/b.yml: to be mended (1 MUST)",
        f"{fleet}/north/c.yaml: to be mended (2 MUST)",
    ]
    assert (
        out[4] == "3 sites: 1 clean, 2 to be mended, 0 not readable; 3 MUST, 0 SHOULD, 0 NOTE, 0 suppressed"
    )
    assert out[6].split()[:2] == ["SITE-30", "2"]  # the rule that fires in most sites comes first
    assert out[7].split()[:2] == ["SITE-5", "1"]


def test_a_file_that_cannot_be_read_makes_the_worst_code_and_stops_nothing(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleet / "a.yaml").write_bytes(b"\t")
    (fleet / "aa.yaml").symlink_to(fleet / "nowhere")
    assert main(["check", "--fleet", str(fleet), "--json"]) == 2
    *sites, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert [site["exit"] for site in sites] == [2, 2, 1, 1]
    assert last["summary"]["exits"] == {"1": 2, "2": 2}


def test_a_folder_without_sites_or_without_itself_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--fleet", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path}: no *.yaml or *.yml stands there\n"
    assert main(["check", "--fleet", str(tmp_path / "none")]) == 2
    assert str(tmp_path / "none") in capsys.readouterr().err


def test_several_processes_say_what_one_says_in_the_same_order(fleet: Path) -> None:
    for number in range(2 * CHUNK + 3):
        text = edited({"users.1.extension": "201"}) if number % 10 == 0 else TEXT
        (fleet / f"s{number:03}.yaml").write_text(text, "utf-8")
    names = list(files(str(fleet)))
    alone = list(checked(names, BRIEF, 1))
    assert list(checked(names, BRIEF, 2)) == alone
    assert [part.text.split(":")[0] for part in alone] == names


def test_no_more_files_are_taken_up_than_workers_can_soon_check(tmp_path: Path) -> None:
    taken = 0

    def names() -> object:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield str(FILE)

    parts = checked(names(), BRIEF, 2)  # type: ignore[arg-type]
    next(parts)
    assert taken <= (2 * AHEAD + 3) * CHUNK
    parts.close()  # type: ignore[attr-defined]


def test_memory_stays_flat_however_many_sites(tmp_path: Path) -> None:
    site = tmp_path / "s.yaml"
    site.write_text(edited({f"users.{n}.ddi": "x" for n in range(4)}), "utf-8")
    script = (
        "import resource, sys; from trunkline.cli.fleet import checked; "
        "from tests.cli.test_fleet import BRIEF; "
        "first = sum(1 for _ in checked([sys.argv[1]] * 100, BRIEF, 1)); "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "then = sum(1 for _ in checked([sys.argv[1]] * 1500, BRIEF, 1)); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(site)], capture_output=True, text=True)
    assert int(done.stdout) < 4096, done.stderr  # KiB


def test_progress_is_shown_to_a_terminal_and_to_nothing_else(fleet: Path) -> None:
    command = [sys.executable, "-m", "trunkline", "check", "--fleet", str(fleet), "--lang", "en"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    ours, theirs = pty.openpty()
    try:
        child = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, timeout=60)
        os.close(theirs)
        seen = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
    assert child.returncode == 1
    assert "3 of 3 sites, 2 to be mended" in seen
    assert seen.endswith("\r\x1b[K")


def test_a_pipe_is_no_site_file_and_is_not_waited_for(fleet: Path) -> None:
    os.mkfifo(fleet / "pipe.yaml")
    assert [Path(name).name for name in files(str(fleet))] == ["a.yaml", "b.yml", "c.yaml"]


def killed(names: list[str], asked: Asked) -> list[Part]:
    os._exit(9)


def test_a_worker_that_is_killed_is_told_and_nothing_hangs(
    fleet: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * CHUNK):
        (fleet / f"s{number:03}.yaml").write_text(TEXT, "utf-8")
    monkeypatch.setattr("trunkline.cli.fleet._chunk", killed)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert main(["check", "--fleet", str(fleet)]) == 2
    assert f"{fleet}: a worker process was killed" in capsys.readouterr().err
