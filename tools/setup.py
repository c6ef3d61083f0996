"""Makes the virtual environment the commands of this repository run in, from a pinned lock file.

    python3 tools/setup.py run     .venv with what the product needs           (make demo)
    python3 tools/setup.py dev     .venv with that and the tools of the tests  (make test, make check)
    python3 tools/setup.py bench   .venv-bench with the peer that make bench compares with
    python3 tools/setup.py sslyze  .venv-sslyze with the peer of the TLS doctor's tests

Root is not needed and nothing is written outside the repository. A second run with nothing changed does
nothing. Standard library only. Exit code 2, after one line that says what is missing, when it cannot be made.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import packages

ROOT = Path(__file__).resolve().parent.parent
PLACES = {"run": ".venv", "dev": ".venv", "bench": ".venv-bench", "sslyze": ".venv-sslyze"}
# What builds the packages of a lock that come without a wheel: installed before them.
BACKENDS = {"run": (), "dev": ("poetry-core",), "bench": ("setuptools",), "sslyze": ("setuptools",)}
APART = ("bench", "sslyze")  # environments of peers, which the product is never installed into
FLOOR = (3, 11)
# A user's own pip settings may choose the index, never where the packages go.
NOT_OURS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class SetupError(Exception):
    """What keeps the environment from being made, as one line for the user."""


def interpreter() -> str:
    """The Python to build on: the one that runs this, outside any virtual environment, or a newer one."""
    own = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for name in (str(own), sys.executable, "python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        test = f"import sys; sys.exit(sys.version_info < {FLOOR})"
        if found and subprocess.run([found, "-c", test], capture_output=True).returncode == 0:
            return found
    raise SetupError("Python 3.11 or newer is missing: install it, then `make PYTHON=/path/to/python3 ...`")


def run(command: Sequence[str], failed: str) -> None:
    """Runs ``command``; shows the packages that pip names as they come, and everything when it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    said: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            said.append(line)
            words = line.split()
            if words and words[0] in ("Collecting", "Processing"):
                name = Path(words[1]).name  # a requirement, or a wheel that the machine holds
                print("  " + ("==".join(name.split("-")[:2]) if name.endswith(".whl") else name), flush=True)
    if child.returncode != 0:
        sys.stderr.writelines(said[-15:])
        raise SetupError(failed)


def make_venv(python: str, venv: Path) -> list[str]:
    """Makes an empty environment; the words that run a pip that installs into it."""
    shutil.rmtree(venv, ignore_errors=True)
    inside = str(venv / "bin" / "python")

    def works(*module: str) -> bool:
        return subprocess.run([python, *module], capture_output=True, cwd=ROOT).returncode == 0

    # Debian splits ensurepip off into python3-venv, and pip into python3-pip: either of them will do.
    if not works("-c", "import ensurepip") and not works("-m", "pip", "--version"):
        refusal = packages.install(["python3-venv"])
        if refusal:
            raise SetupError(refusal)
    if works("-c", "import ensurepip"):
        run([python, "-m", "venv", str(venv)], f"{python} -m venv failed")
        return [inside, "-m", "pip"]
    if not works("-m", "pip", "--version"):
        raise SetupError(f"{python} has neither ensurepip nor pip: install the Debian package python3-venv")
    run([python, "-m", "venv", "--without-pip", str(venv)], f"{python} -m venv failed")
    return [python, "-m", "pip", "--python", inside]


def make(kind: str) -> None:
    """Brings the environment of ``kind`` to what its lock file says, unless its stamp says it is there."""
    venv = ROOT / PLACES[kind]
    lock = ROOT / "requirements" / f"{kind}.lock"
    python = interpreter()
    version = subprocess.run([python, "-VV"], capture_output=True, text=True).stdout
    origin = f"{python} {version} {ROOT}"
    parts = [origin, lock.read_text()] + ([] if kind in APART else [(ROOT / "pyproject.toml").read_text()])
    made_of = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    stamp, base = venv / f".made-of-{kind}", venv / ".made-by"
    if stamp.exists() and stamp.read_text() == made_of and (venv / "bin" / "python").exists():
        return
    if kind == "run" and (venv / ".made-of-dev").exists():
        make("dev")  # the tests' environment holds the product's: keep one, not two by turns
        return

    begun = time.monotonic()
    print(f"{PLACES[kind]}: installing {lock.relative_to(ROOT)}", flush=True)
    stamp.unlink(missing_ok=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip"]
    if not base.exists() or base.read_text() != origin:
        pip = make_venv(python, venv)
        base.write_text(origin)
    install = [*pip, "install", "--disable-pip-version-check", "--progress-bar", "off", "--no-input"]
    # No isolated builds: they would fetch a build backend that no hash pins. It is in the lock instead.
    for name in BACKENDS[kind]:
        backend = venv / f"{name}.lock"
        backend.write_text(_entry(lock, name))
        run([*install, "--require-hashes", "-r", str(backend)], f"{name} could not be installed")
    pinned = [*install, "--require-hashes", "--no-build-isolation", "-r", str(lock)]
    hint = " (it compiles: gcc and python3-dev are needed)" if kind == "bench" else ""
    run(pinned, f"pip could not install {lock.relative_to(ROOT)}: its last lines are above{hint}")
    if kind not in APART:
        own = [*install, "--no-index", "--no-deps", "--no-build-isolation", "--editable", "."]
        run(own, "pip could not install the package itself")
    stamp.write_text(made_of)
    print(f"{PLACES[kind]}: ready after {time.monotonic() - begun:.0f} s", flush=True)


def _entry(lock: Path, name: str) -> str:
    """The lock's entry of one package: its first line and the hashes that follow it."""
    lines = lock.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(f"{name}=="))
    after = (i for i, line in enumerate(lines[first + 1 :], first + 1) if not line.startswith(" "))
    return "\n".join(lines[first : next(after, len(lines))]) + "\n"


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in PLACES:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        make(sys.argv[1])
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
