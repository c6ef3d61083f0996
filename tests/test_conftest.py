"""A machine that lacks something ends the run with exit code 2 and its name; no test is skipped for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _collect(path: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest that only collects the tests with real peers, on a machine with this PATH."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--collect-only",
        "-p",
        "no:cacheprovider",
        "tests/interop",
    ]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))
    }
    return subprocess.run(command, cwd=ROOT, env=environment | {"PATH": path}, capture_output=True, text=True)


def test_a_missing_peer_ends_the_run_with_its_package(tmp_path: Path) -> None:
    done = _collect(str(tmp_path))
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "missing Debian packages: " in said
    assert {"baresip-core", "sip-tester", "tshark"} <= set(said.split())


def test_refused_namespaces_end_the_run(tmp_path: Path) -> None:
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    done = _collect(f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 2
    assert "network namespaces are refused here" in done.stdout + done.stderr
