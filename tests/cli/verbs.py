"""The verbs as a user runs them: processes of their own, on a network and with sockets of the test's own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.example_site import FILE, edited

from trunkline.lab.addresses import Block, as_yaml, lab_site
from trunkline.site.load import load
from trunkline.site.model import Site

COMMAND = (sys.executable, "-m", "trunkline")
PATIENCE = 60.0  # seconds for a process to end; it needs less unless something is broken


@dataclass
class Ground:
    """A folder with a site file `site` whose addresses are this machine's and nobody else's."""

    folder: Path
    file: Path
    site: Site
    environ: dict[str, str]

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start `trunkline WORDS`."""
        pipe = subprocess.PIPE
        command = [*COMMAND, *map(str, words)]
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=self.environ)

    def run(self, *words: str | Path) -> tuple[int, str, str]:
        """Run `trunkline WORDS` to its end: exit code, standard output, standard error."""
        done = subprocess.run(
            [*COMMAND, *map(str, words)], capture_output=True, text=True, env=self.environ, timeout=PATIENCE
        )
        return done.returncode, done.stdout, done.stderr

    @contextmanager
    def running(self, *words: str | Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
        """`trunkline WORDS --json` from the moment it says it is ready; ended by SIGTERM if it still runs."""
        with self.start(*words, "--json") as child:  # closes the pipes
            try:
                assert child.stdout is not None
                line = child.stdout.readline()
                assert line, child.communicate(timeout=PATIENCE)[1]
                yield child, json.loads(line)
            finally:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
                child.wait(timeout=PATIENCE)


@contextmanager
def ground(changes: dict[str, Any] | None = None, of: Path = FILE) -> Iterator[Ground]:
    """A ground of a shipped example, with values replaced at dotted paths."""
    site = load(edited(changes or {}, of), "site.yaml").site
    assert site is not None
    block = Block.reserve(secrets.randbelow(1 << 16))
    try:
        with TemporaryDirectory(prefix="t") as name:
            folder = Path(name)
            passwords = {user.extension: f"secret {user.extension}" for user in site.users}
            moved, _ = lab_site(site, block.network, passwords, "records.jsonl")
            file = folder / "site.yaml"
            file.write_text(as_yaml(moved), "utf-8")
            runtime = folder / "run"
            runtime.mkdir(mode=0o700)
            environ = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "PYTHONUTF8": "1"}
            yield Ground(folder, file, moved, environ)
    finally:
        block.close()
