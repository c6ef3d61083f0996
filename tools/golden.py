"""Writes the golden dossiers of tests/plan/golden/, one of each example at least. A test compares them.

.venv/bin/python tools/golden.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from trunkline.cli.foresight import papers_of
from trunkline.finding import Language
from trunkline.guide.catalogue import judge
from trunkline.guide.facts import shipped
from trunkline.plan.dossier import dossier, files
from trunkline.site.load import load

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "tests" / "plan" / "golden"
AT: Final = date(2026, 12, 1)  # the day validity is judged at
FRENCH: Final = ("bvpn-rainbow-powercpu", "internet-a-remote-sites")  # the others are kept in English alone


def dossiers() -> Iterator[tuple[Path, str]]:
    """Each file of each example's dossier, by its path under the golden folder."""
    for example in sorted((ROOT / "examples").glob("*.yaml")):
        languages: tuple[Language, ...] = ("en", "fr") if example.stem in FRENCH else ("en",)
        for language in languages:
            folder = example.stem if language == "en" else f"{example.stem}.{language}"
            for name, text in dossier_of(example, language).items():
                yield Path(folder) / name, text


def dossier_of(example: Path, language: Language) -> dict[str, str]:
    """The files of one example, by name."""
    loaded = load(example.read_bytes(), example.name)
    site = loaded.site
    if site is None:
        raise ValueError(f"{example.name} has errors")
    facts = shipped()[site.guide.name]
    papers = papers_of(site, example.parent)
    chapters = dossier(site, facts, AT, 0, (*loaded.findings, *judge(loaded)), papers)
    return {file.name: file.text for file in files(site, facts, chapters, language)}


def main() -> int:
    wanted = {FOLDER / path: text for path, text in dossiers()}
    for stale in (path for path in FOLDER.rglob("*") if path.is_file() and path not in wanted):
        stale.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    print(f"{len(wanted)} files in {FOLDER.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
