"""Runs the stages of `make test` or `make check` one after the other and ends with a verdict.

    .venv/bin/python tools/verify.py check   the quality gates
    .venv/bin/python tools/verify.py test    those, then every test

Each stage's own output is shown as it comes. Exit code 0 when every stage passed, else the highest code of
a stage: 2 where pytest found that the machine lacks a peer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = (sys.executable, "-m", "pytest", "-q")
# Real peers keep real time: their tests run alone, after the ones that use both cores.
PURE = "not interop and not network and not simulation"
COVERAGE = ("--cov=trunkline", "--cov-branch", "--cov-report=term:skip-covered")
PER_CORE = ("-n", str(os.cpu_count() or 1), "--dist=worksteal")


class Stage(NamedTuple):
    title: str
    command: tuple[str | Path, ...]


CHECK = (
    Stage("format", (BIN / "ruff", "format", "--check", "--quiet", ".")),
    Stage("lint", (BIN / "ruff", "check", "--quiet", ".")),
    Stage("types", (BIN / "mypy",)),
    Stage("floors", (BIN / "lint-imports",)),
    Stage("dead code", (BIN / "vulture",)),
)
TEST = (
    *CHECK,
    Stage("tests", (*PYTEST, *PER_CORE, "-m", PURE, "--edges", *COVERAGE)),
    Stage("simulation", (*PYTEST, *PER_CORE, "-m", "simulation", "--edges=show")),
    Stage("real peers", (*PYTEST, "-v", "-m", "interop or network")),
)


def run(stage: Stage) -> tuple[int, float]:
    """The stage's exit code and the seconds it took."""
    print(f"\n== {stage.title}", flush=True)
    begun = time.monotonic()
    code = subprocess.run([str(word) for word in stage.command], cwd=ROOT).returncode
    return code, time.monotonic() - begun


def main() -> int:
    name = sys.argv[1]
    begun = time.monotonic()
    results = [(stage, *run(stage)) for stage in (CHECK if name == "check" else TEST)]
    print("\n== verdict")
    for stage, code, seconds in results:
        print(f"{'PASS' if code == 0 else 'FAIL':5}{stage.title:12}{seconds:7.1f} s")
    worst = max(code for _, code, _ in results)
    print(f"{'FAIL' if worst else 'PASS'}  make {name}, {time.monotonic() - begun:.0f} s", flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
