"""The chapter of dates: what certificates mean on the plan's day, what comes, and the same for a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.guide.test_foresight import GOOD, PKI, ROOT, Scene
from tests.guide.test_foresight_calendar import read as events
from tests.plan.sites import EVERY, FACTS, INTERNET_A, REMOTE, one_language, read, site, tables

from trunkline.finding import told
from trunkline.guide.foresight import Paper, named
from trunkline.plan import dates
from trunkline.plan.document import Chapter, Paragraph, Row, Table


def made(at: date, scene: Scene | None = GOOD) -> Chapter:
    here = site(INTERNET_A)
    held = scene.papers() if scene else {}
    papers = [Paper(path, file, held.get(".".join(map(str, path)))) for path, file in named(here)]
    chapter = dates.chapter(here, FACTS, PKI, papers, at)
    assert chapter is not None
    return chapter


def rows(chapter: Chapter, title: str) -> tuple[Row, ...]:
    found: list[Table] = [table for table in tables(chapter) if table.title.startswith(title)]
    return found[0].rows if found else ()


def test_what_others_announced_comes_with_its_day_and_who_acts() -> None:
    found = {(row.cells[0], row.cells[1]): row for row in rows(made(date(2026, 6, 1)), "What comes")}
    lifetime = found["2027-03-15", "Public certificates live 100 days at most"]
    assert lifetime.cells[3] == "certificate team"
    assert told(lifetime.cells[3], "fr") == "équipe certificats"
    ended = found["2027-03-01", "DigiCert: no clientAuth any more"]
    assert "carrier" in ended.cells[3]
    distrusted = found["2029-04-15", "DigiCert Global Root G2 no longer trusted by Mozilla"]
    assert distrusted.source == ("certificates.trust", "PKI-7b")


@pytest.mark.guide("CERT-2")
def test_the_certificates_that_are_there_come_with_their_expiry_and_the_reboot() -> None:
    found = {row.cells[0]: row for row in rows(made(date(2026, 6, 1)), "What comes")}
    own = found["2026-07-30"]
    assert "ipbx.customer.example expires" in own.cells[1]
    assert "reboots" in own.cells[2]
    assert "redémarre" in told(own.cells[2], "fr")
    assert own.source == ("certificates.public_server.certificate", "PKI-3a")
    assert not [row for row in rows(made(date(2026, 6, 1), None), "What comes") if "expires" in row.cells[1]]


def test_all_is_judged_at_the_plans_day() -> None:
    early, late, after = (made(date(2026, month, 29)) for month in (5, 7, 8))
    assert rows(early, "On 2026-05-29") == ()
    assert [row.cells[0] for row in rows(late, "On 2026-07-29")] == ["must"]
    assert "expired" in rows(after, "On 2026-08-29")[0].cells[1]
    assert not [row for row in rows(after, "What comes") if row.cells[0] < "2026-08-29"]
    assert made(date(2026, 5, 29)) == early


@pytest.mark.guide("CERT-3")
def test_a_root_that_is_distrusted_already_is_told_on_the_day() -> None:
    scene = replace(GOOD, trust=(ROOT, "own root", "own intermediate"))
    [row] = [row for row in rows(made(date(2026, 6, 1), scene), "On") if row.source.requirement == "PKI-8"]
    assert ROOT in row.cells[1]


def test_the_calendar_beside_the_page_holds_the_same_days() -> None:
    chapter = made(date(2026, 6, 1))
    [file] = chapter.files
    for language in ("en", "fr"):
        held = events(told(file.text, language).encode())
        assert [str(event["DTSTART"]) for event in held] == [
            row.cells[0] for row in rows(chapter, "What comes")
        ]
        assert all(len(event["alarms"]) == 4 for event in held)


def test_a_day_after_all_that_is_known_has_no_calendar() -> None:
    chapter = made(date(2199, 1, 1))
    assert (rows(chapter, "What comes"), chapter.files) == ((), ())
    assert isinstance(chapter.blocks[0], Paragraph)


def test_over_bvpn_without_certificates_there_is_no_such_chapter() -> None:
    assert dates.chapter(site(REMOTE), FACTS, PKI, (), date(2026, 6, 1)) is None


def test_every_line_has_both_languages_a_key_and_a_rule() -> None:
    for file in EVERY:
        here = read(file.read_text("utf-8"))
        chapter = dates.chapter(
            here, FACTS, PKI, [Paper(*one, None) for one in named(here)], date(2026, 12, 1)
        )
        assert (chapter is not None) == here.over_internet
        if chapter:
            assert not [one for one in one_language(chapter) if not one[0].isdigit()]
            for table in tables(chapter):
                assert all(row.source.key and row.source.requirement for row in table.rows)
                assert all(hasattr(cell, "french") for row in table.rows for cell in row.cells[1:])
