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


@pytest.mark.parametrize(
    ("words", "code", "kept_out"),
    [
        (["--help"], 0, "pydantic yaml cryptography OpenSSL asyncio ssl"),
        (["status", "--socket", "/none"], 1, "pydantic yaml cryptography OpenSSL"),
        (["check", str(FILE)], 0, "cryptography OpenSSL asyncio ssl"),
        (["explain", "CODEC-1"], 0, "cryptography OpenSSL asyncio ssl"),
        (["guide", "facts"], 0, "cryptography OpenSSL asyncio ssl"),
        (["schema"], 0, "pydantic yaml cryptography OpenSSL asyncio ssl"),
    ],
    ids=lambda told: told[0] if isinstance(told, list) else "",
)
def test_a_verb_imports_nothing_heavy_that_it_does_not_need(
    words: list[str], code: int, kept_out: str
) -> None:
    script = (
        "import sys, warnings\nwarnings.simplefilter('error')\nfrom trunkline.cli.main import main\n"
        "try: code = main(sys.argv[2:])\nexcept SystemExit as end: code = end.code\n"
        "print(code, *[name for name in sys.argv[1].split() if name in sys.modules], file=sys.stderr)"
    )
    line = [sys.executable, "-c", script, kept_out, *words]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == str(code)
