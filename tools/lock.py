"""Writes the lock files in requirements/ again from pyproject.toml. Needs uv on the PATH and an index to ask.

They hold every platform's hashes for every supported Python, and name no download host.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "run": ["pyproject.toml", "--group", "build"],
    "dev": ["pyproject.toml", "--group", "dev", "--constraints", "requirements/run.lock"],
    "bench": ["--group", "bench"],
    "sslyze": ["--group", "sslyze"],
}
COMPILE = [
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--upgrade"),
    *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
    "--no-strip-extras",  # older pips take an extra for a package of its own, and the pin must name it
]


def main() -> int:
    for kind, sources in LOCKS.items():
        lock = ROOT / "requirements" / f"{kind}.lock"
        subprocess.run([*COMPILE, *sources, "--output-file", str(lock)], cwd=ROOT, check=True)
        if "://" in lock.read_text():
            print(f"{lock}: names a host", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
