"""Rules chosen by id, by requirement or by prefix."""

from __future__ import annotations

import pytest

from trunkline.finding import Finding, Level
from trunkline.guide.catalogue import RULES
from trunkline.guide.form import unavoidable
from trunkline.guide.select import chosen, every, known, matches, meant, order


@pytest.mark.parametrize(
    ("selector", "id", "chooses"),
    [
        ("SEC", "SEC-4a", True),
        ("SEC-4", "SEC-4a", True),
        ("SEC-4a", "SEC-4a", True),
        ("sec-4A", "SEC-4a", True),
        ("SEC-4", "SEC-4", True),
        ("SEC-4", "SEC-40", False),
        ("SEC-4a", "SEC-4", False),
        ("SE", "SEC-4", False),
        ("SITE-1", "SITE-11", False),
        ("", "SEC-4", False),
    ],
)
def test_a_selector_chooses_whole_words_of_an_id(selector: str, id: str, chooses: bool) -> None:
    assert matches(selector, id) is chooses


def test_what_is_selected_counts_unless_it_is_ignored() -> None:
    assert chosen("SEC-4a", (), ())
    assert chosen("SEC-4a", ("SEC",), ())
    assert not chosen("SEC-4a", ("CAC",), ())
    assert not chosen("SEC-4a", ("SEC",), ("SEC-4a",))
    assert chosen("SEC-4b", ("SEC",), ("SEC-4a",))


def test_an_unknown_id_is_told_from_a_known_one_and_the_meant_one_named() -> None:
    assert known("SEC")
    assert known("site-3")
    assert not known("SEK")
    assert meant("SEC-4x") == "SEC-4"
    assert meant("sitte-3") == "SITE-3"
    assert meant("@") == ""


def test_every_rule_and_every_judgement_on_the_form_has_its_place_in_order() -> None:
    ids = list(every())
    assert set(ids) == {rule.id for rule in RULES}
    assert ids == sorted(ids, key=order)
    assert ids.index("SITE-9") < ids.index("SITE-10") < ids.index("SUP-1")


def test_errors_of_the_form_are_unavoidable_and_its_notes_are_not() -> None:
    def found(rule: str, level: Level) -> Finding:
        return Finding(rule, level, "", "", "", "")

    assert unavoidable(found("SITE-3", Level.MUST))
    assert not unavoidable(found("SITE-7", Level.NOTE))
    assert not unavoidable(found("SITE-30", Level.MUST))
    assert not unavoidable(found("SITE-11", Level.SHOULD))
