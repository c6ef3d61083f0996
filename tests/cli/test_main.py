"""The command line: verbs by name, help, version, exit codes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from importlib import import_module

import pytest
from tests.example_site import FILE

from trunkline import __version__
from trunkline.cli import check
from trunkline.cli.main import VERBS, main


def test_every_registered_verb_is_a_module_with_the_two_functions() -> None:
    for name, says in VERBS:
        verb = import_module(f"trunkline.cli.{name}")
        assert callable(verb.arguments)
        assert callable(verb.main)
        assert verb.__doc__
        assert says


def test_help_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out and says in out for name, says in VERBS)


def test_a_verbs_help_tells_its_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "Exit codes" in out
    assert "--json" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"trunkline {__version__}\n"


@pytest.mark.parametrize("words", [[], ["fly"], ["--fly"], ["check"], ["check", "a", "--fleet", "b"]])
def test_wrong_use_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: trunkline" in capsys.readouterr().err


def test_ctrl_c_ends_as_shells_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(given: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "main", interrupted)
    assert main(["check", str(FILE)]) == 130


def test_a_reader_that_has_gone_ends_the_verb_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    end, start = os.pipe()
    os.close(end)
    with io.TextIOWrapper(os.fdopen(start, "wb")) as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        assert main(["check", str(FILE)]) == 1


def test_the_package_runs_as_the_command() -> None:
    words = [sys.executable, "-m", "trunkline", "check", str(FILE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("bvpn.yaml: clean\n")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from trunkline.cli import main; print('pydantic' in sys.modules, 'yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
