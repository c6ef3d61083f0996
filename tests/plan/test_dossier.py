"""The dossier as a whole: its order, its files, the same bytes each time; the golden ones."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.example_site import EXAMPLES, FILE

import golden
from trunkline.finding import Finding, Level, said
from trunkline.guide.facts import shipped
from trunkline.plan.document import Chapter, File
from trunkline.plan.dossier import PAGE, TEXT, dossier, files
from trunkline.plan.questions import chapter as questions
from trunkline.site.load import load
from trunkline.site.model import Site

FACTS = shipped()["business-talk-oxo-6.x"]
AT = date(2026, 12, 1)


def example(name: str) -> Site:
    site = load((EXAMPLES / f"{name}.yaml").read_bytes(), name).site
    assert site is not None
    return site


def test_the_golden_dossiers_are_what_is_made_byte_by_byte() -> None:
    made = {str(path): text.encode() for path, text in golden.dossiers()}
    kept = {
        str(path.relative_to(golden.FOLDER)): path.read_bytes()
        for path in golden.FOLDER.rglob("*")
        if path.is_file()
    }
    assert sorted(made) == sorted(kept), "run tools/golden.py"
    differing = [name for name, content in made.items() if kept[name] != content]
    assert not differing, f"look at the change, then run tools/golden.py: {differing}"


def test_each_example_has_a_golden_dossier() -> None:
    names = {path.name for path in golden.FOLDER.iterdir()}
    assert {file.stem for file in EXAMPLES.glob("*.yaml")} <= names


def test_two_processes_with_other_seeds_zones_and_locales_write_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for seed, zone, locale in (("1", "Pacific/Kiritimati", "C"), ("2", "America/Martinique", "fr_FR.UTF-8")):
        folder = tmp_path / seed
        command = [sys.executable, "-m", "trunkline", "plan", str(EXAMPLES / "internet-a-remote-sites.yaml")]
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PYTHONUTF8": "1"}
        subprocess.run([*command, "-o", str(folder), "--at", "2026-12-01"], env=environment, check=True)
        written.append(
            {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        )
    assert written[0] == written[1]
    assert PAGE in written[0]


def test_the_overview_comes_first_and_the_open_points_last() -> None:
    for file in sorted(EXAMPLES.glob("*.yaml")):
        chapters = dossier(example(file.stem), FACTS, AT)
        assert (chapters[0].id, chapters[-1].id) == ("overview", "open")
        assert len({chapter.id for chapter in chapters}) == len(chapters)


def test_each_figure_is_a_file_in_the_language_of_the_dossier() -> None:
    site = example("bvpn")
    chapters = dossier(site, FACTS, AT)
    for language, word in (("en", "signalling"), ("fr", "signalisation")):
        held = {file.name: file.text for file in files(site, FACTS, chapters, language)}  # type: ignore[arg-type]
        assert {PAGE, TEXT, "drawing.svg"} <= set(held)
        assert word in held["drawing.svg"]
        assert "drawing.svg" in held[TEXT]


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a//b", ".hidden", "é.txt", "drawing.svg", "INDEX.html", "a b", ""]
)
def test_a_file_that_would_leave_the_folder_or_cover_another_is_refused(name: str) -> None:
    site = example("bvpn")
    chapters = (*dossier(site, FACTS, AT), Chapter("x", "X", (), (File(name, "", ""),)))
    with pytest.raises(ValueError, match="a name of its own"):
        files(site, FACTS, chapters, "en")


def asked(name: str) -> set[str]:
    chapter = questions(example(name), FACTS)
    return {row.id for block in chapter.blocks for row in getattr(block, "rows", ())}


def test_only_the_questions_that_matter_for_the_architecture_are_asked() -> None:
    assert {"bvpn.transport", "bvpn.sbc.nominal.media", "trunk.emergency_format"} <= asked("bvpn")
    assert not {"tls.suites_oce", "drom.sbc_names"} & asked("bvpn")
    assert "tls.suites_oce" in asked("internet-a")
    assert "bvpn.transport" not in asked("internet-a")
    assert "drom.local_prefixes" in asked("bvpn-drom")


def test_every_open_question_has_words_in_french() -> None:
    for file in EXAMPLES.glob("*.yaml"):
        for block in questions(example(file.stem), FACTS).blocks:
            for row in getattr(block, "rows", ()):
                assert hasattr(row.cells[0], "french"), row


def test_findings_that_do_not_forbid_the_plan_are_told_in_it() -> None:
    found = Finding("X-1", Level.SHOULD, "wan.kbps", said("narrow", "étroit"), said("widen", "élargir"), "§2")
    chapter = questions(example("bvpn"), replace(FACTS, by_key={}), (found,))
    [row] = [row for table in chapter.blocks for row in getattr(table, "rows", ())]
    assert row.cells == ("should", "narrow", "widen")
    assert tuple(row.source) == ("wan.kbps", "X-1")


def test_where_nothing_is_open_it_is_said() -> None:
    chapter = questions(example("bvpn"), replace(FACTS, by_key={}))
    assert "Nothing is open." in str(chapter.blocks)


def test_a_guide_that_says_little_still_makes_a_dossier() -> None:
    loaded = load(FILE.read_bytes(), "x").site
    assert loaded is not None
    poor = replace(FACTS, by_key={}, carrier="", title="")
    chapters = dossier(loaded, poor, AT)
    assert files(loaded, poor, chapters, "en")
