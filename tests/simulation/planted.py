"""Bugs planted on purpose: patches against `src`, applied to a copy, and a search for a seed that finds them.

A patch is a unified diff behind a head of two lines: what it breaks, and `Seeds: FIRST-LAST`, the
seeds that are played on the broken copy until a law breaks. `Secured seeds:` are those of the
secured town.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent / "bugs"
# Plays seeds until a law is broken; says which seed, and which law.
HUNT = """
import sys
import trunkline
from {module} import {name} as play
assert trunkline.__file__.startswith(sys.argv[1]), trunkline.__file__
for seed in range(int(sys.argv[2]), int(sys.argv[3]) + 1):
    broken = play(seed).broken
    if broken:
        print(f"seed {{seed}}: {{broken[0]}}")
        break
"""


class DoesNotApply(Exception):
    """The source has moved on: the patch must follow it."""


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug; `edits` are file, text before, text after."""

    name: str
    what: str
    first: int
    last: int
    edits: tuple[tuple[str, str, str], ...]
    secured: bool = False

    @classmethod
    def read(cls, path: Path) -> Bug:
        """A bug from its patch."""
        head, _, diff = path.read_text("utf-8").partition("\n\n")
        what, seeds = head.split("\n")
        town, _, numbers = seeds.partition(": ")
        first, _, last = numbers.partition("-")
        return cls(path.stem, what, int(first), int(last), tuple(_edits(diff)), town == "Secured seeds")

    def apply(self, root: Path) -> None:
        """Plant it in the copy of the repository at `root`. Raises DoesNotApply."""
        for file, before, after in self.edits:
            text = (root / file).read_text("utf-8")
            if text.count(before) != 1:
                found = text.count(before)
                raise DoesNotApply(f"{self.name}.patch: {file} has this {found} times, not once:\n{before}")
            (root / file).write_text(text.replace(before, after), "utf-8")

    def hunt(self, room: Path) -> str:
        """Plant it in a copy in that folder and play; the law that broke and the seed, "" if none did."""
        shutil.copytree(ROOT / "src", room / "src")
        self.apply(room)
        environment = {**os.environ, "PYTHONPATH": f"{room / 'src'}{os.pathsep}{ROOT}"}
        hunt = HUNT.format(
            module=f"tests.simulation.{'secured.' if self.secured else ''}play",
            name="secure_play" if self.secured else "play",
        )
        command = [sys.executable, "-c", hunt, str(room), str(self.first), str(self.last)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        return done.stdout.strip() or (done.stderr.strip() if done.returncode else "")


def bugs() -> list[Bug]:
    """Every planted bug."""
    return [Bug.read(path) for path in sorted(PATCHES.glob("*.patch"))]


def _edits(diff: str) -> list[tuple[str, str, str]]:
    """Each hunk of a unified diff as the text before and after; where it stood does not count."""
    edits: list[tuple[str, str, str]] = []
    file, before, after = "", "", ""
    for line in [*diff.splitlines(keepends=True), "@@"]:
        if line.startswith(("---", "+++", "@@")):
            if before or after:
                edits.append((file, before, after))
                before, after = "", ""
            file = line[6:].strip() if line.startswith("+++") else file
        else:
            before += line[1:] if line[0] in " -" else ""
            after += line[1:] if line[0] in " +" else ""
    return edits
